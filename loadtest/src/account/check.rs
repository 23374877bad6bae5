//! How a player's frames are judged: number, order, length, and on a sample every byte.

use crate::account::ledger::Ledger;
use crate::account::tally::{Counts, Delays};
use crate::media::shape::{Shape, Track, is_frame};
use crate::swarm::peer::Player;
use crate::swarm::shared::Shared;
use millstream_rtmp::message::{Message, MessageType};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Judges frames.
pub struct Checker {
    /// What was sent.
    pub shape: Arc<Shape>,
    /// What sockets are read into; kept between rounds.
    pub buffer: Vec<u8>,
}

impl Checker {
    /// Judges by what `shape` generates.
    pub fn new(shape: Arc<Shape>) -> Self {
        Self { shape, buffer: Vec::new() }
    }

    /// Judges one message that arrived at `now_ns` at a player that began at `began_ns`.
    pub fn check(
        &self,
        player: &mut Player,
        message: &Message,
        began_ns: u64,
        now_ns: u64,
        counts: &mut Counts,
        delays: &mut Delays,
    ) {
        let (track, ledger) = match message.kind {
            MessageType::VIDEO => (Track::Video, &mut player.video),
            MessageType::AUDIO => (Track::Audio, &mut player.audio),
            _ => return,
        };
        if !is_frame(&message.payload) {
            return;
        }
        let tally = counts.track(track);
        tally.frames += 1;
        let Some(mark) = Shape::mark(track, &message.payload) else {
            tally.unmarked += 1;
            return;
        };
        let compares = player.compares;
        let right = mark.stream == player.stream && mark.length as usize == message.payload.len();
        if !right || compares && !self.shape.is_intact(track, &mark, &message.payload) {
            tally.corrupt += 1;
        }
        ledger.enter(mark.sequence, &mut tally.faults);
        if mark.scheduled_ns >= began_ns {
            delays.record(track, now_ns.saturating_sub(mark.scheduled_ns));
        } else {
            // It was over before the player asked; its age says nothing of the server.
            tally.backlog += 1;
        }
        counts.compared += u64::from(compares);
    }

    /// Ends players' accounts: what was published and never came is lost.
    pub fn close<'a>(
        &self,
        players: impl Iterator<Item = &'a Player>,
        shared: &Shared,
        counts: &mut Counts,
    ) {
        for player in players {
            let [video, audio] = missing(player, shared);
            counts.video.faults.lost += video;
            counts.audio.faults.lost += audio;
        }
    }

    /// Frames that players have still to get of what was published so far.
    pub fn behind<'a>(&self, players: impl Iterator<Item = &'a Player>, shared: &Shared) -> u64 {
        players.map(|player| missing(player, shared).iter().sum::<u64>()).sum()
    }
}

fn missing(player: &Player, shared: &Shared) -> [u64; 2] {
    let stream = &shared.streams[player.stream as usize];
    let of = |ledger: &Ledger, published: &std::sync::atomic::AtomicU32| {
        ledger.missing(published.load(Ordering::Relaxed))
    };
    [of(&player.video, &stream.video), of(&player.audio, &stream.audio)]
}

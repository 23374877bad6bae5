//! How a player's frames are judged: number, order, length, and on a sample every byte.

use crate::account::ledger::Ledger;
use crate::account::tally::{Counts, Delays};
use crate::media::Track;
use crate::media::seen::{Seen, look};
use crate::media::source::Source;
use crate::swarm::peer::Player;
use crate::swarm::shared::Shared;
use millstream_rtmp::message::Message;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Judges frames.
pub struct Checker {
    /// What was sent.
    pub source: Arc<Source>,
    /// What sockets are read into; kept between rounds.
    pub buffer: Vec<u8>,
}

impl Checker {
    /// Judges what `source` sends.
    pub fn new(source: Arc<Source>) -> Self {
        Self { source, buffer: Vec::new() }
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
        let Seen::Frame { track, mark, .. } = look(message.kind, &message.payload) else { return };
        let ledger = match track {
            Track::Video => &mut player.video,
            Track::Audio => &mut player.audio,
        };
        let tally = counts.track(track);
        tally.frames += 1;
        let Some((at, mark)) = mark else {
            tally.unmarked += 1;
            return;
        };
        let compares = player.compares;
        let right = mark.stream == player.stream && mark.is_whole(&message.payload, at);
        if !right || compares && !mark.is_intact(&message.payload, at) {
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

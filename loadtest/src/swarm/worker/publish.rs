//! Frames that are due.

use super::Worker;
use super::timers::Act;
use crate::account::times::Time;
use crate::media::Track;
use crate::media::source::Source;
use crate::swarm::peer::{Role, Stage};
use millstream_rtmp::message::MessageType;
use std::sync::atomic::Ordering;

impl Worker {
    /// Sends every frame of a publisher that is due by now. The first of them was due at `due`.
    pub(super) fn send(&mut self, at: usize, id: u64, due: u64, now: u64) {
        if !self.is(at, id) {
            return;
        }
        self.times.enter(Time::Lag, now - due);
        if let Err(why) = self.send_due(at, now).and_then(|()| self.flush(at)) {
            self.fail(at, why, now);
        }
    }

    fn send_due(&mut self, at: usize, now: u64) -> Result<(), &'static str> {
        let Some(peer) = self.peers[at].as_mut() else { return Ok(()) };
        let Role::Publisher(publisher) = &mut peer.role else { return Ok(()) };
        let Some(epoch) = publisher.epoch.as_ref().filter(|_| peer.stage == Stage::Going) else {
            return Ok(());
        };
        let source = self.plan.source(publisher.stream);
        let speed = self.plan.publishers.speed;
        let number = self.plan.number(publisher.stream);
        let owed = !self.shared.closing.load(Ordering::Relaxed);
        loop {
            let (track, media_ns) = next(source, publisher.video, publisher.audio);
            let scheduled = publisher.origin_ns + (media_ns as f64 / speed) as u64;
            if scheduled > now {
                self.timers.set(scheduled, Act::Send { at, id: peer.id });
                return Ok(());
            }
            let (kind, sequence) = match track {
                Track::Video => (MessageType::VIDEO, &mut publisher.video),
                Track::Audio => (MessageType::AUDIO, &mut publisher.audio),
            };
            let payload = source.frame(track, number, epoch.number, *sequence, scheduled);
            self.counts.publishers.frames += 1;
            self.counts.publishers.payload += payload.len() as u64;
            // Timestamps wrap at 2^32 ms (RTMP 1.0, 3).
            peer.link.send(kind, (media_ns / 1_000_000) as u32, payload)?;
            *sequence += 1;
            if owed {
                epoch.publish(track, *sequence);
            }
        }
    }
}

/// The track of the next frame and its time, nanoseconds from the stream's start.
fn next(source: &Source, video: u32, audio: u32) -> (Track, u64) {
    let due = |track, sequence| match source.has(track) {
        true => source.due_ns(track, sequence),
        false => u64::MAX,
    };
    let (due_video, due_audio) = (due(Track::Video, video), due(Track::Audio, audio));
    if due_video <= due_audio { (Track::Video, due_video) } else { (Track::Audio, due_audio) }
}

//! Who takes too long, and who reads slowly on purpose.

use super::Worker;
use crate::limits::{PATROL_NS, TRICKLE_NS};
use crate::plan::{Patience, Slow};
use crate::swarm::peer::{Peer, Role, Stage};
use std::time::Duration;

/// How long the server may take to close after a publisher's goodbye.
const FAREWELL: Duration = Duration::from_secs(3);

impl Worker {
    /// Looks over all connections, from time to time.
    pub(super) fn patrol(&mut self, now: u64) {
        if now >= self.trickled_ns + TRICKLE_NS && !self.trickling.is_empty() {
            self.trickle(now - self.trickled_ns, now);
            self.trickled_ns = now;
        }
        if now < self.patrolled_ns + PATROL_NS {
            return;
        }
        self.patrolled_ns = now;
        for at in 0..self.peers.len() {
            let Some(peer) = &self.peers[at] else { continue };
            if let Some(why) = self.out_of_patience(peer, now) {
                self.fail(at, why, now);
            }
        }
    }

    fn out_of_patience(&self, peer: &Peer, now: u64) -> Option<&'static str> {
        let Patience { connect, handshake, request, first_frame, stall } = self.plan.patience;
        let for_ns = now.saturating_sub(peer.since_ns);
        let (limit, why) = match (peer.stage, &peer.role) {
            (Stage::Connecting, _) => (connect, "connection-timed-out"),
            (Stage::Handshaking, _) => (handshake, "handshake-timeout"),
            (Stage::Opening, _) => (request, "connect-timeout"),
            (Stage::Asking, _) => (request, "request-timeout"),
            (Stage::Waiting, Role::Player(player)) => {
                // Nobody is owed a frame while nobody sends.
                let stream = &self.shared.streams[player.account.stream as usize];
                return (stream.is_live() && for_ns > ns(first_frame)).then_some("no-first-frame");
            }
            (Stage::Going, Role::Player(player)) => {
                let stream = &self.shared.streams[player.account.stream as usize];
                let silent_ns = now.saturating_sub(peer.heard_ns);
                let owed = player.slow.is_none() && stream.is_live() && !self.is_closing();
                return (owed && silent_ns > ns(stall)).then_some("stalled");
            }
            (Stage::Leaving, _) => (FAREWELL, "closed"),
            (Stage::Waiting | Stage::Going, Role::Publisher(_)) => return None,
        };
        (for_ns > ns(limit)).then_some(why)
    }

    /// Players that read byte by byte read what is due in this time.
    fn trickle(&mut self, elapsed_ns: u64, now: u64) {
        for place in (0..self.trickling.len()).rev() {
            let at = self.trickling[place];
            let Some(Slow::Trickle(rate)) = self.peers[at].as_ref().and_then(Peer::slow) else {
                continue;
            };
            // At least one byte a turn, and no more in one than the rate has for a second.
            let bytes = (u64::from(rate) * elapsed_ns / 1_000_000_000).clamp(1, u64::from(rate));
            for _ in 0..bytes {
                let Err(why) = self.read(at, 1).and_then(|()| self.flush(at)) else { continue };
                self.fail(at, why, now);
                break;
            }
        }
    }
}

fn ns(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

//! Who takes too long, and who reads slowly on purpose.

use super::Worker;
use crate::limits::{PATROL_NS, TRICKLE_NS};
use crate::plan::{Patience, Plan, Slow};
use crate::swarm::peer::{Peer, Role, Stage};
use crate::swarm::shared::Shared;
use std::time::Duration;

/// How long the server may take to close after a publisher's goodbye.
const FAREWELL: Duration = Duration::from_secs(3);

impl Worker {
    /// Looks over all connections, from time to time.
    pub(super) fn patrol(&mut self, now: u64) {
        if now >= self.trickled_ns + TRICKLE_NS && !self.trickling.is_empty() {
            self.trickle(self.trickled_ns, now);
            self.trickled_ns = now;
        }
        if now < self.patrolled_ns + PATROL_NS {
            return;
        }
        self.patrolled_ns = now;
        for at in 0..self.peers.len() {
            let Some(peer) = &mut self.peers[at] else { continue };
            if let Role::Player(player) = &peer.role
                && matches!(peer.stage, Stage::Waiting | Stage::Going)
                && !is_live(&self.plan, &self.shared, player.stream)
            {
                // Nobody is owed a frame while nobody sends, and patience begins with the stream.
                (peer.since_ns, peer.heard_ns) = (now, now);
            }
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
                let owed = is_live(&self.plan, &self.shared, player.stream);
                return (owed && for_ns > ns(first_frame)).then_some("no-first-frame");
            }
            (Stage::Going, Role::Player(player)) => {
                let silent_ns = now.saturating_sub(peer.heard_ns);
                let owed = player.slow.is_none()
                    && is_live(&self.plan, &self.shared, player.stream)
                    && !self.is_closing();
                return (owed && silent_ns > ns(stall)).then_some("stalled");
            }
            (Stage::Leaving, _) => (FAREWELL, "closed"),
            (Stage::Waiting | Stage::Going, Role::Publisher(_)) => return None,
        };
        (for_ns > ns(limit)).then_some(why)
    }

    /// Players that read byte by byte read what is due in this time.
    fn trickle(&mut self, before: u64, now: u64) {
        for place in (0..self.trickling.len()).rev() {
            let at = self.trickling[place];
            let Some(Slow::Trickle(rate)) = self.peers[at].as_ref().and_then(Peer::slow) else {
                continue;
            };
            let until = |ns: u64| u128::from(ns) * u128::from(rate) / 1_000_000_000;
            // No more in one turn than the rate has for a second.
            let bytes = (until(now) - until(before)).min(u128::from(rate));
            for _ in 0..bytes {
                let Err(why) = self.read(at, 1).and_then(|()| self.flush(at)) else { continue };
                self.fail(at, why, now);
                break;
            }
        }
    }
}

/// Whether somebody sends a stream. Of another program's publishers nothing is known, and they are
/// taken to send: or a server could fall silent unnoticed.
fn is_live(plan: &Plan, shared: &Shared, stream: u32) -> bool {
    plan.publishers.count == 0 || shared.streams[stream as usize].is_live()
}

fn ns(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

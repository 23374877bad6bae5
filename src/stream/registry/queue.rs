//! The line of those who wait for a name: backups, primaries that come while somebody stands in for
//! them, publishers that had to step back; and slates, which fill gaps.
//!
//! Who waits asks for its turn at each of its key frames, and the answer is given at once. So nobody has
//! to be told when a publisher is lost, and a stream changes hands at key frames only.

use super::{Claim, ClaimId, Claimant, Entry, Heir, Owner, Refusal, Registry};
use crate::limits;
use crate::moment::Moment;
use crate::name::StreamName;
use crate::planted::{self, Bug};
use crate::role::Role;
use crate::stream::writer::StreamWriter;
use std::sync::Arc;
use std::time::Duration;

/// One who stands in line.
#[derive(Clone, Copy)]
pub(super) struct Waiting {
    id: ClaimId,
    claimant: Claimant,
    role: Role,
    /// When it asked last, and so showed a key frame.
    asked: Option<Moment>,
}

impl Waiting {
    /// Whether it is well, so that others wait for its next key frame.
    fn is_well(&self, now: Moment) -> bool {
        self.asked.is_some_and(|asked| now.since(asked) < limits::STANDBY_PRECEDENCE)
    }
}

impl Registry {
    /// Stands in line for a name.
    pub fn wait(
        &mut self,
        name: &StreamName,
        claimant: Claimant,
        role: Role,
    ) -> Result<Claim, Refusal> {
        let id = ClaimId(self.next_claim);
        // A name that nobody publishes counts as one that is published: names that players wait for do not.
        let taken = |entry: &Entry| entry.owner.is_some() || !entry.waiting.is_empty();
        if !self.streams.get(name).is_some_and(taken)
            && self.streams.values().filter(|entry| taken(entry)).count() >= self.published_max
        {
            return Err(Refusal::TooManyStreams);
        }
        let entry = self.entry(name)?;
        if entry.waiting.len() >= limits::STANDBYS_MAX {
            return Err(Refusal::TooManyWaiting);
        }
        entry.waiting.push(Waiting { id, claimant, role, asked: None });
        entry.count_waiting();
        let hub = Arc::clone(&entry.hub);
        self.next_claim += 1;
        Ok(Claim::Waiting { id, hub, role })
    }

    /// One who stands in line shows a key frame. It leaves the line with the name, or the promise of
    /// it; `None`: it goes on waiting.
    pub fn take_turn(&mut self, name: &StreamName, id: ClaimId, now: Moment) -> Option<Claim> {
        let take_back = self.take_back;
        let full = self.published >= self.published_max;
        let entry = self.streams.get_mut(name)?;
        let at = entry.waiting.iter().position(|waiting| waiting.id == id)?;
        entry.waiting[at].asked = Some(now);
        let Waiting { claimant, role, .. } = entry.waiting[at];
        let first = |other: &Waiting| (other.role, other.id) < (role, id) && other.is_well(now);
        if entry.heir.is_some() || entry.waiting.iter().any(first) {
            return None;
        }
        let hub = Arc::clone(&entry.hub);
        match &entry.owner {
            Some(present) if !present.holder(&hub).yields(role, take_back, now) => return None,
            None if full => return None,
            _ => {}
        }
        entry.waiting.remove(at);
        entry.count_waiting();
        let owner = Owner { waited: true, ..Owner::new(id, claimant, role, now) };
        let (claim, began) = entry.take(owner);
        self.published += usize::from(began);
        self.tell(name);
        Some(claim)
    }

    /// A slate would fill a gap of this length. `None`: there is none, or none that it may fill.
    pub fn fill_gap(
        &mut self,
        name: &StreamName,
        claimant: Claimant,
        after: Duration,
        now: Moment,
    ) -> Option<Claim> {
        let id = ClaimId(self.next_claim);
        let full = self.published >= self.published_max;
        let entry = self.streams.get_mut(name)?;
        let gap = match &entry.owner {
            Some(present) => present.holder(&entry.hub).leaves_a_gap(after, now),
            None => !full && now.since(*entry.empty_since.get_or_insert(now)) >= after,
        };
        // One who is well in the line comes with its next key frame.
        let expected = entry.waiting.iter().any(|waiting| waiting.is_well(now));
        if !gap || expected || entry.slate_spent || entry.heir.is_some() {
            return None;
        }
        let owner = Owner { waited: true, ..Owner::new(id, claimant, Role::Slate, now) };
        let (claim, began) = entry.take(owner);
        self.published += usize::from(began);
        self.next_claim += 1;
        self.tell(name);
        Some(claim)
    }

    /// No slate fills this gap any more: it has played as long as it may.
    pub fn spend_slate(&mut self, name: &StreamName) {
        if let Some(entry) = self.streams.get_mut(name) {
            entry.slate_spent = true;
        }
    }

    /// The owner gives the writing end to an heir that stood in line, and goes there itself.
    pub fn step_back(
        &mut self,
        name: &StreamName,
        id: ClaimId,
        writer: Box<StreamWriter>,
    ) -> Option<Heir> {
        if let Some(entry) = self.streams.get_mut(name)
            && let Some(Owner { claimant, role, .. }) = entry.owner.filter(|owner| owner.id == id)
        {
            if planted::is(Bug::ForgetWaiting) {
                return self.give_back(name, id, writer);
            }
            // Those who step back were counted when they came; the line is no longer for it than
            // there are publishers.
            entry.waiting.push(Waiting { id, claimant, role, asked: None });
            entry.count_waiting();
        }
        self.give_back(name, id, writer)
    }

    /// Whether this claim owns the name and its heir stood in line.
    pub fn heir_waited(&self, name: &StreamName, id: ClaimId) -> bool {
        self.streams.get(name).is_some_and(|entry| {
            entry.owner.is_some_and(|owner| owner.id == id)
                && entry.heir.is_some_and(|heir| heir.waited)
        })
    }

    /// Whether anybody stands in line for a name.
    pub fn is_waited_for(&self, name: &StreamName) -> bool {
        self.streams.get(name).is_some_and(|entry| !entry.waiting.is_empty())
    }

    /// One who stands in line is gone. Returns whether it stood there.
    pub(super) fn leave_line(&mut self, name: &StreamName, id: ClaimId) -> bool {
        let Some(entry) = self.streams.get_mut(name) else { return false };
        let before = entry.waiting.len();
        entry.waiting.retain(|waiting| waiting.id != id);
        let left = entry.waiting.len() < before;
        entry.count_waiting();
        self.forget_if_unused(name);
        left
    }
}

impl Entry {
    /// The name goes to `owner`, now or when the present one has given it up. Returns the claim, and
    /// whether the name was free.
    fn take(&mut self, mut owner: Owner) -> (Claim, bool) {
        let (id, hub) = (owner.id, Arc::clone(&self.hub));
        match &self.owner {
            None => {
                let writer =
                    hub.take_writer().expect("a stream without an owner has its writing end");
                self.pass_to(Some(owner));
                (Claim::Granted { id, hub, writer }, true)
            }
            Some(present) => {
                let seal = (present.id, present.claimant.shard);
                owner.took_over = present.holds();
                self.heir = Some(owner);
                (Claim::Promised { id, hub, seal }, false)
            }
        }
    }

    fn count_waiting(&self) {
        self.hub.stats.waiting.set(self.waiting.len() as u64);
    }
}

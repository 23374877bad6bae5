//! One claim's time on its shard: promised, owned, held, passed on. What a connection is told of it,
//! and how mail travels between shards, stands in `shard`.
//!
//! ```text
//!   promised --inherit--> owned --lost--> owned, held --expired--> over
//!      |  \                 |                  |
//!      |   sealed meanwhile +----- sealed -----+----> the writing end passes to the heir
//!      +-- withdrawn                                             (or back to waiting)
//!
//!   waiting --its turn--> promised, or owned at once
//! ```
//! Who stood in line keeps what it sends from its key frame on until the stream comes; whoever loses the
//! stream to one of the line goes there, and is a publisher still.
//!
//! A handover may be called off at any moment: the heir's connection is gone. So an owner looks into
//! the registry before it gives up what it has; a seal is only the reason to look.

use super::hub::Hub;
use super::publisher::Publisher;
use super::registry::{Claim, ClaimId, Heir, Registry};
use super::ride::Eagerness;
use super::standby::{Heard, Standby};
use super::writer::{Arrival, StreamWriter};
use crate::moment::Moment;
use crate::planted::{self, Bug};
use crate::role::Role;
use crate::shard::mailbox::Mailbox;
use std::sync::Arc;
use std::time::Duration;

/// A claim, as the shard of its claimant has it.
pub struct Tenure {
    /// The claim.
    pub claim: ClaimId,
    /// The stream.
    pub hub: Arc<Hub>,
    /// As what its claimant publishes.
    pub role: Role,
    stage: Stage,
}

enum Stage {
    /// In line.
    Waiting(Box<Standby>),
    /// The stream is promised: the old owner seals it. With what was kept of one who stood in line.
    Promised(Option<Box<Standby>>),
    /// The stream is owned.
    Owned(Box<Publisher>),
}

/// A handover that the present owner's shard must be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The claim that ends.
    pub claim: ClaimId,
    /// The shard it lives on.
    pub shard: usize,
}

/// What the loss of a connection leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The stream is held for a while.
    Held,
    /// The promise is withdrawn: the tenure is over.
    Withdrawn,
    /// The stream is on its way; it is held when it comes.
    Coming,
}

/// What came of asking for a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing: it waits on.
    NotYet,
    /// The stream is owned, its key frame appended, and its readers are marked.
    Begun,
    /// The stream is promised, and its owner must be told.
    Promised(Seal),
}

/// What became of a stream that another claim is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GivenUp {
    /// Nothing: it is not owned here, or nobody waits for it any more.
    Kept,
    /// It went to the heir, who must be told: the tenure is over.
    Left(Option<Heir>),
    /// It went to the heir, who must be told, and the claimant stands in line.
    SteppedBack(Option<Heir>),
}

/// What has come of a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inheritance {
    /// Nothing: it was no promise, or nobody gave the stream up yet.
    Nothing,
    /// The stream is owned, and its readers are marked.
    Begun,
    /// Taken over before it began: the tenure is over, and the next heir must be told.
    PassedOn(Option<Heir>),
    /// Taken over before it began, by another who stood in line: it does again. The next heir must
    /// be told.
    SteppedBack(Option<Heir>),
}

impl Tenure {
    /// The tenure that a claim leads to, and who must be told to seal.
    pub fn new(claim: Claim, eagerness: Eagerness, now: Moment) -> (Self, Option<Seal>) {
        match claim {
            Claim::Granted { id, hub, writer } => {
                let publisher = Publisher::begin(id, Arc::clone(&hub), writer, eagerness, now);
                let stage = Stage::Owned(Box::new(publisher));
                (Self { claim: id, hub, role: Role::Primary, stage }, None)
            }
            Claim::Promised { id, hub, seal: (claim, shard) } => {
                let stage = Stage::Promised(None);
                (Self { claim: id, hub, role: Role::Primary, stage }, Some(Seal { claim, shard }))
            }
            Claim::Waiting { id, hub, role } => {
                let stage = Stage::Waiting(Box::new(Standby::new(role, now)));
                (Self { claim: id, hub, role, stage }, None)
            }
        }
    }

    /// The same, of a slate.
    pub fn of_slate(claim: Claim, eagerness: Eagerness, now: Moment) -> (Self, Option<Seal>) {
        let (tenure, seal) = Self::new(claim, eagerness, now);
        (Self { role: Role::Slate, ..tenure }, seal)
    }

    /// The publisher, if the stream is owned.
    pub fn publisher(&self) -> Option<&Publisher> {
        match &self.stage {
            Stage::Owned(publisher) => Some(publisher),
            Stage::Waiting(_) | Stage::Promised(_) => None,
        }
    }

    /// The publisher, to append with.
    pub fn publisher_mut(&mut self) -> Option<&mut Publisher> {
        match &mut self.stage {
            Stage::Owned(publisher) => Some(publisher),
            Stage::Waiting(_) | Stage::Promised(_) => None,
        }
    }

    /// Whether the stream is not owned: promised and not come yet, or waited for.
    pub fn is_promised(&self) -> bool {
        !matches!(self.stage, Stage::Owned(_))
    }

    /// Whether it stands in line.
    pub fn is_waiting(&self) -> bool {
        matches!(self.stage, Stage::Waiting(_))
    }

    /// When its claimant's last media came; nothing while it may send none.
    pub fn last_media(&self) -> Option<Moment> {
        match &self.stage {
            Stage::Waiting(standby) | Stage::Promised(Some(standby)) => Some(standby.last_media()),
            Stage::Promised(None) => None,
            Stage::Owned(_) => Some(self.hub.last_media()),
        }
    }

    /// A message of one who stands or stood in line, and does not own the stream.
    pub fn hear(&mut self, arrival: &Arrival<'_>, now: Moment) -> Heard {
        match &mut self.stage {
            Stage::Waiting(standby) => standby.hear(arrival, now),
            Stage::Promised(Some(standby)) => {
                standby.keep(arrival, now);
                Heard::Kept
            }
            Stage::Promised(None) | Stage::Owned(_) => Heard::Noted,
        }
    }

    /// Asks for its turn with a message that it could begin with, as [`hear`](Self::hear) said;
    /// `marked` is told of the readers' shards.
    pub fn ask(
        &mut self,
        arrival: &Arrival<'_>,
        registry: &mut Registry,
        eagerness: Eagerness,
        mailboxes: &[Arc<Mailbox>],
        marked: impl FnMut(usize),
        now: Moment,
    ) -> Turn {
        let Some(claim) = registry.take_turn(&self.hub.name, self.claim, now) else {
            return Turn::NotYet;
        };
        if let Stage::Waiting(mut standby) =
            std::mem::replace(&mut self.stage, Stage::Promised(None))
        {
            standby.keep(arrival, now);
            self.stage = Stage::Promised(Some(standby));
        }
        match claim {
            Claim::Granted { writer, .. } => {
                self.begin(writer, eagerness, mailboxes, marked, now);
                Turn::Begun
            }
            Claim::Promised { seal: (claim, shard), .. } => Turn::Promised(Seal { claim, shard }),
            // It stood there already.
            Claim::Waiting { .. } => Turn::NotYet,
        }
    }

    /// The claimant's connection is gone.
    pub fn lose(&mut self, registry: &mut Registry, now: Moment, hold: Duration) -> Loss {
        match &mut self.stage {
            Stage::Owned(publisher) => {
                registry.lost(&self.hub.name, self.claim);
                if !planted::is(Bug::HoldForever) {
                    publisher.hold(now, hold);
                }
                Loss::Held
            }
            _ if registry.withdraw(&self.hub.name, self.claim) => Loss::Withdrawn,
            _ => Loss::Coming,
        }
    }

    /// What was lost is there again, under the same claim. Readers are told by what it appends.
    pub fn resume(&mut self, registry: &mut Registry, eagerness: Eagerness, now: Moment) {
        if let Stage::Owned(publisher) = &mut self.stage {
            publisher.resume(eagerness, now);
            registry.found(&self.hub.name, self.claim);
        }
    }

    /// Ends an owned stream for its readers; `marked` is told of their shards. Returns the heir, if
    /// there is one: it must be told.
    pub fn finish(
        self,
        registry: &mut Registry,
        mailboxes: &[Arc<Mailbox>],
        marked: impl FnMut(usize),
    ) -> Option<Heir> {
        let Stage::Owned(publisher) = self.stage else { return None };
        let writer = publisher.end();
        let heir = registry.give_back(&self.hub.name, self.claim, writer);
        // Only now: giving back feeds the logs that were asked for lately, and ends them.
        self.hub.mark_readers(mailboxes, marked);
        heir
    }

    /// Gives an owned stream up, not ended, for the heir, if there is one. Its claimant, if it `stays`, goes
    /// to the line where the heir stood. Asked and done at once: an heir may leave at any moment, and
    /// the stream would be nobody's. A promise that is still to come is passed on when it does.
    pub fn give_up(
        &mut self,
        stays: bool,
        registry: &mut Registry,
        mailboxes: &[Arc<Mailbox>],
        marked: impl FnMut(usize),
        now: Moment,
    ) -> GivenUp {
        let has_heir = registry.has_heir(&self.hub.name, self.claim);
        if self.is_promised() || !(has_heir || planted::is(Bug::OrphanStream)) {
            return GivenUp::Kept;
        }
        if stays && registry.heir_waited(&self.hub.name, self.claim) {
            return GivenUp::SteppedBack(self.step_back(registry, mailboxes, marked, now));
        }
        let Stage::Owned(mut publisher) = std::mem::replace(&mut self.stage, Stage::Promised(None))
        else {
            return GivenUp::Kept;
        };
        // What is appended but rides still is part of this generation.
        publisher.flush(mailboxes, marked);
        let writer = publisher.into_writer();
        GivenUp::Left(registry.give_back(&self.hub.name, self.claim, writer))
    }

    /// Gives an owned stream up for an heir that stood in line, who must be told, and goes there.
    fn step_back(
        &mut self,
        registry: &mut Registry,
        mailboxes: &[Arc<Mailbox>],
        marked: impl FnMut(usize),
        now: Moment,
    ) -> Option<Heir> {
        let last_media = self.hub.last_media();
        let Stage::Owned(mut publisher) = std::mem::replace(&mut self.stage, Stage::Promised(None))
        else {
            return None;
        };
        publisher.flush(mailboxes, marked);
        let headers = publisher.writer().headers().as_ref().clone();
        let standby = Standby::after(self.role, headers, last_media, now);
        self.stage = Stage::Waiting(Box::new(standby));
        registry.step_back(&self.hub.name, self.claim, publisher.into_writer())
    }

    /// What was promised waits in the hub.
    pub fn inherit(
        &mut self,
        registry: &mut Registry,
        eagerness: Eagerness,
        mailboxes: &[Arc<Mailbox>],
        marked: impl FnMut(usize),
        now: Moment,
    ) -> Inheritance {
        let Stage::Promised(standby) = &mut self.stage else { return Inheritance::Nothing };
        let Some(writer) = self.hub.take_writer() else { return Inheritance::Nothing };
        if registry.has_heir(&self.hub.name, self.claim) {
            if registry.heir_waited(&self.hub.name, self.claim)
                && let Some(mut standby) = standby.take()
            {
                standby.wait_again();
                self.stage = Stage::Waiting(standby);
                let heir = registry.step_back(&self.hub.name, self.claim, writer);
                return Inheritance::SteppedBack(heir);
            }
            return Inheritance::PassedOn(registry.give_back(&self.hub.name, self.claim, writer));
        }
        self.begin(writer, eagerness, mailboxes, marked, now);
        Inheritance::Begun
    }

    /// The stream is here: a generation begins, with what was kept for it.
    fn begin(
        &mut self,
        writer: Box<StreamWriter>,
        eagerness: Eagerness,
        mailboxes: &[Arc<Mailbox>],
        marked: impl FnMut(usize),
        now: Moment,
    ) {
        let hub = Arc::clone(&self.hub);
        let mut publisher = Box::new(Publisher::begin(self.claim, hub, writer, eagerness, now));
        if let Stage::Promised(Some(standby)) =
            std::mem::replace(&mut self.stage, Stage::Promised(None))
        {
            standby.begin(&mut publisher, now);
        }
        publisher.flush(mailboxes, marked);
        self.stage = Stage::Owned(publisher);
    }
}

//! One claim's time on its shard: promised, owned, held, passed on. What a connection is told of it,
//! and how mail travels between shards, stands in `shard`.
//!
//! ```text
//!   promised --inherit--> owned --lost--> owned, held --expired--> over
//!      |  \                 |                  |
//!      |   sealed meanwhile +----- sealed -----+----> the writing end passes to the heir
//!      +-- withdrawn
//! ```
//! A handover may be called off at any moment: the heir's connection is gone. So an owner looks into
//! the registry before it gives up what it has; a seal is only the reason to look.

use super::hub::Hub;
use super::publisher::Publisher;
use super::registry::{Claim, ClaimId, Heir, Registry};
use super::ride::Eagerness;
use crate::moment::Moment;
use crate::planted::{self, Bug};
use crate::shard::mailbox::Mailbox;
use std::sync::Arc;
use std::time::Duration;

/// A claim, as the shard of its claimant has it.
pub struct Tenure {
    /// The claim.
    pub claim: ClaimId,
    /// The stream.
    pub hub: Arc<Hub>,
    /// `None` while the stream is promised: the old owner seals it.
    publisher: Option<Box<Publisher>>,
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

/// What has come of a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inheritance {
    /// Nothing: it was no promise, or nobody gave the stream up yet.
    Nothing,
    /// The stream is owned, and its readers are marked.
    Begun,
    /// Taken over before it began: the tenure is over, and the next heir must be told.
    PassedOn(Option<Heir>),
}

impl Tenure {
    /// The tenure that a claim leads to, and who must be told to seal.
    pub fn new(claim: Claim, eagerness: Eagerness, now: Moment) -> (Self, Option<Seal>) {
        match claim {
            Claim::Granted { id, hub, writer } => {
                let publisher = Publisher::begin(id, Arc::clone(&hub), writer, eagerness, now);
                (Self { claim: id, hub, publisher: Some(Box::new(publisher)) }, None)
            }
            Claim::Promised { id, hub, seal: (claim, shard) } => {
                (Self { claim: id, hub, publisher: None }, Some(Seal { claim, shard }))
            }
        }
    }

    /// The publisher, if the stream is owned.
    pub fn publisher(&self) -> Option<&Publisher> {
        self.publisher.as_deref()
    }

    /// The publisher, to append with.
    pub fn publisher_mut(&mut self) -> Option<&mut Publisher> {
        self.publisher.as_deref_mut()
    }

    /// Whether the stream is promised and has not come yet.
    pub fn is_promised(&self) -> bool {
        self.publisher.is_none()
    }

    /// The claimant's connection is gone.
    pub fn lose(&mut self, registry: &mut Registry, now: Moment, hold: Duration) -> Loss {
        match &mut self.publisher {
            Some(publisher) => {
                registry.lost(&self.hub.name, self.claim);
                if !planted::is(Bug::HoldForever) {
                    publisher.hold(now, hold);
                }
                Loss::Held
            }
            None if registry.withdraw(&self.hub.name, self.claim) => Loss::Withdrawn,
            None => Loss::Coming,
        }
    }

    /// What was lost is there again, under the same claim. Readers are told by what it appends.
    pub fn resume(&mut self, registry: &mut Registry, eagerness: Eagerness, now: Moment) {
        if let Some(publisher) = &mut self.publisher {
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
        let writer = self.publisher?.end();
        let heir = registry.give_back(&self.hub.name, self.claim, writer);
        // Only now: giving back feeds the logs that were asked for lately, and ends them.
        self.hub.mark_readers(mailboxes, marked);
        heir
    }

    /// Whether the stream is owned here and somebody waits for it. A promise that is still to come
    /// is passed on when it does.
    pub fn must_hand_over(&self, registry: &Registry) -> bool {
        if planted::is(Bug::OrphanStream) {
            return !self.is_promised();
        }
        !self.is_promised() && registry.has_heir(&self.hub.name, self.claim)
    }

    /// Gives an owned stream up, not ended, for the heir, who must be told.
    pub fn hand_over(
        self,
        registry: &mut Registry,
        mailboxes: &[Arc<Mailbox>],
        marked: impl FnMut(usize),
    ) -> Option<Heir> {
        let mut publisher = self.publisher?;
        // What is appended but rides still is part of this generation.
        publisher.flush(mailboxes, marked);
        registry.give_back(&self.hub.name, self.claim, publisher.into_writer())
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
        if !self.is_promised() {
            return Inheritance::Nothing;
        }
        let Some(writer) = self.hub.take_writer() else { return Inheritance::Nothing };
        if registry.has_heir(&self.hub.name, self.claim) {
            return Inheritance::PassedOn(registry.give_back(&self.hub.name, self.claim, writer));
        }
        let hub = Arc::clone(&self.hub);
        let publisher = Publisher::begin(self.claim, hub, writer, eagerness, now);
        self.publisher = Some(Box::new(publisher));
        self.hub.mark_readers(mailboxes, marked);
        Inheritance::Begun
    }
}

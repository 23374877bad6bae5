//! Which streams there are, which shard owns each, and who is about to.
//!
//! ```text
//!            claim                    lost                       expired / unpublished
//!   free ------------> owned -----------------> owned, held ------------------> free
//!                        |  claim by another            | claim by anybody
//!                        +----------> owned, with heir <+
//!                                        | owner's shard seals (`hand_over`)
//!                                        +------------> owned by the heir
//! ```
//! Who waits for a name in a line (`queue`) owns nothing; when its turn comes it goes the same way, as
//! the heir of whoever has the name.
//!
//! Control only: one lock around the whole, taken when a publisher or a shard's first reader comes
//! or goes. It takes `now` and does no IO; what must be told to another shard is returned. How streams
//! stand is told to observers (`demand`).

mod queue;

use self::queue::Waiting;
use super::demand::{Feed, Observer, Standing};
use super::hub::Hub;
use super::log::Retention;
use super::projection::MakeFraming;
use super::takeover::{self, Holder, Identity, Policy};
use super::writer::StreamWriter;
use crate::limits;
use crate::moment::Moment;
use crate::name::StreamName;
use crate::role::Role;
use crate::stats::Directory;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// Names one claim to a stream, for good: numbers are not reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClaimId(u64);

/// Who asks for a name.
#[derive(Clone, Copy, Debug)]
pub struct Claimant {
    /// The shard that it is connected to.
    pub shard: usize,
    /// Where it comes from.
    pub address: IpAddr,
    /// By what it is recognised.
    pub identity: Option<Identity>,
    /// Whether it gives way to every publisher who claims the name later: it is the server itself, which
    /// fetches the stream from elsewhere.
    pub yields: bool,
}

/// What a claim led to.
pub enum Claim {
    /// The name is the claimant's, and here is the writing end.
    Granted {
        /// The claim.
        id: ClaimId,
        /// The stream.
        hub: Arc<Hub>,
        /// Its writing end.
        writer: Box<StreamWriter>,
    },
    /// The name will be the claimant's once the present owner's shard has sealed the stream.
    Promised {
        /// The claim.
        id: ClaimId,
        /// The stream.
        hub: Arc<Hub>,
        /// The claim that ends, and the shard that must be told so.
        seal: (ClaimId, usize),
    },
    /// The claimant stands in line, and asks for its [turn](Registry::take_turn) when it could begin.
    Waiting {
        /// The claim.
        id: ClaimId,
        /// The stream.
        hub: Arc<Hub>,
        /// As what it waits.
        role: Role,
    },
}

/// Why there is no claim, or no watching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Somebody publishes under this name.
    Busy,
    /// The name changed hands a moment ago.
    TooSoon,
    /// Another newcomer is just taking it.
    HandoverInProgress,
    /// The server has as many streams as it may.
    TooManyStreams,
    /// As many as may wait for this name already.
    TooManyWaiting,
}

/// Who inherits: the shard to tell, and its claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heir {
    /// The claim that is fulfilled.
    pub id: ClaimId,
    /// The shard it lives on.
    pub shard: usize,
}

/// All streams.
pub struct Registry {
    streams: HashMap<StreamName, Entry>,
    next_claim: u64,
    shards: usize,
    policy: Policy,
    /// Whether a primary takes its stream back from a backup.
    take_back: bool,
    make_framing: MakeFraming,
    retention: Retention,
    directory: Arc<Directory>,
    /// Names with an owner, and how many there may be.
    published: usize,
    published_max: usize,
    observers: Vec<Arc<dyn Observer>>,
}

struct Entry {
    hub: Arc<Hub>,
    owner: Option<Owner>,
    heir: Option<Owner>,
    /// Those who stand in line, in the order in which they came.
    waiting: Vec<Waiting>,
    /// Since when somebody reads it and nobody has published, as far as a slate looked.
    empty_since: Option<Moment>,
    /// A slate has played as long as it may.
    slate_spent: bool,
    /// Shards with readers.
    watchers: usize,
    /// How it stands, as the observers know it.
    told: Standing,
}

#[derive(Clone, Copy)]
struct Owner {
    id: ClaimId,
    claimant: Claimant,
    role: Role,
    since: Moment,
    connected: bool,
    took_over: bool,
    /// It stood in line: whoever it takes the name from goes there.
    waited: bool,
}

impl Owner {
    fn new(id: ClaimId, claimant: Claimant, role: Role, now: Moment) -> Self {
        let (connected, took_over, waited) = (true, false, false);
        Self { id, claimant, role, since: now, connected, took_over, waited }
    }

    /// Whether its connection stands, and it is one that others have to respect.
    fn holds(&self) -> bool {
        self.connected && !self.claimant.yields
    }

    /// Whether a primary that comes now waits for its first key frame, because somebody else feeds
    /// the stream meanwhile.
    fn stands_in(&self) -> bool {
        self.connected && self.role != Role::Primary
    }

    fn holder(&self, hub: &Hub) -> Holder {
        Holder {
            address: self.claimant.address,
            identity: self.claimant.identity,
            role: self.role,
            since: self.since,
            took_over: self.took_over,
            connected: self.connected,
            gives_way: self.claimant.yields,
            last_media: hub.last_media(),
        }
    }
}

impl Entry {
    /// Gives the name to somebody, or to nobody.
    fn pass_to(&mut self, owner: Option<Owner>) {
        self.owner = owner;
        if owner.is_some_and(|owner| owner.role != Role::Slate) {
            self.slate_spent = false;
            self.empty_since = None;
        }
    }
}

impl Registry {
    /// An empty registry for the shards of this directory.
    pub fn new(
        directory: Arc<Directory>,
        policy: Policy,
        make_framing: MakeFraming,
        retention: Retention,
    ) -> Self {
        Self {
            streams: HashMap::new(),
            next_claim: 1,
            shards: directory.shards().len(),
            policy,
            take_back: true,
            make_framing,
            retention,
            directory,
            published: 0,
            published_max: limits::STREAMS_MAX,
            observers: Vec::new(),
        }
    }

    /// With somebody who is told how streams stand, from now on.
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observers.push(observer);
        self
    }

    /// With at most so many names published at one time.
    pub fn with_published_max(self, published_max: usize) -> Self {
        Self { published_max, ..self }
    }

    /// With primaries that take their streams back from backups, or wait until those are lost.
    pub fn with_take_back(self, take_back: bool) -> Self {
        Self { take_back, ..self }
    }

    /// Asks for a name, as a primary.
    pub fn claim(
        &mut self,
        name: &StreamName,
        claimant: Claimant,
        now: Moment,
    ) -> Result<Claim, Refusal> {
        let policy = self.policy;
        let id = ClaimId(self.next_claim);
        // Asked before an entry is made, which a refusal would leave behind.
        if self.owner(name).is_none() && self.published >= self.published_max {
            return Err(Refusal::TooManyStreams);
        }
        let entry = self.entry(name)?;
        let hub = Arc::clone(&entry.hub);
        if entry.owner.iter().chain(&entry.heir).any(Owner::stands_in) {
            return self.wait(name, claimant, Role::Primary);
        }
        let mut owner = Owner::new(id, claimant, Role::Primary, now);
        let claim = match &entry.owner {
            None => {
                let writer =
                    hub.take_writer().expect("a stream without an owner has its writing end");
                entry.pass_to(Some(owner));
                self.published += 1;
                Claim::Granted { id, hub, writer }
            }
            Some(_) if entry.heir.is_some() => return Err(Refusal::HandoverInProgress),
            Some(present) => {
                let holder = present.holder(&hub);
                takeover::decide(policy, &holder, claimant.address, claimant.identity, now)
                    .map_err(|refused| match refused {
                        takeover::Refused::Busy => Refusal::Busy,
                        takeover::Refused::TooSoon => Refusal::TooSoon,
                    })?;
                let seal = (present.id, present.claimant.shard);
                owner.took_over = present.holds();
                entry.heir = Some(owner);
                Claim::Promised { id, hub, seal }
            }
        };
        self.next_claim += 1;
        self.tell(name);
        Ok(claim)
    }

    /// Asks for a name on behalf of the server itself, which fetches the stream from elsewhere. It gets
    /// only what nobody owns, or stands in line where a slate fills the gap, and gives way to every
    /// publisher who claims the name later.
    pub fn claim_idle(
        &mut self,
        name: &StreamName,
        shard: usize,
        now: Moment,
    ) -> Result<Claim, Refusal> {
        let owner = self.streams.get(name).and_then(|entry| entry.owner);
        if owner.is_some_and(|owner| owner.role != Role::Slate) {
            return Err(Refusal::Busy);
        }
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        self.claim(name, Claimant { shard, address, identity: None, yields: true }, now)
    }

    /// The owner's connection is gone; the name is held for it, and for anybody who claims it.
    pub fn lost(&mut self, name: &StreamName, id: ClaimId) {
        self.connected(name, id, false);
    }

    /// An owner that was lost feeds its stream again, under the same claim.
    pub fn found(&mut self, name: &StreamName, id: ClaimId) {
        self.connected(name, id, true);
    }

    fn connected(&mut self, name: &StreamName, id: ClaimId, connected: bool) {
        if let Some(owner) = self.owner_mut(name, id) {
            owner.connected = connected;
            self.tell(name);
        }
    }

    /// The owner gives the writing end back: it unpublished, its hold expired, or it sealed the
    /// stream for an heir. Returns the heir, whose shard must be told; the writing end then waits in
    /// the hub for it.
    pub fn give_back(
        &mut self,
        name: &StreamName,
        id: ClaimId,
        writer: Box<StreamWriter>,
    ) -> Option<Heir> {
        let entry = self.streams.get_mut(name)?;
        if entry.owner.as_ref().is_none_or(|owner| owner.id != id) {
            debug_assert!(false, "only the owner holds the writing end");
            return None;
        }
        entry.hub.put_writer(writer);
        let heir = entry.heir.take();
        entry.pass_to(heir);
        let heir = entry.owner.map(|heir| Heir { id: heir.id, shard: heir.claimant.shard });
        if heir.is_none() {
            self.published -= 1;
        }
        self.tell(name);
        self.forget_if_unused(name);
        heir
    }

    /// A claimant that was promised the name, or stood in line for it, is gone. Returns true if it had
    /// to wait still; false if the name is already its own (then the promise's fulfilment is on its way
    /// to its shard).
    pub fn withdraw(&mut self, name: &StreamName, id: ClaimId) -> bool {
        let Some(entry) = self.streams.get_mut(name) else { return false };
        if entry.heir.is_some_and(|heir| heir.id == id) {
            entry.heir = None;
            return true;
        }
        self.leave_line(name, id)
    }

    /// Whether this claim owns the name and somebody is promised it.
    pub fn has_heir(&self, name: &StreamName, id: ClaimId) -> bool {
        self.streams.get(name).is_some_and(|entry| {
            entry.heir.is_some() && entry.owner.is_some_and(|owner| owner.id == id)
        })
    }

    /// A shard has its first reader of a stream.
    pub fn watch(&mut self, name: &StreamName) -> Result<Arc<Hub>, Refusal> {
        let entry = self.entry(name)?;
        entry.watchers += 1;
        let hub = Arc::clone(&entry.hub);
        self.tell(name);
        Ok(hub)
    }

    /// A shard's last reader of a stream left.
    pub fn unwatch(&mut self, name: &StreamName) {
        if let Some(entry) = self.streams.get_mut(name) {
            entry.watchers = entry.watchers.saturating_sub(1);
        }
        self.tell(name);
        self.forget_if_unused(name);
    }

    /// How many streams are known, published or waited for.
    pub fn len(&self) -> usize {
        self.streams.len()
    }

    /// Whether no stream is known.
    pub fn is_empty(&self) -> bool {
        self.streams.is_empty()
    }

    /// The claim that owns a name at present.
    pub fn owner(&self, name: &StreamName) -> Option<ClaimId> {
        self.streams.get(name)?.owner.map(|owner| owner.id)
    }

    /// Whether a publisher has the name, rather than the server itself on somebody's behalf.
    pub fn is_published(&self, name: &StreamName) -> bool {
        let owner = self.streams.get(name).and_then(|entry| entry.owner.as_ref());
        owner.is_some_and(|owner| !owner.claimant.yields && owner.role != Role::Slate)
    }

    fn entry(&mut self, name: &StreamName) -> Result<&mut Entry, Refusal> {
        if !self.streams.contains_key(name) {
            if self.streams.len() >= limits::STREAMS_MAX {
                return Err(Refusal::TooManyStreams);
            }
            let stats = self.directory.register(name);
            let (shards, retention) = (self.shards, self.retention);
            let hub = Hub::new(name.clone(), stats, shards, &self.make_framing, retention);
            let entry = Entry {
                hub,
                owner: None,
                heir: None,
                waiting: Vec::new(),
                empty_since: None,
                slate_spent: false,
                watchers: 0,
                told: Standing::default(),
            };
            self.streams.insert(name.clone(), entry);
        }
        Ok(self.streams.get_mut(name).expect("it was inserted above"))
    }

    fn owner_mut(&mut self, name: &StreamName, id: ClaimId) -> Option<&mut Owner> {
        self.streams.get_mut(name)?.owner.as_mut().filter(|owner| owner.id == id)
    }

    /// Tells the observers how a stream stands, if that is another way than before.
    fn tell(&mut self, name: &StreamName) {
        if self.observers.is_empty() {
            return;
        }
        let Some(entry) = self.streams.get_mut(name) else { return };
        let standing = entry.standing();
        if standing != entry.told {
            entry.told = standing;
            self.observers.iter().for_each(|observer| observer.changed(name, standing));
        }
    }

    fn forget_if_unused(&mut self, name: &StreamName) {
        if self.streams.get(name).is_some_and(|entry| {
            let unclaimed = entry.owner.is_none() && entry.heir.is_none();
            unclaimed && entry.waiting.is_empty() && entry.watchers == 0
        }) {
            let entry = self.streams.remove(name);
            if let Some(entry) = entry {
                self.directory.remove(&entry.hub.stats);
            }
        }
    }
}

impl Entry {
    fn standing(&self) -> Standing {
        let feed = match &self.owner {
            None => Feed::None,
            Some(owner) if owner.role == Role::Slate => Feed::Filled,
            Some(owner) if owner.connected => Feed::Live,
            Some(_) => Feed::Held,
        };
        let owner = self.owner.map(|owner| owner.id);
        Standing { wanted: self.watchers > 0, feed, owner }
    }
}

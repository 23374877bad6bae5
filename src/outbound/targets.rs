//! All targets of the server: who is pushed where, by the configuration or by the API, and the orders that
//! come of it. One lock, taken when a target or a stream comes or goes, never for media.
//!
//! A target of one stream has its order as long as it exists. One of a pattern has an order for each of its
//! streams that is live or was a while ago.

use super::order::{Order, OrderId, Role};
use super::rule::{Rule, RuleError};
use super::status::{Status, StatusSnapshot};
use crate::config::Push;
use crate::limits;
use crate::name::StreamName;
use crate::shard::inbox::{Mail, Post};
use crate::stats::{Directory, State};
use millstream_client::tls::{Trust, TrustError};
use rustls::ClientConfig;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Who is pushed where.
pub struct Targets {
    table: Mutex<Table>,
    /// Read once each; apart from the table, for which shards wait.
    trusted: Mutex<Trusted>,
    /// Whether there is a pattern: only then a stream that begins is looked up.
    patterned: AtomicBool,
    directory: Arc<Directory>,
    posts: Vec<Post>,
}

#[derive(Default)]
struct Table {
    targets: BTreeMap<u64, Target>,
    orders: usize,
    /// The last numbers that were given.
    last_target: u64,
    last_order: u64,
}

/// What is trusted, by the file of extra roots.
type Trusted = HashMap<Option<PathBuf>, Arc<ClientConfig>>;

struct Target {
    rule: Rule,
    source: Source,
    tls: Option<Arc<ClientConfig>>,
    orders: BTreeMap<StreamName, Arc<Order>>,
}

/// Who wanted a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The configuration.
    Config,
    /// The API, or the program that the server is part of.
    Api,
}

/// Why there is no such target.
#[derive(Debug)]
pub enum TargetError {
    /// It means nothing.
    Rule(RuleError),
    /// No certificates.
    Trust(TrustError),
    /// What should be a file of certificates is none, or too large for one.
    NoCaFile,
    /// There are as many targets as there may be.
    TooMany,
    /// The server ends, or is too busy to hear of it.
    Busy,
}

/// A target at one moment, as the API shows it. Field names are public interface.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetSnapshot {
    /// By which it is removed.
    pub id: u64,
    /// What its operator calls it.
    pub name: String,
    /// The stream or pattern.
    pub stream: String,
    /// Where to, without the key.
    pub url: String,
    /// Who wanted it.
    pub source: Source,
    /// One for each of its streams that is live or was lately; of a target of one stream always one.
    pub pushes: Vec<PushSnapshot>,
}

/// One stream on its way to a target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PushSnapshot {
    /// The stream here.
    pub stream: StreamName,
    /// How it fares.
    #[serde(flatten)]
    pub status: StatusSnapshot,
}

impl Targets {
    /// Nobody yet, for the shards behind these posts.
    pub(crate) fn new(directory: Arc<Directory>, posts: Vec<Post>) -> Self {
        let patterned = AtomicBool::new(false);
        Self { table: Mutex::default(), trusted: Mutex::default(), patterned, directory, posts }
    }

    /// Adds a target. Streams that are live go there from their newest key frame on. Returns its number.
    ///
    /// # Errors
    /// [`TargetError`]; nothing has changed then.
    pub fn add(&self, said: &Push, source: Source) -> Result<u64, TargetError> {
        let rule = Rule::new(said).map_err(TargetError::Rule)?;
        let tls = rule.shown().url().is_tls().then(|| self.trust(&rule)).transpose()?;
        let mut table = self.lock();
        if table.targets.len() >= limits::TARGETS_MAX {
            return Err(TargetError::TooMany);
        }
        table.last_target += 1;
        let id = table.last_target;
        let one = rule.stream().cloned();
        table.targets.insert(id, Target { rule, source, tls, orders: BTreeMap::new() });
        let streams = match one {
            Some(stream) => vec![stream],
            None => {
                // Before the streams are looked at: one that begins meanwhile asks for itself.
                self.patterned.store(true, Ordering::SeqCst);
                self.live()
            }
        };
        for stream in streams {
            if let Err(error) = self.order(&mut table, id, &stream) {
                if let Some(target) = table.targets.remove(&id) {
                    self.give_up(&mut table, target);
                }
                return Err(error);
            }
        }
        Ok(id)
    }

    /// Takes a target away: its connections are left as a publisher leaves. False if there is none.
    pub fn remove(&self, id: u64) -> bool {
        let mut table = self.lock();
        let Some(target) = table.targets.remove(&id) else { return false };
        self.give_up(&mut table, target);
        true
    }

    /// All of them, by number.
    pub fn snapshots(&self) -> Vec<TargetSnapshot> {
        let table = self.lock();
        let held = table.targets.iter().map(|(id, target)| {
            let orders: Vec<Arc<Order>> = target.orders.values().cloned().collect();
            (*id, target.rule.clone(), target.source, orders)
        });
        let held: Vec<_> = held.collect();
        // Whatever takes time, is done when no shard waits.
        drop(table);
        let push = |order: Arc<Order>| PushSnapshot {
            stream: order.stream.clone(),
            status: order.status.snapshot(),
        };
        let show = |(id, rule, source, orders): (u64, Rule, Source, Vec<Arc<Order>>)| {
            let (stream, url) = (rule.streams(), rule.shown().to_string());
            let pushes = orders.into_iter().map(push).collect();
            TargetSnapshot { id, name: rule.label, stream, url, source, pushes }
        };
        held.into_iter().map(show).collect()
    }

    /// A stream has begun.
    pub(crate) fn begun(&self, stream: &StreamName) {
        if !self.patterned.load(Ordering::SeqCst) {
            return;
        }
        let mut table = self.lock();
        let ids: Vec<u64> = table.targets.keys().copied().collect();
        for id in ids {
            if let Err(error) = self.order(&mut table, id, stream) {
                tracing::warn!(target = id, %stream, %error, "a stream is not pushed");
            }
        }
    }

    /// Whether an order of a pattern may go, since its stream is not live: it is forgotten then.
    pub(crate) fn forget(&self, order: &Order, is_live: impl FnOnce() -> bool) -> bool {
        let mut table = self.lock();
        // Asked under the lock: a stream that begins now waits for it, and finds none of its own.
        if is_live() {
            return false;
        }
        let mut gone = false;
        for target in table.targets.values_mut().filter(|target| target.rule.stream().is_none()) {
            let before = target.orders.len();
            target.orders.retain(|_, held| held.id != order.id);
            gone |= target.orders.len() < before;
        }
        table.orders -= usize::from(gone);
        gone
    }

    fn live(&self) -> Vec<StreamName> {
        let streams = self.directory.streams();
        let live = streams.iter().filter(|stream| stream.info().state != State::Idle);
        live.map(|stream| stream.name().clone()).collect()
    }

    /// Has a stream pushed to a target that is about it, if it is not already.
    fn order(&self, table: &mut Table, id: u64, stream: &StreamName) -> Result<(), TargetError> {
        let (count, number) = (table.orders, table.last_order + 1);
        let Some(target) = table.targets.get_mut(&id) else { return Ok(()) };
        if !target.rule.matches(stream) || target.orders.contains_key(stream) {
            return Ok(());
        }
        if count >= limits::ORDERS_MAX {
            return Err(TargetError::TooMany);
        }
        let place = target.rule.place(stream);
        let place = place.map_err(|error| TargetError::Rule(RuleError::Place(error)))?;
        let order = Arc::new(Order {
            id: OrderId(number),
            label: target.rule.label.clone(),
            stream: stream.clone(),
            role: Role::Push,
            places: vec![place],
            tls: target.tls.clone(),
            status: Status::default(),
            passing: target.rule.stream().is_none(),
        });
        let post = self.post_of(&order).ok_or(TargetError::Busy)?;
        post.send(Mail::Undertake(Arc::clone(&order))).map_err(|_| TargetError::Busy)?;
        target.orders.insert(stream.clone(), order);
        (table.orders, table.last_order) = (count + 1, number);
        Ok(())
    }

    fn give_up(&self, table: &mut Table, target: Target) {
        for order in target.orders.into_values() {
            table.orders -= 1;
            // A shard whose inbox is full has more to worry about than one connection too many.
            if let Some(post) = self.post_of(&order)
                && post.send(Mail::GiveUp(order.id)).is_err()
            {
                tracing::warn!(label = order.label, stream = %order.stream, "a push is not ended");
            }
        }
    }

    /// In turn, so that the connections of one stream spread over all cores.
    fn post_of(&self, order: &Order) -> Option<&Post> {
        let shards = self.posts.len().max(1) as u64;
        self.posts.get((order.id.0 % shards) as usize)
    }

    fn trust(&self, rule: &Rule) -> Result<Arc<ClientConfig>, TargetError> {
        let mut trusted = self.trusted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = trusted.get(&rule.ca) {
            return Ok(Arc::clone(config));
        }
        if let Some(path) = &rule.ca {
            check_file(path)?;
        }
        let trust = Trust { extra_roots: rule.ca.clone(), only_extra: false };
        let config = trust.config().map_err(TargetError::Trust)?;
        trusted.insert(rule.ca.clone(), Arc::clone(&config));
        Ok(config)
    }

    /// What is under the lock is whole between any two lines.
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is read at a word over HTTP has to be a file, which comes to an end, and of the size of one.
fn check_file(path: &Path) -> Result<(), TargetError> {
    // One that is not there is named by whoever reads it.
    let fits = std::fs::metadata(path)
        .map_or(true, |found| found.is_file() && found.len() <= limits::CA_BYTES_MAX);
    if fits { Ok(()) } else { Err(TargetError::NoCaFile) }
}

impl fmt::Debug for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Targets")
            .field("targets", &self.lock().targets.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(error) => error.fmt(f),
            Self::Trust(error) => error.fmt(f),
            Self::NoCaFile => f.write_str("what `ca` names is no file of certificates"),
            Self::TooMany => f.write_str("there are as many targets as there may be"),
            Self::Busy => f.write_str("the server ends, or has no time"),
        }
    }
}

impl std::error::Error for TargetError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Rule(error) => Some(error),
            Self::Trust(error) => Some(error),
            Self::NoCaFile | Self::TooMany | Self::Busy => None,
        }
    }
}

#[cfg(test)]
impl Targets {
    /// Targets of a server with one shard, which never looks at its orders.
    pub(crate) fn for_tests(directory: Arc<Directory>) -> Self {
        let bell = crate::shard::bell::Bell::new().expect("a descriptor is left");
        let (post, inbox) = crate::shard::inbox::inbox(bell);
        std::mem::forget(inbox);
        Self::new(directory, vec![post])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;
    use crate::shard::bell::Bell;
    use crate::shard::inbox::{Inbox, inbox};

    fn said(stream: &str, url: &str) -> Push {
        Push { stream: stream.into(), url: Secret::new(url), key: None, name: None, ca: None }
    }

    fn two_shards() -> (Targets, Arc<Directory>, Vec<Inbox>) {
        let directory = Arc::new(Directory::new(&[0, 1]));
        let (posts, inboxes) = (0..2).map(|_| inbox(Bell::new().unwrap())).unzip();
        (Targets::new(Arc::clone(&directory), posts), directory, inboxes)
    }

    /// The streams that were ordered and given up since.
    fn mail(inboxes: &[Inbox]) -> Vec<String> {
        let all = inboxes.iter().flat_map(|inbox| std::iter::from_fn(|| inbox.next()));
        let mut told: Vec<String> = all
            .map(|mail| match mail {
                Mail::Undertake(order) => format!("{} to {}", order.stream, order.places[0]),
                Mail::GiveUp(order) => format!("not {}", order.0),
                other => format!("{other:?}"),
            })
            .collect();
        told.sort();
        told
    }

    #[test]
    fn one_stream_has_its_order_at_once_and_spreads_over_the_shards() {
        let (targets, _, inboxes) = two_shards();
        for host in ["a", "b"] {
            targets.add(&said("live/cam", &format!("rtmp://{host}/x/y")), Source::Api).unwrap();
        }
        assert_eq!(inboxes.iter().filter(|inbox| inbox.next().is_some()).count(), 2);
        assert_eq!(targets.snapshots()[1].pushes[0].status.state, "waiting");
        assert!(targets.remove(1) && !targets.remove(1));
        assert_eq!(mail(&inboxes), ["not 1"]);
        assert_eq!(targets.snapshots().len(), 1);
    }

    #[test]
    fn a_pattern_takes_what_is_live_and_what_begins() {
        let (targets, directory, inboxes) = two_shards();
        let name = |text| StreamName::parse(text).unwrap();
        let live = directory.register(&name("live/a"));
        live.update(|info| info.state = State::Live);
        directory.register(&name("live/idle"));
        targets.begun(&name("live/early"));
        targets.add(&said("live/*", "rtmp://h/x/{name}"), Source::Config).unwrap();
        assert_eq!(mail(&inboxes), ["live/a to rtmp://h/x/a"]);
        targets.begun(&name("live/b"));
        targets.begun(&name("live/b"));
        targets.begun(&name("other/b"));
        assert_eq!(mail(&inboxes), ["live/b to rtmp://h/x/b"]);

        let order = {
            let table = targets.lock();
            Arc::clone(&table.targets[&1].orders[&name("live/b")])
        };
        assert!(!targets.forget(&order, || true));
        assert!(targets.forget(&order, || false));
        targets.begun(&name("live/b"));
        assert_eq!(mail(&inboxes), ["live/b to rtmp://h/x/b"], "it comes back");
        assert_eq!(targets.lock().orders, 2);
    }

    #[test]
    fn what_cannot_be_is_refused_whole() {
        let (targets, _, inboxes) = two_shards();
        let refused = targets.add(&said("live/*", "rtmp://h/x/y"), Source::Api);
        assert!(matches!(refused, Err(TargetError::Rule(RuleError::NoName))));
        let ca = Some("/no/such.pem".into());
        let refused = targets.add(&Push { ca, ..said("live/a", "rtmps://h/x/y") }, Source::Api);
        assert!(refused.unwrap_err().to_string().contains("/no/such.pem"));
        let ca = Some("/dev/zero".into());
        let endless = Push { ca, ..said("live/a", "rtmps://h/x/y") };
        assert!(matches!(targets.add(&endless, Source::Api), Err(TargetError::NoCaFile)));
        assert!(targets.snapshots().is_empty() && mail(&inboxes).is_empty());
    }
}

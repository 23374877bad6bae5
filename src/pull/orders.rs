//! What is to be pulled: the rules, and what the shards are told of the streams that they mean.
//!
//! A stream's pull lives on the shard that its name chooses, wherever its viewers and publishers come:
//! so no two shards ever pull the same stream, and nobody has to be asked. How it goes about it stands
//! in `course`.

use super::route::{NodeId, Route};
use crate::config::{OriginUrl, PullRule};
use crate::name::StreamName;
use crate::stream::demand::{Board, Observer, Standing};
use millstream_client::tls::{Trust, TrustError};
use rustls::ClientConfig;
use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The rules of pulling, and a desk for each shard.
pub struct Orders {
    node: NodeId,
    rules: Vec<(Arc<PullRule>, Option<Arc<ClientConfig>>)>,
    desks: Vec<Desk>,
    /// Wakes a shard, which then looks at its desk.
    ring: Box<dyn Fn(usize) + Send + Sync>,
}

/// What lies before one shard.
#[derive(Default)]
struct Desk {
    board: Board,
    edges: Mutex<Edges>,
}

/// The players that are edges themselves, by stream. No more than there are connections.
#[derive(Default)]
struct Edges {
    routes: HashMap<StreamName, HashMap<u64, Route>>,
    /// Streams that another edge asks for since the shard looked.
    fresh: BTreeSet<StreamName>,
}

impl Orders {
    /// Orders by these rules for so many shards; `ring` wakes one of them, without waiting.
    ///
    /// # Errors
    /// If an origin's connection is to be encrypted and there are no certificates to hold it to.
    pub fn new(
        rules: Vec<PullRule>,
        shards: usize,
        ring: impl Fn(usize) + Send + Sync + 'static,
    ) -> Result<Self, TrustError> {
        let rules = rules.into_iter().map(|rule| {
            let tls = rule.origins.iter().any(OriginUrl::is_tls);
            let trust = Trust { extra_roots: rule.ca.clone(), only_extra: false };
            let tls = tls.then(|| trust.config()).transpose()?;
            Ok((Arc::new(rule), tls))
        });
        Ok(Self {
            node: NodeId::random(),
            rules: rules.collect::<Result<_, TrustError>>()?,
            desks: (0..shards).map(|_| Desk::default()).collect(),
            ring: Box::new(ring),
        })
    }

    /// This server's number.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// The rule by which a stream is pulled, if it is.
    pub fn rule_of(&self, stream: &StreamName) -> Option<&Arc<PullRule>> {
        self.found(stream).map(|(rule, _)| rule)
    }

    /// Which certificates the origins of a stream may have, if any of them needs one.
    pub fn tls_of(&self, stream: &StreamName) -> Option<Arc<ClientConfig>> {
        self.found(stream).and_then(|(_, tls)| tls.clone())
    }

    /// What changed for this shard since it looked: how streams stand.
    pub fn take(&self, shard: usize) -> Vec<(StreamName, Standing)> {
        self.desks[shard].board.take()
    }

    /// Streams of this shard that another edge asks for since it looked.
    pub fn take_asked(&self, shard: usize) -> BTreeSet<StreamName> {
        std::mem::take(&mut self.desks[shard].edges().fresh)
    }

    /// An edge plays a stream over this connection, and came by this route.
    pub fn edge_came(&self, stream: &StreamName, connection: u64, route: &Route) {
        if self.rule_of(stream).is_none() {
            return;
        }
        let shard = self.shard_of(stream);
        let mut edges = self.desks[shard].edges();
        edges.routes.entry(stream.clone()).or_default().insert(connection, route.clone());
        edges.fresh.insert(stream.clone());
        drop(edges);
        (self.ring)(shard);
    }

    /// An edge does not play a stream any more.
    pub fn edge_left(&self, stream: &StreamName, connection: u64) {
        let mut edges = self.desks[self.shard_of(stream)].edges();
        if let Some(routes) = edges.routes.get_mut(stream) {
            routes.remove(&connection);
            if routes.is_empty() {
                edges.routes.remove(stream);
            }
        }
    }

    /// The route by which a stream is asked of an origin: of those by which it is asked here, the one
    /// with the lowest number.
    pub fn route_of(&self, stream: &StreamName) -> Route {
        let edges = self.desks[self.shard_of(stream)].edges();
        let routes = edges.routes.get(stream).into_iter().flat_map(HashMap::values);
        let lowest = routes.min_by_key(|route| route.lowest());
        lowest.map_or_else(|| Route::from(self.node), |route| route.through(self.node))
    }

    fn found(&self, stream: &StreamName) -> Option<&(Arc<PullRule>, Option<Arc<ClientConfig>>)> {
        self.rules.iter().find(|(rule, _)| rule.stream.matches(stream))
    }

    /// The shard that pulls a stream.
    fn shard_of(&self, stream: &StreamName) -> usize {
        let mut hasher = DefaultHasher::new();
        stream.hash(&mut hasher);
        (hasher.finish() % self.desks.len() as u64) as usize
    }
}

impl Observer for Orders {
    fn changed(&self, stream: &StreamName, standing: Standing) {
        if self.rule_of(stream).is_some() {
            let shard = self.shard_of(stream);
            if self.desks[shard].board.note(stream, standing) {
                (self.ring)(shard);
            }
        }
    }
}

impl Desk {
    fn edges(&self) -> MutexGuard<'_, Edges> {
        self.edges.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::Moment;
    use crate::stats::Directory;
    use crate::stream::demand::Feed;
    use crate::stream::log::Retention;
    use crate::stream::registry::{Claim, Claimant, Refusal, Registry};
    use crate::stream::takeover::Policy;
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    const NOW: Moment = Moment::from_ms(100_000);

    fn stream(name: &str) -> StreamName {
        StreamName::parse(name).unwrap()
    }

    fn orders(pattern: &str, rings: &Arc<AtomicUsize>) -> Arc<Orders> {
        let rule = PullRule {
            stream: pattern.parse().unwrap(),
            ..PullRule::of_edge(vec!["rtmp://host".parse().unwrap()])
        };
        let rings = Arc::clone(rings);
        let ring = move |_| {
            rings.fetch_add(1, Ordering::Relaxed);
        };
        Arc::new(Orders::new(vec![rule], 2, ring).unwrap())
    }

    fn registry(orders: &Arc<Orders>) -> Registry {
        let directory = Arc::new(Directory::new(&[0, 1]));
        let retention = Retention {
            bytes_max: 1 << 20,
            span_max: Duration::from_secs(1),
            slack: Duration::ZERO,
        };
        let framings = crate::egress::rtmp::framings(4096);
        Registry::new(directory, Policy::Never, framings, retention)
            .with_observer(Arc::clone(orders) as Arc<dyn Observer>)
    }

    /// The news of both shards.
    fn news(orders: &Orders) -> Vec<(StreamName, Standing)> {
        orders.take(0).into_iter().chain(orders.take(1)).collect()
    }

    fn give_back(registry: &mut Registry, name: &StreamName, claim: Claim) {
        let Claim::Granted { id, writer, .. } = claim else { panic!("nobody else has it") };
        assert_eq!(registry.give_back(name, id, writer), None);
    }

    #[test]
    fn a_stream_is_wanted_from_the_first_shard_to_the_last() {
        let rings = Arc::default();
        let orders = orders("live/*", &rings);
        let mut registry = registry(&orders);
        let cam = stream("live/cam");
        registry.watch(&cam).unwrap();
        registry.watch(&cam).unwrap();
        registry.watch(&stream("studio/cam")).unwrap();
        let wanted = Standing { wanted: true, ..Standing::default() };
        assert_eq!(news(&orders), [(cam.clone(), wanted)]);
        assert_eq!(rings.load(Ordering::Relaxed), 1, "one ring until it looks");
        registry.unwatch(&cam);
        assert_eq!(news(&orders), [], "the other shard has readers still");
        registry.unwatch(&cam);
        assert_eq!(news(&orders), [(cam, Standing::default())]);
    }

    #[test]
    fn publishers_are_told_of_with_their_claims() {
        let orders = orders("*", &Arc::default());
        let mut registry = registry(&orders);
        let cam = stream("live/cam");
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let claimant = Claimant { shard: 0, address, identity: None, yields: false };
        let claim = registry.claim(&cam, claimant, NOW).unwrap();
        let Claim::Granted { id, .. } = &claim else { panic!("nobody else has it") };
        let id = *id;
        let live = Standing { wanted: false, feed: Feed::Live, owner: Some(id) };
        assert_eq!(news(&orders), [(cam.clone(), live)]);
        assert!(registry.is_published(&cam));
        assert_eq!(registry.claim_idle(&cam, 1, NOW).err(), Some(Refusal::Busy));
        registry.lost(&cam, id);
        assert_eq!(news(&orders), [(cam.clone(), Standing { feed: Feed::Held, ..live })]);
        registry.found(&cam, id);
        assert_eq!(news(&orders), [(cam.clone(), live)]);
        give_back(&mut registry, &cam, claim);
        assert_eq!(news(&orders), [(cam, Standing::default())]);
    }

    #[test]
    fn what_the_server_fetches_gives_way_to_everybody() {
        let orders = orders("*", &Arc::default());
        let mut registry = registry(&orders);
        let cam = stream("live/cam");
        let ours = registry.claim_idle(&cam, 1, NOW).unwrap();
        assert!(!registry.is_published(&cam));
        // The policy lets nobody take over, and this one comes from another address.
        let address = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
        let claimant = Claimant { shard: 0, address, identity: None, yields: false };
        let claim = registry.claim(&cam, claimant, NOW).unwrap();
        let Claim::Promised { id, seal, .. } = claim else { panic!("it is owned") };
        let Claim::Granted { id: given, writer, .. } = ours else { panic!("it was idle") };
        assert_eq!(seal, (given, 1));
        let heir = registry.give_back(&cam, given, writer).unwrap();
        assert_eq!((heir.id, registry.is_published(&cam)), (id, true));
    }

    #[test]
    fn of_several_routes_the_lowest_is_sent_on() {
        let orders = orders("*", &Arc::default());
        let cam = stream("live/cam");
        assert_eq!(orders.route_of(&cam), Route::from(orders.node()));
        let high = Route::read("fffffffffffffff0").unwrap();
        let low = Route::read("00000000000000f0,fffffffffffffff1").unwrap();
        orders.edge_came(&cam, 1, &high);
        orders.edge_came(&cam, 2, &low);
        assert_eq!(orders.route_of(&cam), low.through(orders.node()));
        let asked = |orders: &Orders| orders.take_asked(0).len() + orders.take_asked(1).len();
        assert_eq!((asked(&orders), asked(&orders)), (1, 0));
        orders.edge_left(&cam, 2);
        assert_eq!(orders.route_of(&cam), high.through(orders.node()));
        orders.edge_left(&cam, 1);
        assert_eq!(orders.route_of(&cam), Route::from(orders.node()));
    }
}

//! Through which servers a request has come: how edges that pull from each other notice that.
//!
//! Each server has a number of its own, made at its start. An edge that asks its origin for a stream
//! sends in `connect` the route by which the stream was asked of itself, and its own number behind it.
//! A server that finds its own number there would wait for itself: it refuses. Players hear nothing of
//! routes, and what an encoder or another product sends has none.

use crate::limits::HOPS_MAX;
use std::fmt;

/// The property of the command object of `connect` in which the route is sent.
pub const PROPERTY: &str = "millstreamRoute";

/// Names one running server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u64);

/// Servers, from the one whose viewer asked first to the nearest. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route(Box<[NodeId]>);

/// Why a route is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteError {
    /// It is not what an edge sends.
    Form,
    /// It leads through more than [`HOPS_MAX`] servers.
    TooLong,
    /// It leads through this server.
    Loop,
}

impl RouteError {
    /// A stable short name, for the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Form => "route-malformed",
            Self::TooLong => "too-many-hops",
            Self::Loop => "loop",
        }
    }
}

impl NodeId {
    /// A number that no other server has, as far as chance goes.
    pub fn random() -> Self {
        let mut bytes = [0; 8];
        // Without entropy, address and time still tell the processes of one network apart.
        if rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::NONBLOCK).is_err() {
            let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
            bytes = (since.as_nanos() as u64 ^ u64::from(std::process::id()) << 48).to_be_bytes();
        }
        Self(u64::from_be_bytes(bytes))
    }
}

impl Route {
    /// The route of a request that begins here.
    pub fn from(node: NodeId) -> Self {
        Self(Box::new([node]))
    }

    /// Reads what an edge sent.
    ///
    /// # Errors
    /// If it is malformed or leads through too many servers.
    pub fn read(text: &str) -> Result<Self, RouteError> {
        let mut nodes = Vec::new();
        for part in text.split(',') {
            if nodes.len() == HOPS_MAX {
                return Err(RouteError::TooLong);
            }
            let plain = part.len() == 16 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
            let number = u64::from_str_radix(part, 16).ok().filter(|_| plain);
            nodes.push(NodeId(number.ok_or(RouteError::Form)?));
        }
        Ok(Self(nodes.into()))
    }

    /// Whether it leads through a server.
    pub fn leads_through(&self, node: NodeId) -> bool {
        self.0.contains(&node)
    }

    /// The same, on through this server.
    pub fn through(&self, node: NodeId) -> Self {
        Self(self.0.iter().copied().chain([node]).collect())
    }

    /// The lowest number on it. Of several routes that lead to a server, the one with the lowest is sent
    /// on: on a ring of edges that all wait for each other, one number is the lowest of all, and comes
    /// round to its owner.
    pub fn lowest(&self) -> NodeId {
        self.0.iter().copied().min().expect("a route has at least one server")
    }
}

/// As it is sent.
impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, node) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{:016x}", node.0)?;
        }
        Ok(())
    }
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("the route of this edge is malformed"),
            Self::TooLong => write!(f, "more than {HOPS_MAX} servers lie between you and this one"),
            Self::Loop => f.write_str(
                "this would be a loop: the server that you ask waits for this stream from you",
            ),
        }
    }
}

impl std::error::Error for RouteError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_read_as_it_was_sent() {
        let (one, other) = (NodeId(7), NodeId(u64::MAX));
        let route = Route::from(other).through(one);
        assert_eq!(route.to_string(), "ffffffffffffffff,0000000000000007");
        assert_eq!(Route::read(&route.to_string()), Ok(route.clone()));
        assert!(route.leads_through(one) && route.leads_through(other));
        assert!(!route.leads_through(NodeId(8)));
        assert_eq!(route.lowest(), one);
        assert_ne!(NodeId::random(), NodeId::random());
    }

    #[test]
    fn nonsense_and_long_ways_are_refused() {
        for text in ["", ",", "7", "+000000000000007", "0000000000000007,", "000000000000000g"] {
            assert_eq!(Route::read(text), Err(RouteError::Form), "{text}");
        }
        let mut route = Route::from(NodeId(0));
        for node in 1..HOPS_MAX as u64 {
            route = route.through(NodeId(node));
        }
        assert_eq!(Route::read(&route.to_string()), Ok(route.clone()));
        let longer = route.through(NodeId(99)).to_string();
        assert_eq!(Route::read(&longer), Err(RouteError::TooLong));
        assert_eq!(Route::read(&"x".repeat(1 << 20)), Err(RouteError::Form));
    }
}

//! What a shard is asked to keep connected. It is made once and shared by whoever asked for it, the shard
//! and control; only its status changes.

use super::place::Place;
use super::status::Status;
use crate::name::StreamName;
use rustls::ClientConfig;
use std::fmt;
use std::sync::Arc;

/// Names an order for as long as the process lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrderId(pub u64);

impl OrderId {
    /// The order of an attempt to pull. Targets count theirs from 1, and never come so far.
    pub fn of_pull(number: u64) -> Self {
        Self(1 << 63 | number)
    }
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A stream of this server is published there while it is live.
    Push,
    /// A stream is fetched from there. It is one attempt at one place: which is next, and when, is
    /// decided elsewhere (`pull`).
    Pull,
}

/// A connection that is to be made, and made again when it is lost.
pub struct Order {
    /// Its name among all.
    pub id: OrderId,
    /// What its operator calls it.
    pub label: String,
    /// The stream here.
    pub stream: StreamName,
    /// What for.
    pub role: Role,
    /// Where to. After each failure the next one is tried, the first after the last. Never empty.
    pub places: Vec<Place>,
    /// Which certificates are trusted; needed where a place is encrypted.
    pub tls: Option<Arc<ClientConfig>>,
    /// How it fares.
    pub status: Status,
    /// It was made for a stream that came, and goes a while after that has gone.
    pub passing: bool,
}

/// Names no key, and nothing of the certificates.
impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Order")
            .field("id", &self.id)
            .field("label", &self.label)
            .field("stream", &self.stream)
            .field("role", &self.role)
            .field("places", &self.places)
            .finish_non_exhaustive()
    }
}

//! The application hook: one trait decides who may connect, publish and play, and under which name.
//!
//! An answer may be given at once or later, from any thread; meanwhile only the session that asked
//! waits. No media passes here. The built-in rules are the first user (`rules`).

use crate::moment::Moment;
use crate::name::StreamName;
use crate::stream::takeover::Identity;
use std::net::SocketAddr;
use std::sync::Arc;

/// What is known of the peer that asks.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The number of the connection, as in the log.
    pub connection: u64,
    /// Where it comes from.
    pub address: SocketAddr,
    /// The application, as the peer named it; unchecked.
    pub app: String,
    /// Query string of the application or of `tcUrl`.
    pub query: Option<String>,
    /// The URL it says it connected to; unchecked.
    pub tc_url: String,
    /// What it says it is; unchecked.
    pub flash_ver: String,
}

/// A stream that somebody wants to publish or to play.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who asks.
    pub peer: Arc<Peer>,
    /// The name, as the peer gave it, without query; unchecked.
    pub name: String,
    /// What followed the first `?` of the name. It may hold a secret.
    pub query: Option<String>,
}

/// A refusal, as the peer and the log see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// A stable short name, for the log and counters.
    pub name: &'static str,
    /// What the peer is told.
    pub description: String,
}

/// Leave to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MayPublish {
    /// The stream that it becomes; another than asked for renames.
    pub stream: StreamName,
    /// By what the publisher is recognised when it comes again.
    pub identity: Option<Identity>,
}

/// An answer: accepted, or refused with a reason.
pub type Decision<T> = Result<T, Rejection>;

/// An answer given at once, or the promise of one.
pub enum Answer<T> {
    /// Given.
    Now(Decision<T>),
    /// To be given through the [`Reply`] that was taken.
    Later,
}

/// Where an answer goes that is given later. Dropped unused, it refuses.
pub struct Reply<T> {
    deliver: Option<Box<dyn FnOnce(Decision<T>) + Send>>,
}

impl<T> Reply<T> {
    /// A reply that hands its answer to `deliver`.
    pub fn new(deliver: impl FnOnce(Decision<T>) + Send + 'static) -> Self {
        Self { deliver: Some(Box::new(deliver)) }
    }

    /// Answers. From any thread.
    pub fn send(mut self, decision: Decision<T>) {
        if let Some(deliver) = self.deliver.take() {
            deliver(decision);
        }
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        if let Some(deliver) = self.deliver.take() {
            deliver(Err(Rejection {
                name: "no-answer",
                description: "the application gave no answer".into(),
            }));
        }
    }
}

/// Makes the reply of a request; costs nothing unless it is called.
pub type Defer<'a, T> = &'a mut dyn FnMut() -> Reply<T>;

/// Decides for a server. Called on the shards: it must not block; what takes time is answered
/// later.
pub trait Application: Send + Sync + 'static {
    /// A peer connects to an application.
    fn connect(&self, peer: &Arc<Peer>, defer: Defer<'_, ()>) -> Answer<()>;

    /// A peer wants to publish.
    fn publish(&self, request: &Request, defer: Defer<'_, MayPublish>) -> Answer<MayPublish>;

    /// A peer wants to play.
    fn play(&self, request: &Request, defer: Defer<'_, StreamName>) -> Answer<StreamName>;

    /// A publisher or player has ended; for bookkeeping.
    fn ended(&self, _stream: &StreamName, _connection: u64, _now: Moment) {}
}

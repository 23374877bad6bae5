//! What a peer asks, and what it is answered, at once or later.

use crate::limits::REASON_BYTES_MAX;
use crate::name::StreamName;
use crate::role::Role;
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

impl Request {
    /// The role that it asks for, in the query of its application or of its name: see
    /// [`Role::of_queries`].
    pub fn role(&self) -> Role {
        let queries = [self.peer.query.as_deref(), self.query.as_deref()];
        Role::of_queries(queries.into_iter().flatten())
    }
}

/// The stream that a request names.
///
/// # Errors
/// A rejection called `name` that says what is wrong with it.
pub fn stream_of(request: &Request) -> Decision<StreamName> {
    StreamName::new(&request.peer.app, &request.name)
        .map_err(|error| Rejection::new("name", error.to_string()))
}

/// A refusal, as the peer and the log see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// A stable short name, for the log and counters.
    pub name: &'static str,
    /// What the peer is told.
    pub description: String,
    /// Where the peer is sent instead: the URL of another server and application. At `connect` by
    /// the code 302 that Flash introduced, later by a reconnect request (Enhanced RTMP v2).
    pub redirect: Option<String>,
}

impl Rejection {
    /// A plain refusal.
    pub fn new(name: &'static str, description: impl Into<String>) -> Self {
        Self { name, description: description.into(), redirect: None }
    }

    /// Sends the peer elsewhere.
    pub fn redirect(url: impl Into<String>) -> Self {
        let description = "this stream is served elsewhere".into();
        Self { name: "redirected", description, redirect: Some(url.into()) }
    }

    /// What the peer is told, cut to a length that can be written.
    pub(crate) fn words(&self) -> &str {
        let mut end = self.description.len().min(REASON_BYTES_MAX);
        while !self.description.is_char_boundary(end) {
            end -= 1;
        }
        &self.description[..end]
    }

    /// Where the peer is sent, if that can be written.
    pub(crate) fn elsewhere(&self) -> Option<&str> {
        self.redirect.as_deref().filter(|url| url.len() <= REASON_BYTES_MAX)
    }
}

/// Leave to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MayPublish {
    /// The stream that it becomes; another than asked for renames.
    pub stream: StreamName,
    /// By what the publisher is recognised when it comes again.
    pub identity: Option<Identity>,
    /// As what it publishes: at once, or waiting until nobody better does.
    pub role: Role,
}

impl MayPublish {
    /// Leave for somebody who proved nothing, as a primary.
    pub fn new(stream: StreamName) -> Self {
        Self { stream, identity: None, role: Role::Primary }
    }

    /// The same, in this role.
    pub fn with_role(self, role: Role) -> Self {
        Self { role, ..self }
    }
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

impl<T> Answer<T> {
    /// Yes.
    pub fn accept(leave: T) -> Self {
        Self::Now(Ok(leave))
    }

    /// No, and why.
    pub fn reject(name: &'static str, description: impl Into<String>) -> Self {
        Self::Now(Err(Rejection::new(name, description)))
    }
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
            deliver(Err(Rejection::new("no-answer", "the application gave no answer")));
        }
    }
}

/// Makes the reply of a request; costs nothing unless it is called.
pub type Defer<'a, T> = &'a mut dyn FnMut() -> Reply<T>;

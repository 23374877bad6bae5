//! The built-in rules: names are checked, publishers show their keys, everybody may play.

use crate::config::{KeyError, Keys};
use crate::helper::Passes;
use crate::hook::{
    Admission, Answer, Application, Defer, MayPublish, Peer, Rejection, Request, Session,
    SessionHandle,
};
use crate::stream::takeover::Identity;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// The application that the binary runs.
pub struct Rules {
    keys: Arc<Keys>,
    passes: Arc<Passes>,
    /// Keyed afresh in every process: an identity says nothing outside of it.
    hasher: RandomState,
}

impl Rules {
    /// The rules for these keys. Without keys everybody may publish.
    pub fn new(keys: Keys) -> Self {
        Self { keys: Arc::new(keys), passes: Arc::default(), hasher: RandomState::new() }
    }

    /// The same, and helpers with these passes may publish what they are for.
    pub fn with_passes(self, passes: Arc<Passes>) -> Self {
        Self { passes, ..self }
    }
}

impl Application for Rules {
    fn connect(
        &self,
        _peer: &Arc<Peer>,
        _session: &SessionHandle,
        _defer: Defer<'_, Admission>,
    ) -> Answer<Admission> {
        Answer::accept(Admission::new(Guest {
            keys: Arc::clone(&self.keys),
            passes: Arc::clone(&self.passes),
            hasher: self.hasher.clone(),
        }))
    }
}

/// One peer under the rules.
struct Guest {
    keys: Arc<Keys>,
    passes: Arc<Passes>,
    hasher: RandomState,
}

impl Session for Guest {
    fn publish(&mut self, request: &Request, _defer: Defer<'_, MayPublish>) -> Answer<MayPublish> {
        let queries = [request.peer.query.as_deref(), request.query.as_deref()];
        let query = queries.into_iter().flatten().collect::<Vec<_>>().join("&");
        let (app, address) = (&request.peer.app, request.peer.address.ip());
        if let Some(stream) = self.passes.admit(app, &request.name, &query, address) {
            // Another identity than that of the key: neither takes the stream from the other.
            let identity = Some(Identity(self.hasher.hash_one(("helper", &stream))));
            return Answer::Now(Ok(MayPublish { stream, identity, role: request.role() }));
        }
        let granted = self.keys.publish(app, &request.name, &query);
        Answer::Now(granted.map_err(refuse).map(|granted| MayPublish {
            // There is one secret per stream, so the stream stands for it.
            identity: granted.proven.then(|| Identity(self.hasher.hash_one(&granted.stream))),
            stream: granted.stream,
            role: request.role(),
        }))
    }
}

fn refuse(error: KeyError) -> Rejection {
    let name = match error {
        KeyError::Name(_) => "name",
        KeyError::Missing => "key-missing",
        KeyError::Wrong => "key-wrong",
        KeyError::Unknown => "key-unknown",
    };
    Rejection::new(name, error.to_string())
}

//! The built-in rules: names are checked, publishers show their keys, everybody may play.

use crate::config::{KeyError, Keys};
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
    /// Keyed afresh in every process: an identity says nothing outside of it.
    hasher: RandomState,
}

impl Rules {
    /// The rules for these keys. Without keys everybody may publish.
    pub fn new(keys: Keys) -> Self {
        Self { keys: Arc::new(keys), hasher: RandomState::new() }
    }
}

impl Application for Rules {
    fn connect(
        &self,
        _peer: &Arc<Peer>,
        _session: &SessionHandle,
        _defer: Defer<'_, Admission>,
    ) -> Answer<Admission> {
        let (keys, hasher) = (Arc::clone(&self.keys), self.hasher.clone());
        Answer::accept(Admission::new(Guest { keys, hasher }))
    }
}

/// One peer under the rules.
struct Guest {
    keys: Arc<Keys>,
    hasher: RandomState,
}

impl Session for Guest {
    fn publish(&mut self, request: &Request, _defer: Defer<'_, MayPublish>) -> Answer<MayPublish> {
        let queries = [request.peer.query.as_deref(), request.query.as_deref()];
        let query = queries.into_iter().flatten().collect::<Vec<_>>().join("&");
        let granted = self.keys.publish(&request.peer.app, &request.name, &query);
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

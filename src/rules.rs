//! The built-in rules: names are checked, publishers show their keys, everybody may play.

use crate::config::{KeyError, Keys};
use crate::hook::{Answer, Application, Defer, MayPublish, Peer, Rejection, Request};
use crate::name::StreamName;
use crate::stream::takeover::Identity;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// The application that the binary runs.
pub struct Rules {
    keys: Keys,
    /// Keyed afresh in every process: an identity says nothing outside of it.
    hasher: RandomState,
}

impl Rules {
    /// The rules for these keys. Without keys everybody may publish.
    pub fn new(keys: Keys) -> Self {
        Self { keys, hasher: RandomState::new() }
    }
}

impl Application for Rules {
    fn connect(&self, _peer: &Arc<Peer>, _defer: Defer<'_, ()>) -> Answer<()> {
        Answer::Now(Ok(()))
    }

    fn publish(&self, request: &Request, _defer: Defer<'_, MayPublish>) -> Answer<MayPublish> {
        let queries = [request.peer.query.as_deref(), request.query.as_deref()];
        let query = queries.into_iter().flatten().collect::<Vec<_>>().join("&");
        let granted = self.keys.publish(&request.peer.app, &request.name, &query);
        Answer::Now(granted.map_err(refuse).map(|granted| MayPublish {
            // There is one secret per stream, so the stream stands for it.
            identity: granted.proven.then(|| Identity(self.hasher.hash_one(&granted.stream))),
            stream: granted.stream,
        }))
    }

    fn play(&self, request: &Request, _defer: Defer<'_, StreamName>) -> Answer<StreamName> {
        let name = StreamName::new(&request.peer.app, &request.name);
        Answer::Now(name.map_err(|error| refuse(KeyError::Name(error))))
    }
}

fn refuse(error: KeyError) -> Rejection {
    let name = match error {
        KeyError::Name(_) => "name",
        KeyError::Missing => "key-missing",
        KeyError::Wrong => "key-wrong",
        KeyError::Unknown => "key-unknown",
    };
    Rejection { name, description: error.to_string() }
}

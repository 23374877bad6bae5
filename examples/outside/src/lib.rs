//! A server that lets each ticket in once: viewers show `?ticket=...` behind the name of the stream.

use millstream::config::Config;
use millstream::hook::{
    Admission, Answer, Application, Defer, Peer, Rejection, Request, Session, SessionHandle,
    stream_of,
};
use millstream::name::StreamName;
use millstream::server::{Server, StartError};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// The tickets that nobody has used yet.
#[derive(Clone)]
struct Tickets(Arc<Mutex<HashSet<String>>>);

impl Tickets {
    fn take(&self, ticket: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(ticket)
    }
}

impl Application for Tickets {
    fn connect(
        &self,
        _peer: &Arc<Peer>,
        _session: &SessionHandle,
        _defer: Defer<'_, Admission>,
    ) -> Answer<Admission> {
        Answer::accept(Admission::new(Visitor { tickets: self.clone() }))
    }
}

/// One peer. Publishing is left at its default: everybody may.
struct Visitor {
    tickets: Tickets,
}

impl Session for Visitor {
    fn play(&mut self, request: &Request, _defer: Defer<'_, StreamName>) -> Answer<StreamName> {
        let query = request.query.as_deref().unwrap_or_default();
        let shown = query.split('&').find_map(|part| part.strip_prefix("ticket="));
        Answer::Now(match shown {
            Some(ticket) if self.tickets.take(ticket) => stream_of(request),
            Some(_) => Err(Rejection::new("ticket-used", "this ticket was used, or never sold")),
            None => Err(Rejection::new("ticket-missing", "add ?ticket=... to the stream's name")),
        })
    }
}

/// Starts the server; it serves when this returns.
///
/// # Errors
/// If the address, or anything else, cannot be had.
pub fn start(address: SocketAddr, tickets: HashSet<String>) -> Result<Server, StartError> {
    let config = Config { rtmp: vec![address.into()], open: true, ..Config::default() };
    Server::start(config, Arc::new(Tickets(Arc::new(Mutex::new(tickets)))))
}

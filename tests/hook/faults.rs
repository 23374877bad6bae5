//! An application that panics loses the session that it was called for, and nothing else.

use crate::client::{Client, publishing, start};
use crate::listener::Listener;
use millstream::hook::{
    Admission, Answer, Application, Defer, MayPublish, Peer, Request, Session, SessionHandle,
};
use millstream_rtmp::client::ClientEvent;
use std::sync::Arc;

struct Fragile;

impl Application for Fragile {
    fn connect(
        &self,
        peer: &Arc<Peer>,
        _: &SessionHandle,
        _: Defer<'_, Admission>,
    ) -> Answer<Admission> {
        assert_ne!(peer.app, "panic", "as asked");
        Answer::accept(Admission::new(Glass))
    }
}

struct Glass;

impl Session for Glass {
    fn publish(&mut self, request: &Request, _: Defer<'_, MayPublish>) -> Answer<MayPublish> {
        assert_ne!(request.name, "panic", "as asked");
        Answer::reject("busy", "not today")
    }
}

#[test]
fn a_panic_in_a_request_ends_its_session() {
    let (_server, address) = start(Fragile);
    let mut bystander = Client::connect(address, "live");
    bystander.until("the connection", |event| matches!(event, ClientEvent::Connected(_)));
    Client::connect(address, "panic").until_hung_up();
    let mut publisher = Client::connect(address, "live");
    publisher.publish("panic");
    publisher.until_hung_up();
    // Whoever was there before, and whoever comes, is served.
    for client in [&mut bystander, &mut Client::connect(address, "live")] {
        client.publish("cam");
        client.until("an answer", |event| matches!(event, ClientEvent::Refused(_)));
    }
}

#[test]
fn a_panic_in_what_is_heard_ends_its_session() {
    let listener = Listener::default();
    let (_server, address) = start(listener.clone());
    let mut victim = Client::connect(address, "live");
    victim.publish("first");
    victim.until("the publish", publishing);
    let mut bystander = Client::connect(address, "live");
    bystander.publish("second");
    bystander.until("the publish", publishing);
    listener.handle(0).message("panic".to_owned()).expect("the shard has time");
    victim.until_hung_up();
    listener.handle(1).message("still there".to_owned()).expect("the shard has time");
    listener.until("message still there");
}

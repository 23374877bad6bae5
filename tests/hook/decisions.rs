//! Requests: answered late, renamed, refused, sent elsewhere, forgotten.

use crate::client::{Client, publishing, start};
use millstream::hook::{
    Admission, Answer, Application, Decision, Defer, MayPublish, Peer, Rejection, Request, Role,
    Session, SessionHandle, stream_of,
};
use millstream::name::StreamName;
use millstream::server::Server;
use millstream_rtmp::client::{ClientEvent, PlayOptions};
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How late the slow answer is.
const LATE: Duration = Duration::from_millis(700);
/// Where some are sent.
const ELSEWHERE: &str = "rtmp://elsewhere.example/live";

struct Gate;

impl Application for Gate {
    fn connect(
        &self,
        peer: &Arc<Peer>,
        _: &SessionHandle,
        _: Defer<'_, Admission>,
    ) -> Answer<Admission> {
        match peer.app.as_str() {
            "closed" => Answer::reject("closed", "this application is closed"),
            "moved" => Answer::Now(Err(Rejection::redirect(ELSEWHERE))),
            _ => Answer::accept(Admission::new(Visitor)),
        }
    }
}

struct Visitor;

impl Visitor {
    fn decide(request: &Request) -> Decision<StreamName> {
        match request.name.as_str() {
            "endless" => Err(Rejection::new("endless", "ä".repeat(100_000))),
            "forbidden" => Err(Rejection::new("forbidden", "not this one")),
            "moved" => Err(Rejection::redirect(ELSEWHERE)),
            "alias" | "spare" => Ok(StreamName::parse("live/real").expect("a good name")),
            _ => stream_of(request),
        }
    }
}

impl Session for Visitor {
    fn publish(&mut self, request: &Request, defer: Defer<'_, MayPublish>) -> Answer<MayPublish> {
        let role = if request.name == "spare" { Role::Backup } else { request.role() };
        let decision = Self::decide(request).map(|stream| MayPublish::new(stream).with_role(role));
        if !request.name.starts_with("slow") {
            return Answer::Now(decision);
        }
        let reply = defer();
        std::thread::spawn(move || {
            std::thread::sleep(LATE);
            reply.send(decision);
        });
        Answer::Later
    }

    fn play(&mut self, request: &Request, defer: Defer<'_, StreamName>) -> Answer<StreamName> {
        if request.name == "dropped" {
            // A reply that nobody uses refuses by itself.
            drop(defer());
            return Answer::Later;
        }
        Answer::Now(Self::decide(request))
    }
}

fn names(server: &Server) -> Vec<String> {
    server.directory().streams().iter().map(|stream| stream.name().to_string()).collect()
}

#[test]
fn an_answer_given_later_holds_up_nobody_else() {
    let (server, address) = start(Gate);
    let mut slow = Client::connect(address, "live");
    let asked = Instant::now();
    slow.publish("slow");
    let output = slow.connection.output().split();
    slow.socket.write_all(&output).expect("the server reads");
    // While it waits, others come and go on the same shard.
    for round in 0..5 {
        let mut quick = Client::connect(address, "live");
        quick.publish(&format!("quick{round}"));
        quick.until("a quick publish", publishing);
    }
    assert!(asked.elapsed() < LATE, "five publishers waited for the slow one");
    slow.until("the slow publish", publishing);
    assert!(asked.elapsed() >= LATE, "it did not wait for its answer");
    assert!(names(&server).contains(&"live/slow".to_owned()));
}

#[test]
fn a_stream_may_be_renamed() {
    let (server, address) = start(Gate);
    let mut publisher = Client::connect(address, "live");
    publisher.publish("alias");
    publisher.until("the publish", publishing);
    assert_eq!(names(&server), ["live/real"]);
}

/// The application says who is a backup; a backup is a publisher from the start.
#[test]
fn a_publisher_may_be_made_a_backup() {
    let (server, address) = start(Gate);
    let mut publisher = Client::connect(address, "live");
    publisher.publish("alias");
    publisher.until("the publish", publishing);
    let mut spare = Client::connect(address, "live");
    spare.publish("spare");
    spare.until("the backup's publish", publishing);
    let mut another = Client::connect(address, "live?backup=1");
    another.publish("alias");
    another.until("the publish of one who says so", publishing);
    assert_eq!(names(&server), ["live/real"]);
    let stream = &server.directory().stream_snapshots()[0];
    assert_eq!((stream.waiting_publishers, stream.info.source), (2, Some(Role::Primary)));
}

#[test]
fn refusals_reach_the_peer_with_their_reason() {
    let (_server, address) = start(Gate);
    let mut closed = Client::connect(address, "closed");
    let event = closed.until("a refusal", |event| matches!(event, ClientEvent::ConnectRefused(_)));
    let ClientEvent::ConnectRefused(refused) = event else { unreachable!("it was matched") };
    assert!(refused.description.contains("closed"), "{refused:?}");

    let mut forbidden = Client::connect(address, "live");
    forbidden.publish("forbidden");
    let event = forbidden.until("a refusal", |event| matches!(event, ClientEvent::Refused(_)));
    let ClientEvent::Refused(refused) = event else { unreachable!("it was matched") };
    assert!(refused.description.contains("not this one"), "{refused:?}");

    // A reason longer than a text may be is cut, and the peer has its answer.
    let mut endless = Client::connect(address, "live");
    endless.publish("endless");
    let event = endless.until("a refusal", |event| matches!(event, ClientEvent::Refused(_)));
    let ClientEvent::Refused(refused) = event else { unreachable!("it was matched") };
    assert_eq!(refused.description, "ä".repeat(500));

    let mut dropped = Client::connect(address, "live");
    dropped.connection.play("dropped", PlayOptions::default()).expect("a play can be asked");
    let event = dropped.until("a refusal", |event| matches!(event, ClientEvent::Refused(_)));
    let ClientEvent::Refused(refused) = event else { unreachable!("it was matched") };
    assert!(refused.description.contains("no answer"), "{refused:?}");
}

#[test]
fn peers_can_be_sent_elsewhere() {
    let (_server, address) = start(Gate);
    let mut moved = Client::connect(address, "moved");
    let event = moved.until("a refusal", |event| matches!(event, ClientEvent::ConnectRefused(_)));
    let ClientEvent::ConnectRefused(refused) = event else { unreachable!("it was matched") };
    assert_eq!(refused.redirect.as_deref(), Some(ELSEWHERE));

    let mut publisher = Client::connect(address, "live");
    publisher.publish("moved");
    let event = publisher.until("a request", |event| matches!(event, ClientEvent::Reconnect(_)));
    let ClientEvent::Reconnect(reconnect) = event else { unreachable!("it was matched") };
    assert_eq!(reconnect.tc_url.as_deref(), Some(ELSEWHERE));
    publisher.until("a refusal", |event| matches!(event, ClientEvent::Refused(_)));
}

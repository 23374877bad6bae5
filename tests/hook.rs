//! The application hook over real sockets, with the server embedded: answers given later from
//! another thread hold up nobody else; renaming, refusing and silence do what they say.

use millstream::config::{Config, CoreList, Cores, ListenAddr};
use millstream::hook::{
    Answer, Application, Decision, Defer, MayPublish, Peer, Rejection, Request,
};
use millstream::name::StreamName;
use millstream::server::Server;
use millstream_rtmp::client::{ClientEvent, ClientOptions, PlayOptions};
use millstream_rtmp::connection::ClientConnection;
use millstream_rtmp::session::PublishMode;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How late the slow answer is.
const LATE: Duration = Duration::from_millis(700);

struct Gate;

impl Gate {
    fn decide(request: &Request) -> Decision<StreamName> {
        match request.name.as_str() {
            "forbidden" => Err(Rejection { name: "forbidden", description: "not this one".into() }),
            "alias" => Ok(StreamName::parse("live/real").expect("a good name")),
            name => Ok(StreamName::new(&request.peer.app, name).expect("a good name")),
        }
    }
}

impl Application for Gate {
    fn connect(&self, peer: &Arc<Peer>, _defer: Defer<'_, ()>) -> Answer<()> {
        if peer.app == "closed" {
            let description = "this application is closed".into();
            return Answer::Now(Err(Rejection { name: "closed", description }));
        }
        Answer::Now(Ok(()))
    }

    fn publish(&self, request: &Request, defer: Defer<'_, MayPublish>) -> Answer<MayPublish> {
        let decision = Self::decide(request).map(|stream| MayPublish { stream, identity: None });
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

    fn play(&self, request: &Request, defer: Defer<'_, StreamName>) -> Answer<StreamName> {
        if request.name == "dropped" {
            // A reply that nobody uses refuses by itself.
            drop(defer());
            return Answer::Later;
        }
        Answer::Now(Self::decide(request))
    }
}

fn start() -> (Server, SocketAddr) {
    let address: ListenAddr = SocketAddr::from(([127, 0, 0, 1], 0)).into();
    let cores: CoreList = "0".parse().expect("a list of cores");
    let config = Config { rtmp: vec![address], cores: Cores::List(cores), ..Config::default() };
    let server = Server::start(config, Arc::new(Gate)).expect("the server starts");
    let address = server.rtmp()[0];
    (server, address)
}

/// A client whose socket is read until an event that satisfies `wanted`.
struct Client {
    socket: TcpStream,
    connection: ClientConnection,
    unread: Vec<u8>,
}

impl Client {
    fn connect(address: SocketAddr, app: &str) -> Self {
        let socket = TcpStream::connect(address).expect("the server accepts");
        socket.set_nodelay(true).expect("an option can be set");
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a time-out can be set");
        let options = ClientOptions::new(app, format!("rtmp://{address}/{app}"));
        let connection = ClientConnection::new(options, [7; 32]).expect("options can be written");
        Self { socket, connection, unread: Vec::new() }
    }

    fn until(&mut self, what: &str, wanted: impl Fn(&ClientEvent) -> bool) -> ClientEvent {
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut buffer = [0; 4096];
        while Instant::now() < deadline {
            let mut input = &*self.unread;
            while let Some(event) = self.connection.receive(&mut input).expect("legal bytes") {
                if wanted(&event) {
                    self.unread = input.to_vec();
                    return event;
                }
            }
            self.unread.clear();
            let output = self.connection.output().split();
            self.socket.write_all(&output).expect("the server reads");
            match self.socket.read(&mut buffer) {
                Ok(0) => panic!("the server hung up while {what} was awaited"),
                Ok(count) => self.unread.extend_from_slice(&buffer[..count]),
                Err(error) if is_passing(error.kind()) => {}
                Err(error) => panic!("{what}: {error}"),
            }
        }
        panic!("{what} did not come");
    }

    fn publish(&mut self, name: &str) {
        self.connection.publish(name, PublishMode::Live).expect("a publish can be asked");
    }
}

fn is_passing(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

fn publishing(event: &ClientEvent) -> bool {
    matches!(event, ClientEvent::Publishing { .. })
}

fn names(server: &Server) -> Vec<String> {
    server.directory().streams().iter().map(|stream| stream.name().to_string()).collect()
}

#[test]
fn an_answer_given_later_holds_up_nobody_else() {
    let (server, address) = start();
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
    let (server, address) = start();
    let mut publisher = Client::connect(address, "live");
    publisher.publish("alias");
    publisher.until("the publish", publishing);
    assert_eq!(names(&server), ["live/real"]);
}

#[test]
fn refusals_reach_the_peer_with_their_reason() {
    let (_server, address) = start();
    let mut closed = Client::connect(address, "closed");
    let event = closed.until("a refusal", |event| matches!(event, ClientEvent::ConnectRefused(_)));
    let ClientEvent::ConnectRefused(refused) = event else { unreachable!("it was matched") };
    assert!(refused.description.contains("closed"), "{refused:?}");

    let mut forbidden = Client::connect(address, "live");
    forbidden.publish("forbidden");
    let event = forbidden.until("a refusal", |event| matches!(event, ClientEvent::Refused(_)));
    let ClientEvent::Refused(refused) = event else { unreachable!("it was matched") };
    assert!(refused.description.contains("not this one"), "{refused:?}");

    let mut dropped = Client::connect(address, "live");
    dropped.connection.play("dropped", PlayOptions::default()).expect("a play can be asked");
    let event = dropped.until("a refusal", |event| matches!(event, ClientEvent::Refused(_)));
    let ClientEvent::Refused(refused) = event else { unreachable!("it was matched") };
    assert!(refused.description.contains("no answer"), "{refused:?}");
}

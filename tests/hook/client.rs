//! A client on a blocking socket, and the server that it is a client of.

use millstream::config::{Config, CoreList, Cores, ListenAddr};
use millstream::egress::own::Formats;
use millstream::hook::Application;
use millstream::server::{Additions, Server};
use millstream_rtmp::client::{ClientEvent, ClientOptions};
use millstream_rtmp::connection::ClientConnection;
use millstream_rtmp::session::PublishMode;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A server with one shard, embedded here.
pub fn start(application: impl Application) -> (Server, SocketAddr) {
    start_with(application, Config::default())
}

pub fn start_with(application: impl Application, config: Config) -> (Server, SocketAddr) {
    start_all(application, config, Formats::default())
}

/// A server that lets everybody do everything, with formats.
pub fn start_with_formats(config: Config, formats: Formats) -> (Server, SocketAddr) {
    start_all(Everybody, config, formats)
}

struct Everybody;

impl Application for Everybody {}

fn start_all(
    application: impl Application,
    config: Config,
    formats: Formats,
) -> (Server, SocketAddr) {
    let address: ListenAddr = SocketAddr::from(([127, 0, 0, 1], 0)).into();
    let cores: CoreList = "0".parse().expect("a list of cores");
    let config = Config { rtmp: vec![address], cores: Cores::List(cores), ..config };
    let additions = Additions { formats, ..Additions::default() };
    let server = Server::start_with(config, Arc::new(application), additions);
    let server = server.expect("the server starts");
    let address = server.rtmp()[0];
    (server, address)
}

/// A client whose socket is read until an event that satisfies `wanted`.
pub struct Client<S = TcpStream> {
    pub socket: S,
    pub connection: ClientConnection,
    unread: Vec<u8>,
}

impl Client {
    pub fn connect(address: SocketAddr, app: &str) -> Self {
        let socket = TcpStream::connect(address).expect("the server accepts");
        socket.set_nodelay(true).expect("an option can be set");
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a time-out can be set");
        Self::over(socket, &format!("rtmp://{address}"), app)
    }
}

impl<S: Read + Write> Client<S> {
    /// A client on a socket whose reads end after a while.
    pub fn over(socket: S, server: &str, app: &str) -> Self {
        let options = ClientOptions::new(app, format!("{server}/{app}"));
        let connection = ClientConnection::new(options, [7; 32]).expect("options can be written");
        Self { socket, connection, unread: Vec::new() }
    }

    pub fn until(&mut self, what: &str, wanted: impl Fn(&ClientEvent) -> bool) -> ClientEvent {
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

    /// Sends what is to be sent.
    pub fn flush(&mut self) {
        let output = self.connection.output().split();
        self.socket.write_all(&output).expect("the server reads");
    }

    /// Reads so many messages of media.
    pub fn until_media(&mut self, count: usize) {
        for _ in 0..count {
            self.until("media", |event| matches!(event, ClientEvent::Media(_)));
        }
    }

    /// Answers what the server asks, for a moment.
    pub fn read_for_a_while(&mut self) {
        let mut buffer = [0; 4096];
        let until = Instant::now() + Duration::from_millis(300);
        while Instant::now() < until {
            if let Ok(count) = self.socket.read(&mut buffer) {
                let mut input = &buffer[..count];
                while self.connection.receive(&mut input).expect("legal bytes").is_some() {}
            }
            self.flush();
        }
    }

    /// Reads until the server hangs up.
    pub fn until_hung_up(mut self) {
        self.flush();
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut buffer = [0; 4096];
        while Instant::now() < deadline {
            match self.socket.read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => {
                    let mut input = &buffer[..count];
                    while let Ok(Some(_)) = self.connection.receive(&mut input) {}
                    let output = self.connection.output().split();
                    if self.socket.write_all(&output).is_err() {
                        return;
                    }
                }
                Err(error) if is_passing(error.kind()) => {}
                Err(_) => return,
            }
        }
        panic!("the server did not hang up");
    }

    pub fn publish(&mut self, name: &str) {
        self.connection.publish(name, PublishMode::Live).expect("a publish can be asked");
    }
}

fn is_passing(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

pub fn publishing(event: &ClientEvent) -> bool {
    matches!(event, ClientEvent::Publishing { .. })
}

pub fn playing(event: &ClientEvent) -> bool {
    matches!(event, ClientEvent::Playing { .. })
}

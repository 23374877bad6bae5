//! A peer on a plain socket: legal parts by the writers of the protocol crate, the rest raw bytes.

use crate::server::Server;
use bytes::BytesMut;
use millstream_amf0::{Object, Value};
use millstream_rtmp::chunk::{ChunkLimits, ChunkReader, write_standalone};
use millstream_rtmp::command::Command;
use millstream_rtmp::control::{Control, UserControl};
use millstream_rtmp::message::{Message, MessageType};
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// The chunk size that a peer begins with (RTMP 1.0, 5.4.1).
pub const CHUNK: u32 = 128;

/// How long an answer may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Peer {
    pub stream: TcpStream,
    /// Our port, which is how the server's log names us.
    pub port: u16,
    reader: ChunkReader,
    unread: Vec<u8>,
}

impl Peer {
    /// Connects, and says nothing.
    pub fn dial(server: &Server) -> Self {
        let stream = TcpStream::connect(server.rtmp).unwrap();
        Self::on(stream)
    }

    pub fn on(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        let port = stream.local_addr().unwrap().port();
        let reader = ChunkReader::new(ChunkLimits::default());
        Self { stream, port, reader, unread: Vec::new() }
    }

    /// Shakes hands.
    pub fn open(server: &Server) -> Self {
        let mut peer = Self::dial(server);
        peer.shake();
        peer
    }

    pub fn shake(&mut self) {
        self.send(&[&[3][..], &[0; 1536]].concat());
        let answer = self.exactly(1 + 1536 + 1536);
        self.send(&answer[1..1537]);
    }

    /// Connects to an application.
    pub fn connected(server: &Server) -> Self {
        let mut peer = Self::open(server);
        peer.connect();
        peer
    }

    pub fn connect(&mut self) {
        self.command(0, "connect", 1.0, &[connect_object("live", "rtmp://127.0.0.1/live").into()]);
        assert_eq!(self.answer(1.0).name, "_result");
    }

    /// Publishes on message stream 1.
    pub fn publishing(server: &Server, name: &str) -> Self {
        let mut peer = Self::connected(server);
        peer.publish(name);
        peer
    }

    pub fn publish(&mut self, name: &str) {
        self.command(0, "createStream", 2.0, &[Value::Null]);
        assert_eq!(self.answer(2.0).name, "_result");
        self.command(1, "publish", 3.0, &[Value::Null, name.into(), "live".into()]);
        self.status("NetStream.Publish.Start");
    }

    /// Plays on message stream 1.
    pub fn playing(server: &Server, name: &str) -> Self {
        let mut peer = Self::connected(server);
        peer.play(name);
        peer
    }

    pub fn play(&mut self, name: &str) {
        self.command(0, "createStream", 2.0, &[Value::Null]);
        assert_eq!(self.answer(2.0).name, "_result");
        self.command(1, "play", 3.0, &[Value::Null, name.into()]);
        self.status("NetStream.Play.Start");
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the server takes this");
    }

    /// Sends what may end the connection before all of it is taken.
    pub fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    pub fn command(&mut self, stream_id: u32, name: &str, transaction: f64, arguments: &[Value]) {
        let bytes = command(stream_id, name, transaction, arguments);
        self.send(&bytes);
    }

    /// Sends a message of media or data in chunks of the default size.
    pub fn message(&mut self, kind: MessageType, timestamp: u32, payload: &[u8]) {
        self.send(&message(kind, 4, timestamp, 1, payload));
    }

    /// The next message of the server, if one comes in time.
    pub fn next(&mut self, within: Duration) -> Option<Message> {
        let until = Instant::now() + within;
        loop {
            let mut input = &self.unread[..];
            let message = self.reader.read(&mut input).expect("the server writes chunks");
            let left = input.len();
            self.unread.drain(..self.unread.len() - left);
            if let Some(message) = message {
                if let Ok(Some(Control::SetChunkSize(size))) = Control::decode(&message) {
                    self.reader.set_chunk_size(size).unwrap();
                }
                return Some(message);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let mut buffer = [0; 65_536];
            match self.read(&mut buffer, left) {
                Ok(0) | Err(_) => return None,
                Ok(count) => self.unread.extend_from_slice(&buffer[..count]),
            }
        }
    }

    /// The answer to a transaction.
    pub fn answer(&mut self, transaction: f64) -> Command {
        self.wait_for(|message| {
            let command = command_in(message)?;
            (command.transaction == transaction && command.name.starts_with('_')).then_some(command)
        })
    }

    /// Waits for a status.
    pub fn status(&mut self, code: &str) {
        self.wait_for(|message| {
            let command = command_in(message)?;
            (command.object(1)?.get_str("code")? == code).then_some(())
        });
    }

    /// The next message of audio, video or data that belongs to the stream itself.
    pub fn media(&mut self) -> Message {
        self.wait_for(|message| {
            let media = matches!(message.kind, MessageType::AUDIO | MessageType::VIDEO);
            media.then(|| message.clone())
        })
    }

    pub fn wait_for<T>(&mut self, mut wanted: impl FnMut(&Message) -> Option<T>) -> T {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let message = self.next(left).expect("the server answers");
            if let Some(found) = wanted(&message) {
                return found;
            }
        }
    }

    /// Proves that the connection lives: a ping comes back.
    pub fn assert_answers(&mut self) {
        self.send(&control(&UserControl::PingRequest(0x5eed).into()));
        self.wait_for(|message| match Control::decode(message) {
            Ok(Some(Control::User(UserControl::PingResponse(0x5eed)))) => Some(()),
            _ => None,
        });
    }

    /// Whether the server hangs up in time; what it sends before is dropped.
    pub fn is_hung_up(&mut self, within: Duration) -> bool {
        let until = Instant::now() + within;
        let mut buffer = [0; 65_536];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            match self.read(&mut buffer, left) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) if is_timeout(&error) => return false,
                Err(_) => return true,
            }
        }
    }

    /// What arrives within a time, up to a buffer full.
    pub fn whatever_comes(&mut self, within: Duration) -> Vec<u8> {
        let mut buffer = vec![0; 65_536];
        let count = self.read(&mut buffer, within).unwrap_or(0);
        buffer.truncate(count);
        buffer
    }

    pub fn exactly(&mut self, count: usize) -> Vec<u8> {
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).expect("the server answers");
        bytes
    }

    fn read(&mut self, buffer: &mut [u8], within: Duration) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(within.max(Duration::from_millis(1)))).unwrap();
        self.stream.read(buffer)
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn command_in(message: &Message) -> Option<Command> {
    (message.kind == MessageType::COMMAND_AMF0).then(|| Command::decode(message).unwrap())
}

pub fn connect_object(app: &str, tc_url: &str) -> Object {
    Object::new().with("app", app).with("tcUrl", tc_url).with("flashVer", "test")
}

/// A command in chunks of the default size.
pub fn command(stream_id: u32, name: &str, transaction: f64, arguments: &[Value]) -> Vec<u8> {
    let command =
        Command { stream_id, name: name.to_owned(), transaction, arguments: arguments.to_vec() };
    let sent = command.encode().unwrap();
    message(sent.kind, 3, 0, stream_id, &sent.payload)
}

/// A command message with a payload of one's own.
pub fn raw_command(payload: &[u8]) -> Vec<u8> {
    message(MessageType::COMMAND_AMF0, 3, 0, 0, payload)
}

pub fn control(control: &Control) -> Vec<u8> {
    let sent = control.encode();
    message(sent.kind, 2, 0, 0, &sent.payload)
}

pub fn message(
    kind: MessageType,
    csid: u32,
    timestamp: u32,
    stream_id: u32,
    payload: &[u8],
) -> Vec<u8> {
    chunked(kind, csid, timestamp, stream_id, payload, CHUNK)
}

pub fn chunked(
    kind: MessageType,
    csid: u32,
    timestamp: u32,
    stream_id: u32,
    payload: &[u8],
    chunk_size: u32,
) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    write_standalone(kind, csid, timestamp, stream_id, payload, chunk_size, &mut bytes);
    bytes.to_vec()
}

/// The header of a chunk of type 0 (5.3.1.2.1), without an extended timestamp.
pub fn header(csid: u8, timestamp: u32, length: u32, kind: MessageType, stream_id: u32) -> Vec<u8> {
    let mut bytes = vec![csid];
    bytes.extend_from_slice(&timestamp.to_be_bytes()[1..]);
    bytes.extend_from_slice(&length.to_be_bytes()[1..]);
    bytes.push(kind.0);
    bytes.extend_from_slice(&stream_id.to_le_bytes());
    bytes
}

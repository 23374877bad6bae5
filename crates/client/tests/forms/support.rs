//! A small server for tests: it accepts everything but what begins with `no-`, keeps what it is sent, and
//! plays three tags to whoever wants `film`, behind metadata if it is `film-with-metadata`.

use bytes::Bytes;
use millstream_amf0::Object;
use millstream_client::RtmpUrl;
use millstream_flv::{Tag, TagKind};
use millstream_rtmp::chunk::write_standalone;
use millstream_rtmp::connection::ServerConnection;
use millstream_rtmp::message::MessageType;
use millstream_rtmp::server::{ServerEvent, ServerOptions};
use millstream_rtmp::session::Rejection;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

pub fn url(name: &str) -> RtmpUrl {
    RtmpUrl::parse(&format!("rtmp://127.0.0.1/live/{name}")).unwrap()
}

pub fn tag(kind: TagKind, timestamp: u32, payload: &'static [u8]) -> Tag {
    Tag { kind, timestamp, payload: Bytes::from_static(payload) }
}

/// What players of `film` are sent, and publishers send.
pub fn film() -> Vec<Tag> {
    vec![
        tag(TagKind::Video, 0, b"\x17\0\0\0\0header"),
        tag(TagKind::Audio, 10, b"\xaf\x01sound"),
        tag(TagKind::Video, 40, b"\x17\x01\0\0\0key frame"),
    ]
}

/// The server's side of one connection.
pub struct Session {
    pub connection: ServerConnection,
    /// What happened.
    pub events: Vec<ServerEvent>,
    /// Audio and video as they came.
    pub tags: Vec<Tag>,
}

impl Session {
    pub fn new() -> Self {
        let connection = ServerConnection::new(&ServerOptions::default(), [9; 32]);
        Self { connection, events: Vec::new(), tags: Vec::new() }
    }

    /// Takes bytes in and returns the answer. False: the client's bytes are no RTMP.
    pub fn feed(&mut self, mut input: &[u8]) -> Vec<u8> {
        let mut output = Vec::new();
        while let Some(event) = self.connection.receive(&mut input).unwrap() {
            let mut film_on = None;
            match &event {
                ServerEvent::Connect(connect) if connect.app.starts_with("no-") => {
                    let no = Rejection::connect("no key s3cret here");
                    self.connection.reject_connect(connect.request, &no).unwrap();
                }
                ServerEvent::Connect(connect) => {
                    self.connection.accept_connect(connect.request).unwrap();
                }
                ServerEvent::Publish(publish) if publish.name.starts_with("no-") => {
                    let no = Rejection::publish_denied("the key s3cret is wrong");
                    self.connection.reject_publish(publish.request, &no).unwrap();
                }
                ServerEvent::Publish(publish) => {
                    self.connection.accept_publish(publish.request).unwrap();
                }
                ServerEvent::Play(play) if play.name.starts_with("no-") => {
                    let no = Rejection::not_found("nothing here");
                    self.connection.reject_play(play.request, &no).unwrap();
                }
                ServerEvent::Play(play) => {
                    self.connection.accept_play(play.request).unwrap();
                    film_on = play.name.starts_with("film").then_some(play.stream_id);
                    if play.name == "film-with-metadata" {
                        self.describe(play.stream_id);
                    }
                }
                ServerEvent::Media(message) => {
                    let number = message.kind.0;
                    self.tags.push(Tag {
                        kind: TagKind::from_number(number).unwrap(),
                        timestamp: message.timestamp,
                        payload: message.payload.clone(),
                    });
                }
                _ => {}
            }
            output.extend_from_slice(&self.connection.output().split());
            if let Some(stream_id) = film_on {
                self.play(stream_id, &mut output);
            }
            self.events.push(event);
        }
        output.extend_from_slice(&self.connection.output().split());
        output
    }

    /// What ends the connection by command.
    pub fn close(&mut self) -> Vec<u8> {
        self.connection.send_command(0, "close", 0.0, vec![]).unwrap();
        self.connection.output().split().to_vec()
    }

    fn describe(&mut self, stream_id: u32) {
        let mut payload = bytes::BytesMut::new();
        let metadata = Object::new().with("width", 320.0);
        millstream_amf0::encode_all(&["onMetaData".into(), metadata.into()], &mut payload).unwrap();
        let (kind, chunk_size) = (MessageType::DATA_AMF0, ServerOptions::default().chunk_size);
        let out = self.connection.output();
        write_standalone(kind, 5, 7, stream_id, &payload, chunk_size, out);
    }

    fn play(&mut self, stream_id: u32, output: &mut Vec<u8>) {
        let chunk_size = ServerOptions::default().chunk_size;
        for tag in film() {
            let kind = MessageType(tag.kind.number());
            let Tag { timestamp, payload, .. } = tag;
            write_standalone(kind, 6, timestamp, stream_id, &payload, chunk_size, output);
        }
        self.connection.unpublish_notify(stream_id).unwrap();
        self.connection.stream_eof(stream_id);
        output.extend_from_slice(&self.connection.output().split());
    }

    pub fn saw(&self, is: impl Fn(&ServerEvent) -> bool) -> bool {
        self.events.iter().any(is)
    }
}

/// Serves one connection until its client closes it.
pub fn serve(mut socket: impl Read + Write) -> Session {
    let mut session = Session::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        match socket.read(&mut buffer) {
            Ok(count) if count > 0 => {
                let output = session.feed(&buffer[..count]);
                if socket.write_all(&output).and_then(|()| socket.flush()).is_err() {
                    return session;
                }
            }
            _ => return session,
        }
    }
}

/// Serves so many connections on a port of its own, one after the other. The sessions come when they end.
pub fn listen(connections: usize) -> (u16, Receiver<Session>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for _ in 0..connections {
            let (socket, _) = listener.accept().unwrap();
            // A test that does not want it has dropped the receiver.
            let _ = sender.send(serve(socket));
        }
    });
    (port, receiver)
}

/// Serves one end of a pipe in memory until the client closes its own.
pub async fn serve_async(mut socket: tokio::io::DuplexStream) -> Session {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut session = Session::new();
    let mut buffer = [0; 1000];
    while let Ok(count @ 1..) = socket.read(&mut buffer).await {
        let output = session.feed(&buffer[..count]);
        if socket.write_all(&output).await.is_err() {
            break;
        }
    }
    session
}

/// Serves one end of a pipe until something happens, says `close`, and gives the end back, open.
pub async fn serve_until(
    mut socket: tokio::io::DuplexStream,
    is_time: impl Fn(&ServerEvent) -> bool,
) -> tokio::io::DuplexStream {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut session = Session::new();
    let mut buffer = [0; 1000];
    while !session.saw(&is_time) {
        let count = socket.read(&mut buffer).await.unwrap();
        let output = session.feed(&buffer[..count]);
        socket.write_all(&output).await.unwrap();
    }
    socket.write_all(&session.close()).await.unwrap();
    socket
}

//! The protocol thread: bytes of a connection to messages, messages to the bytes of all their
//! players. It knows no socket, and of streams nothing.

use super::{Frame, Number, Sockets, ToProtocol, ToSessions, ToSockets};
use crate::bare::CHUNK_SIZE;
use crate::bare::log::{STREAM_ID, write_message};
use bytes::{Bytes, BytesMut};
use crossbeam_channel::{Receiver, Sender};
use millstream_rtmp::connection::ServerConnection;
use millstream_rtmp::message::{Message, MessageType};
use millstream_rtmp::server::{ServerEvent, ServerOptions};
use millstream_rtmp::session::{Data, DataFrame};
use std::collections::HashMap;

/// A connection must be closed: its peer does not keep to the protocol.
struct Broken;

impl<E: std::error::Error> From<E> for Broken {
    fn from(_: E) -> Self {
        Self
    }
}

struct Protocol<'a> {
    /// Those that speak. What a player says is thrown away.
    connections: HashMap<Number, Box<ServerConnection>>,
    sessions: &'a Sender<ToSessions>,
    sockets: &'a Sockets,
    /// Messages are written here; what is handed on is split off.
    written: BytesMut,
}

/// Works until there is no more.
pub fn run(inbox: &Receiver<ToProtocol>, sessions: &Sender<ToSessions>, sockets: &Sockets) {
    let (connections, written) = (HashMap::new(), BytesMut::new());
    let mut protocol = Protocol { connections, sessions, sockets, written };
    while let Ok(item) = inbox.recv() {
        match item {
            ToProtocol::Opened(number) => protocol.open(number),
            ToProtocol::Read(number, bytes) => {
                if protocol.read(number, &bytes).is_err() {
                    protocol.close(number);
                }
            }
            ToProtocol::Closed(number) => {
                protocol.connections.remove(&number);
                protocol.tell(ToSessions::Closed(number));
            }
            ToProtocol::Publish(number, request) => protocol.publish(number, request),
            ToProtocol::Play(number, request, first) => protocol.play(number, request, &first),
            ToProtocol::Route(frames, to) => {
                let bytes = protocol.write(&frames);
                sockets.tell(ToSockets::All(to, bytes));
            }
            ToProtocol::End => break,
        }
    }
    protocol.tell(ToSessions::End);
}

impl Protocol<'_> {
    fn tell(&self, item: ToSessions) {
        // That thread ends after this one.
        let _ = self.sessions.send(item);
    }

    fn open(&mut self, number: Number) {
        let mut entropy = [0; 32];
        entropy[..8].copy_from_slice(&(number as u64).to_le_bytes());
        let options = ServerOptions { chunk_size: CHUNK_SIZE, ..ServerOptions::default() };
        let connection = Box::new(ServerConnection::new(&options, entropy));
        self.connections.insert(number, connection);
    }

    fn close(&mut self, number: Number) {
        self.connections.remove(&number);
        self.sockets.tell(ToSockets::Close(number));
    }

    fn read(&mut self, number: Number, mut input: &[u8]) -> Result<(), Broken> {
        let Some(rtmp) = self.connections.get_mut(&number) else { return Ok(()) };
        while let Some(event) = rtmp.receive(&mut input)? {
            let item = match event {
                ServerEvent::Media(Message { kind, timestamp, payload, .. }) => {
                    ToSessions::Came(number, Frame { kind, timestamp, payload })
                }
                ServerEvent::Data(Data { timestamp, payload, frame: DataFrame::Set, .. }) => {
                    let kind = MessageType::DATA_AMF0;
                    ToSessions::Came(number, Frame { kind, timestamp, payload })
                }
                ServerEvent::Connect(connect) => {
                    rtmp.accept_connect(connect.request)?;
                    continue;
                }
                ServerEvent::Publish(publish) => {
                    ToSessions::Publish(number, publish.request, publish.name)
                }
                // The messages name the first message stream of a connection.
                ServerEvent::Play(play) if play.stream_id == STREAM_ID => {
                    ToSessions::Play(number, play.request, play.name)
                }
                ServerEvent::Play(_) => return Err(Broken),
                ServerEvent::Unpublish { .. } => ToSessions::Unpublish(number),
                _ => continue,
            };
            // That thread ends after this one.
            let _ = self.sessions.send(item);
        }
        if !rtmp.output().is_empty() {
            self.sockets.tell(ToSockets::One(number, rtmp.output().split().freeze()));
        }
        Ok(())
    }

    fn publish(&mut self, number: Number, request: millstream_rtmp::session::RequestId) {
        let Some(rtmp) = self.connections.get_mut(&number) else { return };
        if rtmp.accept_publish(request).is_err() {
            self.close(number);
            return;
        }
        self.sockets.tell(ToSockets::One(number, rtmp.output().split().freeze()));
    }

    fn play(
        &mut self,
        number: Number,
        request: millstream_rtmp::session::RequestId,
        first: &[Frame],
    ) {
        let Some(mut rtmp) = self.connections.remove(&number) else { return };
        if rtmp.accept_play(request).is_err() {
            self.close(number);
            return;
        }
        self.sockets.tell(ToSockets::One(number, rtmp.output().split().freeze()));
        let bytes = self.write(first);
        if !bytes.is_empty() {
            self.sockets.tell(ToSockets::One(number, bytes));
        }
    }

    /// Messages as players are sent them.
    fn write(&mut self, frames: &[Frame]) -> Bytes {
        for Frame { kind, timestamp, payload } in frames {
            write_message(*kind, *timestamp, payload, &mut self.written);
        }
        self.written.split().freeze()
    }
}

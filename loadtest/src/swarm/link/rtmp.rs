//! RTMP as encoders and players speak it.

use super::{LinkEvent, Wish};
use crate::plan::Target;
use bytes::{Bytes, BytesMut};
use millstream_rtmp::client::{ClientEvent, ClientOptions, PlayOptions};
use millstream_rtmp::connection::ClientConnection;
use millstream_rtmp::message::MessageType;
use millstream_rtmp::session::{PublishMode, RequestId};
use std::io;

/// The chunk size that publishers announce: few encoders use less than 4,096, most servers take
/// this.
const CHUNK_SIZE: u32 = 65_536;

/// An RTMP client's side of a connection.
pub struct Rtmp {
    connection: ClientConnection,
    wish: Wish,
    request: Option<RequestId>,
}

impl Rtmp {
    pub(super) fn new(target: &Target, wish: Wish, entropy: [u8; 32]) -> io::Result<Self> {
        let options = ClientOptions {
            chunk_size: CHUNK_SIZE,
            ..ClientOptions::new(target.app.clone(), target.tc_url.clone())
        };
        let connection = ClientConnection::new(options, entropy).map_err(io::Error::other)?;
        Ok(Self { connection, wish, request: None })
    }

    pub(super) fn receive(&mut self, input: &mut &[u8]) -> Result<Option<LinkEvent>, &'static str> {
        loop {
            let event = match self.connection.receive(input) {
                Ok(Some(event)) => event,
                Ok(None) => return Ok(None),
                Err(error) => return Err(error.name()),
            };
            return Ok(Some(match event {
                ClientEvent::Media(message) => LinkEvent::Media {
                    kind: message.kind,
                    timestamp: message.timestamp,
                    payload: message.payload,
                },
                ClientEvent::Connected(_) => LinkEvent::Ready,
                ClientEvent::Publishing { .. } | ClientEvent::Playing { .. } => LinkEvent::Granted,
                ClientEvent::StreamEof { .. } => LinkEvent::StreamEnded,
                ClientEvent::Status(status) if status.code == "NetStream.Play.UnpublishNotify" => {
                    LinkEvent::StreamEnded
                }
                ClientEvent::ConnectRefused(_) => return Err("connect-refused"),
                ClientEvent::Refused(_) => {
                    return Err(match self.wish {
                        Wish::Publish => "publish-refused",
                        Wish::Play => "play-refused",
                    });
                }
                ClientEvent::Closed => return Err("closed-by-command"),
                _ => continue,
            }));
        }
    }

    pub(super) fn output(&mut self) -> &mut BytesMut {
        self.connection.output()
    }

    pub(super) fn is_open(&self) -> bool {
        self.connection.is_open()
    }

    pub(super) fn ask(&mut self, name: &str) -> Result<(), &'static str> {
        let asked = match self.wish {
            Wish::Publish => self.connection.publish(name, PublishMode::Live),
            Wish::Play => self.connection.play(name, PlayOptions::default()),
        };
        self.request = Some(asked.map_err(|_| "request-not-possible")?);
        Ok(())
    }

    pub(super) fn send(
        &mut self,
        kind: MessageType,
        timestamp: u32,
        payload: Bytes,
    ) -> Result<(), &'static str> {
        self.connection.send_media(kind, timestamp, payload).map_err(|_| "not-sendable")
    }

    pub(super) fn say_goodbye(&mut self) {
        if let Some(request) = self.request.take() {
            // It was not granted yet: then there is nothing to take leave of.
            let _ = self.connection.close(request);
        }
    }
}

//! What is spoken on a connection: bytes in, events out, bytes to send. One variant for each kind
//! of player, so that a further one (HTTP-FLV, HLS) is a file here and a name in the plan.
//!
//! No sockets, no clock, and nothing about what frames mean.

mod rtmp;

use crate::plan::Target;
use bytes::{Bytes, BytesMut};
use millstream_rtmp::message::MessageType;
use std::io;

/// The protocol on one connection.
pub enum Link {
    /// RTMP.
    Rtmp(Box<rtmp::Rtmp>),
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// To publish a stream.
    Publish,
    /// To play it.
    Play,
}

/// What happened.
pub enum LinkEvent {
    /// The server takes requests now.
    Ready,
    /// It granted the wish: media may be sent, or will come.
    Granted,
    /// Media came.
    Media {
        /// Audio, video or data.
        kind: MessageType,
        /// Its timestamp, milliseconds.
        timestamp: u32,
        /// Its payload.
        payload: Bytes,
    },
    /// The server says that the stream has ended for now; the connection stays.
    StreamEnded,
}

impl Link {
    /// Speaks RTMP. Its first bytes stand in the output.
    ///
    /// # Errors
    /// If the target's names cannot be written.
    pub fn rtmp(target: &Target, wish: Wish, entropy: [u8; 32]) -> io::Result<Self> {
        Ok(Self::Rtmp(Box::new(rtmp::Rtmp::new(target, wish, entropy)?)))
    }

    /// Takes bytes from the front of `input` up to the next event; nothing when all are taken.
    ///
    /// # Errors
    /// The kind of what the server did, when nothing more can come of it.
    pub fn receive(&mut self, input: &mut &[u8]) -> Result<Option<LinkEvent>, &'static str> {
        match self {
            Self::Rtmp(rtmp) => rtmp.receive(input),
        }
    }

    /// Bytes to send; to be taken out.
    pub fn output(&mut self) -> &mut BytesMut {
        match self {
            Self::Rtmp(rtmp) => rtmp.output(),
        }
    }

    /// Whether the handshake is done.
    pub fn is_open(&self) -> bool {
        match self {
            Self::Rtmp(rtmp) => rtmp.is_open(),
        }
    }

    /// Asks for the stream.
    ///
    /// # Errors
    /// If the name cannot be written.
    pub fn ask(&mut self, name: &str) -> Result<(), &'static str> {
        match self {
            Self::Rtmp(rtmp) => rtmp.ask(name),
        }
    }

    /// Sends a media message.
    ///
    /// # Errors
    /// If it cannot be sent here.
    pub fn send(
        &mut self,
        kind: MessageType,
        timestamp: u32,
        payload: Bytes,
    ) -> Result<(), &'static str> {
        match self {
            Self::Rtmp(rtmp) => rtmp.send(kind, timestamp, payload),
        }
    }

    /// Says goodbye in the protocol's words.
    pub fn say_goodbye(&mut self) {
        match self {
            Self::Rtmp(rtmp) => rtmp.say_goodbye(),
        }
    }
}

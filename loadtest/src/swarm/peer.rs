//! One connection of the generator: the socket, the protocol on it, and its role.
//!
//! Bytes in and out, nothing about when: which connection has its turn is `worker`'s business.

use crate::account::check::Account;
use crate::account::epoch::Epoch;
use crate::plan::Slow;
use crate::swarm::link::Link;
use crate::swarm::socket;
use bytes::{Buf, BytesMut};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use socket2::Socket;
use std::sync::Arc;

/// A connection.
pub struct Peer {
    /// Its number, never used again.
    pub id: u64,
    /// The socket, not blocking.
    pub socket: Socket,
    /// The protocol on it.
    pub link: Link,
    /// What it does.
    pub role: Role,
    /// How far it has come.
    pub stage: Stage,
    /// Since when, nanoseconds.
    pub since_ns: u64,
    /// When it began to connect, nanoseconds.
    pub began_ns: u64,
    /// When bytes came last, nanoseconds.
    pub heard_ns: u64,
    /// What the poller tells of it.
    pub interest: Interest,
    /// Bytes that the socket did not take yet.
    unsent: BytesMut,
}

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// TCP.
    Connecting,
    /// The protocol's handshake.
    Handshaking,
    /// The handshake is done; the server takes no requests yet.
    Opening,
    /// The stream was asked for.
    Asking,
    /// Granted; a player has no frame yet.
    Waiting,
    /// Publishing, or playing.
    Going,
    /// It said goodbye and waits for the server's end, so that nothing is lost on the way.
    Leaving,
}

/// What the poller shall tell of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interest {
    /// Bytes to read.
    pub read: bool,
    /// Room to write.
    pub write: bool,
}

/// What a connection does.
pub enum Role {
    /// Sends a stream.
    Publisher(Publisher),
    /// Receives one.
    Player(Box<Player>),
}

/// A publisher's place in its stream.
#[derive(Clone, Debug, Default)]
pub struct Publisher {
    /// Which of the run's streams, from 0.
    pub stream: u32,
    /// Its time of the stream, once the server accepted it.
    pub epoch: Option<Arc<Epoch>>,
    /// When its frame 0 was due.
    pub origin_ns: u64,
    /// The next video frame.
    pub video: u32,
    /// The next audio frame.
    pub audio: u32,
}

/// A player.
#[derive(Debug, Default)]
pub struct Player {
    /// Which group it belongs to.
    pub group: usize,
    /// Which of the run's streams it plays, from 0; its account has the stream's number.
    pub stream: u32,
    /// How it reads, if not properly.
    pub slow: Option<Slow>,
    /// What it got.
    pub account: Account,
    /// A video header came: a key frame can be decoded from here.
    pub has_header: bool,
    /// The first message of media came.
    pub has_media: bool,
}

/// What became of a read.
pub enum Got {
    /// So many bytes.
    Bytes(usize),
    /// Nothing now.
    Nothing,
    /// The end, in order or not.
    End(&'static str),
}

impl Peer {
    /// A connection that has begun.
    pub fn new(id: u64, socket: Socket, link: Link, role: Role, now_ns: u64) -> Self {
        Self {
            id,
            socket,
            link,
            role,
            stage: Stage::Connecting,
            since_ns: now_ns,
            began_ns: now_ns,
            heard_ns: now_ns,
            interest: Interest { read: true, write: true },
            unsent: BytesMut::new(),
        }
    }

    /// Comes to the next stage.
    pub fn enter(&mut self, stage: Stage, now_ns: u64) {
        (self.stage, self.since_ns) = (stage, now_ns);
    }

    /// Whether it counts as connecting still.
    pub fn is_connecting(&self) -> bool {
        self.stage < Stage::Waiting
    }

    /// Reads what is there, as far as the buffer reaches.
    pub fn read(&self, buffer: &mut [u8]) -> Got {
        match rustix::net::recv(&self.socket, buffer, RecvFlags::DONTWAIT) {
            Ok((0, _)) => Got::End("closed"),
            Ok((count, _)) => Got::Bytes(count),
            Err(Errno::AGAIN | Errno::INTR) => Got::Nothing,
            Err(error) => Got::End(socket::kind(error)),
        }
    }

    /// Sends what the protocol has to say, and the rest from before.
    ///
    /// # Errors
    /// The kind of error that ended the connection.
    pub fn flush(&mut self) -> Result<(), &'static str> {
        let output = self.link.output();
        if self.unsent.is_empty() {
            std::mem::swap(&mut self.unsent, output);
        } else if !output.is_empty() {
            self.unsent.extend_from_slice(output);
            output.clear();
        }
        while !self.unsent.is_empty() {
            let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
            match rustix::net::send(&self.socket, &self.unsent, flags) {
                Ok(sent) => self.unsent.advance(sent),
                Err(Errno::AGAIN | Errno::INTR | Errno::NOTCONN) => break,
                Err(error) => return Err(socket::kind(error)),
            }
        }
        if self.unsent.is_empty() && matches!(self.role, Role::Player(_)) {
            // Players say next to nothing: thousands of idle buffers are not kept.
            self.unsent = BytesMut::new();
        }
        Ok(())
    }

    /// Bytes that wait for the socket.
    pub fn unsent(&self) -> usize {
        self.unsent.len()
    }

    /// How it reads, if not properly and if it has come so far.
    pub fn slow(&self) -> Option<Slow> {
        match &self.role {
            Role::Player(player) if self.stage == Stage::Going => player.slow,
            _ => None,
        }
    }
}

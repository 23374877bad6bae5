//! One connection: its socket, what it does, and what it is still to be sent.

use super::stream::Stream;
use super::totals::Totals;
use bytes::{Buf, BytesMut};
use millstream_rtmp::connection::ServerConnection;
use rustix::io::Errno;
use rustix::net::SendFlags;
use std::os::fd::{AsFd, OwnedFd};

/// A connection.
#[derive(Debug)]
pub struct Connection {
    /// Its socket. It is never waited on.
    pub socket: OwnedFd,
    /// Its number among all that were accepted: places are given again.
    pub number: u64,
    /// What it does.
    pub role: Role,
    /// Bytes for this connection alone, which go before those of any log.
    pub private: BytesMut,
    /// The socket was full: epoll was asked to tell when there is room.
    pub parked: bool,
}

/// What a connection does.
#[derive(Debug)]
pub enum Role {
    /// It speaks RTMP: it has not said yet what it wants, or publishes.
    Session {
        /// The protocol.
        rtmp: Box<ServerConnection>,
        /// The stream that it publishes.
        publishes: Option<usize>,
    },
    /// It plays, and nothing that it says matters.
    Player {
        /// The stream.
        stream: usize,
        /// Its phase that he is served in.
        phase: usize,
        /// The offset in the stream's log of the next byte to be sent.
        cursor: u64,
    },
}

/// How a send ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Everything due is sent.
    Drained,
    /// The socket is full.
    Full,
}

impl Connection {
    /// A connection that has said nothing yet.
    pub fn new(socket: OwnedFd, number: u64, rtmp: ServerConnection) -> Self {
        let role = Role::Session { rtmp: Box::new(rtmp), publishes: None };
        Self { socket, number, role, private: BytesMut::new(), parked: false }
    }

    /// Sends everything due: one send, unless there are private bytes before the log's.
    ///
    /// # Errors
    /// If the connection is gone.
    pub fn send(&mut self, streams: &[Stream], totals: &mut Totals) -> Result<Flow, Errno> {
        if !self.private.is_empty() {
            let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
            let taken = count(rustix::net::send(&self.socket, &self.private, flags), totals)?;
            self.private.advance(taken);
            if !self.private.is_empty() {
                return Ok(Flow::Full);
            }
            // Whoever plays has no more of them.
            self.private = BytesMut::new();
        }
        if let Role::Player { stream, phase, cursor } = &mut self.role {
            let Stream { log, phases, .. } = &streams[*stream];
            let shown = phases[*phase].shown;
            // A joiner may stand where nothing is due yet.
            if *cursor < shown {
                *cursor += count(log.send(self.socket.as_fd(), *cursor, shown), totals)? as u64;
                if *cursor < shown {
                    return Ok(Flow::Full);
                }
            }
        }
        Ok(Flow::Drained)
    }

    /// From where to where a log's bytes are due, if they can be sent as they stand: it plays, has
    /// nothing of its own to be sent before, and its socket is not known to be full.
    pub fn due(&self, streams: &[Stream]) -> Option<(u64, u64)> {
        let Role::Player { stream, phase, cursor } = &self.role else { return None };
        let shown = streams[*stream].phases[*phase].shown;
        (!self.parked && self.private.is_empty() && *cursor < shown).then_some((*cursor, shown))
    }

    /// Enters what came of sending what was due.
    ///
    /// # Errors
    /// If the connection is gone.
    pub fn sent(
        &mut self,
        due: (u64, u64),
        sent: Result<usize, Errno>,
        totals: &mut Totals,
    ) -> Result<Flow, Errno> {
        let Role::Player { cursor, .. } = &mut self.role else { return Ok(Flow::Drained) };
        *cursor = due.0 + count(sent, totals)? as u64;
        Ok(if *cursor < due.1 { Flow::Full } else { Flow::Drained })
    }
}

/// Counts a send. A full socket took nothing.
fn count(sent: Result<usize, Errno>, totals: &mut Totals) -> Result<usize, Errno> {
    let taken = match sent {
        Err(Errno::AGAIN | Errno::INTR) => 0,
        other => other?,
    };
    totals.sends += 1;
    totals.bytes_sent += taken as u64;
    Ok(taken)
}

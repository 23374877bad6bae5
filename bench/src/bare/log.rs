//! The bytes of one stream as players get them, and where each byte stands. Offsets count from the
//! stream's first byte and never turn back; who reads up to where is `sender`'s business.
//!
//! ```text
//!   0 ......... start ================ end        offsets
//!     forgotten       kept, in one piece
//! ```
//! The bytes kept are contiguous, so that everything due is one slice and one send. In memory that
//! is a vector, and forgetting moves what is kept to its front. A ring of pages mapped twice would
//! save that move, but needs `unsafe`, and there is next to nothing to save: whoever forgets when a
//! key frame comes, before which nobody needs anything but those who are behind, moves nothing. The
//! vector also stays as small as one group of pictures, and in the cache.

use super::elsewhere::Elsewhere;
use super::pages::Pages;
use crate::bare::CHUNK_SIZE;
use bytes::BufMut;
use millstream_rtmp::chunk::write_standalone;
use millstream_rtmp::message::MessageType;
use rustix::fs::{FallocateFlags, MemfdFlags};
use rustix::net::SendFlags;
use std::os::fd::{BorrowedFd, OwnedFd};

/// Bytes that a log keeps at most: players further behind are overtaken.
pub const KEPT_MAX: u64 = 8 << 20;
/// Bytes before the log's start that stay in a file: sockets hold pages of it until their peers
/// have acknowledged them, and Linux lets a socket hold 4 MB (`tcp_wmem`).
const UNACKNOWLEDGED_MAX: u64 = 8 << 20;
/// Holes in a file begin and end at pages, or the rest of a page would be zeroed.
const PAGE: u64 = 4096;

/// The message stream that players play on: the first that a connection creates.
pub const STREAM_ID: u32 = 1;

/// What a log is kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// Memory of the process, sent with `send`.
    Memory,
    /// A file in memory (`memfd_create`), sent with `sendfile`, which copies nothing.
    File,
    /// A mapping, sent with `send`.
    Pages {
        /// Of huge pages.
        huge: bool,
    },
    /// Memory that a thread on another core writes, sent with `send`.
    Elsewhere {
        /// The core that writes.
        core: usize,
        /// Whoever sends copies what was written, and sends the copy.
        copied: bool,
    },
}

/// A stream's bytes.
#[derive(Debug)]
pub struct Log {
    start: u64,
    end: u64,
    store: Store,
}

#[derive(Debug)]
enum Store {
    /// The bytes from `start` to `end`.
    Memory(Vec<u8>),
    File {
        /// Every byte stands at its offset.
        file: OwnedFd,
        /// Before this offset there is a hole.
        hole: u64,
        /// One message; kept empty but allocated.
        message: Vec<u8>,
    },
    /// The same as in memory.
    Pages(Pages),
    /// The same as in memory.
    Elsewhere(Elsewhere),
}

impl Log {
    /// An empty log.
    ///
    /// # Errors
    /// If no file can be had.
    pub fn new(medium: Medium) -> rustix::io::Result<Self> {
        let store = match medium {
            Medium::Memory => Store::Memory(Vec::new()),
            Medium::File => {
                let file = rustix::fs::memfd_create("bare-log", MemfdFlags::CLOEXEC)?;
                Store::File { file, hole: 0, message: Vec::new() }
            }
            Medium::Pages { huge } => Store::Pages(Pages::new(huge)?),
            Medium::Elsewhere { core, copied } => Store::Elsewhere(Elsewhere::new(core, copied)?),
        };
        Ok(Self { start: 0, end: 0, store })
    }

    /// The offset of the first byte that is kept.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// The offset of the byte to come.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Appends a message as chunks.
    ///
    /// # Errors
    /// If what the log is kept in does not take it.
    pub fn append(
        &mut self,
        kind: MessageType,
        timestamp: u32,
        payload: &[u8],
    ) -> rustix::io::Result<()> {
        self.end += match &mut self.store {
            Store::Memory(bytes) => write_message(kind, timestamp, payload, bytes),
            Store::File { file, message, .. } => {
                message.clear();
                let length = write_message(kind, timestamp, payload, message);
                let (mut rest, mut at) = (&message[..], self.end);
                while !rest.is_empty() {
                    let written = rustix::io::pwrite(&*file, rest, at)?;
                    rest = &rest[written..];
                    at += written as u64;
                }
                length
            }
            Store::Pages(pages) => pages.append(kind, timestamp, payload)?,
            Store::Elsewhere(bytes) => bytes.append(kind, timestamp, payload)?,
        } as u64;
        Ok(())
    }

    /// The bytes from one offset to another, which must be kept still; none if they are in a file.
    pub fn bytes(&self, from: u64, to: u64) -> Option<&[u8]> {
        debug_assert!(self.start <= from && from <= to && to <= self.end);
        let range = (from - self.start) as usize..(to - self.start) as usize;
        match &self.store {
            Store::Memory(bytes) => Some(&bytes[range]),
            Store::File { .. } => None,
            Store::Pages(pages) => Some(pages.bytes(range)),
            Store::Elsewhere(bytes) => Some(bytes.bytes(range)),
        }
    }

    /// Offers the bytes from one offset to another to a socket, without waiting. Returns how many
    /// it took. The bytes must be kept still.
    ///
    /// # Errors
    /// As `send`'s and `sendfile`'s; `EAGAIN` if the socket is full.
    pub fn send(&self, socket: BorrowedFd<'_>, from: u64, to: u64) -> rustix::io::Result<usize> {
        // The socket is one that does not block: `sendfile` has no flag to say so.
        if let Store::File { file, .. } = &self.store {
            debug_assert!(self.start <= from && from <= to && to <= self.end);
            let mut at = from;
            return rustix::fs::sendfile(socket, file, Some(&mut at), (to - from) as usize);
        }
        let due = self.bytes(from, to).unwrap_or_default();
        rustix::net::send(socket, due, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)
    }

    /// Forgets what stands before an offset. If more is kept than may be, half of that stays, so that
    /// what is kept is not moved for every message.
    ///
    /// # Errors
    /// If the file does not give it back.
    pub fn forget_before(&mut self, at: u64) -> rustix::io::Result<()> {
        let mut at = at.clamp(self.start, self.end);
        if self.end - at > KEPT_MAX {
            at = self.end - KEPT_MAX / 2;
        }
        match &mut self.store {
            Store::Memory(bytes) => {
                bytes.drain(..(at - self.start) as usize);
            }
            Store::File { file, hole, .. } => {
                let until = at.saturating_sub(UNACKNOWLEDGED_MAX) / PAGE * PAGE;
                if until > *hole {
                    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
                    rustix::fs::fallocate(&*file, flags, *hole, until - *hole)?;
                    *hole = until;
                }
            }
            Store::Pages(pages) => pages.forget((at - self.start) as usize),
            Store::Elsewhere(bytes) => bytes.forget((at - self.start) as usize),
        }
        self.start = at;
        Ok(())
    }
}

/// Appends a message as every player is sent it, and returns how many bytes that are.
pub fn write_message(
    kind: MessageType,
    timestamp: u32,
    payload: &[u8],
    out: &mut impl BufMut,
) -> usize {
    let chunk_stream_id = match kind {
        MessageType::VIDEO => 6,
        MessageType::AUDIO => 4,
        _ => 5,
    };
    write_standalone(kind, chunk_stream_id, timestamp, STREAM_ID, payload, CHUNK_SIZE, out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType};
    use std::os::fd::AsFd;

    const HEADER: u64 = 12;
    /// All there are. The first core may be another one than that of the test, or not.
    fn media() -> [Medium; 6] {
        let core = loadtest::host::cores::allowed()[0];
        let elsewhere = |copied| Medium::Elsewhere { core, copied };
        let pages = |huge| Medium::Pages { huge };
        [Medium::Memory, Medium::File, pages(false), pages(true), elsewhere(false), elsewhere(true)]
    }

    fn pair() -> (OwnedFd, OwnedFd) {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None).unwrap()
    }

    /// What a player at `from` gets, as the last byte of each message of 100 bytes.
    fn sent(log: &Log, from: u64) -> Vec<u8> {
        let (near, far) = pair();
        let taken = log.send(near.as_fd(), from, log.end()).unwrap();
        assert_eq!(taken as u64, log.end() - from);
        let mut got = vec![0; taken + 1];
        let (count, _) = rustix::net::recv(&far, &mut got[..], RecvFlags::DONTWAIT).unwrap();
        assert_eq!(count, taken);
        got[..count].chunks(100 + HEADER as usize).map(|message| *message.last().unwrap()).collect()
    }

    #[test]
    fn a_cursor_gets_what_follows_it_whatever_was_forgotten() {
        for medium in media() {
            let mut log = Log::new(medium).unwrap();
            for number in 0..10 {
                log.append(MessageType::VIDEO, 0, &[number; 100]).unwrap();
            }
            let step = 100 + HEADER;
            assert_eq!((log.start(), log.end()), (0, 10 * step));
            assert_eq!(sent(&log, 7 * step), [7, 8, 9], "{medium:?}");
            log.forget_before(6 * step).unwrap();
            assert_eq!((log.start(), log.end()), (6 * step, 10 * step));
            log.append(MessageType::VIDEO, 0, &[10; 100]).unwrap();
            assert_eq!(sent(&log, 6 * step), [6, 7, 8, 9, 10], "{medium:?}");
            // What is forgotten stays forgotten, and what is not there yet cannot be.
            log.forget_before(0).unwrap();
            assert_eq!(log.start(), 6 * step);
            log.forget_before(u64::MAX).unwrap();
            assert_eq!(log.start(), log.end());
        }
    }

    #[test]
    fn no_more_is_kept_than_may_be() {
        for medium in media() {
            let mut log = Log::new(medium).unwrap();
            let mut most = 0;
            for number in 0..40 {
                log.append(MessageType::VIDEO, 0, &[number; 1 << 20]).unwrap();
                log.forget_before(0).unwrap();
                assert!(log.end() - log.start() <= KEPT_MAX);
                most = most.max(log.end() - log.start());
            }
            assert!(most > KEPT_MAX - (2 << 20), "{most}");
            if let Store::File { file, .. } = &log.store {
                let held = rustix::fs::fstat(file).unwrap().st_blocks as u64 * 512;
                assert!(held >= UNACKNOWLEDGED_MAX + log.end() - log.start(), "{held}");
                assert!(held <= UNACKNOWLEDGED_MAX + KEPT_MAX + (1 << 20), "{held}");
            }
        }
    }

    #[test]
    fn a_full_socket_takes_a_part_and_then_nothing() {
        for medium in media() {
            let mut log = Log::new(medium).unwrap();
            log.append(MessageType::VIDEO, 0, &[1; 4 << 20]).unwrap();
            let (near, _far) = pair();
            let taken = log.send(near.as_fd(), 0, log.end()).unwrap() as u64;
            assert!(taken > 0 && taken < log.end(), "{taken}");
            let again = log.send(near.as_fd(), taken, log.end());
            assert_eq!(again.unwrap_err(), rustix::io::Errno::AGAIN, "{medium:?}");
        }
    }
}

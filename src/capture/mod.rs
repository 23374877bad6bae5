//! Captures: the bytes of each connection, both ways and with times, in files that
//! `millstream inspect` reads.
//!
//! ```text
//!   shard: socket -> Tap --copy--> bounded channel --> one thread: mask -> buffer -> file
//! ```
//! A shard copies what it read or sent and goes on; when the thread falls behind, the copy is
//! dropped, and the file says how many bytes are missing. Secrets are masked before anything is
//! written: see `mask` and `scrub`. The form of the files stands in `format`, and for people in
//! `docs/capture.md`. What the bytes mean is the affair of [`crate::inspect`].

mod files;
pub mod format;
mod mask;
mod scrub;

use crate::config::Secret;
use crossbeam_channel::{Sender, TrySendError, bounded};
use files::Files;
use format::Direction;
use mask::Secrets;
use std::cell::Cell;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

/// Pieces of bytes that wait for the thread.
const PIECES_MAX: usize = 16_384;
/// Places in the channel beyond those, for beginnings and ends, which are small and not dropped
/// while there is room.
const NOTES_MAX: usize = 16_384;
/// Bytes that wait for the thread: a second of 500 Mbit/s.
const WAITING_BYTES_MAX: usize = 64 << 20;

/// Why captures cannot be written.
#[derive(Debug)]
pub struct CaptureError {
    /// The directory.
    pub directory: PathBuf,
    /// Why.
    pub source: io::Error,
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "captures cannot be written to {}: {}", self.directory.display(), self.source)
    }
}

impl std::error::Error for CaptureError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// The writer of captures, from the shards' side. Clones write to the same place.
#[derive(Clone)]
pub struct Capture {
    mail: Sender<Mail>,
    /// Bytes in the channel.
    waiting: Arc<AtomicUsize>,
}

/// What the thread is told.
enum Mail {
    Begin { connection: u64, peer: SocketAddr },
    Bytes { connection: u64, direction: Direction, at: Instant, bytes: Box<[u8]> },
    Gap { connection: u64, direction: Direction, at: Instant, bytes: u64 },
    End { connection: u64, at: Instant, reason: Box<str> },
    Stop,
}

/// The thread that writes.
pub struct Writing {
    mail: Sender<Mail>,
    thread: JoinHandle<()>,
}

impl Capture {
    /// Starts the thread. The directory is made if it is missing, for the user of this process only.
    ///
    /// # Errors
    /// If the directory or the thread cannot be had.
    pub fn start<'a>(
        directory: &Path,
        secrets: impl Iterator<Item = &'a Secret>,
    ) -> Result<(Self, Writing), CaptureError> {
        let failed = |source| CaptureError { directory: directory.to_owned(), source };
        let waiting = Arc::new(AtomicUsize::new(0));
        let mut files = Files::new(directory, Arc::new(Secrets::new(secrets))).map_err(failed)?;
        let (mail, inbox) = bounded(PIECES_MAX + NOTES_MAX);
        let arrived = Arc::clone(&waiting);
        let thread = std::thread::Builder::new()
            .name("capture".into())
            .spawn(move || files.run(&inbox, &arrived))
            .map_err(failed)?;
        let capture = Self { mail: mail.clone(), waiting };
        Ok((capture, Writing { mail, thread }))
    }

    /// Begins to capture a connection; nothing if the thread is too far behind.
    pub fn tap(&self, connection: u64, peer: SocketAddr) -> Option<Tap> {
        self.mail.try_send(Mail::Begin { connection, peer }).ok()?;
        Some(Tap { capture: self.clone(), connection, lost: [const { Cell::new(0) }; 2] })
    }

    /// Whether the thread is so far behind that bytes are dropped.
    fn is_behind(&self, bytes: usize) -> bool {
        self.mail.len() >= PIECES_MAX
            || self.waiting.load(Ordering::Relaxed) + bytes > WAITING_BYTES_MAX
    }
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capture").finish_non_exhaustive()
    }
}

impl Writing {
    /// Writes what waits, ends all files and the thread.
    pub fn finish(self) {
        // A thread that is gone has written what it could.
        let _ = self.mail.send(Mail::Stop);
        let _ = self.thread.join();
    }
}

/// One connection's end of it, on its shard.
pub struct Tap {
    capture: Capture,
    connection: u64,
    /// Bytes dropped since the last that were taken, by direction.
    lost: [Cell<u64>; 2],
}

impl Tap {
    /// Hands on what was read from the socket or taken by it.
    pub fn bytes(&self, direction: Direction, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let (at, connection) = (Instant::now(), self.connection);
        let lost = &self.lost[direction as usize];
        if self.capture.is_behind(bytes.len()) || !self.tell_gap(direction, at) {
            lost.set(lost.get() + bytes.len() as u64);
            return;
        }
        self.capture.waiting.fetch_add(bytes.len(), Ordering::Relaxed);
        let mail = Mail::Bytes { connection, direction, at, bytes: bytes.into() };
        if let Err(TrySendError::Full(mail) | TrySendError::Disconnected(mail)) =
            self.capture.mail.try_send(mail)
        {
            drop(mail);
            self.capture.waiting.fetch_sub(bytes.len(), Ordering::Relaxed);
            lost.set(lost.get() + bytes.len() as u64);
        }
    }

    /// Ends the connection's file.
    pub fn end(&self, reason: &str) {
        let at = Instant::now();
        for direction in [Direction::In, Direction::Out] {
            self.tell_gap(direction, at);
        }
        let connection = self.connection;
        // Without room the file stays open until the server ends.
        let _ = self.capture.mail.try_send(Mail::End { connection, at, reason: reason.into() });
    }

    /// Says what was dropped before. False if there is no room for that either.
    fn tell_gap(&self, direction: Direction, at: Instant) -> bool {
        let lost = &self.lost[direction as usize];
        let bytes = lost.get();
        let mail = Mail::Gap { connection: self.connection, direction, at, bytes };
        if bytes > 0 && self.capture.mail.try_send(mail).is_err() {
            return false;
        }
        lost.set(0);
        true
    }
}

#[cfg(test)]
mod tests;

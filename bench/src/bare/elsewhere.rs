//! A log's bytes written by another core, and if so wanted copied by the one that sends them: for the
//! trial of that.
//!
//! What is asked is where the bytes are when they are sent: in the cache of the core that wrote them,
//! or in that of the core that sends. So the buffer itself goes to a thread on the other core, which
//! appends to it, and comes back; the sender waits meanwhile. A shared log would not wait, but its
//! bytes would stand in the same places.

use super::cores::pin_to;
use super::log::write_message;
use millstream_rtmp::message::MessageType;
use rustix::io::Errno;
use std::io;
use std::ops::Range;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Bytes in one piece, written by a thread on another core.
#[derive(Debug)]
pub struct Elsewhere {
    /// What is kept of what the thread has written; with it while it writes.
    written: Vec<u8>,
    /// The same, copied by whoever sends.
    copy: Option<Vec<u8>>,
    /// One message on its way to the thread; kept empty but allocated.
    payload: Vec<u8>,
    orders: SyncSender<Order>,
    done: Receiver<Order>,
}

/// A buffer, and what is to be appended to it.
#[derive(Debug)]
struct Order {
    bytes: Vec<u8>,
    kind: MessageType,
    timestamp: u32,
    payload: Vec<u8>,
}

impl Elsewhere {
    /// Nothing, to be written on a core, and to be copied by the sender or not.
    ///
    /// # Errors
    /// If no thread can be had there.
    pub fn new(core: usize, copied: bool) -> rustix::io::Result<Self> {
        Self::start(core, copied)
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::INVAL))
    }

    fn start(core: usize, copied: bool) -> io::Result<Self> {
        let (orders, taken) = sync_channel::<Order>(1);
        let (finished, done) = sync_channel(1);
        let (began, begun) = sync_channel(1);
        // It ends when the log does, which drops the other ends.
        std::thread::Builder::new().name("log-writer".to_owned()).spawn(move || {
            let pinned = pin_to(&[core]);
            let failed = pinned.is_err();
            if began.send(pinned).is_err() || failed {
                return;
            }
            while let Ok(mut order) = taken.recv() {
                let Order { bytes, kind, timestamp, payload } = &mut order;
                write_message(*kind, *timestamp, payload, bytes);
                if finished.send(order).is_err() {
                    return;
                }
            }
        })?;
        begun.recv().map_err(io::Error::other)??;
        let copy = copied.then(Vec::new);
        Ok(Self { written: Vec::new(), copy, payload: Vec::new(), orders, done })
    }

    /// Has a message appended as players are sent it, and returns how many bytes that are.
    ///
    /// # Errors
    /// If the thread is gone.
    pub fn append(
        &mut self,
        kind: MessageType,
        timestamp: u32,
        payload: &[u8],
    ) -> rustix::io::Result<usize> {
        let before = self.written.len();
        let (bytes, mut own) =
            (std::mem::take(&mut self.written), std::mem::take(&mut self.payload));
        own.extend_from_slice(payload);
        let order = Order { bytes, kind, timestamp, payload: own };
        self.orders.send(order).map_err(|_| Errno::PIPE)?;
        let order = self.done.recv().map_err(|_| Errno::PIPE)?;
        (self.written, self.payload) = (order.bytes, order.payload);
        self.payload.clear();
        if let Some(copy) = &mut self.copy {
            copy.extend_from_slice(&self.written[before..]);
        }
        Ok(self.written.len() - before)
    }

    /// Some of the bytes, counted from the first one that is kept.
    pub fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.copy.as_ref().unwrap_or(&self.written)[range]
    }

    /// Forgets so many bytes from the front.
    pub fn forget(&mut self, count: usize) {
        self.written.drain(..count);
        if let Some(copy) = &mut self.copy {
            copy.drain(..count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_that_is_not_there_is_an_error() {
        assert!(Elsewhere::new(usize::MAX, false).is_err());
    }
}

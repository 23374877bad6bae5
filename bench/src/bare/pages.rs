//! A log's bytes in a mapping of its own, whose pages are as large as is wanted: for the trial of
//! that. The offsets of the bytes are `log`'s business.

use bytes::BufMut as _;
use memmap2::{Advice, MmapMut};
use millstream_rtmp::message::MessageType;
use rustix::io::Errno;
use std::ops::Range;

use super::log::{KEPT_MAX, write_message};

/// What is mapped. A log keeps up to [`KEPT_MAX`] and takes a message beyond that before it forgets;
/// only what is written takes memory.
const MAPPED: usize = 4 * KEPT_MAX as usize;
/// What the headers of a message may take at most: the first one, and one for each of its chunks.
const HEADERS_MAX: usize = 64 * 1024;

/// Bytes in one piece that grows at its end and is forgotten from its front.
#[derive(Debug)]
pub struct Pages {
    map: MmapMut,
    length: usize,
}

impl Pages {
    /// Nothing, in pages of the usual size or in huge ones, as far as the system has some:
    /// `/sys/kernel/mm/transparent_hugepage/enabled` must not say `never`.
    ///
    /// # Errors
    /// If no memory can be mapped, or the system knows no huge pages.
    pub fn new(huge: bool) -> rustix::io::Result<Self> {
        let advice = if huge { Advice::HugePage } else { Advice::NoHugePage };
        let map = MmapMut::map_anon(MAPPED).and_then(|map| {
            map.advise(advice)?;
            Ok(map)
        });
        let map = map.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::NOMEM))?;
        Ok(Self { map, length: 0 })
    }

    /// Appends a message as players are sent it, and returns how many bytes that are.
    ///
    /// # Errors
    /// If there is no room: nothing was forgotten for too long.
    pub fn append(
        &mut self,
        kind: MessageType,
        timestamp: u32,
        payload: &[u8],
    ) -> rustix::io::Result<usize> {
        let mut room = &mut self.map[self.length..];
        if room.remaining_mut() < payload.len() + HEADERS_MAX {
            return Err(Errno::NOBUFS);
        }
        let length = write_message(kind, timestamp, payload, &mut room);
        self.length += length;
        Ok(length)
    }

    /// Some of the bytes, counted from the first one that is kept.
    pub fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.map[..self.length][range]
    }

    /// Forgets so many bytes from the front.
    pub fn forget(&mut self, count: usize) {
        self.map.copy_within(count..self.length, 0);
        self.length -= count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_is_never_forgotten_is_an_error_and_no_panic() {
        for huge in [false, true] {
            let mut pages = Pages::new(huge).unwrap();
            let payload = vec![3; 1 << 20];
            let fitted =
                (0..100).take_while(|_| pages.append(MessageType::VIDEO, 0, &payload).is_ok());
            assert_eq!(fitted.count(), (MAPPED >> 20) - 1);
            let refused = pages.append(MessageType::VIDEO, 0, &payload);
            assert_eq!(refused, Err(Errno::NOBUFS));
            let all = pages.length;
            pages.forget(all - 10);
            assert_eq!(pages.bytes(0..10), [3; 10]);
            assert!(pages.append(MessageType::VIDEO, 0, &payload).is_ok());
        }
    }
}

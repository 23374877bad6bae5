//! What is to be done when.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Something to do. Connections are named by place and number: the place may have another
/// connection by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// A publisher's next frame is due.
    Send {
        /// Its place.
        at: usize,
        /// Its number.
        id: u64,
    },
    /// A connection goes, as the plan wants it.
    Leave {
        /// Its place.
        at: usize,
        /// Its number.
        id: u64,
    },
    /// Somebody publishes a stream, again.
    Publish {
        /// Number of the stream.
        stream: u32,
    },
    /// Somebody of a group plays, again.
    Play {
        /// The group.
        group: usize,
    },
}

/// Things to do, by their time.
#[derive(Debug, Default)]
pub struct Timers(BinaryHeap<Reverse<(u64, Act)>>);

impl Timers {
    /// Enters something.
    pub fn set(&mut self, at_ns: u64, act: Act) {
        self.0.push(Reverse((at_ns, act)));
    }

    /// The next time at which something is due; `u64::MAX` when nothing is.
    pub fn next_ns(&self) -> u64 {
        self.0.peek().map_or(u64::MAX, |next| next.0.0)
    }

    /// Takes out what is due, with the time at which it was.
    pub fn due(&mut self, now_ns: u64) -> Option<(u64, Act)> {
        if self.next_ns() > now_ns {
            return None;
        }
        self.0.pop().map(|next| next.0)
    }
}

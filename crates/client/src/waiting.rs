//! Events that wait until the application asks for them, and how many of them may: a server that sends
//! and never answers shall not fill our memory.

use crate::client::Event;
use std::collections::VecDeque;
use std::fmt;

/// Bytes of payloads that may wait: a second of a fast stream.
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// Events that may wait, for empty messages.
pub(crate) const EVENTS_MAX: usize = 16 * 1024;

/// A queue that knows when it is full. One event more always finds room.
#[derive(Default)]
pub(crate) struct Waiting {
    events: VecDeque<Event>,
    bytes: usize,
}

impl Waiting {
    pub(crate) fn push(&mut self, event: Event) {
        self.bytes += event.payload_bytes();
        self.events.push_back(event);
    }

    pub(crate) fn pop(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        self.bytes -= event.payload_bytes();
        Some(event)
    }

    /// Takes out the first event of a kind, from wherever it stands.
    pub(crate) fn take(&mut self, is: impl Fn(&Event) -> bool) -> Option<Event> {
        let at = self.events.iter().position(is)?;
        let event = self.events.remove(at)?;
        self.bytes -= event.payload_bytes();
        Some(event)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.bytes > BYTES_MAX || self.events.len() > EVENTS_MAX
    }
}

/// Counted only: there may be thousands, with media in them.
impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} events of {} bytes", self.events.len(), self.bytes)
    }
}

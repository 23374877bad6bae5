//! What is queued and not yet taken by the socket: bounded in bytes and in milliseconds of media, and
//! thinned out by a policy when the way up is narrower than the stream. Which message is what stands in
//! `class`, one publisher's queue in `lane`. Nothing here writes bytes.
//!
//! A live stream that arrives late is worth less than one with a hole. When a publisher's queue is
//! beyond its limit:
//!
//! 1. its pictures are dropped up to the newest key frame that is queued; where that key frame is too old
//!    itself, or there is none, all are, and further ones until the next key frame;
//! 2. where that does not suffice, sound older than half the limit is dropped too;
//! 3. where that does not suffice, texts and other data of that age are.
//!
//! Metadata and the headers of codecs are never dropped, only replaced by newer ones, so that what
//! follows a hole can be decoded. A server sees a stream whose timestamps make a step, as RTMP allows
//! (7.2 says nothing of lost messages: TCP loses none, and it is the sender who leaves them out).

mod class;
mod lane;
mod stats;

pub use stats::UplinkStats;

pub(crate) use class::{Class, SET_DATA_FRAME, is_metadata};

use lane::{Entry, Lane};
use millstream_flv::Tag;
use millstream_rtmp::session::RequestId;

/// How much may wait for the socket, by publisher. What the system's own buffer of the socket holds is
/// not counted: it is up to some megabytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UplinkLimits {
    /// Bytes. Several key frames must have room.
    pub bytes: usize,
    /// Milliseconds from the oldest to the newest frame, by their timestamps.
    pub ms: u32,
}

impl Default for UplinkLimits {
    /// 8 MiB or 2 s, the usual distance of key frames: more would be late in any case.
    fn default() -> Self {
        Self { bytes: 8 * 1024 * 1024, ms: 2_000 }
    }
}

/// What became of a message that was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It waits for the socket.
    Queued,
    /// The uplink has backed up, and it was left out.
    Skipped,
}

/// The queues of all publishers of one connection, which leave in the order in which they came.
#[derive(Debug)]
pub(crate) struct Uplink {
    limits: UplinkLimits,
    lanes: Vec<Lane>,
    /// Numbers entries in the order of their arrival.
    next_number: u64,
}

/// What goes out next.
#[derive(Debug, PartialEq)]
pub(crate) enum Outgoing {
    /// A message on a message stream.
    Tag { message_stream: u32, tag: Tag },
    /// The end of a publish, behind all that was queued of it.
    End(RequestId),
}

impl Uplink {
    pub(crate) fn new(limits: UplinkLimits) -> Self {
        Self { limits, lanes: Vec::new(), next_number: 0 }
    }

    /// Begins a publisher's queue.
    pub(crate) fn open(&mut self, stream: RequestId, message_stream: u32) {
        self.lanes.push(Lane::new(stream, message_stream));
    }

    /// Forgets a publisher and what it had queued.
    pub(crate) fn forget(&mut self, stream: RequestId) {
        self.lanes.retain(|lane| lane.stream != stream);
    }

    /// Forgets all publishers, those too that were to end behind what they had queued.
    pub(crate) fn clear(&mut self) {
        self.lanes.clear();
    }

    /// Queues a message, and thins the queue out if it is too long. Nothing if there is no such
    /// publisher.
    pub(crate) fn push(&mut self, stream: RequestId, tag: Tag) -> Option<Fate> {
        let lane = self.lanes.iter_mut().find(|lane| lane.stream == stream && !lane.ending)?;
        let number = self.next_number;
        self.next_number += 1;
        Some(lane.push(Entry::new(number, tag), self.limits))
    }

    /// Queues the end of a publisher behind what it has queued. False if there is none.
    pub(crate) fn end(&mut self, stream: RequestId) -> bool {
        let lane = self.lanes.iter_mut().find(|lane| lane.stream == stream);
        lane.is_some_and(|lane| !std::mem::replace(&mut lane.ending, true))
    }

    /// What goes out next.
    pub(crate) fn pop(&mut self) -> Option<Outgoing> {
        if let Some(at) = self.lanes.iter().position(|lane| lane.ending && lane.is_empty()) {
            return Some(Outgoing::End(self.lanes.remove(at).stream));
        }
        let waiting = self.lanes.iter_mut().filter_map(|lane| Some((lane.front_number()?, lane)));
        let (_, lane) = waiting.min_by_key(|(number, _)| *number)?;
        let message_stream = lane.message_stream;
        lane.pop().map(|tag| Outgoing::Tag { message_stream, tag })
    }

    pub(crate) fn message_stream(&self, stream: RequestId) -> Option<u32> {
        self.lanes.iter().find(|lane| lane.stream == stream).map(|lane| lane.message_stream)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lanes.iter().all(|lane| lane.is_empty() && !lane.ending)
    }

    pub(crate) fn stats(&self, stream: RequestId) -> Option<UplinkStats> {
        self.lanes.iter().find(|lane| lane.stream == stream).map(Lane::stats)
    }
}

#[cfg(test)]
mod tests;

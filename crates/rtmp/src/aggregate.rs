//! Aggregate messages: several messages in the payload of one (RTMP 1.0, section 7.1.6).
//!
//! Here they are taken apart; nothing here makes them. Whether the parts are of a kind that may
//! come at that place is the session's to judge.
//!
//! ```text
//! | type 8 | length 24 | timestamp 24, then its bits 24 to 31 | message stream 24 | payload | back pointer 32 | ...
//! ```

use core::fmt;

use bytes::{Buf, Bytes};

use crate::message::{Message, MessageType};

/// Type, length, timestamp, message stream id: the head of an FLV tag.
const HEADER_BYTES: usize = 11;

/// Takes an aggregate message apart, without copying payload.
///
/// The parts get the aggregate's chunk stream and its message stream id, which overrides theirs,
/// and their times are moved so that the first one has the aggregate's time. Back pointers carry
/// nothing that a stream needs: they are skipped, whatever they say, and the last may be missing.
/// Other bytes of the payload that form no whole part are an error, after the parts before them.
///
/// # Errors
///
/// If the message is not of type 22.
pub fn split_aggregate(message: &Message) -> Result<Aggregate, AggregateError> {
    if message.kind != MessageType::AGGREGATE {
        return Err(AggregateError::NotAnAggregate { kind: message.kind });
    }
    Ok(Aggregate {
        envelope: Message { payload: Bytes::new(), ..message.clone() },
        rest: message.payload.clone(),
        length: message.payload.len(),
        shift: None,
    })
}

/// The messages of one aggregate, in order. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Aggregate {
    /// The aggregate without its payload.
    envelope: Message,
    rest: Bytes,
    /// Of the whole payload, to tell offsets in it.
    length: usize,
    /// Added to each time; known with the first part.
    shift: Option<u32>,
}

impl Iterator for Aggregate {
    type Item = Result<Message, AggregateError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let part = self.part();
        if part.is_err() {
            self.rest.clear();
        }
        Some(part)
    }
}

impl core::iter::FusedIterator for Aggregate {}

impl Aggregate {
    fn part(&mut self) -> Result<Message, AggregateError> {
        let offset = self.length - self.rest.len();
        let header = self.rest.first_chunk().ok_or(AggregateError::Truncated { offset })?;
        let &[kind, l2, l1, l0, t2, t1, t0, t3, _, _, _]: &[u8; HEADER_BYTES] = header;
        let length = u32::from_be_bytes([0, l2, l1, l0]) as usize;
        let timestamp = u32::from_be_bytes([t3, t2, t1, t0]);
        let kind = MessageType(kind);
        if kind == MessageType::AGGREGATE {
            // Nothing sends them, and taking them apart in turn would have no end of depth.
            return Err(AggregateError::Nested { offset });
        }
        if self.rest.len() - HEADER_BYTES < length {
            return Err(AggregateError::Truncated { offset });
        }
        self.rest.advance(HEADER_BYTES);
        let payload = self.rest.split_to(length);
        self.rest.advance(self.rest.len().min(4));

        let base = self.envelope.timestamp;
        let shift = *self.shift.get_or_insert(base.wrapping_sub(timestamp));
        let timestamp = timestamp.wrapping_add(shift);
        Ok(Message { timestamp, kind, payload, ..self.envelope.clone() })
    }
}

/// Why an aggregate could not be taken apart, or not to its end. All but the first are the peer's
/// doing; offsets count from the beginning of the aggregate's payload, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AggregateError {
    /// The message is of another type: the caller's mistake.
    NotAnAggregate {
        /// Its type.
        kind: MessageType,
    },
    /// The part at `offset` ends after the aggregate.
    Truncated {
        /// Where its header begins.
        offset: usize,
    },
    /// The part at `offset` is an aggregate itself.
    Nested {
        /// Where its header begins.
        offset: usize,
    },
}

impl fmt::Display for AggregateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnAggregate { kind } => write!(f, "message type {} is no aggregate", kind.0),
            Self::Truncated { offset } => write!(f, "aggregate cut short in its part at {offset}"),
            Self::Nested { offset } => write!(f, "aggregate within an aggregate, at {offset}"),
        }
    }
}

impl core::error::Error for AggregateError {}

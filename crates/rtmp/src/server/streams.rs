//! The message streams of one connection and what each is doing.

use super::held::Held;
use crate::limits::MESSAGE_STREAMS_MAX;
use crate::session::{RequestId, split_query};

/// At most [`MESSAGE_STREAMS_MAX`] streams, found by walking: there is one, as a rule.
#[derive(Debug, Default)]
pub(super) struct Streams(Vec<Stream>);

#[derive(Debug)]
pub(super) struct Stream {
    pub(super) id: u32,
    pub(super) state: StreamState,
}

/// ```text
///          publish              accept
///   Idle -----------> Asking ----------> Publishing --.
///    ^ '-- play ------> Asking ---------> Playing ----|
///    '---------- reject, closeStream, FCUnpublish ----'
/// ```
/// `deleteStream` removes the stream from any state.
#[derive(Debug)]
pub(super) enum StreamState {
    Idle,
    PublishAsked(Box<PublishAsked>),
    Publishing {
        /// The name as sent, for `FCUnpublish`.
        name: Box<str>,
    },
    PlayAsked(Box<PlayAsked>),
    Playing,
}

#[derive(Debug)]
pub(super) struct PublishAsked {
    pub(super) request: RequestId,
    pub(super) name: Box<str>,
    pub(super) held: Held,
}

#[derive(Debug)]
pub(super) struct PlayAsked {
    pub(super) request: RequestId,
    pub(super) name: Box<str>,
    pub(super) reset: bool,
}

impl Streams {
    /// A new stream with the lowest free id, from 1; nothing when there are too many.
    pub(super) fn create(&mut self) -> Option<u32> {
        let id = (1..).find(|id| self.get(*id).is_none())?;
        self.insert(id).map(|stream| stream.id)
    }

    /// The stream of this id; created if the peer uses it without `createStream`, which some do
    /// with 0 and 1. Nothing when there are too many.
    pub(super) fn get_or_insert(&mut self, id: u32) -> Option<&mut Stream> {
        match self.0.iter().position(|stream| stream.id == id) {
            Some(index) => self.0.get_mut(index),
            None => self.insert(id),
        }
    }

    fn insert(&mut self, id: u32) -> Option<&mut Stream> {
        if self.0.len() >= MESSAGE_STREAMS_MAX {
            return None;
        }
        if self.0.is_empty() {
            // Nearly all connections have one stream: do not let the first push reserve four.
            self.0.reserve_exact(1);
        }
        self.0.push(Stream { id, state: StreamState::Idle });
        self.0.last_mut()
    }

    pub(super) fn get(&self, id: u32) -> Option<&Stream> {
        self.0.iter().find(|stream| stream.id == id)
    }

    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut Stream> {
        self.0.iter_mut().find(|stream| stream.id == id)
    }

    pub(super) fn remove(&mut self, id: u32) -> Option<Stream> {
        let index = self.0.iter().position(|stream| stream.id == id)?;
        Some(self.0.swap_remove(index))
    }

    /// The stream that media with this id belongs to.
    ///
    /// Some encoders leave the id at 0 in media, or publish on 0 and send media on 1: where there
    /// is one publisher and either id is 0, it is meant.
    pub(super) fn publisher_of(&mut self, id: u32) -> Option<&mut Stream> {
        if let Some(index) = self.0.iter().position(|stream| stream.id == id && stream.publishes())
        {
            return self.0.get_mut(index);
        }
        let mut publishers = self.0.iter_mut().filter(|stream| stream.publishes());
        let only = publishers.next()?;
        (publishers.next().is_none() && (id == 0 || only.id == 0)).then_some(only)
    }

    /// The publisher, accepted or not, that sent this name; queries do not count, since some
    /// encoders leave theirs out in `FCUnpublish`.
    pub(super) fn publisher_named(&self, wanted: &str) -> Option<u32> {
        let (wanted, _) = split_query(wanted);
        let named = |stream: &&Stream| match &stream.state {
            StreamState::Publishing { name } => split_query(name).0 == wanted,
            StreamState::PublishAsked(asked) => split_query(&asked.name).0 == wanted,
            _ => false,
        };
        self.0.iter().find(named).map(|stream| stream.id)
    }

    /// The stream with this open `publish` request.
    pub(super) fn publish_asked(&mut self, request: RequestId) -> Option<&mut Stream> {
        self.0.iter_mut().find(
            |stream| matches!(&stream.state, StreamState::PublishAsked(asked) if asked.request == request),
        )
    }

    /// The stream with this open `play` request.
    pub(super) fn play_asked(&mut self, request: RequestId) -> Option<&mut Stream> {
        self.0.iter_mut().find(
            |stream| matches!(&stream.state, StreamState::PlayAsked(asked) if asked.request == request),
        )
    }
}

impl Stream {
    fn publishes(&self) -> bool {
        matches!(self.state, StreamState::Publishing { .. } | StreamState::PublishAsked(_))
    }
}

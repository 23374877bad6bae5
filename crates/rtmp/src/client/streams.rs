//! What was asked of the server, and how far each request is.

use super::PlayOptions;
use crate::limits::MESSAGE_STREAMS_MAX;
use crate::session::{PublishMode, RequestId};

#[derive(Default)]
pub(super) struct Streams(Vec<Stream>);

/// One publish or play, from the request to its end.
pub(super) struct Stream {
    pub(super) request: RequestId,
    pub(super) name: Box<str>,
    pub(super) aim: Aim,
    pub(super) stage: Stage,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Aim {
    Publish(PublishMode),
    Play(PlayOptions),
}

/// ```text
/// Waiting --connected--> Creating --_result--> Asked --onStatus--> Running
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Waiting,
    Creating { transaction: u32 },
    Asked { stream_id: u32, transaction: u32 },
    Running { stream_id: u32 },
}

impl Streams {
    /// Whether there was room.
    pub(super) fn push(&mut self, stream: Stream) -> bool {
        let room = self.0.len() < MESSAGE_STREAMS_MAX;
        if room {
            self.0.push(stream);
        }
        room
    }

    pub(super) fn find(&mut self, is: impl Fn(&Stream) -> bool) -> Option<&mut Stream> {
        self.0.iter_mut().find(|stream| is(stream))
    }

    /// Who asked or runs on this message stream.
    pub(super) fn on(&self, id: u32) -> Option<RequestId> {
        let stream = self.0.iter().find(|stream| stream.stream_id() == Some(id));
        stream.map(|stream| stream.request)
    }

    pub(super) fn remove(&mut self, request: RequestId) -> Option<Stream> {
        let index = self.0.iter().position(|stream| stream.request == request)?;
        Some(self.0.remove(index))
    }

    /// The stream that asked, and that an `onStatus` on this id answers. Some servers answer on
    /// message stream 0; that is clear while one request is under way.
    pub(super) fn asked(&mut self, id: u32) -> Option<&mut Stream> {
        let asked = |stream: &Stream| match stream.stage {
            Stage::Asked { stream_id, .. } => Some(stream_id),
            _ => None,
        };
        if let Some(index) = self.0.iter().position(|stream| asked(stream) == Some(id)) {
            return self.0.get_mut(index);
        }
        let mut all = self.0.iter_mut().filter(|stream| asked(stream).is_some());
        let only = all.next()?;
        (id == 0 && all.next().is_none()).then_some(only)
    }

    /// The message stream of the first publisher that may send.
    pub(super) fn first_publishing(&self) -> Option<u32> {
        self.0.iter().find_map(Stream::publishing)
    }

    pub(super) fn is_publishing(&self, id: u32) -> bool {
        self.0.iter().any(|stream| stream.publishing() == Some(id))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn waiting(&self) -> Vec<RequestId> {
        let waiting = self.0.iter().filter(|stream| stream.stage == Stage::Waiting);
        waiting.map(|stream| stream.request).collect()
    }
}

impl Stream {
    pub(super) fn stream_id(&self) -> Option<u32> {
        match self.stage {
            Stage::Waiting | Stage::Creating { .. } => None,
            Stage::Asked { stream_id, .. } | Stage::Running { stream_id } => Some(stream_id),
        }
    }

    fn publishing(&self) -> Option<u32> {
        match (self.aim, self.stage) {
            (Aim::Publish(_), Stage::Running { stream_id }) => Some(stream_id),
            _ => None,
        }
    }
}

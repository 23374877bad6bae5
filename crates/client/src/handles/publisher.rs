//! The handle of one publish.

use super::shared::Handle;
use super::state::{State, remember};
use crate::client::{Event, SendError};
use crate::error::Error;
use crate::uplink::{Fate, UplinkStats};
use bytes::Bytes;
use millstream_amf0::{Object, Value};
use millstream_flv::{Tag, TagKind};
use millstream_rtmp::session::RequestId;
use std::future::poll_fn;
use std::task::{Context, Poll};

/// A stream that is sent. Sending never waits: what the socket does not take is queued, and thinned out
/// when that becomes too much, see [`UplinkLimits`](crate::UplinkLimits); who can wait instead
/// waits for [`Publisher::ready`]. Dropped, it ends behind what is queued.
#[derive(Debug)]
pub struct Publisher {
    handle: Handle,
    stream: RequestId,
}

impl Publisher {
    pub(super) fn new(handle: Handle, stream: RequestId) -> Self {
        Self { handle, stream }
    }

    /// Sends sound; the payload is that of an FLV audio tag.
    ///
    /// # Errors
    /// [`SendError`] says why nothing was taken.
    pub fn audio(&self, timestamp: u32, payload: Bytes) -> Result<Fate, SendError> {
        self.tag(Tag { kind: TagKind::Audio, timestamp, payload })
    }

    /// Sends pictures; the payload is that of an FLV video tag.
    ///
    /// # Errors
    /// As [`Publisher::audio`].
    pub fn video(&self, timestamp: u32, payload: Bytes) -> Result<Fate, SendError> {
        self.tag(Tag { kind: TagKind::Video, timestamp, payload })
    }

    /// Sends `onMetaData`, which the server shall give to each later viewer too.
    ///
    /// # Errors
    /// As [`Publisher::audio`].
    pub fn metadata(&self, timestamp: u32, metadata: Object) -> Result<Fate, SendError> {
        self.data(timestamp, "onMetaData", metadata.into())
    }

    /// Sends data under a name, such as `onTextData`.
    ///
    /// # Errors
    /// As [`Publisher::audio`].
    pub fn data(&self, timestamp: u32, name: &str, value: Value) -> Result<Fate, SendError> {
        self.handle.with(|state| {
            let fate = state.client.data(self.stream, timestamp, name, value)?;
            state.wake_driver();
            Ok(fate)
        })
    }

    /// Sends a tag of an FLV file. Metadata is marked as what the server shall keep.
    ///
    /// # Errors
    /// As [`Publisher::audio`].
    pub fn tag(&self, tag: Tag) -> Result<Fate, SendError> {
        self.handle.with(|state| {
            let fate = state.client.tag(self.stream, tag)?;
            state.wake_driver();
            Ok(fate)
        })
    }

    /// What was sent, left out and is queued. All 0 after the end.
    pub fn stats(&self) -> UplinkStats {
        self.handle.with(|state| state.client.uplink(self.stream)).unwrap_or_default()
    }

    /// Waits until nothing of this stream is queued: then nothing will be left out.
    ///
    /// # Errors
    /// How the connection ended, if not well.
    pub async fn ready(&self) -> Result<(), Error> {
        poll_fn(|cx| self.handle.with(|state| self.poll_ready(state, cx))).await
    }

    /// The next thing that the server says of this stream; nothing after its end. It need not be asked
    /// for: of thousands that nobody takes, the oldest are dropped.
    ///
    /// # Errors
    /// [`Error::Refused`] when the server ends it, and how the connection ended, if not well.
    pub async fn next(&self) -> Result<Option<Event>, Error> {
        poll_fn(|cx| self.handle.with(|state| state.poll_next(self.stream, cx))).await
    }

    fn poll_ready(&self, state: &mut State, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if let Some(outcome) = &state.outcome {
            return Poll::Ready(outcome.clone());
        }
        let queued = state.client.uplink(self.stream).map_or(0, |stats| stats.queued_messages);
        if queued == 0 {
            return Poll::Ready(Ok(()));
        }
        if let Some(inbox) = state.inbox(self.stream) {
            remember(&mut inbox.wakers, cx);
        }
        Poll::Pending
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.handle.with(|state| state.release(self.stream));
    }
}

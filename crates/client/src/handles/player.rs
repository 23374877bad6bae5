//! The handle of one play.

use super::shared::Handle;
use crate::client::Event;
use crate::error::Error;
use millstream_rtmp::session::RequestId;
use std::future::poll_fn;

/// A stream that is received. An application that does not take its events makes the connection rest,
/// all streams of it. Dropped, it ends.
#[derive(Debug)]
pub struct Player {
    handle: Handle,
    stream: RequestId,
}

impl Player {
    pub(super) fn new(handle: Handle, stream: RequestId) -> Self {
        Self { handle, stream }
    }

    /// The next event of this play: media, data, and what the server says of it. Nothing after the end
    /// of the connection. [`Event::Stopped`] is no end by itself: a publisher may come back.
    ///
    /// # Errors
    /// [`Error::Refused`] when the server ends it, and how the connection ended, if not well.
    pub async fn next(&mut self) -> Result<Option<Event>, Error> {
        poll_fn(|cx| self.handle.with(|state| state.poll_next(self.stream, cx))).await
    }

    /// Tells the server how much we buffer, in milliseconds.
    ///
    /// # Errors
    /// [`Error::Request`] after the end.
    pub fn set_buffer_length(&self, ms: u32) -> Result<(), Error> {
        self.handle.with(|state| {
            state.client.set_buffer_length(self.stream, ms)?;
            state.wake_driver();
            Ok(())
        })
    }

    /// Pauses, or goes on, at a time in milliseconds.
    ///
    /// # Errors
    /// [`Error::Request`] after the end.
    pub fn pause(&self, paused: bool, ms: u32) -> Result<(), Error> {
        self.handle.with(|state| {
            state.client.pause(self.stream, paused, ms)?;
            state.wake_driver();
            Ok(())
        })
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.handle.with(|state| state.release(self.stream));
    }
}

//! The handle of a whole connection.

use super::shared::Handle;
use super::state::remember;
use super::{Player, Publisher};
use crate::error::{Aim, Error};
use millstream_rtmp::client::PlayOptions;
use millstream_rtmp::session::PublishMode;
use std::future::poll_fn;
use std::task::Poll;

/// Asks for streams on a connection that a [`Driver`](super::Driver) drives. Clones ask on the same one.
#[derive(Clone, Debug)]
pub struct Remote {
    handle: Handle,
}

impl Remote {
    pub(super) fn new(handle: Handle) -> Self {
        Self { handle }
    }

    /// Publishes under a name, query and all, once the server has accepted it.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Flooded`], and how the connection ended, if it has.
    pub async fn publish(&self, name: &str, mode: PublishMode) -> Result<Publisher, Error> {
        let stream = self
            .handle
            .with(|state| state.ask(Aim::Publish, |client| client.publish(name, mode)))?;
        // Made before the answer, so that the request is taken back if nobody waits for it any more.
        let publisher = Publisher::new(self.handle.clone(), stream);
        self.handle.answered(stream).await?;
        Ok(publisher)
    }

    /// Plays a name, query and all, once the server has accepted it.
    ///
    /// # Errors
    /// As [`Remote::publish`].
    pub async fn play(&self, name: &str, options: PlayOptions) -> Result<Player, Error> {
        let stream =
            self.handle.with(|state| state.ask(Aim::Play, |client| client.play(name, options)))?;
        let player = Player::new(self.handle.clone(), stream);
        self.handle.answered(stream).await?;
        Ok(player)
    }

    /// Bytes received and sent so far, handshake included.
    pub fn bytes(&self) -> (u64, u64) {
        self.handle.with(|state| (state.client.bytes_received(), state.client.bytes_sent()))
    }

    /// Ends all streams, and waits until everything is sent and the server has closed its side.
    ///
    /// # Errors
    /// How the connection ended, if not well.
    pub async fn finish(self) -> Result<(), Error> {
        self.handle.with(|state| {
            state.client.finish();
            state.wake_driver();
        });
        poll_fn(|cx| {
            self.handle.with(|state| match &state.outcome {
                Some(outcome) => Poll::Ready(outcome.clone()),
                None => {
                    remember(&mut state.finishers, cx);
                    Poll::Pending
                }
            })
        })
        .await
    }
}

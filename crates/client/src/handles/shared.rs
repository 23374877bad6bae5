//! The lock around what handles and driver share, and who holds it. No task is woken and no waker is
//! dropped under it.

use super::state::State;
use crate::error::Error;
use millstream_rtmp::session::RequestId;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Debug)]
pub(super) struct Shared(Mutex<State>);

impl Shared {
    pub(super) fn new(state: State) -> Self {
        Self(Mutex::new(state))
    }

    /// Does something under the lock, and wakes afterwards whom it concerns.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let (value, due) = {
            // Nothing that is done under the lock can panic halfway, so what a panic elsewhere left is whole.
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let value = act(&mut state);
            (value, std::mem::take(&mut state.due))
        };
        due.settle();
        value
    }
}

/// One holder's access to what is shared. When the last one is dropped, the driver takes leave.
#[derive(Debug)]
pub(super) struct Handle(Arc<Shared>);

impl Handle {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        shared.with(|state| state.handles += 1);
        Self(Arc::clone(shared))
    }

    /// As [`Shared::with`].
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        self.0.with(act)
    }

    /// Waits for the answer to a request. What comes before it stays.
    pub(super) async fn answered(&self, stream: RequestId) -> Result<(), Error> {
        poll_fn(|cx| self.with(|state| state.poll_answer(stream, cx))).await
    }
}

impl Clone for Handle {
    fn clone(&self) -> Self {
        Self::new(&self.0)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.with(|state| {
            state.handles -= 1;
            if state.handles == 0 {
                state.wake_driver();
            }
        });
    }
}

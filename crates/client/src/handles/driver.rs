//! What moves the bytes of a connection that was split.

use super::{State, lock};
use crate::connection::Wire;
use crate::error::Error;
use futures_io::{AsyncRead, AsyncWrite};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

/// Events between two returns to the runtime, so that a fast server does not keep the thread.
const EVENTS_A_TURN: usize = 64;

/// Drives a connection: a future that ends with it. It ends well when [`Remote::finish`](super::Remote::finish)
/// was called, or all handles were dropped, and everything is sent.
///
/// Dropped before, it takes the connection with it, and the handles fail with [`Error::NoDriver`].
#[derive(Debug)]
#[must_use = "nothing moves until the driver is spawned or polled"]
pub struct Driver<IO> {
    shared: Arc<Mutex<State>>,
    wire: Wire<IO>,
    leaving: bool,
    /// Bytes that had been sent when those who wait for room were woken.
    woken_at: u64,
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Driver<IO> {
    pub(super) fn new(shared: Arc<Mutex<State>>, wire: Wire<IO>) -> Self {
        Self { shared, wire, leaving: false, woken_at: 0 }
    }

    /// Drives the connection beside a future that uses it, on one task, and returns what that future does.
    /// The connection is driven on until its handles, which the future should own, are gone and everything
    /// is sent.
    pub async fn beside<T>(mut self, future: impl Future<Output = T>) -> T {
        let value = {
            let mut future = pin!(future);
            let mut driving = true;
            poll_fn(|cx| {
                if driving {
                    driving = Pin::new(&mut self).poll(cx).is_pending();
                }
                let polled = future.as_mut().poll(cx);
                // What the future asked for goes out in the same turn.
                if driving && polled.is_pending() {
                    driving = Pin::new(&mut self).poll(cx).is_pending();
                }
                polled
            })
            .await
        };
        // The future has had its say; how the connection ends after it was told to the handles.
        let _ = self.await;
        value
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let mut state = lock(&self.shared);
        if let Some(outcome) = &state.outcome {
            return Poll::Ready(outcome.clone());
        }
        state.driver = Some(cx.waker().clone());
        if state.handles == 0 {
            state.client.finish();
        }
        for _ in 0..EVENTS_A_TURN {
            let reading = !state.is_full();
            match self.wire.poll_event(&mut state.client, cx, reading) {
                Poll::Ready(Ok(event)) => {
                    state.dispatch(event);
                    if let Some(outcome) = &state.outcome {
                        return Poll::Ready(outcome.clone());
                    }
                }
                Poll::Ready(Err(Error::Closed { .. })) if state.client.is_finishing() => {
                    return Poll::Ready(Ok(()));
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    let sent = state.client.bytes_sent();
                    if std::mem::replace(&mut self.woken_at, sent) < sent {
                        state.wake_all();
                    }
                    if state.client.is_finishing() && state.client.is_drained() {
                        self.leaving = true;
                    }
                    return Poll::Pending;
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Future for Driver<IO> {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut polled = if self.leaving { Poll::Pending } else { self.turn(cx) };
        if self.leaving {
            polled = self.wire.poll_goodbye(cx).map(Ok);
        }
        if let Poll::Ready(outcome) = &polled {
            end(&self.shared, outcome.clone());
        }
        polled
    }
}

impl<IO> Drop for Driver<IO> {
    fn drop(&mut self) {
        end(&self.shared, Err(Error::NoDriver));
    }
}

/// Tells all who wait, unless they have been told.
fn end(shared: &Mutex<State>, outcome: Result<(), Error>) {
    let mut state = lock(shared);
    state.outcome.get_or_insert(outcome);
    state.wake_all();
    std::mem::take(&mut state.finishers).into_iter().for_each(Waker::wake);
}

//! What moves the bytes of a connection that was split.

use super::shared::Shared;
use super::state::State;
use crate::connection::Wire;
use crate::error::Error;
use futures_io::{AsyncRead, AsyncWrite};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

/// Events between two returns to the runtime, so that a fast server does not keep the thread.
const EVENTS_A_TURN: usize = 64;

/// Bytes read between two returns to the runtime, about, for servers whose messages are long: they are read
/// under the lock that the handles want too.
const BYTES_A_TURN: u64 = 1024 * 1024;

/// Drives a connection: a future that ends with it. It ends well when [`Remote::finish`](super::Remote::finish)
/// was called, or all handles were dropped, and everything is sent.
///
/// Dropped before, it takes the connection with it, and the handles fail with [`Error::NoDriver`].
#[derive(Debug)]
#[must_use = "nothing moves until the driver is spawned or polled"]
pub struct Driver<IO> {
    shared: Arc<Shared>,
    wire: Wire<IO>,
    leaving: bool,
    /// Bytes that had been sent when those who wait for room were woken.
    woken_at: u64,
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Driver<IO> {
    pub(super) fn new(shared: Arc<Shared>, wire: Wire<IO>) -> Self {
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
        let Self { shared, wire, leaving, woken_at } = self;
        shared.with(|state| {
            if let Some(outcome) = &state.outcome {
                return Poll::Ready(outcome.clone());
            }
            state.driven_by(cx);
            if state.handles == 0 {
                state.client.finish();
            }
            let turned = events(state, wire, cx);
            let sent = state.client.bytes_sent();
            if std::mem::replace(woken_at, sent) < sent {
                state.wake_all();
            }
            match turned {
                Turn::Over(outcome) => Poll::Ready(outcome),
                Turn::Busy => {
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
                Turn::Quiet => {
                    *leaving = state.client.is_finishing() && state.client.is_drained();
                    Poll::Pending
                }
            }
        })
    }
}

/// How a turn went.
enum Turn {
    /// The connection is at its end.
    Over(Result<(), Error>),
    /// More is there than one turn may take.
    Busy,
    /// The socket, or whoever takes the events, is waited for.
    Quiet,
}

/// Moves what there is to be moved, as much as a turn may.
fn events<IO: AsyncRead + AsyncWrite + Unpin>(
    state: &mut State,
    wire: &mut Wire<IO>,
    cx: &mut Context<'_>,
) -> Turn {
    let received = state.client.bytes_received();
    for _ in 0..EVENTS_A_TURN {
        let reading = !state.is_full();
        match wire.poll_event(&mut state.client, cx, reading) {
            Poll::Ready(Ok(event)) => state.dispatch(event),
            Poll::Ready(Err(Error::Closed { .. })) if state.client.is_finishing() => {
                return Turn::Over(Ok(()));
            }
            Poll::Ready(Err(error)) => return Turn::Over(Err(error)),
            Poll::Pending => return Turn::Quiet,
        }
        if let Some(outcome) = &state.outcome {
            return Turn::Over(outcome.clone());
        }
        if state.client.bytes_received() - received > BYTES_A_TURN {
            break;
        }
    }
    Turn::Busy
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Future for Driver<IO> {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut polled = if self.leaving { Poll::Pending } else { self.turn(cx) };
        if self.leaving {
            polled = self.wire.poll_goodbye(cx).map(Ok);
        }
        if let Poll::Ready(outcome) = &polled {
            self.shared.with(|state| state.end(outcome.clone()));
        }
        polled
    }
}

impl<IO> Drop for Driver<IO> {
    fn drop(&mut self) {
        self.shared.with(|state| state.end(Err(Error::NoDriver)));
    }
}

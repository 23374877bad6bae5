//! The async form for several tasks: handles to ask and to send with, and a driver that is spawned or
//! polled beside them. This file has what they share; `driver` moves the bytes, `publisher` and `player`
//! are the streams.
//!
//! ```text
//!   Publisher ─┐                       ┌─▶ socket
//!   Publisher ─┼─▶ shared: the Client ◀┤ Driver
//!   Player   ◀─┘   and events by play  └─◀ socket
//! ```

mod driver;
mod player;
mod publisher;
mod remote;

pub use driver::Driver;
pub use player::Player;
pub use publisher::Publisher;
pub use remote::Remote;

use crate::client::{Client, Event};
use crate::connection::Connection;
use crate::error::{Aim, Error};
use crate::waiting::Waiting;
use futures_io::{AsyncRead, AsyncWrite};
use millstream_rtmp::session::{AnswerError, RequestId};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

impl<IO: AsyncRead + AsyncWrite + Unpin> Connection<IO> {
    /// Parts the connection into what asks and what drives. The driver is a future to be spawned, or to be
    /// polled [beside](Driver::beside) the application. Nobody hears any more of streams that were asked
    /// for before.
    pub fn split(self) -> (Remote, Driver<IO>) {
        let Self { client, wire, .. } = self;
        let state = State {
            client,
            inboxes: Vec::new(),
            driver: None,
            finishers: Vec::new(),
            outcome: None,
            handles: 0,
        };
        let shared = Arc::new(Mutex::new(state));
        (Remote::new(Handle::new(&shared)), Driver::new(shared, wire))
    }
}

#[derive(Debug)]
struct State {
    client: Client,
    inboxes: Vec<Inbox>,
    /// Wakes the driver.
    driver: Option<Waker>,
    /// Wake those who wait for the end.
    finishers: Vec<Waker>,
    /// How the driver ended.
    outcome: Option<Result<(), Error>>,
    handles: usize,
}

/// What waits for one publish or play.
#[derive(Debug)]
struct Inbox {
    stream: RequestId,
    /// When it is full, the driver rests from reading. What then fills is the server's buffer, which is
    /// where a player's place is.
    events: Waiting,
    /// Wake those who wait for an event, or for room.
    wakers: Vec<Waker>,
}

impl State {
    /// Wakes the driver: something is to be sent, or there is room to read.
    fn wake_driver(&mut self) {
        if let Some(waker) = self.driver.take() {
            waker.wake();
        }
    }

    fn wake_all(&mut self) {
        for inbox in &mut self.inboxes {
            inbox.wakers.drain(..).for_each(Waker::wake);
        }
    }

    fn inbox(&mut self, stream: RequestId) -> Option<&mut Inbox> {
        self.inboxes.iter_mut().find(|inbox| inbox.stream == stream)
    }

    /// Asks for a stream and makes a place for its events.
    fn ask(
        &mut self,
        ask: impl FnOnce(&mut Client) -> Result<RequestId, AnswerError>,
    ) -> Result<RequestId, Error> {
        if let Some(outcome) = &self.outcome {
            return Err(outcome.clone().err().unwrap_or(Error::NoDriver));
        }
        let stream = ask(&mut self.client)?;
        self.inboxes.push(Inbox { stream, events: Waiting::default(), wakers: Vec::new() });
        self.wake_driver();
        Ok(stream)
    }

    /// Takes the next event of a stream; nothing behind the end of the connection.
    fn poll_next(
        &mut self,
        stream: RequestId,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Event>, Error>> {
        let was_full = self.is_full();
        let outcome = self.outcome.clone();
        let Some(inbox) = self.inbox(stream) else {
            return Poll::Ready(Ok(None));
        };
        let Some(event) = inbox.events.pop() else {
            return match outcome {
                Some(outcome) => Poll::Ready(outcome.map(|()| None)),
                None => {
                    remember(&mut inbox.wakers, cx);
                    Poll::Pending
                }
            };
        };
        if was_full && !self.is_full() {
            self.wake_driver();
        }
        Poll::Ready(match event {
            Event::Refused(refusal) => Err(Error::Refused(refusal)),
            event => Ok(Some(event)),
        })
    }

    fn poll_answer(
        &mut self,
        stream: RequestId,
        aim: Aim,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        let outcome = self.outcome.clone();
        let Some(inbox) = self.inbox(stream) else {
            return Poll::Ready(Err(Error::NoDriver));
        };
        let is_answer = |event: &Event| {
            matches!(event, Event::Publishing(_) | Event::Playing(_) | Event::Refused(_))
        };
        match (inbox.events.take(is_answer), outcome) {
            (Some(Event::Refused(refusal)), _) => Poll::Ready(Err(Error::Refused(refusal))),
            (Some(_), _) => Poll::Ready(Ok(())),
            (None, Some(outcome)) => Poll::Ready(outcome.and(Err(Error::NoDriver))),
            (None, None) if inbox.events.is_full() => Poll::Ready(Err(Error::Flooded { aim })),
            (None, None) => {
                remember(&mut inbox.wakers, cx);
                Poll::Pending
            }
        }
    }

    /// Puts an event into its stream's place. What belongs to none is dropped.
    fn dispatch(&mut self, event: Event) {
        let Some(stream) = event.stream() else {
            if let Event::Refused(refusal) = event {
                self.outcome = Some(Err(Error::Refused(refusal)));
            }
            return;
        };
        if let Some(inbox) = self.inbox(stream) {
            inbox.events.push(event);
            inbox.wakers.drain(..).for_each(Waker::wake);
        }
    }

    /// Whether as much waits as may.
    fn is_full(&self) -> bool {
        self.inboxes.iter().any(|inbox| inbox.events.is_full())
    }

    /// Ends a stream that nobody holds any more.
    fn release(&mut self, stream: RequestId) {
        self.inboxes.retain(|inbox| inbox.stream != stream);
        // It may have ended by itself.
        let _ = self.client.close(stream);
        self.wake_driver();
    }
}

/// One holder's access to what is shared. When the last one is dropped, the driver takes leave.
#[derive(Debug)]
struct Handle(Arc<Mutex<State>>);

impl Handle {
    fn new(shared: &Arc<Mutex<State>>) -> Self {
        lock(shared).handles += 1;
        Self(Arc::clone(shared))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }

    /// Waits for the answer to a request. What comes before it stays.
    async fn answered(&self, stream: RequestId, aim: Aim) -> Result<(), Error> {
        poll_fn(|cx| self.lock().poll_answer(stream, aim, cx)).await
    }
}

impl Clone for Handle {
    fn clone(&self) -> Self {
        Self::new(&self.0)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let mut state = self.lock();
        state.handles -= 1;
        if state.handles == 0 {
            state.wake_driver();
        }
    }
}

/// Keeps a task's waker, once.
fn remember(wakers: &mut Vec<Waker>, cx: &Context<'_>) {
    if !wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
        wakers.push(cx.waker().clone());
    }
}

/// Nothing that is done under the lock can panic halfway, so what a panic elsewhere left is whole.
fn lock(shared: &Mutex<State>) -> MutexGuard<'_, State> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

//! What the handles and the driver of a connection share: the client, the events that wait by stream, and
//! who waits for them. The lock around it stands in `shared`; nothing here wakes anyone by itself.

use crate::client::{Client, Event};
use crate::error::{Aim, Error};
use crate::waiting::Waiting;
use millstream_rtmp::session::{AnswerError, RequestId};
use std::task::{Context, Poll, Waker};

#[derive(Debug)]
pub(super) struct State {
    pub(super) client: Client,
    pub(super) inboxes: Vec<Inbox>,
    /// Wakes the driver.
    pub(super) driver: Option<Waker>,
    /// Wake those who wait for the end.
    pub(super) finishers: Vec<Waker>,
    /// How the driver ended.
    pub(super) outcome: Option<Result<(), Error>>,
    pub(super) handles: usize,
    pub(super) due: Due,
}

/// What waits for one publish or play.
#[derive(Debug)]
pub(super) struct Inbox {
    pub(super) stream: RequestId,
    aim: Aim,
    /// When that of a play is full, the driver rests from reading. What then fills is the server's buffer,
    /// which is where a player's place is. That of a publish never makes it rest.
    pub(super) events: Waiting,
    /// Statuses of a publish were dropped, for nobody took them.
    overran: bool,
    /// Wake those who wait for an event, or for room.
    pub(super) wakers: Vec<Waker>,
}

/// Wakers that have done their waiting. Waking a task can run its end, and with it that of the handles it
/// holds, which take the lock; so can dropping a waker. Both are done when the lock is free again.
#[derive(Debug, Default)]
pub(super) struct Due {
    wake: Vec<Waker>,
    /// Replaced: dropped without being woken.
    spent: Vec<Waker>,
}

impl Due {
    /// To be called without the lock.
    pub(super) fn settle(self) {
        self.wake.into_iter().for_each(Waker::wake);
        drop(self.spent);
    }
}

impl State {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            inboxes: Vec::new(),
            driver: None,
            finishers: Vec::new(),
            outcome: None,
            handles: 0,
            due: Due::default(),
        }
    }

    /// Remembers the task that drives.
    pub(super) fn driven_by(&mut self, cx: &Context<'_>) {
        if !self.driver.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            self.due.spent.extend(self.driver.replace(cx.waker().clone()));
        }
    }

    /// Wakes the driver: something is to be sent, or there is room to read.
    pub(super) fn wake_driver(&mut self) {
        self.due.wake.extend(self.driver.take());
    }

    pub(super) fn wake_all(&mut self) {
        for inbox in &mut self.inboxes {
            self.due.wake.append(&mut inbox.wakers);
        }
    }

    /// Tells all who wait how it ended, unless they have been told.
    pub(super) fn end(&mut self, outcome: Result<(), Error>) {
        self.outcome.get_or_insert(outcome);
        self.wake_all();
        self.due.wake.append(&mut self.finishers);
    }

    pub(super) fn inbox(&mut self, stream: RequestId) -> Option<&mut Inbox> {
        self.inboxes.iter_mut().find(|inbox| inbox.stream == stream)
    }

    /// Asks for a stream and makes a place for its events.
    pub(super) fn ask(
        &mut self,
        aim: Aim,
        ask: impl FnOnce(&mut Client) -> Result<RequestId, AnswerError>,
    ) -> Result<RequestId, Error> {
        if let Some(outcome) = &self.outcome {
            return Err(outcome.clone().err().unwrap_or(Error::NoDriver));
        }
        let stream = ask(&mut self.client)?;
        let (events, wakers) = (Waiting::default(), Vec::new());
        self.inboxes.push(Inbox { stream, aim, events, overran: false, wakers });
        self.wake_driver();
        Ok(stream)
    }

    /// Takes the next event of a stream; nothing behind the end of the connection.
    pub(super) fn poll_next(
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
        self.made_room(was_full);
        Poll::Ready(match event {
            Event::Refused(refusal) => Err(Error::Refused(refusal)),
            event => Ok(Some(event)),
        })
    }

    /// Takes the answer to a request out from among what else has come.
    pub(super) fn poll_answer(
        &mut self,
        stream: RequestId,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        let was_full = self.is_full();
        let outcome = self.outcome.clone();
        let Some(inbox) = self.inbox(stream) else {
            return Poll::Ready(Err(Error::NoDriver));
        };
        let aim = inbox.aim;
        match (inbox.events.take(is_answer), outcome) {
            (Some(answer), _) => {
                self.made_room(was_full);
                Poll::Ready(match answer {
                    Event::Refused(refusal) => Err(Error::Refused(refusal)),
                    _ => Ok(()),
                })
            }
            (None, Some(outcome)) => Poll::Ready(outcome.and(Err(Error::NoDriver))),
            (None, None) if inbox.overran || inbox.events.is_full() => {
                Poll::Ready(Err(Error::Flooded { aim }))
            }
            (None, None) => {
                remember(&mut inbox.wakers, cx);
                Poll::Pending
            }
        }
    }

    /// Puts an event into its stream's place. What belongs to none is dropped, unless it is the end.
    pub(super) fn dispatch(&mut self, event: Event) {
        let Some(stream) = event.stream() else {
            match event {
                Event::Refused(refusal) => self.outcome = Some(Err(Error::Refused(refusal))),
                // Nothing more comes, even if the server leaves the socket open.
                Event::Closed if self.client.is_finishing() => self.outcome = Some(Ok(())),
                Event::Closed => self.outcome = Some(Err(Error::Closed { aim: self.client.aim() })),
                _ => {}
            }
            return;
        };
        if let Some(inbox) = self.inboxes.iter_mut().find(|inbox| inbox.stream == stream) {
            inbox.put(event);
            self.due.wake.append(&mut inbox.wakers);
        }
    }

    /// Whether as much waits as may, so that no more is to be read. Few look at what a server says of a
    /// publish, so that this does not count.
    pub(super) fn is_full(&self) -> bool {
        self.inboxes.iter().any(|inbox| inbox.aim == Aim::Play && inbox.events.is_full())
    }

    /// Ends a stream that nobody holds any more.
    pub(super) fn release(&mut self, stream: RequestId) {
        if let Some(at) = self.inboxes.iter().position(|inbox| inbox.stream == stream) {
            self.due.spent.append(&mut self.inboxes.remove(at).wakers);
        }
        // It may have ended by itself.
        let _ = self.client.close(stream);
        self.wake_driver();
    }

    /// An event was taken. A driver that rests has asked the socket for nothing, and goes on.
    fn made_room(&mut self, was_full: bool) {
        if was_full && !self.is_full() {
            self.wake_driver();
        }
    }
}

impl Inbox {
    /// Adds an event; of a publish's too many, the oldest status goes. Its answer and its end stay.
    fn put(&mut self, event: Event) {
        self.events.push(event);
        while self.aim == Aim::Publish && self.events.is_full() {
            self.overran = true;
            if self.events.take(|event| !is_answer(event)).is_none() {
                break;
            }
        }
    }
}

fn is_answer(event: &Event) -> bool {
    matches!(event, Event::Publishing(_) | Event::Playing(_) | Event::Refused(_))
}

/// Keeps a task's waker, once.
pub(super) fn remember(wakers: &mut Vec<Waker>, cx: &Context<'_>) {
    if !wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
        wakers.push(cx.waker().clone());
    }
}

//! Bytes between a socket and the client, in steps that can be polled.

use crate::client::{Client, Event};
use crate::error::{Aim, Error};
use futures_io::{AsyncRead, AsyncWrite};
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// Bytes read at once.
const READ_BYTES: usize = 64 * 1024;

/// Reads between two returns to the runtime: one megabyte. A server whose bytes make no event, and come as
/// fast as they are read, shall not keep the thread.
const READS_A_TURN: usize = 16;

/// A socket, and what was read from it.
pub(crate) struct Wire<IO> {
    io: IO,
    buffer: Box<[u8]>,
    /// `taken..filled` is not looked at yet.
    taken: usize,
    filled: usize,
    /// Bytes were written that the socket may hold back, as TLS does.
    unflushed: bool,
    /// Our side is closed.
    closed: bool,
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Wire<IO> {
    pub(crate) fn new(io: IO) -> Self {
        let buffer = vec![0; READ_BYTES].into_boxed_slice();
        Self { io, buffer, taken: 0, filled: 0, unflushed: false, closed: false }
    }

    pub(crate) fn io(&mut self) -> &mut IO {
        &mut self.io
    }

    /// Sends what can be sent and gives the next event. Without `reading` nothing is read from the socket,
    /// for the application does not keep up with what was. While the socket has more than a turn may take,
    /// the task is woken to go on.
    pub(crate) fn poll_event(
        &mut self,
        client: &mut Client,
        cx: &mut Context<'_>,
        reading: bool,
    ) -> Poll<Result<Event, Error>> {
        for _ in 0..READS_A_TURN {
            let mut input = &self.buffer[self.taken..self.filled];
            let event = client.receive(&mut input);
            self.taken = self.filled - input.len();
            let sent = self.send(client, cx);
            // What the server said last counts more than that it takes no answer.
            if let Some(event) = event? {
                return Poll::Ready(Ok(event));
            }
            if !reading {
                sent?;
                return Poll::Pending;
            }
            (self.taken, self.filled) = (0, 0);
            let read = Pin::new(&mut self.io).poll_read(cx, &mut self.buffer);
            match (read, sent) {
                (Poll::Ready(Ok(count)), _) if count > 0 => self.filled = count,
                (Poll::Ready(Err(error)), _) if error.kind() == io::ErrorKind::Interrupted => {}
                (_, Err(error)) => return Poll::Ready(Err(error)),
                (Poll::Ready(Ok(_)), _) => {
                    return Poll::Ready(Err(Error::Closed { aim: client.aim() }));
                }
                (Poll::Ready(Err(error)), _) => {
                    return Poll::Ready(Err(lost(error, client.aim())));
                }
                (Poll::Pending, _) => return Poll::Pending,
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Closes our side and reads until the other one is closed. Whatever fails, it is over then.
    pub(crate) fn poll_goodbye(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.closed {
            if ready!(Pin::new(&mut self.io).poll_close(cx)).is_err() {
                return Poll::Ready(());
            }
            self.closed = true;
        }
        for _ in 0..READS_A_TURN {
            match ready!(Pin::new(&mut self.io).poll_read(cx, &mut self.buffer)) {
                Ok(count) if count > 0 => {}
                _ => return Poll::Ready(()),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Gives the socket what it takes.
    fn send(&mut self, client: &mut Client, cx: &mut Context<'_>) -> Result<(), Error> {
        loop {
            let output = client.outgoing();
            if output.is_empty() {
                break;
            }
            match Pin::new(&mut self.io).poll_write(cx, output) {
                Poll::Ready(Ok(0)) => return Err(Error::Closed { aim: client.aim() }),
                Poll::Ready(Ok(count)) => {
                    client.sent(count);
                    self.unflushed = true;
                }
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Poll::Ready(Err(error)) => return Err(lost(error, client.aim())),
                Poll::Pending => return Ok(()),
            }
        }
        if self.unflushed {
            match Pin::new(&mut self.io).poll_flush(cx) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(error)) => return Err(lost(error, client.aim())),
                Poll::Pending => {}
            }
        }
        Ok(())
    }
}

/// Neither the socket, which may be one in memory, nor what was read is shown: keys may stand in both.
impl<IO> fmt::Debug for Wire<IO> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire")
            .field("unread_bytes", &(self.filled - self.taken))
            .field("unflushed", &self.unflushed)
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

pub(super) fn lost(error: io::Error, aim: Aim) -> Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::UnexpectedEof => Error::Closed { aim },
        _ => Error::Lost(Arc::new(error)),
    }
}

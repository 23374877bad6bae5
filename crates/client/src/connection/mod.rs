//! The async form for one task: a socket of any runtime under the client. What several tasks share
//! stands in `handles`, how bytes go in and out in `wire`.

mod wire;

pub(crate) use wire::Wire;

use crate::client::{Client, Event};
use crate::error::{Aim, Error};
use crate::handler::{Handler, hand_over};
use crate::options::Options;
use crate::waiting::Waiting;
use futures_io::{AsyncRead, AsyncWrite};
use millstream_rtmp::client::PlayOptions;
use millstream_rtmp::session::{PublishMode, RequestId};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

/// One connection to a server, owned by one task.
///
/// It takes what implements the traits of `futures-io`: sockets of smol and async-std as they are, those of
/// tokio by `tokio_util::compat`, those of monoio by its `compat` crate; with TLS or without. It knows no
/// clock: wrap what shall not last for ever into your runtime's time-out. All its futures can be dropped
/// at any time, and nothing is lost.
#[derive(Debug)]
pub struct Connection<IO> {
    pub(crate) client: Client,
    pub(crate) wire: Wire<IO>,
    /// Events that came while an answer was waited for.
    pub(crate) waiting: Waiting,
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Connection<IO> {
    /// A connection over a connected socket. Handshake and `connect` go on with whatever is awaited first.
    ///
    /// # Errors
    /// [`Error::Request`] when the options cannot be written.
    pub fn new(io: IO, options: Options) -> Result<Self, Error> {
        let client = Client::new(options)?;
        Ok(Self { client, wire: Wire::new(io), waiting: Waiting::default() })
    }

    /// Connects: waits until the server has accepted `connect`.
    ///
    /// # Errors
    /// [`Error::Refused`], and those of [`Connection::next`].
    pub async fn connect(io: IO, options: Options) -> Result<Self, Error> {
        let mut connection = Self::new(io, options)?;
        while !connection.client.is_connected() {
            match connection.turn().await? {
                Event::Refused(refusal) => return Err(Error::Refused(refusal)),
                Event::Closed => return Err(Error::Closed { aim: Aim::Connect }),
                event => connection.keep(event, Aim::Connect)?,
            }
        }
        Ok(connection)
    }

    /// The protocol machine, to ask and to send. What is asked goes out with what is awaited next.
    pub fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// The next thing the server does; meanwhile everything is sent that was handed over.
    ///
    /// # Errors
    /// [`Error::Closed`], [`Error::Lost`], [`Error::Protocol`].
    pub async fn next(&mut self) -> Result<Event, Error> {
        match self.waiting.pop() {
            Some(event) => Ok(event),
            None => self.turn().await,
        }
    }

    /// Publishes, and waits for the answer. What else comes meanwhile is kept for [`Connection::next`].
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Flooded`], and those of [`Connection::next`].
    pub async fn publish(&mut self, name: &str, mode: PublishMode) -> Result<RequestId, Error> {
        let stream = self.client.publish(name, mode)?;
        self.answered(stream, Aim::Publish).await
    }

    /// Plays, and waits for the answer. What else comes meanwhile is kept for [`Connection::next`].
    ///
    /// # Errors
    /// As [`Connection::publish`].
    pub async fn play(&mut self, name: &str, options: PlayOptions) -> Result<RequestId, Error> {
        let stream = self.client.play(name, options)?;
        self.answered(stream, Aim::Play).await
    }

    /// Waits until everything that was handed over is in the socket. Events are kept for
    /// [`Connection::next`]; when many wait, nothing more is read from the server meanwhile.
    ///
    /// # Errors
    /// As [`Connection::next`].
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Takes leave: ends publishes and plays as OBS does, sends what is left, closes the socket, and reads
    /// until the server has closed its side, so that nothing is lost to a reset.
    ///
    /// # Errors
    /// As [`Connection::next`], while something is left to be sent.
    pub async fn finish(mut self) -> Result<(), Error> {
        self.client.finish();
        self.flush().await?;
        poll_fn(|cx| self.wire.poll_goodbye(cx)).await;
        Ok(())
    }

    /// Calls a handler with all that comes, until it calls [`Client::finish`] or the server ends the
    /// connection.
    ///
    /// # Errors
    /// As [`Connection::next`]. That the server closes when nothing is published or played is none.
    pub async fn run(mut self, handler: &mut impl Handler) -> Result<(), Error> {
        while !self.client.is_finishing() {
            let event = match poll_fn(|cx| self.poll_run(cx, handler)).await {
                Ok(event) => event,
                Err(error) => return self.client.run_ends_by(error),
            };
            let closed = matches!(event, Event::Closed);
            hand_over(handler, &mut self.client, event);
            if closed && !self.client.is_finishing() {
                return self.client.run_ends_by(Error::Closed { aim: self.client.aim() });
            }
        }
        self.finish().await
    }

    /// The next event; the handler is asked for more whenever everything is sent.
    fn poll_run(
        &mut self,
        cx: &mut Context<'_>,
        handler: &mut impl Handler,
    ) -> Poll<Result<Event, Error>> {
        loop {
            if let Some(event) = self.waiting.pop() {
                return Poll::Ready(Ok(event));
            }
            let polled = self.wire.poll_event(&mut self.client, cx, true);
            if polled.is_ready() || !self.client.is_drained() {
                return polled;
            }
            handler.writable(&mut self.client);
            if self.client.is_drained() {
                return Poll::Pending;
            }
        }
    }

    async fn turn(&mut self) -> Result<Event, Error> {
        poll_fn(|cx| self.wire.poll_event(&mut self.client, cx, true)).await
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            let reading = !self.waiting.is_full();
            match self.wire.poll_event(&mut self.client, cx, reading) {
                Poll::Ready(Ok(event)) => self.waiting.push(event),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if self.client.is_drained() => {
                    let flushed = Pin::new(self.wire.io()).poll_flush(cx);
                    let aim = self.client.aim();
                    return flushed.map_err(|error| wire::lost(error, aim));
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn keep(&mut self, event: Event, aim: Aim) -> Result<(), Error> {
        self.waiting.push(event);
        if self.waiting.is_full() { Err(Error::Flooded { aim }) } else { Ok(()) }
    }

    async fn answered(&mut self, stream: RequestId, aim: Aim) -> Result<RequestId, Error> {
        loop {
            match self.turn().await {
                Ok(Event::Publishing(id) | Event::Playing(id)) if id == stream => {
                    return Ok(stream);
                }
                Ok(Event::Refused(refusal)) if refusal.stream.is_none_or(|id| id == stream) => {
                    return Err(Error::Refused(refusal));
                }
                Ok(event) => {
                    let closed = matches!(event, Event::Closed);
                    self.keep(event, aim)?;
                    if closed {
                        return Err(Error::Closed { aim });
                    }
                }
                Err(Error::Closed { .. }) => return Err(Error::Closed { aim }),
                Err(error) => return Err(error),
            }
        }
    }
}

//! The callback form: a method for each thing a server does, and one for when there is room to send.
//! Who calls them: `Connection::run` and `blocking::Connection::run`.

use crate::client::{Client, Event, Stop};
use crate::error::Refusal;
use bytes::Bytes;
use millstream_flv::TagKind;
use millstream_rtmp::client::{Connected, Reconnect, ServerCommand, Status};
use millstream_rtmp::session::{Data, RequestId};

/// What an application does when something happens. All methods do nothing unless they are written.
///
/// Each is given the [`Client`], to ask and to send; [`Client::finish`] ends the run. They are called
/// between reads of the socket, so whoever waits in one holds up the connection.
///
/// ```
/// use millstream_client::{Client, Handler, PlayOptions, StreamId, Stop};
/// use millstream_rtmp::client::Connected;
///
/// /// Counts the pictures of a stream until it ends.
/// #[derive(Default)]
/// struct Counter(u64);
///
/// impl Handler for Counter {
///     fn connected(&mut self, client: &mut Client, _: &Connected) {
///         // A connection at its end refuses this, and the run ends by itself.
///         let _ = client.play("film", PlayOptions::default());
///     }
///     fn video(&mut self, _: &mut Client, _: StreamId, _timestamp: u32, _payload: bytes::Bytes) {
///         self.0 += 1;
///     }
///     fn stopped(&mut self, client: &mut Client, _: StreamId, _: Stop) {
///         client.finish();
///     }
/// }
/// ```
#[expect(unused_variables, reason = "the names of the arguments are their documentation")]
pub trait Handler {
    /// The server accepted the connection.
    fn connected(&mut self, client: &mut Client, told: &Connected) {}

    /// A publish was accepted: send.
    fn publishing(&mut self, client: &mut Client, stream: RequestId) {}

    /// A play was accepted.
    fn playing(&mut self, client: &mut Client, stream: RequestId) {}

    /// The server has emptied the playlist for this play.
    fn reset(&mut self, client: &mut Client, stream: RequestId) {}

    /// A stream, or the whole connection, was refused or has failed.
    fn refused(&mut self, client: &mut Client, refusal: &Refusal) {}

    /// Sound, as the payload of an FLV audio tag.
    fn audio(&mut self, client: &mut Client, stream: RequestId, timestamp: u32, payload: Bytes) {}

    /// Pictures, as the payload of an FLV video tag.
    fn video(&mut self, client: &mut Client, stream: RequestId, timestamp: u32, payload: Bytes) {}

    /// Metadata, texts, cue points.
    fn data(&mut self, client: &mut Client, stream: RequestId, data: Data) {}

    /// Nothing more comes for now.
    fn stopped(&mut self, client: &mut Client, stream: RequestId, why: Stop) {}

    /// The stream has begun, or begun again.
    fn begun(&mut self, client: &mut Client, stream: RequestId) {}

    /// A status that means none of the others; of the connection if no stream is given.
    fn status(&mut self, client: &mut Client, stream: Option<RequestId>, status: &Status) {}

    /// The server wants us to connect again.
    fn reconnect(&mut self, client: &mut Client, told: &Reconnect) {}

    /// The answer to a ping.
    fn pong(&mut self, client: &mut Client, timestamp: u32) {}

    /// The server has received so many bytes, modulo 2^32.
    fn acknowledged(&mut self, client: &mut Client, bytes: u32) {}

    /// A command that means nothing here.
    fn command(&mut self, client: &mut Client, command: &ServerCommand) {}

    /// The server ends the connection by command. The run ends behind this call.
    fn closed(&mut self, client: &mut Client) {}

    /// Everything that was handed over has gone to the socket. It is called before each wait, so that
    /// who has more can send it.
    fn writable(&mut self, client: &mut Client) {}

    /// Time has passed. Only the blocking form calls it, as often as its caller wants.
    fn tick(&mut self, client: &mut Client) {}
}

/// Hands an event to its method. Media that belongs to no play is passed over.
pub(crate) fn hand_over<H: Handler + ?Sized>(handler: &mut H, client: &mut Client, event: Event) {
    match event {
        Event::Connected(told) => handler.connected(client, &told),
        Event::Publishing(stream) => handler.publishing(client, stream),
        Event::Playing(stream) => handler.playing(client, stream),
        Event::Reset(stream) => handler.reset(client, stream),
        Event::Refused(refusal) => handler.refused(client, &refusal),
        Event::Media { stream: Some(stream), tag } => match tag.kind {
            TagKind::Audio => handler.audio(client, stream, tag.timestamp, tag.payload),
            _ => handler.video(client, stream, tag.timestamp, tag.payload),
        },
        Event::Data { stream: Some(stream), data } => handler.data(client, stream, data),
        Event::Media { stream: None, .. } | Event::Data { stream: None, .. } => {}
        Event::Stopped { stream, why } => handler.stopped(client, stream, why),
        Event::Begun(stream) => handler.begun(client, stream),
        Event::Status { stream, status } => handler.status(client, stream, &status),
        Event::Reconnect(told) => handler.reconnect(client, &told),
        Event::Pong { timestamp } => handler.pong(client, timestamp),
        Event::Acknowledged { bytes } => handler.acknowledged(client, bytes),
        Event::Closed => handler.closed(client),
        Event::Command(command) => handler.command(client, &command),
    }
}

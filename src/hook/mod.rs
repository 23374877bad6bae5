//! The application hook: what a program that embeds the server decides, and what it hears.
//!
//! ```text
//!   connect ---> Application ---> Admission: a Session, and what it hears
//!   publish, play, unknown command, ping, end ... ---> that Session
//!   SessionHandle, from any thread ---> metadata, audio, video, data, ping, message, close
//! ```
//! [`Application`] is asked once per peer and shared by all shards; a [`Session`] belongs to one
//! peer and keeps what it likes in its own fields. Both are called on the shards and must not block.
//! A request may be answered at once or later, from any thread: meanwhile only the session that asked
//! waits, and after [`crate::limits::ANSWER_MAX`] it is refused. A callback that panics ends its own
//! session.
//!
//! An application that only decides never touches media: frames are handed to sessions that asked
//! to hear them, and to no other. The built-in rules are the first user (`rules`); the examples show
//! others. How frames are stored and sent does not belong here.

mod decision;
mod handle;

pub use crate::role::Role;
pub use decision::{
    Answer, Decision, Defer, MayPublish, Peer, Rejection, Reply, Request, stream_of,
};
pub(crate) use handle::Errand;
pub use handle::{SendError, SessionHandle};

use crate::name::StreamName;
use millstream_rtmp::message::Message;
use millstream_rtmp::server::UnknownCommand;
use millstream_rtmp::session::Data;
use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Decides who is let in, and as what. One for the whole server.
///
/// The default lets everybody publish and play everything under the name that he gave.
pub trait Application: Send + Sync + 'static {
    /// A peer connects to an application. `session` may be kept, to reach the peer later.
    fn connect(
        &self,
        _peer: &Arc<Peer>,
        _session: &SessionHandle,
        _defer: Defer<'_, Admission>,
    ) -> Answer<Admission> {
        Answer::accept(Admission::default())
    }
}

/// Leave to connect.
pub struct Admission {
    /// What hears of this peer from now on.
    pub session: Box<dyn Session>,
    /// Whether it is handed the frames and data messages that the peer publishes.
    pub hears_media: bool,
}

impl Admission {
    /// Leave for a peer whose media nobody but its viewers wants.
    pub fn new(session: impl Session) -> Self {
        Self { session: Box::new(session), hears_media: false }
    }

    /// The same, and the session is handed what the peer publishes.
    pub fn hearing_media(self) -> Self {
        Self { hears_media: true, ..self }
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission").field("hears_media", &self.hears_media).finish_non_exhaustive()
    }
}

impl Default for Admission {
    fn default() -> Self {
        Self::new(Everything)
    }
}

/// Lets its peer do everything.
struct Everything;

impl Session for Everything {}

/// Bytes of a connection, chunk headers and handshake included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// From the peer.
    pub received: u64,
    /// To the peer.
    pub sent: u64,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended<'a> {
    /// A stable short name: `peer-closed`, `lagging`, `taken-over` ...; the log has the same.
    pub reason: &'a str,
    /// All its bytes.
    pub totals: Totals,
    /// How long it was connected.
    pub lasted: Duration,
}

/// One peer, from its admission to its end. Every method has a default, which accepts or ignores.
pub trait Session: Send + 'static {
    /// It wants to publish.
    fn publish(&mut self, request: &Request, _defer: Defer<'_, MayPublish>) -> Answer<MayPublish> {
        let role = request.role();
        Answer::Now(stream_of(request).map(|stream| MayPublish::new(stream).with_role(role)))
    }

    /// It wants to play.
    fn play(&mut self, request: &Request, _defer: Defer<'_, StreamName>) -> Answer<StreamName> {
        Answer::Now(stream_of(request))
    }

    /// It publishes, or waits as a backup. An accepted request may still find the name taken, and is
    /// refused then.
    fn publish_started(&mut self, _stream: &StreamName) {}

    /// It plays, or waits for a stream that nobody publishes yet.
    fn play_started(&mut self, _stream: &StreamName) {}

    /// It publishes no longer: it said so, was taken over, or is gone. Once for each start.
    fn publish_finished(&mut self, _stream: &StreamName) {}

    /// It plays no longer. Once for each start.
    fn play_finished(&mut self, _stream: &StreamName) {}

    /// It published `onMetaData`. Only where media is heard.
    fn metadata(&mut self, _stream: &StreamName, _data: &Data) {}

    /// It published another data message. Only where media is heard.
    fn data(&mut self, _stream: &StreamName, _data: &Data) {}

    /// It published a message of audio, a header or a frame, as it came. Only where media is heard.
    fn audio(&mut self, _stream: &StreamName, _message: &Message) {}

    /// It published a message of video, a header or a frame, as it came. Only where media is heard.
    fn video(&mut self, _stream: &StreamName, _message: &Message) {}

    /// Its bytes so far; about once a second, where they changed.
    fn totals(&mut self, _totals: Totals) {}

    /// It acknowledged so many bytes, modulo 2^32 (RTMP 1.0, section 5.4.3).
    fn acknowledged(&mut self, _bytes: u32) {}

    /// It was sent a ping (RTMP 1.0, section 7.1.7).
    fn pinged(&mut self) {}

    /// It answered the newest ping, so much later.
    fn answered_ping(&mut self, _round_trip: Duration) {}

    /// It sent a command that means nothing to the server.
    fn unknown_command(&mut self, _command: &UnknownCommand) {}

    /// Somebody sent this with [`SessionHandle::message`].
    fn message(&mut self, _message: Box<dyn Any + Send>) {}

    /// It is gone. Nothing follows. A session that panicked is not told.
    fn disconnected(&mut self, _ended: &Ended<'_>) {}
}

//! Which part of a stream a log carries, and for which message stream id.
//!
//! Almost every reader has [`Projection::WHOLE`]; the others share a derived log, made when the
//! first of them comes.

use super::log::Framing;
use super::segment::Kind;
use std::sync::Arc;

/// To whom the messages speak: the wire form is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// To players.
    Play,
    /// To a server that the stream is published to.
    Publish,
    /// To whomever an application's own format is for.
    Own(FormatId),
}

/// Names a format that an application writes streams in (`egress::own`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FormatId(pub(crate) u8);

/// A selection of a stream's messages, and the message stream id they are addressed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Projection {
    /// Audio frames and their configuration.
    pub audio: bool,
    /// Video frames and their configuration.
    pub video: bool,
    /// The message stream id in each message.
    pub stream_id: u32,
    /// To whom they speak.
    pub form: Form,
}

impl Projection {
    /// Everything, to players, on message stream 1.
    pub const WHOLE: Self = Self { audio: true, video: true, stream_id: 1, form: Form::Play };

    /// Whether messages of this kind are part of it. Data messages always are.
    pub fn takes(self, kind: Kind) -> bool {
        (self.audio || !kind.is_audio()) && (self.video || !kind.is_video())
    }
}

/// Makes the framing of a projection; given to the registry by `egress`.
pub type MakeFraming = Arc<dyn Fn(Projection) -> Box<dyn Framing> + Send + Sync>;

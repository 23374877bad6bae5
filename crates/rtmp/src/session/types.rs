//! Small types in the sessions' signatures.

/// Names one open request of one session; never used twice in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub(crate) u32);

/// How a publisher wants its stream kept (RTMP 1.0, section 7.2.2.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PublishMode {
    /// Not kept. Also for encoders that name no type, or one of their own.
    #[default]
    Live,
    /// Kept in a new file.
    Record,
    /// Kept at the end of the file.
    Append,
}

impl PublishMode {
    /// Reads the type argument of `publish`.
    pub fn from_name(name: &str) -> Self {
        match name {
            "record" => Self::Record,
            "append" | "appendWithGap" => Self::Append,
            _ => Self::Live,
        }
    }

    /// The type argument of `publish`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Record => "record",
            Self::Append => "append",
        }
    }
}

/// The level of an information object (RTMP 1.0, section 7.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// All is well.
    Status,
    /// Something is amiss; the stream goes on.
    Warning,
    /// The request failed.
    Error,
}

impl Level {
    /// The level's name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Why the caller refuses a request, in the words that go to the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection<'a> {
    /// For programs, such as `NetStream.Publish.BadName`.
    pub code: &'a str,
    /// For people.
    pub description: &'a str,
}

impl<'a> Rejection<'a> {
    /// Connection refused.
    pub const fn connect(description: &'a str) -> Self {
        Self { code: "NetConnection.Connect.Rejected", description }
    }

    /// No such application.
    pub const fn invalid_app(description: &'a str) -> Self {
        Self { code: "NetConnection.Connect.InvalidApp", description }
    }

    /// The name is taken, or cannot be a name.
    pub const fn bad_name(description: &'a str) -> Self {
        Self { code: "NetStream.Publish.BadName", description }
    }

    /// The publisher may not.
    pub const fn publish_denied(description: &'a str) -> Self {
        Self { code: "NetStream.Publish.Denied", description }
    }

    /// Nothing plays under this name.
    pub const fn not_found(description: &'a str) -> Self {
        Self { code: "NetStream.Play.StreamNotFound", description }
    }

    /// The player may not.
    pub const fn play_failed(description: &'a str) -> Self {
        Self { code: "NetStream.Play.Failed", description }
    }
}

//! Why connections are turned away or closed for cause: the label `reason` of one metric.
//! The errors themselves live where they arise; this is only their coarse count.

use std::fmt;

macro_rules! refusals {
    ($($(#[$doc:meta])* $variant:ident => $label:literal,)*) => {
        /// A reason to turn a connection or a request away.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Refusal { $($(#[$doc])* $variant,)* }

        /// Every reason, in the order of the counters.
        pub const REFUSALS: &[Refusal] = &[$(Refusal::$variant,)*];

        impl Refusal {
            /// The label, as it stands in metrics and JSON.
            pub fn label(self) -> &'static str {
                match self { $(Refusal::$variant => $label,)* }
            }
        }
    };
}

refusals! {
    /// A cap of connections, streams or waiting players was reached.
    Cap => "cap",
    /// No file descriptor was left.
    Descriptors => "descriptors",
    /// A deadline passed: handshake, idle, or waiting for a stream.
    Timeout => "timeout",
    /// The handshake was malformed.
    Handshake => "handshake",
    /// The chunk stream or a control message was malformed or abusive.
    Chunk => "chunk",
    /// A command or data message was malformed AMF.
    Amf => "amf",
    /// A command came out of order, or too often.
    Command => "command",
    /// The stream name was not acceptable.
    Name => "name",
    /// The publishing key was missing or wrong.
    Key => "key",
    /// The stream is being published by someone else.
    Busy => "busy",
    /// The application hook said no.
    Hook => "hook",
    /// A viewer lagged too far or skipped too often.
    Lag => "lag",
    /// A viewer took no bytes for too long, or its connection is dead.
    Dead => "dead",
    /// An error of the server itself.
    Internal => "internal",
}

/// How many reasons there are.
pub(super) const COUNT: usize = REFUSALS.len();

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

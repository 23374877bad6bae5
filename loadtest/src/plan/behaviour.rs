//! How publishers and players behave.

use serde::Deserialize;
use std::time::Duration;

/// The publishers of a run.
#[derive(Clone, Debug)]
pub struct Publishers {
    /// How many streams are published. 0: somebody else publishes them.
    pub count: u32,
    /// The number of the first stream, so that several generators share one server.
    pub first: u32,
    /// How they behave.
    pub behaviour: Publishing,
    /// Over how long they come, evenly; zero is as fast as they can.
    pub over: Duration,
    /// Media seconds per second: 1 is real time.
    pub speed: f64,
}

impl Publishers {
    /// So many that come and stay.
    pub fn steady(count: u32) -> Self {
        let behaviour = Publishing::Steady;
        Self { count, first: 0, behaviour, over: Duration::ZERO, speed: 1.0 }
    }
}

/// How a publisher behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publishing {
    /// Comes and stays.
    Steady,
    /// Goes and comes again.
    Flapping {
        /// How long it stays, on the average; half to one and a half of it.
        stay: Duration,
        /// How long it is away, likewise.
        away: Duration,
        /// How it goes.
        manner: Manner,
    },
    /// Two publishers want each stream: whoever does not have it asks for it this often.
    Duel {
        /// How often.
        every: Duration,
    },
}

impl Publishing {
    /// Connections that want one stream.
    pub fn rivals(self) -> u64 {
        if matches!(self, Self::Duel { .. }) { 2 } else { 1 }
    }

    /// Whether a publisher that was asking, or that was publishing, may end in this way and come
    /// again, since the plan itself brings it about: a name may be taken still, or by the rival,
    /// and the rival may take it over.
    pub fn allows(self, why: &str, was_asking: bool, was_publishing: bool) -> bool {
        const TAKEN: [&str; 5] = [
            "publish-refused",
            "closed",
            "closed-by-command",
            "connection-reset",
            "request-timeout",
        ];
        match self {
            Self::Steady => false,
            Self::Flapping { .. } => was_asking && TAKEN.contains(&why),
            Self::Duel { .. } => (was_asking || was_publishing) && TAKEN.contains(&why),
        }
    }
}

/// How somebody goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Manner {
    /// With a goodbye, and when all is sent.
    #[default]
    InOrder,
    /// Without a word: a reset.
    Abrupt,
    /// The one or the other.
    Either,
}

/// Players of one kind.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name in reports.
    pub name: String,
    /// Its share of the players, against the shares of the others.
    pub share: u32,
    /// How they behave.
    pub behaviour: Playing,
}

impl Group {
    /// Players that come, stay and read.
    pub fn healthy() -> Self {
        Self { name: "players".to_owned(), share: 1, behaviour: Playing::Stay }
    }

    /// Whether every frame must come: who does not read is not owed any.
    pub fn judged(&self) -> bool {
        !matches!(self.behaviour, Playing::Slow(_))
    }
}

/// How a player behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Playing {
    /// Comes and stays.
    Stay,
    /// Goes and comes again.
    Flapping {
        /// How long it stays, on the average; half to one and a half of it.
        stay: Duration,
        /// How long it is away, likewise.
        away: Duration,
        /// How it goes.
        manner: Manner,
    },
    /// Reads less than it is sent.
    Slow(Slow),
}

/// How a player reads less than it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slow {
    /// Reads all, through a receive buffer of so many bytes.
    Window(usize),
    /// Reads byte by byte, so many a second.
    Trickle(u32),
    /// Reads nothing more once it plays.
    Stopped,
}

/// How long anything may take before it is an error by name.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// A TCP connection.
    pub connect: Duration,
    /// The RTMP handshake.
    pub handshake: Duration,
    /// The answer to `connect`, and that to `publish` or `play`.
    pub request: Duration,
    /// The first frame.
    pub first_frame: Duration,
    /// Silence in mid-stream, while the publisher sends.
    pub stall: Duration,
}

impl Patience {
    /// The longest that anything may take.
    pub fn longest(&self) -> Duration {
        let Self { connect, handshake, request, first_frame, .. } = *self;
        connect.max(handshake).max(request).max(first_frame)
    }
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            connect: seconds(10),
            handshake: seconds(10),
            request: seconds(10),
            first_frame: seconds(15),
            stall: seconds(10),
        }
    }
}

impl Group {
    /// Whether a connection of this group may end or fail in this way and come again, since the
    /// plan itself brings it about: who does not read may be hung up on, and who plays a stream
    /// whose publisher comes and goes may be told so.
    pub fn allows(&self, why: &str, publishing: Publishing) -> bool {
        const WITH_THE_STREAM: [&str; 8] = [
            "stream-ended",
            "closed",
            "closed-by-command",
            "connection-reset",
            "play-refused",
            "no-first-frame",
            "request-timeout",
            "stalled",
        ];
        !self.judged() || publishing != Publishing::Steady && WITH_THE_STREAM.contains(&why)
    }
}

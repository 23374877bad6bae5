//! The bare sender: what the same bytes to the same players cost with no server around them.
//!
//! It speaks just enough RTMP for `loadtest` to publish to it and to play from it, on one thread
//! with one epoll loop, and does nothing that is not needed to deliver: a publisher's message is
//! written once, as chunks that are right for every player, into the log of its stream; a player is a
//! cursor into it; everything due goes out in one `send` of one slice. When something is due is the
//! [`Policy`]; the loop is the [`Sender`].
//!
//! It is a yardstick and no server: names are not checked, an application is not looked at, nobody
//! is authenticated, no deadline is kept, a player that is slow is served from the log until that
//! overtakes him, and a stream lives as long as the process. What a player says once he plays is
//! read and thrown away.

mod connection;
mod cores;
mod elsewhere;
mod fanout;
mod log;
mod pages;
mod policy;
mod ring;
mod runtime;
mod sender;
mod socket;
mod stream;
mod threads;
mod totals;

pub use cores::pin_to;
pub use log::Medium;
pub use policy::Policy;
pub use sender::Sender;
pub use socket::SocketOptions;
pub use threads::ThreadedSender;
pub use totals::Totals;

/// Bytes of one chunk, announced to every player: a key frame of the generated stream fits in.
pub const CHUNK_SIZE: u32 = 65_536;

/// By which way bytes go to the sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sends {
    /// A system call for each player.
    Direct,
    /// One io_uring submission for all players of a flush. Not with [`Medium::File`].
    Ring,
}

/// How it is learned that a connection can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// By one epoll loop.
    Epoll,
    /// By a task for each, on the server's runtime, which waits until it is readable.
    Ready(Setup),
    /// By a task for each, likewise, which has a read under way into a buffer of its own.
    Held(Setup),
}

/// The flags that the runtime's io_uring is set up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// None.
    Plain,
    /// Cooperative task running: the thread is not interrupted for a completion.
    Coop,
    /// The same, and the ring says that there is something to run.
    CoopFlag,
    /// Cooperative task running, for one thread.
    SingleIssuer,
    /// The same, and completions are worked on when they are waited for.
    Defer,
}

/// How to send.
#[derive(Clone, Debug)]
pub struct Options {
    /// When players are sent what is there.
    pub policy: Policy,
    /// What the logs are kept in.
    pub medium: Medium,
    /// What is set on each connection.
    pub socket: SocketOptions,
    /// The players of a stream are served in so many groups, evenly spread over a window.
    pub phases: usize,
    /// By which way.
    pub sends: Sends,
    /// How it reads. What is not [`Waits::Epoll`] goes not with [`Medium::File`].
    pub waits: Waits,
}

impl Options {
    /// The plain sender: what a server is held against.
    pub fn plain(policy: Policy) -> Self {
        Self {
            policy,
            medium: Medium::Memory,
            socket: SocketOptions::default(),
            phases: 1,
            sends: Sends::Direct,
            waits: Waits::Epoll,
        }
    }
}

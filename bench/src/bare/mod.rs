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
mod sender;
mod socket;
mod stream;
mod totals;

pub use cores::pin_to;
pub use log::Medium;
pub use policy::Policy;
pub use sender::Sender;
pub use socket::SocketOptions;
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
}

impl Options {
    /// The plain sender: what a server is held against.
    pub fn plain(policy: Policy) -> Self {
        let (medium, socket) = (Medium::Memory, SocketOptions::default());
        Self { policy, medium, socket, phases: 1, sends: Sends::Direct }
    }
}

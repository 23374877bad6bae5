//! The bare sender as three threads joined by channels: one for the sockets, one for the protocol,
//! one for the sessions. For the trial of that, against one thread that does all.
//!
//! ```text
//!   sockets ──bytes read──────────► protocol ──messages, who publishes──► sessions
//!      ▲                               │ ▲                                   │
//!      └──bytes, and to whom they go───┘ └───messages, and to whom they go───┘
//! ```
//! It is built as well as such a server can be, or the trial would say little: one item in a channel
//! stands for messages and all their players, they are written as bytes once for all of them, a
//! player's backlog goes out in one call, and a thread that is awake is not woken. Audio rides on
//! video. What it does for its peers is otherwise what the one thread does.
//!
//! The channels have no bound of their own, for in a circle of bounded ones all may wait for each
//! other. What is in them all comes from what was read, and reading rests while they hold more
//! than [`WAITING_MAX`].

mod protocol;
mod sessions;
mod sockets;

use super::Totals;
use super::socket::{self, SocketOptions};
use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender, unbounded};
use millstream_rtmp::message::MessageType;
use millstream_rtmp::session::RequestId;
use rustix::event::{EventfdFlags, eventfd};
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Items in all channels beyond which nothing is read: some hundred of each publisher's messages at
/// a thousand publishers.
const WAITING_MAX: usize = 100_000;

/// A connection's number. None is given twice, so that what is under way to one that has gone
/// reaches nobody.
type Number = usize;

/// One message of a stream.
#[derive(Clone, Debug)]
struct Frame {
    kind: MessageType,
    timestamp: u32,
    payload: Bytes,
}

/// What the protocol thread is told.
enum ToProtocol {
    /// Somebody connected.
    Opened(Number),
    /// Bytes came.
    Read(Number, Bytes),
    /// The connection is gone.
    Closed(Number),
    /// The session lets it publish.
    Publish(Number, RequestId),
    /// The session lets it play, beginning with these.
    Play(Number, RequestId, Vec<Frame>),
    /// To be sent to all of these.
    Route(Vec<Frame>, Arc<[Number]>),
    /// No more will come.
    End,
}

/// What the session thread is told.
enum ToSessions {
    /// It wants to publish a stream.
    Publish(Number, RequestId, String),
    /// It wants to play a stream.
    Play(Number, RequestId, String),
    /// It publishes no more.
    Unpublish(Number),
    /// A publisher's message came.
    Came(Number, Frame),
    /// The connection is gone.
    Closed(Number),
    /// No more will come.
    End,
}

/// What the socket thread is told.
enum ToSockets {
    /// To be sent to one.
    One(Number, Bytes),
    /// To be sent to all of these.
    All(Arc<[Number]>, Bytes),
    /// To be closed.
    Close(Number),
}

/// The way to the socket thread, which waits in epoll and not in its channel.
#[derive(Clone)]
struct Sockets {
    items: Sender<ToSockets>,
    bell: Arc<Bell>,
}

impl Sockets {
    fn tell(&self, item: ToSockets) {
        // It goes last of all.
        let _ = self.items.send(item);
        self.bell.ring();
    }
}

/// Wakes a thread that waits in epoll.
#[derive(Debug)]
struct Bell {
    fd: OwnedFd,
    /// Set by whoever is about to wait, so that nobody rings for one that is awake.
    asleep: AtomicBool,
}

impl Bell {
    fn ring(&self) {
        if self.asleep.swap(false, Ordering::SeqCst) {
            // The only failure is a counter at its end: then it rings anyway.
            let _ = rustix::io::write(&self.fd, &1_u64.to_ne_bytes());
        }
    }
}

/// The three threads, of which none runs yet.
#[derive(Debug)]
pub struct ThreadedSender {
    listener: OwnedFd,
    address: SocketAddr,
    options: SocketOptions,
}

impl ThreadedSender {
    /// A sender that listens.
    ///
    /// # Errors
    /// If the address cannot be had, or no connection could be given the options.
    pub fn listen(address: SocketAddr, options: SocketOptions) -> io::Result<Self> {
        let (listener, address) = socket::listen(address)?;
        options.set_on(&listener)?;
        Ok(Self { listener, address, options })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Runs until it is told to stop, or for so long; the sockets on the thread of the caller.
    ///
    /// # Errors
    /// If the system fails: no descriptors, no threads.
    pub fn run(self, stop: &AtomicBool, lasts: Duration) -> io::Result<Totals> {
        let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let bell = Arc::new(Bell { fd, asleep: AtomicBool::new(false) });
        let (to_protocol, for_protocol) = unbounded();
        let (to_sessions, for_sessions) = unbounded();
        let (to_sockets, for_sockets): (_, Receiver<ToSockets>) = unbounded();
        let way = Sockets { items: to_sockets, bell: Arc::clone(&bell) };
        std::thread::scope(|scope| {
            let (back, onwards) = (to_protocol.clone(), to_sessions.clone());
            let named = |name: &str| std::thread::Builder::new().name(name.to_owned());
            named("protocol")
                .spawn_scoped(scope, move || protocol::run(&for_protocol, &onwards, &way))?;
            let sessions =
                named("sessions").spawn_scoped(scope, move || sessions::run(&for_sessions, &back));
            let waiting = || to_protocol.len() + to_sessions.len();
            let totals = sessions.and_then(|_| {
                let sockets = sockets::Sockets::new(self, for_sockets, &to_protocol, &bell)?;
                sockets.run(&waiting, stop, lasts)
            });
            // Both end with this, whatever happened; who has ended already does not mind.
            let _ = to_protocol.send(ToProtocol::End);
            totals.map(Totals::with_cpu)
        })
    }
}

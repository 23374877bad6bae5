//! What one shard says to another, or another thread to a shard: control only, never media.
//!
//! The channel is bounded and sends never wait. A shard drains its inbox as soon as it runs; the
//! bell rings only if it sleeps.

use super::bell::Bell;
use crate::hook::{Admission, Decision, Errand, MayPublish};
use crate::limits;
use crate::name::StreamName;
use crate::outbound::{Order, OrderId};
use crate::slots::Key;
use crate::stream::projection::FormatId;
use crate::stream::registry::ClaimId;
use crossbeam_channel::{Receiver, Sender, TrySendError};
use millstream_rtmp::session::RequestId;
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};

/// A message to a shard.
#[derive(Debug)]
pub(crate) enum Mail {
    /// The application's answer to a request of a connection.
    Decided {
        /// The connection.
        connection: Key,
        /// The request.
        request: RequestId,
        /// The answer.
        outcome: Outcome,
    },
    /// Something that the application wants done for a connection.
    Errand {
        /// The connection.
        connection: Key,
        /// What.
        errand: Errand,
    },
    /// A connection from this process.
    Connect {
        /// Our end of the pair of sockets.
        stream: UnixStream,
    },
    /// Another publisher takes a stream over: seal it and give the writing end back.
    Seal {
        /// The claim that ends.
        claim: ClaimId,
    },
    /// A stream that was promised to a claim of this shard waits in its hub.
    Inherit {
        /// The claim.
        claim: ClaimId,
    },
    /// Let a stream run into a socket of the application.
    LetOut {
        /// The stream.
        stream: StreamName,
        /// How it is written.
        format: FormatId,
        /// The socket.
        socket: UnixStream,
    },
    /// Keep something connected.
    Undertake(Arc<Order>),
    /// Do so no longer.
    GiveUp(OrderId),
    /// There is something new about streams that this shard pulls. Lost, it is seen at the next tick.
    Pulls,
    /// The addresses of a host that a connection of ours asked for; none if it has none.
    Resolved {
        /// The connection.
        outbound: Key,
        /// Its order.
        order: OrderId,
        /// The attempt that asked.
        attempt: u64,
        /// In the order in which they are to be tried.
        addresses: Vec<SocketAddr>,
    },
    /// Stop accepting, end the streams, let viewers have what is theirs, then stop.
    Drain,
}

/// An answer of the application.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// To `connect`.
    Connect(Decision<Admission>),
    /// To `publish`.
    Publish(Decision<MayPublish>),
    /// To `play`.
    Play(Decision<StreamName>),
}

/// The sending end of a shard's inbox. Cheap to clone, usable from any thread.
#[derive(Clone)]
pub(crate) struct Post {
    sender: Sender<Mail>,
    asleep: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
    bell: Arc<Bell>,
}

/// The receiving end, on the shard.
pub(crate) struct Inbox {
    receiver: Receiver<Mail>,
    asleep: Arc<AtomicBool>,
    bell: Arc<Bell>,
}

/// The mail comes back.
#[derive(Debug)]
pub(crate) enum Undelivered {
    /// The inbox is full.
    Full(Mail),
    /// Its shard is gone.
    Over(Mail),
}

/// Makes an inbox that rings `bell`.
pub(crate) fn inbox(bell: Bell) -> (Post, Inbox) {
    let (sender, receiver) = crossbeam_channel::bounded(limits::INBOX_MAX);
    let asleep = Arc::new(AtomicBool::new(false));
    let bell = Arc::new(bell);
    let over = Arc::new(AtomicBool::new(false));
    let post = Post { sender, asleep: Arc::clone(&asleep), over, bell: Arc::clone(&bell) };
    (post, Inbox { receiver, asleep, bell })
}

impl Post {
    /// The shard has ended: nobody reads its inbox any more.
    pub fn close(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Sends, without waiting.
    pub fn send(&self, mail: Mail) -> Result<(), Undelivered> {
        if self.over.load(Ordering::Relaxed) {
            return Err(Undelivered::Over(mail));
        }
        self.sender.try_send(mail).map_err(|error| match error {
            TrySendError::Full(mail) => Undelivered::Full(mail),
            TrySendError::Disconnected(mail) => Undelivered::Over(mail),
        })?;
        // Pairs with the fence in `fall_asleep`: one of the two sees the other's write.
        fence(Ordering::SeqCst);
        if self.asleep.load(Ordering::Relaxed) && self.asleep.swap(false, Ordering::AcqRel) {
            self.bell.ring();
        }
        Ok(())
    }
}

impl Inbox {
    /// The next message, if there is one.
    pub fn next(&self) -> Option<Mail> {
        self.receiver.try_recv().ok()
    }

    /// Says that the shard will wait for the bell; false if there is mail already.
    pub fn fall_asleep(&self) -> bool {
        self.asleep.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if self.receiver.is_empty() {
            return true;
        }
        self.asleep.store(false, Ordering::Relaxed);
        false
    }

    /// The bell that rings for mail.
    pub fn bell(&self) -> &Bell {
        &self.bell
    }
}

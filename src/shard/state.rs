//! What a shard holds: its connections, its publishers, its fan-out. Tables only; what happens to
//! them stands in `connection`, `publishing`, `playing` and `tick`.

use super::intake::Pace;
use super::outbound::Outbound;
use super::pulling::Pull;
use super::spouts::Spout;
use crate::capture::Tap;
use crate::capture::format::Direction;
use crate::egress::fanout::Fanout;
use crate::egress::outlet::{OutletId, Sent, Sink};
use crate::hook::{Peer, Session, Totals};
use crate::moment::Moment;
use crate::name::StreamName;
use crate::net::secure::Secure;
use crate::net::socket::{Socket, Writer};
use crate::pull::route::Route;
use crate::slate::Show;
use crate::slots::{Key, Slots};
use crate::stats::{Rate, ShardStats};
use crate::stream::hub::Hub;
use crate::stream::registry::ClaimId;
use crate::stream::segment::Kind;
use crate::stream::tenure::Tenure;
use crate::stream::writer::Arrival;
use millstream_rtmp::connection::ServerConnection;
use millstream_rtmp::session::RequestId;
use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

/// All state of a shard.
pub struct State {
    pub connections: Slots<Connection>,
    pub publishing: Slots<Publishing>,
    /// Connections that we make.
    pub outbound: Slots<Outbound>,
    /// Sockets of the application that streams run into.
    pub spouts: Slots<Spout>,
    /// Streams that this shard fetches.
    pub pulls: HashMap<StreamName, Pull>,
    /// Claims of this shard, held or promised.
    pub claims: HashMap<ClaimId, Key>,
    pub fanout: Fanout,
    /// By the place of the outlet.
    pub sockets: Vec<Option<Way>>,
    /// When publishers' audio stops waiting for video; entries may be out of date.
    pub rides: Rides,
    /// Players that were told of an end and are to be sent stream end a little later.
    pub farewells: VecDeque<(Moment, Key)>,
    /// Mail that found the other shard's inbox full.
    pub unsent: VecDeque<(usize, super::inbox::Mail)>,
    /// Shards that were marked and may have to be woken.
    pub marked: Vec<bool>,
}

/// Publishers whose frames wait to ride with others, by when that ends.
pub type Rides = BinaryHeap<Reverse<(Moment, Key)>>;

/// An outlet's socket and connection.
pub struct Way {
    pub writer: Writer,
    pub beside: Option<Box<Beside>>,
    pub owner: Owner,
}

/// What few ways have besides a socket: thousands are written to with each frame, and those that have
/// nothing of it look at nothing.
pub enum Beside {
    /// What is sent is captured here.
    Tap(Rc<Tap>),
    /// What is sent is encrypted.
    Secure(Rc<RefCell<Secure>>),
}

/// Whose something is: a connection's that was accepted, one's that we made, or the application's. As
/// large as one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner(Key);

/// An [`Owner`], told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// In [`State::connections`].
    Peer(Key),
    /// In [`State::outbound`].
    Target(Key),
    /// In [`State::spouts`].
    Spout(Key),
}

/// The table that a watched number belongs to, and the place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// In [`State::connections`].
    Peer(u32),
    /// In [`State::outbound`].
    Target(u32),
    /// In [`State::spouts`].
    Spout(u32),
}

impl Owner {
    /// Set in the place of those that we made, and in that of the application's; no table has as many
    /// places.
    const TARGET: u32 = 1 << 31;
    const SPOUT: u32 = 1 << 30;

    pub fn peer(key: Key) -> Self {
        Self(key)
    }

    pub fn target(mut key: Key) -> Self {
        key.at |= Self::TARGET;
        Self(key)
    }

    pub fn spout(mut key: Key) -> Self {
        key.at |= Self::SPOUT;
        Self(key)
    }

    pub fn whose(self) -> Whose {
        let Self(mut key) = self;
        match Self::table(key.at) {
            Table::Peer(_) => Whose::Peer(key),
            Table::Target(at) => {
                key.at = at;
                Whose::Target(key)
            }
            Table::Spout(at) => {
                key.at = at;
                Whose::Spout(key)
            }
        }
    }

    /// The number under which its socket is watched.
    pub fn number(self) -> u32 {
        self.0.at
    }

    /// What a watched number stands for.
    pub fn table(number: u32) -> Table {
        match number {
            at if at & Self::TARGET != 0 => Table::Target(at & !Self::TARGET),
            at if at & Self::SPOUT != 0 => Table::Spout(at & !Self::SPOUT),
            at => Table::Peer(at),
        }
    }
}

/// One accepted connection.
pub struct Connection {
    /// Its number in the process, as in the log.
    pub number: u64,
    pub address: SocketAddr,
    pub socket: Rc<Socket>,
    /// How it is read.
    pub pace: Pace,
    /// Where what is received is captured.
    pub tap: Option<Rc<Tap>>,
    pub protocol: ServerConnection,
    pub outlet: OutletId,
    /// Known from `connect` on.
    pub peer: Option<Arc<Peer>>,
    /// The servers by which it came, if it is an edge that asks for its own viewers.
    pub route: Option<Box<Route>>,
    /// What the application has for this peer, once it is admitted.
    pub session: Option<Box<dyn Session>>,
    /// Whether the session hears media.
    pub heard: bool,
    /// The bytes that the session was told of.
    pub told: Totals,
    /// The newest ping without an answer: its timestamp, and when it was sent.
    pub pinged: Option<(u32, Moment)>,
    pub since: Moment,
    pub last_read: Moment,
    pub last_ping: Moment,
    /// Messages besides media, as they were counted last.
    pub other_messages: u64,
    /// Requests that the application has not answered yet.
    pub asked: Vec<Asked>,
    /// Message streams that publish here or were promised to.
    pub publishes: Vec<Key>,
    pub play: Option<Play>,
    /// Requests since a moment, so that a loop of them is noticed.
    pub requests: (Moment, u32),
    /// It is closed when everything is sent, or then.
    pub closing: Option<(Moment, &'static str)>,
}

/// A request that waits for the application's answer.
#[derive(Clone, Copy)]
pub struct Asked {
    pub request: RequestId,
    pub stream_id: u32,
    pub since: Moment,
    pub what: What,
}

/// What was asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum What {
    Connect,
    Publish,
    Play,
}

/// What a connection plays.
pub struct Play {
    pub stream_id: u32,
    pub hub: Arc<Hub>,
    /// Whether nobody has published yet, so that it counts among those of its address that wait.
    pub waits: bool,
}

/// A stream that this shard owns, or was promised, or that somebody here waits for.
pub struct Publishing {
    pub tenure: Tenure,
    /// What is answered when the stream is owned, or waited for; `None` of a slate.
    pub request: Option<RequestId>,
    /// The server itself fetches it from elsewhere: it has no connection among those accepted.
    pub pulled: bool,
    /// The connection and its message stream; `None` once it is lost.
    pub source: Option<(Key, u32)>,
    /// Whether it was told that it may begin.
    pub welcomed: bool,
    /// What a slate plays.
    pub show: Option<Box<Show>>,
    pub rate: Rate,
    pub bytes: u64,
    /// What came since the stream's counters were told.
    pub fresh: Fresh,
    /// Tiny messages since they were counted last.
    pub tiny: u64,
}

/// What a publisher sent since a moment. Counted here, where its messages are handled anyway: the
/// stream's own counters are elsewhere in memory, and a thousand streams' are in no cache.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fresh {
    pub bytes: u64,
    pub frames: u64,
    pub keyframes: u64,
}

impl Publishing {
    /// Counts a message that is in the log, or will be when the stream comes.
    pub fn note(&mut self, arrival: &Arrival<'_>) {
        let bytes = arrival.payload.len() as u64;
        self.bytes += bytes;
        self.fresh.bytes += bytes;
        self.fresh.frames += u64::from(arrival.kind.is_frame());
        self.fresh.keyframes += u64::from(arrival.kind == Kind::VideoKey);
    }

    /// Adds what came to the stream's counters, which only its owner writes.
    pub fn count(&mut self) {
        if self.tenure.is_promised() {
            return;
        }
        let Fresh { bytes, frames, keyframes } = std::mem::take(&mut self.fresh);
        let stats = &self.tenure.hub.stats.publisher;
        stats.bytes_in.add(bytes);
        stats.frames_in.add(frames);
        stats.keyframes_in.add(keyframes);
    }
}

/// The sockets of all outlets, as the fan-out sees them.
pub struct Sockets<'a> {
    pub ways: &'a [Option<Way>],
    pub stats: &'a ShardStats,
}

impl Sink for Sockets<'_> {
    fn send(&mut self, outlet: OutletId, bytes: &[u8]) -> Sent {
        let Some(Some(way)) = self.ways.get(outlet.at as usize) else { return Sent::Broken };
        let Some(beside) = way.beside.as_deref() else {
            let Ok(count) = way.writer.write(bytes) else { return Sent::Broken };
            return self.sent(count, bytes.len());
        };
        self.send_beside(way, beside, bytes, &[])
    }

    fn send_joined(&mut self, outlet: OutletId, first: &[u8], second: &[u8]) -> Sent {
        let Some(Some(way)) = self.ways.get(outlet.at as usize) else { return Sent::Broken };
        let Some(beside) = way.beside.as_deref() else {
            let Ok(count) = way.writer.write_joined(first, second) else { return Sent::Broken };
            return self.sent(count, first.len() + second.len());
        };
        self.send_beside(way, beside, first, second)
    }
}

impl Sockets<'_> {
    /// Counts what a socket took.
    fn sent(&self, count: usize, offered: usize) -> Sent {
        self.stats.sends.add(1);
        self.stats.bytes_out.add(count as u64);
        if count < offered {
            self.stats.short_sends.add(1);
        }
        Sent::Wrote(count)
    }

    /// Sends what is captured or encrypted.
    fn send_beside(&self, way: &Way, beside: &Beside, first: &[u8], second: &[u8]) -> Sent {
        let written = match beside {
            Beside::Tap(_) if second.is_empty() => way.writer.write(first),
            Beside::Tap(_) => way.writer.write_joined(first, second),
            Beside::Secure(secure) => {
                let mut secure = secure.borrow_mut();
                match secure.write(&way.writer, first) {
                    Ok(count) if count == first.len() && !second.is_empty() => {
                        secure.write(&way.writer, second).map(|more| count + more)
                    }
                    written => written,
                }
            }
        };
        let Ok(count) = written else { return Sent::Broken };
        if let Beside::Tap(tap) = beside {
            let here = count.min(first.len());
            tap.bytes(Direction::Out, &first[..here]);
            if here < count {
                tap.bytes(Direction::Out, &second[..count - here]);
            }
        }
        self.sent(count, first.len() + second.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_told_apart() {
        let mut slots = Slots::default();
        let keys = [slots.insert(()), slots.insert(())];
        for key in keys {
            assert_eq!(Owner::peer(key).whose(), Whose::Peer(key));
            assert_eq!(Owner::target(key).whose(), Whose::Target(key));
            assert_eq!(Owner::spout(key).whose(), Whose::Spout(key));
            assert_eq!(Owner::table(Owner::peer(key).number()), Table::Peer(key.at));
            assert_eq!(Owner::table(Owner::target(key).number()), Table::Target(key.at));
            assert_eq!(Owner::table(Owner::spout(key).number()), Table::Spout(key.at));
        }
    }

    #[test]
    fn a_way_of_a_viewer_is_half_a_cache_line() {
        assert_eq!(size_of::<Way>(), 32);
    }
}

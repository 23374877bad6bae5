//! One player: what its socket takes, and the judge of everything that it is sent.

use super::random::Random;
use super::truth::{self, Stream};
use bytes::Bytes;
use millstream::egress::outlet::{OutletId, Sent};
use millstream::egress::turn::{HangUp, Notice};
use millstream::moment::Moment;
use millstream::stream::headers::{Carrier, HeaderSlot};
use millstream::stream::projection::Projection;
use millstream::stream::segment::Kind;
use millstream_rtmp::chunk::{ChunkLimits, ChunkReader, standalone_len};
use millstream_rtmp::message::{Message, MessageType};
use std::collections::{BTreeMap, HashSet};
use std::sync::OnceLock;
use std::time::Duration;

/// How a player's socket behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Temper {
    /// Takes everything.
    Fast,
    /// Takes all, some, one byte; full for moments.
    Choppy,
    /// Takes nothing for up to ten seconds at a time.
    Bursts,
    /// Takes nothing for very long.
    Stuck,
}

pub struct Player {
    pub shard: usize,
    pub outlet: OutletId,
    /// The stream's number in the truth; the name is its hub's.
    pub stream: usize,
    pub projection: Projection,
    pub temper: Temper,
    /// Its temper for most of the story; in the end all are fast.
    nature: Temper,
    pub paused: bool,
    pub hung_up: Option<HangUp>,
    /// Between a short write and the next time it is writable.
    pub full_until: Option<Moment>,
    pub breaks: bool,
    pub told_end: bool,
    pub private_sent: u32,
    /// The counters are not comparable any more: the projection changed.
    pub projected: bool,
    pub missing: (u64, u64),
    /// Missing after a pause: lost or not wanted.
    pub excused: (u64, u64),
    /// What it was told that it lost.
    pub announced: (u64, u64),
    pub first_frame: Option<u32>,
    pub last_frame: Option<u32>,
    chunk_size: u32,
    reader: ChunkReader,
    private_seen: u32,
    attached_at: u32,
    last: u32,
    last_video: Option<u32>,
    have: BTreeMap<HeaderSlot, u32>,
    data: HashSet<u32>,
    data_checked: u32,
    may_miss: bool,
    /// Since when it has not taken all that it was offered.
    behind_since: Option<Moment>,
    /// What was published until then may still be under way by the old projection.
    old_until: u32,
    now: Moment,
}

pub struct Place {
    pub shard: usize,
    pub outlet: OutletId,
    pub stream: usize,
    pub attached_at: u32,
}

impl Player {
    pub fn new(place: Place, temper: Temper, chunk_size: u32) -> Self {
        let mut reader = ChunkReader::new(ChunkLimits::default());
        reader.set_chunk_size(chunk_size).expect("a legal chunk size");
        Self {
            shard: place.shard,
            outlet: place.outlet,
            stream: place.stream,
            projection: Projection::WHOLE,
            temper,
            nature: temper,
            paused: false,
            hung_up: None,
            full_until: None,
            breaks: false,
            told_end: false,
            private_sent: 0,
            projected: false,
            missing: (0, 0),
            excused: (0, 0),
            announced: (0, 0),
            first_frame: None,
            last_frame: None,
            chunk_size,
            reader,
            private_seen: 0,
            attached_at: place.attached_at,
            last: 0,
            last_video: None,
            have: BTreeMap::new(),
            data: HashSet::new(),
            data_checked: place.attached_at,
            may_miss: false,
            behind_since: None,
            old_until: 0,
            now: Moment::default(),
        }
    }

    pub fn attached_at(&self) -> u32 {
        self.attached_at
    }

    pub fn private_seen(&self) -> u32 {
        self.private_seen
    }

    /// Its next frames need not follow the last ones: it paused.
    pub fn may_miss(&mut self, newest: u32) {
        // It goes on at the next key frame, unless that was never left.
        self.attached_at = newest;
        self.tell(format_args!("pauses or goes on"));
        self.may_miss = true;
    }

    pub fn project(&mut self, projection: Projection, newest: u32) {
        self.tell(format_args!("wants {projection:?}"));
        self.projection = projection;
        self.projected = true;
        self.may_miss = true;
        self.old_until = newest;
    }

    /// Its socket is offered bytes.
    pub fn offer(
        &mut self,
        bytes: &[u8],
        streams: &[Stream],
        random: &mut Random,
        now: Moment,
    ) -> Sent {
        assert!(!bytes.is_empty(), "a send of nothing");
        assert!(self.full_until.is_none(), "a send to a socket that is full");
        assert!(self.hung_up.is_none(), "a send after the hang-up");
        self.now = now;
        if self.breaks {
            return Sent::Broken;
        }
        let all = bytes.len();
        let (taken, pause_ms) = match self.temper {
            Temper::Fast => (all, 0),
            Temper::Choppy => match random.below(8) {
                0 => (1, random.within(0, 100)),
                1 => (0, random.within(0, 500)),
                2 | 3 => (random.below(all + 1), random.within(0, 1000)),
                _ => (all, 0),
            },
            Temper::Bursts if random.permille(100) => {
                (random.below(all + 1), random.within(1000, 10_000))
            }
            Temper::Stuck if random.permille(50) => {
                (random.below(all + 1), random.within(10_000, 40_000))
            }
            Temper::Bursts | Temper::Stuck => (all, 0),
        };
        if taken == all {
            self.behind_since = None;
        } else {
            self.behind_since.get_or_insert(now);
            self.full_until = Some(now + Duration::from_millis(pause_ms));
        }
        let mut input = &bytes[..taken];
        while let Some(message) = self.reader.read(&mut input).expect("well-formed chunks") {
            self.receive(&message, streams);
        }
        Sent::Wrote(taken)
    }

    pub fn notice(&mut self, notice: Notice, now: Moment) {
        self.now = now;
        self.tell(format_args!("hears {notice:?}"));
        match notice {
            Notice::Ended => {
                assert!(!self.told_end, "told twice of one end");
                self.told_end = true;
            }
            Notice::Restarted => {
                assert!(self.told_end, "told of a restart without an end");
                self.told_end = false;
            }
            Notice::HangUp(why) => {
                assert!(self.hung_up.is_none(), "hung up twice");
                match (self.nature, why) {
                    (_, HangUp::Broken) => assert!(self.breaks, "hung up as broken"),
                    (_, HangUp::NoStream | HangUp::PrivateBytes) => {}
                    (Temper::Stuck, _) => {}
                    // Far behind, if never still for long: but not at its first short write.
                    (Temper::Bursts, HangUp::Lagging)
                        if self
                            .behind_since
                            .is_some_and(|since| now.since(since) >= Duration::from_secs(2)) => {}
                    (Temper::Bursts | Temper::Choppy, HangUp::Skipping) => {}
                    other => panic!("hung up without reason: {other:?}"),
                }
                self.hung_up = Some(why);
            }
            // What it lost is judged frame by frame, and against the counters in the end.
            Notice::Skipped { frames, bytes } => {
                assert!(frames > 0 && bytes > 0, "a loss of nothing is announced");
                self.announced.0 += frames;
                self.announced.1 += bytes;
            }
            Notice::Joined | Notice::Parked => {}
        }
    }

    /// For people who look into a seed: `SIM_TRACE=1`.
    fn tell(&self, what: std::fmt::Arguments<'_>) {
        static TRACED: OnceLock<bool> = OnceLock::new();
        if *TRACED.get_or_init(|| std::env::var_os("SIM_TRACE").is_some()) {
            let at = self.now.as_ms();
            eprintln!("{at} ms: {:?} {}/{} {what}", self.temper, self.shard, self.outlet.at);
        }
    }

    fn receive(&mut self, message: &Message, streams: &[Stream]) {
        if message.kind == MessageType::COMMAND_AMF0 {
            let number = u32::from_be_bytes(message.payload[..4].try_into().expect("four bytes"));
            self.private_seen += 1;
            assert_eq!(number, self.private_seen, "private messages out of order");
            return;
        }
        assert_eq!(message.stream_id, 1);
        let (stream, stamp) = truth::stamp(&message.payload).expect("a whole payload");
        assert_eq!(usize::from(stream), self.stream, "bytes of another stream");
        let stream = &streams[self.stream];
        let order = stream.order_of(stamp).expect("a published message");
        let published = stream.at(order).expect("a published message");
        self.tell(format_args!(
            "is sent {order} {:?} at {} of {}",
            published.kind, message.timestamp, published.generation
        ));
        assert_eq!(published.len, message.payload.len(), "length of {order}");
        assert_eq!(wire_type(published.carrier), message.kind);
        if !self.projection.takes(published.kind) {
            assert!(order <= self.old_until, "{:?} is not part of the projection", published.kind);
        }
        if let Some(slot) = published.slot {
            self.have.insert(slot, order);
            // In band, or sent again with the time of the frame that it precedes.
            self.data.insert(order);
            self.last = self.last.max(order);
            return;
        }
        assert_eq!(message.timestamp, published.timestamp as u32, "the time of {order}");
        assert!(order > self.last, "{order} came after {}", self.last);
        self.last = order;
        if published.kind == Kind::Data {
            self.data.insert(order);
        } else {
            self.receive_frame(order, stream);
        }
    }

    fn receive_frame(&mut self, order: u32, stream: &Stream) {
        let frame = stream.at(order).expect("a published frame");
        for (slot, set_by) in frame.headers.iter() {
            if self.projection.takes(slot.carrier.kind()) && order > self.old_until {
                assert_eq!(
                    self.have.get(slot),
                    Some(set_by),
                    "frame {order} came without its header {slot:?}"
                );
            }
        }
        for between in self.data_checked + 1..order {
            let message = stream.at(between).expect("published");
            assert!(
                message.kind != Kind::Data || message.repeat || self.data.contains(&between),
                "data message {between} is missing before {order}"
            );
        }
        self.data_checked = self.data_checked.max(order);
        if frame.kind == Kind::Video && !frame.refreshing {
            assert_eq!(
                self.last_video, frame.video_before,
                "video frame {order} came without the one that it needs"
            );
        }
        if matches!(frame.kind, Kind::Video | Kind::VideoKey) {
            self.last_video = Some(order);
        }
        if let Some(last) = self.last_frame {
            let missed = self.missed(last, order, stream);
            let another = stream.at(last).expect("published").generation != frame.generation;
            let keeps_up = self.nature == Temper::Fast;
            assert!(
                missed.0 == 0 || !keeps_up || another || self.may_miss || self.projected,
                "{} frames before {order} are missing for a player that keeps up",
                missed.0
            );
            // What passes in a pause is not wanted, and so not lost; but what it lost after that,
            // before its first frame, is.
            let sum = if self.may_miss { &mut self.excused } else { &mut self.missing };
            sum.0 += missed.0;
            sum.1 += missed.1;
        }
        // The rest of a message that was begun before it paused says nothing yet.
        if order > self.attached_at {
            self.may_miss = false;
        }
        self.first_frame.get_or_insert(order);
        self.last_frame = Some(order);
    }

    /// Frames of the projection between two numbers, and their bytes on the wire.
    pub fn missed(&self, after: u32, before: u32, stream: &Stream) -> (u64, u64) {
        let mut missed = (0, 0);
        for order in after + 1..before {
            let message = stream.at(order).expect("published");
            if message.kind.is_frame() && self.projection.takes(message.kind) {
                missed.0 += 1;
                missed.1 += standalone_len(
                    chunk_stream(message.carrier),
                    message.timestamp as u32,
                    message.len,
                    self.chunk_size,
                ) as u64;
            }
        }
        missed
    }
}

/// A private message with a number.
pub fn private(number: u32, chunk_size: u32) -> Bytes {
    let mut wire = Vec::new();
    let kind = MessageType::COMMAND_AMF0;
    millstream_rtmp::chunk::write_standalone(
        kind,
        3,
        0,
        0,
        &number.to_be_bytes(),
        chunk_size,
        &mut wire,
    );
    wire.into()
}

fn wire_type(carrier: Carrier) -> MessageType {
    match carrier {
        Carrier::Audio => MessageType::AUDIO,
        Carrier::Video => MessageType::VIDEO,
        Carrier::Data => MessageType::DATA_AMF0,
    }
}

fn chunk_stream(carrier: Carrier) -> u32 {
    match carrier {
        Carrier::Audio => 4,
        Carrier::Data => 5,
        Carrier::Video => 6,
    }
}

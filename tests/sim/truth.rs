//! What was published: every message of every stream, by its number, so that what a player receives
//! can be judged. A payload carries its stream's and its own number and a filler made from them.

use millstream::stream::headers::{Carrier, HeaderSlot};
use millstream::stream::hub::Hub;
use millstream::stream::projection::Projection;
use millstream::stream::segment::Kind;
use millstream::stream::view::View;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

/// Length of the stamp in front of the filler: kind, stream, number.
pub const STAMP: usize = 7;

/// Stamps of messages that were sent before it was known which number they have, if any.
pub const DRAFT: u32 = 1 << 31;

/// One message as it was written.
#[derive(Clone, Copy)]
pub struct Written {
    pub kind: Kind,
    pub carrier: Carrier,
    pub slot: Option<HeaderSlot>,
    /// The number in its payload.
    pub stamp: u32,
    pub len: usize,
    pub refreshing: bool,
}

/// One message as it was published.
pub struct Published {
    pub stamp: u32,
    pub kind: Kind,
    pub carrier: Carrier,
    pub slot: Option<HeaderSlot>,
    /// It repeats an older header, byte for byte, and carries that one's stamp.
    pub repeat: bool,
    pub len: usize,
    pub timestamp: u64,
    pub generation: u32,
    /// The number of the video frame before it in its generation, for a video frame.
    pub video_before: Option<u32>,
    /// The headers valid for it, by the number of the message that set them.
    pub headers: Rc<Vec<(HeaderSlot, u32)>>,
    /// Its generation shows key frames rarely or never: readers may begin anywhere.
    pub refreshing: bool,
}

/// One stream, from the making of its hub to its end.
pub struct Stream {
    pub hub: Arc<Hub>,
    pub generation: u32,
    pub live: bool,
    pub messages: Vec<Published>,
    headers: Rc<Vec<(HeaderSlot, u32)>>,
    view: View,
    furthest: u64,
    last_video: Option<u32>,
    next_draft: u32,
    /// The numbers that drafts got when they were published first.
    drafts: HashMap<u32, u32>,
}

impl Stream {
    pub fn new(hub: Arc<Hub>) -> Self {
        Self {
            view: View::new(hub.log(Projection::WHOLE)),
            furthest: 0,
            hub,
            generation: 0,
            live: false,
            messages: Vec::new(),
            headers: Rc::default(),
            last_video: None,
            next_draft: DRAFT,
            drafts: HashMap::new(),
        }
    }

    pub fn begin(&mut self) {
        self.generation += 1;
        self.live = true;
        self.headers = Rc::default();
        self.last_video = None;
    }

    /// The number of the newest message.
    pub fn newest(&self) -> u32 {
        self.messages.len() as u32
    }

    pub fn at(&self, order: u32) -> Option<&Published> {
        self.messages.get(order.checked_sub(1)? as usize)
    }

    /// The number of the last message that set `slot`.
    pub fn header(&self, slot: HeaderSlot) -> Option<u32> {
        self.headers.iter().find(|(held, _)| *held == slot).map(|(_, order)| *order)
    }

    /// A stamp for a message that nobody may ever see.
    pub fn draft(&mut self) -> u32 {
        self.next_draft += 1;
        self.next_draft
    }

    /// The number of a message with this stamp, when it was first published.
    pub fn order_of(&self, stamp: u32) -> Option<u32> {
        if stamp & DRAFT == 0 { Some(stamp) } else { self.drafts.get(&stamp).copied() }
    }

    /// The headers as they were written.
    pub fn headers(&self) -> Vec<Written> {
        let written = |order: u32| {
            let Published { kind, carrier, slot, stamp, len, refreshing, .. } =
                *self.at(order).expect("it was published");
            Written { kind, carrier, slot, stamp, len, refreshing }
        };
        self.headers.iter().map(|(_, order)| written(*order)).collect()
    }

    /// Notes the next message, which was just appended.
    pub fn write(&mut self, written: Written) {
        let order = self.newest() + 1;
        let timestamp = self.written_time(order);
        self.note(written, timestamp);
    }

    /// Notes what was appended at once: all of this, and nothing else.
    pub fn adopt(&mut self, all: &[Written]) {
        let before = self.view.end();
        self.view.refresh();
        let found: Vec<_> =
            self.view.messages(before, self.view.end()).map(|(entry, _)| entry).collect();
        assert_eq!(found.len(), all.len(), "messages with which a stream goes on");
        for (entry, written) in found.iter().zip(all) {
            assert_eq!(entry.kind, written.kind, "with which a stream goes on");
            assert_eq!(entry.order, self.newest() + 1, "the log numbers its messages in turn");
            self.note(*written, entry.timestamp);
        }
        self.view.evict();
    }

    fn note(&mut self, written: Written, timestamp: u64) {
        let Written { kind, carrier, slot, stamp, len, refreshing } = written;
        let order = self.newest() + 1;
        let first = match self.order_of(stamp) {
            Some(first) => first,
            None => *self.drafts.entry(stamp).or_insert(order),
        };
        let repeat = first != order;
        if self.messages.last().is_some_and(|before| before.generation != self.generation) {
            assert!(timestamp > self.furthest, "a generation begins in the past of its stream");
        }
        self.furthest = self.furthest.max(timestamp);
        if let Some(slot) = slot {
            let mut headers = Vec::clone(&self.headers);
            headers.retain(|(held, _)| *held != slot);
            headers.push((slot, first));
            self.headers = Rc::new(headers);
        }
        let is_video = matches!(kind, Kind::Video | Kind::VideoKey);
        self.messages.push(Published {
            stamp,
            kind,
            carrier,
            slot,
            repeat,
            len,
            timestamp,
            generation: self.generation,
            video_before: self.last_video,
            headers: Rc::clone(&self.headers),
            refreshing,
        });
        if is_video {
            self.last_video = Some(order);
        }
    }

    /// The time that the log has for the newest message.
    fn written_time(&mut self, order: u32) -> u64 {
        let before = self.view.end();
        self.view.refresh();
        let newest = self.view.messages(before, self.view.end()).last();
        let (entry, _) = newest.expect("it was appended");
        assert_eq!(entry.order, order, "the log numbers its messages in turn");
        self.view.evict();
        entry.timestamp
    }

    /// The number of the last frame of a projection.
    pub fn last_frame(&self, projection: Projection) -> Option<u32> {
        self.messages
            .iter()
            .rposition(|message| message.kind.is_frame() && projection.takes(message.kind))
            .map(|at| at as u32 + 1)
    }
}

/// The payload with this stamp.
pub fn payload(kind: Kind, stream: u16, stamp: u32, len: usize) -> Vec<u8> {
    let mut payload = Vec::with_capacity(len);
    payload.push(kind as u8);
    payload.extend_from_slice(&stream.to_be_bytes());
    payload.extend_from_slice(&stamp.to_be_bytes());
    payload.extend_from_slice(filler(stamp, len - STAMP));
    payload
}

/// The stream and the number in a stamp, if the filler behind it is whole.
pub fn stamp(payload: &[u8]) -> Option<(u16, u32)> {
    let stream = u16::from_be_bytes(payload.get(1..3)?.try_into().ok()?);
    let order = u32::from_be_bytes(payload.get(3..7)?.try_into().ok()?);
    (payload[STAMP..] == *filler(order, payload.len() - STAMP)).then_some((stream, order))
}

fn filler(order: u32, len: usize) -> &'static [u8] {
    static NOISE: OnceLock<Vec<u8>> = OnceLock::new();
    let noise = NOISE.get_or_init(|| {
        let mut random = super::random::Random::new(1);
        (0..1_100_000 / 8).flat_map(|_| random.next().to_le_bytes()).collect()
    });
    let from = order.wrapping_mul(2_654_435_761) as usize % 8192;
    &noise[from..from + len]
}

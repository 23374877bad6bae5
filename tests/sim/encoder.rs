//! One encoder: when it publishes, and what.

use super::line::Draft;
use super::random::Random;
use super::truth::{self, Stream, Written};
use millstream::moment::Moment;
use millstream::role::Role;
use millstream::stream::headers::{Carrier, HeaderSlot};
use millstream::stream::registry::ClaimId;
use millstream::stream::segment::Kind;
use millstream::stream::tenure::Tenure;
use millstream::stream::writer::{Appended, Arrival};
use std::time::Duration;

/// What an encoder does at present.
pub enum Doing {
    /// Nothing until then.
    Rests(Moment),
    /// It was promised the stream, or has it.
    Publishes(ClaimId),
}

pub struct Encoder {
    pub name: usize,
    pub shard: usize,
    pub address: u8,
    pub doing: Doing,
    pub role: Role,
    source_ms: u32,
    next_video: Moment,
    next_audio: Moment,
    next_data: Moment,
    video_interval_ms: u64,
    gop: u64,
    until_key: u64,
    begun: bool,
    has_video: bool,
    has_audio: bool,
    refreshing: bool,
    frame_len_max: usize,
    headers_sent: bool,
    since: Moment,
}

const META: HeaderSlot = HeaderSlot { carrier: Carrier::Data, track: 0, part: 0 };
const VIDEO: HeaderSlot = HeaderSlot { carrier: Carrier::Video, track: 0, part: 0 };
const AUDIO: HeaderSlot = HeaderSlot { carrier: Carrier::Audio, track: 0, part: 0 };

impl Encoder {
    pub fn new(name: usize, random: &mut Random) -> Self {
        Self {
            name,
            shard: 0,
            address: 1 + random.below(3) as u8,
            doing: Doing::Rests(Moment::from_ms(random.within(0, 2000))),
            role: [Role::Primary, Role::Primary, Role::Primary, Role::Backup, Role::Slate]
                [random.below(5)],
            source_ms: 0,
            next_video: Moment::default(),
            next_audio: Moment::default(),
            next_data: Moment::default(),
            video_interval_ms: 100,
            gop: 1,
            until_key: 0,
            begun: false,
            has_video: true,
            has_audio: true,
            refreshing: false,
            frame_len_max: 1000,
            headers_sent: false,
            since: Moment::default(),
        }
    }

    /// A new connection, with new settings.
    pub fn connects(&mut self, shards: usize, claim: ClaimId, shard: usize, random: &mut Random) {
        debug_assert!(shard < shards);
        self.shard = shard;
        self.doing = Doing::Publishes(claim);
        self.begun = false;
        self.headers_sent = false;
        self.source_ms = random.next() as u32 >> random.below(32);
        self.video_interval_ms = random.within(40, 250);
        self.gop = random.within(1, 30);
        self.until_key = 0;
        let kind = random.below(10);
        self.has_video = kind != 0;
        self.has_audio = kind != 1;
        self.refreshing = kind == 2 && self.role != Role::Slate;
        self.frame_len_max = [60, 2_000, 2_000, 30_000, 90_000][random.below(5)];
    }

    /// Appends what is due; while it does not have the stream, returns it.
    pub fn publish(
        &mut self,
        tenure: &mut Tenure,
        stream: &mut Stream,
        number: u16,
        random: &mut Random,
        now: Moment,
    ) -> Vec<Draft> {
        let mut drafts = Vec::new();
        let waits = tenure.is_promised();
        let mut way = Way { tenure, drafts: waits.then_some(&mut drafts) };
        let tenure = &mut way;
        if !self.begun {
            self.begun = true;
            self.since = now;
            (self.next_video, self.next_audio, self.next_data) = (now, now, now);
        }
        if random.permille(3) {
            // The encoder stands still, or its clock jumps.
            let pause = Duration::from_millis(random.within(0, 6000));
            (self.next_video, self.next_audio) = (now + pause, now + pause);
            if random.permille(300) {
                self.source_ms = self.source_ms.wrapping_add(random.next() as u32);
                self.since = now;
            }
        }
        while self.next_video.min(self.next_audio).min(self.next_data) <= now {
            let at = self.next_video.min(self.next_audio).min(self.next_data);
            if !self.headers_sent || random.permille(15) {
                self.headers_sent = true;
                self.headers(tenure, stream, number, random, at, now);
            }
            let time = self.time(at);
            if at == self.next_video {
                self.next_video = at + Duration::from_millis(self.video_interval_ms);
                if self.has_video {
                    self.video(tenure, stream, number, random, time, now);
                }
            } else if at == self.next_audio {
                self.next_audio = at + Duration::from_millis(random.within(50, 150));
                if self.has_audio {
                    let len = truth::STAMP + random.below(300);
                    let what = (Kind::Audio, Carrier::Audio, None);
                    self.push(tenure, stream, number, what, len, time, now);
                }
            } else {
                self.next_data = at + Duration::from_millis(random.within(300, 5000));
                let len = truth::STAMP + random.below(200);
                let what = (Kind::Data, Carrier::Data, None);
                self.push(tenure, stream, number, what, len, time, now);
            }
        }
        drafts
    }

    fn time(&self, at: Moment) -> u32 {
        self.source_ms.wrapping_add(at.since(self.since).as_millis() as u32)
    }

    fn video(
        &mut self,
        tenure: &mut Way<'_>,
        stream: &mut Stream,
        number: u16,
        random: &mut Random,
        time: u32,
        now: Moment,
    ) {
        let key = self.until_key == 0 && !self.refreshing;
        self.until_key = if key { self.gop - 1 } else { self.until_key.saturating_sub(1) };
        let most = if key { self.frame_len_max * 3 } else { self.frame_len_max };
        let most = if random.permille(2) { 700_000 } else { most };
        let len = truth::STAMP + random.below(most);
        let kind = if key { Kind::VideoKey } else { Kind::Video };
        self.push(tenure, stream, number, (kind, Carrier::Video, None), len, time, now);
    }

    fn headers(
        &mut self,
        tenure: &mut Way<'_>,
        stream: &mut Stream,
        number: u16,
        random: &mut Random,
        at: Moment,
        now: Moment,
    ) {
        let slots = [
            (Kind::Data, META, true),
            (Kind::VideoHeader, VIDEO, self.has_video),
            (Kind::AudioHeader, AUDIO, self.has_audio),
        ];
        for (kind, slot, has) in slots {
            if !has
                || (tenure.drafts.is_none()
                    && stream.header(slot).is_some()
                    && random.permille(500))
            {
                continue;
            }
            let time = self.time(at);
            let what = (kind, slot.carrier, Some(slot));
            match stream.header(slot) {
                Some(held) if tenure.drafts.is_none() && random.permille(400) => {
                    let held = stream.at(held).expect("it was published");
                    let (len, stamp) = (held.len, held.stamp);
                    let payload = truth::payload(kind, number, stamp, len);
                    append(tenure.tenure, what, &payload, time, now);
                    stream.write(self.written(what, stamp, len));
                }
                _ => {
                    let len = truth::STAMP + random.below(100);
                    self.push(tenure, stream, number, what, len, time, now);
                    // A decoder that is configured anew needs a key frame.
                    if slot == VIDEO {
                        self.until_key = 0;
                    }
                }
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one call per kind of message")]
    fn push(
        &mut self,
        tenure: &mut Way<'_>,
        stream: &mut Stream,
        number: u16,
        what: (Kind, Carrier, Option<HeaderSlot>),
        len: usize,
        time: u32,
        now: Moment,
    ) {
        if let Some(drafts) = &mut tenure.drafts {
            let written = self.written(what, stream.draft(), len);
            let payload = truth::payload(what.0, number, written.stamp, len);
            drafts.push(Draft { written, payload, source_ms: time });
            return;
        }
        let written = self.written(what, stream.newest() + 1, len);
        let payload = truth::payload(what.0, number, written.stamp, len);
        append(tenure.tenure, what, &payload, time, now);
        stream.write(written);
    }

    fn written(
        &self,
        (kind, carrier, slot): (Kind, Carrier, Option<HeaderSlot>),
        stamp: u32,
        len: usize,
    ) -> Written {
        Written { kind, carrier, slot, stamp, len, refreshing: self.refreshing }
    }
}

/// Where messages go: into the log, or to who hears one that waits.
struct Way<'a> {
    tenure: &'a mut Tenure,
    drafts: Option<&'a mut Vec<Draft>>,
}

fn append(
    tenure: &mut Tenure,
    (kind, carrier, header): (Kind, Carrier, Option<HeaderSlot>),
    payload: &[u8],
    source_ms: u32,
    now: Moment,
) {
    let publisher = tenure.publisher_mut().expect("it is owned");
    let arrival = Arrival { carrier, kind, header, source_ms, payload };
    assert!(matches!(publisher.push(&arrival, now), Appended::Due(_)), "headers are few");
}

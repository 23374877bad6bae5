//! One shard's fan-out with a stream and its readers, without sockets: exact counts.

use crate::counter::during;
use millstream::config::Lag;
use millstream::egress::fanout::Fanout;
use millstream::egress::outlet::{OutletId, Sent, Sink};
use millstream::egress::rtmp::framings;
use millstream::moment::Moment;
use millstream::name::StreamName;
use millstream::shard::mailbox::Mailbox;
use millstream::stats::Directory;
use millstream::stream::headers::Carrier;
use millstream::stream::log::Retention;
use millstream::stream::projection::Projection;
use millstream::stream::publisher::Publisher;
use millstream::stream::registry::{Claim, Claimant, Registry};
use millstream::stream::ride::Eagerness;
use millstream::stream::segment::Kind;
use millstream::stream::takeover::Policy;
use millstream::stream::writer::{Appended, Arrival};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::thread;

const READERS: usize = 1000;
/// 25 s at 30 pictures a second, with a key frame every 2 s: long enough for the memory that is
/// reused to have its size, for segments to leave the ring, and for the thread to keep as much spare
/// memory of them as it ever does, whose list grows three times on the way.
const WARM_UP: usize = 750;
const FRAMES: usize = 600;
const PICTURES_PER_SECOND: u64 = 30;
const KEY_EVERY: u64 = 60;

/// Takes everything, and counts it.
#[derive(Default)]
struct Taking {
    bytes: u64,
    sends: u64,
}

impl Sink for Taking {
    fn send(&mut self, _: OutletId, bytes: &[u8]) -> Sent {
        self.bytes += bytes.len() as u64;
        self.sends += 1;
        Sent::Wrote(bytes.len())
    }
}

/// What a server would do that copies what it sends, once for each reader.
struct Copying(Taking);

impl Sink for Copying {
    fn send(&mut self, outlet: OutletId, bytes: &[u8]) -> Sent {
        let copy = bytes.to_vec();
        self.0.send(outlet, &copy)
    }
}

/// A shard with one stream.
struct Scene {
    publisher: Publisher,
    fanout: Fanout,
    mailboxes: [Arc<Mailbox>; 1],
    now_ms: u64,
    frame: u64,
}

impl Scene {
    fn new(readers: usize) -> Self {
        let make_framing = framings(1 << 20);
        let directory = Arc::new(Directory::new(&[0]));
        let retention = Retention::default();
        let mut registry =
            Registry::new(directory, Policy::Never, Arc::clone(&make_framing), retention);
        let name = StreamName::new("live", "one").expect("a good name");
        let claimant = Claimant {
            shard: 0,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            identity: None,
            yields: false,
        };
        let now = Moment::from_ms(1);
        let claim = registry.claim(&name, claimant, now).expect("it is free");
        let Claim::Granted { id, hub, writer } = claim else { panic!("nobody else publishes") };
        let publisher = Publisher::begin(id, Arc::clone(&hub), writer, Eagerness::Riding, now);
        let mut fanout = Fanout::new(0, make_framing, Lag::default());
        for _ in 0..readers {
            let outlet = fanout.open(now);
            fanout
                .subscribe(outlet, &hub, Projection::WHOLE, now)
                .expect("one stream is not too many");
        }
        Self { publisher, fanout, mailboxes: [Arc::default()], now_ms: 1, frame: 0 }
    }

    /// The publisher's part of the next frame.
    fn publish(&mut self) {
        self.now_ms = 1 + self.frame * 1000 / PICTURES_PER_SECOND;
        let key = self.frame.is_multiple_of(KEY_EVERY);
        self.frame += 1;
        let payload = [0x17; 20_000];
        let arrival = Arrival {
            carrier: Carrier::Video,
            kind: if key { Kind::VideoKey } else { Kind::Video },
            header: None,
            source_ms: self.now_ms as u32,
            payload: if key { &payload } else { &payload[..8_000] },
        };
        let now = Moment::from_ms(self.now_ms);
        assert!(
            matches!(self.publisher.push(&arrival, now), Appended::Due(_)),
            "it has no headers"
        );
        self.publisher.flush(&self.mailboxes, |_| {});
    }

    /// The readers' part of it.
    fn fan_out(&mut self, sink: &mut impl Sink) {
        self.fanout.mark_due(0);
        let now = Moment::from_ms(self.now_ms);
        while self.fanout.pass(sink, now, READERS).more {}
    }

    /// Allocations of both parts over so many frames.
    fn run(&mut self, frames: usize, sink: &mut impl Sink) -> (u64, u64) {
        (0..frames).fold((0, 0), |(publishing, sending), _| {
            let published = during(|| self.publish());
            (publishing + published, sending + during(|| self.fan_out(sink)))
        })
    }
}

#[test]
fn a_frame_for_a_thousand_readers_allocates_nothing_for_any() {
    let mut scene = Scene::new(READERS);
    let mut sink = Taking::default();
    scene.run(WARM_UP, &mut sink);
    assert!(scene.fanout.take_notices().len() <= READERS, "at most that they play");

    let (sent, bytes) = (sink.sends, sink.bytes);
    let (publishing, sending) = scene.run(FRAMES, &mut sink);
    assert_eq!(sink.sends - sent, (FRAMES * READERS) as u64, "each was sent each frame");
    assert!(sink.bytes - bytes > (FRAMES * READERS * 8_000) as u64);
    println!(
        "{FRAMES} frames: {publishing} allocations by the publisher, {sending} by the fan-out"
    );

    assert_eq!(sending, 0);
    // Segments and their indexes, about one of each a second.
    let seconds = FRAMES as u64 / PICTURES_PER_SECOND;
    assert!(publishing <= 8 * seconds, "{publishing} allocations in {seconds} s");
}

#[test]
fn readers_do_not_change_what_is_allocated() {
    // A thread for each: the spare memory of a thread is the next stream's.
    let [few, many] = [1, READERS].map(|readers| {
        let run = move || {
            let mut scene = Scene::new(readers);
            let mut sink = Taking::default();
            scene.run(WARM_UP, &mut sink);
            scene.run(FRAMES, &mut sink)
        };
        thread::spawn(run).join().expect("it runs to its end")
    });
    assert_eq!(few, many);
}

#[test]
fn a_copy_for_each_reader_would_be_seen() {
    let mut scene = Scene::new(READERS);
    let mut sink = Copying(Taking::default());
    scene.run(WARM_UP, &mut sink);
    let before = sink.0.sends;
    let (_, sending) = scene.run(10, &mut sink);
    assert_eq!(sink.0.sends - before, 10 * READERS as u64);
    assert!(sending >= 10 * READERS as u64, "{sending} were counted");
}

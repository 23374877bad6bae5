//! The log and the mailbox under the model checker: every interleaving, and every value that the
//! memory model lets a load return. The modules are the production ones, compiled with loom's
//! atomics under `--cfg millstream_loom`; `tests/loom.sh` runs this, and then once for each ordering
//! that it weakens, which must fail.
//!
//! What is checked: a reader finds whole messages in order, across segments; a link is found with
//! all that it leads to; chains are let go of once; no wake is lost, and a sleep is rung at most
//! once. It is compiled into the library's own tests (`src/lib.rs`): the binary, which cargo builds
//! for tests of their own, does not exist under that cfg. What belongs elsewhere: what readers do with the messages (`tests/sim.rs`).

use loom::model::Builder;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;
use millstream::limits;
use millstream::shard::mailbox::Mailbox;
use millstream::stream::headers::{Carrier, SharedHeaders};
use millstream::stream::log::{Framing, LogWriter, Record, Retention};
use millstream::stream::segment::{Entry, Kind, Opening, Preface, Segment, SegmentWriter};

/// Explores runs with at most this many switches away from a thread that could go on: bugs of
/// ordering show with one or two (loom's own advice).
fn check(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

/// A message is its number, as often as the payload is long.
struct Plain;

impl Framing for Plain {
    fn frame(&self, _carrier: Carrier, _timestamp: u64, payload: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(payload);
    }

    fn adapt(&self, _entry: &Entry, main: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(main);
    }

    fn takes(&self, _kind: Kind) -> bool {
        true
    }
}

fn append(writer: &mut LogWriter, number: u8, len: usize) {
    let record = Record {
        kind: Kind::Audio,
        carrier: Carrier::Audio,
        timestamp: u64::from(number),
        order: u32::from(number),
        now: crate::moment::Moment::default(),
        payload: &[number; 4][..len],
    };
    writer.append(&record, true);
}

/// Everything that a walk from `first` finds; each message must be whole.
fn walk(first: &Arc<Segment>) -> Vec<u32> {
    let mut found = Vec::new();
    let mut segment = Arc::clone(first);
    loop {
        // As `View::refresh` does: a link found first means that the entries are complete.
        let next = segment.next();
        let mut start = 0;
        for entry in segment.entries() {
            let message = &segment.bytes()[start..entry.end as usize];
            assert!(message.iter().all(|byte| u32::from(*byte) == entry.order), "torn message");
            assert_eq!(u64::from(entry.order), entry.timestamp);
            found.push(entry.order);
            start = entry.end as usize;
        }
        let Some(next) = next else { break };
        assert_eq!(next.preface.number, segment.preface.number + 1);
        assert_eq!(next.preface.base, segment.preface.base + start as u64);
        segment = next;
    }
    found
}

fn is_prefix(found: &[u32]) -> bool {
    found.iter().copied().eq(1..=found.len() as u32)
}

#[test]
fn a_reader_finds_whole_messages_across_segments() {
    assert!(limits::SEGMENT_BYTES_MIN == 4, "the segments must be small enough to change");
    check(3, || {
        let mut writer = LogWriter::new(Box::new(Plain), Retention::default());
        let log = Arc::clone(writer.log());
        let first = log.oldest();
        let appends = thread::spawn(move || {
            for number in 1..=3 {
                append(&mut writer, number, 2);
            }
            writer
        });
        let early = walk(&first);
        let late = walk(&first);
        assert!(is_prefix(&early) && is_prefix(&late) && late.len() >= early.len());
        let writer = appends.join().expect("the writer ends");
        assert_eq!(walk(&first), [1, 2, 3]);
        drop(writer);
    });
}

#[test]
fn a_reader_that_begins_while_segments_leave_holds_what_it_may() {
    check(3, || {
        let retention = Retention { bytes_max: 0, ..Retention::default() };
        let mut writer = LogWriter::new(Box::new(Plain), retention);
        let log = Arc::clone(writer.log());
        let appends = thread::spawn(move || {
            append(&mut writer, 1, 4);
            append(&mut writer, 2, 4);
        });
        let retained = log.first_retained();
        let oldest = log.oldest();
        assert!(oldest.preface.number >= retained, "a reader begins before what is retained");
        let found = walk(&oldest);
        assert!(found.windows(2).all(|pair| pair[1] == pair[0] + 1));
        appends.join().expect("the writer ends");
    });
}

fn segment(number: u64) -> SegmentWriter {
    let preface = Preface {
        number,
        generation: 1,
        opening: Opening::Continues,
        first_message: number,
        base: number * 2,
        headers: SharedHeaders::default(),
    };
    SegmentWriter::new(preface, 2, 1)
}

fn message(order: u32) -> Entry {
    Entry { timestamp: u64::from(order), end: 0, gop: 0, order, kind: Kind::Audio }
}

#[test]
fn a_link_is_found_with_all_it_leads_to_and_let_go_of_once() {
    check(3, || {
        let mut first = segment(0);
        let reader = Arc::clone(first.segment());
        let links = thread::spawn(move || {
            first.append(message(1), &[&[1, 1]]);
            let mut second = segment(1);
            // Before the link: whoever finds it must find this too.
            second.append(message(2), &[&[2, 2]]);
            first.link(second.segment());
            let third = segment(2);
            let last = Arc::clone(third.segment());
            second.link(&last);
        });
        if let Some(next) = reader.next() {
            assert_eq!(next.entries().len(), 1, "a segment was found without its content");
            assert_eq!(next.bytes(), [2, 2]);
            drop(reader);
            drop(next.next());
        }
        // Whoever lets go last frees the chain; loom reports what leaks.
        links.join().expect("the writer ends");
    });
}

/// An eventfd, as far as it matters: a ring lasts until it is heard.
#[derive(Default)]
struct Bell {
    rings: Mutex<bool>,
    heard: Condvar,
    count: AtomicUsize,
}

impl Bell {
    fn ring(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
        *self.rings.lock().expect("nobody panics under it") = true;
        self.heard.notify_one();
    }

    fn wait(&self) {
        let mut rings = self.rings.lock().expect("nobody panics under it");
        while !*rings {
            rings = self.heard.wait(rings).expect("nobody panics under it");
        }
        *rings = false;
    }
}

#[test]
fn no_wake_is_lost_and_a_sleep_is_rung_at_most_once() {
    check(3, || {
        let mailbox = Arc::new(Mailbox::default());
        let bell = Arc::new(Bell::default());
        let (mut first, content) = one_segment();
        let writers: Vec<_> = (0..2)
            .map(|slot| {
                let (mailbox, bell) = (Arc::clone(&mailbox), Arc::clone(&bell));
                let mut log = (slot == 0).then(|| first.take().expect("taken once"));
                thread::spawn(move || {
                    if let Some(log) = &mut log {
                        log.append(message(1), &[&[1, 1]]);
                    }
                    mailbox.mark(slot);
                    if mailbox.should_ring() {
                        bell.ring();
                    }
                })
            })
            .collect();
        let mut seen = [false; 2];
        let mut sleeps = 0;
        while seen != [true; 2] {
            sleeps += 1;
            if mailbox.fall_asleep(|| false) {
                // A lost wake is a deadlock, which loom reports.
                bell.wait();
                mailbox.wake_up();
            }
            mailbox.drain(|slot| {
                seen[slot] = true;
                if slot == 0 {
                    assert_eq!(content.entries().len(), 1, "a mark was seen before its message");
                    assert_eq!(content.bytes(), [1, 1]);
                }
            });
        }
        for writer in writers {
            writer.join().expect("the writer ends");
        }
        assert!(bell.count.load(Ordering::Relaxed) <= sleeps, "more rings than sleeps");
    });
}

fn one_segment() -> (Option<SegmentWriter>, Arc<Segment>) {
    let writer = segment(0);
    let content = Arc::clone(writer.segment());
    (Some(writer), content)
}

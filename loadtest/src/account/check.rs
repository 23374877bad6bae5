//! How a player's frames are judged: number, order, length, times, and on a sample every byte.

use crate::account::epoch::{Epoch, Epochs};
use crate::account::ledger::{Faults, Ledger};
use crate::account::tally::{GroupCounts, TrackCounts, count};
use crate::account::times::{Time, Times};
use crate::media::Track;
use crate::media::mark::Mark;
use crate::media::source::Source;
use std::sync::Arc;

/// A timestamp may differ by rounding from the schedule, milliseconds, at either of two frames.
const ROUNDING_MS: i64 = 3;

/// Publishers of a stream whose frames a player may get at a time. More than one is wrong, yet a
/// server that takes a second publisher's frames in shall not make the first one's look lost.
const CHAPTERS_MAX: usize = 3;

/// A frame that seems to come sooner than this before it was sent tells that the clocks of two hosts
/// do not go together, nanoseconds. Less is what clocks that are kept together may differ by.
const AHEAD_NS: u64 = 20_000_000;

/// How far one track may be behind the other on its way, in nanoseconds of the stream: what came
/// less than this after a frame that is missing does not say that it will not come.
const APART_NS: u64 = 1_000_000_000;

/// One player's account.
#[derive(Debug, Default)]
pub struct Account {
    /// Number of the stream.
    pub stream: u32,
    /// Every byte of its frames is compared.
    pub compares: bool,
    /// When the player asked, nanoseconds: what was sent before is backlog.
    pub began_ns: u64,
    /// A frame came before it was sent.
    ahead: bool,
    /// What it got of each publisher, the latest one last.
    chapters: Vec<Chapter>,
}

/// What a player got of one publisher.
#[derive(Debug)]
struct Chapter {
    /// Number of the epoch.
    number: u32,
    /// How far that has come; nothing if another program publishes.
    progress: Option<Arc<Epoch>>,
    /// When its first frame that came was due, from the stream's start: from there on both tracks
    /// are owed. Nanoseconds.
    began_ns: u64,
    /// The same of the latest one that came.
    reached_ns: u64,
    video: Line,
    audio: Line,
}

/// One track of a chapter.
#[derive(Clone, Copy, Debug, Default)]
struct Line {
    ledger: Ledger,
    /// Timestamp in milliseconds and schedule in nanoseconds of the latest frame.
    last: Option<(u32, u64)>,
}

/// A frame that arrived.
pub struct Arrival<'a> {
    /// Its track.
    pub track: Track,
    /// Its mark and where that begins, if it has one.
    pub mark: Option<(usize, Mark)>,
    /// The message's payload.
    pub payload: &'a [u8],
    /// The message's timestamp, milliseconds.
    pub timestamp: u32,
    /// When, nanoseconds.
    pub now_ns: u64,
}

/// What all accounts are held against.
pub struct Rules {
    /// What is sent: stream n sends source n modulo their count.
    pub sources: Vec<Arc<Source>>,
    /// A frame that takes longer is late, nanoseconds.
    pub late_ns: u64,
    /// Media seconds per second.
    pub speed: f64,
}

impl Rules {
    fn source(&self, stream: u32) -> &Source {
        &self.sources[stream as usize % self.sources.len()]
    }
}

impl Account {
    /// The account of a player of a stream that asked at this time.
    pub fn new(stream: u32, compares: bool, began_ns: u64) -> Self {
        Self { stream, compares, began_ns, ..Self::default() }
    }

    /// Enters a frame. Times are entered where `times` are given.
    pub fn enter(
        &mut self,
        arrival: &Arrival<'_>,
        epochs: &Epochs,
        rules: &Rules,
        counts: &mut GroupCounts,
        times: Option<&mut Times>,
    ) {
        let tally = counts.track(arrival.track);
        tally.frames += 1;
        tally.payload += arrival.payload.len() as u64;
        let Some((at, mark)) = &arrival.mark else {
            tally.unmarked += 1;
            return;
        };
        let right = mark.stream == self.stream && mark.is_whole(arrival.payload, *at);
        if !right || self.compares && !mark.is_intact(arrival.payload, *at) {
            tally.corrupt += 1;
        }
        counts.compared += u64::from(self.compares);
        if mark.stream != self.stream {
            // Another stream's number says nothing about this one's.
            return;
        }
        let source = rules.source(mark.stream);
        let due_ns = source.due_ns(arrival.track, mark.sequence);
        let (chapter, is_latest) = self.chapter(mark.epoch, due_ns, epochs, rules, counts);
        let tally = counts.track(arrival.track);
        tally.mixed += u64::from(!is_latest);
        let line = match arrival.track {
            Track::Video => &mut chapter.video,
            Track::Audio => &mut chapter.audio,
        };
        line.enter(arrival, mark, source, rules.speed, tally);
        chapter.reached_ns = chapter.reached_ns.max(due_ns);
        if mark.scheduled_ns < self.began_ns {
            // It was over before the player asked; its age says nothing of the server.
            tally.backlog += 1;
            return;
        }
        if arrival.now_ns.saturating_add(AHEAD_NS) < mark.scheduled_ns {
            // Its delay is unknown, and least of all it is none.
            if !std::mem::replace(&mut self.ahead, true) {
                count(&mut counts.errors, "clocks-apart");
            }
            return;
        }
        let delay = arrival.now_ns.saturating_sub(mark.scheduled_ns);
        tally.late += u64::from(delay > rules.late_ns);
        if let Some(times) = times {
            let time = match arrival.track {
                Track::Video => Time::Video,
                Track::Audio => Time::Audio,
            };
            times.enter(time, delay);
        }
    }

    /// The chapter of an epoch, and whether it is the latest one.
    fn chapter(
        &mut self,
        number: u32,
        began_ns: u64,
        epochs: &Epochs,
        rules: &Rules,
        counts: &mut GroupCounts,
    ) -> (&mut Chapter, bool) {
        let known = self.chapters.iter().rposition(|chapter| chapter.number == number);
        let at = known.unwrap_or_else(|| {
            if self.chapters.len() == CHAPTERS_MAX {
                self.chapters.remove(0).close(rules.source(self.stream), u64::MAX, counts);
            }
            let (progress, reached_ns) = (epochs.find(number), began_ns);
            let (video, audio) = Default::default();
            let chapter = Chapter { number, progress, began_ns, reached_ns, video, audio };
            // An epoch that is older than the latest one is entered before it.
            let later = self.chapters.iter().position(|chapter| chapter.number > number);
            let at = later.unwrap_or(self.chapters.len());
            self.chapters.insert(at, chapter);
            at
        });
        let is_latest = at + 1 == self.chapters.len();
        (&mut self.chapters[at], is_latest)
    }

    /// Ends the account: what was published and never came is lost, or cut where the publisher
    /// itself was cut off.
    pub fn close(&mut self, rules: &Rules, counts: &mut GroupCounts) {
        for chapter in self.chapters.drain(..) {
            chapter.close(rules.source(self.stream), u64::MAX, counts);
        }
    }

    /// Ends the account of a player that goes before everything has come. What is on its way to it
    /// is not lost, but what later frames have overtaken is.
    pub fn leave(&mut self, rules: &Rules, counts: &mut GroupCounts) {
        let source = rules.source(self.stream);
        for chapter in self.chapters.drain(..) {
            let until_ns = chapter.reached_ns.saturating_sub(APART_NS);
            chapter.close(source, until_ns, counts);
        }
    }

    /// Frames that are still to come of what was published so far.
    pub fn behind(&self, rules: &Rules) -> u64 {
        let source = rules.source(self.stream);
        self.chapters.iter().map(|chapter| chapter.behind(source)).sum()
    }
}

impl Chapter {
    /// Ends the chapter. Frames that were due only after `until_ns` are not asked for.
    fn close(self, source: &Source, until_ns: u64, counts: &mut GroupCounts) {
        let Some(epoch) = &self.progress else { return };
        for track in [Track::Video, Track::Audio] {
            let mut published = epoch.published(track);
            if until_ns < u64::MAX {
                published = first_due(source, track, until_ns, published);
            }
            let missing = self.missing(source, track, published);
            let tally = counts.track(track);
            if epoch.is_cut() {
                tally.cut += missing;
            } else if missing > 0 {
                tally.faults.lost += missing;
                tally.lost_payload += payload(source, track, published, missing);
            }
        }
    }

    fn behind(&self, source: &Source) -> u64 {
        match &self.progress {
            Some(epoch) if !epoch.is_cut() => [Track::Video, Track::Audio]
                .map(|track| self.missing(source, track, epoch.published(track)))
                .iter()
                .sum(),
            _ => 0,
        }
    }

    /// Frames missing at the end, of a track that has published so many.
    fn missing(&self, source: &Source, track: Track, published: u32) -> u64 {
        let ledger = match track {
            Track::Video => &self.video.ledger,
            Track::Audio => &self.audio.ledger,
        };
        if ledger.has_begun() || !source.has(track) {
            return ledger.missing(published);
        }
        // Nothing of it came. Sound is owed from where the other track began; pictures, only from a
        // key frame on, which the first of all is.
        match track {
            Track::Video if self.began_ns > APART_NS => 0,
            _ => u64::from(published - first_due(source, track, self.began_ns, published)),
        }
    }
}

impl Line {
    fn enter(
        &mut self,
        arrival: &Arrival<'_>,
        mark: &Mark,
        source: &Source,
        speed: f64,
        tally: &mut TrackCounts,
    ) {
        let Faults { lost, .. } = tally.faults;
        self.ledger.enter(mark.sequence, &mut tally.faults);
        if tally.faults.lost > lost {
            let gap = tally.faults.lost - lost;
            tally.lost_payload += payload(source, arrival.track, mark.sequence, gap);
        } else if tally.faults.lost < lost {
            // It was taken for lost and is only late.
            let late = payload(source, arrival.track, mark.sequence.saturating_add(1), 1);
            tally.lost_payload = tally.lost_payload.saturating_sub(late);
        }
        if let Some((timestamp, scheduled_ns)) = self.last {
            let scheduled_ns = mark.scheduled_ns.wrapping_sub(scheduled_ns) as i64;
            // Timestamps wrap at 2^32 ms (RTMP 1.0, 3).
            let moved_ms = i64::from(arrival.timestamp.wrapping_sub(timestamp) as i32);
            let due_ms = (scheduled_ns as f64 * speed / 1e6) as i64;
            tally.mistimed += u64::from(moved_ms.abs_diff(due_ms) > ROUNDING_MS as u64);
        }
        self.last = Some((arrival.timestamp, mark.scheduled_ns));
    }
}

/// The first of so many frames of a track that is due at a time or later; their number if none is.
fn first_due(source: &Source, track: Track, ns: u64, frames: u32) -> u32 {
    if frames == 0 || !source.has(track) {
        return frames;
    }
    let (mut from, mut until) = (0, frames);
    while from < until {
        let middle = from + (until - from) / 2;
        if source.due_ns(track, middle) < ns {
            from = middle + 1;
        } else {
            until = middle;
        }
    }
    from
}

/// Payload of the so many frames before frame `until`.
fn payload(source: &Source, track: Track, until: u32, frames: u64) -> u64 {
    let from = until.saturating_sub(u32::try_from(frames).unwrap_or(u32::MAX));
    source.payload_before(track, until).saturating_sub(source.payload_before(track, from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::seen::{Seen, look};
    use crate::media::shape::Shape;
    use millstream_rtmp::message::MessageType;

    /// A player of stream 0, its publishers, and what was counted.
    struct Scene {
        rules: Rules,
        epochs: Epochs,
        account: Account,
        counts: GroupCounts,
        times: Times,
    }

    impl Scene {
        fn new() -> Self {
            let source = Arc::new(Source::Generated(Shape::new(1_000_000, 30)));
            Self {
                rules: Rules { sources: vec![source], late_ns: 1_000_000_000, speed: 1.0 },
                epochs: Epochs::default(),
                account: Account::new(0, true, 0),
                counts: GroupCounts::default(),
                times: Times::default(),
            }
        }

        fn frame(&self, stream: u32, epoch: u32, sequence: u32) -> Vec<u8> {
            let due = self.rules.sources[0].due_ns(Track::Video, sequence);
            self.rules.sources[0].frame(Track::Video, stream, epoch, sequence, due).to_vec()
        }

        /// A video frame arrives 5 ms after it was due.
        fn arrives(&mut self, payload: &[u8], sequence: u32) {
            let due = self.rules.sources[0].due_ns(Track::Video, sequence);
            self.arrives_at(payload, (due / 1_000_000) as u32, due + 5_000_000);
        }

        fn arrives_at(&mut self, payload: &[u8], timestamp: u32, now_ns: u64) {
            let Seen::Frame { track, mark, .. } = look(MessageType::VIDEO, payload) else {
                panic!("it was a frame");
            };
            let arrival = Arrival { track, mark, payload, timestamp, now_ns };
            let Self { account, epochs, rules, counts, times } = self;
            account.enter(&arrival, epochs, rules, counts, Some(times));
        }

        fn play(&mut self, epoch: u32, sequences: &[u32]) {
            for sequence in sequences {
                let frame = self.frame(0, epoch, *sequence);
                self.arrives(&frame, *sequence);
            }
        }

        fn close(&mut self) -> TrackCounts {
            self.account.close(&self.rules, &mut self.counts);
            self.counts.video
        }
    }

    #[test]
    fn frames_as_they_were_sent_are_no_fault_and_their_delay_is_entered() {
        let mut scene = Scene::new();
        scene.epochs.begin().publish(Track::Video, 3);
        scene.play(0, &[0, 1, 2]);
        assert_eq!(scene.account.behind(&scene.rules), 0);
        let video = scene.close();
        assert_eq!((video.frames, video.wrong(), scene.counts.compared), (3, 0, 3));
        assert_eq!(scene.times.of(Time::Video).max() / 100, 50);
    }

    #[test]
    fn each_damage_has_its_own_counter() {
        type Damage = fn(&mut Scene);
        type Count = fn(&TrackCounts) -> u64;
        let cases: [(&str, Damage, Count); 7] = [
            ("lost", |scene| scene.play(0, &[0, 2]), |video| video.faults.lost),
            ("duplicated", |scene| scene.play(0, &[0, 1, 1]), |video| video.faults.duplicated),
            ("reordered", |scene| scene.play(0, &[0, 2, 1]), |video| video.faults.reordered),
            (
                "corrupt: a byte",
                |scene| {
                    let mut frame = scene.frame(0, 0, 1);
                    *frame.last_mut().unwrap() ^= 1;
                    scene.arrives(&frame, 1);
                },
                |video| video.corrupt,
            ),
            (
                "corrupt: the length",
                |scene| {
                    let frame = scene.frame(0, 0, 1);
                    scene.arrives(&frame[..frame.len() - 1], 1);
                },
                |video| video.corrupt,
            ),
            (
                "corrupt: another stream's",
                |scene| {
                    let frame = scene.frame(1, 0, 1);
                    scene.arrives(&frame, 1);
                },
                |video| video.corrupt,
            ),
            (
                "mistimed",
                |scene| {
                    scene.play(0, &[0]);
                    let frame = scene.frame(0, 0, 1);
                    scene.arrives_at(&frame, 50, 40_000_000);
                },
                |video| video.mistimed,
            ),
        ];
        for (name, damage, count) in cases {
            let mut scene = Scene::new();
            damage(&mut scene);
            let video = scene.close();
            assert_eq!((count(&video), video.wrong()), (1, 1), "{name}: {video:?}");
        }
    }

    #[test]
    fn a_frame_without_a_mark_is_unmarked() {
        let mut scene = Scene::new();
        let mut frame = scene.frame(0, 0, 0);
        frame[20] ^= 0x40;
        scene.arrives(&frame, 0);
        assert_eq!(scene.close().unmarked, 1);
    }

    #[test]
    fn what_is_missing_at_the_end_is_lost_unless_the_publisher_was_cut_off() {
        let mut scene = Scene::new();
        let epoch = scene.epochs.begin();
        epoch.publish(Track::Video, 5);
        scene.play(0, &[0, 1]);
        assert_eq!(scene.account.behind(&scene.rules), 3);
        let video = scene.close();
        let owed = scene.rules.sources[0].payload_before(Track::Video, 5)
            - scene.rules.sources[0].payload_before(Track::Video, 2);
        assert_eq!((video.faults.lost, video.lost_payload, video.cut), (3, owed, 0));

        let mut scene = Scene::new();
        let epoch = scene.epochs.begin();
        epoch.publish(Track::Video, 5);
        scene.play(0, &[0, 1]);
        epoch.cut();
        assert_eq!(scene.account.behind(&scene.rules), 0);
        let video = scene.close();
        assert_eq!((video.faults.lost, video.cut), (0, 3));
    }

    #[test]
    fn a_publisher_that_returns_begins_a_new_count() {
        let mut scene = Scene::new();
        for epoch in 0..5 {
            scene.epochs.begin().publish(Track::Video, 3);
            scene.play(epoch, &[0, 1, 2]);
        }
        let video = scene.close();
        assert_eq!((video.frames, video.wrong()), (15, 0), "{video:?}");
    }

    #[test]
    fn frames_of_two_publishers_at_a_time_are_mixed_and_none_of_them_looks_lost() {
        let mut scene = Scene::new();
        scene.epochs.begin().publish(Track::Video, 4);
        scene.epochs.begin().publish(Track::Video, 1);
        scene.play(0, &[0, 1]);
        scene.play(1, &[0]);
        scene.play(0, &[2, 3]);
        let video = scene.close();
        assert_eq!((video.mixed, video.wrong()), (2, 2), "{video:?}");
    }

    #[test]
    fn what_was_sent_before_the_player_asked_is_backlog_and_has_no_delay() {
        let mut scene = Scene::new();
        scene.account = Account::new(0, false, 40_000_000);
        scene.play(0, &[0, 1, 2]);
        let video = scene.close();
        assert_eq!((video.backlog, scene.times.of(Time::Video).len()), (2, 1));
        assert_eq!(scene.counts.compared, 0);
    }

    #[test]
    fn a_track_of_which_nothing_came_is_lost_from_where_the_other_began() {
        let mut scene = Scene::new();
        let epoch = scene.epochs.begin();
        epoch.publish(Track::Video, 90);
        epoch.publish(Track::Audio, 141);
        let second: Vec<u32> = (60..90).collect();
        scene.play(0, &second);
        // Video from 2 s on; sound has 46.875 frames a second, and frame 94 is the first then.
        assert_eq!(scene.account.behind(&scene.rules), 141 - 94);
        let video = scene.close();
        let audio = scene.counts.audio;
        assert_eq!((video.wrong(), audio.faults.lost), (0, 47));
        let sound = scene.rules.sources[0].payload_before(Track::Audio, 1);
        assert_eq!(audio.lost_payload, 47 * sound);
    }

    #[test]
    fn who_goes_has_lost_what_was_overtaken_and_not_what_was_under_way() {
        let mut scene = Scene::new();
        let epoch = scene.epochs.begin();
        epoch.publish(Track::Video, 120);
        epoch.publish(Track::Audio, 188);
        // Video comes as far as 3 s, of the four that were published, and no sound at all.
        let frames: Vec<u32> = (0..=90).collect();
        scene.play(0, &frames);
        scene.account.leave(&scene.rules, &mut scene.counts);
        let GroupCounts { video, audio, .. } = &scene.counts;
        // Sound of the first two seconds.
        assert_eq!((video.wrong(), audio.faults.lost), (0, 94));
    }

    #[test]
    fn who_gets_frames_before_they_were_sent_measures_no_delay_and_is_told_once() {
        let mut scene = Scene::new();
        for sequence in 30..33 {
            let frame = scene.frame(0, 0, sequence);
            let due = scene.rules.sources[0].due_ns(Track::Video, sequence);
            scene.arrives_at(&frame, (due / 1_000_000) as u32, due - 30_000_000);
        }
        assert_eq!(scene.times.of(Time::Video).len(), 0);
        assert_eq!(scene.counts.errors.get("clocks-apart"), Some(&1));
        // By a little, clocks that are kept together do differ.
        let frame = scene.frame(0, 0, 33);
        scene.arrives_at(&frame, 1100, 1_090_000_000);
        assert_eq!(scene.times.of(Time::Video).len(), 1);
    }

    #[test]
    fn a_frame_over_the_limit_is_late() {
        let mut scene = Scene::new();
        let frame = scene.frame(0, 0, 0);
        scene.arrives_at(&frame, 0, 1_000_000_001);
        let video = scene.close();
        assert_eq!((video.late, video.wrong()), (1, 0));
    }
}

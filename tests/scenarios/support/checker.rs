//! What a player makes of what it is sent: every frame is looked at, and anything that is not
//! exactly what was published ends the test.
//!
//! Held: length and hash; rising order; headers of its generation before any frame; a key frame
//! before any other video frame, at the start and after each gap; one constant distance between
//! source time and received time per generation; time that never steps back; data messages without
//! a gap. Gaps between frames are added up, for the story to compare with what was announced.

use super::source::{DATA_NAME, Mark, Seen, data_number, now_ns, read};
use bytes::Bytes;
use millstream_rtmp::message::{Message, MessageType};

/// Measured delays, which no failure needs to list.
#[derive(Default)]
pub struct Delays(pub Vec<u64>);

impl std::fmt::Debug for Delays {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} delays", self.0.len())
    }
}

/// What the player is told out of band, and what it has seen.
#[derive(Debug, Default)]
pub struct Checker {
    pub who: String,
    stream: Option<u32>,
    metadata: Option<u32>,
    video_header: Option<u32>,
    audio_header: Option<u32>,
    generation: Option<u32>,
    /// Who comes next may have sent frames before that nobody was to see: it stood in line, or is a
    /// slate.
    pub handed_over: bool,
    /// Source time to received time, of this generation.
    offset: Option<u32>,
    last_ms: Option<u32>,
    last_order: u64,
    video: Track,
    audio: Track,
    key_needed: bool,
    /// It is on its way to the key frame where it goes on; sound may jump there.
    rejoins: bool,
    uncertain: bool,
    /// The last number of this generation, and that of the one before.
    last_data: Option<u64>,
    data_since: Option<u64>,
    /// Frames seen, and how many of these were key frames.
    pub frames: u64,
    pub keys: u64,
    pub video_frames: u64,
    pub audio_frames: u64,
    pub data: u64,
    pub generations: u32,
    /// Frames that never came, between some that did.
    pub missing: u64,
    /// Frames that the server said it skipped.
    pub announced: u64,
    pub announcements: u64,
    /// Sent to received, in microseconds.
    pub delays_us: Delays,
    /// Headers seen.
    pub headers: u64,
}

#[derive(Debug, Default)]
struct Track {
    last: Option<u64>,
}

impl Track {
    /// Takes a number in, and returns how many are missing before it.
    fn step(&mut self, number: u64) -> u64 {
        let missing = self.last.map_or(0, |last| number.wrapping_sub(last + 1));
        self.last = Some(number);
        missing
    }
}

impl Checker {
    pub fn new(who: String) -> Self {
        Self { who, key_needed: true, ..Self::default() }
    }

    /// From here on it may go on anywhere that a joiner may: after a pause, a change of tracks, or
    /// a new play.
    pub fn rejoin(&mut self) {
        self.video.last = None;
        self.audio.last = None;
        self.key_needed = true;
        self.rejoins = true;
    }

    /// Begins or ends a time in which nobody can say where the stream jumps: a command is on its
    /// way and frames from before it still come.
    pub fn uncertain(&mut self, begins: bool) {
        self.rejoin();
        self.uncertain = begins;
        self.key_needed = false;
    }

    /// Pictures stop, sound goes on without a gap.
    pub fn without_video(&mut self) {
        self.video.last = None;
        self.key_needed = true;
    }

    /// Sound stops or begins, pictures go on without a gap.
    pub fn without_audio(&mut self) {
        self.audio.last = None;
    }

    /// The stream has ended: another one may begin at another time.
    pub fn ended(&mut self) {
        self.last_ms = None;
    }

    /// The server says that frames were left out.
    pub fn announce(&mut self, description: &str) {
        let frames = description
            .strip_prefix("skipped ")
            .and_then(|rest| rest.split_once(' '))
            .and_then(|(count, _)| count.parse::<u64>().ok());
        let Some(frames) = frames else {
            self.fail(&format!("an announcement without a count: {description}"));
        };
        self.announced += frames;
        self.announcements += 1;
    }

    pub fn media(&mut self, message: &Message) {
        match read(message.kind, &message.payload) {
            Err(why) => self.fail(why),
            Ok(Seen::Header { stream, generation }) => {
                self.belongs(stream);
                self.headers += 1;
                let slot = match message.kind {
                    MessageType::AUDIO => &mut self.audio_header,
                    _ => &mut self.video_header,
                };
                *slot = Some(generation);
            }
            Ok(Seen::Frame(mark)) => self.frame(message, mark),
        }
    }

    fn frame(&mut self, message: &Message, mark: Mark) {
        self.belongs(mark.stream);
        if self.generation != Some(mark.generation) {
            self.enter(mark.generation);
        }
        let video = message.kind == MessageType::VIDEO;
        let header = if video { self.video_header } else { self.audio_header };
        if header != Some(mark.generation) {
            self.fail(&format!("{mark:?} without its header: last was of {header:?}"));
        }
        if mark.order <= self.last_order {
            self.fail(&format!("{mark:?} after order {}", self.last_order));
        }
        self.last_order = mark.order;
        if self.uncertain {
            self.uncertain(true);
        }
        if self.rejoins {
            self.audio.last = None;
            self.rejoins = !mark.key;
        }
        let missing =
            if video { self.video.step(mark.number) } else { self.audio.step(mark.number) };
        self.missing += missing;
        if video {
            if (missing > 0 || self.key_needed) && !mark.key {
                self.fail(&format!("{mark:?} is no key frame, after {missing} missing"));
            }
            self.key_needed = false;
            self.video_frames += 1;
            self.keys += u64::from(mark.key);
        } else {
            self.audio_frames += 1;
        }
        let offset = message.timestamp.wrapping_sub(mark.source_ms);
        if *self.offset.get_or_insert(offset) != offset {
            self.fail(&format!("{mark:?} moved in time: {} ms on the wire", message.timestamp));
        }
        if let Some(last) = self.last_ms
            && message.timestamp.wrapping_sub(last) as i32 > 600_000
        {
            self.fail("time jumped by more than ten minutes");
        }
        if let Some(last) = self.last_ms
            && (message.timestamp.wrapping_sub(last) as i32) < 0
        {
            self.fail(&format!("{mark:?} at {} ms, after {last} ms", message.timestamp));
        }
        self.last_ms = Some(message.timestamp);
        self.frames += 1;
        self.delays_us.0.push(now_ns().saturating_sub(mark.sent_ns) / 1000);
    }

    fn enter(&mut self, generation: u32) {
        if self.generation.is_some_and(|held| generation < held) {
            self.fail(&format!("generation {generation} after {:?}", self.generation));
        }
        // Of the frames that end the old generation nobody can say how many there were, but the
        // new one is read from its first.
        let joined = self.generation.is_some();
        self.generation = Some(generation);
        self.generations += 1;
        self.offset = None;
        self.last_order = 0;
        self.key_needed |= joined && self.video.last.is_some();
        for track in [&mut self.video, &mut self.audio] {
            track.last = track.last.filter(|_| !self.handed_over).map(|_| 0);
        }
    }

    /// A data message. Numbers of our own rise by one.
    pub fn data(&mut self, name: &str, payload: &Bytes) {
        // What the server itself tells a player, such as `|RtmpSampleAccess`, has no number.
        if name != DATA_NAME && name != "onMetaData" {
            return;
        }
        let Some(number) = data_number(payload) else { self.fail("data without a number") };
        if name == "onMetaData" {
            // What the one before sent last may have died with it, and data with it.
            if self.metadata.replace(number as u32) != Some(number as u32) {
                self.data_since = self.last_data.take().or(self.data_since);
            }
            return;
        }
        if let Some(last) = self.last_data
            && number != last + 1
        {
            self.fail(&format!("data message {number} after {last}"));
        }
        if self.data_since.is_some_and(|last| number <= last) {
            self.fail(&format!("data message {number} after {:?}", self.data_since));
        }
        self.last_data = Some(number);
        self.data += 1;
    }

    pub fn stream(&self) -> Option<u32> {
        self.stream
    }

    /// Whether it has seen the frame of this order in this generation, or a later one.
    pub fn reached(&self, generation: u32, order: u64) -> bool {
        self.generation == Some(generation) && self.last_order >= order
    }

    /// Everything that is missing was announced, and nothing else.
    pub fn assert_gaps_announced(&self) {
        assert_eq!(
            self.missing, self.announced,
            "{}: frames missing against frames announced ({} times)",
            self.who, self.announcements
        );
    }

    /// The player lost nothing.
    pub fn assert_whole(&self) {
        assert_eq!((self.missing, self.announced), (0, 0), "{}: frames are missing", self.who);
    }

    pub fn metadata(&self) -> Option<u32> {
        self.metadata
    }

    fn belongs(&mut self, stream: u32) {
        if *self.stream.get_or_insert(stream) != stream {
            self.fail(&format!("a message of stream {stream}"));
        }
    }

    fn fail(&self, why: &str) -> ! {
        panic!("{}: {why}; seen so far: {self:?}", self.who)
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::{Outgoing, Shape, Source};
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    fn stream() -> Vec<Outgoing> {
        let mut source = Source::new(1, Shape { gop: 5, ..Shape::default() });
        let mut messages = source.headers();
        for _ in 0..20 {
            source.next(&mut messages);
        }
        messages
    }

    /// Shows a stream to a checker, and returns it unless it complained.
    fn shown(messages: Vec<Outgoing>) -> Option<Checker> {
        let mut checker = Checker::new("a test".to_owned());
        let show = || {
            for message in messages {
                let Outgoing { kind, timestamp, payload } = message;
                if kind == MessageType::DATA_AMF0 {
                    let name = if payload[5] == b'M' { "onMetaData" } else { DATA_NAME };
                    checker.data(name, &payload);
                } else {
                    checker.media(&Message {
                        chunk_stream_id: 4,
                        timestamp,
                        kind,
                        stream_id: 1,
                        payload,
                    });
                }
            }
        };
        catch_unwind(AssertUnwindSafe(show)).is_ok().then_some(checker)
    }

    #[test]
    fn the_untouched_stream_passes() {
        let checker = shown(stream()).expect("nothing is wrong with it");
        assert_eq!((checker.video_frames, checker.audio_frames, checker.data), (20, 20, 2));
        checker.assert_whole();
    }

    #[test]
    fn a_missing_frame_is_counted_or_fails() {
        // Messages 0 to 2 are headers; frame 3 is a key frame, 4 its sound.
        let mut without_sound = stream();
        without_sound.remove(6);
        assert_eq!(shown(without_sound).map(|checker| checker.missing), Some(1));
        let mut without_picture = stream();
        without_picture.remove(5);
        assert!(shown(without_picture).is_none(), "a gap that no key frame ends");
    }

    #[test]
    fn whatever_is_mutilated_fails() {
        let mutilate: [fn(&mut Vec<Outgoing>); 7] = [
            |stream| {
                let mut bytes = stream[7].payload.to_vec();
                bytes[900] ^= 1;
                stream[7].payload = bytes.into();
            },
            |stream| {
                let payload = stream[7].payload.clone();
                stream[7].payload = payload.slice(..payload.len() - 1);
            },
            |stream| stream.swap(6, 8),
            |stream| stream[9].timestamp += 1,
            |stream| drop(stream.remove(1)), // the configuration
            |stream| drop(stream.remove(3)), // the key frame
            |stream| {
                let again = stream[8].clone();
                stream.insert(9, again);
            },
        ];
        for (index, mutilate) in mutilate.into_iter().enumerate() {
            let mut stream = stream();
            mutilate(&mut stream);
            assert!(shown(stream).is_none(), "mutilation {index} passed");
        }
    }
}

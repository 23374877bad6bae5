//! FLV as a publisher's timeline: its tags in order, headers first, jumps taken out, and going on
//! behind the end when it is repeated. Of what is still being written, the newest part can be taken.
//! Where the bytes come from stands in `source`.

mod meaning;

pub(super) use meaning::Meaning;

use super::error::ClientError;
use super::source::{Got, Source};
use meaning::meaning_of;
use millstream_flv::{Reader, Tag, TagKind, VideoHeader};
use millstream_media::{JUMP_MS, Timeline, TrackKind};

use std::collections::VecDeque;

/// How many tags at the beginning are searched for headers that stand behind the first frames.
const HEADERS_WITHIN: usize = 64;

/// The distance assumed behind the last frame of a track with one frame only.
const STEP_MS: u64 = 40;

/// Longest distance between two frames that is repeated between the end and the beginning.
const STEP_MS_MAX: u64 = 1_000;

/// Bytes of a group of pictures that is looked for in a file that is followed. Who has longer ones
/// begins with the next key frame.
const GROUP_BYTES_MAX: usize = 64 * 1024 * 1024;

pub(super) struct Film {
    source: Source,
    reader: Reader,
    ended: bool,
    /// The beginning is read.
    begun: bool,
    /// Begin with what is newest.
    newest: bool,
    /// Tags that were read ahead.
    ahead: VecDeque<Tag>,
    timeline: Timeline,
    /// What repetition adds to the file's times, modulo 2^32.
    shift: u32,
    /// The file's first time.
    first: u32,
    /// Where sound and pictures are on the line.
    tracks: [Track; 2],
    /// The headers sent last, which need not be sent again: metadata, sound, pictures.
    headers: [Option<bytes::Bytes>; 3],
    skipped: u64,
}

/// A tag and its place on the timeline.
pub(super) struct Placed {
    pub(super) tag: Tag,
    /// Milliseconds.
    pub(super) ms: u64,
    pub(super) meaning: Meaning,
}

#[derive(Clone, Copy, Default)]
struct Track {
    last: Option<u64>,
    /// From the last frame but one to the last, within one pass through the file.
    step: Option<u64>,
    /// Nothing of it has come in this pass.
    fresh: bool,
}

/// What is there of a film.
pub(super) enum Next {
    Tag(Placed),
    /// Whoever writes it has not written more yet.
    Nothing,
    End,
}

/// What was read.
enum Item {
    Tag(Tag),
    Nothing,
    End,
}

impl Film {
    /// A film of these bytes. `newest` begins with the newest key frame that is there, and the headers.
    pub(super) fn new(source: Source, newest: bool) -> Self {
        Self {
            source,
            newest,
            reader: Reader::new(),
            ended: false,
            begun: false,
            ahead: VecDeque::new(),
            timeline: Timeline::new(0),
            shift: 0,
            first: 0,
            tracks: [Track::default(); 2],
            headers: [const { None }; 3],
            skipped: 0,
        }
    }

    /// Reads as far as the first frames. False: they are not written yet, and it has to be called again.
    pub(super) fn begin(&mut self) -> Result<bool, ClientError> {
        while !self.begun {
            if self.look_ahead()? {
                if self.newest {
                    self.skip_to_newest()?;
                }
                let first = self.ahead.iter().find(|tag| tag.kind != TagKind::Script);
                let Some(first) = first else {
                    return Err(ClientError::NoMedia { path: self.source.path().to_owned() });
                };
                self.first = first.timestamp;
                self.timeline = Timeline::new(u64::from(self.first));
                self.begun = true;
            } else {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Passes over what is there but for the headers and all from the last key frame on, as `tail` shows
    /// the end of a file.
    fn skip_to_newest(&mut self) -> Result<(), ClientError> {
        let (mut headers, mut group) = ([const { None::<Tag> }; 3], VecDeque::new());
        let mut bytes = 0;
        let mut ahead = std::mem::take(&mut self.ahead);
        loop {
            let tag = match ahead.pop_front() {
                Some(tag) => tag,
                None => match self.read()? {
                    Item::Tag(tag) => tag,
                    Item::Nothing | Item::End => break,
                },
            };
            let meaning = meaning_of(&tag);
            if let Some(index) = meaning.header_index() {
                headers[index] = Some(tag);
                continue;
            }
            let is_key = tag.kind == TagKind::Video
                && VideoHeader::parse(&tag.payload).is_ok_and(|header| header.is_key_frame());
            bytes += tag.payload.len();
            if is_key || bytes > GROUP_BYTES_MAX {
                bytes = tag.payload.len();
                group.clear();
            }
            group.push_back(tag);
        }
        // A header's time is that of what it stands before.
        let time = group.front().map(|tag| tag.timestamp);
        for mut header in headers.into_iter().flatten() {
            header.timestamp = time.unwrap_or(header.timestamp);
            self.ahead.push_back(header);
        }
        self.ahead.extend(group);
        Ok(())
    }

    /// The file's first time, in milliseconds, where the timeline begins.
    pub(super) fn first(&self) -> u64 {
        self.first.into()
    }

    /// Bytes of the file that were no tags.
    pub(super) fn skipped(&self) -> u64 {
        self.skipped.max(self.reader.skipped_bytes())
    }

    /// The next tag.
    pub(super) fn next(&mut self) -> Result<Next, ClientError> {
        loop {
            let tag = match self.ahead.pop_front() {
                Some(tag) => tag,
                None => match self.read()? {
                    Item::Tag(tag) => tag,
                    Item::Nothing => return Ok(Next::Nothing),
                    Item::End => return Ok(Next::End),
                },
            };
            let meaning = meaning_of(&tag);
            if !self.is_news(meaning, &tag) {
                continue;
            }
            let ms = self.place(&tag);
            return Ok(Next::Tag(Placed { tag, ms, meaning }));
        }
    }

    /// Goes back to the beginning, with times that go on.
    pub(super) fn rewind(&mut self) -> Result<(), ClientError> {
        self.source.rewind()?;
        self.go_on();
        self.look_ahead().map(drop)
    }

    /// What comes next is another file, whose times go on behind this one's.
    fn go_on(&mut self) {
        self.reader = Reader::new();
        self.ended = false;
        let ends = self.tracks.iter().filter_map(|track| {
            Some(track.last? + track.step.unwrap_or(STEP_MS).clamp(1, STEP_MS_MAX))
        });
        let end = ends.max().unwrap_or(self.timeline.last() + STEP_MS);
        self.tracks.iter_mut().for_each(|track| track.fresh = true);
        self.shift = (end as u32).wrapping_sub(self.first);
    }

    /// Reads the beginning, and puts metadata and sequence headers before everything else. False if there
    /// is too little for it yet. What is still being written has its headers in front, so that its first
    /// frame is enough.
    fn look_ahead(&mut self) -> Result<bool, ClientError> {
        while self.ahead.len() < HEADERS_WITHIN {
            match self.read()? {
                Item::Tag(tag) => {
                    let is_frame = matches!(meaning_of(&tag), Meaning::Audio | Meaning::Video);
                    self.ahead.push_back(tag);
                    if is_frame && self.source.is_live() {
                        break;
                    }
                }
                Item::Nothing => return Ok(false),
                Item::End => break,
            }
        }
        for meaning in [Meaning::VideoHeader, Meaning::AudioHeader, Meaning::Metadata] {
            let at = self.ahead.iter().position(|tag| meaning_of(tag) == meaning);
            let first = self.ahead.iter().position(|tag| !meaning_of(tag).is_header());
            // A header that stands before the frames already stays in its place.
            if let (Some(at), Some(first)) = (at, first)
                && at > first
                && let Some(tag) = self.ahead.remove(at)
            {
                self.ahead.insert(if meaning == Meaning::Metadata { 0 } else { first }, tag);
            }
        }
        Ok(true)
    }

    fn read(&mut self) -> Result<Item, ClientError> {
        let mut piece;
        let mut input: &[u8] = &[];
        loop {
            let item = self.reader.read(&mut input);
            let not_flv = |_| ClientError::NotFlv { path: self.source.path().to_owned() };
            match item.map_err(not_flv)? {
                Some(millstream_flv::Item::Tag(tag)) => return Ok(Item::Tag(tag)),
                Some(millstream_flv::Item::Header(_)) => continue,
                None if self.ended => {
                    self.skipped = self.skipped.max(self.reader.skipped_bytes());
                    return Ok(Item::End);
                }
                None => {}
            }
            match self.source.read()? {
                Got::Piece(bytes) => {
                    piece = bytes;
                    input = &piece;
                }
                Got::Nothing => return Ok(Item::Nothing),
                Got::Anew => {
                    self.source.rewind()?;
                    self.go_on();
                }
                Got::End => {
                    self.reader.finish();
                    self.ended = true;
                }
            }
        }
    }

    /// Whether a tag is worth sending: headers are not, that were sent as they are.
    fn is_news(&mut self, meaning: Meaning, tag: &Tag) -> bool {
        let Some(index) = meaning.header_index() else { return true };
        let sent = &mut self.headers[index];
        let again = self.shift != 0 && sent.as_ref() == Some(&tag.payload);
        *sent = Some(tag.payload.clone());
        !again
    }

    fn place(&mut self, tag: &Tag) -> u64 {
        let source = tag.timestamp.wrapping_add(self.shift);
        let (kind, index) = match tag.kind {
            TagKind::Audio => (TrackKind::Audio, 0),
            TagKind::Video => (TrackKind::Video, 1),
            TagKind::Script => return self.place_beside(source),
        };
        let ms = self.timeline.place(kind, source).ms;
        let track = &mut self.tracks[index];
        if let Some(last) = track.last
            && ms > last
            && !track.fresh
        {
            track.step = Some(ms - last);
        }
        track.fresh = false;
        track.last = track.last.max(Some(ms));
        ms
    }

    /// Data stands where it says if that is near, else beside the last frame: much of it carries
    /// time 0 throughout.
    fn place_beside(&self, source: u32) -> u64 {
        let last = self.timeline.last();
        let distance = i64::from(source.wrapping_sub(last as u32) as i32);
        if distance.unsigned_abs() <= JUMP_MS { last.saturating_add_signed(distance) } else { last }
    }
}

#[cfg(test)]
mod tests;

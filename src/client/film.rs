//! A file as a publisher's timeline: its tags in order, headers first, jumps taken out, and going on
//! behind the end when it is repeated.

use super::error::ClientError;
use millstream_flv::{AudioHeader, AudioPacketType, Item, Reader, Tag, TagKind, VideoHeader};
use millstream_media::{JUMP_MS, Timeline, TrackKind};

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// How many tags at the beginning are searched for headers that stand behind the first frames.
const HEADERS_WITHIN: usize = 64;

/// The distance assumed behind the last frame of a track with one frame only.
const STEP_MS: u64 = 40;

/// Longest distance between two frames that is repeated between the end and the beginning.
const STEP_MS_MAX: u64 = 1_000;

pub(super) struct Film {
    path: PathBuf,
    file: File,
    reader: Reader,
    buffer: Box<[u8]>,
    ended: bool,
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

/// What a tag is to its viewers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Metadata,
    AudioHeader,
    VideoHeader,
    Audio,
    Video,
    Other,
}

#[derive(Clone, Copy, Default)]
struct Track {
    last: Option<u64>,
    /// From the last frame but one to the last, within one pass through the file.
    step: Option<u64>,
    /// Nothing of it has come in this pass.
    fresh: bool,
}

impl Film {
    /// Opens a file and reads as far as its first frames.
    pub(super) fn open(path: &Path) -> Result<Self, ClientError> {
        let failed = |source| ClientError::File { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let mut film = Self {
            path: path.to_owned(),
            file,
            reader: Reader::new(),
            buffer: vec![0; 64 * 1024].into_boxed_slice(),
            ended: false,
            ahead: VecDeque::new(),
            timeline: Timeline::new(0),
            shift: 0,
            first: 0,
            tracks: [Track::default(); 2],
            headers: [const { None }; 3],
            skipped: 0,
        };
        film.look_ahead()?;
        let first = film.ahead.iter().find(|tag| tag.kind != TagKind::Script);
        let first = first.ok_or_else(|| ClientError::NoMedia { path: path.to_owned() })?;
        film.first = first.timestamp;
        film.timeline = Timeline::new(u64::from(film.first));
        Ok(film)
    }

    /// The file's first time, in milliseconds, where the timeline begins.
    pub(super) fn first(&self) -> u64 {
        self.first.into()
    }

    /// Bytes of the file that were no tags.
    pub(super) fn skipped(&self) -> u64 {
        self.skipped
    }

    /// The next tag; nothing at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Placed>, ClientError> {
        loop {
            let tag = match self.ahead.pop_front() {
                Some(tag) => tag,
                None => match self.read()? {
                    Some(tag) => tag,
                    None => return Ok(None),
                },
            };
            let meaning = meaning_of(&tag);
            if !self.is_news(meaning, &tag) {
                continue;
            }
            let ms = self.place(&tag);
            return Ok(Some(Placed { tag, ms, meaning }));
        }
    }

    /// Goes back to the beginning, with times that go on.
    pub(super) fn rewind(&mut self) -> Result<(), ClientError> {
        let failed = |source| ClientError::File { path: self.path.clone(), source };
        self.file.seek(SeekFrom::Start(0)).map_err(failed)?;
        self.reader = Reader::new();
        self.ended = false;
        let ends = self.tracks.iter().filter_map(|track| {
            Some(track.last? + track.step.unwrap_or(STEP_MS).clamp(1, STEP_MS_MAX))
        });
        let end = ends.max().unwrap_or(self.timeline.last() + STEP_MS);
        self.tracks.iter_mut().for_each(|track| track.fresh = true);
        self.shift = (end as u32).wrapping_sub(self.first);
        self.look_ahead()
    }

    /// Reads the beginning, and puts metadata and sequence headers before everything else.
    fn look_ahead(&mut self) -> Result<(), ClientError> {
        while self.ahead.len() < HEADERS_WITHIN {
            let Some(tag) = self.read()? else { break };
            self.ahead.push_back(tag);
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
        Ok(())
    }

    fn read(&mut self) -> Result<Option<Tag>, ClientError> {
        let mut input: &[u8] = &[];
        loop {
            let item = self.reader.read(&mut input);
            match item.map_err(|_| ClientError::NotFlv { path: self.path.clone() })? {
                Some(Item::Tag(tag)) => return Ok(Some(tag)),
                Some(Item::Header(_)) => continue,
                None if self.ended => {
                    self.skipped = self.skipped.max(self.reader.skipped_bytes());
                    return Ok(None);
                }
                None => {}
            }
            let count = self
                .file
                .read(&mut self.buffer)
                .map_err(|source| ClientError::File { path: self.path.clone(), source })?;
            input = &self.buffer[..count];
            if count == 0 {
                self.reader.finish();
                self.ended = true;
            }
        }
    }

    /// Whether a tag is worth sending: headers are not, that were sent as they are.
    fn is_news(&mut self, meaning: Meaning, tag: &Tag) -> bool {
        let index = match meaning {
            Meaning::Metadata => 0,
            Meaning::AudioHeader => 1,
            Meaning::VideoHeader => 2,
            _ => return true,
        };
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

impl Meaning {
    fn is_header(self) -> bool {
        matches!(self, Self::Metadata | Self::AudioHeader | Self::VideoHeader)
    }
}

fn meaning_of(tag: &Tag) -> Meaning {
    match tag.kind {
        TagKind::Script if tag.payload.starts_with(b"\x02\x00\x0aonMetaData") => Meaning::Metadata,
        TagKind::Script => Meaning::Other,
        TagKind::Audio => match AudioHeader::parse(&tag.payload) {
            Ok(header) if header.packet_type == AudioPacketType::SequenceStart => {
                Meaning::AudioHeader
            }
            Ok(_) => Meaning::Audio,
            Err(_) => Meaning::Other,
        },
        TagKind::Video => match VideoHeader::parse(&tag.payload) {
            Ok(header) if header.is_sequence_start() => Meaning::VideoHeader,
            Ok(header) if header.is_coded() => Meaning::Video,
            _ => Meaning::Other,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BytesMut;
    use millstream_flv::{Header, Writer};

    const METADATA: &[u8] = b"\x02\0\x0aonMetaData\x05";
    const VIDEO_HEADER: &[u8] = b"\x17\0\0\0\0\x01";
    const AUDIO_HEADER: &[u8] = b"\xaf\0\x12\x10";
    const PICTURE: &[u8] = b"\x27\x01\0\0\0x";
    const SOUND: &[u8] = b"\xaf\x01x";

    /// What is sent of a file with these tags: times and what they mean.
    fn sent(name: &str, tags: &[(TagKind, u32, &[u8])], passes: usize) -> Vec<(u64, Meaning)> {
        let mut file = BytesMut::new();
        let mut writer = Writer::new();
        writer.header(Header { audio: true, video: true }, &mut file);
        for (kind, time, payload) in tags {
            writer.tag(*kind, *time, payload, &mut file).unwrap();
        }
        let name = format!("millstream-film-{}-{name}.flv", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, &file).unwrap();
        let mut film = Film::open(&path).unwrap();
        let mut sent = Vec::new();
        for pass in 0..passes {
            if pass > 0 {
                film.rewind().unwrap();
            }
            while let Some(placed) = film.next().unwrap() {
                sent.push((placed.ms, placed.meaning));
            }
        }
        std::fs::remove_file(&path).unwrap();
        sent
    }

    use Meaning::{Audio, AudioHeader, Metadata, Video, VideoHeader};
    use TagKind::{Audio as A, Script as S, Video as V};

    #[test]
    fn headers_go_first_wherever_they_stand() {
        let tags = [
            (V, 0, PICTURE),
            (A, 10, AUDIO_HEADER),
            (A, 10, SOUND),
            (S, 0, METADATA),
            (V, 0, VIDEO_HEADER),
            (V, 40, PICTURE),
        ];
        let meanings: Vec<_> = sent("headers", &tags, 1).iter().map(|(_, what)| *what).collect();
        assert_eq!(meanings, [Metadata, VideoHeader, AudioHeader, Video, Audio, Video]);
    }

    #[test]
    fn repetition_goes_on_by_a_frame_and_leaves_known_headers_out() {
        let tags = [
            (S, 0, METADATA),
            (V, 500, VIDEO_HEADER),
            (V, 500, PICTURE),
            (A, 510, SOUND),
            (V, 540, PICTURE),
        ];
        let first = [(0, Metadata), (500, VideoHeader), (500, Video), (510, Audio), (540, Video)];
        let again = |at: u64| [(at, Video), (at + 10, Audio), (at + 40, Video)];
        let all = [&first[..], &again(580), &again(660)].concat();
        assert_eq!(sent("loop", &tags, 3), all);
    }

    #[test]
    fn a_jump_within_the_file_is_taken_out() {
        let hour = 3_600_000;
        let tags = [
            (V, 0, PICTURE),
            (V, 40, PICTURE),
            (V, 80 + hour, PICTURE),
            (A, 85 + hour, SOUND),
            (V, 5, PICTURE),
        ];
        let times: Vec<_> = sent("jump", &tags, 1).iter().map(|(ms, _)| *ms).collect();
        assert_eq!(times, [0, 40, 80, 85, 120]);
    }
}

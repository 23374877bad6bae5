//! A slate's file, read whole and checked: what is appended, and when. It is read at start, so that
//! whatever is wrong with it shows there and not in the first gap.

use super::error::{Fault, SlateError};
use crate::ingest;
use crate::limits::{SLATE_BYTES_MAX, SLATE_ROUND_MIN};
use crate::stream::segment::Kind;
use crate::stream::writer::{Arrival, Stored};
use bytes::{Bytes, BytesMut};
use millstream_amf0::{Limits, Object};
use millstream_flv::{AudioHeader, Item, Reader, ScriptData, Tag, TagKind, VideoHeader};
use millstream_rtmp::message::{Message, MessageType};
use millstream_rtmp::session::{Data, DataFrame};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

/// The film of a slate, whose times begin with 0 at its first key frame.
pub struct Film {
    /// Headers, then the first key frame and all that follows, in the order of the file.
    messages: Vec<Stored>,
    /// So many of them are headers that come before the key frame.
    headers: usize,
    /// Its headers change on the way, so that each round has to begin with them.
    changes: bool,
    /// From one beginning to the next.
    round: Duration,
}

impl std::fmt::Debug for Film {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Film({} messages in {:?})", self.messages.len(), self.round)
    }
}

impl Film {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, is too large, or is nothing that viewers could be shown.
    pub fn read(path: &Path) -> Result<Self, SlateError> {
        read(path)
            .and_then(|bytes| Self::parse(&bytes))
            .map_err(|fault| SlateError { file: path.to_owned(), fault })
    }

    /// A film of the bytes of a file.
    ///
    /// # Errors
    /// It is nothing that viewers could be shown.
    pub fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        if bytes.is_empty() {
            return Err(Fault::Empty);
        }
        let mut making = Making::default();
        let mut reader = Reader::new();
        let mut input = bytes;
        let mut finished = false;
        loop {
            match reader.read(&mut input).map_err(|_| Fault::NotFlv)? {
                Some(Item::Tag(tag)) => making.take(tag),
                Some(Item::Header(_)) => {}
                None if finished => break,
                None => {
                    reader.finish();
                    finished = true;
                }
            }
        }
        let lost = reader.skipped_bytes() + reader.buffered_bytes() as u64;
        if lost > 0 {
            return Err(Fault::Damaged(lost));
        }
        making.done()
    }

    /// The messages, by their place; the first [`headers`](Self::headers) are headers.
    pub fn messages(&self) -> &[Stored] {
        &self.messages
    }

    /// How many headers stand in front.
    pub fn headers(&self) -> usize {
        self.headers
    }

    /// Where a round after the first begins.
    pub fn again(&self) -> usize {
        if self.changes { 0 } else { self.headers }
    }

    /// From one beginning to the next.
    pub fn round(&self) -> Duration {
        self.round
    }
}

/// Reads a file, and no more of it than a slate may have.
fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    let file = File::open(path).map_err(Fault::Read)?;
    let mut bytes = Vec::new();
    let most = SLATE_BYTES_MAX as u64 + 1;
    file.take(most).read_to_end(&mut bytes).map_err(Fault::Read)?;
    if bytes.len() > SLATE_BYTES_MAX { Err(Fault::TooLarge) } else { Ok(bytes) }
}

/// A film in the making.
#[derive(Default)]
struct Making {
    headers: Vec<Stored>,
    frames: Vec<Stored>,
    changes: bool,
    /// The time of the first key frame.
    begin: Option<u32>,
    /// It has pictures, if no key frame.
    video: bool,
    /// Pictures, and the time of the last.
    pictures: u64,
    last_picture: u32,
    last: u32,
}

impl Making {
    fn take(&mut self, tag: Tag) {
        let Tag { kind, timestamp, payload } = tag;
        match kind {
            TagKind::Script => {
                let script = ScriptData::parse(&payload, Limits::default());
                // Cue points and texts speak of the film's own time.
                if let Some(payload) = script.ok().as_ref().and_then(description) {
                    let frame = DataFrame::Set;
                    let name = "onMetaData".into();
                    let data = Data { stream_id: 0, timestamp, name, frame, payload };
                    self.add(&ingest::rtmp::data(&data), &data.payload);
                }
            }
            TagKind::Audio | TagKind::Video => {
                if ends_a_sequence(kind, &payload) {
                    return;
                }
                let kind = MessageType(kind.number());
                let message =
                    Message { chunk_stream_id: 0, timestamp, kind, stream_id: 0, payload };
                if let Some(arrival) = ingest::rtmp::media(&message) {
                    self.add(&arrival, &message.payload);
                }
            }
        }
    }

    fn add(&mut self, arrival: &Arrival<'_>, payload: &Bytes) {
        let Arrival { carrier, kind, header, source_ms, .. } = *arrival;
        let mut stored = Stored { carrier, kind, header, source_ms, payload: payload.clone() };
        self.video |= kind.is_video();
        let Some(begin) = self.begin.or((kind == Kind::VideoKey).then_some(source_ms)) else {
            if header.is_some() {
                self.headers.retain(|held| held.header != header);
                self.headers.push(Stored { source_ms: 0, ..stored });
            }
            return;
        };
        self.begin = Some(begin);
        // Sound from just before the key frame may follow it.
        let since = source_ms.wrapping_sub(begin);
        stored.source_ms = if since > u32::MAX / 2 { 0 } else { since };
        if header.is_some() {
            let same = |held: &Stored| held.header == header && held.payload == *payload;
            if !self.changes && self.headers.iter().any(same) {
                return;
            }
            self.changes = true;
        }
        if matches!(kind, Kind::Video | Kind::VideoKey) {
            self.pictures += 1;
            self.last_picture = stored.source_ms;
        }
        self.last = self.last.max(stored.source_ms);
        self.frames.push(stored);
    }

    fn done(self) -> Result<Film, Fault> {
        if !self.video {
            return Err(Fault::NoVideo);
        }
        if self.begin.is_none() {
            return Err(Fault::NoKeyFrame);
        }
        if !self.headers.iter().any(|header| header.kind == Kind::VideoHeader) {
            return Err(Fault::NoConfiguration);
        }
        // The last picture lasts as long as the others.
        let picture = u64::from(self.last_picture) / self.pictures.saturating_sub(1).max(1);
        let round = Duration::from_millis(u64::from(self.last) + picture).max(SLATE_ROUND_MIN);
        let headers = self.headers.len();
        let mut messages = self.headers;
        messages.extend(self.frames);
        Ok(Film { messages, headers, changes: self.changes, round })
    }
}

/// Metadata with what it says of pictures and sound: with the length of the file, players would take
/// the stream for a film that ends.
fn description(script: &ScriptData) -> Option<Bytes> {
    const KEPT: [&str; 10] = [
        "width",
        "height",
        "framerate",
        "videocodecid",
        "videodatarate",
        "audiocodecid",
        "audiodatarate",
        "audiosamplerate",
        "audiosamplesize",
        "stereo",
    ];
    let said = script.metadata()?;
    let kept = KEPT.iter().filter_map(|key| Some((*key, said.get(key)?.clone())));
    let mut payload = BytesMut::new();
    let script = ScriptData::new("onMetaData", kept.collect::<Object>());
    script.write(&mut payload).ok()?;
    Some(payload.freeze())
}

/// Whether a message ends a sequence, as the last ones of a file do: decoders would stop there.
fn ends_a_sequence(kind: TagKind, payload: &[u8]) -> bool {
    match kind {
        TagKind::Audio => AudioHeader::parse(payload).is_ok_and(|header| header.is_sequence_end()),
        TagKind::Video => VideoHeader::parse(payload).is_ok_and(|header| header.is_sequence_end()),
        TagKind::Script => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use millstream_flv::{Header, Writer};

    const CONFIGURATION: &[u8] = &[0x17, 0, 0, 0, 0, 1, 2, 3];
    const KEY: &[u8] = &[0x17, 1, 0, 0, 0, 9, 9];
    const FRAME: &[u8] = &[0x27, 1, 0, 0, 0, 8, 8];
    const SOUND: &[u8] = &[0xaf, 1, 7, 7];
    const END: &[u8] = &[0x17, 2, 0, 0, 0];

    fn file(tags: &[(TagKind, u32, &[u8])]) -> Vec<u8> {
        let mut bytes = BytesMut::new();
        let mut writer = Writer::default();
        writer.header(Header { audio: true, video: true }, &mut bytes);
        for (kind, time, payload) in tags {
            writer.tag(*kind, *time, payload, &mut bytes).unwrap();
        }
        bytes.to_vec()
    }

    #[test]
    fn it_begins_with_its_headers_and_a_key_frame() {
        let film = Film::parse(&file(&[
            (TagKind::Video, 0, CONFIGURATION),
            (TagKind::Video, 5000, FRAME),
            (TagKind::Audio, 5010, SOUND),
            (TagKind::Video, 5040, KEY),
            (TagKind::Audio, 5030, SOUND),
            (TagKind::Video, 5040, CONFIGURATION),
            (TagKind::Video, 5540, FRAME),
            (TagKind::Video, 6040, FRAME),
            (TagKind::Video, 6540, END),
        ]))
        .unwrap();
        let times: Vec<_> = film.messages().iter().map(|m| (m.kind, m.source_ms)).collect();
        let (header, key, frame) = (Kind::VideoHeader, Kind::VideoKey, Kind::Video);
        assert_eq!(times, [(header, 0), (key, 0), (Kind::Audio, 0), (frame, 500), (frame, 1000)]);
        assert_eq!((film.headers(), film.again()), (1, 1));
        assert_eq!(film.round(), Duration::from_millis(1500));
    }

    #[test]
    fn one_picture_is_shown_once_a_second() {
        let film =
            Film::parse(&file(&[(TagKind::Video, 0, CONFIGURATION), (TagKind::Video, 0, KEY)]));
        assert_eq!(film.unwrap().round(), SLATE_ROUND_MIN);
    }

    #[test]
    fn another_configuration_on_the_way_is_taken_back_at_the_beginning() {
        let film = Film::parse(&file(&[
            (TagKind::Video, 0, CONFIGURATION),
            (TagKind::Video, 0, KEY),
            (TagKind::Video, 40, &[0x17, 0, 0, 0, 0, 4]),
            (TagKind::Video, 40, KEY),
        ]));
        assert_eq!(film.unwrap().again(), 0);
    }

    #[test]
    fn what_cannot_be_shown_is_refused_by_kind() {
        let whole = file(&[(TagKind::Video, 0, CONFIGURATION), (TagKind::Video, 0, KEY)]);
        let cut = &whole[..whole.len() - 6];
        assert!(matches!(Film::parse(cut), Err(Fault::Damaged(_))));
        assert!(matches!(Film::parse(b""), Err(Fault::Empty)));
        assert!(matches!(Film::parse(b"RIFF"), Err(Fault::NotFlv)));
        assert!(matches!(Film::parse(b"FLV"), Err(Fault::Damaged(_) | Fault::NoVideo)));
        let sound = file(&[(TagKind::Audio, 0, SOUND)]);
        assert!(matches!(Film::parse(&sound), Err(Fault::NoVideo)));
        let no_key = file(&[(TagKind::Video, 0, CONFIGURATION), (TagKind::Video, 0, FRAME)]);
        assert!(matches!(Film::parse(&no_key), Err(Fault::NoKeyFrame)));
        let bare = file(&[(TagKind::Video, 0, KEY)]);
        assert!(matches!(Film::parse(&bare), Err(Fault::NoConfiguration)));
        let error = Film::read(Path::new("/nonexistent/slate.flv")).unwrap_err();
        assert!(matches!(error.fault, Fault::Read(_)));
        assert!(error.to_string().contains("/nonexistent/slate.flv"));
    }
}

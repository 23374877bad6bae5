//! `millstream play`: a stream from a server, counted, and kept if wanted.

use super::error::ClientError;
use super::link::{GLANCE, Link, check};
use super::progress::{Progress, bit_rate, clock, mean_rate};
use super::record::Recording;
use super::url::RtmpUrl;
use crate::cli::PlayArgs;
use millstream_flv::{AudioHeader, AudioPacketType, TagKind, VideoHeader};
use millstream_rtmp::client::{ClientEvent, PlayOptions};
use millstream_rtmp::message::{Message, MessageType};
use millstream_rtmp::session::Data;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const WHAT: &str = "play";

/// A step in a track's timestamps beyond this is counted as a gap.
const GAP_MS: i32 = 1_000;

/// Statuses that end a play.
const ENDS: [&str; 3] =
    ["NetStream.Play.UnpublishNotify", "NetStream.Play.Stop", "NetStream.Play.Complete"];

/// Plays a stream until it ends, the wanted time has passed, or `stop` is set.
///
/// # Errors
/// [`ClientError`] says what to do.
pub fn play(args: &PlayArgs, stop: &AtomicBool) -> Result<(), ClientError> {
    let url = RtmpUrl::parse(&args.url)?;
    let asked = Instant::now();
    let mut link = Link::open(&url)?;
    let request = link.connection().play(&url.name(), PlayOptions::default())?;
    if !link.accepted(&url, WHAT, stop)? {
        return Ok(());
    }
    eprintln!("playing {url}");
    let recording = args.output.as_deref().map(Recording::begin).transpose()?;
    let mut viewer = Viewer {
        recording,
        asked,
        first: None,
        first_key: None,
        seen: Seen::default(),
        last: [None; 2],
    };
    let mut progress = Progress::new();
    let outcome = viewer.run(&mut link, &url, args.duration, stop, &mut progress);
    progress.end();
    let outcome = match outcome {
        Err(error) if is_reader_gone(&error, args.output.as_deref()) => Ok(()),
        Ok(()) => match viewer.recording.take() {
            Some(recording) => recording.finish(),
            None => Ok(()),
        },
        // What came before is kept.
        Err(error) => {
            if let Some(recording) = viewer.recording.take() {
                recording.finish()?;
            }
            Err(error)
        }
    };
    if link.connection().close(request).is_ok() {
        link.end(WHAT);
    }
    eprintln!("{}", viewer.summary());
    if outcome.is_ok() && viewer.first.is_none() && !stop.load(Ordering::Relaxed) {
        return Err(ClientError::NothingCame);
    }
    outcome
}

struct Viewer {
    recording: Option<Recording>,
    asked: Instant,
    /// When the first sound or picture came.
    first: Option<Instant>,
    /// When the first key frame came.
    first_key: Option<Instant>,
    seen: Seen,
    /// The last timestamps of sound and pictures.
    last: [Option<u32>; 2],
}

#[derive(Default)]
struct Seen {
    bytes: u64,
    video: u64,
    audio: u64,
    keys: u64,
    gaps: u64,
}

impl Viewer {
    fn run(
        &mut self,
        link: &mut Link,
        url: &RtmpUrl,
        duration: Option<Duration>,
        stop: &AtomicBool,
        progress: &mut Progress,
    ) -> Result<(), ClientError> {
        while !stop.load(Ordering::Relaxed) && !self.is_over(duration) {
            match link.next(GLANCE, WHAT)? {
                Some(ClientEvent::Media(message)) => self.media(&message)?,
                Some(ClientEvent::Data(data)) => self.data(&data)?,
                Some(ClientEvent::StreamEof { .. }) => return Ok(()),
                Some(ClientEvent::Status(told)) if ENDS.contains(&told.code.as_str()) => {
                    return Ok(());
                }
                Some(event) => check(&event, url, WHAT)?,
                None => {
                    if let Some(recording) = &mut self.recording {
                        recording.flush()?;
                    }
                }
            }
            self.show(progress);
        }
        Ok(())
    }

    fn is_over(&self, duration: Option<Duration>) -> bool {
        matches!((self.first, duration), (Some(first), Some(duration)) if first.elapsed() >= duration)
    }

    fn media(&mut self, message: &Message) -> Result<(), ClientError> {
        self.first.get_or_insert_with(Instant::now);
        self.seen.bytes += message.payload.len() as u64;
        let (kind, index) = if message.kind == MessageType::VIDEO {
            let header = VideoHeader::parse(&message.payload);
            self.seen.video += u64::from(header.is_ok_and(|header| header.is_coded()));
            if header.is_ok_and(|header| header.is_key_frame()) {
                self.seen.keys += 1;
                self.first_key.get_or_insert_with(Instant::now);
            }
            (TagKind::Video, 0)
        } else {
            let header = AudioHeader::parse(&message.payload);
            let coded =
                header.is_ok_and(|header| header.packet_type == AudioPacketType::CodedFrames);
            self.seen.audio += u64::from(coded);
            (TagKind::Audio, 1)
        };
        if let Some(last) = self.last[index].replace(message.timestamp) {
            // Taken as signed, the difference crosses the wrap in both directions.
            let step = message.timestamp.wrapping_sub(last) as i32;
            self.seen.gaps += u64::from(step.unsigned_abs() > GAP_MS.unsigned_abs());
        }
        match &mut self.recording {
            Some(recording) => recording.tag(kind, message.timestamp, &message.payload),
            None => Ok(()),
        }
    }

    fn data(&mut self, data: &Data) -> Result<(), ClientError> {
        self.seen.bytes += data.payload.len() as u64;
        // What servers say of themselves is not part of the stream.
        let foreign = data.name.starts_with('|') || data.name == "onStatus";
        match &mut self.recording {
            Some(recording) if !foreign => {
                recording.tag(TagKind::Script, data.timestamp, &data.payload)
            }
            _ => Ok(()),
        }
    }

    fn show(&self, progress: &mut Progress) {
        progress.show(self.seen.bytes, self.seen.video, |rates| match self.first {
            None => format!("waiting for the stream  {}", clock(self.asked.elapsed())),
            Some(first) => format!(
                "{}  {}  {} frames  {:.1} fps  {} key  first {}  gaps {}",
                clock(first.elapsed()),
                bit_rate(rates.bits),
                self.seen.video + self.seen.audio,
                rates.frames,
                self.seen.keys,
                self.first_frame(),
                self.seen.gaps
            ),
        });
    }

    /// How long the first picture took, or the first sound while there is no picture.
    fn first_frame(&self) -> String {
        match self.first_key.or(self.first) {
            Some(first) => format!("{} ms", first.duration_since(self.asked).as_millis()),
            None => "-".to_owned(),
        }
    }

    fn summary(&self) -> String {
        let time = self.first.map_or(Duration::ZERO, |first| first.elapsed());
        format!(
            "played {:.1} s: {} video ({} key) and {} audio frames, {} bytes, {}, first frame \
             after {}, {} gaps in timestamps",
            time.as_secs_f64(),
            self.seen.video,
            self.seen.keys,
            self.seen.audio,
            self.seen.bytes,
            mean_rate(self.seen.bytes, time),
            self.first_frame(),
            self.seen.gaps
        )
    }
}

/// Whoever reads our standard output has had enough, which is no failure of ours.
fn is_reader_gone(error: &ClientError, output: Option<&Path>) -> bool {
    output == Some(Path::new("-"))
        && matches!(error, ClientError::File { source, .. }
            if source.kind() == io::ErrorKind::BrokenPipe)
}

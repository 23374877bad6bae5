//! `millstream publish`: a file to a server, at the pace of its timestamps.

use super::error::ClientError;
use super::film::{Film, Meaning, Placed};
use super::link::{GLANCE, Link, check};
use super::progress::{Progress, bit_rate, clock, mean_rate};
use super::url::RtmpUrl;
use crate::cli::PublishArgs;
use bytes::{BufMut, Bytes, BytesMut};
use millstream_flv::TagKind;
use millstream_rtmp::message::MessageType;
use millstream_rtmp::session::PublishMode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const WHAT: &str = "publish";

/// `@setDataFrame` as an AMF0 string: what stands before metadata that a server shall keep.
const SET_DATA_FRAME: &[u8] = b"\x02\x00\x0d@setDataFrame";

/// Publishes a file until its end, or until `stop` is set, and takes leave of the server.
///
/// # Errors
/// [`ClientError`] says what to do.
pub fn publish(args: &PublishArgs, stop: &AtomicBool) -> Result<(), ClientError> {
    let url = RtmpUrl::parse(&args.url)?;
    let mut film = Film::open(&args.file)?;
    let mut link = Link::open(&url)?;
    let request = link.connection().publish(&url.name(), PublishMode::Live)?;
    if !link.accepted(&url, WHAT, stop)? {
        return Ok(());
    }
    // The name is not shown: for many services it is the secret.
    eprintln!("publishing {} to {}", args.file.display(), url.server());
    let mut session = Session {
        url: &url,
        link,
        stop,
        began: Instant::now(),
        first: film.first(),
        sent: Sent::default(),
        progress: Progress::new(),
    };
    let outcome = session.run(&mut film, args.repeat);
    session.progress.end();
    let Session { mut link, sent, began, .. } = session;
    if outcome.is_ok() {
        link.connection().close(request)?;
        link.end(WHAT);
    }
    if film.skipped() > 0 {
        eprintln!(
            "{}: {} bytes were no FLV tags and were passed over",
            args.file.display(),
            film.skipped()
        );
    }
    eprintln!("{}", sent.summary(began.elapsed()));
    outcome
}

struct Session<'a> {
    url: &'a RtmpUrl,
    link: Link,
    stop: &'a AtomicBool,
    /// The instant of `first` on the timeline.
    began: Instant,
    first: u64,
    sent: Sent,
    progress: Progress,
}

#[derive(Default)]
struct Sent {
    bytes: u64,
    video: u64,
    audio: u64,
    passes: u64,
    /// How far the last frame went out behind its time, and the worst of all.
    lag: Duration,
    lag_max: Duration,
}

impl Session<'_> {
    fn run(&mut self, film: &mut Film, repeat: bool) -> Result<(), ClientError> {
        loop {
            while let Some(placed) = film.next()? {
                if !self.wait_for(placed.ms)? {
                    return Ok(());
                }
                self.send(placed)?;
            }
            self.sent.passes += 1;
            if !repeat {
                return Ok(());
            }
            film.rewind()?;
        }
    }

    /// Reads what the server says until a place on the timeline is due. False if we shall stop.
    fn wait_for(&mut self, ms: u64) -> Result<bool, ClientError> {
        let due = self.began + Duration::from_millis(ms.saturating_sub(self.first));
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
            let left = due.saturating_duration_since(Instant::now());
            match self.link.next(left.min(GLANCE), WHAT)? {
                Some(event) => check(&event, self.url, WHAT)?,
                None if due <= Instant::now() => {
                    self.sent.lag = due.elapsed();
                    self.sent.lag_max = self.sent.lag_max.max(self.sent.lag);
                    return Ok(true);
                }
                None => self.show(),
            }
        }
    }

    fn send(&mut self, placed: Placed) -> Result<(), ClientError> {
        let Placed { tag, ms, meaning } = placed;
        self.sent.bytes += tag.payload.len() as u64;
        match meaning {
            Meaning::Video => self.sent.video += 1,
            Meaning::Audio => self.sent.audio += 1,
            _ => {}
        }
        let (kind, payload) = match tag.kind {
            TagKind::Audio => (MessageType::AUDIO, tag.payload),
            TagKind::Video => (MessageType::VIDEO, tag.payload),
            TagKind::Script if meaning == Meaning::Metadata => {
                (MessageType::DATA_AMF0, set_data_frame(&tag.payload))
            }
            TagKind::Script => (MessageType::DATA_AMF0, tag.payload),
        };
        // RTMP's time is 32 bits wide and wraps.
        self.link.connection().send_media(kind, ms as u32, payload)?;
        self.link.flush(WHAT)?;
        self.show();
        Ok(())
    }

    fn show(&mut self) {
        let (sent, began) = (&self.sent, self.began);
        self.progress.show(sent.bytes, sent.video, |rates| {
            let mut line = format!(
                "{}  {}  {} frames  {:.1} fps  lag {} ms",
                clock(began.elapsed()),
                bit_rate(rates.bits),
                sent.video + sent.audio,
                rates.frames,
                sent.lag.as_millis()
            );
            if sent.passes > 0 {
                line.push_str(&format!("  pass {}", sent.passes + 1));
            }
            line
        });
    }
}

impl Sent {
    fn summary(&self, time: Duration) -> String {
        format!(
            "published {:.1} s: {} video and {} audio frames, {} bytes, {}, at most {} ms late",
            time.as_secs_f64(),
            self.video,
            self.audio,
            self.bytes,
            mean_rate(self.bytes, time),
            self.lag_max.as_millis()
        )
    }
}

fn set_data_frame(metadata: &[u8]) -> Bytes {
    let mut payload = BytesMut::with_capacity(SET_DATA_FRAME.len() + metadata.len());
    payload.put_slice(SET_DATA_FRAME);
    payload.put_slice(metadata);
    payload.freeze()
}

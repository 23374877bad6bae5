//! `millstream publish`: a film to a server, at the pace of its timestamps.

use super::error::ClientError;
use super::film::{Film, Meaning, Next, Placed};
use super::monitor::Monitor;
use super::report::Report;
use super::session::{GLANCE, accepted, check, open};
use super::snapshot::{UplinkFigures, mean_rate};
use super::source::Source;
use crate::cli::{PublishArgs, PublishType};
use millstream_client::blocking::Connection;
use millstream_client::{Aim, Options, PublishMode, RtmpUrl, StreamId, UplinkStats};
use millstream_flv::Tag;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How soon it is noticed that more of a film has been written.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Publishes a film until its end, or until `stop` is set, and takes leave of the server.
///
/// # Errors
/// [`ClientError`] says what to do.
pub fn publish(args: &PublishArgs, stop: &AtomicBool) -> Result<(), ClientError> {
    let url = RtmpUrl::parse(&args.url)?;
    let standard = args.file == Path::new("-");
    if standard && (args.repeat || args.follow) {
        return Err(ClientError::Options(
            "standard input has no beginning to go back to, and \
             is followed as it is: - goes neither with --loop nor with --follow",
        ));
    }
    let source = Source::open(&args.file, args.follow)?;
    let mut film = Film::new(source, args.follow && !args.from_start);
    while !film.begin()? {
        if stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    let mut connection = open(&url, Options::for_publishing(&url), &args.connect)?;
    let mode = match args.publish_type {
        PublishType::Live => PublishMode::Live,
        PublishType::Record => PublishMode::Record,
        PublishType::Append => PublishMode::Append,
    };
    let stream = connection.client().publish(&url.name(), mode);
    let stream = stream.map_err(millstream_client::Error::Request)?;
    if !accepted(&mut connection, stream, Aim::Publish, stop)? {
        return Ok(());
    }
    // The name is not shown: for many services it is the secret.
    let shown = if standard { "standard input".into() } else { args.file.display().to_string() };
    eprintln!("publishing {shown} to {}", url.server());
    let now = Instant::now();
    let mut session = Session {
        connection,
        stream,
        stop,
        wait: args.wait,
        began: now,
        first: film.first(),
        monitor: Monitor::new(now),
        stats: UplinkStats::default(),
        lag: Duration::ZERO,
        lag_max: Duration::ZERO,
        pass: 1,
        report: Report::new("publish", &args.show),
    };
    let outcome = session.run(&mut film, args.repeat);
    let uplink = session.uplink();
    session.report.end(&session.monitor, Some(uplink));
    let summary = session.summary();
    let outcome = outcome.and_then(|()| Ok(session.connection.end()?));
    if film.skipped() > 0 {
        eprintln!("{shown}: {} bytes were no FLV tags and were passed over", film.skipped());
    }
    eprintln!("{summary}");
    outcome
}

struct Session<'a> {
    connection: Connection,
    stream: StreamId,
    stop: &'a AtomicBool,
    /// Leave nothing out, and fall behind instead.
    wait: bool,
    /// The instant of `first` on the timeline.
    began: Instant,
    first: u64,
    /// What was handed over.
    monitor: Monitor,
    /// The uplink's counters when they were last there.
    stats: UplinkStats,
    /// How far the last frame went out behind its time, and the worst of all.
    lag: Duration,
    lag_max: Duration,
    pass: u64,
    report: Report,
}

impl Session<'_> {
    fn run(&mut self, film: &mut Film, repeat: bool) -> Result<(), ClientError> {
        loop {
            match film.next()? {
                Next::Tag(placed) => {
                    if !self.wait_for(placed.ms)? {
                        return Ok(());
                    }
                    self.send(placed)?;
                }
                Next::Nothing => {
                    if self.is_over() {
                        return Ok(());
                    }
                    self.listen(LOOK_AGAIN)?;
                }
                Next::End if repeat => {
                    self.pass += 1;
                    film.rewind()?;
                }
                Next::End => return Ok(()),
            }
        }
    }

    /// Reads what the server says until a place on the timeline is due. False if we shall stop.
    fn wait_for(&mut self, ms: u64) -> Result<bool, ClientError> {
        let due = self.began + Duration::from_millis(ms.saturating_sub(self.first));
        loop {
            if self.is_over() {
                return Ok(false);
            }
            let left = due.saturating_duration_since(Instant::now());
            let idle = self.listen(left.min(GLANCE))?;
            let is_held = self.wait && self.stats.queued_messages > 0;
            if is_held {
                self.listen(LOOK_AGAIN)?;
            } else if idle && due <= Instant::now() {
                self.lag = due.elapsed();
                self.lag_max = self.lag_max.max(self.lag);
                return Ok(true);
            }
        }
    }

    /// Whether nobody wants more of it.
    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.report.is_unread()
    }

    /// Sends, and hears the server for a while. True if it said nothing.
    fn listen(&mut self, time: Duration) -> Result<bool, ClientError> {
        let event = self.connection.next(time)?;
        let idle = event.is_none();
        if let Some(event) = event {
            check(event, Aim::Publish)?;
        }
        if let Some(stats) = self.connection.client().uplink(self.stream) {
            self.stats = stats;
        }
        let uplink = self.uplink();
        self.report.show(&self.monitor, || Some(uplink));
        Ok(idle)
    }

    fn send(&mut self, placed: Placed) -> Result<(), ClientError> {
        let Placed { tag, ms, meaning } = placed;
        // RTMP's time is 32 bits wide and wraps.
        let tag = Tag { timestamp: ms as u32, ..tag };
        if meaning != Meaning::Other {
            self.monitor.tag(&tag, Instant::now());
        } else {
            self.monitor.bytes += tag.payload.len() as u64;
        }
        self.connection.client().tag(self.stream, tag)?;
        // So that the bytes go now.
        self.listen(Duration::ZERO).map(drop)
    }

    fn uplink(&self) -> UplinkFigures {
        UplinkFigures::new(self.stats, self.lag, self.lag_max, self.pass)
    }

    fn summary(&self) -> String {
        let (monitor, time) = (&self.monitor, self.began.elapsed());
        let mut text = format!(
            "published {:.1} s: {} video and {} audio frames, {} bytes, {}, at most {} ms late",
            time.as_secs_f64(),
            monitor.video.frames,
            monitor.audio.frames,
            monitor.bytes,
            mean_rate(monitor.bytes, time),
            self.lag_max.as_millis()
        );
        if self.stats.skips > 0 {
            let (video, audio) = (self.stats.skipped_video, self.stats.skipped_audio);
            text.push_str(&format!(", of them {video} video and {audio} audio frames left out"));
        }
        text
    }
}

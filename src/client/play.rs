//! `millstream play`: a stream from a server, counted, and kept if wanted.

use super::error::ClientError;
use super::monitor::Monitor;
use super::record::Recording;
use super::report::Report;
use super::session::{GLANCE, accepted, check, open};
use super::snapshot::mean_rate;
use crate::cli::PlayArgs;
use millstream_client::blocking::Connection;
use millstream_client::{Aim, Event, Options, PlayOptions, RtmpUrl};
use millstream_flv::Tag;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Plays a stream until it ends, the wanted time has passed, or `stop` is set.
///
/// # Errors
/// [`ClientError`] says what to do.
pub fn play(args: &PlayArgs, stop: &AtomicBool) -> Result<(), ClientError> {
    let url = RtmpUrl::parse(&args.url)?;
    if args.show.json && is_standard(args.output.as_deref()) {
        return Err(ClientError::Options("--json and -o - both want standard output"));
    }
    let monitor = Monitor::new(Instant::now());
    let mut connection = open(&url, Options::new(&url), &args.connect)?;
    let mut options = PlayOptions::default();
    if let Some(buffer) = args.buffer {
        options.buffer_ms = u32::try_from(buffer.as_millis()).unwrap_or(u32::MAX);
    }
    let request = connection.client().play(&url.name(), options);
    let request = request.map_err(millstream_client::Error::Request)?;
    if !accepted(&mut connection, request, Aim::Play, stop)? {
        return Ok(());
    }
    eprintln!("playing {}", url.played());
    let recording = args.output.as_deref().map(Recording::begin).transpose()?;
    let mut viewer = Viewer { recording, monitor };
    let mut report = Report::new("play", &args.show);
    let outcome = viewer.run(&mut connection, args.duration, stop, &mut report);
    report.end(&viewer.monitor, None);
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
    // How the server takes our leave changes nothing any more.
    let _ = connection.end();
    eprintln!("{}", viewer.summary());
    if outcome.is_ok() && viewer.monitor.first.is_none() && !stop.load(Ordering::Relaxed) {
        return Err(ClientError::NothingCame);
    }
    outcome
}

struct Viewer {
    recording: Option<Recording>,
    monitor: Monitor,
}

impl Viewer {
    fn run(
        &mut self,
        connection: &mut Connection,
        duration: Option<Duration>,
        stop: &AtomicBool,
        report: &mut Report,
    ) -> Result<(), ClientError> {
        while !stop.load(Ordering::Relaxed) && !self.is_over(duration) {
            match connection.next(GLANCE)? {
                Some(Event::Stopped { .. }) => return Ok(()),
                Some(event @ (Event::Media { .. } | Event::Data { .. })) => {
                    if let Some(tag) = event.into_tag() {
                        self.tag(&tag)?;
                    }
                }
                Some(event) => check(event, Aim::Play)?,
                None => {
                    if let Some(recording) = &mut self.recording {
                        recording.flush()?;
                    }
                }
            }
            report.show(&self.monitor, || None);
            if report.is_unread() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn is_over(&self, duration: Option<Duration>) -> bool {
        let first = self.monitor.first;
        matches!((first, duration), (Some(first), Some(duration)) if first.elapsed() >= duration)
    }

    fn tag(&mut self, tag: &Tag) -> Result<(), ClientError> {
        self.monitor.tag(tag, Instant::now());
        match &mut self.recording {
            Some(recording) => recording.tag(tag.kind, tag.timestamp, &tag.payload),
            None => Ok(()),
        }
    }

    fn summary(&self) -> String {
        let monitor = &self.monitor;
        let time = monitor.first.map_or(Duration::ZERO, |first| first.elapsed());
        let first_frame = monitor.first_frame();
        let first_frame = first_frame.map_or("-".to_owned(), |t| format!("{} ms", t.as_millis()));
        format!(
            "played {:.1} s: {} video ({} key) and {} audio frames, {} bytes, {}, first frame \
             after {first_frame}, {} gaps in timestamps",
            time.as_secs_f64(),
            monitor.video.frames,
            monitor.video.keys,
            monitor.audio.frames,
            monitor.bytes,
            mean_rate(monitor.bytes, time),
            monitor.gaps
        )
    }
}

fn is_standard(path: Option<&Path>) -> bool {
    path == Some(Path::new("-"))
}

/// Whoever reads our standard output has had enough, which is no failure of ours.
fn is_reader_gone(error: &ClientError, output: Option<&Path>) -> bool {
    is_standard(output)
        && matches!(error, ClientError::File { source, .. }
            if source.kind() == io::ErrorKind::BrokenPipe)
}

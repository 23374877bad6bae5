//! `millstream relay`: a stream from one server to several others. It is played as `play` does and handed to
//! a server within this process, which pushes it: each target is skipped, left and sought again by itself.

use super::error::ClientError;
use super::monitor::Monitor;
use super::report::Report;
use super::session::{GLANCE, accepted, check, open};
use crate::cli::RelayArgs;
use crate::config::{Config, Cores, Push, Secret, cores_allowed};
use crate::hook::Application;
use crate::outbound::{Source, TargetSnapshot, Targets};
use crate::server::Server;
use millstream_client::blocking::{Connection, Settings, over};
use millstream_client::{Aim, Event, Options, PlayOptions, PublishMode, RtmpUrl, StreamId};
use millstream_flv::Tag;
use std::collections::HashMap;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What the stream is called in this process, where nobody else asks for it.
const STREAM: &str = "relay/stream";

/// How often it is looked at how the targets fare.
const LOOK: Duration = Duration::from_millis(200);

/// How long targets have to take the end of the stream.
const LEAVE_MAX: Duration = Duration::from_secs(10);

/// Relays a stream until it ends, or `stop` is set.
///
/// # Errors
/// [`ClientError`] says what to do.
pub fn relay(args: &RelayArgs, stop: &AtomicBool) -> Result<(), ClientError> {
    let url = RtmpUrl::parse(&args.source)?;
    let server = Server::start(config()?, Arc::new(OnlyWithin)).map_err(ClientError::Server)?;
    let outcome = Relay::begin(&server, args)
        .and_then(|relay| relay.run(&url, args, stop))
        .and_then(|took| if took { Ok(()) } else { Err(ClientError::NoTarget) });
    server.drain();
    server.join();
    outcome
}

/// Nobody else is let in: the server within has no address, and asks nobody.
struct OnlyWithin;

impl Application for OnlyWithin {}

/// A server without addresses, on one core, whose stream ends with its publisher.
fn config() -> Result<Config, ClientError> {
    let allowed = cores_allowed().map_err(|error| ClientError::System(io::Error::other(error)))?;
    let core = allowed.first().copied().unwrap_or(0);
    let cores = core.to_string().parse::<Cores>();
    let cores = cores.map_err(|error| ClientError::System(io::Error::other(error)))?;
    Ok(Config { rtmp: Vec::new(), cores, hold: Duration::ZERO, ..Config::default() })
}

struct Relay {
    targets: Arc<Targets>,
    inlet: Inlet,
    /// What was said of each target last.
    said: HashMap<u64, (&'static str, Option<u64>)>,
    /// Targets that took the stream at any time.
    took: bool,
    looked: Instant,
}

impl Relay {
    fn begin(server: &Server, args: &RelayArgs) -> Result<Self, ClientError> {
        let targets = Arc::clone(server.targets());
        for target in &args.targets {
            let push = Push {
                stream: STREAM.into(),
                url: Secret::new(target.as_str()),
                key: None,
                name: None,
                ca: args.connect.ca.clone(),
            };
            targets.add(&push, Source::Api).map_err(ClientError::Target)?;
        }
        let inlet = Inlet::new(server.connect().map_err(ClientError::System)?)?;
        Ok(Self { targets, inlet, said: HashMap::new(), took: false, looked: Instant::now() })
    }

    /// Returns whether any target took the stream.
    fn run(
        mut self,
        url: &RtmpUrl,
        args: &RelayArgs,
        stop: &AtomicBool,
    ) -> Result<bool, ClientError> {
        let mut source = open(url, Options::new(url), &args.connect)?;
        let request = source.client().play(&url.name(), PlayOptions::default());
        let request = request.map_err(millstream_client::Error::Request)?;
        if !accepted(&mut source, request, Aim::Play, stop)? {
            return Ok(true);
        }
        eprintln!("relaying {}", url.played());
        let mut monitor = Monitor::new(Instant::now());
        let mut report = Report::new("relay", &args.show);
        let outcome = self.carry(&mut source, &mut monitor, &mut report, stop);
        // How the server takes our leave changes nothing any more.
        let _ = source.end();
        self.inlet.end();
        self.wait_for_leave();
        report.end(&monitor, None);
        for target in self.targets.snapshots() {
            eprintln!("{}", summary(&target));
        }
        outcome?;
        if monitor.first.is_none() && !stop.load(Ordering::Relaxed) {
            return Err(ClientError::NothingCame);
        }
        Ok(self.took || stop.load(Ordering::Relaxed))
    }

    fn carry(
        &mut self,
        source: &mut Connection,
        monitor: &mut Monitor,
        report: &mut Report,
        stop: &AtomicBool,
    ) -> Result<(), ClientError> {
        while !stop.load(Ordering::Relaxed) && !report.is_unread() {
            match source.next(GLANCE)? {
                Some(Event::Stopped { .. }) => return Ok(()),
                Some(event @ (Event::Media { .. } | Event::Data { .. })) => {
                    if let Some(tag) = event.into_tag() {
                        monitor.tag(&tag, Instant::now());
                        self.inlet.push(tag)?;
                    }
                }
                Some(event) => check(event, Aim::Play)?,
                None => self.inlet.turn()?,
            }
            report.show(monitor, || None);
            self.tell();
        }
        Ok(())
    }

    /// Says what has become of each target since it was looked at last.
    fn tell(&mut self) {
        if self.looked.elapsed() < LOOK {
            return;
        }
        self.looked = Instant::now();
        for target in self.targets.snapshots() {
            let Some(status) = target.pushes.first().map(|push| &push.status) else { continue };
            self.took |= status.connects > 0;
            let now = (status.state, status.error_unix_ms);
            let before = self.said.insert(target.id, now);
            let (was, failed) = before.unwrap_or(("waiting", None));
            if status.error_unix_ms != failed {
                let text = status.error_text.as_deref().unwrap_or_default();
                eprintln!("{}: {text}", target.url);
            }
            if status.state == "publishing" && was != "publishing" {
                eprintln!("{}: publishing", target.url);
            }
        }
    }

    fn wait_for_leave(&mut self) {
        let since = Instant::now();
        let leaves = |target: &TargetSnapshot| {
            target.pushes.iter().any(|push| push.status.state == "publishing")
        };
        while since.elapsed() < LEAVE_MAX && self.targets.snapshots().iter().any(leaves) {
            std::thread::sleep(LOOK / 10);
        }
        self.looked = since.checked_sub(LOOK).unwrap_or(since);
        self.tell();
    }
}

fn summary(target: &TargetSnapshot) -> String {
    let Some(status) = target.pushes.first().map(|push| &push.status) else {
        return target.url.clone();
    };
    let mut text = format!("{}: {} bytes", target.url, status.bytes_out);
    if status.dropped_frames > 0 {
        text.push_str(&format!(", {} frames left out", status.dropped_frames));
    }
    if status.reconnects > 0 {
        text.push_str(&format!(", connected {} times", status.connects));
    }
    if let (0, Some(error)) = (status.connects, &status.error_text) {
        text.push_str(&format!(", never accepted: {error}"));
    }
    text
}

/// The way into the server within: its publisher.
struct Inlet {
    connection: Connection,
    stream: StreamId,
}

impl Inlet {
    fn new(socket: UnixStream) -> Result<Self, ClientError> {
        let (app, name) = STREAM.split_once('/').unwrap_or_default();
        let url = RtmpUrl::parse(&format!("rtmp://localhost/{app}/{name}"))?;
        let mut connection = over(socket, Settings::new(&url))?;
        let stream = connection.publish(&url.name(), PublishMode::Live)?;
        Ok(Self { connection, stream })
    }

    fn push(&mut self, tag: Tag) -> Result<(), ClientError> {
        self.connection.client().tag(self.stream, tag)?;
        self.turn()
    }

    /// Sends what there is, and hears what the server says.
    fn turn(&mut self) -> Result<(), ClientError> {
        match self.connection.next(Duration::ZERO)? {
            Some(event) => check(event, Aim::Publish),
            None => Ok(()),
        }
    }

    fn end(&mut self) {
        self.connection.client().finish();
        // The server within is about to end too.
        let _ = self.connection.flush();
    }
}

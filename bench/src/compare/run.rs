//! One run: a server is started, loadtest is put on it, the server is ended.

use super::environment::received_softirqs;
use super::error::Error;
use super::measured::Measured;
use super::network::Veth;
use super::plan::Step;
use super::process::Process;
use super::scene::{Network, Scene};
use super::subject::{Place, Programs, Subject};
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a server may take until it listens.
const START_MAX: Duration = Duration::from_secs(15);
/// Between two looks at a run.
const LOOK: Duration = Duration::from_millis(20);
/// Between asking for a free port and listening on it, another process may take it.
const TRIES: u32 = 3;
/// So many players, about, have every byte of their frames compared; more would make the load
/// dearer than what is measured.
const COMPARED: u32 = 64;
/// The core of the load.
const LOAD_CORE: usize = 1;

/// What all runs share.
#[derive(Debug)]
pub struct Bench {
    /// Where the programs are.
    pub programs: Programs,
    /// For files of one run; emptied before each.
    pub folder: PathBuf,
    /// The veth pair, if one was made.
    pub veth: Option<Veth>,
    /// Set when the comparison is to end.
    pub stop: Arc<AtomicBool>,
}

impl Bench {
    /// Puts a load on a server, once.
    ///
    /// # Errors
    /// If the server does not serve, loadtest does not come to a report, or all is to end.
    pub fn run(&self, step: &Step) -> Result<Measured, Error> {
        let (scene, subject) = (&step.scene, step.subject);
        let stopped = || self.stop.load(Ordering::Relaxed);
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).map_err(Error::io("empty the folder of the run"))?;
        }
        fs::create_dir_all(&self.folder).map_err(Error::io("make the folder of the run"))?;
        let veth = (scene.network == Network::Veth).then_some(self.veth.as_ref()).flatten();
        let address = veth.map_or(Ipv4Addr::LOCALHOST, Veth::address);
        let mut attempt = 1;
        let (mut server, port, other_port) = loop {
            match self.start(subject, address) {
                Err(Error::Program(..)) if attempt < TRIES => attempt += 1,
                started => break started?,
            }
        };
        let log = self.folder.join("server.log");
        let place = Place { address, port, other_port, folder: &self.folder };
        let resident_before = server.resident();

        let before = received_softirqs();
        let report = self.folder.join("report.json");
        let mut command = self.load(scene, subject, place, server.id(), &report)?;
        if let Some(veth) = veth {
            command = veth.on_load(&command);
        }
        let errors = self.folder.join("load.log");
        let output = File::create(&errors).map_err(Error::io("write the load's log"))?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(output);
        let mut load = Process::start(command, "loadtest", &[])?;
        let limit = Duration::from_secs_f64(step.limit_s());
        follow(&mut load, limit, &stopped).map_err(|error| with_log(error, &errors))?;
        if let Some(status) = server.ended()? {
            let fault = Error::Program(subject.id.to_owned(), format!("ended by itself: {status}"));
            return Err(with_log(fault, &log));
        }
        let text = fs::read(&report).map_err(Error::io("read loadtest's report"))?;
        let json = serde_json::from_slice(&text).map_err(|error| {
            Error::Program("loadtest".to_owned(), format!("wrote no report: {error}"))
        })?;
        let after = received_softirqs().into_iter();
        let net_rx = after.zip(before).map(|(now, then)| now.saturating_sub(then)).collect();
        Ok(Measured { resident_before, net_rx, ..Measured::of(&json) })
    }

    /// Starts a server and waits until it listens; on which ports it does.
    fn start(&self, subject: &Subject, address: Ipv4Addr) -> Result<(Process, u16, u16), Error> {
        let [port, other_port] = free_ports()?;
        let place = Place { address, port, other_port, folder: &self.folder };
        let mut command = subject.command(&self.programs, place)?;
        if let Some(veth) = self.veth.as_ref().filter(|veth| veth.address() == address) {
            command = veth.on_server(&command);
        }
        let log = self.folder.join("server.log");
        let output = File::create(&log).map_err(Error::io("write the server's log"))?;
        let errors = output.try_clone().map_err(Error::io("write the server's log"))?;
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        let mut server = Process::start(command, subject.id, subject.cores)?;
        server
            .wait_until_it_listens(port, START_MAX, &|| self.stop.load(Ordering::Relaxed))
            .map_err(|error| with_log(error, &log))?;
        Ok((server, port, other_port))
    }

    /// The command of the load.
    fn load(
        &self,
        scene: &Scene,
        subject: &Subject,
        place: Place<'_>,
        pid: u32,
        report: &Path,
    ) -> Result<Command, Error> {
        let mut command = Command::new(&self.programs.loadtest);
        let steps: Vec<String> = scene
            .stretches
            .iter()
            .map(|stretch| format!("{}:{}", stretch.players + scene.stuck, stretch.seconds))
            .collect();
        command
            .arg(format!("rtmp://{}:{}/live/load", place.address, place.port))
            .arg("--quiet")
            .args(["--cores", &LOAD_CORE.to_string()])
            .args(["--pid", &pid.to_string()])
            .args(["--publishers", &scene.publishers.to_string()])
            .args(["--bitrate", &scene.bitrate.to_string()])
            .args(["--speed", &scene.speed.to_string()])
            .args(["--nap", &format!("{}ms", scene.nap_ms)])
            .args(["--lead", &format!("{}ms", subject.family.lead().as_millis())])
            .args(["--steps", &steps.join(",")])
            .args(["--compare", &(scene.players() / COMPARED).max(16).to_string()])
            .arg("--json")
            .arg(report);
        if scene.streams < scene.publishers {
            command.args(["--streams", &scene.streams.to_string()]);
        }
        if scene.ramp_s() > 0.0 {
            command.args(["--publisher-ramp", &format!("{}s", scene.ramp_s())]);
            // Rounds are long with so many streams, and a player needs several to join.
            command.args(["--connecting", "500"]);
        }
        if scene.stuck > 0 {
            let healthy = scene.players() - scene.stuck;
            let groups = format!(
                "[[group]]\nname = \"healthy\"\nshare = {healthy}\n\n\
                 [[group]]\nname = \"stuck\"\nshare = {}\nstopped = true\n",
                scene.stuck
            );
            let file = self.folder.join("scenario.toml");
            fs::write(&file, groups).map_err(Error::io("write the scenario"))?;
            command.arg("--scenario").arg(file);
        }
        if !place.address.is_loopback() {
            command.arg("--remote");
        }
        Ok(command)
    }
}

/// Waits for the end of a load.
fn follow(load: &mut Process, limit: Duration, stopped: &dyn Fn() -> bool) -> Result<(), Error> {
    let began = Instant::now();
    loop {
        if stopped() {
            return Err(Error::Stopped);
        }
        if let Some(status) = load.ended()? {
            return match status.code() {
                // Passed, failed, or the generator itself was the bottleneck.
                Some(0 | 1 | 3) => Ok(()),
                _ => Err(Error::Program("loadtest".to_owned(), format!("failed: {status}"))),
            };
        }
        if began.elapsed() > limit {
            let what = format!("did not end within {} s", limit.as_secs());
            return Err(Error::Program("loadtest".to_owned(), what));
        }
        std::thread::sleep(LOOK);
    }
}

/// Ports that nothing listened on a moment ago.
fn free_ports() -> Result<[u16; 2], Error> {
    let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Error::io("find free ports"));
    // Both at a time, so that they differ.
    let listeners = [bind()?, bind()?];
    let mut ports = [0; 2];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        *port = listener.local_addr().map_err(Error::io("find free ports"))?.port();
    }
    Ok(ports)
}

/// The error with the last line that the server wrote.
fn with_log(error: Error, log: &Path) -> Error {
    let text = fs::read_to_string(log).unwrap_or_default();
    match (error, text.lines().rfind(|line| !line.trim().is_empty())) {
        (Error::Program(name, what), Some(line)) => Error::Program(name, format!("{what}; {line}")),
        (error, _) => error,
    }
}

/// Cores as options name them.
pub fn list(cores: &[usize]) -> String {
    cores.iter().map(usize::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_free_and_two() {
        let [one, other] = free_ports().unwrap();
        assert_ne!(one, other);
        assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, one)).is_ok());
    }

    #[test]
    fn an_error_tells_what_the_server_said_last() {
        let log = std::env::temp_dir().join(format!("compare-log-{}", std::process::id()));
        fs::write(&log, "one\nno such option\n\n").unwrap();
        let error = with_log(Error::Program("x".into(), "ended".into()), &log);
        assert_eq!(error.to_string(), "x ended; no such option");
        fs::remove_file(&log).unwrap();
    }
}

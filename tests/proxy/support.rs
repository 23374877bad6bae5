//! The proxy as a process, and small publishers.

use bytes::Bytes;
use millstream_client::blocking::{Connection, Settings, connect};
use millstream_client::{PublishMode, RtmpUrl, StreamId};
use millstream_testkit::process::{Invocation, Process};
use millstream_testkit::{Driver, Scratch, Target};
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// millstream as the server behind the proxy.
pub fn millstream() -> Target {
    let binary = env!("CARGO_BIN_EXE_millstream").into();
    Target::Millstream { binary, driver: Driver::Default, args: Vec::new() }
}

/// A command of the binary under test.
pub fn command<const N: usize>(scratch: &Scratch, name: &str, args: [&str; N]) -> Process {
    let invocation = Invocation::path(env!("CARGO_BIN_EXE_millstream")).args(args);
    Process::start(scratch, name, &invocation, PATIENCE).unwrap()
}

/// A running proxy.
pub struct Proxy {
    pub process: Process,
    /// `127.0.0.1:PORT`.
    pub address: String,
}

impl Proxy {
    /// Starts one on a port of its own; `args` end with the target.
    pub fn start(scratch: &Scratch, args: &[&str]) -> Self {
        Self::start_at(scratch, "127.0.0.1:0", args)
    }

    /// Starts one at an address.
    pub fn start_at(scratch: &Scratch, listen: &str, args: &[&str]) -> Self {
        let invocation = Invocation::path(env!("CARGO_BIN_EXE_millstream"))
            .args(["proxy", "--listen", listen, "--log", "debug"])
            .args(args.iter().copied());
        let mut process = Process::start(scratch, "proxy", &invocation, PATIENCE * 3).unwrap();
        process.wait_until("its address", |process| address(&process.output()).is_some()).unwrap();
        let address = address(&process.output()).unwrap();
        Self { process, address }
    }

    pub fn url(&self, stream: &str) -> String {
        format!("rtmp://{}/live/{stream}", self.address)
    }

    /// Waits until its log has these words so many times.
    pub fn wait_for(&mut self, words: &'static str, times: usize) {
        let said = |process: &Process| process.output().matches(words).count() >= times;
        self.process.wait_until(words, said).unwrap();
    }

    /// Ends it as an operator would. Returns all that it said.
    pub fn stop(mut self) -> String {
        self.process.check_unharmed().unwrap();
        self.process.interrupt().unwrap();
        self.process.wait_success().unwrap();
        self.process.output()
    }

    /// Memory that it occupies, in bytes.
    pub fn memory(&self) -> usize {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() * 1024
    }
}

fn address(output: &str) -> Option<String> {
    let rest = output.split_once("proxying rtmp://")?.1;
    Some(rest.split_once(" to ")?.0.to_owned())
}

/// Connects and publishes; the connection is not read further by itself.
pub fn publish(url: &str) -> Result<(Connection, StreamId), millstream_client::Error> {
    let url = RtmpUrl::parse(url)?;
    let mut settings = Settings::for_publishing(&url);
    // Requests wait for the proxy's limits here, not for the client's.
    settings.times.answer = PATIENCE;
    let mut connection = connect(&url, settings)?;
    let stream = connection.publish(&url.name(), PublishMode::Live)?;
    Ok((connection, stream))
}

/// A picture that no other one equals; every tenth can be begun with.
pub fn picture(number: u32) -> Bytes {
    let begin: &[u8] =
        if number.is_multiple_of(10) { b"\x17\x01\0\0\0" } else { b"\x27\x01\0\0\0" };
    let mut payload = begin.to_vec();
    payload.extend_from_slice(&number.to_be_bytes());
    payload.extend((0..20_000_u32).map(|at| at.wrapping_mul(number + 7) as u8));
    payload.into()
}

/// Waits for a condition of the test's own.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < PATIENCE, "{what} did not come about");
        std::thread::sleep(Duration::from_millis(20));
    }
}

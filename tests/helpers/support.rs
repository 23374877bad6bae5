//! What the tests share: the server with helpers, their state by the API, processes by a mark in their
//! environment, and players. No test stands here.

#[path = "../scenarios/support/server.rs"]
#[expect(dead_code, reason = "the scenarios need more of it")]
pub mod server;

use millstream_client::{Event, PlayOptions, RtmpUrl, blocking};
use serde_json::Value;
pub use server::{Server, arguments, run};
use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Whole seconds; a limit, never a measurement.
pub const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Milliseconds; a limit, never a measurement.
pub const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// The variable that marks a test's processes.
const MARK: &str = "TEST_OF_HELPERS";

/// A mark that no other test has.
pub struct Mark(String);

impl Mark {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Self(format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    /// A helper whose processes have the mark; `run` is what stands in the list, `more` other lines.
    pub fn helper(
        &self,
        name: &str,
        stream: &str,
        start: &str,
        run: &[&str],
        more: &str,
    ) -> String {
        let run = serde_json::to_string(run).unwrap();
        format!(
            "[[helper]]\nname = \"{name}\"\nstream = \"{stream}\"\nstart = \"{start}\"\nrun = {run}\n\
             env = {{ {MARK} = \"{}\" }}\n{more}\n",
            self.0
        )
    }

    /// The processes that have the mark and live.
    pub fn processes(&self) -> Vec<i32> {
        let entry = format!("{MARK}={}", self.0);
        let marked = |pid: &i32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|&byte| byte == 0).any(|variable| variable == entry.as_bytes())
        };
        pids().filter(marked).collect()
    }

    /// Waits until none is left.
    pub fn until_gone(&self) {
        until("the helper's processes to be gone", || self.processes().is_empty());
    }
}

fn pids() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").unwrap();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// The processes that this one started and that live: for the server, its guardians.
pub fn children(of: u32) -> Vec<i32> {
    let child = |pid: &i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        let fields: Vec<&str> = fields.split_whitespace().take(2).collect();
        fields.get(1).is_some_and(|parent| *parent == of.to_string()) && fields[0] != "Z"
    };
    pids().filter(child).collect()
}

/// Whether a process is there and has not ended.
pub fn lives(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, fields)| !fields.trim_start().starts_with('Z'))
}

/// Kills one process, as `kill -9` does.
pub fn kill(pid: i32) {
    let pid = rustix::process::Pid::from_raw(pid).expect("it is a process");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it runs");
}

/// Waits for something.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + seconds(40);
    while !holds() {
        assert!(Instant::now() < deadline, "no {what}");
        std::thread::sleep(millis(20));
    }
}

/// What the API says of a helper and its first stream; null if it has none.
pub fn state(server: &Server, helper: &str) -> Value {
    instances(server, helper).into_iter().next().unwrap_or_default()
}

/// What the API says of a helper's streams.
pub fn instances(server: &Server, helper: &str) -> Vec<Value> {
    let answer: Value = serde_json::from_str(&server.get("/api/v1/helpers")).unwrap();
    let helpers = answer["helpers"].as_array().unwrap();
    let found = helpers.iter().find(|one| one["name"] == helper).expect("it is configured");
    found["instances"].as_array().unwrap().clone()
}

/// Waits until a helper is in this state, and returns what the API says then.
pub fn until_state(server: &Server, helper: &str, wanted: &str) -> Value {
    let deadline = Instant::now() + seconds(40);
    loop {
        let state = state(server, helper);
        if state["state"] == wanted {
            return state;
        }
        assert!(Instant::now() < deadline, "{helper} is not {wanted}: {state:#}");
        std::thread::sleep(millis(20));
    }
}

/// All that is kept of a helper's output.
pub fn log(state: &Value) -> String {
    let lines = state["log"].as_array().into_iter().flatten();
    lines.map(|line| line["text"].as_str().unwrap().to_owned() + "\n").collect()
}

/// Plays a stream until so many messages with pictures came.
pub fn play(server: &Server, name: &str, pictures: usize) {
    watch(&format!("rtmp://{}/live/{name}", server.rtmp), pictures);
}

/// The same, by the URL.
pub fn watch(url: &str, pictures: usize) {
    let url = RtmpUrl::parse(url).unwrap();
    let mut connection = blocking::connect(&url, blocking::Settings::new(&url)).unwrap();
    connection.play(&url.name(), PlayOptions::default()).unwrap();
    let (deadline, mut seen) = (Instant::now() + seconds(40), 0);
    while seen < pictures {
        assert!(Instant::now() < deadline, "{seen} of {pictures} pictures came");
        match connection.next(millis(200)).unwrap() {
            Some(Event::Stopped { .. } | Event::Refused(_)) => panic!("after {seen} pictures"),
            Some(event) => {
                let tag = event.into_tag();
                seen +=
                    usize::from(tag.is_some_and(|tag| tag.kind == millstream_flv::TagKind::Video));
            }
            None => {}
        }
    }
}

/// Arguments of ffmpeg for a small moving picture, to this address.
pub fn pictures_to(url: &str) -> Vec<&str> {
    let mut arguments = vec!["ffmpeg", "-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i"];
    arguments.extend(["testsrc=s=160x120:r=10", "-c:v", "libx264", "-preset", "ultrafast"]);
    arguments.extend(["-g", "5", "-pix_fmt", "yuv420p", "-f", "flv", url]);
    arguments
}

//! The server under test: the real binary as a child process, on ports of its own.

use super::{millis, seconds};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Instant;

/// The binary.
pub const BINARY: &str = env!("CARGO_BIN_EXE_millstream");

/// A running server. Dropped, it is killed.
pub struct Server {
    child: Child,
    pub rtmp: SocketAddr,
    pub http: SocketAddr,
    banner: Arc<Mutex<String>>,
    log: Arc<Mutex<String>>,
}

impl Server {
    /// On two shards, with these further options and this configuration.
    pub fn start(options: &[&str], config: &str) -> Self {
        let mut command = Command::new(BINARY);
        command.args(arguments(options, config));
        Self::spawn(command)
    }

    /// Starts a command that ends in the server. Its addresses are read from the banner.
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary was built");
        let (banner, log) = (Arc::default(), Arc::default());
        let (heard, news) = mpsc::channel();
        let out = child.stdout.take().expect("it is piped");
        gather(out, Arc::clone(&banner), Some(heard));
        gather(child.stderr.take().expect("it is piped"), Arc::clone(&log), None);
        let mut server =
            Self { child, rtmp: ([0; 4], 0).into(), http: ([0; 4], 0).into(), banner, log };
        let deadline = Instant::now() + seconds(20);
        loop {
            let _ = news.recv_timeout(millis(100));
            let text = server.banner();
            if text.contains("\n  driver ") {
                server.rtmp = address_after(&text, "Publish to   rtmp://");
                server.http = address_after(&text, "http://");
                return server;
            }
            let ended = server.child.try_wait().expect("it is our child");
            assert!(ended.is_none(), "the server did not start: {}", server.log());
            assert!(Instant::now() < deadline, "no banner: {text}");
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn banner(&self) -> String {
        self.banner.lock().expect("no reader panics").clone()
    }

    pub fn log(&self) -> String {
        self.log.lock().expect("no reader panics").clone()
    }

    /// The body that the HTTP side answers with.
    pub fn get(&self, path: &str) -> String {
        let mut socket = TcpStream::connect(self.http).expect("the HTTP side accepts");
        socket.set_read_timeout(Some(seconds(10))).expect("it is a socket");
        write!(socket, "GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.http)
            .expect("the HTTP side reads");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).expect("the HTTP side answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("it answers in HTTP");
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
        body.to_owned()
    }

    /// What the API says of a stream; nothing if it knows none.
    pub fn stream(&self, name: &str) -> Option<serde_json::Value> {
        let answer: serde_json::Value =
            serde_json::from_str(&self.get("/api/v1/streams")).expect("the API answers JSON");
        let streams = answer["streams"].as_array().expect("it is a list").clone();
        streams.into_iter().find(|stream| stream["name"] == name)
    }

    /// The shard that owns a stream.
    pub fn shard_of(&self, name: &str) -> Option<u64> {
        self.stream(name)?["shard"].as_u64()
    }

    /// A counter, summed over the shards.
    pub fn total(&self, counter: &str) -> u64 {
        let answer: serde_json::Value =
            serde_json::from_str(&self.get("/api/v1/shards")).expect("the API answers JSON");
        let shards = answer["shards"].as_array().expect("it is a list");
        shards.iter().filter_map(|shard| shard[counter].as_u64()).sum()
    }

    /// Descriptors that the process holds.
    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid())).expect("it runs").count()
    }

    /// Resident memory in KiB.
    pub fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("it runs");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("Linux has it");
        line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("it is a number")
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("it is our child")
    }

    /// The server is still the one that was started, and nothing panicked in it.
    pub fn assert_healthy(&mut self) {
        assert!(self.ended().is_none(), "the server ended: {}", self.log());
        assert_eq!(self.total("panics"), 0, "{}", self.log());
        assert!(!self.log().contains("panicked"), "{}", self.log());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- log of the server ---\n{}", self.log());
        }
    }
}

/// The arguments for a server on free ports and two shards.
pub fn arguments(options: &[&str], config: &str) -> Vec<String> {
    let mut arguments: Vec<String> = vec!["serve".into(), "--config".into(), write(config)];
    arguments.extend(["--http", "127.0.0.1:0"].map(String::from));
    if !options.contains(&"--rtmp") {
        arguments.extend(["--rtmp", "127.0.0.1:0"].map(String::from));
    }
    if !options.contains(&"--cores") {
        arguments.extend(["--cores", "0,1"].map(String::from));
    }
    arguments.extend(options.iter().map(|option| (*option).to_owned()));
    arguments
}

/// Runs the binary to its end: its exit status, and all that it printed.
pub fn run(arguments: &[String]) -> (ExitStatus, String) {
    let output = Command::new(BINARY)
        .args(arguments)
        .env("NO_COLOR", "1")
        .output()
        .expect("the binary was built");
    let text = [output.stdout, output.stderr].concat();
    (output.status, String::from_utf8_lossy(&text).into_owned())
}

/// Writes a configuration file and returns its path.
fn write(config: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("scenario-{}-{number}.toml", std::process::id());
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, config).expect("the target directory is writable");
    path.to_string_lossy().into_owned()
}

fn gather(
    from: impl Read + Send + 'static,
    into: Arc<Mutex<String>>,
    heard: Option<mpsc::Sender<()>>,
) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let mut text = into.lock().expect("no reader panics");
            text.push_str(&line);
            text.push('\n');
            drop(text);
            if let Some(heard) = &heard {
                // The story may not listen any more.
                let _ = heard.send(());
            }
        }
    });
}

fn address_after(text: &str, label: &str) -> SocketAddr {
    let (_, rest) = text.split_once(label).expect("the banner has it");
    let end = rest.find('/').expect("an address is followed by a path");
    rest[..end].parse().expect("it is an address")
}

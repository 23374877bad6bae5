//! The real server as a child process: its settings, its log, its memory and processor time.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// What the log has said so far.
type Lines = Arc<(Mutex<Vec<String>>, Condvar)>;

/// How a server is started.
#[derive(Clone, Copy, Debug, Default)]
pub struct Start {
    /// Settings, as the lines of a configuration file; tables last.
    pub settings: &'static str,
    /// Whether epoll is to be used where `io_uring` is there.
    pub epoll: bool,
    /// The hard limit of open files, where it is to be lower than the system's.
    pub descriptors: Option<u32>,
}

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    pub rtmp: SocketAddr,
    pub http: SocketAddr,
    lines: Lines,
    config: PathBuf,
}

impl Server {
    pub fn start(start: Start) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("hostile-{}-{number}.toml", std::process::id());
        let config = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        // A busy machine may keep the player beside from its socket for seconds, which is no fault.
        let lag = if start.settings.contains("[lag]") { "" } else { "[lag]\nskip = \"15s\"\n" };
        std::fs::write(&config, [start.settings, lag].concat()).unwrap();
        let limit =
            start.descriptors.map_or_else(String::new, |limit| format!("ulimit -n {limit}; "));
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", &format!("{limit}exec \"$@\""), "sh"])
            .arg(env!("CARGO_BIN_EXE_millstream"))
            .args(["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--cores", &cores()])
            .arg("--config")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // The allocator gives memory back lazily, some of it only when more is asked for. Without the
        // delay, what is resident is what the server holds.
        command.env("MIMALLOC_PURGE_DELAY", "0");
        if start.epoll {
            command.env("MONOIO_FORCE_LEGACY_DRIVER", "1");
        }
        let mut child = command.spawn().unwrap();
        let lines = Lines::default();
        let log = BufReader::new(child.stderr.take().unwrap());
        let told = Arc::clone(&lines);
        std::thread::spawn(move || {
            // Bytes, for a hostile name in the log may be no text.
            for line in log.split(b'\n').map_while(Result::ok) {
                told.0.lock().unwrap().push(line.escape_ascii().to_string().replace("\\\"", "\""));
                told.1.notify_all();
            }
        });
        let mut banner = BufReader::new(child.stdout.take().unwrap());
        let (mut rtmp, mut http) = (None, None);
        while rtmp.is_none() || http.is_none() {
            let mut line = String::new();
            if banner.read_line(&mut line).unwrap() == 0 {
                panic!("the server did not start: {:?}", lines.0.lock().unwrap());
            }
            let mut words = line.split_whitespace();
            match (words.next(), words.find_map(|word| word.split_once("://"))) {
                (Some("Play"), Some((_, url))) => rtmp = address_in(url),
                (Some("Status"), Some((_, url))) => http = address_in(url),
                _ => {}
            }
        }
        std::thread::spawn(move || std::io::copy(&mut banner, &mut std::io::sink()));
        Self { child, rtmp: rtmp.unwrap(), http: http.unwrap(), lines, config }
    }

    /// Waits for a line that holds all of these, and returns it.
    pub fn wait_line(&self, parts: &[&str]) -> String {
        let until = Instant::now() + Duration::from_secs(20);
        let mut lines = self.lines.0.lock().unwrap();
        loop {
            let holds = |line: &&String| parts.iter().all(|part| line.contains(part));
            if let Some(line) = lines.iter().find(holds) {
                return line.clone();
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no line with {parts:?} in {:#?}", tail(&lines));
            lines = self.lines.1.wait_timeout(lines, left).unwrap().0;
        }
    }

    /// Waits until the connection from this port has ended, and wants that name as its reason.
    pub fn wait_end(&self, port: u16, name: &str) {
        let line = self.wait_line(&[&format!("peer=127.0.0.1:{port} "), "connection ended"]);
        let reason = format!("reason=\"{name}\"");
        assert!(line.contains(&reason), "wanted {name}: {line}");
    }

    /// How many lines hold all of these.
    pub fn count_lines(&self, parts: &[&str]) -> usize {
        let lines = self.lines.0.lock().unwrap();
        lines.iter().filter(|line| parts.iter().all(|part| line.contains(part))).count()
    }

    /// Every line so far. Bytes that are no printable ASCII are escaped, and only they have `\x`,
    /// `\t`, `\r` or `\n` for it.
    pub fn log(&self) -> Vec<String> {
        self.lines.0.lock().unwrap().clone()
    }

    /// Resident memory of its own, in bytes: pages of the program itself come in as it runs.
    pub fn memory(&self) -> u64 {
        self.kilobytes("RssAnon:")
    }

    /// The most memory that was ever resident, in bytes.
    pub fn memory_peak(&self) -> u64 {
        self.kilobytes("VmHWM:")
    }

    /// Resident memory with the program's own pages, as the peak counts it.
    pub fn memory_in_all(&self) -> u64 {
        self.kilobytes("VmRSS:")
    }

    fn kilobytes(&self, name: &str) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }

    /// Processor time spent so far, in user mode and in the kernel.
    pub fn cpu(&self) -> Duration {
        let stat = self.proc("stat");
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        // Linux counts in hundredths of a second here whatever its own clock is.
        Duration::from_millis(ticks * 10)
    }

    /// Bytes of a connection that the server has not read.
    pub fn unread_bytes(&self, port: u16) -> u64 {
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let (local, remote) = (format!(":{:04X}", self.rtmp.port()), format!(":{port:04X}"));
        let row = table
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>())
            .find(|row| row.len() > 4 && row[1].ends_with(&local) && row[2].ends_with(&remote));
        let queues = row.expect("the connection is there")[4];
        u64::from_str_radix(queues.split_once(':').unwrap().1, 16).unwrap()
    }

    /// The body of an answer of the HTTP side, with its status line before it.
    pub fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.http).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// The same process still serves, and nothing in it panicked.
    pub fn assert_serves(&mut self) {
        let left = self.child.try_wait().unwrap();
        assert!(left.is_none(), "the server left: {left:?}, {:#?}", tail(&self.log()));
        assert!(self.get("/healthz").starts_with("HTTP/1.1 200"));
        for sign in ["panicked", "ERROR"] {
            assert_eq!(self.count_lines(&[sign]), 0, "{:#?}", tail(&self.log()));
        }
    }

    fn proc(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.config);
    }
}

/// Two cores that this process may use, or the one that there is.
fn cores() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap();
    let ranges =
        list.trim().split(',').map(|range| range.split_once('-').unwrap_or((range, range)));
    let cores = ranges.flat_map(|(from, to)| from.parse::<u32>().unwrap()..=to.parse().unwrap());
    cores.take(2).map(|core| core.to_string()).collect::<Vec<_>>().join(",")
}

fn tail(lines: &[String]) -> &[String] {
    &lines[lines.len().saturating_sub(30)..]
}

fn address_in(url: &str) -> Option<SocketAddr> {
    url.split('/').next().and_then(|address| address.parse().ok())
}

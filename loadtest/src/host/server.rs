//! The server under test, where the generator starts it itself: millstream as a child process on
//! cores of its own.

use std::io::{self, BufRead, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take to announce itself.
const START_MAX: Duration = Duration::from_secs(10);
/// How long it may take to end after it was asked.
const STOP_MAX: Duration = Duration::from_secs(12);

/// A child that serves. It is ended when this is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    command: String,
    /// `host:port` that RTMP is served on.
    pub rtmp: String,
    /// `host:port` of its status page.
    pub http: String,
}

impl Server {
    /// Starts a server on these cores, on ports that are free.
    ///
    /// # Errors
    /// If it cannot be started, or ends or stays silent instead of announcing its addresses.
    pub fn start(program: &Path, cores: &str, arguments: &[String]) -> io::Result<Self> {
        let mut child = Command::new(program)
            .args(["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--log", "warn"])
            .args(["--cores", cores])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // Ctrl-C is for the generator, which ends the server when its report is made.
            .process_group(0)
            .spawn()
            .map_err(|error| {
                let text = format!("{} cannot be started: {error}", program.display());
                io::Error::new(error.kind(), text)
            })?;
        let stdout = child.stdout.take();
        // From here on it is ended, whatever happens.
        let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy();
        let command = format!("{name} serve --cores {cores} {}", arguments.join(" "));
        let command = command.trim_end().to_owned();
        let mut server = Self { child, command, rtmp: String::new(), http: String::new() };
        (server.rtmp, server.http) = stdout.ok_or_else(silent).and_then(addresses)?;
        Ok(server)
    }

    /// The command it was started with.
    pub fn described(&self) -> String {
        self.command.clone()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            // It may have ended by itself.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let began = Instant::now();
        while began.elapsed() < STOP_MAX {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(20)),
                _ => return,
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The server beside this program, unless another one was named. Under `cargo run` it is built if
/// it is not there.
///
/// # Errors
/// If there is none and none can be built.
pub fn program(named: Option<PathBuf>, tell: &mut dyn FnMut(&str)) -> io::Result<PathBuf> {
    if let Some(path) = named {
        return Ok(path);
    }
    let own = std::env::current_exe()?;
    let beside = own.with_file_name("millstream");
    if beside.exists() {
        return Ok(beside);
    }
    let release = own.parent().is_some_and(|folder| folder.ends_with("release"));
    let profile: &[&str] = if release { &["--release"] } else { &[] };
    let command = format!("cargo build {} -p millstream", profile.join(" "));
    if let Some(cargo) = std::env::var_os("CARGO") {
        tell(&format!("building the server: {command}"));
        let built =
            Command::new(cargo).arg("build").args(profile).args(["-p", "millstream"]).status()?;
        if built.success() && beside.exists() {
            return Ok(beside);
        }
    }
    let text = format!(
        "{} is missing: build it ({command}), name it with --server, or give the URL of a server that runs",
        beside.display()
    );
    Err(io::Error::new(io::ErrorKind::NotFound, text))
}

/// Reads the addresses out of the announcement, and leaves somebody to read what follows.
fn addresses(stdout: std::process::ChildStdout) -> io::Result<(String, String)> {
    let (found, wanted) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let (mut rtmp, mut http) = (None, None);
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            rtmp = rtmp.or_else(|| host_after(&line, "rtmp://"));
            http = http.or_else(|| host_after(&line, "http://"));
            if let (Some(rtmp), Some(http)) = (&rtmp, &http) {
                // Sent once too often is no harm: only the first is waited for.
                let _ = found.send((rtmp.clone(), http.clone()));
            }
        }
    });
    wanted.recv_timeout(START_MAX).map_err(|_| silent())
}

fn silent() -> io::Error {
    io::Error::other(
        "the server that was started ended, or did not announce its addresses; what it said itself stands above",
    )
}

/// The host and port that follow a scheme.
fn host_after(line: &str, scheme: &str) -> Option<String> {
    let (_, rest) = line.split_once(scheme)?;
    let end = rest.find(['/', ' ']).unwrap_or(rest.len());
    rest[..end].contains(':').then(|| rest[..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_an_announcement() {
        let line = "  Publish to   rtmp://127.0.0.1:4321/live/NAME";
        assert_eq!(host_after(line, "rtmp://").as_deref(), Some("127.0.0.1:4321"));
        assert_eq!(host_after(line, "http://"), None);
        assert_eq!(host_after("rtmp://HOST/live", "rtmp://"), None);
    }

    #[test]
    fn a_program_that_is_no_server_is_an_error() {
        let error = Server::start(Path::new("/bin/true"), "0", &[]).unwrap_err();
        assert!(error.to_string().contains("did not announce"), "{error}");
        assert!(Server::start(Path::new("/nonexistent"), "0", &[]).is_err());
    }
}

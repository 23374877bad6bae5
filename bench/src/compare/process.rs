//! Child processes: pinned from their first instruction on, and ended whatever happens. What is
//! started is known elsewhere.

use super::error::Error;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

/// Between two looks at a process.
const LOOK: Duration = Duration::from_millis(10);

/// A running process. It is ended when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: std::process::Child,
    name: String,
}

impl Process {
    /// Starts a program on these cores; an empty list means all that this process may use.
    ///
    /// The child inherits them from this thread, so that no thread of it ever ran elsewhere. It is
    /// in a process group of its own: Ctrl-C is for the comparison, which ends it.
    ///
    /// # Errors
    /// If there is no such core, or the program cannot be started.
    pub fn start(mut command: Command, name: &str, cores: &[usize]) -> Result<Self, Error> {
        let before = sched_getaffinity(None)
            .map_err(|error| Error::Io("read the allowed cores".to_owned(), error.into()))?;
        let pinned = |error: rustix::io::Errno| {
            Error::Io(format!("run {name} on the cores {cores:?}"), error.into())
        };
        if !cores.is_empty() {
            let mut wanted = CpuSet::new();
            for core in cores.iter().filter(|core| **core < CpuSet::MAX_CPU) {
                wanted.set(*core);
            }
            sched_setaffinity(None, &wanted).map_err(pinned)?;
        }
        let child = command.process_group(0).spawn();
        if !cores.is_empty() {
            sched_setaffinity(None, &before).map_err(pinned)?;
        }
        let child = child.map_err(Error::io(format!("start {name}")))?;
        Ok(Self { child, name: name.to_owned() })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it did.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>, Error> {
        self.child.try_wait().map_err(Error::io(format!("wait for {}", self.name)))
    }

    /// Waits until it listens on a port, in whatever network namespace it is.
    ///
    /// # Errors
    /// If it ends or does not within `limit`, or `stopped` says so.
    pub fn wait_until_it_listens(
        &mut self,
        port: u16,
        limit: Duration,
        stopped: &dyn Fn() -> bool,
    ) -> Result<(), Error> {
        let began = Instant::now();
        let fault = |name: &str, what: String| Err(Error::Program(name.to_owned(), what));
        while !listens(self.id(), port) {
            if stopped() {
                return Err(Error::Stopped);
            }
            if let Some(status) = self.ended()? {
                return fault(&self.name, format!("ended before it served: {status}"));
            }
            if began.elapsed() > limit {
                return fault(&self.name, format!("did not serve within {limit:?}"));
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Resident memory in bytes; 0 if it has ended.
    pub fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kilobytes.unwrap_or(0) * 1024
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // How it ends is not compared, and a hundred polite farewells are minutes.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether the namespace of a process has a listener on this port (`/proc/PID/net/tcp`, proc(5)).
fn listens(pid: u32, port: u16) -> bool {
    let table = |name: &str| fs::read_to_string(format!("/proc/{pid}/net/{name}"));
    ["tcp", "tcp6"]
        .iter()
        .filter_map(|name| table(name).ok())
        .any(|table| listener_in(&table, port))
}

/// The second column is the local address, the fourth the state: 0A listens.
fn listener_in(table: &str, port: u16) -> bool {
    let end = format!(":{port:04X}");
    table.lines().skip(1).any(|line| {
        let mut words = line.split_whitespace().skip(1);
        words.next().is_some_and(|local| local.ends_with(&end)) && words.nth(1) == Some("0A")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn listeners_are_found_by_their_port() {
        let table = "  sl  local_address rem_address   st tx_queue\n   \
                     0: 0100007F:078F 00000000:0000 0A 00000000:00000000\n   \
                     1: 0100007F:0790 0100007F:1234 01 00000000:00000000\n";
        assert!(listener_in(table, 0x78F));
        assert!(!listener_in(table, 0x790) && !listener_in(table, 0x1234));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(listens(std::process::id(), listener.local_addr().unwrap().port()));
    }

    #[test]
    fn a_process_runs_where_it_was_told_and_ends_with_its_owner() {
        let mut command = Command::new("sleep");
        command.arg("60");
        let process = Process::start(command, "sleep", &[0]).unwrap();
        let id = process.id();
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let cores = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        assert_eq!(cores.map(str::trim), Some("0"));
        assert!(process.resident() > 0);
        drop(process);
        assert!(!fs::exists(format!("/proc/{id}")).unwrap());
        let own = sched_getaffinity(None).unwrap();
        assert!(own.count() as usize == std::thread::available_parallelism().unwrap().get());
    }

    #[test]
    fn who_ends_instead_of_serving_is_an_error() {
        let mut process = Process::start(Command::new("true"), "true", &[]).unwrap();
        let waited = process.wait_until_it_listens(1, Duration::from_secs(5), &|| false);
        assert!(matches!(waited, Err(Error::Program(..))), "{waited:?}");
        let mut command = Command::new("sleep");
        command.arg("60");
        let mut process = Process::start(command, "sleep", &[]).unwrap();
        let waited = process.wait_until_it_listens(1, Duration::from_secs(5), &|| true);
        assert!(matches!(waited, Err(Error::Stopped)), "{waited:?}");
    }
}

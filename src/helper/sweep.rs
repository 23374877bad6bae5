//! The last resort: a guardian was itself killed, and what its helper had started in turn belongs to
//! nobody. Those processes are found by the mark in their environment, which they inherited whatever
//! they did to their groups and parents.

use super::order::MARK;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

/// Rounds at most: each finds what was forked while the one before looked.
const ROUNDS: usize = 20;

/// Rounds that find nothing before it is over: a process that is just becoming another program shows no
/// environment for a moment.
const QUIET_ROUNDS: usize = 3;

/// What the killed get between rounds to be gone.
const PAUSE: Duration = Duration::from_millis(2);

/// Kills every process with this mark. Returns how many there were.
pub fn sweep(mark: &str) -> usize {
    let entry = format!("{MARK}={mark}");
    let mut killed = BTreeSet::new();
    let mut quiet = 0;
    for _ in 0..ROUNDS {
        let found: Vec<i32> = processes()
            .filter(|&pid| kill_marked(pid, entry.as_bytes()))
            .map(Pid::as_raw_pid)
            .collect();
        quiet = if found.is_empty() { quiet + 1 } else { 0 };
        if quiet == QUIET_ROUNDS {
            break;
        }
        killed.extend(found);
        std::thread::sleep(PAUSE);
    }
    killed.len()
}

fn processes() -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    numbers.filter_map(Pid::from_raw)
}

/// The descriptor is opened before the mark is looked for, so that the number cannot have gone to
/// another process when the signal is sent.
fn kill_marked(pid: Pid, entry: &[u8]) -> bool {
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return false };
    let Ok(environment) = fs::read(format!("/proc/{}/environ", pid.as_raw_pid())) else {
        return false;
    };
    environment.split(|&byte| byte == 0).any(|variable| variable == entry)
        && pidfd_send_signal(&process, Signal::KILL).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn only_what_is_marked_is_killed() {
        let sleeper = |mark: &str| {
            let mut command = Command::new("sleep");
            let started = command.arg("60").env(MARK, mark).spawn().unwrap();
            while fs::read(format!("/proc/{}/environ", started.id())).unwrap().is_empty() {
                std::thread::yield_now();
            }
            started
        };
        let (ours, others) =
            (format!("a{}", std::process::id()), format!("b{}", std::process::id()));
        let (mut marked, mut other) = (sleeper(&ours), sleeper(&others));
        assert_eq!(sweep(&ours), 1);
        assert!(!marked.wait().unwrap().success());
        assert!(other.try_wait().unwrap().is_none());
        other.kill().unwrap();
        other.wait().unwrap();
    }
}

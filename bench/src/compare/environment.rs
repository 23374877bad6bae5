//! Where a comparison was made: what every result must say.

use serde::{Deserialize, Serialize};
use std::fs;
use std::process::Command;

/// The machine, the build and the command.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// The processor, cores and memory.
    pub machine: String,
    /// The kernel.
    pub kernel: String,
    /// The system's congestion control, which all servers used.
    pub congestion: String,
    /// The load average at the start, over 1, 5 and 15 minutes.
    pub load_average: String,
    /// The commit, and whether there are changes beside it.
    pub commit: String,
    /// The compiler.
    pub compiler: String,
    /// The command as it was typed.
    pub command: String,
    /// When it began, seconds since 1970.
    pub began_unix_s: u64,
}

impl Environment {
    /// What can be found out now.
    pub fn now(command: String) -> Self {
        let memory = field("/proc/meminfo", "MemTotal").and_then(|text| {
            text.split_whitespace().next()?.parse::<f64>().ok().map(|kilobytes| kilobytes / 1e6)
        });
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(unknown);
        let commit = said("git", &["rev-parse", "--short", "HEAD"]).unwrap_or_else(unknown);
        let changes = said("git", &["status", "--porcelain", "--untracked-files=no"]);
        let changes = changes.is_some_and(|text| !text.is_empty());
        let began = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Self {
            machine: format!("{processor}, {cores} cores, {:.0} GB", memory.unwrap_or(0.0)),
            kernel: line("/proc/sys/kernel/osrelease"),
            congestion: line("/proc/sys/net/ipv4/tcp_congestion_control"),
            load_average: line("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" "),
            commit: if changes { format!("{commit} with changes") } else { commit },
            compiler: said("rustc", &["--version"]).unwrap_or_else(unknown),
            command,
            began_unix_s: began.map_or(0, |since| since.as_secs()),
        }
    }

    /// Name by name, in the order to show.
    pub fn lines(&self) -> [(&'static str, String); 5] {
        [
            ("machine", format!("{}; kernel {}", self.machine, self.kernel)),
            ("congestion control", format!("{}, the system's, for all", self.congestion)),
            ("load average at the start", self.load_average.clone()),
            ("commit", format!("{}, {}, release profile", self.commit, self.compiler)),
            ("command", format!("`{}`", self.command)),
        ]
    }
}

/// Softirqs of received packets so far, for each processor (`/proc/softirqs`).
pub fn received_softirqs() -> Vec<u64> {
    let counts = field("/proc/softirqs", "NET_RX").unwrap_or_default();
    counts.split_whitespace().filter_map(|count| count.parse().ok()).collect()
}

fn unknown() -> String {
    "unknown".to_owned()
}

/// The first line of a file.
fn line(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().next().map_or_else(unknown, |line| line.trim().to_owned())
}

/// What stands behind a name and its colon.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = fields.find(|(known, _)| known.trim() == name)?;
    Some(value.trim().to_owned())
}

fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_says_where_it_comes_from() {
        let environment = Environment::now("bench/compare --quick".to_owned());
        assert!(environment.machine.contains("cores") && environment.kernel.contains('.'));
        assert!(!environment.congestion.is_empty());
        assert_eq!(environment.lines()[4].1, "`bench/compare --quick`");
        assert_eq!(environment.load_average.split(' ').count(), 3);
        assert!(!received_softirqs().is_empty());
    }
}

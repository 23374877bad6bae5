//! What a process of this machine uses, from its processor clock and from `/proc` (proc(5)).

use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;
use std::fs;
use std::io;

/// What a process has used since it began, and what it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// User and system time of all its threads, those included that have ended, in seconds.
    pub cpu_s: f64,
    /// Resident memory, bytes.
    pub resident_bytes: u64,
    /// Context switches of all its threads.
    pub switches: u64,
}

/// What a process uses now.
///
/// # Errors
/// If it is gone.
pub fn usage(pid: u32) -> io::Result<Usage> {
    let malformed = || io::Error::new(io::ErrorKind::InvalidData, "/proc is not as expected");
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let resident = field(&status, "VmRSS:").ok_or_else(malformed)? * 1024;
    let mut switches = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may end while the list is read.
        let Ok(status) = fs::read_to_string(task?.path().join("status")) else { continue };
        switches += field(&status, "voluntary_ctxt_switches:").unwrap_or(0)
            + field(&status, "nonvoluntary_ctxt_switches:").unwrap_or(0);
    }
    Ok(Usage { cpu_s: cpu_s(pid)?, resident_bytes: resident, switches })
}

/// From the clock of the process (clock_getcpuclockid(3)), to the nanosecond. `/proc/PID/stat` has the
/// same sum, but in hundredths of a second, and cut off twice: of a server that uses a tenth of its
/// core for three seconds, that is several percent. `/proc/PID/task/*/schedstat` is as fine as the
/// clock and forgets the threads that have ended.
fn cpu_s(pid: u32) -> io::Result<f64> {
    let pid = i32::try_from(pid).map_err(io::Error::other)?;
    let used = clock_gettime(clock_getcpuclockid(Pid::from_raw(pid))?)?;
    Ok(used.tv_sec() as f64 + used.tv_nsec() as f64 / 1e9)
}

fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::clock::thread_cpu_ns;
    use std::time::Duration;

    #[test]
    fn this_process_uses_something() {
        let usage = usage(std::process::id()).unwrap();
        assert!(usage.resident_bytes > 100_000 && usage.switches > 0, "{usage:?}");
    }

    /// User and system time as `/proc` has them, in hundredths of a second. The second field, the
    /// name, may hold spaces and brackets.
    fn ticks(pid: u32) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let (_, rest) = stat.rsplit_once(')').unwrap();
        let fields = rest.split_ascii_whitespace().skip(11).take(2);
        fields.map(|field| field.parse::<u64>().unwrap()).sum()
    }

    #[test]
    fn threads_that_have_ended_are_counted_too() {
        let (own, worked) = (std::process::id(), Duration::from_millis(60));
        let before = usage(own).unwrap();
        let work = move || {
            let (began, mut at) = (thread_cpu_ns(), 0_u64);
            while thread_cpu_ns() - began < worked.as_nanos() as u64 {
                at = std::hint::black_box(at + 1);
            }
        };
        std::thread::spawn(work).join().unwrap();
        let after = usage(own).unwrap();
        assert!(after.cpu_s - before.cpu_s >= worked.as_secs_f64(), "{before:?} {after:?}");
    }

    #[test]
    fn it_is_the_sum_that_proc_has_in_ticks() {
        let own = std::process::id();
        let per_second = rustix::param::clock_ticks_per_second() as f64;
        let [low, between, high] =
            [ticks(own) as f64 / per_second, cpu_s(own).unwrap(), ticks(own) as f64 / per_second];
        // Of user and system time each is cut off.
        assert!((low..=high + 2.0 / per_second).contains(&between), "{low} {between} {high}");
    }

    #[test]
    fn a_process_that_is_not_there_is_an_error() {
        // Linux gives out no numbers above 4,194,304 (proc(5), pid_max).
        assert!(usage(4_194_305).is_err() && cpu_s(4_194_305).is_err());
        assert!(cpu_s(u32::MAX).is_err());
    }
}

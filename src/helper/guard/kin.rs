//! The guardian's children: the program, and whoever of its descendants lost his parent. They are
//! found, reaped and killed here; when is decided by the guardian.
//!
//! Only children are killed, by number, and only the guardian reaps them, so that no number can
//! have gone to a stranger meanwhile. Their own children become the guardian's when they are dead, and
//! the next round finds them. The program itself stays unreaped to the last: as long as it is, its number
//! names its group and nobody else's.

use super::End;
use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process, kill_process_group, waitid,
};
use std::fs;
use std::io;

/// The program and its descendants.
pub struct Kin {
    program: Pid,
    end: Option<End>,
    reaped: bool,
}

impl Kin {
    /// The descendants of this child.
    pub fn new(program: Pid) -> Self {
        Self { program, end: None, reaped: false }
    }

    /// The process that was started.
    pub fn program(&self) -> Pid {
        self.program
    }

    /// How the program ended, if it did.
    pub fn ended(&mut self) -> io::Result<Option<End>> {
        if self.end.is_none() {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            self.end = waitid(WaitId::Pid(self.program), options)?.map(|status| end(&status));
        }
        Ok(self.end)
    }

    /// Asks the program's group to end, and the strays, who may have left it.
    pub fn ask(&self, signal: Signal) {
        self.signal(signal);
    }

    /// Kills whoever is a child now.
    pub fn kill_all(&self) {
        self.signal(Signal::KILL);
    }

    /// Takes leave of strays that ended.
    pub fn reap_strays(&self) {
        for stray in self.strays() {
            // Not ended, it stays.
            let _ = waitid(WaitId::Pid(stray), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
        }
    }

    /// Whether the program has ended and no descendant is left. Reaps the program then.
    pub fn all_gone(&mut self) -> io::Result<bool> {
        if self.ended()?.is_none() || !self.strays().is_empty() {
            return Ok(false);
        }
        if !self.reaped {
            waitid(WaitId::Pid(self.program), WaitIdOptions::EXITED)?;
            self.reaped = true;
        }
        // Whoever came to light between the look at the strays and now is a child too.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        Ok(matches!(waitid(WaitId::All, options), Err(Errno::CHILD)))
    }

    fn signal(&self, signal: Signal) {
        if !self.reaped {
            // Nobody may be left in its group; or it has none yet, since it has only just been started.
            if kill_process_group(self.program, signal).is_err() {
                let _ = kill_process(self.program, signal);
            }
        }
        for stray in self.strays() {
            // It may have changed its user, and then it must be left.
            let _ = kill_process(stray, signal);
        }
    }

    /// The guardian's children other than the program.
    fn strays(&self) -> Vec<Pid> {
        let own = rustix::process::getpid();
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let pids = numbers.filter_map(Pid::from_raw).filter(|&pid| pid != self.program);
        pids.filter(|&pid| parent(pid) == Some(own)).collect()
    }
}

/// The parent of a process: the second field behind its name, which stands in parentheses and may hold
/// anything (proc_pid_stat(5)).
fn parent(pid: Pid) -> Option<Pid> {
    let text = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_pid())).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    Pid::from_raw(fields.split_whitespace().nth(1)?.parse().ok()?)
}

fn end(status: &WaitIdStatus) -> End {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(status), _) => End::Status(status),
        (None, Some(signal)) => End::Signal(signal),
        (None, None) => End::Unknown,
    }
}

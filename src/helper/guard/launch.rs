//! From the guardian to the program: a new process gets its session, limits and niceness, and becomes
//! the program. These steps are done by a process of this same binary rather than between fork and
//! exec, where hardly anything is safe to call.

use super::super::order::{MARK, Order, Refused, Step};
use crate::config::ENV_PREFIX;
use crate::limits::HELPER_ORDER_BYTES_MAX;
use rustix::process::{
    Pid, Resource, Rlimit, Signal, getppid, getrlimit, nice, set_parent_process_death_signal,
    setrlimit, setsid,
};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt as _;
use std::process::{ChildStdout, Command, Stdio};

/// The first argument of a process that shall become a program.
pub const WORD: &str = "helper-launch";

/// Starts the process that becomes the program. Its standard output tells why it could not, and ends
/// without a word when it did.
pub fn start(order: &Order) -> io::Result<(Pid, ChildStdout)> {
    let mut child = Command::new("/proc/self/exe")
        .arg0(WORD)
        .arg(WORD)
        .arg(rustix::process::getpid().as_raw_pid().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let pid = Pid::from_child(&child);
    let (Some(mut input), Some(answer)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    // Killed before it read it all, it ends like any child.
    let _ = input.write_all(&serde_json::to_vec(order)?);
    Ok((pid, answer))
}

/// The new process. Returns its exit status if it could not become the program.
pub fn launch() -> i32 {
    let mut text = Vec::new();
    let read = io::stdin().take(HELPER_ORDER_BYTES_MAX as u64).read_to_end(&mut text);
    let order = read.ok().and_then(|_| serde_json::from_slice::<Order>(&text).ok());
    let Some(order) = order else {
        eprintln!("{WORD}: only a guardian starts this");
        return 2;
    };
    // Closed when the program begins. Standard output itself is the program's by the time it fails.
    let Ok(answer) = io::stdout().as_fd().try_clone_to_owned() else { return 2 };
    let refused = become_program(&order);
    let line = serde_json::to_vec(&refused).unwrap_or_default();
    // The guardian waits for it; gone, it needs no answer.
    let _ = File::from(answer).write_all(&line);
    127
}

/// Returns only if it fails.
fn become_program(order: &Order) -> Refused {
    let step = |step: Step, error: &io::Error| Refused {
        step,
        errno: error.raw_os_error().unwrap_or_default(),
    };
    if let Err(error) = settle() {
        return step(Step::Session, &error);
    }
    // Niceness 0 would be no change; asked for nevertheless, it can be refused in a sandbox.
    if order.nice > 0
        && let Err(error) = nice(i32::from(order.nice))
    {
        return step(Step::Nice, &error.into());
    }
    if let Some(cwd) = &order.cwd
        && let Err(error) = std::env::set_current_dir(cwd)
    {
        return step(Step::Directory, &error);
    }
    let Some((program, arguments)) = order.run.split_first() else {
        return step(Step::Program, &io::ErrorKind::InvalidInput.into());
    };
    let output = match io::stderr().as_fd().try_clone_to_owned() {
        Ok(output) => output,
        Err(error) => return step(Step::Process, &error),
    };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(output);
    for (name, _) in std::env::vars_os() {
        // The server's own settings, keys and token among them, are none of the helper's business.
        if name.as_encoded_bytes().starts_with(ENV_PREFIX.as_bytes()) {
            command.env_remove(name);
        }
    }
    command.env_remove(super::NESTED);
    command.envs(order.env.iter().map(|(name, value)| (name, value)));
    command.env(MARK, &order.mark);
    // Last, for this process would have to live with them too.
    if let Err(error) = limit(order) {
        return step(Step::Limits, &error);
    }
    step(Step::Program, &command.exec())
}

/// A session and group of its own, and death together with the guardian.
fn settle() -> io::Result<()> {
    setsid()?;
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let guardian = std::env::args().nth(2).and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw);
    // It may have died before the kernel was told.
    if getppid() == guardian { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
}

fn limit(order: &Order) -> io::Result<()> {
    let limits = [
        (Resource::Nofile, Some(order.open_files)),
        (Resource::Cpu, order.cpu_s),
        (Resource::As, order.memory),
    ];
    for (resource, value) in limits {
        let Some(value) = value else { continue };
        // Only the privileged may go above the hard limit, and nobody needs to.
        let value = getrlimit(resource).maximum.map_or(value, |hard| value.min(hard));
        setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) })?;
    }
    Ok(())
}

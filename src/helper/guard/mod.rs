//! The guardian: a small process between the server and each helper, so that nothing of the helper
//! outlives the server, however the server ends.
//!
//! ```text
//!   server ==(pipe)==> guardian ---> the program, leader of its own session and group
//!                         |             +--> its children ...
//!                         +<--- whoever of them lost his parent (the guardian is their subreaper)
//! ```
//! It is the same binary, started anew with `helper-guard` as its first argument. It holds the reading end of
//! a pipe: a line on it says stop, and its end says that the server is gone, by `kill -9` too. Then the
//! program's group is asked to end, and after its patience everything that descends from it is killed
//! until no child is left; a process that left the group or the session by two forks becomes a child of
//! the guardian when its parent ends. The program itself dies with the guardian (parent death signal).
//!
//! - `launch`: what happens in the new process before it becomes the program.
//! - `kin`: finding, reaping and killing the guardian's children.
//!
//! When to start and stop is decided by the supervisor alone.

mod kin;
mod launch;

use super::order::{End, FORM, Order, Refused, Report, Step};
use crate::limits::HELPER_ORDER_BYTES_MAX;
use kin::Kin;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::pipe;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command};
use std::time::{Duration, Instant};

/// The first argument of a process that shall be a guardian.
pub const WORD: &str = "helper-guard";

/// The variable that a process has which was started as a guardian. One that starts helpers instead does
/// not know of guardians, and would start another of itself for each.
const NESTED: &str = "HELPER_GUARDIAN_OF_MILLSTREAM";

/// When those are killed again who are still there, besides whenever one of them has died and his
/// children came to light: soon at first, then less and less often.
const KILL_AGAIN: Duration = Duration::from_millis(20);
/// See [`KILL_AGAIN`]. Who is still there then waits for a disk that does not answer.
const KILL_AGAIN_MAX: Duration = Duration::from_secs(1);

/// How a guardian is started: which program is one, when its first argument says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guardian {
    program: PathBuf,
}

impl Guardian {
    /// This very program, which calls [`serve_if_asked`] at the beginning of its `main`. It is found
    /// even if its file was replaced or removed since it was started.
    ///
    /// A program that does not call it would run as itself instead, and is told so when it starts helpers
    /// in turn.
    pub fn this_program() -> Self {
        Self::at("/proc/self/exe")
    }

    /// A program at this path: a `millstream`, or another one that calls [`serve_if_asked`].
    pub fn at(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into() }
    }

    /// Where it is.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// What starts one. Its name in the process list is not the server's: whoever kills the server by
    /// name shall not kill what cleans up after it.
    pub(super) fn command(&self) -> Command {
        use std::os::unix::process::CommandExt as _;
        let mut command = Command::new(&self.program);
        command.arg0(WORD).arg(WORD).env(NESTED, "1");
        command
    }
}

/// Where this process was started as a guardian, is one, and exits; otherwise returns at once. To be
/// called at the very beginning of `main`, before threads and anything else.
pub fn serve_if_asked() {
    let word = std::env::args_os().nth(1);
    let code = match word.as_deref().and_then(OsStr::to_str) {
        Some(WORD) => guard(),
        Some(launch::WORD) => launch::launch(),
        _ => return,
    };
    std::process::exit(code);
}

/// Whether this process was started as a guardian and does not know it.
pub(super) fn is_missed() -> bool {
    std::env::var_os(NESTED).is_some()
}

/// The life of a guardian. Returns its exit status, which nobody reads.
fn guard() -> i32 {
    match try_guard() {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("{WORD}: {error}; only the server itself starts guardians");
            2
        }
    }
}

fn try_guard() -> io::Result<()> {
    // Cosmetic, like the first argument.
    let _ = rustix::thread::set_name(c"helper-guard");
    // What is typed at the server's terminal is not meant for the guardian.
    let _ = rustix::process::setsid();
    let mut news = Signals::catch()?;
    // Besides the pipe, for the case that the server's end of it leaked to somebody.
    rustix::process::set_parent_process_death_signal(Some(Signal::TERM))?;
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    report(&Report::Hello(FORM));
    let mut input = BufReader::new(File::from(io::stdin().as_fd().try_clone_to_owned()?));
    let order: Order = serde_json::from_slice(&line(&mut input)?)?;
    let (child, answer) = match launch::start(&order) {
        Ok(started) => started,
        Err(error) => {
            let errno = error.raw_os_error().unwrap_or_default();
            report(&Report::Refused(Refused { step: Step::Process, errno }));
            return Ok(());
        }
    };
    // A stop may have come in one read with the order.
    let stopped = !input.buffer().is_empty();
    let mut watch = Watch {
        kin: Kin::new(child),
        orders: Some(input.into_inner()),
        answer: Some(answer),
        stop_signal: Signal::from_named_raw(order.stop_signal).unwrap_or(Signal::TERM),
        patience: Duration::from_millis(order.patience_ms),
        kill_at: None,
        kill_again: KILL_AGAIN,
        told_end: false,
    };
    if stopped {
        watch.end();
    }
    loop {
        match watch.turn(&mut news) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => {
                watch.kin.kill_all();
                return Err(error);
            }
        }
    }
}

/// Tells the supervisor, if it is there.
fn report(report: &Report) {
    let mut line = serde_json::to_vec(report).unwrap_or_default();
    line.push(b'\n');
    // Gone, it hears nothing, and its pipe will say so.
    let _ = io::stdout().write_all(&line).and_then(|()| io::stdout().flush());
}

/// Reads one line of bounded length.
fn line(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    from.by_ref().take(HELPER_ORDER_BYTES_MAX as u64).read_until(b'\n', &mut line)?;
    match line.last() {
        Some(b'\n') => Ok(line),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// The signals that matter, as something that can be polled.
struct Signals {
    child: UnixStream,
    end: UnixStream,
}

impl Signals {
    fn catch() -> io::Result<Self> {
        let (child, sender) = UnixStream::pair()?;
        pipe::register(SIGCHLD, sender)?;
        let (end, sender) = UnixStream::pair()?;
        for signal in [SIGTERM, SIGINT, SIGHUP] {
            pipe::register(signal, sender.try_clone()?)?;
        }
        child.set_nonblocking(true)?;
        end.set_nonblocking(true)?;
        Ok(Self { child, end })
    }
}

/// What a guardian watches.
struct Watch {
    kin: Kin,
    /// The server's pipe, until it ends.
    orders: Option<File>,
    /// Where the new process says why it could not become the program. Its end says that it did.
    answer: Option<ChildStdout>,
    stop_signal: Signal,
    patience: Duration,
    /// Once the end was ordered: when everybody is killed.
    kill_at: Option<Instant>,
    kill_again: Duration,
    told_end: bool,
}

impl Watch {
    /// Waits for something and deals with it. Returns false when nobody is left.
    fn turn(&mut self, news: &mut Signals) -> io::Result<bool> {
        let [ordered, answered] = self.wait(news)?;
        if ordered {
            // Whatever is said now, even that nothing will be said any more, means the end.
            let said = self.orders.as_mut().map_or(Ok(0), |orders| orders.read(&mut [0; 64]));
            if !matches!(said, Ok(1..)) {
                self.orders = None;
            }
            self.end();
        }
        if read_all(&mut news.end) {
            self.end();
        }
        // Emptied before the children are looked at, so that none is missed.
        read_all(&mut news.child);
        if answered {
            self.hear_answer();
        }
        if let Some(end) = self.kin.ended()?
            && !self.told_end
        {
            self.told_end = true;
            if self.answer.is_some() {
                self.hear_answer();
            }
            report(&Report::Ended(end));
            // What it left behind goes the same way.
            self.end();
        }
        self.kin.reap_strays();
        if self.kill_at.is_some_and(|at| Instant::now() >= at) {
            self.kin.kill_all();
            self.kill_again = (self.kill_again * 2).min(KILL_AGAIN_MAX);
        }
        Ok(!(self.told_end && self.kin.all_gone()?))
    }

    /// Waits; tells whether the server's pipe and the new process's have something.
    fn wait(&self, news: &Signals) -> io::Result<[bool; 2]> {
        let mut fds =
            vec![PollFd::new(&news.child, PollFlags::IN), PollFd::new(&news.end, PollFlags::IN)];
        if let Some(orders) = &self.orders {
            fds.push(PollFd::new(orders, PollFlags::IN));
        }
        if let Some(answer) = &self.answer {
            fds.push(PollFd::new(answer, PollFlags::IN));
        }
        let timeout = self.kill_at.map(|at| {
            let left = at.saturating_duration_since(Instant::now());
            if left.is_zero() { self.kill_again } else { left + Duration::from_millis(1) }
        });
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready = |at: usize| fds.get(at).is_some_and(|fd| !fd.revents().is_empty());
        let answer_at = 2 + usize::from(self.orders.is_some());
        Ok([self.orders.is_some() && ready(2), self.answer.is_some() && ready(answer_at)])
    }

    /// Asks the program to end, once, and sets the time when it is no longer asked.
    fn end(&mut self) {
        if self.kill_at.is_none() {
            self.kin.ask(self.stop_signal);
            let patience =
                if self.stop_signal == Signal::KILL { Duration::ZERO } else { self.patience };
            self.kill_at = Some(Instant::now() + patience);
        }
    }

    /// Reads what the new process said before it became the program, or did not.
    fn hear_answer(&mut self) {
        let Some(answer) = self.answer.take() else { return };
        let mut text = Vec::new();
        // What it says is one short line, and its end is there already or about to be.
        let read = answer.take(HELPER_ORDER_BYTES_MAX as u64).read_to_end(&mut text);
        match read.ok().and_then(|_| serde_json::from_slice::<Refused>(&text).ok()) {
            Some(refused) => {
                report(&Report::Refused(refused));
                // Its exit status says nothing more.
                self.told_end = true;
            }
            None => report(&Report::Began(Pid::as_raw(Some(self.kin.program())))),
        }
    }
}

/// Empties a socket; whether anything was in it.
fn read_all(from: &mut UnixStream) -> bool {
    let mut any = false;
    while matches!(from.read(&mut [0; 64]), Ok(1..)) {
        any = true;
    }
    any
}

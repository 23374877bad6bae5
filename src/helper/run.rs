//! One run of a helper, as the supervisor sees it: its guardian, the three pipes to it, and what comes
//! out of them. Nothing here waits, but for a process that has already ended.

use super::guard::Guardian;
use super::life::Outcome;
use super::order::{End, FORM, Order, Refused, Report, STOP, Step};
use super::pass::Pass;
use super::sweep::sweep;
use crate::config::Secret;
use crate::limits::{HELPER_FAREWELL, HELPER_HELLO_MAX, HELPER_LOG_PAUSE, HELPER_ORDER_BYTES_MAX};
use crate::moment::Moment;
use rustix::io::{Errno, ioctl_fionbio};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Stdio};
use std::time::Duration;

/// What is read at once.
const READ_BYTES: usize = 64 * 1024;

/// A guardian and what it guards.
pub struct Run {
    guardian: Child,
    /// What is still to be written to it, and the pipe whose end tells it that the server is gone.
    unsent: Vec<u8>,
    orders: Option<ChildStdin>,
    reports: ChildStdout,
    /// A report that has not come whole.
    report: Vec<u8>,
    log: ChildStderr,
    /// A log that fills whole buffers is not read before this.
    log_rests_until: Moment,
    /// What the processes of this run are known by.
    mark: Secret,
    /// What lets it publish. Its end takes the leave with it.
    pass: Option<Pass>,
    hello_until: Option<Moment>,
    patience: Duration,
    stop_asked: Option<Moment>,
    pid: Option<i32>,
    outcome: Option<Outcome>,
}

/// What came of looking at a run.
#[derive(Debug, PartialEq, Eq)]
pub enum News {
    /// The program runs.
    Began,
    /// Nothing of it is left.
    Gone(Outcome),
}

impl Run {
    /// Starts a guardian with this order.
    ///
    /// # Errors
    /// If the guardian cannot be started.
    pub fn start(
        guardian: &Guardian,
        order: &Order,
        mark: Secret,
        pass: Option<Pass>,
        now: Moment,
    ) -> io::Result<Self> {
        let mut unsent = serde_json::to_vec(order)?;
        unsent.push(b'\n');
        let mut child = guardian
            .command()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (Some(orders), Some(reports), Some(log)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        for pipe in [orders.as_fd(), reports.as_fd(), log.as_fd()] {
            ioctl_fionbio(pipe, true)?;
        }
        Ok(Self {
            guardian: child,
            unsent,
            orders: Some(orders),
            reports,
            report: Vec::new(),
            log,
            log_rests_until: now,
            mark,
            pass,
            hello_until: Some(now + HELPER_HELLO_MAX),
            patience: Duration::from_millis(order.patience_ms),
            stop_asked: None,
            pid: None,
            outcome: None,
        })
    }

    /// The program's process, once it runs.
    pub fn pid(&self) -> Option<i32> {
        self.pid
    }

    /// What must not be shown of it.
    pub fn secrets(&self) -> Vec<Secret> {
        self.pass.iter().map(|pass| pass.secret().clone()).collect()
    }

    /// Asks the program to end.
    pub fn stop(&mut self, now: Moment) {
        if self.stop_asked.is_none() {
            self.stop_asked = Some(now);
            self.unsent.extend_from_slice(STOP);
            self.send();
        }
    }

    /// When it should have ended and is no longer waited for, if it was asked to end.
    pub fn overdue(&self) -> Option<Moment> {
        self.stop_asked.map(|asked| asked + self.patience + HELPER_FAREWELL)
    }

    /// When it must be looked at, even if nothing comes.
    pub fn deadline(&self, now: Moment) -> Option<Moment> {
        let log = (self.log_rests_until > now).then_some(self.log_rests_until);
        [log, self.hello_until].into_iter().flatten().min()
    }

    /// Where reports come from.
    pub fn reports(&self) -> BorrowedFd<'_> {
        self.reports.as_fd()
    }

    /// Where its log comes from, unless that rests.
    pub fn log(&self, now: Moment) -> Option<BorrowedFd<'_>> {
        (self.log_rests_until <= now).then(|| self.log.as_fd())
    }

    /// Where it has to be written to.
    pub fn unsent(&self) -> Option<BorrowedFd<'_>> {
        let orders = self.orders.as_ref().filter(|_| !self.unsent.is_empty());
        orders.map(AsFd::as_fd)
    }

    /// Writes what there is room for.
    pub fn send(&mut self) {
        while let Some(orders) = self.orders.as_mut().filter(|_| !self.unsent.is_empty()) {
            match orders.write(&self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // It is gone; its reports end too, and say so.
                Err(_) => self.unsent.clear(),
            }
        }
    }

    /// Reads the log, a buffer at most, and hands it to `feed`. Returns whether there was anything.
    pub fn read_log(&mut self, now: Moment, feed: impl FnOnce(&[u8])) -> bool {
        let mut buffer = vec![0; READ_BYTES];
        match self.log.read(&mut buffer) {
            Ok(count @ 1..) => {
                if count == READ_BYTES {
                    self.log_rests_until = now + HELPER_LOG_PAUSE;
                }
                feed(&buffer[..count]);
                true
            }
            // Its writers are gone, or were never there: there is nothing to wake up for.
            Ok(0) => {
                self.log_rests_until = now + Duration::from_millis(250);
                false
            }
            Err(_) => false,
        }
    }

    /// Reads reports, and judges how long the guardian has been silent.
    pub fn look(&mut self, now: Moment) -> Option<News> {
        let mut buffer = [0; 1024];
        loop {
            match self.reports.read(&mut buffer) {
                Ok(0) => return Some(News::Gone(self.over())),
                Ok(count) => self.report.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
            if let Some(news) = self.hear() {
                return Some(news);
            }
            if self.report.len() > HELPER_ORDER_BYTES_MAX {
                return Some(News::Gone(self.disown("it talks without end".into())));
            }
        }
        if self.hello_until.is_some_and(|until| now >= until) {
            return Some(News::Gone(self.disown("it says nothing".into())));
        }
        None
    }

    /// Takes up whole reports.
    fn hear(&mut self) -> Option<News> {
        let mut began = None;
        while let Some(end) = self.report.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.report.drain(..=end).collect();
            match serde_json::from_slice::<Report>(&line) {
                Ok(Report::Hello(FORM)) => self.hello_until = None,
                Ok(Report::Began(pid)) if self.hello_until.is_none() => {
                    self.pid = Some(pid);
                    began = Some(News::Began);
                }
                Ok(Report::Refused(refused)) => self.outcome = Some(Outcome::Refused(refused)),
                Ok(Report::Ended(end)) => self.outcome = Some(Outcome::Ended(end)),
                Ok(_) => return Some(News::Gone(self.disown("it is of another version".into()))),
                Err(_) => return Some(News::Gone(self.disown("it talks of other things".into()))),
            }
        }
        began
    }

    /// The guardian has ended.
    fn over(&mut self) -> Outcome {
        if self.hello_until.is_some() && !self.ends_soon() {
            // Whatever it is, it lives, and nobody waits for it.
            return self.disown("it closed its output".into());
        }
        let status = self.guardian.wait();
        if self.hello_until.is_some() {
            let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
            return no_guardian(&format!("it ended without a word ({how})"));
        }
        match self.outcome.take() {
            // What it saw the end of, it has cleaned up; an end that it did not report was its own.
            Some(outcome) if status.is_ok_and(|status| status.success()) => outcome,
            _ => {
                let killed = sweep(self.mark.reveal());
                tracing::warn!(
                    killed,
                    "a helper's guardian was killed; what it left was killed too"
                );
                Outcome::Ended(End::Unknown)
            }
        }
    }

    /// This is no guardian, whatever it is.
    /// Whether the guardian's process ends, as it does once its output is closed. What is none may live on.
    fn ends_soon(&mut self) -> bool {
        (0..20).any(|_| {
            let ended = !matches!(self.guardian.try_wait(), Ok(None));
            if !ended {
                std::thread::sleep(Duration::from_millis(5));
            }
            ended
        })
    }

    fn disown(&mut self, why: String) -> Outcome {
        // It may have ended by itself.
        let _ = self.guardian.kill();
        let _ = self.guardian.wait();
        no_guardian(&why)
    }
}

fn no_guardian(why: &str) -> Outcome {
    Outcome::Guardian(format!(
        "the program given as guardian is none: {why}; its main must begin with \
         millstream::helper::serve_if_asked"
    ))
}

/// What it means that a guardian could not be started.
pub fn not_started(guardian: &Guardian, error: &io::Error) -> Outcome {
    match Errno::from_io_error(error) {
        Some(Errno::NOENT | Errno::ACCESS) | None => {
            let program = guardian.program().display();
            Outcome::Guardian(format!("the guardian {program} cannot be started: {error}"))
        }
        Some(errno) => {
            Outcome::Refused(Refused { step: Step::Process, errno: errno.raw_os_error() })
        }
    }
}

//! Ctrl-C: the first time it ends the run, which reports what it has; the second time the program,
//! with the server that it started.

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

/// The exit code of a program that was interrupted, as shells have it: 128 and the signal.
const INTERRUPTED: i32 = 130;

/// Whether somebody wants the run to end.
#[derive(Clone, Debug, Default)]
pub(super) struct Stop {
    wanted: Arc<AtomicBool>,
    /// The process of the server that was started; 0 if none was.
    server: Arc<AtomicI32>,
}

impl Stop {
    /// Listens to SIGINT and SIGTERM from now on.
    ///
    /// # Errors
    /// If the system refuses.
    pub(super) fn on_signals() -> io::Result<Self> {
        let stop = Self::default();
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        let heard = stop.clone();
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for _ in signals.forever() {
                if heard.wanted.swap(true, Ordering::Relaxed) {
                    heard.end_at_once();
                }
            }
        })?;
        Ok(stop)
    }

    /// The server that shall not be left alone.
    pub(super) fn watch_over(&self, server: u32) {
        self.server.store(i32::try_from(server).unwrap_or(0), Ordering::Relaxed);
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }

    fn end_at_once(&self) {
        if let Some(server) = Pid::from_raw(self.server.load(Ordering::Relaxed)) {
            // It may have ended by itself.
            let _ = kill_process(server, Signal::TERM);
        }
        std::process::exit(INTERRUPTED);
    }
}

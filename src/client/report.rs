//! Where and how often figures are shown while a command runs: a line or a panel on standard error, or
//! objects on standard output. What they are stands in `snapshot`.

use super::monitor::Monitor;
use super::snapshot::{Moved, Snapshot, UplinkFigures};
use crate::cli::ShowArgs;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// How often a terminal is written anew.
const ON_TERMINAL: Duration = Duration::from_millis(500);
/// How often figures go to a file or a program.
const ELSEWHERE: Duration = Duration::from_secs(1);

pub(super) struct Report {
    command: &'static str,
    form: Form,
    every: Duration,
    began: Instant,
    last: Instant,
    /// What had moved at the last report.
    bytes: u64,
    pictures: u64,
    /// Rows of the panel on the terminal.
    rows: usize,
    unread: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Nothing,
    Line,
    Panel { terminal: bool },
    Json,
}

impl Report {
    pub(super) fn new(command: &'static str, args: &ShowArgs) -> Self {
        let terminal = io::stderr().is_terminal();
        let form = match (args.json, args.stats) {
            (true, _) => Form::Json,
            (false, true) => Form::Panel { terminal },
            (false, false) if terminal => Form::Line,
            (false, false) => Form::Nothing,
        };
        let every = match form {
            Form::Line | Form::Panel { terminal: true } => ON_TERMINAL,
            _ => ELSEWHERE,
        };
        let now = Instant::now();
        Self {
            command,
            form,
            every,
            began: now,
            last: now,
            bytes: 0,
            pictures: 0,
            rows: 0,
            unread: false,
        }
    }

    /// Shows the figures, if it is time.
    pub(super) fn show(
        &mut self,
        monitor: &Monitor,
        uplink: impl FnOnce() -> Option<UplinkFigures>,
    ) {
        let time = self.last.elapsed();
        if self.form == Form::Nothing || time < self.every {
            return;
        }
        let moved = Moved {
            time,
            bytes: monitor.bytes.saturating_sub(self.bytes),
            pictures: monitor.video.frames.saturating_sub(self.pictures),
        };
        (self.last, self.bytes) = (Instant::now(), monitor.bytes);
        self.pictures = monitor.video.frames;
        let snapshot = Snapshot::new(self.command, monitor, uplink(), moved);
        self.write(&snapshot);
    }

    /// Whether the program that read our objects has gone: it has had enough, and so have we.
    pub(super) fn is_unread(&self) -> bool {
        self.unread
    }

    /// Takes the line away, or shows the figures of the whole run.
    pub(super) fn end(&mut self, monitor: &Monitor, uplink: Option<UplinkFigures>) {
        let time = monitor.first.unwrap_or(self.began).elapsed();
        let moved = Moved { time, bytes: monitor.bytes, pictures: monitor.video.frames };
        let mut snapshot = Snapshot::new(self.command, monitor, uplink, moved);
        snapshot.ended = true;
        match self.form {
            Form::Line => show(&mut io::stderr(), "\r\x1b[K"),
            _ => self.write(&snapshot),
        }
    }

    fn write(&mut self, snapshot: &Snapshot) {
        match self.form {
            Form::Nothing => {}
            Form::Line => show(&mut io::stderr(), &format!("\r\x1b[K{}", snapshot.line())),
            Form::Panel { terminal } => {
                let rows = snapshot.panel();
                let mut text = String::new();
                if terminal && self.rows > 0 {
                    // Back to the first row, and all below it away.
                    text.push_str(&format!("\x1b[{}A\x1b[J", self.rows));
                }
                for row in &rows {
                    text.push_str(row);
                    text.push('\n');
                }
                if !terminal {
                    text.push('\n');
                }
                self.rows = rows.len();
                show(&mut io::stderr(), &text);
            }
            Form::Json => {
                let object = serde_json::to_string(snapshot)
                    .expect("a struct of numbers and texts has a form in JSON");
                let mut out = io::stdout();
                let written = writeln!(out, "{object}").and_then(|()| out.flush());
                let gone = |error: io::Error| error.kind() == io::ErrorKind::BrokenPipe;
                self.unread |= written.is_err_and(gone);
            }
        }
    }
}

/// Figures that cannot be written are no reason to end a stream.
fn show(to: &mut impl Write, text: &str) {
    let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
}

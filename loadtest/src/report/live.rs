//! What is seen while a run goes on: a bar on a terminal, a line for each sample elsewhere.
//!
//! On a terminal the bar shares the screen with what else is printed, folds to its width, and is
//! gone at the end. Elsewhere (a file, a pipe, a build server) there are no escape codes at all.

use super::{build, figures};
use crate::account::record::{Moment, Observer};
use crate::account::times::Times;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fmt;
use std::io::{self, IsTerminal as _, Write};
use std::time::Duration;

/// The bar, what is wrong in red, and the figures in what is left of the line.
const TEMPLATE: &str = "{bar:10} {prefix:.red.bold}{wide_msg}";
/// A bar counts whole numbers: tenths of a second.
const TICKS_PER_SECOND: f64 = 10.0;

/// Shows a run while it goes on.
pub struct Live {
    shown: Shown,
    faults: u64,
    phase: String,
}

enum Shown {
    Bar(ProgressBar),
    Lines(Box<dyn Write + Send>),
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("faults", &self.faults).finish_non_exhaustive()
    }
}

impl Live {
    /// On standard error, for a run planned to take so long: as a bar if it is a terminal.
    pub fn on_stderr(planned: Duration) -> Self {
        if io::stderr().is_terminal() {
            Self::bar(planned, ProgressDrawTarget::stderr())
        } else {
            Self::lines(Box::new(io::stderr()))
        }
    }

    /// As a bar.
    pub fn bar(planned: Duration, target: ProgressDrawTarget) -> Self {
        let bar = ProgressBar::with_draw_target(Some(ticks(planned.as_secs_f64())), target);
        let style = ProgressStyle::with_template(TEMPLATE)
            .expect("the template is a constant, and a test draws it")
            .progress_chars("━╸─");
        bar.set_style(style);
        Self { shown: Shown::Bar(bar), faults: 0, phase: String::new() }
    }

    /// As lines.
    pub fn lines(out: Box<dyn Write + Send>) -> Self {
        Self { shown: Shown::Lines(out), faults: 0, phase: String::new() }
    }

    /// Takes the bar away.
    pub fn finish(self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }

    fn show(&mut self, text: &str) {
        let faults = match self.faults {
            0 => String::new(),
            faults => format!("{faults} at fault"),
        };
        match &mut self.shown {
            Shown::Bar(bar) => {
                bar.set_prefix(faults);
                bar.set_message(text.to_owned());
            }
            Shown::Lines(out) => {
                let gap = if faults.is_empty() { "" } else { "  " };
                // Nobody reads it: the report still counts.
                drop(writeln!(out, "{text}{gap}{faults}"));
            }
        }
    }
}

impl Observer for Live {
    fn moment(&mut self, moment: &Moment, _: &Times) {
        self.faults = self.faults.saturating_add(moment.faults);
        if let Shown::Bar(bar) = &self.shown {
            // Joining may have taken longer than planned.
            let now = ticks(moment.at_s);
            bar.set_length(bar.length().unwrap_or(0).max(now));
            bar.set_position(now);
        }
        self.show(&line(&build::moment(moment)));
    }

    fn phase(&mut self, what: &str) {
        if self.phase != what {
            what.clone_into(&mut self.phase);
            self.show(what);
        }
    }
}

fn ticks(seconds: f64) -> u64 {
    (seconds * TICKS_PER_SECOND) as u64
}

/// The figures of a sample in one line, the main ones within the 80 columns of a narrow terminal;
/// what was not measured is not mentioned.
fn line(moment: &figures::Moment) -> String {
    let figures::Moment { at_s, playing, wanted, mbit_s, video, .. } = moment;
    let mut line = format!("{at_s:6.1} s");
    if *wanted > 0 || *playing > 0 {
        line += &format!("  {playing}/{wanted} players  {mbit_s:.0} Mbit/s");
    } else {
        line += &format!("  {} publishers", moment.publishing);
    }
    if video.count > 0 {
        line += &format!("  p50 {:.1} p99 {:.1} ms", video.p50, video.p99);
    }
    line += &format!("  own {:.0} %", moment.own_core * 100.0);
    if let Some(cores) = moment.server_cores {
        line += &format!("  server {:.0} %", cores * 100.0);
    }
    if let Some(window) = moment.window_ms {
        line += &format!("  window {window} ms");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn without_a_terminal_each_sample_is_a_plain_line() {
        let out = Shared::default();
        let mut live = Live::lines(Box::new(out.clone()));
        live.phase("joining");
        live.phase("joining");
        let record = samples::rough();
        record.moments.iter().for_each(|moment| live.moment(moment, &Times::default()));
        live.finish();
        let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), record.moments.len() + 1, "{text}");
        assert!(text.starts_with("joining\n") && !text.contains(['\x1b', '\r']), "{text}");
        assert!(text.contains("players  ") && text.contains("p99 "), "{text}");
        assert!(text.lines().last().unwrap().ends_with("  4 at fault"), "{text}");
    }

    #[test]
    fn the_bar_is_drawn_and_follows_a_run_that_takes_longer() {
        let mut live = Live::bar(Duration::from_secs(10), ProgressDrawTarget::hidden());
        live.phase("joining");
        live.moment(&Moment { at_s: 25.0, seconds: 1.0, ..Moment::default() }, &Times::default());
        let Shown::Bar(bar) = &live.shown else { panic!("a bar was asked for") };
        assert_eq!((bar.position(), bar.length()), (250, Some(250)));
        assert!(bar.message().contains("25.0 s"), "{}", bar.message());
        live.finish();
    }
}

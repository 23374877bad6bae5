//! The last lines of what a helper wrote: bounded in number and length, secrets masked, control
//! characters gone. Reading them from somewhere is done elsewhere.

use super::mask::masked;
use crate::config::Secret;
use crate::limits::HELPER_LINE_BYTES_MAX;
use serde::{Serialize, Serializer};
use std::collections::VecDeque;
use std::sync::Arc;

/// What is kept of a line until it ends. Longer than what is shown, so that a secret at the end of
/// that is seen whole, and masked.
const LINE_BYTES_KEPT: usize = 4 * HELPER_LINE_BYTES_MAX;

/// What is taken off the end of a line that was cut, where half a secret could stand.
const CUT_BYTES: usize = 128;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// When it was written, in milliseconds of Unix time.
    pub unix_ms: u64,
    /// What it says.
    #[serde(serialize_with = "as_text")]
    pub text: Arc<str>,
}

fn as_text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

/// The last lines.
#[derive(Debug, Default)]
pub struct Tail {
    lines: VecDeque<Line>,
    lines_max: usize,
    /// A line that has not ended.
    open: Vec<u8>,
    /// Whether more of it came than is kept.
    cut: bool,
    /// Whether the newest line ended with a carriage return alone: the next one is written over it, as
    /// on a terminal. Programs show their progress so.
    overwritten: bool,
}

impl Tail {
    /// An empty tail for so many lines.
    pub fn new(lines_max: usize) -> Self {
        Self { lines_max, ..Self::default() }
    }

    /// The lines, oldest first.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter()
    }

    /// Takes up what was written.
    pub fn feed(&mut self, bytes: &[u8], secrets: &[Secret], unix_ms: u64) {
        for part in bytes.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
            let (text, end) = match part.split_last() {
                Some((end @ (b'\n' | b'\r'), text)) => (text, Some(*end)),
                _ => (part, None),
            };
            let room = LINE_BYTES_KEPT - self.open.len();
            self.cut |= text.len() > room;
            self.open.extend_from_slice(&text[..text.len().min(room)]);
            if let Some(end) = end {
                self.end_line(secrets, unix_ms);
                self.overwritten = end == b'\r' && !self.lines.is_empty();
            }
        }
    }

    /// Ends a line that its writer did not end.
    pub fn finish(&mut self, secrets: &[Secret], unix_ms: u64) {
        self.end_line(secrets, unix_ms);
        self.overwritten = false;
    }

    fn end_line(&mut self, secrets: &[Secret], unix_ms: u64) {
        if std::mem::take(&mut self.cut) {
            self.open.truncate(LINE_BYTES_KEPT - CUT_BYTES);
        }
        let text = String::from_utf8_lossy(&self.open);
        let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.open.clear();
        let mut shown = masked(plain.trim_end(), secrets);
        if shown.len() > HELPER_LINE_BYTES_MAX {
            let mut end = HELPER_LINE_BYTES_MAX;
            while !shown.is_char_boundary(end) {
                end -= 1;
            }
            shown.truncate(end);
            shown.push('\u{2026}');
        }
        // The line feed behind a carriage return, or an empty line.
        if shown.is_empty() || self.lines_max == 0 {
            return;
        }
        if self.overwritten || self.lines.len() >= self.lines_max {
            if self.overwritten {
                self.lines.pop_back()
            } else {
                self.lines.pop_front()
            };
        }
        self.lines.push_back(Line { unix_ms, text: shown.into() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(tail: &Tail) -> Vec<String> {
        tail.lines().map(|line| line.text.to_string()).collect()
    }

    fn fed(lines_max: usize, parts: &[&[u8]]) -> Tail {
        let mut tail = Tail::new(lines_max);
        for part in parts {
            tail.feed(part, &[Secret::new("s3cret")], 5);
        }
        tail
    }

    #[test]
    fn the_last_lines_stay() {
        let mut tail = fed(2, &[b"one\ntw", b"o\r\n\n", b"three\n", b"fo"]);
        assert_eq!(texts(&tail), ["two", "three"]);
        tail.finish(&[], 6);
        assert_eq!(texts(&tail), ["three", "fo"]);
        assert_eq!(texts(&fed(0, &[b"one\n"])), [""; 0]);
    }

    #[test]
    fn progress_is_written_over() {
        let tail = fed(9, &[b"begin\n", b"frame=1\rframe=2\r", b"frame=3\rend\n", b"more\n"]);
        assert_eq!(texts(&tail), ["begin", "end", "more"]);
    }

    #[test]
    fn secrets_and_control_characters_do_not_pass() {
        let tail = fed(9, &[b"to rtmp://h/a?key=s3", b"cret now\n", b"\x1b[31mred\xff s3cret\n"]);
        assert_eq!(texts(&tail), ["to rtmp://h/a?key=*** now", " [31mred\u{fffd} ***"]);
    }

    proptest! {
        #[test]
        fn nothing_grows_and_nothing_panics(parts in prop::collection::vec(
            prop::collection::vec(prop::sample::select(b"\n\r a\xc3\xa4s3cret".to_vec()), 0..3000), 0..20,
        )) {
            let mut tail = Tail::new(3);
            for part in &parts {
                tail.feed(part, &[Secret::new("s3cret")], 0);
                prop_assert!(tail.open.len() <= LINE_BYTES_KEPT);
            }
            prop_assert!(tail.lines.len() <= 3);
            for line in tail.lines() {
                prop_assert!(line.text.len() <= HELPER_LINE_BYTES_MAX + 3);
                prop_assert!(!line.text.contains("s3cret"));
            }
        }
    }
}

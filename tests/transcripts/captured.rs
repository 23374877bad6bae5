//! Captures of the server as transcripts, for the tests that hold programs to one.

use crate::transcript::transcript;
use millstream::capture::format::{CaptureReader, Direction, Entry, MAGIC};
use std::fs;
use std::path::Path;

/// The transcript of what a client sent over a captured connection.
pub fn of_capture(file: &Path) -> String {
    let capture = fs::read(file).unwrap();
    let mut reader = CaptureReader::after_magic(capture.strip_prefix(&MAGIC[..]).unwrap()).unwrap();
    let mut all = Vec::new();
    while let Some(entry) = reader.read().unwrap() {
        match entry {
            Entry::Bytes { direction: Direction::In, bytes, .. } => all.extend(bytes),
            Entry::Bytes { .. } | Entry::End { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    transcript(&all)
}

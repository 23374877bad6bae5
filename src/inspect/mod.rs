//! `millstream inspect`: the messages of a capture or a bare dump, and the first offence in it.
//!
//! ```text
//!   file -> input (pieces of bytes) -> side (messages) -> meaning -> text | json
//! ```
//! An offence is what this server would end a connection for, by the same name as in its log:
//! chunks, control messages and commands that cannot be read. Media headers and data that cannot be
//! read are shown as such and passed, as the server passes them on. What is held is one piece, and
//! the unfinished messages within the server's own limits.

mod input;
mod json;
mod meaning;
mod side;
mod text;

use crate::capture::format::{Direction, FormatError};
use crate::cli::InspectArgs;
use input::{Input, Item};
use side::{Found, Offence, Side};
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufWriter, Write};
use std::path::PathBuf;

/// Why an inspection failed.
#[derive(Debug)]
pub enum InspectError {
    /// The file cannot be read.
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is a damaged capture.
    Format {
        /// The file.
        path: PathBuf,
        /// Where and how.
        source: FormatError,
    },
    /// The connection breaks the protocol; what and where has been listed.
    Offence {
        /// The offence's name.
        name: &'static str,
        /// The line that tells it.
        line: String,
    },
    /// The list cannot be written.
    Output(io::Error),
}

impl fmt::Display for InspectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, source } => write!(f, "{}: {source}", path.display()),
            Self::Format { path, source } => write!(f, "{}: {source}", path.display()),
            Self::Offence { line, .. } => f.write_str(line),
            Self::Output(source) => write!(f, "the list cannot be written: {source}"),
        }
    }
}

impl std::error::Error for InspectError {}

/// One message, and where it was found.
struct Listed<'a> {
    /// Seconds since the capture began; none in a bare dump.
    time_us: Option<u64>,
    direction: Option<Direction>,
    found: &'a Found,
}

/// How the list is written.
trait Lister {
    fn begin(&self, input: &Input, out: &mut dyn Write) -> io::Result<()>;
    fn message(&self, listed: &Listed<'_>, out: &mut dyn Write) -> io::Result<()>;
    fn note(&self, note: &str, out: &mut dyn Write) -> io::Result<()>;
    fn offence(
        &self,
        direction: Option<Direction>,
        offence: &Offence,
        out: &mut dyn Write,
    ) -> io::Result<()>;
}

/// Lists a file on standard output. With `--step`, waits for Enter on standard input.
///
/// # Errors
/// [`InspectError`], an offence in the file among them. The exit code is 1 for all.
pub fn inspect(args: &InspectArgs) -> Result<(), InspectError> {
    let listed = list(args, &mut BufWriter::new(io::stdout().lock()));
    match listed {
        // Whoever reads the list has seen enough.
        Err(InspectError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

fn list(args: &InspectArgs, out: &mut dyn Write) -> Result<(), InspectError> {
    let failed = |source| InspectError::File { path: args.file.clone(), source };
    let damaged = |source| InspectError::Format { path: args.file.clone(), source };
    let file = File::open(&args.file).map_err(failed)?;
    let mut input = Input::open(file).map_err(damaged)?;
    let (json, text) = (json::Json { bytes: args.bytes }, text::Text { bytes: args.bytes });
    let lister: &dyn Lister = if args.json { &json } else { &text };
    let mut sides = [Side::new(input.has_handshake()), Side::new(input.has_handshake())];
    lister.begin(&input, out).map_err(InspectError::Output)?;
    let mut first: Option<InspectError> = None;
    loop {
        let item = match input.next() {
            Ok(Some(item)) => item,
            Ok(None) => break,
            Err(error) => {
                out.flush().map_err(InspectError::Output)?;
                return Err(first.unwrap_or_else(|| damaged(error)));
            }
        };
        match item {
            Item::Bytes { direction, time_us, bytes } => {
                let side = &mut sides[direction.unwrap_or(Direction::In) as usize];
                let mut rest = &bytes[..];
                loop {
                    match side.read(&mut rest) {
                        Ok(Some(found)) => {
                            let listed = Listed { time_us, direction, found: &found };
                            lister.message(&listed, out).map_err(InspectError::Output)?;
                            if args.step && !step(out).map_err(InspectError::Output)? {
                                return Ok(());
                            }
                        }
                        Ok(None) => break,
                        Err(offence) => {
                            lister
                                .offence(direction, &offence, out)
                                .map_err(InspectError::Output)?;
                            first.get_or_insert(told(direction, &offence));
                            break;
                        }
                    }
                }
            }
            Item::Gap { direction, bytes } => {
                sides[direction as usize].stop();
                let note = format!(
                    "{bytes} bytes {} are missing here; this direction cannot be read on",
                    direction.name()
                );
                lister.note(&note, out).map_err(InspectError::Output)?;
            }
            Item::Note(note) => lister.note(&note, out).map_err(InspectError::Output)?,
        }
    }
    for (side, direction) in sides.iter().zip([Direction::In, Direction::Out]) {
        let Some(cut) = side.unfinished() else { continue };
        if input.is_capture() {
            // Connections end like that: a viewer leaves while a frame is on its way.
            let note = format!("the bytes {} end here: {cut}", direction.name());
            lister.note(&note, out).map_err(InspectError::Output)?;
        } else {
            lister.offence(None, &cut, out).map_err(InspectError::Output)?;
            first.get_or_insert(told(None, &cut));
        }
    }
    out.flush().map_err(InspectError::Output)?;
    first.map_or(Ok(()), Err)
}

fn told(direction: Option<Direction>, offence: &Offence) -> InspectError {
    let line = match direction {
        Some(direction) => format!("{}, {offence}", direction.name()),
        None => offence.to_string(),
    };
    InspectError::Offence { name: offence.name, line }
}

/// Waits for Enter. False at the end of standard input, or after `q`.
fn step(out: &mut dyn Write) -> io::Result<bool> {
    out.flush()?;
    let mut line = String::new();
    let count = io::stdin().lock().read_line(&mut line)?;
    Ok(count > 0 && line.trim() != "q")
}

#[cfg(test)]
mod tests;

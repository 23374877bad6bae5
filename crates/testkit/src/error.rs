//! The one error of the harness: what went wrong outside the comparison. What differs between
//! two packet lists is [`crate::Mismatch`], not this.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

/// The result of everything in the harness that touches a file or a process.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the harness could not do its work. Shown by `unwrap` in full sentences.
pub enum Error {
    /// A program that the tests need is not installed.
    ToolMissing {
        /// The program, or the path it was expected at.
        tool: String,
    },
    /// A file or socket operation failed.
    Io {
        /// What was being done, and to which path or address.
        doing: String,
        /// The operating system's word on it.
        source: io::Error,
    },
    /// A process was still running at its deadline, and was killed.
    Timeout {
        /// Name given to the process at its start.
        process: String,
        /// How long it was given.
        after: Duration,
        /// The end of what it wrote.
        output: String,
    },
    /// A process ended with a status that was not expected.
    Exit {
        /// Name given to the process at its start.
        process: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it wrote.
        output: String,
    },
    /// A process did not get to the expected point.
    NotReady {
        /// Name given to the process at its start.
        process: String,
        /// What was waited for.
        awaited: &'static str,
        /// The end of what it wrote.
        output: String,
    },
    /// A server has panicked, whether or not it went on.
    Panicked {
        /// Name given to the process at its start.
        process: String,
        /// The end of what it wrote.
        output: String,
    },
    /// A recording could not be parsed.
    Malformed {
        /// The file.
        file: PathBuf,
        /// Byte offset of the first thing that made no sense (0 where there is none).
        offset: usize,
        /// What made no sense.
        reason: &'static str,
    },
}

impl Error {
    /// Wraps an I/O error with what was being done.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ToolMissing { tool } => {
                write!(f, "{tool} is not installed: run tests/install.sh (as root, on Debian 12)")
            }
            Self::Io { doing, source } => write!(f, "{doing}: {source}"),
            Self::Timeout { process, after, output } => {
                write!(f, "{process} was still running after {after:?}; it wrote:\n{output}")
            }
            Self::Exit { process, status, output } => {
                write!(f, "{process} ended with {status}; it wrote:\n{output}")
            }
            Self::NotReady { process, awaited, output } => {
                write!(f, "{process}: waited in vain for {awaited}; it wrote:\n{output}")
            }
            Self::Panicked { process, output } => {
                write!(f, "{process} has panicked; it wrote:\n{output}")
            }
            Self::Malformed { file, offset, reason } => {
                write!(f, "{}: at byte {offset}: {reason}", file.display())
            }
        }
    }
}

// What a failed test prints is this: the advice to run tests/install.sh, and the log of a
// process with its lines intact.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

//! What can keep a comparison from being made.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a comparison, or one run of it, could not be made.
#[derive(Debug)]
pub enum Error {
    /// The system refused something: what was wanted, and why not.
    Io(String, io::Error),
    /// A program that is needed is not there.
    Missing(PathBuf),
    /// What was asked for cannot be: in a sentence.
    Usage(String),
    /// A program did not do what it was started for: its name, and what it did.
    Program(String, String),
    /// Ctrl-C, or a request to end.
    Stopped,
}

impl Error {
    /// For `map_err`: says what was wanted.
    pub fn io(wanted: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let wanted = wanted.into();
        move |error| Self::Io(wanted, error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(wanted, error) => write!(f, "cannot {wanted}: {error}"),
            Self::Missing(path) => write!(f, "{} is missing", path.display()),
            Self::Usage(what) => f.write_str(what),
            Self::Program(name, what) => write!(f, "{name} {what}"),
            Self::Stopped => f.write_str("stopped before its end"),
        }
    }
}

impl std::error::Error for Error {}

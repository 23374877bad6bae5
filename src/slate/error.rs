//! What can be wrong with a slate's file, in words for whoever configured it.

use crate::limits::SLATE_BYTES_MAX;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a file is no slate.
#[derive(Debug)]
pub struct SlateError {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a slate's file.
#[derive(Debug)]
#[non_exhaustive]
pub enum Fault {
    /// It cannot be read.
    Read(io::Error),
    /// It is larger than [`SLATE_BYTES_MAX`].
    TooLarge,
    /// It has no byte.
    Empty,
    /// It does not begin as an FLV does.
    NotFlv,
    /// So many of its bytes belong to no whole tag: it is cut short or damaged.
    Damaged(u64),
    /// It has no video.
    NoVideo,
    /// Its video has no configuration (sequence header) before the first key frame.
    NoConfiguration,
    /// Its video has no key frame.
    NoKeyFrame,
}

impl fmt::Display for SlateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the slate {}: ", self.file.display())?;
        match &self.fault {
            Fault::Read(error) => error.fmt(f),
            Fault::TooLarge => {
                write!(f, "larger than {} MiB, which is the most", SLATE_BYTES_MAX >> 20)
            }
            Fault::Empty => f.write_str("the file is empty"),
            Fault::NotFlv => f.write_str(
                "not an FLV file; `ffmpeg -i FILE -c copy slate.flv` makes one of most others",
            ),
            Fault::Damaged(bytes) => {
                write!(f, "{bytes} of its bytes belong to no whole tag: it is cut or damaged")
            }
            Fault::NoVideo => f.write_str("it has no video"),
            Fault::NoConfiguration => {
                f.write_str("its video has no configuration before the first key frame")
            }
            Fault::NoKeyFrame => f.write_str("its video has no key frame"),
        }
    }
}

impl std::error::Error for SlateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.fault {
            Fault::Read(error) => Some(error),
            _ => None,
        }
    }
}

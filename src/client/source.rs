//! Where the bytes of a film come from: a file, a file that somebody still writes, or a pipe. What they
//! mean is the film's.

use super::error::ClientError;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

/// Bytes read at once.
const PIECE_BYTES: usize = 64 * 1024;

/// Pieces that a pipe may be ahead of the network: enough to be smooth, too few to hold much memory.
const PIECES_AHEAD: usize = 16;

pub(super) struct Source {
    path: PathBuf,
    kind: Kind,
}

enum Kind {
    /// Read to its end, and from the beginning again if wanted.
    File(File),
    /// Read to its end for now.
    Followed { file: File, read: u64 },
    /// Read by a thread of its own, for reading it may wait.
    Pipe(Receiver<io::Result<Vec<u8>>>),
}

/// What reading gave.
pub(super) enum Got {
    Piece(Vec<u8>),
    /// Nothing for now.
    Nothing,
    /// The file has become shorter: whoever writes it has begun anew.
    Anew,
    End,
}

impl Source {
    /// Opens a file, or standard input for the path `-`.
    pub(super) fn open(path: &Path, follow: bool) -> Result<Self, ClientError> {
        let failed = |source| ClientError::File { path: path.to_owned(), source };
        let kind = if path == Path::new("-") {
            Kind::Pipe(read_aside(io::stdin()))
        } else {
            let file = File::open(path).map_err(failed)?;
            match (file.metadata().map_err(failed)?.is_file(), follow) {
                (false, _) => Kind::Pipe(read_aside(file)),
                (true, true) => Kind::Followed { file, read: 0 },
                (true, false) => Kind::File(file),
            }
        };
        Ok(Self { path: path.to_owned(), kind })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is being written while we read, so that its end comes later.
    pub(super) fn is_live(&self) -> bool {
        !matches!(self.kind, Kind::File(_))
    }

    /// Reads what is there. Only a file is waited for, which is short.
    pub(super) fn read(&mut self) -> Result<Got, ClientError> {
        let got = match &mut self.kind {
            Kind::File(file) => read_piece(file).map(|piece| piece.map_or(Got::End, Got::Piece)),
            Kind::Followed { file, read } => read_followed(file, read),
            Kind::Pipe(pieces) => match pieces.try_recv() {
                Ok(piece) => piece.map(Got::Piece),
                Err(TryRecvError::Empty) => Ok(Got::Nothing),
                Err(TryRecvError::Disconnected) => Ok(Got::End),
            },
        };
        got.map_err(|source| ClientError::File { path: self.path.clone(), source })
    }

    /// Goes back to the beginning. A pipe has none.
    pub(super) fn rewind(&mut self) -> Result<(), ClientError> {
        let rewound = match &mut self.kind {
            Kind::File(file) => file.seek(SeekFrom::Start(0)).map(drop),
            Kind::Followed { file, read } => {
                *read = 0;
                file.seek(SeekFrom::Start(0)).map(drop)
            }
            Kind::Pipe(_) => Err(io::ErrorKind::NotSeekable.into()),
        };
        rewound.map_err(|source| ClientError::File { path: self.path.clone(), source })
    }
}

fn read_piece(from: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match from.read(&mut piece) {
            Ok(0) => return Ok(None),
            Ok(count) => {
                piece.truncate(count);
                return Ok(Some(piece));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn read_followed(file: &mut File, read: &mut u64) -> io::Result<Got> {
    if let Some(piece) = read_piece(file)? {
        *read += piece.len() as u64;
        return Ok(Got::Piece(piece));
    }
    let is_shorter = file.metadata()?.len() < *read;
    Ok(if is_shorter { Got::Anew } else { Got::Nothing })
}

/// Reads in a thread. It ends with the pipe, or with the process.
fn read_aside(mut from: impl Read + Send + 'static) -> Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = sync_channel(PIECES_AHEAD);
    std::thread::spawn(move || {
        while let Some(piece) = read_piece(&mut from).transpose() {
            let failed = piece.is_err();
            if sender.send(piece).is_err() || failed {
                return;
            }
        }
    });
    receiver
}

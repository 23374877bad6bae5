//! What is played, as an FLV file: messages become tags as they are, times included.

use super::error::ClientError;
use bytes::BytesMut;
use millstream_flv::{Header, TagKind, Writer};
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Where the header of a file says what is in it (FLV 10.1, E.2).
const FLAGS_AT: u64 = 4;

pub(super) struct Recording {
    path: PathBuf,
    out: Out,
    writer: Writer,
    scratch: BytesMut,
    header: Header,
}

enum Out {
    File(BufWriter<File>),
    Standard(BufWriter<io::Stdout>),
}

impl Recording {
    /// Begins a file, or a stream on standard output for the path `-`.
    pub(super) fn begin(path: &Path) -> Result<Self, ClientError> {
        let failed = |source| ClientError::File { path: path.to_owned(), source };
        let out = if path == Path::new("-") {
            Out::Standard(BufWriter::new(io::stdout()))
        } else {
            Out::File(BufWriter::new(File::create(path).map_err(failed)?))
        };
        let mut recording = Self {
            path: path.to_owned(),
            out,
            writer: Writer::new(),
            scratch: BytesMut::new(),
            header: Header { audio: false, video: false },
        };
        // Which of the two come is known at the end, and a stream cannot be put right then.
        let both = Header { audio: true, video: true };
        recording.writer.header(both, &mut recording.scratch);
        recording.write()?;
        Ok(recording)
    }

    /// Adds a tag.
    pub(super) fn tag(
        &mut self,
        kind: TagKind,
        timestamp: u32,
        payload: &[u8],
    ) -> Result<(), ClientError> {
        self.header.audio |= kind == TagKind::Audio;
        self.header.video |= kind == TagKind::Video;
        self.writer.tag(kind, timestamp, payload, &mut self.scratch).map_err(ClientError::Tag)?;
        self.write()
    }

    /// Hands everything on; viewers of standard output get whole frames soon.
    pub(super) fn flush(&mut self) -> Result<(), ClientError> {
        let flushed = match &mut self.out {
            Out::File(file) => file.flush(),
            Out::Standard(out) => out.flush(),
        };
        self.judge(flushed)
    }

    /// Writes what is left, and into a file's header what came.
    pub(super) fn finish(mut self) -> Result<(), ClientError> {
        self.flush()?;
        let flags = u8::from(self.header.audio) << 2 | u8::from(self.header.video);
        let fixed = match &mut self.out {
            Out::File(file) => {
                let file = file.get_mut();
                // What cannot be put right, such as a pipe with a name, says both.
                match file.seek(SeekFrom::Start(FLAGS_AT)) {
                    Ok(_) => file.write_all(&[flags]),
                    Err(_) => Ok(()),
                }
            }
            Out::Standard(_) => Ok(()),
        };
        self.judge(fixed)
    }

    fn write(&mut self) -> Result<(), ClientError> {
        let written = match &mut self.out {
            Out::File(file) => file.write_all(&self.scratch),
            Out::Standard(out) => out.write_all(&self.scratch),
        };
        self.scratch.clear();
        self.judge(written)
    }

    fn judge(&self, result: io::Result<()>) -> Result<(), ClientError> {
        result.map_err(|source| ClientError::File { path: self.path.clone(), source })
    }
}

//! The thread that writes captures: one file for each connection, each bounded, and a bounded number
//! of them.

use super::Mail;
use super::format::{self, Direction, EXTENSION, FileHeader, RECORD_HEADER_LEN};
use super::mask::Secrets;
use super::scrub::Scrubber;
use crossbeam_channel::{Receiver, RecvTimeoutError};
use std::collections::HashMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Bytes of one file: an hour of half a megabit, which is where a fault in the protocol shows, and
/// nobody's disk.
const FILE_BYTES_MAX: u64 = 256 << 20;
/// Files of one run. A server that is looked into has few connections; one that is forgotten with
/// this on fills no directory.
const FILES_MAX: u64 = 1_000;
/// How long bytes stay in the buffers, so that a capture can be looked at while it grows.
const FLUSH_EVERY: Duration = Duration::from_millis(500);

pub(super) struct Files {
    directory: PathBuf,
    secrets: Arc<Secrets>,
    /// Seconds since 1970 at the start, with which names begin, so that runs stay apart.
    run: u64,
    made: u64,
    open: HashMap<u64, Recorder>,
}

/// One file.
struct Recorder {
    path: PathBuf,
    out: BufWriter<File>,
    began: Instant,
    written: u64,
    /// It has its full length, or cannot be written: what comes is passed over.
    done: bool,
    directions: [Scrubber; 2],
}

impl Files {
    pub(super) fn new(directory: &Path, secrets: Arc<Secrets>) -> io::Result<Self> {
        // Captures hold what was streamed: they are for the user of this process.
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let run = since_1970().as_secs();
        let directory = directory.to_owned();
        Ok(Self { directory, secrets, run, made: 0, open: HashMap::new() })
    }

    /// Writes what comes, until it is told to stop. `waiting` counts the bytes in the inbox.
    pub(super) fn run(&mut self, inbox: &Receiver<Mail>, waiting: &AtomicUsize) {
        let mut flushed = Instant::now();
        loop {
            match inbox.recv_timeout(FLUSH_EVERY) {
                Ok(Mail::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(mail) => {
                    if let Mail::Bytes { bytes, .. } = &mail {
                        waiting.fetch_sub(bytes.len(), Ordering::Relaxed);
                    }
                    self.take(mail);
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            if flushed.elapsed() >= FLUSH_EVERY {
                self.open.values_mut().for_each(Recorder::flush);
                flushed = Instant::now();
            }
        }
        for recorder in self.open.values_mut() {
            recorder.end(Instant::now(), "server-stopped");
        }
        self.open.clear();
    }

    fn take(&mut self, mail: Mail) {
        match mail {
            Mail::Begin { connection, peer } => self.begin(connection, peer),
            Mail::Bytes { connection, direction, at, bytes } => {
                if let Some(recorder) = self.open.get_mut(&connection) {
                    recorder.bytes(direction, at, &bytes);
                }
            }
            Mail::Gap { connection, direction, at, bytes } => {
                if let Some(recorder) = self.open.get_mut(&connection) {
                    recorder.gap(direction, at, bytes);
                }
            }
            Mail::End { connection, at, reason } => {
                if let Some(mut recorder) = self.open.remove(&connection) {
                    recorder.end(at, &reason);
                }
            }
            // The caller's.
            Mail::Stop => {}
        }
    }

    fn begin(&mut self, connection: u64, peer: SocketAddr) {
        if self.made >= FILES_MAX {
            return;
        }
        self.made += 1;
        if self.made == FILES_MAX {
            tracing::warn!(files = FILES_MAX, "this is the last connection that is captured");
        }
        let name = format!("{}-{connection:06}.{EXTENSION}", self.run);
        let path = self.directory.join(name);
        match Recorder::begin(path.clone(), connection, peer, &self.secrets) {
            Ok(recorder) => {
                self.open.insert(connection, recorder);
            }
            Err(error) => {
                tracing::warn!(connection, path = %path.display(), %error, "no capture");
            }
        }
    }
}

impl Recorder {
    fn begin(
        path: PathBuf,
        connection: u64,
        peer: SocketAddr,
        secrets: &Arc<Secrets>,
    ) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let began = Instant::now();
        let began_us = micros(since_1970());
        let header = FileHeader { connection, began_us, peer: peer.to_string() }.encode();
        let directions = [(); 2].map(|()| Scrubber::new(Arc::clone(secrets)));
        let out = BufWriter::with_capacity(64 * 1024, file);
        let mut recorder = Self { path, out, began, written: 0, done: false, directions };
        recorder.write(&[&header]);
        Ok(recorder)
    }

    fn bytes(&mut self, direction: Direction, at: Instant, bytes: &[u8]) {
        let time_us = self.time_us(at);
        self.scrub(direction, |scrubber, write| scrubber.feed(time_us, bytes, write));
    }

    fn gap(&mut self, direction: Direction, at: Instant, bytes: u64) {
        self.scrub(direction, Scrubber::gap);
        let record = format::gap(direction, self.time_us(at), bytes);
        self.write(&[&record]);
    }

    fn end(&mut self, at: Instant, reason: &str) {
        for direction in [Direction::In, Direction::Out] {
            self.scrub(direction, Scrubber::finish);
        }
        let record = format::end(self.time_us(at), reason);
        self.write(&[&record]);
        self.flush();
    }

    /// Writes what comes out of a direction's scrubber.
    fn scrub(
        &mut self,
        direction: Direction,
        run: impl FnOnce(&mut Scrubber, &mut dyn FnMut(u64, &[u8])),
    ) {
        if self.done {
            return;
        }
        let mut clean: Vec<(u64, Vec<u8>)> = Vec::new();
        run(&mut self.directions[direction as usize], &mut |time_us, bytes| {
            clean.push((time_us, bytes.to_vec()));
        });
        for (time_us, bytes) in clean {
            // Pieces are what one read or write took, far below 4 GiB.
            let header = format::bytes_header(direction, time_us, bytes.len() as u32);
            self.write(&[&header, &bytes]);
        }
    }

    /// Writes one record, or ends the file if it does not fit.
    fn write(&mut self, record: &[&[u8]]) {
        if self.done {
            return;
        }
        let length = record.iter().map(|part| part.len() as u64).sum::<u64>();
        if self.written + length + RECORD_HEADER_LEN as u64 > FILE_BYTES_MAX {
            tracing::warn!(path = %self.path.display(), "the capture of this connection is full");
            let record = format::full(self.time_us(Instant::now()));
            let written = self.out.write_all(&record).and_then(|()| self.out.flush());
            self.judge(written);
            self.done = true;
            return;
        }
        self.written += length;
        let written = record.iter().try_for_each(|part| self.out.write_all(part));
        self.judge(written);
    }

    fn flush(&mut self) {
        if !self.done {
            let flushed = self.out.flush();
            self.judge(flushed);
        }
    }

    fn judge(&mut self, result: io::Result<()>) {
        if let Err(error) = result {
            tracing::warn!(path = %self.path.display(), %error, "a capture ends here");
            self.done = true;
        }
    }

    fn time_us(&self, at: Instant) -> u64 {
        micros(at.saturating_duration_since(self.began))
    }
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::format::{CaptureReader, Entry};
    use super::*;

    #[test]
    fn a_file_ends_at_its_full_length_and_says_so() {
        let name = format!("millstream-full-{}.millcap", std::process::id());
        let path = std::env::temp_dir().join(name);
        let secrets = Arc::new(Secrets::new([].iter()));
        let peer = "127.0.0.1:999".parse().unwrap();
        let mut recorder = Recorder::begin(path.clone(), 1, peer, &secrets).unwrap();
        recorder.bytes(Direction::Out, Instant::now(), &[3; 10]);
        recorder.written = FILE_BYTES_MAX - 60;
        recorder.bytes(Direction::Out, Instant::now(), &[0; 10]);
        recorder.bytes(Direction::Out, Instant::now(), &[0; 100]);
        recorder.bytes(Direction::Out, Instant::now(), &[0; 1]);
        recorder.end(Instant::now(), "peer-closed");
        drop(recorder);
        let file = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let mut reader = CaptureReader::after_magic(&file[8..]).unwrap();
        let mut lengths = Vec::new();
        while let Some(entry) = reader.read().unwrap() {
            lengths.push(match entry {
                Entry::Bytes { bytes, .. } => Some(bytes.len()),
                other => {
                    assert_eq!(other, Entry::Full);
                    None
                }
            });
        }
        assert_eq!(lengths, [Some(10), Some(10), None]);
    }
}

//! HdrHistogram interval logs: every sample of a run as histograms, for the tools that read such
//! logs (HistogramLogProcessor, HistogramLogAnalyzer, hdr-plot) and for adding several hosts.
//!
//! ```text
//!   #[Histogram log format version 1.3]
//!   #[StartTime: 1780000000.000 (seconds since epoch)]
//!   "StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"
//!   Tag=video,0.000,1.000,48.063,HISTFAAAA...
//! ```
//!
//! A line for each time in which anything was entered, its tag the time's name. Values are
//! microseconds, the third field milliseconds; tools that scale values want 1000 as their ratio
//! (HistogramLogProcessor: `-outputValueUnitRatio 1000`).

use super::packed;
use crate::account::record::{Moment, Observer};
use crate::account::times::{Time, Times};
use hdrhistogram::Histogram;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes a log.
#[derive(Debug)]
pub struct LogWriter<W: Write> {
    out: W,
    /// The first error; a run goes on without its log, and is told at its end.
    failed: Option<io::Error>,
}

impl LogWriter<BufWriter<File>> {
    /// Begins a log in a file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn create(path: &Path, title: &str, began_unix_ms: u64) -> io::Result<Self> {
        Self::new(BufWriter::new(File::create(path)?), title, began_unix_ms)
    }
}

impl<W: Write> LogWriter<W> {
    /// Begins a log of a run that began then, milliseconds since 1970.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn new(mut out: W, title: &str, began_unix_ms: u64) -> io::Result<Self> {
        let title: String = title.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        // The spaces keep a title from being read as one of the headers.
        writeln!(out, "# {title}")?;
        writeln!(out, "# values in microseconds, interval maxima in milliseconds")?;
        writeln!(out, "#[Histogram log format version 1.3]")?;
        let (seconds, ms) = (began_unix_ms / 1000, began_unix_ms % 1000);
        writeln!(out, "#[StartTime: {seconds}.{ms:03} (seconds since epoch)]")?;
        writeln!(
            out,
            "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\""
        )?;
        out.flush()?;
        Ok(Self { out, failed: None })
    }

    /// Writes one interval: seconds since the beginning, seconds long. Without commas, spaces and
    /// line ends in the tag.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn interval(
        &mut self,
        tag: &str,
        start_s: f64,
        seconds: f64,
        histogram: &Histogram<u64>,
    ) -> io::Result<()> {
        let (start_s, seconds) = (start_s.max(0.0), seconds.max(0.0));
        let max_ms = histogram.max() as f64 / 1000.0;
        let packed = packed::pack(histogram);
        writeln!(self.out, "Tag={tag},{start_s:.3},{seconds:.3},{max_ms:.3},{packed}")
    }

    /// Ends the log.
    ///
    /// # Errors
    /// If any of it could not be written.
    pub fn finish(mut self) -> io::Result<()> {
        self.failed.map_or(Ok(()), Err)?;
        self.out.flush()
    }

    fn sample(&mut self, moment: &Moment, times: &Times) -> io::Result<()> {
        for time in Time::ALL {
            let histogram = times.of(time);
            if !histogram.is_empty() {
                let start_s = moment.at_s - moment.seconds;
                self.interval(time.name(), start_s, moment.seconds, histogram)?;
            }
        }
        // A run that is killed leaves what it had.
        self.out.flush()
    }
}

impl<W: Write + Send> Observer for LogWriter<W> {
    fn moment(&mut self, moment: &Moment, times: &Times) {
        if self.failed.is_none() {
            self.failed = self.sample(moment, times).err();
        }
    }

    fn phase(&mut self, _: &str) {}
}

/// A log that was read. Its histograms stay packed: unpacked, a long log would need gigabytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    /// When it began, seconds since 1970; 0 if it does not say so.
    pub start_unix_s: f64,
    /// Its intervals, in their order.
    pub intervals: Vec<Interval>,
}

/// A line of a log.
#[derive(Clone, Debug, PartialEq)]
pub struct Interval {
    /// What was measured; empty if the line has no tag.
    pub tag: String,
    /// When it began, seconds since 1970, or since the beginning of a log that says none.
    pub start_unix_s: f64,
    /// How long it was, seconds.
    pub seconds: f64,
    packed: String,
}

impl Interval {
    /// What was measured, in microseconds in logs of this program.
    ///
    /// # Errors
    /// If it is no histogram.
    pub fn histogram(&self) -> Result<Histogram<u64>, packed::PackedError> {
        packed::unpack(&self.packed)
    }
}

/// A line is not one of an interval log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogError {
    /// Its number, from 1.
    pub line: usize,
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} is none of an HdrHistogram interval log", self.line)
    }
}

impl std::error::Error for LogError {}

/// No clock shows a later time, in seconds since 1970.
const UNIX_S_MAX: f64 = 1e11;
/// A time stamp so much before the log's own beginning is no time of day, but counted from it.
const YEAR_S: f64 = 31_536_000.0;

/// Reads a log.
///
/// # Errors
/// If it is none.
pub fn read(bytes: &[u8]) -> Result<Log, LogError> {
    let mut log = Log::default();
    let (mut start, mut base) = (None, None);
    for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let error = LogError { line: at + 1 };
        let comment = line.starts_with(b"#") && !line.starts_with(b"#[");
        if comment || line.trim_ascii().is_empty() {
            continue;
        }
        // Line by line: over the whole file, the reader of the library looks for a dot beyond the
        // end of each comment.
        let line = [line, b"\n"].concat();
        let Some(entry) = IntervalLogIterator::new(&line).next() else { continue };
        match entry.map_err(|_| error)? {
            LogEntry::StartTime(time) => start = Some(time.as_secs_f64()),
            LogEntry::BaseTime(time) => base = Some(time.as_secs_f64()),
            LogEntry::Interval(interval) => {
                let stamp = interval.start_timestamp().as_secs_f64();
                let from = match (base, start) {
                    (Some(base), _) => base,
                    (None, Some(start)) if stamp < start - YEAR_S => start,
                    (None, _) => 0.0,
                };
                let (start_unix_s, seconds) = (from + stamp, interval.duration().as_secs_f64());
                if start_unix_s > UNIX_S_MAX || seconds > UNIX_S_MAX {
                    return Err(error);
                }
                log.intervals.push(Interval {
                    tag: interval.tag().map_or("", |tag| tag.as_str()).to_owned(),
                    start_unix_s,
                    seconds,
                    packed: interval.encoded_histogram().to_owned(),
                });
            }
        }
    }
    log.start_unix_s = start.or(base).filter(|start| *start <= UNIX_S_MAX).unwrap_or(0.0);
    Ok(log)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::times::empty;
    use proptest::prelude::*;

    fn written(moments: usize) -> (String, Times) {
        let mut out = Vec::new();
        let mut all = Times::default();
        let mut writer =
            LogWriter::new(&mut out, "a\n#[StartTime: 7.0 x", 1_780_000_000_123).unwrap();
        for at in 0..moments {
            let mut times = Times::default();
            times.enter(Time::Video, (at as u64 + 1) * 1_000_000);
            times.enter(Time::Lag, 40_000);
            all.add(&times);
            let moment = Moment { at_s: at as f64 + 1.0, seconds: 1.0, ..Moment::default() };
            writer.phase("joining");
            writer.moment(&moment, &times);
        }
        writer.finish().unwrap();
        (String::from_utf8(out).unwrap(), all)
    }

    #[test]
    fn what_was_written_is_read_back() {
        let (text, all) = written(5);
        let log = read(text.as_bytes()).unwrap();
        assert!((log.start_unix_s - 1_780_000_000.123).abs() < 1e-6);
        assert_eq!(log.intervals.len(), 10);
        assert_eq!(
            (log.intervals[2].tag.as_str(), log.intervals[3].tag.as_str()),
            ("video", "own-lag")
        );
        assert!((log.intervals[2].start_unix_s - 1_780_000_001.123).abs() < 1e-6);
        let mut video = empty();
        for interval in log.intervals.iter().filter(|interval| interval.tag == "video") {
            video.add(interval.histogram().unwrap()).unwrap();
        }
        assert_eq!(&video, all.of(Time::Video));
    }

    #[test]
    fn lines_look_as_other_tools_want_them() {
        let (text, _) = written(1);
        assert!(text.contains("#[StartTime: 1780000000.123 (seconds since epoch)]\n"), "{text}");
        assert!(text.contains("\nTag=video,0.000,1.000,1.000,HISTFAAAA"), "{text}");
    }

    #[test]
    fn others_logs_are_read() {
        let histogram = packed::pack(&empty());
        let text = format!("#comment\r\n#[BaseTime: 100.5 (x)]\n\n2.000,1.000,3.5,{histogram}\r\n");
        let log = read(text.as_bytes()).unwrap();
        assert_eq!((log.intervals[0].tag.as_str(), log.intervals[0].start_unix_s), ("", 102.5));
        let absolute = format!("#[StartTime: 1780000000.0 (x)]\n1780000002.0,1.0,3.5,{histogram}");
        assert_eq!(read(absolute.as_bytes()).unwrap().intervals[0].start_unix_s, 1_780_000_002.0);
    }

    /// As hdrhistogram 0.10.8 for Python writes it: ten times 250, five times 1,500, once 48,000.
    const OF_PYTHON: &str = "#[Histogram log format version 1.2]\n\
        \"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n\
        1780000001.000000,1.000000,0.000000,\
        HISTFAAAACl4nJNpmSzMwMDAyQABzFCaEURcm7yEwf4DROAzs8hBYa6//kwAjOYHxg==\n";

    #[test]
    fn a_log_of_another_implementation_is_read() {
        let log = read(OF_PYTHON.as_bytes()).unwrap();
        assert_eq!(log.intervals[0].start_unix_s, 1_780_000_001.0);
        let histogram = log.intervals[0].histogram().unwrap();
        let counts = [250, 1500, 48_000].map(|value| histogram.count_at(value));
        assert_eq!((counts, histogram.len()), ([10, 5, 1], 16));
    }

    #[test]
    fn what_is_no_log_is_refused_by_its_line() {
        assert_eq!(read(b"#x\nhello\n"), Err(LogError { line: 2 }));
        assert_eq!(read(b"\xff\xfe\0"), Err(LogError { line: 1 }));
        assert_eq!(read(b"99999999999999.0,1.0,3.5,HIST\n"), Err(LogError { line: 1 }));
        let log = read(b"1.0,1.0,3.5,HIST\n").unwrap();
        assert!(log.intervals[0].histogram().is_err());
    }

    #[test]
    fn a_full_disk_is_told_at_the_end() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                if bytes.starts_with(b"Tag") {
                    Err(io::ErrorKind::StorageFull.into())
                } else {
                    Ok(bytes.len())
                }
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut writer = LogWriter::new(Full, "", 0).unwrap();
        let mut times = Times::default();
        times.enter(Time::Video, 1);
        writer.moment(&Moment::default(), &times);
        writer.moment(&Moment::default(), &times);
        assert_eq!(writer.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn noise_never_panics(bytes: Vec<u8>, line in "(Tag=[a-z]{0,3},)?[0-9.]{0,30},[0-9.]{0,5},[0-9e.]{0,5},[A-Z]{0,9}") {
            let _ = read(&bytes);
            let _ = read(line.as_bytes());
        }
    }
}

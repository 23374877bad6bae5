//! ffmpeg as a publisher that plays a file out in real time, without touching its packets.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::clip;
use crate::error::Result;
use crate::process::{Invocation, Process};
use crate::scratch::Scratch;
use crate::tools;

/// A clip, and as much again for a busy machine.
const LIMIT: Duration = Duration::from_secs(clip::SECONDS as u64 * 2 + 20);

/// Which ffmpeg publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ffmpeg {
    /// The distribution's, which speaks RTMP as of 2009.
    Distribution,
    /// A current one, which announces and sends Enhanced RTMP.
    Current,
}

/// A running publisher.
#[derive(Debug)]
pub struct Publication {
    process: Process,
    progress: PathBuf,
}

impl Publication {
    /// Starts to publish an FLV file at `url`; `name` is for the log.
    pub fn start(
        scratch: &Scratch,
        name: &str,
        ffmpeg: Ffmpeg,
        file: &Path,
        url: &str,
    ) -> Result<Self> {
        let progress = scratch.file(&format!("{name}.progress"));
        let (program, enhanced): (_, &[&str]) = match ffmpeg {
            Ffmpeg::Distribution => (Invocation::tool("ffmpeg")?, &[]),
            Ffmpeg::Current => (
                Invocation::path(tools::current_ffmpeg()?),
                &["-rtmp_enhanced_codecs", "hvc1,av01,vp09,Opus"],
            ),
        };
        let invocation = program
            .args(["-nostdin", "-v", "warning", "-stats_period", "0.1", "-progress"])
            .args([progress.to_string_lossy()])
            .args(["-re", "-i"])
            .args([file.to_string_lossy()])
            .args(["-map", "0", "-c", "copy", "-f", "flv"])
            .args(enhanced.iter().copied())
            .args([url]);
        let process = Process::start(scratch, name, &invocation, LIMIT)?;
        Ok(Self { process, progress })
    }

    /// Waits until media flows: half a second of it was sent. Who joins now joins in the
    /// middle of the first group of pictures.
    pub fn wait_flowing(&mut self) -> Result<()> {
        let progress = &self.progress;
        self.process.wait_until("media to flow", |_| {
            let report = fs::read_to_string(progress).unwrap_or_default();
            let times = report.lines().filter_map(|line| line.strip_prefix("out_time_us="));
            times.filter_map(|time| time.trim().parse::<i64>().ok()).any(|time| time >= 500_000)
        })
    }

    /// Waits until everything was sent and the stream was unpublished.
    pub fn finish(&mut self) -> Result<()> {
        self.process.wait_success()
    }
}

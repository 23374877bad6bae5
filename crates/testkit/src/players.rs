//! Real players that record what they are sent, each in the way that leaves packets alone.
//!
//! | player | how it records | what is compared |
//! | --- | --- | --- |
//! | ffmpeg | stream copy into FLV; it demuxes and muxes again, starting at time 0 | everything |
//! | ffmpeg, listening | the same, being the server | everything |
//! | ffprobe | prints the packets of its demuxer with digests; writes no file | everything |
//! | rtmpdump | writes the messages as FLV tags | everything |
//! | GStreamer | `rtmpsrc` (librtmp) and `rtmp2src` (its own) yield FLV, written as it comes | everything |
//! | VLC | its dump "demuxer" writes what its access module yields, which is FLV | everything |
//! | mpv, dump | writes what its stream layer yields, which is FLV | everything |
//! | mpv, record | plays, and writes the packets of its demuxer to Matroska | see below |
//!
//! VLC's own stream output puts parameter sets into key frames and loses the last few frames of
//! audio, from whatever server: it is no witness, so the dump is used.
//!
//! Matroska stores presentation times only, in decoding order; H.264 and AAC payloads and
//! headers stay as they are in FLV. [`Player::normalise`] reduces a source to what such a
//! recording can show: its decoding times are replaced by its presentation times.

use std::path::PathBuf;
use std::time::Duration;

use crate::clip;
use crate::error::{Error, Result};
use crate::flv;
use crate::packets::Recording;
use crate::probe;
use crate::process::{Invocation, Process};
use crate::scratch::Scratch;
use crate::tools;

/// A clip, start-up included, and half a minute more for a busy machine.
const LIMIT: Duration = Duration::from_secs(clip::SECONDS as u64 + 40);

/// The players.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Player {
    /// The distribution's ffmpeg.
    Ffmpeg,
    /// A current ffmpeg, which knows Enhanced RTMP.
    CurrentFfmpeg,
    /// A current ffmpeg that takes the stream from its publisher without a server between.
    ListeningFfmpeg,
    /// The distribution's ffprobe.
    Ffprobe,
    /// rtmpdump.
    Rtmpdump,
    /// GStreamer's element on top of librtmp.
    GstRtmpsrc,
    /// GStreamer's own RTMP element.
    GstRtmp2src,
    /// VLC.
    Vlc,
    /// mpv, dumping its input.
    MpvDump,
    /// mpv, playing and recording.
    MpvRecord,
}

impl Player {
    /// All players, from a server, of what every server and client speaks: H.264 and AAC.
    pub const ALL: [Self; 9] = [
        Self::Ffmpeg,
        Self::CurrentFfmpeg,
        Self::Ffprobe,
        Self::Rtmpdump,
        Self::GstRtmpsrc,
        Self::GstRtmp2src,
        Self::Vlc,
        Self::MpvDump,
        Self::MpvRecord,
    ];

    /// A name for logs and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ffmpeg => "ffmpeg",
            Self::CurrentFfmpeg => "current-ffmpeg",
            Self::ListeningFfmpeg => "listening-ffmpeg",
            Self::Ffprobe => "ffprobe",
            Self::Rtmpdump => "rtmpdump",
            Self::GstRtmpsrc => "gst-rtmpsrc",
            Self::GstRtmp2src => "gst-rtmp2src",
            Self::Vlc => "vlc",
            Self::MpvDump => "mpv-dump",
            Self::MpvRecord => "mpv-record",
        }
    }

    /// Starts to play `url`. `label` tells several players of one kind apart.
    pub fn start(self, scratch: &Scratch, label: &str, url: &str) -> Result<Playing> {
        let name = format!("{}-{label}", self.name());
        let recording = scratch.file(&format!("{name}.{}", self.extension()));
        let invocation = self.invocation(scratch, &recording.display().to_string(), url)?;
        let process = Process::start(scratch, &name, &invocation, LIMIT)?;
        Ok(Playing { player: self, process, recording })
    }

    /// Reduces a source to what this player's way of recording can show.
    #[must_use]
    pub fn normalise(self, mut recording: Recording) -> Recording {
        if self == Self::MpvRecord {
            for packet in recording.tracks.iter_mut().flat_map(|track| &mut track.packets) {
                packet.dts_ms = packet.pts_ms;
            }
        }
        recording
    }

    fn extension(self) -> &'static str {
        match self {
            Self::Ffprobe => "json",
            Self::MpvRecord => "mkv",
            _ => "flv",
        }
    }

    fn invocation(self, scratch: &Scratch, file: &str, url: &str) -> Result<Invocation> {
        let copy = ["-nostdin", "-v", "warning", "-y", "-i", url, "-map", "0", "-c", "copy", file];
        let gst = |element: &str, location: String| {
            let sink = format!("location={file}");
            Ok(Invocation::tool("gst-launch-1.0")?
                .args(["-q", element, &location, "!", "filesink", &sink])
                // The registry of plugins: written once per home, here shared by the tests.
                .env("GST_REGISTRY_FORK", "no"))
        };
        let mpv = |option: &str| {
            let record = format!("--{option}={file}");
            Ok(Invocation::tool("mpv")?
                .args(["--no-config", "--vo=null", "--ao=null", "--msg-level=all=warn"])
                .args(["--no-terminal", &record, url]))
        };
        match self {
            Self::Ffmpeg => Ok(Invocation::tool("ffmpeg")?.args(copy)),
            Self::CurrentFfmpeg => Ok(Invocation::path(tools::current_ffmpeg()?).args(copy)),
            Self::ListeningFfmpeg => Ok(Invocation::path(tools::current_ffmpeg()?)
                .args(["-f", "flv", "-listen", "1"])
                .args(copy)),
            Self::Ffprobe => probe(url, file),
            Self::Rtmpdump => Ok(Invocation::tool("rtmpdump")?.args(["-v", "-r", url, "-o", file])),
            Self::GstRtmpsrc => gst("rtmpsrc", format!("location={url} live=1")),
            Self::GstRtmp2src => gst("rtmp2src", format!("location={url}")),
            Self::Vlc => {
                let dump = format!("--demuxdump-file={file}");
                // VLC refuses to run as root.
                Ok(Invocation::tool("cvlc")?
                    .args(["--play-and-exit", "--demux", "dump", &dump, url])
                    .env("HOME", scratch.path().display().to_string())
                    .unprivileged())
            }
            Self::MpvDump => mpv("stream-dump"),
            Self::MpvRecord => mpv("stream-record"),
        }
    }
}

/// ffprobe's command line for an input, its report going to a file.
fn probe(input: &str, report: &str) -> Result<Invocation> {
    let format = [probe::FORMAT, "-o", report, input];
    Ok(Invocation::tool("ffprobe")?.args(probe::ARGS).args(format))
}

/// A player at work.
#[derive(Debug)]
pub struct Playing {
    player: Player,
    process: Process,
    recording: PathBuf,
}

impl Playing {
    /// Which player this is.
    #[must_use]
    pub fn player(&self) -> Player {
        self.player
    }

    /// The player's name and label.
    #[must_use]
    pub fn name(&self) -> &str {
        self.process.name()
    }

    /// Where it records.
    #[must_use]
    pub fn file(&self) -> &PathBuf {
        &self.recording
    }

    /// Waits until the player ends by itself, because its server said that the stream has
    /// ended, and reads what it recorded.
    pub fn finish(&mut self, scratch: &Scratch) -> Result<Recording> {
        self.process.wait_success()?;
        match self.player {
            Player::Ffprobe => probe::read_report(&self.recording),
            Player::MpvRecord => {
                let report = self.recording.with_extension("json");
                let input = self.recording.display().to_string();
                let invocation = probe(&input, &report.display().to_string())?;
                let name = format!("{}-probe", self.process.name());
                Process::start(scratch, &name, &invocation, LIMIT)?.wait_success()?;
                probe::read_report(&report)
            }
            _ => flv::read_recording(&self.recording),
        }
    }
}

/// Decodes a recording from beginning to end; any complaint of the decoder is an error.
pub fn decode(scratch: &Scratch, playing: &Playing) -> Result<()> {
    let name = format!("{}-decode", playing.name());
    let invocation = Invocation::tool("ffmpeg")?
        .args(["-nostdin", "-v", "error", "-xerror", "-err_detect", "explode", "-i"])
        .args([playing.file().to_string_lossy()])
        .args(["-f", "null", "-"]);
    let mut process = Process::start(scratch, &name, &invocation, LIMIT)?;
    process.wait_success()?;
    if process.output().is_empty() {
        return Ok(());
    }
    Err(Error::NotReady { process: name, awaited: "silent decoding", output: process.output() })
}

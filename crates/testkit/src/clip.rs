//! Source clips: generated once by ffmpeg, kept in the target directory.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::process::{Invocation, Process};
use crate::scratch::Scratch;
use crate::tools;

/// Duration of every clip, in seconds. Long enough for three key frames after the last player
/// has joined, short enough to be played out in real time.
pub const SECONDS: u32 = 9;

/// Changes with the way in which clips are made, so that none made in an older way is used.
const RECIPE: u32 = 1;

/// Encoding a clip takes a second or two; a busy machine is forgiven a lot.
const ENCODING_LIMIT: Duration = Duration::from_secs(120);

/// What a clip holds. Video is 640x360 at 25 frames per second with a key frame every two
/// seconds, audio a stereo tone at 48 kHz.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clip {
    /// H.264 with B-frames, and AAC: what most of the world sends.
    H264Aac,
    /// HEVC with B-frames, and AAC.
    HevcAac,
    /// AV1 and Opus.
    Av1Opus,
    /// VP9 and Opus.
    Vp9Opus,
}

impl Clip {
    /// Path of the clip, an FLV file; generated if it is not there yet.
    ///
    /// Tests run concurrently, in one process or several: each writes a file of its own and
    /// renames it into place, and any of them will do.
    pub fn path(self) -> Result<PathBuf> {
        let cache = tools::clip_cache();
        let path = cache.join(format!("{}-{SECONDS}s-{RECIPE}.flv", self.name()));
        if path.is_file() {
            return Ok(path);
        }
        fs::create_dir_all(&cache).map_err(Error::io(format!("create {}", cache.display())))?;
        let scratch = Scratch::new("clip")?;
        let encoded = scratch.file("encoded.flv");
        let encode = self.encoder()?.args([encoded.to_string_lossy()]);
        Process::start(&scratch, "encode", &encode, ENCODING_LIMIT)?.wait_success()?;
        // ffmpeg writes VP9's sequence header anew when it copies, without the colour range
        // that its encoder had given. What is published is a copy, so the source is one too.
        let fresh = scratch.file("clip.flv");
        let copy = self
            .ffmpeg()?
            .args(["-nostdin", "-v", "error", "-y", "-i"])
            .args([encoded.to_string_lossy()])
            .args(["-map", "0", "-c", "copy"])
            .args([fresh.to_string_lossy()]);
        Process::start(&scratch, "copy", &copy, ENCODING_LIMIT)?.wait_success()?;
        // The scratch directory may be on another file system, where a rename cannot reach.
        let beside =
            cache.join(format!("{}.{}", self.name(), scratch.path().display()).replace('/', "_"));
        fs::copy(&fresh, &beside).map_err(Error::io(format!("write {}", beside.display())))?;
        fs::rename(&beside, &path).map_err(Error::io(format!("rename {}", beside.display())))?;
        Ok(path)
    }

    /// A name for files and streams.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::H264Aac => "h264-aac",
            Self::HevcAac => "hevc-aac",
            Self::Av1Opus => "av1-opus",
            Self::Vp9Opus => "vp9-opus",
        }
    }

    /// Whether it takes Enhanced RTMP to send this.
    #[must_use]
    pub fn is_enhanced(self) -> bool {
        self != Self::H264Aac
    }

    fn ffmpeg(self) -> Result<Invocation> {
        if self.is_enhanced() {
            Ok(Invocation::path(tools::current_ffmpeg()?))
        } else {
            Invocation::tool("ffmpeg")
        }
    }

    fn encoder(self) -> Result<Invocation> {
        let codecs: &[&str] = match self {
            Self::H264Aac => &["-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-c:a", "aac"],
            Self::HevcAac => {
                &["-c:v", "libx265", "-preset", "ultrafast", "-bf", "2", "-c:a", "aac"]
            }
            Self::Av1Opus => &["-c:v", "libsvtav1", "-preset", "12", "-c:a", "libopus"],
            Self::Vp9Opus => &[
                "-c:v",
                "libvpx-vp9",
                "-deadline",
                "realtime",
                "-cpu-used",
                "8",
                "-c:a",
                "libopus",
            ],
        };
        let seconds = SECONDS.to_string();
        Ok(self
            .ffmpeg()?
            .args(["-nostdin", "-v", "error", "-y", "-f", "lavfi"])
            .args(["-i", "testsrc2=size=640x360:rate=25", "-f", "lavfi"])
            .args(["-i", "sine=frequency=440:beep_factor=4:sample_rate=48000"])
            .args(["-t", &seconds, "-pix_fmt", "yuv420p"])
            .args(codecs.iter().copied())
            .args(["-g", "50", "-keyint_min", "50", "-b:v", "800k", "-b:a", "96k", "-ac", "2"])
            .args(["-f", "flv"]))
    }
}

//! The figures of a moment, and their three forms: a line, a panel like a player's, and an object for
//! scripts. The names in the object are part of what scripts rely on.

use super::monitor::Monitor;
use millstream_client::UplinkStats;
use serde::Serialize;
use std::time::Duration;

/// All figures. Rates are over the time since the last snapshot; in the last one, over the whole run.
#[derive(Debug, Serialize)]
pub(super) struct Snapshot {
    command: &'static str,
    /// Seconds since the first frame.
    time_s: f64,
    bytes: u64,
    bits_per_second: f64,
    /// From asking for the stream to its first key frame.
    first_frame_ms: Option<f64>,
    /// Steps of more than a second in the timestamps of a track.
    gaps: u64,
    video: Option<VideoFigures>,
    audio: Option<AudioFigures>,
    /// Of a play: arrival against timestamps.
    #[serde(skip_serializing_if = "Option::is_none")]
    arrival: Option<ArrivalFigures>,
    /// Of a publish: how it keeps up.
    #[serde(skip_serializing_if = "Option::is_none")]
    uplink: Option<UplinkFigures>,
    /// This is the last object.
    pub(super) ended: bool,
}

#[derive(Debug, Serialize)]
struct VideoFigures {
    codec: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    frames: u64,
    frames_per_second: f64,
    key_frames: u64,
    key_interval_ms: Option<u32>,
}

#[derive(Debug, Serialize)]
struct AudioFigures {
    codec: Option<String>,
    sample_rate: Option<u32>,
    channels: Option<u8>,
    frames: u64,
}

#[derive(Debug, Serialize)]
struct ArrivalFigures {
    delay_ms: f64,
    delay_ms_max: f64,
    jitter_ms: f64,
}

/// How a publish keeps up with its source.
#[derive(Debug, Serialize)]
pub(super) struct UplinkFigures {
    /// How far the last frame went out behind its time, and the worst of all.
    pub(super) lag_ms: u64,
    pub(super) lag_ms_max: u64,
    pub(super) skipped_video: u64,
    pub(super) skipped_audio: u64,
    pub(super) skipped_bytes: u64,
    pub(super) skips: u64,
    pub(super) queued_ms: u32,
    pub(super) queued_bytes: usize,
    /// Passes through a film that is repeated, this one included.
    pub(super) pass: u64,
}

impl UplinkFigures {
    pub(super) fn new(stats: UplinkStats, lag: Duration, lag_max: Duration, pass: u64) -> Self {
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            lag_ms: ms(lag),
            lag_ms_max: ms(lag_max),
            skipped_video: stats.skipped_video,
            skipped_audio: stats.skipped_audio,
            skipped_bytes: stats.skipped_bytes,
            skips: stats.skips,
            queued_ms: stats.queued_ms,
            queued_bytes: stats.queued_bytes,
            pass,
        }
    }
}

/// What moved in a while.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moved {
    pub(super) time: Duration,
    pub(super) bytes: u64,
    pub(super) pictures: u64,
}

impl Snapshot {
    pub(super) fn new(
        command: &'static str,
        monitor: &Monitor,
        uplink: Option<UplinkFigures>,
        moved: Moved,
    ) -> Self {
        let seconds = moved.time.as_secs_f64().max(0.001);
        let (video, audio) = (&monitor.video, &monitor.audio);
        let arrival = ArrivalFigures {
            delay_ms: rounded(monitor.arrival.delay_ms),
            delay_ms_max: rounded(monitor.arrival.delay_ms_max),
            jitter_ms: rounded(monitor.arrival.jitter_ms),
        };
        Self {
            command,
            time_s: rounded(monitor.first.map_or(0.0, |first| first.elapsed().as_secs_f64())),
            bytes: monitor.bytes,
            bits_per_second: (moved.bytes as f64 * 8.0 / seconds).round(),
            first_frame_ms: monitor.first_frame().map(|time| rounded(time.as_secs_f64() * 1e3)),
            gaps: monitor.gaps,
            video: video.codec.map(|codec| VideoFigures {
                codec: Some(codec.to_string()),
                width: video.size.map(|size| size.0),
                height: video.size.map(|size| size.1),
                frames: video.frames,
                frames_per_second: rounded(moved.pictures as f64 / seconds),
                key_frames: video.keys,
                key_interval_ms: video.key_interval_ms,
            }),
            audio: audio.codec.map(|codec| AudioFigures {
                codec: Some(codec.to_string()),
                sample_rate: audio.sample_rate,
                channels: audio.channels,
                frames: audio.frames,
            }),
            arrival: uplink.is_none().then_some(arrival),
            uplink,
            ended: false,
        }
    }

    /// One line for a terminal.
    pub(super) fn line(&self) -> String {
        let (video, audio) = (self.video.as_ref(), self.audio.as_ref());
        let frames = video.map_or(0, |v| v.frames) + audio.map_or(0, |a| a.frames);
        let mut line = format!(
            "{}  {}  {frames} frames  {:.1} fps",
            clock(self.time_s),
            bit_rate(self.bits_per_second),
            video.map_or(0.0, |video| video.frames_per_second),
        );
        match &self.uplink {
            None => line.push_str(&format!(
                "  {} key  first {}  gaps {}",
                video.map_or(0, |video| video.key_frames),
                self.first_frame(),
                self.gaps
            )),
            Some(uplink) => {
                line.push_str(&format!("  lag {} ms", uplink.lag_ms));
                if uplink.skips > 0 {
                    let skipped = uplink.skipped_video + uplink.skipped_audio;
                    line.push_str(&format!("  skipped {skipped}"));
                }
                if uplink.pass > 1 {
                    line.push_str(&format!("  pass {}", uplink.pass));
                }
            }
        }
        line
    }

    /// Rows of a panel.
    pub(super) fn panel(&self) -> Vec<String> {
        let mut rows = vec![row("time", clock(self.time_s))];
        let amount = format!("{}, {} bytes", bit_rate(self.bits_per_second), self.bytes);
        rows.push(row("rate", amount));
        if let Some(video) = &self.video {
            let codec = video.codec.as_deref().unwrap_or("?");
            let size = match (video.width, video.height) {
                (Some(width), Some(height)) => format!("  {width} x {height}"),
                _ => String::new(),
            };
            let rate = video.frames_per_second;
            let video_row = format!("{codec}{size}  {rate:.1} fps  {} frames", video.frames);
            rows.push(row("video", video_row));
            let interval = video.key_interval_ms;
            let interval = interval.map_or("-".to_owned(), |ms| format!("every {ms} ms"));
            rows.push(row("key frames", format!("{}  {interval}", video.key_frames)));
        }
        if let Some(audio) = &self.audio {
            let mut text = audio.codec.clone().unwrap_or_default();
            if let Some(rate) = audio.sample_rate {
                text.push_str(&format!("  {rate} Hz"));
            }
            if let Some(channels) = audio.channels {
                text.push_str(&format!("  {channels} channels"));
            }
            rows.push(row("audio", format!("{text}  {} frames", audio.frames)));
        }
        if let Some(arrival) = &self.arrival {
            rows.push(row("first frame", self.first_frame()));
            let ArrivalFigures { delay_ms, delay_ms_max, jitter_ms } = arrival;
            let text = format!("{delay_ms:.1} ms behind the soonest, at most {delay_ms_max:.1} ms");
            rows.push(row("arrival", format!("{text}, jitter {jitter_ms:.1} ms")));
        }
        rows.push(row("gaps", self.gaps.to_string()));
        if let Some(uplink) = &self.uplink {
            let (lag, most) = (uplink.lag_ms, uplink.lag_ms_max);
            rows.push(row("lag", format!("{lag} ms, at most {most} ms")));
            let (bytes, ms) = (uplink.queued_bytes, uplink.queued_ms);
            rows.push(row("queued", format!("{bytes} bytes, {ms} ms")));
            let (video, audio) = (uplink.skipped_video, uplink.skipped_audio);
            let text = format!("{video} video, {audio} audio, {} times", uplink.skips);
            rows.push(row("skipped", text));
        }
        rows
    }

    fn first_frame(&self) -> String {
        self.first_frame_ms.map_or("-".to_owned(), |ms| format!("{ms:.0} ms"))
    }
}

fn row(name: &str, text: String) -> String {
    format!("{name:<12}{text}")
}

/// To a tenth: more digits of a measurement say nothing.
fn rounded(figure: f64) -> f64 {
    (figure * 10.0).round() / 10.0
}

/// `1:02:03`, or `02:03`.
fn clock(seconds: f64) -> String {
    let seconds = seconds as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
}

/// `2.41 Mbit/s`, or `96 kbit/s`.
pub(super) fn bit_rate(bits_per_second: f64) -> String {
    if bits_per_second >= 1e6 {
        format!("{:.2} Mbit/s", bits_per_second / 1e6)
    } else {
        format!("{:.0} kbit/s", bits_per_second / 1e3)
    }
}

/// The mean rate of so many bytes in such a time.
pub(super) fn mean_rate(bytes: u64, time: Duration) -> String {
    bit_rate(bytes as f64 * 8.0 / time.as_secs_f64().max(0.001))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn figures_are_short() {
        assert_eq!(clock(83.9), "01:23");
        assert_eq!(clock(36_061.0), "10:01:01");
        assert_eq!(bit_rate(95_600.0), "96 kbit/s");
        assert_eq!(bit_rate(2_414_000.0), "2.41 Mbit/s");
        assert_eq!(mean_rate(1_000_000, Duration::from_secs(4)), "2.00 Mbit/s");
        assert!(mean_rate(1, Duration::ZERO).ends_with("kbit/s"));
    }

    #[test]
    fn a_stream_of_nothing_has_all_its_forms() {
        let monitor = Monitor::new(Instant::now());
        let moved = Moved { time: Duration::ZERO, bytes: 0, pictures: 0 };
        let snapshot = Snapshot::new("play", &monitor, None, moved);
        assert_eq!(snapshot.line(), "00:00  0 kbit/s  0 frames  0.0 fps  0 key  first -  gaps 0");
        assert_eq!(snapshot.panel()[0], "time        00:00");
        let json = serde_json::to_value(&snapshot).unwrap();
        assert!(json["video"].is_null() && json.get("uplink").is_none(), "{json}");
    }
}

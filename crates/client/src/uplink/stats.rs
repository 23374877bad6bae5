//! The counters of one publisher's uplink.

/// What a publisher has sent, left out and still queued.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UplinkStats {
    /// Messages handed to the socket's buffer.
    pub sent_messages: u64,
    /// Their payloads in bytes.
    pub sent_bytes: u64,
    /// Pictures left out.
    pub skipped_video: u64,
    /// Sound messages left out.
    pub skipped_audio: u64,
    /// Data messages left out, and headers that newer ones replaced.
    pub skipped_data: u64,
    /// Bytes of all that was left out.
    pub skipped_bytes: u64,
    /// How many times the queue was thinned out.
    pub skips: u64,
    /// Messages that wait.
    pub queued_messages: usize,
    /// Their payloads in bytes.
    pub queued_bytes: usize,
    /// Milliseconds from the oldest to the newest frame that waits.
    pub queued_ms: u32,
    /// Whether pictures are left out just now, until a key frame comes.
    pub skipping_video: bool,
}

impl UplinkStats {
    /// Frames of sound and pictures left out.
    pub fn skipped_frames(&self) -> u64 {
        self.skipped_video + self.skipped_audio
    }
}

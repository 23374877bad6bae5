//! A log and a stream to append to it. What is timed or counted stands in the benches.

use millstream::egress::rtmp::framings;
use millstream::moment::Moment;
use millstream::stream::headers::Carrier;
use millstream::stream::log::{LogWriter, Record, Retention};
use millstream::stream::projection::Projection;
use millstream::stream::segment::Kind;
use millstream_rtmp::message::{Message, MessageType};

/// The writing end of a stream's log, and how far it got.
pub struct Appending {
    pub writer: LogWriter,
    order: u32,
    groups: u64,
}

impl Appending {
    /// An empty log.
    pub fn new() -> Self {
        let framing = framings(1 << 20)(Projection::WHOLE);
        let mut writer = LogWriter::new(framing, Retention::default());
        writer.begin_generation();
        Self { writer, order: 0, groups: 0 }
    }

    /// Appends a group of pictures of two seconds, and calls `then` after each message.
    pub fn group(&mut self, group: &[Message], mut then: impl FnMut()) {
        for message in group {
            self.append(message);
            then();
        }
        self.groups += 1;
    }

    fn append(&mut self, message: &Message) {
        let (kind, carrier) = match message.kind {
            MessageType::AUDIO => (Kind::Audio, Carrier::Audio),
            _ if message.timestamp == 0 => (Kind::VideoKey, Carrier::Video),
            _ => (Kind::Video, Carrier::Video),
        };
        self.order += 1;
        let timestamp = self.groups * 2000 + u64::from(message.timestamp);
        let now = Moment::from_ms(timestamp);
        let record =
            Record { kind, carrier, timestamp, order: self.order, now, payload: &message.payload };
        self.writer.append(&record, true);
    }
}

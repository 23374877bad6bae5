//! One stream: its log, what a joiner needs before it, and who plays it.

use super::log::{Log, Medium, write_message};
use bytes::BytesMut;
use millstream_flv::{AudioHeader, VideoHeader};
use millstream_rtmp::message::MessageType;
use std::time::Instant;

/// A stream.
#[derive(Debug)]
pub struct Stream {
    /// Its bytes.
    pub log: Log,
    /// Who plays it, by the phase in which they are served; one at least.
    pub phases: Vec<Phase>,
    /// Where the last key frame begins.
    key: Option<u64>,
    /// Metadata, video and audio configuration, as they are sent.
    headers: [Vec<u8>; 3],
}

/// Players of a stream that are served at the same time.
#[derive(Clone, Debug, Default)]
pub struct Phase {
    /// Up to here they are sent the log: what stands behind it is not due yet.
    pub shown: u64,
    /// When what stands behind `shown` is due.
    pub due: Option<Instant>,
    /// Places of their connections.
    pub players: Vec<usize>,
}

/// What a message is to its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A joiner needs it, in this place.
    Header(usize),
    /// A joiner may begin with it.
    KeyFrame,
    /// Neither.
    Frame,
}

impl Part {
    /// What a message is.
    pub fn of(kind: MessageType, payload: &[u8]) -> Self {
        match kind {
            MessageType::VIDEO => match VideoHeader::parse(payload) {
                Ok(header) if header.is_sequence_start() => Self::Header(1),
                Ok(header) if header.is_key_frame() && header.is_coded() => Self::KeyFrame,
                _ => Self::Frame,
            },
            MessageType::AUDIO => match AudioHeader::parse(payload) {
                Ok(header) if header.is_sequence_start() => Self::Header(2),
                _ => Self::Frame,
            },
            // Only metadata is handed on of what is neither.
            _ => Self::Header(0),
        }
    }
}

impl Stream {
    /// A stream that has nothing, and serves its players in so many phases.
    ///
    /// # Errors
    /// If no log can be had.
    pub fn new(medium: Medium, phases: usize) -> rustix::io::Result<Self> {
        let log = Log::new(medium)?;
        let phases = vec![Phase::default(); phases.max(1)];
        Ok(Self { log, phases, key: None, headers: Default::default() })
    }

    /// A publisher begins: what the one before said of its stream holds no more.
    pub fn begin(&mut self) {
        self.key = None;
        self.headers.iter_mut().for_each(Vec::clear);
    }

    /// Appends a message.
    ///
    /// # Errors
    /// As the log's.
    pub fn append(
        &mut self,
        part: Part,
        kind: MessageType,
        timestamp: u32,
        payload: &[u8],
    ) -> rustix::io::Result<()> {
        match part {
            Part::KeyFrame => self.key = Some(self.log.end()),
            Part::Header(place) => {
                self.headers[place].clear();
                write_message(kind, timestamp, payload, &mut self.headers[place]);
            }
            Part::Frame => {}
        }
        self.log.append(kind, timestamp, payload)
    }

    /// The phase that a joiner is served in: the one with the fewest players.
    pub fn phase_of_joiner(&self) -> usize {
        let counted = self.phases.iter().map(|phase| phase.players.len()).enumerate();
        counted.min_by_key(|(_, players)| *players).map_or(0, |(phase, _)| phase)
    }

    /// What a joiner is sent first, and where in the log it begins: at the last key frame, or with
    /// what is to come.
    pub fn join(&self, private: &mut BytesMut) -> u64 {
        for header in &self.headers {
            private.extend_from_slice(header);
        }
        self.key.filter(|key| *key >= self.log.start()).unwrap_or(self.log.end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loadtest::media::Track;
    use loadtest::media::shape::Shape;

    fn put(stream: &mut Stream, kind: MessageType, payload: &[u8]) -> Part {
        let part = Part::of(kind, payload);
        stream.append(part, kind, 0, payload).unwrap();
        part
    }

    #[test]
    fn joiners_are_spread_over_the_phases() {
        let mut stream = Stream::new(Medium::Memory, 3).unwrap();
        for player in 0..7 {
            let phase = stream.phase_of_joiner();
            stream.phases[phase].players.push(player);
        }
        assert_eq!(
            stream.phases.iter().map(|phase| phase.players.len()).collect::<Vec<_>>(),
            [3, 2, 2]
        );
    }

    #[test]
    fn a_joiner_gets_headers_and_begins_at_the_last_key_frame() {
        let shape = Shape::new(300_000, 30);
        let mut stream = Stream::new(Medium::Memory, 1).unwrap();
        let mut private = BytesMut::new();
        assert_eq!((stream.join(&mut private), private.len()), (0, 0));

        let (video, audio) = (MessageType::VIDEO, MessageType::AUDIO);
        let [_, (_, avc), (_, aac)] = shape.opening() else { panic!("{shape:?}") };
        assert_eq!(put(&mut stream, MessageType::DATA_AMF0, b"metadata"), Part::Header(0));
        assert_eq!(put(&mut stream, audio, aac), Part::Header(2));
        assert_eq!(put(&mut stream, video, avc), Part::Header(1));
        assert_eq!(stream.join(&mut private), stream.log.end(), "no key frame yet");

        let mut keys = Vec::new();
        for number in 0..130 {
            keys.push(stream.log.end());
            let key = put(&mut stream, video, &shape.frame(Track::Video, 0, 0, number, 0));
            assert_eq!(key == Part::KeyFrame, number % 60 == 0, "{number}");
            let sound = put(&mut stream, audio, &shape.frame(Track::Audio, 0, 0, number, 0));
            assert_eq!(sound, Part::Frame);
        }
        private.clear();
        assert_eq!(stream.join(&mut private), keys[120]);
        // Metadata comes first, then video, then audio, whatever the publisher's order was.
        let texts = stream.headers.iter().map(|header| header.len()).sum::<usize>();
        assert_eq!(private.len(), texts);
        assert!(private[12..].starts_with(b"metadata"));

        // Overtaken by the log, the key frame is none any more.
        stream.log.forget_before(keys[121]).unwrap();
        assert_eq!(stream.join(&mut private), stream.log.end());
        stream.begin();
        private.clear();
        assert_eq!((stream.join(&mut private), private.len()), (stream.log.end(), 0));
    }
}

//! A player: asks for a stream, checks every frame, remembers what it is told.

use super::checker::Checker;
use super::link::{Dial, Link};
use millstream_amf0::Value;
use millstream_rtmp::client::{ClientEvent, PlayOptions};
use millstream_rtmp::session::RequestId;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How a player reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// All that comes.
    Eager,
    /// So many bytes each time, with a pause after it.
    Slow(usize, Duration),
    /// Nothing.
    Stuck,
}

/// A player.
pub struct Player {
    pub link: Link,
    pub check: Checker,
    pub pace: Pace,
    next_read: Instant,
    request: RequestId,
    pub stream_id: Option<u32>,
    /// The codes of all statuses, in order.
    pub told: Vec<String>,
    pub stream_ends: u32,
    pub refused: Option<String>,
}

impl Player {
    pub fn open(server: SocketAddr, name: &str, who: String, dial: Dial) -> Self {
        let mut link = Link::open(server, "live", dial);
        let request =
            link.protocol.play(name, PlayOptions::default()).expect("it may be asked at any time");
        link.send();
        Self {
            link,
            check: Checker::new(who),
            pace: Pace::Eager,
            next_read: Instant::now(),
            request,
            stream_id: None,
            told: Vec::new(),
            stream_ends: 0,
            refused: None,
        }
    }

    /// Whether it was told so, at least once.
    pub fn was_told(&self, code: &str) -> bool {
        self.told.iter().any(|told| told == code)
    }

    /// How often it was told so.
    pub fn times_told(&self, code: &str) -> usize {
        self.told.iter().filter(|told| *told == code).count()
    }

    pub fn request(&self) -> RequestId {
        self.request
    }

    pub fn pause(&mut self, paused: bool) {
        self.link.protocol.pause(self.request, paused, 0.0).expect("it plays");
        self.check.rejoin();
        self.link.send();
    }

    /// Sends `receiveAudio` or `receiveVideo`.
    pub fn want(&mut self, command: &str, on: bool) {
        let stream_id = self.stream_id.expect("it plays");
        let arguments = vec![Value::Null, Value::Boolean(on)];
        self.link.protocol.send_command(stream_id, command, arguments).expect("it is connected");
        self.check.rejoin();
        self.link.send();
    }

    /// Plays another stream on the same connection.
    pub fn play_also(&mut self, name: &str) {
        self.request = self
            .link
            .protocol
            .play(name, PlayOptions::default())
            .expect("it is connected");
        self.check = Checker::new(format!("{}, second play", self.check.who));
        self.link.send();
    }

    /// When it reads next; nothing for a stuck one.
    pub fn reads_at(&self) -> Option<Instant> {
        match self.pace {
            Pace::Eager | Pace::Slow(..) => Some(self.next_read),
            Pace::Stuck => None,
        }
    }

    pub fn read(&mut self, now: Instant) {
        let most = match self.pace {
            Pace::Eager => usize::MAX,
            Pace::Slow(bytes, pause) => {
                self.next_read = now + pause;
                bytes
            }
            Pace::Stuck => return,
        };
        let Self { link, check, told, stream_ends, stream_id, refused, .. } = self;
        link.receive(most, |event| match event {
            ClientEvent::Media(message) => check.media(&message),
            ClientEvent::Data(data) => check.data(&data.name, &data.payload),
            ClientEvent::Playing { stream_id: id, .. } => *stream_id = Some(id),
            ClientEvent::Refused(why) => *refused = Some(why.code),
            ClientEvent::StreamEof { .. } => *stream_ends += 1,
            ClientEvent::Status(status) => {
                match status.code.as_str() {
                    "NetStream.Play.InsufficientBW" => check.announce(&status.description),
                    "NetStream.Play.UnpublishNotify" => check.ended(),
                    _ => {}
                }
                told.push(status.code);
            }
            _ => {}
        });
        self.link.send();
    }
}

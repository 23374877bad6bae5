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

/// What a player may ask for.
#[derive(Clone, Copy, Debug)]
pub enum Wish {
    Pause(bool),
    Audio(bool),
    Video(bool),
}

/// A player.
pub struct Player {
    pub link: Link,
    pub check: Checker,
    pub pace: Pace,
    next_read: Instant,
    request: RequestId,
    /// The number of the last ping: its answer comes behind what was on its way.
    barrier: u32,
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
            barrier: 0,
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
        if !paused {
            self.check.rejoin();
        }
        self.link.send();
    }

    /// Sends `receiveAudio` or `receiveVideo`.
    pub fn want(&mut self, command: &str, on: bool) {
        let stream_id = self.stream_id.expect("it plays");
        let arguments = vec![Value::Boolean(on)];
        self.link.protocol.send_command(stream_id, command, arguments).expect("it is connected");
        match (command, on) {
            ("receiveVideo", true) => self.check.rejoin(),
            ("receiveVideo", false) => self.check.without_video(),
            _ => self.check.without_audio(),
        }
        self.link.send();
    }

    /// Pauses or goes on, or switches a track, whatever is on its way meanwhile.
    pub fn want_anyhow(&mut self, what: Wish) {
        let protocol = &mut self.link.protocol;
        self.barrier += 1;
        let done = match what {
            Wish::Pause(paused) => protocol.pause(self.request, paused, 0.0),
            Wish::Audio(on) => protocol
                .send_command(self.stream_id.unwrap_or(1), "receiveAudio", vec![on.into()])
                .map(drop),
            Wish::Video(on) => protocol
                .send_command(self.stream_id.unwrap_or(1), "receiveVideo", vec![on.into()])
                .map(drop),
        };
        done.expect("it plays");
        protocol.ping(self.barrier);
        self.check.uncertain(true);
        self.link.send();
    }

    /// Plays another stream on the same connection.
    pub fn play_also(&mut self, name: &str) {
        self.request =
            self.link.protocol.play(name, PlayOptions::default()).expect("it is connected");
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
        let Self { link, check, told, barrier, stream_ends, stream_id, refused, .. } = self;
        link.receive(most, |event| match event {
            ClientEvent::Media(message) => check.media(&message),
            ClientEvent::Data(data) => check.data(&data.name, &data.payload),
            ClientEvent::Playing { stream_id: id, .. } => *stream_id = Some(id),
            ClientEvent::Refused(why) => *refused = Some(why.code),
            ClientEvent::Pong { timestamp } if timestamp == *barrier => check.uncertain(false),
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

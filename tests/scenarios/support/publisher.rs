//! A publisher: sends a synthetic stream in its own time, or all at once.

use super::link::{Dial, Link};
use super::source::Source;
use millstream_rtmp::client::ClientEvent;
use millstream_rtmp::session::{PublishMode, RequestId};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// A publisher.
pub struct Publisher {
    pub link: Link,
    pub source: Source,
    request: RequestId,
    pub accepted: bool,
    pub refused: Option<String>,
    /// Why, for people.
    pub reason: String,
    pub told: Vec<String>,
    /// Frames go out by themselves, one set each such interval, from this moment.
    live: Option<(Instant, Duration)>,
}

impl Publisher {
    /// `name` is what an encoder has for a stream key, query and all.
    pub fn open(server: SocketAddr, app: &str, name: &str, source: Source, dial: Dial) -> Self {
        let mut link = Link::open(server, app, dial);
        let request =
            link.protocol.publish(name, PublishMode::Live).expect("it may be asked at any time");
        link.send();
        Self {
            link,
            source,
            request,
            accepted: false,
            refused: None,
            reason: String::new(),
            told: Vec::new(),
            live: None,
        }
    }

    /// Whether the server has said yes or no.
    pub fn is_answered(&self) -> bool {
        self.accepted || self.refused.is_some() || !self.link.is_open()
    }

    pub fn send_headers(&mut self) {
        for message in self.source.headers() {
            self.send(message);
        }
        self.link.send();
    }

    /// Sends so many frames at once.
    pub fn burst(&mut self, frames: u64) {
        let mut messages = Vec::new();
        for _ in 0..frames {
            self.source.next(&mut messages);
        }
        for message in messages {
            self.send(message);
        }
        self.link.send();
    }

    fn send(&mut self, message: super::source::Outgoing) {
        self.link
            .protocol
            .send_media(message.kind, message.timestamp, message.payload)
            .expect("it was told to publish");
    }

    /// From now on sends a frame each interval.
    pub fn go(&mut self, interval: Duration) {
        self.live = Some((Instant::now(), interval));
    }

    pub fn rest(&mut self) {
        self.live = None;
    }

    pub fn next_due(&self) -> Option<Instant> {
        self.link.is_open().then_some(self.live.as_ref()?.0)
    }

    /// Sends what is due by now.
    pub fn advance(&mut self, now: Instant) {
        while let Some((due, interval)) = self.live
            && due <= now
            && self.link.is_open()
        {
            self.live = Some((due + interval, interval));
            self.burst(1);
        }
    }

    /// Ends the stream as an encoder does that is stopped.
    pub fn unpublish(&mut self) {
        self.live = None;
        self.link.protocol.close(self.request).expect("it publishes");
        self.link.send();
    }

    pub fn read(&mut self) {
        let Self { link, accepted, refused, reason, told, .. } = self;
        link.receive(usize::MAX, |event| match event {
            ClientEvent::Publishing { .. } => *accepted = true,
            ClientEvent::Refused(why) => {
                *refused = Some(why.code);
                *reason = why.description;
            }
            ClientEvent::Status(status) => told.push(status.code),
            _ => {}
        });
        self.link.send();
    }
}

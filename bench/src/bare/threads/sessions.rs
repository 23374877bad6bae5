//! The session thread: who publishes and plays what. It sees whole messages and numbers of
//! connections, and neither bytes nor sockets.

use super::{Frame, Number, ToProtocol, ToSessions};
use crate::bare::log::KEPT_MAX;
use crate::bare::policy::RIDE_MAX;
use crate::bare::stream::Part;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use millstream_rtmp::message::MessageType;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long it waits where nothing is held: for something to come, and no longer than this.
const LOOK: Duration = Duration::from_secs(1);

/// One stream.
#[derive(Debug, Default)]
struct Stream {
    /// Metadata, video and audio configuration.
    headers: [Option<Frame>; 3],
    /// What came since the last key frame, it included.
    group: Vec<Frame>,
    group_bytes: u64,
    /// A key frame has come.
    keyed: bool,
    players: Arc<[Number]>,
    /// Audio that waits for the next video frame.
    held: Vec<Frame>,
    /// Since when.
    since: Option<Instant>,
}

#[derive(Debug, Default)]
struct Sessions {
    streams: Vec<Stream>,
    names: HashMap<String, usize>,
    /// What a connection publishes or plays.
    publishes: HashMap<Number, usize>,
    plays: HashMap<Number, usize>,
    /// Streams that began to hold audio, in the order in which they did. Where a stream's own time
    /// says otherwise, what it held has gone.
    holding: VecDeque<(Instant, usize)>,
}

/// Works until there is no more.
pub fn run(inbox: &Receiver<ToSessions>, protocol: &Sender<ToProtocol>) {
    let mut sessions = Sessions::default();
    loop {
        let item = match inbox.recv_timeout(sessions.wait(Instant::now())) {
            Ok(item) => item,
            Err(RecvTimeoutError::Timeout) => {
                sessions.let_go(Instant::now(), protocol);
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let answer = match item {
            ToSessions::Publish(number, request, name) => {
                let stream = sessions.stream(name);
                sessions.streams[stream].begin();
                sessions.publishes.insert(number, stream);
                Some(ToProtocol::Publish(number, request))
            }
            ToSessions::Play(number, request, name) => {
                let stream = sessions.stream(name);
                sessions.plays.insert(number, stream);
                let stream = &mut sessions.streams[stream];
                // What is held is part of what he is sent first.
                if let Some(route) = stream.let_go() {
                    // Who is gone has no use for it.
                    let _ = protocol.send(route);
                }
                stream.players = stream.players.iter().copied().chain([number]).collect();
                Some(ToProtocol::Play(number, request, stream.first()))
            }
            ToSessions::Unpublish(number) => {
                sessions.publishes.remove(&number);
                None
            }
            ToSessions::Came(number, frame) => sessions.route(number, frame, Instant::now()),
            ToSessions::Closed(number) => {
                sessions.close(number);
                None
            }
            ToSessions::End => return,
        };
        if let Some(answer) = answer {
            // Who is gone has no use for it.
            let _ = protocol.send(answer);
        }
    }
}

impl Sessions {
    fn stream(&mut self, name: String) -> usize {
        *self.names.entry(name).or_insert_with(|| {
            self.streams.push(Stream::default());
            self.streams.len() - 1
        })
    }

    /// How long nothing is to be done unless something comes.
    fn wait(&self, now: Instant) -> Duration {
        self.holding
            .front()
            .map_or(LOOK, |(since, _)| (*since + RIDE_MAX).saturating_duration_since(now))
    }

    /// Lets go what has been held for as long as it may be.
    fn let_go(&mut self, now: Instant, protocol: &Sender<ToProtocol>) {
        while let Some((since, number)) = self.holding.front().copied()
            && since + RIDE_MAX <= now
        {
            self.holding.pop_front();
            let stream = &mut self.streams[number];
            if stream.since == Some(since)
                && let Some(route) = stream.let_go()
            {
                // Who is gone has no use for it.
                let _ = protocol.send(route);
            }
        }
    }

    fn route(&mut self, number: Number, frame: Frame, now: Instant) -> Option<ToProtocol> {
        let number = *self.publishes.get(&number)?;
        let stream = &mut self.streams[number];
        stream.keep(&frame);
        if stream.players.is_empty() {
            return None;
        }
        let rides = frame.kind == MessageType::AUDIO;
        stream.held.push(frame);
        let since = *stream.since.get_or_insert_with(|| {
            if rides {
                self.holding.push_back((now, number));
            }
            now
        });
        if rides && now < since + RIDE_MAX { None } else { stream.let_go() }
    }

    fn close(&mut self, number: Number) {
        self.publishes.remove(&number);
        if let Some(stream) = self.plays.remove(&number) {
            let players = &mut self.streams[stream].players;
            *players = players.iter().copied().filter(|player| *player != number).collect();
        }
    }
}

impl Stream {
    /// A publisher begins: what the one before said of its stream holds no more.
    fn begin(&mut self) {
        let players = std::mem::take(&mut self.players);
        *self = Self { players, ..Self::default() };
    }

    /// What is held, and to whom it goes.
    fn let_go(&mut self) -> Option<ToProtocol> {
        self.since = None;
        let held = std::mem::take(&mut self.held);
        (!held.is_empty()).then(|| ToProtocol::Route(held, Arc::clone(&self.players)))
    }

    fn keep(&mut self, frame: &Frame) {
        let part = Part::of(frame.kind, &frame.payload);
        match part {
            Part::Header(place) => self.headers[place] = Some(frame.clone()),
            Part::KeyFrame => {
                self.group.clear();
                (self.group_bytes, self.keyed) = (0, true);
            }
            Part::Frame => {}
        }
        if self.keyed {
            self.group.push(frame.clone());
            self.group_bytes += frame.payload.len() as u64;
        }
        if self.group_bytes > KEPT_MAX {
            // A joiner begins with what is to come.
            self.group.clear();
            self.keyed = false;
        }
    }

    /// What a joiner is sent first.
    fn first(&self) -> Vec<Frame> {
        self.headers.iter().flatten().chain(&self.group).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn audio_rides_on_video_but_does_not_wait_for_ever() {
        let mut sessions = Sessions::default();
        let stream = sessions.stream("cam".to_owned());
        sessions.publishes.insert(1, stream);
        sessions.streams[stream].players = [2, 3].into();
        let frame = |kind| Frame { kind, timestamp: 0, payload: Bytes::from_static(&[0x27, 1]) };
        let (audio, video) = (frame(MessageType::AUDIO), frame(MessageType::VIDEO));
        let routed = |route| match route {
            Some(ToProtocol::Route(frames, to)) => (frames.len(), to.len()),
            _ => (0, 0),
        };
        let now = Instant::now();
        assert_eq!(routed(sessions.route(1, audio.clone(), now)), (0, 0));
        assert_eq!(sessions.wait(now), RIDE_MAX);
        assert_eq!(routed(sessions.route(1, video, now)), (2, 2));
        // What had waited has gone; what waits now has its own time.
        let (protocol, sent) = crossbeam_channel::unbounded();
        let later = now + RIDE_MAX / 2;
        assert_eq!(routed(sessions.route(1, audio, later)), (0, 0));
        sessions.let_go(now + RIDE_MAX, &protocol);
        assert!(sent.is_empty());
        sessions.let_go(later + RIDE_MAX, &protocol);
        assert_eq!(routed(sent.try_recv().ok()), (1, 2));
        assert_eq!(sessions.wait(later), LOOK);
    }

    #[test]
    fn a_joiner_begins_with_headers_and_the_last_key_frame() {
        let frame = |start: &'static [u8]| {
            let payload = Bytes::from_static(start);
            Frame { kind: MessageType::VIDEO, timestamp: 0, payload }
        };
        let (header, key, inter) =
            (frame(&[0x17, 0, 0, 0, 0]), frame(&[0x17, 1, 0, 0, 0]), frame(&[0x27, 1, 0, 0, 0]));
        let mut stream = Stream::default();
        for came in [&header, &inter, &key, &inter, &key, &inter, &inter] {
            stream.keep(came);
        }
        let starts: Vec<_> =
            stream.first().iter().map(|frame| (frame.payload[0], frame.payload[1])).collect();
        assert_eq!(starts, [(0x17, 0), (0x17, 1), (0x27, 1), (0x27, 1)]);
        let large = Frame { payload: vec![0x27; KEPT_MAX as usize].into(), ..inter };
        stream.keep(&large);
        assert_eq!(stream.first().len(), 1);
        stream.begin();
        assert!(stream.first().is_empty());
    }
}

//! The session thread: who publishes and plays what. It sees whole messages and numbers of
//! connections, and neither bytes nor sockets.

use super::{Frame, Number, ToProtocol, ToSessions};
use crate::bare::log::KEPT_MAX;
use crate::bare::stream::Part;
use crossbeam_channel::{Receiver, Sender};
use std::collections::HashMap;
use std::sync::Arc;

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
}

#[derive(Debug, Default)]
struct Sessions {
    streams: Vec<Stream>,
    names: HashMap<String, usize>,
    /// What a connection publishes or plays.
    publishes: HashMap<Number, usize>,
    plays: HashMap<Number, usize>,
}

/// Works until there is no more.
pub fn run(inbox: &Receiver<ToSessions>, protocol: &Sender<ToProtocol>) {
    let mut sessions = Sessions::default();
    while let Ok(item) = inbox.recv() {
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
                stream.players = stream.players.iter().copied().chain([number]).collect();
                Some(ToProtocol::Play(number, request, stream.first()))
            }
            ToSessions::Unpublish(number) => {
                sessions.publishes.remove(&number);
                None
            }
            ToSessions::Came(number, frame) => sessions.route(number, frame),
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

    fn route(&mut self, number: Number, frame: Frame) -> Option<ToProtocol> {
        let stream = &mut self.streams[*self.publishes.get(&number)?];
        stream.keep(&frame);
        (!stream.players.is_empty()).then(|| ToProtocol::Route(frame, Arc::clone(&stream.players)))
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
    use millstream_rtmp::message::MessageType;

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

//! A client, a session and targets in memory, with a clock of their own.

mod anything_at_all;
mod losses;
mod passing;

use super::*;
use crate::config::{Keys, Secret};
use crate::proxy::rename::{Rename, Renames};
use crate::proxy::target::Target;
use bytes::Bytes;
use millstream_amf0::Value;
use millstream_rtmp::client::{ClientEvent, ClientOptions, PlayOptions};
use millstream_rtmp::message::Message;
use millstream_rtmp::server::ServerEvent;
use millstream_rtmp::session::{DataFrame, PublishMode};

/// What a target does with a request.
type Answer = fn(&mut ServerConnection, &ServerEvent);

fn accept(target: &mut ServerConnection, event: &ServerEvent) {
    match event {
        ServerEvent::Connect(connect) => target.accept_connect(connect.request).unwrap(),
        ServerEvent::Publish(publish) => target.accept_publish(publish.request).unwrap(),
        ServerEvent::Play(play) => target.accept_play(play.request).unwrap(),
        _ => {}
    }
}

fn refuse(target: &mut ServerConnection, event: &ServerEvent) {
    let code = "NetStream.Publish.BadName";
    match event {
        ServerEvent::Publish(publish) => {
            let rejection = Rejection { code, description: "theirs?key=s3cret is taken" };
            target.reject_publish(publish.request, &rejection).unwrap();
        }
        ServerEvent::Play(play) => {
            target.reject_play(play.request, &Rejection::not_found("no such stream")).unwrap();
        }
        event => accept(target, event),
    }
}

struct World {
    now: Instant,
    session: Session,
    client: ClientConnection,
    targets: Vec<(UpstreamId, ServerConnection)>,
    /// Targets can be connected to.
    up: bool,
    answer: Answer,
    heard: Vec<ClientEvent>,
    seen: Vec<ServerEvent>,
    /// All bytes of the client, and all of the targets.
    said: (Vec<u8>, Vec<u8>),
}

impl World {
    fn new(policy: Policy) -> Self {
        let now = Instant::now();
        let figures = Arc::new(Figures::default());
        let (policy, give_up) = (Arc::new(policy), Duration::from_secs(300));
        let options = ClientOptions::new("live", "rtmp://proxy/live");
        Self {
            now,
            session: Session::new(1, policy, give_up, figures, now),
            client: ClientConnection::new(options, [1; 32]).unwrap(),
            targets: Vec::new(),
            up: true,
            answer: accept,
            heard: Vec::new(),
            seen: Vec::new(),
            said: (Vec::new(), Vec::new()),
        }
    }

    /// Lets everybody talk until nobody has anything to say.
    fn run(&mut self) {
        loop {
            self.session.tick(self.now);
            while let Some((id, _)) = self.session.next_dial(self.now) {
                if self.up && self.session.dialled(id, self.now) {
                    let target = ServerConnection::new(&ServerOptions::default(), [2; 32]);
                    self.targets.retain(|(known, _)| *known != id);
                    self.targets.push((id, target));
                } else {
                    self.session.target_lost(id, Loss::Failed(None), self.now);
                }
            }
            let said = self.client.output().split();
            self.session.client_bytes(&said, self.now);
            self.said.0.extend_from_slice(&said);
            let mut moved = said.len();
            let answers = self.session.client_output().split();
            moved += answers.len();
            let mut input = &answers[..];
            while let Some(event) = self.client.receive(&mut input).unwrap() {
                self.heard.push(event);
            }
            for (id, target) in &mut self.targets {
                let Some(out) = self.session.target_output(*id) else { continue };
                let said = out.split();
                let mut input = &said[..];
                while let Some(event) = target.receive(&mut input).unwrap() {
                    (self.answer)(target, &event);
                    self.seen.push(event);
                }
                let answers = target.output().split();
                self.session.target_bytes(*id, &answers, self.now);
                self.said.1.extend_from_slice(&answers);
                moved += said.len() + answers.len();
            }
            if moved == 0 {
                return;
            }
        }
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        self.run();
    }

    /// All connections to targets break.
    fn lose(&mut self) {
        for (id, _) in std::mem::take(&mut self.targets) {
            self.session.target_lost(id, Loss::Closed, self.now);
        }
    }

    fn publish(&mut self, name: &str) -> Option<u32> {
        let request = self.client.publish(name, PublishMode::Live).unwrap();
        self.run();
        self.heard.iter().find_map(|event| match event {
            ClientEvent::Publishing { request: of, stream_id } if *of == request => {
                Some(*stream_id)
            }
            _ => None,
        })
    }

    fn send(&mut self, stream: u32, kind: MessageType, timestamp: u32, payload: &'static [u8]) {
        let payload = Bytes::from_static(payload);
        self.client.send_media_on(stream, kind, timestamp, payload).unwrap();
        self.run();
    }

    /// What media and data the targets have got since the last look.
    fn got(&mut self) -> Vec<(u32, Vec<u8>)> {
        let seen = std::mem::take(&mut self.seen);
        let got = seen.into_iter().filter_map(|event| match event {
            ServerEvent::Media(message) => Some((message.timestamp, message.payload.to_vec())),
            ServerEvent::Data(data) => Some((data.timestamp, data.payload.to_vec())),
            _ => None,
        });
        got.collect()
    }

    /// A target sends on a message stream, as a server does.
    fn play_out(&mut self, stream_id: u32, timestamp: u32, payload: &[u8]) {
        let (kind, size) = (MessageType::VIDEO, ServerOptions::default().chunk_size);
        let (_, target) = self.targets.last_mut().unwrap();
        write_standalone(kind, 6, timestamp, stream_id, payload, size, target.output());
        self.run();
    }
}

fn policy(target: &str, renames: &[&str]) -> Policy {
    let target = Target::parse(target).unwrap();
    let mut all = Renames::default();
    renames.iter().for_each(|rename| all.add(Rename::parse(rename).unwrap()).unwrap());
    Policy { target, keys: Keys::default(), renames: all, publish: true, play: true }
}

const KEY: &[u8] = b"\x17\x01\0\0\0key";
const PICTURE: &[u8] = b"\x27\x01\0\0\0picture";
const CONFIGURATION: &[u8] = b"\x17\0\0\0\0configuration";
const METADATA: &[u8] = b"\x02\0\x0d@setDataFrame\x02\0\x0aonMetaData\x05";

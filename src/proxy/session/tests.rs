//! A client, a session and targets in memory, with a clock of their own.

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
            let mut moved = said.len();
            let answers = self.session.to_client().split();
            moved += answers.len();
            let mut input = &answers[..];
            while let Some(event) = self.client.receive(&mut input).unwrap() {
                self.heard.push(event);
            }
            for (id, target) in &mut self.targets {
                let Some(out) = self.session.to_target(*id) else { continue };
                let said = out.split();
                let mut input = &said[..];
                while let Some(event) = target.receive(&mut input).unwrap() {
                    (self.answer)(target, &event);
                    self.seen.push(event);
                }
                let answers = target.output().split();
                self.session.target_bytes(*id, &answers, self.now);
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

#[test]
fn what_is_published_arrives_as_it_was_sent() {
    let mut world = World::new(policy("rtmp://h/in", &["cam=theirs"]));
    let stream = world.publish("cam?x=1").unwrap();
    let connect = world.seen.iter().find_map(|event| match event {
        ServerEvent::Connect(connect) => Some(connect),
        _ => None,
    });
    let connect = connect.unwrap();
    assert_eq!((connect.app.as_str(), connect.tc_url.as_str()), ("in", "rtmp://h/in"));
    let named = |event: &ServerEvent| match event {
        ServerEvent::Publish(publish) => {
            publish.name == "theirs" && publish.query.as_deref() == Some("x=1")
        }
        _ => false,
    };
    assert!(world.seen.iter().any(named));
    world.send(stream, MessageType::DATA_AMF0, 0, METADATA);
    let set = |event: &ServerEvent| matches!(event, ServerEvent::Data(data) if data.frame == DataFrame::Set);
    assert!(world.seen.iter().any(set), "what the server shall keep is marked so");
    world.got();
    for (index, payload) in [CONFIGURATION, KEY, PICTURE, b""].into_iter().enumerate() {
        let time = (u32::MAX - 30).wrapping_add(index as u32 * 20);
        world.send(stream, MessageType::VIDEO, time, payload);
        assert_eq!(world.got(), [(time, payload.to_vec())]);
    }
    let totals = world.session.figures.totals();
    assert_eq!((totals.publishes, totals.messages_up, totals.messages_left_out), (1, 5, 0));
}

#[test]
fn what_is_played_arrives_as_it_was_sent() {
    let mut world = World::new(policy("rtmp://h", &[]));
    world.client.play("cam", PlayOptions { start: -1.0, ..PlayOptions::default() }).unwrap();
    world.run();
    let playing = |event: &ClientEvent| matches!(event, ClientEvent::Playing { stream_id: 1, .. });
    assert!(world.heard.iter().any(playing), "{:?}", world.heard);
    let asked =
        |event: &ServerEvent| matches!(event, ServerEvent::Play(play) if play.start == -1.0);
    assert!(world.seen.iter().any(asked));
    world.heard.clear();
    let long = vec![7; 3_000_000];
    for (time, payload) in [(5, KEY), (0xffff_fff0, PICTURE), (3, &long)] {
        world.play_out(1, time, payload);
        let heard = world.heard.pop().unwrap();
        let ClientEvent::Media(Message { timestamp, payload: got, .. }) = heard else { panic!() };
        assert_eq!((timestamp, &got[..]), (time, payload));
    }
    world.session.client_bytes(&[], world.now);
    world.targets[0].1.stop_play(1).unwrap();
    world.run();
    let stopped = |event: &ClientEvent| matches!(event, ClientEvent::Status(status) if status.code == "NetStream.Play.Stop");
    assert!(world.heard.iter().any(stopped));
    // A target that has said so, and goes, is not looked for again.
    world.lose();
    assert!(matches!(world.session.ended(), Some(End::TargetGone)));
}

#[test]
fn a_refusal_has_the_code_and_words_of_the_target_and_no_key() {
    let mut world = World::new(policy("rtmp://h", &["cam=theirs?key=s3cret"]));
    world.answer = refuse;
    assert_eq!(world.publish("cam"), None);
    let refused = world.heard.iter().find_map(|event| match event {
        ClientEvent::Refused(refused) => Some(refused),
        _ => None,
    });
    let refused = refused.unwrap();
    let told = (refused.code.as_str(), refused.description.as_str());
    assert_eq!(told, ("NetStream.Publish.BadName", "theirs?key=*** is taken"));
    assert!(world.session.ended().is_none(), "it may try again");
    world.answer = accept;
    assert!(world.publish("cam").is_some());
}

#[test]
fn a_publisher_survives_a_restart_of_the_target() {
    let mut world = World::new(policy("rtmp://h", &[]));
    let stream = world.publish("cam").unwrap();
    for (kind, payload) in [
        (MessageType::DATA_AMF0, METADATA),
        (MessageType::VIDEO, CONFIGURATION),
        (MessageType::AUDIO, b"\xaf\0\x12\x10"),
        (MessageType::VIDEO, KEY),
    ] {
        world.send(stream, kind, 0, payload);
    }
    world.up = false;
    world.lose();
    world.heard.clear();
    world.got();
    for time in [40, 80] {
        world.send(stream, MessageType::VIDEO, time, KEY);
    }
    world.wait(Duration::from_secs(20));
    assert!(world.got().is_empty());
    world.up = true;
    // While its old end lasts there, the name is taken.
    world.answer = refuse;
    world.wait(Duration::from_secs(20));
    world.answer = accept;
    world.wait(Duration::from_secs(20));
    world.send(stream, MessageType::VIDEO, 120, PICTURE);
    world.send(stream, MessageType::AUDIO, 121, b"\xaf\x01sound");
    assert!(world.got().is_empty(), "nothing before a key frame");
    world.send(stream, MessageType::VIDEO, 160, KEY);
    world.send(stream, MessageType::AUDIO, 161, b"\xaf\x01sound");
    let expected: Vec<(u32, Vec<u8>)> = [
        (160, &METADATA[16..]),
        (160, CONFIGURATION),
        (160, b"\xaf\0\x12\x10"),
        (160, KEY),
        (161, b"\xaf\x01sound"),
    ]
    .map(|(time, payload)| (time, payload.to_vec()))
    .into();
    assert_eq!(world.got(), expected);
    assert!(world.heard.is_empty(), "the publisher heard of it: {:?}", world.heard);
    let totals = world.session.figures.totals();
    assert_eq!((totals.returns, totals.messages_left_out), (1, 4));
}

#[test]
fn a_player_goes_on_when_the_target_is_back_and_is_told_if_the_stream_is_not() {
    let mut world = World::new(policy("rtmp://h", &[]));
    world.client.play("cam", PlayOptions::default()).unwrap();
    world.run();
    world.play_out(1, 0, KEY);
    world.lose();
    world.heard.clear();
    world.wait(Duration::from_secs(1));
    world.play_out(1, 70, KEY);
    let media = |event: &ClientEvent| matches!(event, ClientEvent::Media(_));
    assert_eq!(world.heard.iter().filter(|event| media(event)).count(), 1);
    world.lose();
    world.answer = refuse;
    world.wait(Duration::from_secs(1));
    let told: Vec<_> = world
        .heard
        .iter()
        .filter_map(|event| match event {
            ClientEvent::Status(status) => Some(status.code.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["NetStream.Play.UnpublishNotify", "NetStream.Play.Stop"]);
}

#[test]
fn a_target_that_is_not_there_is_waited_for_then_told_of() {
    let mut world = World::new(policy("rtmp://h", &[]));
    world.up = false;
    assert_eq!(world.publish("cam"), None);
    world.wait(Duration::from_secs(5));
    assert!(!world.heard.iter().any(|event| matches!(event, ClientEvent::Refused(_))));
    world.wait(Duration::from_secs(6));
    let told = |event: &ClientEvent| matches!(event, ClientEvent::Refused(refused) if refused.description.contains("cannot be reached"));
    assert!(world.heard.iter().any(told), "{:?}", world.heard);
    // One that comes in time is heard of by nobody.
    let request = world.client.publish("cam", PublishMode::Live).unwrap();
    world.run();
    world.up = true;
    world.wait(Duration::from_secs(9));
    let publishing = |event: &ClientEvent| matches!(event, ClientEvent::Publishing { request: of, .. } if *of == request);
    assert!(world.heard.iter().any(publishing));
    // One that stays away is given up.
    world.up = false;
    world.lose();
    world.wait(Duration::from_secs(299));
    assert!(world.session.ended().is_none());
    world.wait(Duration::from_secs(2));
    assert!(matches!(world.session.ended(), Some(End::TargetGone)));
}

#[test]
fn streams_of_one_connection_share_one_to_each_application() {
    let mut world = World::new(policy("rtmp://h", &["c=other/c"]));
    let [a, b, c] = ["a", "b", "c"].map(|name| world.publish(name).unwrap());
    assert_eq!(world.targets.len(), 2);
    world.got();
    for (stream, payload) in [(a, &b"\x27a"[..]), (b, b"\x27b"), (c, b"\x27c")] {
        world.send(stream, MessageType::VIDEO, 1, payload);
        assert_eq!(world.got(), [(1, payload.to_vec())]);
    }
    let request = world.client.request_on(b).unwrap();
    world.client.close(request).unwrap();
    world.run();
    let ended = |event: &ServerEvent| matches!(event, ServerEvent::Unpublish { .. });
    assert_eq!(world.seen.iter().filter(|event| ended(event)).count(), 1);
    world.send(a, MessageType::VIDEO, 2, b"\x27a");
    assert_eq!(world.got().len(), 1, "the other goes on");
}

#[test]
fn commands_that_only_the_target_knows_come_back_answered() {
    fn answer(target: &mut ServerConnection, event: &ServerEvent) {
        match event {
            ServerEvent::UnknownCommand(command) => {
                assert_eq!((command.name.as_str(), &command.arguments[1]), ("sum", &2.0.into()));
                let sum = vec![Value::from(4.0)];
                target.send_command(0, "_result", command.transaction, sum).unwrap();
                target.send_command(0, "news", 0.0, vec!["x".into()]).unwrap();
            }
            event => accept(target, event),
        }
    }
    let mut world = World::new(policy("rtmp://h", &[]));
    world.answer = answer;
    world.run();
    let without = world.client.send_command(0, "sum", vec![2.0.into()]).unwrap();
    world.run();
    world.publish("cam").unwrap();
    let with = world.client.send_command(0, "sum", vec![2.0.into()]).unwrap();
    world.run();
    let told: Vec<_> = world
        .heard
        .iter()
        .filter_map(|event| match event {
            ClientEvent::Command(command) => Some((
                command.name.as_str(),
                command.transaction,
                command.arguments.last().cloned(),
            )),
            _ => None,
        })
        .collect();
    assert_eq!((told[0].0, told[0].1), ("_error", f64::from(without)));
    assert_eq!(told[1], ("_result", f64::from(with), Some(4.0.into())));
    assert_eq!((told[2].0, told[2].2.clone()), ("news", Some("x".into())));
}

#[test]
fn a_slow_side_is_not_waited_for_in_memory() {
    let mut world = World::new(policy("rtmp://h", &[]));
    let stream = world.publish("cam").unwrap();
    let frame = Bytes::from(vec![0x27; 50_000]);
    let mut frames = 0;
    while world.session.takes_client() {
        world.client.send_media_on(stream, MessageType::VIDEO, 0, frame.clone()).unwrap();
        let said = world.client.output().split();
        world.session.client_bytes(&said, world.now);
        frames += 1;
        assert!(frames < 10, "the target's socket takes nothing, and the client is read on");
    }
    let id = world.targets[0].0;
    assert!(world.session.takes_target(id), "answers to it are few");
    world.run();
    assert!(world.session.takes_client());
    assert_eq!(world.got().len(), frames);

    // The other way round.
    let mut world = World::new(policy("rtmp://h", &[]));
    world.client.play("cam", PlayOptions::default()).unwrap();
    world.run();
    let (id, size) = (world.targets[0].0, ServerOptions::default().chunk_size);
    let mut frames = 0;
    while world.session.takes_target(id) {
        let mut bytes = BytesMut::new();
        write_standalone(MessageType::VIDEO, 6, 0, 1, &frame, size, &mut bytes);
        world.session.target_bytes(id, &bytes, world.now);
        frames += 1;
        assert!(frames < 10, "the player takes nothing, and the target is read on");
    }
    assert!(world.session.takes_client());
}

#[test]
fn who_may_not_is_refused_before_the_target_hears_of_it() {
    let mut rules = policy("rtmp://h", &[]);
    rules.keys.insert("cam", Secret::new("secret-of-cam")).unwrap();
    rules.play = false;
    let mut world = World::new(rules);
    assert_eq!(world.publish("cam"), None);
    assert_eq!(world.publish("cam?key=wrong"), None);
    world.client.play("cam", PlayOptions::default()).unwrap();
    world.run();
    let codes: Vec<_> = world
        .heard
        .iter()
        .filter_map(|event| match event {
            ClientEvent::Refused(refused) => Some(refused.code.as_str()),
            _ => None,
        })
        .collect();
    let denied = "NetStream.Publish.Denied";
    assert_eq!(codes, [denied, denied, "NetStream.Play.Failed"]);
    assert!(world.targets.is_empty());
    assert!(world.publish("cam?key=secret-of-cam").is_some());
    assert_eq!(world.session.figures.totals().refused, 3);
}

#[test]
fn who_does_nothing_is_not_kept() {
    let mut world = World::new(policy("rtmp://h", &[]));
    world.now += limits::PROXY_OPEN_MAX;
    world.session.tick(world.now);
    assert!(matches!(world.session.ended(), Some(End::Slow)));
    let mut world = World::new(policy("rtmp://h", &[]));
    world.run();
    world.wait(limits::PROXY_IDLE_MAX - Duration::from_secs(1));
    assert!(world.session.ended().is_none());
    world.wait(Duration::from_secs(1));
    assert!(matches!(world.session.ended(), Some(End::Idle)));
}

#[test]
fn leaving_is_said_to_the_target() {
    let mut world = World::new(policy("rtmp://h", &[]));
    world.publish("cam").unwrap();
    world.session.finish(End::Left);
    world.session.close();
    let (id, target) = &mut world.targets[0];
    let said = world.session.to_target(*id).unwrap().split();
    let event = target.receive(&mut &said[..]).unwrap();
    assert!(matches!(event, Some(ServerEvent::Unpublish { .. })), "{event:?}");
}

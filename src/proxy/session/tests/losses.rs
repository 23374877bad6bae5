//! Targets and clients that go, stay away, or are slow.

use super::*;

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

//! What goes through a session, both ways, and what is refused.

use super::*;

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
fn leaving_is_said_to_the_target() {
    let mut world = World::new(policy("rtmp://h", &[]));
    world.publish("cam").unwrap();
    world.session.finish(End::Left);
    world.session.close();
    let (id, target) = &mut world.targets[0];
    let said = world.session.target_output(*id).unwrap().split();
    let event = target.receive(&mut &said[..]).unwrap();
    assert!(matches!(event, Some(ServerEvent::Unpublish { .. })), "{event:?}");
}

//! A client's first words reach the server as they were set, and media that a server sends before its
//! answer to `play` is not lost.

use crate::common::{command, line};
use crate::common_bytes::{Cut, Pair};
use bytes::Bytes;
use millstream_amf0::{Object, Value};
use millstream_rtmp::chunk::write_standalone;
use millstream_rtmp::client::{ClientEvent, ClientOptions, ClientSession, PlayOptions};
use millstream_rtmp::message::MessageType;
use millstream_rtmp::server::{ServerEvent, ServerOptions};
use millstream_rtmp::session::PublishMode;

#[test]
fn its_version_and_application_arrive_and_the_answer_has_words() {
    let mut options = ClientOptions::new("live", "rtmp://host/live");
    options.flash_ver = "TEST 1,2,3,4".into();
    let mut pair = Pair::with(options, &ServerOptions::default(), Cut::Whole);
    let (client, server) = pair.run();
    let ServerEvent::Connect(connect) = &server[0] else { panic!("{server:?}") };
    assert_eq!((connect.app.as_str(), connect.flash_ver.as_str()), ("live", "TEST 1,2,3,4"));
    let ClientEvent::Connected(connected) = &client[0] else { panic!("{client:?}") };
    let information = &connected.information;
    assert_eq!(information.get_str("code"), Some("NetConnection.Connect.Success"));
    assert!(information.get_str("description").is_some_and(|words| !words.is_empty()));
}

/// The lines of all messages that a client has for its server.
fn said(session: &mut ClientSession) -> Vec<String> {
    std::iter::from_fn(|| session.next_message()).map(|message| line(&message)).collect()
}

fn connected() -> ClientSession {
    let mut options = ClientOptions::new("live", "rtmp://host/live");
    options.window_ack_size = 123_456;
    let mut session = ClientSession::new(options);
    session.connect().unwrap();
    said(&mut session);
    let code = Object::new().with("code", "NetConnection.Connect.Success");
    let answer = command(0, "_result", 1.0, [Value::Null, code.into()]);
    session.receive(answer).unwrap();
    session
}

#[test]
fn its_window_is_announced_once_before_the_first_play() {
    let window = "WindowAckSize(123456)";
    let mut session = connected();
    session.play("a", PlayOptions::default()).unwrap();
    session.play("b", PlayOptions::default()).unwrap();
    let mut lines = said(&mut session);
    for (transaction, stream_id) in [(2.0, 1.0), (3.0, 2.0)] {
        let created = command(0, "_result", transaction, [Value::Null, stream_id.into()]);
        session.receive(created).unwrap();
        lines.extend(said(&mut session));
    }
    let windows: Vec<_> = lines.iter().filter(|line| line.as_str() == window).collect();
    assert_eq!(windows.len(), 1, "{lines:?}");
    let place = |wanted: &str| lines.iter().position(|line| line.contains(wanted)).unwrap();
    assert!(place(window) < place(" play "), "{lines:?}");

    // A publisher is sent little, and need not say it.
    let mut session = connected();
    session.publish("a", PublishMode::Live).unwrap();
    let lines = said(&mut session);
    assert!(!lines.is_empty() && !lines.iter().any(|line| line == window), "{lines:?}");
}

#[test]
fn media_before_the_play_is_confirmed_is_handed_on() {
    let mut pair = Pair::new(Cut::Whole);
    pair.accept = false;
    let request = pair.client.play("cam", PlayOptions::default()).unwrap();
    let (_, server) = pair.run();
    let ServerEvent::Connect(connect) = &server[0] else { panic!("{server:?}") };
    pair.server.accept_connect(connect.request).unwrap();
    let (_, server) = pair.run();
    let play = server.iter().find_map(|event| match event {
        ServerEvent::Play(play) => Some(play.request),
        _ => None,
    });
    let kinds = [MessageType::VIDEO, MessageType::AUDIO];
    for (kind, payload) in kinds.into_iter().zip([b"\x17\x01early", b"\xaf\x01early"]) {
        let out = pair.server.output();
        write_standalone(kind, 6, 40, 1, payload, ServerOptions::default().chunk_size, out);
    }
    let (client, _) = pair.run();
    let media = client.iter().filter_map(|event| match event {
        ClientEvent::Media(media) => Some((media.kind, media.timestamp, media.payload.clone())),
        _ => None,
    });
    let early = [Bytes::from_static(b"\x17\x01early"), Bytes::from_static(b"\xaf\x01early")];
    let [picture, sound] = early;
    let expected = [(MessageType::VIDEO, 40, picture), (MessageType::AUDIO, 40, sound)];
    assert_eq!(media.collect::<Vec<_>>(), expected);
    assert!(!client.iter().any(|event| matches!(event, ClientEvent::Playing { .. })));
    pair.server.accept_play(play.expect("it was asked")).unwrap();
    let (client, _) = pair.run();
    assert!(client.contains(&ClientEvent::Playing { request, stream_id: 1 }), "{client:?}");
}

//! Arbitrary messages and bytes: no panic, and nothing grows.

use crate::common::{command, media};
use bytes::BytesMut;
use millstream_amf0::Value;
use millstream_rtmp::client::{ClientOptions, ClientSession};
use millstream_rtmp::connection::ServerConnection;
use millstream_rtmp::limits::UNREAD_ANSWER_BYTES_MAX;
use millstream_rtmp::message::{Message, MessageType};
use millstream_rtmp::server::{ServerEvent, ServerOptions, ServerSession};
use millstream_rtmp::session::{PublishMode, Rejection};
use proptest::prelude::*;

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<f64>().prop_map(Value::Number),
        (0_u32..4).prop_map(Value::from),
        any::<bool>().prop_map(Value::Boolean),
        "[a-c/?]{0,4}".prop_map(|text| Value::from(text.as_str())),
    ]
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "connect",
        "createStream",
        "publish",
        "play",
        "play2",
        "closeStream",
        "deleteStream",
        "FCPublish",
        "FCUnpublish",
        "FCSubscribe",
        "releaseStream",
        "pause",
        "seek",
        "receiveAudio",
        "getStreamLength",
        "_result",
        "_error",
        "onStatus",
        "onBWDone",
        "close",
        "unheard-of",
    ])
}

fn message() -> impl Strategy<Value = Message> {
    let commands = (0_u32..3, name(), 0_u32..6, [value(), value(), value(), value()])
        .prop_map(|(id, name, transaction, values)| command(id, name, transaction.into(), values));
    let others = (any::<u8>(), 0_u32..3, prop::collection::vec(any::<u8>(), 0..40))
        .prop_map(|(kind, id, payload)| media(MessageType(kind % 23), id, 0, &payload));
    prop_oneof![3 => commands, 1 => others]
}

/// Answers the request in `event`, one of three ways.
fn answer(session: &mut ServerSession, event: &ServerEvent, way: u8) {
    let rejection = Rejection::bad_name("no");
    let result = match (event, way % 3) {
        (ServerEvent::Connect(connect), _) => session.accept_connect(connect.request),
        (ServerEvent::Publish(publish), 0) => session.accept_publish(publish.request),
        (ServerEvent::Publish(publish), 1) => session.reject_publish(publish.request, &rejection),
        (ServerEvent::Play(play), 0) => session.accept_play(play.request),
        (ServerEvent::Play(play), 1) => session.reject_play(play.request, &rejection),
        _ => Ok(()),
    };
    result.unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_server_session_takes_any_messages(
        messages in prop::collection::vec((message(), any::<u8>()), 0..60),
    ) {
        let mut session = ServerSession::new(&ServerOptions::default());
        let connect = command(0, "connect", 1.0, [Value::Null]);
        for (message, way) in std::iter::once((connect, 0)).chain(messages) {
            if session.receive(message).is_err() {
                break;
            }
            // One event at a time: an answer may release more, and a request may be withdrawn
            // by the message after it, never by the answer to another.
            while let Some(event) = session.next_event() {
                if !matches!(event, ServerEvent::StopPlay { .. }) {
                    answer(&mut session, &event, way);
                }
            }
            while session.next_message().is_some() {}
        }
    }

    #[test]
    fn a_client_session_takes_any_messages(
        messages in prop::collection::vec(message(), 0..60),
    ) {
        let mut session = ClientSession::new(ClientOptions::new("live", "rtmp://host/live"));
        session.connect().unwrap();
        session.publish("a", PublishMode::Live).unwrap();
        session.play("b", Default::default()).unwrap();
        for message in messages {
            if session.receive(message).is_err() {
                break;
            }
            while session.next_event().is_some() {}
            while session.next_message().is_some() {}
        }
    }

    #[test]
    fn a_server_connection_takes_any_bytes(
        tail in prop::collection::vec(any::<u8>(), 0..2_000),
        cut in 1_usize..300,
    ) {
        let mut connection = ServerConnection::new(&ServerOptions::default(), [7; 32]);
        let mut bytes = vec![0; 1 + 2 * 1536];
        bytes[0] = 3;
        bytes.extend(tail);
        'reads: for mut piece in bytes.chunks(cut) {
            loop {
                match connection.receive(&mut piece) {
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(error) => {
                        prop_assert!(!error.name().is_empty() && error.at <= bytes.len() as u64);
                        break 'reads;
                    }
                }
            }
        }
        prop_assert!(connection.output().len() < 3_200 + UNREAD_ANSWER_BYTES_MAX);
    }
}

/// What is no RTMP at all is refused at its first byte.
#[test]
fn other_protocols_are_refused_by_name() {
    let cases = [
        (&b"GET / HTTP/1.1\r\n"[..], "handshake-version"),
        (b"\x16\x03\x01", "handshake-version"),
        (b"\x06", "handshake-encrypted"),
    ];
    for (bytes, expected) in cases {
        let mut connection = ServerConnection::new(&ServerOptions::default(), [7; 32]);
        let mut input = bytes;
        assert_eq!(connection.receive(&mut input).unwrap_err().name(), expected);
        assert_eq!(*connection.output(), BytesMut::new(), "nothing is sent to it");
    }
}

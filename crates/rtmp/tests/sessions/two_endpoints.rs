//! The client against the server, on bytes: whole, byte by byte, and cut at random.

use crate::common_bytes::{Cut, Pair};
use bytes::Bytes;
use millstream_amf0::{Object, Value};
use millstream_rtmp::chunk::write_standalone;
use millstream_rtmp::client::{ClientEvent, ClientOptions, PlayOptions};
use millstream_rtmp::handshake::Style;
use millstream_rtmp::message::{Message, MessageType};
use millstream_rtmp::server::{EndReason, ServerEvent, ServerOptions};
use millstream_rtmp::session::{DataFrame, Level, PublishMode, Rejection};
use proptest::prelude::*;

const KINDS: [MessageType; 2] = [MessageType::AUDIO, MessageType::VIDEO];

fn frames() -> Vec<(MessageType, u32, Bytes)> {
    let frame = |index: usize| {
        let payload = vec![index as u8; [0, 7, 130, 5_000, 70_000][index % 5]];
        (KINDS[index % 2], index as u32 * 33, payload.into())
    };
    (0..20).map(frame).collect()
}

/// The media, in order, and that it is what was sent.
fn assert_frames(media: impl Iterator<Item = Message>) {
    let came: Vec<_> = media.map(|came| (came.kind, came.timestamp, came.payload)).collect();
    assert_eq!(came, frames());
}

fn publishes(cut: Cut, style: Style) {
    let mut options = ClientOptions::new("live?token=t", "rtmp://host/live");
    options.handshake = style;
    let mut pair = Pair::with(options, &ServerOptions::default(), cut);
    let request = pair.client.publish("cam?key=k", PublishMode::Record).unwrap();
    let (client, server) = pair.run();
    assert!(matches!(&client[0], ClientEvent::Connected(connected) if connected.caps_ex == 15));
    assert!(client.contains(&ClientEvent::Publishing { request, stream_id: 1 }));
    let ServerEvent::Connect(connect) = &server[0] else { panic!("{server:?}") };
    assert_eq!((connect.app.as_str(), connect.app_query.as_deref()), ("live", Some("token=t")));
    let ServerEvent::Publish(publish) = &server[1] else { panic!("{server:?}") };
    assert_eq!((publish.name.as_str(), publish.query.as_deref()), ("cam", Some("key=k")));
    assert_eq!(publish.mode, PublishMode::Record);
    let metadata = Value::EcmaArray(Object::new().with("width", 1280.0));
    pair.client.send_metadata(0, metadata).unwrap();
    for (kind, timestamp, payload) in frames() {
        pair.client.send_media(kind, timestamp, payload).unwrap();
    }
    let (_, mut server) = pair.run();
    let ServerEvent::Data(data) = server.remove(0) else { panic!("{server:?}") };
    assert_eq!((data.name.as_str(), data.frame), ("onMetaData", DataFrame::Set));
    assert_frames(server.into_iter().map(|event| match event {
        ServerEvent::Media(message) => message,
        other => panic!("{other:?}"),
    }));
    pair.client.close(request).unwrap();
    let (_, server) = pair.run();
    assert_eq!(server, [ServerEvent::Unpublish { stream_id: 1, reason: EndReason::FcUnpublish }]);
    assert!(pair.client.send_media(MessageType::AUDIO, 0, Bytes::new()).is_err());
}

fn plays(cut: Cut) {
    let mut pair = Pair::new(cut);
    let request = pair.client.play("cam", PlayOptions::default()).unwrap();
    let (client, server) = pair.run();
    assert!(client.contains(&ClientEvent::Playing { request, stream_id: 1 }));
    assert!(server.contains(&ServerEvent::BufferLength { stream_id: 1, ms: 3000 }));
    assert_eq!(pair.client.request_on(1), Some(request));
    pair.client.set_buffer_length(request, 700).unwrap();
    let (_, server) = pair.run();
    assert_eq!(server, [ServerEvent::BufferLength { stream_id: 1, ms: 700 }]);
    // Media goes out beside the connection's own messages, the same bytes for every player.
    for (kind, timestamp, payload) in frames() {
        let chunk_stream_id = if kind == MessageType::AUDIO { 4 } else { 6 };
        let out = pair.server.output();
        write_standalone(kind, chunk_stream_id, timestamp, 1, &payload, 1024 * 1024, out);
        pair.server.ping(timestamp);
    }
    let (client, server) = pair.run();
    assert_frames(client.into_iter().map(|event| match event {
        ClientEvent::Media(message) => message,
        other => panic!("{other:?}"),
    }));
    assert!(matches!(server.last(), Some(ServerEvent::Pong { timestamp: 627 })));
    pair.server.unpublish_notify(1).unwrap();
    pair.server.publish_notify(1).unwrap();
    pair.server.stop_play(1).unwrap();
    let (client, _) = pair.run();
    assert!(client.contains(&ClientEvent::StreamEof { stream_id: 1 }));
    let codes = client.iter().filter_map(|event| match event {
        ClientEvent::Status(status) => Some(status.code.as_str()),
        _ => None,
    });
    let codes: Vec<_> = codes.collect();
    assert_eq!(
        codes,
        ["NetStream.Play.UnpublishNotify", "NetStream.Play.PublishNotify", "NetStream.Play.Stop"]
    );
}

#[test]
fn whole() {
    publishes(Cut::Whole, Style::Simple);
    publishes(Cut::Whole, Style::Digest);
    plays(Cut::Whole);
}

#[test]
fn byte_by_byte() {
    publishes(Cut::Every(1), Style::Simple);
    plays(Cut::Every(1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn cut_at_random(lengths in prop::collection::vec(1_usize..4_000, 1..40)) {
        publishes(Cut::Lengths(lengths.clone()), Style::Digest);
        plays(Cut::Lengths(lengths));
    }
}

#[test]
fn several_streams_on_one_connection() {
    let mut pair = Pair::new(Cut::Whole);
    let a = pair.client.publish("a", PublishMode::Live).unwrap();
    let b = pair.client.play("b", PlayOptions::default()).unwrap();
    let (client, _) = pair.run();
    assert!(client.contains(&ClientEvent::Publishing { request: a, stream_id: 1 }));
    assert!(client.contains(&ClientEvent::Playing { request: b, stream_id: 2 }));
    let c = pair.client.publish("c", PublishMode::Live).unwrap();
    let (client, _) = pair.run();
    assert!(client.contains(&ClientEvent::Publishing { request: c, stream_id: 3 }));
    pair.client.send_media_on(3, MessageType::VIDEO, 5, Bytes::from_static(b"c")).unwrap();
    pair.client.send_media(MessageType::VIDEO, 5, Bytes::from_static(b"a")).unwrap();
    let (_, server) = pair.run();
    let ids = server.iter().map(|event| match event {
        ServerEvent::Media(message) => (message.stream_id, &message.payload[..]),
        other => panic!("{other:?}"),
    });
    assert_eq!(ids.collect::<Vec<_>>(), [(3, &b"c"[..]), (1, b"a")]);
    assert!(pair.client.send_media_on(2, MessageType::VIDEO, 0, Bytes::new()).is_err());
    pair.client.close(b).unwrap();
    assert_eq!(
        pair.run().1,
        [ServerEvent::StopPlay { stream_id: 2, reason: EndReason::DeleteStream }]
    );
}

#[test]
fn refusals_and_redirects_are_reported() {
    let mut pair = Pair::new(Cut::Whole);
    pair.accept = false;
    let request = pair.client.publish("cam", PublishMode::Live).unwrap();
    let (_, server) = pair.run();
    let ServerEvent::Connect(connect) = &server[0] else { panic!("{server:?}") };
    pair.server.accept_connect(connect.request).unwrap();
    let (_, server) = pair.run();
    let ServerEvent::Publish(publish) = &server[0] else { panic!("{server:?}") };
    pair.server.reject_publish(publish.request, &Rejection::bad_name("taken")).unwrap();
    assert!(pair.server.accept_publish(publish.request).is_err(), "it was answered");
    let (client, _) = pair.run();
    let Some(ClientEvent::Refused(refused)) = client.last() else { panic!("{client:?}") };
    assert_eq!((refused.request, refused.code.as_str()), (request, "NetStream.Publish.BadName"));

    let mut pair = Pair::new(Cut::Whole);
    pair.accept = false;
    let (_, server) = pair.run();
    let ServerEvent::Connect(connect) = &server[0] else { panic!("{server:?}") };
    pair.server.redirect_connect(connect.request, "rtmp://other/live").unwrap();
    let (client, _) = pair.run();
    let Some(ClientEvent::ConnectRefused(refused)) = client.last() else { panic!("{client:?}") };
    assert_eq!(refused.redirect.as_deref(), Some("rtmp://other/live"));
    assert!(pair.client.publish("cam", PublishMode::Live).is_err(), "the session is closed");
}

#[test]
fn reconnect_requests_and_statuses_are_reported() {
    let mut pair = Pair::new(Cut::Whole);
    pair.run();
    pair.server.request_reconnect(Some("//other/live"), "maintenance").unwrap();
    pair.server.status(0, Level::Warning, "Some.Code", "text").unwrap();
    let (client, _) = pair.run();
    let ClientEvent::Reconnect(reconnect) = &client[0] else { panic!("{client:?}") };
    assert_eq!(reconnect.tc_url.as_deref(), Some("//other/live"));
    let ClientEvent::Status(status) = &client[1] else { panic!("{client:?}") };
    assert_eq!((status.level, status.code.as_str()), (Level::Warning, "Some.Code"));
}

/// Both sides acknowledge in the window that the other announced.
#[test]
fn acknowledgements_flow() {
    let options = ServerOptions { window_ack_size: 50_000, ..ServerOptions::default() };
    let mut pair =
        Pair::with(ClientOptions::new("live", "rtmp://host/live"), &options, Cut::Every(9_000));
    pair.client.publish("cam", PublishMode::Live).unwrap();
    pair.run();
    for index in 0..10 {
        pair.client.send_media(MessageType::VIDEO, index, vec![0; 20_000].into()).unwrap();
    }
    let (client, _) = pair.run();
    let acknowledged: Vec<_> = client
        .iter()
        .filter_map(|event| match event {
            ClientEvent::Acknowledged { bytes } => Some(*bytes),
            _ => None,
        })
        .collect();
    assert_eq!(acknowledged.len(), 3, "{acknowledged:?}");
    assert!(acknowledged.windows(2).all(|pair| pair[1] - pair[0] >= 50_000));
    assert!(u64::from(*acknowledged.last().unwrap()) <= pair.server.bytes_received());
}

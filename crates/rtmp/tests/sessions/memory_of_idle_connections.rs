//! A server holds 20,000 connections: what an idle one takes is a promise.

use crate::common::{Peer, data, media};
use crate::common_bytes::{Cut, Pair};
use millstream_rtmp::client::PlayOptions;
use millstream_rtmp::connection::ServerConnection;
use millstream_rtmp::message::MessageType;
use millstream_rtmp::server::{ServerEvent, ServerSession};

/// 20,000 of them are 8 MB.
#[test]
fn a_connection_takes_a_few_hundred_bytes() {
    assert!(size_of::<ServerSession>() <= 128, "{}", size_of::<ServerSession>());
    assert!(size_of::<ServerConnection>() <= 416, "{}", size_of::<ServerConnection>());
}

/// Events pass by value: each one of a publisher's messages is moved, not its payload.
#[test]
fn an_event_is_small() {
    assert!(size_of::<ServerEvent>() <= 96, "{}", size_of::<ServerEvent>());
}

/// After the answers were taken, nothing is kept of them.
#[test]
fn the_output_of_a_player_can_be_given_back() {
    let mut pair = Pair::new(Cut::Whole);
    pair.client.play("cam", PlayOptions::default()).unwrap();
    pair.run();
    drop(std::mem::take(pair.server.output()));
    assert_eq!(pair.server.output().capacity(), 0);
    assert_eq!(pair.server.reassembly_bytes(), 0);
}

/// A session hands on the very bytes that the chunk reader made, for media and for data.
#[test]
fn payloads_are_moved_and_sliced_but_not_copied() {
    let mut peer = Peer::publishing();
    let video = media(MessageType::VIDEO, 1, 0, &[0x17; 1_000]);
    let start = video.payload.as_ptr();
    let Some(ServerEvent::Media(came)) = peer.send(video).unwrap() else {
        panic!("media is reported");
    };
    assert_eq!(came.payload.as_ptr(), start);
    let metadata = data(1, &["@setDataFrame".into(), "onMetaData".into(), 1.0.into()]);
    let end = metadata.payload.as_ptr_range().end;
    let Some(ServerEvent::Data(came)) = peer.send(metadata).unwrap() else {
        panic!("metadata is reported");
    };
    assert_eq!(came.payload.as_ptr_range().end, end);
}

//! A server holds 20,000 connections: what an idle one takes is a promise.

use crate::common_bytes::{Cut, Pair};
use millstream_rtmp::client::PlayOptions;
use millstream_rtmp::connection::ServerConnection;
use millstream_rtmp::server::{ServerEvent, ServerSession};

/// 20,000 of them are 12 MB.
#[test]
fn a_connection_takes_a_few_hundred_bytes() {
    assert!(size_of::<ServerSession>() <= 256, "{}", size_of::<ServerSession>());
    assert!(size_of::<ServerConnection>() <= 640, "{}", size_of::<ServerConnection>());
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

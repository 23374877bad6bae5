//! Pings, acknowledgements, windows and commands without end: answers stay few.

use crate::common::{Peer, command, user};
use crate::common_bytes::{Cut, Pair};
use bytes::BytesMut;
use millstream_amf0::Value;
use millstream_rtmp::chunk::ChunkWriter;
use millstream_rtmp::control::{BandwidthLimit, Control, UserControl};
use millstream_rtmp::limits::UNREAD_ANSWER_BYTES_MAX;
use millstream_rtmp::message::Message;
use millstream_rtmp::server::ServerEvent;

/// Bytes as a connected client would send them next: on chunk streams it has not used.
fn wire(messages: impl IntoIterator<Item = Message>) -> BytesMut {
    let mut writer = ChunkWriter::new(4096);
    let mut out = BytesMut::new();
    for message in messages {
        writer.write(&Message { chunk_stream_id: 70, ..message }, &mut out);
    }
    out
}

fn connected() -> Pair {
    let mut pair = Pair::new(Cut::Whole);
    pair.run();
    pair
}

#[test]
fn pings_within_one_read_get_one_answer() {
    let mut pair = connected();
    let flood = wire((0..10_000).map(|time| user(UserControl::PingRequest(time))));
    let mut events = Vec::new();
    pair.feed_server(&flood, &mut events).unwrap();
    assert_eq!(events, []);
    assert!(pair.server.output().len() < 64);
}

#[test]
fn pings_whose_answers_nobody_takes() {
    let mut pair = connected();
    let flood = wire((0..100_000).map(|time| user(UserControl::PingRequest(time))));
    let mut events = Vec::new();
    for piece in flood.chunks(16) {
        if let Err(error) = pair.feed_server(piece, &mut events) {
            assert_eq!(error.name(), "answers-unread");
            assert!(pair.server.output().len() < UNREAD_ANSWER_BYTES_MAX + 1024);
            return;
        }
    }
    panic!("the connection has to end");
}

/// The same pings cost nothing where the answers are read.
#[test]
fn pings_whose_answers_are_taken() {
    let mut pair = connected();
    let flood = wire((0..20_000).map(|time| user(UserControl::PingRequest(time))));
    let mut events = Vec::new();
    for piece in flood.chunks(16) {
        pair.feed_server(piece, &mut events).unwrap();
        pair.server.output().clear();
    }
    assert_eq!(events, []);
}

#[test]
fn commands_whose_answers_nobody_takes() {
    let mut pair = connected();
    let flood = wire((0..10_000).map(|n| command(0, "_checkbw", f64::from(n + 9), [Value::Null])));
    let error = pair.feed_server(&flood, &mut Vec::new()).unwrap_err();
    assert_eq!(error.name(), "answers-unread");
    let error = pair.feed_server(b"", &mut Vec::new()).unwrap_err();
    assert_eq!(error.name(), "used-after-end");
}

#[test]
fn windows_and_bandwidths() {
    let mut pair = connected();
    let flood = (0..10_000).flat_map(|n| {
        [
            Control::WindowAckSize(n % 2).encode(),
            Control::SetPeerBandwidth { size: n, limit: BandwidthLimit::Hard }.encode(),
            Control::Abort { chunk_stream_id: n }.encode(),
        ]
    });
    let flood = wire(flood);
    pair.feed_server(&flood, &mut Vec::new()).unwrap();
    // One acknowledgement and one window.
    assert!(pair.server.output().len() <= 32, "{}", pair.server.output().len());
}

/// Each acknowledgement is an event, one at a time; none is kept.
#[test]
fn acknowledgements() {
    let mut pair = connected();
    let flood = wire((0..10_000).map(|bytes| Control::Acknowledgement(bytes).encode()));
    let mut events = Vec::new();
    pair.feed_server(&flood, &mut events).unwrap();
    assert_eq!(events.len(), 10_000);
    assert_eq!(events[7], ServerEvent::Acknowledged { bytes: 7 });
    // Set Chunk Size and connect came before them.
    assert_eq!(pair.server.other_messages(), 10_002);
    assert!(pair.server.output().len() <= 16);
}

/// A message-level session that nobody drains ends instead of growing.
#[test]
fn a_session_that_nobody_drains() {
    let mut peer = Peer::connected();
    for transaction in 0..2_000 {
        let check = command(0, "_checkbw", f64::from(transaction + 9), [Value::Null]);
        if let Err(error) = peer.send(check) {
            assert_eq!(error.name(), "answers-unread");
            return;
        }
    }
    panic!("the session has to end");
}

#[test]
fn control_messages_cut_short() {
    let mut peer = Peer::connected();
    let mut ping = user(UserControl::PingRequest(1));
    ping.payload.truncate(3);
    assert_eq!(peer.send(ping).unwrap_err().name(), "control-malformed");
}

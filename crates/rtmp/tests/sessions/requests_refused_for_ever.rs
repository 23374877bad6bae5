//! A peer asks again and again for what it may not have.

use crate::common::{Peer, command, media};
use millstream_amf0::Value;
use millstream_rtmp::limits::{AGGREGATE_PARTS_MAX, REFUSALS_MAX};
use millstream_rtmp::message::MessageType;
use millstream_rtmp::server::ServerEvent;
use millstream_rtmp::session::Rejection;

/// The caller's rejections count as the session's own do.
#[test]
fn rejections_by_the_caller_have_an_end() {
    for name in ["publish", "play"] {
        let mut peer = Peer::connected();
        let ask = || command(1, name, 2.0, [Value::Null, "forbidden".into()]);
        let mut rejected = 0;
        let error = loop {
            let request = match peer.send(ask()) {
                Ok(Some(ServerEvent::Publish(publish))) => publish.request,
                Ok(Some(ServerEvent::Play(play))) => play.request,
                Ok(other) => panic!("{name} is reported, not {other:?}"),
                Err(error) => break error,
            };
            let rejection = Rejection::play_failed("forbidden");
            if name == "publish" {
                peer.session.reject_publish(request, &rejection).unwrap();
            } else {
                peer.session.reject_play(request, &rejection).unwrap();
            }
            // The last one is answered like the first.
            assert_eq!(peer.answers(), ["1 onStatus 0 NetStream.Play.Failed"]);
            rejected += 1;
        };
        assert_eq!((error.name(), rejected), ("too-many-refusals", REFUSALS_MAX + 1));
    }
}

/// An aggregate must not become more events than anybody would put into one.
#[test]
fn the_parts_of_an_aggregate_are_bounded() {
    let empty = [8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11];
    let parts = |count: usize| media(MessageType::AGGREGATE, 1, 0, &empty.repeat(count));
    let mut peer = Peer::publishing();
    peer.session.receive(parts(AGGREGATE_PARTS_MAX)).unwrap();
    let events = std::iter::from_fn(|| peer.session.next_event()).count();
    assert_eq!(events, AGGREGATE_PARTS_MAX);
    let error = peer.session.receive(parts(AGGREGATE_PARTS_MAX + 1)).unwrap_err();
    assert_eq!(error.name(), "aggregate-too-long");
}

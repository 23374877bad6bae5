//! The machine itself: whole, byte by byte, several streams at once, and with a way up that is shut.

use crate::support::*;
use bytes::Bytes;
use millstream_amf0::Object;
use millstream_client::{
    Aim, Client, Event, Fate, Options, Refusal, SendError, Stop, UplinkLimits,
};
use millstream_rtmp::client::PlayOptions;
use millstream_rtmp::server::{EndReason, ServerEvent};
use millstream_rtmp::session::{DataFrame, Level, PublishMode};

/// Carries bytes both ways, `step` at a time, until nothing moves.
fn carry(client: &mut Client, server: &mut Session, step: usize) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        let count = client.outgoing().len().min(step);
        let up = client.outgoing()[..count].to_vec();
        client.sent(count);
        let down = server.feed(&up);
        for piece in down.chunks(step) {
            let mut input = piece;
            while let Some(event) = client.receive(&mut input).unwrap() {
                events.push(event);
            }
        }
        if count == 0 && down.is_empty() {
            return events;
        }
    }
}

#[test]
fn a_publish_goes_whole_and_byte_by_byte() {
    for step in [usize::MAX, 4096, 7, 1] {
        let mut server = Session::new();
        let mut client = Client::new(Options::new(&url("cam"))).unwrap();
        let stream = client.publish("cam?key=s3cret", PublishMode::Append).unwrap();
        assert_eq!(client.audio(stream, 0, Bytes::new()), Err(SendError::NotPublishing));
        let events = carry(&mut client, &mut server, step);
        assert!(matches!(events[0], Event::Connected(_)), "{events:?}");
        assert!(events.contains(&Event::Publishing(stream)), "{events:?}");

        client.metadata(stream, 0, Object::new().with("width", 320.0)).unwrap();
        for tag in film() {
            assert_eq!(client.tag(stream, tag), Ok(Fate::Queued));
        }
        client.data(stream, 50, "onTextData", "hello".into()).unwrap();
        assert_eq!(client.uplink(stream).unwrap().queued_messages, 5);
        client.close(stream).unwrap();
        assert_eq!(client.audio(stream, 60, Bytes::new()), Err(SendError::NotPublishing));
        carry(&mut client, &mut server, step);
        assert!(client.is_drained());
        assert_eq!(server.tags, film());
        let published = server.events.iter().find_map(|event| match event {
            ServerEvent::Publish(publish) => Some(publish),
            _ => None,
        });
        let published = published.unwrap();
        assert_eq!((published.name.as_str(), published.mode), ("cam", PublishMode::Append));
        let data = server.events.iter().filter_map(|event| match event {
            ServerEvent::Data(data) => Some((data.name.as_str(), data.frame)),
            _ => None,
        });
        let data: Vec<_> = data.collect();
        let expected = [("onMetaData", DataFrame::Set), ("onTextData", DataFrame::Pass)];
        assert_eq!(data, expected);
    }
}

#[test]
fn every_byte_is_counted_in_both_directions() {
    for step in [usize::MAX, 100, 1] {
        let mut server = Session::new();
        let mut client = Client::new(Options::new(&url("cam"))).unwrap();
        let stream = client.publish("cam", PublishMode::Live).unwrap();
        let film_on = client.play("film", PlayOptions::default()).unwrap();
        let (mut up, mut down) = (0, 0);
        for round in 0..2 {
            loop {
                let count = client.outgoing().len().min(step);
                let bytes = client.outgoing()[..count].to_vec();
                client.sent(count);
                let answer = server.feed(&bytes);
                for mut piece in answer.chunks(step) {
                    while client.receive(&mut piece).unwrap().is_some() {}
                }
                up += count as u64;
                down += answer.len() as u64;
                if count == 0 && answer.is_empty() {
                    break;
                }
            }
            assert_eq!((client.bytes_sent(), client.bytes_received()), (up, down));
            assert_eq!(server.connection.bytes_received(), up);
            if round == 0 {
                for tag in film() {
                    client.tag(stream, tag).unwrap();
                }
                client.close(film_on).unwrap();
            }
        }
        assert!(up > 3072 && down > 3072);
    }
}

#[test]
fn a_play_tells_what_the_server_tells() {
    for step in [usize::MAX, 13, 1] {
        let mut server = Session::new();
        let mut client = Client::new(Options::new(&url("film"))).unwrap();
        let options = PlayOptions { buffer_ms: 1234, ..PlayOptions::default() };
        let stream = client.play("film", options).unwrap();
        let events = carry(&mut client, &mut server, step);
        let place = |wanted: &Event| {
            events.iter().position(|event| event == wanted).unwrap_or_else(|| panic!("{events:?}"))
        };
        assert!(place(&Event::Reset(stream)) < place(&Event::Playing(stream)));
        assert!(place(&Event::Stopped { stream, why: Stop::Unpublished }) > 0);
        assert!(place(&Event::Stopped { stream, why: Stop::Eof }) > 0);
        let tags = events.iter().cloned().filter_map(Event::into_tag).collect::<Vec<_>>();
        assert_eq!(tags, film());
        client.set_buffer_length(stream, 5678).unwrap();
        client.ping(42);
        let events = carry(&mut client, &mut server, step);
        assert_eq!(events, [Event::Pong { timestamp: 42 }]);
        for ms in [1234, 5678] {
            assert!(server.events.contains(&ServerEvent::BufferLength { stream_id: 1, ms }));
        }
    }
}

#[test]
fn many_streams_share_a_connection() {
    let mut server = Session::new();
    let mut client = Client::new(Options::new(&url("a"))).unwrap();
    let publish = |client: &mut Client, name| client.publish(name, PublishMode::Live).unwrap();
    let (one, two) = (publish(&mut client, "one"), publish(&mut client, "two"));
    let refused = publish(&mut client, "no-three");
    let play = client.play("film", PlayOptions::default()).unwrap();
    let events = carry(&mut client, &mut server, usize::MAX);
    for wanted in [Event::Publishing(one), Event::Publishing(two), Event::Playing(play)] {
        assert!(events.contains(&wanted), "{wanted:?} in {events:?}");
    }
    let refusal = events.iter().find_map(|event| match event {
        Event::Refused(refusal) => Some(&**refusal),
        _ => None,
    });
    let Refusal { stream, aim, code, .. } = refusal.unwrap();
    assert_eq!((*stream, *aim), (Some(refused), Aim::Publish));
    assert_eq!(code, "NetStream.Publish.Denied");

    client.video(one, 0, Bytes::from_static(b"\x17\x01\0\0\0one")).unwrap();
    client.video(two, 0, Bytes::from_static(b"\x17\x01\0\0\0two")).unwrap();
    assert_eq!(client.video(refused, 0, Bytes::new()), Err(SendError::NotPublishing));
    client.finish();
    carry(&mut client, &mut server, usize::MAX);
    assert!(client.is_drained());
    let payloads: Vec<_> = server.tags.iter().map(|tag| &tag.payload[5..]).collect();
    assert_eq!(payloads, [&b"one"[..], b"two"]);
}

#[test]
fn errors_end_the_stream_that_they_mean() {
    let mut server = Session::new();
    let mut client = Client::new(Options::new(&url("a"))).unwrap();
    let one = client.publish("one", PublishMode::Live).unwrap();
    let two = client.publish("two", PublishMode::Live).unwrap();
    carry(&mut client, &mut server, usize::MAX);
    let mut error = |client: &mut Client, stream_id| {
        let (code, text) = ("NetStream.Publish.Denied", "enough");
        server.connection.status(stream_id, Level::Error, code, text).unwrap();
        carry(client, &mut server, usize::MAX)
    };
    let refused = |events: &[Event]| match events {
        // The server answers that it has been left, too.
        [Event::Refused(refusal), Event::Status { .. }] => refusal.stream,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&error(&mut client, 1)), Some(one));
    assert_eq!(client.video(one, 0, Bytes::new()), Err(SendError::NotPublishing));
    client.video(two, 0, Bytes::new()).unwrap();
    assert_eq!(refused(&error(&mut client, 2)), Some(two));
    assert_eq!(client.video(two, 0, Bytes::new()), Err(SendError::NotPublishing));
}

#[test]
fn a_server_that_says_close_is_sent_nothing_more() {
    let mut server = Session::new();
    let mut client = Client::new(Options::new(&url("cam"))).unwrap();
    let ending = client.publish("ending", PublishMode::Live).unwrap();
    let stream = client.publish("cam", PublishMode::Live).unwrap();
    carry(&mut client, &mut server, usize::MAX);
    for tag in film() {
        client.tag(ending, tag.clone()).unwrap();
        client.tag(stream, tag).unwrap();
    }
    client.close(ending).unwrap();
    assert!(client.is_connected());
    let close = server.close();
    assert_eq!(client.receive(&mut &close[..]).unwrap(), Some(Event::Closed));
    assert!(!client.is_connected());
    assert_eq!((client.aim(), client.outgoing()), (Aim::Publish, &b""[..]));
    assert!(client.is_drained());
    assert_eq!(client.audio(stream, 60, Bytes::new()), Err(SendError::NotPublishing));
}

#[test]
fn the_leave_is_that_of_obs() {
    let mut server = Session::new();
    let mut client = Client::new(Options::new(&url("cam"))).unwrap();
    let stream = client.publish("cam", PublishMode::Live).unwrap();
    carry(&mut client, &mut server, usize::MAX);
    client.tag(stream, film().remove(0)).unwrap();
    client.close(stream).unwrap();
    let wire = client.outgoing().to_vec();
    let place = |text: &[u8]| wire.windows(text.len()).position(|bytes| bytes == text).unwrap();
    assert!(place(b"header") < place(b"FCUnpublish"));
    assert!(place(b"FCUnpublish") < place(b"deleteStream"));
    carry(&mut client, &mut server, usize::MAX);
    assert!(server.saw(|event| matches!(
        event,
        ServerEvent::Unpublish { reason: EndReason::FcUnpublish, .. }
    )));
}

#[test]
fn what_backs_up_is_left_out_and_the_stream_can_be_decoded_after() {
    let mut server = Session::new();
    let options = Options::new(&url("cam"));
    let limits = UplinkLimits { bytes: 1 << 20, ms: 1_000 };
    let mut client = Client::new(options.with_uplink(limits)).unwrap();
    let stream = client.publish("cam", PublishMode::Live).unwrap();
    carry(&mut client, &mut server, usize::MAX);

    let key = Bytes::from([&b"\x17\x01\0\0\0"[..], &[7; 20_000]].concat());
    let picture = Bytes::from([&b"\x27\x01\0\0\0"[..], &[8; 3_000]].concat());
    let header = Bytes::from_static(b"\x17\0\0\0\0header");
    client.video(stream, 0, header.clone()).unwrap();
    let mut skipped = 0;
    for frame in 0..2_500_u32 {
        let payload = if frame % 50 == 0 { &key } else { &picture };
        let fate = client.video(stream, frame * 40, payload.clone()).unwrap();
        skipped += u32::from(fate == Fate::Skipped);
        // Between 20 and 70 s the socket takes nothing.
        if !(500..1_750).contains(&frame) {
            carry(&mut client, &mut server, usize::MAX);
        }
        let stats = client.uplink(stream).unwrap();
        assert!(stats.queued_bytes <= limits.bytes + key.len() && stats.queued_ms <= 1_040);
    }
    let stats = client.uplink(stream).unwrap();
    assert!(skipped > 500 && stats.skips >= 10, "{stats:?}");
    assert_eq!(server.tags[0].payload, header);
    assert_eq!(server.tags.len() as u64, stats.sent_messages);
    assert_eq!(stats.skipped_video + stats.sent_messages, 2_501);
    assert_eq!(server.tags.last().unwrap().timestamp, 2_499 * 40);
    // Wherever there is a step in time, a key frame goes on.
    for pair in server.tags[1..].windows(2) {
        if pair[1].timestamp - pair[0].timestamp > 40 {
            assert_eq!(pair[1].payload, key, "at {} ms", pair[1].timestamp);
        }
    }
}

proptest::proptest! {
    /// Whatever a server sends, whole or damaged: no panic, and what cannot be read is an error.
    #[test]
    fn anything_at_all_may_come(
        damage in proptest::collection::vec((0..6_000_usize, proptest::prelude::any::<u8>()), 0..8),
        cut in 0..6_000_usize,
        step in 1..2_000_usize,
    ) {
        // What a server says to a publisher and a player, in one piece.
        let (mut client, mut server) = (Client::new(Options::new(&url("a"))).unwrap(), Session::new());
        client.publish("one", PublishMode::Live).unwrap();
        client.play("film", PlayOptions::default()).unwrap();
        let mut said = Vec::new();
        for _ in 0..8 {
            let up = client.outgoing().to_vec();
            client.sent(up.len());
            let down = server.feed(&up);
            let mut input = &down[..];
            while client.receive(&mut input).unwrap().is_some() {}
            said.extend(down);
        }
        for (at, byte) in damage {
            let at = at % said.len();
            said[at] ^= byte;
        }
        said.truncate(cut.max(1));
        let mut client = Client::new(Options::new(&url("a"))).unwrap();
        client.publish("one", PublishMode::Live).unwrap();
        client.play("film", PlayOptions::default()).unwrap();
        'connection: for piece in said.chunks(step) {
            let mut input = piece;
            loop {
                match client.receive(&mut input) {
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(error) => {
                        proptest::prop_assert!(matches!(error, millstream_client::Error::Protocol(_)));
                        break 'connection;
                    }
                }
            }
            let count = client.outgoing().len();
            client.sent(count);
        }
    }
}

#[test]
fn words_of_the_server_hide_our_keys() {
    for (app, name) in [("live", "no-cam?key=s3cret"), ("no-app", "cam?key=s3cret")] {
        let url = millstream_client::RtmpUrl::parse(&format!("rtmp://h/{app}/{name}")).unwrap();
        let mut client = Client::new(Options::new(&url)).unwrap();
        client.publish(&url.name(), PublishMode::Live).unwrap();
        let events = carry(&mut client, &mut Session::new(), usize::MAX);
        assert!(!format!("{events:?} {client:?}").contains("s3cret"), "{events:?}");
        assert!(format!("{events:?}").contains("***"), "{events:?}");
    }
}

//! What is left out, what stays, and that the bounds hold whatever comes.

use super::*;

use millstream_flv::TagKind;
use proptest::prelude::*;

const LIMITS: UplinkLimits = UplinkLimits { bytes: 100_000, ms: 1_000 };

fn tag(kind: TagKind, timestamp: u32, head: &[u8], length: usize) -> Tag {
    let mut payload = head.to_vec();
    payload.resize(head.len().max(length), b'x');
    Tag { kind, timestamp, payload: payload.into() }
}

fn key(time: u32) -> Tag {
    tag(TagKind::Video, time, b"\x17\x01\0\0\0", 1_000)
}

fn picture(time: u32) -> Tag {
    tag(TagKind::Video, time, b"\x27\x01\0\0\0", 100)
}

fn sound(time: u32) -> Tag {
    tag(TagKind::Audio, time, b"\xaf\x01", 50)
}

fn video_header(number: u8) -> Tag {
    tag(TagKind::Video, 0, &[0x17, 0, 0, 0, 0, number], 0)
}

fn metadata(number: u8) -> Tag {
    tag(TagKind::Script, 0, &[b"\x02\0\x0aonMetaData", &[number][..]].concat(), 0)
}

fn stream() -> RequestId {
    // Ids come from sessions only.
    use millstream_rtmp::client::{ClientOptions, ClientSession};
    use millstream_rtmp::session::PublishMode;
    let mut session = ClientSession::new(ClientOptions::new("live", "rtmp://h/live"));
    session.publish("a", PublishMode::Live).unwrap()
}

fn uplink() -> (Uplink, RequestId) {
    let (mut uplink, stream) = (Uplink::new(LIMITS), stream());
    uplink.open(stream, 1);
    (uplink, stream)
}

/// What goes out, once the socket takes it.
fn drain(uplink: &mut Uplink) -> Vec<Tag> {
    std::iter::from_fn(|| uplink.pop())
        .map(|outgoing| match outgoing {
            Outgoing::Tag { tag, .. } => tag,
            Outgoing::End(_) => panic!("nothing has ended"),
        })
        .collect()
}

#[test]
fn an_uplink_that_is_wide_enough_changes_nothing() {
    let (mut uplink, stream) = uplink();
    for time in (0..20_000).step_by(40) {
        let frames =
            if time % 400 == 0 { [key(time), sound(time)] } else { [picture(time), sound(time)] };
        for frame in frames {
            assert_eq!(uplink.push(stream, frame), Some(Fate::Queued));
        }
        assert_eq!(drain(&mut uplink).len(), 2);
    }
    let stats = uplink.stats(stream).unwrap();
    assert_eq!((stats.sent_messages, stats.skipped_frames(), stats.skips), (1_000, 0, 0));
    assert_eq!((stats.queued_messages, stats.queued_bytes, stats.queued_ms), (0, 0, 0));
}

#[test]
fn pictures_are_dropped_up_to_the_newest_key_frame() {
    let (mut uplink, stream) = uplink();
    uplink.push(stream, video_header(1));
    for time in (0..=1_080).step_by(40) {
        uplink.push(stream, if time % 800 == 0 { key(time) } else { picture(time) });
        uplink.push(stream, sound(time));
    }
    let stats = uplink.stats(stream).unwrap();
    assert_eq!((stats.skips, stats.skipped_video, stats.skipping_video), (1, 20, false));
    let sent = drain(&mut uplink);
    let times = |kind| {
        let of_kind = sent[1..].iter().filter(move |tag| tag.kind == kind);
        of_kind.map(|tag| tag.timestamp).collect::<Vec<_>>()
    };
    assert_eq!(sent[0], video_header(1));
    assert_eq!(times(TagKind::Video), (800..=1_080).step_by(40).collect::<Vec<_>>());
    // The limit was passed at 1,040 ms, and sound of the half second before it is fresh.
    assert_eq!(times(TagKind::Audio), (560..=1_080).step_by(40).collect::<Vec<_>>());
}

#[test]
fn a_key_frame_that_is_fresh_enough_is_where_it_goes_on() {
    let (mut uplink, stream) = uplink();
    uplink.push(stream, video_header(1));
    for time in (0..=1_200).step_by(40) {
        uplink.push(stream, if time % 800 == 0 { key(time) } else { picture(time) });
    }
    let sent = drain(&mut uplink);
    let times: Vec<_> = sent[1..].iter().map(|tag| tag.timestamp).collect();
    assert_eq!(sent[0], video_header(1));
    assert_eq!(times, (800..=1_200).step_by(40).collect::<Vec<_>>());
    let stats = uplink.stats(stream).unwrap();
    assert_eq!((stats.skips, stats.skipped_video, stats.skipping_video), (1, 20, false));
    assert_eq!(stats.skipped_bytes, 1_000 + 19 * 100);
}

#[test]
fn after_a_skip_pictures_wait_for_a_key_frame() {
    let (mut uplink, stream) = uplink();
    let fate = |uplink: &mut Uplink, tag| uplink.push(stream, tag).unwrap();
    fate(&mut uplink, key(0));
    for time in (40..=1_000).step_by(40) {
        assert_eq!(fate(&mut uplink, picture(time)), Fate::Queued);
    }
    assert_eq!(fate(&mut uplink, picture(1_040)), Fate::Skipped);
    assert!(uplink.pop().is_none(), "all of it was old");
    assert_eq!(fate(&mut uplink, picture(1_080)), Fate::Skipped);
    assert_eq!(fate(&mut uplink, video_header(2)), Fate::Queued);
    assert_eq!(fate(&mut uplink, key(1_120)), Fate::Queued);
    assert_eq!(fate(&mut uplink, picture(1_160)), Fate::Queued);
    let sent = drain(&mut uplink);
    assert_eq!(sent, [video_header(2), key(1_120), picture(1_160)]);
    assert_eq!(uplink.stats(stream).unwrap().skipped_video, 28);
}

#[test]
fn a_stream_of_one_numbered_track_that_begins_amid_pictures_comes_back_too() {
    let (mut uplink, stream) = uplink();
    // Multitrack, one track of H.265, number 3: coded frames.
    let frame = |time, key| {
        let head: &[u8] = if key { b"\x96\x03hvc1\x03" } else { b"\xa6\x03hvc1\x03" };
        tag(TagKind::Video, time, head, 200)
    };
    for time in (0..=1_040).step_by(40) {
        uplink.push(stream, frame(time, false));
    }
    assert!(uplink.stats(stream).unwrap().skipping_video);
    assert_eq!(uplink.push(stream, frame(1_080, true)), Some(Fate::Queued));
    assert_eq!(uplink.push(stream, frame(1_120, false)), Some(Fate::Queued));
}

#[test]
fn headers_stay_current_through_a_long_standstill() {
    let (mut uplink, stream) = uplink();
    for round in 0..50_u8 {
        uplink.push(stream, metadata(round));
        uplink.push(stream, video_header(round));
        for frame in 0..50 {
            let time = u32::from(round) * 2_000 + frame * 40;
            uplink.push(stream, if frame == 0 { key(time) } else { picture(time) });
            uplink.push(stream, sound(time));
        }
    }
    let sent = drain(&mut uplink);
    assert_eq!(sent.iter().filter(|tag| Class::of(tag) == Class::Metadata).count(), 1);
    assert!(sent.contains(&metadata(49)));
    assert!(sent.contains(&video_header(49)));
    assert!(!sent.contains(&video_header(40)));
}

#[test]
fn old_sound_goes_too_when_it_alone_is_too_much() {
    let (mut uplink, stream) = uplink();
    for time in (0..3_000).step_by(20) {
        uplink.push(stream, sound(time));
    }
    let stats = uplink.stats(stream).unwrap();
    assert!(stats.skipped_audio > 0 && stats.queued_ms <= 1_020, "{stats:?}");
    assert_eq!(drain(&mut uplink).last(), Some(&sound(2_980)), "the newest is never dropped");
}

#[test]
fn a_jump_in_timestamps_is_no_backlog() {
    let (mut uplink, stream) = uplink();
    uplink.push(stream, key(0));
    for time in [3_600_000, 40, u32::MAX - 5, 3] {
        uplink.pop();
        assert_eq!(uplink.push(stream, picture(time)), Some(Fate::Queued), "{time}");
        assert_eq!(uplink.stats(stream).unwrap().queued_ms, 0);
    }
}

#[test]
fn the_end_stands_behind_what_is_queued() {
    let (mut uplink, stream) = uplink();
    uplink.push(stream, key(0));
    assert!(uplink.end(stream));
    assert!(!uplink.end(stream));
    assert_eq!(uplink.push(stream, key(1)), None);
    assert!(matches!(uplink.pop(), Some(Outgoing::Tag { message_stream: 1, .. })));
    assert!(!uplink.is_empty());
    assert_eq!(uplink.pop(), Some(Outgoing::End(stream)));
    assert!(uplink.is_empty() && uplink.stats(stream).is_none());
}

proptest! {
    /// Whatever is pushed and popped: nothing is lost from the books, the queue keeps its bounds, and
    /// what begins a stream again is a key frame.
    #[test]
    fn the_books_balance(steps in prop::collection::vec((0..8_u8, 0..200_u32, 0..20_000_usize), 1..400)) {
        let (mut uplink, stream) = uplink();
        let (mut time, mut pushed, mut sent) = (u32::MAX - 4_000, 0, 0);
        for (what, step, length) in steps {
            time = time.wrapping_add(step);
            let message = match what {
                0 => tag(TagKind::Video, time, b"\x17\x01\0\0\0", length),
                1 | 2 => tag(TagKind::Video, time, b"\x27\x01\0\0\0", length),
                3 => sound(time),
                4 => tag(TagKind::Script, time, b"\x02\0\x0aonTextData", length),
                5 => video_header(1),
                6 => tag(TagKind::Audio, time, b"\xaf\0", length),
                _ => {
                    sent += u64::from(uplink.pop().is_some());
                    continue;
                }
            };
            pushed += 1;
            let before = uplink.stats(stream).unwrap();
            uplink.push(stream, message.clone());
            let stats = uplink.stats(stream).unwrap();
            prop_assert_eq!(stats.sent_messages, sent);
            let skipped = stats.skipped_frames() + stats.skipped_data;
            prop_assert_eq!(pushed, sent + skipped + stats.queued_messages as u64);
            // One message more than the limit, and headers.
            prop_assert!(stats.queued_bytes <= LIMITS.bytes + 3 * 20_100, "{:?}", stats);
            if before.skipping_video {
                prop_assert_eq!(stats.skipping_video, Class::of(&message) != Class::Key(0));
            }
        }
    }
}

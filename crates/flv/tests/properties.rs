//! What holds for the headers of any message, and script data.

use bytes::BytesMut;
use millstream_amf0::{DecodeError, Limits, Object, Value};
use millstream_flv::{AudioHeader, ScriptData, ScriptError, VideoHeader, audio, video};
use proptest::{collection::vec, prelude::*};

/// Messages in which extended headers are frequent.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![any::<u8>(), 0x90u8..0x98, 0xd0u8..0xd8];
    let code = prop_oneof![Just(b"avc1"), Just(b"hvc1"), Just(b"av01"), Just(b"Opus")];
    let start = vec(0u8..24, 0..6);
    (first, start, code, vec(any::<u8>(), 0..60))
        .prop_map(|(first, start, code, rest)| [&[first][..], &start, code, &rest].concat())
}

proptest! {
    /// The header is that of the first track, and tracks lie one behind the other within the
    /// message.
    #[test]
    fn headers_and_tracks_agree(message in message()) {
        let header = VideoHeader::parse(&message);
        match video::tracks(&message) {
            Ok(mut tracks) => {
                let first = tracks.next().expect("there is at least one track");
                prop_assert_eq!(header.map(|header| header.track_id), first.map(|track| track.id));
                if let (Ok(header), Ok(track)) = (header, first) {
                    prop_assert_eq!(header.codec, track.codec);
                    prop_assert_eq!(header.composition_time, track.composition_time);
                    prop_assert!(message[header.header_len..].starts_with(track.body));
                    let rest: usize = tracks.flatten().map(|track| track.body.len()).sum();
                    prop_assert!(header.header_len + track.body.len() + rest <= message.len());
                }
            }
            Err(error) => prop_assert_eq!(header, Err(error)),
        }
        let header = AudioHeader::parse(&message);
        match audio::tracks(&message) {
            Ok(mut tracks) => {
                let first = tracks.next().expect("there is at least one track");
                prop_assert_eq!(header.map(|header| header.track_id), first.map(|track| track.id));
                if let (Ok(header), Ok(track)) = (header, first) {
                    prop_assert_eq!(header.codec, track.codec);
                    prop_assert!(message[header.header_len..].starts_with(track.body));
                    let rest: usize = tracks.flatten().map(|track| track.body.len()).sum();
                    prop_assert!(header.header_len + track.body.len() + rest <= message.len());
                }
            }
            Err(error) => prop_assert_eq!(header, Err(error)),
        }
    }

    /// What a header says does not depend on how much of the body has come.
    #[test]
    fn a_longer_body_changes_no_legacy_header(message in vec(any::<u8>(), 5..10), more: [u8; 9]) {
        let longer = [&message[..], &more].concat();
        if message[0] & 0x80 == 0 {
            prop_assert_eq!(VideoHeader::parse(&message), VideoHeader::parse(&longer));
        }
        if message[0] >> 4 != 9 {
            prop_assert_eq!(AudioHeader::parse(&message), AudioHeader::parse(&longer));
        }
    }
}

#[test]
fn metadata_both_ways() {
    let script =
        ScriptData::new("onMetaData", Value::EcmaArray(Object::new().with("width", 640.0)));
    let mut payload = BytesMut::new();
    script.write(&mut payload).unwrap();
    let read = ScriptData::parse(&payload, Limits::default()).unwrap();
    assert_eq!(read, script);
    assert_eq!(read.metadata().and_then(|metadata| metadata.get_number("width")), Some(640.0));
    assert_eq!(ScriptData::new("onCuePoint", Object::new()).metadata(), None);
}

#[test]
fn the_stray_end_marker_of_old_writers_is_a_fault_behind_the_values() {
    let read = ScriptData::parse(b"\x02\0\x01a\x05\0\0\x09", Limits::default()).unwrap();
    assert_eq!((read.name.as_str(), read.values), ("a", vec![Value::Null]));
    assert_eq!(read.fault, Some(DecodeError::Truncated { offset: 6 }));
}

#[test]
fn script_data_without_a_name_is_refused() {
    for payload in [&b""[..], b"\x05", b"\x00\0\0\0\0\0\0\0\0"] {
        assert_eq!(ScriptData::parse(payload, Limits::default()), Err(ScriptError::NoName));
    }
    let cut = ScriptData::parse(b"\x02\0\x05on", Limits::default());
    assert_eq!(cut, Err(ScriptError::Name(DecodeError::Truncated { offset: 3 })));
}

//! Small recordings, made tag by tag: which frames are kept, their times, and what is refused.

use super::*;
use crate::media::mark::MARK_BYTES;
use crate::media::seen::{Seen, look};
use bytes::BytesMut;
use millstream_amf0::{Object, decode_all};
use millstream_flv::{Header, ScriptData, TagKind, Writer};
use millstream_media::Codec;
use proptest::prelude::*;
use proptest::sample::Index;

const AVC_CONFIG: &[u8] = &[0x17, 0, 0, 0, 0, 1, 77, 0, 31, 0xff, 0xe0, 0];
const AAC_CONFIG: &[u8] = &[0xaf, 0, 0x11, 0x90];
const KEY: &[u8] = &[0x17, 1, 0, 0, 80, 0, 0, 0, 2, 0x65, 7];
const INTER: &[u8] = &[0x27, 1, 0, 0, 40, 0, 0, 0, 3, 0x41, 8, 9];
const SOUND: &[u8] = &[0xaf, 1, 0x21, 0x10, 0x04, 0x60, 0x8c, 0x1c];

use TagKind::{Audio, Script, Video};

fn file(tags: &[(TagKind, u32, &[u8])]) -> BytesMut {
    let (mut writer, mut out) = (Writer::new(), BytesMut::new());
    writer.header(Header { audio: true, video: true }, &mut out);
    for (kind, timestamp, payload) in tags {
        writer.tag(*kind, *timestamp, payload, &mut out).unwrap();
    }
    out
}

fn clip(tags: &[(TagKind, u32, &[u8])]) -> Result<Clip, ClipError> {
    read::read(&file(tags)[..])
}

/// Two configurations, and then these.
fn configured(tags: &[(TagKind, u32, &[u8])]) -> Result<Clip, ClipError> {
    let front: [(TagKind, u32, &[u8]); 2] = [(Video, 0, AVC_CONFIG), (Audio, 0, AAC_CONFIG)];
    clip(&[&front, tags].concat())
}

fn due_ms(clip: &Clip, track: Track, count: u32) -> Vec<u64> {
    (0..count).map(|sequence| clip.due_ns(track, sequence) / 1_000_000).collect()
}

#[test]
fn each_round_goes_on_by_the_length_of_the_recording() {
    let tags = [
        (Video, 5000, KEY),
        (Audio, 5010, SOUND),
        (Audio, 5031, SOUND),
        (Video, 5040, INTER),
        (Audio, 5052, SOUND),
        (Video, 5080, INTER),
    ];
    let clip = configured(&tags).unwrap();
    assert_eq!((clip.frames(Track::Video), clip.frames(Track::Audio)), (3, 3));
    // Pictures last until 80 + 40 ms, sound until 52 + 21 ms.
    assert_eq!(clip.period_ns(), 120_000_000);
    assert_eq!(due_ms(&clip, Track::Video, 7), [0, 40, 80, 120, 160, 200, 240]);
    assert_eq!(due_ms(&clip, Track::Audio, 7), [10, 31, 52, 130, 151, 172, 250]);
    for track in Track::ALL {
        let mut sum = 0;
        for sequence in 0..10 {
            assert_eq!(clip.payload_before(track, sequence), sum);
            sum += clip.frame(track, 0, 0, sequence, 0).len() as u64;
        }
    }
    let round = clip.payload_before(Track::Video, 3) + clip.payload_before(Track::Audio, 3);
    assert_eq!(clip.bytes_per_second(), round * 1000 / 120);
    // The last numbers are numbers too.
    assert!(clip.due_ns(Track::Video, u32::MAX) > clip.due_ns(Track::Video, u32::MAX - 1));
    assert!(!clip.frame(Track::Audio, u32::MAX, u32::MAX, u32::MAX, u64::MAX).is_empty());
}

#[test]
fn frames_keep_their_composition_times_and_all_their_bytes() {
    let coded_x = [&b"\xa3avc1"[..], &INTER[5..]].concat();
    let coded = [&b"\xa1avc1\x00\x00\x50"[..], &INTER[5..]].concat();
    let enhanced = [&b"\x90avc1"[..], &AVC_CONFIG[5..]].concat();
    let key = [&b"\x91avc1\x00\x00\x28"[..], &KEY[5..]].concat();
    let clip = clip(&[
        (Video, 0, &enhanced[..]),
        (Video, 0, &key),
        (Video, 40, &coded),
        (Video, 80, &coded_x),
    ])
    .unwrap();
    for (sequence, sent) in [&key, &coded, &coded_x].into_iter().enumerate() {
        let frame = clip.frame(Track::Video, 7, 8, sequence as u32, 9);
        let Seen::Frame { track: Track::Video, key, mark: Some((at, mark)) } =
            look(MessageType::VIDEO, &frame)
        else {
            panic!("no mark");
        };
        assert_eq!(key, sequence == 0);
        assert_eq!((mark.stream, mark.epoch, mark.scheduled_ns), (7, 8, 9));
        assert_eq!(mark.sequence, sequence as u32);
        assert!(mark.is_intact(&frame, at));
        // Length, header, type and size before the mark; the stop bit behind it.
        let restored = [&frame[..at - 7], &frame[at + MARK_BYTES + 1..]].concat();
        assert_eq!(restored, *sent);
    }
    assert!(!clip.has(Track::Audio));
    assert_eq!(clip.due_ns(Track::Audio, 0), u64::MAX);
    assert!(clip.frame(Track::Audio, 0, 0, 0, 0).is_empty());
}

#[test]
fn it_begins_with_a_key_frame_and_the_sound_from_there_on() {
    let tags = [
        (Audio, 0, SOUND),
        (Video, 10, INTER),
        (Audio, 21, SOUND),
        (Video, 50, KEY),
        (Audio, 64, SOUND),
        (Video, 90, INTER),
    ];
    let clip = configured(&tags).unwrap();
    assert_eq!(due_ms(&clip, Track::Video, 2), [0, 40]);
    assert_eq!((clip.frames(Track::Audio), due_ms(&clip, Track::Audio, 1)), (1, vec![14]));
    // Where no picture is left out, no sound is.
    let clip = configured(&[(Audio, 0, SOUND), (Video, 7, KEY), (Audio, 21, SOUND)]).unwrap();
    assert_eq!(due_ms(&clip, Track::Video, 1), [7]);
    assert_eq!(due_ms(&clip, Track::Audio, 2), [0, 21]);
}

#[test]
fn times_that_wrap_or_go_back_are_put_right() {
    let tags = [
        (Video, u32::MAX - 19, KEY),
        (Video, 20, INTER),
        (Video, 10, INTER),
        (Video, 60, INTER),
        (Video, 900_000, INTER),
    ];
    let clip = configured(&tags).unwrap();
    let due = due_ms(&clip, Track::Video, 15);
    assert_eq!(due[..4], [0, 40, 40, 80]);
    assert!(due.is_sorted() && due[4] <= 1080, "{due:?}");
}

#[test]
fn what_is_sent_first_says_nothing_of_the_file() {
    let properties = Object::new()
        .with("duration", 9.0)
        .with("width", 640.0)
        .with("filesize", 1e6)
        .with("encoder", "any");
    let mut script = Vec::new();
    ScriptData::new("onMetaData", properties).write(&mut script).unwrap();
    let colours = b"\x94avc1\x02\x00\x09colorInfo".as_slice();
    let clip = configured(&[
        (Script, 0, &script),
        (Script, 0, b"\x02\x00\x06onText"),
        (Video, 0, colours),
        (Video, 0, AVC_CONFIG),
        (Video, 0, KEY),
        (Video, 9, colours),
        (Video, 9, b"\x17\x02\x00\x00\x00"),
    ])
    .unwrap();
    let (kinds, payloads): (Vec<_>, Vec<_>) = clip.opening().iter().cloned().unzip();
    use MessageType as Type;
    // The sound has a configuration and no frame, so it is no track.
    assert_eq!(kinds, [Type::DATA_AMF0, Type::VIDEO, Type::VIDEO]);
    assert_eq!((&payloads[1][..], &payloads[2][..]), (AVC_CONFIG, colours));
    let values = decode_all(&payloads[0]).unwrap();
    assert_eq!(values[0].as_str(), Some("@setDataFrame"));
    assert_eq!(values[1].as_str(), Some("onMetaData"));
    let names: Vec<&str> = values[2].as_object().unwrap().iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["width", "encoder"]);
    assert_eq!(clip.frames(Track::Video), 1);
}

#[test]
fn the_last_configuration_before_the_frames_counts() {
    let clip = clip(&[
        (Video, 0, b"\x90av01"),
        (Video, 0, b"\x90av01\x81\0\x0c\0"),
        (Video, 0, b"\x91av01\x12\0\x32\x01\x10"),
    ])
    .unwrap();
    assert_eq!(&clip.opening()[0].1[..], b"\x90av01\x81\0\x0c\0");
}

#[test]
fn the_line_for_the_report_says_what_is_known() {
    let sound: Vec<(TagKind, u32, &[u8])> = (0..50).map(|at| (Audio, at * 20, SOUND)).collect();
    let line = configured(&sound).unwrap().describe().to_owned();
    assert_eq!(line, "AAC 48000 Hz, 0.03 Mbit/s, 1.0 s over and over");
    let video: Vec<(TagKind, u32, &[u8])> =
        (0..50).map(|at| (Video, at * 40, if at % 25 == 0 { KEY } else { INTER })).collect();
    let line = configured(&video).unwrap().describe().to_owned();
    let expected =
        "H.264 at 25.00 frames/s, key frame every 1.00 s, 0.02 Mbit/s, 2.0 s over and over";
    assert_eq!(line, expected);
}

#[test]
fn what_cannot_be_published_is_refused_with_its_reason() {
    let is = |tags: &[(TagKind, u32, &[u8])], expected: fn(&ClipError) -> bool| {
        let error = configured(tags).unwrap_err();
        assert!(expected(&error), "{error:?}");
        assert!(!error.to_string().is_empty());
    };
    is(&[], |error| matches!(error, ClipError::Empty));
    is(&[(Video, 0, INTER)], |error| matches!(error, ClipError::NoKeyFrame));
    is(&[(Audio, 0, b"\x2f\xff\xfb")], |error| matches!(error, ClipError::Changes(Track::Audio)));
    is(&[(Video, 0, KEY), (Video, 9, b"\x90vp09\x01")], |error| {
        matches!(error, ClipError::Changes(Track::Video))
    });
    is(&[(Video, 0, b"\x96\x00avc1\x00\x01")], |error| {
        matches!(error, ClipError::Multitrack(Track::Video))
    });
    is(&[(Audio, 0, b"\x95\x01mp4a\x00\x21")], |error| {
        matches!(error, ClipError::Multitrack(Track::Audio))
    });
    is(&[(Video, 0, KEY), (Video, 1, b"\x27\x01\0\0\0\0\0\0\x09\x41")], |error| {
        matches!(error, ClipError::Frame(Track::Video, 1))
    });
    is(&[(Video, 0, b"\x91avc")], |error| matches!(error, ClipError::Header(Track::Video, _)));

    is(&[(Video, 0, KEY), (Video, 1, b"\x17\0\0\0\0\x01")], |error| {
        matches!(error, ClipError::Changes(Track::Video))
    });

    let alone = |tags: &[(TagKind, u32, &[u8])]| clip(tags).unwrap_err();
    let mp3 = alone(&[(Audio, 0, b"\x2f\xff\xfb")]);
    assert!(matches!(mp3, ClipError::Codec(Codec::Mp3)), "{mp3:?}");
    assert!(mp3.to_string().contains("MP3") && mp3.to_string().contains("AAC"), "{mp3}");
    let vp9 = alone(&[(Video, 0, b"\x90vp09\x01")]);
    assert!(matches!(vp9, ClipError::Codec(Codec::Vp9)), "{vp9:?}");
    let lost = alone(&[(Video, 0, KEY)]);
    assert!(matches!(lost, ClipError::NoConfiguration(Track::Video)), "{lost:?}");
    let error = read::read(&b"not a recording"[..]).unwrap_err();
    assert!(matches!(error, ClipError::NotFlv(_)), "{error:?}");
    let error = Clip::open(Path::new("/nowhere/at/all.flv")).unwrap_err();
    assert!(matches!(error, ClipError::Io(_)), "{error:?}");
}

proptest! {
    #[test]
    fn damaged_files_are_read_or_refused(at: Index, byte: u8, cut: Index) {
        let mut tags: Vec<(TagKind, u32, &[u8])> =
            vec![(Video, 0, AVC_CONFIG), (Audio, 0, AAC_CONFIG), (Video, 0, KEY)];
        tags.extend((1..9).map(|at| if at % 2 == 0 { (Video, at * 20, INTER) } else { (Audio, at * 20, SOUND) }));
        let mut bytes = file(&tags);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        for file in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
            let Ok(clip) = read::read(file) else { continue };
            for track in Track::ALL.into_iter().filter(|track| clip.has(*track)) {
                let due = due_ms(&clip, track, 40);
                prop_assert!(due.is_sorted(), "{:?}", due);
                prop_assert!(clip.frame(track, 0, 0, 39, 0).len() > MARK_BYTES);
            }
        }
    }
}

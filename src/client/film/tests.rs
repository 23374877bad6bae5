//! The order of what is sent, and its times.

use super::*;
use bytes::BytesMut;
use millstream_flv::{Header, Writer};

const METADATA: &[u8] = b"\x02\0\x0aonMetaData\x05";
const VIDEO_HEADER: &[u8] = b"\x17\0\0\0\0\x01";
const AUDIO_HEADER: &[u8] = b"\xaf\0\x12\x10";
const KEY: &[u8] = b"\x17\x01\0\0\0x";
const PICTURE: &[u8] = b"\x27\x01\0\0\0x";
const SOUND: &[u8] = b"\xaf\x01x";

/// What is sent of a file with these tags: times and what they mean.
fn sent(name: &str, tags: &[(TagKind, u32, &[u8])], passes: usize) -> Vec<(u64, Meaning)> {
    let mut file = BytesMut::new();
    let mut writer = Writer::new();
    writer.header(Header { audio: true, video: true }, &mut file);
    for (kind, time, payload) in tags {
        writer.tag(*kind, *time, payload, &mut file).unwrap();
    }
    let name = format!("millstream-film-{}-{name}.flv", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, &file).unwrap();
    let mut film = Film::new(Source::open(&path, false).unwrap(), false);
    assert!(film.begin().unwrap());
    let mut sent = Vec::new();
    for pass in 0..passes {
        if pass > 0 {
            film.rewind().unwrap();
        }
        while let Next::Tag(placed) = film.next().unwrap() {
            sent.push((placed.ms, placed.meaning));
        }
    }
    std::fs::remove_file(&path).unwrap();
    sent
}

use Meaning::{Audio, AudioHeader, Metadata, Video, VideoHeader};
use TagKind::{Audio as A, Script as S, Video as V};

#[test]
fn headers_go_first_wherever_they_stand() {
    let tags = [
        (V, 0, PICTURE),
        (A, 10, AUDIO_HEADER),
        (A, 10, SOUND),
        (S, 0, METADATA),
        (V, 0, VIDEO_HEADER),
        (V, 40, PICTURE),
    ];
    let meanings: Vec<_> = sent("headers", &tags, 1).iter().map(|(_, what)| *what).collect();
    assert_eq!(meanings, [Metadata, VideoHeader, AudioHeader, Video, Audio, Video]);
}

#[test]
fn repetition_goes_on_by_a_frame_and_leaves_known_headers_out() {
    let tags = [
        (S, 0, METADATA),
        (V, 500, VIDEO_HEADER),
        (V, 500, PICTURE),
        (A, 510, SOUND),
        (V, 540, PICTURE),
    ];
    let first = [(0, Metadata), (500, VideoHeader), (500, Video), (510, Audio), (540, Video)];
    let again = |at: u64| [(at, Video), (at + 10, Audio), (at + 40, Video)];
    let all = [&first[..], &again(580), &again(660)].concat();
    assert_eq!(sent("loop", &tags, 3), all);
}

#[test]
fn a_jump_within_the_file_is_taken_out() {
    let hour = 3_600_000;
    let tags = [
        (V, 0, PICTURE),
        (V, 40, PICTURE),
        (V, 80 + hour, PICTURE),
        (A, 85 + hour, SOUND),
        (V, 5, PICTURE),
    ];
    let times: Vec<_> = sent("jump", &tags, 1).iter().map(|(ms, _)| *ms).collect();
    assert_eq!(times, [0, 40, 80, 85, 120]);
}

#[test]
fn a_followed_file_begins_with_its_newest_key_frame_and_goes_on() {
    let path = std::env::temp_dir().join(format!("millstream-film-{}-f.flv", std::process::id()));
    let (mut file, mut writer) = (BytesMut::new(), Writer::new());
    writer.header(Header { audio: true, video: true }, &mut file);
    let mut add = |time: u32, payload: &[u8]| {
        writer.tag(V, time, payload, &mut file).unwrap();
        std::fs::write(&path, &file).unwrap();
    };
    add(0, VIDEO_HEADER);
    let mut film = Film::new(Source::open(&path, true).unwrap(), true);
    assert!(!film.begin().unwrap(), "there is no frame yet");
    for (time, payload) in [(0, KEY), (40, PICTURE), (80, KEY), (120, PICTURE)] {
        add(time, payload);
    }
    assert!(film.begin().unwrap());
    let mut sent = Vec::new();
    let mut take = |film: &mut Film| {
        while let Next::Tag(placed) = film.next().unwrap() {
            sent.push((placed.ms, placed.meaning));
        }
    };
    take(&mut film);
    add(160, PICTURE);
    take(&mut film);
    // Written anew: times go on by a frame.
    std::fs::write(&path, &file[..0]).unwrap();
    take(&mut film);
    let (mut file, mut writer) = (BytesMut::new(), Writer::new());
    writer.header(Header { audio: true, video: true }, &mut file);
    writer.tag(V, 7_000, KEY, &mut file).unwrap();
    std::fs::write(&path, &file).unwrap();
    take(&mut film);
    std::fs::remove_file(&path).unwrap();
    let expected = [(80, VideoHeader), (80, Video), (120, Video), (160, Video), (200, Video)];
    assert_eq!(sent, expected);
    assert_eq!(film.first(), 80);
}

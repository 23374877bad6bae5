//! Marks are held against real decoders: a recording is marked, frame by frame, and ffmpeg must
//! decode from it what it decodes from the original, without a complaint; and when it copies the
//! frames to another file, as servers do that remux, every mark must be there and agree.
//!
//! How marks are put in and found is tested with the modules of `loadtest::media`.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use bytes::BytesMut;
use loadtest::media::Track;
use loadtest::media::clip::{Clip, ClipError};
use loadtest::media::seen::{Seen, look};
use loadtest::media::shape::Shape;
use loadtest::media::source::Source;
use millstream_flv::{Header, Item, Reader, TagKind, Writer};
use millstream_rtmp::message::MessageType;
use millstream_testkit::clip::Clip as Sample;
use millstream_testkit::process::Invocation;
use millstream_testkit::{Process, Scratch, tools};
use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn h264_and_aac_decode_as_before() {
    decodes_as_before(&Sample::H264Aac.path().unwrap(), false);
}

#[test]
fn hevc_decodes_as_before() {
    decodes_as_before(&Sample::HevcAac.path().unwrap(), true);
}

#[test]
fn av1_and_opus_decode_as_before() {
    decodes_as_before(&Sample::Av1Opus.path().unwrap(), true);
}

/// Delimiters, parameter sets and buffering periods in the stream; six channels.
#[test]
fn h264_that_must_begin_with_something_decodes_as_before() {
    let parameters = "aud=1:nal-hrd=cbr:bitrate=500:vbv-maxrate=500:vbv-bufsize=500";
    let parameters = format!("{parameters}:repeat-headers=1:keyint=50:bframes=3");
    let video = ["-c:v", "libx264", "-preset", "veryfast", "-x264-params", &parameters];
    let audio = ["-c:a", "aac", "-ac", "6"];
    encoded_decodes_as_before(&[&video[..], &audio].concat(), false);
}

/// The same of H.265, and Opus packets of several frames.
#[test]
fn hevc_that_must_begin_with_something_decodes_as_before() {
    let parameters = "aud=1:hrd=1:bitrate=500:vbv-maxrate=500:vbv-bufsize=500";
    let parameters = format!("{parameters}:repeat-headers=1:keyint=50:log-level=error");
    let video = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", &parameters];
    let audio = ["-c:a", "libopus", "-ac", "1", "-frame_duration", "60"];
    encoded_decodes_as_before(&[&video[..], &audio].concat(), true);
}

#[test]
fn vp9_is_refused_and_told_why() {
    let error = Clip::open(&Sample::Vp9Opus.path().unwrap()).unwrap_err();
    assert!(matches!(error, ClipError::Codec(_)), "{error}");
    assert!(error.to_string().contains("VP9"), "{error}");
}

#[test]
fn a_recording_goes_on_where_it_ends() {
    let original = Sample::H264Aac.path().unwrap();
    let clip = Clip::open(&original).unwrap();
    let rounds = Track::ALL.map(|track| clip.frames(track) * 2);
    let scratch = Scratch::new("media-rounds").unwrap();
    let path = scratch.file("marked.flv");
    write(&Source::File(clip), rounds, &path);
    let once = frames(false, &scratch, "once", &original);
    let twice = frames(false, &scratch, "twice", &path);
    let pictures = |lines: &[String]| lines.iter().filter(|line| line.starts_with("0,")).count();
    assert_eq!(pictures(&twice), 2 * pictures(&once));
}

#[test]
fn generated_streams_decode_without_an_error() {
    let scratch = Scratch::new("media-generated").unwrap();
    for bits in [100_000, 600_000, 2_630_000, 50_000_000] {
        let path = scratch.file(&format!("{bits}.flv"));
        write(&Source::Generated(Shape::new(bits, 30)), [120, 188], &path);
        let decoded = frames(false, &scratch, &bits.to_string(), &path);
        let of = |stream: &str| -> Vec<&str> {
            let lines = decoded.iter().filter(|line| line.starts_with(stream));
            lines.filter_map(|line| line.rsplit(", ").next()).collect()
        };
        let (pictures, sounds) = (of("0,"), of("1,"));
        assert_eq!((pictures.len(), sounds.len()), (120, 188), "{bits}");
        assert!(sounds.iter().all(|hash| *hash == sounds[0]), "{sounds:?}");
        // The noise is seen, and so none of its bytes is lost on a decoder.
        let distinct: HashSet<&str> = pictures.iter().copied().collect();
        assert!(distinct.len() > 115 || bits < 1_000_000, "{bits}: {distinct:?}");
    }
}

fn encoded_decodes_as_before(codecs: &[&str], enhanced: bool) {
    let scratch = Scratch::new("media-encoded").unwrap();
    let path = scratch.file("original.flv");
    let encode = ffmpeg(enhanced)
        .args(["-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25"])
        .args(["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"])
        .args(["-t", "5", "-pix_fmt", "yuv420p"])
        .args(codecs.iter().copied())
        .args([path.to_string_lossy()]);
    Process::start(&scratch, "encode", &encode, LIMIT).unwrap().wait_success().unwrap();
    decodes_as_before(&path, enhanced);
}

fn decodes_as_before(original: &Path, enhanced: bool) {
    let clip = Clip::open(original).unwrap();
    let counts = Track::ALL.map(|track| clip.frames(track));
    assert!(counts[0] >= 120 && counts[1] >= 80, "{counts:?}");
    let scratch = Scratch::new("media").unwrap();
    let marked = scratch.file("marked.flv");
    write(&Source::File(clip), counts, &marked);
    let before = frames(enhanced, &scratch, "original", original);
    let after = frames(enhanced, &scratch, "marked", &marked);
    assert!(before.len() > 200, "{before:?}");
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before, after);
    }
    assert_eq!(before.len(), after.len());
    let copy = scratch.file("copy.flv");
    let remux = ffmpeg(enhanced)
        .args(["-nostdin", "-v", "warning", "-i"])
        .args([marked.to_string_lossy()])
        .args(["-map", "0", "-c", "copy"])
        .args([copy.to_string_lossy()]);
    Process::start(&scratch, "copy", &remux, LIMIT).unwrap().wait_success().unwrap();
    assert_eq!(intact(&copy), counts);
}

/// How many frames of each track stand in a file, one after the other and each as it was sent.
fn intact(path: &Path) -> [u32; 2] {
    let bytes = std::fs::read(path).unwrap();
    let (mut reader, mut input, mut counts) = (Reader::new(), &bytes[..], [0; 2]);
    loop {
        match reader.read(&mut input).unwrap() {
            Some(Item::Tag(tag)) => {
                let seen = look(MessageType(tag.kind.number()), &tag.payload);
                let Seen::Frame { track, mark, .. } = seen else { continue };
                let (at, mark) = mark.unwrap();
                let count = &mut counts[usize::from(track == Track::Audio)];
                assert_eq!(mark.sequence, *count, "{track:?}");
                assert!(mark.is_intact(&tag.payload, at), "{track:?} {count}");
                *count += 1;
            }
            Some(Item::Header(_)) => {}
            None if input.is_empty() && reader.buffered_bytes() == 0 => return counts,
            None => reader.finish(),
        }
    }
}

/// Writes so many frames of each track as a file, after looking at each as a player does.
fn write(source: &Source, counts: [u32; 2], path: &Path) {
    let (mut writer, mut out) = (Writer::new(), BytesMut::new());
    writer.header(Header { video: counts[0] > 0, audio: counts[1] > 0 }, &mut out);
    let tags = [(MessageType::VIDEO, TagKind::Video), (MessageType::AUDIO, TagKind::Audio)];
    for (kind, payload) in source.opening() {
        let place = tags.iter().position(|(of, _)| of == kind);
        if let Some(place) = place.filter(|place| counts[*place] > 0) {
            writer.tag(tags[place].1, 0, payload, &mut out).unwrap();
        }
    }
    let mut frames = Vec::new();
    for (place, track) in Track::ALL.into_iter().enumerate() {
        let numbers = 0..counts[place];
        frames.extend(numbers.map(|at| (source.due_ns(track, at), place, track, at)));
    }
    frames.sort_by_key(|(due, ..)| *due);
    let mut bytes = [0; 2];
    for (due, place, track, sequence) in frames {
        let frame = source.frame(track, 5, 1, sequence, due);
        assert_eq!(source.payload_before(track, sequence), bytes[place]);
        bytes[place] += frame.len() as u64;
        let (kind, tag) = tags[place];
        let Seen::Frame { track: seen, mark: Some((at, mark)), .. } = look(kind, &frame) else {
            panic!("{track:?} {sequence} has no mark");
        };
        assert_eq!((seen, mark.stream, mark.epoch), (track, 5, 1));
        assert_eq!((mark.sequence, mark.scheduled_ns), (sequence, due));
        assert!(mark.is_intact(&frame, at), "{track:?} {sequence}");
        writer.tag(tag, (due / 1_000_000) as u32, &frame, &mut out).unwrap();
    }
    std::fs::write(path, &out).unwrap();
}

/// What ffmpeg decodes from a file, frame by frame; it must have nothing to say.
fn frames(enhanced: bool, scratch: &Scratch, name: &str, path: &Path) -> Vec<String> {
    let list = scratch.file(&format!("{name}.framemd5"));
    let decode = ffmpeg(enhanced)
        .args(["-nostdin", "-v", "warning", "-err_detect", "explode", "-xerror", "-i"])
        .args([path.to_string_lossy()])
        .args(["-map", "0", "-f", "framemd5"])
        .args([list.to_string_lossy()]);
    let mut process = Process::start(scratch, name, &decode, LIMIT).unwrap();
    process.wait_success().unwrap();
    assert_eq!(process.output(), "", "{name}");
    let list = std::fs::read_to_string(list).unwrap();
    list.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

fn ffmpeg(enhanced: bool) -> Invocation {
    if enhanced {
        Invocation::path(tools::current_ffmpeg().unwrap())
    } else {
        Invocation::tool("ffmpeg").unwrap()
    }
}

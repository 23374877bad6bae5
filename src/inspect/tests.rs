//! Dumps whole, mutilated and cut, in both kinds of list. The binary is tested in `tests/commands`.

use super::*;
use bytes::BytesMut;
use clap::Parser;
use millstream_rtmp::chunk::ChunkWriter;
use millstream_rtmp::command::Command;
use millstream_rtmp::control::Control;
use millstream_rtmp::message::{Message, MessageType};
use proptest::prelude::*;
use std::path::Path;

struct TempFile(PathBuf);

impl TempFile {
    fn new(bytes: &[u8]) -> Self {
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let next = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("millstream-inspect-{}-{next}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn inspected_file(path: &Path, options: &str) -> (String, Result<(), InspectError>) {
    let line = format!("millstream inspect {} {options}", path.display());
    let cli = crate::cli::Cli::try_parse_from(line.split_whitespace()).unwrap();
    let crate::cli::Command::Inspect(args) = cli.into_command() else { panic!("not inspect") };
    let mut out = Vec::new();
    let result = list(&args, &mut out);
    (String::from_utf8(out).unwrap(), result)
}

fn inspected(bytes: &[u8], options: &str) -> (String, Result<(), InspectError>) {
    inspected_file(&TempFile::new(bytes).0, options)
}

fn message(kind: MessageType, timestamp: u32, payload: &[u8]) -> Message {
    let payload = payload.to_vec().into();
    Message { chunk_stream_id: 6, timestamp, kind, stream_id: 1, payload }
}

/// Chunks as an encoder sends them, and where the messages begin.
fn dump() -> (Vec<u8>, Vec<usize>) {
    let mut wire = BytesMut::new();
    let mut writer = ChunkWriter::new(128);
    let publish = vec!["cam".into(), "live".into()];
    let mut key_frame = b"\x17\x01\x00\x00\x50".to_vec();
    key_frame.resize(900, 0);
    let offsets = [
        Command::new(0, "connect", 1.0, vec![]).encode().unwrap(),
        Control::SetChunkSize(4096).encode(),
        Command::new(1, "publish", 5.0, publish).encode().unwrap(),
        message(MessageType::VIDEO, 0, b"\x17\x00\x00\x00\x00\x01"),
        message(MessageType::AUDIO, 0, b"\xaf\x00\x12\x10"),
        message(MessageType::VIDEO, 40, &key_frame),
        message(MessageType::DATA_AMF0, 40, b"\x02\x00\x0aonTextData\x05"),
        message(MessageType::AUDIO, 41, b""),
        message(MessageType(99), 41, b"what"),
        message(MessageType::AGGREGATE, 42, b"\x08\0\0\x01\0\0\0\0\0\0\0\xaf\0\0\0\x0c"),
    ]
    .map(|message| {
        let offset = wire.len();
        writer.write(&message, &mut wire);
        if let Ok(Some(Control::SetChunkSize(size))) = Control::decode(&message) {
            writer.set_chunk_size(size);
        }
        offset
    });
    (wire.to_vec(), offsets.to_vec())
}

#[test]
fn a_bare_dump_is_listed_with_its_offsets_and_meanings() {
    let (wire, offsets) = dump();
    let (text, result) = inspected(&wire, "");
    result.unwrap();
    let lines: Vec<&str> = text.lines().skip(1).collect();
    let said = [
        "connect #1 null",
        "SetChunkSize(4096)",
        "publish #5 null \"cam\" \"live\"",
        "video H.264 sequence header",
        "audio AAC sequence header",
        "video H.264 key frame shown +80 ms",
        "data \"onTextData\" null",
        "audio, unreadable: empty",
        "unknown",
        "aggregate of 1 messages",
    ];
    assert_eq!(lines.len(), said.len(), "{text}");
    for ((line, said), offset) in lines.iter().zip(said).zip(&offsets) {
        assert!(line.ends_with(&format!("  {said}")), "{line}");
        assert_eq!(line.split_whitespace().next(), Some(offset.to_string().as_str()), "{line}");
    }
}

#[test]
fn the_first_bytes_of_media_are_shown_on_request() {
    let (wire, _) = dump();
    let (text, result) = inspected(&wire, "--bytes 5");
    result.unwrap();
    for line in
        ["sequence header  17 00 00 00 00", "shown +80 ms  17 01 00 00 50", "header  af 00 12 10"]
    {
        assert!(text.lines().any(|listed| listed.ends_with(line)), "{line}: {text}");
    }
    assert!(text.lines().any(|line| line.ends_with("connect #1 null")), "media only: {text}");
    let (json, result) = inspected(&wire, "--json --bytes 2");
    result.unwrap();
    assert_eq!(json.matches(r#""bytes":"17 01""#).count(), 1, "{json}");
}

#[test]
fn with_a_handshake_offsets_count_from_its_beginning() {
    let (wire, offsets) = dump();
    let mut with = vec![3; 3073];
    with.extend_from_slice(&wire);
    let (json, result) = inspected(&with, "--json");
    result.unwrap();
    let found: Vec<serde_json::Value> =
        json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let at: Vec<u64> = found.iter().map(|object| object["offset"].as_u64().unwrap()).collect();
    assert_eq!(at, offsets.iter().map(|offset| *offset as u64 + 3073).collect::<Vec<_>>());
    assert_eq!(found[2]["command"]["arguments"][1], "cam");
    assert_eq!(found[5]["video"]["key_frame"], true);
    assert_eq!(found[5]["video"]["composition_time"], 80);
    assert_eq!(found[3]["video"]["sequence_header"], true);
    assert_eq!(found[3]["video"]["key_frame"], false);
    assert_eq!(found[6]["data"][0], "onTextData");
}

#[test]
fn the_first_offence_is_named_by_its_offset() {
    let (wire, offsets) = dump();
    // Type 3 on a chunk stream that was never used.
    let mut no_header = wire[..offsets[4]].to_vec();
    no_header.push(0xff);
    no_header.extend_from_slice(&wire[offsets[4]..]);
    // A command that begins with no marker of AMF0.
    let mut no_amf = wire.clone();
    no_amf[offsets[2] + 12] = 0x7f;
    // A chunk size of 0.
    let mut no_size = wire.clone();
    no_size[offsets[1] + 14..offsets[1] + 16].fill(0);
    // An aggregate whose part is longer than it.
    let mut no_part = wire.clone();
    let part = wire.len() - 16 + 3;
    no_part[part] = 9;
    // Metadata of more than a server takes.
    let (mut long, mut writer) = (BytesMut::from(&wire[..]), ChunkWriter::new(4096));
    writer.write(&message(MessageType::DATA_AMF0, 0, &vec![5; 2 << 20]), &mut long);
    for (bytes, name, offset) in [
        (no_part, "aggregate-malformed", offsets[9]),
        (long.to_vec(), "data-too-long", wire.len()),
        (no_header, "chunk-without-header", offsets[4]),
        (no_amf, "command-not-amf0", offsets[2]),
        (no_size, "chunk-size-invalid", offsets[1]),
        (b"\xc3\x03\x01".to_vec(), "chunk-without-header", 0),
        (wire[..wire.len() - 1].to_vec(), "truncated", wire.len() - 1),
        (vec![3; 100], "truncated", 100),
    ] {
        for options in ["", "--json"] {
            let (text, result) = inspected(&bytes, options);
            let Err(InspectError::Offence { name: found, line }) = result else {
                panic!("{name}: {result:?}\n{text}");
            };
            assert_eq!(found, name, "{line}");
            assert!(line.starts_with(&format!("offence at byte {offset}: {name}")), "{line}");
            assert!(text.contains(name), "{text}");
        }
    }
}

#[test]
fn what_real_programs_send_is_no_offence() {
    let testdata =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/rtmp/tests/sessions/captures");
    for (name, said) in [
        ("ffmpeg-5.1-publish.bin", "video H.264 sequence header"),
        ("ffmpeg-5.1-play.bin", "play #4"),
        ("rtmpdump-2.4-play.bin", "FCSubscribe #3 null \"cam\""),
        ("gstreamer-1.22-rtmp2sink.bin", "video H.264 key frame"),
        ("gstreamer-1.22-rtmpsrc.bin", "play #4"),
    ] {
        let (text, result) = inspected_file(&testdata.join(name), "");
        // Recordings end where they were cut.
        if let Err(error) = result {
            assert!(error.to_string().contains("truncated"), "{name}: {error}");
        }
        assert!(text.contains("connect #1 {app: "), "{name}: {text}");
        assert!(text.contains(said), "{name}: {text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn anything_at_all_ends_in_a_list_or_an_offence(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        at in 0usize..1200,
        flip in any::<u8>(),
        cut in 0usize..1300,
        capture: bool,
    ) {
        let (mut wire, _) = dump();
        let at = at.min(wire.len() - 1);
        wire[at] ^= flip;
        let cut = cut.min(wire.len());
        for mut bytes in [bytes, wire[..cut].to_vec(), wire] {
            if capture {
                bytes.splice(0..0, *b"millcap\x01");
            }
            for options in ["", "--json"] {
                let (text, _) = inspected(&bytes, options);
                let escapes = text.contains('\u{1b}');
                prop_assert!(!escapes);
            }
        }
    }
}

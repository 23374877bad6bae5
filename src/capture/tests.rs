//! The way of bytes into a file: what is masked, what is held back, what is dropped.

use super::format::{CaptureReader, Direction, Entry, FileHeader, FormatError, MAGIC};
use super::mask::Secrets;
use super::scrub::Scrubber;
use super::*;
use bytes::BytesMut;
use millstream_rtmp::chunk::ChunkWriter;
use millstream_rtmp::command::Command;
use millstream_rtmp::control::Control;
use millstream_rtmp::message::{Message, MessageType};
use proptest::prelude::*;

const SECRET: &str = "correct-horse-battery";

/// What a publisher sends: handshake, commands with secrets in them, a little video.
fn conversation(chunk_size: u32) -> Vec<u8> {
    let mut wire = BytesMut::from(&[3u8][..]);
    wire.extend_from_slice(&[0xaa; 2 * 1536]);
    let mut writer = ChunkWriter::new(128);
    writer.write(&Control::SetChunkSize(chunk_size).encode(), &mut wire);
    writer.set_chunk_size(chunk_size);
    let name = format!("cam?key={SECRET}");
    for (name, argument) in [
        ("connect", format!("rtmp://host/live/?token=some-other-one&x=1/{}", "long".repeat(40))),
        ("releaseStream", name.clone()),
        ("publish", SECRET.to_owned()),
        ("FCPublish", name),
    ] {
        let command = Command::new(0, name, 1.0, vec![argument.as_str().into()]);
        writer.write(&command.encode().unwrap(), &mut wire);
    }
    let payload = vec![0x17; 1000].into();
    let kind = MessageType::VIDEO;
    let video = Message { chunk_stream_id: 6, timestamp: 40, kind, stream_id: 1, payload };
    writer.write(&video, &mut wire);
    wire.to_vec()
}

fn scrubbed(pieces: &[&[u8]]) -> Vec<u8> {
    let secret = Secret::new(SECRET);
    let mut scrubber = Scrubber::new(Arc::new(Secrets::new([&secret].into_iter())));
    let mut out = Vec::new();
    for (time, piece) in pieces.iter().enumerate() {
        scrubber.feed(time as u64, piece, &mut |_, bytes| out.extend_from_slice(bytes));
    }
    scrubber.finish(&mut |_, bytes| out.extend_from_slice(bytes));
    out
}

fn assert_clean(out: &[u8], wire: &[u8]) {
    assert_eq!(out.len(), wire.len());
    for secret in [SECRET, "some-other-one"] {
        let found = out.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{secret} is in it");
    }
    for (out, wire) in out.iter().zip(wire) {
        assert!(out == wire || *out == b'*');
    }
}

#[test]
fn secrets_are_masked_whole_and_byte_by_byte() {
    for chunk_size in [5, 17, 128, 4096] {
        let wire = conversation(chunk_size);
        let whole = scrubbed(&[&wire]);
        assert_clean(&whole, &wire);
        let secret_bytes = wire.iter().zip(&whole).filter(|(wire, out)| wire != out).count();
        assert_eq!(secret_bytes, 3 * SECRET.len() + "some-other-one".len(), "at {chunk_size}");
        let bytes: Vec<&[u8]> = wire.chunks(1).collect();
        assert_eq!(scrubbed(&bytes), whole);
    }
}

#[test]
fn what_is_no_rtmp_is_masked_too() {
    let wire = format!("GET /live/cam?key=abc&k={SECRET} HTTP/1.1\r\nCookie: {SECRET}");
    let shown = String::from_utf8(scrubbed(&[wire.as_bytes()])).unwrap();
    let mask = "*".repeat(SECRET.len());
    assert_eq!(shown, format!("GET /live/cam?key=***&k={mask} HTTP/1.1\r\nCookie: {mask}"));
    let bytes: Vec<&[u8]> = wire.as_bytes().chunks(1).collect();
    assert_eq!(scrubbed(&bytes), shown.as_bytes());
}

#[test]
fn what_follows_an_offence_is_masked_too() {
    let mut wire = conversation(128);
    wire.extend_from_slice(b"\xff garbage ");
    wire.extend_from_slice(SECRET.as_bytes());
    wire.extend_from_slice(b" and more");
    let bytes: Vec<&[u8]> = wire.chunks(3).collect();
    assert_clean(&scrubbed(&bytes), &wire);
}

#[test]
fn a_command_without_end_is_masked_and_holds_little() {
    let secret = Secret::new(SECRET);
    let mut scrubber = Scrubber::new(Arc::new(Secrets::new([&secret].into_iter())));
    let mut wire = vec![3; 3073];
    wire.extend_from_slice(&[2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff]);
    // A command of 10 MiB that begins with the secret.
    wire.extend_from_slice(&[3, 0, 0, 0, 0xa0, 0, 0, 20, 0, 0, 0, 0]);
    let payload_at = wire.len();
    wire.extend_from_slice(SECRET.as_bytes());
    wire.extend(std::iter::repeat_n(b'x', 2 << 20));
    let (mut out, mut held_max) = (Vec::new(), 0);
    let mut fed = 0;
    for piece in wire.chunks(10_000) {
        scrubber.feed(0, piece, &mut |_, bytes| out.extend_from_slice(bytes));
        fed += piece.len();
        held_max = held_max.max(fed - out.len());
    }
    assert!(held_max <= 300_000, "{held_max}");
    scrubber.finish(&mut |_, bytes| out.extend_from_slice(bytes));
    assert_eq!(out.len(), wire.len());
    assert!(out[payload_at..].iter().all(|byte| *byte == b'*'));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn cuts_change_nothing(
        chunk_size in 1u32..200,
        cuts in proptest::collection::vec(1usize..400, 1..40),
        end in 3000usize..6000,
    ) {
        let wire = conversation(chunk_size);
        let wire = &wire[..end.min(wire.len())];
        let (mut rest, mut pieces) = (wire, Vec::new());
        for cut in cuts.iter().cycle() {
            let (piece, behind) = rest.split_at((*cut).min(rest.len()));
            pieces.push(piece);
            rest = behind;
            if rest.is_empty() { break }
        }
        let out = scrubbed(&pieces);
        assert_clean(&out, wire);
        prop_assert_eq!(out, scrubbed(&[wire]));
    }

    #[test]
    fn anything_at_all_keeps_its_length(
        bytes in proptest::collection::vec(any::<u8>(), 0..500),
        handshake: bool,
        size in 1usize..50,
    ) {
        let mut wire = if handshake { vec![3; 3073] } else { vec![] };
        wire.extend(bytes);
        let pieces: Vec<&[u8]> = wire.chunks(size).collect();
        prop_assert_eq!(scrubbed(&pieces).len(), wire.len());
    }
}

fn entries(file: &[u8]) -> (FileHeader, Vec<Entry>, Option<FormatError>) {
    assert_eq!(&file[..8], MAGIC);
    let mut reader = CaptureReader::after_magic(&file[8..]).unwrap();
    let mut entries = Vec::new();
    loop {
        match reader.read() {
            Ok(Some(entry)) => entries.push(entry),
            Ok(None) => return (reader.header().clone(), entries, None),
            Err(error) => return (reader.header().clone(), entries, Some(error)),
        }
    }
}

#[test]
fn a_connection_becomes_a_file() {
    let directory = std::env::temp_dir().join(format!("millstream-capture-{}", std::process::id()));
    let secret = Secret::new(SECRET);
    let (capture, writing) = Capture::start(&directory, [&secret].into_iter()).unwrap();
    let tap = capture.tap(7, "127.0.0.1:999".parse().unwrap()).unwrap();
    tap.bytes(Direction::In, b"one ");
    tap.bytes(Direction::In, SECRET.as_bytes());
    tap.bytes(Direction::Out, b"two");
    tap.end("peer-closed");
    writing.finish();
    let path = std::fs::read_dir(&directory).unwrap().next().unwrap().unwrap().path();
    assert!(path.to_string_lossy().ends_with("-000007.millcap"), "{}", path.display());
    let file = std::fs::read(&path).unwrap();
    std::fs::remove_dir_all(&directory).unwrap();

    let (header, found, error) = entries(&file);
    assert!(error.is_none());
    assert_eq!((header.connection, header.peer.as_str()), (7, "127.0.0.1:999"));
    let mut both = [Vec::new(), Vec::new()];
    for entry in &found {
        if let Entry::Bytes { direction, bytes, .. } = entry {
            both[*direction as usize].extend_from_slice(bytes);
        }
    }
    assert_eq!(both[0], format!("one {}", "*".repeat(SECRET.len())).as_bytes());
    assert_eq!(both[1], b"two");
    assert!(matches!(found.last(), Some(Entry::End { reason, .. }) if reason == "peer-closed"));

    for end in 8 + 17..file.len() {
        let Ok(mut reader) = CaptureReader::after_magic(&file[8..end]) else { continue };
        // A cut file reads as far as it goes.
        while let Ok(Some(_)) = reader.read() {}
    }
    let mut damaged = file.clone();
    damaged[8 + 17 + "127.0.0.1:999".len()] = 9;
    assert!(matches!(entries(&damaged).2, Some(FormatError::NoRecord { at: 38 })));
}

#[test]
fn what_does_not_fit_is_counted_and_told_before_the_next_that_does() {
    let (mail, inbox) = bounded(PIECES_MAX + 3);
    let waiting = Arc::new(AtomicUsize::new(WAITING_BYTES_MAX - 5));
    let capture = Capture { mail, waiting: Arc::clone(&waiting) };
    let tap = capture.tap(1, "127.0.0.1:999".parse().unwrap()).unwrap();
    tap.bytes(Direction::In, b"fits.");
    tap.bytes(Direction::In, b"lost");
    tap.bytes(Direction::Out, b"too");
    tap.bytes(Direction::In, b"lost again");
    assert_eq!(inbox.len(), 2);
    waiting.store(0, Ordering::Relaxed);
    tap.bytes(Direction::In, b"more");
    tap.end("bye");
    let told: Vec<String> = inbox
        .try_iter()
        .map(|mail| match mail {
            Mail::Begin { connection, .. } => format!("begin {connection}"),
            Mail::Bytes { direction, bytes, .. } => {
                format!("{} {}", direction.name(), String::from_utf8_lossy(&bytes))
            }
            Mail::Gap { direction, bytes, .. } => format!("gap {} {bytes}", direction.name()),
            Mail::End { reason, .. } => format!("end {reason}"),
            Mail::Stop => "stop".to_owned(),
        })
        .collect();
    assert_eq!(told, ["begin 1", "in fits.", "gap in 14", "in more", "gap out 3", "end bye"]);
    // Too many pieces are lost as well, and an end finds room even then.
    for _ in 0..PIECES_MAX + 10 {
        tap.bytes(Direction::Out, b"x");
    }
    assert_eq!(inbox.len(), PIECES_MAX);
    tap.end("bye");
    assert!(matches!(inbox.try_iter().last(), Some(Mail::End { .. })));
}

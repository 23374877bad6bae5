//! The rewriter between a server and a client that are both written here: what goes in, what comes
//! out, whatever the cuts.

use super::*;
use crate::media::mark::{MARK_BYTES, Mark};
use millstream_rtmp::chunk::ChunkErrorKind;
use proptest::prelude::*;

const HANDSHAKE: [u8; HANDSHAKE_BYTES as usize] = [3; HANDSHAKE_BYTES as usize];

fn mark(stream: u32, sequence: u32) -> [u8; MARK_BYTES] {
    let (epoch, lead, tail, hash, scheduled_ns) = (0, 0, 0, 0, 5);
    Mark { stream, epoch, sequence, lead, tail, hash, scheduled_ns }.to_bytes()
}

/// A video frame of stream 1, or its configuration (0).
fn video(number: u32) -> Message {
    let mut payload = vec![0x27, u8::from(number > 0), 0, 0, 0];
    payload.extend_from_slice(&mark(1, number));
    payload.resize(400, number as u8);
    message(MessageType::VIDEO, 6, number * 33, payload)
}

/// An audio frame of a stream.
fn audio(stream: u32, number: u32) -> Message {
    let mut payload = vec![0xaf, 1];
    payload.extend_from_slice(&mark(stream, number));
    payload.resize(90, number as u8);
    message(MessageType::AUDIO, 4, number * 21, payload)
}

fn message(kind: MessageType, chunk_stream_id: u32, timestamp: u32, payload: Vec<u8>) -> Message {
    Message { chunk_stream_id, timestamp, kind, stream_id: 1, payload: payload.into() }
}

/// The bytes of a server that says these messages.
fn wire(messages: &[Message]) -> BytesMut {
    let mut out = BytesMut::from(&HANDSHAKE[..]);
    let mut writer = ChunkWriter::new(CHUNK_SIZE_DEFAULT);
    for message in messages {
        writer.write(message, &mut out);
        if let Ok(Some(Control::SetChunkSize(size))) = Control::decode(message)
            && size > 0
        {
            writer.set_chunk_size(size);
        }
    }
    out
}

/// What a client reads, and whether the bytes end between two messages; or the error it stops at.
fn client(bytes: &[u8]) -> Result<(Vec<Message>, bool), ChunkErrorKind> {
    let mut input = bytes.strip_prefix(&HANDSHAKE[..]).unwrap();
    let mut reader = ChunkReader::new(ChunkLimits::default());
    let mut messages = Vec::new();
    while let Some(message) = reader.read(&mut input).map_err(|error| error.kind)? {
        if let Ok(Some(Control::SetChunkSize(size))) = Control::decode(&message) {
            reader.set_chunk_size(size).map_err(|error| error.kind)?;
        }
        messages.push(message);
    }
    Ok((messages, reader.is_between_messages()))
}

/// Sends bytes through, cut into pieces. Returns what came out and what was to be done on the way.
fn through<'a>(
    rewriter: &mut Rewriter,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> (BytesMut, Vec<Then>) {
    let (mut out, mut done) = (BytesMut::new(), Vec::new());
    for mut piece in pieces {
        loop {
            let then = rewriter.receive(&mut piece, &mut out).unwrap();
            match then {
                Then::More => break,
                Then::Wait(_) => done.push(then),
                Then::Close | Then::Stall => {
                    done.push(then);
                    return (out, done);
                }
            }
        }
    }
    rewriter.end(&mut out);
    (out, done)
}

fn rewriter(fault: &str) -> (Rewriter, Arc<Common>) {
    let common = Arc::<Common>::default();
    (Rewriter::new(&[fault.parse().unwrap()], Arc::clone(&common)), common)
}

/// Which of the video frames come out in which order, with how often the fault was applied.
fn order(fault: &str, messages: &[Message]) -> (Vec<u8>, u64) {
    let (mut rewriter, common) = rewriter(fault);
    let (out, _) = through(&mut rewriter, std::iter::once(&wire(messages)[..]));
    let (messages, whole) = client(&out).unwrap();
    assert!(whole);
    let frames = messages.iter().filter(|message| message.kind == MessageType::VIDEO);
    let numbers = frames.map(|message| message.payload[399]).collect();
    (numbers, common.counters.read().into_values().sum())
}

fn six() -> Vec<Message> {
    let mut messages = vec![Control::SetChunkSize(200).encode()];
    for number in 0..=6 {
        messages.push(video(number));
        messages.push(audio(1, number));
    }
    messages
}

#[test]
fn frames_are_dropped_swapped_and_repeated_and_configurations_are_not_counted() {
    assert_eq!(order("drop:video@1", &six()), (vec![0, 2, 3, 4, 5, 6], 1));
    assert_eq!(order("drop:video@2/2", &six()), (vec![0, 1, 3, 5], 3));
    assert_eq!(order("swap:video@2", &six()), (vec![0, 1, 3, 2, 4, 5, 6], 1));
    assert_eq!(order("duplicate:video@6", &six()), (vec![0, 1, 2, 3, 4, 5, 6, 6], 1));
    // Without a partner it comes after all, in its place.
    assert_eq!(order("swap:video@6", &six()), (vec![0, 1, 2, 3, 4, 5, 6], 0));
    // Of both tracks, the second frame is the first picture: a sound came before it.
    assert_eq!(order("drop@2", &six()), (vec![0, 2, 3, 4, 5, 6], 1));
}

#[test]
fn one_frame_is_damaged_and_all_others_are_not() {
    for (fault, length, marked) in [
        ("corrupt:video@3", 400, true),
        ("truncate:video@3", 299, true),
        ("extend:video@3", 464, true),
        ("strip:video@3", 400, false),
    ] {
        let (mut rewriter, common) = rewriter(fault);
        let (out, done) = through(&mut rewriter, std::iter::once(&wire(&six())[..]));
        let (messages, _) = client(&out).unwrap();
        let differing: Vec<_> = messages.iter().zip(six()).filter(|(a, b)| *a != b).collect();
        let [(damaged, before)] = &differing[..] else { panic!("{fault}: {differing:?}") };
        assert_eq!((messages.len(), before), (six().len(), &video(3)), "{fault}");
        assert_eq!(damaged.payload.len(), length, "{fault}");
        assert_eq!(Mark::find(&damaged.payload, 0).is_some(), marked, "{fault}");
        assert_eq!(common.counters.read().into_values().sum::<u64>(), 1, "{fault}");
        assert_eq!(done, []);
    }
}

#[test]
fn what_is_later_is_held_with_all_that_follows() {
    let (mut rewriter, _) = rewriter("delay=250:audio@2");
    let mut bytes = &wire(&six())[..];
    let mut out = BytesMut::new();
    let then = rewriter.receive(&mut bytes, &mut out).unwrap();
    assert_eq!(then, Then::Wait(Duration::from_millis(250)));
    // Set Chunk Size, configuration, frames of number 0 and 1, the second picture.
    assert_eq!(client(&out).unwrap().0, six()[..4]);
    assert_eq!(rewriter.receive(&mut bytes, &mut out).unwrap(), Then::More);
    assert_eq!(client(&out).unwrap(), (six(), true));
}

#[test]
fn nothing_follows_a_close_or_a_stall() {
    for (fault, then, whole) in
        [("close:video@3", Then::Close, false), ("stall:video@3", Then::Stall, true)]
    {
        let (mut rewriter, common) = rewriter(fault);
        let (out, done) = through(&mut rewriter, std::iter::once(&wire(&six())[..]));
        assert_eq!(done, [then]);
        assert_eq!(client(&out).unwrap(), (six()[..7].to_vec(), whole), "{fault}");
        assert_eq!(common.counters.read().len(), 1);
    }
}

#[test]
fn garbage_is_what_no_reader_takes() {
    let (mut rewriter, _) = rewriter("garbage@1");
    let (out, _) = through(&mut rewriter, std::iter::once(&wire(&six())[..]));
    assert!(matches!(client(&out), Err(ChunkErrorKind::NoPrecedingHeader { .. })));
}

#[test]
fn a_frame_of_another_stream_comes_between() {
    let common = Arc::<Common>::default();
    let faults = ["cross:audio@1/1".parse().unwrap()];
    let mut first = Rewriter::new(&faults, Arc::clone(&common));
    let out = through(&mut first, std::iter::once(&wire(&[audio(1, 7)])[..])).0;
    assert_eq!(client(&out).unwrap().0, [audio(1, 7)], "there is no other stream yet");
    assert!(common.counters.read().is_empty());

    let mut second = Rewriter::new(&faults, Arc::clone(&common));
    let out = through(&mut second, std::iter::once(&wire(&[audio(2, 9)])[..])).0;
    let strange = Message { payload: audio(1, 7).payload, ..audio(2, 9) };
    assert_eq!(client(&out).unwrap().0, [strange, audio(2, 9)]);
    assert_eq!(common.counters.read()["cross"], 1);
}

#[test]
fn a_frame_that_cannot_be_damaged_passes_uncounted() {
    let unmarked = message(MessageType::VIDEO, 6, 0, vec![0x27, 1, 0, 0, 0, 9]);
    for fault in ["strip@1", "cross@1"] {
        let (mut rewriter, common) = rewriter(fault);
        let bytes = wire(std::slice::from_ref(&unmarked));
        let (out, _) = through(&mut rewriter, std::iter::once(&bytes[..]));
        assert_eq!(client(&out).unwrap().0, std::slice::from_ref(&unmarked));
        assert!(common.counters.read().is_empty());
    }
}

#[test]
fn a_chunk_size_that_cannot_be_reaches_the_client_and_ends_the_connection() {
    let (mut rewriter, _) = rewriter("drop@1");
    let bytes = wire(&[Control::SetChunkSize(0).encode(), video(1)]);
    let mut out = BytesMut::new();
    assert!(rewriter.receive(&mut &bytes[..], &mut out).is_err());
    assert!(matches!(client(&out), Err(ChunkErrorKind::InvalidChunkSize { size: 0 })));
}

#[test]
fn an_aborted_message_is_not_passed_on() {
    let whole = wire(&[video(1)]);
    let mut bytes = BytesMut::from(&whole[..HANDSHAKE.len() + 12 + 128]);
    ChunkWriter::new(128).write(&Control::Abort { chunk_stream_id: 6 }.encode(), &mut bytes);
    ChunkWriter::new(128).write(&audio(1, 5), &mut bytes);
    let (mut rewriter, _) = rewriter("drop:video@1");
    let (out, _) = through(&mut rewriter, std::iter::once(&bytes[..]));
    assert_eq!(client(&out).unwrap(), (vec![audio(1, 5)], true));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_same_comes_out_however_it_is_cut(
        sizes in proptest::collection::vec(1_usize..700, 1..40),
        times in proptest::collection::vec(any::<u32>(), 6),
        chunk_size in 1_u32..2000,
    ) {
        let mut messages = vec![Control::SetChunkSize(chunk_size).encode()];
        for (at, time) in times.iter().enumerate() {
            messages.push(Message { timestamp: *time, ..video(1 + at as u32) });
            messages.push(Message { timestamp: *time / 2, ..audio(1, at as u32) });
        }
        let bytes = wire(&messages);
        let mut sizes = sizes.iter().cycle();
        let mut rest = &bytes[..];
        let pieces = std::iter::from_fn(|| {
            let count = (*sizes.next()?).min(rest.len());
            let (piece, behind) = rest.split_at(count);
            rest = behind;
            (count > 0).then_some(piece)
        });
        let (mut rewriter, _) = rewriter("drop:video@100");
        let (cut, _) = through(&mut rewriter, pieces);
        prop_assert_eq!(client(&cut), Ok((messages, true)));
    }

    #[test]
    fn anything_at_all_is_borne(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let (mut rewriter, _) = rewriter("corrupt@1/1");
        let mut input = &[&HANDSHAKE[..], &bytes[..]].concat()[..];
        // Whether it can be read is not the question.
        let _ = rewriter.receive(&mut input, &mut BytesMut::new());
    }
}

#[test]
fn byte_by_byte_it_is_the_same() {
    let bytes = wire(&six());
    let (mut rewriter, _) = rewriter("duplicate:video@2");
    let (whole, _) = through(&mut rewriter, std::iter::once(&bytes[..]));
    let (mut rewriter, _) = self::rewriter("duplicate:video@2");
    let (single, _) = through(&mut rewriter, bytes.chunks(1));
    assert_eq!(single, whole);
}

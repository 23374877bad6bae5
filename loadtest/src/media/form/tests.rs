//! Every form, taken apart again by what its standard says, not by the code that put it together.

use super::*;
use crate::media::mark::{Mark, hash};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

const CODECS: [Codec; 5] = [Codec::Avc, Codec::Hevc, Codec::Av1, Codec::Aac, Codec::Opus];

fn avc(length_bytes: u8) -> Form {
    Form::of(Codec::Avc, &[1, 77, 0, 31, 0xfc | (length_bytes - 1), 0xe0, 0]).unwrap()
}

fn hevc(length_bytes: u8) -> Form {
    let mut record = [0; 23];
    record[21] = 0xf8 | (length_bytes - 1);
    Form::of(Codec::Hevc, &record).unwrap()
}

fn form_of(codec: Codec) -> Form {
    match codec {
        Codec::Avc => avc(4),
        Codec::Hevc => hevc(4),
        Codec::Av1 => Form::Av1,
        Codec::Aac => Form::Aac,
        _ => Form::Opus,
    }
}

/// A message with this header and body, marked; and where the mark begins.
fn marked(form: Form, header: &[u8], body: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut head = BytesMut::from(header);
    let Opened { taken, stop, lead } = form.open(body, &mut head)?;
    let rest = [stop, &body[taken..]].concat();
    let at = head.len();
    let mark = Mark {
        stream: 1,
        epoch: 2,
        sequence: 3,
        lead: lead as u32,
        tail: (MARK_BYTES + rest.len()) as u32,
        hash: hash(&[&head[at - lead..], &rest]),
        scheduled_ns: 4,
    };
    Some(([&head[..], &mark.to_bytes(), &rest].concat(), at))
}

/// NAL units or OBUs as they came, and without lengths.
fn units(length_bytes: usize, mut body: &[u8]) -> Vec<Vec<u8>> {
    let mut units = Vec::new();
    while !body.is_empty() {
        let (length, rest) = body.split_at(length_bytes);
        let length = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        let (unit, rest) = rest.split_at(length);
        units.push(unit.to_vec());
        body = rest;
    }
    units
}

fn joined(length_bytes: usize, units: &[Vec<u8>]) -> Vec<u8> {
    let lengths = units.iter().map(|unit| (unit.len() as u64).to_be_bytes());
    lengths
        .zip(units)
        .flat_map(|(length, unit)| [&length[8 - length_bytes..], unit].concat())
        .collect()
}

/// A unit of this type with something in it.
fn unit(hevc: bool, kind: u8, content: &[u8]) -> Vec<u8> {
    let header: &[u8] = if hevc { &[kind << 1, 3] } else { &[0x60 | kind] };
    [header, content].concat()
}

proptest! {
    #[test]
    fn whatever_can_be_opened_has_its_mark_found(
        codec in select(&CODECS),
        header in vec(any::<u8>(), 0..12),
        body in vec(any::<u8>(), 0..300),
    ) {
        if let Some((frame, at)) = marked(form_of(codec), &header, &body) {
            let usual = usual_at(Some(codec), header.len(), frame.len());
            let (found, mark) = Mark::find(&frame, usual).unwrap();
            prop_assert_eq!(found, at);
            prop_assert!(mark.is_intact(&frame, at));
            prop_assert!(frame.starts_with(&header));
        }
    }

    #[test]
    fn a_unit_is_put_in_before_the_pictures_and_after_what_must_come_first(
        is_hevc: bool,
        length_bytes in select(&[1_usize, 2, 4]),
        delimiter: bool,
        sets in vec(vec(1_u8.., 1..40), 0..3),
        buffering in 0..3_usize,
        pictures in vec(vec(any::<u8>(), 1..150), 1..4),
    ) {
        let (delimiter_type, set, sei, picture) =
            if is_hevc { (35, 33, 39, 19) } else { (9, 7, 6, 5) };
        let mut body: Vec<Vec<u8>> = Vec::new();
        body.extend(delimiter.then(|| unit(is_hevc, delimiter_type, &[0xf0])));
        body.extend(sets.iter().map(|content| unit(is_hevc, set, content)));
        // A buffering period, which must come first, or user data, which need not.
        let first = [&[][..], &[0, 1, 0x80, 0x80], &[5, 1, 0x80, 0x80]][buffering];
        body.extend((buffering > 0).then(|| unit(is_hevc, sei, first)));
        body.extend(pictures.iter().map(|content| unit(is_hevc, picture, content)));
        let form = if is_hevc { hevc(length_bytes as u8) } else { avc(length_bytes as u8) };

        let (frame, at) = marked(form, &[], &joined(length_bytes, &body)).unwrap();
        let mut after = units(length_bytes, &frame);
        let place = if buffering == 1 { body.len() - pictures.len() } else { usize::from(delimiter) };
        let put_in = after.remove(place);
        prop_assert_eq!(after, body);
        let head: &[u8] = if is_hevc { &[0x4e, 3, 5, 61] } else { &[6, 5, 61] };
        prop_assert!(put_in.starts_with(head));
        prop_assert_eq!(put_in.len(), head.len() + MARK_BYTES + 1);
        prop_assert_eq!(&put_in[head.len()..head.len() + MARK_BYTES], &frame[at..at + MARK_BYTES]);
        prop_assert_eq!(put_in.last(), Some(&0x80));
    }

    #[test]
    fn an_obu_is_put_in_behind_delimiter_and_sequence_header(
        delimiter: bool,
        sequence in proptest::option::of(vec(any::<u8>(), 0..200)),
        rest in vec(any::<u8>(), 0..200),
    ) {
        let mut front = Vec::new();
        front.extend(delimiter.then_some([0x12, 0]).iter().flatten());
        if let Some(sequence) = sequence {
            // With an extension, and a size of two bytes.
            front.extend([0x0e, 0, 0x80 | (sequence.len() & 0x7f) as u8, (sequence.len() >> 7) as u8]);
            front.extend(sequence);
        }
        // A frame, which has no size and so is the last.
        let last = [&[0x30][..], &rest].concat();
        let (frame, at) = marked(Form::Av1, &[], &[&front[..], &last].concat()).unwrap();
        let put_in = [&[0x2a, 63, 31][..], &frame[at..at + MARK_BYTES], &[0x80]].concat();
        prop_assert_eq!(frame, [front, put_in, last].concat());
    }

    #[test]
    fn an_opus_packet_has_the_same_frames_as_before(
        code in 0..4_u8,
        vbr: bool,
        frames in vec(vec(any::<u8>(), 0..300), 1..6),
        padding in proptest::option::of(vec(any::<u8>(), 0..600)),
    ) {
        let (packet, frames) = opus_packet(code, vbr, frames, padding.as_deref());
        let (before, old) = opus_frames(&packet);
        prop_assert_eq!(&before, &frames);
        let (frame, at) = marked(Form::Opus, b"\x91Opus", &packet).unwrap();
        let (after, padding) = opus_frames(&frame[5..]);
        prop_assert_eq!(after, frames);
        prop_assert_eq!(frame[5] & !3, packet[0] & !3);
        prop_assert_eq!(padding, [&old[..], &[0], &frame[at..]].concat());
        prop_assert_eq!(at + MARK_BYTES, frame.len());
    }

    #[test]
    fn every_bit_of_an_opus_packet_is_answered_for(
        packet in vec(any::<u8>(), 1..200), at in any::<Index>(), bit in 0_u8..8,
    ) {
        let packet = [&[0xfc], &packet[..]].concat();
        let (mut frame, place) = marked(Form::Opus, b"\x91Opus", &packet).unwrap();
        let (_, mark) = Mark::find(&frame, place).unwrap();
        frame[5 + at.index(place - 5)] ^= 1_u8 << bit;
        prop_assert!(mark.is_whole(&frame, place) && !mark.is_intact(&frame, place));
    }
}

/// A packet (RFC 6716, 3.2) of these frames, made to fit the code, with padding if that is code 3;
/// and the frames that fitted.
fn opus_packet(
    code: u8,
    vbr: bool,
    mut frames: Vec<Vec<u8>>,
    padding: Option<&[u8]>,
) -> (Vec<u8>, Vec<Vec<u8>>) {
    let count = [1, 2, 2, frames.len()][usize::from(code)];
    frames.resize(count, vec![7; 9]);
    let vbr = code == 2 || code == 3 && vbr;
    if !vbr {
        let length = frames[0].len();
        frames.iter_mut().for_each(|frame| frame.resize(length, 1));
    }
    let mut out = vec![0xb8 | code];
    if code == 3 {
        out.push(u8::from(vbr) << 7 | u8::from(padding.is_some()) << 6 | count as u8);
        if let Some(padding) = padding {
            out.extend(vec![255; padding.len() / 254]);
            out.push((padding.len() % 254) as u8);
        }
    }
    for frame in frames[..count - 1].iter().filter(|_| vbr) {
        match frame.len() {
            short @ ..252 => out.push(short as u8),
            long => out.extend([252 | (long & 3) as u8, ((long - (252 | long & 3)) / 4) as u8]),
        }
    }
    out.extend(frames.iter().flatten());
    out.extend(padding.filter(|_| code == 3).unwrap_or_default());
    (out, frames)
}

/// The frames of a packet, and its padding.
fn opus_frames(packet: &[u8]) -> (Vec<Vec<u8>>, Vec<u8>) {
    let (code, mut rest) = (packet[0] & 3, &packet[1..]);
    let (mut vbr, mut count, mut padding) = (code == 2, 2 - usize::from(code == 0), 0);
    let byte = |rest: &mut &[u8]| usize::from(*rest.split_off_first().unwrap());
    if code == 3 {
        let counts = byte(&mut rest);
        (vbr, count) = (counts & 0x80 != 0, counts & 0x3f);
        let mut more = counts & 0x40 != 0;
        while more {
            let length = byte(&mut rest);
            more = length == 255;
            padding += if more { 254 } else { length };
        }
    }
    let mut lengths = Vec::new();
    for _ in 0..if vbr { count - 1 } else { 0 } {
        let first = byte(&mut rest);
        lengths.push(if first < 252 { first } else { first + 4 * byte(&mut rest) });
    }
    let (mut data, padding) = rest.split_at(rest.len() - padding);
    if vbr {
        lengths.push(data.len() - lengths.iter().sum::<usize>());
    } else {
        lengths = vec![data.len() / count; count];
    }
    let frames = lengths.iter().map(|length| data.split_off(..*length).unwrap().to_vec()).collect();
    assert!(data.is_empty());
    (frames, padding.to_vec())
}

#[test]
fn the_element_stands_first_in_a_block_unless_a_program_must() {
    let body = [0x21, 0x10, 0x04, 0x60, 0x8c, 0x1c];
    let (frame, at) = marked(Form::Aac, &[0xaf, 1], &body).unwrap();
    // ID_DSE (3 bits), tag (4), no alignment (1), count (8).
    assert_eq!((&frame[..4], at), (&[0xaf, 1, 0x9e, 61][..], 4));
    assert_eq!(frame[at + MARK_BYTES..], body);
    assert_eq!(marked(Form::Aac, &[0xaf, 1], &[0b1010_0000, 0, 0]), None);
}

#[test]
fn a_front_that_is_too_long_is_refused() {
    let delimiter = |length| joined(4, &[unit(false, 9, &vec![1; length]), unit(false, 5, &[1])]);
    assert!(marked(avc(4), &[0; 5], &delimiter(400)).is_some());
    assert_eq!(marked(avc(4), &[0; 5], &delimiter(600)), None);
}

#[test]
fn units_that_are_cut_short_are_refused() {
    for body in [&[0, 0, 0][..], &[0, 0, 0, 9, 0x65], &[0, 0, 0, 2, 0x47, 1, 0, 0, 1, 0, 0x65]] {
        assert_eq!(marked(avc(4), &[], body), None);
        assert_eq!(marked(hevc(4), &[], body), None);
    }
    assert_eq!(marked(Form::Av1, &[], &[0x12, 5, 0]), None);
    assert_eq!(marked(Form::Opus, &[], &[0xff, 0x41, 9, 0]), None);
    assert_eq!(marked(Form::Opus, &[], &[]), None);
}

#[test]
fn what_has_no_room_is_refused() {
    assert_eq!(Form::of(Codec::Vp9, &[1, 2, 3]), Err(Refusal::Codec));
    assert_eq!(Form::of(Codec::Mp3, &[]), Err(Refusal::Codec));
    assert_eq!(Form::of(Codec::Avc, &[1, 2]), Err(Refusal::Configuration));
    assert_eq!(Form::of(Codec::Hevc, &[1; 22]), Err(Refusal::Configuration));
    assert_eq!(Form::of(Codec::Opus, b"OpusHead"), Err(Refusal::Configuration));
    // Error resilient AAC-LD (object type 23) at 48 kHz in stereo.
    assert_eq!(Form::of(Codec::Aac, &[0xb9, 0x90, 0]), Err(Refusal::ObjectType(23)));
    let head = |family| [&b"OpusHead\x01\x06\x38\x01\x80\xbb\0\0\0\0"[..], &[family]].concat();
    assert_eq!(Form::of(Codec::Opus, &head(1)), Err(Refusal::ManyStreams));
    assert_eq!(Form::of(Codec::Opus, &head(0)), Ok(Form::Opus));
}

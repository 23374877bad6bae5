//! Files, sound and damaged, fed whole, byte by byte and in random pieces.

use bytes::{Bytes, BytesMut};
use millstream_flv::{
    Header, Item, ReadError, Reader, Tag, TagKind, WriteError, Writer, tag_header,
};
use proptest::{collection::vec, prelude::*};

const BOTH: Header = Header { audio: true, video: true };

fn tag(kind: TagKind, timestamp: u32, payload: &[u8]) -> Tag {
    Tag { kind, timestamp, payload: Bytes::copy_from_slice(payload) }
}

/// Three tags, of 11 + 4, 11 + 5 and 11 + 6 bytes, with their lengths 66 bytes with the header.
fn three() -> Vec<Tag> {
    vec![
        tag(TagKind::Script, 0, b"meta"),
        tag(TagKind::Video, 40, b"video"),
        tag(TagKind::Audio, 0x8102_0304, b"audio!"),
    ]
}

fn file_of(tags: &[Tag]) -> Vec<u8> {
    let mut file = BytesMut::new();
    let mut writer = Writer::new();
    writer.header(BOTH, &mut file);
    for tag in tags {
        let offset = writer.tag(tag.kind, tag.timestamp, &tag.payload, &mut file);
        let offset = offset.expect("the tag is short") as usize;
        assert_eq!(file[offset], tag.kind.number());
    }
    assert_eq!(writer.bytes_written(), file.len() as u64);
    file.into()
}

/// Reads pieces of a file; the tags and how many bytes were no tag.
fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<(Vec<Tag>, u64), ReadError> {
    let mut reader = Reader::new();
    let mut tags = Vec::new();
    let mut take = |reader: &mut Reader, mut piece: &[u8]| {
        while let Some(item) = reader.read(&mut piece)? {
            if let Item::Tag(tag) = item {
                tags.push(tag);
            }
        }
        assert!(piece.is_empty());
        Ok(())
    };
    for piece in pieces {
        take(&mut reader, piece)?;
    }
    reader.finish();
    take(&mut reader, &[])?;
    assert!(reader.buffered_bytes() == 0 || tags.is_empty());
    Ok((tags, reader.skipped_bytes()))
}

/// The same, checked to be the same for the whole and for single bytes.
fn read_both_ways(file: &[u8]) -> (Vec<Tag>, u64) {
    let whole = read([file]).expect("it is a file");
    assert_eq!(read(file.chunks(1)), Ok(whole.clone()));
    whole
}

#[test]
fn the_bytes_of_a_file() {
    let file = file_of(&[tag(TagKind::Audio, 0x8102_0304, b"ab")]);
    let expected = b"FLV\x01\x05\0\0\0\x09\0\0\0\0\x08\0\0\x02\x02\x03\x04\x81\0\0\0ab\0\0\0\x0d";
    assert_eq!(file, expected);
    let header = tag_header(TagKind::Audio, 0x8102_0304, 2).unwrap();
    assert_eq!(header, expected[13..24]);
}

#[test]
fn a_sound_file_reads_as_it_was_written() {
    assert_eq!(read_both_ways(&file_of(&three())), (three(), 0));
    assert_eq!(read_both_ways(&file_of(&[])), (vec![], 0));
    let empty = [tag(TagKind::Audio, 7, b"")];
    assert_eq!(read_both_ways(&file_of(&empty)), (empty.to_vec(), 0));
}

#[test]
fn the_header_tells_what_it_says_and_comes_first() {
    for (flags, audio, video) in [(0, false, false), (1, false, true), (4, true, false)] {
        let mut reader = Reader::new();
        let mut input = &[b'F', b'L', b'V', 1, flags, 0, 0, 0, 9, 0][..];
        let item = reader.read(&mut input).unwrap();
        assert_eq!(item, Some(Item::Header(Header { audio, video })));
    }
}

#[test]
fn other_files_are_refused_at_once_and_for_good() {
    let mut reader = Reader::new();
    assert_eq!(reader.read(&mut &b"F"[..]), Ok(None));
    assert_eq!(reader.read(&mut &b"O"[..]), Err(ReadError::NotFlv));
    assert_eq!(reader.read(&mut &b"FLV"[..]), Err(ReadError::NotFlv));
    assert_eq!(read([&b"<!DOCTYPE html>"[..]]), Err(ReadError::NotFlv));
}

#[test]
fn a_longer_header_is_passed_over_and_an_absurd_one_not_believed() {
    let mut file = file_of(&three());
    file[8] = 11;
    file.splice(9..9, [0xaa, 0xbb]);
    assert_eq!(read_both_ways(&file), (three(), 0));
    let mut file = file_of(&three());
    file[5..9].copy_from_slice(&u32::MAX.to_be_bytes());
    assert_eq!(read_both_ways(&file), (three(), 0));
}

#[test]
fn a_file_without_the_length_of_no_tag() {
    let mut file = file_of(&three());
    file.drain(9..13);
    assert_eq!(read_both_ways(&file), (three(), 0));
}

#[test]
fn wrong_lengths_behind_tags_are_tolerated() {
    for wrong in [0u32, 4, u32::MAX] {
        let mut file = file_of(&three());
        // Behind the first, the second and the last tag.
        for at in [28, 48, 69] {
            let at = at.min(file.len() - 4);
            file[at..at + 4].copy_from_slice(&wrong.to_be_bytes());
        }
        assert_eq!(read_both_ways(&file), (three(), 0));
    }
}

#[test]
fn a_file_cut_anywhere_gives_the_tags_that_are_whole() {
    let file = file_of(&three());
    for cut in 0..file.len() {
        let (tags, skipped) = read_both_ways(&file[..cut]);
        // A tag is whole without the length behind it.
        let ends = [28, 48, 69];
        let whole = ends.iter().filter(|end| **end <= cut).count();
        assert_eq!(tags, three()[..whole], "cut at {cut}");
        assert!(skipped < 17);
    }
}

#[test]
fn garbage_between_tags_is_passed_over_and_counted() {
    let mut file = file_of(&three());
    // Twenty bytes with a tag type among them, behind the first tag.
    let garbage = b"\xff\x08\x00\x00\x01garbage\x09\x12 more";
    file.splice(32..32, garbage.iter().copied());
    assert_eq!(read_both_ways(&file), (three(), garbage.len() as u64));
}

#[test]
fn behind_garbage_only_a_tag_of_the_right_length_is_believed() {
    // What looks like a tag and is followed by one, but has another length behind it, is taken
    // for a tag of a careless writer, unless the file was damaged just before.
    let careless = b"\x08\0\0\x01\0\0\0\0\0\0\0X\0\0\0\0";
    let mut file = file_of(&three());
    file.splice(32..32, careless.iter().copied());
    assert_eq!(read_both_ways(&file).0.len(), 4);
    let mut file = file_of(&three());
    file.splice(32..32, b"\xff".iter().chain(careless).copied());
    assert_eq!(read_both_ways(&file), (three(), 17));
}

#[test]
fn a_gap_costs_the_tag_it_is_in() {
    let mut file = file_of(&three());
    file.drain(44..46);
    let (tags, skipped) = read_both_ways(&file);
    assert_eq!(tags, [three()[0].clone(), three()[2].clone()]);
    assert_eq!(skipped, 11 + 5 + 4 - 2);
}

#[test]
fn a_length_that_is_too_large_does_not_swallow_the_rest() {
    let mut file = file_of(&three());
    file[33..36].copy_from_slice(&[0xff, 0xff, 0xff]);
    let (tags, _) = read_both_ways(&file);
    assert_eq!(tags, [three()[0].clone(), three()[2].clone()]);
}

#[test]
fn two_files_in_one_are_read_as_one() {
    let file = [file_of(&three()), file_of(&three())].concat();
    assert_eq!(read_both_ways(&file), ([three(), three()].concat(), 13));
}

#[test]
fn a_limit_makes_longer_tags_damage() {
    let file = file_of(&three());
    let mut reader = Reader::with_payload_bytes_max(5);
    let mut input = &file[..];
    let mut kinds = Vec::new();
    reader.finish();
    while let Some(item) = reader.read(&mut input).unwrap() {
        if let Item::Tag(tag) = item {
            kinds.push(tag.kind);
        }
    }
    assert_eq!(kinds, [TagKind::Script, TagKind::Video]);
    assert_eq!(reader.skipped_bytes(), 11 + 6 + 4);
}

#[test]
fn a_payload_of_16_mib_has_no_tag() {
    let mut out = BytesMut::new();
    let long = vec![0; 1 << 24];
    let written = Writer::new().tag(TagKind::Video, 0, &long, &mut out);
    assert_eq!(written, Err(WriteError::PayloadTooLong));
    assert!(out.is_empty());
    assert!(tag_header(TagKind::Video, 0, (1 << 24) - 1).is_some());
}

fn any_tag() -> impl Strategy<Value = Tag> {
    let kind = prop_oneof![Just(TagKind::Audio), Just(TagKind::Video), Just(TagKind::Script)];
    (kind, any::<u32>(), vec(any::<u8>(), 0..60))
        .prop_map(|(kind, timestamp, payload)| tag(kind, timestamp, &payload))
}

/// Cuts a file in pieces at these places.
fn pieces<'a>(file: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(file.len())).collect();
    cuts.extend([0, file.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|ends| &file[ends[0]..ends[1]]).collect()
}

proptest! {
    #[test]
    fn files_survive_the_way(
        tags in vec(any_tag(), 0..20), cuts in vec(any::<prop::sample::Index>(), 0..10),
    ) {
        let file = file_of(&tags);
        prop_assert_eq!(read(pieces(&file, &cuts)), Ok((tags, 0)));
    }

    /// However a file is damaged, the pieces it arrives in change nothing, and every byte is
    /// part of a tag or counted.
    #[test]
    fn damage_reads_the_same_in_any_pieces(
        tags in vec(any_tag(), 1..10),
        damage in vec((any::<prop::sample::Index>(), 0u8..20), 1..6),
        cuts in vec(any::<prop::sample::Index>(), 0..10),
    ) {
        let mut file = file_of(&tags);
        for (place, byte) in damage {
            let place = 13 + place.index(file.len() - 13);
            file[place] = byte;
        }
        let (read_tags, skipped) = read([&file[..]]).expect("the header is sound");
        prop_assert_eq!(read(pieces(&file, &cuts)), Ok((read_tags.clone(), skipped)));
        let accounted: usize = read_tags.iter().map(|tag| tag.payload.len() + 15).sum();
        let accounted = accounted as u64 + skipped;
        // The last tag may lack what should follow it.
        let left = file.len() as u64 - 13;
        prop_assert!(accounted >= left && accounted <= left + 4);
    }
}

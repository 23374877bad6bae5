//! Headers and tracks of any message agree. A file reads the same in any pieces, and the tags it
//! gave, written again, read as the same without anything being passed over.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use millstream_amf0::Limits;
use millstream_flv::{
    AudioHeader, Header, Item, Reader, ScriptData, Tag, VideoHeader, Writer, audio, video,
};

fuzz_target!(|data: &[u8]| {
    check_message(data);
    let Some((&piece, file)) = data.split_first() else { return };
    // Most inputs are no file; all are the rest of one.
    let file = [b"FLV\x01\x05\0\0\0\x09", file].concat();
    let (tags, skipped) = read(&file, file.len());
    assert_eq!(read(&file, usize::from(piece) + 1), (tags.clone(), skipped));
    for tag in &tags {
        check_message(&tag.payload);
    }
    let mut written = BytesMut::new();
    let mut writer = Writer::new();
    writer.header(Header { audio: true, video: true }, &mut written);
    for tag in &tags {
        writer.tag(tag.kind, tag.timestamp, &tag.payload, &mut written).expect("it was a tag");
    }
    assert_eq!(read(&written, written.len()), (tags, 0));
});

fn read(file: &[u8], piece: usize) -> (Vec<Tag>, u64) {
    let mut reader = Reader::new();
    let mut tags = Vec::new();
    for mut piece in file.chunks(piece).chain([&[][..]]) {
        if piece.is_empty() {
            reader.finish();
        }
        while let Some(item) = reader.read(&mut piece).expect("it begins as a file") {
            if let Item::Tag(tag) = item {
                tags.push(tag);
            }
        }
        assert!(piece.is_empty());
    }
    assert_eq!(reader.buffered_bytes(), 0);
    (tags, reader.skipped_bytes())
}

fn check_message(message: &[u8]) {
    let header = VideoHeader::parse(message);
    if let Ok(header) = header {
        assert!(!(header.is_key_frame() && header.is_sequence_start()));
        assert!((-0x80_0000..0x80_0000).contains(&header.composition_time));
        let first = video::tracks(message).expect("the header is sound").next();
        let first = first.expect("there is a track").expect("the header is that of the track");
        assert_eq!((header.track_id, header.codec), (first.id, first.codec));
        assert_eq!(header.composition_time, first.composition_time);
        assert!(message[header.header_len..].starts_with(first.body));
    }
    if let Ok(tracks) = video::tracks(message) {
        let bodies: usize = tracks.flatten().map(|track| track.body.len()).sum();
        assert!(bodies < message.len());
    }
    if let Ok(header) = AudioHeader::parse(message) {
        let first = audio::tracks(message).expect("the header is sound").next();
        let first = first.expect("there is a track").expect("the header is that of the track");
        assert_eq!((header.track_id, header.codec), (first.id, first.codec));
        assert!(message[header.header_len..].starts_with(first.body));
    }
    if let Ok(tracks) = audio::tracks(message) {
        let bodies: usize = tracks.flatten().map(|track| track.body.len()).sum();
        assert!(bodies < message.len());
    }
    if let Ok(script) = ScriptData::parse(message, Limits::default()) {
        let mut written = BytesMut::new();
        script.write(&mut written).expect("what was read can be written");
    }
}

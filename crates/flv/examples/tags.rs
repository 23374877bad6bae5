//! Lists the tags of an FLV file: `cargo run --example tags -- FILE`. Without a file it lists
//! a few tags of its own.

use std::{fs::File, io::Read};

use bytes::BytesMut;
use millstream_amf0::{Limits, Object, Value};
use millstream_flv::{
    AudioHeader, Header, Item, Reader, ScriptData, Tag, TagKind, VideoHeader, Writer,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut source: Box<dyn Read> = match std::env::args_os().nth(1) {
        Some(path) => Box::new(File::open(path)?),
        None => Box::new(std::io::Cursor::new(a_few_tags()?)),
    };
    let mut reader = Reader::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = source.read(&mut buffer)?;
        if length == 0 {
            reader.finish();
        }
        let mut input = &buffer[..length];
        while let Some(item) = reader.read(&mut input)? {
            match item {
                Item::Header(header) => println!("{header:?}"),
                Item::Tag(tag) => println!("{:>10} ms  {}", tag.timestamp, describe(&tag)),
            }
        }
        if length == 0 {
            println!("{} bytes were no tag", reader.skipped_bytes());
            return Ok(());
        }
    }
}

fn describe(tag: &Tag) -> String {
    let length = tag.payload.len();
    match tag.kind {
        TagKind::Audio => match AudioHeader::parse(&tag.payload) {
            Ok(header) => {
                format!(
                    "audio  {length:>8} bytes  {} {:?}",
                    header.codec.codec(),
                    header.packet_type
                )
            }
            Err(error) => format!("audio  {length:>8} bytes  {error}"),
        },
        TagKind::Video => match VideoHeader::parse(&tag.payload) {
            Ok(header) => {
                let codec = header.codec.codec().map_or(String::new(), |codec| codec.to_string());
                let (frame, packet) = (header.frame_type, header.packet_type);
                format!("video  {length:>8} bytes  {codec} {packet:?} {frame:?}")
            }
            Err(error) => format!("video  {length:>8} bytes  {error}"),
        },
        TagKind::Script => match ScriptData::parse(&tag.payload, Limits::default()) {
            Ok(script) => format!("script {length:>8} bytes  {}", script.name),
            Err(error) => format!("script {length:>8} bytes  {error}"),
        },
    }
}

fn a_few_tags() -> Result<BytesMut, Box<dyn std::error::Error>> {
    let mut script = BytesMut::new();
    let metadata = Object::new().with("width", 1280.0).with("height", 720.0);
    ScriptData::new("onMetaData", Value::EcmaArray(metadata)).write(&mut script)?;
    let mut file = BytesMut::new();
    let mut writer = Writer::new();
    writer.header(Header { audio: true, video: true }, &mut file);
    writer.tag(TagKind::Script, 0, &script, &mut file)?;
    writer.tag(TagKind::Audio, 0, &[0xaf, 0x00, 0x12, 0x10], &mut file)?;
    writer.tag(TagKind::Video, 0, b"\x90hvc1\x01", &mut file)?;
    writer.tag(TagKind::Video, 0, b"\x91hvc1\0\0\x28....", &mut file)?;
    writer.tag(TagKind::Audio, 23, &[0xaf, 0x01, 0x21, 0x10], &mut file)?;
    Ok(file)
}

//! Keeps a stream in an FLV file until it ends: `play_flv URL FILE.flv`.

use bytes::BytesMut;
use millstream_client::{Event, PlayOptions, RtmpUrl, blocking};
use millstream_flv::{Header, Writer};
use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    match (args.next(), args.next()) {
        (Some(url), Some(file)) => play(&url, &file),
        _ => Err("usage: play_flv rtmp://HOST/APP/NAME FILE.flv".into()),
    }
}

/// Receives a whole stream.
pub fn play(url: &str, file: &str) -> Result<(), Box<dyn Error>> {
    let url = RtmpUrl::parse(url)?;
    let mut connection = blocking::connect(&url, blocking::Settings::new(&url))?;
    connection.play(&url.name(), PlayOptions::default())?;
    let (mut file, mut writer) = (File::create(file)?, Writer::new());
    let mut bytes = BytesMut::new();
    writer.header(Header { audio: true, video: true }, &mut bytes);
    loop {
        match connection.next(Duration::from_secs(10))? {
            Some(Event::Stopped { .. }) | None => break,
            Some(Event::Refused(refusal)) => return Err(refusal.to_string().into()),
            Some(event) => {
                if let Some(tag) = event.into_tag() {
                    writer.tag(tag.kind, tag.timestamp, &tag.payload, &mut bytes)?;
                }
            }
        }
        file.write_all(&bytes)?;
        bytes.clear();
    }
    connection.end()?;
    Ok(())
}

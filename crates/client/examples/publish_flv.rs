//! Publishes an FLV file at the pace of its timestamps: `publish_flv FILE.flv URL`.

use millstream_client::{Event, PublishMode, RtmpUrl, blocking};
use millstream_flv::{Item, Reader};
use std::error::Error;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    match (args.next(), args.next()) {
        (Some(file), Some(url)) => publish(&file, &url),
        _ => Err("usage: publish_flv FILE.flv rtmp://HOST/APP/NAME".into()),
    }
}

/// Sends a whole file.
pub fn publish(file: &str, url: &str) -> Result<(), Box<dyn Error>> {
    let url = RtmpUrl::parse(url)?;
    let file = std::fs::read(file)?;
    let mut connection = blocking::connect(&url, blocking::Settings::for_publishing(&url))?;
    let stream = connection.publish(&url.name(), PublishMode::Live)?;
    let began = Instant::now();
    let (mut reader, mut input) = (Reader::new(), &file[..]);
    while let Some(item) = reader.read(&mut input)? {
        let Item::Tag(tag) = item else { continue };
        let due = began + Duration::from_millis(tag.timestamp.into());
        // Reading what the server says until then is what sends, too.
        while let Some(left) = due.checked_duration_since(Instant::now()) {
            if let Some(Event::Refused(refusal)) = connection.next(left)? {
                return Err(refusal.to_string().into());
            }
        }
        connection.client().tag(stream, tag)?;
    }
    if let Some(stats) = connection.client().uplink(stream) {
        println!("{} frames left out", stats.skipped_frames());
    }
    connection.end()?;
    Ok(())
}

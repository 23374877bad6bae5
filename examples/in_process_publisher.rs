//! A server with a stream of its own: an FLV file, again and again, published from within.
//!
//! ```text
//! cargo run --release --example in_process_publisher -- film.flv 127.0.0.1:1935
//! ffplay rtmp://127.0.0.1:1935/live/film
//! ```

use millstream::config::Config;
use millstream::hook::Application;
use millstream::server::Server;
use millstream_client::{Event, PublishMode, RtmpUrl, blocking};
use millstream_flv::{Item, Reader, Tag};
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

struct AcceptAll;

impl Application for AcceptAll {}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let file = args.next().ok_or("usage: in_process_publisher FILE.flv [ADDRESS]")?;
    let address = args.next().unwrap_or_else(|| "127.0.0.1:1935".into());
    let film = read(&file)?;
    let config = Config { rtmp: vec![address.parse()?], open: true, ..Config::default() };
    let server = Server::start(config, Arc::new(AcceptAll))?;
    println!("play rtmp://{}/live/film", server.rtmp()[0]);
    publish(&server, &film)
}

/// A whole file, which is small enough to be kept.
fn read(file: &str) -> Result<Vec<Tag>, Box<dyn Error>> {
    let bytes = std::fs::read(file)?;
    let (mut reader, mut input, mut tags) = (Reader::new(), &bytes[..], Vec::new());
    while let Some(item) = reader.read(&mut input)? {
        if let Item::Tag(tag) = item {
            tags.push(tag);
        }
    }
    if tags.iter().all(|tag| tag.timestamp == 0) {
        return Err(format!("{file} has nothing to play").into());
    }
    Ok(tags)
}

/// Sends it at the pace of its times, and begins anew behind its end, for ever.
fn publish(server: &Server, film: &[Tag]) -> Result<(), Box<dyn Error>> {
    // What the server in this process hears as the application and the name.
    let url = RtmpUrl::parse("rtmp://localhost/live/film")?;
    let mut connection = blocking::over(server.connect()?, blocking::Settings::new(&url))?;
    let stream = connection.publish(&url.name(), PublishMode::Live)?;
    let began = Instant::now();
    // Sound and pictures end at different times.
    let length = film.iter().map(|tag| tag.timestamp).max().unwrap_or(0) + 40;
    for round in 0.. {
        for tag in film {
            let timestamp = tag.timestamp.wrapping_add(length.wrapping_mul(round));
            let due = began
                + Duration::from_millis(u64::from(length) * u64::from(round))
                + Duration::from_millis(tag.timestamp.into());
            // Hearing what the server says is what sends, too.
            while let Some(left) = due.checked_duration_since(Instant::now()) {
                if let Some(Event::Closed) = connection.next(left)? {
                    return Ok(());
                }
            }
            connection.client().tag(stream, Tag { timestamp, ..tag.clone() })?;
        }
    }
    Ok(())
}

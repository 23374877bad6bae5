//! An egress of your own: the server's streams over HTTP, as FLV.
//!
//! ```text
//! cargo run --release --example custom_egress -- 127.0.0.1:8000 127.0.0.1:1935
//! ffmpeg -re -i film.mp4 -c copy -f flv rtmp://127.0.0.1:1935/live/film
//! ffplay http://127.0.0.1:8000/live/film
//! ```
//!
//! The application says how a message is written, answers a request, and hands its socket over. From
//! then on the server's own cores write to it, from one log for all viewers, and skip to key frames
//! for whom that is needed.

use bytes::BytesMut;
use millstream::config::Config;
use millstream::egress::own::{Format, Formats, Sample, Track};
use millstream::hook::Application;
use millstream::name::StreamName;
use millstream::server::{Additions, Server};
use millstream_flv::{Header, TagKind, Writer};
use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

struct AcceptAll;

impl Application for AcceptAll {}

/// A message is an FLV tag, with nothing around it that depends on the viewer.
struct FlvTags;

impl Format for FlvTags {
    fn write(&self, sample: &Sample<'_>, out: &mut Vec<u8>) {
        let kind = match sample.track {
            Track::Audio => TagKind::Audio,
            Track::Video => TagKind::Video,
            Track::Data => TagKind::Script,
        };
        // FLV counts modulo 2^32. A payload that no tag can hold is left out.
        let _ = Writer::new().tag(kind, sample.timestamp as u32, sample.payload, out);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let http = args.next().unwrap_or_else(|| "127.0.0.1:8000".into());
    let rtmp = args.next().unwrap_or_else(|| "127.0.0.1:1935".into());
    let mut formats = Formats::default();
    let flv = formats.add(FlvTags);
    let config = Config { rtmp: vec![rtmp.parse()?], open: true, ..Config::default() };
    let additions = Additions { formats, ..Additions::default() };
    let server = Server::start_with(config, Arc::new(AcceptAll), additions)?;
    let listener = TcpListener::bind(http)?;
    println!(
        "publish to rtmp://{}/live/NAME, play http://{}/live/NAME",
        server.rtmp()[0],
        listener.local_addr()?
    );
    for viewer in listener.incoming() {
        // A program for the world would not wait for one request after another.
        let asked = viewer.map_err(Into::into).and_then(answer);
        let sent = asked.and_then(|(name, viewer)| Ok(server.let_out(&name, flv, viewer)?));
        if let Err(error) = sent {
            eprintln!("{error}");
        }
    }
    Ok(())
}

/// Reads a request, and answers with what comes before the first message: HTTP's head and FLV's.
fn answer(mut viewer: TcpStream) -> Result<(StreamName, TcpStream), Box<dyn Error>> {
    viewer.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut request = BufReader::new((&viewer).take(8192));
    let mut line = String::new();
    request.read_line(&mut line)?;
    let path = line.strip_prefix("GET /").and_then(|rest| rest.split_once(' '));
    let (path, _) = path.ok_or("not a GET request")?;
    let (app, name) = path.split_once('/').ok_or("not /APP/NAME")?;
    let name = StreamName::new(app, name)?;
    while request.read_line(&mut line)? > 2 {}
    let mut head =
        BytesMut::from("HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\nConnection: close\r\n\r\n");
    Writer::new().header(Header { audio: true, video: true }, &mut head);
    viewer.write_all(&head)?;
    Ok((name, viewer))
}

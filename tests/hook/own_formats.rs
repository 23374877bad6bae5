//! Streams in formats of the application's own, let out into its sockets.

use crate::client::{Client, playing, publishing, start_with_formats};
use bytes::Bytes;
use millstream::config::{Config, Lag};
use millstream::egress::own::{Format, Formats, Sample, Track};
use millstream::name::StreamName;
use millstream_rtmp::client::PlayOptions;
use millstream_rtmp::message::MessageType;
use millstream_rtmp::session::PublishMode;
use std::io::{ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// Pictures behind their length, and nothing of sound.
struct Pictures;

impl Format for Pictures {
    fn write(&self, sample: &Sample<'_>, out: &mut Vec<u8>) {
        if sample.track == Track::Video {
            out.extend_from_slice(&(sample.payload.len() as u32).to_be_bytes());
            out.extend_from_slice(sample.payload);
        }
    }
}

/// Panics with the first picture.
struct Fragile;

impl Format for Fragile {
    fn write(&self, sample: &Sample<'_>, out: &mut Vec<u8>) {
        out.push(b'x');
        assert!(sample.track != Track::Video, "this format cannot write pictures");
    }
}

fn name() -> StreamName {
    StreamName::new("live", "cam").expect("a name")
}

/// A pair of sockets, the second one read with a time-out.
fn pair() -> (UnixStream, UnixStream) {
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    theirs.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out can be set");
    (ours, theirs)
}

fn picture(number: u32, length: usize) -> Bytes {
    let mut picture = vec![0; length];
    picture[..2].copy_from_slice(&[if number.is_multiple_of(10) { 0x17 } else { 0x27 }, 1]);
    picture[5..9].copy_from_slice(&number.to_be_bytes());
    picture.into()
}

/// The number of the next picture; nothing at the end.
fn read_picture(reader: &mut impl Read, length: usize) -> Option<u32> {
    let mut head = [0; 4];
    if let Err(error) = reader.read_exact(&mut head) {
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        return None;
    }
    assert_eq!(u32::from_be_bytes(head) as usize, length);
    let mut payload = vec![0; length];
    reader.read_exact(&mut payload).expect("a whole picture");
    Some(u32::from_be_bytes([payload[5], payload[6], payload[7], payload[8]]))
}

fn send(publisher: &mut Client, number: u32, length: usize) {
    let at = number * 40;
    let sound = Bytes::from_static(&[0xaf, 1, 2, 3]);
    let picture = picture(number, length);
    publisher.connection.send_media(MessageType::VIDEO, at, picture).expect("it publishes");
    publisher.connection.send_media(MessageType::AUDIO, at, sound).expect("it publishes");
    publisher.flush();
}

#[test]
fn a_format_is_read_beside_players_and_may_leave_things_out() {
    let mut formats = Formats::default();
    let id = formats.add(Pictures);
    let (server, address) = start_with_formats(Config::default(), formats);
    let (ours, mut early) = pair();
    // Nobody publishes yet: it waits, as a player does.
    server.let_out(&name(), id, ours).expect("the server runs");
    let mut publisher = Client::connect(address, "live");
    let request = publisher.connection.publish("cam", PublishMode::Live).expect("it can be asked");
    publisher.until("the publish", publishing);
    for number in 0..25 {
        send(&mut publisher, number, 1000);
        assert_eq!(read_picture(&mut early, 1000), Some(number));
    }
    // Who comes later begins with the newest key frame.
    let (ours, mut late) = pair();
    server.let_out(&name(), id, ours).expect("the server runs");
    assert_eq!(read_picture(&mut late, 1000), Some(20));
    // Who goes takes nobody with him.
    drop(early);
    for number in 25..40 {
        send(&mut publisher, number, 1000);
    }
    for number in 21..40 {
        assert_eq!(read_picture(&mut late, 1000), Some(number));
    }
    // The stream ends, and the socket with it.
    publisher.connection.close(request).expect("it publishes");
    publisher.flush();
    assert_eq!(read_picture(&mut late, 1000), None);
}

#[test]
fn a_format_that_panics_harms_nobody_else() {
    let mut formats = Formats::default();
    let (fragile, pictures) = (formats.add(Fragile), formats.add(Pictures));
    let (server, address) = start_with_formats(Config::default(), formats);
    let mut publisher = Client::connect(address, "live");
    publisher.publish("cam");
    publisher.until("the publish", publishing);
    let mut player = Client::connect(address, "live");
    player.connection.play("cam", PlayOptions::default()).expect("it can be asked");
    player.until("the play", playing);
    let (ours, _broken) = pair();
    server.let_out(&name(), fragile, ours).expect("the server runs");
    let (ours, mut whole) = pair();
    server.let_out(&name(), pictures, ours).expect("the server runs");
    for number in 0..20 {
        send(&mut publisher, number, 500);
        player.until_media(2);
        assert_eq!(read_picture(&mut whole, 500), Some(number));
    }
}

#[test]
fn a_socket_that_nobody_reads_is_closed_and_holds_up_nobody() {
    let mut formats = Formats::default();
    let id = formats.add(Pictures);
    let lag = Lag {
        skip: Duration::from_millis(500),
        hang_up: Duration::from_secs(2),
        skips_per_minute: 100,
    };
    let (server, address) = start_with_formats(Config { lag, ..Config::default() }, formats);
    let mut publisher = Client::connect(address, "live");
    publisher.publish("cam");
    publisher.until("the publish", publishing);
    let (ours, mut unread) = pair();
    server.let_out(&name(), id, ours).expect("the server runs");
    let (ours, mut read) = pair();
    server.let_out(&name(), id, ours).expect("the server runs");
    let began = Instant::now();
    let hang_ups = || server.directory().shards()[0].hang_ups.get();
    for number in 0.. {
        send(&mut publisher, number, 50_000);
        assert_eq!(read_picture(&mut read, 50_000), Some(number));
        if hang_ups() == 1 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "it was not closed");
        std::thread::sleep(Duration::from_millis(20));
    }
    // What it was sent before is whole pictures, up to one that it was in.
    let mut rest = Vec::new();
    unread.read_to_end(&mut rest).expect("it ends");
    assert!(rest.len() > 50_004);
}

#[test]
fn an_unknown_format_is_refused() {
    let mut others = Formats::default();
    let id = others.add(Pictures);
    let (server, _) = start_with_formats(Config::default(), Formats::default());
    let (ours, _theirs) = pair();
    let refused = server.let_out(&name(), id, ours).expect_err("no such format");
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
}

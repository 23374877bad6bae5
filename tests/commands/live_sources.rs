//! Films that are written while they are sent: a pipe, and a file that is followed.

use crate::publish_and_play::assert_same_film;
use crate::support::*;
use bytes::BytesMut;
use millstream_flv::{Tag, TagKind, Writer};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

fn append(path: &Path, tags: &[Tag]) {
    let (mut bytes, mut writer) = (BytesMut::new(), Writer::new());
    for tag in tags {
        writer.tag(tag.kind, tag.timestamp, &tag.payload, &mut bytes).unwrap();
    }
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    // Whoever writes it does so in pieces that are no tags.
    for piece in bytes.chunks(1_000) {
        file.write_all(piece).unwrap();
    }
}

#[test]
fn standard_input_is_published_as_it_comes() {
    let directory = Directory::new();
    let server = Server::start(&directory, &[]);
    let source = film(30);
    let (file, copy) = (directory.path("source.flv"), directory.path("copy.flv"));
    write_flv(&file, &source);
    let url = server.url("pipe");
    let player = Running::start(["play", &url, "-o", copy.to_str().unwrap()]);
    server.wait_for_plays(1);
    let began = Instant::now();
    let published = run_with_input(["publish", "-", &url], &std::fs::read(&file).unwrap());
    assert_eq!(published.code, Some(0), "{}", published.said);
    assert!(published.said.contains("30 video"), "{}", published.said);
    assert!(began.elapsed() >= Duration::from_millis(1150), "not in real time");
    let played = player.output();
    assert_eq!(played.code, Some(0), "{}", played.said);
    assert_same_film(&source, &read_flv(&std::fs::read(&copy).unwrap()).1);
}

#[test]
fn a_pipe_that_waits_does_not_hold_up_its_end() {
    let directory = Directory::new();
    let server = Server::start(&directory, &[]);
    let mut publisher = Piped::start(["publish", "-", &server.url("pipe")]);
    let file = directory.path("source.flv");
    write_flv(&file, &film(5));
    publisher.write(&std::fs::read(&file).unwrap());
    std::thread::sleep(Duration::from_millis(700));
    // Nothing more comes, and nothing has ended.
    let began = Instant::now();
    publisher.interrupt();
    let published = publisher.output();
    assert_eq!(published.code, Some(0), "{}", published.said);
    assert!(published.said.contains("5 video"), "{}", published.said);
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[test]
fn a_file_is_followed_from_its_newest_key_frame() {
    let directory = Directory::new();
    let server = Server::start(&directory, &[]);
    let source = film(50);
    let (file, copy) = (directory.path("source.flv"), directory.path("copy.flv"));
    // Written up to within the second group of pictures.
    let written = source.iter().position(|tag| tag.timestamp >= 600).unwrap();
    write_flv(&file, &source[..written]);
    let url = server.url("followed");
    let player = Running::start(["play", &url, "-o", copy.to_str().unwrap()]);
    server.wait_for_plays(1);
    let publisher = Running::start(["publish", "--follow", file.to_str().unwrap(), &url]);
    for tags in source[written..].chunks(10) {
        std::thread::sleep(Duration::from_millis(60));
        append(&file, tags);
    }
    std::thread::sleep(Duration::from_millis(1_800));
    publisher.interrupt();
    let published = publisher.output();
    assert_eq!(published.code, Some(0), "{}", published.said);
    let played = player.output();
    assert_eq!(played.code, Some(0), "{}", played.said);
    let (_, played) = read_flv(&std::fs::read(&copy).unwrap());
    let newest = source.iter().position(|tag| tag.timestamp >= 400 && tag.kind == TagKind::Video);
    let expected = [&source[..3], &source[newest.unwrap()..]].concat();
    for kind in [TagKind::Audio, TagKind::Video] {
        let (expected, played) = (media(&expected, kind), media(&played, kind));
        let payloads =
            |tags: &[&Tag]| tags.iter().map(|tag| tag.payload.clone()).collect::<Vec<_>>();
        assert_eq!(payloads(&played), payloads(&expected), "{kind:?}");
    }
}

#[test]
fn a_file_is_followed_from_its_start_if_wanted() {
    let directory = Directory::new();
    let server = Server::start(&directory, &[]);
    let file = directory.path("source.flv");
    write_flv(&file, &film(25));
    let url = server.url("followed");
    let file = file.to_str().unwrap();
    let publisher = Running::start(["publish", "--follow", "--from-start", file, &url]);
    std::thread::sleep(Duration::from_millis(1_800));
    publisher.interrupt();
    let published = publisher.output();
    assert_eq!(published.code, Some(0), "{}", published.said);
    assert!(published.said.contains("25 video"), "{}", published.said);
}

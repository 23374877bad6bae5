//! A file goes to the server and comes back.

use crate::support::*;
use millstream_flv::{Tag, TagKind};
use std::time::Duration;

/// Checks that all sound and pictures of `source` came, at one constant distance in time.
pub fn assert_same_film(source: &[Tag], played: &[Tag]) {
    let mut shifts = Vec::new();
    for kind in [TagKind::Audio, TagKind::Video] {
        let (source, played) = (media(source, kind), media(played, kind));
        assert_eq!(source.len(), played.len(), "{kind:?}");
        for (index, (source, played)) in source.iter().zip(&played).enumerate() {
            assert_eq!(source.payload, played.payload, "{kind:?} {index}");
            shifts.push(i64::from(played.timestamp) - i64::from(source.timestamp));
        }
    }
    assert!(shifts.iter().all(|shift| *shift == shifts[0]), "{shifts:?}");
}

#[test]
fn a_film_comes_back_as_it_went() {
    let directory = Directory::new();
    let server = Server::start(&directory, &[]);
    let source = film(40);
    let (file, copy) = (directory.path("source.flv"), directory.path("copy.flv"));
    write_flv(&file, &source);
    let url = server.url("film");
    let player = Running::start(["play", &url, "-o", copy.to_str().unwrap()]);
    let to_standard_output = Running::start(["play", &url, "-o", "-"]);
    server.wait_for_plays(2);

    let began = std::time::Instant::now();
    let published = run(["publish", file.to_str().unwrap(), &url]);
    let took = began.elapsed();
    assert_eq!(published.code, Some(0), "{}", published.said);
    assert!(published.said.contains("40 video"), "{}", published.said);
    // The last picture stands at 1560 ms.
    assert!(took >= Duration::from_millis(1550), "not in real time: {took:?}");

    let played = player.output();
    assert_eq!(played.code, Some(0), "{}", played.said);
    assert!(played.said.contains("40 video (4 key)"), "{}", played.said);
    assert!(played.said.contains("0 gaps"), "{}", played.said);
    let (header, tags) = read_flv(&std::fs::read(&copy).unwrap());
    assert!(header.audio && header.video);
    assert_same_film(&source, &tags);
    assert_eq!(tags[0].kind, TagKind::Script);
    assert_eq!(tags[0].payload, source[0].payload);

    let played = to_standard_output.output();
    assert_eq!(played.code, Some(0), "{}", played.said);
    assert_same_film(&source, &read_flv(&played.stdout).1);
}

#[test]
fn a_film_without_sound_says_so_in_its_header() {
    let directory = Directory::new();
    let server = Server::start(&directory, &[]);
    let mut source = film(15);
    source.retain(|tag| tag.kind != TagKind::Audio);
    let (file, copy) = (directory.path("source.flv"), directory.path("copy.flv"));
    write_flv(&file, &source);
    let url = server.url("film");
    let player = Running::start(["play", &url, "-o", copy.to_str().unwrap()]);
    server.wait_for_plays(1);
    assert_eq!(run(["publish", file.to_str().unwrap(), &url]).code, Some(0));
    assert_eq!(player.output().code, Some(0));
    let (header, tags) = read_flv(&std::fs::read(&copy).unwrap());
    assert!(!header.audio && header.video);
    assert_same_film(&source, &tags);
}

#[test]
fn a_loop_goes_on_in_time_and_ends_when_interrupted() {
    let directory = Directory::new();
    let server = Server::start(&directory, &[]);
    let source = film(13);
    let (file, copy) = (directory.path("source.flv"), directory.path("copy.flv"));
    write_flv(&file, &source);
    let url = server.url("loop");
    let player = Running::start(["play", &url, "-o", copy.to_str().unwrap()]);
    server.wait_for_plays(1);
    let publisher = Running::start(["publish", file.to_str().unwrap(), &url, "--loop"]);
    std::thread::sleep(Duration::from_millis(2200));
    publisher.interrupt();
    let (published, played) = (publisher.output(), player.output());
    assert_eq!(published.code, Some(0), "{}", published.said);
    assert_eq!(played.code, Some(0), "{}", played.said);

    let (_, tags) = read_flv(&std::fs::read(&copy).unwrap());
    let (pictures, all) = (media(&source, TagKind::Video), media(&tags, TagKind::Video));
    assert!(all.len() > 2 * pictures.len(), "{} pictures", all.len());
    // The sequence header comes once, the pictures again and again.
    let again = pictures[..1].iter().chain(pictures[1..].iter().cycle());
    for (played, source) in all.iter().zip(again) {
        assert_eq!(played.payload, source.payload);
    }
    for kind in [TagKind::Video, TagKind::Audio] {
        for pair in media(&tags, kind)[1..].windows(2) {
            let step = i64::from(pair[1].timestamp) - i64::from(pair[0].timestamp);
            assert!((1..=80).contains(&step), "{kind:?}: {step} ms");
        }
    }
}

#[test]
fn playing_ends_after_the_wanted_time() {
    let directory = Directory::new();
    let server = Server::start(&directory, &[]);
    let file = directory.path("source.flv");
    write_flv(&file, &film(25));
    let url = server.url("long");
    let publisher = Running::start(["publish", file.to_str().unwrap(), &url, "--loop"]);
    let played = run(["play", &url, "--duration", "500ms"]);
    assert_eq!(played.code, Some(0), "{}", played.said);
    assert!(played.said.contains("played 0."), "{}", played.said);
    publisher.interrupt();
    assert_eq!(publisher.output().code, Some(0));
}

#[test]
fn what_is_whole_of_a_damaged_file_is_published() {
    let directory = Directory::new();
    let server = Server::start(&directory, &[]);
    let source = film(20);
    let (file, copy) = (directory.path("source.flv"), directory.path("copy.flv"));
    write_flv(&file, &source[..30]);
    let mut bytes = std::fs::read(&file).unwrap();
    bytes.extend_from_slice(&[0x55; 3000]);
    let sound = bytes.len();
    write_flv(&file, &source[30..]);
    bytes.extend_from_slice(&std::fs::read(&file).unwrap()[13..]);
    assert!(bytes.len() > sound);
    // The last tag is cut.
    std::fs::write(&file, &bytes[..bytes.len() - 20]).unwrap();
    let url = server.url("damaged");
    let player = Running::start(["play", &url, "-o", copy.to_str().unwrap()]);
    server.wait_for_plays(1);
    let published = run(["publish", file.to_str().unwrap(), &url]);
    assert_eq!(published.code, Some(0), "{}", published.said);
    assert!(published.said.contains("were no FLV tags"), "{}", published.said);
    assert_eq!(player.output().code, Some(0));
    let (_, tags) = read_flv(&std::fs::read(&copy).unwrap());
    assert_same_film(&source[..source.len() - 1], &tags);
}

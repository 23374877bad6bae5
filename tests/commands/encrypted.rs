//! `rtmps://`, by a door that takes TLS off in front of a server.

use crate::publish_and_play::assert_same_film;
use crate::support::*;
use millstream_testkit::door;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::path::Path;

/// A door to a port of this machine.
fn door(to: u16, certificate: &Path) -> u16 {
    door::open(SocketAddrV4::new(Ipv4Addr::LOCALHOST, to), certificate).unwrap()
}

#[test]
fn a_film_goes_and_comes_encrypted() {
    let directory = Directory::new();
    let server = Server::start(&directory, &[]);
    let (file, copy) = (directory.path("source.flv"), directory.path("copy.flv"));
    let ca = directory.path("ca.pem");
    let port = door(server.port, &ca);
    let source = film(20);
    write_flv(&file, &source);
    let (url, ca) = (format!("rtmps://127.0.0.1:{port}/live/film"), ca.to_str().unwrap());
    let player = Running::start(["play", &url, "-o", copy.to_str().unwrap(), "--ca", ca]);
    server.wait_for_plays(1);
    let published = run(["publish", file.to_str().unwrap(), &url, "--ca", ca]);
    assert_eq!(published.code, Some(0), "{}", published.said);
    let played = player.output();
    assert_eq!(played.code, Some(0), "{}", played.said);
    assert_same_film(&source, &read_flv(&std::fs::read(&copy).unwrap()).1);
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    let directory = Directory::new();
    let (ca, other) = (directory.path("ca.pem"), directory.path("other.pem"));
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let behind = listener.local_addr().unwrap().port();
    let port = door(behind, &ca);
    door(behind, &other);
    let url = format!("rtmps://127.0.0.1:{port}/live/film?key=correct-horse");
    for args in [vec!["play", &url], vec!["play", &url, "--ca", other.to_str().unwrap()]] {
        let ended = match args[..] {
            [a, b] => run([a, b]),
            [a, b, c, d] => run([a, b, c, d]),
            _ => unreachable!("two forms"),
        };
        assert_eq!(ended.code, Some(3), "{}", ended.said);
        assert!(ended.said.contains("no encrypted connection with 127.0.0.1"), "{}", ended.said);
        assert!(!ended.said.contains("correct-horse"));
    }
    let ended = run(["play", &url, "--ca", "/no/such.pem"]);
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    assert!(ended.said.contains("/no/such.pem"), "{}", ended.said);
}

#[test]
fn an_edge_pulls_encrypted() {
    let (there, here) = (Directory::new(), Directory::new());
    let origin = Server::start(&there, &[]);
    let (ca, config, file) = (here.path("ca.pem"), here.path("edge.toml"), here.path("source.flv"));
    let port = door(origin.port, &ca);
    let rule = format!(
        "[[pull]]\nstream = \"live/*\"\norigins = \"rtmps://127.0.0.1:{port}/live\"\nca = {ca:?}\n"
    );
    std::fs::write(&config, rule).unwrap();
    let edge = Server::start(&here, &["--config", config.to_str().unwrap()]);
    let source = film(20);
    write_flv(&file, &source);
    let copy = here.path("copy.flv");
    let player = Running::start(["play", &edge.url("film"), "-o", copy.to_str().unwrap()]);
    origin.wait_for_plays(1);
    let published = run(["publish", file.to_str().unwrap(), &origin.url("film")]);
    assert_eq!(published.code, Some(0), "{}", published.said);
    let played = player.output();
    assert_eq!(played.code, Some(0), "{}", played.said);
    assert_same_film(&source, &read_flv(&std::fs::read(&copy).unwrap()).1);
}

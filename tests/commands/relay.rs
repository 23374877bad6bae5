//! `millstream relay`: a stream to several servers, of which one is not there.

use crate::publish_and_play::assert_same_film;
use crate::support::*;
use serde_json::{Value, json};
use std::net::TcpListener;

/// The film as a player at a server got it, once the film is over.
fn copy(directory: &Directory, name: &str) -> Vec<millstream_flv::Tag> {
    read_flv(&std::fs::read(directory.path(name)).unwrap()).1
}

#[test]
fn a_film_goes_to_two_servers_and_one_that_is_not_there_holds_up_nobody() {
    let directories = [(); 3].map(|()| Directory::new());
    let [home, first, second] = &directories;
    let (source, one, other) =
        (Server::start(home, &[]), Server::start(first, &[]), Server::start(second, &[]));
    let nobody = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let file = home.path("source.flv");
    let film = film(60);
    write_flv(&file, &film);
    let secret = "a-key-of-many-letters";
    let relay = Running::start([
        "relay",
        &source.url("film"),
        &one.url("film"),
        &format!("rtmp://{nobody}/live/{secret}?auth={secret}"),
        &other.url("film"),
    ]);
    source.wait_for_plays(1);
    let players = [(&one, "one.flv"), (&other, "other.flv")].map(|(server, name)| {
        let path = home.path(name);
        let player = Running::start(["play", &server.url("film"), "-o", path.to_str().unwrap()]);
        server.wait_for_plays(1);
        player
    });
    let published = run(["publish", file.to_str().unwrap(), &source.url("film")]);
    assert_eq!(published.code, Some(0), "{}", published.said);
    let relayed = relay.output();
    assert_eq!(relayed.code, Some(0), "{}", relayed.said);
    for player in players {
        let played = player.output();
        assert_eq!(played.code, Some(0), "{}", played.said);
    }
    for name in ["one.flv", "other.flv"] {
        assert_same_film(&film, &copy(home, name));
    }
    assert_eq!(relayed.said.matches(": publishing").count(), 2, "{}", relayed.said);
    assert!(relayed.said.contains("nobody listens"), "{}", relayed.said);
    assert!(!relayed.said.contains(secret), "{}", relayed.said);
}

/// What OBS said, as `crates/testkit/examples/obs_transcript.rs` has it written.
const OBS: &str = include_str!("transcripts/obs-29.0.2.jsonl");

#[test]
fn a_push_says_what_obs_says() {
    let directories = [(); 2].map(|()| Directory::new());
    let [home, there] = &directories;
    let captures = there.path("captures");
    let source = Server::start(home, &[]);
    let target = Server::start(there, &["--capture", captures.to_str().unwrap()]);
    let file = home.path("source.flv");
    write_flv(&file, &film(20));
    let relay = Running::start(["relay", &source.url("cam"), &target.url("cam")]);
    source.wait_for_plays(1);
    assert_eq!(run(["publish", file.to_str().unwrap(), &source.url("cam")]).code, Some(0));
    assert_eq!(relay.output().code, Some(0));
    let host = format!("127.0.0.1:{}", target.port);
    target.stop();

    let captured = std::fs::read_dir(&captures).unwrap().next().unwrap().unwrap().path();
    let listed = run(["inspect", captured.to_str().unwrap(), "--json"]);
    let said = listed.text().lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).unwrap();
        let sizes = message["control"].as_str().is_some_and(|text| text.starts_with("SetChunk"));
        let what = if sizes { &message["control"] } else { &message["command"] };
        (message["direction"] == "in" && !what.is_null())
            .then(|| json!({ "stream": message["stream"], "said": what }))
    });
    let said: Vec<String> = said.map(|said| said.to_string().replace(&host, "HOST")).collect();
    // GoAway is a word of one service's to OBS, which a push does not understand.
    let obs: Vec<String> =
        OBS.lines().map(|line| line.replace("\"supportsGoAway\":true,", "")).collect();
    assert_eq!(said, obs);
}

#[test]
fn what_goes_wrong_has_its_exit_code() {
    let directory = Directory::new();
    let server = Server::start(&directory, &[]);
    let nobody = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let nobody = format!("rtmp://{nobody}/live/film");
    for (source, target, code) in [
        ("film", server.url("film"), 2),
        (&*server.url("film"), "nowhere".to_owned(), 2),
        (&*nobody, server.url("film"), 3),
    ] {
        let ended = run(["relay", source, &target]);
        assert_eq!(ended.code, Some(code), "{source} {target}: {}", ended.said);
    }

    let file = directory.path("source.flv");
    write_flv(&file, &film(40));
    let relay = Running::start(["relay", &server.url("film"), &nobody]);
    server.wait_for_plays(1);
    assert_eq!(run(["publish", file.to_str().unwrap(), &server.url("film")]).code, Some(0));
    let ended = relay.output();
    assert_eq!(ended.code, Some(5), "{}", ended.said);
    assert!(ended.said.contains("no target took the stream"), "{}", ended.said);
}

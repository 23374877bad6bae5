//! Servers that refuse, stall, lie or vanish: each ends in an error of its own name, for each
//! connection once, and in nothing else.

use crate::support::found::{Found, expected, found, names};
use crate::support::good::good_server;
use crate::support::plan::plan;
use crate::support::run::{Case, all, hold, run};
use crate::support::scripts::{self, Script};
use loadtest::proxy::Proxy;
use loadtest::report::Verdict;
use std::net::SocketAddr;

/// Players of a run.
const PLAYERS: usize = 3;

/// What is found where players can play at all, with that many of them.
fn look(server: SocketAddr, players: usize) -> Result<Found, String> {
    let report = run(plan(server, 1, players))?;
    let told = || format!("{:?}: {:?}", report.verdict, report.reasons);
    hold(report.verdict == Verdict::Fail, told)?;
    Ok(found(&report))
}

/// A server that no connection gets past: every publisher and player that tries ends in this error.
fn every_connection<'a>(name: &'a str, server: SocketAddr, kind: &'a str) -> Case<'a> {
    let case = move || {
        let found = look(server, PLAYERS)?;
        hold(names(&found) == [format!("error.{kind}")], || format!("{found:?}, not {kind}"))
    };
    (name, Box::new(case))
}

/// A server that publishers fail at: the error comes once, for there is one of them.
fn the_publisher<'a>(name: &'a str, script: Script, kind: &'a str) -> Case<'a> {
    let case = move || {
        let found = look(scripts::start(script), 0)?;
        let wanted = expected([(&format!("error.{kind}"), 1)]);
        hold(found == wanted, || format!("{found:?} instead of {wanted:?}"))
    };
    (name, Box::new(case))
}

/// A server that players fail at, with publishers all being well: the error comes once for each.
fn each_player<'a>(name: &'a str, script: Script, kind: &'a str) -> Case<'a> {
    let case = move || {
        let found = look(scripts::start(script), PLAYERS)?;
        let wanted = expected([(&format!("error.{kind}"), PLAYERS as u64)]);
        hold(found == wanted, || format!("{found:?} instead of {wanted:?}"))
    };
    (name, Box::new(case))
}

/// As `each_player`, by a fault in the way of frames that came so far; those after it are lost.
fn each_player_after_some<'a>(fault: &'a str, kind: &'a str) -> Case<'a> {
    let case = move || {
        let faults = [fault.parse().unwrap()];
        let listen = "127.0.0.1:0".parse().unwrap();
        let proxy = Proxy::start(listen, good_server(4096), &faults).unwrap();
        let found = look(proxy.address(), PLAYERS)?;
        let (error, players) = (format!("error.{kind}"), PLAYERS as u64);
        hold(found.get(&error) == Some(&players), || format!("{found:?}, not {kind}"))?;
        let known = ["audio.lost", &error, "video.lost"];
        hold(names(&found).iter().all(|name| known.contains(name)), || format!("{found:?}"))
    };
    (fault, Box::new(case))
}

#[test]
fn connections_that_are_not_to_be_had() {
    let start = scripts::start;
    all(vec![
        every_connection("nobody", scripts::nobody(), "connection-refused"),
        every_connection("a close", start(scripts::closes_in_the_handshake), "closed"),
        every_connection("a reset", start(scripts::resets_in_the_handshake), "connection-reset"),
    ]);
}

#[test]
fn handshakes_that_do_not_end() {
    let start = scripts::start;
    let kind = "handshake-timeout";
    all(vec![
        every_connection("silence", start(scripts::says_nothing), kind),
        every_connection("half of it", start(scripts::stops_in_the_handshake), kind),
        every_connection("a trickle", start(scripts::trickles_the_handshake), kind),
    ]);
}

#[test]
fn bytes_that_are_no_rtmp() {
    let start = scripts::start;
    all(vec![
        every_connection("HTTP", start(scripts::speaks_http), "handshake-version"),
        every_connection("nonsense", start(scripts::answers_nonsense), "chunk-without-header"),
        every_connection(
            "chunks of 0",
            start(scripts::announces_chunks_of_nothing),
            "chunk-size-invalid",
        ),
        every_connection(
            "chunks of 2^31",
            start(scripts::announces_chunks_without_end),
            "chunk-size-invalid",
        ),
        each_player("a message too long", scripts::begins_a_message_too_long, "message-too-long"),
        each_player_after_some("garbage:video@30", "chunk-without-header"),
    ]);
}

#[test]
fn refusals() {
    let connect = scripts::start(scripts::refuses_connect);
    all(vec![
        every_connection("connect", connect, "connect-refused"),
        the_publisher("publish", scripts::refuses_publish, "publish-refused"),
        each_player("play", scripts::refuses_play, "play-refused"),
    ]);
}

#[test]
fn answers_that_never_come() {
    let start = scripts::start;
    all(vec![
        every_connection("connect", start(scripts::ignores_connect), "connect-timeout"),
        every_connection("createStream", start(scripts::ignores_create_stream), "request-timeout"),
        the_publisher("publish", scripts::ignores_requests, "request-timeout"),
        each_player("play", scripts::ignores_play, "request-timeout"),
    ]);
}

#[test]
fn media_that_does_not_come() {
    all(vec![
        each_player("none", scripts::sends_no_media, "no-first-frame"),
        each_player("configurations", scripts::sends_configurations_alone, "no-first-frame"),
        each_player("one endless frame", scripts::begins_a_message_without_end, "no-first-frame"),
        each_player_after_some("stall:video@70", "stalled"),
    ]);
}

#[test]
fn players_that_are_thrown_out() {
    all(vec![
        each_player("in mid-message", scripts::closes_in_a_message, "closed"),
        each_player("by a reset", scripts::resets_players, "connection-reset"),
    ]);
}

#[test]
fn frames_that_nobody_published() -> Result<(), String> {
    let found = look(scripts::start(scripts::sends_frames_without_marks), PLAYERS)?;
    // Nor is any of them one that a decoder could begin with.
    let known = ["audio.unmarked", "error.no-first-frame", "video.unmarked"];
    hold(names(&found) == known, || format!("{found:?}"))
}

//! The load generator against millstream and against servers that are not: one command line, of
//! which only the address and the process id differ, and every frame right.
//!
//! What is checked is the generator, so nothing is said of who is faster. A server that joins
//! players at key frames (nginx), one that hands out a group of pictures (Node-Media-Server) and
//! one that holds back ten messages at a time (its series 2) must all be found without fault.
//! What the generator does about servers at fault belongs to its own tests.

#![expect(clippy::unwrap_used, reason = "a server or program that fails is a failed test")]

mod exits;
mod generator;
mod hosts;
mod profiles;

use generator::Report;
use millstream_testkit::{Driver, Scratch, Server, Target};

/// Twenty players of one stream.
const ONE_STREAM: [&str; 6] = ["--publishers", "1", "--players", "20", "--seconds", "3"];
/// Two players of each of five streams, whose names are numbered.
const FIVE_STREAMS: [&str; 6] = ["--publishers", "5", "--players", "10", "--seconds", "3"];

#[test]
fn millstream() {
    let binary = env!("CARGO_BIN_EXE_millstream").into();
    let driver = Driver::Default;
    is_found_without_fault(&Target::Millstream { binary, driver, args: Vec::new() });
}

#[test]
fn nginx_rtmp() {
    is_found_without_fault(&Target::Nginx);
}

#[test]
fn node_media_server_2() {
    is_found_without_fault(&Target::NodeMediaServer(2));
}

#[test]
fn node_media_server_4() {
    is_found_without_fault(&Target::NodeMediaServer(4));
}

fn is_found_without_fault(target: &Target) {
    let scratch = Scratch::new("swarm").unwrap();
    let mut server = Server::start(&scratch, target).unwrap();
    for (name, arguments, players) in [("one", ONE_STREAM, 20), ("five", FIVE_STREAMS, 10)] {
        let (url, pid) = (server.url(name), server.process().id());
        let report = Report::of_run(&scratch, &url, pid, &arguments);
        server.process().check_unharmed().unwrap();
        assert_eq!(report.troubles(), Vec::<String>::new(), "{target:?}, {name}\n{report}");
        assert_eq!(report.playing(), players, "{target:?}, {name}\n{report}");
        assert_eq!(report.joins(), players, "{target:?}, {name}\n{report}");
        for (track, frames, delays) in report.tracks() {
            // In 3 s each player gets 90 pictures and 281 sounds, in the stretch that is timed.
            assert!(frames >= delays && delays >= players * 60, "{track}\n{report}");
        }
        let (cores, resident) = report.server().unwrap_or_else(|| panic!("no usage\n{report}"));
        assert!(cores > 0.0 && resident > 1_000_000, "{cores} cores, {resident} bytes\n{report}");
    }
}

//! Real publishers and real players against the server, bit-exact.
//!
//! Every test starts a server of its own on ports of its own. One module per family of
//! scenarios; what they share is here. How a recording is compared with its source is
//! `millstream-testkit`'s business. `MILLSTREAM_TEST_SERVER=nginx` aims the same scenarios at
//! nginx-rtmp, to test the tests.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot be set up has failed")]

mod backups;
mod edge_of_nginx;
mod enhanced;
mod examples;
mod mutilated;
mod obs;
mod players;
mod restreaming;
#[path = "../transcripts/transcript.rs"]
mod transcript;

use std::error::Error;

use millstream_testkit::players::{Player, Playing};
use millstream_testkit::{Difference, Driver, Match, Recording, Scratch, Server, Target, compare};

/// How far apart audio and video of a joining player may start, in milliseconds: the larger of
/// a video and an audio frame's duration on either side, and B-frame delay.
const START_SKEW_MS_MAX: i64 = 200;

/// The server to test.
fn target(driver: Driver) -> Target {
    Target::from_env(env!("CARGO_BIN_EXE_millstream"), driver)
}

/// Lets every player come to its end and holds its recording against the source. All that
/// failed are reported, not only the first.
fn all_bit_exact(
    scratch: &Scratch,
    server: &Server,
    source: &Recording,
    players: &mut [Playing],
) -> Vec<Match> {
    let mut matches = Vec::new();
    let mut failures = Vec::new();
    for playing in players {
        match bit_exact(scratch, server, source, playing) {
            Ok(found) => {
                println!("{}: bit-exact, {found:?}", playing.name());
                matches.push(found);
            }
            Err(failure) => failures.push(format!("{}: {failure}", playing.name())),
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    matches
}

fn bit_exact(
    scratch: &Scratch,
    server: &Server,
    source: &Recording,
    playing: &mut Playing,
) -> Result<Match, Box<dyn Error>> {
    let received = playing.finish(scratch)?;
    let mut source = playing.player().normalise(source.clone());
    if playing.player() == Player::GstRtmp2src && !server.ends_streams_gently() {
        excuse_last_packet(&mut source, &received);
    }
    let found = compare(&source, &received)?;
    if found.start_skew_ms() > START_SKEW_MS_MAX {
        return Err(format!("audio and video start too far apart: {found:?}").into());
    }
    Ok(found)
}

/// Takes the very last packet from the source if the recording lacks exactly that.
fn excuse_last_packet(source: &mut Recording, received: &Recording) {
    let lacks_one = compare(source, received)
        .is_err_and(|mismatch| *mismatch.difference == Difference::TailMissing { count: 1 });
    let last = source
        .tracks
        .iter_mut()
        .max_by_key(|track| track.packets.last().map(|packet| packet.dts_ms));
    if let (true, Some(track)) = (lacks_one, last) {
        track.packets.pop();
    }
}

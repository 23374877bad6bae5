//! Timestamps that wrap, jump, restart and drift: one timeline goes on, sound and pictures together.

use crate::frames::{self, Sort};
use crate::peer::Peer;
use crate::scene::Scene;
use millstream_rtmp::message::MessageType;

/// What may lie between two frames of a player's timeline, in milliseconds.
const STEP_MAX: i64 = 1001;

/// Publishes frames at these times, a picture and a sound each, and returns what a player sees:
/// pairs of the time of a picture, unwrapped from the first on, and its distance to its sound.
fn played(scene: &Scene, name: &str, times: &[(u32, u32)]) -> Vec<(i64, i64)> {
    let mut publisher = Peer::publishing(&scene.server, name);
    let first = times[0].0;
    publisher.message(MessageType::VIDEO, first, frames::AVC);
    publisher.message(MessageType::AUDIO, first, &[0xaf, 0, 0x12, 0x10]);
    let mut player = Peer::playing(&scene.server, name);
    let mut line: Vec<(i64, i64)> = Vec::new();
    let (mut last, mut unwrapped) = (None, 0_i64);
    for (number, (video, audio)) in (0..).zip(times) {
        let sort = if number % 25 == 0 { Sort::Key } else { Sort::Video };
        publisher.message(MessageType::VIDEO, *video, &frames::frame(sort, number, *video, 100));
        publisher.message(
            MessageType::AUDIO,
            *audio,
            &frames::frame(Sort::Audio, number, *audio, 50),
        );
        let mut next = |kind| loop {
            let message = player.media();
            if !frames::is_header(&message.payload) {
                assert_eq!((message.kind, frames::check(&message.payload).0), (kind, number));
                return message.timestamp;
            }
        };
        let (seen, heard) = (next(MessageType::VIDEO), next(MessageType::AUDIO));
        // Modulo 2^32, as a player has to read it.
        unwrapped += i64::from(seen.wrapping_sub(last.unwrap_or(seen)) as i32);
        last = Some(seen);
        line.push((unwrapped, i64::from(heard.wrapping_sub(seen) as i32)));
    }
    line
}

/// Pictures each 40 ms from `from` on, with their sound at the same time.
fn run(from: u32, count: u32) -> Vec<(u32, u32)> {
    (0..count).map(|at| from.wrapping_add(40 * at)).map(|ms| (ms, ms)).collect()
}

fn assert_goes_on(line: &[(i64, i64)]) {
    for (at, pair) in line.windows(2).enumerate() {
        let step = pair[1].0 - pair[0].0;
        assert!((0..=STEP_MAX).contains(&step), "a step of {step} ms before frame {}", at + 1);
    }
    assert!(
        line.iter().all(|(_, offset)| *offset == line[0].1),
        "sound and pictures parted: {line:?}"
    );
}

#[test]
fn every_boundary_is_crossed() {
    let scene = Scene::with("");
    for (name, boundary) in
        [("b24", 1 << 24), ("b31", 1 << 31), ("b32", 0), ("b24less", (1 << 24) - 1)]
    {
        let line = played(&scene, name, &run(u32::wrapping_sub(boundary, 400), 30));
        assert_goes_on(&line);
        assert_eq!(line.last().unwrap().0, 29 * 40, "{name}: time is relayed untouched");
    }
    scene.end();
}

#[test]
fn restarts_and_jumps_are_taken_out_for_both_tracks() {
    let scene = Scene::with("");
    let hours = 3_600_000;
    for (name, second) in [
        ("restart", 0),
        ("forward", 90_000_000 + 5 * hours),
        ("backward", 90_000_000 - 5 * hours),
        ("half", 90_000_000_u32.wrapping_add(1 << 31)),
        ("last", u32::MAX - 100),
    ] {
        let times = [run(90_000_000, 20), run(second, 20), run(90_000_000 + 1600, 20)].concat();
        assert_goes_on(&played(&scene, name, &times));
    }
    // Backward and forward without end, by less than what counts as a jump, is relayed.
    let shaken: Vec<_> =
        (0..50).map(|at| 100_000 + 40 * at + at % 2 * 500).map(|ms| (ms, ms)).collect();
    let line = played(&scene, "shaken", &shaken);
    assert!(line.iter().all(|(_, offset)| *offset == 0));
    scene.end();
}

#[test]
fn sound_that_drifts_is_relayed_as_it_drifts() {
    let scene = Scene::with("");
    // Sound gets 40 ms behind with each frame, to 2 s in the end.
    let times: Vec<_> = (0..50).map(|at| (100_000 + 80 * at, 100_000 + 40 * at)).collect();
    let line = played(&scene, "drift", &times);
    for (at, (ms, offset)) in (0..).zip(line) {
        assert_eq!((ms, offset), (80 * at, -40 * at));
    }
    scene.end();
}

#[test]
fn times_at_random_hurt_nobody_else() {
    let scene = Scene::with("");
    let mut seed = 1_u32;
    let mut random = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed
    };
    let times: Vec<_> = (0..100).map(|_| (random(), random())).collect();
    let line = played(&scene, "random", &times);
    for pair in line.windows(2) {
        assert!((pair[1].0 - pair[0].0).abs() <= 3000, "{pair:?}");
    }
    scene.end();
}

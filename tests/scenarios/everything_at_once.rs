//! Everything at once, at random: publishers return, end, take over; players join, leave, pause,
//! lag, switch tracks. A seed repeats the choices, though not the moments at which bytes arrive.

use super::readers_fall_behind::PATIENT;
use super::support::link::Dial;
use super::support::player::{Player, Wish};
use super::support::{Codec, Pace, Random, Server, Shape, Source, World, millis, seconds};
use std::time::Instant;

const NAMES: [&str; 2] = ["one", "two"];
const SMALL: Dial = Dial { from: None, receive_buffer: Some(8192) };

#[test]
fn at_random() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let steps = number("SCENARIO_STEPS").unwrap_or(120);
    let seed = number("SCENARIO_SEED").unwrap_or(u64::from(std::process::id()));
    eprintln!("SCENARIO_SEED={seed}");
    let mut random = Random::new(seed);
    let mut server =
        Server::start(&["--hold", "1s"], &format!("{PATIENT}[gop]\nbytes = \"4MiB\"\n"));
    let mut world = World::new(server.rtmp);
    let mut publishing = NAMES.map(|name| {
        let stream = if name == "one" { 1 } else { 2 };
        let shape = Shape { key_bytes: 60_000, frame_bytes: 9_000, gop: 12, ..Shape::default() };
        let at = world.publish(name, Source::new(stream, shape));
        world.publishers[at].go(millis(10));
        at
    });
    for _ in 0..steps {
        world.run(millis(random.below(60)));
        let which = random.below(2) as usize;
        match random.below(10) {
            0 => {
                publishing[which] =
                    publisher_changes(&mut world, &mut random, which, publishing[which])
            }
            1 | 2 if world.players.len() < 40 => {
                let dial = if random.below(2) == 0 { SMALL } else { Dial::default() };
                let count = 1 + random.below(3) as usize;
                world.play_from(NAMES[which], count, dial);
            }
            3 if world.players.len() > 8 => {
                let at = random.below(world.players.len() as u64) as usize;
                world.players.swap_remove(at);
            }
            _ if world.players.is_empty() => {}
            _ => {
                let at = random.below(world.players.len() as u64) as usize;
                player_changes(&mut world, &mut random, at);
            }
        }
    }
    for player in &mut world.players {
        player.pace = Pace::Eager;
        if player.stream_id.is_some() {
            player.want_anyhow(Wish::Pause(false));
            player.want_anyhow(Wish::Audio(true));
            player.want_anyhow(Wish::Video(true));
        }
    }
    world.run(millis(600));
    // The last frame of both is the end for everybody.
    let last = publishing.map(|at| {
        world.publishers[at].rest();
        let source = &world.publishers[at].source;
        (source.stream, source.generation, source.frames)
    });
    let is_at_end = |player: &Player| {
        last.iter().any(|(stream, generation, frames)| {
            player.check.stream() == Some(*stream) && player.check.reached(*generation, *frames)
        })
    };
    let deadline = Instant::now() + seconds(15);
    while !world.players.iter().all(is_at_end) {
        world.run(millis(50));
        if Instant::now() > deadline {
            let late = world.players.iter().find(|player| !is_at_end(player));
            let late = late.map(|player| (player.link.is_open(), &player.told, &player.check));
            panic!("not at {last:?}: {late:?}");
        }
    }
    for player in &world.players {
        assert!(player.link.is_open(), "{}: {:?}", player.check.who, player.told);
        assert!(
            player.check.missing <= player.check.announced,
            "{}: {} missing, {} announced",
            player.check.who,
            player.check.missing,
            player.check.announced
        );
    }
    let players = world.players.len() as u64;
    world.until("the server to count them", |_| server.total("players") == players);
    assert_eq!((server.total("publishers"), server.total("streams")), (2, 2));
    world.players.clear();
    world.until("the server to see them go", |_| server.total("players") == 0);
    assert_eq!(server.total("parked"), 0);
    server.assert_healthy();
}

/// The publisher of a name is lost, ends, or is pushed aside. Returns the new one's place.
fn publisher_changes(world: &mut World, random: &mut Random, which: usize, at: usize) -> usize {
    let publisher = &mut world.publishers[at];
    match random.below(10) {
        0..=2 => publisher.link.kill(),
        3..=5 => publisher.link.reset(),
        6..=8 => publisher.unpublish(),
        // It is still there when the next one comes.
        _ => {}
    }
    if random.below(6) == 0 {
        world.run(millis(1300)); // past the hold
    }
    world.publishers[at].rest();
    let mut source = world.publishers[at].source.again();
    source.shape.codec = if random.below(2) == 0 { Codec::Avc } else { Codec::Hevc };
    source.shape.audio = random.below(4) != 0;
    let next = world.come_again(NAMES[which], source);
    world.publishers[next].go(millis(10));
    next
}

fn player_changes(world: &mut World, random: &mut Random, at: usize) {
    let player = &mut world.players[at];
    let on = random.below(2) == 0;
    match random.below(8) {
        // Before it plays it is not slow but in its handshake, which has a deadline.
        _ if player.stream_id.is_none() || !player.link.is_open() => {}
        0 => player.pace = Pace::Stuck,
        1 => player.pace = Pace::Slow(1 + random.below(20_000) as usize, millis(random.below(30))),
        2 | 3 => player.pace = Pace::Eager,
        4 => player.want_anyhow(Wish::Pause(on)),
        5 => player.want_anyhow(Wish::Audio(on)),
        6 => player.want_anyhow(Wish::Video(on)),
        _ => {}
    }
}

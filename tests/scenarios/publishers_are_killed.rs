//! Publishers are killed at random moments, from the first byte of the handshake on. No name stays
//! taken, no descriptor and no memory is kept. `tests/long.sh` does it thousands of times.

use super::support::link::Dial;
use super::support::publisher::Publisher;
use super::support::{Random, Server, Shape, Source, World, millis};

#[test]
fn at_random_moments() {
    let kills = std::env::var("SCENARIO_KILLS").ok().and_then(|text| text.parse().ok());
    let kills: u32 = kills.unwrap_or(20);
    let mut server = Server::start(&["--hold", "1s"], "[gop]\nbytes = \"2MiB\"\n");
    let mut world = World::new(server.rtmp);
    world.play("cam", 10);
    let mut random = Random::new(u64::from(std::process::id()));
    let mut source = Source::new(1, Shape::default());
    let mut settled = None;
    for kill in 0..kills {
        let publisher =
            Publisher::open(server.rtmp, "live", "cam", source.clone(), Dial::default());
        world.publishers.clear();
        world.publishers.push(publisher);
        match random.below(4) {
            // In the handshake, or between it and the answer.
            0 => world.run(millis(random.below(3))),
            // With headers and no frame, in a burst, in mid-stream.
            phase => {
                world.until("an answer", |world| world.publishers[0].is_answered());
                if world.publishers[0].accepted {
                    world.publishers[0].send_headers();
                    match phase {
                        1 => {}
                        2 => world.publishers[0].burst(random.below(200)),
                        _ => {
                            world.publishers[0].go(millis(5));
                            world.run(millis(random.below(100)));
                        }
                    }
                }
            }
        }
        if random.below(2) == 0 {
            world.publishers[0].link.kill();
        } else {
            world.publishers[0].link.reset();
        }
        source = world.publishers[0].source.again();
        if random.below(8) == 0 {
            world.run(millis(1_200)); // past the hold
        }
        // What a server holds levels off within the first tenth; from there on it must not rise.
        if kill == kills / 10 {
            settled = Some(server.resident_kib());
        }
    }
    world.until("the name to be free", |_| server.total("streams") == 0);
    for player in &mut world.players {
        player.check.rejoin();
    }
    let at = world.publish("cam", source);
    world.publishers[at].burst(40);
    world.settle(at);
    assert!(world.players.iter().all(|player| player.link.is_open()));

    world.publishers[at].unpublish();
    world.players.clear();
    world.publishers.clear();
    world.until("the server to be empty again", |_| server.total("connections") == 0);
    let descriptors = server.descriptors();
    let idle = Server::start(&[], "");
    // The connection of the HTTP side that asked last may linger.
    assert!(
        descriptors <= idle.descriptors() + 4,
        "{descriptors} descriptors, {} in a new server",
        idle.descriptors()
    );
    let grown = server.resident_kib().saturating_sub(settled.unwrap_or(u64::MAX));
    assert!(grown < 16 * 1024, "{grown} KiB more than after the first tenth");
    server.assert_healthy();
}

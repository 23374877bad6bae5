//! A second publisher comes while the first still sends. Who wins is the policy's affair; whoever
//! loses hears why, and no policy leaves a name taken by nobody.

use super::support::link::Dial;
use super::support::{Server, Shape, Source, World, millis};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

const BAD_NAME: &str = "NetStream.Publish.BadName";

fn from(last: u8) -> Dial {
    Dial { from: Some(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last))), ..Dial::default() }
}

/// A publisher that sends, from an address.
fn sends(world: &mut World, name: &str, source: Source, dial: Dial) -> usize {
    let at = world.ask("live", name, source, dial);
    assert!(world.publishers[at].accepted, "{}", world.publishers[at].reason);
    world.publishers[at].send_headers();
    world.publishers[at].go(millis(20));
    at
}

fn assert_refused(world: &World, at: usize) {
    let publisher = &world.publishers[at];
    assert!(!publisher.accepted);
    assert_eq!(publisher.refused.as_deref(), Some(BAD_NAME));
    assert!(!publisher.reason.is_empty(), "a refusal has a reason");
}

#[test]
fn a_stranger_is_refused_and_the_owner_let_in() {
    let mut server = Server::start(&[], "");
    let mut world = World::new(server.rtmp);
    world.play("cam", 6);
    let first = sends(&mut world, "cam", Source::new(1, Shape::default()), from(2));
    world.run(millis(200));
    let stranger = world.ask("live", "cam", Source::new(2, Shape::default()), from(3));
    assert_refused(&world, stranger);
    world.run(millis(200));
    assert!(world.publishers[first].link.is_open(), "the first one does not notice");
    // The same address is the same encoder, come back before its old connection died.
    let source = world.publishers[first].source.again();
    let second = sends(&mut world, "cam", source, from(2));
    world.until("the old one to be sent away", |world| !world.publishers[first].link.is_open());
    assert!(
        world.publishers[first].told.iter().any(|code| code == BAD_NAME),
        "it hears why: {:?}",
        world.publishers[first].told
    );
    world.run(millis(300));
    world.settle(second);
    for player in &world.players {
        player.check.assert_whole();
        assert_eq!(player.check.generations, 2);
    }
    server.assert_healthy();
}

#[test]
fn no_faster_than_every_five_seconds() {
    let mut server = Server::start(&["--takeover", "always"], "");
    let mut world = World::new(server.rtmp);
    world.play("cam", 4);
    let mut at = sends(&mut world, "cam", Source::new(1, Shape::default()), from(2));
    world.run(millis(100));
    // The first takeover of a name that was free is let through at once.
    let source = world.publishers[at].source.again();
    at = sends(&mut world, "cam", source, from(3));
    let began = Instant::now();
    let source = world.publishers[at].source.again();
    let early = world.ask("live", "cam", source.clone(), from(2));
    assert_refused(&world, early);
    world.publishers[early].link.kill();
    // It asks on and on, like an encoder that is set to reconnect, and is let in at last.
    loop {
        world.run(millis(250));
        let again = world.ask("live", "cam", source.clone(), from(2));
        if world.publishers[again].accepted {
            break;
        }
        assert_refused(&world, again);
        world.publishers[again].link.kill();
        assert!(began.elapsed() < super::support::seconds(20), "the name stays taken");
    }
    assert!(began.elapsed() >= millis(4800), "after {:?}", began.elapsed());
    server.assert_healthy();
}

#[test]
fn the_first_stays_for_ever() {
    let mut server = Server::start(&["--takeover", "never", "--hold", "2s"], "");
    let mut world = World::new(server.rtmp);
    let first = sends(&mut world, "cam", Source::new(1, Shape::default()), from(2));
    for address in [2, 3] {
        let second = world.ask("live", "cam", Source::new(1, Shape::default()), from(address));
        assert_refused(&world, second);
    }
    // But not beyond its connection.
    world.publishers[first].link.kill();
    let source = world.publishers[first].source.again();
    let next = world.come_again("cam", source);
    assert!(world.publishers[next].accepted);
    server.assert_healthy();
}

#[test]
fn a_secret_outweighs_an_address() {
    let mut server = Server::start(&["--key", "cam=a-secret-of-some-length"], "");
    let mut world = World::new(server.rtmp);
    let name = "cam?key=a-secret-of-some-length";
    let first = sends(&mut world, name, Source::new(1, Shape::default()), from(2));
    let source = world.publishers[first].source.again();
    let second = sends(&mut world, name, source, from(3));
    world.until("the old one to be sent away", |world| !world.publishers[first].link.is_open());
    assert!(world.publishers[second].link.is_open());
    server.assert_healthy();
}

#[test]
fn a_silent_one_gives_way_to_a_stranger() {
    let mut server = Server::start(&[], "");
    let mut world = World::new(server.rtmp);
    world.play("cam", 4);
    let first = sends(&mut world, "cam", Source::new(1, Shape::default()), from(2));
    world.run(millis(200));
    world.publishers[first].rest();
    let began = Instant::now();
    let source = world.publishers[first].source.again();
    loop {
        let next = world.ask("live", "cam", source.clone(), from(3));
        if world.publishers[next].accepted {
            world.publishers[next].send_headers();
            world.publishers[next].burst(30);
            world.settle(next);
            break;
        }
        world.publishers[next].link.kill();
        world.run(millis(300));
        assert!(began.elapsed() < millis(9_000), "before the silence alone ends the connection");
    }
    assert!(began.elapsed() >= millis(4_500), "after {:?}", began.elapsed());
    server.assert_healthy();
}

#[test]
fn many_ask_at_the_same_moment() {
    let mut server = Server::start(&["--takeover", "always", "--hold", "1s"], "");
    let mut world = World::new(server.rtmp);
    world.play("cam", 6);
    let mut generation = 0;
    for _ in 0..10 {
        let mut asked = Vec::new();
        for address in 2..8 {
            generation += 1;
            let mut source = Source::new(1, Shape::default());
            source.generation = generation;
            asked.push(world.publishers.len());
            let publisher = super::support::publisher::Publisher::open(
                server.rtmp,
                "live",
                "cam",
                source,
                from(address),
            );
            world.publishers.push(publisher);
        }
        world.until("all answers", |world| {
            asked.iter().all(|at| world.publishers[*at].is_answered())
        });
        for at in asked {
            // Some at once, some after their answer, some while the next takes over.
            world.publishers[at].link.kill();
        }
    }
    world.until("the name to be free", |_| server.total("streams") == 0);
    let mut source = Source::new(1, Shape::default());
    source.generation = generation + 1;
    let at = world.publish("cam", source);
    world.publishers[at].burst(30);
    world.settle(at);
    server.assert_healthy();
}

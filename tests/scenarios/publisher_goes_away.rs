//! The publisher ends: in good order, by a crash, by falling silent. Viewers are told at once in
//! the first case, after the hold in the others, on every shard; and the name is free again.

use super::support::{Server, Shape, World, millis, seconds};
use std::time::Instant;

const UNPUBLISHED: &str = "NetStream.Play.UnpublishNotify";
const PUBLISHED: &str = "NetStream.Play.PublishNotify";

fn all_told(world: &World, code: &str, times: usize) -> bool {
    world.players.iter().all(|player| player.times_told(code) == times)
}

#[test]
fn in_good_order() {
    let mut server = Server::start(&["--hold", "60s"], "");
    unpublish(&mut server, 12);
}

/// Ends a stream and begins it again under the same name.
pub fn unpublish(server: &mut Server, viewers: usize) {
    let mut world = World::new(server.rtmp);
    world.play("cam", viewers);
    let mut at = world.stream("cam", 1, Shape::default(), 20);
    for round in 1..=3 {
        world.run(millis(300));
        let told = Instant::now();
        world.publishers[at].unpublish();
        let source = world.publishers[at].source.clone();
        world.until("the viewers to be told", |world| all_told(world, UNPUBLISHED, round));
        assert!(told.elapsed() < seconds(10), "long before the hold ends");
        for player in &world.players {
            assert!(player.check.reached(source.generation, source.frames), "all came before");
            assert_eq!(player.stream_ends as usize, round, "{}", player.check.who);
            assert!(player.link.is_open());
        }
        assert_eq!(server.total("publishers"), 0);
        assert_eq!(server.total("streams"), 0, "the name is free");
        at = world.publish("cam", source.again());
        world.publishers[at].go(millis(20));
    }
    world.run(millis(300));
    world.settle(at);
    assert!(all_told(&world, PUBLISHED, 3));
    for player in &world.players {
        player.check.assert_whole();
    }
    server.assert_healthy();
}

#[test]
fn without_a_word() {
    for reset in [false, true] {
        let mut server = Server::start(&["--hold", "2s"], "");
        let mut world = World::new(server.rtmp);
        world.play("cam", 12);
        let at = world.stream("cam", 1, Shape::default(), 20);
        world.run(millis(400));
        let lost = Instant::now();
        if reset {
            world.publishers[at].link.reset();
        } else {
            world.publishers[at].link.kill();
        }
        world.until("the loss to be seen", |_| {
            server.stream("live/cam").is_some_and(|stream| stream["state"] == "held")
        });
        assert!(all_told(&world, UNPUBLISHED, 0), "it is held");
        // Who comes now waits for it as well, and gets the last group of pictures.
        world.play("cam", 4);
        world.until("the hold to end", |world| all_told(world, UNPUBLISHED, 1));
        assert!(lost.elapsed() >= millis(1900), "not before the hold was over");
        for player in &world.players {
            assert!(player.link.is_open() && player.stream_ends == 1, "{:?}", player.told);
            assert!(player.check.frames > 0);
            player.check.assert_whole();
        }
        assert_eq!(server.total("streams"), 0, "the name is free");
        let source = world.publishers[at].source.again();
        let at = world.publish("cam", source);
        world.publishers[at].burst(30);
        world.settle(at);
        server.assert_healthy();
    }
}

#[test]
fn and_returns_within_the_hold() {
    let mut server = Server::start(&["--hold", "10s"], "");
    let mut world = World::new(server.rtmp);
    world.play("cam", 12);
    let at = world.stream("cam", 1, Shape::default(), 20);
    world.run(millis(300));
    world.publishers[at].link.kill();
    world.run(millis(500));
    let source = world.publishers[at].source.again();
    let at = world.come_again("cam", source);
    world.publishers[at].go(millis(20));
    world.run(millis(300));
    world.settle(at);
    assert!(all_told(&world, UNPUBLISHED, 0));
    for player in &world.players {
        player.check.assert_whole();
        assert_eq!(player.check.generations, 2);
    }
    server.assert_healthy();
}

#[test]
fn with_its_socket_open() {
    let config = "hold = \"1s\"\n[timeouts]\nno_media = \"1s\"\n";
    let mut server = Server::start(&[], config);
    let mut world = World::new(server.rtmp);
    world.play("cam", 6);
    let at = world.stream("cam", 1, Shape::default(), 20);
    world.run(millis(300));
    world.publishers[at].rest();
    world.until("the silence to be noticed", |world| !world.publishers[at].link.is_open());
    world.until("the hold to end", |world| all_told(world, UNPUBLISHED, 1));
    assert!(server.log().contains("reason=\"no-media\""), "{}", server.log());
    assert_eq!(server.total("streams"), 0);
    server.assert_healthy();
}

#[test]
fn before_it_sent_anything() {
    let mut server = Server::start(&["--hold", "1s"], "");
    let mut world = World::new(server.rtmp);
    world.play("cam", 4);
    for _ in 0..5 {
        let at = world.ask(
            "live",
            "cam",
            super::support::Source::new(1, Shape::default()),
            Default::default(),
        );
        assert!(world.publishers[at].accepted);
        world.publishers[at].link.kill();
        world.run(millis(100));
    }
    world.until("the hold to end", |_| server.total("streams") == 0);
    let at = world.stream("cam", 1, Shape::default(), 20);
    world.run(millis(300));
    world.settle(at);
    for player in &world.players {
        player.check.assert_whole();
    }
    server.assert_healthy();
}

//! The kernel refuses io_uring, as many containers do: the epoll driver serves, and does the same.

use super::publisher_goes_away::unpublish;
use super::publisher_returns_elsewhere::crossings;
use super::readers_fall_behind::slow_readers;
use super::slates_fill_gaps::{fills_a_gap, settings};
use super::support::edges::origin_of;
use super::support::server::{BINARY, arguments};
use super::support::{Server, Shape, World, millis};
use std::process::Command;

fn start(options: &[&str], config: &str) -> Server {
    let mut command = Command::new(BINARY);
    command.args(arguments(options, config)).env("MONOIO_FORCE_LEGACY_DRIVER", "1");
    let server = Server::spawn(command);
    assert!(server.banner().contains("driver epoll"), "{}", server.banner());
    server
}

#[test]
fn viewers_join() {
    let mut server = start(&[], "");
    let mut world = World::new(server.rtmp);
    world.play("cam", 6);
    let at = world.stream("cam", 1, Shape::default(), 20);
    for _ in 0..4 {
        world.run(millis(150));
        world.play("cam", 4);
    }
    world.settle(at);
    for player in &world.players {
        player.check.assert_whole();
        assert!(player.check.frames > 0);
    }
    server.assert_healthy();
}

#[test]
fn a_publisher_returns_elsewhere() {
    crossings(&mut start(&[], ""), 4, 8);
}

#[test]
fn a_slate_fills_a_gap() {
    fills_a_gap(start(&[], &settings()));
}

#[test]
fn a_publisher_ends() {
    unpublish(&mut start(&["--hold", "60s"], ""), 6);
}

#[test]
fn readers_fall_behind() {
    slow_readers(&mut start(&[], super::readers_fall_behind::PATIENT), 6);
}

#[test]
fn an_edge_has_its_stream() {
    let mut origin = start(&[], "");
    let mut edge = start(&["--origin", &origin_of(&origin)], "");
    let mut world = World::new(origin.rtmp);
    world.stream("cam", 1, Shape::default(), 20);
    world.at(edge.rtmp);
    world.play("cam", 6);
    world.until("frames on the edge", |world| {
        world.players.iter().all(|player| player.check.reached(1, 50))
    });
    origin.assert_healthy();
    edge.assert_healthy();
}

//! Edges that are each other's origin. Who would wait for itself is refused at once, and whatever is
//! published on one of them reaches the others.

use super::support::edges::{edge_at, free_address, pulls};
use super::support::{Server, Shape, World};
use std::net::SocketAddr;

/// A ring of so many edges, each pulling from the next.
fn ring(count: usize) -> Vec<Server> {
    let addresses: Vec<SocketAddr> = (0..count).map(|_| free_address()).collect();
    let next = |index: usize| addresses[(index + 1) % count];
    (0..count).map(|index| edge_at(addresses[index], &[next(index)])).collect()
}

/// Whether one of them was refused for the loop that it would make.
fn loop_is_refused(edges: &[Server]) -> bool {
    let refused = |pull: &serde_json::Value| {
        pull["error"] == "rejected"
            && pull["error_text"].as_str().is_some_and(|t| t.contains("loop"))
    };
    edges.iter().any(|edge| pulls(edge).iter().any(refused))
}

#[test]
fn of_two() {
    let mut edges = ring(2);
    let mut world = World::new(edges[0].rtmp);
    world.play("cam", 1);
    world.until("a refusal", |_| loop_is_refused(&edges));
    assert!(edges.iter().any(|edge| edge.log().contains("loop")), "it is in the log");

    // What is published on the other one is no loop.
    world.at(edges[1].rtmp);
    world.stream("cam", 1, Shape::default(), 20);
    world.until("frames", |world| world.players[0].check.reached(1, 20));
    edges.iter_mut().for_each(Server::assert_healthy);
}

#[test]
fn of_three_with_a_viewer_on_each_at_once() {
    let mut edges = ring(3);
    let mut world = World::new(edges[0].rtmp);
    for edge in &edges {
        world.at(edge.rtmp);
        world.play("cam", 1);
    }
    world.until("a refusal", |_| loop_is_refused(&edges));
    world.stream("cam", 1, Shape::default(), 20);
    world.until("frames everywhere", |world| {
        world.players.iter().all(|player| player.check.reached(1, 20))
    });
    edges.iter_mut().for_each(Server::assert_healthy);
}

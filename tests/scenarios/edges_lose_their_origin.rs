//! Origin, edge, edge of the edge. The origin's publisher is lost and returns; then the origin itself is
//! killed, and the edge goes on with its second one. Three hundred players on the last edge stay
//! connected, and their timeline goes on.

use super::support::edges::{edge, pulls};
use super::support::{Server, Shape, World, millis, seconds};

const PLAYERS: usize = 300;

#[test]
fn with_players_on_the_edge_of_an_edge() {
    let origin = Server::start(&[], "");
    let mut second = Server::start(&[], "");
    let mut near = edge(&[&origin, &second], &[]);
    let mut far = edge(&[&near], &[]);
    let shape = Shape {
        frame_ms: 100,
        gop: 10,
        key_bytes: 2_000,
        frame_bytes: 400,
        data_every: 0,
        ..Shape::default()
    };
    let mut world = World::new(origin.rtmp);
    let mut at = world.stream("cam", 1, shape, 100);
    world.at(far.rtmp);
    world.play("cam", PLAYERS);
    let all_reach = |world: &mut World, generation, frames| {
        world.until_in("frames on the last edge", seconds(40), |world| {
            world.players.iter().all(|player| player.check.reached(generation, frames))
        });
    };
    all_reach(&mut world, 1, 1);

    // The origin's publisher is lost, and returns.
    world.publishers[at].link.kill();
    world.run(millis(300));
    world.at(origin.rtmp);
    let source = world.publishers[at].source.again();
    at = world.come_again("cam", source);
    world.publishers[at].go(millis(100));
    all_reach(&mut world, 2, 10);

    // The origin is killed; the second one has the stream by now.
    world.at(second.rtmp);
    let source = world.publishers[at].source.again();
    at = world.publish("cam", source);
    world.publishers[at].go(millis(100));
    drop(origin);
    all_reach(&mut world, 3, 20);

    world.settle(at);
    for player in &world.players {
        assert!(player.link.is_open(), "{} was sent away: {:?}", player.check.who, player.told);
        assert_eq!(player.times_told("NetStream.Play.UnpublishNotify"), 0, "{}", player.check.who);
        assert_eq!((player.stream_ends, player.check.generations), (0, 3), "{}", player.check.who);
    }
    assert_eq!((near.total("players"), far.total("players")), (1, PLAYERS as u64));
    let shown = pulls(&near);
    let found = shown[0]["origin"].as_str().expect("it has one");
    assert!(found.contains(&second.rtmp.to_string()), "{shown:?}");
    assert!(
        shown[0]["reconnects"].as_u64() >= Some(1) && !shown[0]["error"].is_null(),
        "{shown:?}"
    );
    for server in [&mut second, &mut near, &mut far] {
        server.assert_healthy();
    }
}

//! An edge has a stream as long as somebody watches it, once, and a publisher of its own goes before
//! whatever it could fetch.

use super::support::edges::{edge, origin_of, pulls};
use super::support::{Server, Shape, World, millis};

#[test]
fn from_the_first_viewer_to_the_last() {
    let mut origin = Server::start(&[], "");
    let rule = format!(
        "[[pull]]\nstream = \"live/*\"\norigins = [\"{}/live\"]\nlinger = \"1s\"\n",
        origin_of(&origin)
    );
    let mut near = Server::start(&[], &rule);
    let mut world = World::new(origin.rtmp);
    let at = world.stream("cam", 1, Shape::default(), 20);
    assert!(pulls(&near).is_empty(), "nobody watches");

    for round in 1..=2 {
        world.at(near.rtmp);
        let first = world.play("cam", 10);
        world.until("frames on the edge", |world| {
            world.players[first..].iter().all(|player| player.check.keys > 0)
        });
        let shown = pulls(&near);
        assert_eq!(shown.len(), 1, "{shown:?}");
        assert_eq!(shown[0]["state"], "pulling", "{shown:?}");
        assert_eq!(shown[0]["stream"], "live/cam");
        assert!(shown[0]["bytes_in"].as_u64() > Some(0));
        assert_eq!(origin.total("players"), 1, "it is pulled once");
        assert!(near.get("/").contains("Pulled from other servers"));
        assert!(near.get("/metrics").contains("millstream_pull_live{stream=\"live/cam\"} 1"));

        world.players[first..].iter_mut().for_each(|player| player.link.kill());
        world.until("the end of the pull", |_| pulls(&near).is_empty());
        world.until("the origin to be left", |_| origin.total("players") == 0);
        assert_eq!(near.stream("live/cam"), None, "round {round}");
    }
    world.settle_players(at, 0..0);
    origin.assert_healthy();
    near.assert_healthy();
}

#[test]
fn a_publisher_of_its_own_goes_before() {
    let mut origin = Server::start(&[], "");
    let mut near = edge(&[&origin], &[]);
    let mut world = World::new(origin.rtmp);
    // Numbers of data messages would overlap while both send.
    let shape = Shape { data_every: 0, ..Shape::default() };
    let far = world.stream("cam", 1, shape, 20);
    world.at(near.rtmp);
    world.play("cam", 8);
    world.until("the pull", |world| world.players.iter().all(|player| player.check.frames > 20));

    let source = world.publishers[far].source.again();
    let here = world.publish("cam", source);
    world.publishers[here].go(millis(20));
    world.until("the publisher's own frames", |world| {
        world.players.iter().all(|player| player.check.reached(2, 20))
    });
    world.until("the origin to be left", |_| origin.total("players") == 0);
    assert!(pulls(&near).is_empty());

    // Another one comes to the origin; it is fetched once the one here has ended.
    world.publishers[far].link.kill();
    world.at(origin.rtmp);
    let source = world.publishers[here].source.again();
    let next = world.come_again("cam", source);
    world.publishers[next].go(millis(20));
    world.publishers[here].unpublish();
    world.until("the pull to come back", |world| {
        world.players.iter().all(|player| player.check.reached(3, 20))
    });
    for player in &world.players {
        assert!(player.link.is_open(), "{} was sent away", player.check.who);
        assert_eq!(
            player.times_told("NetStream.Play.UnpublishNotify"),
            1,
            "the one here has ended"
        );
    }
    origin.assert_healthy();
    near.assert_healthy();
}

#[test]
fn an_end_at_the_origin_is_an_end_here() {
    let origin = Server::start(&[], "");
    let mut near = edge(&[&origin], &[]);
    let mut world = World::new(origin.rtmp);
    let first = world.stream("cam", 1, Shape::default(), 20);
    world.at(near.rtmp);
    world.play("cam", 4);
    world.until("the pull", |world| world.players.iter().all(|player| player.check.frames > 20));
    world.publishers[first].unpublish();
    world.until("the end", |world| {
        world.players.iter().all(|player| player.was_told("NetStream.Play.UnpublishNotify"))
    });
    world.at(origin.rtmp);
    let source = world.publishers[first].source.again();
    let again = world.come_again("cam", source);
    world.publishers[again].go(millis(20));
    world.until("the next one", |world| {
        world.players.iter().all(|player| player.check.reached(2, 20))
    });
    assert!(world.players.iter().all(|player| player.was_told("NetStream.Play.PublishNotify")));
    near.assert_healthy();
}

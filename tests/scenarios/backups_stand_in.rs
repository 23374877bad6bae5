//! A second encoder waits as a backup. Whoever feeds the stream, its viewers stay: each change is at a
//! key frame, behind the headers of who comes, on one line of time that never steps back.

use super::support::link::Dial;
use super::support::{Server, Shape, Source, World, millis, seconds};
use std::net::{IpAddr, Ipv4Addr};

const BACKUP: &str = "cam?role=backup";

/// Two key frames in a quarter of a second, and nothing that counts on over generations.
fn shape() -> Shape {
    Shape { gop: 10, data_every: 0, ..Shape::default() }
}

fn source(generation: u32) -> Source {
    Source { generation, ..Source::new(1, shape()) }
}

/// An encoder, in the role that its name asks for, that sends a frame each 10 ms.
fn sends(world: &mut World, name: &str, generation: u32) -> usize {
    let at = world.publish(name, source(generation));
    world.publishers[at].go(millis(10));
    at
}

/// Viewers who know that the next generation may be one that began long ago.
fn viewers(world: &mut World, count: usize) {
    let first = world.play("cam", count);
    for player in &mut world.players[first..] {
        player.check.handed_over = true;
    }
}

/// Waits until somebody in this role feeds the stream, or nobody.
fn until_fed_by(world: &mut World, server: &Server, role: Option<&str>) {
    let what = format!("{role:?} to feed the stream");
    world.until(&what, |_| {
        server.stream("live/cam").is_some_and(|stream| stream["source"].as_str() == role)
    });
}

/// Waits until every viewer has frames of a generation.
fn until_seen(world: &mut World, generation: u32) {
    world.until("the new generation to be seen", |world| {
        world.players.iter().all(|player| player.check.reached(generation, 1))
    });
}

/// Nobody was sent away, and nobody was told that the stream had ended.
fn assert_undisturbed(world: &World) {
    for player in &world.players {
        assert!(player.link.is_open(), "{} was sent away: {:?}", player.check.who, player.told);
        player.check.assert_whole();
        assert_eq!(player.times_told("NetStream.Play.UnpublishNotify"), 0);
        assert_eq!(player.stream_ends, 0);
    }
}

fn waiting(server: &Server) -> u64 {
    let stream = server.stream("live/cam").expect("it has viewers");
    stream["waiting_publishers"].as_u64().expect("it is a number")
}

#[test]
fn on_the_other_shard_and_give_back_to_who_returns() {
    let mut server = Server::start(&[], "");
    let mut world = World::new(server.rtmp);
    viewers(&mut world, 8);
    let mut generation = 1;
    let mut primary = sends(&mut world, "cam", generation);
    let (mut there, mut back, mut rounds) = (0, 0, 0);
    while there == 0 || back == 0 {
        rounds += 1;
        assert!(rounds < 60, "the kernel never chose the other shard");
        generation += 1;
        let backup = sends(&mut world, BACKUP, generation);
        until_seen(&mut world, generation - 1);
        let shard = server.shard_of("live/cam");
        world.publishers[primary].link.kill();
        until_fed_by(&mut world, &server, Some("backup"));
        until_seen(&mut world, generation);
        let stood_in = server.shard_of("live/cam");
        there += u32::from(stood_in != shard);

        generation += 1;
        primary = sends(&mut world, "cam", generation);
        until_fed_by(&mut world, &server, Some("primary"));
        until_seen(&mut world, generation);
        back += u32::from(server.shard_of("live/cam") != stood_in);
        assert!(world.publishers[backup].link.is_open(), "it waits again");
        assert_eq!(waiting(&server), 1);
        assert_eq!(server.total("publishers"), 2);
        world.publishers[backup].link.kill();
        world.until("the backup to be gone", |_| waiting(&server) == 0);
        if rounds % 4 == 1 {
            viewers(&mut world, 2);
        }
    }
    world.settle(primary);
    assert_undisturbed(&world);
    for player in &world.players {
        assert_eq!(player.check.metadata(), Some(generation), "{}", player.check.who);
    }
    assert_eq!((server.total("publishers"), server.total("streams")), (1, 1));
    server.assert_healthy();
}

#[test]
fn when_the_primary_says_goodbye() {
    // Nobody is held for a publisher that is gone, and yet for one who waits.
    let mut server = Server::start(&["--hold", "0"], "");
    let mut world = World::new(server.rtmp);
    viewers(&mut world, 4);
    let primary = sends(&mut world, "cam", 1);
    let backup = sends(&mut world, BACKUP, 2);
    until_seen(&mut world, 1);
    world.publishers[primary].unpublish();
    until_seen(&mut world, 2);
    world.settle(backup);
    assert_undisturbed(&world);
    // With nobody in line, a goodbye is one.
    world.publishers[backup].unpublish();
    world.until("the viewers to be told", |world| {
        let told = "NetStream.Play.UnpublishNotify";
        world.players.iter().all(|player| player.times_told(told) == 1)
    });
    world.until("the stream to be over", |_| server.total("streams") == 0);
    assert_eq!(server.total("publishers"), 0);
    server.assert_healthy();
}

/// It is not hung up on, and has its stream back when it goes on.
#[test]
fn while_the_primary_is_silent() {
    let mut server = Server::start(&[], "");
    let mut world = World::new(server.rtmp);
    viewers(&mut world, 4);
    let primary = sends(&mut world, "cam", 1);
    let backup = sends(&mut world, BACKUP, 2);
    until_seen(&mut world, 1);
    world.publishers[primary].rest();
    until_seen(&mut world, 2);
    assert!(world.publishers[primary].link.is_open(), "{:?}", world.publishers[primary].told);
    assert_eq!(waiting(&server), 1);
    // The encoder goes on on its old connection, with other settings.
    world.publishers[primary].source = source(3);
    world.publishers[primary].send_headers();
    world.publishers[primary].go(millis(10));
    until_fed_by(&mut world, &server, Some("primary"));
    world.settle(primary);
    assert_undisturbed(&world);
    assert!(world.publishers[backup].link.is_open());
    server.assert_healthy();
}

#[test]
fn in_the_order_in_which_they_came() {
    let mut server = Server::start(&[], "");
    let mut world = World::new(server.rtmp);
    viewers(&mut world, 4);
    // There need not be a primary at all.
    let first = sends(&mut world, BACKUP, 1);
    until_fed_by(&mut world, &server, Some("backup"));
    until_seen(&mut world, 1);
    let second = sends(&mut world, BACKUP, 2);
    let third = sends(&mut world, BACKUP, 3);
    // Each has shown a key frame.
    world.until("both to send for a while", |world| {
        [second, third].iter().all(|at| world.publishers[*at].source.video_frames > 30)
    });
    world.publishers[first].link.kill();
    until_seen(&mut world, 2);
    world.publishers[second].link.reset();
    until_seen(&mut world, 3);
    world.settle(third);
    assert_undisturbed(&world);
    server.assert_healthy();
}

#[test]
fn for_good_where_nobody_takes_back() {
    let mut server = Server::start(&[], "take_back = false\n");
    let mut world = World::new(server.rtmp);
    viewers(&mut world, 4);
    let primary = sends(&mut world, "cam", 1);
    let backup = sends(&mut world, BACKUP, 2);
    until_seen(&mut world, 1);
    world.publishers[primary].link.kill();
    until_seen(&mut world, 2);
    let primary = sends(&mut world, "cam", 3);
    world.until("the primary to send for a while", |world| {
        world.publishers[primary].source.video_frames > 50
    });
    let stream = server.stream("live/cam").expect("it has viewers");
    assert_eq!(stream["source"], "backup");
    assert_eq!(waiting(&server), 1);
    world.publishers[backup].link.kill();
    until_seen(&mut world, 3);
    world.settle(primary);
    assert_undisturbed(&world);
    server.assert_healthy();
}

/// Those who wait do not keep a server from its end, and their viewers are told of it.
#[test]
fn but_not_for_a_server_that_stops() {
    let mut server = Server::start(&[], "");
    let mut world = World::new(server.rtmp);
    viewers(&mut world, 4);
    sends(&mut world, "cam", 1);
    sends(&mut world, BACKUP, 2);
    until_seen(&mut world, 1);
    server.terminate();
    world.until("the server to end", |_| server.ended().is_some());
    assert!(server.ended().is_some_and(|status| status.success()), "{}", server.log());
    world.until("the viewers to hear of it", |world| {
        world.players.iter().all(|player| !player.link.is_open())
    });
    for player in &world.players {
        assert_eq!(player.times_told("NetStream.Play.UnpublishNotify"), 1, "{:?}", player.told);
    }
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

/// As many as may wait do; the next one is told why not.
#[test]
fn as_many_as_may_wait() {
    let mut server = Server::start(&[], "");
    let mut world = World::new(server.rtmp);
    let primary = sends(&mut world, "cam", 1);
    for number in 0..millstream::limits::STANDBYS_MAX {
        sends(&mut world, BACKUP, 2 + number as u32);
    }
    let from = Dial { from: Some(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9))), ..Dial::default() };
    let one_more = world.ask("live", BACKUP, source(9), from);
    assert!(!world.publishers[one_more].accepted);
    assert!(world.publishers[one_more].reason.contains("wait"), "a refusal says why");
    // Others come and go beside them.
    world.publishers[primary].link.kill();
    until_fed_by(&mut world, &server, Some("backup"));
    let streams = |server: &Server| server.total("streams");
    assert_eq!(streams(&server), 1);
    world.publishers.clear();
    world.until_in("all to be gone", seconds(30), |_| {
        server.total("publishers") == 0 && server.total("streams") == 0
    });
    server.assert_healthy();
}

//! Players that read one byte at a time, pause, or stop. What they get are whole messages and
//! announced gaps; after the lag limit they are hung up; and nobody else notices.

use super::support::link::Dial;
use super::support::{Pace, Server, Shape, Source, World, millis, seconds};

const SMALL: Dial = Dial { from: None, receive_buffer: Some(4096) };
/// Large enough that no player of these stories is hung up for it.
pub const PATIENT: &str = "[lag]\nskip = \"1s\"\nhang_up = \"60s\"\nskips_per_minute = 1000\n[timeouts]\nplayer = \"60s\"\n";

/// A stream of about 6 Mbit/s, so that sockets fill in no time.
fn heavy() -> Shape {
    Shape { key_bytes: 120_000, frame_bytes: 26_000, ..Shape::default() }
}

/// Reads on until the last frame is there, then compares gaps with announcements.
fn catch_up(world: &mut World, server: &Server, at: usize, slow: std::ops::Range<usize>) {
    for index in slow.clone() {
        world.players[index].pace = Pace::Eager;
    }
    world.run(millis(500));
    world.settle(at);
    // The announcement may come behind the frame after the gap.
    world.until("the announcements", |world| {
        world.players[slow.clone()].iter().all(|p| p.check.missing == p.check.announced)
    });
    let data = world.publishers[at].source.data;
    for player in &world.players {
        player.check.assert_gaps_announced();
        assert_eq!(player.check.data, data, "{}: data is never dropped", player.check.who);
    }
    let missing: u64 = world.players.iter().map(|player| player.check.missing).sum();
    world.until("the counters to follow", |_| {
        server.stream("live/cam").is_some_and(|s| s["dropped_frames"] == missing)
    });
}

#[test]
fn and_are_overtaken_by_the_ring() {
    // At this pace the ring holds about three seconds.
    let mut server = Server::start(&[], &format!("{PATIENT}[gop]\nbytes = \"8MiB\"\n"));
    let mut world = World::new(server.rtmp);
    let healthy = world.play("cam", 6);
    let slow = world.play_from("cam", 8, SMALL);
    world.until("all to wait", |world| world.players.iter().all(|p| p.stream_id.is_some()));
    let at = world.stream("cam", 1, heavy(), 10);
    world.run(millis(300));
    for (index, player) in world.players[slow..].iter_mut().enumerate() {
        player.pace = if index % 2 == 0 { Pace::Stuck } else { Pace::Slow(700, millis(5)) };
    }
    for _ in 0..2 {
        world.run(millis(4500));
        // They come to life for a moment, in the middle of whatever message it was.
        for player in &mut world.players[slow..] {
            player.pace = Pace::Slow(30_000, millis(1));
        }
        world.run(millis(200));
        for player in &mut world.players[slow..] {
            player.pace = Pace::Stuck;
        }
    }
    catch_up(&mut world, &server, at, slow..slow + 8);
    for player in &world.players[healthy..slow] {
        player.check.assert_whole();
    }
    for player in &world.players[slow..] {
        assert!(player.check.missing > 0, "{} was never overtaken", player.check.who);
    }
    server.assert_healthy();
}

#[test]
fn one_byte_at_a_time() {
    let mut server = Server::start(&[], PATIENT);
    slow_readers(&mut server, 6);
}

/// Some read single bytes, some in gulps, some stop for a while.
pub fn slow_readers(server: &mut Server, count: usize) {
    let mut world = World::new(server.rtmp);
    let healthy = world.play("cam", 4);
    let slow = world.play_from("cam", count, SMALL);
    world.until("all to wait", |world| world.players.iter().all(|p| p.stream_id.is_some()));
    let at = world.stream("cam", 1, heavy(), 20);
    for (index, player) in world.players[slow..].iter_mut().enumerate() {
        player.pace = match index % 3 {
            0 => Pace::Slow(1, millis(1)),
            1 => Pace::Slow(16_000, millis(100)),
            _ => Pace::Stuck,
        };
    }
    world.run(seconds(4));
    assert!(server.total("parked") > 0, "their sockets are full");
    catch_up(&mut world, server, at, slow..slow + count);
    for player in &world.players[healthy..slow] {
        player.check.assert_whole();
    }
    assert!(server.total("skips") > 0);
    server.assert_healthy();
}

#[test]
fn too_far() {
    let config = "[lag]\nskip = \"1s\"\nhang_up = \"2s\"\n[timeouts]\nplayer = \"60s\"\n";
    let mut server = Server::start(&[], config);
    let mut world = World::new(server.rtmp);
    world.play("cam", 4);
    let stuck = world.play_from("cam", 4, SMALL);
    world.until("all to wait", |world| world.players.iter().all(|p| p.stream_id.is_some()));
    let at = world.stream("cam", 1, heavy(), 40);
    for player in &mut world.players[stuck..] {
        player.pace = Pace::Stuck;
    }
    world.until("the stuck ones to be hung up", |_| server.total("players") == 4);
    assert_eq!(server.total("hang_ups"), 4);
    assert_eq!(server.log().matches("reason=\"lagging\"").count(), 4);
    world.players.truncate(stuck);
    world.run(millis(300));
    world.settle(at);
    for player in &world.players {
        player.check.assert_whole();
    }
    server.assert_healthy();
}

/// The delay that nine of ten frames did not exceed, in microseconds.
fn usual_worst(world: &World, players: std::ops::Range<usize>) -> u64 {
    let mut delays: Vec<u64> =
        world.players[players].iter().flat_map(|p| p.check.delays_us.0.iter().copied()).collect();
    delays.sort_unstable();
    delays[delays.len() * 9 / 10]
}

#[test]
fn a_hundred_of_them_beside_three_hundred() {
    let mut server = Server::start(&[], "");
    let shape = Shape { key_bytes: 30_000, frame_bytes: 5_000, ..Shape::default() };
    let mut world = World::new(server.rtmp);
    world.play("cam", 300);
    world.until("all to wait", |world| world.players.iter().all(|p| p.stream_id.is_some()));
    let at = world.stream("cam", 1, shape, 40);
    world.run(millis(3000));
    for player in &world.players {
        player.check.assert_whole();
    }
    let alone = usual_worst(&world, 0..300);
    for player in &mut world.players {
        player.check.delays_us.0.clear();
    }
    let stuck = world.play_from("cam", 100, SMALL);
    world.until("the others to come", |world| world.players.iter().all(|p| p.stream_id.is_some()));
    for (index, player) in world.players[stuck..].iter_mut().enumerate() {
        player.pace = if index % 2 == 0 { Pace::Stuck } else { Pace::Slow(10, millis(200)) };
    }
    world.run(seconds(6));
    let crowded = usual_worst(&world, 0..300);
    assert!(server.total("parked") >= 90, "{} are stuck", server.total("parked"));
    world.settle_players(at, 0..300);
    let sent = world.publishers[at].source.frames;
    for player in &world.players[..300] {
        player.check.assert_whole();
        assert_eq!(player.check.frames, sent, "{}: each frame, once", player.check.who);
    }
    // One in four players does nothing: no reason to be slower. The sum forgives the machine.
    assert!(crowded <= 3 * alone + 20_000, "{alone} us alone, {crowded} us beside the stuck ones");
    server.assert_healthy();
}

#[test]
fn and_the_publisher_returns_meanwhile() {
    let mut server = Server::start(&[], PATIENT);
    let mut world = World::new(server.rtmp);
    let slow = world.play_from("cam", 8, SMALL);
    world.until("all to wait", |world| world.players.iter().all(|p| p.stream_id.is_some()));
    let mut at = world.publish("cam", Source::new(1, heavy()));
    for player in &mut world.players {
        player.pace = Pace::Slow(2_000, millis(3));
    }
    for _ in 0..6 {
        world.publishers[at].go(millis(20));
        world.run(millis(600));
        world.publishers[at].link.kill();
        let source = world.publishers[at].source.again();
        at = world.come_again("cam", source);
    }
    world.publishers[at].go(millis(20));
    for player in &mut world.players[slow..] {
        player.pace = Pace::Eager;
    }
    world.run(millis(500));
    world.settle(at);
    for player in &world.players {
        assert!(player.link.is_open(), "{:?}", player.told);
        assert_eq!(player.check.metadata(), Some(7));
        // What a lost publisher sent last cannot be known, so the counts of missing frames are
        // lower bounds here.
        assert!(player.check.missing <= player.check.announced, "{}", player.check.who);
    }
    server.assert_healthy();
}

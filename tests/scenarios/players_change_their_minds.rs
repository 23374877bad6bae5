//! Players pause, switch sound or pictures off and on, play something else on the same connection,
//! or leave and come back at once.

use super::support::{Pace, Server, Shape, World, millis};

#[test]
fn pause_and_go_on() {
    let mut server = Server::start(&[], "");
    let mut world = World::new(server.rtmp);
    world.play("cam", 6);
    let at = world.stream("cam", 1, Shape { gop: 10, ..Shape::default() }, 20);
    world.until("frames", |world| world.players.iter().all(|p| p.check.frames > 10));
    for player in &mut world.players[..3] {
        player.pause(true);
    }
    world.until("the pause", |world| {
        world.players[..3].iter().all(|p| p.was_told("NetStream.Pause.Notify"))
    });
    let before: Vec<u64> = world.players.iter().map(|p| p.check.frames).collect();
    world.run(millis(600));
    for (player, before) in world.players[..3].iter().zip(&before) {
        assert!(player.check.frames <= before + 4, "nothing comes in a pause");
    }
    for player in &mut world.players[..3] {
        player.pause(false);
    }
    world.run(millis(600));
    world.settle(at);
    for player in &world.players {
        player.check.assert_whole();
    }
    for (player, before) in world.players.iter().zip(&before) {
        assert!(player.check.frames > before + 10, "it goes on");
    }
    assert!(world.players[0].was_told("NetStream.Unpause.Notify"));
    assert_eq!(server.total("dropped_frames"), 0, "who pauses loses nothing to its connection");
    server.assert_healthy();
}

#[test]
fn sound_or_pictures_alone() {
    let mut server = Server::start(&[], "");
    let mut world = World::new(server.rtmp);
    world.play("cam", 9);
    let at = world.stream("cam", 1, Shape { gop: 10, ..Shape::default() }, 20);
    world.until("frames", |world| world.players.iter().all(|p| p.check.frames > 10));
    for player in &mut world.players[..3] {
        player.want("receiveAudio", false);
    }
    for player in &mut world.players[3..6] {
        player.want("receiveVideo", false);
    }
    world.run(millis(300));
    let counts = |world: &World| -> Vec<(u64, u64)> {
        world.players.iter().map(|p| (p.check.audio_frames, p.check.video_frames)).collect()
    };
    let before = counts(&world);
    world.run(millis(600));
    let after = counts(&world);
    for index in 0..3 {
        assert_eq!(before[index].0, after[index].0, "no sound");
        assert!(before[index].1 + 10 < after[index].1, "but pictures");
    }
    for index in 3..6 {
        assert!(before[index].0 + 10 < after[index].0, "sound");
        assert_eq!(before[index].1, after[index].1, "but no pictures");
    }
    for player in &mut world.players[..3] {
        player.want("receiveAudio", true);
    }
    for player in &mut world.players[3..6] {
        player.want("receiveVideo", true);
    }
    world.run(millis(700));
    let last = counts(&world);
    for index in 0..6 {
        let (was, is) = (after[index], last[index]);
        assert!(was.0 + 5 < is.0 && was.1 + 5 < is.1, "player {index}: {was:?}, then {is:?}");
    }
    world.settle(at);
    for player in &world.players {
        player.check.assert_whole();
    }
    server.assert_healthy();
}

#[test]
fn something_else_on_the_same_connection() {
    let mut server = Server::start(&[], "");
    let mut world = World::new(server.rtmp);
    world.play("one", 4);
    let one = world.stream("one", 1, Shape::default(), 20);
    let two = world.stream("two", 2, Shape::default(), 20);
    world.until("frames", |world| world.players.iter().all(|p| p.check.frames > 10));
    for player in &mut world.players {
        player.check.assert_whole();
        player.link.protocol.close(player.request()).expect("it plays");
    }
    world.until("the first play to end", |_| {
        server.stream("live/one").is_some_and(|s| s["viewers"] == 0)
    });
    // What was sent of it before may not be read yet.
    world.run(millis(500));
    for player in &mut world.players {
        player.play_also("two");
    }
    world.until("frames of the other", |world| world.players.iter().all(|p| p.check.frames > 10));
    world.publishers[one].rest();
    world.settle(two);
    for player in &world.players {
        player.check.assert_whole();
    }
    assert_eq!(server.total("players"), 4);
    server.assert_healthy();
}

#[test]
fn and_leave_in_the_middle_of_a_message() {
    let mut server = Server::start(&[], "");
    let mut world = World::new(server.rtmp);
    let stay = world.play("cam", 4);
    let shape = Shape { key_bytes: 200_000, frame_bytes: 20_000, ..Shape::default() };
    let at = world.stream("cam", 1, shape, 20);
    for _ in 0..8 {
        let first = world.play("cam", 10);
        for player in &mut world.players[first..] {
            player.pace = Pace::Slow(5_000, millis(10));
        }
        world.run(millis(100));
        world.players.truncate(first);
    }
    world.settle(at);
    for player in &world.players[stay..] {
        player.check.assert_whole();
    }
    world.until("the server to see that they left", |_| server.total("players") == 4);
    assert_eq!(server.total("parked"), 0, "nobody who left is still waited for");
    server.assert_healthy();
}

#[test]
fn whatever_the_latency_budget() {
    for budget in ["0", "100ms", "auto"] {
        let mut server = Server::start(&["--latency-budget", budget], "");
        let mut world = World::new(server.rtmp);
        world.play("cam", 8);
        world.until("all to wait", |world| world.players.iter().all(|p| p.stream_id.is_some()));
        let at = world.stream("cam", 1, Shape::default(), 20);
        world.run(millis(1000));
        world.settle(at);
        let source = world.publishers[at].source.clone();
        for player in &world.players {
            player.check.assert_whole();
            assert_eq!((player.check.frames, player.check.data), (source.frames, source.data));
        }
        server.assert_healthy();
    }
}

//! Viewers come at any moment: before the stream, in the middle of a long group of pictures, into
//! streams without pictures. Each gets its headers and a key frame first, and then everything.

use super::support::{Server, Shape, Source, World, millis};

#[test]
fn in_the_middle_of_a_group() {
    let mut server = Server::start(&[], "");
    let mut world = World::new(server.rtmp);
    let at = world.stream("cam", 1, Shape::default(), 40);
    world.run(millis(300));
    for _ in 0..10 {
        world.play("cam", 4);
        world.run(millis(150));
    }
    world.settle(at);
    for player in &world.players {
        player.check.assert_whole();
        assert!(player.check.keys >= 1 && player.check.audio_frames > 0);
        assert_eq!(player.check.metadata(), Some(1), "metadata comes with the headers");
        assert!(player.was_told("NetStream.Play.Start") || player.stream_id.is_some());
    }
    server.assert_healthy();
}

#[test]
fn before_the_stream_is_there() {
    let mut server = Server::start(&[], "");
    let mut world = World::new(server.rtmp);
    world.play("cam", 20);
    world.until("all to wait", |world| world.players.iter().all(|p| p.stream_id.is_some()));
    let at = world.stream("cam", 1, Shape::default(), 40);
    world.run(millis(800));
    world.settle(at);
    let sent = world.publishers[at].source.frames;
    for player in &world.players {
        player.check.assert_whole();
        assert_eq!(player.check.frames, sent, "who waited misses nothing");
        assert_eq!(player.check.data, world.publishers[at].source.data);
    }
    server.assert_healthy();
}

#[test]
fn into_a_group_of_fifteen_seconds() {
    let mut server = Server::start(&[], "");
    let mut world = World::new(server.rtmp);
    let shape = Shape { gop: 10_000, frame_bytes: 6_000, ..Shape::default() };
    let at = world.publish("cam", Source::new(1, shape));
    // Fourteen seconds of 1.2 Mbit/s, all within the cache.
    world.publishers[at].burst(350);
    world.until("all to be sent", |world| !world.publishers[at].link.has_output());
    world.until("all to be counted", |_| {
        server.stream("live/cam").is_some_and(|stream| stream["frames_in"] == 700)
    });
    world.play("cam", 10);
    world.publishers[at].go(millis(40));
    world.run(millis(500));
    world.settle(at);
    let sent = world.publishers[at].source.frames;
    for player in &world.players {
        player.check.assert_whole();
        assert_eq!(player.check.frames, sent, "from the one key frame on");
    }
    server.assert_healthy();
}

#[test]
fn into_sound_alone() {
    let mut server = Server::start(&[], "");
    let mut world = World::new(server.rtmp);
    let shape = Shape { video: false, frame_ms: 23, ..Shape::default() };
    let early = world.play("radio", 3);
    let at = world.stream("radio", 1, shape, 23);
    world.run(millis(1600));
    let late = world.play("radio", 3);
    world.run(millis(400));
    world.settle(at);
    for player in &world.players {
        player.check.assert_whole();
    }
    // Whoever waited has all of it, the first second (43 frames) included; on a busy machine the
    // last to come may have missed the first few.
    let sent = world.publishers[at].source.frames;
    for player in &world.players[early..late] {
        assert!(player.check.audio_frames + 10 >= sent, "{} of {sent}", player.check.audio_frames);
    }
    assert!(world.players[late].check.audio_frames > 5);
    server.assert_healthy();
}

#[test]
fn and_nobody_ever_publishes() {
    let mut server = Server::start(&[], "play_wait = \"1s\"");
    let mut world = World::new(server.rtmp);
    world.play("nothing", 5);
    world.until("the end of their patience", |world| {
        world.players.iter().all(|player| !player.link.is_open())
    });
    for player in &world.players {
        assert!(player.was_told("NetStream.Play.StreamNotFound"), "told: {:?}", player.told);
    }
    assert!(server.stream("live/nothing").is_none(), "an unknown name leaves nothing behind");
    server.assert_healthy();
}

//! A slate: a film that plays while a stream has viewers and no publisher. Whoever comes has the stream
//! at a key frame, and its viewers notice nothing but other pictures.

use super::support::edges::{free_address, origin_of};
use super::support::server::{arguments, run};
use super::support::{Server, Shape, Source, World, millis, seconds};
use bytes::BytesMut;
use millstream_flv::{Header, TagKind, Writer};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

fn shape() -> Shape {
    Shape { gop: 10, data_every: 0, ..Shape::default() }
}

fn source(generation: u32) -> Source {
    Source { generation, ..Source::new(1, shape()) }
}

/// A file of half a minute, longer than any test here: what a viewer sees of it is judged like any
/// publisher's stream.
fn film(generation: u32) -> Vec<u8> {
    let mut source = source(generation);
    // Its configuration and sound; its metadata are rewritten, and so not those of a generation.
    let mut messages = source.headers().split_off(1);
    for _ in 0..750 {
        source.next(&mut messages);
    }
    let mut bytes = BytesMut::new();
    let mut writer = Writer::default();
    writer.header(Header { audio: true, video: true }, &mut bytes);
    for message in messages {
        let kind = TagKind::from_number(message.kind.0).expect("sound and pictures");
        writer
            .tag(kind, message.timestamp, &message.payload, &mut bytes)
            .expect("the payload is short");
    }
    bytes.to_vec()
}

fn write(bytes: &[u8]) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("slate-{}-{number}.flv", std::process::id());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, bytes).expect("the target directory is writable");
    path
}

fn slate(film: &[u8], more: &str) -> String {
    let file = write(film);
    format!(
        "hold = \"2s\"\n[[slate]]\nstream = \"live/c*\"\nfile = \"{}\"\nafter = \"300ms\"\n{more}",
        file.display()
    )
}

fn viewers(world: &mut World, count: usize) {
    world.play("cam", count);
    for player in &mut world.players {
        player.check.handed_over = true;
    }
}

fn until_seen(world: &mut World, generation: u32) {
    world.until("the new generation to be seen", |world| {
        world.players.iter().all(|player| player.check.reached(generation, 1))
    });
}

fn source_of(server: &Server) -> Option<String> {
    server.stream("live/cam")?["source"].as_str().map(str::to_owned)
}

#[test]
fn between_two_publishers() {
    fills_a_gap(Server::start(&[], &settings()));
}

/// With a slate that is the second generation of the stream.
pub fn settings() -> String {
    slate(&film(2), "")
}

/// A publisher is lost, the slate plays, another publisher comes.
pub fn fills_a_gap(mut server: Server) {
    let mut world = World::new(server.rtmp);
    viewers(&mut world, 6);
    let first = world.publish("cam", source(1));
    world.publishers[first].go(millis(10));
    until_seen(&mut world, 1);
    world.publishers[first].link.kill();
    until_seen(&mut world, 2);
    assert_eq!(source_of(&server).as_deref(), Some("slate"));
    assert!(server.get("/").contains("<strong>slate</strong>"), "the page says so");
    // It plays in real time, past the hold of the publisher.
    let before: Vec<u64> = world.players.iter().map(|player| player.check.video_frames).collect();
    world.run(millis(2_500));
    for (player, before) in world.players.iter().zip(before) {
        let shown = player.check.video_frames - before;
        assert!((25..=90).contains(&shown), "{shown} pictures in 2.5 s");
    }
    let second = world.publish("cam", source(3));
    world.publishers[second].go(millis(10));
    until_seen(&mut world, 3);
    assert_eq!(source_of(&server).as_deref(), Some("primary"));
    world.settle(second);
    for player in &world.players {
        assert!(player.link.is_open(), "{:?}", player.told);
        player.check.assert_whole();
        assert_eq!(player.times_told("NetStream.Play.UnpublishNotify"), 0);
    }
    assert_eq!((server.total("publishers"), server.total("streams")), (1, 1));
    server.assert_healthy();
}

#[test]
fn on_an_edge_until_its_origin_is_back() {
    let address = free_address();
    let origin = || Server::start(&["--rtmp", &address.to_string()], "");
    let first = origin();
    let mut edge = Server::start(&["--origin", &origin_of(&first)], &settings());
    let mut world = World::new(first.rtmp);
    let publisher = world.publish("cam", source(1));
    world.publishers[publisher].go(millis(10));
    world.at(edge.rtmp);
    viewers(&mut world, 4);
    until_seen(&mut world, 1);
    drop(first);
    until_seen(&mut world, 2);
    assert_eq!(source_of(&edge).as_deref(), Some("slate"));
    // Past the hold of what was fetched.
    world.run(millis(2_500));
    let second = origin();
    world.at(second.rtmp);
    let publisher = world.publish("cam", source(3));
    world.publishers[publisher].go(millis(10));
    world.until_in("what is fetched to be seen", seconds(20), |world| {
        world.players.iter().all(|player| player.check.reached(3, 1))
    });
    assert_eq!(source_of(&edge).as_deref(), Some("primary"));
    world.settle(publisher);
    for player in &world.players {
        assert!(player.link.is_open(), "{:?}", player.told);
        player.check.assert_whole();
        assert_eq!(player.times_told("NetStream.Play.UnpublishNotify"), 0);
    }
    edge.assert_healthy();
}

#[test]
fn before_anybody_comes_and_only_while_somebody_watches() {
    let mut server = Server::start(&[], &slate(&film(1), ""));
    let mut world = World::new(server.rtmp);
    let other = world.play("other", 1);
    world.play("cam", 3);
    for player in &mut world.players {
        player.check.handed_over = true;
    }
    world.until("the slate", |world| {
        world.players[other + 1..].iter().all(|player| player.check.reached(1, 1))
    });
    assert_eq!(world.players[other].check.frames, 0, "it is for other names");
    // A backup is better than a slate.
    let backup = world.publish("cam?backup=1", source(2));
    world.publishers[backup].go(millis(10));
    world.until("the backup", |world| {
        world.players[other + 1..].iter().all(|player| player.check.reached(2, 1))
    });
    assert_eq!(source_of(&server).as_deref(), Some("backup"));
    world.publishers[backup].link.kill();
    for player in &mut world.players {
        player.link.kill();
    }
    world.until_in("nobody to be shown a slate", seconds(20), |_| server.total("streams") == 0);
    server.assert_healthy();
}

#[test]
fn no_longer_than_they_may() {
    let mut server = Server::start(&[], &slate(&film(1), "max = \"1s\"\n"));
    let mut world = World::new(server.rtmp);
    viewers(&mut world, 3);
    until_seen(&mut world, 1);
    world.until("the slate to end", |world| {
        let told = "NetStream.Play.UnpublishNotify";
        world.players.iter().all(|player| player.times_told(told) == 1)
    });
    world.run(millis(1_000));
    assert_eq!(server.total("streams"), 0, "and not to begin anew");
    let at = world.publish("cam", source(2));
    world.publishers[at].go(millis(10));
    until_seen(&mut world, 2);
    server.assert_healthy();
}

#[test]
fn not_with_a_file_that_cannot_be_shown() {
    let whole = film(1);
    let sound = {
        let mut bytes = BytesMut::new();
        let mut writer = Writer::default();
        writer.header(Header { audio: true, video: false }, &mut bytes);
        writer.tag(TagKind::Audio, 0, &[0xaf, 0, 1], &mut bytes).expect("it is short");
        bytes
    };
    let wrong: [(&[u8], &str); 4] = [
        (&whole[..whole.len() / 2], "cut or damaged"),
        (b"", "is empty"),
        (&sound, "has no video"),
        (b"GIF89a", "not an FLV file"),
    ];
    for (bytes, why) in wrong {
        let config = slate(bytes, "");
        let (status, text) = run(&arguments(&[], &config));
        assert!(!status.success(), "{why}: it started");
        assert!(text.contains(why) && text.contains("slate-"), "{text}");
    }
    let missing = "[[slate]]\nstream = \"*\"\nfile = \"/nonexistent/slate.flv\"\n";
    let (status, text) = run(&arguments(&[], missing));
    assert!(!status.success() && text.contains("/nonexistent/slate.flv"), "{text}");
    let typo = "[[slate]]\nstream = \"live/\"\nfile = \"x\"\n";
    let (status, text) = run(&arguments(&[], typo));
    assert!(!status.success() && text.contains("slate") && text.contains("live/*"), "{text}");
}

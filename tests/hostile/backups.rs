//! Publishers that wait for a name, as nobody means them to.

use crate::frames::{self, Sort};
use crate::peer::{PATIENCE, Peer, message};
use crate::scene::Scene;
use crate::server::{Server, Start};
use millstream_amf0::Value;
use millstream_rtmp::message::MessageType;
use std::time::{Duration, Instant};

/// As many as may wait for one name.
const WAIT_MAX: usize = 4;

/// What the API says of one field of a stream.
fn field(server: &Server, name: &str, field: &str) -> Option<String> {
    let streams = server.get("/api/v1/streams");
    let stream =
        streams.split("{\"name\":").find(|rest| rest.starts_with(&format!("\"{name}\"")))?;
    let value = stream.split(&format!("\"{field}\":")).nth(1)?;
    Some(value.split([',', '}']).next()?.trim_matches('"').to_owned())
}

#[track_caller]
fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < until, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// It is let in, and never has the stream: not while there is a primary, not after it, not for a
/// viewer that waits. Another one that came later is not kept from it.
#[test]
fn a_backup_without_key_frames_has_no_turn() {
    let scene = Scene::with("hold = \"1s\"\n");
    let mut backup = Peer::publishing(&scene.server, "cam?backup=1");
    backup.message(MessageType::VIDEO, 0, frames::AVC);
    let mut viewer = Peer::playing(&scene.server, "cam");
    let mut primary = Peer::publishing(&scene.server, "cam");
    primary.message(MessageType::VIDEO, 0, frames::AVC);
    primary.message(MessageType::VIDEO, 0, &frames::frame(Sort::Key, 0, 0, 500));
    viewer.media();
    for number in 1..200 {
        let frame = frames::frame(Sort::Video, number, number * 5, 500);
        backup.message(MessageType::VIDEO, number * 5, &frame);
    }
    drop(primary);
    // Its viewers are told of the end when the hold is over, as if there were no backup.
    viewer.status("NetStream.Play.UnpublishNotify");
    assert_eq!(field(&scene.server, "live/cam", "source").as_deref(), Some("null"));
    assert_eq!(field(&scene.server, "live/cam", "waiting_publishers").as_deref(), Some("1"));
    let mut later = Peer::publishing(&scene.server, "cam?role=backup");
    later.message(MessageType::VIDEO, 0, frames::AVC);
    later.message(MessageType::VIDEO, 0, &frames::frame(Sort::Key, 0, 0, 500));
    wait_for("the later one to have its turn", || {
        field(&scene.server, "live/cam", "source").as_deref() == Some("backup")
    });
    backup.assert_answers();
    scene.end();
}

#[test]
fn two_thousand_backups_want_one_name() {
    let scene = Scene::with("");
    let mut waiting = Vec::new();
    for _ in 0..WAIT_MAX {
        waiting.push(Peer::publishing(&scene.server, "steady?backup=1"));
    }
    for _ in 0..100 {
        let mut peer = Peer::connected(&scene.server);
        for transaction in 0..20 {
            let arguments = [Value::Null, "steady?backup=1".into(), "live".into()];
            peer.command(1, "publish", f64::from(transaction) + 3.0, &arguments);
            peer.status("NetStream.Publish.BadName");
        }
        peer.assert_answers();
    }
    scene.server.wait_line(&["publish refused", "reason=\"too-many-waiting\""]);
    assert_eq!(
        field(&scene.server, "live/steady", "waiting_publishers"),
        Some(waiting.len().to_string())
    );
    // Whoever leaves makes room, and no name of a backup alone is kept.
    drop(waiting);
    wait_for("the line to be empty", || {
        field(&scene.server, "live/steady", "waiting_publishers").as_deref() == Some("0")
    });
    let others: Vec<Peer> = (0..200)
        .map(|number| Peer::publishing(&scene.server, &format!("other-{number}?backup=1")))
        .collect();
    drop(others);
    wait_for("their names to be forgotten", || {
        !scene.server.get("/api/v1/streams").contains("live/other-")
    });
    scene.end();
}

/// As much as its socket takes, all of it key frames, beside the primary of the same name.
#[test]
fn a_backup_sends_nothing_but_key_frames_as_fast_as_it_can() {
    let scene = Scene::with("");
    let mut backup = Peer::publishing(&scene.server, "steady?backup=1");
    backup.message(MessageType::VIDEO, 0, frames::AVC);
    let large = message(MessageType::VIDEO, 4, 0, 1, &frames::frame(Sort::Key, 0, 0, 900_000));
    let small = message(MessageType::VIDEO, 4, 0, 1, &frames::frame(Sort::Key, 0, 0, 60));
    let until = Instant::now() + Duration::from_secs(2);
    while Instant::now() < until {
        backup.send(&large);
        for _ in 0..200 {
            backup.send(&small);
        }
    }
    assert!(scene.memory_taken() < 16 << 20, "{} bytes", scene.memory_taken());
    assert_eq!(field(&scene.server, "live/steady", "source").as_deref(), Some("primary"));
    backup.assert_answers();
    scene.end();
}

/// More headers than a stream may have end the connection of one that waits, too.
#[test]
fn a_backup_with_headers_without_end_is_hung_up() {
    let scene = Scene::begin(Start::default());
    let peer = Peer::publishing(&scene.server, "steady?backup=1");
    scene.ends("too-many-headers", peer, |peer| {
        for size in [300_000, 600_000] {
            let mut header = vec![0x17, 0, 0, 0, 0];
            header.resize(size, 7);
            peer.message(MessageType::VIDEO, 0, &header);
            let mut header = vec![0xaf, 0];
            header.resize(size, 7);
            peer.try_send(&message(MessageType::AUDIO, 4, 0, 1, &header));
        }
    });
    scene.end();
}

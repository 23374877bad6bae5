//! Commands too many, too early, too large or twice (RTMP 1.0, section 7.2).

use crate::frames::{self, Sort};
use crate::peer::{PATIENCE, Peer, chunked, command, connect_object, control, message};
use crate::scene::Scene;
use crate::server::Start;
use millstream_amf0::Value;
use millstream_rtmp::control::Control;
use millstream_rtmp::message::MessageType;
use std::time::Duration;

/// Sends the same bytes until the server has enough of it, and reads nothing meanwhile.
fn until_it_ends(peer: &mut Peer, bytes: &[u8]) {
    let mut reader = peer.stream.try_clone().unwrap();
    let drain = std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
    for _ in 0..1_000_000 {
        if !peer.try_send(bytes) {
            break;
        }
    }
    let _ = drain.join();
}

pub fn streams_without_end(epoll: bool) {
    let scene = Scene::begin(Start { epoll, ..Start::default() });
    let before = scene.server.cpu();
    scene.ends("too-many-refusals", Peer::connected(&scene.server), |peer| {
        until_it_ends(peer, &command(0, "createStream", 2.0, &[Value::Null]));
    });
    scene.ends("too-many-refusals", Peer::connected(&scene.server), |peer| {
        for id in 100.. {
            if !peer.try_send(&command(id, "publish", 0.0, &[Value::Null, "../x".into()])) {
                break;
            }
        }
    });
    assert!(scene.server.cpu() - before < Duration::from_secs(10));
    scene.end();
}

#[test]
fn message_streams_without_end_are_refused() {
    streams_without_end(false);
}

#[test]
fn streams_made_and_deleted_without_end_end() {
    let scene = Scene::with("");
    let pair = [
        command(0, "createStream", 2.0, &[Value::Null]),
        command(0, "deleteStream", 0.0, &[Value::Null, 1.0.into()]),
    ];
    scene.ends("message-flood", Peer::connected(&scene.server), |peer| {
        until_it_ends(peer, &pair.concat().repeat(100));
    });
    scene.end();
}

#[test]
fn whatever_comes_before_connect_is_named() {
    let scene = Scene::with("");
    let name = [Value::Null, Value::from("cam")];
    for (bytes, error) in [
        (command(1, "publish", 3.0, &name), "publish-before-connect"),
        (command(1, "play", 3.0, &name), "play-before-connect"),
        (command(0, "createStream", 3.0, &name), "command-before-connect"),
        (message(MessageType::VIDEO, 4, 0, 1, frames::AVC), "media-before-connect"),
    ] {
        scene.ends(error, Peer::open(&scene.server), |peer| peer.send(&bytes));
    }
    scene.ends("connect-twice", Peer::connected(&scene.server), |peer| {
        peer.command(0, "connect", 1.0, &[Value::Null]);
    });
    scene.end();
}

#[test]
fn two_publishes_on_one_message_stream_end_it() {
    let scene = Scene::with("hold = \"0\"\n");
    scene.ends("stream-busy", Peer::publishing(&scene.server, "twice"), |peer| {
        peer.command(1, "publish", 4.0, &[Value::Null, "other".into(), "live".into()]);
    });
    scene.ends("stream-busy", Peer::publishing(&scene.server, "twice"), |peer| {
        peer.command(1, "play", 4.0, &[Value::Null, "other".into()]);
    });
    scene.end();
}

#[test]
fn whoever_publishes_may_play_it_too() {
    let scene = Scene::with("");
    let mut peer = Peer::publishing(&scene.server, "mirror");
    peer.message(MessageType::VIDEO, 0, frames::AVC);
    peer.command(2, "play", 4.0, &[Value::Null, "mirror".into()]);
    peer.status("NetStream.Play.Start");
    for number in 0..100 {
        let sort = if number == 0 { Sort::Key } else { Sort::Video };
        peer.message(MessageType::VIDEO, 40 * number, &frames::frame(sort, number, 0, 100));
        loop {
            let message = peer.media();
            if !frames::is_header(&message.payload) {
                assert_eq!((frames::check(&message.payload).0, message.stream_id), (number, 2));
                break;
            }
        }
    }
    scene.end();
}

#[test]
fn lengths_beyond_reason_are_refused() {
    let scene = Scene::with("");
    let metadata = [&[2, 0, 13][..], b"@setDataFrame", &[2, 0, 10], b"onMetaData"].concat();
    let large = [&metadata[..], &vec![5; 10_000_000]].concat();
    scene.ends("data-too-long", Peer::publishing(&scene.server, "large"), |peer| {
        peer.send(&control(&Control::SetChunkSize(65_536)));
        peer.try_send(&chunked(MessageType::DATA_AMF0, 5, 0, 1, &large, 65_536));
    });
    let name = "n".repeat(5000);
    scene.ends("name-too-long", Peer::connected(&scene.server), |peer| {
        peer.command(1, "publish", 3.0, &[Value::Null, name.as_str().into()]);
    });
    scene.ends("name-too-long", Peer::open(&scene.server), |peer| {
        let object = connect_object("live", &format!("rtmp://h/{name}"));
        peer.command(0, "connect", 1.0, &[object.into()]);
    });
    scene.ends("command-too-long", Peer::connected(&scene.server), |peer| {
        peer.command(0, "x", 1.0, &[Value::LongString("y".repeat(70_000))]);
    });
    scene.end();
}

#[test]
fn media_that_belongs_to_nobody_ends() {
    let scene = Scene::with("");
    let frame = frames::frame(Sort::Video, 0, 0, 20);
    scene.ends("too-much-stray-media", Peer::connected(&scene.server), |peer| {
        until_it_ends(peer, &message(MessageType::VIDEO, 4, 0, 1, &frame));
    });
    scene.end();
}

/// A loop of requests that are granted or refused must not fill the log or the processor.
#[test]
fn requests_in_a_loop_end() {
    let scene = Scene::with("hold = \"0\"\n");
    let before = scene.server.log().len();
    let name = |name: &str| [Value::Null, name.into()];
    let close = command(1, "closeStream", 0.0, &[Value::Null]);
    scene.ends("too-many-refusals", Peer::connected(&scene.server), |peer| {
        until_it_ends(peer, &command(1, "publish", 3.0, &name("-flag")));
    });
    scene.ends("too-many-refusals", Peer::connected(&scene.server), |peer| {
        until_it_ends(peer, &command(1, "play", 3.0, &name("../steady")));
    });
    scene.ends("too-many-requests", Peer::connected(&scene.server), |peer| {
        until_it_ends(peer, &command(1, "play", 3.0, &name("steady")));
    });
    scene.ends("too-many-requests", Peer::connected(&scene.server), |peer| {
        until_it_ends(peer, &[command(1, "publish", 3.0, &name("loop")), close].concat());
    });
    scene.ends("too-many-requests", Peer::playing(&scene.server, "steady"), |peer| {
        let track = |on: bool| command(1, "receiveAudio", 0.0, &[Value::Null, on.into()]);
        until_it_ends(peer, &[track(false), track(true)].concat());
    });
    let lines = scene.server.log().len() - before;
    assert!(lines < 2000, "{lines} lines of log");
    scene.end();
}

#[test]
fn a_stream_that_is_taken_stays_with_its_publisher() {
    let scene = Scene::with("takeover = \"never\"\n");
    let mut rival = Peer::connected(&scene.server);
    for _ in 0..10 {
        rival.command(1, "publish", 3.0, &[Value::Null, "steady".into()]);
        rival.status("NetStream.Publish.BadName");
    }
    assert!(!rival.is_hung_up(Duration::from_millis(100)));
    scene.server.wait_line(&["publish refused", "reason=\"busy\""]);
    scene.end();
}

#[test]
fn two_publishers_cannot_throw_each_other_out_for_ever() {
    let scene = Scene::with("hold = \"0\"\n");
    let mut first = Peer::publishing(&scene.server, "contested");
    // From the same address: a restarted encoder, as far as anybody can tell.
    let mut second = Peer::publishing(&scene.server, "contested");
    assert!(first.is_hung_up(PATIENCE));
    for _ in 0..20 {
        let mut next = Peer::connected(&scene.server);
        next.command(1, "publish", 3.0, &[Value::Null, "contested".into()]);
        next.status("NetStream.Publish.BadName");
    }
    scene.server.wait_line(&["publish refused", "reason=\"takeover-too-soon\""]);
    second.assert_answers();
    scene.end();
}

#[test]
fn routes_that_no_edge_sends_are_refused() {
    let scene = Scene::with("");
    let long = ["0123456789abcdef"; 9].join(",");
    for (route, error) in [
        ("", "route-malformed"),
        ("../../etc", "route-malformed"),
        (&*"f".repeat(60_000), "route-malformed"),
        (&*long, "too-many-hops"),
    ] {
        scene.ends(error, Peer::open(&scene.server), |peer| {
            let object = connect_object("live", "rtmp://127.0.0.1/live");
            let object = object.with("millstreamRoute", route);
            peer.command(0, "connect", 1.0, &[object.into()]);
        });
    }
    scene.end();
}

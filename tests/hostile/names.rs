//! Names that mean something to a shell, a path, a terminal or a header.

use crate::peer::{Peer, command, connect_object, message, raw_command};
use crate::scene::Scene;
use crate::server::Start;
use bytes::BytesMut;
use millstream_amf0::Value;
use millstream_rtmp::message::MessageType;

/// Names that no stream may have. None of them may be seen in the log, whole or in part.
const HOSTILE: [&str; 20] = [
    "..",
    "../../etc/passwd",
    "a/../../hostile",
    "/etc/hostile",
    "hostile\\..\\..\\x",
    "hostile\0.flv",
    "%2e%2e%2fhostile",
    "%2e%2e",
    "%00hostile",
    "%zzhostile",
    "hostile%",
    "hostile\r\nX-Injected: yes",
    "hostile\x1b[31mred\x1b]0;title\x07",
    "$(touch hostile)",
    "`hostile`;id|hostile",
    "-hostile",
    "--help",
    ".hostile",
    "hostile\u{202e}\u{feff}",
    "<script>hostile</script>",
];

/// No line has a byte that does not print, and none has anything of a hostile name.
fn assert_clean_log(scene: &Scene) {
    for line in scene.server.log() {
        // The log's reader escapes what does not print.
        for sign in ["\\x", "\\r", "\\n", "\\t", "\\\\", "hostile", "passwd", "Injected", "AAAA"] {
            assert!(!line.contains(sign), "{sign} in {line}");
        }
    }
}

/// Only the stream beside exists.
fn assert_no_stream(scene: &Scene) {
    let streams = scene.server.get("/api/v1/streams");
    assert!(streams.contains("live/steady"), "{streams}");
    assert_eq!(streams.matches("live/").count(), streams.matches("live/steady").count());
    assert!(!streams.contains("hostile"), "{streams}");
}

/// Both requests for a name under an application are refused, for the name.
fn refused(scene: &Scene, app: &str, name: &str) {
    let mut peer = Peer::open(&scene.server);
    let object = connect_object(app, "rtmp://127.0.0.1/live");
    peer.command(0, "connect", 1.0, &[object.into()]);
    peer.answer(1.0);
    peer.command(1, "publish", 3.0, &[Value::Null, name.into(), "live".into()]);
    peer.status("NetStream.Publish.Denied");
    peer.command(1, "play", 4.0, &[Value::Null, name.into()]);
    peer.status("NetStream.Play.Failed");
    let from = format!("peer=127.0.0.1:{}", peer.port);
    scene.server.wait_line(&[&from, "publish refused", "reason=\"name\""]);
    scene.server.wait_line(&[&from, "play refused", "reason=\"name\""]);
    peer.assert_answers();
}

pub fn hostile_names(epoll: bool) {
    let settings = "log = \"debug\"\n";
    let scene = Scene::begin(Start { settings, epoll, ..Start::default() });
    for name in HOSTILE {
        // A leading slash is what encoders send for nothing; it is not part of a name.
        let plain = name.trim_start_matches('/');
        refused(&scene, "live", plain);
        refused(&scene, plain, "cam");
    }
    for (app, name) in [("live", ""), ("", ""), ("api", "cam"), ("metrics", "cam"), ("a/b", "cam")]
    {
        refused(&scene, app, name);
    }
    refused(&scene, "live", &"A".repeat(200));
    refused(&scene, &"A".repeat(200), "cam");
    refused(&scene, "live", &"A".repeat(4000));
    assert_no_stream(&scene);
    assert_clean_log(&scene);
    scene.end();
}

#[test]
fn hostile_names_are_refused_and_never_shown() {
    hostile_names(false);
}

#[test]
fn what_a_peer_says_of_itself_is_never_shown() {
    let scene = Scene::with("log = \"debug\"\n");
    for text in HOSTILE {
        // The query of a name may hold a secret as well.
        let object = connect_object("live?hostile", &format!("rtmp://h/live?{text}"));
        let object = object.with("swfUrl", text).with("pageUrl", text);
        let mut peer = Peer::open(&scene.server);
        peer.command(0, "connect", 1.0, &[object.with(text, text).into()]);
        assert_eq!(peer.answer(1.0).name, "_result");
        peer.command(0, "createStream", 2.0, &[Value::Null]);
        peer.command(1, "play", 3.0, &[Value::Null, format!("steady?{text}").into()]);
        peer.status("NetStream.Play.Start");
        peer.media();
    }
    assert_no_stream(&scene);
    assert_clean_log(&scene);
    scene.end();
}

#[test]
fn an_application_out_of_a_hostile_url_is_refused() {
    let scene = Scene::with("log = \"debug\"\n");
    for path in ["../..", "a/../hostile", "%2e%2e", "$(hostile)", "-hostile", "hostile\x1b[2J"] {
        let mut peer = Peer::open(&scene.server);
        let object = connect_object("", &format!("rtmp://127.0.0.1/{path}"));
        peer.command(0, "connect", 1.0, &[object.into()]);
        peer.answer(1.0);
        peer.command(1, "publish", 3.0, &[Value::Null, "cam".into()]);
        peer.status("NetStream.Publish.Denied");
        let from = format!("peer=127.0.0.1:{}", peer.port);
        scene.server.wait_line(&[&from, "publish refused", "reason=\"name\""]);
    }
    assert_no_stream(&scene);
    assert_clean_log(&scene);
    scene.end();
}

#[test]
fn text_that_is_no_text_or_has_no_end_is_refused() {
    let scene = Scene::with("log = \"debug\"\n");
    let publish = |name: &[u8]| {
        let mut payload = BytesMut::new();
        let values = ["publish".into(), 3.0.into(), Value::Null];
        millstream_amf0::encode_all(&values, &mut payload).unwrap();
        payload.extend_from_slice(name);
        message(MessageType::COMMAND_AMF0, 3, 0, 1, &payload)
    };
    // Bytes that are no UTF-8 are read as replacement characters, which no name may have.
    let mut peer = Peer::connected(&scene.server);
    peer.send(&publish(&[2, 0, 3, 0xff, 0xfe, 0xc0]));
    peer.status("NetStream.Publish.Denied");
    let mut peer = Peer::open(&scene.server);
    let head = [&[2, 0, 7][..], b"connect", &[0, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0]].concat();
    let object = [&[3, 0, 3][..], b"app", &[2, 0, 2, 0xc3, 0x28, 0, 0, 9]].concat();
    peer.send(&raw_command(&[head, object].concat()));
    peer.answer(1.0);
    peer.send(&publish(&[2, 0, 3, b'c', b'a', b'm']));
    peer.status("NetStream.Publish.Denied");
    let long = "A".repeat(65_535);
    scene.ends("command-too-long", Peer::connected(&scene.server), |peer| {
        peer.send(&command(1, "publish", 3.0, &[Value::Null, long.as_str().into()]));
    });
    scene.ends("name-too-long", Peer::connected(&scene.server), |peer| {
        peer.send(&command(1, "play", 3.0, &[Value::Null, long[..60_000].into()]));
    });
    // The name of a command is a text of the peer's as well.
    let mut peer = Peer::connected(&scene.server);
    for name in [&long[..60_000], "\x1b[2Jhostile\r\n", "\0", ""] {
        peer.send(&command(0, name, 0.0, &[]));
        peer.assert_answers();
    }
    assert_no_stream(&scene);
    assert_clean_log(&scene);
    scene.end();
}

/// The name of an error stands in the log in both of its forms.
#[test]
fn a_json_log_names_errors_as_well() {
    let scene = Scene::with("log_format = \"json\"\n");
    let mut peer = Peer::dial(&scene.server);
    peer.try_send(&[9]);
    let line = scene.server.wait_line(&["protocol error", &peer.port.to_string()]);
    assert!(line.contains("\"error\":\"handshake-encrypted\""), "{line}");
    assert_eq!(line.matches("\"error\":").count(), 1, "{line}");
    scene.end();
}

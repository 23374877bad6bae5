//! An RTSP camera, fetched while somebody watches.

use crate::support::*;
use millstream_testkit::process::{Invocation, Process};
use millstream_testkit::scratch::Scratch;

/// The camera, and its URL.
fn camera(scratch: &Scratch) -> (Process, String) {
    // Debian's own, which finds Debian's modules.
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/helpers/rtsp_server.py");
    let invocation = Invocation::path("/usr/bin/python3").args([script]);
    let mut camera = Process::start(scratch, "camera", &invocation, seconds(120)).unwrap();
    camera.wait_until("its port", |camera| camera.output().contains("port")).unwrap();
    let output = camera.output();
    let port = output.split("port ").nth(1).and_then(|rest| rest.split('.').next()).unwrap();
    let url = format!("rtsp://127.0.0.1:{port}/test");
    (camera, url)
}

#[test]
fn a_hundred_players_watch_a_camera_that_one_helper_fetches() {
    let scratch = Scratch::new("helpers").unwrap();
    let (mut camera, url) = camera(&scratch);
    let mark = Mark::new();
    let run = [
        "ffmpeg",
        "-v",
        "error",
        "-nostdin",
        "-analyzeduration",
        "300k",
        "-rtsp_transport",
        "tcp",
        "-i",
        &url,
    ];
    let run = [&run[..], &["-c", "copy", "-f", "flv", "{output}"]].concat();
    // A key for another stream: this one has no publisher but the helper.
    let config = mark.helper("door", "door", "viewer", &run, "linger = \"1s\"\n");
    let mut server = Server::start(&["--key", "other=correct-horse-battery"], &config);
    assert_eq!(state(&server, "door")["state"], "waiting");
    assert!(mark.processes().is_empty());

    std::thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| play(&server, "door", 20));
        }
    });
    let watched = state(&server, "door");
    assert_eq!(watched["starts"], 1, "{watched:#}");

    until_state(&server, "door", "waiting");
    mark.until_gone();
    until("the stream's end", || server.stream("live/door").is_none());
    // It comes back for the next viewer, and nobody noticed a secret anywhere.
    play(&server, "door", 5);
    let seen = format!("{}{}", server.get("/api/v1/helpers"), server.log());
    assert!(!seen.contains("?key=") || seen.contains("?key=***"), "{seen}");
    assert_eq!(state(&server, "door")["starts"], 2);
    camera.check_unharmed().unwrap();
    server.assert_healthy();
}

#[test]
fn a_camera_that_is_not_there_is_said_so_and_tried_again() {
    let mark = Mark::new();
    let url =
        format!("rtsp://me:hunter2@127.0.0.1:{}/", millstream_testkit::ports::free_port().unwrap());
    let run = ["ffmpeg", "-nostdin", "-i", &url, "-c", "copy", "-f", "flv", "{output}"];
    let config = mark.helper("door", "door", "always", &run, "backoff = \"200ms\"\n");
    let server = Server::start(&[], &config);
    until("another try", || state(&server, "door")["starts"].as_u64() >= Some(3));
    let state = until_state(&server, "door", "backing-off");
    assert_eq!(state["last_end"], "exit status 1");
    assert!(log(&state).contains("Connection refused"), "{state:#}");
    let seen = format!("{state}{}", server.log());
    assert!(seen.contains("rtsp://***@127.0.0.1") && !seen.contains("hunter2"), "{seen}");
}

//! Programs that make other streams of a stream.

use crate::support::*;
use millstream_testkit::process::{Invocation, Process};
use millstream_testkit::scratch::Scratch;

/// Arguments of ffmpeg that make a smaller picture.
const SMALLER: [&str; 20] = [
    "ffmpeg",
    "-v",
    "error",
    "-nostdin",
    "-analyzeduration",
    "300k",
    "-i",
    "{input}",
    "-vf",
    "scale=80:60",
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-g",
    "5",
    "-an",
    "-f",
    "flv",
    "{output}",
];

/// A publisher that is no helper.
fn publisher(scratch: &Scratch, server: &Server, stream: &str) -> Process {
    let url = format!("rtmp://{}/live/{stream}", server.rtmp);
    let arguments = pictures_to(&url);
    let invocation = Invocation::tool("ffmpeg").unwrap().args(arguments[1..].to_vec());
    Process::start(scratch, "publisher", &invocation, seconds(120)).unwrap()
}

#[test]
fn a_rendition_is_made_while_its_stream_is_live() {
    let scratch = Scratch::new("helpers").unwrap();
    let mark = Mark::new();
    let more = "output = \"{name}_720p\"\n";
    let config = mark.helper("small", "live/*", "live", &SMALLER, more);
    let options = ["--key", "cam=correct-horse-battery"];
    let mut server = Server::start(&options, &config);
    assert!(instances(&server, "small").is_empty());
    let mut publisher = publisher(&scratch, &server, "cam?key=correct-horse-battery");
    play(&server, "cam_720p", 10);
    let video = server.stream("live/cam_720p").unwrap()["video"].clone();
    assert_eq!((&video["width"], &video["height"]), (&80.into(), &60.into()));
    // What the filter makes is not filtered again.
    let all = instances(&server, "small");
    assert_eq!(all.len(), 1, "{all:#?}");
    assert_eq!((&all[0]["stream"], &all[0]["starts"]), (&"live/cam".into(), &1.into()));
    publisher.interrupt().unwrap();
    publisher.wait().unwrap();
    mark.until_gone();
    until("the instance to be forgotten", || instances(&server, "small").is_empty());
    until("the rendition's end", || server.stream("live/cam_720p").is_none());
    server.assert_healthy();
}

#[test]
fn a_rendition_is_made_for_those_who_watch_it() {
    let mark = Mark::new();
    let config = [
        // Only the chain as a whole makes anything: a source, and a filter of what it makes.
        mark.helper("source", "cam", "viewer", &pictures_to("{output}"), "linger = \"200ms\"\n"),
        mark.helper(
            "small",
            "live/*_720p",
            "viewer",
            &SMALLER,
            "input = \"{star}\"\nlinger = \"200ms\"\n",
        ),
    ];
    let mut server = Server::start(&[], &config.concat());
    play(&server, "cam_720p", 5);
    until_state(&server, "source", "waiting");
    until("the filter to be forgotten", || instances(&server, "small").is_empty());
    mark.until_gone();
    server.assert_healthy();
}

#[test]
fn a_source_leaves_its_stream_to_whoever_publishes_it() {
    let scratch = Scratch::new("helpers").unwrap();
    let mark = Mark::new();
    let config = mark.helper("source", "cam", "viewer", &pictures_to("{output}"), "");
    let mut server = Server::start(&[], &config);
    let mut publisher = publisher(&scratch, &server, "cam");
    until("the publisher", || server.stream("live/cam").is_some_and(|cam| cam["state"] == "live"));
    play(&server, "cam", 5);
    let state = state(&server, "source");
    assert_eq!((&state["state"], &state["starts"]), (&"waiting".into(), &0.into()));
    publisher.interrupt().unwrap();
    publisher.wait().unwrap();
    play(&server, "cam", 5);
    assert_eq!(self::state(&server, "source")["starts"], 1);
    server.assert_healthy();
}

#[test]
fn families_are_bounded() {
    let mark = Mark::new();
    let config = mark.helper(
        "many",
        "cam_*",
        "viewer",
        &["sleep", "600"],
        "instances = 2\nlinger = \"100ms\"\n",
    );
    let server = Server::start(&[], &config);
    let player = |name: &str| {
        let url = format!("rtmp://{}/live/{name}", server.rtmp);
        let scratch = Scratch::new("helpers").unwrap();
        let arguments = ["-v", "error", "-i", &url, "-f", "null", "-"];
        let invocation = Invocation::tool("ffmpeg").unwrap().args(arguments);
        (Process::start(&scratch, "player", &invocation, seconds(120)).unwrap(), scratch)
    };
    let mut players = ["cam_1", "cam_2", "cam_3", "other"].map(player);
    until("two of them", || mark.processes().len() == 2);
    until("the third's wish", || server.log().contains("as many streams as it may"));
    std::thread::sleep(millis(300));
    assert_eq!((mark.processes().len(), instances(&server, "many").len()), (2, 2));
    // Whoever waits gets the place of who leaves.
    let served = |name: &str| {
        let instances = instances(&server, "many");
        instances
            .iter()
            .any(|one| one["stream"] == format!("live/{name}") && one["pid"].is_number())
    };
    let names = ["cam_1", "cam_2", "cam_3"];
    let left_out = names.iter().position(|name| !served(name)).unwrap();
    players[(left_out + 1) % 3].0.terminate().unwrap();
    until("the third's turn", || served(names[left_out]));
    assert_eq!(instances(&server, "many").len(), 2);
}

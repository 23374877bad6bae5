//! What a program is given: whole arguments, whatever is in them, and never a shell.

use crate::support::*;
use millstream_client::{PlayOptions, RtmpUrl, blocking};
use millstream_testkit::scratch::Scratch;
use std::fs;

#[test]
fn no_argument_is_ever_seen_by_a_shell() {
    let mark = Mark::new();
    // Each argument in brackets.
    let odd = ["; echo pwned", "$(echo pwned)", "`id`", "a  b", "*", "-n", "{{x}}", "é'\"", ""];
    let run = [&["sh", "-c", "printf '[%s]\\n' \"$@\"; sleep 600", "sh"], &odd[..]].concat();
    let server = Server::start(&[], &mark.helper("odd", "a", "always", &run, ""));
    until("its words", || log(&state(&server, "odd")).lines().count() >= odd.len());
    let shown: String = odd.iter().map(|text| format!("[{text}]\n")).collect();
    assert_eq!(log(&state(&server, "odd")), shown.replace("{{x}}", "{x}"));
}

#[test]
fn a_name_that_could_mean_more_starts_nothing() {
    let mark = Mark::new();
    let run = ["sh", "-c", "printf '[%s]\\n' \"$@\"; sleep 600", "sh", "{name}", "rtsp://h/{star}"];
    let server = Server::start(&[], &mark.helper("any", "live/*", "viewer", &run, ""));
    let url = RtmpUrl::parse(&format!("rtmp://{}/live/x", server.rtmp)).unwrap();
    for name in ["a;reboot", "$(id)", "a b", "-i", "--help", "../x", "a%3breboot", "`id`", "a\nb"] {
        let mut connection = blocking::connect(&url, blocking::Settings::new(&url)).unwrap();
        // Refused, or hung up at once.
        let _ = connection.play(name, PlayOptions::default());
        let _ = connection.next(millis(200));
    }
    assert!(instances(&server, "any").is_empty() && mark.processes().is_empty());
    // An allowed one does, and is whole.
    let mut connection = blocking::connect(&url, blocking::Settings::new(&url)).unwrap();
    connection.play("a=b@c~d+e", PlayOptions::default()).unwrap();
    until("its words", || {
        let _ = connection.next(millis(50));
        !instances(&server, "any").is_empty() && log(&state(&server, "any")).lines().count() == 2
    });
    assert_eq!(log(&state(&server, "any")), "[a=b@c~d+e]\n[rtsp://h/a=b@c~d+e]\n");
}

#[test]
fn a_pass_is_good_for_its_stream_and_its_run_alone() {
    let mark = Mark::new();
    let run = ["sh", "-c", "sleep 600", "sh", "{output}"];
    let config = mark.helper("idle", "cam", "always", &run, "");
    let scratch = Scratch::new("helpers").unwrap();
    let captures = scratch.file("wire");
    let options = ["--key", "other=correct-horse-battery", "--capture", captures.to_str().unwrap()];
    let mut server = Server::start(&options, &config);
    let pid = until_state(&server, "idle", "running")["pid"].clone();
    let arguments = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
    let output = arguments.split('\0').find(|argument| argument.starts_with("rtmp://")).unwrap();
    let (_, key) = output.split_once("?key=").unwrap();
    let publish = |name: &str| {
        let url = RtmpUrl::parse(&format!("rtmp://{}/live/{name}?key={key}", server.rtmp)).unwrap();
        let mut connection = blocking::connect(&url, blocking::Settings::new(&url)).unwrap();
        connection.publish(&url.name(), millstream_client::PublishMode::Live).is_ok()
    };
    assert!(publish("cam"));
    assert!(!publish("other") && !publish("cam2"));
    // Guardians are not told it where others can read it.
    for guardian in children(server.pid()) {
        let arguments = fs::read_to_string(format!("/proc/{guardian}/cmdline")).unwrap();
        assert!(!arguments.contains(key), "{arguments}");
    }
    let seen = format!("{}{}", server.get("/api/v1/helpers"), server.log());
    assert!(!seen.contains(key), "{seen}");
    kill(i32::try_from(pid.as_i64().unwrap()).unwrap());
    until("its end", || state(&server, "idle")["last_end"] == "SIGKILL");
    assert!(!publish("cam"));
    // Nor does a capture of all these connections have it.
    server.terminate();
    until("the server's end", || server.ended().is_some());
    let files: Vec<_> = fs::read_dir(&captures).unwrap().collect();
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(key.len()).any(|run| run == key.as_bytes()));
    }
}

#[test]
fn a_mistake_is_named_at_the_start() {
    let mark = Mark::new();
    for (config, part) in [
        (mark.helper("a", "cam", "viewer", &["x", "{outptu}"], ""), "{outptu} is not known"),
        (mark.helper("a", "cam;x", "viewer", &["x"], ""), "0x3b"),
        (mark.helper("a b", "cam", "viewer", &["x"], ""), "letters, digits"),
        (mark.helper("a", "cam", "viewer", &["x"], "lingers = \"1s\""), "lingers"),
    ] {
        let (status, text) = run(&arguments(&[], &config));
        assert!(!status.success() && text.contains(part), "{text}");
    }
}

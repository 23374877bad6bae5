//! What the server keeps of connections, and what `inspect` makes of it.

use crate::support::*;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

const SECRET: &str = "correct-horse-battery";
const OTHER: &str = "a-wrong-secret";

fn captures(directory: &Directory) -> Vec<PathBuf> {
    let mut found: Vec<_> = std::fs::read_dir(directory.path("wire"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    found.sort();
    found
}

fn assert_absent(secret: &str, place: &str, bytes: &[u8]) {
    let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
    assert!(!found, "{secret} stands in {place}");
}

#[test]
fn a_capture_tells_the_conversation_and_no_secret() {
    let directory = Directory::new();
    let wire = directory.path("wire");
    let key = format!("film={SECRET}");
    let options = ["--key", &key, "--capture", wire.to_str().unwrap()];
    let server = Server::start(&directory, &options);
    let file = directory.path("source.flv");
    write_flv(&file, &film(12));
    let url = server.url("film");
    let file = file.to_str().unwrap();

    let mut said = Vec::new();
    for (url, code) in [
        (format!("{url}?key={SECRET}"), 0),
        // The opaque form.
        (server.url(SECRET), 0),
        (format!("{url}?key={OTHER}"), 4),
    ] {
        let player = Running::start(["play", &server.url("film"), "--duration", "5s"]);
        std::thread::sleep(Duration::from_millis(200));
        let published = run(["publish", file, &url]);
        assert_eq!(published.code, Some(code), "{}", published.said);
        said.push(published);
        if code == 0 {
            said.push(player.output());
        }
    }
    assert!(said[4].said.contains("the key is wrong"), "{}", said[4].said);
    server.stop();

    let captures = captures(&directory);
    assert_eq!(captures.len(), 6);
    for path in &captures {
        for options in ["--json", "--step"] {
            said.push(run(["inspect", path.to_str().unwrap(), options]));
        }
    }
    for secret in [SECRET, OTHER] {
        for (path, bytes) in directory.contents() {
            assert_absent(secret, &path.display().to_string(), &bytes);
        }
        for ended in &said {
            assert_absent(secret, "standard error", ended.said.as_bytes());
            assert_absent(secret, "standard output", &ended.stdout);
        }
    }

    let listed = run(["inspect", captures[1].to_str().unwrap()]);
    assert_eq!(listed.code, Some(0), "{}", listed.said);
    let said = [
        " connect #1",
        " FCPublish #",
        " createStream #",
        " publish #",
        "NetStream.Publish.Start",
        "\"@setDataFrame\" \"onMetaData\"",
        "video H.264 sequence header",
        "audio AAC sequence header",
        "video H.264 key frame",
        " FCUnpublish #",
        " deleteStream #",
        "the connection ended",
    ];
    let text = listed.text();
    let mut rest = text;
    for word in said {
        let at = rest.find(word).unwrap_or_else(|| panic!("no {word} in its place: {text}"));
        rest = &rest[at + word.len()..];
    }
    assert!(text.contains(&format!("film?key={}", "*".repeat(SECRET.len()))), "{text}");

    let listed = run(["inspect", captures[0].to_str().unwrap(), "--json"]);
    assert_eq!(listed.code, Some(0), "{}", listed.said);
    let objects: Vec<serde_json::Value> =
        listed.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let play = objects.iter().find(|object| object["command"]["name"] == "play").unwrap();
    assert_eq!(play["direction"], "in");
    assert_eq!(play["command"]["arguments"][1], "film");
    let keys = objects.iter().filter(|object| object["video"]["key_frame"] == true);
    assert_eq!(keys.count(), 2);
    let mut last = [0, 0];
    for object in objects.iter().filter(|object| object["offset"].is_u64()) {
        let index = usize::from(object["direction"] == "out");
        let offset = object["offset"].as_u64().unwrap();
        assert!(offset > last[index], "{object}");
        last[index] = offset;
    }
}

#[test]
fn an_offence_is_told_with_its_offset() {
    let directory = Directory::new();
    let wire = directory.path("wire");
    let server = Server::start(&directory, &["--capture", wire.to_str().unwrap()]);
    let mut socket = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let mut hello = vec![3; 1537];
    hello[5..9].fill(0);
    socket.write_all(&hello).unwrap();
    let mut answer = vec![0; 3073];
    socket.read_exact(&mut answer).unwrap();
    socket.write_all(&answer[1..1537]).unwrap();
    // Window Acknowledgement Size, then a chunk that continues nothing.
    socket.write_all(&[2, 0, 0, 0, 0, 0, 4, 5, 0, 0, 0, 0, 0, 0, 1, 0]).unwrap();
    socket.write_all(&[0xc7, 1, 2, 3]).unwrap();
    // The server closes.
    let _ = socket.read_to_end(&mut answer);
    server.stop();

    let captures = captures(&directory);
    let path = captures[0].to_str().unwrap();
    let listed = run(["inspect", path]);
    assert_eq!(listed.code, Some(1));
    let line = "in, offence at byte 3089: chunk-without-header: ";
    assert!(listed.said.contains(line), "{}", listed.said);
    assert!(listed.text().contains(line), "{}", listed.text());
    assert!(listed.text().contains("the connection ended"), "{}", listed.text());
    let log = std::fs::read_to_string(directory.path("server.log")).unwrap();
    assert!(log.contains("chunk-without-header"), "{log}");

    // A capture that was cut, as when the server is killed.
    let bytes = std::fs::read(path).unwrap();
    let cut = directory.path("cut.millcap");
    std::fs::write(&cut, &bytes[..60]).unwrap();
    let listed = run(["inspect", cut.to_str().unwrap()]);
    assert_eq!(listed.code, Some(1));
    assert!(listed.said.contains("ends within a record"), "{}", listed.said);
}

#[test]
fn steps_wait_for_enter() {
    let directory = Directory::new();
    let dump = directory.path("dump.bin");
    let window = [2, 0, 0, 0, 0, 0, 4, 5, 0, 0, 0, 0, 0, 0, 1, 0];
    std::fs::write(&dump, window.repeat(5)).unwrap();
    let path = dump.to_str().unwrap();
    let lines = |input: &[u8]| {
        let listed = run_with_input(["inspect", path, "--step"], input);
        assert_eq!(listed.code, Some(0), "{}", listed.said);
        listed.text().matches("WindowAckSize(256)").count()
    };
    assert_eq!(lines(b"\n\nq\n"), 3);
    assert_eq!(lines(b"\n\n\n\n\n"), 5);
    assert_eq!(lines(b""), 1);
}

#[test]
fn what_ffmpeg_sends_is_listed_without_offence() {
    let directory = Directory::new();
    let wire = directory.path("wire");
    let server = Server::start(&directory, &["--capture", wire.to_str().unwrap()]);
    let status = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc=size=64x64:rate=25"])
        .args(["-f", "lavfi", "-i", "sine", "-t", "1", "-c:v", "libx264", "-c:a", "aac"])
        .args(["-f", "flv", &format!("{}?key={SECRET}", server.url("film"))])
        .status()
        .expect("tests/install.sh installs ffmpeg");
    assert!(status.success());
    server.stop();
    let captures = captures(&directory);
    let listed = run(["inspect", captures[0].to_str().unwrap()]);
    assert_eq!(listed.code, Some(0), "{}", listed.said);
    let text = listed.text();
    assert!(text.contains("Lavf"), "{text}");
    assert!(text.contains("video H.264 key frame"), "{text}");
    assert_eq!(text.matches("  video H.264 ").count(), 27, "{text}");
    assert_absent(SECRET, "the list", text.as_bytes());
    assert_absent(SECRET, "the capture", &std::fs::read(&captures[0]).unwrap());

    // The same bytes as a bare dump, with a byte of a chunk header spoilt.
    let mut dump = sent(&captures[0]);
    let bare = directory.path("bare.bin");
    std::fs::write(&bare, &dump).unwrap();
    let listed = run(["inspect", bare.to_str().unwrap(), "--json"]);
    // ffmpeg is known to close in the middle of its last command.
    assert!(listed.code == Some(0) || listed.said.contains("truncated"), "{}", listed.said);
    let second = listed.text().lines().nth(1).unwrap();
    let second: serde_json::Value = serde_json::from_str(second).unwrap();
    let offset = second["offset"].as_u64().unwrap();
    dump[offset as usize] = 0xfa;
    std::fs::write(&bare, &dump).unwrap();
    let listed = run(["inspect", bare.to_str().unwrap()]);
    assert_eq!(listed.code, Some(1));
    assert!(listed.said.contains(&format!("offence at byte {offset}: chunk-")), "{}", listed.said);
}

/// What the client sent, by a capture.
fn sent(path: &PathBuf) -> Vec<u8> {
    use millstream::capture::format::{CaptureReader, Direction, Entry};
    let file = std::fs::read(path).unwrap();
    let mut reader = CaptureReader::after_magic(&file[8..]).unwrap();
    let mut sent = Vec::new();
    while let Some(entry) = reader.read().unwrap() {
        if let Entry::Bytes { direction: Direction::In, bytes, .. } = entry {
            sent.extend_from_slice(&bytes);
        }
    }
    sent
}

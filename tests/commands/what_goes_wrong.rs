//! Failures: the exit code, and words that say what to do.

use crate::support::*;
use std::net::TcpListener;

fn assert_fails<const N: usize>(args: [&str; N], code: i32, words: &str) {
    let ended = run(args);
    assert_eq!(ended.code, Some(code), "{args:?}: {}", ended.said);
    assert!(ended.said.contains(words), "{args:?}: {}", ended.said);
    assert!(ended.stdout.is_empty());
}

#[test]
fn a_command_line_that_means_nothing_is_code_2() {
    let directory = Directory::new();
    let file = directory.path("film.flv");
    write_flv(&file, &film(1));
    let file = file.to_str().unwrap();
    assert_fails(
        ["publish", file, "http://host/live/a"],
        2,
        "has to begin with rtmp:// or rtmps://",
    );
    assert_fails(["publish", file, "rtmp://host/live"], 2, "an application and a stream");
    assert_fails(["publish", "-", "rtmp://host/live/a", "--follow"], 2, "standard input");
    assert_fails(["publish", file, "rtmp://host/live/a", "--from-start"], 2, "--follow");
    assert_fails(["publish", file, "rtmp://host/live/a", "--type", "x"], 2, "append");
    assert_fails(["play", "rtmp://host/live/a", "-o", "-", "--json"], 2, "standard output");
    assert_fails(["play", "rtmp://host/live/a", "--stats", "--json"], 2, "cannot be used with");
    assert_fails(["play"], 2, "Usage");
    assert_fails(["inspect", "a", "--json", "--step"], 2, "cannot be used with");
}

#[test]
fn files_that_are_none_are_named() {
    let directory = Directory::new();
    let url = "rtmp://127.0.0.1:1/live/a";
    let (text, silent) = (directory.path("text.flv"), directory.path("silent.flv"));
    std::fs::write(&text, "no film").unwrap();
    write_flv(&silent, &film(1)[..1]);
    assert_fails(["publish", "/no/such.flv", url], 1, "/no/such.flv");
    assert_fails(["publish", text.to_str().unwrap(), url], 1, "is not an FLV file");
    assert_fails(["publish", silent.to_str().unwrap(), url], 1, "no sound and no pictures");
    assert_fails(["inspect", "/no/such.millcap"], 1, "/no/such.millcap");
}

#[test]
fn the_codes_are_in_the_help() {
    for command in ["publish", "play"] {
        let help = run([command, "--help"]);
        assert_eq!(help.code, Some(0));
        for line in ["Exit codes:", "4  the server refused", "Examples:"] {
            assert!(help.text().contains(line), "{}", help.text());
        }
    }
}

#[test]
fn a_port_without_a_server_is_named() {
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let url = format!("rtmp://127.0.0.1:{port}/live/a");
    assert_fails(["play", &url], 3, &format!("nobody listens at 127.0.0.1:{port}"));
}

#[test]
fn a_server_that_is_none_is_told() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let web = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut socket, _) = listener.accept().unwrap();
        let mut hello = [0; 1537];
        socket.read_exact(&mut hello).unwrap();
        socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    let url = format!("rtmp://127.0.0.1:{port}/live/a");
    assert_fails(["play", &url], 5, "does not speak RTMP");
    web.join().unwrap();
}

#[test]
fn a_refusal_gives_the_server_s_reason() {
    let directory = Directory::new();
    let server = Server::start(&directory, &["--key", "film=correct-horse-battery"]);
    let file = directory.path("film.flv");
    write_flv(&file, &film(5));
    let file = file.to_str().unwrap();
    assert_fails(
        ["publish", file, &server.url("film")],
        4,
        "refused to publish: this stream needs",
    );
    assert_fails(["publish", file, &server.url("other")], 4, "no key is configured");
}

#[test]
fn a_directory_that_cannot_be_had_keeps_the_server_from_starting() {
    let directory = Directory::new();
    let file = directory.path("file");
    std::fs::write(&file, "").unwrap();
    let wire = file.join("wire");
    let args = ["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--capture"];
    let [serve, a, b, c, d, e] = args;
    let words = "captures cannot be written to";
    assert_fails([serve, a, b, c, d, e, wire.to_str().unwrap()], 1, words);
}

//! Orders by the API, and what the page and the metrics show.

use crate::support::*;
use std::io::{Read, Write};
use std::net::TcpStream;

/// The status of an order.
fn post(server: &Server, path: &str, token: &str) -> u16 {
    let mut socket = TcpStream::connect(server.http).unwrap();
    write!(
        socket,
        "POST /api/v1/helpers/{path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n\
         connection: close\r\n\r\n",
        server.http
    )
    .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn orders_want_the_token_and_are_carried_out() {
    const TOKEN: &str = "0123456789abcdef0123456789abcdef";
    let mark = Mark::new();
    let helper = mark.helper("sleeper", "cam", "always", &["sleep", "600"], "");
    let config = format!("http_token = \"{TOKEN}\"\n{helper}");
    let mut server = Server::start(&[], &config);
    // Looking wants the token too, once there is one.
    let shown = |server: &Server| -> serde_json::Value {
        let body = get(server, "/api/v1/helpers", TOKEN);
        serde_json::from_str::<serde_json::Value>(&body).unwrap()["helpers"][0]["instances"][0]
            .clone()
    };
    until("its start", || shown(&server)["state"] == "running");
    let first = shown(&server)["pid"].clone();
    for (path, token, status) in [
        ("sleeper/stop", "wrong", 401),
        ("nobody/stop", TOKEN, 404),
        ("sleeper/live/other/stop", TOKEN, 404),
        ("sleeper/dance", TOKEN, 404),
        ("sleeper/live/cam/stop", TOKEN, 204),
    ] {
        assert_eq!(post(&server, path, token), status, "{path}");
    }
    until("its rest", || shown(&server)["state"] == "stopped");
    assert!(mark.processes().is_empty());
    let metrics = get(&server, "/metrics", TOKEN);
    let line = "millstream_helper_running{helper=\"sleeper\",stream=\"live/cam\"} 0\n";
    assert!(metrics.contains(line), "{metrics}");
    assert_eq!(post(&server, "sleeper/restart", TOKEN), 204);
    until("its return", || shown(&server)["state"] == "running");
    let second = shown(&server)["pid"].clone();
    assert_ne!(first, second);
    assert_eq!(post(&server, "sleeper/restart", TOKEN), 204);
    until("another process", || {
        shown(&server)["pid"].is_number() && shown(&server)["pid"] != second
    });
    until("one process", || mark.processes().len() == 1);
    let page = get(&server, "/", TOKEN);
    assert!(page.contains("<h2>Helpers</h2>") && page.contains("sleeper"), "{page}");
    assert!(server.ended().is_none());
}

/// The body at a path, for who has the token.
fn get(server: &Server, path: &str, token: &str) -> String {
    let mut socket = TcpStream::connect(server.http).unwrap();
    write!(
        socket,
        "GET {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n",
        server.http
    )
    .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    body.to_owned()
}

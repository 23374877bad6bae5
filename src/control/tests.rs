//! The HTTP side over real sockets, with made-up counters.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::*;
use crate::config::Secret;
use crate::limits::{HTTP_CONNECTIONS_MAX, METRICS_STREAMS_MAX};
use crate::name::StreamName;
use crate::stats::{Refusal, State as StreamState, VideoInfo};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A server with one live stream and two shards.
struct Server {
    control: Option<Control>,
    state: Arc<ControlState>,
}

impl Server {
    fn start(access: Access) -> Self {
        let directory = Arc::new(Directory::new(&[0, 3]));
        directory.shards()[1].players.add(12);
        directory.shards()[1].bytes_out.add(4096);
        directory.shards()[1].pacing_window_ms.set(40);
        directory.shards()[0].refuse(Refusal::Key);
        let stream = directory.register(&StreamName::parse("live/cam1").unwrap());
        stream.viewers.count.increment();
        stream.publisher.frames_in.add(250);
        stream.update(|info| {
            info.state = StreamState::Live;
            info.encoder = Some("<b>evil</b>".into());
            let codec = "avc1<script>".into();
            info.video = Some(VideoInfo { codec, width: 1920, height: 1080 });
        });
        let about = About {
            driver: "io_uring".into(),
            latency_budget: "auto".into(),
            rtmp: vec!["127.0.0.1:1935".parse().unwrap()],
            keyed: true,
            hosts: vec!["known.example".into()],
        };
        let targets = Arc::new(Targets::for_tests(Arc::clone(&directory)));
        let writes = Some(Secret::new(TOKEN));
        let started = Instant::now();
        let helpers = None;
        let state =
            Arc::new(ControlState { directory, targets, about, access, helpers, writes, started });
        let control = start("127.0.0.1:0".parse().unwrap(), Arc::clone(&state)).unwrap();
        Server { control: Some(control), state }
    }

    fn addr(&self) -> SocketAddr {
        self.control.as_ref().unwrap().addr()
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.addr()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Sends a request head as given, `Connection: close` added, and reads all of the answer.
    fn raw(&self, head: &str) -> Answer {
        let mut stream = self.connect();
        stream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        Answer(text)
    }

    fn get_with(&self, path: &str, headers: &str) -> Answer {
        self.raw(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{headers}", self.addr()))
    }

    fn get(&self, path: &str) -> Answer {
        self.get_with(path, "")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(control) = self.control.take() {
            control.shutdown();
        }
    }
}

struct Answer(String);

impl Answer {
    fn status(&self) -> u16 {
        self.0.split(' ').nth(1).and_then(|status| status.parse().ok()).expect(&self.0)
    }

    fn header(&self, name: &str) -> Option<&str> {
        let head = self.0.split("\r\n\r\n").next()?;
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").expect(&self.0).1
    }

    fn json(&self) -> serde_json::Value {
        assert_eq!(self.header("content-type"), Some("application/json"));
        serde_json::from_str(self.body()).unwrap()
    }
}

#[test]
fn the_page_shows_streams_and_shards_and_escapes_what_came_from_outside() {
    let server = Server::start(Access::Open);
    let answer = server.get("/");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    for part in ["live/cam1", "rtmp://127.0.0.1/live/cam1", "1920\u{d7}1080", "40 ms", "io_uring"] {
        assert!(answer.body().contains(part), "{part} is missing");
    }
    assert!(answer.body().contains("avc1&lt;script&gt;"));
    assert!(answer.body().contains("title=\"&lt;b&gt;evil&lt;/b&gt;\""));
    assert!(!answer.body().contains("avc1<script>") && !answer.body().contains("<b>evil"));
}

#[test]
fn without_streams_the_page_says_how_to_publish() {
    let server = Server::start(Access::Open);
    let stream = &server.state.directory.streams()[0];
    server.state.directory.remove(stream);
    let answer = server.get("/");
    assert!(answer.body().contains("<code>rtmp://127.0.0.1/live/NAME?key=SECRET</code>"));
}

#[test]
fn styles_and_scripts_are_allowed_by_a_nonce_that_is_never_used_twice() {
    let server = Server::start(Access::Open);
    let nonce = || {
        let answer = server.get("/");
        let policy = answer.header("content-security-policy").unwrap().to_owned();
        let nonce = policy.split("script-src 'nonce-").nth(1).unwrap().split('\'').next().unwrap();
        assert!(answer.body().contains(&format!("<script nonce=\"{nonce}\">")));
        assert_eq!(answer.body().matches("<script").count(), 1);
        nonce.to_owned()
    };
    assert_ne!(nonce(), nonce());
}

#[test]
fn the_api_gives_json() {
    let server = Server::start(Access::Open);
    let streams = server.get("/api/v1/streams").json();
    assert_eq!(streams["streams"][0]["name"], "live/cam1");
    assert_eq!(streams["streams"][0]["viewers"], 1);
    assert_eq!(streams["streams"][0]["video"]["width"], 1920);
    let shards = server.get("/api/v1/shards").json();
    assert_eq!(shards["driver"], "io_uring");
    assert_eq!(shards["shards"][1]["core"], 3);
    assert_eq!(shards["shards"][1]["pacing_window_ms"], 40);
    assert_eq!(shards["shards"][0]["refused"]["key"], 1);
}

#[test]
fn the_metrics_are_open_metrics_text() {
    let server = Server::start(Access::Open);
    let answer = server.get("/metrics");
    assert!(answer.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    let text = answer.body();
    for line in [
        "# TYPE millstream_sent_bytes counter",
        "millstream_sent_bytes_total{shard=\"1\"} 4096",
        "millstream_players{shard=\"1\"} 12",
        "millstream_pacing_window_milliseconds{shard=\"1\"} 40",
        "millstream_refused_total{shard=\"0\",reason=\"key\"} 1",
        "millstream_stream_viewers{stream=\"live/cam1\"} 1",
        "millstream_stream_received_frames_total{stream=\"live/cam1\"} 250",
        "millstream_streams 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn metrics_list_the_most_watched_streams_up_to_the_cap() {
    let server = Server::start(Access::Open);
    for index in 0..METRICS_STREAMS_MAX {
        let name = StreamName::parse(format!("bulk/{index}")).unwrap();
        server.state.directory.register(&name);
    }
    let answer = server.get("/metrics");
    let series = answer.body().matches("millstream_stream_viewers{").count();
    assert_eq!(series, METRICS_STREAMS_MAX);
    assert!(answer.body().contains("millstream_stream_viewers{stream=\"live/cam1\"} 1"));
    assert!(answer.body().contains("millstream_unlisted_streams 1\n"));
}

#[test]
fn targets_come_and_go_by_the_token_and_their_keys_are_never_shown() {
    let server = Server::start(Access::Open);
    let bearer = format!("Authorization: Bearer {TOKEN}\r\n");
    let body = r#"{"stream":"live/cam1","url":"rtmp://h/app","key":"hunter2?x=3","name":"<b>"}"#;
    let send = |method: &str, path: &str, headers: &str, body: &str| {
        let (addr, length) = (server.addr(), body.len());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {addr}\r\n{headers}Content-Length: {length}\r\n\
             Connection: close\r\n\r\n{body}"
        );
        let mut stream = server.connect();
        stream.write_all(head.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        Answer(text)
    };
    assert_eq!(send("POST", "/api/v1/targets", "", body).status(), 401);
    let wrong = send("POST", "/api/v1/targets", "Authorization: Bearer nonsense\r\n", body);
    assert_eq!(wrong.status(), 401);
    assert_eq!(send("DELETE", "/api/v1/targets/1", "", "").status(), 401);
    let foreign = format!("{bearer}Origin: http://evil.example\r\n");
    assert_eq!(send("POST", "/api/v1/targets", &foreign, body).status(), 403);
    let added = send("POST", "/api/v1/targets", &bearer, body);
    assert_eq!((added.status(), &added.json()["id"]), (201, &1.into()));

    let list = server.get("/api/v1/targets");
    let target = &list.json()["targets"][0];
    assert_eq!((&target["url"], &target["source"]), (&"rtmp://h/app/***".into(), &"api".into()));
    assert_eq!(target["pushes"][0]["state"], "waiting");
    let (page, metrics) = (server.get("/"), server.get("/metrics"));
    assert!(page.body().contains("&lt;b&gt;") && page.body().contains("rtmp://h/app/***"));
    let line = "millstream_target_publishing{target=\"1\",stream=\"live/cam1\"} 0";
    assert!(metrics.body().lines().any(|found| found == line), "{}", metrics.body());
    for answer in [&list, &page, &metrics, &added] {
        assert!(!answer.0.contains("hunter2"));
    }

    for (body, code) in [
        ("", "bad_target"),
        (r#"{"stream":"live/cam1"}"#, "bad_target"),
        (r#"{"stream":"live/*","url":"rtmp://h/app","key":"hunter2"}"#, "bad_target"),
        (r#"{"stream":"live/cam1","url":"rtmps://h/app/x","ca":"/no/such"}"#, "bad_ca"),
    ] {
        let refused = send("POST", "/api/v1/targets", &bearer, body);
        assert_eq!((refused.status(), &refused.json()["error"]["code"]), (400, &code.into()));
        assert!(!refused.0.contains("hunter2"), "{}", refused.0);
    }
    let long = format!("{{\"stream\":\"{}\"}}", "x".repeat(20_000));
    assert_eq!(send("POST", "/api/v1/targets", &bearer, &long).status(), 413);
    assert_eq!(send("PUT", "/api/v1/targets", &bearer, "").status(), 405);
    assert_eq!(send("DELETE", "/api/v1/targets/1", &bearer, "").status(), 204);
    for gone in ["1", "x", "-1"] {
        let answer = send("DELETE", &format!("/api/v1/targets/{gone}"), &bearer, "");
        assert_eq!(answer.status(), 404);
    }
    assert_eq!(server.get("/api/v1/targets").json()["targets"], serde_json::json!([]));
}

#[test]
fn a_token_guards_all_but_the_health_check() {
    let server = Server::start(Access::Token(Secret::new(TOKEN)));
    for path in ["/", "/metrics", "/api/v1/streams", "/api/v1/shards", "/nowhere"] {
        let answer = server.get(path);
        assert_eq!(answer.status(), 401, "{path}");
        assert!(answer.header("www-authenticate").unwrap().starts_with("Basic realm="));
        assert!(!answer.0.contains("cam1"));
        let wrong = server.get_with(path, "Authorization: Bearer nonsense\r\n");
        assert_eq!(wrong.status(), 401, "{path}");
    }
    let bearer = format!("Authorization: Bearer {TOKEN}\r\n");
    assert_eq!(server.get_with("/api/v1/streams", &bearer).status(), 200);
    let basic = "Authorization: Basic eDowMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg==\r\n";
    assert_eq!(server.get_with("/", basic).status(), 200);
    assert_eq!(server.get_with("/nowhere", &bearer).status(), 404);
    assert_eq!(server.get("/healthz").body(), "ok\n");
    let query = server.get(&format!("/metrics?token={TOKEN}"));
    assert_eq!(query.status(), 401, "a token in a query would end in logs");
}

#[test]
fn errors_are_json_below_api_and_pages_elsewhere() {
    let server = Server::start(Access::Open);
    let missing = server.get("/api/v1/nothing");
    assert_eq!((missing.status(), &missing.json()["error"]["code"]), (404, &"not_found".into()));
    let missing = server.get("/nothing");
    assert_eq!(missing.status(), 404);
    assert!(missing.body().contains("<h1>404 Not Found</h1>"));
    for path in ["/api/v1/streams", "/", "/metrics", "/healthz"] {
        for method in ["POST", "DELETE", "PUT"] {
            let head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", server.addr());
            let answer = server.raw(&head);
            assert_eq!(answer.status(), 405, "{method} {path}");
            assert_eq!(answer.header("allow"), Some("GET, HEAD"));
        }
    }
    let head = server.raw(&format!("HEAD / HTTP/1.1\r\nHost: {}\r\n", server.addr()));
    assert_eq!((head.status(), head.body()), (200, ""));
}

#[test]
fn foreign_hosts_are_refused_where_no_token_protects() {
    let server = Server::start(Access::Open);
    let status = |host: &str| server.raw(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n")).status();
    for own in
        ["localhost", "LOCALHOST:8080", "127.0.0.1", "[::1]:9", "10.1.2.3", "known.example:1"]
    {
        assert_eq!(status(own), 200, "{own}");
    }
    for foreign in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8080"] {
        assert_eq!(status(foreign), 421, "{foreign}");
    }
    for broken in ["", "a b", "user@localhost", "localhost\r\nHost: localhost"] {
        assert_eq!(status(broken), 400, "{broken}");
    }
    assert_eq!(server.raw("GET / HTTP/1.1\r\n").status(), 400);
    let two_voices = "GET http://localhost/ HTTP/1.1\r\nHost: 127.0.0.1\r\n";
    assert_eq!(server.raw(two_voices).status(), 400);

    let guarded = Server::start(Access::Token(Secret::new(TOKEN)));
    let request =
        format!("GET / HTTP/1.1\r\nHost: any.example\r\nAuthorization: Bearer {TOKEN}\r\n");
    assert_eq!(guarded.raw(&request).status(), 200);
}

#[test]
fn pages_of_other_origins_are_refused() {
    let server = Server::start(Access::Open);
    let own = format!("Origin: http://{}\r\nSec-Fetch-Site: same-origin\r\n", server.addr());
    assert_eq!(server.get_with("/api/v1/streams", &own).status(), 200);
    for headers in [
        "Origin: http://evil.example\r\n",
        "Origin: null\r\n",
        "Origin: http://127.0.0.1\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\nSec-Fetch-Mode: no-cors\r\n",
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n",
    ] {
        let answer = server.get_with("/api/v1/streams", headers);
        assert_eq!(answer.status(), 403, "{headers}");
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    let link =
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
    assert_eq!(server.get_with("/", link).status(), 200);
    let frame =
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n";
    assert_eq!(server.get_with("/", frame).status(), 403);
}

#[test]
fn every_answer_carries_the_security_headers() {
    let server = Server::start(Access::Open);
    for path in ["/", "/metrics", "/api/v1/streams", "/healthz", "/nothing"] {
        let answer = server.get(path);
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cross-origin-resource-policy", "same-origin"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
        assert!(
            answer.header("content-security-policy").unwrap().starts_with("default-src 'none'")
        );
    }
}

#[test]
fn bodies_and_endless_heads_are_refused() {
    let server = Server::start(Access::Open);
    assert_eq!(server.get_with("/", "Content-Length: 4000000000\r\n").status(), 413);
    assert_eq!(server.get_with("/", "Transfer-Encoding: chunked\r\n").status(), 413);
    assert_eq!(server.get_with("/", "Content-Length: 0\r\n").status(), 200);
    let long = format!("X: {}\r\n", "x".repeat(20 * 1024));
    assert_eq!(server.get_with("/", &long).status(), 431);
    assert_eq!(server.get_with("/", &"X: y\r\n".repeat(70)).status(), 431);
    assert_eq!(server.get("/healthz").status(), 200);
}

#[test]
fn garbage_ends_one_connection_only() {
    let server = Server::start(Access::Open);
    let mut stream = server.connect();
    stream.write_all(b"\x03\0\0\0\0garbage\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(server.get("/healthz").status(), 200);
}

#[test]
fn connections_beyond_the_cap_wait_until_one_ends() {
    let server = Server::start(Access::Open);
    let idle: Vec<_> = (0..HTTP_CONNECTIONS_MAX).map(|_| server.connect()).collect();
    let mut waiting = server.connect();
    waiting.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    waiting.write_all(request.as_bytes()).unwrap();
    assert!(waiting.read(&mut [0; 1]).is_err(), "answered although all slots are taken");
    drop(idle);
    waiting.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut text = String::new();
    waiting.read_to_string(&mut text).unwrap();
    assert!(text.ends_with("ok\n"), "{text}");
}

#[test]
fn a_taken_address_is_named() {
    let server = Server::start(Access::Open);
    let error = start(server.addr(), Arc::clone(&server.state)).unwrap_err();
    assert!(matches!(error, ControlError::Bind { .. }));
    assert!(error.to_string().contains(&server.addr().to_string()), "{error}");
}

#[test]
fn shutdown_closes_idle_connections_and_the_address() {
    let mut server = Server::start(Access::Open);
    let addr = server.addr();
    let mut idle = server.connect();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    assert!(idle.read(&mut [0; 512]).unwrap() > 0);
    server.control.take().unwrap().shutdown();
    assert_eq!(idle.read(&mut [0; 1]).unwrap(), 0);
    assert!(TcpStream::connect(addr).is_err());
}

//! Streams are pushed to other servers: each has every frame, whatever its neighbours do. Targets that
//! misbehave in each way there is say so, are sought again, and cost nobody a frame.

use super::support::link::Dial;
use super::support::player::Player;
use super::support::{Server, Shape, Source, World, millis, seconds};
use millstream_rtmp::connection::ServerConnection;
use millstream_rtmp::server::{ServerEvent, ServerOptions};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

/// Adds a player of another server.
fn play_at(world: &mut World, server: SocketAddr, name: &str) {
    let who = format!("player of {name} at {server}");
    world.players.push(Player::open(server, name, who, Dial::default()));
}

/// What the API says of the first stream of each target, by the target's name.
fn targets(server: &Server) -> BTreeMap<String, serde_json::Value> {
    let answer: serde_json::Value =
        serde_json::from_str(&server.get("/api/v1/targets")).expect("the API answers JSON");
    let list = answer["targets"].as_array().expect("it is a list");
    list.iter()
        .map(|target| {
            let name = target["name"].as_str().expect("it has a name").to_owned();
            (name, target["pushes"][0].clone())
        })
        .collect()
}

fn push(name: &str, stream: &str, url: &str) -> String {
    format!("[[push]]\nname = \"{name}\"\nstream = \"{stream}\"\nurl = \"{url}\"\n")
}

fn waits_until_publishing(world: &mut World, server: &Server, name: &str) {
    world.until_in("the push to begin", seconds(30), |_| {
        targets(server)[name]["state"] == "publishing"
    });
}

#[test]
fn a_target_has_every_frame_from_a_key_frame_on() {
    let there = Server::start(&["--open"], "");
    let config = push("copy", "live/*", &format!("rtmp://{}/copies/{{name}}", there.rtmp));
    let mut server = Server::start(&[], &config);
    let mut world = World::new(server.rtmp);
    world.play("cam", 2);
    let at = world.stream("cam", 1, Shape::default(), 20);
    waits_until_publishing(&mut world, &server, "copy");
    assert_eq!(there.stream("copies/cam").expect("it is there")["state"], "live");
    world.run(millis(500));
    world.settle_players(at, 0..2);
    let sent = world.publishers[at].source.frames;
    world.until("the copy to have every frame", |_| {
        there.stream("copies/cam").is_some_and(|copy| copy["frames_in"].as_u64() == Some(sent))
    });
    world.publishers[at].unpublish();
    world.until("the copy to end", |_| there.total("publishers") == 0);
    assert!(there.log().contains("unpublished"), "in good order: {}", there.log());
    world.until("the push to wait", |_| targets(&server)["copy"]["state"] == "waiting");
    server.assert_healthy();
}

#[test]
fn a_publisher_that_returns_in_time_is_one_stream_there() {
    let there = Server::start(&[], "");
    let config = push("copy", "live/cam", &format!("rtmp://{}/live/cam", there.rtmp));
    let mut server = Server::start(&["--hold", "60s"], &config);
    let mut world = World::new(server.rtmp);
    assert_eq!(targets(&server)["copy"]["state"], "waiting");
    let first = world.stream("cam", 1, Shape::default(), 20);
    waits_until_publishing(&mut world, &server, "copy");
    play_at(&mut world, there.rtmp, "cam");
    world.run(millis(500));
    world.settle(first);
    world.publishers[first].link.kill();
    let again = world.publishers[first].source.again();
    let second = world.come_again("cam", again);
    world.publishers[second].go(millis(20));
    world.run(millis(500));
    world.settle(second);
    let target = &targets(&server)["copy"];
    assert_eq!((&target["connects"], &target["state"]), (&1.into(), &"publishing".into()));
    assert_eq!(world.players[0].check.generations, 2);
    world.players[0].check.assert_whole();

    world.publishers[second].unpublish();
    world.until("the push to wait", |_| targets(&server)["copy"]["state"] == "waiting");
    let third = world.publishers[second].source.again();
    let third = world.publish("cam", third);
    world.publishers[third].go(millis(20));
    waits_until_publishing(&mut world, &server, "copy");
    assert_eq!(targets(&server)["copy"]["connects"], 2);
    server.assert_healthy();
}

/// Changes something by the API, with the token of the banner.
fn change(server: &Server, method: &str, path: &str, body: &str) -> String {
    let banner = server.banner();
    let (_, token) = banner.split_once("Token ").expect("the banner has a token");
    let token = token.split_whitespace().next().expect("the token follows");
    let (http, length) = (server.http, body.len());
    let mut socket = TcpStream::connect(http).expect("the HTTP side accepts");
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {http}\r\nauthorization: Bearer {token}\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    socket.write_all(request.as_bytes()).expect("the HTTP side reads");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("the HTTP side answers");
    assert!(answer.starts_with("HTTP/1.1 20"), "{method} {path}: {answer}");
    answer
}

#[test]
fn a_target_comes_and_goes_while_the_stream_is_live() {
    let there = Server::start(&[], "");
    let mut server = Server::start(&[], "");
    let mut world = World::new(server.rtmp);
    world.play("cam", 2);
    let at = world.stream("cam", 1, Shape::default(), 20);
    world.run(millis(300));
    let url = format!("rtmp://{}/live", there.rtmp);
    let body = format!(r#"{{"stream":"live/cam","url":"{url}","key":"copy","name":"late"}}"#);
    let added = change(&server, "POST", "/api/v1/targets", &body);
    assert!(added.ends_with(r#"{"id":1}"#), "{added}");
    waits_until_publishing(&mut world, &server, "late");
    play_at(&mut world, there.rtmp, "copy");
    world.run(millis(300));
    world.settle(at);
    world.publishers[at].go(millis(20));
    change(&server, "DELETE", "/api/v1/targets/1", "");
    world.until("the stream to end there", |_| there.total("publishers") == 0);
    assert!(there.log().contains("unpublished"), "in good order: {}", there.log());
    assert!(targets(&server).is_empty());
    world.run(millis(300));
    world.settle_players(at, 0..2);
    for player in &world.players {
        player.check.assert_whole();
    }
    server.assert_healthy();
}

/// Says yes to a publisher, and hangs up within a message.
fn fickle(mut socket: TcpStream) {
    let mut protocol = ServerConnection::new(&ServerOptions::default(), [7; 32]);
    let mut buffer = [0; 4096];
    let mut left = 60_000;
    while let Ok(count @ 1..) = socket.read(&mut buffer)
        && left > 0
    {
        left -= count.min(left);
        let mut input = &buffer[..count];
        while let Ok(Some(event)) = protocol.receive(&mut input) {
            let said = match event {
                ServerEvent::Connect(connect) => protocol.accept_connect(connect.request),
                ServerEvent::Publish(publish) => protocol.accept_publish(publish.request),
                _ => Ok(()),
            };
            said.expect("it was asked");
        }
        let output = protocol.output().split();
        if socket.write_all(&output).is_err() {
            return;
        }
    }
}

/// What a target does that accepts a connection.
type Manners = fn(TcpStream);

/// A target that answers each connection in its way, as long as the test runs.
fn target(manners: Manners) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || {
        while let Ok((socket, _)) = listener.accept() {
            thread::spawn(move || manners(socket));
        }
    });
    address
}

/// Reads until the other end closes.
fn read_all(mut socket: TcpStream) {
    let mut buffer = [0; 4096];
    while socket.read(&mut buffer).is_ok_and(|count| count > 0) {}
}

#[test]
fn whoever_misbehaves_says_so_and_costs_nobody_a_frame() {
    let good = Server::start(&[], "");
    let keyed = Server::start(&["--key", "other=correct-horse"], "");
    let nobody = TcpListener::bind("127.0.0.1:0").and_then(|held| held.local_addr());
    let nobody = nobody.expect("a port is free");
    let silent = target(read_all);
    let web = target(|mut socket| {
        // Longer than a handshake, and none.
        let answer = format!("HTTP/1.1 400 Bad Request\r\n\r\n{}", "no ".repeat(2000));
        let _ = socket.write_all(answer.as_bytes());
        read_all(socket);
    });
    let rude = target(drop);
    let fickle = target(fickle);
    let flood = target(|mut socket| {
        // S0, S1 and S2 as they may be, then a control message that means nothing, without end.
        let abort = [2, 0, 0, 0, 0, 0, 4, 2, 0, 0, 0, 0, 0, 0, 0, 9];
        let _ = socket.write_all(&[&[3][..], &[0; 2 * 1536]].concat());
        let aborts = abort.repeat(4096);
        while socket.write_all(&aborts).is_ok() {}
    });
    let url = |address: SocketAddr| format!("rtmp://{address}/live/cam?key=s3cret-s3cret");
    let config: String = [
        push("good", "live/cam", &format!("rtmp://{}/live/cam", good.rtmp)),
        push("nobody", "live/cam", &url(nobody)),
        push("silent", "live/cam", &url(silent)),
        push("web", "live/cam", &url(web)),
        push("rude", "live/cam", &url(rude)),
        push("fickle", "live/cam", &url(fickle)),
        push("flood", "live/cam", &url(flood)),
        push("keyed", "live/cam", &url(keyed.rtmp)),
        push("nowhere", "live/cam", "rtmp://nobody.invalid/live/cam"),
        push("plain", "live/cam", &format!("rtmps://{}/live/cam", good.rtmp)),
    ]
    .concat();
    let mut server = Server::start(&[], &config);
    let mut world = World::new(server.rtmp);
    world.play("cam", 2);
    let at = world.stream("cam", 1, Shape::default(), 20);
    waits_until_publishing(&mut world, &server, "good");
    play_at(&mut world, good.rtmp, "cam");
    let expected = [
        ("nobody", "refused"),
        ("silent", "timeout"),
        ("web", "nonsense"),
        ("rude", "closed"),
        ("fickle", "closed"),
        ("flood", "nonsense"),
        ("keyed", "rejected"),
        ("nowhere", "no-such-host"),
        ("plain", "tls"),
    ];
    world.until_in("each trouble to show", seconds(60), |_| {
        let told = targets(&server);
        expected.iter().all(|(name, error)| {
            let retried = told[*name]["attempts"].as_u64() >= Some(2);
            told[*name]["error"] == *error && (retried || *name == "silent")
        })
    });
    world.settle(at);
    for player in &world.players {
        player.check.assert_whole();
    }
    let told = targets(&server);
    assert_eq!(
        (&told["good"]["connects"], &told["good"]["error"]),
        (&1.into(), &serde_json::Value::Null)
    );
    assert_eq!(told["good"]["dropped_frames"], 0);
    let shown = [server.log(), server.banner(), server.get("/"), server.get("/api/v1/targets")];
    assert!(!shown.concat().contains("s3cret"), "keys are masked everywhere");
    server.assert_healthy();
}

#[test]
fn the_end_of_the_server_is_the_end_of_the_stream_there() {
    let there = Server::start(&[], "");
    let config = push("copy", "live/cam", &format!("rtmp://{}/live/cam", there.rtmp));
    let mut server = Server::start(&[], &config);
    let mut world = World::new(server.rtmp);
    let at = world.publish("cam", Source::new(1, Shape::default()));
    world.publishers[at].go(millis(20));
    waits_until_publishing(&mut world, &server, "copy");
    server.terminate();
    world.until("the server to end", |_| server.ended().is_some());
    world.until("the stream to end there", |_| there.total("publishers") == 0);
    assert!(there.log().contains("unpublished"), "{}", there.log());
}

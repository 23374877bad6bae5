//! Origins that refuse, stall, send nonsense, close in mid-message or do not exist: each is a clear error
//! on that pull, and the next one has the stream.

use super::support::edges::{edge_by, free_address, origin_of, pulls};
use super::support::{Server, Shape, World, millis, seconds};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

/// A server that does this with each connection.
fn server(does: impl Fn(TcpStream) + Send + Sync + Clone + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            let does = does.clone();
            thread::spawn(move || does(socket));
        }
    });
    address
}

/// Reads until the other end closes.
fn swallow(mut socket: TcpStream) {
    let mut buffer = [0; 4096];
    while socket.read(&mut buffer).is_ok_and(|count| count > 0) {}
}

/// Passes everything on, and closes in the middle of what comes back.
fn cut(origin: SocketAddr, after: usize) -> impl Fn(TcpStream) + Clone {
    move |client| {
        let upstream = TcpStream::connect(origin).expect("the origin accepts");
        let mut asks = client.try_clone().expect("a descriptor is left");
        let mut onwards = upstream.try_clone().expect("a descriptor is left");
        thread::spawn(move || std::io::copy(&mut asks, &mut onwards));
        // Either end may close before so much has come.
        let _ = std::io::copy(&mut (&upstream).take(after as u64), &mut &client);
        let _ = client.shutdown(Shutdown::Both);
        let _ = upstream.shutdown(Shutdown::Both);
    }
}

#[test]
fn and_the_next_one_has_the_stream() {
    let mut origin = Server::start(&[], "");
    let good = origin_of(&origin);
    let garbage = server(|mut socket| {
        let _ = socket.write_all(&[0x55; 10_000]);
        swallow(socket);
    });
    let bad = [
        ("refuses", format!("rtmp://{}", free_address()), "refused"),
        ("unknown", "rtmp://no-such-host.invalid".into(), "no-such-host"),
        ("stalls", format!("rtmp://{}", server(swallow)), "timeout"),
        ("nonsense", format!("rtmp://{garbage}"), "nonsense"),
        ("closes", format!("rtmp://{}", server(drop)), "closed"),
        ("cut", format!("rtmp://{}/live/cam", server(cut(origin.rtmp, 5_000))), "closed"),
        ("silent", format!("{good}/live/nobody"), "stalled"),
        ("plain", format!("rtmps://{}", origin.rtmp), "tls"),
    ];
    let rules: String = bad
        .iter()
        .map(|(name, url, _)| {
            format!(
                "[[pull]]\nstream = \"live/{name}\"\nstall = \"2s\"\n\
                 origins = [\"{url}?key=hush-hush\", \"{good}/live/cam\"]\n"
            )
        })
        .collect();
    let mut near = edge_by(&rules);
    let mut world = World::new(origin.rtmp);
    world.stream("cam", 1, Shape::default(), 20);
    world.at(near.rtmp);
    for (name, ..) in &bad {
        world.play(name, 1);
    }
    world.until_in("frames of every stream", seconds(30), |world| {
        world.players.iter().all(|player| player.check.reached(1, 30))
    });
    let shown = pulls(&near);
    for (name, _, error) in &bad {
        let pull = shown.iter().find(|pull| pull["stream"] == format!("live/{name}"));
        let pull = pull.unwrap_or_else(|| panic!("{name} is not shown: {shown:?}"));
        assert_eq!(
            (&pull["state"], &pull["error"]),
            (&"pulling".into(), &(*error).into()),
            "{pull}"
        );
        assert!(pull["error_text"].as_str().is_some_and(|text| text.len() > 10), "{pull}");
    }
    // The keys of origins are nowhere to be seen.
    for text in [near.get("/"), near.get("/api/v1/pulls"), near.get("/metrics"), near.log()] {
        assert!(!text.contains("hush-hush"), "{text}");
    }
    near.assert_healthy();
    origin.assert_healthy();
}

#[test]
fn the_only_one_is_tried_again_until_it_is_there() {
    let address = free_address();
    let mut near = edge_by(&format!("origin = \"rtmp://{address}\"\n"));
    let mut world = World::new(near.rtmp);
    world.play("cam", 3);
    world.until("a refusal", |_| pulls(&near).iter().any(|pull| pull["state"] == "backing-off"));
    let mut origin = Server::start(&["--rtmp", &address.to_string()], "");
    world.at(origin.rtmp);
    world.stream("cam", 1, Shape::default(), 20);
    world.until_in("frames", seconds(30), |world| {
        world.players.iter().all(|player| player.check.reached(1, 20))
    });
    assert!(world.players.iter().all(|player| player.link.is_open()));
    near.assert_healthy();
    origin.assert_healthy();
}

#[test]
fn one_that_stalls_is_left_for_the_next() {
    let first = Server::start(&[], "");
    let mut second = Server::start(&[], "");
    let mut near = edge_by(&format!(
        "[[pull]]\nstream = \"*\"\norigins = [\"{}\", \"{}\"]\nstall = \"1s\"\n",
        origin_of(&first),
        origin_of(&second)
    ));
    let shape = Shape { data_every: 0, ..Shape::default() };
    let mut world = World::new(first.rtmp);
    let at = world.stream("cam", 1, shape, 20);
    world.at(near.rtmp);
    world.play("cam", 5);
    world.until("frames", |world| world.players.iter().all(|player| player.check.reached(1, 30)));
    // It stays connected, and sends nothing any more.
    world.publishers[at].rest();
    world.at(second.rtmp);
    let next = world.publish("cam", world.publishers[at].source.again());
    world.publishers[next].go(millis(20));
    world.until("the next origin", |world| {
        world.players.iter().all(|player| player.check.reached(2, 30))
    });
    assert!(pulls(&near).iter().any(|pull| pull["error"] == "stalled"));
    for player in &world.players {
        assert!(player.link.is_open());
        assert_eq!(player.times_told("NetStream.Play.UnpublishNotify"), 0);
    }
    near.assert_healthy();
    second.assert_healthy();
}

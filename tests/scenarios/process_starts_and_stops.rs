//! The process itself: a port that is taken, addresses that others can reach, settings that do not
//! exist, the end of descriptors, and a stop that lets everybody finish.

use super::support::server::{BINARY, arguments, run};
use super::support::{Server, Shape, World, millis, seconds};
use std::net::TcpStream;
use std::process::Command;

#[test]
fn a_second_instance_is_refused() {
    let mut server = Server::start(&[], "");
    let address = server.rtmp.to_string();
    let (status, text) = run(&arguments(&["--rtmp", &address], ""));
    assert!(!status.success());
    assert!(text.contains(&address), "{text}");
    assert!(text.contains("millstream") && text.contains(&server.pid().to_string()), "{text}");
    // The first one does not even notice.
    let mut world = World::new(server.rtmp);
    world.play("cam", 2);
    let at = world.stream("cam", 1, Shape::default(), 20);
    world.run(millis(200));
    world.settle(at);
    server.assert_healthy();
}

#[test]
fn an_open_address_wants_a_key() {
    let (status, text) = run(&arguments(&["--rtmp", "0.0.0.0:0"], ""));
    assert!(!status.success());
    assert!(text.contains("--key") && text.contains("--open"), "it says what helps: {text}");
}

#[test]
fn settings_that_do_not_exist_are_named() {
    let (status, text) = run(&arguments(&[], "chunksize = 4096\n"));
    assert!(!status.success());
    assert!(text.contains("chunksize"), "{text}");
    let (status, text) = run(&arguments(&[], "[lag]\nskipp = \"1s\"\n"));
    assert!(!status.success());
    assert!(text.contains("skipp"), "{text}");
}

#[test]
fn the_banner_shows_what_to_type() {
    let server = Server::start(&["--key", "cam1=correct-horse-battery"], "");
    let banner = server.banner();
    let rtmp = server.rtmp;
    for line in [
        format!("rtmp://{rtmp}/live/cam1?key=SECRET"),
        format!("OBS: server rtmp://{rtmp}/live, stream key cam1?key=SECRET"),
        format!("http://{}/", server.http),
    ] {
        assert!(banner.contains(&line), "{line} is not in: {banner}");
    }
    assert!(
        banner.lines().any(|line| line.trim_end().ends_with(&format!("rtmp://{rtmp}/live/cam1")))
    );
}

#[test]
fn a_stop_lets_everybody_finish() {
    let mut server = Server::start(&[], "");
    let mut world = World::new(server.rtmp);
    world.play("cam", 20);
    let at = world.stream("cam", 1, Shape::default(), 20);
    world.run(millis(500));
    world.publishers[at].rest();
    world.run(millis(300));
    server.terminate();
    world.until("the process to end", |_| server.ended().is_some());
    world.until("the players to see it", |world| {
        world.players.iter().all(|player| !player.link.is_open())
    });
    let source = world.publishers[at].source.clone();
    for player in &world.players {
        assert!(player.check.reached(source.generation, source.frames), "it got everything");
        player.check.assert_whole();
        assert!(player.was_told("NetStream.Play.UnpublishNotify"), "{:?}", player.told);
        assert_eq!(player.stream_ends, 1);
    }
    let status = server.ended().expect("it ended above");
    assert!(status.success(), "{status:?}: {}", server.log());
}

#[test]
fn descriptors_run_out() {
    let arguments = arguments(&[], "");
    let mut command = Command::new("sh");
    command.arg("-c").arg("ulimit -n 80; exec \"$0\" \"$@\"").arg(BINARY).args(arguments);
    let mut server = Server::spawn(command);
    let mut world = World::new(server.rtmp);
    world.play("cam", 4);
    let at = world.stream("cam", 1, Shape::default(), 20);
    world.run(millis(200));
    let crowd: Vec<TcpStream> =
        (0..100).map(|_| TcpStream::connect(server.rtmp).expect("the kernel accepts")).collect();
    world.run(seconds(2));
    let log = server.log();
    assert!(log.contains("no descriptor left"), "{log}");
    // Each round refuses one and pauses; without the pause there would be thousands.
    assert!(log.matches("no descriptor left").count() < 300, "it backs off");
    for player in &world.players {
        player.check.assert_whole();
    }
    drop(crowd);
    world.until("room again", |_| server.descriptors() < 60);
    let late = world.play("cam", 4);
    world.until("the new players", |world| {
        world.players[late..].iter().all(|player| player.check.frames > 5)
    });
    world.settle(at);
    for player in &world.players {
        player.check.assert_whole();
    }
    assert!(server.ended().is_none());
    server.assert_healthy();
}

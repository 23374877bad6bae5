//! With keys only their holders publish, viewers only ever see the stream's name, and the secret
//! shows nowhere: not in a log line, a metric, an answer of the API, the page or the banner.

use super::support::link::Dial;
use super::support::{Server, Shape, Source, World, millis};

const SECRET: &str = "correct-horse-battery";
const OPAQUE: &str = "live_9f8e7d6c5b4a39281706";

fn ask(world: &mut World, app: &str, name: &str) -> usize {
    world.ask(app, name, Source::new(1, Shape::default()), Dial::default())
}

#[test]
fn and_show_nowhere() {
    let config =
        format!("log = \"trace\"\n[keys]\ncam1 = \"{SECRET}\"\n\"live/cam2\" = \"{OPAQUE}\"\n");
    let mut server = Server::start(&["--key", "cam3=another-secret-entirely"], &config);
    let mut world = World::new(server.rtmp);

    // As OBS has it: the key's query, or the server's, or the opaque key alone.
    let by_query = ask(&mut world, "live", &format!("cam1?key={SECRET}"));
    assert!(world.publishers[by_query].accepted, "{}", world.publishers[by_query].reason);
    let opaque = ask(&mut world, "live", OPAQUE);
    assert!(world.publishers[opaque].accepted, "{}", world.publishers[opaque].reason);
    let by_option = ask(&mut world, "live", "cam3?key=another-secret-entirely");
    assert!(world.publishers[by_option].accepted);

    for wrong in [
        "cam1".to_owned(),
        "cam1?key=".to_owned(),
        "cam1?key=correct-horse-batterz".to_owned(),
        format!("cam3?key={SECRET}"),
        format!("unknown?key={SECRET}"),
        "live_9f8e7d6c5b4a39281707".to_owned(),
    ] {
        let refused = ask(&mut world, "live", &wrong);
        let publisher = &world.publishers[refused];
        assert!(!publisher.accepted, "{wrong} was let in");
        assert_eq!(publisher.refused.as_deref(), Some("NetStream.Publish.Denied"), "{wrong}");
        assert!(!publisher.reason.contains(SECRET));
    }

    world.play("cam1", 2);
    world.play("cam2", 2);
    for at in [by_query, opaque] {
        world.publishers[at].send_headers();
        world.publishers[at].burst(30);
    }
    world.until("frames", |world| world.players.iter().all(|p| p.check.frames > 0));
    let outputs = [
        server.get("/api/v1/streams"),
        server.get("/api/v1/shards"),
        server.get("/metrics"),
        server.get("/"),
        server.banner(),
    ];
    assert!(outputs[0].contains("live/cam1") && outputs[0].contains("live/cam2"));
    for player in &mut world.players {
        player.link.kill();
    }
    for publisher in &mut world.publishers {
        publisher.link.kill();
    }
    world.run(millis(500));
    let log = server.log();
    assert!(log.contains("live/cam1") && log.contains("reason=\"key-wrong\""), "{log}");
    for text in outputs.iter().chain([&log]) {
        for secret in [SECRET, OPAQUE, "another-secret-entirely", "batterz", "281707"] {
            assert!(!text.contains(secret), "{secret} shows in: {text}");
        }
    }
    server.assert_healthy();
}

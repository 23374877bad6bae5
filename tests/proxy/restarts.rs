//! The target is killed and started again: publishers and players stay.

use crate::support::{Proxy, command, millstream};
use millstream_testkit::clip::Clip;
use millstream_testkit::players::Player;
use millstream_testkit::publisher::{Ffmpeg, Publication};
use millstream_testkit::{Kind, Scratch, Server, Target, compare, flv};

#[test]
fn ffmpeg_stays_and_nginx_gets_the_rest_from_a_key_frame_on() {
    let clip = Clip::H264Aac.path().unwrap();
    let source = flv::read_recording(&clip).unwrap();
    let scratch = Scratch::new("proxy-restart").unwrap();
    let mut server = Server::start(&scratch, &Target::Nginx).unwrap();
    let mut proxy = Proxy::start(&scratch, &[&format!("rtmp://{}", server.rtmp())]);
    let url = proxy.url("cam");
    let mut publication =
        Publication::start(&scratch, "publisher", Ffmpeg::Distribution, &clip, &url).unwrap();
    publication.wait_flowing().unwrap();
    server.restart(&scratch).unwrap();
    proxy.wait_for("publish goes on", 1);
    let mut player = Player::Ffmpeg.start(&scratch, "after", &server.url("cam")).unwrap();
    publication.finish().unwrap();
    let received = player.finish(&scratch).unwrap();
    let found = compare(&source, &received).unwrap();
    assert!(found.starts[0].index > 0 && found.starts[0].len >= 50, "{found:?}");
    assert!(received.track(Kind::Video, 0).unwrap().packets[0].key);
    let said = proxy.stop();
    assert_eq!(said.matches("publish started").count(), 1, "{said}");
    assert!(said.contains("1 returns"), "{said}");
}

#[test]
fn a_player_stays_while_the_target_restarts() {
    let clip = Clip::H264Aac.path().unwrap();
    let scratch = Scratch::new("proxy-player").unwrap();
    let mut server = Server::start(&scratch, &millstream()).unwrap();
    let mut proxy = Proxy::start(&scratch, &[&format!("rtmp://{}", server.rtmp())]);
    let (url, clip) = (proxy.url("cam"), clip.to_string_lossy().into_owned());
    let mut publisher = command(&scratch, "publish", ["publish", &clip, &url]);
    let copy = scratch.file("copy.flv");
    let copy = copy.to_string_lossy();
    let mut player = command(&scratch, "play", ["play", &url, "-o", &copy]);
    proxy.wait_for("play started", 1);
    server.restart(&scratch).unwrap();
    proxy.wait_for("publish goes on", 1);
    proxy.wait_for("play goes on", 1);
    publisher.wait_success().unwrap();
    player.wait_success().unwrap();
    let tags = flv::read_recording(copy.as_ref().as_ref()).unwrap();
    let source = flv::read_recording(clip.as_ref()).unwrap();
    let last = |recording: &millstream_testkit::Recording| {
        recording.track(Kind::Video, 0).unwrap().packets.last().unwrap().clone()
    };
    assert_eq!(last(&tags).sha256, last(&source).sha256, "it has seen the end");
    proxy.stop();
}

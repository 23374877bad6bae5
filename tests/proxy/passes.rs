//! ffmpeg through the proxy to nginx-rtmp and back, bit-exact, and the figures of it.

use crate::support::Proxy;
use millstream_testkit::clip::Clip;
use millstream_testkit::players::Player;
use millstream_testkit::publisher::{Ffmpeg, Publication};
use millstream_testkit::{Scratch, Server, Target, compare, flv};
use serde_json::Value;

#[test]
fn ffmpeg_through_the_proxy_is_bit_exact_either_way() {
    let clip = Clip::H264Aac.path().unwrap();
    let source = flv::read_recording(&clip).unwrap();
    let scratch = Scratch::new("proxy-passes").unwrap();
    let server = Server::start(&scratch, &Target::Nginx).unwrap();
    let target = format!("rtmp://{}", server.rtmp());
    let mut proxy = Proxy::start(&scratch, &["--json", "--rename", "cam*=camera-*", &target]);
    let url = proxy.url("cam1");
    let mut publication =
        Publication::start(&scratch, "publisher", Ffmpeg::Distribution, &clip, &url).unwrap();
    publication.wait_flowing().unwrap();
    let behind = server.url("camera-1");
    let mut players = [
        Player::Ffmpeg.start(&scratch, "behind", &behind).unwrap(),
        Player::Ffmpeg.start(&scratch, "through", &url).unwrap(),
        Player::Rtmpdump.start(&scratch, "through", &url).unwrap(),
    ];
    publication.finish().unwrap();
    for player in &mut players {
        let received = player.finish(&scratch).unwrap();
        let found = compare(&source, &received);
        let found = found.unwrap_or_else(|mismatch| panic!("{}: {mismatch}", player.name()));
        assert!(found.starts[0].len >= 50, "{} was there too late: {found:?}", player.name());
    }
    proxy.wait_for("session ended", 3);
    let said = proxy.stop();
    let objects: Vec<Value> =
        said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let sessions = objects.iter().filter(|object| object["what"] == "session");
    assert_eq!(sessions.clone().count(), 3, "{said}");
    assert!(sessions.clone().any(|session| session["bytes_up"].as_u64() > Some(500_000)), "{said}");
    let totals = objects.iter().rfind(|object| object["what"] == "totals").unwrap();
    assert_eq!(
        (&totals["ended"], &totals["publishes"], &totals["plays"]),
        (&true.into(), &1.into(), &2.into())
    );
    assert_eq!(totals["messages_left_out"], 0);
}

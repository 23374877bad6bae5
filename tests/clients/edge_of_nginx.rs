//! An edge whose origin is another server: ffmpeg publishes to nginx-rtmp, and everybody plays from us.

use millstream_testkit::clip::Clip;
use millstream_testkit::players::Player;
use millstream_testkit::publisher::{Ffmpeg, Publication};
use millstream_testkit::{Driver, Scratch, Server, Target, flv};

use crate::all_bit_exact;

#[test]
fn every_player_gets_every_bit_of_its_stream() {
    let clip = Clip::H264Aac.path().unwrap();
    let source = flv::read_recording(&clip).unwrap();
    let (there, here) = (Scratch::new("nginx").unwrap(), Scratch::new("edge").unwrap());
    let mut origin = Server::start(&there, &Target::Nginx).unwrap();
    let mut edge = Server::start(
        &here,
        &Target::Millstream {
            binary: env!("CARGO_BIN_EXE_millstream").into(),
            driver: Driver::Default,
            args: vec!["--origin".into(), format!("rtmp://{}", origin.rtmp())],
        },
    )
    .unwrap();
    let mut publication =
        Publication::start(&there, "publisher", Ffmpeg::Distribution, &clip, &origin.url("edge"))
            .unwrap();
    publication.wait_flowing().unwrap();
    let players = [Player::Ffmpeg, Player::Rtmpdump, Player::CurrentFfmpeg];
    let mut playing: Vec<_> =
        players.iter().map(|player| player.start(&here, "a", &edge.url("edge")).unwrap()).collect();
    publication.finish().unwrap();
    let matches = all_bit_exact(&here, &edge, &source, &mut playing);
    for (found, playing) in matches.iter().zip(&playing) {
        let video_len = found.starts[0].len;
        assert!(video_len >= 50, "{} was there for {video_len} frames only", playing.name());
    }
    edge.process().check_unharmed().unwrap();
    origin.process().check_unharmed().unwrap();
}

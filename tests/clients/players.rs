//! ffmpeg publishes H.264 with B-frames and AAC; everybody plays it.

use millstream_testkit::clip::Clip;
use millstream_testkit::players::{Player, decode};
use millstream_testkit::publisher::{Ffmpeg, Publication};
use millstream_testkit::{Driver, Kind, Scratch, Server, flv};

use crate::{all_bit_exact, target};

#[test]
fn every_player_gets_every_bit() {
    play("players", Driver::Default, Ffmpeg::Distribution, &Player::ALL);
}

#[test]
fn players_on_the_epoll_driver() {
    let players = [Player::Ffmpeg, Player::Rtmpdump, Player::GstRtmp2src, Player::CurrentFfmpeg];
    play("epoll", Driver::Epoll, Ffmpeg::Current, &players);
}

/// The players join one stream half a second after its start, so in the
/// middle of a group of pictures, and stay until
/// its end.
fn play(name: &str, driver: Driver, ffmpeg: Ffmpeg, players: &[Player]) {
    let clip = Clip::H264Aac.path().unwrap();
    let source = flv::read_recording(&clip).unwrap();
    let video = source.track(Kind::Video, 0).unwrap();
    let reordered = video.packets.iter().any(|packet| packet.pts_ms > packet.dts_ms + 80);
    assert!(reordered, "the clip has no B-frames");

    let scratch = Scratch::new(name).unwrap();
    let mut server = Server::start(&scratch, &target(driver)).unwrap();
    let url = server.url(name);
    let mut publication = Publication::start(&scratch, "publisher", ffmpeg, &clip, &url).unwrap();
    publication.wait_flowing().unwrap();
    let mut playing: Vec<_> =
        players.iter().map(|player| player.start(&scratch, "a", &url).unwrap()).collect();
    publication.finish().unwrap();

    let matches = all_bit_exact(&scratch, &server, &source, &mut playing);
    for (found, playing) in matches.iter().zip(&playing) {
        let video_len = found.starts[0].len;
        assert!(video_len >= 50, "{} was there for {video_len} frames only", playing.name());
    }
    decode(&scratch, &playing[0]).unwrap();
    server.process().check_unharmed().unwrap();
}

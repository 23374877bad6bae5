//! OBS Studio publishes. What it encodes is known to nobody else, so two independent players
//! are compared with each other, and what they got must decode.

use millstream_testkit::clip::Clip;
use millstream_testkit::obs::Obs;
use millstream_testkit::players::{Player, decode};
use millstream_testkit::{Codec, Driver, Kind, Recording, Scratch, Server, compare};

use crate::target;

#[test]
fn obs_publishes() {
    let clip = Clip::H264Aac.path().unwrap();
    let scratch = Scratch::new("obs").unwrap();
    let mut server = Server::start(&scratch, &target(Driver::Default)).unwrap();
    let url = server.url("obs");
    let mut obs = Obs::start(&scratch, &clip, &server.application_url(), "obs").unwrap();
    obs.wait_flowing().unwrap();
    let mut first = Player::Rtmpdump.start(&scratch, "first", &url).unwrap();
    let mut second = Player::Ffmpeg.start(&scratch, "second", &url).unwrap();
    obs.finish().unwrap();

    let recordings = [&mut first, &mut second].map(|player| player.finish(&scratch).unwrap());
    for recording in &recordings {
        let video = recording.track(Kind::Video, 0).unwrap();
        let audio = recording.track(Kind::Audio, 0).unwrap();
        assert_eq!((video.codec, audio.codec), (Codec::H264, Codec::Aac));
        assert!(video.packets.len() >= 90, "only {} frames", video.packets.len());
        assert!(video.packets[0].key, "the first frame is not a key frame");
        assert_eq!((video.headers.len(), audio.headers.len()), (1, 1));
    }
    // Who joined earlier has more; the other one's recording must be the end of it.
    let [a, b] = &recordings;
    let frames = |recording: &Recording| {
        recording.track(Kind::Video, 0).map_or(0, |track| track.packets.len())
    };
    let found = if frames(a) >= frames(b) { compare(a, b) } else { compare(b, a) };
    println!("bit-exact: {:?}", found.unwrap());
    decode(&scratch, &first).unwrap();
    decode(&scratch, &second).unwrap();
    server.process().check_unharmed().unwrap();
}

//! A current ffmpeg publishes and plays Enhanced RTMP: HEVC, AV1, VP9 and Opus.

use std::time::Duration;

use millstream_testkit::clip::Clip;
use millstream_testkit::players::{Player, Playing};
use millstream_testkit::publisher::{Ffmpeg, Publication};
use millstream_testkit::{Codec, Driver, Kind, Recording, Scratch, Server, flv, ports};

use crate::{all_bit_exact, target};

/// What is published, and the codecs that must arrive.
const STREAMS: [(Clip, Codec, Codec); 3] = [
    (Clip::HevcAac, Codec::Hevc, Codec::Aac),
    (Clip::Av1Opus, Codec::Av1, Codec::Opus),
    (Clip::Vp9Opus, Codec::Vp9, Codec::Opus),
];

/// A player that knows the codecs, and two that pass on what they do not know.
const PLAYERS: [Player; 3] = [Player::CurrentFfmpeg, Player::Rtmpdump, Player::GstRtmp2src];

struct Stream {
    source: Recording,
    publication: Publication,
    playing: Vec<Playing>,
}

#[test]
fn new_codecs_on_the_default_driver() {
    new_codecs("enhanced", Driver::Default, &STREAMS);
}

#[test]
fn new_codecs_on_the_epoll_driver() {
    new_codecs("enhanced-epoll", Driver::Epoll, &STREAMS[..1]);
}

/// All of `PLAYERS` play each stream. A server that cannot relay the new codecs (nginx) is left out,
/// and the publisher plays to an ffmpeg that listens: that still proves clips and comparison.
fn new_codecs(name: &str, driver: Driver, streams: &[(Clip, Codec, Codec)]) {
    let scratch = Scratch::new(name).unwrap();
    let mut server = Server::start(&scratch, &target(driver)).unwrap();
    let mut streams: Vec<_> =
        streams.iter().map(|stream| start(&scratch, &server, *stream)).collect();
    for stream in &mut streams {
        stream.publication.finish().unwrap();
        all_bit_exact(&scratch, &server, &stream.source, &mut stream.playing);
    }
    server.process().check_unharmed().unwrap();
}

fn start(scratch: &Scratch, server: &Server, (clip, video, audio): (Clip, Codec, Codec)) -> Stream {
    let file = clip.path().unwrap();
    let source = flv::read_recording(&file).unwrap();
    assert_eq!(source.track(Kind::Video, 0).unwrap().codec, video);
    assert_eq!(source.track(Kind::Audio, 0).unwrap().codec, audio);
    let name = clip.name();
    let publish =
        |url: &str| Publication::start(scratch, name, Ffmpeg::Current, &file, url).unwrap();
    let play = |player: Player, url: &str| player.start(scratch, name, url).unwrap();
    if server.relays_enhanced_video() {
        let url = server.url(name);
        let mut publication = publish(&url);
        publication.wait_flowing().unwrap();
        let playing = PLAYERS.map(|player| play(player, &url));
        Stream { source, publication, playing: playing.into() }
    } else {
        let url = format!("rtmp://127.0.0.1:{}/live/{name}", ports::free_port().unwrap());
        let listening = play(Player::ListeningFfmpeg, &url);
        // Its first connection is its last, so it cannot be asked whether it listens yet.
        std::thread::sleep(Duration::from_secs(1));
        Stream { source, publication: publish(&url), playing: vec![listening] }
    }
}

//! The tests tested: a stream that is damaged before it is published goes through server and
//! player like any other, and the comparison with the undamaged source must notice.

use millstream_testkit::clip::Clip;
use millstream_testkit::mutilate::Mutilation;
use millstream_testkit::players::Player;
use millstream_testkit::publisher::{Ffmpeg, Publication};
use millstream_testkit::{Difference, Driver, Kind, Mismatch, Scratch, Server, compare, flv};

use crate::{all_bit_exact, target};

#[test]
fn every_damage_is_noticed() {
    let clip = Clip::H264Aac.path().unwrap();
    let whole = flv::File::read(&clip).unwrap();
    let source = whole.recording().unwrap();
    let scratch = Scratch::new("mutilated").unwrap();
    let mut server = Server::start(&scratch, &target(Driver::Default)).unwrap();

    let damages = [None].into_iter().chain(Mutilation::ALL.map(Some));
    let mut streams: Vec<_> = damages
        .map(|damage| {
            let name = damage.map_or("Whole".to_owned(), |damage| format!("{damage:?}"));
            let mut file = whole.clone();
            if let Some(damage) = damage {
                damage.apply(&mut file);
            }
            let path = scratch.file(&format!("{name}.flv"));
            file.write(&path).unwrap();
            let url = server.url(&name);
            let publication =
                Publication::start(&scratch, &name, Ffmpeg::Distribution, &path, &url).unwrap();
            (damage, name, url, publication)
        })
        .collect();
    let mut playing: Vec<_> = streams
        .iter_mut()
        .map(|(_, name, url, publication)| {
            publication.wait_flowing().unwrap();
            Player::Rtmpdump.start(&scratch, name, url).unwrap()
        })
        .collect();

    all_bit_exact(&scratch, &server, &source, &mut playing[..1]);
    for ((damage, name, _, publication), playing) in streams.iter_mut().zip(&mut playing).skip(1) {
        publication.finish().unwrap();
        let received = playing.finish(&scratch).unwrap();
        let mismatch = compare(&source, &received).expect_err(name);
        println!("{name}: {mismatch}");
        let damage = damage.expect("only the first stream is whole");
        assert!(is_that(damage, &mismatch), "{name}: {mismatch}");
    }
    server.process().check_unharmed().unwrap();
}

/// Whether the first difference is the one that the damage makes.
fn is_that(damage: Mutilation, mismatch: &Mismatch) -> bool {
    let (kind, difference) = (mismatch.kind, &*mismatch.difference);
    match damage {
        Mutilation::DropPacket | Mutilation::SwapPackets => {
            kind == Kind::Video
                && matches!(difference, Difference::Payload { displaced: Some(1), .. })
        }
        Mutilation::FlipByte => {
            kind == Kind::Audio && matches!(difference, Difference::Payload { displaced: None, .. })
        }
        Mutilation::ShiftAudio => {
            kind == Kind::Audio && matches!(difference, Difference::Time { index: 0, .. })
        }
        Mutilation::DropLast => {
            kind == Kind::Video && matches!(difference, Difference::TailMissing { count: 1 })
        }
    }
}

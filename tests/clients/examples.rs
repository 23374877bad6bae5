//! The examples, built and run: each serves real clients as its page says.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use millstream_client::{Event, PlayOptions, RtmpUrl, blocking};
use millstream_testkit::clip::Clip;
use millstream_testkit::players::Player;
use millstream_testkit::publisher::{Ffmpeg, Publication};
use millstream_testkit::{Kind, Scratch, Server, Target, flv};

use crate::all_bit_exact;

/// An example's program, as it is now: tests named one by one do not build examples.
fn example(name: &str) -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--package", "millstream", "--examples"]);
        assert!(cargo.status().unwrap().success(), "the examples do not build");
    });
    Path::new(env!("CARGO_BIN_EXE_millstream")).with_file_name("examples").join(name)
}

fn start(scratch: &Scratch, name: &str, args: Vec<String>) -> Server {
    Server::start(scratch, &Target::Program { binary: example(name), args }).unwrap()
}

fn publish(scratch: &Scratch, clip: &Path, url: &str) -> Publication {
    Publication::start(scratch, "publisher", Ffmpeg::Distribution, clip, url).unwrap()
}

#[test]
fn accept_all_serves_ffmpeg() {
    let clip = Clip::H264Aac.path().unwrap();
    let source = flv::read_recording(&clip).unwrap();
    let scratch = Scratch::new("accept-all").unwrap();
    let mut server = start(&scratch, "accept_all", vec![]);
    let url = server.url("film");
    let mut publication = publish(&scratch, &clip, &url);
    publication.wait_flowing().unwrap();
    let players = [Player::Ffmpeg, Player::CurrentFfmpeg, Player::Rtmpdump];
    let mut playing: Vec<_> =
        players.iter().map(|player| player.start(&scratch, "a", &url).unwrap()).collect();
    publication.finish().unwrap();
    all_bit_exact(&scratch, &server, &source, &mut playing);
    server.process().check_unharmed().unwrap();
}

#[test]
fn rewrite_names_plays_under_another_name() {
    let clip = Clip::H264Aac.path().unwrap();
    let source = flv::read_recording(&clip).unwrap();
    let scratch = Scratch::new("rewrite-names").unwrap();
    let server = start(&scratch, "rewrite_names", vec![]);
    let mut refused = publish(&scratch, &clip, &server.url("film"));
    assert!(refused.finish().is_err(), "what viewers play may not be published");
    let mut publication = publish(&scratch, &clip, &server.url_in("ingest", "film"));
    publication.wait_flowing().unwrap();
    let mut playing = [Player::Ffmpeg.start(&scratch, "a", &server.url("film")).unwrap()];
    publication.finish().unwrap();
    all_bit_exact(&scratch, &server, &source, &mut playing);
}

#[test]
fn key_file_wants_the_key_of_the_file() {
    let clip = Clip::H264Aac.path().unwrap();
    let scratch = Scratch::new("key-file").unwrap();
    let keys = scratch.file("keys.txt");
    let server = start(&scratch, "key_file", vec![keys.to_string_lossy().into_owned()]);
    let url = |query: &str| format!("{}{query}", server.url("cam1"));
    let refused = |query: &str| publish(&scratch, &clip, &url(query)).finish().is_err();
    assert!(refused("?key=correct-horse"), "there is no file yet");
    std::fs::write(&keys, "live/cam2 other\nlive/cam1 correct-horse\n").unwrap();
    assert!(refused(""), "without a key");
    assert!(refused("?key=other"), "with the key of another stream");
    publish(&scratch, &clip, &url("?key=correct-horse")).wait_flowing().unwrap();
}

#[test]
fn count_key_frames_counts_them() {
    let clip = Clip::H264Aac.path().unwrap();
    let source = flv::read_recording(&clip).unwrap();
    let pictures = source.track(Kind::Video, 0).unwrap().packets.len();
    let scratch = Scratch::new("count-key-frames").unwrap();
    let mut server = start(&scratch, "count_key_frames", vec![]);
    publish(&scratch, &clip, &server.url("film")).finish().unwrap();
    let counted = format!(" key frames of {pictures} pictures");
    server
        .process()
        .wait_until("the count", |process| {
            let log = process.output();
            log.contains("live/film: ") && log.contains(&counted)
        })
        .unwrap();
}

#[test]
fn in_process_publisher_plays_its_film_again_and_again() {
    let clip = Clip::H264Aac.path().unwrap();
    let scratch = Scratch::new("in-process-publisher").unwrap();
    let film = clip.to_string_lossy().into_owned();
    let server = start(&scratch, "in_process_publisher", vec![film]);
    let url = RtmpUrl::parse(&server.url("film")).unwrap();
    let mut player = blocking::connect(&url, blocking::Settings::new(&url)).unwrap();
    player.play(&url.name(), PlayOptions::default()).unwrap();
    let began = Instant::now();
    let (mut pictures, mut last) = (Vec::new(), 0);
    // Until a key frame comes again: the film has begun anew, and its times have gone on.
    loop {
        assert!(began.elapsed() < Duration::from_secs(60), "the film did not begin again");
        let event = player.next(Duration::from_secs(1)).unwrap();
        let Some(Event::Media { tag, .. }) = event else { continue };
        if tag.payload.first() != Some(&0x17) || tag.payload.get(1) != Some(&1) {
            continue;
        }
        assert!(tag.timestamp >= last, "{} after {last}", tag.timestamp);
        last = tag.timestamp;
        if pictures.contains(&tag.payload) {
            return;
        }
        pictures.push(tag.payload);
    }
}

#[test]
fn custom_egress_serves_flv_over_http() {
    let clip = Clip::H264Aac.path().unwrap();
    let source = flv::read_recording(&clip).unwrap();
    let scratch = Scratch::new("custom-egress").unwrap();
    let mut server = start(&scratch, "custom_egress", vec!["127.0.0.1:0".into()]);
    let mut publication = publish(&scratch, &clip, &server.url("film"));
    publication.wait_flowing().unwrap();
    let said = server.process().output();
    let (_, http) = said.split_once("play http://").unwrap();
    let url = format!("http://{}/live/film", http.split_once('/').unwrap().0);
    let players = [Player::Ffmpeg, Player::CurrentFfmpeg];
    let mut playing: Vec<_> =
        players.iter().map(|player| player.start(&scratch, "a", &url).unwrap()).collect();
    publication.finish().unwrap();
    all_bit_exact(&scratch, &server, &source, &mut playing);
    server.process().check_unharmed().unwrap();
}

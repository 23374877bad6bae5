//! OBS Studio publishes. What it encodes is known to nobody else, so two independent players
//! are compared with each other, and what they got must decode. What it says is captured and held
//! against the transcript of its version (`tests/transcripts`).

use millstream::capture::format::{CaptureReader, Direction, Entry, MAGIC};
use millstream_testkit::clip::Clip;
use millstream_testkit::obs::Obs;
use millstream_testkit::players::{Player, decode};
use millstream_testkit::process::{Invocation, Process};
use millstream_testkit::{Codec, Driver, Kind, Recording, Scratch, Server, Target, compare};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::target;
use crate::transcript::transcript;

/// The variable that has the transcript of the OBS that is installed written instead of compared;
/// `tests/transcripts/capture.sh` sets it.
const WRITE: &str = "TRANSCRIPTS_WRITE";

#[test]
fn obs_publishes() {
    let clip = Clip::H264Aac.path().unwrap();
    let scratch = Scratch::new("obs").unwrap();
    let wire = scratch.file("wire");
    let mut target = target(Driver::Default);
    if let Target::Millstream { args, .. } = &mut target {
        args.extend(["--capture".to_owned(), wire.to_string_lossy().into_owned()]);
    }
    let mut server = Server::start(&scratch, &target).unwrap();
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
    if let Target::Millstream { .. } = target {
        // So that the captures are whole.
        server.process().terminate().unwrap();
        server.process().wait_success().unwrap();
        compare_transcript(&version(&scratch), &said_by_publisher(&wire));
    }
}

fn compare_transcript(version: &str, said: &str) {
    let name = format!("tests/transcripts/obs-{version}.txt");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&name);
    if std::env::var_os(WRITE).is_some() {
        return fs::write(&path, said).unwrap();
    }
    let known = fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{name}: {error}; tests/transcripts/capture.sh writes it"));
    assert_eq!(said, known, "OBS {version} says something else than in {name}");
}

/// The version of the OBS that is installed, such as 29.0.2.
fn version(scratch: &Scratch) -> String {
    let invocation = Invocation::tool("obs").unwrap().args(["--version"]);
    let limit = Duration::from_secs(30);
    let mut process = Process::start(scratch, "obs-version", &invocation, limit).unwrap();
    process.wait_success().unwrap();
    let output = process.output();
    let words =
        output.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    // Debian's revision stands behind it.
    let numbers = words.unwrap().split(|c: char| !c.is_ascii_digit()).take(3);
    numbers.collect::<Vec<_>>().join(".")
}

/// The transcript of the one connection that published.
fn said_by_publisher(wire: &Path) -> String {
    let files = fs::read_dir(wire).unwrap().map(|entry| entry.unwrap().path());
    let mut said: Vec<String> = files.map(|file| transcript(&bytes_in(&file))).collect();
    said.retain(|said| said.contains(" publish "));
    assert_eq!(said.len(), 1, "one publisher");
    said.remove(0)
}

/// All that a client sent.
fn bytes_in(file: &PathBuf) -> Vec<u8> {
    let capture = fs::read(file).unwrap();
    let mut reader = CaptureReader::after_magic(capture.strip_prefix(&MAGIC[..]).unwrap()).unwrap();
    let mut all = Vec::new();
    while let Some(entry) = reader.read().unwrap() {
        match entry {
            Entry::Bytes { direction: Direction::In, bytes, .. } => all.extend(bytes),
            Entry::Bytes { .. } | Entry::End { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    all
}

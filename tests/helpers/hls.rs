//! HLS out of a stream, and into one.

use crate::support::*;
use millstream_testkit::scratch::Scratch;

#[test]
fn a_stream_becomes_hls_and_hls_a_stream() {
    let scratch = Scratch::new("helpers").unwrap();
    let list = scratch.file("{name}.m3u8");
    let list = list.to_str().unwrap();
    let quiet = ["ffmpeg", "-v", "error", "-nostdin", "-analyzeduration", "300k"];
    let out = ["-i", "{input}", "-c", "copy", "-f", "hls", "-hls_time", "1", list];
    // The list has the name of the stream that it is made of.
    let back = list.replace("{name}", "{star}");
    let into = ["-re", "-i", &back, "-c", "copy", "-f", "flv", "{output}"];
    let mark = Mark::new();
    let patient = "backoff = \"200ms\"\nbackoff_max = \"200ms\"\n";
    let config = [
        mark.helper("pictures", "cam", "always", &pictures_to("{output}"), ""),
        mark.helper("out", "cam", "live", &[&quiet[..], &out].concat(), patient),
        mark.helper("back", "again_*", "viewer", &[&quiet[..], &into].concat(), patient),
    ];
    let mut server = Server::start(&[], &config.concat());
    until("a list of segments", || scratch.file("cam.m3u8").exists());
    play(&server, "again_cam", 5);
    server.terminate();
    until("the server's end", || server.ended().is_some());
    assert!(mark.processes().is_empty());
}

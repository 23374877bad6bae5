//! What `--stats` and `--json` show.

use crate::support::*;
use serde_json::Value;

fn objects(ended: &Ended) -> Vec<Value> {
    ended.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn scripts_get_an_object_each_second_and_one_at_the_end() {
    let directory = Directory::new();
    let server = Server::start(&directory, &[]);
    let file = directory.path("source.flv");
    write_flv(&file, &film(60));
    let url = server.url("film");
    let player = Running::start(["play", &url, "--json", "--buffer", "700ms"]);
    server.wait_for_plays(1);
    let published = run(["publish", file.to_str().unwrap(), &url, "--json"]);
    assert_eq!(published.code, Some(0), "{}", published.said);
    let played = player.output();
    assert_eq!(played.code, Some(0), "{}", played.said);

    for (ended, command) in [(&played, "play"), (&published, "publish")] {
        let objects = objects(ended);
        assert!(objects.len() >= 3, "{}", ended.text());
        let (last, before) = objects.split_last().unwrap();
        assert!(before.iter().all(|object| object["ended"] == false));
        assert_eq!((&last["ended"], &last["command"]), (&true.into(), &command.into()));
        let video = &last["video"];
        assert_eq!((&video["codec"], &video["frames"]), (&"H.264".into(), &60.into()));
        assert_eq!((&video["width"], &video["height"]), (&320.into(), &240.into()));
        assert_eq!((&video["key_frames"], &video["key_interval_ms"]), (&6.into(), &400.into()));
        let fps = video["frames_per_second"].as_f64().unwrap();
        assert!((20.0..30.0).contains(&fps), "{last}");
        let audio = &last["audio"];
        assert_eq!((&audio["codec"], &audio["sample_rate"]), (&"AAC".into(), &44_100.into()));
        assert_eq!((&audio["channels"], &last["gaps"]), (&2.into(), &0.into()));
        assert!(last["bits_per_second"].as_f64().unwrap() > 50_000.0, "{last}");
    }
    let (played, published) = (objects(&played), objects(&published));
    let (played, published) = (played.last().unwrap(), published.last().unwrap());
    let arrival = &played["arrival"];
    let figure = |name: &str| arrival[name].as_f64().unwrap();
    assert!(figure("jitter_ms") >= 0.0 && figure("delay_ms_max") < 2_000.0, "{played}");
    assert!(played.get("uplink").is_none() && published.get("arrival").is_none());
    let uplink = &published["uplink"];
    for name in ["skipped_video", "skipped_audio", "skipped_bytes", "skips"] {
        assert_eq!(uplink[name], 0, "{published}");
    }
    assert!(uplink["lag_ms_max"].as_u64().unwrap() < 2_000, "{published}");
}

#[test]
fn it_ends_when_nobody_reads_the_objects() {
    let directory = Directory::new();
    let server = Server::start(&directory, &[]);
    let file = directory.path("source.flv");
    write_flv(&file, &film(25));
    let url = server.url("film");
    let publisher = Piped::start(["publish", file.to_str().unwrap(), &url, "--loop", "--json"]);
    let player = Piped::start(["play", &url, "--json"]);
    for mut command in [player, publisher] {
        let first = command.read_line();
        assert!(first.starts_with('{'), "{first}");
        command.close_output();
        let ended = command.output();
        assert_eq!(ended.code, Some(0), "{}", ended.said);
    }
}

#[test]
fn people_get_a_panel() {
    let directory = Directory::new();
    let server = Server::start(&directory, &[]);
    let file = directory.path("source.flv");
    write_flv(&file, &film(40));
    let url = server.url("film");
    let player = Running::start(["play", &url, "--stats"]);
    server.wait_for_plays(1);
    let published = run(["publish", file.to_str().unwrap(), &url, "--stats"]);
    let played = player.output();
    for (ended, rows) in [
        (&played, ["first frame", "arrival     ", "key frames  4  every 400 ms"]),
        (&published, ["lag         ", "queued      ", "skipped     0 video, 0 audio, 0 times"]),
    ] {
        assert_eq!(ended.code, Some(0), "{}", ended.said);
        assert!(ended.said.contains("video       H.264  320 x 240"), "{}", ended.said);
        assert!(ended.said.contains("audio       AAC  44100 Hz  2 channels"), "{}", ended.said);
        for row in rows {
            assert!(ended.said.contains(row), "{row}: {}", ended.said);
        }
        assert!(ended.stdout.is_empty());
    }
}

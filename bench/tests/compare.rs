//! The comparison as a command, very small: that it goes on working, writes what it says, goes on
//! where it was broken off, and leaves nobody behind. Nothing is said of any figure.

#![expect(clippy::unwrap_used, reason = "a program that fails is a failed test")]

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

/// The folder of the programs, with those built that are of other packages.
fn programs() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let compare = Path::new(env!("CARGO_BIN_EXE_compare"));
        let status = Command::new(env!("CARGO"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args([
                "build",
                "--quiet",
                "--bins",
                "--package",
                "millstream",
                "--package",
                "loadtest",
            ])
            .status()
            .unwrap();
        assert!(status.success(), "the programs cannot be built");
        compare.parent().unwrap().to_owned()
    })
}

/// A comparison of millstream and the bare sender, in a folder of its own.
fn compare(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(programs().join("compare"));
    command
        .args(["--only", "ride", "millstream", "bare", "--players", "20", "--noisy"])
        .args(["--seconds", "1", "--tools", "/nonexistent"])
        .args(arguments)
        .arg("--out")
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("compare-{name}"));
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn said(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    format!("{out}\n{err}")
}

fn runs(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("runs.jsonl")).unwrap();
    text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_small_comparison_comes_to_its_tables() {
    if std::thread::available_parallelism().unwrap().get() < 2 {
        eprintln!("the comparison needs two cores");
        return;
    }
    let folder = scratch("small");
    let output = compare(&folder, &["--rounds", "1"]).output().unwrap();
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("audio riding on video") && text.contains("1 of 1"), "{text}");

    let json: Value =
        serde_json::from_slice(&fs::read(folder.join("compare.json")).unwrap()).unwrap();
    assert_eq!((&json["format"], json["runs"].as_array().unwrap().len()), (&1.into(), 2));
    let ratio = &json["targets"][0];
    assert!(ratio["spread"]["median"].as_f64().unwrap() > 0.0, "{text}\n{ratio}");
    assert_eq!(ratio["rounds"], serde_json::json!([1, 1]), "{text}");
    for run in json["runs"].as_array().unwrap() {
        assert_eq!(run["outcome"]["Ok"]["right"], true, "{run}");
    }
    let page = fs::read_to_string(folder.join("compare.html")).unwrap();
    assert!(page.contains("<svg") && page.contains("CPU against delay, 20 players"));
    assert!(!page.contains("<script") && !page.contains("src="));
    let markdown = fs::read_to_string(folder.join("compare.md")).unwrap();
    assert!(markdown.contains("congestion control") && markdown.contains("| millstream |"));

    // The page can be drawn again from what was written.
    let again = scratch("again");
    let output = Command::new(env!("CARGO_BIN_EXE_compare"))
        .args(["--players", "20", "--render"])
        .arg(folder.join("compare.json"))
        .arg("--out")
        .arg(&again)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(fs::read_to_string(again.join("compare.html")).unwrap(), page);

    // The first round is there, the second is added.
    let output = compare(&folder, &["--rounds", "1", "--resume"]).output().unwrap();
    assert!(output.status.success() && runs(&folder).len() == 2, "{}", said(&output));
    let output = compare(&folder, &["--rounds", "2", "--resume"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}

#[test]
fn an_interrupt_leaves_nobody_behind_and_can_be_gone_on_with() {
    let folder = scratch("interrupt");
    let run = compare(&folder, &["--rounds", "9"]).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(3));
    kill_process(Pid::from_raw(run.id().cast_signed()).unwrap(), Signal::INT).unwrap();
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", said(&output));
    // What it starts is told a path in its folder, by which it would be found.
    let ours = folder.to_string_lossy().into_owned();
    for process in fs::read_dir("/proc").unwrap() {
        let Ok(line) = fs::read(process.unwrap().path().join("cmdline")) else { continue };
        assert!(!String::from_utf8_lossy(&line).contains(&ours));
    }
    assert!(folder.join("compare.md").exists() && runs(&folder).len() < 18);
}

#[test]
fn what_cannot_be_run_is_said() {
    let folder = scratch("wrong");
    for (arguments, expected) in [
        (&["--only", "no-such-server"][..], "no-such-server"),
        (&["--srs", "/nonexistent/srs"], "/nonexistent/srs"),
        (&["--players", "5"], "--players"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_compare"))
            .args(arguments)
            .arg("--out")
            .arg(&folder)
            .output()
            .unwrap();
        let text = said(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains(expected), "{arguments:?}: {text}");
    }
}

#[test]
fn the_list_names_groups_and_servers() {
    let output = Command::new(env!("CARGO_BIN_EXE_compare")).arg("--list").output().unwrap();
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    for name in ["ride", "climb", "nginx-low-delay", "SRS", "--srs PATH"] {
        assert!(text.contains(name), "{name}: {text}");
    }
}

//! Every trial, small: all variants still run, and deliver the right bytes.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Runs a trial with two players for half a second, and looks at what came.
fn small(name: &str, more: &[&str]) {
    let folder = std::env::temp_dir().join(format!("trial-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (json, table) = (folder.join("json"), folder.join("md"));
    let ended = Command::new(env!("CARGO_BIN_EXE_trials"))
        .args([name, "--players", "2", "--publishers", "2", "--seconds", "0.5", "--rounds", "1"])
        .args(["--json".as_ref(), json.as_os_str(), "--markdown".as_ref(), table.as_os_str()])
        .args(more)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{told}");
    let runs: Vec<Value> = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    let table = std::fs::read_to_string(&table).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();

    let trial = bench::trials::all().into_iter().find(|trial| trial.name == name).unwrap();
    let wanted: usize = trial.cases.iter().map(|case| case.variants.len()).sum();
    assert_eq!(runs.len(), wanted);
    for run in &runs {
        // That a busy machine had no time for the generator is not what is judged.
        assert!(run["verdict"] != "fail" && run["faults"] == 0, "{run}\n{told}");
        assert!(run["frames"].as_u64().unwrap() > 0 && run["compared"].as_u64().unwrap() > 0);
        assert!(run["resident_bytes"].as_u64().unwrap() > 0, "{run}");
        assert!(table.contains(run["variant"].as_str().unwrap()), "{table}");
    }
}

#[test]
fn nagle() {
    small("nagle", &[]);
}

#[test]
fn sendfile() {
    small("sendfile", &[]);
}

#[test]
fn phases() {
    small("phases", &[]);
}

#[test]
fn uring_sends() {
    small("uring-sends", &[]);
}

#[test]
fn local_copy() {
    small("local-copy", &[]);
}

#[test]
fn huge_pages() {
    small("huge-pages", &[]);
}

#[test]
fn wait() {
    small("wait", &[]);
}

#[test]
fn setup_flags() {
    small("setup-flags", &[]);
}

/// Both variants are the server as it is: that it can be built otherwise is not what this tests.
#[test]
fn allocator() {
    let beside = Path::new(env!("CARGO_BIN_EXE_trials")).with_file_name("millstream");
    // Built already where all is tested; another package's program is not built for this one alone.
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--package", "millstream", "--bin", "millstream"]);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    assert!(build.status().unwrap().success());
    let server = beside.to_str().unwrap();
    small("allocator", &["--millstream", server, "--system-allocator", server]);
}

#[test]
fn threads() {
    small("threads", &[]);
}

#[test]
fn the_program_lists_the_trials_and_refuses_others() {
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_trials")).args(arguments).output().unwrap()
    };
    let list = String::from_utf8(run(&["--list"]).stdout).unwrap();
    assert_eq!(list.lines().count(), bench::trials::all().len());
    assert!(list.lines().all(|line| line.ends_with('?')), "{list}");
    assert_eq!(run(&["no-such"]).status.code(), Some(2));
    assert_eq!(run(&["nagle", "--bare", "/nonexistent"]).status.code(), Some(2));
}

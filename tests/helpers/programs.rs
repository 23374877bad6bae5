//! Programs that behave badly, and limits.

use crate::support::*;
use std::time::Instant;

#[test]
fn one_that_ignores_the_request_to_end_is_killed_with_all_that_is_its_own() {
    let mark = Mark::new();
    let run =
        ["sh", "-c", "trap '' TERM; (setsid sleep 600 &); echo deaf; while :; do sleep 1; done"];
    let config = mark.helper("deaf", "a", "always", &run, "patience = \"200ms\"\n");
    let mut server = Server::start(&[], &config);
    let state = until_state(&server, "deaf", "running");
    until("its word", || log(&self::state(&server, "deaf")).contains("deaf"));
    let group = state["pid"].as_i64().unwrap();
    server.terminate();
    until("the server's end", || server.ended().is_some());
    assert!(server.ended().unwrap().success(), "{}", server.log());
    assert!(mark.processes().is_empty(), "a server that ends waits for its helpers");
    assert!(!lives(i32::try_from(group).unwrap()));
}

#[test]
fn one_that_leaves_children_behind_has_them_ended() {
    let mark = Mark::new();
    let run = ["sh", "-c", "(setsid sleep 600 &); sleep 601 & exit 3"];
    let more = "patience = \"200ms\"\nbackoff = \"30s\"\nbackoff_max = \"30s\"\n";
    let server = Server::start(&[], &mark.helper("careless", "a", "always", &run, more));
    let state = until_state(&server, "careless", "backing-off");
    assert_eq!(
        (&state["last_end"], &state["pid"]),
        (&"exit status 3".into(), &serde_json::Value::Null)
    );
    assert!(mark.processes().is_empty());
}

#[test]
fn one_that_writes_without_end_costs_little_and_is_cut() {
    let mark = Mark::new();
    let run = ["sh", "-c", "yes \"$(printf '%2000s' x)\" >&2"];
    let config = mark.helper("loud", "a", "always", &run, "log_lines = 10\n");
    let mut server = Server::start(&[], &config);
    until_state(&server, "loud", "running");
    let before = server.resident_kib();
    let began = Instant::now();
    while began.elapsed() < seconds(1) {
        server.get("/api/v1/helpers");
        std::thread::sleep(millis(50));
    }
    let state = state(&server, "loud");
    let lines = state["log"].as_array().unwrap();
    assert!((1..=10).contains(&lines.len()));
    assert!(lines.iter().all(|line| line["text"].as_str().unwrap().len() < 600));
    let grown = server.resident_kib().saturating_sub(before);
    assert!(grown < 30_000, "{grown} KiB more");
    server.assert_healthy();
}

#[test]
fn one_that_ends_at_once_is_given_pauses_and_at_last_given_up() {
    let mark = Mark::new();
    let more = "backoff = \"100ms\"\ntries = 4\n";
    let config = mark.helper("brief", "a", "always", &["false"], more);
    let server = Server::start(&[], &config);
    let state = until_state(&server, "brief", "failed");
    assert_eq!((&state["starts"], &state["last_end"]), (&4.into(), &"exit status 1".into()));
    std::thread::sleep(millis(500));
    assert_eq!(self::state(&server, "brief")["starts"], 4);
}

#[test]
fn what_cannot_be_run_says_why() {
    let mark = Mark::new();
    let config = [
        mark.helper("missing", "a", "always", &["/nowhere/program"], ""),
        mark.helper("no-program", "b", "always", &["/etc/passwd"], ""),
        mark.helper("nowhere", "c", "always", &["true"], "cwd = \"/nowhere\"\n"),
    ];
    let server = Server::start(&[], &config.concat());
    for (helper, why) in [
        ("missing", "the program cannot be run: No such file"),
        ("no-program", "the program cannot be run: Permission denied"),
        ("nowhere", "its directory cannot be entered: No such file"),
    ] {
        let state = until_state(&server, helper, "failed");
        let end = state["last_end"].as_str().unwrap();
        assert!(end.starts_with(why), "{end}");
        assert_eq!(state["starts"], 1);
    }
}

#[test]
fn limits_and_surroundings_are_those_of_the_settings() {
    let mark = Mark::new();
    let script = "ulimit -n; ulimit -v; ulimit -t; nice; pwd; echo \"$GREETING|$MILLSTREAM_LOG|$0\"; \
                  ps -o pgid=,sid= -p $$; cat; ls -l /proc/self/fd; echo over; sleep 600";
    let more = "open_files = 77\nmemory = \"512MiB\"\ncpu = \"90s\"\nnice = 3\ncwd = \"/usr\"\n";
    let config = mark.helper("shows", "cam", "always", &["sh", "-c", script, "{name}"], more);
    let config = config.replace("env = { ", "env = { GREETING = \"to {app}\", ");
    let mut command = std::process::Command::new(server::BINARY);
    // A setting of the server's, which its helpers do not get.
    command.args(arguments(&[], &config)).env("MILLSTREAM_LOG", "info");
    let server = Server::spawn(command);
    until("its words", || log(&state(&server, "shows")).contains("over"));
    let state = state(&server, "shows");
    let (log, pid) = (log(&state), &state["pid"]);
    let pids = log.lines().nth(6).unwrap().split_whitespace().collect::<Vec<_>>();
    assert_eq!(pids, [pid.to_string(), pid.to_string()], "a group and a session of its own");
    // Of the server's own descriptors it has none.
    assert!(!log.contains("socket:") && !log.contains("anon_inode:"), "{log}");
    let expected = ["77", "524288", "90", "3", "/usr", "to live||cam"];
    assert_eq!(log.lines().take(6).collect::<Vec<_>>(), expected);
}

//! The helper, its guardian and the server are killed, with the signal that nobody can answer.

use crate::support::*;

/// A program that does not want to end: it ignores what it is asked, and has children in its group,
/// in a session of their own, and orphaned ones.
const STUBBORN: &str = "trap '' TERM INT HUP; \
    (setsid sh -c \"trap '' TERM; sleep 600 & sleep 601\" &) ; sleep 602 & sleep 603; sleep 604";

#[test]
fn nothing_outlives_a_server_that_is_killed() {
    let mark = Mark::new();
    let stubborn = ["sh", "-c", STUBBORN];
    let config = [
        mark.helper("stubborn", "a", "always", &stubborn, "patience = \"300ms\"\n"),
        mark.helper("pictures", "b", "always", &pictures_to("{output}"), ""),
    ];
    let mut server = Server::start(&[], &config.concat());
    until_state(&server, "stubborn", "running");
    play(&server, "b", 5);
    until("all processes", || mark.processes().len() >= 7);
    let guardians = children(server.pid());
    assert_eq!(guardians.len(), 2);
    kill(i32::try_from(server.pid()).unwrap());
    until("the server's end", || server.ended().is_some());
    mark.until_gone();
    until("the guardians' end", || !guardians.iter().any(|&pid| lives(pid)));
}

#[test]
fn a_server_that_is_killed_while_its_helpers_start_leaves_none() {
    let mark = Mark::new();
    let config: String = (0..4)
        .map(|at| {
            let run = ["sh", "-c", STUBBORN];
            let name = format!("stubborn-{at}");
            mark.helper(&name, &name, "always", &run, "patience = \"100ms\"\n")
        })
        .collect();
    for wait_ms in [0, 5, 10, 20, 40, 80] {
        let mut server = Server::start(&[], &config);
        std::thread::sleep(millis(wait_ms));
        let guardians = children(server.pid());
        kill(i32::try_from(server.pid()).unwrap());
        until("the server's end", || server.ended().is_some());
        // Whoever was just being started finds the end of its pipe, and leaves as the others do.
        until("the guardians' end", || !guardians.iter().any(|&pid| lives(pid)));
        mark.until_gone();
    }
}

#[test]
fn a_helper_that_is_killed_comes_back_each_time() {
    let mark = Mark::new();
    let more = "backoff = \"100ms\"\nbackoff_max = \"200ms\"\n";
    let config = mark.helper("pictures", "cam", "viewer", &pictures_to("{output}"), more);
    let mut server = Server::start(&[], &config);
    std::thread::scope(|scope| {
        // This one stays through all of it.
        let stays = scope.spawn(|| play(&server, "cam", 40));
        for round in 1..=3 {
            until("its start", || {
                let state = state(&server, "pictures");
                state["state"] == "running" && state["starts"] == round
            });
            play(&server, "cam", 3);
            kill(i32::try_from(state(&server, "pictures")["pid"].as_i64().unwrap()).unwrap());
        }
        stays.join().unwrap();
    });
    let state = state(&server, "pictures");
    assert_eq!((&state["starts"], &state["last_end"]), (&4.into(), &"SIGKILL".into()));
    // What was killed left nothing, and the last one ends with the server.
    until("one process", || mark.processes().len() == 1);
    server.terminate();
    until("the server's end", || server.ended().is_some());
    mark.until_gone();
    assert!(server.ended().unwrap().success(), "{}", server.log());
}

#[test]
fn nothing_outlives_a_guardian_that_is_killed() {
    let mark = Mark::new();
    let config = mark.helper(
        "stubborn",
        "a",
        "always",
        &["sh", "-c", STUBBORN],
        "backoff = \"30s\"\nbackoff_max = \"30s\"\n",
    );
    let mut server = Server::start(&[], &config);
    until_state(&server, "stubborn", "running");
    until("all processes", || mark.processes().len() >= 6);
    let guardians = children(server.pid());
    guardians.iter().for_each(|&pid| kill(pid));
    mark.until_gone();
    let state = until_state(&server, "stubborn", "backing-off");
    assert_eq!(state["last_end"], "its guardian was killed");
    server.assert_healthy();
}

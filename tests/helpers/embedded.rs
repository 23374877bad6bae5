//! Helpers of a program that embeds the server: which guardians will do, and what is said of others.

use crate::support::*;
use millstream::helper::config::{HelperConfig, Start};
use millstream::helper::{Guardian, Helpers, Pattern, State, Surroundings, Wishes, start};
use std::sync::Arc;

fn helpers(guardian: Guardian) -> Helpers {
    let stream = Pattern::parse("cam").unwrap();
    let helper = HelperConfig::new("sleeper", &["sleep", "600"], stream, Start::Always).unwrap();
    let surroundings = Surroundings {
        guardian,
        rtmp: &["127.0.0.1:1".parse().unwrap()],
        wishes: Arc::new(Wishes::new().unwrap()),
        passes: None,
    };
    start(vec![helper], surroundings).unwrap()
}

/// How the helper is, once it neither waits nor starts.
fn fate(helpers: &Helpers) -> (State, Option<i32>, String) {
    let mut found = None;
    until("a fate", || {
        let snapshot = helpers.handle().snapshots().remove(0).instances.remove(0);
        let decided = !matches!(snapshot.state, State::Waiting | State::Starting);
        let end = snapshot.last_end.unwrap_or_default();
        found = decided.then_some((snapshot.state, snapshot.pid, end));
        decided
    });
    found.unwrap()
}

#[test]
fn another_program_may_have_a_millstream_for_guardian() {
    let helpers = helpers(Guardian::at(server::BINARY));
    let (state, pid, _) = fate(&helpers);
    assert_eq!(state, State::Running);
    assert!(lives(pid.unwrap()));
    helpers.shutdown();
    assert!(!lives(pid.unwrap()));
}

#[test]
fn what_is_no_guardian_is_said_to_be_none() {
    for (program, why) in [
        ("/nowhere/millstream", "the guardian /nowhere/millstream cannot be started"),
        ("/bin/true", "it ended without a word"),
        ("/bin/echo", "it talks of other things"),
    ] {
        let helpers = helpers(Guardian::at(program));
        let (state, pid, end) = fate(&helpers);
        assert_eq!((state, pid), (State::Failed, None));
        assert!(end.contains(why), "{program}: {end}");
        helpers.shutdown();
    }
}

#[test]
fn a_program_that_should_guard_and_does_not_know_it_starts_no_helpers() {
    let config = Mark::new().helper("sleeper", "cam", "always", &["sleep", "600"], "");
    let output = std::process::Command::new(server::BINARY)
        .args(arguments(&[], &config))
        .env("HELPER_GUARDIAN_OF_MILLSTREAM", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("serve_if_asked"), "{said}");
}

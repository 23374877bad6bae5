//! What the generator's exit codes say.

use crate::generator::program;
use millstream_testkit::{Driver, Scratch, Server, Target};
use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    Command::new(program()).args(arguments).arg("--quiet").output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("{output:?}"))
}

#[test]
fn what_cannot_be_run_is_two_and_says_what_to_do() {
    for (arguments, said) in [
        (&["http://127.0.0.1/live/x"][..], "rtmp://HOST"),
        (&["rtmp://192.0.2.1/live/x"], "--remote"),
        (&["rtmp://127.0.0.1/live/x", "--fail-if", "luck>1"], "luck"),
        (&["rtmp://127.0.0.1/live/x", "--file", "/nonexistent.flv"], "/nonexistent.flv"),
        (&["rtmp://127.0.0.1/live/x", "--scenario", "/nonexistent.toml"], "/nonexistent.toml"),
        (&["rtmp://127.0.0.1/live/x", "--cores", "4095"], "--cores"),
        (&["rtmp://127.0.0.1/live/x", "--players", "10000000"], "ulimit"),
        (&["rtmp://127.0.0.1/live/x", "--congestion", "none-such"], "none-such"),
        (&["--server", "/nonexistent/millstream"], "/nonexistent/millstream"),
    ] {
        let output = run(arguments);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(code(&output), 2, "{arguments:?}: {text}");
        assert!(text.contains(said), "{arguments:?}: {text}");
    }
}

#[test]
fn a_server_that_is_not_there_is_one() {
    let output = run(&["rtmp://127.0.0.1:1/live/x", "--players", "3", "--seconds", "1"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(code(&output), 1, "{text}");
    assert!(text.contains("connection-refused") && text.ends_with("FAIL\n"), "{text}");
}

#[test]
fn conditions_decide() {
    let binary = env!("CARGO_BIN_EXE_millstream").into();
    let target = Target::Millstream { binary, driver: Driver::Default, args: Vec::new() };
    let scratch = Scratch::new("exits").unwrap();
    let server = Server::start(&scratch, &target).unwrap();
    let url = server.url("load");
    let with = |condition: &str| {
        run(&[&url, "--players", "3", "--seconds", "1", "--lead", "200ms", "--fail-if", condition])
    };
    for (condition, wanted) in [("lost>0", 0), ("playing<4", 1), ("cpu_per_gb>100", 1)] {
        let output = with(condition);
        // 3 says that the machine was too busy to believe any times.
        let code = code(&output);
        assert!(code == wanted || code == 3, "{condition}: {output:?}");
    }
}

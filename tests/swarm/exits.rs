//! What the generator's exit codes say.

use crate::generator::program;
use millstream_testkit::{Driver, Scratch, Server, Target};
use rustix::process::{Pid, Signal};
use std::io::Read;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

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
        (&["rtmp://127.0.0.1/live/x", "--pid", "99999999"], "--pid 99999999"),
        (&["rtmp://127.0.0.1/live/x", "--http", "nonsense"], "--http nonsense"),
        (&["rtmp://127.0.0.1/live/x", "--json", "/nonexistent/a.json"], "--json /nonexistent"),
        (&["rtmp://127.0.0.1/live/x", "--steps", "5:5", "--players", "5"], "--players"),
        (&["--publishers", "0"], "another loadtest"),
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
fn an_interrupt_ends_the_run_with_a_report_and_the_server_with_it() {
    let program = program();
    let mut run = Command::new(program)
        .args(["--server", env!("CARGO_BIN_EXE_millstream"), "--players", "5"])
        .args(["--seconds", "60", "--lead", "200ms", "--quiet", "--fail-if", "lost>0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_secs(3));
    let pid = Pid::from_raw(i32::try_from(run.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, Signal::INT).unwrap();
    let began = Instant::now();
    let mut text = String::new();
    // The server has the same standard output, or one of its own that ends with it.
    run.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(text.contains("broken off before its end"), "{text}");
    assert!(!text.contains("closed") && !text.contains("stream-ended"), "{text}");
    assert!(matches!(run.wait().unwrap().code(), Some(1 | 3)), "{text}");
    assert!(began.elapsed() < Duration::from_secs(20), "it took {:?}", began.elapsed());
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

//! Players and publishers that come and go by plan, and those whose publishers are another
//! program's: what is allowed of them must not hide what is wrong, and none of it may make a run
//! wait for ever.

use crate::support::found::{expected, found, names};
use crate::support::good::good_server;
use crate::support::plan::plan;
use crate::support::run::{hold, run};
use crate::support::scripts;
use loadtest::plan::{Group, Manner, Playing, Publishing, Step};
use loadtest::proxy::Proxy;
use loadtest::report::{Report, Verdict};
use std::net::SocketAddr;
use std::time::Duration;

/// Chunks as large as most servers send them.
const CHUNK_SIZE: u32 = 4096;

#[test]
fn players_who_are_never_all_there_at_one_time_keep_no_run_waiting() -> Result<(), String> {
    let mut plan = plan(good_server(CHUNK_SIZE), 1, 20);
    let (stay, away) = (Duration::from_millis(300), Duration::from_millis(900));
    let behaviour = Playing::Flapping { stay, away, manner: Manner::InOrder };
    plan.groups = vec![Group { behaviour, ..Group::healthy() }];
    plan.steps = vec![Step { over: Duration::from_secs(2), ..plan.steps[0] }];
    let report = run(plan)?;
    hold(found(&report).is_empty(), || format!("{:?}", found(&report)))?;
    hold(report.groups[0].joined >= 20, || format!("{} joined", report.groups[0].joined))
}

#[test]
fn publishers_that_come_and_go_must_come() -> Result<(), String> {
    let (stay, away) = (Duration::from_secs(1), Duration::from_millis(100));
    let manner = Manner::InOrder;
    for behaviour in [
        Publishing::Flapping { stay, away, manner },
        Publishing::Duel { every: Duration::from_secs(9) },
    ] {
        let mut plan = plan(scripts::nobody(), 2, 0);
        plan.publishers.behaviour = behaviour;
        let report = run(plan)?;
        let wanted = expected([("error.connection-refused", 2)]);
        hold(found(&report) == wanted, || format!("{:?}", found(&report)))?;
        hold(report.verdict != Verdict::Pass, || "it passed".to_owned())?;
    }
    Ok(())
}

/// Players of the second of two streams, which another run publishes; the players come to `players`.
fn played_apart(server: SocketAddr, players: SocketAddr) -> Result<Report, String> {
    let mut publishing = plan(server, 2, 0);
    publishing.steps = vec![Step::new(0, Duration::from_secs(9))];
    std::thread::spawn(move || run(publishing));
    std::thread::sleep(Duration::from_secs(1));
    let mut playing = plan(players, 2, 3);
    (playing.publishers.count, playing.publishers.first, playing.played) = (0, 1, 1);
    run(playing)
}

#[test]
fn a_stream_of_another_run_is_known_by_its_number() -> Result<(), String> {
    let server = good_server(CHUNK_SIZE);
    let report = played_apart(server, server)?;
    hold(found(&report).is_empty(), || format!("{:?}", found(&report)))?;
    hold(report.groups[0].video.frames > 0, || "nothing was played".to_owned())
}

#[test]
fn silence_is_noticed_though_another_run_publishes() -> Result<(), String> {
    let server = good_server(CHUNK_SIZE);
    let faults = ["stall:video@70".parse().unwrap()];
    let proxy = Proxy::start("127.0.0.1:0".parse().unwrap(), server, &faults).unwrap();
    let report = played_apart(server, proxy.address())?;
    hold(names(&found(&report)) == ["error.stalled"], || format!("{:?}", found(&report)))
}

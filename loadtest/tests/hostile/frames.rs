//! A good server, with a proxy before it that damages single frames: what the proxy says it did and
//! what the generator finds must be the same.

use crate::support::found::{Found, expected, found, names};
use crate::support::good::good_server;
use crate::support::plan::plan;
use crate::support::run::{Case, all, hold, run};
use loadtest::plan::Plan;
use loadtest::proxy::Proxy;
use loadtest::report::{Report, Verdict};
use std::time::Duration;

/// Chunks as large as most servers send them.
const CHUNK_SIZE: u32 = 4096;
/// Players of a run.
const PLAYERS: usize = 3;
/// Enough players that some have every byte compared.
const MANY: usize = 40;

/// Frames that take longer are late: more than a busy machine takes, less than a fault delays one.
const LATE: Duration = Duration::from_millis(350);

/// What a run through a damaging proxy came to.
struct Seen {
    /// How often the fault was applied.
    applied: u64,
    found: Found,
    report: Report,
}

/// Runs with a fault in the way.
fn through(fault: &str, publishers: u32, players: usize) -> Result<Seen, String> {
    let server = good_server(CHUNK_SIZE);
    let faults = [fault.parse().unwrap()];
    let proxy = Proxy::start("127.0.0.1:0".parse().unwrap(), server, &faults).unwrap();
    let plan = Plan {
        late: LATE,
        // Of few, every byte is compared; of many, those of a sample.
        compared_of: if players < MANY { 1 } else { 16 },
        ..plan(proxy.address(), publishers, players)
    };
    let report = run(plan)?;
    let applied = proxy.applied();
    hold(applied.len() <= 1, || format!("it did something else: {applied:?}"))?;
    let applied = applied.into_values().sum();
    hold(applied > 0, || format!("it did nothing: {report}"))?;
    Ok(Seen { applied, found: found(&report), report })
}

/// A fault that hits one frame of each player, and the counters that go up by one for it.
fn once<'a>(fault: &'a str, counters: &'a [&'a str]) -> Case<'a> {
    let case = move || {
        let Seen { applied, found, report } = through(fault, 1, PLAYERS)?;
        let wanted: Found =
            counters.iter().map(|counter| ((*counter).to_owned(), PLAYERS as u64)).collect();
        hold(applied == PLAYERS as u64, || format!("applied {applied} times"))?;
        hold(found == wanted, || format!("{found:?} instead of {wanted:?}"))?;
        hold(report.verdict != Verdict::Pass, || "it passed".to_owned())
    };
    (fault, Box::new(case))
}

/// Something else to be tried.
fn case<'a>(name: &'a str, case: impl FnOnce() -> Result<(), String> + Send + 'a) -> Case<'a> {
    (name, Box::new(case))
}

fn nothing(report: &Report) -> Result<(), String> {
    let found = found(report);
    hold(found.is_empty(), || format!("{found:?}"))?;
    // A busy machine makes a run INVALID, but nothing makes it FAIL.
    hold(report.verdict != Verdict::Fail, || report.to_string())?;
    let players = &report.groups[0];
    hold(players.video.frames > 0 && players.audio.frames > 0, || report.to_string())
}

/// As many were found as were applied, but for what was under way to each player when the run ended,
/// and nothing else.
fn all_but_the_last(applied: u64, found: &Found, counter: &str) -> Result<(), String> {
    let count = found.get(counter).copied().unwrap_or(0);
    let under_way = 2 * PLAYERS as u64;
    let fits = count <= applied && applied - count <= under_way;
    hold(names(found) == [counter] && fits, || format!("{applied}: {found:?}"))
}

#[test]
fn of_a_good_server_nothing_is_found() {
    let direct = |chunk_size| nothing(&run(plan(good_server(chunk_size), 1, PLAYERS))?);
    all(vec![
        case("chunks of one byte", move || direct(1)),
        case("chunks of the default size", move || direct(128)),
        case("the largest chunks", move || direct(0x7fff_ffff)),
        case("two streams", || nothing(&run(plan(good_server(CHUNK_SIZE), 2, 2 * PLAYERS))?)),
        case("a proxy that has nothing to do", || {
            let server = good_server(CHUNK_SIZE);
            let proxy = Proxy::start("127.0.0.1:0".parse().unwrap(), server, &[]).unwrap();
            nothing(&run(plan(proxy.address(), 1, PLAYERS))?)
        }),
    ]);
}

#[test]
fn a_track_of_which_nothing_comes_is_lost() -> Result<(), String> {
    let Seen { found, report, .. } = through("drop:audio@1/1", 1, PLAYERS)?;
    hold(names(&found) == ["audio.lost"], || format!("{found:?}"))?;
    hold(report.verdict != Verdict::Pass, || "it passed".to_owned())
}

#[test]
fn each_damaged_frame_is_found_once_and_nothing_else_is() {
    all(vec![
        once("drop:video@30", &["video.lost"]),
        once("drop:audio@30", &["audio.lost"]),
        once("swap:video@30", &["video.reordered"]),
        once("swap:audio@30", &["audio.reordered"]),
        once("duplicate:video@30", &["video.duplicated"]),
        once("duplicate:audio@30", &["audio.duplicated"]),
        once("corrupt:video@30", &["video.corrupt"]),
        once("corrupt:audio@30", &["audio.corrupt"]),
        once("truncate:video@30", &["video.corrupt"]),
        once("truncate:audio@30", &["audio.corrupt"]),
        once("extend:video@30", &["video.corrupt"]),
        // A frame that does not say which it is: its number is missing too.
        once("strip:video@30", &["video.lost", "video.unmarked"]),
        once("strip:audio@30", &["audio.lost", "audio.unmarked"]),
    ]);
}

#[test]
fn faults_that_come_again_are_all_found() {
    all(vec![
        case("drop", || {
            let Seen { applied, found, .. } = through("drop:video@11/7", 1, PLAYERS)?;
            hold(applied > 2 * PLAYERS as u64, || format!("applied {applied} times"))?;
            all_but_the_last(applied, &found, "video.lost")
        }),
        case("duplicate", || {
            let Seen { applied, found, .. } = through("duplicate:audio@2/1", 1, PLAYERS)?;
            all_but_the_last(applied, &found, "audio.duplicated")
        }),
        // Bytes are compared on a sample of the players, and there all of them.
        case("corrupt", || {
            let Seen { applied, found, report } = through("corrupt@1/1", 1, MANY)?;
            let compared = report.groups[0].compared;
            hold(0 < compared && compared < applied, || format!("compared {compared}"))?;
            let corrupt = found.values().sum::<u64>();
            hold(names(&found) == ["audio.corrupt", "video.corrupt"], || format!("{found:?}"))?;
            hold(corrupt == compared, || format!("{corrupt} of {compared} are corrupt"))
        }),
        case("cross", || {
            let Seen { applied, found, .. } = through("cross:video@30", 2, 2 * PLAYERS)?;
            let wanted = expected([("video.corrupt", applied)]);
            hold(found == wanted, || format!("{applied}: {found:?}"))
        }),
    ]);
}

#[test]
fn a_delay_is_no_fault_but_counts_as_late_and_shows_in_the_delays() -> Result<(), String> {
    let Seen { applied, report, .. } = through("delay=400:video@30/40", 1, PLAYERS)?;
    nothing(&report)?;
    let late = report.groups[0].video.late;
    hold(late >= applied, || format!("{late} late of {applied} that were held"))?;
    let times = &report.steps[0].times;
    let (video, audio) = (times.video.max, times.audio.max);
    // What comes behind the frame that is held is held with it.
    hold(video >= 400.0 && audio >= 300.0, || format!("{video} and {audio} ms"))
}

#[test]
fn a_connection_closed_in_mid_message_is_an_error_and_a_loss() -> Result<(), String> {
    let Seen { applied, found, .. } = through("close:video@30", 1, PLAYERS)?;
    hold(found.get("error.closed") == Some(&applied), || format!("{applied}: {found:?}"))?;
    // At least the frame that was cut; more were on their way.
    hold(found.get("video.lost") >= Some(&applied), || format!("{applied}: {found:?}"))?;
    let known = ["audio.lost", "error.closed", "video.lost"];
    hold(names(&found).iter().all(|name| known.contains(name)), || format!("{found:?}"))
}

//! Runs the generator, many runs at a time, none longer than it may take.

use loadtest::plan::Plan;
use loadtest::report::Report;
use loadtest::swarm::director;
use std::sync::mpsc;
use std::time::Duration;

/// The longest that a run may take whatever the server does. A run that waits for ever is a fault
/// of the generator.
const RUN_MAX: Duration = Duration::from_secs(20);

/// Runs a plan. The error says that it did not end, or ended badly.
pub fn run(plan: Plan) -> Result<Report, String> {
    let (done, record) = mpsc::channel();
    // Not joined: if it hangs, the test must not, and then nobody takes the record.
    std::thread::spawn(move || {
        let _ = done.send(director::run(&plan, &mut ()));
    });
    match record.recv_timeout(RUN_MAX) {
        Ok(Ok(record)) => Ok(Report::of(&record, &[])),
        Ok(Err(error)) => Err(format!("the run failed: {error}")),
        Err(mpsc::RecvTimeoutError::Timeout) => Err(format!("it did not end in {RUN_MAX:?}")),
        Err(mpsc::RecvTimeoutError::Disconnected) => Err("it panicked".to_owned()),
    }
}

/// One thing to be tried; the error says what was not as expected.
pub type Case<'a> = (&'a str, Box<dyn FnOnce() -> Result<(), String> + Send + 'a>);

/// Tries several things at once, for each of them mostly waits.
///
/// # Panics
/// If any was not as expected; all those are told.
pub fn all(cases: Vec<Case<'_>>) {
    let failed: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> =
            cases.into_iter().map(|(name, case)| (name, scope.spawn(case))).collect();
        let ended = running.into_iter().map(|(name, thread)| (name, thread.join()));
        let failed = ended.filter_map(|(name, result)| match result {
            Ok(Ok(())) => None,
            Ok(Err(why)) => Some(format!("{name}: {why}")),
            Err(_) => Some(format!("{name}: it panicked")),
        });
        failed.collect()
    });
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
}

/// Whether a thing holds, with what was seen if it does not.
pub fn hold(holds: bool, seen: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(seen()) }
}

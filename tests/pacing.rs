//! The pacing window of a real server under a real step of load: it widens while the core is full,
//! stands still while the load does, and goes back when the load is gone.
//!
//! The policy alone is tested beside it (`src/shard/pacing.rs`); this is the loop through clock,
//! scheduler and sockets. Many pictures a second make a core full with few players. The generator
//! shares the machine with whatever else runs, so no figure but the window itself is judged.

use loadtest::host::server::Server;
use loadtest::host::watch;
use loadtest::media::shape::Shape;
use loadtest::media::source::Source;
use loadtest::plan::{Plan, Step, Target};
use loadtest::swarm::director;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const FEW: usize = 5;
const MANY: usize = 1000;

#[test]
fn the_window_widens_under_load_stands_still_and_returns() {
    let cores = std::thread::available_parallelism().unwrap().get();
    let server = Server::start(Path::new(env!("CARGO_BIN_EXE_millstream")), "0", &[]).unwrap();
    let url = format!("rtmp://{}/live/load", server.rtmp);
    let step = |players, seconds| Step::new(players, Duration::from_secs(seconds));
    let target = Target::from_url(&url, false, false).unwrap();
    let plan = Plan {
        sources: vec![Arc::new(Source::Generated(Shape::new(500_000, 240)))],
        cores: vec![cores - 1],
        // A generator without optimisation must carry them: it reads several pictures at a time.
        nap: Duration::from_millis(30),
        steps: vec![step(FEW, 2), step(MANY, 9), step(FEW, 7)],
        pid: Some(server.pid()),
        http: Some(server.http.clone()),
        sample: Duration::from_millis(250),
        ..Plan::steady(target, MANY, Duration::ZERO)
    };
    let record = director::run(&plan, &mut ()).unwrap();
    drop(server);

    // Only what was measured: while players join, the window is on its way.
    let windows = |step: usize| -> Vec<u64> {
        let stretch = &record.stretches[step - 1];
        let moments = record.moments.iter().filter(|moment| moment.step == step);
        let windows = moments.map(|moment| watch::widest_window_ms(moment.shards.as_deref()?));
        let windows: Vec<u64> = windows.flatten().collect();
        let measured = (stretch.seconds / 0.25) as usize;
        windows[windows.len().saturating_sub(measured)..].to_vec()
    };
    let (calm, busy, after) = (windows(1), windows(2), windows(3));
    let told = format!("{calm:?} {busy:?} {after:?}, {:?}", record.stretches);
    assert!(calm.iter().all(|window| *window == 0), "nothing to do, yet it waits: {told}");
    assert!(*busy.last().unwrap() >= 50, "it did not widen: {told}");
    let settled = &busy[busy.len() / 2..];
    let changes = settled.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(changes <= 1, "it swings: {told}");
    assert_eq!(*after.last().unwrap(), 0, "it did not return: {told}");
}

//! The plan of all runs here.

use loadtest::plan::{Plan, Step};
use loadtest::swarm::peer::Target;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How long players are measured.
const LENGTH: Duration = Duration::from_secs(2);
/// Which core the next run takes.
static NEXT_CORE: AtomicUsize = AtomicUsize::new(0);

/// A short run against a server of this machine, at a rate that many runs at once can bear.
pub fn plan(server: SocketAddr, publishers: u32, players: usize) -> Plan {
    let cores = std::thread::available_parallelism().unwrap().get();
    let url = format!("rtmp://{server}/live/load");
    Plan {
        target: Target::from_url(&url, publishers > 1, false).unwrap(),
        publishers,
        played: publishers,
        bitrate: 500_000,
        fps: 30,
        cores: vec![NEXT_CORE.fetch_add(1, Ordering::Relaxed) % cores],
        nap: Duration::from_millis(5),
        steps: vec![Step { players, length: LENGTH }],
        pid: None,
        http: None,
        sample: Duration::from_millis(500),
    }
}

//! The plan of all runs here.

use loadtest::media::shape::Shape;
use loadtest::media::source::Source;
use loadtest::plan::{Patience, Plan, Publishers, Target};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How long players are measured.
const LENGTH: Duration = Duration::from_secs(2);
/// How long anything may take: longer than it does on a busy machine.
const PATIENCE: Duration = Duration::from_millis(2500);
/// Which core the next run takes.
static NEXT_CORE: AtomicUsize = AtomicUsize::new(0);

/// A short run against a server of this machine, at a rate that many runs at once can bear.
pub fn plan(server: SocketAddr, publishers: u32, players: usize) -> Plan {
    let cores = std::thread::available_parallelism().unwrap().get();
    let url = format!("rtmp://{server}/live/load");
    let target = Target::from_url(&url, publishers > 1, false).unwrap();
    Plan {
        publishers: Publishers::steady(publishers),
        played: publishers,
        sources: vec![Arc::new(Source::Generated(Shape::new(500_000, 30)))],
        cores: vec![NEXT_CORE.fetch_add(1, Ordering::Relaxed) % cores],
        nap: Duration::from_millis(5),
        lead: Duration::from_millis(500),
        patience: Patience {
            connect: PATIENCE,
            handshake: PATIENCE,
            request: PATIENCE,
            // The good server lets players wait for the next key frame, 2 s at most.
            first_frame: 2 * PATIENCE,
            // Longer than a fault delays a frame.
            stall: PATIENCE * 3 / 10,
        },
        sample: Duration::from_millis(500),
        ..Plan::steady(target, players, LENGTH)
    }
}

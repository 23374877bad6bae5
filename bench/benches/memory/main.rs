//! What a viewer's bytes are: every allocation that a shard holds for it, by size and by the
//! function that made it.
//!
//! A server, a publisher and two crowds of players share one process. An allocator keeps account of
//! what the shard's thread allocates (`account`); what it has allocated and holds since the second
//! crowd began to come, divided by that crowd, is the table. Resident memory is more, by what the
//! allocator's pages hold free: `perf/scenarios/memory.sh` measures that from outside.
//!
//! `cargo bench -p bench --bench memory [FIRST SECOND]` says how many play at first and then. As a
//! test it runs small, and holds the account to a bound.

mod account;

use account::{Accounting, Sum};
use loadtest::account::record::{Moment, Observer};
use loadtest::account::times::Times;
use loadtest::media::shape::Shape;
use loadtest::media::source::Source;
use loadtest::plan::{Plan, Step, Target};
use loadtest::swarm::director;
use millstream::config::Config;
use millstream::rules::Rules;
use millstream::server::{Server, raise_descriptors};
use std::collections::BTreeMap;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: Accounting = Accounting;

/// What an added viewer may hold, in bytes.
const BYTES_MAX: f64 = 2000.0;

/// Where the log of the stream is made, which grows with its media and belongs to all.
const LOG: &str = "millstream::stream::";

fn main() -> Result<(), Box<dyn Error>> {
    let numbers: Vec<usize> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let (first, second) = match numbers[..] {
        [first, second] if first < second => (first, second),
        _ => (50, 250),
    };
    raise_descriptors();
    account::begin();
    let cores = loadtest::host::cores::allowed();
    let config = Config {
        rtmp: vec![SocketAddr::from(([127, 0, 0, 1], 0)).into()],
        cores: cores[0].to_string().parse()?,
        ..Config::default()
    };
    let server = Server::start(config.clone(), Arc::new(Rules::new(config.keys.clone())))?;
    let url = format!("rtmp://{}/live/load", server.rtmp()[0]);
    let step = |players| Step::new(players, Duration::from_secs(2));
    let plan = Plan {
        sources: vec![Arc::new(Source::Generated(Shape::new(100_000, 10)))],
        nap: Duration::from_millis(20),
        steps: vec![step(first), step(second)],
        sample: Duration::from_millis(250),
        ..Plan::steady(Target::from_url(&url, false, false)?, second, Duration::ZERO)
    };
    let mut watch = Watch { players: [first, second], held: [BTreeMap::new(), BTreeMap::new()] };
    director::run(&plan, &mut watch)?;
    let [before, after] = watch.held;
    let added = (second - first) as f64;
    let mut lines: Vec<(&String, Sum)> = after
        .iter()
        .filter(|(place, _)| !place.contains(LOG))
        .map(|(place, sum)| {
            let before = before.get(place).copied().unwrap_or_default();
            let (bytes, count) = (sum.bytes - before.bytes, sum.count - before.count);
            (place, Sum { bytes: bytes / added, count: count / added })
        })
        .collect();
    lines.sort_by(|(_, a), (_, b)| b.bytes.total_cmp(&a.bytes));
    println!("| bytes | allocations | made by |\n| --: | --: | --- |");
    for (place, Sum { bytes, count }) in &lines {
        if bytes.abs() >= 1.0 {
            println!("| {bytes:.0} | {count:.2} | `{place}` |");
        }
    }
    let sum: f64 = lines.iter().map(|(_, sum)| sum.bytes).sum();
    println!("| {sum:.0} | | all, for each of {added} viewers beyond {first} |");
    server.drain();
    server.join();
    assert!(sum > 0.0 && sum <= BYTES_MAX, "a viewer holds {sum:.0} bytes");
    Ok(())
}

/// Reads the account when the first crowd plays, and when the second does.
struct Watch {
    players: [usize; 2],
    held: [BTreeMap<String, Sum>; 2],
}

impl Observer for Watch {
    fn moment(&mut self, moment: &Moment, _: &Times) {
        let crowds = self.players.iter().zip(&mut self.held);
        // Behind the last step comes the end of the run.
        if let Some((players, held)) = crowds.into_iter().nth(moment.step - 1)
            && moment.playing == *players as u64
            && moment.joined == 0
            && held.is_empty()
        {
            *held = account::held();
        }
    }

    fn phase(&mut self, _: &str) {}
}

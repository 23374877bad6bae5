//! A real server in this process, with players on real sockets: the shard's thread allocates for
//! what arrives and for time that passes, and no more for four times as many players.

use crate::counter::Thread;
use loadtest::account::record::{Moment, Observer};
use loadtest::account::times::Times;
use loadtest::media::shape::Shape;
use loadtest::media::source::Source;
use loadtest::plan::{Plan, Step, Target};
use loadtest::swarm::director;
use millstream::config::{Config, CoreList, Cores, ListenAddr};
use millstream::hook::{Admission, Answer, Application, Defer, Peer, SessionHandle};
use millstream::server::Server;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

const FEW: usize = 50;
const MANY: usize = 200;
const PICTURES_PER_SECOND: u32 = 30;
/// AAC at 48 kHz.
const SOUNDS_PER_SECOND: f64 = 48_000.0 / 1024.0;

/// Lets everybody in, and learns which thread the only shard is.
#[derive(Default)]
struct Door {
    shard: OnceLock<Thread>,
}

impl Application for Door {
    fn connect(
        &self,
        _: &Arc<Peer>,
        _: &SessionHandle,
        _: Defer<'_, Admission>,
    ) -> Answer<Admission> {
        self.shard.get_or_init(Thread::current);
        Answer::accept(Admission::default())
    }
}

/// Looks at the shard's count whenever the generator takes a sample while all players play.
struct Watching<'a> {
    door: &'a Door,
    measuring: bool,
    /// The step, the time in seconds, the bytes of the players since the last look, the count.
    looks: Vec<(usize, f64, u64, u64)>,
}

impl Observer for Watching<'_> {
    fn moment(&mut self, moment: &Moment, _: &Times) {
        if self.measuring {
            let shard = self.door.shard.get().expect("the publisher has connected");
            self.looks.push((moment.step, moment.at_s, moment.bytes, shard.allocations()));
        }
    }

    fn phase(&mut self, what: &str) {
        self.measuring = what == "measuring";
    }
}

/// What happened in a step between its first and its last look.
#[derive(Debug)]
struct Stretch {
    seconds: f64,
    bytes: u64,
    allocations: u64,
}

impl Watching<'_> {
    fn stretch(&self, step: usize) -> Stretch {
        let looks: Vec<_> = self.looks.iter().filter(|look| look.0 == step).collect();
        let (first, last) = (looks[0], looks[looks.len() - 1]);
        Stretch {
            seconds: last.1 - first.1,
            bytes: looks[1..].iter().map(|look| look.2).sum(),
            allocations: last.3 - first.3,
        }
    }
}

#[test]
fn a_server_allocates_for_what_arrives_and_not_for_its_players() {
    let door = Arc::new(Door::default());
    let address: ListenAddr = SocketAddr::from(([127, 0, 0, 1], 0)).into();
    let cores: CoreList = "0".parse().unwrap();
    let config = Config { rtmp: vec![address], cores: Cores::List(cores), ..Config::default() };
    let server = Server::start(config, Arc::clone(&door) as Arc<dyn Application>).unwrap();

    let url = format!("rtmp://{}/live/load", server.rtmp()[0]);
    let target = Target::from_url(&url, false, false).unwrap();
    let core = std::thread::available_parallelism().unwrap().get() - 1;
    let step = |players| Step::new(players, Duration::from_secs(4));
    let plan = Plan {
        sources: vec![Arc::new(Source::Generated(Shape::new(500_000, PICTURES_PER_SECOND)))],
        cores: vec![core],
        steps: vec![step(FEW), step(MANY)],
        sample: Duration::from_millis(500),
        ..Plan::steady(target, MANY, Duration::ZERO)
    };
    let mut watching = Watching { door: &door, measuring: false, looks: Vec::new() };
    director::run(&plan, &mut watching).unwrap();
    server.drain();
    server.join();

    let (few, many) = (watching.stretch(1), watching.stretch(2));
    println!("{FEW} players: {few:?}\n{MANY} players: {many:?}");
    for (players, stretch) in [(FEW, &few), (MANY, &many)] {
        let arrived = stretch.seconds * (f64::from(PICTURES_PER_SECOND) + SOUNDS_PER_SECOND);
        let sent = arrived * players as f64;
        assert!(stretch.seconds >= 2.0, "{stretch:?}");
        assert!(stretch.bytes > 40_000 * players as u64, "they received nothing: {stretch:?}");
        let each = stretch.allocations as f64;
        assert!(each < 8.0 * arrived, "{stretch:?} for {arrived:.0} messages");
        assert!(each < 0.2 * sent, "{stretch:?} for {sent:.0} sent messages");
    }
    let rates = [&few, &many].map(|stretch| stretch.allocations as f64 / stretch.seconds);
    assert!(rates[1] < 1.5 * rates[0] + 100.0, "more with more players: {rates:?} a second");
}

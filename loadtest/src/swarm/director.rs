//! Runs a plan: starts the workers, goes through the steps, samples, and ends in a report.

use crate::account::tally::{Counts, Delays};
use crate::host::process::{self, Usage};
use crate::host::watch;
use crate::media::shape::Shape;
use crate::media::source::Source;
use crate::plan::{Plan, Step};
use crate::report::{Percentiles, Report, Sample, StepReport, Verdict};
use crate::swarm::shared::Shared;
use crate::swarm::worker::{Share, Worker};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How long publishers and players may take to get going without any progress.
const STUCK: Duration = Duration::from_secs(10);
/// How long the last frames may take.
const DRAIN_MAX: Duration = Duration::from_secs(5);
/// Between two looks at the counters.
const LOOK: Duration = Duration::from_millis(50);
/// After the last player has joined, until measuring begins: their backlog passes.
const SETTLE: Duration = Duration::from_millis(1500);

/// Runs a plan. `progress` gets each sample as it is taken.
///
/// # Errors
/// If the generator itself cannot run: no descriptors, no such core.
pub fn run(plan: &Plan, progress: &mut dyn FnMut(&Sample)) -> io::Result<Report> {
    let shared = Arc::new(Shared::new(plan.cores.len(), plan.publishers, plan.played));
    let source = Arc::new(Source::Generated(Shape::new(plan.bitrate, plan.fps)));
    let mut threads = Vec::new();
    for (index, &core) in plan.cores.iter().enumerate() {
        let nap_ns = u64::try_from(plan.nap.as_nanos()).unwrap_or(u64::MAX);
        let share = Share { index, core, workers: plan.cores.len(), nap_ns };
        let shared = Arc::clone(&shared);
        let worker = Worker::new(share, shared, plan.target.clone(), Arc::clone(&source))?;
        threads.push(std::thread::Builder::new().name(format!("swarm-{index}")).spawn(
            move || {
                pin_to(core)?;
                worker.run()
            },
        )?);
    }
    let mut director = Director {
        plan,
        shared: &shared,
        counts: Counts::default(),
        behind: 0,
        total: Delays::default(),
        report: empty(plan),
        began: Instant::now(),
    };
    director.go_through(progress);
    shared.over.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().map_err(|_| io::Error::other("a worker panicked"))??;
    }
    director.look(&mut Delays::default());
    let Director { report, counts, total, .. } = director;
    Ok(report.conclude(&counts, &total))
}

struct Director<'a> {
    plan: &'a Plan,
    shared: &'a Shared,
    /// The counters at the last look.
    counts: Counts,
    /// Frames that were under way at the last look.
    behind: u64,
    /// Delays of the whole run.
    total: Delays,
    report: Report,
    began: Instant,
}

impl Director<'_> {
    fn go_through(&mut self, progress: &mut dyn FnMut(&Sample)) {
        self.await_count(u64::from(self.plan.publishers), |counts| counts.publishing);
        std::thread::sleep(SETTLE);
        self.report.server_resident_before = self.usage().map(|usage| usage.resident_bytes);
        self.began = Instant::now();
        for (at, step) in self.plan.steps.iter().enumerate() {
            self.step(at, step, progress);
        }
        self.shared.quiet.store(true, Ordering::Relaxed);
        let until = Instant::now() + DRAIN_MAX;
        // Twice the rate at which workers hand over: what is read below was counted after the end.
        std::thread::sleep(4 * LOOK);
        loop {
            self.look(&mut Delays::default());
            if self.behind == 0 || Instant::now() >= until {
                break;
            }
            std::thread::sleep(LOOK);
        }
    }

    fn step(&mut self, at: usize, step: &Step, progress: &mut dyn FnMut(&Sample)) {
        let asked = Instant::now();
        self.shared.players.store(step.players, Ordering::Relaxed);
        self.await_count(step.players as u64, |counts| counts.playing);
        let joining_s = asked.elapsed().as_secs_f64();
        std::thread::sleep(SETTLE.min(step.length / 4));

        self.look(&mut Delays::default());
        let (from, before, began) = (self.counts.clone(), self.usage(), Instant::now());
        let mut delays = Delays::default();
        let (mut changes, mut window) = (0, None);
        while began.elapsed() < step.length {
            let sample = self.sample(at, &mut delays);
            changes += u64::from(window.is_some() && window != sample.window_ms);
            window = sample.window_ms.or(window);
            self.report.samples.push(sample);
            progress(&sample);
        }
        let (seconds, after) = (began.elapsed().as_secs_f64(), self.usage());
        let gigabytes = (self.counts.bytes - from.bytes) as f64 / 1e9;
        let used = before.zip(after).map(|(before, after)| {
            (after.cpu_s - before.cpu_s, after.switches.saturating_sub(before.switches))
        });
        let own_s = (self.counts.cpu_ns - from.cpu_ns) as f64 / 1e9 / self.plan.cores.len() as f64;
        self.report.steps.push(StepReport {
            wanted: step.players,
            playing: self.counts.playing,
            joining_s,
            seconds,
            gigabytes,
            video: Percentiles::of(&delays.video),
            audio: Percentiles::of(&delays.audio),
            server_cpu_s_per_gb: used.filter(|_| gigabytes > 0.0).map(|used| used.0 / gigabytes),
            server_cores: used.map(|used| used.0 / seconds),
            server_resident_bytes: after.map(|after| after.resident_bytes),
            server_switches_s: used.map(|used| used.1 as f64 / seconds),
            own_core: own_s / seconds,
            own_lag: Percentiles::of(&delays.lag),
            own_round: Percentiles::of(&delays.round),
            window_changes: window.map(|_| changes),
        });
    }

    /// Waits a sample's time and looks at what happened in it.
    fn sample(&mut self, step: usize, delays: &mut Delays) -> Sample {
        let (began, bytes) = (Instant::now(), self.counts.bytes);
        let mut stretch = Delays::default();
        std::thread::sleep(self.plan.sample);
        self.look(&mut stretch);
        delays.add(&stretch);
        // A server that is asked too late says so by its delays; this is only a look.
        let shards = self.plan.http.as_deref().and_then(|http| watch::shards(http).ok());
        let widest = |value: fn(&watch::Shard) -> u64| {
            shards.as_ref().and_then(|shards| shards.iter().map(value).max())
        };
        let megabits = (self.counts.bytes - bytes) as f64 * 8.0 / 1e6;
        let video = Percentiles::of(&stretch.video);
        Sample {
            at_s: self.began.elapsed().as_secs_f64(),
            step: step + 1,
            playing: self.counts.playing,
            mbit_s: megabits / began.elapsed().as_secs_f64(),
            p50_ms: video.p50,
            p99_ms: video.p99,
            window_ms: widest(|shard| shard.pacing_window_ms),
            busy_permille: widest(|shard| shard.busy_permille),
        }
    }

    /// Reads all counters, and the delays since the last time into `delays` too.
    fn look(&mut self, delays: &mut Delays) {
        let mut stretch = Delays::default();
        (self.counts, self.behind) = self.shared.collect(&mut stretch);
        self.total.add(&stretch);
        delays.add(&stretch);
    }

    /// Waits until a counter has come to `wanted`, or nothing happens any more.
    fn await_count(&mut self, wanted: u64, count: impl Fn(&Counts) -> u64) {
        let (mut moved, mut last) = (Instant::now(), None);
        loop {
            self.look(&mut Delays::default());
            let now = count(&self.counts);
            // Fewer than before is a step down.
            if now == wanted {
                break;
            }
            if last != Some(now) {
                (moved, last) = (Instant::now(), Some(now));
            }
            if moved.elapsed() >= STUCK {
                break;
            }
            std::thread::sleep(LOOK);
        }
    }

    fn usage(&self) -> Option<Usage> {
        // A server that is gone shows in its connections.
        self.plan.pid.and_then(|pid| process::usage(pid).ok())
    }
}

fn empty(plan: &Plan) -> Report {
    Report {
        verdict: Verdict::Fail,
        reasons: Vec::new(),
        publishers: plan.publishers,
        played: plan.played,
        bitrate: plan.bitrate,
        nap_ms: plan.nap.as_secs_f64() * 1000.0,
        sent_frames: 0,
        bytes: 0,
        video: Default::default(),
        audio: Default::default(),
        compared: 0,
        join: Default::default(),
        errors: Default::default(),
        server_resident_before: None,
        steps: Vec::new(),
        samples: Vec::new(),
    }
}

fn pin_to(core: usize) -> io::Result<()> {
    let mut cores = rustix::thread::CpuSet::new();
    if core >= rustix::thread::CpuSet::MAX_CPU {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "there is no such core"));
    }
    cores.set(core);
    rustix::thread::sched_setaffinity(None, &cores)?;
    Ok(())
}

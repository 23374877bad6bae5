//! Runs a plan: starts the workers, goes through the steps, samples, and ends in a record.

use crate::account::record::{GroupLabel, Moment, Observer, Record, Stretch};
use crate::account::tally::Counts;
use crate::account::times::{Percentiles, Time, Times};
use crate::host::process::{self, Usage};
use crate::host::watch;
use crate::limits::{DRAIN_MAX, LOOK, SETTLE};
use crate::plan::{Plan, Playing, Publishing, Step};
use crate::swarm::settings;
use crate::swarm::shared::Shared;
use crate::swarm::worker::Worker;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Runs a plan.
///
/// # Errors
/// If the generator itself cannot run: no descriptors, no such core.
pub fn run(plan: &Plan, observer: &mut dyn Observer) -> io::Result<Record> {
    let streams = plan.publishers.count.max(plan.played).max(1);
    let shared = Arc::new(Shared::new(plan.cores.len(), streams, plan.groups.len()));
    let common = Arc::new(plan.clone());
    let mut workers = Vec::new();
    for (index, &core) in plan.cores.iter().enumerate() {
        let worker = Worker::new(index, Arc::clone(&common), Arc::clone(&shared))?;
        let builder = std::thread::Builder::new().name(format!("swarm-{index}"));
        workers.push(builder.spawn(move || {
            pin_to(core)?;
            worker.run()
        })?);
    }
    let mut director = Director {
        plan,
        shared: &shared,
        workers,
        observer,
        counts: Counts::new(plan.groups.len()),
        behind: 0,
        record: begin(plan),
        began: Instant::now(),
        sampled: Sampled::default(),
        step: 1,
    };
    // On a thread of its own, for what it gives up is not had again: the workers of a later run,
    // which inherit it from the thread that starts them, must not stand back too.
    let ended = std::thread::scope(|scope| {
        let directing = scope.spawn(|| {
            step_back();
            director.go_through();
        });
        directing.join()
    });
    shared.over.store(true, Ordering::Relaxed);
    for worker in std::mem::take(&mut director.workers) {
        worker.join().map_err(|_| io::Error::other("a worker panicked"))??;
    }
    ended.map_err(|_| io::Error::other("the director panicked"))?;
    director.look();
    let Director { mut record, counts, sampled, .. } = director;
    record.times.add(&sampled.times);
    record.counts = counts;
    Ok(record)
}

struct Director<'a> {
    plan: &'a Plan,
    shared: &'a Shared,
    /// The threads of the workers, none of which ends before the run does.
    workers: Vec<JoinHandle<io::Result<()>>>,
    observer: &'a mut dyn Observer,
    /// The counters at the last look.
    counts: Counts,
    /// Frames that were under way at the last look.
    behind: u64,
    record: Record,
    began: Instant,
    /// What has been seen since the last sample, and where the counters stood then.
    sampled: Sampled,
    /// Number of the step, from 1.
    step: usize,
}

/// Where things stood at the last sample.
#[derive(Default)]
struct Sampled {
    at: Duration,
    counts: Counts,
    usage: Option<Usage>,
    /// Times since then.
    times: Times,
}

/// Where things stood when a stretch began.
struct Mark {
    at: Instant,
    counts: Counts,
    usage: Option<Usage>,
    moments: usize,
}

impl Director<'_> {
    fn go_through(&mut self) {
        self.sampled.counts = self.counts.clone();
        self.sampled.usage = self.usage();
        self.bring_publishers();
        self.record.resident_before = self.usage().map(|usage| usage.resident_bytes);
        for step in &self.plan.steps {
            if self.is_hopeless() || self.is_stopped() {
                break;
            }
            self.step(step);
            self.step += 1;
        }
        self.observer.phase("waiting for the last frames");
        self.shared.closing.store(true, Ordering::Relaxed);
        let until = Instant::now() + DRAIN_MAX;
        // Twice the rate at which workers hand over: what is read below was counted after the end.
        std::thread::sleep(4 * LOOK);
        loop {
            self.look();
            if self.behind == 0 || Instant::now() >= until {
                break;
            }
            std::thread::sleep(LOOK);
        }
        self.sample();
        self.record.interrupted = self.is_stopped();
    }

    fn bring_publishers(&mut self) {
        let wanted = self.plan.publishers.count;
        if wanted == 0 {
            return;
        }
        self.observer.phase(&format!("waiting for {wanted} publishers to be accepted"));
        let over = self.plan.publishers.over;
        let shared = self.shared;
        self.bring(over, |share| {
            let count = (f64::from(wanted) * share).ceil() as u32;
            shared.published.store(count.min(wanted), Ordering::Relaxed);
        });
        let steady = self.plan.publishers.behaviour == Publishing::Steady;
        self.wait_for(|counts| {
            let publishers = &counts.publishers;
            let failed: u64 = publishers.errors.values().sum();
            // Of those that come and go, all may never be there at one time.
            let came = if steady { publishers.publishing } else { publishers.accepted };
            u64::from(wanted).saturating_sub(came + failed)
        });
        self.pass(self.plan.lead);
    }

    fn step(&mut self, step: &Step) {
        let asked = Instant::now();
        self.observer.phase(&format!("waiting for {} players to play", step.players));
        let before = self.wanted();
        let (plan, shared) = (self.plan, self.shared);
        let from = self.record.wanted.1 as f64;
        self.bring(step.over, |share| {
            let players = from + (step.players as f64 - from) * share;
            for (wanted, count) in shared.wanted.iter().zip(plan.divide(players as usize)) {
                wanted.store(count, Ordering::Relaxed);
            }
        });
        self.record.wanted.1 = step.players as u64;
        let wanted = step.players as u64;
        // Where players come and go, some are on their way back at any time.
        let returning = if self.record.groups.iter().any(|group| group.comes_and_goes) {
            wanted / 20
        } else {
            0
        };
        self.wait_for(|counts| {
            let players = counts.players();
            // Fewer than before is a step down.
            let missing = (players.playing + players.away + players.given_up).abs_diff(wanted);
            missing.saturating_sub(returning)
        });
        let joining_s = asked.elapsed().as_secs_f64();
        if before < step.players {
            self.pass(SETTLE.min(step.length / 4));
        }
        self.observer.phase("measuring");
        let mark = self.mark();
        let mut times = Times::default();
        while mark.at.elapsed() < step.length && !self.is_hopeless() && !self.is_stopped() {
            let left = step.length.saturating_sub(mark.at.elapsed());
            std::thread::sleep(LOOK.min(left));
            self.look();
            let due = self.began.elapsed() >= self.sampled.at + self.plan.sample;
            // A short rest belongs to the last sample.
            if due && left > self.plan.sample / 2 {
                times.add(&self.sampled.times);
                self.sample();
            }
        }
        // The last sample ends with the stretch, however late this thread has its turn; the process is
        // looked at before the server is asked, which may take a while.
        self.look();
        let end = (mark.at.elapsed(), self.usage());
        times.add(&self.sampled.times);
        self.sample();
        let stretch = self.stretch(step, &mark, end, joining_s, &times);
        self.record.stretches.push(stretch);
    }

    /// Lets something grow from nothing to all of it, evenly over a time.
    fn bring(&mut self, over: Duration, set: impl Fn(f64)) {
        let began = Instant::now();
        while began.elapsed() < over && !self.is_stopped() {
            set(began.elapsed().as_secs_f64() / over.as_secs_f64());
            self.pass(LOOK);
        }
        set(1.0);
    }

    /// Waits, sampling.
    fn pass(&mut self, time: Duration) {
        let began = Instant::now();
        while began.elapsed() < time {
            std::thread::sleep(LOOK.min(time));
            self.look();
            if self.began.elapsed() >= self.sampled.at + self.plan.sample {
                self.sample();
            }
        }
    }

    /// Waits until nothing is missing any more, or no less of it for a long time: a count that only
    /// goes up and down does not come to an end.
    fn wait_for(&mut self, missing: impl Fn(&Counts) -> u64) {
        let (mut moved, mut least) = (Instant::now(), u64::MAX);
        let patience = self.plan.patience.longest() + Duration::from_secs(1);
        while !self.is_stopped() && !self.is_hopeless() && moved.elapsed() < patience {
            self.pass(LOOK);
            let now = missing(&self.counts);
            if now == 0 {
                break;
            }
            if now < least {
                (moved, least) = (Instant::now(), now);
            }
        }
    }

    fn mark(&mut self) -> Mark {
        self.look();
        // What was seen so far belongs to the time before; asking the server may have taken a while.
        self.sample();
        self.look();
        Mark {
            at: Instant::now(),
            counts: self.counts.clone(),
            usage: self.usage(),
            moments: self.record.moments.len(),
        }
    }

    fn stretch(
        &self,
        step: &Step,
        from: &Mark,
        (lasted, usage): (Duration, Option<Usage>),
        joining_s: f64,
        times: &Times,
    ) -> Stretch {
        let seconds = lasted.as_secs_f64();
        let cpu = |at: usize| {
            let before = from.counts.cpu_ns.get(at).copied().unwrap_or(0);
            self.counts.cpu_ns.get(at).copied().unwrap_or(0).saturating_sub(before)
        };
        let windows: Vec<u64> = self.record.moments[from.moments..]
            .iter()
            .filter_map(|moment| watch::widest_window_ms(moment.shards.as_deref()?))
            .collect();
        Stretch {
            wanted: step.players as u64,
            playing: self.counts.players().playing,
            joining_s,
            seconds,
            bytes: self.counts.players().bytes - from.counts.players().bytes,
            published: self.counts.publishers.payload - from.counts.publishers.payload,
            times: percentiles(times),
            own_cores: (0..self.plan.cores.len())
                .map(|at| cpu(at) as f64 / 1e9 / seconds)
                .collect(),
            server: used(from.usage, usage),
            window_changes: (!windows.is_empty())
                .then(|| windows.windows(2).filter(|pair| pair[0] != pair[1]).count() as u64),
        }
    }

    /// Ends a sample.
    fn sample(&mut self) {
        let at = self.began.elapsed();
        let seconds = (at - self.sampled.at).as_secs_f64().max(1e-6);
        let usage = self.usage();
        let (now, before) = (self.counts.players(), self.sampled.counts.players());
        let cores = self.counts.cpu_ns.iter().zip(&self.sampled.counts.cpu_ns);
        let busiest = cores.map(|(now, before)| now.saturating_sub(*before)).max().unwrap_or(0);
        let moment = Moment {
            at_s: at.as_secs_f64(),
            seconds,
            step: self.step,
            publishing: self.counts.publishers.publishing,
            wanted: self.wanted() as u64,
            playing: now.playing,
            joined: now.joined - before.joined,
            bytes: now.bytes - before.bytes,
            faults: self.faults(&self.counts).saturating_sub(self.faults(&self.sampled.counts)),
            times: percentiles(&self.sampled.times),
            own_core: busiest as f64 / 1e9 / seconds,
            server: used(self.sampled.usage, usage),
            // A server that is asked too late says so by its delays; this is only a look.
            shards: self.plan.http.as_deref().and_then(|http| watch::shards(http).ok()),
        };
        self.observer.moment(&moment, &self.sampled.times);
        self.record.moments.push(moment);
        self.record.times.add(&self.sampled.times);
        self.sampled.times.clear();
        self.sampled.at = at;
        self.sampled.counts.clone_from(&self.counts);
        self.sampled.usage = usage;
    }

    /// Frames with which something is wrong, in the groups that are judged.
    fn faults(&self, counts: &Counts) -> u64 {
        let groups = counts.groups.iter().zip(&self.plan.groups);
        groups
            .filter(|(_, group)| group.judged())
            .map(|(counts, _)| counts.video.wrong() + counts.audio.wrong())
            .sum()
    }

    /// Reads all counters, and the times since the last look into the sample.
    fn look(&mut self) {
        (self.counts, self.behind) = self.shared.collect(&mut self.sampled.times);
    }

    fn wanted(&self) -> usize {
        self.shared.wanted.iter().map(|wanted| wanted.load(Ordering::Relaxed)).sum()
    }

    /// Whether all publishers have failed for good: nothing will come any more.
    fn is_hopeless(&self) -> bool {
        let failed: u64 = self.counts.publishers.errors.values().sum();
        self.plan.publishers.count > 0 && failed >= u64::from(self.plan.publishers.count)
    }

    /// Whether somebody wants the run to end, or a worker could not go on: it says why when it is
    /// joined.
    fn is_stopped(&self) -> bool {
        self.observer.wants_to_stop() || self.workers.iter().any(JoinHandle::is_finished)
    }

    fn usage(&self) -> Option<Usage> {
        // A server that is gone shows in its connections.
        self.plan.pid.and_then(|pid| process::usage(pid).ok())
    }
}

fn begin(plan: &Plan) -> Record {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let label = |group: &crate::plan::Group| GroupLabel {
        name: group.name.clone(),
        judged: group.judged(),
        comes_and_goes: !matches!(group.behaviour, Playing::Stay)
            || plan.publishers.behaviour != Publishing::Steady,
    };
    Record {
        title: plan.title.clone(),
        settings: settings::of(plan),
        began_unix_ms: u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX),
        groups: plan.groups.iter().map(label).collect(),
        publishers_come_and_go: plan.publishers.behaviour != Publishing::Steady,
        wanted: (u64::from(plan.publishers.count), 0),
        ..Record::default()
    }
}

fn percentiles(times: &Times) -> [Percentiles; Time::ALL.len()] {
    Time::ALL.map(|time| Percentiles::of(times.of(time)))
}

/// What was used between two looks, and what is held at the second.
fn used(before: Option<Usage>, after: Option<Usage>) -> Option<Usage> {
    let (before, after) = before.zip(after)?;
    Some(Usage {
        cpu_s: after.cpu_s - before.cpu_s,
        switches: after.switches.saturating_sub(before.switches),
        resident_bytes: after.resident_bytes,
    })
}

/// Lets the workers go before this thread, which may run on their cores: what it does can wait.
fn step_back() {
    // Refused, it competes with them for some milliseconds a second.
    let _ = rustix::process::setpriority_process(None, 10);
}

fn pin_to(core: usize) -> io::Result<()> {
    let mut cores = rustix::thread::CpuSet::new();
    if core >= rustix::thread::CpuSet::MAX_CPU {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "there is no such core"));
    }
    cores.set(core);
    rustix::thread::sched_setaffinity(None, &cores).map_err(|error| {
        let error = io::Error::from(error);
        let text = format!("core {core} cannot be used ({error}): name others with --cores");
        io::Error::new(error.kind(), text)
    })
}

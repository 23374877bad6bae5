//! A helper and one stream that it is for: its life, its run if there is one, and what it wrote.

use super::config::{HelperConfig, Start, StopSignal};
use super::guard::Guardian;
use super::life::{Action, Life, Outcome, State};
use super::order::Order;
use super::pass::{Pass, Passes, random_text};
use super::plan::{Plan, PlanError};
use super::run::{Run, not_started};
use super::snapshot::InstanceSnapshot;
use super::tail::Tail;
use crate::config::Secret;
use crate::moment::Moment;
use crate::name::StreamName;
use rustix::process::Signal;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Buffers that are read at most when a run is over. A pipe holds one or two.
const LAST_READS: usize = 16;

/// Where helpers run: what they are told of the server.
#[derive(Debug)]
pub struct Place {
    /// Who guards them.
    pub guardian: Guardian,
    /// The server's address, `rtmp://127.0.0.1:1935`.
    pub rtmp: String,
    /// The same, without its port.
    pub host: IpAddr,
    /// What lets them publish, where keys are demanded.
    pub passes: Option<Arc<Passes>>,
}

/// A helper for one stream.
pub struct Instance {
    /// When it runs.
    pub life: Life,
    /// Its guardian, if there is one.
    pub run: Option<Run>,
    /// Whether it looks otherwise than it was last shown.
    pub changed: bool,
    helper: String,
    stream: StreamName,
    plan: Result<Plan, PlanError>,
    tail: Tail,
    starts: u64,
}

impl Instance {
    /// One that nobody wants yet.
    pub fn new(helper: &HelperConfig, stream: &StreamName, now: Moment) -> Self {
        // The end of a stream ends its filter at once: there is nothing more to come.
        let linger = if helper.start == Start::Viewer { helper.linger } else { Duration::ZERO };
        let seed = RandomState::new().hash_one(stream);
        Self {
            life: Life::new(helper, linger, seed, now),
            run: None,
            changed: true,
            helper: helper.name.clone(),
            stream: stream.clone(),
            plan: Plan::new(helper, stream),
            tail: Tail::new(helper.log_lines),
            starts: 0,
        }
    }

    /// How it is called in the log: the helper and the stream.
    pub fn label(&self) -> String {
        format!("{} for {}", self.helper, self.stream)
    }

    /// What it publishes when it runs.
    pub fn outputs(&self) -> &[StreamName] {
        self.plan.as_ref().map_or(&[], |plan| &plan.outputs)
    }

    /// Its process, if it runs.
    pub fn pid(&self) -> Option<i32> {
        self.run.as_ref()?.pid()
    }

    /// Starts it.
    pub fn start(&mut self, helper: &HelperConfig, place: &Place, now: Moment) {
        debug_assert!(self.run.is_none(), "a life starts one run at a time");
        self.starts += 1;
        self.changed = true;
        match self.begin(helper, place, now) {
            Ok(run) => self.run = Some(run),
            Err(outcome) => {
                tracing::warn!(helper = %self.helper, stream = %self.stream, "cannot start: {outcome}");
                // What could not be started is not started again at once.
                let _ = self.life.ended(outcome, now);
            }
        }
    }

    fn begin(&self, helper: &HelperConfig, place: &Place, now: Moment) -> Result<Run, Outcome> {
        let plan = self.plan.as_ref().map_err(|error| Outcome::Unplanned(error.clone()))?;
        let unstarted = |error: std::io::Error| not_started(&place.guardian, &error);
        let passes = place.passes.as_ref().filter(|_| !plan.outputs.is_empty());
        let pass = passes
            .map(|passes| passes.give(&plan.outputs, place.host))
            .transpose()
            .map_err(unstarted)?;
        let key = pass.as_ref().map(Pass::secret).map(Secret::reveal);
        let url = |stream: &StreamName| match key {
            Some(key) => format!("{}/{stream}?key={key}", place.rtmp),
            None => format!("{}/{stream}", place.rtmp),
        };
        let urls: Vec<String> = plan.outputs.iter().map(url).collect();
        let filled = plan.fill(helper, &place.rtmp, &urls).map_err(Outcome::Unplanned)?;
        let mark = random_text().map_err(unstarted)?;
        let order = Order {
            run: filled.run,
            env: filled.env,
            cwd: helper.cwd.clone(),
            nice: helper.nice,
            memory: helper.memory,
            open_files: helper.open_files.into(),
            cpu_s: helper.cpu.map(|span| span.as_secs()),
            stop_signal: number(helper.stop_signal),
            patience_ms: u64::try_from(helper.patience.as_millis()).unwrap_or(u64::MAX),
            mark: mark.reveal().to_owned(),
        };
        Run::start(&place.guardian, &order, mark, pass, now).map_err(unstarted)
    }

    /// Asks it to end, if it runs.
    pub fn stop(&mut self, now: Moment) {
        if let Some(run) = &mut self.run {
            run.stop(now);
        }
        self.changed = true;
    }

    /// Writes to its guardian what is still unsent.
    pub fn send(&mut self) {
        if let Some(run) = &mut self.run {
            run.send();
        }
    }

    /// The program runs.
    pub fn began(&mut self, now: Moment) {
        let (helper, stream) = (&self.helper, &self.stream);
        tracing::info!(helper, %stream, pid = self.pid(), starts = self.starts, "a helper runs");
        self.life.began(now);
        self.changed = true;
    }

    /// Nothing of it is left.
    pub fn gone(&mut self, outcome: Outcome, now: Moment, unix_ms: u64) -> Option<Action> {
        // Its last words say why, more often than not. Not without end: one with another user may have
        // been left, and write on.
        for _ in 0..LAST_READS {
            if !self.log_has_more(now, unix_ms) {
                break;
            }
        }
        if let Some(run) = self.run.take() {
            self.tail.finish(&run.secrets(), unix_ms);
        }
        let asked = self.life.state() == State::Stopping;
        let (helper, stream) = (&self.helper, &self.stream);
        let said = self.tail.lines().last().map_or("", |line| &*line.text);
        if asked {
            tracing::info!(helper, %stream, "a helper was stopped: {outcome}");
        } else {
            tracing::warn!(helper, %stream, said, "a helper ended: {outcome}");
        }
        self.changed = true;
        self.life.ended(outcome, now)
    }

    /// Reads what it wrote.
    pub fn read_log(&mut self, now: Moment, unix_ms: u64) {
        self.log_has_more(now, unix_ms);
    }

    fn log_has_more(&mut self, now: Moment, unix_ms: u64) -> bool {
        let (Some(run), tail) = (&mut self.run, &mut self.tail) else { return false };
        let secrets = run.secrets();
        self.changed = true;
        run.read_log(now, |bytes| tail.feed(bytes, &secrets, unix_ms))
    }

    /// How it is at present. `began` is the beginning of time, in milliseconds of Unix time.
    pub fn snapshot(&self, began: u64) -> InstanceSnapshot {
        InstanceSnapshot {
            stream: self.stream.clone(),
            outputs: self.outputs().to_vec(),
            state: self.life.state(),
            since_unix_ms: began.saturating_add(self.life.since().as_ms()),
            pid: self.pid(),
            starts: self.starts,
            last_end: self.life.last().map(ToString::to_string),
            log: self.tail.lines().cloned().collect(),
        }
    }
}

fn number(signal: StopSignal) -> i32 {
    match signal {
        StopSignal::Term => Signal::TERM,
        StopSignal::Int => Signal::INT,
        StopSignal::Quit => Signal::QUIT,
        StopSignal::Hup => Signal::HUP,
        StopSignal::Usr1 => Signal::USR1,
        StopSignal::Kill => Signal::KILL,
    }
    .as_raw()
}

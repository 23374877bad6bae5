//! The thread that keeps the helpers: hears who wants what, starts and stops, reads what they write,
//! and says on a board how they are. It decides nothing: when, says `life`; what, says `plan`.

use super::config::{HelperConfig, Start};
use super::instance::{Instance, Place};
use super::life::{Action, Command, State};
use super::run::News;
use super::snapshot::InstanceSnapshot;
use super::{Key, Shared};
use crate::moment::Moment;
use crate::name::StreamName;
use crate::stream::demand::{Feed, Standing};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The keeper of the helpers.
pub struct Supervisor {
    shared: Arc<Shared>,
    place: Place,
    helpers: Vec<HelperConfig>,
    instances: BTreeMap<Key, Instance>,
    /// Every stream that is wanted or fed. The registry bounds their number.
    standings: HashMap<StreamName, Standing>,
    /// Streams that a family's filter makes. They are nobody's family: a filter of all streams would
    /// filter what it made, and so on.
    made: BTreeSet<StreamName>,
    /// Helpers that run for as many streams as they may, while more are wanted.
    full: BTreeSet<usize>,
    began: Instant,
    began_unix: Duration,
    /// Set once the server ends: when nobody is waited for any more.
    ends_by: Option<Moment>,
}

/// What is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pipe {
    Reports,
    Log,
    Orders,
}

impl Supervisor {
    /// A supervisor of these helpers, none of which runs. Those of one stream are on the board already.
    pub fn new(shared: Arc<Shared>, place: Place, helpers: Vec<HelperConfig>) -> Self {
        let mut supervisor = Self {
            shared,
            place,
            helpers,
            instances: BTreeMap::new(),
            standings: HashMap::new(),
            made: BTreeSet::new(),
            full: BTreeSet::new(),
            began: Instant::now(),
            began_unix: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            ends_by: None,
        };
        for at in 0..supervisor.helpers.len() {
            if let Some(stream) = supervisor.helpers[at].stream.single() {
                supervisor.add((at, stream));
            }
        }
        supervisor.show();
        supervisor
    }

    /// Works until the server ends.
    pub fn run(mut self) {
        let streams: Vec<StreamName> = self.instances.keys().map(|key| key.1.clone()).collect();
        streams.iter().for_each(|stream| self.consider(stream));
        while self.turn() {}
        for instance in self.instances.values() {
            if instance.pid().is_some() {
                tracing::error!(instance = %instance.label(), "a helper cannot be ended; its guardian keeps trying");
            }
        }
    }

    /// One round. Returns false at the end.
    fn turn(&mut self) -> bool {
        let now = self.now();
        for (stream, standing) in self.shared.wishes.take() {
            if standing == Standing::default() {
                self.standings.remove(&stream);
            } else {
                self.standings.insert(stream.clone(), standing);
            }
            self.consider(&stream);
        }
        for (key, command) in self.shared.orders() {
            self.obey(&key, command);
        }
        if self.shared.ends.load(Ordering::Acquire) && self.ends_by.is_none() {
            self.end();
        }
        self.tick();
        self.forget();
        self.show();
        if let Some(by) = self.ends_by
            && (now >= by || self.instances.values().all(|one| one.run.is_none()))
        {
            return false;
        }
        self.wait();
        true
    }

    fn now(&self) -> Moment {
        Moment(u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    fn unix_ms(&self, at: Moment) -> u64 {
        u64::try_from(self.began_unix.as_millis()).unwrap_or(u64::MAX).saturating_add(at.as_ms())
    }

    /// Looks which helpers a stream's standing concerns.
    fn consider(&mut self, stream: &StreamName) {
        let standing = self.standings.get(stream).copied().unwrap_or_default();
        if standing.feed == Feed::None && !self.is_output(stream) {
            self.made.remove(stream);
        }
        for at in 0..self.helpers.len() {
            let helper = &self.helpers[at];
            if helper.stream.star(stream).is_none() {
                continue;
            }
            let family = helper.stream.single().is_none();
            let start = helper.start;
            let key = (at, stream.clone());
            let busy = self.instances.get(&key).is_some_and(|one| one.run.is_some());
            let wanted = match start {
                Start::Always => true,
                // While a publisher is lost the filter waits with the viewers.
                Start::Live => {
                    standing.feed != Feed::None && !(family && self.made.contains(stream))
                }
                // A stream that somebody else publishes needs no source.
                Start::Viewer => standing.wanted && (standing.feed != Feed::Live || busy),
            };
            let present = self.instances.contains_key(&key);
            if !present && (!wanted || !self.has_room(at)) {
                continue;
            }
            self.add(key.clone());
            let now = self.now();
            let action = self.instances.get_mut(&key).and_then(|one| one.life.want(wanted, now));
            self.act(&key, action);
        }
    }

    fn is_output(&self, stream: &StreamName) -> bool {
        self.instances.values().any(|one| one.outputs().contains(stream))
    }

    /// Whether a helper may run for one more stream.
    fn has_room(&mut self, at: usize) -> bool {
        let present = self.instances.keys().filter(|(helper, _)| *helper == at).count();
        let room = present < self.helpers[at].instances;
        if !room && self.full.insert(at) {
            let helper = &self.helpers[at].name;
            tracing::warn!(helper, present, "runs for as many streams as it may; others wait");
        }
        room
    }

    fn add(&mut self, key: Key) {
        let helper = &self.helpers[key.0];
        if !self.instances.contains_key(&key) {
            let instance = Instance::new(helper, &key.1, self.now());
            if helper.start == Start::Live && helper.stream.single().is_none() {
                self.made.extend(instance.outputs().iter().cloned());
            }
            self.instances.insert(key, instance);
        }
    }

    fn obey(&mut self, key: &Key, command: Command) {
        let now = self.now();
        let Some(instance) = self.instances.get_mut(key) else { return };
        tracing::info!(instance = %instance.label(), ?command, "ordered");
        let action = instance.life.order(command, now);
        instance.changed = true;
        self.act(key, action);
    }

    fn act(&mut self, key: &Key, action: Option<Action>) {
        let now = self.now();
        let Some(instance) = self.instances.get_mut(key) else { return };
        match action {
            // Of streams that come to light while the server ends.
            Some(Action::Start) if self.ends_by.is_some() => {}
            Some(Action::Start) => instance.start(&self.helpers[key.0], &self.place, now),
            Some(Action::Stop) => instance.stop(now),
            None => {}
        }
        instance.changed = true;
    }

    fn tick(&mut self) {
        let now = self.now();
        let due = |one: &Instance| one.life.deadline().is_some_and(|at| at <= now);
        let due: Vec<Key> =
            self.instances.iter().filter(|(_, one)| due(one)).map(|(key, _)| key.clone()).collect();
        for key in due {
            let action = self.instances.get_mut(&key).and_then(|one| one.life.tick(now));
            if action.is_some() {
                self.act(&key, action);
            }
        }
    }

    /// Forgets streams of families that nobody wants, and lets others have their places.
    fn forget(&mut self) {
        let now = self.now();
        let idle = |(key, one): (&Key, &Instance)| {
            let family = self.helpers[key.0].stream.single().is_none();
            (family && one.run.is_none() && one.life.is_idle(now)).then(|| key.clone())
        };
        let idle: Vec<Key> = self.instances.iter().filter_map(idle).collect();
        for key in idle {
            let Some(gone) = self.instances.remove(&key) else { continue };
            self.shared.board().remove(&key);
            for output in gone.outputs() {
                self.consider(output);
            }
            if self.full.remove(&key.0) {
                let streams: Vec<StreamName> = self.standings.keys().cloned().collect();
                streams.iter().for_each(|stream| self.consider(stream));
            }
        }
    }

    /// Asks everybody to end.
    fn end(&mut self) {
        let now = self.now();
        for instance in self.instances.values_mut() {
            // Stopped by an order, none is started again.
            if instance.life.order(Command::Stop, now) == Some(Action::Stop) {
                instance.stop(now);
            }
        }
        let overdue = self.instances.values().filter_map(|one| one.run.as_ref()?.overdue()).max();
        self.ends_by = overdue.or(Some(now));
    }

    /// Puts what changed on the board.
    fn show(&mut self) {
        let (began, mut fresh) = (self.unix_ms(Moment(0)), Vec::new());
        for (key, instance) in &mut self.instances {
            if std::mem::take(&mut instance.changed) {
                fresh.push((key.clone(), instance.snapshot(began)));
            }
        }
        if !fresh.is_empty() {
            self.shared.board().extend::<Vec<(Key, InstanceSnapshot)>>(fresh);
        }
    }

    /// Waits for pipes, the bell or a time, and looks after the pipes that have something.
    fn wait(&mut self) {
        let now = self.now();
        let mut times: Vec<Moment> = self.ends_by.into_iter().collect();
        let bell = self.shared.wishes.bell();
        let mut fds = vec![PollFd::from_borrowed_fd(bell, PollFlags::IN)];
        let mut whose: Vec<(&Key, Pipe)> = Vec::new();
        for (key, instance) in &self.instances {
            times.extend(self.deadline(key, instance, now));
            let Some(run) = &instance.run else { continue };
            times.extend(run.deadline(now));
            let pipes = [
                (Pipe::Reports, Some(run.reports()), PollFlags::IN),
                (Pipe::Log, run.log(now), PollFlags::IN),
                (Pipe::Orders, run.unsent(), PollFlags::OUT),
            ];
            for (pipe, fd, flags) in pipes {
                if let Some(fd) = fd {
                    fds.push(PollFd::from_borrowed_fd(fd, flags));
                    whose.push((key, pipe));
                }
            }
        }
        let timeout = times.into_iter().min().map(|at| at.since(now) + Duration::from_millis(1));
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        if poll(&mut fds, timeout.as_ref()).is_err() {
            // Interrupted, or out of memory for a moment: the next round asks again.
            std::thread::sleep(Duration::from_millis(1));
        }
        let ready = fds[1..].iter().map(|fd| !fd.revents().is_empty());
        let ready: Vec<(Key, Pipe)> = ready
            .zip(whose)
            .filter(|(ready, _)| *ready)
            .map(|(_, (key, pipe))| (key.clone(), pipe))
            .collect();
        for (key, pipe) in ready {
            if pipe != Pipe::Reports {
                self.look_after(&key, pipe);
            }
        }
        let running: Vec<Key> = self
            .instances
            .iter()
            .filter(|(_, one)| one.run.is_some())
            .map(|(key, _)| key.clone())
            .collect();
        for key in running {
            self.look_after(&key, Pipe::Reports);
        }
    }

    /// When an instance's life goes on by itself. Of one that may be forgotten, only while it is
    /// somebody's place in a family.
    fn deadline(&self, key: &Key, instance: &Instance, now: Moment) -> Option<Moment> {
        let at = instance.life.deadline()?;
        let rests =
            matches!(instance.life.state(), State::Waiting | State::Failed | State::Stopped);
        let family = self.helpers[key.0].stream.single().is_none();
        (!rests || (family && at > now)).then_some(at)
    }

    fn look_after(&mut self, key: &Key, pipe: Pipe) {
        let now = self.now();
        let unix_ms = self.unix_ms(now);
        let Some(instance) = self.instances.get_mut(key) else { return };
        match pipe {
            Pipe::Orders => instance.send(),
            Pipe::Log => instance.read_log(now, unix_ms),
            Pipe::Reports => {
                let Some(run) = &mut instance.run else { return };
                match run.look(now) {
                    None => {}
                    Some(News::Began) => instance.began(now),
                    Some(News::Gone(outcome)) => {
                        let action = instance.gone(outcome, now, unix_ms);
                        self.act(key, action);
                        // Somebody else may publish its stream by now.
                        self.consider(&key.1);
                    }
                }
            }
        }
    }
}

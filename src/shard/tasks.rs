//! A shard's tasks: accepting, the fan-out pass, the inbox, rides. What they do to the tables stands
//! in the files beside this one, and the task that reads in `intake`.

use super::bell::Bell;
use super::inbox::{Inbox, Mail, Post};
use super::intake::Pace;
use super::mailbox::Mailbox;
use super::pacing::Pacer;
use super::runtime::{self, Notify, Readiness, Yielder};
use super::state::{Sockets, State};
use crate::capture::Capture;
use crate::config::{Config, LatencyBudget};
use crate::egress::fanout::Fanout;
use crate::egress::outlet::OutletId;
use crate::hook::Application;
use crate::limits;
use crate::moment::Moment;
use crate::net::addresses::Addresses;
use crate::net::arrivals::{Arrivals, Found};
use crate::net::listener::{Accepted, Acceptor, Reserve};
use crate::net::socket::Socket;
use crate::outbound::{Resolver, Targets};
use crate::pull::orders::Orders;
use crate::slate::Slates;
use crate::slots::{Key, Slots};
use crate::stats::{Directory, ShardStats};
use crate::stream::projection::MakeFraming;
use crate::stream::registry::Registry;
use crate::stream::ride::Eagerness;
use millstream_rtmp::server::ServerOptions;
use std::cell::{Cell, RefCell};
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::io;
use std::rc::Rc;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// What all shards of a server share.
pub struct Common {
    /// The settings.
    pub config: Config,
    /// Who may do what.
    pub application: Arc<dyn Application>,
    /// Which streams there are.
    pub registry: Mutex<Registry>,
    /// Counters.
    pub directory: Arc<Directory>,
    /// Dirty bits, by shard.
    pub mailboxes: Vec<Arc<Mailbox>>,
    /// Bells for them, by shard.
    pub bells: Vec<Arc<Bell>>,
    /// Inboxes, by shard.
    pub(crate) posts: Vec<Post>,
    /// What fills gaps.
    pub slates: Slates,
    /// How many connections each address has.
    pub addresses: Addresses,
    /// The descriptor kept back for when there are none.
    pub reserve: Reserve,
    /// How RTMP connections are served.
    pub options: ServerOptions,
    /// The wire form of streams.
    pub make_framing: MakeFraming,
    /// Where connections are captured.
    pub capture: Option<Capture>,
    /// Who is pushed where.
    pub targets: Arc<Targets>,
    /// What is fetched from other servers, if anything is.
    pub pulls: Option<Arc<Orders>>,
    /// Addresses for the connections that we make.
    pub(crate) resolver: Resolver,
    /// When the process began: the zero of [`Moment`].
    pub began: Instant,
    /// The next connection's number.
    pub next_connection: AtomicU64,
}

impl Common {
    /// The registry, for one step.
    pub fn registry(&self) -> MutexGuard<'_, Registry> {
        // A panic under this lock leaves the tables whole: each step checks before it changes.
        self.registry.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Now.
    pub fn now(&self) -> Moment {
        Moment(u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// The instant of a moment.
    pub fn instant(&self, moment: Moment) -> Instant {
        self.began + Duration::from_micros(moment.0)
    }

    /// How eagerly readers are told of what publishers send.
    pub fn eagerness(&self) -> Eagerness {
        if self.config.latency_budget == LatencyBudget::Fixed(Duration::ZERO) {
            Eagerness::EveryMessage
        } else {
            Eagerness::Riding
        }
    }
}

/// What a shard is given to begin with.
pub struct Seat {
    /// Its number.
    pub index: usize,
    /// The core that it is pinned to.
    pub core: usize,
    /// Its inbox.
    pub(crate) inbox: Inbox,
    /// Its listening sockets.
    pub listeners: Vec<std::net::TcpListener>,
}

/// One shard, on its thread.
pub(super) struct Shard {
    pub index: usize,
    pub common: Arc<Common>,
    pub stats: Arc<ShardStats>,
    pub state: RefCell<State>,
    /// Which sockets of those that are read at once have something.
    pub arrivals: Arrivals,
    /// The same of publishers, who are read in rounds.
    pub feeds: Arrivals,
    pub pacer: RefCell<Pacer>,
    /// Where sockets are read into.
    pub buffer: RefCell<Vec<u8>>,
    /// Time spent in fan-out passes.
    pub passing: Cell<Duration>,
    /// Connections that are closed once their last bytes are sent.
    pub closing: RefCell<Vec<Key>>,
    pub draining: Cell<Option<Moment>>,
    /// Something is due for the fan-out task.
    pub due: Notify,
    /// When the first of what is due on this shard's own streams came.
    pub due_since: Cell<Option<Moment>>,
    /// A ride was added.
    pub rides: Notify,
    /// The shard shall stop.
    pub stop: Notify,
}

/// Runs a shard on the calling thread until it is drained. `ready` is called once it serves.
///
/// # Errors
/// If its thread cannot be pinned, or the runtime or a descriptor cannot be had.
pub fn run(common: Arc<Common>, seat: Seat, ready: impl FnOnce()) -> io::Result<()> {
    runtime::pin_to(seat.core)?;
    runtime::run(serve(common, seat, ready))?
}

async fn serve(common: Arc<Common>, seat: Seat, ready: impl FnOnce()) -> io::Result<()> {
    let Seat { index, inbox, listeners, .. } = seat;
    let bell = Readiness::of_bell(&common.bells[index])?;
    let mail_bell = Readiness::of_bell(inbox.bell())?;
    let yielder = Yielder::new()?;
    let acceptors =
        listeners.into_iter().map(Acceptor::new).collect::<io::Result<Vec<Rc<Acceptor>>>>()?;
    let state = State {
        connections: Slots::default(),
        publishing: Slots::default(),
        outbound: Slots::default(),
        spouts: Slots::default(),
        pulls: HashMap::new(),
        claims: HashMap::new(),
        fanout: Fanout::new(index, Arc::clone(&common.make_framing), common.config.lag.clone()),
        sockets: Vec::new(),
        rides: BinaryHeap::new(),
        farewells: VecDeque::new(),
        unsent: VecDeque::new(),
        marked: vec![false; common.mailboxes.len()],
    };
    let shard = Rc::new(Shard {
        index,
        stats: Arc::clone(&common.directory.shards()[index]),
        state: RefCell::new(state),
        arrivals: Arrivals::new()?,
        feeds: Arrivals::new()?,
        pacer: RefCell::new(Pacer::new(common.config.latency_budget)),
        passing: Cell::new(Duration::ZERO),
        buffer: RefCell::new(vec![0; limits::READ_BUFFER]),
        closing: RefCell::default(),
        draining: Cell::new(None),
        due: Notify::default(),
        due_since: Cell::new(None),
        rides: Notify::default(),
        stop: Notify::default(),
        common,
    });
    for acceptor in &acceptors {
        shard.spawn(Rc::clone(&shard).accept(Rc::clone(acceptor)));
    }
    shard.spawn(Rc::clone(&shard).take_in(Pace::AtOnce, Yielder::new()?));
    shard.spawn(Rc::clone(&shard).take_in(Pace::Gathered, Yielder::new()?));
    shard.spawn(Rc::clone(&shard).fan_out(bell, yielder));
    shard.spawn(Rc::clone(&shard).read_mail(inbox, mail_bell, acceptors, Yielder::new()?));
    shard.spawn(Rc::clone(&shard).ride());
    shard.spawn(Rc::clone(&shard).tick());
    ready();
    shard.stop.wait().await;
    shard.common.posts[index].close();
    shard.close_all();
    Ok(())
}

impl Shard {
    pub fn spawn(self: &Rc<Self>, task: impl Future<Output = ()> + 'static) {
        let shard = Rc::clone(self);
        runtime::spawn(task, move || shard.panicked());
    }

    /// Notes that a task, or the turn of a connection, panicked.
    pub fn panicked(&self) {
        tracing::error!("a task panicked; its connection is lost, the others go on");
        self.stats.panics.add(1);
    }

    pub fn now(&self) -> Moment {
        self.common.now()
    }

    /// Ends what connections there are: the process may go on without the server.
    fn close_all(self: &Rc<Self>) {
        let now = self.now();
        let mut state = self.state.borrow_mut();
        let keys: Vec<Key> = state.connections.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.close(&mut state, key, "server-stops", now);
        }
        self.end_outbound(&mut state);
        self.end_spouts(&mut state, now);
        self.settle(&mut state, now);
    }

    async fn accept(self: Rc<Self>, acceptor: Rc<Acceptor>) {
        loop {
            match acceptor.accept(&self.common.reserve).await {
                Accepted::Connection(stream, address) => self.admit(stream, address),
                Accepted::Exhausted => {
                    self.stats.refuse(crate::stats::Refusal::Descriptors);
                    tracing::warn!(
                        "no descriptor left: a connection was refused; raise the limit of open files"
                    );
                    runtime::sleep(limits::EXHAUSTED_PAUSE).await;
                }
                Accepted::Failed(error) => {
                    tracing::warn!(%error, "accept failed");
                    runtime::sleep(limits::EXHAUSTED_PAUSE).await;
                }
                Accepted::Cancelled => break,
            }
        }
    }

    /// Waits until a parked outlet's socket has room.
    pub async fn wait_writable(self: Rc<Self>, outlet: OutletId, socket: Rc<Socket>) {
        // A failed connection shows itself in the write.
        let _ = socket.writable().await;
        self.on_writable(outlet);
    }

    /// The fan-out: one pass after another over the streams that are due, in windows.
    async fn fan_out(self: Rc<Self>, bell: Readiness, yielder: Yielder) {
        let mailbox = Arc::clone(&self.common.mailboxes[self.index]);
        let mut last_pass = Moment::default();
        let mut found = Found::with_capacity(limits::INTAKE_ROUND);
        loop {
            // What came during the last pass has waited since then, whoever brought it.
            let mut since = last_pass;
            if mailbox.fall_asleep(|| self.due.is_set()) {
                bell.ready_or(&self.due).await;
                mailbox.wake_up();
                self.common.bells[self.index].silence();
                since = self.now();
            }
            // Not asleep during the window, so nobody rings for what is to wait anyway. It begins with
            // the first that waits; what another shard marks during a pass waits for the rest of that, too.
            let window = self.pacer.borrow().window();
            let opens = self.due_since.get().unwrap_or(since) + window;
            if self.now() < opens {
                runtime::sleep(opens.since(self.now())).await;
                self.gather(&mut found);
            }
            // Taken for seen: the pass below looks at everything.
            while self.due.is_set() {
                self.due.wait().await;
            }
            self.due_since.set(None);
            last_pass = self.now();
            mailbox.drain(|slot| self.state.borrow_mut().fanout.mark_due(slot));
            while self.pass_once() {
                yielder.yield_now().await;
            }
        }
    }

    /// One bounded stretch of a pass. Returns whether there is more to do.
    fn pass_once(self: &Rc<Self>) -> bool {
        let now = self.now();
        let mut state = self.state.borrow_mut();
        let State { fanout, sockets, .. } = &mut *state;
        let mut sink = Sockets { ways: sockets, stats: &self.stats };
        let pass = fanout.pass(&mut sink, now, limits::PASS_TURNS);
        self.passing.set(self.passing.get() + self.now().since(now));
        self.stats.passes.add(1);
        self.settle(&mut state, now);
        pass.more
    }

    async fn read_mail(
        self: Rc<Self>,
        inbox: Inbox,
        bell: Readiness,
        acceptors: Vec<Rc<Acceptor>>,
        yielder: Yielder,
    ) {
        let mut read = 0;
        loop {
            while let Some(mail) = inbox.next() {
                // What the application left in it may panic when it is dropped.
                if runtime::contained(|| self.deliver(mail, &acceptors)).is_none() {
                    self.panicked();
                }
                read += 1;
                if read % limits::MAIL_PER_TURN == 0 {
                    yielder.yield_now().await;
                }
            }
            if inbox.fall_asleep() {
                bell.ready().await;
                inbox.bell().silence();
            }
        }
    }

    fn deliver(self: &Rc<Self>, mail: Mail, acceptors: &[Rc<Acceptor>]) {
        match mail {
            Mail::Decided { connection, request, outcome } => {
                self.decided(connection, request, outcome);
            }
            Mail::Errand { connection, errand } => self.run_errand(connection, errand),
            Mail::Connect { stream } => self.admit_inside(stream),
            Mail::LetOut { stream, format, socket } => self.open_spout(&stream, format, socket),
            Mail::Undertake(order) => self.undertake(order),
            Mail::GiveUp(order) => self.give_up(order),
            Mail::Pulls => self.pulls_have_news(),
            Mail::Resolved { outbound, order, attempt, addresses } => {
                self.resolved(outbound, order, attempt, addresses);
            }
            Mail::Seal { claim } => self.seal(claim),
            Mail::Inherit { claim } => self.inherit(claim),
            Mail::Drain => {
                acceptors.iter().for_each(|acceptor| acceptor.cancel());
                self.drain();
            }
        }
    }

    /// Ends the waits of audio frames that no video came for.
    async fn ride(self: Rc<Self>) {
        loop {
            let next = self.state.borrow().rides.peek().map(|ride| ride.0.0);
            match next {
                None => self.rides.wait().await,
                Some(due) if due > self.now() => {
                    self.rides.wait_until(self.common.instant(due)).await;
                }
                Some(_) => self.end_rides(),
            }
        }
    }
}

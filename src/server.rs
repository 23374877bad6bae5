//! The server as a whole: raises limits, opens sockets, starts a shard per core, ends them.
//!
//! A program that embeds the server calls [`Server::start`] with its own application. The HTTP side
//! is separate (`control`): it reads the directory that this one fills.

use crate::capture::{Capture, CaptureError, Writing};
use crate::config::{Config, ConfigError, CoresError};
use crate::egress;
use crate::egress::own::Formats;
use crate::hook::Application;
use crate::moment::Moment;
use crate::name::StreamName;
use crate::net::addresses::Addresses;
use crate::net::listener::{ListenError, Reserve, listen};
use crate::outbound::{Resolver, Source, TargetError, Targets};
use crate::pull::orders::Orders;
use crate::shard::bell::Bell;
use crate::shard::inbox::{Mail, Post, Undelivered, inbox};
use crate::shard::mailbox::Mailbox;
use crate::shard::runtime::Driver;
use crate::shard::{self, Common, Seat};
use crate::slate::{SlateError, Slates};
use crate::stats::Directory;
use crate::stream::demand::Observer;
use crate::stream::log::Retention;
use crate::stream::projection::FormatId;
use crate::stream::registry::Registry;
use crate::stream::takeover::Policy;
use millstream_client::tls::TrustError;
use millstream_rtmp::server::ServerOptions;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Instant;

/// Why the server did not start.
#[derive(Debug)]
pub enum StartError {
    /// A setting.
    Config(ConfigError),
    /// The list of cores.
    Cores(CoresError),
    /// An address.
    Listen(ListenError),
    /// The directory of captures.
    Capture(CaptureError),
    /// A target of pushes.
    Target {
        /// What it is called, or where it is.
        name: String,
        /// Why.
        source: TargetError,
    },
    /// The certificates that origins are held to.
    Trust(TrustError),
    /// A slate's file.
    Slate(SlateError),
    /// A shard's thread.
    Shard {
        /// The core that it was meant for.
        core: usize,
        /// Why.
        source: io::Error,
    },
    /// A descriptor or a thread could not be had.
    System(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Cores(error) => error.fmt(f),
            Self::Listen(error) => error.fmt(f),
            Self::Capture(error) => error.fmt(f),
            Self::Target { name, source } => write!(f, "the push to {name}: {source}"),
            Self::Trust(error) => write!(f, "origins by rtmps://: {error}"),
            Self::Slate(error) => error.fmt(f),
            Self::Shard { core, source } => write!(f, "the shard of core {core}: {source}"),
            Self::System(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StartError {}

/// What a server may be started with besides its application.
#[derive(Default)]
pub struct Additions {
    /// Formats of the application's own, for [`Server::let_out`].
    pub formats: Formats,
    /// Who is told, from the beginning, which streams are wanted and fed.
    pub observers: Vec<Arc<dyn Observer>>,
}

/// A running server.
pub struct Server {
    common: Arc<Common>,
    threads: Vec<JoinHandle<()>>,
    cores: Vec<usize>,
    rtmp: Vec<SocketAddr>,
    capture: Option<Writing>,
    formats: Formats,
}

impl Server {
    /// Starts a server. It serves when this returns.
    ///
    /// # Errors
    /// If a setting, an address, a core or the system does not allow it; nothing runs then.
    pub fn start(config: Config, application: Arc<dyn Application>) -> Result<Self, StartError> {
        Self::start_with(config, application, Additions::default())
    }

    /// The same, with more than an application.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_with(
        config: Config,
        application: Arc<dyn Application>,
        additions: Additions,
    ) -> Result<Self, StartError> {
        let Additions { formats, observers } = additions;
        let cores = config.cores.resolve().map_err(StartError::Cores)?;
        let bind = config.bind().map_err(StartError::Config)?;
        let slates = Slates::load(&config.slate).map_err(StartError::Slate)?;
        let (listeners, rtmp) = open(&config, &bind.rtmp, cores.len())?;
        let directory = Arc::new(Directory::new(&cores));
        let bells = cores
            .iter()
            .map(|_| Bell::new().map(Arc::new))
            .collect::<io::Result<Vec<_>>>()
            .map_err(StartError::System)?;
        let inboxes = cores
            .iter()
            .map(|_| Bell::new().map(inbox))
            .collect::<io::Result<Vec<_>>>()
            .map_err(StartError::System)?;
        let (posts, inboxes): (Vec<_>, Vec<_>) = inboxes.into_iter().unzip();
        let make_framing = egress::rtmp::framings_with(config.chunk_size, formats.clone());
        let retention = Retention {
            bytes_max: usize::try_from(config.gop.bytes).unwrap_or(usize::MAX),
            span_max: config.gop.span,
            slack: config.lag.skip,
        };
        let policy = match config.takeover {
            crate::config::Takeover::IfStale => Policy::IfStale,
            crate::config::Takeover::Always => Policy::Always,
            crate::config::Takeover::Never => Policy::Never,
        };
        let mut registry =
            Registry::new(Arc::clone(&directory), policy, Arc::clone(&make_framing), retention)
                .with_published_max(usize::try_from(config.caps.streams).unwrap_or(usize::MAX))
                .with_take_back(config.take_back);
        let pulls = pulls(&config, &posts).map_err(StartError::Trust)?;
        if let Some(pulls) = &pulls {
            registry = registry.with_observer(Arc::clone(pulls) as Arc<dyn Observer>);
        }
        let registry = observers.into_iter().fold(registry, Registry::with_observer);
        let (capture, writing) = match &config.capture {
            Some(directory) => Capture::start(directory, config.keys.secrets())
                .map(|(capture, writing)| (Some(capture), Some(writing)))
                .map_err(StartError::Capture)?,
            None => (None, None),
        };
        let targets = Arc::new(Targets::new(Arc::clone(&directory), posts.clone()));
        for push in &config.push {
            targets.add(push, Source::Config).map_err(|source| {
                let name = push.name.clone().unwrap_or_else(|| push.stream.clone());
                StartError::Target { name, source }
            })?;
        }
        let common = Arc::new(Common {
            application,
            registry: Mutex::new(registry),
            directory,
            mailboxes: cores.iter().map(|_| Arc::new(Mailbox::default())).collect(),
            bells,
            posts,
            slates,
            addresses: Addresses::new(config.caps.clone()),
            reserve: Reserve::new().map_err(StartError::System)?,
            options: ServerOptions {
                chunk_size: config.chunk_size,
                window_ack_size: config.ack_window,
                peer_bandwidth: config.ack_window,
                fms_ver: config.server_version.as_str().into(),
                ..ServerOptions::default()
            },
            make_framing,
            capture,
            targets,
            pulls,
            resolver: Resolver::default(),
            began: Instant::now(),
            next_connection: AtomicU64::new(1),
            config,
        });
        let seats = inboxes
            .into_iter()
            .zip(listeners)
            .zip(&cores)
            .enumerate()
            .map(|(index, ((inbox, listeners), &core))| Seat { index, core, inbox, listeners });
        let (threads, capture) = (Vec::new(), writing);
        let mut server = Self { common, threads, cores: cores.clone(), rtmp, capture, formats };
        for seat in seats {
            let core = seat.core;
            if let Err(source) = server.seat(seat) {
                server.drain();
                server.join();
                return Err(StartError::Shard { core, source });
            }
        }
        Ok(server)
    }

    /// Starts one shard's thread and waits until it serves.
    fn seat(&mut self, seat: Seat) -> io::Result<()> {
        let common = Arc::clone(&self.common);
        let (started, outcome) = mpsc::channel();
        let thread =
            std::thread::Builder::new().name(format!("shard-{}", seat.index)).spawn(move || {
                let ready = started.clone();
                let result = shard::run(common, seat, move || {
                    // Whoever waits for it has not gone away.
                    let _ = ready.send(Ok(()));
                });
                if let Err(error) = result {
                    tracing::error!(%error, "a shard ended");
                    let _ = started.send(Err(error));
                }
            })?;
        self.threads.push(thread);
        outcome.recv().unwrap_or_else(|_| Err(io::Error::other("its thread ended")))
    }

    /// The addresses that RTMP is served on.
    pub fn rtmp(&self) -> &[SocketAddr] {
        &self.rtmp
    }

    /// The cores, one shard each.
    pub fn cores(&self) -> &[usize] {
        &self.cores
    }

    /// The kernel interface in use.
    pub fn driver(&self) -> Driver {
        Driver::detect()
    }

    /// The counters.
    pub fn directory(&self) -> &Arc<Directory> {
        &self.common.directory
    }

    /// Who is pushed where; targets come and go while the server runs.
    pub fn targets(&self) -> &Arc<Targets> {
        &self.common.targets
    }

    /// The time that the shards count in.
    pub fn now(&self) -> Moment {
        self.common.now()
    }

    /// Connects from within this process: a publisher or player without a network. What comes back is
    /// spoken to in RTMP, as by `millstream-client`; the application is asked as for anybody, and
    /// sees the address 127.0.0.1 with port 0.
    ///
    /// # Errors
    /// If no descriptor is left, or the server ends or is too busy to hear of it.
    pub fn connect(&self) -> io::Result<UnixStream> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        self.mail_idlest(Mail::Connect { stream: ours })?;
        Ok(theirs)
    }

    /// Lets a stream run into a connected stream socket, in a format that the server was started with:
    /// from the newest key frame on if it is published, or else once it is. The socket is a viewer's to
    /// the server: it skips to key frames when it falls behind, is closed when it stays behind, when
    /// nobody publishes the stream within the time that players wait, when the stream or the server
    /// ends, and when its other end is closed. What comes in over it is thrown away.
    ///
    /// # Errors
    /// If there is no such format, or the server ends or is too busy to hear of it.
    pub fn let_out(
        &self,
        stream: &StreamName,
        format: FormatId,
        socket: impl Into<OwnedFd>,
    ) -> io::Result<()> {
        if !self.formats.has(format) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no such format"));
        }
        // Any stream socket is written to in the same way.
        let socket = UnixStream::from(socket.into());
        socket.set_nonblocking(true)?;
        self.mail_idlest(Mail::LetOut { stream: stream.clone(), format, socket })
    }

    /// Sends mail to the shard with the fewest connections.
    fn mail_idlest(&self, mail: Mail) -> io::Result<()> {
        let shards = self.common.directory.shards().iter().enumerate();
        let idlest = shards.min_by_key(|(_, stats)| stats.connections.get() + stats.players.get());
        let shard = idlest.map_or(0, |(shard, _)| shard);
        match self.common.posts[shard].send(mail) {
            Ok(()) => Ok(()),
            Err(Undelivered::Full(_)) => Err(io::ErrorKind::WouldBlock.into()),
            Err(Undelivered::Over(_)) => Err(io::ErrorKind::ConnectionRefused.into()),
        }
    }

    /// Begins to end: no new connections, streams end, viewers get what is theirs.
    pub fn drain(&self) {
        for post in &self.common.posts {
            // A shard that is gone needs no mail.
            let _ = post.send(Mail::Drain);
        }
    }

    /// Waits until all shards have ended.
    pub fn join(self) {
        for thread in self.threads {
            // A shard's panic was logged where it happened.
            let _ = thread.join();
        }
        if let Some(capture) = self.capture {
            capture.finish();
        }
    }
}

/// The orders of what is pulled, if anything is. A shard whose inbox is full looks at its next tick.
fn pulls(config: &Config, posts: &[Post]) -> Result<Option<Arc<Orders>>, TrustError> {
    let rules = config.pulls();
    if rules.is_empty() {
        return Ok(None);
    }
    let posts = posts.to_vec();
    let orders = Orders::new(rules, posts.len(), move |shard| {
        let _ = posts[shard].send(Mail::Pulls);
    });
    orders.map(|orders| Some(Arc::new(orders)))
}

type Listeners = Vec<Vec<std::net::TcpListener>>;

/// Opens every address for every shard: listeners by shard, and the addresses that were opened.
fn open(
    config: &Config,
    addresses: &[SocketAddr],
    shards: usize,
) -> Result<(Listeners, Vec<SocketAddr>), StartError> {
    let mut by_shard: Listeners = (0..shards).map(|_| Vec::new()).collect();
    let mut opened = Vec::new();
    for &address in addresses {
        let listeners = match listen(address, shards, config.congestion.as_deref()) {
            Err(error) if is_missing_ipv6(&error, opened.is_empty()) => {
                tracing::info!(%address, "this machine has no such address; not served");
                continue;
            }
            result => result.map_err(StartError::Listen)?,
        };
        if let Some(Ok(address)) = listeners.first().map(std::net::TcpListener::local_addr) {
            opened.push(address);
        }
        for (shard, listener) in by_shard.iter_mut().zip(listeners) {
            shard.push(listener);
        }
    }
    Ok((by_shard, opened))
}

/// Whether an address is missing because the machine has no IPv6, while another serves: the default
/// names both loopbacks.
fn is_missing_ipv6(error: &ListenError, alone: bool) -> bool {
    let missing =
        matches!(error.source.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported);
    let family =
        rustix::io::Errno::from_io_error(&error.source) == Some(rustix::io::Errno::AFNOSUPPORT);
    error.address.is_ipv6() && error.address.ip().is_loopback() && (missing || family) && !alone
}

/// Raises the soft limit of open files to the hard one. Returns both, as they are afterwards.
pub fn raise_descriptors() -> (u64, u64) {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    // Refused, the old limit stays, and the banner says which it is.
    let _ = setrlimit(Resource::Nofile, raised);
    let limit = getrlimit(Resource::Nofile);
    (limit.current.unwrap_or(u64::MAX), limit.maximum.unwrap_or(u64::MAX))
}

/// The congestion control that sockets of this machine have unless told otherwise.
pub fn system_congestion() -> String {
    std::fs::read_to_string("/proc/sys/net/ipv4/tcp_congestion_control")
        .map_or_else(|_| "unknown".into(), |name| name.trim().to_owned())
}

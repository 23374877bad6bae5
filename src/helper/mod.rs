//! Helper processes: ffmpeg or another program as a source or a filter, started with the server, with a
//! stream or with its first viewer, and stopped with the last.
//!
//! ```text
//!   shards -- who wants what --> wishes --> supervisor (one thread) ==> guardian ==> program
//!   API --- orders -------------------------^    | board                  (a process each)
//!       <-- snapshots ---------------------------+
//! ```
//! - `config`, `rules`, `pattern`, `template`, `plan`: what is to be run for which stream.
//! - `life`: when, without processes and clock.
//! - `supervisor`, `instance`, `run`, `tail`: doing it.
//! - `guard`: the process between, so that no helper outlives the server. `sweep`: if that was killed.
//! - `pass`: what lets a helper publish where keys are demanded.
//!
//! Helpers publish and play by RTMP over loopback, as anybody does; media never passes through here, and
//! the shards only tell the board. See `docs/helpers.md`.

pub mod config;
mod guard;
mod instance;
mod life;
mod mask;
mod order;
mod pass;
mod pattern;
mod plan;
mod rules;
mod run;
mod snapshot;
mod supervisor;
mod sweep;
mod tail;
mod template;
mod wishes;

pub use guard::{Guardian, serve_if_asked};
pub use life::{Command, State};
pub use mask::Argument;
pub use pass::{Pass, Passes};
pub use pattern::{Pattern, PatternError};
pub use rules::{Fault, HelperError};
pub use snapshot::{HelperSnapshot, InstanceSnapshot};
pub use tail::Line;
pub use template::TemplateError;
pub use wishes::Wishes;

use crate::name::StreamName;
use config::HelperConfig;
use instance::Place;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use supervisor::Supervisor;

/// A helper, by its place in the configuration, and a stream.
type Key = (usize, StreamName);

/// What helpers need to know of the server.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// Who guards them: [`Guardian::this_program`] for a program whose `main` calls [`serve_if_asked`].
    pub guardian: Guardian,
    /// Where RTMP is served: [`crate::server::Server::rtmp`].
    pub rtmp: &'a [SocketAddr],
    /// What is heard of streams: an observer of the same server.
    pub wishes: Arc<Wishes>,
    /// What lets them publish, if keys are demanded; the application is to honour it, as
    /// [`crate::rules::Rules`] does.
    pub passes: Option<Arc<Passes>>,
}

/// Why the helpers were not started.
#[derive(Debug)]
pub enum StartError {
    /// A helper's settings.
    Helper(HelperError),
    /// This process was itself started as a guardian, and its `main` does not begin with
    /// [`serve_if_asked`].
    Unasked,
    /// The server listens nowhere, so that they could not reach it.
    NoAddress,
    /// No thread or no descriptor.
    System(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Helper(error) => error.fmt(f),
            Self::Unasked => f.write_str(
                "this process was started to guard a helper, and its main does not begin with \
                 millstream::helper::serve_if_asked",
            ),
            Self::NoAddress => f.write_str("helpers need an address on which RTMP is served"),
            Self::System(error) => write!(f, "the helpers' supervisor cannot be started: {error}"),
        }
    }
}

impl std::error::Error for StartError {}

/// Why an order was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderError {
    /// There is no helper of this name.
    NoHelper,
    /// It does not run for this stream.
    NoStream,
}

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoHelper => "there is no helper of this name",
            Self::NoStream => "this helper has nothing to do with this stream",
        })
    }
}

impl std::error::Error for OrderError {}

/// The running supervisor. Dropped, it runs on; [`Helpers::shutdown`] ends it, and every helper.
#[derive(Debug)]
pub struct Helpers {
    handle: Handle,
    thread: JoinHandle<()>,
}

/// The way to the supervisor, from any thread.
#[derive(Clone, Debug)]
pub struct Handle(Arc<Shared>);

/// What the supervisor shares with everybody else.
#[derive(Debug)]
struct Shared {
    helpers: Vec<HelperConfig>,
    wishes: Arc<Wishes>,
    orders: Mutex<Vec<(Key, Command)>>,
    board: Mutex<BTreeMap<Key, InstanceSnapshot>>,
    ends: AtomicBool,
}

/// Starts the supervisor, and the helpers that always run.
///
/// # Errors
/// If the settings or the system do not allow it. That a guardian is none, or a program is missing,
/// shows in the state of the helper.
pub fn start(
    helpers: Vec<HelperConfig>,
    surroundings: Surroundings<'_>,
) -> Result<Helpers, StartError> {
    if guard::is_missed() {
        return Err(StartError::Unasked);
    }
    rules::check_all(&helpers).map_err(StartError::Helper)?;
    let (rtmp, host) = own_address(surroundings.rtmp).ok_or(StartError::NoAddress)?;
    let Surroundings { guardian, wishes, passes, .. } = surroundings;
    let place = Place { guardian, rtmp, host, passes };
    let shared = Arc::new(Shared {
        helpers: helpers.clone(),
        wishes,
        orders: Mutex::default(),
        board: Mutex::default(),
        ends: AtomicBool::new(false),
    });
    let supervisor = Supervisor::new(Arc::clone(&shared), place, helpers);
    let thread = std::thread::Builder::new()
        .name("helpers".into())
        .spawn(move || supervisor.run())
        .map_err(StartError::System)?;
    Ok(Helpers { handle: Handle(shared), thread })
}

impl Helpers {
    /// The way to the supervisor.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Ends every helper, each within its patience, and the supervisor.
    pub fn shutdown(self) {
        self.handle.0.ends.store(true, Ordering::Release);
        self.handle.0.wishes.ring();
        if self.thread.join().is_err() {
            tracing::error!("the helpers' supervisor had panicked");
        }
    }
}

impl Handle {
    /// How the helpers are, in the order of the configuration.
    pub fn snapshots(&self) -> Vec<HelperSnapshot> {
        let board = self.0.board();
        let helpers = self.0.helpers.iter().enumerate();
        let snapshot = |(at, helper): (usize, &HelperConfig)| {
            let own = board.iter().filter(|((helper, _), _)| *helper == at);
            HelperSnapshot {
                name: helper.name.clone(),
                program: helper.run.first().map(ToString::to_string).unwrap_or_default(),
                stream: helper.stream.to_string(),
                start: helper.start,
                instances: own.map(|(_, instance)| instance.clone()).collect(),
            }
        };
        helpers.map(snapshot).collect()
    }

    /// Gives an order to a helper, for one stream or for all that it runs for. It is carried out soon.
    ///
    /// # Errors
    /// If there is no such helper or stream.
    pub fn order(
        &self,
        helper: &str,
        stream: Option<&StreamName>,
        command: Command,
    ) -> Result<(), OrderError> {
        let helpers = &self.0.helpers;
        let at = helpers.iter().position(|one| one.name == helper).ok_or(OrderError::NoHelper)?;
        let keys: Vec<Key> = {
            let board = self.0.board();
            let own = board.keys().filter(|(helper, _)| *helper == at);
            own.filter(|(_, name)| stream.is_none_or(|stream| stream == name)).cloned().collect()
        };
        if stream.is_some() && keys.is_empty() {
            return Err(OrderError::NoStream);
        }
        self.0.lock_orders().extend(keys.into_iter().map(|key| (key, command)));
        self.0.wishes.ring();
        Ok(())
    }
}

impl Shared {
    fn board(&self) -> MutexGuard<'_, BTreeMap<Key, InstanceSnapshot>> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_orders(&self) -> MutexGuard<'_, Vec<(Key, Command)>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn orders(&self) -> Vec<(Key, Command)> {
        std::mem::take(&mut *self.lock_orders())
    }
}

/// The server's address for a program on this machine, as a URL and without its port: loopback if it
/// serves there.
fn own_address(rtmp: &[SocketAddr]) -> Option<(String, IpAddr)> {
    let near = |address: &SocketAddr| match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let mut addresses = rtmp.iter().map(|address| SocketAddr::new(near(address), address.port()));
    let first = addresses.next()?;
    let chosen = std::iter::once(first).chain(addresses).find(|address| address.ip().is_loopback());
    let chosen = chosen.unwrap_or(first);
    Some((format!("rtmp://{chosen}"), chosen.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helpers_reach_the_server_where_it_is_nearest() {
        let url = |rtmp: &[&str]| {
            let rtmp: Vec<_> = rtmp.iter().map(|text| text.parse().unwrap()).collect();
            own_address(&rtmp).map(|(url, _)| url)
        };
        assert_eq!(url(&["10.0.0.1:5", "127.0.0.1:6"]).unwrap(), "rtmp://127.0.0.1:6");
        assert_eq!(url(&["0.0.0.0:1935"]).unwrap(), "rtmp://127.0.0.1:1935");
        assert_eq!(url(&["[::]:1935"]).unwrap(), "rtmp://[::1]:1935");
        assert_eq!(url(&["10.0.0.1:5"]).unwrap(), "rtmp://10.0.0.1:5");
        assert_eq!(url(&[]), None);
    }
}

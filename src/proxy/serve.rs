//! Listens, gives each client a thread, and reports, until it is told to stop.

use super::error::ProxyError;
use super::link::Link;
use super::pump::{Pump, Surroundings};
use super::report::{Ended, Form, Report};
use super::session::{Figures, Session};
use super::settings::Settings;
use crate::cli::ProxyArgs;
use crate::config::Caps;
use crate::limits;
use crate::net::addresses::Addresses;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::{Builder, Scope};
use std::time::{Duration, Instant};

/// How often the flag of the signals is looked at.
const GLANCE: Duration = Duration::from_millis(100);

/// Runs a proxy until `stop` is set and all sessions have ended.
///
/// # Errors
/// [`ProxyError`] if it cannot be started.
pub fn proxy(args: &ProxyArgs, stop: &AtomicBool) -> Result<(), ProxyError> {
    let settings = Settings::load(args)?;
    let mut listeners = Vec::new();
    for address in &settings.listen {
        listeners.push(listen(*address)?);
    }
    let own: Vec<SocketAddr> =
        listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect();
    let form = match (args.json, args.stats) {
        (true, _) => Form::Json,
        (false, true) => Form::Lines,
        (false, false) => Form::Summary,
    };
    greet(&settings, &own, form);
    let ending = AtomicBool::new(false);
    let around = Surroundings { tls: settings.tls.clone(), own: own.into(), stop: &ending };
    let caps = Caps { connections: settings.connections, ..Caps::default() };
    let house = House { settings: &settings, around: &around, addresses: Addresses::new(caps) };
    let mut report = Report::new(form);
    let (ended, ends) = channel();
    std::thread::scope(|scope| {
        let mut next = 1;
        while !stop.load(Ordering::Relaxed) && !report.is_unread() {
            for (socket, peer) in arrivals(&listeners) {
                let begun = house.begin(scope, next, socket, peer, ended.clone());
                if let Some(figures) = begun {
                    report.begin(next, figures);
                    next += 1;
                }
            }
            ends.try_iter().for_each(|end| report.end(end));
            report.show();
        }
        drop(listeners);
        drop(ended);
        ending.store(true, Ordering::Relaxed);
        // The channel ends with the last session.
        ends.iter().for_each(|end| report.end(end));
    });
    report.finish();
    Ok(())
}

/// What each session is given.
struct House<'a> {
    settings: &'a Settings,
    around: &'a Surroundings<'a>,
    addresses: Addresses,
}

impl House<'_> {
    /// Gives a client its thread; nothing if there is no room for it, and it is closed then.
    fn begin<'scope, 'env>(
        &'env self,
        scope: &'scope Scope<'scope, 'env>,
        id: u64,
        socket: TcpStream,
        peer: SocketAddr,
        ended: Sender<Ended>,
    ) -> Option<Arc<Figures>> {
        if let Err(capped) = self.addresses.admit(peer.ip()) {
            tracing::warn!(%peer, reason = capped.name(), "connection refused");
            return None;
        }
        let figures = Arc::new(Figures::default());
        let of_session = Arc::clone(&figures);
        let work = move || {
            let began = Instant::now();
            let opened = AtomicBool::new(false);
            // A panic ends its session only. What it leaves behind is this session's alone.
            let served = catch_unwind(AssertUnwindSafe(|| {
                self.serve(id, socket, peer, of_session, &opened)
            }));
            let reason = served.unwrap_or("internal-error");
            self.addresses.gone(peer.ip(), opened.load(Ordering::Relaxed));
            let lasted = began.elapsed();
            // Nobody listens once all is reported.
            let _ = ended.send(Ended { session: id, peer, reason, lasted });
        };
        let thread = Builder::new()
            .name(format!("proxy-{id}"))
            .stack_size(limits::PROXY_STACK_BYTES)
            .spawn_scoped(scope, work);
        if let Err(error) = thread {
            tracing::warn!(%peer, "connection refused: no thread for it: {error}");
            self.addresses.gone(peer.ip(), false);
            return None;
        }
        Some(figures)
    }

    fn serve(
        &self,
        id: u64,
        socket: TcpStream,
        peer: SocketAddr,
        figures: Arc<Figures>,
        opened: &AtomicBool,
    ) -> &'static str {
        tracing::debug!(session = id, %peer, "connected");
        let policy = Arc::clone(&self.settings.policy);
        let session = Session::new(id, policy, self.settings.give_up, figures, Instant::now());
        let pump = Link::plain(socket).and_then(|link| Pump::new(self.around, session, link));
        match pump {
            Ok(pump) => {
                let end = pump.run(|| {
                    opened.store(true, Ordering::Relaxed);
                    self.addresses.opened(peer.ip());
                });
                tracing::debug!(session = id, "at its end: {end}");
                end.name()
            }
            Err(error) => {
                tracing::warn!(session = id, %peer, "connection refused: {error}");
                "no-descriptor"
            }
        }
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, ProxyError> {
    let failed = |source| ProxyError::Listen { address, source };
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}

/// Waits a moment for connections, and gives those that have come.
fn arrivals(listeners: &[TcpListener]) -> Vec<(TcpStream, SocketAddr)> {
    let mut fds: Vec<_> = listeners.iter().map(|one| PollFd::new(one, PollFlags::IN)).collect();
    let time = Timespec { tv_sec: 0, tv_nsec: GLANCE.subsec_nanos().into() };
    // A failure means that it was interrupted, by a signal: the flag is looked at next.
    let _ = poll(&mut fds, Some(&time));
    let mut come = Vec::new();
    for listener in listeners {
        loop {
            match listener.accept() {
                Ok((socket, peer)) => {
                    // IPv4 through a socket of IPv6 is IPv4.
                    come.push((socket, SocketAddr::new(peer.ip().to_canonical(), peer.port())));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => {
                    // No descriptor, or the connection went before it was taken. The former lasts.
                    tracing::warn!("no connection could be taken: {error}");
                    std::thread::sleep(limits::EXHAUSTED_PAUSE);
                    break;
                }
            }
        }
    }
    come
}

/// Says where the proxy listens: a program that chose port 0 reads it here.
fn greet(settings: &Settings, own: &[SocketAddr], form: Form) {
    let target = &settings.policy.target;
    let mut text = String::new();
    for address in own {
        text.push_str(&format!("proxying rtmp://{address} to {target}\n"));
    }
    if settings.policy.keys.is_empty() && settings.policy.publish {
        text.push_str("anybody may publish here; keys are asked for by the target, or by --keys\n");
    }
    for stream in settings.policy.keys.weak() {
        text.push_str(&format!("the key of {stream} is short and can be guessed\n"));
    }
    // Objects alone go to standard output. Whoever closed it does not want to hear.
    let _ = match form {
        Form::Json => io::stderr().write_all(text.as_bytes()),
        _ => io::stdout().write_all(text.as_bytes()),
    };
}

//! A proxy that stands between players and a server and damages single frames on purpose, so that
//! anyone can see that the checker notices.
//!
//! ```text
//! player  --------- as it came ------------------------------>  server
//! player  <-- messages, written again, some damaged ([`fault`]) --  server
//! ```
//! Frames are counted for each connection apart, from its first one, and only media that a server
//! sends is touched: publishers are not disturbed. What it counts is what it has done, for
//! comparison with what was found.
//!
//! It is a tool for tests, not for load: two threads carry a connection. It leaves aggregates as
//! they are, and does not correct what the client acknowledges, which is less than the server sent
//! by the headers that were saved.
//!
//! ```
//! use loadtest::proxy::Proxy;
//! use std::net::TcpListener;
//!
//! let server = TcpListener::bind("127.0.0.1:0")?;
//! let faults = ["drop:video@30/30".parse()?, "delay=300:audio@100".parse()?];
//! let proxy = Proxy::start("127.0.0.1:0".parse()?, server.local_addr()?, &faults)?;
//! println!("players connect to {}", proxy.address());
//! assert!(proxy.applied().is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod cli;
mod counters;
mod damage;
pub mod fault;
mod relay;
mod rewriter;
mod stop;

pub use fault::{Fault, FaultError, FaultKind};

use rewriter::Common;
use rustix::net::Shutdown;
use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use stop::Stop;

/// The pause after a connection could not be accepted: no descriptors are left, for the time being.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);

/// A proxy that runs. It ends, and with it all its connections, when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// Present until it is dropped.
    acceptor: Option<JoinHandle<()>>,
}

/// What the threads of a proxy have in common.
#[derive(Debug)]
struct Shared {
    listener: TcpListener,
    target: SocketAddr,
    faults: Vec<Fault>,
    common: Arc<Common>,
    stop: Stop,
}

impl Proxy {
    /// Listens on an address, port 0 for any, and connects whoever comes to `target`.
    ///
    /// # Errors
    /// If the address cannot be listened on, or no thread can be had.
    pub fn start(listen: SocketAddr, target: SocketAddr, faults: &[Fault]) -> io::Result<Self> {
        let listener = TcpListener::bind(listen)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            listener,
            target,
            faults: faults.to_vec(),
            common: Arc::default(),
            stop: Stop::default(),
        });
        let accepting = Arc::clone(&shared);
        let acceptor = std::thread::Builder::new()
            .name("proxy".to_owned())
            .spawn(move || accepting.accept())?;
        Ok(Self { address, shared, acceptor: Some(acceptor) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How often each kind of fault was applied, by its name; only those that were.
    pub fn applied(&self) -> BTreeMap<&'static str, u64> {
        self.shared.common.counters.read()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stop.set();
        // On Linux this ends `accept`, with an error. If it could not, the listener is gone already.
        let _ = rustix::net::shutdown(&self.shared.listener, Shutdown::Both);
        if let Some(acceptor) = self.acceptor.take() {
            // If it panicked, it has said so.
            let _ = acceptor.join();
        }
    }
}

impl Shared {
    /// Serves whoever comes, until the proxy stops and the last connection has ended.
    fn accept(&self) {
        std::thread::scope(|scope| {
            while !self.stop.is_set() {
                let Ok((client, _)) = self.listener.accept() else {
                    self.stop.wait(REFUSED_PAUSE);
                    continue;
                };
                // Without a thread the connection is closed again: its client sees that.
                let _ = std::thread::Builder::new()
                    .name("proxy-down".to_owned())
                    .spawn_scoped(scope, move || relay::serve(&client, self));
            }
        });
    }
}

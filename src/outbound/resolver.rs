//! Host names to addresses, on threads of their own: the system's resolver waits, up to half a minute for
//! a name server that does not answer, and a shard never waits.
//!
//! Whoever asks for a name that is being asked for already waits for the same answer, so a name that
//! hangs takes one thread, not one for each of its connections.

use super::order::OrderId;
use crate::limits;
use crate::shard::inbox::{Mail, Post};
use crate::slots::Key;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// Who asks, on which shard, and for what attempt: an answer that comes late is nobody's.
#[derive(Clone)]
pub(crate) struct Inquiry {
    /// The way back.
    pub post: Post,
    /// The connection.
    pub outbound: Key,
    /// Its order.
    pub order: OrderId,
    /// Its attempt.
    pub attempt: u64,
}

/// The system's resolver on a few threads, which begin with the first question.
#[derive(Default)]
pub(crate) struct Resolver {
    desk: OnceLock<SyncSender<Host>>,
    asked: Arc<Mutex<HashMap<Host, Vec<Inquiry>>>>,
}

type Host = (String, u16);

impl Resolver {
    /// Asks for a host's addresses, which come by [`Mail::Resolved`]; at once for an address. False if
    /// as many names are asked for as may be.
    pub(crate) fn ask(&self, host: &str, port: u16, inquiry: Inquiry) -> bool {
        // A zone, as in fe80::1%eth0, is the system's to understand.
        if let Ok(ip) = host.parse::<IpAddr>() {
            return answer(&inquiry, &[SocketAddr::new(ip, port)]);
        }
        let host = (host.to_owned(), port);
        let mut asked = lock(&self.asked);
        if let Some(waiting) = asked.get_mut(&host) {
            waiting.push(inquiry);
            return true;
        }
        let desk = self.desk.get_or_init(|| open(&self.asked));
        match desk.try_send(host.clone()) {
            Ok(()) => {
                asked.insert(host, vec![inquiry]);
                true
            }
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        }
    }
}

/// Starts the threads. They end with the resolver.
fn open(asked: &Arc<Mutex<HashMap<Host, Vec<Inquiry>>>>) -> SyncSender<Host> {
    let (desk, queue) = sync_channel(limits::RESOLVER_QUEUE_MAX);
    let queue = Arc::new(Mutex::new(queue));
    for number in 0..limits::RESOLVER_THREADS {
        let (queue, asked) = (Arc::clone(&queue), Arc::clone(asked));
        let thread = std::thread::Builder::new().name(format!("resolver-{number}"));
        if let Err(error) = thread.spawn(move || work(&queue, &asked)) {
            tracing::error!(%error, "a thread that resolves names does not start");
        }
    }
    desk
}

fn work(queue: &Mutex<Receiver<Host>>, asked: &Mutex<HashMap<Host, Vec<Inquiry>>>) {
    loop {
        let next = lock(queue).recv();
        let Ok(host) = next else { return };
        let found = (host.0.as_str(), host.1).to_socket_addrs();
        let found: Vec<SocketAddr> =
            found.map(|all| all.take(limits::ADDRESSES_TRIED_MAX).collect()).unwrap_or_default();
        for inquiry in lock(asked).remove(&host).unwrap_or_default() {
            answer(&inquiry, &found);
        }
    }
}

/// A full inbox loses the answer; its connection notices when its time is over.
fn answer(inquiry: &Inquiry, addresses: &[SocketAddr]) -> bool {
    let Inquiry { outbound, order, attempt, .. } = *inquiry;
    let addresses = addresses.to_vec();
    inquiry.post.send(Mail::Resolved { outbound, order, attempt, addresses }).is_ok()
}

/// What is under these locks is whole between any two lines.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shard::bell::Bell;
    use crate::shard::inbox::{Inbox, inbox};
    use crate::slots::Slots;
    use std::time::{Duration, Instant};

    fn next(inbox: &Inbox) -> (u64, Vec<SocketAddr>) {
        let since = Instant::now();
        loop {
            if let Some(Mail::Resolved { attempt, addresses, .. }) = inbox.next() {
                return (attempt, addresses);
            }
            assert!(since.elapsed() < Duration::from_secs(60), "no answer");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn addresses_names_and_what_is_none() {
        let (post, inbox) = inbox(Bell::new().unwrap());
        let resolver = Resolver::default();
        let outbound = Slots::default().insert(());
        let ask = |host: &str, attempt| {
            let post = post.clone();
            let inquiry = Inquiry { post, outbound, order: OrderId(1), attempt };
            assert!(resolver.ask(host, 1935, inquiry), "{host}");
        };
        ask("::1", 1);
        assert_eq!(next(&inbox), (1, vec!["[::1]:1935".parse().unwrap()]));
        assert!(resolver.desk.get().is_none(), "no thread for an address");
        ask("localhost", 2);
        let (attempt, found) = next(&inbox);
        assert!(attempt == 2 && found.iter().all(|at| at.ip().is_loopback()) && !found.is_empty());
        ask("nobody.invalid", 3);
        ask("nobody.invalid", 4);
        let mut answers = [next(&inbox), next(&inbox)];
        answers.sort();
        assert_eq!(answers, [(3, vec![]), (4, vec![])]);
    }
}

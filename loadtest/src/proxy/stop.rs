//! How the threads of a proxy are told to end: those that wait for time, and those that wait for a
//! socket.

use std::net::{Shutdown, TcpStream};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The word to stop, and the sockets at which threads may be waiting.
#[derive(Debug, Default)]
pub(super) struct Stop {
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stopped: bool,
    /// Handles of sockets in use, with their number.
    sockets: Vec<(u64, TcpStream)>,
    next: u64,
}

impl Stop {
    /// Tells all threads to end, and shuts all sockets down.
    pub fn set(&self) {
        let mut state = self.lock();
        state.stopped = true;
        for (_, socket) in state.sockets.drain(..) {
            // One that is shut down already is as it should be.
            let _ = socket.shutdown(Shutdown::Both);
        }
        self.bell.notify_all();
    }

    /// Whether they were told.
    pub fn is_set(&self) -> bool {
        self.lock().stopped
    }

    /// Waits. Returns whether the threads were told to end meanwhile.
    pub fn wait(&self, time: Duration) -> bool {
        let began = Instant::now();
        let mut state = self.lock();
        while !state.stopped {
            let Some(left) = time.checked_sub(began.elapsed()).filter(|left| !left.is_zero())
            else {
                break;
            };
            let waited = self.bell.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.stopped
    }

    /// Has a socket shut down when the time comes, until [`leave`](Self::leave) with this number.
    /// `None` if it has come already, or no handle can be had.
    pub fn enter(&self, socket: &TcpStream) -> Option<u64> {
        let handle = socket.try_clone().ok()?;
        let mut state = self.lock();
        if state.stopped {
            return None;
        }
        let number = state.next;
        state.next += 1;
        state.sockets.push((number, handle));
        Some(number)
    }

    /// A socket is used no more.
    pub fn leave(&self, number: u64) {
        self.lock().sockets.retain(|(of, _)| *of != number);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic happens under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::TcpListener;

    #[test]
    fn whoever_waits_is_woken() {
        let stop = Stop::default();
        assert!(!stop.wait(Duration::from_millis(1)));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        stop.enter(&socket).unwrap();
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| stop.wait(Duration::from_secs(60)));
            let reads = scope.spawn(|| socket.read(&mut [0]).unwrap());
            stop.set();
            assert!(waits.join().unwrap());
            assert_eq!(reads.join().unwrap(), 0);
        });
        assert!(stop.is_set());
        let late = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert_eq!(stop.enter(&late), None);
    }
}

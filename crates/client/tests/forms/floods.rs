//! Servers whose bytes come as fast as they are read, and make no event: the thread is given back.

use crate::support::*;
use futures_io::{AsyncRead, AsyncWrite};
use millstream_client::{Connection, Options};
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Window Acknowledgement Size, 2,500,000: it makes no event.
const NOTHING: &[u8; 16] = b"\x02\0\0\0\0\0\x04\x05\0\0\0\0\0\x26\x25\xa0";

/// Reads after which the socket is not ready any more, so that a test of what never returns does.
const READS_MAX: u32 = 1_000;

/// More than this is not read in one poll.
const READS_A_POLL: u32 = 40;

/// The answers of a server, and nothings without end behind them.
struct Flood {
    session: Session,
    answers: Vec<u8>,
    reads: Arc<AtomicU32>,
}

impl Flood {
    fn new() -> (Self, Arc<AtomicU32>) {
        let reads = Arc::new(AtomicU32::new(0));
        let flood =
            Self { session: Session::new(), answers: Vec::new(), reads: Arc::clone(&reads) };
        (flood, reads)
    }
}

impl AsyncRead for Flood {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if self.reads.fetch_add(1, Ordering::Relaxed) >= READS_MAX {
            return Poll::Pending;
        }
        if self.answers.is_empty() {
            let whole = buffer.len() - buffer.len() % NOTHING.len();
            for message in buffer[..whole].chunks_exact_mut(NOTHING.len()) {
                message.copy_from_slice(NOTHING);
            }
            return Poll::Ready(Ok(whole));
        }
        let count = buffer.len().min(self.answers.len());
        buffer[..count].copy_from_slice(&self.answers[..count]);
        self.answers.drain(..count);
        Poll::Ready(Ok(count))
    }
}

impl AsyncWrite for Flood {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let answer = self.session.feed(bytes);
        self.answers.extend(answer);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[derive(Default)]
struct Wakes(AtomicU32);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Polls until nothing comes of it any more, and looks that each poll reads little and wakes its task.
fn polls<T>(future: impl Future<Output = T>, reads: &AtomicU32) {
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let mut future = pin!(future);
    for _ in 0..4 {
        reads.store(0, Ordering::Relaxed);
        let before = wakes.0.load(Ordering::Relaxed);
        assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        let reads = reads.load(Ordering::Relaxed);
        assert!((1..=READS_A_POLL).contains(&reads), "{reads} reads in one poll");
        assert!(wakes.0.load(Ordering::Relaxed) > before, "nobody polls again");
    }
}

#[test]
fn a_connection_gives_the_thread_back() {
    let (flood, reads) = Flood::new();
    let mut connection = Connection::new(flood, Options::new(&url("cam"))).unwrap();
    polls(
        async {
            loop {
                connection.next().await.unwrap();
            }
        },
        &reads,
    );
    polls(connection.finish(), &reads);
}

#[test]
fn a_driver_gives_the_thread_and_the_lock_back() {
    let (flood, reads) = Flood::new();
    let connection = Connection::new(flood, Options::new(&url("cam"))).unwrap();
    let (remote, mut driver) = connection.split();
    polls(poll_fn(|cx| Pin::new(&mut driver).poll(cx)), &reads);
    drop(remote);
    polls(driver, &reads);
}

//! The runtime of a shard: monoio behind one small face, so that the rules its defects force stand
//! in one place.
//!
//! - Tasks are spawned with a panic boundary: a panic ends its task, not the core. A task that serves
//!   many takes each one's step within a boundary of its own.
//! - Nobody wakes himself to yield (such a task would go to the front of the queue); [`Yielder`]
//!   awaits an I/O operation.
//! - Waits are for readiness only. No operation holds a buffer, so dropping a wait is harmless.
//! - Accepts are cancelled by a `Canceller`, never dropped.

use super::bell::Bell;
use monoio::net::UnixStream;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// The kernel interface under the shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// io_uring.
    Uring,
    /// epoll, where io_uring is refused, or `MONOIO_FORCE_LEGACY_DRIVER=1` asks for it.
    Epoll,
}

impl Driver {
    /// The driver that shards of this process run on.
    pub fn detect() -> Self {
        if monoio::utils::detect_uring() { Self::Uring } else { Self::Epoll }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Uring => "io_uring",
            Self::Epoll => "epoll",
        }
    }
}

/// Pins this thread to a core.
///
/// # Errors
/// If the core is not one that the process may use.
pub fn pin_to(core: usize) -> io::Result<()> {
    monoio::utils::bind_to_cpu_set([core]).map_err(io::Error::other)
}

/// Runs a shard's main future on this thread, with all that it spawns.
///
/// # Errors
/// If the runtime cannot be made.
pub fn run<F: Future>(main: F) -> io::Result<F::Output> {
    // Without this flag a shard that is computing is interrupted for each socket that becomes
    // readable, which costs whoever sends to it, too. With it the kernel waits until the shard
    // enters it by itself. Kernels before 5.19 refuse.
    let mut cooperative = io_uring::IoUring::builder();
    cooperative.setup_coop_taskrun();
    let builder =
        || monoio::RuntimeBuilder::<monoio::FusionDriver>::new().with_entries(4096).enable_timer();
    let mut runtime =
        builder().uring_builder(cooperative).build().or_else(|_| builder().build())?;
    Ok(runtime.block_on(main))
}

/// Spawns a task. If it panics, `panicked` is called, and nothing else ends.
pub fn spawn(task: impl Future<Output = ()> + 'static, panicked: impl FnOnce() + Unpin + 'static) {
    drop(monoio::spawn(Contained { task: Box::pin(task), panicked: Some(panicked) }));
}

/// Takes a step; nothing if it panicked.
pub fn contained<T>(step: impl FnOnce() -> T) -> Option<T> {
    // As for tasks, below.
    catch_unwind(AssertUnwindSafe(step)).ok()
}

/// Waits. The granularity is a millisecond, rounded up.
pub async fn sleep(length: Duration) {
    monoio::time::sleep(length).await;
}

/// A task behind its boundary. A type of its own: an `async` block would hold the task twice, as it
/// was given and in its box, and there is one for each connection.
struct Contained<P> {
    task: Pin<Box<dyn Future<Output = ()>>>,
    /// Until it is called.
    panicked: Option<P>,
}

impl<P: FnOnce() + Unpin> Future for Contained<P> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // The shard's tables are borrowed for single steps only, and each step leaves them whole or
        // has its connection closed; so what a panic leaves behind can be used on.
        match catch_unwind(AssertUnwindSafe(|| self.task.as_mut().poll(cx))) {
            Ok(poll) => poll,
            Err(_) => {
                if let Some(panicked) = self.panicked.take() {
                    panicked();
                }
                Poll::Ready(())
            }
        }
    }
}

/// A flag that one task of a shard waits for and others set.
#[derive(Default)]
pub struct Notify {
    set: Cell<bool>,
    waiter: RefCell<Option<Waker>>,
}

impl Notify {
    /// Sets the flag.
    pub fn notify(&self) {
        self.set.set(true);
        if let Some(waiter) = self.waiter.borrow_mut().take() {
            waiter.wake();
        }
    }

    /// Whether the flag is set.
    pub fn is_set(&self) -> bool {
        self.set.get()
    }

    /// Waits for the flag and clears it.
    pub async fn wait(&self) {
        std::future::poll_fn(|cx| self.poll(cx)).await;
    }

    /// Waits for the flag until a deadline. Clears it; returns whether it was set.
    pub async fn wait_until(&self, deadline: Instant) -> bool {
        if self.set.replace(false) {
            return true;
        }
        let mut sleep = pin!(monoio::time::sleep_until(deadline.into()));
        std::future::poll_fn(|cx| {
            if self.poll(cx).is_ready() {
                return Poll::Ready(true);
            }
            sleep.as_mut().poll(cx).map(|()| false)
        })
        .await
    }

    /// Clears the flag.
    pub fn clear(&self) {
        self.set.set(false);
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.set.replace(false) {
            return Poll::Ready(());
        }
        *self.waiter.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// The runtime's side of a descriptor that becomes readable: a [`Bell`]'s, or a set's.
pub struct Readiness {
    /// A stream socket in type only: nothing but its readiness is asked for.
    stream: UnixStream,
}

impl Readiness {
    /// Waits on this descriptor.
    ///
    /// # Errors
    /// If the runtime cannot watch it.
    pub fn of(descriptor: OwnedFd) -> io::Result<Self> {
        let stream = std::os::unix::net::UnixStream::from(descriptor);
        Ok(Self { stream: UnixStream::from_std(stream)? })
    }

    /// Waits on this bell. It rings on until it is silenced.
    ///
    /// # Errors
    /// If no descriptor is left.
    pub fn of_bell(bell: &Bell) -> io::Result<Self> {
        Self::of(bell.duplicate()?)
    }

    /// Waits until it is readable, or `other` is set.
    pub async fn ready_or(&self, other: &Notify) {
        let mut ready = pin!(self.ready());
        std::future::poll_fn(|cx| {
            if other.poll(cx).is_ready() || ready.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            Poll::Pending
        })
        .await;
    }

    /// Waits until it is readable.
    pub async fn ready(&self) {
        // A failing poll of our own descriptor cannot be repaired here; the caller looks anyway.
        let _ = self.stream.readable(false).await;
    }
}

/// Lets the other tasks of the shard run, timers and I/O included.
pub struct Yielder {
    bell: Bell,
    waiter: Readiness,
}

impl Yielder {
    /// A yielder.
    ///
    /// # Errors
    /// If no descriptor is left.
    pub fn new() -> io::Result<Self> {
        let bell = Bell::new()?;
        let waiter = Readiness::of_bell(&bell)?;
        Ok(Self { bell, waiter })
    }

    /// Yields once: until the driver was asked for completions.
    pub async fn yield_now(&self) {
        self.bell.silence();
        let mut rung = pin!(self.waiter.ready());
        let mut ringing = false;
        std::future::poll_fn(|cx| {
            let poll = rung.as_mut().poll(cx);
            // Rung only after the wait is registered: readiness that the epoll driver remembers
            // would end it at once.
            if !std::mem::replace(&mut ringing, true) {
                self.bell.ring();
            }
            poll
        })
        .await;
    }
}

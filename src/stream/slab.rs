//! An append-only buffer with one writer and any number of readers, none of whom ever waits.
//!
//! ```text
//!   [ committed: immutable, read by everyone | reserved for the writer's next append ]
//!   0                                       end                               capacity
//! ```
//! The invariant: *cells before `end` are initialised and never written again; cells from `end` on
//! are touched by the one [`Appender`] only.* `end` is stored with Release after the cells were
//! written, and loaded with Acquire before they are read.
//!
//! This file holds all the unsafe code of the log. It knows nothing of messages. The model checker
//! runs it as it stands (`tests/loom/model.rs`), with a shadow cell per element that reports a read which
//! is not ordered after its write.

use super::spare::{Element, Memory};
use crate::weak::{Spot, ordering};
use std::cell::UnsafeCell;

#[cfg(millstream_loom)]
use loom::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
#[cfg(not(millstream_loom))]
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

struct Cells<T: Element> {
    cells: Memory<T>,
    end: AtomicUsize,
    #[cfg(millstream_loom)]
    shadow: Box<[loom::cell::UnsafeCell<()>]>,
}

// SAFETY: the only shared mutation is `Appender::append`, which writes cells at or past `end`, and
// readers touch cells before `end` only; Release on the store and Acquire on the load of `end` order
// the two (`tests/loom/model.rs`). `T: Copy` has no drop, so freeing needs no knowledge of `end`.
unsafe impl<T: Element + Send + Sync> Sync for Cells<T> {}

impl<T: Element> Drop for Cells<T> {
    fn drop(&mut self) {
        // The last end is gone: to whoever uses the memory next it is uninitialised again.
        T::let_go(std::mem::take(&mut self.cells));
    }
}

/// The writing end. There is exactly one for each slab: it cannot be cloned.
pub struct Appender<T: Element> {
    cells: Arc<Cells<T>>,
    /// The writer's own copy of `end`; always equal to it between calls.
    end: usize,
}

/// A reading end.
pub struct Slab<T: Element> {
    cells: Arc<Cells<T>>,
}

impl<T: Element> Clone for Slab<T> {
    fn clone(&self) -> Self {
        Self { cells: Arc::clone(&self.cells) }
    }
}

/// Makes an empty slab of at least `capacity` elements.
pub fn slab<T: Element>(capacity: usize) -> (Appender<T>, Slab<T>) {
    let cells = Arc::new(Cells {
        cells: T::memory(capacity),
        end: AtomicUsize::new(0),
        #[cfg(millstream_loom)]
        shadow: (0..capacity).map(|_| loom::cell::UnsafeCell::new(())).collect(),
    });
    (Appender { cells: Arc::clone(&cells), end: 0 }, Slab { cells })
}

impl<T: Element> Appender<T> {
    /// Elements that still fit.
    pub fn room(&self) -> usize {
        self.cells.cells.len() - self.end
    }

    /// Elements appended so far.
    pub fn len(&self) -> usize {
        self.end
    }

    /// Whether nothing was appended yet.
    pub fn is_empty(&self) -> bool {
        self.end == 0
    }

    /// Appends the concatenation of `parts` and publishes it as one step.
    ///
    /// # Panics
    /// If it does not fit: the caller asks [`room`](Self::room) first.
    pub fn append(&mut self, parts: &[&[T]]) {
        let total: usize = parts.iter().map(|part| part.len()).sum();
        assert!(total <= self.room(), "an append must fit the slab");
        for part in parts {
            #[cfg(millstream_loom)]
            for cell in &self.cells.shadow[self.end..self.end + part.len()] {
                cell.with_mut(|_| ());
            }
            let target = self.cells.cells[self.end..].as_ptr();
            // SAFETY: `total <= room`, so the range lies inside the allocation; it starts at `end`
            // or past it, so no reader looks at it yet, and `self` is the only writer. `part` cannot
            // overlap it, since a shared slice of a slab never reaches past `end`.
            unsafe {
                std::ptr::copy_nonoverlapping(
                    part.as_ptr(),
                    UnsafeCell::raw_get(target.cast::<UnsafeCell<T>>()),
                    part.len(),
                );
            }
            self.end += part.len();
        }
        self.cells.end.store(self.end, ordering(Spot::Publish, Ordering::Release));
    }
}

impl<T: Element> Slab<T> {
    /// Everything published so far.
    pub fn committed(&self) -> &[T] {
        let end = self.cells.end.load(Ordering::Acquire);
        #[cfg(millstream_loom)]
        for cell in &self.cells.shadow[..end] {
            cell.with(|_| ());
        }
        // SAFETY: cells before `end` are initialised, and Acquire orders us after their writes. They
        // are never written again and live as long as `self.cells`, which `self` holds.
        // `MaybeUninit<UnsafeCell<T>>` has the layout of `T`.
        unsafe { std::slice::from_raw_parts(self.cells.cells.as_ptr().cast::<T>(), end) }
    }

    /// Elements the slab has room for in all.
    pub fn capacity(&self) -> usize {
        self.cells.cells.len()
    }
}

#[cfg(all(test, not(millstream_loom)))]
mod tests {
    use super::{Element, slab};

    impl Element for u64 {}

    #[test]
    fn appends_are_seen_whole() {
        let (mut appender, slab) = slab::<u8>(8);
        assert!(slab.committed().is_empty());
        appender.append(&[b"ab", b"c"]);
        assert_eq!(slab.committed(), b"abc");
        let early = slab.committed();
        appender.append(&[b"defgh"]);
        assert_eq!(early, b"abc");
        assert_eq!(slab.committed(), b"abcdefgh");
        assert_eq!(appender.room(), 0);
    }

    #[test]
    #[should_panic(expected = "must fit")]
    fn an_append_that_does_not_fit_is_our_own_fault() {
        let (mut appender, _slab) = slab::<u8>(2);
        appender.append(&[b"abc"]);
    }

    #[test]
    fn readers_on_other_threads_see_a_prefix() {
        let (mut appender, slab) = slab::<u64>(10_000);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                let slab = slab.clone();
                scope.spawn(move || {
                    loop {
                        let seen = slab.committed();
                        assert!(seen.iter().enumerate().all(|(at, value)| *value == at as u64));
                        if seen.len() == 10_000 {
                            break;
                        }
                    }
                });
            }
            for value in 0..10_000 {
                appender.append(&[&[value]]);
            }
        });
    }
}

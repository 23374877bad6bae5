//! An allocator that counts the allocations of each thread. What is done with the counts stands
//! elsewhere.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// More threads than the tests of this file ever have; the rest share the last place.
const THREADS: usize = 512;

static COUNTS: [AtomicU64; THREADS] = [const { AtomicU64::new(0) }; THREADS];
static NEXT: AtomicU64 = AtomicU64::new(0);

thread_local! {
    // Without a destructor and without an initial allocation, so that the allocator may use it.
    static PLACE: Cell<Option<Thread>> = const { Cell::new(None) };
}

/// A thread, for whoever wants to know of its allocations.
#[derive(Clone, Copy, Debug)]
pub struct Thread(usize);

impl Thread {
    /// The thread that asks.
    pub fn current() -> Self {
        PLACE.get().unwrap_or_else(|| {
            let next = NEXT.fetch_add(1, Ordering::Relaxed) as usize;
            let thread = Self(next.min(THREADS - 1));
            PLACE.set(Some(thread));
            thread
        })
    }

    /// How often it has asked for memory, new or more.
    pub fn allocations(self) -> u64 {
        COUNTS[self.0].load(Ordering::Relaxed)
    }
}

/// Allocations of this thread during `work`.
pub fn during(work: impl FnOnce()) -> u64 {
    let thread = Thread::current();
    let before = thread.allocations();
    work();
    thread.allocations() - before
}

struct Counting;

impl Counting {
    fn count() {
        COUNTS[Thread::current().0].fetch_add(1, Ordering::Relaxed);
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call is handed to the system's allocator as it came; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::count();
        // SAFETY: the caller keeps the same contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::count();
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Self::count();
        // SAFETY: as above.
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[test]
fn the_counter_counts() {
    assert_eq!(during(|| {}), 0);
    let mut held = Vec::new();
    assert_eq!(during(|| held.push(Box::new(1_u8))), 2, "a vector and a box");
    assert_eq!(during(|| held.reserve_exact(1000)), 1, "the vector grew");
    assert_eq!(during(|| drop(held)), 0, "giving back is no allocation");
}

#[test]
fn threads_are_counted_apart() {
    let allocating = std::thread::spawn(|| {
        let count = during(|| drop(vec![0_u8; 100]));
        (Thread::current(), count)
    });
    let (other, count) = allocating.join().unwrap();
    assert_eq!(count, 1);
    assert_ne!(other.0, Thread::current().0);
}

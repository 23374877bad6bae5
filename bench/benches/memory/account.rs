//! An allocator that keeps account of what the shards' threads hold, and where it was allocated.
//!
//! Other threads pass through: the generator runs in the same process and is not what is measured.

use mimalloc::MiMalloc;
use std::alloc::{GlobalAlloc, Layout};
use std::backtrace::Backtrace;
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The allocator of the binary, with an account.
pub struct Accounting;

/// One allocation that is held.
struct Held {
    bytes: usize,
    made: Arc<Backtrace>,
}

static ACCOUNT: Mutex<Option<HashMap<usize, Held>>> = Mutex::new(None);

thread_local! {
    /// The account is at work on this thread: what it allocates itself is not entered.
    static AT_WORK: Cell<bool> = const { Cell::new(false) };
}

// SAFETY: every call is handed on to mimalloc as it came; the account looks at addresses and sizes
// and touches no memory behind them. The bench itself is the test.
unsafe impl GlobalAlloc for Accounting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc`.
        let pointer = unsafe { MiMalloc.alloc(layout) };
        enter(pointer, layout.size());
        pointer
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        strike(pointer);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { MiMalloc.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        strike(pointer);
        // SAFETY: the caller keeps the contract of `realloc`.
        let moved = unsafe { MiMalloc.realloc(pointer, layout, size) };
        enter(moved, size);
        moved
    }
}

/// Begins the account.
pub fn begin() {
    working(|| *account() = Some(HashMap::new()));
}

/// What one place allocated and holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    /// Bytes asked for.
    pub bytes: f64,
    /// Allocations.
    pub count: f64,
}

/// What is held, by place. Of many of one size a sample is looked at, since each look takes
/// milliseconds.
pub fn held() -> BTreeMap<String, Sum> {
    const LOOKED_AT: usize = 64;
    let mut by_size: BTreeMap<usize, Vec<Arc<Backtrace>>> = BTreeMap::new();
    working(|| {
        for held in account().iter().flat_map(HashMap::values) {
            by_size.entry(held.bytes).or_default().push(Arc::clone(&held.made));
        }
    });
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    for (size, made) in by_size {
        let step = made.len().div_ceil(LOOKED_AT);
        let looked_at: Vec<_> = made.iter().step_by(step).collect();
        let each = made.len() as f64 / looked_at.len() as f64;
        for made in looked_at {
            let sum = sums.entry(place(made)).or_default();
            sum.count += each;
            sum.bytes += each * size as f64;
        }
    }
    sums
}

fn enter(pointer: *mut u8, bytes: usize) {
    if !pointer.is_null() && !AT_WORK.get() {
        working(|| {
            if of_a_shard() {
                let made = Arc::new(Backtrace::force_capture());
                if let Some(held) = account().as_mut() {
                    held.insert(pointer as usize, Held { bytes, made });
                }
            }
        });
    }
}

fn strike(pointer: *mut u8) {
    if !AT_WORK.get() {
        working(|| drop(account().as_mut().map(|held| held.remove(&(pointer as usize)))));
    }
}

fn of_a_shard() -> bool {
    std::thread::current().name().is_some_and(|name| name.starts_with("shard-"))
}

fn account() -> MutexGuard<'static, Option<HashMap<usize, Held>>> {
    ACCOUNT.lock().unwrap_or_else(PoisonError::into_inner)
}

fn working<T>(work: impl FnOnce() -> T) -> T {
    let before = AT_WORK.replace(true);
    let result = work();
    AT_WORK.set(before);
    result
}

/// The innermost function that is ours or works on a type of ours, and the runtime's where that is
/// further in.
fn place(made: &Backtrace) -> String {
    let text = made.to_string();
    let names = text.lines().filter_map(|line| line.trim_start().split_once(": "));
    let mut place = String::new();
    // This file's own functions are the innermost ones.
    for (_, name) in names.filter(|(_, name)| !name.contains("memory::account")) {
        let ours = name.contains("millstream");
        if ours || (place.is_empty() && name.contains("monoio")) {
            if !place.is_empty() {
                place.push_str(", for ");
            }
            place.push_str(name);
        }
        if ours {
            break;
        }
    }
    place
}

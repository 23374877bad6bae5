//! Memory of slabs that were let go, for the next ones to use.
//!
//! A stream fills a segment and lets one go every second. Given back to the system in between, the
//! memory comes back page by page, each one cleared by the kernel: a quarter of what a thousand
//! publishers cost. So each thread keeps a little of it. Only the bytes of segments are kept; their
//! index entries are small enough for the allocator to hold on to.

#[cfg(not(millstream_loom))]
use crate::limits;
#[cfg(not(millstream_loom))]
use std::cell::RefCell;
use std::cell::UnsafeCell;
use std::mem::MaybeUninit;

/// The memory of a slab.
pub type Memory<T> = Box<[MaybeUninit<UnsafeCell<T>>]>;

/// What slabs are made of, and where their memory comes from.
pub trait Element: Copy {
    /// Memory for at least `capacity` of them.
    fn memory(capacity: usize) -> Memory<Self> {
        Box::new_uninit_slice(capacity)
    }

    /// Takes memory back that nobody uses.
    fn let_go(memory: Memory<Self>) {
        drop(memory);
    }
}

/// The model checker counts every byte of a slab, and its threads are none of the system's.
#[cfg(millstream_loom)]
impl Element for u8 {}

#[cfg(not(millstream_loom))]
impl Element for u8 {
    fn memory(capacity: usize) -> Memory<Self> {
        if capacity < limits::SEGMENT_BYTES_MIN {
            return Box::new_uninit_slice(capacity);
        }
        let capacity = class_of(capacity);
        // A thread that ends has lost its store already.
        let spare = SPARE.try_with(|spare| spare.borrow_mut().take(capacity)).ok().flatten();
        spare.unwrap_or_else(|| Box::new_uninit_slice(capacity))
    }

    fn let_go(memory: Memory<Self>) {
        if memory.len() >= limits::SEGMENT_BYTES_MIN {
            let _ = SPARE.try_with(|spare| spare.borrow_mut().put(memory));
        }
    }
}

#[cfg(not(millstream_loom))]
thread_local! {
    static SPARE: RefCell<Spare> = const { RefCell::new(Spare { kept: Vec::new(), bytes: 0 }) };
}

/// What a thread keeps, the newest last.
#[cfg(not(millstream_loom))]
struct Spare {
    kept: Vec<Memory<u8>>,
    bytes: usize,
}

#[cfg(not(millstream_loom))]
impl Spare {
    /// The newest of this size, or of one a little larger: its pages are the likeliest in a cache.
    fn take(&mut self, capacity: usize) -> Option<Memory<u8>> {
        let fits = |memory: &Memory<u8>| (capacity..=capacity / 4 * 5).contains(&memory.len());
        let memory = self.kept.remove(self.kept.iter().rposition(fits)?);
        self.bytes -= memory.len();
        Some(memory)
    }

    fn put(&mut self, memory: Memory<u8>) {
        self.bytes += memory.len();
        self.kept.push(memory);
        let mut old = 0;
        while self.bytes > limits::SPARE_BYTES_MAX {
            self.bytes -= self.kept[old].len();
            old += 1;
        }
        self.kept.drain(..old);
    }
}

/// Sizes are rounded up by an eighth at most, so that streams of about one rate can use each other's
/// memory.
#[cfg(not(millstream_loom))]
fn class_of(capacity: usize) -> usize {
    let step = (capacity.next_power_of_two() / 16).max(1);
    capacity.next_multiple_of(step)
}

#[cfg(all(test, not(millstream_loom)))]
mod tests {
    use super::*;

    const SIZE: usize = 2 * limits::SEGMENT_BYTES_MIN;

    #[test]
    fn what_was_let_go_is_used_again() {
        let first = u8::memory(SIZE);
        let (at, len) = (first.as_ptr(), first.len());
        u8::let_go(first);
        let second = u8::memory(len - 1);
        assert_eq!((second.as_ptr(), second.len()), (at, len));
        let third = u8::memory(SIZE);
        assert_ne!(third.as_ptr(), at, "it is in use");
        u8::let_go(second);
        assert!(u8::memory(SIZE / 2).len() < SIZE, "far too large a piece is no use");
    }

    #[test]
    fn little_is_kept() {
        let many: Vec<_> =
            (0..2 * limits::SPARE_BYTES_MAX / SIZE).map(|_| u8::memory(SIZE)).collect();
        many.into_iter().for_each(u8::let_go);
        u8::let_go(u8::memory(limits::SPARE_BYTES_MAX + 1));
        SPARE.with_borrow(|spare| {
            assert!(spare.bytes <= limits::SPARE_BYTES_MAX);
            assert_eq!(spare.bytes, spare.kept.iter().map(|memory| memory.len()).sum::<usize>());
        });
    }

    #[test]
    fn sizes_are_rounded_by_little() {
        for capacity in (limits::SEGMENT_BYTES_MIN..1_000_000).step_by(997) {
            let class = class_of(capacity);
            assert!(class >= capacity && class <= capacity + capacity / 8, "{capacity}: {class}");
            assert_eq!(class_of(class), class);
        }
    }
}

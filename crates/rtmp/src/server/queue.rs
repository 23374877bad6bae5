//! A queue that is empty most of the time, and takes eight bytes then.

use std::collections::VecDeque;

/// Values in order. Memory is held while there are any.
#[derive(Debug)]
#[expect(clippy::box_collection, reason = "an empty one is to take eight bytes, not 32")]
pub(super) struct Queue<T>(Option<Box<VecDeque<T>>>);

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        Self(None)
    }

    pub(super) fn push_back(&mut self, value: T) {
        self.0.get_or_insert_default().push_back(value);
    }

    pub(super) fn pop_front(&mut self) -> Option<T> {
        let queue = self.0.as_mut()?;
        let value = queue.pop_front();
        if queue.is_empty() {
            self.0 = None;
        }
        value
    }

    pub(super) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |queue| queue.len())
    }
}

#[cfg(test)]
mod tests {
    use super::Queue;

    #[test]
    fn what_is_taken_leaves_nothing() {
        let mut queue = Queue::new();
        assert_eq!((queue.len(), queue.pop_front()), (0, None));
        (1..=3).for_each(|number| queue.push_back(number));
        assert_eq!(queue.len(), 3);
        assert_eq!(
            [queue.pop_front(), queue.pop_front(), queue.pop_front()].map(Option::unwrap),
            [1, 2, 3]
        );
        assert!(queue.0.is_none(), "no memory is held");
        assert_eq!((queue.len(), queue.pop_front()), (0, None));
        assert_eq!(size_of::<Queue<[u8; 100]>>(), 8);
    }
}

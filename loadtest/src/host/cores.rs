//! The cores that this process may run on.

use rustix::thread::{CpuSet, sched_getaffinity};

/// Their numbers, in order; never none. In a container they need not begin with 0
/// (sched_getaffinity(2)).
pub fn allowed() -> Vec<usize> {
    let set = sched_getaffinity(None);
    let open = |core: &usize| set.as_ref().is_ok_and(|set| set.is_set(*core));
    let cores: Vec<usize> = (0..CpuSet::MAX_CPU).filter(open).collect();
    if cores.is_empty() { vec![0] } else { cores }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_as_can_work_at_one_time() {
        let cores = allowed();
        assert!(cores.is_sorted());
        // Of some, a container may be given only a part of the time.
        assert!(cores.len() >= std::thread::available_parallelism().unwrap().get());
    }
}

//! The cores that a thread runs on.

use rustix::thread::{CpuSet, sched_setaffinity};
use std::io;

/// Lets this thread, and those that it starts, run on these cores only.
///
/// # Errors
/// If there are none of these, or the process may not use them.
pub fn pin_to(cores: &[usize]) -> io::Result<()> {
    let mut set = CpuSet::new();
    for &core in cores {
        if core >= CpuSet::MAX_CPU {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "there is no such core"));
        }
        set.set(core);
    }
    sched_setaffinity(None, &set)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_that_is_not_there_is_an_error() {
        let allowed = loadtest::host::cores::allowed();
        std::thread::spawn(move || {
            pin_to(&allowed[..1]).unwrap();
            assert_eq!(loadtest::host::cores::allowed(), allowed[..1]);
            assert!(pin_to(&[usize::MAX]).is_err() && pin_to(&[]).is_err());
        })
        .join()
        .unwrap();
    }
}

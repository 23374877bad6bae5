//! Which cores the shards run on: the list that was asked for, or what the process may use.

use std::fmt;
use std::str::FromStr;

use rustix::thread::{CpuSet, sched_getaffinity};
use serde::de::{self, Deserialize, Deserializer};
use serde::{Serialize, Serializer};

use super::units::Scalar;

/// Highest core number that can be named, plus one: what the kernel's affinity mask holds here.
pub const CORES_MAX: usize = CpuSet::MAX_CPU;

/// What `--cores` says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Cores {
    /// Every core that affinity and the control group's quota leave.
    #[default]
    Auto,
    /// These and no others.
    List(CoreList),
}

impl Cores {
    /// The cores to run one shard on each, ascending and never empty.
    pub fn resolve(&self) -> Result<Vec<usize>, CoresError> {
        let allowed = allowed()?;
        self.resolve_among(&allowed, quota())
    }

    fn resolve_among(&self, allowed: &[usize], quota: usize) -> Result<Vec<usize>, CoresError> {
        match self {
            Cores::Auto => Ok(allowed.iter().copied().take(quota.max(1)).collect()),
            Cores::List(list) => match list.0.iter().find(|core| !allowed.contains(core)) {
                Some(&core) => {
                    Err(CoresError::NotAllowed { core, allowed: CoreList(allowed.to_vec()) })
                }
                None => Ok(list.0.clone()),
            },
        }
    }
}

/// The cores that the scheduler's affinity mask lets this thread run on, ascending.
pub fn allowed() -> Result<Vec<usize>, CoresError> {
    let set = sched_getaffinity(None).map_err(|error| CoresError::Affinity(error.into()))?;
    Ok((0..CORES_MAX).filter(|&core| set.is_set(core)).collect())
}

/// How many cores the process may keep busy. The standard library reads affinity and the
/// quotas of both versions of control groups (`cpu.max`, `cpu.cfs_quota_us`), rounded down: with
/// a quota of 1.5 cores, a second shard would only be throttled along with the first.
fn quota() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// A list of cores as `0-3,5` writes it: ascending, without repetition, not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreList(Vec<usize>);

impl CoreList {
    /// The cores, ascending.
    pub fn as_slice(&self) -> &[usize] {
        &self.0
    }
}

/// Why a list of cores was refused.
#[derive(Debug)]
pub enum CoresError {
    /// The text is not of the form `0-3,5`.
    Form,
    /// A number at or above [`CORES_MAX`].
    TooHigh,
    /// The list names a core that the affinity mask does not hold.
    NotAllowed {
        /// The core that was asked for.
        core: usize,
        /// What may be asked for.
        allowed: CoreList,
    },
    /// The kernel did not tell the affinity mask.
    Affinity(std::io::Error),
}

impl fmt::Display for CoresError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CoresError::Form => {
                f.write_str("expected \"auto\" or a list of cores such as \"0-3,5\"")
            }
            CoresError::TooHigh => write!(f, "cores are numbered from 0 to {}", CORES_MAX - 1),
            CoresError::NotAllowed { core, allowed } => {
                write!(f, "core {core} is not open to this process; choose among {allowed}")
            }
            CoresError::Affinity(error) => write!(f, "cannot read the affinity mask: {error}"),
        }
    }
}

impl std::error::Error for CoresError {}

impl FromStr for CoreList {
    type Err = CoresError;

    fn from_str(text: &str) -> Result<Self, CoresError> {
        let number = |digits: &str| match digits.trim().parse::<usize>() {
            Ok(core) if core < CORES_MAX => Ok(core),
            Ok(_) => Err(CoresError::TooHigh),
            Err(_) => Err(CoresError::Form),
        };
        let mut cores = Vec::new();
        for item in text.split(',') {
            match item.split_once('-') {
                None => cores.push(number(item)?),
                Some((first, last)) => {
                    let (first, last) = (number(first)?, number(last)?);
                    if first > last {
                        return Err(CoresError::Form);
                    }
                    cores.extend(first..=last);
                }
            }
        }
        cores.sort_unstable();
        cores.dedup();
        Ok(CoreList(cores))
    }
}

impl FromStr for Cores {
    type Err = CoresError;

    fn from_str(text: &str) -> Result<Self, CoresError> {
        match text.trim() {
            "auto" | "all" => Ok(Cores::Auto),
            list => list.parse().map(Cores::List),
        }
    }
}

impl fmt::Display for CoreList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format_cores(&self.0))
    }
}

/// Writes ascending cores as a list with ranges, `0-3,5`.
pub fn format_cores(cores: &[usize]) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for &core in cores {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == core => *last = core,
            _ => runs.push((core, core)),
        }
    }
    let item = |&(first, last): &(usize, usize)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    runs.iter().map(item).collect::<Vec<_>>().join(",")
}

impl fmt::Display for Cores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cores::Auto => f.write_str("auto"),
            Cores::List(list) => list.fmt(f),
        }
    }
}

impl Serialize for Cores {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cores {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Scalar::deserialize(deserializer)?.to_string().parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<usize> {
        text.parse::<CoreList>().unwrap().0
    }

    #[test]
    fn lists_are_read_sorted_and_written_back_short() {
        assert_eq!(list("0-3,5"), [0, 1, 2, 3, 5]);
        assert_eq!(list("5, 0-1,1"), [0, 1, 5]);
        assert_eq!(format_cores(&list("5,0-3,7,8")), "0-3,5,7-8");
    }

    #[test]
    fn nonsense_is_refused() {
        for wrong in ["", "a", "3-1", "1-", "-1", "0,,1", "0-1-2"] {
            assert!(matches!(wrong.parse::<CoreList>(), Err(CoresError::Form)), "{wrong}");
        }
        assert!(matches!("0-99999999".parse::<CoreList>(), Err(CoresError::TooHigh)));
    }

    #[test]
    fn the_quota_shortens_only_the_automatic_list() {
        let allowed = [0, 2, 4, 6];
        assert_eq!(Cores::Auto.resolve_among(&allowed, 2).unwrap(), [0, 2]);
        assert_eq!(Cores::Auto.resolve_among(&allowed, 64).unwrap(), allowed);
        let asked: Cores = "2,4,6".parse().unwrap();
        assert_eq!(asked.resolve_among(&allowed, 1).unwrap(), [2, 4, 6]);
    }

    #[test]
    fn a_core_outside_the_mask_is_named() {
        let asked: Cores = "1".parse().unwrap();
        let error = asked.resolve_among(&[0, 2, 3], 3).unwrap_err();
        assert_eq!(error.to_string(), "core 1 is not open to this process; choose among 0,2-3");
    }

    #[test]
    fn this_machine_has_a_core() {
        assert!(!Cores::Auto.resolve().unwrap().is_empty());
    }
}

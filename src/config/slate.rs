//! `[[slate]]`: which file fills the gaps of which streams. Reading the file is `slate`'s affair.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Pattern, units};

/// A file that is played where nobody publishes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlateConfig {
    /// The streams that it is for.
    pub stream: Pattern,
    /// The file, an FLV.
    pub file: PathBuf,
    /// How long a gap is before it is filled.
    #[serde(with = "units::duration", default = "after")]
    pub after: Duration,
    /// How long it plays at most in one gap.
    #[serde(with = "units::duration", default = "max")]
    pub max: Duration,
}

fn after() -> Duration {
    Duration::from_secs(1)
}

fn max() -> Duration {
    Duration::from_secs(600)
}

impl SlateConfig {
    /// Whether the times make sense.
    pub(super) fn holds(&self) -> bool {
        let day = Duration::from_secs(24 * 60 * 60);
        self.after <= Duration::from_secs(60) && (Duration::from_secs(1)..=day).contains(&self.max)
    }
}

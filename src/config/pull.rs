//! What is pulled from other servers: `[[pull]]`, and `origin` for an edge, which pulls everything.
//! Fetching is the affair of [`crate::pull`].

use super::listen::one_or_many;
use super::{Config, OriginUrl, Pattern, units};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// Origins of one stream. More are tried one after another, and whoever waits for the last one has
/// gone long before.
const ORIGINS_MAX: usize = 16;

/// One `[[pull]]` table: which streams, and from where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PullRule {
    /// The streams that are pulled when somebody wants them and nobody publishes them here.
    pub stream: Pattern,
    /// Where they are found, in order of preference.
    #[serde(deserialize_with = "one_or_many")]
    pub origins: Vec<OriginUrl>,
    /// How long a stream is still pulled after its last viewer has left.
    #[serde(with = "units::duration", default = "linger")]
    pub linger: Duration,
    /// How long an origin may send no media before the next one is asked, if there is another.
    #[serde(with = "units::duration", default = "stall")]
    pub stall: Duration,
    /// A PEM file of certificates that are trusted besides the system's.
    #[serde(default)]
    pub ca: Option<PathBuf>,
}

fn linger() -> Duration {
    Duration::from_secs(10)
}

fn stall() -> Duration {
    Duration::from_secs(5)
}

impl PullRule {
    /// What an edge does: every stream, from these origins.
    pub fn of_edge(origins: Vec<OriginUrl>) -> Self {
        let stream = Pattern::every();
        Self { stream, origins, linger: linger(), stall: stall(), ca: None }
    }
}

impl Config {
    /// What is pulled, in the order in which the rules are looked at: the first that means a stream
    /// counts. That of an edge is the last.
    pub fn pulls(&self) -> Vec<PullRule> {
        let mut rules = self.pull.clone();
        if !self.origin.is_empty() {
            rules.push(PullRule::of_edge(self.origin.clone()));
        }
        rules
    }

    /// What is wrong with the rules of pulling, as the key and the rule in words.
    pub(super) fn pull_offence(&self) -> Option<(&'static str, &'static str)> {
        let hour = Duration::from_secs(3600);
        let second = Duration::from_secs(1);
        if self.origin.len() > ORIGINS_MAX {
            return Some(("origin", "give at most 16 origins"));
        }
        if self.origin.iter().any(OriginUrl::is_one_stream) {
            return Some(("origin", "leave the stream's name out: \"rtmp://host\" is enough"));
        }
        self.pull.iter().find_map(|rule| {
            let one_stream = rule.origins.iter().any(OriginUrl::is_one_stream);
            if !(1..=ORIGINS_MAX).contains(&rule.origins.len()) {
                Some("give each [[pull]] from 1 to 16 origins")
            } else if one_stream && !rule.stream.is_plain() {
                Some("an origin that is one stream needs a `stream` without `*`")
            } else if rule.linger > hour {
                Some("choose a linger of at most 1h")
            } else if !(second..=hour).contains(&rule.stall) {
                Some("choose a stall from 1s to 1h")
            } else {
                None
            }
            .map(|words| ("pull", words))
        })
    }
}

//! What a run measured, judged and shown: the report, its JSON, and the ways to look at it.
//!
//! ```text
//!   Record ──► Report ──► text     for people, on standard output
//!     │          ├──────► html     several runs over one another, one page
//!     │          ├──────► series   the time series as CSV or Markdown
//!     │          └──────► JSON     read back by `report` and `merge`
//!     └ moments ► live, hdrlog     while the run goes on
//! ```
//!
//! The figures are in [`figures`], the verdict in [`judge`], and nothing here measures anything:
//! what is not in the [`Record`] is not in the report either.

pub mod bounded;
pub mod build;
pub mod cli;
pub mod condition;
pub mod curve;
pub mod figures;
pub mod file;
pub mod hdrlog;
pub mod html;
pub mod judge;
pub mod kinds;
pub mod live;
pub mod merge;
pub mod packed;
#[cfg(test)]
pub(crate) mod samples;
pub mod series;
pub mod table;
pub mod tables;
pub mod text;

use crate::account::record::Record;
use crate::account::times::Time;
use condition::Condition;
use figures::{Delay, Group, Moment, Own, Publishers, Server, Step, Totals, Track};
use serde::{Deserialize, Serialize};

/// The version of the JSON that this program writes and reads.
pub const FORMAT: u32 = 1;

/// How a run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Everything asked for happened.
    Pass,
    /// Something did not.
    #[default]
    Fail,
    /// The generator was the bottleneck itself: nothing that was measured is believed.
    Invalid,
}

impl Verdict {
    /// As reports show it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Invalid => "INVALID",
        }
    }
}

/// A run, as its JSON holds it. Bytes are bytes, times are milliseconds unless the name ends in
/// `_s`, shares are of one (a core, a whole).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// [`FORMAT`].
    pub format: u32,
    /// How it ended.
    pub verdict: Verdict,
    /// Why, unless it passed.
    #[serde(deserialize_with = "bounded::list::<_, _, { bounded::WORDS_MAX }>")]
    pub reasons: Vec<String>,
    /// What was found wrong and did not decide, because conditions were given that do.
    #[serde(deserialize_with = "bounded::list::<_, _, { bounded::WORDS_MAX }>")]
    pub notes: Vec<String>,
    /// The conditions of `--fail-if`, if any.
    #[serde(deserialize_with = "bounded::list::<_, _, { bounded::WORDS_MAX }>")]
    pub conditions: Vec<String>,
    /// What the run is called.
    pub title: String,
    /// What was asked for and what it ran on, in the order to show.
    #[serde(deserialize_with = "bounded::list::<_, _, { bounded::WORDS_MAX }>")]
    pub settings: Vec<(String, String)>,
    /// When it began, milliseconds since 1970.
    pub began_unix_ms: u64,
    /// Whether it was broken off before its end.
    pub interrupted: bool,
    /// The whole run in a few sums.
    pub totals: Totals,
    /// The groups of players.
    #[serde(deserialize_with = "bounded::list::<_, _, { bounded::WORDS_MAX }>")]
    pub groups: Vec<Group>,
    /// The publishers.
    pub publishers: Publishers,
    /// Every time that was measured, over the whole run, in the order of [`Time::ALL`].
    #[serde(deserialize_with = "bounded::list::<_, _, { bounded::DELAYS_MAX }>")]
    pub delays: Vec<Delay>,
    /// What the server used over all steps, where it is known.
    pub server: Option<Server>,
    /// What the generator itself used.
    pub own: Own,
    /// The steps.
    #[serde(deserialize_with = "bounded::list::<_, _, { bounded::STEPS_MAX }>")]
    pub steps: Vec<Step>,
    /// The time series.
    #[serde(deserialize_with = "bounded::list::<_, _, { bounded::MOMENTS_MAX }>")]
    pub moments: Vec<Moment>,
}

impl Report {
    /// Makes the report of a run and judges it: by `conditions` if there are any, by every frame
    /// and every connection otherwise.
    pub fn of(record: &Record, conditions: &[Condition]) -> Self {
        let mut report = build::unjudged(record);
        report.judge(conditions);
        report
    }

    /// Judges, or judges anew.
    pub fn judge(&mut self, conditions: &[Condition]) {
        let judgement = judge::judge(self, conditions);
        self.verdict = judgement.verdict;
        self.reasons = judgement.reasons;
        self.notes = judgement.notes;
        self.conditions = conditions.iter().map(ToString::to_string).collect();
    }

    /// The exit code of a program that ran it. 2 stands for a wrong command line.
    pub fn exit_code(&self) -> u8 {
        match self.verdict {
            Verdict::Pass => 0,
            Verdict::Fail => 1,
            Verdict::Invalid => 3,
        }
    }

    /// One of the times, over the whole run; `None` if nothing was entered for it.
    pub fn delay(&self, time: Time) -> Option<&Delay> {
        self.delays.iter().find(|delay| delay.time == time.name() && delay.percentiles.count > 0)
    }

    /// Both tracks of all groups that are judged.
    pub fn judged(&self) -> Track {
        let mut all = Track::default();
        for group in self.groups.iter().filter(|group| group.judged) {
            all.add(&group.video);
            all.add(&group.audio);
        }
        all
    }

    /// Connections that ended otherwise than the plan wanted: publishers and judged players.
    pub fn errors(&self) -> u64 {
        let groups = self.groups.iter().filter(|group| group.judged).map(|group| &group.errors);
        groups
            .chain([&self.publishers.errors])
            .flat_map(|kinds| kinds.values())
            .fold(0, |sum, count| sum.saturating_add(*count))
    }
}

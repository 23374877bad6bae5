//! The helpers at one moment, as plain data: the shape of `/api/v1/helpers` and the source of the page
//! and the metrics. Field names are public interface: they may be added to, not changed.

use super::config::Start;
use super::life::State;
use super::tail::Line;
use crate::name::StreamName;
use serde::Serialize;

/// One `[[helper]]`.
#[derive(Clone, Debug, Serialize)]
pub struct HelperSnapshot {
    /// Its name.
    pub name: String,
    /// The program, without its arguments, which may hold passwords.
    pub program: String,
    /// The stream or the family that it is for.
    pub stream: String,
    /// When it runs.
    pub start: Start,
    /// The streams for which it runs, ran, or shall run.
    pub instances: Vec<InstanceSnapshot>,
}

/// A helper and one stream that it is for.
#[derive(Clone, Debug, Serialize)]
pub struct InstanceSnapshot {
    /// The stream.
    pub stream: StreamName,
    /// What it publishes.
    pub outputs: Vec<StreamName>,
    /// What it does.
    pub state: State,
    /// Since when, in milliseconds of Unix time.
    pub since_unix_ms: u64,
    /// Its process, which leads a group and a session of the same number.
    pub pid: Option<i32>,
    /// How often it was started.
    pub starts: u64,
    /// How it ended last, or why it could not be run.
    pub last_end: Option<String>,
    /// What it wrote last, oldest line first.
    pub log: Vec<Line>,
}

impl HelperSnapshot {
    /// How many of it run.
    pub fn running(&self) -> u64 {
        self.instances.iter().filter(|one| one.state == State::Running).count() as u64
    }
}

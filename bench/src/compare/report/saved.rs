//! A comparison that was written, read again whole: to draw its page anew. What became of its
//! figures since is [`past`](super::past)'s business.

use super::Member;
use crate::compare::environment::Environment;
use crate::compare::error::Error;
use crate::compare::state::Run;
use serde::Deserialize;
use std::fs;
use std::path::Path;

/// What a `compare.json` has that is not worked out of the rest.
#[derive(Clone, Debug, Deserialize)]
pub struct Saved {
    format: u32,
    /// Where it was made.
    pub environment: Environment,
    /// Whether runs counted in which something else had the generator's core.
    pub noisy: bool,
    /// Who was compared.
    #[serde(rename = "servers")]
    pub members: Vec<Member>,
    missing: Vec<Missing>,
    /// All runs.
    pub runs: Vec<Run>,
}

#[derive(Clone, Debug, Deserialize)]
struct Missing {
    name: String,
    install: String,
}

impl Saved {
    /// From the file that a comparison wrote.
    ///
    /// # Errors
    /// If it cannot be read, or is of another format.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read(path).map_err(Error::io(format!("read {}", path.display())))?;
        let format = super::json::FORMAT;
        let saved: Option<Self> = serde_json::from_slice(&text).ok();
        saved.filter(|saved| saved.format == format).ok_or_else(|| {
            Error::Usage(format!("{} is no compare.json of format {format}", path.display()))
        })
    }

    /// Who was not there, with how to install it.
    pub fn missing(&self) -> Vec<(String, String)> {
        let missing = self.missing.iter().cloned();
        missing.map(|Missing { name, install }| (name, install)).collect()
    }
}

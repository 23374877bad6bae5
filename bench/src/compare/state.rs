//! What was run so far, in a file: a line of JSON that says what is compared, then a line per run.
//! A comparison that was broken off goes on from there.

use super::error::Error;
use super::measured::Measured;
use super::scene::Scene;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

/// The version of the lines.
const FORMAT: u32 = 1;

/// What is compared. Runs of another one cannot be gone on with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    format: u32,
    /// The commit.
    pub commit: String,
    /// The options that decide what is run.
    pub extent: String,
}

impl Header {
    /// Of this commit and these options.
    pub fn new(commit: String, extent: String) -> Self {
        Self { format: FORMAT, commit, extent }
    }
}

/// One run that was made, or tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The group that it belongs to.
    pub group: String,
    /// The load.
    pub scene: Scene,
    /// The server.
    pub subject: String,
    /// From 1.
    pub round: u32,
    /// What came of it, or why nothing did.
    pub outcome: Result<Measured, String>,
    /// How long it took with all that belongs to it, seconds; 0 in results from before this was noted.
    #[serde(default)]
    pub took_s: f64,
}

impl Run {
    /// What was measured, if it counts.
    pub fn counted(&self, noisy: bool) -> Option<&Measured> {
        self.outcome.as_ref().ok().filter(|measured| measured.counts(noisy))
    }
}

/// The file.
#[derive(Debug)]
pub struct State {
    file: File,
    /// What was run so far.
    pub runs: Vec<Run>,
}

impl State {
    /// Begins a file, or goes on with one that is of the same commit and options.
    ///
    /// # Errors
    /// If it cannot be written, or is to be gone on with and is of another comparison.
    pub fn open(path: &Path, header: &Header, resume: bool) -> Result<Self, Error> {
        let runs = if resume { read(path, header)? } else { Vec::new() };
        // Written anew: a line that was cut off by whatever ended the last comparison is gone.
        let file = File::create(path).map_err(Error::io(format!("write {}", path.display())))?;
        let mut state = Self { file, runs: Vec::new() };
        state.line(header)?;
        for run in runs {
            state.add(run)?;
        }
        Ok(state)
    }

    /// Adds a run.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn add(&mut self, run: Run) -> Result<(), Error> {
        self.line(&run)?;
        self.runs.push(run);
        Ok(())
    }

    /// The run that was made of this, if it was.
    pub fn found(&self, group: &str, scene: &Scene, subject: &str, round: u32) -> Option<&Run> {
        self.runs.iter().find(|run| {
            run.round == round
                && run.group == group
                && run.subject == subject
                && run.scene == *scene
        })
    }

    fn line(&mut self, value: &impl Serialize) -> Result<(), Error> {
        let text = serde_json::to_string(value).expect("these types have no keys but names");
        let written = writeln!(self.file, "{text}").and_then(|()| self.file.flush());
        written.map_err(Error::io("write what was run so far"))
    }
}

fn read(path: &Path, header: &Header) -> Result<Vec<Run>, Error> {
    let text = fs::read_to_string(path).map_err(Error::io(format!("read {}", path.display())))?;
    let mut lines = text.lines();
    let found: Option<Header> = lines.next().and_then(|line| serde_json::from_str(line).ok());
    if found.as_ref() != Some(header) {
        let what = format!("{} is of another commit or other options", path.display());
        return Err(Error::Usage(what));
    }
    Ok(lines.map_while(|line| serde_json::from_str(line).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(round: u32, outcome: Result<Measured, String>) -> Run {
        let (group, subject) = ("ride".to_owned(), "bare".to_owned());
        Run { group, scene: Scene::fan_out(10, 1.5), subject, round, outcome, took_s: 8.5 }
    }

    #[test]
    fn what_was_run_is_gone_on_with() {
        let path = std::env::temp_dir().join(format!("compare-state-{}", std::process::id()));
        let header = Header::new("abc".to_owned(), "quick".to_owned());
        let measured = Measured { cpu_per_gb: Some(0.5), right: true, ..Measured::default() };
        let mut state = State::open(&path, &header, false).unwrap();
        state.add(run(1, Ok(measured))).unwrap();
        state.add(run(2, Err("ended".to_owned()))).unwrap();
        let runs = state.runs.clone();
        drop(state);
        // Broken off in the middle of a line.
        let mut file = File::options().append(true).open(&path).unwrap();
        file.write_all(b"{\"group\":\"ri").unwrap();

        let state = State::open(&path, &header, true).unwrap();
        assert_eq!(state.runs, runs);
        let scene = Scene::fan_out(10, 1.5);
        assert!(state.found("ride", &scene, "bare", 2).is_some());
        assert!(state.found("ride", &scene, "bare", 3).is_none());
        assert!(state.found("ride", &Scene::fan_out(11, 1.5), "bare", 2).is_none());

        let other = Header::new("abd".to_owned(), "quick".to_owned());
        assert!(matches!(State::open(&path, &other, true), Err(Error::Usage(_))));
        assert!(State::open(&path, &other, false).unwrap().runs.is_empty());
        fs::remove_file(&path).unwrap();
        assert!(State::open(&path, &other, true).is_err());
    }
}

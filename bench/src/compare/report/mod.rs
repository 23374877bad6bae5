//! What is shown of a comparison: one set of tables, as text for the terminal, as Markdown, as JSON
//! and as a page with plots.

pub mod figures;
pub mod html;
pub mod json;
pub mod labels;
pub mod past;
pub mod saved;
pub mod svg;
pub mod table;

use super::environment::Environment;
use super::error::Error;
use super::judge::{Judge, Line, why};
use super::state::Run;
use super::target::TARGETS;
use figures::Figures;
use past::Past;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use table::Table;

/// A server of the comparison, as reports name it.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Member {
    /// The family's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its settings, by their names.
    pub settings: Vec<(String, String)>,
    /// What there is to say of it.
    pub remark: String,
}

/// Everything that is shown.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// Where it was made.
    pub environment: &'a Environment,
    /// Who was compared.
    pub members: &'a [Member],
    /// Who was not there, with how to install it.
    pub missing: &'a [(String, String)],
    /// All runs.
    pub runs: &'a [Run],
    /// The table of targets.
    pub lines: Vec<Line>,
    /// Medians of each server under each load.
    pub figures: Vec<Figures>,
    /// Whether runs count in which something else had the generator's core.
    pub noisy: bool,
    /// An earlier comparison to hold it against.
    pub past: Option<&'a Past>,
}

impl<'a> Report<'a> {
    /// Of these runs.
    pub fn of(
        environment: &'a Environment,
        members: &'a [Member],
        missing: &'a [(String, String)],
        judge: Judge<'a>,
    ) -> Self {
        let lines = judge.lines(TARGETS);
        // What nobody ran and nobody missed, because it was not asked for, is not shown.
        let lines = lines
            .into_iter()
            .zip(TARGETS)
            .filter(|(_, target)| judge.runs.iter().any(|run| run.group == target.group));
        Self {
            environment,
            members,
            missing,
            runs: judge.runs,
            lines: lines.map(|(line, _)| line).collect(),
            figures: figures::all(&judge),
            noisy: judge.noisy,
            past: None,
        }
    }

    /// Held against an earlier one, too.
    pub fn against(self, past: Option<&'a Past>) -> Self {
        Self { past, ..self }
    }

    /// The tables for the terminal.
    pub fn text(&self) -> String {
        let mut text = self.targets().text();
        for note in self.notes() {
            let _ = writeln!(text, "  {note}");
        }
        if let Some((heading, table)) = self.changes() {
            let _ = write!(text, "\n{heading}\n{}", table.text());
        }
        let _ = write!(text, "\n{}", self.figures_table().text());
        text
    }

    /// The whole result as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = String::from("# millstream beside the bare sender and other servers\n\n");
        for (name, value) in self.environment.lines() {
            let _ = writeln!(text, "- {name}: {value}");
        }
        let _ = writeln!(text, "\n{ABOUT}");
        if self.noisy {
            let _ = writeln!(text, "\n{NOISY}");
        }
        let _ = writeln!(text, "\n## Targets\n\n{}", self.targets().markdown());
        for note in self.notes() {
            let _ = writeln!(text, "- {note}");
        }
        if let Some((heading, table)) = self.changes() {
            let _ = writeln!(text, "\n## {heading}\n\n{}", table.markdown());
        }
        let _ = writeln!(text, "\n## Figures\n\n{}", self.figures_table().markdown());
        let _ = writeln!(text, "## Servers\n\n{}", self.members_table().markdown());
        for (name, how) in self.missing {
            let _ = writeln!(text, "- {name} was not here: {how}");
        }
        let _ = writeln!(text, "\n## Every run\n\n{}", self.runs_table().markdown());
        text
    }

    /// Writes Markdown, JSON and the page into a folder, and returns their paths.
    ///
    /// # Errors
    /// If one cannot be written.
    pub fn write(&self, folder: &Path) -> Result<[PathBuf; 3], Error> {
        let files = [
            ("compare.md", self.markdown()),
            ("compare.json", json::text(self)),
            ("compare.html", html::page(self)),
        ];
        for (name, text) in &files {
            let path = folder.join(name);
            fs::write(&path, text).map_err(Error::io(format!("write {}", path.display())))?;
        }
        Ok(files.map(|(name, _)| folder.join(name)))
    }

    /// What was wanted and what was found.
    pub fn targets(&self) -> Table {
        let mut table =
            Table::new(&["what", "against", "target", "measured", ">rounds", "verdict"]);
        let mut before = "";
        for line in &self.lines {
            let what = if line.what == before { "" } else { line.what };
            before = line.what;
            table.push([
                what.to_owned(),
                line.against.clone(),
                line.target.clone(),
                line.found.clone(),
                format!("{} of {}", line.rounds.0, line.rounds.1),
                line.verdict.name().to_owned(),
            ]);
        }
        table
    }

    /// What became of the targets since the earlier comparison, under its heading.
    pub fn changes(&self) -> Option<(String, Table)> {
        let past = self.past?;
        Some((format!("Since commit {}", past.commit), past.table(&self.lines)))
    }

    /// What else there is to say of the targets.
    pub fn notes(&self) -> Vec<String> {
        let lines = self.lines.iter().filter(|line| !line.note.is_empty());
        lines
            .map(|line| {
                let against = if line.against.is_empty() { "" } else { ", " };
                format!("{}{against}{}: {}", line.what, line.against, line.note)
            })
            .collect()
    }

    /// Medians.
    pub fn figures_table(&self) -> Table {
        figures::table(&self.figures)
    }

    /// Who was compared, in which versions and settings.
    pub fn members_table(&self) -> Table {
        let mut table = Table::new(&["server", "version", "settings", "remark"]);
        for member in self.members {
            let settings = member.settings.iter();
            let settings: Vec<String> =
                settings.map(|(name, setting)| format!("{name}: {setting}")).collect();
            table.push([
                member.name.clone(),
                member.version.clone(),
                settings.join("; "),
                member.remark.clone(),
            ]);
        }
        table
    }

    /// Every single run.
    pub fn runs_table(&self) -> Table {
        let mut table = Table::new(&[
            ">round",
            "group",
            "load",
            "server",
            ">CPU s/GB",
            ">core",
            ">video p50 / p99 / p99.9",
            ">generator's core",
            ">NET_RX by CPU",
            "counts",
        ]);
        for run in self.runs {
            let mut row = vec![run.round.to_string(), run.group.clone(), run.scene.to_string()];
            row.push(run.subject.clone());
            match &run.outcome {
                Ok(measured) => row.extend(figures::of_run(measured)),
                Err(_) => row.extend(["-"; 5].map(str::to_owned)),
            }
            let counts = run.counted(self.noisy).is_some();
            row.push(if counts { "yes".to_owned() } else { format!("no: {}", why(run)) });
            table.push(row);
        }
        table
    }
}

/// What the figures mean.
const ABOUT: &str = "\
The server on core 0, the load on core 1. CPU is the server process's user and system time while all
players play, per GB (10^9 bytes) that arrived; delay is from the scheduled send to the player's read, in
ms. A ratio is that of two runs of one round; beside the median stand the lowest and the highest. A run
counts only if every frame came, once, in order, with the right bytes, and the generator was not the
bottleneck itself. `1 x 1000` is one publisher and 1,000 players.";

/// What must be said of figures that were taken on a busy machine.
const NOISY: &str = "**Taken with `--noisy`**: runs count in which something else had the generator's core. These \
are no figures to quote.";

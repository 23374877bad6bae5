//! From runs to the table: each target's figure with its spread, and whether it is met.

use super::measured::Measured;
use super::plan::CARRIED_P99_MS;
use super::state::Run;
use super::stats::{Spread, number, ratios};
use super::subject::find;
use super::target::{Metric, Pick, Target, Test};
use serde::Serialize;
use std::collections::BTreeSet;

/// Whether a target is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It is.
    Met,
    /// It is not.
    Missed,
    /// Nothing that counts was measured of one side or the other.
    NotMeasured,
}

impl Verdict {
    /// As tables show it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Met => "pass",
            Self::Missed => "MISS",
            Self::NotMeasured => "not measured",
        }
    }

    fn of(met: bool) -> Self {
        if met { Self::Met } else { Self::Missed }
    }
}

/// A line of the table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// What is looked at.
    pub what: &'static str,
    /// Against what.
    pub against: String,
    /// What is wanted.
    pub target: String,
    /// What was found, in words.
    pub found: String,
    /// The same as a number, with its spread.
    pub spread: Option<Spread>,
    /// Rounds that count, of those that were run.
    pub rounds: (usize, usize),
    /// Whether it is met.
    pub verdict: Verdict,
    /// What else there is to say.
    pub note: String,
}

/// The runs, and what counts.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    /// All runs.
    pub runs: &'a [Run],
    /// Whether runs count in which something else had the generator's core.
    pub noisy: bool,
    /// The number of players where the targets say 1,000.
    pub players: u32,
}

impl<'a> Judge<'a> {
    /// One line for each target.
    pub fn lines(&self, targets: &[Target]) -> Vec<Line> {
        targets.iter().map(|target| self.line(target)).collect()
    }

    fn line(&self, target: &Target) -> Line {
        let (wanted, judgement) = match target.test {
            Test::Ratio { metric, of, to, at_most } => {
                (format!("at most {at_most:.2} x"), self.ratio(target, metric, of, to, at_most))
            }
            Test::Most { of, at_least } => {
                (format!("{at_least} players"), self.most(target, of, at_least))
            }
            Test::Undominated { of, players } => {
                ("none".to_owned(), self.undominated(target, of, players))
            }
            Test::PerViewer { of, at_most } => {
                let text = format!("at most {} KB", at_most / 1e3);
                (text, self.memory(target, of, at_most, per_viewer))
            }
            Test::PerPublisher { of, at_most } => {
                let text = format!("at most {} KB", at_most / 1e3);
                (text, self.memory(target, of, at_most, per_publisher))
            }
        };
        let Judgement { found, spread, rounds, verdict, note } = judgement;
        let (what, against) = (target.what, target.against.to_owned());
        Line { what, against, target: wanted, found, spread, rounds, verdict, note }
    }

    fn of_group(&self, group: &str, subject: &str) -> impl Iterator<Item = &'a Run> {
        self.runs.iter().filter(move |run| run.group == group && run.subject == subject)
    }

    fn ratio(&self, target: &Target, metric: Metric, of: Pick, to: Pick, most: f64) -> Judgement {
        let runs = |pick: Pick| {
            self.of_group(target.group, pick.subject)
                .filter(move |run| (run.scene.stuck > 0) == pick.stuck)
        };
        let value = |run: &Run| metric.of(run.counted(self.noisy)?);
        let pairs: Vec<_> = runs(to)
            .filter_map(|base| {
                let other = runs(of).find(|run| run.round == base.round)?;
                Some((value(other), value(base)))
            })
            .collect();
        let all = pairs.len();
        let Some(spread) = ratios(pairs.iter().copied()) else {
            let why = self.why_not(target.group, [of, to].map(|pick| pick.subject));
            return Judgement::nothing(all, why);
        };
        let both = pairs.iter().filter_map(|(own, base)| Some((own.as_ref()?, base.as_ref()?)));
        let (own, base): (Vec<f64>, Vec<f64>) = both.unzip();
        let [own, base] = [own, base].map(|side| Spread::of(side).map_or(0.0, |side| side.median));
        Judgement {
            found: format!(
                "{:.2} ({:.2} .. {:.2}): {} by {} {}",
                spread.median,
                spread.lowest,
                spread.highest,
                number(own),
                number(base),
                metric.unit()
            ),
            spread: Some(spread),
            rounds: (spread.count, all),
            verdict: Verdict::of(spread.median <= most),
            note: String::new(),
        }
    }

    /// The most players that a subject carried in a round, and why no more.
    pub fn carried(&self, group: &str, subject: &str, round: u32) -> Option<(u32, String)> {
        let mut runs: Vec<&Run> =
            self.of_group(group, subject).filter(|run| run.round == round).collect();
        runs.sort_by_key(|run| run.scene.players());
        runs.first()?;
        let (mut most, mut why) = (0, "nothing larger was tried".to_owned());
        for run in runs {
            match obstacle(run) {
                None => most = run.scene.players(),
                Some(obstacle) => {
                    why = format!("{} players: {obstacle}", run.scene.players());
                    break;
                }
            }
        }
        Some((most, why))
    }

    fn most(&self, target: &Target, of: &str, at_least: u32) -> Judgement {
        let rounds: BTreeSet<u32> = self.of_group(target.group, of).map(|run| run.round).collect();
        let carried: Vec<(u32, String)> =
            rounds.iter().filter_map(|round| self.carried(target.group, of, *round)).collect();
        let Some(spread) = Spread::of(carried.iter().map(|(most, _)| f64::from(*most))) else {
            return Judgement::nothing(0, self.why_not(target.group, [of, of]));
        };
        let others: Vec<String> = self
            .subjects(target.group)
            .into_iter()
            .filter(|id| *id != of)
            .filter_map(|id| Some(format!("{id} {}", self.carried(target.group, id, 1)?.0)))
            .collect();
        let why = carried.first().map_or("", |(_, why)| why);
        Judgement {
            found: format!("{:.0}", spread.median),
            spread: Some(spread),
            rounds: (spread.count, spread.count),
            verdict: Verdict::of(spread.median >= f64::from(at_least)),
            note: format!("{why}; others: {}", others.join(", ")),
        }
    }

    fn undominated(&self, target: &Target, of: &str, players: u32) -> Judgement {
        let players = (u64::from(players) * u64::from(self.players) / 1000) as u32;
        let so_many = |run: &&Run| run.scene.players() == players;
        let spreads = |id: &str, metric: Metric| {
            let runs = self.of_group(target.group, id).filter(so_many);
            Spread::of(runs.filter_map(|run| metric.of(run.counted(self.noisy)?)))
        };
        let point = |id: &str| Some((spreads(id, Metric::Cpu)?, spreads(id, Metric::VideoP99)?));
        let Some((cpu, p99)) = point(of) else {
            let all = self.of_group(target.group, of).filter(so_many).count();
            return Judgement::nothing(all, self.why_not(target.group, [of, of]));
        };
        let peers: Vec<&str> = self
            .subjects(target.group)
            .into_iter()
            .filter(|id| find(id).is_some_and(|subject| subject.family.is_peer()))
            .collect();
        let carrying: Vec<(&str, (Spread, Spread))> =
            peers.iter().filter_map(|id| Some((*id, point(id)?))).collect();
        if peers.is_empty() {
            return Judgement::nothing(0, "no other server is here".to_owned());
        }
        let better: Vec<&str> = carrying
            .iter()
            .filter(|(_, other)| other.0.below(&cpu) && other.1.below(&p99))
            .map(|(id, _)| *id)
            .collect();
        let names: Vec<String> = carrying
            .iter()
            .map(|(id, (cpu, p99))| {
                format!(", {id} {} s/GB {} ms", number(cpu.median), number(p99.median))
            })
            .collect();
        Judgement {
            found: if better.is_empty() { "none".to_owned() } else { better.join(", ") },
            spread: None,
            rounds: (cpu.count, cpu.count),
            verdict: Verdict::of(better.is_empty()),
            note: format!(
                "{of} {} s/GB {} ms{}; {} of {} settings carry so many",
                number(cpu.median),
                number(p99.median),
                names.concat(),
                carrying.len(),
                peers.len()
            ),
        }
    }

    fn memory(
        &self,
        target: &Target,
        of: &str,
        at_most: f64,
        figure: fn(&Run, &Measured) -> Option<f64>,
    ) -> Judgement {
        let values = |id: &str| {
            let runs = self.of_group(target.group, id);
            Spread::of(runs.filter_map(|run| figure(run, run.counted(self.noisy)?)))
        };
        let all = self.of_group(target.group, of).count();
        let Some(spread) = values(of) else {
            return Judgement::nothing(all, self.why_not(target.group, [of, of]));
        };
        let others: Vec<String> = self
            .subjects(target.group)
            .into_iter()
            .filter(|id| *id != of)
            .filter_map(|id| Some(format!("{id} {} KB", number(values(id)?.median / 1e3))))
            .collect();
        let note = if others.is_empty() { String::new() } else { others.join(", ") };
        Judgement {
            found: format!(
                "{} KB ({} .. {})",
                number(spread.median / 1e3),
                number(spread.lowest / 1e3),
                number(spread.highest / 1e3)
            ),
            spread: Some(spread),
            rounds: (spread.count, all),
            verdict: Verdict::of(spread.median <= at_most),
            note,
        }
    }

    /// Everybody in a group, in the order of their first runs.
    pub fn subjects(&self, group: &str) -> Vec<&'a str> {
        let mut found: Vec<&str> = Vec::new();
        for run in self.runs.iter().filter(|run| run.group == group) {
            if !found.contains(&run.subject.as_str()) {
                found.push(&run.subject);
            }
        }
        found
    }

    /// Why nothing counts.
    fn why_not(&self, group: &str, subjects: [&str; 2]) -> String {
        // Who was not run is said once, for all lines.
        if subjects.iter().any(|id| self.of_group(group, id).next().is_none()) {
            return String::new();
        }
        for id in subjects {
            let runs = self.of_group(group, id);
            let obstacles: Vec<String> =
                runs.filter(|run| run.counted(self.noisy).is_none()).map(why).collect();
            if let Some(first) = obstacles.first() {
                return format!("{id}: {first}");
            }
        }
        "no round in which both were run".to_owned()
    }
}

/// What a test found.
struct Judgement {
    found: String,
    spread: Option<Spread>,
    rounds: (usize, usize),
    verdict: Verdict,
    note: String,
}

impl Judgement {
    /// Of so many rounds, none that counts.
    fn nothing(all: usize, note: String) -> Self {
        let found = if all > 0 { "no run counts, see below" } else { "not run" };
        let (found, verdict) = (found.to_owned(), Verdict::NotMeasured);
        Self { found, spread: None, rounds: (0, all), verdict, note }
    }
}

impl Metric {
    /// The figure of a run.
    pub fn of(self, measured: &Measured) -> Option<f64> {
        match self {
            Self::Cpu => measured.cpu_per_gb,
            Self::CpuIn => measured.cpu_per_gb_in,
            Self::VideoP50 => measured.video.map(|video| video[0]),
            Self::VideoP99 => measured.video.map(|video| video[1]),
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Self::Cpu | Self::CpuIn => "s/GB",
            Self::VideoP50 | Self::VideoP99 => "ms",
        }
    }
}

/// What keeps a run of a climb from having been carried. A generator that was full itself keeps
/// nobody: every frame was right, and all that it can have added is delay.
pub fn obstacle(run: &Run) -> Option<String> {
    let Some(measured) = run.counted(true) else { return Some(why(run)) };
    let p99 = measured.video.map_or(f64::INFINITY, |video| video[1]);
    // Without players there is no delay.
    (run.scene.players() > 0 && p99 > CARRIED_P99_MS).then(|| format!("p99 {p99:.0} ms"))
}

/// Why a run does not count.
pub fn why(run: &Run) -> String {
    match &run.outcome {
        Err(error) => error.clone(),
        Ok(measured) => {
            let reason = measured.reasons.first().map_or("no reason given", String::as_str);
            if !measured.right && measured.reasons.is_empty() {
                return "not everybody got every frame".to_owned();
            }
            format!("{}: {reason}", measured.verdict)
        }
    }
}

/// Bytes by which the server grew from the first stretch to the last, for each player more.
pub fn per_viewer(_: &Run, measured: &Measured) -> Option<f64> {
    let players = measured.players.last()?.checked_sub(*measured.players.first()?)?;
    let grown = *measured.resident.last()? as f64 - *measured.resident.first()? as f64;
    (players > 0).then(|| grown / players as f64)
}

/// Bytes by which the server grew for each publisher.
pub fn per_publisher(run: &Run, measured: &Measured) -> Option<f64> {
    let grown = *measured.resident.last()? as f64 - measured.resident_before as f64;
    (run.scene.publishers > 0).then(|| grown / f64::from(run.scene.publishers))
}

#[cfg(test)]
mod tests;

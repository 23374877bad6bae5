//! The command line of the comparison.

use super::environment::Environment;
use super::error::Error;
use super::judge::Judge;
use super::network::Veth;
use super::plan::{Extent, Group, Step, schedule};
use super::report::past::Past;
use super::report::saved::Saved;
use super::report::{Member, Report};
use super::run::Bench;
use super::scene::Network;
use super::session;
use super::state::{Header, State};
use super::subject::{Family, Programs, SUBJECTS, Subject};
use clap::Parser;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Puts the same load on millstream, on the bare sender and on every other RTMP server that is on
/// this machine, one after the other and in turns, and says which targets are met.
///
/// Each server runs on core 0 and the load on core 1. Ctrl-C ends it with what was measured so far;
/// --resume goes on from there.
#[derive(Debug, Parser)]
#[command(name = "bench/compare", version, after_help = AFTER)]
pub struct Cli {
    /// The table of targets, in about 15 minutes (the default).
    #[arg(long, conflicts_with = "full")]
    quick: bool,
    /// Everything: all numbers of players and publishers, both kinds of receivers, and a veth pair
    /// between two network namespaces (as root). Takes hours.
    #[arg(long)]
    full: bool,
    /// Run these groups or servers only; --list has their names.
    #[arg(long, value_name = "NAME", num_args = 1..)]
    only: Vec<String>,
    /// Rounds of each group [default: 5 for ratios].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// Seconds that each stretch is measured [default: 2 to 5, doubled with --full].
    #[arg(long, value_name = "N")]
    seconds: Option<f64>,
    /// The number of players where the targets say 1,000, all others in proportion; for a trial.
    #[arg(long, value_name = "N", default_value_t = 1000,
          value_parser = clap::value_parser!(u32).range(10..=1000))]
    players: u32,
    /// Count runs also in which something else had the load's core: for a look at a busy machine,
    /// never for figures.
    #[arg(long)]
    noisy: bool,
    /// Go on with a comparison of the same commit and options that was broken off.
    #[arg(long)]
    resume: bool,
    /// Show groups and servers, those missing with how to install them, and run nothing.
    #[arg(long)]
    list: bool,
    /// Hold the targets against an earlier comparison, too: its compare.json.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Run nothing, and write Markdown and the page of an earlier comparison anew: its compare.json.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["full", "only", "resume", "list"])]
    render: Option<PathBuf>,
    /// Write the results here.
    #[arg(long, value_name = "DIR", default_value = "target/compare")]
    out: PathBuf,
    /// Where Node-Media-Server and xiu are installed [default: .tools, or what MILLSTREAM_TOOLS
    /// says].
    #[arg(long, value_name = "DIR")]
    tools: Option<PathBuf>,
    /// Compare SRS, too: its binary.
    #[arg(long, value_name = "PATH")]
    srs: Option<PathBuf>,
    /// Compare ZLMediaKit, too: its MediaServer.
    #[arg(long, value_name = "PATH")]
    zlmediakit: Option<PathBuf>,
    /// Compare MediaMTX, too: its binary.
    #[arg(long, value_name = "PATH")]
    mediamtx: Option<PathBuf>,
}

const AFTER: &str = "\
Results: compare.md, compare.json, compare.html and runs.jsonl in the folder of --out. For figures to
quote, leave the machine alone meanwhile.

Exit codes: 0 it came to its end, whether or not targets are met; 1 it could not; 2 usage;
130 it was broken off, and what there was is written.

`bench/compare --install-peers` installs nginx-rtmp, Node-Media-Server and xiu (Debian 12, as root).";

impl Cli {
    /// Does what was asked for.
    ///
    /// # Errors
    /// If it cannot be done, or was broken off; then what was measured is written all the same.
    pub fn run(self) -> Result<(), Error> {
        let programs = self.programs()?;
        let past = self.against.as_deref().map(Past::read).transpose()?;
        if let Some(path) = &self.render {
            return self.render(&Saved::read(path)?, past.as_ref());
        }
        let extent = Extent {
            full: self.full,
            players: self.players,
            seconds: self.seconds,
            rounds: self.rounds,
        };
        let groups = self.wanted(extent.groups())?;
        if self.list {
            list(&groups, &programs);
            return Ok(());
        }
        let there = |subject: &Subject| programs.of(subject.family).is_ok();
        for family in [Family::Millstream, Family::Bare] {
            programs.of(family)?;
        }
        let mut steps = schedule(&groups, there);
        if steps.is_empty() {
            return Err(Error::Usage("nothing is left to run".to_owned()));
        }
        self.make_out()?;
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&stop))
                .map_err(Error::io("listen to signals"))?;
        }
        loadtest::raise_descriptors();
        let veth = self.veth(&mut steps);
        let environment = Environment::now(command());
        let header = Header::new(environment.commit.clone(), self.described());
        let mut state = State::open(&self.out.join("runs.jsonl"), &header, self.resume)?;
        let seconds: f64 = steps.iter().map(|step| step.takes_s()).sum();
        eprintln!("{} runs, about {} at most", steps.len(), session::minutes(seconds));
        let folder = absolute(&self.out.join("work"))?;
        let bench = Bench { programs: programs.clone(), folder, veth, stop };
        let ended = session::go(&bench, &steps, &mut state, self.noisy);

        let members = members(&steps, &programs);
        let missing = missing(&groups, &programs);
        let judge = Judge { runs: &state.runs, noisy: self.noisy, players: self.players };
        let report = Report::of(&environment, &members, &missing, judge).against(past.as_ref());
        print!("\n{}", report.text());
        for (name, how) in &missing {
            println!("{name} is not here: {how}");
        }
        for path in report.write(&self.out)? {
            println!("{}", path.display());
        }
        ended
    }

    fn make_out(&self) -> Result<(), Error> {
        fs::create_dir_all(&self.out).map_err(Error::io(format!("make {}", self.out.display())))
    }

    /// Writes an earlier comparison again.
    fn render(&self, saved: &Saved, past: Option<&Past>) -> Result<(), Error> {
        self.make_out()?;
        let judge = Judge { runs: &saved.runs, noisy: saved.noisy, players: self.players };
        let missing = saved.missing();
        let report = Report::of(&saved.environment, &saved.members, &missing, judge).against(past);
        for path in report.write(&self.out)? {
            println!("{}", path.display());
        }
        Ok(())
    }

    fn programs(&self) -> Result<Programs, Error> {
        let own = std::env::current_exe().map_err(Error::io("find this program"))?;
        let folder = own.parent().unwrap_or(&own);
        let tools = || std::env::var_os("MILLSTREAM_TOOLS").unwrap_or_else(|| ".tools".into());
        let tools = self.tools.clone().unwrap_or_else(|| tools().into());
        let mut programs = Programs::beside(folder, &absolute(&tools)?);
        for (named, program) in [
            (&self.srs, &mut programs.srs),
            (&self.zlmediakit, &mut programs.zlmediakit),
            (&self.mediamtx, &mut programs.mediamtx),
        ] {
            *program = named.as_deref().map(absolute).transpose()?;
            if let Some(path) = program.as_ref().filter(|path| !path.exists()) {
                return Err(Error::Missing(path.clone()));
            }
        }
        Ok(programs)
    }

    /// The groups that were asked for, with the servers that were asked for.
    fn wanted(&self, mut groups: Vec<Group>) -> Result<Vec<Group>, Error> {
        let is_group = |name: &str| groups.iter().any(|group| group.name == name);
        let is_subject = |name: &str| SUBJECTS.iter().any(|subject| subject.id == name);
        let unknown = self.only.iter().find(|name| !is_group(name) && !is_subject(name));
        if let Some(name) = unknown {
            let what = format!("there is neither a group nor a server {name}: see --list");
            return Err(Error::Usage(what));
        }
        let has = |name: &str| self.only.iter().any(|only| only == name);
        let (some_groups, some_subjects) = (
            self.only.iter().any(|name| is_group(name)),
            self.only.iter().any(|name| !is_group(name)),
        );
        groups.retain(|group| !some_groups || has(group.name));
        for group in &mut groups {
            group.entries.retain(|entry| !some_subjects || has(entry.subject.id));
        }
        Ok(groups)
    }

    /// The veth pair, if something is to run over it. If it cannot be made, that is left out.
    fn veth(&self, steps: &mut Vec<Step>) -> Option<Veth> {
        if !steps.iter().any(|step| step.scene.network == Network::Veth) {
            return None;
        }
        match Veth::make() {
            Ok(veth) => Some(veth),
            Err(error) => {
                eprintln!("nothing is run over a veth pair, which needs root: {error}");
                steps.retain(|step| step.scene.network != Network::Veth);
                None
            }
        }
    }

    /// The options that decide what is run.
    fn described(&self) -> String {
        let Self { full, only, rounds, seconds, players, .. } = self;
        format!("full {full}, only {only:?}, rounds {rounds:?}, {seconds:?} s, {players} players")
    }
}

/// A path that means the same in another folder.
fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(Error::io(format!("find {}", path.display())))
}

/// The command as it was typed.
fn command() -> String {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    format!("bench/compare {}", arguments.join(" ")).trim_end().to_owned()
}

fn list(groups: &[Group], programs: &Programs) {
    println!("Groups:");
    for group in groups {
        println!("  {:<16} {}", group.name, group.about);
    }
    println!("\nServers:");
    for family in Family::ALL {
        let state = match programs.of(family) {
            Ok(_) => programs.version(family),
            Err(_) => format!("MISSING: {}", Programs::how_to_install(family)),
        };
        println!("  {}: {state}", family.name());
        for subject in SUBJECTS.iter().filter(|subject| subject.family == family) {
            println!("    {:<20} {}", subject.id, subject.about);
        }
    }
}

fn members(steps: &[Step], programs: &Programs) -> Vec<Member> {
    let ran = |id: &str| steps.iter().any(|step| step.subject.id == id);
    let member = |family: Family| {
        let settings: Vec<(String, String)> = SUBJECTS
            .iter()
            .filter(|subject| subject.family == family && ran(subject.id))
            .map(|subject| (subject.id.to_owned(), described(subject)))
            .collect();
        (!settings.is_empty()).then(|| Member {
            name: family.name().to_owned(),
            version: programs.version(family),
            settings,
            remark: family.remark().to_owned(),
        })
    };
    Family::ALL.into_iter().filter_map(member).collect()
}

fn described(subject: &Subject) -> String {
    match subject.settings() {
        settings if settings.is_empty() => subject.about.to_owned(),
        settings => format!("{} (`{settings}`)", subject.about),
    }
}

/// Who belongs to what is run and is not here.
fn missing(groups: &[Group], programs: &Programs) -> Vec<(String, String)> {
    let entries = || groups.iter().flat_map(|group| &group.entries);
    Family::ALL
        .into_iter()
        .filter(|family| entries().any(|entry| entry.subject.family == *family))
        .filter(|family| programs.of(*family).is_err())
        .map(|family| (family.name().to_owned(), Programs::how_to_install(family).to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn wanted(arguments: &[&str]) -> Result<Vec<Group>, Error> {
        let cli = Cli::parse_from([&["compare"], arguments].concat());
        let extent = Extent { full: cli.full, players: 1000, seconds: None, rounds: None };
        cli.wanted(extent.groups())
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn groups_and_servers_can_be_chosen() {
        assert_eq!(wanted(&[]).unwrap().len(), 10);
        let groups = wanted(&["--only", "ride", "bare", "millstream"]).unwrap();
        let ids: Vec<&str> = groups[0].entries.iter().map(|entry| entry.subject.id).collect();
        assert_eq!((groups.len(), ids), (1, vec!["bare", "millstream"]));
        assert!(wanted(&["--only", "nginx"]).unwrap().len() == 10);
        assert!(matches!(wanted(&["--only", "no-such"]), Err(Error::Usage(_))));
        assert!(matches!(wanted(&["--only", "players"]), Err(Error::Usage(_))));
        assert!(wanted(&["--full", "--only", "players"]).is_ok());
    }
}

//! The command line of the trials.

use bench::trials::{self, Programs, Run, Scale, Trial};
use clap::Parser;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Compares what might make the server cheaper with what it does now, in turns, under the same load.
///
/// The program under test runs on the first core and the load on the last one. Each run is checked
/// frame by frame. It prints a table for each trial; whether a variant is worth keeping is for its
/// reader to say.
#[derive(Debug, Parser)]
#[command(name = "trials", version)]
struct Cli {
    /// The trials to run.
    #[arg(value_name = "NAME", required_unless_present_any = ["list", "all"])]
    names: Vec<String>,
    /// Run all of them.
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// List them, and what each asks.
    #[arg(long)]
    list: bool,
    /// Players of every run, in place of the trial's own number.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    players: Option<u32>,
    /// Publishers of every run, in place of the trial's own number.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    publishers: Option<u32>,
    /// How long each run is measured, once all play.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    seconds: Duration,
    /// How often each variant runs.
    #[arg(long, value_name = "COUNT", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Write every run to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the tables to this file too.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// The bare sender [default: beside this program].
    #[arg(long, value_name = "FILE")]
    bare: Option<PathBuf>,
    /// The server [default: beside this program].
    #[arg(long, value_name = "FILE")]
    millstream: Option<PathBuf>,
    /// The server with the system's allocator [default: millstream-system-allocator beside this
    /// program].
    #[arg(long, value_name = "FILE")]
    system_allocator: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("trials: players did not get what they should have in every run");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("trials: {error}");
            ExitCode::from(2)
        }
    }
}

/// Runs what was asked for. Whether no run did wrong.
fn run(cli: &Cli) -> Result<bool, Box<dyn Error>> {
    let known = trials::all();
    if cli.list {
        for trial in &known {
            println!("{:<12} {}", trial.name, trial.question);
        }
        return Ok(true);
    }
    let chosen = if cli.all { known } else { choose(known, &cli.names)? };
    let mut programs = Programs::beside_this()?;
    for (named, place) in [
        (&cli.bare, &mut programs.bare),
        (&cli.millstream, &mut programs.millstream),
        (&cli.system_allocator, &mut programs.millstream_system_allocator),
    ] {
        if let Some(path) = named {
            place.clone_from(path);
        }
    }
    loadtest::raise_descriptors();
    let scale = Scale {
        players: cli.players.map(|players| players as usize),
        publishers: cli.publishers,
        length: cli.seconds,
        rounds: cli.rounds as usize,
    };
    let (mut every, mut tables): (Vec<Run>, String) = Default::default();
    for trial in &chosen {
        let runs = trials::rounds(trial, &programs, &scale, &mut tell)?;
        let section = trials::markdown(trial, &trials::rows(trial, &runs), &runs);
        println!("{section}");
        tables += &section;
        tables.push('\n');
        every.extend(runs);
        // After each, so that little is lost of what is broken off.
        if let Some(path) = &cli.json {
            std::fs::write(path, serde_json::to_vec_pretty(&every)?)?;
        }
        if let Some(path) = &cli.markdown {
            std::fs::write(path, &tables)?;
        }
    }
    Ok(every.iter().all(|run| run.faults == 0 && run.frames > 0))
}

fn choose(known: Vec<Trial>, names: &[String]) -> Result<Vec<Trial>, String> {
    if let Some(name) = names.iter().find(|name| known.iter().all(|trial| trial.name != **name)) {
        return Err(format!("there is no trial {name}; --list lists them"));
    }
    Ok(known.into_iter().filter(|trial| names.iter().any(|name| name == trial.name)).collect())
}

/// A line on standard error, while the trial goes on.
fn tell(run: &Run) {
    let Run { trial, round, variant, verdict, p50_ms, p99_ms, .. } = run;
    eprintln!(
        "{trial}, round {round}, {variant}: {:.3} CPU s/GB, {p50_ms:.1} / {p99_ms:.1} ms, {} {}",
        run.cpu_s_per_gb.unwrap_or(f64::NAN),
        verdict.name(),
        run.reasons.join("; "),
    );
}

/// Reads a number of seconds.
fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds")?;
    if !(0.05..=3600.0).contains(&seconds) {
        return Err("expected from 0.05 to 3600 seconds");
    }
    Ok(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert!(["", "-1", "0", "nan", "1e9"].into_iter().all(|text| seconds(text).is_err()));
    }

    #[test]
    fn trials_are_chosen_by_name() {
        let chosen = choose(trials::all(), &["sendfile".to_owned()]).unwrap();
        assert!(chosen.len() == 1 && chosen[0].name == "sendfile");
        assert!(choose(trials::all(), &["no-such".to_owned()]).is_err());
    }
}

//! The command line of the flame graphs.

use bench::flame::{groups, stacks, svg};
use clap::Parser;
use std::error::Error;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

/// Draws a flame graph from sampled stacks, and prints where a microsecond goes.
///
/// It reads what `perf script -F comm,ip,sym,dso` prints. See perf/scenarios/flame.sh.
#[derive(Debug, Parser)]
#[command(name = "flame", version)]
struct Cli {
    /// Where to write the drawing.
    #[arg(long, value_name = "FILE")]
    svg: PathBuf,
    /// What to write above it.
    #[arg(long, default_value = "")]
    title: String,
    /// How the names of the program's own functions begin.
    #[arg(long, value_name = "NAME", default_values = ["millstream", "bench", "loadtest"])]
    own: Vec<String>,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("flame: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<(), Box<dyn Error>> {
    let stacks = stacks::read(io::stdin().lock())?;
    if stacks.is_empty() {
        return Err("there is no sample with a stack".into());
    }
    fs::write(&cli.svg, svg::draw(&stacks, &cli.title))?;
    let own: Vec<&str> = cli.own.iter().map(String::as_str).collect();
    print!("{}", groups::sort(&stacks, &own).table());
    Ok(())
}

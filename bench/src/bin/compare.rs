//! The command line of the comparison: `bench/compare`.

use bench::compare::cli::Cli;
use bench::compare::error::Error;
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench/compare: {error}");
            ExitCode::from(match error {
                Error::Stopped => 130,
                Error::Usage(_) | Error::Missing(_) => 2,
                Error::Io(..) | Error::Program(..) => 1,
            })
        }
    }
}

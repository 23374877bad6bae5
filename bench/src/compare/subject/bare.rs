//! The bare sender: options.

use super::Place;
use std::path::Path;
use std::process::Command;

/// What starts it.
pub(super) fn command(
    program: &Path,
    setting: &[&str],
    cores: &[usize],
    place: Place<'_>,
) -> Command {
    let mut command = Command::new(program);
    command.arg("--listen").arg(format!("{}:{}", place.address, place.port)).args(setting);
    if let [core] = cores {
        command.args(["--core", &core.to_string()]);
    }
    command
}

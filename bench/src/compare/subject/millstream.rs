//! millstream: options, and where its players come over a network, a configuration.

use super::Place;
use crate::compare::error::Error;
use crate::compare::run::list;
use std::path::Path;
use std::process::Command;

/// What starts it.
pub(super) fn command(
    program: &Path,
    setting: &[&str],
    cores: &[usize],
    place: Place<'_>,
) -> Result<Command, Error> {
    let mut command = Command::new(program);
    command
        .args(["serve", "--log", "warn", "--rtmp"])
        .arg(format!("{}:{}", place.address, place.port))
        .arg("--http")
        .arg(format!("127.0.0.1:{}", place.other_port))
        .arg("--cores")
        .arg(list(cores))
        .args(setting);
    if !place.address.is_loopback() {
        // The other end of the pair is this comparison, all of whose players have one address.
        let caps = "[caps]\nconnections_per_address = 100000\nhalf_open_per_address = 1000\n";
        command.arg("--open").arg("--config").arg(place.write("millstream.toml", caps)?);
    }
    Ok(command)
}

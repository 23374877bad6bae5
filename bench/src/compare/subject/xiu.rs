//! xiu, from its crate: options. It listens on every address and cannot be told otherwise.

use super::Place;
use std::path::Path;
use std::process::Command;

/// What can be set.
pub(super) const REMARK: &str = "its documents have no settings for delay or throughput, so it \
    is compared in its defaults alone, with the log at errors. Of players that come while it serves \
    it was seen to reset some, so that runs of 500 and more do not count";

/// What starts it.
pub(super) fn command(program: &Path, place: Place<'_>) -> Command {
    let mut command = Command::new(program);
    command.args(["--rtmp", &place.port.to_string(), "--log", "error"]);
    command
}

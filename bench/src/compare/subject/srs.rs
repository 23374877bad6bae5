//! SRS: a configuration. Not tried by the authors of this file, who had no binary at hand.

use super::Place;
use crate::compare::error::Error;
use std::path::Path;
use std::process::Command;

/// Merged writes of 350 ms, a group of pictures for who joins.
pub(super) const DEFAULTS: &[&str] = &[];

/// As its `realtime.conf`.
pub(super) const LOW_DELAY: &[&str] = &[
    "tcp_nodelay on;",
    "min_latency on;",
    "play { gop_cache off; queue_length 10; mw_latency 100; }",
    "publish { mr off; }",
];

/// Merged reads as well, and writes as wide as its documents recommend at most.
pub(super) const THROUGHPUT: &[&str] =
    &["play { mw_latency 1800; }", "publish { mr on; mr_latency 350; }"];

/// What was tried.
pub(super) const REMARK: &str = "configured by its documents and not tried here: no binary was \
    at hand";

/// What starts it.
pub(super) fn command(
    program: &Path,
    setting: &[&str],
    place: Place<'_>,
) -> Result<Command, Error> {
    let (address, port) = (place.address, place.port);
    let (folder, setting) = (place.folder.display(), setting.join("\n    "));
    let text = format!(
        "listen {address}:{port};
max_connections 20000;
daemon off;
srs_log_tank console;
srs_log_level error;
pid {folder}/srs.pid;
vhost __defaultVhost__ {{
    {setting}
}}
"
    );
    let mut command = Command::new(program);
    command.arg("-c").arg(place.write("srs.conf", &text)?).current_dir(place.folder);
    Ok(command)
}

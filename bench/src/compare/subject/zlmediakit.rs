//! ZLMediaKit: a configuration. Not tried by the authors of this file, who had no binary at hand.

use super::Place;
use crate::compare::error::Error;
use std::path::Path;
use std::process::Command;

/// Writes are not merged.
pub(super) const DEFAULTS: &[&str] = &["mergeWriteMS=0"];

/// Writes are merged over 300 ms, as its documents suggest where delay matters less.
pub(super) const THROUGHPUT: &[&str] = &["mergeWriteMS=300"];

/// What was tried.
pub(super) const REMARK: &str = "configured by its documents, without its other protocols, and \
    not tried here: no binary was at hand";

/// What starts it.
pub(super) fn command(
    program: &Path,
    setting: &[&str],
    place: Place<'_>,
) -> Result<Command, Error> {
    let (address, port) = (place.address, place.port);
    let setting = setting.join("\n");
    let text = format!(
        "[general]
listen_ip={address}
{setting}
[protocol]
enable_hls=0
enable_hls_fmp4=0
enable_mp4=0
enable_rtsp=0
enable_ts=0
enable_fmp4=0
[rtmp]
port={port}
sslport=0
[http]
port=0
sslport=0
[rtsp]
port=0
sslport=0
[shell]
port=0
[rtp_proxy]
port=0
[rtc]
port=0
tcpPort=0
[srt]
port=0
"
    );
    let mut command = Command::new(program);
    // One event loop on its one core, and errors only.
    command
        .arg("-c")
        .arg(place.write("zlmediakit.ini", &text)?)
        .args(["-t", "1", "-l", "4"])
        .current_dir(place.folder);
    Ok(command)
}

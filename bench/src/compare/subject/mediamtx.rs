//! MediaMTX: a configuration. Not tried by the authors of this file, who had no binary at hand.

use super::Place;
use crate::compare::error::Error;
use std::path::Path;
use std::process::Command;

/// A queue of 512 packets for each reader.
pub(super) const DEFAULTS: &[&str] = &["writeQueueSize: 512"];

/// A longer queue, which its sample configuration says allows more throughput.
pub(super) const THROUGHPUT: &[&str] = &["writeQueueSize: 4096"];

/// What was tried.
pub(super) const REMARK: &str = "configured by its documents, without its other protocols, and \
    not tried here: no binary was at hand; it has no setting for low delay";

/// What starts it.
pub(super) fn command(
    program: &Path,
    setting: &[&str],
    place: Place<'_>,
) -> Result<Command, Error> {
    let (address, port) = (place.address, place.port);
    let setting = setting.join("\n");
    let text = format!(
        "logLevel: error
{setting}
rtsp: no
hls: no
webrtc: no
srt: no
rtmp: yes
rtmpAddress: {address}:{port}
paths:
  all_others:
"
    );
    let mut command = Command::new(program);
    command.arg(place.write("mediamtx.yml", &text)?).current_dir(place.folder);
    Ok(command)
}

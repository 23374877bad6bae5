//! nginx with its RTMP module, as Debian packages it: a configuration. One process does it all, so
//! that the id of the child is the id of what is measured.

use super::Place;
use crate::compare::error::Error;
use std::path::Path;
use std::process::Command;

/// Lines of the application.
pub(super) const DEFAULTS: &[&str] = &["live on;"];

/// Audio and video on one chunk stream, in their order; players begin with a key frame.
pub(super) const LOW_DELAY: &[&str] =
    &["live on;", "interleave on;", "wait_key on;", "wait_video on;", "sync 10ms;"];

/// Larger chunks, for which the module's documents promise less work, and a buffer, with which it
/// holds messages back until `out_cork` of them (32, an eighth of `out_queue`) are there.
pub(super) const THROUGHPUT: &[&str] =
    &["live on;", "interleave on;", "chunk_size 65536;", "buffer 1s;"];

/// What is set for all three, and why.
pub(super) const REMARK: &str = "one process (master_process off), 20,000 worker_connections \
    instead of 512, which would not do, and no access log; all else as it is by default";

/// What starts it.
pub(super) fn command(
    program: &Path,
    setting: &[&str],
    place: Place<'_>,
) -> Result<Command, Error> {
    let folder = place.folder.display();
    let (address, port) = (place.address, place.port);
    // A directive of the server is not allowed in an application.
    let (server, application): (Vec<&str>, Vec<&str>) =
        setting.iter().partition(|line| line.starts_with("chunk_size"));
    let text = format!(
        "daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr error;
load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
events {{ worker_connections 20000; }}
rtmp {{
    access_log off;
    server {{
        listen {address}:{port};
        {}
        application live {{
            {}
        }}
    }}
}}
",
        server.join(" "),
        application.join(" "),
    );
    let config = place.write("nginx.conf", &text)?;
    let mut command = Command::new(program);
    command.arg("-p").arg(place.folder).arg("-c").arg(config).args(["-e", "stderr"]);
    Ok(command)
}

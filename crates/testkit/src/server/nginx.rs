//! nginx with its RTMP module (Debian's libnginx-mod-rtmp): a configuration and a command line.

use std::fs;
use std::net::SocketAddrV4;
use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::process::Invocation;
use crate::scratch::Scratch;

/// What starts it. Its files are in `scratch`.
pub(super) fn invocation(scratch: &Scratch, rtmp: SocketAddrV4) -> Result<Invocation> {
    let directory = scratch.path().display();
    let config = scratch.file("nginx.conf");
    fs::write(&config, configuration(rtmp, &directory.to_string()))
        .map_err(Error::io(format!("write {}", config.display())))?;
    let module = PathBuf::from("/usr/lib/nginx/modules/ngx_rtmp_module.so");
    if !module.is_file() {
        return Err(Error::ToolMissing { tool: "libnginx-mod-rtmp".to_owned() });
    }
    Ok(Invocation::tool("nginx")?.args([
        "-p".to_owned(),
        directory.to_string(),
        "-c".to_owned(),
        config.display().to_string(),
        "-e".to_owned(),
        "stderr".to_owned(),
    ]))
}

/// Players are dropped when the publisher leaves, and start at a key frame. One process does it
/// all, so that the id of the child is the id of what is measured.
fn configuration(rtmp: SocketAddrV4, directory: &str) -> String {
    format!(
        "daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log stderr info;
load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
events {{ worker_connections 256; }}
rtmp {{
    access_log off;
    server {{
        listen {rtmp};
        chunk_size 65536;
        application live {{
            live on;
            idle_streams off;
            wait_key on;
            wait_video on;
            sync 0;
        }}
    }}
}}
"
    )
}

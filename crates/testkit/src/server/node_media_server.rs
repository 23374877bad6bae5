//! Node-Media-Server from npm, of the series 2 or 4: a script and a command line.
//!
//! `tests/install.sh` puts each series into `.tools/`. Both are started the way their own
//! programs start them, with the cache of a group of pictures that players join with, but without
//! HTTP and without a log of every connection.

use std::fs;
use std::net::SocketAddrV4;

use crate::error::{Error, Result};
use crate::process::Invocation;
use crate::scratch::Scratch;
use crate::tools::workspace_root;

/// What starts it. Its files are in `scratch`.
pub(super) fn invocation(scratch: &Scratch, rtmp: SocketAddrV4, series: u32) -> Result<Invocation> {
    let package = workspace_root()
        .join(format!(".tools/node-media-server-{series}/node_modules/node-media-server"));
    if !package.is_dir() {
        return Err(Error::ToolMissing { tool: package.display().to_string() });
    }
    let script = scratch.file("server.js");
    let text = if series < 4 { SERIES_2 } else { SERIES_4 };
    fs::write(&script, text).map_err(Error::io(format!("write {}", script.display())))?;
    Ok(Invocation::tool("node")?.args([
        script.display().to_string(),
        package.display().to_string(),
        rtmp.port().to_string(),
        scratch.file("store").display().to_string(),
    ]))
}

/// It has no setting for the address that it listens on, so `listen` is told here.
const SERIES_2: &str = "\
const [, , home, port] = process.argv;
const Server = require(home);
const net = require('net');
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, ...rest) {
    return listen.call(this, port, '127.0.0.1', ...rest);
};
const rtmp = { port: Number(port), chunk_size: 60000, gop_cache: true, ping: 30, ping_timeout: 60 };
new Server({ logType: 1, rtmp }).run();
";

/// It always caches a group of pictures, and always wants a folder for its records.
const SERIES_4: &str = "\
const [, , home, port, store] = process.argv;
const Server = require(home);
const config = { bind: '127.0.0.1', rtmp: { port: Number(port) }, store: { path: store } };
const server = new Server(config, '');
require(home + '/src/core/logger.js').level = 'error';
server.run();
";

//! Node-Media-Server of the series 2 and 4: a script that starts it the way its own programs do,
//! without HTTP and without a line of log for every connection.

use super::Place;
use crate::compare::error::Error;
use std::path::Path;
use std::process::Command;

/// What can be set.
pub(super) const REMARK: &str = "its documents have no settings for delay or throughput, so it \
    is compared in its defaults alone";

/// What starts it. `package` is the folder of the npm package.
pub(super) fn command(package: &Path, series: u32, place: Place<'_>) -> Result<Command, Error> {
    let script = place.write("server.js", if series == 2 { SERIES_2 } else { SERIES_4 })?;
    let mut command = Command::new("node");
    command
        .arg(script)
        .arg(package)
        .args([place.address.to_string(), place.port.to_string()])
        .arg(place.folder.join("store"));
    Ok(command)
}

/// It has no setting for the address, so `listen` is told.
const SERIES_2: &str = "\
const [, , home, address, port] = process.argv;
const Server = require(home);
const net = require('net');
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, ...rest) {
    return listen.call(this, port, address, ...rest);
};
const rtmp = { port: Number(port), chunk_size: 60000, gop_cache: true, ping: 30, ping_timeout: 60 };
new Server({ logType: 1, rtmp }).run();
";

/// It always wants a folder for its records.
const SERIES_4: &str = "\
const [, , home, address, port, store] = process.argv;
const Server = require(home);
const config = { bind: address, rtmp: { port: Number(port) }, store: { path: store } };
const server = new Server(config, '');
require(home + '/src/core/logger.js').level = 'error';
server.run();
";

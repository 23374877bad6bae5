//! A network between server and load: two network namespaces with a veth pair between them, made
//! for the comparison and removed with it. Needs root and `ip` (iproute2).
//!
//! Receive steering is set on both ends, the server's to core 0 and the load's to core 1: without
//! it all of the softirq work was seen to stay on the sender's core.

use super::error::Error;
use std::net::Ipv4Addr;
use std::process::{Command, id};

/// The server's end. Addresses for documentation (RFC 5737): they lead nowhere else.
const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// The load's end.
const LOAD: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

/// Two namespaces and what connects them. Removed when this is dropped.
#[derive(Debug)]
pub struct Veth {
    server: String,
    load: String,
}

impl Veth {
    /// Makes them.
    ///
    /// # Errors
    /// If this user may not, or `ip` is missing. What was made until then is removed.
    pub fn make() -> Result<Self, Error> {
        let veth =
            Self { server: format!("compare-s{}", id()), load: format!("compare-l{}", id()) };
        let (server, load) = (veth.server.as_str(), veth.load.as_str());
        for namespace in [server, load] {
            ip(&["netns", "add", namespace])?;
        }
        let peer = ["peer", "name", "veth1", "netns", load];
        ip(&[&["-n", server, "link", "add", "veth0", "type", "veth"][..], &peer].concat())?;
        for (namespace, device, address, cores) in
            [(server, "veth0", SERVER, "1"), (load, "veth1", LOAD, "2")]
        {
            ip(&["-n", namespace, "addr", "add", &format!("{address}/30"), "dev", device])?;
            ip(&["-n", namespace, "link", "set", "lo", "up"])?;
            ip(&["-n", namespace, "link", "set", device, "up"])?;
            let steering = format!("echo {cores} >/sys/class/net/{device}/queues/rx-0/rps_cpus");
            ip(&["netns", "exec", namespace, "sh", "-c", &steering])?;
        }
        Ok(veth)
    }

    /// Where the server listens.
    pub fn address(&self) -> Ipv4Addr {
        SERVER
    }

    /// The command on the server's end.
    pub fn on_server(&self, command: &Command) -> Command {
        within(&self.server, command)
    }

    /// The command on the load's end.
    pub fn on_load(&self, command: &Command) -> Command {
        within(&self.load, command)
    }
}

impl Drop for Veth {
    fn drop(&mut self) {
        for namespace in [&self.server, &self.load] {
            // One that was not made cannot be removed.
            let _ = Command::new("ip").args(["netns", "del", namespace]).output();
        }
    }
}

/// The same command in a namespace. `ip netns exec` becomes the program, so the process id is the
/// program's.
fn within(namespace: &str, command: &Command) -> Command {
    let mut wrapped = Command::new("ip");
    wrapped.args(["netns", "exec", namespace]).arg(command.get_program());
    wrapped.args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        wrapped.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            wrapped.env(name, value);
        }
    }
    wrapped
}

fn ip(arguments: &[&str]) -> Result<(), Error> {
    let said = Command::new("ip").args(arguments).output().map_err(Error::io("run ip"))?;
    if said.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&said.stderr).trim().to_owned();
    Err(Error::Program("ip".to_owned(), format!("{}: {why}", arguments.join(" "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_keeps_its_arguments_and_folder() {
        let mut command = Command::new("true");
        command.arg("x").current_dir("/tmp");
        let wrapped = within("there", &command);
        let arguments: Vec<_> = wrapped.get_args().collect();
        assert_eq!(arguments, ["netns", "exec", "there", "true", "x"]);
        assert_eq!(wrapped.get_current_dir(), command.get_current_dir());
    }
}

//! Who listens on an address: looked up in /proc, for an error message that helps.

use std::fs;
use std::net::{IpAddr, SocketAddr};

/// The process id and name of a process that listens on this address or on all addresses of its
/// port, if it is one whose descriptors may be looked at.
pub fn of(address: SocketAddr) -> Option<(u32, String)> {
    let table = if address.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
    let sockets = fs::read_to_string(table).ok()?;
    let inode = sockets.lines().skip(1).find_map(|line| listening_inode(line, address))?;
    let wanted = format!("socket:[{inode}]");
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let Ok(pid) = process.file_name().to_string_lossy().parse::<u32>() else { continue };
        let Ok(descriptors) = fs::read_dir(process.path().join("fd")) else { continue };
        let holds = descriptors.flatten().any(|descriptor| {
            fs::read_link(descriptor.path()).is_ok_and(|target| target.as_os_str() == &*wanted)
        });
        if holds {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some((pid, name.trim().to_owned()));
        }
    }
    None
}

/// The inode in a line of the table, if it listens (state 0A) on the address or on any.
fn listening_inode(line: &str, address: SocketAddr) -> Option<u64> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (local, state, inode) = (*fields.get(1)?, *fields.get(3)?, *fields.get(9)?);
    let (host, port) = local.split_once(':')?;
    let same_port = u16::from_str_radix(port, 16).ok()? == address.port();
    let any = host.bytes().all(|digit| digit == b'0');
    (state == "0A" && same_port && (any || host == hexadecimal(address.ip())))
        .then(|| inode.parse().ok())?
}

/// An address as the table has it: words of four bytes in the order of the machine.
fn hexadecimal(ip: IpAddr) -> String {
    let bytes = match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    bytes
        .chunks_exact(4)
        .map(|word| format!("{:08X}", u32::from_ne_bytes([word[0], word[1], word[2], word[3]])))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_listener_of_this_process_is_found() {
        for bind in ["127.0.0.1:0", "[::1]:0"] {
            let listener = TcpListener::bind(bind).unwrap();
            let (pid, name) = of(listener.local_addr().unwrap()).expect("it is our own");
            assert_eq!(pid, std::process::id());
            assert!(!name.is_empty());
        }
    }

    #[test]
    fn nobody_listens_on_a_closed_port() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert_eq!(of(address), None);
    }
}

//! Free TCP ports on the loopback address, for servers that are told where to listen.

use std::collections::HashSet;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};

/// A port that nothing listened on a moment ago and that this process did not hand out before.
///
/// The kernel chooses; the port is free between this call and the server's `bind`, so another
/// process could take it. Servers fail loudly on that, and it has the odds of one in
/// thousands.
pub fn free_port() -> Result<u16> {
    static HANDED_OUT: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    let mut guard = HANDED_OUT.lock().unwrap_or_else(PoisonError::into_inner);
    let handed_out = guard.get_or_insert_default();
    loop {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Error::io("bind a free port"))?;
        let address = listener.local_addr().map_err(Error::io("read the bound address"))?;
        if handed_out.insert(address.port()) {
            return Ok(address.port());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_distinct() {
        let ports: HashSet<u16> = (0..50).map(|_| free_port().unwrap()).collect();
        assert_eq!(ports.len(), 50);
    }
}

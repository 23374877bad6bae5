//! How many connections each address has, over all shards. Loopback is not counted.

use crate::config::Caps;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The counts, behind a lock taken when connections come and go.
pub struct Addresses {
    caps: Caps,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    connections: u32,
    by_address: HashMap<IpAddr, Held>,
}

#[derive(Clone, Copy, Default)]
struct Held {
    connections: u32,
    half_open: u32,
    waiting: u32,
}

/// A cap that is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capped {
    /// The server has as many connections as it may.
    Connections,
    /// The address has as many connections as it may.
    PerAddress,
    /// The address has as many unfinished handshakes as it may.
    HalfOpen,
    /// The address waits for as many streams as it may.
    Waiting,
}

impl Capped {
    /// A stable name for the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connections => "cap-connections",
            Self::PerAddress => "cap-address",
            Self::HalfOpen => "cap-half-open",
            Self::Waiting => "cap-waiting",
        }
    }
}

impl Addresses {
    /// Nobody, under these caps.
    pub fn new(caps: Caps) -> Self {
        Self { caps, counts: Mutex::default() }
    }

    /// A connection comes; its handshake is not done.
    ///
    /// # Errors
    /// The cap that it would pass.
    pub fn admit(&self, address: IpAddr) -> Result<(), Capped> {
        let mut counts = self.counts();
        if counts.connections >= self.caps.connections {
            return Err(Capped::Connections);
        }
        if !address.is_loopback() {
            let held = counts.by_address.get(&address).copied().unwrap_or_default();
            if held.connections >= self.caps.connections_per_address {
                return Err(Capped::PerAddress);
            }
            if held.half_open >= self.caps.half_open_per_address {
                return Err(Capped::HalfOpen);
            }
            let held = counts.by_address.entry(address).or_default();
            held.connections += 1;
            held.half_open += 1;
        }
        counts.connections += 1;
        Ok(())
    }

    /// A connection's handshake is done.
    pub fn opened(&self, address: IpAddr) {
        self.change(address, |held| held.half_open = held.half_open.saturating_sub(1));
    }

    /// A player begins to wait for a stream that nobody publishes.
    ///
    /// # Errors
    /// If its address waits for as many as it may.
    pub fn begin_waiting(&self, address: IpAddr) -> Result<(), Capped> {
        let mut result = Ok(());
        self.change(address, |held| {
            if held.waiting >= self.caps.waiting_plays_per_address {
                result = Err(Capped::Waiting);
            } else {
                held.waiting += 1;
            }
        });
        result
    }

    /// It waits no longer.
    pub fn end_waiting(&self, address: IpAddr) {
        self.change(address, |held| held.waiting = held.waiting.saturating_sub(1));
    }

    /// A connection is gone; `opened` says whether its handshake was done.
    pub fn gone(&self, address: IpAddr, opened: bool) {
        let mut counts = self.counts();
        counts.connections = counts.connections.saturating_sub(1);
        if let Some(held) = counts.by_address.get_mut(&address) {
            held.connections = held.connections.saturating_sub(1);
            if !opened {
                held.half_open = held.half_open.saturating_sub(1);
            }
            if held.connections == 0 {
                counts.by_address.remove(&address);
            }
        }
    }

    fn change(&self, address: IpAddr, change: impl FnOnce(&mut Held)) {
        if let Some(held) = self.counts().by_address.get_mut(&address) {
            change(held);
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_capped_and_comes_free() {
        let caps = Caps { connections_per_address: 2, half_open_per_address: 1, ..Caps::default() };
        let caps_waiting = caps.waiting_plays_per_address;
        let addresses = Addresses::new(caps);
        let far: IpAddr = [192, 0, 2, 1].into();
        assert_eq!(addresses.admit(far), Ok(()));
        assert_eq!(addresses.admit(far), Err(Capped::HalfOpen));
        addresses.opened(far);
        assert_eq!(addresses.admit(far), Ok(()));
        addresses.opened(far);
        assert_eq!(addresses.admit(far), Err(Capped::PerAddress));
        addresses.gone(far, true);
        assert_eq!(addresses.admit(far), Ok(()));
        for _ in 0..caps_waiting {
            assert_eq!(addresses.begin_waiting(far), Ok(()));
        }
        assert_eq!(addresses.begin_waiting(far), Err(Capped::Waiting));
        addresses.end_waiting(far);
        assert_eq!(addresses.begin_waiting(far), Ok(()));
        let near: IpAddr = [127, 0, 0, 1].into();
        for _ in 0..100 {
            assert_eq!(addresses.admit(near), Ok(()));
        }
    }
}

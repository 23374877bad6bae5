//! What lets a helper publish where keys are demanded: a secret made for one run of it, good for the
//! streams that it is to publish, from this machine, until that run ends. Who else may publish is the
//! affair of [`crate::rules`].

use crate::config::{Secret, query_value};
use crate::name::StreamName;
use rustix::rand::{GetRandomFlags, getrandom};
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The passes that are good at present. Shared by whoever gives them and whoever is shown them.
#[derive(Debug, Default)]
pub struct Passes {
    given: Mutex<Vec<Given>>,
}

#[derive(Debug)]
struct Given {
    secret: Secret,
    streams: Vec<StreamName>,
    /// Where the server was said to be: who comes from there is on this machine.
    host: IpAddr,
}

/// One pass. It is good until this is dropped.
#[derive(Debug)]
pub struct Pass {
    passes: Arc<Passes>,
    secret: Secret,
}

impl Passes {
    /// Makes a pass for these streams and for whoever comes from this machine, on which `host` is.
    ///
    /// # Errors
    /// If the system has no random bytes.
    pub fn give(self: &Arc<Self>, streams: &[StreamName], host: IpAddr) -> io::Result<Pass> {
        let secret = random_text()?;
        self.lock().push(Given { secret: secret.clone(), streams: streams.to_vec(), host });
        Ok(Pass { passes: Arc::clone(self), secret })
    }

    /// The stream that a publisher may have by a pass: it names it as `app` and `name`, shows the pass
    /// in `query` as a key, and comes from `address`.
    pub fn admit(&self, app: &str, name: &str, query: &str, address: IpAddr) -> Option<StreamName> {
        let shown = query_value(query, "key")?;
        let stream = StreamName::new(app, name).ok()?;
        let given = self.lock();
        // Every pass is compared, so that the time taken tells nothing of them.
        let good = given.iter().fold(false, |good, pass| {
            let here = address.is_loopback() || address == pass.host;
            good | (pass.secret.matches(&shown) & here & pass.streams.contains(&stream))
        });
        good.then_some(stream)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Given>> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass {
    /// The secret, to be put into a URL and to be masked.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.passes.lock().retain(|given| given.secret != self.secret);
    }
}

/// 128 random bits in hexadecimal.
pub(super) fn random_text() -> io::Result<Secret> {
    let mut bytes = [0_u8; 16];
    // So few bytes come whole or not at all (getrandom(2)).
    getrandom(&mut bytes, GetRandomFlags::empty())?;
    Ok(Secret::new(format!("{:032x}", u128::from_be_bytes(bytes))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn a_pass_is_good_for_its_streams_from_here_until_it_is_dropped() {
        let passes = Arc::new(Passes::default());
        let streams = ["live/cam", "live/cam_720p"].map(|name| StreamName::parse(name).unwrap());
        let pass = passes.give(&streams, HERE).unwrap();
        let other = passes.give(&streams[..1], HERE).unwrap();
        assert_ne!(pass.secret(), other.secret());
        let query = format!("key={}", pass.secret().reveal());
        assert_eq!(passes.admit("live", "cam", &query, HERE), Some(streams[0].clone()));
        assert_eq!(passes.admit("live/", "cam_720p", &query, HERE), Some(streams[1].clone()));
        assert_eq!(passes.admit("live", "cam2", &query, HERE), None);
        assert_eq!(passes.admit("live", "cam", "key=", HERE), None);
        assert_eq!(passes.admit("live", "cam", "", HERE), None);
        assert_eq!(passes.admit("live", "cam", &query, [10, 0, 0, 1].into()), None);
        drop(pass);
        assert_eq!(passes.admit("live", "cam", &query, HERE), None);
        let query = format!("key={}", other.secret().reveal());
        assert!(passes.admit("live", "cam", &query, HERE).is_some());
    }

    #[test]
    fn nothing_shows_a_pass() {
        let passes = Arc::new(Passes::default());
        let pass = passes.give(&[], HERE).unwrap();
        let shown = format!("{passes:?} {pass:?}");
        assert!(!shown.contains(pass.secret().reveal()), "{shown}");
    }
}

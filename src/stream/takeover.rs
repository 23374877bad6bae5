//! Who may take a stream's name from its publisher: one pure decision.
//!
//! A key must never stay "busy": an encoder that lost its network returns before the server knows.
//! Nor may two encoders with one key snatch it from each other all the time. Who waits for a turn (a
//! backup, a primary that returns, a slate) asks at each of its key frames.

use crate::limits;
use crate::moment::Moment;
use crate::role::Role;
use std::net::IpAddr;
use std::time::Duration;

/// The configured policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// A stale publisher gives way; so does any publisher to its own secret or its own address.
    #[default]
    IfStale,
    /// Every publisher gives way.
    Always,
    /// A connected publisher never gives way.
    Never,
}

/// By what a publisher is recognised when it returns. Opaque; equal for equal secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity(pub u64);

/// What is known of the present publisher.
#[derive(Clone, Copy, Debug)]
pub struct Holder {
    /// Where it came from.
    pub address: IpAddr,
    /// By what it is recognised, if it gave a secret.
    pub identity: Option<Identity>,
    /// As what it publishes.
    pub role: Role,
    /// Since when it holds the name.
    pub since: Moment,
    /// Whether it took the name from another that was connected.
    pub took_over: bool,
    /// Whether its connection stands.
    pub connected: bool,
    /// Whether it gives way to whoever claims the name: the server itself, which fetches the stream.
    pub gives_way: bool,
    /// When its last media came.
    pub last_media: Moment,
}

impl Holder {
    /// Whether it has sent nothing for so long that it is taken for lost.
    pub fn is_stale(&self, now: Moment) -> bool {
        now.since(self.last_media.max(self.since)) >= limits::PUBLISHER_STALE
    }

    /// Whether the name is one's who waits for it in this role, and shows a key frame now.
    /// `take_back` says whether a primary that is well again takes the stream from a backup.
    pub fn yields(&self, role: Role, take_back: bool, now: Moment) -> bool {
        if self.gives_way && role == Role::Primary {
            // A publisher who came while a slate played, and a fetched key frame came first.
            return true;
        }
        let lesser = self.role > role && (take_back || self.role == Role::Slate);
        !self.connected || self.is_stale(now) || lesser
    }

    /// Whether its silence leaves a gap of this length. One that is connected may pause as long as
    /// an encoder does that changes scenes.
    pub fn leaves_a_gap(&self, after: Duration, now: Moment) -> bool {
        let silent = now.since(self.last_media.max(self.since));
        let least = if self.connected { limits::PUBLISHER_STALE } else { Duration::ZERO };
        self.role != Role::Slate && silent >= after.max(least)
    }
}

/// Why a newcomer is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Somebody publishes, and the policy lets him.
    Busy,
    /// The name changed hands a moment ago.
    TooSoon,
}

/// Whether a newcomer may take the name.
pub fn decide(
    policy: Policy,
    holder: &Holder,
    address: IpAddr,
    identity: Option<Identity>,
    now: Moment,
) -> Result<(), Refused> {
    if !holder.connected || holder.gives_way {
        return Ok(());
    }
    if holder.is_stale(now) && policy != Policy::Never {
        return Ok(());
    }
    let same = match (holder.identity, identity) {
        // Secrets are stronger than addresses: behind one NAT sit many.
        (Some(held), Some(offered)) => held == offered,
        _ => holder.address == address,
    };
    let allowed = match policy {
        Policy::Always => true,
        Policy::IfStale => same,
        Policy::Never => false,
    };
    if !allowed {
        return Err(Refused::Busy);
    }
    if holder.took_over && now.since(holder.since) < limits::TAKEOVER_INTERVAL {
        return Err(Refused::TooSoon);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
    const AWAY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));
    const NOW: Moment = Moment::from_ms(100_000);

    fn holder() -> Holder {
        Holder {
            address: HOME,
            identity: None,
            role: Role::Primary,
            since: Moment::from_ms(1_000),
            took_over: false,
            connected: true,
            gives_way: false,
            last_media: NOW,
        }
    }

    fn ask(policy: Policy, holder: Holder, from: IpAddr, id: Option<u64>) -> Result<(), Refused> {
        decide(policy, &holder, from, id.map(Identity), NOW)
    }

    #[test]
    fn a_stranger_waits_for_a_live_publisher() {
        assert_eq!(ask(Policy::IfStale, holder(), AWAY, None), Err(Refused::Busy));
        assert_eq!(ask(Policy::IfStale, holder(), HOME, None), Ok(()));
        assert_eq!(ask(Policy::Always, holder(), AWAY, None), Ok(()));
        assert_eq!(ask(Policy::Never, holder(), HOME, None), Err(Refused::Busy));
    }

    #[test]
    fn a_secret_outweighs_an_address() {
        let known = Holder { identity: Some(Identity(7)), ..holder() };
        assert_eq!(ask(Policy::IfStale, known, AWAY, Some(7)), Ok(()));
        assert_eq!(ask(Policy::IfStale, known, HOME, Some(8)), Err(Refused::Busy));
    }

    #[test]
    fn stale_or_gone_gives_way() {
        let stale = Holder { last_media: NOW - limits::PUBLISHER_STALE, ..holder() };
        assert_eq!(ask(Policy::IfStale, stale, AWAY, None), Ok(()));
        assert_eq!(ask(Policy::Never, stale, AWAY, None), Err(Refused::Busy));
        let gone = Holder { connected: false, ..holder() };
        assert_eq!(ask(Policy::Never, gone, AWAY, None), Ok(()));
    }

    #[test]
    fn names_do_not_change_hands_faster_than_the_interval() {
        let fresh =
            Holder { took_over: true, since: NOW - limits::TAKEOVER_INTERVAL / 2, ..holder() };
        assert_eq!(ask(Policy::Always, fresh, HOME, None), Err(Refused::TooSoon));
        let settled = Holder { since: NOW - limits::TAKEOVER_INTERVAL, ..fresh };
        assert_eq!(ask(Policy::Always, settled, HOME, None), Ok(()));
        // One that began on a free name may be taken over at once.
        let first = Holder { took_over: false, ..fresh };
        assert_eq!(ask(Policy::Always, first, HOME, None), Ok(()));
    }

    #[test]
    fn who_waits_gets_what_nobody_better_feeds() {
        let backup = Holder { role: Role::Backup, ..holder() };
        let slate = Holder { role: Role::Slate, ..holder() };
        let stale = Holder { last_media: NOW - limits::PUBLISHER_STALE, ..holder() };
        let gone = Holder { connected: false, ..holder() };
        assert!(!holder().yields(Role::Backup, true, NOW));
        assert!(stale.yields(Role::Backup, true, NOW) && gone.yields(Role::Backup, true, NOW));
        assert!(backup.yields(Role::Primary, true, NOW) && !backup.yields(Role::Backup, true, NOW));
        assert!(!backup.yields(Role::Primary, false, NOW), "it may keep what it has");
        assert!(slate.yields(Role::Primary, false, NOW) && slate.yields(Role::Backup, false, NOW));
    }

    #[test]
    fn a_gap_begins_with_silence() {
        let second = Duration::from_secs(1);
        let silent = Holder { last_media: NOW - second, ..holder() };
        assert!(!silent.leaves_a_gap(second, NOW), "it is connected");
        assert!(Holder { connected: false, ..silent }.leaves_a_gap(second, NOW));
        assert!(!Holder { connected: false, ..silent }.leaves_a_gap(second * 2, NOW));
        let stale = Holder { last_media: NOW - limits::PUBLISHER_STALE, ..holder() };
        assert!(stale.leaves_a_gap(second, NOW));
        assert!(!Holder { role: Role::Slate, ..stale }.leaves_a_gap(second, NOW));
    }
}

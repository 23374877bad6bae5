//! Promises step by step: what is kept for one that takes its time is bounded, and what follows a gap in
//! it begins with a key frame; an heir that has left takes nothing; what is fetched gives way.

use millstream::egress::rtmp::framings;
use millstream::limits;
use millstream::moment::Moment;
use millstream::name::StreamName;
use millstream::role::Role;
use millstream::stats::Directory;
use millstream::stream::headers::{Carrier, HeaderSlot};
use millstream::stream::log::Retention;
use millstream::stream::projection::Projection;
use millstream::stream::registry::{Claimant, Registry};
use millstream::stream::ride::Eagerness;
use millstream::stream::segment::Kind;
use millstream::stream::standby::Heard;
use millstream::stream::takeover::Policy;
use millstream::stream::tenure::{GivenUp, Inheritance, Loss, Seal, Tenure, Turn};
use millstream::stream::view::View;
use millstream::stream::writer::Arrival;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

const EAGER: Eagerness = Eagerness::EveryMessage;

fn arrival(kind: Kind, payload: &[u8]) -> Arrival<'_> {
    let carrier = match kind {
        Kind::Audio | Kind::AudioHeader => Carrier::Audio,
        _ => Carrier::Video,
    };
    let header = (kind == Kind::VideoHeader).then_some(HeaderSlot { carrier, track: 0, part: 0 });
    Arrival { carrier, kind, header, source_ms: 0, payload }
}

fn registry() -> Registry {
    let directory = Arc::new(Directory::new(&[0, 1]));
    let retention = Retention { bytes_max: 1 << 30, ..Retention::default() };
    Registry::new(directory, Policy::IfStale, framings(1 << 20), retention)
}

fn cam() -> StreamName {
    StreamName::new("live", "cam").expect("a legal name")
}

fn claimant(shard: usize) -> Claimant {
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    Claimant { shard, address, identity: None, yields: false }
}

#[test]
fn an_heir_that_has_left_takes_nothing() {
    let (mut registry, name, now) = (registry(), cam(), Moment::from_ms(1000));
    let hold = Duration::from_secs(10);
    let claim = registry.claim(&name, claimant(0), now).expect("the name is free");
    let (mut owner, _) = Tenure::new(claim, EAGER, now);
    let claim = registry.claim(&name, claimant(1), now).expect("it comes from the same address");
    let (mut heir, seal) = Tenure::new(claim, EAGER, now);
    assert_eq!(seal, Some(Seal { claim: owner.claim, shard: 0 }));
    // Its connection is gone before the owner's shard has read the mail.
    assert_eq!(heir.lose(&mut registry, now, hold), Loss::Withdrawn);
    assert_eq!(owner.give_up(true, &mut registry, &[], |_| (), now), GivenUp::Kept);
    assert!(owner.publisher().is_some() && registry.owner(&name) == Some(owner.claim));
    // The next one has it.
    let claim = registry.claim(&name, claimant(1), now).expect("nobody is promised it");
    let (next, _) = Tenure::new(claim, EAGER, now);
    let given_up = owner.give_up(true, &mut registry, &[], |_| (), now);
    assert!(matches!(given_up, GivenUp::Left(Some(heir)) if heir.id == next.claim));
}

#[test]
fn what_is_fetched_gives_way_to_a_publisher_who_stood_in_line() {
    let (mut registry, name) = (registry(), cam());
    let (begun, now) = (Moment::from_ms(1000), Moment::from_ms(3000));
    let after = Duration::from_secs(1);
    registry.watch(&name).expect("there is room");
    assert!(registry.fill_gap(&name, claimant(0), after, begun).is_none(), "no gap yet");
    let claim = registry.fill_gap(&name, claimant(0), after, now).expect("a gap");
    let (mut slate, _) = Tenure::of_slate(claim, EAGER, now);
    let claim = registry.claim(&name, claimant(1), now).expect("a slate refuses nobody");
    let (mut publisher, _) = Tenure::new(claim, EAGER, now);
    let claim = registry.claim_idle(&name, 0, now).expect("a slate is no publisher");
    let (mut fetched, _) = Tenure::new(claim, EAGER, now);
    assert!(publisher.is_waiting() && fetched.is_waiting());

    // What is fetched has a key frame first.
    let key = arrival(Kind::VideoKey, &[1; 500]);
    assert_eq!(fetched.hear(&key, now), Heard::Asks);
    let seal = Seal { claim: slate.claim, shard: 0 };
    let turn = fetched.ask(&key, &mut registry, EAGER, &[], |_| (), now);
    assert_eq!(turn, Turn::Promised(seal));
    let given_up = slate.give_up(false, &mut registry, &[], |_| (), now);
    assert!(matches!(given_up, GivenUp::Left(Some(heir)) if heir.id == fetched.claim));
    assert_eq!(fetched.inherit(&mut registry, EAGER, &[], |_| (), now), Inheritance::Begun);

    // The publisher has the stream with his own.
    assert_eq!(publisher.hear(&key, now), Heard::Asks);
    let seal = Seal { claim: fetched.claim, shard: 0 };
    let turn = publisher.ask(&key, &mut registry, EAGER, &[], |_| (), now);
    assert_eq!(turn, Turn::Promised(seal));
}

#[test]
fn what_is_kept_for_a_promise_is_bounded() {
    let (mut registry, name) = (registry(), cam());
    let now = Moment::from_ms(1000);
    let claim = registry.claim(&name, claimant(0), now).expect("the name is free");
    let (mut primary, _) = Tenure::new(claim, EAGER, now);
    let claim = registry.wait(&name, claimant(1), Role::Backup).expect("there is room");
    let (mut backup, seal) = Tenure::new(claim, EAGER, now);
    assert!(seal.is_none() && backup.is_waiting());

    // While it waits it is heard and refused.
    let (header, key) = (arrival(Kind::VideoHeader, b"avc"), arrival(Kind::VideoKey, &[1; 500]));
    assert_eq!(backup.hear(&header, now), Heard::Noted);
    assert_eq!(backup.hear(&key, now), Heard::Asks);
    assert_eq!(backup.ask(&key, &mut registry, EAGER, &[], |_| (), now), Turn::NotYet);
    assert_eq!(backup.hear(&key, now), Heard::Noted, "it has just asked");

    // The primary is lost. The promise is made at a key frame, and takes long.
    assert_eq!(primary.lose(&mut registry, now, Duration::from_secs(10)), Loss::Held);
    let later = now + Duration::from_secs(2);
    assert_eq!(backup.hear(&key, later), Heard::Asks);
    let seal = Seal { claim: primary.claim, shard: 0 };
    let turn = backup.ask(&key, &mut registry, EAGER, &[], |_| (), later);
    assert_eq!(turn, Turn::Promised(seal));
    let frame = vec![2; 1 << 20];
    for _ in 0..20 {
        assert_eq!(backup.hear(&arrival(Kind::Video, &frame), later), Heard::Kept);
    }
    let given_up = primary.give_up(false, &mut registry, &[], |_| (), later);
    let GivenUp::Left(Some(heir)) = given_up else { panic!("somebody waits: {given_up:?}") };
    assert_eq!((heir.id, heir.shard), (backup.claim, 1));
    let mut view = View::new(backup.hub.log(Projection::WHOLE));
    let begun = backup.inherit(&mut registry, EAGER, &[], |_| (), later);
    assert_eq!(begun, Inheritance::Begun);

    // Behind the gap come sounds, and pictures from the next key frame on.
    let publisher = backup.publisher_mut().expect("it is owned");
    for kind in [Kind::Video, Kind::Audio, Kind::Video, Kind::VideoKey, Kind::Video] {
        publisher.push(&arrival(kind, &[3; 100]), later);
    }
    let before = view.end();
    view.refresh();
    let kinds: Vec<Kind> = view.messages(before, view.end()).map(|(entry, _)| entry.kind).collect();
    let kept = limits::STANDBY_BYTES_MAX >> 20;
    assert_eq!(kinds[..2], [Kind::VideoHeader, Kind::VideoKey]);
    let pictures = kinds[2..].iter().take_while(|kind| **kind == Kind::Video).count();
    assert!((kept - 1..=kept).contains(&pictures), "{pictures} MiB of 20 were kept");
    assert_eq!(kinds[2 + pictures..], [Kind::Audio, Kind::VideoKey, Kind::Video]);
}

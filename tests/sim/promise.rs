//! One promise that takes its time, step by step: what is kept for it is bounded, and what follows a
//! gap in it begins with a key frame.

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

#[test]
fn what_is_kept_for_a_promise_is_bounded() {
    let directory = Arc::new(Directory::new(&[0, 1]));
    let retention = Retention { bytes_max: 1 << 30, ..Retention::default() };
    let mut registry = Registry::new(directory, Policy::IfStale, framings(1 << 20), retention);
    let name = StreamName::new("live", "cam").expect("a legal name");
    let claimant = |shard| {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Claimant { shard, address, identity: None, yields: false }
    };
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

//! What is run, in which order, and how long it takes.

use super::*;

fn extent(full: bool) -> Extent {
    Extent { full, players: 1000, seconds: None, rounds: None }
}

#[test]
fn a_quick_run_with_the_usual_peers_takes_less_than_fifteen_minutes() {
    let usual = |subject: &Subject| {
        !matches!(subject.family, Family::Srs | Family::ZlMediaKit | Family::MediaMtx)
    };
    let steps = schedule(&extent(false).groups(), usual);
    // What each was seen to carry; the next larger number is waited for in vain, the rest is spared.
    let carried = |step: &Step| match step.subject.family {
        Family::Millstream | Family::Bare => 16_000,
        Family::Nginx => 2000,
        Family::NodeMediaServer2 => 4000,
        Family::NodeMediaServer4 => 500,
        _ => 0,
    };
    let mut seconds = 0.0;
    let mut given_up: Vec<&str> = Vec::new();
    for step in &steps {
        if !step.climbs || step.scene.players() <= carried(step) {
            seconds += step.takes_s();
        } else if !given_up.contains(&step.subject.id) {
            given_up.push(step.subject.id);
            seconds += step.limit_s();
        }
    }
    assert!(seconds < 860.0, "{seconds} s in {} runs", steps.len());
}

#[test]
fn pairs_are_neighbours_and_change_places() {
    let groups = extent(false).groups();
    let steps = schedule(&groups, |_| true);
    for group in ["ride", "100ms", "350ms", "streams", "ingest", "shards", "stuck"] {
        for round in 1..=3 {
            let of: Vec<&Step> =
                steps.iter().filter(|step| step.group == group && step.round == round).collect();
            let odd = round % 2 == 1;
            let entries = &groups.iter().find(|known| known.name == group).unwrap().entries;
            let first = if odd { of.first() } else { of.last() };
            assert_eq!(first.unwrap().subject.id, entries[0].subject.id, "{group} {round}");
        }
    }
    let at =
        |id: &str| steps.iter().position(|step| step.round == 2 && step.subject.id == id).unwrap();
    assert_eq!(at("bare"), at("millstream") + 1);
}

#[test]
fn what_is_not_there_is_not_run_and_a_climb_goes_up() {
    let steps = schedule(&extent(true).groups(), |subject| !subject.family.is_peer());
    assert!(steps.iter().all(|step| !step.subject.family.is_peer()));
    let mut before: Option<&Step> = None;
    for step in steps.iter().filter(|step| step.group == "climb") {
        let same = before.filter(|b| b.subject.id == step.subject.id && b.round == step.round);
        assert!(same.is_none_or(|b| b.scene.players() < step.scene.players()));
        before = Some(step);
    }
    assert!(steps.iter().any(|step| step.scene.network == Network::Veth));
}

#[test]
fn rounds_seconds_and_players_can_be_given() {
    let extent = Extent { full: false, players: 20, seconds: Some(1.0), rounds: Some(1) };
    let steps = schedule(&extent.groups(), |_| true);
    assert!(steps.iter().all(|step| step.round == 1));
    let ride = steps.iter().find(|step| step.group == "ride").unwrap();
    assert_eq!(ride.scene, Scene::fan_out(20, 1.0));
}

//! Ready-made runs: how publishers and players behave, from a number of each and a length.

use super::{Group, Manner, Plan, Playing, Publishing, Slow, Step};
use crate::media::shape::Shape;
use crate::media::source::Source;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// A ready-made run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Players come and stay.
    #[default]
    Steady,
    /// Players come evenly over --seconds, then stay as long.
    Ramp,
    /// All players come at the same moment, leave, and come again, three times.
    JoinStorm,
    /// Half of the players go after about 3 s and come again after about 1 s, in order or not.
    FlappingPlayers,
    /// Publishers go after about 5 s, in order or not, and come again after about 1 s.
    FlappingPublishers,
    /// 3 of 10 players do not read properly: a small receive buffer, byte by byte, or not at all.
    SlowReaders,
    /// Two publishers want each stream; whoever does not have it asks for it every 3 s.
    Takeover,
    /// Streams of several bitrates and rates, with some players flapping and some slow.
    Mixed,
}

/// Streams of the mixed profile: bits per second, pictures per second.
const MIXED: [(u64, u32); 4] = [(800_000, 25), (2_630_000, 30), (300_000, 15), (6_000_000, 60)];

impl Profile {
    /// Makes a plan one of this profile, of so many players and this length.
    pub fn apply(self, players: usize, length: Duration, plan: &mut Plan) {
        plan.title = self.name().to_owned();
        plan.steps = vec![Step::new(players, length)];
        match self {
            Self::Steady => {}
            Self::Ramp => plan.steps[0].over = length,
            Self::JoinStorm => {
                plan.connecting_max = usize::MAX;
                let storm = Step::new(players, length / 3);
                let lull = Step::new(0, Duration::from_secs(1));
                plan.steps = vec![storm, lull, storm, lull, storm];
            }
            Self::FlappingPlayers => {
                plan.groups = vec![
                    group("staying", 2, Playing::Stay),
                    group("going in order", 1, flapping(Manner::InOrder)),
                    group("going abruptly", 1, flapping(Manner::Abrupt)),
                ];
            }
            Self::FlappingPublishers => {
                plan.publishers.behaviour = Publishing::Flapping {
                    stay: Duration::from_secs(5),
                    away: Duration::from_secs(1),
                    manner: Manner::Either,
                };
            }
            Self::SlowReaders => {
                plan.groups = vec![
                    group("players", 7, Playing::Stay),
                    group("small receive buffer", 1, Playing::Slow(Slow::Window(4096))),
                    group("byte by byte", 1, Playing::Slow(Slow::Trickle(100))),
                    group("not reading", 1, Playing::Slow(Slow::Stopped)),
                ];
            }
            Self::Takeover => {
                plan.publishers.behaviour = Publishing::Duel { every: Duration::from_secs(3) };
            }
            Self::Mixed => {
                let source = |(bits, rate)| Arc::new(Source::Generated(Shape::new(bits, rate)));
                plan.sources = MIXED.map(source).into();
                plan.groups = vec![
                    group("players", 17, Playing::Stay),
                    group("flapping", 2, flapping(Manner::Either)),
                    group("small receive buffer", 1, Playing::Slow(Slow::Window(4096))),
                ];
            }
        }
    }

    /// As the command line names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::Ramp => "ramp",
            Self::JoinStorm => "join-storm",
            Self::FlappingPlayers => "flapping-players",
            Self::FlappingPublishers => "flapping-publishers",
            Self::SlowReaders => "slow-readers",
            Self::Takeover => "takeover",
            Self::Mixed => "mixed",
        }
    }

    /// How many publishers it has unless somebody says how many.
    pub fn publishers(self) -> u32 {
        match self {
            Self::Mixed => MIXED.len() as u32,
            _ => 1,
        }
    }
}

fn group(name: &str, share: u32, behaviour: Playing) -> Group {
    Group { name: name.to_owned(), share, behaviour }
}

fn flapping(manner: Manner) -> Playing {
    let (stay, away) = (Duration::from_secs(3), Duration::from_secs(1));
    Playing::Flapping { stay, away, manner }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Target;
    use clap::ValueEnum;

    #[test]
    fn every_profile_has_the_players_it_was_asked_for_and_its_own_name() {
        for profile in Profile::value_variants() {
            let target = Target::from_url("rtmp://127.0.0.1/live/cam", true, false).unwrap();
            let mut plan = Plan::steady(target, 1, Duration::from_secs(1));
            profile.apply(100, Duration::from_secs(6), &mut plan);
            let most = plan.steps.iter().map(|step| step.players).max();
            assert_eq!(most, Some(100), "{profile:?}");
            assert_eq!(plan.divide(100).iter().sum::<usize>(), 100);
            let known = profile.to_possible_value().unwrap();
            assert_eq!(profile.name(), known.get_name());
        }
    }
}

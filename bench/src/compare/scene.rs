//! A load, whatever it is put on: so many publishers and players, who read in this way.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Bits per second of a stream of the usual shape, in millions.
pub const BITRATE: f64 = 2.63;
/// What a run takes beside its steps: starting, the first frames, ending.
const BESIDE_S: f64 = 0.9;
/// After its players have joined, a step waits so long until it is measured, and no longer than a
/// quarter of it (`loadtest::limits::SETTLE`).
const SETTLE_S: f64 = 1.5;

/// A stretch of a load with so many players, measured for so long.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stretch {
    /// Players who read properly.
    pub players: u32,
    /// Seconds.
    pub seconds: f64,
}

/// How fast players come to a server; for estimates of time only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Joining {
    /// How many in a second.
    pub per_second: f64,
    /// How long the last of each stretch waits for its first frame, seconds.
    pub first_frame_s: f64,
}

fn real_time() -> f64 {
    1.0
}

/// Over what the bytes go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// The loopback device.
    #[default]
    Loopback,
    /// A veth pair between two network namespaces.
    Veth,
}

/// A load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scene {
    /// Publishers, each with a stream of its own.
    pub publishers: u32,
    /// Over so many of the streams the players are spread.
    pub streams: u32,
    /// What happens, in order.
    pub stretches: Vec<Stretch>,
    /// Megabits per second of each stream, at the speed of real time.
    pub bitrate: f64,
    /// Seconds of media that are published in a second. At half of it there are half as many frames in
    /// a second, of the same sizes: a gigabyte is made of as many messages as ever, which a lower
    /// bitrate would change.
    #[serde(default = "real_time")]
    pub speed: f64,
    /// Milliseconds that receivers rest between rounds; 0 reads at once.
    pub nap_ms: u32,
    /// Further players who read nothing once they play.
    pub stuck: u32,
    /// Over what.
    pub network: Network,
}

impl Scene {
    /// One stream of the usual bitrate to so many receivers that read at once.
    pub fn fan_out(players: u32, seconds: f64) -> Self {
        Self {
            publishers: 1,
            streams: 1,
            stretches: vec![Stretch { players, seconds }],
            bitrate: BITRATE,
            speed: real_time(),
            nap_ms: 0,
            stuck: 0,
            network: Network::Loopback,
        }
    }

    /// Publishers and nobody who plays.
    pub fn ingest(publishers: u32, seconds: f64) -> Self {
        Self { publishers, ..Self::fan_out(0, seconds) }
    }

    /// Most players at a time, those included who do not read.
    pub fn players(&self) -> u32 {
        self.stretches.iter().map(|stretch| stretch.players).max().unwrap_or(0) + self.stuck
    }

    /// Over how long publishers come, seconds: over a group of pictures. Within a shorter time, key
    /// frames would gather in a part of every group: both cores would be full in it, and a server that
    /// keeps groups would let all of them go at once and take their memory anew.
    pub fn ramp_s(&self) -> f64 {
        if self.publishers > 100 { 2.0 / self.speed } else { 0.0 }
    }

    /// How long a run of it takes, about, seconds.
    pub fn takes_s(&self, joining: Joining) -> f64 {
        let until_measured_s = |stretch: &Stretch| match stretch.players {
            0 => 0.0,
            _ => SETTLE_S.min(stretch.seconds / 4.0) + joining.first_frame_s,
        };
        let stretches: f64 =
            self.stretches.iter().map(|stretch| stretch.seconds + until_measured_s(stretch)).sum();
        BESIDE_S + self.ramp_s() + stretches + f64::from(self.players()) / joining.per_second
    }
}

impl fmt::Display for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let players: Vec<String> =
            self.stretches.iter().map(|stretch| stretch.players.to_string()).collect();
        write!(f, "{} x {}", self.publishers, players.join(" then "))?;
        if self.bitrate != BITRATE {
            write!(f, ", {} Mbit/s", self.bitrate)?;
        }
        if self.speed != real_time() {
            write!(f, ", at {} x speed", self.speed)?;
        }
        if self.stuck > 0 {
            write!(f, ", {} stuck", self.stuck)?;
        }
        if self.nap_ms > 0 {
            write!(f, ", nap {} ms", self.nap_ms)?;
        }
        if self.network == Network::Veth {
            f.write_str(", veth")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scene_says_what_it_is() {
        assert_eq!(Scene::fan_out(1000, 5.0).to_string(), "1 x 1000");
        let scene = Scene {
            stretches: [500, 2500].map(|players| Stretch { players, seconds: 2.0 }).into(),
            stuck: 100,
            nap_ms: 5,
            bitrate: 0.1,
            speed: 0.5,
            network: Network::Veth,
            ..Scene::fan_out(0, 0.0)
        };
        let text = "1 x 500 then 2500, 0.1 Mbit/s, at 0.5 x speed, 100 stuck, nap 5 ms, veth";
        assert_eq!((scene.to_string().as_str(), scene.players()), (text, 2600));
        let soon = Joining { per_second: 2600.0, first_frame_s: 0.0 };
        let late = Joining { per_second: 260.0, first_frame_s: 2.0 };
        let [soon, late] = [soon, late].map(|joining| scene.takes_s(joining));
        assert!((6.8..7.0).contains(&soon) && (late - soon - 13.0).abs() < 1e-6, "{soon} {late}");
    }
}

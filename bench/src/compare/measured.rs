//! What one run measured: the figures of loadtest's report that a comparison needs, and whether
//! they count.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A run that came to a report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Measured {
    /// loadtest's verdict.
    pub verdict: String,
    /// Why, unless it passed.
    pub reasons: Vec<String>,
    /// Whether all players played and every frame came, once, in order, with the right bytes.
    pub right: bool,
    /// Processor seconds of the server per gigabyte (10^9) that players received.
    pub cpu_per_gb: Option<f64>,
    /// The same per gigabyte taken in, where nobody plays.
    pub cpu_per_gb_in: Option<f64>,
    /// The server's processor time, as a share of one core.
    pub cores: Option<f64>,
    /// Video delay, ms: p50, p99, p99.9.
    pub video: Option<[f64; 3]>,
    /// Audio delay, ms: p50, p99, p99.9.
    pub audio: Option<[f64; 3]>,
    /// From asking for a connection to the first frame, ms: p50, p99.
    pub join: Option<[f64; 2]>,
    /// Resident memory of the server at rest, before anybody came, bytes.
    pub resident_before: u64,
    /// The same at the end of each stretch.
    pub resident: Vec<u64>,
    /// Players in each stretch.
    pub players: Vec<u64>,
    /// What the server said that it keeps of streams, bytes, where it was asked.
    pub log_bytes: Option<u64>,
    /// The generator's busiest core.
    pub own_core: f64,
    /// Softirqs of received packets during the run, for each processor.
    pub net_rx: Vec<u64>,
}

impl Measured {
    /// From loadtest's JSON. The figures are those of the last stretch.
    pub fn of(report: &Value) -> Self {
        let steps = report["steps"].as_array().map(Vec::as_slice).unwrap_or_default();
        let last = steps.last().unwrap_or(&Value::Null);
        let server = &last["server"];
        let counts = |name: &str| -> Vec<u64> {
            steps.iter().filter_map(|step| step.pointer(name)?.as_u64()).collect()
        };
        let reasons = report["reasons"].as_array().into_iter().flatten();
        let own = last["own_cores"].as_array().into_iter().flatten();
        Self {
            verdict: report["verdict"].as_str().unwrap_or("none").to_owned(),
            reasons: reasons.filter_map(|why| Some(why.as_str()?.to_owned())).collect(),
            right: right(report, steps),
            cpu_per_gb: server["cpu_s_per_gb"].as_f64(),
            cpu_per_gb_in: server["cpu_s_per_gb_in"].as_f64(),
            cores: server["cores"].as_f64(),
            video: times(&last["times"]["video"]).map(|(p50, p99, p999)| [p50, p99, p999]),
            audio: times(&last["times"]["audio"]).map(|(p50, p99, p999)| [p50, p99, p999]),
            join: first_frame(report).map(|(p50, p99, _)| [p50, p99]),
            resident: counts("/server/resident_bytes"),
            players: counts("/playing"),
            own_core: own.filter_map(Value::as_f64).fold(0.0, f64::max),
            ..Self::default()
        }
    }

    /// Whether its figures count: always only with the right bytes, and unless `noisy` only if the
    /// generator was not the bottleneck itself.
    pub fn counts(&self, noisy: bool) -> bool {
        self.right && (self.verdict == "pass" || (noisy && self.verdict == "invalid"))
    }
}

/// Percentiles, if anything was entered.
fn times(percentiles: &Value) -> Option<(f64, f64, f64)> {
    if percentiles["count"].as_u64()? == 0 {
        return None;
    }
    let of = |name: &str| percentiles[name].as_f64();
    Some((of("p50")?, of("p99")?, of("p999")?))
}

/// Over the whole run: players come before a stretch is measured.
fn first_frame(report: &Value) -> Option<(f64, f64, f64)> {
    let mut delays = report["delays"].as_array()?.iter();
    times(&delays.find(|delay| delay["time"] == "first-frame")?["percentiles"])
}

/// What can be wrong with a frame.
const FAULTS: [&str; 7] =
    ["lost", "duplicated", "reordered", "corrupt", "unmarked", "mistimed", "mixed"];

fn right(report: &Value, steps: &[Value]) -> bool {
    let none = |kinds: &Value| kinds.as_object().is_some_and(serde_json::Map::is_empty);
    let judged = |group: &Value| {
        ["video", "audio"]
            .iter()
            .all(|track| FAULTS.iter().all(|fault| group[track][fault].as_u64() == Some(0)))
            && none(&group["errors"])
    };
    let mut groups = report["groups"].as_array().into_iter().flatten();
    let publishers = &report["publishers"];
    !steps.is_empty()
        && report["interrupted"] != true
        && groups.all(|group| group["judged"] != true || judged(group))
        && none(&publishers["errors"])
        && publishers["publishing"] == publishers["wanted"]
        && steps.iter().all(|step| step["playing"] == step["wanted"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn report() -> Value {
        let track = json!({"lost": 0, "duplicated": 0, "reordered": 0, "corrupt": 0,
                           "unmarked": 0, "mistimed": 0, "mixed": 0});
        let times = json!({"count": 5, "p50": 4.0, "p99": 9.0, "p999": 11.0});
        json!({
            "verdict": "pass", "reasons": [], "interrupted": false,
            "publishers": {"wanted": 1, "publishing": 1, "errors": {}},
            "groups": [
                {"judged": true, "video": track, "audio": track, "errors": {}},
                {"judged": false, "video": {"lost": 9}, "audio": {}, "errors": {}},
            ],
            "delays": [{"time": "first-frame", "percentiles": times}],
            "steps": [
                {"wanted": 5, "playing": 5, "server": {"resident_bytes": 10}},
                {"wanted": 9, "playing": 9, "own_cores": [0.25],
                 "times": {"video": times, "audio": {"count": 0}},
                 "server": {"resident_bytes": 30, "cores": 0.5, "cpu_s_per_gb": 0.75}},
            ],
        })
    }

    #[test]
    fn the_figures_are_those_of_the_last_stretch() {
        let measured = Measured::of(&report());
        assert!(measured.right && measured.counts(false));
        assert_eq!((measured.cpu_per_gb, measured.cpu_per_gb_in), (Some(0.75), None));
        assert_eq!((measured.video, measured.audio), (Some([4.0, 9.0, 11.0]), None));
        assert_eq!((measured.resident, measured.players), (vec![10, 30], vec![5, 9]));
        assert_eq!((measured.join, measured.own_core), (Some([4.0, 9.0]), 0.25));
    }

    #[test]
    fn a_run_with_wrong_bytes_never_counts() {
        for (pointer, wrong) in [
            ("/groups/0/video/lost", json!(1)),
            ("/groups/0/audio/corrupt", json!(1)),
            ("/groups/0/errors", json!({"closed": 1})),
            ("/publishers/errors", json!({"closed": 1})),
            ("/publishers/publishing", json!(0)),
            ("/steps/0/playing", json!(4)),
            ("/interrupted", json!(true)),
            ("/steps", json!([])),
        ] {
            let mut report = report();
            *report.pointer_mut(pointer).unwrap() = wrong;
            let measured = Measured::of(&report);
            assert!(!measured.right && !measured.counts(true), "{pointer}");
        }
        assert!(!Measured::of(&Value::Null).counts(true));
    }

    #[test]
    fn a_busy_machine_counts_only_if_asked() {
        let mut report = report();
        report["verdict"] = json!("invalid");
        let measured = Measured::of(&report);
        assert!(!measured.counts(false) && measured.counts(true));
        report["verdict"] = json!("fail");
        assert!(!Measured::of(&report).counts(true));
    }
}

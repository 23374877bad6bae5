//! The verdict.
//!
//! ```text
//!   the generator was the bottleneck in a step ──────────────► INVALID
//!   conditions given: one of them holds, or was not measured ─► FAIL
//!   none given: a frame, a connection or a player is missing ─► FAIL
//!   otherwise ───────────────────────────────────────────────► PASS
//! ```

use super::condition::Condition;
use super::figures::Kinds;
use super::{Report, Verdict};
use crate::account::times::Time;
use crate::limits::{OWN_CORE_MAX, OWN_LAG_MS_MAX};

/// What is thought of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// How it ended.
    pub verdict: Verdict,
    /// Why, unless it passed.
    pub reasons: Vec<String>,
    /// What was found wrong without deciding.
    pub notes: Vec<String>,
}

/// Judges a run.
pub fn judge(report: &Report, conditions: &[Condition]) -> Judgement {
    let found = faults(report);
    let (mut reasons, mut notes) = if conditions.is_empty() {
        (found, Vec::new())
    } else {
        (conditions.iter().filter_map(|condition| condition.fails(report)).collect(), found)
    };
    if report.interrupted {
        // Whatever holds of a part says nothing of the whole.
        reasons.insert(0, "broken off before its end".to_owned());
    }
    let mut verdict = if reasons.is_empty() { Verdict::Pass } else { Verdict::Fail };
    let mut own = bottleneck(report);
    if let Some(busy) = bottleneck_of_joins(report) {
        // Delays are measured when all have joined; what joining took is in doubt.
        let joins_decide = conditions.iter().any(Condition::looks_at_joins);
        if joins_decide { own.push(busy) } else { notes.push(busy) }
    }
    if !own.is_empty() {
        verdict = Verdict::Invalid;
        reasons.splice(0..0, own);
    }
    Judgement { verdict, reasons, notes }
}

/// Steps in which the generator was too slow itself.
fn bottleneck(report: &Report) -> Vec<String> {
    let mut reasons = Vec::new();
    for (at, step) in report.steps.iter().enumerate() {
        let (core, lag) = (step.own_core(), step.times.own_lag.p99);
        if core > OWN_CORE_MAX || lag > OWN_LAG_MS_MAX {
            reasons.push(format!(
                "step {}: the generator was the bottleneck: {:.0} % of a core (at most {:.0} are \
                 allowed), own lag p99 {lag:.1} ms (at most {OWN_LAG_MS_MAX:.0}); {}",
                at + 1,
                core * 100.0,
                OWN_CORE_MAX * 100.0,
                // Idle and late: it was not the generator that had the core.
                if core < 0.5 {
                    "something else had its core"
                } else {
                    "give it more cores, or less to do"
                },
            ));
        }
    }
    reasons
}

/// Whether the generator was too slow itself while players joined.
fn bottleneck_of_joins(report: &Report) -> Option<String> {
    let joining = report.moments.iter().filter(|moment| moment.joined > 0);
    let busiest = joining.map(|moment| moment.own_core).fold(0.0, f64::max);
    (busiest > OWN_CORE_MAX).then(|| {
        format!(
            "the generator's core was {:.0} % busy while players joined: what joining took is not \
             the server's doing alone",
            busiest * 100.0
        )
    })
}

/// Everything that is wrong with a run of which everything is expected.
fn faults(report: &Report) -> Vec<String> {
    let mut reasons = Vec::new();
    let publishers = &report.publishers;
    if publishers.publishing < publishers.wanted && !publishers.come_and_go {
        let (publishing, wanted) = (publishers.publishing, publishers.wanted);
        reasons.push(format!("{publishing} of {wanted} publishers published at the end"));
    }
    played(report, &mut reasons);
    if report.judged().frames > 0
        && report.delay(Time::Video).is_none()
        && report.delay(Time::Audio).is_none()
    {
        reasons.push(
            "no delay was measured: every frame was older than its player (with --publishers 0, \
             give --wall-clock to both programs)"
                .to_owned(),
        );
    }
    for group in report.groups.iter().filter(|group| group.judged) {
        for (track, counts) in [("video", &group.video), ("audio", &group.audio)] {
            for (fault, count) in counts.faults() {
                if count > 0 {
                    reasons.push(format!("{}: {track} frames {fault}: {count}", group.name));
                }
            }
        }
        errors(&group.name, &group.errors, &mut reasons);
    }
    errors("publishers", &publishers.errors, &mut reasons);
    reasons
}

fn played(report: &Report, reasons: &mut Vec<String>) {
    let come_and_go = players_come_and_go(report);
    let playing = report.groups.iter().fold(0_u64, |sum, group| sum.saturating_add(group.playing));
    let players = report.totals.players_wanted;
    for (at, step) in report.steps.iter().enumerate() {
        if step.playing < step.wanted && !come_and_go {
            let (playing, wanted) = (step.playing, step.wanted);
            reasons.push(format!("step {}: {playing} of {wanted} players played", at + 1));
        }
    }
    // Broken off while the first players joined, there is no step that could tell.
    if report.steps.is_empty() && playing < players && !come_and_go {
        reasons.push(format!("{playing} of {players} players played"));
    }
    let joined = report.groups.iter().fold(0_u64, |sum, group| sum.saturating_add(group.joined));
    // Who comes and goes may be away at the end, and yet each of them came.
    if come_and_go && joined < players {
        reasons.push(format!("{joined} joins by {players} players: some never played"));
    }
    let wanted = players > 0 || report.steps.iter().any(|step| step.wanted > 0);
    let judged = report.groups.iter().any(|group| group.judged);
    if wanted && (joined == 0 || judged && report.judged().frames == 0) {
        reasons.push("nothing was played".to_owned());
    }
    if report.publishers.wanted > 0 && report.publishers.frames == 0 {
        reasons.push("nothing was published".to_owned());
    }
    if !wanted && report.publishers.wanted == 0 {
        reasons.push("nothing was asked for: no publisher, no player".to_owned());
    }
}

/// Where the plan has players come and go, some are always away, and none of them is missing: one
/// that fails to come back is an error by name.
fn players_come_and_go(report: &Report) -> bool {
    report.groups.iter().any(|group| group.comes_and_goes)
}

fn errors(who: &str, kinds: &Kinds, reasons: &mut Vec<String>) {
    for (kind, count) in kinds.iter().filter(|(_, count)| **count > 0) {
        reasons.push(format!("{who}: {kind}: {count}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn with(change: impl FnOnce(&mut Report)) -> Judgement {
        let mut report = samples::report();
        change(&mut report);
        judge(&report, &[])
    }

    fn fails(said: &str, change: impl FnOnce(&mut Report)) {
        let Judgement { verdict, reasons, .. } = with(change);
        assert_eq!(verdict, Verdict::Fail, "{said}");
        assert!(reasons.iter().any(|reason| reason.contains(said)), "{said}: {reasons:?}");
    }

    #[test]
    fn a_run_without_fault_passes() {
        let judgement = with(|_| ());
        assert_eq!(judgement.verdict, Verdict::Pass, "{:?}", judgement.reasons);
        assert!(judgement.reasons.is_empty() && judgement.notes.is_empty());
    }

    #[test]
    fn whatever_is_wrong_fails() {
        fails("video frames lost: 1", |report| report.groups[0].video.lost = 1);
        fails("audio frames duplicated: 2", |report| report.groups[0].audio.duplicated = 2);
        fails("reordered", |report| report.groups[0].video.reordered = 1);
        fails("corrupt", |report| report.groups[0].video.corrupt = 1);
        fails("unmarked", |report| report.groups[0].video.unmarked = 1);
        fails("mistimed", |report| report.groups[0].audio.mistimed = 1);
        fails("mixed", |report| report.groups[0].video.mixed = 1);
        fails("broken off", |report| report.interrupted = true);
        fails("3 of 4 publishers", |report| report.publishers.publishing = 3);
        fails("step 1: 7 of", |report| report.steps[0].playing = 7);
        fails("nothing was published", |report| report.publishers.frames = 0);
        fails("nothing was played", |report| {
            report.groups.iter_mut().for_each(|group| {
                (group.video.frames, group.audio.frames) = (0, 0);
            });
        });
        fails("players: stalled: 4", |report| {
            report.groups[0].errors.insert("stalled".to_owned(), 4);
        });
        fails("publishers: closed: 1", |report| {
            report.publishers.errors.insert("closed".to_owned(), 1);
        });
        fails("nothing was asked for", |report| *report = Report::default());
    }

    #[test]
    fn a_generator_that_was_busy_while_players_joined_is_told_and_decides_what_joins_decide() {
        let mut report = samples::report();
        report.moments[0].joined = 5;
        report.moments[0].own_core = 0.9;
        let judgement = judge(&report, &[]);
        assert_eq!(judgement.verdict, Verdict::Pass, "{:?}", judgement.reasons);
        assert!(judgement.notes[0].contains("90 % busy while players joined"));
        let condition = |text: &str| [text.parse::<Condition>().unwrap()];
        assert_eq!(judge(&report, &condition("p99>1000s")).verdict, Verdict::Pass);
        assert_eq!(judge(&report, &condition("join.p99>1000s")).verdict, Verdict::Invalid);
    }

    #[test]
    fn a_run_that_was_broken_off_fails_whatever_its_conditions_say() {
        let mut report = samples::report();
        report.interrupted = true;
        let condition = ["lost>0".parse::<Condition>().unwrap()];
        assert_eq!(judge(&report, &condition).verdict, Verdict::Fail);
    }

    #[test]
    fn frames_without_a_delay_fail() {
        fails("no delay was measured", |report| report.delays.clear());
    }

    #[test]
    fn what_the_plan_allows_and_who_is_not_judged_fail_nothing() {
        let judgement = with(|report| {
            report.groups[0].allowed.insert("closed".to_owned(), 50);
            report.groups[0].video.late = 9;
            report.groups[0].video.cut = 9;
            let mut other = report.groups[0].clone();
            (other.judged, other.video.lost) = (false, 1000);
            other.errors.insert("stalled".to_owned(), 10);
            report.groups.push(other);
        });
        assert_eq!(judgement.verdict, Verdict::Pass, "{:?}", judgement.reasons);
    }

    #[test]
    fn who_comes_and_goes_by_plan_may_be_away_at_the_end() {
        let away = |report: &mut Report| {
            report.steps[0].playing -= 100;
            report.publishers.publishing -= 1;
        };
        assert_eq!(with(away).reasons.len(), 2);
        let judgement = with(|report| {
            away(report);
            report.groups[0].comes_and_goes = true;
            report.publishers.come_and_go = true;
        });
        assert_eq!(judgement.verdict, Verdict::Pass, "{:?}", judgement.reasons);
    }

    #[test]
    fn who_comes_and_goes_must_have_come() {
        fails("some never played", |report| {
            report.groups[0].comes_and_goes = true;
            report.groups[0].joined = report.totals.players_wanted - 1;
        });
        fails("nothing was played", |report| {
            for group in &mut report.groups {
                (group.judged, group.comes_and_goes, group.joined) = (false, true, 0);
            }
        });
    }

    #[test]
    fn publishers_alone_pass() {
        let judgement = with(|report| {
            report.groups.clear();
            report.totals.players_wanted = 0;
            report.steps.iter_mut().for_each(|step| (step.wanted, step.playing) = (0, 0));
        });
        assert_eq!(judgement.verdict, Verdict::Pass, "{:?}", judgement.reasons);
    }

    #[test]
    fn a_slow_generator_is_never_believed() {
        let none: [Condition; 0] = [];
        let given: [Condition; 1] = ["lost>1000000".parse().unwrap()];
        for conditions in [none.as_slice(), &given] {
            for slow in [true, false] {
                let mut report = samples::report();
                let step = report.steps.last_mut().unwrap();
                if slow {
                    step.times.own_lag.p99 = 5.1;
                } else {
                    step.own_cores = vec![0.2, 0.86, 0.1];
                }
                let judgement = judge(&report, conditions);
                assert_eq!(judgement.verdict, Verdict::Invalid);
                assert!(judgement.reasons[0].contains("bottleneck"), "{:?}", judgement.reasons);
            }
        }
    }

    #[test]
    fn with_conditions_only_they_decide_and_the_rest_is_noted() {
        let mut report = samples::report();
        report.groups[0].video.lost = 3;
        report.judge(&["lost>10".parse().unwrap()]);
        assert_eq!((report.verdict, report.exit_code()), (Verdict::Pass, 0));
        assert_eq!(report.notes.len(), 1);
        report.judge(&["lost>2".parse().unwrap(), "max>0ms".parse().unwrap()]);
        assert_eq!((report.verdict, report.exit_code()), (Verdict::Fail, 1));
        assert_eq!(report.reasons.len(), 2);
        assert_eq!(report.conditions, ["lost>2", "max>0ms"]);
    }
}

//! The tables of reports, for text and page alike: of one run, or of several one below the other.

use super::Report;
use super::figures::{Delay, Track};
use super::table::{Cell, Column, Table};
use crate::account::times::{Percentiles, Time};

/// The times between asking and playing.
pub const JOIN_TIMES: [Time; 4] =
    [Time::Connect, Time::Handshake, Time::FirstByte, Time::FirstFrame];
/// The times that every frame takes.
pub const DELAY_TIMES: [Time; 2] = [Time::Video, Time::Audio];
/// The times of the generator.
pub const OWN_TIMES: [Time; 2] = [Time::Lag, Time::Round];

/// A table whose first column is the run, if there are several.
struct Runs {
    table: Table,
    several: bool,
}

impl Runs {
    fn new(runs: usize, columns: &[Column]) -> Self {
        let first = [Column::always("run")];
        let several = runs > 1;
        let first = if several { first.as_slice() } else { &[] };
        Self { table: Table::new([first, columns].concat()), several }
    }

    fn push(&mut self, run: usize, cells: Vec<Cell>) {
        let first = self.several.then(|| Cell::text(letter(run)));
        self.table.push(first.into_iter().chain(cells).collect());
    }
}

/// How a run is called among several: A, B and so on, and by its number beyond Z.
pub fn letter(run: usize) -> String {
    match u8::try_from(run) {
        Ok(run) if run < 26 => char::from(b'A' + run).to_string(),
        _ => (run + 1).to_string(),
    }
}

/// What happened in each step.
pub fn steps(reports: &[Report]) -> Table {
    let mut runs = Runs::new(
        reports.len(),
        &[
            Column::always("step"),
            Column::always("players"),
            Column::if_any("missing"),
            Column::if_any("away"),
            Column::always("joined in s"),
            Column::always("s"),
            Column::always("GB"),
            Column::always("Mbit/s"),
            Column::if_any("video p50 ms"),
            Column::if_any("p90"),
            Column::if_any("p99"),
            Column::if_any("p99.9"),
            Column::if_any("max"),
            Column::if_any("audio p99 ms"),
            Column::if_any("max"),
        ],
    );
    for (run, report) in reports.iter().enumerate() {
        for (at, step) in report.steps.iter().enumerate() {
            // In a run without players, what counts is what went in.
            let alone = report.totals.received_bytes == 0;
            let bytes = if alone { step.published_bytes } else { step.bytes };
            let gigabytes = bytes as f64 / 1e9;
            let absent = step.wanted.saturating_sub(step.playing);
            let may_be_away = report.groups.iter().any(|group| group.comes_and_goes);
            let video = some(&step.times.video);
            let audio = some(&step.times.audio);
            let video_ms = |of: fn(&Percentiles) -> f64| Cell::value(video.map(of));
            let audio_ms = |of: fn(&Percentiles) -> f64| Cell::value(audio.map(of));
            runs.push(
                run,
                vec![
                    Cell::Count(at as u64 + 1),
                    Cell::Count(step.playing),
                    Cell::Bad(if may_be_away { 0 } else { absent }),
                    Cell::Count(if may_be_away { absent } else { 0 }),
                    Cell::Value(step.joining_s),
                    Cell::Value(step.seconds),
                    Cell::Value(gigabytes),
                    Cell::value(super::build::ratio(gigabytes * 8000.0, step.seconds)),
                    video_ms(|times| times.p50),
                    video_ms(|times| times.p90),
                    video_ms(|times| times.p99),
                    video_ms(|times| times.p999),
                    video_ms(|times| times.max),
                    audio_ms(|times| times.p99),
                    audio_ms(|times| times.max),
                ],
            );
        }
    }
    runs.table
}

/// What each step cost the server and the generator.
pub fn costs(reports: &[Report]) -> Table {
    let mut runs = Runs::new(
        reports.len(),
        &[
            Column::always("step"),
            Column::if_any("server cores"),
            Column::if_any("CPU s/GB"),
            Column::if_any("CPU s/GB in"),
            Column::if_any("switches/s"),
            Column::if_any("resident MB"),
            Column::if_any("KB/player"),
            Column::if_any("window changes"),
            Column::always("own core %"),
            Column::always("own lag p99 ms"),
            Column::always("own rounds p99 ms"),
        ],
    );
    for (run, report) in reports.iter().enumerate() {
        for (at, step) in report.steps.iter().enumerate() {
            let server = step.server.as_ref();
            runs.push(
                run,
                vec![
                    Cell::Count(at as u64 + 1),
                    Cell::value(server.map(|server| server.cores)),
                    Cell::value(server.and_then(|server| server.cpu_s_per_gb)),
                    Cell::value(server.and_then(|server| server.cpu_s_per_gb_in)),
                    Cell::value(server.map(|server| server.switches_s)),
                    Cell::value(server.map(|server| server.resident_bytes as f64 / 1e6)),
                    Cell::value(server.and_then(|server| Some(server.bytes_per_player? / 1e3))),
                    step.window_changes.map_or(Cell::Unknown, Cell::Count),
                    Cell::Value(step.own_core() * 100.0),
                    Cell::value(some(&step.times.own_lag).map(|times| times.p99)),
                    Cell::value(some(&step.times.own_round).map(|times| times.p99)),
                ],
            );
        }
    }
    runs.table
}

/// Percentiles of some of the times over the whole run; those that nothing was entered for are
/// left out.
pub fn times(reports: &[Report], times: &[Time]) -> Table {
    let mut runs = Runs::new(
        reports.len(),
        &[
            Column::always("time, ms"),
            Column::always("count"),
            Column::always("p50"),
            Column::always("p90"),
            Column::always("p99"),
            Column::always("p99.9"),
            Column::always("max"),
        ],
    );
    for time in times {
        for (run, report) in reports.iter().enumerate() {
            let Some(Delay { percentiles, .. }) = report.delay(*time) else { continue };
            let Percentiles { p50, p90, p99, p999, max, count } = *percentiles;
            let mut cells = vec![Cell::text(called(*time)), Cell::Count(count)];
            cells.extend([p50, p90, p99, p999, max].map(Cell::Value));
            runs.push(run, cells);
        }
    }
    runs.table
}

/// A time as tables call it.
pub fn called(time: Time) -> &'static str {
    match time {
        Time::Video => "video delay",
        Time::Audio => "audio delay",
        Time::Connect => "connected",
        Time::Handshake => "handshake",
        Time::FirstByte => "first byte of media",
        Time::FirstFrame => "first frame",
        Time::Lag => "own timers late",
        Time::Round => "own rounds",
    }
}

/// The frames of each group.
pub fn frames(reports: &[Report]) -> Table {
    let mut runs = Runs::new(
        reports.len(),
        &[
            Column::always("group"),
            Column::if_any("judged"),
            Column::always("track"),
            Column::always("frames"),
            Column::always("MB"),
            Column::if_any("backlog"),
            Column::if_any("late"),
            Column::if_any("cut"),
            Column::always("lost"),
            Column::always("duplicated"),
            Column::always("reordered"),
            Column::if_any("corrupt"),
            Column::if_any("unmarked"),
            Column::if_any("mistimed"),
            Column::if_any("mixed"),
        ],
    );
    for (run, report) in reports.iter().enumerate() {
        for group in &report.groups {
            // Said only where there is one that is not.
            let judged = if group.judged { "" } else { "no" };
            for (name, track) in [("video", &group.video), ("audio", &group.audio)] {
                if *track == Track::default() {
                    continue;
                }
                let fault =
                    |count| if group.judged { Cell::Bad(count) } else { Cell::Count(count) };
                let mut cells = vec![
                    Cell::text(&group.name),
                    Cell::text(judged),
                    Cell::text(name),
                    Cell::Count(track.frames),
                    Cell::Value(track.payload_bytes as f64 / 1e6),
                    Cell::Count(track.backlog),
                    Cell::Count(track.late),
                    Cell::Count(track.cut),
                ];
                cells.extend(track.faults().map(|(_, count)| fault(count)));
                runs.push(run, cells);
            }
        }
    }
    runs.table
}

/// How connections ended: who, by what name, how often, and what that means.
pub fn ends(reports: &[Report]) -> Table {
    let mut runs = Runs::new(
        reports.len(),
        &[
            Column::always("who"),
            Column::always("how"),
            Column::if_any("errors"),
            Column::if_any("allowed"),
            Column::always("what that means"),
        ],
    );
    for (run, report) in reports.iter().enumerate() {
        let groups =
            report.groups.iter().map(|group| (&*group.name, &group.errors, &group.allowed));
        let publishers = &report.publishers;
        let publishers = ("publishers", &publishers.errors, &publishers.allowed);
        for (who, errors, allowed) in groups.chain([publishers]) {
            for (kinds, bad) in [(errors, true), (allowed, false)] {
                for (kind, count) in kinds {
                    let meaning = super::kinds::explain(kind).unwrap_or("");
                    let (errors, allowed) = if bad { (*count, 0) } else { (0, *count) };
                    runs.push(
                        run,
                        vec![
                            Cell::text(who),
                            Cell::text(kind),
                            Cell::Bad(errors),
                            Cell::Count(allowed),
                            Cell::text(meaning),
                        ],
                    );
                }
            }
        }
    }
    runs.table
}

/// `None` if nothing was entered: zeros would look like a very fast server.
fn some(percentiles: &Percentiles) -> Option<&Percentiles> {
    (percentiles.count > 0).then_some(percentiles)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn columns_that_say_nothing_are_left_out() {
        let good = [samples::report()];
        let heads =
            |table: &Table| table.drawn().iter().map(|column| column.head).collect::<Vec<_>>();
        assert!(!heads(&frames(&good)).contains(&"corrupt"));
        assert!(!heads(&frames(&good)).contains(&"judged"));
        assert!(!heads(&frames(&good)).contains(&"run"));
        assert!(heads(&costs(&good)).contains(&"CPU s/GB"));
        assert!(!heads(&costs(&good)).contains(&"CPU s/GB in"));
        let rough = [Report::of(&samples::rough(), &[]), Report::of(&samples::publishers(), &[])];
        assert!(heads(&frames(&rough)).contains(&"late"));
        assert!(heads(&frames(&rough)).contains(&"judged"));
        assert!(heads(&costs(&rough)).contains(&"CPU s/GB in"));
        assert_eq!(heads(&steps(&rough))[0], "run");
        let ends = ends(&rough).to_string();
        assert!(ends.contains("unheard-of") && ends.contains("went on"), "{ends}");
    }

    #[test]
    fn runs_have_letters_and_then_numbers() {
        assert_eq!([letter(0), letter(25), letter(26), letter(999)], ["A", "Z", "27", "1000"]);
    }
}

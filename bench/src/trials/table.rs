//! A trial as Markdown: its question, a table of its variants, and every run.

use super::{Row, Run, Spread, Trial};
use std::fmt::Write as _;

/// A section about a trial.
pub fn markdown(trial: &Trial, rows: &[Row], runs: &[Run]) -> String {
    let mut text = format!("## {}\n\n{}\n", trial.name, trial.question);
    let huge = rows.iter().any(|row| row.huge_bytes.is_some_and(|bytes| bytes > 0.0));
    for (number, case) in trial.cases.iter().enumerate() {
        let load = case.load;
        let more = if huge { " in huge pages, MB |" } else { "" };
        let line = if huge { " --: |" } else { "" };
        // Writing into a string does not fail.
        let _ = write!(
            text,
            "\n{} of {:.2} Mbit/s at {} % of real time, {}:\n\n\
             | variant | CPU s/GB | ratio | video p50 / p99, ms | resident, MB |{more} passed |\n\
             | --- | --: | --: | --: | --: |{line} --: |\n",
            count(load.publishers as usize, "publisher"),
            load.bits_per_second as f64 / 1e6,
            load.speed_percent,
            count(load.players, "player"),
        );
        for row in rows.iter().filter(|row| row.case == number) {
            let huge = if huge {
                format!(" {} |", places(row.huge_bytes.map(|bytes| bytes / 1e6), 1))
            } else {
                String::new()
            };
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} / {} | {} |{huge} {} of {} |",
                row.variant,
                places(row.cpu_s_per_gb.map(|spread| spread.median), 3),
                ratio(row.ratio),
                places(row.p50_ms, 1),
                places(row.p99_ms, 1),
                places(row.resident_bytes.map(|bytes| bytes / 1e6), 1),
                row.rounds.0,
                row.rounds.1,
            );
        }
    }
    text + &every(runs)
}

/// Every run, for who wants to look closer.
fn every(runs: &[Run]) -> String {
    let mut text = "\n<details><summary>Every run</summary>\n\n\
         | case | round | variant | CPU s/GB | share of a core | video p50 / p99, ms | generator's core | verdict |\n\
         | --: | --: | --- | --: | --: | --: | --: | --- |\n"
        .to_owned();
    for run in runs {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {:.0} % | {:.1} / {:.1} | {:.0} % | {} {} |",
            run.case + 1,
            run.round,
            run.variant,
            places(run.cpu_s_per_gb, 3),
            run.cores * 100.0,
            run.p50_ms,
            run.p99_ms,
            run.own_core * 100.0,
            run.verdict.name().to_lowercase(),
            run.reasons.join("; "),
        );
    }
    text + "\n</details>\n"
}

fn count(number: usize, of: &str) -> String {
    format!("{number} {of}{}", if number == 1 { "" } else { "s" })
}

fn places(value: Option<f64>, places: usize) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.places$}"))
}

fn ratio(ratio: Option<Spread>) -> String {
    ratio.map_or("-".to_owned(), |Spread { median, low, high }| {
        format!("{median:.2} ({low:.2} .. {high:.2})")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trials;
    use loadtest::report::Verdict;

    #[test]
    fn a_table_has_a_line_for_each_variant_and_one_for_each_run() {
        let trial = trials::all().remove(0);
        let variant = trial.cases[0].variants[0].label.to_owned();
        let run = Run {
            trial: trial.name.to_owned(),
            variant,
            round: 1,
            verdict: Verdict::Pass,
            cpu_s_per_gb: Some(0.5),
            ..Run::default()
        };
        let runs = [run];
        let text = markdown(&trial, &trials::rows(&trial, &runs), &runs);
        let variants: usize = trial.cases.iter().map(|case| case.variants.len()).sum();
        assert_eq!(text.matches(" of 1 |").count() + text.matches(" 0 of 0 |").count(), variants);
        assert!(text.contains("| 0.500 | 1.00 (1.00 .. 1.00) |"), "{text}");
        assert!(text.contains("| pass  |") && text.contains("| - | - | - / - |"), "{text}");
        assert!(!text.contains("huge"), "{text}");
    }
}

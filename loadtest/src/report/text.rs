//! The report for people, as text.

use super::table::{Table, thousands};
use super::{Report, tables};
use std::fmt;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = std::slice::from_ref(self);
        if !self.title.is_empty() {
            writeln!(f, "{}", self.title)?;
        }
        let width = self.settings.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        for (name, value) in &self.settings {
            writeln!(f, "  {name:<width$}  {value}")?;
        }
        section(f, "Steps", &tables::steps(own))?;
        section(f, "What they cost", &tables::costs(own))?;
        section(f, "From asking for a connection to", &tables::times(own, &tables::JOIN_TIMES))?;
        let delays = tables::times(own, &tables::DELAY_TIMES);
        section(f, "From the scheduled send to the arrival at a player", &delays)?;
        section(f, "The generator itself", &tables::times(own, &tables::OWN_TIMES))?;
        section(f, "Frames", &tables::frames(own))?;
        section(f, "Connections that were not ended from here", &tables::ends(own))?;
        self.totals(f)?;
        if !self.conditions.is_empty() {
            writeln!(f, "\nfails if {}", self.conditions.join(", "))?;
        }
        for note in &self.notes {
            writeln!(f, "  noted: {note}")?;
        }
        writeln!(f)?;
        for reason in &self.reasons {
            writeln!(f, "- {reason}")?;
        }
        f.write_str(self.verdict.name())
    }
}

fn section(f: &mut fmt::Formatter<'_>, head: &str, table: &Table) -> fmt::Result {
    if table.is_empty() { Ok(()) } else { write!(f, "\n{head}\n{table}") }
}

impl Report {
    fn totals(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let totals = &self.totals;
        writeln!(f)?;
        let publishers = &self.publishers;
        writeln!(
            f,
            "publishers    {} of {} publish, {} frames sent, {:.3} GB",
            publishers.publishing,
            publishers.wanted,
            thousands(publishers.frames),
            totals.published_bytes as f64 / 1e9,
        )?;
        if totals.players_wanted > 0 || totals.received_bytes > 0 {
            write!(f, "players       {:.3} GB received", totals.received_bytes as f64 / 1e9)?;
            if let Some(delivered) = totals.delivered() {
                write!(
                    f,
                    ", {:.3} of {:.3} GB of payload delivered ({})",
                    totals.delivered_bytes as f64 / 1e9,
                    totals.expected_bytes as f64 / 1e9,
                    percent(delivered),
                )?;
            }
            let compared =
                self.groups.iter().fold(0_u64, |sum, group| sum.saturating_add(group.compared));
            writeln!(f, ", {} frames compared byte by byte", thousands(compared))?;
        }
        if let Some(server) = &self.server {
            write!(f, "server        {:.2} cores", server.cores)?;
            if let Some(cpu) = server.cpu_s_per_gb {
                write!(f, ", {cpu:.3} CPU s per GB to players")?;
            }
            if let Some(cpu) = server.cpu_s_per_gb_in {
                write!(f, ", {cpu:.3} CPU s per GB taken in")?;
            }
            write!(f, ", {:.0} switches/s", server.switches_s)?;
            write!(f, ", {:.1} MB resident at most", server.resident_bytes as f64 / 1e6)?;
            if let Some(bytes) = server.bytes_per_player {
                write!(f, ", {:.1} KB a player", bytes / 1e3)?;
            }
            writeln!(f)?;
        }
        let shares: Vec<String> =
            self.own.cores.iter().map(|share| format!("{:.0} %", share * 100.0)).collect();
        write!(f, "generator     ")?;
        if !shares.is_empty() {
            write!(f, "{} of its cores at most, ", shares.join(" + "))?;
        }
        write!(f, "{:.2} CPU s", self.own.cpu_s)?;
        if let Some(cpu) = self.own.cpu_s_per_gb {
            write!(f, ", {cpu:.3} CPU s per GB checked")?;
        }
        writeln!(f)
    }
}

/// A share in hundredths. What is not all is never rounded to all.
pub fn percent(share: f64) -> String {
    if share >= 1.0 {
        return "100 %".to_owned();
    }
    format!("{:.3} %", (share * 100_000.0).floor() / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn what_is_wrong_is_said_with_its_meaning() {
        let text = Report::of(&samples::rough(), &[]).to_string();
        for said in [
            "phones on bad networks",
            "frames came, and then none any more",
            "unheard-of",
            "publisher-stalled",
            "- players: video frames lost: 12",
            "393",
            "first frame",
            "p99.9",
        ] {
            assert!(text.contains(said), "{said}:\n{text}");
        }
        assert!(
            text.ends_with("\nFAIL") && !text.contains("NaN") && !text.contains("inf "),
            "{text}"
        );
    }

    #[test]
    fn whatever_was_measured_there_is_a_text() {
        for report in samples::all() {
            let text = report.to_string();
            assert!(text.ends_with(report.verdict.name()) && !text.contains("NaN"), "{text}");
        }
    }

    #[test]
    fn nearly_all_is_not_all() {
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(0.999_999_9), "99.999 %");
        assert_eq!(percent(0.5), "50.000 %");
    }

    #[test]
    fn faults_that_do_not_decide_are_shown() {
        let mut report = Report::of(&samples::rough(), &[]);
        report.interrupted = false;
        report.judge(&["lost>1000".parse().unwrap()]);
        let text = report.to_string();
        assert!(
            text.contains("fails if lost>1000")
                && text.contains("noted: players: video frames lost: 12"),
            "{text}"
        );
        assert!(text.ends_with("PASS"), "{text}");
    }
}

//! An earlier comparison, and what became of its figures since: by ratio, since absolute figures
//! are those of a machine and a day.

use super::table::Table;
use crate::compare::error::Error;
use crate::compare::judge::Line;
use crate::compare::stats::{Spread, number};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// What an earlier comparison found, as its JSON says.
#[derive(Clone, Debug, PartialEq)]
pub struct Past {
    /// The commit that was compared then.
    pub commit: String,
    /// What, against what, the median.
    found: Vec<(String, String, f64)>,
}

impl Past {
    /// From the file that a comparison wrote.
    ///
    /// # Errors
    /// If it cannot be read, or is of another format.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text =
            fs::read(path).map_err(Error::io(format!("read the earlier {}", path.display())))?;
        let json: Option<Value> = serde_json::from_slice(&text).ok();
        json.as_ref().and_then(Self::of).ok_or_else(|| {
            let format = super::json::FORMAT;
            Error::Usage(format!("{} is no compare.json of format {format}", path.display()))
        })
    }

    fn of(json: &Value) -> Option<Self> {
        if json["format"].as_u64()? != u64::from(super::json::FORMAT) {
            return None;
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let lines = json["targets"].as_array()?.iter();
        let found = lines.filter_map(|line| {
            let median = line["spread"]["median"].as_f64()?;
            Some((text(&line["what"]), text(&line["against"]), median))
        });
        Some(Self { commit: text(&json["environment"]["commit"]), found: found.collect() })
    }

    /// Each target that was measured then and now.
    pub fn table(&self, lines: &[Line]) -> Table {
        let mut table = Table::new(&["what", "against", ">then", ">now", ">now / then", "spread"]);
        for line in lines {
            let then = self
                .found
                .iter()
                .find(|(what, against, _)| *what == line.what && *against == line.against);
            if let (Some((.., then)), Some(now)) = (then, line.spread) {
                table.push([
                    line.what.to_owned(),
                    line.against.clone(),
                    number(*then),
                    number(now.median),
                    if *then == 0.0 { "-".to_owned() } else { number(now.median / then) },
                    place(*then, &now).to_owned(),
                ]);
            }
        }
        table
    }
}

/// Where the earlier median lies beside the spread of now: only beyond it something has changed.
fn place(then: f64, now: &Spread) -> &'static str {
    if then < now.lowest {
        "was below all of now"
    } else if then > now.highest {
        "was above all of now"
    } else {
        "within"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::judge::Verdict;
    use serde_json::json;

    fn line(what: &'static str, values: &[f64]) -> Line {
        Line {
            what,
            against: "bare sender".to_owned(),
            target: String::new(),
            found: String::new(),
            spread: Spread::of(values.iter().copied()),
            rounds: (values.len(), values.len()),
            verdict: Verdict::Met,
            note: String::new(),
        }
    }

    #[test]
    fn what_was_measured_both_times_is_held_against_each_other() {
        let past = json!({
            "format": super::super::json::FORMAT,
            "environment": {"commit": "abc"},
            "targets": [
                {"what": "cost", "against": "bare sender", "spread": {"median": 1.25}},
                {"what": "delay", "against": "bare sender", "spread": null},
                {"what": "gone", "against": "", "spread": {"median": 7.0}},
            ],
        });
        let past = Past::of(&past).unwrap();
        assert_eq!(past.commit, "abc");
        let lines = [line("cost", &[0.9, 1.0, 1.1]), line("delay", &[2.0]), line("new", &[1.0])];
        let table = past.table(&lines);
        assert_eq!(
            table.rows,
            [["cost", "bare sender", "1.25", "1.00", "0.800", "was above all of now"]]
        );
        assert_eq!(past.table(&[line("cost", &[1.2, 1.4])]).rows[0][5], "within");
    }

    #[test]
    fn another_format_is_refused() {
        assert_eq!(Past::of(&json!({"format": 0, "targets": []})), None);
        assert_eq!(Past::of(&Value::Null), None);
        let error = Past::read(Path::new("/nowhere/compare.json")).unwrap_err();
        assert!(error.to_string().contains("cannot read the earlier"), "{error}");
    }
}

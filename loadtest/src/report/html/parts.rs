//! The parts of a page that are words and tables: the runs, what differs between them, in short.

use super::escape::escape;
use super::plot::COLOURS;
use crate::account::times::Time;
use crate::report::figures::{Delay, Server, Step};
use crate::report::table::{Cell, Column, Table, UNKNOWN};
use crate::report::{Report, Verdict, tables, text};
use std::fmt::Write as _;

/// The runs by their letters, with verdict and reasons.
pub fn runs(reports: &[Report]) -> String {
    let mut html = String::from("<section class=\"runs\">");
    for (run, report) in reports.iter().enumerate() {
        let verdict = report.verdict.name();
        let class = class(report.verdict);
        let title = if report.title.is_empty() { "a run" } else { &report.title };
        let letter = match reports.len() {
            0 | 1 => String::new(),
            _ => format!("<b class=\"letter c{}\">{}</b>", run % COLOURS, tables::letter(run)),
        };
        let (title, began) = (escape(title), utc(report.began_unix_ms));
        let _ = write!(
            html,
            "<article class=\"run k{run}\"><h2>{letter}<span>{title}</span>\
             <b class=\"verdict {class}\">{verdict}</b><time>{began}</time></h2>"
        );
        list(&mut html, "reasons", &report.reasons);
        list(&mut html, "notes", &report.notes);
        html.push_str("</article>");
    }
    html.push_str("</section>");
    html
}

/// Which colour is which run, in sight wherever the page is scrolled to; pressing one hides it. The
/// check boxes behind it are the page's and stand before everything. One run needs none of this.
pub fn legend(reports: &[Report]) -> String {
    if reports.len() < 2 {
        return String::new();
    }
    let mut html = String::from("<nav>");
    for (run, report) in reports.iter().enumerate() {
        let (colour, letter) = (run % COLOURS, tables::letter(run));
        let title = escape(&report.title);
        let _ = write!(
            html,
            "<label for=\"run{run}\" class=\"k{run}\" title=\"show or hide {title}\">\
             <b class=\"letter c{colour}\">{letter}</b> {title}</label>"
        );
    }
    html.push_str("</nav>");
    html
}

/// Reasons beyond these say nothing new.
const LISTED_MAX: usize = 20;

fn list(html: &mut String, class: &str, texts: &[String]) {
    if texts.is_empty() {
        return;
    }
    let _ = write!(html, "<ul class=\"{class}\">");
    for text in texts.iter().take(LISTED_MAX) {
        let _ = write!(html, "<li>{}</li>", escape(text));
    }
    if texts.len() > LISTED_MAX {
        let _ = write!(html, "<li>and {} more</li>", texts.len() - LISTED_MAX);
    }
    html.push_str("</ul>");
}

fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Invalid => "invalid",
    }
}

/// A line of the comparison: its name and the value of each run.
struct Row {
    name: String,
    values: Vec<String>,
}

/// Settings, with those marked that differ, and beside them the main figures; run beside run.
pub fn comparison(reports: &[Report]) -> String {
    let settings = rows(reports, "Settings", settings(reports), true);
    let figures = rows(reports, "In short", figures(reports), false);
    // Beside one another there is room for no more than a few runs.
    let class = if reports.len() > 3 { "sides many" } else { "sides" };
    format!("<div class=\"{class}\">{settings}{figures}</div>")
}

fn rows(reports: &[Report], heading: &str, rows: Vec<Row>, marked: bool) -> String {
    let class = if marked { "settings" } else { "figures" };
    let mut html =
        format!("<section><h2>{heading}</h2><div class=\"wide\"><table class=\"compare {class}\">");
    if reports.len() > 1 {
        html.push_str("<thead><tr><th></th>");
        for run in 0..reports.len() {
            let (colour, letter) = (run % COLOURS, tables::letter(run));
            let _ = write!(html, "<th class=\"letter c{colour} k{run}\">{letter}</th>");
        }
        html.push_str("</tr></thead>");
    }
    html.push_str("<tbody>");
    for Row { name, values } in rows {
        let differs = marked && values.iter().any(|value| *value != values[0]);
        let (class, mark) = if differs {
            (" class=\"differs\"", " <i title=\"differs\">≠</i>")
        } else {
            ("", "")
        };
        let _ = write!(html, "<tr{class}><th>{}{mark}</th>", escape(&name));
        for (run, value) in values.iter().enumerate() {
            let _ = write!(html, "<td class=\"k{run}\">{}</td>", escape(value));
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table></div></section>");
    html
}

fn settings(reports: &[Report]) -> Vec<Row> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in reports.iter().flat_map(|report| &report.settings) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let conditions = Row {
        name: "fails if".to_owned(),
        values: reports.iter().map(|report| report.conditions.join(", ")).collect(),
    };
    let value = |report: &Report, name: &str| {
        let found = report.settings.iter().find(|(known, _)| known == name);
        found.map_or_else(|| UNKNOWN.to_owned(), |(_, value)| value.clone())
    };
    let rows = names.into_iter().map(|name| Row {
        name: name.to_owned(),
        values: reports.iter().map(|report| value(report, name)).collect(),
    });
    let given = conditions.values.iter().any(|value| !value.is_empty());
    rows.chain(given.then_some(conditions)).collect()
}

/// A figure that all runs are compared by: its name, its value, its unit.
type Figure = (&'static str, fn(&Report) -> Option<f64>, &'static str);

const FIGURES: [Figure; 11] = [
    ("players, at most", |report| players(report).map(|most| most as f64), ""),
    ("received", |report| Some(report.totals.received_bytes as f64 / 1e9), " GB"),
    ("video delay p50", |report| Some(report.delay(Time::Video)?.percentiles.p50), " ms"),
    ("video delay p99", |report| Some(report.delay(Time::Video)?.percentiles.p99), " ms"),
    ("video delay p99.9", |report| Some(report.delay(Time::Video)?.percentiles.p999), " ms"),
    ("first frame p50", |report| first(report).map(|delay| delay.percentiles.p50), " ms"),
    ("first frame p99", |report| first(report).map(|delay| delay.percentiles.p99), " ms"),
    ("server CPU per GB to players", |report| report.server?.cpu_s_per_gb, " s"),
    ("server CPU per GB taken in", |report| report.server?.cpu_s_per_gb_in, " s"),
    ("server memory", |report| server(report).map(|s| s.resident_bytes as f64 / 1e6), " MB"),
    ("server memory per player", |report| Some(report.server?.bytes_per_player? / 1e3), " KB"),
];

fn players(report: &Report) -> Option<u64> {
    report.steps.iter().map(|step: &Step| step.playing).max()
}

fn first(report: &Report) -> Option<&Delay> {
    report.delay(Time::FirstFrame)
}

fn server(report: &Report) -> Option<&Server> {
    report.server.as_ref()
}

fn figures(reports: &[Report]) -> Vec<Row> {
    let mut rows = Vec::new();
    let delivered = reports.iter().map(|report| report.totals.delivered());
    if delivered.clone().any(|share| share.is_some()) {
        let shown = |share: Option<f64>| share.map_or_else(|| UNKNOWN.to_owned(), text::percent);
        let values = delivered.map(shown).collect();
        rows.push(Row { name: "payload delivered".to_owned(), values });
    }
    for (name, value, unit) in FIGURES {
        // A table of one column, which gives all runs the same decimals.
        let mut table = Table::new([Column::if_any("")]);
        for report in reports {
            let value = value(report).filter(|value| *value > 0.0);
            let count = value.filter(|value| unit.is_empty() && value.fract() == 0.0);
            let cell = count.map(|count| Cell::Count(count as u64));
            table.push(vec![cell.unwrap_or_else(|| Cell::value(value))]);
        }
        let Some(column) = table.drawn().pop() else { continue };
        let shown = |cell: String| if cell == UNKNOWN { cell } else { cell + unit };
        let values = column.cells.into_iter().map(shown).collect();
        rows.push(Row { name: name.to_owned(), values });
    }
    rows
}

/// A table under a heading; nothing if it has no rows.
pub fn section(heading: &str, table: &Table) -> String {
    if table.is_empty() {
        return String::new();
    }
    let columns = table.drawn();
    let mut html = format!("<section><h2>{heading}</h2><div class=\"wide\"><table><thead><tr>");
    for column in &columns {
        let class = if column.left { " class=\"left\"" } else { "" };
        let _ = write!(html, "<th{class}>{}</th>", escape(column.head));
    }
    html.push_str("</tr></thead><tbody>");
    let rows = columns.first().map_or(0, |column| column.cells.len());
    for row in 0..rows {
        // The rows of a run go with its lines.
        let run = columns.first().filter(|column| column.head == "run");
        let run = run.and_then(|column| run_of(&column.cells[row]));
        let _ = match run {
            Some(run) => write!(html, "<tr class=\"k{run}\">"),
            None => write!(html, "<tr>"),
        };
        for column in &columns {
            let class = match (column.head, column.left, column.bad[row]) {
                ("run", ..) => format!(" class=\"letter c{}\"", run.unwrap_or(0) % COLOURS),
                (_, true, _) => " class=\"left\"".to_owned(),
                (.., true) => " class=\"bad\"".to_owned(),
                _ => String::new(),
            };
            let _ = write!(html, "<td{class}>{}</td>", escape(&column.cells[row]));
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table></div></section>");
    html
}

/// The run that [`tables::letter`] calls so.
fn run_of(letter: &str) -> Option<usize> {
    match letter.as_bytes() {
        [letter @ b'A'..=b'Z'] => Some(usize::from(letter - b'A')),
        _ => letter.parse::<usize>().ok()?.checked_sub(1),
    }
}

/// A time of day in UTC; days are counted by the civil calendar (proleptic Gregorian).
fn utc(unix_ms: u64) -> String {
    // Beyond the year 9999 there is no date that anybody meant.
    if unix_ms == 0 || unix_ms > 253_402_300_799_000 {
        return UNKNOWN.to_owned();
    }
    let (mut days, seconds) = (unix_ms / 86_400_000, unix_ms / 1000 % 86_400);
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let mut month = 1;
    for length in [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hour, minute) = (seconds / 3600, seconds / 60 % 60);
    format!("{year}-{month:02}-{:02} {hour:02}:{minute:02} UTC", days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn dates_are_right() {
        for (seconds, date) in [
            (951_782_400, "2000-02-29 00:00 UTC"),
            (1_780_000_000, "2026-05-28 20:26 UTC"),
            (1_735_689_599, "2024-12-31 23:59 UTC"),
        ] {
            assert_eq!(utc(seconds * 1000), date);
        }
        assert_eq!((utc(0).as_str(), utc(u64::MAX).as_str()), (UNKNOWN, UNKNOWN));
    }

    #[test]
    fn differences_of_settings_are_marked() {
        let reports = [samples::long(), samples::other()].map(|record| Report::of(&record, &[]));
        let html = comparison(&reports);
        assert!(html.contains("<tr class=\"differs\"><th>server "), "{html}");
        assert!(html.contains("<tr><th>publishers</th>"), "{html}");
        assert!(html.contains("&lt;script&gt;") && !html.contains("<script"), "{html}");
    }

    #[test]
    fn runs_are_found_by_their_letters() {
        for run in [0, 7, 25, 26, 300] {
            assert_eq!(run_of(&tables::letter(run)), Some(run));
        }
        assert_eq!((run_of("0"), run_of("x")), (None, None));
    }
}

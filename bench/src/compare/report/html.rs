//! The page: tables and plots in one file that needs nothing from elsewhere.

use super::figures::Figures;
use super::svg::{Axis, Range, Scale, Series, escape, plot, ranges};
use super::table::Table;
use super::{ABOUT, NOISY, Report};
use crate::compare::scene::{Network, Scene};
use crate::compare::subject::{Family, find};
use crate::compare::target::{TARGETS, Test};
use std::fmt::Write as _;

const STYLE: &str = "\
body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2em auto;padding:0 1em;color:#222;\
background:#fff}table{border-collapse:collapse;font-size:14px}td,th{padding:.2em .7em;border-bottom:\
1px solid #ddd;text-align:left;vertical-align:top}.right{text-align:right;font-variant-numeric:\
tabular-nums}.wide{overflow-x:auto}.pass{color:#00694e}.miss{color:#b34000;font-weight:600}svg{width:\
100%;max-width:900px;font:12px system-ui,sans-serif;margin:1em 0;background:#fff}svg .grid{stroke:\
#e3e3e3}svg .limit{stroke:#222;stroke-width:2}svg .title{font-weight:600;font-size:14px}svg text{\
paint-order:stroke;stroke:#fff;stroke-width:3px}svg .heading{font-weight:600}svg .to{stroke:#999}svg \
polyline{stroke-width:2}";

/// The whole page.
pub fn page(report: &Report<'_>) -> String {
    let mut html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>millstream beside other servers</title>\
         <style>{STYLE}</style></head><body><h1>millstream beside the bare sender and other \
         servers</h1><ul>"
    );
    for (name, value) in report.environment.lines() {
        let _ = write!(html, "<li>{}: {}</li>", escape(name), escape(&value));
    }
    let _ = write!(html, "</ul><p>{}</p>", escape(ABOUT));
    if report.noisy {
        let _ = write!(html, "<p class=\"miss\">{}</p>", escape(&NOISY.replace("**", "")));
    }
    for svg in plots(report) {
        html.push_str(&svg);
    }
    section(&mut html, "Targets", &report.targets());
    html.push_str("<ul>");
    for note in report.notes() {
        let _ = write!(html, "<li>{}</li>", escape(&note));
    }
    for (name, how) in report.missing {
        let _ = write!(html, "<li>{} was not here: {}</li>", escape(name), escape(how));
    }
    html.push_str("</ul>");
    if let Some((heading, table)) = report.changes() {
        section(&mut html, &escape(&heading), &table);
    }
    section(&mut html, "Figures", &report.figures_table());
    section(&mut html, "Servers", &report.members_table());
    section(&mut html, "Every run", &report.runs_table());
    html + "</body></html>\n"
}

fn section(html: &mut String, heading: &str, table: &Table) {
    let _ = write!(html, "<h2>{heading}</h2><div class=\"wide\"><table><thead><tr>");
    let class = |right: bool| if right { " class=\"right\"" } else { "" };
    for (head, right) in &table.heads {
        let _ = write!(html, "<th{}>{}</th>", class(*right), escape(head));
    }
    html.push_str("</tr></thead><tbody>");
    for row in &table.rows {
        html.push_str("<tr>");
        for (cell, (_, right)) in row.iter().zip(&table.heads) {
            let class = match cell.as_str() {
                "pass" => " class=\"pass\"",
                "MISS" => " class=\"miss\"",
                _ => class(*right),
            };
            let _ = write!(html, "<td{class}>{}</td>", escape(cell));
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table></div>");
}

/// All plots in which there is something to see.
fn plots(report: &Report<'_>) -> Vec<String> {
    let mut plots = Vec::new();
    let one_stream =
        |scene: &Scene| scene.publishers == 1 && scene.stuck == 0 && scene.stretches.len() == 1;
    // Receivers and networks are never mixed in one plot.
    let mut kinds: Vec<(u32, Network)> = Vec::new();
    for row in report.figures.iter().filter(|row| one_stream(&row.scene)) {
        let kind = (row.scene.nap_ms, row.scene.network);
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    for kind in kinds {
        let rows: Vec<&Figures> = report
            .figures
            .iter()
            .filter(|row| one_stream(&row.scene) && (row.scene.nap_ms, row.scene.network) == kind)
            .collect();
        let mut title = if kind.0 == 0 {
            "receivers that read at once".to_owned()
        } else {
            format!("receivers that rest {} ms", kind.0)
        };
        if kind.1 == Network::Veth {
            title += ", veth";
        }
        plots.extend(cost_and_delay(&rows, &title));
        plots.extend(cost_and_players(&rows, &title));
    }
    plots.extend(memory(&report.figures));
    plots.extend(targets(report));
    plots
}

/// The main plot: what a gigabyte costs, and when it comes, where most servers were measured.
fn cost_and_delay(rows: &[&Figures], kind: &str) -> Option<String> {
    let counts = |players: u32| rows.iter().filter(|row| row.scene.players() == players).count();
    let players = rows.iter().map(|row| row.scene.players()).max_by_key(|p| (counts(*p), *p))?;
    let mut series: Vec<Series> = Vec::new();
    for row in rows.iter().filter(|row| row.scene.players() == players) {
        let (Some(cpu), Some(p99)) = (row.cpu, row.video[1]) else { continue };
        // The same load may have been put on it for different lengths of time.
        if series.iter().all(|series| series.name != row.subject) {
            series.push(Series {
                name: row.subject.clone(),
                colour: colour(&row.subject),
                joined: false,
                points: vec![(p99.median, cpu.median)],
            });
        }
    }
    let axis = |name: &str| Axis { name: name.to_owned(), scale: Scale::Log };
    let title = format!("CPU against delay, {players} players, {kind}");
    let (x, y) = (axis("video delay p99, ms"), axis("CPU s per GB"));
    (!series.is_empty()).then(|| plot(&title, &x, &y, &series))
}

/// What a gigabyte costs with more and more players.
fn cost_and_players(rows: &[&Figures], kind: &str) -> Option<String> {
    let mut series: Vec<Series> = Vec::new();
    for row in rows {
        let Some(cpu) = row.cpu else { continue };
        let point = (f64::from(row.scene.players()), cpu.median);
        match series.iter_mut().find(|series| series.name == row.subject) {
            Some(series) => series.points.push(point),
            None => series.push(Series {
                name: row.subject.clone(),
                colour: colour(&row.subject),
                joined: true,
                points: vec![point],
            }),
        }
    }
    series.retain(|series| series.points.len() > 1);
    let axis = |name: &str| Axis { name: name.to_owned(), scale: Scale::Log };
    let title = format!("CPU against players, {kind}");
    (!series.is_empty()).then(|| plot(&title, &axis("players"), &axis("CPU s per GB"), &series))
}

/// What a viewer costs of memory.
fn memory(figures: &[Figures]) -> Option<String> {
    let limit = TARGETS.iter().find_map(|target| match target.test {
        Test::PerViewer { at_most, .. } => Some(at_most / 1e3),
        _ => None,
    })?;
    let rows: Vec<Range> = figures
        .iter()
        .filter_map(|row| {
            let spread = row.per_viewer?;
            let values = [spread.lowest, spread.median, spread.highest].map(|bytes| bytes / 1e3);
            Some(Range { heading: String::new(), name: row.subject.clone(), values, limit })
        })
        .collect();
    (!rows.is_empty()).then(|| ranges("Memory per added viewer", "KB", &rows))
}

/// Each ratio with its spread and its target.
fn targets(report: &Report<'_>) -> Option<String> {
    let limit = |what: &str, against: &str| {
        TARGETS.iter().find_map(|target| match target.test {
            Test::Ratio { at_most, .. } if target.what == what && target.against == against => {
                Some(at_most)
            }
            _ => None,
        })
    };
    let rows: Vec<Range> = report
        .lines
        .iter()
        .filter_map(|line| {
            let (spread, limit) = (line.spread?, limit(line.what, &line.against)?);
            let values = [spread.lowest, spread.median, spread.highest];
            let (heading, name) = (line.what.to_owned(), line.against.clone());
            Some(Range { heading, name, values, limit })
        })
        .collect();
    let title = "Ratios: lowest, median, highest; the bar is the most that is wanted";
    (!rows.is_empty()).then(|| ranges(title, "x", &rows))
}

/// One colour for each program.
fn colour(subject: &str) -> usize {
    let family = find(subject).map(|subject| subject.family);
    Family::ALL.iter().position(|known| Some(*known) == family).unwrap_or(0)
}

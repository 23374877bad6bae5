//! One page that lays runs over one another, and single plots as SVG.
//!
//! The page stands alone: no network, no script of others, styles and script inline, and a policy
//! in its head that forbids everything else. It is drawn here; its script (`page.js`) only shows
//! values under the pointer, and without it nothing is missing.

mod axis;
mod escape;
mod moments;
mod parts;
mod percentiles;
mod plot;

use super::{Report, tables};
use crate::account::times::Time;
use axis::Scale;
use escape::escape;
use std::fmt::Write as _;

const PAGE_STYLE: &str = include_str!("page.css");
const PLOT_STYLE: &str = include_str!("plot.css");
const SCRIPT: &str = include_str!("page.js");
/// Nothing is loaded from anywhere.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// Characters of a title that a plot has room for beside its note.
const SVG_TITLE_MAX: usize = 30;

/// The page of several runs, or of one.
pub fn page(reports: &[Report]) -> String {
    let mut html = String::with_capacity(1 << 18);
    let titles: Vec<&str> = reports.iter().map(|report| report.title.as_str()).collect();
    let title = match titles.as_slice() {
        [] => "no runs".to_owned(),
        [title] => escape(title),
        several => format!("{} runs", several.len()),
    };
    let _ = write!(
        html,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\"/>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\
         <meta name=\"color-scheme\" content=\"light dark\"/>\
         <title>{title} – loadtest</title><style>{PLOT_STYLE}{PAGE_STYLE}{}</style></head><body>",
        switches(reports.len()),
    );
    // Before everything that they switch, so that the style sheet can do it.
    for run in 0..reports.len() {
        let letter = tables::letter(run);
        let _ = write!(
            html,
            "<input type=\"checkbox\" class=\"switch\" id=\"run{run}\" checked=\"\" \
             aria-label=\"show run {letter}\"/>"
        );
    }
    html.push_str("<main><header><h1>Load test</h1></header>");
    html.push_str(&parts::runs(reports));
    html.push_str(&parts::legend(reports));
    html.push_str(&parts::comparison(reports));
    html.push_str(&percentile_plots(reports));
    let plots = moments::plots(reports);
    if !plots.is_empty() {
        html.push_str("<section><h2>Over time, s</h2><div class=\"plots\">");
        plots.iter().for_each(|plot| html.push_str(&plot.svg("plot", "")));
        html.push_str("</div></section>");
    }
    for (heading, table) in [
        ("Steps", tables::steps(reports)),
        ("What they cost", tables::costs(reports)),
        (
            "From asking for a connection to the first frame",
            tables::times(reports, &tables::JOIN_TIMES),
        ),
        (
            "From the scheduled send to the arrival at a player",
            tables::times(reports, &tables::DELAY_TIMES),
        ),
        ("The generator itself", tables::times(reports, &tables::OWN_TIMES)),
        ("Frames", tables::frames(reports)),
        ("Connections that were not ended from here", tables::ends(reports)),
    ] {
        html.push_str(&parts::section(heading, &table));
    }
    let _ = writeln!(
        html,
        "</main><div id=\"tip\" hidden=\"\"></div><script>{SCRIPT}</script></body></html>"
    );
    html
}

/// The percentile plot of one run as an SVG that stands alone, such as for a README. Of a run that
/// has nothing of it, a plot without a line.
pub fn svg(report: &Report, time: Time) -> String {
    let plot = percentiles::plot(std::slice::from_ref(report), time, Scale::Linear);
    let mut plot = plot.unwrap_or_else(|| plot::Plot {
        title: format!("{}, ms", tables::called(time)),
        note: "nothing was measured".to_owned(),
        x: axis::Axis::nines(3.0),
        x_unit: "percentile",
        y: axis::Axis::of(Scale::Linear, std::iter::empty()),
        marks: Vec::new(),
        lines: Vec::new(),
    });
    if !report.title.is_empty() {
        plot.note = match plot.lines.is_empty() {
            true => format!("{}: nothing was measured", tables::called(time)),
            false => format!("{}, ms, by percentile", tables::called(time)),
        };
        // Longer ones would run into the note.
        plot.title = report.title.chars().take(SVG_TITLE_MAX).collect();
        if plot.title != report.title {
            plot.title.push('…');
        }
    }
    plot.svg("plot", PLOT_STYLE)
}

fn percentile_plots(reports: &[Report]) -> String {
    let mut plots = String::new();
    for time in percentiles::PLOTTED {
        for (class, scale) in [("plot lin", Scale::Linear), ("plot log", Scale::Logarithmic)] {
            if let Some(plot) = percentiles::plot(reports, time, scale) {
                plots.push_str(&plot.svg(class, ""));
            }
        }
    }
    if plots.is_empty() {
        return plots;
    }
    format!(
        "<section><h2>Percentiles</h2><input type=\"checkbox\" id=\"log\"/>\
         <label for=\"log\">logarithmic</label><div class=\"plots\">{plots}</div></section>"
    )
}

/// What hides a run: its lines are gone, its words are faint.
fn switches(runs: usize) -> String {
    (0..runs).fold(String::new(), |mut css, run| {
        let _ = write!(
            css,
            "#run{run}:not(:checked)~main .r{run}{{display:none}}\
             #run{run}:not(:checked)~main .k{run}{{opacity:.35}}\
             #run{run}:focus-visible~main label.k{run}{{outline:2px solid}}"
        );
        css
    })
}

#[cfg(test)]
mod tests;

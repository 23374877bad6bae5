//! A plot as SVG: axes, a grid, and lines that belong to runs. What is plotted is decided in
//! [`percentiles`](super::percentiles) and [`moments`](super::moments).
//!
//! ```text
//!   title                         MARGIN.top
//!   label ┌──────────────────┐
//!         │                  │    HEIGHT - margins
//!         └──────────────────┘
//!           tick labels           MARGIN.bottom
//! ```
//!
//! Colours are classes, `c0` to `c7`, given by the page's style sheet or the SVG's own. Each line
//! holds its values as text too, for whoever hovers over it.

use super::axis::Axis;
use super::escape::escape;
use std::fmt::Write as _;

/// Width of all plots in their own units, in which text is 12 high.
pub const WIDTH: f64 = 440.0;
/// Height.
pub const HEIGHT: f64 = 250.0;
/// What the labels need on the left.
const LEFT: f64 = 46.0;
/// Half of the last tick's label.
const RIGHT: f64 = 16.0;
/// The title and the unit.
const TOP: f64 = 34.0;
/// The ticks' labels.
const BOTTOM: f64 = 26.0;
/// Colours; runs beyond them have dashes.
pub const COLOURS: usize = 8;

/// A line.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// Which run, from 0.
    pub run: usize,
    /// What hovering calls it.
    pub name: String,
    /// Thin: the lesser of two lines of a run.
    pub thin: bool,
    /// A dot at its end.
    pub dot: bool,
    /// Places on both axes; `None` where the line is broken.
    pub points: Vec<Option<(f64, f64)>>,
}

/// A plot.
#[derive(Clone, Debug)]
pub struct Plot {
    /// What it shows, with the unit.
    pub title: String,
    /// To the right.
    pub x: Axis,
    /// What hovering writes behind the value on the x axis: a unit, or `percentile`.
    pub x_unit: &'static str,
    /// Upwards.
    pub y: Axis,
    /// A smaller text beneath the title.
    pub note: String,
    /// Values on the x axis at which something begins.
    pub marks: Vec<f64>,
    /// Lines.
    pub lines: Vec<Line>,
}

impl Plot {
    /// As an SVG element with these classes; `style` is put into it if it is to stand alone.
    pub fn svg(&self, classes: &str, style: &str) -> String {
        let mut svg = String::new();
        self.write(&mut svg, classes, style).expect("a string takes every text");
        svg
    }

    fn write(&self, svg: &mut String, classes: &str, style: &str) -> std::fmt::Result {
        let title = escape(&self.title);
        write!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"{classes}\" role=\"img\" \
             aria-label=\"{title}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" data-unit=\"{}\">",
            self.x_unit
        )?;
        if !style.is_empty() {
            write!(svg, "<style>{style}</style>")?;
            write!(svg, "<rect class=\"back\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"6\"/>")?;
        }
        write!(svg, "<text class=\"title\" x=\"8\" y=\"15\">{title}</text>")?;
        if !self.note.is_empty() {
            let (note, x) = (escape(&self.note), WIDTH - RIGHT);
            write!(
                svg,
                "<text class=\"note\" x=\"{x}\" y=\"15\" text-anchor=\"end\">{note}</text>"
            )?;
        }
        self.grid(svg)?;
        self.lines.iter().try_for_each(|line| self.line(svg, line))?;
        svg.push_str("</svg>");
        Ok(())
    }

    fn grid(&self, svg: &mut String) -> std::fmt::Result {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        svg.push_str("<g class=\"grid\">");
        for (value, label) in &self.y.ticks {
            let y = y_of(self.y.place(*value));
            write!(svg, "<path d=\"M{LEFT} {y:.1}H{right}\"/>")?;
            let (x, y) = (LEFT - 6.0, y + 4.0);
            write!(svg, "<text x=\"{x}\" y=\"{y:.1}\" text-anchor=\"end\">{label}</text>")?;
        }
        let mut free_from = 0.0;
        for (value, label) in &self.x.ticks {
            let x = x_of(self.x.place(*value));
            write!(svg, "<path d=\"M{x:.1} {TOP}V{bottom}\"/>")?;
            // About as wide as digits are; a label that would touch the last one is left out.
            let half = label.chars().count() as f64 * 3.3 + 2.0;
            if x - half >= free_from && x + half <= WIDTH {
                let y = bottom + 16.0;
                write!(svg, "<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{label}</text>")?;
                free_from = x + half;
            }
        }
        for mark in &self.marks {
            let x = x_of(self.x.place(*mark));
            write!(svg, "<path class=\"mark\" d=\"M{x:.1} {TOP}V{bottom}\"/>")?;
        }
        svg.push_str("</g>");
        Ok(())
    }

    fn line(&self, svg: &mut String, line: &Line) -> std::fmt::Result {
        let places = |(x, y): (f64, f64)| (x_of(self.x.place(x)), y_of(self.y.place(y)));
        let (mut path, mut values) = (String::new(), String::new());
        let mut broken = true;
        for point in &line.points {
            let Some((x, y)) = point.map(places) else {
                broken = true;
                continue;
            };
            write!(path, "{}{x:.1} {y:.1}", if broken { 'M' } else { 'L' })?;
            let comma = if values.is_empty() { "" } else { "," };
            let (x_value, y_value) = point.unwrap_or_default();
            write!(values, "{comma}{} {}", short(x_value), short(y_value))?;
            broken = false;
        }
        if path.is_empty() {
            return Ok(());
        }
        let (run, colour, dash) =
            (line.run, line.run % COLOURS, ["", " dash"][usize::from(line.run >= COLOURS)]);
        let thin = if line.thin { " thin" } else { "" };
        let name = escape(&line.name);
        write!(
            svg,
            "<g class=\"line r{run} c{colour}{dash}{thin}\" data-name=\"{name}\" \
             data-values=\"{values}\"><path d=\"{path}\"/>"
        )?;
        let last = line.points.iter().rev().flatten().next().filter(|_| line.dot);
        if let Some((x, y)) = last.copied().map(places) {
            write!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.2\"/>")?;
        }
        svg.push_str("</g>");
        Ok(())
    }
}

fn x_of(place: f64) -> f64 {
    LEFT + place * (WIDTH - LEFT - RIGHT)
}

fn y_of(place: f64) -> f64 {
    TOP + (1.0 - place) * (HEIGHT - TOP - BOTTOM)
}

/// Enough digits to be read.
fn short(value: f64) -> String {
    let value = if value.is_finite() { value } else { 0.0 };
    let decimals = match value.abs() {
        value if value >= 1000.0 => 0,
        value if value >= 10.0 => 1,
        value if value >= 1.0 => 2,
        _ => 4,
    };
    let text = format!("{value:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

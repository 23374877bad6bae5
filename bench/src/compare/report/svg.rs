//! Plots as SVG: points, lines and ranges on two axes. What they show is known elsewhere.

use super::labels::{Area, place};
use std::fmt::Write as _;

/// The drawing, in its own units; pages scale it.
const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
/// Room for numbers and names around the axes.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 46.0;
/// One row of a plot of ranges.
const ROW: f64 = 26.0;
/// Room for the names of its rows, and for their numbers at the other end.
const NAMES: f64 = 245.0;
const NUMBERS: f64 = 110.0;

/// How values lie on an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// From nothing, evenly.
    Linear,
    /// By factors.
    Log,
}

/// An axis.
#[derive(Clone, Debug)]
pub struct Axis {
    /// What it is of, with the unit.
    pub name: String,
    /// How.
    pub scale: Scale,
}

/// Points that belong together.
#[derive(Clone, Debug)]
pub struct Series {
    /// Their name.
    pub name: String,
    /// A number that chooses the colour.
    pub colour: usize,
    /// Whether lines lead from one to the next.
    pub joined: bool,
    /// Where they are.
    pub points: Vec<(f64, f64)>,
}

/// A row of a plot of ranges: a name, lowest, middle, highest, and up to where it is good.
#[derive(Clone, Debug)]
pub struct Range {
    /// What it and its neighbours of the same heading are about; nothing if there is but one subject.
    pub heading: String,
    /// Its name.
    pub name: String,
    /// Lowest, middle, highest.
    pub values: [f64; 3],
    /// What it may be at most.
    pub limit: f64,
}

/// Colours that can be told apart by people who do not see all of them, too (Okabe and Ito).
const COLOURS: [&str; 8] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#666666", "#000000"];

/// The colour of a number.
pub fn colour(number: usize) -> &'static str {
    COLOURS[number % COLOURS.len()]
}

/// Series on two axes.
pub fn plot(title: &str, x: &Axis, y: &Axis, series: &[Series]) -> String {
    let points = || series.iter().flat_map(|series| &series.points);
    let (to_x, to_y) = (x.span(points().map(|p| p.0)), y.span(points().map(|p| p.1)));
    let at_x = |value: f64| LEFT + to_x.share(value) * (WIDTH - LEFT - RIGHT);
    let at_y = |value: f64| HEIGHT - BOTTOM - to_y.share(value) * (HEIGHT - TOP - BOTTOM);
    let mut svg = begin(title, HEIGHT);
    let floor = HEIGHT - BOTTOM;
    for tick in to_x.ticks() {
        let at = at_x(tick);
        line(&mut svg, "grid", [at, TOP, at, floor]);
        text(&mut svg, "middle", [at, floor + 16.0], &label(tick));
    }
    for tick in to_y.ticks() {
        let at = at_y(tick);
        line(&mut svg, "grid", [LEFT, at, WIDTH - RIGHT, at]);
        text(&mut svg, "end", [LEFT - 6.0, at + 4.0], &label(tick));
    }
    text(&mut svg, "end", [WIDTH - RIGHT, HEIGHT - 10.0], &x.name);
    text(&mut svg, "start", [8.0, 28.0], &y.name);
    for series in series {
        let colour = colour(series.colour);
        let at: Vec<(f64, f64)> =
            series.points.iter().map(|point| (at_x(point.0), at_y(point.1))).collect();
        if series.joined {
            let path: Vec<String> = at.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            let path = path.join(" ");
            let _ = write!(svg, "<polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\"/>");
        }
        for (x, y) in &at {
            let name = escape(&series.name);
            let _ = write!(
                svg,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\"><title>{name}\
                 </title></circle>"
            );
        }
    }
    // Last of all, so that no line lies on a name.
    let at = |point: &(f64, f64)| (at_x(point.0), at_y(point.1));
    let lines = series.iter().filter(|series| series.joined).flat_map(|series| {
        series.points.windows(2).flat_map(|pair| between(at(&pair[0]), at(&pair[1])))
    });
    let marks: Vec<(f64, f64)> = points().map(at).chain(lines).collect();
    let ends: Vec<(&Series, (f64, f64))> =
        series.iter().filter_map(|series| Some((series, at(series.points.last()?)))).collect();
    let names: Vec<(&str, (f64, f64))> =
        ends.iter().map(|(series, at)| (series.name.as_str(), *at)).collect();
    let room = Area { left: LEFT, top: TOP, right: WIDTH - 4.0, bottom: floor };
    for ((series, (x, y)), label) in ends.iter().zip(place(&names, &marks, room)) {
        if let Some((to_x, to_y)) = label.line {
            line(&mut svg, "to", [*x, *y, to_x, to_y]);
        }
        let anchor = if label.ends { "end" } else { "start" };
        text(&mut svg, anchor, [label.at.0, label.at.1 + 4.0], &series.name);
    }
    svg + "</svg>"
}

/// Points along a line, near enough to each other that no name fits between them.
fn between(from: (f64, f64), to: (f64, f64)) -> impl Iterator<Item = (f64, f64)> {
    let (wide, high) = (to.0 - from.0, to.1 - from.1);
    let steps = (wide.hypot(high) / 10.0).ceil().clamp(1.0, 100.0) as u32;
    (1..steps).map(move |step| {
        let share = f64::from(step) / f64::from(steps);
        (from.0 + wide * share, from.1 + high * share)
    })
}

/// Ranges below one another, each with its limit, under their headings.
pub fn ranges(title: &str, unit: &str, rows: &[Range]) -> String {
    let begins = |at: usize| {
        let heading = rows[at].heading.as_str();
        !heading.is_empty() && (at == 0 || rows[at - 1].heading != heading)
    };
    let headings = (0..rows.len()).filter(|at| begins(*at)).count();
    let height = TOP + BOTTOM + ROW * (rows.len() + headings) as f64;
    let axis = Axis { name: unit.to_owned(), scale: Scale::Linear };
    let span = axis.span(rows.iter().flat_map(|row| [row.values[2], row.limit]));
    let right = WIDTH - NUMBERS;
    let at_x = |value: f64| NAMES + span.share(value) * (right - NAMES);
    let mut svg = begin(title, height);
    for tick in span.ticks() {
        line(&mut svg, "grid", [at_x(tick), TOP, at_x(tick), height - BOTTOM]);
        text(&mut svg, "middle", [at_x(tick), height - BOTTOM + 16.0], &label(tick));
    }
    text(&mut svg, "end", [right, height - 10.0], unit);
    let mut y = TOP - ROW / 2.0;
    for (at, row) in rows.iter().enumerate() {
        if begins(at) {
            y += ROW;
            heading(&mut svg, [8.0, y + 8.0], &row.heading);
        }
        y += ROW;
        let [low, middle, high] = row.values.map(at_x);
        text(&mut svg, "end", [NAMES - 12.0, y + 4.0], &row.name);
        let limit = at_x(row.limit);
        line(&mut svg, "limit", [limit, y - ROW / 2.5, limit, y + ROW / 2.5]);
        let colour = colour(if row.values[1] <= row.limit { 2 } else { 1 });
        let _ = write!(
            svg,
            "<line x1=\"{low:.1}\" y1=\"{y:.1}\" x2=\"{high:.1}\" y2=\"{y:.1}\" stroke=\"{colour}\" \
             stroke-width=\"3\"/><circle cx=\"{middle:.1}\" cy=\"{y:.1}\" r=\"5\" fill=\"{colour}\"/>"
        );
        let found = format!("{:.2} of {}", row.values[1], label(row.limit));
        text(&mut svg, "start", [right + 14.0, y + 4.0], &found);
    }
    svg + "</svg>"
}

/// From the lowest to the highest value of an axis.
struct Span {
    low: f64,
    high: f64,
    scale: Scale,
}

impl Axis {
    fn span(&self, values: impl Iterator<Item = f64>) -> Span {
        let (low, high) = values
            .filter(|value| value.is_finite() && *value > 0.0)
            .fold((f64::INFINITY, 0.0_f64), |(low, high), v| (low.min(v), high.max(v)));
        if high <= 0.0 {
            return Span { low: 0.0, high: 1.0, scale: Scale::Linear };
        }
        match self.scale {
            Scale::Linear => Span { low: 0.0, high: high * 1.08, scale: Scale::Linear },
            Scale::Log => Span { low: low / 1.3, high: high * 1.3, scale: Scale::Log },
        }
    }
}

impl Span {
    /// Where a value lies, from 0 to 1.
    fn share(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Log => (value / self.low).ln() / (self.high / self.low).ln(),
        };
        if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }
    }

    /// Round numbers within it: 1, 2 and 5 times powers of ten.
    fn ticks(&self) -> Vec<f64> {
        let round = |power: i32| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(power));
        let powers = -4..7;
        match self.scale {
            Scale::Log => {
                let all = powers.flat_map(round);
                all.filter(|tick| (self.low..=self.high).contains(tick)).collect()
            }
            Scale::Linear => {
                let steps = powers.flat_map(round);
                let mut steps = steps.filter(|step| self.high / step <= 7.0);
                let step = steps.next().unwrap_or(self.high);
                (0..=(self.high / step) as u32).map(|at| f64::from(at) * step).collect()
            }
        }
    }
}

fn begin(title: &str, height: f64) -> String {
    let title = escape(title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"{title}\"><text x=\"8\" y=\"14\" class=\"title\">{title}</text>"
    )
}

fn line(svg: &mut String, class: &str, [x1, y1, x2, y2]: [f64; 4]) {
    let _ = write!(
        svg,
        "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
    );
}

fn text(svg: &mut String, anchor: &str, [x, y]: [f64; 2], text: &str) {
    let text = escape(text);
    let _ = write!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>");
}

/// The name of several rows, on a ground of its own so that the grid does not cross it.
fn heading(svg: &mut String, [x, y]: [f64; 2], text: &str) {
    let text = escape(text);
    let _ = write!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"heading\">{text}</text>");
}

/// A number at an axis, without needless decimals.
fn label(value: f64) -> String {
    format!("{}", (value * 1e4).round() / 1e4)
}

/// Text as it may stand in a document.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether every element that is opened is closed, in order, and every number is one.
    pub fn is_well_formed(svg: &str) -> bool {
        let mut open: Vec<&str> = Vec::new();
        let mut rest = svg;
        while let Some(at) = rest.find('<') {
            let Some(end) = rest[at..].find('>').map(|end| at + end) else { return false };
            let tag = &rest[at + 1..end];
            let name = |tag: &'_ str| tag.find([' ', '/']).unwrap_or(tag.len());
            if let Some(closed) = tag.strip_prefix('/') {
                if open.pop() != Some(closed) {
                    return false;
                }
            } else if !tag.ends_with('/') {
                open.push(&tag[..name(tag)]);
            }
            if !tag.matches('"').count().is_multiple_of(2) {
                return false;
            }
            rest = &rest[end + 1..];
        }
        open.is_empty() && !svg.contains("NaN") && !svg.contains("inf")
    }

    fn axis(scale: Scale) -> Axis {
        Axis { name: "x <ms> & \"more\"".to_owned(), scale }
    }

    #[test]
    fn plots_are_well_formed_whatever_they_show() {
        let series = |points: &[(f64, f64)]| Series {
            name: "a < b & \"c\"".to_owned(),
            colour: 9,
            joined: true,
            points: points.to_vec(),
        };
        for points in [&[][..], &[(0.0, 0.0)], &[(5.0, 5.0)], &[(1.0, 1e-3), (1e5, 300.0)]] {
            for scale in [Scale::Linear, Scale::Log] {
                let svg = plot("a < b", &axis(scale), &axis(scale), &[series(points)]);
                assert!(is_well_formed(&svg), "{svg}");
                assert_eq!(svg.matches("<circle").count(), points.len());
            }
        }
        let heading = "c < d".to_owned();
        let range =
            Range { heading, name: "a & b".to_owned(), values: [0.9, 1.0, 1.3], limit: 1.1 };
        let svg = ranges("ratios", "x", &[range.clone(), range.clone()]);
        assert_eq!(svg.matches("c &lt; d").count(), 1, "a heading stands above its rows, once");
        for rows in [vec![], vec![range.clone()], vec![range; 9]] {
            let svg = ranges("ratios", "x", &rows);
            assert!(is_well_formed(&svg), "{svg}");
        }
        assert!(!is_well_formed("<svg><text></svg>") && !is_well_formed("<svg a=\"></svg>"));
    }

    #[test]
    fn ticks_are_round_and_within() {
        let span = axis(Scale::Linear).span([16_000.0, 3.0].into_iter());
        assert_eq!(span.ticks(), [0.0, 5000.0, 10_000.0, 15_000.0]);
        let span = axis(Scale::Log).span([3.0, 60.0].into_iter());
        assert_eq!(span.ticks(), [5.0, 10.0, 20.0, 50.0]);
        assert!(span.share(3.0) > 0.0 && span.share(60.0) < 1.0 && span.share(0.0) == 0.0);
        assert_eq!([5000.0, 0.2, 0.05].map(label), ["5000", "0.2", "0.05"]);
    }
}

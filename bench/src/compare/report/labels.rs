//! Where the names of points go, so that none lies on another, on a point, or outside. How they are
//! drawn is [`svg`](super::svg)'s business.

/// Width of a letter, about, and height of a line, in the plot's units: 12 px of a sans-serif.
const LETTER: f64 = 7.0;
const LINE: f64 = 13.0;
/// From a point to its name, and the room that a point itself takes.
const ASIDE: f64 = 7.0;
const POINT: f64 = 5.0;
/// How many lines above or below its point a name is moved, at most.
const MOVED_MAX: i32 = 12;

/// A rectangle: left, top, right, bottom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// Its left edge.
    pub left: f64,
    /// Its upper edge; y grows downwards.
    pub top: f64,
    /// Its right edge.
    pub right: f64,
    /// Its lower edge.
    pub bottom: f64,
}

impl Area {
    fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    fn holds(&self, other: &Self) -> bool {
        self.left <= other.left
            && other.right <= self.right
            && self.top <= other.top
            && other.bottom <= self.bottom
    }

    /// What a mark at this point takes.
    fn point((x, y): (f64, f64)) -> Self {
        Self { left: x - POINT, top: y - POINT, right: x + POINT, bottom: y + POINT }
    }

    /// What a text takes that begins here, with the middle of its letters at this height.
    fn text((x, y): (f64, f64), width: f64) -> Self {
        Self { left: x, top: y - LINE / 2.0, right: x + width, bottom: y + LINE / 2.0 }
    }
}

/// Where a name was put.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Label {
    /// The end of the text that is nearer to its point, and the middle of its letters.
    pub at: (f64, f64),
    /// Whether the text ends there, and does not begin.
    pub ends: bool,
    /// The end of a line to it from its point, if it is too far away to be known without.
    pub line: Option<(f64, f64)>,
}

/// Finds a place for each name beside its point. `marks` are all points, which are kept free.
pub fn place(names: &[(&str, (f64, f64))], marks: &[(f64, f64)], room: Area) -> Vec<Label> {
    let mut taken: Vec<Area> = marks.iter().map(|mark| Area::point(*mark)).collect();
    // From the top down, so that those that must make room do so in the order of their points.
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by(|one, other| names[*one].1.1.total_cmp(&names[*other].1.1));
    let mut labels = vec![Label { at: (0.0, 0.0), ends: false, line: None }; names.len()];
    for index in order {
        let (name, point) = names[index];
        let width = LETTER * name.chars().count() as f64;
        let free = |at: &(f64, f64)| {
            let area = Area::text(*at, width);
            room.holds(&area) && !taken.iter().any(|other| area.overlaps(other))
        };
        let mut places = places(point, width);
        // Where nothing is free, names overlap rather than go missing.
        let at = places.find(free).unwrap_or((point.0 + ASIDE, point.1));
        taken.push(Area::text(at, width));
        let far = (at.1 - point.1).abs() > 1.5 * LINE;
        let ends = at.0 < point.0;
        let near = if ends { at.0 + width } else { at.0 };
        labels[index] = Label { at: (near, at.1), ends, line: far.then_some((near, at.1)) };
    }
    labels
}

/// Beginnings of a text of this width to try, the best first: right of the point, left of it, then further and further up and
/// down.
fn places(point: (f64, f64), width: f64) -> impl Iterator<Item = (f64, f64)> {
    let moves = (0..=2 * MOVED_MAX).map(|step| match step % 2 {
        0 => f64::from(step / 2),
        _ => -f64::from(step / 2 + 1),
    });
    moves.flat_map(move |lines| {
        // A name that is moved stands a little off, so that its line is seen.
        let aside = if lines.abs() > 1.0 { ASIDE * 2.0 } else { ASIDE };
        [point.0 + aside, point.0 - aside - width].map(|x| (x, point.1 + lines * LINE))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Area = Area { left: 0.0, top: 0.0, right: 700.0, bottom: 400.0 };

    fn areas(names: &[(&str, (f64, f64))], labels: &[Label]) -> Vec<Area> {
        let width = |name: &str| LETTER * name.len() as f64;
        names
            .iter()
            .zip(labels)
            .map(|((name, _), label)| {
                let (x, y) = label.at;
                Area::text((if label.ends { x - width(name) } else { x }, y), width(name))
            })
            .collect()
    }

    #[test]
    fn names_of_points_that_lie_together_keep_apart() {
        let names: Vec<(&str, (f64, f64))> =
            (0..9).map(|at| ("a-server-100ms", (350.0 + f64::from(at) * 3.0, 200.0))).collect();
        let marks: Vec<(f64, f64)> = names.iter().map(|(_, at)| *at).collect();
        let areas = areas(&names, &place(&names, &marks, ROOM));
        for (at, area) in areas.iter().enumerate() {
            assert!(ROOM.holds(area), "{area:?}");
            assert!(areas[at + 1..].iter().all(|other| !area.overlaps(other)), "{areas:?}");
            assert!(marks.iter().all(|mark| !area.overlaps(&Area::point(*mark))), "{areas:?}");
        }
    }

    #[test]
    fn a_lonely_name_stands_right_of_its_point_or_left_at_the_edge() {
        let label = place(&[("name", (100.0, 50.0))], &[(100.0, 50.0)], ROOM)[0];
        assert_eq!(label, Label { at: (100.0 + ASIDE, 50.0), ends: false, line: None });
        let label = place(&[("name", (695.0, 50.0))], &[(695.0, 50.0)], ROOM)[0];
        assert_eq!(label, Label { at: (695.0 - ASIDE, 50.0), ends: true, line: None });
    }

    #[test]
    fn without_room_names_are_shown_all_the_same() {
        let small = Area { left: 0.0, top: 0.0, right: 5.0, bottom: 5.0 };
        assert_eq!(place(&[("name", (2.0, 2.0)); 3], &[], small).len(), 3);
        assert!(place(&[], &[], small).is_empty());
    }
}

//! A flame graph: one row of boxes per depth of the stacks, each as wide as its share of the
//! samples. Plain SVG without a script; a box says what it is when it is pointed at.

use super::stacks::{Frame, Stack};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Pixels.
const WIDTH: f64 = 1600.0;
const ROW: f64 = 17.0;
const MARGIN: f64 = 10.0;
const HEAD: f64 = 46.0;
/// Of a letter, about.
const LETTER: f64 = 6.6;
/// Boxes with a smaller share of the samples are left out: nobody could point at them.
const SHARE_MIN: f64 = 0.002;

/// A function, called by the same callers.
#[derive(Default)]
struct Node {
    samples: u64,
    calls: BTreeMap<Frame, Node>,
}

impl Node {
    fn add(&mut self, stack: &[Frame]) {
        self.samples += 1;
        if let Some((frame, rest)) = stack.split_first() {
            self.calls.entry(frame.clone()).or_default().add(rest);
        }
    }

    /// Rows of boxes above this one that are wide enough to be drawn.
    fn depth(&self, fewest: f64) -> usize {
        let drawn = self.calls.values().filter(|node| node.samples as f64 >= fewest);
        drawn.map(|node| 1 + node.depth(fewest)).max().unwrap_or(0)
    }
}

/// Draws stacks. What called stands below what it called.
pub fn draw(stacks: &[Stack], title: &str) -> String {
    let mut root = Node::default();
    stacks.iter().for_each(|stack| root.add(stack));
    let total = root.samples.max(1) as f64;
    let rows = root.depth(total * SHARE_MIN);
    let height = HEAD + ROW * rows as f64 + MARGIN;
    let mut canvas = Canvas {
        out: String::new(),
        total,
        bottom: height - MARGIN,
        scale: (WIDTH - 2.0 * MARGIN) / total,
    };
    canvas.head(height, title, root.samples);
    canvas.row(&root, MARGIN, 1);
    canvas.out.push_str("</svg>\n");
    canvas.out
}

struct Canvas {
    out: String,
    total: f64,
    bottom: f64,
    /// Pixels of a sample.
    scale: f64,
}

impl Canvas {
    fn head(&mut self, height: f64, title: &str, samples: u64) {
        self.put(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
             viewBox=\"0 0 {WIDTH} {height}\" font-family=\"monospace\" font-size=\"11\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#fdfdfb\"/>\n\
             <text x=\"{MARGIN}\" y=\"18\" font-size=\"14\">{}</text>\n\
             <text x=\"{MARGIN}\" y=\"34\" fill=\"#555\">{samples} samples; warm: the program, \
             blue: the kernel; under {} % left out</text>\n",
            escape(title),
            SHARE_MIN * 100.0
        ));
    }

    /// The boxes of what `node` calls, from `x` on, in the row of that depth.
    fn row(&mut self, node: &Node, mut x: f64, depth: usize) {
        for (frame, called) in &node.calls {
            let width = called.samples as f64 * self.scale;
            if called.samples as f64 >= self.total * SHARE_MIN {
                self.bar(frame, called.samples, (x, width), depth);
                self.row(called, x, depth + 1);
            }
            x += width;
        }
    }

    fn bar(&mut self, frame: &Frame, samples: u64, (x, width): (f64, f64), depth: usize) {
        let y = self.bottom - ROW * depth as f64;
        let share = 100.0 * samples as f64 / self.total;
        let name = escape(&frame.name);
        let fill = colour(frame);
        self.put(format_args!(
            "<g><title>{name}: {share:.1} %, {samples} samples</title>\
             <rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"1\" fill=\"{fill}\"/>",
            (width - 0.4).max(0.4),
            ROW - 1.0,
        ));
        let letters = ((width - 6.0) / LETTER) as usize;
        if letters >= 3 {
            let label = escape(&shorten(&frame.name, letters));
            self.put(format_args!(
                "<text x=\"{:.1}\" y=\"{:.1}\">{label}</text>",
                x + 3.0,
                y + 12.0
            ));
        }
        self.out.push_str("</g>\n");
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        self.out.write_fmt(text).expect("a string takes everything");
    }
}

/// The same for a function in every drawing, and a little different from its neighbours'.
fn colour(frame: &Frame) -> String {
    let sum = frame
        .name
        .bytes()
        .fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    let (tone, light) = (sum % 24, 66 + sum / 24 % 12);
    let hue = if frame.kernel { 200 + tone } else { 18 + tone };
    format!("hsl({hue},70%,{light}%)")
}

/// The end of a name says more than its beginning, where modules stand.
fn shorten(name: &str, letters: usize) -> String {
    let count = name.chars().count();
    if count <= letters {
        return name.to_owned();
    }
    let end: String = name.chars().skip(count - (letters - 2)).collect();
    format!("..{end}")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::stacks::{read, tests::SAMPLE};
    use super::*;

    #[test]
    fn boxes_are_as_wide_as_their_share() {
        let svg = draw(&read(SAMPLE.as_bytes()).unwrap(), "a < b");
        assert!(svg.contains("a &lt; b</text>"), "{svg}");
        assert!(svg.contains("::send: 100.0 %, 2 samples</title>"), "{svg}");
        assert!(svg.contains("<title>_copy_from_iter: 50.0 %, 1 samples</title>"), "{svg}");
        // Four rows, each box drawn once.
        assert_eq!(svg.matches("<g>").count(), 4);
        assert_eq!(svg.matches("<g>").count(), svg.matches("</g>").count());
        assert!(!svg.contains("<script"));
    }

    #[test]
    fn what_nobody_could_point_at_is_left_out() {
        let frame = |name: &str| Frame { name: name.into(), kernel: true };
        let mut stacks = vec![vec![frame("often")]; 999];
        stacks.push(vec![frame("once")]);
        let svg = draw(&stacks, "");
        assert!(svg.contains("often") && !svg.contains("once"));
        assert!(draw(&[], "nothing").ends_with("</svg>\n"));
    }

    #[test]
    fn names_keep_their_end() {
        assert_eq!(shorten("abcdef", 6), "abcdef");
        assert_eq!(shorten("abcdefg", 6), "..defg");
    }
}

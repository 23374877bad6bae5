//! Numbers and times as people read them, and text made harmless for HTML.

use std::fmt;

/// Text of unknown origin, escaped for HTML content and quoted attributes.
pub(super) struct Text<'a>(pub(super) &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // Among them the marks that turn the direction of writing around.
                c if c.is_control()
                    || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
                {
                    f.write_str("\u{fffd}")?;
                }
                c => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

/// A count with thin spaces between the thousands.
pub(super) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// Bytes with a unit of powers of 1000.
pub(super) fn bytes(value: u64) -> String {
    scaled(value, ["B", "kB", "MB", "GB", "TB", "PB", "EB"])
}

/// Bits per second with a unit.
pub(super) fn bitrate(value: u64) -> String {
    scaled(value, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s", "Pbit/s", "Ebit/s"])
}

fn scaled(value: u64, units: [&str; 7]) -> String {
    let (mut unit, mut whole, mut rest) = (0, value, 0);
    while whole >= 1000 && unit + 1 < units.len() {
        (unit, rest, whole) = (unit + 1, whole % 1000, whole / 1000);
    }
    match unit {
        0 => format!("{whole} {}", units[0]),
        _ if whole >= 100 => format!("{whole} {}", units[unit]),
        _ => format!("{whole}.{} {}", rest / 100, units[unit]),
    }
}

/// A time span by its two largest units.
pub(super) fn span(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_escaped() {
        let hostile = "<script>alert('x' & \"y\")</script>\u{202e}\u{1b}[31m";
        assert_eq!(
            Text(hostile).to_string(),
            "&lt;script&gt;alert(&#39;x&#39; &amp; &quot;y&quot;)&lt;/script&gt;\u{fffd}\u{fffd}[31m"
        );
    }

    #[test]
    fn numbers_are_short_to_read() {
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(count(12), "12");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1500), "1.5 kB");
        assert_eq!(bytes(u64::MAX), "18.4 EB");
        assert_eq!(bitrate(123_456_789), "123 Mbit/s");
        assert_eq!(span(59), "59 s");
        assert_eq!(span(3_725), "1 h 2 min");
        assert_eq!(span(200_000), "2 d 7 h");
    }
}

//! Texts with places to fill in: `{output}`, `{name}` ... An argument stays one argument, whatever is
//! filled in, for there is no shell. Which places a setting may have is decided where it is checked.

use crate::name::StreamName;
use std::fmt;

/// A place to fill in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The application of the stream that the helper runs for.
    App,
    /// Its name.
    Name,
    /// What the star of the pattern stands for.
    Star,
    /// The server's own address, `rtmp://127.0.0.1:1935`.
    Rtmp,
    /// The URL that the helper plays.
    Input,
    /// The URL that the helper publishes to, by its place in the list: 0 is the first.
    Output(usize),
}

/// A text, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Slot(Slot),
}

/// Why a text is no template. It never holds the text, which may have a secret in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateError {
    /// A `{` without its `}`, or a `}` alone.
    Brace,
    /// Nothing goes by that name.
    Unknown(String),
    /// Programs cannot be given a text with a NUL in it.
    Nul,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Brace => f.write_str("a brace stands alone; write {{ and }} for plain braces"),
            Self::Unknown(name) => write!(
                f,
                "{{{name}}} is not known; there are {{app}}, {{name}}, {{star}}, {{rtmp}}, {{input}}, \
                 {{output}}, {{output2}} to {{output9}}, and {{{{ for a plain brace"
            ),
            Self::Nul => f.write_str("it has a NUL character"),
        }
    }
}

impl std::error::Error for TemplateError {}

/// What is filled in.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    /// The stream that the helper runs for.
    pub stream: &'a StreamName,
    /// See [`Slot::Star`].
    pub star: &'a str,
    /// See [`Slot::Rtmp`].
    pub rtmp: &'a str,
    /// See [`Slot::Input`].
    pub input: &'a str,
    /// See [`Slot::Output`].
    pub outputs: &'a [String],
}

impl Template {
    /// Takes a text apart.
    ///
    /// # Errors
    /// If a brace is left over or a place is not known.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.contains('\0') {
            return Err(TemplateError::Nul);
        }
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let doubled = if rest[at..].starts_with('{') { "{{" } else { "}}" };
            if let Some(tail) = rest[at..].strip_prefix(doubled) {
                plain.push_str(&doubled[1..]);
                rest = tail;
                continue;
            }
            let inner = rest[at..].strip_prefix('{').ok_or(TemplateError::Brace)?;
            let (name, tail) = inner.split_once('}').ok_or(TemplateError::Brace)?;
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Slot(slot(name)?));
            rest = tail;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self { pieces })
    }

    /// The places that it has.
    pub fn slots(&self) -> impl Iterator<Item = Slot> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Slot(slot) => Some(*slot),
            Piece::Text(_) => None,
        })
    }

    /// The text with everything filled in.
    pub fn fill(&self, values: &Values<'_>) -> String {
        let pieces = self.pieces.iter().map(|piece| match piece {
            Piece::Text(text) => text,
            Piece::Slot(Slot::App) => values.stream.app(),
            Piece::Slot(Slot::Name) => values.stream.name(),
            Piece::Slot(Slot::Star) => values.star,
            Piece::Slot(Slot::Rtmp) => values.rtmp,
            Piece::Slot(Slot::Input) => values.input,
            Piece::Slot(Slot::Output(at)) => values.outputs.get(*at).map_or("", String::as_str),
        });
        pieces.collect()
    }
}

fn slot(name: &str) -> Result<Slot, TemplateError> {
    Ok(match name {
        "app" => Slot::App,
        "name" => Slot::Name,
        "star" => Slot::Star,
        "rtmp" => Slot::Rtmp,
        "input" => Slot::Input,
        "output" => Slot::Output(0),
        _ => match name.strip_prefix("output").map(str::as_bytes) {
            Some(&[digit @ b'2'..=b'9']) => Slot::Output(usize::from(digit - b'1')),
            // Cut: a text with a brace in it may go on for long.
            _ => return Err(TemplateError::Unknown(name.chars().take(20).collect())),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(text: &str) -> String {
        let stream = StreamName::parse("live/cam_7").unwrap();
        let outputs = ["rtmp://o1".to_owned(), "rtmp://o2".to_owned()];
        let values = Values {
            stream: &stream,
            star: "7",
            rtmp: "rtmp://127.0.0.1",
            input: "rtmp://i",
            outputs: &outputs,
        };
        Template::parse(text).unwrap().fill(&values)
    }

    #[test]
    fn places_are_filled_and_all_else_stays() {
        assert_eq!(fill("{app}/{name}:{star}"), "live/cam_7:7");
        assert_eq!(
            fill("{input} {output} {output2} {rtmp}"),
            "rtmp://i rtmp://o1 rtmp://o2 rtmp://127.0.0.1"
        );
        assert_eq!(fill("a{{b}}{{{name}}}"), "a{b}{cam_7}");
        assert_eq!(fill("; $(reboot) `x` '\" é"), "; $(reboot) `x` '\" é");
        assert_eq!(fill(""), "");
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(Template::parse("{name"), Err(TemplateError::Brace));
        assert_eq!(Template::parse("name}"), Err(TemplateError::Brace));
        assert_eq!(Template::parse("a\0"), Err(TemplateError::Nul));
        for wrong in ["{outputs}", "{output1}", "{output10}", "{NAME}", "{}"] {
            assert!(matches!(Template::parse(wrong), Err(TemplateError::Unknown(_))), "{wrong}");
        }
    }
}

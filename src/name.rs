//! The name of a stream, and the one place where text from outside becomes one.
//!
//! Whatever names a stream (an RTMP `app` and stream key, a path of the HTTP side, a key of the
//! configuration) passes [`StreamName`] before it is routed, logged, counted, shown, or made part
//! of a path or header. Nothing else may decide what a name is. Query strings are parsed off by
//! the callers; secrets are the affair of [`crate::config::Keys`].

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// Longest application name, in bytes after decoding. One directory level must hold it.
pub const APP_LEN_MAX: usize = 64;

/// Longest stream name within its application, in bytes after decoding. Together with a suffix
/// such as a date and `.flv` it stays below the 255 bytes that a file name may have.
pub const NAME_LEN_MAX: usize = 128;

/// Applications that would clash with paths of the HTTP side, compared without regard to case.
pub const RESERVED_APPS: [&str; 8] =
    ["api", "assets", "favicon.ico", "healthz", "metrics", "robots.txt", "static", "www"];

/// The name of a stream: `app/name`, each part non-empty and of `A-Z a-z 0-9 . _ ~ @ + = -`,
/// without a leading `-` or `.` and without `..`.
///
/// Cheap to clone. It is safe in a path, a log line, a header, an argument vector, HTML and a
/// metric label by construction.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamName {
    text: Arc<str>,
    /// Length of the application; `text[app_len]` is the only slash. At most [`APP_LEN_MAX`].
    app_len: u8,
}

impl StreamName {
    /// Joins an application and a stream name as they came from the wire. Each may be
    /// percent-encoded once. A slash at the end of the application is dropped: people write
    /// `rtmp://host/live/` into encoders, and all mean `live`.
    pub fn new(app: impl AsRef<[u8]>, name: impl AsRef<[u8]>) -> Result<Self, NameError> {
        let app = part(trim_end_slash(app.as_ref()), Part::App)?;
        let name = part(name.as_ref(), Part::Name)?;
        if RESERVED_APPS.iter().any(|reserved| app.eq_ignore_ascii_case(reserved)) {
            return Err(NameError::Reserved);
        }
        let app_len =
            u8::try_from(app.len()).expect("a checked application has at most 64 characters");
        Ok(StreamName { text: format!("{app}/{name}").into(), app_len })
    }

    /// Parses `app/name`, percent-encoded at most once, as it stands in a path or in the
    /// configuration. An encoded slash (`%2f`) does not separate.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, NameError> {
        let text = text.as_ref();
        let slash = text.iter().position(|&byte| byte == b'/').ok_or(NameError::NoApplication)?;
        let (app, name) = text.split_at(slash);
        Self::new(app, &name[1..])
    }

    /// The whole name, `app/name`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The application.
    pub fn app(&self) -> &str {
        &self.text[..usize::from(self.app_len)]
    }

    /// The name within the application.
    pub fn name(&self) -> &str {
        &self.text[usize::from(self.app_len) + 1..]
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for StreamName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// Why a text is no stream name. No variant carries the text: it is hostile until proven
/// otherwise, and it may hold a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameError {
    /// `app/name` was expected and there is no slash.
    NoApplication,
    /// The application or the name is empty.
    Empty(Part),
    /// The application or the name is longer than its maximum.
    TooLong(Part),
    /// A `%` is not followed by two hexadecimal digits.
    Escape(Part),
    /// A byte outside the allowed set, after decoding. Its value says which.
    Byte(Part, u8),
    /// It begins with `-`, which a program could take for an option.
    LeadingDash(Part),
    /// It begins with `.`, which hides a file or climbs a directory.
    LeadingDot(Part),
    /// It contains `..`.
    DotDot(Part),
    /// The application is one of [`RESERVED_APPS`].
    Reserved,
}

/// Which half of a stream name an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// The application, before the slash.
    App,
    /// The name, after the slash.
    Name,
}

impl Part {
    fn len_max(self) -> usize {
        match self {
            Part::App => APP_LEN_MAX,
            Part::Name => NAME_LEN_MAX,
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::App => "application",
            Part::Name => "stream name",
        })
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NameError::NoApplication => write!(f, "no application: expected app/name"),
            NameError::Empty(part) => write!(f, "the {part} is empty"),
            NameError::TooLong(part) => {
                write!(f, "the {part} has more than {} characters", part.len_max())
            }
            NameError::Escape(part) => write!(f, "the {part} has a broken percent escape"),
            NameError::Byte(part, byte) => write!(
                f,
                "the {part} has the byte 0x{byte:02x}; letters, digits and . _ ~ @ + = - are allowed"
            ),
            NameError::LeadingDash(part) => write!(f, "the {part} begins with '-'"),
            NameError::LeadingDot(part) => write!(f, "the {part} begins with '.'"),
            NameError::DotDot(part) => write!(f, "the {part} contains '..'"),
            NameError::Reserved => write!(f, "this application belongs to the server itself"),
        }
    }
}

impl std::error::Error for NameError {}

fn trim_end_slash(app: &[u8]) -> &[u8] {
    app.strip_suffix(b"/").unwrap_or(app)
}

/// Decodes one part and checks it. Work and memory are bounded by the maximum, not by the input.
fn part(raw: &[u8], which: Part) -> Result<String, NameError> {
    let mut text = String::new();
    let mut rest = raw;
    while let Some((&first, tail)) = rest.split_first() {
        let (byte, tail) = match first {
            b'%' => percent_escape(tail).ok_or(NameError::Escape(which))?,
            plain => (plain, tail),
        };
        if !is_allowed(byte) {
            return Err(NameError::Byte(which, byte));
        }
        if text.len() == which.len_max() {
            return Err(NameError::TooLong(which));
        }
        text.push(char::from(byte));
        rest = tail;
    }
    match text.as_bytes().first() {
        None => Err(NameError::Empty(which)),
        Some(b'-') => Err(NameError::LeadingDash(which)),
        Some(b'.') => Err(NameError::LeadingDot(which)),
        Some(_) if text.contains("..") => Err(NameError::DotDot(which)),
        Some(_) => Ok(text),
    }
}

/// The byte that two hexadecimal digits, read after a `%`, stand for, and what follows them.
pub(crate) fn percent_escape(tail: &[u8]) -> Option<(u8, &[u8])> {
    let (&[high, low], rest) = tail.split_first_chunk::<2>()?;
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let value = digit(high)? * 16 + digit(low)?;
    Some((u8::try_from(value).ok()?, rest))
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._~@+=-".contains(&byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: impl AsRef<[u8]>) -> Result<StreamName, NameError> {
        StreamName::new("live", text)
    }

    #[test]
    fn a_plain_name_keeps_its_parts() {
        let stream = StreamName::new("live", "cam1").unwrap();
        assert_eq!((stream.app(), stream.name()), ("live", "cam1"));
        assert_eq!(stream.to_string(), "live/cam1");
        assert_eq!(StreamName::parse("live/cam1"), Ok(stream));
    }

    #[test]
    fn the_whole_allowed_set_passes() {
        assert_eq!(name("aZ09._~@+=-").unwrap().name(), "aZ09._~@+=-");
    }

    #[test]
    fn a_slash_after_the_application_is_forgiven() {
        assert_eq!(StreamName::new("live/", "cam1"), StreamName::new("live", "cam1"));
        assert_eq!(StreamName::new("live//", "x"), Err(NameError::Byte(Part::App, b'/')));
        assert_eq!(StreamName::new("/live", "x"), Err(NameError::Byte(Part::App, b'/')));
    }

    #[test]
    fn escapes_are_decoded_exactly_once() {
        assert_eq!(name("c%61m%31").unwrap().name(), "cam1");
        assert_eq!(name("%2541"), Err(NameError::Byte(Part::Name, b'%')));
        for broken in ["%", "%4", "%zz", "cam%", "%+1", "%4\u{e9}"] {
            assert_eq!(name(broken), Err(NameError::Escape(Part::Name)), "{broken}");
        }
    }

    /// The row "names" of the list of hostile inputs, one line each.
    #[test]
    fn hostile_names_are_refused_by_kind() {
        let refused: [(&[u8], NameError); 17] = [
            (b"..", NameError::LeadingDot(Part::Name)),
            (b"a..b", NameError::DotDot(Part::Name)),
            (b"../../etc/passwd", NameError::Byte(Part::Name, b'/')),
            (b"/", NameError::Byte(Part::Name, b'/')),
            (b"a/b", NameError::Byte(Part::Name, b'/')),
            (b"a%2fb", NameError::Byte(Part::Name, b'/')),
            (b"a\\b", NameError::Byte(Part::Name, b'\\')),
            (b"a\0b", NameError::Byte(Part::Name, 0)),
            (b"a%00b", NameError::Byte(Part::Name, 0)),
            (b"%2e%2e", NameError::LeadingDot(Part::Name)),
            (b"a%2e%2e", NameError::DotDot(Part::Name)),
            (b"a\r\nX-Evil: 1", NameError::Byte(Part::Name, b'\r')),
            (b"\x1b[31mred", NameError::Byte(Part::Name, 0x1b)),
            (b"\xff\xfe", NameError::Byte(Part::Name, 0xff)),
            (b"$(reboot)", NameError::Byte(Part::Name, b'$')),
            (b"-flag", NameError::LeadingDash(Part::Name)),
            (b"", NameError::Empty(Part::Name)),
        ];
        for (input, error) in refused {
            assert_eq!(name(input), Err(error), "{input:?}");
        }
    }

    #[test]
    fn lengths_are_capped_after_decoding() {
        assert!(name("n".repeat(NAME_LEN_MAX)).is_ok());
        assert!(name("%6e".repeat(NAME_LEN_MAX)).is_ok());
        assert_eq!(name("n".repeat(NAME_LEN_MAX + 1)), Err(NameError::TooLong(Part::Name)));
        assert_eq!(name("n".repeat(64 * 1024)), Err(NameError::TooLong(Part::Name)));
        assert!(StreamName::new("a".repeat(APP_LEN_MAX), "x").is_ok());
        assert_eq!(
            StreamName::new("a".repeat(APP_LEN_MAX + 1), "x"),
            Err(NameError::TooLong(Part::App))
        );
    }

    #[test]
    fn applications_of_the_http_side_are_reserved() {
        for app in ["api", "metrics", "Metrics", "healthz", "static", "assets", "%61pi", "api/"] {
            assert_eq!(StreamName::new(app, "x"), Err(NameError::Reserved), "{app}");
        }
        assert!(StreamName::new("apis", "metrics").is_ok());
    }

    proptest! {
        #[test]
        fn no_input_panics_and_what_passes_is_safe(
            app in prop::collection::vec(any::<u8>(), 0..80),
            name in prop::collection::vec(any::<u8>(), 0..150),
        ) {
            if let Ok(stream) = StreamName::new(&app, &name) {
                prop_assert!(stream.app().len() <= APP_LEN_MAX);
                prop_assert!(stream.name().len() <= NAME_LEN_MAX);
                prop_assert_eq!(stream.as_str().matches('/').count(), 1);
                prop_assert!(!stream.as_str().contains(".."));
                prop_assert!(stream.as_str().bytes().all(|byte| byte == b'/' || is_allowed(byte)));
            }
        }

        #[test]
        fn what_passed_once_passes_unchanged(
            text in "[A-Za-z0-9_~@+=][A-Za-z0-9_~@+=-]{0,60}/[A-Za-z0-9_~@+=][A-Za-z0-9_~@+=-]{0,120}"
        ) {
            if let Ok(stream) = StreamName::parse(&text) {
                prop_assert_eq!(stream.as_str(), &text);
                prop_assert_eq!(StreamName::parse(stream.as_str()), Ok(stream.clone()));
            } else {
                let app = text.split('/').next().unwrap_or_default();
                prop_assert!(RESERVED_APPS.iter().any(|r| app.eq_ignore_ascii_case(r)));
            }
        }

        #[test]
        fn every_byte_encoded_means_the_same_as_plain(name in prop::collection::vec(any::<u8>(), 0..20)) {
            let encoded: String = name.iter().map(|byte| format!("%{byte:02X}")).collect();
            if !name.contains(&b'%') {
                prop_assert_eq!(StreamName::new("live", &encoded), StreamName::new("live", &name));
            }
        }
    }
}

//! What is secret in a run of bytes: the known secrets wherever they stand, and the values of `key`
//! and `token` in URLs. Which runs are searched is the affair of `scrub`.

use crate::config::Secret;

/// What is put in the place of each byte.
pub(super) const MASK: u8 = b'*';

/// What stands before a value that is masked. The separator belongs to it, so that chance does not
/// find it in binary data.
const MARKS: [&[u8]; 4] = [b"?key=", b"&key=", b"?token=", b"&token="];

/// Longest of [`MARKS`].
const MARK_LEN_MAX: usize = 7;

/// The known secrets.
pub(super) struct Secrets {
    texts: Vec<Box<[u8]>>,
    /// Whether something that is searched for begins with this byte.
    begins: [bool; 256],
    len_max: usize,
}

impl Secrets {
    pub(super) fn new<'a>(secrets: impl Iterator<Item = &'a Secret>) -> Self {
        let mut texts: Vec<Box<[u8]>> =
            secrets.map(|secret| secret.reveal().as_bytes().into()).collect();
        // Where one secret begins with another, the longer one is to be found.
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        let mut begins = [false; 256];
        for first in texts.iter().map(|text| &text[..]).chain(MARKS).filter_map(<[u8]>::first) {
            begins[usize::from(*first)] = true;
        }
        let len_max = texts.first().map_or(0, |text| text.len()).max(MARK_LEN_MAX);
        Self { texts, begins, len_max }
    }

    /// How many bytes have to be known from a place on, to say whether something begins there.
    pub(super) fn len_max(&self) -> usize {
        self.len_max
    }

    /// Masks a whole run.
    pub(super) fn mask(&self, bytes: &mut [u8]) {
        let end = bytes.len();
        self.mask_until(bytes, 0, end, &mut false);
    }

    /// Masks a run that was cut off at its end: what may be the beginning of a secret goes too.
    pub(super) fn mask_cut(&self, bytes: &mut [u8]) {
        self.mask(bytes);
        let begun = self.texts.iter().filter_map(|text| {
            (1..text.len().min(bytes.len() + 1)).rev().find(|len| bytes.ends_with(&text[..*len]))
        });
        let begun = begun.max().unwrap_or(0);
        let at = bytes.len() - begun;
        bytes[at..].fill(MASK);
    }

    /// Masks what begins at `from..until`. Whether `until` stands within a value is kept in
    /// `in_value`. Returns where to go on, which may be behind `until`.
    pub(super) fn mask_until(
        &self,
        bytes: &mut [u8],
        from: usize,
        until: usize,
        in_value: &mut bool,
    ) -> usize {
        let mut at = from;
        while at < until {
            let byte = bytes[at];
            if let Some(len) = self.secret_at(&bytes[at..]) {
                bytes[at..at + len].fill(MASK);
                at += len;
            } else if *in_value && !ends_value(byte) {
                bytes[at] = MASK;
                at += 1;
            } else {
                *in_value = false;
                let mark =
                    if self.begins[usize::from(byte)] { mark_at(&bytes[at..]) } else { None };
                *in_value = mark.is_some();
                at += mark.unwrap_or(1);
            }
        }
        at
    }

    fn secret_at(&self, bytes: &[u8]) -> Option<usize> {
        if !self.begins[usize::from(*bytes.first()?)] {
            return None;
        }
        self.texts.iter().find(|text| bytes.starts_with(text)).map(|text| text.len())
    }
}

fn mark_at(bytes: &[u8]) -> Option<usize> {
    let same = |mark: &&[u8]| {
        bytes.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark))
    };
    MARKS.iter().find(|mark| same(mark)).map(|mark| mark.len())
}

/// Whether a value of a URL ends before this byte. All AMF0 markers, and the lengths of names of
/// less than 8 KiB, begin below 32.
fn ends_value(byte: u8) -> bool {
    byte <= b' ' || matches!(byte, b'&' | b'?' | b'#' | b'"' | b'\'')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        let secrets = [Secret::new("hunter2"), Secret::new("hunter22x")];
        let mut bytes = text.as_bytes().to_vec();
        Secrets::new(secrets.iter()).mask(&mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn secrets_and_values_are_masked_and_nothing_else() {
        assert_eq!(masked("a hunter2 b"), "a ******* b");
        assert_eq!(masked("hunter22x"), "*********");
        assert_eq!(masked("hunterhunter2"), "hunter*******");
        assert_eq!(masked("cam?key=abc&x=1"), "cam?key=***&x=1");
        assert_eq!(masked("cam?x=1&TOKEN=ab%20c\0cam"), "cam?x=1&TOKEN=******\0cam");
        assert_eq!(masked("key=abc monkey=x ?keys=1"), "key=abc monkey=x ?keys=1");
        assert_eq!(masked("?key=a&key=b?key=c"), "?key=*&key=*?key=*");
    }

    #[test]
    fn what_may_be_a_beginning_goes_where_a_run_is_cut() {
        let secrets = [Secret::new("hunter2")];
        let secrets = Secrets::new(secrets.iter());
        for (text, shown) in [("xhunt", "x****"), ("hunter", "******"), ("xhu-", "xhu-"), ("", "")]
        {
            let mut bytes = text.as_bytes().to_vec();
            secrets.mask_cut(&mut bytes);
            assert_eq!(bytes, shown.as_bytes());
        }
    }
}

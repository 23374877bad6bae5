//! What must not be shown: values of queries, and stream names that are keys. What a server says to
//! people passes through here before it stands in an error or a status.

/// What stands in the place of a secret.
pub(crate) const MASK: &str = "***";

/// Values shorter than this are left alone in a server's words: they occur by chance.
const VALUE_LEN_MIN: usize = 3;

/// A published name of so many bytes is taken for a key: services hand out keys as names, of 20 bytes
/// and more, and names that people think of are shorter as a rule.
const KEY_LEN_MIN: usize = 16;

/// Whether a published name is taken for a key.
pub(crate) fn is_key_like(name: &str) -> bool {
    name.len() >= KEY_LEN_MIN
}

/// The secrets of one connection.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    /// Takes up the values of a query such as `key=secret&expires=5`.
    pub(crate) fn learn_query(&mut self, query: &str) {
        for (_, value) in values_of(query) {
            self.learn(value, VALUE_LEN_MIN);
        }
    }

    /// Takes up the name of a stream, query and all.
    pub(crate) fn learn_name(&mut self, name: &str, published: bool) {
        let (name, query) = name.split_once('?').unwrap_or((name, ""));
        self.learn_query(query);
        if published {
            self.learn(name, KEY_LEN_MIN);
        }
    }

    /// Someone else's words, fit for a terminal and without our secrets.
    pub(crate) fn redact(&self, words: &str) -> String {
        let mut shown: String =
            words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        for secret in &self.0 {
            shown = shown.replace(secret, MASK);
        }
        shown
    }

    fn learn(&mut self, secret: &str, len_min: usize) {
        if secret.len() >= len_min && !self.0.iter().any(|known| known == secret) {
            self.0.push(secret.to_owned());
            // A secret that holds another one is masked whole.
            self.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        }
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} secrets", self.0.len())
    }
}

/// The parts of a query: the key, if there is one, and the value.
pub(crate) fn values_of(query: &str) -> impl Iterator<Item = (Option<&str>, &str)> {
    let parts = (!query.is_empty()).then(|| query.split(['&', '?'])).into_iter().flatten();
    parts.map(|part| match part.split_once('=') {
        Some((key, value)) => (Some(key), value),
        None => (None, part),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_masked_and_names_are_not() {
        let mut secrets = Secrets::default();
        secrets.learn_name("cam?key=s3cret&x=ab", true);
        secrets.learn_name("live_1234567890_abcdef", true);
        secrets.learn_name("a-name-of-many-letters", false);
        let words = "cam s3cret ab live_1234567890_abcdef\u{7}a-name-of-many-letters";
        assert_eq!(secrets.redact(words), "cam *** ab *** a-name-of-many-letters");
        assert_eq!(format!("{secrets:?}"), "2 secrets");
    }

    #[test]
    fn a_secret_within_another_one_leaves_no_rest() {
        let mut secrets = Secrets::default();
        secrets.learn_query("a=token&b=token-of-mine");
        assert_eq!(secrets.redact("token-of-mine token"), "*** ***");
    }
}

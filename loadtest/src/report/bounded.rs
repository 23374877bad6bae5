//! Lists in files that may be hostile: three bytes of JSON can ask for kilobytes of memory, so each
//! list has a most.

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// Kinds of times; there are eight, and each has a histogram.
pub const DELAYS_MAX: usize = 64;
/// Groups, settings and reasons: what people read.
pub const WORDS_MAX: usize = 1000;
/// Steps.
pub const STEPS_MAX: usize = 10_000;
/// Samples: ten a second over half a day.
pub const MOMENTS_MAX: usize = 500_000;

/// Reads a list of no more than `MOST`.
///
/// # Errors
/// If it has more, or what is in it is not what it should be.
pub fn list<'de, D, T, const MOST: usize>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_seq(List::<T, MOST>(PhantomData))
}

struct List<T, const MOST: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for List<T, MOST> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of no more than {MOST}")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = seq.next_element()? {
            if list.len() == MOST {
                return Err(A::Error::invalid_length(MOST + 1, &self));
            }
            list.push(item);
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_end_at_their_most() {
        let read = |text| list::<_, u8, 3>(&mut serde_json::Deserializer::from_str(text));
        assert_eq!(read("[1,2,3]").unwrap(), [1, 2, 3]);
        assert!(read("[]").unwrap().is_empty());
        let said = read("[1,2,3,4]").unwrap_err().to_string();
        assert!(said.contains("no more than 3"), "{said}");
        assert!(read("[1,2,300]").is_err() && read("7").is_err());
    }
}

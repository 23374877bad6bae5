//! Names and values in the order of the wire: the dynamic members of an object and the named part
//! of an array. How they are written stands in `encode`.

use std::sync::Arc;

use crate::Value;

/// Names and values, in order.
///
/// The wire form is a list, and this type keeps what it says: the order, and names that occur
/// more than once. An empty name has no wire form, for it ends the list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Properties(Vec<(Arc<str>, Value)>);

impl Properties {
    /// No properties.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The value of the last property of this name, as a player assigning one after the other
    /// would have it.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().rev().find(|(key, _)| **key == *name).map(|(_, value)| value)
    }

    /// Adds a property at the end, without looking for one of the same name.
    pub fn push(&mut self, name: impl Into<Arc<str>>, value: impl Into<Value>) {
        self.0.push((name.into(), value.into()));
    }

    /// The same with one more property at the end, for building in an expression.
    #[must_use]
    pub fn with(mut self, name: impl Into<Arc<str>>, value: impl Into<Value>) -> Self {
        self.push(name, value);
        self
    }

    /// The properties, in order. Names that came by reference share their memory.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Arc<str>, &Value)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// How many properties there are, those of equal names counted apart.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no property.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<Arc<str>>, V: Into<Value>> FromIterator<(N, V)> for Properties {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(properties: I) -> Self {
        Self(properties.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_equal_names_is_found_and_all_are_kept() {
        let properties = Properties::new().with("a", 1).with("b", 2).with("a", 3);
        assert_eq!(properties.get("a"), Some(&Value::Integer(3)));
        assert_eq!(properties.get("c"), None);
        let names: Vec<_> = properties.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["a", "b", "a"]);
        assert_eq!(properties, [("a", 1), ("b", 2), ("a", 3)].into_iter().collect());
        assert!(properties.len() == 3 && !properties.is_empty() && Properties::new().is_empty());
    }
}

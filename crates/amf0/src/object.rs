//! The properties of an object: names and values in the order of the wire. How they are written
//! stands in `encode`.

use crate::Value;

/// Names and values, in order.
///
/// The wire form is a list, and this type keeps what it says: the order, and names that occur
/// more than once. [`Object::get`] takes the last of these, as a player assigning one after the
/// other would.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object(Vec<(String, Value)>);

impl Object {
    /// An object without properties.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The value of the last property of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The text of this property, if it is a string of either length.
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// The number of this property, if it is one.
    pub fn get_number(&self, name: &str) -> Option<f64> {
        self.get(name)?.as_number()
    }

    /// The truth value of this property, if it is one.
    pub fn get_boolean(&self, name: &str) -> Option<bool> {
        self.get(name)?.as_boolean()
    }

    /// Replaces the last property of this name in its place and returns its old value, or adds
    /// the property at the end.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().rev().find(|(key, _)| *key == name) {
            Some((_, old)) => Some(std::mem::replace(old, value)),
            None => {
                self.0.push((name, value));
                None
            }
        }
    }

    /// Adds a property at the end, without looking for one of the same name.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.0.push((name.into(), value.into()));
    }

    /// The object with one more property, for building one in an expression. As
    /// [`Object::insert`].
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.insert(name, value);
        self
    }

    /// Takes away all properties of this name and returns the value of the last.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let mut last = None;
        self.0.retain_mut(|(key, value)| {
            if key != name {
                return true;
            }
            last = Some(std::mem::replace(value, Value::Null));
            false
        });
        last
    }

    /// The properties, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
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

impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Object {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(properties: I) -> Self {
        Self(properties.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl IntoIterator for Object {
    type Item = (String, Value);
    type IntoIter = std::vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_equal_names_is_found_and_replaced() {
        let mut object: Object = [("a", 1.0), ("b", 2.0), ("a", 3.0)].into_iter().collect();
        assert_eq!(object.get_number("a"), Some(3.0));
        assert_eq!(object.insert("a", 4.0), Some(Value::Number(3.0)));
        assert_eq!(object.insert("c", true), None);
        let names: Vec<_> = object.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "b", "a", "c"]);
        assert_eq!(object.get_boolean("c"), Some(true));
        assert_eq!(object.get_str("c"), None);
    }

    #[test]
    fn removing_takes_all_of_a_name() {
        let mut object: Object = [("a", 1.0), ("b", 2.0), ("a", 3.0)].into_iter().collect();
        assert_eq!(object.remove("a"), Some(Value::Number(3.0)));
        assert_eq!(object.remove("a"), None);
        assert_eq!(object.len(), 1);
        assert!(!object.is_empty());
    }
}

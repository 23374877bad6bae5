//! One AMF3 value as a Rust value. The wire form stands in `decode` and `encode`.

use std::sync::Arc;

use crate::{Object, Properties};

/// A value of any AMF3 type (AMF3 specification, section 3).
///
/// What may be referred to on the wire stands behind an [`Arc`]: a reference that was read is
/// another `Arc` of the same value, and a value that occurs again as the same `Arc` is written as
/// a reference. Equality looks at the content alone.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Undefined (3.2).
    Undefined,
    /// Null (3.3).
    Null,
    /// False or true, each a marker of its own (3.4, 3.5).
    Boolean(bool),
    /// A number of 29 bits, -268,435,456 to 268,435,455; others are written as a double (3.6).
    Integer(i32),
    /// A double; every bit pattern is kept, NaN included (3.7).
    Double(f64),
    /// Text (3.8). Equal texts are written once and referred to then, whatever their `Arc`.
    String(Arc<str>),
    /// An XML document of the older class `XMLDocument`, as text (3.9).
    XmlDocument(Arc<str>),
    /// A point in time: milliseconds since 1970, UTC (3.10). Dates are not written as references.
    Date(f64),
    /// A list, with named values beside it (3.11).
    Array(Arc<Array>),
    /// An object, anonymous or of a class (3.12).
    Object(Arc<Object>),
    /// An XML document of the class `XML`, as text (3.13).
    Xml(Arc<str>),
    /// Bytes (3.14).
    ByteArray(Arc<[u8]>),
    /// A vector of signed numbers of 32 bits (3.15).
    VectorInt(Arc<Vector<i32>>),
    /// A vector of unsigned numbers of 32 bits (3.15).
    VectorUint(Arc<Vector<u32>>),
    /// A vector of doubles (3.15).
    VectorDouble(Arc<Vector<f64>>),
    /// A vector of values of one class (3.15).
    VectorObject(Arc<ObjectVector>),
    /// A map from values to values (3.16).
    Dictionary(Arc<Dictionary>),
}

/// A list, with named values beside it (section 3.11).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Array {
    /// The values that have names instead of numbers.
    pub associative: Properties,
    /// The values 0, 1, 2 ...
    pub dense: Vec<Value>,
}

/// Numbers of one type (section 3.15).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vector<T> {
    /// Whether its length may not change.
    pub fixed: bool,
    /// The numbers.
    pub elements: Vec<T>,
}

/// Values of one class (section 3.15).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObjectVector {
    /// Whether its length may not change.
    pub fixed: bool,
    /// The name of the class; `*` for values of any type. The values are not held against it.
    pub class: Arc<str>,
    /// The values.
    pub elements: Vec<Value>,
}

/// A map with keys of any type, in the order of the wire (section 3.16).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dictionary {
    /// Whether a key that nothing else holds disappears in the program that has the dictionary.
    pub weak_keys: bool,
    /// Keys and values; keys that occur twice are kept.
    pub entries: Vec<(Value, Value)>,
}

impl Value {
    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, of either type.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(f64::from(*number)),
            Self::Double(number) => Some(*number),
            _ => None,
        }
    }

    /// The truth value.
    pub fn as_boolean(&self) -> Option<bool> {
        match self {
            Self::Boolean(boolean) => Some(*boolean),
            _ => None,
        }
    }

    /// The array.
    pub fn as_array(&self) -> Option<&Array> {
        match self {
            Self::Array(array) => Some(array),
            _ => None,
        }
    }

    /// The object.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Whether there is nothing in it: null or undefined.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null | Self::Undefined)
    }
}

impl From<bool> for Value {
    fn from(boolean: bool) -> Self {
        Self::Boolean(boolean)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Integer(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Double(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

/// A list without named values.
impl From<Vec<Value>> for Value {
    fn from(dense: Vec<Value>) -> Self {
        Self::Array(Arc::new(Array { associative: Properties::new(), dense }))
    }
}

/// An anonymous object.
impl From<Properties> for Value {
    fn from(properties: Properties) -> Self {
        Self::Object(Arc::new(properties.into()))
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(Arc::new(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_small() {
        assert!(size_of::<Value>() <= 24);
    }

    #[test]
    fn the_views_answer_for_their_own_types_only() {
        assert_eq!(Value::from("a").as_str(), Some("a"));
        assert_eq!(Value::Xml("a".into()).as_str(), None);
        assert_eq!(Value::from(7).as_number(), Some(7.0));
        assert_eq!(Value::from(7.5).as_number(), Some(7.5));
        assert_eq!(Value::Date(7.0).as_number(), None);
        assert_eq!(Value::from(true).as_boolean(), Some(true));
        assert_eq!(Value::Null.as_boolean(), None);
        let object = Value::from(Properties::new().with("a", 1));
        assert!(object.as_object().is_some() && object.as_array().is_none());
        let array = Value::from(vec![object]);
        assert!(array.as_array().is_some() && array.as_object().is_none());
        assert!(Value::Undefined.is_null() && Value::Null.is_null() && !array.is_null());
    }
}

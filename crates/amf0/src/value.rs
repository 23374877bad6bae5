//! One AMF0 value as a Rust value. The wire form stands in `decode` and `encode`.

use crate::Object;

/// A value of any AMF0 type (AMF0 specification, section 2).
///
/// Movie clip and record set are missing: the specification reserves their markers and gives them
/// no format, so nothing can follow them that could be read.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A double; every bit pattern is kept, NaN included (2.2).
    Number(f64),
    /// A truth value; any byte but zero is true (2.3).
    Boolean(bool),
    /// Text of up to 65,535 bytes of UTF-8; longer text is written as a long string (2.4).
    String(String),
    /// An anonymous object (2.5).
    Object(Object),
    /// Null (2.7).
    Null,
    /// Undefined (2.8).
    Undefined,
    /// The index of an object or array that came before in the same message (2.9).
    ///
    /// Objects, typed objects and both kinds of arrays are numbered from 0 in the order of their
    /// markers. A decoder refuses an index that none of them has, and follows none.
    Reference(u16),
    /// An associative array; the count on the wire is only a hint and is not kept (2.10).
    EcmaArray(Object),
    /// A list (2.12).
    StrictArray(Vec<Value>),
    /// A point in time (2.13).
    Date {
        /// Milliseconds since 1970, UTC.
        ms: f64,
        /// The time zone: reserved, zero by the specification, kept as read.
        zone: i16,
    },
    /// Text with a 32-bit length (2.14).
    LongString(String),
    /// What the sender had no way to write (2.15).
    Unsupported,
    /// An XML document, as text (2.17).
    XmlDocument(String),
    /// An object with the name of its class (2.18).
    TypedObject {
        /// The name under which the class was registered.
        class: String,
        /// Its properties.
        properties: Object,
    },
    /// The switch to AMF3: what follows is in that format (3.1).
    AvmPlus,
}

impl Value {
    /// The text of a string of either length.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) | Self::LongString(text) => Some(text),
            _ => None,
        }
    }

    /// The number.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
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

    /// The properties of an object, of a typed object or of an associative array: encoders use
    /// the three without distinction.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(properties)
            | Self::EcmaArray(properties)
            | Self::TypedObject { properties, .. } => Some(properties),
            _ => None,
        }
    }

    /// Whether there is nothing in it: null or undefined.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null | Self::Undefined)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(f64::from(number))
    }
}

impl From<bool> for Value {
    fn from(boolean: bool) -> Self {
        Self::Boolean(boolean)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_as_small_as_the_limits_say() {
        assert!(size_of::<Value>() <= 56);
    }

    #[test]
    fn the_views_answer_for_their_own_types_only() {
        assert_eq!(Value::from("a").as_str(), Some("a"));
        assert_eq!(Value::LongString("a".into()).as_str(), Some("a"));
        assert_eq!(Value::from(7u32).as_number(), Some(7.0));
        assert_eq!(Value::from("7").as_number(), None);
        assert_eq!(Value::from(true).as_boolean(), Some(true));
        assert_eq!(Value::Null.as_boolean(), None);
        let properties = Object::new().with("a", 1.0);
        let typed = Value::TypedObject { class: "C".into(), properties: properties.clone() };
        assert_eq!(typed.as_object(), Some(&properties));
        assert_eq!(Value::EcmaArray(properties.clone()).as_object(), Some(&properties));
        assert_eq!(Value::StrictArray(vec![]).as_object(), None);
        assert!(Value::Undefined.is_null() && Value::Null.is_null());
        assert!(!Value::Unsupported.is_null());
    }
}

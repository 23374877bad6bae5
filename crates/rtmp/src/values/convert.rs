//! AMF3 values in terms of AMF0. Where they stand in a message is told in `values`.

use millstream_amf0::{Object, Value};
use millstream_amf3 as amf3;

/// The AMF0 value that says the same.
///
/// What has no place in AMF0, bytes and maps with keys that are no names, becomes
/// [`Value::Unsupported`], the type that is for this. Shared values are written out each time; how
/// much that can be, the limits of the AMF3 decoder have bounded.
pub(super) fn as_amf0(value: &amf3::Value) -> Value {
    match value {
        amf3::Value::Undefined => Value::Undefined,
        amf3::Value::Null => Value::Null,
        amf3::Value::Boolean(boolean) => Value::Boolean(*boolean),
        amf3::Value::Integer(number) => Value::Number(f64::from(*number)),
        amf3::Value::Double(number) => Value::Number(*number),
        amf3::Value::String(text) => Value::from(&**text),
        amf3::Value::XmlDocument(text) | amf3::Value::Xml(text) => {
            Value::XmlDocument(text.to_string())
        }
        amf3::Value::Date(ms) => Value::Date { ms: *ms, zone: 0 },
        amf3::Value::Array(list) => array(list),
        amf3::Value::Object(object) => {
            let properties = object.iter().map(|(name, value)| (&**name, as_amf0(value))).collect();
            match object.class() {
                "" => Value::Object(properties),
                class => Value::TypedObject { class: class.to_owned(), properties },
            }
        }
        amf3::Value::VectorInt(vector) => numbers(&vector.elements),
        amf3::Value::VectorUint(vector) => numbers(&vector.elements),
        amf3::Value::VectorDouble(vector) => numbers(&vector.elements),
        amf3::Value::VectorObject(vector) => list(&vector.elements),
        amf3::Value::Dictionary(map) => {
            dictionary(map).map_or(Value::Unsupported, Value::EcmaArray)
        }
        amf3::Value::ByteArray(_) => Value::Unsupported,
    }
}

/// With names it is an associative array, in which numbers are names too.
fn array(array: &amf3::Array) -> Value {
    if array.associative.is_empty() {
        return list(&array.dense);
    }
    let named = array.associative.iter().map(|(name, value)| (name.to_string(), as_amf0(value)));
    let numbered = array.dense.iter().enumerate();
    let numbered = numbered.map(|(index, value)| (index.to_string(), as_amf0(value)));
    Value::EcmaArray(named.chain(numbered).collect())
}

/// A map of which each key is a text or an integer: what a property can be called.
fn dictionary(map: &amf3::Dictionary) -> Option<Object> {
    let entry = |(key, value): &(amf3::Value, amf3::Value)| {
        let name = match key {
            amf3::Value::String(name) => name.to_string(),
            amf3::Value::Integer(number) => number.to_string(),
            _ => return None,
        };
        Some((name, as_amf0(value)))
    };
    map.entries.iter().map(entry).collect::<Option<Vec<_>>>().map(Object::from_iter)
}

fn list(values: &[amf3::Value]) -> Value {
    Value::StrictArray(values.iter().map(as_amf0).collect())
}

fn numbers<T: Copy + Into<f64>>(numbers: &[T]) -> Value {
    Value::StrictArray(numbers.iter().map(|&number| Value::Number(number.into())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use amf3::{Array, Dictionary, ObjectVector, Properties, Traits, Vector};
    use std::sync::Arc;

    #[test]
    fn plain_values_keep_their_meaning() {
        let cases = [
            (amf3::Value::Undefined, Value::Undefined),
            (amf3::Value::Null, Value::Null),
            (true.into(), true.into()),
            ((-7).into(), Value::Number(-7.0)),
            (1.5.into(), Value::Number(1.5)),
            ("a".into(), "a".into()),
            (amf3::Value::Xml("<a/>".into()), Value::XmlDocument("<a/>".into())),
            (amf3::Value::XmlDocument("<a/>".into()), Value::XmlDocument("<a/>".into())),
            (amf3::Value::Date(1000.0), Value::Date { ms: 1000.0, zone: 0 }),
            (amf3::Value::ByteArray(Arc::from([1])), Value::Unsupported),
        ];
        for (value, expected) in cases {
            assert_eq!(as_amf0(&value), expected, "{value:?}");
        }
    }

    #[test]
    fn objects_keep_their_class_and_all_their_members() {
        let named = Properties::new().with("a", 1);
        let object = Object::new().with("a", 1.0);
        assert_eq!(as_amf0(&named.clone().into()), Value::Object(object));

        let traits = Traits { class: "C".into(), dynamic: true, sealed: vec!["x".into()] };
        let typed = amf3::Object::new(Arc::new(traits), vec![2.into()], named).unwrap();
        let properties = Object::new().with("x", 2.0).with("a", 1.0);
        let expected = Value::TypedObject { class: "C".into(), properties };
        assert_eq!(as_amf0(&typed.into()), expected);
    }

    #[test]
    fn lists_become_strict_arrays_unless_they_have_names() {
        let strict = Value::StrictArray(vec![Value::Number(1.0), Value::Number(2.0)]);
        let dense: Vec<amf3::Value> = vec![1.into(), 2.into()];
        assert_eq!(as_amf0(&dense.clone().into()), strict);
        let vector = Arc::new(Vector { fixed: false, elements: vec![1, 2] });
        assert_eq!(as_amf0(&amf3::Value::VectorInt(vector)), strict);
        let vector = Arc::new(Vector { fixed: false, elements: vec![1, 2] });
        assert_eq!(as_amf0(&amf3::Value::VectorUint(vector)), strict);
        let vector = Arc::new(Vector { fixed: true, elements: vec![1.0, 2.0] });
        assert_eq!(as_amf0(&amf3::Value::VectorDouble(vector)), strict);
        let elements = dense.clone();
        let vector = Arc::new(ObjectVector { fixed: true, class: "*".into(), elements });
        assert_eq!(as_amf0(&amf3::Value::VectorObject(vector)), strict);

        let mixed = Array { associative: Properties::new().with("a", "b"), dense };
        let expected = Object::new().with("a", "b").with("0", 1.0).with("1", 2.0);
        assert_eq!(as_amf0(&amf3::Value::Array(Arc::new(mixed))), Value::EcmaArray(expected));
    }

    #[test]
    fn a_dictionary_needs_keys_that_are_names() {
        let map = |entries| {
            as_amf0(&amf3::Value::Dictionary(Arc::new(Dictionary { weak_keys: false, entries })))
        };
        let named = map(vec![("a".into(), true.into()), (7.into(), "b".into())]);
        assert_eq!(named, Value::EcmaArray(Object::new().with("a", true).with("7", "b")));
        for key in [amf3::Value::Null, 1.5.into(), vec![].into()] {
            let unnamed = map(vec![("a".into(), true.into()), (key, "b".into())]);
            assert_eq!(unnamed, Value::Unsupported);
        }
    }
}

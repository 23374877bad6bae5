//! Round trips of arbitrary values, and arbitrary or damaged bytes that must never panic.

use std::sync::Arc;

use millstream_amf3::{
    Array, DecodeError, Decoder, Dictionary, Limits, Object, ObjectVector, Properties, Traits,
    Value, Vector, decode_all, encode_all,
};
use proptest::{collection::vec, prelude::*, sample::Index};

fn number() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("NaN is not equal to itself", |number| !number.is_nan())
}

fn vector<T: std::fmt::Debug>(
    element: impl Strategy<Value = T>,
) -> impl Strategy<Value = Arc<Vector<T>>> {
    (any::<bool>(), vec(element, 0..5))
        .prop_map(|(fixed, elements)| Arc::new(Vector { fixed, elements }))
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Undefined),
        Just(Value::Null),
        any::<bool>().prop_map(Value::Boolean),
        (-1 << 28..1 << 28).prop_map(Value::Integer),
        number().prop_map(Value::Double),
        // Few different texts, so that they occur again.
        "[ab]{0,2}|.{0,200}".prop_map(|text| Value::String(text.into())),
        ".{0,9}".prop_map(|text| Value::XmlDocument(text.into())),
        ".{0,9}".prop_map(|text| Value::Xml(text.into())),
        number().prop_map(Value::Date),
        vec(any::<u8>(), 0..9).prop_map(|bytes| Value::ByteArray(bytes.into())),
        vector(any::<i32>()).prop_map(Value::VectorInt),
        vector(any::<u32>()).prop_map(Value::VectorUint),
        vector(number()).prop_map(Value::VectorDouble),
    ]
}

fn container(inner: impl Strategy<Value = Value> + Clone) -> impl Strategy<Value = Value> {
    let values = vec(inner.clone(), 0..5);
    let properties = vec(("[ab]{1,2}", inner.clone()), 0..4)
        .prop_map(|all| all.into_iter().collect::<Properties>());
    let array = (properties.clone(), values.clone())
        .prop_map(|(associative, dense)| Value::Array(Arc::new(Array { associative, dense })));
    let members = vec(("[ab]{0,2}", inner.clone()), 0..4);
    let object = ("[AB]?", any::<bool>(), members, properties).prop_map(
        |(class, dynamic, members, properties)| {
            let (names, sealed): (Vec<Arc<str>>, Vec<_>) =
                members.into_iter().map(|(name, value)| (name.into(), value)).unzip();
            let traits = Arc::new(Traits { class: class.into(), dynamic, sealed: names });
            let properties = if dynamic { properties } else { Properties::new() };
            Value::from(Object::new(traits, sealed, properties).expect("it fits its traits"))
        },
    );
    let objects = ("[AB*]", any::<bool>(), values).prop_map(|(class, fixed, elements)| {
        Value::VectorObject(Arc::new(ObjectVector { fixed, class: class.into(), elements }))
    });
    let dictionary = (any::<bool>(), vec((inner.clone(), inner.clone()), 0..4)).prop_map(
        |(weak_keys, entries)| Value::Dictionary(Arc::new(Dictionary { weak_keys, entries })),
    );
    // The same value again, which goes out as a reference.
    let shared = (inner, 2..4usize).prop_map(|(value, times)| Value::from(vec![value; times]));
    prop_oneof![array, object, objects, dictionary, shared]
}

fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 48, 5, container)
}

/// Bytes in which the markers, small lengths and references of AMF3 are frequent.
fn plausible_bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![3 => 0u8..0x12, 1 => any::<u8>()], 0..200)
}

fn wire_of(values: &[Value]) -> Vec<u8> {
    let mut wire = Vec::new();
    encode_all(values, &mut wire).expect("the values are writable");
    wire
}

/// The values before the end or the first fault, with the promises of the decoder checked.
fn read(bytes: &[u8]) -> (Vec<Value>, Result<(), DecodeError>) {
    let mut decoder = Decoder::new(bytes, Limits::default());
    let mut values = Vec::new();
    loop {
        let before = decoder.position();
        match decoder.next() {
            Ok(Some(value)) => {
                assert!(decoder.position() > before);
                values.push(value);
            }
            Ok(None) => return (values, Ok(())),
            Err(error) => {
                assert!((before..=bytes.len()).contains(&error.offset()));
                assert_eq!(decoder.position(), before);
                assert_eq!(decoder.next(), Err(error));
                return (values, Err(error));
            }
        }
    }
}

proptest! {
    #[test]
    fn values_survive_the_wire(values in vec(value(), 0..4)) {
        let wire = wire_of(&values);
        prop_assert_eq!(decode_all(&wire).unwrap(), values);
    }

    /// A cut is the end of the input or a truncation, never another fault, and the whole values
    /// before it are unharmed.
    #[test]
    fn cut_values_are_truncated(values in vec(value(), 1..3)) {
        let wire = wire_of(&values);
        for cut in 0..wire.len() {
            let (whole, end) = read(&wire[..cut]);
            let clean = matches!(end, Ok(()) | Err(DecodeError::Truncated { .. }));
            prop_assert!(clean, "{:?}", end);
            prop_assert!(whole.len() < values.len());
            prop_assert_eq!(&whole[..], &values[..whole.len()]);
        }
    }

    #[test]
    fn damaged_values_are_refused_or_understood(
        values in vec(value(), 1..4),
        damage in vec((any::<Index>(), any::<u8>()), 1..6),
    ) {
        let mut wire = wire_of(&values);
        for (place, byte) in damage {
            let place = place.index(wire.len());
            wire[place] = byte;
        }
        understood_is_written_back(&wire);
    }

    #[test]
    fn any_bytes_are_refused_or_understood(bytes in plausible_bytes()) {
        understood_is_written_back(&bytes);
    }
}

/// What was read is written in one way, which reads as the same again.
fn understood_is_written_back(bytes: &[u8]) {
    let (values, _) = read(bytes);
    let wire = wire_of(&values);
    assert_eq!(wire_of(&decode_all(&wire).expect("what was written can be read")), wire);
}

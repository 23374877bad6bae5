//! Round trips of arbitrary values, and arbitrary bytes that must never panic.

use bytes::BytesMut;
use millstream_amf0::{
    DecodeError, Decoder, Limits, Object, Value, decode_all, encode_all, encoded_len,
};
use proptest::{collection::vec, prelude::*};

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<f64>()
            .prop_filter("NaN is not equal to itself", |n| !n.is_nan())
            .prop_map(Value::Number),
        any::<bool>().prop_map(Value::Boolean),
        ".{0,12}".prop_map(Value::String),
        Just(Value::Null),
        Just(Value::Undefined),
        Just(Value::Unsupported),
        (-1e15..1e15, any::<i16>()).prop_map(|(ms, zone)| Value::Date { ms, zone }),
        ".{0,12}".prop_map(Value::LongString),
        ".{0,12}".prop_map(Value::XmlDocument),
    ];
    leaf.prop_recursive(5, 64, 6, |inner| {
        let object = vec((".{0,6}", inner.clone()), 0..6).prop_map(Object::from_iter);
        prop_oneof![
            object.clone().prop_map(Value::Object),
            object.clone().prop_map(Value::EcmaArray),
            (".{0,6}", object)
                .prop_map(|(class, properties)| Value::TypedObject { class, properties }),
            vec(inner, 0..6).prop_map(Value::StrictArray),
            // Refers to the array it stands in, which is the only index that is sure to exist.
            Just(Value::StrictArray(vec![Value::Reference(0)])),
        ]
    })
}

/// Bytes in which the markers and small lengths of AMF0 are frequent.
fn plausible_bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![3 => 0u8..0x12, 1 => any::<u8>()], 0..200)
}

fn wire_of(values: &[Value]) -> BytesMut {
    let mut wire = BytesMut::new();
    encode_all(values, &mut wire).expect("the values are writable");
    wire
}

proptest! {
    #[test]
    fn values_survive_the_wire(values in vec(value(), 0..4)) {
        let wire = wire_of(&values);
        let measured: usize = values.iter().map(|value| encoded_len(value).unwrap()).sum();
        prop_assert_eq!(measured, wire.len());
        prop_assert_eq!(decode_all(&wire).unwrap(), values);
    }

    /// A cut is the end of the input or a truncation, never another fault, and the whole values
    /// before it are unharmed.
    #[test]
    fn cut_values_are_truncated(values in vec(value(), 1..4), cut in any::<prop::sample::Index>()) {
        let wire = wire_of(&values);
        let cut = cut.index(wire.len());
        let mut decoder = Decoder::new(&wire[..cut], Limits::default());
        let mut read = Vec::new();
        let end = loop {
            match decoder.next() {
                Ok(Some(value)) => read.push(value),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        match end {
            Ok(()) => prop_assert_eq!(decoder.position(), cut),
            Err(error) => {
                let truncated = matches!(error, DecodeError::Truncated { .. });
                prop_assert!(truncated, "{}", error);
            }
        }
        // The last one may be an associative array that only lacks its end marker.
        let sure = read.len().saturating_sub(1);
        prop_assert_eq!(&read[..sure], &values[..sure]);
    }

    /// What was read is written in one way, which reads as the same again.
    #[test]
    fn any_bytes_are_refused_or_understood(bytes in plausible_bytes()) {
        let mut decoder = Decoder::new(&bytes, Limits::default());
        let mut values = Vec::new();
        loop {
            let before = decoder.position();
            match decoder.next() {
                Ok(Some(value)) => {
                    prop_assert!(decoder.position() > before);
                    values.push(value);
                }
                Ok(None) => break,
                Err(error) => {
                    prop_assert!(error.offset() >= before && error.offset() <= bytes.len());
                    break;
                }
            }
        }
        let wire = wire_of(&values);
        prop_assert_eq!(wire_of(&decode_all(&wire).unwrap()), wire);
    }
}

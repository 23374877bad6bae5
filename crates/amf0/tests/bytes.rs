//! Hand-made bytes of every type (AMF0 specification, section 2), read and written back.

use bytes::BytesMut;
use millstream_amf0::{
    DecodeError, Decoder, EncodeError, Limits, Object, Value, decode_all, encode, encode_all,
    encoded_len,
};

/// The bytes mean this value, the value is written as these bytes, and no shorter cut of the
/// bytes means anything.
fn both_ways(bytes: &[u8], value: Value) {
    assert_eq!(decode_all(bytes), Ok(vec![value.clone()]));
    let mut out = BytesMut::new();
    encode(&value, &mut out).expect("the value is writable");
    assert_eq!(out, bytes);
    assert_eq!(encoded_len(&value), Ok(bytes.len()));
    for cut in 1..bytes.len() {
        let error = decode_all(&bytes[..cut]).expect_err("a cut is no value");
        assert!(matches!(error, DecodeError::Truncated { offset } if offset <= cut), "{error}");
    }
}

fn decode_one(bytes: &[u8]) -> Result<Value, DecodeError> {
    Ok(Decoder::new(bytes, Limits::default()).next()?.expect("there is input"))
}

#[test]
fn number() {
    both_ways(b"\x00\x3f\xf0\0\0\0\0\0\0", Value::Number(1.0));
    both_ways(b"\x00\x7f\xf0\0\0\0\0\0\0", Value::Number(f64::INFINITY));
}

#[test]
fn a_nan_keeps_its_bits() {
    let bytes = b"\x00\x7f\xf8\0\0\0\0\0\x2a";
    let value = decode_one(bytes).unwrap();
    assert!(value.as_number().unwrap().is_nan());
    let mut out = BytesMut::new();
    encode(&value, &mut out).unwrap();
    assert_eq!(&out[..], bytes);
}

#[test]
fn boolean() {
    both_ways(b"\x01\x00", Value::Boolean(false));
    both_ways(b"\x01\x01", Value::Boolean(true));
    assert_eq!(decode_one(b"\x01\x7f"), Ok(Value::Boolean(true)));
}

#[test]
fn string() {
    both_ways(b"\x02\0\0", Value::from(""));
    both_ways(b"\x02\0\x05caf\xc3\xa9", Value::from("café"));
}

#[test]
fn latin_1_in_text_is_replaced_and_in_names_refused() {
    assert_eq!(decode_one(b"\x02\0\x04caf\xe9"), Ok(Value::from("caf\u{fffd}")));
    let object = b"\x03\0\x04caf\xe9\x05\0\0\x09";
    assert_eq!(decode_one(object), Err(DecodeError::InvalidUtf8 { offset: 6 }));
    let typed = b"\x10\0\x01\xff\0\0\x09";
    assert_eq!(decode_one(typed), Err(DecodeError::InvalidUtf8 { offset: 3 }));
}

#[test]
fn object() {
    let object = Object::new().with("a", true).with("b", Value::Null);
    both_ways(b"\x03\0\x01a\x01\x01\0\x01b\x05\0\0\x09", Value::Object(object));
    both_ways(b"\x03\0\0\x09", Value::Object(Object::new()));
}

#[test]
fn an_empty_name_is_a_name_unless_the_end_follows() {
    let object = Object::new().with("", Value::Null);
    both_ways(b"\x03\0\0\x05\0\0\x09", Value::Object(object));
}

#[test]
fn equal_names_are_kept() {
    let object: Object = [("a", true), ("a", false)].into_iter().collect();
    both_ways(b"\x03\0\x01a\x01\x01\0\x01a\x01\x00\0\0\x09", Value::Object(object));
}

#[test]
fn markers_without_content() {
    both_ways(b"\x05", Value::Null);
    both_ways(b"\x06", Value::Undefined);
    both_ways(b"\x0d", Value::Unsupported);
}

#[test]
fn date() {
    let bytes = b"\x0b\x40\x8f\x40\0\0\0\0\0\xff\xc4";
    both_ways(bytes, Value::Date { ms: 1000.0, zone: -60 });
}

#[test]
fn long_string_and_xml() {
    both_ways(b"\x0c\0\0\0\x02ab", Value::LongString("ab".into()));
    both_ways(b"\x0f\0\0\0\x04<a/>", Value::XmlDocument("<a/>".into()));
}

#[test]
fn a_string_too_long_for_its_type_goes_out_as_a_long_one() {
    for (length, marker) in [(65_535, 0x02), (65_536, 0x0c)] {
        let text = "x".repeat(length);
        let value = Value::from(text.as_str());
        let mut out = BytesMut::new();
        encode(&value, &mut out).unwrap();
        assert_eq!(out[0], marker);
        assert_eq!(encoded_len(&value), Ok(out.len()));
        assert_eq!(decode_one(&out).unwrap().as_str(), Some(text.as_str()));
    }
}

#[test]
fn typed_object() {
    let properties = Object::new().with("a", Value::Undefined);
    let value = Value::TypedObject { class: "C".into(), properties };
    both_ways(b"\x10\0\x01C\0\x01a\x06\0\0\x09", value);
}

#[test]
fn strict_array() {
    let value = Value::StrictArray(vec![Value::Null, Value::Boolean(true)]);
    both_ways(b"\x0a\0\0\0\x02\x05\x01\x01", value);
}

#[test]
fn associative_array_with_a_true_count() {
    let bytes = b"\x08\0\0\0\x01\0\x01a\x05\0\0\x09";
    let value = Value::EcmaArray(Object::new().with("a", Value::Null));
    assert_eq!(decode_one(bytes), Ok(value.clone()));
    let mut out = BytesMut::new();
    encode(&value, &mut out).unwrap();
    assert_eq!(&out[..], bytes);
}

#[test]
fn false_counts_of_associative_arrays_are_tolerated() {
    let value = Value::EcmaArray(Object::new().with("a", Value::Null));
    for count in [0u32, 2, 1_000_000, u32::MAX] {
        let mut bytes = vec![0x08];
        bytes.extend(count.to_be_bytes());
        bytes.extend(b"\0\x01a\x05\0\0\x09");
        assert_eq!(decode_one(&bytes), Ok(value.clone()));
    }
}

#[test]
fn an_associative_array_may_lack_its_end_where_the_input_ends() {
    let value = Value::EcmaArray(Object::new().with("a", Value::Null));
    assert_eq!(decode_one(b"\x08\0\0\0\x01\0\x01a\x05"), Ok(value));
    // Here the count says that more was to come.
    let cut = decode_one(b"\x08\0\0\0\x02\0\x01a\x05");
    assert_eq!(cut, Err(DecodeError::Truncated { offset: 9 }));
    // An object has no count to agree with.
    assert_eq!(decode_one(b"\x03\0\x01a\x05"), Err(DecodeError::Truncated { offset: 5 }));
}

#[test]
fn a_strict_array_is_refused_by_what_can_follow() {
    let huge = b"\x0a\xff\xff\xff\xff\x05\x05\x05";
    assert_eq!(decode_one(huge), Err(DecodeError::Truncated { offset: 1 }));
    assert_eq!(decode_one(b"\x0a\0\0\0\0"), Ok(Value::StrictArray(vec![])));
}

#[test]
fn references_must_point_backward() {
    let bytes = b"\x03\0\x01a\x07\0\0\0\0\x09\x0a\0\0\0\x01\x07\0\x01\x07\0\x01";
    let values = decode_all(bytes).unwrap();
    assert_eq!(values[0].as_object().unwrap().get("a"), Some(&Value::Reference(0)));
    assert_eq!(values[1], Value::StrictArray(vec![Value::Reference(1)]));
    assert_eq!(values[2], Value::Reference(1));
    let dangling = DecodeError::DanglingReference { index: 0, offset: 0 };
    assert_eq!(decode_one(b"\x07\0\0"), Err(dangling));
    // Text and numbers have no index.
    let dangling = DecodeError::DanglingReference { index: 0, offset: 3 };
    assert_eq!(decode_all(b"\x02\0\0\x07\0\0"), Err(dangling));
}

#[test]
fn the_switch_to_amf3_ends_the_values_and_hands_out_the_rest() {
    let mut decoder = Decoder::new(b"\x05\x11\x09\x01", Limits::default());
    assert_eq!(decoder.next(), Ok(Some(Value::Null)));
    assert_eq!(decoder.next(), Ok(Some(Value::AvmPlus)));
    assert_eq!(decoder.next(), Ok(None));
    assert_eq!(decoder.remaining(), b"\x09\x01");
    assert_eq!(decoder.position(), 2);
    let inside = decode_one(b"\x0a\0\0\0\x01\x11");
    assert_eq!(inside, Err(DecodeError::AvmPlusInside { offset: 5 }));
}

/// Stands in for a reader of AMF3: `0` is an array of two arrays, other bytes are themselves, and
/// `9` is not readable.
fn foreign(input: &[u8], position: usize) -> Option<(Value, usize)> {
    let value = match *input.get(position)? {
        0 => Value::StrictArray(vec![Value::StrictArray(vec![]), Value::StrictArray(vec![])]),
        9 => return None,
        byte => Value::from(u32::from(byte)),
    };
    Some((value, position + 1))
}

#[test]
fn a_reader_of_amf3_is_asked_for_each_switched_value() {
    let bytes = b"\x11\x07\x05\x03\0\x01a\x11\x08\0\0\x09\x0a\0\0\0\x01\x11\x06";
    let mut decoder = Decoder::new(bytes, Limits::default());
    let mut next = || decoder.next_with(foreign).unwrap();
    assert_eq!(next(), Some(Value::Number(7.0)));
    assert_eq!(next(), Some(Value::Null));
    assert_eq!(next(), Some(Object::new().with("a", 8.0).into()));
    assert_eq!(next(), Some(Value::StrictArray(vec![Value::Number(6.0)])));
    assert_eq!(next(), None);
}

#[test]
fn a_switched_value_that_cannot_be_read_is_a_fault_of_the_whole_value() {
    let bytes = b"\x05\x03\0\x01a\x11\x09\0\0\x09";
    let mut decoder = Decoder::new(bytes, Limits::default());
    assert_eq!(decoder.next_with(foreign), Ok(Some(Value::Null)));
    let unreadable = Err(DecodeError::SwitchedValue { offset: 5 });
    assert_eq!(decoder.next_with(foreign), unreadable);
    assert_eq!(decoder.next_with(foreign), unreadable);
    assert_eq!(decoder.position(), 1);
    // A reader that returns a place before the value, or behind the input.
    assert_eq!(
        Decoder::new(b"\x11\x01", Limits::default()).next_with(|_, _| Some((Value::Null, 0))),
        Err(DecodeError::SwitchedValue { offset: 0 })
    );
    assert_eq!(
        Decoder::new(b"\x11\x01", Limits::default()).next_with(|_, _| Some((Value::Null, 3))),
        Err(DecodeError::Truncated { offset: 1 })
    );
    let limits = Limits { bytes: 1, ..Limits::default() };
    assert_eq!(
        Decoder::new(b"\x11\x01", limits).next_with(foreign),
        Err(DecodeError::TooManyBytes { offset: 1 })
    );
}

/// On the wire they count objects of AMF0 only, in the values that are handed out all objects.
#[test]
fn references_pass_over_switched_objects() {
    let bytes = b"\x03\0\0\x09\x11\0\x0a\0\0\0\x02\x11\0\x07\0\x01\x07\0\0\x07\0\x02";
    let mut decoder = Decoder::new(bytes, Limits::default());
    let mut values = Vec::new();
    let error = loop {
        match decoder.next_with(foreign) {
            Ok(value) => values.extend(value),
            Err(error) => break error,
        }
    };
    // 0: the object; 1, 2, 3: the switched array; 4: the array of AMF0.
    assert_eq!(values.len(), 4);
    let Value::StrictArray(elements) = &values[2] else { panic!("it is an array") };
    assert_eq!(elements[1], Value::Reference(4));
    assert_eq!(values[3], Value::Reference(0));
    assert_eq!(error, DecodeError::DanglingReference { index: 2, offset: bytes.len() - 3 });
    let mut again = BytesMut::new();
    encode_all(&values, &mut again).unwrap();
    assert_eq!(decode_all(&again).unwrap(), values);
}

#[test]
fn markers_that_mean_nothing() {
    for marker in [0x04, 0x0e] {
        let reserved = DecodeError::ReservedMarker { marker, offset: 0 };
        assert_eq!(decode_one(&[marker]), Err(reserved));
    }
    for marker in [0x09, 0x12, 0xff] {
        let unknown = DecodeError::UnknownMarker { marker, offset: 0 };
        assert_eq!(decode_one(&[marker]), Err(unknown));
    }
}

#[test]
fn a_fault_leaves_the_decoder_before_its_value() {
    let mut decoder = Decoder::new(b"\x05\x03\0\x01a\xff", Limits::default());
    assert_eq!(decoder.next(), Ok(Some(Value::Null)));
    let unknown = DecodeError::UnknownMarker { marker: 0xff, offset: 5 };
    assert_eq!(decoder.next(), Err(unknown));
    assert_eq!(decoder.next(), Err(unknown));
    assert_eq!(decoder.position(), 1);
    assert_eq!(decoder.remaining(), b"\x03\0\x01a\xff");
    assert_eq!(unknown.to_string(), "unknown AMF0 marker 0xff at byte 5");
}

/// `depth` strict arrays of one element each, around a null.
fn nested(depth: usize) -> Vec<u8> {
    let mut bytes = b"\x0a\0\0\0\x01".repeat(depth);
    bytes.push(0x05);
    bytes
}

#[test]
fn nesting_ends_at_the_limit() {
    assert!(decode_one(&nested(32)).is_ok());
    assert_eq!(decode_one(&nested(33)), Err(DecodeError::TooDeep { offset: 32 * 5 }));
    assert_eq!(decode_one(&nested(100_000)), Err(DecodeError::TooDeep { offset: 32 * 5 }));
    let objects = b"\x03\0\0".repeat(100_000);
    assert_eq!(decode_one(&objects), Err(DecodeError::TooDeep { offset: 32 * 3 }));
    // A limit beyond what the stack is known to bear is not believed.
    let limits = Limits { depth: u32::MAX, ..Limits::default() };
    let error = Decoder::new(&nested(100_000), limits).next();
    assert_eq!(error, Err(DecodeError::TooDeep { offset: 128 * 5 }));
}

#[test]
fn values_end_at_the_limit() {
    let limits = Limits { values: 3, ..Limits::default() };
    let mut decoder = Decoder::new(b"\x05\x0a\0\0\0\x02\x05\x05", limits);
    assert_eq!(decoder.next(), Ok(Some(Value::Null)));
    assert_eq!(decoder.next(), Err(DecodeError::TooManyValues { offset: 7 }));
    assert_eq!(decode_all(&[0x05; 65_536]).map(|values| values.len()), Ok(65_536));
    let error = decode_all(&[0x05; 65_537]);
    assert_eq!(error, Err(DecodeError::TooManyValues { offset: 65_536 }));
}

#[test]
fn bytes_end_at_the_limit() {
    let limits = Limits { bytes: 4, ..Limits::default() };
    assert!(Decoder::new(b"\x02\0\x01a", limits).next().is_ok());
    let error = Decoder::new(b"\x02\0\x02ab", limits).next();
    assert_eq!(error, Err(DecodeError::TooManyBytes { offset: 3 }));
}

#[test]
fn what_has_no_wire_form_is_refused_before_anything_is_written() {
    let mut out = BytesMut::new();
    let long_name = Value::Object(Object::new().with("n".repeat(65_536), 1.0));
    assert_eq!(encode(&long_name, &mut out), Err(EncodeError::NameTooLong));
    let inside = Value::StrictArray(vec![Value::AvmPlus]);
    assert_eq!(encode(&inside, &mut out), Err(EncodeError::MisplacedAvmPlus));
    let early = [Value::Null, Value::AvmPlus, Value::Null];
    assert_eq!(encode_all(&early, &mut out), Err(EncodeError::MisplacedAvmPlus));
    let mut deep = Value::Null;
    for _ in 0..129 {
        deep = Value::StrictArray(vec![deep]);
    }
    assert_eq!(encode_all(&[Value::Null, deep], &mut out), Err(EncodeError::TooDeep));
    assert!(out.is_empty());
    encode_all(&[Value::Null, Value::AvmPlus], &mut out).unwrap();
    assert_eq!(&out[..], b"\x05\x11");
}

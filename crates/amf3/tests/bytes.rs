//! Hand-made bytes of every type (AMF3 specification, section 3), read and written back.

use std::sync::Arc;

use millstream_amf3::{
    Array, DecodeError, Decoder, Dictionary, EncodeError, Limits, Object, ObjectVector, Properties,
    Traits, Value, Vector, decode_all, encode, encode_all,
};

/// The bytes mean this value, the value is written as these bytes, and no shorter cut of the
/// bytes means anything.
fn both_ways(bytes: &[u8], value: Value) {
    assert_eq!(decode_all(bytes), Ok(vec![value.clone()]));
    assert_eq!(written(&[value]), bytes);
    for cut in 1..bytes.len() {
        let error = decode_all(&bytes[..cut]).expect_err("a cut is no value");
        assert!(matches!(error, DecodeError::Truncated { offset } if offset <= cut), "{error}");
    }
}

fn written(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    encode_all(values, &mut out).expect("the values are writable");
    out
}

fn decode_one(bytes: &[u8]) -> Result<Value, DecodeError> {
    Ok(Decoder::new(bytes, Limits::default()).next()?.expect("there is input"))
}

#[test]
fn markers_without_content() {
    both_ways(b"\x00", Value::Undefined);
    both_ways(b"\x01", Value::Null);
    both_ways(b"\x02", Value::Boolean(false));
    both_ways(b"\x03", Value::Boolean(true));
}

#[test]
fn integers_at_the_borders_of_each_length() {
    both_ways(b"\x04\x00", Value::Integer(0));
    both_ways(b"\x04\x7f", Value::Integer(127));
    both_ways(b"\x04\x81\x00", Value::Integer(128));
    both_ways(b"\x04\xff\x7f", Value::Integer(16_383));
    both_ways(b"\x04\x81\x80\x00", Value::Integer(16_384));
    both_ways(b"\x04\xff\xff\x7f", Value::Integer(2_097_151));
    both_ways(b"\x04\x80\xc0\x80\x00", Value::Integer(2_097_152));
    both_ways(b"\x04\xbf\xff\xff\xff", Value::Integer(268_435_455));
    both_ways(b"\x04\xff\xff\xff\xff", Value::Integer(-1));
    both_ways(b"\x04\xc0\x80\x80\x00", Value::Integer(-268_435_456));
}

#[test]
fn an_integer_of_more_than_29_bits_goes_out_as_a_double() {
    for number in [268_435_456, -268_435_457, i32::MAX, i32::MIN] {
        let wire = written(&[Value::Integer(number)]);
        assert_eq!(wire.len(), 9);
        assert_eq!(decode_one(&wire), Ok(Value::Double(f64::from(number))));
    }
}

#[test]
fn double() {
    both_ways(b"\x05\x3f\xf8\0\0\0\0\0\0", Value::Double(1.5));
    both_ways(b"\x05\xff\xf0\0\0\0\0\0\0", Value::Double(f64::NEG_INFINITY));
    let nan = b"\x05\x7f\xf8\0\0\0\0\0\x2a";
    assert_eq!(written(&[decode_one(nan).unwrap()]), nan);
}

#[test]
fn string() {
    both_ways(b"\x06\x01", Value::from(""));
    both_ways(b"\x06\x0bcaf\xc3\xa9", Value::from("café"));
    let long = "x".repeat(64);
    both_ways(&[b"\x06\x81\x01", long.as_bytes()].concat(), Value::from(long));
}

#[test]
fn xml_of_both_kinds() {
    both_ways(b"\x07\x09<a/>", Value::XmlDocument("<a/>".into()));
    both_ways(b"\x0b\x09<a/>", Value::Xml("<a/>".into()));
    both_ways(b"\x0b\x01", Value::Xml("".into()));
}

#[test]
fn date() {
    both_ways(b"\x08\x01\x40\x8f\x40\0\0\0\0\0", Value::Date(1000.0));
    // The bits above the lowest mean nothing.
    assert_eq!(decode_one(b"\x08\x7f\x40\x8f\x40\0\0\0\0\0"), Ok(Value::Date(1000.0)));
}

#[test]
fn array() {
    both_ways(b"\x09\x01\x01", Value::from(vec![]));
    both_ways(b"\x09\x05\x01\x04\x01\x03", Value::from(vec![1.into(), true.into()]));
    let associative = Properties::new().with("a", 1).with("b", Value::Null);
    let array = Array { associative, dense: vec![Value::Undefined] };
    both_ways(b"\x09\x03\x03a\x04\x01\x03b\x01\x01\x00", Value::Array(Arc::new(array)));
}

#[test]
fn an_anonymous_object() {
    both_ways(b"\x0a\x0b\x01\x01", Value::from(Properties::new()));
    both_ways(b"\x0a\x0b\x01\x03a\x03\x01", Value::from(Properties::new().with("a", true)));
    let twice = Properties::new().with("a", 1).with("a", 2);
    both_ways(b"\x0a\x0b\x01\x03a\x04\x01\x00\x04\x02\x01", Value::from(twice));
}

#[test]
fn an_object_of_a_class() {
    let sealed = vec!["x".into(), "y".into()];
    let traits = Arc::new(Traits { class: "P".into(), dynamic: false, sealed: sealed.clone() });
    let object = Object::new(traits, vec![1.into(), 2.into()], Properties::new()).unwrap();
    both_ways(b"\x0a\x23\x03P\x03x\x03y\x04\x01\x04\x02", object.into());

    let traits = Arc::new(Traits { class: "P".into(), dynamic: true, sealed });
    let dynamic = Properties::new().with("z", 3);
    let object = Object::new(traits, vec![1.into(), 2.into()], dynamic).unwrap();
    both_ways(b"\x0a\x2b\x03P\x03x\x03y\x04\x01\x04\x02\x03z\x04\x03\x01", object.into());
}

#[test]
fn a_sealed_name_may_be_empty() {
    let traits = Arc::new(Traits { sealed: vec!["".into()], ..Traits::default() });
    let object = Object::new(traits, vec![Value::Null], Properties::new()).unwrap();
    both_ways(b"\x0a\x13\x01\x01\x01", object.into());
}

#[test]
fn byte_array() {
    both_ways(b"\x0c\x01", Value::ByteArray(Arc::default()));
    both_ways(b"\x0c\x07\x00\xff\x11", Value::ByteArray(Arc::from([0, 255, 17])));
}

#[test]
fn vectors_of_numbers() {
    let int = Vector { fixed: true, elements: vec![1, -2] };
    both_ways(b"\x0d\x05\x01\0\0\0\x01\xff\xff\xff\xfe", Value::VectorInt(Arc::new(int)));
    let uint = Vector { fixed: false, elements: vec![u32::MAX] };
    both_ways(b"\x0e\x03\x00\xff\xff\xff\xff", Value::VectorUint(Arc::new(uint)));
    let double = Vector { fixed: false, elements: vec![1.5] };
    both_ways(b"\x0f\x03\x00\x3f\xf8\0\0\0\0\0\0", Value::VectorDouble(Arc::new(double)));
    both_ways(b"\x0d\x01\x00", Value::VectorInt(Arc::default()));
}

#[test]
fn a_vector_of_values() {
    let elements = vec![Value::Null, "a".into()];
    let vector = ObjectVector { fixed: true, class: "C".into(), elements };
    both_ways(b"\x10\x05\x01\x03C\x01\x06\x03a", Value::VectorObject(Arc::new(vector)));
}

#[test]
fn dictionary() {
    let entries = vec![("a".into(), 1.into()), (Value::from(vec![]), Value::Null)];
    let dictionary = Dictionary { weak_keys: true, entries };
    let bytes = b"\x11\x05\x01\x06\x03a\x04\x01\x09\x01\x01\x01";
    both_ways(bytes, Value::Dictionary(Arc::new(dictionary)));
    both_ways(b"\x11\x01\x00", Value::Dictionary(Arc::default()));
}

#[test]
fn latin_1_in_text_is_replaced_and_in_names_refused() {
    assert_eq!(decode_one(b"\x06\x09caf\xe9"), Ok(Value::from("caf\u{fffd}")));
    assert_eq!(decode_one(b"\x0b\x09caf\xe9"), Ok(Value::Xml("caf\u{fffd}".into())));
    let name = b"\x0a\x0b\x01\x09caf\xe9\x01\x01";
    assert_eq!(decode_one(name), Err(DecodeError::InvalidUtf8 { offset: 3 }));
    assert_eq!(decode_one(b"\x0a\x0b\x03\xff\x01"), Err(DecodeError::InvalidUtf8 { offset: 2 }));
    // The same by way of a text.
    let text = b"\x09\x05\x01\x06\x03\xff\x0a\x0b\x01\x00\x01\x01";
    assert_eq!(decode_one(text), Err(DecodeError::InvalidUtf8 { offset: 9 }));
}

#[test]
fn markers_that_mean_nothing() {
    for marker in 0x12..=0xff {
        let unknown = DecodeError::UnknownMarker { marker, offset: 0 };
        assert_eq!(decode_one(&[marker]), Err(unknown));
    }
}

#[test]
fn externalizable_objects_are_refused() {
    // ArrayCollection, the one that Flex sends most.
    let bytes = b"\x0a\x07\x43flex.messaging.io.ArrayCollection\x09\x01\x01";
    assert_eq!(decode_one(bytes), Err(DecodeError::Externalizable { offset: 0 }));
    let inside = [b"\x09\x03\x01", &bytes[..]].concat();
    assert_eq!(decode_one(&inside), Err(DecodeError::Externalizable { offset: 3 }));
}

#[test]
fn a_fault_leaves_the_decoder_before_its_value() {
    // A text, then an array in which a second text comes before the fault.
    let bytes = b"\x06\x03a\x09\x05\x01\x06\x03b\xff\x06\x02";
    let mut decoder = Decoder::new(bytes, Limits::default());
    assert_eq!(decoder.next(), Ok(Some("a".into())));
    let unknown = DecodeError::UnknownMarker { marker: 0xff, offset: 9 };
    assert_eq!(decoder.next(), Err(unknown));
    assert_eq!(decoder.next(), Err(unknown));
    assert_eq!((decoder.position(), decoder.remaining()), (3, &bytes[3..]));
    assert_eq!(unknown.to_string(), "unknown AMF3 marker 0xff at byte 9");
    // The text of the failed value left the table with it.
    decoder.seek(10);
    let error = decoder.next().expect_err("index 1 has not come");
    assert_eq!(error.to_string(), "AMF3 reference to string 1, which has not come at byte 11");
    decoder.seek(1000);
    assert_eq!(decoder.next(), Ok(None));
}

#[test]
fn what_has_no_wire_form_is_refused_before_anything_is_written() {
    let mut out = Vec::new();
    let unnamed = Value::from(Properties::new().with("", 1));
    assert_eq!(encode(&unnamed, &mut out), Err(EncodeError::EmptyName));
    let unnamed = Array { associative: Properties::new().with("", 1), dense: vec![] };
    let unnamed = Value::Array(Arc::new(unnamed));
    assert_eq!(encode_all(&[Value::Null, unnamed], &mut out), Err(EncodeError::EmptyName));
    let mut deep = Value::Null;
    for _ in 0..129 {
        deep = Value::from(vec![deep]);
    }
    assert_eq!(encode_all(&[Value::Null, deep], &mut out), Err(EncodeError::TooDeep));
    assert!(out.is_empty());
}

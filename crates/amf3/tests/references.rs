//! The three tables: hand-made references read, and what occurs again written as one.

use std::sync::Arc;

use millstream_amf3::{
    DecodeError, Decoder, Limits, Object, Properties, Table, Traits, Value, Vector, decode_all,
    encode_all,
};

fn written(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    encode_all(values, &mut out).expect("the values are writable");
    out
}

#[test]
fn texts_and_names_share_a_table_that_the_empty_one_is_not_in() {
    let text = Properties::new().with("b", "a").with("c", "");
    let values = ["a".into(), "".into(), Value::from(text), "b".into(), "c".into()];
    let wire = b"\x06\x03a\x06\x01\x0a\x0b\x01\x03b\x06\x00\x03c\x06\x01\x01\x06\x02\x06\x04";
    assert_eq!(written(&values), wire);
    assert_eq!(decode_all(wire).unwrap(), values);
}

#[test]
fn the_text_of_a_document_is_not_in_the_table_of_texts() {
    let values = [Value::Xml("a".into()), "a".into(), "a".into()];
    let wire = b"\x0b\x03a\x06\x03a\x06\x00";
    assert_eq!(written(&values), wire);
    assert_eq!(decode_all(wire).unwrap(), values);
}

#[test]
fn traits_are_written_once_whatever_memory_they_stand_in() {
    let point = |x: i32| -> Value {
        let traits = Traits { class: "P".into(), dynamic: false, sealed: vec!["x".into()] };
        Object::new(Arc::new(traits), vec![x.into()], Properties::new()).unwrap().into()
    };
    let values = [point(1), Properties::new().into(), point(2), Properties::new().into()];
    let wire = b"\x0a\x13\x03P\x03x\x04\x01\x0a\x0b\x01\x01\x0a\x01\x04\x02\x0a\x05\x01";
    assert_eq!(written(&values), wire);
    let read = decode_all(wire).unwrap();
    assert_eq!(read, values);
    let traits = |index: usize| read[index].as_object().unwrap().traits();
    assert!(Arc::ptr_eq(traits(0), traits(2)));
}

#[test]
fn all_that_is_complex_is_numbered_in_the_order_of_the_markers() {
    let bytes: Arc<[u8]> = Arc::from([7]);
    let numbers = Arc::new(Vector { fixed: false, elements: vec![1.5] });
    let inner = Value::from(vec![Value::ByteArray(bytes.clone())]);
    let values = [
        Value::from(vec![Value::Date(0.0), inner.clone()]),
        Value::VectorDouble(numbers.clone()),
        inner,
        Value::ByteArray(bytes),
        Value::VectorDouble(numbers),
    ];
    let wire = [
        &b"\x09\x05\x01\x08\x01\0\0\0\0\0\0\0\0\x09\x03\x01\x0c\x03\x07"[..],
        b"\x0f\x03\x00\x3f\xf8\0\0\0\0\0\0\x09\x04\x0c\x06\x0f\x08",
    ];
    assert_eq!(written(&values), wire.concat());
    assert_eq!(decode_all(&wire.concat()).unwrap(), values);
}

#[test]
fn what_is_referred_to_is_in_memory_once() {
    let read = decode_all(b"\x09\x03\x01\x03\x09\x00").unwrap();
    let [Value::Array(first), Value::Array(second)] = &read[..] else {
        panic!("two arrays are read");
    };
    assert!(Arc::ptr_eq(first, second));
}

#[test]
fn a_reference_to_a_date_is_read() {
    let date = Value::Date(1000.0);
    let read = decode_all(b"\x08\x01\x40\x8f\x40\0\0\0\0\0\x08\x00").unwrap();
    assert_eq!(read, [date.clone(), date]);
}

/// The empty text and the empty byte array may stand at one address.
#[test]
fn equal_addresses_of_different_types_are_kept_apart() {
    let values = [
        Value::Xml(Arc::default()),
        Value::XmlDocument(Arc::default()),
        Value::ByteArray(Arc::default()),
        Value::VectorInt(Arc::default()),
    ];
    assert_eq!(decode_all(&written(&values)).unwrap(), values);
}

#[test]
fn references_to_what_has_not_come() {
    let dangling = |bytes: &[u8], table, index, offset| {
        let missing = DecodeError::DanglingReference { table, index, offset };
        assert_eq!(decode_all(bytes), Err(missing));
    };
    dangling(b"\x06\x00", Table::Strings, 0, 1);
    dangling(b"\x06\x03a\x06\x02", Table::Strings, 1, 4);
    dangling(b"\x09\x00", Table::Objects, 0, 0);
    dangling(b"\x0c\x01\x0c\x02", Table::Objects, 1, 2);
    dangling(b"\x0a\x01", Table::Traits, 0, 0);
    dangling(b"\x0a\x0b\x01\x01\x0a\x05", Table::Traits, 1, 4);
    dangling(b"\x06\xff\xff\xff\xfe", Table::Strings, (1 << 28) - 1, 1);
}

#[test]
fn references_must_say_the_type_of_what_they_mean() {
    let mismatched = DecodeError::MismatchedReference { index: 0, offset: 3 };
    for marker in [0x07, 0x08, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11] {
        assert_eq!(decode_all(&[9, 1, 1, marker, 0]), Err(mismatched));
    }
}

#[test]
fn an_object_that_contains_itself_is_refused() {
    let cases: [(&[u8], usize); 5] = [
        (b"\x09\x03\x01\x09\x00", 3),
        (b"\x09\x01\x03a\x09\x00\x01", 4),
        (b"\x0a\x0b\x01\x03a\x0a\x00\x01", 5),
        (b"\x10\x03\x00\x01\x10\x00", 4),
        (b"\x11\x03\x00\x09\x03\x01\x11\x00\x01", 6),
    ];
    for (bytes, offset) in cases {
        let recursive = DecodeError::RecursiveReference { index: 0, offset };
        assert_eq!(decode_all(bytes), Err(recursive), "{bytes:x?}");
    }
}

/// As in a message of AMF0, in which each value has its own switch to AMF3.
#[test]
fn the_tables_outlive_what_stands_between_two_values() {
    let bytes = b"\x06\x03a....\x06\x00";
    let mut decoder = Decoder::new(bytes, Limits::default());
    assert_eq!(decoder.next(), Ok(Some("a".into())));
    decoder.seek(decoder.position() + 4);
    assert_eq!(decoder.next(), Ok(Some("a".into())));
    assert_eq!(decoder.next(), Ok(None));
}

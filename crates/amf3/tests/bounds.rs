//! Where reading ends: nesting, values, bytes, and what references would make of them.

use millstream_amf3::{DecodeError, Decoder, Limits, Value, decode_all};

fn decode_one(bytes: &[u8], limits: Limits) -> Result<Value, DecodeError> {
    Ok(Decoder::new(bytes, limits).next()?.expect("there is input"))
}

/// `depth` arrays of one element each, around a null.
fn nested(depth: usize) -> Vec<u8> {
    let mut bytes = b"\x09\x03\x01".repeat(depth);
    bytes.push(0x01);
    bytes
}

#[test]
fn nesting_ends_at_the_limit() {
    let limits = Limits::default();
    assert!(decode_one(&nested(32), limits).is_ok());
    let too_deep = Err(DecodeError::TooDeep { offset: 32 * 3 });
    assert_eq!(decode_one(&nested(33), limits), too_deep);
    assert_eq!(decode_one(&nested(100_000), limits), too_deep);
    let objects = b"\x0a\x0b\x01\x03a".repeat(100_000);
    assert_eq!(decode_one(&objects, limits), Err(DecodeError::TooDeep { offset: 32 * 5 }));
    let keys = b"\x11\x03\x00".repeat(100_000);
    assert_eq!(decode_one(&keys, limits), too_deep);
    // A limit beyond what the stack is known to bear is not believed.
    let limits = Limits { depth: u32::MAX, ..limits };
    let error = decode_one(&nested(100_000), limits);
    assert_eq!(error, Err(DecodeError::TooDeep { offset: 128 * 3 }));
}

#[test]
fn what_has_nothing_within_it_may_stand_at_the_bottom() {
    let limits = Limits { depth: 1, ..Limits::default() };
    for leaf in [&b"\x0c\x01"[..], b"\x08\x01\0\0\0\0\0\0\0\0", b"\x0d\x01\0", b"\x0b\x01"] {
        let bytes = [b"\x09\x05\x01", leaf, &[leaf[0], 2]].concat();
        assert!(decode_one(&bytes, limits).is_ok(), "{leaf:x?}");
    }
    let error = decode_one(b"\x09\x03\x01\x09\x01\x01", limits);
    assert_eq!(error, Err(DecodeError::TooDeep { offset: 3 }));
}

/// Array 0 is empty; each next one has the one before as its only element.
fn stacked(count: u8) -> Vec<u8> {
    let mut bytes = vec![9, 1, 1];
    for index in 0..count {
        bytes.extend([9, 3, 1, 9, index << 1]);
    }
    bytes
}

#[test]
fn references_nest_what_they_mean() {
    assert_eq!(decode_all(&stacked(31)).map(|values| values.len()), Ok(32));
    let error = decode_all(&stacked(32));
    assert_eq!(error, Err(DecodeError::TooDeep { offset: stacked(32).len() - 2 }));
    // A value after a deep one starts from the top again.
    let limits = Limits { depth: 2, ..Limits::default() };
    let mut decoder =
        Decoder::new(b"\x09\x03\x01\x09\x01\x01\x09\x01\x01\x09\x03\x01\x09\x04", limits);
    for _ in 0..3 {
        assert!(decoder.next().unwrap().is_some());
    }
}

#[test]
fn values_end_at_the_limit() {
    let limits = Limits { values: 3, ..Limits::default() };
    let mut decoder = Decoder::new(b"\x01\x09\x05\x01\x01\x01", limits);
    assert_eq!(decoder.next(), Ok(Some(Value::Null)));
    assert_eq!(decoder.next(), Err(DecodeError::TooManyValues { offset: 5 }));
    assert_eq!(decode_all(&[1; 65_536]).map(|values| values.len()), Ok(65_536));
    assert_eq!(decode_all(&[1; 65_537]), Err(DecodeError::TooManyValues { offset: 65_536 }));
    // Numbers of a vector and names of traits.
    let vector = b"\x0d\x07\x00\0\0\0\x01\0\0\0\x02\0\0\0\x03";
    assert_eq!(decode_one(vector, limits), Err(DecodeError::TooManyValues { offset: 3 }));
    let names = b"\x0a\x33\x01\x01\x01\x01\x01\x01\x01";
    assert_eq!(decode_one(names, limits), Err(DecodeError::TooManyValues { offset: 0 }));
}

#[test]
fn bytes_end_at_the_limit() {
    let limits = Limits { bytes: 3, ..Limits::default() };
    assert!(decode_one(b"\x06\x03a", limits).is_ok());
    assert_eq!(decode_one(b"\x06\x05ab", limits), Err(DecodeError::TooManyBytes { offset: 2 }));
}

#[test]
fn counts_are_refused_by_what_can_follow() {
    let cases: [&[u8]; 8] = [
        b"\x09\xff\xff\xff\xff\x01",
        b"\x0a\xff\xff\xff\xf3\x01\x01\x01\x01",
        b"\x0c\xff\xff\xff\xff",
        b"\x0d\xff\xff\xff\xff\x00",
        b"\x0f\xff\xff\xff\xff\x00\x00",
        b"\x10\xff\xff\xff\xff\x00\x01\x01",
        b"\x11\xff\xff\xff\xff\x00\x01\x01",
        b"\x06\xff\xff\xff\xff",
    ];
    for bytes in cases {
        let error = decode_all(bytes).expect_err("there is no room for so many");
        assert!(matches!(error, DecodeError::Truncated { .. }), "{bytes:x?}: {error}");
    }
}

/// Ten arrays, each with ten references to the one before: 10^10 values if written out.
#[test]
fn references_cannot_unfold_into_more_values_than_allowed() {
    let mut bytes = [&b"\x09\x15\x01"[..], &[1; 10]].concat();
    for index in 0..9 {
        bytes.extend([9, 21, 1]);
        bytes.extend([9, index << 1].repeat(10));
    }
    assert!(bytes.len() < 250);
    let mut decoder = Decoder::new(&bytes, Limits::default());
    let error = loop {
        match decoder.next() {
            Ok(value) => assert!(value.is_some(), "the end is not reached"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, DecodeError::TooManyValues { .. }), "{error}");
}

/// One text or byte array of half the bytes, referred to twice more; and names likewise.
#[test]
fn references_cannot_unfold_into_more_bytes_than_allowed() {
    let limits = Limits { bytes: 100, ..Limits::default() };
    let forty = [b'x'; 40];
    for marker in [6, 7, 0x0b, 0x0c] {
        let whole = [&[marker, 81], &forty[..]].concat();
        let twice = [&whole[..], &[marker, 0]].concat();
        let thrice = [&twice[..], &[marker, 0]].concat();
        let mut decoder = Decoder::new(&thrice, limits);
        assert!(decoder.next().unwrap().is_some() && decoder.next().unwrap().is_some());
        let error = decoder.next().expect_err("three times forty bytes");
        assert!(matches!(error, DecodeError::TooManyBytes { .. }), "{error}");
    }
    let named = [b"\x0a\x03\x51", &forty[..], b"\x0a\x01\x0a\x01"].concat();
    let mut decoder = Decoder::new(&named, limits);
    assert!(decoder.next().unwrap().is_some() && decoder.next().unwrap().is_some());
    assert_eq!(decoder.next(), Err(DecodeError::TooManyBytes { offset: 45 }));
}

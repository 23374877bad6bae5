//! Any bytes are refused or understood; what was understood is written in one way, which reads as
//! the same again.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use millstream_amf0::{Decoder, Limits, Value, encode_all, encoded_len};

fuzz_target!(|data: &[u8]| {
    let values = read(data);
    let wire = write(&values);
    // Replaced text is longer than it was, so the second reading is held to no limits of size.
    let limits = Limits { bytes: usize::MAX, ..Limits::default() };
    let mut decoder = Decoder::new(&wire, limits);
    let mut again = Vec::new();
    while let Some(value) = decoder.next().expect("what was written can be read") {
        again.push(value);
    }
    assert_eq!(write(&again), wire);
});

/// The values up to the end or the first fault, with the promises of the decoder checked.
fn read(data: &[u8]) -> Vec<Value> {
    let mut decoder = Decoder::new(data, Limits::default());
    let mut values = Vec::new();
    loop {
        let before = decoder.position();
        match decoder.next() {
            Ok(Some(value)) => {
                assert!(decoder.position() > before);
                values.push(value);
            }
            Ok(None) => {
                let switched = values.last() == Some(&Value::AvmPlus);
                assert!(switched || decoder.remaining().is_empty());
                return values;
            }
            Err(error) => {
                assert_eq!(decoder.position(), before);
                assert!((before..=data.len()).contains(&error.offset()));
                // A failed value leaves no trace.
                assert_eq!(decoder.next(), Err(error));
                return values;
            }
        }
    }
}

fn write(values: &[Value]) -> BytesMut {
    let mut wire = BytesMut::new();
    encode_all(values, &mut wire).expect("what was read can be written");
    let measured: usize = values.iter().map(|value| encoded_len(value).unwrap_or(0)).sum();
    assert_eq!(measured, wire.len());
    wire
}

//! Any bytes are refused or understood; what was understood is written in one way, which reads as
//! the same again. What references share stays within the limits when it is walked through.

#![no_main]

use libfuzzer_sys::fuzz_target;
use millstream_amf3::{Decoder, Limits, Value, encode_all};

fuzz_target!(|data: &[u8]| {
    let values = read(data);
    let limits = Limits::default();
    let walked: u64 = values.iter().map(count).sum();
    assert!(walked <= u64::from(limits.values));
    let wire = write(&values);
    // Replaced text is longer than it was, so the second reading is held to no limits of size.
    let mut decoder = Decoder::new(&wire, Limits { bytes: usize::MAX, ..limits });
    let mut again = Vec::new();
    while let Some(value) = decoder.next().expect("what was written can be read") {
        again.push(value);
    }
    assert_eq!(write(&again), wire);
    // Not a number is equal to nothing; all else must be equal.
    let not_numbers = again.iter().any(|value| *value != value.clone());
    assert!(not_numbers || again == values);
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
                assert!(decoder.remaining().is_empty());
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

/// How many values there are if shared ones are counted where they occur.
fn count(value: &Value) -> u64 {
    let all = |values: &[Value]| values.iter().map(count).sum::<u64>();
    1 + match value {
        Value::Array(array) => {
            let named = array.associative.iter().map(|(_, value)| count(value)).sum::<u64>();
            named + all(&array.dense)
        }
        Value::Object(object) => object.iter().map(|(_, value)| count(value)).sum(),
        Value::VectorInt(vector) => vector.elements.len() as u64,
        Value::VectorUint(vector) => vector.elements.len() as u64,
        Value::VectorDouble(vector) => vector.elements.len() as u64,
        Value::VectorObject(vector) => all(&vector.elements),
        Value::Dictionary(dictionary) => {
            dictionary.entries.iter().map(|(key, value)| count(key) + count(value)).sum()
        }
        _ => 0,
    }
}

fn write(values: &[Value]) -> Vec<u8> {
    let mut wire = Vec::new();
    encode_all(values, &mut wire).expect("what was read can be written");
    wire
}

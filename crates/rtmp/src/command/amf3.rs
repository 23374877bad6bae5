//! The AMF3 scalars that a command may contain behind the AVM+ marker (AMF0 specification,
//! section 3.1; AMF3 specification, section 3).
//!
//! Flash players with object encoding 3 write null, numbers, booleans and stream names this way.
//! Arrays, objects and references are not read: at the first one the values end.

use super::CommandError;
use crate::limits::{COMMAND_ARGUMENTS_MAX, COMMAND_BYTES_MAX, COMMAND_VALUES_MAX};
use millstream_amf0::{Decoder, Limits, Value};

/// The name, the transaction id and the arguments.
const VALUES_MAX: usize = COMMAND_ARGUMENTS_MAX + 2;

/// All values of `payload`, up to the first complex AMF3 value; more than the limit are not read.
pub(super) fn values(mut payload: &[u8]) -> Result<Vec<Value>, CommandError> {
    let limits = Limits { depth: 32, values: COMMAND_VALUES_MAX, bytes: COMMAND_BYTES_MAX };
    let mut values = Vec::new();
    loop {
        let mut decoder = Decoder::new(payload, limits);
        loop {
            if values.len() >= VALUES_MAX {
                return Ok(values);
            }
            match decoder.next().map_err(CommandError::Amf0)? {
                None => return Ok(values),
                Some(Value::AvmPlus) => break,
                Some(value) => values.push(value),
            }
        }
        let Some((value, rest)) = scalar(decoder.remaining()) else {
            return Ok(values);
        };
        values.push(value);
        payload = rest;
    }
}

/// One scalar and what follows it; nothing for other types and for cut-off input.
fn scalar(input: &[u8]) -> Option<(Value, &[u8])> {
    let (&marker, rest) = input.split_first()?;
    Some(match marker {
        0 => (Value::Undefined, rest),
        1 => (Value::Null, rest),
        2 => (Value::Boolean(false), rest),
        3 => (Value::Boolean(true), rest),
        4 => {
            let (bits, rest) = integer(rest)?;
            // 29 bits, two's complement.
            let signed = ((bits << 3) as i32) >> 3;
            (Value::Number(f64::from(signed)), rest)
        }
        5 => {
            let (bytes, rest) = rest.split_first_chunk::<8>()?;
            (Value::Number(f64::from_be_bytes(*bytes)), rest)
        }
        6 => {
            let (header, rest) = integer(rest)?;
            // Bit 0 clear would be a reference to an earlier string.
            if header & 1 == 0 {
                return None;
            }
            let (bytes, rest) = rest.split_at_checked((header >> 1) as usize)?;
            (Value::String(String::from_utf8_lossy(bytes).into_owned()), rest)
        }
        _ => return None,
    })
}

/// A 29-bit integer in one to four bytes (AMF3 specification, section 1.3.1).
fn integer(input: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0_u32;
    for (index, &byte) in input.iter().take(4).enumerate() {
        let rest = &input[index + 1..];
        if index == 3 {
            return Some(((value << 8) | u32::from(byte), rest));
        }
        value = (value << 7) | u32::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, rest));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flash_command_with_amf3_arguments_is_read() {
        // "play", 4, AMF3 null, AMF3 string "live", AMF3 integer -1, AMF3 true.
        let mut payload = vec![2, 0, 4, b'p', b'l', b'a', b'y', 0];
        payload.extend(4.0_f64.to_be_bytes());
        payload.extend([0x11, 1, 0x11, 6, 9, b'l', b'i', b'v', b'e']);
        payload.extend([0x11, 4, 0xff, 0xff, 0xff, 0xff, 0x11, 3]);
        let values = values(&payload).unwrap();
        assert_eq!(
            values,
            [
                Value::String("play".into()),
                Value::Number(4.0),
                Value::Null,
                Value::String("live".into()),
                Value::Number(-1.0),
                Value::Boolean(true),
            ]
        );
    }

    #[test]
    fn values_end_at_a_complex_value_and_at_cut_off_scalars() {
        for tail in
            [&[0x11_u8, 9, 1][..], &[0x11], &[0x11, 5, 0], &[0x11, 6, 9, b'l'], &[0x11, 4, 0x80]]
        {
            let mut payload = vec![5];
            payload.extend(tail);
            assert_eq!(values(&payload).unwrap(), [Value::Null], "{tail:?}");
        }
    }
}

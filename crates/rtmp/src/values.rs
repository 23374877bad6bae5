//! The values of a command or data message: AMF0, in which any value may be written in AMF3
//! behind a switch (AMF0 specification, section 3.1; RTMP 1.0, section 7.1).
//!
//! Here they are read, all in terms of AMF0. The byte that stands before them in messages of type
//! 15 and 17 is taken off in `command`; what the values mean is told where commands and data are
//! read.

mod convert;

use bytes::{Bytes, BytesMut};
use millstream_amf0::{self as amf0, Limits, Value};
use millstream_amf3 as amf3;
use std::fmt;

/// The marker of a switch to AMF3. A payload without this byte has no switch.
const SWITCH: u8 = 0x11;

/// Reads the values of one payload, one after the other.
///
/// A value behind a switch to AMF3 is handed out as the AMF0 value that says the same: integers as
/// numbers, arrays as strict arrays or, with names, as associative ones, vectors as strict arrays,
/// objects as objects with sealed and dynamic members in this order, dictionaries of texts as
/// associative arrays, dates in UTC, XML of both kinds as XML documents. AMF0 has nothing for byte
/// arrays and for dictionaries of anything else: they are [`Value::Unsupported`].
///
/// The tables that AMF3 values refer to are one for the payload.
#[derive(Clone, Debug)]
pub struct Values<'a> {
    amf0: amf0::Decoder<'a>,
    amf3: amf3::Decoder<'a>,
    switched: bool,
}

/// Why values cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValuesError {
    /// A value is not AMF0, or more of it than allowed.
    Amf0(amf0::DecodeError),
    /// A value behind a switch is not AMF3, more of it than allowed, or of the few kinds that
    /// `millstream-amf3` refuses.
    Amf3(amf3::DecodeError),
}

impl<'a> Values<'a> {
    /// The values of `payload`, which begins with the first. The limits hold for each of the two
    /// formats by itself; what AMF3 values refer to counts each time.
    pub fn new(payload: &'a [u8], limits: Limits) -> Self {
        let Limits { depth, values, bytes } = limits;
        let amf3 = amf3::Decoder::new(payload, amf3::Limits { depth, values, bytes });
        Self { amf0: amf0::Decoder::new(payload, limits), amf3, switched: false }
    }

    /// The next value; `None` at the end of the payload.
    ///
    /// # Errors
    /// What is wrong, and where in the payload. There is nothing to be read behind it.
    #[expect(
        clippy::should_implement_trait,
        reason = "the end and a fault must be told apart by `?`"
    )]
    pub fn next(&mut self) -> Result<Option<Value>, ValuesError> {
        let (amf3, switched) = (&mut self.amf3, &mut self.switched);
        let mut fault = None;
        let value = self.amf0.next_with(|payload, position| {
            *switched = true;
            amf3.seek(position);
            match amf3.next() {
                Ok(Some(value)) => Some((convert::as_amf0(&value), amf3.position())),
                Ok(None) => {
                    fault = Some(amf3::DecodeError::Truncated { offset: payload.len() });
                    None
                }
                Err(error) => {
                    fault = Some(error);
                    None
                }
            }
        });
        value.map_err(|error| fault.map_or(ValuesError::Amf0(error), ValuesError::Amf3))
    }

    /// How many bytes have been read.
    pub fn position(&self) -> usize {
        self.amf0.position()
    }
}

/// The same values in AMF0 alone, where some are AMF3; `None` where there is nothing to change,
/// and where they cannot be read or would take more than `bytes_max`.
pub(crate) fn without_amf3(payload: &[u8], bytes_max: usize) -> Option<Bytes> {
    if !payload.contains(&SWITCH) {
        return None;
    }
    let mut values = Values::new(payload, Limits { bytes: bytes_max, ..Limits::default() });
    let mut all = Vec::new();
    while let Some(value) = values.next().ok()? {
        all.push(value);
    }
    let lengths = all.iter().map(|value| amf0::encoded_len(value).ok());
    let length = lengths.sum::<Option<usize>>()?;
    if !values.switched || length > bytes_max {
        return None;
    }
    let mut plain = BytesMut::with_capacity(length);
    amf0::encode_all(&all, &mut plain).ok()?;
    Some(plain.freeze())
}

impl ValuesError {
    /// Whether it is good AMF3 of a kind that is not read: an object that only its class can read,
    /// or one that contains itself.
    pub fn is_unsupported(&self) -> bool {
        use amf3::DecodeError::{Externalizable, RecursiveReference};
        matches!(self, Self::Amf3(Externalizable { .. } | RecursiveReference { .. }))
    }
}

impl fmt::Display for ValuesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Amf0(error) => error.fmt(f),
            Self::Amf3(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ValuesError {}

#[cfg(test)]
mod tests {
    use super::*;
    use millstream_amf0::Object;

    fn read(payload: &[u8]) -> Result<Vec<Value>, ValuesError> {
        let mut values = Values::new(payload, Limits::default());
        let mut all = Vec::new();
        while let Some(value) = values.next()? {
            all.push(value);
        }
        assert_eq!(values.position(), payload.len());
        Ok(all)
    }

    #[test]
    fn values_of_both_formats_stand_side_by_side() {
        // null, AMF3 "live", { a: AMF3 -1 }, AMF3 [true], AMF3 { live: "live" }.
        let payload = b"\x05\x11\x06\x09live\x03\0\x01a\x11\x04\xff\xff\xff\xff\0\0\x09\
            \x11\x09\x03\x01\x03\x11\x0a\x0b\x01\x00\x06\x00\x01";
        let expected = [
            Value::Null,
            "live".into(),
            Object::new().with("a", -1.0).into(),
            Value::StrictArray(vec![true.into()]),
            Object::new().with("live", "live").into(),
        ];
        assert_eq!(read(payload).unwrap(), expected);
        let plain = without_amf3(payload, 1000).unwrap();
        assert_eq!(amf0::decode_all(&plain).unwrap(), expected);
        assert_eq!(without_amf3(payload, plain.len()), Some(plain.clone()));
        assert_eq!(without_amf3(payload, plain.len() - 1), None);
    }

    #[test]
    fn what_has_no_switch_is_left_alone() {
        for payload in [&b"\x05"[..], b"\x02\0\x01\x11", b"\x02\0\x01\x11\xff", b"\x11\xff", b""] {
            assert_eq!(without_amf3(payload, 1000), None, "{payload:x?}");
        }
    }

    #[test]
    fn faults_are_told_apart_and_found_in_the_payload() {
        let truncated = ValuesError::Amf3(amf3::DecodeError::Truncated { offset: 2 });
        assert_eq!(read(b"\x05\x11"), Err(truncated));
        let unknown = amf3::DecodeError::UnknownMarker { marker: 0x12, offset: 2 };
        assert_eq!(read(b"\x05\x11\x12"), Err(ValuesError::Amf3(unknown)));
        let unknown = amf0::DecodeError::UnknownMarker { marker: 0x12, offset: 3 };
        assert_eq!(read(b"\x05\x11\x01\x12"), Err(ValuesError::Amf0(unknown)));
        assert!(!ValuesError::Amf0(unknown).is_unsupported());
        for payload in [&b"\x11\x0a\x07\x03C\x01"[..], b"\x11\x09\x03\x01\x09\x00"] {
            assert!(read(payload).unwrap_err().is_unsupported());
        }
    }

    /// A text of 1,000 bytes in 500 names: converted, it would be there 500 times.
    #[test]
    fn references_do_not_unfold_beyond_the_limits() {
        let text = [b"\x11\x06\x8f\x51", &[b'x'; 1000][..]].concat();
        let again = [&b"\x11\x09\x87\x69\x01"[..], &[6, 0].repeat(500)].concat();
        let payload = [text, again].concat();
        let limits = Limits { bytes: 100_000, ..Limits::default() };
        let mut values = Values::new(&payload, limits);
        assert!(values.next().is_ok());
        let Err(ValuesError::Amf3(error)) = values.next() else { panic!("it is too much") };
        assert!(matches!(error, amf3::DecodeError::TooManyBytes { .. }), "{error}");
    }
}

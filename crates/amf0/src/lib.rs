//! AMF0, the Action Message Format 0 that RTMP commands and FLV script data are written in.
//!
//! Give [`Decoder`] the bytes that have arrived and take one [`Value`] after the other out of it;
//! give [`encode`] a value and a buffer for the way back. There is one rule to keep: a decoder
//! works on a *whole* message. AMF0 has no outer length, so a message that is still arriving
//! cannot be told from one that was cut, and both are [`DecodeError::Truncated`].
//!
//! ```
//! use bytes::BytesMut;
//! use millstream_amf0::{Decoder, Limits, Object, Value, encode_all};
//!
//! // The command an encoder opens a connection with.
//! let arguments = Object::new().with("app", "live").with("tcUrl", "rtmp://example.org/live");
//! let command = [Value::from("connect"), Value::from(1.0), Value::from(arguments)];
//! let mut wire = BytesMut::new();
//! encode_all(&command, &mut wire)?;
//!
//! let mut decoder = Decoder::new(&wire, Limits::default());
//! assert_eq!(decoder.next()?.as_ref().and_then(Value::as_str), Some("connect"));
//! assert_eq!(decoder.next()?.as_ref().and_then(Value::as_number), Some(1.0));
//! let arguments = decoder.next()?;
//! let app = arguments.as_ref().and_then(Value::as_object).and_then(|object| object.get_str("app"));
//! assert_eq!(app, Some("live"));
//! assert!(decoder.next()?.is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What hostile bytes can do
//!
//! They can be refused, and no more. Nesting, the number of values and the bytes looked at are
//! bounded by [`Limits`]; no memory is reserved because a count says so, and a count that cannot
//! be true is refused before its first element is read. References are numbers and are never
//! followed, so a short message cannot unfold into a large one.
//!
//! # What this crate does not do
//!
//! It does not read AMF3: the switch to it is recognised ([`Value::AvmPlus`]), and
//! [`Decoder::remaining`] then hands out the bytes of it; who has a reader of AMF3 lends it to
//! [`Decoder::next_with`] and has such values among the others. It does not map values onto
//! structs, and it does not resolve references.
#![forbid(unsafe_code)]

mod decode;
mod encode;
mod limits;
mod marker;
mod object;
mod value;

pub use decode::{DecodeError, Decoder, decode_all};
pub use encode::{EncodeError, encode, encode_all, encoded_len};
pub use limits::Limits;
pub use object::Object;
pub use value::Value;

/// The example of the README is compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

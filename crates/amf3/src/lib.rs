//! AMF3, the Action Message Format 3 that Flash Player 9 and later write their values in: in RTMP
//! behind a switch within AMF0, in remoting calls, in files.
//!
//! Give [`Decoder`] the bytes of a whole message and take one [`Value`] after the other out of it;
//! give [`encode_all`] values and a buffer for the way back. There is one rule to keep: what was
//! written together must be read by one decoder, for later values refer to earlier ones. AMF3 has
//! no outer length, so a message that is still arriving cannot be told from one that was cut, and
//! both are [`DecodeError::Truncated`].
//!
//! ```
//! use millstream_amf3::{Decoder, Limits, Properties, Value, encode_all};
//!
//! let chat = Value::from(Properties::new().with("from", "ada").with("text", "hello"));
//! let mut wire = Vec::new();
//! encode_all(&[chat.clone(), Value::from(vec![chat, 7.into()])], &mut wire)?;
//!
//! let mut decoder = Decoder::new(&wire, Limits::default());
//! let chat = decoder.next()?;
//! let text = chat.as_ref().and_then(Value::as_object).and_then(|object| object.get("text"));
//! assert_eq!(text.and_then(Value::as_str), Some("hello"));
//! // The second value has the first in it, which was not written twice.
//! let list = decoder.next()?;
//! let list = list.as_ref().and_then(Value::as_array).map(|array| &array.dense[..]);
//! assert_eq!(list, Some(&[chat.unwrap_or(Value::Null), Value::Integer(7)][..]));
//! assert!(decoder.next()?.is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! The format has three tables, of texts, of traits and of everything else that is not a plain
//! number or truth value, and what stands in one need not be written again. The decoder resolves
//! references: values are shared by [`Arc`](std::sync::Arc), so that each is in memory once. The
//! encoder writes references to texts and traits by their content and to other values by their
//! `Arc`; dates, of ten bytes, it always writes out. A value that contains itself can be written in
//! AMF3; it is refused here ([`DecodeError::RecursiveReference`]), for `Arc`s in a circle are never
//! freed.
//!
//! # What hostile bytes can do
//!
//! They can be refused, and no more. Nesting, the number of values and the bytes looked at are
//! bounded by [`Limits`]; no memory is reserved because a count says so, and a count that cannot
//! be true is refused before its first element is read. References count as all that they stand
//! for, nesting included: ten arrays, each with ten references to the one before, are ten thousand
//! million values and refused as such, though they take some two hundred bytes.
//!
//! # What this crate does not do
//!
//! It does not read externalizable objects ([`DecodeError::Externalizable`]): their bytes are
//! known only to the class that wrote them, and so is where they end. It does not map values onto
//! structs, and it does not read the AMF0 around a switch.
#![forbid(unsafe_code)]

mod decode;
mod encode;
mod limits;
mod marker;
mod object;
mod properties;
mod u29;
mod value;

pub use decode::{DecodeError, Decoder, Table, decode_all};
pub use encode::{EncodeError, encode, encode_all};
pub use limits::Limits;
pub use object::{Object, ObjectError, Traits};
pub use properties::Properties;
pub use value::{Array, Dictionary, ObjectVector, Value, Vector};

/// The example of the README is compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

//! Values into bytes (AMF0 specification, section 2).
//!
//! A value is measured first: what cannot be written is found before anything is, and the writing
//! itself cannot fail half way.

use std::fmt;

use bytes::BufMut;

use crate::{Limits, Object, Value, marker};

/// Appends one value to `out`.
///
/// Text over 65,535 bytes goes out as a long string. References are written as given: only the
/// caller knows what stands before them.
///
/// # Errors
///
/// As [`encoded_len`]; `out` is then as it was.
///
/// # Panics
///
/// As all of [`BufMut`], if `out` cannot grow and has less room than [`encoded_len`].
pub fn encode(value: &Value, out: &mut impl BufMut) -> Result<(), EncodeError> {
    encoded_len(value)?;
    write(value, out);
    Ok(())
}

/// Appends several values to `out`, as the arguments of a command are.
///
/// # Errors
///
/// As [`encoded_len`] for each, and [`EncodeError::MisplacedAvmPlus`] if the switch to AMF3 is
/// not the last of them; `out` is then as it was.
///
/// # Panics
///
/// As [`encode`].
pub fn encode_all(values: &[Value], out: &mut impl BufMut) -> Result<(), EncodeError> {
    for (index, value) in values.iter().enumerate() {
        encoded_len(value)?;
        if *value == Value::AvmPlus && index + 1 < values.len() {
            return Err(EncodeError::MisplacedAvmPlus);
        }
    }
    for value in values {
        write(value, out);
    }
    Ok(())
}

/// How many bytes [`encode`] appends for this value.
///
/// # Errors
///
/// A length or count does not fit its field, the nesting is over [`Limits::DEPTH_MAX`], or the
/// switch to AMF3 stands within an object or array.
pub fn encoded_len(value: &Value) -> Result<usize, EncodeError> {
    measure(value, 0)
}

fn measure(value: &Value, depth: u32) -> Result<usize, EncodeError> {
    let content = match value {
        Value::Number(_) => 8,
        Value::Boolean(_) => 1,
        Value::String(text) if text.len() <= usize::from(u16::MAX) => 2 + text.len(),
        Value::String(text) | Value::LongString(text) | Value::XmlDocument(text) => {
            u32::try_from(text.len()).map_err(|_| EncodeError::TextTooLong)?;
            4 + text.len()
        }
        Value::Object(object) => measure_properties(object, depth)?,
        Value::Null | Value::Undefined | Value::Unsupported => 0,
        Value::Reference(_) => 2,
        Value::EcmaArray(object) => 4 + measure_properties(object, depth)?,
        Value::StrictArray(elements) => {
            enter(elements.len(), depth)?;
            let mut length = 4;
            for element in elements {
                length += measure(element, depth + 1)?;
            }
            length
        }
        Value::Date { .. } => 10,
        Value::TypedObject { class, properties } => {
            measure_name(class)? + measure_properties(properties, depth)?
        }
        Value::AvmPlus if depth > 0 => return Err(EncodeError::MisplacedAvmPlus),
        Value::AvmPlus => 0,
    };
    Ok(1 + content)
}

fn measure_properties(object: &Object, depth: u32) -> Result<usize, EncodeError> {
    enter(object.len(), depth)?;
    let mut length = 3;
    for (name, value) in object.iter() {
        length += measure_name(name)? + measure(value, depth + 1)?;
    }
    Ok(length)
}

fn measure_name(name: &str) -> Result<usize, EncodeError> {
    if name.len() > usize::from(u16::MAX) {
        return Err(EncodeError::NameTooLong);
    }
    Ok(2 + name.len())
}

fn enter(count: usize, depth: u32) -> Result<(), EncodeError> {
    if depth >= Limits::DEPTH_MAX {
        return Err(EncodeError::TooDeep);
    }
    u32::try_from(count).map_err(|_| EncodeError::TooManyElements)?;
    Ok(())
}

/// Writes a value that [`measure`] has found to be writable, so no length is cut by its field.
fn write(value: &Value, out: &mut impl BufMut) {
    match value {
        Value::Number(number) => {
            out.put_u8(marker::NUMBER);
            out.put_f64(*number);
        }
        Value::Boolean(boolean) => {
            out.put_u8(marker::BOOLEAN);
            out.put_u8(u8::from(*boolean));
        }
        Value::String(text) if text.len() <= usize::from(u16::MAX) => {
            out.put_u8(marker::STRING);
            write_short(text, out);
        }
        Value::String(text) | Value::LongString(text) => write_long(marker::LONG_STRING, text, out),
        Value::Object(object) => {
            out.put_u8(marker::OBJECT);
            write_properties(object, out);
        }
        Value::Null => out.put_u8(marker::NULL),
        Value::Undefined => out.put_u8(marker::UNDEFINED),
        Value::Reference(index) => {
            out.put_u8(marker::REFERENCE);
            out.put_u16(*index);
        }
        Value::EcmaArray(object) => {
            out.put_u8(marker::ECMA_ARRAY);
            out.put_u32(object.len() as u32);
            write_properties(object, out);
        }
        Value::StrictArray(elements) => {
            out.put_u8(marker::STRICT_ARRAY);
            out.put_u32(elements.len() as u32);
            for element in elements {
                write(element, out);
            }
        }
        Value::Date { ms, zone } => {
            out.put_u8(marker::DATE);
            out.put_f64(*ms);
            out.put_i16(*zone);
        }
        Value::Unsupported => out.put_u8(marker::UNSUPPORTED),
        Value::XmlDocument(text) => write_long(marker::XML_DOCUMENT, text, out),
        Value::TypedObject { class, properties } => {
            out.put_u8(marker::TYPED_OBJECT);
            write_short(class, out);
            write_properties(properties, out);
        }
        Value::AvmPlus => out.put_u8(marker::AVM_PLUS),
    }
}

fn write_properties(object: &Object, out: &mut impl BufMut) {
    for (name, value) in object.iter() {
        write_short(name, out);
        write(value, out);
    }
    out.put_u16(0);
    out.put_u8(marker::OBJECT_END);
}

fn write_short(text: &str, out: &mut impl BufMut) {
    out.put_u16(text.len() as u16);
    out.put_slice(text.as_bytes());
}

fn write_long(marker: u8, text: &str, out: &mut impl BufMut) {
    out.put_u8(marker);
    out.put_u32(text.len() as u32);
    out.put_slice(text.as_bytes());
}

/// Why a value has no AMF0 form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// The name of a property or class is over 65,535 bytes.
    NameTooLong,
    /// Text is over 2^32 - 1 bytes.
    TextTooLong,
    /// An object or array has over 2^32 - 1 elements.
    TooManyElements,
    /// The nesting is over [`Limits::DEPTH_MAX`].
    TooDeep,
    /// The switch to AMF3 is not the last value of the message.
    MisplacedAvmPlus,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NameTooLong => "AMF0 name is over 65,535 bytes",
            Self::TextTooLong => "AMF0 text is over 4 GiB",
            Self::TooManyElements => "AMF0 object or array is over 2^32 - 1 elements",
            Self::TooDeep => "AMF0 value is nested too deeply",
            Self::MisplacedAvmPlus => "switch to AMF3 is not the last AMF0 value",
        })
    }
}

impl std::error::Error for EncodeError {}

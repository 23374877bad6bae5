//! Bytes into values (AMF0 specification, section 2). The bounds stand in `limits`, the switch to
//! AMF3 in `decode::switch`.

mod switch;

use std::fmt;

use crate::{Limits, Object, Value, marker};
use switch::{Ask, HandOut, Inserted, Switch};

/// Reads the values of one message, one after the other.
///
/// All [`Limits`] count over the life of the decoder, and so do the numbers that references use.
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    input: &'a [u8],
    limits: Limits,
    state: State,
    /// What came by way of AMF3 among the objects, in order; empty unless somebody reads it.
    inserted: Vec<Inserted>,
}

/// What reading moves forward, kept apart so that a failed value can be undone as a whole.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// The first byte not yet read; at most `input.len()`.
    position: usize,
    /// Values read so far; at most `limits.values`.
    values: u32,
    /// Objects and arrays begun so far, which is the first index that a reference may not have.
    references: u32,
    /// The rest of the input is AMF3.
    avm_plus: bool,
}

impl<'a> Decoder<'a> {
    /// A decoder at the start of one whole message.
    pub fn new(input: &'a [u8], limits: Limits) -> Self {
        let depth = limits.depth.min(Limits::DEPTH_MAX);
        Self {
            input,
            limits: Limits { depth, ..limits },
            state: State::default(),
            inserted: Vec::new(),
        }
    }

    /// The next value; `None` at the end of the input and behind [`Value::AvmPlus`].
    ///
    /// Text that is not UTF-8 has its faulty bytes replaced by U+FFFD, for encoders write Latin-1
    /// in metadata. Names of properties and classes are compared by programs, so there it is an
    /// error.
    ///
    /// # Errors
    ///
    /// What is wrong and at which offset. The decoder then still stands before the value that
    /// failed, so that [`Decoder::remaining`] shows it, and would fail again in the same way.
    #[expect(
        clippy::should_implement_trait,
        reason = "the end and a fault must be told apart by `?`"
    )]
    pub fn next(&mut self) -> Result<Option<Value>, DecodeError> {
        self.next_by(&mut HandOut)
    }

    /// As [`Decoder::next`], but the message goes on behind a switch to AMF3, at whatever depth it
    /// stands: `amf3` reads the one value that it is for.
    ///
    /// It is given the whole input and the position of the value, and returns what that is in
    /// terms of AMF0 and the position behind it; or `None` if it cannot read it, and keeps the
    /// reason. [`Limits`] count neither the values in what it returns nor their nesting.
    /// References are numbered so that they fit the values that are handed out.
    ///
    /// # Errors
    ///
    /// As [`Decoder::next`], and [`DecodeError::SwitchedValue`] if `amf3` returned `None`.
    pub fn next_with(
        &mut self,
        amf3: impl FnMut(&[u8], usize) -> Option<(Value, usize)>,
    ) -> Result<Option<Value>, DecodeError> {
        self.next_by(&mut Ask(amf3))
    }

    fn next_by(&mut self, switch: &mut impl Switch) -> Result<Option<Value>, DecodeError> {
        if self.state.avm_plus || self.state.position == self.input.len() {
            return Ok(None);
        }
        let (before, inserted) = (self.state, self.inserted.len());
        match self.value(0, switch) {
            Ok(value) => Ok(Some(value)),
            Err(error) => {
                self.state = before;
                self.inserted.truncate(inserted);
                Err(error)
            }
        }
    }

    /// How many bytes have been read.
    pub fn position(&self) -> usize {
        self.state.position
    }

    /// The bytes not yet read. Behind [`Value::AvmPlus`] they are AMF3.
    pub fn remaining(&self) -> &'a [u8] {
        &self.input[self.state.position..]
    }

    /// One value; `depth` counts the objects and arrays around it.
    fn value<S: Switch>(&mut self, depth: u32, switch: &mut S) -> Result<Value, DecodeError> {
        let offset = self.state.position;
        if self.state.values == self.limits.values {
            return Err(DecodeError::TooManyValues { offset });
        }
        self.state.values += 1;
        Ok(match self.byte()? {
            marker::NUMBER => Value::Number(self.number()?),
            marker::BOOLEAN => Value::Boolean(self.byte()? != 0),
            marker::STRING => Value::String(self.short_text()?),
            marker::OBJECT => {
                self.enter(depth, offset)?;
                Value::Object(self.properties(depth, None, switch)?)
            }
            marker::NULL => Value::Null,
            marker::UNDEFINED => Value::Undefined,
            marker::REFERENCE => {
                let index = self.u16()?;
                Value::Reference(self.referred(index, offset)?)
            }
            marker::ECMA_ARRAY => {
                self.enter(depth, offset)?;
                let count = self.u32()?;
                Value::EcmaArray(self.properties(depth, Some(count), switch)?)
            }
            marker::STRICT_ARRAY => {
                self.enter(depth, offset)?;
                Value::StrictArray(self.elements(depth, switch)?)
            }
            marker::DATE => {
                let ms = self.number()?;
                Value::Date { ms, zone: i16::from_be_bytes(self.array()?) }
            }
            marker::LONG_STRING => Value::LongString(self.long_text()?),
            marker::UNSUPPORTED => Value::Unsupported,
            marker::XML_DOCUMENT => Value::XmlDocument(self.long_text()?),
            marker::TYPED_OBJECT => {
                self.enter(depth, offset)?;
                let class = self.name()?;
                Value::TypedObject { class, properties: self.properties(depth, None, switch)? }
            }
            marker::AVM_PLUS if S::READS => self.switched(switch, offset)?,
            // Where the AMF3 value ends only AMF3 knows, so nothing could go on behind it.
            marker::AVM_PLUS if depth > 0 => return Err(DecodeError::AvmPlusInside { offset }),
            marker::AVM_PLUS => {
                self.state.avm_plus = true;
                Value::AvmPlus
            }
            found @ (marker::MOVIE_CLIP | marker::RECORD_SET) => {
                return Err(DecodeError::ReservedMarker { marker: found, offset });
            }
            found => return Err(DecodeError::UnknownMarker { marker: found, offset }),
        })
    }

    /// Begins an object or array within `depth` others.
    fn enter(&mut self, depth: u32, offset: usize) -> Result<(), DecodeError> {
        if depth >= self.limits.depth {
            return Err(DecodeError::TooDeep { offset });
        }
        // Cannot overflow: there are no more objects than values, and these fit in 32 bits.
        self.state.references += 1;
        Ok(())
    }

    /// Properties up to the end marker.
    ///
    /// The count of an associative array is not believed: encoders write 0, or one too many, and
    /// end it by the marker all the same. Some FLV writers leave out the marker at the very end
    /// of the script tag instead, which is taken as an end when the count agrees.
    fn properties(
        &mut self,
        depth: u32,
        count: Option<u32>,
        switch: &mut impl Switch,
    ) -> Result<Object, DecodeError> {
        let mut object = Object::new();
        loop {
            if self.state.position == self.input.len()
                && count.is_some_and(|count| count as usize == object.len())
            {
                return Ok(object);
            }
            let name = self.name()?;
            if name.is_empty() && self.peek() == Some(marker::OBJECT_END) {
                self.byte()?;
                return Ok(object);
            }
            let value = self.value(depth + 1, switch)?;
            object.push(name, value);
        }
    }

    fn elements(
        &mut self,
        depth: u32,
        switch: &mut impl Switch,
    ) -> Result<Vec<Value>, DecodeError> {
        let offset = self.state.position;
        let count = self.u32()?;
        // The shortest element is one byte, so a count that is too large is known at once.
        if count as usize > self.remaining().len() {
            return Err(DecodeError::Truncated { offset });
        }
        let mut elements = Vec::new();
        for _ in 0..count {
            elements.push(self.value(depth + 1, switch)?);
        }
        Ok(elements)
    }

    fn short_text(&mut self) -> Result<String, DecodeError> {
        let length = self.u16()?;
        Ok(String::from_utf8_lossy(self.take(usize::from(length))?).into_owned())
    }

    fn long_text(&mut self) -> Result<String, DecodeError> {
        let length = self.u32()?;
        Ok(String::from_utf8_lossy(self.take(length as usize)?).into_owned())
    }

    fn name(&mut self) -> Result<String, DecodeError> {
        let length = self.u16()?;
        let offset = self.state.position;
        let bytes = self.take(usize::from(length))?;
        match std::str::from_utf8(bytes) {
            Ok(name) => Ok(name.to_owned()),
            Err(error) => Err(DecodeError::InvalidUtf8 { offset: offset + error.valid_up_to() }),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.input.get(self.state.position).copied()
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_be_bytes)
    }

    fn number(&mut self) -> Result<f64, DecodeError> {
        self.array().map(f64::from_be_bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// The next `length` bytes: the only place that moves through the input.
    fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let offset = self.state.position;
        let bytes = self.remaining().get(..length).ok_or(DecodeError::Truncated { offset })?;
        if offset + length > self.limits.bytes {
            return Err(DecodeError::TooManyBytes { offset });
        }
        self.state.position += length;
        Ok(bytes)
    }
}

/// All values of one message, with the default [`Limits`].
///
/// A message that switches to AMF3 ends with [`Value::AvmPlus`] here; use a [`Decoder`] to get at
/// what follows.
///
/// # Errors
///
/// As [`Decoder::next`].
pub fn decode_all(input: &[u8]) -> Result<Vec<Value>, DecodeError> {
    let mut decoder = Decoder::new(input, Limits::default());
    let mut values = Vec::new();
    while let Some(value) = decoder.next()? {
        values.push(value);
    }
    Ok(values)
}

/// Why bytes are no AMF0, or more of it than allowed; offsets count from the start of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The input ends within a value, or a length or count reaches past its end.
    Truncated {
        /// Where the part begins that is not whole.
        offset: usize,
    },
    /// A marker without a format: movie clip or record set.
    ReservedMarker {
        /// The marker.
        marker: u8,
        /// Where it stands.
        offset: usize,
    },
    /// A byte that marks no type.
    UnknownMarker {
        /// The byte.
        marker: u8,
        /// Where it stands.
        offset: usize,
    },
    /// A reference to an object that has not come.
    DanglingReference {
        /// The index it has.
        index: u16,
        /// Where its marker stands.
        offset: usize,
    },
    /// A switch to AMF3 within an object or array, behind which nothing can be read.
    AvmPlusInside {
        /// Where its marker stands.
        offset: usize,
    },
    /// A value behind a switch to AMF3 that its reader could not read; the reader has the reason.
    SwitchedValue {
        /// Where the switch stands.
        offset: usize,
    },
    /// The name of a property or class is not UTF-8.
    InvalidUtf8 {
        /// The first byte that is not.
        offset: usize,
    },
    /// More objects and arrays within each other than [`Limits::depth`].
    TooDeep {
        /// Where the marker of the first one too many stands.
        offset: usize,
    },
    /// More values than [`Limits::values`].
    TooManyValues {
        /// Where the first one too many begins.
        offset: usize,
    },
    /// More bytes than [`Limits::bytes`].
    TooManyBytes {
        /// Where the part begins that reaches past the limit.
        offset: usize,
    },
}

impl DecodeError {
    /// Where in the input the fault is.
    pub fn offset(&self) -> usize {
        match *self {
            Self::Truncated { offset }
            | Self::ReservedMarker { offset, .. }
            | Self::UnknownMarker { offset, .. }
            | Self::DanglingReference { offset, .. }
            | Self::AvmPlusInside { offset }
            | Self::SwitchedValue { offset }
            | Self::InvalidUtf8 { offset }
            | Self::TooDeep { offset }
            | Self::TooManyValues { offset }
            | Self::TooManyBytes { offset } => offset,
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { .. } => f.write_str("AMF0 is cut short")?,
            Self::ReservedMarker { marker, .. } => write!(f, "reserved AMF0 marker {marker:#04x}")?,
            Self::UnknownMarker { marker, .. } => write!(f, "unknown AMF0 marker {marker:#04x}")?,
            Self::DanglingReference { index, .. } => {
                write!(f, "AMF0 reference to object {index}, which has not come")?;
            }
            Self::AvmPlusInside { .. } => f.write_str("switch to AMF3 within an AMF0 object")?,
            Self::SwitchedValue { .. } => {
                f.write_str("unreadable value behind a switch to AMF3")?
            }
            Self::InvalidUtf8 { .. } => f.write_str("AMF0 name is not UTF-8")?,
            Self::TooDeep { .. } => f.write_str("AMF0 objects are nested too deeply")?,
            Self::TooManyValues { .. } => f.write_str("too many AMF0 values")?,
            Self::TooManyBytes { .. } => f.write_str("too many bytes of AMF0")?,
        }
        write!(f, " at byte {}", self.offset())
    }
}

impl std::error::Error for DecodeError {}

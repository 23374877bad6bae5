//! Bytes into values (AMF3 specification, section 3). The bounds stand in `limits`, how each
//! complex type is laid out in `decode::complex`.

mod complex;
mod error;
mod tables;

use std::sync::Arc;

use crate::{Limits, Value, marker, u29};
pub use error::{DecodeError, Table};
use tables::{Tables, Text};

/// Reads the values of one message, one after the other.
///
/// All [`Limits`] count over the life of the decoder, and the tables that references point into
/// live as long.
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    input: &'a [u8],
    limits: Limits,
    state: State,
    tables: Tables,
}

/// What reading moves forward, kept apart so that a failed value can be undone as a whole.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// The first byte not yet read; at most `input.len()`.
    position: usize,
    /// Values read so far; at most `limits.values`.
    values: u32,
    /// Bytes read so far, or stood for by references; at most `limits.bytes`.
    bytes: usize,
    /// The deepest level reached within the object that is being read; at most `limits.depth`.
    deepest: u32,
}

impl<'a> Decoder<'a> {
    /// A decoder at the start of one whole message.
    pub fn new(input: &'a [u8], limits: Limits) -> Self {
        let depth = limits.depth.min(Limits::DEPTH_MAX);
        let limits = Limits { depth, ..limits };
        Self { input, limits, state: State::default(), tables: Tables::default() }
    }

    /// The next value; `None` at the end of the input.
    ///
    /// Text that is not UTF-8 has its faulty bytes replaced by U+FFFD. Names of properties and
    /// classes are compared by programs, so there it is an error.
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
        if self.state.position == self.input.len() {
            return Ok(None);
        }
        let (before, lengths) = (self.state, self.tables.lengths());
        match self.value(0) {
            Ok(value) => Ok(Some(value)),
            Err(error) => {
                self.state = before;
                self.tables.cut(lengths);
                Err(error)
            }
        }
    }

    /// Goes to a byte of the input: AMF3 values stand between others in a message of AMF0, and
    /// share their tables. Past the end is at the end.
    pub fn seek(&mut self, position: usize) {
        self.state.position = position.min(self.input.len());
    }

    /// Where in the input the next value begins.
    pub fn position(&self) -> usize {
        self.state.position
    }

    /// The bytes not yet read.
    pub fn remaining(&self) -> &'a [u8] {
        &self.input[self.state.position..]
    }

    /// One value; `depth` counts the values around it.
    fn value(&mut self, depth: u32) -> Result<Value, DecodeError> {
        let offset = self.state.position;
        self.count(1, offset)?;
        Ok(match self.byte()? {
            marker::UNDEFINED => Value::Undefined,
            marker::NULL => Value::Null,
            marker::FALSE => Value::Boolean(false),
            marker::TRUE => Value::Boolean(true),
            marker::INTEGER => Value::Integer(u29::to_signed(self.u29()?)),
            marker::DOUBLE => Value::Double(self.double()?),
            marker::STRING => Value::String(self.string()?.text),
            found @ marker::XML_DOCUMENT..=marker::DICTIONARY => {
                self.complex(found, depth, offset)?
            }
            found => return Err(DecodeError::UnknownMarker { marker: found, offset }),
        })
    }

    /// A text or a reference to one (section 1.3.2). The empty text is in no table.
    fn string(&mut self) -> Result<Text, DecodeError> {
        let offset = self.state.position;
        let header = self.u29()?;
        let index = header >> 1;
        if header & 1 == 0 {
            let missing = DecodeError::DanglingReference { table: Table::Strings, index, offset };
            let known = self.tables.strings.get(index as usize).ok_or(missing)?.clone();
            self.spend(known.text.len(), offset)?;
            return Ok(known);
        }
        let bytes = self.take(index as usize)?;
        let text = String::from_utf8_lossy(bytes);
        let text = Text { text: Arc::from(&*text), exact: text.as_bytes() == bytes };
        if !bytes.is_empty() {
            self.tables.strings.push(text.clone());
        }
        Ok(text)
    }

    /// The name of a property or class.
    fn name(&mut self) -> Result<Arc<str>, DecodeError> {
        let offset = self.state.position;
        let name = self.string()?;
        if name.exact { Ok(name.text) } else { Err(DecodeError::InvalidUtf8 { offset }) }
    }

    fn double(&mut self) -> Result<f64, DecodeError> {
        self.array().map(f64::from_be_bytes)
    }

    fn u29(&mut self) -> Result<u32, DecodeError> {
        let offset = self.state.position;
        let (number, length) =
            u29::read(self.remaining()).ok_or(DecodeError::Truncated { offset })?;
        self.take(length)?;
        Ok(number)
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        self.array::<1>().map(|[byte]| byte)
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
        self.spend(length, offset)?;
        self.state.position += length;
        Ok(bytes)
    }

    /// Counts bytes that were read or that a reference stands for.
    fn spend(&mut self, bytes: usize, offset: usize) -> Result<(), DecodeError> {
        let spent = self.state.bytes.checked_add(bytes).filter(|&sum| sum <= self.limits.bytes);
        self.state.bytes = spent.ok_or(DecodeError::TooManyBytes { offset })?;
        Ok(())
    }

    /// Counts values that were read or that a reference stands for.
    fn count(&mut self, values: u32, offset: usize) -> Result<(), DecodeError> {
        let sum = self.state.values.checked_add(values).filter(|&sum| sum <= self.limits.values);
        self.state.values = sum.ok_or(DecodeError::TooManyValues { offset })?;
        Ok(())
    }
}

/// All values of one message, with the default [`Limits`].
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

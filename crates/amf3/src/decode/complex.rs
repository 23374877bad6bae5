//! The types that may be referred to: each begins with 29 bits, of which the lowest tells a
//! reference (0) from the value itself (1).
//!
//! ```text
//! index 0                                                         reference to an object
//! length 1       | bytes                                          XML, bytes (3.9, 3.13, 3.14)
//! ...... 1       | milliseconds 64                                date (3.10)
//! count 1        | (name value)* empty name | value*              array (3.11)
//! index 01       | value* | [(name value)* empty name]            object of known traits (3.12)
//! names D 011    | class | name* | as above, the last if D        object of new traits
//! ...... 111     | class | whatever the class writes              externalizable object
//! count 1        | fixed 8 | number*                              vector of numbers (3.15)
//! count 1        | fixed 8 | class | value*                       vector of values
//! count 1        | weak 8 | (key value)*                          dictionary (3.16)
//! ```

use std::sync::Arc;

use super::tables::{Class, Entry, Known};
use super::{DecodeError, Decoder, Table};
use crate::{Array, Dictionary, Object, ObjectVector, Properties, Traits, Value, Vector, marker};

impl Decoder<'_> {
    /// A value of the type of `marker`, which stands at `offset`, or a reference to one.
    pub(super) fn complex(
        &mut self,
        marker: u8,
        depth: u32,
        offset: usize,
    ) -> Result<Value, DecodeError> {
        let header = self.u29()?;
        if header & 1 == 0 {
            return self.refer(header >> 1, marker, depth, offset);
        }
        let before = self.state;
        let index = self.tables.objects.len();
        self.tables.objects.push(Entry { marker, known: None });
        self.state.deepest = depth;
        let value = self.content(marker, header, depth, offset)?;
        let known = Known {
            value: value.clone(),
            height: self.state.deepest - depth,
            values: self.state.values - before.values,
            bytes: self.state.bytes - before.bytes,
        };
        self.tables.objects[index].known = Some(known);
        self.state.deepest = self.state.deepest.max(before.deepest);
        Ok(value)
    }

    /// The object of this index once more, at the price of reading it once more.
    fn refer(
        &mut self,
        index: u32,
        marker: u8,
        depth: u32,
        offset: usize,
    ) -> Result<Value, DecodeError> {
        let missing = DecodeError::DanglingReference { table: Table::Objects, index, offset };
        let entry = self.tables.objects.get(index as usize).ok_or(missing)?;
        if entry.marker != marker {
            return Err(DecodeError::MismatchedReference { index, offset });
        }
        let known = entry.known.as_ref();
        let known = known.ok_or(DecodeError::RecursiveReference { index, offset })?;
        let (value, values, bytes) = (known.value.clone(), known.values, known.bytes);
        let deepest = depth + known.height;
        if deepest > self.limits.depth {
            return Err(DecodeError::TooDeep { offset });
        }
        self.state.deepest = self.state.deepest.max(deepest);
        self.count(values, offset)?;
        self.spend(bytes, offset)?;
        Ok(value)
    }

    /// What follows the 29 bits of a value that is no reference.
    fn content(
        &mut self,
        marker: u8,
        header: u32,
        depth: u32,
        offset: usize,
    ) -> Result<Value, DecodeError> {
        let length = header >> 1;
        Ok(match marker {
            marker::XML_DOCUMENT => Value::XmlDocument(self.document(length)?),
            marker::XML => Value::Xml(self.document(length)?),
            marker::DATE => Value::Date(self.double()?),
            marker::BYTE_ARRAY => Value::ByteArray(self.take(length as usize)?.into()),
            marker::VECTOR_INT => Value::VectorInt(self.numbers(length, i32::from_be_bytes)?),
            marker::VECTOR_UINT => Value::VectorUint(self.numbers(length, u32::from_be_bytes)?),
            marker::VECTOR_DOUBLE => Value::VectorDouble(self.numbers(length, f64::from_be_bytes)?),
            // The four that are left have values within them.
            _ => {
                if depth >= self.limits.depth {
                    return Err(DecodeError::TooDeep { offset });
                }
                self.state.deepest = self.state.deepest.max(depth + 1);
                self.container(marker, header, depth + 1, offset)?
            }
        })
    }

    /// A value with others in it, at `depth`.
    fn container(
        &mut self,
        marker: u8,
        header: u32,
        depth: u32,
        offset: usize,
    ) -> Result<Value, DecodeError> {
        let count = header >> 1;
        Ok(match marker {
            marker::ARRAY => {
                let associative = self.properties(depth)?;
                Value::Array(Arc::new(Array { associative, dense: self.elements(count, depth)? }))
            }
            marker::VECTOR_OBJECT => {
                let (fixed, class) = (self.byte()? != 0, self.name()?);
                let elements = self.elements(count, depth)?;
                Value::VectorObject(Arc::new(ObjectVector { fixed, class, elements }))
            }
            marker::DICTIONARY => {
                let weak_keys = self.byte()? != 0;
                self.room_for(count, 2)?;
                let mut entries = Vec::new();
                for _ in 0..count {
                    entries.push((self.value(depth)?, self.value(depth)?));
                }
                Value::Dictionary(Arc::new(Dictionary { weak_keys, entries }))
            }
            _ => {
                let traits = self.traits(header, offset)?;
                let sealed = self.elements(traits.sealed.len() as u32, depth)?;
                let dynamic =
                    if traits.dynamic { self.properties(depth)? } else { Properties::new() };
                let object = Object::new(traits, sealed, dynamic);
                Value::from(object.expect("as many values were read as there are names"))
            }
        })
    }

    /// New traits, or those that an object before had.
    fn traits(&mut self, header: u32, offset: usize) -> Result<Arc<Traits>, DecodeError> {
        if header & 0b10 == 0 {
            let index = header >> 2;
            let missing = DecodeError::DanglingReference { table: Table::Traits, index, offset };
            let known = self.tables.traits.get(index as usize).ok_or(missing)?;
            let (traits, bytes) = (known.traits.clone(), known.bytes);
            self.spend(bytes, offset)?;
            return Ok(traits);
        }
        if header & 0b100 != 0 {
            return Err(DecodeError::Externalizable { offset });
        }
        let class = self.name()?;
        let count = header >> 4;
        self.room_for(count, 1)?;
        self.count(count, offset)?;
        let mut sealed = Vec::new();
        for _ in 0..count {
            sealed.push(self.name()?);
        }
        let bytes = class.len() + sealed.iter().map(|name| name.len()).sum::<usize>();
        let traits = Arc::new(Traits { class, dynamic: header & 0b1000 != 0, sealed });
        self.tables.traits.push(Class { traits: traits.clone(), bytes });
        Ok(traits)
    }

    /// Names and values, up to the empty name.
    fn properties(&mut self, depth: u32) -> Result<Properties, DecodeError> {
        let mut properties = Properties::new();
        loop {
            let name = self.name()?;
            if name.is_empty() {
                return Ok(properties);
            }
            let value = self.value(depth)?;
            properties.push(name, value);
        }
    }

    fn elements(&mut self, count: u32, depth: u32) -> Result<Vec<Value>, DecodeError> {
        self.room_for(count, 1)?;
        let mut elements = Vec::new();
        for _ in 0..count {
            elements.push(self.value(depth)?);
        }
        Ok(elements)
    }

    /// The flag and the numbers of a vector.
    fn numbers<T, const N: usize>(
        &mut self,
        count: u32,
        number: impl Fn([u8; N]) -> T,
    ) -> Result<Arc<Vector<T>>, DecodeError> {
        let fixed = self.byte()? != 0;
        let offset = self.state.position;
        let length = (count as usize).checked_mul(N).ok_or(DecodeError::Truncated { offset })?;
        let bytes = self.take(length)?;
        self.count(count, offset)?;
        let (chunks, _) = bytes.as_chunks::<N>();
        Ok(Arc::new(Vector {
            fixed,
            elements: chunks.iter().map(|&bytes| number(bytes)).collect(),
        }))
    }

    /// The text of a document: not a string of the table of strings.
    fn document(&mut self, length: u32) -> Result<Arc<str>, DecodeError> {
        Ok(Arc::from(&*String::from_utf8_lossy(self.take(length as usize)?)))
    }

    /// Refuses at once a count of things of at least `each` bytes for which there is no room.
    fn room_for(&self, count: u32, each: usize) -> Result<(), DecodeError> {
        if count as usize > self.remaining().len() / each {
            return Err(DecodeError::Truncated { offset: self.state.position });
        }
        Ok(())
    }
}

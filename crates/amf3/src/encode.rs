//! Values into bytes (AMF3 specification, section 3). The layout of each type is drawn in
//! `decode::complex`.
//!
//! What is written stands in a buffer of its own until it is whole, so that a value without a wire
//! form leaves no trace.

use std::{collections::HashMap, fmt, sync::Arc};

use bytes::BufMut;

use crate::{
    Array, Dictionary, Limits, Object, ObjectVector, Properties, Traits, Value, Vector, marker, u29,
};

/// Appends one value to `out`.
///
/// Texts, names and traits that occur again are written as references, whatever memory they stand
/// in, and so is what occurs again as the same [`Arc`]. The length is therefore that of the
/// different parts, however often each occurs.
///
/// # Errors
///
/// [`EncodeError`]; `out` is then as it was.
///
/// # Panics
///
/// As all of [`BufMut`], if `out` cannot grow and has too little room.
pub fn encode(value: &Value, out: &mut impl BufMut) -> Result<(), EncodeError> {
    encode_all(std::slice::from_ref(value), out)
}

/// Appends several values to `out`, which share their references: one decoder must read them.
///
/// # Errors
///
/// As [`encode`].
///
/// # Panics
///
/// As [`encode`].
pub fn encode_all(values: &[Value], out: &mut impl BufMut) -> Result<(), EncodeError> {
    let mut writer = Writer::default();
    for value in values {
        writer.value(value, 0)?;
    }
    out.put_slice(&writer.out);
    Ok(())
}

/// What has been written, and the index that each part of it has for references.
#[derive(Default)]
struct Writer<'v> {
    out: Vec<u8>,
    strings: HashMap<&'v str, usize>,
    traits: HashMap<&'v Traits, usize>,
    /// By marker and address. The values are borrowed for as long, so no address is used twice;
    /// empty texts and byte arrays may share one, which the marker keeps apart.
    objects: HashMap<(u8, usize), usize>,
    /// Objects written, dates included, which is the next index.
    objects_written: usize,
}

impl<'v> Writer<'v> {
    /// One value; `depth` counts the values around it.
    fn value(&mut self, value: &'v Value, depth: u32) -> Result<(), EncodeError> {
        match value {
            Value::Undefined => self.out.push(marker::UNDEFINED),
            Value::Null => self.out.push(marker::NULL),
            Value::Boolean(false) => self.out.push(marker::FALSE),
            Value::Boolean(true) => self.out.push(marker::TRUE),
            Value::Integer(number) => self.integer(*number),
            Value::Double(number) => self.double(*number),
            Value::String(text) => {
                self.out.push(marker::STRING);
                self.string(text)?;
            }
            Value::XmlDocument(text) => self.document(marker::XML_DOCUMENT, text)?,
            Value::Date(ms) => {
                self.out.push(marker::DATE);
                self.objects_written += 1;
                self.header(0, 0b1, 1)?;
                self.out.put_f64(*ms);
            }
            Value::Array(array) => self.array(array, enter(depth)?)?,
            Value::Object(object) => self.object(object, enter(depth)?)?,
            Value::Xml(text) => self.document(marker::XML, text)?,
            Value::ByteArray(bytes) => {
                if self.begin(marker::BYTE_ARRAY, bytes)? {
                    self.header(bytes.len(), 0b1, 1)?;
                    self.out.put_slice(bytes);
                }
            }
            Value::VectorInt(vector) => {
                self.numbers(marker::VECTOR_INT, vector, |number| number.to_be_bytes())?;
            }
            Value::VectorUint(vector) => {
                self.numbers(marker::VECTOR_UINT, vector, |number| number.to_be_bytes())?;
            }
            Value::VectorDouble(vector) => {
                self.numbers(marker::VECTOR_DOUBLE, vector, |number| number.to_be_bytes())?;
            }
            Value::VectorObject(vector) => self.object_vector(vector, enter(depth)?)?,
            Value::Dictionary(dictionary) => self.dictionary(dictionary, enter(depth)?)?,
        }
        Ok(())
    }

    /// A number that needs more than 29 bits goes out as a double, which holds it exactly.
    fn integer(&mut self, number: i32) {
        match u29::from_signed(number) {
            Some(bits) => {
                self.out.push(marker::INTEGER);
                u29::write(bits, &mut self.out);
            }
            None => self.double(f64::from(number)),
        }
    }

    fn double(&mut self, number: f64) {
        self.out.push(marker::DOUBLE);
        self.out.put_f64(number);
    }

    /// A text or name, or a reference to where it was written before. The empty one has no index.
    fn string(&mut self, text: &'v str) -> Result<(), EncodeError> {
        if let Some(&index) = self.strings.get(text) {
            return self.header(index, 0b0, 1);
        }
        if !text.is_empty() {
            self.strings.insert(text, self.strings.len());
        }
        self.header(text.len(), 0b1, 1)?;
        self.out.put_slice(text.as_bytes());
        Ok(())
    }

    fn document(&mut self, marker: u8, text: &'v Arc<str>) -> Result<(), EncodeError> {
        if self.begin(marker, text)? {
            self.header(text.len(), 0b1, 1)?;
            self.out.put_slice(text.as_bytes());
        }
        Ok(())
    }

    fn array(&mut self, array: &'v Arc<Array>, depth: u32) -> Result<(), EncodeError> {
        if self.begin(marker::ARRAY, array)? {
            self.header(array.dense.len(), 0b1, 1)?;
            self.properties(&array.associative, depth)?;
            self.values(&array.dense, depth)?;
        }
        Ok(())
    }

    fn object(&mut self, object: &'v Arc<Object>, depth: u32) -> Result<(), EncodeError> {
        if self.begin(marker::OBJECT, object)? {
            self.traits(object.traits())?;
            self.values(object.sealed(), depth)?;
            if object.traits().dynamic {
                self.properties(object.dynamic(), depth)?;
            }
        }
        Ok(())
    }

    fn traits(&mut self, traits: &'v Traits) -> Result<(), EncodeError> {
        if let Some(&index) = self.traits.get(traits) {
            return self.header(index, 0b01, 2);
        }
        self.traits.insert(traits, self.traits.len());
        self.header(traits.sealed.len(), if traits.dynamic { 0b1011 } else { 0b0011 }, 4)?;
        self.string(&traits.class)?;
        traits.sealed.iter().try_for_each(|name| self.string(name))
    }

    fn numbers<T: Copy, const N: usize>(
        &mut self,
        marker: u8,
        vector: &'v Arc<Vector<T>>,
        bytes: impl Fn(T) -> [u8; N],
    ) -> Result<(), EncodeError> {
        if self.begin(marker, vector)? {
            self.header(vector.elements.len(), 0b1, 1)?;
            self.out.push(u8::from(vector.fixed));
            self.out.extend(vector.elements.iter().flat_map(|&number| bytes(number)));
        }
        Ok(())
    }

    fn object_vector(
        &mut self,
        vector: &'v Arc<ObjectVector>,
        depth: u32,
    ) -> Result<(), EncodeError> {
        if self.begin(marker::VECTOR_OBJECT, vector)? {
            self.header(vector.elements.len(), 0b1, 1)?;
            self.out.push(u8::from(vector.fixed));
            self.string(&vector.class)?;
            self.values(&vector.elements, depth)?;
        }
        Ok(())
    }

    fn dictionary(
        &mut self,
        dictionary: &'v Arc<Dictionary>,
        depth: u32,
    ) -> Result<(), EncodeError> {
        if self.begin(marker::DICTIONARY, dictionary)? {
            self.header(dictionary.entries.len(), 0b1, 1)?;
            self.out.push(u8::from(dictionary.weak_keys));
            for (key, value) in &dictionary.entries {
                self.value(key, depth)?;
                self.value(value, depth)?;
            }
        }
        Ok(())
    }

    fn properties(&mut self, properties: &'v Properties, depth: u32) -> Result<(), EncodeError> {
        for (name, value) in properties.iter() {
            if name.is_empty() {
                return Err(EncodeError::EmptyName);
            }
            self.string(name)?;
            self.value(value, depth)?;
        }
        self.string("")
    }

    fn values(&mut self, values: &'v [Value], depth: u32) -> Result<(), EncodeError> {
        values.iter().try_for_each(|value| self.value(value, depth))
    }

    /// Writes the marker, and a reference if this very object was written before. Says whether its
    /// content must follow.
    fn begin<T: ?Sized>(&mut self, marker: u8, object: &'v Arc<T>) -> Result<bool, EncodeError> {
        self.out.push(marker);
        let key = (marker, Arc::as_ptr(object).cast::<()>().addr());
        if let Some(&index) = self.objects.get(&key) {
            self.header(index, 0b0, 1)?;
            return Ok(false);
        }
        self.objects.insert(key, self.objects_written);
        self.objects_written += 1;
        Ok(true)
    }

    /// A length, count or index above the `bits` lowest of 29 bits, which say what it is.
    fn header(&mut self, number: usize, low: u32, bits: u32) -> Result<(), EncodeError> {
        if number > (u29::MAX >> bits) as usize {
            return Err(EncodeError::TooLong);
        }
        u29::write((number as u32) << bits | low, &mut self.out);
        Ok(())
    }
}

/// The depth of what stands in a value at `depth`.
fn enter(depth: u32) -> Result<u32, EncodeError> {
    if depth >= Limits::DEPTH_MAX {
        return Err(EncodeError::TooDeep);
    }
    Ok(depth + 1)
}

/// Why a value has no AMF3 form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// A text, byte array, list or table does not fit its length or index of 28 bits, or the names
    /// of a class theirs of 25.
    TooLong,
    /// A dynamic member or a named value of an array has an empty name, which would end the list.
    EmptyName,
    /// The nesting is over [`Limits::DEPTH_MAX`].
    TooDeep,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "AMF3 text or list is too long",
            Self::EmptyName => "AMF3 property has an empty name",
            Self::TooDeep => "AMF3 value is nested too deeply",
        })
    }
}

impl std::error::Error for EncodeError {}

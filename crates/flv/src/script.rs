//! Script data: a name and values in AMF0 (FLV 10.1, E.4.4), such as `onMetaData`. AMF0 itself
//! stands in `millstream-amf0`.

use std::fmt;

use bytes::BufMut;
use millstream_amf0::{DecodeError, Decoder, EncodeError, Limits, Object, Value, encode_all};

/// The payload of a script tag, and of an AMF0 data message of RTMP.
#[derive(Clone, Debug, PartialEq)]
pub struct ScriptData {
    /// What it is about; `onMetaData` for nearly all.
    pub name: String,
    /// What it says.
    pub values: Vec<Value>,
    /// The fault at which reading ended, with the values before it kept. Old writers end the tag
    /// with the end marker of an object that never began.
    pub fault: Option<DecodeError>,
}

impl ScriptData {
    /// Script data of one value.
    pub fn new(name: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { name: name.into(), values: vec![value.into()], fault: None }
    }

    /// Reads a payload.
    ///
    /// # Errors
    ///
    /// It does not begin with a name. A fault behind it is kept in [`ScriptData::fault`].
    pub fn parse(payload: &[u8], limits: Limits) -> Result<Self, ScriptError> {
        let mut decoder = Decoder::new(payload, limits);
        let name = match decoder.next().map_err(ScriptError::Name)? {
            Some(Value::String(name) | Value::LongString(name)) => name,
            _ => return Err(ScriptError::NoName),
        };
        let mut values = Vec::new();
        let fault = loop {
            match decoder.next() {
                Ok(Some(value)) => values.push(value),
                Ok(None) => break None,
                Err(fault) => break Some(fault),
            }
        };
        Ok(Self { name, values, fault })
    }

    /// The properties that `onMetaData` tells, whichever type the encoder wrote them as.
    pub fn metadata(&self) -> Option<&Object> {
        if self.name != "onMetaData" {
            return None;
        }
        self.values.iter().find_map(Value::as_object)
    }

    /// Appends the payload to `out`.
    ///
    /// # Errors
    ///
    /// A value cannot be written; `out` may then have the name without it.
    pub fn write(&self, out: &mut impl BufMut) -> Result<(), EncodeError> {
        encode_all(&[Value::from(self.name.as_str())], out)?;
        encode_all(&self.values, out)
    }
}

/// Why a payload is no script data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScriptError {
    /// The name cannot be read.
    Name(DecodeError),
    /// The first value is no string, or there is none.
    NoName,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(_) => f.write_str("name of the script data cannot be read"),
            Self::NoName => f.write_str("script data does not begin with a name"),
        }
    }
}

impl std::error::Error for ScriptError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Name(fault) => Some(fault),
            Self::NoName => None,
        }
    }
}

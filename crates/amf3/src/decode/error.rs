//! Why bytes could not be read, and where.

use std::fmt;

/// One of the three lists that references point into (AMF3 specification, sections 3.8 and 3.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Texts and names.
    Strings,
    /// All that section 3.1 calls complex: dates, arrays, objects, XML, bytes, vectors, dictionaries.
    Objects,
    /// What the classes of objects declare.
    Traits,
}

/// Why bytes are no AMF3, or more of it than allowed; offsets count from the start of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The input ends within a value, or a length or count reaches past its end.
    Truncated {
        /// Where the part begins that is not whole.
        offset: usize,
    },
    /// A byte that marks no type.
    UnknownMarker {
        /// The byte.
        marker: u8,
        /// Where it stands.
        offset: usize,
    },
    /// A reference to what has not come.
    DanglingReference {
        /// Of what kind it would be.
        table: Table,
        /// The index it has.
        index: u32,
        /// Where the value begins that the reference stands in, or the name.
        offset: usize,
    },
    /// A reference to an object of another type than the marker before it says.
    MismatchedReference {
        /// The index among the objects.
        index: u32,
        /// Where its marker stands.
        offset: usize,
    },
    /// A reference to an object that it stands in itself: the value would have no end.
    RecursiveReference {
        /// The index among the objects.
        index: u32,
        /// Where its marker stands.
        offset: usize,
    },
    /// An object that its class writes in a way of its own, so that nobody else knows its end.
    Externalizable {
        /// Where its marker stands.
        offset: usize,
    },
    /// The name of a property or class is not UTF-8.
    InvalidUtf8 {
        /// Where the name begins.
        offset: usize,
    },
    /// More values within each other than [`Limits::depth`](crate::Limits::depth).
    TooDeep {
        /// Where the marker of the first one too many stands.
        offset: usize,
    },
    /// More values than [`Limits::values`](crate::Limits::values).
    TooManyValues {
        /// Where the value or list begins that goes over the limit.
        offset: usize,
    },
    /// More bytes than [`Limits::bytes`](crate::Limits::bytes).
    TooManyBytes {
        /// Where the part begins that goes over the limit.
        offset: usize,
    },
}

impl DecodeError {
    /// Where in the input the fault is.
    pub fn offset(&self) -> usize {
        match *self {
            Self::Truncated { offset }
            | Self::UnknownMarker { offset, .. }
            | Self::DanglingReference { offset, .. }
            | Self::MismatchedReference { offset, .. }
            | Self::RecursiveReference { offset, .. }
            | Self::Externalizable { offset }
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
            Self::Truncated { .. } => f.write_str("AMF3 is cut short")?,
            Self::UnknownMarker { marker, .. } => write!(f, "unknown AMF3 marker {marker:#04x}")?,
            Self::DanglingReference { table, index, .. } => {
                let kind = match table {
                    Table::Strings => "string",
                    Table::Objects => "object",
                    Table::Traits => "traits",
                };
                write!(f, "AMF3 reference to {kind} {index}, which has not come")?;
            }
            Self::MismatchedReference { index, .. } => {
                write!(f, "AMF3 reference to object {index}, which is of another type")?;
            }
            Self::RecursiveReference { index, .. } => {
                write!(f, "AMF3 reference to object {index} within itself")?;
            }
            Self::Externalizable { .. } => f.write_str("externalizable AMF3 object")?,
            Self::InvalidUtf8 { .. } => f.write_str("AMF3 name is not UTF-8")?,
            Self::TooDeep { .. } => f.write_str("AMF3 values are nested too deeply")?,
            Self::TooManyValues { .. } => f.write_str("too many AMF3 values")?,
            Self::TooManyBytes { .. } => f.write_str("too many bytes of AMF3")?,
        }
        write!(f, " at byte {}", self.offset())
    }
}

impl std::error::Error for DecodeError {}

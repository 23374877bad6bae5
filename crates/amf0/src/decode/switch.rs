//! The switch to AMF3 (AMF0 specification, section 3.1): who reads what stands behind it, and what
//! that means for references. AMF3 itself is not known here.

use super::{DecodeError, Decoder};
use crate::Value;

/// What becomes of a switch to AMF3.
pub(super) trait Switch {
    /// Whether the values behind switches are read; otherwise the first switch is the end.
    const READS: bool;

    /// The value that begins at `position`, and where it ends.
    fn read(&mut self, input: &[u8], position: usize) -> Option<(Value, usize)>;
}

/// Hands out the bytes behind the first switch.
pub(super) struct HandOut;

impl Switch for HandOut {
    const READS: bool = false;

    fn read(&mut self, _: &[u8], _: usize) -> Option<(Value, usize)> {
        None
    }
}

/// Has the caller read each value.
pub(super) struct Ask<F>(pub(super) F);

impl<F: FnMut(&[u8], usize) -> Option<(Value, usize)>> Switch for Ask<F> {
    const READS: bool = true;

    fn read(&mut self, input: &[u8], position: usize) -> Option<(Value, usize)> {
        (self.0)(input, position)
    }
}

/// Objects that came by way of AMF3 and are no objects to the references of AMF0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inserted {
    /// How many objects of AMF0 had come before them.
    before: u32,
    /// How many they are.
    count: u32,
}

impl Decoder<'_> {
    /// The value behind the switch that stands at `offset`.
    pub(super) fn switched(
        &mut self,
        switch: &mut impl Switch,
        offset: usize,
    ) -> Result<Value, DecodeError> {
        let position = self.state.position;
        let (value, end) =
            switch.read(self.input, position).ok_or(DecodeError::SwitchedValue { offset })?;
        // More than what is there is refused by the taking.
        let length = end.checked_sub(position).ok_or(DecodeError::SwitchedValue { offset })?;
        self.take(length)?;
        let count = objects_in(&value);
        if count > 0 {
            self.inserted.push(Inserted { before: self.state.references, count });
        }
        Ok(value)
    }

    /// The number, among all objects of the values handed out, of the one that a reference means.
    pub(super) fn referred(&self, index: u16, offset: usize) -> Result<u16, DecodeError> {
        let dangling = DecodeError::DanglingReference { index, offset };
        if u32::from(index) >= self.state.references {
            return Err(dangling);
        }
        let before = self.inserted.iter().filter(|inserted| inserted.before <= u32::from(index));
        let moved = before.map(|inserted| u64::from(inserted.count)).sum::<u64>();
        u16::try_from(u64::from(index) + moved).map_err(|_| dangling)
    }
}

/// The objects and arrays in a value, itself counted.
fn objects_in(value: &Value) -> u32 {
    match value {
        Value::Object(properties)
        | Value::EcmaArray(properties)
        | Value::TypedObject { properties, .. } => {
            properties.iter().fold(1, |sum, (_, value)| objects_in(value).saturating_add(sum))
        }
        Value::StrictArray(elements) => {
            elements.iter().fold(1, |sum, value| objects_in(value).saturating_add(sum))
        }
        _ => 0,
    }
}

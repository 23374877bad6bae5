//! What references may point to: the three tables of a decoder (AMF3 specification, sections 3.8
//! and 3.12). Reading and the limits stand in `decode`; here is only what has come.

use std::sync::Arc;

use crate::{Traits, Value};

/// What has come so far, each list in the order of the wire.
#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    pub(super) strings: Vec<Text>,
    pub(super) traits: Vec<Class>,
    pub(super) objects: Vec<Entry>,
}

/// A text that is not empty.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) text: Arc<str>,
    /// It is what was sent: no faulty byte had to be replaced.
    pub(super) exact: bool,
}

/// Traits, and how many bytes their names have.
#[derive(Clone, Debug)]
pub(super) struct Class {
    pub(super) traits: Arc<Traits>,
    pub(super) bytes: usize,
}

/// What was marked as an object of any kind.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The marker it came with, which a reference must repeat.
    pub(super) marker: u8,
    /// What became of it; `None` while it is being read.
    pub(super) known: Option<Known>,
}

/// An object that was read to its end, and what it costs to have it again.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) value: Value,
    /// How many levels of nesting it adds to where it stands.
    pub(super) height: u32,
    /// Values within it, itself not counted.
    pub(super) values: u32,
    /// Bytes of it, those that references in it stand for counted each time.
    pub(super) bytes: usize,
}

/// The lengths of the tables at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lengths {
    strings: usize,
    traits: usize,
    objects: usize,
}

impl Tables {
    pub(super) fn lengths(&self) -> Lengths {
        Lengths {
            strings: self.strings.len(),
            traits: self.traits.len(),
            objects: self.objects.len(),
        }
    }

    /// Forgets what came since.
    pub(super) fn cut(&mut self, to: Lengths) {
        self.strings.truncate(to.strings);
        self.traits.truncate(to.traits);
        self.objects.truncate(to.objects);
    }
}

//! Objects and what their classes declare (AMF3 specification, section 3.12). The wire form stands
//! in `decode` and `encode`.

use std::{fmt, sync::Arc};

use crate::{Properties, Value};

/// What all objects of one class have in common. A message says it once and refers to it then.
///
/// Externalizable traits are missing: what follows them only the code of the class could read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Traits {
    /// The name under which the class was registered; empty for an anonymous object.
    pub class: Arc<str>,
    /// Whether an object may have members beside the sealed ones.
    pub dynamic: bool,
    /// The names of the members that each object has, in the order of their values.
    pub sealed: Vec<Arc<str>>,
}

/// An object: a value for each sealed name, then dynamic members if the traits allow them.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    traits: Arc<Traits>,
    /// As many as `traits.sealed` has names.
    sealed: Vec<Value>,
    /// Empty unless `traits.dynamic`.
    dynamic: Properties,
}

impl Object {
    /// An object of these traits.
    ///
    /// # Errors
    ///
    /// There are not as many sealed values as names, or dynamic members where the traits allow none.
    pub fn new(
        traits: Arc<Traits>,
        sealed: Vec<Value>,
        dynamic: Properties,
    ) -> Result<Self, ObjectError> {
        if sealed.len() != traits.sealed.len() {
            let (names, values) = (traits.sealed.len(), sealed.len());
            return Err(ObjectError::SealedCount { names, values });
        }
        if !traits.dynamic && !dynamic.is_empty() {
            return Err(ObjectError::NotDynamic);
        }
        Ok(Self { traits, sealed, dynamic })
    }

    /// The name of its class; empty for an anonymous object.
    pub fn class(&self) -> &str {
        &self.traits.class
    }

    /// What its class declares.
    pub fn traits(&self) -> &Arc<Traits> {
        &self.traits
    }

    /// The values of the sealed members, in the order of [`Traits::sealed`].
    pub fn sealed(&self) -> &[Value] {
        &self.sealed
    }

    /// The dynamic members.
    pub fn dynamic(&self) -> &Properties {
        &self.dynamic
    }

    /// The value of the last member of this name, dynamic ones coming after sealed ones.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let sealed = || {
            let index = self.traits.sealed.iter().rposition(|key| **key == *name)?;
            self.sealed.get(index)
        };
        self.dynamic.get(name).or_else(sealed)
    }

    /// All members: the sealed ones, then the dynamic ones.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Value)> {
        self.traits.sealed.iter().zip(&self.sealed).chain(self.dynamic.iter())
    }
}

/// An anonymous object, of which all members are dynamic.
impl From<Properties> for Object {
    fn from(dynamic: Properties) -> Self {
        let traits = Arc::new(Traits { dynamic: true, ..Traits::default() });
        Self { traits, sealed: Vec::new(), dynamic }
    }
}

/// Why an object does not fit its traits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ObjectError {
    /// Its sealed values are not as many as the names that the traits declare.
    SealedCount {
        /// How many names there are.
        names: usize,
        /// How many values there are.
        values: usize,
    },
    /// It has dynamic members, which the traits do not allow.
    NotDynamic,
}

impl fmt::Display for ObjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SealedCount { names, values } => {
                write!(f, "{values} values for {names} sealed members")
            }
            Self::NotDynamic => f.write_str("dynamic members in an object of a sealed class"),
        }
    }
}

impl std::error::Error for ObjectError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_fits_its_traits() {
        let names: Vec<Arc<str>> = vec!["x".into(), "y".into()];
        let traits = Arc::new(Traits { class: "P".into(), dynamic: false, sealed: names.clone() });
        let short = Object::new(traits.clone(), vec![1.into()], Properties::new());
        assert_eq!(short, Err(ObjectError::SealedCount { names: 2, values: 1 }));
        let values = vec![1.into(), 2.into()];
        let more = Properties::new().with("y", 3);
        let loose = Object::new(traits, values.clone(), more.clone());
        assert_eq!(loose, Err(ObjectError::NotDynamic));

        let traits = Arc::new(Traits { class: "P".into(), dynamic: true, sealed: names });
        let object = Object::new(traits, values, more).unwrap();
        assert_eq!(object.class(), "P");
        assert_eq!(object.get("x"), Some(&Value::Integer(1)));
        assert_eq!(object.get("y"), Some(&Value::Integer(3)));
        assert_eq!(object.get("z"), None);
        let names: Vec<_> = object.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["x", "y", "y"]);
    }
}

//! A table of values under small, reused numbers, each with a count that tells a reused number from
//! the value that had it before. Connections, outlets and views of a shard live in such tables.

/// The key of a value: its place, and which tenant of the place it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The place in the table.
    pub at: u32,
    tenant: u32,
}

/// The table.
pub struct Slots<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
}

struct Place<T> {
    tenant: u32,
    value: Option<T>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slots<T> {
    /// Puts a value in and gives its key.
    pub fn insert(&mut self, value: T) -> Key {
        if let Some(at) = self.free.pop() {
            let place = &mut self.places[at as usize];
            place.value = Some(value);
            return Key { at, tenant: place.tenant };
        }
        let at = u32::try_from(self.places.len()).expect("descriptors bound a shard's tables");
        self.places.push(Place { tenant: 0, value: Some(value) });
        Key { at, tenant: 0 }
    }

    /// Takes a value out.
    pub fn remove(&mut self, key: Key) -> Option<T> {
        let place = self.places.get_mut(key.at as usize)?;
        if place.tenant != key.tenant {
            return None;
        }
        let value = place.value.take()?;
        place.tenant = place.tenant.wrapping_add(1);
        self.free.push(key.at);
        Some(value)
    }

    /// The value under a key, if it is still there.
    pub fn at(&self, key: Key) -> Option<&T> {
        let place = self.places.get(key.at as usize)?;
        if place.tenant == key.tenant { place.value.as_ref() } else { None }
    }

    /// The value under a key, to be changed.
    pub fn at_mut(&mut self, key: Key) -> Option<&mut T> {
        let place = self.places.get_mut(key.at as usize)?;
        if place.tenant == key.tenant { place.value.as_mut() } else { None }
    }

    /// The key of whatever stands at a place.
    pub fn key_at(&self, at: u32) -> Option<Key> {
        let place = self.places.get(at as usize)?;
        place.value.as_ref().map(|_| Key { at, tenant: place.tenant })
    }

    /// All values with their keys.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        (0u32..).zip(&self.places).filter_map(|(at, place)| {
            place.value.as_ref().map(|value| (Key { at, tenant: place.tenant }, value))
        })
    }

    /// All values with their keys, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Key, &mut T)> {
        (0u32..).zip(&mut self.places).filter_map(|(at, place)| {
            let tenant = place.tenant;
            place.value.as_mut().map(|value| (Key { at, tenant }, value))
        })
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::Slots;

    #[test]
    fn a_reused_place_has_another_key() {
        let mut slots = Slots::default();
        let first = slots.insert("a");
        assert_eq!(slots.remove(first), Some("a"));
        let second = slots.insert("b");
        assert_eq!(first.at, second.at);
        assert_eq!(slots.at(first), None);
        assert_eq!(slots.remove(first), None);
        assert_eq!(slots.at(second), Some(&"b"));
        assert_eq!(slots.len(), 1);
    }
}

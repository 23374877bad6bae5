//! A table of values under small, reused numbers, each with a count that tells a reused number from
//! the value that had it before. Connections, outlets and views of a shard live in such tables.
//!
//! A table grows by pages and moves nothing. If it doubled, up to half of it would lie idle, the
//! allocator would keep what it outgrew, and at 16,000 viewers the shard would stand still for the
//! copying of megabytes.

/// The key of a value: its place, and which tenant of the place it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The place in the table.
    pub at: u32,
    tenant: u32,
}

/// What a page takes at most, in bytes: a size of which allocators have a class, so that nothing
/// remains beside it. Of the last page only what is used becomes resident.
const PAGE_BYTES: usize = 32 * 1024;

/// The table.
pub struct Slots<T> {
    /// All but the last are full; none grows beyond the capacity that it began with.
    pages: Vec<Vec<Place<T>>>,
    free: Vec<u32>,
}

struct Place<T> {
    tenant: u32,
    value: Option<T>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { pages: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slots<T> {
    /// Places of a page: a constant, so that finding a place takes no division.
    const PER_PAGE: usize = {
        let places = PAGE_BYTES / size_of::<Place<T>>();
        if places == 0 { 1 } else { places }
    };

    /// Puts a value in and gives its key.
    pub fn insert(&mut self, value: T) -> Key {
        if let Some(at) = self.free.pop() {
            let place = self.place_mut(at).expect("only places of the table come free");
            place.value = Some(value);
            return Key { at, tenant: place.tenant };
        }
        let at = u32::try_from(self.places()).expect("descriptors bound a shard's tables");
        if self.pages.last().is_none_or(|page| page.len() == Self::PER_PAGE) {
            self.pages.push(Vec::with_capacity(Self::PER_PAGE));
        }
        let page = self.pages.last_mut().expect("there is one with room");
        page.push(Place { tenant: 0, value: Some(value) });
        Key { at, tenant: 0 }
    }

    /// Takes a value out.
    pub fn remove(&mut self, key: Key) -> Option<T> {
        let place = self.place_mut(key.at)?;
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
        let place = self.place(key.at)?;
        if place.tenant == key.tenant { place.value.as_ref() } else { None }
    }

    /// The value under a key, to be changed.
    pub fn at_mut(&mut self, key: Key) -> Option<&mut T> {
        let place = self.place_mut(key.at)?;
        if place.tenant == key.tenant { place.value.as_mut() } else { None }
    }

    /// The key of whatever stands at a place.
    pub fn key_at(&self, at: u32) -> Option<Key> {
        let place = self.place(at)?;
        place.value.as_ref().map(|_| Key { at, tenant: place.tenant })
    }

    /// All values with their keys.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        (0u32..).zip(self.pages.iter().flatten()).filter_map(|(at, place)| {
            place.value.as_ref().map(|value| (Key { at, tenant: place.tenant }, value))
        })
    }

    /// All values with their keys, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Key, &mut T)> {
        (0u32..).zip(self.pages.iter_mut().flatten()).filter_map(|(at, place)| {
            let tenant = place.tenant;
            place.value.as_mut().map(|value| (Key { at, tenant }, value))
        })
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.places() - self.free.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many places there are, used and free.
    fn places(&self) -> usize {
        let Some((last, full)) = self.pages.split_last() else { return 0 };
        full.len() * Self::PER_PAGE + last.len()
    }

    fn place(&self, at: u32) -> Option<&Place<T>> {
        let at = at as usize;
        self.pages.get(at / Self::PER_PAGE)?.get(at % Self::PER_PAGE)
    }

    fn place_mut(&mut self, at: u32) -> Option<&mut Place<T>> {
        let at = at as usize;
        self.pages.get_mut(at / Self::PER_PAGE)?.get_mut(at % Self::PER_PAGE)
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

    #[test]
    fn values_of_all_pages_are_found_and_never_move() {
        let mut slots = Slots::default();
        let first = slots.insert([0_u32; 100]);
        let stands: *const [u32; 100] = slots.at(first).unwrap();
        let mut keys = vec![first];
        keys.extend((1..1000).map(|number| slots.insert([number; 100])));
        assert!(slots.pages.len() > 10);
        assert!(slots.pages.iter().all(|page| page.capacity() == page_of(&slots)));
        assert!(std::ptr::eq(stands, slots.at(first).unwrap()));
        for (number, key) in (0..).zip(&keys) {
            assert_eq!(key.at, number);
            assert_eq!(slots.at(*key), Some(&[number; 100]));
            assert_eq!(slots.key_at(number), Some(*key));
        }
        assert_eq!(slots.key_at(1000), None);
        assert!(slots.iter().map(|(key, _)| key).eq(keys.iter().copied()));
        assert_eq!(slots.remove(keys[500]), Some([500; 100]));
        slots.iter_mut().for_each(|(_, value)| value[0] += 1);
        assert_eq!(
            slots.at_mut(keys[999]),
            Some(&mut {
                let mut last = [999; 100];
                last[0] = 1000;
                last
            })
        );
        assert_eq!((slots.len(), slots.iter().count()), (999, 999));
        assert_eq!(slots.insert([7; 100]).at, 500);
        assert_eq!(slots.len(), 1000);
    }

    /// A value larger than a page has one of its own.
    #[test]
    fn large_values_have_room() {
        let mut slots = Slots::default();
        let keys = [1_u8, 2, 3].map(|number| slots.insert([number; 40_000]));
        assert_eq!(
            keys.map(|key| slots.at(key).map(|value| value[39_999])),
            [Some(1), Some(2), Some(3)]
        );
    }

    fn page_of<T>(_: &Slots<T>) -> usize {
        Slots::<T>::PER_PAGE
    }
}

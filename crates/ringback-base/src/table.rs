//! Transactions by id and by what a message says of them.

use alloc::boxed::Box;
use core::fmt;

use hashbrown::HashTable;
use slab::Slab;

/// A place in a table, and which of its users is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    slot: usize,
    /// Never used twice in one table.
    generation: u64,
}

impl Id {
    /// Smaller than every other.
    pub const MIN: Id = Id { slot: 0, generation: 0 };
    /// Larger than every other.
    pub const MAX: Id = Id { slot: usize::MAX, generation: u64::MAX };
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.slot, self.generation)
    }
}

/// A slab, and an index from keyed hashes to its slots; the keys themselves stay in the messages that the values hold.
///
/// Strangers pick the keys. What distinguishes two keys must be in the hash in full, or they could fill one bucket.
#[derive(Clone, Debug)]
pub struct Table<T> {
    entries: Slab<Entry<T>>,
    index: HashTable<Place>,
    next_generation: u64,
    limit: usize,
}

#[derive(Clone, Debug)]
struct Entry<T> {
    generation: u64,
    hash: u64,
    /// On its own: a table that grows then copies places and not messages, and what it has in reserve is small.
    value: Box<T>,
}

#[derive(Clone, Debug)]
struct Place {
    hash: u64,
    slot: usize,
}

impl<T> Table<T> {
    /// An empty table for so many values.
    #[must_use]
    pub fn new(limit: usize) -> Table<T> {
        Table { entries: Slab::new(), index: HashTable::new(), next_generation: 1, limit }
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True where there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// True where no further one has room.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len() >= self.limit
    }

    /// Takes in a value, made when its id is known, whose key has this hash; `None` where the table is full.
    pub fn insert(&mut self, hash: u64, value: impl FnOnce(Id) -> T) -> Option<Id> {
        if self.is_full() {
            return None;
        }
        let generation = self.next_generation;
        self.next_generation = generation.wrapping_add(1);
        let vacant = self.entries.vacant_entry();
        let slot = vacant.key();
        let id = Id { slot, generation };
        vacant.insert(Entry { generation, hash, value: Box::new(value(id)) });
        self.index.insert_unique(hash, Place { hash, slot }, |place| place.hash);
        Some(id)
    }

    /// The value whose key has this hash and of which `is_it` holds.
    #[must_use]
    pub fn find(&self, hash: u64, mut is_it: impl FnMut(&T) -> bool) -> Option<Id> {
        let here =
            |place: &Place| place.hash == hash && self.entries.get(place.slot).is_some_and(|entry| is_it(&entry.value));
        let slot = self.index.find(hash, here)?.slot;
        self.entries.get(slot).map(|entry| Id { slot, generation: entry.generation })
    }

    /// The value of this id, unless it is gone.
    #[must_use]
    pub fn get(&self, id: Id) -> Option<&T> {
        self.entries.get(id.slot).filter(|entry| entry.generation == id.generation).map(|entry| &*entry.value)
    }

    /// The same, to be changed. Its key must stay what it was.
    pub fn get_mut(&mut self, id: Id) -> Option<&mut T> {
        self.entries.get_mut(id.slot).filter(|entry| entry.generation == id.generation).map(|entry| &mut *entry.value)
    }

    /// All values, in the order of their places.
    pub fn iter(&self) -> impl Iterator<Item = (Id, &T)> {
        self.entries.iter().map(|(slot, entry)| (Id { slot, generation: entry.generation }, &*entry.value))
    }

    /// Takes the value out; its id names nothing from now on.
    pub fn remove(&mut self, id: Id) -> Option<T> {
        self.get(id)?;
        let entry = self.entries.try_remove(id.slot)?;
        if let Ok(place) = self.index.find_entry(entry.hash, |place| place.slot == id.slot) {
            place.remove();
        }
        Some(*entry.value)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn a_stale_id_names_nobody() {
        let mut table = Table::new(2);
        let first = table.insert(7, |_| 'a').unwrap();
        assert_eq!(table.remove(first), Some('a'));
        let second = table.insert(7, |_| 'b').unwrap();
        assert_eq!(first.slot, second.slot);
        assert_eq!(table.get(first), None);
        assert_eq!(table.get_mut(first), None);
        assert_eq!(table.remove(first), None);
        assert_eq!(table.get(second), Some(&'b'));
    }

    #[test]
    fn values_of_one_hash_are_told_apart() {
        let mut table = Table::new(3);
        let ids: [Id; 3] = ['a', 'b', 'c'].map(|value| table.insert(7, |_| value).unwrap());
        assert!(table.is_full());
        assert_eq!(table.insert(8, |_| 'd'), None);
        assert_eq!(table.find(7, |v| *v == 'b'), Some(ids[1]));
        table.remove(ids[1]);
        assert_eq!(table.find(7, |v| *v == 'b'), None);
        assert_eq!(table.find(7, |v| *v == 'c'), Some(ids[2]));
        assert_eq!(table.find(8, |_| true), None);
        table.remove(ids[0]);
        table.remove(ids[2]);
        assert_eq!((table.len(), table.index.len()), (0, 0));
    }
}

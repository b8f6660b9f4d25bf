//! Requests that came more than once, by different paths. `[RFC 3261, Section 8.2.2.2]`

use alloc::collections::BTreeMap;
use core::hash::BuildHasher as _;

use ringback_base::KeyedHash;
use ringback_message::Request;

use crate::key::MergeKey;

/// How many ongoing server transactions have the same From tag, Call-ID and CSeq, for those that were asked about.
///
/// By the keyed hash of these: two keys of one hash can't be aimed at, and by chance they are never met. The same key
/// any number of times is one entry, so there are never more entries than transactions.
#[derive(Clone, Debug)]
pub(crate) struct Merges {
    hash: KeyedHash,
    ongoing: BTreeMap<u64, usize>,
}

impl Merges {
    pub(crate) fn new(hash: KeyedHash) -> Merges {
        Merges { hash, ongoing: BTreeMap::new() }
    }

    /// Takes in the request of a transaction; true where another of its kind is there.
    pub(crate) fn insert(&mut self, request: &Request) -> bool {
        let count = self.ongoing.entry(self.hash.hash_one(MergeKey::of(request))).or_insert(0);
        *count = count.saturating_add(1);
        *count > 1
    }

    /// The transaction of this request, which was taken in, has ended.
    pub(crate) fn remove(&mut self, request: &Request) {
        let key = self.hash.hash_one(MergeKey::of(request));
        let Some(count) = self.ongoing.get_mut(&key) else { return };
        *count = count.saturating_sub(1);
        if *count == 0 {
            self.ongoing.remove(&key);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ongoing.is_empty()
    }
}

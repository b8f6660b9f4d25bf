//! The rows in memory: what is newest, what is durable, and what lies between.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use ringback_base::Now;
use ringback_location::{Aor, Binding, Version};

use crate::error::StoreError;
use crate::lock;

/// A row set, shared by whoever reads it.
pub(crate) type Rows = Arc<[Binding]>;

/// How many locks the table is spread over.
const SHARDS: u64 = 64;

type Shard = Mutex<HashMap<Aor, Entry>>;

/// All entries. No entry is kept without rows, unless a store of it is under way.
pub(crate) struct Table {
    first: Shard,
    others: Vec<Shard>,
    hasher: RandomState,
    /// Versions are never used twice in the life of the process, so a removed entry can't come back under a version that somebody still holds.
    last_version: AtomicU64,
    /// How many entries there are, and how many there may be.
    count: AtomicUsize,
    aors_max: usize,
}

struct Entry {
    /// The newest.
    rows: Rows,
    version: Version,
    /// The last that are durable; the same as `rows` where nothing is pending.
    durable: Rows,
    /// The versions that the writer has still to settle, oldest first: a job that is not among them was built upon lost rows.
    pending: Vec<Version>,
}

impl Table {
    pub(crate) fn new(aors_max: usize) -> Table {
        Table {
            first: Mutex::default(),
            others: (1..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            last_version: AtomicU64::new(0),
            count: AtomicUsize::new(0),
            aors_max,
        }
    }

    /// An entry from the disk.
    pub(crate) fn insert(&self, aor: Aor, rows: Vec<Binding>) {
        let rows: Rows = rows.into();
        let entry = Entry { rows: Arc::clone(&rows), version: self.next_version(), durable: rows, pending: Vec::new() };
        self.with(&aor.clone(), |entries| {
            if entries.insert(aor, entry).is_none() {
                self.count.fetch_add(1, Ordering::Relaxed);
            }
        });
    }

    pub(crate) fn load(&self, aor: &Aor) -> (Rows, Version) {
        self.with(aor, |entries| match entries.get(aor) {
            Some(entry) => (Arc::clone(&entry.rows), entry.version),
            None => (Rows::from([]), Version(0)),
        })
    }

    /// Shows the rows and leaves them pending, if the version is that one and `push` took the job.
    ///
    /// `push` runs under the lock, so that jobs of one entry are queued in the order of their versions, and the writer, which comes
    /// for the same lock, never sees a job before its entry.
    pub(crate) fn stage(
        &self,
        aor: &Aor,
        version: Version,
        rows: &Rows,
        push: impl FnOnce(Version) -> Result<(), StoreError>,
    ) -> Result<Version, StoreError> {
        self.with(aor, |entries| {
            check(entries, aor, version)?;
            let place = self.place(entries, aor, rows)?;
            let reserved = self.next_version();
            push(reserved)?;
            place.taken();
            let entry = entries.entry(aor.clone()).or_insert_with(Entry::empty);
            entry.rows = Arc::clone(rows);
            entry.version = reserved;
            entry.pending.push(reserved);
            Ok(reserved)
        })
    }

    /// Shows the rows and counts them as durable, if the version is that one and `mark` remembered the entry for the next commit.
    pub(crate) fn replace(
        &self,
        aor: &Aor,
        version: Version,
        rows: &Rows,
        mark: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<Version, StoreError> {
        self.with(aor, |entries| {
            check(entries, aor, version)?;
            let place = self.place(entries, aor, rows)?;
            mark()?;
            let reserved = self.next_version();
            if rows.is_empty() {
                self.remove(entries, aor);
            } else {
                place.taken();
                let (rows, durable) = (Arc::clone(rows), Arc::clone(rows));
                entries.insert(aor.clone(), Entry { rows, version: reserved, durable, pending: Vec::new() });
            }
            Ok(reserved)
        })
    }

    /// The version at once where its rows are durable; otherwise `push` is to queue a job that says so later.
    pub(crate) fn confirm(
        &self,
        aor: &Aor,
        version: Version,
        push: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<Version, StoreError> {
        self.with(aor, |entries| {
            check(entries, aor, version)?;
            if let Some(entry) = entries.get_mut(aor).filter(|entry| !entry.pending.is_empty()) {
                push()?;
                entry.pending.push(version);
            }
            Ok(version)
        })
    }

    /// True where the job's rows still stand.
    pub(crate) fn is_pending(&self, aor: &Aor, version: Version) -> bool {
        self.with(aor, |entries| entries.get(aor).is_some_and(|entry| entry.pending.contains(&version)))
    }

    /// The job's commit worked: its rows, if it had any to store, are durable.
    pub(crate) fn settle(&self, aor: &Aor, version: Version, rows: Option<Rows>) {
        self.with(aor, |entries| {
            let Some(entry) = entries.get_mut(aor) else { return };
            if let Some(at) = entry.pending.iter().position(|&v| v == version) {
                entry.pending.remove(at);
            }
            if let Some(rows) = rows {
                entry.durable = rows;
            }
            if entry.pending.is_empty() && entry.rows.is_empty() {
                self.remove(entries, aor);
            }
        });
    }

    /// The commit failed: the durable rows are the newest again, under a new version, and whatever is pending is lost.
    pub(crate) fn roll_back(&self, aor: &Aor) {
        let version = self.next_version();
        self.with(aor, |entries| {
            let Some(entry) = entries.get_mut(aor).filter(|entry| !entry.pending.is_empty()) else { return };
            entry.pending.clear();
            entry.rows = Arc::clone(&entry.durable);
            entry.version = version;
            if entry.rows.is_empty() {
                self.remove(entries, aor);
            }
        });
    }

    /// The rows that the disk should have; `None` where it should have no entry.
    pub(crate) fn durable(&self, aor: &Aor) -> Option<Rows> {
        self.with(aor, |entries| entries.get(aor).map(|entry| Arc::clone(&entry.durable)))
            .filter(|rows| !rows.is_empty())
    }

    /// Entries with rows that ran out and nothing pending, and what would be left of them.
    pub(crate) fn stale(&self, now: Now, max: usize) -> Vec<(Aor, Version, Vec<Binding>)> {
        let mut stale = Vec::new();
        for shard in self.shards() {
            let entries = lock(shard);
            let settled = entries.iter().filter(|(_, entry)| entry.pending.is_empty());
            let found = settled.filter(|(_, entry)| !entry.rows.iter().all(|row| row.is_live(now)));
            stale.extend(found.take(max.saturating_sub(stale.len())).map(|(aor, entry)| {
                (aor.clone(), entry.version, entry.rows.iter().filter(|row| row.is_live(now)).cloned().collect())
            }));
        }
        stale
    }

    /// The addresses of record with this user part, in every domain.
    pub(crate) fn of_user(&self, user: &str) -> Vec<(Aor, Version)> {
        let mut found = Vec::new();
        for shard in self.shards() {
            let entries = lock(shard);
            let own = entries.iter().filter(|(aor, _)| aor.user() == user);
            found.extend(own.map(|(aor, entry)| (aor.clone(), entry.version)));
        }
        found
    }

    pub(crate) fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// A place for the entry that these rows make, if they make one and there is room: a removal always has room.
    fn place(&self, entries: &HashMap<Aor, Entry>, aor: &Aor, rows: &Rows) -> Result<Place<'_>, StoreError> {
        if entries.contains_key(aor) {
            return Ok(Place { count: None });
        }
        let max = if rows.is_empty() { usize::MAX } else { self.aors_max };
        let one_more = |count: usize| count.checked_add(1).filter(|count| *count <= max);
        match self.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more) {
            Ok(_) => Ok(Place { count: Some(&self.count) }),
            Err(_) => Err(StoreError::TooManyAors),
        }
    }

    fn remove(&self, entries: &mut HashMap<Aor, Entry>, aor: &Aor) {
        if entries.remove(aor).is_some() {
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn next_version(&self) -> Version {
        Version(self.last_version.fetch_add(1, Ordering::Relaxed).saturating_add(1))
    }

    fn shards(&self) -> impl Iterator<Item = &Shard> {
        std::iter::once(&self.first).chain(&self.others)
    }

    fn with<T>(&self, aor: &Aor, act: impl FnOnce(&mut HashMap<Aor, Entry>) -> T) -> T {
        let index = usize::try_from(self.hasher.hash_one(aor) % SHARDS).unwrap_or(0);
        let shard = index.checked_sub(1).and_then(|index| self.others.get(index)).unwrap_or(&self.first);
        act(&mut lock(shard))
    }
}

/// One more in the count of entries, given back unless it is taken.
struct Place<'a> {
    count: Option<&'a AtomicUsize>,
}

impl Place<'_> {
    fn taken(mut self) {
        self.count = None;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(count) = self.count {
            count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Entry {
    fn empty() -> Entry {
        Entry { rows: Rows::from([]), version: Version(0), durable: Rows::from([]), pending: Vec::new() }
    }
}

fn check(entries: &HashMap<Aor, Entry>, aor: &Aor, expected: Version) -> Result<(), StoreError> {
    let current = entries.get(aor).map_or(Version(0), |entry| entry.version);
    if current == expected { Ok(()) } else { Err(StoreError::Conflict { current }) }
}

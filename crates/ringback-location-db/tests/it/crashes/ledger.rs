//! Who was told what, and what must therefore be there after a crash.

use std::collections::BTreeMap;
use std::sync::Arc;

use ringback_location::Binding;

use crate::crashes::tape::{Entry, Recording};

/// The order of the stores of one address of record: how often the database was opened, and the version.
pub type Order = (u32, u64);

/// A row set.
pub type Rows = Arc<[Binding]>;

/// A moment between the calls to the storage.
#[derive(Clone, Debug)]
pub enum Note {
    /// The database is open.
    Opened,
    /// A store is about to be handed over.
    Handed { store: usize, user: String, rows: Rows },
    /// Its `done` was called.
    Told { store: usize, outcome: Option<Order> },
    /// The `done` of a confirmation was called.
    Confirmed { user: String, order: Order },
    /// Bytes are about to be put under [`META_KEY`].
    MetaHanded(u8),
    /// They were.
    MetaDone(u8),
}

pub const META_KEY: &str = "secret";

/// What a database shows when it is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Those who have rows.
    pub rows: BTreeMap<String, Rows>,
    /// How many entries it says that it has.
    pub count: usize,
    pub meta: Option<u8>,
    pub schema: Option<Vec<u8>>,
}

/// All that was handed over and told.
#[derive(Debug)]
pub struct Ledger {
    stores: BTreeMap<String, Vec<Store>>,
    confirmed: Vec<(usize, String, Order)>,
    metas: Vec<(usize, Note)>,
    opened_at: usize,
    /// What may be there before the database is opened, and what is there then.
    before: Expected,
    found: Found,
}

#[derive(Debug)]
struct Store {
    rows: Rows,
    handed_at: usize,
    /// When somebody was told, and of what: `None` where the store was refused.
    told: Option<(usize, Option<Order>)>,
}

/// What may be there.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// Of each who may have rows, one of these; none stands for no entry.
    rows: BTreeMap<String, Vec<Rows>>,
    /// Of those, the rows that are past, for the words of a fault.
    past: BTreeMap<String, Vec<Rows>>,
    meta: Vec<Option<u8>>,
    /// The database was never opened, so the storage may hold the beginnings of one.
    pub is_new: bool,
}

impl Ledger {
    /// The ledger of a recording, on storage that began empty.
    pub fn of(recording: &Recording) -> Ledger {
        let before = Expected { meta: vec![None], is_new: true, ..Expected::default() };
        Ledger::on(recording, before, Found::default())
    }

    /// The same on storage that may hold this at first, and was found to hold that when it was opened.
    pub fn on(recording: &Recording, before: Expected, found: Found) -> Ledger {
        let notes = recording.entries.iter().enumerate().filter_map(|(at, entry)| match entry {
            Entry::Note(note) => Some((at, note.clone())),
            _ => None,
        });
        let mut ledger = Ledger {
            stores: BTreeMap::new(),
            confirmed: Vec::new(),
            metas: Vec::new(),
            opened_at: recording.entries.len(),
            before,
            found,
        };
        let mut users = BTreeMap::new();
        for (at, note) in notes {
            match note {
                Note::Opened => ledger.opened_at = ledger.opened_at.min(at),
                Note::Handed { store, user, rows } => {
                    let stores = ledger.stores.entry(user.clone()).or_default();
                    users.insert(store, (user, stores.len()));
                    stores.push(Store { rows, handed_at: at, told: None });
                }
                Note::Told { store, outcome } => {
                    let (user, index) = &users[&store];
                    ledger.stores.get_mut(user).unwrap()[*index].told = Some((at, outcome));
                }
                Note::Confirmed { user, order } => ledger.confirmed.push((at, user, order)),
                Note::MetaHanded(_) | Note::MetaDone(_) => ledger.metas.push((at, note)),
            }
        }
        ledger
    }

    /// Everybody who ever handed something over or had rows before.
    pub fn users(&self) -> Vec<String> {
        let mut users: Vec<_> = self.stores.keys().chain(self.before.rows.keys()).cloned().collect();
        users.sort();
        users.dedup();
        users
    }

    /// How many stores were acknowledged and how many refused.
    pub fn told(&self) -> (usize, usize) {
        let told = self.stores.values().flatten().filter_map(|store| store.told);
        let (good, refused): (Vec<_>, Vec<_>) = told.partition(|(_, outcome)| outcome.is_some());
        (good.len(), refused.len())
    }

    /// What may be there after a crash before that entry.
    pub fn expected(&self, at: usize) -> Expected {
        let is_open = self.opened_at < at;
        let mut expected = Expected { is_new: self.before.is_new && !is_open, ..Expected::default() };
        for user in self.users() {
            let (rows, past) = self.expected_of(&user, at, is_open);
            expected.rows.insert(user.clone(), rows);
            expected.past.insert(user, past);
        }
        expected.meta = if is_open { vec![self.found.meta] } else { self.before.meta.clone() };
        for (_, note) in self.metas.iter().filter(|(when, _)| *when < at) {
            match note {
                Note::MetaDone(value) => expected.meta = vec![Some(*value)],
                Note::MetaHanded(value) => expected.meta.push(Some(*value)),
                _ => {}
            }
        }
        expected
    }

    /// The last rows that somebody was told of, and whatever was handed over after them; and those before.
    fn expected_of(&self, user: &str, at: usize, is_open: bool) -> (Vec<Rows>, Vec<Rows>) {
        let stores: &[Store] = self.stores.get(user).map_or(&[], Vec::as_slice);
        let told = stores.iter().filter_map(|store| store.told).filter(|(when, _)| *when < at);
        let confirmed = self.confirmed.iter().filter(|(when, who, _)| *when < at && who == user);
        let known = told.filter_map(|(_, order)| order).chain(confirmed.map(|(_, _, order)| *order)).max();
        // Rows that were confirmed after a start have the version of that start: the last store before it brought them.
        let orders = stores.iter().filter_map(|store| store.told?.1);
        let last = orders.filter(|order| Some(*order) <= known).max();
        let first = match (self.before.rows.get(user), self.found.rows.get(user)) {
            (Some(rows), _) if !is_open => rows.clone(),
            (_, rows) => vec![rows.cloned().unwrap_or_default()],
        };
        let mut past = self.before.past.get(user).cloned().unwrap_or_default();
        let mut good = Vec::new();
        let begin = if last.is_none() { &mut good } else { &mut past };
        begin.extend(first);
        for store in stores.iter().filter(|store| store.handed_at < at) {
            match store.told {
                Some((_, None)) => past.push(Arc::clone(&store.rows)),
                Some((_, Some(order))) if last > Some(order) => past.push(Arc::clone(&store.rows)),
                _ => good.push(Arc::clone(&store.rows)),
            }
        }
        (good, past)
    }
}

impl Expected {
    /// What is wrong with what was found: nothing, where it is as it may be.
    pub fn faults(&self, found: &Found) -> Vec<String> {
        let mut faults = Vec::new();
        for (user, allowed) in &self.rows {
            let rows = found.rows.get(user).cloned().unwrap_or_default();
            if !allowed.contains(&rows) {
                faults.push(self.words(user, &rows));
            }
        }
        let strangers = found.rows.keys().filter(|user| !self.rows.contains_key(*user));
        faults.extend(strangers.map(|user| format!("{user} came out of nowhere")));
        if found.count != found.rows.len() {
            faults.push(format!("{} entries, and {} of people who are known", found.count, found.rows.len()));
        }
        if !self.meta.contains(&found.meta) {
            faults.push(format!("the meta table has {:?}, and {:?} was put", found.meta, self.meta));
        }
        if found.schema.as_deref() != Some(&1_u32.to_le_bytes()) {
            faults.push(format!("the schema is {:?}", found.schema));
        }
        faults
    }

    fn words(&self, user: &str, rows: &[Binding]) -> String {
        let stamps = |rows: &[Binding]| -> Vec<String> {
            rows.iter().map(|row| format!("{}#{}", String::from_utf8_lossy(&row.contact), row.cseq)).collect()
        };
        let is_past = self.past[user].iter().any(|past| **past == *rows);
        let what = match (rows.is_empty(), is_past, self.rows[user].iter().all(|rows| rows.is_empty())) {
            (true, _, _) => "LOST",
            (false, true, true) => "REVIVED",
            (false, true, false) => "LOST: an old or refused version is there",
            (false, false, _) => "MIXED: nobody ever stored this",
        };
        let allowed: Vec<_> = self.rows[user].iter().map(|rows| stamps(rows)).collect();
        format!("{user}: {what}: found {:?}, not one of {allowed:?}", stamps(rows))
    }
}

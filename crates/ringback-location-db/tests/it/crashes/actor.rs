//! Those who use the database, and write down what they were told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ringback_base::{Millis, Now};
use ringback_location::{Binding, Version};
use ringback_location_db::{LocationDb, OpenError, Options, StoreError};

use crate::crashes::ledger::{META_KEY, Note, Order};
use crate::crashes::tape::Tape;
use crate::*;

/// Numbers stores, and stamps the rows that they bring, across all recordings.
static STORES: AtomicUsize = AtomicUsize::new(1);

/// A user of a database under record; its clones use the same one.
#[derive(Clone, Debug)]
pub struct Actor {
    pub db: LocationDb,
    tape: Tape,
    /// How often the storage was opened before.
    session: u32,
}

impl Actor {
    pub fn open(tape: &Tape, session: u32, options: Options) -> Result<Actor, OpenError> {
        let db = LocationDb::open_backend(tape.clone(), options, at(0))?;
        tape.note(Note::Opened);
        Ok(Actor { db, tape: tape.clone(), session })
    }

    /// Hands over rows for this version, and writes down what is told of them.
    pub fn store(&self, user: &str, version: Version, rows: Vec<Binding>) -> Outcome {
        let store = STORES.fetch_add(1, Ordering::Relaxed);
        self.tape.note(Note::Handed { store, user: user.to_owned(), rows: rows.clone().into() });
        let (tape, session) = (self.tape.clone(), self.session);
        let (done, outcome) = channel();
        let told = move |result: Result<Version, StoreError>| {
            tape.note(Note::Told { store, outcome: result.ok().map(|version| order(session, version)) });
            done.send(result).unwrap();
        };
        self.db.compare_and_store(aor(user), version, rows, Box::new(told));
        outcome
    }

    /// Changes the newest rows, which may not be durable, and waits for nothing.
    pub fn begin(&self, user: &str, change: impl FnOnce(&mut Vec<Binding>)) -> Outcome {
        let (rows, version) = self.db.load(&aor(user));
        let mut rows = rows.to_vec();
        change(&mut rows);
        self.store(user, version, rows)
    }

    /// Changes the rows, again and again where others are faster, and waits until it is told.
    pub fn change(&self, user: &str, change: impl Fn(&mut Vec<Binding>)) {
        loop {
            match answer(&self.begin(user, &change)) {
                Ok(_) => return,
                Err(StoreError::Conflict { .. }) => {}
                Err(other) => panic!("{other}"),
            }
        }
    }

    /// Asks whether the newest rows are durable, and waits for the answer; others may be faster.
    pub fn confirm(&self, user: &str) {
        let version = self.db.load(&aor(user)).1;
        let (done, outcome) = channel();
        let (tape, session, owner) = (self.tape.clone(), self.session, user.to_owned());
        let told = move |result: Result<Version, StoreError>| {
            // Version 0 says nothing of when the rows went.
            if let Some(version) = result.ok().filter(|version| *version != Version(0)) {
                tape.note(Note::Confirmed { user: owner, order: order(session, version) });
            }
            done.send(result).unwrap();
        };
        self.db.confirm(&aor(user), version, Box::new(told));
        _ = answer(&outcome);
    }

    /// Removes a user's bindings, while nobody else does anything.
    pub fn remove(&self, user: &str) {
        let store = STORES.fetch_add(1, Ordering::Relaxed);
        self.tape.note(Note::Handed { store, user: user.to_owned(), rows: Vec::new().into() });
        let (session, order) = order(self.session, self.db.load(&aor(user)).1);
        assert_eq!(self.db.remove_user(user), Ok(1));
        self.tape.note(Note::Told { store, outcome: Some((session, order + 1)) });
    }

    /// Purges, while nobody else does anything, and waits until it is durable.
    pub fn purge(&self, users: &[&str], now: Now) {
        let mut purged = Vec::new();
        for user in users {
            let (rows, version) = self.db.load(&aor(user));
            let left: Arc<[Binding]> = rows.iter().filter(|row| row.is_live(now)).cloned().collect();
            if left.len() < rows.len() {
                let store = STORES.fetch_add(1, Ordering::Relaxed);
                self.tape.note(Note::Handed { store, user: (*user).to_owned(), rows: left });
                // What the purge stores has the next version, whichever that is.
                let (session, order) = order(self.session, version);
                purged.push((*user, store, (session, order + 1)));
            }
        }
        assert_eq!(self.db.purge_expired(now), purged.len());
        for (user, store, order) in purged {
            let version = self.db.load(&aor(user)).1;
            answer(&confirm(&self.db, user, version)).unwrap();
            self.tape.note(Note::Told { store, outcome: Some(order) });
        }
    }

    pub fn put_meta(&self, value: u8) {
        self.tape.note(Note::MetaHanded(value));
        self.db.meta_put(META_KEY, &[value]).unwrap();
        self.tape.note(Note::MetaDone(value));
    }
}

/// With room between any two for a store whose version nobody is told.
fn order(session: u32, version: Version) -> Order {
    (session, version.0 * 2)
}

/// Adds a contact, or sets it anew, with a stamp that no other row has.
pub fn set(contact: &str, expires_secs: u64) -> impl Fn(&mut Vec<Binding>) + Clone {
    let contact = contact.to_owned();
    move |rows| {
        let mut new = row(&contact);
        new.cseq = STORES.fetch_add(1, Ordering::Relaxed) as u32;
        new.expires_at = Millis::from_secs(expires_secs);
        match rows.iter_mut().find(|row| row.contact == new.contact) {
            Some(old) => *old = new,
            None => rows.push(new),
        }
    }
}

/// Removes a contact.
pub fn unset(contact: &str) -> impl Fn(&mut Vec<Binding>) + Clone {
    let contact: Box<[u8]> = contact.as_bytes().into();
    move |rows| rows.retain(|row| row.contact != contact)
}

/// Adds a contact whose row takes so many bytes on the disk.
pub fn set_large(contact: &str, bytes: usize) -> impl Fn(&mut Vec<Binding>) + Clone {
    let small = set(contact, 3_600);
    move |rows| {
        small(rows);
        let last = rows.last_mut().unwrap();
        // No sector is like another.
        let path: Vec<u8> = (0..bytes).map(|at| b'a' + ((at / 7 + at / 512 + last.cseq as usize) % 26) as u8).collect();
        last.path = vec![path.into()];
    }
}

//! The database against storage that blocks, fails and forgets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, unreachable_pub)]

mod crashes;
mod faults;
mod files;
mod storage;
mod stores;

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use ringback_base::{Hop, Millis, Now};
use ringback_location::{Aor, Binding, Version};
use ringback_location_db::{LocationDb, Options, StoreError};

/// How long an answer is waited for that must come.
const LONG: Duration = Duration::from_secs(20);
/// How long an answer is waited for that must not come.
const SHORT: Duration = Duration::from_millis(100);

type Outcome = Receiver<Result<Version, StoreError>>;

fn at(secs: u64) -> Now {
    Now { unix: Millis::from_secs(secs), ..Now::default() }
}

fn aor(user: &str) -> Aor {
    Aor::new(user.as_bytes(), "example.com").unwrap()
}

/// A row that runs out after an hour of 1970.
fn row(contact: &str) -> Binding {
    Binding {
        contact: contact.as_bytes().into(),
        params: (*b";reg-id=1").into(),
        q: None,
        call_id: (*b"c1").into(),
        cseq: 7,
        expires_at: Millis::from_secs(3_600),
        updated_at: Millis(0),
        received: Some(Hop::udp("192.0.2.1:5060".parse().unwrap(), "198.51.100.7:40000".parse().unwrap())),
        path: Vec::new(),
        user_agent: Some((*b"Phone/1").into()),
    }
}

fn store(db: &LocationDb, user: &str, version: Version, rows: Vec<Binding>) -> Outcome {
    let (done, outcome) = channel();
    db.compare_and_store(aor(user), version, rows, Box::new(move |result| done.send(result).unwrap()));
    outcome
}

fn confirm(db: &LocationDb, user: &str, version: Version) -> Outcome {
    let (done, outcome) = channel();
    db.confirm(&aor(user), version, Box::new(move |result| done.send(result).unwrap()));
    outcome
}

fn answer(outcome: &Outcome) -> Result<Version, StoreError> {
    outcome.recv_timeout(LONG).expect("an answer in time")
}

fn is_open(outcome: &Outcome) -> bool {
    outcome.recv_timeout(SHORT).is_err()
}

/// The contacts that memory shows.
fn contacts(db: &LocationDb, user: &str) -> Vec<String> {
    let (rows, _) = db.load(&aor(user));
    rows.iter().map(|row| String::from_utf8(row.contact.to_vec()).unwrap()).collect()
}

fn options() -> Options {
    Options::default()
}

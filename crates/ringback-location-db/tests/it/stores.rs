//! What a store promises.

use std::collections::BTreeSet;
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use ringback_location::Version;
use ringback_location_db::{Durability, LocationDb, Options, PURGE_MAX, StoreError};

use crate::storage::Disk;
use crate::*;

fn open(disk: &Disk) -> LocationDb {
    LocationDb::open_backend(disk.clone(), options(), at(0)).unwrap()
}

#[test]
fn what_is_stored_is_loaded_at_once_and_after_the_next_start() {
    let disk = Disk::default();
    let db = open(&disk);
    assert_eq!((contacts(&db, "alice").len(), db.load(&aor("alice")).1, db.len()), (0, Version(0), 0));
    let version = answer(&store(&db, "alice", Version(0), vec![row("sip:a@x"), row("sip:b@x")])).unwrap();
    assert_ne!(version, Version(0));
    assert_eq!((contacts(&db, "alice"), db.load(&aor("alice")).1), (vec!["sip:a@x".into(), "sip:b@x".into()], version));
    drop(db);
    let db = open(&disk);
    assert_eq!(db.len(), 1);
    assert_eq!(db.load(&aor("alice")).0[..], [row("sip:a@x"), row("sip:b@x")]);
    let version = db.load(&aor("alice")).1;
    assert!(answer(&store(&db, "alice", version, vec![])).is_ok());
    assert_eq!((db.len(), db.is_empty(), db.load(&aor("alice")).1), (0, true, Version(0)));
    db.close().unwrap();
    assert_eq!(open(&disk).len(), 0);
}

#[test]
fn whoever_comes_second_conflicts() {
    let db = open(&Disk::default());
    let first = answer(&store(&db, "alice", Version(0), vec![row("sip:a@x")])).unwrap();
    assert_eq!(answer(&store(&db, "alice", Version(0), vec![])), Err(StoreError::Conflict { current: first }));
    let second = answer(&store(&db, "alice", first, vec![row("sip:b@x")])).unwrap();
    assert_ne!(first, second);
    assert_eq!(answer(&store(&db, "alice", first, vec![])), Err(StoreError::Conflict { current: second }));
    assert_eq!(
        answer(&store(&db, "bob", first, vec![row("sip:c@x")])),
        Err(StoreError::Conflict { current: Version(0) })
    );
    assert_eq!(contacts(&db, "alice"), ["sip:b@x"]);
    assert_eq!((db.stats().stores, db.stats().conflicts), (2, 3));
}

#[test]
fn a_version_is_never_used_twice() {
    let db = open(&Disk::default());
    let mut seen = BTreeSet::new();
    for _ in 0..5 {
        let version = answer(&store(&db, "alice", Version(0), vec![row("sip:a@x")])).unwrap();
        assert!(seen.insert(version));
        assert!(seen.insert(answer(&store(&db, "alice", version, vec![])).unwrap()));
    }
}

#[test]
fn nobody_is_told_before_the_sync_and_the_next_builds_upon_what_is_staged() {
    let disk = Disk::default();
    let db = open(&disk);
    let shut = disk.shut();
    let first = store(&db, "alice", Version(0), vec![row("sip:a@x")]);
    disk.wait_for_sync();
    assert!(is_open(&first), "acknowledged before the sync");
    assert_eq!(contacts(&db, "alice"), ["sip:a@x"]);
    let staged = db.load(&aor("alice")).1;
    assert_eq!(answer(&store(&db, "alice", Version(0), vec![])), Err(StoreError::Conflict { current: staged }));
    let second = store(&db, "alice", staged, vec![row("sip:a@x"), row("sip:b@x")]);
    let fetched = confirm(&db, "alice", db.load(&aor("alice")).1);
    assert!(is_open(&second) && is_open(&fetched));
    let lost = LocationDb::open_backend(disk.after_power_cut(), options(), at(0)).unwrap();
    assert!(lost.is_empty(), "a power cut here takes what nobody was told of");
    drop(shut);
    assert_eq!(answer(&first), Ok(staged));
    assert_eq!(answer(&second), Ok(db.load(&aor("alice")).1));
    assert_eq!(answer(&fetched), answer(&confirm(&db, "alice", db.load(&aor("alice")).1)));
    let kept = LocationDb::open_backend(disk.after_power_cut(), options(), at(0)).unwrap();
    assert_eq!(contacts(&kept, "alice"), ["sip:a@x", "sip:b@x"]);
}

#[test]
fn a_confirmation_of_old_rows_conflicts() {
    let db = open(&Disk::default());
    assert_eq!(answer(&confirm(&db, "alice", Version(0))), Ok(Version(0)));
    let version = answer(&store(&db, "alice", Version(0), vec![row("sip:a@x")])).unwrap();
    assert_eq!(answer(&confirm(&db, "alice", Version(0))), Err(StoreError::Conflict { current: version }));
    assert_eq!(answer(&confirm(&db, "alice", version)), Ok(version));
}

#[test]
fn what_is_acknowledged_survives_a_power_cut_at_any_sync() {
    let disk = Disk::default();
    let db = open(&disk);
    for n in 0..40 {
        let user = format!("u{}", n % 7);
        let version = db.load(&aor(&user)).1;
        let contact = format!("sip:{n}@x");
        answer(&store(&db, &user, version, vec![row(&contact)])).unwrap();
        let after = LocationDb::open_backend(disk.after_power_cut(), options(), at(0)).unwrap();
        assert_eq!(contacts(&after, &user), [contact]);
    }
}

#[test]
fn one_sync_a_commit() {
    let disk = Disk::default();
    let db = open(&disk);
    let (syncs, commits) = (disk.syncs(), db.stats().commits);
    for n in 0..10 {
        answer(&store(&db, &format!("u{n}"), Version(0), vec![row("sip:a@x")])).unwrap();
    }
    assert_eq!(db.stats().commits - commits, 10);
    assert_eq!(disk.syncs() - syncs, 10);
}

#[test]
fn stores_that_come_together_are_committed_together() {
    const THREADS: usize = 8;
    const EACH: usize = 50;
    let db = LocationDb::open_backend(
        Disk::default(),
        Options { commit_window: Duration::from_millis(5), ..options() },
        at(0),
    )
    .unwrap();
    let before = db.stats().commits;
    let start = Arc::new(Barrier::new(THREADS));
    let threads = (0..THREADS).map(|t| {
        let (db, start) = (db.clone(), Arc::clone(&start));
        thread::spawn(move || {
            start.wait();
            let all: Vec<_> =
                (0..EACH).map(|n| store(&db, &format!("u{t}-{n}"), Version(0), vec![row("sip:a@x")])).collect();
            all.iter().for_each(|outcome| assert!(answer(outcome).is_ok()));
        })
    });
    threads.collect::<Vec<_>>().into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(db.len(), THREADS * EACH);
    let commits = db.stats().commits - before;
    assert!(commits <= (THREADS * EACH / 10) as u64, "{commits} commits for {} stores", THREADS * EACH);
}

#[test]
fn a_commit_waits_for_company_until_it_has_enough() {
    let window = |commit_window, batch_max| Options { commit_window, batch_max, ..options() };
    let db = LocationDb::open_backend(Disk::default(), window(Duration::from_millis(500), 1_000), at(0)).unwrap();
    let first = store(&db, "alice", Version(0), vec![row("sip:a@x")]);
    assert!(is_open(&first));
    let second = store(&db, "bob", Version(0), vec![row("sip:b@x")]);
    assert!(answer(&first).is_ok() && answer(&second).is_ok());
    assert_eq!(db.stats().commits, 1);

    let db = LocationDb::open_backend(Disk::default(), window(LONG * 10, 2), at(0)).unwrap();
    let all: Vec<_> = (0..4).map(|n| store(&db, &format!("u{n}"), Version(0), vec![row("sip:a@x")])).collect();
    all.iter().for_each(|outcome| assert!(answer(outcome).is_ok()));
    assert_eq!(db.stats().commits, 2);
}

#[test]
fn of_many_writers_of_one_entry_each_wins_once_and_none_is_lost() {
    const WRITERS: usize = 8;
    let disk = Disk::default();
    let db = open(&disk);
    let threads = (0..WRITERS).map(|n| {
        let db = db.clone();
        thread::spawn(move || {
            loop {
                let (rows, version) = db.load(&aor("alice"));
                let mut rows = rows.to_vec();
                rows.push(row(&format!("sip:{n}@x")));
                match answer(&store(&db, "alice", version, rows)) {
                    Ok(_) => break,
                    Err(StoreError::Conflict { .. }) => {}
                    Err(other) => panic!("{other}"),
                }
            }
        })
    });
    threads.collect::<Vec<_>>().into_iter().for_each(|thread| thread.join().unwrap());
    db.close().unwrap();
    let found: BTreeSet<_> = contacts(&open(&disk), "alice").into_iter().collect();
    assert_eq!(found.len(), WRITERS);
}

#[test]
fn ten_thousand_rows() {
    const COUNT: usize = 10_000;
    let disk = Disk::default();
    let db = open(&disk);
    let all: Vec<_> =
        (0..COUNT).map(|n| store(&db, &format!("u{n}"), Version(0), vec![row(&format!("sip:{n}@x"))])).collect();
    all.iter().for_each(|outcome| assert!(answer(outcome).is_ok()));
    assert_eq!(db.len(), COUNT);
    assert!(db.stats().commits < 1_000);
    db.close().unwrap();
    let db = open(&disk);
    assert_eq!(db.len(), COUNT);
    for n in (0..COUNT).step_by(997) {
        assert_eq!(contacts(&db, &format!("u{n}")), [format!("sip:{n}@x")]);
    }
}

#[test]
fn the_queue_is_bounded() {
    let disk = Disk::default();
    let db = LocationDb::open_backend(disk.clone(), Options { queue_max: 3, ..options() }, at(0)).unwrap();
    let shut = disk.shut();
    let under_way = store(&db, "first", Version(0), vec![row("sip:a@x")]);
    disk.wait_for_sync();
    let waiting: Vec<_> = (0..3).map(|n| store(&db, &format!("u{n}"), Version(0), vec![row("sip:a@x")])).collect();
    assert_eq!(db.stats().queued, 3);
    assert_eq!(answer(&store(&db, "u3", Version(0), vec![row("sip:a@x")])), Err(StoreError::Full));
    assert!(contacts(&db, "u3").is_empty(), "refused, and shown");
    assert_eq!(db.stats().refused_full, 1);
    drop(shut);
    assert!(answer(&under_way).is_ok());
    waiting.iter().for_each(|outcome| assert!(answer(outcome).is_ok()));
    assert!(answer(&store(&db, "u3", Version(0), vec![row("sip:a@x")])).is_ok());
}

#[test]
fn closing_commits_what_is_queued_and_refuses_what_follows() {
    let disk = Disk::default();
    let db = LocationDb::open_backend(disk.clone(), Options { commit_window: LONG, ..options() }, at(0)).unwrap();
    let other = db.clone();
    let queued = store(&db, "alice", Version(0), vec![row("sip:a@x")]);
    db.close().unwrap();
    assert!(queued.try_recv().unwrap().is_ok());
    assert_eq!(contacts(&other, "alice"), ["sip:a@x"]);
    assert_eq!(answer(&store(&other, "bob", Version(0), vec![row("sip:a@x")])), Err(StoreError::Closed));
    assert!(other.meta_get("x").is_err() && other.meta_put("x", b"").is_err());
    other.close().unwrap();
    assert_eq!(open(&disk).len(), 1);
}

#[test]
fn the_last_handle_may_go_inside_an_answer() {
    let disk = Disk::default();
    let db = open(&disk);
    let (gone, told) = channel();
    let last = db.clone();
    let shut = disk.shut();
    db.compare_and_store(
        aor("alice"),
        Version(0),
        vec![row("sip:a@x")],
        Box::new(move |result| {
            drop(last);
            gone.send(result).unwrap();
        }),
    );
    disk.wait_for_sync();
    // Dropping this handle here leaves the one inside the answer as the last.
    drop(db);
    drop(shut);
    assert!(told.recv_timeout(LONG).unwrap().is_ok());
}

#[test]
fn a_waiter_that_panics_harms_nobody_else() {
    let db = open(&Disk::default());
    db.compare_and_store(aor("alice"), Version(0), vec![row("sip:a@x")], Box::new(|_| panic!("on purpose")));
    assert!(answer(&store(&db, "bob", Version(0), vec![row("sip:b@x")])).is_ok());
    assert_eq!(db.len(), 2);
}

#[test]
fn under_an_interval_memory_answers_and_one_commit_follows() {
    let disk = Disk::default();
    let lazily = Options { durability: Durability::Interval(Duration::from_millis(50)), ..options() };
    let db = LocationDb::open_backend(disk.clone(), lazily, at(0)).unwrap();
    let before = disk.syncs();
    let mut version = Version(0);
    for n in 0..20 {
        version = store(&db, "alice", version, vec![row(&format!("sip:{n}@x"))]).try_recv().unwrap().unwrap();
    }
    assert_eq!(confirm(&db, "alice", version).try_recv().unwrap(), Ok(version));
    assert_eq!(
        store(&db, "alice", Version(0), vec![]).try_recv().unwrap(),
        Err(StoreError::Conflict { current: version })
    );
    while db.stats().commits == 0 {
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(disk.syncs() - before, 1);
    let kept = LocationDb::open_backend(disk.after_power_cut(), options(), at(0)).unwrap();
    assert_eq!(contacts(&kept, "alice"), ["sip:19@x"]);
    assert!(store(&db, "alice", version, vec![]).try_recv().unwrap().is_ok());
    db.close().unwrap();
    assert!(open(&disk).is_empty());
}

#[test]
fn without_durability_the_rows_are_there_after_an_orderly_end() {
    let disk = Disk::default();
    let db =
        LocationDb::open_backend(disk.clone(), Options { durability: Durability::None, ..options() }, at(0)).unwrap();
    assert!(store(&db, "alice", Version(0), vec![row("sip:a@x")]).try_recv().unwrap().is_ok());
    assert_eq!(db.stats().commits, 0);
    drop(db);
    assert_eq!(contacts(&open(&disk), "alice"), ["sip:a@x"]);
}

#[test]
fn what_ran_out_is_purged_at_the_start_and_on_demand() {
    let disk = Disk::default();
    let db = open(&disk);
    let mut early = row("sip:early@x");
    early.expires_at = Millis::from_secs(60);
    answer(&store(&db, "alice", Version(0), vec![early.clone(), row("sip:late@x")])).unwrap();
    answer(&store(&db, "bob", Version(0), vec![early.clone()])).unwrap();
    answer(&store(&db, "carol", Version(0), vec![row("sip:late@x")])).unwrap();
    drop(db);
    let later = disk.after_power_cut();
    let db = LocationDb::open_backend(later.clone(), options(), at(60)).unwrap();
    assert_eq!((contacts(&db, "alice").len(), contacts(&db, "bob").len(), db.len()), (1, 0, 2));
    drop(db);
    // They are gone from the disk, too: an earlier clock does not bring them back.
    assert_eq!(LocationDb::open_backend(later, options(), at(0)).unwrap().len(), 2);

    let db = open(&disk);
    assert_eq!((db.len(), db.purge_expired(at(59)), db.purge_expired(at(60))), (3, 0, 2));
    let version = db.load(&aor("alice")).1;
    answer(&confirm(&db, "alice", version)).unwrap();
    assert_eq!(contacts(&db, "alice"), ["sip:late@x"]);
    assert_eq!((db.purge_expired(at(60)), db.purge_expired(at(3_600))), (0, 2));
    db.close().unwrap();
    assert!(open(&disk).is_empty());
}

#[test]
fn a_purge_is_bounded() {
    let db = open(&Disk::default());
    let all: Vec<_> =
        (0..PURGE_MAX + 10).map(|n| store(&db, &format!("u{n}"), Version(0), vec![row("sip:a@x")])).collect();
    all.iter().for_each(|outcome| assert!(answer(outcome).is_ok()));
    assert_eq!(db.purge_expired(at(3_600)), PURGE_MAX);
    assert_eq!(db.purge_expired(at(3_600)), 10);
}

#[test]
fn meta_is_durable_and_keeps_its_own_keys() {
    let disk = Disk::default();
    let db =
        LocationDb::open_backend(disk.clone(), Options { durability: Durability::None, ..options() }, at(0)).unwrap();
    assert_eq!(db.meta_get("secret"), Ok(None));
    db.meta_put("secret", b"s3cret").unwrap();
    db.meta_put("secret", b"\0other").unwrap();
    assert!(db.meta_put("schema", b"9").is_err() && db.meta_put("db.x", b"9").is_err());
    let kept = LocationDb::open_backend(disk.after_power_cut(), options(), at(0)).unwrap();
    assert_eq!(kept.meta_get("secret"), Ok(Some(b"\0other".to_vec())));
}

#[test]
fn a_user_that_goes_takes_its_bindings_along() {
    let disk = Disk::default();
    let db = open(&disk);
    for user in ["alice", "bob"] {
        answer(&store(&db, user, Version(0), vec![row("sip:a@x")])).unwrap();
    }
    assert_eq!((db.remove_user("bob"), db.remove_user("nobody")), (Ok(1), Ok(0)));
    assert_eq!((contacts(&db, "alice").len(), contacts(&db, "bob").len()), (1, 0));
    drop(db);
    assert_eq!(open(&disk).len(), 1, "on the disk, too");
}

#[test]
fn the_number_of_addresses_of_record_is_bounded() {
    for durability in [Durability::Always, Durability::Interval(Duration::from_millis(10)), Durability::None] {
        let options = Options { durability, aors_max: 2, ..options() };
        let disk = Disk::default();
        let db = LocationDb::open_backend(disk.clone(), options.clone(), at(0)).unwrap();
        let put = |db: &LocationDb, user: &str, rows| {
            let version = db.load(&aor(user)).1;
            answer(&store(db, user, version, rows))
        };
        for user in ["u0", "u1"] {
            assert!(put(&db, user, vec![row("sip:a@x")]).is_ok());
        }
        for refused in 1..=3 {
            assert_eq!(put(&db, "u2", vec![row("sip:a@x")]), Err(StoreError::TooManyAors));
            assert_eq!((db.len(), db.stats().aors_max_reached), (2, refused));
        }
        assert!(db.load(&aor("u2")).0.is_empty());
        // Those who are there go on, and removing has always room.
        assert!(put(&db, "u0", vec![row("sip:b@x")]).is_ok());
        assert!(put(&db, "u2", vec![]).is_ok());
        assert!(put(&db, "u1", vec![]).is_ok());
        assert!(put(&db, "u2", vec![row("sip:a@x")]).is_ok());
        assert_eq!((contacts(&db, "u2").len(), db.len(), db.stats().aors_max_reached), (1, 2, 3));
        db.close().unwrap();
        // A lower limit takes nobody's place away.
        let db = LocationDb::open_backend(disk, Options { aors_max: 1, ..options }, at(0)).unwrap();
        assert_eq!(db.len(), 2);
        assert!(put(&db, "u0", vec![row("sip:c@x")]).is_ok());
        assert_eq!(put(&db, "u3", vec![row("sip:a@x")]), Err(StoreError::TooManyAors));
    }
}

#[test]
fn a_place_is_given_back_where_a_store_is_refused_or_fails() {
    let disk = Disk::default();
    let options = Options { queue_max: 1, aors_max: 3, ..options() };
    let db = LocationDb::open_backend(disk.clone(), options, at(0)).unwrap();
    let shut = disk.shut();
    let first = store(&db, "u0", Version(0), vec![row("sip:a@x")]);
    disk.wait_for_sync();
    let second = store(&db, "u1", Version(0), vec![row("sip:a@x")]);
    for _ in 0..3 {
        assert_eq!(answer(&store(&db, "u2", Version(0), vec![row("sip:a@x")])), Err(StoreError::Full));
    }
    assert_eq!(db.len(), 2);
    drop(shut);
    assert!(answer(&first).is_ok() && answer(&second).is_ok());
    disk.set_syncs_fail(true);
    assert_eq!(answer(&store(&db, "u2", Version(0), vec![row("sip:a@x")])), Err(StoreError::Failed));
    assert_eq!((db.len(), db.stats().aors_max_reached), (2, 0));
}

#[test]
fn threads_share_the_places_that_are_left() {
    const THREADS: usize = 4;
    const EACH: usize = 50;
    const MAX: usize = 77;
    let db = LocationDb::open_backend(Disk::default(), Options { aors_max: MAX, ..options() }, at(0)).unwrap();
    let start = Arc::new(Barrier::new(THREADS));
    let threads = (0..THREADS).map(|t| {
        let (db, start) = (db.clone(), Arc::clone(&start));
        thread::spawn(move || {
            start.wait();
            let all: Vec<_> =
                (0..EACH).map(|n| store(&db, &format!("u{t}-{n}"), Version(0), vec![row("sip:a@x")])).collect();
            all.iter().filter(|outcome| answer(outcome).is_ok()).count()
        })
    });
    let stored: usize = threads.collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!((stored, db.len()), (MAX, MAX));
    assert_eq!(db.stats().aors_max_reached, (THREADS * EACH - MAX) as u64);
}

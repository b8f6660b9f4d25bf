#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use std::fs;

use super::*;
use ringback_tokio::Accounts as _;

fn user(name: &str, password: &str) -> (UserName, Password) {
    (name.parse().unwrap(), Password::new(password))
}

fn name(name: &str) -> UserName {
    name.parse().unwrap()
}

fn names(store: &AccountStore) -> Vec<Box<str>> {
    store.names().unwrap()
}

#[test]
fn what_was_stored_is_there_again_and_nothing_of_the_password() {
    let folder = tempfile::tempdir().unwrap();
    let store = AccountStore::open(folder.path(), "a.example").unwrap();
    store.add(&[user("bob", "builder"), user("alice", "wonderland")]).unwrap();
    drop(store);
    let store = AccountStore::open(folder.path(), "another.example").unwrap();
    assert_eq!(store.realm(), "a.example");
    assert_eq!(names(&store), ["alice", "bob"].map(Box::from));
    let accounts = store.load().unwrap();
    assert_eq!(accounts.len(), 2);
    let expected = Ha1Set::of("alice", "a.example", &Password::new("wonderland"));
    assert_eq!(accounts.find("alice").unwrap().ha1s, expected);
    assert!(accounts.find("Alice").is_none());
    drop(store);
    let bytes = std::fs::read(folder.path().join(ACCOUNTS_FILE)).unwrap();
    let holds = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    assert!(holds(b"alice") && !holds(b"wonderland") && !holds(b"builder"));
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let _store = AccountStore::open(folder.path(), "a.example").unwrap();
    let mode = std::fs::metadata(folder.path().join(ACCOUNTS_FILE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0);
}

#[test]
fn users_are_added_all_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = AccountStore::open(folder.path(), "a.example").unwrap();
    store.add(&[user("alice", "1")]).unwrap();
    for users in [[user("bob", "1"), user("alice", "2")], [user("bob", "1"), user("bob", "2")]] {
        let error = store.add(&users).unwrap_err();
        assert!(matches!(&error, AccountsError::Exists(found) if *found == users[1].0) && error.is_refusal());
    }
    assert_eq!(names(&store), ["alice"].map(Box::from));
}

#[test]
fn passwords_change_and_users_go() {
    let folder = tempfile::tempdir().unwrap();
    let store = AccountStore::open(folder.path(), "a.example").unwrap();
    store.add(&[user("alice", "1")]).unwrap();
    store.set_password(&name("alice"), &Password::new("2")).unwrap();
    let found = store.load().unwrap().find("alice").unwrap().ha1s;
    assert_eq!(found, Ha1Set::of("alice", "a.example", &Password::new("2")));
    store.remove(&name("alice")).unwrap();
    assert!(names(&store).is_empty());
    for error in [store.remove(&name("alice")), store.set_password(&name("alice"), &Password::new("3"))] {
        assert!(matches!(error, Err(AccountsError::NoSuchUser(_))));
    }
    assert!(names(&store).is_empty());
}

#[test]
fn the_first_accounts_are_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = AccountStore::open(folder.path(), "a.example").unwrap();
    assert!(store.start(&[user("alice", "1")]).unwrap());
    assert!(!store.start(&[user("alice", "2")]).unwrap());
    store.remove(&name("alice")).unwrap();
    assert!(!store.start(&[user("alice", "3")]).unwrap());
    assert!(names(&store).is_empty());
}

#[test]
fn where_there_are_users_no_others_are_made() {
    let folder = tempfile::tempdir().unwrap();
    let store = AccountStore::open(folder.path(), "a.example").unwrap();
    store.add(&[user("carol", "1")]).unwrap();
    assert!(!store.start(&[user("alice", "1")]).unwrap());
    assert_eq!(names(&store), ["carol"].map(Box::from));
}

#[test]
fn databases_that_are_not_ours_to_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(ACCOUNTS_FILE);
    assert!(matches!(AccountStore::open_existing(folder.path()), Err(AccountsError::Missing(_))));

    let store = AccountStore::open(folder.path(), "a.example").unwrap();
    let error = AccountStore::open(folder.path(), "a.example").unwrap_err();
    assert!(matches!(&error, AccountsError::Taken(found) if *found == path), "{error:?}");
    store
        .write(|transaction, _| {
            let mut meta = transaction.open_table(META).unwrap();
            meta.insert(SCHEMA_KEY, &2_u32.to_le_bytes()[..]).unwrap();
            Ok(())
        })
        .unwrap();
    drop(store);
    let error = AccountStore::open(folder.path(), "a.example").unwrap_err();
    assert!(matches!(error, AccountsError::NewerSchema { found: 2, known: 1, .. }), "{error:?}");

    std::fs::write(&path, b"not a database at all, but longer than any header of one".repeat(100)).unwrap();
    let error = AccountStore::open(folder.path(), "a.example").unwrap_err();
    assert!(matches!(error, AccountsError::Corrupt(..)), "{error:?}");
}

#[test]
fn a_hash_that_is_none_is_corruption() {
    let folder = tempfile::tempdir().unwrap();
    let store = AccountStore::open(folder.path(), "a.example").unwrap();
    for (algorithm, digits) in [("MD5", "abc"), ("MD4", "939e7578ed9e3c518a452acee763bce9")] {
        store
            .write(|transaction, _| {
                let mut table = transaction.open_table(HA1).unwrap();
                table.insert(("alice", algorithm), digits).unwrap();
                Ok(())
            })
            .unwrap();
        let error = store.load().unwrap_err();
        assert!(matches!(error, AccountsError::Corrupt(..)), "{error:?}");
        store
            .write(|transaction, _| transaction.delete_table(HA1).map(|_| ()).map_err(|error| panic!("{error}")))
            .unwrap();
    }
}

#[test]
fn leftovers_of_other_processes_are_none_of_its_business() {
    let folder = tempfile::tempdir().unwrap();
    let left = folder.path().join(format!("{ACCOUNTS_FILE}.new-0"));
    fs::write(&left, b"half a database").unwrap();
    drop(AccountStore::open(folder.path(), "a.example").unwrap());
    assert_eq!(fs::read(&left).unwrap(), b"half a database");
    let names = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 2);
}

#[test]
fn a_database_that_kept_its_first_name_too_is_not_emptied_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let (path, moved) = (folder.path().join(ACCOUNTS_FILE), folder.path().join("moved"));
    drop(AccountStore::open(folder.path(), "a.example").unwrap());
    // A crash between the link and the end of the first name, and an operator who then puts the database aside.
    let first_name = folder.path().join(format!("{ACCOUNTS_FILE}.new-{}", std::process::id()));
    fs::hard_link(&path, first_name).unwrap();
    fs::rename(&path, &moved).unwrap();
    drop(AccountStore::open(folder.path(), "b.example").unwrap());
    fs::rename(&moved, &path).unwrap();
    assert_eq!(AccountStore::open(folder.path(), "c.example").unwrap().realm(), "a.example");
}

//! Accounts at rest.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition, WriteTransaction};
use ringback_auth::{Algorithm, Ha1, Ha1Set, Password};
use ringback_location_db::make_if_missing;

use super::Accounts;
use super::error::AccountsError;
use super::name::UserName;
use crate::folder::ACCOUNTS_FILE;

/// The hash of a user and an algorithm, in hexadecimal digits: nothing else is kept of a password.
const HA1: TableDefinition<'_, (&str, &str), &str> = TableDefinition::new("ha1");
/// The users who are answered for with 302.
const REDIRECT: TableDefinition<'_, &str, ()> = TableDefinition::new("redirect");
/// The schema, the realm, and whether a server was started on it.
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

const SCHEMA_KEY: &str = "schema";
const SCHEMA: u32 = 1;
const REALM_KEY: &str = "realm";
const STARTED_KEY: &str = "started";

/// The database of accounts in a data folder. It is locked while it is open: one process at a time.
pub struct AccountStore {
    database: Database,
    path: PathBuf,
    realm: String,
}

impl AccountStore {
    /// Opens the database, or makes it for this realm, readable for its owner alone. The folder must be there.
    ///
    /// The realm is fixed by then, because every hash holds it.
    ///
    /// # Errors
    /// Where it can't be opened, is broken, or was written by a later version.
    pub fn open(folder: &Path, realm_if_new: &str) -> Result<AccountStore, AccountsError> {
        let path = folder.join(ACCOUNTS_FILE);
        let wrap = |error| AccountsError::storage(&path, error);
        make_if_missing(&path, wrap, |database| fill(database, &path, realm_if_new).map(drop))?;
        let storage = |error: io::Error| AccountsError::Storage(path.clone(), error.to_string());
        let file = File::options().read(true).write(true).open(&path).map_err(storage)?;
        let database = Database::builder().create_file(file).map_err(AccountsError::at(&path))?;
        let realm = fill(&database, &path, realm_if_new)?;
        Ok(AccountStore { database, path, realm })
    }

    /// Opens the database only if there is one.
    ///
    /// # Errors
    /// As [`AccountStore::open`], and [`AccountsError::Missing`].
    pub fn open_existing(folder: &Path) -> Result<AccountStore, AccountsError> {
        if !folder.join(ACCOUNTS_FILE).is_file() {
            return Err(AccountsError::Missing(folder.to_owned()));
        }
        AccountStore::open(folder, crate::settings::DEFAULT_REALM)
    }

    /// The realm that passwords are hashed with.
    #[must_use]
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// Adds users: all of them, or none.
    ///
    /// # Errors
    /// [`AccountsError::Exists`] for the first that there is, or that is named twice.
    pub fn add(&self, users: &[(UserName, Password)]) -> Result<(), AccountsError> {
        self.write(|transaction, path| {
            for (name, password) in users {
                if has(transaction, path, name)? {
                    return Err(AccountsError::Exists(name.clone()));
                }
                put(transaction, path, name, &self.realm, password)?;
            }
            Ok(())
        })
    }

    /// Gives a user another password.
    ///
    /// # Errors
    /// [`AccountsError::NoSuchUser`].
    pub fn set_password(&self, name: &UserName, password: &Password) -> Result<(), AccountsError> {
        self.write(|transaction, path| {
            remove(transaction, path, name)?;
            put(transaction, path, name, &self.realm, password)
        })
    }

    /// Removes a user.
    ///
    /// # Errors
    /// [`AccountsError::NoSuchUser`].
    pub fn remove(&self, name: &UserName) -> Result<(), AccountsError> {
        self.write(|transaction, path| {
            remove(transaction, path, name)?;
            let mut table = transaction.open_table(REDIRECT).map_err(AccountsError::at(path))?;
            table.remove(name.as_str()).map(drop).map_err(AccountsError::at(path))
        })
    }

    /// Has requests for a user answered with 302 and the user's contacts, or relayed again.
    ///
    /// # Errors
    /// [`AccountsError::NoSuchUser`].
    pub fn set_redirect(&self, name: &UserName, redirect: bool) -> Result<(), AccountsError> {
        self.write(|transaction, path| {
            if !has(transaction, path, name)? {
                return Err(AccountsError::NoSuchUser(name.clone()));
            }
            let mut table = transaction.open_table(REDIRECT).map_err(AccountsError::at(path))?;
            if redirect { table.insert(name.as_str(), ()).map(drop) } else { table.remove(name.as_str()).map(drop) }
                .map_err(AccountsError::at(path))
        })
    }

    /// The names of all users, in order.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn names(&self) -> Result<Vec<Box<str>>, AccountsError> {
        let mut names: Vec<Box<str>> = self.read_all()?.into_keys().collect();
        names.sort_unstable();
        Ok(names)
    }

    /// All accounts, into memory.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn load(&self) -> Result<Accounts, AccountsError> {
        let mut accounts = Accounts::of(self.read_all()?);
        let transaction = self.database.begin_read().map_err(AccountsError::at(&self.path))?;
        let table = transaction.open_table(REDIRECT).map_err(AccountsError::at(&self.path))?;
        for row in table.iter().map_err(AccountsError::at(&self.path))? {
            let (user, ()) = row.map(|(user, _)| (user, ())).map_err(AccountsError::at(&self.path))?;
            accounts.redirect(user.value());
        }
        Ok(accounts)
    }

    /// Adds these users if there is none and no server was ever started here; tells whether it did. From then on one was.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn start(&self, first: &[(UserName, Password)]) -> Result<bool, AccountsError> {
        self.write(|transaction, path| {
            let failed = |error| AccountsError::storage(path, error);
            let started = transaction
                .open_table(META)
                .map_err(AccountsError::at(path))?
                .insert(STARTED_KEY, &[1][..])
                .map_err(failed)?
                .is_some();
            let empty =
                transaction.open_table(HA1).map_err(AccountsError::at(path))?.first().map_err(failed)?.is_none();
            if started || !empty {
                return Ok(false);
            }
            first.iter().try_for_each(|(name, password)| put(transaction, path, name, &self.realm, password))?;
            Ok(true)
        })
    }

    fn read_all(&self) -> Result<HashMap<Box<str>, Ha1Set>, AccountsError> {
        let path = &self.path;
        let transaction = self.database.begin_read().map_err(AccountsError::at(path))?;
        let table = transaction.open_table(HA1).map_err(AccountsError::at(path))?;
        let mut users: HashMap<Box<str>, Ha1Set> = HashMap::new();
        for row in table.iter().map_err(AccountsError::at(path))? {
            let (key, digits) = row.map_err(AccountsError::at(path))?;
            let (user, algorithm) = key.value();
            let corrupt = || AccountsError::Corrupt(path.clone(), format!("the hash of {user:?} by {algorithm:?}"));
            let algorithm = Algorithm::from_name(algorithm.as_bytes()).ok_or_else(corrupt)?;
            let ha1 = Ha1::from_hex(algorithm, digits.value().as_bytes()).map_err(|_| corrupt())?;
            users.entry(user.into()).or_default().insert(ha1);
        }
        Ok(users)
    }

    /// Does it and commits, or does nothing.
    fn write<T>(
        &self,
        act: impl FnOnce(&WriteTransaction, &Path) -> Result<T, AccountsError>,
    ) -> Result<T, AccountsError> {
        write(&self.database, &self.path, act)
    }
}

/// Checks the schema, makes what is missing, and tells the realm.
pub(super) fn fill(database: &Database, path: &Path, realm_if_new: &str) -> Result<String, AccountsError> {
    write(database, path, |transaction, path| claim(transaction, path, realm_if_new))
}

fn write<T>(
    database: &Database,
    path: &Path,
    act: impl FnOnce(&WriteTransaction, &Path) -> Result<T, AccountsError>,
) -> Result<T, AccountsError> {
    let transaction = database.begin_write().map_err(AccountsError::at(path))?;
    // A transaction that is dropped is undone.
    let done = act(&transaction, path)?;
    transaction.commit().map_err(AccountsError::at(path))?;
    Ok(done)
}

impl AccountsError {
    pub(super) fn at<E: Into<redb::Error>>(path: &Path) -> impl Fn(E) -> AccountsError {
        move |error| AccountsError::storage(path, error)
    }
}

impl fmt::Debug for AccountStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountStore").field("path", &self.path).field("realm", &self.realm).finish_non_exhaustive()
    }
}

fn claim(transaction: &WriteTransaction, path: &Path, realm_if_new: &str) -> Result<String, AccountsError> {
    let failed = |error| AccountsError::storage(path, error);
    let corrupt = |what: &str| AccountsError::Corrupt(path.to_owned(), what.to_owned());
    transaction.open_table(HA1).map_err(AccountsError::at(path))?;
    transaction.open_table(REDIRECT).map_err(AccountsError::at(path))?;
    let mut meta = transaction.open_table(META).map_err(AccountsError::at(path))?;
    let schema = meta.get(SCHEMA_KEY).map_err(failed)?.map(|value| value.value().to_vec());
    match schema {
        None => {
            meta.insert(SCHEMA_KEY, &SCHEMA.to_le_bytes()[..]).map_err(failed)?;
            meta.insert(REALM_KEY, realm_if_new.as_bytes()).map_err(failed)?;
        }
        Some(bytes) => match bytes.try_into().map(u32::from_le_bytes) {
            Ok(SCHEMA) => {}
            Ok(found) => return Err(AccountsError::NewerSchema { path: path.to_owned(), found, known: SCHEMA }),
            Err(_) => return Err(corrupt("the number of the schema")),
        },
    }
    let realm = meta.get(REALM_KEY).map_err(failed)?.map(|value| value.value().to_vec());
    realm.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| corrupt("the realm"))
}

fn has(transaction: &WriteTransaction, path: &Path, name: &UserName) -> Result<bool, AccountsError> {
    let table = transaction.open_table(HA1).map_err(AccountsError::at(path))?;
    for algorithm in Algorithm::ALL {
        if table.get((name.as_str(), algorithm.as_str())).map_err(AccountsError::at(path))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn put(
    transaction: &WriteTransaction,
    path: &Path,
    name: &UserName,
    realm: &str,
    password: &Password,
) -> Result<(), AccountsError> {
    let mut table = transaction.open_table(HA1).map_err(AccountsError::at(path))?;
    for ha1 in Ha1Set::of(name.as_str(), realm, password).iter() {
        table.insert((name.as_str(), ha1.algorithm().as_str()), ha1.reveal()).map_err(AccountsError::at(path))?;
    }
    Ok(())
}

fn remove(transaction: &WriteTransaction, path: &Path, name: &UserName) -> Result<(), AccountsError> {
    let mut table = transaction.open_table(HA1).map_err(AccountsError::at(path))?;
    let mut found = false;
    for algorithm in Algorithm::ALL {
        found |= table.remove((name.as_str(), algorithm.as_str())).map_err(AccountsError::at(path))?.is_some();
    }
    if !found {
        return Err(AccountsError::NoSuchUser(name.clone()));
    }
    Ok(())
}

#[cfg(test)]
mod tests;

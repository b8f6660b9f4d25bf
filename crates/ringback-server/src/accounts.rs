//! Accounts: hashes at rest in a database of their own, all of them in memory while the server runs.

mod error;
mod import;
mod name;
mod store;

use std::collections::HashMap;
use std::fmt;

use ringback_auth::Ha1Set;
use ringback_stack::Account;

pub use error::AccountsError;
pub use import::{ImportError, parse_import};
pub use name::{NAME_BYTES_MAX, NameError, PASSWORD_BYTES_MAX, PasswordError, UserName, check_password};
pub use store::AccountStore;

/// All accounts, in memory.
#[derive(Default)]
pub struct Accounts(HashMap<Box<str>, Account>);

impl Accounts {
    /// These users.
    pub(crate) fn of(users: HashMap<Box<str>, Ha1Set>) -> Accounts {
        Accounts(users.into_iter().map(|(name, ha1s)| (name, Account { ha1s, redirect: false })).collect())
    }

    /// Requests for this user are answered with 302.
    pub(crate) fn redirect(&mut self, user: &str) {
        if let Some(account) = self.0.get_mut(user) {
            account.redirect = true;
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The names, in order.
    pub(crate) fn names(&self) -> Vec<Box<str>> {
        let mut names: Vec<_> = self.0.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    /// True where there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl ringback_tokio::Accounts for Accounts {
    fn find(&self, user: &str) -> Option<Account> {
        self.0.get(user).copied()
    }
}

impl fmt::Debug for Accounts {
    /// Says how many, and of none of them anything.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").field("len", &self.len()).finish_non_exhaustive()
    }
}

//! The accounts of a server that starts, wherever they are kept.

use std::io::Write;
use std::path::Path;

use ringback_location_db::{LocationDb, Options};
use ringback_stack::{Account, Listener};
use ringback_tokio::Clock;

use crate::accounts::{AccountStore, Accounts, UserName};
use crate::config::FileAccounts;
use crate::error::ServerError;
use crate::first_start::{announce, first_users};
use crate::folder::{ACCOUNTS_FILE, LOCATION_FILE};
use crate::settings::{AccountsSource, Domain, Settings};

/// The accounts, and the lock on their database, if they are in one: nobody changes what would not be noticed.
#[derive(Debug)]
pub(crate) struct Users {
    pub(crate) accounts: Accounts,
    pub(crate) realm: Box<str>,
    _store: Option<AccountStore>,
}

impl Users {
    /// Reads them. A database without any gets its first ones, unless nobody is asked for credentials.
    pub(crate) fn open(
        settings: &Settings,
        announcements: &mut dyn Write,
        listeners: &[Listener],
    ) -> Result<Users, ServerError> {
        match &settings.accounts {
            AccountsSource::Database => Users::of_database(settings, announcements, listeners),
            AccountsSource::File(path) => {
                let FileAccounts { realm, accounts, warnings } = FileAccounts::read(path, settings)?;
                warnings.iter().flat_map(|report| report.lines()).for_each(|warning| tracing::warn!("{warning}"));
                Ok(Users { accounts, realm, _store: None })
            }
        }
    }

    fn of_database(
        settings: &Settings,
        announcements: &mut dyn Write,
        listeners: &[Listener],
    ) -> Result<Users, ServerError> {
        let store = AccountStore::open(&settings.data, settings.realm_if_new())?;
        if let Some(wanted) = settings.realm.as_deref().filter(|wanted| *wanted != store.realm()) {
            let path = settings.data.join(ACCOUNTS_FILE);
            return Err(ServerError::Realm { wanted: wanted.into(), stored: store.realm().into(), path });
        }
        if !settings.open {
            first_accounts(&store, announcements, listeners, settings.domain.as_ref())?;
        }
        let accounts = store.load()?;
        Ok(Users { accounts, realm: store.realm().into(), _store: Some(store) })
    }
}

impl ringback_tokio::Accounts for Users {
    fn find(&self, user: &str) -> Option<Account> {
        self.accounts.find(user)
    }
}

/// Removes what a user has registered in this data folder: a phone that knew an old password rings no more. Tells of how many
/// addresses of record.
///
/// # Errors
/// Where the location table can't be opened or written.
pub fn forget_bindings(data: &Path, user: &UserName) -> Result<usize, ServerError> {
    let path = data.join(LOCATION_FILE);
    if !path.is_file() {
        return Ok(0);
    }
    let location = LocationDb::open(&path, Options::default(), Clock::start().now())?;
    let removed = location.remove_user(user.as_str()).map_err(|_| ServerError::LocationWrite(path))?;
    location.close()?;
    Ok(removed)
}

fn first_accounts(
    store: &AccountStore,
    out: &mut dyn Write,
    listeners: &[Listener],
    domain: Option<&Domain>,
) -> Result<(), ServerError> {
    let users = first_users()?;
    if store.start(&users)? {
        tracing::info!(
            accounts = users.len(),
            "first start: accounts were made, and their passwords told on standard output alone"
        );
        if let Err(error) = announce(out, &users, listeners, domain) {
            tracing::warn!(%error, "the passwords of the first accounts could not be told; set others with ringback user passwd");
        }
    }
    Ok(())
}

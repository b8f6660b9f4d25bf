//! Accounts in a file: names and hashes, no passwords.

use std::collections::HashMap;
use std::path::Path;

use ringback_auth::{Algorithm, Ha1, Ha1Set};

use super::problem::{ConfigError, Report};
use super::reader::{self, Reader};
use super::sections::{ALGORITHMS, Realm};
use super::text_of;
use crate::accounts::{Accounts, UserName};
use crate::settings::Settings;

/// What a file of accounts holds.
///
/// ```toml
/// realm = "example.com"
///
/// [[user]]
/// name = "alice"
/// MD5 = "f63d1d5b15d12921464ffce49fa02f0e"
/// SHA-256 = "e08c354f25140a3ffa367f356ecc66c6b965e6835ebfb3802dd18074b03e8e9e"
/// ```
#[derive(Debug)]
pub(crate) struct FileAccounts {
    pub(crate) realm: Box<str>,
    pub(crate) accounts: Accounts,
    pub(crate) warnings: Option<Report>,
}

impl FileAccounts {
    /// Reads a file for a server with these settings.
    ///
    /// # Errors
    /// Where it can't be read, or with everything in it that is wrong.
    pub(crate) fn read(path: &Path, settings: &Settings) -> Result<FileAccounts, ConfigError> {
        FileAccounts::parse(path, &text_of(path)?, settings)
    }

    pub(super) fn parse(path: &Path, text: &str, settings: &Settings) -> Result<FileAccounts, ConfigError> {
        // A hash lets in whoever has it, and what is drawn may end up in a log.
        let ((realm, users), warnings) =
            reader::read(path, text, |reader| top(reader, settings)).map_err(|error| error.hide(is_public))?;
        Ok(FileAccounts {
            realm,
            accounts: Accounts::of(users),
            warnings: warnings.map(|report| report.hide(is_public)),
        })
    }
}

/// Whether a line holds nothing but what may be shown.
fn is_public(line: &str) -> bool {
    ["[", "name", "realm"].iter().any(|start| line.trim_start().starts_with(start))
}

fn top(reader: &mut Reader<'_, '_>, settings: &Settings) -> (Box<str>, HashMap<Box<str>, Ha1Set>) {
    let realm = reader.text("realm").map(|Realm(realm)| realm);
    if !reader.has("realm") {
        reader.refuse("no realm", "which realm were the passwords hashed with?", "add realm = \"example.com\"");
    }
    if let (Some(wanted), Some(found)) = (&settings.realm, &realm)
        && wanted != found
    {
        let help = "every hash holds the realm, so it can't be changed in one of the two places alone";
        reader.error("realm", "contradicts the configuration", format!("there it is {wanted:?}"), Some(help));
    }
    let mut users: HashMap<Box<str>, Ha1Set> = HashMap::new();
    reader.sections("user", |reader| {
        let Some((name, ha1s)) = user(reader, settings) else { return };
        if users.insert(name.as_str().into(), ha1s).is_some() {
            reader.error("name", "stands here twice", "there is such a user above", None);
        }
    });
    (realm.unwrap_or_default(), users)
}

fn user(reader: &mut Reader<'_, '_>, settings: &Settings) -> Option<(UserName, Ha1Set)> {
    if !reader.has("name") {
        reader.refuse("a user without a name", "who is it?", "add name = \"alice\"");
    }
    let name = reader.text("name");
    let mut ha1s = Ha1Set::new();
    for (word, algorithm) in ALGORITHMS {
        if let Some(digits) = reader.text::<String>(word) {
            match Ha1::from_hex(*algorithm, digits.as_bytes()) {
                Ok(ha1) => _ = ha1s.insert(ha1),
                Err(error) => reader.error(word, "is no hash", error.to_string(), None),
            }
        }
    }
    check_offered(reader, &ha1s, settings);
    Some((name?, ha1s))
}

/// A phone takes the first algorithm that it knows, whether or not there is a hash for it.
fn check_offered(reader: &mut Reader<'_, '_>, ha1s: &Ha1Set, settings: &Settings) {
    let lacking: Vec<_> = settings.algorithms.iter().filter(|algorithm| ha1s.find(**algorithm).is_none()).collect();
    let names = lacking.iter().map(|algorithm| algorithm.as_str()).collect::<Vec<_>>().join(" and ");
    if !lacking.is_empty()
        && !settings.open
        && ALGORITHMS.iter().all(|(word, _)| !reader.has(word) || is_sound(ha1s, word))
    {
        let label = format!("no hash for {names}, which the domain offers: phones that take it up are refused");
        reader.warning("name", "lacks a hash", label);
    }
}

/// Whether the hash that stands there could be read; one that could not has been told of already.
fn is_sound(ha1s: &Ha1Set, word: &str) -> bool {
    Algorithm::from_name(word.as_bytes()).is_some_and(|algorithm| ha1s.find(algorithm).is_some())
}

//! Whose name and secret a client answers with, and to whom.

use alloc::boxed::Box;
use alloc::vec::Vec;

use ringback_message::Message;

use crate::algorithm::Algorithm;
use crate::ha1::{Ha1, Ha1Set, Password};
use crate::next_hop::{NextHop, same_host};

/// A name, its secret, and who may ask for them.
///
/// The response to a challenge lets whoever sent it guess the password at leisure, and a realm is a text that anybody can write
/// into one. So an account is for one realm, and [`Account::at`] binds it to the hosts that requests are sent to as well.
///
/// ```
/// use ringback_auth::{Account, Password};
///
/// let account = Account::new("b.example", "alice", Password::new("wonderland")).at("b.example").at("proxy.b.example");
/// assert_eq!(account.realm(), Some("b.example"));
/// assert!(!format!("{account:?}").contains("wonderland"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    realm: Option<Box<str>>,
    user: Box<str>,
    secret: Secret,
    hosts: Vec<Box<str>>,
    takes_md5: bool,
}

/// What proves a user: the password, or what a server keeps of it. Neither is shown in a debug form.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Secret {
    /// The password: good for each algorithm.
    Password(Password),
    /// Hashes of one realm: good for their algorithms.
    Hashes(Box<Ha1Set>),
}

impl From<Password> for Secret {
    fn from(password: Password) -> Secret {
        Secret::Password(password)
    }
}

impl From<Ha1Set> for Secret {
    fn from(hashes: Ha1Set) -> Secret {
        Secret::Hashes(Box::new(hashes))
    }
}

impl Account {
    /// For this realm, whoever asks in its name.
    #[must_use]
    pub fn new(realm: impl Into<Box<str>>, user: impl Into<Box<str>>, secret: impl Into<Secret>) -> Account {
        Account {
            realm: Some(realm.into()),
            user: user.into(),
            secret: secret.into(),
            hosts: Vec::new(),
            takes_md5: true,
        }
    }

    /// For every realm that no other account is for.
    ///
    /// **Anybody whom a request reaches can get a response to guess the password from**, unless [`Account::at`] says who may ask. It
    /// is for those who know where their server is and not what it calls its realm.
    #[must_use]
    pub fn for_any_realm(user: impl Into<Box<str>>, password: Password) -> Account {
        Account { realm: None, ..Account::new("", user, password) }
    }

    /// Only for who is asked at this host, or at another that was named so: 401 must come from the host of the Request-URI, 407 from
    /// the next hop, which is that of the first Route or else of the Request-URI. Brackets around an IPv6 address may be left out.
    ///
    /// Requests in a dialog go to the addresses that the proxies put into Record-Route: where those challenge, name them too.
    #[must_use]
    pub fn at(mut self, host: impl Into<Box<str>>) -> Account {
        self.hosts.push(host.into());
        self
    }

    /// Never by MD5, even where nothing else is offered: an attacker on the way can take better offers out of a response.
    /// `[RFC 8760, Section 3]`
    #[must_use]
    pub fn without_md5(mut self) -> Account {
        self.takes_md5 = false;
        self
    }

    /// The realm; `None` for all.
    #[must_use]
    pub fn realm(&self) -> Option<&str> {
        self.realm.as_deref()
    }

    /// The user's name.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// True where hosts were named.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        !self.hosts.is_empty()
    }

    /// Whether an account like the other one is to take its place: it is for the same.
    pub(crate) fn is_in_place_of(&self, other: &Account) -> bool {
        self.realm == other.realm && self.hosts == other.hosts
    }

    /// Whether the one who speaks for this place may ask.
    pub(crate) fn trusts(&self, request: &Message, next_hop: NextHop) -> bool {
        let host = next_hop.host(request);
        !self.is_bound() || host.is_some_and(|host| self.hosts.iter().any(|known| same_host(known.as_bytes(), host)))
    }

    /// The hash by this algorithm, where there is one and it is good enough.
    pub(crate) fn ha1(&self, algorithm: Algorithm, realm: &str) -> Option<Ha1> {
        if algorithm.base() == Algorithm::Md5 && !self.takes_md5 {
            return None;
        }
        match &self.secret {
            Secret::Password(password) => Some(Ha1::of(algorithm, &self.user, realm, password)),
            Secret::Hashes(hashes) => hashes.find(algorithm).copied(),
        }
    }
}

//! What a registration is to be, and how patient it is.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use ringback_message::header::Qvalue;
use ringback_message::{HeaderId, SipUri, Uri};

/// How many contacts one registration may have.
pub const CONTACTS_MAX: usize = 16;

/// What to register, and where.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RegistrationConfig {
    /// The address of record, a SIP URI: To, and From where nothing else is said.
    pub aor: String,
    /// The Request-URI: the domain of the address of record where nothing is said. `[RFC 3261, Section 10.2]`
    pub registrar: Option<String>,
    /// Who registers, where it is somebody else. `[RFC 3261, Section 10.2]`
    pub from: Option<String>,
    /// Where the address of record shall lead.
    pub contacts: Vec<RegistrationContact>,
    /// How long the bindings shall last, in seconds; `None` lets the registrar choose. `[RFC 3261, Section 10.2.1.1]`
    pub expires_secs: Option<u32>,
    /// Proxies that the REGISTER goes through, the nearest first: URIs with `lr`.
    pub routes: Vec<String>,
    /// The URN of the device, the same for as long as it lives. `[RFC 5626, Section 4.1]`
    pub instance: Option<String>,
    /// Which flow of the device it is, from 1 up: asks for outbound. It needs [`RegistrationConfig::instance`], and one contact.
    /// `[RFC 5626, Section 4.2.1]`
    pub reg_id: Option<u32>,
    /// How patient it is.
    pub policy: Arc<RegistrationPolicy>,
}

/// One address to be bound.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistrationContact {
    /// Its URI, of any scheme.
    pub uri: String,
    /// How much it is preferred. `[RFC 3261, Section 10.2.1.2]`
    pub q: Option<Qvalue>,
    /// How long this one shall last, in seconds.
    pub expires_secs: Option<u32>,
}

/// How long to wait for what, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistrationPolicy {
    /// The longest wait after failures. `[RFC 5626, Section 4.5]`
    pub wait_max_secs: u32,
    /// What is doubled with each failure, where no other flow of the device works.
    pub base_all_failed_secs: u32,
    /// What is doubled with each failure, where another flow works.
    pub base_secs: u32,
    /// The longest Retry-After that is obeyed; one that asks for more counts as this.
    pub retry_after_max_secs: u32,
    /// The longest lifetime that a 423 makes us ask for.
    pub expires_max_secs: u32,
    /// Whether a 439 is answered by registering without outbound. `[RFC 5626, Section 4.2.1]`
    pub falls_back_to_plain: bool,
    /// Whether the flow is kept alive, where it is a connection, or the next hop says that it answers keep-alives by datagrams: it counts
    /// as working once one was answered. `[RFC 5626, Section 4.5]` `[RFC 6223, Section 4.3]`
    pub keeps_alive: bool,
}

impl Default for RegistrationPolicy {
    /// The times of `[RFC 5626, Section 4.5]`; an hour for Retry-After, a week for a 423.
    fn default() -> RegistrationPolicy {
        RegistrationPolicy {
            wait_max_secs: 1_800,
            base_all_failed_secs: 30,
            base_secs: 90,
            retry_after_max_secs: 3_600,
            expires_max_secs: 604_800,
            falls_back_to_plain: true,
            keeps_alive: false,
        }
    }
}

impl RegistrationConfig {
    /// One contact for an address of record, for an hour.
    #[must_use]
    pub fn new(aor: &str, contact: &str) -> RegistrationConfig {
        RegistrationConfig {
            aor: aor.into(),
            registrar: None,
            from: None,
            contacts: Vec::from([RegistrationContact::new(contact)]),
            expires_secs: Some(3_600),
            routes: Vec::new(),
            instance: None,
            reg_id: None,
            policy: Arc::default(),
        }
    }
}

impl RegistrationContact {
    /// A contact with the lifetime of the registration.
    #[must_use]
    pub fn new(uri: &str) -> RegistrationContact {
        RegistrationContact { uri: uri.into(), q: None, expires_secs: None }
    }
}

/// Why there can't be such a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistrationError {
    /// The address of record, or who registers, is no SIP URI.
    Aor,
    /// The registrar is no SIP URI, or names a user. `[RFC 3261, Section 10.2]`
    Registrar,
    /// A contact is no URI, or is the address of record itself. `[RFC 5627, Section 4.1]`
    Contact,
    /// More contacts than [`CONTACTS_MAX`].
    TooManyContacts,
    /// A route is no SIP URI.
    Route,
    /// A `reg_id` that is 0 or beyond 2147483647, without an instance, or for several contacts. `[RFC 5626, Section 4.2.1]`
    RegId,
}

impl fmt::Display for RegistrationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RegistrationError::Aor => "expected a SIP URI for the address of record",
            RegistrationError::Registrar => {
                "expected a SIP URI without a user for the registrar [RFC 3261, Section 10.2]"
            }
            RegistrationError::Contact => "expected a URI other than the address of record for a contact",
            RegistrationError::TooManyContacts => "expected at most 16 contacts",
            RegistrationError::Route => "expected a SIP URI for a route",
            RegistrationError::RegId => {
                "expected a reg-id from 1 to 2147483647, an instance and one contact [RFC 5626, Section 4.2.1]"
            }
        })
    }
}

impl core::error::Error for RegistrationError {}

impl RegistrationConfig {
    /// The Request-URI, once all of it makes sense.
    pub(super) fn check(&self) -> Result<Box<str>, RegistrationError> {
        let aor = sip(&self.aor).ok_or(RegistrationError::Aor)?;
        if self.from.as_deref().is_some_and(|from| sip(from).is_none()) {
            return Err(RegistrationError::Aor);
        }
        check_contacts(&self.aor, &self.contacts)?;
        if self.routes.iter().any(|route| sip(route).is_none()) {
            return Err(RegistrationError::Route);
        }
        if self
            .reg_id
            .is_some_and(|id| id == 0 || id > 0x7fff_ffff || self.instance.is_none() || self.contacts.len() != 1)
        {
            return Err(RegistrationError::RegId);
        }
        match &self.registrar {
            Some(registrar) => checked_registrar(registrar),
            None => Ok(domain_of(&aor)),
        }
    }
}

/// A Request-URI of a REGISTER: 'The "userinfo" and "@" components of the SIP URI MUST NOT be present.' `[RFC 3261, Section 10.2]`
pub(super) fn checked_registrar(registrar: &str) -> Result<Box<str>, RegistrationError> {
    let uri = sip(registrar).filter(|uri| uri.user.is_none());
    uri.map(|_| registrar.into()).ok_or(RegistrationError::Registrar)
}

pub(super) fn check_contacts(aor: &str, contacts: &[RegistrationContact]) -> Result<(), RegistrationError> {
    if contacts.len() > CONTACTS_MAX {
        return Err(RegistrationError::TooManyContacts);
    }
    let parsed = |text: &str| Uri::parse(text.as_bytes(), HeaderId::Contact, 0).ok().map(|uri| uri.to_owned_text());
    let aor = parsed(aor).ok_or(RegistrationError::Aor)?;
    let is_good = |contact: &RegistrationContact| parsed(&contact.uri).is_some_and(|uri| !uri.equivalent(&aor));
    if contacts.iter().all(is_good) { Ok(()) } else { Err(RegistrationError::Contact) }
}

fn sip(text: &str) -> Option<SipUri<&[u8]>> {
    match Uri::parse(text.as_bytes(), HeaderId::To, 0) {
        Ok(Uri::Sip(uri)) => Some(uri),
        _ => None,
    }
}

/// "the UA SHOULD use the host part of the address-of-record as the Request-URI" `[RFC 3261, Section 10.2.6]`
fn domain_of(aor: &SipUri<&[u8]>) -> Box<str> {
    let scheme = if aor.secure { "sips" } else { "sip" };
    let host = String::from_utf8_lossy(aor.host);
    match aor.port {
        Some(port) => alloc::format!("{scheme}:{host}:{port}").into(),
        None => alloc::format!("{scheme}:{host}").into(),
    }
}

//! A contact of ours, and what the registrar has made of it.

use alloc::boxed::Box;
use alloc::string::String;

use ringback_base::Micros;
use ringback_message::header::{Contact, Qvalue};
use ringback_message::{HeaderId, Uri};

use super::LEARNT_BYTES_MAX;
use super::config::RegistrationContact;

/// One contact.
#[derive(Debug)]
pub(super) struct Binding {
    pub(super) uri: Box<str>,
    /// Until when it is bound.
    pub(super) until: Option<Micros>,
    gruu: Option<Box<Gruu>>,
    pub(super) expires_secs: Option<u32>,
    pub(super) q: Option<Qvalue>,
    /// To be removed with the next REGISTER.
    pub(super) is_going: bool,
}

/// URIs that lead to one device from anywhere; to be used as they are. `[RFC 5627, Section 4.2]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gruu {
    /// The one that stays the same, and tells who it is.
    pub public: Option<Box<str>>,
    /// The latest of those that tell nothing.
    pub temporary: Option<Box<str>>,
}

impl Binding {
    pub(super) fn new(contact: &RegistrationContact) -> Binding {
        Binding {
            uri: contact.uri.as_str().into(),
            until: None,
            gruu: None,
            expires_secs: contact.expires_secs,
            q: contact.q,
            is_going: false,
        }
    }

    pub(super) fn is_bound(&self) -> bool {
        self.until.is_some()
    }

    pub(super) fn gruu(&self) -> Option<&Gruu> {
        self.gruu.as_deref()
    }

    /// By the rules for comparing URIs. `[RFC 3261, Section 19.1.4]`
    pub(super) fn is_same(&self, other: &Binding) -> bool {
        self.with_uri(|ours| other.with_uri(|theirs| ours.equivalent(theirs)))
    }

    pub(super) fn is_at(&self, uri: &Uri<&[u8]>) -> bool {
        self.with_uri(|ours| ours.equivalent(uri))
    }

    fn with_uri(&self, judge: impl Fn(&Uri<&[u8]>) -> bool) -> bool {
        Uri::parse(self.uri.as_bytes(), HeaderId::Contact, 0).is_ok_and(|uri| judge(&uri))
    }

    /// Takes over what the registrar has made of the same contact before.
    pub(super) fn inherit(&mut self, before: Binding) {
        self.until = before.until;
        self.gruu = before.gruu;
    }

    /// Is bound until then, as this Contact says. "A UA will receive a new temporary GRUU in each successful REGISTER response."
    pub(super) fn bound(&mut self, until: Micros, contact: &Contact<&[u8]>) {
        self.until = Some(until);
        let param = |name: &[u8]| {
            let value = contact.address()?.params.value(name)?;
            let text = ringback_message::header::text::unquoted(value);
            let text = String::from_utf8(text.into_owned()).ok().filter(|text| text.len() <= LEARNT_BYTES_MAX)?;
            Uri::parse(text.as_bytes(), HeaderId::Contact, 0).ok()?.as_sip()?;
            Some(text.into_boxed_str())
        };
        let gruu = Gruu { public: param(b"pub-gruu"), temporary: param(b"temp-gruu") };
        self.gruu = (gruu != Gruu::default()).then(|| Box::new(gruu));
    }

    /// Is not bound any more, if its time is over.
    pub(super) fn expire(&mut self, now: Micros) {
        self.until = self.until.filter(|until| *until > now);
    }

    /// Is not bound.
    pub(super) fn forget(&mut self) {
        self.until = None;
        self.gruu = None;
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let gruu = self.gruu.as_deref().map_or(0, |gruu| {
            let texts = gruu.public.iter().chain(&gruu.temporary);
            texts.fold(size_of::<Gruu>(), |sum, text| sum.saturating_add(text.len()))
        });
        self.uri.len().saturating_add(gruu)
    }
}

//! How far a call is carried on by itself: which response is acted on, and when that ends.

use alloc::boxed::Box;
use alloc::vec::Vec;

use ringback_base::Micros;
use ringback_message::{HeaderId, Uri};

use crate::outcome::{OUTCOME_ITEMS_MAX, Outcome, Redirection, Target};

/// How many INVITEs one call sends where nobody says otherwise: to all next hops, with credentials, and to all contacts.
pub const CALL_REQUESTS_MAX: u8 = 32;

/// How far a call goes on by itself after a response that lets it, before the application is told of its failure.
///
/// Whatever this says: credentials are sent once for each challenge, a 422 raises the session interval a few times, and the next hop
/// is tried after one that can't serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pursuit {
    /// How many 3xx are followed, 305 not among them; none by default. The contacts are tried one after another, the preferred first,
    /// none twice, and none that is not SIPS where the call is. `[RFC 3261, Section 8.1.3.4]`
    pub redirects_max: u8,
    /// How many seconds in all are waited for what Retry-After says; none by default. `[RFC 3261, Section 20.33]`
    pub wait_max_secs: u32,
    /// How many INVITEs are sent in all, [`CALL_REQUESTS_MAX`] by default; the first one always is.
    pub requests_max: u8,
    /// Option tags in Require or Proxy-Require that the call can do without: after a 420 it is tried once without those that it
    /// names, if they are all among these. `[RFC 3261, Section 8.1.3.5]`
    pub optional_extensions: Vec<Box<str>>,
}

impl Default for Pursuit {
    fn default() -> Pursuit {
        Pursuit { redirects_max: 0, wait_max_secs: 0, requests_max: CALL_REQUESTS_MAX, optional_extensions: Vec::new() }
    }
}

/// What a call does next, without being asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PursuitStep {
    /// It goes to this contact of a 3xx.
    Contact {
        /// The Request-URI.
        uri: Box<str>,
    },
    /// It is sent again as it is, when it is this time.
    Wait {
        /// By the clock that the agent is given.
        until: Micros,
    },
    /// It is sent again without these extensions.
    Without {
        /// The option tags.
        tags: Vec<Box<str>>,
    },
}

/// What is to be done next; times are still to be counted from now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Contact(Box<str>),
    WaitSecs(u32),
    Without(Vec<Box<str>>),
}

/// A call's limits, and what of them is used up.
#[derive(Clone, Debug)]
pub(crate) struct Pursued {
    limits: Pursuit,
    requests: u8,
    redirects: u8,
    waited_secs: u32,
    has_dropped: bool,
    is_secure: bool,
    /// Contacts that were not tried yet, the next one last.
    ahead: Vec<Box<str>>,
    /// Request-URIs that were.
    visited: Vec<Box<str>>,
}

impl Pursued {
    /// A call to this Request-URI.
    pub(crate) fn new(limits: Pursuit, request_uri: &str) -> Pursued {
        let is_secure = parsed(request_uri).is_some_and(|uri| uri.as_sip().is_some_and(|uri| uri.secure));
        Pursued {
            limits,
            requests: 0,
            redirects: 0,
            waited_secs: 0,
            has_dropped: false,
            is_secure,
            ahead: Vec::new(),
            visited: Vec::from([request_uri.into()]),
        }
    }

    /// Whether one request more may be sent.
    pub(crate) fn may_send(&self) -> bool {
        self.requests < self.limits.requests_max.max(1)
    }

    /// One was sent.
    pub(crate) fn sent(&mut self) {
        self.requests = self.requests.saturating_add(1);
    }

    /// What follows from an attempt that has failed so; `is_for_all` where no other contact is to be tried, as after a 6xx.
    /// `[RFC 3261, Section 8.1.3.4]` `[RFC 3261, Section 21.6]`
    pub(crate) fn next(&mut self, outcome: &Outcome, is_for_all: bool) -> Option<Step> {
        if !self.may_send() {
            return None;
        }
        if let Some(tags) = self.without(outcome) {
            return Some(Step::Without(tags));
        }
        if let Outcome::Redirect(redirect) = outcome
            && redirect.redirection != Redirection::ThroughProxy
            && self.redirects < self.limits.redirects_max
        {
            self.redirects = self.redirects.saturating_add(1);
            self.learn(&redirect.targets);
        }
        if is_for_all {
            self.ahead.clear();
        }
        if let Some(uri) = self.ahead.pop() {
            self.visited.push(uri.clone());
            return Some(Step::Contact(uri));
        }
        let secs = outcome.after_secs()?.max(1);
        let waited = self.waited_secs.checked_add(secs).filter(|waited| *waited <= self.limits.wait_max_secs)?;
        self.waited_secs = waited;
        Some(Step::WaitSecs(secs))
    }

    fn without(&mut self, outcome: &Outcome) -> Option<Vec<Box<str>>> {
        let Outcome::DropExtensions(tags) = outcome else { return None };
        let is_optional =
            |tag: &str| self.limits.optional_extensions.iter().any(|known| known.eq_ignore_ascii_case(tag));
        if self.has_dropped || !tags.iter().all(|tag| is_optional(tag)) {
            return None;
        }
        self.has_dropped = true;
        Some(tags.clone())
    }

    /// Takes in contacts, to be tried before those that are known: they are where one of those led to.
    fn learn(&mut self, targets: &[Target]) {
        let room = OUTCOME_ITEMS_MAX.saturating_sub(self.ahead.len());
        let mut new: Vec<Box<str>> = Vec::new();
        for target in targets.iter().filter(|target| target.is_secure() || !self.is_secure) {
            let Some(uri) = target.request_uri() else { continue };
            let mut known = self.visited.iter().chain(&self.ahead).chain(&new);
            if new.len() < room && !known.any(|known| is_same(known, &uri)) {
                new.push(uri);
            }
        }
        self.ahead.extend(new.into_iter().rev());
    }
}

fn is_same(one: &str, other: &str) -> bool {
    match (parsed(one), parsed(other)) {
        (Some(one), Some(other)) => one.equivalent(&other),
        _ => one == other,
    }
}

fn parsed(uri: &str) -> Option<Uri<&[u8]>> {
    Uri::parse(uri.as_bytes(), HeaderId::Other, 0).ok()
}

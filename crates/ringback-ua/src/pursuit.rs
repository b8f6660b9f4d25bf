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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::outcome::{Redirect, Wait};
    use ringback_base::Random;

    fn target(uri: &str) -> Target {
        let uri = Uri::parse(uri.as_bytes(), HeaderId::Contact, 0).unwrap().to_owned_text();
        Target { uri, name: "".into(), q_thousandths: 1_000, expires_secs: None }
    }

    fn redirect(uris: &[&str]) -> Outcome {
        let targets = uris.iter().map(|uri| target(uri)).collect();
        Outcome::Redirect(Redirect { redirection: Redirection::Temporary, targets })
    }

    fn busy() -> Outcome {
        Outcome::RetryLater(Wait::default())
    }

    fn contact(uri: &str) -> Option<Step> {
        Some(Step::Contact(uri.into()))
    }

    fn following(max: u8) -> Pursuit {
        Pursuit { redirects_max: max, ..Pursuit::default() }
    }

    #[test]
    fn a_call_to_sips_goes_to_sips_only() {
        let mut pursued = Pursued::new(following(5), "sips:b@b.example");
        assert_eq!(
            pursued.next(&redirect(&["sip:c@c.example", "sips:d@d.example"]), false),
            contact("sips:d@d.example")
        );
        assert_eq!(pursued.next(&busy(), false), None);
    }

    #[test]
    fn where_a_contact_leads_comes_before_the_next_one() {
        let mut pursued = Pursued::new(following(5), "sip:b@b.example");
        assert_eq!(pursued.next(&redirect(&["sip:c@c.example", "sip:d@d.example"]), false), contact("sip:c@c.example"));
        // One of them was tried, if written otherwise, and one is to be.
        let nested = redirect(&["sip:b@B.EXAMPLE", "sip:e@e.example", "sip:d@d.example", "mailto:f@f.example"]);
        assert_eq!(pursued.next(&nested, false), contact("sip:e@e.example"));
        assert_eq!(pursued.next(&busy(), false), contact("sip:d@d.example"));
        assert_eq!(pursued.next(&busy(), false), None);
    }

    #[test]
    fn waits_add_up_to_the_limit() {
        let limits = Pursuit { wait_max_secs: 10, ..Pursuit::default() };
        let mut pursued = Pursued::new(limits, "sip:b@b.example");
        let later = |secs| Outcome::RetryLater(Wait::secs(secs));
        assert_eq!(pursued.next(&later(u32::MAX), false), None);
        assert_eq!(pursued.next(&later(6), false), Some(Step::WaitSecs(6)));
        assert_eq!(pursued.next(&later(5), false), None);
        // At once is a second: nobody is asked again without a pause.
        assert_eq!(pursued.next(&Outcome::NextTarget(Wait::secs(0)), false), Some(Step::WaitSecs(1)));
        assert_eq!(pursued.next(&later(3), true), Some(Step::WaitSecs(3)));
        assert_eq!(pursued.next(&later(0), false), None);
    }

    /// Whatever comes back: no URI twice, no more waits than wanted, no step behind the last request, and an end.
    #[test]
    fn keeps_its_limits_whatever_comes() {
        let mut random = Random::from_seed([9; 32]);
        for _ in 0..2_000 {
            let mut pick = |below: u64| u8::try_from(random.below(below)).unwrap();
            let limits = Pursuit {
                redirects_max: pick(6),
                wait_max_secs: pick(100).into(),
                requests_max: pick(40),
                optional_extensions: Vec::from(["foo".into()]),
            };
            let mut pursued = Pursued::new(limits.clone(), "sip:0@b.example");
            let (mut uris, mut waited, mut dropped, mut requests) = (Vec::new(), 0, 0, 0);
            loop {
                pursued.sent();
                requests += 1;
                let uri = |at: u8| alloc::format!("sip:{at}@b.example");
                let (one, two) = (uri(pick(9)), uri(pick(9)));
                let outcome = match pick(4) {
                    0 => redirect(&[&one, &two]),
                    1 => Outcome::NextTarget(Wait::secs(pick(30).into())),
                    2 => Outcome::DropExtensions(Vec::from(["FOO".into()])),
                    _ => busy(),
                };
                match pursued.next(&outcome, pick(10) == 0) {
                    Some(Step::Contact(uri)) => uris.push(uri),
                    Some(Step::WaitSecs(secs)) => waited += secs,
                    Some(Step::Without(_)) => dropped += 1,
                    None => break,
                }
            }
            assert!(requests <= limits.requests_max.max(1) && waited <= limits.wait_max_secs && dropped <= 1);
            assert!(!uris.contains(&"sip:0@b.example".into()) && (limits.redirects_max > 0 || uris.is_empty()));
            uris.sort();
            assert!(uris.windows(2).all(|pair| pair.first() != pair.last()), "{uris:?}");
        }
    }
}

//! What becomes of a REGISTER by its response. `[RFC 3261, Section 10.2.4]`

use alloc::boxed::Box;
use alloc::vec::Vec;

use ringback_base::{Micros, Now, Random};
use ringback_message::header::{Contact, FlowTimer, RetryAfter};
use ringback_message::status::Class;
use ringback_message::{HeaderId, Response, StatusCode};

use super::texts::Further;
use crate::outcome::{Correction, Why};

use super::{
    BINDINGS_READ_MAX, LEARNT_BYTES_MAX, Phase, Purpose, Registration, RegistrationEvent, RegistrationStep,
    TOO_BRIEF_MAX,
};

/// What a final response means for a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Success,
    /// 423 with its Min-Expires. `[RFC 3261, Section 10.2.8]`
    TooBrief(u32),
    /// 439. `[RFC 5626, Section 11.6]`
    NoOutbound,
    /// 3xx.
    Redirection(StatusCode),
    /// It would be said again.
    Refusal(StatusCode),
    /// It may be another time; after so many seconds, if that is said.
    Later(StatusCode, Option<u32>),
}

impl Outcome {
    pub(super) fn of(response: &Response) -> Outcome {
        let status = response.status();
        match crate::Outcome::of_response(response) {
            crate::Outcome::Success => Outcome::Success,
            crate::Outcome::RaiseExpires { min_secs } => Outcome::TooBrief(min_secs),
            crate::Outcome::Correct(Correction::PlainRegistration) => Outcome::NoOutbound,
            // What a server says of its present state, and 430 of that of a flow.
            crate::Outcome::RetryLater(wait) | crate::Outcome::NextTarget(wait) => {
                Outcome::Later(status, wait.after_secs)
            }
            crate::Outcome::RetryPending => Outcome::Later(status, None),
            _ if status.class() == Class::Redirection => Outcome::Redirection(status),
            // That would not be another time.
            crate::Outcome::Authenticate(_) | crate::Outcome::Shrink => Outcome::Refusal(status),
            crate::Outcome::GiveUp {
                why: Why::Unusable(_) | Why::Forbidden | Why::NotImplemented | Why::Version,
                ..
            } => Outcome::Refusal(status),
            // "the server should be able to handle it later" [RFC 3261, Section 21.4.18] is said with a time only.
            _ => match response.get::<RetryAfter<&[u8]>>() {
                Ok(Some(retry)) => Outcome::Later(status, Some(retry.seconds)),
                _ => Outcome::Refusal(status),
            },
        }
    }
}

/// How long before its expiry a binding is refreshed: so that a try that nobody answers (32 s), the wait behind it (60 s) and
/// another try fit in. Half the time where it is short, as `[RFC 5627, Section 4.2]` says.
const REFRESH_BEFORE_SECS: u32 = 128;

/// By how much refreshes are spread at most, so that the clients of a server that was started anew don't come all at once.
const SPREAD_SECS: u32 = 60;

impl Registration {
    pub(super) fn succeeded(
        &mut self,
        purpose: Purpose,
        response: &Response,
        now: Now,
        random: &mut Random,
    ) -> RegistrationStep {
        let event = match purpose {
            Purpose::Fetch => RegistrationEvent::Fetched,
            Purpose::Remove | Purpose::RemoveAll => {
                self.reset(Phase::Idle);
                RegistrationEvent::Unregistered
            }
            Purpose::Bind => return self.bound(response, now, random),
        };
        RegistrationStep { send: None, event: Some(event) }
    }

    /// Our own contacts are found in the list, by comparison. `[RFC 3261, Section 10.2.4]`
    fn bound(&mut self, response: &Response, now: Now, random: &mut Random) -> RegistrationStep {
        let default = response.number(HeaderId::Expires).ok().flatten();
        let mut granted: Vec<Option<u32>> = Vec::with_capacity(self.bindings.len());
        let contacts: Vec<Contact<&[u8]>> = response.values().take(BINDINGS_READ_MAX).flatten().collect();
        for place in 0..self.bindings.len() {
            granted.push(self.found(place, &contacts, default, now));
        }
        let kept = |(binding, granted): (&super::Binding, &Option<u32>)| (!binding.is_going).then_some(*granted);
        let of_ours: Vec<Option<u32>> = self.bindings.iter().zip(&granted).filter_map(kept).collect();
        if of_ours.is_empty() {
            // The last of our contacts was taken back.
            self.reset(Phase::Idle);
            return RegistrationStep { send: None, event: Some(RegistrationEvent::Unregistered) };
        }
        let missing = of_ours.iter().filter(|granted| granted.is_none()).count();
        self.bindings.retain(|binding| !binding.is_going);
        let Some(expires_secs) = of_ours.into_iter().flatten().min() else { return self.not_bound(now, random) };
        (self.phase, self.too_brief) = (Phase::Bound, 0);
        self.is_outbound = self.reg_id != 0 && response.has_token(HeaderId::Require, "outbound");
        let flow_timer_secs = response.get::<FlowTimer>().ok().flatten().map(|timer| timer.0);
        let keep_secs = keep_secs(response);
        self.next_hop_keeps_alive =
            self.is_outbound || flow_timer_secs.is_some() || keep_secs.is_some() || is_edge_first(response);
        // "If the received "keep" parameter value is zero, the SIP entity can send keep-alives at its discretion." [RFC 6223, Section 5]
        let flow_timer_secs = flow_timer_secs.or(keep_secs.filter(|secs| *secs > 0));
        let (service_route, path) = (learnt(response, HeaderId::ServiceRoute), learnt(response, HeaderId::Path));
        self.further = self.further.take().map_or_else(Further::default, |further| *further).learning(
            service_route,
            path,
            flow_timer_secs,
        );
        if !(self.is_outbound && self.policy.keeps_alive) {
            self.is_proven = true;
            self.failures = 0;
        }
        self.due = Some(now.mono.plus(refresh_after(expires_secs, random)));
        let event = RegistrationEvent::Registered { expires_secs, missing, is_outbound: self.is_outbound };
        RegistrationStep { send: None, event: Some(event) }
    }

    /// For how many seconds the contact at this place is bound, if it is.
    fn found(&mut self, place: usize, contacts: &[Contact<&[u8]>], default: Option<u32>, now: Now) -> Option<u32> {
        let (instance, reg_id) = (self.instance(), self.reg_id);
        let binding = self.bindings.get(place)?;
        let asked = self.wanted_secs(binding);
        let is_at = |contact: &&Contact<&[u8]>| contact.address().is_some_and(|address| binding.is_at(&address.uri));
        // A registrar knows an outbound binding by these two alone, whatever became of its URI. `[RFC 5626, Section 6]`
        let is_flow = |contact: &&Contact<&[u8]>| {
            let same = contact.instance().is_some_and(|urn| Some(&*urn) == instance.map(str::as_bytes));
            reg_id != 0 && same && contact.reg_id() == Some(reg_id)
        };
        let contact = contacts.iter().find(is_at).or_else(|| contacts.iter().find(is_flow));
        let secs = contact.and_then(|contact| contact.expires_secs().or(default).or(asked).or(Some(DEFAULT_SECS)));
        let secs = secs.filter(|secs| *secs > 0);
        let binding = self.bindings.get_mut(place)?;
        match (contact, secs) {
            (Some(contact), Some(secs)) => binding.bound(now.mono.plus(Micros::from_secs(secs.into())), contact),
            _ => binding.forget(),
        }
        secs
    }

    /// A 200 without any contact of ours: somebody else has removed them, or the registrar keeps others only.
    fn not_bound(&mut self, now: Now, random: &mut Random) -> RegistrationStep {
        self.forget_learnt();
        self.phase = Phase::Wanted;
        let again_at = self.wait(None, now, random);
        RegistrationStep { send: None, event: Some(RegistrationEvent::NotBound { again_at }) }
    }

    /// "making the expiration interval of all contact addresses in the REGISTER request equal to or greater than the expiration
    /// interval within the Min-Expires header field" `[RFC 3261, Section 10.2.8]`
    pub(super) fn too_brief(
        &mut self,
        purpose: Purpose,
        min_secs: u32,
        now: Now,
        random: &mut Random,
    ) -> RegistrationStep {
        let status = StatusCode::IntervalTooBrief;
        if purpose != Purpose::Bind || min_secs > self.policy.expires_max_secs {
            return self.refused(purpose, status);
        }
        if min_secs <= self.expires_min_secs || self.too_brief >= TOO_BRIEF_MAX {
            return self.failed(purpose, status, None, now, random);
        }
        self.too_brief = self.too_brief.saturating_add(1);
        self.expires_min_secs = min_secs;
        self.ask(Purpose::Bind)
    }

    /// "it MAY re-attempt registration without using the outbound mechanism" `[RFC 5626, Section 4.2.1]`
    pub(super) fn no_outbound(&mut self, purpose: Purpose) -> RegistrationStep {
        if self.reg_id == 0 || !self.policy.falls_back_to_plain {
            return self.refused(purpose, StatusCode::FirstHopLacksOutboundSupport);
        }
        self.reg_id = 0;
        self.ask(purpose)
    }

    pub(super) fn refused(&mut self, purpose: Purpose, status: StatusCode) -> RegistrationStep {
        match purpose {
            Purpose::Bind => self.refuse(RegistrationEvent::Refused { status }),
            Purpose::Remove | Purpose::RemoveAll => self.not_removed(status),
            Purpose::Fetch => self.not_fetched(status),
        }
    }

    pub(super) fn refuse(&mut self, event: RegistrationEvent) -> RegistrationStep {
        self.reset(Phase::Refused);
        RegistrationStep { send: None, event: Some(event) }
    }

    pub(super) fn failed(
        &mut self,
        purpose: Purpose,
        status: StatusCode,
        after_secs: Option<u32>,
        now: Now,
        random: &mut Random,
    ) -> RegistrationStep {
        match purpose {
            Purpose::Bind => {
                let again_at = self.wait(after_secs, now, random);
                RegistrationStep { send: None, event: Some(RegistrationEvent::Failed { status, again_at }) }
            }
            Purpose::Remove | Purpose::RemoveAll => self.not_removed(status),
            Purpose::Fetch => self.not_fetched(status),
        }
    }

    /// Nobody who leaves waits for the registrar: what it still has will expire.
    fn not_removed(&mut self, status: StatusCode) -> RegistrationStep {
        self.reset(Phase::Idle);
        RegistrationStep { send: None, event: Some(RegistrationEvent::NotRemoved { status }) }
    }

    fn not_fetched(&self, status: StatusCode) -> RegistrationStep {
        RegistrationStep { send: None, event: Some(RegistrationEvent::NotFetched { status }) }
    }

    fn reset(&mut self, phase: Phase) {
        self.phase = phase;
        self.due = None;
        self.failures = 0;
        self.forget_learnt();
        self.bindings.retain(|binding| !binding.is_going);
    }

    /// `W = min (max-time, (base-time * (2 ^ consecutive-failures)))`, of which 50 to 100 % are waited. `[RFC 5626, Section 4.5]`
    ///
    /// What a Retry-After says is obeyed as it is by the first failure, and where it is longer by those that follow.
    fn wait(&mut self, after_secs: Option<u32>, now: Now, random: &mut Random) -> Micros {
        self.failures = self.failures.saturating_add(1);
        (self.too_brief, self.is_proven) = (0, false);
        let policy = *self.policy;
        let base = if self.other_flow_works { policy.base_secs } else { policy.base_all_failed_secs };
        let doubled = 2_u64.saturating_pow(self.failures.into()).saturating_mul(base.into());
        let upper = Micros::from_secs(doubled.min(policy.wait_max_secs.into())).0;
        let own = (upper / 2).saturating_add(random.below((upper / 2).saturating_add(1)));
        let told = after_secs.map(|secs| {
            let told = Micros::from_secs(secs.min(policy.retry_after_max_secs).into()).0;
            told.saturating_add(random.below(told / 10))
        });
        let wait = match told {
            Some(told) if self.failures == 1 => told,
            Some(told) => told.max(own),
            None => own,
        };
        let again_at = now.mono.plus(Micros(wait));
        self.due = Some(again_at);
        again_at
    }
}

/// "Malformed values SHOULD be treated as equivalent to 3600." `[RFC 3261, Section 10.2]`
const DEFAULT_SECS: u32 = 3_600;

/// When a binding of so many seconds is refreshed.
fn refresh_after(expires_secs: u32, random: &mut Random) -> Micros {
    let whole = Micros::from_secs(expires_secs.into()).0;
    let latest = whole.saturating_sub((whole / 2).min(Micros::from_secs(REFRESH_BEFORE_SECS.into()).0));
    let spread = (whole / 10).min(Micros::from_secs(SPREAD_SECS.into()).0);
    Micros(latest.saturating_sub(random.below(spread))).max(Micros::from_secs(1))
}

/// How often the next hop wants keep-alives, where it is ready for them. `[RFC 6223, Section 4.3]`
fn keep_secs(response: &Response) -> Option<u32> {
    let via = response.vias().next()?.ok()?;
    core::str::from_utf8(via.params.value(b"keep")?).ok()?.parse().ok()
}

/// 'A UAC MAY use the presence of an "ob" URI parameter in the Path header in a registration response as an indication that its first edge
/// proxy supports the keep-alives': the first one stands last. `[RFC 5626, Section 8]` `[RFC 3327, Section 5.2]`
fn is_edge_first(response: &Response) -> bool {
    let first = response.addresses(HeaderId::Path).filter_map(Result::ok).last();
    first.is_some_and(|path| path.uri.as_sip().is_some_and(|uri| uri.params.has(b"ob")))
}

/// The values of an address list in their order; none where there are more bytes than are kept, or one can't be read.
fn learnt(response: &Response, id: HeaderId) -> Box<[Box<[u8]>]> {
    let mut bytes = 0_usize;
    let mut values: Vec<Box<[u8]>> = Vec::new();
    for address in response.addresses(id) {
        let Ok(address) = address else { return Box::default() };
        let mut value = Vec::new();
        address.write(&mut value);
        bytes = bytes.saturating_add(value.len());
        if bytes > LEARNT_BYTES_MAX {
            return Box::default();
        }
        values.push(ringback_message::header::text::unfolded(&value).as_ref().into());
    }
    values.into()
}

//! What the configuration refuses, before anybody is asked.

use alloc::vec::Vec;

use ringback_message::body::Body;
use ringback_message::header::text::unquoted;
use ringback_message::header::{
    AcceptResourcePriority, HeaderValue, ReferredBy, Require, ResourcePriority, TypedHeader,
};
use ringback_message::{HeaderId, Method, Request, StatusCode};

use super::UserAgent;
use crate::config::Config;

/// The option tag of Resource-Priority. `[RFC 4412, Section 3.3]`
const RESOURCE_PRIORITY: &str = "resource-priority";

/// How many values of Resource-Priority are looked at.
const PRIORITIES_MAX: usize = 32;

/// What a request is refused with.
pub(super) type Refused = (StatusCode, Vec<TypedHeader>);

impl UserAgent {
    /// Whether this option tag may be required of us.
    pub(super) fn supports(&self, tag: &[u8]) -> bool {
        let is_priority = tag.eq_ignore_ascii_case(RESOURCE_PRIORITY.as_bytes());
        let knows_priorities = is_priority && !self.config.resource_priorities.is_empty();
        knows_priorities || self.config.supported.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(tag))
    }

    /// What a request that is well-formed is refused with all the same.
    pub(super) fn against_policy(&self, request: &Request) -> Option<Refused> {
        let config = &self.config;
        if request.body().len() > config.body_bytes_max {
            return Some((StatusCode::RequestEntityTooLarge, Vec::new()));
        }
        if let Some(refused) = unknown_priority(config, request) {
            return Some(refused);
        }
        if request.is(&Method::Invite) && request.to_tag().is_none() {
            return uninvited(config, request);
        }
        None
    }
}

/// A request that must have a priority, and has none that is known. `[RFC 4412, Section 4.6.2]`
fn unknown_priority(config: &Config, request: &Request) -> Option<Refused> {
    if !request.has_token(HeaderId::Require, RESOURCE_PRIORITY) {
        return None;
    }
    let known: Vec<_> = config.resource_priorities.iter().filter_map(|known| known.split_once('.')).collect();
    let mut given = request.values::<ResourcePriority<&[u8]>>().take(PRIORITIES_MAX).flatten();
    if given.any(|given| known.iter().any(|(namespace, priority)| given.is(namespace, priority))) {
        return None;
    }
    let known = known.iter().map(|(namespace, priority)| AcceptResourcePriority::new(namespace, priority).into());
    Some((StatusCode::UnknownResourcePriority, known.collect()))
}

/// A call that isn't made as calls to this agent have to be.
fn uninvited(config: &Config, request: &Request) -> Option<Refused> {
    // A call that came through no proxy has one Via. [RFC 3261, Section 21.3.4]
    if let Some(proxy) = config.use_proxy.as_ref().filter(|_| request.vias().nth(1).is_none()) {
        let contact = TypedHeader::Other(HeaderId::Contact.into(), HeaderValue::Text(alloc::format!("<{proxy}>")));
        return Some((StatusCode::UseProxy, Vec::from([contact])));
    }
    let has = |tag: &str| request.has_token(HeaderId::Supported, tag) || request.has_token(HeaderId::Require, tag);
    let lacking: Vec<&str> = config.required.iter().map(|tag| &**tag).filter(|tag| !has(tag)).collect();
    if !lacking.is_empty() {
        return Some((StatusCode::ExtensionRequired, Vec::from([Require::new(lacking).into()])));
    }
    // Who needs to know who referred a call may ask for the token. [RFC 3892, Section 2.3]
    let unproven = |by: ReferredBy<&[u8]>| by.content_id().is_none();
    if config.wants_referrer_proof && request.get::<ReferredBy<&[u8]>>().ok().flatten().is_some_and(unproven) {
        return Some((StatusCode::ProvideReferrerIdentity, Vec::new()));
    }
    None
}

/// What a body that can't be read is refused with: 493 where it is encrypted, for we have no key, and 415 else.
/// `[RFC 3261, Section 21.4.28]`
pub(super) fn unreadable(request: &Request) -> StatusCode {
    let is_encrypted = |part: &Body| match part.content_type() {
        Ok(Some(kind)) => kind.is("application", "pkcs7-mime") && is_enveloped(kind.params.value(b"smime-type")),
        _ => false,
    };
    let parts = request.parts().unwrap_or_default();
    if parts.iter().any(is_encrypted) { StatusCode::Undecipherable } else { StatusCode::UnsupportedMediaType }
}

fn is_enveloped(kind: Option<&[u8]>) -> bool {
    kind.is_some_and(|kind| unquoted(kind).eq_ignore_ascii_case(b"enveloped-data"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn invite(more: &str) -> Request {
        let text = alloc::format!(
            "INVITE sip:b@b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\n{more}From: <sip:a@a.example>;tag=1\r\n\
             To: <sip:b@b.example>\r\nCall-ID: 7\r\nCSeq: 1 INVITE\r\nContact: <sip:a@a.example>\r\n\r\n"
        );
        Request::parse(text.as_bytes()).unwrap()
    }

    fn code(refused: Option<Refused>) -> Option<u16> {
        refused.map(|(status, _)| status.as_u16())
    }

    #[test]
    fn an_agent_refuses_nothing_where_nobody_says_so() {
        let config = Config::new("b", Vec::new());
        for more in ["", "Resource-Priority: dsn.flash\r\n", "Referred-By: <sip:c@c.example>\r\n"] {
            assert_eq!((unknown_priority(&config, &invite(more)), uninvited(&config, &invite(more))), (None, None));
        }
    }

    #[test]
    fn what_the_configuration_asks_for() {
        let mut config = Config::new("b", Vec::new());
        config.use_proxy = Some("sip:p.example".into());
        assert_eq!(code(uninvited(&config, &invite(""))), Some(305));
        let proxied = "Via: SIP/2.0/UDP p.example;branch=z9hG4bK0\r\n";
        assert_eq!(uninvited(&config, &invite(proxied)), None);
        config.use_proxy = None;
        config.required = Vec::from(["timer".into()]);
        assert_eq!(code(uninvited(&config, &invite("Supported: 100rel\r\n"))), Some(421));
        assert_eq!(uninvited(&config, &invite("Supported: 100rel, Timer\r\n")), None);
        config.required.clear();
        config.wants_referrer_proof = true;
        assert_eq!(code(uninvited(&config, &invite("Referred-By: <sip:c@c.example>\r\n"))), Some(429));
        assert_eq!(uninvited(&config, &invite("b: <sip:c@c.example>;cid=\"1@c.example\"\r\n")), None);
    }

    #[test]
    fn a_priority_counts_only_where_it_is_required() {
        let mut config = Config::new("b", Vec::new());
        config.resource_priorities = Vec::from(["ets.0".into()]);
        let wanted = "Require: resource-priority\r\n";
        assert_eq!(code(unknown_priority(&config, &invite(wanted))), Some(417));
        for (given, refused) in [("dsn.flash", Some(417)), ("dsn.flash, ETS.0", None)] {
            let priority = alloc::format!("{wanted}Resource-Priority: {given}\r\n");
            assert_eq!(code(unknown_priority(&config, &invite(&priority))), refused, "{given}");
            assert_eq!(unknown_priority(&config, &invite(&priority.replace(wanted, ""))), None, "{given}");
        }
    }
}

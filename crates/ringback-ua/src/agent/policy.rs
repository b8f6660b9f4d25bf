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

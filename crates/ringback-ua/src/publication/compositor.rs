//! What an event state compositor does with a PUBLISH, as a rule that keeps nothing.

use ringback_message::header::{ContentType, SipEtag, SipIfMatch};
use ringback_message::{HeaderId, Request, Response, ResponseBuilder, StatusCode};

use crate::event_type::event_of;
use crate::notifier::Package;
use crate::refusal::Refusal;

/// What becomes of a PUBLISH that is not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishRuling<'a> {
    /// What is done with the state.
    pub operation: PublishOperation<'a>,
    /// For how many seconds it is kept.
    pub expires_secs: u32,
}

/// What a PUBLISH does. `[RFC 3903, Section 4.1]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishOperation<'a> {
    /// The body is kept under a new tag.
    Initial,
    /// The state of this tag is kept longer, under a new one.
    Refresh(&'a [u8]),
    /// The body takes the place of the state of this tag, under a new one.
    Modify(&'a [u8]),
    /// The state of this tag is removed; where there is no tag, nothing is kept.
    Remove(Option<&'a [u8]>),
}

impl PublishRuling<'_> {
    /// The 200, without a tag in To: "The ESC MUST generate a new entity-tag for each successful publication".
    /// `[RFC 3903, Section 6]`
    #[must_use]
    pub fn response<'a>(&self, request: &'a Request, etag: impl AsRef<[u8]>) -> ResponseBuilder<'a> {
        Response::to(request, StatusCode::Ok).expires_seconds(self.expires_secs).header(SipEtag::new(etag))
    }
}

/// Steps 2 to 5 of an ESC. `holds` says whether there is state of that tag, for the resource and the package of the request. Whether
/// we are responsible for the resource, step 1, is known before. `[RFC 3903, Section 6]`
///
/// # Errors
/// 489, 400, 412, 423 or 415, in this order. The 415 also names what is taken: the type of the package, in Accept.
pub fn rule_publish<'a>(
    request: &'a Request,
    packages: &[Package],
    holds: impl FnOnce(&[u8]) -> bool,
) -> Result<PublishRuling<'a>, Refusal> {
    let bad = |reason| Refusal::new(StatusCode::BadRequest).because(reason);
    let event = event_of(request)?;
    let package = packages.iter().find(|package| package.name.as_bytes() == event.package);
    let package = package.ok_or(Refusal::new(StatusCode::BadEvent))?;
    let mut tags = request.values::<SipIfMatch<&[u8]>>();
    let etag = match (tags.next(), tags.next()) {
        (None, _) => None,
        (Some(Ok(tag)), None) => Some(tag.token),
        _ => return Err(bad("Exactly One Entity Tag Expected")),
    };
    if etag.is_some_and(|etag| !holds(etag)) {
        return Err(Refusal::new(StatusCode::ConditionalRequestFailed));
    }
    let expires_secs = expires_secs(request, package)?;
    let has_body = !request.body().is_empty();
    if has_body && expires_secs > 0 && !is_of_package(request, package) {
        return Err(Refusal::new(StatusCode::UnsupportedMediaType));
    }
    let operation = match (etag, has_body) {
        _ if expires_secs == 0 => PublishOperation::Remove(etag),
        (None, true) => PublishOperation::Initial,
        (Some(etag), true) => PublishOperation::Modify(etag),
        (Some(etag), false) => PublishOperation::Refresh(etag),
        (None, false) => return Err(bad("Neither Body Nor Entity Tag")),
    };
    Ok(PublishRuling { operation, expires_secs })
}

/// "Only if the requested expiration interval is greater than zero and less than a locally-configured minimum, the ESC MAY reject
/// the publication with a response of 423".
fn expires_secs(request: &Request, package: &Package) -> Result<u32, Refusal> {
    let malformed = |_| Refusal::new(StatusCode::BadRequest).because("Malformed Expires");
    match request.number(HeaderId::Expires).map_err(malformed)? {
        None => Ok(package.default_expires_secs),
        Some(secs) if secs > 0 && secs < package.min_expires_secs => Err(Refusal::too_brief(package.min_expires_secs)),
        Some(secs) => Ok(secs.min(package.longest_expires_secs)),
    }
}

fn is_of_package(request: &Request, package: &Package) -> bool {
    let Ok(expected) = ContentType::parse(&*package.content_type) else { return false };
    let given = request.get::<ContentType<&[u8]>>().ok().flatten();
    given.is_some_and(|given| {
        given.m_type.eq_ignore_ascii_case(&expected.m_type) && given.m_subtype.eq_ignore_ascii_case(&expected.m_subtype)
    })
}

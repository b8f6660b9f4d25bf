//! What a REFER asks for: the request that it triggers.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use ringback_message::body::{Body, NewPart};
use ringback_message::header::{
    HeaderValue, ReferSub, ReferTo, ReferredBy, Replaces, Require, TargetDialog, ToOwnedText, TypedHeader, check_value,
};
use ringback_message::{HeaderId, Method, ParseError, Request, RequestBuilder, SipUri, StatusCode, Uri};

use super::ReferSubscription;
use crate::dialog::Dialog;
use crate::refusal::Refusal;

/// The most header fields that a URI in Refer-To may have.
pub const REFERRAL_FIELDS_MAX: usize = 16;

/// The header fields of such a URI that go into the triggered request. All others are left out: the URI comes from a stranger, who
/// must not write our From, Via, Route, Contact or body. `[RFC 3261, Section 19.1.5]`
const HONOURED: &[HeaderId] = &[
    HeaderId::AcceptContact,
    HeaderId::InReplyTo,
    HeaderId::Join,
    HeaderId::Priority,
    HeaderId::RejectContact,
    HeaderId::Replaces,
    HeaderId::RequestDisposition,
    HeaderId::Require,
    HeaderId::Subject,
    HeaderId::UserToUser,
];

/// The extensions that Require may name in such a URI: those that only concern header fields which stand beside it.
const HONOURED_TAGS: &[&str] = &["join", "replaces"];

/// The request that a REFER asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referral {
    /// Its method: INVITE, where the URI doesn't say.
    pub method: Method,
    /// Its Request-URI: that of Refer-To, without method and header fields.
    pub uri: Box<str>,
    /// The dialog that it takes the place of.
    pub replaces: Option<Replaces>,
    /// The dialog of ours that the REFER is about, where it came outside of it. `[RFC 7647, Section 4]`
    pub target_dialog: Option<TargetDialog>,
    /// How the referrer wants to hear of it.
    pub subscription: ReferSubscription,
    fields: Vec<(HeaderId, Box<[u8]>)>,
    referred_by: Option<Box<[u8]>>,
    token: Option<Body>,
}

impl Referral {
    /// What the REFER asks for. `[RFC 3515, Section 2.4.2]`
    ///
    /// # Errors
    /// 400 where it has no Refer-To or more than one, or one that can't be followed; 416 where that is no SIP URI.
    pub fn of(refer: &Request) -> Result<Referral, Refusal> {
        let bad = |reason| Refusal::new(StatusCode::BadRequest).because(reason);
        let mut values = refer.values::<ReferTo<&[u8]>>();
        let refer_to = match (values.next(), values.next()) {
            (Some(Ok(refer_to)), None) => refer_to,
            (Some(Err(_)), _) => return Err(bad("Malformed Refer-To")),
            _ => return Err(bad("Exactly One Refer-To Expected")),
        };
        // "A UA not capable of accessing non-SIP URIs SHOULD NOT accept REFER requests to them."
        let uri = refer_to.address.uri.as_sip().ok_or(Refusal::new(StatusCode::UnsupportedUriScheme))?;
        let method = match uri.params.value(b"method") {
            None => Method::Invite,
            Some(name) => Method::from_token(name).map_err(|_| bad("Malformed Method In Refer-To"))?,
        };
        let fields = fields(uri).ok_or(bad("Malformed Header Field In Refer-To"))?;
        let replaces = replaces(&fields).map_err(|_| bad("Malformed Replaces In Refer-To"))?;
        if replaces.is_some() && method != Method::Invite {
            return Err(bad("Replaces Without INVITE In Refer-To"));
        }
        let (referred_by, token) = referred_by(refer).map_err(|_| bad("Malformed Referred-By"))?;
        let target_dialog = refer.get::<TargetDialog<&[u8]>>().map_err(|_| bad("Malformed Target-Dialog"))?;
        Ok(Referral {
            method,
            uri: request_uri(uri),
            replaces,
            target_dialog: target_dialog.map(|dialog| dialog.to_owned_text()),
            subscription: subscription(refer)?,
            fields,
            referred_by,
            token,
        })
    }

    /// The triggered request with the header fields that the REFER asks for. "A UA accepting a REFER request to a SIP URI MUST copy
    /// any Referred-By header field value and token into the referenced request without modification." `[RFC 3892, Section 2.2]`
    ///
    /// The token is a body part: see [`Referral::token`].
    #[must_use]
    pub fn onto(&self, request: RequestBuilder) -> RequestBuilder {
        let add = |request: RequestBuilder, (id, value): &(HeaderId, Box<[u8]>)| request.raw(*id, value);
        let request = self.fields.iter().fold(request, add);
        self.referred_by.iter().fold(request, |request, value| request.raw(HeaderId::ReferredBy, value))
    }

    /// The same header fields, for whoever makes the request.
    #[must_use]
    pub fn headers(&self) -> Vec<TypedHeader> {
        let referred_by = self.referred_by.iter().map(|value| (HeaderId::ReferredBy, value));
        let all = self.fields.iter().map(|(id, value)| (*id, value)).chain(referred_by);
        all.map(|(id, value)| TypedHeader::Other(id.into(), HeaderValue::Raw(value.to_vec()))).collect()
    }

    /// The proof of who referred, to stand beside the offer in the body of the triggered request. `[RFC 3892, Section 4]`
    #[must_use]
    pub fn token(&self) -> Option<NewPart> {
        let token = self.token.as_ref()?;
        let content_type =
            token.first(HeaderId::ContentType).map_or(&b"application/octet-stream"[..], |line| line.value());
        let others = token.headers().filter(|line| line.id() != HeaderId::ContentType);
        let part = NewPart::new(content_type, token.bytes());
        Some(others.fold(part, |part, line| part.header(line.id(), line.value())))
    }
}

/// The value of a Refer-To that lets the other side of the dialog be called by somebody else, in the place of this dialog: what the
/// third party sees is its own tag in To. `[RFC 3891, Section 3]`
///
/// # Errors
/// Where the target of the dialog can't be read.
pub fn refer_to_replacing(dialog: &Dialog) -> Result<String, ParseError> {
    let target = Uri::parse(dialog.remote_target(), HeaderId::ReferTo, 0)?.to_owned_text();
    let Uri::Sip(uri) = target else {
        return Err(ringback_message::Cursor::new(HeaderId::ReferTo, dialog.remote_target(), 0).error("a SIP URI"));
    };
    let id = dialog.id();
    let replaces = [id.call_id, b";to-tag=", id.remote_tag, b";from-tag=", id.local_tag].concat();
    let uri = uri.with_header("Replaces", replaces).with_header("Require", "replaces");
    Ok(alloc::format!("<{uri}>"))
}

/// The header fields that are honoured; `None` where one can't be read, stands twice, or there are too many.
fn fields(uri: &SipUri<&[u8]>) -> Option<Vec<(HeaderId, Box<[u8]>)>> {
    let mut fields: Vec<(HeaderId, Box<[u8]>)> = Vec::new();
    for (count, (name, value)) in uri.header_fields().enumerate() {
        if count >= REFERRAL_FIELDS_MAX {
            return None;
        }
        let id = HeaderId::from_name(&name);
        if !HONOURED.contains(&id) {
            continue;
        }
        let is_text = !value.iter().any(|&b| b < b' ' || b == 0x7f);
        if !is_text || check_value(id, &value, 0).is_err() || fields.iter().any(|(other, _)| *other == id) {
            return None;
        }
        if id != HeaderId::Require {
            fields.push((id, value.into()));
        } else if let Some(tags) = honoured_tags(&value) {
            fields.push((id, tags));
        }
    }
    Some(fields)
}

/// What is left of a Require.
fn honoured_tags(value: &[u8]) -> Option<Box<[u8]>> {
    let tags = ringback_message::header::tokens(HeaderId::Require, value, 0).flatten();
    let known = |tag: &[u8]| HONOURED_TAGS.iter().copied().find(|known| known.as_bytes().eq_ignore_ascii_case(tag));
    let honoured: Vec<&str> = tags.filter_map(known).collect();
    (!honoured.is_empty()).then(|| honoured.join(", ").into_bytes().into())
}

fn replaces(fields: &[(HeaderId, Box<[u8]>)]) -> Result<Option<Replaces>, ParseError> {
    let value = fields.iter().find(|(id, _)| *id == HeaderId::Replaces).map(|(_, value)| value);
    let Some(value) = value else { return Ok(None) };
    let cursor = ringback_message::Cursor::new(HeaderId::Replaces, value, 0);
    let replaces = ringback_message::header::Values::<Replaces<&[u8]>>::new(cursor).next().transpose()?;
    Ok(replaces.map(|replaces| replaces.to_owned_text()))
}

type ReferredByAndToken = (Option<Box<[u8]>>, Option<Body>);

fn referred_by(refer: &Request) -> Result<ReferredByAndToken, ParseError> {
    let Some(line) = refer.first(HeaderId::ReferredBy) else { return Ok((None, None)) };
    let Some(value) = refer.get::<ReferredBy<&[u8]>>()? else { return Ok((None, None)) };
    let token = match value.content_id() {
        Some(id) => refer.parts()?.into_iter().find(|part| part.content_id() == Some(&*id)),
        None => None,
    };
    Ok((Some(ringback_message::header::text::unfolded(line.value())), token))
}

/// How the referrer wants to hear of it. `[RFC 7614, Section 6]` `[RFC 4488, Section 4]`
fn subscription(refer: &Request) -> Result<ReferSubscription, Refusal> {
    let requires = |tag| refer.values::<Require<&[u8]>>().flatten().any(|require| require.contains(tag));
    let malformed = |_| Refusal::new(StatusCode::BadRequest).because("Malformed Refer-Sub");
    let refer_sub = refer.get::<ReferSub<&[u8]>>().map_err(malformed)?;
    match (requires("explicitsub"), requires("nosub")) {
        (true, true) => Err(Refusal::new(StatusCode::BadRequest).because("Both explicitsub And nosub")),
        (true, false) => Ok(ReferSubscription::Explicit),
        (false, true) => Ok(ReferSubscription::None),
        (false, false) if refer_sub.is_some_and(|refer_sub| !refer_sub.subscribes) => Ok(ReferSubscription::Unwanted),
        (false, false) => Ok(ReferSubscription::Implicit),
    }
}

/// "The headers and the method parameter" are no part of a Request-URI. `[RFC 3261, Section 19.1.1]`
pub(crate) fn request_uri(uri: &SipUri<&[u8]>) -> Box<str> {
    let bare = SipUri { headers: None, params: ringback_message::Params::default(), ..uri.clone() };
    let mut text = Vec::new();
    bare.write(&mut text);
    for (name, value) in uri.params.iter().filter(|(name, _)| !name.eq_ignore_ascii_case(b"method")) {
        text.push(b';');
        text.extend_from_slice(name);
        if let Some(value) = value {
            text.push(b'=');
            text.extend_from_slice(value);
        }
    }
    String::from_utf8_lossy(&text).into()
}

//! An outcome, read from a response by the row of its code.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use ringback_auth::Challenge;
use ringback_message::header::{
    AuthParams, CallInfo, Contact, Decode, Encode, MinExpires, MinSe, RetryAfter, SessionExpires, Warning, text,
};
use ringback_message::{HeaderId, Message, Method, Request, Response, StatusCode};
use ringback_sdp::SessionDescription;

use super::Outcome;
use super::parts::{
    Acceptable, Correction, Described, OUTCOME_ITEMS_MAX, Progress, Question, Redirect, Redirection, Target, Wait, Why,
};
use super::rows::{Ending, Fix, Row, Rule, row};
use super::said::cause;
use crate::exchange::{Found, find};

/// What is known of the request that a response is to.
pub(super) struct Asked<'a> {
    request: Option<&'a Request>,
    pub(super) is_in_dialog: bool,
}

impl<'a> Asked<'a> {
    pub(super) fn of(request: Option<&'a Request>) -> Asked<'a> {
        Asked { request, is_in_dialog: request.is_some_and(|request| request.to_tag().is_some()) }
    }

    fn has(&self, header: HeaderId, tag: &[u8]) -> bool {
        self.request.is_some_and(|request| request.has_token(header, tag))
    }
}

pub(super) fn outcome(asked: &Asked<'_>, response: &Response) -> Outcome {
    let row = row(response.status());
    let give_up = |why| Outcome::GiveUp { why, blame: row.blame };
    // What should be in it is missing: whoever sent it is to blame.
    let unusable = |header| Outcome::GiveUp { why: Why::Unusable(header), blame: ringback_message::Blame::Between };
    match row.rule {
        Rule::Progress(progress) => Outcome::Progress(progress),
        Rule::DialogEnded => Outcome::Progress(Progress::DialogEnded(cause(response))),
        Rule::Success if response.cseq_method() == Method::Invite.as_str().as_bytes() => {
            Outcome::Established(described(asked, response))
        }
        Rule::Success => Outcome::Success,
        Rule::Redirect(redirection) => redirect(redirection, response).unwrap_or(give_up(Why::NowhereToGo)),
        Rule::Challenge => match challenges(response) {
            challenges if challenges.is_empty() => unusable(challenge_header(response)),
            challenges => Outcome::Authenticate(challenges),
        },
        Rule::Later => Outcome::RetryLater(wait(response)),
        Rule::Next => Outcome::NextTarget(wait(response)),
        Rule::Timeout | Rule::NoDialog if asked.is_in_dialog => Outcome::DialogGone,
        Rule::Timeout => Outcome::RetryLater(wait(response)),
        Rule::NoDialog => give_up(Why::NoSuchDialog),
        Rule::Pending => Outcome::RetryPending,
        Rule::RaiseExpires => match response.get::<MinExpires>() {
            Ok(Some(min)) => Outcome::RaiseExpires { min_secs: min.0 },
            _ => unusable(HeaderId::MinExpires),
        },
        Rule::RaiseSessionExpires => match longer(asked, response) {
            Some(min_secs) => Outcome::RaiseSessionExpires { min_secs },
            None => unusable(HeaderId::MinSe),
        },
        Rule::DropExtensions => match dropped(asked, response) {
            tags if tags.is_empty() => unusable(HeaderId::Unsupported),
            tags => Outcome::DropExtensions(tags),
        },
        Rule::AddExtensions => match tokens(response, HeaderId::Require) {
            tags if tags.is_empty() => unusable(HeaderId::Require),
            tags => Outcome::AddExtensions(tags),
        },
        Rule::Shrink if heeds_retry_after(row) && waits(response) => Outcome::RetryLater(wait(response)),
        Rule::Shrink => Outcome::Shrink,
        Rule::ChangeBody => Outcome::ChangeBody(acceptable(response)),
        Rule::WidenAccept => Outcome::WidenAccept,
        Rule::ChangeOffer => Outcome::ChangeOffer(acceptable(response)),
        Rule::Alternative => Outcome::Ask(Question::Alternative {
            content_type: response.first(HeaderId::ContentType).map(|header| shown(header.value())),
            targets: targets(response),
        }),
        Rule::Digits => Outcome::Ask(Question::Digits),
        Rule::Choose => Outcome::Ask(Question::Choose(targets(response))),
        Rule::Reveal => Outcome::Ask(Question::Reveal),
        Rule::Correct(fix) => Outcome::Correct(correction(fix, response)),
        // It may be another time, where the callee says when. `[RFC 3261, Section 20.33]`
        Rule::End(_) if heeds_retry_after(row) && waits(response) => Outcome::RetryLater(wait(response)),
        Rule::End(ending) => give_up(why(ending, response)),
    }
}

/// Whether the registry has Retry-After for this code.
fn heeds_retry_after(row: &Row) -> bool {
    let info = row.code.info();
    let all = info.into_iter().flat_map(|info| [info.must, info.should, info.may]).flatten();
    all.into_iter().any(|carry| carry.header == HeaderId::RetryAfter)
}

fn waits(response: &Response) -> bool {
    matches!(response.get::<RetryAfter<&[u8]>>(), Ok(Some(_)))
}

fn wait(response: &Response) -> Wait {
    match response.get::<RetryAfter<&[u8]>>() {
        Ok(Some(retry)) => Wait {
            after_secs: Some(retry.seconds),
            duration_secs: retry.duration_secs(),
            comment: retry.comment_text().map(|text| shown(&text)).unwrap_or_default(),
        },
        _ => Wait::default(),
    }
}

fn described(asked: &Asked<'_>, response: &Response) -> Described {
    let body = match find(response) {
        Found::Nothing => return Described::Nothing,
        Found::Unknown => return Described::Unreadable,
        Found::Sdp(body) => body,
    };
    let Ok(description) = SessionDescription::parse(&body) else { return Described::Unreadable };
    let has_offered = asked.request.is_some_and(|request| matches!(find(request), Found::Sdp(_)));
    if has_offered { Described::Answer(Box::new(description)) } else { Described::Offer(Box::new(description)) }
}

fn redirect(redirection: Redirection, response: &Response) -> Option<Outcome> {
    let targets = targets(response);
    (!targets.is_empty()).then_some(Outcome::Redirect(Redirect { redirection, targets }))
}

/// The contacts of a response by falling preference, none twice; those that can't be read are passed over.
fn targets(response: &Response) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    for contact in response.values::<Contact<&[u8]>>().take(OUTCOME_ITEMS_MAX).flatten() {
        let Some(address) = contact.address() else { continue };
        if targets.iter().any(|known| known.uri.equivalent(&address.uri)) {
            continue;
        }
        targets.push(Target {
            uri: address.uri.to_owned_text(),
            name: address.display_name.map(|name| shown(&text::unquoted(name))).unwrap_or_default(),
            q_thousandths: contact.q().map_or(1_000, |q| q.as_thousandths()),
            expires_secs: contact.expires_secs(),
        });
    }
    // Those that are equally preferred stay in their order.
    targets.sort_by_key(|target| core::cmp::Reverse(target.q_thousandths));
    targets
}

/// Those of both kinds that can be answered in principle: by the digest scheme, with an algorithm that we know.
fn challenges(response: &Response) -> Vec<Challenge> {
    let of = |header: HeaderId| {
        let fields = response.all(header).take(OUTCOME_ITEMS_MAX);
        fields.filter_map(move |field| AuthParams::parse(header, field.value(), field.offset()).ok())
    };
    let all = of(HeaderId::WwwAuthenticate).chain(of(HeaderId::ProxyAuthenticate));
    all.filter_map(|params| Challenge::read(&params).ok()).collect()
}

fn challenge_header(response: &Response) -> HeaderId {
    match response.status() {
        StatusCode::ProxyAuthenticationRequired => HeaderId::ProxyAuthenticate,
        _ => HeaderId::WwwAuthenticate,
    }
}

/// Min-SE, where it is longer than what was asked for. `[RFC 4028, Section 7.3]`
fn longer(asked: &Asked<'_>, response: &Response) -> Option<u32> {
    let min = response.get::<MinSe<&[u8]>>().ok()??.seconds;
    let interval = asked.request.and_then(|request| request.get::<SessionExpires<&[u8]>>().ok().flatten());
    interval.is_none_or(|interval| interval.seconds < min).then_some(min)
}

/// Those of the unsupported option tags that the request requires; all, where the request isn't known.
fn dropped(asked: &Asked<'_>, response: &Response) -> Vec<Box<str>> {
    let required = |tag: &str| {
        let tag = tag.as_bytes();
        asked.has(HeaderId::Require, tag) || asked.has(HeaderId::ProxyRequire, tag)
    };
    let tags = tokens(response, HeaderId::Unsupported);
    if asked.request.is_none() { tags } else { tags.into_iter().filter(|tag| required(tag)).collect() }
}

fn acceptable(response: &Response) -> Acceptable {
    let description = match find(response) {
        Found::Sdp(body) => SessionDescription::parse(&body).ok().map(Box::new),
        _ => None,
    };
    let warnings = response.values::<Warning<&[u8]>>().take(OUTCOME_ITEMS_MAX).flatten();
    Acceptable {
        types: values::<ringback_message::header::Accept<&[u8]>>(response),
        encodings: values::<ringback_message::header::AcceptEncoding<&[u8]>>(response),
        languages: values::<ringback_message::header::AcceptLanguage<&[u8]>>(response),
        warn_codes: warnings.map(|warning| warning.code).collect(),
        description,
    }
}

fn correction(fix: Fix, response: &Response) -> Correction {
    match fix {
        Fix::WholeState => Correction::WholeState,
        Fix::SipUri => Correction::SipUri,
        Fix::ResourcePriority => Correction::ResourcePriority(tokens(response, HeaderId::AcceptResourcePriority)),
        Fix::Location => Correction::Location,
        Fix::Alert => Correction::Alert,
        Fix::Identity => Correction::Identity,
        Fix::ReferrerIdentity => Correction::ReferrerIdentity,
        Fix::PlainRegistration => Correction::PlainRegistration,
        Fix::InfoPackage => Correction::InfoPackage(tokens(response, HeaderId::RecvInfo)),
        Fix::Consent => Correction::Consent,
        Fix::Encryption => Correction::Encryption,
        Fix::SecurityAgreement => Correction::SecurityAgreement,
        Fix::PushService => Correction::PushService,
        Fix::Preconditions => Correction::Preconditions,
    }
}

fn why(ending: Ending, response: &Response) -> Why {
    match ending {
        Ending::Malformed => Why::Malformed,
        Ending::PaymentRequired => Why::PaymentRequired,
        Ending::Forbidden => Why::Forbidden,
        Ending::NotFound => Why::NotFound,
        Ending::MethodNotAllowed => Why::MethodNotAllowed(tokens(response, HeaderId::Allow)),
        Ending::Gone => Why::Gone,
        Ending::UriTooLong => Why::UriTooLong,
        Ending::Routing => Why::Routing,
        Ending::Cancelled => Why::Cancelled,
        Ending::BadEvent => Why::BadEvent(tokens(response, HeaderId::AllowEvents)),
        Ending::NotImplemented => Why::NotImplemented,
        Ending::Version => Why::Version,
        Ending::Busy => Why::Busy,
        Ending::Declined => Why::Declined,
        Ending::Unwanted => Why::Unwanted,
        Ending::Blocked => Why::Blocked(card(response)),
    }
}

/// The contact card of whoever has blocked a call. `[RFC 8688, Section 3.2.1]`
fn card(response: &Response) -> Option<Box<str>> {
    let infos = response.values::<CallInfo<&[u8]>>().take(OUTCOME_ITEMS_MAX).flatten();
    let mut cards = infos.filter(|info| info.purpose().is_some_and(|purpose| purpose.eq_ignore_ascii_case(b"jwscard")));
    let mut uri = Vec::new();
    cards.next()?.uri.write(&mut uri);
    Some(shown(&uri))
}

fn tokens(response: &Message, header: HeaderId) -> Vec<Box<str>> {
    response.tokens(header).take(OUTCOME_ITEMS_MAX).flatten().map(shown).collect()
}

fn values<'a, T>(response: &'a Message) -> Vec<Box<str>>
where
    T: Decode<'a> + Encode + 'a,
{
    let written = |value: T| {
        let mut text = Vec::new();
        value.encode(&mut text);
        shown(&text)
    };
    response.values::<T>().take(OUTCOME_ITEMS_MAX).flatten().map(written).collect()
}

/// Text of others for people: what isn't UTF-8 is replaced, and control characters are left out.
pub(super) fn shown(text: &[u8]) -> Box<str> {
    let text = String::from_utf8_lossy(text);
    text.chars().filter(|letter| !letter.is_control()).collect::<String>().into()
}

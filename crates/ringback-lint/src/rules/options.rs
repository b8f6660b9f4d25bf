//! Option tags: those that are used and not named, and those that are named and not used. `[RFC 3261, Section 19.2]`

use alloc::format;

use ringback_message::registry::OptionTag;
use ringback_message::{HeaderId, Message, Method};

use crate::subject::{lists, tags};
use crate::{Findings, Subject};

rules! { "Option tags"
    "option-tag-not-named" Error "RFC 3261, Section 19.2"
        "An extension is used whose option tag must be named, and is not."
        "Whoever doesn't know the extension can't tell that it was asked for."
        bad ["INVITE", "Session-Expires: 1800", "Supported: path"]
        good ["INVITE", "Session-Expires: 1800", "Supported: timer"]
        => not_named;
    "option-tag-not-named-should" Warning "RFC 3261, Section 19.2"
        "An extension is used whose option tag should be named, and is not."
        "The sender isn't told where the extension is unknown."
        bad ["INVITE", "Target-Dialog: 8a@a.example;local-tag=1;remote-tag=2"]
        good ["INVITE", "Target-Dialog: 8a@a.example;local-tag=1;remote-tag=2", "Require: tdialog"]
        => should_be_named;
    "option-tag-not-used" Warning "RFC 3261, Section 20.32"
        "Require or Proxy-Require names an extension that the request doesn't use."
        "Peers without it refuse the request for nothing."
        bad ["INVITE", "Require: replaces"]
        good ["INVITE", "Require: replaces", "Replaces: 8a@a.example;to-tag=1;from-tag=2"]
        => not_used;
    "option-tag-unknown" Note "RFC 3261, Section 27.1"
        "An option tag is not registered."
        "Nobody else knows what it stands for; in Require it is refused with 420."
        bad ["INVITE", "Supported: 100re1"]
        good ["INVITE", "Supported: 100rel"]
        => unknown;
    "option-tag-misplaced" Warning "RFC 3261, Section 19.2"
        "An option tag stands in a header field that its definition has no place for it in."
        "It says there what it can't mean."
        bad ["INVITE", "Require: histinfo"]
        good ["INVITE", "Supported: histinfo"]
        => misplaced;
    "option-tag-not-recommended" Note "RFC 3261, Section 19.2"
        "An option tag stands where its definition recommends against it."
        "It makes calls fail that could go on without the extension."
        bad ["REFER", "Require: norefersub"]
        good ["REFER", "Supported: norefersub", "Refer-Sub: false"]
        => not_recommended;
    "unsupported-not-required" Error "RFC 3261, Section 8.2.2.3"
        "A 420 lists an option tag in Unsupported that the request doesn't require."
        "The client can't leave out what it didn't ask for."
        bad ["INVITE", "Require: pref"] > ["420", "Unsupported: gruu"]
        good ["INVITE", "Require: pref"] > ["420", "Unsupported: pref"]
        => unsupported;
    "response-requires-unsupported" Error "RFC 3261, Section 8.2.4"
        "A response requires an extension that the request neither supports nor requires."
        "The client may not know it and can't go on."
        bad ["INVITE"] > ["200+sdp", "Require: timer", "Session-Expires: 1800;refresher=uac"]
        good ["INVITE", "Supported: timer"] > ["200+sdp", "Require: timer", "Session-Expires: 1800;refresher=uac"]
        => requires_unsupported;
}

/// What of a message shows that an extension is used.
#[derive(Clone, Copy)]
struct Use {
    tag: OptionTag<'static>,
    header: HeaderId,
    /// Of these methods only; of all where it is empty.
    methods: &'static [Method],
    /// Where the tag is named: in one of these, or `All` of them.
    places: Places,
    is_must: bool,
    section: &'static str,
}

#[derive(Clone, Copy)]
enum Places {
    Any(&'static [HeaderId]),
    All(&'static [HeaderId]),
}

const ANY: Places = Places::Any(&[HeaderId::Supported, HeaderId::Require]);

/// Header fields of requests that go with an option tag.
const USES: &[Use] = &[
    Use {
        tag: OptionTag::Timer,
        header: HeaderId::SessionExpires,
        methods: &[Method::Invite, Method::Update],
        places: ANY,
        is_must: true,
        section: "RFC 4028, Section 7.1",
    },
    Use {
        tag: OptionTag::Tdialog,
        header: HeaderId::TargetDialog,
        methods: &[],
        places: Places::Any(&[HeaderId::Require]),
        is_must: false,
        section: "RFC 4538, Section 4",
    },
    Use {
        tag: OptionTag::SecAgree,
        header: HeaderId::SecurityClient,
        methods: &[],
        places: Places::All(&[HeaderId::Require, HeaderId::ProxyRequire]),
        is_must: true,
        section: "RFC 3329, Section 2.3.1",
    },
    Use {
        tag: OptionTag::SecAgree,
        header: HeaderId::SecurityVerify,
        methods: &[],
        places: Places::All(&[HeaderId::Require, HeaderId::ProxyRequire]),
        is_must: true,
        section: "RFC 3329, Section 2.3.1",
    },
];

fn uses(subject: &Subject<'_>, findings: &mut Findings<'_>, is_must: bool) {
    if !subject.is_request() {
        return;
    }
    let message = subject.message();
    for row in USES.iter().filter(|row| row.is_must == is_must) {
        let is_of = row.methods.is_empty() || subject.method().is_some_and(|method| row.methods.contains(method));
        let Some(header) = subject.first(row.header).filter(|_| is_of) else { continue };
        let (is_named, places) = match row.places {
            Places::Any(places) => (places.iter().any(|id| lists(message, *id, row.tag)), places),
            Places::All(places) => (places.iter().all(|id| lists(message, *id, row.tag)), places),
        };
        if let (false, Some(place)) = (is_named, places.first()) {
            findings.header_by(&header, format!("{place} must name {} with it", row.tag), Some(row.section));
        }
    }
    if is_must {
        outbound(subject, findings);
        recipients(subject, findings);
    }
}

/// The method whose body may be a list of recipients, its option tag, and the section that demands it in Require.
const RECIPIENTS: &[(Method, OptionTag<'static>, &str)] = &[
    (Method::Invite, OptionTag::RecipientListInvite, "RFC 5366, Section 3"),
    (Method::Message, OptionTag::RecipientListMessage, "RFC 5365, Section 6"),
    (Method::Subscribe, OptionTag::RecipientListSubscribe, "RFC 5367, Section 3"),
    (Method::Refer, OptionTag::MultipleRefer, "RFC 5368, Section 4"),
];

fn recipients(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let message = subject.message();
    let Some((_, tag, section)) = RECIPIENTS.iter().find(|(method, ..)| subject.is_of(method)) else { return };
    if lists(message, HeaderId::Require, *tag) {
        return;
    }
    for part in message.parts().unwrap_or_default() {
        if let Some(disposition) = part.disposition().ok().filter(|disposition| disposition.is("recipient-list")) {
            findings.at_by(disposition.kind, format!("Require must name {tag} with it"), Some(section));
        }
    }
}

/// "MUST include the outbound option tag in a Supported header field in a REGISTER request" `[RFC 5626, Section 4.2.1]`
fn outbound(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let message = subject.message();
    if !subject.is_request_of(&Method::Register) || lists(message, HeaderId::Supported, OptionTag::Outbound) {
        return;
    }
    for contact in message.values::<ringback_message::header::Contact<&[u8]>>().flatten() {
        if let (Some(address), Some(_)) = (contact.address(), contact.reg_id()) {
            let text = "reg-id goes with outbound in Supported";
            findings.at_by(address.params.text(), text, Some("RFC 5626, Section 4.2.1"));
        }
    }
}

fn not_named(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    uses(subject, findings, true);
}

fn should_be_named(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    uses(subject, findings, false);
}

/// What a request that requires an extension has, if it uses it.
const SHOWN_BY: &[(OptionTag<'static>, &[HeaderId])] = &[
    (OptionTag::Replaces, &[HeaderId::Replaces]),
    (OptionTag::Join, &[HeaderId::Join]),
    (OptionTag::Tdialog, &[HeaderId::TargetDialog]),
    (OptionTag::ResourcePriority, &[HeaderId::ResourcePriority]),
    (OptionTag::Privacy, &[HeaderId::Privacy]),
    (OptionTag::Uui, &[HeaderId::UserToUser]),
    (OptionTag::Answermode, &[HeaderId::AnswerMode, HeaderId::PrivAnswerMode]),
    (OptionTag::SecAgree, &[HeaderId::SecurityClient, HeaderId::SecurityVerify]),
];

fn not_used(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if !subject.is_request() {
        return timer_not_used(subject, findings);
    }
    for id in [HeaderId::Require, HeaderId::ProxyRequire] {
        for (text, tag) in tags(subject.message(), id) {
            let Some((_, headers)) = SHOWN_BY.iter().find(|(other, _)| *other == tag) else { continue };
            if !headers.iter().any(|header| subject.has(*header)) {
                findings.at(text, format!("{tag} is required, and there is nothing of it"));
            }
        }
    }
}

/// A 2xx that requires timer says how long. `[RFC 4028, Section 9]`
fn timer_not_used(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let is_success = (200..300).contains(&subject.code());
    for (text, tag) in tags(subject.message(), HeaderId::Require).filter(|_| is_success) {
        if tag == OptionTag::Timer && !subject.has(HeaderId::SessionExpires) {
            findings.at_by(text, "timer is required, and there is no Session-Expires", Some("RFC 4028, Section 9"));
        }
    }
}

const NAMING: [HeaderId; 3] = [HeaderId::Supported, HeaderId::Require, HeaderId::ProxyRequire];

fn unknown(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for (text, tag) in NAMING.into_iter().flat_map(|id| tags(subject.message(), id)) {
        if tag.info().is_none() {
            findings.at(text, format!("{tag} is not registered"));
        }
    }
}

fn misplaced(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for id in NAMING {
        for (text, tag) in tags(subject.message(), id) {
            if let Some(info) = tag.info().filter(|info| !info.places.has(id)) {
                let what = format!("{tag} is for {}, not for {id}", info.places);
                findings.at_by(text, what, Some(info.source.as_str()));
            }
        }
    }
}

fn not_recommended(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for id in NAMING {
        for (text, tag) in tags(subject.message(), id) {
            if let Some(info) = tag.info().filter(|info| info.not_recommended.has(id)) {
                let what = format!("{tag} is better left out of {id}");
                findings.at_by(text, what, Some(info.source.as_str()));
            }
        }
    }
}

fn names(request: &Message, ids: &[HeaderId], tag: OptionTag<'_>) -> bool {
    ids.iter().any(|id| lists(request, *id, tag))
}

fn unsupported(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some((request, response, status)) = subject.pair() else { return };
    if status.as_u16() != 420 {
        return;
    }
    for (text, tag) in tags(response, HeaderId::Unsupported) {
        if !names(request, &[HeaderId::Require, HeaderId::ProxyRequire], tag) {
            findings.at(text, format!("the request doesn't require {tag}"));
        }
    }
}

fn requires_unsupported(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some((request, response, status)) = subject.pair() else { return };
    // A 421 or 494 requires what the client is to support.
    if matches!(status.as_u16(), 421 | 494) {
        return;
    }
    for (text, tag) in tags(response, HeaderId::Require) {
        if !names(request, &[HeaderId::Supported, HeaderId::Require], tag) {
            findings.at(text, format!("the request names {tag} neither in Supported nor in Require"));
        }
    }
}

//! Events: SUBSCRIBE, NOTIFY, PUBLISH and REFER. `[RFC 6665]`

use alloc::format;

use ringback_message::header::{ContentType, Event, Expires, SubscriptionState, Substate};
use ringback_message::registry::EventType;
use ringback_message::{HeaderId, Message, Method};

use crate::{Findings, Subject};

rules! { "Events"
    "event-package-unknown" Note "RFC 6665, Section 8.2.1"
        "The event package is not registered."
        "Most notifiers answer 489; the case of letters counts."
        bad ["SUBSCRIBE", "Event: Presence"]
        good ["SUBSCRIBE", "Event: presence"]
        => unknown;
    "subscribe-no-expires" Warning "RFC 6665, Section 3.1.1"
        "A SUBSCRIBE doesn't say how long it is for."
        "The default of the package applies, and the two sides may know different ones."
        bad ["SUBSCRIBE", "-Expires"]
        good ["SUBSCRIBE", "Expires: 600"]
        => no_expires;
    "subscription-no-expires" Error "RFC 6665, Section 4.2.2"
        "A NOTIFY of a live subscription doesn't say how long it lasts."
        "The subscriber can't tell when to refresh."
        bad ["NOTIFY", "Subscription-State: active"]
        good ["NOTIFY", "Subscription-State: active;expires=600"]
        => state_expires;
    "subscription-terminated-expires" Warning "RFC 6665, Section 4.1.3"
        "A terminated subscription has time left."
        "It is over: there is nothing to expire."
        bad ["NOTIFY", "Subscription-State: terminated;reason=timeout;expires=600"]
        good ["NOTIFY", "Subscription-State: terminated;reason=timeout"]
        => terminated_expires;
    "subscription-no-reason" Warning "RFC 6665, Section 4.2.2"
        "A subscription ends without a reason."
        "The subscriber can't tell whether to subscribe again."
        bad ["NOTIFY", "Subscription-State: terminated"]
        good ["NOTIFY", "Subscription-State: terminated;reason=timeout"]
        => no_reason;
    "subscription-reason-unknown" Note "RFC 6665, Section 4.1.3"
        "The reason why a subscription ended is not registered."
        "The subscriber treats it as if there were none."
        bad ["NOTIFY", "Subscription-State: terminated;reason=gone"]
        good ["NOTIFY", "Subscription-State: terminated;reason=noresource"]
        => reason_unknown;
    "subscription-retry-after-misplaced" Warning "RFC 6665, Section 4.1.3"
        "Subscription-State has a retry-after where it means nothing."
        "It goes with no reason, and with the reasons probation, giveup and invariant."
        bad ["NOTIFY", "Subscription-State: terminated;reason=noresource;retry-after=5"]
        good ["NOTIFY", "Subscription-State: terminated;reason=giveup;retry-after=5"]
        => retry_after;
    "notify-body-type" Warning "RFC 6665, Section 4.2.2"
        "The body of a NOTIFY is of no type that its package has."
        "The subscriber can't read it, unless it asked for it."
        bad ["NOTIFY", "Event: presence", "Content-Type: text/plain", "|open"]
        good ["NOTIFY", "Event: message-summary", "Content-Type: application/simple-message-summary",
            "|Messages-Waiting: no"]
        => body_type;
    "publish-empty" Error "RFC 3903, Section 4.1"
        "A PUBLISH has neither a body nor SIP-If-Match."
        "It publishes nothing and changes nothing."
        bad ["PUBLISH", "-SIP-If-Match"]
        good ["PUBLISH", "SIP-If-Match: dx200xyz"]
        => publish_empty;
    "subscription-lengthened" Error "RFC 6665, Section 4.2.1.1"
        "A 2xx grants a longer time than the request asks for."
        "The notifier may shorten it and never lengthen it."
        bad ["SUBSCRIBE", "Expires: 600"] > ["200", "Expires: 3600"]
        good ["SUBSCRIBE", "Expires: 3600"] > ["200", "Expires: 600"]
        => lengthened;
    "min-expires-satisfied" Warning "RFC 3261, Section 20.23"
        "A 423 asks for no more than the request already does."
        "The client would send the same request again."
        bad ["SUBSCRIBE", "Expires: 600"] > ["423", "Min-Expires: 60"]
        good ["SUBSCRIBE", "Expires: 60"] > ["423", "Min-Expires: 600"]
        => satisfied;
    "bad-event-allowed" Warning "RFC 6665, Section 8.3.2"
        "A 489 lists the very package of the request in Allow-Events."
        "It says that the package is understood."
        bad ["SUBSCRIBE", "Event: dialog"] > ["489", "Allow-Events: dialog, presence"]
        good ["SUBSCRIBE", "Event: dialog"] > ["489", "Allow-Events: presence"]
        => allowed;
    "refer-sub-mismatch" Warning "RFC 4488, Section 4"
        "A 2xx to REFER says that there is no subscription, and the request didn't ask for that."
        "The client waits for notifications that don't come."
        bad ["REFER"] > ["202", "Refer-Sub: false"]
        good ["REFER", "Refer-Sub: false"] > ["202", "Refer-Sub: false"]
        => refer_sub;
}

fn event<'a>(subject: &Subject<'a>) -> Option<Event<&'a [u8]>> {
    subject.get()
}

fn state<'a>(subject: &Subject<'a>) -> Option<SubscriptionState<&'a [u8]>> {
    subject.get()
}

fn unknown(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if let Some(event) = event(subject)
        && let Some(package) = EventType::from_token(event.package)
        && package.info().is_none()
    {
        findings.at(event.package, format!("{package} is not registered"));
    }
}

fn no_expires(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if subject.is_request_of(&Method::Subscribe) && !subject.has(HeaderId::Expires) {
        findings.whole("Expires is missing");
    }
}

fn is_terminated(state: &SubscriptionState<&[u8]>) -> bool {
    state.substate() == Substate::Terminated
}

fn state_expires(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if let Some(state) = state(subject)
        && matches!(state.substate(), Substate::Active | Substate::Pending)
        && !state.params.has(b"expires")
    {
        findings.at(state.state, "expires is missing");
    }
}

fn terminated_expires(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if let Some(state) = state(subject).filter(is_terminated)
        && let Some(expires) = state.params.value(b"expires")
    {
        findings.at(expires, "the subscription is over");
    }
}

fn no_reason(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if let Some(state) = state(subject).filter(is_terminated)
        && !state.params.has(b"reason")
    {
        findings.at(state.state, "reason is missing");
    }
}

/// The values of `reason`. `[RFC 6665, Section 8.4]`
const REASONS: [&str; 8] =
    ["deactivated", "probation", "rejected", "timeout", "giveup", "noresource", "invariant", "badfilter"];

fn reason_unknown(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if let Some(state) = state(subject)
        && let Some(reason) = state.params.value(b"reason")
        && !REASONS.iter().any(|known| reason.eq_ignore_ascii_case(known.as_bytes()))
    {
        findings.at(reason, format!("{} is not registered", reason.escape_ascii()));
    }
}

/// The reasons that `retry-after` has no semantics for; with one that isn't known the subscriber waits as long as it says.
/// `[RFC 6665, Section 4.1.3]`
const NOT_RETRIED_AFTER: [&str; 4] = ["deactivated", "rejected", "timeout", "noresource"];

fn retry_after(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if let Some(state) = state(subject)
        && let Some(retry_after) = state.params.value(b"retry-after")
    {
        let reason = state.params.value(b"reason").unwrap_or_default();
        let is_meaningless = NOT_RETRIED_AFTER.iter().any(|known| reason.eq_ignore_ascii_case(known.as_bytes()));
        if is_meaningless || !is_terminated(&state) {
            findings.at(retry_after, "retry-after means nothing here");
        }
    }
}

fn body_type(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if !subject.is_request_of(&Method::Notify) || subject.message().body().is_empty() {
        return;
    }
    let Some(event) = event(subject) else { return };
    let Some(package) = EventType::from_token(event.package) else { return };
    let types = package.body_types();
    let Some(given) = subject.get::<ContentType<&[u8]>>() else { return };
    // A list of resources, and what is signed or sealed, wrap the type. [RFC 4662, Section 5.5]
    let is_wrapped = given.m_type.eq_ignore_ascii_case(b"multipart");
    let is_known = types.iter().any(|known| known.split_once('/').is_some_and(|(a, b)| given.is(a, b)));
    if !types.is_empty() && !is_wrapped && !is_known {
        findings.at(given.m_type, format!("{package} has {}", types.join(", ")));
    }
}

fn publish_empty(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if subject.is_request_of(&Method::Publish)
        && subject.message().body().is_empty()
        && !subject.has(HeaderId::SipIfMatch)
    {
        findings.whole("there is nothing to publish");
    }
}

fn expires(message: &Message) -> Option<u32> {
    message.get::<Expires>().ok().flatten().map(|Expires(seconds)| seconds)
}

fn lengthened(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some((request, response, status)) = subject.pair() else { return };
    let is_event = subject.is_of(&Method::Subscribe) || subject.is_of(&Method::Publish);
    if let (Some(asked), Some(granted), true) = (expires(request), expires(response), is_event && status.is_success())
        && granted > asked
        && let Some(header) = response.first(HeaderId::Expires)
    {
        findings.header(&header, format!("the request asks for {asked}"));
    }
}

fn satisfied(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some((request, response, status)) = subject.pair() else { return };
    let least = response.number(HeaderId::MinExpires).ok().flatten();
    // Of a REGISTER, each Contact may say its own.
    if let (Some(asked), Some(least), 423, false) =
        (expires(request), least, status.as_u16(), subject.is_of(&Method::Register))
        && asked >= least
        && let Some(header) = response.first(HeaderId::MinExpires)
    {
        findings.header(&header, format!("the request asks for {asked}"));
    }
}

fn allowed(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some((request, response, status)) = subject.pair() else { return };
    let Some(event) = request.get::<Event<&[u8]>>().ok().flatten().filter(|_| status.as_u16() == 489) else { return };
    for token in response.tokens(HeaderId::AllowEvents).flatten().filter(|token| *token == event.package) {
        findings.at(token, "this is the package that is refused");
    }
}

fn refer_sub(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    use ringback_message::header::ReferSub;
    let Some((request, response, status)) = subject.pair() else { return };
    let is_without = |message: &Message| {
        message.get::<ReferSub<&[u8]>>().ok().flatten().is_some_and(|refer_sub| !refer_sub.subscribes)
    };
    if status.is_success()
        && is_without(response)
        && !is_without(request)
        && let Some(header) = response.first(HeaderId::ReferSub)
    {
        findings.header(&header, "the request didn't ask for it");
    }
}

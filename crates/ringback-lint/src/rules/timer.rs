//! Session timers. `[RFC 4028]`

use alloc::format;

use ringback_message::header::{MinSe, Refresher, SessionExpires};
use ringback_message::registry::OptionTag;
use ringback_message::{HeaderId, Message};

use crate::subject::lists;
use crate::{Findings, Subject};

rules! { "Session timers"
    "session-expires-too-short" Error "RFC 4028, Section 4"
        "Session-Expires is below 90 seconds."
        "90 seconds is the least; a server answers 422."
        bad ["INVITE", "Supported: timer", "Session-Expires: 60"]
        good ["INVITE", "Supported: timer", "Session-Expires: 90"]
        => too_short;
    "min-se-too-short" Error "RFC 4028, Section 5"
        "Min-SE is below 90 seconds."
        "90 seconds is the least."
        bad ["INVITE", "Supported: timer", "Min-SE: 60"]
        good ["INVITE", "Supported: timer", "Min-SE: 90"]
        => min_too_short;
    "session-expires-below-min-se" Error "RFC 4028, Section 7.1"
        "Session-Expires is below the Min-SE of the same request."
        "The two contradict each other."
        bad ["INVITE", "Supported: timer", "Session-Expires: 100", "Min-SE: 120"]
        good ["INVITE", "Supported: timer", "Session-Expires: 120", "Min-SE: 120"]
        => below_min;
    "session-expires-no-refresher" Error "RFC 4028, Section 9"
        "The Session-Expires of a 2xx doesn't say who refreshes."
        "Both sides wait for the other, and the session ends."
        bad ["200", "Session-Expires: 1800"]
        good ["200", "Session-Expires: 1800;refresher=uas"]
        => no_refresher;
    "session-expires-require-timer" Error "RFC 4028, Section 9"
        "A 2xx names the client as the one that refreshes, and doesn't require timer."
        "A client that doesn't know session timers must be told."
        bad ["200", "Session-Expires: 1800;refresher=uac"]
        good ["200", "Session-Expires: 1800;refresher=uac", "Require: timer"]
        => require_timer;
    "session-expires-raised" Error "RFC 4028, Section 9"
        "The Session-Expires of a 2xx is longer than that of its request."
        "The server may shorten the interval and never lengthen it."
        bad ["INVITE", "Supported: timer", "Session-Expires: 600"] > ["200+sdp", "Session-Expires: 1800;refresher=uas"]
        good ["INVITE", "Supported: timer", "Session-Expires: 1800"] > ["200+sdp", "Session-Expires: 600;refresher=uas"]
        => raised;
    "refresher-changed" Error "RFC 4028, Section 9"
        "The request says who refreshes, and the 2xx says otherwise."
        "The server keeps what the request has settled."
        bad ["INVITE", "Supported: timer", "Session-Expires: 600;refresher=uas"]
            > ["200+sdp", "Session-Expires: 600;refresher=uac", "Require: timer"]
        good ["INVITE", "Supported: timer", "Session-Expires: 600;refresher=uas"]
            > ["200+sdp", "Session-Expires: 600;refresher=uas"]
        => changed;
    "refresher-without-timer" Error "RFC 4028, Section 9"
        "The 2xx names the client as the one that refreshes, and the client doesn't know session timers."
        "It never refreshes."
        bad ["INVITE"] > ["200+sdp", "Session-Expires: 600;refresher=uac"]
        good ["INVITE"] > ["200+sdp", "Session-Expires: 600;refresher=uas"]
        => without_timer;
    "min-se-satisfied" Warning "RFC 4028, Section 6"
        "A 422 asks for a Min-SE that the request already has."
        "The client would send the same request again."
        bad ["INVITE", "Supported: timer", "Session-Expires: 600"] > ["422", "Min-SE: 90"]
        good ["INVITE", "Supported: timer", "Session-Expires: 600"] > ["422", "Min-SE: 1800"]
        => satisfied;
}

const LEAST_SECS: u32 = 90;

fn interval(message: &Message) -> Option<SessionExpires<&[u8]>> {
    message.get::<SessionExpires<&[u8]>>().ok().flatten()
}

fn min_se(message: &Message) -> Option<u32> {
    message.get::<MinSe<&[u8]>>().ok().flatten().map(|min| min.seconds)
}

fn is_success(subject: &Subject<'_>) -> bool {
    (200..300).contains(&subject.code())
}

fn at(subject: &Subject<'_>, findings: &mut Findings<'_>, id: HeaderId, text: alloc::string::String) {
    if let Some(header) = subject.first(id) {
        findings.header(&header, text);
    }
}

fn too_short(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if interval(subject.message()).is_some_and(|interval| interval.seconds < LEAST_SECS) {
        at(subject, findings, HeaderId::SessionExpires, "90 seconds is the least".into());
    }
}

fn min_too_short(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if min_se(subject.message()).is_some_and(|seconds| seconds < LEAST_SECS) {
        at(subject, findings, HeaderId::MinSe, "90 seconds is the least".into());
    }
}

fn below_min(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if let (Some(interval), Some(min), true) =
        (interval(subject.message()), min_se(subject.message()), subject.is_request())
        && interval.seconds < min
    {
        at(subject, findings, HeaderId::SessionExpires, format!("Min-SE is {min}"));
    }
}

fn no_refresher(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if is_success(subject) && interval(subject.message()).is_some_and(|interval| interval.refresher().is_none()) {
        at(subject, findings, HeaderId::SessionExpires, "refresher must be there".into());
    }
}

fn require_timer(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let is_required = lists(subject.message(), HeaderId::Require, OptionTag::Timer);
    let is_client = interval(subject.message()).is_some_and(|interval| interval.refresher() == Some(Refresher::Uac));
    if is_success(subject) && is_client && !is_required {
        at(subject, findings, HeaderId::SessionExpires, "Require: timer goes with refresher=uac".into());
    }
}

fn raised(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some((request, response, _)) = subject.pair() else { return };
    if let (Some(asked), Some(answered)) = (interval(request), interval(response))
        && is_success(subject)
        && answered.seconds > asked.seconds
    {
        at(subject, findings, HeaderId::SessionExpires, format!("the request asks for {}", asked.seconds));
    }
}

fn changed(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some((request, response, _)) = subject.pair() else { return };
    let asked = interval(request).and_then(|interval| interval.refresher());
    let answered = interval(response).and_then(|interval| interval.refresher());
    if let (Some(asked), Some(answered)) = (asked, answered)
        && asked != answered
    {
        at(subject, findings, HeaderId::SessionExpires, format!("the request says {}", asked.as_str()));
    }
}

fn without_timer(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some((request, response, _)) = subject.pair() else { return };
    let knows = [HeaderId::Supported, HeaderId::Require].into_iter().any(|id| lists(request, id, OptionTag::Timer));
    let is_client = interval(response).is_some_and(|interval| interval.refresher() == Some(Refresher::Uac));
    if is_client && !knows {
        at(subject, findings, HeaderId::SessionExpires, "the request doesn't support timer".into());
    }
}

fn satisfied(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let Some((request, response, status)) = subject.pair() else { return };
    if let (Some(asked), Some(min), 422) = (interval(request), min_se(response), status.as_u16())
        && asked.seconds >= min
    {
        at(subject, findings, HeaderId::MinSe, format!("the request asks for {}", asked.seconds));
    }
}

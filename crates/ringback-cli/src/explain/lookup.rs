//! What a term may mean: everything that has the name is found, in all registries.

use ringback_message::header::facts::HeaderFacts;
use ringback_message::registry::{
    EventType, HeaderParameter, OptionTag, Q850Cause, ReasonProtocol, UriParameter, WarnCode,
};
use ringback_message::{HeaderId, Method, StatusCode, status};

use super::entry::{Entry, Kind};
use super::registry;
use super::timers::TIMERS;

/// All that the term may mean; empty for one that nothing is known by.
pub(crate) fn find(term: &str) -> Vec<Entry> {
    let term = term.split_whitespace().collect::<Vec<_>>().join(" ");
    let spaced = || term.split_once(' ').and_then(|(header, name)| parameter_of(header, name));
    if let Some(found) = as_reason(&term).or_else(|| as_kind(&term)).or_else(spaced) {
        return found;
    }
    let found = any(&term);
    if !found.is_empty() {
        return found;
    }
    // A status line or a line of a log: "SIP/2.0 486 Busy Here", "603 Network Blocked", "603+".
    let line = term.strip_prefix("SIP/2.0 ").unwrap_or(&term);
    let first = line.split([' ', '+']).next().unwrap_or_default();
    if first.len() < term.len() && first.len() == 3 { of(Kind::Status, first) } else { Vec::new() }
}

/// The longest term that the first words are together, and how many they are: one of several words that wasn't put in quotes. An
/// argument with blanks was, and is a term of its own.
pub(crate) fn find_words(words: &[String]) -> Option<(usize, Vec<Entry>)> {
    let bare = words.iter().take(WORDS_MAX).take_while(|word| !word.contains(char::is_whitespace)).count();
    (2..=bare).rev().find_map(|count| {
        let found = whole(&words.get(..count)?.join(" "));
        (!found.is_empty()).then_some((count, found))
    })
}

const WORDS_MAX: usize = 12;

/// A line of a message that wasn't put in quotes; what stands behind the code or cause is a text of its sender.
pub(crate) fn find_line(words: &[String]) -> Option<Vec<Entry>> {
    let [first, _, ..] = words else { return None };
    let begins = ["SIP/2.0", "Reason:", "Warning:"].iter().any(|word| first.eq_ignore_ascii_case(word));
    Some(find(&words.join(" "))).filter(|found| begins && !found.is_empty())
}

/// What a term means all words of which belong to it.
fn whole(term: &str) -> Vec<Entry> {
    let words = || term.split(REASON_DELIMITERS).filter(|word| !word.is_empty());
    // A protocol and its cause, besides the words that introduce them.
    let introduced = ["reason", "cause"].into_iter();
    let introduced = introduced.filter(|name| words().any(|word| word.eq_ignore_ascii_case(name))).count();
    if words().count() <= introduced.saturating_add(2)
        && let Some(found) = as_reason(term)
    {
        return found;
    }
    let of_kind = term.split_once(' ').map(|(word, rest)| of_kinds(kinds_of(word.trim_end_matches(':')), rest));
    of_kind.filter(|found| !found.is_empty()).unwrap_or_else(|| any(term))
}

/// Every name that can be asked for, as it is written.
pub(crate) fn names() -> Vec<&'static str> {
    let statuses = status::registry().iter().map(|row| row.phrase);
    let headers = HeaderId::all().map(HeaderId::as_str);
    let tags = OptionTag::REGISTERED.iter().map(|row| row.name.as_str());
    let events = EventType::REGISTERED.iter().map(|row| row.name.as_str());
    let protocols = ReasonProtocol::REGISTERED.iter().map(|row| row.name.as_str());
    let of_uris = UriParameter::REGISTERED.iter().map(|row| row.name);
    let of_headers = HeaderParameter::REGISTERED.iter().map(|row| row.name);
    let timers = TIMERS.iter().map(|row| row.name);
    let methods = Method::REGISTERED.iter().map(Method::as_str);
    let warnings = WarnCode::REGISTERED.iter().map(|row| row.text);
    let causes = Q850Cause::KNOWN.iter().map(|row| row.name);
    let mut names: Vec<_> = statuses
        .chain(methods)
        .chain(headers)
        .chain(tags)
        .chain(events)
        .chain(warnings)
        .chain(protocols)
        .chain(causes)
        .chain(of_uris)
        .chain(of_headers)
        .chain(timers)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Names that the term may be a slip of, the nearest first.
pub(crate) fn near(term: &str) -> Vec<&'static str> {
    let wanted = term.to_lowercase();
    let most = (wanted.chars().count() / 3).max(1);
    let mut near: Vec<_> = names()
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&wanted, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= most && *distance < name.len())
        .collect();
    near.sort_unstable();
    near.dedup_by(|a, b| a.1.eq_ignore_ascii_case(b.1));
    near.into_iter().map(|(_, name)| name).take(SUGGESTIONS_MAX).collect()
}

const SUGGESTIONS_MAX: usize = 4;

/// All entries that there are; for the tables of texts.
#[cfg(test)]
pub(crate) fn all() -> Vec<Entry> {
    let mut all: Vec<Entry> = status::registry().iter().map(registry::status).collect();
    all.extend(Q850Cause::KNOWN.iter().map(registry::q850_cause));
    all.extend(WarnCode::REGISTERED.iter().map(registry::warning));
    for name in names() {
        all.extend(any(name).into_iter().filter(|entry| entry.kind != Kind::Status));
    }
    all.extend(find("presence.winfo"));
    all
}

/// `Warning 370`, `header Via`, `timer B`: only what is of that kind.
fn as_kind(term: &str) -> Option<Vec<Entry>> {
    let (word, rest) = term.split_once([' ', ':'])?;
    let kinds = kinds_of(word);
    let rest = rest.trim();
    // `Warning: 370 host "text"` as it stands in a message.
    let first = rest.split(' ').next().unwrap_or_default();
    let found = of_kinds(kinds, rest);
    let found = if found.is_empty() { of_kinds(kinds, first) } else { found };
    (!found.is_empty()).then_some(found)
}

/// The kinds that a word in front of a name stands for.
fn kinds_of(word: &str) -> &'static [Kind] {
    match word.to_ascii_lowercase().as_str() {
        "status" | "code" | "response" | "sip" => &[Kind::Status],
        "method" | "request" => &[Kind::Method],
        "header" => &[Kind::Header],
        "option" | "tag" | "require" | "supported" | "unsupported" | "proxy-require" => &[Kind::OptionTag],
        "event" | "package" | "allow-events" => &[Kind::Event],
        "warning" | "warn" => &[Kind::Warning],
        "uri" => &[Kind::UriParameter],
        "param" | "parameter" => &[Kind::UriParameter, Kind::HeaderParameter],
        "timer" => &[Kind::Timer],
        _ => &[],
    }
}

fn of_kinds(kinds: &[Kind], term: &str) -> Vec<Entry> {
    kinds.iter().flat_map(|kind| of(*kind, term)).collect()
}

/// `Via rport`: the parameter of that header field.
fn parameter_of(header: &str, name: &str) -> Option<Vec<Entry>> {
    let row = HeaderParameter::find(HeaderId::from_name(header.as_bytes()), name.as_bytes())?;
    Some(registry::header_parameters(&[row]).into_iter().collect())
}

/// `Reason Q.850 17`, `Reason: SIP;cause=487;text="…"`, `Q.850;cause=17`, `Via;rport`.
fn as_reason(term: &str) -> Option<Vec<Entry>> {
    let words: Vec<&str> = term.split(REASON_DELIMITERS).filter(|word| !word.is_empty()).collect();
    let (has_reason, words) = match words.as_slice() {
        [first, rest @ ..] if first.eq_ignore_ascii_case("reason") => (true, rest),
        [header, name] if term.contains(';') => return parameter_of(header, name),
        all => (false, all),
    };
    let (protocol, rest) = match words {
        [word, rest @ ..] if word.eq_ignore_ascii_case("cause") => (ReasonProtocol::Q850, rest),
        [name, rest @ ..] => (reason_protocol(name)?, rest),
        [] => return None,
    };
    let cause = match rest {
        [word, cause, ..] if word.eq_ignore_ascii_case("cause") => Some(*cause),
        [cause, ..] => Some(*cause),
        [] => None,
    };
    let found = match cause {
        None if has_reason => of(Kind::ReasonProtocol, protocol.as_str()),
        None => return None,
        Some(cause) if protocol == ReasonProtocol::Q850 => match of(Kind::Q850Cause, cause) {
            found if found.is_empty() => registry::other_q850_cause(cause).into_iter().collect(),
            found => found,
        },
        Some(cause) if protocol == ReasonProtocol::Sip || protocol == ReasonProtocol::Stir => of(Kind::Status, cause),
        Some(_) => of(Kind::ReasonProtocol, protocol.as_str()),
    };
    Some(found)
}

const REASON_DELIMITERS: [char; 5] = [' ', ';', ':', '=', ','];

/// Q850 is a usual slip.
fn reason_protocol(name: &str) -> Option<ReasonProtocol<'_>> {
    if name.eq_ignore_ascii_case("Q850") {
        return Some(ReasonProtocol::Q850);
    }
    ReasonProtocol::from_token(name.as_bytes()).filter(|protocol| protocol.info().is_some())
}

const KINDS: [Kind; 11] = [
    Kind::Status,
    Kind::Method,
    Kind::Header,
    Kind::OptionTag,
    Kind::Event,
    Kind::Warning,
    Kind::ReasonProtocol,
    Kind::Q850Cause,
    Kind::UriParameter,
    Kind::HeaderParameter,
    Kind::Timer,
];

fn any(term: &str) -> Vec<Entry> {
    KINDS.into_iter().flat_map(|kind| of(kind, term)).collect()
}

/// What is of this kind and has this name, in any case.
fn of(kind: Kind, term: &str) -> Vec<Entry> {
    let same = |name: &str| name.eq_ignore_ascii_case(term);
    match kind {
        Kind::Status => statuses(term),
        Kind::Method => {
            let infos = Method::REGISTERED.iter().filter(|method| same(method.as_str())).filter_map(Method::info);
            infos.map(registry::method).collect()
        }
        Kind::Header => {
            let id = HeaderId::from_name(term.trim_end_matches(':').as_bytes());
            HeaderFacts::REGISTERED.iter().filter(|facts| facts.id == id).map(registry::header).collect()
        }
        Kind::OptionTag => {
            OptionTag::REGISTERED.iter().filter(|row| same(row.name.as_str())).map(registry::option_tag).collect()
        }
        Kind::Event => events(term),
        Kind::Warning => {
            let rows = WarnCode::REGISTERED.iter();
            rows.filter(|row| same(row.text) || same(&row.code.to_string())).map(registry::warning).collect()
        }
        Kind::ReasonProtocol => {
            let rows = ReasonProtocol::REGISTERED.iter();
            let protocol = reason_protocol(term).filter(|protocol| *protocol == ReasonProtocol::Q850);
            let is = |name: &str| same(name) || protocol.is_some_and(|protocol| protocol.as_str() == name);
            rows.filter(|row| is(row.name.as_str())).map(registry::reason_protocol).collect()
        }
        Kind::Q850Cause => {
            let rows = Q850Cause::KNOWN.iter();
            rows.filter(|row| same(row.name) || same(&row.cause.0.to_string())).map(registry::q850_cause).collect()
        }
        Kind::UriParameter => {
            UriParameter::REGISTERED.iter().filter(|row| same(row.name)).map(registry::uri_parameter).collect()
        }
        Kind::HeaderParameter => {
            let rows: Vec<_> = HeaderParameter::REGISTERED.iter().filter(|row| same(row.name)).collect();
            registry::header_parameters(&rows).into_iter().collect()
        }
        Kind::Timer => {
            let named = |name: &str| {
                same(name) || name.strip_prefix("Timer ").is_some_and(same) || same(&name.replace(' ', ""))
            };
            TIMERS.iter().filter(|row| named(row.name)).map(super::timers::Timer::entry).collect()
        }
    }
}

fn statuses(term: &str) -> Vec<Entry> {
    if let Ok(code) = term.parse::<StatusCode>() {
        return vec![code.info().map_or_else(|| registry::other_status(code), registry::status)];
    }
    status::registry().iter().filter(|row| row.phrase.eq_ignore_ascii_case(term)).map(registry::status).collect()
}

/// A package, also with templates that are registered.
fn events(term: &str) -> Vec<Entry> {
    let package = EventType::REGISTERED.iter().find(|row| row.name.as_str().eq_ignore_ascii_case(term));
    if let Some(row) = package {
        return vec![registry::event(row.name, row)];
    }
    let event = EventType::from_token(term.as_bytes()).filter(|event| {
        let known = |name: &str| EventType::from_token(name.as_bytes()).is_some_and(|name| name.info().is_some());
        event.templates().next().is_some() && event.templates().all(known)
    });
    event.and_then(|event| Some(registry::event(event, event.info()?))).into_iter().collect()
}

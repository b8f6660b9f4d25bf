//! The rows of the registries as entries.

use ringback_message::header::facts::{HeaderFacts, Methods, Repeats, Shape, Standing, Where};
use ringback_message::header::is_typed;
use ringback_message::registry::{
    EventKind, EventType, EventTypeInfo, HeaderParameter, OptionTagInfo, Q850Cause, Q850CauseInfo, ReasonProtocolInfo,
    Source, UriParameter, WarnCodeInfo,
};
use ringback_message::status::{self, Carry, Class, ClientAction, StatusInfo};
use ringback_message::{HeaderId, Method, MethodInfo, StatusCode};

use super::entry::{Entry, Kind, Named};
use super::example;

pub(crate) fn status(info: &StatusInfo) -> Entry {
    let sources = [format!("RFC {}, Section {}", info.rfc, info.section)].into_iter().chain(cited(info.also));
    let causes = Q850Cause::KNOWN.iter().filter(|row| row.status == Some(info.code));
    let mut entry = Entry::new(Kind::Status, info.code.to_string(), info.meaning)
        .titled(info.phrase)
        .fact("class", class(info.class))
        .fact("final", info.code.is_final())
        .fact("registered", info.registered)
        .fact("sent_by", info.generated_by.names().map(str::to_owned).collect::<Vec<_>>())
        .fact("must", carries(info.must))
        .fact("should", carries(info.should))
        .fact("may", carries(info.may))
        .fact("client", info.client_text)
        .fact("action", action(info.client))
        .fact("q850", causes.map(|row| format!("{} {}", row.cause.0, row.name)).collect::<Vec<_>>())
        .sources(sources);
    entry.example = example::response(info.code).ok();
    entry
}

/// A code that the table lacks.
pub(crate) fn other_status(code: StatusCode) -> Entry {
    let as_code = code.treat_as();
    Entry::new(Kind::Status, code.to_string(), "Not registered: a receiver acts on it as on another code of its class.")
        .titled(code.default_phrase())
        .fact("class", class(code.class()))
        .fact("final", code.is_final())
        .fact("registered", false)
        .fact("treat_as", format!("{as_code} {}", as_code.default_phrase()))
        .sources(["RFC 3261, Section 8.1.3.2"])
}

pub(crate) fn method(info: &MethodInfo) -> Entry {
    let must = info.must.iter().map(|carry| named(carry.header, carry.when.map(str::to_owned)));
    let mut entry = Entry::new(Kind::Method, info.method.as_str(), info.meaning)
        .fact("forms_dialog", info.forms_dialog)
        .fact("refreshes_target", info.refreshes_target)
        .fact("outside_dialog", info.outside_dialog)
        .fact("inside_dialog", info.inside_dialog)
        .fact("must", ALWAYS.iter().map(|id| named(*id, None)).chain(must).collect::<Vec<_>>())
        .sources(cited(&[info.source]).chain(cited(info.also)));
    entry.example = example::request(&info.method).ok();
    entry
}

/// What every request carries. `[RFC 3261, Section 8.1.1]`
const ALWAYS: [HeaderId; 6] =
    [HeaderId::Via, HeaderId::MaxForwards, HeaderId::From, HeaderId::To, HeaderId::CallId, HeaderId::CSeq];

pub(crate) fn header(facts: &HeaderFacts) -> Entry {
    let id = facts.id;
    let parameters = HeaderParameter::of(id).map(|row| row.name.to_owned());
    let mut entry = Entry::new(Kind::Header, id.as_str(), header_meaning(facts));
    if let Some(compact) = id.compact() {
        entry = entry.fact("compact", compact.to_string());
    }
    entry
        .fact("value", if CALL_IDS.contains(&id) { "a Call-ID" } else { shape(facts.shape) })
        .fact("repeats", repeats(facts.repeats))
        .fact("place", place(facts))
        .fact("standing", standing(facts.standing))
        .fact("typed", is_typed(id))
        .fact("parameters", parameters.collect::<Vec<_>>())
        .fact("requests", in_requests(id))
        .fact("responses", in_responses(id))
        .sources(cited(&[facts.source]))
}

/// Those of the shape of a Call-ID that have no parameters.
const CALL_IDS: [HeaderId; 2] = [HeaderId::CallId, HeaderId::InReplyTo];

fn header_meaning(facts: &HeaderFacts) -> String {
    let of = match facts.place {
        Where::Requests => "A header field of requests",
        Where::Responses => "A header field of responses",
        Where::Both => "A header field",
    };
    format!("{of}, defined in {}.", facts.source.as_str())
}

fn in_requests(id: HeaderId) -> Vec<Named> {
    let infos = Method::REGISTERED.iter().filter_map(Method::info);
    let carried = infos.flat_map(|info| info.must.iter().map(move |carry| (info, carry)));
    carried
        .filter(|(_, carry)| carry.header == id)
        .map(|(info, carry)| Named { name: info.method.to_string(), when: Some(duty("must", carry.when)) })
        .collect()
}

fn in_responses(id: HeaderId) -> Vec<Named> {
    let rows = status::registry().iter().flat_map(|info| {
        let lists = [("must", info.must), ("should", info.should), ("may", info.may)];
        lists.into_iter().flat_map(move |(word, list)| list.iter().map(move |carry| (info, word, carry)))
    });
    rows.filter(|(_, _, carry)| carry.header == id)
        .map(|(info, word, carry)| Named {
            name: format!("{} {}", info.code, info.phrase),
            when: Some(duty(word, condition(carry).as_deref())),
        })
        .collect()
}

fn duty(word: &str, when: Option<&str>) -> String {
    when.map_or_else(|| word.to_owned(), |when| format!("{word}: {when}"))
}

pub(crate) fn option_tag(info: &OptionTagInfo) -> Entry {
    let names = |places: ringback_message::registry::Places| places.headers().map(|id| id.as_str().to_owned());
    Entry::new(Kind::OptionTag, info.name.as_str(), info.meaning)
        .fact("places", names(info.places).collect::<Vec<_>>())
        .fact("not_recommended", names(info.not_recommended).collect::<Vec<_>>())
        .sources(cited(&[info.source]))
}

/// An event package, as it was asked for: with its templates.
pub(crate) fn event(event: EventType<'_>, info: &EventTypeInfo) -> Entry {
    let kind = match info.kind {
        EventKind::Package => "package",
        EventKind::TemplatePackage => "template-package",
    };
    let name = if event.templates().next().is_some() { event.as_str() } else { info.name.as_str() };
    let templates = event.templates().filter_map(|name| EventType::from_token(name.as_bytes())?.info());
    let templates = templates.map(|row| Named { name: row.name.to_string(), when: Some(row.meaning.to_owned()) });
    let types = if event.templates().next().is_some() { event.body_types() } else { info.body_types };
    Entry::new(Kind::Event, name, info.meaning)
        .fact("package", kind)
        .fact("templates", templates.collect::<Vec<_>>())
        .fact("body_types", types.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
        .sources(cited(&[info.source]))
}

pub(crate) fn warning(info: &WarnCodeInfo) -> Entry {
    Entry::new(Kind::Warning, info.code.to_string(), info.meaning)
        .titled(info.text)
        .fact("header", HeaderId::Warning.as_str())
        .sources(cited(&[info.source]))
}

pub(crate) fn reason_protocol(info: &ReasonProtocolInfo) -> Entry {
    Entry::new(Kind::ReasonProtocol, info.name.as_str(), "A protocol of Reason, whose causes are its own.")
        .fact("cause", info.cause)
        .fact("header", HeaderId::Reason.as_str())
        .sources(cited(&[info.source]).chain(["RFC 3326, Section 2".to_owned()]))
}

pub(crate) fn q850_cause(info: &Q850CauseInfo) -> Entry {
    let meaning = "A cause of the telephone network, which a gateway tells in Reason or translates to a response code.";
    let code = info.status.and_then(StatusCode::info);
    let becomes = code.map_or_else(|| "no response code".to_owned(), |row| format!("{} {}", row.code, row.phrase));
    Entry::new(Kind::Q850Cause, info.cause.0.to_string(), meaning)
        .titled(info.name)
        .fact("becomes", becomes)
        .fact("reason", format!("Reason: Q.850;cause={}", info.cause.0))
        .sources(["ITU-T Q.850", "RFC 3398, Section 7.2.4.1"])
}

/// A cause that no table translates; `None` where it can be none.
pub(crate) fn other_q850_cause(number: &str) -> Option<Entry> {
    let cause = Q850Cause(number.parse().ok().filter(|number| *number <= Q850_CAUSE_MAX)?);
    let code = cause.status()?;
    let entry = Entry::new(
        Kind::Q850Cause,
        cause.0.to_string(),
        "A cause of the telephone network that has no translation of its own.",
    )
    .fact("becomes", format!("{code} {}", code.default_phrase()))
    .fact("reason", format!("Reason: Q.850;cause={}", cause.0))
    .sources(["ITU-T Q.850", "RFC 3398, Section 7.2.4.1"]);
    Some(entry)
}

/// Causes have seven bits.
const Q850_CAUSE_MAX: u8 = 127;

pub(crate) fn uri_parameter(row: &UriParameter) -> Entry {
    Entry::new(Kind::UriParameter, row.name, row.meaning)
        .fact("predefined", row.predefined)
        .sources(row.rfcs.iter().map(|rfc| format!("RFC {rfc}")))
}

/// The parameters of one name, of several header fields.
pub(crate) fn header_parameters(rows: &[&HeaderParameter]) -> Option<Entry> {
    let first = rows.first()?;
    let of = rows.iter().map(|row| Named {
        name: row.header.as_str().to_owned(),
        when: Some(row.rfcs.iter().map(|rfc| format!("RFC {rfc}")).collect::<Vec<_>>().join(", ")),
    });
    let mut rfcs: Vec<u16> = rows.iter().flat_map(|row| row.rfcs.iter().copied()).collect();
    rfcs.sort_unstable();
    rfcs.dedup();
    let entry = Entry::new(
        Kind::HeaderParameter,
        first.name,
        "A parameter of header fields; each may give it its own meaning.",
    )
    .fact("headers", of.collect::<Vec<_>>())
    .fact("predefined", rows.iter().all(|row| row.predefined))
    .sources(rfcs.iter().map(|rfc| format!("RFC {rfc}")));
    Some(entry)
}

fn carries(list: &[Carry]) -> Vec<Named> {
    list.iter().map(|carry| named(carry.header, condition(carry))).collect()
}

fn condition(carry: &Carry) -> Option<String> {
    (!carry.is_unconditional()).then(|| carry.when.to_string())
}

fn named(id: HeaderId, when: Option<String>) -> Named {
    Named { name: id.as_str().to_owned(), when }
}

fn cited(sources: &[Source]) -> impl Iterator<Item = String> + '_ {
    sources.iter().map(|source| source.as_str().to_owned())
}

fn class(class: Class) -> String {
    let digit = match class {
        Class::Provisional => 1,
        Class::Success => 2,
        Class::Redirection => 3,
        Class::RequestFailure => 4,
        Class::ServerFailure => 5,
        Class::GlobalFailure => 6,
    };
    format!("{digit}xx {}", class.name())
}

fn action(action: ClientAction) -> &'static str {
    match action {
        ClientAction::Progress => "progress",
        ClientAction::Success => "success",
        ClientAction::Redirect => "redirect",
        ClientAction::Challenge => "challenge",
        ClientAction::RetryLater => "retry_later",
        ClientAction::RetryModified => "retry_modified",
        ClientAction::NextTarget => "next_target",
        ClientAction::AskUser => "ask_user",
        ClientAction::GiveUp => "give_up",
        _ => "other",
    }
}

fn shape(shape: Shape) -> &'static str {
    match shape {
        Shape::Address => "an address, with or without a name, and parameters",
        Shape::Uri => "a URI in angle brackets, and parameters",
        Shape::Token => "a token",
        Shape::TokenParams => "a token or quoted string, and parameters",
        Shape::Media => "a media type, range, encoding or language, and parameters",
        Shape::Number => "a number",
        Shape::NumberParams => "a number, and parameters or a comment",
        Shape::Text => "text for people",
        Shape::Software => "products and comments",
        Shape::Scheme => "a scheme, and its parameters",
        Shape::Params => "parameters",
        Shape::CallId => "a Call-ID, and parameters",
        Shape::Own => "a grammar of its own",
        _ => "not known here",
    }
}

fn repeats(repeats: Repeats) -> &'static str {
    match repeats {
        Repeats::Once => "once in a message",
        Repeats::List => "often: on one line with commas, or on several lines",
        Repeats::Lines => "often: on lines of their own, never joined",
        _ => "not known here",
    }
}

fn place(facts: &HeaderFacts) -> String {
    let names = |methods: &[Method]| methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    match (facts.place, facts.methods) {
        (Where::Requests, Methods::Only(methods)) => format!("requests: {}", names(methods)),
        (Where::Responses, Methods::Only(methods)) => format!("responses to {}", names(methods)),
        (Where::Both, Methods::Only(methods)) => format!("requests and responses: {}", names(methods)),
        (Where::Responses | Where::Both, Methods::Requests(methods)) => {
            format!("responses, and requests: {}", names(methods))
        }
        (Where::Requests, _) => "requests".to_owned(),
        (Where::Responses, _) => "responses".to_owned(),
        (Where::Both, _) => "requests and responses".to_owned(),
    }
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Current => "in use",
        Standing::Deprecated => "deprecated",
        _ => "reserved: not to be used",
    }
}

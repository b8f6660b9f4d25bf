//! docs/headers.md lists what the tables of `ringback-message` list.

use std::fs;
use std::path::Path;

use ringback_message::header::facts::{Methods, Repeats, Standing, Where};
use ringback_message::header::is_typed;
use ringback_message::{HeaderId, Method};

const HEAD: &str = "\
# Header fields

Every header field that the IANA registry of SIP names, where it is defined, and the type of `ringback_message::header` that
holds its value. A value without a type is text: it is passed on and can be read and written as it is, and nothing checks what
stands in it. The documents that define these are none of the IETF's, or reserve a name, or drop it.

A field of several values may hold them on one line with commas between, or on several lines; \"own lines\" means one on each.
Where methods are named, it is for messages of these alone; behind \"requests:\" are those that requests are of, and responses
answer any.

The names were compared with a stored copy of the registry, of March 2026; sections and grammars with the texts of the RFCs, but
for one: the text of RFC 7316, which has the grammar of P-Private-Network-Indication, was not at hand.

This page is made from the tables: `RINGBACK_WRITE_DOCS=1 cargo test -p ringback-server --test it headers_page` writes it anew.

";

/// The page says what the tables say. Set RINGBACK_WRITE_DOCS to write it anew.
#[test]
fn the_page_of_header_fields_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/headers.md");
    let wanted = page();
    if std::env::var_os("RINGBACK_WRITE_DOCS").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    let page = fs::read_to_string(&path).unwrap_or_default();
    let differ = page.lines().zip(wanted.lines()).find(|(page, wanted)| page != wanted);
    assert_eq!(differ, None, "docs/headers.md: run this test with RINGBACK_WRITE_DOCS=1");
    assert_eq!(page.len(), wanted.len(), "docs/headers.md: run this test with RINGBACK_WRITE_DOCS=1");
}

/// The page promises that what has no type has its grammar elsewhere.
#[test]
fn what_an_rfc_defines_has_a_type() {
    for id in HeaderId::all().filter(|id| !is_typed(*id)) {
        let facts = id.facts().unwrap();
        let is_gone = id != HeaderId::IdentityInfo && facts.standing != Standing::Current;
        assert!(facts.source.rfc().is_none() || is_gone, "{id} has no type");
    }
}

fn page() -> String {
    let typed = HeaderId::all().filter(|id| is_typed(*id)).count();
    let all = HeaderId::all().count();
    let mut page = format!("{HEAD}Of {all} header fields, {typed} have a type.\n\n");
    page.push_str("| header field | compact | type | several values | in | defined in |\n|---|---|---|---|---|---|\n");
    for id in HeaderId::all() {
        page.push_str(&row(id));
    }
    page
}

fn row(id: HeaderId) -> String {
    let facts = id.facts().expect("a row for each header field");
    let compact = id.compact().map(|letter| format!("`{letter}`")).unwrap_or_default();
    // A type has the name of its variant.
    let value = if is_typed(id) { format!("`{id:?}`") } else { "text".to_owned() };
    let several = match facts.repeats {
        Repeats::Once => "no",
        Repeats::List => "yes",
        Repeats::Lines => "own lines",
        _ => "",
    };
    let place = match facts.place {
        Where::Requests => "requests",
        Where::Responses => "responses",
        Where::Both => "both",
    };
    let names = |methods: &[Method]| methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    let methods = match facts.methods {
        Methods::Only(methods) => format!(": {}", names(methods)),
        Methods::Requests(methods) => format!("; requests: {}", names(methods)),
        _ => String::new(),
    };
    let standing = match facts.standing {
        Standing::Deprecated => " (deprecated)",
        Standing::Reserved => " (reserved)",
        _ => "",
    };
    format!("| {id} | {compact} | {value} | {several} | {place}{methods} | {}{standing} |\n", facts.source.as_str())
}

//! docs/matrix.md is made from the matrix, and `cargo xtask matrix` prints it.

use std::fmt::Write as _;
use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use ringback_message::StatusCode;
use ringback_message::status::{Origin, OriginState, registry};

use super::{Row, all};

const HEAD: &str = "\
# The response matrix

What Ringback does with every response code. A code that it sends has a scenario in which the element that is named sends it, for the
reason that is named, with the header fields that it must carry, and in which our own user agent gets it and does what the last
column says. Nothing in a scenario but our elements speaks: they are those of the server and of the library, on a simulated wire. Where
a request has to be wrong, the wire has damaged it. What `ringback_ua::Outcome` makes of the response is what the registry says of it.

*application* is whoever uses the user agent: a person, or the program above it. What it says it says through the agent.

Who sends a code, and when, stands beside the registry, in `crates/ringback-message/src/status/origin.rs`; the scenarios are in
`crates/ringback-testkit/tests/it/matrix/`. `cargo xtask matrix` plays them all and prints this table.

This page is made from both: `RINGBACK_WRITE_DOCS=1 cargo test -p ringback-testkit --test it matrix::page` writes it anew.

";

/// The page says what the matrix says. Set RINGBACK_WRITE_DOCS to write it anew.
#[test]
fn the_page_of_the_matrix_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/matrix.md");
    let wanted = page();
    if std::env::var_os("RINGBACK_WRITE_DOCS").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    let page = fs::read_to_string(&path).unwrap_or_default();
    let differ = page.lines().zip(wanted.lines()).find(|(page, wanted)| page != wanted);
    assert_eq!(differ, None, "docs/matrix.md: run this test with RINGBACK_WRITE_DOCS=1");
    assert_eq!(page.len(), wanted.len(), "docs/matrix.md: run this test with RINGBACK_WRITE_DOCS=1");
}

#[test]
#[ignore = "plays all rows again, one after another, and prints them: cargo xtask matrix"]
fn printed() {
    let mut failed = Vec::new();
    for origin in registry().iter().filter_map(|row| row.code.origin()) {
        let (code, phrase) = (origin.code.as_u16(), origin.code.default_phrase());
        let state = match (origin.state, row(origin.code)) {
            (OriginState::Sent(element), Some(row)) => match catch_unwind(|| row.is_played()) {
                Ok(()) => format!("both ways  {}", element.name()),
                Err(_) => {
                    failed.push(code);
                    "FAILED".to_owned()
                }
            },
            (OriginState::ReceivedOnly, _) => "received   -".to_owned(),
            (OriginState::Open, _) | (_, None) => "open       -".to_owned(),
        };
        println!("{code} {phrase:<40} {state:<40} {}", origin.trigger);
    }
    println!("\n{}", totals());
    assert!(failed.is_empty(), "{failed:?}");
}

fn row(code: StatusCode) -> Option<&'static Row> {
    all().find(|row| row.code == code.as_u16())
}

fn of(state: fn(&OriginState) -> bool) -> Vec<&'static Origin> {
    registry().iter().filter_map(|row| row.code.origin()).filter(|origin| state(&origin.state)).collect()
}

fn sent() -> Vec<&'static Origin> {
    of(|state| matches!(state, OriginState::Sent(_)))
}

fn totals() -> String {
    let received = of(|state| *state == OriginState::ReceivedOnly).len();
    let open = of(|state| *state == OriginState::Open).len();
    format!("{} codes run both ways, {received} are received only, {open} are open.", sent().len())
}

fn page() -> String {
    let mut page = format!("{HEAD}{}\n\n## Both ways\n\n", totals());
    page.push_str("| code | sent by | when | carries | our client |\n|---|---|---|---|---|\n");
    for origin in sent() {
        let (OriginState::Sent(element), Some(row)) = (origin.state, row(origin.code)) else { continue };
        let carries: Vec<&str> = row.carries.iter().map(|header| header.as_str()).collect();
        let _ = writeln!(
            page,
            "| {} {} | {} | {} | {} | {} |",
            row.code,
            origin.code.default_phrase(),
            element.name(),
            origin.trigger,
            carries.join(", "),
            row.client
        );
    }
    let rest = [
        ("Received only", "why", of(|state| *state == OriginState::ReceivedOnly)),
        ("Open", "what is missing", of(|state| *state == OriginState::Open)),
    ];
    for (title, column, origins) in rest {
        let _ = writeln!(page, "\n## {title}\n\n| code | {column} | a client |\n|---|---|---|");
        for origin in origins {
            let phrase = origin.code.default_phrase();
            let client = origin.code.info().map_or("", |info| info.client_text);
            let _ = writeln!(page, "| {} {phrase} | {} | {client} |", origin.code.as_u16(), origin.trigger);
        }
    }
    page
}

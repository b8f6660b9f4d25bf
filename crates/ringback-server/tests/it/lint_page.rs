//! docs/lint.md lists the rules of `ringback-lint`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use ringback_lint::{RULES, Rule, Severity};

const HEAD: &str = "\
# Rules of the lint

What `ringback-lint` looks at in a message, or in a response together with its request. An **error** breaks a MUST, a **warning** is
against a SHOULD or what some peers cope with, a **note** is deprecated or unwise. A finding names the bytes that it is about, and
a section that is often more precise than that of its rule.

The examples are what the rules are tested with. Each is a message that is right as it stands, named by its method or code, and the
lines that make it wrong, or leave it right. An arrow divides a request from the response that is judged against it.

This page is made from the rules: `RINGBACK_WRITE_DOCS=1 cargo test -p ringback-server --test it lint_page` writes it anew.

";

/// The page says what the rules say. Set RINGBACK_WRITE_DOCS to write it anew.
#[test]
fn the_page_of_rules_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/lint.md");
    let wanted = page();
    if std::env::var_os("RINGBACK_WRITE_DOCS").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    let page = fs::read_to_string(&path).unwrap_or_default();
    let differ = page.lines().zip(wanted.lines()).find(|(page, wanted)| page != wanted);
    assert_eq!(differ, None, "docs/lint.md: run this test with RINGBACK_WRITE_DOCS=1");
    assert_eq!(page.len(), wanted.len(), "docs/lint.md: run this test with RINGBACK_WRITE_DOCS=1");
}

fn page() -> String {
    let rules = || RULES.iter().flat_map(|family| family.rules);
    let count = |severity| rules().filter(|rule| rule.severity == severity).count();
    let mut page = format!(
        "{HEAD}There are {} rules: {} errors, {} warnings and {} notes.\n",
        rules().count(),
        count(Severity::Error),
        count(Severity::Warning),
        count(Severity::Note)
    );
    for family in RULES {
        let _ = write!(
            page,
            "\n## {}\n\n| rule | severity | section | what and why | bad | good |\n|---|---|---|---|---|---|\n",
            family.name
        );
        for rule in family.rules {
            page.push_str(&row(rule));
        }
    }
    page
}

fn row(rule: &Rule) -> String {
    let Rule { id, severity, section, what, why, .. } = rule;
    let (bad, good) = (code(&rule.bad.shown()), code(&rule.good.shown()));
    format!("| `{id}` | {severity} | {section} | {what} {why} | {bad} | {good} |\n")
}

/// A bar would end the cell.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

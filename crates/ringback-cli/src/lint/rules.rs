//! What is looked at.

use ringback_lint::{Config, RULES, Severity};
use serde::Serialize;

use crate::decode::internal;
use crate::failure::Failure;
use crate::output::{bold, dim, padded, print, wrapped};

/// A rule as an object: these names stay.
#[derive(Serialize)]
struct Row {
    rule: &'static str,
    severity: &'static str,
    section: &'static str,
    family: &'static str,
    what: &'static str,
    why: &'static str,
}

/// Prints the rules that are on and severe enough, with the severities that they have now.
pub(super) fn list(config: &Config, least: Severity, json: bool) -> Result<(), Failure> {
    let rows = rows(config, least);
    if json {
        return print(&format!("{}\n", serde_json::to_string_pretty(&rows).map_err(internal)?));
    }
    let mut out = String::new();
    let mut family = "";
    for row in &rows {
        if row.family != family {
            let blank = if family.is_empty() { "" } else { "\n" };
            family = row.family;
            out.push_str(&format!("{blank}{}\n", bold(family)));
        }
        let severity = padded(row.severity, SEVERITY_COLUMNS);
        out.push_str(&format!("  {severity}  {}  {}\n", row.rule, dim(row.section)));
        out.push_str(&format!("{INDENT}{}\n", wrapped(row.what, INDENT.len())));
    }
    let blank = if rows.is_empty() { "" } else { "\n" };
    print(&format!("{out}{blank}{} rules\n", rows.len()))
}

const SEVERITY_COLUMNS: usize = "warning".len();
const INDENT: &str = "           ";

fn rows(config: &Config, least: Severity) -> Vec<Row> {
    let mut rows = Vec::new();
    for family in RULES {
        for rule in family.rules {
            let Some(severity) = config.severity_of(rule).filter(|severity| *severity >= least) else { continue };
            rows.push(Row {
                rule: rule.id,
                severity: severity.as_str(),
                section: rule.section,
                family: family.name,
                what: rule.what,
                why: rule.why,
            });
        }
    }
    rows
}

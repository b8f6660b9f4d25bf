//! What is told of a message: what a rule found, or why it can't be read.

use std::fmt;
use std::ops::Range;

use annotate_snippets::Level;
use ringback_lint::{Finding, Severity};
use ringback_message::Depth;
use ringback_message::verdict::Fault;
use serde::Serialize;

use crate::decode::draw::{self, Remark};
use crate::decode::input::Origin;

pub(super) enum Told {
    Finding(Finding),
    Fault { fault: Fault, title: String },
}

/// A finding as an object: these names stay.
#[derive(Serialize)]
pub(super) struct Json<'a> {
    message: u64,
    origin: &'a Origin,
    rule: &'a str,
    severity: &'a str,
    section: &'a str,
    byte: usize,
    length: usize,
    what: &'a str,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
}

impl Told {
    pub(super) fn of_fault(fault: Fault) -> Told {
        let title = draw::of_fault(&fault).title;
        Told::Fault { fault, title }
    }

    /// The id of the rule; what can't be read breaks none.
    pub(super) fn rule(&self) -> &str {
        match self {
            Told::Finding(finding) => finding.rule.id,
            Told::Fault { fault, .. } if fault.depth == Depth::Framing => "framing",
            Told::Fault { .. } => "syntax",
        }
    }

    pub(super) fn severity(&self) -> Severity {
        match self {
            Told::Finding(finding) => finding.severity,
            Told::Fault { .. } => Severity::Error,
        }
    }

    pub(super) fn span(&self) -> Range<usize> {
        match self {
            Told::Finding(finding) => finding.span.clone(),
            Told::Fault { fault, .. } => draw::of_fault(fault).span,
        }
    }

    pub(super) fn remark(&self) -> Remark<'_> {
        Remark {
            level: level(self.severity()),
            id: Some(self.rule()),
            title: self.what().to_owned(),
            span: self.span(),
            label: self.text(),
            section: self.section(),
            help: self.why(),
        }
    }

    pub(super) fn json<'a>(&'a self, message: u64, origin: &'a Origin) -> Json<'a> {
        let span = self.span();
        Json {
            message,
            origin,
            rule: self.rule(),
            severity: self.severity().as_str(),
            section: self.section(),
            byte: span.start,
            length: span.len(),
            what: self.what(),
            text: self.text(),
            why: self.why(),
        }
    }

    fn what(&self) -> &str {
        match self {
            Told::Finding(finding) => finding.rule.what.trim_end_matches('.'),
            Told::Fault { title, .. } => title,
        }
    }

    fn why(&self) -> Option<&'static str> {
        match self {
            Told::Finding(finding) => Some(finding.rule.why.trim_end_matches('.')),
            Told::Fault { .. } => None,
        }
    }

    fn text(&self) -> String {
        match self {
            Told::Finding(finding) => finding.text.clone(),
            Told::Fault { fault, .. } => format!("expected {}", fault.error.expected),
        }
    }

    fn section(&self) -> &str {
        match self {
            Told::Finding(finding) => &finding.section,
            Told::Fault { fault, .. } => &fault.error.section,
        }
    }
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    }
}

/// How many there were of each severity.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    errors: u64,
    warnings: u64,
    notes: u64,
}

impl Counts {
    pub(super) fn add(&mut self, severity: Severity) {
        let count = match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
            Severity::Note => &mut self.notes,
        };
        *count = count.saturating_add(1);
    }

    pub(super) fn is_empty(&self) -> bool {
        (self.errors, self.warnings, self.notes) == (0, 0, 0)
    }

    /// Whether there was an error; where that is strict, or a warning.
    pub(super) fn is_bad(&self, strict: bool) -> bool {
        self.errors > 0 || strict && self.warnings > 0
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [errors, warnings, notes] = [(self.errors, "error"), (self.warnings, "warning"), (self.notes, "note")]
            .map(|(n, noun)| counted(n, noun));
        write!(f, "{errors}, {warnings}, {notes}")
    }
}

/// `1 note`, `2 notes`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

//! What is told of a message: what a rule found, or why it can't be read.

use std::fmt;
use std::ops::Range;

use annotate_snippets::Level;
use ringback_lint::{Finding, Report, Severity};
use ringback_message::Depth;
use ringback_message::verdict::Fault;
use serde::Serialize;

use crate::decode::draw::{self, Remark};
use crate::decode::input::Origin;

pub(super) enum Told {
    Finding(Finding),
    Fault {
        fault: Fault,
        title: String,
    },
    /// The capture has but a part of the message: nothing of it is judged.
    Cut,
    /// What a message has beyond what is told of it.
    LeftOut {
        counts: Counts,
        worst: Severity,
    },
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
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<Counts>,
}

impl Told {
    pub(super) fn of_fault(fault: Fault) -> Told {
        let title = draw::of_fault(&fault).title;
        Told::Fault { fault, title }
    }

    /// What a report has no room for, as far as it is severe enough.
    pub(super) fn left_out(report: &Report, least: Severity) -> Option<Told> {
        let mut left_out = Counts::default();
        let severities = [Severity::Error, Severity::Warning, Severity::Note].into_iter();
        let mut worst = None;
        for severity in severities.filter(|severity| *severity >= least) {
            let count = report.left_out(severity);
            left_out.add(severity, u64::try_from(count).unwrap_or(u64::MAX));
            worst = worst.or((count > 0).then_some(severity));
        }
        Some(Told::LeftOut { counts: left_out, worst: worst? })
    }

    /// Adds it to what was told before.
    pub(super) fn count(&self, counts: &mut Counts) {
        match self {
            Told::LeftOut { counts: left_out, .. } => counts.add_all(left_out),
            told => counts.add(told.severity(), 1),
        }
    }

    /// The id of the rule; what can't be read breaks none.
    pub(super) fn rule(&self) -> &str {
        match self {
            Told::Finding(finding) => finding.rule.id,
            Told::Fault { fault, .. } if fault.depth == Depth::Framing => "framing",
            Told::Fault { .. } => "syntax",
            Told::Cut => "cut",
            Told::LeftOut { .. } => "left-out",
        }
    }

    pub(super) fn severity(&self) -> Severity {
        match self {
            Told::Finding(finding) => finding.severity,
            Told::Fault { .. } => Severity::Error,
            Told::Cut => Severity::Warning,
            Told::LeftOut { worst, .. } => *worst,
        }
    }

    pub(super) fn span(&self) -> Range<usize> {
        match self {
            Told::Finding(finding) => finding.span.clone(),
            Told::Fault { fault, .. } => draw::of_fault(fault).span,
            Told::Cut | Told::LeftOut { .. } => 0..0,
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
            left_out: match self {
                Told::LeftOut { counts, .. } => Some(*counts),
                _ => None,
            },
        }
    }

    fn what(&self) -> &str {
        match self {
            Told::Finding(finding) => finding.rule.what.trim_end_matches('.'),
            Told::Fault { title, .. } => title,
            Told::Cut => "A part of the message is missing",
            Told::LeftOut { .. } => "There is more to find in this message than is told",
        }
    }

    fn why(&self) -> Option<&'static str> {
        match self {
            Told::Finding(finding) => Some(finding.rule.why.trim_end_matches('.')),
            Told::Fault { .. } => None,
            Told::Cut => Some("Capture whole frames, and from before the begin of a connection"),
            Told::LeftOut { .. } => Some("What is told are the most severe; --off leaves out what is known"),
        }
    }

    fn text(&self) -> String {
        match self {
            Told::Finding(finding) => finding.text.clone(),
            Told::Fault { fault, .. } => format!("expected {}", fault.error.expected),
            Told::Cut => "the message is not judged".to_owned(),
            Told::LeftOut { counts, .. } => format!("left out are {counts}"),
        }
    }

    fn section(&self) -> &str {
        match self {
            Told::Finding(finding) => &finding.section,
            Told::Fault { fault, .. } => &fault.error.section,
            Told::Cut | Told::LeftOut { .. } => "",
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
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Counts {
    errors: u64,
    warnings: u64,
    notes: u64,
}

impl Counts {
    fn add(&mut self, severity: Severity, more: u64) {
        let count = match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
            Severity::Note => &mut self.notes,
        };
        *count = count.saturating_add(more);
    }

    fn add_all(&mut self, more: &Counts) {
        self.add(Severity::Error, more.errors);
        self.add(Severity::Warning, more.warnings);
        self.add(Severity::Note, more.notes);
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

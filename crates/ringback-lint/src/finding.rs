//! What a rule found, and where.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use ringback_message::{Header, Message, ParseError};

use crate::rule::{Rule, Severity};

/// The most findings about one message; of what is found beyond the least severe is left out, and counted.
pub const FINDINGS_MAX: usize = 256;

/// What the rules found in a message.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// In the order of the message: at most [`FINDINGS_MAX`], the most severe of all.
    pub findings: Vec<Finding>,
    left_out: BySeverity<usize>,
}

impl Report {
    /// How many findings of a severity there were beyond [`FINDINGS_MAX`].
    #[must_use]
    pub fn left_out(&self, severity: Severity) -> usize {
        *self.left_out.of(severity)
    }
}

/// One thing that is wrong with a message.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// How bad it is, by the rule or by the [`Config`](crate::Config).
    pub severity: Severity,
    /// The bytes of the message that it is about, for a caret. Where something is missing, those of the first line.
    pub span: Range<usize>,
    /// What is wrong here, in one sentence without a full stop.
    pub text: String,
    /// The section that asks for it: that of the rule, or a more precise one.
    pub section: Cow<'static, str>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} [{}] ({})", self.severity, self.text, self.section, self.rule.id)
    }
}

/// Where the rules put what they find. A place is given as the part of the message itself.
#[derive(Debug)]
pub struct Findings<'a> {
    message: &'a Message,
    open: Option<(&'static Rule, Severity)>,
    kept: BySeverity<Vec<Finding>>,
    left_out: BySeverity<usize>,
}

#[derive(Clone, Debug, Default)]
struct BySeverity<T> {
    error: T,
    warning: T,
    note: T,
}

impl<T> BySeverity<T> {
    fn of(&self, severity: Severity) -> &T {
        match severity {
            Severity::Error => &self.error,
            Severity::Warning => &self.warning,
            Severity::Note => &self.note,
        }
    }

    fn of_mut(&mut self, severity: Severity) -> &mut T {
        match severity {
            Severity::Error => &mut self.error,
            Severity::Warning => &mut self.warning,
            Severity::Note => &mut self.note,
        }
    }
}

impl<'a> Findings<'a> {
    pub(crate) fn new(message: &'a Message) -> Findings<'a> {
        Findings { message, open: None, kept: BySeverity::default(), left_out: BySeverity::default() }
    }

    /// What follows is found by this rule.
    pub(crate) fn open(&mut self, rule: &'static Rule, severity: Severity) {
        self.open = Some((rule, severity));
    }

    pub(crate) fn finish(mut self) -> Report {
        let mut findings = Vec::new();
        for severity in [Severity::Error, Severity::Warning, Severity::Note] {
            let kept = self.kept.of_mut(severity);
            let room = FINDINGS_MAX.saturating_sub(findings.len());
            let beyond = kept.len().saturating_sub(room);
            kept.truncate(room);
            findings.append(kept);
            let left_out = self.left_out.of_mut(severity);
            *left_out = left_out.saturating_add(beyond);
        }
        // Stable: the rules' own order, where they found something of one severity at one place.
        findings.sort_by_key(|finding| finding.span.start);
        Report { findings, left_out: self.left_out }
    }

    /// At a part of the message; at the first line, where the part is none of it.
    pub(crate) fn at(&mut self, part: &[u8], text: impl Into<String>) {
        self.at_by(part, text, None);
    }

    /// The same by a section that is more precise than the rule's.
    pub(crate) fn at_by(&mut self, part: &[u8], text: impl Into<String>, section: Option<&'static str>) {
        let span = self.place(part).unwrap_or_else(|| self.first_line());
        self.push(span, text.into(), section.map(Cow::Borrowed));
    }

    /// At a whole header field.
    pub(crate) fn header(&mut self, header: &Header<'_>, text: impl Into<String>) {
        self.header_by(header, text, None);
    }

    /// The same by a section that is more precise than the rule's.
    pub(crate) fn header_by(&mut self, header: &Header<'_>, text: impl Into<String>, section: Option<&'static str>) {
        let value = header.offset() as usize..(header.offset() as usize).saturating_add(header.value().len());
        let span = match self.place(header.name()) {
            Some(name) => name.start..value.end.max(name.end),
            None => value,
        };
        self.push(span, text.into(), section.map(Cow::Borrowed));
    }

    /// At the first line: something is missing, or it is about the whole.
    pub(crate) fn whole(&mut self, text: impl Into<String>) {
        self.whole_by(text, None);
    }

    /// The same by a section that is more precise than the rule's.
    pub(crate) fn whole_by(&mut self, text: impl Into<String>, section: Option<&'static str>) {
        let span = self.first_line();
        self.push(span, text.into(), section.map(Cow::Borrowed));
    }

    /// The same by a section that is put together.
    pub(crate) fn whole_in(&mut self, text: impl Into<String>, section: String) {
        let span = self.first_line();
        self.push(span, text.into(), Some(Cow::Owned(section)));
    }

    /// At the byte where reading stopped.
    pub(crate) fn error(&mut self, error: &ParseError) {
        let start = error.offset as usize;
        let section = Some(error.section).filter(|section| !section.is_empty());
        self.push(
            start..start.saturating_add(1),
            alloc::format!("expected {}", error.expected),
            section.map(Cow::Borrowed),
        );
    }

    fn push(&mut self, span: Range<usize>, text: String, section: Option<Cow<'static, str>>) {
        let Some((rule, severity)) = self.open else { return };
        let kept = self.kept.of_mut(severity);
        if kept.len() >= FINDINGS_MAX {
            let left_out = self.left_out.of_mut(severity);
            *left_out = left_out.saturating_add(1);
            return;
        }
        let len = self.message.as_bytes().len();
        let start = span.start.min(len.saturating_sub(1));
        let span = start..span.end.clamp(start.saturating_add(1), len.max(start.saturating_add(1))).min(len);
        kept.push(Finding { rule, severity, span, text, section: section.unwrap_or(Cow::Borrowed(rule.section)) });
    }

    /// Where in the message a part of it stands.
    fn place(&self, part: &[u8]) -> Option<Range<usize>> {
        let bytes = self.message.as_bytes();
        let start = part.as_ptr().addr().checked_sub(bytes.as_ptr().addr())?;
        let end = start.checked_add(part.len())?;
        (end <= bytes.len()).then_some(start..end)
    }

    fn first_line(&self) -> Range<usize> {
        let bytes = self.message.as_bytes();
        let end = bytes.iter().position(|b| matches!(b, b'\r' | b'\n'));
        0..end.unwrap_or(bytes.len())
    }
}

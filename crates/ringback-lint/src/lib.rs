//! A lint for SIP messages: what is wrong, what is unwise, and which section says so.
//!
//! ```text
//!   Message ────────────┐
//!                       ├─▶ Subject ──▶ each Rule of RULES ──▶ Finding { rule, severity, span, text }
//!   request, response ──┘                   ▲
//!                                  Config: rules off, severities changed
//! ```
//!
//! A [`Rule`] is data: id, severity, source, what it says, why, a bad and a good message, and the function that looks. Its
//! examples are its tests and its page in the documentation. A response is judged by itself with [`lint`], and against the
//! request that it answers with [`lint_pair`].
//!
//! ```
//! use ringback_lint::{Severity, lint};
//! use ringback_message::Request;
//!
//! let invite = Request::parse(
//!     b"OPTIONS sip:bob@b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=776asd;rport\r\nFrom: <sip:a@a.example>;tag=8s3ja8\r\n\
//!       To: <sip:bob@b.example>\r\nCall-ID: 7@a.example\r\nCSeq: 1 OPTIONS\r\nAccept: application/sdp\r\nContent-Length: 0\r\n\r\n",
//! )?;
//! let findings = lint(&invite);
//! let errors: Vec<&str> = findings.iter().filter(|f| f.severity == Severity::Error).map(|f| f.rule.id).collect();
//! assert_eq!(errors, ["max-forwards-missing", "via-branch-no-cookie"]);
//! assert_eq!(&invite.as_bytes()[findings[1].span.clone()], b"776asd");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod config;
mod example;
mod finding;
#[macro_use]
mod rule;
mod rules;
mod subject;
pub mod tables;

use alloc::vec::Vec;

use ringback_message::Message;

pub use config::{Config, UnknownRule};
pub use example::Example;
pub use finding::{FINDINGS_MAX, Finding, Findings, Report};
pub use rule::{Family, Rule, Severity};
pub use rules::RULES;
pub use subject::Subject;

/// What the rules find in a message, in the order of the message: at most [`FINDINGS_MAX`].
#[must_use]
pub fn lint(message: &Message) -> Vec<Finding> {
    lint_with(&Subject::new(message), &Config::default())
}

/// What the rules find in a response, judged by itself and against the request that it answers.
#[must_use]
pub fn lint_pair(request: &Message, response: &Message) -> Vec<Finding> {
    lint_with(&Subject::answering(request, response), &Config::default())
}

/// The same with some rules off, or with other severities.
#[must_use]
pub fn lint_with(subject: &Subject<'_>, config: &Config) -> Vec<Finding> {
    report(subject, config).findings
}

/// The same with how much was left out.
#[must_use]
pub fn report(subject: &Subject<'_>, config: &Config) -> Report {
    let mut findings = Findings::new(subject.message());
    for (rule, severity) in config.rules() {
        findings.open(rule, severity);
        (rule.check)(subject, &mut findings);
    }
    findings.finish()
}

impl Rule {
    /// Every rule, family by family.
    pub fn all() -> impl Iterator<Item = &'static Rule> {
        RULES.iter().flat_map(|family| family.rules)
    }

    /// The rule of that id.
    #[must_use]
    pub fn find(id: &str) -> Option<&'static Rule> {
        Rule::all().find(|rule| rule.id == id)
    }

    /// What this rule alone finds, as severe as it is by itself.
    ///
    /// Whoever has an act for each rule, such as to answer or to drop a message, asks the rules one by one:
    ///
    /// ```
    /// use ringback_lint::{Rule, Subject};
    /// use ringback_message::Request;
    ///
    /// enum Act { Respond, Drop }
    ///
    /// let acts = [("via-branch-no-cookie", Act::Respond), ("mandatory-header-missing", Act::Drop)];
    /// let request = Request::parse(
    ///     b"OPTIONS sip:b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=7\r\nMax-Forwards: 70\r\n\
    ///       From: <sip:a@a.example>;tag=8s3ja8\r\nTo: <sip:b.example>\r\nCall-ID: 7\r\nCSeq: 1 OPTIONS\r\n\r\n",
    /// )?;
    /// let subject = Subject::new(&request);
    /// let broken = |id: &&(&str, Act)| Rule::find(id.0).is_some_and(|rule| !rule.report(&subject).findings.is_empty());
    /// assert!(matches!(acts.iter().find(broken), Some((_, Act::Respond))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn report(&'static self, subject: &Subject<'_>) -> Report {
        let mut findings = Findings::new(subject.message());
        findings.open(self, self.severity);
        (self.check)(subject, &mut findings);
        findings.finish()
    }
}

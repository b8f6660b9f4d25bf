//! `ringback lint`: what is wrong or unwise in the messages of a file, and which section says so.
//!
//! ```text
//!   Input ─▶ Found ─▶ judge: framing ─▶ Requests: which one does it answer? ─▶ rules ─▶ Told ─▶ drawing or JSON
//! ```

mod requests;
mod rules;
mod told;

use std::path::Path;

use ringback_lint::{Config, Severity, Subject, lint_with};
use ringback_message::verdict::{Fault, judge};
use ringback_message::{Depth, Message, ParseErrorKind};
use ringback_server::ExitStatus;

use crate::args::LintArgs;
use crate::decode::input::{Found, Input};
use crate::decode::{draw, internal, is_no_sip, read_bytes, show, unreadable};
use crate::failure::Failure;
use crate::output::print;
use requests::Requests;
use told::{Counts, Told};

/// Prints what is found in each message as it is read: a capture may be large.
///
/// # Errors
/// Where the file can't be read, or no message that can be judged is in it.
pub(crate) fn run(args: &LintArgs) -> Result<ExitStatus, Failure> {
    let config = args.config().map_err(|error| Failure::new(ExitStatus::Usage, error))?;
    match &args.file {
        Some(file) if !args.rules => judge_file(file, args, config),
        _ => rules::list(&config, args.least(), args.json).map(|()| ExitStatus::Ok),
    }
}

fn judge_file(file: &Path, args: &LintArgs, config: Config) -> Result<ExitStatus, Failure> {
    let mut input = Input::open(file)?;
    let mut linter = Linter {
        config,
        least: args.least(),
        json: args.json,
        requests: Requests::default(),
        number: 0,
        cut: 0,
        counts: Counts::default(),
    };
    let failure = loop {
        match input.next() {
            Ok(Some(found)) => linter.take(&found, &mut input)?,
            Ok(None) => break None,
            Err(failure) => break Some(failure),
        }
    };
    // What was found up to a failure is whole, as JSON too.
    linter.end(&input)?;
    if let Some(failure) = failure {
        return Err(failure);
    }
    match (linter.number, linter.judged()) {
        (0, _) => Err(unreadable(format!("{}: no SIP message is in it", input.name()))),
        (_, 0) => Err(unreadable(format!("{}: of each message in it a part is missing", input.name()))),
        _ if linter.counts.is_bad(args.strict) => Ok(ExitStatus::Refused),
        _ => Ok(ExitStatus::Ok),
    }
}

/// The messages up to now, and standard output as far as it is written.
struct Linter {
    config: Config,
    least: Severity,
    json: bool,
    requests: Requests,
    /// Of the last message, from 1.
    number: u64,
    /// How many messages lack bytes.
    cut: u64,
    counts: Counts,
}

impl Linter {
    fn take(&mut self, found: &Found, input: &mut Input) -> Result<(), Failure> {
        let (message, faults) = judge(found.bytes.clone(), Depth::Framing);
        if is_no_sip(message.as_ref(), &faults) {
            input.note(format!("{} bytes are no SIP message", found.bytes.len()));
            return Ok(());
        }
        self.number = self.number.saturating_add(1);
        if found.is_cut {
            self.cut = self.cut.saturating_add(1);
            return Ok(());
        }
        let mut told = match &message {
            Some(message) if faults.iter().all(|fault| fault.error.kind == ParseErrorKind::Length) => {
                self.of_rules(message, &faults)
            }
            // What seems to be missing may stand in the lines that can't be read.
            _ => judge(found.bytes.clone(), Depth::Syntax).1.into_iter().map(Told::of_fault).collect(),
        };
        told.retain(|told| told.severity() >= self.least);
        self.tell(found, message.as_ref(), &told, input.name())
    }

    /// What the rules say of a message all of whose lines can be read, after what is wrong with the length of its body.
    fn of_rules(&mut self, message: &Message, faults: &[Fault]) -> Vec<Told> {
        let request = self.requests.answered_by(message);
        let subject = match &request {
            Some(request) => Subject::answering(request, message),
            None => Subject::new(message),
        };
        let findings = lint_with(&subject, &self.config);
        self.requests.remember(message);
        let is_known = |start| faults.iter().any(|fault| is_same_line(message.as_bytes(), fault, start));
        // A length that is no number breaks the grammar of its header field, too.
        let is_told = |told: &Told| told.rule() == "header-value-malformed" && is_known(told.span().start);
        let findings = findings.into_iter().map(Told::Finding).filter(|told| !is_told(told));
        faults.iter().cloned().map(Told::of_fault).chain(findings).collect()
    }

    fn tell(&mut self, found: &Found, message: Option<&Message>, told: &[Told], name: &str) -> Result<(), Failure> {
        if self.json {
            for told in told {
                let start = if self.counts.is_empty() { "[\n" } else { ",\n" };
                self.counts.add(told.severity());
                let json = serde_json::to_string(&told.json(self.number, &found.origin)).map_err(internal)?;
                print(&format!("{start}{json}"))?;
            }
            return Ok(());
        }
        if told.is_empty() {
            return Ok(());
        }
        told.iter().for_each(|told| self.counts.add(told.severity()));
        let bytes = read_bytes(found, message);
        let remarks: Vec<_> = told.iter().map(Told::remark).collect();
        let drawn = draw::remarks(bytes, &remarks, &format!("{name}, message {}", self.number));
        print(&format!("{}{drawn}\n", show::title(found, message, self.number)))
    }

    /// What stands behind the last finding.
    fn end(&self, input: &Input) -> Result<(), Failure> {
        input.notes().iter().for_each(|note| eprintln!("ringback: {}: {note}", input.name()));
        if self.number == 0 {
            return Ok(());
        }
        if self.json {
            return print(if self.counts.is_empty() { "[]\n" } else { "\n]\n" });
        }
        let cut = match self.cut {
            0 => String::new(),
            cut => format!(" ({cut} not judged: a part is missing)"),
        };
        print(&format!("{}{cut}: {}\n", told::counted(self.number, "message"), self.counts))
    }

    fn judged(&self) -> u64 {
        self.number.saturating_sub(self.cut)
    }
}

/// Whether a byte stands in the line of the fault.
fn is_same_line(bytes: &[u8], fault: &Fault, at: usize) -> bool {
    let offset = usize::try_from(fault.error.offset).unwrap_or(usize::MAX);
    let between = bytes.get(offset.min(at)..offset.max(at));
    between.is_some_and(|between| !between.contains(&b'\n'))
}

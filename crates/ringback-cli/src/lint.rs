//! `ringback lint`: what is wrong or unwise in the messages of a file, and which section says so.
//!
//! ```text
//!   Input ─▶ Found ─▶ judge: framing ─▶ Requests: which one does it answer? ─▶ rules ─▶ Told ─▶ Held ─▶ drawing or JSON
//!                                       └▶ not yet seen: Held until it comes ─▲
//! ```

mod requests;
mod rules;
mod told;

use std::collections::VecDeque;
use std::path::Path;

use ringback_lint::{Config, Severity, Subject, report};
use ringback_message::verdict::{Fault, judge};
use ringback_message::{Depth, Message, ParseErrorKind};
use ringback_server::ExitStatus;

use crate::args::LintArgs;
use crate::decode::input::{Found, Input};
use crate::decode::{draw, internal, is_no_sip, read_bytes, show, unreadable};
use crate::failure::Failure;
use crate::output::print;
use crate::progress::Printing;
use requests::{Key, Requests};
use told::{Counts, Told};

/// The most messages that are held back because a response among them waits for its request, which a capture may have behind it.
const HELD_MESSAGES_MAX: usize = 64;
/// And the most bytes of them.
const HELD_BYTES_MAX: usize = 4 << 20;

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
    let mut input = Input::open(file, if args.json { Printing::Everything } else { Printing::Findings })?;
    let mut linter = Linter {
        // What would not be told need not be looked for.
        config: config.at_least(args.least()),
        least: args.least(),
        json: args.json,
        name: input.name().to_owned(),
        requests: Requests::default(),
        held: VecDeque::new(),
        held_bytes: 0,
        number: 0,
        cut: 0,
        counts: Counts::default(),
        is_begun: false,
    };
    let failure = loop {
        match input.next() {
            Ok(Some(found)) => linter.take(found, &mut input)?,
            Ok(None) => break None,
            Err(failure) => break Some(failure),
        }
    };
    // What was found up to a failure is whole, as JSON too.
    linter.end(&input)?;
    if let Some(failure) = failure {
        return Err(failure);
    }
    match (linter.number, linter.judged_count()) {
        (0, _) => Err(unreadable(format!("{}: no SIP message is in it", input.name()))),
        (_, 0) => Err(unreadable(format!("{}: of each message in it a part is missing", input.name()))),
        _ if linter.counts.is_bad(args.strict) || linter.cut > 0 => Ok(ExitStatus::Refused),
        _ => Ok(ExitStatus::Ok),
    }
}

/// The messages up to now, and standard output as far as it is written.
struct Linter {
    config: Config,
    least: Severity,
    json: bool,
    /// Of the file.
    name: String,
    requests: Requests,
    /// What is not yet told, in the order of the file; the first of them waits.
    held: VecDeque<Held>,
    held_bytes: usize,
    /// Of the last message, from 1.
    number: u64,
    /// How many messages lack bytes.
    cut: u64,
    counts: Counts,
    /// The array of JSON is.
    is_begun: bool,
}

/// A message that will be told in its turn.
struct Held {
    number: u64,
    found: Found,
    message: Option<Message>,
    state: State,
}

enum State {
    Judged(Vec<Told>),
    /// A response whose request hasn't been seen, and what is wrong with the length of its body.
    Waiting(Key, Vec<Fault>),
}

impl Linter {
    fn take(&mut self, found: Found, input: &mut Input) -> Result<(), Failure> {
        let (message, faults) = judge(found.bytes.clone(), Depth::Framing);
        if is_no_sip(&found.bytes, message.as_ref(), &faults) {
            input.note(format!("{} bytes are no SIP message", found.bytes.len()));
            return Ok(());
        }
        self.number = self.number.saturating_add(1);
        let state = match &message {
            _ if found.is_cut => {
                self.cut = self.cut.saturating_add(1);
                State::Judged(vec![Told::Cut])
            }
            Some(message) if faults.iter().all(|fault| fault.error.kind == ParseErrorKind::Length) => {
                self.judged(message, faults)
            }
            // What seems to be missing may stand in the lines that can't be read.
            _ => State::Judged(judge(found.bytes.clone(), Depth::Syntax).1.into_iter().map(Told::of_fault).collect()),
        };
        self.held_bytes = self.held_bytes.saturating_add(found.bytes.len());
        self.held.push_back(Held { number: self.number, found, message, state });
        self.tell_held(HELD_MESSAGES_MAX, HELD_BYTES_MAX)
    }

    /// A message all of whose lines can be read. A request may be what a response that was held back waits for.
    fn judged(&mut self, message: &Message, faults: Vec<Fault>) -> State {
        let Some(key) = Key::of(message) else { return State::Judged(self.of_rules(None, message, &faults)) };
        if message.status().is_some() {
            return match self.requests.get(&key) {
                Some(request) => State::Judged(self.of_rules(Some(&request), message, &faults)),
                None => State::Waiting(key, faults),
            };
        }
        let mut held = std::mem::take(&mut self.held);
        for response in &mut held {
            if let (State::Waiting(wanted, faults), Some(answer)) = (&response.state, &response.message)
                && *wanted == key
            {
                response.state = State::Judged(self.of_rules(Some(message), answer, faults));
            }
        }
        self.held = held;
        self.requests.remember(key, message);
        State::Judged(self.of_rules(None, message, &faults))
    }

    /// What the rules say, after what is wrong with the length of the body.
    fn of_rules(&self, request: Option<&Message>, message: &Message, faults: &[Fault]) -> Vec<Told> {
        let subject = match request {
            Some(request) => Subject::answering(request, message),
            None => Subject::new(message),
        };
        let report = report(&subject, &self.config);
        let left_out = Told::left_out(&report, self.least);
        let is_known = |start| faults.iter().any(|fault| is_same_line(message.as_bytes(), fault, start));
        // A length that is no number breaks the grammar of its header field, too.
        let is_told = |told: &Told| told.rule() == "header-value-malformed" && is_known(told.span().start);
        let findings = report.findings.into_iter().map(Told::Finding).filter(|told| !is_told(told));
        faults.iter().cloned().map(Told::of_fault).chain(findings).chain(left_out).collect()
    }

    /// Tells what stands before the first that waits, and more where more than this is held back.
    fn tell_held(&mut self, messages_max: usize, bytes_max: usize) -> Result<(), Failure> {
        while let Some(first) = self.held.front() {
            let is_full = self.held.len() > messages_max || self.held_bytes > bytes_max;
            if matches!(first.state, State::Waiting(..)) && !is_full {
                break;
            }
            let Some(first) = self.held.pop_front() else { break };
            self.held_bytes = self.held_bytes.saturating_sub(first.found.bytes.len());
            let Held { number, found, message, state } = first;
            let mut told = match (state, &message) {
                (State::Judged(told), _) => told,
                (State::Waiting(_, faults), Some(message)) => self.of_rules(None, message, &faults),
                (State::Waiting(..), None) => Vec::new(),
            };
            told.retain(|told| told.severity() >= self.least);
            self.tell(number, &found, message.as_ref(), &told)?;
        }
        Ok(())
    }

    fn tell(&mut self, number: u64, found: &Found, message: Option<&Message>, told: &[Told]) -> Result<(), Failure> {
        told.iter().for_each(|told| told.count(&mut self.counts));
        if self.json {
            for told in told {
                let start = if self.is_begun { ",\n" } else { "[\n" };
                self.is_begun = true;
                let json = serde_json::to_string(&told.json(number, &found.origin)).map_err(internal)?;
                print(&format!("{start}{json}"))?;
            }
            return Ok(());
        }
        if told.is_empty() {
            return Ok(());
        }
        let bytes = read_bytes(found, message);
        let remarks: Vec<_> = told.iter().map(Told::remark).collect();
        let drawn = draw::remarks(bytes, &remarks, &format!("{}, message {number}", self.name));
        print(&format!("{}{drawn}\n", show::title(found, message, number)))
    }

    /// What is still held back, and what stands behind the last finding.
    fn end(&mut self, input: &Input) -> Result<(), Failure> {
        self.tell_held(0, 0)?;
        input.notes().iter().for_each(|note| eprintln!("ringback: {}: {note}", input.name()));
        if self.number == 0 {
            return Ok(());
        }
        if self.json {
            return print(if self.is_begun { "\n]\n" } else { "[]\n" });
        }
        let cut = match self.cut {
            0 => String::new(),
            cut => format!(" ({cut} not judged: a part is missing)"),
        };
        print(&format!("{}{cut}: {}\n", told::counted(self.number, "message"), self.counts))
    }

    fn judged_count(&self) -> u64 {
        self.number.saturating_sub(self.cut)
    }
}

/// Whether a byte stands in the line of the fault.
fn is_same_line(bytes: &[u8], fault: &Fault, at: usize) -> bool {
    let offset = usize::try_from(fault.error.offset).unwrap_or(usize::MAX);
    let between = bytes.get(offset.min(at)..offset.max(at));
    between.is_some_and(|between| !between.contains(&b'\n'))
}

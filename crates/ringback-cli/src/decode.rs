//! `ringback decode`: the messages of a file, header field by header field, and what is wrong with them.

pub(crate) mod draw;
pub(crate) mod input;
pub(crate) mod show;
mod tree;

use ringback_message::verdict::{Fault, judge};
use ringback_message::{Depth, HeaderId, Message, ParseErrorKind};
use ringback_server::ExitStatus;
use serde_json::json;

use crate::args::DecodeArgs;
use crate::failure::Failure;
use crate::output::print;
use crate::progress::Printing;
use input::{Found, Input};

/// Prints all messages as they are found: a capture may be large.
///
/// # Errors
/// Where the file can't be read, or no message is in it.
pub(crate) fn run(args: &DecodeArgs) -> Result<ExitStatus, Failure> {
    let mut input = Input::open(&args.file, Printing::Everything)?;
    let mut out = Out { json: args.json, count: 0, is_fine: true };
    let failure = loop {
        match input.next() {
            Ok(Some(found)) => out.judged(&found, &mut input, args.depth.depth())?,
            Ok(None) => break None,
            Err(failure) => break Some(failure),
        }
    };
    // What was read up to a failure is whole, as JSON too.
    out.end(&input)?;
    if let Some(failure) = failure {
        return Err(failure);
    }
    match (out.count, out.is_fine && input.notes().is_empty()) {
        (0, _) => Err(unreadable(format!("{}: no SIP message is in it", input.name()))),
        (_, true) => Ok(ExitStatus::Ok),
        (_, false) => Ok(ExitStatus::Refused),
    }
}

/// Whether neither the first line nor any other is one of SIP: text that holds no message.
pub(crate) fn is_no_sip(bytes: &[u8], message: Option<&Message>, faults: &[Fault]) -> bool {
    // What is too long, or too odd to be read at all, has no fault of its first line.
    let line = bytes.trim_ascii_start().split(|&byte| byte == b'\n').next().unwrap_or_default();
    let has_version = line.windows(4).any(|window| window.eq_ignore_ascii_case(b"SIP/"));
    let has_first_line = has_version && faults.iter().all(|fault| fault.error.kind != ParseErrorKind::StartLine);
    let is_known = |message: &Message| message.headers().any(|header| header.id() != HeaderId::Other);
    !has_first_line && !message.is_some_and(is_known)
}

/// The bytes that places are counted in: a message may begin behind empty lines.
pub(crate) fn read_bytes<'a>(found: &'a Found, message: Option<&'a Message>) -> &'a [u8] {
    message.map_or(&found.bytes, |message| message.as_bytes())
}

/// The faults of a message that was cut, without those that what is missing may mend.
fn of_what_is_there(bytes: &[u8], mut faults: Vec<Fault>) -> Vec<Fault> {
    let is_head_whole = bytes.windows(2).any(|end| end == b"\n\n") || bytes.windows(4).any(|end| end == b"\r\n\r\n");
    let last_line = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at.saturating_add(1));
    faults.retain(|fault| match fault.error.kind {
        ParseErrorKind::Incomplete | ParseErrorKind::Body => false,
        // Only a length that is no number is wrong whatever comes.
        ParseErrorKind::Length => fault.error.section != BODY_TOO_SHORT,
        ParseErrorKind::Missing => is_head_whole,
        _ => is_head_whole || usize::try_from(fault.error.offset).is_ok_and(|at| at < last_line),
    });
    faults
}

/// The section that a body shorter than its Content-Length breaks.
const BODY_TOO_SHORT: &str = "RFC 3261, Section 18.3";

/// The status of what can't be read is 2, for which the server's commands have but one use.
pub(crate) fn unreadable(text: String) -> Failure {
    Failure::new(ExitStatus::Usage, text)
}

/// Standard output as far as it is written.
struct Out {
    json: bool,
    count: u64,
    is_fine: bool,
}

impl Out {
    fn judged(&mut self, found: &Found, input: &mut Input, depth: Depth) -> Result<(), Failure> {
        let (message, faults) = judge(found.bytes.clone(), depth);
        if is_no_sip(&found.bytes, message.as_ref(), &faults) {
            input.note(format!("{} bytes are no SIP message", found.bytes.len()));
            return Ok(());
        }
        let faults = if found.is_cut { of_what_is_there(read_bytes(found, message.as_ref()), faults) } else { faults };
        self.message(found, message.as_ref(), &faults, input.name())
    }

    fn message(
        &mut self,
        found: &Found,
        message: Option<&Message>,
        faults: &[Fault],
        name: &str,
    ) -> Result<(), Failure> {
        self.count = self.count.saturating_add(1);
        self.is_fine &= faults.is_empty() && !found.is_cut;
        if self.json {
            let start = if self.count == 1 { "{\"messages\":[\n" } else { ",\n" };
            return print(&format!("{start}{}", json(found, message, faults)?));
        }
        let blank = if self.count == 1 { "" } else { "\n" };
        let shown = show::message(found, message, self.count)?;
        let drawn = draw::faults(read_bytes(found, message), faults, &format!("{name}, message {}", self.count));
        print(&format!("{blank}{shown}{drawn}"))
    }

    /// What stands behind the last message.
    fn end(&self, input: &Input) -> Result<(), Failure> {
        if self.json && self.count > 0 {
            let notes = serde_json::to_string(input.notes()).map_err(internal)?;
            return print(&format!("\n],\"notes\":{notes}}}\n"));
        }
        input.notes().iter().for_each(|note| eprintln!("ringback: {}: {note}", input.name()));
        Ok(())
    }
}

/// A message as an object; its `message` is the JSON view of the library, whose names are documented there.
fn json(found: &Found, message: Option<&Message>, faults: &[Fault]) -> Result<String, Failure> {
    let message = message.map(serde_json::to_string).transpose().map_err(internal)?;
    let rest = serde_json::to_string(&json!({ "origin": found.origin, "cut": found.is_cut, "faults": faults }))
        .map_err(internal)?;
    // The message is written as it is serialised, so that its names stay in their order.
    let rest = rest.strip_prefix('{').unwrap_or_default();
    Ok(format!("{{\"message\":{},{rest}", message.as_deref().unwrap_or("null")))
}

pub(crate) fn internal(error: serde_json::Error) -> Failure {
    Failure::new(ExitStatus::Internal, error)
}

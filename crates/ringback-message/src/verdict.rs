//! How well a message is formed, at three depths; who asks chooses how far to look.
//!
//! | depth | asks | costs |
//! |---|---|---|
//! | [`Depth::Framing`] | are there lines, names, a length that fits? | nothing: [`Message::parse`] has done it |
//! | [`Depth::Syntax`] | does each header field follow its grammar? | each typed value is read once |
//! | [`Depth::Semantics`] | is all there that must be, once, and where it may stand? | one more pass |
//!
//! A proxy stops at the first; a registrar reads what it needs; a linter wants all of it. What is well-formed but unwise is not here.
//!
//! ```
//! use bytes::Bytes;
//! use ringback_message::{Depth, Message};
//!
//! let odd = Message::parse(Bytes::from_static(
//!     b"SIP/2.0 420 Bad Extension\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\nFrom: <sip:a@a.example>;tag=1\r\n\
//!       To: <sip:b@b.example>;tag=2\r\nCall-ID: 7@a.example\r\nCSeq: 1 INVITE\r\nRetry-After: soon\r\n\r\n",
//! ))?;
//! let faults: Vec<String> = odd.faults(Depth::Semantics).iter().map(|fault| fault.error.to_string()).collect();
//! assert_eq!(faults, [
//!     "Retry-After, byte 182: expected a number of seconds below 4294967296 [RFC 3261, Section 20.33]",
//!     "Unsupported, byte 190: expected this header field, which a 420 carries [RFC 3261, Section 21.4.15]",
//! ]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use crate::cursor::{Cursor, Strictness};
use crate::error::{ParseError, ParseErrorKind, Rejected, write_defect};
use crate::header::facts::Repeats;
use crate::header::{CSeq, HeaderId, check};
use crate::message::{Message, StartLine};
use crate::method::Method;
use crate::status::When;
use crate::uri::Uri;

/// How far to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Depth {
    /// Lines, names and the length of the body.
    Framing,
    /// The grammar of each header field that has one.
    Syntax,
    /// What must be there, what may be there but once, what belongs together.
    Semantics,
}

/// Something that is wrong with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// At which depth it shows.
    pub depth: Depth,
    /// Where, and what should have been.
    pub error: FaultError,
}

/// The place and kind of a fault: as a [`ParseError`], but its text may name what the message is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FaultError {
    /// What is wrong.
    pub kind: ParseErrorKind,
    /// The header field it is in, or that is missing.
    pub header: Option<HeaderId>,
    /// The byte of the message, counted from 0; where something is missing, the end of the header fields.
    pub offset: u32,
    /// What should have stood there, as a phrase that follows "expected".
    pub expected: String,
    /// The section that asks for it, such as "RFC 3261, Section 7.1".
    pub section: String,
}

impl From<ParseError> for FaultError {
    fn from(error: ParseError) -> FaultError {
        let ParseError { kind, header, offset, expected, section } = error;
        FaultError { kind, header, offset, expected: expected.into(), section: section.into() }
    }
}

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_defect(f, self.header, self.offset, &self.expected, &self.section)
    }
}

impl core::error::Error for FaultError {}

/// Reads a datagram and says all that is wrong with it: the message as far as it could be read, and the faults in the order of their depth.
#[must_use]
pub fn judge(datagram: Bytes, depth: Depth) -> (Option<Message>, Vec<Fault>) {
    let (message, mut faults) = match Message::parse(datagram) {
        Ok(message) => (Some(message), Vec::new()),
        Err(rejected) => {
            let Rejected { error, salvage } = *rejected;
            (salvage, Vec::from([Fault { depth: Depth::Framing, error: error.into() }]))
        }
    };
    // What ended the reading is not told again.
    let first = faults.first().map(|fault| (fault.error.header, fault.error.offset));
    let more = message.iter().flat_map(|message| message.faults(depth));
    faults.extend(more.filter(|fault| Some((fault.error.header, fault.error.offset)) != first));
    (message, faults)
}

impl Message {
    /// What is wrong with a message whose framing is right, as far as asked. At most one fault a line and one for each thing that is missing.
    #[must_use]
    pub fn faults(&self, depth: Depth) -> Vec<Fault> {
        let mut faults = Vec::new();
        if depth >= Depth::Syntax {
            faults.extend(self.syntax().map(|error| Fault { depth: Depth::Syntax, error: error.into() }));
        }
        if depth >= Depth::Semantics {
            let mut semantics = Semantics { message: self, faults: Vec::new() };
            semantics.run();
            faults.extend(semantics.faults.into_iter().map(|error| Fault { depth: Depth::Semantics, error }));
        }
        faults
    }

    fn syntax(&self) -> impl Iterator<Item = ParseError> + '_ {
        self.texts().filter_map(|text| text.fault(Strictness::Grammar))
    }

    /// The Request-URI and each value.
    fn texts(&self) -> impl Iterator<Item = Text<'_>> {
        let uri = match self.start {
            StartLine::Request { uri, .. } => {
                Some(Text::RequestUri(Cursor::new(HeaderId::Other, uri.of(&self.buf), uri.start)))
            }
            _ => None,
        };
        uri.into_iter().chain(self.headers().map(|header| Text::Value(header.cursor())))
    }
}

/// What has a grammar.
enum Text<'a> {
    RequestUri(Cursor<'a>),
    Value(Cursor<'a>),
}

impl Text<'_> {
    fn fault(&self, strictness: Strictness) -> Option<ParseError> {
        match self {
            Text::Value(cursor) => check(cursor.clone().with_strictness(strictness)).err(),
            Text::RequestUri(cursor) => {
                let error = Uri::read(cursor.clone().with_strictness(strictness)).err()?;
                let section = "RFC 3261, Section 19.1";
                Some(ParseError { kind: ParseErrorKind::StartLine, header: None, section, ..error })
            }
        }
    }
}

struct Semantics<'a> {
    message: &'a Message,
    faults: Vec<FaultError>,
}

impl Semantics<'_> {
    fn run(&mut self) {
        self.lines();
        self.unsent();
        for id in [HeaderId::Via, HeaderId::From, HeaderId::To, HeaderId::CallId, HeaderId::CSeq] {
            self.needed(id, "every message carries", "RFC 3261, Section 8.1.1");
        }
        match self.message.start {
            StartLine::Request { .. } => self.request(),
            StartLine::Status { .. } => self.response(),
            // What it is can't be told, and so not what it lacks.
            StartLine::Broken => {}
        }
        if !self.message.body().is_empty() {
            self.needed(HeaderId::ContentType, "a message with a body carries", "RFC 3261, Section 20.15");
        }
    }

    /// Lines that stand where they may not, or more often than they may.
    fn lines(&mut self) {
        let is_request = self.message.is_request();
        let method = self.message.own_method();
        for header in self.message.headers() {
            let Some(facts) = header.id().facts() else { continue };
            let again = facts.repeats == Repeats::Once
                && self.message.first(header.id()).is_some_and(|first| first.index() != header.index());
            let (kind, expected) = match facts.misplaced(is_request, method.as_ref()) {
                _ if again => (ParseErrorKind::Repeated, "this header field only once"),
                Some(expected) => (ParseErrorKind::Misplaced, expected),
                None => continue,
            };
            let (header, offset) = (Some(header.id()), header.offset());
            self.faults.push(FaultError {
                kind,
                header,
                offset,
                expected: expected.into(),
                section: facts.source.as_str().into(),
            });
        }
    }

    /// What no grammar forbids and nobody sends, such as a parameter that stands twice. `[RFC 3261, Section 7.3.1]`
    fn unsent(&mut self) {
        let sound = self.message.texts().filter(|text| text.fault(Strictness::Grammar).is_none());
        let faults = sound.filter_map(|text| text.fault(Strictness::Building));
        self.faults.extend(faults.map(FaultError::from));
    }

    fn needed(&mut self, id: HeaderId, who: &str, section: &str) {
        if self.message.first(id).is_none() {
            self.faults.push(FaultError {
                kind: ParseErrorKind::Missing,
                header: Some(id),
                offset: self.message.body_start,
                expected: format!("this header field, which {who}"),
                section: section.into(),
            });
        }
    }

    fn request(&mut self) {
        self.needed(HeaderId::MaxForwards, "every request carries", "RFC 3261, Section 8.1.1");
        let method = self.message.method_text().unwrap_or_default();
        if let Some(info) = Method::registered(method).as_ref().and_then(Method::info) {
            for carry in info.must.iter().filter(|carry| carry.when.is_none()) {
                self.needed(carry.header, &format!("{} carries", info.method), info.source.as_str());
            }
        }
        let cseq = self.message.first(HeaderId::CSeq);
        let other = cseq.and_then(|header| Some((header, CSeq::parse(header.value(), header.offset()).ok()?)));
        if let Some((header, cseq)) = other.filter(|(_, cseq)| cseq.method != method) {
            let at: Cursor<'_> = header.cursor();
            self.faults.push(FaultError {
                section: "RFC 3261, Section 8.1.1.5".into(),
                ..FaultError::from(at.error_at(cseq.method, "the method of the request line"))
            });
        }
    }

    fn response(&mut self) {
        let Some(status) = self.message.status() else { return };
        let rseq = self.message.first(HeaderId::RSeq).is_some();
        let reliable = self.message.has_token(HeaderId::Require, "100rel");
        if status.is_provisional() && rseq != reliable {
            let id = if rseq { HeaderId::Require } else { HeaderId::RSeq };
            self.needed(id, "a reliable provisional response carries", "RFC 3262, Section 3");
        }
        let Some(info) = status.info() else { return };
        for carry in info.must.iter().filter(|carry| carry.when == When::Always) {
            let section = format!("RFC {}, Section {}", info.rfc, info.section);
            self.needed(carry.header, &format!("a {status} carries"), &section);
        }
    }
}

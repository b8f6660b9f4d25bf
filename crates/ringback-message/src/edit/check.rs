//! What an edit may not do to a message.

use super::{Change, Edit, What};
use crate::build::rules::{CSEQ_END, CSEQ_RULE, request_uri};
use crate::cursor::{Cursor, decimal};
use crate::error::{BuildError, ParseError, ParseErrorKind};
use crate::header::facts::{Methods, Repeats};
use crate::header::{CSeq, HeaderId, check_strict, check_value};
use crate::message::{Header, Message, missing};
use crate::uri::Uri;

impl Edit<'_> {
    /// Before anything is written: the new values, and the places that were named.
    pub(super) fn check_texts(&self) -> Result<(), BuildError> {
        if let Some(uri) = self.uri {
            self.check_request_uri(uri.of(&self.texts))?;
        }
        for &Change { index, what } in &self.changes {
            let old = self.message.header_at(index as usize);
            match (what, old) {
                (What::InsertBefore(id, value), _) => {
                    self.check_new(id, value.of(&self.texts)).map_err(BuildError::Value)?;
                    check_place(id, self.message)?;
                }
                (What::Replace(value), Some(old)) => {
                    self.check_replaced(old, value.of(&self.texts)).map_err(BuildError::Value)?;
                }
                (What::Remove | What::Shorten(_), Some(_)) => {}
                (_, None) => return Err(BuildError::NoSuchLine { index: index as usize }),
            }
        }
        Ok(())
    }

    fn check_new(&self, id: HeaderId, value: &[u8]) -> Result<(), ParseError> {
        if self.relays { check_value(id, value, 0) } else { check_strict(id, value, 0) }
    }

    /// Who gets a malformed message and changes something else of the line isn't to blame.
    fn check_replaced(&self, old: Header<'_>, value: &[u8]) -> Result<(), ParseError> {
        let Err(error) = self.check_new(old.id(), value) else { return Ok(()) };
        if self.check_new(old.id(), old.value()).is_ok() {
            return Err(error);
        }
        // What was merely not ours to write isn't to become unreadable.
        match (check_value(old.id(), value, 0), check_value(old.id(), old.value(), 0)) {
            (Err(error), Ok(())) => Err(error),
            _ => Ok(()),
        }
    }

    /// A Request-URI that can be sent, or read where it is another's; or the one that came.
    fn check_request_uri(&self, uri: &[u8]) -> Result<(), BuildError> {
        if self.relays {
            return match Uri::parse(uri, HeaderId::Other, 0) {
                Err(error) if uri != self.message.request_uri_text() => Err(BuildError::RequestUri(error)),
                _ => Ok(()),
            };
        }
        if uri == self.message.request_uri_text() {
            return Ok(());
        }
        let uri = Uri::parse_strict(uri, HeaderId::Other, 0).map_err(BuildError::RequestUri)?;
        request_uri(&uri)
    }

    /// When all is written: whether what was changed still belongs together.
    pub(super) fn check_lines(&self, edited: &Message) -> Result<(), BuildError> {
        let (mut of_length, mut of_cseq, mut of_type) = (self.body.is_some(), false, self.body.is_some());
        let mut gone = None;
        for &Change { index, what } in &self.changes {
            let id = match what {
                What::InsertBefore(id, _) => id,
                _ => self.message.lines.get(index as usize).map_or(HeaderId::Other, |line| line.id),
            };
            match (what, id) {
                (What::InsertBefore(..), id) => self.check_count(id, edited)?,
                // Lines of one name are taken out one after another.
                (What::Remove, id) if gone != Some(id) => {
                    self.check_presence(id, edited)?;
                    gone = Some(id);
                }
                _ => {}
            }
            of_length |= id == HeaderId::ContentLength;
            of_cseq |= id == HeaderId::CSeq;
            of_type |= id == HeaderId::ContentType;
        }
        if of_length {
            check_length(edited)?;
        }
        if of_cseq {
            self.check_cseq(edited)?;
        }
        let had_type = self.message.body().is_empty() || self.message.first(HeaderId::ContentType).is_some();
        if of_type && had_type && !edited.body().is_empty() && edited.first(HeaderId::ContentType).is_none() {
            return Err(BuildError::BodyWithoutType);
        }
        Ok(())
    }

    /// What may stand but once does, unless it stood as often before.
    fn check_count(&self, id: HeaderId, edited: &Message) -> Result<(), BuildError> {
        if id.facts().is_none_or(|facts| facts.repeats != Repeats::Once) {
            return Ok(());
        }
        let Some(second) = edited.all(id).nth(1) else { return Ok(()) };
        if edited.all(id).count() <= self.message.all(id).count() {
            return Ok(());
        }
        let error = second.cursor().error("this header field only once");
        Err(BuildError::Malformed(ParseError { kind: ParseErrorKind::Repeated, ..error }))
    }

    /// What every message carries, and every request of this method, is still there. `[RFC 3261, Section 8.1.1]`
    fn check_presence(&self, id: HeaderId, edited: &Message) -> Result<(), BuildError> {
        let needed = match id {
            HeaderId::Via | HeaderId::From | HeaderId::To | HeaderId::CallId | HeaderId::CSeq => true,
            HeaderId::MaxForwards => self.message.is_request(),
            _ => false,
        };
        if edited.first(id).is_some() {
            return Ok(());
        }
        if needed {
            return Err(BuildError::Malformed(missing(id, edited.body_start)));
        }
        let Some(method) = self.message.method() else { return Ok(()) };
        match method.info() {
            Some(info) if info.must.iter().any(|carry| carry.when.is_none() && carry.header == id) => {
                Err(BuildError::MissingInRequest { header: id, source: info.source, method })
            }
            _ => Ok(()),
        }
    }

    /// The method of CSeq is that of the request and its number below 2³¹, unless they weren't before. `[RFC 3261, Section 8.1.1.5]`
    fn check_cseq(&self, edited: &Message) -> Result<(), BuildError> {
        let number = |message: &Message| {
            let cseq = message.first(HeaderId::CSeq)?;
            CSeq::parse(cseq.value(), cseq.offset()).ok().map(|read| read.number)
        };
        let is_large = |number: Option<u32>| number.is_some_and(|number| number >= CSEQ_END);
        if is_large(number(edited)) && !is_large(number(self.message)) {
            return Err(BuildError::Rule { what: CSEQ_RULE, section: "RFC 3261, Section 8.1.1.5" });
        }
        let is_other = |message: &Message| {
            let cseq = message.first(HeaderId::CSeq)?;
            let read = CSeq::parse(cseq.value(), cseq.offset()).ok()?;
            let error = cseq.cursor().error_at(read.method, "the method of the request line");
            message.method_text().is_some_and(|method| method != read.method).then_some(error)
        };
        match is_other(edited) {
            Some(error) if is_other(self.message).is_none() => Err(BuildError::Malformed(error)),
            _ => Ok(()),
        }
    }
}

fn check_place(id: HeaderId, message: &Message) -> Result<(), BuildError> {
    let Some(facts) = id.facts() else { return Ok(()) };
    // Most are for any method, and it need not be read.
    let method = if matches!(facts.methods, Methods::Any) { None } else { message.own_method() };
    let Some(expected) = facts.misplaced(message.is_request(), method.as_ref()) else { return Ok(()) };
    let error = Cursor::new(id, &[], 0).error(expected);
    Err(BuildError::Value(ParseError { kind: ParseErrorKind::Misplaced, ..error }))
}

/// Every Content-Length is the length of the body. `[RFC 3261, Section 20.14]`
fn check_length(edited: &Message) -> Result<(), BuildError> {
    let length = edited.body().len();
    let is_right = |value| decimal(value).and_then(|n| usize::try_from(n).ok()) == Some(length);
    match edited.all(HeaderId::ContentLength).find(|header| !is_right(header.value())) {
        None => Ok(()),
        Some(wrong) => {
            let error = wrong.cursor().error("the length of the body");
            Err(BuildError::Malformed(ParseError { kind: ParseErrorKind::Length, ..error }))
        }
    }
}

//! What every message must carry, read once. `[RFC 3261, Section 8.1.1]`

use crate::chars;
use crate::cursor::{Cursor, decimal};
use crate::error::{ParseError, ParseErrorKind};
use crate::header::{CSeq, HeaderId, NameAddr, Via};
use crate::message::{Line, Message, Span, missing};
use crate::params::Params;

/// Where the parts stand that transactions, dialogs and proxies need of every message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Essentials {
    via: Span,
    branch: Option<Span>,
    call_id: Span,
    from_tag: Option<Span>,
    to_tag: Option<Span>,
    pub(crate) cseq: u32,
    cseq_method: Span,
    pub(crate) max_forwards: Option<u8>,
}

/// The lines that must be there, each once but for Via.
#[derive(Default)]
struct Found {
    via: Option<Line>,
    from: Option<Line>,
    to: Option<Line>,
    call_id: Option<Line>,
    cseq: Option<Line>,
    max_forwards: Option<Line>,
}

impl Essentials {
    pub(crate) fn read(message: &Message) -> Result<Essentials, ParseError> {
        let found = Found::collect(message)?;
        let need = |line: Option<Line>, id| line.ok_or_else(|| missing(id, message.body_start));
        let via_line = need(found.via, HeaderId::Via)?;
        let (via, branch) = read_via(message, &via_line)?;
        let from = read_tag(message, &need(found.from, HeaderId::From)?)?;
        let to = read_tag(message, &need(found.to, HeaderId::To)?)?;
        let call_id = read_call_id(message, &need(found.call_id, HeaderId::CallId)?)?;
        let (cseq, cseq_method) = read_cseq(message, &need(found.cseq, HeaderId::CSeq)?)?;
        let max_forwards = found.max_forwards.and_then(|line| u8::try_from(decimal(message.line_value(&line))?).ok());
        Ok(Essentials { via, branch, call_id, from_tag: from, to_tag: to, cseq, cseq_method, max_forwards })
    }

    pub(crate) fn branch<'a>(&self, message: &'a Message) -> Option<&'a [u8]> {
        self.branch.map(|span| span.of(&message.buf))
    }

    pub(crate) fn via<'a>(&self, message: &'a Message) -> Via<&'a [u8]> {
        let mut cursor = Cursor::new(HeaderId::Via, self.via.of(&message.buf), self.via.start);
        Via::parse(&mut cursor).unwrap_or(Via { transport: b"", host: b"", port: None, params: Params::default() })
    }

    pub(crate) fn call_id<'a>(&self, message: &'a Message) -> &'a [u8] {
        self.call_id.of(&message.buf)
    }

    pub(crate) fn tag_of_from<'a>(&self, message: &'a Message) -> Option<&'a [u8]> {
        self.from_tag.map(|span| span.of(&message.buf))
    }

    pub(crate) fn tag_of_to<'a>(&self, message: &'a Message) -> Option<&'a [u8]> {
        self.to_tag.map(|span| span.of(&message.buf))
    }

    pub(crate) fn cseq_method<'a>(&self, message: &'a Message) -> &'a [u8] {
        self.cseq_method.of(&message.buf)
    }
}

impl Found {
    fn collect(message: &Message) -> Result<Found, ParseError> {
        let mut found = Found::default();
        for line in &message.lines {
            let slot = match line.id {
                HeaderId::Via => {
                    found.via.get_or_insert(*line);
                    continue;
                }
                HeaderId::From => &mut found.from,
                HeaderId::To => &mut found.to,
                HeaderId::CallId => &mut found.call_id,
                HeaderId::CSeq => &mut found.cseq,
                HeaderId::MaxForwards => &mut found.max_forwards,
                _ => continue,
            };
            if slot.is_some() {
                return Err(ParseError {
                    kind: ParseErrorKind::Repeated,
                    header: Some(line.id),
                    offset: line.name_start.into(),
                    expected: "this header field only once",
                    section: "RFC 3261, Section 7.3.1",
                });
            }
            *slot = Some(*line);
        }
        Ok(found)
    }
}

/// The top Via and its branch.
fn read_via(message: &Message, line: &Line) -> Result<(Span, Option<Span>), ParseError> {
    let value = message.line_value(line);
    let outer = line.value();
    let mut cursor = Cursor::new(HeaderId::Via, value, line.value().start);
    let (_, branch) = Via::parse_with_branch(&mut cursor)?;
    cursor.lws();
    if !cursor.is_done() && cursor.peek() != Some(b',') {
        return Err(cursor.error("; or , or the end of the value"));
    }
    let span = Span::within(outer, value.len(), cursor.rest().len());
    let branch = branch.and_then(|branch| locate(message, outer, branch));
    Ok((span, branch))
}

fn read_tag(message: &Message, line: &Line) -> Result<Option<Span>, ParseError> {
    let (_, tag) = NameAddr::parse_with_tag(line.id, message.line_value(line), line.value().start)?;
    let outer = line.value();
    Ok(tag.and_then(|tag| locate(message, outer, tag)))
}

fn read_call_id(message: &Message, line: &Line) -> Result<Span, ParseError> {
    let value = message.line_value(line);
    let mut cursor = Cursor::new(HeaderId::CallId, value, line.value().start);
    loop {
        cursor.run(chars::WORD);
        if !cursor.eat(b'@') {
            break;
        }
    }
    if cursor.is_done() && !value.is_empty() {
        Ok(line.value())
    } else {
        Err(Cursor::new(HeaderId::CallId, value, line.value().start).error("a word, or two with @ between"))
    }
}

/// The number, and the method, which must be that of the request. `[RFC 3261, Section 8.1.1.5]`
fn read_cseq(message: &Message, line: &Line) -> Result<(u32, Span), ParseError> {
    let value = message.line_value(line);
    let cseq = CSeq::parse(value, line.value().start)?;
    let outer = line.value();
    let method = locate(message, outer, cseq.method).unwrap_or(outer);
    if message.method_text().is_some_and(|of_request| of_request != cseq.method) {
        return Err(ParseError {
            kind: ParseErrorKind::HeaderValue,
            header: Some(HeaderId::CSeq),
            offset: method.start,
            expected: "the method of the request line",
            section: "RFC 3261, Section 8.1.1.5",
        });
    }
    Ok((cseq.number, method))
}

/// Where in the message a part of a value stands.
fn locate(message: &Message, outer: Span, part: &[u8]) -> Option<Span> {
    let value = outer.of(&message.buf);
    let at = part.as_ptr().addr().checked_sub(value.as_ptr().addr())?;
    let start = outer.start.checked_add(u32::try_from(at).ok()?)?;
    let end = start.checked_add(u32::try_from(part.len()).ok()?)?;
    (end <= outer.end).then_some(Span { start, end })
}

//! What an answer carries beyond what every answer carries, and when.

use core::fmt;

use super::StatusCode;
use crate::header::{HeaderId, NameAddr};
use crate::message::Message;
use crate::method::Method;
use crate::registry::OptionTag;

/// A header that an answer carries, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Carry {
    /// The header.
    pub header: HeaderId,
    /// The condition.
    pub when: When,
}

impl Carry {
    /// Whether the header is called for whatever the request was.
    #[must_use]
    pub const fn is_unconditional(&self) -> bool {
        matches!(self.when, When::Always)
    }
}

/// When a header is called for. Displayed, it is a phrase for people: "sent reliably", "to INVITE or OPTIONS".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum When {
    /// In every answer with the code.
    Always,
    /// The answer is sent reliably: it has RSeq, or requires 100rel. `[RFC 3262, Section 3]`
    Reliable,
    /// The answer opens a dialog, early or not. `[RFC 3261, Section 12.1]`
    FormsDialog,
    /// The request has this header field.
    RequestHas(HeaderId),
    /// The request is of one of these methods.
    Method(&'static [Method]),
    /// The request has this option tag in Require.
    RequestRequires(OptionTag<'static>),
    /// The request has this option tag neither in Require nor in Proxy-Require.
    RequestRequiresNot(OptionTag<'static>),
    /// The answer has this option tag in Require.
    ResponseRequires(OptionTag<'static>),
    /// The answer has none of these header fields, any of which would do as well; and, for people, which one is the right one when.
    Without(&'static [HeaderId], &'static str),
    /// All of these hold.
    All(&'static [When]),
    /// Only people, or the program that answers, can tell.
    Text(&'static str),
}

impl When {
    /// Whether the condition holds for this answer to this request; `None` where the messages can't tell.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use ringback_message::status::StatusCode;
    /// use ringback_message::{HeaderId, Message, Response};
    ///
    /// let options = Message::parse(Bytes::from_static(
    ///     b"OPTIONS sip:b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\nFrom: <sip:a@a.example>;tag=1\r\n\
    ///       To: <sip:b.example>\r\nCall-ID: 7@a.example\r\nCSeq: 1 OPTIONS\r\n\r\n",
    /// ))?;
    /// let ok = Response::to(&options, StatusCode::Ok).to_tag("t").build_unchecked()?;
    /// let info = StatusCode::Ok.info().unwrap();
    /// let called_for = |carry: &&ringback_message::status::Carry| carry.when.holds(&options, &ok) == Some(true);
    /// assert_eq!(info.must.iter().filter(called_for).count(), 0);
    /// assert!(info.should.iter().filter(called_for).any(|carry| carry.header == HeaderId::Accept));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn holds(&self, request: &Message, response: &Message) -> Option<bool> {
        Some(match self {
            When::Always => true,
            When::Reliable => {
                response.first(HeaderId::RSeq).is_some()
                    || response.has_token(HeaderId::Require, OptionTag::Rel100.as_str())
            }
            When::FormsDialog => forms_dialog(request, response),
            When::RequestHas(header) => request.first(*header).is_some(),
            When::Method(methods) => methods.iter().any(|method| is(request, method)),
            When::RequestRequires(tag) => request.has_token(HeaderId::Require, tag.as_str()),
            When::RequestRequiresNot(tag) => {
                ![HeaderId::Require, HeaderId::ProxyRequire].into_iter().any(|id| request.has_token(id, tag.as_str()))
            }
            When::ResponseRequires(tag) => response.has_token(HeaderId::Require, tag.as_str()),
            When::Without(others, _) => others.iter().all(|other| response.first(*other).is_none()),
            When::All(parts) => return all(parts, request, response),
            When::Text(_) => return None,
        })
    }
}

/// One part that fails settles it, even where another can't be told.
fn all(parts: &[When], request: &Message, response: &Message) -> Option<bool> {
    let mut known = true;
    for part in parts {
        match part.holds(request, response) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => known = false,
        }
    }
    known.then_some(true)
}

fn is(request: &Message, method: &Method) -> bool {
    request.method_text() == Some(method.as_str().as_bytes())
}

/// A 2xx, or for INVITE also a 101 to 199, that gives To a tag which the request had not. `[RFC 3261, Section 12.1]`
fn forms_dialog(request: &Message, response: &Message) -> bool {
    let status = response.status().map_or(0, StatusCode::as_u16);
    let codes = if is(request, &Method::Invite) { 101..300 } else { 200..300 };
    let method = request.method_text().and_then(Method::registered);
    codes.contains(&status)
        && method.and_then(|method| method.info()).is_some_and(|info| info.forms_dialog)
        && !has_tag(request)
        && has_tag(response)
}

fn has_tag(message: &Message) -> bool {
    let to = message.first(HeaderId::To);
    to.and_then(|to| NameAddr::parse_only(HeaderId::To, to.value(), to.offset()).ok())
        .is_some_and(|to| to.tag().is_some())
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            When::Always => f.write_str("always"),
            When::Reliable => f.write_str("sent reliably"),
            When::FormsDialog => f.write_str("opens a dialog"),
            When::RequestHas(header) => write!(f, "the request has {}", header.as_str()),
            When::Method(methods) => {
                f.write_str("to ")?;
                joined(methods.iter().map(Method::as_str), f)
            }
            When::RequestRequires(tag) => write!(f, "the request requires {tag}"),
            When::RequestRequiresNot(tag) => write!(f, "the request does not require {tag}"),
            When::ResponseRequires(tag) => write!(f, "Require lists {tag}"),
            When::Without(_, text) | When::Text(text) => f.write_str(text),
            When::All(parts) => {
                for (i, part) in parts.iter().enumerate() {
                    write!(f, "{}{part}", if i > 0 { ", and " } else { "" })?;
                }
                Ok(())
            }
        }
    }
}

/// `a`, `a or b`, `a, b or c`.
fn joined<'a>(names: impl ExactSizeIterator<Item = &'a str>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let count = names.len();
    for (i, name) in names.enumerate() {
        let glue = match i {
            0 => "",
            _ if i.saturating_add(1) == count => " or ",
            _ => ", ",
        };
        write!(f, "{glue}{name}")?;
    }
    Ok(())
}

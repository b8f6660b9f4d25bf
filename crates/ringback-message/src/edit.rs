//! Changes to a message that leave all else as it came.

mod check;

use alloc::vec::Vec;
use core::fmt;

use smallvec::SmallVec;

use crate::cursor::Cursor;
use crate::error::BuildError;
use crate::header::text::Escaped;
use crate::header::{HeaderId, NameAddr, Via};
use crate::message::{Message, Span, StartLine};
use crate::writer::{Writer, blanks_off};

/// A list of changes to a message, which is itself never changed.
///
/// What no change names is written as it came, to the letter: unknown header fields, names in any case or form, blanks and folds.
/// Two things are put right: lines that ended in LF alone end in CRLF and have their folds undone, since what one element reads
/// as a fold another could read as a line; and a Content-Length is added where there is none, since the way on may be a stream.
///
/// ```
/// use bytes::Bytes;
/// use ringback_message::{Edit, HeaderId, Message};
///
/// let invite = Message::parse(Bytes::from_static(
///     b"INVITE sip:bob@b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\nX-Odd:  as it came\r\n\r\n",
/// ))?;
/// let onward = Edit::new(&invite)
///     .request_uri(b"sip:bob@192.0.2.7")
///     .prepend(HeaderId::Via, b"SIP/2.0/UDP p.example;branch=z9hG4bK2")
///     .finish()?;
/// assert_eq!(onward.all(HeaderId::Via).count(), 2);
/// assert_eq!(onward.request_uri_text(), b"sip:bob@192.0.2.7");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Nothing is made worse: [`finish`](Edit::finish) refuses what would break the message, and looks at no more than was changed.
///
/// New values are held to what the builders write; where they come from other elements, as a proxy's Request-URI comes from a
/// Contact, it is [`Edit::relaying`] that takes all that can be read.
#[derive(Clone)]
pub struct Edit<'a> {
    message: &'a Message,
    uri: Option<Span>,
    body: Option<Span>,
    changes: SmallVec<[Change; 4]>,
    /// New values may be such as we wouldn't write ourselves.
    relays: bool,
    /// The texts of all changes, one behind the other.
    texts: Vec<u8>,
}

impl fmt::Debug for Edit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Edit { message, uri, body, changes, relays, texts } = self;
        let texts = Escaped(texts);
        let mut shown = f.debug_struct("Edit");
        shown.field("uri", uri).field("body", body).field("changes", changes).field("relays", relays);
        shown.field("texts", &texts).field("message", message).finish()
    }
}

/// Small, since an edit is moved with each step.
#[derive(Clone, Copy, Debug)]
struct Change {
    /// The line that it is done to or before; the count of lines stands for the end.
    index: u32,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Remove,
    Replace(Span),
    /// What is left of a value, as it came.
    Shorten(Span),
    InsertBefore(HeaderId, Span),
}

/// Room for the texts of most edits: a Via, a Record-Route, a Request-URI.
const TEXTS_BYTES: usize = 256;

impl<'a> Edit<'a> {
    /// No change yet.
    #[must_use]
    #[inline]
    pub fn new(message: &'a Message) -> Edit<'a> {
        Edit { message, uri: None, body: None, changes: SmallVec::new(), relays: false, texts: Vec::new() }
    }

    /// No change yet, to a message that goes on to somebody else: new values may hold what another element wrote, so they are read as
    /// tolerantly as a message that comes in.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use ringback_message::{Edit, Message};
    ///
    /// let invite = Message::parse(Bytes::from_static(b"INVITE sip:bob@b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example\r\n\r\n"))?;
    /// // The Contact that Bob's phone has registered.
    /// let contact = b"sip:100%@192.0.2.7";
    /// assert!(Edit::new(&invite).request_uri(contact).finish().is_err());
    /// assert_eq!(Edit::relaying(&invite).request_uri(contact).finish()?.request_uri_text(), contact);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[inline]
    pub fn relaying(message: &'a Message) -> Edit<'a> {
        Edit { relays: true, ..Edit::new(message) }
    }

    fn keep(&mut self, text: &[u8]) -> Span {
        if self.texts.capacity() == 0 {
            self.texts.reserve(TEXTS_BYTES.max(text.len()));
        }
        let place = |texts: &Vec<u8>| u32::try_from(texts.len()).unwrap_or(u32::MAX);
        let start = place(&self.texts);
        self.texts.extend_from_slice(text);
        Span { start, end: place(&self.texts) }
    }

    fn keep_value(&mut self, value: &[u8]) -> Span {
        self.keep(blanks_off(value))
    }

    // In place: whatever takes an edit and gives it back copies it.
    fn change(&mut self, index: usize, what: What) {
        self.changes.push(Change { index: u32::try_from(index).unwrap_or(u32::MAX), what });
    }

    fn remove_all(&mut self, id: HeaderId) {
        let message = self.message;
        message.all(id).for_each(|header| self.change(header.index(), What::Remove));
    }

    /// Another Request-URI.
    #[must_use]
    #[inline]
    pub fn request_uri(mut self, uri: &[u8]) -> Edit<'a> {
        self.uri = Some(self.keep_value(uri));
        self
    }

    /// A header field before the first of its name, or at the top where there is none.
    #[must_use]
    #[inline]
    pub fn prepend(mut self, id: HeaderId, value: &[u8]) -> Edit<'a> {
        let index = self.message.first(id).map_or(0, |h| h.index());
        let value = self.keep_value(value);
        self.change(index, What::InsertBefore(id, value));
        self
    }

    /// A header field behind all others.
    #[must_use]
    #[inline]
    pub fn append(mut self, id: HeaderId, value: &[u8]) -> Edit<'a> {
        let value = self.keep_value(value);
        self.change(self.message.lines.len(), What::InsertBefore(id, value));
        self
    }

    /// One header field of that name with this value, in the place of all that are there.
    #[must_use]
    #[inline]
    pub fn set(mut self, id: HeaderId, value: &[u8]) -> Edit<'a> {
        let value = self.keep_value(value);
        let message = self.message;
        let mut there = message.all(id).map(|header| header.index());
        match there.next() {
            Some(first) => self.change(first, What::Replace(value)),
            None => self.change(message.lines.len(), What::InsertBefore(id, value)),
        }
        there.for_each(|index| self.change(index, What::Remove));
        self
    }

    /// No header field of that name.
    #[must_use]
    pub fn remove(mut self, id: HeaderId) -> Edit<'a> {
        self.remove_all(id);
        self
    }

    /// Another value in the line at this place, which there must be.
    #[must_use]
    #[inline]
    pub fn replace_line(mut self, index: usize, value: &[u8]) -> Edit<'a> {
        let value = self.keep_value(value);
        self.change(index, What::Replace(value));
        self
    }

    /// Without the line at this place, which there must be.
    #[must_use]
    pub fn remove_line(mut self, index: usize) -> Edit<'a> {
        self.change(index, What::Remove);
        self
    }

    /// Without the first element of the header fields of that name: how a Via or Route that was for us goes.
    ///
    /// Where it shares its line with others, they stay. Call it once for each name.
    #[must_use]
    pub fn drop_first(self, id: HeaderId) -> Edit<'a> {
        self.drop_elements(id, 1)
    }

    /// Without the first `count` elements of the header fields of that name.
    #[must_use]
    pub fn drop_elements(mut self, id: HeaderId, count: usize) -> Edit<'a> {
        let message = self.message;
        let mut left = count;
        for header in message.all(id) {
            if left == 0 {
                break;
            }
            let mut cursor = header.cursor();
            while left > 0 && skip_element(id, &mut cursor) {
                left -= 1;
            }
            let what = match cursor.rest() {
                [] => What::Remove,
                rest => What::Shorten(self.keep_value(rest)),
            };
            self.change(header.index(), what);
        }
        self
    }

    /// Another body; Content-Length follows.
    #[must_use]
    pub fn body(mut self, body: &[u8]) -> Edit<'a> {
        self.remove_all(HeaderId::ContentLength);
        self.body = Some(self.keep(body));
        self
    }

    /// The changed message.
    ///
    /// # Errors
    /// Where a new value can't be read, or is none that is sent, or its header field can't stand in such a message or not as often; where
    /// one is gone that every message or every request of its method carries, or a body has no type; where Content-Length is not the length of the body; where there is no line at a place
    /// that was named; where the message becomes too large. What was as bad before is no error.
    pub fn finish(mut self) -> Result<Message, BuildError> {
        let nothing_to_do = self.changes.is_empty() && self.uri.is_none() && self.body.is_none();
        if nothing_to_do && self.message.clean {
            return Ok(self.message.clone());
        }
        self.check_texts()?;
        // Stable: what is done to one line stays in the order of asking.
        self.changes.sort_by_key(|change| change.index);
        let mut writer = Writer::with_capacity(self.bytes());
        writer.copy_start_line(self.message, self.uri.map(|uri| uri.of(&self.texts)));
        let end = self.message.lines.len();
        let mut next = 0;
        for changes in self.changes.chunk_by(|a, b| a.index == b.index) {
            let index = changes.first().map_or(end, |change| change.index as usize);
            writer.copy_lines(self.message, next..index.min(end));
            self.write_changes(index, changes, &mut writer);
            next = end.min(index.saturating_add(1));
        }
        writer.copy_lines(self.message, next..end);
        let message = writer.finish(self.body_bytes())?;
        self.check_lines(&message)?;
        Ok(message)
    }

    fn body_bytes(&self) -> &[u8] {
        self.body.map_or_else(|| self.message.body(), |body| body.of(&self.texts))
    }

    /// What is inserted before one line, and what becomes of the line itself.
    fn write_changes(&self, index: usize, changes: &[Change], writer: &mut Writer) {
        let mut write = |change: &Change| {
            if let What::InsertBefore(id, value) = change.what {
                writer.header(id, value.of(&self.texts));
            }
        };
        let Some(header) = self.message.header_at(index) else { return changes.iter().for_each(write) };
        // The last one that was asked for stands first.
        changes.iter().rev().for_each(&mut write);
        match changes.iter().rfind(|change| !matches!(change.what, What::InsertBefore(..))).map(|change| change.what) {
            Some(What::Remove) => {}
            Some(What::Replace(value) | What::Shorten(value)) => writer.copy_name(header, value.of(&self.texts)),
            _ => writer.copy(header),
        }
    }

    /// How many bytes the message will have, so that it is written into memory of the right size: a guess where a line has several changes.
    fn bytes(&self) -> usize {
        let line = |name: usize, value: Span| name + value.len() + 4;
        let old =
            |index: u32| self.message.header_at(index as usize).map_or((0, 0), |h| (h.name().len(), h.line_len()));
        let body = self.body.map_or(0, |body| body.len() + "Content-Length: 65535\r\n".len());
        let (mut more, mut less) = (body, if self.body.is_some() { self.message.body().len() } else { 0 });
        if let (Some(new), StartLine::Request { uri: old, .. }) = (self.uri, self.message.start) {
            more += new.len();
            less += old.len();
        }
        for change in &self.changes {
            match change.what {
                What::Remove => less += old(change.index).1,
                What::Replace(value) | What::Shorten(value) => {
                    let (name, len) = old(change.index);
                    (more, less) = (more + line(name, value), less + len);
                }
                What::InsertBefore(id, value) => more += line(id.as_str().len(), value),
            }
        }
        (self.message.buf.len() + more).saturating_sub(less)
    }
}

/// Passes one element and the comma behind it; false where it is malformed or there is none.
fn skip_element(id: HeaderId, cursor: &mut Cursor<'_>) -> bool {
    cursor.lws();
    if cursor.is_done() {
        return false;
    }
    let read = match id {
        HeaderId::Via => Via::parse(cursor).is_ok(),
        _ => NameAddr::parse(cursor).is_ok(),
    };
    cursor.separator(b',');
    read
}

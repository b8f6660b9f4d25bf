//! Changes to a message that leave all else as it came.

use alloc::vec::Vec;

use smallvec::SmallVec;

use crate::cursor::Cursor;
use crate::error::BuildError;
use crate::header::{HeaderId, NameAddr, Via};
use crate::message::{Message, StartLine};
use crate::writer::Writer;

/// A list of changes to a message, which is itself never changed.
///
/// What no change names is written as it came, unknown header fields included to the letter.
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
#[derive(Clone, Debug)]
pub struct Edit<'a> {
    message: &'a Message,
    uri: Option<Vec<u8>>,
    body: Option<Vec<u8>>,
    changes: SmallVec<[Change; 6]>,
}

#[derive(Clone, Debug)]
struct Change {
    /// The line that it is done to or before; the count of lines stands for the end.
    index: usize,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Remove,
    Replace(Vec<u8>),
    InsertBefore(HeaderId, Vec<u8>),
}

impl<'a> Edit<'a> {
    /// No change yet.
    #[must_use]
    pub fn new(message: &'a Message) -> Edit<'a> {
        Edit { message, uri: None, body: None, changes: SmallVec::new() }
    }

    fn change(mut self, index: usize, what: What) -> Edit<'a> {
        self.changes.push(Change { index, what });
        self
    }

    /// Another Request-URI.
    #[must_use]
    pub fn request_uri(mut self, uri: &[u8]) -> Edit<'a> {
        self.uri = Some(uri.into());
        self
    }

    /// A header field before the first of its name, or at the top where there is none.
    #[must_use]
    pub fn prepend(self, id: HeaderId, value: &[u8]) -> Edit<'a> {
        let index = self.message.first(id).map_or(0, |h| h.index());
        self.change(index, What::InsertBefore(id, value.into()))
    }

    /// A header field behind all others.
    #[must_use]
    pub fn append(self, id: HeaderId, value: &[u8]) -> Edit<'a> {
        let end = self.message.lines.len();
        self.change(end, What::InsertBefore(id, value.into()))
    }

    /// One header field of that name with this value, in the place of all that are there.
    #[must_use]
    pub fn set(self, id: HeaderId, value: &[u8]) -> Edit<'a> {
        let message = self.message;
        let mut there = message.all(id);
        let Some(first) = there.next() else { return self.append(id, value) };
        let edit = self.change(first.index(), What::Replace(value.into()));
        there.fold(edit, |edit, header| edit.change(header.index(), What::Remove))
    }

    /// No header field of that name.
    #[must_use]
    pub fn remove(self, id: HeaderId) -> Edit<'a> {
        let message = self.message;
        message.all(id).fold(self, |edit, header| edit.change(header.index(), What::Remove))
    }

    /// Another value in the line at this place.
    #[must_use]
    pub fn replace_line(self, index: usize, value: &[u8]) -> Edit<'a> {
        self.change(index, What::Replace(value.into()))
    }

    /// Without the line at this place.
    #[must_use]
    pub fn remove_line(self, index: usize) -> Edit<'a> {
        self.change(index, What::Remove)
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
    pub fn drop_elements(self, id: HeaderId, count: usize) -> Edit<'a> {
        let message = self.message;
        let mut left = count;
        let mut edit = self;
        for header in message.all(id) {
            if left == 0 {
                break;
            }
            let mut cursor = header.cursor();
            while left > 0 && skip_element(id, &mut cursor) {
                left -= 1;
            }
            edit = match cursor.rest() {
                [] => edit.change(header.index(), What::Remove),
                rest => edit.change(header.index(), What::Replace(rest.into())),
            };
        }
        edit
    }

    /// Another body; Content-Length follows.
    #[must_use]
    pub fn body(self, body: &[u8]) -> Edit<'a> {
        let mut edit = self.remove(HeaderId::ContentLength);
        edit.body = Some(body.into());
        edit
    }

    /// The changed message.
    ///
    /// # Errors
    /// Where a new value holds CR, LF or NUL, or the message becomes too large.
    pub fn finish(self) -> Result<Message, BuildError> {
        let more: usize = self.changes.iter().map(|change| 64 + change.len()).sum();
        let mut writer = Writer::with_capacity(self.message.buf.len() + more + self.uri.as_ref().map_or(0, Vec::len));
        match self.message.start {
            StartLine::Status { code, reason } => writer.status_line(code, reason.of(&self.message.buf)),
            StartLine::Request { method, uri } => {
                let uri = self.uri.as_deref().unwrap_or_else(|| uri.of(&self.message.buf));
                writer.request_line(method.of(&self.message.buf), uri);
            }
            StartLine::Broken => return Err(BuildError::NotAToken { what: "method" }),
        }
        for header in self.message.headers() {
            self.insertions(header.index(), &mut writer);
            match self
                .changes
                .iter()
                .rfind(|c| c.index == header.index() && !matches!(c.what, What::InsertBefore(..)))
                .map(|c| &c.what)
            {
                Some(What::Remove) => {}
                Some(What::Replace(value)) => writer.header_named(header.name(), value),
                _ => writer.copy(header),
            }
        }
        self.insertions(self.message.lines.len(), &mut writer);
        writer.finish(self.body.as_deref().unwrap_or_else(|| self.message.body()))
    }

    /// The last one that was asked for stands first.
    fn insertions(&self, index: usize, writer: &mut Writer) {
        let prepend = index < self.message.lines.len();
        let here = self.changes.iter().filter(|c| c.index == index);
        let mut write = |change: &Change| {
            if let What::InsertBefore(id, value) = &change.what {
                writer.header(*id, value);
            }
        };
        if prepend { here.rev().for_each(&mut write) } else { here.for_each(&mut write) }
    }
}

impl Change {
    fn len(&self) -> usize {
        match &self.what {
            What::Remove => 0,
            What::Replace(value) | What::InsertBefore(_, value) => value.len(),
        }
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

//! What every typed header field can do: be read, be written, outlive its message.

use alloc::vec::Vec;
use core::marker::PhantomData;

use crate::cursor::{Cursor, Strictness};
use crate::error::{BuildError, ParseError};
use crate::header::list::next_element;
use crate::header::text::unfolded;
use crate::header::{HeaderId, OwnedText};
use crate::message::{Header, Message};

/// A header field whose value has a type.
pub trait Field {
    /// Which one it is.
    const ID: HeaderId;
    /// True where a value is one element of a line that may hold several, with commas between. `[RFC 3261, Section 7.3.1]`
    const BY_COMMA: bool = false;
    /// True where a line may hold no element at all, as `Accept` and `Supported` may.
    const MAY_BE_EMPTY: bool = false;
}

/// A value that can be read from a message, without copying its text.
pub trait Decode<'a>: Field + Sized {
    /// Reads one value: up to a comma where [`Field::BY_COMMA`] says so, else to the end.
    ///
    /// # Errors
    /// Where the bytes are none: what was expected, and at which byte.
    fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError>;
}

/// A value that can be written.
pub trait Encode: Field {
    /// Appends the value as a message holds it, without the name.
    ///
    /// It writes what it was given; [`checked`] is what refuses text that would be read as something else.
    fn encode(&self, out: &mut Vec<u8>);
}

/// A copy that owns its text, for what outlives the message.
pub trait ToOwnedText {
    /// The same type, holding [`OwnedText`].
    type Owned;

    /// Makes it.
    fn to_owned_text(&self) -> Self::Owned;
}

/// Text that is borrowed or owned: both copy alike, without folds.
pub(crate) fn own<T: AsRef<[u8]>>(text: &T) -> OwnedText {
    unfolded(text.as_ref())
}

/// Writes a value, and reads it back: what would not be the same value again is refused, so that no setter needs a check of its own.
///
/// It is read as strictly as [`check_strict`](crate::header::check_strict) does: a value that came from a peer may hold what is not sent.
///
/// # Errors
/// [`BuildError::Malformed`] where it can't be read, [`BuildError::ReadsOtherwise`] where it would be read as another value.
pub fn checked<H>(value: &H) -> Result<Vec<u8>, BuildError>
where
    H: Encode + PartialEq,
    H: for<'a> Rereads<'a>,
{
    let mut out = Vec::new();
    value.encode(&mut out);
    if let Some(offset) = memchr::memchr3(b'\r', b'\n', 0, &out) {
        return Err(BuildError::ForbiddenByte { header: Some(H::ID), offset });
    }
    let mut cursor = Cursor::new(H::ID, &out, 0).with_strictness(Strictness::Building);
    let again = H::reread(&mut cursor)?;
    cursor.end()?;
    if again == *value { Ok(out) } else { Err(BuildError::ReadsOtherwise { header: H::ID }) }
}

/// An owned value that can be read from bytes that don't live as long. Implemented for all whose borrowed form is [`Decode`].
pub trait Rereads<'a>: Sized {
    /// Reads one.
    ///
    /// # Errors
    /// As [`Decode::decode`].
    fn reread(cursor: &mut Cursor<'a>) -> Result<Self, ParseError>;
}

/// The values of the lines of one header field.
#[derive(Clone, Debug)]
pub struct Values<'a, H> {
    cursor: Cursor<'a>,
    ended: bool,
    kind: PhantomData<H>,
}

impl<'a, H: Decode<'a>> Values<'a, H> {
    /// The values of one line, whose value starts at the cursor.
    #[must_use]
    pub fn new(cursor: Cursor<'a>) -> Values<'a, H> {
        let mut cursor = cursor;
        cursor.lws();
        // A type that holds the whole line says itself that it is empty.
        let ended = H::MAY_BE_EMPTY && H::BY_COMMA && cursor.is_done();
        Values { cursor, ended, kind: PhantomData }
    }
}

impl<'a, H: Decode<'a>> Iterator for Values<'a, H> {
    type Item = Result<H, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        next_element(&mut self.cursor, &mut self.ended, H::BY_COMMA, H::decode)
    }
}

impl Message {
    /// The first value of a header field, `None` where there is none.
    ///
    /// # Errors
    /// Where it is malformed.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use ringback_message::{Message, header::RetryAfter};
    ///
    /// let busy = Message::parse(Bytes::from_static(b"SIP/2.0 486 Busy Here\r\nRetry-After: 18 (in a call);duration=9\r\n\r\n"))?;
    /// let retry = busy.get::<RetryAfter<_>>()?.ok_or("no Retry-After")?;
    /// assert_eq!((retry.seconds, retry.duration_secs()), (18, Some(9)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get<'a, H: Decode<'a> + 'a>(&'a self) -> Result<Option<H>, ParseError> {
        self.values::<H>().next().transpose()
    }

    /// Every value of a header field, in order, over all its lines.
    pub fn values<'a, H: Decode<'a> + 'a>(&'a self) -> impl Iterator<Item = Result<H, ParseError>> + 'a {
        self.all(H::ID).flat_map(|header| Values::new(header.cursor()))
    }
}

impl<'a> Header<'a> {
    /// The values of this one line.
    pub fn values<H: Decode<'a>>(&self) -> Values<'a, H> {
        Values::new(self.cursor())
    }
}

//! Text of header values: how a typed value holds it, and how it is quoted.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::chars;

/// Text that a typed value owns, where it is not borrowed from a message.
///
/// It is bytes, not `str`: a peer may send what is no UTF-8, and nothing of it is lost.
pub type OwnedText = Box<[u8]>;

/// A copy with each fold as one blank, so that it can stand in another message on one line. `[RFC 3261, Section 7.3.1]`
#[must_use]
pub fn unfolded(text: &[u8]) -> OwnedText {
    if memchr::memchr2(b'\r', b'\n', text).is_none() {
        return text.into();
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\n', rest) {
        let (line, tail) = rest.split_at_checked(at.saturating_add(1)).unwrap_or((rest, &[]));
        rest = tail;
        // A line end that no blank follows is no fold: it stays, and is refused where the text is written.
        if let [b' ' | b'\t', ..] = tail {
            out.extend_from_slice(line.trim_ascii_end());
            out.push(b' ');
            rest = tail.trim_ascii_start();
        } else {
            out.extend_from_slice(line);
        }
    }
    out.extend_from_slice(rest);
    out.into()
}

/// The bytes as text for people: what is no UTF-8 becomes U+FFFD.
#[must_use]
pub fn lossy(text: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(text)
}

/// Shows a value by the text that it is written as: `Contact("<sip:a@b>;q=0.5")`.
pub(crate) fn debug(name: &str, write: impl FnOnce(&mut Vec<u8>), f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut out = Vec::new();
    write(&mut out);
    f.debug_tuple(name).field(&Escaped(&out)).finish()
}

/// Shows bytes as text in quotes, what is no visible ASCII in escapes.
pub(crate) struct Escaped<'a>(pub(crate) &'a [u8]);

impl fmt::Debug for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

/// `Debug` of types that hold text, by the method that writes them.
macro_rules! debug_as_written {
    ($($name:ident: $write:expr;)*) => {$(
        impl<T: AsRef<[u8]>> core::fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                let write: fn(&$name<T>, &mut alloc::vec::Vec<u8>) = $write;
                $crate::header::text::debug(stringify!($name), |out| write(self, out), f)
            }
        }
    )*};
}

pub(crate) use debug_as_written;

/// A `quoted-string` of this text, quotes and backslashes escaped. `[RFC 3261, Section 25.1]`
#[must_use]
pub fn quoted(text: &[u8]) -> Vec<u8> {
    escaped(b'"', text, b'"', |b| matches!(b, b'"' | b'\\'))
}

/// A `comment` of this text, parentheses and backslashes escaped. `[RFC 3261, Section 25.1]`
#[must_use]
pub fn comment(text: &[u8]) -> Vec<u8> {
    escaped(b'(', text, b')', |b| matches!(b, b'(' | b')' | b'\\'))
}

fn escaped(open: u8, text: &[u8], close: u8, special: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len().saturating_add(2));
    out.push(open);
    for &b in text {
        if special(b) {
            out.push(b'\\');
        }
        out.push(b);
    }
    out.push(close);
    out
}

/// The text as a token where it is one, else as a quoted string.
#[must_use]
pub fn token_or_quoted(text: &[u8]) -> Vec<u8> {
    if chars::is_token(text) { text.into() } else { quoted(text) }
}

/// What a quoted string (or comment) says: without its quotes, its escapes undone. Other text is returned as it is.
#[must_use]
pub fn unquoted(text: &[u8]) -> Cow<'_, [u8]> {
    let inner = match text {
        [b'"', inner @ .., b'"'] | [b'(', inner @ .., b')'] => inner,
        _ => return Cow::Borrowed(text),
    };
    if !inner.contains(&b'\\') {
        return Cow::Borrowed(inner);
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(&b) = bytes.next() {
        match b {
            b'\\' => out.extend(bytes.next()),
            _ => out.push(b),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_become_blanks() {
        for (folded, one_line) in [
            ("a", "a"),
            ("a \r\n\t b", "a b"),
            ("a\n b\r\n c", "a b c"),
            (" a", " a"),
            ("a\r\nb", "a\r\nb"),
            ("a\r\n \r\n b", "a b"),
        ] {
            assert_eq!(unfolded(folded.as_bytes()).as_ref(), one_line.as_bytes());
        }
    }

    #[test]
    fn quotes_and_escapes_come_off_as_they_went_on() {
        for text in ["", "a", "a\"b", "a\\", "(a)", "ü \t"] {
            assert_eq!(unquoted(&quoted(text.as_bytes())).as_ref(), text.as_bytes());
            assert_eq!(unquoted(&comment(text.as_bytes())).as_ref(), text.as_bytes());
        }
        assert_eq!(token_or_quoted(b"a.b"), b"a.b");
        assert_eq!(token_or_quoted(b"a b"), b"\"a b\"");
        assert_eq!(unquoted(b"\"").as_ref(), b"\"");
    }
}

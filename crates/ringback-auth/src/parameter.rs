//! The text of a parameter, read and written. `[RFC 3261, Section 25.1]`

use alloc::string::String;
use alloc::vec::Vec;

use ringback_message::AuthParams;

/// The most bytes that a parameter of a challenge or of credentials may have, as it came and as we would write it, in quotes and
/// with their escapes; real ones have some dozens.
pub const PARAMETER_BYTES_MAX: usize = 2048;

/// A parameter whose value is improper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Improper {
    pub(crate) parameter: &'static str,
    pub(crate) why: Why,
}

/// What is improper about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It is longer than [`PARAMETER_BYTES_MAX`].
    TooLong,
    /// It is neither UTF-8 nor free of control characters.
    Unreadable,
}

impl Why {
    /// What should have stood there, as a phrase that follows "expected".
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Why::TooLong => "at most 2048 bytes",
            Why::Unreadable => "UTF-8 without control characters",
        }
    }
}

/// `unq(X)`: the value without quotes and quoting slashes, each fold as one blank. `[RFC 7616, Section 3.3]`
pub(crate) fn text<T: AsRef<[u8]>>(
    params: &AuthParams<T>,
    parameter: &'static str,
) -> Result<Option<String>, Improper> {
    let Some(raw) = params.raw(parameter.as_bytes()) else { return Ok(None) };
    if raw.len() > PARAMETER_BYTES_MAX {
        return Err(Improper { parameter, why: Why::TooLong });
    }
    let text = match raw.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\"")) {
        Some(inner) => unquoted(inner),
        None => raw.into(),
    };
    let text = readable(text).ok_or(Improper { parameter, why: Why::Unreadable })?;
    // What is answered gives it back, with the escapes that it needs then: that must be readable too.
    if quoted_len(&text) > PARAMETER_BYTES_MAX {
        return Err(Improper { parameter, why: Why::TooLong });
    }
    Ok(Some(text))
}

/// How many bytes [`push_quoted`] makes of a value.
pub(crate) fn quoted_len(value: &str) -> usize {
    let escapes = value.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count();
    value.len().saturating_add(escapes).saturating_add(2)
}

/// Text that can go into a log or a database as it is.
pub(crate) fn readable(text: Vec<u8>) -> Option<String> {
    String::from_utf8(text).ok().filter(|text| !text.chars().any(char::is_control))
}

fn unquoted(inner: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    loop {
        rest = match rest {
            [] => return out,
            [b'\\', escaped, tail @ ..] => {
                out.push(*escaped);
                tail
            }
            [b'\t' | b'\r' | b'\n', ..] => {
                let blanks = rest.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')).count();
                while out.last() == Some(&b' ') {
                    out.pop();
                }
                out.push(b' ');
                rest.get(blanks..).unwrap_or_default()
            }
            [byte, tail @ ..] => {
                out.push(*byte);
                tail
            }
        };
    }
}

/// Appends `, name="value"`, or without the comma where nothing but the scheme stands there.
pub(crate) fn push_quoted(out: &mut String, name: &str, value: &str) {
    push_name(out, name);
    out.push('"');
    for c in value.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

/// Appends `, name=value`.
pub(crate) fn push_token(out: &mut String, name: &str, value: &str) {
    push_name(out, name);
    out.push_str(value);
}

fn push_name(out: &mut String, name: &str) {
    out.push_str(if out.ends_with(' ') { "" } else { ", " });
    out.push_str(name);
    out.push('=');
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use alloc::format;
    use alloc::string::ToString as _;
    use ringback_message::HeaderId;

    fn read(value: &[u8]) -> Result<Option<String>, Improper> {
        let header = [b"Digest realm=", value].concat();
        text(&AuthParams::parse(HeaderId::Authorization, &header, 0).unwrap(), "realm")
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        for value in ["", "a.example", "with \"quotes\"", "back\\slash", "\\", "J\u{e4}s\u{f8}n", "a,b=c"] {
            let mut out = String::new();
            push_quoted(&mut out, "realm", value);
            let written = out.strip_prefix(", realm=").unwrap();
            assert_eq!(read(written.as_bytes()).unwrap().unwrap(), value);
        }
    }

    #[test]
    fn folds_become_one_blank() {
        assert_eq!(read(b"\"a \r\n\t b\tc\"").unwrap().unwrap(), "a b c");
        assert_eq!(read(b"\"a  b\"").unwrap().unwrap(), "a  b");
    }

    #[test]
    fn improper_text() {
        for bad in [&b"\"\xff\""[..], b"\"\x07\"", b"\"a\\\rb\"", b"\"\x7f\""] {
            assert_eq!(read(bad), Err(Improper { parameter: "realm", why: Why::Unreadable }));
        }
        assert!(read(format!("\"{}\"", "a".repeat(PARAMETER_BYTES_MAX - 2)).as_bytes()).is_ok());
        let too_long = Err(Improper { parameter: "realm", why: Why::TooLong });
        assert_eq!(read(format!("\"{}\"", "a".repeat(PARAMETER_BYTES_MAX)).as_bytes()), too_long);
        // Written anew, a backslash that stood bare needs another.
        assert_eq!(read("\\".repeat(PARAMETER_BYTES_MAX / 2).as_bytes()), too_long);
        assert_eq!(read("a".repeat(PARAMETER_BYTES_MAX - 1).as_bytes()), too_long);
        assert!(read("a".repeat(PARAMETER_BYTES_MAX - 2).as_bytes()).is_ok());
        assert!(Why::TooLong.expected().contains(&PARAMETER_BYTES_MAX.to_string()));
    }
}

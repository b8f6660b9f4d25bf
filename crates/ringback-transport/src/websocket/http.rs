//! The head of an HTTP/1.1 message, as far as an opening handshake has need of it.
//!
//! It is read strictly: lines end in CR LF, none is folded, and no control character is anywhere. Browsers write no other.

/// A start line and its header fields.
#[derive(Debug)]
pub(super) struct Head<'a> {
    pub(super) start: &'a [u8],
    /// Lines that were looked at; nothing is kept of them.
    fields: &'a [u8],
}

/// Where the head ends that these bytes begin with, behind its empty line; `searched` bytes were looked at before.
pub(super) fn head_end(bytes: &[u8], searched: usize) -> Option<usize> {
    // The empty line may have been cut anywhere: three bytes of it were perhaps seen.
    let from = searched.saturating_sub(3);
    let at = bytes.get(from..)?.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some(from.saturating_add(at).saturating_add(4))
}

impl<'a> Head<'a> {
    /// Reads a head with its empty line; `None` where it is malformed.
    pub(super) fn read(head: &'a [u8]) -> Option<Head<'a>> {
        let text = head.strip_suffix(b"\r\n")?;
        let line_bytes = text.iter().position(|&byte| byte == b'\n')?.saturating_add(1);
        let (start, fields) = text.split_at_checked(line_bytes)?;
        let start = start.strip_suffix(b"\r\n").filter(|line| is_text(line))?;
        let is_whole = lines(fields).all(|line| line.and_then(field).is_some());
        is_whole.then_some(Head { start, fields })
    }

    /// The values of a header field, in order.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let fields = lines(self.fields).flatten().filter_map(field);
        fields.filter(move |(n, _)| n.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    /// The value of a header field that may stand once; `None` where there is none, or where there are several.
    pub(super) fn only(&self, name: &str) -> Option<&'a [u8]> {
        let mut values = self.values(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// The elements of a header field that is a list.
    pub(super) fn elements(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.values(name).flat_map(|value| value.split(|&byte| byte == b',')).map(<[u8]>::trim_ascii)
    }

    /// Whether a list names this, in any case.
    pub(super) fn lists(&self, name: &str, element: &str) -> bool {
        self.elements(name).any(|e| e.eq_ignore_ascii_case(element.as_bytes()))
    }
}

/// Each line without its end, `None` for one that doesn't end in CR LF.
fn lines(fields: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    fields.split_inclusive(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r\n"))
}

fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, value) = line.split_at_checked(line.iter().position(|&byte| byte == b':')?)?;
    let value = value.get(1..)?.trim_ascii();
    is_field(name, value).then_some((name, value))
}

/// Whether these are the name and the value of a header field.
pub(super) fn is_field(name: &[u8], value: &[u8]) -> bool {
    let is_name =
        !name.is_empty() && name.iter().all(|&byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    is_name && is_text(value)
}

fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| !byte.is_ascii_control() || byte == b'\t')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn a_head_and_its_fields() {
        let text = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive,  Upgrade\r\nHOST:b \r\nEmpty:\r\n\r\n";
        for searched in 0..text.len() {
            assert_eq!(head_end(text, searched), Some(text.len()));
        }
        assert_eq!(head_end(&text[..text.len() - 1], 0), None);
        let head = Head::read(text).unwrap();
        assert_eq!(head.start, b"GET / HTTP/1.1");
        assert_eq!(head.values("host").collect::<Vec<_>>(), [b"a", b"b"]);
        assert_eq!((head.only("host"), head.only("empty"), head.only("none")), (None, Some(&b""[..]), None));
        assert!(head.lists("connection", "upgrade") && !head.lists("connection", "close"));
    }

    #[test]
    fn heads_that_two_readers_might_read_in_two_ways() {
        for text in [
            &b"GET / HTTP/1.1\r\nHost: a\nEvil: b\r\n\r\n"[..],
            b"GET / HTTP/1.1\nHost: a\r\n\r\n",
            b"GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
            b"GET / HTTP/1.1\r\nName : b\r\n\r\n",
            b"GET / HTTP/1.1\r\n: b\r\n\r\n",
            b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
            b"GET / HTTP/1.1\r\nA: b\rc\r\n\r\n",
            b"GET / HTTP/1.1\r\nA: b\0c\r\n\r\n",
            b"GET /\x7f HTTP/1.1\r\n\r\n",
        ] {
            assert!(Head::read(text).is_none(), "{}", text.escape_ascii());
        }
    }
}

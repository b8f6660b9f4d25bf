//! History-Info. `[RFC 7044, Section 5]`

use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;

use crate::cursor::{Cursor, decimal};
use crate::error::ParseError;
use crate::header::shapes::{addresses, field, in_brackets, params_accessor, params_check};
use crate::header::text::Escaped;
use crate::header::{NameAddr, Param};
use crate::uri::unescape;

addresses! {
    /// One target that the request was sent to on its way.
    ///
    /// ```text
    /// hi-entry           = hi-targeted-to-uri *(SEMI hi-param)
    /// hi-targeted-to-uri = name-addr
    /// hi-index           = "index" EQUAL index-val
    /// index-val          = number *("." number)
    /// hi-target-param    = "rc" EQUAL index-val / "mp" EQUAL index-val / "np" EQUAL index-val
    /// ```
    ///
    /// Why the target was left, and whether it may be shown, stand in the headers of the URI: see [`reason`](HistoryInfo::reason)
    /// and [`privacy`](HistoryInfo::privacy). An entry without an index is read, though none should lack it.
    HistoryInfo, BY_COMMA where entry {
        /// The place of the entry in the tree of all targets, such as `1.2.1`.
        index = "index": text,
        /// The index of the entry that was resolved to this contact of the same user.
        resolved_contact = "rc": text,
        /// The index of the entry that was mapped to this, another user.
        mapped = "mp": text,
        /// The index of the entry that has the same URI.
        not_changed = "np": text,
    };
}

/// How a target came from the one before it. `[RFC 7044, Section 5]`
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Retargeting<'a> {
    /// `rc`: a contact of the same user, and the index of the entry that it was found for.
    ResolvedContact(&'a [u8]),
    /// `mp`: another user, and the index of the entry that was mapped to it.
    Mapped(&'a [u8]),
    /// `np`: the same URI, and the index of the entry that it was taken from.
    NotChanged(&'a [u8]),
}

impl fmt::Debug for Retargeting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, index) = match self {
            Retargeting::ResolvedContact(index) => ("ResolvedContact", index),
            Retargeting::Mapped(index) => ("Mapped", index),
            Retargeting::NotChanged(index) => ("NotChanged", index),
        };
        f.debug_tuple(name).field(&Escaped(index)).finish()
    }
}

impl HistoryInfo {
    /// With this index.
    #[must_use]
    pub fn with_index(self, index: impl AsRef<[u8]>) -> HistoryInfo {
        self.with_param(Param::raw("index", index))
    }
}

impl<T: AsRef<[u8]>> HistoryInfo<T> {
    /// How the target came about; `None` where the entry doesn't say.
    #[must_use]
    pub fn retargeting(&self) -> Option<Retargeting<'_>> {
        let contact = self.resolved_contact().map(Retargeting::ResolvedContact);
        let mapped = || self.mapped().map(Retargeting::Mapped);
        contact.or_else(mapped).or_else(|| self.not_changed().map(Retargeting::NotChanged))
    }

    /// The order of two entries in the tree: a parent before its children, and these by their numbers. `[RFC 7044, Section 10.3]`
    ///
    /// An entry without an index comes first.
    #[must_use]
    pub fn cmp_index<U: AsRef<[u8]>>(&self, other: &HistoryInfo<U>) -> Ordering {
        numbers(self.index()).cmp(numbers(other.index()))
    }

    /// The value of the first Reason in the headers of the URI, its escapes undone: why this target was left.
    #[must_use]
    pub fn reason(&self) -> Option<Vec<u8>> {
        self.uri_header(b"Reason")
    }

    /// The value of the first Privacy in the headers of the URI, its escapes undone: `history` where the entry is not for everyone.
    #[must_use]
    pub fn privacy(&self) -> Option<Vec<u8>> {
        self.uri_header(b"Privacy")
    }

    fn uri_header(&self, name: &[u8]) -> Option<Vec<u8>> {
        let headers = self.address.uri.as_sip()?.headers.as_ref()?.as_ref();
        headers.split(|&b| b == b'&').find_map(|header| {
            let mut parts = header.splitn(2, |&b| b == b'=');
            let is_it = unescape(parts.next()?).eq_ignore_ascii_case(name);
            is_it.then(|| unescape(parts.next().unwrap_or_default()))
        })
    }
}

/// The numbers of an index. They were checked where it was read; one of a value made by hand that is none counts as 0.
fn numbers(index: Option<&[u8]>) -> impl Iterator<Item = u32> {
    index.into_iter().flat_map(|index| index.split(|&b| b == b'.')).map(|number| decimal(number).unwrap_or(0))
}

fn entry(at: &Cursor<'_>, address: &NameAddr<&[u8]>) -> Result<(), ParseError> {
    in_brackets(at, address)?;
    for name in ["index", "rc", "mp", "np"] {
        if let Some(index) = address.params.value(name.as_bytes()).filter(|index| !is_index(index)) {
            return Err(at.error_at(index, "numbers below 4294967296 with dots between"));
        }
    }
    Ok(())
}

/// `number = [ %x31-39 *DIGIT ] DIGIT`: no zero before another digit.
fn is_index(index: &[u8]) -> bool {
    index
        .split(|&b| b == b'.')
        .all(|number| decimal(number).is_some() && !(number.len() > 1 && number.starts_with(b"0")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;

    #[test]
    fn entries_have_an_order_and_a_history() {
        let entry = |uri: &str, index: &str| HistoryInfo::new(uri).unwrap().with_index(index);
        let left = entry("sip:a@b.example?Privacy=history&reason=SIP%3Bcause%3D302%3Btext%3D%22moved%22", "1.2");
        assert_eq!(left.reason().unwrap(), b"SIP;cause=302;text=\"moved\"");
        assert_eq!(left.privacy().unwrap(), b"history");
        assert_eq!(left.cmp_index(&entry("sip:c", "1.10")), Ordering::Less);
        assert_eq!(left.cmp_index(&entry("sip:c", "1.2.1")), Ordering::Less);
        assert_eq!(left.cmp_index(&entry("tel:1", "1")), Ordering::Greater);
        let next = entry("sip:c@d", "1.2.1").with_param(Param::raw("mp", "1.2"));
        assert_eq!(next.retargeting(), Some(Retargeting::Mapped(b"1.2")));
        assert_eq!(checked(&next).unwrap(), b"<sip:c@d>;index=1.2.1;mp=1.2");
        assert_eq!((next.reason(), next.privacy()), (None, None));
    }

    #[test]
    fn no_other_index_is_written() {
        for index in ["", "1.", ".1", "01", "1..2", "1,<sip:x>", "1;x", "4294967296", "1\r\nA: b"] {
            assert!(checked(&HistoryInfo::new("sip:a").unwrap().with_index(index)).is_err(), "{index}");
        }
    }
}

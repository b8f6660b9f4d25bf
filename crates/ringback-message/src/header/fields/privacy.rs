//! Privacy. `[RFC 3323, Section 4.2]`

use alloc::vec::Vec;

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::field::own;
use crate::header::shapes::field;
use crate::header::{Decode, Encode, OwnedText, ToOwnedText};

/// What the network shall conceal of the sender.
///
/// ```text
/// Privacy-hdr = "Privacy" HCOLON priv-value *(";" priv-value)
/// priv-value  = "header" / "session" / "user" / "none" / "critical" / token
/// ```
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
pub struct Privacy<T = OwnedText> {
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::texts"))]
    values: Vec<T>,
}

/// A registered kind of privacy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PrivacyKind {
    /// Header fields that the sender can't leave out. `[RFC 3323, Section 5.1]`
    Header,
    /// The addresses of the session. `[RFC 3323, Section 5.2]`
    Session,
    /// What the sender could have left out itself. `[RFC 3323, Section 5.3]`
    User,
    /// Nothing, whatever the network does by default. `[RFC 3323, Section 4.2]`
    None,
    /// The request is to be refused rather than sent with less privacy. `[RFC 3323, Section 4.2]`
    Critical,
    /// The identity that the network asserts. `[RFC 3325, Section 9.3]`
    Id,
    /// The history of the request. `[RFC 7044, Section 10.1.2]`
    History,
}

impl PrivacyKind {
    const ALL: [PrivacyKind; 7] = [
        PrivacyKind::Header,
        PrivacyKind::Session,
        PrivacyKind::User,
        PrivacyKind::None,
        PrivacyKind::Critical,
        PrivacyKind::Id,
        PrivacyKind::History,
    ];

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            PrivacyKind::Header => "header",
            PrivacyKind::Session => "session",
            PrivacyKind::User => "user",
            PrivacyKind::None => "none",
            PrivacyKind::Critical => "critical",
            PrivacyKind::Id => "id",
            PrivacyKind::History => "history",
        }
    }
}

impl AsRef<[u8]> for PrivacyKind {
    fn as_ref(&self) -> &[u8] {
        self.as_str().as_bytes()
    }
}

field!(Privacy);

impl Privacy {
    /// With these, of [`PrivacyKind`] or as text.
    #[must_use]
    pub fn new<I: IntoIterator<Item: AsRef<[u8]>>>(values: I) -> Privacy {
        Privacy { values: values.into_iter().map(|value| value.as_ref().into()).collect() }
    }
}

impl<T: AsRef<[u8]>> Privacy<T> {
    /// Each in order, as written.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.values.iter().map(AsRef::as_ref)
    }

    /// Each in order that is registered.
    pub fn kinds(&self) -> impl Iterator<Item = PrivacyKind> {
        self.iter().filter_map(|value| {
            PrivacyKind::ALL.into_iter().find(|kind| kind.as_str().as_bytes().eq_ignore_ascii_case(value))
        })
    }

    /// Whether it is among them.
    #[must_use]
    pub fn contains(&self, kind: PrivacyKind) -> bool {
        self.kinds().any(|other| other == kind)
    }
}

impl<'a> Decode<'a> for Privacy<&'a [u8]> {
    /// White space around a semicolon is passed, as around all that separate. `[RFC 3261, Section 25.1]`
    fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        let mut values = Vec::new();
        cursor.lws();
        loop {
            values.push(cursor.token("a kind of privacy such as id or none")?);
            if !cursor.separator(b';') {
                return Ok(Privacy { values });
            }
        }
    }
}

impl<T: AsRef<[u8]>> Encode for Privacy<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        for (i, value) in self.iter().enumerate() {
            if i > 0 {
                out.push(b';');
            }
            out.extend_from_slice(value);
        }
    }
}

impl<T: AsRef<[u8]>> ToOwnedText for Privacy<T> {
    type Owned = Privacy;

    fn to_owned_text(&self) -> Privacy {
        Privacy { values: self.values.iter().map(own).collect() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;

    #[test]
    fn kinds_are_told_from_other_tokens() {
        let privacy = Privacy::new(["Header", "x-mine", "critical"]);
        assert_eq!(checked(&privacy).unwrap(), b"Header;x-mine;critical");
        assert!(privacy.kinds().eq([PrivacyKind::Header, PrivacyKind::Critical]));
        assert_eq!(checked(&Privacy::new([PrivacyKind::Id])).unwrap(), b"id");
        for bad in [&[][..], &[""], &["id;none"], &["id", ""], &["a b"], &["a,b"], &["a\nb"]] {
            assert!(checked(&Privacy::new(bad)).is_err(), "{bad:?}");
        }
    }
}

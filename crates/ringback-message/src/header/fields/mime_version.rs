//! MIME-Version. `[RFC 3261, Section 20.24]`

use alloc::vec::Vec;

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::field::Rereads;
use crate::header::{Decode, Encode, Field, HeaderId, ToOwnedText};

/// By which version of MIME the body was built: 1.0, there is no other. `[RFC 2045, Section 4]`
///
/// ```text
/// MIME-Version = "MIME-Version" HCOLON 1*DIGIT "." 1*DIGIT
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct MimeVersion {
    /// What stands before the point.
    pub major: u32,
    /// What stands behind it.
    pub minor: u32,
}

impl MimeVersion {
    /// 1.0.
    pub const V1_0: MimeVersion = MimeVersion { major: 1, minor: 0 };
}

impl Field for MimeVersion {
    const ID: HeaderId = HeaderId::MimeVersion;
}

impl<'a> Decode<'a> for MimeVersion {
    fn decode(cursor: &mut Cursor<'a>) -> Result<MimeVersion, ParseError> {
        cursor.lws();
        let major = cursor.number("a number below 4294967296")?;
        if !cursor.eat(b'.') {
            return Err(cursor.error("a point and a number"));
        }
        Ok(MimeVersion { major, minor: cursor.number("a number below 4294967296")? })
    }
}

impl<'a> Rereads<'a> for MimeVersion {
    fn reread(cursor: &mut Cursor<'a>) -> Result<MimeVersion, ParseError> {
        MimeVersion::decode(cursor)
    }
}

impl Encode for MimeVersion {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(itoa::Buffer::new().format(self.major).as_bytes());
        out.push(b'.');
        out.extend_from_slice(itoa::Buffer::new().format(self.minor).as_bytes());
    }
}

impl ToOwnedText for MimeVersion {
    type Owned = MimeVersion;

    fn to_owned_text(&self) -> MimeVersion {
        *self
    }
}

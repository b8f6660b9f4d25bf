//! Session-ID. `[RFC 7989, Section 5]`

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::Param;
use crate::header::shapes::{field, headed, param_of};
use crate::params::Params;

headed! {
    /// One name for a session, however many dialogs it is made of.
    ///
    /// ```text
    /// session-id       = "Session-ID" HCOLON session-id-value
    /// session-id-value = local-uuid *(SEMI sess-id-param)
    /// sess-id-param    = remote-param / generic-param
    /// remote-param     = "remote" EQUAL remote-uuid
    /// sess-uuid        = 32(DIGIT / %x61-66)  ;32 chars of [0-9a-f]
    /// nil              = 32("0")
    /// ```
    ///
    /// What lacks `remote` comes from an older kind of peer. `[RFC 7989, Section 11]` `[RFC 7329, Section 7]`
    SessionId {
        /// The UUID of the sender, 32 hexadecimal digits.
        local: read_uuid
    } where remote_param;
}

impl SessionId {
    /// The UUID of one who is not known yet. `[RFC 7989, Section 5]`
    pub const NIL: &'static str = "00000000000000000000000000000000";

    /// With the UUIDs of this side and the other, each 32 hexadecimal digits in small letters.
    #[must_use]
    pub fn new(local: impl AsRef<[u8]>, remote: impl AsRef<[u8]>) -> SessionId {
        SessionId::without_remote(local).with_param(Param::raw("remote", remote))
    }

    /// With one UUID, for peers of the older kind. `[RFC 7989, Section 11]`
    #[must_use]
    pub fn without_remote(local: impl AsRef<[u8]>) -> SessionId {
        SessionId { local: local.as_ref().into(), params: Params::default() }
    }
}

impl<T: AsRef<[u8]>> SessionId<T> {
    /// The UUID of the receiver, as far as the sender knows it. `None` from a peer of the older kind.
    #[must_use]
    pub fn remote(&self) -> Option<&[u8]> {
        self.params.value(b"remote")
    }

    /// Whether the sender says that it has no UUID.
    #[must_use]
    pub fn is_local_nil(&self) -> bool {
        self.local.as_ref() == SessionId::NIL.as_bytes()
    }

    /// Whether the sender does not know the UUID of the receiver.
    #[must_use]
    pub fn is_remote_nil(&self) -> bool {
        self.remote() == Some(SessionId::NIL.as_bytes())
    }
}

const UUID: &str = "32 hexadecimal digits in small letters";

fn is_uuid(text: &[u8]) -> bool {
    text.len() == 32 && text.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn read_uuid<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], ParseError> {
    let at = cursor.clone();
    let uuid = cursor.token(UUID)?;
    if is_uuid(uuid) { Ok(uuid) } else { Err(at.error(UUID)) }
}

fn remote_param(start: &Cursor<'_>, _: &[u8], params: &Params<&[u8]>) -> Result<(), ParseError> {
    param_of(start, params, b"remote", is_uuid, UUID)?;
    // "MUST NOT have more than one "remote" parameter" `[RFC 7989, Section 5]`
    match params.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"remote")).nth(1) {
        Some((name, _)) => Err(start.error_at(name, "one remote parameter")),
        None => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;

    const LOCAL: &str = "ab30317f1a784dc48ff824d0d3715d86";

    #[test]
    fn only_uuids_can_be_written() {
        let first = SessionId::new(LOCAL, SessionId::NIL);
        assert!(first.is_remote_nil() && !first.is_local_nil());
        assert_eq!(checked(&first).unwrap().len(), 32 + 8 + 32);
        assert_eq!(checked(&SessionId::without_remote(LOCAL)).unwrap(), LOCAL.as_bytes());
        assert!(checked(&SessionId::new(LOCAL.to_uppercase(), SessionId::NIL)).is_err());
        assert!(checked(&SessionId::new(LOCAL, "")).is_err());
        assert!(checked(&SessionId::new(LOCAL, [LOCAL, ";x=1"].concat())).is_err());
        assert!(checked(&first.with_param(Param::raw("remote", LOCAL))).is_err());
    }
}

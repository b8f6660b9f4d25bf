//! Why a WebSocket ends. (RFC 6455)

use core::fmt;

/// The code of a Close frame; unknown ones are kept as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseCode(u16);

impl CloseCode {
    /// The connection has served its purpose.
    pub const NORMAL: CloseCode = CloseCode(1000);
    /// The server shuts down, or the page is left.
    pub const GOING_AWAY: CloseCode = CloseCode(1001);
    /// The peer broke the rules of WebSocket.
    pub const PROTOCOL_ERROR: CloseCode = CloseCode(1002);
    /// A text that is not UTF-8.
    pub const INVALID_DATA: CloseCode = CloseCode(1007);
    /// A message beyond the limit.
    pub const TOO_LARGE: CloseCode = CloseCode(1009);

    /// The number.
    #[must_use]
    pub const fn as_u16(self) -> u16 {
        self.0
    }

    /// The code that the payload of a Close frame has, `None` for an empty one.
    ///
    /// # Errors
    /// With what is to be answered, where the payload is none that may be sent.
    pub(super) fn read(payload: &[u8]) -> Result<Option<CloseCode>, CloseCode> {
        let Some((code, reason)) = payload.split_first_chunk::<2>() else {
            return if payload.is_empty() { Ok(None) } else { Err(CloseCode::PROTOCOL_ERROR) };
        };
        let code = CloseCode(u16::from_be_bytes(*code));
        match core::str::from_utf8(reason) {
            Err(_) => Err(CloseCode::INVALID_DATA),
            Ok(_) if code.may_be_sent() => Ok(Some(code)),
            Ok(_) => Err(CloseCode::PROTOCOL_ERROR),
        }
    }

    /// 1004 means nothing yet; 1005, 1006 and 1015 stand for what no frame says. From 3000 on they belong to libraries and applications.
    fn may_be_sent(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn payloads_of_close_frames() {
        assert_eq!(CloseCode::read(b""), Ok(None));
        assert_eq!(CloseCode::read(b"\x03\xe8bye"), Ok(Some(CloseCode::NORMAL)));
        assert_eq!(CloseCode::read(b"\x0f\xa0").unwrap().unwrap().as_u16(), 4000);
        assert_eq!(CloseCode::read(b"\x03"), Err(CloseCode::PROTOCOL_ERROR));
        assert_eq!(CloseCode::read(b"\x03\xe8\xff"), Err(CloseCode::INVALID_DATA));
        for code in [0_u16, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
            assert_eq!(CloseCode::read(&code.to_be_bytes()), Err(CloseCode::PROTOCOL_ERROR), "{code}");
        }
    }
}

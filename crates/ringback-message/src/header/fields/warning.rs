//! Warning. `[RFC 3261, Section 20.43]`

use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::chars;
use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::date::single_blank;
use crate::header::field::own;
use crate::header::shapes::field;
use crate::header::{Decode, Encode, OwnedText, ToOwnedText, text};
use crate::uri::host_port;

/// More about the status of a response, one of the line.
///
/// ```text
/// warning-value = warn-code SP warn-agent SP warn-text
/// warn-code     = 3DIGIT
/// warn-agent    = hostport / pseudonym
/// warn-text     = quoted-string
/// ```
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
pub struct Warning<T = OwnedText> {
    /// What it is about, three digits. Those of SIP begin with 3.
    pub code: u16,
    /// Who warns: a host, perhaps with a port, or a name that hides it.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
    pub agent: T,
    /// The text for people as written, quotes included.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
    pub text: T,
}

field!(Warning, BY_COMMA);

impl Warning {
    /// With this text, which is quoted.
    #[must_use]
    pub fn new(code: u16, agent: impl AsRef<[u8]>, text: impl AsRef<[u8]>) -> Warning {
        Warning { code, agent: own(&agent), text: text::quoted(text.as_ref()).into() }
    }
}

impl<T: AsRef<[u8]>> Warning<T> {
    /// What the text says, without its quotes and escapes.
    #[must_use]
    pub fn message(&self) -> Cow<'_, [u8]> {
        text::unquoted(self.text.as_ref())
    }
}

impl<'a> Decode<'a> for Warning<&'a [u8]> {
    fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        cursor.lws();
        let at = cursor.clone();
        let digits = cursor.take_while(|b| b.is_ascii_digit());
        let code =
            crate::cursor::decimal(digits).filter(|_| digits.len() == 3).and_then(|code| u16::try_from(code).ok());
        let code = code.ok_or_else(|| at.error("a code of three digits"))?;
        single_blank(cursor, "a blank before the agent")?;
        let agent = agent(cursor)?;
        single_blank(cursor, "a blank before the text")?;
        Ok(Warning { code, agent, text: cursor.quoted_string()? })
    }
}

/// A pseudonym is a token: it may hold what a host can't.
fn agent<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], ParseError> {
    let start = cursor.rest();
    let mut ahead = cursor.clone();
    let token = ahead.take_while(|b| chars::is(b, chars::TOKEN));
    if !token.is_empty() && ahead.peek() != Some(b':') {
        *cursor = ahead;
        return Ok(token);
    }
    host_port(cursor)?;
    Ok(start.get(..start.len().saturating_sub(cursor.rest().len())).unwrap_or_default())
}

impl<T: AsRef<[u8]>> Encode for Warning<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(itoa::Buffer::new().format(self.code).as_bytes());
        out.push(b' ');
        out.extend_from_slice(self.agent.as_ref());
        out.push(b' ');
        out.extend_from_slice(self.text.as_ref());
    }
}

impl<T: AsRef<[u8]>> ToOwnedText for Warning<T> {
    type Owned = Warning;

    fn to_owned_text(&self) -> Warning {
        Warning { code: self.code, agent: own(&self.agent), text: own(&self.text) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;

    #[test]
    fn nothing_is_smuggled_in() {
        let warning = Warning::new(399, "[2001:db8::1]:5060", "a \"b\", c");
        assert_eq!(checked(&warning).unwrap(), b"399 [2001:db8::1]:5060 \"a \\\"b\\\", c\"");
        assert_eq!(warning.message().as_ref(), b"a \"b\", c");
        for (code, agent, text) in [
            (99, "a", "b"),
            (1000, "a", "b"),
            (399, "", "b"),
            (399, "a b", "c"),
            (399, "a:0", "b"),
            (399, "a \"x\", 399 c", "b"),
            (399, "a", "b\r\nX: y"),
        ] {
            assert!(checked(&Warning::new(code, agent, text)).is_err(), "{code} {agent} {text}");
        }
        let raw =
            Warning { code: 399, agent: OwnedText::from(&b"a"[..]), text: OwnedText::from(&b"\"b\", 301 c \"d\""[..]) };
        assert!(checked(&raw).is_err());
    }
}

//! Retry-After. `[RFC 3261, Section 20.33]`

use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::field::own;
use crate::header::shapes::{field, params_accessor, params_check};
use crate::header::{Decode, Encode, OwnedText, Param, ToOwnedText, text};
use crate::params::Params;

/// After how long it is worth to try again.
///
/// ```text
/// Retry-After = "Retry-After" HCOLON delta-seconds [ comment ] *( SEMI retry-param )
/// ```
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
pub struct RetryAfter<T = OwnedText> {
    /// Seconds until then.
    pub seconds: u32,
    /// The comment as written, parentheses included.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::maybe"))]
    pub comment: Option<T>,
    /// The parameters behind it.
    pub params: Params<T>,
}

field!(RetryAfter);

impl RetryAfter {
    /// After so many seconds.
    #[must_use]
    pub fn new(seconds: u32) -> RetryAfter {
        RetryAfter { seconds, comment: None, params: Params::default() }
    }

    /// Says why, to people.
    #[must_use]
    pub fn with_comment(mut self, comment: impl AsRef<[u8]>) -> RetryAfter {
        self.comment = Some(text::comment(comment.as_ref()).into());
        self
    }

    /// The callee will be reachable for so many seconds from then on.
    #[must_use]
    pub fn with_duration(self, seconds: u32) -> RetryAfter {
        self.with_param(Param::number("duration", seconds))
    }

    /// With one more parameter.
    #[must_use]
    pub fn with_param(mut self, param: Param) -> RetryAfter {
        self.params.push(&param);
        self
    }
}

impl<T: AsRef<[u8]>> RetryAfter<T> {
    /// What the comment says, without its parentheses and escapes.
    pub fn comment_text(&self) -> Option<Cow<'_, [u8]>> {
        self.comment.as_ref().map(|comment| text::unquoted(comment.as_ref()))
    }

    params_accessor!(
        /// For how many seconds the callee will be reachable from then on.
        params, duration_secs = "duration": number
    );
}

impl<'a> Decode<'a> for RetryAfter<&'a [u8]> {
    fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        cursor.lws();
        let seconds = cursor.number("a number of seconds below 4294967296")?;
        cursor.lws();
        let comment = if cursor.peek() == Some(b'(') { Some(cursor.comment()?) } else { None };
        let at = cursor.clone();
        let params = Params::parse(cursor)?;
        params_check!(at, params, "duration": number);
        Ok(RetryAfter { seconds, comment, params })
    }
}

impl<T: AsRef<[u8]>> Encode for RetryAfter<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(itoa::Buffer::new().format(self.seconds).as_bytes());
        if let Some(comment) = &self.comment {
            out.push(b' ');
            out.extend_from_slice(comment.as_ref());
        }
        out.extend_from_slice(self.params.text());
    }
}

impl<T: AsRef<[u8]>> ToOwnedText for RetryAfter<T> {
    type Owned = RetryAfter;

    fn to_owned_text(&self) -> RetryAfter {
        RetryAfter {
            seconds: self.seconds,
            comment: self.comment.as_ref().map(own),
            params: self.params.to_owned_text(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;
    use crate::header::{HeaderId, check_value};

    #[test]
    fn comments_and_parameters_are_quoted() {
        let retry = RetryAfter::new(300).with_comment("a) b\\").with_param(Param::new("reason", Some("down; sorry")));
        assert_eq!(checked(&retry).unwrap(), b"300 (a\\) b\\\\);reason=\"down; sorry\"");
        assert_eq!(retry.comment_text().unwrap().as_ref(), b"a) b\\");
        assert!(checked(&RetryAfter::new(1).with_comment("a\r\nb")).is_err());
        assert!(checked(&RetryAfter::new(1).with_param(Param::new("a;b", None::<&str>))).is_err());
    }

    #[test]
    fn reads_what_the_rfc_shows_and_refuses_the_rest() {
        for good in ["18000;duration=3600", "120 (I'm in a (long) meeting)", "0", " 5 ( \\) ) ; x"] {
            assert_eq!(check_value(HeaderId::RetryAfter, good.as_bytes(), 0), Ok(()), "{good}");
        }
        for bad in ["", "x", "-1", "4294967296", "1 (", "1 (a\\)", "1;duration=x", "1;duration", "1 2", "1, 2", "1;"] {
            assert!(check_value(HeaderId::RetryAfter, bad.as_bytes(), 0).is_err(), "{bad}");
        }
    }
}

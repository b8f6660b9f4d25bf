//! Timestamp. `[RFC 3261, Section 20.38]`

use alloc::vec::Vec;

use crate::cursor::Cursor;
use crate::error::ParseError;
use crate::header::field::own;
use crate::header::shapes::field;
use crate::header::{Decode, Encode, OwnedText, ToOwnedText};

/// When the client sent the request, by a clock of its own, and how long the server took to answer it.
///
/// ```text
/// Timestamp = "Timestamp" HCOLON 1*(DIGIT) [ "." *(DIGIT) ] [ LWS delay ]
/// delay     = *(DIGIT) [ "." *(DIGIT) ]
/// ```
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
pub struct Timestamp<T = OwnedText> {
    /// The client's time in seconds as written: the server sends it back to the letter.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
    pub timestamp: T,
    /// The seconds between the arrival of the request and the response, as written.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::maybe"))]
    pub delay: Option<T>,
}

field!(Timestamp);

impl Timestamp {
    /// With this time, in seconds, perhaps with a fraction.
    #[must_use]
    pub fn new(timestamp: impl AsRef<[u8]>) -> Timestamp {
        Timestamp { timestamp: own(&timestamp), delay: None }
    }

    /// With this time.
    #[must_use]
    pub fn from_micros(micros: u64) -> Timestamp {
        Timestamp { timestamp: decimal_seconds(micros).into(), delay: None }
    }

    /// With this delay. `[RFC 3261, Section 8.2.6.1]`
    #[must_use]
    pub fn with_delay_micros(mut self, micros: u64) -> Timestamp {
        self.delay = Some(decimal_seconds(micros).into());
        self
    }
}

impl<T: AsRef<[u8]>> Timestamp<T> {
    /// The time in microseconds, what is finer cut off; `None` where it is more than 64 bits hold.
    #[must_use]
    pub fn micros(&self) -> Option<u64> {
        micros(self.timestamp.as_ref())
    }

    /// The delay in microseconds, what is finer cut off; `None` where there is none, or it is more than 64 bits hold.
    #[must_use]
    pub fn delay_micros(&self) -> Option<u64> {
        micros(self.delay.as_ref()?.as_ref())
    }
}

const MICROS_PER_SECOND: u64 = 1_000_000;

fn decimal_seconds(micros: u64) -> Vec<u8> {
    alloc::format!("{}.{:06}", micros / MICROS_PER_SECOND, micros % MICROS_PER_SECOND).into_bytes()
}

fn micros(seconds: &[u8]) -> Option<u64> {
    let mut parts = seconds.splitn(2, |&b| b == b'.');
    let whole = digits(parts.next().unwrap_or_default(), 0)?;
    let mut weight = MICROS_PER_SECOND / 10;
    let mut fraction = 0_u64;
    for &digit in parts.next().unwrap_or_default() {
        fraction = fraction.checked_add(digits(&[digit], 0)?.checked_mul(weight)?)?;
        weight /= 10;
    }
    whole.checked_mul(MICROS_PER_SECOND)?.checked_add(fraction)
}

fn digits(text: &[u8], start: u64) -> Option<u64> {
    text.iter().try_fold(start, |n, &b| n.checked_mul(10)?.checked_add(u64::from(char::from(b).to_digit(10)?)))
}

impl<'a> Decode<'a> for Timestamp<&'a [u8]> {
    fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        cursor.lws();
        if !cursor.peek().is_some_and(|b| b.is_ascii_digit()) {
            return Err(cursor.error("a number of seconds"));
        }
        let timestamp = seconds(cursor);
        let at = cursor.clone();
        cursor.lws();
        let delay = if cursor.offset() > at.offset() { seconds(cursor) } else { b"" };
        Ok(Timestamp { timestamp, delay: (!delay.is_empty()).then_some(delay) })
    }
}

/// Digits, and a point with or without more of them.
fn seconds<'a>(cursor: &mut Cursor<'a>) -> &'a [u8] {
    let start = cursor.rest();
    cursor.take_while(|b| b.is_ascii_digit());
    if cursor.eat(b'.') {
        cursor.take_while(|b| b.is_ascii_digit());
    }
    start.get(..start.len().saturating_sub(cursor.rest().len())).unwrap_or_default()
}

impl<T: AsRef<[u8]>> Encode for Timestamp<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.timestamp.as_ref());
        if let Some(delay) = &self.delay {
            out.push(b' ');
            out.extend_from_slice(delay.as_ref());
        }
    }
}

impl<T: AsRef<[u8]>> ToOwnedText for Timestamp<T> {
    type Owned = Timestamp;

    fn to_owned_text(&self) -> Timestamp {
        Timestamp { timestamp: own(&self.timestamp), delay: self.delay.as_ref().map(own) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;

    #[test]
    fn seconds_become_micros_and_back() {
        let stamp = Timestamp::from_micros(54_000_001).with_delay_micros(1_500_000);
        assert_eq!(checked(&stamp).unwrap(), b"54.000001 1.500000");
        assert_eq!((stamp.micros(), stamp.delay_micros()), (Some(54_000_001), Some(1_500_000)));
        for (text, micros) in [
            ("0", Some(0)),
            ("7.", Some(7_000_000)),
            ("7.1234567", Some(7_123_456)),
            ("18446744073709.551615", Some(u64::MAX)),
            ("18446744073709.551616", None),
            ("99999999999999999999999", None),
        ] {
            assert_eq!(Timestamp::new(text).micros(), micros, "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_not_written() {
        for bad in ["", "a", ".5", "-1", "1,2", "1 2", "1e3", "1\r\nX: y", "1.2.3"] {
            assert!(checked(&Timestamp::new(bad)).is_err(), "{bad}");
        }
        let empty = Timestamp { timestamp: OwnedText::from(&b"1"[..]), delay: Some(OwnedText::default()) };
        assert!(checked(&empty).is_err());
    }
}

//! The events of `telephone-event`. `[RFC 4733, Section 2.4.1]`

use alloc::vec::Vec;
use core::fmt;

use crate::cursor::Cursor;
use crate::error::ParseError;

/// Ranges of events, at most.
pub const EVENT_RANGES_MAX: usize = 256;

/// Which events a receiver knows: what stands in `fmtp`, such as `0-15,66,70`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Events {
    /// A bit for each event, the lowest first.
    known: [u128; 2],
}

impl Events {
    /// The sixteen keys of a phone, which hold where nothing is said. `[RFC 4733, Section 2.4.1]`
    pub const DTMF: Events = Events { known: [0xffff, 0] };

    /// Reads the parameters of `fmtp`.
    ///
    /// # Errors
    /// Where they are no list of events.
    pub fn parse(parameters: &str) -> Result<Events, ParseError> {
        let mut cursor = Cursor::detached(parameters, "RFC 4733, Section 2.4.1");
        cursor.eat_word("events=");
        let mut events = Events { known: [0; 2] };
        for _ in 0..EVENT_RANGES_MAX {
            cursor.take_while(crate::cursor::is_blank);
            let at = cursor.clone();
            let first: u8 = cursor.number("an event from 0 to 255")?;
            let last = if cursor.eat('-') { cursor.number("an event from 0 to 255")? } else { first };
            if last < first {
                return Err(at.error("a range that goes up"));
            }
            (first..=last).for_each(|event| events.insert(event));
            cursor.take_while(crate::cursor::is_blank);
            if !cursor.eat(',') {
                cursor.end()?;
                return Ok(events);
            }
        }
        Err(cursor.error("no more than 256 ranges"))
    }

    fn insert(&mut self, event: u8) {
        let [low, high] = &mut self.known;
        let (bits, place) = if event < 128 { (low, event) } else { (high, event.saturating_sub(128)) };
        *bits |= 1_u128.checked_shl(u32::from(place)).unwrap_or(0);
    }

    /// True where the event is known.
    #[must_use]
    pub fn contains(&self, event: u8) -> bool {
        let [low, high] = self.known;
        let (bits, place) = if event < 128 { (low, event) } else { (high, event.saturating_sub(128)) };
        bits.checked_shr(u32::from(place)).is_some_and(|bits| bits & 1 == 1)
    }

    /// What both know.
    #[must_use]
    pub fn and(&self, other: &Events) -> Events {
        let ([a, b], [c, d]) = (self.known, other.known);
        Events { known: [a & c, b & d] }
    }

    /// True where none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known == [0; 2]
    }

    fn ranges(&self) -> Vec<(u8, u8)> {
        let mut ranges: Vec<(u8, u8)> = Vec::new();
        for event in (0..=u8::MAX).filter(|&event| self.contains(event)) {
            match ranges.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(event) => *last = event,
                _ => ranges.push((event, event)),
            }
        }
        ranges
    }
}

impl fmt::Display for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut gap = "";
        for (first, last) in self.ranges() {
            write!(f, "{gap}{first}")?;
            if last > first {
                write!(f, "-{last}")?;
            }
            gap = ",";
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn lists_are_read_and_written() {
        for (text, written) in [
            ("0-15", "0-15"),
            ("0-11,66", "0-11,66"),
            ("66, 0 - 1", ""),
            ("3,2,1,200-255", "1-3,200-255"),
            ("events=0-15", "0-15"),
            ("15-0", ""),
            ("256", ""),
            ("", ""),
            ("1,", ""),
            ("-1", ""),
        ] {
            assert_eq!(Events::parse(text).map_or(std::string::String::new(), |e| e.to_string()), written, "{text:?}");
        }
        let both = Events::parse("0-11,66").unwrap().and(&Events::DTMF);
        assert_eq!(both.to_string(), "0-11");
        assert!(both.contains(11) && !both.contains(12) && !both.contains(66));
        assert!(Events::parse("200").unwrap().and(&Events::DTMF).is_empty());
    }
}

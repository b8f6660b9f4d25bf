//! `t=`, `r=` and `z=`. `[RFC 8866, Section 5.9]`

use alloc::vec::Vec;
use core::fmt;

use crate::cursor::Cursor;
use crate::error::ParseError;

pub(crate) const TIMING: &str = "RFC 8866, Section 5.9";
pub(crate) const REPEAT: &str = "RFC 8866, Section 5.10";
pub(crate) const ZONE: &str = "RFC 8866, Section 5.11";

/// Offsets of one `r=` line and adjustments of one `z=` line, at most.
pub const TIMES_MAX: usize = 256;

/// When a session is active, in seconds since the begin of 1900 UTC; 0 for no bound.
///
/// ```text
/// time-field = %s"t" "=" start-time SP stop-time CRLF
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// From when on.
    pub start: u64,
    /// Until when.
    pub stop: u64,
}

/// A number of seconds as it was written: with its unit, and perhaps with a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeSpan {
    /// The number, of units.
    pub count: i64,
    /// `d`, `h`, `m` or `s`, where it is given.
    pub unit: Option<char>,
}

/// A schedule.
///
/// ```text
/// repeat-field = %s"r" "=" repeat-interval SP typed-time 1*(SP typed-time) CRLF
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// From one begin to the next.
    pub interval: TimeSpan,
    /// How long it lasts.
    pub duration: TimeSpan,
    /// When it begins, from the start time on.
    pub offsets: Vec<TimeSpan>,
}

/// When the time of the place changes.
///
/// ```text
/// zone-field = %s"z" "=" time SP ["-"] typed-time *(SP time SP ["-"] typed-time) CRLF
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// One after the other.
    pub adjustments: Vec<ZoneAdjustment>,
}

/// From a time on, an offset from the time that the session was first planned by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZoneAdjustment {
    /// Seconds since the begin of 1900 UTC.
    pub time: u64,
    /// The offset.
    pub offset: TimeSpan,
}

impl Timing {
    /// Reads the value of a `t=` line.
    ///
    /// # Errors
    /// Where it is none.
    pub fn parse(text: &str) -> Result<Timing, ParseError> {
        Timing::read(&mut Cursor::detached(text, TIMING))
    }

    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Timing, ParseError> {
        let start = cursor.number("a start time in seconds")?;
        cursor.space("a blank and the stop time")?;
        let stop = cursor.number("a stop time in seconds")?;
        cursor.end()?;
        Ok(Timing { start, stop })
    }
}

impl TimeSpan {
    /// So many seconds.
    #[must_use]
    pub fn seconds(count: i64) -> TimeSpan {
        TimeSpan { count, unit: None }
    }

    /// In seconds; `None` where they are too many for a number of 64 bits.
    #[must_use]
    pub fn as_seconds(&self) -> Option<i64> {
        self.count.checked_mul(match self.unit {
            Some('d') => 86_400,
            Some('h') => 3_600,
            Some('m') => 60,
            _ => 1,
        })
    }

    fn read(cursor: &mut Cursor<'_>, expected: &'static str) -> Result<TimeSpan, ParseError> {
        let count = cursor.number::<i64>(expected)?;
        let unit = cursor.peek().filter(|&c| matches!(c, 'd' | 'h' | 'm' | 's'));
        if let Some(unit) = unit {
            cursor.eat(unit);
        }
        Ok(TimeSpan { count, unit })
    }
}

impl Repeat {
    /// Reads the value of an `r=` line.
    ///
    /// # Errors
    /// Where it is none.
    pub fn parse(text: &str) -> Result<Repeat, ParseError> {
        Repeat::read(&mut Cursor::detached(text, REPEAT))
    }

    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Repeat, ParseError> {
        let at = cursor.clone();
        let interval = TimeSpan::read(cursor, "an interval")?;
        if interval.count == 0 {
            return Err(at.error("an interval above 0"));
        }
        cursor.space("a blank and the duration")?;
        let duration = TimeSpan::read(cursor, "a duration")?;
        let mut offsets = Vec::new();
        while cursor.more() {
            if offsets.len() >= TIMES_MAX {
                return Err(cursor.error("no more than 256 offsets"));
            }
            offsets.push(TimeSpan::read(cursor, "an offset from the start time")?);
        }
        cursor.end()?;
        if offsets.is_empty() {
            Err(cursor.error("a blank and an offset"))
        } else {
            Ok(Repeat { interval, duration, offsets })
        }
    }
}

impl Zone {
    /// Reads the value of a `z=` line.
    ///
    /// # Errors
    /// Where it is none.
    pub fn parse(text: &str) -> Result<Zone, ParseError> {
        Zone::read(&mut Cursor::detached(text, ZONE))
    }

    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Zone, ParseError> {
        let mut adjustments = Vec::new();
        loop {
            if adjustments.len() >= TIMES_MAX {
                return Err(cursor.error("no more than 256 adjustments"));
            }
            let time = cursor.number("the time of an adjustment")?;
            cursor.space("a blank and the offset")?;
            let is_negative = cursor.eat('-');
            let mut offset = TimeSpan::read(cursor, "an offset")?;
            if is_negative {
                offset.count = offset.count.saturating_neg();
            }
            adjustments.push(ZoneAdjustment { time, offset });
            if !cursor.more() {
                break;
            }
        }
        cursor.end()?;
        Ok(Zone { adjustments })
    }
}

impl fmt::Display for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.start, self.stop)
    }
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.count)?;
        self.unit.map_or(Ok(()), |unit| write!(f, "{unit}"))
    }
}

impl fmt::Display for Repeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.interval, self.duration)?;
        self.offsets.iter().try_for_each(|offset| write!(f, " {offset}"))
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut gap = "";
        for ZoneAdjustment { time, offset } in &self.adjustments {
            write!(f, "{gap}{time} {offset}")?;
            gap = " ";
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
    fn schedules_come_back() {
        for text in ["604800 3600 0 90000", "7d 1h 0 25h"] {
            let repeat = Repeat::parse(text).unwrap();
            assert_eq!(repeat.to_string(), text);
            assert_eq!(repeat.interval.as_seconds(), Some(604_800));
            assert_eq!(repeat.offsets.last().unwrap().as_seconds(), Some(90_000));
        }
        let zone = Zone::parse("3730928400 -1h 3749680800 0").unwrap();
        assert_eq!(zone.to_string(), "3730928400 -1h 3749680800 0");
        assert_eq!(zone.adjustments.first().unwrap().offset.as_seconds(), Some(-3600));
        assert_eq!(Timing::parse("3724394400 3754123200").unwrap().to_string(), "3724394400 3754123200");
    }

    #[test]
    fn what_is_none_is_refused() {
        for bad in ["", "1", "1 x", "-1 0", "18446744073709551616 0", "0 0 0"] {
            assert!(Timing::parse(bad).is_err(), "{bad:?}");
        }
        for bad in ["", "7d", "7d 1h", "0 1h 0", "7w 1h 0", "7d 1h x", "9223372036854775808 1 0", "7D 1h 0"] {
            assert!(Repeat::parse(bad).is_err(), "{bad:?}");
        }
        for bad in ["", "1", "1 -", "1 1h 2", "1 --1"] {
            assert!(Zone::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(TimeSpan { count: i64::MAX, unit: Some('d') }.as_seconds(), None);
    }
}

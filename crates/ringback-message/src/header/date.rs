//! Date. `[RFC 3261, Section 20.17]`

use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;

use crate::cursor::{Cursor, decimal};
use crate::error::ParseError;
use crate::header::field::Rereads;
use crate::header::{Decode, Encode, Field, HeaderId, ToOwnedText};

/// A point of time as Date writes it: always GMT, to the second, from 1970 to 9999.
///
/// ```text
/// Date         = "Date" HCOLON SIP-date
/// SIP-date     = rfc1123-date
/// rfc1123-date = wkday "," SP date1 SP time SP "GMT"
/// date1        = 2DIGIT SP month SP 4DIGIT
/// time         = 2DIGIT ":" 2DIGIT ":" 2DIGIT
/// ```
///
/// Reading is strict and minds the case; another time zone is refused `[RFC 4475, Section 3.1.2.12]`, as is a day that its month
/// lacks. Only the day of the week may be a wrong one: it says nothing that the rest doesn't.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Date {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub unix_secs: u64,
}

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, secs) = (self.unix_secs / 86_400, self.unix_secs % 86_400);
        let (year, month, day) = civil(days);
        let at = |names: &[&'static str], index: u64| {
            usize::try_from(index).ok().and_then(|i| names.get(i).copied()).unwrap_or("")
        };
        let (weekday, month) = (at(&DAYS, days % 7), at(&MONTHS, month));
        write!(f, "{weekday}, {day:02} {month} {year:04} {:02}:{:02}:{:02} GMT", secs / 3600, secs / 60 % 60, secs % 60)
    }
}

/// Year, month from 0 and day from 1 of the Gregorian calendar, counted in eras of 400 years that begin in March.
fn civil(days_since_1970: u64) -> (u64, u64, u64) {
    let days = days_since_1970.saturating_add(719_468);
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12;
    (year + era * 400 + u64::from(month < 2), month, day)
}

impl Field for Date {
    const ID: HeaderId = HeaderId::Date;
}

impl<'a> Decode<'a> for Date {
    fn decode(cursor: &mut Cursor<'a>) -> Result<Date, ParseError> {
        cursor.lws();
        name(cursor, &DAYS, "a day of the week, such as Sat")?;
        literal(cursor, b",", "a comma behind the day of the week")?;
        single_blank(cursor, "one blank before the day")?;
        let day_at = cursor.clone();
        let day = digits(cursor, 2, 1..=31, "a day of two digits")?;
        single_blank(cursor, "one blank before the month")?;
        let month = name(cursor, &MONTHS, "a month, such as Nov")?;
        single_blank(cursor, "one blank before the year")?;
        let year = digits(cursor, 4, 1970..=9999, "a year from 1970 on")?;
        if day > days_of(month, year) {
            return Err(day_at.error("a day that the month has"));
        }
        single_blank(cursor, "one blank before the time")?;
        let hour = digits(cursor, 2, 0..=23, "an hour from 00 to 23")?;
        literal(cursor, b":", "a colon behind the hour")?;
        let minute = digits(cursor, 2, 0..=59, "a minute from 00 to 59")?;
        literal(cursor, b":", "a colon behind the minute")?;
        let second = digits(cursor, 2, 0..=59, "a second from 00 to 59")?;
        single_blank(cursor, "one blank before the time zone")?;
        literal(cursor, b"GMT", "GMT")?;
        Ok(Date { unix_secs: days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second })
    }
}

/// The place of one of these names in their list.
fn name(cursor: &mut Cursor<'_>, names: &[&str], expected: &'static str) -> Result<u64, ParseError> {
    let at = cursor.clone();
    let text = cursor.take(3);
    let place = names.iter().position(|name| name.as_bytes() == text);
    place.and_then(|place| u64::try_from(place).ok()).ok_or_else(|| at.error(expected))
}

fn digits(
    cursor: &mut Cursor<'_>,
    count: usize,
    range: core::ops::RangeInclusive<u32>,
    expected: &'static str,
) -> Result<u64, ParseError> {
    let at = cursor.clone();
    let digits = cursor.take(count);
    let number = decimal(digits).filter(|number| digits.len() == count && range.contains(number));
    number.map(u64::from).ok_or_else(|| at.error(expected))
}

fn literal(cursor: &mut Cursor<'_>, text: &[u8], expected: &'static str) -> Result<(), ParseError> {
    let at = cursor.clone();
    if cursor.take(text.len()) == text { Ok(()) } else { Err(at.error(expected)) }
}

/// `SP`, for which a fold may stand. `[RFC 3261, Section 7.3.1]`
pub(crate) fn single_blank(cursor: &mut Cursor<'_>, expected: &'static str) -> Result<(), ParseError> {
    let at = cursor.clone();
    let blanks = cursor.take_while(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n'));
    if blanks == b" " || blanks.contains(&b'\n') { Ok(()) } else { Err(at.error(expected)) }
}

/// Months count from 0.
fn days_of(month: u64, year: u64) -> u64 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 => 28 + u64::from(is_leap),
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

/// The reverse of [`civil`], for years from 1970 to 9999.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let year = year - u64::from(month < 2);
    let from_march = (month + 10) % 12;
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

impl<'a> Rereads<'a> for Date {
    fn reread(cursor: &mut Cursor<'a>) -> Result<Date, ParseError> {
        Date::decode(cursor)
    }
}

impl Encode for Date {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.to_string().as_bytes());
    }
}

impl ToOwnedText for Date {
    type Owned = Date;

    fn to_owned_text(&self) -> Date {
        *self
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;

    #[test]
    fn known_dates() {
        for (unix_secs, text) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_289_690_940, "Sat, 13 Nov 2010 23:29:00 GMT"),
            (1_709_164_799, "Wed, 28 Feb 2024 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        ] {
            assert_eq!(Date { unix_secs }.to_string(), text);
            assert_eq!(checked(&Date { unix_secs }).unwrap(), text.as_bytes());
        }
    }

    #[test]
    fn every_day_is_read_as_it_is_written() {
        for day in (0..2_932_897).step_by(13) {
            let date = Date { unix_secs: day * 86_400 + day % 86_400 };
            assert!(checked(&date).is_ok(), "{date}");
        }
        assert!(checked(&Date { unix_secs: 253_402_300_799 }).is_ok());
        assert!(checked(&Date { unix_secs: 253_402_300_800 }).is_err(), "the year 10000");
        assert!(checked(&Date { unix_secs: u64::MAX }).is_err());
    }
}

//! Messages that double in size, to see that the work doubles at most.

use std::fmt::Write as _;

use bytes::Bytes;

use crate::{Fault, Row, rows};

/// Header lines of the smallest and the largest message that grows in lines.
const LINES: (usize, usize) = (16, 256);
/// Bytes of the smallest and the largest message that grows in one value, without those that are kept free.
const BYTES: (usize, usize) = (4096, 65536);
/// Room for the Via of a proxy: with it the largest is still a message.
const FREE_BYTES: usize = 256;

const HEAD: &str = "INVITE sip:bob@198.51.100.7:5060 SIP/2.0\r\n";
const FIELDS: &[(&str, &str)] = &[
    ("Via", "SIP/2.0/UDP 192.0.2.101:5060;branch=z9hG4bKnashds8"),
    ("Max-Forwards", "70"),
    ("From", "\"Alice\" <sip:alice@atlanta.example.com>;tag=1928301774"),
    ("To", "Bob <sip:bob@biloxi.example.com>"),
    ("Call-ID", "a84b4c76e66710@pc33.atlanta.example.com"),
    ("CSeq", "314159 INVITE"),
    ("Contact", "<sip:alice@192.0.2.101:5060>"),
    ("Content-Length", "0"),
];

/// The jobs that are watched, for each message: `lines-16` to `lines-256`, `bytes-4096` to `bytes-65536`.
///
/// # Errors
/// Names the first job whose answer is not what the message was made of.
pub fn growth() -> Result<Vec<Vec<Row>>, Fault> {
    let mut messages = Vec::new();
    for lines in doubled(LINES) {
        let more = (FIELDS.len()..lines).map(|n| (format!("X-Line-{n}"), format!("value {n} of no meaning")));
        messages.push((format!("lines-{lines}"), more.collect::<Vec<_>>()));
    }
    for bytes in doubled(BYTES) {
        let others = text(&[("Subject".to_owned(), String::new())]).len();
        let value = "x".repeat(bytes.saturating_sub(FREE_BYTES + others));
        messages.push((format!("bytes-{bytes}"), vec![("Subject".to_owned(), value)]));
    }
    messages.iter().map(|(name, more)| watched(name, more)).collect()
}

fn doubled((first, last): (usize, usize)) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(first), |size| Some(size * 2)).take_while(move |size| *size <= last)
}

/// The additional fields stand between those that jobs ask for, so that none is found without passing others.
fn text(more: &[(String, String)]) -> String {
    let mut text = HEAD.to_owned();
    for (name, value) in pairs(more) {
        _ = write!(text, "{name}: {value}\r\n");
    }
    text + "\r\n"
}

fn pairs(more: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    let more = more.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let (before, behind) = FIELDS.split_at(FIELDS.len() / 2);
    before.iter().copied().chain(more).chain(behind.iter().copied())
}

fn watched(name: &str, more: &[(String, String)]) -> Result<Vec<Row>, Fault> {
    let mut frame = "INVITE:sip:bob@198.51.100.7:5060\n".to_owned();
    pairs(more).for_each(|(name, value)| _ = writeln!(frame, "{name}:{value}"));
    let small = rows(name, &Bytes::from(text(&[])));
    let mut watched = rows(name, &Bytes::from(text(more)));
    watched.retain(|row| row.peer == "ringback");
    for row in &watched {
        let answer = row.answer().ok_or_else(|| format!("{row:?}: can't be done"))?;
        let expected = match row.job {
            "frame" => format!("{frame}\n").into_bytes(),
            "trip" => text(more).into_bytes(),
            // What is added changes nothing in the fields that are asked for.
            "fields" | "check" | "ok200" | "ok200-checked" => of_same_job(&small, row).unwrap_or_default(),
            // It stands in the way on as it stands here.
            _ => spliced(&of_same_job(&small, row).unwrap_or_default(), more),
        };
        if answer != expected {
            return Err(format!("{row:?}: the answer is not what the message was made of"));
        }
    }
    Ok(watched)
}

fn of_same_job(rows: &[Row], like: &Row) -> Option<Vec<u8>> {
    rows.iter().find(|row| row.peer == like.peer && row.job == like.job)?.answer()
}

/// A message with the additional fields where [`text`] has them.
fn spliced(message: &[u8], more: &[(String, String)]) -> Vec<u8> {
    let message = String::from_utf8_lossy(message);
    let mut fields = String::new();
    more.iter().for_each(|(name, value)| _ = write!(fields, "{name}: {value}\r\n"));
    let behind = FIELDS.get(FIELDS.len() / 2).map_or("", |(name, _)| *name);
    message.replacen(&format!("\r\n{behind}: "), &format!("\r\n{fields}{behind}: "), 1).into_bytes()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn sizes_are_what_names_say() {
        let messages = growth().unwrap();
        let names: Vec<&str> = messages.iter().map(|rows| rows.first().unwrap().message.as_str()).collect();
        assert_eq!(names.first(), Some(&"lines-16"));
        assert_eq!(names.last(), Some(&"bytes-65536"));
        assert_eq!(names.len(), 10);
        for rows in &messages {
            let row = rows.iter().find(|row| row.job == "trip").unwrap();
            let trip = row.answer().unwrap();
            let size = row.message.rsplit('-').next().unwrap().parse::<usize>().unwrap();
            if row.message.starts_with("lines") {
                assert_eq!(trip.split(|&b| b == b'\n').count() - 3, size);
            } else {
                assert_eq!(trip.len(), size - FREE_BYTES);
            }
        }
    }
}

//! The messages of one call as a ladder: a column for each party, a line for each message.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;

use ringback_message::Message;

use crate::trace::{Record, Sent, What};

/// How wide a column is, in characters.
const COLUMN: usize = 22;

/// How many lines a ladder has at most: the last ones.
pub const LINES_MAX: usize = 400;

/// How many lines a list has at most: the last ones.
pub const LIST_LINES_MAX: usize = 60;

/// Draws the messages among these records.
///
/// ```text
///     time  alice                 server                bob
/// 0.000000  |------ INVITE 1 ---->|                     |
/// 0.012000  |<-- 407 INVITE 1 ----|                     |
/// 0.040000  |                     |------ INVITE 2 --x  |                     lost
/// ```
#[must_use]
pub fn ladder<'a>(records: impl Iterator<Item = &'a Record>, names: &BTreeMap<SocketAddr, String>) -> String {
    let mut rows: Vec<(u64, &SocketAddr, &SocketAddr, &[u8], Sent)> = records
        .filter_map(|record| match &record.what {
            What::Sent { from, to, bytes, fate } => Some((record.at.0, from, to, &bytes[..], *fate)),
            _ => None,
        })
        .collect();
    let skipped = rows.len().saturating_sub(LINES_MAX);
    rows.drain(..skipped);
    let mut columns: Vec<String> = Vec::new();
    for (_, from, to, ..) in &rows {
        for address in [from, to] {
            let name = name_of(address, names);
            if !columns.contains(&name) {
                columns.push(name);
            }
        }
    }
    let mut text = String::new();
    if skipped > 0 {
        _ = writeln!(text, "… {skipped} messages before");
    }
    _ = write!(text, "{:>13}  ", "time");
    columns.iter().for_each(|name| _ = write!(text, "{name:<COLUMN$}"));
    text.truncate(text.trim_end().len());
    text.push('\n');
    for (at, from, to, bytes, sent) in rows {
        let place = |address| columns.iter().position(|column| *column == name_of(address, names)).unwrap_or(0);
        _ = writeln!(text, "{}", row(at, (place(from), place(to)), columns.len(), &label(bytes), sent));
    }
    text
}

/// The last messages among these records, of whatever calls, a line for each.
#[must_use]
pub fn list<'a>(records: impl Iterator<Item = &'a Record>, names: &BTreeMap<SocketAddr, String>) -> String {
    let lines: Vec<String> = records
        .filter_map(|record| match &record.what {
            What::Sent { from, to, bytes, fate } => {
                let at = format!("{:>6}.{:06}", record.at.0 / 1_000_000, record.at.0 % 1_000_000);
                let (from, to) = (name_of(from, names), name_of(to, names));
                let call_id = ringback_transport::peek_call_id(bytes).unwrap_or_default().escape_ascii();
                let line = format!("{at}  {from} > {to}  {}  {call_id}  {}", label(bytes), remarks(*fate));
                Some(line.trim_end().to_owned() + "\n")
            }
            _ => None,
        })
        .collect();
    let skipped = lines.len().saturating_sub(LIST_LINES_MAX);
    lines.into_iter().skip(skipped).collect()
}

fn name_of(address: &SocketAddr, names: &BTreeMap<SocketAddr, String>) -> String {
    names.get(address).cloned().unwrap_or_else(|| address.to_string())
}

fn row(at: u64, (from, to): (usize, usize), columns: usize, label: &str, sent: Sent) -> String {
    let mut line = format!("{:>6}.{:06}  ", at / 1_000_000, at % 1_000_000);
    let (left, right) = (from.min(to), from.max(to));
    let mut column = 0;
    while column < columns {
        line.push('|');
        if column != left {
            line.push_str(&" ".repeat(COLUMN - 1));
            column += 1;
            continue;
        }
        if left == right {
            _ = write!(line, "{:<width$}", format!("@ {label}"), width = COLUMN - 1);
            column += 1;
            continue;
        }
        let width = (right - left) * COLUMN - 1;
        line.push_str(&arrow(label, width, from < to, sent.copies > 0));
        column = right;
    }
    line.push_str(&remarks(sent));
    line.truncate(line.trim_end().len());
    line
}

fn remarks(sent: Sent) -> String {
    let mut remarks = Vec::new();
    match sent {
        Sent { cut_off: true, .. } => remarks.push("cut off".to_owned()),
        Sent { too_large: true, .. } => remarks.push("too large".to_owned()),
        Sent { copies: 0, .. } => remarks.push("lost".to_owned()),
        Sent { copies: 1, .. } => {}
        Sent { copies, .. } => remarks.push(format!("arrives {copies} times")),
    }
    if sent.damaged {
        remarks.push("damaged".to_owned());
    }
    remarks.join(", ")
}

fn arrow(label: &str, width: usize, rightwards: bool, arrives: bool) -> String {
    let label: String = label.chars().take(width.saturating_sub(8)).collect();
    let shaft = width.saturating_sub(label.chars().count()).saturating_sub(3);
    let (before, after) = ("-".repeat(shaft / 2), "-".repeat(shaft - shaft / 2));
    match (rightwards, arrives) {
        (true, true) => format!("{before} {label} {after}>"),
        (true, false) => format!("{before} {label} {}x", after.get(1..).unwrap_or_default()) + " ",
        (false, true) => format!("<{before} {label} {after}"),
        (false, false) => format!(" x{} {label} {after}", before.get(1..).unwrap_or_default()),
    }
}

/// `INVITE 2` or `407 INVITE 2`, with the CSeq number.
fn label(bytes: &[u8]) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let Ok(message) = Message::parse(bytes::Bytes::copy_from_slice(bytes)) else {
        return format!("({} bytes)", bytes.len());
    };
    let cseq = message.first(ringback_message::HeaderId::CSeq).map(|header| text(header.value())).unwrap_or_default();
    let mut words = cseq.split_whitespace();
    let (number, method) = (words.next().unwrap_or("?"), words.next().unwrap_or("?"));
    match (message.status(), message.method_text()) {
        (Some(status), _) => format!("{} {method} {number}", status.as_u16()),
        (None, Some(method)) => format!("{} {number}", text(method)),
        (None, None) => format!("({} bytes)", bytes.len()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use bytes::Bytes;
    use ringback_base::Micros;

    #[test]
    fn a_call_is_drawn() {
        let [alice, server, bob] =
            ["192.0.2.7:5060", "192.0.2.1:5060", "192.0.2.9:5060"].map(|a| a.parse::<SocketAddr>().unwrap());
        let names = BTreeMap::from([(alice, "alice".into()), (server, "server".into()), (bob, "bob".into())]);
        let request = Bytes::from_static(b"INVITE sip:b SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n");
        let response = Bytes::from_static(b"SIP/2.0 180 Ringing\r\nCSeq: 1 INVITE\r\n\r\n");
        let whole = Sent { copies: 1, ..Sent::default() };
        let sent = |at, from, to, bytes: &Bytes, fate| Record {
            at: Micros(at),
            what: What::Sent { from, to, bytes: bytes.clone(), fate },
        };
        let records = [
            sent(0, alice, server, &request, whole),
            sent(1_000, server, bob, &request, Sent::default()),
            sent(501_000, server, bob, &request, Sent { copies: 2, damaged: true, ..Sent::default() }),
            sent(502_000, bob, server, &response, Sent { cut_off: true, ..Sent::default() }),
            sent(503_000, server, alice, &response, whole),
            sent(504_000, server, server, &request, whole),
            sent(505_000, alice, bob, &Bytes::from_static(b"noise"), whole),
        ];
        let drawn = ladder(records.iter(), &names);
        let expected = "         time  alice                 server                bob
     0.000000  |----- INVITE 1 ----->|                     |
     0.001000  |                     |----- INVITE 1 ----x |                     lost
     0.501000  |                     |----- INVITE 1 ----->|                     arrives 2 times, damaged
     0.502000  |                     | x-- 180 INVITE 1 ---|                     cut off
     0.503000  |<--- 180 INVITE 1 ---|                     |
     0.504000  |                     |@ INVITE 1           |
     0.505000  |--------------- (5 bytes) ---------------->|
";
        assert_eq!(drawn, expected, "\n{drawn}");
    }
}

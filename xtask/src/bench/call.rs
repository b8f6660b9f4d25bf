//! Whole calls at one endpoint beside the reading of the same messages, in instructions.

use std::path::Path;

use super::table::{ratio, table, whole};
use super::{Report, build, machine};
use crate::growth::entries;
use crate::project::Project;

/// The function of the program that is counted.
const COUNTED: &str = "ringback_bench_call::measured";

const LEGEND: &str = "\
call       an endpoint without sockets: INVITE to BYE, both descriptions negotiated, until the last timer has let go of it
reading    the messages that come in, parsed and checked, and nothing else
A callee gets INVITE, ACK, BYE and sends 100, 180, 200, 200; a caller sends INVITE, ACK, BYE and gets 180, 200, 200.
";

/// A line of the program, and what it took.
#[derive(Debug, PartialEq)]
struct Entry<'a> {
    side: &'a str,
    what: &'a str,
    calls: f64,
    messages: f64,
    bytes: f64,
    instructions: f64,
}

pub(super) fn measure(project: &Project, reference: &Path) -> Result<Report, String> {
    let mut report = Report::default();
    if machine::find("valgrind").is_none() {
        report.missing.push("valgrind (Debian: valgrind): no instructions of calls are counted".to_owned());
        return Ok(report);
    }
    build(project, &["ringback-bench"], &[])?;
    eprintln!("call: instructions");
    let (folder, program) =
        (project.target().join("bench/calls"), project.target().join("release/ringback-bench-call"));
    match entries(&folder, &program, &[&reference.join("messages")], COUNTED) {
        Ok((said, counts)) => {
            let read: Option<Vec<Entry<'_>>> =
                said.lines().zip(counts).map(|(line, count)| Entry::read(line, count)).collect();
            report.text = text(&read.ok_or_else(|| format!("what the program printed: {said}"))?);
        }
        Err(fault) => report.faults.push(fault),
    }
    Ok(report)
}

impl Entry<'_> {
    fn read(line: &str, count: u64) -> Option<Entry<'_>> {
        let mut cells = line.split('\t');
        let (side, what) = (cells.next()?, cells.next()?);
        let mut number = || cells.next()?.parse().ok();
        let (calls, messages, bytes) = (number()?, number()?, number()?);
        Some(Entry { side, what, calls, messages, bytes, instructions: count as f64 })
    }
}

/// A line for each side: its two entries stand together.
fn text(entries: &[Entry<'_>]) -> String {
    let head = ["side", "messages in", "bytes", "call", "reading", "call / reading"];
    let row = |pair: &[Entry<'_>]| {
        let of = |what: &str| pair.iter().find(|entry| entry.what == what);
        let each =
            |entry: Option<&Entry<'_>>, value: fn(&Entry<'_>) -> f64| entry.map(|entry| value(entry) / entry.calls);
        let (call, read) = (of("call"), of("read"));
        let cost = |entry| each(entry, |entry| entry.instructions);
        vec![
            pair.first().map_or("", |entry| entry.side).to_owned(),
            whole(each(read, |entry| entry.messages)),
            whole(each(read, |entry| entry.bytes)),
            whole(cost(call)),
            whole(cost(read)),
            ratio(cost(call), cost(read)),
        ]
    };
    let rows: Vec<Vec<String>> = entries.chunk_by(|one, other| one.side == other.side).map(row).collect();
    format!("# Calls\n\nInstructions a call at one endpoint:\n\n{}\n{LEGEND}", table(&head.map(str::to_owned), &rows))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_call_stands_beside_its_reading() {
        let lines = [("callee\tcall\t64\t192\t128000", 6_400_000), ("callee\tread\t64\t192\t128000", 1_280_000)];
        let entries: Vec<Entry<'_>> = lines.iter().map(|(line, count)| Entry::read(line, *count).unwrap()).collect();
        let text = text(&entries);
        let row = text.lines().find(|line| line.starts_with("| callee")).unwrap();
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!(cells, ["", "callee", "3", "2000", "100000", "20000", "5.00", ""]);
        assert_eq!(Entry::read("callee\tcall\t64", 1), None);
    }
}

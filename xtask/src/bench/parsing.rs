//! The parsing jobs: the program of `bench/`, natively for time and under callgrind for instructions.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::table::{ratio, table, whole};
use super::{Report, Wish, build, machine, median, output};
use crate::project::Project;

/// Peer and job of each column, and the name that the table has for it; the second is what the others are held against.
const COLUMNS: &[(&str, &str, &str)] = &[
    ("ref-memchr-lines", "frame", "line scan"),
    ("httparse", "frame", "httparse"),
    ("ringback", "frame", "frame"),
    ("ringback", "fields", "fields"),
    ("ringback", "check", "check"),
    ("ringback", "trip", "trip"),
    ("ringback", "ok200", "ok200"),
    ("ringback", "ok200-checked", "ok200 checked"),
    ("ringback", "forward", "forward"),
];

const LEGEND: &str = "\
line scan  finds the line ends and nothing else: no parser is faster
httparse   reads the same header fields as those of an HTTP response
frame      Ringback: the message, its lines by name and place
fields     frame, then start line, top Via, From, To, Call-ID, CSeq, Contact, Max-Forwards as structured values
check      frame, then the fields that every message must have verified, as the server does
trip       frame, then written into a fresh buffer
ok200      a 200 from a request that was read beforehand, written; not checked against the registry, as no peer does
... checked  the same with a Contact, its values read back and held against the registry: what users call
forward    a request that was read beforehand with a Via added, Max-Forwards lowered, Request-URI replaced, written
Time is CPU time of the thread, the median of batches that take turns; instructions are callgrind's, the difference of a batch
and one of twice its size. Each answer was compared with what another program reads from the same bytes.
";

/// Peer, job, message.
type Key = (String, String, String);

#[derive(Debug, Default)]
struct Figures {
    ns: BTreeMap<Key, Vec<f64>>,
    allocations: BTreeMap<Key, f64>,
    instructions: BTreeMap<Key, f64>,
    growth: String,
}

/// So many times what a line or byte costs in the smallest message it may cost in the largest: the processor copies long
/// stretches in another way than short ones, and callgrind counts that way by the byte.
const GROWTH_MAX: f64 = 1.5;

pub(super) fn measure(project: &Project, reference: &Path, wish: &Wish) -> Result<Report, String> {
    let mut report = Report::default();
    let counts = prepare(project, &mut report)?;
    let program = project.target().join("release/ringback-bench");
    let messages = reference.join("messages");
    let mut figures = Figures::default();
    for round in 1..=wish.rounds {
        eprintln!("parse: time, round {round} of {}", wish.rounds);
        let mut command = Command::new(&program);
        command.arg("time").arg(&messages).args(wish.quick.then_some("--quick"));
        match output(command) {
            Ok(text) => text.lines().for_each(|line| figures.timed(line)),
            Err(fault) => {
                report.faults.push(fault);
                return Ok(report);
            }
        }
    }
    if counts {
        eprintln!("parse: instructions");
        let folder = project.target().join("bench/callgrind");
        let arguments = [OsStr::new("count"), messages.as_os_str()];
        if let Err(fault) = count(&program, &arguments, &folder, wish.quick).map(|dumps| figures.counted(&dumps)) {
            report.faults.push(fault);
        }
        let mut grown = Figures::default();
        match count(&program, &[OsStr::new("grow")], &folder, wish.quick).map(|dumps| grown.counted(&dumps)) {
            Ok(()) => report.faults.extend(grown.faster_than_linear()),
            Err(fault) => report.faults.push(fault),
        }
        figures.growth = grown.growth_text();
    }
    report.text = figures.text(&messages);
    Ok(report)
}

/// Builds the program; false where it can't count instructions, which the report then says.
fn prepare(project: &Project, report: &mut Report) -> Result<bool, String> {
    if machine::find("valgrind").is_none() {
        report.missing.push("valgrind (Debian: valgrind): no instructions are counted".to_owned());
    } else if let Err(fault) = build(project, &["ringback-bench"], &["ringback-bench/callgrind"]) {
        report.missing.push(format!("valgrind's headers or a C compiler: no instructions are counted\n{fault}"));
    } else {
        return Ok(true);
    }
    build(project, &["ringback-bench"], &[]).map(|()| false)
}

/// Runs the program under callgrind and returns the dumps that it asked for.
fn count(program: &Path, arguments: &[&OsStr], folder: &PathBuf, quick: bool) -> Result<Vec<String>, String> {
    let fault = |error: std::io::Error| format!("{}: {error}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(fault)?;
    }
    fs::create_dir_all(folder).map_err(fault)?;
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", &format!("--callgrind-out-file={}/dump", folder.display())]);
    command.arg(program).args(arguments).args(quick.then_some("--quick"));
    output(command)?;
    let read = |entry: std::io::Result<fs::DirEntry>| {
        fs::read(entry?.path()).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    };
    fs::read_dir(folder).map_err(fault)?.map(|entry| read(entry).map_err(fault)).collect()
}

/// Label and instructions of a dump that the program asked for.
fn dump(text: &str) -> Option<(Key, u64, f64)> {
    let after = |start: &str| text.lines().find_map(|line| line.strip_prefix(start));
    let mut label = after("desc: Trigger: Client Request: ")?.split('|').map(str::to_owned);
    let key = (label.next()?, label.next()?, label.next()?);
    let runs = label.next()?.parse().ok()?;
    Some((key, runs, after("totals: ").or_else(|| after("summary: "))?.trim().parse().ok()?))
}

impl Figures {
    /// A line of peer, job, message, ns, allocations.
    fn timed(&mut self, line: &str) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [peer, job, message, ns, allocations] = cells.as_slice() else { return };
        let key = (peer.to_string(), job.to_string(), message.to_string());
        if let (Ok(ns), Ok(allocations)) = (ns.parse(), allocations.parse()) {
            self.allocations.insert(key.clone(), allocations);
            self.ns.entry(key).or_default().push(ns);
        }
    }

    /// What a run takes is what more runs take more.
    fn counted(&mut self, dumps: &[String]) {
        let mut batches: BTreeMap<Key, BTreeMap<u64, f64>> = BTreeMap::new();
        for (key, runs, total) in dumps.iter().filter_map(|text| dump(text)) {
            batches.entry(key).or_default().insert(runs, total);
        }
        for (key, batch) in batches {
            if let (Some((few, less)), Some((many, more))) = (batch.first_key_value(), batch.last_key_value())
                && many > few
            {
                self.instructions.insert(key, (more - less) / (many - few) as f64);
            }
        }
    }

    /// Each job by what grows (lines or bytes): its instructions by size.
    fn grown(&self) -> BTreeMap<(&str, &str), BTreeMap<u64, f64>> {
        let mut grown: BTreeMap<_, BTreeMap<u64, f64>> = BTreeMap::new();
        for ((_, job, message), instructions) in &self.instructions {
            let Some((what, size)) = message.split_once('-') else { continue };
            if let Ok(size) = size.parse() {
                grown.entry((what, job.as_str())).or_default().insert(size, *instructions);
            }
        }
        grown
    }

    fn faster_than_linear(&self) -> Vec<String> {
        let grown = self.grown();
        let steep = grown.iter().filter(|(_, costs)| growth(costs).is_some_and(|growth| growth > GROWTH_MAX));
        steep
            .map(|((what, job), costs)| format!("{job} grows faster than the message in {what}: {costs:.0?}"))
            .collect()
    }

    fn growth_text(&self) -> String {
        let grown = self.grown();
        let each = |size: Option<(&u64, &f64)>| {
            size.map_or_else(|| "–".to_owned(), |(size, n)| format!("{:.1}", n / *size as f64))
        };
        let rows = grown.iter().map(|((what, job), costs)| {
            let (first, last) = (costs.first_key_value(), costs.last_key_value());
            let sizes = [first, last].map(|cost| cost.map_or(0, |(size, _)| *size));
            vec![
                format!("{job}, {} to {} {what}", sizes[0], sizes[1]),
                whole(last.map(|(_, n)| *n)),
                each(first),
                each(last),
            ]
        });
        let head = ["job", "instructions for the largest", "for each in the smallest", "in the largest"];
        table(&head.map(str::to_owned), &rows.collect::<Vec<_>>())
    }

    fn text(&self, messages: &Path) -> String {
        let names: Vec<&String> = self.ns.keys().filter(|key| key.0 == "httparse").map(|key| &key.2).collect();
        let mut text = String::from("# Parsing\n");
        let head = |first: &str| {
            let names = COLUMNS.iter().map(|column| column.2.to_owned());
            std::iter::once(first.to_owned()).chain(names).collect::<Vec<_>>()
        };
        let mut add = |title: &str, cell: &dyn Fn(&Key, &Key) -> String| {
            let row = |name: &&String| {
                let key = |(peer, job, _): &(&str, &str, &str)| (peer.to_string(), job.to_string(), name.to_string());
                let base = COLUMNS.get(1).map(key).unwrap_or_default();
                let bytes = fs::metadata(messages.join(format!("{name}.sip"))).map_or(0, |file| file.len());
                let cells = COLUMNS.iter().map(|column| cell(&key(column), &base));
                std::iter::once(format!("{name}, {bytes} bytes")).chain(cells).collect::<Vec<_>>()
            };
            let rows: Vec<Vec<String>> = names.iter().map(row).collect();
            text.push_str(&format!("\n{title}\n\n{}", table(&head("message"), &rows)));
        };
        let ns = |key: &Key| self.ns.get(key).and_then(|values| median(values));
        let instructions = |key: &Key| self.instructions.get(key).copied();
        let with_ratio = |value: Option<f64>, base: Option<f64>| match value {
            Some(_) => format!("{} ×{}", whole(value), ratio(value, base)),
            None => whole(None),
        };
        add("Nanoseconds a message, and how many times httparse's:", &|key, base| with_ratio(ns(key), ns(base)));
        if !self.instructions.is_empty() {
            add("Instructions a message, and how many times httparse's:", &|key, base| {
                with_ratio(instructions(key), instructions(base))
            });
        }
        add("Allocations a message:", &|key, _| whole(self.allocations.get(key).copied()));
        if !self.growth.is_empty() {
            text.push_str(&format!(
                "\nInstructions for messages that double in size, in lines and in bytes of one value:\n\n{}",
                self.growth
            ));
        }
        text.push('\n');
        text.push_str(LEGEND);
        text
    }
}

/// How many times what each line or byte of the smallest message costs, it costs in the largest.
fn growth(costs: &BTreeMap<u64, f64>) -> Option<f64> {
    let each = |(size, cost): (&u64, &f64)| cost / *size as f64;
    Some(each(costs.last_key_value()?) / each(costs.first_key_value()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn key(job: &str) -> Key {
        ("ringback".to_owned(), job.to_owned(), "invite".to_owned())
    }

    #[test]
    fn what_a_run_takes_is_the_difference_of_the_batches() {
        let dump = |runs: u64, total: u64| {
            format!(
                "version: 1\ndesc: Trigger: Client Request: ringback|frame|invite|{runs}\nevents: Ir\nsummary: 1\n\ntotals: {total}\n"
            )
        };
        let mut figures = Figures::default();
        figures.counted(&[
            dump(200, 2_500),
            dump(100, 1_500),
            "desc: Trigger: Program termination\ntotals: 9\n".to_owned(),
        ]);
        assert_eq!(figures.instructions, BTreeMap::from([(key("frame"), 10.0)]));
    }

    #[test]
    fn what_grows_faster_than_the_message_is_named() {
        let mut figures = Figures::default();
        for (what, costs) in [("lines", [100.0, 190.0, 400.0]), ("bytes", [100.0, 300.0, 900.0])] {
            for (size, cost) in [16, 32, 64].into_iter().zip(costs) {
                let key = ("ringback".to_owned(), "frame".to_owned(), format!("{what}-{size}"));
                figures.instructions.insert(key, cost);
            }
        }
        let faults = figures.faster_than_linear();
        assert_eq!(faults.len(), 1);
        assert!(
            faults.iter().any(|fault| fault.starts_with("frame grows faster than the message in bytes")),
            "{faults:?}"
        );
        assert!(figures.growth_text().contains("| frame, 16 to 64 lines |"), "{}", figures.growth_text());
    }

    #[test]
    fn a_table_has_every_message_and_a_dash_for_what_does_not_apply() {
        let mut figures = Figures::default();
        for line in [
            "httparse\tframe\tinvite\t200.0\t0.0",
            "ringback\tframe\tinvite\t300.0\t0.0",
            "noise",
            "ringback\tok200\tinvite\t-\t-",
        ] {
            figures.timed(line);
        }
        let text = figures.text(Path::new("nowhere"));
        let row = text.lines().find(|line| line.starts_with("| invite")).unwrap();
        assert!(row.contains(" 200 ×1.00 | 300 ×1.50 |"), "{row}");
        assert!(row.ends_with("– |"), "{row}");
    }
}

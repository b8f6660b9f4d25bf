//! Reading captures: a hundred megabytes of simulated calls, by our reader and tools, tshark and sngrep, which take turns.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::table::{ratio, table, whole};
use super::{Report, Wish, build, machine, median, output};
use crate::project::Project;

const MEGABYTES: u64 = 100;
const MEGABYTES_QUICK: u64 = 5;

const LEGEND: &str = "\
Seconds of CPU, user and system, of the whole process, median of rounds; frames a second of CPU; and CPU as a multiple of that of the
first row. A message is what the reader says is one.
read           our reader, and each message with its lines found: what the tools do before they show anything
lint           ringback lint --only error: the rules that find errors on each message, responses with their requests
decode --json  ringback decode --json: every value of every header field, written
tshark         tshark -n -r FILE -Y sip -T fields -e frame.number
sngrep         sngrep -N -q -l 1000000 -I FILE -O /dev/null: dialogs kept, none shown
";

/// Somebody who reads the file, whose place stands for `FILE`.
struct Reader {
    name: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    /// How many messages its output tells of, where it tells.
    messages: fn(&str) -> Option<u64>,
}

const READERS: &[Reader] = &[
    Reader {
        name: "read",
        program: "ringback-bench-capture",
        arguments: &["read", "FILE"],
        messages: |said| before(said, " messages"),
    },
    Reader {
        name: "lint",
        program: "ringback",
        arguments: &["lint", "--only", "error", "FILE"],
        messages: |said| before(said.lines().last()?, " messages"),
    },
    Reader {
        name: "decode --json",
        program: "ringback",
        arguments: &["decode", "--json", "FILE"],
        messages: |said| number(said.lines().filter(|line| line.starts_with("{\"message\":")).count()),
    },
    Reader {
        name: "tshark",
        program: "tshark",
        arguments: &["-n", "-r", "FILE", "-Y", "sip", "-T", "fields", "-e", "frame.number"],
        messages: |said| number(said.lines().count()),
    },
    Reader {
        name: "sngrep",
        program: "sngrep",
        arguments: &["-N", "-q", "-l", "1000000", "-I", "FILE", "-O", "/dev/null"],
        messages: |_| None,
    },
];

/// One reader's figures.
#[derive(Debug, Default)]
struct Row {
    name: &'static str,
    cpu_s: Vec<f64>,
    wall_s: Vec<f64>,
    messages: Option<u64>,
}

pub(super) fn measure(project: &Project, wish: &Wish) -> Result<Report, String> {
    let mut report = Report::default();
    build(project, &["ringback-bench", "ringback-cli"], &[])?;
    let folder = project.target().join("bench/capture");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let file = folder.join("simulated.pcap");
    let megabytes = if wish.quick { MEGABYTES_QUICK } else { MEGABYTES };
    eprintln!("capture: {megabytes} MB of simulated calls");
    let own = |program: &str| project.target().join("release").join(program);
    let mut command = Command::new(own("ringback-bench-capture"));
    command.arg("write").arg(&file).arg(megabytes.to_string());
    let written = output(command)?;
    let mut command = Command::new(own("ringback-bench-capture"));
    command.arg("read").arg(&file);
    let frames = before(&output(command)?, " frames");
    let mut rows: Vec<Row> = READERS.iter().map(|reader| Row { name: reader.name, ..Row::default() }).collect();
    for round in 0..wish.rounds {
        let mut turns: Vec<(&Reader, &mut Row)> = READERS.iter().zip(&mut rows).collect();
        // Back and forth, so that none has always the same one before it.
        if round % 2 == 1 {
            turns.reverse();
        }
        for (reader, row) in turns {
            let program =
                Some(own(reader.program)).filter(|path| path.is_file()).or_else(|| machine::find(reader.program));
            let Some(program) = program else {
                report.missing.push(format!("{} (Debian: apt-get install {0})", reader.program));
                continue;
            };
            eprintln!("capture: round {} of {}, {}", round + 1, wish.rounds, reader.name);
            match timed(&program, reader.arguments, &file, &folder.join("output")) {
                Ok((cpu_s, wall_s)) => {
                    row.cpu_s.push(cpu_s);
                    row.wall_s.push(wall_s);
                }
                Err(fault) => report.faults.push(format!("{}: {fault}", reader.name)),
            }
            let said = fs::read(folder.join("output")).unwrap_or_default();
            row.messages = (reader.messages)(&String::from_utf8_lossy(&said));
        }
    }
    _ = fs::remove_file(folder.join("output"));
    report.missing.sort();
    report.missing.dedup();
    // The two tools must agree; what another takes for a message is its own affair, and shown.
    let tools: Vec<Option<u64>> = rows.iter().skip(1).take(2).map(|row| row.messages).collect();
    if report.faults.is_empty() && (tools.first() != tools.last() || tools.contains(&None)) {
        report.faults.push(format!("capture: lint and decode count {tools:?} messages"));
    }
    report.text = format!("## Captures\n\n{}{}\n{LEGEND}", head(&written, frames), text(&rows, frames));
    Ok(report)
}

fn head(written: &str, frames: Option<u64>) -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Vec<&str> = load.split_whitespace().take(3).collect();
    let versions = [("tshark", "-v"), ("sngrep", "-V")].map(|(program, flag)| {
        let output = machine::find(program).and_then(|path| Command::new(path).arg(flag).output().ok());
        let said = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        format!("{program} {}", version(&said).unwrap_or("?"))
    });
    let frames = frames.unwrap_or(0);
    format!("{}, {frames} frames; {}; load at the end {}\n\n", written.trim(), versions.join("; "), load.join(" "))
}

fn text(rows: &[Row], frames: Option<u64>) -> String {
    let first = rows.first().and_then(|row| median(&row.cpu_s));
    let cells = |row: &Row| {
        let cpu = median(&row.cpu_s);
        let seconds = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
        let spread = row.cpu_s.iter().copied().reduce(f64::min).zip(row.cpu_s.iter().copied().reduce(f64::max));
        let spread = spread.map_or_else(String::new, |(least, most)| format!(" ({least:.3}–{most:.3})"));
        let rate = frames.zip(cpu.filter(|cpu| *cpu > 0.0)).map(|(frames, cpu)| frames as f64 / cpu);
        vec![
            row.name.to_owned(),
            row.messages.map_or_else(|| "–".to_owned(), |count| count.to_string()),
            format!("{}{spread}", seconds(cpu)),
            seconds(median(&row.wall_s)),
            whole(rate),
            ratio(cpu, first),
        ]
    };
    let head = ["reader", "messages", "CPU, s", "wall, s", "frames a CPU second", "× read"].map(str::to_owned);
    table(&head, &rows.iter().map(cells).collect::<Vec<_>>())
}

/// Seconds of CPU and by the clock. The shell's `time` counts what the process took, whatever it is.
fn timed(program: &Path, arguments: &[&str], file: &Path, out: &Path) -> Result<(f64, f64), String> {
    let mut command = Command::new("bash");
    let script = "out=$1; shift; TIMEFORMAT='%U %S %R'; time \"$@\" > \"$out\" 2> /dev/null < /dev/null; echo $? > \"$out.status\"";
    command.args(["-c", script, "bash"]).arg(out).arg(program).env("LC_NUMERIC", "C");
    command.args(arguments.iter().map(|word| if *word == "FILE" { file.as_os_str() } else { word.as_ref() }));
    let output = command.output().map_err(|error| format!("bash: {error}"))?;
    let status_file = out.with_extension("status");
    let status = fs::read_to_string(&status_file).unwrap_or_default();
    _ = fs::remove_file(&status_file);
    // Whoever found something wrong in the messages says 1.
    if !matches!(status.trim(), "0" | "1") {
        return Err(format!("it ended with {}", status.trim()));
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let words: Vec<f64> = said.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    match words.as_slice() {
        [user, system, wall] => Ok((user + system, *wall)),
        _ => Err(format!("what the shell said: {said}")),
    }
}

/// The number that stands before these words.
fn before(said: &str, words: &str) -> Option<u64> {
    let (before, _) = said.split_once(words)?;
    before.rsplit(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn number(count: usize) -> Option<u64> {
    u64::try_from(count).ok()
}

/// The first word that looks like a version.
fn version(said: &str) -> Option<&str> {
    said.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'))
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_say_is_understood() {
        let said = "189773 frames, 189204 messages, 91236439 bytes, 1188 not read whole\n";
        assert_eq!((before(said, " frames"), before(said, " messages")), (Some(189_773), Some(189_204)));
        assert_eq!(before("nothing", " frames"), None);
        assert_eq!(version("TShark (Wireshark) 4.0.17 (Git v4.0.17 packaged)"), Some("4.0.17"));
        assert_eq!(version("sngrep - 1.6.0\nCopyright (C) 2013"), Some("1.6.0"));
    }

    #[test]
    fn figures_are_medians_and_multiples() {
        let row = |name, cpu_s: &[f64]| Row { name, cpu_s: cpu_s.to_vec(), wall_s: vec![1.0], messages: Some(9) };
        let text = text(&[row("a", &[0.5, 0.1, 0.2]), row("b", &[0.6])], Some(100));
        let lines: Vec<&str> = text.lines().skip(2).collect();
        assert!(lines[0].contains("0.200 (0.100–0.500)") && lines[0].contains(" 500 |"), "{text}");
        assert!(lines[1].ends_with(" 3.00 |"), "{text}");
    }
}

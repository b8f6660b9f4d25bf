//! The parsing jobs as a program that the reference's `run.py` can drive.
//!
//! ```text
//! ringback-bench time FOLDER [--quick]     lines of peer, job, message, ns, allocations
//! ringback-bench count FOLDER [--quick]    under callgrind: a dump for each batch
//! ringback-bench grow [--quick]            the same on messages that double in size
//! ringback-bench show FOLDER               what each job answers
//! ringback-bench check FOLDER              only compares the answers with the reference
//! ```
//!
//! Whatever is asked, but `show`, begins with the comparison, and ends where it fails.

use std::collections::HashMap;
use std::io::{Write, stdout};
use std::path::Path;
use std::process::{Command, ExitCode};

use ringback_bench::{Fault, Row, Size, check, count, growth, load, show, time};

const USAGE: &str = "usage: ringback-bench time|count|show|check FOLDER [--quick], or: ringback-bench grow [--quick]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["grow"] => grow(Size::Full),
        ["grow", "--quick"] => grow(Size::Quick),
        [mode, folder] => run(mode, folder, Size::Full),
        [mode, folder, "--quick"] => run(mode, folder, Size::Quick),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

fn grow(size: Size) -> Result<(), Fault> {
    growth()?.iter().try_for_each(|rows| count(rows, size))
}

fn run(mode: &str, folder: &str, size: Size) -> Result<(), Fault> {
    let messages = load(Path::new(folder))?;
    let mut out = stdout().lock();
    if mode != "show" {
        for rows in &messages {
            for message in check(rows)?.0 {
                eprintln!("{message}: not in the reference, so its answers are not checked");
            }
        }
    }
    match mode {
        "time" => {
            let counts = allocations(folder)?;
            let of = |row: &Row| counts.get(&[row.peer, row.job, &row.message].join("\t")).copied();
            messages.iter().try_for_each(|rows| time(rows, size, of, &mut out))
        }
        "count" => messages.iter().try_for_each(|rows| count(rows, size)),
        "show" => messages.iter().try_for_each(|rows| show(rows, &mut out)),
        "check" => {
            let jobs: usize = messages.iter().map(Vec::len).sum();
            writeln!(out, "{jobs} answers compared").map_err(|error| error.to_string())
        }
        _ => Err(USAGE.to_owned()),
    }
}

/// Asks the program beside this one: an allocator that counts costs time, so this program has none.
fn allocations(folder: &str) -> Result<HashMap<String, f64>, Fault> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let program = own.with_file_name("ringback-bench-allocations");
    let output = Command::new(&program).arg(folder).output();
    let output = output.map_err(|error| format!("{}: {error}; build the whole package", program.display()))?;
    if !output.status.success() {
        return Err(format!("{}: {}", program.display(), String::from_utf8_lossy(&output.stderr).trim()));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text
        .lines()
        .filter_map(|line| line.rsplit_once('\t'))
        .filter_map(|(key, n)| Some((key.to_owned(), n.parse().ok()?)))
        .collect())
}

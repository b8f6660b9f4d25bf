//! How a job is timed, counted and shown.

use std::fs;
use std::io::Write;
use std::path::Path;

use bytes::Bytes;
use rustix::time::{ClockId, clock_gettime};

use crate::{Fault, Row, rows};

/// How much is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Enough for figures.
    Full,
    /// Enough to see that it works.
    Quick,
}

impl Size {
    /// A batch lasts at least so long.
    const fn batch_ns(self) -> u64 {
        match self {
            Size::Full => 2_000_000,
            Size::Quick => 50_000,
        }
    }

    /// Batches of each job, of which the median counts.
    const fn batches(self) -> usize {
        match self {
            Size::Full => 9,
            Size::Quick => 3,
        }
    }

    /// The smaller of the two counted batches; the other has twice as many runs.
    const fn counted_runs(self) -> u64 {
        match self {
            Size::Full => 100,
            Size::Quick => 10,
        }
    }
}

/// Reads every `*.sip` of the folder, in order of their names, and makes its jobs: one list for each message.
///
/// # Errors
/// Where the folder or a file in it can't be read, or there is no message in it.
pub fn load(folder: &Path) -> Result<Vec<Vec<Row>>, Fault> {
    let fault = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| fault(folder, error))? {
        let path = entry.map_err(|error| fault(folder, error))?.path();
        if path.extension().is_some_and(|extension| extension == "sip") {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(format!("{}: no message (*.sip)", folder.display()));
    }
    let read = |path: &std::path::PathBuf| {
        let bytes = fs::read(path).map_err(|error| fault(path, error))?;
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(rows(&name, &Bytes::from(bytes)))
    };
    files.iter().map(read).collect()
}

/// Times the jobs of one message and prints a line for each: peer, job, message, ns and, from `allocations`, allocations.
///
/// The jobs take turns, so that a change of the machine's pace meets all of them.
///
/// # Errors
/// Where the line can't be written.
pub fn time(
    rows: &[Row],
    size: Size,
    allocations: impl Fn(&Row) -> Option<f64>,
    out: &mut impl Write,
) -> Result<(), Fault> {
    let runs: Vec<u64> = rows.iter().map(|row| runs_for(row, size)).collect();
    let mut times = vec![Vec::new(); rows.len()];
    for _ in 0..size.batches() {
        for ((row, runs), times) in rows.iter().zip(&runs).zip(&mut times) {
            times.push(batch_ns(row, *runs) as f64 / *runs as f64);
        }
    }
    for (row, times) in rows.iter().zip(times) {
        let allocations = allocations(row).ok_or_else(|| format!("{row:?}: its allocations were not counted"))?;
        let Row { peer, job, message, .. } = row;
        writeln!(out, "{peer}\t{job}\t{message}\t{:.1}\t{allocations:.1}", median(times))
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// How many runs make a batch that is long enough.
fn runs_for(row: &Row, size: Size) -> u64 {
    let mut runs = 16;
    while batch_ns(row, runs) <= size.batch_ns() {
        runs *= 2;
    }
    runs
}

/// CPU time of this thread for so many runs.
fn batch_ns(row: &Row, runs: u64) -> u64 {
    let began = cpu_ns();
    row.batch(runs);
    cpu_ns().saturating_sub(began)
}

fn cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let part = |n: i64| u64::try_from(n).unwrap_or(0);
    part(time.tv_sec) * 1_000_000_000 + part(time.tv_nsec)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Runs a batch and one of twice its size under callgrind, which writes down what each took: `peer|job|message|runs`.
///
/// # Errors
/// Where this program was built without the feature `callgrind`.
pub fn count(rows: &[Row], size: Size) -> Result<(), Fault> {
    for row in rows {
        row.batch(size.counted_runs());
        for runs in [size.counted_runs(), 2 * size.counted_runs()] {
            let Row { peer, job, message, .. } = row;
            let label = format!("{peer}|{job}|{message}|{runs}");
            counted(row, runs, &label)?;
        }
    }
    Ok(())
}

#[cfg(feature = "callgrind")]
fn counted(row: &Row, runs: u64, label: &str) -> Result<(), Fault> {
    crabgrind::callgrind::zero_stats();
    row.batch(runs);
    crabgrind::callgrind::dump_stats(label);
    Ok(())
}

#[cfg(not(feature = "callgrind"))]
fn counted(_: &Row, _: u64, _: &str) -> Result<(), Fault> {
    Err("built without the feature `callgrind`".to_owned())
}

/// Prints what each job answers.
///
/// # Errors
/// Where it can't be written.
pub fn show(rows: &[Row], out: &mut impl Write) -> Result<(), Fault> {
    for row in rows {
        let answer = row.answer().unwrap_or_else(|| b"UNREADABLE".to_vec());
        let written = writeln!(out, "--- {row:?}").and_then(|()| out.write_all(&answer)).and_then(|()| writeln!(out));
        written.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Prints a line for each job: peer, job, message, and what `measure` says of a batch of that many runs, per run.
///
/// # Errors
/// Where it can't be written.
pub fn allocations(rows: &[Row], measure: impl Fn(&dyn Fn()) -> usize, out: &mut impl Write) -> Result<(), Fault> {
    const RUNS: u64 = 16;
    for row in rows {
        row.batch(RUNS);
        let count = measure(&|| row.batch(RUNS)) as f64 / RUNS as f64;
        let Row { peer, job, message, .. } = row;
        writeln!(out, "{peer}\t{job}\t{message}\t{count}").map_err(|error| error.to_string())?;
    }
    Ok(())
}

//! Fuzzing: libFuzzer in process, on the compiler that is here. No tool has to be installed, and none is nightly.
//!
//! The targets are in the crate `ringback-fuzz`; `fuzz/driver` is built with the instrumentation that libFuzzer asks for, and
//! run once for each target, as many at a time as there are cores. It begins with the seeds of the tests and with what it found
//! before, which is kept in the target folder.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use crate::project::Project;
use crate::stages::{Verdict, finish};

/// As in `ringback_fuzz::TARGETS`.
const TARGETS: [&str; 12] = [
    "message",
    "stream",
    "uri",
    "headers",
    "multipart",
    "sdp",
    "digest",
    "capture",
    "lint",
    "resolve",
    "websocket",
    "stun",
];

/// So long is each target run in CI.
const CI_SECONDS: u64 = 15;
/// And so long at night.
const NIGHT_SECONDS: u64 = 30 * 60;

/// What the instrumentation is made of: counters at each edge, the operands of comparisons, no dead code left out.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Clink-dead-code --cfg fuzzing";

/// Inputs longer than this find nothing that a shorter one wouldn't.
const INPUT_BYTES_MAX: usize = 4_096;
/// One input that takes longer has found a hang.
const INPUT_SECONDS_MAX: u64 = 5;
/// What one run may keep in memory.
const MEMORY_MIB_MAX: u64 = 1_024;

/// When a target has run enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Enough {
    Seconds(u64),
    Runs(u64),
}

/// `cargo xtask fuzz [TARGET]... [--seconds N | --runs N]`
pub(crate) fn run(project: &Project, arguments: &[String]) -> Result<bool, String> {
    let (targets, enough) = read(arguments)?;
    let verdict = fuzz(project, &targets, enough);
    verdict.tell();
    Ok(verdict.is_good())
}

/// The stage of CI.
pub(crate) fn short(project: &Project) -> Verdict {
    fuzz(project, &TARGETS, Enough::Seconds(CI_SECONDS))
}

/// The stage of the night.
pub(crate) fn long(project: &Project) -> Verdict {
    fuzz(project, &TARGETS, Enough::Seconds(NIGHT_SECONDS))
}

fn read(arguments: &[String]) -> Result<(Vec<&'static str>, Enough), String> {
    let (mut targets, mut enough) = (Vec::new(), Enough::Seconds(CI_SECONDS));
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let value = arguments.next().and_then(|value| value.parse().ok());
            value.ok_or_else(|| format!("{argument} needs a number"))
        };
        match argument.as_str() {
            "--seconds" => enough = Enough::Seconds(number()?),
            "--runs" => enough = Enough::Runs(number()?),
            name => {
                let target = TARGETS.into_iter().find(|target| *target == name);
                targets.push(target.ok_or_else(|| format!("no target {name}: {}", TARGETS.join(", ")))?);
            }
        }
    }
    Ok((if targets.is_empty() { TARGETS.into() } else { targets }, enough))
}

fn fuzz(project: &Project, targets: &[&'static str], enough: Enough) -> Verdict {
    let Ok(host) = host() else { return Verdict::Missing("rustc -vV".to_owned()) };
    let place = project.target().join("fuzz");
    let mut command = project.cargo();
    command.args(["build", "--release", "--manifest-path", "fuzz/driver/Cargo.toml", "--target", &host]);
    // Given a target, cargo keeps these from build scripts.
    command.env("RUSTFLAGS", FLAGS).env("CARGO_TARGET_DIR", &place);
    match finish(command) {
        Verdict::Good => {}
        other => return other,
    }
    let driver = place.join(host).join("release/ringback-fuzz-driver");
    println!("{:<10} {:>12} {:>8} {:>8} {:>7}  result", "target", "executions", "seconds", "features", "corpus");
    let queue = Mutex::new(targets.iter().copied().collect::<VecDeque<_>>());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let complaints = std::thread::scope(|scope| {
        let work = || {
            let mut complaints = Vec::new();
            while let Some(target) = next() {
                complaints.extend(one(project, &driver, &place, target, enough).err());
            }
            complaints
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let ended = workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| vec!["a panic".to_owned()]));
        ended.flatten().collect()
    });
    Verdict::of(complaints)
}

/// Runs one target and prints its line; what it failed on is named.
fn one(project: &Project, driver: &Path, place: &Path, target: &str, enough: Enough) -> Result<(), String> {
    let doing =
        |what: &Path, result: std::io::Result<()>| result.map_err(|error| format!("{}: {error}", what.display()));
    let (found, lines, failures) =
        (place.join("corpus").join(target), place.join("seeds").join(target), place.join("failures"));
    for folder in [&found, &lines, &failures] {
        doing(folder, fs::create_dir_all(folder))?;
    }
    // A list is one seed a line; the fuzzer wants a file for each.
    let list = fs::read_to_string(project.path(&format!("fuzz/seeds/{target}.txt"))).unwrap_or_default();
    for (number, line) in list.lines().enumerate() {
        let file = lines.join(number.to_string());
        doing(&file, fs::write(&file, line))?;
    }
    let mut seeds = vec![found, lines, project.path(&format!("fuzz/corpus/{target}"))];
    if ["message", "stream", "lint"].contains(&target) {
        seeds.push(project.path("crates/ringback-message/tests/torture"));
    }
    let mut command = Command::new(driver);
    command.env("RINGBACK_FUZZ_TARGET", target);
    command.args(match enough {
        Enough::Seconds(seconds) => [format!("-max_total_time={seconds}")],
        Enough::Runs(runs) => [format!("-runs={runs}")],
    });
    // A commit is judged by the same draw each time; longer runs draw anew.
    if enough == Enough::Seconds(CI_SECONDS) {
        command.arg("-seed=1");
    }
    let prefix = failures.join(format!("{target}-"));
    command.arg(format!("-max_len={INPUT_BYTES_MAX}")).arg(format!("-timeout={INPUT_SECONDS_MAX}"));
    command.arg(format!("-rss_limit_mb={MEMORY_MIB_MAX}")).arg(format!("-artifact_prefix={}", prefix.display()));
    command.arg("-print_final_stats=1").args(seeds.iter().filter(|folder: &&PathBuf| folder.is_dir()));
    let output = command.output().map_err(|error| format!("{}: {error}", driver.display()))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let figures = Figures::read(&said);
    let Figures { executions, seconds, features, corpus } = &figures;
    let word = if output.status.success() { "ok" } else { "FAILED" };
    println!("{target:<10} {executions:>12} {seconds:>8} {features:>8} {corpus:>7}  {word}");
    if output.status.success() {
        return Ok(());
    }
    let end: Vec<&str> = said.lines().filter(|line| !line.starts_with('#')).rev().take(40).collect();
    Err(format!("fuzz {target}:\n{}", end.into_iter().rev().collect::<Vec<_>>().join("\n")))
}

/// What libFuzzer says at its end.
#[derive(Debug, Default, PartialEq, Eq)]
struct Figures {
    executions: String,
    seconds: String,
    features: String,
    corpus: String,
}

impl Figures {
    fn read(said: &str) -> Self {
        let word = |line: &str, name: &str| -> Option<String> {
            let rest = line.split_once(name)?.1;
            rest.split_whitespace().next().map(str::to_owned)
        };
        let last = |start: &str, name: &str| {
            let line = said.lines().rev().find(|line| line.starts_with(start) && line.contains(name));
            line.and_then(|line| word(line, name)).unwrap_or_else(|| "-".to_owned())
        };
        Self {
            executions: last("stat::", "stat::number_of_executed_units:"),
            seconds: said
                .lines()
                .find(|line| line.starts_with("Done "))
                .and_then(|line| word(line, " runs in "))
                .unwrap_or_else(|| "-".to_owned()),
            features: last("#", " ft: "),
            corpus: last("#", " corp: "),
        }
    }
}

/// The name of the machine that this compiler builds for.
fn host() -> Result<String, String> {
    let output = Command::new("rustc").arg("-vV").output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned).ok_or_else(|| "no host".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn words(words: &[&str]) -> Result<(Vec<&'static str>, Enough), String> {
        read(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn targets_and_ends_are_read() {
        assert_eq!(words(&[]).unwrap(), (TARGETS.to_vec(), Enough::Seconds(CI_SECONDS)));
        assert_eq!(words(&["uri", "--runs", "7"]).unwrap(), (vec!["uri"], Enough::Runs(7)));
        for bad in [&["urn"][..], &["--runs"], &["--seconds", "x"]] {
            assert!(words(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_end_of_a_run_is_read() {
        let said = "#2\tINITED cov: 5 ft: 6 corp: 1/1b exec/s: 0 rss: 27Mb\n\
                    #90\tDONE   cov: 5 ft: 17 corp: 3/9b lim: 4096 exec/s: 2066802 rss: 27Mb\nDone 90 runs in 6 second(s)\n\
                    stat::number_of_executed_units: 90\nstat::average_exec_per_sec:     15\n";
        let figures = Figures::read(said);
        assert_eq!([figures.executions, figures.seconds, figures.features, figures.corpus], ["90", "6", "17", "3/9b"]);
        assert_eq!(Figures::read("killed").executions, "-");
    }

    #[test]
    fn the_targets_are_those_of_the_crate() {
        let text = include_str!("../../fuzz/src/lib.rs");
        let names: Vec<&str> =
            text.split("Target { name: \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(names, TARGETS);
    }
}

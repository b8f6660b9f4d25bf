//! The yardstick: parsing beside `httparse`, calls beside their parsing, captures beside tshark and sngrep, and server CPU beside Kamailio and a loop that does
//! nothing, by datagrams and over connections.
//!
//! ```text
//! cargo xtask bench [parse|call|capture|server] [--quick] [--rounds N] [--kind KIND]...
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`machine`] | what the figures were taken on, and which programs are there |
//! | [`call`] | runs whole calls under callgrind |
//! | [`capture`] | reads a capture of the simulation with our tools, tshark and sngrep |
//! | [`parsing`] | runs the program of `bench/`, natively and under callgrind |
//! | [`servers`] | runs the reference's load against three servers in turn |
//! | [`streams`] | runs a load of our own over connections against two servers in turn |
//! | [`table`] | columns |
//!
//! Figures are medians. What is missing on this machine is named, and its figures are left out, never guessed.

mod call;
mod capture;
mod machine;
mod parsing;
mod servers;
mod streams;
mod table;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use crate::project::{Project, is_ci};

/// What is asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wish {
    parse: bool,
    call: bool,
    capture: bool,
    server: bool,
    quick: bool,
    rounds: usize,
    kinds: Vec<String>,
}

/// One part's tables, and what stood in the way of the rest.
#[derive(Debug, Default)]
struct Report {
    text: String,
    /// Not there: a gap in the tables.
    missing: Vec<String>,
    /// Wrong answers, servers that end or lose calls: a failure.
    faults: Vec<String>,
}

/// Measures, prints, and says whether all went well.
///
/// # Errors
/// Where the arguments can't be understood or the reference isn't there.
pub(crate) fn run(project: &Project, arguments: &[String]) -> Result<bool, String> {
    let wish = Wish::read(arguments)?;
    let mut reports = Vec::new();
    if wish.parse {
        reports.push(parsing::measure(project, &reference(project)?, &wish)?);
    }
    if wish.call {
        reports.push(call::measure(project, &reference(project)?)?);
    }
    if wish.capture {
        reports.push(capture::measure(project, &wish)?);
    }
    if wish.server {
        if wish.wants(servers::knows) {
            reports.push(servers::measure(project, &reference(project)?, &wish)?);
        }
        if wish.wants(streams::knows) {
            reports.push(streams::measure(project, &wish)?);
        }
    }
    println!("\n{}", machine::describe(project));
    if wish.quick {
        println!("--quick: too short to be figures; it shows that everything runs.\n");
    }
    for report in &reports {
        println!("{}", report.text);
    }
    let all = |pick: fn(&Report) -> &Vec<String>| reports.iter().flat_map(pick).collect::<Vec<_>>();
    let (missing, faults) = (all(|report| &report.missing), all(|report| &report.faults));
    missing.iter().for_each(|line| println!("MISSING {line}"));
    faults.iter().for_each(|line| println!("FAILED {line}"));
    Ok(faults.is_empty() && (missing.is_empty() || !is_ci()))
}

impl Wish {
    fn read(arguments: &[String]) -> Result<Wish, String> {
        let mut wish = Wish::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "parse" => wish.parse = true,
                "call" => wish.call = true,
                "capture" => wish.capture = true,
                "server" => wish.server = true,
                "--quick" => wish.quick = true,
                "--rounds" => {
                    let rounds = value()?.parse().ok().filter(|&rounds| rounds > 0);
                    wish.rounds = rounds.ok_or("--rounds needs a number from 1 on")?;
                }
                "--kind" => wish.kinds.push(known(value()?)?),
                other => return Err(format!("what is {other}?")),
            }
        }
        if !wish.parse && !wish.call && !wish.capture && !wish.server {
            (wish.parse, wish.call, wish.capture, wish.server) = (true, true, true, true);
        }
        if wish.rounds == 0 {
            wish.rounds = if wish.quick { 1 } else { 3 };
        }
        Ok(wish)
    }

    /// Whether one of these kinds of server is asked for, or all are.
    fn wants(&self, knows: impl Fn(&str) -> bool) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|kind| knows(kind))
    }
}

/// The kind of server and load of that name.
fn known(name: &str) -> Result<String, String> {
    if servers::knows(name) || streams::knows(name) {
        return Ok(name.to_owned());
    }
    let names: Vec<&str> = servers::names().chain(streams::names()).collect();
    Err(format!("no kind {name}; there are {}", names.join(", ")))
}

/// The folder of the reference's messages, scenarios and servers.
pub(crate) fn reference(project: &Project) -> Result<PathBuf, String> {
    let references = std::env::var_os("RINGBACK_REFERENCES").unwrap_or_else(|| OsString::from("../shared"));
    let folder = project.path(".").join(references).join("bench");
    let folder = folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))?;
    if folder.join("messages").is_dir() { Ok(folder) } else { Err(format!("{}: no messages", folder.display())) }
}

/// A build whose failure says what it printed only if it isn't expected.
fn build(project: &Project, packages: &[&str], features: &[&str]) -> Result<(), String> {
    let mut command = project.cargo();
    command.args(["build", "--release"]);
    packages.iter().for_each(|package| _ = command.args(["-p", package]));
    features.iter().for_each(|feature| _ = command.args(["--features", feature]));
    output(command).map(|_| ())
}

/// What the command prints, where it succeeds.
fn output(mut command: Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said.lines().rev().filter(|line| !line.trim().is_empty()).take(6).collect();
    let tail: Vec<&str> = lines.into_iter().rev().collect();
    Err(format!("{program}: {}\n  {}", output.status, tail.join("\n  ")))
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = *sorted.get(sorted.len().saturating_sub(1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(words: &[&str]) -> Result<Wish, String> {
        Wish::read(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn all_parts_unless_one_is_named() {
        let wish = read(&[]).unwrap();
        assert!(wish.parse && wish.call && wish.capture && wish.server && !wish.quick);
        assert_eq!(wish.rounds, 3);
        let wish = read(&["server", "--quick", "--kind", "proxy"]).unwrap();
        assert!(!wish.parse && !wish.capture && wish.server && wish.quick);
        assert_eq!((wish.rounds, wish.kinds), (1, vec!["proxy".to_owned()]));
        for bad in [&["--rounds"][..], &["--rounds", "0"], &["--kind", "prxy"], &["parsing"]] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn medians() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0]), Some(2.5));
    }
}

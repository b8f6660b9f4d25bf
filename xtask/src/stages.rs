//! The stages of CI in their order, and the table.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::project::{Project, SANS_IO, is_ci};
use crate::{bans, citations, fuzz, growth, memory, tutorial, words};

/// What `interop` exits with where its peer is missing.
const INTEROP_SKIPPED: i32 = 77;

/// One step of CI.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stage {
    /// What `--skip` and `--only` know it by.
    pub(crate) name: &'static str,
    pub(crate) act: fn(&Project) -> Verdict,
}

/// Every stage, cheapest first as far as one doesn't need another.
pub(crate) const STAGES: &[Stage] = &[
    Stage { name: "fmt", act: |project| cargo(project, &["fmt", "--all", "--check"]) },
    Stage { name: "words", act: words::check },
    Stage { name: "citations", act: citations::check },
    Stage { name: "bans", act: bans::check },
    Stage { name: "msrv", act: msrv },
    Stage {
        name: "clippy",
        act: |project| cargo(project, &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    },
    Stage { name: "docs", act: docs },
    Stage { name: "test", act: |project| cargo(project, &["test", "--workspace"]) },
    Stage { name: "tutorial", act: tutorial::check },
    Stage { name: "no-std", act: no_std },
    Stage { name: "growth", act: growth::check },
    Stage { name: "memory", act: memory::check },
    Stage { name: "fuzz", act: fuzz::short },
    Stage { name: "mutations", act: mutations },
    Stage { name: "release", act: release },
    Stage { name: "interop", act: |project| interop(project, &[]) },
];

/// How a stage ended.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It proves what it should.
    Good,
    /// It doesn't; each line names a place or a command.
    Bad(Vec<String>),
    /// What it needs isn't there, which is said here and is bad under `CI=true`.
    Missing(String),
}

impl Verdict {
    /// Good where there is no complaint.
    pub(crate) fn of(complaints: Vec<String>) -> Self {
        if complaints.is_empty() { Self::Good } else { Self::Bad(complaints) }
    }

    pub(crate) fn is_good(&self) -> bool {
        match self {
            Self::Good => true,
            Self::Bad(_) => false,
            Self::Missing(_) => !is_ci(),
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Missing(_) if self.is_good() => "SKIPPED",
            Self::Bad(_) | Self::Missing(_) => "FAILED",
        }
    }

    pub(crate) fn tell(&self) {
        match self {
            Self::Good => {}
            Self::Bad(complaints) => complaints.iter().for_each(|complaint| println!("{complaint}")),
            Self::Missing(what) => println!("{}: {what}", self.word()),
        }
    }
}

/// Which stages are wished.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    only: Vec<String>,
    skip: Vec<String>,
}

impl Selection {
    /// Reads `--only` and `--skip`.
    pub(crate) fn read(stages: &[Stage], arguments: &[String]) -> Result<Self, String> {
        let mut selection = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let list = match argument.as_str() {
                "--only" => &mut selection.only,
                "--skip" => &mut selection.skip,
                other => return Err(format!("what is {other}?")),
            };
            let name = arguments.next().ok_or_else(|| format!("{argument} needs a stage"))?;
            if !stages.iter().any(|stage| stage.name == name) {
                return Err(format!("no stage {name}"));
            }
            list.push(name.clone());
        }
        Ok(selection)
    }

    fn takes(&self, stage: &Stage) -> bool {
        let names = |list: &[String]| list.iter().any(|name| name == stage.name);
        (self.only.is_empty() || names(&self.only)) && !names(&self.skip)
    }
}

/// Runs the wished stages, all of them even where one fails, prints the table, and says whether all is good.
pub(crate) fn run(project: &Project, stages: &[Stage], selection: &Selection) -> bool {
    let mut rows = Vec::new();
    for stage in stages.iter().filter(|stage| selection.takes(stage)) {
        println!("\n==> {}", stage.name);
        let began = Instant::now();
        let verdict = (stage.act)(project);
        verdict.tell();
        rows.push((stage.name, began.elapsed(), verdict));
    }
    print!("{}", table(&rows));
    rows.iter().all(|(_, _, verdict)| verdict.is_good())
}

/// `cargo xtask interop`: builds the server, then runs the cases that the arguments ask for.
pub(crate) fn interop_alone(project: &Project, arguments: &[String]) -> bool {
    let mut verdict = release(project);
    if verdict.is_good() {
        verdict = interop(project, arguments);
    }
    verdict.tell();
    verdict.is_good()
}

/// Every response code: who sends it, when, and that it does; see `docs/matrix.md`.
pub(crate) fn matrix(project: &Project) -> bool {
    let play = ["test", "-q", "-p", "ringback-testkit", "--test", "it", "matrix::page::printed"];
    let verdict = cargo(project, &[&play[..], &["--", "--ignored", "--nocapture"]].concat());
    verdict.tell();
    verdict.is_good()
}

fn table(rows: &[(&str, Duration, Verdict)]) -> String {
    let mut text = format!("\n{:<12} {:>7}  result\n", "stage", "minutes");
    let mut line = |name: &str, time: Duration, word: &str| {
        text.push_str(&format!("{name:<12} {:>7.2}  {word}\n", time.as_secs_f64() / 60.0));
    };
    for (name, time, verdict) in rows {
        line(name, *time, verdict.word());
    }
    let good = rows.iter().all(|(_, _, verdict)| verdict.is_good());
    line("all", rows.iter().map(|(_, time, _)| *time).sum(), if good { "ok" } else { "FAILED" });
    text
}

/// Every torture message with each of its bytes changed into every other.
fn mutations(project: &Project) -> Verdict {
    let arguments = ["test", "--release", "-p", "ringback-message", "--test", "it", "mutation"];
    cargo_with(project, &[("RINGBACK_MUTATIONS", "all")], &arguments)
}

fn docs(project: &Project) -> Verdict {
    let mut command = project.cargo();
    command.env("RUSTDOCFLAGS", "-D warnings").args(["doc", "--workspace", "--no-deps"]);
    finish(command)
}

/// The target has no standard library at all, so what builds for it reads no clock and opens no socket.
fn no_std(project: &Project) -> Verdict {
    const TARGET: &str = "wasm32v1-none";
    let mut rustc = Command::new("rustc");
    let sysroot = rustc.args(["--print", "sysroot"]).output().map(|output| output.stdout).unwrap_or_default();
    let sysroot = String::from_utf8_lossy(&sysroot).trim().to_owned();
    if !std::path::Path::new(&sysroot).join("lib/rustlib").join(TARGET).is_dir() {
        return Verdict::Missing(format!("no target {TARGET} (rustup target add {TARGET})"));
    }
    // One by one: together, a feature that one crate asks for would be on for all.
    let mut complaints = Vec::new();
    for name in SANS_IO {
        println!("{name} for {TARGET}");
        if let Verdict::Bad(lines) = cargo(project, &["build", "--target", TARGET, "-p", name]) {
            complaints.extend(lines);
        }
    }
    Verdict::of(complaints)
}

pub(crate) fn release(project: &Project) -> Verdict {
    match cargo(project, &["build", "--release", "-p", "ringback-cli"]) {
        // The cases, and what they run of the library, as the tests have it.
        Verdict::Good => cargo(project, &["build", "--workspace", "--bins", "--examples"]),
        verdict => verdict,
    }
}

fn interop(project: &Project, arguments: &[String]) -> Verdict {
    interop_with(project, &[], arguments)
}

/// The cases that the arguments ask for, under these variables.
pub(crate) fn interop_with(project: &Project, variables: &[(&str, &str)], arguments: &[String]) -> Verdict {
    let mut command = project.cargo();
    command.args(["run", "--quiet", "-p", "interop", "--"]).args(arguments);
    command.envs(variables.iter().copied());
    match command.status() {
        Ok(status) if status.success() => Verdict::Good,
        Ok(status) if status.code() == Some(INTEROP_SKIPPED) => Verdict::Missing("a peer is missing".to_owned()),
        Ok(status) => Verdict::Bad(vec![format!("interop: {status}")]),
        Err(error) => Verdict::Bad(vec![format!("interop: {error}")]),
    }
}

fn cargo(project: &Project, arguments: &[&str]) -> Verdict {
    cargo_with(project, &[], arguments)
}

/// A cargo command under these variables.
pub(crate) fn cargo_with(project: &Project, variables: &[(&str, &str)], arguments: &[&str]) -> Verdict {
    let mut command = project.cargo();
    command.args(arguments).envs(variables.iter().copied());
    finish(command)
}

/// The oldest Rust that the manifest promises: this one, so that every other stage is the check, or another, which then checks the code.
fn msrv(project: &Project) -> Verdict {
    let manifest = std::fs::read_to_string(project.path("Cargo.toml")).unwrap_or_default();
    let promised = manifest.lines().find_map(|line| line.strip_prefix("rust-version = \"")?.strip_suffix('"'));
    let Some(promised) = promised else { return Verdict::Bad(vec!["Cargo.toml: no rust-version".to_owned()]) };
    let version = Command::new("rustc").arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let version = String::from_utf8_lossy(&version).into_owned();
    println!("promised: {promised}; here: {}", version.trim());
    if version.split_whitespace().nth(1).is_some_and(|here| here.starts_with(promised)) {
        return Verdict::Good;
    }
    let mut command = Command::new("rustup");
    command.current_dir(project.path(".")).args(["run", promised, "cargo", "check", "--workspace", "--all-targets"]);
    match command.status() {
        Ok(status) if status.success() => Verdict::Good,
        Ok(status) => Verdict::Bad(vec![format!("cargo check by Rust {promised}: {status}")]),
        Err(_) => Verdict::Missing(format!("Rust {promised}")),
    }
}

pub(crate) fn finish(mut command: Command) -> Verdict {
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
    match command.status() {
        Ok(status) if status.success() => Verdict::Good,
        Ok(status) => Verdict::Bad(vec![format!("cargo {}: {status}", words.join(" "))]),
        Err(error) => Verdict::Bad(vec![format!("cargo {}: {error}", words.join(" "))]),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(words: &[&str]) -> Result<Vec<&'static str>, String> {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        let selection = Selection::read(STAGES, &words)?;
        Ok(STAGES.iter().filter(|stage| selection.takes(stage)).map(|stage| stage.name).collect())
    }

    #[test]
    fn stages_are_chosen_by_name() {
        assert_eq!(read(&[]).unwrap().len(), STAGES.len());
        assert_eq!(read(&["--only", "docs", "--only", "fmt"]).unwrap(), ["fmt", "docs"]);
        assert_eq!(read(&["--skip", "test"]).unwrap().len(), STAGES.len() - 1);
        assert!(read(&["--skip", "tset"]).is_err());
        assert!(read(&["--skip"]).is_err());
        assert!(read(&["test"]).is_err());
    }

    #[test]
    fn one_bad_stage_makes_all_bad() {
        let minute = Duration::from_secs(60);
        let rows = [("fmt", minute, Verdict::Good), ("docs", minute, Verdict::Bad(vec![String::new()]))];
        let text = table(&rows);
        let words: Vec<Vec<&str>> = text.lines().skip(2).map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(words, [["fmt", "1.00", "ok"], ["docs", "1.00", "FAILED"], ["all", "2.00", "FAILED"]]);
    }
}

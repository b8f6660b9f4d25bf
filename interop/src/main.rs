//! Runs the black-box cases; see the library's page.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use interop::cases::{self, CASES, Case};
use interop::{report, sipp};

const USAGE: &str = "\
usage: interop [--server PATH] [--case NAME]... [--list]

  --server PATH   the program under test (default: `ringback` beside this program)
  --case NAME     only this case; may be given again
  --list          names the cases and what they prove

exit status: 0 all good; 1 a case failed, or SIPp is missing under CI=true; 2 wrong usage; 77 skipped, SIPp is missing";

/// What test runners have long taken for "skipped".
const SKIPPED: u8 = 77;

/// What the command line asks for.
#[derive(Debug, Default)]
struct Wish {
    server: Option<PathBuf>,
    cases: Vec<&'static Case>,
    list: bool,
}

fn main() -> ExitCode {
    let wish = match Wish::read(std::env::args().skip(1)) {
        Ok(wish) => wish,
        Err(complaint) => {
            eprintln!("interop: {complaint}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    if wish.list {
        for case in CASES {
            println!("{:<16} {}", case.name, case.proves);
        }
        return ExitCode::SUCCESS;
    }
    let Some(version) = sipp::version() else {
        println!("SKIPPED: no `sipp` on the path (Debian: apt-get install sip-tester); nothing was proven");
        return if std::env::var("CI").is_ok_and(|value| value == "true") {
            eprintln!("interop: a missing peer is a failure under CI=true");
            ExitCode::FAILURE
        } else {
            ExitCode::from(SKIPPED)
        };
    };
    match run(&wish, &version) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("interop: {fault}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the wished cases and says how many failed.
fn run(wish: &Wish, version: &str) -> Result<usize, interop::Fault> {
    let program = std::env::current_exe().map_err(|error| format!("where this program lies: {error}"))?;
    let profile = program.parent().unwrap_or(Path::new("."));
    let server = wish.server.clone().unwrap_or_else(|| profile.join("ringback"));
    let server = server
        .canonicalize()
        .map_err(|error| format!("{}: {error} (cargo build --release -p ringback-cli)", server.display()))?;
    let work = profile.parent().unwrap_or(profile).join("interop");

    println!("peer    {version}");
    println!("server  {}", server.display());
    println!("logs    {}\n", work.display());
    println!("{}", report::heads());
    let mut failed = 0;
    for case in &wish.cases {
        let outcome = cases::run(case, &server, &work);
        println!("{}", outcome.lines());
        failed += usize::from(!outcome.is_good());
    }
    println!("\n{} cases, {failed} failed", wish.cases.len());
    Ok(failed)
}

impl Wish {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut wish = Self::default();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--server" => wish.server = Some(value()?.into()),
                "--case" => {
                    let name = value()?;
                    let case = CASES.iter().find(|case| case.name == name);
                    wish.cases.push(case.ok_or_else(|| format!("no case {name}; see --list"))?);
                }
                "--list" => wish.list = true,
                other => return Err(format!("what is {other}?")),
            }
        }
        if wish.cases.is_empty() {
            wish.cases = CASES.iter().collect();
        }
        Ok(wish)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(arguments: &[&str]) -> Result<Wish, String> {
        Wish::read(arguments.iter().map(|&argument| argument.to_owned()))
    }

    #[test]
    fn without_a_wish_every_case_runs() {
        assert_eq!(read(&[]).unwrap().cases.len(), CASES.len());
    }

    #[test]
    fn cases_are_chosen_by_name() {
        let wish = read(&["--case", "calls", "--server", "x", "--case", "busy"]).unwrap();
        let names: Vec<&str> = wish.cases.iter().map(|case| case.name).collect();
        assert_eq!(names, ["calls", "busy"]);
        assert_eq!(wish.server, Some(PathBuf::from("x")));
    }

    #[test]
    fn nonsense_is_refused() {
        for arguments in [&["--case"][..], &["--case", "none"], &["--sever", "x"]] {
            assert!(read(arguments).is_err(), "{arguments:?}");
        }
    }
}

//! Runs the black-box cases; see the library's page.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use interop::cases::{self, CASES, Case};
use interop::peer::Peer;
use interop::report;

const USAGE: &str = "\
usage: interop [--server PATH] [--case NAME]... [--jobs N] [--list]

  --server PATH   the program under test (default: the release build of this target folder)
  --case NAME     only this case; may be given again
  --jobs N        how many cases run side by side, but for those that make load (default: 4)
  --list          names the cases and what they prove

exit status: 0 all good; 1 a case failed, or a peer is missing under CI=true; 2 wrong usage; 77 a peer is missing, and the
             cases that need it were skipped";

/// What test runners have long taken for "skipped".
const SKIPPED: u8 = 77;
/// Cases wait more than they work.
const JOBS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(3);

/// What the command line asks for.
#[derive(Debug)]
struct Wish {
    server: Option<PathBuf>,
    cases: Vec<&'static Case>,
    jobs: NonZeroUsize,
    list: bool,
}

/// What became of the wished cases.
#[derive(Debug, Default)]
struct Count {
    failed: usize,
    skipped: usize,
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
    let is_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    match run(&wish) {
        Ok(Count { failed: 0, skipped: 0 }) => ExitCode::SUCCESS,
        Ok(Count { failed: 0, .. }) if !is_ci => ExitCode::from(SKIPPED),
        Ok(Count { skipped, .. }) => {
            if skipped > 0 && is_ci {
                eprintln!("interop: a missing peer is a failure under CI=true");
            }
            ExitCode::FAILURE
        }
        Err(fault) => {
            eprintln!("interop: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn run(wish: &Wish) -> Result<Count, interop::Fault> {
    let program = std::env::current_exe().map_err(|error| format!("where this program lies: {error}"))?;
    let target = program.parent().and_then(Path::parent).unwrap_or(Path::new("."));
    // What people run, whichever way this program was built.
    let server = wish.server.clone().unwrap_or_else(|| target.join("release").join("ringback"));
    let server = server
        .canonicalize()
        .map_err(|error| format!("{}: {error} (cargo build --release -p ringback-cli)", server.display()))?;
    let work = target.join("interop");

    let mut here = Vec::new();
    for peer in Peer::ALL.into_iter().filter(|peer| wish.cases.iter().any(|case| case.peers.contains(peer))) {
        match peer.version() {
            Ok(version) => {
                println!("peer    {} {version}", peer.name());
                here.push((peer, version));
            }
            Err(what) => println!("peer    {} is MISSING: {what}", peer.name()),
        }
    }
    println!("server  {}\nlogs    {}\n\n{}", server.display(), work.display(), report::heads());

    let is_possible = |case: &Case| case.peers.iter().all(|peer| here.iter().any(|(found, _)| found == peer));
    let (possible, skipped): (Vec<&Case>, Vec<&Case>) = wish.cases.iter().partition(|case| is_possible(case));
    let (alone, together): (Vec<&Case>, Vec<&Case>) = possible.into_iter().partition(|case| case.alone);
    let act = |case: &Case| {
        let outcome = cases::run(case, &server, &work);
        let peers = here.iter().filter(|(peer, _)| case.peers.contains(peer));
        let peers: Vec<String> = peers.map(|(peer, version)| format!("{} {version}", peer.name())).collect();
        println!("{}", outcome.lines(&peers.join(", ")));
        usize::from(!outcome.is_good())
    };
    let failed = alone.into_iter().map(act).sum::<usize>() + side_by_side(&together, wish.jobs, act);
    for case in &skipped {
        println!("{:<16} SKIPPED", case.name);
    }
    println!("\n{} cases, {failed} failed, {} skipped", wish.cases.len(), skipped.len());
    Ok(Count { failed, skipped: skipped.len() })
}

/// Acts on all of `cases`, as many at a time as there are `jobs`, and gives the sum of what came of it.
fn side_by_side(cases: &[&Case], jobs: NonZeroUsize, act: impl Fn(&Case) -> usize + Sync) -> usize {
    let queue: Mutex<VecDeque<&Case>> = Mutex::new(cases.iter().copied().collect());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    std::thread::scope(|scope| {
        let work = || {
            let mut sum = 0;
            while let Some(case) = next() {
                sum += act(case);
            }
            sum
        };
        let workers: Vec<_> = (0..jobs.get()).map(|_| scope.spawn(work)).collect();
        // A worker that panicked has said so.
        workers.into_iter().map(|worker| worker.join().unwrap_or(1)).sum()
    })
}

impl Wish {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut wish = Self { server: None, cases: Vec::new(), jobs: JOBS, list: false };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--server" => wish.server = Some(value()?.into()),
                "--case" => {
                    let name = value()?;
                    let case = CASES.iter().find(|case| case.name == name);
                    wish.cases.push(case.ok_or_else(|| format!("no case {name}; see --list"))?);
                }
                "--jobs" => wish.jobs = value()?.parse().map_err(|_| "--jobs needs a number from 1 on".to_owned())?,
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
        let wish = read(&["--case", "calls", "--server", "x", "--case", "busy", "--jobs", "1"]).unwrap();
        let names: Vec<&str> = wish.cases.iter().map(|case| case.name).collect();
        assert_eq!(names, ["calls", "busy"]);
        assert_eq!((wish.server, wish.jobs.get()), (Some(PathBuf::from("x")), 1));
    }

    #[test]
    fn nonsense_is_refused() {
        for arguments in [&["--case"][..], &["--case", "none"], &["--sever", "x"], &["--jobs", "0"], &["--jobs", "x"]] {
            assert!(read(arguments).is_err(), "{arguments:?}");
        }
    }

    #[test]
    fn every_case_is_acted_on_once() {
        let seen = Mutex::new(Vec::new());
        let cases: Vec<&Case> = CASES.iter().collect();
        let sum = side_by_side(&cases, JOBS, |case| {
            seen.lock().unwrap().push(case.name);
            2
        });
        assert_eq!(sum, 2 * cases.len());
        let mut seen = seen.into_inner().unwrap();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), cases.len());
    }
}

//! Programs of ours: examples of the library that listen, say what happens by lines, and some of which do what lines tell them.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{ChildStdin, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::STEP_MAX;
use crate::process::{Guarded, command, wait};
use crate::{Fault, doing};

/// An example that runs. Dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Ours {
    name: String,
    process: Guarded,
    input: ChildStdin,
    printed: Arc<Printed>,
    address: SocketAddr,
}

/// What it has said.
#[derive(Debug, Default)]
struct Printed {
    lines: Mutex<Lines>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Lines {
    all: Vec<String>,
    /// The same without what was waited for.
    new: Vec<String>,
}

impl Ours {
    /// Starts the example `program` as `name`, and waits until it listens.
    ///
    /// # Errors
    /// When it is missing, or ends.
    pub(crate) fn start(folder: &Path, name: &str, program: &str, arguments: &[&str]) -> Result<Self, Fault> {
        let own = std::env::current_exe().map_err(|error| format!("where this program lies: {error}"))?;
        // As the tests have built them: in release they would be compiled once more, with all that is below them.
        let target = own.parent().and_then(Path::parent).ok_or("this program lies in no target folder")?;
        let path = target.join("debug/examples").join(program);
        if !path.is_file() {
            return Err(format!("{} is missing (cargo build --workspace --examples)", path.display()));
        }
        let errors = folder.join(format!("{name}.errors"));
        let errors = doing(|| format!("creating {}", errors.display()), fs::File::create(&errors))?;
        let mut running = command(path);
        running.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let mut process = Guarded::start(&mut running)?;
        let (Some(input), Some(output)) = (process.child.stdin.take(), process.child.stdout.take()) else {
            return Err(format!("{name} has no standard input or output"));
        };
        let printed = Arc::new(Printed::default());
        let (filled, copy) = (Arc::clone(&printed), folder.join(format!("{name}.out")));
        let mut copy = doing(|| format!("creating {}", copy.display()), fs::File::create(&copy))?;
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // For whoever looks for what went wrong: no case reads it.
                let _ = writeln!(copy, "{line}");
                filled.add(line);
            }
        });
        let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut ours = Self { name: name.to_owned(), process, input, printed, address: unknown };
        let address = ours.says("ready at ")?;
        ours.address = address.parse().map_err(|_| format!("{name} is ready at {address}, which is no address"))?;
        Ok(ours)
    }

    /// The example of a telephone, at this address, as this user of this server.
    ///
    /// # Errors
    /// As [`Ours::start`].
    pub(crate) fn phone(folder: &Path, name: &str, at: &str, of: &Identity<'_>) -> Result<Self, Fault> {
        let aor = format!("sip:{}@{}", of.user, of.server);
        let mut arguments = vec![at, aor.as_str()];
        arguments.extend(of.password);
        Self::start(folder, name, "phone", &arguments)
    }

    /// Where it is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Tells it to do something.
    ///
    /// # Errors
    /// When it has ended.
    pub(crate) fn tell(&mut self, line: &str) -> Result<(), Fault> {
        let written = self.input.write_all(format!("{line}\n").as_bytes()).and_then(|()| self.input.flush());
        doing(|| format!("{}: {line}", self.name), written)
    }

    /// Waits until it says a line that begins so, and gives the rest of it. Each line is given once.
    ///
    /// # Errors
    /// When it doesn't say so.
    pub(crate) fn says(&self, beginning: &str) -> Result<String, Fault> {
        self.says_within(STEP_MAX, beginning).ok_or_else(|| {
            let said = self.printed.lines.lock().unwrap_or_else(PoisonError::into_inner);
            let last: Vec<&String> = said.all.iter().rev().take(6).collect();
            format!("{} doesn't say `{beginning}`; its last lines, backwards: {last:?}", self.name)
        })
    }

    /// The same, where it may not say so.
    pub(crate) fn says_within(&self, limit: Duration, beginning: &str) -> Option<String> {
        let began = Instant::now();
        let mut lines = self.printed.lines.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(at) = lines.new.iter().position(|line| line.starts_with(beginning)) {
                return lines.new.remove(at).strip_prefix(beginning).map(str::to_owned);
            }
            let left = limit.checked_sub(began.elapsed()).filter(|left| !left.is_zero())?;
            lines = self.printed.changed.wait_timeout(lines, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Forgets what it has said so far.
    pub(crate) fn forget(&self) {
        self.printed.lines.lock().unwrap_or_else(PoisonError::into_inner).new.clear();
    }

    /// A telephone has no call left, and ends with 0.
    ///
    /// # Errors
    /// When it has, or doesn't.
    pub(crate) fn quit(mut self) -> Result<(), Fault> {
        self.tell("sessions")?;
        let sessions = self.says("sessions: ")?;
        if sessions != "0" {
            return Err(format!("{} has {sessions} sessions left", self.name));
        }
        self.tell("quit")?;
        match wait(&mut self.process.child, STEP_MAX)? {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("{} ended with {status}", self.name)),
            None => Err(format!("{} didn't quit", self.name)),
        }
    }

    /// One that has no end is still there.
    ///
    /// # Errors
    /// When it isn't.
    pub(crate) fn still_there(mut self) -> Result<(), Fault> {
        self.process.ended().map_or(Ok(()), |how| Err(format!("{} ended: {how}", self.name)))
    }
}

/// Whom a telephone of ours belongs to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity<'a> {
    pub(crate) user: &'a str,
    pub(crate) server: SocketAddr,
    pub(crate) password: Option<&'a str>,
}

impl Printed {
    fn add(&self, line: String) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.all.push(line.clone());
        lines.new.push(line);
        self.changed.notify_all();
    }
}

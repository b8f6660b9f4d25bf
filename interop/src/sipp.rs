//! One bounded run of SIPp, and its figures.

use std::ffi::OsString;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::server::{Account, wait};
use crate::{Fault, doing, probe};

/// SIPp waits this long for a message before it gives the call up: longer than any retransmission of its own.
const RECV_TIMEOUT_MS: u32 = 12_000;
/// How long SIPp may take to open its socket.
const BIND_MAX: Duration = Duration::from_secs(10);
/// What SIPp gets on top of its own limit before it is killed: it doesn't always keep that one.
const OUTER_LIMIT: Duration = Duration::from_secs(15);
/// As many lines of SIPp's error log as a report shows.
const ERROR_LINES_MAX: usize = 12;

/// The version that a `sipp` on the path reports, or `None` where there is none.
#[must_use]
pub fn version() -> Option<String> {
    // `sipp -v` exits with 99, so only its output counts.
    let output = Command::new("sipp").arg("-v").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines()
        .map(str::trim)
        .find(|line| line.starts_with("SIPp v"))
        .map(|line| line.trim_end_matches('.').to_owned())
}

/// What to run.
#[derive(Debug, Clone)]
pub struct Script {
    name: &'static str,
    scenario: &'static str,
    calls: u32,
    rate: u32,
    local_port: u16,
    limit: Duration,
    arguments: Vec<OsString>,
    substitution: Option<(&'static str, String)>,
    users: Vec<Account>,
}

impl Script {
    /// `calls` calls of the scenario `scenario` (an XML text), from or to `local_port`. The run's files take `name`.
    #[must_use]
    pub fn new(name: &'static str, scenario: &'static str, local_port: u16, calls: u32) -> Self {
        Self {
            name,
            scenario,
            calls,
            rate: 100,
            local_port,
            limit: Duration::from_secs(60),
            arguments: Vec::new(),
            substitution: None,
            users: Vec::new(),
        }
    }

    /// The caller's side: requests go to `server`.
    #[must_use]
    pub fn to(mut self, server: SocketAddr) -> Self {
        self.arguments.push(server.to_string().into());
        self
    }

    /// New calls a second.
    #[must_use]
    pub fn rate(mut self, calls_per_second: u32) -> Self {
        self.rate = calls_per_second;
        self
    }

    /// The whole run takes no longer than this.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// What stands for `[keyword]` in the scenario.
    #[must_use]
    pub fn key(mut self, keyword: &str, value: impl Into<String>) -> Self {
        self.arguments.extend(["-key".into(), keyword.into(), value.into().into()]);
        self
    }

    /// Whom the calls are for, as user@host:port: `[callee]`, and the digest's uri, which SIPp otherwise fills in
    /// without the user, so that it isn't the Request-URI.
    #[must_use]
    pub fn callee(mut self, callee: &str) -> Self {
        self.arguments.extend(["-auth_uri".into(), callee.into()]);
        self.key("callee", callee)
    }

    /// Puts `text` in the place of `word` in the scenario, where SIPp takes no keyword.
    #[must_use]
    pub fn with(mut self, word: &'static str, text: impl Into<String>) -> Self {
        self.substitution = Some((word, text.into()));
        self
    }

    /// The accounts that the calls use, in turn.
    #[must_use]
    pub fn users(mut self, users: &[Account]) -> Self {
        self.users = users.to_vec();
        self
    }

    /// Starts SIPp below `folder`.
    ///
    /// # Errors
    /// When a file can't be written or SIPp can't be started.
    pub fn start(self, folder: &Path) -> Result<Run, Fault> {
        let folder = unused_folder(folder, self.name);
        doing(|| format!("creating {}", folder.display()), fs::create_dir_all(&folder))?;
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            doing(|| format!("writing {}", path.display()), fs::write(&path, text))
        };
        match &self.substitution {
            Some((word, text)) => write("scenario.xml", &self.scenario.replace(word, text))?,
            None => write("scenario.xml", self.scenario)?,
        }
        if !self.users.is_empty() {
            write("users.csv", &users_file(&self.users))?;
        }
        let output =
            doing(|| format!("creating a file in {}", folder.display()), File::create(folder.join("screen.txt")))?;
        let mut command = self.command(&folder);
        command.stdin(Stdio::null()).stdout(output).stderr(Stdio::null());
        Ok(Run {
            child: doing(|| "starting sipp".to_owned(), command.spawn())?,
            began: Instant::now(),
            script: self,
            folder,
        })
    }

    /// Runs SIPp to its end.
    ///
    /// # Errors
    /// As [`Script::start`] and [`Run::finish`].
    pub fn run(self, folder: &Path) -> Result<Figures, Fault> {
        self.start(folder)?.finish()
    }

    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new("sipp");
        command.current_dir(folder).args(&self.arguments);
        command.args(["-sf", "scenario.xml", "-i", "127.0.0.1", "-bind_local", "-nostdin", "-p"]);
        command.arg(self.local_port.to_string());
        if !self.users.is_empty() {
            command.args(["-inf", "users.csv"]);
        }
        command.args(["-m", &self.calls.to_string(), "-r", &self.rate.to_string()]);
        command.args(["-timeout", &self.limit.as_secs().to_string(), "-timeout_error"]);
        command.args(["-recv_timeout", &RECV_TIMEOUT_MS.to_string()]);
        // Whatever the scenario doesn't expect fails the call, a ping too.
        command.args(["-default_behaviors", "all,-pingreply"]);
        command.args(["-buff_size", "1048576", "-trace_stat", "-stf", "statistics.csv", "-fd", "1"]);
        command.args(["-trace_err", "-error_file", "errors.log"]);
        command
    }
}

/// `NAME-1` below `parent`, or the first number that isn't taken: no run hides what an earlier one left.
fn unused_folder(parent: &Path, name: &str) -> PathBuf {
    let mut number = 1;
    loop {
        let folder = parent.join(format!("{name}-{number}"));
        if !folder.exists() {
            return folder;
        }
        number += 1;
    }
}

fn users_file(users: &[Account]) -> String {
    let mut text = String::from("SEQUENTIAL\n");
    for Account { name, password } in users {
        text.push_str(&format!("{name};[authentication username={name} password={password}]\n"));
    }
    text
}

/// A SIPp that runs. Dropped, it is killed.
#[derive(Debug)]
pub struct Run {
    child: Child,
    began: Instant,
    script: Script,
    folder: PathBuf,
}

impl Run {
    /// Waits until SIPp has bound its port.
    ///
    /// # Errors
    /// When it ended or didn't do so.
    pub fn wait_until_bound(&mut self) -> Result<(), Fault> {
        let Self { child, script, .. } = self;
        probe::wait_for_port(script.local_port, BIND_MAX, || match child.try_wait() {
            Ok(None) => None,
            ended => Some(format!("{}: SIPp ended at once: {ended:?}", script.name)),
        })
    }

    /// Waits for the end, within the script's limit, and judges it.
    ///
    /// # Errors
    /// When SIPp had to be killed, or left no statistics.
    pub fn finish(self) -> Result<Figures, Fault> {
        let limit = self.script.limit + OUTER_LIMIT;
        self.finish_within(limit)
    }

    /// As [`Run::finish`], where there is a reason why the end must be near.
    ///
    /// # Errors
    /// As [`Run::finish`].
    pub fn finish_within(mut self, limit: Duration) -> Result<Figures, Fault> {
        let ended = wait(&mut self.child, limit)?;
        let seconds = self.began.elapsed().as_secs_f64();
        let Some(status) = ended else {
            return Err(format!("{}: SIPp didn't end and was killed", self.script.name));
        };
        let path = self.folder.join("statistics.csv");
        let text = doing(|| format!("reading {}", path.display()), fs::read_to_string(&path))?;
        let mut figures = Figures::read(&text).map_err(|fault| format!("{}: {fault}", path.display()))?;
        figures.seconds = seconds;
        if status.code() != Some(0) {
            figures.faults.push(format!("{}: SIPp: {status}", self.script.name));
        }
        if figures.succeeded != u64::from(self.script.calls) {
            figures
                .faults
                .push(format!("{}: {} of {} calls succeeded", self.script.name, figures.succeeded, self.script.calls));
        }
        if figures.unexpected > 0 {
            figures.faults.push(format!("{}: {} unexpected messages", self.script.name, figures.unexpected));
        }
        if !figures.faults.is_empty() {
            figures.faults.extend(self.error_log());
        }
        Ok(figures)
    }

    fn error_log(&self) -> Vec<String> {
        let path = self.folder.join("errors.log");
        let bytes = fs::read(&path).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let mut lines: Vec<String> = text
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
            .take(ERROR_LINES_MAX)
            .map(|line| format!("  | {line}"))
            .collect();
        lines.push(format!("  see {}", self.folder.display()));
        lines
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // It can only fail because the process has just ended.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// What SIPp counted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// Calls begun, or received.
    pub calls: u64,
    /// Calls that went as the scenario says.
    pub succeeded: u64,
    /// Calls that didn't.
    pub failed: u64,
    /// Messages that the scenario had no place for, that belonged to no call, or that came after a call's end where
    /// nothing had been sent twice.
    pub unexpected: u64,
    /// Messages sent or received again.
    pub retransmissions: u64,
    /// From start to end, by our clock.
    pub seconds: f64,
    /// Why this isn't good; empty where it is.
    pub faults: Vec<String>,
}

impl Figures {
    /// Reads the last line of a `-trace_stat` file.
    fn read(text: &str) -> Result<Self, Fault> {
        let mut lines = text.lines();
        let heads = lines.next().ok_or("no statistics")?;
        let last = lines.last().ok_or("statistics without a line")?;
        let column = |name: &str| -> Result<u64, Fault> {
            let mut pairs = heads.split(';').zip(last.split(';'));
            let (_, value) = pairs.find(|(head, _)| *head == name).ok_or_else(|| format!("no column {name}"))?;
            value.parse().map_err(|_| format!("{name} is {value}"))
        };
        let retransmissions = column("Retransmissions(C)")?;
        // A message for a call that has ended is what a retransmission leaves behind, and nothing else.
        let late = column("DeadCallMsgs(C)")?.saturating_sub(retransmissions);
        Ok(Self {
            calls: column("TotalCallCreated")?,
            succeeded: column("SuccessfulCall(C)")?,
            failed: column("FailedCall(C)")?,
            unexpected: column("FailedUnexpectedMessage(C)")? + column("OutOfCallMsgs(C)")? + late,
            retransmissions,
            seconds: 0.0,
            faults: Vec::new(),
        })
    }

    /// Adds a run that came after this one.
    pub fn then(&mut self, next: Self) {
        self.calls += next.calls;
        self.succeeded += next.succeeded;
        self.seconds += next.seconds;
        self.beside(next);
    }

    /// Adds the other side of the same calls, which ran at the same time: its calls are no further ones.
    pub fn beside(&mut self, other: Self) {
        self.failed += other.failed;
        self.unexpected += other.unexpected;
        self.retransmissions += other.retransmissions;
        self.faults.extend(other.faults);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const HEADS: &str = "CallRate(C);TotalCallCreated;SuccessfulCall(C);FailedCall(C);FailedUnexpectedMessage(C);\
                         OutOfCallMsgs(C);DeadCallMsgs(C);Retransmissions(C);";

    #[test]
    fn the_last_line_counts() {
        let text = format!("{HEADS}\n0;0;0;0;0;0;0;0;\n9.5;100;97;3;2;1;9;5;\n");
        let figures = Figures::read(&text).unwrap();
        assert_eq!(
            figures,
            Figures {
                calls: 100,
                succeeded: 97,
                failed: 3,
                unexpected: 2 + 1 + 4,
                retransmissions: 5,
                ..Figures::default()
            }
        );
    }

    #[test]
    fn statistics_that_lack_something_are_a_fault() {
        assert!(Figures::read("").is_err());
        assert!(Figures::read(HEADS).is_err());
        let fault = Figures::read("TotalCallCreated;\n1;\n").unwrap_err();
        assert_eq!(fault, "no column Retransmissions(C)");
    }

    #[test]
    fn sides_and_batches_add_up() {
        let one = Figures { calls: 10, succeeded: 10, failed: 1, seconds: 1.5, ..Figures::default() };
        let mut sum = one.clone();
        sum.then(one.clone());
        sum.beside(one);
        assert_eq!((sum.calls, sum.succeeded, sum.failed), (20, 20, 3));
        assert!((sum.seconds - 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_users_file_is_what_sipp_reads() {
        let user = Account { name: "ann".to_owned(), password: "pw".to_owned() };
        assert_eq!(users_file(&[user]), "SEQUENTIAL\nann;[authentication username=ann password=pw]\n");
    }
}

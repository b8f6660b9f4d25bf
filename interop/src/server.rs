//! The process under test.
//!
//! It is known by its command line alone:
//!
//! ```text
//! SERVER user import FILE --data DIR                        lines of name,password; while it is not running
//! SERVER serve --listen ADDR --data DIR --log json          in the foreground; ends with 0 at SIGTERM
//! ```

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::{Fault, doing, probe};

/// How long a start may take, from the process to the first answer and the word `ready` in the log.
const START_MAX: Duration = Duration::from_secs(15);
/// How long a stop may take: Timer B or F of an open transaction is 32 s.
const STOP_MAX: Duration = Duration::from_secs(40);
/// How often a process that should end is looked at.
const POLL: Duration = Duration::from_millis(20);

/// A server program, a data folder and a port: what outlives a kill.
#[derive(Debug)]
pub struct Site {
    program: PathBuf,
    folder: PathBuf,
    /// Where the server listens.
    pub address: SocketAddr,
    starts: u32,
}

/// A server that runs. Dropped, it is killed.
#[derive(Debug)]
pub struct Server {
    child: Child,
    stdout: PathBuf,
    log: PathBuf,
}

/// One account.
#[derive(Debug, Clone)]
pub struct Account {
    /// The user part of the address of record, and the digest user name.
    pub name: String,
    /// The password, in clear.
    pub password: String,
}

impl Site {
    /// An empty data folder below `folder` and a free port.
    ///
    /// # Errors
    /// When the system has no port.
    pub fn new(program: &Path, folder: &Path) -> Result<Self, Fault> {
        Ok(Self {
            program: program.to_owned(),
            folder: folder.to_owned(),
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, probe::free_port()?)),
            starts: 0,
        })
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Creates accounts; the server must not be running.
    ///
    /// # Errors
    /// When the command fails; the message carries what it printed.
    pub fn import(&self, accounts: &[Account]) -> Result<(), Fault> {
        let file = self.folder.join("accounts.csv");
        let lines: String = accounts.iter().map(|account| format!("{},{}\n", account.name, account.password)).collect();
        doing(|| format!("writing {}", file.display()), fs::write(&file, lines))?;
        let mut command = Command::new(&self.program);
        command.args(["user", "import"]).arg(&file).arg("--data").arg(self.data()).stdin(Stdio::null());
        let output = doing(|| format!("running {} user import", self.program.display()), command.output())?;
        if output.status.success() {
            Ok(())
        } else {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("user import: {}: {}", output.status, said.trim()))
        }
    }

    /// Starts the server and waits until it says that it is ready and answers OPTIONS.
    ///
    /// # Errors
    /// When it ends by itself, doesn't answer, or doesn't say that it is ready.
    pub fn start(&mut self) -> Result<Server, Fault> {
        self.starts += 1;
        let stdout = self.folder.join(format!("server-{}.out", self.starts));
        let log = self.folder.join(format!("server-{}.log", self.starts));
        let create = |path: &PathBuf| doing(|| format!("creating {}", path.display()), File::create(path));
        let mut command = Command::new(&self.program);
        command
            .args(["serve", "--log", "json", "--listen"])
            .arg(self.address.to_string())
            .arg("--data")
            .arg(self.data())
            .stdin(Stdio::null())
            .stdout(create(&stdout)?)
            .stderr(create(&log)?);
        let child = doing(|| format!("running {} serve", self.program.display()), command.spawn())?;
        let mut server = Server { child, stdout, log };
        let began = Instant::now();
        probe::wait_for_options(self.address, START_MAX, || server.ended())?;
        while !server.log().contains("ready") {
            if began.elapsed() > START_MAX {
                return Err(format!("it answers, but {} has no line `ready`", server.log.display()));
            }
            std::thread::sleep(POLL);
        }
        Ok(server)
    }
}

impl Server {
    /// What it printed so far.
    #[must_use]
    pub fn stdout(&self) -> String {
        fs::read_to_string(&self.stdout).unwrap_or_default()
    }

    /// What it logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// SIGKILL, to the process and any it started.
    ///
    /// # Errors
    /// When it had ended by itself before.
    pub fn kill(mut self) -> Result<(), Fault> {
        let ended = self.ended();
        self.kill_all();
        ended.map_or(Ok(()), Err)
    }

    /// SIGTERM; it must then end by itself with 0, having logged no error and not panicked.
    ///
    /// # Errors
    /// When any of this isn't so.
    pub fn stop(mut self) -> Result<(), Fault> {
        self.terminate()?;
        self.finish()
    }

    /// Sends SIGTERM and doesn't wait.
    ///
    /// # Errors
    /// When it had ended by itself before.
    pub fn terminate(&mut self) -> Result<(), Fault> {
        match self.ended() {
            Some(fault) => Err(fault),
            None => signal("TERM", self.child.id()),
        }
    }

    /// What [`Server::stop`] does after the signal.
    ///
    /// # Errors
    /// As [`Server::stop`].
    pub fn finish(mut self) -> Result<(), Fault> {
        match wait(&mut self.child, STOP_MAX)? {
            None => return Err(format!("still running {STOP_MAX:?} after SIGTERM")),
            Some(status) if status.code() != Some(0) => return Err(format!("after SIGTERM: {status}, not 0")),
            Some(_) => {}
        }
        match self.log().lines().find(|line| is_error(line)) {
            None => Ok(()),
            Some(line) => Err(format!("{}: {line}", self.log.display())),
        }
    }

    /// Says how the process ended, where it did though nobody told it to.
    fn ended(&mut self) -> Option<Fault> {
        match self.child.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => {
                let log = self.log();
                let last = log.lines().last().unwrap_or("(it logged nothing)");
                Some(format!("the server ended: {status}: {last}"))
            }
            Err(error) => Some(format!("the server's state: {error}")),
        }
    }

    fn kill_all(&mut self) {
        let children = descendants(self.child.id());
        // Both can only fail because the process is gone already, which is what is wanted.
        let _ = self.child.kill();
        for child in children {
            let _ = signal("KILL", child);
        }
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.kill_all();
        }
    }
}

/// Waits for a process to end; `None` when it runs on after `limit`.
pub(crate) fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>, Fault> {
    let began = Instant::now();
    loop {
        match doing(|| "waiting for a process".to_owned(), child.try_wait())? {
            Some(status) => return Ok(Some(status)),
            None if began.elapsed() >= limit => return Ok(None),
            None => std::thread::sleep(POLL),
        }
    }
}

/// Sends a signal by the shell's `kill`: the standard library knows SIGKILL alone, and this is no reason for a crate.
fn signal(name: &str, process: u32) -> Result<(), Fault> {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("kill -s {name} {process}")]);
    command.stderr(Stdio::null());
    let status = doing(|| format!("kill -s {name} {process}"), command.status())?;
    if status.success() { Ok(()) } else { Err(format!("kill -s {name} {process}: {status}")) }
}

/// The processes that `process` started, and those that they did.
fn descendants(process: u32) -> Vec<u32> {
    let path = format!("/proc/{process}/task/{process}/children");
    let children = fs::read_to_string(path).unwrap_or_default();
    let mut found = Vec::new();
    for child in children.split_whitespace().filter_map(|word| word.parse().ok()) {
        found.push(child);
        found.extend(descendants(child));
    }
    found
}

/// An event of level ERROR in the JSON log, or a panic, which goes to stderr beside it.
fn is_error(line: &str) -> bool {
    line.contains("\"level\":\"ERROR\"") || line.contains("panicked at")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn errors_and_panics_are_told_from_other_lines() {
        assert!(is_error(r#"{"timestamp":"…","level":"ERROR","fields":{}}"#));
        assert!(is_error("thread 'main' (7) panicked at src/main.rs:1:1:"));
        assert!(!is_error(r#"{"level":"WARN","fields":{"message":"400 Bad Request"}}"#));
    }

    #[test]
    fn a_process_is_waited_for_and_its_children_are_found() {
        let mut child = Command::new("sh").args(["-c", "sleep 30; true"]).spawn().unwrap();
        assert_eq!(wait(&mut child, Duration::from_millis(300)).unwrap(), None);
        let below = descendants(child.id());
        signal("KILL", child.id()).unwrap();
        assert!(wait(&mut child, Duration::from_secs(5)).unwrap().is_some());
        for process in below {
            signal("KILL", process).unwrap();
        }
    }
}

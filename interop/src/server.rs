//! The process under test.
//!
//! It is known by its command line alone:
//!
//! ```text
//! SERVER user import FILE --data DIR                        lines of name,password; while it is not running
//! SERVER serve --listen ADDR... --data DIR --log json [--config FILE]
//!                                                           in the foreground; ends with 0 at SIGTERM
//! ```
//!
//! It listens by UDP and by TCP at each address.

use std::fs::{self, File};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::leg::Leg;
use crate::process::{Guarded, POLL, command, signal, wait};
use crate::{Fault, doing, probe};

/// How long a start may take, from the process to the first answer and the word `ready` in the log.
const START_MAX: Duration = Duration::from_secs(15);
/// How long a stop may take: Timer B or F of an open transaction is 32 s.
const STOP_MAX: Duration = Duration::from_secs(40);

/// A server program, a data folder and a port: what outlives a kill.
#[derive(Debug)]
pub struct Site {
    program: PathBuf,
    folder: PathBuf,
    /// Where the server listens.
    pub address: SocketAddr,
    /// Whether it also listens at this port of ::1.
    pub with_ipv6: bool,
    /// The text of its configuration file, if it is to have one.
    /// Where that names listeners, the server has those, and none else.
    pub configuration: Option<String>,
    /// What else stands on its command line.
    pub flags: Vec<String>,
    starts: u32,
}

/// A server that runs. Dropped, it is killed.
#[derive(Debug)]
pub struct Server {
    process: Guarded,
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
            with_ipv6: false,
            configuration: None,
            flags: Vec::new(),
            starts: 0,
        })
    }

    /// The program, for its other commands.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Where the server is reached by `leg`.
    #[must_use]
    pub fn address_on(&self, leg: Leg) -> SocketAddr {
        SocketAddr::new(leg.ip, self.address.port())
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
        let mut command = command(&self.program);
        command.args(["serve", "--log", "json"]).args(&self.flags);
        // A flag would go before what the file says of it.
        if !self.configuration.as_ref().is_some_and(|text| text.contains("[[listener]]")) {
            command.args(["--listen", &self.address.to_string()]);
        }
        if self.with_ipv6 {
            command.args(["--listen", &SocketAddr::from((Ipv6Addr::LOCALHOST, self.address.port())).to_string()]);
        }
        command.arg("--data").arg(self.data());
        if let Some(text) = &self.configuration {
            let file = self.folder.join("ringback.toml");
            doing(|| format!("writing {}", file.display()), fs::write(&file, text))?;
            command.arg("--config").arg(file);
        }
        command.stdin(Stdio::null()).stdout(create(&stdout)?).stderr(create(&log)?);
        let mut server = Server { process: Guarded::start(&mut command)?, stdout, log };
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
        self.process.kill();
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
            None => signal("TERM", self.process.child.id()),
        }
    }

    /// What [`Server::stop`] does after the signal.
    ///
    /// # Errors
    /// As [`Server::stop`].
    pub fn finish(mut self) -> Result<(), Fault> {
        match wait(&mut self.process.child, STOP_MAX)? {
            None => return Err(format!("still running {STOP_MAX:?} after SIGTERM")),
            Some(status) if status.code() != Some(0) => return Err(format!("after SIGTERM: {status}, not 0")),
            Some(_) => {}
        }
        self.logged_error().map_or(Ok(()), Err)
    }

    /// The memory that is this process's own, in KiB: pages of files, which other servers share, are left out.
    ///
    /// # Errors
    /// When the kernel doesn't tell.
    pub fn memory_kib(&self) -> Result<u64, Fault> {
        let path = format!("/proc/{}/smaps_rollup", self.process.child.id());
        let text = doing(|| format!("reading {path}"), fs::read_to_string(&path))?;
        let line = text.lines().find_map(|line| line.strip_prefix("Anonymous:"));
        let figure = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        figure.ok_or_else(|| format!("{path} has no line `Anonymous`"))
    }

    /// How many files and sockets it has open.
    ///
    /// # Errors
    /// When the kernel doesn't tell.
    pub fn open_files(&self) -> Result<usize, Fault> {
        let path = format!("/proc/{}/fd", self.process.child.id());
        doing(|| format!("reading {path}"), fs::read_dir(&path)).map(Iterator::count)
    }

    /// Says how the process ended, where it did though nobody told it to; and the first error that it logged, if it did.
    pub fn trouble(&mut self) -> Option<Fault> {
        self.ended().or_else(|| self.logged_error())
    }

    fn ended(&mut self) -> Option<Fault> {
        let how = self.process.ended()?;
        let log = self.log();
        let last = log.lines().last().unwrap_or("(it logged nothing)");
        Some(format!("the server ended: {how}: {last}"))
    }

    fn logged_error(&self) -> Option<Fault> {
        let log = self.log();
        log.lines().find(|line| is_error(line)).map(|line| format!("{}: {line}", self.log.display()))
    }
}

/// An event of level ERROR in the JSON log, or a panic, which goes to stderr beside it.
fn is_error(line: &str) -> bool {
    line.contains("\"level\":\"ERROR\"") || line.contains("panicked at")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_and_panics_are_told_from_other_lines() {
        assert!(is_error(r#"{"timestamp":"…","level":"ERROR","fields":{}}"#));
        assert!(is_error("thread 'main' (7) panicked at src/main.rs:1:1:"));
        assert!(!is_error(r#"{"level":"WARN","fields":{"message":"400 Bad Request"}}"#));
    }
}

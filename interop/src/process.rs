//! Processes that end: with what started them, or when they are told to.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use crate::{Fault, doing};

/// How often a process that should end is looked at.
pub(crate) const POLL: Duration = Duration::from_millis(20);

/// A command for `program` that the kernel kills when the thread that started it ends, so that no peer outlives a run that
/// was itself killed. The process keeps the number that it was started with.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// Where the path finds `program`.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// A process that is killed, with all that it started, where this is dropped before it has ended.
#[derive(Debug)]
pub(crate) struct Guarded {
    /// The process.
    pub(crate) child: Child,
}

impl Guarded {
    /// Starts `command`.
    ///
    /// # Errors
    /// When the system can't.
    pub(crate) fn start(command: &mut Command) -> Result<Self, Fault> {
        let started = command.spawn();
        let child = doing(|| format!("starting {command:?}"), started)?;
        Ok(Self { child })
    }

    /// How it ended, where it has.
    pub(crate) fn ended(&mut self) -> Option<String> {
        match self.child.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(status.to_string()),
            Err(error) => Some(error.to_string()),
        }
    }

    /// Waits for its end; what runs on after `limit` is killed, and `None` given.
    ///
    /// # Errors
    /// When the system doesn't tell.
    pub(crate) fn finish(mut self, limit: Duration) -> Result<Option<ExitStatus>, Fault> {
        wait(&mut self.child, limit)
    }

    /// Kills the process and those that it started.
    pub(crate) fn kill(&mut self) {
        let children = descendants(self.child.id());
        // Both can only fail because the process is gone already, which is what is wanted.
        let _ = self.child.kill();
        for child in children {
            let _ = signal("KILL", child);
        }
        let _ = self.child.wait();
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.kill();
        }
    }
}

/// Runs `command` to its end and gives what it printed; it is killed where it takes longer than `limit`.
///
/// # Errors
/// When it can't be started, or had to be killed.
pub(crate) fn output(command: &mut Command, limit: Duration) -> Result<Output, Fault> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut guarded = Guarded::start(command)?;
    let mut readers = Vec::new();
    if let Some(stdout) = guarded.child.stdout.take() {
        readers.push(read_all(stdout));
    }
    if let Some(stderr) = guarded.child.stderr.take() {
        readers.push(read_all(stderr));
    }
    let status =
        guarded.finish(limit)?.ok_or_else(|| format!("{command:?} ran longer than {limit:?} and was killed"))?;
    let mut texts = readers.into_iter().map(|reader| reader.join().unwrap_or_default());
    Ok(Output { status, stdout: texts.next().unwrap_or_default(), stderr: texts.next().unwrap_or_default() })
}

fn read_all(mut pipe: impl std::io::Read + Send + 'static) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is all that there is to show.
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
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
pub(crate) fn signal(name: &str, process: u32) -> Result<(), Fault> {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

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

    #[test]
    fn what_a_process_prints_is_read_and_its_time_is_bounded() {
        let said = output(Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]), Duration::from_secs(5));
        let said = said.unwrap();
        assert_eq!(
            (said.status.code(), said.stdout.as_slice(), said.stderr.as_slice()),
            (Some(3), &b"out\n"[..], &b"err\n"[..])
        );
        let fault = output(Command::new("sleep").arg("30"), Duration::from_millis(100)).unwrap_err();
        assert!(fault.contains("killed"), "{fault}");
    }
}

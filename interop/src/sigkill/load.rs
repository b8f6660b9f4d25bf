//! SIPp as a load that says what it asked for and what was acknowledged.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use crate::probe::free_port;
use crate::process::{Guarded, command};
use crate::server::Account;
use crate::sigkill::ledger::{Changes, Ledger, Stamp};
use crate::sigkill::phones::contact_of;
use crate::{Fault, doing};

const SCENARIO: &str = include_str!("../../sipp/register-logged.xml");
const LOG: &str = "acknowledged.log";
/// SIPp gives up by itself after this long, in seconds; a round is far shorter.
const LIMIT_SECS: &str = "30";
/// What SIPp has in its socket when the server is dead is read within this.
const LAST_ANSWERS: Duration = Duration::from_millis(50);

/// A SIPp that registers each of its users once. Dropped, it is killed.
#[derive(Debug)]
pub(super) struct Load {
    process: Guarded,
    log: PathBuf,
    stamp: Stamp,
}

impl Load {
    /// Registers `users`, so many a second, all with this stamp. What the run before left below `folder` is overwritten.
    pub(super) fn start(
        folder: &Path,
        server: SocketAddr,
        users: &[Account],
        rate: u32,
        stamp: Stamp,
    ) -> Result<Load, Fault> {
        let folder = folder.join("sipp");
        doing(|| format!("creating {}", folder.display()), fs::create_dir_all(&folder))?;
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            doing(|| format!("writing {}", path.display()), fs::write(&path, text)).map(|()| path)
        };
        write("scenario.xml", SCENARIO)?;
        let line = |user: &Account| {
            let (name, password, contact) = (&user.name, &user.password, contact_of(&user.name, 0));
            format!("{name};[authentication username={name} password={password}];{contact}\n")
        };
        write("users.csv", &format!("SEQUENTIAL\n{}", users.iter().map(line).collect::<String>()))?;
        let log = write(LOG, "")?;
        let mut command = command("sipp");
        command.current_dir(&folder).arg(server.to_string());
        command.args(["-sf", "scenario.xml", "-inf", "users.csv", "-i", "127.0.0.1", "-bind_local", "-nostdin"]);
        command.args(["-p", &free_port()?.to_string(), "-m", &users.len().to_string(), "-r", &rate.to_string()]);
        command.args(["-timeout", LIMIT_SECS, "-key", "stamp", &stamp.to_string()]);
        command.args(["-trace_logs", "-log_file", LOG, "-trace_err", "-error_file", "errors.log"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Load { process: Guarded::start(&mut command)?, log, stamp })
    }

    /// Ends it, the server being dead, and writes down what it asked for and what was acknowledged.
    pub(super) fn finish(mut self, ledger: &mut Ledger) -> Result<(), Fault> {
        std::thread::sleep(LAST_ANSWERS);
        self.process.kill();
        let text = doing(|| format!("reading {}", self.log.display()), fs::read_to_string(&self.log))?;
        note(&text, self.stamp, ledger)
    }
}

/// A line that SIPp had not ended to write is none.
fn note(text: &str, stamp: Stamp, ledger: &mut Ledger) -> Result<(), Fault> {
    for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let changes = |user: &str| -> Changes { vec![(contact_of(user, 0), Some(stamp))] };
        match line.split_once(' ') {
            Some(("asked", user)) => ledger.asked(user, &changes(user)),
            Some(("acknowledged", user)) => ledger.acknowledged(user, &changes(user)),
            _ => return Err(format!("SIPp logged {line:?}")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_log_says_what_was_asked_and_acknowledged() {
        assert!(SCENARIO.contains("<!--\n  Proves"), "what it proves stands at its head");
        let mut ledger = Ledger::default();
        note("asked ann\nasked bob\nacknowledged ann\nacknowledged b", 3, &mut ledger).unwrap();
        assert!(ledger.has("ann", &contact_of("ann", 0)) && !ledger.has("bob", &contact_of("bob", 0)));
        assert_eq!(ledger.tally().acknowledged, 1);
        assert!(note("what\n", 3, &mut ledger).is_err());
    }
}

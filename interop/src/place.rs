//! Where a case happens, and what most cases do there.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::leg::Leg;
use crate::probe::free_port;
use crate::scenario::{CALL_REFUSED, REGISTER};
use crate::server::{Account, Site};
use crate::sipp::{Figures, Run, Script};
use crate::{Fault, doing};

/// New registrations a second: well below what any server does, because the figure here is failures and not speed.
const REGISTER_RATE: u32 = 200;
/// When every caller has ended, the callee ends after its own pause of a second.
const CALLEE_END_MAX: Duration = Duration::from_secs(5);

/// A folder, a server to be, and the port where its callees are reached.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    pub(crate) site: Site,
    pub(crate) callee_port: u16,
    /// What the peers said, for the report.
    pub(crate) notes: Vec<String>,
}

/// Where a user is to be reached.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Contact {
    pub(crate) leg: Leg,
    pub(crate) port: u16,
    /// Parameters of the header field, as `;q=0.5`.
    pub(crate) parameters: &'static str,
}

impl Place {
    pub(crate) fn new(program: &Path, folder: &Path) -> Result<Self, Fault> {
        if folder.exists() {
            doing(|| format!("emptying {}", folder.display()), fs::remove_dir_all(folder))?;
        }
        doing(|| format!("creating {}", folder.display()), fs::create_dir_all(folder))?;
        let site = Site::new(program, folder)?;
        Ok(Self { folder: folder.to_owned(), site, callee_port: free_port()?, notes: Vec::new() })
    }

    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// A user of this server, as user@host:port.
    pub(crate) fn address_of(&self, user: &str) -> String {
        self.address_by(Leg::UDP, user)
    }

    /// The same user as somebody calls it who comes by `leg`.
    pub(crate) fn address_by(&self, leg: Leg, user: &str) -> String {
        format!("{user}@{}", self.site.address_on(leg))
    }

    /// A caller's script: one call for each of `users`.
    pub(crate) fn script(
        &self,
        name: &'static str,
        scenario: &'static str,
        users: &[Account],
    ) -> Result<Script, Fault> {
        self.script_by(Leg::UDP, name, scenario, users)
    }

    /// The same by `leg`.
    pub(crate) fn script_by(
        &self,
        leg: Leg,
        name: &'static str,
        scenario: &'static str,
        users: &[Account],
    ) -> Result<Script, Fault> {
        let script = Script::new(name, scenario, free_port()?, count(users)).by(leg);
        Ok(script.to(self.site.address_on(leg)).users(users))
    }

    /// Where all callees are, unless a case has several.
    pub(crate) fn contact(&self) -> Contact {
        Contact { leg: Leg::UDP, port: self.callee_port, parameters: "" }
    }

    /// Registers `users`, all at the port of the callees.
    pub(crate) fn register(&self, users: &[Account]) -> Result<Figures, Fault> {
        self.register_at(users, self.contact())
    }

    /// Registers `users` at `contact`, by the contact's own leg.
    pub(crate) fn register_at(&self, users: &[Account], contact: Contact) -> Result<Figures, Fault> {
        self.script_by(contact.leg, "register", REGISTER, users)?
            .digest_uri(&self.site.address_on(contact.leg).to_string())
            .rate(REGISTER_RATE)
            .key("contact_port", contact.port.to_string())
            .key("contact_parameters", contact.parameters)
            .run(&self.folder)
    }

    /// `calls` callees play `scenario` while `callers` does what makes them.
    pub(crate) fn call(
        &self,
        figures: &mut Figures,
        scenario: &'static str,
        calls: u32,
        callers: impl FnOnce(&mut Figures) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let callee = self.answering(Script::new("callee", scenario, self.callee_port, calls))?;
        callers(figures)?;
        figures.beside(finish(callee)?);
        Ok(())
    }

    /// A callee, whose port is bound when this returns.
    pub(crate) fn answering(&self, callee: Script) -> Result<Run, Fault> {
        let mut callee = callee.start(&self.folder)?;
        callee.wait_until_bound()?;
        Ok(callee)
    }

    /// `callers` call `callee` and get `status`.
    pub(crate) fn refused(
        &self,
        name: &'static str,
        callers: &[Account],
        callee: &str,
        status: u16,
        figures: &mut Figures,
    ) -> Result<(), Fault> {
        let script = self.script(name, CALL_REFUSED, callers)?.callee(callee);
        figures.then(script.with("STATUS", status.to_string()).run(&self.folder)?);
        Ok(())
    }
}

/// A callee who misses calls would wait for them to its own limit; what failed is known when its callers are done.
pub(crate) fn finish(callee: Run) -> Result<Figures, Fault> {
    callee.finish_within(CALLEE_END_MAX)
}

/// `count` users with different passwords.
pub(crate) fn accounts(count: usize) -> Vec<Account> {
    (1..=count)
        .map(|number| Account { name: format!("user{number:04}"), password: format!("secret-{number:04}") })
        .collect()
}

/// Users of these names.
pub(crate) fn named<const N: usize>(names: [&str; N]) -> [Account; N] {
    names.map(|name| Account { name: name.to_owned(), password: format!("{name}-secret") })
}

pub(crate) fn count(users: &[Account]) -> u32 {
    u32::try_from(users.len()).unwrap_or(u32::MAX)
}

//! What is proven, one function a case.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::probe::free_port;
use crate::report::Outcome;
use crate::server::{Account, Site};
use crate::sipp::{Figures, Script};
use crate::{Fault, doing};

const REGISTER: &str = include_str!("../sipp/register.xml");
const REGISTER_REFUSED: &str = include_str!("../sipp/register-refused.xml");
const CALL: &str = include_str!("../sipp/call.xml");
const CALL_REFUSED: &str = include_str!("../sipp/call-refused.xml");
const CALL_FOREIGN: &str = include_str!("../sipp/call-foreign.xml");
const CALLEE: &str = include_str!("../sipp/callee.xml");
const CALLEE_BUSY: &str = include_str!("../sipp/callee-busy.xml");
const CALLEE_SLOW: &str = include_str!("../sipp/callee-slow.xml");
const OPTIONS: &str = include_str!("../sipp/options.xml");

/// Users, and registrations, and calls of the two cases under load.
const LOAD: usize = 1_000;
/// Calls with a failure, a case.
const FAILURES: usize = 100;
/// Registrations a second: well below what any server does, because the figure here is failures and not speed.
const REGISTER_RATE: u32 = 200;
/// When every caller has ended, the callee ends after its own pause of a second.
const CALLEE_END_MAX: Duration = Duration::from_secs(5);

/// One proof.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// What `--case` knows it by.
    pub name: &'static str,
    /// What it proves, in one line.
    pub proves: &'static str,
    act: fn(&mut Place, &mut Figures) -> Result<(), Fault>,
}

/// All cases, in the order in which they run.
pub const CASES: &[Case] = &[
    Case {
        name: "first-start",
        proves: "the first start makes alice and bob, prints their passwords once, and these register and call",
        act: first_start,
    },
    Case { name: "options", proves: "OPTIONS to the server: 200 with Allow, Supported, Accept", act: options },
    Case { name: "registrations", proves: "1,000 users register with digest", act: registrations },
    Case {
        name: "calls",
        proves: "1,000 callers call through the proxy, from the challenge to the BYE along the route set",
        act: calls,
    },
    Case { name: "busy", proves: "a callee's 486 reaches 100 callers and is acknowledged hop by hop", act: busy },
    Case { name: "unknown-users", proves: "100 calls to users that don't exist bring 404", act: unknown_users },
    Case {
        name: "unreachable",
        proves: "a user with no binding brings 480, a domain that isn't ours 403",
        act: unreachable,
    },
    Case { name: "wrong-password", proves: "a wrong password neither registers nor calls", act: wrong_password },
    Case {
        name: "restart",
        proves: "after SIGKILL right behind the last 200, users who registered before can be called",
        act: restart,
    },
    Case {
        name: "stop",
        proves: "at SIGTERM an open call still gets its answer; then the server ends with 0",
        act: stop,
    },
];

/// Runs one case against the server program `program`, in a folder of its own below `work`. Every case ends the server
/// with SIGTERM and demands the exit status 0.
#[must_use]
pub fn run(case: &Case, program: &Path, work: &Path) -> Outcome {
    let mut figures = Figures::default();
    let result = Place::new(program, &work.join(case.name)).and_then(|mut place| (case.act)(&mut place, &mut figures));
    Outcome { name: case.name, figures, fault: result.err() }
}

/// Where a case happens: a folder, a server to be, and the port where its callees are reached.
struct Place {
    folder: PathBuf,
    site: Site,
    callee_port: u16,
}

impl Place {
    fn new(program: &Path, folder: &Path) -> Result<Self, Fault> {
        if folder.exists() {
            doing(|| format!("emptying {}", folder.display()), fs::remove_dir_all(folder))?;
        }
        doing(|| format!("creating {}", folder.display()), fs::create_dir_all(folder))?;
        Ok(Self { folder: folder.to_owned(), site: Site::new(program, folder)?, callee_port: free_port()? })
    }

    /// A user of this server, as user@host:port.
    fn address_of(&self, user: &str) -> String {
        format!("{user}@{}", self.site.address)
    }

    /// A caller's script: one call for each of `users`.
    fn script(&self, name: &'static str, scenario: &'static str, users: &[Account]) -> Result<Script, Fault> {
        let script = Script::new(name, scenario, free_port()?, count(users));
        Ok(script.to(self.site.address).users(users))
    }

    /// Registers `users`, all at the port of the callees.
    fn register(&self, users: &[Account]) -> Result<Figures, Fault> {
        self.script("register", REGISTER, users)?
            .rate(REGISTER_RATE)
            .key("contact_port", self.callee_port.to_string())
            .run(&self.folder)
    }

    /// Each of `callers` calls `callee`, who answers as `scenario` says; `caller` makes the callers' script.
    fn call(
        &self,
        figures: &mut Figures,
        scenario: &'static str,
        calls: u32,
        callers: impl FnOnce(&mut Figures) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut callee = Script::new("callee", scenario, self.callee_port, calls).start(&self.folder)?;
        callee.wait_until_bound()?;
        callers(figures)?;
        // A callee who misses calls would wait for them to its own limit; what failed is known by then.
        figures.beside(callee.finish_within(CALLEE_END_MAX)?);
        Ok(())
    }

    /// `callers` call `callee` and get `status`.
    fn refused(
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

fn first_start(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let server = place.site.start()?;
    let printed = server.stdout();
    let [alice, bob] = ["alice", "bob"].map(|name| {
        printed_password(&printed, name)
            .map(|password| Account { name: name.to_owned(), password })
            .ok_or_else(|| format!("the first start printed no password of {name}: {printed:?}"))
    });
    let (alice, bob) = (alice?, bob?);
    figures.then(place.register(std::slice::from_ref(&bob))?);
    place.call(figures, CALLEE, 1, |figures| {
        let script = place.script("call", CALL, std::slice::from_ref(&alice))?;
        figures.then(script.callee(&place.address_of("bob")).run(&place.folder)?);
        Ok(())
    })?;
    for account in [&alice, &bob] {
        if server.log().contains(&account.password) {
            return Err(format!("the log has the password of {}", account.name));
        }
    }
    server.stop()?;

    let server = place.site.start()?;
    let printed = server.stdout();
    if printed.contains(&alice.password) || printed_password(&printed, "alice").is_some() {
        return Err("the second start printed passwords again".to_owned());
    }
    server.stop()
}

fn options(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let server = place.site.start()?;
    let script = Script::new("options", OPTIONS, free_port()?, 100).to(place.site.address);
    figures.then(script.run(&place.folder)?);
    server.stop()
}

fn registrations(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let users = accounts(LOAD);
    place.site.import(&users)?;
    let server = place.site.start()?;
    figures.then(place.register(&users)?);
    server.stop()
}

fn calls(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    // A batch has one callee, because SIPp takes one digest uri for a run. The callee is never among its callers.
    const BATCH: usize = 100;
    let users = accounts(LOAD);
    place.site.import(&users)?;
    let server = place.site.start()?;
    let callees: Vec<Account> = users.iter().step_by(BATCH).cloned().collect();
    // The calls that are counted are the calls' alone.
    figures.beside(place.register(&callees)?);
    place.call(figures, CALLEE, count(&users), |figures| {
        let batches = users.chunks(BATCH).cycle().skip(1);
        for (callee, callers) in callees.iter().zip(batches) {
            let script = place.script("call", CALL, callers)?;
            let batch = script.callee(&place.address_of(&callee.name)).run(&place.folder)?;
            let failed = !batch.faults.is_empty();
            figures.then(batch);
            if failed {
                return Err(format!("given up at the batch for {}", callee.name));
            }
        }
        Ok(())
    })?;
    server.stop()
}

fn busy(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let users = accounts(FAILURES + 1);
    let Some((callee, callers)) = users.split_first() else {
        return Err("no users".to_owned());
    };
    place.site.import(&users)?;
    let server = place.site.start()?;
    figures.beside(place.register(std::slice::from_ref(callee))?);
    place.call(figures, CALLEE_BUSY, count(callers), |figures| {
        place.refused("call", callers, &place.address_of(&callee.name), 486, figures)
    })?;
    server.stop()
}

fn unknown_users(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let users = accounts(FAILURES);
    place.site.import(&users)?;
    let server = place.site.start()?;
    for (callers, nobody) in users.chunks(FAILURES / 4).zip(["nobody", "user", "0", "alice.b"]) {
        place.refused("call", callers, &place.address_of(nobody), 404, figures)?;
    }
    server.stop()
}

fn unreachable(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let users = accounts(10);
    let Some((absent, callers)) = users.split_first() else {
        return Err("no users".to_owned());
    };
    place.site.import(&users)?;
    let server = place.site.start()?;
    place.refused("no-binding", callers, &place.address_of(&absent.name), 480, figures)?;
    let script = place.script("foreign", CALL_FOREIGN, callers)?.callee("bob@foreign.invalid");
    figures.then(script.run(&place.folder)?);
    server.stop()
}

fn wrong_password(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let users = accounts(10);
    let Some(first) = users.first() else {
        return Err("no users".to_owned());
    };
    let guesses: Vec<Account> = users
        .iter()
        .map(|user| Account { name: user.name.clone(), password: format!("not-{}", user.password) })
        .collect();
    place.site.import(&users)?;
    let server = place.site.start()?;
    let script = place.script("register", REGISTER_REFUSED, &guesses)?;
    let script = script.key("contact_port", place.callee_port.to_string());
    figures.then(script.run(&place.folder)?);
    let callee = place.address_of(&first.name);
    place.refused("call-with-guess", &guesses, &callee, 407, figures)?;
    // With the right password the call finds that no guess left a binding.
    place.refused("call", &users, &callee, 480, figures)?;
    server.stop()
}

fn restart(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let users = accounts(100);
    let (Some(first), Some(last)) = (users.first(), users.last()) else {
        return Err("no users".to_owned());
    };
    place.site.import(&users)?;
    let server = place.site.start()?;
    figures.then(place.register(&users)?);
    server.kill()?;

    let server = place.site.start()?;
    place.call(figures, CALLEE, 2, |figures| {
        for (callee, caller) in [(first, last), (last, first)] {
            let script = place.script("call", CALL, std::slice::from_ref(caller))?;
            figures.then(script.callee(&place.address_of(&callee.name)).run(&place.folder)?);
        }
        Ok(())
    })?;
    server.stop()
}

fn stop(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    // The callee answers two seconds after the INVITE.
    const SIGNAL_AFTER: Duration = Duration::from_secs(1);
    let users = accounts(2);
    let (Some(callee), Some(caller)) = (users.first(), users.last()) else {
        return Err("no users".to_owned());
    };
    place.site.import(&users)?;
    let mut server = place.site.start()?;
    figures.beside(place.register(std::slice::from_ref(callee))?);
    place.call(figures, CALLEE_SLOW, 1, |figures| {
        let script = place.script("call", CALL_REFUSED, std::slice::from_ref(caller))?;
        let script = script.callee(&place.address_of(&callee.name)).with("STATUS", "486");
        let call = script.start(&place.folder)?;
        std::thread::sleep(SIGNAL_AFTER);
        server.terminate()?;
        figures.then(call.finish()?);
        Ok(())
    })?;
    server.finish()
}

fn accounts(count: usize) -> Vec<Account> {
    (1..=count)
        .map(|number| Account { name: format!("user{number:04}"), password: format!("secret-{number:04}") })
        .collect()
}

fn count(users: &[Account]) -> u32 {
    u32::try_from(users.len()).unwrap_or(u32::MAX)
}

/// The word after `password` in the line that names the account, where quotes and a colon may stand around it.
fn printed_password(text: &str, name: &str) -> Option<String> {
    let is_bare = |word: &str, other: &str| word.trim_matches(|c: char| !c.is_alphanumeric()) == other;
    text.lines().filter(|line| line.split_whitespace().any(|word| is_bare(word, name))).find_map(|line| {
        let mut words = line.split_whitespace();
        words.find(|word| is_bare(&word.to_lowercase(), "password"))?;
        let password = words.next()?.trim_matches(['"', '\'', '`', ',', ';']);
        Some(password.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_password_is_found_in_the_line_of_its_account() {
        let text =
            "Accounts:\n  alice  password: x7-Kq.2\n  \"bob\", password \"other\",\n  dial sip:alice@127.0.0.1\n";
        assert_eq!(printed_password(text, "alice").as_deref(), Some("x7-Kq.2"));
        assert_eq!(printed_password(text, "bob").as_deref(), Some("other"));
        assert_eq!(printed_password(text, "carol"), None);
        assert_eq!(printed_password("alice has no word for it", "alice"), None);
    }

    #[test]
    fn names_of_cases_are_distinct() {
        let mut names: Vec<&str> = CASES.iter().map(|case| case.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CASES.len());
    }

    #[test]
    fn every_scenario_says_what_it_proves() {
        for text in
            [REGISTER, REGISTER_REFUSED, CALL, CALL_REFUSED, CALL_FOREIGN, CALLEE, CALLEE_BUSY, CALLEE_SLOW, OPTIONS]
        {
            assert!(text.contains("<!--\n  Proves"), "{text}");
        }
        assert!(CALL_REFUSED.contains("response=\"STATUS\""));
    }
}

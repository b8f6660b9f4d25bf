//! A registrar and a proxy at work: registrations, calls, refusals, a kill and a stop.

use std::time::Duration;

use crate::Fault;
use crate::place::{Place, accounts, count};
use crate::probe::free_port;
use crate::scenario::{CALL, CALL_FOREIGN, CALL_REFUSED, CALLEE, CALLEE_BUSY, CALLEE_SLOW, OPTIONS, REGISTER_REFUSED};
use crate::server::Account;
use crate::sipp::{Figures, Script};

/// Users, and registrations, and calls of the two cases under load.
const LOAD: usize = 1_000;
/// Calls with a failure, a case.
const FAILURES: usize = 100;

pub(super) fn first_start(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
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

pub(super) fn options(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let server = place.site.start()?;
    let script = Script::new("options", OPTIONS, free_port()?, 100).to(place.site.address);
    figures.then(script.run(&place.folder)?);
    server.stop()
}

pub(super) fn registrations(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let users = accounts(LOAD);
    place.site.import(&users)?;
    let server = place.site.start()?;
    figures.then(place.register(&users)?);
    server.stop()
}

pub(super) fn calls(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
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

pub(super) fn busy(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
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

pub(super) fn unknown_users(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let users = accounts(FAILURES);
    place.site.import(&users)?;
    let server = place.site.start()?;
    for (callers, nobody) in users.chunks(FAILURES / 4).zip(["nobody", "user", "0", "alice.b"]) {
        place.refused("call", callers, &place.address_of(nobody), 404, figures)?;
    }
    server.stop()
}

pub(super) fn unreachable(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
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

pub(super) fn wrong_password(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
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

pub(super) fn restart(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
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

pub(super) fn stop(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
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
}

//! Calls in all their phases: cancelled, unanswered, repeated, forked; and requests that are no calls.

use std::time::Duration;

use crate::Fault;
use crate::place::{Contact, Place, accounts, count, finish, named};
use crate::probe::free_port;
use crate::scenario::{
    CALL, CALL_REFUSED, CALLEE, CALLEE_BUSY, CALLEE_CANCELLED, CALLEE_MESSAGE, CALLEE_SILENT, CANCEL, CANCEL_EARLY,
    MESSAGE, REDIRECT, RETRANSMIT,
};
use crate::sipp::{Figures, Script};

/// Calls of each kind.
const CALLS: usize = 50;

pub(super) fn cancel(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    // Longer than the caller takes to send its CANCEL, shorter than T1, when the INVITE would be repeated.
    const RINGS_AFTER: Duration = Duration::from_millis(300);
    let [callee] = named(["callee"]);
    let callers = accounts(CALLS);
    place.site.import(&[&callers[..], std::slice::from_ref(&callee)].concat())?;
    let server = place.site.start()?;
    figures.beside(place.register(std::slice::from_ref(&callee))?);
    for (scenario, pause) in [(CANCEL, Duration::ZERO), (CANCEL_EARLY, RINGS_AFTER)] {
        let script = Script::new("callee", CALLEE_CANCELLED, place.callee_port, count(&callers)).pause(pause);
        let answering = place.answering(script)?;
        let script = place.script("cancel", scenario, &callers)?;
        figures.then(script.callee(&place.address_of(&callee.name)).run(&place.folder)?);
        figures.beside(finish(answering)?);
    }
    server.stop()
}

pub(super) fn no_answer(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    // Timer B is 32 s; what comes from the server later than that would be a fault.
    const SILENCE: Duration = Duration::from_secs(34);
    const LIMIT: Duration = Duration::from_secs(60);
    let [callee, caller] = named(["callee", "caller"]);
    place.site.import(&[callee.clone(), caller.clone()])?;
    let server = place.site.start()?;
    figures.beside(place.register(std::slice::from_ref(&callee))?);
    let script = Script::new("callee", CALLEE_SILENT, place.callee_port, 1).pause(SILENCE).patience(LIMIT);
    let silent = place.answering(script)?;
    let script = place.script("call", CALL_REFUSED, std::slice::from_ref(&caller))?.with("STATUS", "408");
    let script = script.patience(LIMIT).limit(LIMIT);
    let call = script.callee(&place.address_of(&callee.name)).run(&place.folder)?;
    let (seconds, silent) = (call.seconds, finish(silent)?);
    figures.then(call);
    let repeated = silent.received("INVITE");
    figures.beside(silent);
    place.note(format!("408 after {seconds:.1} s, the INVITE sent {repeated} times"));
    // 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s. [RFC 3261, Section 17.1.1.2] To the millisecond that is proved in virtual time; here,
    // a busy machine makes an interval longer and their number smaller.
    if !(4..=7).contains(&repeated) || !(31.5..60.0).contains(&seconds) {
        return Err(format!("the INVITE was sent {repeated} times in {seconds:.1} s, not up to 7 times in 32 s"));
    }
    server.stop()
}

pub(super) fn retransmission(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    // The caller repeats its INVITE after 0.5 and 1.5 s.
    const ANSWERS_AFTER: Duration = Duration::from_secs(2);
    let [callee] = named(["callee"]);
    let callers = accounts(CALLS);
    place.site.import(&[&callers[..], std::slice::from_ref(&callee)].concat())?;
    let server = place.site.start()?;
    figures.beside(place.register(std::slice::from_ref(&callee))?);
    let script = Script::new("callee", CALLEE, place.callee_port, count(&callers)).pause(ANSWERS_AFTER);
    let answering = place.answering(script)?;
    let script = place.script("retransmit", RETRANSMIT, &callers)?;
    let calling = script.callee(&place.address_of(&callee.name)).run(&place.folder)?;
    let answering = finish(answering)?;
    let calls = u64::from(count(&callers));
    // One INVITE of each call was challenged.
    let sent = calling.sent("INVITE").saturating_sub(calls);
    let (arrived, oks) = (answering.received("INVITE"), calling.received("200 INVITE"));
    figures.then(calling);
    figures.beside(answering);
    place.note(format!("{calls} calls: {sent} INVITE sent, {arrived} arrived; {oks} 200 until the ACK"));
    if sent < 3 * calls || arrived != calls {
        return Err("an INVITE that was sent three times must arrive once".to_owned());
    }
    // The callee's 200 goes out after 0, 0.5 and 1.5 s, before the ACK at 2.5 s; on a busy machine one may come behind the ACK.
    if oks <= calls {
        return Err("a 200 that isn't acknowledged must come again each time that the callee sends it".to_owned());
    }
    server.stop()
}

pub(super) fn late(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    // The INVITE is repeated after 0.5, 1.5 and 3.5 s.
    const RINGS_AFTER: Duration = Duration::from_millis(2_500);
    let [callee] = named(["callee"]);
    let callers = accounts(CALLS);
    place.site.import(&[&callers[..], std::slice::from_ref(&callee)].concat())?;
    let server = place.site.start()?;
    figures.beside(place.register(std::slice::from_ref(&callee))?);
    let script = Script::new("callee", CALLEE_CANCELLED, place.callee_port, count(&callers)).pause(RINGS_AFTER);
    let answering = place.answering(script)?;
    let script = place.script("call", CANCEL, &callers)?;
    let calling = script.callee(&place.address_of(&callee.name)).run(&place.folder)?;
    let answering = finish(answering)?;
    let (invites, calls) = (answering.received("INVITE"), u64::from(count(&callers)));
    let repeated = calling.retransmissions;
    place.note(format!(
        "{calls} callees silent for 2.5 s were sent {invites} INVITE; their callers repeated {repeated}"
    ));
    figures.then(calling);
    figures.beside(answering);
    if invites != 3 * calls || repeated != 0 {
        return Err(format!("{invites} INVITE for {calls} callees, and {repeated} from their callers"));
    }
    server.stop()
}

pub(super) fn forking(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    const ANSWERS_AFTER: Duration = Duration::from_millis(500);
    let [callee] = named(["callee"]);
    let callers = accounts(CALLS);
    let calls = count(&callers);
    place.site.import(&[&callers[..], std::slice::from_ref(&callee)].concat())?;
    let server = place.site.start()?;
    let ports = [place.callee_port, free_port()?, free_port()?];
    for port in ports {
        let contact = Contact { port, ..place.contact() };
        figures.beside(place.register_at(std::slice::from_ref(&callee), contact)?);
    }
    let [one, two, three] = ports;
    let answering = place.answering(Script::new("answers", CALLEE, one, calls).pause(ANSWERS_AFTER))?;
    let ringing = [two, three].map(|port| place.answering(Script::new("rings", CALLEE_CANCELLED, port, calls)));
    let script = place.script("call", CALL, &callers)?;
    let calling = script.callee(&place.address_of(&callee.name)).run(&place.folder)?;
    let (rings, oks) = (calling.received("180 INVITE"), calling.received("200 INVITE"));
    figures.then(calling);
    figures.beside(finish(answering)?);
    let mut cancels = 0;
    for phone in ringing {
        let phone = finish(phone?)?;
        cancels += phone.received("CANCEL");
        figures.beside(phone);
    }
    place.note(format!("{calls} calls to 3 contacts each: {rings} 180, {oks} 200, {cancels} CANCEL"));
    let calls = u64::from(calls);
    if (rings, oks, cancels) != (3 * calls, calls, 2 * calls) {
        return Err(format!("{calls} calls came to {rings} 180, {oks} 200 and {cancels} CANCEL"));
    }
    server.stop()
}

pub(super) fn serial(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let [callee] = named(["callee"]);
    let callers = accounts(CALLS);
    let calls = count(&callers);
    place.site.import(&[&callers[..], std::slice::from_ref(&callee)].concat())?;
    let server = place.site.start()?;
    let (busy, never) = (free_port()?, free_port()?);
    // Registered in another order than they are tried in.
    for (port, parameters) in [(place.callee_port, ";q=0.5"), (never, ";q=0.1"), (busy, ";q=0.9")] {
        let contact = Contact { port, parameters, ..place.contact() };
        figures.beside(place.register_at(std::slice::from_ref(&callee), contact)?);
    }
    let first = place.answering(Script::new("busy", CALLEE_BUSY, busy, calls))?;
    // Nobody answers at the third port: a call that got there would show as a repeated INVITE, or not end.
    place.call(figures, CALLEE, calls, |figures| {
        let script = place.script("call", CALL, &callers)?;
        let calling = script.callee(&place.address_of(&callee.name)).run(&place.folder)?;
        let rings = calling.received("180 INVITE");
        figures.then(calling);
        if rings == u64::from(calls) { Ok(()) } else { Err(format!("{calls} calls rang {rings} times")) }
    })?;
    figures.beside(finish(first)?);
    server.stop()
}

pub(super) fn redirect(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    place.site.configuration = Some("[domain]\nredirect = true\nalgorithms = [\"MD5\"]\n".to_owned());
    let [callee] = named(["callee"]);
    let callers = accounts(CALLS);
    place.site.import(&[&callers[..], std::slice::from_ref(&callee)].concat())?;
    let server = place.site.start()?;
    let ports = [free_port()?, free_port()?, free_port()?];
    let [second, third, first] = ports;
    for (port, parameters) in [(second, ";q=0.5"), (third, ";q=0.25"), (first, "")] {
        let contact = Contact { port, parameters, ..place.contact() };
        figures.beside(place.register_at(std::slice::from_ref(&callee), contact)?);
    }
    let script = place.script("redirected", REDIRECT, &callers)?.callee(&place.address_of(&callee.name));
    let script = script.with("FIRST_PORT", first.to_string()).with("SECOND_PORT", second.to_string());
    figures.then(script.with("THIRD_PORT", third.to_string()).run(&place.folder)?);
    server.stop()
}

pub(super) fn message(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let [callee] = named(["callee"]);
    let callers = accounts(CALLS);
    place.site.import(&[&callers[..], std::slice::from_ref(&callee)].concat())?;
    let server = place.site.start()?;
    figures.beside(place.register(std::slice::from_ref(&callee))?);
    for method in ["MESSAGE", "FROB!NICATE"] {
        let receiver = Script::new("receiver", CALLEE_MESSAGE, place.callee_port, count(&callers));
        let receiver = place.answering(receiver.with("METHOD", method))?;
        let script = place.script("sender", MESSAGE, &callers)?.with("METHOD", method);
        figures.then(script.callee(&place.address_of(&callee.name)).run(&place.folder)?);
        figures.beside(finish(receiver)?);
    }
    server.stop()
}

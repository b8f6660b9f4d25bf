//! The examples of the library: programs of some ten lines, as their users would write them, against SIPp and baresip.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use crate::leg::{Leg, Transport};
use crate::phones::baresip::Baresip;
use crate::phones::{STEP_MAX, Setup, until};
use crate::place::{Contact, Place, count, finish};
use crate::probe::free_port;
use crate::process::{Guarded, command, signal, wait};
use crate::scenario::{CALL, CALLEE, CALLEE_CANCELLED, EXAMPLE_CALL, EXAMPLE_CALLEE, EXAMPLE_ODYSSEY, REDIRECT};
use crate::server::Account;
use crate::sipp::{Figures, Script};
use crate::{Fault, doing};

/// Calls by each transport.
const CALLS: u32 = 200;
/// Calls through a server.
const SERVED_CALLS: usize = 20;
/// How long an example that makes calls may take.
const CALLS_MAX: Duration = Duration::from_secs(90);

/// An example that runs. Dropped, it is killed.
struct Example {
    process: Guarded,
    name: &'static str,
    output: PathBuf,
}

impl Example {
    fn start(place: &Place, name: &'static str, arguments: &[String]) -> Result<Example, Fault> {
        let program = std::env::current_exe().map_err(|error| format!("where this program lies: {error}"))?;
        // As the tests have built them: in release they would be compiled once more, with all that is below them.
        let target = program.parent().and_then(Path::parent).ok_or("this program lies in no target folder")?;
        let program = target.join("debug/examples").join(name);
        if !program.is_file() {
            return Err(format!("{} is missing (cargo build --workspace --examples)", program.display()));
        }
        let path = place.folder.join(format!("{name}.out"));
        let output = doing(|| format!("creating {}", path.display()), File::create(&path))?;
        let errors = doing(|| format!("creating {}", path.display()), output.try_clone())?;
        let mut program = command(program);
        program.args(arguments).stdin(Stdio::null()).stdout(output).stderr(errors);
        Ok(Example { process: Guarded::start(&mut program)?, name, output: path })
    }

    /// One that listens at this address.
    fn listening(place: &Place, name: &'static str, arguments: &[String]) -> Result<Example, Fault> {
        let mut example = Example::start(place, name, arguments)?;
        let ready = until(STEP_MAX, || match example.process.ended() {
            Some(how) => Err(format!("{name} ended at once: {how}: {}", example.said())),
            None => Ok(example.said().contains("ready at").then_some(())),
        })?;
        ready.map(|()| example).ok_or_else(|| format!("{name} doesn't get ready"))
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.output).unwrap_or_default()
    }

    /// Waits for its end, which is a success where it has done all.
    fn succeed(mut self) -> Result<(), Fault> {
        match wait(&mut self.process.child, CALLS_MAX)? {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("{}: {status}: {}", self.name, self.said())),
            None => Err(format!("{} ran on: {}", self.name, self.said())),
        }
    }

    /// A server is told to end, and does so with 0.
    fn stop(self) -> Result<(), Fault> {
        signal("TERM", self.process.child.id())?;
        self.succeed()
    }

    /// One that has no end is still there, and has not complained.
    fn still_there(mut self) -> Result<(), Fault> {
        match self.process.ended() {
            Some(how) => Err(format!("{} ended: {how}: {}", self.name, self.said())),
            None if self.said().contains("panicked") => Err(self.said()),
            None => Ok(()),
        }
    }
}

/// Users as the examples have them.
fn users() -> [Account; 2] {
    [("alice", "wonderland"), ("bob", "builder")]
        .map(|(name, password)| Account { name: name.to_owned(), password: password.to_owned() })
}

fn here() -> Result<SocketAddr, Fault> {
    Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?)))
}

pub(super) fn answer(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let address = here()?;
    let example = Example::listening(place, "answer", &[address.to_string()])?;
    for (leg, calls) in [(Leg::UDP, CALLS), (Leg::TCP, CALLS)] {
        let script = Script::new("call", EXAMPLE_CALL, free_port()?, calls).by(leg).to(address).rate(200);
        let calling = script.key("callee", format!("bob@{address}")).run(&place.folder)?;
        place.note(format!("{calls} calls by {}, {} retransmissions", leg.transport, calling.retransmissions));
        figures.then(calling);
    }
    example.still_there()
}

pub(super) fn call(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    for (leg, calls, parameter) in [(Leg::UDP, CALLS, ""), (Leg::TCP, CALLS, ";transport=tcp")] {
        let port = free_port()?;
        let mut callee = Script::new("callee", EXAMPLE_CALLEE, port, calls).by(leg).limit(CALLS_MAX);
        if leg == Leg::TCP {
            // Nothing is sent again there, and SIPp counts a call as failed whose connection closes while it waits.
            callee = callee.with("<timewait milliseconds=\"1000\"/>", "");
        }
        let callee = place.answering(callee)?;
        let to = format!("sip:bob@{}:{port}{parameter}", leg.ip);
        Example::start(place, "call", &[to, calls.to_string()])?.succeed()?;
        let answering = finish(callee)?;
        place.note(format!("{calls} calls by {}, each challenged once", leg.transport));
        figures.then(answering);
    }
    Ok(())
}

pub(super) fn odyssey(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let port = free_port()?;
    let callee = place.answering(Script::new("callee", EXAMPLE_ODYSSEY, port, CALLS))?;
    let arguments = [format!("sip:bob@{}:{port}", Ipv4Addr::LOCALHOST), CALLS.to_string()];
    Example::start(place, "call", &arguments)?.succeed()?;
    figures.then(finish(callee)?);
    Ok(())
}

pub(super) fn b2bua(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let (callee, address) = (here()?, here()?);
    let phone = Example::listening(place, "answer", &[callee.to_string()])?;
    let example = Example::listening(place, "b2bua", &[address.to_string(), format!("sip:bob@{callee}")])?;
    let script = Script::new("call", EXAMPLE_CALL, free_port()?, CALLS).to(address);
    figures.then(script.key("callee", format!("bob@{address}")).run(&place.folder)?);
    phone.still_there()?;
    example.still_there()
}

pub(super) fn registrar(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let [alice, bob] = users();
    let example = Example::listening(place, "registrar", &[place.site.address.to_string()])?;
    figures.beside(place.register(std::slice::from_ref(&bob))?);
    let callers = vec![alice; SERVED_CALLS];
    place.call(figures, CALLEE, count(&callers), |figures| {
        let script = place.script("call", CALL, &callers)?;
        figures.then(script.callee(&place.address_of(&bob.name)).run(&place.folder)?);
        Ok(())
    })?;
    example.stop()
}

pub(super) fn redirect_server(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let [alice, bob] = users();
    let example = Example::listening(place, "redirect_server", &[place.site.address.to_string()])?;
    let ports = [free_port()?, free_port()?, free_port()?];
    let [second, third, first] = ports;
    for (port, parameters) in [(second, ";q=0.5"), (third, ";q=0.25"), (first, "")] {
        let contact = Contact { port, parameters, ..place.contact() };
        figures.beside(place.register_at(std::slice::from_ref(&bob), contact)?);
    }
    let script = place.script("redirected", REDIRECT, &vec![alice; SERVED_CALLS])?;
    let script = script.callee(&place.address_of(&bob.name)).with("FIRST_PORT", first.to_string());
    let script = script.with("SECOND_PORT", second.to_string()).with("THIRD_PORT", third.to_string());
    figures.then(script.run(&place.folder)?);
    example.stop()
}

pub(super) fn forking_proxy(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    const ANSWERS_AFTER: Duration = Duration::from_millis(500);
    let [alice, bob] = users();
    let callers = vec![alice; SERVED_CALLS];
    let calls = count(&callers);
    let example = Example::listening(place, "forking_proxy", &[place.site.address.to_string()])?;
    let other = free_port()?;
    for port in [place.callee_port, other] {
        let contact = Contact { port, ..place.contact() };
        figures.beside(place.register_at(std::slice::from_ref(&bob), contact)?);
    }
    let rings = place.answering(Script::new("rings", CALLEE_CANCELLED, other, calls))?;
    let answers = Script::new("answers", CALLEE, place.callee_port, calls).pause(ANSWERS_AFTER);
    let answers = place.answering(answers)?;
    let script = place.script("call", CALL, &callers)?;
    let calling = script.callee(&place.address_of(&bob.name)).run(&place.folder)?;
    figures.then(calling);
    figures.beside(finish(answers)?);
    let cancelled = finish(rings)?;
    place.note(format!("{calls} calls to 2 contacts each, {} CANCEL", cancelled.received("CANCEL")));
    figures.beside(cancelled);
    example.stop()
}

/// baresip registers at an example, is called by one through it, and calls one.
pub(super) fn baresip(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let [alice, bob] = users();
    let server = Example::listening(place, "registrar", &[place.site.address.to_string()])?;
    let setup =
        Setup { account: &bob, server: place.site.address, transport: Transport::Udp, hertz: 1_000, answers: true };
    let mut callee = Baresip::start(&place.folder, &setup)?;
    callee.wait_until_registered()?;
    let to = format!("sip:{}", place.address_of(&bob.name));
    Example::start(place, "call", &[to, "2".to_owned()])?.succeed()?;
    for _ in 0..2 {
        callee.event("CALL_ESTABLISHED")?;
        callee.event("CALL_CLOSED")?;
    }
    place.note("called twice through the registrar, and hung up by the example");
    figures.one_call(0.0);
    callee.quit()?;

    let phone = here()?;
    let example = Example::listening(place, "answer", &[phone.to_string()])?;
    let mut caller = Baresip::start(&place.folder, &Setup { account: &alice, answers: false, ..setup })?;
    caller.wait_until_registered()?;
    caller.command("dial", &format!("sip:bob@{phone}"))?;
    caller.event("CALL_ESTABLISHED")?;
    caller.command("hangup", "")?;
    caller.event("CALL_CLOSED")?;
    place.note("calls the example that answers, and hangs up");
    figures.one_call(0.0);
    caller.quit()?;
    example.still_there()?;
    server.stop()
}

//! Calls where the two sides reach the server by different protocols or families.

use crate::Fault;
use crate::leg::{Leg, Transport};
use crate::place::{Contact, Place, accounts, count, finish, named};
use crate::probe::free_port;
use crate::scenario::{CALL, CALL_HUNG_UP, CALLEE, CALLEE_HANGS_UP, OPTIONS};
use crate::sipp::{Figures, Script};

/// Calls between each pair of legs.
const CALLS: usize = 20;

pub(super) fn ipv6(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    pairs(place, figures, &[(Leg::UDP6, Leg::UDP6), (Leg::UDP, Leg::UDP6), (Leg::UDP6, Leg::UDP)])
}

pub(super) fn tcp(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    pairs(
        place,
        figures,
        &[
            (Leg::TCP, Leg::TCP),
            (Leg::UDP, Leg::TCP),
            (Leg::TCP, Leg::UDP),
            (Leg::TCP6, Leg::UDP),
            (Leg::TCP, Leg::TCP6),
        ],
    )
}

/// For each pair, a callee registers by the second leg, and callers call it by the first. One side hangs up, and then, where
/// it can reach the other by a datagram, the other side.
fn pairs(place: &mut Place, figures: &mut Figures, pairs: &[(Leg, Leg)]) -> Result<(), Fault> {
    let callers = accounts(CALLS);
    let callees = named(["callee0", "callee1", "callee2", "callee3", "callee4"]);
    place.site.import(&[&callers[..], &callees[..]].concat())?;
    place.site.with_ipv6 = true;
    let server = place.site.start()?;
    for ((from, to), callee) in pairs.iter().zip(&callees) {
        let options = Script::new("options", OPTIONS, free_port()?, 10).by(*from).to(place.site.address_on(*from));
        figures.then(options.run(&place.folder)?);
        let port = free_port()?;
        let contact = Contact { leg: *to, port, parameters: "" };
        figures.then(place.register_at(std::slice::from_ref(callee), contact)?);
        // A caller by TCP has no port of its own that the callee's BYE could come to but its connection.
        let ends = match from.transport {
            Transport::Udp => &[(CALL, CALLEE), (CALL_HUNG_UP, CALLEE_HANGS_UP)][..],
            Transport::Tcp | Transport::Tls => &[(CALL, CALLEE)],
        };
        for (calls, answers) in ends {
            let script = Script::new("callee", answers, port, count(&callers)).by(*to).facing(*from);
            let answering = place.answering(script)?;
            let script = place.script_by(*from, "call", calls, &callers)?.facing(*to);
            let calling = script.callee(&place.address_by(*from, &callee.name)).run(&place.folder)?;
            let answering = finish(answering)?;
            let failed = !calling.faults.is_empty() || !answering.faults.is_empty();
            figures.then(calling);
            figures.beside(answering);
            if failed {
                return Err(format!("calls from {from} to {to}"));
            }
        }
        place.note(format!(
            "{from} to {to}: {CALLS} calls, {} way{} of hanging up",
            ends.len(),
            if ends.len() == 1 { "" } else { "s" }
        ));
    }
    server.stop()
}

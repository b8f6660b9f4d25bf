//! In which order what was found is tried.

use alloc::boxed::Box;
use alloc::vec::Vec;

use ringback_base::{Random, Transport};

use super::dns::{Naptr, Srv, plain};

/// A service that a NAPTR record leads to: its transport, and the name that has its SRV records.
///
/// `None` for what does not concern us: other services, rules that aren't simple replacements, transports that nobody has.
/// `[RFC 3263, Section 4.1]`
pub(super) fn service_of(naptr: &Naptr) -> Option<(Transport, Box<str>)> {
    let transport = match naptr.services.to_ascii_uppercase().as_str() {
        "SIP+D2U" => Transport::Udp,
        "SIP+D2T" => Transport::Tcp,
        "SIPS+D2T" => Transport::Tls,
        "SIP+D2W" => Transport::Ws,
        "SIPS+D2W" => Transport::Wss,
        _ => return None,
    };
    let is_simple = naptr.flags.eq_ignore_ascii_case("s") && naptr.regexp.is_empty();
    let name = plain(&naptr.replacement);
    (is_simple && !name.is_empty()).then_some((transport, name))
}

/// The records as they are to be tried: by priority, and among equals by chance according to their weights. `[RFC 2782]`
pub(super) fn by_weight(mut left: Vec<Srv>, random: &mut Random) -> Vec<Srv> {
    // Those without a weight come first in the running sum, so that they are picked now and then.
    left.sort_by_key(|srv| (srv.priority, srv.weight));
    let mut ordered = Vec::with_capacity(left.len());
    while let Some(priority) = left.first().map(|srv| srv.priority) {
        let equals = || left.iter().take_while(|srv| srv.priority == priority);
        let sum: u64 = equals().map(|srv| u64::from(srv.weight)).sum();
        let wanted = random.below(sum.saturating_add(1));
        let mut running: u64 = 0;
        let picked = equals().position(|srv| {
            running = running.saturating_add(u64::from(srv.weight));
            running >= wanted
        });
        ordered.push(left.remove(picked.unwrap_or(0)));
    }
    ordered
}

//! What is proven, one function a case.

mod agent_phones;
mod answers;
mod balancers;
mod basics;
mod browsers;
mod calls;
mod captures;
mod corpus;
mod examples;
mod floods;
mod flows;
mod forks;
mod judges;
mod legs;
mod library;
mod names;
mod networks;
mod phones;
mod secure;
mod sessions;
mod sockets;
mod tools;

use std::path::Path;
use std::time::Instant;

use crate::Fault;
use crate::peer::Peer;
use crate::place::Place;
use crate::report::Outcome;
use crate::sigkill;
use crate::sipp::Figures;

/// One proof.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// What `--case` knows it by.
    pub name: &'static str,
    /// What it proves, in one line.
    pub proves: &'static str,
    /// Without which it can't run.
    pub peers: &'static [Peer],
    /// Whether it wants the machine for itself, because it makes load.
    pub alone: bool,
    act: Act,
}

/// All cases, in the order in which they begin: first those that want the machine, then those that take longest.
pub const CASES: &[Case] = &[
    load("registrations", "1,000 users register with digest", basics::registrations),
    load(
        "calls",
        "1,000 callers call through the proxy, from the challenge to the BYE along the route set",
        basics::calls,
    ),
    load(
        "sigkill",
        "20 times SIGKILL under registrations: what was acknowledged is there, what was removed stays away",
        |place, figures| sigkill::run(&mut place.site, &place.folder, figures, &mut place.notes),
    ),
    load("example-answer", "200 calls by UDP and 200 by TCP to the example that takes calls", examples::answer),
    load(
        "example-call",
        "200 calls by UDP and 200 by TCP of the example that makes them, each challenged once",
        examples::call,
    ),
    load(
        "library-udp",
        "2,000 calls each way by UDP: 100rel, session timers, UPDATE, hold, CANCEL, redirects, two realms; nothing stays behind",
        library::by_udp,
    ),
    load("library-tcp", "the same by TCP", library::by_tcp),
    load(
        "flood-handshakes",
        "TLS begun and left, or agreed on without end, connections that come and go: phones beside don't notice",
        floods::handshakes,
    ),
    with(
        &[Peer::Sipp, Peer::Tshark, Peer::References],
        "corpus-tcp",
        "torture messages and captures by TCP, whole and byte by byte: calls go on, memory is where it was",
        corpus::by_tcp,
    ),
    with(
        &[Peer::Tshark, Peer::References],
        "captures-read",
        "captures of real traffic: we find the messages that tshark finds, at the same frames",
        captures::read,
    ),
    with(&[Peer::Sipp, Peer::Tshark, Peer::References], "corpus-udp", "the same as datagrams", corpus::by_udp),
    sipp(
        "flood-drips",
        "1,000 connections drip requests, TLS, WebSocket handshakes and frames: ended in time, phones beside don't notice",
        floods::drips,
    ),
    sipp("no-answer", "a callee who says nothing at all: 408 after 64 times T1, to the caller alone", calls::no_answer),
    sipp(
        "first-start",
        "the first start makes alice and bob, prints their passwords once, and these register and call",
        basics::first_start,
    ),
    sipp("options", "OPTIONS to the server: 200 with Allow, Supported, Accept", basics::options),
    sipp("busy", "a callee's 486 reaches 100 callers and is acknowledged hop by hop", basics::busy),
    sipp("unknown-users", "100 calls to users that don't exist bring 404", basics::unknown_users),
    sipp("unreachable", "a user with no binding brings 480, a domain that isn't ours 403", basics::unreachable),
    sipp("wrong-password", "a wrong password neither registers nor calls", basics::wrong_password),
    sipp(
        "restart",
        "after SIGKILL right behind the last 200, users who registered before can be called",
        basics::restart,
    ),
    sipp("stop", "at SIGTERM an open call still gets its answer; then the server ends with 0", basics::stop),
    sipp("cancel", "calls that ring are cancelled, and calls that don't ring yet: 200 and 487", calls::cancel),
    sipp(
        "retransmission",
        "repetitions of INVITE and BYE end here; those of a 200 are passed on",
        calls::retransmission,
    ),
    sipp("late", "a callee who answers after three seconds is asked again, its caller is not", calls::late),
    sipp("forking", "three contacts ring, one answers: one 200 for the caller, CANCEL for the others", calls::forking),
    sipp("serial", "contacts of falling q are tried one after another", calls::serial),
    sipp("redirect", "a server that redirects: 302 with the contacts in the order of q", calls::redirect),
    sipp("message", "MESSAGE, and a method that no RFC knows, are relayed to the letter", calls::message),
    sipp("ipv6", "calls on ::1, and from IPv4 to IPv6 and back with a Record-Route for each", legs::ipv6),
    with(
        &[Peer::Baresip],
        "baresip",
        "baresip registers with MD5 and calls baresip: tones both ways, hung up by either side",
        phones::baresip,
    ),
    with(&[Peer::Baresip], "baresip-tcp", "the same by TCP", phones::baresip_tcp),
    with(
        &[Peer::Linphone, Peer::Baresip],
        "linphone",
        "linphonec registers with SHA-256 and calls baresip: tones both ways, hung up by the callee",
        phones::linphone,
    ),
    with(
        &[Peer::Linphone, Peer::Baresip],
        "linphone-md5",
        "linphonec and baresip register with MD5, and the same call",
        phones::linphone_md5,
    ),
    with(
        &[Peer::Browser],
        "browsers",
        "pages with JsSIP and SIP.js in Chromium register by WebSocket, call each other, and hear each other",
        browsers::by_ws,
    ),
    with(&[Peer::Browser], "browsers-wss", "the same by secure WebSocket", browsers::by_wss),
    with(
        &[Peer::Baresip],
        "agent-baresip",
        "an agent of the library and baresip call each other: hold, resume and transfer from either side",
        agent_phones::baresip,
    ),
    with(&[Peer::Baresip], "agent-baresip-tcp", "the same by TCP", agent_phones::baresip_tcp),
    with(
        &[Peer::Baresip],
        "agent-digits",
        "baresip's digits (RFC 4733) pass between two phones whose calls the example b2bua joins",
        agent_phones::digits,
    ),
    sipp(
        "agent-large",
        "a text of an agent that is too large for a datagram goes to SIPp by TCP, and as a datagram where nobody listens by TCP",
        agent_phones::large,
    ),
    with(
        &[Peer::Linphone],
        "agent-linphone",
        "linphonec and an agent text each other, served and directly; another challenges it: SHA-256",
        agent_phones::linphone,
    ),
    with(
        &[Peer::Kamailio],
        "fork-two-answers",
        "an agent calls two through Kamailio, and both answer: two 200s, two ACKs, one call kept, the other ended",
        forks::two_answers,
    ),
    with(
        &[Peer::Kamailio],
        "fork-races",
        "an agent gives up a call to two through Kamailio while one answers: CANCEL and 200 cross, nothing is left",
        forks::races,
    ),
    with(
        &[Peer::Kamailio, Peer::KamailioWebSocket, Peer::KamailioTls],
        "agent-websocket",
        "agents register and call each other through Kamailio by WebSocket, with TLS and without, and are told when they are kept out",
        sockets::kamailio,
    ),
    with(
        &[Peer::Browser],
        "agent-pages",
        "an agent by WebSocket and pages with JsSIP and SIP.js call each other through the server",
        sockets::pages,
    ),
    with(
        &[Peer::Linphone, Peer::Baresip],
        "linphone-tls",
        "linphonec registers over TLS, verifies our certificate, and calls baresip",
        secure::linphone,
    ),
    with(
        &[Peer::Linphone],
        "tls-untrusted",
        "linphonec doesn't register where it trusts another root, but does once the certificate was replaced",
        secure::untrusted,
    ),
    with(&[Peer::Baresip], "baresip-tls", "baresip calls baresip over TLS, with SRTP: tones both ways", secure::srtp),
    with(
        &[Peer::Haproxy, Peer::Sipp, Peer::Baresip],
        "haproxy",
        "behind HAProxy with the PROXY protocol SIPp and baresip register and call, by TCP, by TLS, and where TLS ends at HAProxy",
        balancers::haproxy,
    ),
    with(
        &[Peer::Kamailio, Peer::KamailioOutbound, Peer::Baresip],
        "flows-registrar",
        "baresip has a flow through each of two edge proxies (Kamailio) to our registrar: called by one, and by the other when that is gone",
        flows::registrar,
    ),
    with(
        &[Peer::Kamailio, Peer::Baresip],
        "flows-edge",
        "baresip has a flow through each of two of our edge proxies to Kamailio's registrar: a flow that is gone is 430, and the other is tried",
        flows::edge,
    ),
    with(
        &[Peer::Tshark, Peer::SofiaSip],
        "judges",
        "what the builder and the examples make is read by tshark and Sofia-SIP as by us, and without a complaint",
        judges::judges,
    ),
    with(
        &[Peer::Tshark, Peer::References],
        "descriptions",
        "session descriptions of browsers and phones are read, written, answered, and agreed upon as they were",
        sessions::descriptions,
    ),
    sipp(
        "example-odyssey",
        "200 calls of an example: 302 with two contacts, 486 of the first, 407 and 401 of the second, and 200",
        examples::odyssey,
    ),
    sipp("example-b2bua", "200 calls through the example that joins two calls", examples::b2bua),
    sipp("example-registrar", "users register and call through the example of a registrar", examples::registrar),
    sipp(
        "example-redirect",
        "the example of a redirect server: 302 with the contacts in the order of q",
        examples::redirect_server,
    ),
    sipp("example-forking", "the example of a forking proxy: two contacts ring, one answers", examples::forking_proxy),
    with(
        &[Peer::Baresip],
        "example-baresip",
        "baresip registers at an example, is called by one, and calls one",
        examples::baresip,
    ),
    with(&[Peer::JainSip], "jain-sip", "JAIN SIP registers, and not with a wrong password", tools::jain),
    with(&[Peer::JainSip], "jain-sip-tcp", "the same by TCP", tools::jain_tcp),
    with(
        &[Peer::Sipsak],
        "sipsak",
        "sipsak's OPTIONS and REGISTER, and the latter with a wrong password",
        tools::sipsak,
    ),
    with(&[Peer::Sipsak], "sipsak-tcp", "the same by TCP", tools::sipsak_tcp),
    with(
        &[Peer::Sipp, Peer::Sipsak, Peer::KamailioTls, Peer::KamailioWebSocket],
        "ping",
        "ringback ping hears of the server and of Kamailio by UDP, TCP, TLS and WebSocket what sipsak hears; SIPp answers late",
        answers::ping,
    ),
    with(
        &[Peer::OpenSsl, Peer::KamailioTls],
        "certificates",
        "ringback tls reads and judges good and bad certificates of OpenSSL's server as OpenSSL's client does, and Kamailio's",
        answers::certificates,
    ),
    with(
        &[Peer::Sipp, Peer::Nsd],
        "dns-failover",
        "a contact whose name leads to two hosts by NAPTR and SRV, the first dead, then refusing: calls go to the second",
        names::failover,
    ),
    with(
        &[Peer::Nsd, Peer::References],
        "dns-faults",
        "name servers that refuse, lie, delay or say nothing: each walk ends in time, with the targets that there are",
        names::faults,
    ),
    with(
        &[Peer::Namespaces, Peer::Baresip],
        "net-nat",
        "an agent and baresip behind a NAT register, are called and call, the agent by UDP and by TCP",
        networks::nat,
    ),
    with(
        &[Peer::Namespaces, Peer::Baresip],
        "net-advertised",
        "the server is behind a 1:1 NAT: baresip outside calls by UDP, TCP and TLS, and sees the advertised address alone",
        networks::advertised,
    ),
    with(
        &[Peer::Namespaces, Peer::Sipp],
        "net-ipv6",
        "SIPp calls SIPp by UDP and by TCP where there is no IPv4 at all",
        networks::ipv6_only,
    ),
    with(
        &[Peer::Namespaces],
        "net-mtu",
        "texts of any length pass a link of 1280 bytes: the long ones by TCP",
        networks::narrow,
    ),
    with(
        &[Peer::Namespaces],
        "net-cut",
        "a link is cut under INVITE, 200 and BYE, and healed: the call goes on",
        networks::cut,
    ),
    with(
        &[Peer::Namespaces],
        "net-moved",
        "a house with a phone behind a NAT gets another address: it registers again and is found",
        networks::moved,
    ),
    with(
        &[Peer::Namespaces],
        "net-bad-wire",
        "calls of a phone behind a wire that loses and swaps frames: all are made, and end",
        networks::bad_wire,
    ),
    sipp("tcp", "register and call by TCP, and from UDP to TCP and back", legs::tcp),
];

type Act = fn(&mut Place, &mut Figures) -> Result<(), Fault>;

const fn sipp(name: &'static str, proves: &'static str, act: Act) -> Case {
    with(&[Peer::Sipp], name, proves, act)
}

const fn load(name: &'static str, proves: &'static str, act: Act) -> Case {
    Case { alone: true, ..sipp(name, proves, act) }
}

const fn with(peers: &'static [Peer], name: &'static str, proves: &'static str, act: Act) -> Case {
    Case { name, proves, peers, alone: false, act }
}

/// Runs one case against the server program `program`, in a folder of its own below `work`. Every case ends the server
/// with SIGTERM and demands the exit status 0.
#[must_use]
pub fn run(case: &Case, program: &Path, work: &Path) -> Outcome {
    let mut figures = Figures::default();
    let mut notes = Vec::new();
    let began = Instant::now();
    let result = Place::new(program, &work.join(case.name)).and_then(|mut place| {
        let result = (case.act)(&mut place, &mut figures);
        notes = place.notes;
        result
    });
    if figures.seconds == 0.0 {
        // Nobody has measured more.
        figures.seconds = began.elapsed().as_secs_f64();
    }
    Outcome { name: case.name, figures, notes, fault: result.err() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_cases_are_distinct() {
        let mut names: Vec<&str> = CASES.iter().map(|case| case.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CASES.len());
    }

    #[test]
    fn every_case_has_a_peer_and_every_peer_a_case() {
        assert!(CASES.iter().all(|case| !case.peers.is_empty()));
        for peer in Peer::ALL {
            assert!(CASES.iter().any(|case| case.peers.contains(&peer)), "{peer:?}");
        }
    }
}

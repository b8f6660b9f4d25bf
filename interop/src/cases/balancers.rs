//! The server behind a load balancer that says by the PROXY protocol whose a connection is.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::secure::certificates;
use crate::haproxy::{Fronts, Haproxy, NETWORK_OF_KNOWN};
use crate::leg::{Leg, Transport};
use crate::phones::Setup;
use crate::phones::baresip::{Baresip, Through};
use crate::place::{Place, accounts, count, finish, named};
use crate::probe::{free_port, options_over_tcp};
use crate::scenario::{CALL, CALLEE, REGISTER};
use crate::server::Account;
use crate::sipp::{Figures, Script};
use crate::{Fault, doing};

/// Calls of SIPp.
const CALLS: usize = 10;
/// How long one answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// The domain of the phones.
const DOMAIN: &str = "sip.example.com";

/// Phones behind HAProxy by TCP, by TLS that passes through it, and by TLS that ends there.
pub(super) fn haproxy(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let callers = accounts(CALLS);
    let phones = named(["alice", "bob", "carol", "dave"]);
    place.site.import(&[&callers[..], &phones[..]].concat())?;
    let fronts = Fronts::new()?;
    let folder = place.folder.clone();
    let behind_tls = SocketAddr::new(place.site.address.ip(), free_port()?);
    certificates(place, true)?;
    place.site.configuration = Some(format!(
        "[[domain]]\nname = \"{DOMAIN}\"\nalgorithms = [\"MD5\"]\n[tcp]\nproxies = [\"{NETWORK_OF_KNOWN}\"]\n[tls]\nca = \"ca.pem\"\n\
         [[certificate]]\nchain = \"server.pem\"\nkey = \"server.key\"\n[[listener]]\naddress = \"{}\"\n\
         transports = [\"udp\", \"tcp\", \"tls\"]\nadvertised = \"{}\"\n\
         [[listener]]\naddress = \"{behind_tls}\"\ntransports = [\"tcp\"]\nadvertised = \"{}\"\nbehind_tls = true\n",
        place.site.address,
        fronts.tcp,
        SocketAddr::new(fronts.ended_tls.ip(), Transport::Tls.port(fronts.ended_tls)),
    ));
    let server = place.site.start()?;
    let balancer = Haproxy::start(&folder, &fronts, place.site.address, behind_tls, &folder.join("phone.pem"))?;

    sources(place, &fronts)?;
    let [alice, bob, carol, dave] = &phones;
    sipp(place, figures, &fronts, dave, &callers)?;

    let registered = |account, transport, proxy| -> Result<Baresip, Fault> {
        let setup = Setup { account, server: proxy, transport, hertz: 440, answers: true };
        let through = Through { domain: DOMAIN, proxies: &[proxy], is_outbound: false };
        let mut phone = Baresip::start_through(&folder, &setup, &through)?;
        phone.wait_until_registered()?;
        Ok(phone)
    };
    let mut by_tcp = registered(alice, Transport::Tcp, fronts.tcp)?;
    let mut by_tls = registered(bob, Transport::Tls, fronts.tcp)?;
    let mut by_ended_tls = registered(carol, Transport::Tls, fronts.ended_tls)?;
    call(&mut by_tcp, &mut by_tls, "bob", figures)?;
    call(&mut by_tls, &mut by_ended_tls, "carol", figures)?;
    call(&mut by_ended_tls, &mut by_tcp, "alice", figures)?;
    place.note("baresip by TCP calls one by TLS, that one where TLS ends at HAProxy, and that one the first; each callee hangs up");
    for phone in [by_tcp, by_tls, by_ended_tls] {
        phone.quit()?;
    }
    balancer.still_there()?;
    server.stop()
}

/// A call that is answered at once, and whose callee hangs up.
fn call(caller: &mut Baresip, callee: &mut Baresip, user: &str, figures: &mut Figures) -> Result<(), Fault> {
    let began = Instant::now();
    caller.command("dial", &format!("sip:{user}@{DOMAIN}"))?;
    for phone in [&*caller, &*callee] {
        phone.event("CALL_ESTABLISHED")?;
    }
    callee.command("hangup", "")?;
    for phone in [&*caller, &*callee] {
        phone.event("CALL_CLOSED")?;
    }
    figures.one_call(began.elapsed().as_secs_f64());
    Ok(())
}

/// The server sees who is behind the balancer that it knows, and takes nothing of one that it doesn't, or that says nothing.
fn sources(place: &mut Place, fronts: &Fronts) -> Result<(), Fault> {
    let known = answer(fronts.tcp)?;
    if !(known.is_ok && known.is_ours) {
        return Err(format!("the server sees another source than the client's: {}", known.via));
    }
    // A header that isn't read as one makes the request behind it unreadable; there may be an answer to that.
    if let Ok(unknown) = answer(fronts.stranger)
        && (unknown.is_ok || unknown.is_ours)
    {
        return Err(format!("the server believes whoever speaks the PROXY protocol: {}", unknown.via));
    }
    // Who is none of its balancers needs no header.
    options_over_tcp(place.site.address, ANSWER_MAX)?;
    place.note(
        "the source in Via is the client's behind HAProxy; HAProxy at an address that isn't named is not believed",
    );
    Ok(())
}

/// What is answered to whoever is behind a balancer.
struct Answer {
    is_ok: bool,
    via: String,
    /// Via names the address and port that the client has on its side of the balancer.
    is_ours: bool,
}

fn answer(to: SocketAddr) -> Result<Answer, Fault> {
    let what = || format!("OPTIONS to {to} by TCP");
    let mut stream = doing(what, TcpStream::connect_timeout(&to, ANSWER_MAX))?;
    doing(what, stream.set_read_timeout(Some(ANSWER_MAX)))?;
    let own = doing(what, stream.local_addr())?;
    let request = format!(
        "OPTIONS sip:{to} SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.77;branch=z9hG4bK-{port};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:probe@192.0.2.77>;tag=1\r\nTo: <sip:{to}>\r\nCall-ID: {port}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
        port = own.port()
    );
    doing(what, stream.write_all(request.as_bytes()))?;
    let mut answer = Vec::new();
    let mut piece = [0_u8; 4096];
    while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
        match doing(what, stream.read(&mut piece))? {
            0 => return Err(format!("{}: the connection was closed without an answer", what())),
            length => answer.extend_from_slice(piece.get(..length).unwrap_or_default()),
        }
    }
    let text = String::from_utf8_lossy(&answer).into_owned();
    let via = text.lines().find(|line| line.starts_with("Via:")).unwrap_or_default().to_owned();
    let has = |parameter: String| via.split(';').any(|found| found == parameter);
    let is_ours = has(format!("received={}", own.ip())) && has(format!("rport={}", own.port()));
    Ok(Answer { is_ok: text.starts_with("SIP/2.0 200 "), via, is_ours })
}

/// SIPp registers and calls through the balancer; whom it calls is reached directly.
fn sipp(
    place: &mut Place,
    figures: &mut Figures,
    fronts: &Fronts,
    callee: &Account,
    callers: &[Account],
) -> Result<(), Fault> {
    let (leg, port) = (Leg::TCP, free_port()?);
    let register = Script::new("register", REGISTER, free_port()?, 1).by(leg).to(fronts.tcp);
    let register = register.users(std::slice::from_ref(callee)).digest_uri(&fronts.tcp.to_string());
    let register = register.key("contact_port", port.to_string()).key("contact_parameters", "");
    figures.then(register.run(&place.folder)?);
    let answering = place.answering(Script::new("callee", CALLEE, port, count(callers)).by(leg).facing(leg))?;
    let calling = Script::new("call", CALL, free_port()?, count(callers)).by(leg).facing(leg).to(fronts.tcp);
    let calling = calling.users(callers).callee(&format!("{}@{}", callee.name, fronts.tcp));
    figures.then(calling.run(&place.folder)?);
    figures.beside(finish(answering)?);
    place.note(format!("{CALLS} calls of SIPp by TCP through HAProxy"));
    Ok(())
}

//! The server and phones in networks of our own: behind a router, without IPv4, through a narrow or broken way.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use super::secure::certificates;
use crate::Fault;
use crate::leg::{Leg, Transport};
use crate::network::{CUT, Family, House, NAT, ONE_TO_ONE, Space, pattern};
use crate::phones::Setup;
use crate::phones::baresip::{Baresip, Through};
use crate::phones::ours::{Identity, Ours};
use crate::place::{Contact, Place, accounts, count, finish, named};
use crate::probe::free_port;
use crate::scenario::{CALL, CALLEE, REGISTER};
use crate::server::{Account, Server};
use crate::sipp::{Figures, Script};
use crate::wire::Harm;

/// The server, who else is where it is, and who is in the house.
const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 2));
const NEIGHBOUR: &str = "198.51.100.3";
const AT_HOME: &str = "10.0.0.2";
const HOME: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const ROUTER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
/// The same in IPv6.
const SERVER_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfd00, 0xb, 0, 0, 0, 0, 0, 2));
const NEIGHBOUR_V6: &str = "fd00:b::3";
const AT_HOME_V6: &str = "fd00:a::2";
/// How long the link is cut: some retransmissions.
const CUT_FOR: Duration = Duration::from_millis(700);
/// How long a router takes to be at home at its new address.
const MOVE: Duration = Duration::from_millis(300);
/// Calls each way through a bad wire, by each transport, unless `RINGBACK_NET_CALLS` says more.
const BAD_CALLS: u64 = 2;
/// Calls of SIPp by each transport.
const CALLS: usize = 10;

/// Starts the server in the world outside of a house.
fn serve(place: &mut Place, house: &House, ip: IpAddr, users: &[Account]) -> Result<Server, Fault> {
    place.site.import(users)?;
    place.site.address = SocketAddr::new(ip, 5060);
    house.world.inside(|| place.site.start())
}

/// A phone of ours that registers, at home or in the world.
fn phone(place: &Place, space: &Space, at: &str, user: &Account, by: Transport) -> Result<Ours, Fault> {
    let of = Identity { user: &user.name, server: place.site.address, password: Some(&user.password) };
    let address = if at.contains(':') { format!("[{at}]:0") } else { format!("{at}:0") };
    let mut phone = space.inside(|| Ours::phone(&place.folder, &format!("{}-{by}", user.name), &address, &of))?;
    phone.tell(&format!("register {}", by.in_uri()))?;
    phone.says("registered")?;
    Ok(phone)
}

/// A call from one to the other, whom the callee hangs up on.
fn call(place: &Place, caller: &mut Ours, callee: &mut Ours, user: &str, by: Transport) -> Result<(), Fault> {
    // What was said in other calls is no news of this one.
    caller.forget();
    callee.forget();
    let to = address_of(place, user);
    let to = if by == Transport::Tcp { format!("{to};transport=tcp") } else { to };
    caller.tell(&format!("call sip:{to}"))?;
    callee.says("rings: ")?;
    callee.tell("answer")?;
    caller.says("talks: ")?;
    callee.says("confirmed")?;
    callee.tell("hangup")?;
    callee.says("hung up")?;
    caller.says("ended: RemoteBye").map(drop)
}

/// A phone behind a NAT registers, is called, and calls.
pub(super) fn nat(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let users = named(["alice", "bob", "carol"]);
    let [alice, bob, carol] = &users;
    let house = House::build(&[Family::V4])?;
    house.router.filter(NAT)?;
    let server = serve(place, &house, SERVER, &users)?;
    let mut outside = phone(place, &house.world, NEIGHBOUR, carol, Transport::Udp)?;
    for by in [Transport::Udp, Transport::Tcp] {
        let mut inside = phone(place, &house.home, AT_HOME, alice, by)?;
        call(place, &mut outside, &mut inside, "alice", Transport::Udp)?;
        call(place, &mut inside, &mut outside, "carol", by)?;
        figures.one_call(0.0);
        place.note(format!(
            "one of ours registers by {by} from behind a NAT, is called and calls, and hangs up or is hung up on"
        ));
        inside.quit()?;
    }
    // And one that others made.
    let setup =
        Setup { account: bob, server: place.site.address, transport: Transport::Udp, hertz: 440, answers: true };
    let mut theirs = house.home.inside(|| Baresip::start_at(HOME, &place.folder, &setup))?;
    theirs.wait_until_registered()?;
    outside.forget();
    outside.tell(&format!("call sip:{}", address_of(place, "bob")))?;
    outside.says("talks: ")?;
    theirs.event("CALL_ESTABLISHED")?;
    outside.tell("hangup")?;
    outside.says("hung up")?;
    theirs.event("CALL_CLOSED")?;
    theirs.command("dial", &format!("sip:{}", address_of(place, "carol")))?;
    outside.says("rings: ")?;
    outside.tell("answer")?;
    theirs.event("CALL_ESTABLISHED")?;
    theirs.command("hangup", "")?;
    outside.says("ended: RemoteBye")?;
    place.note("baresip behind the same NAT is called by UDP, and calls");
    figures.one_call(0.0);
    theirs.quit()?;
    outside.quit()?;
    server.stop()
}

/// The server is in the house, and has an address outside that is not its own.
pub(super) fn advertised(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    const DOMAIN: &str = "sip.example.com";
    let users = named(["alice", "bob", "carol"]);
    let outside = SocketAddr::from((ROUTER, 5060));
    let house = House::build(&[Family::V4])?;
    house.router.filter(ONE_TO_ONE)?;
    certificates(place, true)?;
    place.site.import(&users)?;
    place.site.address = SocketAddr::from((HOME, 5060));
    place.site.configuration = Some(format!(
        "[[domain]]\nname = \"{DOMAIN}\"\nalgorithms = [\"MD5\"]\n[tls]\nca = \"ca.pem\"\n[[certificate]]\nchain = \"server.pem\"\n\
         key = \"server.key\"\n[[listener]]\naddress = \"0.0.0.0:5060\"\ntransports = [\"udp\", \"tcp\", \"tls\"]\n\
         advertised = \"{outside}\"\n"
    ));
    let server = house.home.inside(|| place.site.start())?;
    let by = [Transport::Udp, Transport::Tcp, Transport::Tls];
    let mut phones = Vec::new();
    for ((account, transport), last) in users.iter().zip(by).zip(2..) {
        let setup = Setup { account, server: outside, transport, hertz: 440, answers: true };
        let through = Through { domain: DOMAIN, proxies: &[outside], is_outbound: false };
        let at = Ipv4Addr::new(198, 51, 100, last);
        let start = || Baresip::start_through_at(at, &place.folder, &setup, &through);
        let mut phone = house.world.inside(start)?;
        phone.wait_until_registered()?;
        phones.push(phone);
    }
    for (place_of_caller, callee) in [(0, 1), (1, 2), (2, 0)] {
        let user = users.get(callee).map(|user| user.name.as_str()).unwrap_or_default();
        phones.get_mut(place_of_caller).ok_or("no caller")?.command("dial", &format!("sip:{user}@{DOMAIN}"))?;
        let both = [place_of_caller, callee].map(|number| phones.get(number));
        for phone in both.into_iter().flatten() {
            phone.event("CALL_ESTABLISHED")?;
        }
        phones.get_mut(callee).ok_or("no callee")?.command("hangup", "")?;
        let both = [place_of_caller, callee].map(|number| phones.get(number));
        for phone in both.into_iter().flatten() {
            phone.event("CALL_CLOSED")?;
        }
        figures.one_call(0.0);
    }
    for (phone, transport) in phones.iter().zip(by) {
        let log = phone.log();
        let port = transport.port(outside);
        for line in [format!("Via: SIP/2.0/{transport} {ROUTER}:{port};"), "Record-Route: <sip:".to_owned()] {
            if !log.lines().any(|found| found.starts_with(&line)) {
                return Err(format!("by {transport} no line `{line}`"));
            }
        }
        if let Some(line) = log.lines().find(|line| line.contains(&HOME.to_string())) {
            return Err(format!("by {transport} the address inside is shown: {line}"));
        }
    }
    place.note("baresip outside by UDP, TCP and TLS: each is called and calls by the address that is advertised, and sees no other");
    phones.into_iter().try_for_each(Baresip::quit)?;
    server.stop()
}

/// No IPv4 anywhere, not even for the server itself.
pub(super) fn ipv6_only(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let callers = accounts(CALLS);
    let callees = named(["by-udp", "by-tcp"]);
    let users = [&callers[..], &callees[..]].concat();
    let house = House::build(&[Family::V6])?;
    for space in [&house.home, &house.world] {
        space.ip("-4 addr flush dev lo")?;
    }
    let ip = |text: &str| text.parse::<IpAddr>().map_err(|error| format!("{text}: {error}"));
    let (home_ip, world_ip) = (ip(AT_HOME_V6)?, ip(NEIGHBOUR_V6)?);
    let server = serve(place, &house, SERVER_V6, &users)?;
    for (transport, callee) in [Transport::Udp, Transport::Tcp].into_iter().zip(&callees) {
        let [there, here] = [world_ip, home_ip].map(|ip| Leg { transport, ip });
        let port = free_port()?;
        let script = |leg: Leg, script: Script| {
            script.by(leg).with("SERVER_HOST", pattern(SERVER_V6)).with("OWN_HOST", pattern(leg.ip))
        };
        let contact = Contact { leg: there, port, parameters: "" };
        let register = Script::new("register", REGISTER, free_port()?, 1).users(std::slice::from_ref(callee));
        let register = script(there, register.to(place.site.address)).digest_uri(&place.site.address.to_string());
        let register = register.key("contact_port", contact.port.to_string()).key("contact_parameters", "");
        figures.beside(house.world.inside(|| register.run(&place.folder))?);
        let answering = script(there, Script::new("callee", CALLEE, port, count(&callers))).facing(there);
        let answering = house.world.inside(|| place.answering(answering))?;
        let calling = Script::new("call", CALL, free_port()?, count(&callers)).users(&callers);
        let calling =
            script(here, calling.to(place.site.address)).facing(here).callee(&address_of(place, &callee.name));
        figures.then(house.home.inside(|| calling.run(&place.folder))?);
        figures.beside(finish(answering)?);
        place.note(format!("{CALLS} calls by {transport} where there is IPv6 alone"));
    }
    server.stop()
}

/// Requests of all sizes come through a way of 1280 bytes: what is too large for a datagram goes by TCP.
pub(super) fn narrow(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let users = named(["alice", "carol"]);
    let [alice, carol] = &users;
    let house = House::build(&[Family::V6])?;
    for (space, device) in [(&house.router, "lan"), (&house.home, "eth0")] {
        space.ip(&format!("link set {device} mtu 1280"))?;
    }
    let server = serve(place, &house, SERVER_V6, &users)?;
    let mut outside = phone(place, &house.world, NEIGHBOUR_V6, carol, Transport::Udp)?;
    let mut inside = phone(place, &house.home, AT_HOME_V6, alice, Transport::Udp)?;
    for length in [100, 800, 4_000] {
        text(place, &mut outside, &inside, "alice", length)?;
        text(place, &mut inside, &outside, "carol", length)?;
        place.note(format!("a text of {length} bytes each way through an MTU of 1280"));
        figures.one_call(0.0);
    }
    inside.quit()?;
    outside.quit()?;
    server.stop()
}

/// A text of this length, which comes by the transport that takes so much.
fn text(place: &Place, from: &mut Ours, to: &Ours, user: &str, length: usize) -> Result<(), Fault> {
    let text = "x".repeat(length);
    from.tell(&format!("message sip:{} {text}", address_of(place, user)))?;
    let came = to.says("text by ")?;
    if !came.ends_with(&format!(": {text}")) {
        return Err(format!("of a text of {length} bytes came {} with its sender's name", came.len()));
    }
    let (by, should) = (came.split(' ').next().unwrap_or_default(), if length < 1_000 { "UDP" } else { "TCP" });
    if by != should {
        return Err(format!("a text of {length} bytes came by {by}, not {should}"));
    }
    from.says("message: 200").map(drop)
}

/// The link to the house is cut while there is a call, and healed.
pub(super) fn cut(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let users = named(["alice", "carol"]);
    let [alice, carol] = &users;
    let house = House::build(&[Family::V4])?;
    let server = serve(place, &house, SERVER, &users)?;
    for by in [Transport::Udp, Transport::Tcp] {
        let mut outside = phone(place, &house.world, NEIGHBOUR, carol, by)?;
        let mut inside = phone(place, &house.home, AT_HOME, alice, by)?;
        let parameter = if by == Transport::Tcp { ";transport=tcp" } else { "" };
        // What is sent while the link is cut comes through when it is healed: INVITE, 200 and BYE.
        let while_cut = |act: &mut dyn FnMut() -> Result<(), Fault>| {
            house.router.filter(CUT)?;
            act()?;
            std::thread::sleep(CUT_FOR);
            house.router.filter("")
        };
        while_cut(&mut || inside.tell(&format!("call sip:{}{parameter}", address_of(place, "carol"))))?;
        outside.says("rings: ")?;
        while_cut(&mut || outside.tell("answer"))?;
        inside.says("talks: ")?;
        outside.says("confirmed")?;
        while_cut(&mut || outside.tell("hangup"))?;
        inside.says("ended: RemoteBye")?;
        outside.says("hung up")?;
        figures.one_call(0.0);
        place.note(format!(
            "by {by}: INVITE, 200 and BYE are sent while the link is cut, and come through when it is healed"
        ));
        inside.quit()?;
        outside.quit()?;
    }
    server.stop()
}

/// The house getsanother address, as many do every night: a phone registers again, and is found there.
pub(super) fn moved(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let users = named(["alice", "carol"]);
    let [alice, carol] = &users;
    let house = House::build(&[Family::V4])?;
    house.router.filter(NAT)?;
    let server = serve(place, &house, SERVER, &users)?;
    let mut outside = phone(place, &house.world, NEIGHBOUR, carol, Transport::Udp)?;
    for (by, old, new) in [(Transport::Udp, 1, 77), (Transport::Tcp, 77, 78)] {
        let mut inside = phone(place, &house.home, AT_HOME, alice, by)?;
        call(place, &mut outside, &mut inside, "alice", Transport::Udp)?;
        house.router.ip(&format!("addr del 198.51.100.{old}/24 dev wan"))?;
        house.router.give("wan", &[&format!("198.51.100.{new}/24")])?;
        // The kernel forgets the old mappings a moment later, and what goes by them until then is not answered.
        std::thread::sleep(MOVE);
        inside.tell("register")?;
        inside.says("registered")?;
        call(place, &mut outside, &mut inside, "alice", Transport::Udp)?;
        call(place, &mut inside, &mut outside, "carol", by)?;
        place.note(format!("by {by}: called at the old address and at the new one"));
        figures.one_call(0.0);
        inside.quit()?;
    }
    outside.quit()?;
    server.stop()
}

/// Through a wire that loses, delays and swaps frames.
pub(super) fn bad_wire(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let calls = from_environment("RINGBACK_NET_CALLS", BAD_CALLS)?;
    let seed = from_environment("RINGBACK_SEED", 1)?;
    let users = named(["alice", "carol"]);
    let [alice, carol] = &users;
    let harm = Harm { loss_percent: 10, reorder_percent: 10, delay: Duration::from_millis(10), seed };
    let (house, wire) = House::build_with(harm, &[Family::V6])?;
    let server = serve(place, &house, SERVER_V6, &users)?;
    for by in [Transport::Udp, Transport::Tcp] {
        let mut outside = phone(place, &house.world, NEIGHBOUR_V6, carol, by)?;
        let mut inside = phone(place, &house.home, AT_HOME_V6, alice, by)?;
        for _ in 0..calls {
            call(place, &mut inside, &mut outside, "carol", by)?;
            call(place, &mut outside, &mut inside, "alice", by)?;
            figures.one_call(0.0);
        }
        inside.quit()?;
        outside.quit()?;
    }
    server.stop()?;
    let (mut frames, mut lost, mut overtaken) = (0, 0, 0);
    for way in wire.cut() {
        (frames, lost, overtaken) = (frames + way.frames, lost + way.lost, overtaken + way.overtaken);
    }
    place.note(format!(
        "{calls} calls each way by UDP and by TCP: of {frames} frames {lost} lost, {overtaken} overtaken"
    ));
    if lost == 0 || overtaken == 0 { Err("the wire has done no harm".to_owned()) } else { Ok(()) }
}

pub(super) fn from_environment(name: &str, or: u64) -> Result<u64, Fault> {
    match std::env::var(name) {
        Ok(text) => text.parse().map_err(|_| format!("{name}={text} is no number")),
        Err(_) => Ok(or),
    }
}

/// A user of the server, wherever that is.
fn address_of(place: &Place, user: &str) -> String {
    format!("{user}@{}", place.site.address)
}

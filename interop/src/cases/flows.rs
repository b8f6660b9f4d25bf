//! Flows of phones (RFC 5626) with software of others: its edge proxies before our registrar, and its registrar behind ours.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::kamailio::Kamailio;
use crate::leg::Transport;
use crate::phones::baresip::{Baresip, Through};
use crate::phones::{STEP_MAX, Setup, until};
use crate::place::{Place, named};
use crate::server::{Account, Server, Site};
use crate::sipp::Figures;
use crate::{Fault, doing};

const DOMAIN: &str = "sip.example.com";
/// Ringing phones are hung up on after this, so that both sides have the ACK.
const TALK: Duration = Duration::from_millis(200);

/// Two of Kamailio's edge proxies before our registrar.
pub(super) fn registrar(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let users = named(["alice", "bob"]);
    let [alice, bob] = &users;
    place.site.import(&users)?;
    place.site.configuration = Some(format!("[[domain]]\nname = \"{DOMAIN}\"\nalgorithms = [\"MD5\"]\n"));
    let server = place.site.start()?;
    let mut edges = Vec::new();
    for name in ["edge-1", "edge-2"] {
        edges.push(Kamailio::edge(&place.folder, name, place.site.address)?);
    }
    let proxies: Vec<SocketAddr> = edges.iter().map(|edge| edge.address).collect();
    let mut called = flows_of(&place.folder, alice, DOMAIN, &proxies)?;
    let mut caller = direct(&place.folder, bob, DOMAIN, place.site.address)?;

    let first = call(&mut caller, &mut called, &format!("sip:alice@{DOMAIN}"), figures)?;
    let by = edges.iter().position(|edge| edge.address.port() == first);
    let by = by.ok_or_else(|| format!("the call came by port {first}, which is no edge's"))?;
    drop(edges.remove(by));
    let second = call(&mut caller, &mut called, &format!("sip:alice@{DOMAIN}"), figures)?;
    if edges.iter().all(|edge| edge.address.port() != second) {
        return Err(format!("the call came by port {second}, not by the edge that is left"));
    }
    place
        .note("called by the flow through one of Kamailio's edge proxies, and by the other's when that one was killed");
    caller.quit()?;
    drop(called);
    edges.into_iter().try_for_each(Kamailio::still_there)?;
    server.stop()
}

/// Two of our edge proxies before Kamailio's registrar.
pub(super) fn edge(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let [alice, bob] = named(["alice", "bob"]);
    let home = Kamailio::home(&place.folder)?;
    let domain = format!("home.example:{}", home.address.port());
    let mut edges: Vec<(Site, Server)> = Vec::new();
    for name in ["edge-1", "edge-2"] {
        let folder = place.folder.join(name);
        doing(|| format!("creating {}", folder.display()), std::fs::create_dir_all(&folder))?;
        let mut site = Site::new(place.site.program(), &folder)?;
        site.configuration = Some(
            "[[domain]]\nname = \"edge.example\"\n[edge]\ndomains = [\"home.example\"]\n\
             [dns]\nhosts = [\"home.example 127.0.0.1\"]\n"
                .to_owned(),
        );
        let server = site.start()?;
        edges.push((site, server));
    }
    let proxies: Vec<SocketAddr> = edges.iter().map(|(site, _)| site.address).collect();
    let mut called = flows_of(&place.folder, &alice, &domain, &proxies)?;
    let mut caller = direct(&place.folder, &bob, &domain, home.address)?;

    let first = call(&mut caller, &mut called, &format!("sip:alice@{domain}"), figures)?;
    let by = edges.iter().position(|(site, _)| site.address.port() == first);
    let by = by.ok_or_else(|| format!("the call came by port {first}, which is no edge's"))?;
    let (mut site, server) = edges.remove(by);
    // It comes back with the secret that it made the token with, and without the connection.
    server.kill()?;
    let server = site.start()?;
    let second = call(&mut caller, &mut called, &format!("sip:alice@{domain}"), figures)?;
    if edges.iter().all(|(site, _)| site.address.port() != second) {
        return Err(format!("the call came by port {second}, not by the edge that has its flow"));
    }
    if !home.log().contains("flow failed: 430") || !home.log().contains("next flow") {
        return Err("Kamailio has seen no 430 of an edge that has lost its flow".to_owned());
    }
    place.note("called by a flow through our edge proxy; when its connection was gone the edge said 430, and Kamailio took the other");
    caller.quit()?;
    drop(called);
    home.still_there()?;
    server.stop()?;
    edges.into_iter().try_for_each(|(_, server)| server.stop())
}

/// baresip with a flow through each of these, which answers.
fn flows_of(folder: &Path, account: &Account, domain: &str, proxies: &[SocketAddr]) -> Result<Baresip, Fault> {
    let Some(server) = proxies.first().copied() else { return Err("no proxies".to_owned()) };
    let setup = Setup { account, server, transport: Transport::Tcp, hertz: 1_000, answers: true };
    let mut phone = Baresip::start_through(folder, &setup, &Through { domain, proxies, is_outbound: true })?;
    let both = until(STEP_MAX, || {
        let registered = phone.log().matches("200 OK").count();
        Ok((registered >= proxies.len()).then_some(()))
    })?;
    both.ok_or_else(|| format!("{} isn't registered by all its flows", account.name))?;
    phone.wait_until_registered()?;
    Ok(phone)
}

/// baresip at the registrar itself.
fn direct(folder: &Path, account: &Account, domain: &str, server: SocketAddr) -> Result<Baresip, Fault> {
    let setup = Setup { account, server, transport: Transport::Udp, hertz: 440, answers: false };
    let through = Through { domain, proxies: &[server], is_outbound: false };
    let mut phone = Baresip::start_through(folder, &setup, &through)?;
    phone.wait_until_registered()?;
    Ok(phone)
}

/// A call that is answered, and that the callee ends; gives the port of the proxy by which it came.
fn call(caller: &mut Baresip, callee: &mut Baresip, uri: &str, figures: &mut Figures) -> Result<u16, Fault> {
    let began = Instant::now();
    let before = callee.log().len();
    caller.command("dial", uri)?;
    for phone in [&*caller, &*callee] {
        phone.event("CALL_ESTABLISHED")?;
    }
    std::thread::sleep(TALK);
    callee.command("hangup", "")?;
    for phone in [&*caller, &*callee] {
        phone.event("CALL_CLOSED")?;
    }
    figures.one_call(began.elapsed().as_secs_f64());
    let log = callee.log();
    let invite = log.get(before..).and_then(|new| new.split_once("\nINVITE sip:")).map(|(_, invite)| invite);
    let via =
        invite.and_then(|invite| invite.lines().find_map(|line| line.strip_prefix("Via: SIP/2.0/TCP 127.0.0.1:")));
    let port = via.and_then(|via| via.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok());
    port.ok_or_else(|| "the callee has no INVITE by TCP in its log".to_owned())
}

//! Agents of the library and phones that others made, through our server and past it.

use std::net::SocketAddr;

use crate::Fault;
use crate::leg::{Leg, Transport};
use crate::phones::Setup;
use crate::phones::baresip::Baresip;
use crate::phones::linphone::Linphone;
use crate::phones::ours::{Identity, Ours};
use crate::place::{Place, finish, named};
use crate::probe::free_port;
use crate::scenario::AGENT_LARGE;
use crate::sipp::{Figures, Script};

/// How long the digest response of SHA-256 is.
const SHA_256_DIGITS: usize = 64;

pub(super) fn baresip(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    baresip_by(Transport::Udp, place, figures)
}

pub(super) fn baresip_tcp(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    baresip_by(Transport::Tcp, place, figures)
}

/// Ours is alice; bob and carol are baresip.
fn baresip_by(transport: Transport, place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let users = named(["alice", "bob", "carol"]);
    place.site.import(&users)?;
    let server = place.site.start()?;
    let [alice, bob, carol] = &users;
    let phone = |account| {
        let setup = Setup { account, server: place.site.address, transport, hertz: 1_000, answers: true };
        Baresip::start(&place.folder, &setup)
    };
    let (mut bob, mut carol) = (phone(bob)?, phone(carol)?);
    let of = Identity { user: &alice.name, server: place.site.address, password: Some(&alice.password) };
    let mut ours = Ours::phone(&place.folder, "ours", "127.0.0.1:0", &of)?;
    ours.tell(&format!("register {}", transport.in_uri()))?;
    ours.says("registered")?;
    for phone in [&mut bob, &mut carol] {
        phone.wait_until_registered()?;
    }
    let uri = |user: &str| format!("sip:{};transport={}", place.address_of(user), transport.in_uri());
    let to_carol = uri("carol");

    ours.tell(&format!("call {}", uri("bob")))?;
    ours.says("talks")?;
    bob.event("CALL_ESTABLISHED")?;
    hold_both_ways(&mut ours, &mut bob, 1)?;
    // Ours sends bob to carol, and leaves.
    ours.tell(&format!("transfer {to_carol}"))?;
    bob.event("TRANSFER")?;
    carol.event("CALL_ESTABLISHED")?;
    ours.says("transfer: 200")?;
    ours.tell("hangup")?;
    ours.says("hung up")?;
    bob.event("CALL_CLOSED")?;
    carol.command("hangup", "")?;
    for phone in [&bob, &carol] {
        phone.event("CALL_CLOSED")?;
    }
    figures.one_call(0.0);

    // News of the calls before are no news of this one.
    bob.forget();
    carol.forget();
    // It adds the transport of its account once more: To has the parameter twice, and may not bring the call down.
    bob.command("dial", &uri("alice"))?;
    ours.says("rings")?;
    ours.tell("answer")?;
    ours.says("confirmed")?;
    hold_both_ways(&mut ours, &mut bob, 2)?;
    // bob sends ours to carol, hears that this went well, and leaves.
    bob.command("transfer", &to_carol)?;
    ours.says("is sent to: ")?;
    carol.event("CALL_ESTABLISHED")?;
    ours.says("talks")?;
    ours.says("told: 200")?;
    bob.event("CALL_CLOSED")?;
    ours.says("ended: RemoteBye")?;
    ours.tell("hangup")?;
    ours.says("hung up")?;
    carol.event("CALL_CLOSED")?;
    figures.one_call(0.0);
    place.note(format!(
        "by {transport}: called by ours and calling it, on hold and back from each side, sent away by each side"
    ));

    ours.quit()?;
    bob.quit()?;
    carol.quit()?;
    server.stop()
}

/// In the call that stands between them, which is the `nth` where they do so.
fn hold_both_ways(ours: &mut Ours, theirs: &mut Baresip, nth: usize) -> Result<(), Fault> {
    ours.tell("hold")?;
    let directions = ours.says("holds: ")?;
    ours.tell("resume")?;
    let resumed = ours.says("resumed: ")?;
    if (directions.as_str(), resumed.as_str()) != ("sendonly", "sendrecv") {
        return Err(format!("ours held, and it was {directions}; resumed, and it was {resumed}"));
    }
    // It is offered sendonly and answers recvonly; when it holds, it offers sendonly, and is answered recvonly.
    theirs.logs("a=recvonly", nth * 2 - 1)?;
    theirs.command("hold", "")?;
    agrees(ours, "recvonly")?;
    theirs.logs("a=recvonly", nth * 2)?;
    theirs.command("resume", "")?;
    agrees(ours, "sendrecv")
}

/// What was agreed on before may have been told with it.
fn agrees(ours: &Ours, directions: &str) -> Result<(), Fault> {
    ours.says(&format!("agreed: {directions}")).map(drop)
}

/// The digits go between two phones, from whose descriptions what is between them takes nothing.
pub(super) fn digits(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let users = named(["alice", "bob"]);
    place.site.import(&users)?;
    let server = place.site.start()?;
    let [alice, bob] = &users;
    let phone = |account| {
        let setup =
            Setup { account, server: place.site.address, transport: Transport::Udp, hertz: 1_000, answers: true };
        Baresip::start(&place.folder, &setup)
    };
    let (mut alice, mut bob) = (phone(alice)?, phone(bob)?);
    for phone in [&mut alice, &mut bob] {
        phone.wait_until_registered()?;
    }
    let between =
        Ours::start(&place.folder, "b2bua", "b2bua", &["127.0.0.1:0", &format!("sip:bob@{}", bob.address())])?;
    alice.command("dial", &format!("sip:bob@{}", between.address()))?;
    for phone in [&alice, &bob] {
        phone.event("CALL_ESTABLISHED")?;
        phone.event("CALL_RTPESTAB")?;
    }
    // Sent and received: each phone has a description of its own and one of the other's.
    for phone in [&alice, &bob] {
        let log = phone.log();
        let lines = log.lines().filter(|line| line.starts_with("a=rtpmap:") && line.contains("telephone-event/8000"));
        let found = lines.count();
        if found < 2 {
            return Err(format!("telephone-event stands in {found} descriptions, not in both"));
        }
    }
    for digit in ["5", "#"] {
        alice.command("sndcode", digit)?;
        let heard = bob.event("CALL_DTMF_START")?;
        bob.command("sndcode", digit)?;
        let heard_back = alice.event("CALL_DTMF_START")?;
        if heard != digit || heard_back != digit {
            return Err(format!("of the digit {digit} the callee heard {heard}, the caller {heard_back}"));
        }
    }
    place.note("the digits 5 and # each way, in a call that the example b2bua joins");
    bob.command("hangup", "")?;
    for phone in [&alice, &bob] {
        phone.event("CALL_CLOSED")?;
    }
    figures.one_call(0.0);
    between.still_there()?;
    alice.quit()?;
    bob.quit()?;
    server.stop()
}

/// linphonec and ours text one another, through the server and directly, and one of ours challenges linphonec.
pub(super) fn linphone(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let users = named(["alice", "bob"]);
    let [alice, bob] = &users;
    place.site.import(&users)?;
    place.site.configuration = Some("[domain]\nalgorithms = [\"SHA-256\", \"MD5\"]\n".to_owned());
    let server = place.site.start()?;
    let setup =
        Setup { account: alice, server: place.site.address, transport: Transport::Udp, hertz: 440, answers: false };
    let mut theirs = Linphone::start(&place.folder, &setup)?;
    let of = Identity { user: &bob.name, server: place.site.address, password: Some(&bob.password) };
    let mut ours = Ours::phone(&place.folder, "ours", "127.0.0.1:0", &of)?;
    ours.tell("register udp")?;
    ours.says("registered")?;
    theirs.wait_until_registered()?;

    let near = own_address(1);
    let of = Identity { server: near, password: None, ..of };
    let mut direct = Ours::phone(&place.folder, "direct", &near.to_string(), &of)?;
    for (way, phone, at, to_theirs) in [
        ("served", &mut ours, place.address_of("bob"), place.site.address),
        ("direct", &mut direct, format!("bob@{}", near.ip()), theirs.address()),
    ] {
        theirs.command(&format!("chat sip:{at} {way}-for-ours"))?;
        says_text(phone, &format!("{way}-for-ours"))?;
        phone.tell(&format!("message sip:alice@{to_theirs} {way}-for-theirs"))?;
        phone.says("message: 200")?;
        theirs.wait_for(&format!("{way}-for-theirs"))?;
    }
    direct.quit()?;
    place.note("texts both ways, through the server and past it");

    let at = own_address(2);
    let (address, at) = (at.to_string(), at.ip());
    // linphonec answers for the realm that it has met.
    let door = [address.as_str(), &alice.name, &alice.password, "localhost"];
    let door = Ours::start(&place.folder, "doorkeeper", "doorkeeper", &door)?;
    theirs.command(&format!("chat sip:bob@{at} knock-knock"))?;
    door.says("MESSAGE is challenged")?;
    door.says("MESSAGE of alice by SHA-256")?;
    door.says("text: knock-knock")?;
    theirs.command(&format!("call sip:bob@{at}"))?;
    door.says("INVITE is challenged")?;
    door.says("INVITE of alice by SHA-256")?;
    theirs.wait_for("Media streams established with")?;
    theirs.command("terminate")?;
    theirs.wait_for(" ended (")?;
    figures.one_call(0.0);
    place.note("a text and a call to the example that challenges, answered with SHA-256");
    door.still_there()?;
    theirs.quit()?;
    super::phones::answered_with(place, "linphonec", &theirs.log(), SHA_256_DIGITS)?;
    ours.quit()?;
    server.stop()
}

/// Where linphonec finds somebody: in its chats it forgets ports. What runs beside us has other addresses.
fn own_address(nth: u8) -> SocketAddr {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    SocketAddr::from(([127, high | 0x80, low, nth], 5060))
}

/// Phones tell one another what they can do by texts of their own.
fn says_text(ours: &Ours, text: &str) -> Result<(), Fault> {
    loop {
        if ours.says("text by ")?.ends_with(text) {
            return Ok(());
        }
    }
}

/// A text that is too large for a datagram goes to whom it is for by TCP, and where that is refused, as a datagram.
pub(super) fn large(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let identity = Identity { user: "alice", server: place.site.address, password: None };
    let mut phone = Ours::phone(&place.folder, "alice", "127.0.0.1:0", &identity)?;
    let text = "x".repeat(2_000);
    for leg in [Leg::TCP, Leg::UDP] {
        let port = free_port()?;
        let receiver =
            Script::new("receiver", AGENT_LARGE, port, 1).by(leg).with("OTHER_TRANSPORT", leg.transport.in_via());
        let receiver = place.answering(receiver)?;
        phone.tell(&format!("message sip:bob@127.0.0.1:{port} {text}"))?;
        phone.says("message: 200")?;
        figures.then(finish(receiver)?);
        place.note(format!("a text of 2,000 bytes to a SIPp that listens by {leg} alone comes by {}", leg.transport));
    }
    phone.quit()
}

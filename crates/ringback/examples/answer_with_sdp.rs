//! A phone that takes every call: its 200 answers the offer of the INVITE, or offers where there is none. `[RFC 3261, Section 13.3.1.4]`
//!
//! With an address, such as 127.0.0.1:5070, it answers there; without, it shows what it says to an INVITE of its own.

use std::error::Error;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use ringback::base::{Hop, Now, Transport};
use ringback::prelude::*;
use ringback::system::{self, Clock};
use ringback::ua::{CommandError, Config, Event, Local, Media, MediaError, UserAgent};
use ringback::{session, stack};

/// Does what is to be done now: takes each call, and each change of one.
pub(crate) fn serve(agent: &mut UserAgent, sound: &Endpoint, now: Now) {
    while let Some(event) = agent.poll_event() {
        let media = Media::Endpoint(sound.clone());
        let (session, done) = match event {
            Event::Incoming { session, .. } => (session, agent.answer(session, media, now)),
            Event::Offered { session, .. } | Event::OfferWanted { session } => {
                (session, agent.accept(session, media, now))
            }
            _ => continue,
        };
        match done {
            // No codec that both have, as a rule: 488, with a Warning.
            Err(CommandError::Media(MediaError::Refused(refusal))) => _ = agent.refuse(session, &refusal, now),
            // A call that can't be answered at all is given up.
            Err(_) => _ = agent.hang_up(session, now),
            Ok(()) => {}
        }
    }
    // Where a name leads, this phone doesn't know; addresses need no look-up.
    while let Some(lookup) = agent.poll_lookup() {
        agent.handle_hops(lookup.id, &[], now);
    }
}

/// The phone at this address, and what it has: sound, received at port 4000, as PCMA or PCMU.
pub(crate) fn phone(local: SocketAddr) -> Result<(stack::Endpoint, Endpoint), Box<dyn Error>> {
    let mut config = Config::new("bob", vec![Local::new(Transport::Udp, local)]);
    config.allow =
        vec![Method::Invite, Method::Ack, Method::Cancel, Method::Bye, Method::Options, Method::Prack, Method::Update];
    config.supported = ["100rel", "timer"].map(String::from).into();
    let sound = LocalMedia::audio(4000).codec(Codec::pcma()).codec(Codec::pcmu());
    Ok((stack::Endpoint::new(config, system::random()?), session::endpoint(local.ip()).media(sound)))
}

/// Waits for datagrams and for timers. Nothing that comes in ends it.
pub(crate) fn listen(socket: &UdpSocket) -> Result<(), Box<dyn Error>> {
    let local = socket.local_addr()?;
    let (mut phone, sound) = phone(local)?;
    let clock = Clock::start();
    let mut datagram = vec![0; 65_535];
    loop {
        let due = phone.poll_timeout().map(|at| at.since(clock.now().mono).to_duration());
        // Zero would mean to wait for ever.
        socket.set_read_timeout(due.map(|due| due.max(Duration::from_millis(1))))?;
        // An error is the time that is up, or news of a datagram that did not arrive: neither is for us to do anything about.
        if let Ok((length, peer)) = socket.recv_from(&mut datagram) {
            let bytes = Bytes::copy_from_slice(datagram.get(..length).unwrap_or_default());
            if let Err(error) = phone.handle_datagram(bytes, Hop::udp(local, peer), clock.now()) {
                eprintln!("{peer}: {error}");
            }
        }
        let now = clock.now();
        phone.handle_timeout(now);
        serve(phone.agent_mut(), &sound, now);
        while let Some(transmit) = phone.poll_transmit() {
            if let Err(error) = socket.send_to(&transmit.bytes, transmit.hop.remote) {
                eprintln!("{}: {error}", transmit.hop.remote);
                phone.handle_send_failed(&transmit.hop, now);
            }
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(address) = std::env::args().nth(1) {
        return listen(&UdpSocket::bind(address)?);
    }
    let [ours, theirs]: [SocketAddr; 2] = ["192.0.2.201:5060".parse()?, "192.0.2.101:5060".parse()?];
    let alice =
        session::endpoint(theirs.ip()).media(LocalMedia::audio(49_170).codec(Codec::opus()).codec(Codec::pcmu()));
    let invite = RequestBuilder::new(Method::Invite, "sip:bob@192.0.2.201")
        .via_rport("192.0.2.101", "UDP", Some("z9hG4bK74bf9dac1"))
        .from("Alice", "sip:alice@atlanta.example.com", Some("9fxced76sl"))
        .to("Bob", "sip:bob@biloxi.example.com", None)
        .call_id("3848276298220188511@atlanta.example.com")
        .cseq(1, Method::Invite)
        .contact("sip:alice@192.0.2.101", None)
        .sdp(&alice.offer()?)
        .build()?;
    let (mut phone, sound) = phone(ours)?;
    phone.handle_datagram(Bytes::copy_from_slice(invite.as_bytes()), Hop::udp(ours, theirs), Now::default())?;
    serve(phone.agent_mut(), &sound, Now::default());
    while let Some(transmit) = phone.poll_transmit() {
        println!("{}", String::from_utf8_lossy(&transmit.bytes));
    }
    Ok(())
}

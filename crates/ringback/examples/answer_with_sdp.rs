//! A phone that takes every call: its 200 answers the offer of the INVITE. `[RFC 3261, Section 13.3.1.4]`
//!
//! It has no clock, and so doesn't repeat its 200 until the ACK is there, as a phone must.
//!
//! With an address, such as 127.0.0.1:5070, it answers there; without, it shows what it says to an INVITE of its own.

use std::error::Error;
use std::net::UdpSocket;

use ringback::base::Hop;
use ringback::prelude::*;
use ringback::{session, transport};

/// Answers what comes to this address, such as 127.0.0.1:5070.
fn listen(address: &str) -> Result<(), Box<dyn Error>> {
    let socket = UdpSocket::bind(address)?;
    let local = socket.local_addr()?;
    // What the phone has: sound, received at port 4000, as PCMA or PCMU.
    let phone = session::endpoint(local.ip()).media(LocalMedia::audio(4000).codec(Codec::pcma()).codec(Codec::pcmu()));
    let mut datagram = vec![0; 65_535];
    loop {
        let (length, peer) = socket.recv_from(&mut datagram)?;
        let Some(Ok(request)) = datagram.get(..length).map(Request::parse) else { continue };
        // The top Via says where the response goes; what it can't know of, such as a NAT, is noted in it.
        let request = transport::stamp(request, &Hop::udp(local, peer))?;
        let response = answer(&request, &phone, &format!("sip:{local}")).or_else(|error| {
            eprintln!("{error}");
            Response::to(&request, StatusCode::BadRequest).build().map(Some)
        })?;
        if let Some(response) = response {
            socket.send_to(response.as_bytes(), peer)?;
        }
    }
}

/// What the phone says to a request; nothing to an ACK.
pub(crate) fn answer(request: &Request, phone: &Endpoint, contact: &str) -> Result<Option<Response>, Box<dyn Error>> {
    let methods = vec![Method::Invite, Method::Ack, Method::Bye, Method::Cancel, Method::Options];
    let response = match request.method() {
        Method::Ack => return Ok(None),
        Method::Invite => {
            let offer = request.sdp()?.ok_or("an INVITE without an offer")?;
            match Session::new().receive(offer)?.answer(phone) {
                Ok(answer) => Response::to(request, StatusCode::Ok)
                    .contact(contact, None)
                    .allow_methods(methods)
                    .supported_tags(vec![])
                    .sdp(answer.description()),
                Err(refused) => session::refusing(request, &refused.refusal, "phone.example.com"),
            }
        }
        Method::Options => Response::to(request, StatusCode::Ok).allow_methods(methods).accept("application/sdp", None),
        Method::Bye | Method::Cancel => Response::to(request, StatusCode::Ok),
        _ => Response::to(request, StatusCode::MethodNotAllowed).allow_methods(methods),
    };
    Ok(Some(response.build()?))
}

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(address) = std::env::args().nth(1) {
        return listen(&address);
    }
    let alice = session::endpoint("192.0.2.101".parse()?)
        .media(LocalMedia::audio(49_170).codec(Codec::opus()).codec(Codec::pcmu()));
    let invite = RequestBuilder::new(Method::Invite, "sip:bob@biloxi.example.com")
        .via("client.atlanta.example.com", "TCP", Some("z9hG4bK74bf9dac1"))
        .from("Alice", "sip:alice@atlanta.example.com", Some("9fxced76sl"))
        .to("Bob", "sip:bob@biloxi.example.com", None)
        .call_id("3848276298220188511@atlanta.example.com")
        .cseq(1, Method::Invite)
        .contact("sip:alice@client.atlanta.example.com;transport=tcp", None)
        .sdp(&alice.offer()?)
        .build()?;
    let bob = session::endpoint("192.0.2.201".parse()?).media(LocalMedia::audio(4000).codec(Codec::pcmu()));
    let response = answer(&invite, &bob, "sip:bob@client.biloxi.example.com")?.ok_or("no response")?;
    print!("{}", String::from_utf8_lossy(response.as_bytes()));
    Ok(())
}

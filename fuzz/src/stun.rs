//! STUN at the ports of SIP: what is read is whole, and the answer to a request is read by who asked, and not much longer.

use std::net::SocketAddr;

use ringback_transport::Datagram;
use ringback_transport::stun::{Stun, binding_request};

const SOURCES: [&str; 2] = ["192.0.2.1:32853", "[2001:db8::1]:65535"];

pub(crate) fn check(data: &[u8]) {
    let Some(read) = Stun::read(data) else { return };
    assert_eq!(Datagram::classify(data), Datagram::Stun, "it would be taken for something else");
    assert!(Stun::read(&data[..data.len() - 1]).is_none(), "a packet that lacks its end");
    let Stun::Request(request) = read else { return };
    for source in SOURCES {
        let source: SocketAddr = source.parse().unwrap_or_else(|error| panic!("{error}"));
        let answer = request.answer(source);
        assert!(answer.len() * 2 <= data.len() * 5, "{} bytes for {}", answer.len(), data.len());
        let (id, is_known) = (request.id, request.unknown.is_empty());
        let expected = if is_known { Stun::Mapped { id, address: source } } else { Stun::Refused { id, code: 420 } };
        assert_eq!(Stun::read(&answer), Some(expected));
    }
    let again = binding_request(request.id);
    assert!(matches!(Stun::read(&again), Some(Stun::Request(asked)) if asked.id == request.id));
}

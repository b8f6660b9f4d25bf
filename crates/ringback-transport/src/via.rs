//! What a server transport does to the top Via of a request, and where it leads the response.

use alloc::vec::Vec;
use core::fmt::Write as _;
use core::net::{IpAddr, SocketAddr};

use ringback_base::{Hop, Transport};
use ringback_message::header::text::unfolded;
use ringback_message::{BuildError, Edit, HeaderId, Host, Message, Request, Via};

/// The request with `received` and `rport` in its top Via as the source of it demands.
///
/// `received` is added where sent-by is a name or another address than the source, and always where `rport` asks for an answer.
/// `[RFC 3261, Section 18.2.1]` `[RFC 3581, Section 4]`
///
/// # Errors
/// Never in practice: all of it comes from a message that was read.
pub fn stamp(request: Request, hop: &Hop) -> Result<Request, BuildError> {
    match stamp_message(&request, hop)? {
        Some(edited) => Request::check(edited).map_err(|rejected| BuildError::Malformed(rejected.error)),
        None => Ok(request),
    }
}

/// The same for a message of which only the lines were read, such as the response to a malformed request; `None` where its top Via
/// needs nothing, or can't be read.
///
/// # Errors
/// Never in practice: all of it comes from a message that was read.
pub fn stamp_message(message: &Message, hop: &Hop) -> Result<Option<Message>, BuildError> {
    let (Some(Ok(via)), Some(line)) = (message.vias().next(), message.first(HeaderId::Via)) else { return Ok(None) };
    let asks = via.rport().is_some();
    let source = unmapped(hop.remote.ip());
    let same = matches!(via.sent_by_host(), Host::Address(ip) if unmapped(ip) == source);
    if same && !asks && !via.params.has(b"received") {
        return Ok(None);
    }
    let mut value = stamped(&via, source, hop.remote.port(), asks);
    value.extend_from_slice(behind_first(line.value()));
    // A line may come folded, and is written on one. `[RFC 3261, Section 7.3.1]`
    let value = unfolded(&value);
    Edit::relaying(message).replace_line(line.index(), &value).finish().map(Some)
}

fn stamped(via: &Via<&[u8]>, source: IpAddr, port: u16, asks: bool) -> Vec<u8> {
    let bare = Via { params: ringback_message::Params::default(), ..via.clone() };
    let mut value = Vec::new();
    bare.write(&mut value);
    // What the sender claims to have received is not ours to pass on.
    for (name, param) in via.params.iter() {
        if name.eq_ignore_ascii_case(b"received") || name.eq_ignore_ascii_case(b"rport") {
            continue;
        }
        value.push(b';');
        value.extend_from_slice(name);
        if let Some(param) = param {
            value.push(b'=');
            value.extend_from_slice(param);
        }
    }
    let mut text = alloc::string::String::new();
    // Writing to a String can't fail.
    let _ = write!(text, ";received={source}");
    if asks {
        let _ = write!(text, ";rport={port}");
    }
    value.extend_from_slice(text.as_bytes());
    value
}

/// The line of the top Via, and it with a value for `keep`, where whoever wrote it offers keep-alives: "it MUST add a parameter value to
/// the "keep" parameter before sending or forwarding the response". `[RFC 6223, Section 4.4]`
#[must_use]
pub fn granted_keep(response: &Message, secs: u32) -> Option<(usize, Vec<u8>)> {
    let (via, line) = (response.vias().next()?.ok()?, response.first(HeaderId::Via)?);
    let is_keep = |name: &[u8]| name.eq_ignore_ascii_case(b"keep");
    via.params.iter().find(|(name, value)| is_keep(name) && value.is_none())?;
    let mut value = Vec::new();
    Via { params: ringback_message::Params::default(), ..via.clone() }.write(&mut value);
    let mut granted = alloc::string::String::new();
    // Writing to a String can't fail.
    let _ = write!(granted, "keep={secs}");
    for (name, param) in via.params.iter() {
        value.push(b';');
        match param {
            _ if is_keep(name) => value.extend_from_slice(granted.as_bytes()),
            None => value.extend_from_slice(name),
            Some(param) => value.extend([name, b"=", param].concat()),
        }
    }
    value.extend_from_slice(behind_first(line.value()));
    Some((line.index(), unfolded(&value).into_vec()))
}

/// The comma behind the first Via of a line and all that follows.
fn behind_first(value: &[u8]) -> &[u8] {
    let mut cursor = ringback_message::Cursor::new(HeaderId::Via, value, 0);
    match Via::parse(&mut cursor) {
        Ok(_) => cursor.rest(),
        Err(_) => &[],
    }
}

/// An IPv4 address that came in IPv6 clothes, as itself.
fn unmapped(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

/// The hop that responses to a request take, given where the request came from. `[RFC 3261, Section 18.2.2]`
///
/// A reliable transport answers on the connection; should that be gone by then, the hop names the address to open another to:
/// the source, at the port of sent-by. A datagram goes to the source address, at the source port where `rport`
/// asks for it, else at the port of sent-by. A client of WebSocket is answered on its connection or not at all: its sent-by leads
/// nowhere. `[RFC 7118, Section 5.3]` `maddr` is ignored: it lets a stranger aim our answers at others.
#[must_use]
pub fn reply_hop(via: &Via<&[u8]>, from: Hop) -> Hop {
    let is_the_only_way = match from.transport {
        Transport::Udp => via.rport().is_some(),
        Transport::Tcp | Transport::Tls => false,
        Transport::Ws | Transport::Wss => true,
    };
    if is_the_only_way {
        return from;
    }
    let port = via.port.unwrap_or_else(|| from.transport.default_port());
    Hop { remote: SocketAddr::new(from.remote.ip(), port), ..from }
}

/// The hop that the answer to a message takes of which only the lines were read; `None` where its top Via can't be.
#[must_use]
pub fn salvage_reply_hop(message: &Message, from: Hop) -> Option<Hop> {
    message.vias().next()?.ok().map(|via| reply_hop(&via, from))
}

/// The Via that we put on top, up to and without its branch: `SIP/2.0/UDP 192.0.2.1:5060`.
#[must_use]
pub fn sent_by(transport: Transport, host_port: &str) -> alloc::string::String {
    alloc::format!("SIP/2.0/{transport} {host_port}")
}

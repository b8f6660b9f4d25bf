//! Not a SIP server: receives and sends what a server of that kind would, and does nothing in between. The floor under it.
//!
//! ```text
//! PORT=15060 UAS_PORT=15070 ringback-bench-bare register-auth|redirect|proxy
//! ```
//!
//! For OPTIONS and REGISTER the reference has `floor.c`, which is built the same: one `recvfrom` and one `sendto` a message.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::ExitCode;

use memchr::memmem;
use ringback_bench::Fault;
use rustix::net::sockopt::set_socket_recv_buffer_size;

/// The longest datagram.
const DATAGRAM_BYTES_MAX: usize = 65_535;

const SOCKET_BUFFER_BYTES: usize = 4 << 20;

const CHALLENGE: &[u8] =
    b"\r\nWWW-Authenticate: Digest realm=\"bare\", nonce=\"0123456789abcdef\", algorithm=MD5, qop=\"auth\"";
const CONTACT: &[u8] = b"\r\nContact: <sip:u@127.0.0.1:15070>";

#[derive(Clone, Copy)]
enum Kind {
    RegisterAuth,
    Redirect,
    Proxy,
}

fn main() -> ExitCode {
    let kind = match std::env::args().nth(1).as_deref() {
        Some("register-auth") => Kind::RegisterAuth,
        Some("redirect") => Kind::Redirect,
        Some("proxy") => Kind::Proxy,
        _ => {
            eprintln!("usage: ringback-bench-bare register-auth|redirect|proxy");
            return ExitCode::from(2);
        }
    };
    let Err(fault) = serve(kind);
    eprintln!("{fault}");
    ExitCode::FAILURE
}

fn serve(kind: Kind) -> Result<std::convert::Infallible, Fault> {
    let own = SocketAddr::from((Ipv4Addr::LOCALHOST, port("PORT", 15060)?));
    let callee = SocketAddr::from((Ipv4Addr::LOCALHOST, port("UAS_PORT", 15070)?));
    let socket = UdpSocket::bind(own).map_err(|error| format!("{own}: {error}"))?;
    // As large as `floor.c` asks for; where the system gives less, that is what there is.
    _ = set_socket_recv_buffer_size(&socket, SOCKET_BUFFER_BYTES);
    let via = memmem::Finder::new(b"\r\nVia: SIP/2.0/UDP 127.0.0.1:");
    let credentials = memmem::Finder::new(b"\r\nAuthorization: ");
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    let mut answer = Vec::with_capacity(2 * DATAGRAM_BYTES_MAX);
    loop {
        // What the kernel tells of a peer that has gone is no reason to end.
        let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
        let datagram = buffer.get(..length).unwrap_or_default();
        let mut reply = |start: &[u8], more: &[u8]| send_reply(&socket, datagram, start, more, from, &mut answer);
        let sent = match kind {
            Kind::RegisterAuth if datagram.starts_with(b"REGISTER") && credentials.find(datagram).is_none() => {
                reply(b"SIP/2.0 401 Unauthorized", CHALLENGE)
            }
            Kind::Redirect if datagram.starts_with(b"ACK") => Ok(0),
            Kind::Redirect if datagram.starts_with(b"INVITE") => reply(b"SIP/2.0 302 Moved Temporarily", CONTACT),
            Kind::Proxy if datagram.starts_with(b"SIP/2.0") => {
                let caller = sent_by_port(datagram, &via).map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
                caller.map_or(Ok(0), |caller| socket.send_to(datagram, caller))
            }
            Kind::Proxy if !datagram.starts_with(b"REGISTER") && !datagram.starts_with(b"OPTIONS") => {
                if datagram.starts_with(b"INVITE") {
                    _ = reply(b"SIP/2.0 100 Trying", b"");
                }
                socket.send_to(datagram, callee)
            }
            _ => reply(b"SIP/2.0 200 OK", b""),
        };
        if let Err(error) = sent
            && error.kind() != io::ErrorKind::ConnectionRefused
        {
            return Err(format!("sending: {error}"));
        }
    }
}

fn port(name: &str, default: u16) -> Result<u16, Fault> {
    match std::env::var(name) {
        Ok(text) => text.parse().map_err(|_| format!("{name}: {text:?} is no port")),
        Err(_) => Ok(default),
    }
}

/// Another first line, and all the rest, as `floor.c` does it.
fn send_reply(
    socket: &UdpSocket,
    datagram: &[u8],
    start: &[u8],
    more: &[u8],
    to: SocketAddr,
    answer: &mut Vec<u8>,
) -> io::Result<usize> {
    let line_end = memchr::memchr(b'\r', datagram).unwrap_or(datagram.len());
    answer.clear();
    answer.extend_from_slice(start);
    answer.extend_from_slice(more);
    answer.extend_from_slice(datagram.get(line_end..).unwrap_or_default());
    socket.send_to(answer, to)
}

fn sent_by_port(datagram: &[u8], via: &memmem::Finder<'_>) -> Option<u16> {
    let digits = datagram.get(via.find(datagram)? + via.needle().len()..)?;
    let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(digits.get(..length)?).ok()?.parse().ok()
}

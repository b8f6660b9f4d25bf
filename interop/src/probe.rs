//! Free ports, and an OPTIONS of our own.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::leg::Transport;
use crate::{Fault, doing};

/// How long one OPTIONS waits for its answer before the next is sent.
const PROBE_INTERVAL_MS: u64 = 100;
/// The largest answer that is read; an answer to OPTIONS is far smaller.
const ANSWER_MAX_BYTES: usize = 8192;
/// Ports are taken from here, below those that the system gives to sockets that name none.
const PORTS: std::ops::Range<u16> = 12_000..32_000;

/// The ports that were handed out: cases run side by side, and a peer binds its port some time after it was found free.
static TAKEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A port of the loopback addresses that nothing is bound to at this moment, neither by UDP nor by TCP.
///
/// # Errors
/// When there is none.
pub fn free_port() -> Result<u16, Fault> {
    free_ports(1)
}

/// The first of `count` such ports in a row; it is even, as RTP wants it.
///
/// # Errors
/// When there are none.
pub fn free_ports(count: u16) -> Result<u16, Fault> {
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    // Runs side by side begin at different places.
    let spread = std::process::id().wrapping_mul(0x9E37_79B9) >> 16;
    let width = u32::from(PORTS.end - PORTS.start);
    let begin = taken.last().copied().map_or(PORTS.start + u16::try_from(spread % width).unwrap_or(0), |last| last + 1);
    let candidates = (begin..PORTS.end).chain(PORTS.start..begin).filter(|port| port % 2 == 0);
    for first in candidates {
        let mut block = first..first.saturating_add(count);
        if block.end <= PORTS.end && block.all(|port| !taken.contains(&port) && is_free(port)) {
            taken.extend(first..first + count);
            return Ok(first);
        }
    }
    Err(format!("no {count} free ports in {PORTS:?}"))
}

fn is_free(port: u16) -> bool {
    let four = (Ipv4Addr::LOCALHOST, port);
    // Where there is no IPv6, its loopback address can't be taken either.
    let six = |error: &std::io::Error| error.kind() == std::io::ErrorKind::AddrInUse;
    UdpSocket::bind(four).is_ok()
        && TcpListener::bind(four).is_ok()
        && !UdpSocket::bind((Ipv6Addr::LOCALHOST, port)).is_err_and(|error| six(&error))
        && !TcpListener::bind((Ipv6Addr::LOCALHOST, port)).is_err_and(|error| six(&error))
}

/// Waits until some process listens on a port. Trying to bind it ourselves would get in that process's way.
///
/// # Errors
/// When nothing did within `limit`, or `give_up` says why there is no sense in waiting.
pub fn wait_for_port(
    transport: Transport,
    port: u16,
    limit: Duration,
    mut give_up: impl FnMut() -> Option<Fault>,
) -> Result<(), Fault> {
    let started = Instant::now();
    while started.elapsed() < limit {
        if let Some(fault) = give_up() {
            return Err(fault);
        }
        for family in ["", "6"] {
            // Of the network that this thread is in.
            let path = format!("/proc/thread-self/net/{}{family}", transport.in_uri());
            // Without IPv6 its tables are missing.
            let table = std::fs::read_to_string(path).unwrap_or_default();
            if table.lines().any(|line| listens(line, transport, port)) {
                return Ok(());
            }
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Err(format!("nothing listens on {transport} port {port} after {limit:?}"))
}

/// Of the kernel's table: the second column is address and port in hexadecimal, the fourth the state, where 0A is a listener.
fn listens(line: &str, transport: Transport, port: u16) -> bool {
    let mut columns = line.split_whitespace();
    let local = columns.nth(1).and_then(|local| u16::from_str_radix(local.split_once(':')?.1, 16).ok());
    let state = columns.nth(1);
    local == Some(port) && (transport == Transport::Udp || state == Some("0A"))
}

/// Sends OPTIONS to `server` until a SIP response comes back, or `give_up` says why there is no sense in going on,
/// or `limit` has passed.
///
/// # Errors
/// When no answer came.
pub fn wait_for_options(
    server: SocketAddr,
    limit: Duration,
    mut give_up: impl FnMut() -> Option<Fault>,
) -> Result<(), Fault> {
    let socket = doing(|| "a socket for the probe".to_owned(), UdpSocket::bind((server.ip(), 0)))?;
    let interval = Duration::from_millis(PROBE_INTERVAL_MS);
    doing(|| "the probe's time-out".to_owned(), socket.set_read_timeout(Some(interval)))?;
    let local = doing(|| "the probe's address".to_owned(), socket.local_addr())?;

    let started = Instant::now();
    let mut answer = [0_u8; ANSWER_MAX_BYTES];
    while started.elapsed() < limit {
        if let Some(fault) = give_up() {
            return Err(fault);
        }
        // A port that nobody listens on may be refused at once: the pause then comes from the sleep below.
        let sent = socket.send_to(options(server, local, Transport::Udp).as_bytes(), server);
        match sent.and_then(|_| socket.recv_from(&mut answer)) {
            Ok((length, _)) if answer.get(..length).is_some_and(|bytes| bytes.starts_with(b"SIP/2.0 ")) => {
                return Ok(());
            }
            Ok(_) | Err(_) => std::thread::sleep(interval / 4),
        }
    }
    Err(format!("no answer to OPTIONS from {server} within {limit:?}"))
}

/// Sends one OPTIONS over a connection of its own and waits for the 200.
///
/// # Errors
/// When it can't be connected, or something else comes, or nothing.
pub fn options_over_tcp(server: SocketAddr, limit: Duration) -> Result<(), Fault> {
    let what = || format!("OPTIONS to {server} by TCP");
    let mut stream = doing(what, TcpStream::connect_timeout(&server, limit))?;
    doing(what, stream.set_read_timeout(Some(limit)))?;
    let local = doing(what, stream.local_addr())?;
    doing(what, stream.write_all(options(server, local, Transport::Tcp).as_bytes()))?;
    let mut answer = Vec::new();
    let mut piece = [0_u8; ANSWER_MAX_BYTES];
    while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
        match doing(what, stream.read(&mut piece))? {
            0 => return Err(format!("{}: the connection was closed without an answer", what())),
            length => answer.extend_from_slice(piece.get(..length).unwrap_or_default()),
        }
    }
    if answer.starts_with(b"SIP/2.0 200 ") {
        Ok(())
    } else {
        Err(format!("{}: {}", what(), String::from_utf8_lossy(&answer).lines().next().unwrap_or_default()))
    }
}

/// How many were made: each is another transaction, whatever port it comes from.
static OPTIONS: AtomicU32 = AtomicU32::new(0);

fn options(server: SocketAddr, local: SocketAddr, transport: Transport) -> String {
    let id = format!("{}-{}", std::process::id(), OPTIONS.fetch_add(1, Ordering::Relaxed));
    format!(
        "OPTIONS sip:{server} SIP/2.0\r\n\
         Via: SIP/2.0/{transport} {local};branch=z9hG4bK-probe-{id};rport\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:probe@{local}>;tag={id}\r\n\
         To: <sip:{server}>\r\n\
         Call-ID: probe-{id}\r\n\
         CSeq: 1 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_server_that_answers_is_found() {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let mut bytes = [0; 2048];
            let (length, from) = socket.recv_from(&mut bytes).unwrap();
            socket.send_to(b"SIP/2.0 200 OK\r\n\r\n", from).unwrap();
            String::from_utf8(bytes.get(..length).unwrap().to_vec()).unwrap()
        });
        wait_for_options(address, Duration::from_secs(5), || None).unwrap();
        assert!(server.join().unwrap().starts_with(&format!("OPTIONS sip:{address} SIP/2.0\r\n")));
    }

    #[test]
    fn an_answer_by_tcp_may_come_in_pieces_and_must_be_a_200() {
        for (answer, good) in [("SIP/2.0 200 OK\r\n\r\n", true), ("SIP/2.0 503 No\r\n\r\n", false), ("", false)] {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let address = listener.local_addr().unwrap();
            let server = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut bytes = [0; 2048];
                assert!(stream.read(&mut bytes).unwrap() > 0);
                for byte in answer.bytes() {
                    stream.write_all(&[byte]).unwrap();
                }
            });
            assert_eq!(options_over_tcp(address, Duration::from_secs(5)).is_ok(), good, "{answer:?}");
            server.join().unwrap();
        }
    }

    #[test]
    fn no_port_is_handed_out_twice() {
        let first = free_ports(10).unwrap();
        let block = first..first + 10;
        assert!(first.is_multiple_of(2));
        assert!((0..20).all(|_| !block.contains(&free_port().unwrap())));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_bound_port_is_seen_and_a_free_one_is_not() {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = socket.local_addr().unwrap().port();
        let wait = |transport, limit| wait_for_port(transport, port, Duration::from_millis(limit), || None);
        wait(Transport::Udp, 5_000).unwrap();
        assert!(wait(Transport::Tcp, 30).is_err());
        drop(socket);
        assert!(wait(Transport::Udp, 30).is_err());
        let listener = TcpListener::bind((Ipv6Addr::LOCALHOST, port));
        if listener.is_ok() {
            wait(Transport::Tcp, 5_000).unwrap();
        }
    }

    #[test]
    fn silence_and_a_dead_server_are_faults() {
        let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = silent.local_addr().unwrap();
        let fault = wait_for_options(address, Duration::from_millis(250), || None).unwrap_err();
        assert!(fault.contains("no answer"), "{fault}");
        let fault = wait_for_options(address, Duration::from_secs(60), || Some("it ended".to_owned())).unwrap_err();
        assert_eq!(fault, "it ended");
    }
}

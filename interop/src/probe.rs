//! Free ports, and an OPTIONS of our own.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::{Fault, doing};

/// How long one OPTIONS waits for its answer before the next is sent.
const PROBE_INTERVAL_MS: u64 = 100;
/// The largest answer that is read; an answer to OPTIONS is far smaller.
const ANSWER_MAX_BYTES: usize = 8192;

/// An UDP port of 127.0.0.1 that nothing is bound to at this moment.
///
/// # Errors
/// When the system has none to give.
pub fn free_port() -> Result<u16, Fault> {
    let bound = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.local_addr());
    doing(|| "no free UDP port on 127.0.0.1".to_owned(), bound).map(|address| address.port())
}

/// Waits until some process has bound UDP port `port`. Trying to bind it ourselves would get in that process's way.
///
/// # Errors
/// When nothing did within `limit`, or `give_up` says why there is no sense in waiting.
pub fn wait_for_port(port: u16, limit: Duration, mut give_up: impl FnMut() -> Option<Fault>) -> Result<(), Fault> {
    let started = Instant::now();
    while started.elapsed() < limit {
        if let Some(fault) = give_up() {
            return Err(fault);
        }
        let table = doing(|| "reading the table of UDP sockets".to_owned(), std::fs::read_to_string("/proc/net/udp"))?;
        if table.lines().any(|line| local_port(line) == Some(port)) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Err(format!("nothing listens on UDP port {port} after {limit:?}"))
}

/// The second column of the kernel's table: address and port in hexadecimal.
fn local_port(line: &str) -> Option<u16> {
    let (_, port) = line.split_whitespace().nth(1)?.split_once(':')?;
    u16::from_str_radix(port, 16).ok()
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
    let socket = doing(|| "a socket for the probe".to_owned(), UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)))?;
    let interval = Duration::from_millis(PROBE_INTERVAL_MS);
    doing(|| "the probe's time-out".to_owned(), socket.set_read_timeout(Some(interval)))?;
    let local = doing(|| "the probe's address".to_owned(), socket.local_addr())?;

    let started = Instant::now();
    let mut attempt = 0_u32;
    let mut answer = [0_u8; ANSWER_MAX_BYTES];
    while started.elapsed() < limit {
        if let Some(fault) = give_up() {
            return Err(fault);
        }
        attempt += 1;
        // A port that nobody listens on may be refused at once: the pause then comes from the sleep below.
        let sent = socket.send_to(options(server, local, attempt).as_bytes(), server);
        match sent.and_then(|_| socket.recv_from(&mut answer)) {
            Ok((length, _)) if answer.get(..length).is_some_and(|bytes| bytes.starts_with(b"SIP/2.0 ")) => {
                return Ok(());
            }
            Ok(_) | Err(_) => std::thread::sleep(interval / 4),
        }
    }
    Err(format!("no answer to OPTIONS from {server} within {limit:?}"))
}

fn options(server: SocketAddr, local: SocketAddr, attempt: u32) -> String {
    let id = format!("{}-{attempt}", local.port());
    format!(
        "OPTIONS sip:{server} SIP/2.0\r\n\
         Via: SIP/2.0/UDP {local};branch=z9hG4bK-probe-{id};rport\r\n\
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
    #[cfg(target_os = "linux")]
    fn a_bound_port_is_seen_and_a_free_one_is_not() {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = socket.local_addr().unwrap().port();
        wait_for_port(port, Duration::from_secs(5), || None).unwrap();
        drop(socket);
        assert!(wait_for_port(port, Duration::from_millis(30), || None).is_err());
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

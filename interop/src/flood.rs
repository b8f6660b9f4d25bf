//! Sends a corpus to the server, at a bounded rate.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use crate::{Fault, doing};

/// Datagrams a second, so that no socket's buffer runs over.
const DATAGRAMS_PER_SECOND: u32 = 2_000;
/// How long a connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(2);
/// How long answers are waited for where none need come.
const ANSWER_WAIT: Duration = Duration::from_millis(10);
/// As many connections are open at a time.
const SIDE_BY_SIDE: usize = 16;

/// Sends each message as a datagram, from one port; gives how many datagrams came back.
///
/// # Errors
/// When the system can't send.
pub(crate) fn datagrams(server: SocketAddr, messages: &[Vec<u8>]) -> Result<u64, Fault> {
    let what = || "a socket for datagrams".to_owned();
    let socket = doing(what, UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)))?;
    doing(what, socket.set_nonblocking(true))?;
    let began = Instant::now();
    let mut answers = 0;
    for (number, message) in (0_u32..).zip(messages) {
        let due = Duration::from_secs(1) * number / DATAGRAMS_PER_SECOND;
        std::thread::sleep(due.saturating_sub(began.elapsed()));
        send(&socket, server, message)?;
        answers += received(&socket);
    }
    std::thread::sleep(ANSWER_WAIT);
    Ok(answers + received(&socket))
}

fn send(socket: &UdpSocket, server: SocketAddr, message: &[u8]) -> Result<(), Fault> {
    loop {
        match socket.send_to(message, server) {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(Duration::from_millis(1)),
            // The system tells so of an earlier datagram.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
            Err(error) => return Err(format!("sending {} bytes by UDP: {error}", message.len())),
        }
    }
}

fn received(socket: &UdpSocket) -> u64 {
    let mut answer = [0; 65_536];
    let mut answers = 0;
    while socket.recv_from(&mut answer).is_ok() {
        answers += 1;
    }
    answers
}

/// Sends each message over a connection of its own, in one piece, and closes the sending half behind it; gives how many bytes
/// came back.
///
/// # Errors
/// When the server refuses a connection.
pub(crate) fn whole(server: SocketAddr, messages: &[Vec<u8>]) -> Result<u64, Fault> {
    let mut answers = 0;
    for group in messages.chunks(SIDE_BY_SIDE) {
        let mut streams = Vec::new();
        for message in group {
            let mut stream = connect(server)?;
            // A server that can't follow may close before all is written.
            let _ = stream.write_all(message).and_then(|()| stream.shutdown(Shutdown::Write));
            streams.push(stream);
        }
        answers += drain(streams);
    }
    Ok(answers)
}

/// Sends each message over a connection of its own, one byte a segment, some connections in turn; gives how many bytes came
/// back.
///
/// # Errors
/// When the server refuses a connection.
pub(crate) fn byte_by_byte(server: SocketAddr, messages: &[Vec<u8>]) -> Result<u64, Fault> {
    let mut answers = 0;
    for group in messages.chunks(SIDE_BY_SIDE) {
        let mut streams = Vec::new();
        for message in group {
            let stream = connect(server)?;
            doing(|| "TCP_NODELAY".to_owned(), stream.set_nodelay(true))?;
            streams.push((stream, message.iter()));
        }
        let mut is_open = true;
        while is_open {
            is_open = false;
            for (stream, bytes) in &mut streams {
                if let Some(byte) = bytes.next() {
                    // As above.
                    is_open |= stream.write_all(&[*byte]).is_ok();
                }
            }
        }
        answers += drain(streams.into_iter().map(|(stream, _)| stream).collect());
    }
    Ok(answers)
}

fn connect(server: SocketAddr) -> Result<TcpStream, Fault> {
    let what = || format!("connecting to {server}");
    let stream = doing(what, TcpStream::connect_timeout(&server, CONNECT_MAX))?;
    doing(what, stream.set_write_timeout(Some(CONNECT_MAX)))?;
    Ok(stream)
}

/// Waits a while, reads what has come, and closes.
fn drain(streams: Vec<TcpStream>) -> u64 {
    std::thread::sleep(ANSWER_WAIT);
    let mut bytes = 0;
    let mut piece = [0; 65_536];
    for mut stream in streams {
        if stream.set_nonblocking(true).is_err() {
            continue;
        }
        while let Ok(length @ 1..) = stream.read(&mut piece) {
            bytes += u64::try_from(length).unwrap_or(0);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::TcpListener;

    use super::*;

    fn arrived(send: fn(SocketAddr, &[Vec<u8>]) -> Result<u64, Fault>, messages: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let count = messages.len();
        let server = std::thread::spawn(move || {
            let accept = |_| {
                let (mut stream, _) = listener.accept().unwrap();
                std::thread::spawn(move || {
                    let mut bytes = Vec::new();
                    stream.read_to_end(&mut bytes).unwrap();
                    bytes
                })
            };
            let readers: Vec<_> = (0..count).map(accept).collect();
            readers.into_iter().map(|reader| reader.join().unwrap()).collect()
        });
        send(address, messages).unwrap();
        server.join().unwrap()
    }

    #[test]
    fn messages_arrive_as_they_were_sent() {
        let messages: Vec<Vec<u8>> = (0..20_u8).map(|number| vec![number; usize::from(number) * 7]).collect();
        for send in [whole, byte_by_byte] {
            assert_eq!(arrived(send, &messages), messages);
        }
    }

    #[test]
    fn datagrams_keep_to_their_rate() {
        let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let messages = vec![b"x".to_vec(); 101];
        let began = Instant::now();
        datagrams(server.local_addr().unwrap(), &messages).unwrap();
        assert!(began.elapsed() >= Duration::from_millis(50), "{:?}", began.elapsed());
        let mut bytes = [0; 8];
        assert_eq!(server.recv_from(&mut bytes).unwrap().0, 1);
    }
}

//! A phone that can register.

use std::net::{SocketAddr, UdpSocket};

use bytes::Bytes;
use ringback_auth::{AuthSession, Password};
use ringback_base::Random;
use ringback_message::{Edit, HeaderId, Message, Request, Response};

use crate::process::WAIT;

pub(crate) struct Phone(UdpSocket);

impl Phone {
    pub(crate) fn new(server: SocketAddr) -> Phone {
        let socket = UdpSocket::bind(if server.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" }).unwrap();
        socket.connect(server).unwrap();
        socket.set_read_timeout(Some(WAIT)).unwrap();
        Phone(socket)
    }

    pub(crate) fn ask(&self, bytes: &[u8]) -> Response {
        self.0.send(bytes).unwrap();
        let mut buffer = [0; 65_536];
        let length = receive(&self.0, &mut buffer);
        Response::check(Message::parse(Bytes::copy_from_slice(&buffer[..length])).unwrap()).unwrap()
    }

    pub(crate) fn options(&self) -> u16 {
        self.ask(self.request("OPTIONS", "alice", 1).as_bytes()).status().as_u16()
    }

    /// The next message, whatever it is.
    pub(crate) fn heard(&self) -> String {
        let mut buffer = [0; 65_536];
        let length = receive(&self.0, &mut buffer);
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    /// INVITE to a user: the first status.
    pub(crate) fn invite(&self, user: &str) -> u16 {
        let there = self.0.peer_addr().unwrap();
        let invite = self.request("INVITE", "alice", 1);
        let invite = invite.replacen(&format!("sip:{there}"), &format!("sip:{user}@{there}"), 1);
        self.ask(invite.as_bytes()).status().as_u16()
    }

    /// REGISTER without credentials: the answer.
    pub(crate) fn ask_register(&self, user: &str) -> Response {
        self.ask(self.request("REGISTER", user, 1).as_bytes())
    }

    /// REGISTER, the challenge, REGISTER with credentials: the last status.
    pub(crate) fn register(&self, user: &str, password: &str) -> u16 {
        let challenge = self.ask_register(user);
        if challenge.status().as_u16() != 401 {
            return challenge.status().as_u16();
        }
        let mut session =
            AuthSession::pick(&challenge, HeaderId::WwwAuthenticate, None, &mut Random::from_seed([1; 32])).unwrap();
        let ha1 = session.ha1(user, &Password::new(password));
        let request = Message::parse(Bytes::from(self.request("REGISTER", user, 2))).unwrap();
        let request = Request::check(request).unwrap();
        let value = session.answer(user, &ha1, &request).unwrap();
        let request = Edit::new(&request).append(HeaderId::Authorization, value.as_bytes()).finish().unwrap();
        self.ask(request.as_bytes()).status().as_u16()
    }

    fn request(&self, method: &str, user: &str, cseq: u32) -> String {
        let (here, there) = (self.0.local_addr().unwrap(), self.0.peer_addr().unwrap());
        let branch = format!("z9hG4bK{user}{cseq}{}", here.port());
        format!(
            "{method} sip:{there} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch={branch}\r\nMax-Forwards: 70\r\n\
             From: <sip:{user}@{there}>;tag=1\r\nTo: <sip:{user}@{there}>\r\nCall-ID: {user}@{here}\r\nCSeq: {cseq} {method}\r\n\
             Contact: <sip:{user}@{here}>\r\n\r\n"
        )
    }
}

/// A signal, such as that of a child that ended, interrupts a system call with a time limit.
fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> usize {
    loop {
        match socket.recv(buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            result => return result.expect("a message"),
        }
    }
}

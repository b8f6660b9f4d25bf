//! Shards at work, over loopback and on ports that the kernel chooses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ringback_auth::{Algorithm, AuthSession, Ha1Set, Password};
use ringback_base::{Now, Random};
use ringback_location::Aor;
use ringback_location_db::{LocationDb, Options};
use ringback_message::{Edit, HeaderId, Message, Request, Response};
use ringback_stack::{Account, Config};
use ringback_tokio::{Accounts, Backends, Bound, Drained, ListenOn, Running};
use tempfile::TempDir;

const WAIT: Duration = Duration::from_secs(10);

/// Alice, whose password is "wonderland".
struct Alice;

impl Accounts for Alice {
    fn find(&self, user: &str) -> Option<Account> {
        (user == "alice").then(|| Account { ha1s: Ha1Set::of("alice", "localhost", &Password::new("wonderland")) })
    }
}

struct Server {
    running: Running,
    address: SocketAddr,
    location: LocationDb,
    folder: TempDir,
}

impl Server {
    fn start(shards: u16) -> Server {
        Server::start_with(shards, |_| {})
    }

    fn start_with(shards: u16, change: impl FnOnce(&mut Config)) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let location =
            LocationDb::open(&folder.path().join("location.redb"), Options::default(), Now::default()).unwrap();
        let listen = ListenOn { address: "127.0.0.1:0".parse().unwrap(), if_available: false };
        let bound = Bound::open(&[listen], shards).unwrap();
        let address = bound.listeners()[0].address;
        let mut config = Config::new("localhost", bound.listeners());
        config.algorithms = vec![Algorithm::Md5];
        change(&mut config);
        let backends = Backends { location: location.clone(), accounts: Arc::new(Alice) };
        let running = bound.start(&config, &backends).unwrap();
        Server { running, address, location, folder }
    }

    /// With a call that rings and is not answered: its caller and its callee.
    fn ringing(shards: u16) -> (Server, Phone, Phone) {
        let server = Server::start_with(shards, |config| config.open = true);
        let (caller, callee) = (Phone::new(server.address), Phone::new(server.address));
        let contact = format!("Contact: <sip:alice@{}>\r\n", callee.0.local_addr().unwrap());
        callee.send(callee.request("REGISTER", "r1", 1, &contact));
        assert_eq!(callee.receive().status().as_u16(), 200);
        let invite = caller.request("INVITE", "c1", 1, "");
        caller.send(invite.replacen("sip:localhost", "sip:alice@localhost", 1));
        assert_eq!(caller.receive().status().as_u16(), 100);
        (server, caller, callee)
    }

    fn drain(self, bound: Duration) -> Drained {
        let main = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        main.block_on(self.running.drain(bound)).unwrap()
    }
}

struct Phone(UdpSocket);

impl Phone {
    fn new(server: SocketAddr) -> Phone {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(server).unwrap();
        socket.set_read_timeout(Some(WAIT)).unwrap();
        Phone(socket)
    }

    fn request(&self, method: &str, call_id: &str, cseq: u32, more: &str) -> String {
        let local = self.0.local_addr().unwrap();
        format!(
            "{method} sip:localhost SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bK{call_id}{cseq}\r\nMax-Forwards: 70\r\n\
             From: <sip:alice@localhost>;tag=1\r\nTo: <sip:alice@localhost>\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\n{more}\r\n"
        )
    }

    fn send(&self, bytes: impl AsRef<[u8]>) {
        self.0.send(bytes.as_ref()).unwrap();
    }

    fn receive(&self) -> Response {
        let mut buffer = [0; 65_536];
        let length = self.0.recv(&mut buffer).expect("an answer");
        Response::check(Message::parse(Bytes::copy_from_slice(&buffer[..length])).unwrap()).unwrap()
    }

    /// Answers the challenge.
    fn authorize(&self, request: &str, challenge: &Response, password: &str) -> Bytes {
        let mut random = Random::from_seed([1; 32]);
        let mut session = AuthSession::pick(challenge, HeaderId::WwwAuthenticate, None, &mut random).unwrap();
        let ha1 = session.ha1("alice", &Password::new(password));
        let request = Request::check(Message::parse(Bytes::copy_from_slice(request.as_bytes())).unwrap()).unwrap();
        let value = session.answer("alice", &ha1, &request).unwrap();
        Edit::new(&request).append(HeaderId::Authorization, value.as_bytes()).finish().unwrap().as_bytes().clone()
    }
}

#[test]
fn each_call_id_is_served_whichever_shard_reads_it() {
    let server = Server::start(4);
    // One socket, so that the kernel gives all of them to one shard; 100 Call-IDs, so that they belong to all.
    let phone = Phone::new(server.address);
    for n in 0..100 {
        phone.send(phone.request("OPTIONS", &format!("call-{n}"), 1, ""));
        let response = phone.receive();
        assert_eq!((response.status().as_u16(), response.call_id()), (200, format!("call-{n}").as_bytes()));
    }
    let counters = server.drain(Duration::ZERO).counters;
    assert_eq!((counters.received, counters.sent), (100, 100));
    assert!((50..100).contains(&counters.handed_over), "{counters:?}");
    assert_eq!((counters.handed_over_dropped, counters.receive_errors, counters.send_errors), (0, 0, 0));
}

#[test]
fn a_registration_is_durable_when_it_is_answered() {
    let server = Server::start(2);
    let phone = Phone::new(server.address);
    let contact = format!("Contact: <sip:alice@{}>\r\n", phone.0.local_addr().unwrap());
    phone.send(phone.request("REGISTER", "c1", 1, &contact));
    let challenge = phone.receive();
    assert_eq!(challenge.status().as_u16(), 401);
    let again = phone.request("REGISTER", "c1", 2, &contact);
    phone.send(phone.authorize(&again, &challenge, "wonderland"));
    assert_eq!(phone.receive().status().as_u16(), 200);
    // Taken before anything is closed or flushed.
    let copy = server.folder.path().join("copy.redb");
    assert_eq!(server.location.backup_to(&copy).unwrap(), 1);
    let copy = LocationDb::open(&copy, Options::default(), Now::default()).unwrap();
    assert_eq!(copy.load(&Aor::new(b"alice", "localhost").unwrap()).0.len(), 1);

    let wrong = phone.request("REGISTER", "c1", 3, &contact);
    phone.send(phone.authorize(&wrong, &challenge, "guessed"));
    assert!(matches!(phone.receive().status().as_u16(), 401 | 403));
    server.drain(Duration::ZERO);
}

#[test]
fn noise_ends_nothing() {
    let server = Server::start(2);
    let phone = Phone::new(server.address);
    let mut random = Random::from_seed([2; 32]);
    let mut noise = vec![0; 60_000];
    for _ in 0..200 {
        random.fill(&mut noise);
        let length = usize::try_from(random.below(60_000)).unwrap();
        phone.send(&noise[..length]);
        phone.send(b"");
        phone.send(b"\r\n\r\n");
    }
    phone.0.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let answered = (0..20).any(|n| {
        phone.send(phone.request("OPTIONS", &format!("after-{n}"), 1, ""));
        let mut buffer = [0; 2_000];
        phone.0.recv(&mut buffer).is_ok_and(|length| buffer[..length].starts_with(b"SIP/2.0 200"))
    });
    assert!(answered);
    server.drain(Duration::ZERO);
}

#[test]
fn an_idle_server_drains_at_once_and_a_busy_one_within_the_bound() {
    let begun = Instant::now();
    assert!(Server::start(2).drain(WAIT).was_idle);
    assert!(begun.elapsed() < WAIT);

    let (server, _caller, _callee) = Server::ringing(2);
    let begun = Instant::now();
    let drained = server.drain(Duration::from_millis(300));
    assert!(!drained.was_idle && begun.elapsed() >= Duration::from_millis(300));
}

#[test]
fn while_draining_new_requests_are_refused() {
    let (server, caller, _callee) = Server::ringing(1);
    let phone = Phone::new(server.address);
    let draining = std::thread::spawn(move || server.drain(Duration::from_secs(3)));
    let refused = (0..100).any(|n| {
        std::thread::sleep(Duration::from_millis(20));
        phone.send(phone.request("OPTIONS", &format!("new-{n}"), 1, ""));
        phone.receive().status().as_u16() == 503
    });
    assert!(refused);
    // Of what is open, retransmissions are answered as ever.
    caller.send(caller.request("INVITE", "c1", 1, "").replacen("sip:localhost", "sip:alice@localhost", 1));
    assert_eq!(caller.receive().status().as_u16(), 100);
    assert!(!draining.join().unwrap().was_idle);
}

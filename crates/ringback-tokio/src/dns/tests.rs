#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::net::UdpSocket;
use std::str::FromStr as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, CNAME, NAPTR, SOA, SRV};

use super::*;

/// A name server that counts its questions and answers as their first label says.
struct Server {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Server {
    fn start() -> Server {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (address, asked) = (socket.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&asked);
        thread::spawn(move || {
            let mut buffer = [0; 4_096];
            while let Ok((length, peer)) = socket.recv_from(&mut buffer) {
                count.fetch_add(1, Ordering::SeqCst);
                let question = Message::from_vec(&buffer[..length]).unwrap();
                if let Some(answer) = reply(&question) {
                    socket.send_to(&answer.to_vec().unwrap(), peer).unwrap();
                }
            }
        });
        Server { address, asked }
    }

    fn client(&self, change: impl FnOnce(&mut DnsOptions)) -> DnsClient {
        let try_timeout = Duration::from_millis(100);
        let mut options = DnsOptions { servers: vec![self.address], try_timeout, ..DnsOptions::default() };
        change(&mut options);
        DnsClient::start(&options).unwrap()
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn reply(question: &Message) -> Option<Message> {
    let query = question.queries[0].clone();
    let name = query.name().clone();
    let mut answer = Message::response(question.id, OpCode::Query);
    answer.add_query(query.clone());
    let record = |name: &Name, data: RData| hickory_resolver::proto::rr::Record::from_rdata(name.clone(), 300, data);
    let other = Name::from_str("Host.example.").unwrap();
    match name.to_ascii().split('.').next().unwrap() {
        "drop" => return None,
        "servfail" => answer.metadata.response_code = ResponseCode::ServFail,
        "refused" => answer.metadata.response_code = ResponseCode::Refused,
        "nobody" => {
            answer.metadata.response_code = ResponseCode::NXDomain;
            let soa = SOA::new(other.clone(), other.clone(), 1, 300, 300, 300, 300);
            answer.add_authorities([record(&Name::from_str("example.").unwrap(), RData::SOA(soa))]);
        }
        "alias" => {
            answer.add_answers([record(&name, RData::CNAME(CNAME(other.clone())))]);
            answer.add_answers([record(&other, RData::A(A::new(192, 0, 2, 2)))]);
        }
        "_sip" => {
            answer.add_answers([record(&name, RData::SRV(SRV::new(10, 60, 5070, other)))]);
            answer.add_answers([record(&name, RData::SRV(SRV::new(20, 0, 0, Name::root())))]);
        }
        "naptr" => {
            let services = b"SIP+D2U".to_vec().into_boxed_slice();
            let target = Name::from_str("_sip._udp.example.").unwrap();
            let naptr = NAPTR::new(1, 2, (*b"s").into(), services, Box::default(), target);
            answer.add_answers([record(&name, RData::NAPTR(naptr))]);
        }
        _ => _ = answer.add_answers([record(&name, RData::A(A::new(192, 0, 2, 1)))]),
    }
    Some(answer)
}

fn ask(client: &DnsClient, name: &str, kind: RecordKind) -> DnsAnswer {
    let (told, answer) = mpsc::channel();
    let deadline = Instant::now() + Duration::from_secs(10);
    let then = move |answer| told.send(answer).unwrap();
    assert!(client.ask(Question { name: name.into(), kind }, deadline, then));
    answer.recv_timeout(Duration::from_secs(20)).unwrap()
}

fn said(answer: DnsAnswer) -> Vec<String> {
    let DnsAnswer::Records(records) = answer else { panic!("{answer:?}") };
    records.iter().map(|record| format!("{} {}", record.name, record.data)).collect()
}

#[test]
fn records_of_each_kind() {
    let server = Server::start();
    let client = server.client(|_| {});
    assert_eq!(said(ask(&client, "host.example", RecordKind::A)), ["host.example A 192.0.2.1"]);
    let alias = said(ask(&client, "alias.example", RecordKind::A));
    assert_eq!(alias, ["alias.example CNAME host.example", "host.example A 192.0.2.2"]);
    let mut srv = said(ask(&client, "_sip._udp.example", RecordKind::Srv));
    srv.sort();
    assert_eq!(srv, ["_sip._udp.example SRV 10 60 5070 host.example", "_sip._udp.example SRV 20 0 0 ."]);
    let naptr = said(ask(&client, "naptr.example", RecordKind::Naptr));
    assert_eq!(naptr, ["naptr.example NAPTR 1 2 \"s\" \"SIP+D2U\" \"\" _sip._udp.example"]);
}

#[test]
fn servers_that_refuse_or_say_nothing() {
    let server = Server::start();
    let client = server.client(|_| {});
    assert_eq!(ask(&client, "nobody.example", RecordKind::A), DnsAnswer::Nothing);
    for name in ["servfail.example", "refused.example"] {
        assert_eq!(ask(&client, name, RecordKind::A), DnsAnswer::Failed, "{name}");
    }
    let start = Instant::now();
    let silent = ask(&client, "drop.example", RecordKind::A);
    assert!(matches!(silent, DnsAnswer::TimedOut | DnsAnswer::Failed), "{silent:?}");
    assert!(start.elapsed() < Duration::from_secs(5), "two tries of 100 ms, by UDP and TCP: {:?}", start.elapsed());
}

#[test]
fn the_deadline_of_who_asks_counts() {
    let server = Server::start();
    let client = server.client(|options| options.try_timeout = Duration::from_secs(60));
    let (told, answer) = mpsc::channel();
    let question = Question { name: "drop.example".into(), kind: RecordKind::A };
    assert!(client.ask(question, Instant::now() + Duration::from_millis(50), move |answer| told.send(answer).unwrap()));
    assert_eq!(answer.recv_timeout(Duration::from_secs(20)).unwrap(), DnsAnswer::TimedOut);
}

#[test]
fn answers_are_kept_those_of_nothing_too() {
    let server = Server::start();
    let client = server.client(|_| {});
    for name in ["host.example", "nobody.example"] {
        let before = server.asked();
        let first = ask(&client, name, RecordKind::A);
        let second = ask(&client, name, RecordKind::A);
        assert_eq!((std::mem::discriminant(&first), server.asked()), (std::mem::discriminant(&second), before + 1));
    }
    let forgetful = server.client(|options| {
        (options.ttl_bound, options.negative_ttl_bound) = (Duration::ZERO, Duration::ZERO);
    });
    for name in ["host.example", "nobody.example"] {
        let before = server.asked();
        ask(&forgetful, name, RecordKind::A);
        ask(&forgetful, name, RecordKind::A);
        assert_eq!(server.asked(), before + 2, "{name}");
    }
}

#[test]
fn questions_beyond_the_limit_are_refused() {
    let server = Server::start();
    let client = server.client(|options| options.try_timeout = Duration::from_secs(60));
    let deadline = Instant::now() + Duration::from_millis(500);
    let question = |n: usize| Question { name: format!("drop.{n}.example").into(), kind: RecordKind::A };
    for n in 0..RESOLVES_MAX {
        assert!(client.ask(question(n), deadline, |_| {}), "{n}");
    }
    assert!(!client.ask(question(RESOLVES_MAX), deadline, |_| {}));
}

#[test]
fn names_that_no_server_can_know() {
    let server = Server::start();
    let client = server.client(|_| {});
    let long = "a".repeat(64);
    for name in [&*long, &[&*long; 5].join("."), "a..b"] {
        assert_eq!(ask(&client, name, RecordKind::A), DnsAnswer::Nothing, "{name}");
    }
    assert_eq!(server.asked(), 0);
}

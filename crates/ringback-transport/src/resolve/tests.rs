#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use proptest::prelude::*;
use ringback_base::{Micros, Random, Transport};
use ringback_message::{HeaderId, Uri, Via};

use super::*;

/// A zone in the words of a zone file: a name, a kind, its data. Whoever isn't in it has no records.
struct Zone {
    records: Vec<Record>,
    asked: Vec<String>,
}

impl Zone {
    fn new(lines: &[&str]) -> Zone {
        Zone { records: lines.iter().map(|line| record(line)).collect(), asked: Vec::new() }
    }

    fn answer(&mut self, question: &Question) -> DnsAnswer {
        self.asked.push(format!("{} {}", question.kind, question.name));
        match question.name.split('.').next() {
            Some("servfail") => return DnsAnswer::Failed,
            Some("drop") => return DnsAnswer::TimedOut,
            _ => {}
        }
        let of_name = |record: &&Record| record.name == question.name;
        let is_asked = |record: &&Record| match &record.data {
            RecordData::Cname(_) => true,
            data => data.to_string().starts_with(&format!("{} ", question.kind)),
        };
        let records: Vec<Record> = self.records.iter().filter(of_name).filter(is_asked).cloned().collect();
        if records.is_empty() { DnsAnswer::Nothing } else { DnsAnswer::Records(records) }
    }

    fn walk(&mut self, aim: Aim, preferences: Preferences) -> Walk {
        let mut walk = Walk::traced(aim, Arc::new(preferences), Random::from_seed([7; 32]));
        while let Some((id, question)) = walk.poll_question() {
            let answer = self.answer(&question);
            walk.handle_answer(id, answer);
        }
        walk
    }
}

fn record(line: &str) -> Record {
    let mut words = line.split_whitespace();
    let mut word = || words.next().unwrap_or_default();
    let name = word().into();
    let data = match word() {
        "A" => RecordData::A(word().parse().unwrap()),
        "AAAA" => RecordData::Aaaa(word().parse().unwrap()),
        "CNAME" => RecordData::Cname(word().into()),
        "SRV" => RecordData::Srv(Srv {
            priority: word().parse().unwrap(),
            weight: word().parse().unwrap(),
            port: word().parse().unwrap(),
            target: word().into(),
        }),
        "NAPTR" => RecordData::Naptr(Naptr {
            order: word().parse().unwrap(),
            preference: word().parse().unwrap(),
            flags: word().into(),
            services: word().into(),
            regexp: word().trim_matches('-').into(),
            replacement: word().into(),
        }),
        other => panic!("{other}"),
    };
    Record { name, ttl_secs: 60, data }
}

fn aim(uri: &str) -> Aim {
    aim_with_maddr(uri, false).unwrap()
}

fn aim_with_maddr(uri: &str, with_maddr: bool) -> Result<Aim, AimError> {
    let Ok(Uri::Sip(uri)) = Uri::parse(uri.as_bytes(), HeaderId::Other, 0) else { panic!("{uri}") };
    Aim::of_uri(&uri, with_maddr)
}

fn all() -> Preferences {
    let transports = [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss];
    Preferences::new(transports.to_vec(), Vec::from([Family::V4, Family::V6]))
}

fn udp_and_tcp() -> Preferences {
    Preferences::new(Vec::from([Transport::Udp, Transport::Tcp]), Vec::from([Family::V4]))
}

/// The targets as text, and what was asked for them.
fn found(uri: &str, preferences: Preferences, zone: &[&str]) -> (Vec<String>, Vec<String>) {
    let mut zone = Zone::new(zone);
    let walk = zone.walk(aim(uri), preferences);
    (text(&walk), zone.asked)
}

fn text(walk: &Walk) -> Vec<String> {
    match walk.result().expect("it has ended") {
        Ok(targets) => targets.iter().map(|t| format!("{} {}", t.transport, t.address)).collect(),
        Err(error) => Vec::from([format!("{error:?}")]),
    }
}

fn targets(uri: &str, preferences: Preferences, zone: &[&str]) -> Vec<String> {
    found(uri, preferences, zone).0
}

/// The records of the example.
const EXAMPLE: &[&str] = &[
    "example.com NAPTR 50 50 s SIPS+D2T - _sips._tcp.example.com.",
    "example.com NAPTR 90 50 s SIP+D2T - _sip._tcp.example.com",
    "example.com NAPTR 100 50 s SIP+D2U - _sip._udp.example.com.",
    "_sip._tcp.example.com SRV 0 1 5060 server1.example.com",
    "_sip._tcp.example.com SRV 0 2 5060 server2.example.com",
    "_sips._tcp.example.com SRV 0 0 5061 server1.example.com",
    "_sip._udp.example.com SRV 10 0 5070 server2.example.com",
    "_sip._udp.example.com SRV 5 0 5060 server1.example.com",
    "server1.example.com A 192.0.2.1",
    "server2.example.com A 192.0.2.2",
    "server2.example.com AAAA 2001:db8::2",
    "example.com A 192.0.2.99",
];

/// The example's client has TCP and UDP: of the three services it takes TCP first. `[RFC 3263, Section 4.1]`
#[test]
fn naptr_decides_the_transport() {
    let (targets, asked) = found("sip:user@example.com", udp_and_tcp(), EXAMPLE);
    let mut tcp = targets[..2].to_vec();
    tcp.sort();
    assert_eq!(tcp, ["TCP 192.0.2.1:5060", "TCP 192.0.2.2:5060"]);
    assert_eq!(targets[2..], ["UDP 192.0.2.1:5060", "UDP 192.0.2.2:5070"]);
    assert_eq!(asked[..3], ["NAPTR example.com", "SRV _sip._tcp.example.com", "SRV _sip._udp.example.com"]);
    assert_eq!(asked.len(), 5, "each host is looked up once");
}

#[test]
fn sips_goes_by_tls_alone() {
    assert_eq!(targets("sips:user@example.com", all(), EXAMPLE), ["TLS 192.0.2.1:5061"]);
    assert_eq!(targets("sips:user@example.com", udp_and_tcp(), EXAMPLE), ["Transport"]);
    assert_eq!(targets("sips:192.0.2.1;transport=tcp", all(), &[]), ["TLS 192.0.2.1:5061"]);
    assert_eq!(targets("sips:192.0.2.1;transport=ws", all(), &[]), ["WSS 192.0.2.1:443"]);
    assert_eq!(aim_with_maddr("sips:example.com;transport=udp", false), Err(AimError::NotSecure));
    assert_eq!(aim_with_maddr("sip:example.com;transport=sctp", false), Err(AimError::UnknownTransport));
    let (_, asked) = found("sips:other.example", all(), &[]);
    let srv: Vec<_> = asked.iter().filter(|asked| asked.starts_with("SRV")).collect();
    assert_eq!(srv, ["SRV _sips._tcp.other.example", "SRV _sips._ws.other.example"]);
}

/// `[RFC 3263, Section 4.2]`
#[test]
fn an_address_needs_no_question() {
    for (uri, target) in [
        ("sip:192.0.2.1", "UDP 192.0.2.1:5060"),
        ("sip:192.0.2.1:7", "UDP 192.0.2.1:7"),
        ("sip:[2001:db8::1]", "UDP [2001:db8::1]:5060"),
        ("sips:192.0.2.1", "TLS 192.0.2.1:5061"),
        ("sip:192.0.2.1;transport=tls", "TLS 192.0.2.1:5061"),
        ("sip:192.0.2.1;transport=ws", "WS 192.0.2.1:80"),
    ] {
        assert_eq!(found(uri, all(), EXAMPLE), (Vec::from([target.to_string()]), Vec::new()), "{uri}");
    }
    assert_eq!(targets("sip:[2001:db8::1]", udp_and_tcp(), &[]), ["Family"]);
    assert_eq!(targets("sip:192.0.2.1;transport=tls", udp_and_tcp(), &[]), ["Transport"]);
}

/// `[RFC 3263, Section 4.1]`
#[test]
fn a_port_or_a_transport_spares_questions() {
    let (targets, asked) = found("sip:server2.example.com:5080", all(), EXAMPLE);
    assert_eq!(targets, ["UDP 192.0.2.2:5080", "UDP [2001:db8::2]:5080"]);
    assert_eq!(asked, ["A server2.example.com", "AAAA server2.example.com"]);
    let (targets, asked) = found("sip:example.com;transport=udp", udp_and_tcp(), EXAMPLE);
    assert_eq!(targets, ["UDP 192.0.2.1:5060", "UDP 192.0.2.2:5070"]);
    assert_eq!(asked[0], "SRV _sip._udp.example.com");
}

#[test]
fn without_naptr_each_transport_is_asked_for() {
    let zone = ["_sip._tcp.b.example SRV 0 0 5060 h.b.example", "h.b.example A 192.0.2.3", "b.example A 192.0.2.4"];
    let (targets, asked) = found("sip:b.example", udp_and_tcp(), &zone);
    assert_eq!(targets, ["TCP 192.0.2.3:5060"]);
    assert_eq!(asked[1..3], ["SRV _sip._udp.b.example", "SRV _sip._tcp.b.example"]);
}

#[test]
fn without_srv_the_name_itself_is_the_host() {
    assert_eq!(targets("sip:b.example", udp_and_tcp(), &["b.example A 192.0.2.4"]), ["UDP 192.0.2.4:5060"]);
    assert_eq!(targets("sips:b.example", all(), &["b.example A 192.0.2.4"]), ["TLS 192.0.2.4:5061"]);
    assert_eq!(targets("sip:b.example", all(), &[]), ["Nothing"]);
    let tcp_only = Preferences { transports: Vec::from([Transport::Tcp]), ..udp_and_tcp() };
    assert_eq!(targets("sip:b.example", tcp_only, &["b.example A 192.0.2.4"]), ["TCP 192.0.2.4:5060"]);
    // NAPTR has decided for TCP though its SRV records are missing.
    let zone = ["b.example NAPTR 1 1 s SIP+D2T - _sip._tcp.nowhere", "b.example A 192.0.2.4"];
    assert_eq!(targets("sip:b.example", udp_and_tcp(), &zone), ["TCP 192.0.2.4:5060"]);
}

/// A user agent can open WebSockets: it asks nobody for them who says nothing of them. `[RFC 7118, Section 5.5]`
#[test]
fn a_transport_on_request_is_taken_where_it_is_named() {
    let preferences = || Preferences { on_request: Vec::from([Transport::Wss, Transport::Ws]), ..udp_and_tcp() };
    let (targets_found, asked) = found("sip:ws.example", preferences(), &["ws.example A 192.0.2.1"]);
    assert_eq!(targets_found, ["UDP 192.0.2.1:5060"]);
    assert!(!asked.iter().any(|asked| asked.contains("._ws.")), "{asked:?}");
    let zone = [
        "ws.example NAPTR 10 50 s SIPS+D2W - _sips._ws.ws.example.",
        "ws.example NAPTR 20 50 s SIP+D2T - _sip._tcp.ws.example.",
        "_sips._ws.ws.example SRV 0 0 8443 edge.example",
        "_sip._tcp.ws.example SRV 0 0 5060 edge.example",
        "edge.example A 192.0.2.7",
        "ws.example A 192.0.2.1",
    ];
    assert_eq!(targets("sip:ws.example", preferences(), &zone), ["WSS 192.0.2.7:8443", "TCP 192.0.2.7:5060"]);
    assert_eq!(targets("sip:ws.example", udp_and_tcp(), &zone), ["TCP 192.0.2.7:5060"]);
    for (uri, target) in [
        ("sip:ws.example;transport=ws", "WS 192.0.2.1:80"),
        ("sips:ws.example:444;transport=ws", "WSS 192.0.2.1:444"),
        ("sip:ws.example:444;transport=wss", "WSS 192.0.2.1:444"),
        ("sips:ws.example;transport=ws", "WSS 192.0.2.7:8443"),
        ("sips:192.0.2.9;transport=ws", "WSS 192.0.2.9:443"),
    ] {
        assert_eq!(targets(uri, preferences(), &zone), [target], "{uri}");
    }
}

#[test]
fn naptr_of_other_kinds_is_passed_over() {
    let zone = [
        "b.example NAPTR 10 10 u E2U+sip !^.*$!sip:info@b.example! .",
        "b.example NAPTR 11 10 s SIP+D2S - _sip._sctp.b.example",
        "b.example NAPTR 20 20 s SIP+D2U - _sip._udp.c.example",
        "b.example NAPTR 20 10 S sip+d2t - _sip._tcp.c.example",
        "_sip._udp.c.example SRV 0 0 5071 h.c.example",
        "_sip._tcp.c.example SRV 0 0 5072 h.c.example",
        "h.c.example A 192.0.2.5",
    ];
    assert_eq!(targets("sip:b.example", udp_and_tcp(), &zone), ["TCP 192.0.2.5:5072", "UDP 192.0.2.5:5071"]);
}

#[test]
fn websocket_services() {
    let zone = [
        "b.example NAPTR 10 10 s SIPS+D2W - _sips._ws.b.example",
        "b.example NAPTR 20 10 s SIP+D2W - _sip._ws.b.example",
        "_sips._ws.b.example SRV 0 0 443 h.b.example",
        "_sip._ws.b.example SRV 0 0 80 h.b.example",
        "h.b.example A 192.0.2.5",
    ];
    assert_eq!(targets("sip:b.example", all(), &zone), ["WSS 192.0.2.5:443", "WS 192.0.2.5:80"]);
    assert_eq!(targets("sip:k7fe.invalid;transport=ws", all(), &zone), ["Invalid"]);
}

/// Priorities strictly, weights by share; one without a weight is tried too. `[RFC 2782]`
#[test]
fn weights_are_shares() {
    let lines = ["x SRV 10 60 1 a", "x SRV 10 30 1 b", "x SRV 10 0 1 c", "x SRV 20 0 1 d"];
    let records = || -> Vec<Srv> {
        let srv = |line: &&str| match record(line).data {
            RecordData::Srv(srv) => srv,
            _ => panic!(),
        };
        lines.iter().map(srv).collect()
    };
    let mut random = Random::from_seed([1; 32]);
    let mut firsts = BTreeMap::<Box<str>, u32>::new();
    for _ in 0..10_000 {
        let ordered = super::order::by_weight(records(), &mut random);
        assert_eq!((ordered.len(), &*ordered[3].target), (4, "d"));
        *firsts.entry(ordered[0].target.clone()).or_default() += 1;
    }
    assert!((6_200..7_000).contains(&firsts["a"]), "60 of 91: {firsts:?}");
    assert!((3_000..3_600).contains(&firsts["b"]), "30 of 91: {firsts:?}");
    assert!((50..200).contains(&firsts["c"]), "1 of 91: {firsts:?}");
}

/// Addresses of different hosts are never mixed. `[RFC 7984, Section 4]`
#[test]
fn families_in_the_order_that_is_preferred() {
    let zone = [
        "_sip._udp.b.example SRV 10 1 5060 h1.b.example",
        "_sip._udp.b.example SRV 20 1 5060 h2.b.example",
        "h1.b.example A 192.0.2.1",
        "h1.b.example AAAA 2001:db8::1",
        "h2.b.example A 192.0.2.2",
        "h2.b.example AAAA 2001:db8::2",
    ];
    let six_first = Preferences { families: Vec::from([Family::V6, Family::V4]), ..udp_and_tcp() };
    assert_eq!(
        targets("sip:b.example;transport=udp", six_first, &zone),
        ["UDP [2001:db8::1]:5060", "UDP 192.0.2.1:5060", "UDP [2001:db8::2]:5060", "UDP 192.0.2.2:5060"]
    );
    let four_only = targets("sip:b.example;transport=udp", udp_and_tcp(), &zone);
    assert_eq!(four_only, ["UDP 192.0.2.1:5060", "UDP 192.0.2.2:5060"]);
}

#[test]
fn maddr_counts_only_where_it_is_wanted() {
    let uri = "sip:example.com:5070;maddr=203.0.113.1";
    assert_eq!(aim(uri).name(), Some("example.com"));
    let aim = aim_with_maddr(uri, true).unwrap();
    assert_eq!(text(&Zone::new(&[]).walk(aim, udp_and_tcp())), ["UDP 203.0.113.1:5070"]);
}

#[test]
fn hosts_of_our_own_are_not_asked_for() {
    let mut preferences = udp_and_tcp();
    preferences.hosts.add("Example.COM.", "10.0.0.1".parse().unwrap());
    preferences.hosts.add("server2.example.com", "10.0.0.2".parse().unwrap());
    let (targets, asked) = found("sip:example.com", preferences.clone(), EXAMPLE);
    assert_eq!((targets, asked.len()), (Vec::from(["UDP 10.0.0.1:5060".to_string()]), 0));
    preferences.hosts = Hosts::default();
    preferences.hosts.add("server2.example.com", "10.0.0.2".parse().unwrap());
    let targets = self::targets("sip:example.com;transport=udp", preferences, EXAMPLE);
    assert_eq!(targets, ["UDP 192.0.2.1:5060", "UDP 10.0.0.2:5070"]);
}

/// What a stranger's name must not lead to.
#[test]
fn lying_records_count_for_nothing() {
    let zone = [
        "_sip._udp.b.example SRV 1 0 0 h.b.example",
        "_sip._udp.b.example SRV 2 0 5060 127.0.0.1",
        "_sip._udp.b.example SRV 3 0 5060 h.b.example",
        "h.b.example A 127.0.0.1",
        "h.b.example A 0.0.0.0",
        "h.b.example A 224.0.0.1",
        "h.b.example A 255.255.255.255",
        "h.b.example AAAA ::1",
        "h.b.example AAAA ::",
        "h.b.example AAAA ff02::1",
        "h.b.example AAAA ::ffff:127.0.0.1",
    ];
    assert_eq!(targets("sip:b.example", all(), &zone), ["Nothing"]);
    let inside = Preferences { loopback: true, ..all() };
    assert_eq!(targets("sip:b.example", inside.clone(), &zone), ["UDP 127.0.0.1:5060", "UDP [::1]:5060"]);
    assert_eq!(targets("sip:localhost", inside, &[]), ["UDP 127.0.0.1:5060", "UDP [::1]:5060"]);
    assert_eq!(targets("sip:localhost", all(), &[]), ["Nothing"]);
    // Records of somebody else in the answer.
    let mut walk = Walk::new(aim("sip:b.example:5060"), Arc::new(udp_and_tcp()), Random::from_seed([0; 32]));
    let (id, _) = walk.poll_question().unwrap();
    walk.handle_answer(id, DnsAnswer::Records(Vec::from([record("c.example A 192.0.2.1")])));
    assert_eq!(walk.result(), Some(Err(Unresolved::Nothing)));
}

#[test]
fn a_service_that_is_not_offered_has_no_second_way() {
    let zone = ["_sip._udp.b.example SRV 0 0 0 .", "b.example A 192.0.2.4"];
    assert_eq!(targets("sip:b.example;transport=udp", udp_and_tcp(), &zone), ["NotOffered"]);
    assert_eq!(targets("sip:b.example", udp_and_tcp(), &zone), ["NotOffered"]);
    let with_tcp = [&zone[..], &["_sip._tcp.b.example SRV 0 0 5060 b.example"]].concat();
    assert_eq!(targets("sip:b.example", udp_and_tcp(), &with_tcp), ["TCP 192.0.2.4:5060"]);
}

#[test]
fn aliases_are_followed_but_not_in_circles() {
    let zone = ["b.example CNAME c.example", "c.example CNAME d.example", "d.example A 192.0.2.4"];
    assert_eq!(targets("sip:b.example:5060", udp_and_tcp(), &zone), ["UDP 192.0.2.4:5060"]);
    let (targets, asked) = found("sip:b.example:5060", udp_and_tcp(), &["b.example CNAME b.example"]);
    assert_eq!((targets, asked.len()), (Vec::from(["Nothing".to_string()]), 1));
    let (targets, asked) =
        found("sip:b.example:5060", udp_and_tcp(), &["b.example CNAME c.example", "c.example CNAME b.example"]);
    assert_eq!(targets, ["Nothing"]);
    assert_eq!(asked.len(), CNAMES_MAX + 1);
}

#[test]
fn failures_count_as_nothing_where_there_is_another_way() {
    // Here NAPTR and SRV fail, and so does the address in the end.
    assert_eq!(targets("sip:servfail.b.example", udp_and_tcp(), &[]), ["Failed"]);
    assert_eq!(targets("sip:drop.b.example:5060", udp_and_tcp(), &[]), ["Failed"]);
    let zone = [
        "_sip._udp.b.example SRV 1 0 5060 drop.b.example",
        "_sip._udp.b.example SRV 2 0 5060 h.b.example",
        "h.b.example A 192.0.2.4",
    ];
    assert_eq!(targets("sip:b.example", udp_and_tcp(), &zone), ["UDP 192.0.2.4:5060"]);
}

#[test]
fn who_is_in_a_hurry_gets_what_is_known() {
    let mut zone = Zone::new(EXAMPLE);
    let aim = aim("sip:example.com;transport=udp");
    let mut walk = Walk::new(aim.clone(), Arc::new(udp_and_tcp()), Random::from_seed([0; 32]));
    let (id, question) = walk.poll_question().unwrap();
    walk.handle_answer(id, zone.answer(&question));
    let (id, question) = walk.poll_question().unwrap();
    walk.handle_answer(id, zone.answer(&question));
    assert!(walk.poll_question().is_some() && walk.result().is_none());
    walk.hurry();
    assert_eq!(text(&walk), ["UDP 192.0.2.1:5060"]);
    let mut walk = Walk::new(aim, Arc::new(udp_and_tcp()), Random::from_seed([0; 32]));
    walk.hurry();
    assert_eq!(walk.result(), Some(Err(Unresolved::Failed)));
}

/// `[RFC 3263, Section 5]`
#[test]
fn responses_by_sent_by() {
    let found = |via: &str| {
        let mut cursor = ringback_message::Cursor::new(HeaderId::Via, via.as_bytes(), 0);
        let aim = Aim::of_via(&Via::parse(&mut cursor).unwrap()).unwrap();
        let mut zone = Zone::new(EXAMPLE);
        let walk = zone.walk(aim, Preferences { families: Vec::from([Family::V4]), ..all() });
        (text(&walk), zone.asked)
    };
    assert_eq!(found("SIP/2.0/TCP 192.0.2.1").0, ["TCP 192.0.2.1:5060"]);
    assert_eq!(found("SIP/2.0/UDP server2.example.com:5099").0, ["UDP 192.0.2.2:5099"]);
    let (targets, asked) = found("SIP/2.0/TLS example.com");
    assert_eq!((&*targets[0], &*asked[0]), ("TLS 192.0.2.1:5061", "SRV _sips._tcp.example.com"));
    assert_eq!(found("SIP/2.0/UDP example.com").0, ["UDP 192.0.2.1:5060", "UDP 192.0.2.2:5070"]);
}

#[test]
fn a_certificate_is_for_the_name_that_was_meant() {
    let walk = Zone::new(EXAMPLE).walk(aim("sips:Example.com"), all());
    assert_eq!(&*walk.result().unwrap().unwrap()[0].identity, "example.com");
}

#[test]
fn the_walk_as_a_tree() {
    let zone = [
        "b.example NAPTR 10 10 s SIP+D2U - _sip._udp.b.example",
        "b.example NAPTR 20 10 s SIPS+D2T - _sips._tcp.b.example",
        "_sip._udp.b.example SRV 10 0 5060 h.b.example",
        "_sip._udp.b.example SRV 20 0 0 h.b.example",
        "h.b.example A 192.0.2.4",
    ];
    let walk = Zone::new(&zone).walk(aim("sip:b.example"), udp_and_tcp());
    let tree = "\
b.example
├─ NAPTR b.example
│      NAPTR 10 10 \"s\" \"SIP+D2U\" \"\" _sip._udp.b.example  ttl 60
│      NAPTR 20 10 \"s\" \"SIPS+D2T\" \"\" _sips._tcp.b.example  ttl 60  (ignored: a transport that we lack)
└─ SRV _sip._udp.b.example (by UDP)
   │   SRV 10 0 5060 h.b.example  ttl 60
   │   SRV 20 0 0 h.b.example  ttl 60  (ignored: nobody listens at port 0)
   └─ A h.b.example
          A 192.0.2.4  ttl 60
";
    assert_eq!(walk.trace().unwrap().to_string(), tree);
}

/// One more than a limit allows, and what is left.
#[test]
fn limits_cut_what_is_too_much() {
    let cut = |uri: &str, zone: Vec<String>| {
        let zone: Vec<&str> = zone.iter().map(String::as_str).collect();
        let mut zone = Zone::new(&zone);
        let walk = zone.walk(aim(uri), all());
        (text(&walk).len(), zone.asked.len(), walk.limits_reached() > 0)
    };
    let addresses = |name: &str, count: usize| (1..=count).map(|n| format!("{name} A 192.0.2.{n}")).collect::<Vec<_>>();
    assert_eq!(cut("sip:b.example:1", addresses("b.example", ADDRESSES_MAX)), (ADDRESSES_MAX, 2, false));
    assert_eq!(cut("sip:b.example:1", addresses("b.example", ADDRESSES_MAX + 1)), (ADDRESSES_MAX, 2, true));
    assert_eq!(cut("sip:b.example:1", addresses("b.example", ANSWER_RECORDS_MAX + 1)), (ADDRESSES_MAX, 2, true));

    let hosts = |count: usize, addresses_each: usize| -> Vec<String> {
        let srv = |n: usize| format!("_sip._udp.b.example SRV {n} 0 5060 h{n}.b.example");
        let of_host = |n: usize| (1..=addresses_each).map(move |a| format!("h{n}.b.example A 192.0.{n}.{a}"));
        (0..count).map(srv).chain((0..count).flat_map(of_host)).collect()
    };
    let uri = "sip:b.example;transport=udp";
    assert_eq!(cut(uri, hosts(HOSTS_MAX, 1)), (HOSTS_MAX, 1 + 2 * HOSTS_MAX, false));
    assert_eq!(cut(uri, hosts(HOSTS_MAX + 1, 1)), (HOSTS_MAX, 1 + 2 * HOSTS_MAX, true));
    assert_eq!(cut(uri, hosts(TARGETS_MAX / 4, 4)).0, TARGETS_MAX);
    assert_eq!(cut(uri, hosts(TARGETS_MAX / 4 + 1, 4)), (TARGETS_MAX, 3 + TARGETS_MAX / 2, true));

    let services = |count: usize| -> Vec<String> {
        let naptr = |n: usize| format!("b.example NAPTR {n} 0 s SIP+D2U - s{n}.b.example");
        (0..count).map(naptr).collect()
    };
    assert_eq!(cut("sip:b.example", services(SERVICES_MAX)), (1, 1 + SERVICES_MAX + 2, false));
    assert_eq!(cut("sip:b.example", services(SERVICES_MAX + 1)), (1, 1 + SERVICES_MAX + 2, true));

    // Each of many hosts is an alias without an end, which costs questions.
    let circles = |n: usize| format!("h{n}.b.example CNAME h{}.b.example", (n + 1) % HOSTS_MAX);
    let zone: Vec<String> = hosts(HOSTS_MAX, 0).into_iter().chain((0..HOSTS_MAX).map(circles)).collect();
    assert_eq!(cut(uri, zone), (1, QUESTIONS_MAX, true));
}

#[test]
fn failed_targets_come_last_for_a_while() {
    let located =
        |n: u8| Located { transport: Transport::Udp, address: ([192, 0, 2, n], 5060).into(), identity: "".into() };
    let order = |failed: &FailedTargets, now: u64| {
        let mut targets = [1, 2, 3].map(located);
        failed.put_last(&mut targets, Micros(now));
        targets.map(|target| match target.address.ip() {
            IpAddr::V4(ip) => ip.octets()[3],
            IpAddr::V6(_) => 0,
        })
    };
    let mut failed = FailedTargets::default();
    failed.failed(Transport::Udp, located(1).address, Micros(0), Micros(10));
    failed.failed(Transport::Tcp, located(2).address, Micros(0), Micros(10));
    assert_eq!((order(&failed, 9), order(&failed, 10)), ([2, 3, 1], [1, 2, 3]));
    failed.answered(Transport::Udp, located(1).address);
    assert_eq!(order(&failed, 9), [1, 2, 3]);
}

#[test]
fn failed_targets_are_bounded() {
    let mut failed = FailedTargets::default();
    let address = |n: usize| SocketAddr::from(([10, 0, 0, 1], u16::try_from(n).unwrap()));
    for n in 0..=FAILED_TARGETS_MAX {
        failed.failed(Transport::Udp, address(n), Micros(0), Micros(100 + u64::try_from(n).unwrap()));
    }
    assert_eq!(failed.len(), FAILED_TARGETS_MAX);
    assert!(!failed.is_failed(Transport::Udp, address(0), Micros(1)));
    // What is out of date makes room first.
    failed.failed(Transport::Tcp, address(1), Micros(5_000), Micros(6_000));
    assert_eq!(failed.len(), 1);
}

fn any_name() -> impl Strategy<Value = String> {
    let names =
        ["b.example", "c.example", "_sip._udp.b.example", "_sip._tcp.c.example", ".", "", "localhost", "127.0.0.1"];
    prop_oneof![proptest::sample::select(names.to_vec()).prop_map(String::from), "[a-d.]{0,6}"]
}

fn any_data() -> impl Strategy<Value = RecordData> {
    let services = proptest::sample::select(Vec::from(["SIP+D2U", "SIP+D2T", "SIPS+D2T", "SIP+D2W", "E2U", ""]));
    prop_oneof![
        any_name().prop_map(|name| RecordData::Cname(name.into())),
        (any::<u16>(), any::<u16>(), 0_u16..3, any_name()).prop_map(
            |(priority, weight, port, target)| RecordData::Srv(Srv { priority, weight, port, target: target.into() })
        ),
        (any::<u16>(), services, any_name()).prop_map(|(order, services, replacement)| RecordData::Naptr(Naptr {
            order,
            preference: 0,
            flags: "s".into(),
            services: services.into(),
            regexp: "".into(),
            replacement: replacement.into(),
        })),
        any::<[u8; 4]>().prop_map(|ip| RecordData::A(ip.into())),
        any::<[u8; 16]>().prop_map(|ip| RecordData::Aaaa(ip.into())),
    ]
}

/// An answer; records of the name that was asked carry an empty name here.
fn any_answer() -> impl Strategy<Value = DnsAnswer> {
    let owner = prop_oneof![4 => Just(String::new()), 1 => any_name()];
    let record = (owner, any_data()).prop_map(|(name, data)| Record { name: name.into(), ttl_secs: 1, data });
    prop_oneof![
        6 => proptest::collection::vec(record, 0..90).prop_map(DnsAnswer::Records),
        1 => Just(DnsAnswer::Nothing),
        1 => Just(DnsAnswer::Failed),
        1 => Just(DnsAnswer::TimedOut),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Whatever is answered, in whatever order: the walk ends, within its limits, and with no target that nobody can be at.
    #[test]
    fn every_walk_ends(
        answers in proptest::collection::vec(any_answer(), 1..20),
        last_first in any::<bool>(),
        uri in proptest::sample::select(Vec::from([
            "sip:b.example", "sips:b.example", "sip:b.example;transport=tcp", "sip:b.example:5070", "sip:localhost",
        ])),
    ) {
        let mut walk = Walk::traced(aim(uri), Arc::new(all()), Random::from_seed([3; 32]));
        let (mut open, mut asked) = (Vec::new(), 0_usize);
        loop {
            while let Some(question) = walk.poll_question() {
                asked += 1;
                open.push(question);
            }
            if open.is_empty() {
                break;
            }
            let (id, question) = open.remove(if last_first { open.len() - 1 } else { 0 });
            let mut answer = answers[asked % answers.len()].clone();
            if let DnsAnswer::Records(records) = &mut answer {
                let own = records.iter_mut().filter(|record| record.name.is_empty());
                own.for_each(|record| record.name = question.name.clone());
            }
            walk.handle_answer(id, answer);
        }
        prop_assert!(asked <= QUESTIONS_MAX);
        if let Ok(targets) = walk.result().expect("it has ended") {
            prop_assert!((1..=TARGETS_MAX).contains(&targets.len()));
            for target in targets {
                let ip = target.address.ip();
                prop_assert!(target.address.port() > 0 && !ip.is_loopback() && !ip.is_multicast() && !ip.is_unspecified());
                prop_assert!(!uri.starts_with("sips") || matches!(target.transport, Transport::Tls | Transport::Wss));
            }
        }
        prop_assert!(!walk.trace().unwrap().to_string().is_empty());
    }
}

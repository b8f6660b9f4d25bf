//! A walk through DNS: whatever is answered, it ends, within its limits, and with no target that nobody can be at.

use std::sync::Arc;

use ringback_base::{Random, Transport};
use ringback_message::{HeaderId, Uri};
use ringback_transport::resolve::{
    Aim, DnsAnswer, Family, Naptr, Preferences, QUESTIONS_MAX, Question, Record, RecordData, Srv, TARGETS_MAX, Walk,
};

const URIS: [&str; 6] = [
    "sip:b.example",
    "sips:b.example",
    "sip:b.example;transport=tcp",
    "sip:b.example:5070",
    "sip:localhost",
    "sip:c.example;transport=ws",
];

const NAMES: [&str; 8] =
    ["b.example", "c.example", "_sip._udp.b.example", "_sip._tcp.c.example", ".", "", "localhost", "127.0.0.1"];

const SERVICES: [&str; 7] = ["SIP+D2U", "sip+d2t", "SIPS+D2T", "SIP+D2W", "SIPS+D2W", "E2U+sip", ""];

/// The bytes, one after another, then zeros.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn number(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    fn one_of<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[usize::from(self.byte()) % texts.len()]
    }

    fn answer(&mut self, question: &Question) -> DnsAnswer {
        match self.byte() % 8 {
            0 => DnsAnswer::Nothing,
            1 => DnsAnswer::Failed,
            2 => DnsAnswer::TimedOut,
            _ => DnsAnswer::Records((0..self.byte() % 100).map(|_| self.record(question)).collect()),
        }
    }

    fn record(&mut self, question: &Question) -> Record {
        let name = if self.byte() < 200 { question.name.clone() } else { self.one_of(&NAMES).into() };
        let data = match self.byte() % 5 {
            0 => RecordData::Cname(self.one_of(&NAMES).into()),
            1 => RecordData::A([self.byte(), self.byte(), self.byte(), self.byte()].into()),
            2 => RecordData::Aaaa([0, 0, 0, 0, 0, self.number(), self.number(), self.number()].into()),
            3 => RecordData::Srv(Srv {
                priority: self.number(),
                weight: self.number(),
                port: self.number(),
                target: self.one_of(&NAMES).into(),
            }),
            _ => RecordData::Naptr(Naptr {
                order: self.number(),
                preference: self.number(),
                flags: self.one_of(&["s", "S", "u", ""]).into(),
                services: self.one_of(&SERVICES).into(),
                regexp: "".into(),
                replacement: self.one_of(&NAMES).into(),
            }),
        };
        Record { name, ttl_secs: 1, data }
    }
}

pub(crate) fn check(data: &[u8]) {
    let mut bytes = Bytes(data);
    let text = bytes.one_of(&URIS);
    let Ok(Uri::Sip(uri)) = Uri::parse(text.as_bytes(), HeaderId::Contact, 0) else { panic!("{text}") };
    let aim = Aim::of_uri(&uri, false).unwrap_or_else(|error| panic!("{text}: {error}"));
    let transports = vec![Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws];
    let preferences = Arc::new(Preferences::new(transports, vec![Family::V6, Family::V4]));
    let mut walk = Walk::traced(aim, preferences, Random::from_seed([bytes.byte(); 32]));
    let (mut open, mut asked) = (Vec::new(), 0);
    loop {
        while let Some(question) = walk.poll_question() {
            asked += 1;
            open.push(question);
        }
        if open.is_empty() {
            break;
        }
        if bytes.byte() == 255 {
            walk.hurry();
            break;
        }
        let (id, question) = open.swap_remove(usize::from(bytes.byte()) % open.len());
        walk.handle_answer(id, bytes.answer(&question));
    }
    assert!(asked <= QUESTIONS_MAX, "{asked} questions");
    let trace = walk.trace().map(ToString::to_string).unwrap_or_default();
    let Some(result) = walk.result() else { panic!("no end: {trace}") };
    let Ok(targets) = result else { return };
    assert!(!targets.is_empty() && targets.len() <= TARGETS_MAX, "{trace}");
    for target in targets {
        let ip = target.address.ip();
        assert!(
            !ip.is_loopback() && !ip.is_multicast() && !ip.is_unspecified() && target.address.port() > 0,
            "{trace}"
        );
        assert!(!text.starts_with("sips") || target.transport == Transport::Tls, "{trace}");
    }
}

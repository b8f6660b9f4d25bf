//! The records that a resolver knows.

use std::net::{IpAddr, Ipv4Addr};

use ringback_base::Random;
use ringback_transport::resolve::{DnsAnswer, Question, Record, RecordData, RecordKind, Srv};

/// How long every record may be kept: nobody in a simulation keeps one.
const TTL_SECS: u32 = 60;

/// The records of some names. The delays, failures and silences of a resolver are those of
/// [`Surroundings`](crate::surroundings::Surroundings).
#[derive(Clone, Debug, Default)]
pub struct Zone {
    records: Vec<Record>,
}

impl Zone {
    /// A record of a name, in lower case.
    pub fn add(&mut self, name: &str, data: RecordData) {
        self.records.push(Record { name: name.into(), ttl_secs: TTL_SECS, data });
    }

    /// An address of a host.
    pub fn add_host(&mut self, name: &str, address: IpAddr) {
        self.add(
            name,
            match address {
                IpAddr::V4(ip) => RecordData::A(ip),
                IpAddr::V6(ip) => RecordData::Aaaa(ip),
            },
        );
    }

    /// A host that offers a service, such as `_sip._udp.example.com`.
    pub fn add_service(&mut self, name: &str, priority: u16, target: &str, port: u16) {
        self.add(name, RecordData::Srv(Srv { priority, weight: 0, port, target: target.into() }));
    }

    /// What is known: the records that were asked for, and aliases.
    #[must_use]
    pub fn answer(&self, question: &Question) -> DnsAnswer {
        let is_asked = |data: &RecordData| match data {
            RecordData::Cname(_) => true,
            RecordData::Naptr(_) => question.kind == RecordKind::Naptr,
            RecordData::Srv(_) => question.kind == RecordKind::Srv,
            RecordData::A(_) => question.kind == RecordKind::A,
            RecordData::Aaaa(_) => question.kind == RecordKind::Aaaa,
        };
        let of_name = self.records.iter().filter(|record| record.name == question.name);
        let records: Vec<Record> = of_name.filter(|record| is_asked(&record.data)).cloned().collect();
        if records.is_empty() { DnsAnswer::Nothing } else { DnsAnswer::Records(records) }
    }
}

/// What a name server may say that is broken, or means harm: names that lead back to themselves, services of nobody, addresses where
/// nobody is, records that nobody asked for, and more of them than anybody can use.
pub(crate) fn lie(question: &Question, random: &mut Random) -> DnsAnswer {
    let asked = question.name.to_string();
    let record = |name: &str, data| Record { name: name.into(), ttl_secs: TTL_SECS, data };
    let service = |target: &str, port| RecordData::Srv(Srv { priority: 1, weight: 0, port, target: target.into() });
    let nobody = RecordData::A(Ipv4Addr::new(198, 18, 255, 254));
    DnsAnswer::Records(match random.below(6) {
        0 => vec![record(&asked, RecordData::Cname(asked.as_str().into()))],
        1 => vec![
            record(&asked, RecordData::Cname("x.invalid".into())),
            record("x.invalid", RecordData::Cname(asked.as_str().into())),
        ],
        2 => vec![record(&asked, service(&asked, 5060)), record(&asked, service("", 0))],
        3 => vec![record(&asked, nobody), record("other.example", RecordData::A(Ipv4Addr::LOCALHOST))],
        4 => (0..2_000_u16).map(|number| record(&asked, service(&format!("s{number}.invalid"), number))).collect(),
        _ => return DnsAnswer::Nothing,
    })
}

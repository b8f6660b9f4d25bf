//! The records that a resolver knows.

use std::net::IpAddr;

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

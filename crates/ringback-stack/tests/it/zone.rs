//! A resolver that knows a few names.

use std::net::IpAddr;

use ringback_transport::resolve::{DnsAnswer, Question, Record, RecordData, RecordKind, Srv};

/// The records of all names.
pub(crate) struct Zone {
    records: Vec<Record>,
    /// Names that nobody answers for.
    pub(crate) silent: Vec<&'static str>,
    pub(crate) asked: Vec<String>,
}

impl Default for Zone {
    fn default() -> Zone {
        let mut zone = Zone { records: Vec::new(), silent: Vec::new(), asked: Vec::new() };
        zone.host("phone.example", "127.0.0.1");
        for n in 1..=9 {
            zone.host("many.example", &format!("127.0.0.{n}"));
        }
        zone
    }
}

impl Zone {
    pub(crate) fn host(&mut self, name: &str, address: &str) {
        let data = match address.parse().unwrap() {
            IpAddr::V4(ip) => RecordData::A(ip),
            IpAddr::V6(ip) => RecordData::Aaaa(ip),
        };
        self.records.push(Record { name: name.into(), ttl_secs: 60, data });
    }

    pub(crate) fn srv(&mut self, name: &str, priority: u16, target: &str, port: u16) {
        let data = RecordData::Srv(Srv { priority, weight: 0, port, target: target.into() });
        self.records.push(Record { name: name.into(), ttl_secs: 60, data });
    }

    pub(crate) fn answer(&mut self, question: &Question) -> DnsAnswer {
        self.asked.push(format!("{} {}", question.kind, question.name));
        if self.silent.contains(&&*question.name) {
            return DnsAnswer::TimedOut;
        }
        let is_of_kind = |data: &RecordData| match data {
            RecordData::A(_) => question.kind == RecordKind::A,
            RecordData::Aaaa(_) => question.kind == RecordKind::Aaaa,
            RecordData::Srv(_) => question.kind == RecordKind::Srv,
            _ => false,
        };
        let records: Vec<Record> = self
            .records
            .iter()
            .filter(|record| record.name == question.name && is_of_kind(&record.data))
            .cloned()
            .collect();
        if records.is_empty() { DnsAnswer::Nothing } else { DnsAnswer::Records(records) }
    }
}

//! What is asked of a resolver, and what it answers.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

/// How many records of one answer are read.
pub const ANSWER_RECORDS_MAX: usize = 64;

/// How many aliases are followed from one name. `[RFC 1035, Section 3.3.1]`
pub const CNAMES_MAX: usize = 8;

/// A kind of record that leads to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// Which transports a domain has.
    Naptr,
    /// Which hosts offer a service.
    Srv,
    /// The IPv4 addresses of a host.
    A,
    /// The IPv6 addresses of a host.
    Aaaa,
}

impl RecordKind {
    /// As zone files write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            RecordKind::Naptr => "NAPTR",
            RecordKind::Srv => "SRV",
            RecordKind::A => "A",
            RecordKind::Aaaa => "AAAA",
        }
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Names a question within its walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuestionId(pub(super) usize);

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The name, in lower case, complete, without a dot at its end.
    pub name: Box<str>,
    /// The kind of record.
    pub kind: RecordKind,
}

/// What a resolver says to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsAnswer {
    /// These records, among them perhaps aliases and what nobody asked for.
    Records(Vec<Record>),
    /// The name has no such record, or there is no such name.
    Nothing,
    /// The servers refuse, or can't say.
    Failed,
    /// No answer came in time.
    TimedOut,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose it is.
    pub name: Box<str>,
    /// How long it may be kept, in seconds.
    pub ttl_secs: u32,
    /// What it says.
    pub data: RecordData,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordData {
    /// The name is another's alias.
    Cname(Box<str>),
    /// A rule that leads to a service. `[RFC 3263, Section 4.1]`
    Naptr(Naptr),
    /// A host that offers the service. `[RFC 2782]`
    Srv(Srv),
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
}

/// A NAPTR record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naptr {
    /// Lower ones come first, and nothing may be preferred to that.
    pub order: u16,
    /// Among those of the same order lower ones come first.
    pub preference: u16,
    /// `s` where the replacement has SRV records.
    pub flags: Box<str>,
    /// Such as `SIP+D2U`.
    pub services: Box<str>,
    /// Empty where there is a replacement.
    pub regexp: Box<str>,
    /// The name to go on with.
    pub replacement: Box<str>,
}

/// An SRV record. `[RFC 2782]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Srv {
    /// Lower ones are tried first.
    pub priority: u16,
    /// The share among those of the same priority.
    pub weight: u16,
    /// Where the service listens.
    pub port: u16,
    /// The host; `.` says that there is no such service.
    pub target: Box<str>,
}

impl fmt::Display for RecordData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecordData::Cname(name) => write!(f, "CNAME {name}"),
            RecordData::Naptr(Naptr { order, preference, flags, services, regexp, replacement }) => {
                write!(f, "NAPTR {order} {preference} {flags:?} {services:?} {regexp:?} {replacement}")
            }
            RecordData::Srv(Srv { priority, weight, port, target }) => {
                write!(f, "SRV {priority} {weight} {port} {target}")
            }
            RecordData::A(ip) => write!(f, "A {ip}"),
            RecordData::Aaaa(ip) => write!(f, "AAAA {ip}"),
        }
    }
}

impl RecordData {
    fn is(&self, kind: RecordKind) -> bool {
        match self {
            RecordData::Cname(_) => false,
            RecordData::Naptr(_) => kind == RecordKind::Naptr,
            RecordData::Srv(_) => kind == RecordKind::Srv,
            RecordData::A(_) => kind == RecordKind::A,
            RecordData::Aaaa(_) => kind == RecordKind::Aaaa,
        }
    }
}

/// Where an answer leads once its aliases are followed.
pub(super) enum Followed {
    /// To these records.
    Records(Vec<Record>),
    /// To another name, which the answer says nothing of.
    Alias(Box<str>),
    /// To nothing, or in circles.
    Nothing,
}

/// Reads the records that answer the question, and only those: of the name itself, or of what it is an alias of.
pub(super) fn follow(question: &Question, records: &[Record]) -> Followed {
    let mut name: &str = &question.name;
    for _ in 0..=CNAMES_MAX {
        let mine = || records.iter().take(ANSWER_RECORDS_MAX).filter(|record| is_same_name(&record.name, name));
        let wanted: Vec<Record> = mine().filter(|record| record.data.is(question.kind)).cloned().collect();
        if !wanted.is_empty() {
            return Followed::Records(wanted);
        }
        let alias = mine().find_map(|record| match &record.data {
            RecordData::Cname(target) => Some(target),
            _ => None,
        });
        match alias {
            Some(alias) => name = alias,
            None if is_same_name(name, &question.name) => return Followed::Nothing,
            None => return Followed::Alias(plain(name)),
        }
    }
    Followed::Nothing
}

/// As names are compared: in lower case, without the dot at the end.
pub(super) fn plain(name: &str) -> Box<str> {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase().into()
}

fn is_same_name(a: &str, b: &str) -> bool {
    a.strip_suffix('.').unwrap_or(a).eq_ignore_ascii_case(b.strip_suffix('.').unwrap_or(b))
}

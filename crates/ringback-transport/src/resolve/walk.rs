//! The walk from a name to the addresses behind it.

use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ringback_base::{Random, Transport};

use super::aim::{Aim, AimHost};
use super::dns::{ANSWER_RECORDS_MAX, CNAMES_MAX};
use super::dns::{DnsAnswer, Followed, Question, QuestionId, Record, RecordData, RecordKind, follow, plain};
use super::order::{by_weight, service_of};
use super::trace::{Outcome, StepId, Trace};
use super::{Family, Located, Preferences, Unresolved};

/// How many services of a domain are asked for: transports, or what its NAPTR records lead to.
pub const SERVICES_MAX: usize = 8;

/// How many hosts of all services are looked up.
pub const HOSTS_MAX: usize = 16;

/// How many questions one walk asks in all.
pub const QUESTIONS_MAX: usize = 64;

/// How many addresses of one host are tried.
pub const ADDRESSES_MAX: usize = 8;

/// How many targets a walk ends with.
pub const TARGETS_MAX: usize = 32;

/// One search for where a message goes: asks, is answered, and ends with a list of targets, best first.
///
/// `[RFC 3263, Section 4]` `[RFC 7984, Section 4]`
#[derive(Debug)]
pub struct Walk {
    aim: Aim,
    preferences: Arc<Preferences>,
    random: Random,
    stage: Stage,
    services: Vec<Service>,
    hosts: Vec<Host>,
    found: Vec<(Box<str>, IpAddr)>,
    questions: Vec<Asked>,
    /// How many of them were given out.
    given: usize,
    /// Some question had no definite answer.
    has_failed: bool,
    /// Nothing more is asked.
    is_hurried: bool,
    result: Option<Result<Vec<Located>, Unresolved>>,
    limits_reached: u32,
    trace: Option<Trace>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Naptr,
    Srv { by_naptr: bool },
    Addresses,
}

#[derive(Debug)]
struct Service {
    transport: Transport,
    hosts: Vec<(Box<str>, u16)>,
    /// A target of `.` says that it isn't offered. `[RFC 2782]`
    is_denied: bool,
    step: StepId,
}

#[derive(Debug)]
struct Host {
    transport: Transport,
    name: Box<str>,
    port: u16,
}

#[derive(Debug)]
struct Asked {
    question: Question,
    purpose: Purpose,
    /// How many aliases led here.
    links: usize,
    is_open: bool,
    step: StepId,
}

#[derive(Clone, Debug)]
enum Purpose {
    Naptr,
    Srv { service: usize },
    Address { name: Box<str> },
}

impl Walk {
    /// Begins one; it may end at once. What is chosen by weight is drawn from `random`.
    #[must_use]
    pub fn new(aim: Aim, preferences: Arc<Preferences>, random: Random) -> Walk {
        Walk::begun(aim, preferences, random, None)
    }

    /// One that keeps what it asked and heard, for [`Walk::trace`].
    #[must_use]
    pub fn traced(aim: Aim, preferences: Arc<Preferences>, random: Random) -> Walk {
        let trace = Trace::new(aim.identity());
        Walk::begun(aim, preferences, random, Some(trace))
    }

    fn begun(aim: Aim, preferences: Arc<Preferences>, random: Random, trace: Option<Trace>) -> Walk {
        let mut walk = Walk {
            aim,
            preferences,
            random,
            stage: Stage::Naptr,
            services: Vec::new(),
            hosts: Vec::new(),
            found: Vec::new(),
            questions: Vec::new(),
            given: 0,
            has_failed: false,
            is_hurried: false,
            result: None,
            limits_reached: 0,
            trace,
        };
        walk.begin();
        walk.advance();
        walk
    }

    /// The next question, and what its answer must be given back with.
    #[must_use]
    pub fn poll_question(&mut self) -> Option<(QuestionId, Question)> {
        let id = QuestionId(self.given);
        let asked = self.questions.get(self.given)?;
        self.given = self.given.saturating_add(1);
        Some((id, asked.question.clone()))
    }

    /// A question is answered. A second answer to it does nothing.
    pub fn handle_answer(&mut self, id: QuestionId, answer: DnsAnswer) {
        let Some(asked) = self.questions.get_mut(id.0).filter(|asked| asked.is_open) else { return };
        asked.is_open = false;
        let (purpose, step) = (asked.purpose.clone(), asked.step);
        match answer {
            DnsAnswer::Records(records) => self.read(id, purpose, step, &records),
            DnsAnswer::Nothing => self.tell(step, Outcome::Nothing),
            DnsAnswer::Failed => {
                self.has_failed = true;
                self.tell(step, Outcome::Failed);
            }
            DnsAnswer::TimedOut => {
                self.has_failed = true;
                self.tell(step, Outcome::TimedOut);
            }
        }
        self.advance();
    }

    /// Ends it now, with what is known.
    pub fn hurry(&mut self) {
        self.is_hurried = true;
        let open: Vec<_> = (0..self.questions.len()).map(QuestionId).collect();
        for id in open {
            self.handle_answer(id, DnsAnswer::TimedOut);
        }
    }

    /// The targets, best first, once it has ended; never an empty list.
    #[must_use]
    pub fn result(&self) -> Option<Result<&[Located], Unresolved>> {
        self.result.as_ref().map(|result| result.as_ref().map(Vec::as_slice).map_err(|error| *error))
    }

    /// How often something was left out because of a limit.
    #[must_use]
    pub fn limits_reached(&self) -> u32 {
        self.limits_reached
    }

    /// What was asked and heard, if it was begun by [`Walk::traced`].
    #[must_use]
    pub fn trace(&self) -> Option<&Trace> {
        self.trace.as_ref()
    }

    /// What needs no look-up ends here; the rest asks its first question.
    fn begin(&mut self) {
        let transport = match self.transport() {
            Ok(transport) => transport,
            Err(error) => return self.end(Err(error)),
        };
        let name: Box<str> = match &self.aim.host {
            AimHost::Address(ip) => {
                let located = self.located(transport, SocketAddr::new(*ip, self.port(transport)));
                let has_family = self.preferences.families.contains(&Family::of(ip));
                return self.end(if has_family { Ok(Vec::from([located])) } else { Err(Unresolved::Family) });
            }
            AimHost::Name(name) => name.clone(),
        };
        if is_under(&name, "invalid") {
            return self.end(Err(Unresolved::Invalid));
        }
        if self.preferences.hosts.get(&name).is_some() || is_under(&name, "localhost") {
            self.direct(transport);
        } else if self.aim.port.is_some() {
            self.note(Trace::ROOT, || format!("a port is given: addresses of the name, by {transport}"));
            self.direct(transport);
        } else if self.aim.transport.is_some() {
            self.ask_services(Vec::from([(transport, srv_name(transport, &name))]), false);
        } else {
            self.ask(Trace::ROOT, name, RecordKind::Naptr, Purpose::Naptr);
        }
    }

    /// The transport where no record names one: what the URI asks for or implies, if we have it. `[RFC 3263, Section 4.1]`
    fn transport(&self) -> Result<Transport, Unresolved> {
        let wanted = self.aim.transport();
        match self.aim.transport {
            _ if self.preferences.have(wanted) => Ok(wanted),
            Some(_) => Err(Unresolved::Transport),
            None => self.usable().next().ok_or(Unresolved::Transport),
        }
    }

    fn port(&self, transport: Transport) -> u16 {
        self.aim.port.unwrap_or_else(|| transport.default_port())
    }

    fn usable(&self) -> impl Iterator<Item = Transport> {
        self.preferences.transports.iter().copied().filter(|transport| self.aim.allows(*transport))
    }

    /// Goes on once everything that was asked is answered.
    fn advance(&mut self) {
        while self.result.is_none() && self.questions.iter().all(|asked| !asked.is_open) {
            match self.stage {
                Stage::Naptr => self.without_naptr(),
                Stage::Srv { by_naptr } => self.have_services(by_naptr),
                Stage::Addresses => self.finish(),
            }
        }
    }

    /// No NAPTR record is of use: each transport that we have is asked for. `[RFC 3263, Section 4.1]`
    fn without_naptr(&mut self) {
        let Some(name) = self.aim.name() else { return self.end(Err(Unresolved::Nothing)) };
        let services: Vec<_> = self.usable().map(|transport| (transport, srv_name(transport, name))).collect();
        self.note(Trace::ROOT, || "no NAPTR of use: each of our transports is asked for".into());
        self.ask_services(services, false);
    }

    fn ask_services(&mut self, services: Vec<(Transport, Box<str>)>, by_naptr: bool) {
        self.stage = Stage::Srv { by_naptr };
        self.reached(services.len() > SERVICES_MAX, Trace::ROOT, "further services are left out");
        for (transport, name) in services.into_iter().take(SERVICES_MAX) {
            let service = self.services.len();
            let step = self.ask(Trace::ROOT, name, RecordKind::Srv, Purpose::Srv { service });
            self.note(step, || format!("by {transport}"));
            self.services.push(Service { transport, hosts: Vec::new(), is_denied: false, step });
        }
        // What could not be asked was answered before its service was there, and has nothing to add to it.
    }

    /// The SRV records are there, or there are none. `[RFC 3263, Section 4.2]`
    fn have_services(&mut self, by_naptr: bool) {
        let mut wanted: Vec<(Transport, Box<str>, u16, StepId)> = Vec::new();
        for service in &self.services {
            let of_service = service.hosts.iter();
            wanted.extend(of_service.map(|(name, port)| (service.transport, name.clone(), *port, service.step)));
        }
        if wanted.is_empty() {
            let first = self.services.first().map(|service| service.transport).filter(|_| by_naptr);
            let transport = match first.map_or_else(|| self.transport(), Ok) {
                Ok(transport) => transport,
                Err(error) => return self.end(Err(error)),
            };
            if self.services.iter().any(|service| service.transport == transport && service.is_denied) {
                return self.end(Err(Unresolved::NotOffered));
            }
            let port = self.port(transport);
            self.note(Trace::ROOT, || format!("no SRV: addresses of the name, by {transport}, port {port}"));
            return self.direct(transport);
        }
        self.stage = Stage::Addresses;
        self.reached(wanted.len() > HOSTS_MAX, Trace::ROOT, "further hosts are left out");
        for (transport, name, port, step) in wanted.into_iter().take(HOSTS_MAX) {
            self.ask_addresses(step, &name);
            self.hosts.push(Host { transport, name, port });
        }
    }

    /// The addresses of the name itself.
    fn direct(&mut self, transport: Transport) {
        self.stage = Stage::Addresses;
        let (Some(name), port) = (self.aim.name().map(Box::<str>::from), self.port(transport)) else { return };
        self.ask_addresses(Trace::ROOT, &name);
        self.hosts.push(Host { transport, name, port });
    }

    fn ask_addresses(&mut self, parent: StepId, name: &str) {
        if self.hosts.iter().any(|host| &*host.name == name) {
            return;
        }
        let preferences = Arc::clone(&self.preferences);
        if let Some(addresses) = preferences.hosts.get(name) {
            self.note(parent, || format!("{name}: by the hosts of our configuration"));
            return self.found.extend(addresses.iter().map(|ip| (name.into(), *ip)));
        }
        // Nobody is asked for it: only a lie could come back.
        if is_under(name, "localhost") {
            self.note(parent, || format!("{name}: is this machine"));
            let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
            let usable = loopback.into_iter().filter(|_| preferences.loopback);
            return self.found.extend(usable.map(|ip| (name.into(), ip)));
        }
        for family in &preferences.families {
            self.ask(parent, name.into(), family.record_kind(), Purpose::Address { name: name.into() });
        }
    }

    fn ask(&mut self, parent: StepId, name: Box<str>, kind: RecordKind, purpose: Purpose) -> StepId {
        let question = Question { name, kind };
        let step = self.trace.as_mut().map_or(Trace::ROOT, |trace| trace.asked(parent, &question));
        self.asked(question, purpose, 0, step);
        step
    }

    fn asked(&mut self, question: Question, purpose: Purpose, links: usize, step: StepId) {
        if self.is_hurried || self.questions.len() >= QUESTIONS_MAX {
            self.reached(!self.is_hurried, step, "not asked: too many questions");
            self.has_failed = true;
            return self.tell(step, Outcome::TimedOut);
        }
        self.questions.push(Asked { question, purpose, links, is_open: true, step });
    }

    fn read(&mut self, id: QuestionId, purpose: Purpose, step: StepId, records: &[Record]) {
        self.reached(records.len() > ANSWER_RECORDS_MAX, step, "further records are left out");
        let Some((question, links)) = self.questions.get(id.0).map(|asked| (asked.question.clone(), asked.links))
        else {
            return;
        };
        match follow(&question, records) {
            Followed::Nothing => self.tell(step, Outcome::Nothing),
            Followed::Alias(_) if links >= CNAMES_MAX => {
                self.reached(true, step, "too many aliases");
                self.tell(step, Outcome::Nothing);
            }
            Followed::Alias(name) => {
                self.note(step, || format!("alias of {name}"));
                let links = links.saturating_add(1);
                self.asked(Question { name, kind: question.kind }, purpose, links, step);
            }
            Followed::Records(records) => {
                self.tell(step, Outcome::Records);
                match purpose {
                    Purpose::Naptr => self.read_naptr(step, &records),
                    Purpose::Srv { service } => self.read_srv(step, service, &records),
                    Purpose::Address { name } => self.read_addresses(step, &name, &records),
                }
            }
        }
    }

    /// The server's own preference decides among the transports that both sides have. `[RFC 3263, Section 4.1]`
    fn read_naptr(&mut self, step: StepId, records: &[Record]) {
        let mut services = Vec::new();
        for record in records {
            let RecordData::Naptr(naptr) = &record.data else { continue };
            let service = service_of(naptr);
            let why = match &service {
                None => Some("not for SIP, or no simple replacement"),
                Some((transport, _)) if !self.aim.allows(*transport) => Some("not secure"),
                Some((transport, _)) if !self.preferences.have(*transport) => Some("a transport that we lack"),
                Some(_) => None,
            };
            self.saw(step, record, why);
            services.extend(service.filter(|_| why.is_none()).map(|service| (naptr.order, naptr.preference, service)));
        }
        services.sort_by_key(|(order, preference, _)| (*order, *preference));
        let mut distinct: Vec<(Transport, Box<str>)> = Vec::new();
        for (.., service) in services {
            if !distinct.contains(&service) {
                distinct.push(service);
            }
        }
        if !distinct.is_empty() {
            self.ask_services(distinct, true);
        }
    }

    fn read_srv(&mut self, step: StepId, service: usize, records: &[Record]) {
        let mut offered = Vec::new();
        for record in records {
            let RecordData::Srv(srv) = &record.data else { continue };
            let target = plain(&srv.target);
            let is_denial = target.is_empty();
            let why = match srv.port {
                _ if is_denial => Some("the service is not offered"),
                0 => Some("nobody listens at port 0"),
                _ if target.parse::<IpAddr>().is_ok() => Some("an address is no host name"),
                _ => None,
            };
            self.saw(step, record, why);
            if let Some(service) = self.services.get_mut(service) {
                service.is_denied |= is_denial;
            }
            offered.extend(Some(srv.clone()).filter(|_| why.is_none()));
        }
        let ordered = by_weight(offered, &mut self.random);
        let hosts = ordered.into_iter().map(|srv| (plain(&srv.target), srv.port)).collect();
        if let Some(service) = self.services.get_mut(service) {
            service.hosts = hosts;
        }
    }

    fn read_addresses(&mut self, step: StepId, name: &str, records: &[Record]) {
        let mut kept = 0_usize;
        for record in records {
            let ip: IpAddr = match record.data {
                RecordData::A(ip) => ip.into(),
                RecordData::Aaaa(ip) => ip.into(),
                _ => continue,
            };
            let is_full = kept >= ADDRESSES_MAX;
            let why = nobody_at(&ip, self.preferences.loopback).or(is_full.then_some("one too many"));
            self.reached(is_full, step, "further addresses are left out");
            self.saw(step, record, why);
            if why.is_none() {
                kept = kept.saturating_add(1);
                self.found.push((name.into(), ip));
            }
        }
    }

    /// Host by host, the addresses of each by family: those of different hosts are never mixed. `[RFC 7984, Section 4]`
    fn finish(&mut self) {
        let mut targets: Vec<Located> = Vec::new();
        for host in &self.hosts {
            for family in &self.preferences.families {
                let of_host = self.found.iter().filter(|(name, ip)| *name == host.name && Family::of(ip) == *family);
                for (_, ip) in of_host {
                    let located = self.located(host.transport, SocketAddr::new(*ip, host.port));
                    if !targets.contains(&located) {
                        targets.push(located);
                    }
                }
            }
        }
        self.reached(targets.len() > TARGETS_MAX, Trace::ROOT, "further targets are left out");
        targets.truncate(TARGETS_MAX);
        self.end(match (targets.is_empty(), self.has_failed) {
            (false, _) => Ok(targets),
            (true, true) => Err(Unresolved::Failed),
            (true, false) => Err(Unresolved::Nothing),
        });
    }

    fn located(&self, transport: Transport, address: SocketAddr) -> Located {
        Located { transport, address, identity: self.aim.identity() }
    }

    fn end(&mut self, result: Result<Vec<Located>, Unresolved>) {
        self.result = Some(result);
    }

    fn reached(&mut self, is_reached: bool, step: StepId, what: &'static str) {
        if is_reached {
            self.limits_reached = self.limits_reached.saturating_add(1);
            self.note(step, || what.into());
        }
    }

    fn tell(&mut self, step: StepId, outcome: Outcome) {
        if let Some(trace) = &mut self.trace {
            trace.answered(step, outcome);
        }
    }

    fn saw(&mut self, step: StepId, record: &Record, ignored: Option<&'static str>) {
        if let Some(trace) = &mut self.trace {
            trace.saw(step, record, ignored);
        }
    }

    fn note(&mut self, step: StepId, text: impl FnOnce() -> alloc::string::String) {
        if let Some(trace) = &mut self.trace {
            trace.note(step, text());
        }
    }
}

/// Where a domain keeps the SRV records of a transport. `[RFC 3263, Section 4.2]`
fn srv_name(transport: Transport, domain: &str) -> Box<str> {
    let service = match transport {
        Transport::Udp => "_sip._udp",
        Transport::Tcp => "_sip._tcp",
        Transport::Tls => "_sips._tcp",
        Transport::Ws => "_sip._ws",
        Transport::Wss => "_sips._ws",
    };
    format!("{service}.{domain}").into()
}

/// Why no server can be reached at an address that a resolver told; `None` where one may be.
fn nobody_at(ip: &IpAddr, may_be_loopback: bool) -> Option<&'static str> {
    match ip {
        _ if ip.is_unspecified() => Some("no address of anybody"),
        _ if ip.is_multicast() => Some("a group, not a host"),
        IpAddr::V4(ip) if ip.is_broadcast() => Some("everybody, not a host"),
        IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some() => Some("an IPv4 address in disguise"),
        _ if ip.is_loopback() && !may_be_loopback => Some("this machine, where we don't listen"),
        _ => None,
    }
}

fn is_under(name: &str, top: &str) -> bool {
    name.strip_suffix(top).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

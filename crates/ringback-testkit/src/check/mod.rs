//! What must always hold, checked at each step by a model of its own.
//!
//! The model sees what reaches a server and what leaves it, the questions that it asks and their answers. It keeps its own
//! account of transactions, branches and bindings from the texts of the RFCs; it never asks the code under test what that
//! code thinks.

mod best;
mod branches;
mod invariant;
mod registrar;
mod served;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use ringback_base::{Micros, Now, TimerQueue};
use ringback_location::Aor;
use ringback_message::{HeaderId, Host, Message, Method, Request, Uri, Via};
use ringback_stack::{Answer, Config, Query, Stack};

use crate::net::{Content, Packet};
use crate::surroundings::{Locations, Write};

pub use invariant::{Invariant, Violation};

use branches::Branch;
use registrar::Ledger;
use served::{Served, Target};

pub(crate) type Verdict = Result<(), Box<Violation>>;

pub(crate) fn violated(invariant: Invariant, call_id: Option<&[u8]>, detail: impl Into<String>) -> Verdict {
    Err(Box::new(Violation { invariant, call_id: call_id.map(<[u8]>::to_vec), detail: detail.into() }))
}

/// What the model is told of the server's configuration.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) t1_64: Micros,
    pub(crate) t4: Micros,
    pub(crate) timer_c: Micros,
    pub(crate) cancel_wait: Micros,
    pub(crate) realm: Vec<u8>,
    pub(crate) domain: String,
    pub(crate) branches_max: usize,
    pub(crate) server_transactions_max: usize,
    pub(crate) client_transactions_max: usize,
    pub(crate) lookups_max: usize,
    /// Bytes to a stranger for each 100 that it sent.
    pub(crate) amplification_max_percent: u64,
}

impl Rules {
    pub(crate) fn of(config: &Config, amplification_max_percent: u64) -> Rules {
        let timers = &config.transactions.timers;
        Rules {
            t1_64: timers.t1_64(),
            t4: timers.t4(),
            timer_c: config.proxy.timer_c,
            cancel_wait: config.proxy.cancel_wait,
            realm: config.realm.clone().into_bytes(),
            domain: config.domain.to_string(),
            branches_max: config.proxy.branches_max,
            server_transactions_max: config.transactions.server_transactions_max,
            client_transactions_max: config.transactions.client_transactions_max,
            lookups_max: config.lookups_max,
            amplification_max_percent,
        }
    }
}

/// What identifies a transaction of either side: branch, sent-by and method, without regard to case but for the method.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) branch: Vec<u8>,
    pub(crate) sent_by: Vec<u8>,
    pub(crate) method: Vec<u8>,
}

impl Key {
    /// `None` where the branch is not unique.
    pub(crate) fn of(via: &Via<&[u8]>, method: &[u8]) -> Option<Key> {
        let branch = via.branch()?.to_ascii_lowercase();
        if !branch.starts_with(b"z9hg4bk") || branch.len() == 7 {
            return None;
        }
        let mut sent_by = via.host.to_ascii_lowercase();
        if let Some(port) = via.port {
            sent_by.extend_from_slice(format!(":{port}").as_bytes());
        }
        Some(Key { branch, sent_by, method: method.to_vec() })
    }

    pub(crate) fn with_method(&self, method: &[u8]) -> Key {
        Key { method: method.to_vec(), ..self.clone() }
    }
}

/// What came from and went to one address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes that it sent to the server.
    pub received: u64,
    /// Bytes that the server sent to it.
    pub sent: u64,
}

/// What the current step owes.
#[derive(Debug, Default)]
struct Step {
    /// Server transactions that something happened to.
    touched: BTreeSet<Key>,
    /// 2xx that are to be passed back: the transaction and the To tag.
    successes: Vec<(Key, Vec<u8>)>,
    /// Provisional responses that are.
    provisionals: Vec<(Key, u16)>,
    /// Branches whose failure is to be acknowledged.
    acks: Vec<Vec<u8>>,
    /// ACKs for 2xx that are to be passed on: Call-ID and branch.
    relayed_acks: Vec<(Vec<u8>, Vec<u8>)>,
    /// CANCELs that are to be answered.
    cancels: Vec<Key>,
    /// The INVITE that is cancelled.
    cancelled: Option<Key>,
    /// A request that leaves no transaction may be answered, to this address.
    stateless: Option<IpAddr>,
    /// The bindings that were read.
    bindings: Vec<Target>,
    /// Server transactions that had their first branch.
    started: BTreeSet<Key>,
    /// The request that came, if it made a transaction.
    accepted: Option<Key>,
}

/// The model of one server.
#[derive(Debug)]
pub struct Checker {
    rules: Rules,
    servers: BTreeMap<Key, Served>,
    clients: BTreeMap<(Vec<u8>, Vec<u8>), Branch>,
    /// When a server transaction is to be looked at again.
    deadlines: TimerQueue<Key>,
    ledger: Ledger,
    /// The Record-Routes that the server wrote, by Call-ID.
    routes: BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>>,
    acks_seen: BTreeSet<(Vec<u8>, Vec<u8>)>,
    /// Branches for elements of RFC 2543, of which no account is kept.
    untracked: BTreeSet<Vec<u8>>,
    strangers: BTreeMap<IpAddr, Traffic>,
    askers: BTreeSet<IpAddr>,
    step: Step,
    /// How often each invariant had something to judge.
    tally: BTreeMap<Invariant, u64>,
    limit_reached: u64,
    successes_too_late: u64,
}

impl Checker {
    pub(crate) fn new(rules: Rules) -> Checker {
        Checker {
            rules,
            servers: BTreeMap::new(),
            clients: BTreeMap::new(),
            deadlines: TimerQueue::new(),
            ledger: Ledger::default(),
            routes: BTreeMap::new(),
            acks_seen: BTreeSet::new(),
            untracked: BTreeSet::new(),
            strangers: BTreeMap::new(),
            askers: BTreeSet::new(),
            step: Step::default(),
            tally: BTreeMap::new(),
            limit_reached: 0,
            successes_too_late: 0,
        }
    }

    /// From this address nobody ever authenticates.
    pub(crate) fn add_stranger(&mut self, ip: IpAddr) {
        self.strangers.insert(ip, Traffic::default());
    }

    /// How often each invariant was judged.
    #[must_use]
    pub fn tally(&self) -> &BTreeMap<Invariant, u64> {
        &self.tally
    }

    /// What each stranger sent and got.
    #[must_use]
    pub fn strangers(&self) -> &BTreeMap<IpAddr, Traffic> {
        &self.strangers
    }

    /// How many 2xx came when their INVITE had been refused already, which no transaction can take back.
    #[must_use]
    pub fn successes_too_late(&self) -> u64 {
        self.successes_too_late
    }

    fn judged(&mut self, invariant: Invariant) {
        *self.tally.entry(invariant).or_default() += 1;
    }

    /// A packet reached the server, which has not seen it yet.
    pub(crate) fn received(&mut self, packet: &Packet, now: Now) -> Verdict {
        self.begin(now);
        self.askers.insert(packet.from.ip());
        if let Some(traffic) = self.strangers.get_mut(&packet.from.ip()) {
            traffic.received = traffic.received.saturating_add(packet.bytes.len() as u64);
        }
        match packet.content() {
            Content::Request(request) => self.request_received(request, packet, now),
            Content::Response(response) => self.response_received(response, packet, now.mono),
            Content::Unreadable => {
                self.step.stateless = Some(packet.from.ip());
                Ok(())
            }
        }
    }

    /// A packet leaves the server.
    pub(crate) fn sent(&mut self, packet: &Packet, now: Now) -> Verdict {
        self.judged(Invariant::OnlyWhoAsked);
        if let Some(traffic) = self.strangers.get_mut(&packet.to.ip()) {
            traffic.sent = traffic.sent.saturating_add(packet.bytes.len() as u64);
            let most = traffic.received.saturating_mul(self.rules.amplification_max_percent) / 100;
            let traffic = *traffic;
            self.judged(Invariant::Amplification);
            if traffic.sent > most {
                let Traffic { received, sent } = traffic;
                let detail = format!("{} sent {received} bytes and gets {sent}", packet.to);
                return violated(Invariant::Amplification, call_id(packet), detail);
            }
        }
        match packet.content() {
            Content::Request(request) => self.request_sent(request, packet, now.mono),
            Content::Response(response) => self.response_sent(response, packet, now),
            Content::Unreadable if self.step.stateless == Some(packet.to.ip()) => {
                // To a request of which only some lines can be read.
                self.step.stateless = None;
                Ok(())
            }
            Content::Unreadable => violated(Invariant::OnlyWhoAsked, call_id(packet), "what leaves is no message"),
        }
    }

    /// Time passes for the server.
    pub(crate) fn begin(&mut self, now: Now) {
        self.step = Step::default();
        while let Some((_, key)) = self.deadlines.pop_due(now.mono) {
            self.step.touched.insert(key);
        }
    }

    /// An address can't be reached, and the server is told.
    pub(crate) fn unreachable(&mut self, remote: SocketAddr, now: Now) {
        self.begin(now);
        self.branches_failed(remote);
    }

    /// A question is answered; the server has not seen the answer yet.
    pub(crate) fn answered(&mut self, query: &Query, answer: &Answer, now: Now) {
        if let (Query::LoadBindings { .. }, Answer::Bindings { rows, .. }) = (query, answer) {
            let live = rows.iter().filter(|row| row.expires_at > now.unix);
            self.step.bindings = live
                .map(|row| {
                    let uri = row.contact.split(|byte| *byte == b'?').next().unwrap_or_default().to_vec();
                    let parsed = Uri::parse(&uri, HeaderId::Contact, 0).ok();
                    let is_name = !parsed
                        .is_some_and(|uri| uri.as_sip().is_some_and(|uri| matches!(uri.host(), Host::Address(_))));
                    Target { uri, q: row.preference().as_thousandths(), is_name }
                })
                .collect();
        }
    }

    /// Bindings were stored, not yet for good.
    pub(crate) fn stored(&mut self, aor: &Aor, locations: &Locations, now: Now) -> Verdict {
        self.judged(Invariant::BindingsKept);
        self.ledger.stored(aor, &locations.read(aor), now)
    }

    /// They are durable.
    pub(crate) fn durable(&mut self, writes: &[Write]) {
        self.ledger.durable(writes);
    }

    /// The server died.
    pub(crate) fn crashed(&mut self, locations: &Locations, now: Now) -> Verdict {
        self.begin(now);
        self.servers.clear();
        self.clients.clear();
        self.deadlines = TimerQueue::new();
        self.limit_reached = 0;
        self.judged(Invariant::BindingsKept);
        self.ledger.crashed(locations, now)
    }

    /// The server has done all that it wants to do at this moment.
    pub(crate) fn step_ends(&mut self, stack: &Stack, lookups_open: usize, now: Now) -> Verdict {
        let layer = stack.transactions();
        self.judged(Invariant::MemoryBounded);
        let (servers, clients, timers) = (layer.server_len(), layer.client_len(), layer.timer_len());
        let fits = servers <= self.rules.server_transactions_max
            && clients <= self.rules.client_transactions_max
            && timers <= servers.saturating_add(clients).saturating_mul(2)
            && lookups_open <= self.rules.lookups_max;
        if !fits {
            let detail =
                format!("{servers} server and {clients} client transactions, {timers} timers, {lookups_open} look-ups");
            return violated(Invariant::MemoryBounded, None, detail);
        }
        // What was turned away has no transaction, and may come again as something new.
        let reached = layer.counters().server_limit_reached;
        if reached != self.limit_reached {
            self.limit_reached = reached;
            if let Some(key) = self.step.accepted.take() {
                self.step.cancels.retain(|cancel| *cancel != key);
                self.servers.remove(&key);
                let uncancelled = self.step.cancelled.take().and_then(|invite| self.servers.get_mut(&invite));
                uncancelled.into_iter().for_each(|served| served.cancelled = false);
            }
        }
        self.debts_are_paid(clients < self.rules.client_transactions_max, now.mono)
    }

    /// The run is over, and the last timer has fired.
    pub(crate) fn run_ends(&mut self, stack: &Stack, now: Now) -> Verdict {
        self.judged(Invariant::TablesEmpty);
        if let Some((at, reason)) = stack.poll_timeout() {
            return violated(Invariant::TablesEmpty, None, format!("{reason:?} is still set, for {at}"));
        }
        for (key, served) in &self.servers {
            if served.must_be_answered() {
                let method = String::from_utf8_lossy(&key.method);
                let detail = format!("{method} of {} was never answered", served.since);
                return violated(Invariant::Answered, Some(&served.call_id), detail);
            }
        }
        if !stack.is_idle() {
            let layer = stack.transactions();
            let detail = format!(
                "no timer runs, and {} server and {} client transactions are left, at {}",
                layer.server_len(),
                layer.client_len(),
                now.mono
            );
            let left = self.clients.values().find(|branch| branch.is_open());
            return violated(Invariant::TablesEmpty, left.map(|branch| &branch.call_id[..]), detail);
        }
        Ok(())
    }
}

fn call_id(packet: &Packet) -> Option<&[u8]> {
    ringback_transport::peek_call_id(&packet.bytes)
}

/// The second Via.
fn second_via(message: &Message) -> Option<Via<&[u8]>> {
    message.vias().nth(1)?.ok()
}

/// The values of a header field, each with what it holds.
fn values<'a>(message: &'a Message, ids: &'a [HeaderId]) -> impl Iterator<Item = Vec<u8>> + 'a {
    ids.iter().flat_map(|id| message.all(*id)).map(|header| header.value().to_vec())
}

fn is_invite(request: &Request) -> bool {
    request.is(&Method::Invite)
}

#[cfg(test)]
mod tests;

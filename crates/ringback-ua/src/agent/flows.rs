//! What a registration gives beyond itself: a flow that is kept open, and a name that leads to it.
//! `[RFC 5626, Section 4.4]` `[RFC 5627, Section 4.4]`

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;

use bytes::Bytes;
use ringback_base::{Hop, Micros, Now, Random, TimerId, TimerQueue};
use ringback_message::{BuildError, Edit, HeaderId, NameAddr, Request};
use ringback_transport::stun::{Stun, TransactionId, binding_request, wait_after};

use super::UserAgent;
use super::registrations::Entry;
use super::sending::checked;
use crate::event::RegistrationId;

/// What is sent. `[RFC 5626, Section 3.5.1]`
const PING: &[u8] = b"\r\n\r\n";

/// How often at the most where the registrar says nothing: the example of `[RFC 5626, Section 4.4]`.
const FLOW_TIMER_SECS: u32 = 120;

/// The same for datagrams, whose mappings NATs forget after 30 seconds: "a random number between 24 and 29 seconds".
/// `[RFC 5626, Section 4.4.2]`
const DATAGRAM_FLOW_SECS: (u64, u64) = (24, 29);

/// How long the answer may take: "If the client does not receive a pong in response to its ping within 10 seconds".
/// `[RFC 5626, Section 4.4.1]`
const PONG_MISSING: Micros = Micros::from_secs(10);

/// The connection that a registration goes by, or the addresses of its datagrams.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) hop: Hop,
    /// When the next keep-alive goes, or the answer to the last is missed.
    timer: Option<TimerId>,
    awaits: Awaits,
    /// Where the other side has seen our datagrams come from.
    mapped: Option<SocketAddr>,
}

/// Which answer there is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaits {
    Nothing,
    /// On a connection. `[RFC 5626, Section 4.4.1]`
    Pong,
    /// To datagrams, of which so many were sent. `[RFC 5626, Section 4.4.2]`
    Binding(TransactionId, u8),
}

impl Flow {
    fn is_at(&self, hop: &Hop) -> bool {
        self.hop.transport == hop.transport && self.hop.remote == hop.remote
    }

    fn awaits_pong_on(&self, hop: &Hop) -> bool {
        self.awaits == Awaits::Pong && self.is_at(hop)
    }

    fn awaits_binding_on(&self, hop: &Hop, id: TransactionId) -> bool {
        matches!(self.awaits, Awaits::Binding(awaited, _) if awaited == id) && self.is_at(hop)
    }

    /// What is sent next, how long its answer is waited for, and which that is; `None` where it is missed already.
    fn ping(&self, random: &mut Random) -> Option<(Bytes, Micros, Awaits)> {
        let (id, sent) = match self.awaits {
            Awaits::Pong => return None,
            Awaits::Nothing if self.hop.transport.is_reliable() => {
                return Some((Bytes::from_static(PING), PONG_MISSING, Awaits::Pong));
            }
            Awaits::Nothing => {
                let mut id = [0; 12];
                random.fill(&mut id);
                (TransactionId(id), 1)
            }
            Awaits::Binding(id, sent) => (id, sent.saturating_add(1)),
        };
        Some((binding_request(id).into(), wait_after(sent)?, Awaits::Binding(id, sent)))
    }
}

/// What all registrations share.
#[derive(Debug, Default)]
pub(crate) struct Flows {
    timers: TimerQueue<RegistrationId>,
    /// Registrations that have a GRUU, by their address of record.
    gruus: BTreeMap<Box<[u8]>, RegistrationId>,
}

impl Flows {
    pub(crate) fn poll_timeout(&self) -> Option<Micros> {
        self.timers.next().map(|(at, _)| at)
    }

    /// A registration is gone.
    pub(crate) fn forget(&mut self, id: RegistrationId, entry: &Entry) {
        self.stop(entry.flow.as_deref());
        self.forget_gruu(id, entry);
    }

    /// A REGISTER went by this hop; datagrams have no connection that could be lost, but perhaps a mapping that is kept open.
    pub(crate) fn took(&mut self, entry: &mut Entry, hop: Option<Hop>) {
        let hop = hop.filter(|hop| hop.transport.is_reliable() || entry.registration.wants_keep_alives());
        if entry.flow.as_deref().map(|flow| flow.hop) != hop {
            self.stop(entry.flow.as_deref());
            entry.flow = hop.map(|hop| Box::new(Flow { hop, timer: None, awaits: Awaits::Nothing, mapped: None }));
        }
    }

    /// Its state may have changed.
    pub(crate) fn tend(&mut self, id: RegistrationId, entry: &mut Entry, random: &mut Random, now: Now) {
        let registration = &entry.registration;
        // "A SIP node MUST NOT send STUN requests over a flow unless it has an explicit indication that the target next-hop SIP server
        // claims to support this specification." [RFC 5626, Section 8]
        let is_kept = |flow: &Flow| flow.hop.transport.is_reliable() || registration.next_hop_keeps_alive();
        let keeps_alive = registration.keeps_alive() && entry.flow.as_deref().is_some_and(is_kept);
        match entry.flow.as_deref_mut() {
            Some(flow) if keeps_alive && flow.timer.is_none() => self.next(id, entry, random, now),
            Some(flow) if !keeps_alive => {
                flow.awaits = Awaits::Nothing;
                let timer = flow.timer.take();
                timer.into_iter().for_each(|timer| _ = self.timers.stop(timer));
            }
            _ => {}
        }
        match entry.registration.public_gruu() {
            Some(_) => _ = self.gruus.insert(entry.registration.aor().as_bytes().into(), id),
            None => self.forget_gruu(id, entry),
        }
    }

    /// The next keep-alive, at a random time between 80 and 100 percent of what the other side waits.
    /// `[RFC 5626, Section 4.4]`
    fn next(&mut self, id: RegistrationId, entry: &mut Entry, random: &mut Random, now: Now) {
        let told = entry.registration.flow_timer_secs();
        let Some(flow) = entry.flow.as_deref_mut() else { return };
        let (least, most) = match told {
            None if !flow.hop.transport.is_reliable() => DATAGRAM_FLOW_SECS,
            told => (0, told.unwrap_or(FLOW_TIMER_SECS).max(1).into()),
        };
        let whole = Micros::from_secs(most).0;
        let spread = if least == 0 { whole / 5 } else { whole.saturating_sub(Micros::from_secs(least).0) };
        let after = whole.saturating_sub(random.below(spread));
        flow.awaits = Awaits::Nothing;
        flow.timer = Some(self.timers.set(now.mono.plus(Micros(after)), id));
    }

    fn stop(&mut self, flow: Option<&Flow>) {
        if let Some(timer) = flow.and_then(|flow| flow.timer) {
            self.timers.stop(timer);
        }
    }

    fn forget_gruu(&mut self, id: RegistrationId, entry: &Entry) {
        let aor = entry.registration.aor().as_bytes();
        if self.gruus.get(aor) == Some(&id) {
            self.gruus.remove(aor);
        }
    }
}

impl UserAgent {
    /// True where a keep-alive of ours has no answer yet on this connection: only then is a lone line end one, and not the half of a
    /// keep-alive of theirs.
    #[must_use]
    pub fn awaits_pong(&self, hop: &Hop) -> bool {
        self.registrations.iter().any(|(_, entry)| entry.flow.as_deref().is_some_and(|flow| flow.awaits_pong_on(hop)))
    }

    /// A keep-alive of ours was answered on this connection. Registrations whose
    /// [policy](crate::RegistrationPolicy::keeps_alive) asks for it send one from time to time, and take their connection for lost
    /// where it isn't answered for ten seconds. `[RFC 5626, Section 4.4.1]`
    pub fn handle_pong(&mut self, hop: &Hop, now: Now) {
        let is_it = |flow: &Flow| flow.awaits_pong_on(hop);
        let waiting = self.registrations.iter().filter(|(_, entry)| entry.flow.as_deref().is_some_and(is_it));
        let ids: Vec<RegistrationId> = waiting.map(|(id, _)| RegistrationId(id)).collect();
        for id in ids {
            let Some(entry) = self.registrations.get_mut(id.0) else { continue };
            self.flows.stop(entry.flow.as_deref());
            entry.registration.keep_alive_answered();
            self.flows.next(id, entry, &mut self.random, now);
        }
    }

    /// A STUN answer came by this hop. What it tells is the address of a mapping: "If the XOR-MAPPED-ADDRESS in the STUN Binding Response
    /// changes, the UA MUST treat this event as a failure on the flow." So is an error. `[RFC 5626, Section 4.4.2]`
    ///
    /// Registrations whose [policy](crate::RegistrationPolicy::keeps_alive) asks for it send requests where the next hop has said that it
    /// knows them, and take their flow for lost where none of seven is answered within 40 seconds.
    pub fn handle_binding(&mut self, hop: &Hop, answer: &Stun, now: Now) {
        let (id, address) = match answer {
            Stun::Mapped { id, address } => (*id, Some(*address)),
            Stun::Refused { id, .. } => (*id, None),
            _ => return,
        };
        let is_it = |flow: &Flow| flow.awaits_binding_on(hop, id);
        let asked = self.registrations.iter().find(|(_, entry)| entry.flow.as_deref().is_some_and(is_it));
        let Some(id) = asked.map(|(id, _)| RegistrationId(id)) else { return };
        let Some(entry) = self.registrations.get_mut(id.0) else { return };
        let Some(flow) = entry.flow.as_deref_mut() else { return };
        let known = flow.mapped.or(address);
        if address.is_none() || known != address {
            self.flow_lost(id, now);
            return self.settle(now);
        }
        flow.mapped = known;
        self.flows.stop(entry.flow.as_deref());
        entry.registration.keep_alive_answered();
        self.flows.next(id, entry, &mut self.random, now);
    }

    /// Keep-alives whose time has come, and those that were not answered.
    pub(crate) fn keep_alives_due(&mut self, now: Now) {
        while let Some((_, id)) = self.flows.timers.pop_due(now.mono) {
            let Some(entry) = self.registrations.get_mut(id.0) else { continue };
            let Some(flow) = entry.flow.as_deref_mut() else { continue };
            flow.timer = None;
            let Some((ping, wait, awaits)) = flow.ping(&mut self.random) else {
                self.flow_lost(id, now);
                continue;
            };
            flow.awaits = awaits;
            flow.timer = Some(self.flows.timers.set(now.mono.plus(wait), id));
            let hop = flow.hop;
            self.transactions.send(ping, hop);
        }
    }

    /// Our Contact in a response to this request.
    pub(crate) fn contact_for(&self, request: &Request, hop: &Hop, is_secure: bool) -> String {
        let gruu = request.to_header().ok().and_then(|us| self.gruu_of(&us, is_secure));
        gruu.unwrap_or_else(|| self.contact(hop, is_secure))
    }

    /// A request of ours with the GRUU of its sender for its Contact, where he has one.
    pub(crate) fn with_gruu(&self, request: Request, is_secure: bool) -> Result<Request, BuildError> {
        if self.flows.gruus.is_empty() {
            return Ok(request);
        }
        match request.from_header().ok().and_then(|us| self.gruu_of(&us, is_secure)) {
            Some(gruu) => checked(Edit::new(&request).set(HeaderId::Contact, gruu.as_bytes()).finish()?),
            None => Ok(request),
        }
    }

    /// The Contact of whom this is the address of record, where a registrar has given him a GRUU.
    fn gruu_of(&self, us: &NameAddr<&[u8]>, is_secure: bool) -> Option<String> {
        if !self.config.gruus || self.flows.gruus.is_empty() {
            return None;
        }
        let mut aor = Vec::new();
        us.uri.write(&mut aor);
        let gruu = self.registration(*self.flows.gruus.get(&*aor)?)?.public_gruu()?;
        (!is_secure || gruu.starts_with("sips:")).then(|| alloc::format!("<{gruu}>"))
    }
}

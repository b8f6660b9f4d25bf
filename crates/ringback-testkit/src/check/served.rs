//! Requests that reached the server, and what it answers them.

use std::net::IpAddr;

use bytes::Bytes;
use ringback_base::{Micros, Now};
use ringback_message::{HeaderId, Method, Request, Response};

use super::registrar::Wishes;
use super::{Checker, Invariant, Key, Rules, Verdict, call_id, is_invite, violated};
use crate::net::Packet;

/// How a server transaction was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    Not,
    /// With a final response that may only be repeated.
    Once {
        bytes: Bytes,
        at: Micros,
    },
    /// INVITE: with a 2xx, and perhaps more of them.
    Accepted {
        at: Micros,
    },
}

/// One server transaction, as the model sees it.
#[derive(Clone, Debug)]
pub(super) struct Served {
    pub(super) call_id: Vec<u8>,
    pub(super) since: Micros,
    source: IpAddr,
    pub(super) is_invite: bool,
    /// For the server itself, so that it can't be left to others to answer.
    is_for_server: bool,
    pub(super) max_forwards: Option<u8>,
    pub(super) answered: Answered,
    acknowledged_at: Option<Micros>,
    pub(super) cancelled: bool,
    /// A 6xx came on one of its branches.
    pub(super) refused_by_all: bool,
    /// When it was last decided that no new branch may start.
    pub(super) closed_at: Option<Micros>,
    /// The branches of its client transactions.
    pub(super) branches: Vec<Vec<u8>>,
    /// The live bindings when it was relayed to a user.
    pub(super) targets: Vec<Target>,
    /// Damaged messages were among what it is judged by.
    pub(super) is_murky: bool,
    pub(super) wishes: Option<Wishes>,
}

/// One live binding.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) uri: Vec<u8>,
    /// The preference, in thousandths.
    pub(super) q: u16,
    /// It is a name, which may have no address.
    pub(super) is_name: bool,
}

impl Served {
    /// When its transaction is gone. `[RFC 3261, Section 17.2]` `[RFC 6026, Section 8.7]`
    fn ends_at(&self, rules: &Rules) -> Option<Micros> {
        match (&self.answered, self.is_invite) {
            (Answered::Not, true) => None,
            (Answered::Not, false) => Some(self.since.plus(rules.t1_64).plus(rules.t4)),
            (Answered::Accepted { at }, _) | (Answered::Once { at, .. }, false) => Some(at.plus(rules.t1_64)),
            (Answered::Once { at, .. }, true) => {
                Some(self.acknowledged_at.map_or(at.plus(rules.t1_64), |at| at.plus(rules.t4)))
            }
        }
    }

    pub(super) fn is_live(&self, rules: &Rules, now: Micros) -> bool {
        self.ends_at(rules).is_none_or(|end| now < end)
    }

    /// True where something must have been said in the end.
    pub(super) fn source(&self) -> IpAddr {
        self.source
    }

    pub(super) fn must_be_answered(&self) -> bool {
        self.answered == Answered::Not && (self.is_invite || self.is_for_server)
    }

    /// No new branch may start.
    pub(super) fn is_closed(&self) -> bool {
        self.cancelled || self.refused_by_all || self.answered != Answered::Not
    }
}

impl Checker {
    pub(super) fn request_received(&mut self, request: &Request, packet: &Packet, now: Now) -> Verdict {
        let via = request.top_via();
        let Some(key) = Key::of(&via, request.cseq_method()) else {
            // An element of RFC 2543: what it gets is judged by where it goes only.
            if request.is(&Method::Ack) {
                let branch = request.branch().map(<[u8]>::to_ascii_lowercase).unwrap_or_default();
                self.acks_seen.insert((request.call_id().to_vec(), branch));
            }
            if request.is(&Method::Register)
                && let Some(wishes) = self.ledger.wishes(request, &self.rules.domain)
            {
                let branch = request.call_id().to_vec();
                self.ledger.opened(Key { branch, sent_by: Vec::new(), method: b"REGISTER".to_vec() }, &wishes);
            }
            return Ok(());
        };
        if request.is(&Method::Ack) {
            self.ack_received(request, &key, packet, now.mono);
            return Ok(());
        }
        self.step.touched.insert(key.clone());
        if self.servers.get(&key).is_some_and(|served| served.is_live(&self.rules, now.mono)) {
            return Ok(());
        }
        if request.is(&Method::Cancel) {
            self.cancel_received(&key, now.mono);
        }
        let wishes = request.is(&Method::Register).then(|| self.ledger.wishes(request, &self.rules.domain)).flatten();
        if let Some(wishes) = &wishes {
            self.ledger.opened(key.clone(), wishes);
        }
        let served = Served {
            call_id: request.call_id().to_vec(),
            since: now.mono,
            source: packet.from.ip(),
            is_invite: is_invite(request),
            is_for_server: request.is(&Method::Register) || request.is(&Method::Cancel),
            max_forwards: request.max_forwards(),
            answered: Answered::Not,
            acknowledged_at: None,
            cancelled: false,
            refused_by_all: false,
            closed_at: None,
            branches: Vec::new(),
            targets: Vec::new(),
            is_murky: false,
            wishes,
        };
        self.step.accepted = Some(key.clone());
        self.servers.insert(key, served);
        Ok(())
    }

    fn cancel_received(&mut self, key: &Key, now: Micros) {
        self.step.cancels.push(key.clone());
        let rules = &self.rules;
        let invite = key.with_method(b"INVITE");
        let named = self.servers.get_mut(&invite).filter(|served| served.is_live(rules, now));
        if let Some(served) = named.filter(|served| served.answered == Answered::Not) {
            if !served.cancelled {
                self.step.cancelled = Some(invite.clone());
            }
            served.cancelled = true;
            served.closed_at = Some(now);
            self.step.touched.insert(invite.clone());
            self.deadlines.set(now.plus(self.rules.cancel_wait), invite);
        }
    }

    fn ack_received(&mut self, ack: &Request, key: &Key, packet: &Packet, now: Micros) {
        let rules = &self.rules;
        let invite = self.servers.get_mut(&key.with_method(b"INVITE")).filter(|served| served.is_live(rules, now));
        if let Some(served) = invite {
            match served.answered {
                Answered::Once { .. } => {
                    served.acknowledged_at.get_or_insert(now);
                    return;
                }
                Answered::Not => return,
                Answered::Accepted { .. } => {}
            }
        }
        let seen = (ack.call_id().to_vec(), key.branch.clone());
        self.acks_seen.insert(seen.clone());
        if !packet.damaged && self.is_by_our_route(ack) {
            self.step.relayed_acks.push(seen);
        }
    }

    /// Whether the way of an ACK leads through a Record-Route of ours to an address.
    fn is_by_our_route(&self, ack: &Request) -> bool {
        let Some(ours) = self.routes.get(ack.call_id()) else { return false };
        let mut written = Vec::new();
        let mut routes = ack.addresses(HeaderId::Route).peekable();
        let by_us = routes.peek().is_some()
            && routes.all(|route| {
                written.clear();
                route.is_ok_and(|route| {
                    route.write(&mut written);
                    ours.contains(&written)
                })
            });
        let to_an_address = ack.request_uri().is_ok_and(|uri| {
            uri.as_sip().is_some_and(|uri| matches!(uri.host(), ringback_message::Host::Address(_)) && !uri.secure)
        });
        by_us && to_an_address && ack.max_forwards() != Some(0)
    }

    pub(super) fn response_sent(&mut self, response: &Response, packet: &Packet, now: Now) -> Verdict {
        let status = response.status().as_u16();
        // To what can't be read.
        if self.step.stateless.take() == Some(packet.to.ip()) {
            return Ok(());
        }
        let Some(key) = Key::of(&response.top_via(), response.cseq_method()) else {
            return self.answers_old(packet);
        };
        let known = if self.servers.contains_key(&key) { Some(key) } else { self.murky_twin(&key, packet.to.ip()) };
        let Some(key) = known else {
            return violated(Invariant::OnlyWhoAsked, call_id(packet), format!("{status} answers nothing that came"));
        };
        self.judged(Invariant::NeverChallenged);
        let challenges = matches!(status, 401 | 407) && key.method == b"CANCEL";
        if key.method == b"ACK" || challenges {
            let detail = format!("{status} to {}", String::from_utf8_lossy(&key.method));
            return violated(Invariant::NeverChallenged, call_id(packet), detail);
        }
        self.step.cancels.retain(|cancel| *cancel != key);
        let Some(served) = self.servers.get(&key) else { return Ok(()) };
        if served.source != packet.to.ip() {
            let detail = format!("{status} goes to {}, its request came from {}", packet.to, served.source);
            return violated(Invariant::OnlyWhoAsked, call_id(packet), detail);
        }
        if response.status().is_provisional() {
            return self.provisional_sent(&key, status, packet);
        }
        if !served.is_invite {
            let is_late = served.answered == Answered::Not && now.mono >= served.since.plus(self.rules.t1_64);
            let after = now.mono.since(served.since);
            self.judged(Invariant::NothingAfterTime);
            if status == 408 || is_late {
                let detail = format!("{status} {after} after the request");
                return violated(Invariant::NothingAfterTime, call_id(packet), detail);
            }
        }
        self.final_sent(&key, response, packet, now)
    }

    fn final_sent(&mut self, key: &Key, response: &Response, packet: &Packet, now: Now) -> Verdict {
        self.judged(Invariant::OneFinal);
        let Some(served) = self.servers.get(key) else { return Ok(()) };
        let (status, is_success) = (response.status().as_u16(), response.status().is_success());
        if !served.is_live(&self.rules, now.mono) {
            return violated(Invariant::OneFinal, call_id(packet), format!("{status} when the transaction is over"));
        }
        match &served.answered {
            Answered::Once { bytes, .. } if *bytes == packet.bytes => Ok(()),
            Answered::Once { bytes, .. } => {
                let first = String::from_utf8_lossy(bytes.get(8..11).unwrap_or_default()).into_owned();
                violated(Invariant::OneFinal, call_id(packet), format!("{status} after another response, a {first}"))
            }
            Answered::Accepted { .. } if !is_success => {
                violated(Invariant::OneFinal, call_id(packet), format!("{status} after a 2xx"))
            }
            Answered::Accepted { .. } => self.success_sent(key, response, now.mono),
            Answered::Not if served.is_invite && is_success => {
                self.success_sent(key, response, now.mono)?;
                if let Some(served) = self.servers.get_mut(key) {
                    served.answered = Answered::Accepted { at: now.mono };
                }
                self.closed(key, now.mono);
                Ok(())
            }
            Answered::Not => {
                self.only_final_sent(key, response, now)?;
                if let Some(served) = self.servers.get_mut(key) {
                    served.answered = Answered::Once { bytes: packet.bytes.clone(), at: now.mono };
                }
                self.ledger.closed(key);
                Ok(())
            }
        }
    }

    /// The model keeps no account of elements of RFC 2543: they may be answered if they ever asked.
    fn answers_old(&self, packet: &Packet) -> Verdict {
        if self.askers.contains(&packet.to.ip()) {
            return Ok(());
        }
        violated(Invariant::OnlyWhoAsked, call_id(packet), format!("{} never asked", packet.to))
    }

    /// A damaged response may carry another sent-by back than the one that came.
    fn murky_twin(&self, key: &Key, source: IpAddr) -> Option<Key> {
        let twin = |other: &&Key| other.branch == key.branch && other.method == key.method;
        let of_source =
            |other: &&Key| self.servers.get(other).is_some_and(|served| served.is_murky && served.source == source);
        self.servers.keys().filter(twin).find(of_source).cloned()
    }

    fn provisional_sent(&mut self, key: &Key, status: u16, packet: &Packet) -> Verdict {
        self.judged(Invariant::NoProvisionalAfterFinal);
        if self.servers.get(key).is_some_and(|served| served.answered != Answered::Not) {
            return violated(Invariant::NoProvisionalAfterFinal, call_id(packet), format!("{status} after the final"));
        }
        if let Some(at) = self.step.provisionals.iter().position(|owed| owed.0 == *key && owed.1 == status) {
            self.step.provisionals.remove(at);
        }
        Ok(())
    }

    /// The first final response other than a 2xx to INVITE.
    fn only_final_sent(&mut self, key: &Key, response: &Response, now: Now) -> Verdict {
        let Some(served) = self.servers.get(key).cloned() else { return Ok(()) };
        if !served.branches.is_empty() && !served.is_murky {
            self.judged(Invariant::BestResponse);
            self.judged(Invariant::TargetsTried);
            self.is_best(&served, response, now.mono)?;
        }
        if let Some(wishes) = &served.wishes
            && response.status().is_success()
        {
            self.judged(Invariant::DurableFirst);
            self.ledger.acknowledged(wishes, response, now)?;
        }
        Ok(())
    }

    pub(super) fn closed(&mut self, key: &Key, now: Micros) {
        if let Some(served) = self.servers.get_mut(key) {
            served.closed_at = Some(now);
            self.step.touched.insert(key.clone());
            self.deadlines.set(now.plus(self.rules.cancel_wait), key.clone());
        }
    }
}

//! Requests that the server sends on, and what comes back on them.

use std::net::SocketAddr;

use bytes::Bytes;
use ringback_base::Micros;
use ringback_message::{AuthParams, HeaderId, Method, Request, Response};

use super::served::{Answered, Target};
use super::{Checker, Invariant, Key, Rules, Verdict, call_id, is_invite, second_via, values, violated};
use crate::net::{Content, Packet};

/// How far a branch is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    Calling,
    Proceeding,
    /// A final response other than a 2xx to INVITE.
    Completed {
        at: Micros,
        status: u16,
        to_tag: Vec<u8>,
        challenges: Vec<Vec<u8>>,
    },
    /// A 2xx to INVITE.
    Accepted {
        at: Micros,
    },
    /// It could not be sent.
    Failed,
}

/// What a branch that is over counts as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome<'a> {
    Open,
    Received {
        status: u16,
        to_tag: &'a [u8],
        challenges: &'a [Vec<u8>],
    },
    /// As if a 408 had come.
    TimedOut,
    /// As if a 503 had come.
    Unsent,
    Accepted,
}

/// One client transaction, as the model sees it.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) call_id: Vec<u8>,
    from_tag: Vec<u8>,
    cseq: u32,
    pub(super) upstream: Key,
    pub(super) uri: Vec<u8>,
    to: SocketAddr,
    bytes: Bytes,
    pub(super) is_invite: bool,
    pub(super) state: State,
    sent_at: Micros,
    /// Of the last provisional response, 100 included.
    provisional_at: Option<Micros>,
    /// Of the last one that stops Timer C, or of the request.
    timer_c_from: Micros,
    pub(super) cancelled_at: Option<Micros>,
}

impl Branch {
    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Calling | State::Proceeding)
    }

    pub(super) fn outcome(&self, rules: &Rules, now: Micros) -> Outcome<'_> {
        match &self.state {
            State::Completed { status, to_tag, challenges, .. } => {
                Outcome::Received { status: *status, to_tag, challenges }
            }
            State::Accepted { .. } => Outcome::Accepted,
            State::Failed => Outcome::Unsent,
            State::Proceeding if self.is_invite => match self.cancelled_at {
                Some(at) if now >= at.plus(rules.cancel_wait) => Outcome::TimedOut,
                _ => Outcome::Open,
            },
            State::Calling | State::Proceeding if now >= self.sent_at.plus(rules.t1_64) => Outcome::TimedOut,
            State::Calling | State::Proceeding => Outcome::Open,
        }
    }

    /// Whether its transaction is sure to take in what comes.
    fn is_live(&self, rules: &Rules, now: Micros) -> bool {
        let end = match (&self.state, self.is_invite) {
            (State::Failed, _) => return false,
            (State::Proceeding, true) => match self.cancelled_at {
                Some(at) => at.plus(rules.t1_64),
                None => return true,
            },
            (State::Calling | State::Proceeding, _) => self.sent_at.plus(rules.t1_64),
            (State::Accepted { at }, _) | (State::Completed { at, .. }, true) => at.plus(rules.t1_64),
            (State::Completed { at, .. }, false) => at.plus(rules.t4),
        };
        now < end
    }
}

/// What a response asks of the server, as long as everything is in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owed {
    /// That it goes back: a provisional one, or a 2xx to INVITE.
    Passing,
    /// That it is acknowledged.
    Ack,
    /// Nothing at once.
    Nothing,
}

impl Branch {
    /// Whether a response repeats what it must of the request.
    fn is_answered_by(&self, response: &Response, method: &[u8]) -> bool {
        self.call_id == response.call_id()
            && self.from_tag == response.from_tag().unwrap_or_default()
            && self.cseq == response.cseq()
            && second_via(response).and_then(|via| Key::of(&via, method)).is_some_and(|via| via == self.upstream)
    }

    /// Takes in a response; `None` where it changes nothing and asks for nothing.
    fn takes(&mut self, response: &Response, rules: &Rules, now: Micros) -> Option<Owed> {
        let live = self.is_live(rules, now);
        // Timed out or unsent. What was cancelled long ago may be gone or not.
        if !live && self.cancelled_at.is_none() {
            return None;
        }
        let status = response.status().as_u16();
        let if_live = |owed| if live { owed } else { Owed::Nothing };
        match (&self.state, status) {
            (State::Calling | State::Proceeding, 100..=199) => {
                self.state = State::Proceeding;
                self.provisional_at = Some(now);
                if status == 100 {
                    return Some(Owed::Nothing);
                }
                self.timer_c_from = now;
                Some(if_live(Owed::Passing))
            }
            (State::Calling | State::Proceeding, 200..=299) if self.is_invite => {
                self.state = State::Accepted { at: now };
                Some(if_live(Owed::Passing))
            }
            (State::Accepted { .. }, 200..=299) => Some(if_live(Owed::Passing)),
            (State::Calling | State::Proceeding, _) => {
                let ids = [HeaderId::WwwAuthenticate, HeaderId::ProxyAuthenticate];
                let to_tag = response.to_tag().unwrap_or_default().to_vec();
                let challenges = values(response, &ids).collect();
                self.state = State::Completed { at: now, status, to_tag, challenges };
                Some(if self.is_invite { if_live(Owed::Ack) } else { Owed::Nothing })
            }
            (State::Completed { .. }, 300..=699) if self.is_invite => Some(if_live(Owed::Ack)),
            _ => None,
        }
    }
}

impl Checker {
    pub(super) fn request_sent(&mut self, request: &Request, packet: &Packet, now: Micros) -> Verdict {
        let branch = request.branch().unwrap_or_default().to_ascii_lowercase();
        if request.is(&Method::Ack) {
            return self.ack_sent(request, &branch, packet);
        }
        if request.is(&Method::Cancel) {
            return self.cancel_sent(&branch, packet, now);
        }
        let method = request.method_text().unwrap_or_default().to_vec();
        if let Some(before) = self.clients.get(&(branch.clone(), method.clone())) {
            return if before.bytes == packet.bytes {
                Ok(())
            } else {
                violated(Invariant::OnlyWhoAsked, call_id(packet), "a branch is used for two requests")
            };
        }
        let upstream = second_via(request).map(|via| Key::of(&via, &method));
        if let Some(None) = upstream {
            self.untracked.insert(branch);
            return Ok(());
        }
        let Some(upstream) = upstream.flatten().filter(|key| self.servers.contains_key(key)) else {
            return violated(Invariant::OnlyWhoAsked, call_id(packet), "a request is sent that nobody asked for");
        };
        self.branch_may_start(request, &upstream, packet, now)?;
        if let Some(served) = self.servers.get_mut(&upstream) {
            served.branches.push(branch.clone());
        }
        let wait = if is_invite(request) { self.rules.timer_c } else { self.rules.t1_64 };
        for span in [self.rules.t1_64, wait] {
            self.deadlines.set(now.plus(span), upstream.clone());
        }
        for route in request.addresses(HeaderId::RecordRoute).filter_map(Result::ok) {
            let mut written = Vec::new();
            route.write(&mut written);
            self.routes.entry(request.call_id().to_vec()).or_default().insert(written);
        }
        let branch_seen = Branch {
            call_id: request.call_id().to_vec(),
            from_tag: request.from_tag().unwrap_or_default().to_vec(),
            cseq: request.cseq(),
            upstream,
            uri: request.request_uri_text().to_vec(),
            to: packet.to,
            bytes: packet.bytes.clone(),
            is_invite: is_invite(request),
            state: State::Calling,
            sent_at: now,
            provisional_at: None,
            timer_c_from: now,
            cancelled_at: None,
        };
        self.clients.insert((branch, method), branch_seen);
        Ok(())
    }

    fn branch_may_start(&mut self, request: &Request, upstream: &Key, packet: &Packet, now: Micros) -> Verdict {
        self.judged(Invariant::NoOpenRelay);
        self.judged(Invariant::CredentialsEndHere);
        let Some(served) = self.servers.get_mut(upstream) else { return Ok(()) };
        let source = served.source();
        if self.strangers.contains_key(&source) {
            return violated(Invariant::NoOpenRelay, call_id(packet), format!("{source} has a request relayed"));
        }
        let ours = |header: ringback_message::Header<'_>, realm: &[u8]| {
            AuthParams::parse(header.id(), header.value(), header.offset())
                .is_ok_and(|params| params.unquoted(b"realm") == Some(realm))
        };
        if request.all(HeaderId::ProxyAuthorization).any(|header| ours(header, &self.rules.realm)) {
            return violated(Invariant::CredentialsEndHere, call_id(packet), "credentials for our realm go on");
        }
        if served.answered != Answered::Not {
            return violated(Invariant::OneFinal, call_id(packet), "a branch starts when the request is answered");
        }
        if served.is_closed() && !served.is_murky {
            return violated(Invariant::LosersCancelled, call_id(packet), "a branch starts when no more may");
        }
        let left = served.max_forwards.map_or(70, |left| left.saturating_sub(1));
        if request.max_forwards() != Some(left) && !served.is_murky {
            return violated(Invariant::TargetsTried, call_id(packet), "Max-Forwards is not one less");
        }
        if served.branches.is_empty() {
            served.targets.clone_from(&self.step.bindings);
            self.step.started.insert(upstream.clone());
        }
        let served = served.clone();
        self.is_its_turn(&served, request, packet, now)
    }

    /// Targets of one preference start together, those of the next when these are over.
    fn is_its_turn(&self, served: &super::Served, request: &Request, packet: &Packet, now: Micros) -> Verdict {
        if served.targets.is_empty() {
            return Ok(());
        }
        let preference = |uri: &[u8]| served.targets.iter().find(|target| target.uri == uri).map(|target| target.q);
        let Some(q) = preference(request.request_uri_text()) else {
            let uri = String::from_utf8_lossy(request.request_uri_text()).into_owned();
            return violated(Invariant::TargetsTried, call_id(packet), format!("{uri} is no binding"));
        };
        let method = request.method_text().unwrap_or_default();
        let tried = |uri: &[u8]| {
            served.branches.iter().filter_map(|branch| self.clients.get(&(branch.clone(), method.to_vec()))).any(
                |branch| {
                    let over = branch.outcome(&self.rules, now) != Outcome::Open;
                    branch.uri == uri && (over || preference(&branch.uri) == Some(q))
                },
            )
        };
        let mut before = served.targets.iter().filter(|target| target.q > q && !target.is_name);
        match before.find(|target| !tried(&target.uri)) {
            Some(target) if !served.is_murky => {
                let uri = String::from_utf8_lossy(&target.uri).into_owned();
                violated(Invariant::TargetsTried, call_id(packet), format!("{uri} is wanted more and not over"))
            }
            _ => Ok(()),
        }
    }

    fn ack_sent(&mut self, ack: &Request, branch: &[u8], packet: &Packet) -> Verdict {
        self.judged(Invariant::AckSent);
        if let Some(at) = self.step.acks.iter().position(|owed| owed == branch) {
            self.step.acks.remove(at);
        }
        if self.untracked.contains(branch) {
            return Ok(());
        }
        if let Some(client) = self.clients.get(&(branch.to_vec(), b"INVITE".to_vec())) {
            return match client.state {
                State::Completed { .. } => Ok(()),
                _ => violated(Invariant::AckSent, call_id(packet), "an ACK for no failure"),
            };
        }
        let via = second_via(ack).and_then(|via| via.branch().map(<[u8]>::to_ascii_lowercase)).unwrap_or_default();
        let relayed = (ack.call_id().to_vec(), via);
        if let Some(at) = self.step.relayed_acks.iter().position(|owed| *owed == relayed) {
            self.step.relayed_acks.remove(at);
            return Ok(());
        }
        if self.acks_seen.contains(&relayed) {
            return Ok(());
        }
        violated(Invariant::OnlyWhoAsked, call_id(packet), "an ACK is sent that nobody sent")
    }

    fn cancel_sent(&mut self, branch: &[u8], packet: &Packet, now: Micros) -> Verdict {
        let (cancel_wait, timer_c) = (self.rules.cancel_wait, self.rules.timer_c);
        if self.untracked.contains(branch) {
            return Ok(());
        }
        let Some(client) = self.clients.get_mut(&(branch.to_vec(), b"INVITE".to_vec())) else {
            return violated(Invariant::LosersCancelled, call_id(packet), "a CANCEL for nothing");
        };
        if client.cancelled_at.is_some() {
            return Ok(());
        }
        if client.state != State::Proceeding || client.provisional_at.is_none() {
            let detail = format!("a CANCEL when the branch is {:?}", client.state);
            return violated(Invariant::LosersCancelled, call_id(packet), detail);
        }
        client.cancelled_at = Some(now);
        let key = client.upstream.clone();
        let is_due = now >= client.timer_c_from.plus(timer_c);
        self.deadlines.set(now.plus(cancel_wait), key.clone());
        self.judged(Invariant::LosersCancelled);
        let closed = self.servers.get(&key).is_none_or(|served| served.is_closed() || served.is_murky);
        if closed || is_due {
            Ok(())
        } else {
            violated(Invariant::LosersCancelled, call_id(packet), "a CANCEL for a branch that may still win")
        }
    }

    pub(super) fn response_received(&mut self, response: &Response, packet: &Packet, now: Micros) -> Verdict {
        let branch = response.branch().unwrap_or_default().to_ascii_lowercase();
        let key = (branch.clone(), response.cseq_method().to_vec());
        let Some(client) = self.clients.get_mut(&key) else { return Ok(()) };
        let upstream = client.upstream.clone();
        let is_sound = !packet.damaged && client.is_answered_by(response, &key.1);
        let live = client.is_live(&self.rules, now);
        let Some(owed) = client.takes(response, &self.rules, now) else { return Ok(()) };
        let is_provisional = response.status().is_provisional();
        if is_provisional && client.is_invite {
            self.deadlines.set(now.plus(self.rules.timer_c), upstream.clone());
        }
        self.step.touched.insert(upstream.clone());
        let Some(served) = self.servers.get_mut(&upstream) else { return Ok(()) };
        let upstream_lives = served.is_live(&self.rules, now);
        served.is_murky |= !is_sound || !live;
        let counts = !served.is_murky;
        let status = response.status().as_u16();
        served.refused_by_all |= status >= 600;
        let open = served.answered == Answered::Not;
        let refused = matches!(served.answered, Answered::Once { .. });
        if status >= 600 || owed == Owed::Passing && !is_provisional {
            self.closed(&upstream, now);
        }
        match owed {
            Owed::Passing if is_provisional && counts && open && upstream_lives => {
                self.judged(Invariant::ProvisionalPassed);
                self.step.provisionals.push((upstream, status));
            }
            Owed::Passing if !is_provisional && refused => {
                self.successes_too_late = self.successes_too_late.saturating_add(1);
            }
            Owed::Passing if !is_provisional && counts && upstream_lives => {
                self.step.successes.push((upstream, response.to_tag().unwrap_or_default().to_vec()));
            }
            Owed::Ack if counts => self.step.acks.push(branch),
            _ => {}
        }
        Ok(())
    }

    /// What the server sent arrives as something else, so that what comes back answers something else.
    pub(crate) fn arrives_damaged(&mut self, packet: &Packet) {
        if let Content::Request(request) = packet.content() {
            let branch = request.branch().unwrap_or_default().to_ascii_lowercase();
            let key = (branch, request.method_text().unwrap_or_default().to_vec());
            let served = self.clients.get(&key).and_then(|client| self.servers.get_mut(&client.upstream));
            served.into_iter().for_each(|served| served.is_murky = true);
        }
    }

    pub(super) fn branches_failed(&mut self, remote: SocketAddr) {
        for branch in self.clients.values_mut().filter(|branch| branch.to == remote) {
            let fails = branch.state == State::Calling || (branch.state == State::Proceeding && !branch.is_invite);
            if fails {
                branch.state = State::Failed;
                self.step.touched.insert(branch.upstream.clone());
            }
        }
    }

    /// A 2xx goes back.
    pub(super) fn success_sent(&mut self, key: &Key, response: &Response, now: Micros) -> Verdict {
        self.judged(Invariant::NoSuccessDropped);
        let tag = response.to_tag().unwrap_or_default();
        if let Some(at) = self.step.successes.iter().position(|owed| owed.0 == *key && owed.1 == tag) {
            self.step.successes.remove(at);
            return Ok(());
        }
        let Some(served) = self.servers.get(key) else { return Ok(()) };
        if served.is_murky {
            return Ok(());
        }
        let detail = format!("a 2xx that did not come, at {now}");
        violated(Invariant::NoSuccessDropped, Some(response.call_id()), detail)
    }

    /// What the step owed.
    pub(super) fn debts_are_paid(&mut self, may_cancel: bool, now: Micros) -> Verdict {
        let step = std::mem::take(&mut self.step);
        let of = |key: &Key| self.servers.get(key).map(|served| &served.call_id[..]);
        if let Some((key, tag)) = step.successes.first() {
            let detail = format!("a 2xx with tag {} stays here", tag.escape_ascii());
            return violated(Invariant::NoSuccessDropped, of(key), detail);
        }
        if let Some((key, status)) = step.provisionals.first() {
            return violated(Invariant::ProvisionalPassed, of(key), format!("a {status} stays here"));
        }
        if let Some(branch) = step.acks.first() {
            let client = self.clients.get(&(branch.clone(), b"INVITE".to_vec()));
            return violated(Invariant::AckSent, client.map(|c| &c.call_id[..]), "a failure is not acknowledged");
        }
        if let Some((call_id, _)) = step.relayed_acks.first() {
            return violated(Invariant::AckSent, Some(call_id), "an ACK for a 2xx is not passed on");
        }
        if let Some(key) = step.cancels.first() {
            return violated(Invariant::Answered, of(key), "a CANCEL is not answered");
        }
        for key in step.touched {
            self.judged(Invariant::Answered);
            self.is_settled(&key, step.started.contains(&key), may_cancel, now)?;
        }
        Ok(())
    }

    fn is_settled(&mut self, key: &Key, started: bool, may_cancel: bool, now: Micros) -> Verdict {
        let Some(served) = self.servers.get(key) else { return Ok(()) };
        if served.branches.is_empty() || served.is_murky {
            return Ok(());
        }
        let call_id = Some(&served.call_id[..]);
        let branches: Vec<&Branch> = self.branches_of(key).collect();
        let losing =
            |branch: &&&Branch| branch.is_invite && branch.state == State::Proceeding && branch.cancelled_at.is_none();
        if served.is_invite && may_cancel {
            let overdue =
                |branch: &&&Branch| branch.provisional_at.is_some_and(|at| now >= at.plus(self.rules.timer_c));
            if served.is_closed() && branches.iter().any(|branch| losing(&branch)) {
                return violated(Invariant::LosersCancelled, call_id, "a branch can't win and is not cancelled");
            }
            if branches.iter().filter(losing).any(|branch| overdue(&branch)) {
                return violated(Invariant::LosersCancelled, call_id, "Timer C has passed and nothing is cancelled");
            }
        }
        if started && !served.is_closed() {
            let first = served.targets.iter().map(|target| target.q).max();
            let wanted = served.targets.iter().filter(|target| Some(target.q) == first && !target.is_name);
            for Target { uri, .. } in wanted.take(self.rules.branches_max) {
                if !branches.iter().any(|branch| branch.uri == *uri) && may_cancel {
                    let detail = format!("{} is not tried", String::from_utf8_lossy(uri));
                    return violated(Invariant::TargetsTried, call_id, detail);
                }
            }
        }
        let cancelled_lately = served.closed_at.is_some_and(|at| now < at.plus(self.rules.cancel_wait));
        let outcomes: Vec<Outcome<'_>> = branches.iter().map(|branch| branch.outcome(&self.rules, now)).collect();
        let over = outcomes.iter().all(|outcome| *outcome != Outcome::Open);
        let timed_out = outcomes.contains(&Outcome::TimedOut);
        let untried = |target: &&Target| !branches.iter().any(|branch| branch.uri == target.uri);
        // A name is perhaps still being looked up.
        let looks_up = served.targets.iter().filter(untried).any(|target| target.is_name);
        let exhausted = !looks_up && (served.is_closed() || served.targets.iter().find(untried).is_none());
        let speaks = served.is_invite
            || (now < served.since.plus(self.rules.t1_64)
                && outcomes.iter().any(|outcome| match outcome {
                    Outcome::Received { status, .. } => *status != 408,
                    Outcome::Unsent => true,
                    _ => false,
                }));
        let waits = timed_out && cancelled_lately;
        if over && exhausted && speaks && !waits && served.answered == Answered::Not {
            return violated(Invariant::Answered, call_id, "all branches are over, and nothing goes back");
        }
        Ok(())
    }

    pub(super) fn branches_of(&self, key: &Key) -> impl Iterator<Item = &Branch> {
        let served = self.servers.get(key);
        let branches = served.into_iter().flat_map(|served| served.branches.iter());
        branches.filter_map(|branch| self.clients.get(&(branch.clone(), key.method.clone())))
    }
}

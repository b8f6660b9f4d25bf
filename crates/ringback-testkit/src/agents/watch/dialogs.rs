//! Dialogs as their messages make them: CSeq, RSeq, ACK, BYE.

use std::collections::{BTreeMap, BTreeSet};

use ringback_base::Micros;
use ringback_message::header::RAck;
use ringback_message::{Method, Request, Response};

use super::offers::Open;
use super::{Watch, rseq};
use crate::check::{Invariant, Verdict, violated};

/// Call-ID and tags as the agent sees them; the other side's is empty before there is one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DialogKey {
    pub(crate) call_id: Vec<u8>,
    pub(crate) local: Vec<u8>,
    pub(crate) remote: Vec<u8>,
}

impl DialogKey {
    pub(super) fn of_id(id: ringback_ua::DialogId<'_>) -> DialogKey {
        DialogKey::new(id.call_id, Some(id.local_tag), Some(id.remote_tag))
    }

    pub(super) fn of_sent(request: &Request) -> DialogKey {
        let (local, remote) = (request.from_tag(), request.to_tag());
        DialogKey::new(request.call_id(), local, remote)
    }

    pub(super) fn of_received(request: &Request) -> DialogKey {
        DialogKey::new(request.call_id(), request.to_tag(), request.from_tag())
    }

    /// Of a response that came in.
    pub(super) fn of_answer(response: &Response) -> DialogKey {
        DialogKey::new(response.call_id(), response.from_tag(), response.to_tag())
    }

    /// Of a response that left.
    pub(super) fn of_reply(response: &Response) -> DialogKey {
        DialogKey::new(response.call_id(), response.to_tag(), response.from_tag())
    }

    fn new(call_id: &[u8], local: Option<&[u8]>, remote: Option<&[u8]>) -> DialogKey {
        let text = |tag: Option<&[u8]>| tag.unwrap_or_default().to_vec();
        DialogKey { call_id: call_id.to_vec(), local: text(local), remote: text(remote) }
    }
}

/// The ACK for a 2xx.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Debt {
    /// The 2xx came damaged: it may have been read or not.
    Unclear,
    Owed,
    Paid,
}

/// A dialog.
#[derive(Debug, Default)]
pub(crate) struct Talk {
    cseq: Option<u32>,
    /// When the first 2xx to each INVITE of theirs left, and whether its ACK is here.
    pub(super) answered: BTreeMap<u32, (Micros, bool)>,
    /// The CSeq of their last INVITE. Nobody sends one before the last is answered, so that the 2xx to those below were heard.
    /// `[RFC 3261, Section 14.1]`
    invited: Option<u32>,
    /// The 2xx that came, by CSeq, and what is owed for it.
    pub(super) successes: BTreeMap<u32, Debt>,
    /// Whether the first INVITE made it, and an application has it or it was ended.
    is_made_here: bool,
    is_known: bool,
    /// A BYE went either way.
    pub(super) has_bye: bool,
    /// By the CSeq of their INVITE: the RSeq of the last reliable response of ours, and whether it is acknowledged.
    reliable_out: BTreeMap<u32, (u32, bool)>,
    /// By the CSeq of our INVITE: the RSeqs that came, and the last that was acknowledged.
    reliable_in: BTreeMap<u32, (BTreeSet<u32>, Option<u32>)>,
    pub(super) open: Option<Open>,
    /// The last description that left: version and text.
    pub(super) described: Option<(u64, Vec<u8>)>,
    /// The INVITEs of ours, by CSeq, in whose responses they have offered.
    pub(super) offered_in: BTreeSet<u32>,
    /// Its first INVITE has been looked at for an offer.
    pub(super) is_begun: bool,
}

impl Watch {
    pub(super) fn talk(&mut self, key: DialogKey) -> &mut Talk {
        self.talks.entry(key).or_default()
    }

    pub(super) fn cseq_sent(&mut self, request: &Request) -> Verdict {
        self.judged(Invariant::CSeqRises);
        let key = DialogKey::of_sent(request);
        // A dialog goes on from the number of the INVITE that made it.
        let first = DialogKey { remote: Vec::new(), ..key.clone() };
        let before = self.talks.get(&key).and_then(|talk| talk.cseq);
        // A damaged 2xx without a tag has made a dialog that looks as if it were the first INVITE.
        let is_clear = !self.unclear.contains(&key.call_id);
        let before = before.or_else(|| self.talks.get(&first).and_then(|talk| talk.cseq).filter(|_| is_clear));
        if before.is_some_and(|before| request.cseq() <= before) {
            let detail = format!("{} {} after {}", request.method().as_str(), request.cseq(), before.unwrap_or(0));
            return violated(Invariant::CSeqRises, Some(request.call_id()), detail);
        }
        self.talk(key).cseq = Some(request.cseq());
        Ok(())
    }

    pub(super) fn invite_sent(&mut self, request: &Request) -> Verdict {
        if request.to_tag().is_none() {
            return Ok(());
        }
        self.judged(Invariant::OneInvite);
        let key = DialogKey::of_sent(request);
        let is_ours = self.asked.values().any(|asked| {
            asked.request.is(&Method::Invite) && asked.dialog == key && asked.last.is_none_or(|last| last < 200)
        });
        let is_theirs = self
            .served
            .values()
            .any(|served| served.request.is(&Method::Invite) && served.dialog == key && served.is_open());
        if is_ours || is_theirs {
            let whose = if is_ours { "ours" } else { "theirs" };
            return violated(
                Invariant::OneInvite,
                Some(request.call_id()),
                format!("an INVITE while {whose} is under way"),
            );
        }
        Ok(())
    }

    pub(super) fn invite_received(&mut self, request: &Request) {
        let talk = self.talk(DialogKey::of_received(request));
        talk.invited = talk.invited.max(Some(request.cseq()));
    }

    pub(super) fn success_received(&mut self, invite: &Request, response: &Response, _at: Micros) {
        let key = DialogKey::of_answer(response);
        if key.remote.is_empty() {
            return;
        }
        let is_first = invite.to_tag().is_none();
        let talk = self.talk(key.clone());
        talk.is_made_here |= is_first;
        // Where the ACK waits for the application, so does that for each repetition.
        let debt = talk.successes.entry(response.cseq()).or_insert(Debt::Owed);
        let is_paid = *debt == Debt::Paid;
        if !is_paid {
            *debt = Debt::Owed;
        }
        self.judged(Invariant::SuccessAcknowledged);
        if is_paid {
            self.owed = Some((key, response.cseq()));
        }
    }

    /// What is damaged may be acknowledged, as far as it can be read.
    pub(super) fn damaged_success_received(&mut self, invite: &Request, response: &Response) {
        for key in [DialogKey::of_sent(invite), DialogKey::of_answer(response)] {
            for cseq in [invite.cseq(), response.cseq()] {
                self.talk(key.clone()).successes.entry(cseq).or_insert(Debt::Unclear);
            }
        }
    }

    pub(super) fn ack_sent(&mut self, request: &Request) -> Verdict {
        let key = DialogKey::of_sent(request);
        if self.owed.as_ref().is_some_and(|(dialog, cseq)| *dialog == key && *cseq == request.cseq()) {
            self.owed = None;
        }
        let call_id = request.call_id().to_vec();
        let is_unclear = self.unclear.contains(&call_id);
        let is_first = match self.talk(key.clone()).successes.get_mut(&request.cseq()) {
            Some(debt) => std::mem::replace(debt, Debt::Paid) != Debt::Paid,
            None if is_unclear => return Ok(()),
            None => return violated(Invariant::SuccessAcknowledged, Some(&call_id), "an ACK for no 2xx"),
        };
        if is_first { self.ack_offer_sent(&key, request) } else { Ok(()) }
    }

    pub(super) fn ack_received(&mut self, request: &Request) {
        let key = DialogKey::of_received(request);
        let cseq = request.cseq();
        let Some(talk) = self.talks.get_mut(&key) else { return };
        let is_first = talk.answered.get_mut(&cseq).is_some_and(|(_, is_here)| !std::mem::replace(is_here, true));
        if is_first {
            talk.open.take_if(|open| *open == Open::ours_in_success(cseq));
        }
    }

    pub(super) fn success_sent(&mut self, invite: &Request, response: &Response, at: Micros) {
        let talk = self.talk(DialogKey::of_reply(response));
        talk.answered.entry(invite.cseq()).or_insert((at, false));
    }

    pub(super) fn bye_sent(&mut self, request: &Request, at: Micros) -> Verdict {
        self.judged(Invariant::ByeAfterAck);
        let t1_64 = self.t1_64;
        let call_id = request.call_id().to_vec();
        let is_clear = !self.unclear.contains(&call_id);
        let talk = self.talk(DialogKey::of_sent(request));
        let waits = |cseq: &u32, since: &Micros| talk.invited <= Some(*cseq) && at.since(*since) < t1_64;
        let early = talk.answered.iter().any(|(cseq, (since, is_here))| !is_here && waits(cseq, since));
        talk.has_bye = true;
        talk.is_known = true;
        // Which INVITE a damaged ACK was for, and which came damaged, nobody can tell.
        if early && is_clear {
            return violated(Invariant::ByeAfterAck, Some(&call_id), "a BYE before the ACK");
        }
        Ok(())
    }

    pub(super) fn is_the_applications(&mut self, response: &Response) {
        self.talk(DialogKey::of_answer(response)).is_known = true;
    }

    pub(super) fn provisional_sent(&mut self, invite: &Request, response: &Response) -> Verdict {
        let Some(number) = rseq(response).filter(|_| !self.unclear.contains(response.call_id())) else { return Ok(()) };
        self.judged(Invariant::ProvisionalOrder);
        let talk = self.talk(DialogKey::of_reply(response));
        let before = talk.reliable_out.insert(invite.cseq(), (number, false));
        match before {
            Some((last, _)) if last.checked_add(1) != Some(number) => {
                violated(Invariant::ProvisionalOrder, Some(response.call_id()), format!("RSeq {number} after {last}"))
            }
            Some((last, false)) => {
                let detail = format!("RSeq {number} while {last} is not acknowledged");
                violated(Invariant::ProvisionalOrder, Some(response.call_id()), detail)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn prack_received(&mut self, request: &Request) {
        let Ok(Some(rack)) = request.get::<RAck<&[u8]>>() else { return };
        let talk = self.talk(DialogKey::of_received(request));
        if let Some((number, acknowledged)) = talk.reliable_out.get_mut(&rack.cseq_number) {
            *acknowledged |= *number == rack.response_number;
        }
    }

    /// A reliable response came; true where it is the next in order.
    pub(super) fn reliable_received(&mut self, response: &Response, number: u32) -> bool {
        let talk = self.talk(DialogKey::of_answer(response));
        let (came, last) = talk.reliable_in.entry(response.cseq()).or_default();
        let is_next = match (*last, came.first()) {
            (Some(last), _) => last.checked_add(1) == Some(number),
            // Nothing is acknowledged yet: the first to come sets the number.
            (None, first) => first.is_none(),
        };
        came.insert(number);
        is_next
    }

    pub(super) fn prack_sent(&mut self, request: &Request) -> Verdict {
        self.judged(Invariant::ProvisionalOrder);
        let wrong = |detail: String| violated(Invariant::ProvisionalOrder, Some(request.call_id()), detail);
        let Ok(Some(rack)) = request.get::<RAck<&[u8]>>() else { return wrong("a PRACK without RAck".to_owned()) };
        let (number, cseq) = (rack.response_number, rack.cseq_number);
        if self.unclear.contains(request.call_id()) {
            return Ok(());
        }
        let talk = self.talk(DialogKey::of_sent(request));
        let (came, last) = talk.reliable_in.entry(cseq).or_default();
        if !came.contains(&number) {
            return wrong(format!("a PRACK for RSeq {number}, which never came"));
        }
        match last.replace(number) {
            Some(last) if last.checked_add(1) != Some(number) => {
                wrong(format!("a PRACK for RSeq {number} after {last}"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn talks_end(&mut self) -> Verdict {
        for (key, talk) in &self.talks {
            if talk.is_made_here && !talk.is_known {
                return violated(
                    Invariant::LosersEnded,
                    Some(&key.call_id),
                    "a 2xx made a dialog that nobody has ended",
                );
            }
            if let Some((cseq, _)) = talk.successes.iter().find(|(_, debt)| **debt == Debt::Owed) {
                let detail = format!("a 2xx to INVITE {cseq} was never acknowledged");
                return violated(Invariant::SuccessAcknowledged, Some(&key.call_id), detail);
            }
        }
        self.judged(Invariant::LosersEnded);
        Ok(())
    }

    /// Whether nothing is under way in a dialog.
    pub(crate) fn is_at_rest(&self, key: &DialogKey) -> bool {
        if self.unclear.contains(&key.call_id) {
            return false;
        }
        let asks = self.asked.values().any(|asked| asked.dialog == *key && asked.last.is_none_or(|last| last < 200));
        let serves = self.served.values().any(|served| served.dialog == *key && served.is_open());
        let Some(talk) = self.talks.get(key) else { return false };
        let waits = talk.answered.values().any(|(_, is_here)| !is_here)
            || talk.successes.values().any(|debt| *debt == Debt::Owed);
        !asks && !serves && !waits && !talk.has_bye && talk.open.is_none()
    }
}

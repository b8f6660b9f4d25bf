//! What outlives a session: the ACK that every repeated 2xx wants again, and what was open when the session ended.

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::Bytes;
use ringback_base::{Hop, Now};
use ringback_message::{HeaderId, Method, Request, RequestBuilder, Response, StatusCode};
use ringback_transaction::{ClientId, ServerId};

use super::UserAgent;
use super::leg::{Ack, Leg, Means};
use super::sending::Purpose;
use crate::dialog::{Dialog, DialogId};
use crate::event::SessionId;

/// An ACK that was sent, for as long as its INVITE may be answered again. `[RFC 3261, Section 13.2.2.4]`
#[derive(Debug)]
pub(crate) struct SentAck {
    session: Option<SessionId>,
    to_tag: Box<[u8]>,
    bytes: Bytes,
    hop: Hop,
}

/// What was open when a session ended.
#[derive(Debug)]
pub(crate) struct Remains {
    /// Requests of theirs that have no final response.
    open: Vec<ServerId>,
    /// A 2xx whose ACK has not been sent.
    ack: Option<(Dialog, Ack)>,
    /// An INVITE of ours that has no final response.
    client: Option<ClientId>,
}

impl UserAgent {
    /// The ACK for a 2xx: in no transaction, and repeated for each repeated 2xx.
    pub(crate) fn send_ack(&mut self, session: SessionId, answer: Option<Vec<u8>>, now: Now) {
        let Some(leg) = self.legs.get_mut(session.0) else { return };
        let Some(ack) = leg.ack.as_mut().filter(|ack| !ack.is_sent) else { return };
        ack.is_sent = true;
        let mut builder = acknowledging(&leg.dialog, ack);
        if let Some(answer) = answer {
            builder = builder.content_type("application/sdp").body(answer);
        }
        let (uri, client) = (leg.dialog.next_uri(), ack.client);
        self.send(Purpose::Ack(session, client), builder, &uri, now);
    }

    pub(crate) fn ack_addressed(
        &mut self,
        session: Option<SessionId>,
        client: Option<ClientId>,
        request: &Request,
        hop: Hop,
    ) {
        let bytes: Bytes = request.as_bytes().clone();
        let leg = session.and_then(|session| self.legs.get_mut(session.0));
        if let Some(ack) = leg.and_then(|leg| leg.ack.as_mut()).filter(|ack| ack.cseq == request.cseq()) {
            ack.sent = Some((bytes.clone(), hop));
        }
        // Where the transaction is gone, nothing comes by it any more.
        if let Some(client) = client.filter(|client| self.transactions.client_request(*client).is_some()) {
            let to_tag = request.to_tag().unwrap_or_default().into();
            self.acks.entry(client).or_default().push(SentAck { session, to_tag, bytes: bytes.clone(), hop });
        }
        self.transmit(bytes, hop);
    }

    /// Whether this 2xx was acknowledged before, or could not be: then it is now.
    pub(crate) fn is_repeated(&mut self, client: ClientId, response: &Response, now: Now) -> bool {
        let to_tag = response.to_tag().unwrap_or_default();
        let sent = self.acks.get(&client).and_then(|acks| acks.iter().find(|ack| *ack.to_tag == *to_tag));
        let Some((bytes, hop)) = sent.map(|ack| (ack.bytes.clone(), ack.hop)) else {
            return self.acknowledge_anew(client, response, now);
        };
        self.transmit(bytes, hop);
        true
    }

    /// The ACK for the 2xx to a re-INVITE can't be sent, as its Contact leads nowhere: that of the next one may.
    pub(crate) fn ack_failed(
        &mut self,
        session: Option<SessionId>,
        client: Option<ClientId>,
        dialog: Option<Box<Dialog>>,
    ) {
        // The first INVITE is still waited for: a further 2xx of it finds its way by that.
        let is_over = |client: &ClientId| !self.clients.contains_key(client);
        let is_open = |client: &ClientId| self.transactions.client_request(*client).is_some();
        let Some(client) = client.filter(is_over).filter(is_open) else { return };
        let leg = session.and_then(|session| self.legs.get(session.0));
        if let Some(dialog) = leg.map(|leg| Box::new(leg.dialog.clone())).or(dialog) {
            self.owed_acks.insert(client, dialog);
        }
    }

    /// The ACK that is owed for the 2xx before, by what this one says; where the session has ended over it, a BYE follows.
    /// `[RFC 3261, Section 13.2.2.4]`
    fn acknowledge_anew(&mut self, client: ClientId, response: &Response, now: Now) -> bool {
        let Some(mut dialog) = self.owed_acks.remove(&client) else { return false };
        let id = DialogId::of_response(response);
        let request = self.transactions.client_request(client).filter(|request| request.cseq() == response.cseq());
        let Some(request) = request.filter(|_| dialog.id() == id) else {
            self.owed_acks.insert(client, dialog);
            return false;
        };
        let ack = Ack::new(request.cseq(), Some(client), super::calling::credentials(request));
        dialog.refresh_target(response);
        let hangs_up = self.session_of(id).is_none().then_some(Purpose::StrayBye(None));
        self.dismiss(*dialog, ack, hangs_up, now);
        true
    }

    /// No 2xx to this INVITE comes any more, so nobody wants its ACKs again.
    pub(crate) fn forget_acks(&mut self, client: ClientId) {
        self.owed_acks.remove(&client);
        for session in self.acks.remove(&client).unwrap_or_default().into_iter().filter_map(|ack| ack.session) {
            if let Some(leg) = self.legs.get_mut(session.0) {
                leg.ack = leg.ack.take().filter(|ack| ack.client != Some(client));
            }
        }
    }

    pub(crate) fn acknowledge_again(&mut self, session: SessionId, cseq: u32) {
        let ack = self.legs.get(session.0).and_then(|leg| leg.ack.as_ref()).filter(|ack| ack.cseq == cseq);
        if let Some((bytes, hop)) = ack.and_then(|ack| ack.sent.clone()) {
            self.transmit(bytes, hop);
        }
    }

    /// A response that belongs to no transaction any more: of a 2xx that comes so late, the ACK was lost.
    pub(crate) fn stray_came(&mut self, response: &Response, _now: Now) {
        let is_it = response.status().is_success() && response.cseq_method() == b"INVITE";
        if let Some(session) = self.session_of(DialogId::of_response(response)).filter(|_| is_it) {
            self.acknowledge_again(session, response.cseq());
        }
    }

    /// The 2xx to a re-INVITE of a session that has ended meanwhile. `[RFC 3261, Section 13.2.2.4]`
    pub(crate) fn answered_too_late(
        &mut self,
        dialog: Dialog,
        request: &Request,
        response: &Response,
        client: Option<ClientId>,
        now: Now,
    ) {
        if request.is(&Method::Invite) && response.status().is_success() {
            let ack = Ack::new(response.cseq(), client, super::calling::credentials(request));
            self.dismiss(dialog, ack, None, now);
        }
    }

    /// Acknowledges a 2xx that no session wants, and ends its dialog by this BYE where nothing else will.
    pub(crate) fn dismiss(&mut self, mut dialog: Dialog, ack: Ack, bye: Option<Purpose>, now: Now) {
        let uri = dialog.next_uri();
        let builder = acknowledging(&dialog, &ack);
        let sending = self.send(Purpose::StrayAck(ack.client), builder, &uri, now);
        if let Some(purpose) = bye {
            dialog.sent(self.usages.cseq_used(dialog.id()));
            let bye = dialog.request(Method::Bye);
            self.usages.taken(dialog.id(), dialog.local_cseq());
            self.send(purpose, bye, &uri, now);
        }
        // Not known yet is where it leads.
        if let Some(sending) = self.sendings.get_mut(&sending) {
            sending.orphaned = Some(Box::new(dialog));
        }
    }

    /// What is open in a session that ends.
    pub(crate) fn leave(&mut self, leg: Leg) {
        if let Some(owed) = leg.ack.as_ref().and_then(|ack| self.owed_acks.get_mut(&ack.client?)) {
            // With the numbers that it has used since.
            **owed = leg.dialog.clone();
        }
        let ack = leg.ack.filter(|ack| !ack.is_sent);
        let asking = leg.asking.filter(|asking| asking.means == Means::Reinvite);
        let sending = asking.and_then(|asking| asking.sending);
        let mut client = None;
        if let Some(sending) = sending.and_then(|id| self.sendings.get_mut(&id)) {
            client = sending.client;
            sending.orphaned = Some(Box::new(leg.dialog.clone()));
        }
        let open: Vec<ServerId> = leg.serving.map(|serving| serving.id).into_iter().chain(leg.owed).collect();
        let ack = ack.map(|ack| (leg.dialog, *ack));
        if ack.is_some() || client.is_some() || !open.is_empty() {
            self.remains.push(Remains { open, ack, client });
        }
    }

    /// Does what is left to do for sessions that have ended.
    pub(crate) fn clear_away(&mut self, now: Now) {
        for remains in core::mem::take(&mut self.remains) {
            for id in remains.open {
                self.terminate(id, now);
            }
            if let Some((dialog, ack)) = remains.ack {
                self.dismiss(dialog, ack, None, now);
            }
            if let Some(client) = remains.client {
                self.transactions.abandon(client, now);
            }
        }
    }

    /// A request of theirs is not going to be answered otherwise. `[RFC 3261, Section 15.1.2]`
    pub(crate) fn terminate(&mut self, id: ServerId, now: Now) {
        if self.transactions.is_answered(id) {
            return;
        }
        if let Some(request) = self.transactions.server_request(id).cloned() {
            self.say(id, &request, StatusCode::RequestTerminated, |r| r, now);
        }
    }
}

fn acknowledging(dialog: &Dialog, ack: &Ack) -> RequestBuilder {
    let builder = dialog.ack(ack.cseq);
    ack.credentials.iter().fold(builder, |builder, (id, value): &(HeaderId, Box<[u8]>)| builder.raw(*id, value))
}

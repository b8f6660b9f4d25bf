//! The side that places calls. `[RFC 3261, Section 13.2]`

use ringback_base::{Micros, Now};
use ringback_message::{Request, Response};
use ringback_transaction::ClientId;

use super::dialog::{Dialog, DialogKey, text};
use super::diary::CallRecord;
use super::{Asked, Phone, Purpose, Task};

/// A call that is to be placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallPlan {
    /// Its number in the diary.
    pub number: u32,
    /// The user that is called.
    pub to: String,
    /// When the caller changes its mind, counted from the INVITE.
    pub cancel_after: Option<Micros>,
    /// When it gives up waiting.
    pub patience: Micros,
    /// When it hangs up, counted from the answer; never, where the other side is to.
    pub talk: Option<Micros>,
    /// When it sends a re-INVITE, counted from the answer.
    pub reinvite_after: Option<Micros>,
    /// The body of the INVITE.
    pub body: String,
}

impl CallPlan {
    /// A call that is ended by the caller three seconds after the answer.
    #[must_use]
    pub fn new(number: u32, to: &str) -> CallPlan {
        CallPlan {
            number,
            to: to.to_owned(),
            cancel_after: None,
            patience: Micros::from_secs(300),
            talk: Some(Micros::from_secs(3)),
            reinvite_after: None,
            body: String::new(),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    plan: CallPlan,
    client: Option<ClientId>,
    request: Request,
    provisional: bool,
    cancel_wanted: bool,
    cancelled: bool,
}

impl Phone {
    pub(super) fn call(&mut self, plan: &CallPlan, now: Now) {
        let number = plan.number;
        let uri = format!("sip:{}@{}", plan.to, self.line.domain);
        let call_id = format!("c{number}-{}@{}", self.random.token(), self.line.name);
        let from = format!("{};tag={}", self.own_address(), self.random.token());
        let content = if plan.body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let more = format!("Contact: <{}>\r\n{content}", self.contact());
        self.diary.calls.insert(number, CallRecord { to: plan.to.clone(), ..CallRecord::default() });
        let Some(request) = self.request("INVITE", &uri, (&from, &format!("<{uri}>")), &call_id, 1, &more, &plan.body)
        else {
            return self.record(number, |record| record.failed = true);
        };
        let request = self.with_remembered_credentials(request);
        let client = self.ask(&request, Asked { purpose: Purpose::Invite(number), tries: 0 }, now);
        let plan = plan.clone();
        let wait = plan.cancel_after.unwrap_or(plan.patience).min(plan.patience);
        self.tasks.set(now.mono.plus(wait), Task::Cancel(number));
        let out = Outgoing { plan, client, request, provisional: false, cancel_wanted: false, cancelled: false };
        self.outgoing.insert(number, out);
        if client.is_none() {
            self.record(number, |record| record.failed = true);
        }
    }

    pub(super) fn invite_again(&mut self, number: u32, client: Option<ClientId>, request: &Request, now: Now) {
        if client.is_none() {
            self.record(number, |record| record.failed = true);
        }
        let Some(out) = self.outgoing.get_mut(&number) else { return };
        out.client = client;
        out.request = request.clone();
        out.provisional = false;
        out.cancelled = false;
        // It waits for the first sign of life.
        if out.cancel_wanted {
            self.cancel(number, now);
        }
    }

    fn record(&mut self, number: u32, change: impl FnOnce(&mut CallRecord)) {
        if let Some(record) = self.diary.calls.get_mut(&number) {
            change(record);
        }
    }

    pub(super) fn on_invite_response(&mut self, number: u32, client: ClientId, response: &Response, now: Now) {
        let status = response.status();
        let Some(out) = self.outgoing.get_mut(&number) else { return };
        if out.client != Some(client) && !status.is_success() {
            return;
        }
        if status.is_provisional() {
            out.provisional = true;
            let cancel = out.cancel_wanted;
            self.record(number, |record| {
                let code = status.as_u16();
                if code != 100 && !record.provisional.contains(&code) {
                    record.provisional.push(code);
                }
            });
            if cancel {
                self.cancel(number, now);
            }
        } else if status.is_success() {
            self.on_answer(number, response, now);
        } else {
            self.record(number, |record| _ = record.status.get_or_insert(status.as_u16()));
        }
    }

    /// A 2xx: an ACK for each that comes, a dialog for each tag; of several dialogs the first one is kept.
    fn on_answer(&mut self, number: u32, response: &Response, now: Now) {
        let Some(out) = self.outgoing.get(&number) else { return };
        // Who answers another call than ours answers nobody.
        if response.call_id() != out.request.call_id() || response.from_tag() != out.request.from_tag() {
            return;
        }
        let Some(key) = DialogKey::of_response(response) else { return };
        if self.acknowledge_again(&key, response) {
            return;
        }
        let Some(out) = self.outgoing.get(&number) else { return };
        let plan = out.plan.clone();
        let unwanted = out.cancel_wanted;
        let dialog = Dialog::of_caller(response, &format!("sip:{}@{}", plan.to, self.line.domain), number);
        self.dialogs.insert(key.clone(), dialog);
        self.acknowledge(&key, response.cseq());
        let mut first = true;
        self.record(number, |record| {
            record.status.get_or_insert(response.status().as_u16());
            record.dialogs += 1;
            first = record.dialogs == 1;
        });
        if unwanted || !first {
            return self.hang_up(&key, now);
        }
        if let Some(after) = plan.reinvite_after {
            self.tasks.set(now.mono.plus(after), Task::Reinvite(key.clone()));
        }
        if let Some(talk) = plan.talk {
            self.tasks.set(now.mono.plus(talk), Task::HangUp(key));
        }
    }

    /// A response that the layer knows nothing of any more: a late 2xx still makes a session that must be ended.
    pub(super) fn on_stray(&mut self, response: &Response, now: Now) {
        if !response.status().is_success() || response.cseq_method() != b"INVITE" {
            return;
        }
        let call_id = response.call_id();
        let own = self.outgoing.iter().find(|(_, out)| out.request.call_id() == call_id);
        if let Some(number) = own.map(|(number, _)| *number) {
            if let Some(out) = self.outgoing.get_mut(&number) {
                out.cancel_wanted = true;
            }
            self.on_answer(number, response, now);
        } else if let Some(key) = DialogKey::of_response(response) {
            self.acknowledge_again(&key, response);
        }
    }

    /// Repeats the ACK for this 2xx; false where none was sent.
    fn acknowledge_again(&mut self, key: &DialogKey, response: &Response) -> bool {
        let ack = self.dialogs.get(key).and_then(|dialog| dialog.acks.get(&response.cseq()).cloned());
        if let Some(bytes) = ack.clone() {
            self.layer.send(bytes, ringback_base::Hop::udp(self.line.address, self.line.server));
        }
        ack.is_some()
    }

    fn acknowledge(&mut self, key: &DialogKey, cseq: u32) {
        let Some(dialog) = self.dialogs.get(key).cloned() else { return };
        let ends = (dialog.local.as_str(), dialog.remote.as_str());
        let ack = self.request("ACK", &dialog.target, ends, &key.call_id, cseq, &dialog.routes, "");
        if let (Some(ack), Some(dialog)) = (ack, self.dialogs.get_mut(key)) {
            dialog.acks.insert(cseq, ack.as_bytes().clone());
            self.layer.send(ack.as_bytes().clone(), ringback_base::Hop::udp(self.line.address, self.line.server));
        }
    }

    /// Gives up a call that is not answered, as soon as a provisional response allows it. `[RFC 3261, Section 9.1]`
    pub(super) fn cancel(&mut self, number: u32, now: Now) {
        if self.diary.calls.get(&number).is_none_or(CallRecord::is_over) {
            return;
        }
        let Some(out) = self.outgoing.get_mut(&number) else { return };
        out.cancel_wanted = true;
        let Some(client) = out.client.filter(|_| out.provisional && !out.cancelled) else { return };
        out.cancelled = true;
        if let Ok(cancel) = out.request.cancel() {
            self.record(number, |record| record.cancelled = true);
            self.ask(&cancel, Asked { purpose: Purpose::Cancel, tries: u8::MAX }, now);
        }
        self.tasks.set(now.mono.plus(self.timers_config.t1_64()), Task::Abandon(client));
    }

    pub(super) fn give_up(&mut self, client: ClientId, now: Now) {
        self.layer.abandon(client, now);
        let number = self.outgoing.iter().find(|(_, out)| out.client == Some(client)).map(|(number, _)| *number);
        if let Some(number) = number {
            self.record(number, |record| record.unanswered = record.status.is_none());
        }
    }

    pub(super) fn on_invite_failure(&mut self, number: u32, unsent: bool) {
        self.record(number, |record| {
            if !record.is_over() {
                record.failed = unsent;
                record.unanswered = !unsent;
            }
        });
    }

    pub(super) fn hang_up(&mut self, key: &DialogKey, now: Now) {
        if let Some(bye) = self.in_dialog("BYE", key, "")
            && let Some(dialog) = self.dialogs.get_mut(key)
        {
            dialog.is_over = true;
            self.ask(&bye, Asked { purpose: Purpose::Bye(key.clone()), tries: 0 }, now);
        }
    }

    pub(super) fn on_bye_response(&mut self, key: &DialogKey, status: ringback_message::StatusCode) {
        if let Some(number) = self.dialogs.get(key).and_then(|dialog| dialog.call).filter(|_| status.is_final()) {
            self.record(number, |record| _ = record.bye.get_or_insert(status.as_u16()));
        }
    }

    pub(super) fn reinvite(&mut self, key: &DialogKey, now: Now) {
        let more = format!("Contact: <{}>\r\n", self.contact());
        if let Some(invite) = self.in_dialog("INVITE", key, &more) {
            self.ask(&invite, Asked { purpose: Purpose::Reinvite(key.clone()), tries: 0 }, now);
        }
    }

    pub(super) fn on_reinvite_response(&mut self, key: &DialogKey, response: &Response, now: Now) {
        let status = response.status();
        if status.is_success() && !self.acknowledge_again(key, response) {
            self.acknowledge(key, response.cseq());
        }
        if status.is_final()
            && let Some(number) = self.dialogs.get(key).and_then(|dialog| dialog.call)
        {
            self.record(number, |record| record.reinvite = Some(status.as_u16()));
        }
        // The other side knows nothing of this dialog. [RFC 3261, Section 12.2.1.2]
        if matches!(status.as_u16(), 408 | 481) {
            self.hang_up(key, now);
        }
    }

    /// A request within a dialog that is not over.
    fn in_dialog(&mut self, method: &str, key: &DialogKey, more: &str) -> Option<Request> {
        let dialog = self.dialogs.get_mut(key).filter(|dialog| !dialog.is_over)?;
        dialog.cseq = dialog.cseq.checked_add(1)?;
        let dialog = dialog.clone();
        let more = format!("{}{more}", dialog.routes);
        let ends = (dialog.local.as_str(), dialog.remote.as_str());
        self.request(method, &dialog.target, ends, &key.call_id, dialog.cseq, &more, "")
    }

    /// The other side hung up. `[RFC 3261, Section 15.1.2]`
    pub(super) fn on_bye(&mut self, id: ringback_transaction::ServerId, request: &Request, now: Now) {
        let key = DialogKey::of_request(request);
        let Some(dialog) = key.as_ref().and_then(|key| self.dialogs.get_mut(key)) else {
            return self.respond(id, request, 481, &request.to_tag().map(text).unwrap_or_default(), now);
        };
        dialog.is_over = true;
        match dialog.call {
            Some(number) => self.record(number, |record| record.was_ended = true),
            None => self.diary.ended += 1,
        }
        if let Some(key) = key {
            self.unacknowledged.remove(&key);
            self.respond(id, request, 200, &key.local_tag, now);
        }
    }
}

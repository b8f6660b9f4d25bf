//! The side that is called. `[RFC 3261, Section 13.3]`

use ringback_base::Now;
use ringback_message::{Request, Response};
use ringback_transaction::ServerId;

use super::dialog::{Dialog, DialogKey, Unacknowledged, text};
use super::manners::Reaction;
use super::{Phone, Task};

/// A call that came in and has no final answer yet.
#[derive(Clone, Debug)]
pub(crate) struct Incoming {
    reaction: Reaction,
    tag: String,
    answered: bool,
    rings: u8,
}

/// How often a phone rings that rings often.
const RINGS: u8 = 6;

impl Phone {
    pub(super) fn on_invite(&mut self, id: ServerId, request: &Request, now: Now) {
        self.diary.rung += 1;
        let reaction = self.manners.react(&mut self.random);
        let tag = self.random.token();
        self.incoming.insert(id, Incoming { reaction, tag, answered: false, rings: 0 });
        if reaction == Reaction::Silent {
            return;
        }
        self.respond(id, request, 100, "", now);
        let rings = now.mono.plus(self.manners.rings_after.draw(&mut self.random));
        self.tasks.set(rings, Task::Ring(id));
        if !matches!(reaction, Reaction::Ring | Reaction::Deaf) {
            let answers = rings.plus(self.manners.answers_after.draw(&mut self.random));
            self.tasks.set(answers, Task::Answer(id));
        }
    }

    pub(super) fn ring(&mut self, id: ServerId, now: Now) {
        let Some(request) = self.layer.server_request(id).cloned() else { return };
        let Some(incoming) = self.incoming.get_mut(&id).filter(|incoming| !incoming.answered) else { return };
        incoming.rings = incoming.rings.saturating_add(1);
        let Incoming { reaction, tag, rings, .. } = incoming.clone();
        if reaction == Reaction::Garbage {
            if let Some(response) = self.response(&request, 180, &tag) {
                self.send_damaged(id, response.as_bytes());
            }
            return;
        }
        let code = if rings % 2 == 1 { 180 } else { 183 };
        self.respond(id, &request, code, &tag, now);
        if reaction == Reaction::RingOften && rings < RINGS {
            self.tasks.set(now.mono.plus(self.manners.rings_after.draw(&mut self.random)), Task::Ring(id));
        }
    }

    pub(super) fn answer_call(&mut self, id: ServerId, now: Now) {
        let Some(request) = self.layer.server_request(id).cloned() else { return };
        let Some(incoming) = self.incoming.get_mut(&id).filter(|incoming| !incoming.answered) else { return };
        incoming.answered = true;
        let Incoming { reaction, tag, .. } = incoming.clone();
        match reaction {
            Reaction::Refuse(code) => self.respond(id, &request, code, &tag, now),
            Reaction::Garbage => {
                // Now and then a whole one, so that the call ends.
                for code in [200, 486, 603] {
                    if let Some(response) = self.response(&request, code, &tag) {
                        self.send_damaged(id, response.as_bytes());
                    }
                }
                self.respond(id, &request, 488, &tag, now);
            }
            Reaction::AnswerTwice => {
                self.accept(id, &request, &tag, now);
                let second = format!("{tag}2");
                self.accept(id, &request, &second, now);
            }
            _ => self.accept(id, &request, &tag, now),
        }
    }

    /// 200, to be repeated until its ACK comes.
    fn accept(&mut self, id: ServerId, request: &Request, tag: &str, now: Now) {
        let Some(response) = self.response(request, 200, tag) else { return };
        self.diary.answered += 1;
        let key = DialogKey {
            call_id: text(request.call_id()),
            local_tag: tag.to_owned(),
            remote_tag: text(request.from_tag().unwrap_or_default()),
        };
        let fallback = format!("sip:{}", self.line.server);
        let dialog = Dialog::of_callee(request, &response, &fallback);
        self.dialogs.entry(key.clone()).or_insert(dialog);
        if self.manners.hangs_up.strikes(&mut self.random) {
            let after = self.manners.hangs_up_after.draw(&mut self.random);
            self.tasks.set(now.mono.plus(after), Task::HangUp(key.clone()));
        }
        self.await_ack(id, key, response, now);
    }

    fn await_ack(&mut self, id: ServerId, key: DialogKey, response: Response, now: Now) {
        _ = self.layer.respond(id, response.clone(), now);
        let interval = self.timers_config.t1();
        self.tasks.set(now.mono.plus(interval), Task::Repeat(key.clone()));
        let give_up_at = now.mono.plus(self.timers_config.t1_64());
        self.unacknowledged.insert(key, Unacknowledged { id, response, interval, give_up_at });
    }

    /// No ACK yet: the 2xx again, and after 64*T1 the end. `[RFC 3261, Section 13.3.1.4]`
    pub(super) fn repeat_answer(&mut self, key: &DialogKey, now: Now) {
        let Some(waiting) = self.unacknowledged.get_mut(key) else { return };
        if now.mono >= waiting.give_up_at {
            self.unacknowledged.remove(key);
            self.diary.unacknowledged += 1;
            return self.hang_up(key, now);
        }
        waiting.interval = waiting.interval.doubled().min(self.timers_config.t2());
        let (id, response, next) = (waiting.id, waiting.response.clone(), now.mono.plus(waiting.interval));
        self.tasks.set(next.min(waiting.give_up_at), Task::Repeat(key.clone()));
        _ = self.layer.respond(id, response, now);
    }

    pub(super) fn on_ack(&mut self, ack: &Request) {
        let Some(key) = DialogKey::of_request(ack) else { return };
        let cseq = ack.cseq();
        if self.unacknowledged.get(&key).is_some_and(|waiting| waiting.response.cseq() == cseq) {
            self.unacknowledged.remove(&key);
            self.diary.acknowledged += 1;
        }
    }

    pub(super) fn on_cancel(&mut self, id: ServerId, invite: Option<ServerId>, now: Now) {
        let Some(cancel) = self.layer.server_request(id).cloned() else { return };
        let Some(invite) = invite else { return self.respond(id, &cancel, 481, "", now) };
        self.respond(id, &cancel, 200, "", now);
        let Some(incoming) = self.incoming.get_mut(&invite).filter(|incoming| !incoming.answered) else { return };
        if matches!(incoming.reaction, Reaction::Deaf | Reaction::AnswerAnyway) {
            return;
        }
        incoming.answered = true;
        let tag = incoming.tag.clone();
        self.diary.cancelled += 1;
        if let Some(request) = self.layer.server_request(invite).cloned() {
            self.respond(invite, &request, 487, &tag, now);
        }
    }

    /// A re-INVITE is answered at once.
    pub(super) fn on_reinvite(&mut self, id: ServerId, request: &Request, now: Now) {
        let key = DialogKey::of_request(request);
        let known = key.filter(|key| self.dialogs.get(key).is_some_and(|dialog| !dialog.is_over));
        let Some(key) = known else { return self.respond(id, request, 481, "", now) };
        // The ACK of the first INVITE is still awaited. [RFC 3261, Section 14.2]
        if self.unacknowledged.contains_key(&key) {
            return self.respond(id, request, 491, &key.local_tag, now);
        }
        if let Some(response) = self.response(request, 200, &key.local_tag) {
            self.diary.answered += 1;
            self.await_ack(id, key, response, now);
        }
    }
}

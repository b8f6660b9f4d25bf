//! The registration of a phone. `[RFC 3261, Section 10.2]`

use ringback_base::{Micros, Now, Random, TimerId};
use ringback_message::{HeaderId, Response};

use super::{Asked, Line, Phone, Purpose, Task};
use crate::phone::manners::Span;

/// How often in a row a registration is tried again after something other than 200.
const RETRIES_MAX: u8 = 12;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    Nothing,
    Stay,
    Leave,
}

#[derive(Debug)]
pub(crate) struct Registration {
    call_id: String,
    tag: String,
    pub(super) cseq: u32,
    goal: Goal,
    expires_secs: u32,
    retries: u8,
    timer: Option<TimerId>,
}

impl Registration {
    pub(super) fn new(line: &Line, random: &mut Random) -> Registration {
        Registration {
            call_id: format!("r-{}@{}", random.token(), line.name),
            tag: random.token(),
            cseq: 0,
            goal: Goal::Nothing,
            expires_secs: line.expires_secs,
            retries: 0,
            timer: None,
        }
    }

    pub(super) fn stop(&mut self) {
        self.goal = Goal::Nothing;
    }
}

impl Phone {
    pub(super) fn register(&mut self, now: Now) {
        self.registration.goal = Goal::Stay;
        self.registration.retries = 0;
        self.refresh(now);
    }

    pub(super) fn unregister(&mut self, now: Now) {
        if self.registration.goal == Goal::Stay {
            self.registration.goal = Goal::Leave;
            self.registration.retries = 0;
            self.refresh(now);
        }
    }

    pub(super) fn fetch(&mut self, now: Now) {
        self.send_register("", now);
    }

    pub(super) fn refresh(&mut self, now: Now) {
        let expires_secs = match self.registration.goal {
            Goal::Nothing => return,
            Goal::Stay => self.registration.expires_secs,
            Goal::Leave => 0,
        };
        let q = self.line.q.map_or_else(String::new, |q| format!(";q={}.{:03}", q / 1_000, q % 1_000));
        let contact = format!("Contact: <{}>{q};expires={expires_secs}\r\n", self.contact());
        self.send_register(&contact, now);
    }

    fn send_register(&mut self, contact: &str, now: Now) {
        let uri = format!("sip:{}", self.line.domain);
        let own = self.own_address();
        let from = format!("{own};tag={}", self.registration.tag);
        self.registration.cseq = self.registration.cseq.saturating_add(1);
        let (call_id, cseq) = (self.registration.call_id.clone(), self.registration.cseq);
        let request = self.request("REGISTER", &uri, (&from, &own), &call_id, cseq, contact, "");
        if let Some(request) = request {
            self.ask(&request, Asked { purpose: Purpose::Register, tries: 0 }, now);
        }
    }

    pub(super) fn on_register_response(&mut self, response: &Response, now: Now) {
        let status = response.status().as_u16();
        match status {
            100..=199 => {}
            200..=299 => {
                self.diary.registered += 1;
                self.registration.retries = 0;
                match self.registration.goal {
                    Goal::Stay => {
                        let granted = self.granted_secs(response).unwrap_or(60);
                        let most = Micros::from_secs(u64::from(granted) * 95 / 100);
                        let span = Span { least: Micros::from_secs(u64::from(granted) / 2), most };
                        self.wait_for_refresh(span, now);
                    }
                    Goal::Leave => self.registration.goal = Goal::Nothing,
                    Goal::Nothing => {}
                }
            }
            423 => {
                let least = response.number(HeaderId::MinExpires).ok().flatten();
                self.registration.expires_secs = least.unwrap_or(3_600).max(self.registration.expires_secs);
                self.refresh_after_failure(Span::ms(10, 100), now);
            }
            403 | 404 => self.diary.not_registered += 1,
            401 | 407 => self.refresh_after_failure(Span::ms(20_000, 60_000), now),
            _ => self.refresh_after_failure(Span::ms(1_000, 9_000), now),
        }
    }

    pub(super) fn on_register_failure(&mut self, now: Now) {
        self.refresh_after_failure(Span::ms(1_000, 9_000), now);
    }

    fn refresh_after_failure(&mut self, span: Span, now: Now) {
        self.diary.not_registered += 1;
        self.registration.retries = self.registration.retries.saturating_add(1);
        if self.registration.retries <= RETRIES_MAX && self.registration.goal != Goal::Nothing {
            self.wait_for_refresh(span, now);
        }
    }

    fn wait_for_refresh(&mut self, span: Span, now: Now) {
        let at = now.mono.plus(span.draw(&mut self.random));
        let before = self.registration.timer.replace(self.tasks.set(at, Task::Refresh));
        before.and_then(|timer| self.tasks.stop(timer));
    }

    /// What the registrar made of our contact.
    fn granted_secs(&self, response: &Response) -> Option<u32> {
        let own = self.contact();
        response
            .addresses(HeaderId::Contact)
            .filter_map(Result::ok)
            .find(|address| {
                let mut uri = Vec::new();
                address.uri.write(&mut uri);
                uri == own.as_bytes()
            })
            .and_then(|address| address.expires_secs())
    }
}

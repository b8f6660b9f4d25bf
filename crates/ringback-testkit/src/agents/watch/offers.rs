//! Offers and answers as the messages carry them. `[RFC 3264, Section 4]` `[RFC 6337, Section 2]`

use ringback_message::{Message, Method, Request, Response};
use ringback_sdp::SessionDescription;

use super::dialogs::DialogKey;
use super::{Watch, rseq};
use crate::check::{Invariant, Key, Verdict, violated};

/// An offer that has no answer yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    is_ours: bool,
    carrier: Carrier,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Carrier {
    /// A request, by method and CSeq.
    Request(Method, u32),
    /// A response to the INVITE of this CSeq: a reliable provisional one, or the 2xx.
    Provisional(u32),
    Success(u32),
}

impl Open {
    fn ours(carrier: Carrier) -> Open {
        Open { is_ours: true, carrier }
    }

    fn theirs(carrier: Carrier) -> Open {
        Open { is_ours: false, carrier }
    }

    pub(super) fn ours_in_success(cseq: u32) -> Open {
        Open::ours(Carrier::Success(cseq))
    }

    /// It is what this request of ours carries.
    pub(super) fn is_in(&self, request: &Request) -> bool {
        self.is_ours && self.carrier == Carrier::Request(request.method(), request.cseq())
    }

    /// It fails where its INVITE or other request does.
    fn is_of(&self, method: &Method, cseq: u32) -> bool {
        match &self.carrier {
            Carrier::Request(of, number) => of == method && *number == cseq,
            Carrier::Provisional(number) | Carrier::Success(number) => *method == Method::Invite && *number == cseq,
        }
    }
}

fn describes(message: &Message) -> bool {
    !message.body().is_empty()
}

fn version(message: &Message) -> Option<u64> {
    let description = SessionDescription::parse(message.body()).ok()?;
    Some(description.origin().session_version.parse().unwrap_or(0))
}

impl Watch {
    /// A request is about to leave.
    pub(super) fn offer_sent(&mut self, request: &Request) -> Verdict {
        let key = DialogKey::of_sent(request);
        let may_offer = matches!(request.method(), Method::Invite | Method::Update | Method::Prack);
        if !may_offer || !describes(request) {
            return Ok(());
        }
        let carrier = Carrier::Request(request.method(), request.cseq());
        if request.is(&Method::Prack) {
            let talk = self.talk(key.clone());
            if matches!(&talk.open, Some(Open { is_ours: false, carrier: Carrier::Provisional(_) })) {
                talk.open = None;
                return self.description_sent(&key, request);
            }
        }
        self.offers(&key, carrier, request)
    }

    /// An offer of ours leaves: no other may be open.
    fn offers(&mut self, key: &DialogKey, carrier: Carrier, message: &Message) -> Verdict {
        self.judged(Invariant::OneOffer);
        // The first INVITE is sent again with credentials: of the offer before, a 401 or 407 has made an end.
        let is_clear = !key.remote.is_empty() && !self.unclear.contains(&key.call_id);
        let talk = self.talk(key.clone());
        if let Some(open) = talk.open.as_ref().filter(|_| is_clear) {
            let detail = format!("an offer in {carrier:?} while {open:?} is open");
            return violated(Invariant::OneOffer, Some(&key.call_id), detail);
        }
        talk.open = Some(Open::ours(carrier));
        self.description_sent(key, message)
    }

    /// The version of what leaves. `[RFC 3264, Section 8]`
    fn description_sent(&mut self, key: &DialogKey, message: &Message) -> Verdict {
        let Some(version) = version(message) else { return Ok(()) };
        let text = message.body().to_vec();
        self.judged(Invariant::VersionsRise);
        // What the first INVITE said is said in each dialog that it makes. A dialog of damaged messages may have no tag either, and go on
        // by itself.
        let first = DialogKey { remote: Vec::new(), ..key.clone() };
        let is_clear = !self.unclear.contains(&key.call_id);
        let before = self.talks.get(&first).and_then(|talk| talk.described.clone()).filter(|_| is_clear);
        let talk = self.talk(key.clone());
        let before = talk.described.take().or(before);
        talk.described = Some((version, text.clone()));
        match before {
            Some((last, same)) if version == last && same != text => violated(
                Invariant::VersionsRise,
                Some(&key.call_id),
                format!("version {version} twice, and not the same"),
            ),
            Some((last, _)) if version != last && last.checked_add(1) != Some(version) => {
                violated(Invariant::VersionsRise, Some(&key.call_id), format!("version {version} after {last}"))
            }
            _ => Ok(()),
        }
    }

    /// The version of what leaves in a response to nothing that is known here, which may be a 2xx from before that is repeated.
    pub(super) fn stray_description_sent(&mut self, response: &Response) -> Verdict {
        let key = DialogKey::of_reply(response);
        let last = self.talks.get(&key).and_then(|talk| talk.described.as_ref()).map(|(last, _)| *last);
        if version(response) < last { Ok(()) } else { self.description_sent(&key, response) }
    }

    /// What is damaged may have said anything of offers, in whatever dialog of its call.
    pub(super) fn open_is_unclear(&mut self, request: &Request) {
        for (_, talk) in self.talks.iter_mut().filter(|(key, _)| key.call_id == request.call_id()) {
            talk.open = None;
        }
        self.unclear.insert(request.call_id().to_vec());
    }

    /// Whatever a damaged response says of its call, its branch may still be right.
    pub(super) fn call_is_unclear(&mut self, response: &Response) {
        let via = response.top_via();
        let branch = via.branch().unwrap_or_default();
        let named = self.asked.values().filter(|asked| asked.request.top_via().branch() == Some(branch));
        let calls: Vec<Vec<u8>> = named.map(|asked| asked.request.call_id().to_vec()).collect();
        self.unclear.extend(calls);
    }

    /// A new request came in. True where it has an offer while one is open.
    pub(super) fn offer_received(&mut self, request: &Request) -> bool {
        let key = DialogKey::of_received(request);
        match request.method() {
            Method::Prack => self.prack_received(request),
            Method::Bye => self.talk(key.clone()).has_bye = true,
            _ => {}
        }
        let offers = matches!(request.method(), Method::Invite | Method::Update | Method::Prack);
        if key.local.is_empty() || !offers || !describes(request) {
            return false;
        }
        let is_unclear = self.unclear.contains(&key.call_id);
        let Some(talk) = self.talks.get_mut(&key) else { return false };
        match &talk.open {
            _ if is_unclear => false,
            // The answer to ours; it is taken, or not, by the response.
            Some(Open { is_ours: true, carrier: Carrier::Provisional(_) }) if request.is(&Method::Prack) => false,
            Some(_) => true,
            None => {
                talk.open = Some(Open::theirs(Carrier::Request(request.method(), request.cseq())));
                false
            }
        }
    }

    /// A response leaves that has not left before.
    pub(super) fn answer_sent(&mut self, key: &Key, request: &Request, response: &Response) -> Verdict {
        let status = response.status().as_u16();
        let dialog = DialogKey::of_reply(response);
        let (method, cseq) = (request.method(), request.cseq());
        if dialog.local.is_empty() || status == 100 {
            return Ok(());
        }
        if !matches!(method, Method::Invite | Method::Update | Method::Prack) {
            return Ok(());
        }
        let begins = request.to_tag().is_none() && method == Method::Invite;
        let talk = self.talk(dialog.clone());
        if begins && !std::mem::replace(&mut talk.is_begun, true) && describes(request) {
            talk.open = Some(Open::theirs(Carrier::Request(method.clone(), cseq)));
        }
        if status >= 300 {
            talk.open.take_if(|open| open.is_of(&method, cseq));
            return Ok(());
        }
        let is_sure = status >= 200 || rseq(response).is_some();
        let open = talk.open.clone();
        match (open, describes(response)) {
            (Some(open), true) if !open.is_ours && open.is_of(&method, cseq) => {
                talk.open.take_if(|_| is_sure);
                self.description_sent(&dialog, response)
            }
            (Some(open), false) if !open.is_ours && open.is_of(&method, cseq) && status >= 200 => {
                // Answered before, in a response that was not sure to arrive.
                talk.open = None;
                Ok(())
            }
            (Some(Open { is_ours: true, carrier: Carrier::Provisional(_) }), false) if method == Method::Prack => {
                talk.open = None;
                Ok(())
            }
            (_, true) if method == Method::Invite && !describes(request) && is_sure => {
                let has_offered = self.served.get_mut(key).map(|s| std::mem::replace(&mut s.has_offered, true));
                if has_offered == Some(true) {
                    return self.description_sent(&dialog, response);
                }
                let carrier = if status < 200 { Carrier::Provisional(cseq) } else { Carrier::Success(cseq) };
                self.offers(&dialog, carrier, response)
            }
            (_, true) => self.description_sent(&dialog, response),
            (_, false) => Ok(()),
        }
    }

    /// A response came in to a request of ours.
    pub(super) fn answer_received(&mut self, request: &Request, response: &Response) {
        let status = response.status().as_u16();
        let (method, cseq) = (request.method(), request.cseq());
        let key = DialogKey::of_answer(response);
        if !matches!(method, Method::Invite | Method::Update | Method::Prack) || status == 100 {
            return;
        }
        if status >= 300 {
            return self.offer_fails(request);
        }
        if key.remote.is_empty() {
            return;
        }
        let number = rseq(response).filter(|_| method == Method::Invite);
        if number.is_some_and(|number| !self.reliable_received(response, number)) {
            return;
        }
        let begins = request.to_tag().is_none() && method == Method::Invite;
        let talk = self.talk(key);
        if begins && !std::mem::replace(&mut talk.is_begun, true) && describes(request) {
            talk.open = Some(Open::ours(Carrier::Request(method.clone(), cseq)));
        }
        let is_sure = status >= 200 || number.is_some();
        match &talk.open {
            Some(open) if open.is_ours && open.is_of(&method, cseq) => {
                talk.open.take_if(|_| describes(response) || status >= 200);
            }
            None if method == Method::Invite && !describes(request) && describes(response) && is_sure => {
                let is_new = talk.offered_in.insert(cseq);
                let carrier = if status < 200 { Carrier::Provisional(cseq) } else { Carrier::Success(cseq) };
                if is_new {
                    talk.open = Some(Open::theirs(carrier));
                }
            }
            _ => {}
        }
    }

    /// A request of ours has failed, and its offer with it: by its branch, whatever a damaged request made the response copy. Of the first
    /// INVITE, every dialog that it has made is over.
    pub(super) fn offer_fails(&mut self, request: &Request) {
        let key = DialogKey::of_sent(request);
        let is_it = |dialog: &DialogKey| dialog.call_id == key.call_id && dialog.local == key.local;
        for (dialog, talk) in self.talks.iter_mut().filter(|(dialog, _)| is_it(dialog)) {
            if request.to_tag().is_none() || dialog.remote == key.remote {
                talk.open.take_if(|open| open.is_of(&request.method(), request.cseq()));
            }
        }
    }

    /// The first ACK for a 2xx: with the answer to its offer, or without where that is refused.
    pub(super) fn ack_offer_sent(&mut self, key: &DialogKey, request: &Request) -> Verdict {
        let open = Open::theirs(Carrier::Success(request.cseq()));
        self.talk(key.clone()).open.take_if(|it| *it == open);
        if describes(request) { self.description_sent(key, request) } else { Ok(()) }
    }
}

//! Subscriptions and transfers on a wire that loses and repeats: whatever happens, nothing is left in the end.

use ringback_base::{Micros, Random};
use ringback_message::{HeaderId, Method, Request, Response, StatusCode, header};
use ringback_ua::{
    Admission, EndReason, Event, EventState, Failure, Media, Outbound, Package, ReferSubscription, SessionId,
    SubscriberId, SubscriptionId, TerminationReason,
};

use crate::net::{FORK, Net, sound, uri};

/// A run is a pure function of its seed.
struct Run {
    net: Net,
    random: Random,
    sessions: Vec<(usize, SessionId)>,
    subscribers: Vec<(usize, SubscriberId)>,
    subscriptions: Vec<(usize, SubscriptionId)>,
    notified: usize,
    followed: usize,
}

impl Run {
    fn new(seed: u8) -> Run {
        let mut net = Net::new(3);
        for agent in &mut net.agents {
            agent.set_packages(vec![Package::new("presence", "text/plain")]).unwrap();
        }
        let mut wire = Random::from_seed([seed; 32]);
        let percent = u64::from(seed) % 40;
        net.fate = Box::new(move |_| match wire.below(100) {
            n if n < percent => 0,
            n if n < percent + 10 => 2,
            _ => 1,
        });
        let random = Random::from_seed([seed ^ 0xff; 32]);
        let (sessions, subscribers, subscriptions) = (Vec::new(), Vec::new(), Vec::new());
        Run { net, random, sessions, subscribers, subscriptions, notified: 0, followed: 0 }
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.random.below(u64::try_from(bound).unwrap())).unwrap()
    }

    fn other(&mut self, agent: usize) -> usize {
        (agent + 1 + self.below(2)) % 3
    }

    /// Whatever the application is asked for, it does.
    fn serve(&mut self) {
        for agent in 0..3 {
            while let Some(event) = self.net.take(agent) {
                let now = self.net.now;
                let it = &mut self.net.agents[agent];
                match event {
                    Event::SubscriptionWanted { id, .. } => {
                        let admission = Admission::Granted(state(self.random.next_u64()));
                        if let Ok(granted) = it.grant_subscription(id, admission, now) {
                            self.subscriptions.push((agent, granted));
                        }
                    }
                    Event::ReferWanted { id, .. } => {
                        self.followed += usize::from(it.follow(id, &uri(agent), sound(agent), now).is_ok());
                    }
                    Event::Incoming { session, .. } => {
                        _ = it.ring(session, StatusCode::Ringing, Media::None, now);
                        _ = match self.random.below(4) {
                            0 => it.reject(session, StatusCode::BusyHere, |r| r, now),
                            _ => it.answer(session, sound(agent), now),
                        };
                    }
                    Event::Answered { session, .. } | Event::Confirmed { session } => {
                        self.sessions.push((agent, session));
                    }
                    Event::Subscriber { .. } => self.notified += 1,
                    Event::Request { id, .. } => _ = it.respond(id, StatusCode::NotImplemented, |r| r, now),
                    _ => {}
                }
            }
        }
    }

    fn act(&mut self) {
        let agent = self.below(3);
        let (other, now) = (self.other(agent), self.net.now);
        let outbound = Outbound::new(&uri(agent), &uri(other));
        let pick = self.below(9);
        let at = self.below(1_000);
        let it = &mut self.net.agents[agent];
        match pick {
            0 => _ = it.invite(&outbound, sound(agent), now),
            1 | 2 => {
                let event = header::Event::new("presence");
                let subscriber =
                    it.subscribe(&outbound, event, |config| config.conditional = at.is_multiple_of(2), now).unwrap();
                self.subscribers.push((agent, subscriber));
            }
            3 if !self.sessions.is_empty() => {
                let (agent, session) = self.sessions[at % self.sessions.len()];
                let kinds = [ReferSubscription::Implicit, ReferSubscription::Unwanted, ReferSubscription::Explicit];
                let refer_to = format!("<{}>", uri((agent + 1 + at % 2) % 3));
                _ = self.net.agents[agent].refer(session, &refer_to, kinds[at % 3], now);
            }
            4 if self.sessions.len() > 1 => {
                let (agent, session) = self.sessions[at % self.sessions.len()];
                let mine: Vec<SessionId> = self.sessions.iter().filter(|one| one.0 == agent).map(|one| one.1).collect();
                _ = self.net.agents[agent].transfer(session, mine[at % mine.len()], now);
            }
            5 if !self.sessions.is_empty() => {
                let (agent, session) = self.sessions.swap_remove(at % self.sessions.len());
                _ = self.net.agents[agent].hang_up(session, now);
            }
            6 if !self.subscribers.is_empty() => {
                let (agent, subscriber) = self.subscribers.swap_remove(at % self.subscribers.len());
                _ = self.net.agents[agent].unsubscribe(subscriber, now);
            }
            7 if !self.subscriptions.is_empty() => {
                let (agent, subscription) = self.subscriptions[at % self.subscriptions.len()];
                let text = state(self.random.next_u64());
                self.net.agents[agent].change_state(subscription, text, now);
            }
            8 if !self.subscriptions.is_empty() => {
                let (agent, subscription) = self.subscriptions.swap_remove(at % self.subscriptions.len());
                let reasons =
                    [TerminationReason::Deactivated, TerminationReason::Probation, TerminationReason::Rejected];
                let it = &mut self.net.agents[agent];
                it.end_subscription(subscription, reasons[at % 3], Some(5), at.is_multiple_of(2), now);
            }
            _ => {}
        }
    }

    fn pass(&mut self, steps: usize, step: Micros) {
        for _ in 0..steps {
            self.net.run(step);
            self.serve();
        }
    }

    fn end(&mut self) {
        let now = self.net.now;
        for (agent, subscriber) in core::mem::take(&mut self.subscribers) {
            _ = self.net.agents[agent].unsubscribe(subscriber, now);
        }
        self.pass(300, Micros::from_ms(500));
        for (agent, session) in core::mem::take(&mut self.sessions) {
            _ = self.net.agents[agent].hang_up(session, self.net.now);
        }
        // The longest that anything lasts that nobody refreshes.
        self.pass(100, Micros::from_secs(40));
        for (agent, session) in core::mem::take(&mut self.sessions) {
            _ = self.net.agents[agent].hang_up(session, self.net.now);
        }
        self.pass(10, Micros::from_secs(40));
    }
}

fn state(random: u64) -> EventState {
    let text = format!("{}", random % 3);
    EventState::new("text/plain", text.clone().into_bytes()).with_etag(&text)
}

#[test]
fn nothing_is_left_in_the_end() {
    let (mut notified, mut followed) = (0, 0);
    for seed in 0..60 {
        let mut run = Run::new(seed);
        for _ in 0..60 {
            run.act();
            let ms = [0, 20, 400, 5_000, 60_000][run.below(5)];
            run.net.run(Micros::from_ms(ms));
            run.serve();
        }
        run.end();
        run.net.assert_idle();
        notified += run.notified;
        followed += run.followed;
    }
    println!("60 runs: {notified} notifications and ends of subscriptions, {followed} REFERs followed");
    assert!(notified > 1_000 && followed > 50, "{notified} {followed}");
}

/// A wire that damages the Call-ID of what makes a dialog: nobody's dialog comes of it, and the 200 that comes whole makes the right
/// one.
#[test]
fn a_200_with_another_call_id_makes_no_dialog() {
    let damage = Some((b"Call-ID: ".to_vec(), b"Call-ID: x".to_vec()));
    let mut net = Net::new(2);
    net.rewrite.clone_from(&damage);
    net.invite(0, 1, sound(0));
    net.settle();
    let callee = net.incoming(1);
    net.agents[1].ring(callee, StatusCode::Ringing, Media::None, net.now).unwrap();
    net.agents[1].answer(callee, sound(1), net.now).unwrap();
    net.settle();
    assert_eq!(net.ladder, ["a INVITE b", "b 100 a", "b 180 a", "b 200 a"]);
    assert_eq!(net.agents[0].session_len(), 0);
    net.rewrite = None;
    net.settle();
    net.answered(0);
    net.confirmed(1);

    let mut net = Net::new(2);
    net.rewrite = damage;
    net.invite(0, 1, sound(0));
    net.settle();
    let callee = net.incoming(1);
    net.agents[1].answer(callee, sound(1), net.now).unwrap();
    net.run(Micros::from_secs(40));
    let failure = net.event(0, |event| match event {
        Event::InviteFailed { failure, .. } => Some(failure.clone()),
        _ => None,
    });
    assert!(matches!(failure, Failure::Timeout(_)), "{failure:?}");
    net.rewrite = None;
    net.assert_idle();
}

/// Whatever damage has made of what it says: it came by our branch, and the callee is to hear that we gave up.
#[test]
fn a_100_of_another_call_lets_the_cancel_go() {
    let mut net = Net::new(2);
    let invite = net.invite(0, 1, sound(0));
    net.run(Micros::from_ms(1));
    net.wire.clear();
    let asked = Request::check(net.sent[0].clone()).unwrap();
    let other = ringback_message::Edit::new(&asked).set(HeaderId::CallId, b"another").finish().unwrap();
    let trying = Response::to(&other, StatusCode::Trying).build().unwrap();
    net.send_by_hand(1, 0, std::str::from_utf8(trying.as_bytes()).unwrap());
    net.settle();
    assert_eq!(net.take(0), None);
    net.agents[0].cancel(invite, None, net.now).unwrap();
    net.settle();
    assert_eq!(net.ladder.last().unwrap(), "b 481 a");
    net.assert_idle();
}

/// A call that stands, where the first 200 to a re-INVITE of the callee comes with a name for a Contact, which leads nowhere.
fn with_a_contact_that_leads_nowhere() -> Net {
    let mut net = Net::new(2);
    let (_, callee) = net.call(0, 1);
    net.has_names = true;
    net.rewrite = Some((b"sip:a@192.0.2.1:5060>\r\nAllow".to_vec(), b"sip:a@192.0.2.o:5060>\r\nAllow".to_vec()));
    net.agents[1].reinvite(callee, sound(1), net.now).unwrap();
    net.run(Micros::from_ms(50));
    let caller = net.any_session(0).unwrap();
    net.agents[0].accept(caller, sound(0), net.now).unwrap();
    net.run(Micros::from_ms(50));
    assert_eq!(net.ladder, ["b INVITE a", "a 100 b", "a 200 b"]);
    assert!(matches!(net.ended(1), EndReason::Gone(Failure::NoRoute)));
    net
}

/// `[RFC 3261, Section 13.2.2.4]`
#[test]
fn a_200_whose_contact_led_nowhere_is_acknowledged_and_ended_when_it_comes_whole() {
    let mut net = with_a_contact_that_leads_nowhere();
    net.rewrite = None;
    // Its ACK is lost once.
    let mut losses = 1;
    net.fate = Box::new(move |message| {
        let is_lost = message.method() == Some(Method::Ack) && losses > 0;
        losses -= i32::from(is_lost);
        usize::from(!is_lost)
    });
    net.run(Micros::from_secs(2));
    assert_eq!(net.ladder[3..], ["a 200 b", "b ACK a", "b BYE a", "a 200 b"]);
    let numbers: Vec<&[u8]> = ["ACK", "BYE"]
        .iter()
        .map(|method| net.sent.iter().rfind(|message| message.method_text() == Some(method.as_bytes())).unwrap())
        .map(|message| message.first(HeaderId::CSeq).unwrap().value())
        .collect();
    assert_eq!(numbers, [&b"1 ACK"[..], b"3 BYE"], "the BYE that led nowhere had a number too");
    assert!(matches!(net.ended(0), EndReason::RemoteBye(_)));
    net.assert_idle();
}

/// It comes again and again, and never whole: then there is nobody to tell, and nothing is kept.
#[test]
fn a_200_whose_contact_leads_nowhere_for_good_leaves_nothing() {
    let mut net = with_a_contact_that_leads_nowhere();
    net.run(Micros::from_secs(33));
    assert!(net.ladder.iter().filter(|line| *line == "a 200 b").count() > 5, "{:?}", net.ladder);
    assert!(!net.ladder.contains(&"b ACK a".to_owned()));
    net.assert_idle();
}

/// A 200 that has lost the tag of To, which the 180 had, is not that of an element of RFC 2543.
#[test]
fn a_200_that_has_lost_its_tag_makes_no_dialog() {
    let mut net = Net::new(2);
    net.invite(0, 1, sound(0));
    net.settle();
    let callee = net.incoming(1);
    net.agents[1].ring(callee, StatusCode::Ringing, Media::None, net.now).unwrap();
    net.settle();
    net.rewrite = Some((b";tag=".to_vec(), b";ta=".to_vec()));
    net.agents[1].answer(callee, sound(1), net.now).unwrap();
    net.run(Micros::from_ms(50));
    assert_eq!(net.ladder, ["a INVITE b", "b 100 a", "b 180 a", "b 200 a"]);
    net.rewrite = None;
    net.run(Micros::from_ms(600));
    let caller = net.answered(0);
    net.confirmed(1);
    net.agents[0].hang_up(caller, net.now).unwrap();
    net.settle();
    assert_eq!(net.ladder[4..], ["b 200 a", "a ACK b", "a BYE b", "b 200 a"]);
    net.assert_idle();
}

/// Of two phones that ring, one is of RFC 2543 and answers without a tag: it has the call. `[RFC 3261, Section 12.1.2]`
#[test]
fn a_200_without_a_tag_from_somebody_else_makes_a_dialog() {
    let mut net = Net::new(3);
    net.agents[0].invite(&Outbound::new(&uri(0), &format!("sip:all@{FORK}")), sound(0), net.now).unwrap();
    net.settle();
    let [first, old] = [net.incoming(1), net.incoming(2)];
    net.agents[1].ring(first, StatusCode::Ringing, Media::None, net.now).unwrap();
    net.settle();
    net.rewrite = Some((b";tag=".to_vec(), b";ta=".to_vec()));
    net.agents[2].answer(old, sound(2), net.now).unwrap();
    net.run(Micros::from_ms(50));
    let caller = net.answered(0);
    assert!(net.agents[0].dialog(caller).unwrap().id().remote_tag.is_empty());
    assert_eq!(net.ladder.last().unwrap(), "a ACK c");
}

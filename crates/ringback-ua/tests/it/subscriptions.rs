//! SUBSCRIBE, NOTIFY and PUBLISH between user agents. RFC 6665, RFC 5839, RFC 3903

use std::cell::Cell;
use std::rc::Rc;

use ringback_auth::{Account, Password};
use ringback_base::Micros;
use ringback_message::header::{self, WwwAuthenticate};
use ringback_message::{HeaderId, Method, StatusCode};
use ringback_ua::{
    Admission, Again, Event, EventState, NotifierState, Outbound, Package, PublicationTold, SubscriberConfig,
    SubscriberId, SubscriberState, SubscriberTold, SubscriptionEndReason, SubscriptionId, TerminationReason,
    rule_publish,
};

use crate::net::{FORK, Net, uri};

const PIDF: &str = "application/pidf+xml";

fn presence() -> header::Event {
    header::Event::new("presence")
}

/// Agents of which all but the first tell of presence.
fn net(count: usize) -> Net {
    let mut net = Net::new(count);
    for agent in &mut net.agents[1..] {
        agent.set_packages(vec![Package::new("presence", PIDF)]).unwrap();
    }
    net
}

fn subscribe(net: &mut Net, to: &str, change: impl FnOnce(&mut SubscriberConfig)) -> SubscriberId {
    let id = net.agents[0].subscribe(&Outbound::new(&uri(0), to), presence(), change, net.now).unwrap();
    net.settle();
    id
}

fn grant(net: &mut Net, agent: usize, admission: Admission) -> SubscriptionId {
    let id = net.event(agent, |event| match event {
        Event::SubscriptionWanted { id, .. } => Some(*id),
        _ => None,
    });
    let subscription = net.agents[agent].grant_subscription(id, admission, net.now).unwrap();
    net.settle();
    subscription
}

fn state(text: &'static str) -> EventState {
    EventState::new(PIDF, text.as_bytes())
}

/// A subscription that stands: that of both sides.
fn subscribed(net: &mut Net, change: impl FnOnce(&mut SubscriberConfig)) -> (SubscriberId, SubscriptionId) {
    let subscriber = subscribe(net, &uri(1), change);
    let subscription = grant(net, 1, Admission::Granted(state("open").with_etag("1")));
    assert_eq!(notified(net), (SubscriberState::Active, "open".into()));
    (subscriber, subscription)
}

/// The next NOTIFY that the first agent is told of.
fn notified(net: &mut Net) -> (SubscriberState, String) {
    net.event(0, |event| match event {
        Event::Subscriber { told: SubscriberTold::Notified { notified, request }, .. } => {
            Some((notified.state, String::from_utf8_lossy(request.body()).into_owned()))
        }
        _ => None,
    })
}

fn ended(net: &mut Net) -> SubscriptionEndReason {
    net.event(0, |event| match event {
        Event::Subscriber { told: SubscriberTold::Notified { notified, .. }, .. } => notified.end.map(|end| end.reason),
        Event::Subscriber { told: SubscriberTold::Ended { end, .. }, .. } => Some(end.reason),
        _ => None,
    })
}

#[test]
fn a_subscription_from_its_start_to_its_end() {
    let mut net = net(2);
    let (subscriber, subscription) = subscribed(&mut net, |_| {});
    assert_eq!(net.ladder, ["a SUBSCRIBE b", "b 200 a", "b NOTIFY a", "a 200 b"]);
    net.ladder.clear();
    net.agents[1].change_state(subscription, state("closed"), net.now);
    net.settle();
    assert_eq!(notified(&mut net), (SubscriberState::Active, "closed".into()));
    net.run(Micros::from_secs(7_000));
    assert_eq!(net.agents[0].subscriber(subscriber).unwrap().state(), SubscriberState::Active, "{:#?}", net.ladder);
    net.agents[0].unsubscribe(subscriber, net.now).unwrap();
    net.settle();
    assert_eq!(ended(&mut net), SubscriptionEndReason::Unsubscribed);
    let refreshed = ["a SUBSCRIBE b", "b 200 a", "b NOTIFY a", "a 200 b"];
    let all: Vec<&str> =
        ["b NOTIFY a", "a 200 b"].into_iter().chain(refreshed).chain(refreshed).chain(refreshed).collect();
    assert_eq!(net.ladder, all);
    net.event(1, |event| matches!(event, Event::SubscriptionOver { .. }).then_some(()));
    assert!(net.agents[0].subscriber(subscriber).is_none());
    net.assert_idle();
}

#[test]
fn what_is_undecided_is_told_later() {
    let mut net = net(2);
    subscribe(&mut net, &uri(1), |_| {});
    let admission = Admission::Undecided { state: state("open"), neutral: EventState::default() };
    let subscription = grant(&mut net, 1, admission);
    assert_eq!(notified(&mut net), (SubscriberState::Pending, String::new()));
    net.agents[1].permit_subscription(subscription, net.now);
    net.settle();
    assert_eq!(notified(&mut net), (SubscriberState::Active, "open".into()));
    net.agents[1].end_subscription(subscription, TerminationReason::NoResource, None, false, net.now);
    net.settle();
    assert_eq!(ended(&mut net), SubscriptionEndReason::NoResource);
    net.assert_idle();
}

#[test]
fn what_is_not_granted() {
    let mut net = net(2);
    for (event, code) in [("reg", 489), ("refer", 403), ("presence", 603)] {
        let outbound = Outbound::new(&uri(0), &uri(1));
        net.agents[0].subscribe(&outbound, header::Event::new(event), |_| {}, net.now).unwrap();
        net.settle();
        if event == "presence" {
            let id = net.event(1, |event| match event {
                Event::SubscriptionWanted { id, .. } => Some(*id),
                _ => None,
            });
            net.agents[1].respond(id, StatusCode::Decline, |r| r, net.now).unwrap();
            net.settle();
        }
        let end = net.event(0, |event| match event {
            Event::Subscriber { told: SubscriberTold::Ended { end, .. }, .. } => Some(*end),
            _ => None,
        });
        let status = StatusCode::new(code).unwrap();
        assert_eq!(end.reason, SubscriptionEndReason::Refused { status, retry_after_secs: None });
        assert_eq!(end.again, Again::Never);
    }
    let refused = net.sent.iter().find(|message| message.status().is_some_and(|status| status.as_u16() == 489));
    assert_eq!(refused.unwrap().first(HeaderId::AllowEvents).unwrap().value(), b"presence, refer");
    net.assert_idle();
}

#[test]
fn an_interval_that_is_too_brief() {
    let mut net = net(2);
    let subscriber = subscribe(&mut net, &uri(1), |config| config.expires_secs = 5);
    grant(&mut net, 1, Admission::Granted(state("open")));
    assert_eq!(net.ladder[..3], ["a SUBSCRIBE b", "b 423 a", "a SUBSCRIBE b"]);
    assert_eq!(notified(&mut net).0, SubscriberState::Active);
    net.agents[0].unsubscribe(subscriber, net.now).unwrap();
    net.assert_idle();
}

/// `[RFC 5839, Section 5.6]` `[RFC 5839, Section 5.7]`
#[test]
fn refreshes_with_a_condition_are_answered_with_204() {
    let mut net = net(2);
    let (subscriber, subscription) = subscribed(&mut net, |config| config.conditional = true);
    net.ladder.clear();
    net.run(Micros::from_secs(3_300));
    assert_eq!(net.ladder, ["a SUBSCRIBE b", "b 204 a"]);
    net.agents[1].change_state(subscription, state("busy").with_etag("2"), net.now);
    net.settle();
    assert_eq!(notified(&mut net).1, "busy");
    net.ladder.clear();
    net.agents[0].unsubscribe(subscriber, net.now).unwrap();
    net.settle();
    assert_eq!(net.ladder, ["a SUBSCRIBE b", "b 204 a"]);
    assert_eq!(ended(&mut net), SubscriptionEndReason::Unsubscribed);
    net.assert_idle();
}

/// `[RFC 6665, Section 4.1.4]`
#[test]
fn a_subscription_that_forks() {
    let mut net = net(3);
    let subscriber = subscribe(&mut net, &format!("sip:x@{FORK}"), |config| config.forks = 2);
    for agent in [1, 2] {
        grant(&mut net, agent, Admission::Granted(state("open")));
    }
    assert_eq!(net.agents[0].subscriber(subscriber).unwrap().subscriptions().len(), 2);
    net.agents[0].unsubscribe(subscriber, net.now).unwrap();
    net.settle();
    assert!(net.agents[0].subscriber(subscriber).is_none());
    assert!(net.agents[1].notifier().is_empty() && net.agents[2].notifier().is_empty());
    net.assert_idle();
}

#[test]
fn of_a_fork_too_many_the_notify_is_refused() {
    let mut net = net(3);
    let subscriber = subscribe(&mut net, &format!("sip:x@{FORK}"), |_| {});
    for agent in [1, 2] {
        grant(&mut net, agent, Admission::Granted(state("open")));
    }
    assert!(net.ladder.contains(&"a 481 c".into()), "{:#?}", net.ladder);
    assert!(net.agents[2].notifier().is_empty());
    net.agents[0].unsubscribe(subscriber, net.now).unwrap();
    net.assert_idle();
}

#[test]
fn a_challenge_is_answered_and_the_notify_still_found() {
    let mut net = net(2);
    net.agents[0].add_account(Account::new("b.example", "alice", Password::new("secret")).at("192.0.2.2"));
    let subscriber = subscribe(&mut net, &uri(1), |_| {});
    let id = net.event(1, |event| match event {
        Event::SubscriptionWanted { id, .. } => Some(*id),
        _ => None,
    });
    let challenge = WwwAuthenticate::digest("b.example", "n1").with_qop(["auth"]);
    net.agents[1].respond(id, StatusCode::Unauthorized, |r| r.header(challenge), net.now).unwrap();
    net.settle();
    grant(&mut net, 1, Admission::Granted(state("open")));
    assert_eq!(notified(&mut net).1, "open");
    assert_eq!(net.ladder[..4], ["a SUBSCRIBE b", "b 401 a", "a SUBSCRIBE b", "b 200 a"]);
    net.agents[0].unsubscribe(subscriber, net.now).unwrap();
    net.settle();
    assert_eq!(ended(&mut net), SubscriptionEndReason::Unsubscribed);
    net.assert_idle();
}

/// `[RFC 6665, Section 4.4.2]`
#[test]
fn a_deactivated_subscription_moves_to_a_new_dialog() {
    let mut net = net(2);
    let (subscriber, subscription) = subscribed(&mut net, |_| {});
    let first = net.sent[0].first(HeaderId::CallId).unwrap().value().to_vec();
    net.ladder.clear();
    net.agents[1].end_subscription(subscription, TerminationReason::Deactivated, None, false, net.now);
    net.settle();
    assert_eq!(ended(&mut net), SubscriptionEndReason::Deactivated);
    grant(&mut net, 1, Admission::Granted(state("moved")));
    assert_eq!(notified(&mut net).1, "moved");
    assert_eq!(net.ladder[..4], ["b NOTIFY a", "a 200 b", "a SUBSCRIBE b", "b 200 a"]);
    assert_ne!(net.sent.last().unwrap().first(HeaderId::CallId).unwrap().value(), first);
    net.agents[0].unsubscribe(subscriber, net.now).unwrap();
    net.assert_idle();
}

/// `[RFC 6665, Section 4.2.2]`: Timer F of a NOTIFY. `[RFC 6665, Section 4.1.2.2]`: 481 to a refresh.
#[test]
fn a_notifier_that_hears_nothing_forgets_and_the_subscriber_starts_anew() {
    let mut net = net(2);
    let (subscriber, subscription) = subscribed(&mut net, |_| {});
    let is_cut = Rc::new(Cell::new(true));
    let cut = Rc::clone(&is_cut);
    net.fate = Box::new(move |_| usize::from(!cut.get()));
    net.agents[1].change_state(subscription, state("busy"), net.now);
    net.run(Micros::from_secs(40));
    assert!(net.agents[1].notifier().is_empty());
    is_cut.set(false);
    net.ladder.clear();
    net.run(Micros::from_secs(3_200));
    grant(&mut net, 1, Admission::Granted(state("again")));
    assert_eq!(net.ladder[..3], ["a SUBSCRIBE b", "b 481 a", "a SUBSCRIBE b"]);
    assert_eq!(notified(&mut net).1, "again");
    net.agents[0].unsubscribe(subscriber, net.now).unwrap();
    net.assert_idle();
}

#[test]
fn a_subscriber_that_went_away_is_told_of_the_end_and_forgotten() {
    let mut net = net(2);
    let (_, subscription) = subscribed(&mut net, |config| config.renews = false);
    net.fate = Box::new(|message| usize::from(message.method() != Some(Method::Subscribe)));
    net.run(Micros::from_secs(3_400));
    assert!(matches!(ended(&mut net), SubscriptionEndReason::NoAnswer | SubscriptionEndReason::NoNotify));
    let served = net.agents[1].notifier().subscription(subscription).unwrap();
    assert_eq!(served.state(), NotifierState::Active);
    net.run(Micros::from_secs(300));
    assert_eq!(net.ladder.iter().rev().take(2).collect::<Vec<_>>(), ["a 481 b", "b NOTIFY a"]);
    assert!(net.agents[1].notifier().is_empty());
    net.assert_idle();
}

#[test]
fn nobody_is_there_to_subscribe_to() {
    let mut net = net(2);
    net.fate = Box::new(|_| 0);
    subscribe(&mut net, &uri(1), |config| config.renews = false);
    net.run(Micros::from_secs(40));
    assert!(matches!(ended(&mut net), SubscriptionEndReason::NoAnswer | SubscriptionEndReason::NoNotify));
    net.assert_idle();
}

/// `[RFC 6665, Section 4.4.3]`
#[test]
fn a_fetch() {
    let mut net = net(2);
    subscribe(&mut net, &uri(1), |config| config.expires_secs = 0);
    grant(&mut net, 1, Admission::Granted(state("open")));
    assert_eq!(net.ladder, ["a SUBSCRIBE b", "b 200 a", "b NOTIFY a", "a 200 b"]);
    assert_eq!(notified(&mut net), (SubscriberState::Terminated, "open".into()));
    net.assert_idle();
}

/// The application is the compositor. RFC 3903
#[test]
fn a_publication_from_its_start_to_its_end() {
    let mut net = Net::with(2, |_, config| config.allow.push(Method::Publish));
    let packages = [Package { longest_expires_secs: 600, ..Package::new("presence", PIDF) }];
    let (mut etag, mut given) = (String::new(), 0);
    let outbound = Outbound::new(&uri(0), &uri(1));
    let publication = net.agents[0].publish(&outbound, presence(), 3_600, state("open"), net.now).unwrap();
    let mut operations = Vec::new();
    for round in 0..4 {
        net.run(Micros::from_secs(if round == 1 { 550 } else { 1 }));
        let (id, request) = net.event(1, |event| match event {
            Event::Request { id, request, .. } => Some((*id, request.clone())),
            _ => None,
        });
        let ruling = rule_publish(&request, &packages, |tag| tag == etag.as_bytes()).unwrap();
        operations.push(format!("{:?}", ruling.operation).split('(').next().unwrap().to_owned());
        given += 1;
        etag = format!("e{given}");
        let (expires, tag) = (ruling.expires_secs, header::SipEtag::new(&etag));
        net.agents[1].respond(id, StatusCode::Ok, |r| r.expires_seconds(expires).header(tag), net.now).unwrap();
        net.settle();
        let told = net.event(0, |event| match event {
            Event::Publication { told, .. } => Some(*told),
            _ => None,
        });
        assert_eq!(told, if round == 3 { PublicationTold::Removed } else { PublicationTold::Published });
        match round {
            1 => net.agents[0].republish(publication, state("closed"), net.now).unwrap(),
            2 => net.agents[0].unpublish(publication, net.now).unwrap(),
            _ => {}
        }
    }
    assert_eq!(operations, ["Initial", "Refresh", "Modify", "Remove"]);
    net.assert_idle();
}

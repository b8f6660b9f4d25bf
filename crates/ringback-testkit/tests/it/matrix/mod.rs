//! The response matrix: each code that Ringback sends, sent by the element that sends it, for the reason that it has, and heard by our
//! own client.
//!
//! Who sends a code, and when, stands beside the registry: [`StatusCode::origin`]. The other half is here: a scenario, in which
//! nothing but our elements speaks, and where the request has to be a stranger's, the wire has damaged it.

mod challenges;
mod dialogs;
mod directory;
mod page;
mod policies;
mod progress;
mod redirects;
mod servers;
mod subscriptions;
mod users;

use ringback_base::Micros;
use ringback_message::status::{ClientAction, Element, OriginState, registry};
use ringback_message::{HeaderId, Message, Request, Response, StatusCode};
use ringback_ua::{Event, Failure, InviteId, Outbound, Outcome};

use crate::flows::town::{Town, contact};

/// A code and the scenario that has it.
pub(crate) struct Row {
    pub(crate) code: u16,
    /// What the response carries, beside what each one does.
    pub(crate) carries: &'static [HeaderId],
    /// What our client does with it.
    pub(crate) client: &'static str,
    pub(crate) play: fn() -> Town,
}

macro_rules! rows {
    ($($code:literal $name:ident [$($header:ident)*] $client:literal)+) => {
        pub(crate) const ROWS: &[super::Row] = &[$(super::Row {
            code: $code,
            carries: &[$(ringback_message::HeaderId::$header),*],
            client: $client,
            play: $name,
        }),+];

        mod played {
            $(#[test] fn $name() {
                super::ROWS.iter().find(|row| row.code == $code).unwrap().is_played();
            })+
        }
    };
}
pub(crate) use rows;

pub(crate) fn all() -> impl Iterator<Item = &'static Row> {
    let files = [
        progress::ROWS,
        redirects::ROWS,
        policies::ROWS,
        challenges::ROWS,
        directory::ROWS,
        servers::ROWS,
        subscriptions::ROWS,
        dialogs::ROWS,
        users::ROWS,
    ];
    files.into_iter().flatten()
}

impl Row {
    /// The scenario runs; in it the element that the registry names is the first to send the code, with what it must carry, and one of
    /// our clients gets it. In the end nothing is left anywhere.
    pub(crate) fn is_played(&self) {
        let mut town = (self.play)();
        town.run(Micros::from_ms(50));
        let status = StatusCode::new(self.code).unwrap();
        let OriginState::Sent(element) = status.origin().unwrap().state else {
            panic!("{status} is said to be sent by nobody")
        };
        let of_it: Vec<_> =
            town.sent.iter().filter(|(_, _, message)| message.status() == Some(status)).cloned().collect();
        let (sender, _, first) = of_it.first().unwrap_or_else(|| panic!("{status} was never sent"));
        let is_agents = matches!(element, Element::Agent | Element::Application);
        assert_eq!(town.is_phone(sender), is_agents, "{status} was sent by {sender}, not by the {}", element.name());
        for header in self.carries {
            assert!(first.first(*header).is_some(), "{status} lacks {header:?}:\n{first:?}");
        }
        let (_, _, heard) = of_it.iter().find(|(_, to, _)| town.is_phone(to)).expect("a client of ours gets it");
        let (action, wanted) = (outcome(&town, heard).action(), status.info().unwrap().client);
        // Whoever says when to try again may be tried again then.
        let is_said_when = heard.first(HeaderId::RetryAfter).is_some() && action == ClientAction::RetryLater;
        assert!(action == wanted || is_said_when, "{status}: {action:?}, not {wanted:?}");
        town.ends_empty();
    }
}

/// What a client of ours makes of a response that it got.
fn outcome(town: &Town, response: &Message) -> Outcome {
    let transaction = |message: &Message| {
        let branch = message.vias().next().unwrap().unwrap().params.value(b"branch").unwrap().to_vec();
        (branch, message.first(HeaderId::CSeq).unwrap().value().to_vec())
    };
    let is_asked = |message: &&Message| message.is_request() && transaction(message) == transaction(response);
    let request = town.sent.iter().map(|(_, _, message)| message).find(is_asked).expect("its request");
    Outcome::of(&Request::check(request.clone()).unwrap(), &Response::check(response.clone()).unwrap())
}

/// Each code that is said to be sent has its scenario, and no other has.
#[test]
fn each_code_that_is_sent_is_played_once() {
    let mut played: Vec<u16> = all().map(|row| row.code).collect();
    played.sort_unstable();
    let is_sent = |code: StatusCode| matches!(code.origin().unwrap().state, OriginState::Sent(_));
    let sent: Vec<u16> =
        registry().iter().map(|row| row.code).filter(|code| is_sent(*code)).map(StatusCode::as_u16).collect();
    assert_eq!(played, sent);
}

/// A domain that asks nobody for credentials, and two of its users: Bill calls Bob.
pub(crate) fn open_domain() -> Town {
    domain(|config| config.open = true)
}

/// The same, with this to say of its server.
pub(crate) fn domain(change: impl FnOnce(&mut ringback_stack::Config)) -> Town {
    let mut town = Town::new();
    town.phone("bill");
    town.phone("bob");
    town.server_with("ss2", change);
    town.binds("ss2", "bob", &contact("bob"), None);
    town
}

/// Two phones that need no server.
pub(crate) fn two_phones() -> Town {
    let mut town = Town::new();
    town.phone("alice");
    town.phone("bob");
    town
}

/// How a call of theirs has failed.
pub(crate) fn failure(town: &mut Town, who: &str) -> Failure {
    town.event(who, |event| match event {
        Event::InviteFailed { failure, .. } => Some(failure.clone()),
        _ => None,
    })
}

/// The call has failed with this code, and nothing is tried again by itself.
pub(crate) fn gave_up(town: &mut Town, who: &str, code: u16) {
    assert_eq!(failure(town, who).status().as_u16(), code);
    let sent = requests_len(town, who);
    town.run(Micros::from_secs(120));
    assert_eq!(requests_len(town, who), sent, "{code} is not to be tried again");
}

/// How many requests it has sent, without the ACKs of failures.
pub(crate) fn requests_len(town: &Town, who: &str) -> usize {
    let is_its = |from: &str, message: &ringback_message::Message| {
        from == who && message.is_request() && message.method_text() != Some(b"ACK")
    };
    town.sent.iter().filter(|(from, _, message)| is_its(from, message)).count()
}

/// The code of the answer to a request of the application.
pub(crate) fn response(town: &mut Town, who: &str) -> ringback_message::Response {
    town.event(who, |event| match event {
        Event::Response { response, .. } if response.status().is_final() => Some(response.clone()),
        _ => None,
    })
}

/// From Bill to somebody of his domain.
pub(crate) fn to(user: &str) -> Outbound {
    Outbound::new("sip:bill@biloxi.example.com", &format!("sip:{user}@biloxi.example.com"))
}

/// The call that goes where a redirection points.
pub(crate) fn follows(town: &mut Town, who: &str, outbound: &Outbound) -> InviteId {
    let Failure::Refused(response) = failure(town, who) else { panic!("no redirection") };
    let next = outbound.redirected(&response).expect("it points somewhere");
    town.calls(who, &next)
}

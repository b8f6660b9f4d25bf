//! Whoever lets go of a call, at any moment of it: two agents on lines that lose, double and reorder, and at each event of their call
//! one of them, or both, drop all that they hold. What leaves after that is judged, and nothing may be left.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use ringback_base::{Micros, Transport};
use ringback_message::{Message, Method, Request, Response};
use ringback_testkit::agents::{AgentAct, AgentCall, AgentLine, Ways};
use ringback_testkit::net::{Chance, Quality};
use ringback_testkit::phone::Span;
use ringback_testkit::trace::What;
use ringback_testkit::world::{AgentId, Deed, Setup, World};

const CALLER: &str = "198.19.0.1:5060";
const CALLEE: &str = "198.19.0.2:5060";

/// Twice the longest that a transaction lives, and some more.
const REST: Micros = Micros::from_secs(150);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Caller,
    Callee,
    Both,
}

/// One run: all of it follows from these.
#[derive(Clone, Debug)]
struct Race {
    seed: u64,
    quality: Quality,
    ways: Ways,
    who: Who,
    /// After how many things that happened.
    at: u32,
}

/// A message that left.
struct Left {
    at: Micros,
    from: SocketAddr,
    message: Message,
}

/// What became of a run.
struct Played {
    /// When it was dropped; none where the call was over before.
    dropped: Option<Micros>,
    left: Vec<Left>,
    arrived: Vec<(Micros, SocketAddr, Message)>,
    story: String,
}

fn noisy() -> Quality {
    Quality { loss: Chance::percent(15), duplication: Chance::percent(10), ..Quality::CROWDED }
}

fn brief() -> Ways {
    Ways {
        pause: Span::ms(50, 600),
        thinks: Span::ms(0, 900),
        talk: Span::ms(500, 2_500),
        holds_requests: true,
        ..Ways::plain()
    }
}

/// With reliable provisional responses, early media, and changes of what was agreed on.
fn lively() -> Ways {
    Ways { reliable: true, early_media_percent: 100, changes_max: 3, ..brief() }
}

impl Race {
    fn world(&self) -> (World, [AgentId; 2]) {
        let mut world = World::new(Setup { quality: self.quality, ..Setup::new(self.seed) }).unwrap();
        let agents = [("alice", CALLER), ("bob", CALLEE)].map(|(name, address)| {
            let address = address.parse().unwrap();
            let ways = self.ways.clone();
            let (name, transport) = (name.to_owned(), Transport::Udp);
            world.add_agent(AgentLine { name, address, transport, account: None, knows: None, ways })
        });
        let call =
            AgentCall { to: format!("sip:bob@{CALLEE}"), is_late: self.seed.is_multiple_of(3), cancel_after: None };
        world.schedule(Micros(0), Deed::Agent(agents[0], AgentAct::Call(call)));
        (world, agents)
    }

    /// None where the call is over before so much has happened.
    fn play(&self) -> Option<Played> {
        let (mut world, agents) = self.world();
        for _ in 0..self.at {
            if !world.step().unwrap_or_else(|failure| panic!("{self:?}\n{failure}")) {
                return None;
            }
        }
        let is_over = agents.iter().all(|agent| world.agent(*agent).unwrap().user_agent().is_idle());
        if is_over {
            return None;
        }
        let now = world.now().mono;
        let dropping = match self.who {
            Who::Caller => &agents[..1],
            Who::Callee => &agents[1..],
            Who::Both => &agents[..],
        };
        for agent in dropping {
            world.schedule(now, Deed::Agent(*agent, AgentAct::FallSilent));
        }
        world.run_for(REST).unwrap_or_else(|failure| panic!("{self:?}\n{failure}"));
        let (mut left, mut arrived) = (Vec::new(), Vec::new());
        for record in world.trace().records() {
            match &record.what {
                What::Sent { from, bytes, .. } => {
                    let message = Message::parse(bytes.clone()).unwrap();
                    left.push(Left { at: record.at, from: *from, message });
                }
                What::Arrived { to, bytes, .. } => {
                    arrived.push((record.at, *to, Message::parse(bytes.clone()).unwrap()));
                }
                _ => {}
            }
        }
        let story = left
            .first()
            .map_or_else(String::new, |first| world.ladder(Request::check(first.message.clone()).unwrap().call_id()));
        for agent in agents {
            let ua = world.agent(agent).unwrap().user_agent();
            assert!(ua.is_idle(), "{self:?}, dropped at {now}: {agent:?} is left with something\n{story}");
        }
        // What the models have to say, and the end of what they owe.
        world.finish().unwrap_or_else(|failure| panic!("{self:?}, dropped at {now}\n{failure}"));
        Some(Played { dropped: Some(now), left, arrived, story })
    }
}

impl Played {
    fn dropped(&self) -> Micros {
        self.dropped.unwrap_or(Micros::MAX)
    }

    /// The requests of a side, each once, with when it first left, the first one first.
    fn requests(&self, from: &str) -> Vec<(Micros, Request)> {
        let from: SocketAddr = from.parse().unwrap();
        let mut first: BTreeMap<(Vec<u8>, Vec<u8>), (Micros, Request)> = BTreeMap::new();
        for left in self.left.iter().filter(|left| left.from == from && left.message.is_request()) {
            let request = Request::check(left.message.clone()).unwrap();
            let key = (request.branch().unwrap_or_default().to_vec(), request.method().as_str().as_bytes().to_vec());
            first.entry(key).or_insert((left.at, request));
        }
        let mut first: Vec<_> = first.into_values().collect();
        first.sort_by_key(|(at, _)| *at);
        first
    }

    fn sends(&self, from: &str, method: &Method) -> bool {
        self.requests(from).iter().any(|(_, request)| request.is(method))
    }

    /// The first final response to the INVITE that began the call, and when it left.
    fn final_response(&self) -> Option<(Micros, u16)> {
        let callee: SocketAddr = CALLEE.parse().unwrap();
        let invite = self.requests(CALLER).into_iter().find(|(_, request)| request.is(&Method::Invite))?.1;
        let of_callee = self.left.iter().filter(|left| left.from == callee && !left.message.is_request());
        of_callee
            .map(|left| (left.at, Response::check(left.message.clone()).unwrap()))
            .find(|(_, response)| response.branch() == invite.branch() && is_final_to(response, &Method::Invite))
            .map(|(at, response)| (at, response.status().as_u16()))
    }

    /// Whether the INVITE had reached the callee.
    fn had_arrived(&self, at: Micros) -> bool {
        let callee: SocketAddr = CALLEE.parse().unwrap();
        self.arrived.iter().any(|(when, to, message)| *when <= at && *to == callee && message.is_request())
    }
}

fn is_final_to(response: &Response, method: &Method) -> bool {
    response.status().as_u16() >= 200 && response.cseq_method() == method.as_str().as_bytes()
}

/// What a side may begin once it has let go: to end what there is, and to acknowledge what comes.
fn begins_nothing(race: &Race, played: &Played, side: &str) {
    let of_the_end = [Method::Cancel, Method::Ack, Method::Bye, Method::Prack];
    for (at, request) in played.requests(side) {
        let is_allowed = at <= played.dropped() || of_the_end.iter().any(|method| request.is(method));
        let method = request.method();
        assert!(is_allowed, "{race:?}: {method:?} at {at}, dropped at {}\n{}", played.dropped(), played.story);
    }
}

/// What was asked of a side and not answered when it let go is refused.
fn refuses_what_it_held(race: &Race, played: &Played, side: &str) -> bool {
    let side: SocketAddr = side.parse().unwrap();
    let mut refused = false;
    let mut answered = BTreeMap::new();
    for left in played.left.iter().filter(|left| left.from == side && !left.message.is_request()) {
        let response = Response::check(left.message.clone()).unwrap();
        let is_asked = is_final_to(&response, &Method::Info) || is_final_to(&response, &Method::Invite);
        let is_first = is_asked && answered.insert(response.branch().unwrap_or_default().to_vec(), ()).is_none();
        if is_first && left.at >= played.dropped() {
            let status = response.status().as_u16();
            // At that very moment the application may have answered just before.
            let is_refusal = status >= 300 || left.at == played.dropped();
            assert!(is_refusal, "{race:?}: {status} at {}\n{}", left.at, played.story);
            refused |= status == 500;
        }
    }
    refused
}

/// What is on the wire is one of the ends that the drop rules know; says which.
fn judge(race: &Race, played: &Played) -> &'static str {
    let caller_drops = race.who != Who::Callee;
    let callee_drops = race.who != Who::Caller;
    let mut refused = false;
    if caller_drops {
        begins_nothing(race, played, CALLER);
        refused |= refuses_what_it_held(race, played, CALLER);
    }
    if callee_drops {
        begins_nothing(race, played, CALLEE);
        refused |= refuses_what_it_held(race, played, CALLEE);
    }
    let wrong = |what: &str| panic!("{race:?}, dropped at {}: {what}\n{}", played.dropped(), played.story);
    let has_cancel = played.sends(CALLER, &Method::Cancel);
    let has_bye = played.sends(CALLER, &Method::Bye) || played.sends(CALLEE, &Method::Bye);
    if has_cancel && !caller_drops {
        wrong("a CANCEL, and nobody gave up");
    }
    let Some((answered, status)) = played.final_response() else { wrong("an INVITE without a final response") };
    match status {
        200..=299 => {
            if !played.sends(CALLER, &Method::Ack) || !has_bye {
                wrong("a 200 without ACK and BYE");
            }
            if callee_drops && answered > played.dropped() {
                wrong("who let go answered with 200");
            }
            match (has_cancel, caller_drops && answered > played.dropped()) {
                (true, _) => "a 200 beside the CANCEL",
                (false, true) => "a 200 before any provisional response",
                (false, false) if refused => "a request that was held",
                (false, false) => "hung up",
            }
        }
        487 if has_cancel && !has_bye => "cancelled",
        500 if callee_drops && !has_bye => match (has_cancel, played.had_arrived(played.dropped())) {
            (true, _) => "500 beside the CANCEL",
            (false, true) => "500",
            (false, false) => "500 at once",
        },
        _ => wrong("an end that nobody asked for"),
    }
}

/// Every moment of the calls of these seeds.
fn every_moment(quality: Quality, ways: &Ways, seeds: std::ops::Range<u64>) -> BTreeMap<(Who, &'static str), u32> {
    let mut ends = BTreeMap::new();
    for seed in seeds {
        for who in [Who::Caller, Who::Callee, Who::Both] {
            for at in 1.. {
                let race = Race { seed, quality, ways: ways.clone(), who, at };
                let Some(played) = race.play() else { break };
                *ends.entry((who, judge(&race, &played))).or_default() += 1;
            }
        }
    }
    println!("{ends:#?}");
    ends
}

fn are_all_seen(ends: &BTreeMap<(Who, &'static str), u32>, wanted: &[(Who, &'static str)]) {
    for end in wanted {
        assert!(ends.contains_key(end), "never: {end:?} in {ends:#?}");
    }
}

/// What a race of the ends of a call can come to, whatever the network does.
const ENDS: &[(Who, &str)] = &[
    (Who::Caller, "cancelled"),
    (Who::Caller, "hung up"),
    (Who::Caller, "a 200 beside the CANCEL"),
    (Who::Callee, "500"),
    (Who::Callee, "500 at once"),
    (Who::Callee, "hung up"),
    (Who::Both, "500 beside the CANCEL"),
    (Who::Both, "500 at once"),
    (Who::Both, "hung up"),
];

#[test]
fn a_call_is_dropped_at_any_moment_of_it() {
    are_all_seen(&every_moment(noisy(), &brief(), 0..12), ENDS);
}

#[test]
fn a_call_is_dropped_at_any_moment_of_it_where_nothing_is_lost() {
    are_all_seen(&every_moment(Quality::LAN, &brief(), 0..6), ENDS);
}

/// With PRACK, early media, re-INVITE, UPDATE and INFO under way.
#[test]
fn a_lively_call_is_dropped_at_any_moment_of_it() {
    are_all_seen(&every_moment(noisy(), &lively(), 0..6), ENDS);
}

/// Each side asks the other much, and neither answers at once.
#[test]
fn requests_that_are_dropped_unanswered_get_500() {
    let ways = Ways { changes_max: 12, thinks: Span::ms(300, 900), ..brief() };
    let held = [(Who::Caller, "a request that was held"), (Who::Callee, "a request that was held")];
    are_all_seen(&every_moment(Quality::LAN, &ways, 0..8), &held);
}

/// All provisional responses are lost: there is nothing to cancel until the 200 comes.
#[test]
fn an_answer_without_a_provisional_response_is_acknowledged_and_ended() {
    let quality = Quality { loss: Chance::percent(45), ..noisy() };
    let ways = Ways { pause: Span::ms(0, 100), ..brief() };
    are_all_seen(&every_moment(quality, &ways, 0..8), &[(Who::Caller, "a 200 before any provisional response")]);
}

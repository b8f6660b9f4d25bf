//! Agents of the library in this process, against SIPp, both ways: what a call can come to, two thousand times.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ringback::agent::{Agent, AgentHandle, Call, CallEvent, CommandError, IncomingCall, Media, OutgoingEvent, Router};
use ringback::base::Micros;
use ringback::header::Require;
use ringback::message::{HeaderId, StatusCode};
use ringback::sdp::MediaDirection;
use ringback::sdp::negotiate::{Codec, LocalMedia};
use ringback::session;
use ringback::transaction::{Reason, Timers};
use ringback::ua::SESSION_EXPIRES_MIN_SECS;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};

use crate::Fault;
use crate::leg::{Leg, Transport};
use crate::place::{Place, finish};
use crate::probe::free_port;
use crate::scenario::{
    AGENT_CALL, AGENT_CALLEE, AGENT_CANCEL_LATE, AGENT_CANCEL_RINGING, AGENT_CANCEL_TRYING, AGENT_CANCELS,
    AGENT_CANCELS_EARLY, AGENT_CANCELS_LATE, AGENT_REDIRECT, EXAMPLE_ODYSSEY,
};
use crate::sipp::{Figures, Run, Script};

/// Calls that go through all that is done within one.
const TALKS: u32 = 1_400;
/// Calls of each other kind.
const OTHERS: u32 = 150;
/// New calls of the long kind a second, each way; of the others as many fewer as there are fewer.
const RATE: u32 = 150;
/// Calls of the long kind at once, each way: who is slow is not asked for more, and nothing has to be said twice.
const AT_ONCE: u32 = 16;
/// How long a call may take, and all of them.
const CALL_MAX: Duration = Duration::from_secs(20);
const RUN_MAX: Duration = Duration::from_secs(120);
/// How long the transactions of an agent remember what was said, instead of 32 s.
const MEMORY: Micros = Micros::from_secs(2);
/// When nothing of them may be left, behind that.
const IDLE_MAX: Duration = Duration::from_secs(10);

/// What went wrong in calls, and how often.
type Faults = Arc<Mutex<BTreeMap<String, u32>>>;

pub(super) fn by_udp(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    by(Leg::UDP, place, figures)
}

pub(super) fn by_tcp(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    by(Leg::TCP, place, figures)
}

fn by(leg: Leg, place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| format!("the runtime: {error}"))?;
    let faults = Faults::default();
    let bob = runtime.block_on(agent("bob"))?;
    let (called, at_bob) = (bob.handle(), bob.address());
    let serving = runtime.spawn(bob.serve(router(&faults)));
    let alice = runtime.block_on(agent("alice"))?;

    let began = Instant::now();
    let callees = callees(leg, place)?;
    let callers = callers(leg, at_bob, place)?;
    let calling = calls(&alice, leg, &callees, &faults);
    runtime.block_on(calling);
    let callees: Vec<_> = callees.into_iter().map(|(_, _, callee)| finish(callee)).collect();
    let callers: Vec<_> = callers.into_iter().map(Run::finish).collect();
    for ended in callees.into_iter().chain(callers) {
        match ended {
            Ok(ended) => figures.then(ended),
            Err(fault) => blame(&faults, fault),
        }
    }
    for (name, agent) in [("the agent that is called", &called), ("the agent that calls", &*alice)] {
        if let Err(left) = becomes_idle(&runtime, agent) {
            blame(&faults, format!("{name} has kept {left}"));
        }
    }
    // They have run side by side.
    figures.seconds = began.elapsed().as_secs_f64();
    serving.abort();
    place.note(format!("{} calls each way by {}; both agents are empty behind it", calls_each_way(), leg.transport));
    let faults = std::mem::take(&mut *faults.lock().unwrap_or_else(PoisonError::into_inner));
    figures.faults.extend(faults.into_iter().map(|(fault, count)| format!("{count} times: {fault}")));
    Ok(())
}

fn calls_each_way() -> u32 {
    TALKS + 4 * OTHERS
}

async fn agent(user: &str) -> Result<Agent, Fault> {
    let sound = LocalMedia::audio(4000).codec(Codec::pcma());
    let timers = [Reason::TimerD, Reason::TimerJ, Reason::TimerL, Reason::TimerM, Reason::Expiry, Reason::Abandoned];
    let timers = timers.into_iter().fold(Timers::default(), |timers, timer| timers.with(timer, MEMORY));
    let timers = [Reason::TimerI, Reason::TimerK].into_iter().fold(timers, |timers, timer| timers.with(timer, MEMORY));
    let builder = Agent::builder().identity(&format!("sip:{user}@b.example")).media(sound);
    let builder = builder.config(|config| {
        config.transactions.timers = timers;
        // As little as anybody may ask for, so that there is somebody who wants more.
        config.session_timers.interval_secs = Some(SESSION_EXPIRES_MIN_SECS);
    });
    builder.bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(|error| format!("an agent: {error}"))
}

/// What both agents have, to be offered anew.
fn sound() -> Media {
    let sound = LocalMedia::audio(4000).codec(Codec::pcma());
    Media::Endpoint(session::endpoint(Ipv4Addr::LOCALHOST.into()).media(sound))
}

fn blame(faults: &Faults, fault: String) {
    *faults.lock().unwrap_or_else(PoisonError::into_inner).entry(fault).or_default() += 1;
}

/// Whom SIPp calls, by the user part.
fn router(faults: &Faults) -> Router {
    let faults = Arc::clone(faults);
    Router::new().on_invite(move |call| {
        let faults = Arc::clone(&faults);
        async move {
            let user = user_of(&call);
            match timeout(CALL_MAX, called(&user, call)).await {
                Ok(Ok(())) => {}
                Ok(Err(fault)) => blame(&faults, format!("called as {user}: {fault}")),
                Err(_) => blame(&faults, format!("called as {user}: the call went on for {CALL_MAX:?}")),
            }
        }
    })
}

fn user_of(call: &IncomingCall) -> String {
    let uri = String::from_utf8_lossy(call.request().request_uri_text()).into_owned();
    uri.trim_start_matches("sip:").split('@').next().unwrap_or_default().to_owned()
}

async fn called(user: &str, mut call: IncomingCall) -> Result<(), Fault> {
    let failed = |error: CommandError| error.to_string();
    match user {
        "talks" => {
            call.progress(StatusCode::SessionProgress, sound()).await.map_err(failed)?;
            let mut call = call.answer().await.map_err(failed)?;
            talk(&mut call).await?;
            call.ended().await.map(drop).map_err(failed)
        }
        "rings" => {
            call.ring().await.map_err(failed)?;
            call.cancelled().await;
            Ok(())
        }
        "thinks" => {
            call.cancelled().await;
            Ok(())
        }
        "hurries" => {
            call.ring().await.map_err(failed)?;
            call.answer().await.map_err(failed)?.ended().await.map(drop).map_err(failed)
        }
        "moved" => {
            let moved = call.reject_with(StatusCode::MovedTemporarily, |response| {
                let second = response.raw(HeaderId::Contact, "<sip:second@b.example>;q=0.5");
                second.raw(HeaderId::Contact, "<sip:first@b.example>;q=0.9")
            });
            moved.await.map_err(failed)
        }
        other => Err(format!("nobody is called {other}")),
    }
}

/// What SIPp does in the call is answered, and then it is our turn.
async fn talk(call: &mut Call) -> Result<(), Fault> {
    let mut refreshed = false;
    let mut agreed = 0;
    while agreed < 2 {
        match call.event().await {
            Some(CallEvent::Refreshed) => refreshed = true,
            // Of the call itself, before.
            Some(CallEvent::Agreed) => agreed += u8::from(refreshed),
            Some(CallEvent::Confirmed) => {}
            other => return Err(format!("in the call came {other:?}")),
        }
    }
    let timer = call.session_timer().await.map_err(|error| error.to_string())?;
    if timer.is_none() {
        return Err("no session timer".to_owned());
    }
    call.update(sound()).await.map_err(|error| format!("UPDATE: {error}"))?;
    call.hold().await.map_err(|error| format!("hold: {error}"))?;
    direction(call, MediaDirection::SendOnly).await?;
    call.resume().await.map_err(|error| format!("resume: {error}"))?;
    direction(call, MediaDirection::SendRecv).await?;
    call.refresh().await.map_err(|error| format!("refresh: {error}"))
}

/// Which way the one stream of the call goes.
async fn direction(call: &Call, wanted: MediaDirection) -> Result<(), Fault> {
    let streams = call.streams().await.map_err(|error| error.to_string())?;
    match streams.as_slice() {
        [stream] if stream.direction == wanted => Ok(()),
        other => Err(format!("the streams are {other:?}")),
    }
}

/// SIPps that are called, by what they are called for.
fn callees(leg: Leg, place: &Place) -> Result<Vec<(&'static str, u16, Run)>, Fault> {
    let all = [
        ("talk", AGENT_CALLEE, TALKS),
        ("cancel", AGENT_CANCELS, OTHERS),
        ("cancel-early", AGENT_CANCELS_EARLY, OTHERS),
        ("cancel-late", AGENT_CANCELS_LATE, OTHERS),
        ("odyssey", EXAMPLE_ODYSSEY, OTHERS),
    ];
    let start = |(name, scenario, calls): (&'static str, &'static str, u32)| {
        let port = free_port()?;
        let mut script = Script::new(name, scenario, port, calls).by(leg).limit(RUN_MAX).patience(RUN_MAX);
        if leg == Leg::TCP {
            // Nothing is sent again there.
            script = script.with("<timewait milliseconds=\"1000\"/>", "");
        }
        Ok((name, port, place.answering(script)?))
    };
    all.into_iter().map(start).collect()
}

/// SIPps that call.
fn callers(leg: Leg, to: SocketAddr, place: &Place) -> Result<Vec<Run>, Fault> {
    let all = [
        ("talks", AGENT_CALL, TALKS),
        ("rings", AGENT_CANCEL_RINGING, OTHERS),
        ("thinks", AGENT_CANCEL_TRYING, OTHERS),
        ("hurries", AGENT_CANCEL_LATE, OTHERS),
        ("moved", AGENT_REDIRECT, OTHERS),
    ];
    let start = |(user, scenario, calls): (&'static str, &'static str, u32)| {
        let script = Script::new(user, scenario, free_port()?, calls).by(leg).to(to).rate(rate(calls));
        let script = script.at_once(at_once(calls)).limit(RUN_MAX);
        script.key("callee", format!("{user}@{to}")).start(&place.folder)
    };
    all.into_iter().map(start).collect()
}

/// Calls a second: all kinds end at the same time.
fn rate(calls: u32) -> u32 {
    (RATE * calls / TALKS).max(1)
}

fn at_once(calls: u32) -> u32 {
    (AT_ONCE * calls / TALKS).max(2)
}

/// Makes all calls of ours, each kind at its rate, and waits for their ends.
async fn calls(alice: &AgentHandle, leg: Leg, callees: &[(&'static str, u16, Run)], faults: &Faults) {
    let mut kinds = JoinSet::new();
    for &(kind, port, _) in callees {
        let parameter = if leg.transport == Transport::Tcp { ";transport=tcp" } else { "" };
        let to = format!("sip:bob@{}:{port}{parameter}", leg.ip);
        let (alice, faults) = (alice.clone(), Arc::clone(faults));
        kinds.spawn(calls_of_a_kind(alice, kind, to, faults));
    }
    while kinds.join_next().await.is_some() {}
}

async fn calls_of_a_kind(alice: AgentHandle, kind: &'static str, to: String, faults: Faults) {
    let count = if kind == "talk" { TALKS } else { OTHERS };
    let mut clock = interval(Duration::from_secs(1) / rate(count));
    let mut calls = JoinSet::new();
    let places = Arc::new(Semaphore::new(usize::try_from(at_once(count)).unwrap_or(1)));
    for _ in 0..count {
        clock.tick().await;
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let (alice, to, faults) = (alice.clone(), to.clone(), Arc::clone(&faults));
        calls.spawn(async move {
            match timeout(CALL_MAX, call(&alice, kind, &to)).await {
                Ok(Ok(())) => {}
                Ok(Err(fault)) => blame(&faults, format!("{kind}: {fault}")),
                Err(_) => blame(&faults, format!("{kind}: the call went on for {CALL_MAX:?}")),
            }
            drop(place);
        });
    }
    while let Some(ended) = calls.join_next().await {
        if let Err(error) = ended {
            blame(&faults, format!("{kind}: {error}"));
        }
    }
}

async fn call(alice: &AgentHandle, kind: &str, to: &str) -> Result<(), Fault> {
    let invite = alice.invite(to);
    match kind {
        "talk" => {
            let mut call = invite.header(Require::with_tag("100rel")).await.map_err(|error| error.to_string())?;
            talk(&mut call).await?;
            call.hang_up().await.map_err(|error| format!("hanging up: {error}"))
        }
        "odyssey" => {
            let invite = invite.credentials("alice", "wonderland").follow_redirects(3);
            let call = invite.await.map_err(|error| error.to_string())?;
            call.hang_up().await.map_err(|error| format!("hanging up: {error}"))
        }
        kind => {
            let mut calling = invite.begin().await.map_err(|error| error.to_string())?;
            if kind == "cancel-early" {
                calling.cancel().await.map_err(|error| error.to_string())?;
            }
            loop {
                match calling.event().await {
                    OutgoingEvent::Progress(response) if kind != "cancel-early" => {
                        if response.status() == StatusCode::Ringing {
                            calling.cancel().await.map_err(|error| error.to_string())?;
                        }
                    }
                    OutgoingEvent::Failed(failed) if failed.status() == Some(StatusCode::RequestTerminated) => {
                        return Ok(());
                    }
                    OutgoingEvent::Progress(_) => {}
                    other => return Err(format!("instead of its end came {other:?}")),
                }
            }
        }
    }
}

/// Waits until an agent has forgotten all; what it has not is the error.
fn becomes_idle(runtime: &Runtime, agent: &AgentHandle) -> Result<(), Fault> {
    let core = agent.core().clone();
    let idle = async {
        loop {
            match core.is_idle().await {
                Ok(true) => return,
                _ => sleep(Duration::from_millis(100)).await,
            }
        }
    };
    runtime.block_on(async {
        if timeout(IDLE_MAX, idle).await.is_ok() {
            return Ok(());
        }
        let left = core.with(|agent, _| Ok(format!("{} sessions, {:?}", agent.session_len(), agent.transactions())));
        Err(left.await.unwrap_or_else(|error| error.to_string()))
    })
}

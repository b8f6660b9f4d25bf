//! Agents and servers at work, over loopback.

use std::future::IntoFuture as _;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use ringback::agent::{
    Agent, AgentHandle, CallEvent, CallFailed, CommandError, EndReason, Failure, Incoming, Media, Outcome,
    RegisterFailed, RequestFailed, Router,
};
use ringback::prelude::*;
use ringback::sdp::negotiate::StreamState;
use ringback::server::Server;
use tokio::time::{sleep, timeout};

/// No test waits longer for what must come.
pub(crate) const WAIT: Duration = Duration::from_secs(10);

pub(crate) fn sound(codec: Codec) -> LocalMedia {
    LocalMedia::audio(4000).codec(codec)
}

pub(crate) async fn agent(user: &str) -> Agent {
    let identity = format!("sip:{user}@b.example");
    Agent::builder().identity(&identity).media(sound(Codec::pcmu())).bind("127.0.0.1:0").await.unwrap()
}

/// Bob behind this router, and how to call him.
pub(crate) async fn bob(router: Router) -> String {
    let bob = agent("bob").await;
    let uri = format!("sip:bob@{}", bob.address());
    tokio::spawn(bob.serve(router));
    uri
}

/// A router that takes every call.
pub(crate) fn answering() -> Router {
    Router::new().on_invite(async |call| call.answer().await?.ended().await)
}

pub(crate) async fn sessions(agent: &AgentHandle) -> usize {
    agent.core().with(|agent, _| Ok(agent.session_len())).await.unwrap()
}

#[tokio::test]
async fn a_call_rings_is_answered_held_and_hung_up() {
    let bob = bob(Router::new().on_invite(async |call| {
        call.ring().await?;
        call.answer().await?.ended().await
    }))
    .await;
    let alice = agent("alice").await;
    let heard = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&heard);
    let invite = alice.invite(&bob).progress(move |response| told.lock().unwrap().push(response.status().as_u16()));
    let call = invite.await.unwrap();
    assert_eq!(*heard.lock().unwrap(), [100, 180]);
    let streams = call.streams().await.unwrap();
    assert!(streams.len() == 1 && streams[0].state == StreamState::Active, "{streams:?}");
    call.hold().await.unwrap();
    let description = call.remote_description().await.unwrap().unwrap().to_string();
    assert!(description.contains("a=recvonly"), "{description}");
    call.resume().await.unwrap();
    let description = call.remote_description().await.unwrap().unwrap().to_string();
    assert!(!description.contains("a=recvonly"), "{description}");
    let info = call.request(Method::Message, |request| request.content_type("text/plain").body("hello")).await.unwrap();
    // Whoever only waits for the end refuses it.
    assert_eq!(info.status(), StatusCode::ServerInternalError);
    call.hang_up().await.unwrap();
    assert_eq!(sessions(&alice).await, 0);
}

#[tokio::test]
async fn the_events_of_a_call_are_told_to_the_end() {
    let mut bob = agent("bob").await;
    let alice = agent("alice").await;
    let to = format!("sip:bob@{}", bob.address());
    let calling = tokio::spawn(alice.invite(&to).into_future());
    let Some(Incoming::Call(call)) = bob.incoming().await else { panic!("no call") };
    assert!(call.offer().is_some());
    // A description of one's own answers one offer: the next is an event.
    let answer = call.offer().unwrap();
    let mut call = call.answer_with(Media::Description(answer)).await.unwrap();
    let theirs = calling.await.unwrap().unwrap();
    assert_eq!(call.call_id(), theirs.call_id());
    let held = tokio::spawn(async move {
        theirs.hold().await.unwrap();
        theirs.hang_up().await.unwrap();
    });
    let mut told = Vec::new();
    while let Some(event) = call.event().await {
        told.push(match event {
            CallEvent::Offered(offer) => {
                let held = offer.description.as_ref().unwrap().to_string().replace("a=sendonly", "a=recvonly");
                offer.accept(Media::Description(held.parse().unwrap())).await.unwrap();
                "offered"
            }
            CallEvent::Confirmed => "confirmed",
            CallEvent::Agreed => "agreed",
            CallEvent::Ended(EndReason::RemoteBye(_)) => "ended",
            other => panic!("{other:?}"),
        });
    }
    held.await.unwrap();
    told.sort_unstable();
    assert_eq!(told, ["agreed", "agreed", "confirmed", "ended", "offered"]);
}

#[tokio::test]
async fn a_refusal_says_why_to_people() {
    let bob = bob(Router::new().on_invite(async |call| {
        call.reject_with(StatusCode::NotAcceptableHere, |response| {
            response.reason("Not Now").header(Warning::new(399, "b.example", "say \"please\""))
        })
        .await
    }))
    .await;
    let failed = agent("alice").await.invite(&bob).await.unwrap_err();
    assert_eq!(failed.status(), Some(StatusCode::NotAcceptableHere));
    assert_eq!(&*failed.said().unwrap().phrase(), "Not Now");
    assert_eq!(failed.to_string(), "488 Not Now; warning 399 of b.example: say \"please\"");
    assert!(matches!(failed.outcome(), Some(Outcome::ChangeOffer(_))), "{failed:?}");
}

#[tokio::test]
async fn media_that_do_not_fit_are_refused_with_a_warning() {
    let bob = bob(answering()).await;
    let failed = agent("alice").await.invite(&bob).media(sound(Codec::opus())).await.unwrap_err();
    assert_eq!(failed.status(), Some(StatusCode::NotAcceptableHere));
    assert_eq!(failed.said().unwrap().warnings().count(), 1, "{failed}");
}

#[tokio::test]
async fn a_websocket_that_is_not_opened_is_told_of() {
    let server = Server::builder("b.example").open().websocket("127.0.0.1:0").bind("127.0.0.1:0").await.unwrap();
    let alice = agent("alice").await;
    // Nobody speaks WebSocket there, and no HTTP either.
    let at = format!("sip:{};transport=ws", server.address());
    let failed = timeout(WAIT, alice.register().at(&at).into_future()).await.unwrap().unwrap_err();
    assert!(matches!(&failed, RegisterFailed::Unreached(Failure::Connection(_))), "{failed:?}");
    let text = failed.to_string();
    assert!(text.starts_with(&format!("no connection: WS to {}: ", server.address())), "{text}");
    let at = format!("sip:{};transport=ws", server.websocket_address().unwrap());
    let register = alice.register().at(&at).outbound("urn:uuid:00000000-0000-1000-8000-000a95a0e128", 1);
    timeout(WAIT, register.into_future()).await.unwrap().unwrap();
}

#[tokio::test]
async fn where_nothing_leads_is_no_silence() {
    let alice = agent("alice").await;
    for uri in ["sip:bob@nowhere.invalid", "sip:bob@127.0.0.1;transport=wss"] {
        let failed = timeout(WAIT, alice.invite(uri).into_future()).await.unwrap().unwrap_err();
        assert!(matches!(&failed, CallFailed::Failed { failure: Failure::NoRoute, .. }), "{uri}: {failed:?}");
    }
}

/// What is written wrongly is told from what isn't there, and an address at which nobody is by its name.
#[tokio::test]
async fn what_is_in_the_way_is_named() {
    let alice = agent("alice").await;
    let failed = alice.invite("bob").await.unwrap_err();
    assert!(matches!(&failed, CallFailed::Command(CommandError::Build(_))), "{failed:?}");
    assert!(failed.to_string().starts_with("Request-URI"), "{failed}");
    assert!(matches!(alice.message("bob", "hello").await.unwrap_err(), RequestFailed::Command(_)));
    // Bound, and let go of again: nobody listens there.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let failed = alice.invite(&format!("sip:bob@{nobody};transport=tcp")).await.unwrap_err();
    assert!(failed.to_string().starts_with(&format!("no connection: TCP to {nobody}: ")), "{failed}");
    // Other systems don't tell of ICMP.
    if cfg!(target_os = "linux") {
        let failed = alice.invite(&format!("sip:bob@{nobody}")).await.unwrap_err();
        assert_eq!(failed.to_string(), format!("the request can't be sent to UDP {nobody}"));
    }
}

#[tokio::test]
async fn redirections_are_followed_within_bounds() {
    let last = bob(answering()).await;
    let to = last.clone();
    let middle = bob(Router::new().on_invite(move |call| redirected(call, to.clone()))).await;
    let alice = agent("alice").await;
    let failed = alice.invite(&middle).await.unwrap_err();
    assert_eq!(failed.status(), Some(StatusCode::MovedTemporarily));
    let to = middle.clone();
    let first = bob(Router::new().on_invite(move |call| redirected(call, to.clone()))).await;
    let failed = alice.invite(&first).follow_redirects(1).await.unwrap_err();
    assert_eq!(failed.status(), Some(StatusCode::MovedTemporarily));
    alice.invite(&first).follow_redirects(2).await.unwrap().hang_up().await.unwrap();
    // One that points at itself is asked once.
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let circle = agent("circle").await;
    let own = format!("sip:bob@{}", circle.address());
    let to = own.clone();
    tokio::spawn(circle.serve(Router::new().on_invite(move |call| {
        counted.fetch_add(1, Ordering::Relaxed);
        redirected(call, to.clone())
    })));
    alice.invite(&own).follow_redirects(70).await.unwrap_err();
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

/// Of several contacts the first goes first, and the next one where that fails.
#[tokio::test]
async fn contacts_of_a_redirection_are_tried_in_their_order() {
    let last = bob(answering()).await;
    let busy = bob(Router::new().on_invite(async |call| call.reject(StatusCode::BusyHere).await)).await;
    let contacts = [busy, last];
    let middle = bob(Router::new().on_invite(move |call| {
        let contacts = contacts.clone();
        async move { call.redirect(&[&contacts[0], &contacts[1]]).await }
    }))
    .await;
    let alice = agent("alice").await;
    let CallFailed::Refused { response, .. } = alice.invite(&middle).await.unwrap_err() else { panic!("no response") };
    let of_q: Vec<_> = response.values::<Contact<&[u8]>>().map(|contact| contact.unwrap().q()).collect();
    assert_eq!(of_q.iter().map(|q| q.unwrap().as_thousandths()).collect::<Vec<_>>(), [1000, 900]);
    alice.invite(&middle).follow_redirects(1).await.unwrap().hang_up().await.unwrap();
    let no_uri = bob(Router::new().on_invite(async |call| call.redirect(&["<>"]).await)).await;
    assert_eq!(alice.invite(&no_uri).await.unwrap_err().status(), Some(StatusCode::ServerInternalError));
}

async fn redirected(call: ringback::agent::IncomingCall, to: String) -> Result<(), ringback::agent::CommandError> {
    call.redirect(&[&to]).await
}

#[tokio::test]
async fn who_waits_no_longer_cancels() {
    let (ended, mut told) = tokio::sync::mpsc::channel(1);
    let bob = bob(Router::new().on_invite(move |mut call| {
        let ended = ended.clone();
        async move {
            call.ring().await.unwrap();
            ended.send(call.cancelled().await).await.unwrap();
        }
    }))
    .await;
    let alice = agent("alice").await;
    let failed = alice.invite(&bob).patience(Duration::from_millis(200)).await.unwrap_err();
    assert!(matches!(failed, CallFailed::NoAnswer));
    assert_eq!(timeout(WAIT, told.recv()).await.unwrap(), Some(EndReason::Cancelled));
    assert_eq!(sessions(&alice).await, 0);
}

#[tokio::test]
async fn a_call_that_is_dropped_is_hung_up() {
    let (ended, mut told) = tokio::sync::mpsc::channel(1);
    let bob = bob(Router::new().on_invite(move |call| {
        let ended = ended.clone();
        async move { ended.send(call.answer().await.unwrap().ended().await.unwrap()).await.unwrap() }
    }))
    .await;
    let call = agent("alice").await.invite(&bob).await.unwrap();
    drop(call);
    assert!(matches!(timeout(WAIT, told.recv()).await.unwrap(), Some(EndReason::RemoteBye(_))));
}

/// Callers give up, and callees answer, ring or let go, at moments that lie around each other: whatever crosses on the way, nobody is
/// left with a session.
#[tokio::test]
async fn calls_that_are_dropped_at_any_moment_leave_nothing_behind() {
    const CALLS: u64 = 300;
    /// So that they meet at each distance, in thousandths of a second.
    fn moment(step: u64) -> Duration {
        Duration::from_micros(step * 7_919 % 6_000)
    }
    let (rung, answered) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut callee = agent("bob").await;
    let (bob, to) = (callee.handle(), format!("sip:bob@{}", callee.address()));
    let (rings, answers) = (Arc::clone(&rung), Arc::clone(&answered));
    let serving = tokio::spawn(async move {
        let mut handlers = tokio::task::JoinSet::new();
        for step in 0_u64.. {
            let Some(Incoming::Call(call)) = callee.incoming().await else { return };
            let (rings, answers) = (Arc::clone(&rings), Arc::clone(&answers));
            handlers.spawn(async move {
                sleep(moment(step * 3)).await;
                // Where it is given up already, none of this can be done.
                if step % 2 == 0 && call.ring().await.is_ok() {
                    rings.fetch_add(1, Ordering::Relaxed);
                    sleep(moment(step * 5)).await;
                }
                match step % 5 {
                    0 => drop(call),
                    1 => drop(call.answer().await),
                    _ => {
                        let Ok(call) = call.answer().await else { return };
                        answers.fetch_add(1, Ordering::Relaxed);
                        _ = call.ended().await;
                    }
                }
            });
        }
    });
    let caller = agent("alice").await;
    let mut calls = tokio::task::JoinSet::new();
    for step in 0..CALLS {
        let (alice, to) = (caller.handle(), to.clone());
        calls.spawn(async move {
            sleep(Duration::from_millis(step)).await;
            let patience = if step % 4 == 0 { WAIT } else { moment(step * 11) * 16 };
            // Both the wish and the call are dropped.
            matches!(timeout(patience, alice.invite(&to).into_future()).await, Ok(Ok(_)))
        });
    }
    let taken = calls.join_all().await.into_iter().filter(|taken| *taken).count();
    timeout(WAIT, async {
        while sessions(&caller).await + sessions(&bob).await > 0 {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .unwrap();
    let (rung, answered) = (rung.load(Ordering::Relaxed), answered.load(Ordering::Relaxed));
    // They do meet: some are taken and dropped, others are given up before.
    assert!(taken > 0 && taken < 300 && rung > 0 && answered > 0, "{taken} taken, {rung} rung, {answered} answered");
    serving.abort();
}

#[tokio::test]
async fn a_handler_that_fails_or_panics_leaves_no_call_unanswered() {
    let bob = bob(Router::new()
        .on_invite(async |call| {
            drop(call);
            Err::<(), _>("no")
        })
        .on_message(async |message| {
            assert_eq!(message.text(), "never");
        }))
    .await;
    let alice = agent("alice").await;
    let failed = alice.invite(&bob).await.unwrap_err();
    assert_eq!(failed.status(), Some(StatusCode::ServerInternalError));
    assert_eq!(alice.message(&bob, "boo").await.unwrap().status(), StatusCode::ServerInternalError);
}

#[tokio::test]
async fn requests_find_their_handlers() {
    let strict = bob(Router::new().on_message(async |message| {
        assert_eq!(message.text(), "hello");
        message.respond(StatusCode::Accepted).await
    }))
    .await;
    let alice = agent("alice").await;
    assert_eq!(alice.message(&strict, "hello").await.unwrap().status(), StatusCode::Accepted);
    let options = alice.request(Method::Options, &strict, |request| request).await.unwrap();
    assert_eq!(options.status(), StatusCode::Ok);
    let (deaf, lenient) =
        (bob(Router::new()).await, bob(Router::new().fallback(async |r| r.respond(StatusCode::Ok).await)).await);
    let refused = alice.message(&deaf, "hello").await.unwrap();
    assert_eq!(refused.status(), StatusCode::MethodNotAllowed);
    assert!(refused.has_token(HeaderId::Allow, "INVITE") && !refused.has_token(HeaderId::Allow, "MESSAGE"));
    assert_eq!(alice.message(&lenient, "hello").await.unwrap().status(), StatusCode::Ok);
    let failed = alice.invite(&strict).await.unwrap_err();
    assert_eq!(failed.status(), Some(StatusCode::TemporarilyUnavailable));
}

#[tokio::test]
async fn no_more_handlers_run_than_there_may() {
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (now, peak) = (Arc::clone(&running), Arc::clone(&most));
    let bob = bob(Router::new()
        .on_message(move |message| {
            let (now, peak) = (Arc::clone(&now), Arc::clone(&peak));
            async move {
                peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                sleep(Duration::from_millis(20)).await;
                now.fetch_sub(1, Ordering::SeqCst);
                message.respond(StatusCode::Ok).await
            }
        })
        .handlers_max(2))
    .await;
    let alice = agent("alice").await;
    let mut sent = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let (alice, bob) = (alice.handle(), bob.clone());
        sent.spawn(async move { alice.message(&bob, "x").await.unwrap().status() });
    }
    assert!(sent.join_all().await.iter().all(|status| *status == StatusCode::Ok));
    assert_eq!((running.load(Ordering::SeqCst), most.load(Ordering::SeqCst)), (0, 2));
}

#[tokio::test]
async fn users_register_and_call_through_a_server() {
    let server = Server::builder("b.example").account("alice", "wonderland").account("bob", "builder");
    let server = server.bind("127.0.0.1:0").await.unwrap();
    let registrar = format!("sip:{}", server.address());
    let bob = agent("bob").await;
    let wrong = bob.register().at(&registrar).credentials("bob", "wrong").await.unwrap_err();
    assert!(matches!(&wrong, RegisterFailed::Refused(response) if response.status() == StatusCode::Unauthorized));
    let registered = bob.register().at(&registrar).credentials("bob", "builder").await.unwrap();
    let handle = bob.handle();
    tokio::spawn(bob.serve(answering()));
    let alice = agent("alice").await;
    let to = format!("sip:bob@{}", server.address());
    alice.invite(&to).credentials("alice", "wonderland").await.unwrap().hang_up().await.unwrap();
    // Who drops it is not found any more.
    assert_eq!(server.location().len(), 1);
    drop(registered);
    timeout(WAIT, async {
        while !server.location().is_empty() {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .unwrap();
    let failed = alice.invite(&to).credentials("alice", "wonderland").await.unwrap_err();
    assert_eq!(failed.status(), Some(StatusCode::TemporarilyUnavailable));
    drop(handle);
    server.drain(Duration::from_secs(5)).await.unwrap();
}

/// What is logged, in memory: by all tests of this process, because a log of one thread alone misses what another thread has met first.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn of_process() -> &'static Log {
        static LOG: OnceLock<Log> = OnceLock::new();
        LOG.get_or_init(|| {
            let log = Log::default();
            let written = log.clone();
            tracing_subscriber::fmt()
                .with_max_level(tracing::Level::TRACE)
                .with_ansi(false)
                .with_writer(move || written.clone())
                .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
                .init();
            log
        })
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Nobody answers, and all that is logged of the call has its Call-ID all the same.
#[tokio::test]
async fn a_call_has_its_call_id_in_the_log_from_its_start() {
    let log = Log::of_process();
    let silent = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let to = format!("sip:bob@{}", silent.local_addr().unwrap());
    let alice = agent("alice").await;
    let failed = alice.invite(&to).patience(Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(failed, CallFailed::NoAnswer));
    let mut buffer = [0; 4096];
    let (length, _) = silent.recv_from(&mut buffer).await.unwrap();
    let invite = Request::parse(&buffer[..length]).unwrap();
    let call_id = String::from_utf8_lossy(invite.call_id()).into_owned();
    let log = log.text();
    let of_call: Vec<&str> = log.lines().filter(|line| line.contains("invite{") && line.contains(&to)).collect();
    assert!(of_call.len() >= 2 && of_call.iter().all(|line| line.contains(&call_id)), "{log}");
}

/// Two users call by one agent at the same time, at one host: each with a name of his own.
#[tokio::test]
async fn credentials_of_a_call_are_its_own() {
    let server = Server::builder("b.example").account("alice", "wonderland").account("carol", "oyster");
    let server = server.account("bob", "builder").bind("127.0.0.1:0").await.unwrap();
    let registrar = format!("sip:{}", server.address());
    let bob = agent("bob").await;
    let _registered = bob.register().at(&registrar).credentials("bob", "builder").await.unwrap();
    tokio::spawn(bob.serve(answering()));
    let phone = agent("alice").await;
    let to = format!("sip:bob@{}", server.address());
    let mut calls = tokio::task::JoinSet::new();
    for step in 0..20 {
        let (user, password) = [("alice", "wonderland"), ("carol", "oyster")][step % 2];
        let invite = phone.invite(&to).from(&format!("sip:{user}@b.example")).credentials(user, password);
        calls.spawn(invite.into_future());
    }
    for call in calls.join_all().await {
        call.unwrap().hang_up().await.unwrap();
    }
    // The agent itself knows none of them.
    let failed = phone.invite(&to).await.unwrap_err();
    assert_eq!(failed.status(), Some(StatusCode::ProxyAuthenticationRequired));
    server.drain(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn the_log_has_the_call_id_and_no_secret() {
    let log = Log::of_process();
    let server = Server::builder("b.example").account("alice", "swordfish").account("bob", "swordfish");
    assert!(!format!("{server:?}").contains("swordfish"));
    let server = server.bind("127.0.0.1:0").await.unwrap();
    let registrar = format!("sip:{}", server.address());
    let bob = agent("bob").await;
    let register = bob.register().at(&registrar).credentials("bob", "swordfish");
    assert!(!format!("{register:?}").contains("swordfish"));
    let _registered = register.await.unwrap();
    tokio::spawn(bob.serve(answering()));
    let alice = agent("alice").await;
    let invite = alice.invite(&format!("sip:bob@{}", server.address())).credentials("alice", "swordfish");
    assert!(!format!("{invite:?}").contains("swordfish"));
    let call = invite.await.unwrap();
    let call_id = call.call_id().to_owned();
    assert!(!format!("{call:?}{alice:?}").contains("swordfish"));
    call.hang_up().await.unwrap();
    let log = log.text();
    assert!(log.contains(&format!("call_id=\"{call_id}\"")), "{log}");
    assert!(log.lines().any(|line| line.contains("request{") && line.contains(&call_id)), "{log}");
    assert!(!log.contains("swordfish") && !log.contains("response="), "{log}");
}

//! Agents of the library by WebSocket: with others' server between them, and with others' phones behind ours.

use std::future::IntoFuture as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use ringback::agent::{
    Agent, AgentHandle, Call, CallChangeError, CommandError, EndReason, Incoming, Media, RegisterFailed, Registered,
};
use ringback::message::{Method, StatusCode};
use ringback::sdp::SessionDescription;
use ringback::sdp::negotiate::{Codec, LocalMedia};
use ringback::tls::{Roots, Tls, TlsClient, TlsClientOptions};
use ringback_auth::{Account as Credentials, Password};
use serde_json::Value;
use tokio::runtime::Builder;
use tokio::time::{sleep, timeout};

use crate::Fault;
use crate::browser::Browser;
use crate::kamailio::Kamailio;
use crate::place::{Place, named};
use crate::probe::free_port;
use crate::server::Account;
use crate::sipp::Figures;

/// How long a step of a call may take.
const STEP_MAX: Duration = Duration::from_secs(10);

/// Calls from each to each other.
const CALLS: usize = 5;

/// One that has registered.
struct Phone {
    name: &'static str,
    agent: Agent,
    /// The server, as it stands in the URIs of whom it calls.
    edge: String,
    _registered: Registered,
}

pub(super) fn kamailio(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]);
    let made = made.map_err(|error| format!("a certificate: {error}"))?;
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let server = Kamailio::by_websocket(&place.folder, &certificate, &key)?;
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|error| format!("the runtime: {error}"))?;
    let port = server.address.port();
    runtime.block_on(async {
        let tls = Tls { server: None, client: Some(trusting(&certificate)?) };
        kept_out(port).await?;
        let mut alice = phone("alice", Tls::default(), format!("127.0.0.1:{};transport=ws", port + 1)).await?;
        let mut bob = phone("bob", tls.clone(), format!("localhost:{};transport=wss", port + 2)).await?;
        let mut dave = phone("dave", tls.clone(), format!("localhost:{};transport=tls", port + 2)).await?;
        let mut carol = phone("carol", Tls::default(), format!("127.0.0.1:{port}")).await?;
        calls(&alice, &mut bob, figures).await?;
        calls(&carol, &mut bob, figures).await?;
        calls(&bob, &mut alice, figures).await?;
        calls(&carol, &mut alice, figures).await?;
        calls(&alice, &mut carol, figures).await?;
        calls(&bob, &mut carol, figures).await?;
        calls(&carol, &mut dave, figures).await?;
        calls(&dave, &mut alice, figures).await?;
        Ok::<(), Fault>(())
    })?;
    drop(runtime);
    place.note(format!(
        "{CALLS} calls each way between WS, WSS and UDP, and by TLS without a certificate of ours, held by the caller, resumed, held by the callee, hung up by the callee"
    ));
    server.still_there()
}

fn trusting(certificate: &str) -> Result<TlsClient, Fault> {
    let roots = Roots::from_pem(certificate.as_bytes()).map_err(|error| format!("a root: {error}"))?;
    TlsClient::new(TlsClientOptions::new(roots)).map_err(|error| format!("TLS: {error}"))
}

async fn agent(name: &str, tls: Tls, path: &str) -> Result<Agent, Fault> {
    let sound = LocalMedia::audio(4000).codec(Codec::pcma());
    let builder = Agent::builder().identity(&format!("sip:{name}@127.0.0.1")).media(sound).tls(tls);
    let bound = builder.websocket_path(path).bind((Ipv4Addr::LOCALHOST, 0)).await;
    bound.map_err(|error| format!("an agent: {error}"))
}

async fn phone(name: &'static str, tls: Tls, edge: String) -> Result<Phone, Fault> {
    let agent = agent(name, tls, "/ws").await?;
    let registering = agent.register().at(&format!("sip:{edge}")).into_future();
    let registered = timeout(STEP_MAX, registering).await.map_err(|_| format!("{name} is not registered"))?;
    let _registered = registered.map_err(|error| format!("{name} registers at {edge}: {error}"))?;
    let asked = agent.request(Method::Options, &format!("sip:{edge}"), |request| request).await;
    match asked.map_err(|error| format!("{name} asks {edge}: {error}"))?.status() {
        StatusCode::Ok => Ok(Phone { name, agent, edge, _registered }),
        status => Err(format!("{name} asks {edge}, and gets {}", status.as_u16())),
    }
}

/// At a path that isn't for us, and without the certificate's root.
async fn kept_out(port: u16) -> Result<(), Fault> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]);
    let other = made.map_err(|error| format!("a certificate: {error}"))?.cert.pem();
    for (path, edge, expected) in [
        ("/other", format!("127.0.0.1:{};transport=ws", port + 1), "answered was HTTP 403 Not Through Here"),
        ("/ws", format!("localhost:{};transport=wss", port + 2), "its certificate is not taken"),
    ] {
        let mallory = agent("mallory", Tls { server: None, client: Some(trusting(&other)?) }, path).await?;
        match mallory.register().at(&format!("sip:{edge}")).await {
            Err(RegisterFailed::Unreached(failure)) if failure.to_string().contains(expected) => {}
            Err(error) => return Err(format!("at {edge}, {path}: {error}")),
            Ok(_) => return Err(format!("at {edge}, {path}: let in")),
        }
    }
    Ok(())
}

async fn calls(caller: &Phone, callee: &mut Phone, figures: &mut Figures) -> Result<(), Fault> {
    let names = format!("{} calls {}", caller.name, callee.name);
    let to = format!("sip:{}@{}", callee.name, caller.edge);
    for _ in 0..CALLS {
        let began = Instant::now();
        let called = timeout(STEP_MAX, call(&caller.agent, &to, &mut callee.agent)).await;
        called.map_err(|_| format!("{names}: it takes too long"))?.map_err(|fault| format!("{names}: {fault}"))?;
        figures.one_call(began.elapsed().as_secs_f64());
    }
    Ok(())
}

/// Requests go both ways within it: the callee's own lead back to the caller by the caller's connection.
async fn call(caller: &AgentHandle, to: &str, callee: &mut Agent) -> Result<(), Fault> {
    let answering = async {
        loop {
            match callee.incoming().await {
                Some(Incoming::Call(call)) => return call.answer().await.map_err(|error| error.to_string()),
                Some(_) => {}
                None => return Err("the callee has ended".to_owned()),
            }
        }
    };
    let calling = async { caller.invite(to).await.map_err(|error| error.to_string()) };
    let (ours, theirs) = tokio::try_join!(calling, answering)?;
    let changed = |step: &'static str| move |error| format!("{step}: {error}");
    ours.hold().await.map_err(changed("the caller holds"))?;
    ours.resume().await.map_err(changed("the caller resumes"))?;
    loop {
        match theirs.hold().await {
            // The ACK of that is not there yet.
            Err(CallChangeError::Command(CommandError::State(_))) => sleep(Duration::from_millis(2)).await,
            held => break held.map_err(changed("the callee holds"))?,
        }
    }
    theirs.hang_up().await.map_err(|error| format!("the callee hangs up: {error}"))?;
    match ours.ended().await {
        Ok(EndReason::RemoteBye(_)) => Ok(()),
        other => Err(format!("the call ended otherwise: {other:?}")),
    }
}

/// From the start of the browser to the end of its last call.
const PAGE_MAX: Duration = Duration::from_secs(60);

/// How long a call that is confirmed lasts: the page looks at it from time to time.
const TALK: Duration = Duration::from_millis(300);

/// Bob is an agent by WebSocket, and all others pages. Each library calls him, and he calls each; each hangs up once, and he as often.
pub(super) fn pages(place: &mut Place, figures: &mut Figures) -> Result<(), Fault> {
    let users = named(["alice", "bob", "carol", "dave"]);
    place.site.import(&users)?;
    let port = free_port()?;
    let listener = |address: &str, transports: &str| format!("[[listener]]\naddress = \"{address}\"\n{transports}");
    let by_socket = listener(&format!("127.0.0.1:{port}"), "transports = [\"ws\"]\n");
    place.site.configuration = Some(listener(&place.site.address.to_string(), "") + &by_socket);
    let server = place.site.start()?;
    let domain = place.site.address;
    let [alice, bob, carol, dave] = &users;
    let side = |library: &str, user: &Account| format!("{library}:{}:{}", user.name, user.password);
    let calls = [
        (side("jssip", alice), side("outside", bob)),
        (side("sipjs", alice), side("outside", bob)),
        (side("outside", bob), side("jssip", carol)),
        (side("outside", bob), side("sipjs", dave)),
    ];
    let query = calls.iter().map(|(caller, callee)| format!("&call={caller}%3E{callee}%3Ews://127.0.0.1:{port}/ws"));
    let query = format!("domain={domain}") + &query.collect::<String>();

    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|error| format!("the runtime: {error}"))?;
    let mut phone = runtime.block_on(outside(bob, domain, port))?;
    let talking = runtime.spawn(async move {
        take_calls(&mut phone.agent).await?;
        for (user, hangs_up) in [("carol", true), ("dave", false)] {
            let called = timeout(STEP_MAX, call_page(&phone.agent, &format!("sip:{user}@{domain}"), hangs_up)).await;
            called.map_err(|_| format!("{user} is not reached"))?.map_err(|fault| format!("{user}: {fault}"))?;
        }
        Ok::<Phone, Fault>(phone)
    });
    let told = Browser::start(&place.folder, &query)?.result(PAGE_MAX)?;
    let ended = runtime.block_on(async { timeout(STEP_MAX, talking).await });
    let ended = ended.map_err(|_| "the agent is not through".to_owned())?.map_err(|error| error.to_string())?;
    let results = told.as_array().filter(|results| results.len() == calls.len()).ok_or("the page told nonsense")?;
    for (result, (caller, callee)) in results.iter().zip(&calls) {
        if result["ok"] != Value::Bool(true) {
            return Err(format!("{caller} calls {callee}: {}; the agent: {:?}", result["fault"], ended.err()));
        }
        figures.one_call(result["confirmedMs"].as_f64().unwrap_or_default() / 1_000.0);
    }
    drop(ended?);
    drop(runtime);
    place.note(
        "JsSIP and SIP.js each call an agent, and are called by it; each hangs up once, and the agent twice".to_owned(),
    );
    server.stop()
}

async fn outside(user: &Account, domain: SocketAddr, port: u16) -> Result<Phone, Fault> {
    let builder = Agent::builder().identity(&format!("sip:{}@{domain}", user.name));
    let agent = builder.bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(|error| format!("an agent: {error}"))?;
    let edge = format!("127.0.0.1:{port};transport=ws");
    let credentials =
        Credentials::for_any_realm(&*user.name, Password::new(&*user.password)).at(domain.ip().to_string());
    agent.add_account(credentials).await.map_err(|error| error.to_string())?;
    let registered = agent.register().at(&format!("sip:{edge}")).await;
    let _registered = registered.map_err(|error| format!("the agent registers: {error}"))?;
    Ok(Phone { name: "bob", agent, edge, _registered })
}

/// The first is hung up by who calls.
async fn take_calls(agent: &mut Agent) -> Result<(), Fault> {
    for hangs_up in [false, true] {
        let Ok(Some(Incoming::Call(call))) = timeout(PAGE_MAX, agent.incoming()).await else {
            return Err("nobody calls the agent".to_owned());
        };
        let call = call.answer_with(Media::Description(of_a_page("active")?)).await;
        talk(call.map_err(|error| format!("answering a page: {error}"))?, hangs_up).await?;
    }
    Ok(())
}

async fn call_page(agent: &AgentHandle, to: &str, hangs_up: bool) -> Result<(), Fault> {
    loop {
        match agent.invite(to).offer(of_a_page("actpass")?).await {
            Ok(call) => return talk(call, hangs_up).await,
            // The page is not there yet.
            Err(failed) if failed.status() == Some(StatusCode::TemporarilyUnavailable) => sleep(TALK).await,
            Err(failed) => return Err(failed.to_string()),
        }
    }
}

async fn talk(call: Call, hangs_up: bool) -> Result<(), Fault> {
    if hangs_up {
        sleep(TALK).await;
        return call.hang_up().await.map_err(|error| format!("hanging up: {error}"));
    }
    match call.ended().await {
        Ok(EndReason::RemoteBye(_)) => Ok(()),
        other => Err(format!("the call ended otherwise: {other:?}")),
    }
}

/// A description as a page has it, of somebody who sends nothing: browsers demand all of this.
fn of_a_page(setup: &str) -> Result<SessionDescription, Fault> {
    let fingerprint = vec!["AB"; 32].join(":");
    let text = format!(
        "v=0\r\no=- 7 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n\
         c=IN IP4 127.0.0.1\r\na=rtpmap:0 PCMU/8000\r\na=mid:0\r\na=ice-ufrag:ring\r\na=ice-pwd:0123456789abcdefghijklmn\r\n\
         a=fingerprint:sha-256 {fingerprint}\r\na=setup:{setup}\r\na=rtcp-mux\r\na=sendrecv\r\n"
    );
    text.parse().map_err(|error| format!("a description: {error}"))
}

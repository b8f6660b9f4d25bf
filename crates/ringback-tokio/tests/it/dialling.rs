//! WebSockets that agents open.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ringback_base::{Micros, Now, Transport};
use ringback_message::{HeaderId, Message, Method, Request, StatusCode};
use ringback_sdp::SessionDescription;
use ringback_tokio::ListenOn;
use ringback_tokio::TcpLimits;
use ringback_tokio::agent::{Agent, AgentBound, AgentOptions, CallingEvent, Incoming, Registering, RegistrationTold};
use ringback_tokio::tls::Tls;
use ringback_transport::websocket::{Admission, CloseCode, Ended, WebSocket, WebSocketEvent, WebSocketLimits};
use ringback_ua::{Config, EndReason, Failure, Media, Outbound, RegistrationConfig, RegistrationEvent};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::tls::Authority;
use super::world::{Server, WAIT, answer};

fn agent(user: &str, tls: Tls, tcp_limits: TcpLimits) -> (Agent, mpsc::Receiver<Incoming>) {
    let bound = AgentBound::open(&[ListenOn::new("127.0.0.1:0".parse().unwrap())]).unwrap().tls(tls);
    let mut options = AgentOptions::default();
    options.tcp_limits = tcp_limits;
    bound.websocket_resource("/ws".parse().unwrap()).start(Config::new(user, Vec::new()), options).unwrap()
}

fn sound() -> Media {
    let text = "v=0\r\no=- 7 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
    Media::Description(text.parse::<SessionDescription>().unwrap())
}

/// Registers at this URI, where nobody but a client of WebSocket is let in.
async fn registered(agent: &Agent, user: &str, registrar: String, by: Transport) -> Registering {
    let contact = agent.with(move |agent, _| Ok(agent.contact_uri(by).unwrap())).await.unwrap();
    assert!(contact.starts_with(&format!("sip:{user}@")) && contact.ends_with(".invalid;transport=ws"), "{contact}");
    let mut config = RegistrationConfig::new(&format!("sip:{user}@localhost"), &contact);
    config.registrar = Some(registrar);
    let mut registering = agent.register(config, None).await.unwrap();
    let told = timeout(WAIT, registering.next()).await.unwrap().unwrap();
    assert!(matches!(told, RegistrationTold { event: RegistrationEvent::Registered { .. }, .. }), "{told:?}");
    registering
}

/// What OPTIONS are answered with, or why they are not.
async fn options(agent: &Agent, to: &str) -> Result<StatusCode, Failure> {
    let outbound = Outbound::new("sip:carol@localhost", to);
    let asked = agent.request(outbound, Method::Options, |request| request).await.unwrap();
    timeout(WAIT, asked.outcome()).await.expect("an outcome").map(|response| response.status())
}

/// One calls the other, who hangs up: all of it by the connections that there are, though the server's Record-Route doesn't tell TLS from
/// none.
async fn call(caller: &Agent, to: &str, route: String, callee: &mut mpsc::Receiver<Incoming>) {
    let mut outbound = Outbound::new("sip:carol@localhost", to);
    outbound.routes = vec![route];
    let mut calling = caller.invite(outbound, sound(), Media::None).await.unwrap();
    let Some(Incoming::Call { session, request, .. }) = timeout(WAIT, callee.recv()).await.unwrap() else {
        panic!("no call")
    };
    assert!(request.first(HeaderId::RecordRoute).is_some());
    let contact = String::from_utf8_lossy(request.first(HeaderId::Contact).unwrap().value()).into_owned();
    assert!(contact.ends_with(";ob>"), "nobody can connect there: {contact}");
    session.answer(sound(), Media::None).await.unwrap();
    let answered = loop {
        match timeout(WAIT, calling.next()).await.unwrap() {
            CallingEvent::Progress(_) => {}
            CallingEvent::Answered(answered) => break answered,
            other => panic!("{other:?}"),
        }
    };
    let mut ours = answered.session;
    session.hang_up().await.unwrap();
    while timeout(WAIT, ours.next()).await.unwrap().is_some() {}
    assert!(matches!(ours.end(), Some(EndReason::RemoteBye(_))), "{:?}", ours.end());
}

async fn agents_meet(shards: u16) {
    let authority = Authority::new();
    let admission = Admission { path: Some("/ws".into()), ..Admission::default() };
    let server = Server::by_websocket(shards, authority.tls(), admission);
    let (ws, wss) = (server.address_by(Transport::Ws).port(), server.address_by(Transport::Wss).port());
    let tls = || Tls { server: None, ..authority.tls() };
    let (bob, mut bobs) = agent("bob", tls(), TcpLimits::default());
    let (alice, mut alices) = agent("alice", Tls::default(), TcpLimits::default());
    let _bob = registered(&bob, "bob", format!("sip:localhost:{wss};transport=wss"), Transport::Wss).await;
    call(&alice, "sip:bob@localhost", format!("sip:127.0.0.1:{ws};transport=ws;lr"), &mut bobs).await;
    assert_eq!(server.counters().websockets_opened, 2, "each has one connection");
    assert_eq!(bob.counters().connections_opened, 1);
    // The other way round, and the caller by TLS.
    let _alice = registered(&alice, "alice", format!("sip:127.0.0.1:{ws};transport=ws"), Transport::Ws).await;
    call(&bob, "sip:alice@localhost", format!("sips:localhost:{wss};transport=ws;lr"), &mut alices).await;
    assert_eq!(options(&bob, &format!("sip:127.0.0.1:{wss};transport=ws")).await, Ok(StatusCode::Ok));
    assert_eq!(server.counters().websockets_opened, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_register_call_and_are_called_by_websocket() {
    agents_meet(1).await;
}

/// Whichever of them has the connections, and the call.
#[tokio::test(flavor = "multi_thread")]
async fn so_they_do_where_shards_share_the_work() {
    agents_meet(3).await;
}

/// They speak TLS, and have no certificate that somebody could be shown who connects to them.
#[tokio::test(flavor = "multi_thread")]
async fn agents_without_a_certificate_are_reached_by_their_connections() {
    let authority = Authority::new();
    let server = Server::over_tls(2, TcpLimits::default(), authority.tls(), |_| {});
    let edge = format!("sip:localhost:{};transport=tls", server.tls_address().port());
    let tls = || Tls { server: None, ..authority.tls() };
    let (bob, mut bobs) = agent("bob", tls(), TcpLimits::default());
    let (alice, _alices) = agent("alice", tls(), TcpLimits::default());
    let contact = bob.with(|agent, _| Ok(agent.contact_uri(Transport::Tls).unwrap())).await.unwrap();
    let mut config = RegistrationConfig::new("sip:bob@localhost", &contact);
    config.registrar = Some(edge.clone());
    let mut registering = bob.register(config, None).await.unwrap();
    let told = timeout(WAIT, registering.next()).await.unwrap().unwrap();
    assert!(matches!(told.event, RegistrationEvent::Registered { .. }), "{told:?}");
    call(&alice, "sip:bob@localhost", format!("{edge};lr"), &mut bobs).await;
    let counters = server.counters();
    assert_eq!((counters.connections_accepted, counters.connections_opened, counters.connects_failed), (2, 0, 0));
}

/// A peer that takes the next connection, and its side of the WebSocket.
struct Peer {
    stream: TcpStream,
    socket: WebSocket,
}

impl Peer {
    async fn accept(listener: &TcpListener) -> Peer {
        let (stream, _) = timeout(WAIT, listener.accept()).await.unwrap().unwrap();
        let socket = WebSocket::server(WebSocketLimits::default(), Arc::default(), Now::default());
        let mut peer = Peer { stream, socket };
        assert_eq!(peer.next().await, WebSocketEvent::Opened);
        peer
    }

    async fn next(&mut self) -> WebSocketEvent {
        let mut buffer = [0; 4_096];
        loop {
            let event = self.socket.poll_event();
            while let Some(bytes) = self.socket.poll_transmit() {
                self.stream.write_all(&bytes).await.unwrap();
            }
            if let Some(event) = event {
                return event;
            }
            let length = timeout(WAIT, self.stream.read(&mut buffer)).await.unwrap().unwrap();
            assert!(length > 0, "hung up");
            self.socket.handle_data(&buffer[..length], Now::default());
        }
    }

    async fn request(&mut self) -> Request {
        match self.next().await {
            WebSocketEvent::Message(bytes) => Request::check(Message::parse(bytes).unwrap()).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    async fn send(&mut self, text: String) {
        self.socket.send(Bytes::from(text));
        while let Some(bytes) = self.socket.poll_transmit() {
            self.stream.write_all(&bytes).await.unwrap();
        }
    }
}

/// The keep-alives of a registration are Pings here, which every peer answers. `[RFC 7118, Section 6]` Who goes away says so.
#[tokio::test]
async fn a_registration_keeps_its_websocket_alive_and_an_agent_that_ends_says_so() {
    let (agent, _incoming) = agent("bob", Tls::default(), TcpLimits::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let contact = agent.with(|agent, _| Ok(agent.contact_uri(Transport::Ws).unwrap())).await.unwrap();
    let mut config = RegistrationConfig::new("sip:bob@b.example", &contact);
    config.registrar = Some(format!("sip:{};transport=ws", listener.local_addr().unwrap()));
    config.instance = Some("urn:uuid:00000000-0000-1000-8000-000a95a0e128".into());
    config.reg_id = Some(1);
    Arc::make_mut(&mut config.policy).keeps_alive = true;
    let registering = agent.register(config, None).await.unwrap();
    let mut peer = Peer::accept(&listener).await;
    let register = peer.request().await;
    let via = register.top_via();
    assert!(via.transport == b"WS" && via.host.ends_with(b".invalid"), "{via:?}");
    let contact = String::from_utf8_lossy(register.first(HeaderId::Contact).unwrap().value()).into_owned();
    assert!(contact.contains(";reg-id=1") && contact.contains(";+sip.instance="), "{contact}");
    let more = format!("Contact: {contact};expires=3600\r\nRequire: outbound\r\nFlow-Timer: 1\r\n");
    peer.send(answer(&register, 200, &more)).await;
    for _ in 0..2 {
        assert_eq!(peer.next().await, WebSocketEvent::KeepAlive);
    }
    drop(registering);
    let unregister = peer.request().await;
    peer.send(answer(&unregister, 200, "")).await;
    drop((agent, _incoming));
    assert_eq!(peer.next().await, WebSocketEvent::Ended(Ended::Closed(Some(CloseCode::GOING_AWAY))));
}

/// A server that answers each connection so, and what a request is told that should go by it.
async fn refused_with(says: &'static str, limits: TcpLimits) -> String {
    let (agent, _incoming) = agent("bob", Tls::default(), limits);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = vec![0; 4_096];
        let length = stream.read(&mut head).await.unwrap();
        stream.write_all(says.as_bytes()).await.unwrap();
        if says.starts_with("HTTP") {
            // Until we are hung up on.
            _ = stream.read(&mut [0; 1]).await;
        }
        String::from_utf8_lossy(&head[..length]).into_owned()
    });
    let begun = Instant::now();
    let failure = options(&agent, &format!("sip:{address};transport=ws")).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert!(matches!(failure, Failure::Connection(_)), "{failure:?}");
    let asked = server.await.unwrap();
    assert!(
        asked.starts_with("GET /ws HTTP/1.1\r\n") && asked.contains(&format!("\r\nHost: {address}\r\n")),
        "{asked}"
    );
    let failure = failure.to_string();
    let start = format!("no connection: WS to {address}: ");
    failure.strip_prefix(&start).unwrap_or_else(|| panic!("{failure}")).to_owned()
}

#[tokio::test]
async fn who_is_not_let_in_is_told_what_the_server_has_said() {
    let usual = TcpLimits::default;
    let answered = "a WebSocket was asked for, and answered was";
    for (says, expected) in [
        ("HTTP/1.1 403 Forbidden\r\n\r\n", format!("{answered} HTTP 403 Forbidden")),
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: sip\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
            format!("{answered} HTTP 101 with a Sec-WebSocket-Accept that is not for our key"),
        ),
        ("SIP/2.0 400 Bad Request\r\n\r\n", format!("{answered} what is no HTTP")),
        ("", "a WebSocket was asked for, and the far end hung up".to_owned()),
    ] {
        assert_eq!(refused_with(says, usual()).await, expected);
    }
    let hurried = TcpLimits { handshake_timeout: Micros::from_ms(100), ..usual() };
    assert_eq!(refused_with("HTTP/1.1 ", hurried).await, "our opening of a WebSocket was not answered in time");
}

#[tokio::test]
async fn a_server_that_is_not_there_or_not_who_it_should_be_is_told_of() {
    let authority = Authority::new();
    let server = Server::by_websocket(1, authority.tls(), Admission::default());
    let wss = server.address_by(Transport::Wss);
    let (agent, _incoming) = agent("bob", Tls { server: None, ..authority.tls() }, TcpLimits::default());
    let free: SocketAddr = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let why = |to: String| {
        let agent = agent.clone();
        async move { options(&agent, &to).await.unwrap_err().to_string() }
    };
    let gone = why(format!("sip:{free};transport=ws")).await;
    assert!(gone.contains("could not be opened: Connection refused"), "{gone}");
    // Its certificate is for "localhost".
    let other = why(format!("sips:{wss};transport=ws")).await;
    assert!(other.ends_with("its certificate is not taken: it is for localhost, and not for 127.0.0.1"), "{other}");
    assert_eq!(options(&agent, &format!("sips:localhost:{};transport=ws", wss.port())).await, Ok(StatusCode::Ok));
}

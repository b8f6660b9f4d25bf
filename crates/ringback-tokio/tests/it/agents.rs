//! An agent at work, and who drops what when: a peer that says what the test tells it.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use ringback_base::{Hop, Transport};
use ringback_message::{HeaderId, Message, Method, Request, Response, StatusCode};
use ringback_sdp::SessionDescription;
use ringback_tokio::agent::{
    Agent, AgentBound, AgentOptions, Calling, CallingEvent, EVENTS_MAX, Incoming, Seen, Session,
};
use ringback_tokio::{DnsClient, DnsOptions, ListenOn};
use ringback_ua::{Config, EndReason, Media, Outbound, RegistrationConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::world::{WAIT, answer};

/// So long nothing comes where nothing shall; the first repetition of anything would come before.
const SILENCE: Duration = Duration::from_millis(300);

struct Peer {
    socket: UdpSocket,
    agent: SocketAddr,
}

fn agent(incoming_max: usize) -> (Agent, mpsc::Receiver<Incoming>) {
    let bound = AgentBound::open(&[ListenOn::new("127.0.0.1:0".parse().unwrap())]).unwrap();
    let mut options = AgentOptions::default();
    options.incoming_max = incoming_max;
    bound.start(Config::new("bob", Vec::new()), options).unwrap()
}

fn sound() -> Media {
    let text = "v=0\r\no=- 7 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
    Media::Description(text.parse::<SessionDescription>().unwrap())
}

fn sdp(text: &str) -> String {
    format!("{text}Content-Type: application/sdp\r\n")
}

/// Adds a body to what ends with an empty line.
fn with_sdp(message: &str) -> String {
    let Media::Description(description) = sound() else { unreachable!() };
    let body = description.to_string();
    let (head, _) = message.split_once("Content-Length: 0\r\n").unwrap();
    let tail = message.split_once("Content-Length: 0\r\n").unwrap().1;
    sdp(head) + &format!("Content-Length: {}\r\n{tail}{body}", body.len())
}

impl Peer {
    async fn new(agent: &Agent) -> Peer {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        Peer { socket, agent: agent.locals()[0].address }
    }

    fn at(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    async fn send(&self, text: String) {
        self.socket.send_to(text.as_bytes(), self.agent).await.unwrap();
    }

    async fn hear(&self) -> Message {
        timeout(WAIT, self.next()).await.expect("a message")
    }

    async fn next(&self) -> Message {
        let mut buffer = [0; 65_536];
        let (length, _) = self.socket.recv_from(&mut buffer).await.unwrap();
        Message::parse(Bytes::copy_from_slice(&buffer[..length])).unwrap()
    }

    /// The next request of that method; repetitions of others are passed over.
    async fn request(&self, method: &Method) -> Request {
        loop {
            let message = self.hear().await;
            if message.is_request() {
                let request = Request::check(message).unwrap();
                if request.is(method) {
                    return request;
                }
            }
        }
    }

    async fn final_response(&self) -> Response {
        loop {
            let response = Response::check(self.hear().await).unwrap();
            if response.status().as_u16() >= 200 {
                return response;
            }
        }
    }

    async fn hears_nothing(&self) {
        let heard = timeout(SILENCE, self.next()).await;
        assert!(heard.is_err(), "{heard:?}");
    }

    fn invite(&self, call: &str) -> String {
        let at = self.at();
        with_sdp(&format!(
            "INVITE sip:bob@{} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{call}\r\nMax-Forwards: 70\r\n\
             From: <sip:alice@{at}>;tag=1\r\nTo: <sip:bob@{}>\r\nCall-ID: {call}\r\nCSeq: 1 INVITE\r\n\
             Contact: <sip:alice@{at}>\r\nContent-Length: 0\r\n\r\n",
            self.agent, self.agent
        ))
    }

    /// The ACK for a 2xx, or the next request in its dialog.
    fn within(&self, ok: &Response, method: &str, cseq: u32) -> String {
        let value = |id| String::from_utf8_lossy(ok.first(id).unwrap().value()).into_owned();
        format!(
            "{method} sip:bob@{} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bK{method}{cseq}\r\nMax-Forwards: 70\r\n\
             From: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\nContent-Length: 0\r\n\r\n",
            self.agent,
            self.at(),
            value(HeaderId::From),
            value(HeaderId::To),
            value(HeaderId::CallId)
        )
    }

    fn contact(&self) -> String {
        format!("Contact: <sip:peer@{}>\r\n", self.at())
    }
}

/// Calls the peer, who has heard the INVITE.
async fn calling(agent: &Agent) -> (Calling, Peer, Request) {
    let peer = Peer::new(agent).await;
    let outbound = Outbound::new("sip:bob@b.example", &format!("sip:peer@{}", peer.at()));
    let calling = agent.invite(outbound, sound(), Media::None).await.unwrap();
    let invite = peer.request(&Method::Invite).await;
    (calling, peer, invite)
}

/// A session that stands, called by us.
async fn standing(agent: &Agent) -> (Session, Peer) {
    let (mut calling, peer, invite) = calling(agent).await;
    peer.send(answer(&invite, 180, &peer.contact())).await;
    assert!(matches!(calling.next().await, CallingEvent::Progress(ringing) if ringing.status() == StatusCode::Ringing));
    peer.send(with_sdp(&answer(&invite, 200, &peer.contact()))).await;
    let CallingEvent::Answered(answered) = calling.next().await else { panic!("not answered") };
    peer.request(&Method::Ack).await;
    (answered.session, peer)
}

#[tokio::test]
async fn a_call_that_is_dropped_is_cancelled_once_there_is_a_provisional_response() {
    let (agent, _incoming) = agent(1);
    let (calling, peer, invite) = calling(&agent).await;
    drop(calling);
    peer.hears_nothing().await;
    peer.send(answer(&invite, 180, &peer.contact())).await;
    let cancel = peer.request(&Method::Cancel).await;
    assert_eq!(cancel.branch(), invite.branch());
    peer.send(answer(&cancel, 200, "")).await;
    peer.send(answer(&invite, 487, "")).await;
    peer.request(&Method::Ack).await;
    peer.hears_nothing().await;
}

#[tokio::test]
async fn one_that_is_answered_all_the_same_is_acknowledged_and_ended() {
    let (agent, _incoming) = agent(1);
    let (calling, peer, invite) = calling(&agent).await;
    drop(calling);
    peer.hears_nothing().await;
    peer.send(with_sdp(&answer(&invite, 200, &peer.contact()))).await;
    peer.request(&Method::Ack).await;
    let bye = peer.request(&Method::Bye).await;
    peer.send(answer(&bye, 200, "")).await;
    peer.hears_nothing().await;
}

/// The 200 has passed the CANCEL on its way.
#[tokio::test]
async fn a_200_that_crosses_the_cancel_is_acknowledged_and_ended() {
    let (agent, _incoming) = agent(1);
    let (calling, peer, invite) = calling(&agent).await;
    peer.send(answer(&invite, 180, &peer.contact())).await;
    drop(calling);
    let cancel = peer.request(&Method::Cancel).await;
    peer.send(with_sdp(&answer(&invite, 200, &peer.contact()))).await;
    peer.send(answer(&cancel, 200, "")).await;
    peer.request(&Method::Ack).await;
    let bye = peer.request(&Method::Bye).await;
    peer.send(answer(&bye, 200, "")).await;
    peer.hears_nothing().await;
}

/// The 200 is here, and nobody has looked.
#[tokio::test]
async fn an_answer_that_nobody_fetches_is_ended() {
    let (agent, _incoming) = agent(1);
    let (calling, peer, invite) = calling(&agent).await;
    peer.send(with_sdp(&answer(&invite, 200, &peer.contact()))).await;
    peer.request(&Method::Ack).await;
    drop(calling);
    let bye = peer.request(&Method::Bye).await;
    peer.send(answer(&bye, 200, "")).await;
    peer.hears_nothing().await;
}

/// The wish to call is dropped before the task has looked at it, or just after.
#[tokio::test]
async fn a_wish_that_is_dropped_leaves_nothing_behind() {
    let (agent, _incoming) = agent(1);
    let peer = Peer::new(&agent).await;
    for polls in 0..4 {
        let outbound = Outbound::new("sip:bob@b.example", &format!("sip:peer@{}", peer.at()));
        let mut wish = Box::pin(agent.invite(outbound, sound(), Media::None));
        for _ in 0..polls {
            tokio::select! {
                biased;
                calling = &mut wish => {
                    drop(calling);
                    break;
                }
                () = tokio::task::yield_now() => {}
            }
        }
        drop(wish);
        // Where an INVITE went, it is given up.
        if let Ok(invite) = timeout(SILENCE, peer.request(&Method::Invite)).await {
            peer.send(answer(&invite, 180, &peer.contact())).await;
            let cancel = peer.request(&Method::Cancel).await;
            peer.send(answer(&cancel, 200, "")).await;
            peer.send(answer(&invite, 487, "")).await;
            peer.request(&Method::Ack).await;
        }
    }
    let sessions = agent.with(|agent, _| Ok(agent.session_len())).await.unwrap();
    assert_eq!(sessions, 0);
}

#[tokio::test]
async fn a_session_that_is_dropped_is_hung_up() {
    let (agent, _incoming) = agent(1);
    let (session, peer) = standing(&agent).await;
    drop(session);
    let bye = peer.request(&Method::Bye).await;
    peer.send(answer(&bye, 200, "")).await;
    peer.hears_nothing().await;
}

#[tokio::test]
async fn a_call_of_theirs_that_is_dropped_is_answered_with_500() {
    let (agent, mut incoming) = agent(1);
    let peer = Peer::new(&agent).await;
    peer.send(peer.invite("c1")).await;
    let Some(Incoming::Call { session, .. }) = incoming.recv().await else { panic!("no call") };
    session.ring(StatusCode::Ringing, Media::None).await.unwrap();
    drop(session);
    assert_eq!(peer.final_response().await.status(), StatusCode::ServerInternalError);
}

#[tokio::test]
async fn a_request_of_theirs_that_is_dropped_is_answered_with_500() {
    let (agent, mut incoming) = agent(1);
    let peer = Peer::new(&agent).await;
    let message = peer.invite("m1").replace("INVITE", "MESSAGE");
    peer.send(message.clone()).await;
    let Some(Incoming::Request(request)) = incoming.recv().await else { panic!("no request") };
    drop(request);
    assert_eq!(peer.final_response().await.status(), StatusCode::ServerInternalError);
    peer.send(message.replace("m1", "m2")).await;
    let Some(Incoming::Request(request)) = incoming.recv().await else { panic!("no request") };
    request.respond(StatusCode::Accepted, |response| response).await.unwrap();
    assert_eq!(peer.final_response().await.status(), StatusCode::Accepted);
}

/// The CANCEL is here before the answer.
#[tokio::test]
async fn an_answer_after_their_cancel_is_none() {
    let (agent, mut incoming) = agent(1);
    let peer = Peer::new(&agent).await;
    let invite = peer.invite("c1");
    peer.send(invite.clone()).await;
    let Some(Incoming::Call { mut session, .. }) = incoming.recv().await else { panic!("no call") };
    let (head, _) = invite.split_once("Content-Type").unwrap();
    peer.send(head.replace("INVITE", "CANCEL") + "Content-Length: 0\r\n\r\n").await;
    assert!(session.next().await.is_none());
    assert_eq!(session.end(), Some(&EndReason::Cancelled));
    assert!(session.answer(sound(), Media::None).await.is_err());
    drop(session);
    let codes = [peer.final_response().await, peer.final_response().await].map(|response| response.status().as_u16());
    assert!(codes.contains(&487) && codes.contains(&200), "{codes:?}");
}

#[tokio::test]
async fn what_nobody_fetches_is_refused() {
    let (agent, mut incoming) = agent(1);
    let peer = Peer::new(&agent).await;
    peer.send(peer.invite("c1")).await;
    peer.send(peer.invite("c2")).await;
    let refused = peer.final_response().await;
    assert_eq!((refused.status(), refused.call_id()), (StatusCode::ServiceUnavailable, &b"c2"[..]));
    assert!(refused.first(HeaderId::RetryAfter).is_some());
    let Some(Incoming::Call { session, .. }) = incoming.recv().await else { panic!("no call") };
    session.answer(sound(), Media::None).await.unwrap();
    let ok = peer.final_response().await;
    assert_eq!((ok.status(), ok.call_id()), (StatusCode::Ok, &b"c1"[..]));
    peer.send(peer.within(&ok, "ACK", 1)).await;
    peer.send(peer.within(&ok, "BYE", 2)).await;
    assert_eq!(peer.final_response().await.cseq_method(), b"BYE");
}

/// What nobody reads in a call has a limit; and what was read by nobody when the call is dropped is answered all the same.
#[tokio::test]
async fn requests_that_nobody_reads_are_refused() {
    let (agent, _incoming) = agent(1);
    let (session, peer) = standing(&agent).await;
    let invite = session.agent().with({
        let id = session.id();
        move |agent, _| {
            let dialog = agent.dialog(id).map(|dialog| {
                let id = dialog.id();
                [id.call_id, id.local_tag, id.remote_tag].map(|text| String::from_utf8_lossy(text).into_owned())
            });
            dialog.ok_or(ringback_ua::CommandError::Unknown)
        }
    });
    let [call_id, ours, theirs] = invite.await.unwrap();
    let message = |cseq: usize| {
        format!(
            "MESSAGE sip:bob@{} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bKm{cseq}\r\nMax-Forwards: 70\r\n\
             From: <sip:peer@{}>;tag={theirs}\r\nTo: <sip:bob@b.example>;tag={ours}\r\nCall-ID: {call_id}\r\n\
             CSeq: {cseq} MESSAGE\r\nContent-Length: 0\r\n\r\n",
            peer.agent,
            peer.at(),
            peer.at()
        )
    };
    // The call has told that something was agreed on.
    let room = EVENTS_MAX - 1;
    for cseq in 1..=room {
        peer.send(message(cseq)).await;
    }
    peer.hears_nothing().await;
    peer.send(message(room + 1)).await;
    let refused = peer.final_response().await;
    assert_eq!((refused.status(), refused.cseq() as usize), (StatusCode::ServerInternalError, room + 1));
    drop(session);
    let mut left = room;
    while left > 0 {
        let message = peer.hear().await;
        if !message.is_request() {
            let response = Response::check(message).unwrap();
            assert_eq!((response.status(), response.cseq_method()), (StatusCode::ServerInternalError, &b"MESSAGE"[..]));
            left -= 1;
        }
    }
}

/// Who lets go of everything still says goodbye.
#[tokio::test]
async fn the_last_handle_ends_the_agent() {
    let (agent, incoming) = agent(1);
    let (session, peer) = standing(&agent).await;
    drop((agent, incoming, session));
    let bye = peer.request(&Method::Bye).await;
    peer.send(answer(&bye, 200, "")).await;
    // The address is free again once the task has ended.
    let address = peer.agent;
    timeout(WAIT, async {
        while UdpSocket::bind(address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .unwrap();
}

/// A name server for which each name is at 127.0.0.1, and has no other records.
fn name_server() -> SocketAddr {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 1_500];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer) {
            let question = &buffer[12..length];
            let end = question.iter().position(|byte| *byte == 0).unwrap() + 5;
            let is_a = question[end - 4..end] == [0, 1, 0, 1];
            let mut answer = buffer[..2].to_vec();
            answer.extend([0x81, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0]);
            answer.extend(&question[..end]);
            if is_a {
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
            }
            socket.send_to(&answer, peer).unwrap();
        }
    });
    address
}

#[tokio::test]
async fn a_call_to_a_host_name() {
    let options = DnsOptions { servers: vec![name_server()], ..DnsOptions::default() };
    let names = DnsClient::start(&options).unwrap();
    let bound = AgentBound::open(&[ListenOn::new("127.0.0.1:0".parse().unwrap())]).unwrap().names(names);
    let (agent, _incoming) = bound.start(Config::new("bob", Vec::new()), AgentOptions::default()).unwrap();
    let peer = Peer::new(&agent).await;
    let to = format!("sip:peer@phone.example:{}", peer.at().port());
    let calling = agent.invite(Outbound::new("sip:bob@b.example", &to), sound(), Media::None).await.unwrap();
    let invite = peer.request(&Method::Invite).await;
    assert_eq!(invite.request_uri_text(), to.as_bytes());
    drop(calling);
    peer.send(answer(&invite, 486, "")).await;
    peer.request(&Method::Ack).await;
}

#[tokio::test]
async fn a_call_by_tcp() {
    let (agent, _incoming) = agent(1);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = format!("sip:peer@{};transport=tcp", listener.local_addr().unwrap());
    let mut calling = agent.invite(Outbound::new("sip:bob@b.example", &to), sound(), Media::None).await.unwrap();
    let (mut line, _) = listener.accept().await.unwrap();
    let invite = read(&mut line).await;
    let contact = format!("Contact: <sip:peer@{};transport=tcp>\r\n", listener.local_addr().unwrap());
    line.write_all(with_sdp(&answer(&invite, 200, &contact)).as_bytes()).await.unwrap();
    let CallingEvent::Answered(answered) = calling.next().await else { panic!("not answered") };
    assert!(read(&mut line).await.is(&Method::Ack));
    drop(answered);
    assert!(read(&mut line).await.is(&Method::Bye));
}

/// The registrar says how long it waits, and each keep-alive that is answered is followed by the next, on the same connection.
/// `[RFC 5626, Section 4.4.1]`
#[tokio::test]
async fn a_registration_keeps_its_connection_alive() {
    let (agent, _incoming) = agent(1);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = RegistrationConfig::new("sip:bob@b.example", "sip:bob@127.0.0.1;transport=tcp");
    config.registrar = Some(format!("sip:{};transport=tcp", listener.local_addr().unwrap()));
    std::sync::Arc::make_mut(&mut config.policy).keeps_alive = true;
    let _registering = agent.register(config, None).await.unwrap();
    let (mut line, _) = listener.accept().await.unwrap();
    let register = read(&mut line).await;
    let contact = register.first(HeaderId::Contact).unwrap();
    let contact = String::from_utf8_lossy(contact.value()).into_owned();
    let more = format!("Contact: {contact};expires=3600\r\nFlow-Timer: 1\r\n");
    line.write_all(answer(&register, 200, &more).as_bytes()).await.unwrap();
    for _ in 0..2 {
        let mut ping = [0; 4];
        timeout(WAIT, line.read_exact(&mut ping)).await.unwrap().unwrap();
        assert_eq!(&ping, b"\r\n\r\n");
        line.write_all(b"\r\n").await.unwrap();
    }
}

/// One message, which is all that comes at a time.
async fn read(line: &mut TcpStream) -> Request {
    let mut buffer = [0; 16_384];
    let length = timeout(WAIT, line.read(&mut buffer)).await.unwrap().unwrap();
    Request::parse(&buffer[..length]).unwrap()
}

/// What happens at the sockets is shown: a request and each time that it goes again, what comes, a connection that stands, and one that doesn't.
#[tokio::test]
async fn who_watches_sees_what_the_sockets_do() {
    let (told, mut seen) = mpsc::unbounded_channel();
    let bound = AgentBound::open(&[ListenOn::new("127.0.0.1:0".parse().unwrap())]).unwrap();
    let bound = bound.watched(move |seen| {
        _ = told.send(match seen {
            Seen::Sent { bytes, hop } => (format!("sent {}", bytes.starts_with(b"OPTIONS")), hop),
            Seen::Received { bytes, hop } => (format!("received {}", bytes.starts_with(b"SIP/2.0 200")), hop),
            Seen::Opened { hop } => ("opened".to_owned(), hop),
            Seen::Failed { hop, trouble, .. } => (trouble.as_str().to_owned(), hop),
            other => panic!("{other:?}"),
        });
    });
    let (agent, _incoming) = bound.start(Config::new("bob", Vec::new()), AgentOptions::default()).unwrap();
    let peer = Peer::new(&agent).await;
    // The URI leads elsewhere: the hop has the last word.
    let ask = |transport, remote| {
        let hop = Hop { transport, local: agent.locals()[0].address, remote, flow: None };
        let outbound = Outbound { hop: Some(hop), ..Outbound::new("sip:bob@a.example", "sip:alice@nobody.invalid") };
        agent.request(outbound, Method::Options, |request| request)
    };
    let asked = ask(Transport::Udp, peer.at()).await.unwrap();
    peer.request(&Method::Options).await;
    let again = peer.request(&Method::Options).await;
    assert_eq!(again.request_uri_text(), b"sip:alice@nobody.invalid");
    peer.send(answer(&again, 200, "")).await;
    assert_eq!(asked.outcome().await.unwrap().status().as_u16(), 200);

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let there = listener.local_addr().unwrap();
    let _waiting = ask(Transport::Tcp, there).await.unwrap();
    let _connection = listener.accept().await.unwrap();
    let nobody = "127.0.0.1:1".parse().unwrap();
    assert!(ask(Transport::Tcp, nobody).await.unwrap().outcome().await.is_err());
    let (sent, received, opened, refused) = ("sent true", "received true", "opened", "refused");
    let mut wanted = vec![(sent, peer.at()), (sent, peer.at()), (received, peer.at()), (sent, there), (opened, there)];
    wanted.extend([(sent, nobody), (refused, nobody)]);
    for (what, remote) in wanted {
        let (seen, hop) = timeout(WAIT, seen.recv()).await.unwrap().unwrap();
        assert_eq!((seen.as_str(), hop.remote), (what, remote));
    }
}

//! What README shows to those who use the library is what runs.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::thread;
use std::time::Duration;

use ringback::base::{Hop, Micros, Now};
use ringback::prelude::*;
use ringback::stack;
use ringback_lint::{Severity, lint_pair};

#[path = "../../examples/answer_with_sdp.rs"]
#[allow(dead_code)]
mod phone;

const OFFER: &str = "v=0\r\no=- 7 1 IN IP4 192.0.2.4\r\ns=-\r\nc=IN IP4 192.0.2.4\r\nt=0 0\r\nm=audio 4000 RTP/AVP";

/// README's programs are parts of the examples.
#[test]
fn readme_shows_the_examples() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let examples = fs::read_dir(root.join("crates/ringback/examples")).unwrap().map(|entry| entry.unwrap().path());
    let examples: Vec<String> =
        examples.filter(|path| path.is_file()).map(|path| fs::read_to_string(path).unwrap()).collect();
    let mut shown = 0;
    for program in readme.split("```rust\n").skip(1).map(|rest| rest.split("```").next().unwrap()) {
        let is_it = |example: &String| example.replace("pub(crate) fn", "fn").contains(program);
        assert!(examples.iter().any(is_it), "README shows another program:\n{program}");
        shown += 1;
    }
    assert_eq!(shown, 3);
}

#[test]
fn a_call_that_fits_is_taken() {
    let invite = request(Method::Invite, None).sdp(&offer("8 0")).build().unwrap();
    let ok = said(invite.as_bytes()).unwrap();
    assert_eq!(ok.status(), Some(StatusCode::Ok));
    let answer = ok.sdp().unwrap().unwrap();
    assert_eq!(answer.media()[0].formats(), ["8".into(), "0".into()]);
    assert!(lint_pair(&invite, &ok).is_empty(), "{:?}", lint_pair(&invite, &ok));
}

#[test]
fn one_without_an_offer_gets_one() {
    let invite = request(Method::Invite, None).build().unwrap();
    let ok = said(invite.as_bytes()).unwrap();
    assert_eq!(ok.status(), Some(StatusCode::Ok));
    assert_eq!(ok.sdp().unwrap().unwrap().media()[0].formats(), ["8".into(), "0".into()]);
}

#[test]
fn a_200_is_repeated_until_the_ack_is_there() {
    let mut phone = Phone::new();
    let invite = request(Method::Invite, None).sdp(&offer("0")).build().unwrap();
    phone.hears(invite.as_bytes());
    let ok = phone.last().unwrap();
    phone.passes(600);
    assert_eq!(phone.last().as_ref(), Some(&ok));
    phone.hears(invite.as_bytes());
    assert_eq!(phone.last(), None, "a repeated INVITE is no call more");
    let ok = Response::check(ok).unwrap();
    let ack = request(Method::Ack, ok.to_tag().map(|tag| str::from_utf8(tag).unwrap())).build().unwrap();
    phone.hears(ack.as_bytes());
    phone.passes(10_000);
    assert_eq!(phone.last(), None);
}

/// What each request deserves, and the header field that says more.
#[test]
fn what_can_not_be_served_is_told_why() {
    let invite = || request(Method::Invite, None);
    let with = |name: HeaderId, value: &str| invite().sdp(&offer("0")).raw(name, value).build().unwrap();
    let plain = |method: Method, tag| request(method, tag).build().unwrap();
    let cases = [
        (invite().sdp(&offer("18")).build().unwrap(), 488, Some(HeaderId::Warning)),
        (invite().content_type("application/sdp").body("v=1\r\n").build().unwrap(), 488, Some(HeaderId::Warning)),
        (invite().content_type("text/plain").body("hello").build().unwrap(), 415, Some(HeaderId::Accept)),
        (with(HeaderId::ContentEncoding, "gzip"), 415, Some(HeaderId::AcceptEncoding)),
        (with(HeaderId::Require, "foo"), 420, Some(HeaderId::Unsupported)),
        (plain(Method::Bye, Some("314159265358")), 481, None),
        (plain(Method::Cancel, None), 481, None),
        (plain(Method::Options, None), 200, Some(HeaderId::Allow)),
        (plain(Method::Message, None), 405, Some(HeaderId::Allow)),
    ];
    for (request, code, header) in cases {
        let response = said(request.as_bytes()).unwrap();
        assert_eq!(response.status().map(StatusCode::as_u16), Some(code));
        assert!(header.is_none_or(|header| response.first(header).is_some()), "{header:?} in {response:?}");
        let findings = lint_pair(&request, &response);
        assert!(findings.iter().all(|finding| finding.severity != Severity::Error), "{findings:?}");
    }
    assert_eq!(said(plain(Method::Ack, Some("314159265358")).as_bytes()), None);
    let text = String::from_utf8(invite().build().unwrap().as_bytes().to_vec()).unwrap();
    let malformed = said(text.replace("CSeq: 1", "CSeq: x").as_bytes()).unwrap();
    assert_eq!(malformed.status(), Some(StatusCode::BadRequest));
}

/// What ended the loop of a phone, or could: each is followed by an OPTIONS that is answered.
#[test]
fn no_datagram_ends_the_phone() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let phone = socket.local_addr().unwrap();
    let listening = thread::spawn(move || phone::listen(&socket).unwrap_err().to_string());
    let us = UdpSocket::bind("127.0.0.1:0").unwrap();
    us.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut calls = 0_u32..;
    let mut options = |via: &str, max_forwards: &str| {
        let call = calls.next().unwrap();
        format!(
            "OPTIONS sip:bob@127.0.0.1 SIP/2.0\r\nVia: {via}\r\nMax-Forwards: {max_forwards}\r\nFrom: <sip:a@a.example>;tag=1\r\n\
             To: <sip:bob@127.0.0.1>\r\nCall-ID: {call}@a.example\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        )
    };
    let branch = |name: &str| format!("SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK{name}");
    let fillings = |count: usize| "x".repeat(count);
    let hostile = [
        String::new(),
        "\r\n\r\n".into(),
        "noise".into(),
        options("SIP/2.0/UDP\r\n 127.0.0.1 ;rport\r\n ;branch=z9hG4bKfolded", "70"),
        options(&format!("SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK{}", fillings(65_200)), "70"),
        options(&format!("{};x={}", branch("big"), fillings(65_100)), "many"),
        options("SIP/2.0/UDP 127.0.0.1:0;branch=z9hG4bKport", "70"),
        options("SIP/2.0/UDP 240.0.0.1;maddr=255.255.255.255;branch=z9hG4bKmaddr", "70"),
        options("SIP/2.0/TCP [2001:db8::1];branch=z9hG4bKtcp", "70"),
        options("SIP/2.0/UDP 127.0.0.1;branch=", "70"),
        "INVITE sip:b SIP/2.0\r\nVia: x\r\n\r\n".into(),
        "SIP/2.0 200 OK\r\n\r\n".into(),
    ];
    for (index, datagram) in hostile.iter().enumerate() {
        us.send_to(datagram.as_bytes(), phone).unwrap();
        let call = format!("after-{index}");
        us.send_to(options(&branch(&call), "70").as_bytes(), phone).unwrap();
        let mut received = [0; 65_535];
        loop {
            let length = us.recv(&mut received).unwrap_or_else(|error| panic!("{error} after {datagram:.200}"));
            let response = Response::parse(&received[..length]).unwrap();
            if response.branch().is_some_and(|branch| branch.ends_with(call.as_bytes())) {
                assert_eq!(response.status(), StatusCode::Ok);
                break;
            }
        }
    }
    assert!(!listening.is_finished());
}

/// The example's phone, in a time of its own.
struct Phone {
    endpoint: stack::Endpoint,
    sound: Endpoint,
    now: Now,
}

impl Phone {
    fn new() -> Phone {
        let (endpoint, sound) = phone::phone(hop().local).unwrap();
        Phone { endpoint, sound, now: Now::default() }
    }

    fn hears(&mut self, datagram: &[u8]) {
        _ = self.endpoint.handle_datagram(Bytes::copy_from_slice(datagram), hop(), self.now);
        phone::serve(self.endpoint.agent_mut(), &self.sound, self.now);
    }

    fn passes(&mut self, ms: u64) {
        self.now.mono = self.now.mono.plus(Micros::from_ms(ms));
        self.endpoint.handle_timeout(self.now);
        phone::serve(self.endpoint.agent_mut(), &self.sound, self.now);
    }

    /// The last message that it wants sent. The 400 to a malformed CSeq repeats it, and so isn't `check`ed.
    fn last(&mut self) -> Option<Message> {
        let sent = std::iter::from_fn(|| self.endpoint.poll_transmit());
        sent.last().map(|transmit| Message::parse(transmit.bytes).unwrap())
    }
}

fn said(datagram: &[u8]) -> Option<Message> {
    let mut phone = Phone::new();
    phone.hears(datagram);
    phone.last()
}

fn hop() -> Hop {
    let [ours, theirs]: [SocketAddr; 2] = ["192.0.2.201:5060", "192.0.2.4:5060"].map(|at| at.parse().unwrap());
    Hop::udp(ours, theirs)
}

fn offer(formats: &str) -> SessionDescription {
    format!("{OFFER} {formats}\r\n").parse().unwrap()
}

fn request(method: Method, to_tag: Option<&str>) -> RequestBuilder {
    let branch = format!("z9hG4bK74bf9{method}");
    let builder = RequestBuilder::new(method.clone(), "sip:bob@192.0.2.201")
        .via("192.0.2.4", "UDP", Some(&branch))
        .from("", "sip:alice@atlanta.example.com", Some("9fxced76sl"))
        .to("", "sip:bob@biloxi.example.com", to_tag)
        .call_id("3848276298220188511@atlanta.example.com")
        .cseq(1, method.clone());
    if method == Method::Invite { builder.contact("sip:alice@192.0.2.4", None) } else { builder }
}

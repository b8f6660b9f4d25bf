//! The client of a registrar.

mod failures;
mod flows;
mod lifetime;
mod outbound;
mod random;

use bytes::Bytes;
use ringback_base::{Micros, Now, Random};
use ringback_message::{HeaderId, Message, Request, Response, StatusCode};
use ringback_ua::{Registration, RegistrationConfig, RegistrationEvent, RegistrationStep};

const AOR: &str = "sip:alice@b.example";
const CONTACT: &str = "sip:alice@192.0.2.1:5060";

/// A registration whose REGISTERs are caught and answered by the test.
struct Client {
    registration: Registration,
    random: Random,
    now: Now,
    /// The last REGISTER that was sent, until it is answered.
    out: Option<Request>,
    events: Vec<RegistrationEvent>,
    sent: usize,
}

impl Client {
    fn new(config: &RegistrationConfig) -> Client {
        Client::seeded(config, 1)
    }

    fn seeded(config: &RegistrationConfig, seed: u8) -> Client {
        let mut random = Random::from_seed([seed; 32]);
        let registration = Registration::new(config, &mut random).unwrap();
        Client { registration, random, now: Now::default(), out: None, events: Vec::new(), sent: 0 }
    }

    fn alice() -> Client {
        Client::new(&RegistrationConfig::new(AOR, CONTACT))
    }

    /// A client that is registered for so many seconds.
    fn registered(config: &RegistrationConfig, secs: u32) -> Client {
        let mut client = Client::new(config);
        client.register();
        client.ok(&[&format!("Contact: <{CONTACT}>;expires={secs}")]);
        assert!(matches!(client.event(), Some(RegistrationEvent::Registered { .. })));
        client
    }

    fn take(&mut self, step: RegistrationStep) {
        if let Some(send) = step.send {
            assert!(self.out.is_none(), "one at a time");
            self.out = Some(send.via("192.0.2.1", "UDP", Some("z9hG4bK1")).build().unwrap());
            self.sent += 1;
        }
        self.events.extend(step.event);
    }

    fn register(&mut self) -> Request {
        let step = self.registration.register();
        self.take(step);
        self.out.clone().unwrap()
    }

    fn unregister(&mut self) {
        let step = self.registration.unregister();
        self.take(step);
    }

    /// The registrar's answer, which echoes the request.
    fn answer(&mut self, code: u16, lines: &[&str]) {
        let request = self.out.take().unwrap();
        let response = response(&request, code, lines);
        let step = self.registration.handle_response(&response, self.now, &mut self.random);
        self.take(step);
    }

    fn ok(&mut self, lines: &[&str]) {
        self.answer(200, lines);
    }

    fn fail(&mut self, status: StatusCode) {
        self.out = None;
        let step = self.registration.handle_failure(status, self.now, &mut self.random);
        self.take(step);
    }

    fn event(&mut self) -> Option<RegistrationEvent> {
        if self.events.is_empty() { None } else { Some(self.events.remove(0)) }
    }

    /// When it will next do something, in seconds from now.
    fn due_secs(&self) -> f64 {
        let due = self.registration.poll_timeout().unwrap();
        due.since(self.now.mono).to_duration().as_secs_f64()
    }

    /// Time passes up to there.
    fn wait_secs(&mut self, secs: u64) {
        let end = self.now.after(Micros::from_secs(secs));
        while let Some(at) = self.registration.poll_timeout().filter(|at| *at <= end.mono) {
            self.now = self.now.after(at.since(self.now.mono));
            let step = self.registration.handle_timeout(self.now);
            self.take(step);
            // What is due and can't be done yet must not be due for ever.
            if self.registration.poll_timeout() == Some(at) {
                break;
            }
        }
        self.now = self.now.after(end.mono.since(self.now.mono));
    }
}

/// A response to this request: what must be echoed, and these lines.
pub(crate) fn response(request: &Request, code: u16, lines: &[&str]) -> Response {
    let echo = |id: HeaderId| {
        let field = request.first(id).unwrap();
        format!("{}: {}\r\n", id.as_str(), String::from_utf8_lossy(field.value()))
    };
    let echoed: String =
        [HeaderId::Via, HeaderId::From, HeaderId::CallId, HeaderId::CSeq].into_iter().map(echo).collect();
    let to = String::from_utf8_lossy(request.first(HeaderId::To).unwrap().value()).into_owned();
    let more: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    let text = format!("SIP/2.0 {code} Whatever\r\n{echoed}To: {to};tag=srv\r\n{more}Content-Length: 0\r\n\r\n");
    Response::check(Message::parse(Bytes::from(text)).unwrap()).unwrap()
}

fn value(request: &Message, id: HeaderId) -> String {
    let field = request.first(id).unwrap_or_else(|| panic!("no {id} in {request:?}"));
    String::from_utf8(field.value().to_vec()).unwrap()
}

fn values(request: &Message, id: HeaderId) -> Vec<String> {
    request.all(id).map(|field| String::from_utf8(field.value().to_vec()).unwrap()).collect()
}

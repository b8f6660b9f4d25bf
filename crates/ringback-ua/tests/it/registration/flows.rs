//! The registration flows of `[RFC 3665, Section 2]`, message by message, against a registrar that verifies.

use ringback_auth::{
    Account, Algorithm, AuthAttempts, AuthConfig, Authenticator, Begin, DigestClient, GiveUp, Ha1Set, NonceSecret,
    Password, Verdict,
};
use ringback_base::{Now, Random};
use ringback_message::{Edit, HeaderId, Request, Response, StatusCode};
use ringback_ua::{
    Registration, RegistrationConfig, RegistrationContact, RegistrationEvent, RegistrationState, RegistrationStep,
};

use super::{response, value, values};

const REALM: &str = "atlanta.example.com";
const CONTACT: &str = "sips:bob@client.biloxi.example.com";

/// Bob's phone.
struct Bob {
    registration: Registration,
    digest: DigestClient,
    attempts: AuthAttempts,
    random: Random,
    branches: u32,
}

/// The SIP server: it knows Bob, and keeps the lines of his Contacts.
struct Server {
    authenticator: Authenticator,
    bob: Ha1Set,
    contacts: Vec<&'static str>,
}

impl Bob {
    fn with(password: &str) -> Bob {
        let mut random = Random::from_seed([5; 32]);
        let mut config = RegistrationConfig::new("sips:bob@biloxi.example.com", CONTACT);
        config.registrar = Some("sips:ss2.biloxi.example.com".into());
        config.expires_secs = None;
        let mut digest = DigestClient::new(&mut random);
        digest.add(Account::new(REALM, "bob", Password::new(password)).at("ss2.biloxi.example.com"));
        let registration = Registration::new(&config, &mut random).unwrap();
        Bob { registration, digest, attempts: AuthAttempts::default(), random, branches: 0 }
    }

    /// The first message of a REGISTER.
    fn send(&mut self, step: RegistrationStep) -> Request {
        self.attempts = AuthAttempts::default();
        self.branches += 1;
        let branch = format!("z9hG4bKnashds{}", self.branches);
        let via = "client.biloxi.example.com:5061";
        let request = step.send.unwrap().via(via, "TLS", Some(&branch)).build().unwrap();
        Request::check(self.digest.signed(&request).unwrap()).unwrap()
    }

    /// The same once more, after a challenge: CSeq one higher, another branch, and credentials.
    fn again(&mut self, request: &Request, challenge: &Response) -> Result<Request, GiveUp> {
        _ = self.digest.challenged(&mut self.attempts, request, challenge, &mut self.random)?;
        self.branches += 1;
        let (cseq, via) = (request.cseq() + 1, request.first(HeaderId::Via).unwrap());
        let value = format!("SIP/2.0/TLS client.biloxi.example.com:5061;branch=z9hG4bKnashds{}", self.branches);
        let again = Edit::new(request)
            .replace_line(via.index(), value.as_bytes())
            .set(HeaderId::CSeq, format!("{cseq} REGISTER").as_bytes())
            .finish()
            .unwrap();
        self.registration.sent(cseq);
        Ok(Request::check(self.digest.signed(&again).unwrap()).unwrap())
    }

    fn told(&mut self, response: &Response) -> Option<RegistrationEvent> {
        let step = self.registration.handle_response(response, Now::default(), &mut self.random);
        assert!(step.send.is_none());
        step.event
    }

    /// Registered, as at the end of the first flow.
    fn registered(server: &mut Server) -> Bob {
        let mut bob = Bob::with("zanzibar");
        let step = bob.registration.register();
        let first = bob.send(step);
        let challenge = server.answer(&first);
        let again = bob.again(&first, &challenge).unwrap();
        assert!(matches!(bob.told(&server.answer(&again)), Some(RegistrationEvent::Registered { .. })));
        bob
    }
}

impl Server {
    fn new() -> Server {
        let mut config = AuthConfig::new(REALM);
        config.algorithms = vec![Algorithm::Md5];
        let mut random = Random::from_seed([6; 32]);
        let authenticator = Authenticator::new(config, &NonceSecret::new([7; 32]), 0, &mut random).unwrap();
        Server {
            authenticator,
            bob: Ha1Set::of("bob", REALM, &Password::new("zanzibar")),
            contacts: vec!["Contact: <sips:bob@client.biloxi.example.com>;expires=3600"],
        }
    }

    fn answer(&mut self, request: &Request) -> Response {
        let now = Now::default();
        let verdict = match self.authenticator.begin(request, HeaderId::Authorization, now) {
            Begin::Claim(claim) => {
                let ha1 = self.bob.find(claim.algorithm());
                self.authenticator.finish(claim, ha1, now)
            }
            _ => Verdict::Wrong,
        };
        match verdict {
            Verdict::Verified(proof) => {
                assert_eq!(proof.user(), "bob");
                response(request, 200, &self.contacts)
            }
            _ => {
                let challenge = format!("WWW-Authenticate: {}", self.authenticator.challenge(false, now)[0]);
                response(request, 401, &[&challenge])
            }
        }
    }
}

/// What all REGISTERs of the flows have in common.
fn check_register(request: &Request, cseq: u32) {
    assert_eq!(request.request_uri_text(), b"sips:ss2.biloxi.example.com");
    assert!(
        value(request, HeaderId::Via).starts_with("SIP/2.0/TLS client.biloxi.example.com:5061;branch=z9hG4bKnashds")
    );
    assert_eq!(value(request, HeaderId::MaxForwards), "70");
    assert!(value(request, HeaderId::From).starts_with("<sips:bob@biloxi.example.com>;tag="));
    assert_eq!(value(request, HeaderId::To), "<sips:bob@biloxi.example.com>");
    assert_eq!(value(request, HeaderId::CSeq), format!("{cseq} REGISTER"));
    assert_eq!(value(request, HeaderId::ContentLength), "0");
}

fn check_credentials(request: &Request, nc: u32) {
    let value = value(request, HeaderId::Authorization);
    let start = "Digest username=\"bob\", realm=\"atlanta.example.com\", nonce=\"";
    let count = format!("nc={nc:08x}");
    assert!(
        value.starts_with(start) && value.contains("uri=\"sips:ss2.biloxi.example.com\"") && value.contains(&count)
    );
}

#[test]
fn rfc3665_section_2_1_successful_new_registration() {
    let (mut bob, mut server) = (Bob::with("zanzibar"), Server::new());
    let step = bob.registration.register();
    let f1 = bob.send(step);
    check_register(&f1, 1);
    assert_eq!(values(&f1, HeaderId::Contact), ["<sips:bob@client.biloxi.example.com>"]);
    assert!(values(&f1, HeaderId::Authorization).is_empty() && values(&f1, HeaderId::Expires).is_empty());
    let f2 = server.answer(&f1);
    assert_eq!(f2.status(), StatusCode::Unauthorized);
    let f3 = bob.again(&f1, &f2).unwrap();
    check_register(&f3, 2);
    check_credentials(&f3, 1);
    assert_eq!(values(&f3, HeaderId::Contact), ["<sips:bob@client.biloxi.example.com>"]);
    assert_eq!(f1.call_id(), f3.call_id());
    assert_ne!(f1.branch(), f3.branch());
    let f4 = server.answer(&f3);
    assert_eq!(f4.status(), StatusCode::Ok);
    let event = RegistrationEvent::Registered { expires_secs: 3_600, missing: 0, is_outbound: false };
    assert_eq!(bob.told(&f4), Some(event));
    assert_eq!(bob.registration.state(), RegistrationState::Registered);
}

#[test]
fn rfc3665_section_2_2_update_of_contact_list() {
    let mut server = Server::new();
    let mut bob = Bob::registered(&mut server);
    let both = [RegistrationContact::new(CONTACT), RegistrationContact::new("mailto:bob@biloxi.example.com")];
    let step = bob.registration.set_contacts(&both).unwrap();
    let f1 = bob.send(step);
    // "Since the user already has authenticated with the server, the user supplies authentication credentials with the request"
    check_register(&f1, 3);
    check_credentials(&f1, 2);
    // The flow names the new one only; both in one request is what refreshes them together.
    let contacts = ["<sips:bob@client.biloxi.example.com>", "<mailto:bob@biloxi.example.com>"];
    assert_eq!(values(&f1, HeaderId::Contact), contacts);
    server.contacts.push("Contact: <mailto:bob@biloxi.example.com>;expires=4294967295");
    let f2 = server.answer(&f1);
    let event = RegistrationEvent::Registered { expires_secs: 3_600, missing: 0, is_outbound: false };
    assert_eq!((f2.status(), bob.told(&f2)), (StatusCode::Ok, Some(event)));
}

#[test]
fn rfc3665_section_2_3_request_for_current_contact_list() {
    let mut server = Server::new();
    let mut bob = Bob::registered(&mut server);
    let step = bob.registration.fetch();
    let f1 = bob.send(step);
    check_register(&f1, 3);
    check_credentials(&f1, 2);
    assert!(values(&f1, HeaderId::Contact).is_empty());
    server.contacts.push("Contact: <mailto:bob@biloxi.example.com>;expires=4294967295");
    let f2 = server.answer(&f1);
    assert_eq!(bob.told(&f2), Some(RegistrationEvent::Fetched));
    assert_eq!(values(&f2, HeaderId::Contact).len(), 2);
    assert_eq!(bob.registration.state(), RegistrationState::Registered);
}

#[test]
fn rfc3665_section_2_4_cancellation_of_registration() {
    let mut server = Server::new();
    let mut bob = Bob::registered(&mut server);
    let step = bob.registration.unregister_all();
    let f1 = bob.send(step);
    check_register(&f1, 3);
    check_credentials(&f1, 2);
    assert_eq!((values(&f1, HeaderId::Contact), value(&f1, HeaderId::Expires)), (vec!["*".to_owned()], "0".to_owned()));
    server.contacts.clear();
    let f2 = server.answer(&f1);
    assert_eq!(bob.told(&f2), Some(RegistrationEvent::Unregistered));
    assert_eq!(bob.registration.state(), RegistrationState::Idle);
}

#[test]
fn rfc3665_section_2_5_unsuccessful_registration() {
    let (mut bob, mut server) = (Bob::with("wrong"), Server::new());
    let step = bob.registration.register();
    let f1 = bob.send(step);
    check_register(&f1, 1);
    let f2 = server.answer(&f1);
    assert_eq!(f2.status(), StatusCode::Unauthorized);
    let f3 = bob.again(&f1, &f2).unwrap();
    check_register(&f3, 2);
    check_credentials(&f3, 1);
    let f4 = server.answer(&f3);
    assert_eq!(f4.status(), StatusCode::Unauthorized);
    // The nonce is another, and the password no better for it.
    assert_eq!(bob.again(&f3, &f4), Err(GiveUp::Rejected { realm: REALM.into() }));
    assert_eq!(bob.told(&f4), Some(RegistrationEvent::Refused { status: StatusCode::Unauthorized }));
    assert_eq!(bob.registration.state(), RegistrationState::Refused);
}

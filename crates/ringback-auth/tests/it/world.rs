//! A server with one account, and a client that holds its password.

use bytes::Bytes;
use ringback_auth::{
    Algorithm, AuthConfig, AuthSession, Authenticator, Begin, Claim, CredentialsError, Ha1Set, NonceSecret, Password,
    StaleReason, Verdict,
};
use ringback_base::{Micros, Millis, Now, Random};
use ringback_message::{Edit, HeaderId, Message, Request, Response, StatusCode};

pub(crate) const REALM: &str = "b.example";

/// The time, so many seconds after the start.
pub(crate) fn at(secs: u64) -> Now {
    Now { mono: Micros::from_secs(secs), unix: Millis::from_secs(1_800_000_000 + secs) }
}

pub(crate) fn config(algorithms: &[Algorithm]) -> AuthConfig {
    let mut config = AuthConfig::new(REALM);
    config.algorithms = algorithms.to_vec();
    config
}

/// A request of that method and URI with more header lines and a body.
pub(crate) fn request(method: &str, uri: &str, lines: &[&str], body: &str) -> Request {
    let more: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    let text = format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\nFrom: <sip:alice@b.example>;tag=1\r\n\
         To: <sip:alice@b.example>\r\nCall-ID: 7@a.example\r\nCSeq: 1 {method}\r\n{more}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    Request::check(Message::parse(Bytes::from(text)).unwrap()).unwrap()
}

pub(crate) fn register() -> Request {
    request("REGISTER", "sip:b.example", &[], "")
}

pub(crate) fn authorization(value: &str) -> Request {
    request("REGISTER", "sip:b.example", &[&format!("Authorization: {value}")], "")
}

/// The request with a header field more.
pub(crate) fn with(request: &Request, value: &str) -> Request {
    Request::check(Edit::new(request).append(HeaderId::Authorization, value.as_bytes()).finish().unwrap()).unwrap()
}

pub(crate) struct World {
    pub(crate) server: Authenticator,
    pub(crate) random: Random,
    users: Vec<(&'static str, Ha1Set)>,
}

/// A verdict in a form that tests can compare.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    NoCredentials,
    Malformed(CredentialsError),
    Verified(String),
    Stale(StaleReason),
    Wrong,
}

pub(crate) fn verified() -> Outcome {
    Outcome::Verified("alice".into())
}

impl World {
    pub(crate) fn new(config: AuthConfig) -> World {
        World::with_owner(config, 7, [1; 32], [2; 32])
    }

    pub(crate) fn with_owner(config: AuthConfig, owner: u16, secret: [u8; 32], seed: [u8; 32]) -> World {
        let mut random = Random::from_seed(seed);
        let server = Authenticator::new(config, &NonceSecret::new(secret), owner, &mut random).unwrap();
        let users = vec![("alice", Ha1Set::of("alice", REALM, &Password::new("wonderland")))];
        World { server, random, users }
    }

    pub(crate) fn challenge(&mut self, stale: bool, now: Now) -> Response {
        let request = register();
        let mut builder = Response::to(&request, StatusCode::Unauthorized).to_tag("2");
        for value in self.server.challenge(stale, now) {
            builder = builder.raw(HeaderId::WwwAuthenticate, value);
        }
        builder.build().unwrap()
    }

    /// A client's session after a challenge.
    pub(crate) fn session(&mut self, now: Now) -> AuthSession {
        let response = self.challenge(false, now);
        AuthSession::pick(&response, HeaderId::WwwAuthenticate, Some(REALM), &mut self.random).unwrap()
    }

    pub(crate) fn claim(&mut self, request: &Request, now: Now) -> Result<Claim, Outcome> {
        match self.server.begin(request, HeaderId::Authorization, now) {
            Begin::NoCredentials => Err(Outcome::NoCredentials),
            Begin::Malformed(error) => Err(Outcome::Malformed(error)),
            Begin::Claim(claim) => Ok(claim),
        }
    }

    /// What the server makes of a request.
    pub(crate) fn judge(&mut self, request: &Request, now: Now) -> Outcome {
        let claim = match self.claim(request, now) {
            Ok(claim) => claim,
            Err(outcome) => return outcome,
        };
        let user = self.users.iter().find(|(name, _)| *name == claim.user());
        let ha1 = user.and_then(|(_, set)| set.find(claim.algorithm()));
        match self.server.finish(claim, ha1, now) {
            Verdict::Verified(proof) => {
                assert_eq!(proof.realm(), REALM);
                Outcome::Verified(proof.user().into())
            }
            Verdict::Stale(reason) => Outcome::Stale(reason),
            Verdict::Wrong => Outcome::Wrong,
        }
    }
}

/// The client's answer as a header value.
pub(crate) fn answer(session: &mut AuthSession, user: &str, password: &str, request: &Request) -> String {
    let ha1 = session.ha1(user, &Password::new(password));
    session.answer(user, &ha1, request).unwrap()
}

/// The request with alice's answer.
pub(crate) fn signed(session: &mut AuthSession, request: &Request) -> Request {
    with(request, &answer(session, "alice", "wonderland", request))
}

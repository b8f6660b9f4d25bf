//! Digest: credentials that are read, and challenges that are answered, by the same rules on both sides.

use bytes::Bytes;
use ringback_auth::{AuthSession, Challenge, Credentials, Password};
use ringback_base::Random;
use ringback_message::{AuthParams, HeaderId, Message, Request};

/// The value of an Authorization or WWW-Authenticate.
pub(crate) fn check(data: &[u8]) {
    if let Ok(params) = AuthParams::parse(HeaderId::Authorization, data, 0) {
        assert!(params.iter().all(|(name, value)| params.raw(name) == Some(value)), "each stands once");
        let credentials = Credentials::read(&params);
        assert_eq!(Credentials::read(&params.to_owned_text()), credentials);
        if let Ok(challenge) = Challenge::read(&params) {
            let value = challenge.value();
            let again = AuthParams::parse(HeaderId::WwwAuthenticate, value.as_bytes(), 0);
            let again = again.unwrap_or_else(|error| panic!("{error}: {value}"));
            assert_eq!(Challenge::read(&again), Ok(challenge), "{value}");
        }
    }
    answered(data);
}

/// What we answer to a challenge is what we would read ourselves.
fn answered(data: &[u8]) {
    let text = [b"SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: ", data, b"\r\n\r\n"].concat();
    let Ok(response) = Message::parse(Bytes::from(text)) else { return };
    let mut random = Random::from_seed([7; 32]);
    let Ok(mut session) = AuthSession::pick(&response, HeaderId::WwwAuthenticate, None, &mut random) else { return };
    let ha1 = session.ha1("alice", &Password::new("wonderland"));
    for count in 1..=2 {
        let Ok(value) = session.answer("alice", &ha1, &register()) else { return };
        let params = AuthParams::parse(HeaderId::Authorization, value.as_bytes(), 0);
        let params = params.unwrap_or_else(|error| panic!("{error}: {value}"));
        let read = Credentials::read(&params).unwrap_or_else(|error| panic!("{error}: {value}"));
        let challenge = session.challenge();
        assert_eq!(
            (read.user(), read.realm(), read.nonce()),
            ("alice", &*challenge.realm, &*challenge.nonce),
            "{value}"
        );
        assert!(read.nc().is_none_or(|nc| nc == count), "{value}");
    }
}

fn register() -> Request {
    let text: &[u8] =
        b"REGISTER sip:b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\nCSeq: 1 REGISTER\r\n\
        From: <sip:alice@b.example>;tag=1\r\nTo: <sip:alice@b.example>\r\nCall-ID: 7@a.example\r\n\r\n";
    let message = Message::parse(Bytes::from_static(text));
    message.and_then(Request::check).unwrap_or_else(|rejected| panic!("{rejected}"))
}

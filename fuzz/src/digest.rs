//! Digest: credentials that are read, and challenges that are answered, by the same rules on both sides.

use bytes::Bytes;
use ringback_auth::{Account, AuthAttempts, AuthSession, Challenge, Credentials, DigestClient, Password};
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
    retried(data);
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

/// A client that is challenged so, and told so of the next nonce, sends what we would read ourselves.
fn retried(data: &[u8]) {
    let text =
        [b"SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: ", data, b"\r\nProxy-Authenticate: ", data, b"\r\n\r\n"]
            .concat();
    let good = b"SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm=r, nonce=n, qop=auth\r\n\r\n";
    let info = [b"SIP/2.0 200 OK\r\nAuthentication-Info: ", data, b"\r\n\r\n"].concat();
    for challenge in [&*text, good] {
        let Ok(response) = Message::parse(Bytes::copy_from_slice(challenge)) else { continue };
        let mut random = Random::from_seed([7; 32]);
        let mut client = DigestClient::new(&mut random);
        client.add(Account::for_any_realm("alice", Password::new("wonderland")));
        let register = register();
        if client.challenged(&mut AuthAttempts::default(), &register, &response, &mut random).is_err() {
            continue;
        }
        let sent = read_back(&mut client, &register);
        if let Ok(response) = Message::parse(Bytes::from(info.clone())) {
            _ = client.succeeded(&sent, &response);
            read_back(&mut client, &sent);
        }
    }
}

/// The request as it is sent, each of its credentials read.
fn read_back(client: &mut DigestClient, request: &Message) -> Message {
    let sent = client.signed(request).unwrap_or_else(|error| panic!("{error}"));
    let mut count = 0;
    for header in [HeaderId::Authorization, HeaderId::ProxyAuthorization] {
        for field in sent.all(header) {
            let params =
                AuthParams::parse(header, field.value(), 0).unwrap_or_else(|error| panic!("{error}: {sent:?}"));
            let read = Credentials::read(&params).unwrap_or_else(|error| panic!("{error}: {sent:?}"));
            assert_eq!(read.user(), "alice");
            count += 1;
        }
    }
    assert_eq!(count, client.sessions(), "one for each realm: {sent:?}");
    sent
}

fn register() -> Request {
    let text: &[u8] =
        b"REGISTER sip:b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\nCSeq: 1 REGISTER\r\n\
        From: <sip:alice@b.example>;tag=1\r\nTo: <sip:alice@b.example>\r\nCall-ID: 7@a.example\r\n\r\n";
    let message = Message::parse(Bytes::from_static(text));
    message.and_then(Request::check).unwrap_or_else(|rejected| panic!("{rejected}"))
}

//! The client's side: an answer to a challenge. `[RFC 8760, Section 2.4]`

use alloc::format;
use alloc::string::String;
use core::fmt;

use ringback_base::Random;
use ringback_message::header::AuthenticationInfo;
use ringback_message::{AuthParams, HeaderId, Message};

use crate::algorithm::{Algorithm, Qop};
use crate::challenge::{Challenge, ChallengeError};
use crate::credentials::Credentials;
use crate::digest::{DigestInput, HexDigest, Protection};
use crate::ha1::{Ha1, Password};
use crate::parameter::{PARAMETER_BYTES_MAX, push_quoted, push_token, quoted_len, readable};

/// How many challenges of one response are looked at.
pub const CHALLENGES_MAX: usize = 16;

/// An authentication session: a challenge, and how often it was answered. `[RFC 7616, Section 3.6]`
///
/// It lasts until the same realm challenges again, and answers for requests that nobody asked for yet, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthSession {
    challenge: Challenge,
    qop: Option<Qop>,
    /// One for the whole session: the session variants hash the first one into A1.
    cnonce: String,
    nc: u32,
    /// The nonce of the challenge, once the server has given another: the session variants go on hashing it into A1.
    first_nonce: Option<String>,
}

/// What a response says of the server that answered authenticated requests. `[RFC 7616, Section 3.5]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerProof {
    /// Nothing: few servers do.
    None,
    /// That it knows the secret, too; with `auth-int`, that the body is its own.
    Given,
    /// What one who knows the secret would not say: the response is not to be trusted.
    Wrong,
}

impl AuthSession {
    /// Begins with the topmost challenge that we understand, in header fields of that name: WWW-Authenticate or Proxy-Authenticate.
    ///
    /// Give the realm that the password is for wherever it is known: the response to a stranger's challenge lets it
    /// guess at leisure.
    ///
    /// # Errors
    /// [`AnswerError::NoChallenge`] where there is none for the realm; else why the first of them can't be answered.
    pub fn pick(
        response: &Message,
        header: HeaderId,
        realm: Option<&str>,
        random: &mut Random,
    ) -> Result<AuthSession, AnswerError> {
        let mut error = AnswerError::NoChallenge;
        for field in response.all(header).take(CHALLENGES_MAX) {
            let Ok(params) = AuthParams::parse(header, field.value(), field.offset()) else { continue };
            match Challenge::read(&params) {
                Ok(challenge) if realm.is_none_or(|realm| realm == challenge.realm) => {
                    return Ok(AuthSession::new(challenge, random));
                }
                Ok(_) | Err(ChallengeError::NotDigest) => {}
                Err(defect) if error == AnswerError::NoChallenge => error = AnswerError::Challenge(defect),
                Err(_) => {}
            }
        }
        Err(error)
    }

    /// Begins with this challenge.
    #[must_use]
    pub fn new(challenge: Challenge, random: &mut Random) -> AuthSession {
        // `auth` where there is a choice: elements on the way that touch the body would break `auth-int`.
        let qop = challenge.qop.iter().copied().min();
        AuthSession { challenge, qop, cnonce: random.token(), nc: 0, first_nonce: None }
    }

    /// The challenge.
    #[must_use]
    pub fn challenge(&self) -> &Challenge {
        &self.challenge
    }

    /// The hash that [`AuthSession::answer`] takes.
    #[must_use]
    pub fn ha1(&self, user: &str, password: &Password) -> Ha1 {
        Ha1::of(self.challenge.algorithm, user, &self.challenge.realm, password)
    }

    /// The value of the Authorization or Proxy-Authorization for this request, and one more count of the nonce.
    ///
    /// # Errors
    /// Where the hash is by another algorithm, a text can't be sent, or the nonce has no count left.
    pub fn answer(&mut self, user: &str, ha1: &Ha1, request: &Message) -> Result<String, AnswerError> {
        let algorithm = self.challenge.algorithm;
        if ha1.algorithm() != algorithm.base() {
            return Err(AnswerError::WrongAlgorithm(algorithm));
        }
        if !is_user(user) {
            return Err(AnswerError::User);
        }
        let uri = core::str::from_utf8(request.request_uri_text()).map_err(|_| AnswerError::Uri)?;
        let nc = self.nc.checked_add(1).ok_or(AnswerError::NonceSpent)?;
        self.nc = nc;
        let nc = format!("{nc:08x}");
        let response = self.response(ha1, &nc, request.method_text().unwrap_or_default(), uri, request.body());
        Ok(self.value(user, uri, &nc, response.as_str()))
    }

    /// What the server says in the response to a request with these credentials of ours: Authentication-Info. The nonce that it wants
    /// next is taken over, unless it has proved to be another. `[RFC 3261, Section 20.6]` `[RFC 7616, Section 3.5]`
    pub fn answered(&mut self, sent: &Credentials, ha1: &Ha1, response: &Message) -> ServerProof {
        let of_this_nonce = sent.nonce() == self.challenge.nonce && sent.realm() == self.challenge.realm;
        let Some(Ok(info)) = response.values::<AuthenticationInfo<&[u8]>>().next().filter(|_| of_this_nonce) else {
            return ServerProof::None;
        };
        let proof = match info.rspauth() {
            Some(rspauth) if self.is_proved(sent, ha1, response, &rspauth, &info) => ServerProof::Given,
            Some(_) => return ServerProof::Wrong,
            None => ServerProof::None,
        };
        let next = info.nextnonce().and_then(|nonce| readable(nonce.into_owned()));
        let can_be_sent = |nonce: &String| !nonce.is_empty() && quoted_len(nonce) <= PARAMETER_BYTES_MAX;
        if let Some(next) = next.filter(can_be_sent).filter(|nonce| *nonce != self.challenge.nonce) {
            let before = core::mem::replace(&mut self.challenge.nonce, next);
            self.first_nonce.get_or_insert(before);
            self.nc = 0;
        }
        proof
    }

    /// The server's proof is computed as ours is, with nothing for a method, over its own body.
    fn is_proved(
        &self,
        sent: &Credentials,
        ha1: &Ha1,
        response: &Message,
        rspauth: &[u8],
        info: &AuthenticationInfo<&[u8]>,
    ) -> bool {
        // "The cnonce value and nc value MUST be the ones for the client request to which this message is the response."
        let of_request = info.cnonce().is_none_or(|cnonce| *cnonce == *self.cnonce.as_bytes())
            && info.nonce_count().is_none_or(|nc| Some(nc) == sent.nc());
        let nc = format!("{:08x}", sent.nc().unwrap_or(0));
        let right = self.response(ha1, &nc, b"", sent.uri(), response.body());
        of_request && core::str::from_utf8(rspauth).is_ok_and(|text| right.is_text(text).into())
    }

    fn response(&self, ha1: &Ha1, nc: &str, method: &[u8], uri: &str, body: &[u8]) -> HexDigest {
        let protection = self.protection(nc);
        let (session, nonce) = (self.challenge.algorithm.is_session(), self.challenge.nonce.as_str());
        let input = DigestInput { session, nonce, protection, method, uri, body };
        match &self.first_nonce {
            // A1 is made with "the nonce value provided in the challenge from the server", and lasts as the authentication session does.
            // `[RFC 7616, Section 3.4.2]`
            Some(first) if session => {
                DigestInput { session: false, ..input }.response(&ha1.of_session(first, &self.cnonce))
            }
            _ => input.response(ha1),
        }
    }

    fn protection<'a>(&'a self, nc: &'a str) -> Option<Protection<'a>> {
        self.qop.map(|qop| Protection { qop, nc, cnonce: &self.cnonce })
    }

    fn value(&self, user: &str, uri: &str, nc: &str, response: &str) -> String {
        let mut out = String::from("Digest ");
        push_quoted(&mut out, "username", user);
        push_quoted(&mut out, "realm", &self.challenge.realm);
        push_quoted(&mut out, "nonce", &self.challenge.nonce);
        push_quoted(&mut out, "uri", uri);
        push_quoted(&mut out, "response", response);
        push_token(&mut out, "algorithm", self.challenge.algorithm.as_str());
        if let Some(Protection { qop, nc, cnonce }) = self.protection(nc) {
            push_token(&mut out, "qop", qop.as_str());
            push_token(&mut out, "nc", nc);
            push_quoted(&mut out, "cnonce", cnonce);
        }
        if let Some(opaque) = &self.challenge.opaque {
            push_quoted(&mut out, "opaque", opaque);
        }
        out
    }
}

/// Whether it can be written as a name.
pub(crate) fn is_user(user: &str) -> bool {
    let is_short = user.len() <= PARAMETER_BYTES_MAX / 2 && quoted_len(user) <= PARAMETER_BYTES_MAX;
    !user.is_empty() && is_short && !user.chars().any(char::is_control)
}

/// Why a challenge is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerError {
    /// No digest challenge for the realm.
    NoChallenge,
    /// The first one that can't be answered, and why.
    Challenge(ChallengeError),
    /// The hash is not by this algorithm.
    WrongAlgorithm(Algorithm),
    /// The user's name is empty, overlong, or holds control characters.
    User,
    /// The Request-URI is not text.
    Uri,
    /// The nonce was used 4294967295 times.
    NonceSpent,
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AnswerError::NoChallenge => f.write_str("no digest challenge for the realm"),
            AnswerError::Challenge(error) => error.fmt(f),
            AnswerError::WrongAlgorithm(algorithm) => write!(f, "the hash is not one for {algorithm}"),
            AnswerError::User => f.write_str("the user's name is empty, too long, or holds control characters"),
            AnswerError::Uri => f.write_str("the Request-URI is not UTF-8"),
            AnswerError::NonceSpent => f.write_str("the nonce has no count left"),
        }
    }
}

impl core::error::Error for AnswerError {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use alloc::string::ToString;
    use bytes::Bytes;

    fn response(challenges: &[&str]) -> Message {
        let fields: String = challenges.iter().map(|value| format!("WWW-Authenticate: {value}\r\n")).collect();
        Message::parse(Bytes::from(format!("SIP/2.0 401 Unauthorized\r\n{fields}\r\n"))).unwrap()
    }

    fn pick(challenges: &[&str], realm: Option<&str>) -> Result<AuthSession, AnswerError> {
        AuthSession::pick(&response(challenges), HeaderId::WwwAuthenticate, realm, &mut Random::from_seed([1; 32]))
    }

    fn register() -> Message {
        Message::parse(Bytes::from_static(b"REGISTER sip:a.example SIP/2.0\r\n\r\n")).unwrap()
    }

    const MD5: &str = r#"Digest realm="r", nonce="n1", qop="auth,auth-int", opaque="o\"p""#;
    const SHA: &str = r#"Digest realm="r", nonce="n2", qop="auth", algorithm=SHA-256"#;
    const AKA: &str = r#"Digest realm="r", nonce="n3", qop="auth", algorithm=AKAv1-MD5"#;

    #[test]
    fn the_topmost_that_is_understood() {
        assert_eq!(pick(&[AKA, SHA, MD5], None).unwrap().challenge().algorithm, Algorithm::Sha256);
        assert_eq!(
            pick(&["Basic realm=\"r\"", "Bearer", MD5, SHA], Some("r")).unwrap().challenge().algorithm,
            Algorithm::Md5
        );
        assert_eq!(pick(&[AKA], None), Err(AnswerError::Challenge(ChallengeError::UnknownAlgorithm)));
        assert_eq!(pick(&[], None), Err(AnswerError::NoChallenge));
        assert_eq!(pick(&["Basic realm=\"r\""], None), Err(AnswerError::NoChallenge));
    }

    /// FreeSWITCH CVE-2021-41158: a stranger's challenge gets no response to guess the password from.
    #[test]
    fn cve_2021_41158_another_realm_is_not_answered() {
        assert_eq!(pick(&[MD5, SHA], Some("mine")), Err(AnswerError::NoChallenge));
    }

    #[test]
    fn counts_and_writes() {
        let mut session = pick(&[MD5], None).unwrap();
        let ha1 = session.ha1("b\"ob", &Password::new("secret"));
        let cnonce = session.cnonce.clone();
        let first = session.answer("b\"ob", &ha1, &register()).unwrap();
        let start = r#"Digest username="b\"ob", realm="r", nonce="n1", uri="sip:a.example", response=""#;
        let end = format!(r#"", algorithm=MD5, qop=auth, nc=00000001, cnonce="{cnonce}", opaque="o\"p""#);
        assert!(first.starts_with(start) && first.ends_with(&end), "{first}");
        assert!(session.answer("bob", &ha1, &register()).unwrap().contains("nc=00000002"));
        session.nc = u32::MAX;
        assert_eq!(session.answer("bob", &ha1, &register()), Err(AnswerError::NonceSpent));
    }

    #[test]
    fn without_qop_there_is_neither_cnonce_nor_nc() {
        let mut session = pick(&["Digest realm=r, nonce=n"], None).unwrap();
        let ha1 = session.ha1("bob", &Password::new("secret"));
        let value = session.answer("bob", &ha1, &register()).unwrap();
        assert!(!value.contains("qop") && !value.contains("nc=") && !value.contains("cnonce"), "{value}");
    }

    #[test]
    fn what_can_not_be_answered_with() {
        let mut session = pick(&[SHA], None).unwrap();
        let password = Password::new("secret");
        let md5 = Ha1::of(Algorithm::Md5, "bob", "r", &password);
        assert_eq!(session.answer("bob", &md5, &register()), Err(AnswerError::WrongAlgorithm(Algorithm::Sha256)));
        let ha1 = session.ha1("bob", &password);
        for user in ["", "bob\r\nX: y", "\0", &"b".repeat(1025), &"\"".repeat(1024)] {
            assert_eq!(session.answer(user, &ha1, &register()), Err(AnswerError::User));
        }
        assert!(AnswerError::WrongAlgorithm(Algorithm::Sha256).to_string().ends_with("SHA-256"));
    }

    /// The response of a server that says so much in its Authentication-Info.
    fn ok(info: &str, body: &str) -> Message {
        Message::parse(Bytes::from(format!("SIP/2.0 200 OK\r\nAuthentication-Info: {info}\r\n\r\n{body}"))).unwrap()
    }

    /// The session of the figures below, which Python's `hashlib` computed, and credentials that it sent.
    fn known(algorithm: &str, qop: &str) -> (AuthSession, Ha1, Credentials) {
        let challenge = format!("Digest realm=\"b.example\", nonce=\"n1\", qop=\"{qop}\", algorithm={algorithm}");
        let mut session = pick(&[&challenge], None).unwrap();
        session.cnonce = "c1".into();
        let ha1 = session.ha1("alice", &Password::new("wonderland"));
        let request = Message::parse(Bytes::from_static(b"REGISTER sip:b.example SIP/2.0\r\n\r\n")).unwrap();
        let value = session.answer("alice", &ha1, &request).unwrap();
        let params = AuthParams::parse(HeaderId::Authorization, value.as_bytes(), 0).unwrap();
        let sent = Credentials::read(&params).unwrap();
        (session, ha1, sent)
    }

    #[test]
    fn rfc7616_section_3_5_the_server_proves_itself() {
        for (algorithm, qop, rspauth) in [
            ("MD5", "auth", "b1bad021d50d35e492c39f6c12fd4ed2"),
            ("MD5", "auth-int", "262c5c16a560ec53a7b36c097b6373d1"),
            ("SHA-256", "auth", "0f7bf2b173fb408186ac3dbde323ee5ff639ee61bb7ab11c2a8470065edc90ee"),
            ("SHA-256", "auth-int", "00112454ced9a92d6a403c160fc401c188f28c749d66b38c8483c849400d96e2"),
        ] {
            let (mut session, ha1, sent) = known(algorithm, qop);
            let info = format!("qop={qop}, rspauth=\"{rspauth}\", cnonce=\"c1\", nc=00000001, nextnonce=\"n2\"");
            let judge = |info: &str, body: &str| session.clone().answered(&sent, &ha1, &ok(info, body));
            assert_eq!(judge(&info, "body"), ServerProof::Given, "{algorithm} {qop}");
            assert_eq!(judge(&info, "other") == ServerProof::Given, qop == "auth");
            for (from, to) in [("nc=00000001", "nc=00000002"), ("\"c1\"", "\"c2\""), (rspauth, "0")] {
                assert_eq!(judge(&info.replace(from, to), "body"), ServerProof::Wrong);
            }
            // A server that proves nothing may name a nonce all the same; one that proves to be another may not.
            let mut lied_to = session.clone();
            assert_eq!(lied_to.answered(&sent, &ha1, &ok(&info.replace(rspauth, "0"), "body")), ServerProof::Wrong);
            assert_eq!(lied_to.challenge().nonce, "n1");
            assert_eq!(session.answered(&sent, &ha1, &ok("nextnonce=\"n2\"", "")), ServerProof::None);
            assert_eq!((session.challenge().nonce.as_str(), session.nc), ("n2", 0));
            // What comes late changes nothing any more.
            assert_eq!(session.answered(&sent, &ha1, &ok("nextnonce=\"n3\"", "")), ServerProof::None);
            assert_eq!(session.challenge().nonce, "n2");
        }
    }

    /// Both challenges of the example: the first is taken, by its algorithm.
    #[test]
    fn rfc7616_section_3_9_1_from_challenge_to_credentials() {
        let challenges = ["SHA-256", "MD5"].map(|algorithm| {
            format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            )
        });
        let request = Message::parse(Bytes::from_static(b"GET sip:x SIP/2.0\r\n\r\n")).unwrap();
        for (first, response) in [
            (0, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
            (1, "8ca523f5e9506fed4657c9700eebdbec"),
        ] {
            let mut session = pick(&[&challenges[first], &challenges[1 - first]], None).unwrap();
            session.cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ".into();
            let ha1 = session.ha1("Mufasa", &Password::new("Circle of Life"));
            let method = request.method_text().unwrap();
            assert_eq!(session.response(&ha1, "00000001", method, "/dir/index.html", b"").as_str(), response);
            let value = session.answer("Mufasa", &ha1, &request).unwrap();
            assert!(value.contains("opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""), "{value}");
            assert!(value.contains("qop=auth, nc=00000001, cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\""));
        }
    }

    #[test]
    fn rfc7616_section_3_4_2_a_session_keeps_its_first_nonce_in_a1() {
        let (mut session, ha1, sent) = known("SHA-256-sess", "auth");
        _ = session.answered(&sent, &ha1, &ok("nextnonce=\"n2\"", ""));
        let value = session.answer("alice", &ha1, &register()).unwrap();
        let a1 = ha1.of_session("n1", "c1");
        let input = DigestInput {
            session: false,
            nonce: "n2",
            protection: Some(Protection { qop: Qop::Auth, nc: "00000001", cnonce: "c1" }),
            method: b"REGISTER",
            uri: "sip:a.example",
            body: b"",
        };
        assert!(value.contains(&format!("response=\"{}\"", input.response(&a1))), "{value}");
    }

    #[test]
    fn nonces_that_could_not_be_sent_are_not_taken() {
        let (mut session, ha1, sent) = known("MD5", "auth");
        for bad in
            [String::new(), "\u{7f}".into(), "n".repeat(PARAMETER_BYTES_MAX), "\\\\".repeat(PARAMETER_BYTES_MAX / 2)]
        {
            _ = session.answered(&sent, &ha1, &ok(&format!("nextnonce=\"{bad}\""), ""));
            assert_eq!(session.challenge().nonce, "n1");
        }
    }
}

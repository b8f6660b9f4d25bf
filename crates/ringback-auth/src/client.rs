//! The client's side: an answer to a challenge. `[RFC 8760, Section 2.4]`

use alloc::format;
use alloc::string::String;
use core::fmt;

use ringback_base::Random;
use ringback_message::{AuthParams, HeaderId, Message};

use crate::algorithm::{Algorithm, Qop};
use crate::challenge::{Challenge, ChallengeError};
use crate::digest::{DigestInput, Protection};
use crate::ha1::{Ha1, Password};
use crate::parameter::{PARAMETER_BYTES_MAX, push_quoted, push_token};

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
        AuthSession { challenge, qop, cnonce: random.token(), nc: 0 }
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
        if user.is_empty() || user.len() > PARAMETER_BYTES_MAX / 2 || user.chars().any(char::is_control) {
            return Err(AnswerError::User);
        }
        let uri = core::str::from_utf8(request.request_uri_text()).map_err(|_| AnswerError::Uri)?;
        let nc = self.nc.checked_add(1).ok_or(AnswerError::NonceSpent)?;
        self.nc = nc;
        let nc = format!("{nc:08x}");
        let protection = self.qop.map(|qop| Protection { qop, nc: &nc, cnonce: &self.cnonce });
        let method = request.method_text().unwrap_or_default();
        let session = algorithm.is_session();
        let nonce = self.challenge.nonce.as_str();
        let response = DigestInput { session, nonce, protection, method, uri, body: request.body() }.response(ha1);
        Ok(self.value(user, uri, protection, response.as_str()))
    }

    fn value(&self, user: &str, uri: &str, protection: Option<Protection<'_>>, response: &str) -> String {
        let mut out = String::from("Digest ");
        push_quoted(&mut out, "username", user);
        push_quoted(&mut out, "realm", &self.challenge.realm);
        push_quoted(&mut out, "nonce", &self.challenge.nonce);
        push_quoted(&mut out, "uri", uri);
        push_quoted(&mut out, "response", response);
        push_token(&mut out, "algorithm", self.challenge.algorithm.as_str());
        if let Some(Protection { qop, nc, cnonce }) = protection {
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
        for user in ["", "bob\r\nX: y", "\0", &"b".repeat(1025)] {
            assert_eq!(session.answer(user, &ha1, &register()), Err(AnswerError::User));
        }
        assert!(AnswerError::WrongAlgorithm(Algorithm::Sha256).to_string().ends_with("SHA-256"));
    }
}

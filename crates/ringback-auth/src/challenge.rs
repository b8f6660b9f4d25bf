//! WWW-Authenticate and Proxy-Authenticate. `[RFC 7616, Section 3.3]`

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use ringback_message::AuthParams;

use crate::algorithm::{Algorithm, Qop};
use crate::credentials::SCHEME;
use crate::parameter::{Improper, push_quoted, push_token, text};

/// A challenge of the digest scheme: what a server writes and a client reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The protection domain, which alone defines whose names and passwords count. `[RFC 3261, Section 22.1]`
    pub realm: String,
    /// The nonce.
    pub nonce: String,
    /// What the client returns unchanged.
    pub opaque: Option<String>,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The protections that are offered; empty from a server of RFC 2069.
    pub qop: Vec<Qop>,
    /// True where the secret was right and the nonce was not.
    pub stale: bool,
}

impl Challenge {
    /// The value of the header field.
    #[must_use]
    pub fn value(&self) -> String {
        let mut out = String::from("Digest ");
        // "a sender MUST only generate the quoted string syntax" for realm, nonce, opaque and qop,
        // and "MUST NOT" for stale and algorithm. `[RFC 7616, Section 3.3]`
        push_quoted(&mut out, "realm", &self.realm);
        push_quoted(&mut out, "nonce", &self.nonce);
        if !self.qop.is_empty() {
            let offered: Vec<&str> = self.qop.iter().map(|qop| qop.as_str()).collect();
            push_quoted(&mut out, "qop", &offered.join(","));
        }
        if let Some(opaque) = &self.opaque {
            push_quoted(&mut out, "opaque", opaque);
        }
        push_token(&mut out, "algorithm", self.algorithm.as_str());
        if self.stale {
            push_token(&mut out, "stale", "true");
        }
        out
    }

    /// Reads the parameters of a WWW-Authenticate or Proxy-Authenticate.
    ///
    /// # Errors
    /// Why it can't be answered; a client passes over such a one. `[RFC 8760, Section 2.4]`
    pub fn read<T: AsRef<[u8]>>(params: &AuthParams<T>) -> Result<Challenge, ChallengeError> {
        if !params.scheme.as_ref().eq_ignore_ascii_case(SCHEME) {
            return Err(ChallengeError::NotDigest);
        }
        let need = |name: &'static str| text(params, name)?.ok_or(ChallengeError::Missing(name));
        let algorithm = match text(params, "algorithm")? {
            Some(name) => Algorithm::from_name(name.as_bytes()).ok_or(ChallengeError::UnknownAlgorithm)?,
            None => Algorithm::Md5,
        };
        let qop = offered(text(params, "qop")?)?;
        if algorithm.is_session() && qop.is_empty() {
            // "algorithms that have a dependency on the cnonce … require that the qop directive be sent"
            // `[RFC 3261, Section 22.4]`
            return Err(ChallengeError::Missing("qop"));
        }
        Ok(Challenge {
            realm: need("realm")?,
            nonce: need("nonce")?,
            opaque: text(params, "opaque")?,
            algorithm,
            qop,
            stale: text(params, "stale")?.is_some_and(|flag| flag.eq_ignore_ascii_case("true")),
        })
    }
}

/// The protections that we know; it is an error if there are others only.
fn offered(list: Option<String>) -> Result<Vec<Qop>, ChallengeError> {
    let Some(list) = list else { return Ok(Vec::new()) };
    let mut known = Vec::new();
    // "Unrecognized options MUST be ignored." `[RFC 7616, Section 3.3]`
    for qop in list.split(',').filter_map(|name| Qop::from_name(name.trim().as_bytes())) {
        if !known.contains(&qop) {
            known.push(qop);
        }
    }
    if known.is_empty() { Err(ChallengeError::UnknownQop) } else { Ok(known) }
}

/// Why a challenge can't be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChallengeError {
    /// Another scheme than Digest.
    NotDigest,
    /// A parameter that must be there is not.
    Missing(&'static str),
    /// A parameter whose value is improper.
    Improper {
        /// Its name.
        parameter: &'static str,
        /// What should have stood there, as a phrase that follows "expected".
        expected: &'static str,
    },
    /// An algorithm that we do not have.
    UnknownAlgorithm,
    /// Nothing but protections that we do not have.
    UnknownQop,
}

impl From<Improper> for ChallengeError {
    fn from(Improper { parameter, why }: Improper) -> ChallengeError {
        ChallengeError::Improper { parameter, expected: why.expected() }
    }
}

impl fmt::Display for ChallengeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChallengeError::NotDigest => f.write_str("the scheme is not Digest"),
            ChallengeError::Missing(parameter) => write!(f, "{parameter} is missing [RFC 7616, Section 3.3]"),
            ChallengeError::Improper { parameter, expected } => {
                write!(f, "{parameter}: expected {expected} [RFC 7616, Section 3.3]")
            }
            ChallengeError::UnknownAlgorithm => f.write_str("algorithm: not one of ours [RFC 8760, Section 2.1]"),
            ChallengeError::UnknownQop => f.write_str("qop: neither auth nor auth-int [RFC 7616, Section 3.3]"),
        }
    }
}

impl core::error::Error for ChallengeError {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use alloc::format;
    use alloc::string::ToString;
    use alloc::vec;
    use ringback_message::HeaderId;

    fn read(value: &str) -> Result<Challenge, ChallengeError> {
        Challenge::read(&AuthParams::parse(HeaderId::WwwAuthenticate, value.as_bytes(), 0).unwrap())
    }

    #[test]
    fn written_and_read() {
        let mut challenge = Challenge {
            realm: "a \"b\" \\ c".to_string(),
            nonce: "n".to_string(),
            opaque: Some("o".to_string()),
            algorithm: Algorithm::Sha256,
            qop: vec![Qop::Auth, Qop::AuthInt],
            stale: true,
        };
        assert_eq!(
            challenge.value(),
            r#"Digest realm="a \"b\" \\ c", nonce="n", qop="auth,auth-int", opaque="o", algorithm=SHA-256, stale=true"#
        );
        assert_eq!(read(&challenge.value()), Ok(challenge.clone()));
        (challenge.opaque, challenge.stale, challenge.qop) = (None, false, vec![]);
        assert_eq!(challenge.value(), r#"Digest realm="a \"b\" \\ c", nonce="n", algorithm=SHA-256"#);
        assert_eq!(read(&challenge.value()), Ok(challenge));
    }

    #[test]
    fn of_other_servers() {
        let old = read("digest realm=r, nonce=n").unwrap();
        assert_eq!((old.algorithm, old.qop, old.stale), (Algorithm::Md5, vec![], false));
        let odd = read(
            "Digest realm=r,nonce=n,qop=\"auth-conf, AUTH ,auth\",stale=\"TRUE\",algorithm=\"sha-256\",domain=\"x\"",
        )
        .unwrap();
        assert_eq!((odd.algorithm, odd.qop, odd.stale), (Algorithm::Sha256, vec![Qop::Auth], true));
    }

    #[test]
    fn not_to_be_answered() {
        for (value, error) in [
            ("Basic realm=r", ChallengeError::NotDigest),
            ("Digest nonce=n", ChallengeError::Missing("realm")),
            ("Digest realm=r", ChallengeError::Missing("nonce")),
            ("Digest realm=r,nonce=n,algorithm=AKAv1-MD5", ChallengeError::UnknownAlgorithm),
            ("Digest realm=r,nonce=n,qop=\"auth-conf\"", ChallengeError::UnknownQop),
            ("Digest realm=r,nonce=n,qop=\"\"", ChallengeError::UnknownQop),
            ("Digest realm=r,nonce=n,algorithm=MD5-sess", ChallengeError::Missing("qop")),
        ] {
            assert_eq!(read(value), Err(error), "{value}");
        }
    }

    /// PJSIP CVE-2026-40892: parameters of 64 KB, with each algorithm and an unknown one.
    #[test]
    fn cve_2026_40892_huge_parameters_are_refused() {
        let huge = "h".repeat(65_000);
        for algorithm in ["MD5", "SHA-256", "SHA-512-256", "SHA-256-sess", "unknown"] {
            for parameter in ["realm", "nonce", "opaque", "qop"] {
                let rest: String = ["realm", "nonce", "qop"]
                    .iter()
                    .filter(|n| **n != parameter)
                    .map(|n| format!("{n}=\"auth\","))
                    .collect();
                let read = read(&format!("Digest {rest}{parameter}=\"{huge}\",algorithm={algorithm}"));
                match algorithm {
                    "unknown" => assert_eq!(read, Err(ChallengeError::UnknownAlgorithm)),
                    _ => assert_eq!(read, Err(ChallengeError::Improper { parameter, expected: "at most 2048 bytes" })),
                }
            }
            let read = read(&format!("Digest realm=r,nonce=n,algorithm=\"{huge}\""));
            assert!(matches!(read, Err(ChallengeError::Improper { parameter: "algorithm", .. })));
        }
    }
}

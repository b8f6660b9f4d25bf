//! Authorization and Proxy-Authorization. `[RFC 7616, Section 3.4]`

use alloc::string::String;
use core::fmt;

use ringback_message::header::AUTH_PARAMS_MAX;
use ringback_message::uri::unescape;
use ringback_message::{AuthParams, Blame, Blamed, Cursor, Header, ParseError, StatusCode};

use crate::algorithm::{Algorithm, Qop};
use crate::digest::Protection;
use crate::parameter::{Improper, Why, readable, text};

/// The scheme's name.
pub(crate) const SCHEME: &[u8] = b"Digest";

/// Credentials of the digest scheme, read but not verified.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub(crate) user: String,
    pub(crate) realm: String,
    pub(crate) nonce: String,
    pub(crate) uri: String,
    pub(crate) response: String,
    pub(crate) algorithm: Algorithm,
    pub(crate) count: Option<Count>,
}

/// qop, nc and cnonce, which come together or not at all.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) qop: Qop,
    pub(crate) nc: u32,
    pub(crate) nc_text: String,
    pub(crate) cnonce: String,
}

impl Credentials {
    /// Reads the parameters of an Authorization or Proxy-Authorization.
    ///
    /// Quotes may be there or not, whatever the grammar asks for: phones err on both sides.
    ///
    /// # Errors
    /// The first thing that is missing or improper.
    pub fn read<T: AsRef<[u8]>>(params: &AuthParams<T>) -> Result<Credentials, CredentialsError> {
        if !params.scheme.as_ref().eq_ignore_ascii_case(SCHEME) {
            return Err(CredentialsError::NotDigest);
        }
        let need = |name: &'static str| text(params, name)?.ok_or(CredentialsError::Missing(name));
        let realm = need("realm")?;
        let algorithm = match text(params, "algorithm")? {
            Some(name) => Algorithm::from_name(name.as_bytes()).ok_or(CredentialsError::UnknownAlgorithm)?,
            None => Algorithm::Md5,
        };
        let (user, nonce, uri, response) = (user(params)?, need("nonce")?, need("uri")?, need("response")?);
        let count = match text(params, "qop")? {
            Some(name) => Some(Count {
                qop: Qop::from_name(name.as_bytes()).ok_or(CredentialsError::UnknownQop)?,
                cnonce: need("cnonce")?,
                nc: count(&need("nc")?)?,
                nc_text: need("nc")?,
            }),
            None if algorithm.is_session() => return Err(CredentialsError::Missing("qop")),
            None => None,
        };
        Ok(Credentials { user, realm, nonce, uri, response, algorithm, count })
    }

    /// The user's name.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The realm that they are for.
    #[must_use]
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// The nonce of the challenge that they answer.
    #[must_use]
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// The Request-URI as the client saw it.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The algorithm; MD5 where none is named.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The protection; `None` from a client of RFC 2069.
    #[must_use]
    pub fn qop(&self) -> Option<Qop> {
        self.count.as_ref().map(|count| count.qop)
    }

    /// How often the client used the nonce, this time included; `None` from a client of RFC 2069.
    #[must_use]
    pub fn nc(&self) -> Option<u32> {
        self.count.as_ref().map(|count| count.nc)
    }

    pub(crate) fn protection(&self) -> Option<Protection<'_>> {
        self.count.as_ref().map(|count| Protection { qop: count.qop, nc: &count.nc_text, cnonce: &count.cnonce })
    }
}

impl fmt::Debug for Credentials {
    /// Shows nothing that a password could be guessed from.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &self.user)
            .field("realm", &self.realm)
            .field("algorithm", &self.algorithm)
            .field("qop", &self.qop())
            .field("nc", &self.nc())
            .finish_non_exhaustive()
    }
}

/// username, or username* in the notation of RFC 5987. `[RFC 7616, Section 3.4]`
fn user<T: AsRef<[u8]>>(params: &AuthParams<T>) -> Result<String, CredentialsError> {
    if text(params, "userhash")?.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Err(CredentialsError::UserhashUnsupported);
    }
    let user = match (text(params, "username")?, text(params, "username*")?) {
        (Some(plain), None) => plain,
        (None, Some(extended)) => decoded(&extended)
            .ok_or(CredentialsError::Improper { parameter: "username*", expected: "UTF-8'' and escaped text" })?,
        (None, None) => return Err(CredentialsError::Missing("username")),
        // "Sending both username and username* in the same header option MUST be treated as an error." `[RFC 7616, Section 3.4]`
        (Some(_), Some(_)) => {
            return Err(CredentialsError::Improper { parameter: "username*", expected: "no username beside it" });
        }
    };
    if user.is_empty() {
        Err(CredentialsError::Improper { parameter: "username", expected: "a name" })
    } else {
        Ok(user)
    }
}

fn decoded(extended: &str) -> Option<String> {
    let (charset, rest) = extended.split_once('\'')?;
    let (_language, escaped) = rest.split_once('\'')?;
    let mut pieces = escaped.split('%');
    let whole = pieces.next().is_some() && pieces.all(|p| p.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2);
    (whole && charset.eq_ignore_ascii_case("UTF-8")).then(|| readable(unescape(escaped.as_bytes())))?
}

/// "the nc value MUST be exactly 8 hexadecimal digits" `[RFC 7616, Section 3.5]`
fn count(nc: &str) -> Result<u32, CredentialsError> {
    let digits = nc.len() == 8 && nc.bytes().all(|b| b.is_ascii_hexdigit());
    let count = if digits { u32::from_str_radix(nc, 16).ok() } else { None };
    count.ok_or(CredentialsError::Improper { parameter: "nc", expected: "8 hexadecimal digits" })
}

/// Why a header field holds no credentials that can be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialsError {
    /// Another scheme than Digest: not an error of the peer, but to be passed over.
    NotDigest,
    /// The value has not the form of any scheme's credentials.
    Syntax(ParseError),
    /// More parameters than [`AUTH_PARAMS_MAX`]: where the first one too many stands.
    TooManyParameters(ParseError),
    /// A parameter with more bytes than [`PARAMETER_BYTES_MAX`](crate::PARAMETER_BYTES_MAX).
    TooLong {
        /// Its name.
        parameter: &'static str,
    },
    /// A parameter that must be there is not.
    Missing(&'static str),
    /// A parameter whose value is improper.
    Improper {
        /// Its name.
        parameter: &'static str,
        /// What should have stood there, as a phrase that follows "expected".
        expected: &'static str,
    },
    /// An algorithm that we do not have: a new challenge tells which ones there are.
    UnknownAlgorithm,
    /// A qop that we do not have.
    UnknownQop,
    /// A qop, or its absence, that the challenge did not offer.
    QopNotOffered,
    /// The name is hashed, which no challenge of ours asks for. `[RFC 7616, Section 3.4.4]`
    UserhashUnsupported,
    /// The digest URI and the Request-URI differ by more than the policy lets pass. `[RFC 7616, Section 3.4.6]`
    UriMismatch,
}

impl CredentialsError {
    /// The response that a request with such credentials gets, where it is not simply challenged. `[RFC 7616, Section 3.4]`
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            CredentialsError::Syntax(error) | CredentialsError::TooManyParameters(error) => error.kind.status(),
            _ => StatusCode::BadRequest,
        }
    }

    /// The limit that the credentials reach, if that is what is wrong with them.
    #[must_use]
    pub const fn limit(&self) -> Option<Limit> {
        match self {
            CredentialsError::TooManyParameters(_) => Some(Limit::AuthParams),
            CredentialsError::TooLong { .. } => Some(Limit::ParameterBytes),
            _ => None,
        }
    }
}

impl Blamed for CredentialsError {
    fn blame(&self) -> Blame {
        Blame::Caller
    }

    fn own_status(&self) -> Option<StatusCode> {
        Some(self.status())
    }
}

/// A limit that makes credentials malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// [`AUTH_PARAMS_MAX`].
    AuthParams,
    /// [`PARAMETER_BYTES_MAX`](crate::PARAMETER_BYTES_MAX).
    ParameterBytes,
}

/// The parameters of a header field.
pub(crate) fn parameters<'a>(field: &Header<'a>) -> Result<AuthParams<&'a [u8]>, CredentialsError> {
    AuthParams::parse(field.id(), field.value(), field.offset()).map_err(|error| {
        if is_beyond_params_max(field, &error) {
            CredentialsError::TooManyParameters(error)
        } else {
            CredentialsError::Syntax(error)
        }
    })
}

/// True where reading stopped at a parameter before which there are already as many as there may be.
fn is_beyond_params_max(field: &Header<'_>, error: &ParseError) -> bool {
    let at = usize::try_from(error.offset.saturating_sub(field.offset())).unwrap_or(usize::MAX);
    let Some((before, rest)) = field.value().split_at_checked(at) else { return false };
    let Some(whole) = before.trim_ascii_end().strip_suffix(b",") else { return false };
    Cursor::new(field.id(), rest, error.offset).token("the name of a parameter").is_ok()
        && AuthParams::parse(field.id(), whole, 0).is_ok_and(|params| params.iter().count() >= AUTH_PARAMS_MAX)
}

impl From<Improper> for CredentialsError {
    fn from(Improper { parameter, why }: Improper) -> CredentialsError {
        match why {
            Why::TooLong => CredentialsError::TooLong { parameter },
            Why::Unreadable => CredentialsError::Improper { parameter, expected: why.expected() },
        }
    }
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CredentialsError::NotDigest => f.write_str("the scheme is not Digest"),
            CredentialsError::Syntax(error) | CredentialsError::TooManyParameters(error) => error.fmt(f),
            CredentialsError::TooLong { parameter } => write!(f, "{parameter}: expected {}", Why::TooLong.expected()),
            CredentialsError::Missing(parameter) => write!(f, "{parameter} is missing [RFC 7616, Section 3.4]"),
            CredentialsError::Improper { parameter, expected } => {
                write!(f, "{parameter}: expected {expected} [RFC 7616, Section 3.4]")
            }
            CredentialsError::UnknownAlgorithm => f.write_str("algorithm: not one of ours [RFC 8760, Section 2.1]"),
            CredentialsError::UnknownQop => f.write_str("qop: neither auth nor auth-int [RFC 7616, Section 3.4]"),
            CredentialsError::QopNotOffered => f.write_str("qop: not one that was offered [RFC 7616, Section 3.4]"),
            CredentialsError::UserhashUnsupported => {
                f.write_str("userhash: expected false, as none was asked for [RFC 7616, Section 3.4.4]")
            }
            CredentialsError::UriMismatch => f.write_str("uri: expected the Request-URI [RFC 7616, Section 3.4.6]"),
        }
    }
}

impl core::error::Error for CredentialsError {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use alloc::format;
    use ringback_message::HeaderId;

    fn read(value: &str) -> Result<Credentials, CredentialsError> {
        let params =
            AuthParams::parse(HeaderId::Authorization, value.as_bytes(), 0).map_err(CredentialsError::Syntax)?;
        Credentials::read(&params)
    }

    /// The example of RFC 3261, Section 22.2.
    const BOB: &str = "Digest username=\"bob\", realm=\"biloxi.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", \
        uri=\"sip:bob@biloxi.com\", qop=auth, nc=0000000A, cnonce=\"0a4f113b\", \
        response=\"6629fae49393a05397450978507c4ef1\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";

    #[test]
    fn the_rfc_s_example() {
        let bob = read(BOB).unwrap();
        assert_eq!((bob.user(), bob.realm(), bob.uri()), ("bob", "biloxi.com", "sip:bob@biloxi.com"));
        assert_eq!((bob.algorithm(), bob.qop(), bob.nc()), (Algorithm::Md5, Some(Qop::Auth), Some(10)));
        assert_eq!(bob.protection().unwrap().nc, "0000000A");
        let shown = format!("{bob:?}");
        assert!(shown.contains("bob") && !shown.contains("6629fae4") && !shown.contains("0a4f113b"), "{shown}");
    }

    #[test]
    fn quotes_where_none_belong_and_none_where_they_do() {
        let quoted = BOB.replace("=auth", "=\"auth\"").replace("=0000000A", "=\"0000000A\"");
        assert_eq!(read(&quoted), read(BOB));
        assert_eq!(read(&BOB.replace("\"bob\"", "bob").replace("DIGEST", "Digest")), read(BOB));
    }

    #[test]
    fn what_must_be_there() {
        for name in ["username", "realm", "nonce", "uri", "response", "nc", "cnonce"] {
            let without = BOB.replace(&format!("{name}="), "x=");
            let without = if name == "nc" {
                BOB.replace(" nc=", " x=")
            } else if name == "nonce" {
                BOB.replace(" nonce=", " x=")
            } else {
                without
            };
            assert_eq!(read(&without), Err(CredentialsError::Missing(name)), "{without}");
        }
        let sess = BOB.replace("qop=auth", "algorithm=MD5-sess");
        assert_eq!(read(&sess), Err(CredentialsError::Missing("qop")));
        assert_eq!(read(&BOB.replace("qop=auth", "x=y")).unwrap().nc(), None);
    }

    #[test]
    fn what_is_improper() {
        for nc in ["1", "0000001", "000000001", "0000000g", "+0000001", "-0000001", "\" 0000001\"", "\"\""] {
            let error = read(&BOB.replace("0000000A", nc)).unwrap_err();
            assert_eq!(error, CredentialsError::Improper { parameter: "nc", expected: "8 hexadecimal digits" });
            assert_eq!(error.status(), StatusCode::BadRequest);
        }
        assert_eq!(read(&BOB.replace("qop=auth", "qop=auth-conf")), Err(CredentialsError::UnknownQop));
        assert_eq!(read(&format!("{BOB}, algorithm=SHA-1")), Err(CredentialsError::UnknownAlgorithm));
        assert_eq!(read(&BOB.replace("Digest", "Basic")), Err(CredentialsError::NotDigest));
        assert!(matches!(
            read(&BOB.replace("\"bob\"", "\"\"")),
            Err(CredentialsError::Improper { parameter: "username", .. })
        ));
    }

    #[test]
    fn username_star_and_userhash() {
        let star = |value: &str| read(&BOB.replace("username=\"bob\"", &format!("username*={value}")));
        assert_eq!(star("UTF-8''J%C3%A4s%C3%B8n%20Doe").unwrap().user(), "J\u{e4}s\u{f8}n Doe");
        assert_eq!(star("utf-8'en'bob").unwrap().user(), "bob");
        for bad in [
            "bob",
            "UTF-8'bob",
            "ISO-8859-1''bob",
            "UTF-8''b%ob",
            "UTF-8''bob%4",
            "UTF-8''bob%",
            "UTF-8''%0d%0a",
            "UTF-8''%FF",
        ] {
            assert!(matches!(star(bad), Err(CredentialsError::Improper { parameter: "username*", .. })), "{bad}");
        }
        assert!(read(&format!("{BOB}, username*=UTF-8''bob")).is_err());
        assert_eq!(read(&format!("{BOB}, userhash=true")), Err(CredentialsError::UserhashUnsupported));
        assert_eq!(read(&format!("{BOB}, userhash=false")), read(BOB));
    }
}

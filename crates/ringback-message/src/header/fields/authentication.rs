//! Challenges, credentials and what a server says of itself in turn. `[RFC 3261, Section 22]`

use alloc::borrow::Cow;
use alloc::format;
use alloc::vec::Vec;

use crate::chars;
use crate::cursor::{Cursor, Strictness};
use crate::error::ParseError;
use crate::header::auth::{AuthList, AuthParams};
use crate::header::shapes::field;
use crate::header::text::{quoted, token_or_quoted, unquoted};
use crate::header::{Decode, Encode, OwnedText, ToOwnedText};

/// Whose values are quoted strings everywhere, for historical reasons. `[RFC 7616, Section 3.3]` `[RFC 7616, Section 3.4]`
const QUOTED: [&str; 11] =
    ["auts", "cnonce", "domain", "nextnonce", "nonce", "opaque", "realm", "response", "rspauth", "uri", "username"];
/// Whose values are never quoted, for the same reasons.
const UNQUOTED: [&str; 6] = ["algorithm", "charset", "nc", "stale", "userhash", "username*"];

macro_rules! auth_fields {
    ($($(#[$doc:meta])* $name:ident { $(#[$vdoc:meta])* $field:ident }, $of:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
        pub struct $name<T = OwnedText> {
            $(#[$vdoc])*
            #[cfg_attr(feature = "serde", serde(flatten))]
            pub $field: AuthParams<T>,
        }

        field!($name);

        impl $name {
            /// With this scheme, which needs at least one parameter.
            #[must_use]
            pub fn new(scheme: impl AsRef<[u8]>) -> Self {
                $name { $field: AuthParams::new(scheme.as_ref()) }
            }

            /// With one more parameter: quoted or not as its name demands, else where it must be.
            #[must_use]
            pub fn with_param(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
                let (name, value) = (name.as_ref(), value.as_ref());
                self.$field.push(name, auth_fields!(@written $of)(name, value));
                self
            }
        }

        impl<T: AsRef<[u8]>> $name<T> {
            /// The scheme as written; it compares without regard to case.
            #[must_use]
            pub fn scheme(&self) -> &[u8] {
                self.$field.scheme.as_ref()
            }

            /// Whether the scheme is Digest.
            #[must_use]
            pub fn is_digest(&self) -> bool {
                self.scheme().eq_ignore_ascii_case(b"Digest")
            }

            /// What the parameter of that name says: without its quotes and escapes.
            ///
            /// Digests are computed over [`AuthParams::unquoted`].
            #[must_use]
            pub fn param(&self, name: impl AsRef<[u8]>) -> Option<Cow<'_, [u8]>> {
                self.$field.raw(name.as_ref()).map(unquoted)
            }

            /// Who the realm's users are, a text for people and the key to the password.
            #[must_use]
            pub fn realm(&self) -> Option<Cow<'_, [u8]>> {
                self.param("realm")
            }

            /// The number that the server made for this challenge.
            #[must_use]
            pub fn nonce(&self) -> Option<Cow<'_, [u8]>> {
                self.param("nonce")
            }

            /// What the client sends back as it is.
            #[must_use]
            pub fn opaque(&self) -> Option<Cow<'_, [u8]>> {
                self.param("opaque")
            }

            /// The hash: `MD5` where it is missing, also `SHA-256`, `SHA-512-256` or `AKAv1-MD5`, each perhaps with `-sess`.
            /// `[RFC 8760, Section 2.1]` `[RFC 3310, Section 3.1]`
            #[must_use]
            pub fn algorithm(&self) -> Option<Cow<'_, [u8]>> {
                self.param("algorithm")
            }

            /// Whether user names are sent as hashes. `[RFC 7616, Section 3.4.4]`
            #[must_use]
            pub fn userhash(&self) -> bool {
                self.param("userhash").is_some_and(|value| value.eq_ignore_ascii_case(b"true"))
            }

            auth_fields!(@accessors $of);
        }

        impl<'a> Decode<'a> for $name<&'a [u8]> {
            fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
                let at = cursor.clone();
                let $field = AuthParams::read(cursor)?;
                if $field.scheme.eq_ignore_ascii_case(b"Digest") {
                    check_nonce_count(&at, $field.raw(b"nc"))?;
                    auth_fields!(@sent $of at, $field);
                }
                Ok($name { $field })
            }
        }

        impl<T: AsRef<[u8]>> Encode for $name<T> {
            fn encode(&self, out: &mut Vec<u8>) {
                self.$field.write(out);
            }
        }

        impl<T: AsRef<[u8]>> ToOwnedText for $name<T> {
            type Owned = $name;

            fn to_owned_text(&self) -> $name {
                $name { $field: self.$field.to_owned_text() }
            }
        }
    )*};
    (@sent challenge $at:ident, $field:ident) => { sent_challenge(&$at, &$field)? };
    (@sent credentials $at:ident, $field:ident) => {};
    (@written challenge) => { challenge_value };
    (@written credentials) => { credentials_value };
    (@accessors challenge) => {
        /// Ways of protection that the server offers, such as `auth` and `auth-int`.
        pub fn qop_options(&self) -> impl Iterator<Item = &[u8]> {
            pieces(self.challenge.unquoted(b"qop"), b',')
        }

        /// URIs that the challenge holds for too. `[RFC 7616, Section 3.3]`
        pub fn domain(&self) -> impl Iterator<Item = &[u8]> {
            pieces(self.challenge.unquoted(b"domain"), b' ')
        }

        /// Whether the password was right and only the nonce too old: anything but `true` says no. `[RFC 7616, Section 3.3]`
        #[must_use]
        pub fn stale(&self) -> bool {
            self.param("stale").is_some_and(|value| value.eq_ignore_ascii_case(b"true"))
        }

        /// How name and password are encoded: `UTF-8` or missing. `[RFC 7616, Section 4]`
        #[must_use]
        pub fn charset(&self) -> Option<Cow<'_, [u8]>> {
            self.param("charset")
        }
    };
    (@accessors credentials) => {
        /// The user's name in the realm.
        #[must_use]
        pub fn username(&self) -> Option<Cow<'_, [u8]>> {
            self.param("username")
        }

        /// The user's name where no quoted string can hold it: charset, language and escaped text as written. `[RFC 7616, Section 3.4]`
        #[must_use]
        pub fn username_extended(&self) -> Option<Cow<'_, [u8]>> {
            self.param("username*")
        }

        /// The Request-URI that the response was computed for.
        #[must_use]
        pub fn uri(&self) -> Option<Cow<'_, [u8]>> {
            self.param("uri")
        }

        /// The proof, hexadecimal.
        #[must_use]
        pub fn response(&self) -> Option<Cow<'_, [u8]>> {
            self.param("response")
        }

        /// The way of protection that the client chose.
        #[must_use]
        pub fn qop(&self) -> Option<Cow<'_, [u8]>> {
            self.param("qop")
        }

        /// The number that the client made.
        #[must_use]
        pub fn cnonce(&self) -> Option<Cow<'_, [u8]>> {
            self.param("cnonce")
        }

        /// How many requests were sent with this nonce, this one included.
        #[must_use]
        pub fn nonce_count(&self) -> Option<u32> {
            nonce_count(self.credentials.raw(b"nc"))
        }

        /// What lets the server catch up with the sequence number of a SIM, base64. `[RFC 3310, Section 3.4]`
        #[must_use]
        pub fn auts(&self) -> Option<Cow<'_, [u8]>> {
            self.param("auts")
        }
    };
}

auth_fields! {
    /// How a server wants to know who asks. `[RFC 3261, Section 20.44]`
    ///
    /// ```text
    /// WWW-Authenticate = "WWW-Authenticate" HCOLON challenge
    /// challenge        = ("Digest" LWS digest-cln *(COMMA digest-cln)) / other-challenge
    /// ```
    ///
    /// ```
    /// use ringback_message::header::{WwwAuthenticate, field::checked};
    ///
    /// let challenge = WwwAuthenticate::digest("a.example", "84a4cc6f").with_param("qop", "auth").with_param("algorithm", "SHA-256");
    /// assert_eq!(
    ///     checked(&challenge)?,
    ///     br#"Digest realm="a.example", nonce="84a4cc6f", qop="auth", algorithm=SHA-256"#,
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    WwwAuthenticate {
        /// Scheme and parameters. Each challenge has a line of its own.
        challenge
    }, challenge;
    /// How a proxy wants to know who asks. `[RFC 3261, Section 20.27]`
    ///
    /// ```text
    /// Proxy-Authenticate = "Proxy-Authenticate" HCOLON challenge
    /// ```
    ProxyAuthenticate {
        /// Scheme and parameters. Each challenge has a line of its own.
        challenge
    }, challenge;
    /// The answer to WWW-Authenticate. `[RFC 3261, Section 20.7]`
    ///
    /// ```text
    /// Authorization = "Authorization" HCOLON credentials
    /// credentials   = ("Digest" LWS digest-response) / other-response
    /// ```
    Authorization {
        /// Scheme and parameters.
        credentials
    }, credentials;
    /// The answer to Proxy-Authenticate. `[RFC 3261, Section 20.28]`
    ///
    /// ```text
    /// Proxy-Authorization = "Proxy-Authorization" HCOLON credentials
    /// ```
    ProxyAuthorization {
        /// Scheme and parameters.
        credentials
    }, credentials;
}

macro_rules! digest {
    (challenge: $($name:ident)*) => {$(
        impl $name {
            /// A challenge of the scheme Digest.
            #[must_use]
            pub fn digest(realm: impl AsRef<[u8]>, nonce: impl AsRef<[u8]>) -> Self {
                $name::new("Digest").with_param("realm", realm).with_param("nonce", nonce)
            }

            /// With these kinds of protection to choose from, such as `auth`. `[RFC 7616, Section 3.3]`
            #[must_use]
            pub fn with_qop<I: IntoIterator<Item: AsRef<[u8]>>>(self, options: I) -> Self {
                let options: Vec<I::Item> = options.into_iter().collect();
                let mut list = Vec::new();
                $crate::header::shapes::join(options.iter().map(AsRef::as_ref), &mut list);
                self.with_param("qop", list)
            }

            /// With this algorithm, such as `SHA-256`. `[RFC 8760, Section 2.2]`
            #[must_use]
            pub fn with_algorithm(self, algorithm: impl AsRef<[u8]>) -> Self {
                self.with_param("algorithm", algorithm)
            }

            /// With this text, which the client sends back as it is.
            #[must_use]
            pub fn with_opaque(self, opaque: impl AsRef<[u8]>) -> Self {
                self.with_param("opaque", opaque)
            }

            /// Whether only the nonce of the credentials was wrong: true asks for no other password. `[RFC 3261, Section 22.4]`
            #[must_use]
            pub fn with_stale(self, stale: bool) -> Self {
                self.with_param("stale", if stale { "true" } else { "false" })
            }

            /// With the URIs that the credentials will be good for.
            #[must_use]
            pub fn with_domain<I: IntoIterator<Item: AsRef<[u8]>>>(self, uris: I) -> Self {
                let mut list = Vec::new();
                for uri in uris {
                    if !list.is_empty() {
                        list.push(b' ');
                    }
                    list.extend_from_slice(uri.as_ref());
                }
                self.with_param("domain", list)
            }
        }
    )*};
    (credentials: $($name:ident)*) => {$(
        impl $name {
            /// Credentials of the scheme Digest, still without `uri` and `response`.
            #[must_use]
            pub fn digest(username: impl AsRef<[u8]>, realm: impl AsRef<[u8]>, nonce: impl AsRef<[u8]>) -> Self {
                $name::new("Digest").with_param("username", username).with_param("realm", realm).with_param("nonce", nonce)
            }

            /// With this number of requests, as the eight digits that it takes.
            #[must_use]
            pub fn with_nonce_count(self, count: u32) -> Self {
                self.with_param("nc", format!("{count:08x}"))
            }
        }
    )*};
}

digest!(challenge: WwwAuthenticate ProxyAuthenticate);
digest!(credentials: Authorization ProxyAuthorization);

/// What a server says of itself, and the nonce that it wants next. `[RFC 3261, Section 20.6]`
///
/// ```text
/// Authentication-Info = "Authentication-Info" HCOLON ainfo *(COMMA ainfo)
/// ainfo               = nextnonce / message-qop / response-auth / cnonce / nonce-count
/// ```
///
/// Other names pass as well, as the parameters of later RFCs do.
#[derive(Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(bound = "T: AsRef<[u8]>"))]
pub struct AuthenticationInfo<T = OwnedText> {
    params: AuthList<T>,
}

field!(AuthenticationInfo);

impl AuthenticationInfo {
    /// With the nonce that the client shall use next.
    #[must_use]
    pub fn next_nonce(nonce: impl AsRef<[u8]>) -> AuthenticationInfo {
        AuthenticationInfo::default().with_param("nextnonce", nonce)
    }

    /// With one more parameter: quoted or not as its name demands, else where it must be.
    #[must_use]
    pub fn with_param(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> AuthenticationInfo {
        self.params.push(name.as_ref(), credentials_value(name.as_ref(), value.as_ref()));
        self
    }

    /// With this number of requests, as the eight digits that it takes.
    #[must_use]
    pub fn with_nonce_count(self, count: u32) -> AuthenticationInfo {
        self.with_param("nc", format!("{count:08x}"))
    }
}

impl<T: AsRef<[u8]>> AuthenticationInfo<T> {
    /// What the parameter of that name says: without its quotes and escapes.
    #[must_use]
    pub fn param(&self, name: impl AsRef<[u8]>) -> Option<Cow<'_, [u8]>> {
        self.params.raw(name.as_ref()).map(unquoted)
    }

    /// Each parameter in order, as written.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.params.iter()
    }

    /// The nonce that the client shall use next.
    #[must_use]
    pub fn nextnonce(&self) -> Option<Cow<'_, [u8]>> {
        self.param("nextnonce")
    }

    /// The server's own proof, hexadecimal.
    #[must_use]
    pub fn rspauth(&self) -> Option<Cow<'_, [u8]>> {
        self.param("rspauth")
    }

    /// The way of protection that the server used.
    #[must_use]
    pub fn qop(&self) -> Option<Cow<'_, [u8]>> {
        self.param("qop")
    }

    /// The number that the client made.
    #[must_use]
    pub fn cnonce(&self) -> Option<Cow<'_, [u8]>> {
        self.param("cnonce")
    }

    /// The count of the request that this answers.
    #[must_use]
    pub fn nonce_count(&self) -> Option<u32> {
        nonce_count(self.params.raw(b"nc"))
    }
}

impl<'a> Decode<'a> for AuthenticationInfo<&'a [u8]> {
    fn decode(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        cursor.lws();
        let at = cursor.clone();
        let params = AuthList::read(cursor)?;
        check_nonce_count(&at, params.raw(b"nc"))?;
        Ok(AuthenticationInfo { params })
    }
}

impl<T: AsRef<[u8]>> Encode for AuthenticationInfo<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.params.write(out);
    }
}

impl<T: AsRef<[u8]>> ToOwnedText for AuthenticationInfo<T> {
    type Owned = AuthenticationInfo;

    fn to_owned_text(&self) -> AuthenticationInfo {
        AuthenticationInfo { params: self.params.to_owned_text() }
    }
}

/// `qop` is a list in quotes in a challenge, and one token without them elsewhere.
fn challenge_value(name: &[u8], value: &[u8]) -> Vec<u8> {
    if name.eq_ignore_ascii_case(b"qop") { quoted(value) } else { written(name, value) }
}

fn credentials_value(name: &[u8], value: &[u8]) -> Vec<u8> {
    if name.eq_ignore_ascii_case(b"qop") { value.into() } else { written(name, value) }
}

fn written(name: &[u8], value: &[u8]) -> Vec<u8> {
    let among = |names: &[&str]| names.iter().any(|other| name.eq_ignore_ascii_case(other.as_bytes()));
    if among(&QUOTED) {
        quoted(value)
    } else if among(&UNQUOTED) {
        value.into()
    } else {
        token_or_quoted(value)
    }
}

/// What a client needs of a Digest challenge, which is read without it all the same. `[RFC 7616, Section 3.3]`
fn sent_challenge(at: &Cursor<'_>, challenge: &AuthParams<&[u8]>) -> Result<(), ParseError> {
    if at.strictness() < Strictness::Building {
        return Ok(());
    }
    let section = "RFC 7616, Section 3.3";
    if challenge.raw(b"realm").is_none() {
        return Err(ParseError { section, ..at.error("a realm among the parameters") });
    }
    match challenge.raw(b"nonce") {
        None => return Err(ParseError { section, ..at.error("a nonce among the parameters") }),
        Some(nonce) if unquoted(nonce).is_empty() => {
            return Err(ParseError { section, ..at.error_at(nonce, "a nonce that is not empty") });
        }
        Some(_) => {}
    }
    let Some(qop) = challenge.raw(b"qop") else { return Ok(()) };
    let is_token = |option: &[u8]| chars::is_token(chars::trim(option));
    if unquoted(qop).split(|&b| b == b',').all(is_token) {
        Ok(())
    } else {
        Err(ParseError { section, ..at.error_at(qop, "tokens with commas between") })
    }
}

/// `nc-value = 8LHEX`; quotes around it, which some send, are let pass.
fn nonce_count(raw: Option<&[u8]>) -> Option<u32> {
    let digits = unquoted(raw?);
    let is_count = digits.len() == 8 && digits.iter().all(u8::is_ascii_hexdigit);
    let text = core::str::from_utf8(&digits).ok().filter(|_| is_count)?;
    u32::from_str_radix(text, 16).ok()
}

fn check_nonce_count(at: &Cursor<'_>, raw: Option<&[u8]>) -> Result<(), ParseError> {
    match raw {
        Some(raw) if nonce_count(Some(raw)).is_none() => Err(at.error_at(raw, "eight hexadecimal digits")),
        _ => Ok(()),
    }
}

fn pieces(list: Option<&[u8]>, separator: u8) -> impl Iterator<Item = &[u8]> {
    list.unwrap_or_default().split(move |&b| b == separator).map(chars::trim).filter(|piece| !piece.is_empty())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::header::field::checked;

    #[test]
    fn each_parameter_is_quoted_as_its_name_demands() {
        let challenge = WwwAuthenticate::digest("a \"b\"", "n")
            .with_param("qop", "auth,auth-int")
            .with_param("algorithm", "SHA-256")
            .with_param("stale", "true")
            .with_param("x", "y")
            .with_param("z", "y z");
        let text = b"Digest realm=\"a \\\"b\\\"\", nonce=\"n\", qop=\"auth,auth-int\", algorithm=SHA-256, stale=true, x=y, z=\"y z\"";
        assert_eq!(checked(&challenge).unwrap(), text);
        assert_eq!(challenge.realm().unwrap().as_ref(), b"a \"b\"");
        let credentials = ProxyAuthorization::digest("bob", "r", "n").with_param("qop", "auth").with_nonce_count(0x1f);
        assert_eq!(
            checked(&credentials).unwrap(),
            b"Digest username=\"bob\", realm=\"r\", nonce=\"n\", qop=auth, nc=0000001f"
        );
        assert_eq!(
            checked(&AuthenticationInfo::next_nonce("n").with_param("qop", "auth")).unwrap(),
            b"nextnonce=\"n\", qop=auth"
        );
    }

    #[test]
    fn nothing_is_smuggled_in() {
        let with = |name: &str, value: &str| checked(&Authorization::digest("u", "r", "n").with_param(name, value));
        for (name, value) in [
            ("qop", "auth, stale=true"),
            ("algorithm", "MD5 x"),
            ("algorithm", ""),
            ("realm", "twice"),
            ("x=y, z", "1"),
            ("", "1"),
            ("nc", "1"),
            ("opaque", "a\r\nX: y"),
            ("opaque", "a\0"),
        ] {
            assert!(with(name, value).is_err(), "{name} {value}");
        }
        assert!(with("opaque", "a\", b=\"c").is_ok());
        assert!(checked(&WwwAuthenticate::new("Digest")).is_err());
        assert!(checked(&WwwAuthenticate::new("Digest a=b,").with_param("realm", "r")).is_err());
        assert!(checked(&AuthenticationInfo::default()).is_err());
    }
}

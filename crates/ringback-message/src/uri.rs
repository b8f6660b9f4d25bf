//! URIs. `[RFC 3261, Section 19.1]`

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::chars;
use crate::cursor::{Cursor, Strictness};
use crate::error::ParseError;
use crate::header::HeaderId;
use crate::header::text::{Escaped, debug_as_written};
use crate::params::Params;

mod compare;
mod make;
mod tel;

use compare::{same_headers, same_host, same_params, same_text};
pub use make::escape;
pub use tel::TelUri;

/// A URI, generic over how its text is held: `&[u8]` where it is borrowed from a message, `Box<[u8]>` where it outlives one.
///
/// ```text
/// SIP-URI = "sip:" [ userinfo ] hostport uri-parameters [ headers ]
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Uri<T> {
    /// `sip:` or `sips:`.
    Sip(SipUri<T>),
    /// Any other scheme, its parts left as they are.
    Other {
        /// What stands before the colon.
        scheme: T,
        /// What stands behind it.
        rest: T,
    },
}

/// A SIP or SIPS URI, not compared by `==` but by [`SipUri::equivalent`].
#[derive(Clone, PartialEq, Eq)]
pub struct SipUri<T> {
    /// True for `sips:`.
    pub secure: bool,
    /// What stands before the `@` and its password, escapes untouched.
    pub user: Option<T>,
    /// The password, which nobody should send.
    pub password: Option<T>,
    /// The host as written, an IPv6 address in its brackets.
    pub host: T,
    /// The port, if it is given.
    pub port: Option<u16>,
    /// The URI parameters.
    pub params: Params<T>,
    /// What stands behind the `?`, if there is one.
    pub headers: Option<T>,
}

/// What a host name turns out to be.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Host<'a> {
    /// A name that has to be looked up.
    Name(&'a [u8]),
    /// An address.
    Address(IpAddr),
}

impl fmt::Debug for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.debug_tuple("Name").field(&Escaped(name)).finish(),
            Host::Address(address) => f.debug_tuple("Address").field(address).finish(),
        }
    }
}

impl<'a> Uri<&'a [u8]> {
    /// Reads a URI that is all of `text`, at `offset` of its message.
    ///
    /// # Errors
    /// Where the text is no URI, or not one that its own scheme allows.
    #[inline]
    pub fn parse(text: &'a [u8], header: HeaderId, offset: u32) -> Result<Uri<&'a [u8]>, ParseError> {
        Uri::read(Cursor::new(header, text, offset))
    }

    /// The same for what is to be built: an escape has its two digits, and no parameter stands twice. `[RFC 3261, Section 19.1.1]`
    ///
    /// # Errors
    /// As [`Uri::parse`], and where it lets pass what nobody should send.
    pub fn parse_strict(text: &'a [u8], header: HeaderId, offset: u32) -> Result<Uri<&'a [u8]>, ParseError> {
        Uri::read(Cursor::new(header, text, offset).with_strictness(Strictness::Building))
    }

    /// All that the cursor has.
    #[inline]
    pub(crate) fn read(cursor: Cursor<'a>) -> Result<Uri<&'a [u8]>, ParseError> {
        if cursor.strictness() >= Strictness::Grammar {
            escapes(&cursor)?;
        }
        let mut cursor = cursor;
        match sip_scheme(cursor.rest()) {
            Some((scheme_len, secure)) => {
                cursor.take(scheme_len);
                sip_uri(cursor, secure)
            }
            None => other_uri(cursor),
        }
    }
}

/// `escaped = "%" HEXDIG HEXDIG` `[RFC 3261, Section 25.1]`
#[cold]
fn escapes(cursor: &Cursor<'_>) -> Result<(), ParseError> {
    let mut ahead = cursor.clone();
    while let Some(at) = memchr::memchr(b'%', ahead.rest()) {
        ahead.take(at);
        match ahead.rest() {
            [_, high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => _ = ahead.take(3),
            _ => return Err(ahead.error("two hexadecimal digits behind the % of an escape")),
        }
    }
    Ok(())
}

/// How long `sip:` or `sips:` at the start is, in any case, and whether it is the latter.
#[inline]
fn sip_scheme(text: &[u8]) -> Option<(usize, bool)> {
    match text {
        [b's' | b'S', b'i' | b'I', b'p' | b'P', b':', ..] => Some((4, false)),
        [b's' | b'S', b'i' | b'I', b'p' | b'P', b's' | b'S', b':', ..] => Some((5, true)),
        _ => None,
    }
}

/// A URI of another scheme.
fn other_uri(cursor: Cursor<'_>) -> Result<Uri<&[u8]>, ParseError> {
    let mut cursor = cursor;
    let scheme = cursor.take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    if !scheme.first().is_some_and(u8::is_ascii_alphabetic) || !cursor.eat(b':') {
        return Err(cursor.error("a URI scheme and a colon"));
    }
    let rest = cursor.take_while(|b| chars::is(b, chars::URI));
    if rest.is_empty() || !cursor.is_done() {
        return Err(cursor.error("what a URI may hold"));
    }
    Ok(Uri::Other { scheme, rest })
}

/// What stands behind `sip:` or `sips:`, up to the end.
#[inline(never)]
fn sip_uri(cursor: Cursor<'_>, secure: bool) -> Result<Uri<&[u8]>, ParseError> {
    let mut cursor = cursor;
    let (user, password) = userinfo(&mut cursor)?;
    let (host, port) = host_port(&mut cursor)?;
    let params = Params::parse_uri(&mut cursor)?;
    let headers = if cursor.eat(b'?') {
        let headers = cursor.take_while(|b| chars::is(b, chars::URI_PARAM) || matches!(b, b'=' | b'?'));
        if headers.is_empty() {
            return Err(cursor.error("a header behind the question mark"));
        }
        Some(headers)
    } else {
        None
    };
    if cursor.is_done() {
        Ok(Uri::Sip(SipUri { secure, user, password, host, port, params, headers }))
    } else {
        Err(cursor.error("the end of the URI"))
    }
}

type UserInfo<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

/// What stands before the `@`, if there is one: there is none behind `?`, and hosts and parameters can't hold one unescaped.
#[inline]
fn userinfo<'a>(cursor: &mut Cursor<'a>) -> Result<UserInfo<'a>, ParseError> {
    let before = cursor.clone();
    let user = cursor.run(chars::USER);
    if !user.is_empty() && cursor.eat(b'@') {
        return Ok((Some(user), None));
    }
    if memchr::memchr(b'@', cursor.rest()).is_none() {
        *cursor = before;
        return Ok((None, None));
    }
    if user.is_empty() {
        return Err(cursor.error("a user name before the @"));
    }
    let password = cursor.eat(b':').then(|| cursor.run(chars::USER));
    if cursor.eat(b'@') {
        Ok((Some(user), password))
    } else {
        Err(cursor.error("what a user name may hold, or its escape"))
    }
}

/// `host [ ":" port ]`, the host checked. `[RFC 3261, Section 25.1]`
///
/// Inlined so that the caller's cursor stays in registers.
#[inline(always)]
pub(crate) fn host_port<'a>(cursor: &mut Cursor<'a>) -> Result<(&'a [u8], Option<u16>), ParseError> {
    let at = cursor.clone();
    let host = if cursor.peek() == Some(b'[') {
        let end = cursor
            .rest()
            .iter()
            .position(|&b| b == b']')
            .ok_or_else(|| at.error("the closing bracket of an IPv6 address"))?;
        cursor.take(end.saturating_add(1))
    } else {
        cursor.run(chars::HOST)
    };
    // A letter at its end makes it a name: no address, and no number as its top label.
    let name = host.last().is_some_and(u8::is_ascii_alphabetic);
    if !name && !is_ipv4(host) && Host::of(host).is_none() {
        return Err(at.error("a host name or address"));
    }
    if !cursor.eat(b':') {
        return Ok((host, None));
    }
    let at = cursor.clone();
    let digits = cursor.take_while(|b| b.is_ascii_digit());
    match crate::cursor::decimal(digits).and_then(|n| u16::try_from(n).ok()) {
        Some(port) if port > 0 => Ok((host, Some(port))),
        _ => Err(at.error("a port from 1 to 65535")),
    }
}

/// True for the four numbers of an IPv4 address, each from 0 to 255 and without zeros before it.
fn is_ipv4(text: &[u8]) -> bool {
    let legal = |number: u32, digits: u32| match digits {
        1 => true,
        2 => number >= 10,
        3 => (100..=255).contains(&number),
        _ => false,
    };
    let (mut dots, mut number, mut digits) = (0_u32, 0_u32, 0_u32);
    for &b in text {
        match b {
            b'0'..=b'9' => {
                // Wraps around where there are too many digits, which their count tells.
                number = number.wrapping_mul(10).wrapping_add(u32::from(b - b'0'));
                digits += 1;
            }
            b'.' if legal(number, digits) => {
                dots += 1;
                (number, digits) = (0, 0);
            }
            _ => return false,
        }
    }
    dots == 3 && legal(number, digits)
}

impl<'a> Host<'a> {
    /// Reads a host as a message writes it; `None` where it is none.
    ///
    /// An address with one colon too many, as the grammar of RFC 3261 once allowed, is read. `[RFC 5118, Section 4.10]`
    #[must_use]
    pub fn of(text: &'a [u8]) -> Option<Host<'a>> {
        if let [b'[', inner @ .., b']'] = text {
            return ipv6(inner).map(|ip| Host::Address(IpAddr::V6(ip)));
        }
        let name = core::str::from_utf8(text).ok()?;
        if let Ok(ip) = name.parse::<Ipv4Addr>() {
            return Some(Host::Address(IpAddr::V4(ip)));
        }
        let legal =
            !text.is_empty() && text.iter().all(|&b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
        // Four numbers that are no address, such as 999.1.1.1, are no name either: a top label starts with a letter.
        let numeric_top =
            name.trim_end_matches('.').rsplit('.').next().is_some_and(|top| top.bytes().all(|b| b.is_ascii_digit()));
        (legal && !(numeric_top && name.contains('.'))).then_some(Host::Name(text))
    }
}

fn ipv6(text: &[u8]) -> Option<Ipv6Addr> {
    let text = core::str::from_utf8(text).ok()?;
    if let Ok(ip) = text.parse() {
        return Some(ip);
    }
    let (head, tail) = text.split_once(":::")?;
    let mut repaired = alloc::string::String::with_capacity(text.len());
    repaired.push_str(head);
    repaired.push_str("::");
    repaired.push_str(tail);
    repaired.parse().ok()
}

debug_as_written! {
    Uri: Uri::write;
    SipUri: SipUri::write;
}

impl<T: AsRef<[u8]>> Uri<T> {
    /// The SIP or SIPS URI, if it is one.
    #[must_use]
    pub fn as_sip(&self) -> Option<&SipUri<T>> {
        match self {
            Uri::Sip(uri) => Some(uri),
            Uri::Other { .. } => None,
        }
    }

    /// Writes it out.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Uri::Sip(uri) => uri.write(out),
            Uri::Other { scheme, rest } => {
                out.extend_from_slice(scheme.as_ref());
                out.push(b':');
                out.extend_from_slice(rest.as_ref());
            }
        }
    }

    /// A copy that owns its text, for what outlives the message.
    #[must_use]
    pub fn to_owned_text(&self) -> Uri<Box<[u8]>> {
        match self {
            Uri::Sip(uri) => Uri::Sip(uri.to_owned_text()),
            Uri::Other { scheme, rest } => Uri::Other { scheme: scheme.as_ref().into(), rest: rest.as_ref().into() },
        }
    }
}

impl<T: AsRef<[u8]>> SipUri<T> {
    /// The host as address or name.
    #[must_use]
    pub fn host(&self) -> Host<'_> {
        Host::of(self.host.as_ref()).unwrap_or(Host::Name(self.host.as_ref()))
    }

    /// The user part with escapes undone, once. `[RFC 4475, Section 3.1.1.3]`
    #[must_use]
    pub fn user_unescaped(&self) -> Option<Vec<u8>> {
        self.user.as_ref().map(|user| unescape(user.as_ref()))
    }

    /// Writes it out.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.secure { b"sips:" } else { b"sip:" });
        if let Some(user) = &self.user {
            out.extend_from_slice(user.as_ref());
            if let Some(password) = &self.password {
                out.push(b':');
                out.extend_from_slice(password.as_ref());
            }
            out.push(b'@');
        }
        out.extend_from_slice(self.host.as_ref());
        if let Some(port) = self.port {
            out.push(b':');
            out.extend_from_slice(itoa::Buffer::new().format(port).as_bytes());
        }
        out.extend_from_slice(self.params.text());
        if let Some(headers) = &self.headers {
            out.push(b'?');
            out.extend_from_slice(headers.as_ref());
        }
    }

    /// A copy that owns its text.
    #[must_use]
    pub fn to_owned_text(&self) -> SipUri<Box<[u8]>> {
        SipUri {
            secure: self.secure,
            user: self.user.as_ref().map(|t| t.as_ref().into()),
            password: self.password.as_ref().map(|t| t.as_ref().into()),
            host: self.host.as_ref().into(),
            port: self.port,
            params: Params::default().map(|_: &[u8]| self.params.text().into()),
            headers: self.headers.as_ref().map(|t| t.as_ref().into()),
        }
    }

    /// Whether both name the same thing. `[RFC 3261, Section 19.1.4]`
    pub fn equivalent<U: AsRef<[u8]>>(&self, other: &SipUri<U>) -> bool {
        self.secure == other.secure
            && same_text(self.user.as_ref(), other.user.as_ref())
            && same_text(self.password.as_ref(), other.password.as_ref())
            && same_host(self.host.as_ref(), other.host.as_ref())
            && self.port == other.port
            && same_params(&self.params, &other.params)
            && same_headers(self.headers.as_ref().map(AsRef::as_ref), other.headers.as_ref().map(AsRef::as_ref))
    }
}

impl<T: AsRef<[u8]>> Uri<T> {
    /// Whether both name the same thing: SIP URIs by `[RFC 3261, Section 19.1.4]`, telephone numbers by `[RFC 3966, Section 5]`,
    /// URNs by RFC 8141; those of other schemes compare byte by byte, their scheme in any case.
    pub fn equivalent<U: AsRef<[u8]>>(&self, other: &Uri<U>) -> bool {
        if let (Some(Ok(a)), Some(Ok(b))) = (self.as_tel(), other.as_tel()) {
            return a.equivalent(&b);
        }
        match (self, other) {
            (Uri::Sip(a), Uri::Sip(b)) => a.equivalent(b),
            (Uri::Other { scheme: a, rest: x }, Uri::Other { scheme: b, rest: y }) => {
                let urn = a.as_ref().eq_ignore_ascii_case(b"urn");
                a.as_ref().eq_ignore_ascii_case(b.as_ref())
                    && (x.as_ref() == y.as_ref() || urn && tel::same_urn(x.as_ref(), y.as_ref()))
            }
            _ => false,
        }
    }
}

/// Undoes `%HH`, once. A sign that no two hexadecimal digits follow stays as it is.
#[must_use]
pub fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return out,
            [b'%', high, low, tail @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.push(hex(*high).wrapping_mul(16).wrapping_add(hex(*low)));
                tail
            }
            [b, tail @ ..] => {
                out.push(*b);
                tail
            }
        };
    }
}

fn hex(digit: u8) -> u8 {
    char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok()).unwrap_or(0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Uri<&[u8]>, ParseError> {
        Uri::parse(text.as_bytes(), HeaderId::To, 0)
    }

    fn sip(text: &str) -> SipUri<&[u8]> {
        match parse(text).unwrap() {
            Uri::Sip(uri) => uri,
            Uri::Other { .. } => unreachable!("{text} is no SIP URI"),
        }
    }

    #[test]
    fn parts() {
        let uri = sip("sips:alice:secret@[2001:db8::10]:5070;transport=tcp;lr?Subject=a%20b&X=1");
        assert!(uri.secure);
        assert_eq!((uri.user, uri.password), (Some(&b"alice"[..]), Some(&b"secret"[..])));
        assert_eq!(uri.host(), Host::Address("2001:db8::10".parse().unwrap()));
        assert_eq!(uri.port, Some(5070));
        assert_eq!(uri.params.value(b"transport"), Some(&b"tcp"[..]));
        assert_eq!(uri.headers, Some(&b"Subject=a%20b&X=1"[..]));
        assert_eq!(
            sip("sip:user;par=u%40example.net@example.com").user_unescaped().unwrap(),
            b"user;par=u@example.net"
        );
    }

    #[test]
    fn what_is_written_is_what_was_read() {
        for text in [
            "sip:a@b",
            "sips:a:b@c:1;d=e;f?g=h",
            "tel:+358-555-1234567",
            "sip:[::1]",
            "urn:service:sos",
            "http://x.test/a?b#c",
        ] {
            let mut out = Vec::new();
            parse(text).unwrap().to_owned_text().write(&mut out);
            assert_eq!(out, text.as_bytes());
        }
    }

    #[test]
    fn malformed() {
        for text in [
            "",
            "sip",
            "sip:",
            "sip:@host",
            "sip:a@",
            "sip:a@b:",
            "sip:a@b:0",
            "sip:a@b:65536",
            "sip:a@b:99999999999",
            "sip:a@2001:db8::10",
            "sip:a@[2001:db8::10",
            "sip:a b@c",
            "sip:a@b c",
            "sip:a@b;",
            "sip:a@b;;c",
            "sip:a@b?",
            "sip:a@b@c",
            ":a",
            "1sip:a",
            "sip:a@999.1.1.1",
            "sip:a\"@b",
            "tel:",
            "sip:a@b;c=\"d\"",
        ] {
            assert!(parse(text).is_err(), "{text} was read");
        }
    }

    #[test]
    fn equivalence_as_the_rfc_lists_it() {
        for (a, b) in [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
            (
                "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
            ),
            (
                "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
            ),
            ("sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0::1]"),
        ] {
            assert!(sip(a).equivalent(&sip(b)) && sip(b).equivalent(&sip(a)), "{a} and {b}");
        }
        for (a, b) in [
            ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
            ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
            ("sip:a@b", "sips:a@b"),
        ] {
            assert!(!sip(a).equivalent(&sip(b)) && !sip(b).equivalent(&sip(a)), "{a} and {b}");
        }
    }

    #[test]
    fn addresses_are_those_of_the_standard_library() {
        for text in [
            "0.0.0.0",
            "192.0.2.1",
            "255.255.255.255",
            "256.0.0.1",
            "1.2.3.2550",
            "1.2.3",
            "1.2.3.",
            "1.2.3.4.",
            "1.2.3.4.5",
            "01.2.3.4",
            "1.2.3.00",
            ".1.2.3",
            "1..2.3",
            "1.2.3.a",
            "",
            "....",
            "1.2.3.4 ",
            "999.1.1.1",
        ] {
            assert_eq!(is_ipv4(text.as_bytes()), text.parse::<core::net::Ipv4Addr>().is_ok(), "{text}");
        }
    }

    #[test]
    fn unescapes_once() {
        assert_eq!(unescape(b"value%2541"), b"value%41");
        assert_eq!(unescape(b"%00%zz%4"), b"\0%zz%4");
    }
}

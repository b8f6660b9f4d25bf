//! Digest: challenges and credentials. `[RFC 3261, Section 22]`

use alloc::format;

use ringback_message::{AuthParams, Header, HeaderId};

use crate::{Findings, Subject};

rules! { "Authentication"
    "auth-basic" Error "RFC 3261, Section 22"
        "The scheme is Basic."
        "It sends the password in the clear, and servers must neither offer nor take it."
        bad ["REGISTER", "Authorization: Basic abc=1"]
        good ["REGISTER", "Authorization: Digest username=\"bob\", realm=\"b.example\", nonce=\"84a4\", \
            uri=\"sip:b.example\", response=\"6629fae49393a05397450978507c4ef1\", \
            qop=auth, nc=00000001, cnonce=\"0a4f\""]
        => basic;
    "digest-parameter-missing" Error "RFC 3261, Section 22.4"
        "A challenge or credentials lack a parameter of Digest that must be there."
        "The response can't be computed or checked."
        bad ["401", "WWW-Authenticate: Digest realm=\"b.example\", qop=\"auth\", algorithm=SHA-256"]
        good ["401", "WWW-Authenticate: Digest realm=\"b.example\", nonce=\"84a4\", qop=\"auth\", algorithm=SHA-256"]
        => missing;
    "digest-qop-missing" Error "RFC 3261, Section 22.4"
        "A challenge offers no qop."
        "Without it credentials can be replayed; servers must always send it."
        bad ["401", "WWW-Authenticate: Digest realm=\"b.example\", nonce=\"84a4\", algorithm=SHA-256"]
        good ["401", "WWW-Authenticate: Digest realm=\"b.example\", nonce=\"84a4\", qop=\"auth\", algorithm=SHA-256"]
        => qop_missing;
    "digest-cnonce-missing" Error "RFC 7616, Section 3.4"
        "Credentials have qop and lack cnonce or nc."
        "The response is computed over both."
        bad ["REGISTER", "Authorization: Digest username=\"bob\", realm=\"b.example\", nonce=\"84a4\", \
            uri=\"sip:b.example\", response=\"6629fae49393a05397450978507c4ef1\", \
            qop=auth"]
        good ["REGISTER", "Authorization: Digest username=\"bob\", realm=\"b.example\", nonce=\"84a4\", \
            uri=\"sip:b.example\", response=\"6629fae49393a05397450978507c4ef1\", \
            qop=auth, nc=00000001, cnonce=\"0a4f\""]
        => cnonce_missing;
    "digest-cnonce-without-qop" Error "RFC 2617, Section 3.2.2"
        "Credentials have cnonce or nc, and no qop."
        "They must not be there without it."
        bad ["REGISTER", "Authorization: Digest username=\"bob\", realm=\"b.example\", nonce=\"84a4\", \
            uri=\"sip:b.example\", response=\"6629fae49393a05397450978507c4ef1\", \
            cnonce=\"0a4f\""]
        good ["REGISTER", "Authorization: Digest username=\"bob\", realm=\"b.example\", nonce=\"84a4\", \
            uri=\"sip:b.example\", response=\"6629fae49393a05397450978507c4ef1\""]
        => without_qop;
    "digest-quotes-wrong" Warning "RFC 7616, Section 3.3"
        "A parameter of Digest is quoted that must not be, or not quoted that must be."
        "Many receivers read one form only."
        bad ["401", "WWW-Authenticate: Digest realm=\"b.example\", nonce=\"84a4\", qop=\"auth\", algorithm=\"SHA-256\""]
        good ["401", "WWW-Authenticate: Digest realm=\"b.example\", nonce=\"84a4\", qop=\"auth\", algorithm=SHA-256"]
        => quotes;
    "digest-algorithm-unknown" Warning "RFC 8760, Section 2.1"
        "The algorithm of Digest is not registered."
        "The other side passes the challenge over."
        bad ["401", "WWW-Authenticate: Digest realm=\"b.example\", nonce=\"84a4\", qop=\"auth\", algorithm=SHA256"]
        good ["401", "WWW-Authenticate: Digest realm=\"b.example\", nonce=\"84a4\", qop=\"auth\", algorithm=SHA-256"]
        => algorithm;
    "digest-md5-only" Note "RFC 8760, Section 2.1"
        "The challenges of a response offer MD5 and nothing else."
        "MD5 is weak: offer SHA-256 before it."
        bad ["401", "WWW-Authenticate: Digest realm=\"b.example\", nonce=\"84a4\", qop=\"auth\""]
        good ["401", "WWW-Authenticate: Digest realm=\"b.example\", nonce=\"84a4\", qop=\"auth\", algorithm=SHA-256",
            "+WWW-Authenticate: Digest realm=\"b.example\", nonce=\"84a4\", qop=\"auth\", algorithm=MD5"]
        => md5;
    "digest-response-length" Error "RFC 7616, Section 3.4"
        "The response of credentials has not the length that its algorithm gives."
        "It can't be right."
        bad ["REGISTER", "Authorization: Digest username=\"bob\", realm=\"b.example\", nonce=\"84a4\", \
            uri=\"sip:b.example\", response=\"6629\", qop=auth, nc=00000001, cnonce=\"0a4f\""]
        good ["REGISTER", "Authorization: Digest username=\"bob\", realm=\"b.example\", nonce=\"84a4\", \
            uri=\"sip:b.example\", response=\"6629fae49393a05397450978507c4ef1\", \
            qop=auth, nc=00000001, cnonce=\"0a4f\""]
        => response_length;
    "digest-uri-differs" Note "RFC 3261, Section 22.4"
        "The uri of credentials is not the Request-URI."
        "A proxy may have changed the one; otherwise the credentials were made for another request."
        bad ["REGISTER", "Authorization: Digest username=\"bob\", realm=\"b.example\", nonce=\"84a4\", \
            uri=\"sip:c.example\", response=\"6629fae49393a05397450978507c4ef1\", \
            qop=auth, nc=00000001, cnonce=\"0a4f\""]
        good ["REGISTER", "Authorization: Digest username=\"bob\", realm=\"b.example\", nonce=\"84a4\", \
            uri=\"sip:b.example\", response=\"6629fae49393a05397450978507c4ef1\", \
            qop=auth, nc=00000001, cnonce=\"0a4f\""]
        => uri;
    "credentials-repeated" Warning "RFC 3261, Section 22.3"
        "Two credentials are for one realm."
        "The server looks at one of them, and which one is open."
        bad ["REGISTER", "Authorization: Digest username=\"bob\", realm=\"b.example\", nonce=\"84a4\", \
            uri=\"sip:b.example\", response=\"6629fae49393a05397450978507c4ef1\"",
            "+Authorization: Digest username=\"alice\", realm=\"b.example\", nonce=\"84a4\", \
            uri=\"sip:b.example\", response=\"6629fae49393a05397450978507c4ef1\""]
        good ["REGISTER", "Authorization: Digest username=\"bob\", realm=\"b.example\", nonce=\"84a4\", \
            uri=\"sip:b.example\", response=\"6629fae49393a05397450978507c4ef1\""]
        => credentials_repeated;
}

const CHALLENGES: [HeaderId; 2] = [HeaderId::WwwAuthenticate, HeaderId::ProxyAuthenticate];
const CREDENTIALS: [HeaderId; 2] = [HeaderId::Authorization, HeaderId::ProxyAuthorization];

/// Every challenge and every set of credentials that can be read.
fn all<'a>(subject: &Subject<'a>, ids: [HeaderId; 2]) -> impl Iterator<Item = (Header<'a>, AuthParams<&'a [u8]>)> {
    let message = subject.message();
    let headers = ids.into_iter().flat_map(move |id| message.all(id));
    headers.filter_map(|header| Some((header, AuthParams::parse(header.id(), header.value(), header.offset()).ok()?)))
}

fn digests<'a>(subject: &Subject<'a>, ids: [HeaderId; 2]) -> impl Iterator<Item = (Header<'a>, AuthParams<&'a [u8]>)> {
    all(subject, ids).filter(|(_, auth)| auth.scheme.eq_ignore_ascii_case(b"Digest"))
}

fn basic(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let headers = CHALLENGES.into_iter().chain(CREDENTIALS).flat_map(|id| subject.message().all(id));
    for header in headers {
        let scheme = header.value().split(|b| b.is_ascii_whitespace()).next().unwrap_or_default();
        if scheme.eq_ignore_ascii_case(b"Basic") {
            findings.at(scheme, "Basic must not be used");
        }
    }
}

fn missing(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let needed = [(CHALLENGES, &["realm", "nonce"][..]), (CREDENTIALS, &["realm", "nonce", "uri", "response"][..])];
    for (ids, names) in needed {
        for (header, auth) in digests(subject, ids) {
            for name in names.iter().filter(|name| auth.raw(name.as_bytes()).is_none()) {
                findings.header(&header, format!("{name} is missing"));
            }
            let is_anonymous = auth.raw(b"username").is_none() && auth.raw(b"username*").is_none();
            if ids == CREDENTIALS && is_anonymous {
                findings.header(&header, "username is missing");
            }
        }
    }
}

fn qop_missing(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for (header, _) in digests(subject, CHALLENGES).filter(|(_, auth)| auth.raw(b"qop").is_none()) {
        findings.header(&header, "qop is missing");
    }
}

fn cnonce_missing(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for (header, auth) in digests(subject, CREDENTIALS).filter(|(_, auth)| auth.raw(b"qop").is_some()) {
        for name in ["cnonce", "nc"].into_iter().filter(|name| auth.raw(name.as_bytes()).is_none()) {
            findings.header(&header, format!("{name} goes with qop"));
        }
    }
}

fn without_qop(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for (header, auth) in digests(subject, CREDENTIALS).filter(|(_, auth)| auth.raw(b"qop").is_none()) {
        for name in ["cnonce", "nc"].into_iter().filter(|name| auth.raw(name.as_bytes()).is_some()) {
            findings.header(&header, format!("{name} is for credentials with qop"));
        }
    }
}

const QUOTED: [&str; 7] = ["realm", "nonce", "opaque", "username", "uri", "response", "cnonce"];
const BARE: [&str; 4] = ["algorithm", "stale", "nc", "userhash"];

fn quotes(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for (ids, is_challenge) in [(CHALLENGES, true), (CREDENTIALS, false)] {
        for (_, auth) in digests(subject, ids) {
            for (name, value) in auth.iter() {
                let is = |known: &&str| name.eq_ignore_ascii_case(known.as_bytes());
                let is_quoted = value.first() == Some(&b'"');
                let is_qop = name.eq_ignore_ascii_case(b"qop");
                if (QUOTED.iter().any(is) || is_qop && is_challenge) && !is_quoted {
                    findings.at(value, format!("{} is written in quotes", name.escape_ascii()));
                }
                if (BARE.iter().any(is) || is_qop && !is_challenge) && is_quoted {
                    findings.at(value, format!("{} is written without quotes", name.escape_ascii()));
                }
            }
        }
    }
}

/// The registered algorithms and how many hexadecimal digits their hashes have. `[RFC 8760, Section 2.1]` `[RFC 3310, Section 3.1]`
const ALGORITHMS: [(&str, usize); 8] = [
    ("MD5", 32),
    ("MD5-sess", 32),
    ("SHA-256", 64),
    ("SHA-256-sess", 64),
    ("SHA-512-256", 64),
    ("SHA-512-256-sess", 64),
    ("AKAv1-MD5", 32),
    ("AKAv2-MD5", 32),
];

/// MD5 where none is named.
fn algorithm_of<'a>(auth: &'a AuthParams<&'a [u8]>) -> (&'a [u8], Option<usize>) {
    let name = auth.unquoted(b"algorithm").unwrap_or(b"MD5");
    let row = ALGORITHMS.iter().find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()));
    (name, row.map(|(_, digits)| *digits))
}

fn algorithm(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for ids in [CHALLENGES, CREDENTIALS] {
        for (_, auth) in digests(subject, ids) {
            if let (name, None) = algorithm_of(&auth) {
                findings.at(name, format!("{} is not registered", name.escape_ascii()));
            }
        }
    }
}

fn md5(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let is_md5 = |auth: &AuthParams<&[u8]>| algorithm_of(auth).0.eq_ignore_ascii_case(b"MD5");
    let mut challenges = digests(subject, CHALLENGES).peekable();
    if let Some((first, _)) = challenges.peek().map(|(header, auth)| (*header, auth.scheme))
        && challenges.all(|(_, auth)| is_md5(&auth))
    {
        findings.header(&first, "MD5 is all that is offered");
    }
}

fn response_length(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for (_, auth) in digests(subject, CREDENTIALS) {
        if let (Some(response), (name, Some(digits))) = (auth.unquoted(b"response"), algorithm_of(&auth))
            && (response.len() != digits || !response.iter().all(u8::is_ascii_hexdigit))
        {
            findings.at(response, format!("{} has {digits} hexadecimal digits", name.escape_ascii()));
        }
    }
}

fn uri(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let request_uri = subject.message().request_uri_text();
    for (_, auth) in digests(subject, CREDENTIALS) {
        if let Some(uri) = auth.unquoted(b"uri").filter(|uri| *uri != request_uri && !request_uri.is_empty()) {
            findings.at(uri, format!("the Request-URI is {}", request_uri.escape_ascii()));
        }
    }
}

fn credentials_repeated(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let mut seen = alloc::collections::BTreeSet::new();
    for (header, auth) in digests(subject, CREDENTIALS) {
        let realm = auth.unquoted(b"realm").map(<[u8]>::to_vec);
        if realm.is_some() && !seen.insert((header.id(), realm)) {
            findings.header(&header, "credentials for this realm are there already");
        }
    }
}

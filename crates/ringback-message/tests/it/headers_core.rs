//! The typed header fields of RFC 3261: what they read, what they refuse and where, what they write.

use std::borrow::Cow;

use bytes::Bytes;
use ringback_message::header::field::checked;
use ringback_message::header::{
    self, Accept, AcceptEncoding, AcceptLanguage, Allow, AuthenticationInfo, Authorization, CallInfo, Contact,
    ContentDisposition, ContentType, Date, InReplyTo, MimeVersion, Organization, Priority, RecordRoute, Require, Route,
    Server, ServerVal, Subject, Timestamp, ToOwnedText, Warning, WwwAuthenticate, check_value,
};
use ringback_message::{HeaderId, Message};

use crate::headers::{self, Bad, Good, is_tried, message};
use crate::torture;

const DIGEST: &str = "Digest username=\"bob\", realm=\"a.example\",\r\n nonce=\"dcd98b\", uri=\"sip:a.example\", \
                      response=\"6629fa\", algorithm=SHA-256, qop=auth, nc=0000000A, cnonce=\"0a4f\", opaque=\"\"";
const DIGEST_WRITTEN: &str = "Digest username=\"bob\", realm=\"a.example\", nonce=\"dcd98b\", uri=\"sip:a.example\", \
                              response=\"6629fa\", algorithm=SHA-256, qop=auth, nc=0000000A, cnonce=\"0a4f\", opaque=\"\"";
const CHALLENGE: &str = "Digest realm=\"r\",nonce=\"n\",qop=\"auth, auth-int\",domain=\"sip:a sips:b\",stale=TRUE,x=y";
const CHALLENGE_WRITTEN: &str =
    "Digest realm=\"r\", nonce=\"n\", qop=\"auth, auth-int\", domain=\"sip:a sips:b\", stale=TRUE, x=y";

const GOOD: &[Good] = &[
    ("Accept", "", &[]),
    ("Accept", "application/sdp;level=1, text / *;q=0.5,\r\n */*", &["application/sdp;level=1", "text/*;q=0.5", "*/*"]),
    ("Accept-Encoding", "", &[]),
    ("Accept-Encoding", "gzip;q=1.0, *;q=0", &["gzip;q=1.0", "*;q=0"]),
    ("Accept-Language", "", &[]),
    ("Accept-Language", "da, en-gb;q=0.8,*;q=0.1, es-419", &["da", "en-gb;q=0.8", "*;q=0.1", "es-419"]),
    (
        "Alert-Info",
        "<http://a.example/b.wav>, <urn:alert:source:internal>;x",
        &["<http://a.example/b.wav>", "<urn:alert:source:internal>;x"],
    ),
    ("Allow", "", &[""]),
    ("Allow", "INVITE,ACK ,\r\n x!y", &["INVITE, ACK, x!y"]),
    ("Authentication-Info", "nextnonce=\"47\" , qop=auth,nc=0000000a", &["nextnonce=\"47\", qop=auth, nc=0000000a"]),
    ("Authentication-Info", "rspauth=\"\"", &["rspauth=\"\""]),
    ("Authorization", DIGEST, &[DIGEST_WRITTEN]),
    ("Authorization", "NoOneKnows opaque-data=here", &["NoOneKnows opaque-data=here"]),
    ("Proxy-Authorization", DIGEST, &[DIGEST_WRITTEN]),
    ("WWW-Authenticate", CHALLENGE, &[CHALLENGE_WRITTEN]),
    ("Proxy-Authenticate", CHALLENGE, &[CHALLENGE_WRITTEN]),
    ("Call-ID", "f81d4fae@a.example", &["f81d4fae@a.example"]),
    ("i", "word%ZK-!.*_+'@word`~)(><:\\/\"][?}{", &["word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"]),
    (
        "Call-Info",
        "<http://a.example/p.jpg> ;purpose=icon, <sip:a@b>",
        &["<http://a.example/p.jpg> ;purpose=icon", "<sip:a@b>"],
    ),
    ("Contact", "*", &["*"]),
    ("m", "\"A, B\" <sip:a@b>;q=0.7;expires=x, sip:c@d;lr", &["\"A, B\" <sip:a@b>;q=0.7;expires=x", "<sip:c@d>;lr"]),
    ("Contact", "* <sip:a@b>", &["* <sip:a@b>"]),
    ("Content-Disposition", "session", &["session"]),
    ("Content-Disposition", "render ;handling=optional", &["render ;handling=optional"]),
    ("Content-Encoding", "gzip, x-tar", &["gzip, x-tar"]),
    ("Content-Language", "fr, zh-Hant-TW", &["fr", "zh-Hant-TW"]),
    ("Content-Length", "0", &["0"]),
    ("c", "multipart/mixed;boundary=\"a b\" ; x=y", &["multipart/mixed;boundary=\"a b\" ; x=y"]),
    ("CSeq", "4711 INVITE", &["4711 INVITE"]),
    ("Date", "Sat, 13 Nov 2010 23:29:00 GMT", &["Sat, 13 Nov 2010 23:29:00 GMT"]),
    ("Date", "Mon, 13 Nov\r\n 2010 23:29:00 GMT", &["Sat, 13 Nov 2010 23:29:00 GMT"]),
    ("Date", "Thu, 29 Feb 2024 00:00:00 GMT", &["Thu, 29 Feb 2024 00:00:00 GMT"]),
    ("Error-Info", "<sip:sorry@a.example>;x, <http://a>", &["<sip:sorry@a.example>;x", "<http://a>"]),
    ("Expires", "007", &["7"]),
    ("Flow-Timer", "120", &["120"]),
    ("From", "\"A \\\"B\\\"\" <sip:a@b>;tag=9z", &["\"A \\\"B\\\"\" <sip:a@b>;tag=9z"]),
    ("f", "tel:+1;tag=a.b", &["<tel:+1>;tag=a.b"]),
    ("In-Reply-To", "70710@a.example, 17320@a.example", &["70710@a.example", "17320@a.example"]),
    ("Max-Breadth", "60", &["60"]),
    ("Max-Forwards", "0068", &["68"]),
    ("MIME-Version", "1.0", &["1.0"]),
    ("Min-Expires", "4294967295", &["4294967295"]),
    ("Organization", "", &[""]),
    ("Organization", "B\u{f6}xes, by Bob", &["B\u{f6}xes, by Bob"]),
    ("Priority", "Non-Urgent", &["Non-Urgent"]),
    ("Proxy-Require", "foo", &["foo"]),
    ("Record-Route", "<sip:p1;lr>, \"P\" <sip:p2;lr>;x=1", &["<sip:p1;lr>", "\"P\" <sip:p2;lr>;x=1"]),
    ("Reply-To", "Bob <sip:bob@b>", &["Bob <sip:bob@b>"]),
    ("Require", "100rel", &["100rel"]),
    ("Retry-After", "18000;duration=3600", &["18000;duration=3600"]),
    ("Route", "<sip:p1;lr>,<sip:p2;lr>", &["<sip:p1;lr>", "<sip:p2;lr>"]),
    ("Server", "HomeServer v2", &["HomeServer v2"]),
    ("s", "", &[""]),
    ("Subject", "Need more boxes, now; please", &["Need more boxes, now; please"]),
    ("k", "", &[""]),
    ("Supported", "100rel, path", &["100rel, path"]),
    ("Timestamp", "54", &["54"]),
    ("Timestamp", "1.\t\r\n .5", &["1. .5"]),
    ("t", "sip:a@b", &["<sip:a@b>"]),
    ("Unsupported", "foo, bar", &["foo, bar"]),
    ("User-Agent", "Softphone Beta1.5", &["Softphone Beta1.5"]),
    ("User-Agent", "Made: by, hand; (half", &["Made: by, hand; (half"]),
    ("Via", "SIP/2.0/UDP a.example;branch=z9hG4bK1", &["SIP/2.0/UDP a.example;branch=z9hG4bK1"]),
    ("Warning", "307 isi.edu \"a, b\",\r\n 399 x:5060 \"\"", &["307 isi.edu \"a, b\"", "399 x:5060 \"\""]),
    ("Warning", "301 some_*\r\n \"b\"", &["301 some_* \"b\""]),
];

const BAD: &[Bad] = &[
    ("Accept", "text", 4),
    ("Accept", "*/xml", 2),
    ("Accept", "a/b;q=1.1", 6),
    ("Accept", "a/b,", 4),
    ("Accept-Encoding", "gzip;q=x", 7),
    ("Accept-Encoding", "gzip, ,", 6),
    ("Accept-Language", "en-", 3),
    ("Accept-Language", "en, abcdefghi", 4),
    ("Accept-Language", "en;q", 3),
    ("Alert-Info", "", 0),
    ("Alert-Info", "http://a", 0),
    ("Alert-Info", "<a>", 2),
    ("Alert-Info", "<http://a", 9),
    ("Allow", "INVITE,", 7),
    ("Allow", "INVITE ACK", 7),
    ("Authentication-Info", "", 0),
    ("Authentication-Info", "Digest nextnonce=\"a\"", 7),
    ("Authentication-Info", "nc=1", 3),
    ("Authorization", "Digest", 6),
    ("Authorization", "Digest a=b, nc=0000000g", 15),
    ("Authorization", "Digest a=\"b", 9),
    ("Proxy-Authorization", "Digest a=b, A=c", 12),
    // Two challenges have two lines. `[RFC 3261, Section 7.3.1]`
    ("WWW-Authenticate", "Digest realm=\"a\", Basic realm=\"b\"", 24),
    ("Proxy-Authenticate", "Digest realm=a;nonce=b c", 23),
    ("Call-ID", "", 0),
    ("Call-ID", "a@", 2),
    ("Call-ID", "a@b@c", 3),
    ("Call-ID", "a b", 2),
    ("Call-Info", "<http://a>;purpose", 11),
    ("Call-Info", "<http://a>;purpose=a:b", 19),
    ("Contact", "", 0),
    ("Contact", "*, <sip:a@b>", 1),
    ("Contact", "*;q=1", 1),
    ("Contact", "<sip:a@b>;q=2", 12),
    ("Contact", "<sip:a@b>;reg-id=0", 17),
    ("Contact", "<sip:a@b>;+sip.instance=\"urn:x\"", 24),
    ("Contact", "sip:a@b?x=y", 7),
    ("Content-Disposition", "", 0),
    ("Content-Disposition", "session;handling=\"x\"", 17),
    ("Content-Encoding", "", 0),
    ("Content-Language", "*", 0),
    ("Content-Language", "fr;q=1", 2),
    ("Content-Length", "-1", 0),
    ("Content-Length", "4294967296", 0),
    ("Content-Length", "1 2", 2),
    ("Content-Type", "", 0),
    ("Content-Type", "text", 4),
    ("Content-Type", "text/", 5),
    ("Content-Type", "text/plain;charset", 11),
    ("Content-Type", "a/b, c/d", 3),
    ("CSeq", "1", 1),
    ("Date", "Fri, 01 Jan 2010 16:00:00 EST", 26),
    ("Date", "fri, 01 Jan 2010 16:00:00 GMT", 0),
    ("Date", "Fri, 1 Jan 2010 16:00:00 GMT", 5),
    ("Date", "Fri,  01 Jan 2010 16:00:00 GMT", 4),
    ("Date", "Fri, 29 Feb 2100 16:00:00 GMT", 5),
    ("Date", "Fri, 31 Nov 2010 16:00:00 GMT", 5),
    ("Date", "Fri, 00 Jan 2010 16:00:00 GMT", 5),
    ("Date", "Fri, 01 JAN 2010 16:00:00 GMT", 8),
    ("Date", "Fri, 01 Jan 1969 16:00:00 GMT", 12),
    ("Date", "Fri, 01 Jan 2010 24:00:00 GMT", 17),
    ("Date", "Fri, 01 Jan 2010 23:60:00 GMT", 20),
    ("Date", "Fri, 01 Jan 2010 23:59:60 GMT", 23),
    ("Date", "Fri, 01 Jan 2010 23:59:59 GMT+1", 29),
    ("Date", "Fri", 3),
    ("Date", "", 0),
    ("Error-Info", "<http://a> x", 11),
    ("Expires", "", 0),
    ("Expires", "1 hour", 2),
    ("Flow-Timer", "-1", 0),
    ("From", "Bell, Alexander <sip:a@b>;tag=43", 4),
    ("From", "<sip:a@b>;tag=\"x\"", 14),
    ("From", "<sip:a@b>;tag", 10),
    ("From", "<sip:a@b>, <sip:c@d>", 9),
    ("In-Reply-To", "a@b,", 4),
    ("In-Reply-To", "", 0),
    ("Max-Breadth", "x", 0),
    ("Max-Forwards", "256", 0),
    ("MIME-Version", "1", 1),
    ("MIME-Version", "1.", 2),
    ("MIME-Version", "1.0.0", 3),
    ("Min-Expires", "60s", 2),
    ("Priority", "", 0),
    ("Priority", "very urgent", 5),
    ("Proxy-Require", "", 0),
    ("Proxy-Require", "a,,b", 2),
    ("Record-Route", "sip:p1;lr", 0),
    ("Record-Route", "<sip:p1;lr>,", 12),
    ("Reply-To", "<sip:a@b> x", 10),
    ("Require", "(a)", 0),
    ("Retry-After", "1 2", 2),
    ("Route", "<sip:p1;lr>, sip:p2", 13),
    ("Server", "", 0),
    ("Supported", "a,", 2),
    ("Timestamp", "", 0),
    ("Timestamp", ".5", 0),
    ("Timestamp", "1 2 3", 4),
    ("Timestamp", "1.2.3", 3),
    ("To", "<sip:a@b", 8),
    ("To", "\"a <sip:a@b>", 0),
    ("Unsupported", "", 0),
    ("User-Agent", " ", 1),
    ("Via", "SIP/2.0/UDP", 11),
    ("Warning", "1812 overture \"In Progress\"", 0),
    ("Warning", "99 a \"b\"", 0),
    ("Warning", "399a \"b\"", 3),
    ("Warning", "399 a b", 6),
    ("Warning", "399 a:0 \"b\"", 6),
    ("Warning", "399 a \"b\" \"c\"", 10),
    ("Warning", "399 a \"b", 6),
];

/// Whatever their value is, it can be read.
const NEVER_BAD: [HeaderId; 2] = [HeaderId::Organization, HeaderId::Subject];

#[test]
fn good_values_are_read_kept_and_written_again() {
    headers::good_values_are_read_kept_and_written_again(GOOD);
}

#[test]
fn bad_values_are_refused_at_the_byte() {
    headers::bad_values_are_refused_at_the_byte(BAD);
}

#[test]
fn what_is_read_is_what_is_written() {
    headers::what_is_read_is_what_is_written(GOOD);
}

#[test]
fn every_one_of_the_group_is_tried() {
    let ids = GOOD.iter().map(|(name, ..)| HeaderId::from_name(name.as_bytes()));
    assert!(ids.clone().all(header::is_typed));
    // The 44 of RFC 3261, Section 20, of which Encryption and the like of RFC 2543 are none, Flow-Timer and Max-Breadth.
    let mut all: Vec<_> = ids.collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 44 + 2);
    for id in all {
        let is_bad = is_tried(id, BAD.iter().map(|(name, ..)| *name));
        assert!(is_bad != NEVER_BAD.contains(&id), "{id} has no bad value");
    }
}

fn is(text: Option<Cow<'_, [u8]>>, expected: &str) -> bool {
    text.as_deref() == Some(expected.as_bytes())
}

#[test]
fn credentials_and_challenges_say_what_they_hold() {
    let message = message("Authorization", DIGEST);
    let credentials = message.get::<Authorization<_>>().unwrap().unwrap();
    assert!(credentials.is_digest() && is(credentials.username(), "bob") && is(credentials.realm(), "a.example"));
    assert!(is(credentials.nonce(), "dcd98b") && is(credentials.uri(), "sip:a.example"));
    assert!(is(credentials.response(), "6629fa") && is(credentials.algorithm(), "SHA-256"));
    assert!(is(credentials.qop(), "auth") && is(credentials.cnonce(), "0a4f") && is(credentials.opaque(), ""));
    assert_eq!((credentials.nonce_count(), credentials.auts(), credentials.userhash()), (Some(10), None, false));

    let two = Message::parse(Bytes::from(format!(
        "SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: {CHALLENGE}\r\nWWW-Authenticate: Basic realm=\"x \\\"y\\\"\"\r\n\r\n"
    )))
    .unwrap();
    let challenges: Vec<WwwAuthenticate<_>> = two.values().collect::<Result<_, _>>().unwrap();
    let [digest, basic] = &challenges[..] else { panic!("two challenges") };
    assert_eq!(digest.qop_options().collect::<Vec<_>>(), [&b"auth"[..], b"auth-int"]);
    assert_eq!(digest.domain().collect::<Vec<_>>(), [&b"sip:a"[..], b"sips:b"]);
    assert!(digest.stale() && digest.charset().is_none());
    assert!(!basic.is_digest() && !basic.stale() && is(basic.realm(), "x \"y\""));

    let message = self::message("Authentication-Info", "nextnonce=\"4\\\"7\", nc=\"000000ff\", rspauth=\"0a\"");
    let info = message.get::<AuthenticationInfo<_>>().unwrap().unwrap();
    assert!(is(info.nextnonce(), "4\"7") && is(info.rspauth(), "0a") && info.nonce_count() == Some(255));

    let again = "Digest username=\"u\",realm=\"r\",nonce=\"n\",auts=\"5PYx==\",username*=UTF-8''J%C3%A4,userhash=true,nc=FFFFFFFF";
    let message = self::message("Authorization", again);
    let credentials = message.get::<Authorization<_>>().unwrap().unwrap();
    assert!(is(credentials.auts(), "5PYx==") && is(credentials.username_extended(), "UTF-8''J%C3%A4"));
    assert_eq!((credentials.userhash(), credentials.nonce_count()), (true, Some(u32::MAX)));
}

#[test]
fn bodies_and_preferences_say_what_they_hold() {
    let message = message("Accept", "text/*;q=0.5, application/sdp");
    let accept: Vec<Accept<_>> = message.values().collect::<Result<_, _>>().unwrap();
    assert_eq!((accept[0].q().unwrap().as_thousandths(), accept[1].q()), (500, None));
    let html = ContentType::new("Text", "html");
    assert!(accept[0].matches(&html) && !accept[1].matches(&html));
    let message = self::message("c", "Multipart/Mixed;boundary=\"a b\";charset=utf-8");
    let mixed = message.get::<ContentType<_>>().unwrap().unwrap();
    assert!(mixed.is("multipart", "mixed") && is(mixed.boundary(), "a b") && is(mixed.charset(), "utf-8"));
    for (value, required) in
        [("session", true), ("x;handling=Optional", false), ("x;handling=required", true), ("x;handling=y", true)]
    {
        let message = self::message("Content-Disposition", value);
        assert_eq!(message.get::<ContentDisposition<_>>().unwrap().unwrap().is_required(), required, "{value}");
    }
    let message = self::message("Accept-Encoding", "*;q=0");
    assert_eq!(message.get::<AcceptEncoding<_>>().unwrap().unwrap().q().unwrap().as_thousandths(), 0);
    let message = self::message("Accept-Language", "de;q=0.001");
    assert_eq!(message.get::<AcceptLanguage<_>>().unwrap().unwrap().q().unwrap().as_thousandths(), 1);
    assert_eq!(self::message("MIME-Version", "1.0").get::<MimeVersion>(), Ok(Some(MimeVersion::V1_0)));
}

#[test]
fn the_rest_says_what_it_holds() {
    let from = message("f", "\"A\" <sip:a@b>;tag=9z");
    assert_eq!(from.get::<header::From<_>>().unwrap().unwrap().tag(), Some(&b"9z"[..]));
    let contact = message("m", "*");
    assert_eq!(contact.get::<Contact<_>>(), Ok(Some(Contact::Every)));
    let date = message("Date", "Sat, 13 Nov 2010 23:29:00 GMT").get::<Date>();
    assert_eq!(date, Ok(Some(Date { unix_secs: 1_289_690_940 })));
    let stamp = message("Timestamp", "54.25 0.000001");
    let stamp = stamp.get::<Timestamp<_>>().unwrap().unwrap();
    assert_eq!((stamp.timestamp, stamp.micros(), stamp.delay_micros()), (&b"54.25"[..], Some(54_250_000), Some(1)));
    let warning = message("Warning", "370 [::1]:5060 \"no \\\"room\\\"\"");
    let warning = warning.get::<Warning<_>>().unwrap().unwrap();
    assert_eq!((warning.code, warning.agent, &*warning.message()), (370, &b"[::1]:5060"[..], &b"no \"room\""[..]));
    let info = message("Call-Info", "<http://a>;purpose=card");
    assert_eq!(info.get::<CallInfo<_>>().unwrap().unwrap().purpose(), Some(&b"card"[..]));
    let methods = message("Allow", "INVITE, bye");
    let methods = methods.get::<Allow<_>>().unwrap().unwrap();
    assert!(methods.contains("INVITE") && !methods.contains("invite") && methods.contains("bye"));
    let require = message("Require", "PATH");
    assert!(require.get::<Require<_>>().unwrap().unwrap().contains("path"));
    let priority = message("Priority", "Emergency");
    assert!(priority.get::<Priority<_>>().unwrap().unwrap().is("emergency"));
    let server = message("Server", "a/1 (b)");
    let server = server.get::<Server<_>>().unwrap().unwrap();
    let values: Vec<_> = server.values().collect();
    assert_eq!(values, [ServerVal::Product { name: b"a", version: Some(b"1") }, ServerVal::Comment(b"(b)")]);
    let calls = message("In-Reply-To", "a@b, c");
    let calls: Vec<_> = calls.values::<InReplyTo<_>>().map(|call| call.unwrap().call_id).collect();
    assert_eq!(calls, [&b"a@b"[..], b"c"]);
}

#[test]
fn texts_that_would_be_read_otherwise_are_refused() {
    for bad in [" a", "a ", "a\r\nX: y", "a\0b", "\ta"] {
        assert!(checked(&Subject::new(bad)).is_err() && checked(&Organization::new(bad)).is_err(), "{bad:?}");
    }
    for bad in ["", "a,b", "a b", "a\r\n", "a;b"] {
        assert!(checked(&Allow::new([bad])).is_err() && checked(&Require::with_tag(bad)).is_err(), "{bad:?}");
        assert!(checked(&Priority::new(bad)).is_err(), "{bad:?}");
        assert!(
            checked(&ContentDisposition::new(bad)).is_err() && checked(&AcceptEncoding::new(bad)).is_err(),
            "{bad:?}"
        );
        let from = || header::From::new("sip:a@b").unwrap();
        assert!(
            checked(&from().with_tag(bad)).is_err()
                && checked(&header::To::new("sip:a@b").unwrap().with_tag(bad)).is_err()
        );
    }
    assert!(
        checked(&Route::new("sip:p;lr").unwrap()).is_ok() && checked(&RecordRoute::new("sip:p;lr").unwrap()).is_ok()
    );
    assert!(Route::new("sip:p>, <sip:q").is_err());
}

#[cfg(feature = "serde")]
#[test]
fn the_view_for_machines_keeps_its_names() {
    for (name, value, json) in [
        ("Contact", "*", r#""*""#),
        (
            "Contact",
            "\"A\" <tel:+1>;q=0.5",
            r#"{"display_name":"\"A\"","uri":{"text":"tel:+1","scheme":"tel"},"params":{"q":"0.5"}}"#,
        ),
        ("Authorization", "Digest Realm=\"a\", x=y", r#"{"scheme":"Digest","params":{"realm":"a","x":"y"}}"#),
        ("Authentication-Info", "qop=auth", r#"{"params":{"qop":"auth"}}"#),
        ("Date", "Thu, 01 Jan 1970 00:00:07 GMT", r#"{"unix_secs":7}"#),
        ("Content-Type", "a/b;c=\"d e\"", r#"{"m_type":"a","m_subtype":"b","params":{"c":"d e"}}"#),
        ("Warning", "399 a \"b\"", r#"{"code":399,"agent":"a","text":"\"b\""}"#),
        ("Timestamp", "1", r#"{"timestamp":"1","delay":null}"#),
        ("Call-Info", "<tel:1>", r#"{"uri":{"text":"tel:1","scheme":"tel"},"params":{}}"#),
        ("Require", "a,b", r#"{"tokens":["a","b"]}"#),
    ] {
        let message = message(name, value);
        let typed = message.headers().next().unwrap().typed().unwrap();
        assert_eq!(serde_json::to_string(&typed[0]).unwrap(), json, "{name}: {value}");
    }
}

/// Lines of valid messages that are not read, and why.
const NOT_READ: &[(&str, HeaderId, &str)] =
    &[("rfc4475/mpart01.dat", HeaderId::Identity, "that of RFC 4474, for which RFC 8224 has another grammar")];

/// Valid values that no typed setter writes, and why.
const NOT_WRITTEN: &[(&str, HeaderId, &str)] =
    &[("rfc4475/intmeth.dat", HeaderId::To, "a NUL behind a backslash is legal, but we write none")];

#[test]
fn each_typed_value_of_a_valid_torture_message_is_read_and_written_again() {
    for (name, _, bytes) in torture::messages().into_iter().filter(|(_, verdict, _)| verdict == "accept") {
        let message = Message::parse(bytes).unwrap();
        let typed = message.headers().filter(|header| header::is_typed(header.id()));
        assert!(typed.clone().count() >= 5, "{name}");
        for line in typed {
            let among = |rows: &[(&str, HeaderId, &str)]| rows.iter().any(|row| (row.0, row.1) == (&name, line.id()));
            let values = match line.typed() {
                Ok(values) => values,
                Err(error) => {
                    assert!(among(NOT_READ), "{name}: {error}");
                    continue;
                }
            };
            // A fold is kept where a value is kept as written, and not written.
            for value in values.iter().filter(|_| !line.value().contains(&b'\n')) {
                let written = value.to_owned_text().value();
                assert_eq!(written.is_err(), among(NOT_WRITTEN), "{name}: {value:?}: {written:?}");
            }
        }
    }
}

#[test]
fn malformed_lines_of_torture_messages_are_found_at_their_byte() {
    for (name, lines) in [
        ("rfc4475/badinv01.dat", &[(HeaderId::Via, 23), (HeaderId::Contact, 28)][..]),
        ("rfc4475/scalar02.dat", &[(HeaderId::CSeq, 0), (HeaderId::MaxForwards, 0), (HeaderId::Expires, 0)]),
        ("rfc4475/scalarlg.dat", &[(HeaderId::CSeq, 0), (HeaderId::RetryAfter, 0), (HeaderId::Warning, 0)]),
        ("rfc4475/quotbal.dat", &[(HeaderId::To, 0)]),
        ("rfc4475/baddate.dat", &[(HeaderId::Date, 26)]),
        ("rfc4475/regbadct.dat", &[(HeaderId::Contact, 20)]),
        ("rfc4475/badaspec.dat", &[(HeaderId::To, 18)]),
    ] {
        let (_, _, bytes) = torture::messages().into_iter().find(|(other, ..)| other == name).unwrap();
        let message = Message::parse(bytes).unwrap();
        let refused = message.headers().filter_map(|line| {
            let error = check_value(line.id(), line.value(), line.offset()).err()?;
            Some((line.id(), error.offset - line.offset()))
        });
        assert_eq!(refused.collect::<Vec<_>>(), lines, "{name}");
    }
}

//! The typed header fields of the signalling extensions: what they read, what they refuse and where, what they write.

use ringback_message::header::{
    AcceptContact, AllowEvents, AnswerMode, ContentId, Directive, Event, FeatureCaps, FeatureValue, Geolocation,
    GeolocationError, GeolocationRouting, Identity, IdentityInfo, InfoPackage, Join, MinSe, Path, PermissionMissing,
    Privacy, PrivacyKind, RAck, RSeq, Reason, RecvInfo, ReferEventsAt, ReferSub, ReferTo, ReferredBy, Refresher,
    RejectContact, Replaces, RequestDisposition, SecurityServer, ServiceRoute, SessionExpires, SessionId, SipEtag,
    SubscriptionState, Substate, SuppressIfMatch, TargetDialog, TriggerConsent, UserToUser, is_typed,
};
use ringback_message::{HeaderId, StatusCode};

use crate::headers::{self, Bad, Good, is_tried, message};

const A: &str = "ab30317f1a784dc48ff824d0d3715d86";
const B: &str = "47755a9de7794ba387653f2099600ef2";

const GOOD: &[Good] = &[
    ("RSeq", "1", &["1"]),
    ("RSeq", "4294967295", &["4294967295"]),
    ("RAck", "776656 \r\n 1\tINVITE", &["776656 1 INVITE"]),
    ("Event", "presence.winfo", &["presence.winfo"]),
    ("o", "refer ; id=93809824;x", &["refer ; id=93809824;x"]),
    (
        "Subscription-State",
        "terminated;reason=noresource;retry-after=60",
        &["terminated;reason=noresource;retry-after=60"],
    ),
    ("Subscription-State", "x-waiting", &["x-waiting"]),
    ("Allow-Events", "presence ,\r\n dialog", &["presence, dialog"]),
    (
        "Reason",
        "SIP ;cause=580 ;text=\"Precondition, Failure\",Q.850;cause=16",
        &["SIP ;cause=580 ;text=\"Precondition, Failure\"", "Q.850;cause=16"],
    ),
    ("Reason", "preemption", &["preemption"]),
    (
        "Path",
        "<sip:p1.example;lr>, \"P, 2\" <sip:p2.example;lr>;x=1",
        &["<sip:p1.example;lr>", "\"P, 2\" <sip:p2.example;lr>;x=1"],
    ),
    ("Service-Route", "<sip:home.example;lr>,<sip:b>", &["<sip:home.example;lr>", "<sip:b>"]),
    ("Security-Client", "ipsec-ike;q=0.1, tls;q=1.000", &["ipsec-ike;q=0.1", "tls;q=1.000"]),
    (
        "Security-Server",
        "digest;d-alg=MD5;d-qop=auth;d-ver=\"0123456789abcdef0123456789abcdef\"",
        &["digest;d-alg=MD5;d-qop=auth;d-ver=\"0123456789abcdef0123456789abcdef\""],
    ),
    (
        "Security-Verify",
        "ipsec-3gpp;alg=hmac-sha-1-96;spi-c=98765432;q=0.",
        &["ipsec-3gpp;alg=hmac-sha-1-96;spi-c=98765432;q=0."],
    ),
    (
        "Refer-To",
        "<sip:bob@b.example?Replaces=1%40a%3Bto-tag%3D2>;x",
        &["<sip:bob@b.example?Replaces=1%40a%3Bto-tag%3D2>;x"],
    ),
    ("Accept-Contact", "*;audio;require, *;methods=\"BYE\";q=1.0", &["*;audio;require", "*;methods=\"BYE\";q=1.0"]),
    ("Reject-Contact", "*;actor=\"msg-taker\" ;video", &["*;actor=\"msg-taker\" ;video"]),
    ("Request-Disposition", "Proxy,no-fork , sequential", &["proxy, no-fork, sequential"]),
    (
        "Replaces",
        "425928@b.example;to-tag=7743;from-tag=6472;early-only",
        &["425928@b.example;to-tag=7743;from-tag=6472;early-only"],
    ),
    ("Join", "12@[::1] ; from-tag=0 ; to-tag=0", &["12@[::1] ; from-tag=0 ; to-tag=0"]),
    ("Target-Dialog", "fa77@h;local-tag=kkaz-;remote-tag=6544", &["fa77@h;local-tag=kkaz-;remote-tag=6544"]),
    ("Target-Dialog", "fa77", &["fa77"]),
    (
        "Referred-By",
        "sip:r@ref.example;cid=\"2UWQ.309@ref.example\"",
        &["<sip:r@ref.example>;cid=\"2UWQ.309@ref.example\""],
    ),
    ("SIP-ETag", "dx200xyz", &["dx200xyz"]),
    ("SIP-If-Match", "kwj449x", &["kwj449x"]),
    ("Suppress-If-Match", "*", &["*"]),
    ("Session-Expires", "4000;refresher=UAC", &["4000;refresher=UAC"]),
    ("x", "90", &["90"]),
    ("Min-SE", "3600;x=y", &["3600;x=y"]),
    ("Refer-Sub", "False;x", &["false;x"]),
    ("Answer-Mode", "Auto;require", &["Auto;require"]),
    ("Priv-Answer-Mode", "manual", &["manual"]),
    ("Permission-Missing", "sip:c@c.example,<sip:d@d.example>;x", &["<sip:c@c.example>", "<sip:d@d.example>;x"]),
    (
        "Trigger-Consent",
        "sip:1@r.example\r\n ;target-uri=\"sip:f@r.example\", sips:2@r.example",
        &["sip:1@r.example ;target-uri=\"sip:f@r.example\"", "sips:2@r.example"],
    ),
    ("Info-Package", "foo;bar=1", &["foo;bar=1"]),
    ("Recv-Info", "P, R;x=\"1,2\"", &["P", "R;x=\"1,2\""]),
    ("Recv-Info", "", &[]),
    (
        "Feature-Caps",
        "*;+sip.pns=\"acme\";+sip.pnsreg=\"121\", *;+g.x=\"<a, b>\"",
        &["*;+sip.pns=\"acme\";+sip.pnsreg=\"121\"", "*;+g.x=\"<a, b>\""],
    ),
    (
        "Geolocation",
        "<cid:target123@a.example>, <sips:3s@ls.example>;x",
        &["<cid:target123@a.example>", "<sips:3s@ls.example>;x"],
    ),
    ("Geolocation-Routing", "Yes", &["Yes"]),
    ("Geolocation-Routing", "later = \"x\"", &["later=\"x\""]),
    ("Geolocation-Error", "300;code=\"Dereference Failure\"", &["300;code=\"Dereference Failure\""]),
    (
        "Session-ID",
        "ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2",
        &["ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2"],
    ),
    ("Session-ID", "f81d4fae7dec11d0a76500a0c91e6bf6;x=1", &["f81d4fae7dec11d0a76500a0c91e6bf6;x=1"]),
    (
        "User-to-User",
        "56a390f3;encoding=hex;purpose=foo, \"a, b\";content=bar",
        &["56a390f3;encoding=hex;purpose=foo", "\"a, b\";content=bar"],
    ),
    ("Refer-Events-At", "<sips:vPT3@a.example;gr>;x", &["<sips:vPT3@a.example;gr>;x"]),
    (
        "Identity",
        "eyJ0.eyJk.r-3_ ; info = <https://b.example/b.cert>;alg=ES256;ppt=\"shaken\"",
        &["eyJ0.eyJk.r-3_;info=<https://b.example/b.cert>;alg=ES256;ppt=\"shaken\""],
    ),
    ("Identity", "r5mwreLuyDRYBi/0TiPwEsY3+w==", &["r5mwreLuyDRYBi/0TiPwEsY3+w=="]),
    ("Identity", "\"kjOP4YVZXmF0X3/4RUfAG6ffwbVQepNGRBz2fqi==\"", &["\"kjOP4YVZXmF0X3/4RUfAG6ffwbVQepNGRBz2fqi==\""]),
    ("Identity-Info", "<https://a.example/cert>;alg=rsa-sha1", &["<https://a.example/cert>;alg=rsa-sha1"]),
    ("Privacy", "header; session;critical", &["header;session;critical"]),
    ("Content-ID", "<target123@[2001:db8::1]>", &["<target123@[2001:db8::1]>"]),
];

const BAD: &[Bad] = &[
    ("RSeq", "0", 0),
    ("RSeq", "4294967296", 0),
    ("RSeq", "1 2", 2),
    ("RAck", "0 1 INVITE", 0),
    ("RAck", "1 x INVITE", 2),
    ("RAck", "1 2", 3),
    ("RAck", "1 2INVITE", 3),
    ("RAck", "1 2 INVITE, 3 4 INVITE", 10),
    ("Event", "", 0),
    ("Event", "presence..winfo", 9),
    ("Event", "a, b", 1),
    ("Event", "a;id", 2),
    ("Event", "a;id=\"1\"", 5),
    ("Subscription-State", ";reason=x", 0),
    ("Subscription-State", "active;expires=-1", 15),
    ("Subscription-State", "terminated;retry-after=4294967296", 23),
    ("Subscription-State", "terminated;reason=\"x\"", 18),
    ("Allow-Events", "", 0),
    ("Allow-Events", "a,,b", 2),
    ("Allow-Events", "a.b, .c", 5),
    ("Reason", "", 0),
    ("Reason", "SIP;cause=busy", 10),
    ("Reason", "SIP;text=Busy", 9),
    ("Reason", "SIP, ;cause=1", 5),
    ("Path", "sip:p.example;lr", 0),
    ("Path", "<sip:p.example;lr>,", 19),
    ("Path", "<sip:p.example;lr", 17),
    ("Service-Route", " sip:p.example", 1),
    ("Service-Route", "<sip:a> <sip:b>", 8),
    ("Security-Client", "tls;q=1.1", 6),
    ("Security-Client", ",tls", 0),
    ("Security-Server", "digest;d-ver=\"01\"", 13),
    ("Security-Server", "digest;d-ver=\"0123456789ABCDEF0123456789abcdef\"", 13),
    ("Security-Server", "digest;d-alg=\"MD5\"", 13),
    ("Security-Verify", "tls;q", 4),
    ("Refer-To", "", 0),
    ("Refer-To", "sip:a@b?Replaces=c", 7),
    ("Refer-To", "<sip:a@b>, <sip:c@d>", 9),
    ("Accept-Contact", "audio", 0),
    ("Accept-Contact", "*;methods=\"BYE", 10),
    ("Accept-Contact", "*, ", 3),
    ("Reject-Contact", "*audio", 1),
    ("Request-Disposition", "", 0),
    ("Request-Disposition", "proxy, follow", 7),
    ("Request-Disposition", "fork, no-fork", 6),
    ("Replaces", "", 0),
    ("Replaces", "a@b", 3),
    ("Replaces", "a@b;to-tag=1", 3),
    ("Replaces", "a@b;to-tag=1;from-tag=2;to-tag=3", 3),
    ("Replaces", "a@;to-tag=1;from-tag=2", 2),
    ("Replaces", "a@b;to-tag=\"1\";from-tag=2", 11),
    ("Replaces", "a@b;to-tag=1;from-tag=2, c;to-tag=1;from-tag=2", 23),
    ("Join", "a@b;from-tag=2", 3),
    ("Join", "a b;from-tag=2;to-tag=1", 1),
    ("Target-Dialog", "a;local-tag", 2),
    ("Target-Dialog", "a;remote-tag=[]", 13),
    ("Referred-By", "sip:r@h;cid=a@b", 12),
    ("Referred-By", "sip:r@h;cid=\"ab\"", 12),
    ("SIP-ETag", "", 0),
    ("SIP-ETag", "\"a\"", 0),
    ("SIP-If-Match", "a, b", 1),
    ("Suppress-If-Match", "a b", 2),
    ("Session-Expires", "-1", 0),
    ("Session-Expires", "90;refresher=proxy", 13),
    ("Session-Expires", "90;refresher", 3),
    ("Min-SE", "1h", 1),
    ("Refer-Sub", "yes", 0),
    ("Refer-Sub", "true, false", 4),
    ("Answer-Mode", "", 0),
    ("Priv-Answer-Mode", "Auto;", 5),
    ("Permission-Missing", "sip:a@b,", 8),
    ("Trigger-Consent", "<sip:1@r.example>", 0),
    ("Trigger-Consent", "tel:+1", 0),
    ("Trigger-Consent", "sip:1@r.example;target-uri=sip:a", 27),
    ("Info-Package", "a, b", 1),
    ("Recv-Info", ",", 0),
    ("Feature-Caps", "*;sip.pns=\"a\"", 2),
    ("Feature-Caps", "*;+sip.pns=a", 11),
    ("Feature-Caps", "*;+sip.pns=\"a,\"", 11),
    ("Feature-Caps", "+sip.pns", 0),
    ("Geolocation", "sip:a@b", 0),
    ("Geolocation", "Me <sip:a@b>", 0),
    ("Geolocation", "<sip:a@b>, ", 11),
    ("Geolocation-Routing", "", 0),
    ("Geolocation-Routing", "yes;x", 3),
    ("Geolocation-Routing", "x=", 2),
    ("Geolocation-Error", "1000", 0),
    ("Geolocation-Error", "100;code=x", 9),
    ("Geolocation-Error", "100, 200", 3),
    ("Session-ID", "ab30317f1a784dc48ff824d0d3715d8", 0),
    ("Session-ID", "AB30317f1a784dc48ff824d0d3715d86", 0),
    ("Session-ID", "ab30317f1a784dc48ff824d0d3715d86;remote=0", 40),
    ("Session-ID", "ab30317f1a784dc48ff824d0d3715d86;remote", 33),
    ("User-to-User", "", 0),
    ("User-to-User", "\"a", 0),
    ("User-to-User", "a;encoding=\"hex\"", 11),
    ("Refer-Events-At", "sip:a@b", 0),
    ("Refer-Events-At", "<http://a>", 1),
    ("Identity", "abc;", 4),
    ("Identity", "\"a bc\"", 0),
    ("Identity", ";info=<https://a>", 0),
    ("Identity", "abc;alg=ES256;info=<https://a>", 4),
    ("Identity", "abc;info=https://a", 9),
    ("Identity", "abc;info=<https://a", 19),
    ("Identity-Info", "https://a", 0),
    ("Identity-Info", "<https://a>;alg", 12),
    ("Privacy", "", 0),
    ("Privacy", "id;", 3),
    ("Privacy", "id, header", 2),
    ("Content-ID", "a@b", 0),
    ("Content-ID", "<a>", 1),
    ("Content-ID", "<a@b", 4),
    ("Content-ID", "<a@b> (x)", 6),
];

const GROUP: &[HeaderId] = &[
    HeaderId::AcceptContact,
    HeaderId::AllowEvents,
    HeaderId::AnswerMode,
    HeaderId::ContentId,
    HeaderId::Event,
    HeaderId::FeatureCaps,
    HeaderId::Geolocation,
    HeaderId::GeolocationError,
    HeaderId::GeolocationRouting,
    HeaderId::Identity,
    HeaderId::IdentityInfo,
    HeaderId::InfoPackage,
    HeaderId::Join,
    HeaderId::MinSe,
    HeaderId::Path,
    HeaderId::PermissionMissing,
    HeaderId::PrivAnswerMode,
    HeaderId::Privacy,
    HeaderId::RAck,
    HeaderId::RSeq,
    HeaderId::Reason,
    HeaderId::RecvInfo,
    HeaderId::ReferEventsAt,
    HeaderId::ReferSub,
    HeaderId::ReferTo,
    HeaderId::ReferredBy,
    HeaderId::RejectContact,
    HeaderId::Replaces,
    HeaderId::RequestDisposition,
    HeaderId::SecurityClient,
    HeaderId::SecurityServer,
    HeaderId::SecurityVerify,
    HeaderId::ServiceRoute,
    HeaderId::SessionExpires,
    HeaderId::SessionId,
    HeaderId::SipEtag,
    HeaderId::SipIfMatch,
    HeaderId::SubscriptionState,
    HeaderId::SuppressIfMatch,
    HeaderId::TargetDialog,
    HeaderId::TriggerConsent,
    HeaderId::UserToUser,
];

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
    for id in GROUP {
        assert!(is_typed(*id), "{id}");
        let good = GOOD.iter().filter(|(_, _, written)| !written.is_empty());
        assert!(is_tried(*id, good.map(|(name, ..)| *name)), "{id} has no good value");
        assert!(is_tried(*id, BAD.iter().map(|(name, ..)| *name)), "{id} has no bad one");
    }
}

/// Reads the first value of a header field, and looks at it.
macro_rules! read {
    ($name:literal, $value:expr, $type:ident $(<$t:ty>)?, |$read:ident| $look:expr) => {
        let message = message($name, $value);
        let $read = message.get::<$type $(<$t>)?>().unwrap().unwrap();
        $look
    };
}

#[test]
fn events_and_their_state() {
    read!("Event", "presence.winfo;id=7", Event<&[u8]>, |event| {
        assert!(event.package_and_templates().eq([&b"presence"[..], b"winfo"]));
        assert_eq!(event.id(), Some(&b"7"[..]));
    });
    for (value, substate) in [
        ("Active;expires=60", Substate::Active),
        ("pending", Substate::Pending),
        ("TERMINATED", Substate::Terminated),
        ("x-new", Substate::Extension),
    ] {
        read!("Subscription-State", value, SubscriptionState<&[u8]>, |state| assert_eq!(state.substate(), substate));
    }
    read!(
        "Subscription-State",
        "active;expires=60;Reason=probation;retry-after=9",
        SubscriptionState<&[u8]>,
        |state| {
            assert_eq!((state.expires_secs(), state.retry_after_secs()), (Some(60), Some(9)));
            assert_eq!(state.reason(), Some(&b"probation"[..]));
        }
    );
    read!("Allow-Events", "presence, Dialog", AllowEvents<&[u8]>, |events| {
        assert!(events.contains("presence") && !events.contains("dialog"));
    });
    read!("SIP-ETag", "a.b", SipEtag<&[u8]>, |tag| assert_eq!(tag.token, b"a.b"));
    read!("Suppress-If-Match", "*", SuppressIfMatch<&[u8]>, |tag| assert!(tag.is_any()));
    read!("Suppress-If-Match", "a", SuppressIfMatch<&[u8]>, |tag| assert!(!tag.is_any()));
}

#[test]
fn reliable_responses_and_reasons() {
    read!("RSeq", "988789", RSeq, |rseq| assert_eq!(rseq.0, 988_789));
    read!("RAck", "988789 1 INVITE", RAck<&[u8]>, |rack| {
        assert_eq!((rack.response_number, rack.cseq_number, rack.method), (988_789, 1, &b"INVITE"[..]));
    });
    read!("Reason", "SIP;cause=200;text=\"Call \\\"completed\\\" elsewhere\"", Reason<&[u8]>, |reason| {
        assert_eq!((reason.status(), reason.cause()), (Some(StatusCode::Ok), Some(200)));
        assert_eq!(reason.text().unwrap().as_ref(), b"Call \"completed\" elsewhere");
    });
    read!("Reason", "Q.850;cause=200", Reason<&[u8]>, |reason| assert_eq!(reason.status(), None));
    assert_eq!(Reason::sip(StatusCode::BusyHere).status(), Some(StatusCode::BusyHere));
    assert_eq!(Reason::sip(StatusCode::BusyHere).text().unwrap().as_ref(), b"Busy Here");
    assert_eq!((Reason::q850(16).cause(), Reason::q850(16).text()), (Some(16), None));
}

#[test]
fn dialogs_that_are_named() {
    read!("Replaces", "a@b;to-tag=1;FROM-tag=2;early-only", Replaces<&[u8]>, |replaces| {
        assert_eq!((replaces.call_id, replaces.early_only()), (&b"a@b"[..], true));
        assert_eq!((replaces.to_tag(), replaces.from_tag()), (Some(&b"1"[..]), Some(&b"2"[..])));
    });
    read!("Join", "a;to-tag=1;from-tag=2", Join<&[u8]>, |join| {
        assert_eq!((join.call_id, join.to_tag(), join.from_tag()), (&b"a"[..], Some(&b"1"[..]), Some(&b"2"[..])));
    });
    read!("Target-Dialog", "a;remote-tag=1", TargetDialog<&[u8]>, |dialog| {
        assert_eq!((dialog.local_tag(), dialog.remote_tag()), (None, Some(&b"1"[..])));
    });
    let (both, old) = (format!("{A};remote={B}"), A.to_owned());
    read!("Session-ID", &both, SessionId<&[u8]>, |id| assert_eq!(
        (id.local, id.remote()),
        (A.as_bytes(), Some(B.as_bytes()))
    ));
    read!("Session-ID", &old, SessionId<&[u8]>, |id| assert!(id.remote().is_none() && !id.is_local_nil()));
}

#[test]
fn addresses_and_routes() {
    let message = message("Path", "<sip:p1;lr>, <sip:p2;lr>");
    let hosts: Vec<_> =
        message.values::<Path<&[u8]>>().map(|path| path.unwrap().address.uri.as_sip().unwrap().host).collect();
    assert_eq!(hosts, [b"p1", b"p2"]);
    read!("Service-Route", "<sip:p;lr>", ServiceRoute<&[u8]>, |route| {
        assert!(route.address.uri.as_sip().unwrap().params.has(b"lr"));
    });
    read!("Refer-To", "<sip:a@b;method=BYE>", ReferTo<&[u8]>, |refer| {
        assert_eq!(refer.address.uri.as_sip().unwrap().params.value(b"method"), Some(&b"BYE"[..]));
    });
    read!("Referred-By", "<sip:a@b>;cid=\"1@b\"", ReferredBy<&[u8]>, |by| assert_eq!(
        by.content_id().unwrap().as_ref(),
        b"1@b"
    ));
    read!("Refer-Events-At", "<sip:a@b>", ReferEventsAt<&[u8]>, |at| assert!(at.address.uri.as_sip().is_some()));
    read!("Permission-Missing", "sip:c@d;x", PermissionMissing<&[u8]>, |missing| assert!(
        missing.address.params.has(b"x")
    ));
    read!("Trigger-Consent", "sip:c@d;target-uri=\"sip:\\e@f\"", TriggerConsent<&[u8]>, |consent| {
        assert_eq!(consent.target_uri().unwrap().as_ref(), b"sip:e@f");
    });
    read!("Geolocation", "<cid:1@b>", Geolocation<&[u8]>, |location| assert!(location.address.uri.as_sip().is_none()));
    read!("Geolocation-Routing", "YES", GeolocationRouting<&[u8]>, |routing| assert!(routing.is_allowed()));
    read!("Geolocation-Error", "201", GeolocationError<&[u8]>, |error| assert_eq!(
        (error.code, error.text()),
        (201, None)
    ));
    read!("Content-ID", "<1@b>", ContentId<&[u8]>, |id| assert_eq!(id.id, b"1@b"));
}

#[test]
fn features_and_preferences() {
    read!("Accept-Contact", "*;+x.y=\"#1:3\";explicit", AcceptContact<&[u8]>, |wanted| {
        let range = wanted.params.feature("+x.y").unwrap().terms().next().unwrap();
        assert_eq!(range.value, FeatureValue::Range { from: 1.0, to: 3.0 });
        assert!(wanted.explicit() && !wanted.require());
    });
    read!("Reject-Contact", "*;video=\"FALSE\"", RejectContact<&[u8]>, |unwanted| {
        assert!(!unwanted.params.feature("video").unwrap().is_true());
    });
    read!("Request-Disposition", "redirect, queue", RequestDisposition, |wish| {
        assert_eq!(wish.directives(), [Directive::Redirect, Directive::Queue]);
        assert!(!wish.contains(Directive::Proxy));
    });
    read!("Feature-Caps", "*;+sip.pns=\"fcm\";+sip.vapid=\"BA1H-_\";+sip.pnsreg=\"x\"", FeatureCaps<&[u8]>, |caps| {
        assert_eq!((caps.pns(), caps.vapid(), caps.pnsreg_secs()), (Some(&b"fcm"[..]), Some(&b"BA1H-_"[..]), None));
    });
    read!("Info-Package", "foo;x=1", InfoPackage<&[u8]>, |info| assert_eq!(
        (info.package, info.params.value(b"x")),
        (&b"foo"[..], Some(&b"1"[..]))
    ));
    read!("Recv-Info", "foo, bar", RecvInfo<&[u8]>, |info| assert_eq!(info.package, b"foo"));
}

#[test]
fn security_identity_and_privacy() {
    read!(
        "Security-Server",
        "tls;Q=0.25;d-ver=\"0123456789abcdef0123456789abcdef\"",
        SecurityServer<&[u8]>,
        |security| {
            assert_eq!((security.mechanism, security.q().unwrap().as_thousandths()), (&b"tls"[..], 250));
            assert_eq!(security.digest_verify().unwrap().len(), 32);
            assert!(security.digest_algorithm().is_none() && security.digest_qop().is_none());
        }
    );
    read!("Identity", "..sig;info=<https://b.example/c>;alg=ES256;ppt=\"div\"", Identity<&[u8]>, |identity| {
        assert_eq!((identity.digest, identity.is_compact()), (&b"..sig"[..], true));
        assert_eq!((identity.alg().unwrap().as_ref(), identity.ppt().unwrap().as_ref()), (&b"ES256"[..], &b"div"[..]));
    });
    read!("Identity-Info", "<https://a>;alg=rsa-sha1", IdentityInfo<&[u8]>, |info| assert_eq!(
        info.alg(),
        Some(&b"rsa-sha1"[..])
    ));
    read!("Privacy", "ID;critical", Privacy<&[u8]>, |privacy| {
        assert!(
            privacy.contains(PrivacyKind::Id)
                && privacy.contains(PrivacyKind::Critical)
                && !privacy.contains(PrivacyKind::None)
        );
    });
    read!("User-to-User", "\"00fF\";encoding=Hex;purpose=p;content=c", UserToUser<&[u8]>, |data| {
        assert_eq!(
            (data.octets().unwrap(), data.purpose(), data.content()),
            (vec![0, 255], Some(&b"p"[..]), Some(&b"c"[..]))
        );
    });
}

#[test]
fn timers_and_modes() {
    read!("Session-Expires", "1800;refresher=UAS", SessionExpires<&[u8]>, |timer| {
        assert_eq!((timer.seconds, timer.refresher()), (1800, Some(Refresher::Uas)));
    });
    read!("Min-SE", "90", MinSe<&[u8]>, |timer| assert_eq!(timer.seconds, 90));
    read!("Refer-Sub", "TRUE", ReferSub<&[u8]>, |sub| assert!(sub.subscribes));
    read!("Answer-Mode", "Auto;require", AnswerMode<&[u8]>, |mode| assert_eq!(
        (mode.mode, mode.require()),
        (&b"Auto"[..], true)
    ));
}

#[cfg(feature = "serde")]
#[test]
fn the_json_view_has_the_names_of_the_fields() {
    let json =
        |name, value| serde_json::to_value(message(name, value).headers().next().unwrap().typed().unwrap()).unwrap();
    for (name, value, expected) in [
        ("Request-Disposition", "proxy, no-fork", serde_json::json!([{"directives": ["proxy", "no-fork"]}])),
        (
            "Replaces",
            "a@b;To-Tag=1;from-tag=2",
            serde_json::json!([{"call_id": "a@b", "params": {"to-tag": "1", "from-tag": "2"}}]),
        ),
        ("Session-Expires", "90;refresher=uac", serde_json::json!([{"seconds": 90, "params": {"refresher": "uac"}}])),
        ("Accept-Contact", "*;audio, *", serde_json::json!([{"params": {"audio": null}}, {"params": {}}])),
        ("Privacy", "id;none", serde_json::json!([{"values": ["id", "none"]}])),
    ] {
        assert_eq!(json(name, value), expected, "{name}: {value}");
    }
}

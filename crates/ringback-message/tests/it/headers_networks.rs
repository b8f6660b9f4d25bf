//! The typed header fields of networks and operators: what they read, what they refuse and where, what they write.

use std::cmp::Ordering;

use ringback_message::header::{
    AlertMsgError, Decode, HistoryInfo, PAccessNetworkInfo, PAssertedIdentity, PChargingFunctionAddresses,
    PChargingVector, PDcsBillingInfo, PDcsLaes, PDcsRedirect, PDcsTracePartyId, PEarlyMedia, PRefusedUriList,
    PServedUser, PVisitedNetworkId, PolicyContact, PolicyId, ResourcePriority, Retargeting, ToOwnedText,
};
use ringback_message::{HeaderId, Message};

use crate::headers::{self, Bad, Good, is_tried, message};

const GOOD: &[Good] = &[
    ("P-Media-Authorization", "0aF3 ,\r\n 00", &["0aF3", "00"]),
    ("P-Asserted-Identity", "\"A, B\" <sip:a@b>, tel:+14085264000", &["\"A, B\" <sip:a@b>", "<tel:+14085264000>"]),
    ("P-Asserted-Identity", "sips:a@b", &["<sips:a@b>"]),
    ("P-Preferred-Identity", "Anna <sip:a@b;user=phone>", &["Anna <sip:a@b;user=phone>"]),
    ("P-Associated-URI", "<sip:a@b>;x=1,<tel:1>", &["<sip:a@b>;x=1", "<tel:1>"]),
    ("P-Associated-URI", "", &[]),
    ("P-Called-Party-ID", "<sip:a@b>;np", &["<sip:a@b>;np"]),
    ("P-Visited-Network-ID", "other.net, \"Net, 1\" ;x", &["other.net", "\"Net, 1\" ;x"]),
    (
        "P-Access-Network-Info",
        "3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=0010112E;network-provided, ADSL2+;dsl-location=\"a,b\"",
        &["3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=0010112E;network-provided", "ADSL2+;dsl-location=\"a,b\""],
    ),
    (
        "P-Charging-Function-Addresses",
        "ccf=192.0.2.1; ccf-2=[2001:db8::1], ecf=b",
        &["ccf=192.0.2.1; ccf-2=[2001:db8::1]", "ecf=b"],
    ),
    (
        "P-Charging-Vector",
        "icid-value = 1a;icid-generated-at=192.0.2.6",
        &["icid-value = 1a;icid-generated-at=192.0.2.6"],
    ),
    (
        "P-Charging-Vector",
        "icid-value=\"a;b\";transit-ioi=\"n1.1, void\"",
        &["icid-value=\"a;b\";transit-ioi=\"n1.1, void\""],
    ),
    ("Resource-Priority", "dsn.flash , wps.3", &["dsn.flash", "wps.3"]),
    ("Accept-Resource-Priority", "q735.0", &["q735.0"]),
    ("Accept-Resource-Priority", "", &[]),
    ("P-Early-Media", "supported,gated", &["supported, gated"]),
    ("P-Early-Media", "", &[""]),
    ("P-Served-User", "<sip:u@h>; sescase=term; regstate=Unreg", &["<sip:u@h>; sescase=term; regstate=Unreg"]),
    ("P-Served-User", "sip:u@h;orig-cdiv", &["<sip:u@h>;orig-cdiv"]),
    ("P-DCS-Trace-Party-ID", "<sip:a@b>;timestamp=3434.5;x", &["<sip:a@b>;timestamp=3434.5;x"]),
    // Folds are not kept in what outlives its message.
    ("P-Called-Party-ID", "<sip:a@b>;\r\n x=1", &["<sip:a@b>; x=1"]),
    ("P-Charging-Vector", "icid-value=1;\r\n\torig-ioi=a", &["icid-value=1; orig-ioi=a"]),
    ("P-Visited-Network-ID", "\"a\r\n b\"", &["\"a b\""]),
    ("P-DCS-Redirect", "\"sip:a@b\";\r\n count=3", &["\"sip:a@b\"; count=3"]),
    ("P-DCS-OSPS", "BLV", &["BLV"]),
    (
        "P-DCS-Billing-Info",
        "51EF/a1@rks.example;rksgroup=g;charge=\"tel:+1\";jip=\"212555;jip-context=+1\"",
        &["51EF/a1@rks.example;rksgroup=g;charge=\"tel:+1\";jip=\"212555;jip-context=+1\""],
    ),
    (
        "P-DCS-LAES",
        "[2001:db8::1]:6000;content=h.example:7;bcid=0F;cccid=1",
        &["[2001:db8::1]:6000;content=h.example:7;bcid=0F;cccid=1"],
    ),
    (
        "P-DCS-Redirect",
        "\"sip:a@b\";redirector-uri=\"tel:1\";count=3",
        &["\"sip:a@b\";redirector-uri=\"tel:1\";count=3"],
    ),
    ("P-Asserted-Service", "urn:urn-7:3gpp-service.ims.icsi.mmtel", &["urn:urn-7:3gpp-service.ims.icsi.mmtel"]),
    ("P-Preferred-Service", "urn:urn-7:a.b, URN:urn-7:c", &["urn:urn-7:a.b", "URN:urn-7:c"]),
    (
        "Policy-Contact",
        "<sip:p@h>;non-cacheable;alt-uri=p.example , <http://h/x?y>",
        &["<sip:p@h>;non-cacheable;alt-uri=p.example", "<http://h/x?y>"],
    ),
    ("Policy-ID", "sip:p@h;token=t1, http://h/x", &["sip:p@h;token=t1", "http://h/x"]),
    (
        "History-Info",
        "<sip:a@h?Reason=SIP%3Bcause%3D302>;index=1,\r\n <sip:b@h?Privacy=history>;index=1.10;mp=1",
        &["<sip:a@h?Reason=SIP%3Bcause%3D302>;index=1", "<sip:b@h?Privacy=history>;index=1.10;mp=1"],
    ),
    ("P-Private-Network-Indication", "net.example;x=1", &["net.example;x=1"]),
    ("P-Profile-Key", "<sip:chatroom-!.*!@a.example>;x", &["<sip:chatroom-!.*!@a.example>;x"]),
    ("P-User-Database", "<aaa://h.example;transport=tcp>;x", &["<aaa://h.example;transport=tcp>;x"]),
    (
        "P-Refused-URI-List",
        "sip:l@h;members=\"cid:an3@h\", <sip:m@h>",
        &["<sip:l@h>;members=\"cid:an3@h\"", "<sip:m@h>"],
    ),
    ("P-Answer-State", "Unconfirmed;x", &["Unconfirmed;x"]),
    ("P-Charge-Info", "<sip:+1@h;npi=isdn>", &["<sip:+1@h;npi=isdn>"]),
    ("AlertMsg-Error", "100;message=\"Bad, \\\"alert\\\"\"", &["100;message=\"Bad, \\\"alert\\\"\""]),
];

const BAD: &[Bad] = &[
    ("P-Media-Authorization", "", 0),
    ("P-Media-Authorization", "0a,", 3),
    ("P-Media-Authorization", "0a,xy", 3),
    ("P-Media-Authorization", "0ag", 2),
    ("P-Asserted-Identity", "", 0),
    ("P-Asserted-Identity", "<sip:a@b>;x=1", 9),
    ("P-Asserted-Identity", "mailto:a@b", 0),
    ("P-Asserted-Identity", "<sip:a@b>, <http://a>", 12),
    ("P-Preferred-Identity", "<sip:a@b> <sip:c@d>", 10),
    ("P-Associated-URI", "sip:a@b", 0),
    ("P-Associated-URI", "<sip:a@b>,", 10),
    ("P-Called-Party-ID", "sip:a@b", 0),
    ("P-Called-Party-ID", "<sip:a>, <sip:b>", 7),
    ("P-Visited-Network-ID", "a b", 2),
    ("P-Visited-Network-ID", "\"a", 0),
    ("P-Visited-Network-ID", "a,,b", 2),
    ("P-Access-Network-Info", ";cgi-3gpp=1", 0),
    ("P-Access-Network-Info", "X;cgi-3gpp", 1),
    ("P-Access-Network-Info", "X;local-time-zone=1", 18),
    ("P-Charging-Function-Addresses", "", 0),
    ("P-Charging-Function-Addresses", "ccf", 0),
    ("P-Charging-Function-Addresses", "ccf=", 4),
    ("P-Charging-Function-Addresses", "ccf=a,;", 6),
    ("P-Charging-Vector", "orig-ioi=a;icid-value=1", 0),
    ("P-Charging-Vector", "icid-value=1;icid-generated-at=a:b", 31),
    ("P-Charging-Vector", "icid-value=1;transit-ioi=a.1", 25),
    ("P-Charging-Vector", "icid-value=1;transit-ioi=\"a.1,b\"", 30),
    ("P-Charging-Vector", "icid-value=1, icid-value=2", 12),
    ("Resource-Priority", "", 0),
    ("Resource-Priority", "dsn", 3),
    ("Resource-Priority", "dsn.", 4),
    ("Resource-Priority", "dsn.a.b", 5),
    ("Accept-Resource-Priority", "dsn.a,", 6),
    ("P-Early-Media", "gated,", 6),
    ("P-Early-Media", "gated;x", 5),
    ("P-Served-User", "<sip:u@h>;sescase=both", 18),
    ("P-Served-User", "<sip:u@h>;regstate", 0),
    ("P-DCS-Trace-Party-ID", "sip:a@b", 0),
    ("P-DCS-Trace-Party-ID", "<sip:a>;timestamp=1.", 18),
    ("P-DCS-Trace-Party-ID", "<sip:a>;timestamp=1.2.3", 18),
    ("P-DCS-OSPS", "BLV EI", 4),
    ("P-DCS-Billing-Info", "51EF", 4),
    ("P-DCS-Billing-Info", "51EF/a1", 7),
    ("P-DCS-Billing-Info", "0000000000000000000000000000000000000000000000001/a1@h", 0),
    ("P-DCS-Billing-Info", "1/2@h:5", 4),
    ("P-DCS-Billing-Info", "1/2@h;charge=a", 13),
    ("P-DCS-Billing-Info", "1/2@h;charge=\"a\"", 15),
    ("P-DCS-Billing-Info", "1/2@h;jip=\"1\"", 10),
    ("P-DCS-LAES", "h:0", 2),
    ("P-DCS-LAES", "h;bcid=x", 7),
    ("P-DCS-LAES", "h;cccid=123456789", 8),
    ("P-DCS-LAES", "h;content=h:99999", 12),
    ("P-DCS-Redirect", "sip:a", 0),
    ("P-DCS-Redirect", "\"\"", 1),
    ("P-DCS-Redirect", "\"sip:a\";count=x", 14),
    ("P-Asserted-Service", "urn:service:sos", 0),
    ("P-Asserted-Service", "urn:urn-7:", 10),
    ("P-Asserted-Service", "urn:urn-7:a..b", 12),
    ("P-Asserted-Service", "urn:urn-7:aaaaaaaaaaaaaaaaaaaaaaaaaaaa", 10),
    ("P-Preferred-Service", "urn:urn-7:a_b", 11),
    ("Policy-Contact", "sip:p@h", 0),
    ("Policy-Contact", "\"P\" <sip:p@h>", 0),
    ("Policy-Contact", "<sip:p@h>;alt-uri=192.0.2.1", 18),
    ("Policy-ID", "<sip:p@h>", 0),
    ("Policy-ID", "sip:p@h;token", 7),
    ("History-Info", "sip:a@h;index=1", 0),
    ("History-Info", "<sip:a@h>;index=1.", 16),
    ("History-Info", "<sip:a@h>;index=1;rc=01", 21),
    ("P-Private-Network-Indication", "192.0.2.1", 0),
    ("P-Private-Network-Indication", "a@b", 1),
    ("P-User-Database", "<sip:a>", 0),
    ("P-User-Database", "aaa://h", 0),
    ("P-Refused-URI-List", "<sip:l>;members=cid", 16),
    ("P-Answer-State", "", 0),
    ("P-Charge-Info", "<sip:a>;npi=1", 7),
    ("AlertMsg-Error", "10", 0),
    ("AlertMsg-Error", "1000", 0),
    ("AlertMsg-Error", "100;message=a", 12),
    ("AlertMsg-Error", "100, 101", 3),
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
    let group = HeaderId::all().filter(|id| {
        let name = id.as_str();
        name.starts_with("P-") || name.starts_with("Policy-") || name.ends_with("Resource-Priority")
    });
    for id in group.chain([HeaderId::HistoryInfo, HeaderId::AlertMsgError]) {
        assert!(is_tried(id, GOOD.iter().map(|(name, ..)| *name)), "{id} has no good value");
        let is_bad = is_tried(id, BAD.iter().map(|(name, ..)| *name));
        assert!(is_bad || id == HeaderId::PProfileKey, "{id} has no bad one");
    }
}

/// Hands the first value to a check, read from a message.
fn first<H>(name: &str, value: &str, check: impl FnOnce(H))
where
    H: for<'a> FromMessage<'a>,
{
    check(H::from_message(&message(name, value)));
}

/// An owned value out of a message, by way of the borrowed one.
trait FromMessage<'a> {
    fn from_message(message: &'a Message) -> Self;
}

macro_rules! from_message {
    ($($name:ident)*) => {$(
        impl<'a> FromMessage<'a> for $name {
            fn from_message(message: &'a Message) -> $name {
                fn read<'a, H: Decode<'a> + ToOwnedText + 'a>(message: &'a Message) -> H::Owned {
                    message.get::<H>().unwrap().unwrap().to_owned_text()
                }
                read::<$name<&[u8]>>(message)
            }
        }
    )*};
}

from_message!(AlertMsgError PAccessNetworkInfo PAssertedIdentity PChargingFunctionAddresses PChargingVector PDcsBillingInfo PDcsLaes);
from_message!(PDcsRedirect PDcsTracePartyId PEarlyMedia PRefusedUriList PServedUser PVisitedNetworkId PolicyContact PolicyId);
from_message!(ResourcePriority);

#[test]
fn values_say_what_they_hold() {
    first("P-Asserted-Identity", "\"A\" <tel:+1>", |id: PAssertedIdentity| {
        assert_eq!(id.address.display_name.as_deref(), Some(&b"\"A\""[..]));
        assert!(id.address.uri.as_sip().is_none());
    });
    first("P-Served-User", "<sip:u@h>;sescase=orig;regstate=reg", |user: PServedUser| {
        assert_eq!((user.session_case(), user.registration_state()), (Some(&b"orig"[..]), Some(&b"reg"[..])));
        assert!(!user.is_diverted());
    });
    first("P-Access-Network-Info", "IEEE-802.11;i-wlan-node-id=00aa;network-provided", |access: PAccessNetworkInfo| {
        assert_eq!((&*access.access, access.i_wlan_node_id()), (&b"IEEE-802.11"[..], Some(&b"00aa"[..])));
        assert!(access.is_network_provided() && access.cgi_3gpp().is_none());
    });
    first(
        "P-Charging-Vector",
        "icid-value=1;orig-ioi=a;term-ioi=b;transit-ioi=\"x.1,void\"",
        |vector: PChargingVector| {
            assert_eq!((vector.icid_value(), vector.terminating_operator()), (Some(&b"1"[..]), Some(&b"b"[..])));
            assert_eq!(vector.transit_operators().collect::<Vec<_>>(), [&b"x.1"[..], b"void"]);
        },
    );
    first("P-Charging-Function-Addresses", "ecf=a;ecf-2=b", |addresses: PChargingFunctionAddresses| {
        assert_eq!((addresses.ccf(), addresses.ecf(), addresses.ecf_2()), (None, Some(&b"a"[..]), Some(&b"b"[..])));
    });
    first("P-Visited-Network-ID", "\"Net \\\"1\\\"\"", |network: PVisitedNetworkId| {
        assert_eq!(network.network_text().as_ref(), b"Net \"1\"");
    });
    first("Resource-Priority", "DSN.Flash", |priority: ResourcePriority| assert!(priority.is("dsn", "flash")));
    first("P-Early-Media", "Supported, gated", |media: PEarlyMedia| {
        assert!(media.contains("supported") && !media.contains("sendrecv"));
    });
    first("P-DCS-Trace-Party-ID", "<sip:a>;timestamp=7", |party: PDcsTracePartyId| {
        assert_eq!(party.timestamp(), Some(&b"7"[..]));
    });
    first("P-DCS-Billing-Info", "1F / 2@h.example;called=\"sip:a@b\"", |info: PDcsBillingInfo| {
        assert_eq!(
            (&*info.correlation_id, &*info.element_id, &*info.element_host),
            (&b"1F"[..], &b"2"[..], &b"h.example"[..])
        );
        assert_eq!(info.called(), Some(&b"\"sip:a@b\""[..]));
    });
    first("P-DCS-LAES", "h:7;cccid=9", |laes: PDcsLaes| {
        assert_eq!((laes.port, laes.content_connection_id()), (Some(7), Some(&b"9"[..])));
    });
    first("P-DCS-Redirect", "\"tel:1\";count=4294967295", |redirect: PDcsRedirect| {
        assert_eq!((redirect.called_uri().as_ref(), redirect.count()), (&b"tel:1"[..], Some(u32::MAX)));
    });
    first("Policy-Contact", "<sip:p@h>;non-cacheable", |contact: PolicyContact| assert!(contact.is_non_cacheable()));
    first("Policy-ID", "sip:p@h;token=t", |id: PolicyId| assert_eq!(id.token(), Some(&b"t"[..])));
    first("P-Refused-URI-List", "<sip:l>;members=\"CID:1@h\"", |list: PRefusedUriList| {
        assert_eq!(list.members_content_id().as_deref(), Some(&b"1@h"[..]));
    });
    first("AlertMsg-Error", "102;message=\"x\"", |error: AlertMsgError| {
        assert_eq!((error.number(), error.message()), (Some(102), Some(&b"\"x\""[..])));
    });
}

#[test]
fn the_history_of_a_request_is_a_tree() {
    let message = message(
        "History-Info",
        "<sip:bob@h>;index=1, <sip:bob@h;p=x>;index=1.1;np=1, <sip:bob@192.0.2.3?Reason=SIP%3Bcause%3D486&Privacy=history>;index=1.1.1;rc=1.1",
    );
    let entries: Vec<HistoryInfo<&[u8]>> = message.values().collect::<Result<_, _>>().unwrap();
    assert!(entries.is_sorted_by(|a, b| a.cmp_index(b) == Ordering::Less));
    let [first, same, contact] = &entries[..] else { panic!("three entries") };
    assert_eq!((first.retargeting(), same.retargeting()), (None, Some(Retargeting::NotChanged(b"1"))));
    assert_eq!(contact.retargeting(), Some(Retargeting::ResolvedContact(b"1.1")));
    assert_eq!(contact.reason().as_deref(), Some(&b"SIP;cause=486"[..]));
    assert_eq!(contact.privacy().as_deref(), Some(&b"history"[..]));
    assert_eq!(first.reason(), None);
}

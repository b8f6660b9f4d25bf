//! Every rule of RFC 3261, Section 10.3 by name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use bytes::Bytes;
use ringback_base::Millis;
use ringback_message::{Message, Request, StatusCode};
use std::boxed::Box;
use std::format;
use std::string::{String, ToString};
use std::vec;

use crate::binding::contact_values;
use crate::refusal::Limit;
use crate::registration::{CONTACTS_PER_REQUEST_MAX, PATH_BYTES_MAX, PATH_VALUES_MAX, USER_AGENT_BYTES_MAX};

fn request(call_id: &str, cseq: u32, fields: &[&str]) -> Request {
    let mut text = format!(
        "REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:u@h>;tag=1\r\nTo: <sip:u@h>\r\n\
         Call-ID: {call_id}\r\nCSeq: {cseq} REGISTER\r\n"
    );
    for field in fields {
        text.push_str(field);
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    Request::check(Message::parse(Bytes::from(text)).unwrap()).unwrap()
}

fn read(fields: &[&str]) -> Result<Registration, Refusal> {
    Registration::read(&request("c1", 1, fields))
}

fn at(secs: u64) -> Now {
    Now { unix: Millis::from_secs(secs), ..Now::default() }
}

/// A registrar's memory of one user, at one moment.
struct Table {
    rows: Vec<Binding>,
    now: Now,
    policy: Policy,
}

impl Table {
    fn new() -> Table {
        Table { rows: Vec::new(), now: at(1_000_000), policy: Policy::default() }
    }

    fn apply(&self, call_id: &str, cseq: u32, fields: &[&str]) -> Result<Update, Refusal> {
        Registration::read(&request(call_id, cseq, fields))?.apply(&self.rows, self.now, None, &self.policy)
    }

    /// Registers, keeps the rows, and tells what a 200 would list.
    fn register(&mut self, call_id: &str, cseq: u32, fields: &[&str]) -> Vec<String> {
        self.rows = self.apply(call_id, cseq, fields).unwrap().rows().to_vec();
        self.listed()
    }

    fn refused(&self, call_id: &str, cseq: u32, fields: &[&str]) -> Refusal {
        self.apply(call_id, cseq, fields).unwrap_err()
    }

    fn listed(&self) -> Vec<String> {
        contact_values(&self.rows, self.now).map(|value| String::from_utf8(value).unwrap()).collect()
    }
}

#[test]
fn the_parameter_counts_before_the_header_field_and_that_before_the_default() {
    let mut table = Table::new();
    let listed = table.register("c1", 1, &["Contact: <sip:a@x>;expires=100, <sip:b@x>", "Expires: 200"]);
    assert_eq!(listed, ["<sip:a@x>;expires=100", "<sip:b@x>;expires=200"]);
    assert_eq!(Table::new().register("c1", 1, &["Contact: <sip:a@x>"]), ["<sip:a@x>;expires=3600"]);
}

#[test]
fn malformed_intervals_count_as_an_hour() {
    for field in
        ["Contact: <sip:a@x>;expires=soon", "Contact: <sip:a@x>;expires", "Contact: <sip:a@x>;expires=\"Thu, 01 Dec\""]
    {
        assert_eq!(Table::new().register("c1", 1, &[field, "Expires: 100"]), ["<sip:a@x>;expires=3600"], "{field}");
    }
    for expires in ["Expires: -1", "Expires: 1 day", "Expires:"] {
        let mut table = Table::new();
        assert_eq!(table.register("c1", 1, &["Contact: <sip:a@x>", expires]), ["<sip:a@x>;expires=3600"], "{expires}");
        assert_eq!(table.refused("c2", 1, &["Contact: *", expires]), Refusal::WildcardWithoutZero);
    }
}

#[test]
fn too_long_an_interval_is_shortened() {
    for field in ["Contact: <sip:a@x>;expires=7201", "Contact: <sip:a@x>;expires=99999999999999999999"] {
        assert_eq!(Table::new().register("c1", 1, &[field]), ["<sip:a@x>;expires=7200"]);
    }
    assert_eq!(
        Table::new().register("c1", 1, &["Contact: <sip:a@x>", "Expires: 99999999999"]),
        ["<sip:a@x>;expires=7200"]
    );
}

#[test]
fn too_short_an_interval_is_refused_with_the_minimum_and_nothing_is_kept() {
    let table = Table::new();
    let refusal = table.refused("c1", 1, &["Contact: <sip:a@x>;expires=600, <sip:b@x>;expires=59"]);
    assert_eq!(refusal.status(), StatusCode::IntervalTooBrief);
    assert_eq!(refusal.header(), Some((HeaderId::MinExpires, "60".to_string())));
    assert_eq!(refusal.reason(), "Interval Too Brief");
}

#[test]
fn bindings_are_added_updated_and_removed() {
    let mut table = Table::new();
    table.register("c1", 1, &["Contact: <sip:a@x>;q=0.7, <sip:b@x>"]);
    table.now = at(1_000_100);
    let listed = table.register("c1", 2, &["Contact: <sip:a@x>;q=0.1;expires=600", "Contact: <sip:c@x>"]);
    assert_eq!(listed, ["<sip:a@x>;q=0.1;expires=600", "<sip:b@x>;expires=3500", "<sip:c@x>;expires=3600"]);
    assert_eq!((table.rows[0].cseq, table.rows[1].cseq, table.rows[2].cseq), (2, 1, 2));
    assert_eq!(table.rows[0].updated_at, at(1_000_100).unix);
    let listed = table.register("c1", 3, &["Contact: <sip:b@x>;expires=0, <sip:nobody@x>;expires=0"]);
    assert_eq!(listed, ["<sip:a@x>;q=0.1;expires=600", "<sip:c@x>;expires=3600"]);
    assert_eq!(table.register("c1", 4, &["Contact: <sip:a@x>, <sip:c@x>", "Expires: 0"]), Vec::<String>::new());
}

#[test]
fn fetching_lists_what_is_live_and_changes_nothing() {
    let mut table = Table::new();
    table.register("c1", 1, &["Contact: <sip:a@x>;expires=100, <sip:b@x>;expires=200"]);
    table.now = at(1_000_150);
    for fields in [&[][..], &["Expires: 0"]] {
        let Update::Unchanged(rows) = table.apply("c1", 1, fields).unwrap() else {
            panic!("a fetch changed something")
        };
        assert_eq!(contact_values(&rows, table.now).collect::<Vec<_>>(), [b"<sip:b@x>;expires=50"]);
    }
    assert!(read(&[]).unwrap().is_fetch());
    assert!(!read(&["Contact: <sip:a@x>"]).unwrap().is_fetch());
}

#[test]
fn removing_what_is_not_there_changes_nothing() {
    let mut table = Table::new();
    assert_eq!(table.apply("c1", 1, &["Contact: *", "Expires: 0"]), Ok(Update::Unchanged(vec![])));
    table.register("c1", 1, &["Contact: <sip:a@x>"]);
    let update = table.apply("c1", 2, &["Contact: <sip:b@x>;expires=0"]).unwrap();
    assert!(matches!(update, Update::Unchanged(rows) if rows.len() == 1));
}

#[test]
fn the_wildcard_removes_all() {
    let mut table = Table::new();
    table.register("c1", 1, &["Contact: <sip:a@x>, <sip:b@x>"]);
    assert_eq!(table.apply("c2", 1, &["Contact: *", "Expires: 0"]), Ok(Update::Changed(vec![])));
    assert_eq!(table.apply("c1", 2, &["m: *", "Expires: 00"]), Ok(Update::Changed(vec![])));
}

#[test]
fn the_wildcard_stands_alone_and_with_zero_only() {
    for (fields, expected) in [
        (&["Contact: *"][..], Refusal::WildcardWithoutZero),
        (&["Contact: *", "Expires: 1"], Refusal::WildcardWithoutZero),
        (&["Contact: *", "Contact: <sip:a@x>", "Expires: 0"], Refusal::WildcardNotAlone),
        (&["Contact: *", "Contact: *", "Expires: 0"], Refusal::WildcardNotAlone),
    ] {
        assert_eq!(read(fields), Err(expected.clone()), "{fields:?}");
        assert_eq!(expected.status(), StatusCode::BadRequest);
    }
    for fields in [
        ["Contact: *, <sip:a@x>", "Expires: 0"],
        ["Contact: *;expires=0", "Expires: 0"],
        ["Contact: <*>", "Expires: 0"],
    ] {
        let refusal = read(&fields).unwrap_err();
        assert_eq!((refusal.status(), &*refusal.reason()), (StatusCode::BadRequest, "Malformed Contact"), "{fields:?}");
    }
}

#[test]
fn the_wildcard_obeys_the_order_of_cseq_per_call_id() {
    let mut table = Table::new();
    table.register("c2", 9, &["Contact: <sip:b@x>"]);
    table.register("c1", 5, &["Contact: <sip:a@x>"]);
    for cseq in [4, 5] {
        let refusal = table.refused("c1", cseq, &["Contact: *", "Expires: 0"]);
        assert_eq!((refusal.status().as_u16(), refusal), (500, Refusal::CSeqOutOfOrder { stored: 5 }));
    }
    assert_eq!(table.apply("c1", 6, &["Contact: *", "Expires: 0"]), Ok(Update::Changed(vec![])));
}

#[test]
fn an_old_cseq_of_the_same_call_id_refuses_the_whole_request() {
    let mut table = Table::new();
    table.register("c1", 5, &["Contact: <sip:a@x>"]);
    for cseq in [1, 4, 5] {
        for field in ["Contact: <sip:a@x>", "Contact: <sip:b@x>, <sip:a@x>;expires=0"] {
            assert_eq!(table.refused("c1", cseq, &[field]), Refusal::CSeqOutOfOrder { stored: 5 });
        }
    }
    assert_eq!(table.register("c1", 6, &["Contact: <sip:a@x>;expires=0"]), Vec::<String>::new());
}

#[test]
fn another_call_id_updates_whatever_its_cseq() {
    let mut table = Table::new();
    table.register("c1", 5, &["Contact: <sip:a@x>"]);
    assert_eq!(table.register("c2", 1, &["Contact: <sip:a@x>;expires=60"]), ["<sip:a@x>;expires=60"]);
    assert_eq!((&*table.rows[0].call_id, table.rows[0].cseq), (&b"c2"[..], 1));
    assert_eq!(table.register("c3", 1, &["Contact: <sip:a@x>;expires=0"]), Vec::<String>::new());
}

#[test]
fn a_binding_that_ran_out_counts_for_nothing() {
    let mut table = Table::new();
    table.register("c1", 5, &["Contact: <sip:a@x>;expires=60"]);
    table.now = at(1_000_060);
    assert_eq!(table.register("c1", 5, &["Contact: <sip:b@x>"]), ["<sip:b@x>;expires=3600"]);
    assert_eq!(table.rows.len(), 1);
}

#[test]
fn equal_contacts_are_one_binding_and_the_newer_text_stays() {
    let mut table = Table::new();
    table.register("c1", 1, &["Contact: <sip:%61@X;transport=UDP>"]);
    assert_eq!(
        table.register("c1", 2, &["Contact: <sip:a@x;Transport=udp>"]),
        ["<sip:a@x;Transport=udp>;expires=3600"]
    );
    let listed = table.register("c1", 3, &["Contact: <sip:A@x;transport=udp>, <sip:a@x>, <sip:a@x:5060>, <sips:a@x>"]);
    assert_eq!(listed.len(), 5);
}

#[test]
fn of_equal_contacts_in_one_request_the_last_counts() {
    let listed = Table::new().register("c1", 1, &["Contact: <sip:a@x>;expires=100, <sip:b@x>, <sip:a@x>;expires=200"]);
    assert_eq!(listed, ["<sip:a@x>;expires=200", "<sip:b@x>;expires=3600"]);
    let listed = Table::new().register("c1", 1, &["Contact: <sip:a@x>, <sip:a@x>;expires=0"]);
    assert_eq!(listed, Vec::<String>::new());
    let mut table = Table::new();
    table.register("c1", 1, &["Contact: <sip:a@x>"]);
    assert_eq!(table.register("c1", 2, &["Contact: <sip:a@x>;expires=0, <sip:a@x>"]), ["<sip:a@x>;expires=3600"]);
}

#[test]
fn a_contact_that_equals_several_rows_replaces_them_all() {
    let mut table = Table::new();
    table.register("c1", 1, &["Contact: <sip:a@x;security=on>, <sip:b@x>, <sip:a@x;security=off>"]);
    assert_eq!(table.rows.len(), 3);
    assert_eq!(table.register("c1", 2, &["Contact: <sip:a@x>"]), ["<sip:a@x>;expires=3600", "<sip:b@x>;expires=3600"]);
}

#[test]
fn the_number_of_bindings_is_bounded() {
    let mut table = Table::new();
    table.policy.bindings_per_aor_max = 2;
    table.register("c1", 1, &["Contact: <sip:a@x>, <sip:b@x>"]);
    let refusal = table.refused("c1", 2, &["Contact: <sip:c@x>"]);
    assert_eq!((refusal.status(), refusal), (StatusCode::Forbidden, Refusal::TooManyBindings { max: 2 }));
    assert_eq!(table.register("c1", 2, &["Contact: <sip:c@x>, <sip:a@x>;expires=0"]).len(), 2);
    table.policy.bindings_per_aor_max = 1;
    assert_eq!(table.register("c1", 3, &["Contact: <sip:c@x>;expires=60"])[1], "<sip:c@x>;expires=60");
}

#[test]
fn the_number_of_contacts_in_one_request_is_bounded() {
    let contacts = |count: usize| {
        let all: Vec<String> = (0..count).map(|n| format!("<sip:a{n}@x>;expires=0")).collect();
        format!("Contact: {}", all.join(","))
    };
    assert!(read(&[&contacts(CONTACTS_PER_REQUEST_MAX)]).is_ok());
    let refusal = read(&[&contacts(CONTACTS_PER_REQUEST_MAX + 1)]).unwrap_err();
    assert_eq!((refusal.status(), &*refusal.reason()), (StatusCode::Forbidden, "Too Many Contacts"));
}

#[test]
fn what_is_stored_is_bounded() {
    let table = Table::new();
    let long = "a".repeat(1_024);
    let refusal = table.refused("c1", 1, &[&format!("Contact: <sip:{long}@x>")]);
    assert_eq!((refusal.status(), &*refusal.reason()), (StatusCode::Forbidden, "Contact Too Long"));
    assert_eq!(table.refused("c1", 1, &[&format!("Contact: <sip:a@x>;p={long}")]), refusal);
    assert_eq!(table.refused(&long, 1, &["Contact: <sip:a@x>"]).reason(), "Call-ID Too Long");
    let path = format!("Path: <sip:{long}@x;lr>, <sip:{long}@y;lr>");
    assert_eq!(table.refused("c1", 1, &["Contact: <sip:a@x>", &path]).reason(), "Path Too Long");
    let many = format!("Path: {}", ["<sip:x;lr>"; 17].join(","));
    assert_eq!(table.refused("c1", 1, &["Contact: <sip:a@x>", &many]).reason(), "Too Many Path Values");
    let mut table = Table::new();
    table.register("c1", 1, &["Contact: <sip:a@x>", &format!("User-Agent: {long}")]);
    assert_eq!(table.rows[0].user_agent.as_ref().unwrap().len(), USER_AGENT_BYTES_MAX);
}

#[test]
fn a_refusal_names_the_limit_that_was_reached() {
    let mut table = Table::new();
    table.policy.bindings_per_aor_max = 1;
    let a = |length: usize| "a".repeat(length);
    let contact = |length: usize| format!("Contact: <sip:{}>", a(length - "sip:".len()));
    let contacts = |count: usize| format!("Contact: {}", vec!["<sip:a@x>;expires=0"; count].join(","));
    let path = |length: usize| format!("Path: <{};lr>", a(length).replacen("aaaa", "sip:", 1));
    let paths = |count: usize| format!("Path: {}", vec!["<sip:x;lr>"; count].join(","));
    let bindings = |count: usize| (0..count).map(|n| format!("Contact: <sip:{n}@x>")).collect::<Vec<_>>().join("\r\n");
    let max = table.policy.contact_bytes_max;
    let c1 = |field| (a(1), field);
    for (within, beyond, limit) in [
        ((a(512), contact(9)), (a(513), contact(9)), Limit::CallIdBytes),
        (c1(contact(max)), c1(contact(max + 1)), Limit::ContactBytes),
        (c1(contacts(CONTACTS_PER_REQUEST_MAX)), c1(contacts(CONTACTS_PER_REQUEST_MAX + 1)), Limit::ContactsPerRequest),
        (c1(path(PATH_BYTES_MAX - 5)), c1(path(PATH_BYTES_MAX - 4)), Limit::PathBytes),
        (c1(paths(PATH_VALUES_MAX)), c1(paths(PATH_VALUES_MAX + 1)), Limit::PathValues),
        (c1(bindings(1)), c1(bindings(2)), Limit::BindingsPerAor),
    ] {
        assert!(table.apply(&within.0, 1, &[&within.1]).is_ok(), "{within:?}");
        assert_eq!(table.refused(&beyond.0, 1, &[&beyond.1]).limit(), Some(limit), "{beyond:?}");
    }
    assert_eq!(table.refused("c1", 1, &["Contact: *"]).limit(), None);
}

#[test]
fn parameters_stay_where_they_stood() {
    for (field, listed) in [
        ("Contact: sip:+1@x;unknownparam", "<sip:+1@x>;expires=3600;unknownparam"),
        ("Contact: <sip:+1@x;unknownparam>", "<sip:+1@x;unknownparam>;expires=3600"),
        ("M: <sip:u@x?Route=%3Csip:y%3E>", "<sip:u@x?Route=%3Csip:y%3E>;expires=3600"),
        (
            "m: \"U\" <SIP:u@x> ;\r\n Q = 0.5; +sip.instance=\"<urn:uuid:0,1;2>\" ; EXPIRES=60;reg-id=1",
            "<sip:u@x>;q=0.5;expires=60;+sip.instance=\"<urn:uuid:0,1;2>\";reg-id=1",
        ),
        ("Contact: <tel:+358-555-1234567>", "<tel:+358-555-1234567>;expires=3600"),
        ("Contact: <sip:%00@x>", "<sip:%00@x>;expires=3600"),
    ] {
        assert_eq!(Table::new().register("c1", 1, &[field]), [listed]);
    }
}

/// A flow of a device.
fn flow(uri: &str, reg_id: u32) -> String {
    format!("Contact: <{uri}>;+sip.instance=\"<urn:UUID:0000-A>\";reg-id={reg_id}")
}

const OUTBOUND: &str = "Supported: path, outbound";

#[test]
fn rfc5626_section_6_a_flow_is_known_by_its_device_and_number() {
    let mut table = Table::new();
    table.register("c1", 1, &[OUTBOUND, &flow("sip:a@x:1", 1)]);
    assert_eq!(table.register("c2", 1, &[OUTBOUND, &flow("sip:a@x:2", 2)]).len(), 2);
    // The same flow after a restart of the phone: another URI, another Call-ID, another case of what has none.
    let listed = table.register("c3", 1, &[OUTBOUND, &flow("sip:a@x:3", 1).replace("UUID:0000-A", "uuid:0000-a")]);
    assert_eq!(listed.len(), 2);
    assert!(listed[0].starts_with("<sip:a@x:3>") && listed[1].starts_with("<sip:a@x:2>"), "{listed:?}");
    assert!(table.rows.iter().all(Binding::is_flow));
    assert_eq!(table.rows[0].instance(), table.rows[1].instance());
    // What is no flow is another binding, even at the same URI.
    assert_eq!(table.register("c4", 1, &["Contact: <sip:a@x:3>"]).len(), 3);
    assert_eq!(table.register("c5", 1, &[OUTBOUND, &format!("{};expires=0", flow("sip:a@x:9", 2))]).len(), 2);
}

#[test]
fn rfc5626_section_6_what_the_first_hop_does_not_do_is_refused_or_ignored() {
    let edge = "Path: <sip:inner;lr>, <sip:token@edge;lr;ob>";
    let far = "Via: SIP/2.0/UDP b;branch=z9hG4bK2";
    let contact = &flow("sip:a@x", 1);
    // Through a proxy that says nothing, or something else.
    for fields in [&[far, OUTBOUND, contact][..], &[far, OUTBOUND, contact, "Path: <sip:edge;lr;ob>, <sip:first;lr>"]] {
        let refusal = read(fields).unwrap_err();
        assert_eq!(refusal.status(), StatusCode::FirstHopLacksOutboundSupport, "{fields:?}");
    }
    // Whoever does not ask for outbound is bound as ever, and told so by what is listed.
    let mut table = Table::new();
    let listed = table.register("c1", 1, &[far, contact]);
    assert!(!listed[0].contains("reg-id") && !table.rows[0].is_flow(), "{listed:?}");
    assert!(!read(&[far, contact]).unwrap().is_outbound());
    let registration = read(&[far, OUTBOUND, contact, edge]).unwrap();
    assert!(registration.is_outbound());
    assert_eq!(registration.path().collect::<Vec<_>>(), [&b"<sip:inner;lr>"[..], b"<sip:token@edge;lr;ob>"]);
    assert!(read(&[OUTBOUND, contact]).unwrap().is_outbound(), "we are the first hop");
    assert!(!read(&[contact]).unwrap().is_outbound(), "it doesn't say that it does");
    // Without a device it is the flow of nobody.
    assert!(!read(&[OUTBOUND, "Contact: <sip:a@x>;reg-id=1"]).unwrap().is_outbound());
}

#[test]
fn rfc5626_section_6_one_flow_at_a_time() {
    let two = [OUTBOUND, &flow("sip:a@x", 1), "Contact: <sip:b@x>"];
    assert_eq!(read(&two).unwrap_err(), Refusal::SeveralFlows);
    assert_eq!(Refusal::SeveralFlows.status(), StatusCode::BadRequest);
    assert!(read(&[OUTBOUND, &flow("sip:a@x", 1), "Contact: <sip:b@x>;expires=0"]).unwrap().is_outbound());
}

#[test]
fn no_line_break_is_kept() {
    let mut table = Table::new();
    let fields = ["Contact: <sip:a@x>;p=\"1 \r\n\t 2\"", "User-Agent: A\r\n B", "Path: <sip:p;lr>;x=\"y\r\n z\""];
    assert_eq!(table.register("c1", 1, &fields), ["<sip:a@x>;expires=3600;p=\"1 2\""]);
    assert_eq!(table.rows[0].user_agent.as_deref(), Some(&b"A B"[..]));
    assert_eq!(table.rows[0].path, [Box::from(&b"<sip:p;lr>;x=\"y z\""[..])]);
}

#[test]
fn where_it_came_from_is_kept() {
    let hop = Hop::udp("192.0.2.1:5060".parse().unwrap(), "198.51.100.7:40000".parse().unwrap());
    let registration = read(&["Contact: <sip:a@x>"]).unwrap();
    let update = registration.apply(&[], at(1), Some(hop), &Policy::default()).unwrap();
    assert_eq!(update.rows()[0].received, Some(hop));
}

#[test]
fn malformed_contacts_are_refused_by_name() {
    for field in [
        "Contact: sip:user@x?Route=%3Csip:y%3E",
        "Contact:",
        "Contact: <sip:a@x",
        "Contact: <sip:a@x>,",
        "Contact: <sip:a@x>;q=1.5",
        "Contact: <sip:a@x>;q=high",
        "Contact: <sip:a@x>;q",
        "Contact: a b c",
        // They are read, and can't be sent to others.
        "Contact: <sip:%zz@x>",
        "Contact: <sip:a@x>;x;X",
        "Contact: <sip:a@x;lr;lr>",
    ] {
        let refusal = read(&[field]).unwrap_err();
        assert_eq!((refusal.status(), &*refusal.reason()), (StatusCode::BadRequest, "Malformed Contact"), "{field}");
        assert!(refusal.to_string().starts_with("Contact, byte "), "{refusal}");
    }
    let refusal = read(&["Contact: <sip:a@x>", "Path: <sip:a@"]).unwrap_err();
    assert_eq!(refusal.reason(), "Malformed Path");
}

#[test]
fn schemes_that_we_can_do_nothing_with_are_refused() {
    for field in
        ["Contact: <name:John_Smith>", "Contact: <mailto:a@x>", "Contact: <http://x/>", "Contact: <sip:a@x>, <isbn:1>"]
    {
        assert_eq!(read(&[field]).unwrap_err().status(), StatusCode::BadRequest);
    }
}

#[test]
fn to_is_a_sip_uri_with_a_user() {
    let with_to = |to: &str| {
        let text = format!(
            "REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:u@h>;tag=1\r\nTo: {to}\r\nCall-ID: 1\r\n\
             CSeq: 1 REGISTER\r\n\r\n"
        );
        crate::Aor::of_to(&Request::check(Message::parse(Bytes::from(text)).unwrap()).unwrap(), "h")
    };
    assert_eq!(with_to("isbn:2983792873").unwrap_err().status(), StatusCode::BadRequest);
    assert_eq!(with_to("<tel:+1>").unwrap_err(), Refusal::ToScheme);
    assert_eq!(with_to("<sip:h>").unwrap_err().status(), StatusCode::NotFound);
    assert_eq!(with_to("\"U\" <sips:u@other;x=y>").unwrap().as_str(), "u@h");
}

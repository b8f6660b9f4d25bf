//! Properties of the registrar's rules and of the stored form, over drawn requests and rows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::net::{IpAddr, SocketAddr, SocketAddrV6};

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use ringback_base::{Hop, Millis, Now, Transport};
use ringback_location::{Binding, Policy, Registration, Update, contact_values, decode, encode};
use ringback_message::header::Qvalue;
use ringback_message::{Message, Request};

fn address() -> impl Strategy<Value = SocketAddr> {
    (any::<IpAddr>(), any::<u16>(), any::<u32>(), any::<u32>()).prop_map(|(ip, port, flow, scope)| match ip {
        IpAddr::V4(_) => SocketAddr::new(ip, port),
        IpAddr::V6(v6) => SocketAddr::V6(SocketAddrV6::new(v6, port, flow, scope)),
    })
}

fn hop() -> impl Strategy<Value = Hop> {
    let transport =
        prop::sample::select(vec![Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss]);
    (transport, address(), address()).prop_map(|(transport, local, remote)| Hop {
        transport,
        local,
        remote,
        flow: None,
    })
}

fn text() -> impl Strategy<Value = Box<[u8]>> {
    vec(any::<u8>(), 0..40).prop_map(Into::into)
}

prop_compose! {
    fn row()(contact in text(), params in text(), q in option::of(0..=1000_u16), call_id in text(), cseq: u32, expires_at: u64,
             updated_at: u64, received in option::of(hop()), path in vec(text(), 0..4), user_agent in option::of(text())) -> Binding {
        Binding {
            contact, params, q: q.and_then(Qvalue::from_thousandths), call_id, cseq, expires_at: Millis(expires_at),
            updated_at: Millis(updated_at), received, path, user_agent,
        }
    }
}

/// Contacts from a small set, so that they often meet, some of them equal by the rules and not by their bytes.
fn contact() -> impl Strategy<Value = String> {
    let uri = prop::sample::select(vec![
        "sip:a@x",
        "sip:%61@X",
        "sip:a@x;p=1",
        "sip:a@x;p=2",
        "sip:a@x:5060",
        "sips:a@x",
        "sip:b@x;transport=tcp",
        "sip:b@x;Transport=TCP",
        "sip:b@x",
        "tel:+1",
        "TEL:+1",
        "sip:x?h=1&g=2",
        "sip:x?g=2&h=1",
    ]);
    (uri, option::of(0..400_u32), option::of(0..=1000_u16)).prop_map(|(uri, expires, q)| {
        let expires = expires.map(|secs| format!(";expires={secs}")).unwrap_or_default();
        let q = q.map(|q| format!(";q={}.{:03}", q / 1000, q % 1000)).unwrap_or_default();
        format!("<{uri}>{q}{expires}")
    })
}

#[derive(Clone, Debug)]
struct Register {
    call_id: u8,
    cseq: u32,
    contacts: Vec<String>,
    expires: Option<u32>,
    after_secs: u64,
}

fn register() -> impl Strategy<Value = Register> {
    let contacts = prop_oneof![8 => vec(contact(), 0..4), 1 => Just(vec!["*".to_owned()])];
    (0..3_u8, 0..20_u32, contacts, option::of(0..200_u32), 0..150_u64).prop_map(
        |(call_id, cseq, contacts, expires, after_secs)| Register { call_id, cseq, contacts, expires, after_secs },
    )
}

fn request(register: &Register) -> Request {
    let mut text = format!(
        "REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:u@h>;tag=1\r\nTo: <sip:u@h>\r\n\
         Call-ID: {}\r\nCSeq: {} REGISTER\r\n",
        register.call_id, register.cseq
    );
    for contact in &register.contacts {
        text.push_str(&format!("Contact: {contact}\r\n"));
    }
    if let Some(secs) = register.expires {
        text.push_str(&format!("Expires: {secs}\r\n"));
    }
    text.push_str("\r\n");
    Request::check(Message::parse(Bytes::from(text)).unwrap()).unwrap()
}

fn equivalent(a: &Binding, b: &Binding) -> bool {
    a.uri().unwrap().equivalent(&b.uri().unwrap())
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(rows in vec(row(), 0..6)) {
        prop_assert_eq!(decode(&encode(&rows)).unwrap(), rows);
    }

    #[test]
    fn decoding_never_panics_and_never_reads_half(rows in vec(row(), 0..3), cut: prop::sample::Index, flip: prop::sample::Index, bits: u8) {
        let whole = encode(&rows);
        prop_assert!(decode(&whole[..cut.index(whole.len())]).is_err());
        let mut broken = whole;
        let at = flip.index(broken.len());
        broken[at] ^= bits;
        if let Ok(rows) = decode(&broken) {
            // Some number may be written longer than it must be, and no row set is read that can't be written.
            prop_assert_eq!(decode(&encode(&rows)).unwrap(), rows);
        }
    }

    #[test]
    fn decoding_of_anything_never_panics(bytes in vec(any::<u8>(), 0..200)) {
        let mut bytes = bytes;
        _ = decode(&bytes);
        bytes.insert(0, 1);
        _ = decode(&bytes);
    }

    #[test]
    fn rows_are_live_distinct_bounded_and_in_order(steps in vec(register(), 1..12)) {
        let policy = Policy { bindings_per_aor_max: 4, ..Policy::default() };
        let mut rows: Vec<Binding> = Vec::new();
        let mut now = Now { unix: Millis::from_secs(1_000), ..Now::default() };
        for step in &steps {
            now.unix = now.unix.plus_secs(step.after_secs);
            let before = rows.clone();
            let result = Registration::read(&request(step)).and_then(|registration| registration.apply(&rows, now, None, &policy));
            let Ok(update) = result else { continue };
            let after = update.rows().to_vec();
            if matches!(update, Update::Unchanged(_)) {
                let live: Vec<_> = before.iter().filter(|row| row.is_live(now)).cloned().collect();
                prop_assert_eq!(&after, &live);
            }
            prop_assert!(after.len() <= 4);
            for (i, row) in after.iter().enumerate() {
                prop_assert!(row.is_live(now));
                prop_assert!(row.remaining_secs(now) <= u64::from(policy.max_expires_secs));
                prop_assert!(after[..i].iter().all(|other| !equivalent(row, other)), "twice {:?}", row);
                // Whatever was replaced under its own Call-ID was older.
                for old in before.iter().filter(|old| old.is_live(now) && *old != row && old.call_id == row.call_id && equivalent(old, row)) {
                    prop_assert!(old.cseq < row.cseq);
                }
            }
            prop_assert_eq!(contact_values(&after, now).count(), after.len());
            rows = after;
        }
    }

    #[test]
    fn applying_twice_changes_nothing_or_is_refused(step in register(), setup in register()) {
        let (now, policy) = (Now { unix: Millis(5_000), ..Now::default() }, Policy::default());
        let rows = Registration::read(&request(&setup)).and_then(|r| r.apply(&[], now, None, &policy)).map(|u| u.rows().to_vec()).unwrap_or_default();
        let Ok(registration) = Registration::read(&request(&step)) else { return Ok(()) };
        let Ok(once) = registration.apply(&rows, now, None, &policy) else { return Ok(()) };
        match registration.apply(once.rows(), now, None, &policy) {
            Ok(twice) => prop_assert_eq!(twice.rows(), once.rows()),
            Err(refusal) => prop_assert_eq!(refusal.status().as_u16(), 500),
        }
    }
}

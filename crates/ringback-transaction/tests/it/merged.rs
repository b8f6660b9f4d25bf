//! The same request by several paths: `[RFC 3261, Section 8.2.2.2]`.

use ringback_base::{Now, Transport};
use ringback_message::{Response, StatusCode};
use ringback_transaction::{Config, Event, ServerId, Transactions};

use crate::script::{hop, layer, request};

const INVITE: &str = "INVITE sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP host.example;branch=z9hG4bKabc\r\n\
    From: <sip:alice@192.0.2.1>;tag=a\r\nTo: <sip:bob@192.0.2.2>\r\nCall-ID: 1@192.0.2.1\r\nCSeq: 1 INVITE\r\n\r\n";

fn comes(layer: &mut Transactions, text: &str) -> ServerId {
    layer.handle_request(request(text.as_bytes()), hop(Transport::Udp), Now::default());
    match layer.poll_event() {
        Some(Event::Request { id } | Event::Cancel { id, .. }) => id,
        other => panic!("{other:?} for\n{text}"),
    }
}

fn by_another_path(text: &str, path: usize) -> String {
    text.replace("z9hG4bKabc", &format!("z9hG4bK{path}"))
}

fn refuse(layer: &mut Transactions, id: ServerId) {
    let to = layer.server_request(id).unwrap();
    let response = Response::to(to, StatusCode::LoopDetected).to_tag("b").build().unwrap();
    layer.respond(id, response, Now::default()).unwrap();
}

/// Runs all timers out.
fn end(layer: &mut Transactions) {
    while let Some((at, _)) = layer.poll_timeout() {
        layer.handle_timeout(Now::default().after(at));
    }
    while layer.poll_event().is_some() || layer.poll_transmit().is_some() {}
}

#[test]
fn the_first_is_served_and_all_others_are_merged_until_the_last_has_ended() {
    let mut layer = layer(Config::default());
    let first = comes(&mut layer, INVITE);
    assert!(!layer.is_merged(first));
    let others = [2, 3].map(|path| comes(&mut layer, &by_another_path(INVITE, path)));
    assert!(others.into_iter().all(|id| layer.is_merged(id)));
    assert!(!layer.is_merged(first) && layer.is_merged(others[0]), "asked again, the same");
    // A repetition matches its transaction, and is none of a path of its own.
    layer.handle_request(request(INVITE.as_bytes()), hop(Transport::Udp), Now::default());
    assert_eq!((layer.poll_event(), layer.server_len()), (None, 3));
    // The first ends before the others: these are ongoing still.
    refuse(&mut layer, first);
    end(&mut layer);
    assert_eq!(layer.server_len(), 2);
    let late = comes(&mut layer, &by_another_path(INVITE, 4));
    assert!(layer.is_merged(late));
    for id in [others[0], others[1], late] {
        refuse(&mut layer, id);
    }
    end(&mut layer);
    assert!(layer.is_idle());
    let again = comes(&mut layer, INVITE);
    assert!(!layer.is_merged(again));
}

#[test]
fn what_differs_in_from_tag_call_id_or_cseq_is_another_request() {
    let mut layer = layer(Config::default());
    let first = comes(&mut layer, INVITE);
    assert!(!layer.is_merged(first));
    let other = by_another_path(INVITE, 2);
    for differs in [
        other.replace("tag=a", "tag=b"),
        other.replace(";tag=a", ""),
        other.replace("Call-ID: 1@", "Call-ID: 2@"),
        other.replace("CSeq: 1", "CSeq: 2"),
        other.replace("INVITE", "OPTIONS"),
    ] {
        let path = layer.server_len() + 10;
        let id = comes(&mut layer, &differs.replace("z9hG4bK2", &format!("z9hG4bK{path}")));
        assert!(!layer.is_merged(id), "{differs}");
    }
    // However its CSeq is written, and in whatever case its tag.
    let id = comes(&mut layer, &other.replace("CSeq: 1", "CSeq:  01").replace("tag=a", "tag=A"));
    assert!(layer.is_merged(id));
}

/// A request inside of a dialog has been forked by nobody, and each CANCEL of a fork ends its own branch.
#[test]
fn requests_with_a_to_tag_and_cancels_are_never_merged() {
    let mut layer = layer(Config::default());
    let inside = INVITE.replace("bob@192.0.2.2>", "bob@192.0.2.2>;tag=b");
    for text in [inside, INVITE.replace("INVITE", "CANCEL")] {
        for path in 1..3 {
            let id = comes(&mut layer, &by_another_path(&text, path));
            assert!(!layer.is_merged(id), "{text}");
        }
    }
}

/// A proxy does not ask, and what it forwards is no reason to refuse what is asked about.
#[test]
fn only_what_was_asked_about_is_compared() {
    let mut layer = layer(Config::default());
    comes(&mut layer, INVITE);
    let asked = comes(&mut layer, &by_another_path(INVITE, 2));
    assert!(!layer.is_merged(asked));
}

/// Whoever sends the same by thousands of paths makes no work that grows with their number.
#[test]
fn thousands_of_paths_leave_nothing_behind() {
    let mut layer = layer(Config::default());
    let ids: Vec<ServerId> = (0..5_000).map(|path| comes(&mut layer, &by_another_path(INVITE, path))).collect();
    assert_eq!(ids.iter().filter(|id| layer.is_merged(**id)).count(), 4_999);
    for id in ids {
        refuse(&mut layer, id);
    }
    end(&mut layer);
    assert!(layer.is_idle());
    let gone = comes(&mut layer, INVITE);
    refuse(&mut layer, gone);
    end(&mut layer);
    assert!(!layer.is_merged(gone) && layer.is_idle(), "an id whose transaction has ended");
}

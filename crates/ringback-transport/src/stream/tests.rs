#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

const HEAD: &str = "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK1\r\n";

fn stream() -> Stream {
    Stream::new(StreamLimits::default(), Now::default())
}

/// All frames of a stream that comes in pieces of this size.
fn frames(text: &[u8], piece: usize) -> (Vec<Frame>, Option<ParseErrorKind>) {
    let mut stream = stream();
    let mut all = Vec::new();
    for bytes in text.chunks(piece) {
        stream.handle_data(bytes, Now::default());
        loop {
            match stream.poll_frame() {
                Ok(Some(frame)) => all.push(frame),
                Ok(None) => break,
                Err(rejected) => return (all, Some(rejected.error.kind)),
            }
        }
    }
    (all, None)
}

#[test]
fn pieces_of_any_size_make_the_same_frames() {
    let one = format!("{HEAD}Content-Length: 4\r\n\r\nbody");
    let two = format!("{HEAD}Content-Length:\r\n 0\r\n\r\n");
    let text = format!("\r\n{one}{two}\r\n\r\n{one}");
    let expected =
        [Frame::Message(one.clone().into()), Frame::Message(two.into()), Frame::Ping, Frame::Message(one.into())];
    for piece in 1..=text.len() {
        let (all, error) = frames(text.as_bytes(), piece);
        assert_eq!((&all[..], error), (&expected[..], None), "pieces of {piece}");
    }
}

/// OpenSIPS CVE-2026-45103, sipgo CVE-2026-58268: nothing is allocated or framed anew for an absurd length.
#[test]
fn absurd_lengths_end_the_stream() {
    for length in [
        "",
        "-1",
        "+5",
        "0x10",
        "5 5",
        "70000",
        "2147483648",
        "4294967296",
        "18446744073709551616",
        "99999999999999999999999999999",
    ] {
        let text = format!("{HEAD}Content-Length: {length}\r\n\r\nOPTIONS sip:smuggled SIP/2.0\r\nl: 0\r\n\r\n");
        for piece in [1, 7, text.len()] {
            let (all, error) = frames(text.as_bytes(), piece);
            assert!(all.is_empty() && error.is_some(), "{length:?}");
        }
    }
    let two = format!("{HEAD}Content-Length: 5\r\nl: 0\r\n\r\n");
    assert_eq!(frames(two.as_bytes(), two.len()), (Vec::new(), Some(ParseErrorKind::Length)));
    let none = format!("{HEAD}\r\n");
    assert_eq!(frames(none.as_bytes(), 3), (Vec::new(), Some(ParseErrorKind::Missing)));
}

#[test]
fn what_stood_before_an_error_is_not_lost() {
    let good = format!("{HEAD}l: 0\r\n\r\n");
    let (all, error) = frames(format!("{good}{HEAD}l: x\r\n\r\n").as_bytes(), 1000);
    assert_eq!((all.len(), error), (1, Some(ParseErrorKind::Length)));
}

#[test]
fn a_head_that_never_ends() {
    let text = format!("{HEAD}X: {}", "y".repeat(70_000));
    assert_eq!(frames(text.as_bytes(), 1000).1, Some(ParseErrorKind::TooLarge));
}

#[test]
fn garbage_waits_for_its_empty_line_and_is_then_refused() {
    let (all, error) = frames(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 5);
    assert!(all.is_empty());
    assert_eq!(error, Some(ParseErrorKind::StartLine));
}

#[test]
fn a_client_hello_is_refused_by_its_first_byte() {
    let mut stream = stream();
    stream.handle_data(&[0x16, 0x03, 0x01], Now::default());
    assert_eq!(stream.poll_frame().unwrap_err().error.kind, ParseErrorKind::StartLine);
}

#[test]
fn slow_and_silent_peers() {
    let limits = StreamLimits::default();
    let start = Now::default();
    let mut stream = Stream::new(limits, start);
    assert_eq!(stream.poll_timeout(), limits.idle_timeout);
    stream.handle_data(b"O", start);
    assert_eq!(stream.poll_frame().unwrap(), None);
    let mut now = start;
    for byte in b"PTIONS sip:a" {
        now = now.after(Micros::from_secs(1));
        stream.handle_data(&[*byte], now);
        assert_eq!(stream.poll_frame().unwrap(), None);
        assert!(!stream.is_overdue(now));
    }
    assert!(stream.is_mid_message());
    assert_eq!(stream.poll_timeout(), limits.message_timeout, "a byte now and then does not buy more time");
    assert!(stream.is_overdue(start.after(limits.message_timeout)));
}

#[test]
fn keep_alives_in_any_mixture() {
    assert_eq!(frames(b"\r\n", 1).0, []);
    assert_eq!(frames(b"\r\n\r\n", 1).0, [Frame::Ping]);
    assert_eq!(frames(b"\r\n\r\n\r\n\r\n\r\n", 3).0, [Frame::Ping, Frame::Ping]);
    let text: String = format!("\r\n{HEAD}l: 0\r\n\r\n\r\n\r\n");
    assert_eq!(frames(text.as_bytes(), 2).0.len(), 2);
}

#[test]
fn a_connection_that_is_idle_holds_no_memory() {
    let large = alloc::format!("OPTIONS sip:a SIP/2.0\r\nl: 20000\r\n\r\n{}", "x".repeat(20_000));
    for behind in ["", "\r\n", "\r\n\r\n", "\r\n\r\n\r\n"] {
        let mut stream = stream();
        for piece in [large.as_bytes(), behind.as_bytes()].concat().chunks(4_096) {
            stream.handle_data(piece, Now::default());
            while stream.poll_frame().unwrap().is_some() {}
        }
        assert!(!stream.is_mid_message());
        assert_eq!(stream.buf.capacity(), 0, "{behind:?}");
    }
}

#[test]
fn whoever_has_asked_sees_each_answer_once_and_no_keep_alive_in_two() {
    let now = Now::default();
    let mut stream = Stream::new(StreamLimits::default(), now);
    for _ in 0..3 {
        stream.handle_data(PONG, now);
        assert_eq!(stream.poll_frame().unwrap(), None);
        assert!(stream.take_pong());
        assert!(!stream.take_pong());
    }
    stream.handle_data(b"\r\n\r\n", now);
    assert_eq!(stream.poll_frame().unwrap(), Some(Frame::Ping));
    assert!(!stream.take_pong());
}

/// Of a peer that was told to send keep-alives, silence says that it is gone. [RFC 5626, Section 4.4]
#[test]
fn a_peer_that_promised_keep_alives_may_not_be_silent_for_long() {
    let mut stream = Stream::new(StreamLimits::default(), Now::default());
    let after = |secs| Now::default().after(Micros::from_secs(secs));
    assert!(!stream.is_overdue(after(150)));
    stream.expect_keep_alives(Micros::from_secs(150));
    assert!(stream.is_kept_alive() && stream.is_overdue(after(150)));
    stream.handle_data(b"\r\n\r\n", after(100));
    assert!(matches!(stream.poll_frame(), Ok(Some(Frame::Ping))));
    assert!(!stream.is_overdue(after(249)) && stream.is_overdue(after(250)));
}

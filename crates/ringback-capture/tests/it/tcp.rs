//! Connections.

use proptest::prelude::*;
use ringback_capture::{Carrier, Frames, Packet, What};

use crate::build::{ACK, FIN, PHONE, RAW, RST, SERVER, SYN, address, forth, ipv4, message, options, pcap, tcp};
use crate::{read, texts};

/// A connection from this number on.
const FIRST: u32 = 0xffff_ff00;

fn whats(frames: &[Vec<u8>]) -> (Vec<Packet>, Vec<What>) {
    let (packets, notes) = read(&pcap(RAW, frames));
    (packets, notes.into_iter().map(|note| note.what).collect())
}

fn at(offset: usize) -> u32 {
    FIRST.wrapping_add(1).wrapping_add(u32::try_from(offset).unwrap())
}

fn conversation() -> (Vec<u8>, Vec<Vec<u8>>) {
    let messages = vec![options("one"), message("INVITE", &"two ".repeat(300)), message("ACK", ""), message("BYE", "")];
    (messages.concat(), messages)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn segments_in_any_order_repeated_and_overlapping(
        lengths in prop::collection::vec(1_usize..200, 1..30),
        overlaps in prop::collection::vec(0_usize..40, 30),
        swaps in prop::collection::vec(any::<prop::sample::Index>(), 60),
        repeats in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
    ) {
        let (stream, messages) = conversation();
        let mut segments = Vec::new();
        let mut begin = 0;
        for (length, overlap) in lengths.iter().chain([&stream.len()]).zip(overlaps.iter().cycle()) {
            let end = (begin + length).min(stream.len());
            let from = begin - overlap.min(&begin);
            segments.push(forth(at(from), ACK, &stream[from..end]));
            begin = end;
        }
        for again in repeats {
            segments.push(again.get(&segments).clone());
        }
        let count = segments.len();
        for (one, other) in (0..count).zip(&swaps) {
            segments.swap(one, other.index(count));
        }
        segments.insert(0, forth(FIRST, SYN, b""));
        let (packets, notes) = whats(&segments);
        let found: Vec<&[u8]> = packets.iter().map(|packet| &packet.bytes[..]).collect();
        prop_assert_eq!(found, messages);
        prop_assert!(notes.is_empty(), "{:?}", notes);
        prop_assert!(packets.iter().all(|packet| !packet.is_cut && packet.carrier == Some(Carrier::Tcp)));
    }
}

#[test]
fn several_messages_a_segment_and_several_segments_a_message() {
    let (stream, messages) = conversation();
    let (packets, notes) = whats(&[forth(7, ACK, &stream)]);
    assert_eq!((packets.len(), notes), (messages.len(), vec![]));
    assert!(packets.iter().all(|packet| packet.frames == Frames { first: 1, last: 1, count: 1 }));

    let single: Vec<Vec<u8>> =
        stream.iter().enumerate().map(|(offset, byte)| forth(at(offset), ACK, &[*byte])).collect();
    let (packets, notes) = whats(&single);
    assert_eq!(packets.iter().map(|packet| &packet.bytes[..]).collect::<Vec<_>>(), messages);
    let first = u64::try_from(messages[0].len()).unwrap();
    assert_eq!(packets[0].frames, Frames { first: 1, last: first, count: first.try_into().unwrap() });
    assert_eq!(packets[0].time_us, Some(first * 1_000_000 + 500));
    assert_eq!(notes, vec![]);
}

#[test]
fn both_directions_keep_alives_and_ends() {
    let (request, answer) = (options("body"), b"SIP/2.0 200 OK\r\nl: 0\r\n\r\n");
    let length = u32::try_from(request.len()).unwrap();
    let (packets, notes) = whats(&[
        tcp(true, 99, 0, SYN, b""),
        tcp(false, 499, 100, SYN | ACK, b""),
        tcp(true, 100, 500, ACK, b"\r\n\r\n"),
        tcp(false, 500, 104, ACK, b"\r\n"),
        tcp(true, 104, 502, ACK, &request),
        // A keep-alive of the kernel: a byte that was there before.
        tcp(true, 103 + length, 502, ACK, b"x"),
        tcp(false, 502, 104 + length, ACK | FIN, answer),
        tcp(true, 104 + length, 528, ACK | FIN, b""),
        // A repetition behind the end.
        tcp(false, 502, 104 + length, ACK | FIN, answer),
    ]);
    assert_eq!(notes, vec![]);
    assert_eq!(packets.iter().map(|packet| packet.bytes.to_vec()).collect::<Vec<_>>(), [request, answer.to_vec()]);
    assert_eq!((packets[0].source, packets[0].destination), (address(PHONE, 40_000), address(SERVER, 5060)));
    assert_eq!((packets[1].source, packets[1].destination), (address(SERVER, 5060), address(PHONE, 40_000)));
}

#[test]
fn a_missing_segment_is_told_and_reading_goes_on_at_the_next_message() {
    let (stream, messages) = conversation();
    let cut = messages[0].len() + 50;
    let again = cut + 500;
    let rest = messages[0].len() + messages[1].len();
    let frames = [
        forth(FIRST, SYN, b""),
        forth(at(0), ACK, &stream[..cut]),
        // 500 bytes are missing; this segment holds the end of the INVITE and the ACK.
        forth(at(again), ACK, &stream[again..rest + messages[2].len()]),
        forth(at(rest + messages[2].len()), ACK, &messages[3]),
    ];
    let expected = [&messages[0][..], &messages[1][..50], &messages[2], &messages[3]];
    let (packets, notes) = whats(&frames);
    assert_eq!(packets.iter().map(|packet| &packet.bytes[..]).collect::<Vec<_>>(), expected);
    assert_eq!(packets.iter().map(|packet| packet.is_cut).collect::<Vec<_>>(), [false, true, false, false]);
    assert_eq!(notes, [What::SegmentsMissing(500)]);

    // Whoever got it says so: then nobody waits for it until the end of the file.
    let mut frames = frames.to_vec();
    let seen = at(rest + messages[2].len());
    frames.extend(std::iter::repeat_n(tcp(false, 1, seen, ACK, b""), 3));
    frames.push(tcp(false, 1, seen, ACK, b"SIP/2.0 200 OK\r\nl: 0\r\n\r\n"));
    let (packets, _) = whats(&frames);
    assert!(packets[4].bytes.starts_with(b"SIP/2.0 200"));
}

#[test]
fn a_segment_that_was_cut_leaves_a_gap() {
    let (stream, messages) = conversation();
    let mut cut = forth(at(0), ACK, &stream[..messages[0].len() + 900]);
    cut.truncate(cut.len() - 700);
    let rest = messages[0].len() + 900;
    let (packets, notes) = whats(&[forth(FIRST, SYN, b""), cut, forth(at(rest), ACK, &stream[rest..])]);
    let found: Vec<&[u8]> = packets.iter().map(|packet| &packet.bytes[..]).collect();
    assert_eq!(found, [&messages[0][..], &messages[1][..200], &messages[2], &messages[3]]);
    assert_eq!(notes, [What::FrameCut, What::SegmentsMissing(700)]);
}

#[test]
fn a_connection_seen_from_its_middle_is_read_from_the_next_message_on() {
    let (stream, messages) = conversation();
    let begin = messages[0].len();
    let (packets, notes) =
        whats(&[forth(7, ACK, &stream[20..begin]), forth(7 + at(begin) - at(20), ACK, &stream[begin..])]);
    assert_eq!(packets.len(), 3);
    assert_eq!(packets[0].bytes, messages[1]);
    assert_eq!(notes, vec![]);
}

/// The rest of the first message and those behind it in one segment, or in the second that was captured.
#[test]
fn messages_behind_the_rest_of_one_are_read_and_the_rest_is_told() {
    let (stream, messages) = conversation();
    let (packets, notes) = whats(&[forth(7, ACK, &stream[20..])]);
    assert_eq!(packets.iter().map(|packet| &packet.bytes[..]).collect::<Vec<_>>(), messages[1..]);
    assert_eq!(notes, vec![What::Stray(messages[0].len() - 20)]);
    let (packets, notes) = whats(&[forth(7, ACK, &stream[20..30]), forth(17, ACK, &stream[30..])]);
    assert_eq!((packets.len(), notes.len()), (messages.len() - 1, 1), "{notes:?}");
    // Something else that has the words of SIP in it.
    let other = b"220 a.example\r\nSIP/2.0 200 OK\r\nis a line of it\r\n";
    assert_eq!(whats(&[forth(7, ACK, other)]), (vec![], vec![]));
}

#[test]
fn ports_are_used_again() {
    let one = [forth(0, SYN, b""), forth(1, ACK, &options("1")), forth(1 + 120, RST, b"")];
    let two = [forth(0, SYN, b""), forth(0, SYN, b""), forth(1, ACK, &options("2"))];
    let (packets, _) = whats(&[one, two].concat());
    assert_eq!(packets.len(), 2);
    assert!(packets[1].bytes.ends_with(b"2"));
}

#[test]
fn the_end_gives_out_what_there_is() {
    let whole = options("0123456789");
    let cut = &whole[..whole.len() - 3];
    for last in [forth(at(cut.len()), FIN, b""), forth(at(cut.len()), RST, b""), forth(at(0), ACK, b"")] {
        let (packets, _) = whats(&[forth(FIRST, SYN, b""), forth(at(0), ACK, cut), last]);
        assert_eq!(packets.len(), 1);
        assert_eq!((&packets[0].bytes[..], packets[0].is_cut), (cut, true));
    }
}

#[test]
fn other_protocols_are_silent_and_tls_is_told_once() {
    let hello = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc];
    let (packets, notes) = whats(&[
        forth(FIRST, SYN, b""),
        forth(at(0), ACK, &hello[..1]),
        forth(at(1), ACK, &hello[1..]),
        tcp(false, 77, 0, ACK, &hello),
        forth(at(9), ACK, &options("")),
    ]);
    assert!(packets.is_empty());
    let (source, destination) = (address(PHONE, 40_000).unwrap(), address(SERVER, 5060).unwrap());
    assert_eq!(notes, [What::Tls { source, destination }]);
    for other in
        [&b"SSH-2.0-OpenSSH_9\r\n"[..], b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\x00\x01\x02", b"220 mail ESMTP\r\n"]
    {
        let (packets, notes) = whats(&[forth(7, ACK, other), forth(9_000, ACK, other)]);
        assert_eq!((packets, notes), (vec![], vec![]));
    }
}

#[test]
fn lengths_that_are_missing_or_wrong() {
    let none = b"OPTIONS sip:b SIP/2.0\r\nCall-ID: 1\r\n\r\n";
    let mut short = options("0123456789");
    let place = short.windows(2).position(|pair| pair == b"10").unwrap();
    short[place..place + 2].copy_from_slice(b"02");
    let stream = [&none[..], &short, &options("")].concat();
    let (packets, notes) = whats(&[forth(7, ACK, &stream)]);
    // What is behind the body is on the line of the next message.
    assert!(texts(&packets)[2].starts_with("23456789OPTIONS sip:"));
    assert_eq!(notes, [What::LengthMissing]);
    let stream = [&short[..], b"\r\n", &options("")].concat();
    let (packets, notes) = whats(&[forth(7, ACK, &stream)]);
    assert_eq!((packets.len(), notes), (2, vec![What::Stray(10)]));
}

#[test]
fn a_message_that_is_too_long_is_cut() {
    let long = message("MESSAGE", &"x".repeat(70_000));
    let mut frames: Vec<Vec<u8>> =
        long.chunks(1_400).enumerate().map(|(index, chunk)| forth(at(index * 1_400), ACK, chunk)).collect();
    frames.push(forth(at(long.len()), ACK, &options("")));
    let (packets, notes) = whats(&frames);
    assert_eq!(packets.iter().map(|packet| packet.is_cut).collect::<Vec<_>>(), [true, false]);
    assert_eq!(notes, [What::Limit("MESSAGE_BYTES_MAX")]);
}

#[test]
fn a_direction_waits_for_so_many_segments_and_then_goes_on() {
    let body = options("");
    let frames: Vec<Vec<u8>> = std::iter::once(forth(FIRST, SYN, b""))
        .chain((0..ringback_capture::SEGMENTS_MAX + 1).map(|index| forth(at(100 + index * body.len()), ACK, &body)))
        .chain([ipv4(1, b"the end of the file is not what ends the waiting")])
        .collect();
    let (packets, _) = whats(&frames);
    assert_eq!(packets.len(), ringback_capture::SEGMENTS_MAX + 1);
}

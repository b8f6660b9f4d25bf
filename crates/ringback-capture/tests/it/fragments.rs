//! Datagrams in fragments.

use proptest::prelude::*;
use ringback_capture::{Frames, What};

use crate::build::{RAW, ipv4_piece, ipv6, options, pcap, udp};
use crate::read;

/// Fragments of a datagram, each with as much as `lengths` says in units of 8 bytes, or what is left.
fn fragments_v4(datagram: &[u8], lengths: &[usize]) -> Vec<Vec<u8>> {
    pieces(datagram, lengths)
        .map(|(at, piece, is_last)| {
            let more = if is_last { 0 } else { 0x2000 };
            ipv4_piece(17, piece, 7, u16::try_from(at / 8).unwrap() | more)
        })
        .collect()
}

fn fragments_v6(datagram: &[u8], lengths: &[usize]) -> Vec<Vec<u8>> {
    pieces(datagram, lengths)
        .map(|(at, piece, is_last)| {
            let place = u16::try_from(at).unwrap() | u16::from(!is_last);
            ipv6(44, &[&[17, 0][..], &place.to_be_bytes(), &[0, 0, 0, 7], piece].concat())
        })
        .collect()
}

fn pieces<'a>(datagram: &'a [u8], lengths: &'a [usize]) -> impl Iterator<Item = (usize, &'a [u8], bool)> {
    let mut at = 0;
    let mut lengths = lengths.iter().copied().chain(std::iter::repeat(usize::MAX));
    std::iter::from_fn(move || {
        let rest = datagram.get(at..).filter(|rest| !rest.is_empty())?;
        let length = lengths.next()?.saturating_mul(8).min(rest.len());
        let piece = (at, &rest[..length], length == rest.len());
        at += length;
        Some(piece)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn fragments_in_any_order_and_repeated(
        lengths in prop::collection::vec(1_usize..20, 1..12),
        order in any::<prop::sample::Index>(),
        seed in prop::collection::vec(any::<prop::sample::Index>(), 40),
        is_v6 in any::<bool>(),
    ) {
        let message = options(&"x".repeat(900));
        let cut = if is_v6 { fragments_v6 } else { fragments_v4 };
        let mut frames = cut(&udp(&message), &lengths);
        let count = frames.len();
        for (at, index) in (0..count).zip(&seed) {
            frames.swap(at, index.index(count));
        }
        // One fragment twice, but not behind the last that is new: that would begin another datagram.
        let again = frames[order.index(count - 1)].clone();
        frames.insert(0, again);
        let (packets, notes) = read(&pcap(RAW, &frames));
        prop_assert_eq!(packets.len(), 1);
        prop_assert_eq!(&packets[0].bytes, &message);
        prop_assert_eq!(packets[0].time_us, Some(u64::try_from(count + 1).unwrap() * 1_000_000 + 500));
        prop_assert!(notes.is_empty(), "{:?}", notes);
    }
}

#[test]
fn overlaps_keep_what_came_first() {
    let message = options(&"x".repeat(100));
    let datagram = udp(&message);
    let mut other = datagram.clone();
    other[64..].fill(b'y');
    let piece = |bytes: &[u8], at: usize, more: u16| ipv4_piece(17, bytes, 7, u16::try_from(at / 8).unwrap() | more);
    let frames = [
        piece(&datagram[64..80], 64, 0x2000),
        piece(&datagram[96..], 96, 0),
        piece(&other[40..112], 40, 0x2000),
        piece(&datagram[..48], 0, 0x2000),
    ];
    let (packets, _) = read(&pcap(RAW, &frames));
    let mut expected = datagram.clone();
    expected[80..96].copy_from_slice(&other[80..96]);
    assert_eq!(packets[0].bytes, expected[8..]);
    assert_eq!(packets[0].frames, Frames { first: 1, last: 4, count: 4 });
}

#[test]
fn what_is_missing_is_told_and_the_begin_is_given_out() {
    let message = options(&"x".repeat(900));
    let mut frames = fragments_v6(&udp(&message), &[40, 40]);
    frames.remove(1);
    let (packets, notes) = read(&pcap(RAW, &frames));
    assert_eq!(packets.len(), 1);
    assert!(packets[0].is_cut);
    assert_eq!(packets[0].bytes, message[..40 * 8 - 8]);
    assert_eq!(notes[0].what, What::FragmentsMissing);
}

#[test]
fn an_identification_is_used_anew_after_a_minute() {
    let message = options(&"x".repeat(500));
    let mut frames = fragments_v4(&udp(&message), &[10]);
    let first = frames.remove(0);
    // One frame a second.
    let mut all = vec![ipv4_piece(17, &[b'z'; 80], 7, 0x2000)];
    all.extend(std::iter::repeat_n(ipv4_piece(1, b"nothing", 9, 0), 61));
    all.push(first);
    all.extend(frames);
    let (packets, notes) = read(&pcap(RAW, &all));
    assert_eq!(packets.len(), 1);
    assert_eq!(packets[0].bytes, message);
    assert_eq!((notes[0].frame, &notes[0].what), (1, &What::FragmentsMissing));
}

#[test]
fn the_oldest_datagram_makes_room() {
    let half: Vec<Vec<u8>> = (0..300).map(|number| ipv4_piece(17, &udp(&options(""))[..64], number, 0x2000)).collect();
    let (packets, notes) = read(&pcap(RAW, &half));
    assert_eq!((packets.len(), notes.len()), (300, 600));
    assert_eq!(packets[0].frames.first, 1);
    assert!(packets.iter().all(|packet| packet.is_cut));
}

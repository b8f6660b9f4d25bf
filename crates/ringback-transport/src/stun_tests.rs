//! Packets that others have published, and what must hold of any bytes.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::*;
use proptest::prelude::*;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] << 4 | pair[1]).unwrap()).collect()
}

/// Of the test vectors of RFC 5769.
const ID: TransactionId = TransactionId([0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae]);

/// The request of RFC 5769: SOFTWARE, PRIORITY, ICE-CONTROLLED, USERNAME, MESSAGE-INTEGRITY, FINGERPRINT.
const REQUEST: &str = "00010058 2112a442 b7e7a701bc34d686fa87dfae 80220010 5354554e207465737420636c69656e74
    00240004 6e0001ff 80290008 932ff9b151263b36 00060009 6576746a3a68367659202020
    00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2 80280004 e57a3bcf";

/// Its two responses, over IPv4 and IPv6.
const RESPONSES: [(&str, &str); 2] = [
    (
        "0101003c 2112a442 b7e7a701bc34d686fa87dfae 8022000b 7465737420766563746f7220 00200008 0001a147e112a643
         00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004 c07d4c96",
        "192.0.2.1:32853",
    ),
    (
        "01010048 2112a442 b7e7a701bc34d686fa87dfae 8022000b 7465737420766563746f7220
         00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9 00080014 a382954e4be67bf11784c97c8292c275bfe3ed41
         80280004 c8fb0b4c",
        "[2001:db8:1234:5678:11:2233:4455:6677]:32853",
    ),
];

#[test]
fn the_request_of_the_test_vectors_asks_for_what_we_lack() {
    let Some(Stun::Request(request)) = Stun::read(&bytes(REQUEST)) else { panic!("unread") };
    assert_eq!(request, BindingRequest { id: ID, unknown: Vec::from([0x0024]), has_fingerprint: true });
    let answer = request.answer("192.0.2.1:1".parse().unwrap());
    assert_eq!(Stun::read(&answer), Some(Stun::Refused { id: ID, code: 420 }));
    assert!(answer.windows(6).any(|part| part == [0, 0x0A, 0, 2, 0, 0x24]), "{answer:x?}");
}

#[test]
fn the_responses_of_the_test_vectors_are_read_and_written() {
    for (hex, address) in RESPONSES {
        let address = address.parse().unwrap();
        let packet = bytes(hex);
        assert_eq!(Stun::read(&packet), Some(Stun::Mapped { id: ID, address }));
        let asked = BindingRequest { id: ID, unknown: Vec::new(), has_fingerprint: false };
        let answer = asked.answer(address);
        // Header, and XOR-MAPPED-ADDRESS as it stands there behind SOFTWARE.
        assert_eq!(answer[4..20], packet[4..20]);
        assert_eq!(answer[20..], packet[36..][..answer.len() - 20]);
    }
}

#[test]
fn what_is_no_whole_binding_is_dropped() {
    let packet = bytes(RESPONSES[0].0);
    for at in 0..packet.len() {
        assert_eq!(Stun::read(&packet[..at]), None, "cut at {at}");
        let mut changed = packet.clone();
        changed[at] ^= 0x10;
        // What says that it is a FINGERPRINT can't be told from another attribute that may be passed over.
        if !(packet.len() - 8..packet.len() - 6).contains(&at) {
            assert_eq!(Stun::read(&changed), None, "changed at {at}");
        }
    }
    // Of another method; longer than anybody sends.
    assert_eq!(Stun::read(&bytes("00030000 2112a442 000000000000000000000000")), None);
    let mut long = bytes("000104c0 2112a442 000000000000000000000000 802204bc");
    long.resize(20 + 0x4c0, 0);
    assert_eq!(Stun::read(&long), None);
    assert_eq!(Stun::read(&bytes("00110000 2112a442 000000000000000000000000")), Some(Stun::Indication));
}

#[test]
fn credentials_are_passed_over_and_answers_with_unknown_attributes_say_nothing() {
    let request = bytes("00010008 2112a442 000000000000000000000000 00060003 61626300");
    let Some(Stun::Request(request)) = Stun::read(&request) else { panic!("unread") };
    assert!(request.unknown.is_empty() && !request.has_fingerprint);
    let answer = bytes("01010010 2112a442 000000000000000000000000 00200008 0001a147e112a643 7fff0000");
    assert_eq!(Stun::read(&answer), None);
    assert_eq!(Stun::read(&bytes("01010000 2112a442 000000000000000000000000")), None, "no address");
}

#[test]
fn an_address_in_other_clothes_is_told_as_itself() {
    let asked = BindingRequest { id: ID, unknown: Vec::new(), has_fingerprint: true };
    let answer = asked.answer("[::ffff:192.0.2.7]:5060".parse().unwrap());
    assert_eq!(Stun::read(&answer), Some(Stun::Mapped { id: ID, address: "192.0.2.7:5060".parse().unwrap() }));
}

#[test]
fn seven_requests_in_forty_seconds() {
    let waits: Vec<u64> = (1..=7).map(|sent| wait_after(sent).unwrap().0 / 1_000).collect();
    assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 8_000]);
    assert_eq!((waits.iter().sum::<u64>(), wait_after(8)), (39_500, None));
}

fn packets() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop_oneof![Just(1_u16), Just(0x11), Just(0x101), Just(0x111), any::<u16>()];
    let attribute = (
        prop_oneof![Just(9_u16), Just(0x20), Just(0x24), Just(0x8022), any::<u16>()],
        proptest::collection::vec(any::<u8>(), 0..24),
    );
    (kind, any::<[u8; 12]>(), proptest::collection::vec(attribute, 0..6), any::<bool>()).prop_map(
        |(kind, id, attributes, fingerprint)| {
            let mut all = Vec::new();
            attributes.iter().for_each(|(kind, value)| put(&mut all, *kind, value));
            packet(kind, TransactionId(id), all, fingerprint)
        },
    )
}

proptest! {
    #[test]
    fn an_answer_is_read_and_short(packet in packets(), v6 in any::<bool>(), port in any::<u16>()) {
        let source = if v6 { SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], port)) } else { SocketAddr::from(([192, 0, 2, 1], port)) };
        if let Some(Stun::Request(request)) = Stun::read(&packet) {
            let answer = request.answer(source);
            prop_assert!(answer.len() * 2 <= packet.len() * 5, "{} of {}", answer.len(), packet.len());
            match Stun::read(&answer) {
                Some(Stun::Mapped { id, address }) => prop_assert!(id == request.id && address == source && request.unknown.is_empty()),
                Some(Stun::Refused { id, code }) => prop_assert!(id == request.id && code == 420 && !request.unknown.is_empty()),
                other => prop_assert!(false, "{other:?}"),
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_dropped(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = Stun::read(&bytes);
    }

    #[test]
    fn bent_packets_are_read_or_dropped(packet in packets(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut packet = packet;
        let at = at.index(packet.len());
        packet[at] = byte;
        let _ = Stun::read(&packet);
        let _ = Stun::read(&packet[..at]);
    }
}

//! SIP in WebSockets.

use ringback_capture::{Carrier, Frames, What};

use crate::build::{ACK, RAW, forth, options, pcap, tcp};
use crate::{read, texts};

const UPGRADE: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\
                         Sec-WebSocket-Protocol: sip\r\n\r\n";
const SWITCHING: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

fn frame(first: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let masked = if mask.is_some() { 0x80 } else { 0 };
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..126 => frame.push(masked | u8::try_from(length).unwrap()),
        length @ 126..65_536 => {
            frame.push(masked | 126);
            frame.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        length => {
            frame.push(masked | 127);
            frame.extend(u64::try_from(length).unwrap().to_be_bytes());
        }
    }
    frame.extend(mask.unwrap_or_default().iter().filter(|_| mask.is_some()));
    let mask = mask.unwrap_or_default().into_iter().cycle();
    frame.extend(payload.iter().zip(mask).map(|(byte, mask)| byte ^ mask));
    frame
}

#[test]
fn text_binary_masked_and_continued() {
    let (one, two) = (options("one"), options(&"two".repeat(90)));
    let mask = Some([1, 2, 3, 4]);
    let sent = [
        UPGRADE,
        &frame(0x81, mask, &one),
        &frame(0x89, mask, b"ping"),
        &frame(0x81, mask, b"\r\n\r\n"),
        &frame(0x02, mask, &two[..100]),
        &frame(0x00, mask, &two[100..150]),
        &frame(0x8a, mask, b""),
        &frame(0x80, mask, &two[150..]),
        &frame(0x82, mask, &one),
        &frame(0x88, mask, b"\x03\xe8"),
    ]
    .concat();
    for length in [1, 7, 100, sent.len()] {
        let frames: Vec<Vec<u8>> = sent
            .chunks(length)
            .enumerate()
            .map(|(index, chunk)| forth(u32::try_from(1 + index * length).unwrap(), ACK, chunk))
            .collect();
        let (packets, notes) = read(&pcap(RAW, &frames));
        let expected: Vec<&str> = [&one, &two, &one].map(|message| std::str::from_utf8(message).unwrap()).to_vec();
        assert_eq!(texts(&packets), expected, "{length}");
        assert!(notes.is_empty());
        assert!(packets.iter().all(|packet| packet.carrier == Some(Carrier::WebSocket)));
        if length == sent.len() {
            assert_eq!(packets[1].frames, Frames { first: 1, last: 1, count: 1 });
        }
    }
}

#[test]
fn what_is_compressed_or_too_long_is_told_and_passed() {
    let one = options("one");
    let answers = [
        SWITCHING,
        &frame(0xc1, None, &[0x55; 300]),
        &frame(0x81, None, &vec![b'x'; 70_000]),
        &frame(0x81, None, b"not SIP"),
        &frame(0x81, None, &one),
    ]
    .concat();
    let frames: Vec<Vec<u8>> = answers
        .chunks(1_400)
        .enumerate()
        .map(|(index, chunk)| tcp(false, u32::try_from(1 + index * 1_400).unwrap(), 0, ACK, chunk))
        .collect();
    let (packets, notes) = read(&pcap(RAW, &frames));
    assert_eq!(packets.len(), 1);
    assert_eq!(packets[0].bytes, one);
    let told: Vec<&What> = notes.iter().map(|note| &note.what).collect();
    assert_eq!(told, [&What::WebSocketExtension, &What::Limit("MESSAGE_BYTES_MAX")]);
}

#[test]
fn behind_a_gap_reading_goes_on_at_a_segment_that_begins_a_frame() {
    let one = frame(0x81, None, &options("one"));
    let next = u32::try_from(SWITCHING.len()).unwrap() + 1;
    let length = u32::try_from(one.len()).unwrap();
    let frames = [
        tcp(false, 1, 0, ACK, SWITCHING),
        tcp(false, next, 0, ACK, &one),
        tcp(false, next + length + 50, 0, ACK, b"the end of a frame"),
        tcp(false, next + length + 68, 0, ACK, &one),
    ];
    let (packets, notes) = read(&pcap(RAW, &frames));
    assert_eq!(packets.len(), 2);
    assert_eq!(notes[0].what, What::SegmentsMissing(50));
}

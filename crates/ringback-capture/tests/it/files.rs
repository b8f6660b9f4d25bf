//! The formats of captures.

use proptest::prelude::*;
use ringback_capture::{Form, Frames, INTERFACES_MAX, Note, PcapWriter, ReadErrorKind, Reader, What};

use crate::build::{RAW, ethernet, ipv4, options, pcap, udp};
use crate::{read, read_in, told};

fn error(file: &[u8]) -> (u64, ReadErrorKind) {
    let mut reader = Reader::new();
    reader.feed(file);
    reader.finish();
    loop {
        match reader.next_packet() {
            Ok(packet) => assert!(packet.is_some(), "no error"),
            Err(error) => {
                assert_eq!(reader.next_packet(), Err(error));
                return (error.offset, error.kind);
            }
        }
    }
}

/// A block of pcapng, in the order of this file.
fn block(is_big: bool, kind: u32, body: &[u8]) -> Vec<u8> {
    let body = [body, &vec![0; body.len().next_multiple_of(4) - body.len()]].concat();
    let length = u32::try_from(body.len() + 12).unwrap();
    [&number(is_big, kind)[..], &number(is_big, length), &body, &number(is_big, length)].concat()
}

fn number(is_big: bool, number: u32) -> [u8; 4] {
    if is_big { number.to_be_bytes() } else { number.to_le_bytes() }
}

fn short(is_big: bool, number: u16) -> [u8; 2] {
    if is_big { number.to_be_bytes() } else { number.to_le_bytes() }
}

fn section(is_big: bool) -> Vec<u8> {
    let body = [&number(is_big, 0x1a2b_3c4d)[..], &short(is_big, 1), &short(is_big, 0), &[0xff; 8]].concat();
    block(is_big, 0x0a0d_0d0a, &body)
}

fn interface(is_big: bool, link_type: u16, resolution: Option<u8>, offset: i64) -> Vec<u8> {
    let mut body = [&short(is_big, link_type)[..], &[0, 0], &number(is_big, 0)].concat();
    // A name comes first.
    body.extend([&short(is_big, 2)[..], &short(is_big, 3), b"any\0"].concat());
    if let Some(resolution) = resolution {
        body.extend([&short(is_big, 9)[..], &short(is_big, 1), &[resolution, 0, 0, 0]].concat());
    }
    if offset != 0 {
        let seconds = if is_big { offset.to_be_bytes() } else { offset.to_le_bytes() };
        body.extend([&short(is_big, 14)[..], &short(is_big, 8), &seconds].concat());
    }
    body.extend([0; 4]);
    block(is_big, 1, &body)
}

fn enhanced(is_big: bool, interface: u32, units: u64, frame: &[u8]) -> Vec<u8> {
    let length = number(is_big, u32::try_from(frame.len()).unwrap());
    let (high, low) = (u32::try_from(units >> 32).unwrap(), u32::try_from(units & 0xffff_ffff).unwrap());
    let body = [&number(is_big, interface)[..], &number(is_big, high), &number(is_big, low), &length, &length, frame];
    block(is_big, 6, &body.concat())
}

#[test]
fn both_orders_and_both_fractions() {
    let frame = ipv4(17, &udp(&options("")));
    for (magic, fraction) in [(0xa1b2_c3d4_u32, 250_000_u32), (0xa1b2_3c4d, 250_000_999)] {
        for is_big in [false, true] {
            let fields = [magic, if is_big { 0x0002_0004 } else { 0x0004_0002 }, 0, 0, 65_535, RAW];
            let mut file = fields.map(|field| number(is_big, field)).concat();
            let length = u32::try_from(frame.len()).unwrap();
            file.extend([3, fraction, length, length].map(|field| number(is_big, field)).concat());
            file.extend(&frame);
            let (packets, notes) = read(&file);
            assert_eq!(packets[0].time_us, Some(3_250_000));
            assert!(notes.is_empty());
        }
    }
}

#[test]
fn sections_interfaces_and_blocks_of_pcapng() {
    let message = options("");
    let raw = ipv4(17, &udp(&message));
    let ethernet = ethernet(0x0800, &raw);
    let mut file = Vec::new();
    for is_big in [false, true] {
        file.extend(section(is_big));
        file.extend(block(is_big, 0x0bad, b"something new"));
        file.extend(interface(is_big, 1, None, 0));
        file.extend(interface(is_big, 101, Some(9), 100));
        file.extend(interface(is_big, 101, Some(0x80 | 10), -1));
        file.extend(enhanced(is_big, 0, 5_000_000, &ethernet));
        file.extend(enhanced(is_big, 1, 7_000_000_123, &raw));
        file.extend(enhanced(is_big, 2, 3 * 1024 + 512, &raw));
        let length = number(is_big, u32::try_from(ethernet.len()).unwrap());
        file.extend(block(is_big, 3, &[&length[..], &ethernet].concat()));
        let length = number(is_big, u32::try_from(raw.len()).unwrap());
        let body = [&short(is_big, 1)[..], &[0, 0], &number(is_big, 0), &number(is_big, 9), &length, &length, &raw];
        file.extend(block(is_big, 2, &body.concat()));
        file.extend(enhanced(is_big, 3, 0, &raw));
    }
    let times = [Some(5_000_000), Some(107_000_000), Some(2_500_000), None, Some(100_000_000)];
    for piece in [1, 13, file.len()] {
        let (packets, notes) = read_in(&file, piece);
        assert!(packets.iter().all(|packet| packet.bytes == message));
        assert_eq!(packets.iter().map(|packet| packet.time_us).collect::<Vec<_>>(), [times, times].concat());
        assert_eq!(packets[6].frames, Frames { first: 8, last: 8, count: 1 });
        let unknown = |frame| (frame, What::InterfaceUnknown(3));
        assert_eq!(told(notes), [unknown(6), unknown(12)]);
    }
}

#[test]
fn clocks_that_cant_be_have_no_time() {
    let raw = ipv4(17, &udp(&options("")));
    for (resolution, offset, time_us) in
        [(127, 0, None), (0xff, 0, Some(0)), (6, i64::MIN, None), (0, i64::MAX, None), (38, 0, Some(0))]
    {
        let file = [section(false), interface(false, 101, Some(resolution), offset), enhanced(false, 0, 9, &raw)];
        let (packets, _) = read(&file.concat());
        assert_eq!(packets[0].time_us, time_us, "{resolution} {offset}");
    }
}

#[test]
fn damage_is_named_with_its_byte() {
    let frame = ipv4(17, &udp(&options("")));
    let good = pcap(RAW, &[frame]);
    let mut long = good.clone();
    long.extend([0; 8]);
    long.extend(300_000_u32.to_le_bytes());
    long.extend([0; 4]);
    let offset = u64::try_from(good.len()).unwrap() + 8;
    assert_eq!(error(&long), (offset, ReadErrorKind::RecordTooLong));
    let mut version = good;
    version[4] = 3;
    assert_eq!(error(&version), (4, ReadErrorKind::Version));

    let begin = section(false);
    let at = |behind: usize, kind| (u64::try_from(begin.len() + behind).unwrap(), kind);
    let with = |block: &[u8]| error(&[&begin, block].concat());
    let mut lengths = block(false, 6, &[0; 20]);
    lengths[28] = 36;
    assert_eq!(with(&lengths), at(28, ReadErrorKind::BlockLength));
    let mut unknown = block(false, 77, &[0; 20]);
    unknown[28] = 36;
    assert_eq!(with(&unknown), at(28, ReadErrorKind::BlockLength));
    for length in [0_u32, 8, 13, 2_000_000] {
        let block = [6_u32.to_le_bytes(), length.to_le_bytes(), [0; 4], [0; 4]].concat();
        assert_eq!(with(&block), at(4, ReadErrorKind::BlockLength));
    }
    assert_eq!(with(&block(false, 6, &[0; 8])), at(8, ReadErrorKind::BlockTooShort));
    let mut order = section(false);
    order[8] = 0;
    assert_eq!(with(&order), at(8, ReadErrorKind::ByteOrder));
    let many = interface(false, 1, None, 0).repeat(INTERFACES_MAX + 1);
    assert_eq!(with(&many).1, ReadErrorKind::TooManyInterfaces);
    assert_eq!(error(b"\x1f\x8b\x08\0").1, ReadErrorKind::Compressed("gzip"));
}

#[test]
fn a_file_that_ends_too_soon_gives_all_that_is_whole() {
    let frames = vec![ipv4(17, &udp(&options(""))); 3];
    let pcapng: Vec<u8> = [section(false), interface(false, 101, None, 0), block(false, 77, &[1; 40])]
        .into_iter()
        .chain(frames.iter().map(|frame| enhanced(false, 0, 1, frame)))
        .flatten()
        .collect();
    for file in [pcap(RAW, &frames), pcapng] {
        let (all, _) = read(&file);
        assert_eq!(all.len(), 3);
        let mut before = 0;
        for end in 4..file.len() {
            let (packets, notes) = read(&file[..end]);
            assert!(packets.len() >= before && packets == all[..packets.len()]);
            before = packets.len();
            let is_cut = matches!(notes.last(), Some(Note { frame: 0, what: What::RecordCut { offset }, .. }) if *offset <= end as u64);
            assert!(is_cut || notes.is_empty(), "{end}: {notes:?}");
        }
        assert_eq!(before, 2);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read(
        times in prop::collection::vec(0_u64..4_000_000_000_000_000, 0..20),
        bodies in prop::collection::vec("[ -~]{0,300}", 20),
        is_v6 in any::<bool>(),
        piece in 1_usize..5_000,
    ) {
        let ends: [std::net::SocketAddr; 2] = if is_v6 {
            ["[2001:db8::1]:5060".parse().unwrap(), "[2001:db8::2]:1".parse().unwrap()]
        } else {
            ["192.0.2.1:5060".parse().unwrap(), "192.0.2.2:65535".parse().unwrap()]
        };
        let mut writer = PcapWriter::new();
        let mut file = Vec::new();
        for (time_us, body) in times.iter().zip(&bodies) {
            writer.datagram(*time_us, ends[0], ends[1], &options(body)).unwrap();
            file.extend(writer.take());
        }
        file.extend(writer.take());
        let (packets, notes) = read_in(&file, piece);
        prop_assert_eq!(packets.len(), times.len());
        for ((packet, time_us), body) in packets.iter().zip(&times).zip(&bodies) {
            prop_assert_eq!(&packet.bytes, &options(body));
            prop_assert_eq!((packet.time_us, packet.source, packet.destination), (Some(*time_us), Some(ends[0]), Some(ends[1])));
        }
        prop_assert!(notes.is_empty());
    }
}

#[test]
fn an_empty_file_holds_nothing() {
    let mut reader = Reader::new();
    reader.finish();
    assert_eq!((reader.next_packet(), reader.next_note()), (Ok(None), None));
    let (packets, notes) = read(b"\r\n");
    assert_eq!((packets, notes), (vec![], vec![]));
    let mut reader = Reader::new();
    reader.feed(&PcapWriter::new().take());
    assert_eq!(reader.next_packet(), Ok(None));
    assert_eq!((reader.form(), reader.frames()), (Some(Form::Pcap), 0));
}

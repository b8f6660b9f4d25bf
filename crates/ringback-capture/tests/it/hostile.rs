//! Input that somebody made to do harm.

use proptest::prelude::*;
use ringback_capture::{CONNECTIONS_MAX, HELD_BYTES_MAX, NOTES_MAX, PcapWriter, Reader};

use crate::build::{ACK, RAW, SYN, ethernet, forth, ipv4, ipv4_between, ipv4_piece, ipv6, message, options, pcap, udp};
use crate::{read, read_in};

/// Something of everything.
fn files() -> Vec<Vec<u8>> {
    let datagram = udp(&options(&"x".repeat(200)));
    let upgrade = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\x81\x7e\x00\x80OPTIONS sip:a SIP/2.0\r\n";
    let frames = [
        forth(7, SYN, b""),
        forth(8, ACK, &message("INVITE", "abc")),
        forth(900, ACK, &message("BYE", "")),
        forth(500, ACK, upgrade),
        ipv4_piece(17, &datagram[..80], 5, 0x2000),
        ipv4_piece(17, &datagram[80..], 5, 10),
        ipv6(44, &[&[17, 0, 0, 1, 0, 0, 0, 9][..], &datagram[..80]].concat()),
        ipv6(44, &[&[17, 0, 0, 80, 0, 0, 0, 9][..], &datagram[80..]].concat()),
        ipv4(17, &datagram),
    ];
    let tagged: Vec<Vec<u8>> =
        frames.iter().map(|packet| ethernet(0x8100, &[&[0, 1, 8, 0][..], packet].concat())).collect();
    let text = String::from_utf8(message("INVITE", "v=0\r\ns=-\r\n")).unwrap();
    let dump: String = text.bytes().map(|byte| format!("{byte:02x} ")).collect();
    vec![
        pcap(RAW, &frames),
        pcap(1, &tagged),
        text.clone().into_bytes(),
        text.replace('\r', "").replace('\n', "\n  log: ").into_bytes(),
        text.replace("\r\n", "\\r\\n").into_bytes(),
        format!("0000: {dump}\n*\n00ff: {dump}").into_bytes(),
    ]
}

/// Reads what may be damaged, to its end or to its error.
fn survive(file: &[u8], piece: usize) {
    let mut reader = Reader::new();
    for piece in file.chunks(piece.max(1)) {
        reader.feed(piece);
        while let Ok(Some(packet)) = reader.next_packet() {
            assert!(packet.frames.first <= packet.frames.last && packet.frames.count > 0);
        }
    }
    reader.finish();
    while let Ok(Some(_)) = reader.next_packet() {}
    while let Some(note) = reader.next_note() {
        assert!(!note.to_string().is_empty());
    }
}

#[test]
fn every_file_cut_at_every_byte() {
    for file in files() {
        for end in 0..file.len() {
            survive(&file[..end], 100);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn mutations(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        piece in 1_usize..400,
    ) {
        let mut file = which.get(&files()).clone();
        for (place, byte) in changes {
            let place = place.index(file.len());
            file[place] = byte;
        }
        survive(&file, piece);
    }

    #[test]
    fn noise(file in prop::collection::vec(any::<u8>(), 0..600), magic in 0_usize..4) {
        let magic: &[u8] = [&b""[..], b"\xd4\xc3\xb2\xa1\x02\0\x04\0", b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\x01\0\0\0", b"SIP/2.0 200 "][magic];
        survive(&[magic, &file].concat(), 50);
    }

}

#[test]
fn pieces_make_no_difference() {
    for file in files() {
        let whole = read(&file);
        for piece in 1..300 {
            assert_eq!(read_in(&file, piece), whole, "{piece}");
        }
    }
}

#[test]
fn connections_make_room_for_each_other() {
    let begun = |number: usize| {
        let ip = [10, 1, u8::try_from(number >> 8).unwrap(), u8::try_from(number & 0xff).unwrap()];
        let segment = forth(7, ACK, b"OPTIONS sip:a SIP/2.0\r\nl: 9\r\n\r\n");
        ipv4_between(ip, [192, 0, 2, 2], 6, &segment[20..], 1, 0x4000)
    };
    let frames: Vec<Vec<u8>> = (0..CONNECTIONS_MAX + 10).map(begun).collect();
    let (packets, notes) = read(&pcap(RAW, &frames));
    assert_eq!(packets.len(), frames.len());
    assert!(packets.iter().all(|packet| packet.is_cut));
    assert_eq!((notes.len(), notes[0].to_string().contains("CONNECTIONS_MAX")), (10, true));
}

/// Begins without ends, of datagrams and of connections, as many as there is time for.
#[test]
fn what_waits_has_a_bound() {
    let mut reader = Reader::new();
    reader.feed(&pcap(RAW, &[]));
    let record = |frame: &[u8]| pcap(RAW, &[frame.to_vec()])[24..].to_vec();
    let junk = vec![b'x'; 60_000];
    let mut held_bytes_max = 0;
    for number in 0..2_000_u32 {
        let [_, _, high, low] = number.to_be_bytes();
        let piece = ipv4_piece(17, &junk, u16::try_from(number).unwrap(), 0x2001);
        // The byte that the stream begins with never comes.
        let first = forth(7, ACK, b"O");
        let later = forth(900, ACK, &junk);
        let of_peer = |packet: &[u8]| ipv4_between([10, 1, high, low], [192, 0, 2, 2], 6, &packet[20..], 1, 0x4000);
        for frame in [piece, of_peer(&first), of_peer(&later)] {
            reader.feed(&record(&frame));
            while reader.next_packet().unwrap().is_some() {}
            held_bytes_max = held_bytes_max.max(reader.held_bytes());
        }
    }
    // 256 datagrams, and what connections may hold with one more segment.
    let fragments_max = 256 * 65_535;
    assert!(held_bytes_max > HELD_BYTES_MAX, "{held_bytes_max}: no bound was reached");
    assert!(held_bytes_max <= HELD_BYTES_MAX + fragments_max + 65_535, "{held_bytes_max}");
    reader.finish();
    while reader.next_packet().unwrap().is_some() {}
    assert_eq!(reader.held_bytes(), 0);
}

#[test]
fn notes_are_counted_where_nobody_takes_them() {
    let mut reader = Reader::new();
    reader.feed(&pcap(RAW, &vec![vec![0x50; 20]; NOTES_MAX + 5]));
    reader.finish();
    assert_eq!(reader.next_packet(), Ok(None));
    assert_eq!(reader.notes_lost(), 5);
    assert_eq!(std::iter::from_fn(|| reader.next_note()).count(), NOTES_MAX);
}

#[test]
fn a_writer_and_a_reader_side_by_side_keep_nothing() {
    let ends = ("192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap());
    let mut writer = PcapWriter::new();
    let mut reader = Reader::new();
    for number in 0..1_000 {
        writer.datagram(number, ends.0, ends.1, &options("")).unwrap();
        let (first, second) = {
            let bytes = writer.take();
            let (first, second) = bytes.split_at(bytes.len() - 5);
            (first.to_vec(), second.to_vec())
        };
        reader.feed(&first);
        assert_eq!(reader.next_packet(), Ok(None));
        reader.feed(&second);
        assert_eq!(reader.next_packet().unwrap().and_then(|packet| packet.time_us), Some(number));
    }
    assert_eq!(reader.frames(), 1_000);
}

//! One datagram in every link type.

use ringback_capture::{Carrier, What};

use crate::build::{PHONE, RAW, SERVER, address, ethernet, ipv4, ipv6, options, pcap, udp};
use crate::{read, told};

#[test]
fn a_datagram_is_found_in_every_link_type() {
    let message = options("hello");
    let v4 = ipv4(17, &udp(&message));
    let v6 = ipv6(17, &udp(&message));
    let vlan = [&[0, 7, 8, 0][..], &v4].concat();
    let qinq = [&[0, 7, 0x81, 0][..], &vlan].concat();
    let mpls = [&[0, 1, 0, 64, 0, 1, 1, 64][..], &v6].concat();
    let pppoe = [&[0x11, 0, 0, 1, 0, 0, 0, 0x57][..], &v6].concat();
    let cooked = |kind: u16| [&[0; 14][..], &kind.to_be_bytes()].concat();
    let cooked2 = [&0x86dd_u16.to_be_bytes()[..], &[0; 18]].concat();
    let padded = [&v4[..], &[0; 9]].concat();
    for (link_type, frame) in [
        (1, ethernet(0x0800, &v4)),
        (1, ethernet(0x86dd, &v6)),
        (1, ethernet(0x0800, &padded)),
        (1, ethernet(0x8100, &vlan)),
        (1, ethernet(0x88a8, &qinq)),
        (1, ethernet(0x8847, &mpls)),
        (1, ethernet(0x8864, &pppoe)),
        (0, [&2_u32.to_le_bytes()[..], &v4].concat()),
        (0, [&30_u32.to_be_bytes()[..], &v6].concat()),
        (108, [&24_u32.to_be_bytes()[..], &v6].concat()),
        (12, v4.clone()),
        (14, v6.clone()),
        (RAW, v4.clone()),
        (RAW, v6.clone()),
        (228, v4.clone()),
        (229, v6.clone()),
        (113, [&cooked(0x0800)[..], &v4].concat()),
        (113, [&cooked(0x86dd)[..], &v6].concat()),
        (276, [&cooked2[..], &v6].concat()),
        // A checksum of four bytes behind each frame.
        (0x2400_0001, [&ethernet(0x0800, &v4)[..], &[1, 2, 3, 4]].concat()),
    ] {
        let (packets, notes) = read(&pcap(link_type, &[frame]));
        assert_eq!(packets.len(), 1, "link type {link_type}");
        assert_eq!(packets[0].bytes, message);
        assert_eq!(packets[0].carrier, Some(Carrier::Udp));
        assert_eq!(packets[0].source.map(|address| address.port()), Some(5060));
        assert_eq!((packets[0].time_us, packets[0].is_cut), (Some(1_000_500), false));
        assert!(notes.is_empty(), "{notes:?}");
    }
}

#[test]
fn what_isnt_ours_is_passed_over_and_what_isnt_known_is_told_once() {
    let (packets, notes) =
        read(&pcap(1, &[ethernet(0x0806, &[0; 28]), ethernet(0x0800, &ipv4(17, &udp(&[0x80; 60])))]));
    assert_eq!((packets, notes), (vec![], vec![]));
    let frames = vec![ipv4(17, &udp(&options(""))); 3];
    let (packets, notes) = read(&pcap(9, &frames));
    assert_eq!((packets, told(notes)), (vec![], vec![(1, What::LinkUnsupported(9))]));
}

#[test]
fn headers_with_options_and_extensions_are_passed() {
    let message = options("");
    let mut with_options = ipv4(17, &udp(&message));
    with_options[0] = 0x47;
    let total = u16::from_be_bytes([with_options[2], with_options[3]]) + 8;
    with_options[2..4].copy_from_slice(&total.to_be_bytes());
    with_options.splice(20..20, [1; 8]);
    // Hop-by-hop, routing of 16 bytes, authentication, destination, and a fragment that is all of it.
    let mut extended = vec![43, 0, 1, 4, 0, 0, 0, 0, 51, 1, 0, 0];
    extended.extend([0; 12]);
    extended.extend([60, 4, 0, 0]);
    extended.extend([0; 20]);
    extended.extend([44, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 9]);
    extended.extend(udp(&message));
    let (packets, notes) = read(&pcap(RAW, &[with_options, ipv6(0, &extended)]));
    assert_eq!(packets.len(), 2, "{notes:?}");
    assert!(packets.iter().all(|packet| packet.bytes == message));
    assert_eq!((packets[0].source, packets[0].destination), (address(PHONE, 5060), address(SERVER, 5070)));
    assert_eq!(packets[1].source, "[2001:db8::1]:5060".parse().ok());
}

#[test]
fn a_header_that_contradicts_itself_is_told() {
    let good = ipv4(17, &udp(&options("")));
    let mut short_header = good.clone();
    short_header[0] = 0x44;
    let mut short_total = good.clone();
    short_total[2..4].copy_from_slice(&19_u16.to_be_bytes());
    let mut short_udp = good.clone();
    short_udp[24..26].copy_from_slice(&7_u16.to_be_bytes());
    let mut long_udp = good.clone();
    long_udp[24..26].copy_from_slice(&9_000_u16.to_be_bytes());
    let version = vec![0x50; 40];
    let short_tcp = ipv4(6, &[0; 19]);
    let loops = ipv6(60, &[60, 0, 0, 0, 0, 0, 0, 0].repeat(40));
    let tags = ethernet(0x8100, &[0, 7, 0x81, 0].repeat(40));
    let frames = [short_header, short_total, version, short_tcp, loops, short_udp, long_udp];
    let (packets, notes) = read(&pcap(RAW, &frames));
    let whats: Vec<What> = notes.into_iter().map(|note| note.what).collect();
    let names = ["IPv4 header", "IPv4 header", "IP version", "TCP header", "IPv6 header", "UDP header", "UDP length"];
    assert_eq!(whats, names.map(What::Malformed));
    assert_eq!(packets.len(), 1);
    assert!(packets[0].is_cut);
    let (_, notes) = read(&pcap(1, &[tags]));
    assert_eq!(told(notes), [(1, What::Malformed("link header"))]);
}

#[test]
fn a_frame_that_was_cut_gives_what_there_is_of_a_message() {
    let whole = ipv4(17, &udp(&options("0123456789")));
    let (packets, notes) = read(&pcap(RAW, &[whole[..whole.len() - 4].to_vec()]));
    assert!(packets[0].is_cut);
    assert!(packets[0].bytes.ends_with(b"012345"));
    assert_eq!(told(notes), [(1, What::FrameCut)]);
}

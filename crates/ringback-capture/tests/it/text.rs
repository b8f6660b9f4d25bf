//! What people paste.

use ringback_capture::{Carrier, Form, PcapWriter, ReadErrorKind, Reader, What};

use crate::build::{ethernet, ipv4, message, options, udp};
use crate::{read, texts};

const INVITE: &str = "INVITE sip:bob@b.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\n\
                      Call-ID: 7\r\nSubject: a\r\n b\r\nContent-Length: 12\r\n\r\nv=0\r\no=- 1\r\n";
const RINGING: &str = "SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\nCall-ID: 7\r\n\
                       Content-Length: 0\r\n\r\n";

fn form(text: &[u8]) -> Option<Form> {
    let mut reader = Reader::new();
    reader.feed(text);
    reader.finish();
    reader.next_packet().unwrap();
    reader.form()
}

/// The two messages, read from a log.
fn assert_both(log: &str) {
    let (packets, _) = read(log.as_bytes());
    assert_eq!(texts(&packets), [INVITE, RINGING], "{log}");
    assert!(packets.iter().all(|packet| !packet.is_cut));
}

/// Each line of the messages as a log has it.
fn logged(line: impl Fn(usize, &str) -> String) -> String {
    let mut log = String::from("something else\n\n");
    for message in [INVITE, RINGING] {
        for (number, text) in message.split_terminator("\r\n").enumerate() {
            log += &line(number, text);
            log += "\n";
        }
        log += "something: else\n";
    }
    log
}

#[test]
fn messages_as_on_the_wire() {
    assert_eq!(form(INVITE.as_bytes()), Some(Form::Messages));
    let (packets, notes) = read([INVITE, "\r\n\r\n", RINGING, INVITE].concat().as_bytes());
    assert_eq!(texts(&packets), [INVITE, RINGING, INVITE]);
    assert_eq!(packets.iter().map(|packet| packet.frames.first).collect::<Vec<_>>(), [1, 12, 17]);
    assert!(notes.is_empty());
    // To the letter where nothing else begins: whoever reads it says that it is too long, or that it ends too soon.
    for odd in [&[INVITE, "more"].concat(), &INVITE[..INVITE.len() - 4], &INVITE[..40]] {
        assert_eq!(texts(&read(odd.as_bytes()).0), [odd]);
    }
    let no_length = "OPTIONS sip:a SIP/2.0\r\nCall-ID: 1\r\n\r\n";
    assert_eq!(texts(&read([no_length, no_length].concat().as_bytes()).0), [no_length, no_length]);
    let bytes = [&b"OPTIONS sip:a SIP/2.0\r\nl: 3\r\n\r\n"[..], &[0, 0xff, b'\n']].concat();
    assert_eq!(read(&bytes).0[0].bytes, bytes);
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_message() {
    for text in [INVITE.to_owned(), INVITE.replace("\r\n", "\n")] {
        let (packets, _) = read(format!("\u{feff}{text}").as_bytes());
        assert_eq!(texts(&packets), [INVITE]);
    }
}

#[test]
fn what_is_nothing_known_is_given_out_to_the_letter() {
    for text in ["hello\nworld\n", "OPTIONS sip:a\r\n\r\n", "SIP/2.0 is a version, said somebody\nand went\n"] {
        let (packets, _) = read(text.as_bytes());
        assert_eq!(texts(&packets), [text]);
    }
}

#[test]
fn bare_line_feeds_indentation_and_quotation() {
    assert_both(&logged(|_, text| text.to_owned()));
    assert_both(&logged(|_, text| format!("    {text}")));
    assert_both(&logged(|_, text| format!("> {text}").trim_end().to_owned()));
    assert_both(&logged(|_, text| format!("\t| {text}")));
    assert_both(&logged(|_, text| format!("{text}^M")));
    assert_both(&logged(|_, text| format!("{text}\r")));
    assert_both(&logged(|_, text| format!("\x1b[1;32m{text}\x1b[0m")));
    let (_, notes) = read(logged(|_, text| text.to_owned()).as_bytes());
    assert_eq!(notes.len(), 2);
    assert!(notes.iter().all(|note| note.what == What::Mended));
    assert_eq!(notes[0].frame, 3);
}

#[test]
fn prefixes_on_all_lines_or_on_the_first() {
    assert_both(&logged(|number, text| format!("Jan  1 12:00:{number:02} host kamailio[123]: INFO: {text}")));
    assert_both(&logged(|number, text| format!("2026-01-01T12:00:00.{number:06} opensips[{}]: {text}", 10 * number)));
    assert_both(&logged(
        |number, text| if number == 0 { format!("12:00:00 [DEBUG] got: {text}") } else { text.to_owned() },
    ));
    assert_both(&logged(|number, text| format!("[{number}] {text}").trim_end().to_owned()));
    // As grep has it: the numbers widen within a message.
    for begin in [8, 95, 98, 997] {
        assert_both(&logged(|number, text| format!("{}:{text}", begin + number)));
        assert_both(&logged(|number, text| format!("a.log:{}:{text}", begin + number)));
        assert_both(&logged(|number, text| format!("{}{}{text}", begin + number, if number == 0 { ':' } else { '-' })));
    }
}

#[test]
fn escaped_line_ends() {
    let escaped = |message: &str| message.replace("\r\n", "\\r\\n");
    assert_both(&format!("Jan 1 kamailio: {}\nINFO: {}\n", escaped(INVITE), escaped(RINGING)));
    assert_both(&format!(
        "{{\"level\":1,\"msg\":\"{}\"}}\n{{\"msg\":\"{}\",\"x\":2}}\n",
        escaped(INVITE),
        escaped(RINGING)
    ));
    let bare = |message: &str| message.replace("\r\n", "\\n");
    assert_both(&format!("{}\n{}\n", bare(INVITE), bare(RINGING)));
    let syslog = |message: &str| message.replace("\r\n", "#015#012");
    assert_both(&format!("Jan 1 host kamailio[1]: {}\nJan 1 host: {}\n", syslog(INVITE), syslog(RINGING)));
}

#[test]
fn frames_of_servers_say_where_a_message_came_from() {
    let log = format!(
        "[Jan 1 12:00:00] VERBOSE[1]: chan_sip.c:\n<--- SIP read from UDP:192.0.2.1:5060 --->\n{}<------------->\n\
         --- (4 headers 2 lines) ---\n\
         <--- Transmitting SIP response (99 bytes) to TCP:[2001:db8::1]:5070 --->\n{}\n<------------>\n",
        INVITE.replace("\r\n", "\n"),
        RINGING.replace("\r\n", "\n"),
    );
    assert_both(&log);
    let (packets, _) = read(log.as_bytes());
    assert_eq!((packets[0].source, packets[0].carrier), ("192.0.2.1:5060".parse().ok(), Some(Carrier::Udp)));
    assert_eq!((packets[1].source, packets[1].destination), (None, "[2001:db8::1]:5070".parse().ok()));
    assert_eq!((packets[0].frames.first, packets[1].frames.first), (3, 15));

    let dashes = "-".repeat(72);
    let log = logged(|number, text| match number {
        0 => format!("recv 99 bytes from udp/[192.0.2.1]:5060 at 12:00:00.000000:\n   {dashes}\n   {text}"),
        _ => format!("   {text}"),
    });
    assert_both(&log.replace("something: else", &format!("   {dashes}\n")));
    let (packets, _) = read(log.as_bytes());
    assert_eq!(packets[1].source, "192.0.2.1:5060".parse().ok());
}

#[test]
fn bodies_that_are_short_long_or_without_their_empty_line() {
    let head = "MESSAGE sip:a@b SIP/2.0\nTo: <sip:a@b>\n";
    let one = |text: &str| {
        let (packets, _) = read(text.as_bytes());
        (String::from_utf8(packets[0].bytes.to_vec()).unwrap(), packets[0].is_cut, packets.len())
    };
    let crlf = |text: &str| text.replace('\n', "\r\n");
    let full = format!("{head}Content-Length: 7\n\nv=0\ns=");
    assert_eq!(one(&format!("{full}\nother lines\n")), (crlf(&full), false, 1));
    let short = format!("{head}Content-Length: 70\n\nv=0\ns=1\n");
    assert_eq!(one(&short), (crlf(&short), true, 1));
    assert_eq!(one(&format!("{short}{}", RINGING.replace("\r\n", "\n"))), (crlf(&short), true, 2));
    // Without a length, lines that look like SDP; without an empty line too.
    assert_eq!(one(&format!("{head}\nv=0\nlog: x\n")).0, crlf(&format!("{head}\nv=0\n")));
    assert_eq!(one(&format!("{head}v=0\nt=0 0\n")).0, crlf(&format!("{head}\nv=0\nt=0 0\n")));
    // A body that is itself a message.
    let inner = "SIP/2.0 180 Ringing\nTo: x\n\n";
    let fragment = format!("{head}Content-Type: message/sipfrag\nContent-Length: 30\n\n{inner}");
    assert_eq!(one(&fragment), (crlf(&fragment), false, 1));
}

fn xxd(bytes: &[u8], mut line: impl FnMut(usize, &str, &str) -> String) -> String {
    let lines = bytes.chunks(16).enumerate().map(|(number, chunk)| {
        let digits: Vec<String> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
        let text: String =
            chunk.iter().map(|&byte| if (b' '..127).contains(&byte) { char::from(byte) } else { '.' }).collect();
        line(number * 16, &digits.join(" "), &text)
    });
    lines.collect()
}

/// Pairs of digits side by side, as most tools group them.
fn grouped(digits: &str) -> String {
    let words: Vec<&str> = digits.split(' ').collect();
    words.chunks(2).map(<[&str]>::concat).collect::<Vec<_>>().join(" ")
}

/// A gap in the middle of a line.
fn halved(digits: &str) -> String {
    if digits.len() > 23 { format!("{} {}", &digits[..23], &digits[23..]) } else { digits.to_owned() }
}

fn dumps(bytes: &[u8]) -> Vec<String> {
    let plain: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    vec![
        xxd(bytes, |offset, digits, text| format!("{offset:08x}: {:39}  {text}\n", grouped(digits))),
        xxd(bytes, |offset, digits, text| format!("\t0x{offset:04x}:  {:39}  {text}\n", grouped(digits))),
        xxd(bytes, |offset, digits, text| format!("{offset:04X}   {digits:47}   {text}\n")),
        xxd(bytes, |offset, digits, text| format!("{offset:08x}  {:49} |{text}|\n", halved(digits)))
            + &format!("{:08x}\n", bytes.len()),
        xxd(bytes, |offset, digits, _| format!("{offset:04x}  {digits}\r\n")),
        xxd(bytes, |_, digits, _| format!("  {digits}\n")),
        plain.clone(),
        plain.to_uppercase(),
        xxd(bytes, |_, digits, _| digits.replace(' ', ":") + "\n"),
    ]
}

#[test]
fn dumps_of_messages_and_frames() {
    // Text that looks like digits, and ends of lines at all places.
    for length in 0..40 {
        let message = message("OPTIONS", &"ab cd ef 01 ".repeat(4)[..length]);
        let packet = ipv4(17, &udp(&message));
        let frame = ethernet(0x0800, &packet);
        for (is_frame, bytes) in [(false, &message), (true, &packet), (true, &frame)] {
            for dump in dumps(bytes) {
                let (packets, notes) = read(dump.as_bytes());
                assert_eq!(packets.len(), 1, "{dump} {notes:?}");
                assert_eq!(packets[0].bytes, message, "{dump}");
                assert_eq!(packets[0].carrier.is_some(), is_frame);
                assert_eq!(form(dump.as_bytes()), Some(Form::Hex));
            }
        }
    }
}

/// As `od -t x1` prints them: in each radix of offsets, with text and without, and with lines that repeat.
#[test]
fn dumps_of_od() {
    let message = options(&"=".repeat(100));
    type Offset = fn(usize) -> String;
    let offsets: [Offset; 3] = [|at| format!("{at:06x}"), |at| format!("{at:07o}"), |at| format!("{at:07}")];
    for offset in offsets {
        let end = format!("{}\n", offset(message.len()));
        let bare = xxd(&message, |at, digits, _| format!("{} {digits}\n", offset(at))) + &end;
        let with_text = xxd(&message, |at, digits, text| format!("{} {digits:47}  >{text}<\n", offset(at))) + &end;
        let mut last = String::new();
        let starred = xxd(&message, |at, digits, _| {
            let is_again = digits == last;
            last.replace_range(.., digits);
            if is_again { "*\n".to_owned() } else { format!("{} {digits}\n", offset(at)) }
        }) + &end;
        for dump in [bare, with_text, starred.replace("*\n*\n*\n*\n*\n", "*\n")] {
            let (packets, notes) = read(dump.as_bytes());
            assert_eq!(packets.len(), 1, "{dump}{notes:?}");
            assert_eq!(packets[0].bytes, message, "{dump}");
            assert_eq!(form(dump.as_bytes()), Some(Form::Hex));
        }
    }
}

#[test]
fn several_blocks_repeated_lines_and_captures_as_digits() {
    let packet = ipv4(17, &udp(&options("one")));
    let head = "12:00:00.000000 IP 192.0.2.1.5060 > 192.0.2.2.5070: SIP: OPTIONS\n";
    let dump: String = (0..3)
        .map(|_| {
            head.to_owned()
                + &xxd(&packet, |at, digits, text| format!("\t0x{at:04x}:  {:39}  {text}\n", grouped(digits)))
        })
        .collect();
    let (packets, notes) = read(dump.as_bytes());
    assert_eq!((packets.len(), notes.len()), (3, 0));
    assert_eq!(packets[2].frames.first, 3);

    let long = options(&"=".repeat(100));
    let mut last = String::new();
    let stars = xxd(&long, |at, digits, _| {
        let line = format!("{at:08x}  {}\n", halved(digits));
        let shown = if digits == last && at + 16 < long.len() { "*\n".to_owned() } else { line };
        last.replace_range(.., digits);
        shown
    });
    let mut squeezed: Vec<&str> = stars.lines().collect();
    squeezed.dedup();
    assert!(squeezed.contains(&"*"));
    assert_eq!(read(squeezed.join("\n").as_bytes()).0[0].bytes, long);

    let ends = ("192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap());
    let mut writer = PcapWriter::new();
    writer.datagram(5, ends.0, ends.1, &options("")).unwrap();
    writer.datagram(6, ends.0, ends.1, &options("")).unwrap();
    let (packets, _) = read(dumps(&writer.take())[0].as_bytes());
    assert_eq!(packets.iter().map(|packet| packet.time_us).collect::<Vec<_>>(), [Some(5), Some(6)]);
    let (packets, notes) = read(b"00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 11 12 13\n");
    assert!(packets.is_empty() && matches!(notes[0].what, What::Malformed(_)));
}

/// Bytes of a packet as `tcpdump -A` prints them.
fn printed(bytes: &[u8]) -> String {
    let shown = |byte: u8| if matches!(byte, b'\n' | b'\t' | b' '..=b'~') { char::from(byte) } else { '.' };
    bytes.iter().filter(|byte| **byte != b'\r').map(|&byte| shown(byte)).collect()
}

#[test]
fn packets_printed_as_text() {
    let (one, two) = (options("one"), message("MESSAGE", "hello\r\n"));
    let headers = [
        b"E..t.4..@.......".repeat(2)[..28].to_vec(),
        b"E..t.4..@...XYAB".repeat(2)[..28].to_vec(),
        [&b"E..t.4..@.......".repeat(3)[..44], b"\n.123456"].concat(),
        [&b"`".to_vec()[..], &b"......@".repeat(7)[..47]].concat(),
    ];
    for header in headers {
        let packet = |message: &[u8]| {
            let line = "12:00:00.000000 IP 192.0.2.1.5060 > 192.0.2.2.sip: SIP: OPTIONS sip:b@b.example SIP/2.0\n";
            format!("{line}{}\n", printed(&[&header[..], message].concat()))
        };
        let begin = "tcpdump: verbose output suppressed, use -v[v]... for full protocol decode\n\
                     listening on lo, link-type EN10MB (Ethernet), snapshot length 262144 bytes\n";
        let (packets, notes) = read(format!("{begin}{}{}{}", packet(&one), packet(&two), packet(&one)).as_bytes());
        let got: Vec<_> = packets.iter().map(|packet| packet.bytes.clone()).collect();
        assert_eq!(got, [&one[..], &two, &one], "{}", String::from_utf8_lossy(&header));
        assert!(packets.iter().all(|packet| !packet.is_cut) && notes.iter().all(|note| note.what == What::Mended));
        // One whose end was not captured ends where the next begins.
        let cut = &two[..two.len() - 4];
        let (packets, _) = read(format!("{}{}", packet(cut), packet(&one)).as_bytes());
        assert_eq!(packets.iter().map(|packet| packet.is_cut).collect::<Vec<_>>(), [true, false]);
        assert_eq!(packets[1].bytes, one);
    }
}

#[test]
fn a_dissection_is_refused() {
    let text = "Frame 1: 400 bytes on wire (3200 bits), 400 bytes captured (3200 bits)\nEthernet II\n\
                Session Initiation Protocol (OPTIONS)\n    Request-Line: OPTIONS sip:b@b.example SIP/2.0\n        Method: OPTIONS\n    \
                Message Header\n        Via: SIP/2.0/UDP a.example;branch=z9hG4bK1\n            Transport: UDP\n";
    let failure = |text: &str| {
        let mut reader = Reader::new();
        reader.feed(text.as_bytes());
        reader.finish();
        reader.next_packet().err().map(|error| error.kind)
    };
    for text in [text, &text.replace("Request-Line: OPTIONS sip:b@b.example SIP/2.0", "Status-Line: SIP/2.0 200 OK")] {
        assert_eq!(failure(text), Some(ReadErrorKind::Dissection));
    }
    // Who writes about one has no such lines.
    assert_eq!(failure(&format!("> Session Initiation Protocol (OPTIONS)\n\n{INVITE}")), None);
}

/// A capture, and what tools print of it: tcpdump 4.99.3, TShark 4.0.17, od of coreutils 9.1.
macro_rules! sample {
    ($name:literal) => {
        include_bytes!(concat!("../samples/", $name))
    };
}

#[test]
fn what_tools_print_of_a_capture_reads_as_the_capture() {
    let told = |text: &[u8]| {
        let (packets, _) = read(text);
        let ends = |packet: ringback_capture::Packet| (packet.bytes, packet.source, packet.destination, packet.carrier);
        packets.into_iter().map(ends).collect::<Vec<_>>()
    };
    let all = told(sample!("own.pcap"));
    assert_eq!(all.len(), 4);
    assert!(
        all.iter().all(|(_, source, destination, carrier)| {
            source.is_some() && destination.is_some() && carrier.is_some()
        })
    );
    assert_eq!(told(sample!("od-x-pcap.txt")), all);
    // The message of two segments stands in their frames, and put together once more.
    assert_eq!(told(sample!("tshark-x.txt")), all);
    assert_eq!(told(sample!("tshark-V-x.txt")), [all[0].clone(), all[2].clone()]);
    // A filter left the first segment out: only what was put together has all of it.
    let filtered = told(sample!("tshark-Y-sip-x.txt"));
    assert_eq!(
        filtered.iter().map(|(bytes, ..)| bytes).collect::<Vec<_>>(),
        all.iter().map(|(bytes, ..)| bytes).collect::<Vec<_>>()
    );
    // As text, where segments stay apart; with -v each message is there twice.
    for text in [&sample!("tcpdump-A.txt")[..], sample!("tcpdump-A-v.txt")] {
        let mut printed = told(text);
        let cut = printed.remove(2);
        assert_eq!(printed, [all[0].clone(), all[1].clone(), all[3].clone()]);
        assert!(all[2].0.starts_with(&cut.0[..cut.0.len() - 2]));
        assert_eq!((cut.1, cut.2, cut.3), (all[2].1, all[2].2, all[2].3));
    }
}

/// Words of two bytes, whose order tells of the machine; the last one is filled up.
#[test]
fn words_of_od_are_read_in_either_order() {
    for dump in [&sample!("od-x.txt")[..], sample!("od-x-big.txt")] {
        let (packets, notes) = read(dump);
        assert_eq!((packets.len(), notes.len()), (1, 0));
        assert_eq!(packets[0].bytes, read(sample!("own.pcap")).0[0].bytes);
        assert_eq!(packets[0].bytes.len() % 2, 1);
    }
}

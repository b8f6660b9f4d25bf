//! What went wrong in others, by their advisories.

use ringback_sdp::attribute::{Candidate, Fmtp, RtpMap};
use ringback_sdp::negotiate::{Answer, Codec, Endpoint, LocalMedia, Refused, Session};
use ringback_sdp::{FORMATS_MAX, MEDIA_MAX, Origin, ParseErrorKind, SDP_BYTES_MAX, SessionDescription};

const HEAD: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n";
const REST: &str = "c=IN IP4 192.0.2.1\r\nt=0 0\r\n";

fn has() -> Endpoint {
    let audio = LocalMedia::audio(5000).codec(Codec::pcmu()).codec(Codec::opus()).codec(Codec::telephone_event(8_000));
    Endpoint::new(Origin::parse("b 1 1 IN IP4 192.0.2.2").unwrap(), "192.0.2.2").bundles().media(audio)
}

fn parse(text: &str) -> SessionDescription {
    SessionDescription::parse(text).unwrap_or_else(|error| panic!("{error}: {text:?}"))
}

fn answer(text: &str) -> Result<Answer, Box<Refused>> {
    Session::new().receive(parse(text))?.answer(&has())
}

/// FreeSWITCH GHSA-gjj5-79p2-9g3q: codec names that are twice there ran over a table.
#[test]
fn ghsa_gjj5_79p2_9g3q_duplicate_names() {
    let types: String = (0..128).map(|number| format!(" {number}")).collect();
    let maps: String = (0..128).map(|number| format!("a=rtpmap:{number} opus/48000/2\r\n")).collect();
    let text = format!("{HEAD}{REST}m=audio 4 RTP/AVP{types}\r\n{}", maps.repeat(8));
    let session = answer(&text).unwrap().sent();
    // Of 128 names for one codec, one is answered.
    assert_eq!(session.streams()[0].send.len(), 1);
    assert_eq!(session.streams()[0].send[0].payload_type, 0);
    for bad in [
        format!("{HEAD}{REST}{}", "m=audio 4 RTP/AVP 0\r\n".repeat(MEDIA_MAX + 1)),
        format!("{HEAD}{REST}{}", "m=audio 4 RTP/AVP 0\r\n".repeat(1000)),
        format!("{HEAD}{REST}m=audio 4 RTP/AVP{}\r\n", " 0".repeat(FORMATS_MAX + 1)),
    ] {
        assert_eq!(SessionDescription::parse(bad).unwrap_err().kind, ParseErrorKind::TooLarge);
    }
}

/// PJSIP CVE-2022-24764: printing what was parsed ran over the buffer.
#[test]
fn cve_2022_24764_print_overflow() {
    for attribute in ["a=x".to_owned(), format!("a={}", "x".repeat(60_000)), format!("a=x:{}", "y".repeat(60_000))] {
        let text = format!("{HEAD}{REST}{attribute}\r\nm=audio 4 RTP/AVP 0\r\n{}\r\n", "a=x:\u{fffd}");
        let description = parse(&text);
        assert_eq!(description.byte_len(), text.len());
        assert_eq!(description.to_bytes(), text.as_bytes());
        assert_eq!(description.to_bytes().capacity(), text.len());
    }
}

/// Asterisk CVE-2018-1000099: an fmtp that is none stopped the process.
#[test]
fn cve_2018_1000099_invalid_fmtp() {
    let long = format!("96 {}", "x".repeat(60_000));
    for fmtp in [
        "",
        ":",
        ":96",
        ":96 ",
        ": 96",
        ":x",
        ":x y",
        ":-1 y",
        ":999 y",
        ":4294967296 y",
        ":96  y",
        &format!(":{long}"),
    ] {
        let text =
            format!("{HEAD}{REST}m=audio 4 RTP/AVP 0 96\r\na=rtpmap:96 telephone-event/8000\r\na=fmtp{fmtp}\r\n");
        let description = parse(&text);
        let _ = description.check();
        let read = description.media()[0].section().attribute::<Fmtp<'_>>();
        assert_eq!(
            read.is_some(),
            fmtp.trim_start_matches(':').trim().contains(' ') && !fmtp.starts_with(": "),
            "{fmtp:.9}"
        );
        assert_eq!(answer(&text).unwrap().sent().streams()[0].send[0].codec.name(), "PCMU");
    }
}

/// Asterisk CVE-2018-1000098: a payload type that is none stopped the process.
#[test]
fn cve_2018_1000098_invalid_media_format() {
    for formats in [" -1", " 128", " 255", " 256", " 99999999999999999999", " x", "", " ", " 0x1", " +8", " 96", " 1.5"]
    {
        let text =
            format!("{HEAD}{REST}m=audio 4 RTP/AVP{formats}\r\na=rtpmap:-1 PCMU/8000\r\na=rtpmap:300 PCMU/8000\r\n");
        assert!(SessionDescription::parse_strict(&text).is_err() || formats == " 96", "{formats:?}");
        assert_eq!(answer(&text).map(drop).unwrap_err().refusal.warning.unwrap().code(), 305, "{formats:?}");
        let mixed = text.replace("RTP/AVP", "RTP/AVP 0");
        assert_eq!(answer(&mixed).unwrap().description().media()[0].formats().len(), 1, "{formats:?}");
    }
}

/// Asterisk CVE-2013-5642: a media line before the connection line was read through a null pointer.
#[test]
fn cve_2013_5642_order_and_absence() {
    let lines = ["v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0", "m=audio 4 RTP/AVP 0"];
    let mut orders = vec![vec![]];
    for line in lines {
        let longer = orders.iter().flat_map(|order: &Vec<&str>| {
            (0..=order.len()).map(|place| {
                let mut order = order.clone();
                order.insert(place, line);
                order
            })
        });
        orders = longer.collect();
    }
    assert_eq!(orders.len(), 720);
    let mut answered = 0;
    for order in &orders {
        for left_out in 0..=order.len() {
            let kept: Vec<&str> =
                order.iter().enumerate().filter(|(i, _)| *i != left_out).map(|(_, line)| *line).collect();
            let text = kept.join("\r\n") + "\r\n";
            let Ok(description) = SessionDescription::parse(&text) else { continue };
            let strict = description.to_string();
            assert_eq!(parse(&strict), description);
            // Whatever is read has media with an address, or is refused for the lack of it.
            if let Ok(answer) = Session::new().receive(description).unwrap().answer(&has()) {
                answered += answer.sent().streams().iter().filter(|stream| stream.remote.is_some()).count();
            }
        }
    }
    assert!(answered > 100, "{answered}");
}

/// OSS-Fuzz on Kamailio, OSV-2024-1200 and its like: scanners read past the end of a text that was cut off.
#[test]
fn osv_2024_1200_truncation() {
    let text = format!(
        "{HEAD}{REST}m=audio 4 RTP/AVP 0 96\r\na=rtpmap:96 opus/48000/2\r\na=fmtp:96 a=1;b\r\na=rtcp:5 IN IP4 192.0.2.1\r\n\
         a=candidate:1 1 UDP 2130706431 203.0.113.1 8998 typ srflx raddr 192.0.2.3 rport 9 generation 0\r\n"
    );
    let mut read = 0;
    for end in 0..=text.len() {
        if let Ok(description) = SessionDescription::parse(&text.as_bytes()[..end]) {
            read += 1;
            let _ = description.check();
            for media in description.media() {
                let _ = media.section().attributes::<Candidate<'_>>().chain(media.section().attributes()).count();
                let _ = media.section().attributes::<RtpMap<'_>>().count();
            }
            let _ = Session::new().receive(description).unwrap().answer(&has()).map(|answer| answer.sent());
        }
    }
    assert!(read > 200, "{read}");
}

/// resiprocate CVE-2017-11521: numbers of ports and addresses were made into lists.
#[test]
fn cve_2017_11521_numbers_are_not_lists() {
    for line in ["m=audio 1/4294967295 RTP/AVP 0", "m=audio 1/65536 RTP/AVP 0", "m=audio 1/0 RTP/AVP 0"] {
        assert!(SessionDescription::parse(format!("{HEAD}{REST}{line}\r\n")).is_err(), "{line}");
    }
    let many = format!("{HEAD}c=IN IP4 233.252.0.1/127/4294967295\r\nt=0 0\r\nm=audio 1/65535 RTP/AVP 0\r\n");
    let description = parse(&many);
    assert_eq!(description.section().connection().unwrap().count, Some(u32::MAX));
    assert_eq!(description.to_string(), many);
    let joins = LocalMedia::audio(1).codec(Codec::pcmu()).joins_multicast();
    let has = Endpoint::new(Origin::parse("b 1 1 IN IP4 192.0.2.2").unwrap(), "192.0.2.2").both_families().media(joins);
    // There aren't as many groups of IPv4; of IPv6 there are.
    assert_eq!(Session::new().receive(description).unwrap().answer(&has).unwrap_err().refusal.status, 488);
    let description = parse(&many.replace("IP4 233.252.0.1/127/", "IP6 ff00::db8:0:101/"));
    let session = Session::new().receive(description).unwrap().answer(&has).unwrap().sent();
    assert_eq!(session.streams().len(), 1);
    assert!(SessionDescription::parse(many.replace("4294967295", "4294967296")).is_err());
}

/// OpenSIPS CVE-2023-27600: a line was deleted up to a line end that wasn't there.
#[test]
fn cve_2023_27600_no_final_line_end() {
    for end in ["\r\n", "\n", "\r", "", "\r\n\r\n", "\r\r\n", " ", "\n\n\n"] {
        for bare in [false, true] {
            let text = format!("{HEAD}{REST}m=audio 4 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv{end}");
            let text = if bare { text.replace("\r\n", "\n") } else { text };
            let mut description = parse(&text);
            let section = description.media_mut(0).unwrap().section_mut();
            section.remove("sendrecv");
            section.remove("sendrecv ");
            section.remove("rtpmap");
            assert_eq!(description.to_string(), format!("{HEAD}{REST}m=audio 4 RTP/AVP 0\r\n"), "{end:?}");
        }
    }
}

/// OpenSIPS CVE-2026-46334: a bandwidth line without its colon was copied from nowhere.
#[test]
fn cve_2026_46334_bandwidth_without_colon() {
    for bandwidth in ["b=", "b=AS", "b=:", "b=AS:", "b=:1", "b=AS:x", "b=AS:-1", "b=AS:18446744073709551616", "b"] {
        for text in [
            format!("{HEAD}c=IN IP4 192.0.2.1\r\n{bandwidth}\r\nt=0 0\r\nm=audio 4 RTP/AVP 0\r\n"),
            format!("{HEAD}{REST}m=audio 4 RTP/AVP 0\r\n{bandwidth}\r\n"),
        ] {
            let error = SessionDescription::parse(&text).unwrap_err();
            assert_eq!(text.lines().nth(error.line as usize - 1).unwrap(), bandwidth, "{error}");
        }
    }
}

/// Sofia-SIP CVE-2022-31001, 31002 and 31003: one letter and nothing behind it was read past its end.
#[test]
fn cve_2022_31001_a_letter_alone() {
    for text in
        ["v", "v=", "v=0", "o", "a", "=", "\r", "\n", "\0", "v=0\r\no", "v=0\r\no=", "v=0\r\no=- 1 1 IN IP4 h\r\na"]
    {
        assert!(SessionDescription::parse(text).is_err(), "{text:?}");
    }
    let whole = format!("{HEAD}{REST}m=audio 4 RTP/AVP 0\r\n");
    for letter in (b'A'..=b'z').filter(u8::is_ascii_alphabetic).map(char::from) {
        assert!(SessionDescription::parse(format!("{whole}{letter}")).is_err());
        let _ = SessionDescription::parse(format!("{whole}{letter}="));
        let _ = SessionDescription::parse(format!("{HEAD}{letter}=\r\n{REST}"));
    }
}

/// sngrep ES2020-03 and ES2020-04: a long media type or address ran over its buffer.
#[test]
fn es2020_03_long_media_type_and_address() {
    let long = "x".repeat(60_000);
    for text in [
        format!("{HEAD}{REST}m={long} 4 RTP/AVP 0\r\n"),
        format!("{HEAD}{REST}m=audio 4 {long} 0\r\n"),
        format!("{HEAD}{REST}m=audio 4 RTP/AVP 0\r\nc=IN IP4 {long}\r\n"),
        format!("{HEAD}c=IN {long} h\r\nt=0 0\r\nm=audio 4 RTP/AVP 0\r\n"),
    ] {
        let description = parse(&text);
        assert_eq!(description.to_string(), text);
        let answer = Session::new().receive(description).unwrap().answer(&has());
        if let Ok(session) = answer.map(Answer::sent) {
            assert_eq!(session.streams()[0].remote.as_ref().unwrap().address.len(), 60_000);
        }
    }
    assert!(SessionDescription::parse(format!("{HEAD}{REST}m={} 4 RTP/AVP 0\r\n", "x".repeat(SDP_BYTES_MAX))).is_err());
}

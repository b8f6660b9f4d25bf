//! What is built, and what the check finds.

use ringback_sdp::attribute::{Ptime, T38};
use ringback_sdp::negotiate::{Codec, LocalMedia, OfferError, Session};
use ringback_sdp::{BuildError, LINES_MAX, Line, MEDIA_MAX, SDP_BYTES_MAX, SdpBuilder, SessionDescription};

use crate::negotiate::{endpoint, parse};

const TEXT: &str = "v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nr=7d 1h 0\r\nt=1 0\r\n\
    a=tool:x\r\nm=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

fn line(letter: char, value: &str) -> Line {
    Line::new(letter, value).unwrap()
}

#[test]
fn a_line_is_put_where_it_may_stand() {
    let mut description = parse(TEXT);
    let section = description.section_mut();
    for (letter, value) in [
        ('i', "x"),
        ('u', "x:"),
        ('b', "AS:1"),
        ('r', "7d 1h 0"),
        ('z', "1 -1h"),
        ('e', "a@b"),
        ('p', "12"),
        ('a', "y"),
    ] {
        section.insert(line(letter, value)).unwrap();
    }
    let media = description.media_mut(0).unwrap().section_mut();
    for (letter, value) in [('b', "AS:1"), ('i', "x"), ('c', "IN IP4 233.252.0.2/1"), ('c', "IN IP4 233.252.0.3/1")] {
        media.insert(line(letter, value)).unwrap();
    }
    let text = description.to_string();
    assert_eq!(SessionDescription::parse_strict(&text).unwrap(), description);
    let letters: String = text.lines().filter_map(|line| line.chars().next()).collect();
    assert_eq!(letters, "vosiuepcbtrtrzaamiccba");
    description.check().unwrap();
}

#[test]
fn a_line_without_a_place_is_refused() {
    let begun = parse(TEXT);
    for (letter, value) in [
        ('m', "audio 1 RTP/AVP 0"),
        ('o', "- 1 1 IN IP4 h"),
        ('v', "0"),
        ('k', "prompt"),
        ('y', "1"),
        ('s', "again"),
        ('c', "IN IP4 192.0.2.2"),
        ('b', "AS"),
        ('t', "0"),
        ('t', "0  0"),
        ('z', "1 -1h"),
        ('p', "call me"),
        ('u', "not a uri"),
        ('e', "nobody"),
        ('i', ""),
        ('a', ""),
        ('a', "two words"),
        ('a', "x:"),
        ('a', "rtcp-mux:yes"),
        ('a', "sendrecv:yes"),
    ] {
        let mut description = begun.clone();
        assert!(description.section_mut().insert(line(letter, value)).is_err(), "{letter}={value}");
        assert_eq!(description, begun);
    }
    for (letter, value) in [
        ('m', "audio 1 RTP/AVP 0"),
        ('t', "0 0"),
        ('r', "7d 1h 0"),
        ('s', "x"),
        ('u', "x:"),
        ('c', "IN IP4"),
        ('c', "IN IP6 192.0.2.1"),
        ('a', "rtpmap:0 PCMU"),
        ('a', "rtpmap:0  PCMU/8000"),
    ] {
        let mut description = begun.clone();
        let media = description.media_mut(0).unwrap().section_mut();
        assert!(media.insert(line(letter, value)).is_err(), "{letter}={value}");
        assert_eq!(description, begun);
    }
    let error = Line::new('é', "x").unwrap_err().to_string();
    assert!(error.contains("a letter of ASCII") && error.contains('é'), "{error}");
}

/// What comes in is read; the check says what is wrong with it, and it can't be offered.
#[test]
fn the_check_finds_what_can_not_be_meant() {
    let session = |lines: &str| TEXT.replace("a=tool:x\r\n", lines);
    let media = |lines: &str| format!("{TEXT}{lines}");
    let rtp = |formats: &str, lines: &str| TEXT.replace("RTP/AVP 0", &format!("RTP/AVP 0 {formats}")) + lines;
    for (text, wanted) in [
        (media("a=sendrecv:yes\r\n"), "no value"),
        (media("a=two words\r\n"), "a token"),
        (media("a=x:\r\n"), "a value behind the colon"),
        (media("a=ptime:020\r\n"), "line 11, column 9: expected milliseconds above 0 [RFC 8866, Section 6.4]"),
        (media("a=ptime:20 \r\n"), "no blank at the end"),
        (media("a=ptime:20\r\na=ptime:30\r\n"), "may be there once"),
        (media("a=mid:a\r\na=mid:b\r\n"), "may be there once"),
        (media("a=group:LS a\r\na=mid:a\r\n"), "of the session in a media description"),
        (media("a=tool:x\r\n"), "of the session in a media description"),
        (session("a=rtpmap:0 PCMU/8000\r\n"), "at the session level"),
        (session("a=mid:a\r\n"), "at the session level"),
        (session("p=call me\r\n"), "a number to call"),
        (session("u=not a uri\r\n"), "a reference to a URI"),
        (session("e=nobody\r\n"), "an address of mail"),
        (rtp("96", "a=rtpmap:96 opus/0\r\n"), "a clock rate above 0"),
        (rtp("96", "a=rtpmap:96  opus/48000/2\r\n"), "one blank"),
        (rtp("96", "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 a=1\r\na=fmtp:96 b=1\r\n"), "a second fmtp"),
        (rtp("72", "a=rtpmap:72 opus/48000/2\r\na=rtcp-mux\r\n"), "takes for RTCP"),
        (rtp("96", "a=rtpmap:96 telephone-event/8000\r\na=fmtp:96 15-0\r\n"), "ranges that go up"),
        (rtp("96", "a=rtpmap:96 H264/90000\r\na=fmtp:96 profile-level-id=zz\r\n"), "profile-level-id"),
        (rtp("96", "a=rtpmap:96 rtx/8000\r\n"), "rtx without"),
        (
            rtp("96", "a=rtpmap:96 rtx/8000\r\na=fmtp:96 apt=97\r\n"),
            "rtx for a payload type that is not listed: \"97\" [RFC 4588]",
        ),
        (media("a=mid:a\r\n").replace("audio 4000", "audio 0") + "a=bundle-only\r\n", "bundle-only in no bundle"),
        (TEXT.replace("c=IN IP4 192.0.2.1\r\n", ""), "without a c= line"),
        (TEXT.replace("RTP/AVP 0", "RTP/AVP"), "without a format"),
        (TEXT.replace("RTP/AVP 0", "RTP/AVP 0 128"), "no payload type from 0 to 127"),
        (TEXT.replace("RTP/AVP 0", "RTP/AVP 0 pcmu"), "no payload type from 0 to 127"),
        (media("m=image 8 udptl t(38\r\n"), "no token"),
        (media("y=1\r\n"), "doesn't know"),
        (rtp("96", "a=rtpmap:96 opus/48000\r\n"), "its two channels"),
        (media("a=extmap:0 urn:x\r\n"), "the number of padding"),
        (media("a=extmap:1 urn:x\r\na=extmap:1/sendonly urn:y\r\n"), "have one number"),
        (session("a=extmap:1 urn:x\r\n") + "a=extmap:1 urn:y\r\n", "have one number"),
        (media("a=rid:1 send pt=0,96\r\n"), "a format that is not listed"),
        (media("a=rid:1 send\r\na=rid:1 recv\r\n"), "have one name"),
        (media("a=simulcast:send 1\r\n"), "without a rid in its direction"),
        (media("a=rid:1 recv\r\na=simulcast:send 1\r\n"), "without a rid in its direction"),
        (media("a=rid:1 send\r\na=simulcast:send 1;~1\r\n"), "an encoding twice"),
        (media("a=ice-ufrag:abcd\r\n"), "ice-ufrag without ice-pwd"),
        (session("a=ice-pwd:abcdefghijklmnopqrstuv\r\n"), "ice-pwd without ice-ufrag"),
        (media("a=rtcp-mux-only:yes\r\n"), "the end of the line"),
        (session("a=rtcp-mux-only\r\n"), "at the session level"),
        (media("a=crypto:1 X inline:a\r\na=crypto:1 Y inline:b\r\n"), "one tag"),
        (media("a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:YQ==|2^20\r\n"), "not as long as its suite"),
        (session("y=1\r\n"), "doesn't know"),
    ] {
        let error = parse(&text).check().expect_err(wanted).to_string();
        assert!(error.contains(wanted), "{wanted}: {error}");
        assert!(matches!(Session::new().draft(parse(&text)), Err(OfferError::Invalid(_))), "{text}");
    }
    for good in [
        TEXT.into(),
        session("a=ice-ufrag:abcd\r\n") + "a=ice-pwd:abcdefghijklmnopqrstuv\r\n",
        session("a=ice-ufrag:abcd\r\n").replace("audio 4000", "audio 0"),
        media("a=extmap:4096 urn:x\r\na=extmap:4096 urn:y\r\na=extmap:1 urn:z\r\na=extmap:2 urn:z\r\n"),
        media("a=rid:1 send pt=0\r\na=rid:2 send\r\na=rid:3 recv\r\na=simulcast:recv 3 send 1,~2\r\n"),
        media("a=crypto:1 X inline:a\r\na=crypto:2 X inline:b\r\na=rtcp-mux\r\na=rtcp-mux-only\r\n"),
    ] {
        parse(&good).check().unwrap_or_else(|error| panic!("{error}: {good}"));
    }
    let mut crowded = parse(TEXT);
    (1..MEDIA_MAX).for_each(|_| crowded.push_media(crowded.media()[0].clone()));
    crowded.check().unwrap();
    crowded.push_media(crowded.media()[0].clone());
    assert!(crowded.check().unwrap_err().to_string().contains("more media descriptions than are read: \"129\""));
    for (value, count, wanted) in [("x".into(), LINES_MAX, "more lines"), ("x".repeat(SDP_BYTES_MAX), 1, "more bytes")]
    {
        let mut long = parse(TEXT);
        (0..count).for_each(|_| long.section_mut().insert(line('a', &value)).unwrap());
        assert!(long.check().unwrap_err().to_string().contains(wanted));
        assert!(SessionDescription::parse_strict(long.to_bytes()).is_err());
    }
    let mut lacking = parse(TEXT);
    lacking.section_mut().remove_letter('t');
    assert!(lacking.check().is_err());
    let mut lacking = parse(TEXT);
    lacking.section_mut().remove_letter('s');
    assert!(lacking.check().unwrap_err().to_string().contains("s= line is missing"));
}

/// An address is one of its family, or a name, and several are those of groups.
#[test]
fn the_check_finds_what_is_no_address() {
    let at = |connection: &str| TEXT.replace("c=IN IP4 192.0.2.1", &format!("c={connection}"));
    let from = |host: &str| TEXT.replace("1 1 IN IP4 192.0.2.1", &format!("1 1 {host}"));
    let stream = |lines: &str| TEXT.replace("RTP/AVP 0\r\n", &format!("RTP/AVP 0\r\n{lines}"));
    for (text, wanted, section) in [
        (at("IN IP4 192.0.2.999"), "neither one nor a name", "[RFC 8866, Section 9]"),
        (at("IN IP4 192.0.2"), "neither one nor a name", "[RFC 8866, Section 9]"),
        (at("IN IP4 -"), "neither one nor a name", "[RFC 8866, Section 9]"),
        (at("IN IP6 2001:db8::g"), "neither one nor a name", "[RFC 8866, Section 9]"),
        (at("IN IP6 fe80::1%eth0"), "neither one nor a name", "[RFC 8866, Section 9]"),
        (at("IN IP4 a_b.example"), "neither one nor a name", "[RFC 8866, Section 9]"),
        (at("IN IP4 240.0.0.1"), "kept for later", "[RFC 8866, Section 9]"),
        (from("IN IP6 192.0.2.1"), "said to be of type IP6", "[RFC 8866, Section 9]"),
        (from("IN IP4 2001:db8::1"), "said to be of type IP4", "[RFC 8866, Section 9]"),
        (from("IN IP4 192.0.2.1.5"), "neither one nor a name", "[RFC 8866, Section 9]"),
        (from("IN IP4 233.252.0.1"), "for the host of the origin", "[RFC 8866, Section 5.2]"),
        (at("IN IP4 233.252.0.1/1/2"), "several addresses at the session level", "[RFC 8866, Section 5.7]"),
        (stream("c=IN IP4 192.0.2.2\r\nc=IN IP4 192.0.2.3\r\n"), "beside another", "[RFC 8866, Section 5.7]"),
        (stream("c=IN IP4 233.252.0.1/1\r\nc=IN IP4 192.0.2.3\r\n"), "beside another", "[RFC 8866, Section 5.7]"),
        (stream("c=IN IP4 239.255.255.255/1/2\r\n"), "more addresses than", "[RFC 8866, Section 5.7]"),
        (
            stream("c=IN IP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/2\r\n"),
            "more addresses than",
            "[RFC 8866, Section 5.7]",
        ),
    ] {
        let error = parse(&text).check().expect_err(wanted).to_string();
        assert!(error.contains(wanted) && error.ends_with(section), "{wanted}: {error}");
    }
    for text in [
        at("IN IP4 host.example"),
        at("IN IP6 host.example."),
        at("IN IP4 0.0.0.0"),
        at("IN IP6 ::ffff:192.0.2.1"),
        at("IN IP4 233.252.0.1/1/1"),
        at("ATM NSAP 47.0091.8100"),
        from("IN IP4 pc33.4.example"),
        from("X Y -"),
        stream("c=IN IP4 239.255.255.254/1/2\r\nc=IN IP4 233.252.0.1/1\r\n"),
        stream("c=IN IP6 ff00::1/3\r\n"),
    ] {
        parse(&text).check().unwrap_or_else(|error| panic!("{error}: {text}"));
    }
}

#[test]
fn what_the_builder_is_told_is_held_to_the_same() {
    let audio = || {
        SdpBuilder::new("-")
            .origin("-", "1", "1", "IN", "IP4", "192.0.2.1")
            .connection("IN", "IP4", "192.0.2.1")
            .media_audio(4, "RTP/AVP")
    };
    let one = || audio().formats(&["0"]);
    for (builder, wanted) in [
        (one().done().phone("call me"), "a number to call"),
        (one().done().uri("not a uri"), "a reference to a URI"),
        (audio().formats(&["96"]).rtpmap("96", "opus/0").done(), "a clock rate above 0"),
        (audio().formats(&["96"]).rtpmap("96", " opus/48000").done(), "one blank"),
        (one().attribute("sendrecv", "yes").done(), "no value"),
        (one().attribute("ptime", " 20").done(), "milliseconds"),
        (one().rtcp(5).rtcp(7).done(), "may be there once"),
    ] {
        let error = builder.build().map(|sdp| sdp.to_string()).expect_err(wanted).to_string();
        assert!(error.contains(wanted), "{wanted}: {error}");
    }
}

#[test]
fn what_one_has_is_asked_before_it_is_offered() {
    let audio = || LocalMedia::audio(4000);
    for (media, wanted) in [
        (LocalMedia::video(4000).codec(Codec::h264("zz", 1)), "profile-level-id"),
        (
            LocalMedia::video(4000).codec(Codec::h264("42e01f", 9)),
            "a packetization-mode that isn't 0, 1 or 2: \"H264/90000/1",
        ),
        (
            audio().codec(Codec::pcmu()).with(&Ptime { time_us: 0 }),
            "media description 0: a=ptime, column 1 of the value",
        ),
        (audio().codec(Codec::opus().payload_type(200)), "above 127"),
        (audio().codec(Codec::opus().payload_type(72)).rtcp_mux(), "takes for RTCP"),
        (audio().codec(Codec::pcmu()).codec(Codec::pcmu()), "an encoding twice"),
        (audio().codec(Codec::telephone_event(8_000).parameters("15-0")), "ranges that go up"),
        (audio().codec(Codec::new("opus", 0, 2)), "a clock rate above 0"),
        (audio().codec(Codec::new("OPUS", 16_000, 2)), "opus at another rate"),
        (audio().codec(Codec::new("opus", 48_000, 1)), "its two channels: \"opus/48000/1\" [RFC 7587, Section 7]"),
        (audio().codec(Codec::pcmu()).connection("1.2.3.999"), "neither one nor a name"),
        (
            audio().codec(Codec::pcmu()).key("AES_CM_128_HMAC_SHA1_80", "inline:c2hvcnQ="),
            "asks for: \"AES_CM_128_HMAC_SHA1_80\" [RFC 4568, Section 6.2.1]",
        ),
        (LocalMedia::video(4000).codec(Codec::rtx(90_000)), "rtx without"),
    ] {
        let has = endpoint("a", "192.0.2.1").media(media);
        let error = has.offer().map(|offer| offer.to_string()).expect_err(wanted).to_string();
        assert!(error.contains(wanted), "{wanted}: {error}");
        if wanted != "rtx without" {
            let offer = parse(TEXT);
            let text = offer.to_string().replace("m=audio", "m=video");
            for offer in [offer, parse(&text)] {
                let answer = Session::new().receive(offer).unwrap().answer(&has).map(|a| a.description().to_string());
                let refused = answer.unwrap_err();
                assert!(refused.mistake.is_some(), "{refused}");
            }
        }
    }
}

#[test]
fn a_defect_has_the_place_that_it_would_have_in_the_text() {
    let has = endpoint("a", "192.0.2.1")
        .media(LocalMedia::audio(4000).codec(Codec::pcmu()))
        .media(LocalMedia::t38(4002, T38::default()).attribute("ptime", Some("x")));
    let Err(BuildError::Malformed(error)) = has.offer() else { panic!() };
    assert_eq!((error.line, error.column), (9, 9), "{error}");
    let has = endpoint("a", "192.0.2.1").media(LocalMedia::audio(4000).protocols(&["RTP AVP"]).codec(Codec::pcmu()));
    let Err(BuildError::Malformed(error)) = has.offer() else { panic!() };
    assert_eq!((error.line, error.column), (6, 18), "{error}");
    assert!(!ringback_sdp::MediaLine::parse("audio").unwrap_err().to_string().contains("line 0"));
}

//! Typed attributes.

#![allow(elided_lifetimes_in_paths, reason = "the macro names types, whether they borrow or not")]

use ringback_sdp::attribute::*;
use ringback_sdp::{Connection, MediaDirection, SessionDescription};

/// That good values come back to the letter, and bad ones are refused at their column.
macro_rules! attribute {
    ($type:ty, $name:literal: $($good:literal),+; $($bad:literal @ $column:literal),*) => {{
        assert_eq!(<$type>::NAME, $name);
        for good in [$($good),+] {
            let read = <$type>::parse(good).unwrap_or_else(|error| panic!("{good:?}: {error}"));
            assert_eq!(read.to_string(), good);
            assert_eq!(read.to_line().unwrap().text(), if good.is_empty() { $name.to_owned() } else { format!("{}:{good}", $name) });
        }
        let bad: &[(&str, u32)] = &[$(($bad, $column)),*];
        for (bad, column) in bad {
            let error = <$type>::parse(bad).map(drop).expect_err(bad);
            assert_eq!(error.column, *column, "{bad:?}: {error}");
        }
    }};
}

#[test]
fn attributes_of_rtp() {
    attribute!(RtpMap, "rtpmap": "0 PCMU/8000", "96 opus/48000/2", "127 x-new.1/1";
        "" @ 1, "96" @ 3, "128 a/1" @ 1, "96 /1" @ 4, "96 a" @ 5, "96 a/" @ 6, "96 a/4294967296" @ 6, "96 a/1/x" @ 8, "96 a/0" @ 6, "96 a/1/0" @ 8,
        "-1 a/1" @ 1, "96 a/1 b" @ 8);
    attribute!(Fmtp, "fmtp": "97 mode=20", "101 0-15", "t38 a;b=c", "111 minptime=10;useinbandfec=1";
        "" @ 1, "97" @ 3, "97 " @ 4);
    attribute!(Ptime, "ptime": "20", "2.5", "0.125", "7.25"; "0" @ 1, "" @ 1, "-1" @ 1, "x" @ 1, "20 x" @ 4, "0.0" @ 1);
    attribute!(MaxPtime, "maxptime": "120"; "0" @ 1);
    attribute!(FrameRate, "framerate": "29.97", "15"; "0" @ 1);
    attribute!(Rtcp, "rtcp": "53020", "53020 IN IP4 126.16.64.4", "53020 IN IP6 2001:db8::1";
        "" @ 1, "65536" @ 1, "1 IN" @ 5, "1 IN IP4 " @ 10);
    attribute!(RtcpMux, "rtcp-mux": ""; "x" @ 1);
    attribute!(RtcpRsize, "rtcp-rsize": ""; "x" @ 1);
    attribute!(RtcpFeedback, "rtcp-fb": "96 nack pli", "* ccm fir"; "" @ 1, "200 nack" @ 1, "96" @ 3);
    attribute!(ExtMap, "extmap": "1 urn:ietf:params:rtp-hdrext:ssrc-audio-level", "2/sendonly http://a.example/x y z";
        "" @ 1, "1" @ 2, "1/both urn:x" @ 3, "65536 urn:x" @ 1);
    attribute!(ExtMapAllowMixed, "extmap-allow-mixed": ""; "1" @ 1);
    attribute!(Ssrc, "ssrc": "3656667645 cname:FSzA", "1 x"; "4294967296 a" @ 1, "1" @ 2, "1 " @ 3);
    attribute!(SsrcGroup, "ssrc-group": "FID 3656667645 4268086525", "FEC"; "FID x" @ 5);
    assert_eq!(
        Fmtp::parse("1 a=b; c ;d = e;;").unwrap().pairs().collect::<Vec<_>>(),
        [("a", "b"), ("c", ""), ("d", "e")]
    );
    assert_eq!(Ptime::parse("2.5").unwrap().time_us, 2_500);
}

#[test]
fn attributes_of_sessions_and_groups() {
    attribute!(Tool, "tool": "x y 1.0"; "" @ 1);
    attribute!(Category, "cat": "foo.bar"; "" @ 1);
    attribute!(Keywords, "keywds": "a b"; "" @ 1);
    attribute!(Charset, "charset": "ISO-8859-1"; "" @ 1);
    attribute!(SdpLang, "sdplang": "fr"; "" @ 1, "f r" @ 3);
    attribute!(Lang, "lang": "de-AT"; "" @ 1);
    attribute!(Orient, "orient": "landscape"; "" @ 1);
    attribute!(SessionType, "type": "H332"; "" @ 1);
    attribute!(Quality, "quality": "10"; "x" @ 1);
    attribute!(Mid, "mid": "0", "audio"; "" @ 1, "a b" @ 3);
    attribute!(Label, "label": "1"; "" @ 1);
    attribute!(BundleOnly, "bundle-only": ""; "x" @ 1);
    attribute!(Group, "group": "BUNDLE a b c", "LS"; "" @ 1, "LS a  b:c" @ 8);
    attribute!(Msid, "msid": "examplefoo examplebar", "-"; "" @ 1, "a b c" @ 5);
    attribute!(SctpPort, "sctp-port": "5000"; "65536" @ 1);
    attribute!(MaxMessageSize, "max-message-size": "100000"; "-1" @ 1);
    attribute!(Rid, "rid": "1 send pt=97;max-width=1280;max-height=720", "hi recv", "2 recv max-br=64000", "3 send pt=97,98";
        "" @ 1, "1 both" @ 3, "1 send pt=" @ 11, "1 send pt=9 x" @ 12);
    attribute!(Simulcast, "simulcast": "send 1,~4;2;3 recv 5", "recv a;b send c";
        "" @ 1, "send" @ 5, "send ;" @ 6, "send 1 send 2" @ 8);
}

#[test]
fn attributes_of_security_and_connections() {
    attribute!(T38VendorInfo, "T38VendorInfo": "0 0 37", "181 0 65535"; "" @ 1, "256 0 1" @ 1, "1 0" @ 4, "1 0 65536" @ 5);
    attribute!(Setup, "setup": "active", "passive", "actpass", "holdconn"; "both" @ 1, "" @ 1);
    attribute!(ConnectionUse, "connection": "new", "existing"; "old" @ 1);
    attribute!(Crypto, "crypto": "1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4",
        "2 F8_128_HMAC_SHA1_80 inline:a;inline:b FEC_ORDER=FEC_SRTP WSH=60";
        "" @ 1, "1" @ 2, "1234567890 A inline:b" @ 1, "1 A" @ 4, "1 A b" @ 5);
    let digest = ["4A"; 20].join(":");
    let good = format!("sha-1 {digest}");
    assert_eq!(Fingerprint::parse(&good).unwrap().to_string(), good);
    for bad in ["", "sha-1", "sha-1 4A:AD", "x 4", "x 4A:A", "x :", "sha-256 4A"] {
        assert!(Fingerprint::parse(bad).is_err(), "{bad:?}");
    }
    let shown = format!("{:?}", Crypto::parse("1 A inline:c2VjcmV0").unwrap());
    assert!(!shown.contains("c2VjcmV0"), "{shown}");
    let all = [Setup::Active, Setup::Passive, Setup::ActPass, Setup::HoldConn];
    assert!(all.iter().all(|offered| offered.answered().answers(*offered)));
    assert!(all.iter().all(|offered| !Setup::ActPass.answers(*offered)));
}

#[test]
fn attributes_of_ice() {
    attribute!(Candidate, "candidate":
        "1 1 UDP 2130706431 203.0.113.141 8998 typ host",
        "2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998",
        "3305687779 1 tcp 1518280447 127.0.0.1 9 typ host tcptype active generation 0 network-id 1",
        "a/+1 2 udp 1 9f0e-x.local 9 typ relay";
        "" @ 1, "1 0 udp 1 h 9 typ host" @ 3, "1 257 udp 1 h 9 typ host" @ 3, "1 1 udp 4294967296 h 9 typ host" @ 9,
        "1 1 udp 1 h 65536 typ host" @ 13, "1 1 udp 1 h 9 host" @ 15, "1 1 udp 1 h 9 typ host x" @ 25);
    attribute!(RemoteCandidates, "remote-candidates": "1 192.0.2.3 45664 2 192.0.2.3 45665"; "" @ 1, "1 h" @ 4);
    attribute!(IceUfrag, "ice-ufrag": "8hhY"; "8hh" @ 1, "" @ 1);
    attribute!(IcePwd, "ice-pwd": "asd88fgpdd777uzjYhagZg"; "short" @ 1);
    attribute!(IceLite, "ice-lite": ""; "x" @ 1);
    attribute!(IceMismatch, "ice-mismatch": ""; "x" @ 1);
    attribute!(EndOfCandidates, "end-of-candidates": ""; "x" @ 1);
    attribute!(IceOptions, "ice-options": "trickle", "ice2 rtp+ecn", "google-ice"; "" @ 1);
    attribute!(IcePacing, "ice-pacing": "50"; "x" @ 1);
}

#[test]
fn attributes_of_preconditions() {
    attribute!(CurrentStatus, "curr": "qos e2e none", "qos local sendrecv"; "qos" @ 4, "qos far none" @ 5, "qos e2e up" @ 9);
    attribute!(DesiredStatus, "des": "qos mandatory e2e sendrecv", "x-other unknown remote send"; "qos must e2e send" @ 5);
    attribute!(ConfirmStatus, "conf": "qos remote recv"; "" @ 1);
}

#[test]
fn facsimile() {
    let offer = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=image 4000 udptl t38\r\n\
        a=T38FaxVersion:3\r\na=T38MaxBitRate:14400\r\na=T38FaxFillBitRemoval:0\r\na=T38FaxTranscodingMMR\r\n\
        a=t38faxratemanagement:transferredTCF\r\na=T38FaxMaxBuffer:2000\r\na=T38FaxMaxDatagram:400\r\n\
        a=T38FaxUdpEC:t38UDPFEC\r\na=T38FaxUdpECDepth:1 3\r\na=T38VendorInfo:0 0 37\r\n";
    let description = SessionDescription::parse(offer).unwrap();
    let offered = T38::of(description.media()[0].section());
    assert_eq!((offered.version, offered.max_bit_rate, offered.max_datagram), (Some(3), Some(14_400), Some(400)));
    assert_eq!(offered.error_correction_depth, Some((1, Some(3))));
    assert_eq!(offered.vendor, Some(T38VendorInfo { country: 0, extension: 0, manufacturer: 37 }));
    let lines: Vec<_> = offered.lines().iter().map(|line| line.text().into_owned()).collect();
    assert!(lines.contains(&"T38FaxUdpECDepth:1 3".to_owned()), "{lines:?}");
    assert!(lines.contains(&"T38VendorInfo:0 0 37".to_owned()), "{lines:?}");
    assert!(offered.transcoding_mmr && !offered.fill_bit_removal);
    let own = T38 {
        version: Some(0),
        max_bit_rate: Some(9_600),
        fill_bit_removal: true,
        rate_management: Some(RateManagement::LocalTcf),
        max_datagram: Some(1_000),
        error_correction: Some(UdpErrorCorrection::Redundancy),
        ..T38::default()
    };
    let answer: Vec<_> = own.answer(&offered).lines().iter().map(|line| line.text().into_owned()).collect();
    assert_eq!(
        answer,
        [
            "T38FaxVersion:0",
            "T38MaxBitRate:9600",
            "T38FaxRateManagement:transferredTCF",
            "T38FaxMaxDatagram:1000",
            "T38FaxUdpEC:t38UDPRedundancy"
        ]
    );
}

#[test]
fn what_would_not_be_read_back_is_not_written() {
    assert!(RtpMap { payload_type: 96, encoding: "a b", clock_rate: 1, channels: None }.to_line().is_err());
    assert!(RtpMap { payload_type: 200, encoding: "a", clock_rate: 1, channels: None }.to_line().is_err());
    assert!(Tool("x\r\na=evil").to_line().is_err());
    assert!(Mid("").to_line().is_err());
    // An address of IPv6 has no TTL: written, it would become a number of addresses.
    let group = Connection { ttl: Some(1), ..Connection::internet("ff15::1") };
    let mut description = SessionDescription::parse("v=0\r\no=- 1 1 IN IP4 h.example\r\ns=-\r\nt=0 0\r\n").unwrap();
    assert!(description.section_mut().set_connection(&group).is_err());
    description.section_mut().set_connection(&Connection::internet("ff15::1")).unwrap();
    assert!(Rtcp { port: 1, address: Some(Connection::internet("a b")) }.to_line().is_err());
}

#[test]
fn attributes_of_a_description_tell_line_and_column() {
    let text = "v=0\r\no=- 1 1 IN IP4 h.example\r\ns=-\r\nt=0 0\r\na=inactive\r\nm=audio 4 RTP/AVP 0 96\r\n\
        c=IN IP4 h.example\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:96 opus\r\na=sendonly\r\n";
    let description = SessionDescription::parse_strict(text).unwrap();
    let section = description.media()[0].section();
    let maps: Vec<_> = section.attributes::<RtpMap<'_>>().collect();
    assert_eq!(maps[0].unwrap().encoding, "PCMU");
    let error = maps[1].unwrap_err();
    assert_eq!((error.line, error.column), (9, 17));
    assert_eq!(description.direction_of(&description.media()[0]), MediaDirection::SendOnly);
    assert_eq!(description.section().direction(), Some(MediaDirection::Inactive));
    assert_eq!(section.attribute::<RtcpMux>(), None);
}

//! Descriptions in the manner of what is out there, written for these tests: browsers, desk phones, soft phones, servers,
//! gateways. Each has the habits of its kind, good and bad.

use ringback_sdp::attribute::{RateManagement, T38};
use ringback_sdp::negotiate::{Codec, Endpoint, LocalMedia, Session, StreamState};
use ringback_sdp::{MediaType, Origin, SessionDescription};

/// A name; lines, without their ends; whether the lines end in LF alone; how many departures from the grammar it has.
pub(crate) type Sample = (&'static str, &'static [&'static str], bool, usize);

pub(crate) const ALL: &[Sample] = &[
    ("browser", BROWSER, false, 0),
    ("desk phone", DESK_PHONE, false, 0),
    ("soft phone with SDES", SOFT_PHONE, false, 0),
    ("server with bare LF and blanks", SERVER, true, 11),
    ("old gateway", OLD_GATEWAY, false, 2),
    ("fax adapter", FAX, false, 0),
    ("IPv6 with preconditions", CORE_NETWORK, false, 0),
    ("door phone", DOOR_PHONE, false, 3),
];

const BROWSER: &[&str] = &[
    "v=0",
    "o=- 4215775240449105457 2 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    "a=group:BUNDLE 0 1",
    "a=extmap-allow-mixed",
    "a=msid-semantic: WMS 5b7e",
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126",
    "c=IN IP4 0.0.0.0",
    "a=rtcp:9 IN IP4 0.0.0.0",
    "a=candidate:842163049 1 udp 2122194687 192.0.2.10 58219 typ host generation 0 network-id 1",
    "a=ice-ufrag:F7gI",
    "a=ice-pwd:x9cml/YzichV2+XlhiMu8gEy",
    "a=ice-options:trickle",
    "a=fingerprint:sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB",
    "a=setup:actpass",
    "a=mid:0",
    "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    "a=sendrecv",
    "a=msid:5b7e 1f2d",
    "a=rtcp-mux",
    "a=rtcp-rsize",
    "a=rtpmap:111 opus/48000/2",
    "a=rtcp-fb:111 transport-cc",
    "a=fmtp:111 minptime=10;useinbandfec=1",
    "a=rtpmap:63 red/48000/2",
    "a=fmtp:63 111/111",
    "a=rtpmap:9 G722/8000",
    "a=rtpmap:0 PCMU/8000",
    "a=rtpmap:8 PCMA/8000",
    "a=rtpmap:13 CN/8000",
    "a=rtpmap:110 telephone-event/48000",
    "a=rtpmap:126 telephone-event/8000",
    "a=ssrc:3570614608 cname:4TOk42mSjXCkVIa6",
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99",
    "c=IN IP4 0.0.0.0",
    "a=rtcp:9 IN IP4 0.0.0.0",
    "a=ice-ufrag:F7gI",
    "a=ice-pwd:x9cml/YzichV2+XlhiMu8gEy",
    "a=fingerprint:sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB",
    "a=setup:actpass",
    "a=mid:1",
    "a=sendrecv",
    "a=rtcp-mux",
    "a=rtpmap:96 VP8/90000",
    "a=rtcp-fb:96 nack pli",
    "a=rtpmap:97 rtx/90000",
    "a=fmtp:97 apt=96",
    "a=rtpmap:98 H264/90000",
    "a=fmtp:98 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
    "a=rtpmap:99 rtx/90000",
    "a=fmtp:99 apt=98",
    "a=ssrc-group:FID 2231627014 632943048",
    "a=ssrc:2231627014 cname:4TOk42mSjXCkVIa6",
];

const DESK_PHONE: &[&str] = &[
    "v=0",
    "o=100 8000 8000 IN IP4 192.0.2.20",
    "s=SIP Call",
    "c=IN IP4 192.0.2.20",
    "t=0 0",
    "m=audio 5004 RTP/AVP 0 8 18 9 101",
    "a=sendrecv",
    "a=rtpmap:0 PCMU/8000",
    "a=ptime:20",
    "a=rtpmap:8 PCMA/8000",
    "a=rtpmap:18 G729/8000",
    "a=fmtp:18 annexb=no",
    "a=rtpmap:9 G722/8000",
    "a=rtpmap:101 telephone-event/8000",
    "a=fmtp:101 0-15",
];

const SOFT_PHONE: &[&str] = &[
    "v=0",
    "o=- 3904284411 3904284411 IN IP4 192.0.2.30",
    "s=talk",
    "b=AS:84",
    "t=0 0",
    "a=X-nat:0",
    "m=audio 4010 RTP/SAVP 96 0 101",
    "c=IN IP4 192.0.2.30",
    "b=TIAS:64000",
    "a=rtcp:4011 IN IP4 192.0.2.30",
    "a=sendrecv",
    "a=rtpmap:96 opus/48000/2",
    "a=fmtp:96 useinbandfec=1",
    "a=rtpmap:0 PCMU/8000",
    "a=rtpmap:101 telephone-event/8000",
    "a=fmtp:101 0-16",
    "a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:Zmlyc3Q=",
    "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:c2Vjb25kc2Vjb25kc2Vjb25kc2Vjb25kc2Vjb25k",
];

const SERVER: &[&str] = &[
    "v=0",
    "o=root 1821 1821 IN IP4 192.0.2.40",
    "s=PBX",
    "c=IN IP4 192.0.2.40",
    "t=0 0 ",
    "m=audio 12030 RTP/AVP 0 101 ",
    "a=rtpmap:0 PCMU/8000",
    "a=rtpmap:101 telephone-event/8000",
    "a=silenceSupp:off - - - -",
];

const OLD_GATEWAY: &[&str] = &[
    "v=0",
    "o=CiscoSystemsSIP-GW-UserAgent 1 1 IN IP4 192.0.2.50",
    "s=",
    "c=IN IP4 192.0.2.50",
    "m=audio 18000 RTP/AVP 18 0",
    "a=rtpmap:18 G729/8000",
    "a=rtpmap:0 PCMU/8000",
];

const FAX: &[&str] = &[
    "v=0",
    "o=ata 1 2 IN IP4 192.0.2.60",
    "s=-",
    "c=IN IP4 192.0.2.60",
    "t=0 0",
    "m=image 6000 udptl t38",
    "a=T38FaxVersion:0",
    "a=T38MaxBitRate:14400",
    "a=T38FaxRateManagement:transferredTCF",
    "a=T38FaxMaxDatagram:512",
    "a=T38FaxUdpEC:t38UDPRedundancy",
];

const CORE_NETWORK: &[&str] = &[
    "v=0",
    "o=- 2987933615 2987933615 IN IP6 2001:db8::55",
    "s=-",
    "c=IN IP6 2001:db8::55",
    "b=AS:49",
    "t=0 0",
    "m=audio 3456 RTP/AVP 97 96",
    "b=AS:49",
    "b=RS:600",
    "b=RR:2000",
    "a=curr:qos local none",
    "a=curr:qos remote none",
    "a=des:qos mandatory local sendrecv",
    "a=des:qos none remote sendrecv",
    "a=rtpmap:97 AMR/8000",
    "a=fmtp:97 mode-set=0,2,5,7; mode-change-period=2",
    "a=rtpmap:96 telephone-event/8000",
    "a=maxptime:240",
];

const DOOR_PHONE: &[&str] = &[
    "v=0",
    "o=34020000 0 0 IN IP4 192.0.2.70",
    "s=Play",
    "c=IN IP4 192.0.2.70",
    "t=0 0",
    "m=video 9000 RTP/AVP 96 98",
    "a=sendonly",
    "a=rtpmap:96 H264/90000",
    "a=rtpmap:98 H264/90000",
    "a=fmtp:98 profile-level-id=42e01f",
    "y=0100000001",
    "f=v/2/5/25/1/4000a/1/8/1",
    "k=prompt",
];

pub(crate) fn text((_, lines, is_bare, _): Sample) -> String {
    let end = if is_bare { "\n" } else { "\r\n" };
    lines.iter().map(|line| format!("{line}{end}")).collect()
}

/// One who has a bit of everything.
fn has() -> Endpoint {
    let voice = |media: LocalMedia| {
        media
            .codec(Codec::opus())
            .codec(Codec::pcmu())
            .codec(Codec::new("AMR", 8_000, 1))
            .codec(Codec::telephone_event(8_000))
            .rtcp_mux()
            .key("AES_CM_128_HMAC_SHA1_80", "inline:b3ducw2lb3ducw2lb3ducw2lb3ducw2lb3ducw2l")
    };
    let protocols = &["RTP/AVP", "RTP/SAVP", "UDP/TLS/RTP/SAVPF"];
    let video =
        LocalMedia::video(5002).protocols(protocols).codec(Codec::vp8()).codec(Codec::h264("42e01f", 0)).rtcp_mux();
    let t38 = T38 { rate_management: Some(RateManagement::TransferredTcf), ..T38::default() };
    let origin = Origin::parse("b 1 1 IN IP4 192.0.2.2").unwrap();
    Endpoint::new(origin, "192.0.2.2")
        .bundles()
        .both_families()
        .media(voice(LocalMedia::audio(5000).protocols(protocols)))
        .media(video)
        .media(LocalMedia::t38(5004, t38))
}

#[test]
fn each_is_read_with_its_habits_and_written_as_it_was() {
    for sample in ALL.iter().copied() {
        let text = text(sample);
        let reading = SessionDescription::read(&text).unwrap_or_else(|error| panic!("{}: {error}", sample.0));
        assert_eq!(reading.departures.len(), sample.3, "{}: {:?}", sample.0, reading.departures);
        let written = reading.description.to_string();
        if sample.3 == 0 {
            assert_eq!(written, text, "{}", sample.0);
            reading.description.check().unwrap_or_else(|error| panic!("{}: {error}", sample.0));
        }
        assert_eq!(SessionDescription::parse(&written).unwrap(), reading.description, "{}", sample.0);
        let attributes = |text: &str| text.lines().filter(|line| line.starts_with("a=")).count();
        assert_eq!(attributes(&written), attributes(&text), "{}", sample.0);
    }
}

#[test]
fn each_is_answered() {
    for sample in ALL.iter().copied() {
        let offer = SessionDescription::parse(text(sample)).unwrap();
        let answer =
            Session::new().receive(offer).unwrap().answer(&has()).unwrap_or_else(|e| panic!("{}: {e}", sample.0));
        SessionDescription::parse_strict(answer.description().to_string()).unwrap().check().unwrap();
        let session = answer.sent();
        for stream in session.streams() {
            assert_eq!(stream.state, StreamState::Active, "{}", sample.0);
            assert_eq!(stream.send.is_empty(), stream.media == MediaType::Image, "{}", sample.0);
        }
    }
}

//! A browser and what answers it: bundles, ICE, DTLS, header extensions, repairs.

use ringback_sdp::MediaType;
use ringback_sdp::attribute::{Fingerprint, Group, IcePwd, IceUfrag, MaxMessageSize, Mid, Setup};
use ringback_sdp::negotiate::{Codec, Endpoint, LocalMedia, StreamState};

use crate::negotiate::{answered, endpoint, parse, settled};

/// In the manner of a browser: two streams in one bundle, ICE and DTLS.
fn browser_offer() -> String {
    let stream = |kind: &str, mid: &str, port: u16, formats: &str, maps: &str| {
        format!(
            "m={kind} {port} UDP/TLS/RTP/SAVPF {formats}\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n\
             a=ice-ufrag:4ZcD\r\na=ice-pwd:2/1muCWoOi3uLifh0NuRHlBz\r\na=ice-options:trickle\r\n\
             a=fingerprint:sha-1 {}\r\na=setup:actpass\r\na=mid:{mid}\r\n\
             a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=sendrecv\r\na=rtcp-mux\r\na=rtcp-rsize\r\n{maps}",
            ["4A"; 20].join(":")
        )
    };
    let audio = stream(
        "audio",
        "0",
        9,
        "111 63 9 0 126",
        "a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\n\
        a=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n\
        a=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:126 telephone-event/8000\r\n",
    );
    let video = stream(
        "video",
        "1",
        9,
        "96 97 102 103",
        "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\n\
        a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=rtpmap:102 H264/90000\r\n\
        a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f\r\n\
        a=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\n",
    );
    let data = "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=bundle-only\r\n\
        a=mid:2\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n";
    format!(
        "v=0\r\no=- 6363802068225584739 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2\r\n\
         a=extmap-allow-mixed\r\na=msid-semantic: WMS\r\n{audio}{video}{data}"
    )
}

fn gateway(bundles: bool) -> Endpoint {
    let digest = ["AB"; 20].join(":");
    let web = |media: LocalMedia| {
        media
            .protocols(&["UDP/TLS/RTP/SAVPF"])
            .rtcp_mux()
            .with(&IceUfrag("abcd"))
            .with(&IcePwd("asd88fgpdd777uzjYhagZg"))
            .with(&Fingerprint { hash: "sha-1", fingerprint: &digest })
            .with(&Setup::ActPass)
            .attribute("extmap", Some("1 urn:ietf:params:rtp-hdrext:sdes:mid"))
            .attribute("extmap", Some("2 urn:x:other"))
            .attribute("rtcp-rsize", None)
    };
    let audio = LocalMedia::audio(7000)
        .codec(Codec::opus().parameters("useinbandfec=1"))
        .codec(Codec::pcmu())
        .codec(Codec::telephone_event(8_000))
        .codec(Codec::new("red", 48_000, 2));
    let video = LocalMedia::video(7002)
        .codec(Codec::vp8().feedback("nack").feedback("ccm fir"))
        .codec(Codec::new("rtx", 90_000, 1));
    let data = LocalMedia::other(MediaType::Application, 7004, "UDP/DTLS/SCTP", &["webrtc-datachannel"])
        .with(&MaxMessageSize(1000));
    let endpoint = endpoint("gw", "192.0.2.7").media(web(audio)).media(web(video)).media(data);
    if bundles { endpoint.bundles() } else { endpoint }
}

#[test]
fn a_browser_is_answered_in_a_bundle() {
    let (browser, session) = settled(&browser_offer(), &gateway(true));
    let answer = browser.remote().unwrap().clone();
    assert_eq!(answer.section().attribute::<Group<'_>>().unwrap().tags, ["0", "1", "2"]);
    assert_eq!(answer.media().iter().map(|media| media.port()).collect::<Vec<_>>(), [7000, 7000, 7000]);
    let [audio, video, data] = answer.media() else { panic!() };
    assert_eq!(audio.section().attribute::<Setup>(), Some(Setup::Active));
    assert_eq!(
        audio.section().values("extmap").collect::<Vec<_>>(),
        [Some(&b"4 urn:ietf:params:rtp-hdrext:sdes:mid"[..])]
    );
    assert_eq!(audio.line().payload_types().collect::<Vec<_>>(), [111, 63, 0, 126]);
    assert_eq!(video.line().payload_types().collect::<Vec<_>>(), [96, 97]);
    assert_eq!(video.section().values("rtcp-fb").collect::<Vec<_>>(), [Some(&b"96 nack"[..])]);
    assert!(video.section().has("rtcp-mux") && video.section().has("ice-ufrag"));
    assert_eq!(data.section().attribute::<Mid<'_>>(), Some(Mid("2")));
    answer.check().unwrap();
    for stream in session.streams().iter().chain(browser.streams()) {
        assert_eq!((stream.state, stream.bundled_with), (StreamState::Active, Some(0)));
        // An address of zeros is no hold where ICE finds another.
        assert_eq!(stream.held_by_peer, None);
    }
    assert!(session.streams()[1].rtcp_mux);
}

#[test]
fn a_browser_is_answered_without_a_bundle() {
    let (browser, session) = settled(&browser_offer(), &gateway(false));
    let answer = browser.remote().unwrap();
    assert_eq!(answer.section().attribute::<Group<'_>>(), None);
    assert_eq!(answer.media().iter().map(|media| media.port()).collect::<Vec<_>>(), [7000, 7002, 0]);
    assert_eq!(session.streams()[2].state, StreamState::Gone);
    assert_eq!(session.streams()[1].bundled_with, None);
}

#[test]
fn an_endpoint_offers_what_it_has() {
    let offer = gateway(true);
    let text = offer.offer().unwrap().to_string();
    assert!(text.contains("m=audio 7000 UDP/TLS/RTP/SAVPF 111 0 101 96\r\n"), "{text}");
    assert!(text.contains("a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"), "{text}");
    assert!(text.contains("a=setup:actpass\r\n") && text.contains("a=rtcp-mux\r\n"));
    let crowded = (0..200).fold(LocalMedia::audio(1), |media, n| media.codec(Codec::new(&format!("x{n}"), 8_000, 1)));
    let offer = endpoint("a", "192.0.2.1").media(crowded).offer().unwrap();
    let mut types: Vec<u8> = offer.media()[0].line().payload_types().collect();
    assert_eq!(types.len(), 61);
    types.sort_unstable();
    types.dedup();
    assert_eq!(types.len(), 61);
}

#[test]
fn a_bundle_is_carried_by_a_stream_that_has_an_address() {
    let offer = browser_offer().replace("a=group:BUNDLE 0 1 2", "a=group:BUNDLE 2 1 0");
    let answer = parse(&answered(&offer, &gateway(true)));
    assert_eq!(answer.section().attribute::<Group<'_>>().unwrap().tags, ["1", "0", "2"]);
    assert_eq!(answer.media().iter().map(|media| media.port()).collect::<Vec<_>>(), [7002, 7002, 7002]);
}

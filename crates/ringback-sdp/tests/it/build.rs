//! Building.

use ringback_sdp::attribute::{Mid, RateManagement, RtpMap, T38};
use ringback_sdp::negotiate::Session;
use ringback_sdp::{BuildError, MediaBuilder, MediaDirection, SdpBuilder, SessionDescription};

fn begun() -> SdpBuilder {
    SdpBuilder::new("-").origin("-", "1", "1", "IN", "IP4", "192.0.2.1").connection("IN", "IP4", "192.0.2.1")
}

fn audio() -> MediaBuilder {
    begun().media_audio(4000, "RTP/AVP")
}

#[test]
fn early_media_of_one_way() -> Result<(), BuildError> {
    let sdp = SdpBuilder::new("Session Progress")
        .origin("bob", "2890844527", "2890844527", "IN", "IP4", "biloxi.example.com")
        .connection("IN", "IP4", "biloxi.example.com")
        .time("0", "0")
        .media_audio(49172, "RTP/AVP")
        .formats(&["0"])
        .rtpmap("0", "PCMU/8000")
        .direction(MediaDirection::SendOnly)
        .done()
        .build()?;
    let text = "v=0\r\no=bob 2890844527 2890844527 IN IP4 biloxi.example.com\r\ns=Session Progress\r\n\
        c=IN IP4 biloxi.example.com\r\nt=0 0\r\nm=audio 49172 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendonly\r\n";
    assert_eq!(sdp.to_string(), text);
    assert_eq!(SessionDescription::parse_strict(text).unwrap(), sdp);
    Ok(())
}

#[test]
fn everything_in_any_order_comes_out_in_order() {
    let t38 = T38 { version: Some(0), rate_management: Some(RateManagement::TransferredTcf), ..T38::default() };
    let sdp = SdpBuilder::new("All")
        .attribute("tool", "x")
        .group("BUNDLE", &["a", "v"])
        .time("3724394400", "3754123200")
        .repeat("7d", "1h", &["0", "25h"])
        .zone(&[("3730928400", "-1h"), ("3749680800", "0")])
        .time("0", "0")
        .bandwidth("AS", 256)
        .phone("+1 617 555-6011")
        .email("jo@a.example")
        .uri("http://a.example/")
        .information("About")
        .multicast("233.252.0.1", Some(127), None)
        .direction(MediaDirection::RecvOnly)
        .origin("jo", "1", "2", "IN", "IP6", "2001:db8::1")
        .media_audio(4000, "RTP/SAVPF")
        .rtpmap("96", "opus/48000/2")
        .formats(&["96"])
        .fmtp("96", "useinbandfec=1")
        .ptime(20)
        .max_ptime(120)
        .rtcp(4005)
        .rtcp_mux()
        .mid("a")
        .bandwidth("TIAS", 64_000)
        .connection("IN", "IP6", "2001:db8::2")
        .title("Voice")
        .done()
        .media_video(4002, "RTP/AVP")
        .ports(2)
        .formats(&["31"])
        .rtcp_mux()
        .with(&Mid("v"))
        .multicast("ff00::db8:0:101", None, Some(2))
        .done()
        .media_application(9, "UDP/DTLS/SCTP")
        .formats(&["webrtc-datachannel"])
        .attribute("sctp-port", "5000")
        .done()
        .media_t38(4006, &t38)
        .done()
        .build()
        .unwrap();
    let text = "v=0\r\no=jo 1 2 IN IP6 2001:db8::1\r\ns=All\r\ni=About\r\nu=http://a.example/\r\ne=jo@a.example\r\n\
        p=+1 617 555-6011\r\nc=IN IP4 233.252.0.1/127\r\nb=AS:256\r\nt=3724394400 3754123200\r\nr=7d 1h 0 25h\r\n\
        z=3730928400 -1h 3749680800 0\r\nt=0 0\r\na=tool:x\r\na=group:BUNDLE a v\r\na=recvonly\r\n\
        m=audio 4000 RTP/SAVPF 96\r\ni=Voice\r\nc=IN IP6 2001:db8::2\r\nb=TIAS:64000\r\na=rtpmap:96 opus/48000/2\r\n\
        a=fmtp:96 useinbandfec=1\r\na=ptime:20\r\na=maxptime:120\r\na=rtcp:4005\r\na=rtcp-mux\r\na=mid:a\r\n\
        m=video 4002/2 RTP/AVP 31\r\nc=IN IP6 ff00::db8:0:101/2\r\na=rtcp-mux\r\na=mid:v\r\n\
        m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=sctp-port:5000\r\n\
        m=image 4006 udptl t38\r\na=T38FaxVersion:0\r\na=T38FaxRateManagement:transferredTCF\r\n";
    assert_eq!(sdp.to_string(), text);
}

#[test]
fn no_value_ends_its_line() {
    for value in ["a\r\nm=audio 1 RTP/AVP 0", "a\nb", "a\rb", "a\0b"] {
        let builders = [
            SdpBuilder::new(value),
            begun().information(value),
            begun().origin("-", "1", "1", "IN", "IP4", value),
            begun().connection("IN", "IP4", value),
            begun().attribute("x", value),
            begun().property(value),
            begun().group("LS", &[value]),
            audio().formats(&[value]).done(),
            audio().formats(&["0"]).fmtp("0", value).done(),
            audio().formats(&["0"]).title(value).done(),
            audio()
                .formats(&["96"])
                .with(&RtpMap { payload_type: 96, encoding: value, clock_rate: 1, channels: None })
                .done(),
            begun().media("audio".into(), 1, value).formats(&["0"]).done(),
            begun().media(value.into(), 1, "RTP/AVP").formats(&["0"]).done(),
        ];
        for (index, builder) in builders.into_iter().enumerate() {
            assert!(builder.build().is_err(), "{index} {value:?}");
        }
    }
    assert_eq!(begun().information("ab\nc").build().unwrap_err(), BuildError::ForbiddenByte { letter: 'i', offset: 2 });
}

#[test]
fn what_can_not_be_valid_is_refused() {
    let rtp = |formats: &[&str]| audio().formats(formats);
    let by = |user: &str, id: &str| SdpBuilder::new("-").origin(user, id, "1", "IN", "IP4", "h");
    let cases: Vec<(SdpBuilder, &str)> = vec![
        (SdpBuilder::new("-"), "an o= line"),
        (SdpBuilder::new("").origin("-", "1", "1", "IN", "IP4", "h"), "a text"),
        (by("a b", "1"), "holds a blank"),
        (by("-", "x"), "a session id of digits"),
        (by("-", "9223372036854775808"), "beyond 64 bits"),
        (begun().origin("-", "2", "1", "IN", "IP4", "h"), "a second o= line"),
        (begun().information("x").information("y"), "no second line"),
        (begun().uri("x:").uri("y:"), "no second line"),
        (rtp(&["0"]).title("x").title("y").done(), "no second line"),
        (rtp(&["0"]).ports(1).ports(2).done(), "a second number of ports"),
        (SdpBuilder::new("-").origin("-", "1", "1", "IN", "IP4", "h").multicast("ff15::1", Some(1), None), "hasn't"),
        (
            SdpBuilder::new("-").origin("-", "1", "1", "IN", "IP4", "h").multicast("233.252.0.1", None, Some(3)),
            "read back",
        ),
        (begun().time("x", "0"), "a start time"),
        (begun().time("3754123200", "3724394400"), "stops before it starts"),
        (begun().zone(&[("3730928400", "-1h")]), "t= before"),
        (begun().connection("IN", "IP4", "192.0.2.2"), "no second line"),
        (begun().bandwidth("A S", 1), "holds a blank"),
        (begun().bandwidth("A:S", 1), "a bandwidth"),
        (begun().attribute("a b", "x"), "not a token"),
        (begun().attribute("x", ""), "no value"),
        (begun().attribute("ptime", "0"), "milliseconds above 0"),
        (begun().direction(MediaDirection::SendOnly).direction(MediaDirection::SendRecv), "two directions"),
        (begun().group("BUNDLE", &["a"]), "not there"),
        (
            SdpBuilder::new("-")
                .origin("-", "1", "1", "IN", "IP4", "h")
                .media_audio(4, "RTP/AVP")
                .formats(&["0"])
                .done(),
            "a c= line",
        ),
        (
            SdpBuilder::new("-").origin("-", "1", "1", "IN", "IP4", "h").multicast("233.252.0.1", None, None),
            "without its TTL",
        ),
        (
            SdpBuilder::new("-").origin("-", "1", "1", "IN", "IP4", "h").multicast("192.0.2.1", Some(1), None),
            "behind a unicast",
        ),
        (rtp(&[]).done(), "a blank and a format"),
        (rtp(&["0", "0"]).done(), "a format twice"),
        (rtp(&["128"]).done(), "a payload type"),
        (rtp(&["x"]).done(), "a payload type"),
        (rtp(&["96"]).done(), "without rtpmap"),
        (rtp(&["0"]).rtpmap("96", "opus/48000/2").done(), "not listed"),
        (rtp(&["96"]).rtpmap("96", "opus").done(), "a slash and the clock rate"),
        (rtp(&["96"]).rtpmap("96", "a/1").rtpmap("96", "b/1").done(), "mapped twice"),
        (rtp(&["0"]).fmtp("96", "x").done(), "not listed"),
        (rtp(&["0"]).ptime(0).done(), "above 0"),
        (rtp(&["0"]).ptime(40).max_ptime(20).done(), "above maxptime"),
        (rtp(&["0"]).ports(0).done(), "above 0"),
        (rtp(&["0"]).property("bundle-only").mid("a").done(), "not 0"),
        (rtp(&["0"]).mid("a").done().media_audio(5, "RTP/AVP").formats(&["0"]).mid("a").done(), "one name"),
        (rtp(&["0"]).mid("a").rtcp_mux().done().group("BUNDLE", &["a"]).group("BUNDLE", &["a"]), "two bundles"),
        (begun().media_audio(5, "RTP AVP").formats(&["0"]).done(), "holds a blank"),
    ];
    for (builder, wanted) in cases {
        let error = builder.build().map(|sdp| sdp.to_string()).expect_err(wanted).to_string();
        assert!(error.contains(wanted), "{wanted}: {error}");
    }
}

#[test]
fn what_is_built_answers_an_offer() {
    let early =
        audio().formats(&["0"]).rtpmap("0", "PCMU/8000").direction(MediaDirection::SendOnly).done().build().unwrap();
    let offer = audio().formats(&["0"]).rtpmap("0", "PCMU/8000").done().build().unwrap();
    let draft = Session::new().draft(offer.clone()).unwrap();
    let pending = Session::new().send(draft).unwrap();
    let stream = pending.accept(early.clone()).unwrap().streams()[0].clone();
    assert_eq!((stream.direction, stream.may_send()), (MediaDirection::RecvOnly, false));
    let answer = Session::new().receive(offer).unwrap().answer_with(early.clone()).unwrap();
    assert_eq!(answer.description(), &early);
    assert_eq!(answer.sent().streams()[0].direction, MediaDirection::SendOnly);
}

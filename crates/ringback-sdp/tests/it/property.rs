//! What holds for every input: nothing that comes in stops the reader, what is written is read back, and two sides that
//! negotiate end up with one view of it.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use ringback_sdp::attribute::*;
use ringback_sdp::negotiate::{Codec, Endpoint, HoldForm, LocalMedia, Session};
use ringback_sdp::{MediaDescription, MediaDirection, MediaLine, Origin, SdpBuilder, SessionDescription};

use crate::samples;

/// Lines that are nearly right, to be put together at will.
const LINES: &[&str] = &[
    "v=0",
    "o=- 1 1 IN IP4 192.0.2.1",
    "s=-",
    "s=",
    "i=x",
    "u=x:",
    "e=x",
    "p=+1 2",
    "c=IN IP4 192.0.2.1",
    "c=IN IP6 ::1",
    "c=IN IP4 233.252.0.1/1/2",
    "c=IN IP4 0.0.0.0",
    "b=AS:1",
    "b=AS",
    "t=0 0",
    "t=1 0",
    "r=7d 1h 0",
    "z=1 -1h",
    "k=prompt",
    "y=1",
    "a=sendonly",
    "a=recvonly",
    "a=inactive",
    "a=group:BUNDLE a b c",
    "a=group:BUNDLE b a",
    "a=group:LS a",
    "a=ice-ufrag:abcd",
    "a=setup:actpass",
    "a=fingerprint:x AA",
    "m=audio 4 RTP/AVP 0 96",
    "m=audio 0 RTP/AVP 0",
    "m=video 6 RTP/SAVPF 96 97",
    "m=audio 4 RTP/SAVP 0",
    "m=image 8 udptl t38",
    "m=application 9 UDP/DTLS/SCTP x",
    "m=audio 4 RTP/AVP",
    "m=audio 4 RTP/AVP 0 pcmu 128",
    "a=rtpmap:96 opus/48000/2",
    "a=rtpmap:96 VP8/90000",
    "a=rtpmap:97 rtx/90000",
    "a=fmtp:97 apt=96",
    "a=rtpmap:0 telephone-event/8000",
    "a=fmtp:0 0-15",
    "a=mid:a",
    "a=mid:b",
    "a=mid:c",
    "a=bundle-only",
    "a=rtcp-mux",
    "a=rtcp:5",
    "a=crypto:1 X inline:a",
    "a=ptime:0",
    "a=ptime:20",
    "a=curr:qos e2e none",
    "a=des:qos mandatory e2e send",
    "a=T38FaxVersion:0",
    "a=extmap:1 urn:x",
    "a=rtcp-fb:* nack",
    "a=",
    "a=:",
    "a=x:",
    "",
];

fn has() -> Endpoint {
    let audio = |port| {
        LocalMedia::audio(port)
            .protocols(&["RTP/AVP", "RTP/SAVP"])
            .codec(Codec::pcmu())
            .codec(Codec::opus())
            .codec(Codec::telephone_event(8_000))
            .key("X", "inline:b")
            .resources(ResourceDirection::Send)
            .rtcp_mux()
    };
    let video = LocalMedia::video(5004)
        .protocols(&["RTP/SAVPF", "RTP/AVP"])
        .codec(Codec::vp8().feedback("nack"))
        .codec(Codec::new("rtx", 90_000, 1));
    let origin = Origin::parse("b 1 1 IN IP4 192.0.2.2").unwrap();
    let endpoint = Endpoint::new(origin, "192.0.2.2").bundles().both_families();
    endpoint.media(audio(5000)).media(audio(5002)).media(video).media(LocalMedia::t38(5006, T38::default()))
}

/// All that can be done with a text that came in.
fn put_through(text: &[u8]) {
    let Ok(reading) = SessionDescription::read(text) else { return };
    let description = reading.description;
    let written = description.to_bytes();
    assert_eq!(written.len(), description.byte_len());
    assert_eq!(SessionDescription::parse(&written).as_ref(), Ok(&description));
    if reading.departures.is_empty() {
        // A port may have zeros before it, which are not kept.
        let media = |line: &str| line.strip_prefix("m=").and_then(|value| MediaLine::parse(value.trim_end()).ok());
        let lines =
            |text: &[u8]| String::from_utf8_lossy(text).split_inclusive('\n').map(String::from).collect::<Vec<_>>();
        let (written, text) = (lines(&written), lines(text));
        assert_eq!(written.len(), text.len());
        for (written, text) in written.iter().zip(&text) {
            assert!(written == text || (media(text).is_some() && media(written) == media(text)), "{written} {text}");
        }
    }
    // What is fit to be sent is read by the strictest.
    if description.check().is_ok() {
        assert_eq!(SessionDescription::parse_strict(&written).as_ref(), Ok(&description));
    }
    let Ok(answer) = Session::new().receive(description.clone()).unwrap().answer(&has()) else { return };
    let made = SessionDescription::parse_strict(answer.description().to_bytes()).unwrap();
    assert_eq!(&made, answer.description());
    made.check().unwrap();
    // One's own answer keeps the rules that are asked of answers.
    let received = Session::new().receive(description).unwrap();
    assert_eq!(received.answer_with(made.clone()).unwrap().description(), &made);
    let session = answer.sent();
    assert_eq!(session.streams().len(), made.media().len());
    for draft in [session.hold(HoldForm::Direction), session.refresh(), session.remove(0)].into_iter().flatten() {
        SessionDescription::parse_strict(draft.description().to_bytes()).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..200)) {
        put_through(&bytes);
        put_through(&[b"v=0\r\no=- 1 1 IN IP4 h\r\n", &bytes[..]].concat());
    }

    #[test]
    fn any_lines(lines in vec(select(LINES), 0..24), end in select(vec!["\r\n", "\n"])) {
        let head = ["v=0", "o=- 1 1 IN IP4 192.0.2.1"];
        put_through(lines.join(end).as_bytes());
        let text: Vec<&str> = head.into_iter().chain(lines).collect();
        put_through(text.join(end).as_bytes());
    }

    #[test]
    fn one_offer_after_another(offers in vec(vec(select(LINES), 0..24), 2..5)) {
        let mut session = Session::new();
        for lines in offers {
            let head = ["v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0", "m=audio 4 RTP/AVP 0 96"];
            let text: Vec<&str> = head.into_iter().chain(lines).collect();
            let Ok(offer) = SessionDescription::parse(text.join("\r\n")) else { continue };
            let sent = session.local().map(|local| local.origin().clone());
            let received = match session.receive(offer) {
                Ok(received) => received,
                Err(refused) => {
                    session = refused.session;
                    continue;
                }
            };
            session = match received.answer(&has()) {
                Ok(answer) => {
                    answer.description().check().unwrap();
                    SessionDescription::parse_strict(answer.description().to_bytes()).unwrap();
                    if let Some(sent) = sent {
                        prop_assert!(sent.is_same_session(answer.description().origin()));
                    }
                    answer.sent()
                }
                Err(refused) => {
                    prop_assert!(refused.mistake.is_none(), "{:?}", refused.mistake);
                    refused.session
                }
            };
        }
    }

    #[test]
    fn a_sample_with_a_few_bytes_changed(
        sample in select(samples::ALL),
        changes in vec((any::<Index>(), 0..4_u8, any::<u8>()), 1..6),
    ) {
        let mut text = samples::text(sample).into_bytes();
        for (place, kind, byte) in changes {
            let place = place.index(text.len());
            match kind {
                0 => text[place] = byte,
                1 => text.insert(place, byte),
                2 if text.len() > 1 => _ = text.remove(place),
                _ => text.truncate(place.max(1)),
            }
        }
        put_through(&text);
    }

    #[test]
    fn any_value_of_an_attribute(value in "[ -~\\t\u{e9}]{0,40}|[0-9a-z:;,/ =~-]{0,30}") {
        fn held<'a, A: Attribute<'a> + PartialEq + std::fmt::Debug>(value: &'a str) {
            let Ok(read) = A::parse(value) else { return };
            let written = read.to_string();
            // A type borrows from what it was read from, so what was written is compared as text.
            A::check(&written).unwrap_or_else(|error| panic!("{value:?} {written:?} {error}"));
        }
        held::<RtpMap<'_>>(&value);
        held::<Fmtp<'_>>(&value);
        held::<Rtcp<'_>>(&value);
        held::<ExtMap<'_>>(&value);
        held::<Candidate<'_>>(&value);
        held::<RemoteCandidates<'_>>(&value);
        held::<Crypto<'_>>(&value);
        held::<Fingerprint<'_>>(&value);
        held::<Rid<'_>>(&value);
        held::<Simulcast<'_>>(&value);
        held::<Ssrc<'_>>(&value);
        held::<Group<'_>>(&value);
        held::<DesiredStatus<'_>>(&value);
        held::<Ptime>(&value);
        held::<Msid<'_>>(&value);
        let _ = Events::parse(&value).map(|events| assert_eq!(Events::parse(&events.to_string()), Ok(events)));
    }

    #[test]
    fn what_is_built_is_what_was_asked_for(
        fields in vec("[ -~]{0,8}|[a-z0-9]{1,6}|[\\r\\n\\x00a]{1,3}", 12),
        port in any::<u16>(),
        payload_type in 0..200_u8,
    ) {
        let [name, user, id, version, network, family, host, encoding, parameters, attribute, value, protocol] = &fields[..]
        else { unreachable!() };
        let number = payload_type.to_string();
        let built = SdpBuilder::new(name)
            .origin(user, id, version, network, family, host)
            .connection(network, family, host)
            .attribute(attribute, value)
            .media_audio(port, protocol)
            .formats(&[&number])
            .rtpmap(&number, encoding)
            .fmtp(&number, parameters)
            .done()
            .build();
        if let Ok(description) = built {
            let text = description.to_string();
            prop_assert_eq!(text.lines().count(), 9, "{}", text);
            prop_assert_eq!(&*description.origin().username, &**user);
            prop_assert_eq!(description.section().values(attribute).next(), Some(Some(value.as_bytes())));
            prop_assert_eq!(SessionDescription::parse_strict(&text), Ok(description));
        }
    }

    #[test]
    fn two_sides_have_one_view(one in side(), other in side(), again in any::<bool>()) {
        let (one, other) = (endpoint("a", "192.0.2.1", &one), endpoint("b", "192.0.2.2", &other));
        let draft = Session::new().draft(one.offer().unwrap()).unwrap();
        let pending = Session::new().send(draft).unwrap();
        let received = Session::new().receive(pending.description().clone()).unwrap();
        let Ok(answer) = received.answer(&other) else { return Ok(()) };
        let (a, b) = (pending.accept(answer.description().clone()).unwrap(), answer.sent());
        mirrored(&a, &b);
        if again {
            let pending = { let draft = b.hold(HoldForm::Direction).unwrap(); b.send(draft).unwrap() };
            one_address(pending.description());
            let answer = a.receive(pending.description().clone()).unwrap().answer(&one).unwrap();
            let b = pending.accept(answer.description().clone()).unwrap();
            let a = answer.sent();
            mirrored(&a, &b);
            prop_assert!(b.streams().iter().all(|stream| !stream.direction.receives()));
            let pending = { let draft = b.resume().unwrap(); b.send(draft).unwrap() };
            let answer = a.receive(pending.description().clone()).unwrap().answer(&one).unwrap();
            mirrored(&pending.accept(answer.description().clone()).unwrap(), &answer.sent());
        }
    }
}

/// What a side has: for each stream its kind, its codecs by number, its direction, whether it multiplexes.
type Side = (Vec<(bool, Vec<usize>, usize, bool)>, bool);

fn side() -> impl Strategy<Value = Side> {
    let stream = (any::<bool>(), subsequence((0..6).collect::<Vec<usize>>(), 1..6), 0..4_usize, any::<bool>());
    (vec(stream, 0..4), any::<bool>())
}

fn endpoint(user: &str, address: &str, (streams, bundles): &Side) -> Endpoint {
    let origin = Origin::parse(&format!("{user} 1 1 IN IP4 {address}")).unwrap();
    let mut endpoint = Endpoint::new(origin, address);
    for (index, (is_audio, codecs, direction, mux)) in streams.iter().enumerate() {
        let port = 4000 + 2 * u16::try_from(index).unwrap();
        let audio = [
            Codec::opus(),
            Codec::pcmu(),
            Codec::pcma(),
            Codec::g729(codecs.len() % 2 == 0),
            Codec::new("iLBC", 8_000, 1).parameters("mode=20"),
            Codec::telephone_event(8_000),
        ];
        let video = [
            Codec::vp8(),
            Codec::h264("42e01f", 1),
            Codec::h264("42e014", 0),
            Codec::new("VP9", 90_000, 1),
            Codec::new("H261", 90_000, 1),
            Codec::new("rtx", 90_000, 1),
        ];
        let (media, all) = if *is_audio { (LocalMedia::audio(port), audio) } else { (LocalMedia::video(port), video) };
        let directions =
            [MediaDirection::SendRecv, MediaDirection::SendOnly, MediaDirection::RecvOnly, MediaDirection::Inactive];
        let media = media.direction(directions[*direction]).with(&Mid(["x", "y", "z", "w"][index]));
        let media = if *mux { media.rtcp_mux() } else { media };
        // What is sent again needs something that is sent.
        let media = if !*is_audio && *codecs == [5] { media.codec(Codec::vp8()) } else { media };
        endpoint = endpoint.media(codecs.iter().fold(media, |media, codec| media.codec(all[*codec].clone())));
    }
    if *bundles { endpoint.bundles() } else { endpoint }
}

/// What is in a bundle is offered at one address, and what is gone is not offered.
fn one_address(description: &SessionDescription) {
    for group in description.section().attributes::<Group<'_>>().map(Result::unwrap) {
        let member = |media: &&MediaDescription| {
            media.section().attribute::<Mid<'_>>().is_some_and(|Mid(tag)| group.tags.contains(&tag))
        };
        let mut ports: Vec<u16> = description.media().iter().filter(member).map(|media| media.port()).collect();
        assert_eq!(ports.len(), group.tags.len());
        ports.dedup();
        assert!(ports.len() == 1 && ports[0] != 0, "{description}");
    }
}

fn mirrored(a: &Session, b: &Session) {
    assert_eq!(a.local(), b.remote());
    assert_eq!(a.remote(), b.local());
    assert_eq!(a.streams().len(), b.streams().len());
    for (one, other) in a.streams().iter().zip(b.streams()) {
        assert_eq!((one.state, one.rtcp_mux, one.bundled_with), (other.state, other.rtcp_mux, other.bundled_with));
        assert_eq!(one.direction, other.direction.reversed());
        let numbers = |formats: &[ringback_sdp::negotiate::Format]| {
            let mut numbers: Vec<_> = formats.iter().map(|f| (f.payload_type, f.codec.name().to_lowercase())).collect();
            numbers.sort_unstable();
            numbers
        };
        assert_eq!(numbers(&one.send), numbers(&other.receive));
        assert_eq!(numbers(&one.receive), numbers(&other.send));
    }
}

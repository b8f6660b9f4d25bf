//! The examples of [RFC 4317], message by message: both sides make or check each description, and what they then know of the
//! streams is the same from both ends.

use ringback_sdp::negotiate::{Codec, Endpoint, LocalMedia, Session, Stream, StreamState};
use ringback_sdp::{MediaDirection, Origin, SessionDescription};

const ALICE: &str = "host.atlanta.example.com";
const BOB: &str = "host.biloxi.example.com";

/// A description of Alice or Bob: versions after the first, address, streams.
fn sdp(host: &str, version: u64, address: &str, media: &[String]) -> String {
    let (user, first) = if host == ALICE { ("alice", 2_890_844_526_u64) } else { ("bob", 2_808_844_564) };
    let version = first + version;
    format!(
        "v=0\r\no={user} {first} {version} IN IP4 {host}\r\ns= \r\nc=IN IP4 {address}\r\nt=0 0\r\n{}",
        media.concat()
    )
}

fn alice(version: u64, media: &[String]) -> String {
    sdp(ALICE, version, ALICE, media)
}

fn bob(version: u64, media: &[String]) -> String {
    sdp(BOB, version, BOB, media)
}

/// A stream: kind and port, then payload types with their encodings.
fn stream(kind: &str, port: u16, formats: &[(u8, &str)]) -> String {
    let types: String = formats.iter().map(|(number, _)| format!(" {number}")).collect();
    let maps: String = formats.iter().map(|(number, name)| format!("a=rtpmap:{number} {name}\r\n")).collect();
    format!("m={kind} {port} RTP/AVP{types}\r\n{maps}")
}

const PCMU: (u8, &str) = (0, "PCMU/8000");
const PCMA: (u8, &str) = (8, "PCMA/8000");
const ILBC: (u8, &str) = (97, "iLBC/8000");
const H261: (u8, &str) = (31, "H261/90000");
const MPV: (u8, &str) = (32, "MPV/90000");
const TONES: (u8, &str) = (98, "telephone-event/8000");

fn ilbc() -> Codec {
    Codec::new("iLBC", 8_000, 1).payload_type(97)
}

fn h261() -> Codec {
    Codec::new("H261", 90_000, 1)
}

fn mpv() -> Codec {
    Codec::new("MPV", 90_000, 1)
}

fn tones() -> Codec {
    Codec::new("telephone-event", 8_000, 1)
}

fn at_bob(address: &str) -> Endpoint {
    let origin = Origin::parse(&format!("bob 2808844564 2808844564 IN IP4 {BOB}")).unwrap();
    Endpoint::new(origin, address).name(" ")
}

fn at_alice() -> Endpoint {
    let origin = Origin::parse(&format!("alice 2890844526 2890844526 IN IP4 {ALICE}")).unwrap();
    Endpoint::new(origin, ALICE).name(" ")
}

fn parse(text: &str) -> SessionDescription {
    SessionDescription::parse_strict(text).unwrap()
}

/// What answers: what one has, or a text that is checked against the offer.
enum By<'a> {
    Having(&'a Endpoint),
    Hand,
}

/// One exchange, after which both sessions are as they should be.
fn exchange(offerer: Session, answerer: Session, offer: &str, by: By<'_>, answer: &str) -> (Session, Session) {
    let draft = offerer.draft(parse(offer)).unwrap();
    assert_eq!(draft.description().to_string(), offer);
    let pending = offerer.send(draft).unwrap();
    let received = answerer.receive(parse(&pending.description().to_string())).unwrap();
    let made = match by {
        By::Having(endpoint) => received.answer(endpoint).unwrap(),
        By::Hand => received.answer_with(parse(answer)).unwrap(),
    };
    assert_eq!(made.description().to_string(), answer);
    let (offerer, answerer) = (pending.accept(parse(answer)).unwrap(), made.sent());
    same_view(offerer.streams(), answerer.streams());
    (offerer, answerer)
}

/// What one side sends is what the other receives.
fn same_view(one: &[Stream], other: &[Stream]) {
    assert_eq!(one.len(), other.len());
    let sorted = |formats: &[ringback_sdp::negotiate::Format]| {
        let mut numbers: Vec<u8> = formats.iter().map(|format| format.payload_type).collect();
        numbers.sort_unstable();
        numbers
    };
    for (one, other) in one.iter().zip(other) {
        assert_eq!(one.state, other.state);
        assert_eq!(one.direction, other.direction.reversed());
        assert_eq!(sorted(&one.send), sorted(&other.receive));
        assert_eq!(sorted(&one.receive), sorted(&other.send));
    }
}

fn names(stream: &Stream) -> Vec<&str> {
    stream.send.iter().map(|format| format.codec.name()).collect()
}

fn types(stream: &Stream) -> (Vec<u8>, Vec<u8>) {
    let numbers = |formats: &[ringback_sdp::negotiate::Format]| formats.iter().map(|f| f.payload_type).collect();
    (numbers(&stream.send), numbers(&stream.receive))
}

fn full_offer() -> String {
    alice(0, &[stream("audio", 49170, &[PCMU, PCMA, ILBC]), stream("video", 51372, &[H261, MPV])])
}

#[test]
fn audio_and_video_with_one_codec_each() {
    let answer = bob(0, &[stream("audio", 49174, &[PCMU]), stream("video", 49170, &[MPV])]);
    let has =
        at_bob(BOB).media(LocalMedia::audio(49174).codec(Codec::pcmu())).media(LocalMedia::video(49170).codec(mpv()));
    let (a, _) = exchange(Session::new(), Session::new(), &full_offer(), By::Having(&has), &answer);
    assert_eq!(a.streams().iter().map(names).collect::<Vec<_>>(), [["PCMU"], ["MPV"]]);
    assert_eq!(a.streams()[1].remote.as_ref().unwrap().port, 49170);
    assert_eq!(a.streams()[0].remote_rtcp.as_ref().unwrap().port, 49175);
}

#[test]
fn one_codec_of_two_in_a_second_exchange() {
    let none = stream("video", 0, &[H261]);
    let first = bob(0, &[stream("audio", 49172, &[PCMU, PCMA]), none.clone()]);
    let has = at_bob(BOB).media(LocalMedia::audio(49172).codec(Codec::pcmu()).codec(Codec::pcma()));
    let (a, b) = exchange(Session::new(), Session::new(), &full_offer(), By::Having(&has), &first);
    assert_eq!(names(&a.streams()[0]), ["PCMU", "PCMA"]);
    assert_eq!(a.streams()[1].state, StreamState::Gone);
    let offer = alice(1, &[stream("audio", 51372, &[PCMU]), none.clone()]);
    let second = bob(1, &[stream("audio", 49172, &[PCMU]), none]);
    let (a, b) = exchange(a, b, &offer, By::Having(&has), &second);
    assert_eq!(names(&a.streams()[0]), ["PCMU"]);
    assert_eq!(b.streams()[0].remote.as_ref().unwrap().port, 51372);
}

#[test]
fn another_payload_type_in_the_answer() {
    let answer = bob(0, &[stream("audio", 49172, &[(99, "iLBC/8000")]), stream("video", 51374, &[H261])]);
    let (a, b) = exchange(Session::new(), Session::new(), &full_offer(), By::Hand, &answer);
    assert_eq!(types(&a.streams()[0]), (vec![99], vec![97]));
    assert_eq!(types(&b.streams()[0]), (vec![97], vec![99]));
}

#[test]
fn voice_and_tones_in_two_streams() {
    let tones_out = stream("audio", 49172, &[TONES]) + "a=sendonly\r\n";
    let offer = alice(0, &[stream("audio", 49170, &[PCMU, ILBC]), tones_out]);
    let tones_in = stream("audio", 49174, &[TONES]) + "a=recvonly\r\n";
    let answer = bob(0, &[stream("audio", 49172, &[ILBC]), tones_in]);
    let has = at_bob(BOB).media(LocalMedia::audio(49172).codec(ilbc())).media(LocalMedia::audio(49174).codec(tones()));
    let (a, b) = exchange(Session::new(), Session::new(), &offer, By::Having(&has), &answer);
    assert_eq!(a.streams()[1].direction, MediaDirection::SendOnly);
    assert!(a.streams()[1].may_send() && !b.streams()[1].may_send());
}

#[test]
fn a_new_address_and_an_answer_that_does_not_change() {
    let offer = alice(0, &[stream("audio", 49170, &[ILBC]), stream("video", 51372, &[H261])]);
    let answer = bob(0, &[stream("audio", 49174, &[ILBC]), stream("video", 49170, &[H261])]);
    let has = at_bob(BOB).media(LocalMedia::audio(49174).codec(ilbc())).media(LocalMedia::video(49170).codec(h261()));
    let (a, b) = exchange(Session::new(), Session::new(), &offer, By::Having(&has), &answer);
    let moved = "newhost.biloxi.example.com";
    let second = sdp(BOB, 1, moved, &[stream("audio", 49178, &[ILBC]), stream("video", 49188, &[H261])]);
    let has = at_alice().media(LocalMedia::audio(49170).codec(ilbc())).media(LocalMedia::video(51372).codec(h261()));
    let (_, a) = exchange(b, a, &second, By::Having(&has), &offer);
    let remote = a.streams()[1].remote.clone().unwrap();
    assert_eq!((&*remote.address, remote.port), (moved, 49188));
}

#[test]
fn one_of_two_audio_streams() {
    let events = (101, "telephone-event/8000");
    let offer = alice(0, &[stream("audio", 49170, &[PCMU]), stream("audio", 51372, &[ILBC, events])]);
    let answer = bob(0, &[stream("audio", 0, &[PCMU]), stream("audio", 49170, &[ILBC, events])]);
    let has = at_bob(BOB).media(LocalMedia::audio(49170).codec(ilbc()).codec(tones()));
    let (a, _) = exchange(Session::new(), Session::new(), &offer, By::Having(&has), &answer);
    assert_eq!(a.streams()[0].state, StreamState::Gone);
    assert_eq!(names(&a.streams()[1]), ["iLBC", "telephone-event"]);
}

#[test]
fn a_second_codec_is_added() {
    let ilbc_at_99 = (99, "iLBC/8000");
    let offer = alice(0, &[stream("audio", 49170, &[ilbc_at_99]), stream("video", 51372, &[H261])]);
    let answer = bob(0, &[stream("audio", 49172, &[ilbc_at_99]), stream("video", 51374, &[H261])]);
    let has = at_bob(BOB)
        .media(LocalMedia::audio(49172).codec(ilbc()))
        .media(LocalMedia::video(51374).codec(mpv()).codec(h261()));
    let (a, b) = exchange(Session::new(), Session::new(), &offer, By::Having(&has), &answer);
    let offer = alice(1, &[stream("audio", 49170, &[ilbc_at_99]), stream("video", 51372, &[H261, MPV])]);
    let answer = bob(1, &[stream("audio", 49172, &[ilbc_at_99]), stream("video", 51374, &[H261, MPV])]);
    let (_, b) = exchange(a, b, &offer, By::Having(&has), &answer);
    assert_eq!(names(&b.streams()[1]), ["H261", "MPV"]);
}

#[test]
fn video_goes_elsewhere() {
    let elsewhere = "otherhost.biloxi.example.com";
    let video = stream("video", 49172, &[MPV]).replace("a=", &format!("c=IN IP4 {elsewhere}\r\na="));
    let answer = bob(0, &[stream("audio", 49174, &[PCMU]), video]);
    let has = at_bob(BOB)
        .media(LocalMedia::audio(49174).codec(Codec::pcmu()))
        .media(LocalMedia::video(49172).connection(elsewhere).codec(mpv()));
    let (a, _) = exchange(Session::new(), Session::new(), &full_offer(), By::Having(&has), &answer);
    assert_eq!(&*a.streams()[0].remote.as_ref().unwrap().address, BOB);
    assert_eq!(&*a.streams()[1].remote.as_ref().unwrap().address, elsewhere);
}

#[test]
fn on_hold_from_the_first_answer_on() {
    let offer = alice(0, &[stream("audio", 49170, &[PCMU, ILBC])]);
    let placeholder = "placeholder.biloxi.example.com";
    let answer = sdp(BOB, 0, placeholder, &[stream("audio", 49172, &[ILBC]) + "a=sendonly\r\n"]);
    let has = at_bob(placeholder).media(LocalMedia::audio(49172).codec(ilbc()).direction(MediaDirection::SendOnly));
    let (a, b) = exchange(Session::new(), Session::new(), &offer, By::Having(&has), &answer);
    assert!(a.streams()[0].held_by_peer.is_some() && !a.streams()[0].may_send());
    let resumed = bob(1, &[stream("audio", 49170, &[ILBC])]);
    let has = at_alice().media(LocalMedia::audio(49178).codec(ilbc()));
    let (_, a) = exchange(b, a, &resumed, By::Having(&has), &alice(1, &[stream("audio", 49178, &[ILBC])]));
    assert!(a.streams()[0].held_by_peer.is_none() && a.streams()[0].may_send());
}

#[test]
fn one_of_two_streams_on_hold() {
    let tones_out = stream("audio", 49172, &[TONES]) + "a=sendonly\r\n";
    let offer = alice(0, &[stream("audio", 49170, &[PCMU, ILBC]), tones_out.clone()]);
    let tones_in = stream("audio", 49174, &[TONES]) + "a=recvonly\r\n";
    let answer = bob(0, &[stream("audio", 49172, &[ILBC]), tones_in.clone()]);
    let (a, b) = exchange(Session::new(), Session::new(), &offer, By::Hand, &answer);
    let held = bob(1, &[stream("audio", 49172, &[ILBC]) + "a=sendonly\r\n", tones_in]);
    // The text has Alice answer sendrecv to sendonly, which Section 6.1 of RFC 3264 doesn't allow, and a new version without a
    // change. As it comes in, its meaning is plain; what is made here keeps the rules.
    let text = alice(1, &[stream("audio", 49170, &[PCMU, ILBC]), tones_out.clone()]);
    let draft = b.draft(parse(&held)).unwrap();
    let pending = b.send(draft).unwrap();
    let received = a.receive(parse(&held)).unwrap();
    let unanswered = received.answer_with(parse(&text)).unwrap_err();
    assert_eq!(unanswered.error.media, Some(0));
    let b = pending.accept(parse(&text)).unwrap();
    assert_eq!(b.streams()[0].direction, MediaDirection::SendOnly);
    assert_eq!(b.streams()[1].direction, MediaDirection::RecvOnly);
    let has = at_alice()
        .media(LocalMedia::audio(49170).codec(Codec::pcmu()).codec(ilbc()))
        .media(LocalMedia::audio(49172).codec(tones()).direction(MediaDirection::SendOnly));
    let made = unanswered.offer.answer(&has).unwrap();
    let kept = alice(1, &[stream("audio", 49170, &[ILBC]) + "a=recvonly\r\n", tones_out]);
    assert_eq!(made.description().to_string(), kept);
    same_view(made.sent().streams(), b.streams());
}

#[test]
fn a_second_audio_stream_is_added_by_the_other_side() {
    let offer = alice(0, &[stream("audio", 49170, &[PCMU, ILBC])]);
    let answer = bob(0, &[stream("audio", 49170, &[ILBC])]);
    let (a, b) = exchange(Session::new(), Session::new(), &offer, By::Hand, &answer);
    let server = "mediaserver.biloxi.example.com";
    let at = |text: String, host: &str| text.replacen("a=", &format!("c=IN IP4 {host}\r\na="), 1);
    let tones_in = at(stream("audio", 48282, &[TONES]), server) + "a=recvonly\r\n";
    let tones_out = at(stream("audio", 49172, &[TONES]), ALICE) + "a=sendonly\r\n";
    let offer = bob(1, &[stream("audio", 49170, &[ILBC]), tones_in]);
    let answer = alice(1, &[stream("audio", 49170, &[ILBC]), tones_out]);
    let has = at_alice()
        .media(LocalMedia::audio(49170).codec(ilbc()))
        .media(LocalMedia::audio(49172).codec(tones()).connection(ALICE));
    let (_, a) = exchange(b, a, &offer, By::Having(&has), &answer);
    assert_eq!(&*a.streams()[1].remote.as_ref().unwrap().address, server);
}

#[test]
fn video_is_added() {
    let offer = alice(0, &[stream("audio", 49170, &[PCMU])]);
    let answer = bob(0, &[stream("audio", 49172, &[PCMU])]);
    let has =
        at_bob(BOB).media(LocalMedia::audio(49172).codec(Codec::pcmu())).media(LocalMedia::video(49168).codec(h261()));
    let (a, b) = exchange(Session::new(), Session::new(), &offer, By::Having(&has), &answer);
    let drafted = a.add(&LocalMedia::video(49172).codec(h261())).unwrap().description().to_string();
    assert_eq!(drafted, alice(1, &[stream("audio", 49170, &[PCMU]), stream("video", 49172, &[H261])]));
    let answer = bob(1, &[stream("audio", 49172, &[PCMU]), stream("video", 49168, &[H261])]);
    exchange(a, b, &drafted, By::Having(&has), &answer);
}

#[test]
fn video_is_removed() {
    let offer = alice(0, &[stream("audio", 49170, &[ILBC]), stream("video", 51372, &[H261])]);
    let answer = bob(0, &[stream("audio", 49174, &[ILBC]), stream("video", 49170, &[H261])]);
    let (a, b) = exchange(Session::new(), Session::new(), &offer, By::Hand, &answer);
    let none = stream("video", 0, &[H261]);
    let offer = bob(1, &[stream("audio", 49174, &[ILBC]), none.clone()]);
    let answer = alice(1, &[stream("audio", 49170, &[ILBC]), none]);
    let has = at_alice().media(LocalMedia::audio(49170).codec(ilbc())).media(LocalMedia::video(51372).codec(h261()));
    let (b, a) = exchange(b, a, &offer, By::Having(&has), &answer);
    assert_eq!(a.streams()[1].state, StreamState::Gone);
    assert_eq!(b.remove(0).unwrap().description().media()[0].port(), 0);
}

#[test]
fn no_media_and_then_audio() {
    let has = at_bob(BOB).media(LocalMedia::audio(49172).codec(ilbc()));
    let (a, b) = exchange(Session::new(), Session::new(), &alice(0, &[]), By::Having(&has), &bob(0, &[]));
    assert!(a.streams().is_empty());
    let offer = a.add(&LocalMedia::audio(49170).codec(ilbc())).unwrap().description().to_string();
    assert_eq!(offer, alice(1, &[stream("audio", 49170, &[ILBC])]));
    exchange(a, b, &offer, By::Having(&has), &bob(1, &[stream("audio", 49172, &[ILBC])]));
}

#[test]
fn an_offer_with_an_address_of_zeros() {
    let nowhere = sdp(ALICE, 0, "0.0.0.0", &[stream("audio", 23442, &[ILBC])]);
    let answer = bob(0, &[stream("audio", 49170, &[ILBC])]);
    let has = at_bob(BOB).media(LocalMedia::audio(49170).codec(ilbc()));
    let (a, b) = exchange(Session::new(), Session::new(), &nowhere, By::Having(&has), &answer);
    assert!(!b.streams()[0].may_send() && b.streams()[0].remote_rtcp.is_none());
    let (_, b) = exchange(a, b, &alice(1, &[stream("audio", 49170, &[ILBC])]), By::Having(&has), &answer);
    assert!(b.streams()[0].may_send());
}

#[test]
fn an_answer_with_an_address_of_zeros() {
    let offer = alice(0, &[stream("audio", 49170, &[ILBC])]);
    let nowhere = sdp(BOB, 0, "0.0.0.0", &[stream("audio", 9322, &[ILBC])]);
    let has = at_bob("0.0.0.0").media(LocalMedia::audio(9322).codec(ilbc()));
    let (a, b) = exchange(Session::new(), Session::new(), &offer, By::Having(&has), &nowhere);
    assert!(!a.streams()[0].may_send());
    let has = at_alice().media(LocalMedia::audio(49170).codec(ilbc()));
    let (_, a) = exchange(b, a, &bob(1, &[stream("audio", 49172, &[ILBC])]), By::Having(&has), &offer);
    assert!(a.streams()[0].may_send());
}

//! Offer and answer, rule by rule.

use ringback_sdp::attribute::{ExtMap, Fingerprint, Mid, RateManagement, ResourceDirection, T38};
use ringback_sdp::negotiate::{
    AnswerErrorKind, Codec, Endpoint, HoldForm, LocalMedia, OfferError, Refusal, Session, StreamState, WarningCode,
};
use ringback_sdp::{MediaDirection, MediaType, Origin, SessionDescription};

const OFFER: &str = "v=0\r\no=alice 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
    m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n";

pub(crate) fn parse(text: &str) -> SessionDescription {
    SessionDescription::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

pub(crate) fn endpoint(user: &str, address: &str) -> Endpoint {
    let family = if address.contains(':') { "IP6" } else { "IP4" };
    Endpoint::new(Origin::parse(&format!("{user} 1 1 IN {family} {address}")).unwrap(), address)
}

fn bob() -> Endpoint {
    endpoint("bob", "192.0.2.2").media(voice(5000))
}

fn voice(port: u16) -> LocalMedia {
    LocalMedia::audio(port).codec(Codec::pcmu()).codec(Codec::pcma()).codec(Codec::telephone_event(8_000))
}

/// Both sides after an exchange.
pub(crate) fn settled(offer: &str, has: &Endpoint) -> (Session, Session) {
    let draft = Session::new().draft(parse(offer)).unwrap();
    let pending = Session::new().send(draft).unwrap();
    let answer = Session::new().receive(parse(offer)).unwrap().answer(has).unwrap();
    let session = pending.accept(parse(&answer.description().to_string())).unwrap();
    (session, answer.sent())
}

/// One more exchange.
fn again(
    offerer: Session,
    draft: ringback_sdp::negotiate::Offer,
    answerer: Session,
    has: &Endpoint,
) -> (Session, Session) {
    let pending = offerer.send(draft).unwrap();
    let answer = answerer.receive(parse(&pending.description().to_string())).unwrap().answer(has).unwrap();
    let offerer = pending.accept(parse(&answer.description().to_string())).unwrap();
    (offerer, answer.sent())
}

pub(crate) fn answered(offer: &str, has: &Endpoint) -> String {
    Session::new().receive(parse(offer)).unwrap().answer(has).unwrap().description().to_string()
}

fn refused(offer: &str, has: &Endpoint) -> Refusal {
    let error = Session::new().receive(parse(offer)).unwrap().answer(has).map(|a| a.description().to_string());
    error.expect_err(offer).refusal
}

fn version(description: &SessionDescription) -> &str {
    &description.origin().session_version
}

#[test]
fn a_refusal_says_why() {
    let has = bob();
    use WarningCode::*;
    for (offer, warning, code) in [
        (OFFER.replace("RTP/AVP 0 101", "RTP/AVP 18 101"), IncompatibleMediaFormat, 305),
        (OFFER.replace("m=audio", "m=video"), MediaTypeNotAvailable, 304),
        (OFFER.replace("RTP/AVP", "RTP/SAVP"), IncompatibleTransport, 302),
        (OFFER.replace("c=IN IP4 192.0.2.1", "c=IN IP6 2001:db8::1"), IncompatibleAddressFormat, 301),
        (OFFER.replace("c=IN IP4 192.0.2.1", "c=ATM NSAP 47.0091"), IncompatibleNetworkProtocol, 300),
        (OFFER.replace("c=IN IP4 192.0.2.1", "c=IN IP4 233.252.0.1/127"), MulticastNotAvailable, 330),
        (OFFER.replace("c=IN IP4 192.0.2.1\r\n", ""), IncompatibleAddressFormat, 301),
    ] {
        let refusal = refused(&offer, &has);
        assert_eq!((refusal.status, refusal.warning, refusal.media), (488, Some(warning), Some(0)), "{offer}");
        assert_eq!(warning.code(), code);
    }
    let keyed = endpoint("bob", "192.0.2.2").media(voice(5000).protocols(&["RTP/SAVP"]).key("X", "inline:a"));
    let refusal = refused(&OFFER.replace("RTP/AVP", "RTP/SAVP"), &keyed);
    assert_eq!(refusal.warning, Some(AttributeNotUnderstood));
    let unread = Refusal::from(SessionDescription::parse("v=0\r\nnonsense").unwrap_err());
    assert_eq!((unread.status, unread.warning.unwrap().code()), (488, 307));
    assert!(unread.to_string().contains("line 2, column 1"), "{unread}");
}

#[test]
fn what_is_left_of_an_offer_is_answered() {
    let offer = format!("{OFFER}m=video 4002 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\na=mid:v\r\n");
    let answer = answered(&offer, &bob());
    let tail = "m=audio 5000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
        a=fmtp:101 0-15\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\na=mid:v\r\n";
    assert!(answer.ends_with(tail), "{answer}");
    SessionDescription::parse_strict(answer).unwrap().check().unwrap();
}

#[test]
fn tones_alone_are_no_conversation() {
    let offer = OFFER.replace("RTP/AVP 0 101", "RTP/AVP 18 101");
    assert_eq!(refused(&offer, &bob()).warning, Some(WarningCode::IncompatibleMediaFormat));
    let only_tones = OFFER.replace("RTP/AVP 0 101", "RTP/AVP 101");
    assert!(answered(&only_tones, &bob()).contains("m=audio 5000 RTP/AVP 101\r\n"));
}

#[test]
fn hold_and_resume_by_direction() {
    let (alice, bob_session) = settled(OFFER, &bob());
    let hold = alice.hold(HoldForm::Direction).unwrap();
    assert!(hold.description().to_string().ends_with("a=sendonly\r\n"));
    assert_eq!(version(hold.description()), "2");
    let (alice, bob_session) = again(alice, hold, bob_session, &bob());
    assert!(alice.is_held() && alice.streams()[0].direction == MediaDirection::SendOnly);
    assert_eq!(bob_session.streams()[0].held_by_peer, Some(HoldForm::Direction));
    // Bob's own wish is unchanged, and a refresh of his says so. The answer to it keeps him on hold.
    let refresh = bob_session.refresh().unwrap();
    assert_eq!(refresh.description().direction_of(&refresh.description().media()[0]), MediaDirection::SendRecv);
    let has = endpoint("alice", "192.0.2.1").media(voice(4000));
    let (bob_session, alice) = again(bob_session, refresh, alice, &has);
    assert_eq!(bob_session.streams()[0].direction, MediaDirection::RecvOnly);
    assert!(alice.is_held());
    let resume = alice.resume().unwrap();
    let (alice, bob_session) = again(alice, resume, bob_session, &bob());
    assert!(!alice.is_held());
    assert_eq!(bob_session.streams()[0].held_by_peer, None);
    assert_eq!(alice.streams()[0].direction, MediaDirection::SendRecv);
}

#[test]
fn hold_and_resume_by_an_address_of_zeros() {
    let offer = OFFER.replace("m=audio", "a=tool:x\r\nm=audio").replace("a=rtpmap", "c=IN IP4 192.0.2.9\r\na=rtpmap");
    let (alice, bob_session) = settled(&offer, &bob());
    let hold = alice.hold(HoldForm::ZeroAddress).unwrap();
    let (alice, bob_session) = again(alice, hold, bob_session, &bob());
    assert_eq!(bob_session.streams()[0].held_by_peer, Some(HoldForm::ZeroAddress));
    assert!(!bob_session.streams()[0].may_send());
    let resume = alice.resume().unwrap();
    let (_, bob_session) = again(alice, resume, bob_session, &bob());
    assert_eq!(&*bob_session.streams()[0].remote.as_ref().unwrap().address, "192.0.2.9");
    assert!(bob_session.streams()[0].may_send());
}

#[test]
fn a_hold_of_both_sides() {
    let (alice, bob_session) = settled(OFFER, &bob());
    let hold = alice.hold(HoldForm::Direction).unwrap();
    let (alice, bob_session) = again(alice, hold, bob_session, &bob());
    let hold = bob_session.hold(HoldForm::Direction).unwrap();
    let has = endpoint("alice", "192.0.2.1").media(voice(4000));
    let (bob_session, alice) = again(bob_session, hold, alice, &has);
    assert_eq!(alice.streams()[0].direction, MediaDirection::Inactive);
    let resume = alice.resume().unwrap();
    let (alice, bob_session) = again(alice, resume, bob_session, &bob());
    assert_eq!(alice.streams()[0].direction, MediaDirection::RecvOnly);
    assert!(bob_session.is_held());
}

#[test]
fn two_offers_that_meet() {
    let (alice, bob_session) = settled(OFFER, &bob());
    let early = alice.hold(HoldForm::Direction).unwrap();
    // Bob's offer comes in and is answered first: the draft is of a session that is no more.
    let theirs = bob_session.refresh().unwrap();
    let has = endpoint("alice", "192.0.2.1").media(voice(4000));
    let (_, alice) = again(bob_session, theirs, alice, &has);
    let unfit = alice.send(early).unwrap_err();
    let alice = unfit.session;
    // A new one is out: what comes in is a glare, and afterwards the session is as before.
    let draft = alice.hold(HoldForm::Direction).unwrap();
    let before = alice.streams().to_vec();
    let pending = alice.send(draft).unwrap();
    assert_eq!(pending.glare().refusal().status, 491);
    let alice = pending.withdraw();
    // Nor does one fit that was drafted before another was sent, though that came to nothing.
    let alice = alice.send(unfit.offer).unwrap_err().session;
    assert_eq!(alice.streams(), before);
    assert!(!alice.is_held());
}

#[test]
fn versions_follow_what_was_sent_last() {
    let (alice, bob_session) = settled(OFFER, &bob());
    assert_eq!(version(alice.refresh().unwrap().description()), "1");
    let withdrawn = alice.hold(HoldForm::Direction).unwrap();
    let alice = alice.send(withdrawn).unwrap().withdraw();
    // The refused offer was the previous description: the same text again has its version, the old text a new one.
    assert_eq!(version(alice.hold(HoldForm::Direction).unwrap().description()), "2");
    assert_eq!(version(alice.refresh().unwrap().description()), "3");
    let received = bob_session.receive(parse(OFFER)).unwrap();
    assert!(received.is_unchanged() && !received.is_version_stale());
    let answer = received.answer(&bob()).unwrap();
    assert_eq!(version(answer.description()), "1");
    let changed = OFFER.replace("RTP/AVP 0 101", "RTP/AVP 0 8 101");
    let received = answer.sent().receive(parse(&changed)).unwrap();
    assert!(!received.is_unchanged() && received.is_version_stale());
    assert_eq!(version(received.answer(&bob()).unwrap().description()), "2");
    let high = OFFER.replace("alice 1 1", "alice 1 4611686018427387903");
    assert_eq!(Session::new().draft(parse(&high)).unwrap_err(), OfferError::VersionTooHigh);
}

#[test]
fn streams_are_never_taken_out() {
    let two = format!("{OFFER}m=audio 4002 RTP/AVP 8\r\n");
    let has = endpoint("bob", "192.0.2.2").media(voice(5000)).media(voice(5002));
    let (alice, bob_session) = settled(&two, &has);
    assert_eq!(alice.draft(parse(OFFER)).unwrap_err(), OfferError::StreamMissing { before: 2, now: 1 });
    let removal = alice.remove(1).unwrap();
    let (alice, bob_session) = again(alice, removal, bob_session, &has);
    assert_eq!(bob_session.streams()[1].state, StreamState::Gone);
    let addition = alice.add(&LocalMedia::video(4004).codec(Codec::vp8())).unwrap();
    assert_eq!(addition.description().media().len(), 2);
    let has = has.media(LocalMedia::video(5004).codec(Codec::vp8()));
    let (alice, bob_session) = again(alice, addition, bob_session, &has);
    assert_eq!(alice.streams()[1].media, MediaType::Video);
    let refused = bob_session.receive(parse(OFFER)).unwrap_err();
    assert_eq!(refused.refusal.warning, Some(WarningCode::Miscellaneous));
    assert_eq!(refused.session.streams().len(), 2);
    assert_eq!(alice.remove(7).unwrap_err(), OfferError::NoStream(7));
    assert_eq!(Session::new().hold(HoldForm::Direction).unwrap_err(), OfferError::NoSession);
}

#[test]
fn payload_types_keep_their_meaning() {
    let dynamic = |name: &str| OFFER.replace("AVP 0 101", "AVP 0 96 101") + &format!("a=rtpmap:96 {name}\r\n");
    let has = endpoint("bob", "192.0.2.2").media(voice(5000).codec(Codec::opus()).codec(Codec::new("speex", 8_000, 1)));
    let (alice, bob_session) = settled(&dynamic("opus/48000/2"), &has);
    assert_eq!(
        alice.draft(parse(&dynamic("speex/8000"))).unwrap_err(),
        OfferError::PayloadTypeReused { media: 0, payload_type: 96 }
    );
    // From the other side it is passed over, and what else there is goes on.
    let again = dynamic("speex/8000").replace("alice 1 1", "alice 1 2");
    let received = bob_session.receive(parse(&again)).unwrap();
    let answer = received.answer(&has).unwrap();
    assert_eq!(answer.description().media()[0].formats(), ["0".into(), "101".into()] as [Box<str>; 2]);
    // Another origin is another session, put in the place of the first by a server: its payload types are its own. Bob's
    // have stood for Opus, so he takes another to receive with.
    let other = dynamic("speex/8000").replace("alice 1 1", "carol 9 1");
    let received = answer.unsent().refuse().receive(parse(&other)).unwrap();
    let session = received.answer(&has).unwrap().sent();
    let speex = |formats: &[ringback_sdp::negotiate::Format]| {
        formats.iter().find(|format| format.codec.name() == "speex").unwrap().payload_type
    };
    let stream = &session.streams()[0];
    assert_eq!(speex(&stream.send), 96);
    assert_ne!(speex(&stream.receive), 96);
}

#[test]
fn another_stream_in_the_same_place_has_meanings_of_its_own() {
    let speex = || Codec::new("speex", 8_000, 1).payload_type(96);
    let only = |port, codec| endpoint("bob", "192.0.2.2").media(LocalMedia::audio(port).codec(codec));
    let (head, _) = OFFER.split_once(" 0 101").unwrap();
    let offer = format!("{head} 96\r\na=rtpmap:96 iLBC/8000\r\n");
    let (alice, bob_session) = settled(&offer, &only(5000, Codec::new("iLBC", 8_000, 1)));
    let removal = alice.remove(0).unwrap();
    let (alice, bob_session) = again(alice, removal, bob_session, &bob());
    let addition = alice.add(&LocalMedia::audio(4002).codec(speex())).unwrap();
    let (alice, bob_session) = again(alice, addition, bob_session, &only(5002, speex()));
    for session in [&alice, &bob_session] {
        let [stream] = session.streams() else { panic!() };
        assert_eq!((stream.send[0].payload_type, stream.send[0].codec.name()), (96, "speex"));
    }
    // From there on it is that stream's.
    let before = parse(&alice.local().unwrap().to_string().replace("speex", "iLBC"));
    assert_eq!(alice.draft(before).unwrap_err(), OfferError::PayloadTypeReused { media: 0, payload_type: 96 });
}

#[test]
fn one_offer_and_several_answers() {
    let draft = Session::new().draft(parse(OFFER)).unwrap();
    let pending = Session::new().send(draft).unwrap();
    let fork = pending.fork();
    let answer = |has: &Endpoint| parse(&answered(OFFER, has));
    let one = pending.accept(answer(&bob())).unwrap();
    let two = fork.accept(answer(&endpoint("carol", "192.0.2.3").media(voice(6000)))).unwrap();
    assert_eq!(one.streams()[0].remote.as_ref().unwrap().port, 5000);
    assert_eq!(two.streams()[0].remote.as_ref().unwrap().port, 6000);
}

#[test]
fn an_answer_that_does_not_fit_leaves_the_offer_open() {
    use AnswerErrorKind::*;
    let good = answered(OFFER, &bob());
    let mut pending = {
        let draft = Session::new().draft(parse(OFFER)).unwrap();
        Session::new().send(draft).unwrap()
    };
    for (answer, media, kind) in [
        (good.clone() + "m=audio 1 RTP/AVP 0\r\n", None, MediaCount { offered: 1, answered: 2 }),
        (good.replace("m=audio", "m=video"), Some(0), MediaType),
        (good.replace("RTP/AVP", "RTP/SAVP"), Some(0), Protocol),
        (good.replace("RTP/AVP 0 101", "RTP/AVP 8"), Some(0), Format),
        (good.replace("IP4 192.0.2.2\r\nt", "IP4 233.252.0.1/1\r\nt"), Some(0), Multicast),
    ] {
        let unanswered = pending.accept(parse(&answer)).unwrap_err();
        assert_eq!((unanswered.error.media, &unanswered.error.kind), (media, &kind));
        pending = unanswered.offer;
    }
    assert_eq!(pending.accept(parse(&good)).unwrap().streams().len(), 1);
}

#[test]
fn one_s_own_answer_keeps_every_rule() {
    use AnswerErrorKind::*;
    let offer = OFFER.to_owned() + "a=sendonly\r\n";
    let good = answered(&offer, &bob());
    assert!(good.ends_with("a=recvonly\r\n"));
    let mut received = Session::new().receive(parse(&offer)).unwrap();
    for (answer, kind) in [
        (good.replace("a=recvonly", "a=sendrecv"), Direction),
        (good.replace("t=0 0", "t=3724394400 0"), Timing),
        (good.replace("a=recvonly", "a=recvonly\r\na=rtcp-mux"), RtcpMux),
        (
            good.replace("a=recvonly", "a=recvonly\r\na=mid:a\r\na=rtcp-mux")
                .replace("m=audio", "a=group:BUNDLE a\r\nm=audio"),
            Bundle,
        ),
        (good.replace("a=recvonly", "a=recvonly\r\na=crypto:1 X inline:a"), Crypto),
    ] {
        let unanswered = received.answer_with(parse(&answer)).map(|a| a.description().to_string()).expect_err(&answer);
        assert_eq!(unanswered.error.kind, kind);
        received = unanswered.offer;
    }
    let twice = good.replace("a=recvonly", "a=recvonly\r\na=inactive");
    let unanswered = received.answer_with(parse(&twice)).unwrap_err();
    assert!(matches!(unanswered.error.kind, Invalid(_)));
    assert!(unanswered.offer.answer_with(parse(&good)).is_ok());
}

#[test]
fn a_removed_stream_stays_removed() {
    let offer = format!("{OFFER}m=audio 0 RTP/AVP 8\r\n");
    let has = endpoint("bob", "192.0.2.2").media(voice(5000)).media(voice(5002));
    let answer = answered(&offer, &has);
    assert!(answer.ends_with("m=audio 0 RTP/AVP 8\r\n"), "{answer}");
    let received = Session::new().receive(parse(&offer)).unwrap();
    let revived = answer.replace("m=audio 0", "m=audio 5002");
    let error = received.answer_with(parse(&revived)).unwrap_err().error;
    assert_eq!((error.media, error.kind), (Some(1), AnswerErrorKind::NotOffered));
    // Nothing is wanted, so nothing is refused.
    let nothing = OFFER.replace("m=audio 4000", "m=audio 0");
    assert!(answered(&nothing, &has).contains("m=audio 0 RTP/AVP 0\r\n"));
}

#[test]
fn a_group_is_joined_as_it_is() {
    let offer = OFFER.replace("c=IN IP4 192.0.2.1", "c=IN IP4 233.252.0.1/127") + "a=recvonly\r\n";
    let has = endpoint("bob", "192.0.2.2").media(voice(5000).joins_multicast());
    let received = Session::new().receive(parse(&offer)).unwrap();
    let answer = received.answer(&has).map(|a| a.description().to_string());
    // The group is named at the session level, where the answer's own address stands, so it is put with the stream.
    let answer = answer.unwrap();
    assert!(answer.contains("m=audio 4000 RTP/AVP 0 101\r\nc=IN IP4 233.252.0.1/127\r\n"), "{answer}");
    assert!(answer.ends_with("a=recvonly\r\n"));
}

/// A group that is none can't be joined, and where one is joined, one's own address has no say.
#[test]
fn an_answer_names_a_group_or_an_address() {
    let offer = |stream: &str| OFFER.replace("AVP 0 101\r\n", &format!("AVP 0 101\r\n{stream}"));
    let has = endpoint("bob", "192.0.2.2").media(voice(5000).joins_multicast().connection("192.0.2.3"));
    for bad in ["c=IN IP4 239.255.255.255/1/2\r\n", "c=IN IP4 233.252.0.1/1\r\nc=IN IP4 192.0.2.9\r\n"] {
        assert_eq!(refused(&offer(bad), &has).warning, Some(WarningCode::IncompatibleAddressFormat));
    }
    let two = "c=IN IP4 233.252.0.1/1\r\nc=IN IP4 233.252.0.2/1\r\n";
    let answer = answered(&offer(two), &has);
    parse(&answer).check().unwrap();
    assert!(answer.contains(two) && !answer.contains("192.0.2.3"), "{answer}");
}

#[test]
fn keys_of_srtp() {
    let offer = OFFER.replace("RTP/AVP", "RTP/SAVP")
        + "a=crypto:1 AEAD_AES_256_GCM inline:b2ZmZXJlZA==\r\na=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:dGhlaXJzdGhlaXJzdGhlaXJzdGhlaXJzdGhlaXJz|2^20\r\n";
    let has = endpoint("bob", "192.0.2.2").media(
        voice(5000)
            .protocols(&["RTP/AVP", "RTP/SAVP"])
            .key("AES_CM_128_HMAC_SHA1_80", "inline:b3ducw2lb3ducw2lb3ducw2lb3ducw2lb3ducw2l"),
    );
    let (alice, _) = settled(&offer, &has);
    let remote = alice.remote().unwrap().to_string();
    assert!(
        remote.contains("a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:b3ducw2lb3ducw2lb3ducw2lb3ducw2lb3ducw2l\r\n")
            && !remote.contains("crypto:1")
    );
    let draft = Session::new().draft(parse(&offer)).unwrap();
    let pending = Session::new().send(draft).unwrap();
    let error = pending.accept(parse(&remote.replace("crypto:2", "crypto:3"))).unwrap_err().error;
    assert_eq!(error.kind, AnswerErrorKind::Crypto);
    let own = endpoint("alice", "192.0.2.1")
        .media(voice(4000).protocols(&["RTP/SAVP"]).key("X", "inline:a").key("Y", "inline:b"));
    let text = own.offer().unwrap().to_string();
    assert!(text.contains("a=crypto:1 X inline:a\r\na=crypto:2 Y inline:b\r\n"));
    assert!(!format!("{own:?}").contains("inline"));
    let session = settled(&offer, &has).1;
    assert!(format!("{session:?}").contains("a=crypto:…") && !format!("{session:?}").contains("inline"));
    // Where both ways are offered, whoever has a certificate shows it, and whoever has none writes a key.
    let both = format!("{offer}a=fingerprint:sha-1 {}\r\na=setup:actpass\r\n", ["4A"; 20].join(":"));
    let keyed = answered(&both, &has);
    assert!(keyed.contains("crypto:2") && !keyed.contains("setup"), "{keyed}");
    let digest = ["AB"; 20].join(":");
    let certified = endpoint("bob", "192.0.2.2")
        .media(voice(5000).protocols(&["RTP/SAVP"]).with(&Fingerprint { hash: "sha-1", fingerprint: &digest }));
    let shown = answered(&both, &certified);
    assert!(shown.contains("fingerprint") && shown.contains("setup:active") && !shown.contains("crypto"), "{shown}");
}

/// A number that stands for nothing is not answered, and of several extensions with one number, one is.
#[test]
fn header_extensions_have_a_number_each() {
    let one = |number, uri| ExtMap { id: number, direction: None, uri, attributes: None };
    let media = voice(5000).with(&one(1, "urn:x")).with(&one(2, "urn:y")).with(&one(3, "urn:z"));
    let has = endpoint("bob", "192.0.2.2").media(media);
    let offer = format!("{OFFER}a=extmap:0 urn:x\r\na=extmap:7 urn:y\r\na=extmap:7 urn:z\r\n");
    let answer = parse(&answered(&offer, &has));
    assert_eq!(answer.media()[0].section().values("extmap").collect::<Vec<_>>(), [Some(&b"7 urn:y"[..])]);
    answer.check().unwrap();
}

#[test]
fn facsimile_takes_the_place_of_voice() {
    let (alice, bob_session) = settled(OFFER, &bob());
    let t38 =
        T38 { max_bit_rate: Some(14_400), rate_management: Some(RateManagement::TransferredTcf), ..T38::default() };
    let fax = endpoint("alice", "192.0.2.1").media(LocalMedia::t38(4010, t38.clone()));
    let draft = alice.draft(fax.offer().unwrap()).unwrap();
    let has = bob().media(LocalMedia::t38(5010, T38 { max_bit_rate: Some(9_600), ..t38 }));
    let (alice, bob_session) = again(alice, draft, bob_session, &has);
    assert_eq!(alice.streams()[0].media, MediaType::Image);
    let text = bob_session.local().unwrap().to_string();
    assert!(text.contains("m=image 5010 udptl t38\r\n") && text.contains("a=T38MaxBitRate:9600\r\n"), "{text}");
    assert_eq!(bob_session.streams()[0].remote.as_ref().unwrap().port, 4010);
}

#[test]
fn preconditions_are_facts() {
    let offer = OFFER.to_owned()
        + "a=curr:qos local none\r\na=curr:qos remote none\r\na=des:qos mandatory local sendrecv\r\n\
           a=des:qos mandatory remote sendrecv\r\na=des:x-own optional e2e send\r\n";
    let has = |direction| endpoint("bob", "192.0.2.2").media(voice(5000).resources(direction));
    let (alice, bob_session) = settled(&offer, &has(ResourceDirection::None));
    assert!(!alice.streams()[0].are_preconditions_met() && !bob_session.streams()[0].are_preconditions_met());
    let answer = alice.remote().unwrap().to_string();
    assert!(
        answer.contains("a=curr:qos remote none\r\na=curr:qos local none\r\na=des:qos mandatory remote sendrecv\r\n")
    );
    // Alice has her resources, and Bob his.
    let mut local = alice.local().unwrap().clone();
    let section = local.media_mut(0).unwrap().section_mut();
    section.remove("curr");
    section.insert(ringback_sdp::Line::attribute("curr", Some("qos local sendrecv")).unwrap()).unwrap();
    section.insert(ringback_sdp::Line::attribute("curr", Some("qos remote none")).unwrap()).unwrap();
    let draft = alice.draft(local).unwrap();
    let (alice, bob_session) = again(alice, draft, bob_session, &has(ResourceDirection::SendRecv));
    assert!(alice.streams()[0].are_preconditions_met() && bob_session.streams()[0].are_preconditions_met());
    let unknown = OFFER.to_owned() + "a=des:x-own mandatory e2e send\r\n";
    assert_eq!(refused(&unknown, &has(ResourceDirection::None)).status, 580);
    assert!(settled(&unknown, &bob()).1.streams()[0].preconditions.len() == 1);
}

#[test]
fn a_failed_condition_is_described() {
    let offer = OFFER.to_owned()
        + "a=des:x-own mandatory e2e send\r\na=des:qos mandatory local sendrecv\r\nm=video 4002 RTP/AVP 31\r\n";
    let has = bob().media(LocalMedia::audio(5002).codec(Codec::pcmu()).resources(ResourceDirection::None));
    let knows = endpoint("bob", "192.0.2.2").media(voice(5000).resources(ResourceDirection::None));
    let refused = Session::new().receive(parse(&offer)).unwrap().answer(&knows).map(drop).unwrap_err();
    assert_eq!((refused.refusal.status, refused.refusal.warning), (580, None));
    let text = refused.description.unwrap().to_string();
    let tail = "m=audio 0 RTP/AVP 0\r\na=des:x-own unknown e2e recv\r\nm=video 0 RTP/AVP 31\r\n";
    assert!(text.ends_with(tail), "{text}");
    SessionDescription::parse_strict(&text).unwrap().check().unwrap();
    // With one's own network the other side has to do alone. [RFC 3312, Section 9]
    let local = offer.replace("x-own mandatory e2e", "x-own mandatory local");
    assert!(Session::new().receive(parse(&local)).unwrap().answer(&knows).is_ok());
    let refused = Session::new().receive(parse(&OFFER.replace("audio", "text"))).unwrap().answer(&has).map(drop);
    assert_eq!(refused.unwrap_err().description, None);
}

#[test]
fn a_refusal_without_a_code_of_its_own_says_why() {
    let (_, session) = settled(&format!("{OFFER}m=video 4002 RTP/AVP 31\r\n"), &bob());
    let refused = session.receive(parse(OFFER)).unwrap_err();
    assert_eq!(refused.refusal.warning.unwrap().code(), 399);
    assert_eq!(refused.refusal.text(), Some("the offer has fewer streams than the session"));
    assert!(refused.to_string().contains("fewer streams"), "{refused}");
    let usual = Refusal::warn(WarningCode::InsufficientBandwidth, Some(0));
    assert_eq!((usual.status, usual.text()), (488, Some("Insufficient bandwidth")));
}

#[test]
fn a_first_offer_is_answered_as_it_came() {
    let answer = bob().answer(OFFER.replace('\r', "")).unwrap();
    assert_eq!(answer.description().to_string(), answered(OFFER, &bob()));
    let refused = bob().answer("v=0\r\nnonsense").map(drop).unwrap_err();
    assert_eq!((refused.refusal.status, refused.refusal.defect.unwrap().line), (488, 2));
    assert_eq!(bob().answer(OFFER.replace("audio", "video")).map(drop).unwrap_err().refusal.status, 488);
}

#[test]
fn what_is_sent_again_names_what_it_repeats() {
    let codecs =
        [Codec::vp8(), Codec::rtx(90_000).parameters("rtx-time=3000"), Codec::h264("42e01f", 1), Codec::rtx(90_000)];
    let video = |port| codecs.iter().cloned().fold(LocalMedia::video(port), LocalMedia::codec);
    let offer = endpoint("a", "192.0.2.1").media(video(4000)).offer().unwrap().to_string();
    for line in ["a=fmtp:97 apt=96;rtx-time=3000", "a=fmtp:99 apt=98", "a=rtpmap:99 rtx/90000"] {
        assert!(offer.contains(line), "{offer}");
    }
    let answer = answered(&offer, &endpoint("b", "192.0.2.2").media(video(5000)));
    assert!(answer.contains("m=video 5000 RTP/AVP 96 97 98 99\r\n"), "{answer}");
}

#[test]
fn a_number_that_rtcp_needs_is_not_answered() {
    let offer = OFFER.replace("AVP 0 101", "AVP 72 0 101") + "a=rtpmap:72 opus/48000/2\r\na=rtcp-mux\r\n";
    let has = |media: LocalMedia| endpoint("bob", "192.0.2.2").media(media.codec(Codec::opus()));
    assert!(answered(&offer, &has(voice(5000).rtcp_mux())).contains("RTP/AVP 0 101\r\n"));
    // With a port of its own for RTCP it is as good as any.
    assert!(answered(&offer, &has(voice(5000))).contains("RTP/AVP 72 0 101\r\n"));
}

#[test]
fn what_one_has_must_be_sound() {
    let bad = [
        endpoint("a", "192.0.2.1").media(voice(1).attribute("x", Some("a\r\nb"))),
        endpoint("a", "192.0.2.1").media(voice(1).connection("a\nb")),
        Endpoint::new(Origin::parse("a 1 1 IN IP4 h").unwrap(), "192.0.2.1\r\na=x").media(voice(1)),
        endpoint("a", "192.0.2.1").name("a\nb").media(voice(1)),
        endpoint("a", "192.0.2.1").media(voice(1).codec(Codec::new("a b", 1, 1))),
        endpoint("a", "192.0.2.1").media(voice(1).key("X Y", "inline:a")),
        endpoint("a", "192.0.2.1").with(&Mid("a b")).media(voice(1)),
    ];
    for has in bad {
        assert!(has.offer().is_err(), "{has:?}");
        let offer = OFFER.replace("AVP 0", "AVP 0 102").replace("a=fmtp", "a=rtpmap:102 a/1\r\na=fmtp");
        match Session::new().receive(parse(&offer)).unwrap().answer(&has) {
            // A codec that is no name fits no offer, and nothing else of it is asked for.
            Ok(answer) => assert!(!answer.description().to_string().contains("a b")),
            Err(refused) => assert!(refused.refusal.status == 500 && refused.mistake.is_some(), "{refused}"),
        }
    }
}

#[test]
fn bandwidth_and_packet_time_are_said() {
    let has = endpoint("bob", "192.0.2.2").media(voice(5000).bandwidth("AS", 80).bandwidth("RR", 0).ptime(30));
    let (alice, _) = settled(OFFER, &has);
    let text = alice.remote().unwrap().to_string();
    assert!(text.contains("m=audio 5000 RTP/AVP 0 101\r\nb=AS:80\r\nb=RR:0\r\na=rtpmap"), "{text}");
    assert_eq!(alice.streams()[0].send_ptime_us, Some(30_000));
    assert!(endpoint("a", "h").media(voice(1).bandwidth("A S", 1)).offer().is_err());
}

#[test]
fn a_refused_offer_leaves_no_trace() {
    let dynamic = OFFER.replace("AVP 0 101", "AVP 96 101") + "a=rtpmap:96 opus/48000/2\r\n";
    let has = endpoint("bob", "192.0.2.2").media(voice(5000).codec(Codec::opus()));
    let (_, session) = settled(&dynamic, &has);
    let before = session.streams().to_vec();
    // Somebody else comes with another meaning of 96 and is refused: the first still has what it had.
    let other = dynamic.replace("alice 1 1", "carol 9 1").replace("opus/48000/2", "speex/8000");
    let refused = session.receive(parse(&other)).unwrap().answer(&has).map(drop).unwrap_err();
    assert_eq!(refused.refusal.warning, Some(WarningCode::IncompatibleMediaFormat));
    let session = refused.session;
    assert_eq!(session.streams(), before);
    let again =
        dynamic.replace("alice 1 1", "alice 1 2").replace("opus/48000/2", "speex/8000").replace("96 101", "96 0 101");
    let answer = session.receive(parse(&again)).unwrap().answer(&has).unwrap();
    assert_eq!(answer.description().media()[0].formats()[0], "0".into());
}

#[test]
fn a_stream_keeps_what_it_has_when_another_goes() {
    let two = format!("{OFFER}m=audio 4002 RTP/AVP 8\r\n");
    let has = endpoint("bob", "192.0.2.2").media(voice(5000)).media(voice(5002));
    let (alice, bob_session) = settled(&two, &has);
    let removal = alice.remove(0).unwrap();
    let (_, bob_session) = again(alice, removal, bob_session, &has);
    let ports: Vec<u16> = bob_session.local().unwrap().media().iter().map(|media| media.port()).collect();
    assert_eq!(ports, [0, 5002]);
}

#[test]
fn an_answer_may_leave_out_what_is_gone() {
    let offer = |port: u16| format!("{OFFER}m=video {port} RTP/AVP 31\r\n");
    let answer = answered(OFFER, &bob());
    let pending = |text: &str| Session::new().send(Session::new().draft(parse(text)).unwrap()).unwrap();
    let session = pending(&offer(0)).accept(parse(&answer)).unwrap();
    assert_eq!(session.streams()[1].state, StreamState::Gone);
    assert_eq!(session.remote().unwrap().media().len(), 2);
    let error = pending(&offer(4002)).accept(parse(&answer)).unwrap_err().error;
    assert_eq!(error.kind, AnswerErrorKind::MediaCount { offered: 2, answered: 1 });
}

fn sent(offer: &str) -> ringback_sdp::negotiate::PendingOffer {
    Session::new().send(Session::new().draft(parse(offer)).unwrap()).unwrap()
}

#[test]
fn a_format_is_known_by_its_parameters_where_its_number_differs() {
    let h264 = |number: u8, mode: u8| {
        let fmtp = format!("a=fmtp:{number} profile-level-id=42e01f;packetization-mode={mode}\r\n");
        format!("a=rtpmap:{number} H264/90000\r\n{fmtp}")
    };
    let video =
        |types: &str| OFFER.split("m=").next().unwrap().to_owned() + &format!("m=video 4000 RTP/AVP {types}\r\n");
    let offer = video("96 97") + &h264(96, 0) + &h264(97, 1);
    let session = sent(&offer).accept(parse(&(video("100") + &h264(100, 1)))).unwrap();
    let stream = &session.streams()[0];
    assert_eq!((stream.send[0].payload_type, stream.receive[0].payload_type), (100, 97));
}

#[test]
fn a_new_stream_takes_nothing_from_one_that_is_there() {
    let has = endpoint("bob", "192.0.2.2")
        .media(LocalMedia::audio(5000).codec(Codec::pcma()))
        .media(LocalMedia::audio(5002).codec(Codec::pcmu()));
    let first = OFFER.replace("m=audio 4000 RTP/AVP 0 101", "m=video 4002 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 0 101");
    let (_, session) = settled(&first, &has);
    let second = first.replace("m=video 4002 RTP/AVP 31", "m=audio 4002 RTP/AVP 0").replace("alice 1 1", "alice 1 2");
    let answer = session.receive(parse(&second)).unwrap().answer(&has).unwrap();
    let ports: Vec<u16> = answer.description().media().iter().map(|media| media.port()).collect();
    assert_eq!(ports, [0, 5002]);
}

#[test]
fn repairs_are_done_without_where_numbers_had_to_move() {
    let offer = |name: &str, origin: &str| {
        format!(
            "v=0\r\no={origin} IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=video 4000 RTP/AVP 96 97\r\n\
             a=rtpmap:96 {name}/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
        )
    };
    let codecs = [Codec::vp8(), Codec::new("H261", 90_000, 1), Codec::new("rtx", 90_000, 1)];
    let has = endpoint("bob", "192.0.2.2").media(codecs.into_iter().fold(LocalMedia::video(5000), LocalMedia::codec));
    let (_, session) = settled(&offer("VP8", "alice 1 1"), &has);
    assert_eq!(session.streams()[0].send.len(), 2);
    let moved = session.receive(parse(&offer("H261", "carol 9 1"))).unwrap().answer(&has).unwrap();
    let types: Vec<u8> = moved.description().media()[0].line().payload_types().collect();
    assert!(types.len() == 1 && ![96, 97].contains(&types[0]), "{types:?}");
}

#[test]
fn roles_must_answer_each_other() {
    let offer = OFFER.to_owned() + "a=setup:active\r\n";
    let answer = answered(&offer, &bob());
    assert!(answer.contains("a=setup:passive\r\n"));
    for role in ["active", "actpass"] {
        let error = sent(&offer).accept(parse(&answer.replace("passive", role))).unwrap_err().error;
        assert_eq!(error.kind, AnswerErrorKind::Setup);
    }
}

#[test]
fn of_its_resources_each_side_speaks_for_itself() {
    let offer = OFFER.to_owned() + "a=curr:qos remote sendrecv\r\na=des:qos mandatory remote sendrecv\r\n";
    let plain = answered(OFFER, &bob());
    let with = |current: &str| {
        plain.clone() + &format!("a=curr:qos local {current}\r\na=des:qos mandatory local sendrecv\r\n")
    };
    assert!(!sent(&offer).accept(parse(&with("none"))).unwrap().streams()[0].are_preconditions_met());
    assert!(sent(&offer).accept(parse(&with("sendrecv"))).unwrap().streams()[0].are_preconditions_met());
}

#[test]
fn payload_types_go_with_their_stream() {
    let dynamic = |name: &str| OFFER.replace("AVP 0 101", "AVP 0 96 101") + &format!("a=rtpmap:96 {name}\r\n");
    let (alice, bob_session) = settled(&dynamic("opus/48000/2"), &bob());
    let removal = alice.remove(0).unwrap();
    let (alice, _) = again(alice, removal, bob_session, &bob());
    assert!(alice.draft(parse(&dynamic("speex/8000"))).is_ok());
}

#[test]
fn what_an_offer_has_left_out_is_still_wanted() {
    let offer = OFFER.to_owned() + "a=sendonly\r\n";
    let text = answered(&offer, &bob());
    let received = Session::new().receive(parse(&offer)).unwrap();
    let session = received.answer_with(parse(&text)).unwrap().sent();
    let refresh = session.refresh().unwrap();
    assert_eq!(refresh.description().direction_of(&refresh.description().media()[0]), MediaDirection::SendRecv);
}

#[test]
fn reports_go_where_they_are_wanted() {
    let offer = OFFER.to_owned() + "a=rtcp:4005 IN IP4 192.0.2.9\r\n";
    let report = |offer: &str, has: &Endpoint| settled(offer, has).1.streams()[0].remote_rtcp.clone().unwrap();
    let target = report(&offer, &bob());
    assert_eq!((&*target.address, target.port), ("192.0.2.9", 4005));
    assert_eq!(report(OFFER, &bob()).port, 4001);
    let mux = endpoint("bob", "192.0.2.2").media(voice(5000).rtcp_mux());
    let target = report(&(offer + "a=rtcp-mux\r\n"), &mux);
    assert_eq!((&*target.address, target.port), ("192.0.2.1", 4000));
}

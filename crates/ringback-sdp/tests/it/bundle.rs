//! Streams that share an address. `[RFC 8843]`

use ringback_sdp::SessionDescription;
use ringback_sdp::attribute::{Group, Mid};
use ringback_sdp::negotiate::{AnswerErrorKind, Codec, Endpoint, HoldForm, LocalMedia, Session, StreamState};

use crate::negotiate::{answered, endpoint, parse, settled};

const VOICE_AND_PICTURES: &str = "v=0\r\no=alice 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
    a=group:BUNDLE a v\r\nm=audio 4000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\na=mid:a\r\na=rtcp-mux\r\n\
    m=video 4002 RTP/AVP 97\r\na=rtpmap:97 VP8/90000\r\na=mid:v\r\na=rtcp-mux\r\n";

fn voice(port: u16) -> LocalMedia {
    LocalMedia::audio(port).codec(Codec::opus()).rtcp_mux().with(&Mid("a"))
}

fn pictures(port: u16) -> LocalMedia {
    LocalMedia::video(port).codec(Codec::vp8()).rtcp_mux().with(&Mid("v"))
}

fn alice() -> Endpoint {
    endpoint("alice", "192.0.2.1").bundles().media(voice(4000)).media(pictures(4002))
}

fn bob() -> Endpoint {
    endpoint("bob", "192.0.2.2").bundles().media(voice(5000)).media(pictures(5002))
}

fn ports(description: &SessionDescription) -> Vec<u16> {
    description.media().iter().map(|media| media.port()).collect()
}

fn tags(description: &SessionDescription) -> Vec<String> {
    let group = description.section().attribute::<Group<'_>>();
    group.map(|group| group.tags.iter().map(|tag| (*tag).to_owned()).collect()).unwrap_or_default()
}

#[test]
fn a_payload_type_means_one_thing_in_a_bundle() {
    parse(VOICE_AND_PICTURES).check().unwrap();
    let reused = VOICE_AND_PICTURES.replace("97", "96");
    let error = parse(&reused).check().unwrap_err().to_string();
    assert!(error.contains("RFC 8843, Section 9.1.1"), "{error}");
    // What has the same meaning in both is none.
    let twice = reused.replace("m=video", "m=audio").replace("VP8/90000", "opus/48000/2");
    parse(&twice).check().unwrap();
    assert!(parse(&(twice + "a=fmtp:96 stereo=1\r\n")).check().is_err());
    // One's own offer finds others.
    let crowd = |media: LocalMedia| media.codec(Codec::new("x", 8_000, 1)).codec(Codec::new("y", 8_000, 1));
    let has = endpoint("a", "192.0.2.1").bundles().media(crowd(voice(4000))).media(crowd(pictures(4002)));
    let offer = has.offer().unwrap();
    assert_eq!(tags(&offer), ["a", "v"]);
    let types: Vec<Vec<u8>> = offer.media().iter().map(|media| media.line().payload_types().collect()).collect();
    assert_eq!(types, [[111, 96, 97], [98, 99, 100]]);
    // Of an offer that reuses one, the second stream stands outside the bundle.
    let answer = parse(&answered(&reused, &bob()));
    assert_eq!((tags(&answer), ports(&answer)), (vec!["a".to_owned()], vec![5000, 5002]));
    answer.check().unwrap();
}

#[test]
fn a_bundle_has_rtcp_on_the_port_of_rtp() {
    let bare = VOICE_AND_PICTURES.replacen("a=rtcp-mux\r\n", "", 1);
    let error = parse(&bare).check().unwrap_err().to_string();
    assert!(error.contains("without rtcp-mux"), "{error}");
    let unmuxed = LocalMedia::video(4002).codec(Codec::vp8()).with(&Mid("v"));
    let has = endpoint("alice", "192.0.2.1").bundles().media(voice(4000)).media(unmuxed.clone());
    assert_eq!(tags(&has.offer().unwrap()), ["a"]);
    let has = endpoint("bob", "192.0.2.2").bundles().media(voice(5000)).media(unmuxed);
    let answer = parse(&answered(VOICE_AND_PICTURES, &has));
    assert_eq!((tags(&answer), ports(&answer)), (vec!["a".to_owned()], vec![5000, 4002]));
    answer.check().unwrap();
}

#[test]
fn what_answers_a_bundle_is_one_that_was_offered() {
    use AnswerErrorKind::{Bundle, BundleWithoutMux};
    let good = answered(VOICE_AND_PICTURES, &bob());
    let draft = Session::new().draft(parse(VOICE_AND_PICTURES)).unwrap();
    let mut pending = Session::new().send(draft).unwrap();
    let bare = good.replace("a=rtcp-mux\r\n", "");
    for (answer, media, kind) in [
        (good.replace("BUNDLE a v", "BUNDLE a w").replace("mid:v", "mid:w"), None, Bundle),
        (good.replace("mid:a", "mid:x").replace("mid:v", "mid:a").replace("mid:x", "mid:v"), None, Bundle),
        (bare.clone(), Some(0), BundleWithoutMux),
    ] {
        let unanswered = pending.accept(parse(&answer)).expect_err(&answer);
        assert_eq!((unanswered.error.media, &unanswered.error.kind), (media, &kind), "{answer}");
        pending = unanswered.offer;
    }
    // What stands in no bundle needs neither, and the first of a bundle speaks for all.
    assert!(pending.fork().accept(parse(&bare.replace("a=group:BUNDLE a v\r\n", ""))).is_ok());
    let (first, last) = good.rsplit_once("a=rtcp-mux\r\n").unwrap();
    assert!(pending.accept(parse(&format!("{first}{last}"))).is_ok());
}

#[test]
fn after_the_answer_all_are_offered_at_one_address() {
    let offer = alice().offer().unwrap().to_string();
    let (session, peer) = settled(&offer, &bob());
    assert_eq!(ports(session.local().unwrap()), [4000, 4002]);
    for draft in [session.refresh(), session.hold(HoldForm::Direction), session.draft(alice().offer().unwrap())] {
        assert_eq!(ports(draft.unwrap().description()), [4000, 4000]);
    }
    let pending = {
        let draft = session.refresh().unwrap();
        session.send(draft).unwrap()
    };
    let answer = peer.receive(pending.description().clone()).unwrap().answer(&bob()).unwrap();
    assert_eq!(ports(answer.description()), [5000, 5000]);
    let session = pending.accept(answer.description().clone()).unwrap();
    assert!(session.streams().iter().all(|stream| stream.bundled_with == Some(0) && stream.rtcp_mux));
    // It is said once, and the version stands still after that.
    let version = |session: &Session| session.refresh().unwrap().description().origin().session_version.clone();
    assert_eq!((&*version(&session), &*version(&answer.sent())), ("2", "1"));
    // The address stays when the stream goes that had it first.
    let removal = session.remove(0).unwrap();
    assert_eq!((ports(removal.description()), tags(removal.description())), (vec![0, 4000], vec!["v".to_owned()]));
}

#[test]
fn the_rfc_s_own_form_of_a_re_offer_is_answered() {
    let (_, peer) = settled(VOICE_AND_PICTURES, &bob());
    let again = VOICE_AND_PICTURES
        .replace("alice 1 1", "alice 1 2")
        .replace("video 4002", "video 0")
        .replace("a=mid:v\r\na=rtcp-mux", "a=mid:v\r\na=bundle-only");
    parse(&again).check().unwrap();
    let session = peer.receive(parse(&again)).unwrap().answer(&bob()).unwrap().sent();
    assert_eq!(ports(session.local().unwrap()), [5000, 5000]);
    let stream = &session.streams()[1];
    assert_eq!((stream.state, stream.bundled_with, stream.rtcp_mux), (StreamState::Active, Some(0), true));
    assert_eq!(stream.remote.as_ref().unwrap().port, 4000);
}

#[test]
fn what_is_in_a_bundle_is_not_moved_out_by_an_answer() {
    let (_, peer) = settled(VOICE_AND_PICTURES, &bob());
    let unmuxed = LocalMedia::video(5002).codec(Codec::vp8());
    let has = endpoint("bob", "192.0.2.2").bundles().media(voice(5000)).media(unmuxed);
    let again = VOICE_AND_PICTURES.replace("alice 1 1", "alice 1 2").replace("video 4002", "video 4000");
    let answer = peer.receive(parse(&again)).unwrap().answer(&has).unwrap();
    assert_eq!((ports(answer.description()), tags(answer.description())), (vec![5000, 0], vec!["a".to_owned()]));
}

#[test]
fn one_more_joins_the_bundle() {
    let offer = VOICE_AND_PICTURES
        .replace("video 4002", "video 0")
        .replace(" a v", " a")
        .replace("a=mid:v\r\na=rtcp-mux\r\n", "");
    let (session, _) = settled(&offer, &bob());
    let addition = session.add(&pictures(4004).codec(Codec::new("x", 90_000, 1))).unwrap();
    let text = addition.description().to_string();
    assert_eq!(
        (ports(addition.description()), tags(addition.description())),
        (vec![4000, 4000], vec!["a".into(), "v".into()])
    );
    // 96 is Opus in the first.
    assert!(text.contains("m=video 4000 RTP/AVP 97 98\r\n"), "{text}");
    let alone = session.add(&LocalMedia::video(4004).codec(Codec::vp8())).unwrap();
    assert_eq!((ports(alone.description()), tags(alone.description())), (vec![4000, 4004], vec!["a".to_owned()]));
}

#[test]
fn what_was_turned_down_is_not_offered_again() {
    let deaf = endpoint("bob", "192.0.2.2").bundles().media(voice(5000));
    let (session, _) = settled(VOICE_AND_PICTURES, &deaf);
    assert_eq!(session.streams()[1].state, StreamState::Gone);
    for draft in [session.hold(HoldForm::ZeroAddress), session.refresh(), session.resume()] {
        let draft = draft.unwrap();
        assert_eq!((ports(draft.description()), tags(draft.description())), (vec![4000, 0], vec!["a".to_owned()]));
    }
    // Its slot is free, and what its payload types have stood for is forgotten.
    let addition = session.add(&LocalMedia::video(4006).codec(Codec::new("H263", 90_000, 1).payload_type(97))).unwrap();
    assert_eq!(ports(addition.description()), [4000, 4006]);
}

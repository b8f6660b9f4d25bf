//! A session description: read, written, judged, offered and answered.

use ringback_sdp::attribute::T38;
use ringback_sdp::negotiate::{Codec, Endpoint, HoldForm, LocalMedia, Session};
use ringback_sdp::{Origin, ParseError, SessionDescription};

pub(crate) fn check(data: &[u8]) {
    let Ok(reading) = SessionDescription::read(data) else { return };
    let description = reading.description;
    let written = description.to_bytes();
    assert_eq!(written.len(), description.byte_len());
    assert_eq!(SessionDescription::parse(&written).as_ref(), Ok(&description));
    let valid = description.check().is_ok();
    assert_eq!(reading.departures, in_order(&reading.departures));
    put_back(&description);
    let receive = |offer| Session::new().receive(offer).unwrap_or_else(|refused| panic!("{}", refused.refusal));
    let Ok(answer) = receive(description.clone()).answer(&everything()) else { return };
    let made = strict(answer.description());
    assert_eq!(&made, answer.description());
    // What must be repeated, as the times must, is wrong where it was.
    assert!(!valid || made.check().is_ok(), "{made}");
    // One's own answer keeps the rules that are asked of answers.
    assert!(!valid || receive(description).answer_with(made.clone()).is_ok(), "{made}");
    let session = answer.sent();
    assert_eq!(session.streams().len(), made.media().len());
    for draft in [session.hold(HoldForm::Direction), session.refresh(), session.remove(0)].into_iter().flatten() {
        strict(draft.description());
    }
}

/// Departures are told as they stand in the text.
fn in_order(departures: &[ParseError]) -> Vec<ParseError> {
    let mut sorted = departures.to_vec();
    sorted.sort_by_key(|departure| (departure.line, departure.column));
    sorted
}

/// A line that came in and is put in again is refused, or stands where it is read back.
fn put_back(description: &SessionDescription) {
    let all = description
        .section()
        .lines()
        .iter()
        .chain(description.media().iter().flat_map(|media| media.section().lines()));
    for line in all.take(32) {
        let mut copy = description.clone();
        let mut is_in = copy.section_mut().insert(line.clone()).is_ok();
        if let Some(media) = copy.media_mut(0) {
            is_in |= media.section_mut().insert(line.clone()).is_ok();
        }
        if is_in {
            assert_eq!(SessionDescription::parse(copy.to_bytes()).as_ref(), Ok(&copy));
        }
    }
}

fn strict(description: &SessionDescription) -> SessionDescription {
    SessionDescription::parse_strict(description.to_bytes()).unwrap_or_else(|error| panic!("{error}: {description}"))
}

fn everything() -> Endpoint {
    let audio = |port| {
        let audio = LocalMedia::audio(port).protocols(&["RTP/AVP", "RTP/SAVP", "UDP/TLS/RTP/SAVPF"]);
        let audio = audio.codec(Codec::pcmu()).codec(Codec::opus()).codec(Codec::telephone_event(8_000));
        audio.key("X", "inline:b").rtcp_mux()
    };
    let video = LocalMedia::video(5004).protocols(&["RTP/SAVPF", "RTP/AVP"]).codec(Codec::vp8());
    let video = video.codec(Codec::h264("42e01f", 1)).codec(Codec::new("rtx", 90_000, 1));
    let origin = Origin::parse("b 1 1 IN IP4 192.0.2.2").unwrap_or_else(|error| panic!("{error}"));
    let endpoint = Endpoint::new(origin, "192.0.2.2").bundles().both_families();
    endpoint.media(audio(5000)).media(audio(5002)).media(video).media(LocalMedia::t38(5006, T38::default()))
}

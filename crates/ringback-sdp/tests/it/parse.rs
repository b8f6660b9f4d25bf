//! Reading and writing.

use ringback_sdp::{ParseErrorKind, SDP_BYTES_MAX, SessionDescription};

/// All kinds of lines, in order.
const FULL: &str = "v=0\r\no=jo 3724394400 3724394405 IN IP4 198.51.100.1\r\ns=A talk\r\ni=About things\r\n\
    u=http://a.example/talk\r\ne=jo@a.example (Jo)\r\np=+1 617 555-6011\r\nc=IN IP4 198.51.100.1\r\nb=AS:128\r\n\
    b=X-own:1\r\nt=3724394400 3754123200\r\nr=7d 1h 0 25h\r\nz=3730928400 -1h 3749680800 0\r\nt=0 0\r\n\
    a=recvonly\r\na=x-unknown:some thing: else \r\nm=audio 49170 RTP/AVP 0 96\r\ni=Voice\r\nb=TIAS:64000\r\n\
    a=rtpmap:96 opus/48000/2\r\nm=video 51372/2 RTP/AVP 99\r\nc=IN IP6 ff00::db8:0:101/2\r\n\
    c=IN IP6 ff00::db8:0:201\r\na=rtpmap:99 h263-1998/90000\r\n";

fn departures(text: &str) -> Vec<(ParseErrorKind, u32, u32)> {
    let reading = SessionDescription::read(text).unwrap_or_else(|error| panic!("{error}: {text:?}"));
    let strict = SessionDescription::parse_strict(text);
    assert_eq!(strict.is_err(), !reading.departures.is_empty());
    assert_eq!(strict.err(), reading.departures.first().copied());
    reading.departures.iter().map(|error| (error.kind, error.line, error.column)).collect()
}

fn refused(text: &str) -> (ParseErrorKind, u32, u32) {
    let error = SessionDescription::parse(text).expect_err(text);
    assert!(SessionDescription::parse_strict(text).is_err());
    (error.kind, error.line, error.column)
}

#[test]
fn a_full_description_comes_back_to_the_letter() {
    let description = SessionDescription::parse_strict(FULL).unwrap();
    assert_eq!(description.to_string(), FULL);
    assert_eq!(description.to_bytes(), FULL.as_bytes());
    assert_eq!(description.byte_len(), FULL.len());
    assert_eq!(description.name(), "A talk");
    assert_eq!(description.timings().count(), 2);
    assert_eq!(description.repeats().next().unwrap().offsets.len(), 2);
    assert_eq!(description.zones().next().unwrap().adjustments.len(), 2);
    let [audio, video] = description.media() else { panic!() };
    assert_eq!(description.connection_of(audio).unwrap().address, "198.51.100.1");
    assert_eq!(description.connection_of(video).unwrap().count, Some(2));
    assert_eq!(description.direction_of(audio).name(), "recvonly");
    assert_eq!(audio.section().bandwidths().next().unwrap().value, 64_000);
    assert_eq!(description.section().values("x-unknown").next().unwrap().unwrap(), b"some thing: else ");
}

#[test]
fn what_phones_send_is_read_and_put_right() {
    use ParseErrorKind::*;
    let right = "v=0\r\no=- 1 1 IN IP4 h.example\r\ns=-\r\nc=IN IP4 h.example\r\nt=0 0\r\nm=audio 4 RTP/AVP 0\r\n";
    for (text, departed) in [
        (right.replace('\r', ""), vec![(LineEnd, 1, 4); 6]),
        (right.replace("s=-\r\n", ""), vec![(Missing, 3, 1)]),
        (right.replace("t=0 0\r\n", ""), vec![(Missing, 5, 1)]),
        (right.replace("s=-", "s="), vec![(Value, 3, 3)]),
        (right.replace("t=0 0", "t=0 0 \t"), vec![(Value, 5, 6)]),
        (right.replace("AVP 0", "AVP  0"), vec![(Value, 6, 18)]),
        (right.replace("t=", "k=prompt\r\nt="), vec![(Obsolete, 5, 1)]),
        (right.trim_end().to_owned(), vec![(LineEnd, 6, 20)]),
        (format!("{}\r", right.trim_end()), vec![(LineEnd, 6, 20)]),
        (format!("{right}\r\n"), vec![(LineEnd, 7, 1)]),
        (right.replace("s=-\r\nc=IN IP4 h.example\r\n", "c=IN IP4 h.example\r\ns=-\r\n"), vec![(Order, 4, 1)]),
    ] {
        let found = departures(&text);
        if found.len() == 6 {
            assert!(found.iter().all(|(kind, ..)| *kind == LineEnd), "{text:?}");
        } else {
            assert_eq!(found, departed, "{text:?}");
        }
        let read = SessionDescription::parse(&text).unwrap();
        assert_eq!(read.to_string(), right, "{text:?}");
    }
}

#[test]
fn departures_are_told_in_the_order_of_the_text() {
    use ParseErrorKind::*;
    let text = "v=0\r\no=- 1 1 IN IP4 h.example\r\nu=not a uri\r\ne=nobody\r\np=call me\r\nk=prompt\r\n\
        m=audio 4  RTP/AVP 0\r\na=x:\r\nm=audio 4 RTP/AVP 0\r\n";
    let found = departures(text);
    let wanted = [
        (Missing, 3, 1),
        (Value, 3, 3),
        (Value, 4, 3),
        (Value, 5, 3),
        (Obsolete, 6, 1),
        (Missing, 7, 1),
        (Missing, 7, 1),
        (Value, 7, 10),
        (Value, 8, 5),
        (Missing, 9, 1),
    ];
    assert_eq!(found, wanted);
    assert_eq!(departures("v=0\r\no=- 1 1 IN IP4 h\r\n"), [(Missing, 3, 1), (Missing, 3, 1)]);
    // What is kept is what was there.
    assert!(SessionDescription::parse(text).unwrap().to_string().contains("u=not a uri\r\ne=nobody\r\np=call me\r\n"));
}

#[test]
fn unknown_lines_stay_where_they_are() {
    let text = "v=0\r\no=- 1 1 IN IP4 h.example\r\ns=-\r\nq=what\r\nc=IN IP4 h.example\r\nt=0 0\r\n\
        m=audio 4 RTP/AVP 0\r\ny=0100\r\na=two words:x\r\na=ptime:20\r\nf=v/2/5\r\n";
    let kinds: Vec<_> = departures(text).into_iter().map(|(kind, line, _)| (kind, line)).collect();
    use ParseErrorKind::{UnknownLine, Value};
    assert_eq!(kinds, [(UnknownLine, 4), (UnknownLine, 8), (Value, 9), (UnknownLine, 11)]);
    assert_eq!(SessionDescription::parse(text).unwrap().to_string(), text);
}

#[test]
fn text_that_is_not_utf_8_is_kept() {
    let text = b"v=0\r\no=- 1 1 IN IP4 h.example\r\ns=Gr\xfc\xdfe\r\nt=0 0\r\na=charset:ISO-8859-1\r\n";
    let description = SessionDescription::parse_strict(text).unwrap();
    assert_eq!(description.to_bytes(), text);
    assert_eq!(description.name(), "Gr\u{fffd}\u{fffd}e");
}

#[test]
fn what_has_no_plain_meaning_is_refused_with_its_place() {
    use ParseErrorKind::*;
    let head = "v=0\r\no=- 1 1 IN IP4 h.example\r\ns=-\r\n";
    let tail = "c=IN IP4 h.example\r\nt=0 0\r\n";
    for (text, place) in [
        (String::new(), (Missing, 1, 1)),
        ("v".to_owned(), (Line, 1, 1)),
        ("v=".to_owned(), (Value, 1, 3)),
        ("v=1\r\n".to_owned(), (Version, 1, 3)),
        ("v=0\r\n".to_owned(), (Missing, 2, 1)),
        (head.replace("v=0\r\n", ""), (Missing, 3, 1)),
        (format!("{head}{tail}v=0\r\n"), (Repeated, 6, 1)),
        (format!("{head}{tail}o=- 1 1 IN IP4 h\r\n"), (Repeated, 6, 1)),
        (format!("{head}{tail}s=other\r\n"), (Repeated, 6, 1)),
        (format!("{head}{tail}c=IN IP4 i.example\r\n"), (Repeated, 6, 1)),
        (format!("{head}r=7d 1h 0\r\n{tail}"), (Order, 4, 1)),
        (format!("{head}{tail}m=audio 4 RTP/AVP 0\r\nt=0 0\r\n"), (Order, 7, 1)),
        (format!("{head}{tail}m=audio 4 RTP/AVP 0\r\nv=0\r\n"), (Order, 7, 1)),
        (format!("{head}{tail} a=x\r\n"), (Line, 6, 1)),
        (format!("{head}{tail}ab=x\r\n"), (Line, 6, 1)),
        (format!("{head}{tail}a=x\0y\r\n"), (ForbiddenByte, 6, 4)),
        (format!("{head}{tail}a=x\ry\r\n"), (ForbiddenByte, 6, 4)),
        (format!("{head}{tail}{}", "a=x\r\n".repeat(8_200)), (TooLarge, 8_193, 1)),
        (format!("{head}{tail}{}", "m=audio 4 RTP/AVP 0\r\n".repeat(129)), (TooLarge, 134, 1)),
        (format!("{head}{tail}m=audio 4 RTP/AVP{}\r\n", " 0".repeat(129)), (TooLarge, 6, 275)),
        (format!("{head}{tail}a={}\r\n", "x".repeat(SDP_BYTES_MAX)), (TooLarge, 0, 1)),
    ] {
        let shown = text.get(..200).unwrap_or(&text);
        assert_eq!(refused(&text), place, "{shown:?}");
    }
}

#[test]
fn a_property_with_blanks_behind_it_is_still_one() {
    let text = "v=0\r\no=- 1 1 IN IP4 h.example\r\ns=-\r\nc=IN IP4 h.example\r\nt=0 0\r\na=sendonly \t\r\na=x: y \r\n";
    assert_eq!(departures(text), [(ParseErrorKind::Value, 6, 11)]);
    let description = SessionDescription::parse(text).unwrap();
    assert_eq!(description.section().direction().unwrap().name(), "sendonly");
    assert!(description.to_string().ends_with("a=sendonly\r\na=x: y \r\n"));
}

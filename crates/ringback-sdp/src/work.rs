//! Steps of work, counted in this crate's own tests: what a peer can make grow costs no more than in proportion. Elsewhere
//! nothing is counted.

/// So many steps are done.
#[cfg(not(test))]
#[inline(always)]
pub(crate) const fn step(_count: usize) {}

#[cfg(test)]
pub(crate) use tests::step;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use alloc::format;
    use alloc::string::String;
    use core::cell::Cell;
    use std::thread_local;

    use crate::negotiate::{Codec, Endpoint, LocalMedia, Session};
    use crate::{LINES_MAX, MEDIA_MAX, Origin, SDP_BYTES_MAX, SessionDescription};

    thread_local! {
        static STEPS: Cell<usize> = const { Cell::new(0) };
    }

    pub(crate) fn step(count: usize) {
        STEPS.set(STEPS.get() + count);
    }

    fn endpoint() -> Endpoint {
        let voice = || {
            let codecs = [Codec::opus(), Codec::pcmu(), Codec::g729(true), Codec::telephone_event(8_000)];
            let amr = Codec::new("AMR", 8_000, 1).parameters("octet-align=1");
            let audio = LocalMedia::audio(4).protocols(&["RTP/AVP", "RTP/SAVP"]).key("X", "inline:a").codec(amr);
            codecs.into_iter().fold(audio, LocalMedia::codec)
        };
        let video = LocalMedia::video(6).codec(Codec::vp8().feedback("nack")).codec(Codec::h264("42e01f", 1));
        let origin = Origin::parse("b 1 1 IN IP4 192.0.2.2").unwrap();
        Endpoint::new(origin, "192.0.2.2").bundles().media(voice()).media(video).media(voice())
    }

    /// What it takes to read a text, ask whether it can be valid, answer it, see what was settled, and write it.
    fn cost(text: &str) -> usize {
        assert!(text.len() <= SDP_BYTES_MAX, "{}", text.len());
        STEPS.set(0);
        let description = SessionDescription::parse(text).unwrap();
        let _ = description.check();
        assert_eq!(description.byte_len(), description.to_bytes().len());
        if let Ok(answer) = Session::new().receive(description).unwrap().answer(&endpoint()) {
            let session = answer.sent();
            let again = session.receive(SessionDescription::parse(text).unwrap()).unwrap();
            if let Ok(answer) = again.answer(&endpoint()) {
                assert_eq!(answer.sent().streams().len(), answer_len(text));
            }
        }
        STEPS.get()
    }

    fn answer_len(text: &str) -> usize {
        text.lines().filter(|line| line.starts_with("m=")).count()
    }

    const HEAD: &str = "v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\n";
    const BODY: &str = "c=IN IP4 192.0.2.1\r\nt=0 0\r\n";
    const AUDIO: &str = "m=audio 4 RTP/AVP 0 96\r\na=rtpmap:96 opus/48000/2\r\n";

    /// A description that holds `count` of something.
    type Shape = (&'static str, usize, fn(usize) -> String);

    fn lines(line: impl Fn(usize) -> String, count: usize) -> String {
        (0..count).map(|n| format!("{}\r\n", line(n))).collect()
    }

    fn call(line: impl Fn(usize) -> String, count: usize) -> String {
        format!("{HEAD}{BODY}{AUDIO}{}", lines(line, count))
    }

    const SHAPES: &[Shape] = &[
        ("streams", 128, |n| format!("{HEAD}{BODY}{}", AUDIO.repeat(n))),
        ("streams of no use", 128, |n| format!("{HEAD}{BODY}{}", "m=audio 0 x y\r\n".repeat(n))),
        ("attributes", 6_000, |n| call(|_| "a=x".into(), n)),
        ("unknown letters", 6_000, |n| call(|_| "y=x".into(), n)),
        ("bandwidths behind attributes", 3_000, |n| call(|_| "a=x\r\nb=AS:1".into(), n)),
        ("schedules behind addresses", 3_000, |n| {
            format!("{HEAD}{BODY}{}{}", lines(|_| "e=a".into(), n), lines(|_| "r=1 1 0".into(), n))
        }),
        ("maps of one type", 2_000, |n| call(|_| "a=rtpmap:96 opus/48000/2".into(), n)),
        ("maps of all types", 2_000, |n| call(|i| format!("a=rtpmap:{} x{i}/8000", i % 128), n)),
        ("fmtp of one type", 2_000, |n| call(|_| "a=fmtp:96 a=1;b=2".into(), n)),
        ("parameters", 8_000, |n| {
            format!("{HEAD}{BODY}m=audio 4 RTP/AVP 97\r\na=rtpmap:97 AMR/8000\r\na=fmtp:97 {}\r\n", "a=b;".repeat(n))
        }),
        ("feedback for all", 3_000, |n| call(|i| format!("a=rtcp-fb:* nack{i}"), n)),
        ("candidates", 800, |n| call(|i| format!("a=candidate:1 1 udp {i} 192.0.2.1 9 typ host generation 0"), n)),
        ("sources", 2_000, |n| call(|i| format!("a=ssrc:{i} cname:x"), n)),
        ("keys", 2_000, |n| {
            format!("{HEAD}{BODY}m=audio 4 RTP/SAVP 0\r\n{}", lines(|i| format!("a=crypto:{i} Y inline:a"), n))
        }),
        ("conditions", 1_000, |n| call(|i| format!("a=des:q{i} optional e2e send\r\na=curr:q{i} e2e none"), n)),
        ("names in a group", 8_000, |n| {
            let names: String = (0..n).map(|i| format!(" {i}")).collect();
            format!("{HEAD}{BODY}a=group:BUNDLE{names}\r\n{AUDIO}a=mid:0\r\n{AUDIO}a=mid:1\r\n")
        }),
        ("names of many streams", 6_000, |n| {
            let names: String = (0..n).map(|i| format!(" {i}")).collect();
            let streams = (0..100).map(|i| format!("{AUDIO}a=mid:x{i}\r\n")).collect::<String>();
            format!("{HEAD}{BODY}a=group:BUNDLE{names}\r\n{streams}")
        }),
        ("groups", 3_000, |n| format!("{HEAD}{BODY}{}{AUDIO}a=mid:0\r\n", lines(|i| format!("a=group:LS {i}"), n))),
        ("extensions", 1_500, |n| call(|i| format!("a=extmap:{i} urn:x:{i}"), n)),
        ("one long line", 60_000, |n| call(|_| format!("a=x:{}", "y".repeat(n)), 1)),
    ];

    #[test]
    fn cost_grows_in_proportion() {
        for (name, most, shape) in SHAPES {
            let text = shape(*most);
            let (half, whole) = (cost(&shape(most / 2)), cost(&text));
            assert!(whole <= 2 * half + half / 4 + 20_000, "{name}: {half} steps, then {whole}");
            assert!(whole <= 16 * text.len(), "{name}: {whole} steps for {} bytes", text.len());
        }
    }

    #[test]
    fn the_worst_of_streams_and_lines_together_is_bounded() {
        let names = lines(|_| "a=x".into(), LINES_MAX - 2 * MEDIA_MAX - 10);
        let text = format!("{HEAD}{BODY}{names}{}", "m=audio 4 RTP/SAVP 0\r\na=m:1\r\n".repeat(MEDIA_MAX));
        let steps = cost(&text);
        assert!(steps < 40 * MEDIA_MAX * LINES_MAX, "{steps}");
    }
}

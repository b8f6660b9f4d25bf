//! What the parameters of encodings mean to offer and answer: some shape the packets and must be the same, others tell what a
//! side would receive.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::attribute::Events;
use crate::negotiate::codec::Codec;
use crate::negotiate::h264;

/// The parameters that answer `offered`, or nothing where the two don't fit. Names and rates have been found equal.
pub(crate) fn agree(own: &Codec, offered: &Codec) -> Option<Box<str>> {
    let (mine, theirs) = (Parameters(&own.parameters), Parameters(&offered.parameters));
    if own.is("G729") {
        return Some(g729(mine, theirs));
    }
    if own.is("AMR") || own.is("AMR-WB") {
        return amr(mine, theirs);
    }
    if own.is("H264") {
        return h264::agree(mine, theirs);
    }
    if own.is("telephone-event") {
        return events(mine, theirs);
    }
    if own.is("iLBC") {
        return Some(ilbc(mine, theirs));
    }
    let profile = match () {
        () if own.is("VP9") => Some("profile-id"),
        () if own.is("AV1") => Some("profile"),
        () => None,
    };
    let is_same = profile.is_none_or(|name| mine.number(name) == theirs.number(name));
    is_same.then(|| own.parameters.clone())
}

/// What an encoding and its parameters can't be: why, and who says so.
pub(crate) fn defect(codec: &Codec) -> Option<(&'static str, &'static str)> {
    let parameters = Parameters(&codec.parameters);
    match () {
        () if codec.is("telephone-event")
            && !codec.parameters.is_empty()
            && Events::parse(&codec.parameters).is_err() =>
        {
            Some(("events that are no list of numbers and ranges that go up", "RFC 4733, Section 2.4.1"))
        }
        () if codec.is("H264") => Some((h264::defect(parameters)?, "RFC 6184")),
        () if codec.is("opus") && (codec.clock_rate, codec.channels) != (48_000, 2) => {
            Some(("opus at another rate than 48000, or without its two channels", "RFC 7587, Section 7"))
        }
        () if codec.is("rtx") && associated(codec).is_none() => {
            Some(("rtx without the payload type that it repeats", "RFC 4588"))
        }
        () => None,
    }
}

/// The payload type that `apt` names. That is RFC 4588's parameter.
pub(crate) fn associated(codec: &Codec) -> Option<u8> {
    Parameters(&codec.parameters).text("apt").and_then(crate::line::payload_type)
}

/// Parameters of the usual shape, `name=value` with semicolons between them.
#[derive(Clone, Copy)]
pub(crate) struct Parameters<'a>(pub(crate) &'a str);

impl<'a> Parameters<'a> {
    pub(crate) fn pairs(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        crate::attribute::pairs(self.0).inspect(|_| crate::work::step(1))
    }

    pub(crate) fn text(self, name: &str) -> Option<&'a str> {
        self.pairs().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// A number; 0 where it isn't there, and nothing where it is none.
    pub(crate) fn number(self, name: &str) -> Option<u32> {
        self.text(name).map_or(Some(0), |value| value.parse().ok())
    }

    /// All but some, and then others.
    pub(crate) fn with(self, left_out: &[&str], added: &[(&str, &str)]) -> Box<str> {
        let is_kept = |name: &str| !left_out.iter().any(|out| out.eq_ignore_ascii_case(name));
        let own = self.pairs().filter(|(name, _)| is_kept(name));
        let mut text = String::new();
        for (name, value) in added.iter().copied().chain(own) {
            if !text.is_empty() {
                text.push(';');
            }
            text.push_str(name);
            if !value.is_empty() {
                text.push('=');
                text.push_str(value);
            }
        }
        text.into()
    }
}

/// Annex B is in use where nobody says no. That is RFC 3555's default, and the rule of RFC 7261.
fn g729(mine: Parameters<'_>, theirs: Parameters<'_>) -> Box<str> {
    let says_no = |side: Parameters<'_>| side.text("annexb").is_some_and(|value| value.eq_ignore_ascii_case("no"));
    if says_no(mine) || says_no(theirs) { mine.with(&["annexb"], &[("annexb", "no")]) } else { mine.0.into() }
}

/// What shapes a packet must be the same on both sides and is said as it was offered, and so is an offered set of modes; where
/// none is offered, the one who answers is free. That is RFC 4867's rule, in its Section 8.3.1.
fn amr(mine: Parameters<'_>, theirs: Parameters<'_>) -> Option<Box<str>> {
    const SHAPES: [&str; 4] = ["octet-align", "crc", "robust-sorting", "interleaving"];
    if !SHAPES.iter().all(|name| mine.number(name).is_some() && mine.number(name) == theirs.number(name)) {
        return None;
    }
    // Some put the list in quotation marks.
    let modes = |side: Parameters<'_>| {
        let list = side.text("mode-set")?.trim_matches('"');
        let mut modes: Vec<String> = list.split(',').map(|mode| mode.trim().into()).collect();
        modes.sort_unstable();
        Some(modes)
    };
    if let (Some(own), Some(other)) = (modes(mine), modes(theirs))
        && own != other
    {
        return None;
    }
    let echoed: Vec<(&str, &str)> = [SHAPES.as_slice(), &["mode-set"]]
        .concat()
        .into_iter()
        .filter_map(|name| Some((name, theirs.text(name)?)))
        .collect();
    let names: Vec<&str> = echoed.iter().map(|(name, _)| *name).collect();
    Some(mine.with(&names, &echoed))
}

/// What both know, where one of them says what it knows. `[RFC 4733, Section 2.4.1]`
fn events(mine: Parameters<'_>, theirs: Parameters<'_>) -> Option<Box<str>> {
    if mine.0.is_empty() && theirs.0.is_empty() {
        return Some("".into());
    }
    let read = |side: Parameters<'_>| match side.0 {
        "" => Some(Events::DTMF),
        list => Events::parse(list).ok(),
    };
    let both = read(mine)?.and(&read(theirs)?);
    (!both.is_empty()).then(|| alloc::string::ToString::to_string(&both).into())
}

/// The longer of the two frames. That is RFC 3952's rule, and 30 milliseconds are its default.
fn ilbc(mine: Parameters<'_>, theirs: Parameters<'_>) -> Box<str> {
    match (mine.text("mode"), theirs.text("mode")) {
        (None, None) => mine.0.into(),
        (Some("20"), Some("20")) => mine.with(&["mode"], &[("mode", "20")]),
        _ => mine.with(&["mode"], &[("mode", "30")]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(name: &str, own: &str, offered: &str) -> Option<Box<str>> {
        let codec = |parameters| Codec::new(name, 8_000, 1).parameters(parameters);
        codec(own).agree(&codec(offered))
    }

    #[test]
    fn parameters_that_shape_packets_must_agree() {
        for (name, own, offered, answered) in [
            ("G729", "", "", Some("")),
            ("G729", "", "annexb=no", Some("annexb=no")),
            ("G729", "annexb=no", "", Some("annexb=no")),
            ("G729", "annexb=yes", "annexb=yes", Some("annexb=yes")),
            ("AMR", "octet-align=1", "octet-align=1", Some("octet-align=1")),
            ("AMR", "octet-align=1", "", None),
            ("AMR", "", "octet-align=0", Some("octet-align=0")),
            ("AMR", "octet-align=0", "", Some("octet-align=0")),
            ("AMR", "max-red=0", "crc=0;octet-align=0;max-red=220", Some("octet-align=0;crc=0;max-red=0")),
            ("AMR", "octet-align=1", "octet-align=1;crc=1", None),
            ("AMR", "", "octet-align=x", None),
            ("AMR-WB", "", "mode-set=0,1,2", Some("mode-set=0,1,2")),
            ("AMR-WB", "mode-set=2,1,0", "mode-set=0,1,2", Some("mode-set=0,1,2")),
            ("AMR-WB", "mode-set=7", "mode-set=0,1,2", None),
            ("AMR-WB", "mode-set=0,1,2", "", Some("mode-set=0,1,2")),
            ("AMR", "mode-set=0,1,2", "mode-set=\"0,1,2\"", Some("mode-set=\"0,1,2\"")),
            ("telephone-event", "0-15", "0-11,66", Some("0-11")),
            ("telephone-event", "0-15", "", Some("0-15")),
            ("telephone-event", "0-15", "66", None),
            ("telephone-event", "0-15", "nonsense", None),
            ("iLBC", "mode=20", "mode=20", Some("mode=20")),
            ("iLBC", "mode=20", "", Some("mode=30")),
            ("VP9", "profile-id=0", "", Some("profile-id=0")),
            ("VP9", "profile-id=0", "profile-id=2", None),
            ("VP8", "max-fs=3600", "max-fr=30", Some("max-fs=3600")),
            ("opus", "useinbandfec=1", "stereo=1", Some("useinbandfec=1")),
        ] {
            assert_eq!(answer(name, own, offered).as_deref(), answered, "{name} {own:?} {offered:?}");
        }
    }

    #[test]
    fn names_count_in_any_case_and_rates_must_agree() {
        assert!(Codec::new("pcmu", 8_000, 1).agree(&Codec::pcmu()).is_some());
        assert!(Codec::new("PCMU", 16_000, 1).agree(&Codec::pcmu()).is_none());
        assert!(Codec::new("opus", 48_000, 1).agree(&Codec::opus()).is_none());
    }
}

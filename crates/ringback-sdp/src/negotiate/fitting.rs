//! Which of one's own streams answers an offered one, and with what. `[RFC 3264, Section 6.1]`

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::ToString;
use alloc::vec::Vec;

use crate::attribute::{
    Attribute, BundleOnly, Crypto, CurrentStatus, DesiredStatus, ExtMap, MediaDirection, ResourceDirection,
    RtcpFeedback, RtcpMux, Setup, StatusType, T38,
};
use crate::check;
use crate::description::{MediaDescription, SessionDescription};
use crate::error::BuildError;
use crate::line::{Line, MediaLine};
use crate::negotiate::bundle::Names;
use crate::negotiate::codec::Codec;
use crate::negotiate::endpoint::Endpoint;
use crate::negotiate::format::{Format, formats};
use crate::negotiate::local::{Contents, LocalMedia, codec_lines};
use crate::negotiate::make::{Known, NoAnswer, is_unknown};
use crate::negotiate::refusal::{Refusal, WarningCode};
use crate::negotiate::rules;
use crate::profile;

/// One offered stream, and what there is to answer it with.
#[derive(Clone, Copy)]
pub(crate) struct One<'a> {
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) offer: &'a SessionDescription,
    pub(crate) theirs: &'a MediaDescription,
    pub(crate) index: usize,
    pub(crate) known: &'a Known<'a>,
    pub(crate) names: &'a Names<'a>,
    /// Which of one's own each stream has had before.
    pub(crate) usual: &'a [Option<usize>],
    /// The stream whose transport those have that are offered in a bundle only.
    pub(crate) carrier: Option<&'a MediaDescription>,
}

impl One<'_> {
    fn is_bundle_only(&self) -> bool {
        self.theirs.section().attribute::<BundleOnly>().is_some()
    }

    /// True where it is offered to be used.
    pub(crate) fn is_wanted(&self) -> bool {
        self.theirs.port() != 0 || (self.is_bundle_only() && self.endpoint.bundles)
    }

    fn refuse(&self, warning: WarningCode) -> NoAnswer {
        NoAnswer::Refused(Refusal::warn(warning, Some(self.index)))
    }

    /// The first of one's own streams that fits and is still to be had.
    pub(crate) fn fitting(&self, taken: &[Option<usize>]) -> Result<(usize, MediaDescription), NoAnswer> {
        if !self.is_wanted() {
            return Err(NoAnswer::Refused(Refusal::because("the stream is not wanted by the offer", Some(self.index))));
        }
        let mut closest: Option<(u8, NoAnswer)> = None;
        let is_free = |own: &usize| !taken.contains(&Some(*own)) && !self.is_of_another(*own);
        let others = (0..self.endpoint.media.len()).filter(is_free);
        for own in self.usual.get(self.index).copied().flatten().into_iter().chain(others) {
            let Some(local) = self.endpoint.media.get(own) else { continue };
            match self.try_with(local) {
                Ok(media) => return Ok((own, media)),
                Err((_, NoAnswer::Invalid(error))) => return Err(NoAnswer::Invalid(error)),
                Err((step, refused)) => {
                    if closest.as_ref().is_none_or(|(other, _)| *other < step) {
                        closest = Some((step, refused));
                    }
                }
            }
        }
        Err(closest.map_or_else(|| self.refuse(WarningCode::MediaTypeNotAvailable), |(_, refused)| refused))
    }

    /// True where another stream of the offer has had this one of one's own before.
    fn is_of_another(&self, own: usize) -> bool {
        self.usual.iter().enumerate().any(|(index, usual)| index != self.index && *usual == Some(own))
    }

    /// The answer with one of one's own streams; or how far it came, and why no further.
    fn try_with(&self, local: &LocalMedia) -> Result<MediaDescription, (u8, NoAnswer)> {
        local.sound().map_err(|error| (0, error.into()))?;
        if local.media != *self.theirs.media() {
            return Err((1, self.refuse(WarningCode::MediaTypeNotAvailable)));
        }
        if !local.speaks(self.theirs.protocol()) {
            return Err((2, self.refuse(WarningCode::IncompatibleTransport)));
        }
        let is_multicast = self.address(local).map_err(|warning| (3, self.refuse(warning)))?;
        let key = self.key(local).map_err(|warning| (4, self.refuse(warning)))?;
        let is_keyed = key.is_some();
        let (formats, lines) = self.formats(local).map_err(|error| (5, error.into()))?;
        if formats.is_empty() {
            return Err((5, self.refuse(WarningCode::IncompatibleMediaFormat)));
        }
        let conditions = self.preconditions(local).map_err(|refused| (6, refused))?;
        let port = if is_multicast { self.theirs.port() } else { local.port };
        let line = MediaLine { port, ports: None, formats, ..self.theirs.line().clone() };
        let mut media = MediaDescription::new(line).map_err(|error| (7, error.into()))?;
        let section = media.section_mut();
        // The address of a group is that of both sides, whatever one's own is. [RFC 3264, Section 6.2]
        let connections = if is_multicast { self.group() } else { local.connection.iter().cloned().collect() };
        connections.into_iter().for_each(|line| section.put(line));
        if is_multicast && check::addresses(section).is_err() {
            return Err((3, self.refuse(WarningCode::IncompatibleAddressFormat)));
        }
        lines
            .into_iter()
            .chain(key)
            .chain(self.attributes(local, is_keyed))
            .chain(conditions)
            .for_each(|line| section.put(line));
        let offered = self.offer.direction_of(self.theirs);
        let own = if self.known.is_held { local.direction.held() } else { local.direction };
        let direction = if is_multicast { offered } else { own.and(offered.reversed()) };
        if direction != MediaDirection::SendRecv || self.theirs.section().direction().is_some() {
            section.set_direction(direction);
        }
        Ok(media)
    }

    /// Whether the offered address can be reached; true for that of a group.
    fn address(&self, local: &LocalMedia) -> Result<bool, WarningCode> {
        let Some(connection) = self.offer.connection_of(self.theirs) else {
            return Err(WarningCode::IncompatibleAddressFormat);
        };
        if connection.network != "IN" {
            return Err(WarningCode::IncompatibleNetworkProtocol);
        }
        // With ICE, the address of the line is only the first to be tried, and zeros are no address at all.
        let has_other = self.has_offered("ice-ufrag") || connection.is_unspecified();
        if !has_other && !self.endpoint.reaches(connection.address_type) {
            return Err(WarningCode::IncompatibleAddressFormat);
        }
        match (connection.is_multicast(), local.joins_multicast) {
            (true, false) => Err(WarningCode::MulticastNotAvailable),
            (is_multicast, _) => Ok(is_multicast),
        }
    }

    /// The lines that name the group of the stream, its own or that of the session.
    fn group(&self) -> Vec<Line> {
        let own: Vec<Line> = self.theirs.section().with_letter('c').cloned().collect();
        if own.is_empty() { self.offer.section().with_letter('c').cloned().collect() } else { own }
    }

    /// True where the offer has an attribute for this stream, or for all.
    fn has_offered(&self, name: &str) -> bool {
        // "MUST NOT include such attributes in any other bundled "m=" section" [RFC 8843, Section 7.1.3]
        self.theirs.section().has(name)
            || self.offer.section().has(name)
            || self.transport().is_some_and(|carrier| carrier.section().has(name))
    }

    /// The stream whose transport this one has, where it is offered in a bundle only.
    fn transport(&self) -> Option<&MediaDescription> {
        self.carrier.filter(|_| self.is_bundle_only())
    }

    /// True where RTP and RTCP will be on one port.
    fn is_muxed(&self, local: &LocalMedia) -> bool {
        let mut streams = core::iter::once(self.theirs).chain(self.transport());
        local.rtcp_mux && streams.any(|stream| stream.section().attribute::<RtcpMux>().is_some())
    }

    /// A key that answers the first offered one that one has a suite for. `[RFC 4568, Section 5.1.2]`
    fn key(&self, local: &LocalMedia) -> Result<Option<Line>, WarningCode> {
        // Whoever can show a certificate to one who can needs no written key.
        let shows = |line: &Line| line.is_attribute("fingerprint");
        let has_certificate = local.lines.iter().chain(&self.endpoint.lines).any(shows);
        if !rules::is_keyed(self.theirs.protocol()) || (has_certificate && self.has_offered("fingerprint")) {
            return Ok(None);
        }
        let mut offered = self.theirs.section().attributes::<Crypto<'_>>().filter_map(Result::ok);
        let found = offered.find_map(|offered| {
            let key = local.keys.iter().find(|key| *key.suite == *offered.suite)?;
            Some(Crypto { tag: offered.tag, suite: offered.suite, key_params: &key.key_params, session_params: None })
        });
        match found.map(|crypto| crypto.to_line()) {
            Some(Ok(line)) => Ok(Some(line)),
            _ => Err(WarningCode::AttributeNotUnderstood),
        }
    }

    /// The formats of the answer in the order of the offer, and the lines that belong to them.
    fn formats(&self, local: &LocalMedia) -> Result<(Vec<Box<str>>, Vec<Line>), BuildError> {
        match &local.contents {
            Contents::Codecs(codecs) => self.codecs(codecs, self.is_muxed(local)),
            Contents::Formats(own) => {
                let is_own = |format: &str| own.iter().any(|own| own.eq_ignore_ascii_case(format));
                Ok((self.theirs.formats().iter().filter(|format| is_own(format)).cloned().collect(), Vec::new()))
            }
            Contents::T38(own) => {
                let mut formats = self.theirs.formats().iter();
                let t38 = formats.find(|format| format.eq_ignore_ascii_case("t38"));
                let formats = t38.into_iter().cloned().collect();
                Ok((formats, own.answer(&T38::of(self.theirs.section())).lines()))
            }
        }
    }

    fn codecs(&self, codecs: &[Codec], is_muxed: bool) -> Result<(Vec<Box<str>>, Vec<Line>), BuildError> {
        let offered = formats(self.theirs);
        let mut chosen: Vec<(&Format, &Codec, Box<str>)> = Vec::new();
        let is_usable = |format: &&Format| {
            let is_taken = is_muxed && profile::is_rtcp(format.payload_type);
            !is_taken && !self.known.theirs.contradict(self.index, self.theirs.media(), format)
        };
        for format in offered.iter().filter(is_usable) {
            let is_new =
                |own: &&Codec| is_helper(own) || !chosen.iter().any(|(_, other, _)| core::ptr::eq(*other, *own));
            let mut fitting = codecs.iter().filter(is_new);
            let found = fitting.find_map(|own| Some((own, agreed(own, format, &chosen)?)));
            if let Some((own, parameters)) = found {
                chosen.push((format, own, parameters));
            }
        }
        // Tones and repairs alone are no conversation, unless that is all that was offered or all that one has.
        let is_voice = |codec: &Codec| !is_auxiliary(codec);
        if !chosen.iter().any(|(format, ..)| is_voice(&format.codec))
            && offered.iter().any(|format| is_voice(&format.codec))
            && codecs.iter().any(is_voice)
        {
            return Ok((Vec::new(), Vec::new()));
        }
        let feedback = self.theirs.section().attributes::<RtcpFeedback<'_>>().filter_map(Result::ok);
        let feedback: BTreeSet<(Option<u8>, &str)> = feedback.map(|one| (one.payload_type, one.value)).collect();
        let mut names = Vec::new();
        let mut lines = Vec::new();
        // The parameters of helpers name payload types of the offer; where one's own differ, they are done without.
        let is_moved = |format: &Format| self.known.own.contradict(self.index, self.theirs.media(), format);
        if chosen.iter().any(|(format, ..)| is_moved(format)) {
            chosen.retain(|(_, own, _)| !is_helper(own));
        }
        for (format, own, parameters) in &chosen {
            let payload_type = self.own_payload_type(format, &offered, &names);
            let is_offered = |value: &str| {
                feedback.contains(&(Some(format.payload_type), value)) || feedback.contains(&(None, value))
            };
            let feedback: Vec<Box<str>> = own.feedback.iter().filter(|value| is_offered(value)).cloned().collect();
            lines.extend(codec_lines(payload_type, &format.codec, parameters, &feedback)?);
            names.push(payload_type.to_string().into());
        }
        Ok((names, lines))
    }

    /// The offered payload type, unless it has stood for something else on one's own side: then another.
    fn own_payload_type(&self, format: &Format, offered: &[Format], used: &[Box<str>]) -> u8 {
        if !self.known.own.contradict(self.index, self.theirs.media(), format) {
            return format.payload_type;
        }
        let is_free = |candidate: &u8| {
            !self.known.own.knows(self.index, *candidate)
                && !offered.iter().any(|other| other.payload_type == *candidate)
                && !used.iter().any(|used| **used == *candidate.to_string())
        };
        (96..=127).chain(35..=63).find(is_free).unwrap_or(format.payload_type)
    }

    /// One's own attributes, as far as they answer something.
    fn attributes(&self, local: &LocalMedia, is_keyed: bool) -> Vec<Line> {
        let mut lines = Vec::new();
        lines.extend(self.names.line_of(self.index, self.theirs));
        if self.is_muxed(local) {
            lines.push(Line::own(b'a', RtcpMux::NAME));
        }
        let own = local.lines.iter().find(|line| line.is_attribute(Setup::NAME));
        if let Some(offered) = rules::setup(self.offer, self.theirs).filter(|_| !is_keyed) {
            let own = own.and_then(|line| Setup::read(&mut line.attribute_cursor(Setup::SECTION).ok()?).ok());
            let answer = own.filter(|own| own.answers(offered)).unwrap_or(offered.answered());
            lines.push(Line::own(b'a', &alloc::format!("setup:{answer}")));
        }
        let own = local.lines.iter().filter(|line| !(is_keyed && line.is_attribute("fingerprint")));
        lines.extend(own.filter_map(|line| self.attribute(line)));
        lines
    }

    fn attribute(&self, line: &Line) -> Option<Line> {
        let Some((name, _)) = line.as_attribute() else { return Some(line.clone()) };
        let name = core::str::from_utf8(name).ok()?;
        match name {
            "mid" | "setup" | "bundle-only" | "rtcp-mux" => None,
            "extmap" => {
                let own = ExtMap::read(&mut line.attribute_cursor(ExtMap::SECTION).ok()?).ok()?;
                let offered = || self.theirs.section().attributes::<ExtMap<'_>>().filter_map(Result::ok);
                let found = offered().find(|offered| offered.uri == own.uri && offered.id != 0)?;
                // Of several with one number, one is answered. [RFC 8285, Section 7]
                offered().find(|other| other.id == found.id).filter(|first| first.uri == own.uri)?;
                ExtMap { id: found.id, ..own }.to_line().ok()
            }
            "rtcp-rsize" | "extmap-allow-mixed" | "fingerprint" | "simulcast" => {
                self.has_offered(name).then(|| line.clone())
            }
            "rid" => self.has_offered("simulcast").then(|| line.clone()),
            "candidate" | "end-of-candidates" => self.has_offered("ice-ufrag").then(|| line.clone()),
            _ if name.starts_with("ice-") => self.has_offered("ice-ufrag").then(|| line.clone()),
            _ => Some(line.clone()),
        }
    }

    /// Status lines for an offer that has them, seen from the other side. `[RFC 3312, Section 5.2]`
    fn preconditions(&self, local: &LocalMedia) -> Result<Vec<Line>, NoAnswer> {
        let Some(own) = local.resources else { return Ok(Vec::new()) };
        let mut lines = Vec::new();
        for current in self.theirs.section().attributes::<CurrentStatus<'_>>().filter_map(Result::ok) {
            let mut answer =
                CurrentStatus { status: current.status.reversed(), direction: current.direction.reversed(), ..current };
            if answer.precondition == "qos" && answer.status == StatusType::Local {
                answer.direction = own;
            }
            lines.extend(answer.to_line());
        }
        for desired in self.theirs.section().attributes::<DesiredStatus<'_>>().filter_map(Result::ok) {
            // A mandatory condition of a kind that one doesn't know can't be met. [RFC 3312, Section 9]
            if is_unknown(&desired) {
                return Err(NoAnswer::Refused(Refusal::bare(580, Some(self.index))));
            }
            let status = desired.status.reversed();
            let direction: ResourceDirection = desired.direction.reversed();
            lines.extend(DesiredStatus { status, direction, ..desired }.to_line());
        }
        Ok(lines)
    }
}

/// `rtx` and `red`, which go with another format and may be there once for each.
fn is_helper(codec: &Codec) -> bool {
    codec.is("rtx") || codec.is("red")
}

/// What doesn't make a conversation by itself.
fn is_auxiliary(codec: &Codec) -> bool {
    is_helper(codec) || ["telephone-event", "tone", "CN", "ulpfec", "flexfec-03"].iter().any(|name| codec.is(name))
}

/// The parameters that answer a format; those of helpers name payload types, which must have been chosen.
fn agreed(own: &Codec, format: &Format, chosen: &[(&Format, &Codec, Box<str>)]) -> Option<Box<str>> {
    let parameters = own.agree(&format.codec)?;
    if !is_helper(own) {
        return Some(parameters);
    }
    let offered = &format.codec.parameters;
    let list = offered.strip_prefix("apt=").map_or(&**offered, |rest| rest.split(';').next().unwrap_or(rest));
    let is_chosen = |text: &str| chosen.iter().any(|(format, ..)| text.trim().parse() == Ok(format.payload_type));
    (!own.is("rtx") || !list.is_empty()).then_some(())?;
    (list.is_empty() || list.split('/').all(is_chosen)).then(|| offered.clone())
}

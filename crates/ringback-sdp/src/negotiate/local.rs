//! What one has for a stream: to offer it, and to answer with it.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;

use crate::attribute::{Attribute, Crypto, MediaDirection, Mid, Ptime, ResourceDirection, RtcpMux, T38};
use crate::bundling::Bundle;
use crate::description::MediaDescription;
use crate::error::BuildError;
use crate::line::{Bandwidth, Connection, Line, MediaLine, MediaType};
use crate::negotiate::codec::Codec;
use crate::negotiate::fmtp::Parameters;
use crate::profile;

/// A stream that one would have: where it is received, what it may be made of, which ways it may go.
///
/// A mistake in it is told by whatever makes a description of it.
#[derive(Clone, Debug)]
#[must_use]
pub struct LocalMedia {
    pub(crate) media: MediaType,
    pub(crate) port: u16,
    pub(crate) protocols: Vec<Box<str>>,
    pub(crate) contents: Contents,
    pub(crate) direction: MediaDirection,
    pub(crate) connection: Option<Line>,
    pub(crate) rtcp_mux: bool,
    pub(crate) joins_multicast: bool,
    pub(crate) lines: Vec<Line>,
    pub(crate) keys: Vec<Key>,
    pub(crate) resources: Option<ResourceDirection>,
    mistake: Option<BuildError>,
}

/// What a stream may be made of.
#[derive(Clone, Debug)]
pub(crate) enum Contents {
    Codecs(Vec<Codec>),
    Formats(Vec<Box<str>>),
    T38(T38),
}

/// A key for SRTP and its suite.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) suite: Box<str>,
    pub(crate) key_params: Box<str>,
}

/// The key is a secret.
impl core::fmt::Debug for Key {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Key").field("suite", &self.suite).finish_non_exhaustive()
    }
}

impl LocalMedia {
    fn new(media: MediaType, port: u16, protocol: &str, contents: Contents) -> LocalMedia {
        LocalMedia {
            media,
            port,
            protocols: alloc::vec![protocol.into()],
            contents,
            direction: MediaDirection::SendRecv,
            connection: None,
            rtcp_mux: false,
            joins_multicast: false,
            lines: Vec::new(),
            keys: Vec::new(),
            resources: None,
            mistake: None,
        }
    }

    /// Sound over RTP, received at a port.
    pub fn audio(port: u16) -> LocalMedia {
        LocalMedia::new(MediaType::Audio, port, "RTP/AVP", Contents::Codecs(Vec::new()))
    }

    /// Pictures over RTP, received at a port.
    pub fn video(port: u16) -> LocalMedia {
        LocalMedia::new(MediaType::Video, port, "RTP/AVP", Contents::Codecs(Vec::new()))
    }

    /// Facsimile by T.38 over UDPTL.
    pub fn t38(port: u16, parameters: T38) -> LocalMedia {
        LocalMedia::new(MediaType::Image, port, "udptl", Contents::T38(parameters))
    }

    /// A stream that is not of RTP, such as `application`, `UDP/DTLS/SCTP` and `webrtc-datachannel`.
    pub fn other(media: MediaType, port: u16, protocol: &str, formats: &[&str]) -> LocalMedia {
        let formats = formats.iter().map(|format| Box::from(*format)).collect();
        LocalMedia::new(media, port, protocol, Contents::Formats(formats))
    }

    /// The protocols that one can do, in the place of the usual one. The first is offered, any is accepted.
    pub fn protocols(mut self, protocols: &[&str]) -> LocalMedia {
        self.protocols = protocols.iter().map(|protocol| Box::from(*protocol)).collect();
        self
    }

    /// An encoding, after those that are there: the most wanted first. `rtx` goes with the one before it.
    pub fn codec(mut self, codec: Codec) -> LocalMedia {
        if let Contents::Codecs(codecs) = &mut self.contents {
            codecs.push(codec);
        }
        self
    }

    /// Which ways it shall go.
    pub fn direction(mut self, direction: MediaDirection) -> LocalMedia {
        self.direction = direction;
        self
    }

    /// Where it is received, if elsewhere than the rest.
    pub fn connection(mut self, address: &str) -> LocalMedia {
        match Connection::internet(address).to_line() {
            Ok(line) => self.connection = Some(line),
            Err(mistake) => self.fail(mistake),
        }
        self
    }

    /// RTP and RTCP may be on one port.
    pub fn rtcp_mux(mut self) -> LocalMedia {
        self.rtcp_mux = true;
        self
    }

    /// One joins the group where a multicast stream is offered; else it is refused.
    pub fn joins_multicast(mut self) -> LocalMedia {
        self.joins_multicast = true;
        self
    }

    /// Milliseconds that are wanted in a packet.
    pub fn ptime(self, time_ms: u32) -> LocalMedia {
        self.with(&Ptime { time_us: u64::from(time_ms).saturating_mul(1000) })
    }

    /// The bandwidth that one would receive, in the unit of its kind. `[RFC 8866, Section 5.8]`
    pub fn bandwidth(mut self, kind: &str, value: u64) -> LocalMedia {
        let text = Bandwidth { kind, value }.to_string();
        match Bandwidth::parse(&text).map_err(BuildError::from).and_then(|_| Line::new('b', &text)) {
            Ok(line) => self.lines.push(line),
            Err(mistake) => self.fail(mistake),
        }
        self
    }

    /// A key for SRTP: suite and key, such as `inline:…`. The first is the most wanted. `[RFC 4568, Section 4]`
    pub fn key(mut self, suite: &str, key_params: &str) -> LocalMedia {
        let crypto = Crypto { tag: 1, suite, key_params, session_params: None };
        match (crypto.to_line(), crypto.misfit()) {
            (Err(mistake), _) => self.fail(mistake),
            (Ok(_), Some(section)) => {
                // The key is a secret: its suite alone is told.
                let what = "a key that is not as long as its suite asks for";
                self.fail(BuildError::Contradiction { media: None, what, value: suite.into(), section });
            }
            (Ok(_), None) => self.keys.push(Key { suite: suite.into(), key_params: key_params.into() }),
        }
        self
    }

    /// What resources there are for it already, for one who takes part in preconditions. `[RFC 3312, Section 5.2]`
    pub fn resources(mut self, direction: ResourceDirection) -> LocalMedia {
        self.resources = Some(direction);
        self
    }

    /// An attribute. What only makes sense where the other side has it too, such as ICE, header extensions or a fingerprint,
    /// is left out of an answer to an offer that hasn't.
    pub fn with<'a>(mut self, attribute: &impl Attribute<'a>) -> LocalMedia {
        match attribute.to_line() {
            Ok(line) => self.lines.push(line),
            Err(mistake) => self.fail(mistake),
        }
        self
    }

    /// An attribute by its name.
    pub fn attribute(mut self, name: &str, value: Option<&str>) -> LocalMedia {
        match Line::attribute(name, value) {
            Ok(line) => self.lines.push(line),
            Err(mistake) => self.fail(mistake),
        }
        self
    }

    fn fail(&mut self, mistake: BuildError) {
        self.mistake.get_or_insert(mistake);
    }

    /// That it can be offered, or answer anything.
    pub(crate) fn sound(&self) -> Result<(), BuildError> {
        if let Some(mistake) = &self.mistake {
            return Err(mistake.clone());
        }
        let Contents::Codecs(codecs) = &self.contents else { return Ok(()) };
        for (index, codec) in codecs.iter().enumerate() {
            codec.sound(self.rtcp_mux)?;
            let is_same = |other: &Codec| other.is_same_encoding(codec) && other.parameters == codec.parameters;
            // Repairs go each with another encoding, and may look alike.
            if !codec.is("rtx") && !codec.is("red") && codecs.iter().take(index).any(is_same) {
                return Err(BuildError::Contradiction {
                    media: None,
                    what: "an encoding twice in one stream",
                    value: codec.name.clone(),
                    section: "RFC 3264, Section 5.1",
                });
            }
        }
        Ok(())
    }

    /// The name of the stream, where it has one.
    pub(crate) fn mid(&self) -> Option<&str> {
        let line = self.lines.iter().find(|line| line.is_attribute(Mid::NAME))?;
        line.as_attribute().and_then(|(_, value)| core::str::from_utf8(value?).ok())
    }

    /// True where it can be offered in a bundle: it has a name, and RTCP needs no port of its own. `[RFC 8843, Section 9.3]`
    pub(crate) fn is_bundled(&self) -> bool {
        self.mid().is_some() && (self.rtcp_mux || !matches!(self.contents, Contents::Codecs(_)))
    }

    /// True where the protocol is one that one can do.
    pub(crate) fn speaks(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|own| own.eq_ignore_ascii_case(protocol))
    }

    /// The stream as it is offered, with payload types that the others of its bundle leave to it.
    pub(crate) fn to_offer(&self, bundle: &Bundle) -> Result<MediaDescription, BuildError> {
        self.sound()?;
        let protocol = self.protocols.first().cloned().unwrap_or_default();
        let mut line =
            MediaLine { media: self.media.clone(), port: self.port, ports: None, protocol, formats: Vec::new() };
        let mut lines = Vec::new();
        match &self.contents {
            Contents::Codecs(codecs) => {
                for (payload_type, codec) in assigned(codecs, &self.media, bundle) {
                    line.formats.push(payload_type.to_string().into());
                    lines.extend(codec_lines(payload_type, &codec, &codec.parameters, &codec.feedback)?);
                }
            }
            Contents::Formats(formats) => line.formats.clone_from(formats),
            Contents::T38(t38) => {
                line.formats.push("t38".into());
                lines.extend(t38.lines());
            }
        }
        let mut media = MediaDescription::new(line)?;
        for (tag, key) in (1_u32..).zip(&self.keys) {
            lines.push(Crypto { tag, suite: &key.suite, key_params: &key.key_params, session_params: None }.to_line()?);
        }
        if self.rtcp_mux {
            lines.push(RtcpMux.to_line()?);
        }
        self.connection.iter().chain(&lines).chain(&self.lines).cloned().for_each(|line| media.section_mut().put(line));
        if self.direction != MediaDirection::SendRecv {
            media.section_mut().set_direction(self.direction);
        }
        Ok(media)
    }
}

/// `rtpmap`, `fmtp` and `rtcp-fb` of one format.
pub(crate) fn codec_lines(
    payload_type: u8,
    codec: &Codec,
    parameters: &str,
    feedback: &[Box<str>],
) -> Result<Vec<Line>, BuildError> {
    use alloc::format;
    let Codec { name, clock_rate, channels, .. } = codec;
    let map = match channels {
        1 => format!("{payload_type} {name}/{clock_rate}"),
        _ => format!("{payload_type} {name}/{clock_rate}/{channels}"),
    };
    let mut lines = alloc::vec![Line::attribute("rtpmap", Some(&map))?];
    for value in feedback {
        lines.push(Line::attribute("rtcp-fb", Some(&format!("{payload_type} {value}")))?);
    }
    if !parameters.is_empty() {
        lines.push(Line::attribute("fmtp", Some(&format!("{payload_type} {parameters}")))?);
    }
    Ok(lines)
}

/// Payload types for codecs: the fixed one, or the wanted one if it is free, or the next that is.
fn assigned(codecs: &[Codec], media: &MediaType, bundle: &Bundle) -> Vec<(u8, Codec)> {
    let mut assigned: Vec<(u8, Codec)> = Vec::new();
    for codec in codecs {
        let mut codec = codec.clone();
        if codec.is("rtx")
            && let Some((before, _)) = assigned.iter().rev().find(|(_, codec)| !codec.is("rtx"))
        {
            codec.parameters = Parameters(&codec.parameters).with(&["apt"], &[("apt", &before.to_string())]);
        }
        let is_free = |payload_type: &u8| {
            !assigned.iter().any(|(other, _)| other == payload_type) && bundle.allows(*payload_type, media, &codec)
        };
        let wanted = codec.payload_type;
        let fixed = profile::payload_type(&codec.name, codec.clock_rate, codec.channels);
        // Those from 96 on are dynamic, and those from 35 to 63 are what is left. [RFC 3551, Section 6]
        let others = (96..=127).chain(35..=63);
        let Some(payload_type) = wanted.into_iter().chain(fixed).chain(others).find(is_free) else { break };
        assigned.push((payload_type, codec));
    }
    assigned
}

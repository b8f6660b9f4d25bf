//! One stream in the making.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::attribute::{Attribute, MaxPtime, MediaDirection, Mid, Ptime, Rtcp, RtcpMux};
use crate::builder::{Lines, SdpBuilder};
use crate::error::BuildError;
use crate::line::{Line, MediaType};

/// One stream of a description in the making; [`MediaBuilder::done`] goes back to the description.
#[derive(Clone, Debug)]
#[must_use]
pub struct MediaBuilder {
    parent: SdpBuilder,
    media: MediaType,
    port: u16,
    ports: Option<u16>,
    protocol: String,
    formats: Vec<String>,
    lines: Lines,
}

impl MediaBuilder {
    pub(super) fn new(parent: SdpBuilder, media: MediaType, port: u16, protocol: &str) -> MediaBuilder {
        let protocol = protocol.into();
        MediaBuilder { parent, media, port, ports: None, protocol, formats: Vec::new(), lines: Lines::default() }
    }

    /// Formats, behind those that are there: payload types for RTP, the most wanted first. At least one must be given.
    pub fn formats(mut self, formats: &[&str]) -> MediaBuilder {
        self.formats.extend(formats.iter().map(|format| String::from(*format)));
        self
    }

    /// How many ports there are; for RTP, pairs of ports. `[RFC 8866, Section 5.14]`
    pub fn ports(mut self, count: u16) -> MediaBuilder {
        if let Some(first) = self.ports.replace(count) {
            self.lines.fail(BuildError::Contradiction {
                media: None,
                what: "a second number of ports",
                value: format!("{first}, {count}").into(),
                section: "RFC 8866, Section 5.14",
            });
        }
        self
    }

    /// What it is. `[RFC 8866, Section 5.4]`
    pub fn title(mut self, text: &str) -> MediaBuilder {
        self.lines.add('i', text);
        self
    }

    /// Where it is received: network, type of address, address. `[RFC 8866, Section 5.7]`
    pub fn connection(mut self, network: &str, address_type: &str, address: &str) -> MediaBuilder {
        self.lines.add_fields('c', &[network, address_type, address]);
        self
    }

    /// A group's address, with the TTL that IPv4 needs and IPv6 hasn't, and a number of addresses. `[RFC 8866, Section 5.7]`
    pub fn multicast(mut self, address: &str, ttl: Option<u8>, count: Option<u32>) -> MediaBuilder {
        self.lines.multicast(address, ttl, count);
        self
    }

    /// A bandwidth, in the unit of its kind. `[RFC 8866, Section 5.8]`
    pub fn bandwidth(mut self, kind: &str, value: u64) -> MediaBuilder {
        self.lines.add_fields('b', &[&format!("{kind}:{value}")]);
        self
    }

    /// What a payload type stands for, such as `PCMU/8000`. `[RFC 8866, Section 6.6]`
    pub fn rtpmap(self, payload_type: &str, encoding: &str) -> MediaBuilder {
        self.attribute("rtpmap", &format!("{payload_type} {encoding}"))
    }

    /// Parameters of a format. `[RFC 8866, Section 6.15]`
    pub fn fmtp(self, format: &str, parameters: &str) -> MediaBuilder {
        self.attribute("fmtp", &format!("{format} {parameters}"))
    }

    /// Which ways it goes. `[RFC 8866, Section 6.7]`
    pub fn direction(self, direction: MediaDirection) -> MediaBuilder {
        self.property(direction.name())
    }

    /// Milliseconds in a packet. `[RFC 8866, Section 6.4]`
    pub fn ptime(self, time_ms: u32) -> MediaBuilder {
        self.with(&Ptime { time_us: u64::from(time_ms).saturating_mul(1000) })
    }

    /// Milliseconds in a packet at most. `[RFC 8866, Section 6.5]`
    pub fn max_ptime(self, time_ms: u32) -> MediaBuilder {
        self.with(&MaxPtime { time_us: u64::from(time_ms).saturating_mul(1000) })
    }

    /// The port of RTCP, where it isn't the one above. `[RFC 3605, Section 2.1]`
    pub fn rtcp(self, port: u16) -> MediaBuilder {
        self.with(&Rtcp { port, address: None })
    }

    /// RTP and RTCP on one port. `[RFC 5761, Section 5.1.1]`
    pub fn rtcp_mux(self) -> MediaBuilder {
        self.with(&RtcpMux)
    }

    /// Its name within the description. `[RFC 5888, Section 4]`
    pub fn mid(self, tag: &str) -> MediaBuilder {
        self.with(&Mid(tag))
    }

    /// An attribute that has a type.
    pub fn with<'a>(mut self, attribute: &impl Attribute<'a>) -> MediaBuilder {
        self.lines.typed(attribute);
        self
    }

    /// An attribute with a value.
    pub fn attribute(mut self, name: &str, value: &str) -> MediaBuilder {
        self.lines.take(Line::attribute(name, Some(value)));
        self
    }

    /// An attribute without one.
    pub fn property(mut self, name: &str) -> MediaBuilder {
        self.lines.property(name);
        self
    }

    pub(super) fn line(mut self, line: Line) -> MediaBuilder {
        self.lines.take(Ok(line));
        self
    }

    /// Back to the description.
    pub fn done(self) -> SdpBuilder {
        let MediaBuilder { mut parent, media, port, ports, protocol, formats, mut lines } = self;
        let port = ports.map_or_else(|| format!("{port}"), |count| format!("{port}/{count}"));
        let fields: Vec<&str> =
            [media.as_str(), &port, &protocol].into_iter().chain(formats.iter().map(String::as_str)).collect();
        let line = lines.fields('m', &fields);
        if let Some(mistake) = lines.mistake {
            parent.lines.fail(mistake);
        }
        parent.media.extend(line.map(|line| (line, lines.lines)));
        parent
    }
}

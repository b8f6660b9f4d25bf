//! Building a description. What is built has been read back strictly, and has been asked whether it can be valid.

mod media;

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::attribute::{Attribute, Group, MediaDirection, T38};
use crate::description::SessionDescription;
use crate::error::BuildError;
use crate::line::{Connection, Line, MediaType};
use crate::section::rank;

pub use media::MediaBuilder;

/// A description in the making. Lines come out in the order of the grammar, in whatever order they are given; a mistake is told
/// by [`SdpBuilder::build`], the first of several.
///
/// ```
/// use ringback_sdp::{MediaDirection, SdpBuilder};
///
/// let sdp = SdpBuilder::new("-")
///     .origin("alice", "2890844526", "1", "IN", "IP4", "192.0.2.10")
///     .connection("IN", "IP4", "192.0.2.10")
///     .media_audio(49170, "RTP/AVP")
///     .formats(&["96", "0"])
///     .rtpmap("96", "opus/48000/2")
///     .direction(MediaDirection::SendRecv)
///     .done()
///     .build()?;
/// assert!(sdp.to_string().ends_with("m=audio 49170 RTP/AVP 96 0\r\na=rtpmap:96 opus/48000/2\r\na=sendrecv\r\n"));
/// # Ok::<(), ringback_sdp::BuildError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct SdpBuilder {
    origin: Option<Line>,
    lines: Lines,
    media: Vec<(Line, Vec<Line>)>,
}

/// Lines of one section, and the first mistake.
#[derive(Clone, Debug, Default)]
struct Lines {
    lines: Vec<Line>,
    mistake: Option<BuildError>,
}

impl SdpBuilder {
    /// A description with a name, which a unicast session has no use for: `-` is the usual one. `[RFC 3264, Section 5]`
    pub fn new(name: &str) -> SdpBuilder {
        let mut lines = Lines::default();
        lines.add('s', name);
        SdpBuilder { origin: None, lines, media: Vec::new() }
    }

    /// Who makes it: user, session id, session version, network, type of address, address. It must be given.
    /// `[RFC 8866, Section 5.2]`
    pub fn origin(
        mut self,
        username: &str,
        session_id: &str,
        session_version: &str,
        network: &str,
        address_type: &str,
        address: &str,
    ) -> SdpBuilder {
        let fields = [username, session_id, session_version, network, address_type, address];
        let line = self.lines.fields('o', &fields);
        if let Some(first) = &self.origin {
            self.lines.fail(BuildError::Contradiction {
                media: None,
                what: "a second o= line",
                value: first.text().into(),
                section: "RFC 8866, Section 5.2",
            });
        }
        self.origin = self.origin.or(line);
        self
    }

    /// What it is about. `[RFC 8866, Section 5.4]`
    pub fn information(mut self, text: &str) -> SdpBuilder {
        self.lines.add('i', text);
        self
    }

    /// Where more is to be found. `[RFC 8866, Section 5.5]`
    pub fn uri(mut self, uri: &str) -> SdpBuilder {
        self.lines.add('u', uri);
        self
    }

    /// Whom to write to. `[RFC 8866, Section 5.6]`
    pub fn email(mut self, address: &str) -> SdpBuilder {
        self.lines.add('e', address);
        self
    }

    /// Whom to call. `[RFC 8866, Section 5.6]`
    pub fn phone(mut self, number: &str) -> SdpBuilder {
        self.lines.add('p', number);
        self
    }

    /// Where streams are received that don't say it themselves: network, type of address, address. `[RFC 8866, Section 5.7]`
    pub fn connection(mut self, network: &str, address_type: &str, address: &str) -> SdpBuilder {
        self.lines.add_fields('c', &[network, address_type, address]);
        self
    }

    /// A group's address, with the TTL that IPv4 needs and IPv6 hasn't, and a number of addresses. `[RFC 8866, Section 5.7]`
    pub fn multicast(mut self, address: &str, ttl: Option<u8>, count: Option<u32>) -> SdpBuilder {
        self.lines.multicast(address, ttl, count);
        self
    }

    /// A bandwidth, in the unit of its kind. `[RFC 8866, Section 5.8]`
    pub fn bandwidth(mut self, kind: &str, value: u64) -> SdpBuilder {
        self.lines.add_fields('b', &[&alloc::format!("{kind}:{value}")]);
        self
    }

    /// When the session is active, in seconds since the begin of 1900 UTC; `0 0` for always, which stands where nothing is
    /// given. `[RFC 8866, Section 5.9]`
    pub fn time(mut self, start: &str, stop: &str) -> SdpBuilder {
        self.lines.add_fields('t', &[start, stop]);
        self
    }

    /// A schedule for the time before it: interval, duration, offsets, such as `7d`, `1h`, `0` and `25h`.
    /// `[RFC 8866, Section 5.10]`
    pub fn repeat(mut self, interval: &str, duration: &str, offsets: &[&str]) -> SdpBuilder {
        let fields: Vec<&str> = [interval, duration].into_iter().chain(offsets.iter().copied()).collect();
        self.lines.add_fields('r', &fields);
        self
    }

    /// Changes of local time for the schedules before it: times and offsets. `[RFC 8866, Section 5.11]`
    pub fn zone(mut self, adjustments: &[(&str, &str)]) -> SdpBuilder {
        let fields: Vec<&str> = adjustments.iter().flat_map(|(time, offset)| [*time, *offset]).collect();
        self.lines.add_fields('z', &fields);
        self
    }

    /// The direction of streams that don't say it themselves. `[RFC 8866, Section 6.7]`
    pub fn direction(mut self, direction: MediaDirection) -> SdpBuilder {
        self.lines.property(direction.name());
        self
    }

    /// Streams that belong together, by their [`MediaBuilder::mid`]. `[RFC 5888, Section 5]`
    pub fn group(mut self, semantics: &str, tags: &[&str]) -> SdpBuilder {
        self.lines.typed(&Group { semantics, tags: tags.to_vec() });
        self
    }

    /// An attribute that has a type.
    pub fn with<'a>(mut self, attribute: &impl Attribute<'a>) -> SdpBuilder {
        self.lines.typed(attribute);
        self
    }

    /// An attribute with a value.
    pub fn attribute(mut self, name: &str, value: &str) -> SdpBuilder {
        self.lines.take(Line::attribute(name, Some(value)));
        self
    }

    /// An attribute without one.
    pub fn property(mut self, name: &str) -> SdpBuilder {
        self.lines.property(name);
        self
    }

    /// A stream of sound: port and protocol, such as `RTP/AVP`.
    pub fn media_audio(self, port: u16, protocol: &str) -> MediaBuilder {
        self.media(MediaType::Audio, port, protocol)
    }

    /// A stream of pictures.
    pub fn media_video(self, port: u16, protocol: &str) -> MediaBuilder {
        self.media(MediaType::Video, port, protocol)
    }

    /// A stream of text.
    pub fn media_text(self, port: u16, protocol: &str) -> MediaBuilder {
        self.media(MediaType::Text, port, protocol)
    }

    /// A stream of data.
    pub fn media_application(self, port: u16, protocol: &str) -> MediaBuilder {
        self.media(MediaType::Application, port, protocol)
    }

    /// Facsimile by T.38 over UDPTL.
    pub fn media_t38(self, port: u16, parameters: &T38) -> MediaBuilder {
        let media = self.media(MediaType::Image, port, "udptl").formats(&["t38"]);
        parameters.lines().into_iter().fold(media, MediaBuilder::line)
    }

    /// A stream of any type.
    pub fn media(self, media: MediaType, port: u16, protocol: &str) -> MediaBuilder {
        MediaBuilder::new(self, media, port, protocol)
    }

    /// The description.
    ///
    /// # Errors
    /// For the first value that isn't what its line needs, and for what can't be valid: see [`SessionDescription::check`].
    pub fn build(self) -> Result<SessionDescription, BuildError> {
        if let Some(mistake) = self.lines.mistake {
            return Err(mistake);
        }
        let mut text = Vec::from(&b"v=0\r\n"[..]);
        let mut write = |line: &Line| {
            text.extend([line.byte(), b'=']);
            text.extend(line.value());
            text.extend(b"\r\n");
        };
        self.origin.iter().for_each(&mut write);
        let mut lines = self.lines.lines;
        if !lines.iter().any(|line| line.byte() == b't') {
            lines.push(Line::own(b't', "0 0"));
        }
        in_order(lines).iter().for_each(&mut write);
        for (line, lines) in self.media {
            write(&line);
            in_order(lines).iter().for_each(&mut write);
        }
        let description = SessionDescription::parse_strict(&text)?;
        description.check()?;
        Ok(description)
    }
}

fn in_order(mut lines: Vec<Line>) -> Vec<Line> {
    lines.sort_by_key(|line| rank(line.byte()));
    lines
}

impl Lines {
    fn take(&mut self, line: Result<Line, BuildError>) {
        match line {
            Ok(line) => self.lines.push(line),
            Err(mistake) => self.fail(mistake),
        }
    }

    fn fail(&mut self, mistake: BuildError) {
        self.mistake.get_or_insert(mistake);
    }

    fn add(&mut self, letter: char, value: &str) {
        self.take(Line::new(letter, value));
    }

    /// A line of fields, none of which may be empty or hold a blank.
    fn fields(&mut self, letter: char, fields: &[&str]) -> Option<Line> {
        if let Some(bad) = fields.iter().find(|field| field.is_empty() || field.contains([' ', '\t'])) {
            self.fail(BuildError::Contradiction {
                media: None,
                what: "a field that is empty or holds a blank",
                value: Box::from(*bad),
                section: "RFC 8866, Section 9",
            });
            return None;
        }
        match Line::new(letter, fields.join(" ")) {
            Ok(line) => Some(line),
            Err(mistake) => {
                self.fail(mistake);
                None
            }
        }
    }

    fn add_fields(&mut self, letter: char, fields: &[&str]) {
        let line = self.fields(letter, fields);
        self.lines.extend(line);
    }

    fn multicast(&mut self, address: &str, ttl: Option<u8>, count: Option<u32>) {
        self.take(Connection { ttl, count, ..Connection::internet(address) }.to_line());
    }

    fn property(&mut self, name: &str) {
        self.take(Line::attribute(name, None));
    }

    fn typed<'a>(&mut self, attribute: &impl Attribute<'a>) {
        self.take(attribute.to_line());
    }
}

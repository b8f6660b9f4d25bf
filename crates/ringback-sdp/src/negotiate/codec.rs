//! What an encoding is.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;

use crate::attribute::{Attribute, RtpMap};
use crate::error::BuildError;
use crate::negotiate::fmtp;
use crate::profile;
use crate::work;

/// An encoding and its parameters: one's own, with what one would receive, or one of the other side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codec {
    pub(crate) name: Box<str>,
    pub(crate) clock_rate: u32,
    pub(crate) channels: u32,
    pub(crate) parameters: Box<str>,
    pub(crate) payload_type: Option<u8>,
    pub(crate) feedback: Vec<Box<str>>,
}

impl Codec {
    /// One of any name, with its clock rate and its channels of sound: 1 where that has no meaning.
    #[must_use]
    pub fn new(name: &str, clock_rate: u32, channels: u32) -> Codec {
        let channels = channels.max(1);
        Codec {
            name: name.into(),
            clock_rate,
            channels,
            parameters: "".into(),
            payload_type: None,
            feedback: Vec::new(),
        }
    }

    /// G.711, µ-law.
    #[must_use]
    pub fn pcmu() -> Codec {
        Codec::new("PCMU", 8_000, 1)
    }

    /// G.711, A-law.
    #[must_use]
    pub fn pcma() -> Codec {
        Codec::new("PCMA", 8_000, 1)
    }

    /// G.722, whose clock is said to run at 8000. `[RFC 3551, Section 4.5.2]`
    #[must_use]
    pub fn g722() -> Codec {
        Codec::new("G722", 8_000, 1)
    }

    /// G.729, with or without the silence of Annex B.
    #[must_use]
    pub fn g729(annex_b: bool) -> Codec {
        let codec = Codec::new("G729", 8_000, 1);
        if annex_b { codec } else { codec.parameters("annexb=no") }
    }

    /// Opus, always said to have two channels at 48000. `[RFC 7587, Section 7]`
    #[must_use]
    pub fn opus() -> Codec {
        Codec::new("opus", 48_000, 2).payload_type(111)
    }

    /// The keys of a phone. `[RFC 4733]`
    #[must_use]
    pub fn telephone_event(clock_rate: u32) -> Codec {
        Codec::new("telephone-event", clock_rate, 1).parameters("0-15").payload_type(101)
    }

    /// VP8.
    #[must_use]
    pub fn vp8() -> Codec {
        Codec::new("VP8", 90_000, 1)
    }

    /// H.264 with three bytes of profile and level, such as `42e01f`, and a packetization mode.
    #[must_use]
    pub fn h264(profile_level_id: &str, packetization_mode: u8) -> Codec {
        let parameters = alloc::format!("profile-level-id={profile_level_id};packetization-mode={packetization_mode}");
        Codec::new("H264", 90_000, 1).parameters(&parameters)
    }

    /// Packets sent again, of the encoding that stands before it in a stream; `apt`, which names that, is put in where payload
    /// types are chosen. The clock rate is that of the other. That is RFC 4588's format.
    #[must_use]
    pub fn rtx(clock_rate: u32) -> Codec {
        Codec::new("rtx", clock_rate, 1)
    }

    /// Its parameters, as they stand in `fmtp`.
    #[must_use]
    pub fn parameters(mut self, parameters: &str) -> Codec {
        self.parameters = parameters.into();
        self
    }

    /// The payload type that it is offered with, where that is free. A static one may be bound anew, at the risk that a peer
    /// takes it for what it stands for without `rtpmap`. `[RFC 3551, Section 3]`
    #[must_use]
    pub fn payload_type(mut self, payload_type: u8) -> Codec {
        self.payload_type = Some(payload_type);
        self
    }

    /// A kind of feedback that is given, such as `nack pli`.
    #[must_use]
    pub fn feedback(mut self, value: &str) -> Codec {
        self.feedback.push(value.into());
        self
    }

    pub(crate) fn of_map(map: &RtpMap<'_>) -> Codec {
        Codec::new(map.encoding, map.clock_rate, map.channels.unwrap_or(1))
    }

    /// Its name, in whatever case it was written.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Ticks of the RTP timestamp per second.
    #[must_use]
    pub fn clock_rate(&self) -> u32 {
        self.clock_rate
    }

    /// Channels of sound.
    #[must_use]
    pub fn channels(&self) -> u32 {
        self.channels
    }

    /// Its parameters, as they stand in `fmtp`; empty for none.
    #[must_use]
    pub fn fmtp(&self) -> &str {
        &self.parameters
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// True for an encoding whose rate or parameters have a form of their own, which [`Codec::defect`] looks at.
    pub(crate) fn is_bound(name: &str) -> bool {
        ["telephone-event", "H264", "rtx", "opus"].iter().any(|bound| name.eq_ignore_ascii_case(bound))
    }

    /// All that it says of itself, as a part of an error.
    pub(crate) fn described(&self) -> Box<str> {
        let Codec { name, clock_rate, channels, parameters, .. } = self;
        alloc::format!("{name}/{clock_rate}/{channels} {parameters}").trim_end().into()
    }

    /// What it or its parameters can't be, whoever has them.
    pub(crate) fn defect(&self) -> Option<(&'static str, &'static str)> {
        fmtp::defect(self)
    }

    /// The payload type that `rtx` sends again.
    pub(crate) fn associated(&self) -> Option<u8> {
        if self.is("rtx") { fmtp::associated(self) } else { None }
    }

    /// That one's own can be offered at all.
    pub(crate) fn sound(&self, is_muxed: bool) -> Result<(), BuildError> {
        let wrong = |what, value: &dyn ToString, section| {
            Err(BuildError::Contradiction { media: None, what, value: value.to_string().into(), section })
        };
        let map = RtpMap {
            payload_type: 0,
            encoding: &self.name,
            clock_rate: self.clock_rate,
            channels: Some(self.channels),
        };
        map.to_line()?;
        if let Some((what, section)) = self.defect().filter(|_| !self.is("rtx")) {
            return wrong(what, &self.described(), section);
        }
        match self.payload_type {
            Some(number) if number > 127 => wrong("a payload type above 127", &number, "RFC 8866, Section 6.6"),
            Some(number) if is_muxed && profile::is_rtcp(number) => {
                wrong("a payload type that rtcp-mux takes for RTCP", &number, "RFC 5761, Section 4")
            }
            _ => Ok(()),
        }
    }

    /// True where name, rate and channels are the same.
    pub(crate) fn is_same_encoding(&self, other: &Codec) -> bool {
        self.is(&other.name) && self.clock_rate == other.clock_rate && self.channels == other.channels
    }

    /// What one says to an offered codec: the parameters of the answer, or nothing where the two don't fit.
    ///
    /// G.711, G.722, VP8 and Opus fit by name, rate and channels, and each side says what it would receive. G.729 is without
    /// Annex B where one side is. AMR must agree in all that shapes a packet, H.264 in profile and packetization mode, VP9 and
    /// AV1 in profile; `telephone-event` is left with the events that both know.
    #[must_use]
    pub fn agree(&self, offered: &Codec) -> Option<Box<str>> {
        work::step(1);
        if self.is_same_encoding(offered) { fmtp::agree(self, offered) } else { None }
    }
}

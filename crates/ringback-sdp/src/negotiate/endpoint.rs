//! All that one has: who one is, where one is, and which streams one would have.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;

use crate::attribute::{Attribute, Group};
use crate::description::SessionDescription;
use crate::error::BuildError;
use crate::line::{Connection, Line, Origin};
use crate::negotiate::local::LocalMedia;

/// One side of a session to be.
///
/// ```
/// use ringback_sdp::Origin;
/// use ringback_sdp::negotiate::{Codec, Endpoint, LocalMedia, Session};
///
/// let bob = Endpoint::new(Origin::parse("bob 1 1 IN IP4 192.0.2.2")?, "192.0.2.2")
///     .media(LocalMedia::audio(49174).codec(Codec::pcmu()).codec(Codec::telephone_event(8000)));
/// let offer = "v=0\r\no=alice 5 5 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
///     m=audio 49170 RTP/AVP 97 0\r\na=rtpmap:97 iLBC/8000\r\n";
/// let received = Session::new().receive(offer.parse()?)?;
/// let answer = received.answer(&bob)?;
/// assert!(answer.description().to_string().ends_with("m=audio 49174 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"));
/// let session = answer.sent();
/// assert_eq!(session.streams()[0].send[0].codec.name(), "PCMU");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Endpoint {
    pub(crate) origin: Origin,
    pub(crate) name: Box<str>,
    pub(crate) address: Box<str>,
    pub(crate) media: Vec<LocalMedia>,
    pub(crate) bundles: bool,
    pub(crate) both_families: bool,
    pub(crate) lines: Vec<Line>,
    mistake: Option<BuildError>,
}

impl Endpoint {
    /// One with its `o=` line, and the address where streams are received.
    pub fn new(origin: Origin, address: &str) -> Endpoint {
        Endpoint {
            origin,
            name: "-".into(),
            address: address.into(),
            media: Vec::new(),
            bundles: false,
            both_families: false,
            lines: Vec::new(),
            mistake: None,
        }
    }

    /// The name of the session, in the place of `-`.
    pub fn name(mut self, name: &str) -> Endpoint {
        self.name = name.into();
        self
    }

    /// A stream, after those that are there: they are offered in this order, and a stream that is offered gets the first that
    /// fits it.
    pub fn media(mut self, media: LocalMedia) -> Endpoint {
        self.media.push(media);
        self
    }

    /// Streams may share one address. They need a `mid` to be offered so. `[RFC 8843, Section 7]`
    pub fn bundles(mut self) -> Endpoint {
        self.bundles = true;
        self
    }

    /// Addresses of IPv4 and IPv6 can both be reached, whichever is one's own.
    pub fn both_families(mut self) -> Endpoint {
        self.both_families = true;
        self
    }

    /// An attribute of the session level.
    pub fn with<'a>(mut self, attribute: &impl Attribute<'a>) -> Endpoint {
        match attribute.to_line() {
            Ok(line) => self.lines.push(line),
            Err(mistake) => self.mistake = self.mistake.or(Some(mistake)),
        }
        self
    }

    /// The description with which a session begins.
    ///
    /// # Errors
    /// Where a part of it can't be what it is.
    pub fn offer(&self) -> Result<SessionDescription, BuildError> {
        let mut offer = self.empty(self.origin.clone())?;
        for media in &self.media {
            offer.push_media(media.to_offer()?);
        }
        if self.bundles {
            let copy = offer.clone();
            let tags: Vec<&str> = copy.media().iter().filter_map(crate::negotiate::bundle::mid).collect();
            if !tags.is_empty() {
                offer.section_mut().push(&Group { semantics: "BUNDLE", tags })?;
            }
        }
        offer.check()?;
        Ok(offer)
    }

    /// The session level, without groups.
    pub(crate) fn empty(&self, origin: Origin) -> Result<SessionDescription, BuildError> {
        if let Some(mistake) = &self.mistake {
            return Err(mistake.clone());
        }
        let mut description = SessionDescription::new(origin)?;
        let section = description.section_mut();
        section.remove_letter('s');
        section.insert(Line::new('s', self.name.as_bytes())?);
        section.set_connection(&Connection::internet(&self.address))?;
        self.lines.iter().cloned().for_each(|line| section.insert(line));
        // What was put together is read back, so that no field of it holds what it can't.
        SessionDescription::parse_strict(description.to_string()).map_err(BuildError::from)
    }

    /// True where media can be sent to an address of this type.
    pub(crate) fn reaches(&self, address_type: &str) -> bool {
        self.both_families || Connection::internet(&self.address).address_type == address_type
    }
}

//! All that one has: who one is, where one is, and which streams one would have.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;

use crate::attribute::{Attribute, Group};
use crate::bundling::Bundle;
use crate::cursor::count;
use crate::description::SessionDescription;
use crate::error::{BuildError, ParseError};
use crate::line::{Connection, Line, Origin};
use crate::negotiate::local::LocalMedia;
use crate::negotiate::received::{Answer, Refused};
use crate::negotiate::refusal::Refusal;
use crate::negotiate::session::Session;

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

    /// Streams may share one address. To be offered so they need a `mid` and, if they are of RTP,
    /// [`LocalMedia::rtcp_mux`]; others are offered beside the bundle. `[RFC 8843, Section 9.3]`
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
        let mut offer = self.unread(self.origin.clone())?;
        let mut bundle = Bundle::default();
        let mut tags: Vec<&str> = Vec::new();
        for (index, local) in self.media.iter().enumerate() {
            let is_bundled = self.bundles && local.is_bundled();
            let others = if is_bundled { &bundle } else { &Bundle::default() };
            let media = local.to_offer(others).map_err(|error| match error {
                BuildError::Malformed(error) if local.sound().is_ok() => below(&offer, error),
                error => error.in_media(Some(index)),
            })?;
            if is_bundled && bundle.admit(&media).is_ok() {
                tags.extend(local.mid());
            }
            offer.push_media(media);
        }
        if !tags.is_empty() {
            offer.section_mut().push(&Group { semantics: "BUNDLE", tags })?;
        }
        // What was put together is read back, so that a defect of it has the line and column of the text.
        let offer = SessionDescription::parse_strict(offer.to_bytes())?;
        offer.check()?;
        Ok(offer)
    }

    /// The answer to the first offer of a session, as it came in: what [`Session::receive`] and
    /// [`ReceivedOffer::answer`](crate::negotiate::ReceivedOffer::answer) do one by one.
    ///
    /// # Errors
    /// Where it can't be read, or nothing of it can be had, or what one has is not valid: the refusal says what to answer.
    pub fn answer(&self, offer: impl AsRef<[u8]>) -> Result<Answer, Box<Refused>> {
        match SessionDescription::parse(offer) {
            Ok(offer) => Session::new().receive(offer)?.answer(self),
            Err(error) => Err(Box::new(Refused::new(Session::new(), Refusal::from(error)))),
        }
    }

    /// The session level, without groups.
    pub(crate) fn empty(&self, origin: Origin) -> Result<SessionDescription, BuildError> {
        // What was put together is read back, so that no field of it holds what it can't.
        SessionDescription::parse_strict(self.unread(origin)?.to_bytes()).map_err(BuildError::from)
    }

    fn unread(&self, origin: Origin) -> Result<SessionDescription, BuildError> {
        if let Some(mistake) = &self.mistake {
            return Err(mistake.clone());
        }
        let mut description = SessionDescription::new(origin)?;
        let section = description.section_mut();
        section.remove_letter('s');
        section.put(Line::new('s', self.name.as_bytes())?);
        section.set_connection(&Connection::internet(&self.address))?;
        self.lines.iter().cloned().for_each(|line| section.put(line));
        Ok(description)
    }

    /// True where media can be sent to an address of this type.
    pub(crate) fn reaches(&self, address_type: &str) -> bool {
        self.both_families || Connection::internet(&self.address).address_type == address_type
    }
}

/// A defect of an `m=` line, where that would be the next of the text.
fn below(description: &SessionDescription, error: ParseError) -> BuildError {
    let line = description.to_string().lines().count().saturating_add(1);
    let column = error.column.saturating_add(2);
    BuildError::Malformed(ParseError { line: count(line), column, ..error })
}

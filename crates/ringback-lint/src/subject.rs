//! What is judged: a message, and for a response the request that it answers.

use ringback_message::header::{Decode, NameAddr};
use ringback_message::registry::OptionTag;
use ringback_message::{CSeq, Header, HeaderId, Message, Method, StatusCode};

/// A message to be judged.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    message: &'a Message,
    request: Option<&'a Message>,
    method: Option<Method>,
}

impl<'a> Subject<'a> {
    /// A request, or a response by itself.
    #[must_use]
    pub fn new(message: &'a Message) -> Subject<'a> {
        let method = message.method().or_else(|| {
            let header = message.first(HeaderId::CSeq)?;
            Method::from_token(CSeq::parse(header.value(), header.offset()).ok()?.method).ok()
        });
        Subject { message, request: None, method }
    }

    /// A response, and the request that it answers.
    #[must_use]
    pub fn answering(request: &'a Message, response: &'a Message) -> Subject<'a> {
        let method = request.method();
        Subject { request: Some(request), method, ..Subject::new(response) }
    }

    /// The message.
    #[must_use]
    pub fn message(&self) -> &'a Message {
        self.message
    }

    /// The request that it answers, if that is known.
    #[must_use]
    pub fn request(&self) -> Option<&'a Message> {
        self.request
    }

    /// The method of the request; for a response without its request, that of CSeq.
    #[must_use]
    pub fn method(&self) -> Option<&Method> {
        self.method.as_ref()
    }

    /// The code of a response.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.message.status()
    }

    /// A request and a response that answers it.
    pub(crate) fn pair(&self) -> Option<(&'a Message, &'a Message, StatusCode)> {
        Some((self.request?, self.message, self.message.status()?))
    }

    /// True for a request.
    pub(crate) fn is_request(&self) -> bool {
        self.message.status().is_none()
    }

    /// True for a request of this method.
    pub(crate) fn is_request_of(&self, method: &Method) -> bool {
        self.is_request() && self.is_of(method)
    }

    /// True for a request of this method, and for what answers one.
    pub(crate) fn is_of(&self, method: &Method) -> bool {
        self.method.as_ref() == Some(method)
    }

    /// The code as a number; 0 for a request.
    pub(crate) fn code(&self) -> u16 {
        self.status().map_or(0, StatusCode::as_u16)
    }

    pub(crate) fn has(&self, id: HeaderId) -> bool {
        self.message.first(id).is_some()
    }

    pub(crate) fn first(&self, id: HeaderId) -> Option<Header<'a>> {
        self.message.first(id)
    }

    /// The first value of a header field that can be read.
    pub(crate) fn get<H: Decode<'a> + 'a>(&self) -> Option<H> {
        self.message.get::<H>().ok().flatten()
    }
}

/// Whether a header field lists this option tag.
pub(crate) fn lists(message: &Message, id: HeaderId, tag: OptionTag<'_>) -> bool {
    tags(message, id).any(|(_, other)| other == tag)
}

/// The option tags of a header field, each with its text in the message.
pub(crate) fn tags(message: &Message, id: HeaderId) -> impl Iterator<Item = (&[u8], OptionTag<'_>)> {
    message.tokens(id).filter_map(|token| token.ok()).filter_map(|token| Some((token, OptionTag::from_token(token)?)))
}

/// From or To.
pub(crate) fn address(message: &Message, id: HeaderId) -> Option<NameAddr<&[u8]>> {
    let header = message.first(id)?;
    NameAddr::parse_only(id, header.value(), header.offset()).ok()
}

/// The tag of From or To. The outer `None` says that there is no address to look at.
pub(crate) fn tag(message: &Message, id: HeaderId) -> Option<Option<&[u8]>> {
    let header = message.first(id)?;
    let address = NameAddr::parse_only(id, header.value(), header.offset()).ok()?;
    let params = address.params.text();
    // The text of the message itself, which outlives the address that was read from it.
    let at = params.as_ptr().addr().checked_sub(header.value().as_ptr().addr())?;
    let text = header.value().get(at..at.checked_add(params.len())?)?;
    let tag = address.tag()?;
    let start = tag.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    Some(text.get(start..start.checked_add(tag.len())?))
}

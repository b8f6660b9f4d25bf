//! A 3xx response, and the request that goes where it points. `[RFC 3261, Section 8.1.3.4]`

use alloc::boxed::Box;
use alloc::string::String;

use ringback_message::{HeaderId, Response};

use super::Outbound;
use crate::refer::request_uri;

/// What an attempt leaves to the one after it. `[RFC 3261, Section 8.1.3.4]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    call_id: Box<[u8]>,
    from_tag: Box<[u8]>,
    cseq: u32,
}

impl Attempt {
    /// The tag in From, the Call-ID, and the CSeq of the next.
    pub(crate) fn next(&self) -> (String, String, u32) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&self.from_tag), text(&self.call_id), self.cseq.saturating_add(1))
    }
}

impl Outbound {
    /// The same to where a 3xx response to it points: the contact that it prefers, by the same routes. Call-ID, To and the tag in From
    /// stay, and the CSeq goes up. `None` where there is no SIP URI among the contacts.
    ///
    /// How often that is done, and whether the contact was tried before, is the caller's to know: two servers may point at one another.
    /// `[RFC 3261, Section 8.1.3.4]`
    #[must_use]
    pub fn redirected(&self, response: &Response) -> Option<Outbound> {
        let contacts = response.addresses(HeaderId::Contact).flatten();
        let preferences = contacts.filter_map(|contact| {
            let q = contact.q().map_or(1_000, |q| q.as_thousandths());
            Some((request_uri(contact.uri.as_sip()?), q))
        });
        // Of equals the first.
        let (uri, _) = preferences.reduce(|best, next| if next.1 > best.1 { next } else { best })?;
        let after = Attempt {
            call_id: response.call_id().into(),
            from_tag: response.from_tag()?.into(),
            cseq: response.cseq(),
        };
        Some(Outbound { request_uri: Some(uri.into()), after: Some(after), ..self.clone() })
    }
}

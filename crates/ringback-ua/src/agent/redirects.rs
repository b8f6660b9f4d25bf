//! A 3xx response, and the request that goes where it points. `[RFC 3261, Section 8.1.3.4]`

use alloc::boxed::Box;
use alloc::string::String;

use ringback_message::{HeaderId, Response, Uri};

use super::Outbound;
use crate::outcome::{Outcome, Redirect, Redirection, Target};

/// What an attempt leaves to the one after it. `[RFC 3261, Section 8.1.3.4]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    call_id: Box<[u8]>,
    from_tag: Box<[u8]>,
    cseq: u32,
    /// It goes to somebody else, who has not asked for our credentials.
    pub(crate) is_moved: bool,
}

impl Attempt {
    pub(crate) fn call_id(&self) -> &[u8] {
        &self.call_id
    }

    /// The tag in From, the Call-ID, and the CSeq of the next.
    pub(crate) fn next(&self) -> (String, String, u32) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&self.from_tag), text(&self.call_id), self.cseq.saturating_add(1))
    }
}

impl Outbound {
    /// The same to where a 3xx response to it points: the contact that it prefers, by the same routes; after a 305 through the proxy
    /// that it names. `None` where it names no SIP URI, or no SIPS URI for a request to one.
    ///
    /// How often that is done, and whether the contact was tried before, is the caller's to know: two servers may point at one
    /// another. [`Outbound::follow_redirects`] leaves it to the agent. `[RFC 3261, Section 8.1.3.4]`
    #[must_use]
    pub fn redirected(&self, response: &Response) -> Option<Outbound> {
        let outcome = Outcome::of_response(response);
        let is_secure = is_secure(self.request_uri.as_deref().unwrap_or(&self.to));
        let fits = |target: &&Target| target.request_uri().is_some() && (target.is_secure() || !is_secure);
        let target = outcome.targets().iter().find(fits)?;
        match &outcome {
            Outcome::Redirect(Redirect { redirection: Redirection::ThroughProxy, .. }) => {
                let proxy = target.request_uri()?;
                let route = if proxy.contains(";lr") { proxy.into() } else { alloc::format!("{proxy};lr") };
                Some(Outbound { routes: [route].into(), hop: None, after: attempt(response, true), ..self.clone() })
            }
            _ => self.redirected_to(target, response),
        }
    }

    /// The same to this contact of the response, which the user has chosen. Call-ID, To and the tag in From stay, and the CSeq goes up.
    /// `None` where no SIP request can go there. `[RFC 3261, Section 8.1.3.4]`
    #[must_use]
    pub fn redirected_to(&self, target: &Target, response: &Response) -> Option<Outbound> {
        let uri = target.request_uri()?;
        Some(Outbound { request_uri: Some(uri.into()), hop: None, after: attempt(response, true), ..self.clone() })
    }

    /// The same once more, after this response: Call-ID, To and the tag in From stay, and the CSeq goes up.
    /// `[RFC 3261, Section 8.1.3.5]`
    #[must_use]
    pub fn again(&self, response: &Response) -> Outbound {
        Outbound { after: attempt(response, false), ..self.clone() }
    }
}

fn attempt(response: &Response, is_moved: bool) -> Option<Attempt> {
    Some(Attempt {
        call_id: response.call_id().into(),
        from_tag: response.from_tag()?.into(),
        cseq: response.cseq(),
        is_moved,
    })
}

fn is_secure(uri: &str) -> bool {
    let uri = Uri::parse(uri.as_bytes(), HeaderId::Other, 0).ok();
    uri.is_some_and(|uri| uri.as_sip().is_some_and(|uri| uri.secure))
}

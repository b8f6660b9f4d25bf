//! Session descriptions in messages: what joins [`crate::message`] and [`crate::sdp`], which don't know each other.
//!
//! ```
//! use ringback::prelude::*;
//! use ringback::session;
//!
//! # let offer = "v=0\r\no=alice 1 1 IN IP4 192.0.2.101\r\ns=-\r\nc=IN IP4 192.0.2.101\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0\r\n";
//! # let invite = RequestBuilder::new(Method::Invite, "sip:bob@biloxi.example.com")
//! #     .via("client.atlanta.example.com", "TCP", Some("z9hG4bK74bf9")).from("", "sip:alice@atlanta.example.com", Some("9fxced76sl"))
//! #     .to("", "sip:bob@biloxi.example.com", None).call_id("3848276298220188511").cseq(1, Method::Invite)
//! #     .contact("sip:alice@client.atlanta.example.com", None).content_type("application/sdp").body(offer).build()?;
//! let bob = session::endpoint("192.0.2.201".parse()?).media(LocalMedia::audio(3456).codec(Codec::pcmu()));
//! let offer = invite.sdp()?.ok_or("no offer")?;
//! let response = match Session::new().receive(offer)?.answer(&bob) {
//!     Ok(answer) => Response::to(&invite, StatusCode::Ok)
//!         .contact("sip:bob@client.biloxi.example.com", None)
//!         .sdp(answer.description()),
//!     Err(refused) => session::refusing(&invite, &refused.refusal, "biloxi.example.com"),
//! };
//! assert_eq!(response.build()?.status(), StatusCode::Ok);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;
use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use ringback_message::{Message, RequestBuilder, Response, ResponseBuilder, StatusCode};
use ringback_sdp::negotiate::{Endpoint, Refusal};
use ringback_sdp::{Origin, SessionDescription};
use ringback_ua::{is_session_description, refusal_warning};

/// The session description in a message.
pub trait MessageSdp {
    /// The session description that is the body, or is one of its parts; `None` where there is none, as in an INVITE that asks for an
    /// offer. `[RFC 3261, Section 13.2.1]` `[RFC 5621, Section 5]`
    ///
    /// # Errors
    /// Where a multipart body can't be taken apart, or the description can't be read.
    fn sdp(&self) -> Result<Option<SessionDescription>, SdpError>;
}

impl MessageSdp for Message {
    fn sdp(&self) -> Result<Option<SessionDescription>, SdpError> {
        for part in self.parts().map_err(SdpError::Body)? {
            part.content_type().map_err(SdpError::Body)?;
            if is_session_description(&part) {
                return SessionDescription::try_from(part.bytes()).map(Some).map_err(SdpError::Description);
            }
        }
        Ok(None)
    }
}

/// A session description as the body of what is built.
pub trait SdpBody: Sized {
    /// This description as the body, with its Content-Type.
    #[must_use]
    fn sdp(self, description: &SessionDescription) -> Self;
}

impl SdpBody for RequestBuilder {
    fn sdp(self, description: &SessionDescription) -> RequestBuilder {
        self.content_type(APPLICATION_SDP).body(description.to_string())
    }
}

impl SdpBody for ResponseBuilder<'_> {
    fn sdp(self, description: &SessionDescription) -> Self {
        self.content_type(APPLICATION_SDP).body(description.to_string())
    }
}

const APPLICATION_SDP: &str = "application/sdp";

/// One side of a session to be, whose media are received at this address. Its `o=` line names no user, and takes the time as the
/// id of the session. `[RFC 8866, Section 5.2]`
pub fn endpoint(address: IpAddr) -> Endpoint {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let kind = if address.is_ipv4() { "IP4" } else { "IP6" };
    let origin = Origin {
        username: "-".into(),
        session_id: since_1970.as_micros().to_string().into(),
        session_version: "1".into(),
        network: "IN".into(),
        address_type: kind.into(),
        address: address.to_string().into(),
    };
    Endpoint::new(origin, &address.to_string())
}

/// The response that refuses an offer: its code, and a Warning that says why to people. `agent` is who says so, a host name or a
/// pseudonym. `[RFC 3261, Section 20.43]`
#[must_use]
pub fn refusing<'a>(request: &'a Message, refusal: &Refusal, agent: &str) -> ResponseBuilder<'a> {
    let status = StatusCode::new(refusal.status).unwrap_or(StatusCode::ServerInternalError);
    let response = Response::to(request, status);
    refusal_warning(refusal, agent).into_iter().fold(response, ResponseBuilder::header)
}

/// Why the session description of a message can't be had: the sender's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SdpError {
    /// Its type or its parts can't be read: answered with 400.
    Body(ringback_message::ParseError),
    /// The description itself can't: answered with 488, see [`Refusal`].
    Description(ringback_sdp::ParseError),
}

impl fmt::Display for SdpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SdpError::Body(error) => error.fmt(f),
            SdpError::Description(error) => write!(f, "session description: {error}"),
        }
    }
}

impl std::error::Error for SdpError {}

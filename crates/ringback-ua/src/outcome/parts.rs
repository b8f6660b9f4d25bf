//! What the outcomes hold.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use ringback_message::{HeaderId, StatusCode, Uri};
use ringback_sdp::SessionDescription;

use crate::refer::request_uri;

/// How many elements of a list in a response are looked at: contacts, challenges, option tags, types.
pub const OUTCOME_ITEMS_MAX: usize = 32;

/// How long the maker of the Call-ID waits after a 491, in steps of 10 ms. `[RFC 3261, Section 14.1]`
pub(crate) const GLARE_OWNER_MS: RangeInclusive<u64> = 2_100..=4_000;

/// The same for the other side. `[RFC 3261, Section 14.1]`
pub(crate) const GLARE_OTHER_MS: RangeInclusive<u64> = 0..=2_000;

/// How far a request has come. `[RFC 3261, Section 21.1]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// 100: the next hop has it.
    Trying,
    /// 180: it rings.
    Ringing,
    /// 181: the call goes elsewhere.
    Forwarded,
    /// 182: the call waits in a queue.
    Queued,
    /// 183, and every code of the class that is not registered.
    Advancing,
    /// 199: one early dialog is over, by this code; the request goes on. `[RFC 6228, Section 5]`
    DialogEnded(StatusCode),
}

/// What a 2xx to an INVITE says of media. `[RFC 3261, Section 13.2.1]`
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Described {
    /// Nothing; the answer may have come in a reliable provisional response.
    Nothing,
    /// The answer to the offer in the INVITE.
    Answer(Box<SessionDescription>),
    /// The INVITE had no offer: this is one, and the ACK answers it.
    Offer(Box<SessionDescription>),
    /// A body that can't be read: the session is acknowledged, and ended.
    Unreadable,
}

/// Where a 3xx points. `[RFC 3261, Section 21.3]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// For how long, and how.
    pub redirection: Redirection,
    /// Where to, by falling preference; of equals in their order. Never empty.
    pub targets: Vec<Target>,
}

/// The kinds of redirection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Redirection {
    /// 300, and every code of the class that is not registered: the user may choose, and whoever can't ask takes the preferred.
    Choice,
    /// 301: the new address takes the place of the old one.
    Permanent,
    /// 302: for this request, or as long as [`Target::expires_secs`] says.
    Temporary,
    /// 305: this one request, through the proxy that the target is. It chooses the path of our messages, so that it is followed only
    /// where whoever said so is trusted.
    ThroughProxy,
}

/// An address that a response names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The URI, of any scheme.
    pub uri: Uri<Box<[u8]>>,
    /// The name beside it, for people; empty for none.
    pub name: Box<str>,
    /// How much it is preferred, in thousandths: 1000 where it isn't said.
    pub q_thousandths: u16,
    /// For how long it holds, where that is said.
    pub expires_secs: Option<u32>,
}

impl Target {
    /// What a request to it has for its Request-URI; `None` where no SIP request can go there. Header fields and method in the URI
    /// are left out. `[RFC 3261, Section 19.1.5]`
    #[must_use]
    pub fn request_uri(&self) -> Option<Box<str>> {
        let mut text = Vec::new();
        self.uri.write(&mut text);
        Some(request_uri(Uri::parse(&text, HeaderId::Contact, 0).ok()?.as_sip()?))
    }

    /// Whether it is a SIPS URI.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.uri.as_sip().is_some_and(|uri| uri.secure)
    }
}

/// What Retry-After says. `[RFC 3261, Section 20.33]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wait {
    /// After how many seconds it is worth to try again; `None` where nothing is said.
    pub after_secs: Option<u32>,
    /// For how many seconds from then on.
    pub duration_secs: Option<u32>,
    /// What it says to people; empty for nothing.
    pub comment: Box<str>,
}

impl Wait {
    /// So many seconds.
    #[must_use]
    pub fn secs(seconds: u32) -> Wait {
        Wait { after_secs: Some(seconds), ..Wait::default() }
    }
}

/// What would be taken instead. `[RFC 3261, Section 21.4.13]` `[RFC 3261, Section 21.4.26]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acceptable {
    /// Media types, as Accept has them.
    pub types: Vec<Box<str>>,
    /// Encodings, as Accept-Encoding has them.
    pub encodings: Vec<Box<str>>,
    /// Languages, as Accept-Language has them.
    pub languages: Vec<Box<str>>,
    /// The codes of Warning: what of the offer doesn't suit. `[RFC 3261, Section 20.43]`
    pub warn_codes: Vec<u16>,
    /// A session that would suit.
    pub description: Option<Box<SessionDescription>>,
}

/// What only the user can decide.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Question {
    /// 484: what are the digits that are missing? `[RFC 3261, Section 21.4.22]`
    Digits,
    /// 485: which of these is meant? None where the server hides them. `[RFC 3261, Section 21.4.23]`
    Choose(Vec<Target>),
    /// 380: would another service do? `[RFC 3261, Section 21.3.5]`
    Alternative {
        /// The Content-Type of the body that describes it, if there is one.
        content_type: Option<Box<str>>,
        /// Where it is.
        targets: Vec<Target>,
    },
    /// 433: may the other side see who calls? `[RFC 5079, Section 5]`
    Reveal,
}

/// What is wrong with a request that could be put right.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Correction {
    /// 412: the entity tag is unknown; publish the whole state. `[RFC 3903, Section 4.1]`
    WholeState,
    /// 416: the Request-URI must be a SIP URI. `[RFC 3261, Section 21.4.14]`
    SipUri,
    /// 417: none of the values of Resource-Priority is known; these are. `[RFC 4412, Section 4.6.2]`
    ResourcePriority(Vec<Box<str>>),
    /// 424: the location. `[RFC 6442, Section 4.3]`
    Location,
    /// 425: the alert. `[RFC 8876, Section 5.1]`
    Alert,
    /// 428, 436, 437, 438: the signed identity is missing, can't be fetched, isn't trusted, or doesn't fit. `[RFC 8224, Section 6.2.2]`
    Identity,
    /// 429: the token of Referred-By. `[RFC 3892, Section 5]`
    ReferrerIdentity,
    /// 439: register without outbound, or by another way. `[RFC 5626, Section 11.6]`
    PlainRegistration,
    /// 469: an INFO package that the other side wants, of which these are. `[RFC 6086, Section 4.2.2]`
    InfoPackage(Vec<Box<str>>),
    /// 470: a recipient has to consent first. `[RFC 5360, Section 5.9.2]`
    Consent,
    /// 493: the encryption. `[RFC 3261, Section 21.4.28]`
    Encryption,
    /// 494: the security agreement. `[RFC 3329, Section 2.3.1]`
    SecurityAgreement,
    /// 555: the push service. `[RFC 8599, Section 8.1]`
    PushService,
    /// 580: the preconditions of the offer. `[RFC 3312, Section 8]`
    Preconditions,
}

/// Why there is nothing more to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// 400, and every 4xx that is not registered: our message is malformed.
    Malformed,
    /// 402.
    PaymentRequired,
    /// 403: it was understood and is refused.
    Forbidden,
    /// 404, 604: there is no such user.
    NotFound,
    /// 405: the method is not allowed there; these are.
    MethodNotAllowed(Vec<Box<str>>),
    /// 410: the address is gone for good.
    Gone,
    /// 414.
    UriTooLong,
    /// 481 outside of a dialog: what the request names isn't there.
    NoSuchDialog,
    /// 440, 482, 483: the request goes in circles, or too far.
    Routing,
    /// 487, or we gave it up before it was sent.
    Cancelled,
    /// 489: the event package; these are known.
    BadEvent(Vec<Box<str>>),
    /// 501: the server knows the method for nobody.
    NotImplemented,
    /// 505.
    Version,
    /// 600, and every 6xx that is not registered: busy on all devices.
    Busy,
    /// 603: the person doesn't want to.
    Declined,
    /// 607: the person doesn't want to, and no other time either. `[RFC 8197, Section 4]`
    Unwanted,
    /// 608: an element on the way has blocked it; where its contact card is, if that is said. `[RFC 8688, Section 3.1]`
    Blocked(Option<Box<str>>),
    /// A 3xx without an address.
    NowhereToGo,
    /// The response lacks this header field, or it says nothing that could be followed.
    Unusable(HeaderId),
    /// No address is found for the URI, or none by a transport that we have.
    NoRoute,
    /// The request can't be built.
    Unbuildable,
}

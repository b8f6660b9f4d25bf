//! What holds of each header field, one table: where it is defined, what its value looks like, how often it may stand.
//!
//! Names and compact forms are in [`HeaderId`]'s own table; this one has a row for each of its variants, and doesn't
//! compile without. Source: the header fields of the IANA "Session Initiation Protocol (SIP) Parameters", and the
//! documents that it names.
//!
//! A row reads: variant, source, the shape of a value, how often, where, for a few of which methods, and a standing other than
//! `Current`.
//! The grammars of RFC 3261 are in its section 25.1; its rows name the section that defines the field.
//! Of the fields of 3GPP TS 24.229, a document that is no RFC, only the names are known here.
//!
//! A field is bound to methods where its document defines it for them and no other that we know has a place for it. What a table of
//! an RFC merely marks as not applicable in one method or another, such as Contact in a BYE, is the matter of those who judge.
//!
//! ```
//! use ringback_message::{HeaderId, Method};
//! use ringback_message::header::facts::{Repeats, Where};
//!
//! let facts = HeaderId::Contact.facts().unwrap();
//! assert_eq!(facts.source.to_string(), "[RFC 3261, Section 20.10]");
//! assert_eq!((facts.repeats, facts.place), (Repeats::List, Where::Both));
//! assert!(HeaderId::Other.facts().is_none());
//!
//! let rack = HeaderId::RAck.facts().unwrap();
//! assert!(rack.may_stand(true, Some(&Method::Prack)) && !rack.may_stand(true, Some(&Method::Invite)));
//! ```

use super::HeaderId;
use crate::method::Method;
use crate::registry::Source;

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeaderFacts {
    /// The header field.
    pub id: HeaderId,
    /// The section that defines it.
    pub source: Source,
    /// What one value looks like.
    pub shape: Shape,
    /// How often it may stand in a message.
    pub repeats: Repeats,
    /// In which messages it may stand.
    pub place: Where,
    /// Of which methods those are.
    pub methods: Methods,
    /// Its standing in the registry.
    pub standing: Standing,
}

/// What one value of a header field looks like, by the production that it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Shape {
    /// A `name-addr` or `addr-spec`, with parameters.
    Address,
    /// A URI between `<` and `>`, with parameters.
    Uri,
    /// One token, such as a method or an option tag.
    Token,
    /// A token, `*` or quoted string, with parameters.
    TokenParams,
    /// A media type, range, encoding or language, with parameters.
    Media,
    /// A number and no more.
    Number,
    /// A number with parameters, or with a comment.
    NumberParams,
    /// Text for people, without structure. `[RFC 3261, Section 25.1]`
    Text,
    /// Products and comments that name software.
    Software,
    /// A scheme and its parameters: a challenge or credentials.
    Scheme,
    /// Parameters without anything before them.
    Params,
    /// A Call-ID, for all but Call-ID and In-Reply-To with parameters.
    CallId,
    /// A grammar that no other header field has.
    Own,
    /// Not known here.
    Unknown,
}

/// How often a header field may stand in one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Repeats {
    /// On one line, with one value.
    Once,
    /// Several values with commas between, on one line or on several. `[RFC 3261, Section 7.3.1]`
    List,
    /// On several lines, which must not be joined: a comma is part of the value. `[RFC 3261, Section 7.3.1]`
    Lines,
    /// Not known here.
    Unknown,
}

/// In which messages a header field may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Where {
    /// In requests only.
    Requests,
    /// In responses only.
    Responses,
    /// In both; also where it isn't known.
    Both,
}

/// Of which methods the messages are that a header field may stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Methods {
    /// Of any; also where it isn't known.
    Any,
    /// Requests of these and responses to them, as far as it is for requests and for responses.
    Only(&'static [Method]),
    /// Requests of these; responses to any, as far as it is for responses.
    Requests(&'static [Method]),
}

/// What the registry says of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Standing {
    /// In use.
    Current,
    /// Not to be sent any more.
    Deprecated,
    /// No header field of a message, but a name that none may take.
    Reserved,
}

impl HeaderFacts {
    /// The rows of the table.
    pub const REGISTERED: &'static [HeaderFacts] = ROWS;

    /// Whether it may stand in a request of this method, or in a response to one.
    ///
    /// What isn't known forbids nothing: a method that is `None` or that the registry lacks.
    #[must_use]
    pub fn may_stand(&self, in_request: bool, method: Option<&Method>) -> bool {
        self.misplaced(in_request, method).is_none()
    }

    /// What a reader expects instead, where it may not stand there.
    pub(crate) fn misplaced(&self, in_request: bool, method: Option<&Method>) -> Option<&'static str> {
        let is_among = |methods: &[Method]| method.is_some_and(|method| methods.contains(method));
        let is_foreign = |methods| method.is_some_and(|method| method.info().is_some()) && !is_among(methods);
        match (self.place, self.methods, in_request) {
            (Where::Responses, Methods::Requests(methods), true) if is_among(methods) => None,
            (Where::Responses, _, true) => Some("no such header field in a request"),
            (Where::Requests, _, false) => Some("no such header field in a response"),
            (_, Methods::Only(methods) | Methods::Requests(methods), true) if is_foreign(methods) => {
                Some("no such header field in a request of this method")
            }
            (_, Methods::Only(methods), false) if is_foreign(methods) => {
                Some("no such header field in a response to this method")
            }
            _ => None,
        }
    }
}

macro_rules! header_facts {
    ($($id:ident $source:literal $shape:ident $repeats:ident $place:ident $([$bound:ident $($method:ident)+])? $($standing:ident)?;)*) => {
        static ROWS: &[HeaderFacts] = &[$(ROW::$id),*];

        #[allow(non_upper_case_globals, non_snake_case, reason = "each is the row of the header field of its name")]
        mod ROW {
            use super::*;

            $(pub(super) const $id: HeaderFacts = HeaderFacts {
                id: HeaderId::$id,
                source: Source::new($source),
                shape: Shape::$shape,
                repeats: Repeats::$repeats,
                place: Where::$place,
                methods: header_facts!(@methods $($bound $($method)+)?),
                standing: header_facts!(@standing $($standing)?),
            };)*
        }

        impl HeaderId {
            /// What holds of the header field; `None` for [`HeaderId::Other`].
            #[must_use]
            pub fn facts(self) -> Option<&'static HeaderFacts> {
                match self {
                    $(HeaderId::$id => Some(&ROW::$id),)*
                    HeaderId::Other => None,
                }
            }
        }
    };
    (@methods) => { Methods::Any };
    (@methods $bound:ident $($method:ident)+) => { Methods::$bound(&[$(Method::$method),+]) };
    (@standing) => { Standing::Current };
    (@standing $standing:ident) => { Standing::$standing };
}

header_facts! {
    Accept "RFC 3261, Section 20.1" Media List Both;
    AcceptContact "RFC 3841, Section 9.2" TokenParams List Requests;
    AcceptEncoding "RFC 3261, Section 20.2" Media List Both;
    AcceptLanguage "RFC 3261, Section 20.3" Media List Both;
    AcceptResourcePriority "RFC 4412, Section 3.2" Token List Responses;
    AdditionalIdentity "3GPP TS 24.229" Unknown Unknown Both;
    AlertInfo "RFC 3261, Section 20.4" Uri List Both [Only Invite];
    AlertMsgError "RFC 8876, Section 5.2" NumberParams Once Responses;
    Allow "RFC 3261, Section 20.5" Token List Both;
    AllowEvents "RFC 6665, Section 8.2.2" Token List Both;
    AnswerMode "RFC 5373, Section 2" TokenParams Once Both;
    AttestationInfo "3GPP TS 24.229" Unknown Unknown Both;
    AuthenticationInfo "RFC 3261, Section 20.6" Params List Responses;
    Authorization "RFC 3261, Section 20.7" Scheme Lines Requests;
    CallId "RFC 3261, Section 20.8" CallId Once Both;
    CallInfo "RFC 3261, Section 20.9" Uri List Both;
    CellularNetworkInfo "3GPP TS 24.229" Unknown Unknown Both;
    Contact "RFC 3261, Section 20.10" Address List Both;
    ContentDisposition "RFC 3261, Section 20.11" TokenParams Once Both;
    ContentEncoding "RFC 3261, Section 20.12" Token List Both;
    ContentId "RFC 8262, Section 3.2" Own Once Both;
    ContentLanguage "RFC 3261, Section 20.13" Token List Both;
    ContentLength "RFC 3261, Section 20.14" Number Once Both;
    ContentType "RFC 3261, Section 20.15" Media Once Both;
    CSeq "RFC 3261, Section 20.16" Own Once Both;
    Date "RFC 3261, Section 20.17" Own Once Both;
    DcInfo "3GPP TS 24.229" Unknown Unknown Both;
    Encryption "RFC 2543, Section 6.19" Unknown Unknown Both Deprecated;
    ErrorInfo "RFC 3261, Section 20.18" Uri List Responses;
    Event "RFC 6665, Section 8.2.1" TokenParams Once Requests [Only Subscribe Notify Publish];
    Expires "RFC 3261, Section 20.19" Number Once Both;
    FeatureCaps "RFC 6809, Section 6.2" TokenParams List Both;
    FlowTimer "RFC 5626, Section 10" Number Once Responses;
    From "RFC 3261, Section 20.20" Address Once Both;
    Geolocation "RFC 6442, Section 4.1" Uri List Both;
    GeolocationError "RFC 6442, Section 4.4" NumberParams Once Responses;
    GeolocationRouting "RFC 6442, Section 4.2" TokenParams Once Both;
    Hide "RFC 2543, Section 6.22" Unknown Unknown Both Deprecated;
    HistoryInfo "RFC 7044, Section 5" Address List Both;
    Identity "RFC 8224, Section 4" Own Lines Requests;
    IdentityInfo "RFC 4474, Section 9" Uri Once Requests Deprecated;
    InfoPackage "RFC 6086, Section 7.2" TokenParams Once Requests [Only Info];
    InReplyTo "RFC 3261, Section 20.21" CallId List Requests [Only Invite Message];
    Join "RFC 3911, Section 7.1" CallId Once Requests [Only Invite];
    MaxBreadth "RFC 5393, Section 5.8" Number Once Requests;
    MaxForwards "RFC 3261, Section 20.22" Number Once Requests;
    MimeVersion "RFC 3261, Section 20.24" Own Once Both;
    MinExpires "RFC 3261, Section 20.23" Number Once Responses;
    // A 422 has it, and may answer any method as far as its row goes.
    MinSe "RFC 4028, Section 5" NumberParams Once Both [Requests Invite Update];
    Organization "RFC 3261, Section 20.25" Text Once Both;
    OriginationId "3GPP TS 24.229" Unknown Unknown Both;
    PAccessNetworkInfo "RFC 7315, Section 5.4" TokenParams List Both;
    PAnswerState "RFC 4964, Section 7.1" TokenParams Once Responses;
    PAssertedIdentity "RFC 3325, Section 9.1" Address List Both;
    PAssertedService "RFC 6050, Section 4.1" Own List Requests;
    PAssociatedUri "RFC 7315, Section 5.1" Address List Responses [Only Register];
    PCalledPartyId "RFC 7315, Section 5.2" Address Once Requests;
    PChargeInfo "RFC 8496, Section 6" Address Once Requests;
    PChargingFunctionAddresses "RFC 7315, Section 5.5" Params List Both;
    PChargingVector "RFC 7315, Section 5.6" Params Once Both;
    PDcsTracePartyId "RFC 5503, Section 5.1" Address Once Requests [Only Invite];
    PDcsOsps "RFC 5503, Section 6.1" Token Once Requests [Only Invite Update];
    PDcsBillingInfo "RFC 5503, Section 7.1" Own Once Both [Only Invite];
    PDcsLaes "RFC 5503, Section 8.1" Own Once Both [Only Invite];
    PDcsRedirect "RFC 5503, Section 8.1" Own Once Both [Only Invite];
    PEarlyMedia "RFC 5009, Section 9" Token List Both;
    PMediaAuthorization "RFC 3313, Section 5.1" Token List Both;
    PPreferredIdentity "RFC 3325, Section 9.2" Address List Both;
    PPreferredService "RFC 6050, Section 4.2" Own List Requests;
    PPrivateNetworkIndication "RFC 7316" Unknown Unknown Both;
    PProfileKey "RFC 5002, Section 5" Address Once Requests;
    PRefusedUriList "RFC 5318, Section 5" Address List Responses;
    PServedUser "RFC 5502, Section 6" Address Once Requests;
    PUserDatabase "RFC 4457" Unknown Unknown Both;
    PVisitedNetworkId "RFC 7315, Section 5.3" TokenParams List Requests;
    Path "RFC 3327, Section 4" Address List Both [Only Register];
    PermissionMissing "RFC 5360, Section 5.9.3" Address List Responses;
    PolicyContact "RFC 6794, Section 4.4.5.2" Uri List Both [Only Invite Prack Update];
    PolicyId "RFC 6794, Section 4.4.5.1" Own List Requests [Only Invite Prack Update];
    Priority "RFC 3261, Section 20.26" Token Once Requests;
    PriorityShare "3GPP TS 24.229" Unknown Unknown Both;
    PriorityVerstat "3GPP TS 24.229" Unknown Unknown Both;
    PrivAnswerMode "RFC 5373, Section 2" TokenParams Once Both;
    Privacy "RFC 3323, Section 4.2" Own Once Both;
    ProxyAuthenticate "RFC 3261, Section 20.27" Scheme Lines Responses;
    ProxyAuthorization "RFC 3261, Section 20.28" Scheme Lines Requests;
    ProxyRequire "RFC 3261, Section 20.29" Token List Requests;
    RAck "RFC 3262, Section 7.2" Own Once Requests [Only Prack];
    Reason "RFC 3326, Section 2" TokenParams List Both;
    ReasonPhrase "RFC 3261, Section 7.2" Unknown Unknown Both Reserved;
    RecordRoute "RFC 3261, Section 20.30" Address List Both;
    RecvInfo "RFC 6086, Section 7.3" TokenParams List Both;
    ReferEventsAt "RFC 7614, Section 4.8" Address Once Responses [Only Refer];
    ReferSub "RFC 4488, Section 4" TokenParams Once Both [Only Refer];
    ReferTo "RFC 3515, Section 2.1" Address Once Requests [Only Refer];
    ReferredBy "RFC 3892, Section 3" Address Once Requests;
    RejectContact "RFC 3841, Section 9.2" TokenParams List Requests;
    RelayedCharge "3GPP TS 24.229" Unknown Unknown Both;
    Replaces "RFC 3891, Section 6.1" CallId Once Requests [Only Invite];
    ReplyTo "RFC 3261, Section 20.31" Address Once Both [Only Invite Message];
    RequestDisposition "RFC 3841, Section 9.1" Token List Requests;
    Require "RFC 3261, Section 20.32" Token List Both;
    ResourcePriority "RFC 4412, Section 3.1" Token List Requests;
    ResourceShare "3GPP TS 24.229" Unknown Unknown Both;
    ResponseKey "RFC 2543, Section 6.31" Unknown Unknown Both Deprecated;
    ResponseSource "3GPP TS 24.229" Unknown Unknown Both;
    RestorationInfo "3GPP TS 24.229" Unknown Unknown Both;
    RetryAfter "RFC 3261, Section 20.33" NumberParams Once Responses;
    Route "RFC 3261, Section 20.34" Address List Requests;
    RSeq "RFC 3262, Section 7.1" Number Once Responses;
    SecurityClient "RFC 3329, Section 2.2" TokenParams List Requests;
    SecurityServer "RFC 3329, Section 2.2" TokenParams List Responses;
    SecurityVerify "RFC 3329, Section 2.2" TokenParams List Requests;
    Server "RFC 3261, Section 20.35" Software Once Responses;
    ServiceInteractInfo "3GPP TS 24.229" Unknown Unknown Both;
    ServiceRoute "RFC 3608, Section 5" Address List Responses [Only Register];
    SessionExpires "RFC 4028, Section 4" NumberParams Once Both [Only Invite Update];
    SessionId "RFC 7989, Section 5" TokenParams Once Both;
    SipEtag "RFC 3903, Section 11.3.1" Token Once Both;
    SipIfMatch "RFC 3903, Section 11.3.2" Token Once Requests [Only Publish];
    Subject "RFC 3261, Section 20.36" Text Once Requests;
    SubscriptionState "RFC 6665, Section 8.2.3" TokenParams Once Requests [Only Notify];
    Supported "RFC 3261, Section 20.37" Token List Both;
    SuppressIfMatch "RFC 5839, Section 7.3" Token Once Requests [Only Subscribe];
    TargetDialog "RFC 4538, Section 7" CallId Once Requests [Only Invite Refer Subscribe];
    Timestamp "RFC 3261, Section 20.38" Own Once Both;
    To "RFC 3261, Section 20.39" Address Once Both;
    TriggerConsent "RFC 5360, Section 5.11.2" Own List Requests;
    Unsupported "RFC 3261, Section 20.40" Token List Responses;
    UserAgent "RFC 3261, Section 20.41" Software Once Both;
    UserToUser "RFC 7433, Section 4.1" TokenParams List Both;
    Via "RFC 3261, Section 20.42" Own List Both;
    // A NOTIFY may have it as well. `[RFC 3265, Section 7.1]`
    Warning "RFC 3261, Section 20.43" Own List Responses [Requests Notify];
    WwwAuthenticate "RFC 3261, Section 20.44" Scheme Lines Responses;
}

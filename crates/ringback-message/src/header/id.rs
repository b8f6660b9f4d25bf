//! Header field names, one table. Source: the header fields of the IANA "Session Initiation Protocol (SIP) Parameters".

use core::fmt;

macro_rules! headers {
    ($($variant:ident = $name:literal $(| $compact:literal)? ;)*) => {
        /// A header field by name. Names compare without regard to case. `[RFC 3261, Section 7.3.1]`
        ///
        /// One byte, so that a message's line table stays small. A name that the table lacks is [`HeaderId::Other`]; its text stays in the message.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "each is the header field of its name")]
        pub enum HeaderId {
            $($variant,)*
            /// A name that the table lacks.
            Other,
        }

        static ROWS: &[Row] = &[$(Row { id: HeaderId::$variant, name: $name, compact: headers!(@compact $($compact)?) },)*];
    };
    (@compact) => { None };
    (@compact $c:literal) => { Some($c) };
}

headers! {
    Accept = "Accept";
    AcceptContact = "Accept-Contact" | b'a';
    AcceptEncoding = "Accept-Encoding";
    AcceptLanguage = "Accept-Language";
    AcceptResourcePriority = "Accept-Resource-Priority";
    AdditionalIdentity = "Additional-Identity";
    AlertInfo = "Alert-Info";
    AlertMsgError = "AlertMsg-Error";
    Allow = "Allow";
    AllowEvents = "Allow-Events" | b'u';
    AnswerMode = "Answer-Mode";
    AuthenticationInfo = "Authentication-Info";
    Authorization = "Authorization";
    CallId = "Call-ID" | b'i';
    CallInfo = "Call-Info";
    CellularNetworkInfo = "Cellular-Network-Info";
    Contact = "Contact" | b'm';
    ContentDisposition = "Content-Disposition";
    ContentEncoding = "Content-Encoding" | b'e';
    ContentId = "Content-ID";
    ContentLanguage = "Content-Language";
    ContentLength = "Content-Length" | b'l';
    ContentType = "Content-Type" | b'c';
    CSeq = "CSeq";
    Date = "Date";

    ErrorInfo = "Error-Info";
    Event = "Event" | b'o';
    Expires = "Expires";
    FeatureCaps = "Feature-Caps";
    FlowTimer = "Flow-Timer";
    From = "From" | b'f';
    Geolocation = "Geolocation";
    GeolocationError = "Geolocation-Error";
    GeolocationRouting = "Geolocation-Routing";
    HistoryInfo = "History-Info";
    Identity = "Identity" | b'y';
    IdentityInfo = "Identity-Info" | b'n';
    InfoPackage = "Info-Package";
    InReplyTo = "In-Reply-To";
    Join = "Join";
    MaxBreadth = "Max-Breadth";
    MaxForwards = "Max-Forwards";
    MimeVersion = "MIME-Version";
    MinExpires = "Min-Expires";
    MinSe = "Min-SE";
    Organization = "Organization";
    OriginationId = "Origination-Id";
    PAccessNetworkInfo = "P-Access-Network-Info";
    PAnswerState = "P-Answer-State";
    PAssertedIdentity = "P-Asserted-Identity";
    PAssertedService = "P-Asserted-Service";
    PAssociatedUri = "P-Associated-URI";
    PCalledPartyId = "P-Called-Party-ID";
    PChargeInfo = "P-Charge-Info";
    PChargingFunctionAddresses = "P-Charging-Function-Addresses";
    PChargingVector = "P-Charging-Vector";
    PDcsTracePartyId = "P-DCS-Trace-Party-ID";
    PDcsOsps = "P-DCS-OSPS";
    PDcsBillingInfo = "P-DCS-Billing-Info";
    PDcsLaes = "P-DCS-LAES";
    PDcsRedirect = "P-DCS-Redirect";
    PEarlyMedia = "P-Early-Media";
    PMediaAuthorization = "P-Media-Authorization";
    PPreferredIdentity = "P-Preferred-Identity";
    PPreferredService = "P-Preferred-Service";
    PPrivateNetworkIndication = "P-Private-Network-Indication";
    PProfileKey = "P-Profile-Key";
    PRefusedUriList = "P-Refused-URI-List";
    PServedUser = "P-Served-User";
    PUserDatabase = "P-User-Database";
    PVisitedNetworkId = "P-Visited-Network-ID";
    Path = "Path";
    PermissionMissing = "Permission-Missing";
    PolicyContact = "Policy-Contact";
    PolicyId = "Policy-ID";
    Priority = "Priority";
    PriorityShare = "Priority-Share";
    PriorityVerstat = "Priority-Verstat";
    PrivAnswerMode = "Priv-Answer-Mode";
    Privacy = "Privacy";
    ProxyAuthenticate = "Proxy-Authenticate";
    ProxyAuthorization = "Proxy-Authorization";
    ProxyRequire = "Proxy-Require";
    RAck = "RAck";
    Reason = "Reason";
    ReasonPhrase = "Reason-Phrase";
    RecordRoute = "Record-Route";
    RecvInfo = "Recv-Info";
    ReferEventsAt = "Refer-Events-At";
    ReferSub = "Refer-Sub";
    ReferTo = "Refer-To" | b'r';
    ReferredBy = "Referred-By" | b'b';
    RejectContact = "Reject-Contact" | b'j';
    RelayedCharge = "Relayed-Charge";
    Replaces = "Replaces";
    ReplyTo = "Reply-To";
    RequestDisposition = "Request-Disposition" | b'd';
    Require = "Require";
    ResourcePriority = "Resource-Priority";
    ResourceShare = "Resource-Share";
    ResponseSource = "Response-Source";
    RetryAfter = "Retry-After";
    Route = "Route";
    RSeq = "RSeq";
    SecurityClient = "Security-Client";
    SecurityServer = "Security-Server";
    SecurityVerify = "Security-Verify";
    Server = "Server";
    ServiceInteractInfo = "Service-Interact-Info";
    ServiceRoute = "Service-Route";
    SessionExpires = "Session-Expires" | b'x';
    SessionId = "Session-ID";
    SipEtag = "SIP-ETag";
    SipIfMatch = "SIP-If-Match";
    Subject = "Subject" | b's';
    SubscriptionState = "Subscription-State";
    Supported = "Supported" | b'k';
    SuppressIfMatch = "Suppress-If-Match";
    TargetDialog = "Target-Dialog";
    Timestamp = "Timestamp";
    To = "To" | b't';
    TriggerConsent = "Trigger-Consent";
    Unsupported = "Unsupported";
    UserAgent = "User-Agent";
    UserToUser = "User-to-User";
    Via = "Via" | b'v';
    Warning = "Warning";
    WwwAuthenticate = "WWW-Authenticate";
}

struct Row {
    id: HeaderId,
    name: &'static str,
    compact: Option<u8>,
}

impl HeaderId {
    /// The header field of that name, long or compact, in any case. `[RFC 3261, Section 7.3.3]`
    #[must_use]
    pub fn from_name(name: &[u8]) -> HeaderId {
        if let [letter] = name {
            return COMPACT.get(usize::from(letter.to_ascii_lowercase())).copied().unwrap_or(HeaderId::Other);
        }
        let mut at = bucket(name).and_then(|b| BUCKETS.get(b)).copied().unwrap_or(END);
        while let Some(row) = ROWS.get(usize::from(at)) {
            if row.name.as_bytes().eq_ignore_ascii_case(name) {
                return row.id;
            }
            at = NEXT.get(usize::from(at)).copied().unwrap_or(END);
        }
        HeaderId::Other
    }

    /// The name as the registry writes it; empty for [`HeaderId::Other`].
    #[must_use]
    pub fn as_str(self) -> &'static str {
        ROWS.get(self as usize).map_or("", |row| row.name)
    }

    /// The one-letter name, where there is one. `[RFC 3261, Section 7.3.3]`
    #[must_use]
    pub fn compact(self) -> Option<char> {
        ROWS.get(self as usize).and_then(|row| row.compact).map(char::from)
    }

    /// All known header fields, in the order of the registry.
    pub fn all() -> impl Iterator<Item = HeaderId> {
        ROWS.iter().map(|row| row.id)
    }
}

impl fmt::Display for HeaderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == HeaderId::Other { "header" } else { self.as_str() })
    }
}

const BUCKET_COUNT: usize = 256;
const END: u8 = u8::MAX;

/// A name's bucket, from its length and three of its letters; `None` for an empty one.
fn bucket(name: &[u8]) -> Option<usize> {
    let (first, last) = (name.first()?, name.last()?);
    let middle = name.get(name.len() / 2)?;
    Some(mix(name.len(), *first, *middle, *last))
}

const fn mix(len: usize, first: u8, middle: u8, last: u8) -> usize {
    let first = (first | 0x20) as usize;
    let middle = (middle | 0x20) as usize;
    let last = (last | 0x20) as usize;
    (len.wrapping_mul(37) ^ first.wrapping_mul(5) ^ middle.wrapping_mul(59) ^ last.wrapping_mul(11)) % BUCKET_COUNT
}

static COMPACT: [HeaderId; 256] = compact_names();
static BUCKETS: [u8; BUCKET_COUNT] = chains().0;
static NEXT: [u8; ROWS.len()] = chains().1;

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, where a bad index is a build error")]
const fn compact_names() -> [HeaderId; 256] {
    let mut table = [HeaderId::Other; 256];
    let mut i = 0;
    while i < ROWS.len() {
        if let Some(letter) = ROWS[i].compact {
            table[letter as usize] = ROWS[i].id;
        }
        i += 1;
    }
    table
}

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, where a bad index is a build error")]
const fn chains() -> ([u8; BUCKET_COUNT], [u8; ROWS.len()]) {
    assert!(ROWS.len() < END as usize, "ids no longer fit in a byte");
    let mut heads = [END; BUCKET_COUNT];
    let mut next = [END; ROWS.len()];
    let mut i = 0;
    while i < ROWS.len() {
        let name = ROWS[i].name.as_bytes();
        let b = mix(name.len(), name[0], name[name.len() / 2], name[name.len() - 1]);
        next[i] = heads[b];
        heads[b] = i as u8;
        i += 1;
    }
    (heads, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case() {
        for row in ROWS {
            assert_eq!(HeaderId::from_name(row.name.as_bytes()), row.id);
            assert_eq!(HeaderId::from_name(row.name.to_ascii_uppercase().as_bytes()), row.id);
            assert_eq!(HeaderId::from_name(row.name.to_ascii_lowercase().as_bytes()), row.id);
            assert_eq!(row.id.as_str(), row.name);
        }
    }

    #[test]
    fn compact_forms_are_those_of_the_registry() {
        for (letter, id) in [
            (b'v', HeaderId::Via),
            (b'I', HeaderId::CallId),
            (b'x', HeaderId::SessionExpires),
            (b'y', HeaderId::Identity),
        ] {
            assert_eq!(HeaderId::from_name(&[letter]), id);
        }
        assert_eq!(HeaderId::from_name(b"z"), HeaderId::Other);
        assert_eq!(ROWS.iter().filter(|row| row.compact.is_some()).count(), 20);
    }

    #[test]
    fn unknown_names_are_other() {
        for name in [&b""[..], b"Vi", b"Viaa", b"X-Via", b"Call_ID", b"C%6Fntact"] {
            assert_eq!(HeaderId::from_name(name), HeaderId::Other);
        }
    }
}

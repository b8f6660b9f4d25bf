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
    AttestationInfo = "Attestation-Info";
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
    DcInfo = "DC-Info";
    Encryption = "Encryption";
    ErrorInfo = "Error-Info";
    Event = "Event" | b'o';
    Expires = "Expires";
    FeatureCaps = "Feature-Caps";
    FlowTimer = "Flow-Timer";
    From = "From" | b'f';
    Geolocation = "Geolocation";
    GeolocationError = "Geolocation-Error";
    GeolocationRouting = "Geolocation-Routing";
    Hide = "Hide";
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
    ResponseKey = "Response-Key";
    ResponseSource = "Response-Source";
    RestorationInfo = "Restoration-Info";
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
    /// So many bytes are looked at for a known name and the colon behind it.
    pub(crate) const NAME_WINDOW: usize = 32;

    /// The header field of that name, long or compact, in any case. `[RFC 3261, Section 7.3.3]`
    #[must_use]
    pub fn from_name(name: &[u8]) -> HeaderId {
        let mut window = [b':'; HeaderId::NAME_WINDOW];
        let Some(room) = window.get_mut(..name.len()) else { return HeaderId::Other };
        room.copy_from_slice(name);
        match HeaderId::before_colon(&window) {
            Some((id, len)) if len == name.len() => id,
            _ => HeaderId::Other,
        }
    }

    /// The header field whose name runs from the start of these bytes to a colon, and the length of the name.
    ///
    /// Eight bytes at a time are searched for the colon and compared, since every line of every message comes by here.
    /// `None` for a name that is unknown, or has white space behind it.
    #[inline]
    pub(crate) fn before_colon(line: &[u8; HeaderId::NAME_WINDOW]) -> Option<(HeaderId, usize)> {
        let [a, b, c, d] = words(line);
        // Written out, so that the words stay in registers: a table in memory, written by words and read as a whole, costs more.
        let (key, len) = if let Some((part, len)) = before_colon_in(a) {
            ([part, 0, 0, 0], len)
        } else if let Some((part, len)) = before_colon_in(b) {
            ([a, part, 0, 0], 8 + len)
        } else if let Some((part, len)) = before_colon_in(c) {
            ([a, b, part, 0], 16 + len)
        } else {
            let (part, len) = before_colon_in(d)?;
            ([a, b, c, part], 24 + len)
        };
        // What a word doesn't fill is 0, so that a name with NULs behind it would look like the name.
        let last = line.get(len.checked_sub(1)?).copied().filter(|last| *last != 0)?;
        let id = if len == 1 { compact(last) } else { find(&key) };
        id.map(|id| (id, len))
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

/// A name in words that compare at once; what it doesn't fill is 0.
type Key = [u64; HeaderId::NAME_WINDOW / 8];

/// The same byte in each place of a word.
const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The bytes in words whose lowest byte is the first.
fn words(bytes: &[u8; HeaderId::NAME_WINDOW]) -> Key {
    let mut key = Key::default();
    for (word, bytes) in key.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    key
}

/// What of a word stands before its first colon, and how many bytes that are; `None` where it has none.
#[inline]
fn before_colon_in(word: u64) -> Option<(u64, usize)> {
    // A byte is a colon where this one is 0, and only a 0 borrows into its top bit without having had it set.
    let others = word ^ each(b':');
    let colons = others.wrapping_sub(each(1)) & !others & each(0x80);
    // The colon's top bit alone, then all bits below the colon's byte.
    let first = colons & colons.wrapping_neg();
    (colons != 0).then(|| (word & ((first >> 7) - 1), (colons.trailing_zeros() / 8) as usize))
}

/// The letters of ASCII in lower case, all other bytes as they are.
const fn lower_case(word: u64) -> u64 {
    let low_bits = word & each(0x7f);
    // The top bit of a byte tells whether its low bits reach the letter: no sum carries into the next byte.
    let from_a = low_bits + each(0x80 - b'A');
    let beyond_z = low_bits + each(0x80 - b'Z' - 1);
    let upper = from_a & !beyond_z & !word & each(0x80);
    word | (upper >> 2)
}

const BUCKET_COUNT: usize = 512;
const END: u8 = u8::MAX;

/// The bucket of a name; of those known, no more than four have to share one. It is the same in upper and lower case: words are turned by whole bytes, so that the bit of the case stays in its place.
const fn bucket(key: &Key) -> usize {
    let [a, b, c, d] = *key;
    let mixed = (a ^ b.rotate_left(24) ^ c.rotate_left(48) ^ d.rotate_left(8)) | each(0x20);
    (mixed.wrapping_mul(0x72ef_2cc9_68b9_1429) >> (u64::BITS - BUCKET_COUNT.ilog2())) as usize
}

fn compact(letter: u8) -> Option<HeaderId> {
    COMPACT.get(usize::from(letter.to_ascii_lowercase())).copied().filter(|id| *id != HeaderId::Other)
}

#[inline]
fn find(key: &Key) -> Option<HeaderId> {
    let first = BUCKETS.get(bucket(key)).copied().unwrap_or(END);
    let known = KEYS.get(usize::from(first))?;
    // Most senders write a name as the registry does, and most buckets hold one.
    let differences = known.iter().zip(key).fold(0, |all, (known, word)| all | (known ^ word));
    if differences == 0 { ROWS.get(usize::from(first)).map(|row| row.id) } else { search(key, first) }
}

/// Looks for the name in any case, from this row of its bucket on.
#[inline(never)]
fn search(key: &Key, first: u8) -> Option<HeaderId> {
    let key = key.map(lower_case);
    let mut at = first;
    while let Some(known) = KEYS.get(usize::from(at)) {
        if known.map(lower_case) == key {
            return ROWS.get(usize::from(at)).map(|row| row.id);
        }
        at = NEXT.get(usize::from(at)).copied().unwrap_or(END);
    }
    None
}

static COMPACT: [HeaderId; 256] = compact_names();
static KEYS: [Key; ROWS.len()] = keys();
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
const fn keys() -> [Key; ROWS.len()] {
    let mut keys = [[0; HeaderId::NAME_WINDOW / 8]; ROWS.len()];
    let mut i = 0;
    while i < ROWS.len() {
        let name = ROWS[i].name.as_bytes();
        assert!(name.len() < HeaderId::NAME_WINDOW, "a name and its colon no longer fit in the window");
        let mut at = 0;
        while at < name.len() {
            keys[i][at / 8] |= (name[at] as u64) << (8 * (at % 8));
            at += 1;
        }
        i += 1;
    }
    keys
}

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, where a bad index is a build error")]
const fn chains() -> ([u8; BUCKET_COUNT], [u8; ROWS.len()]) {
    assert!(ROWS.len() < END as usize, "ids no longer fit in a byte");
    let keys = keys();
    let mut heads = [END; BUCKET_COUNT];
    let mut next = [END; ROWS.len()];
    let mut i = 0;
    while i < ROWS.len() {
        let b = bucket(&keys[i]);
        next[i] = heads[b];
        heads[b] = i as u8;
        i += 1;
    }
    (heads, next)
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
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

    /// What a word of the comparison doesn't fill is 0: bytes that are 0 are still none of a name.
    #[test]
    fn no_name_has_a_nul_behind_it() {
        for row in ROWS {
            for count in 1..=8 {
                let mut longer = row.name.as_bytes().to_vec();
                longer.extend(core::iter::repeat_n(0, count));
                assert_eq!(HeaderId::from_name(&longer), HeaderId::Other, "{} and {count}", row.name);
            }
        }
        assert_eq!(HeaderId::from_name(b"l\0"), HeaderId::Other);
    }

    /// The comparison of whole words must not take one byte for another.
    #[test]
    fn no_other_byte_stands_for_one_of_a_name() {
        for row in ROWS {
            let name = row.name.as_bytes();
            for (place, other) in (0..name.len()).flat_map(|place| (0..=255_u8).map(move |other| (place, other))) {
                let mut changed = name.to_vec();
                changed[place] = other;
                if !changed.eq_ignore_ascii_case(name) {
                    assert_ne!(HeaderId::from_name(&changed), row.id, "{}", changed.escape_ascii());
                }
            }
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
        for name in
            [&b""[..], b"Vi", b"Viaa", b"X-Via", b"Call_ID", b"Call\rID", b"C%6Fntact", b"To:", b"Via ", &[b'a'; 40]]
        {
            assert_eq!(HeaderId::from_name(name), HeaderId::Other);
        }
    }
}

//! Parameters of header fields. Source: the "Header Field Parameters and Parameter Values" of the IANA "Session
//! Initiation Protocol (SIP) Parameters".
//!
//! A row reads: header field, `free` or `fixed` values, the RFCs, and the names that share all of that.

use crate::header::HeaderId;

/// One registered parameter of a header field. `[RFC 3968, Section 4]`
///
/// A name belongs to a header field: the `reason` of Subscription-State has nothing to do with any other `reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeaderParameter {
    /// The header field.
    pub header: HeaderId,
    /// The name; names compare without regard to case. `[RFC 3261, Section 7.3.1]`
    pub name: &'static str,
    /// Whether its values are predefined, so that another value is unknown or wrong.
    pub predefined: bool,
    /// The numbers of the RFCs that define it or its values.
    pub rfcs: &'static [u16],
}

impl HeaderParameter {
    /// The rows of the table, by header field.
    pub const REGISTERED: &'static [HeaderParameter] = ROWS;

    /// That parameter of that header field; `None` for one that the registry lacks.
    ///
    /// A feature-capability indicator of Feature-Caps, which begins with a plus, has the registry's row `fcap-name`. `[RFC 6809, Section 6.3]`
    #[must_use]
    pub fn find(header: HeaderId, name: &[u8]) -> Option<&'static HeaderParameter> {
        let name = if header == HeaderId::FeatureCaps && name.starts_with(b"+") { b"fcap-name" } else { name };
        Self::of(header).find(|row| row.name.as_bytes().eq_ignore_ascii_case(name))
    }

    /// The parameters of a header field.
    pub fn of(header: HeaderId) -> impl Iterator<Item = &'static HeaderParameter> {
        ROWS.iter().filter(move |row| row.header == header)
    }
}

macro_rules! predefined {
    (fixed) => {
        true
    };
    (free) => {
        false
    };
}

macro_rules! header_parameters {
    ($($header:ident $predefined:ident $rfcs:tt $($name:literal)+;)*) => {
        static ROWS: &[HeaderParameter] = &[$($(
            HeaderParameter {
                header: HeaderId::$header,
                name: $name,
                predefined: predefined!($predefined),
                rfcs: &$rfcs,
            },
        )+)*];
    };
}

header_parameters! {
    Accept free [3261] "q";
    AcceptEncoding free [3261] "q";
    AcceptLanguage free [3261] "q";
    AlertInfo free [7463] "appearance";
    AlertMsgError free [8876] "code";
    AnswerMode free [5373] "require";
    AuthenticationInfo free [3261] "cnonce" "nc" "nextnonce" "rspauth";
    AuthenticationInfo fixed [3261] "qop";
    Authorization fixed [3261, 3310] "algorithm";
    Authorization free [3310] "auts";
    Authorization free [3261] "cnonce" "nc" "nonce" "opaque" "realm" "response" "uri" "username";
    Authorization fixed [3261] "qop";
    CallInfo free [9796] "call-reason" "integrity";
    CallInfo fixed [6910] "m";
    CallInfo fixed [3261, 5367, 6910, 6993, 7082, 7852, 8688, 9248, 9796] "purpose";
    CallInfo fixed [9796] "verified";
    Contact free [3261] "expires" "q";
    Contact free [7044] "mp" "np" "rc";
    Contact free [5627] "pub-gruu" "temp-gruu";
    Contact free [5626] "reg-id";
    Contact free [6140] "temp-gruu-cookie";
    ContentDisposition fixed [3204, 3261, 3459, 5621] "handling";
    Event free [6446] "adaptive-min-rate" "max-rate" "min-rate";
    Event fixed [5989] "body";
    Event free [4235] "call-id" "from-tag" "include-session-description" "to-tag";
    Event free [6080] "effective-by" "model" "vendor" "version";
    Event free [6665] "id";
    Event fixed [6080] "profile-type";
    Event free [7463] "shared";
    FeatureCaps free [6809] "fcap-name";
    From free [3261] "tag";
    Geolocation free [8787] "loc-src";
    GeolocationError fixed [6442] "code";
    HistoryInfo free [7044] "mp" "np" "rc";
    PAccessNetworkInfo free [7315] "cgi-3gpp" "ci-3gpp2" "ci-3gpp2-femto" "dsl-location" "dvb-rcs2-node-id"
        "eth-location" "fiber-location" "gstn-location" "i-wlan-node-id" "local-time-zone" "operator-specific-GI"
        "utran-cell-id-3gpp" "utran-sai-3gpp";
    PChargingFunctionAddresses free [7315] "ccf" "ccf-2" "ecf" "ecf-2";
    PChargingVector free [7315] "icid-generated-at" "icid-value" "orig-ioi" "related-icid" "related-icid-generated-at"
        "term-ioi" "transit-ioi";
    PDcsBillingInfo free [5503] "called" "calling" "charge" "jip" "locroute" "rksgroup" "routing";
    PDcsLaes free [5503] "bcid" "cccid" "content";
    // Obsoleted; the registry keeps it.
    PDcsLaes free [3603, 5503] "key";
    PDcsRedirect free [5503] "count" "redirector-uri";
    PDcsTracePartyId free [5503] "timestamp";
    PRefusedUriList free [5318] "members";
    PServedUser free [8498] "orig-cdiv";
    PServedUser fixed [5502] "regstate" "sescase";
    PolicyContact fixed [6794] "non-cacheable";
    PrivAnswerMode free [5373] "require";
    ProxyAuthenticate fixed [3261, 3310] "algorithm";
    ProxyAuthenticate free [8898] "authz_server" "error" "scope";
    ProxyAuthenticate free [3261] "domain" "nonce" "opaque" "realm";
    ProxyAuthenticate fixed [3261] "qop" "stale";
    ProxyAuthorization fixed [3261, 3310] "algorithm";
    ProxyAuthorization free [3310] "auts";
    ProxyAuthorization free [3261] "cnonce" "nc" "nonce" "opaque" "realm" "response" "uri" "username";
    ProxyAuthorization fixed [3261] "qop";
    Reason fixed [3326] "cause";
    Reason fixed [8606] "location";
    Reason free [9410] "ppi";
    Reason free [3326] "text";
    RetryAfter free [3261] "duration";
    SecurityClient fixed [3329] "alg" "d-alg" "d-qop" "ealg" "mod" "prot";
    SecurityClient free [3329] "d-ver" "port1" "port2" "q" "spi";
    SecurityServer fixed [3329] "alg" "d-alg" "d-qop" "ealg" "mod" "prot";
    SecurityServer free [3329] "d-ver" "port1" "port2" "q" "spi";
    SecurityVerify fixed [3329] "alg" "d-alg" "d-qop" "ealg" "mod" "prot";
    SecurityVerify free [3329] "d-ver" "port1" "port2" "q" "spi";
    SessionId free [8497] "logme";
    SessionId free [7989] "remote";
    SubscriptionState free [6446] "adaptive-min-rate" "max-rate" "min-rate";
    SubscriptionState free [6665] "expires" "retry-after";
    SubscriptionState fixed [6665] "reason";
    TargetDialog free [4538] "local-tag" "remote-tag";
    To free [3261] "tag";
    TriggerConsent free [5360] "target-uri";
    UserToUser free [7433] "content" "purpose";
    UserToUser fixed [7433] "encoding";
    Via free [5923] "alias";
    Via free [3261] "branch" "maddr" "ttl";
    Via fixed [3486] "comp";
    Via free [6223] "keep";
    Via fixed [7339] "oc" "oc-seq" "oc-validity";
    Via fixed [7339, 7415] "oc-algo";
    Via free [3261, 7118] "received";
    Via free [8055] "received-realm";
    Via free [3581] "rport";
    Via free [5049] "sigcomp-id";
    WwwAuthenticate fixed [3261, 3310] "algorithm";
    WwwAuthenticate free [8898] "authz_server" "error" "scope";
    WwwAuthenticate fixed [3261] "domain" "qop" "stale";
    WwwAuthenticate free [3261] "nonce" "opaque" "realm";
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn each_is_there_once() {
        // As many as the registry had in July 2026.
        assert_eq!(ROWS.len(), 201);
        for (i, row) in ROWS.iter().enumerate() {
            assert_eq!(HeaderParameter::find(row.header, row.name.to_ascii_uppercase().as_bytes()), Some(row));
            assert!(!ROWS[..i].iter().any(|other| (other.header, other.name) == (row.header, row.name)), "{row:?}");
            assert!(row.rfcs.is_sorted());
        }
    }

    #[test]
    fn a_name_belongs_to_its_header_field() {
        assert!(HeaderParameter::find(HeaderId::Via, b"branch").is_some());
        assert_eq!(HeaderParameter::find(HeaderId::To, b"branch"), None);
        assert_eq!(HeaderParameter::find(HeaderId::FeatureCaps, b"+sip.pns").unwrap().rfcs, [6809]);
        assert!(HeaderParameter::of(HeaderId::CSeq).next().is_none());
    }
}

//! Option tags. Source: the "Option Tags" of the IANA "Session Initiation Protocol (SIP) Parameters".
//!
//! A row reads: constant, name, source, where the tag may stand (`S`upported, `R`equire, `P`roxy-Require), after `not`
//! where it may stand but is better left out, and the meaning. Of early-session, sdp-anat and trickle-ice only what the
//! registry itself says of the places is known here.

use core::fmt;
use core::ops::BitOr;

use super::{Source, name_type};
use crate::header::HeaderId;

name_type! {
    /// The name of an extension, as Supported, Require, Proxy-Require and Unsupported list them. Names compare without regard to case. `[RFC 3261, Section 7.3.1]` `[RFC 3261, Section 19.2]`
    ///
    /// Any token is one; the registered ones are constants and have an [`info`](OptionTag::info).
    OptionTag, OptionTagInfo, ROWS, |a, b| a.eq_ignore_ascii_case(b)
}

impl OptionTag<'_> {
    /// What the registry says of it; `None` for a tag that it lacks.
    #[must_use]
    pub fn info(self) -> Option<&'static OptionTagInfo> {
        self.row()
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OptionTagInfo {
    /// The tag.
    pub name: OptionTag<'static>,
    /// The section that registers or defines it.
    pub source: Source,
    /// Where it may stand.
    pub places: Places,
    /// Those among [`places`](OptionTagInfo::places) that the RFC recommends against.
    pub not_recommended: Places,
    /// What it stands for, in one sentence.
    pub meaning: &'static str,
}

/// A set of the header fields that list extensions of their sender or demands on the receiver.
///
/// Unsupported isn't among them: it gives back whatever Require or Proxy-Require held. `[RFC 3261, Section 20.40]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Places(u8);

impl Places {
    /// No place.
    pub const NONE: Places = Places(0);
    /// Supported. `[RFC 3261, Section 20.37]`
    pub const SUPPORTED: Places = Places(1 << 0);
    /// Require. `[RFC 3261, Section 20.32]`
    pub const REQUIRE: Places = Places(1 << 1);
    /// Proxy-Require. `[RFC 3261, Section 20.29]`
    pub const PROXY_REQUIRE: Places = Places(1 << 2);

    const NAMES: [(Places, HeaderId); 3] = [
        (Places::SUPPORTED, HeaderId::Supported),
        (Places::REQUIRE, HeaderId::Require),
        (Places::PROXY_REQUIRE, HeaderId::ProxyRequire),
    ];

    /// Whether all of `other` are in this set.
    #[must_use]
    pub const fn contains(self, other: Places) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether that header field is in this set; never for one that lists no extensions.
    #[must_use]
    pub fn has(self, header: HeaderId) -> bool {
        self.headers().any(|id| id == header)
    }

    /// The header fields of the set.
    pub fn headers(self) -> impl Iterator<Item = HeaderId> {
        Self::NAMES.into_iter().filter(move |(place, _)| self.contains(*place)).map(|(_, id)| id)
    }

    const fn union(self, other: Places) -> Places {
        Places(self.0 | other.0)
    }
}

impl BitOr for Places {
    type Output = Places;

    fn bitor(self, other: Places) -> Places {
        self.union(other)
    }
}

impl fmt::Display for Places {
    /// The names of the header fields, separated by commas.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, id) in self.headers().enumerate() {
            f.write_str(if i > 0 { ", " } else { "" })?;
            f.write_str(id.as_str())?;
        }
        Ok(())
    }
}

macro_rules! place {
    (S) => {
        Places::SUPPORTED
    };
    (R) => {
        Places::REQUIRE
    };
    (P) => {
        Places::PROXY_REQUIRE
    };
}

macro_rules! option_tags {
    ($($const:ident $name:literal $source:literal $($place:ident)+ $(, not $($not:ident)+)?; $meaning:literal)*) => {
        /// The registered tags.
        #[allow(non_upper_case_globals, reason = "named like the variants of an enum, as response codes are")]
        impl OptionTag<'static> {$(
            #[doc = concat!("`", $name, "`: ", $meaning, " `[", $source, "]`")]
            pub const $const: OptionTag<'static> = OptionTag($name);
        )*}

        static ROWS: &[OptionTagInfo] = &[$(OptionTagInfo {
            name: OptionTag::$const,
            source: Source::new($source),
            places: Places::NONE$(.union(place!($place)))+,
            not_recommended: Places::NONE$($(.union(place!($not)))+)?,
            meaning: $meaning,
        }),*];
    };
}

option_tags! {
    Rel100 "100rel" "RFC 3262, Section 8.1" S R;
        "Provisional responses can be sent, or must be sent, reliably."
    EarlyDialogTerminated "199" "RFC 6228, Section 11.2" S R P, not R P;
        "The sender of the request understands 199 responses."
    Answermode "answermode" "RFC 5373, Section 8.3" S R;
        "Answer-Mode and Priv-Answer-Mode are understood, which ask for automatic or manual answering."
    EarlySession "early-session" "RFC 3959" S R;
        "Bodies of disposition early-session are understood."
    Eventlist "eventlist" "RFC 4662, Section 8.1" S R;
        "A subscription may be to a list of resources, and notifications tell of several."
    Explicitsub "explicitsub" "RFC 7614, Section 9.1" S R;
        "A REFER makes no subscription, and its response says where one can be made."
    FromChange "from-change" "RFC 4916, Section 4.4.1" S;
        "The URIs in From and To may change within a dialog."
    GeolocationHttp "geolocation-http" "RFC 6442, Section 4.6" S;
        "A location may be given as an http or https URI."
    GeolocationSip "geolocation-sip" "RFC 6442, Section 4.6" S;
        "A location may be given as a sip, sips or pres URI, to be subscribed to."
    Gin "gin" "RFC 6140, Section 9.1" S R P;
        "One registration binds many telephone numbers."
    Gruu "gruu" "RFC 5627, Section 11.3" S R P, not P;
        "Globally routable user agent URIs are understood."
    Histinfo "histinfo" "RFC 7044, Section 14" S;
        "History-Info is wanted in responses."
    Ice "ice" "RFC 5768, Section 5" S R, not S;
        "Interactive Connectivity Establishment is needed for the session."
    Join "join" "RFC 3911, Section 7.2" S R;
        "The Join header field is understood."
    MultipleRefer "multiple-refer" "RFC 5368, Section 4" S R;
        "A REFER may name many targets, in a list in its body."
    Norefersub "norefersub" "RFC 4488, Section 4" S R, not R;
        "A REFER may be accepted without an implicit subscription."
    Nosub "nosub" "RFC 7614, Section 9.2" S R;
        "A REFER makes no subscription, and none can be made."
    Outbound "outbound" "RFC 5626, Section 11.4" S R;
        "Registrations over connections that the client opened are understood, or were applied."
    Path "path" "RFC 3327, Section 7" S R;
        "The Path header field is understood."
    Policy "policy" "RFC 6794, Section 6.4" S;
        "Session policies are understood: Policy-Contact is looked at and its server asked."
    Precondition "precondition" "RFC 3312, Section 11" S R;
        "A session may have preconditions, such as reserved resources."
    Pref "pref" "RFC 3840, Section 12.3" S R P;
        "Callee capabilities and caller preferences are understood."
    Privacy "privacy" "RFC 3323, Section 4.3" P;
        "A proxy that can't grant the privacy asked for must not pass the request on."
    RecipientListInvite "recipient-list-invite" "RFC 5366, Section 8" S R;
        "An INVITE may name the participants of a conference in its body."
    RecipientListMessage "recipient-list-message" "RFC 5365, Section 5" S R;
        "A MESSAGE may name its recipients in its body."
    RecipientListSubscribe "recipient-list-subscribe" "RFC 5367, Section 9.2" S R;
        "A SUBSCRIBE may name the resources it is for in its body."
    RecordAware "record-aware" "RFC 7866, Section 11.1.2" S;
        "Marks of recording in a session description are understood."
    Replaces "replaces" "RFC 3891, Section 6.2" S R;
        "The Replaces header field is understood."
    ResourcePriority "resource-priority" "RFC 4412, Section 3.4" S R P, not P;
        "The Resource-Priority header field is understood."
    SdpAnat "sdp-anat" "RFC 4092" S R;
        "A session description may offer addresses of several kinds for one stream, grouped as alternatives."
    SecAgree "sec-agree" "RFC 3329, Section 6.5" S R P;
        "Client and first hop agree on a security mechanism before all else."
    Siprec "siprec" "RFC 7866, Section 11.1.1" S R, not S;
        "The session is for recording another."
    Tdialog "tdialog" "RFC 4538, Section 11.3" S R;
        "The Target-Dialog header field is understood."
    Timer "timer" "RFC 4028, Section 12.3" S R P, not P;
        "Sessions are refreshed, and end when nobody refreshes them."
    TrickleIce "trickle-ice" "RFC 8840" S R;
        "Candidates of ICE may arrive one by one."
    Uui "uui" "RFC 7433, Section 6.6" S R;
        "The User-to-User header field is understood."
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_sorted() {
        assert!(ROWS.is_sorted_by(|a, b| a.name.as_str() < b.name.as_str()));
        for row in ROWS {
            let upper = row.name.as_str().to_ascii_uppercase();
            assert_eq!(OptionTag::from_token(upper.as_bytes()).unwrap().info(), Some(row));
            assert!(row.places.contains(row.not_recommended), "{}", row.name);
        }
    }

    #[test]
    fn an_unknown_tag_stays_as_it_is() {
        let tag = OptionTag::from_token(b"X-Foo").unwrap();
        assert_eq!((tag.as_str(), tag.info()), ("X-Foo", None));
        assert_eq!(tag, OptionTag::from_token(b"x-foo").unwrap());
        assert_eq!(OptionTag::from_token(b"no token"), None);
        assert_eq!(OptionTag::from_token(b""), None);
    }

    #[test]
    fn places() {
        assert_eq!(OptionTag::Privacy.info().unwrap().places.to_string(), "Proxy-Require");
        assert_eq!(OptionTag::SecAgree.info().unwrap().places.to_string(), "Supported, Require, Proxy-Require");
        assert!(!OptionTag::Histinfo.info().unwrap().places.has(HeaderId::Require));
        assert!(OptionTag::Rel100.info().unwrap().places.has(HeaderId::Require));
        assert!(!OptionTag::Rel100.info().unwrap().places.has(HeaderId::Via));
    }

    extern crate std;
    use std::string::ToString;
}

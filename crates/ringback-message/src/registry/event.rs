//! Event packages and template-packages. Source: the IANA "Session Initiation Protocol (SIP) Event Types Namespace".
//!
//! A row reads: constant, name, source, kind, the media types of its notifications (the default first), and the meaning.
//! The types of RFCs 4354, 5875, 6035, 6072, 6795, 6910 and 3910 are those of their media type registrations.

use super::{Source, name_type};

name_type! {
    /// What a subscription is about: an event package, with the templates applied to it. `[RFC 6665, Section 8.4]`
    ///
    /// Types compare byte by byte, so case counts. `[RFC 6665, Section 8.2.1]`
    EventType, EventTypeInfo, ROWS, |a, b| a == b
}

impl<'a> EventType<'a> {
    /// The package, without templates: `presence` of `presence.winfo`.
    #[must_use]
    pub fn package(self) -> &'a str {
        self.0.split_once('.').map_or(self.0, |(package, _)| package)
    }

    /// The templates that are applied to the package, from the innermost on: `winfo` of `presence.winfo`.
    pub fn templates(self) -> impl Iterator<Item = &'a str> {
        self.0.split('.').skip(1)
    }

    /// What the registry says of the package; `None` for one that it lacks.
    #[must_use]
    pub fn info(self) -> Option<&'static EventTypeInfo> {
        EventType(self.package()).row()
    }

    /// The media types of its notifications, the default first: those of the outermost template, or else of the package.
    ///
    /// Empty where none is known: for what the registry lacks, and where deployments choose the type.
    #[must_use]
    pub fn body_types(self) -> &'static [&'static str] {
        let outermost = self.templates().last().unwrap_or(self.package());
        EventType(outermost).row().map_or(&[], |row| row.body_types)
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventTypeInfo {
    /// The package or template-package.
    pub name: EventType<'static>,
    /// The section that defines it, or the registrant where there is no document.
    pub source: Source,
    /// Package or template-package.
    pub kind: EventKind,
    /// The media types of its notifications, the default first; other types may be agreed on with Accept.
    pub body_types: &'static [&'static str],
    /// What it tells of, in one sentence.
    pub meaning: &'static str,
}

/// What a name stands for; there is no third kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// A set of state. `[RFC 6665, Section 2]`
    Package,
    /// What can be applied to any package, such as `winfo` in `presence.winfo`. `[RFC 6665, Section 5.2]`
    TemplatePackage,
}

macro_rules! event_types {
    ($($const:ident $name:literal $source:literal $kind:ident [$($body:literal),*]; $meaning:literal)*) => {
        /// The registered packages and template-packages.
        #[allow(non_upper_case_globals, reason = "named like the variants of an enum, as response codes are")]
        impl EventType<'static> {$(
            #[doc = concat!("`", $name, "`: ", $meaning, " `[", $source, "]`")]
            pub const $const: EventType<'static> = EventType($name);
        )*}

        static ROWS: &[EventTypeInfo] = &[$(EventTypeInfo {
            name: EventType::$const,
            source: Source::new($source),
            kind: EventKind::$kind,
            body_types: &[$($body),*],
            meaning: $meaning,
        }),*];
    };
}

event_types! {
    CallCompletion "call-completion" "RFC 6910" Package ["application/call-completion"];
        "When a call that failed can be tried again."
    Certificate "certificate" "RFC 6072" Package ["application/pkix-cert"];
        "A user's certificate."
    Conference "conference" "RFC 4575, Section 3.1" Package ["application/conference-info+xml"];
        "Who is in a conference, with which media."
    ConsentPendingAdditions "consent-pending-additions" "RFC 5362, Section 5.1" Package
        ["application/resource-lists+xml", "application/resource-lists-diff+xml"];
        "Which additions to a list wait for the consent of those added."
    Credential "credential" "RFC 6072" Package ["application/pkcs8"];
        "A user's certificate with its private key, for the user's own devices."
    Dialog "dialog" "RFC 4235, Section 3.1" Package ["application/dialog-info+xml"];
        "The dialogs of a user or a device."
    HttpMonitor "http-monitor" "RFC 5989, Section 4.1" Package ["message/http"];
        "Changes of a resource that HTTP serves."
    Kpml "kpml" "RFC 4730, Section 4.1" Package ["application/kpml-response+xml"];
        "Keys pressed during a call."
    LoadControl "load-control" "RFC 7200, Section 4.1" Package ["application/load-control+xml"];
        "Filters that a server wants its neighbours to apply."
    MessageSummary "message-summary" "RFC 3842, Section 3.1" Package ["application/simple-message-summary"];
        "Messages that wait in a mailbox."
    PocSettings "poc-settings" "RFC 4354" Package ["application/poc-settings+xml"];
        "Settings of push-to-talk over cellular."
    Presence "presence" "RFC 3856, Section 6.1" Package ["application/pidf+xml"];
        "Whether and how a user can be reached."
    Refer "refer" "RFC 3515, Section 3.1" Package ["message/sipfrag"];
        "What became of a REFER."
    Reg "reg" "RFC 3680, Section 4.1" Package ["application/reginfo+xml"];
        "The bindings of an address of record."
    SessionSpecPolicy "session-spec-policy" "RFC 6795" Package ["application/media-policy-dataset+xml"];
        "Policies for one session."
    SiemensRtpStats "Siemens-RTP-Stats" "Siemens" Package [];
        "Statistics of RTP streams, by a vendor's registration without a document."
    SpiritsIndps "spirits-INDPs" "RFC 3910" Package ["application/spirits-event+xml"];
        "Call events of the telephone network."
    SpiritsUserProf "spirits-user-prof" "RFC 3910" Package ["application/spirits-event+xml"];
        "Events outside calls of the telephone network, such as a mobile phone's attachment."
    UaProfile "ua-profile" "RFC 6080" Package [];
        "Configuration for user agents; the profile decides on the type of the body."
    VqRtcpxr "vq-rtcpxr" "RFC 6035" Package ["application/vq-rtcpxr"];
        "Reports on the quality of voice."
    Winfo "winfo" "RFC 3857, Section 4.1" TemplatePackage ["application/watcherinfo+xml"];
        "Who is subscribed to the package that it is applied to."
    XcapDiff "xcap-diff" "RFC 5875" Package ["application/xcap-diff+xml"];
        "Changes of documents that XCAP serves."
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    #[test]
    fn names_are_found_in_their_own_case_only() {
        for row in ROWS {
            let name = row.name.as_str();
            assert_eq!(EventType::from_token(name.as_bytes()).unwrap().info(), Some(row));
            let swapped: Vec<u8> = name.bytes().map(|b| b ^ if b.is_ascii_alphabetic() { 0x20 } else { 0 }).collect();
            let swapped = EventType::from_token(&swapped).unwrap();
            assert!(swapped.info().is_none() && swapped != row.name);
            assert!(!name.contains('.'), "a name of the registry is no applied template");
        }
    }

    #[test]
    fn templates_are_split_off() {
        let event = EventType::from_token(b"presence.winfo.winfo").unwrap();
        assert_eq!(event.package(), "presence");
        assert_eq!(event.templates().collect::<Vec<_>>(), ["winfo", "winfo"]);
        assert_eq!(event.info().unwrap().name, EventType::Presence);
        assert_eq!(event.body_types(), ["application/watcherinfo+xml"]);
        assert_eq!(EventType::Dialog.body_types(), ["application/dialog-info+xml"]);
        assert!(EventType::from_token(b"presence.foo").unwrap().body_types().is_empty());
        assert_eq!(EventType::from_token(b"as-feature-event").unwrap().info(), None);
    }
}

//! The status registry: every response code, and what follows from it.
//!
//! One table (`status/table.rs`) holds one row per code. From the row come the constant, its documentation, the
//! default phrase, the class, the headers an answer carries, who may send it, and what a client does with it.
//!
//! | question | answer |
//! |---|---|
//! | Is it over? | [`StatusCode::is_final`] |
//! | What does the code mean here? | [`StatusCode::info`] |
//! | What do I do with a code I have never seen? | [`StatusCode::treat_as`] |
//! | Who of us sends it, and when? | [`StatusCode::origin`] |
//! | Which codes exist? | [`registry`] |
//!
//! A code is any number from 100 to 699: one that is not in the table is kept as it came, and keeps its class.
//! Rules that hold for *every* response (From, To, Call-ID, CSeq, Via, Content-Length) are not repeated per row.

use core::fmt;
use core::ops::BitOr;
use core::str::FromStr;

use crate::registry::Source;

mod carry;
mod origin;
mod table;

pub use carry::{Carry, When};

/// A response code from 100 to 699, registered or not `[RFC 3261, Section 7.2]`.
///
/// The named constants are spelled in CamelCase, like enum variants, and cannot be used up: an unknown code is as
/// much a value of this type as a known one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusCode(u16);

impl StatusCode {
    /// Takes any number from 100 to 699, whether or not it is registered.
    ///
    /// # Errors
    /// [`InvalidStatusCode`] outside that range: there is no class to treat it by.
    pub const fn new(code: u16) -> Result<StatusCode, InvalidStatusCode> {
        match code {
            100..=699 => Ok(StatusCode(code)),
            _ => Err(InvalidStatusCode),
        }
    }

    /// The number on the wire.
    pub const fn as_u16(self) -> u16 {
        self.0
    }

    /// The class, which is the first digit.
    pub const fn class(self) -> Class {
        Class::of(self.0)
    }

    /// Whether the transaction stays open: 100 to 199.
    pub const fn is_provisional(self) -> bool {
        matches!(self.class(), Class::Provisional)
    }

    /// Whether the code ends its transaction: 200 and above.
    pub const fn is_final(self) -> bool {
        !self.is_provisional()
    }

    /// Whether the request succeeded: 200 to 299.
    pub const fn is_success(self) -> bool {
        matches!(self.class(), Class::Success)
    }

    /// The row of the table, or `None` for a code that the table does not have.
    pub fn info(self) -> Option<&'static StatusInfo> {
        let rows = registry();
        let at = rows.binary_search_by_key(&self, |row| row.code).ok()?;
        rows.get(at)
    }

    /// Who of Ringback's elements sends it, and for what reason; `None` for a code that the table does not have.
    pub fn origin(self) -> Option<&'static Origin> {
        let at = origin::ROWS.binary_search_by_key(&self, |row| row.code).ok()?;
        origin::ROWS.get(at)
    }

    /// The reason phrase to send when there is nothing better to say.
    ///
    /// A code without a row gets the name of its class ([`Class::name`]), not the phrase of x00: the phrase is read by
    /// people, and "Busy Everywhere" for a 699 or "Trying" for a 150 would tell them something false. What a client
    /// *does* with such a code is [`StatusCode::treat_as`].
    pub fn default_phrase(self) -> &'static str {
        self.info().map_or(self.class().name(), |row| row.phrase)
    }

    /// The code whose handling applies `[RFC 3261, Section 8.1.3.2]`.
    ///
    /// A registered code stands for itself. Any other provisional code counts as 183, any other final code as the x00
    /// of its class; that includes 409 and 411, which are in the table only so that they can be explained.
    pub fn treat_as(self) -> StatusCode {
        if self.info().is_some_and(|row| row.registered) {
            return self;
        }
        match self.class() {
            Class::Provisional => StatusCode::SessionProgress,
            Class::Success => StatusCode::Ok,
            Class::Redirection => StatusCode::MultipleChoices,
            Class::RequestFailure => StatusCode::BadRequest,
            Class::ServerFailure => StatusCode::ServerInternalError,
            Class::GlobalFailure => StatusCode::BusyEverywhere,
        }
    }
}

impl fmt::Display for StatusCode {
    /// The three digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl TryFrom<u16> for StatusCode {
    type Error = InvalidStatusCode;

    fn try_from(code: u16) -> Result<StatusCode, InvalidStatusCode> {
        StatusCode::new(code)
    }
}

impl From<StatusCode> for u16 {
    fn from(code: StatusCode) -> u16 {
        code.0
    }
}

impl FromStr for StatusCode {
    type Err = InvalidStatusCode;

    /// Reads exactly three digits; no sign, no blanks `[RFC 3261, Section 25.1]`.
    fn from_str(text: &str) -> Result<StatusCode, InvalidStatusCode> {
        let &[a, b, c] = text.as_bytes() else {
            return Err(InvalidStatusCode);
        };
        let mut code = 0;
        for digit in [a, b, c] {
            if !digit.is_ascii_digit() {
                return Err(InvalidStatusCode);
            }
            code = code * 10 + u16::from(digit - b'0');
        }
        StatusCode::new(code)
    }
}

/// A number or text that is no response code: not three digits from 100 to 699.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InvalidStatusCode;

impl fmt::Display for InvalidStatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a response code is three digits from 100 to 699")
    }
}

impl core::error::Error for InvalidStatusCode {}

/// Every row, ascending by code.
pub fn registry() -> &'static [StatusInfo] {
    table::ROWS
}

/// Who of Ringback's elements sends a code, and for what reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origin {
    /// The code.
    pub code: StatusCode,
    /// Whether one of us sends it, and who.
    pub state: OriginState,
    /// For what reason; where nobody sends it, why not.
    pub trigger: &'static str,
}

/// Whether Ringback sends a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OriginState {
    /// This element does.
    Sent(Element),
    /// Nobody does, and nobody should: a client understands it.
    ReceivedOnly,
    /// Nobody does yet.
    Open,
}

/// An element of Ringback that sends responses of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Element {
    /// The user agent, by itself.
    Agent,
    /// Whoever uses the user agent: a person, or the program above it.
    Application,
    /// The server, before it is looked whom the request is for, or for itself.
    Server,
    /// The server as registrar.
    Registrar,
    /// The server as proxy.
    Proxy,
    /// The server as redirect server.
    RedirectServer,
}

impl Element {
    /// How it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Element::Agent => "user agent",
            Element::Application => "application of the user agent",
            Element::Server => "server",
            Element::Registrar => "registrar",
            Element::Proxy => "proxy",
            Element::RedirectServer => "redirect server",
        }
    }
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatusInfo {
    /// The code.
    pub code: StatusCode,
    /// The registered reason phrase, as it goes on the wire (so without the registry's note "(Deprecated)" at 202).
    pub phrase: &'static str,
    /// The class, which is the first digit of the code.
    pub class: Class,
    /// Provisional or final.
    pub kind: Kind,
    /// Whether the code is in the IANA registry; `false` for those that only old elements still send.
    pub registered: bool,
    /// The number of the RFC that defines the code.
    pub rfc: u16,
    /// The section of that RFC.
    pub section: &'static str,
    /// Further sections that say something of the code.
    pub also: &'static [Source],
    /// What the code says, in one sentence.
    pub meaning: &'static str,
    /// Headers without which the answer is wrong, given the condition.
    pub must: &'static [Carry],
    /// Headers that the RFC recommends, or without which the answer is of little use.
    pub should: &'static [Carry],
    /// Headers that the RFC offers for this very code.
    pub may: &'static [Carry],
    /// Who may generate it.
    pub generated_by: Senders,
    /// What a client does with it, coarsely.
    pub client: ClientAction,
    /// What a client does with it, in one sentence.
    pub client_text: &'static str,
}

/// The six classes `[RFC 3261, Section 7.2]`; there can be no seventh, so matches on it are exhaustive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// 1xx: the request is being worked on.
    Provisional,
    /// 2xx: the request was accepted.
    Success,
    /// 3xx: the request has to go elsewhere.
    Redirection,
    /// 4xx: this server will not take this request.
    RequestFailure,
    /// 5xx: this server failed at it.
    ServerFailure,
    /// 6xx: no server will take it.
    GlobalFailure,
}

impl Class {
    /// The class's name, which is also the phrase for codes without one.
    pub const fn name(self) -> &'static str {
        match self {
            Class::Provisional => "Provisional",
            Class::Success => "Success",
            Class::Redirection => "Redirection",
            Class::RequestFailure => "Request Failure",
            Class::ServerFailure => "Server Failure",
            Class::GlobalFailure => "Global Failure",
        }
    }

    /// The class of a number from 100 to 699.
    const fn of(code: u16) -> Class {
        match code {
            ..=199 => Class::Provisional,
            200..=299 => Class::Success,
            300..=399 => Class::Redirection,
            400..=499 => Class::RequestFailure,
            500..=599 => Class::ServerFailure,
            600.. => Class::GlobalFailure,
        }
    }
}

/// Whether a response ends its transaction; there is no third kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// More responses follow.
    Provisional,
    /// The last response of the transaction (an INVITE may still get further 2xx from other branches).
    Final,
}

/// What a client does with a response, coarsely; [`StatusInfo::client_text`] says it in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClientAction {
    /// Keep waiting, and show what is known.
    Progress,
    /// Done.
    Success,
    /// Send the request to the addresses in the answer.
    Redirect,
    /// Send it again with credentials.
    Challenge,
    /// Send it again, unchanged, after a while.
    RetryLater,
    /// Send it again, changed as the answer demands.
    RetryModified,
    /// Send it to the next target: another server, flow or contact.
    NextTarget,
    /// Let the user decide; do not decide for them.
    AskUser,
    /// Stop, and say why.
    GiveUp,
}

/// A set of the roles that may generate a code.
///
/// Registrars, notifiers, event state compositors, redirect servers and gateways are user agent servers too. They are
/// named apart where the code's definition singles them out; a check on such a role therefore asks whether the set
/// [`intersects`](Senders::intersects) the role together with [`Senders::UAS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Senders(u16);

impl Senders {
    /// A user agent server.
    pub const UAS: Senders = Senders(1 << 0);
    /// The server that takes REGISTER.
    pub const REGISTRAR: Senders = Senders(1 << 1);
    /// A proxy, on its own account rather than forwarding.
    pub const PROXY: Senders = Senders(1 << 2);
    /// A server that answers with where to go instead.
    pub const REDIRECT_SERVER: Senders = Senders(1 << 3);
    /// The server that takes SUBSCRIBE.
    pub const NOTIFIER: Senders = Senders(1 << 4);
    /// The server that takes PUBLISH.
    pub const EVENT_STATE_COMPOSITOR: Senders = Senders(1 << 5);
    /// An element on the path that refuses by a policy of its own, be it proxy or back-to-back user agent.
    pub const INTERMEDIARY: Senders = Senders(1 << 6);
    /// An element that checks Identity headers.
    pub const VERIFICATION_SERVICE: Senders = Senders(1 << 7);
    /// An element with another network behind it; named where causes of the telephone network map to the code
    /// `[RFC 3398, Section 7.2.4.1]`.
    pub const GATEWAY: Senders = Senders(1 << 8);
    /// Nobody: the client acts as if it had received the code, because its transaction or transport failed.
    pub const LOCAL_CLIENT: Senders = Senders(1 << 9);

    const NAMES: [(Senders, &'static str); 10] = [
        (Senders::UAS, "UAS"),
        (Senders::REGISTRAR, "registrar"),
        (Senders::PROXY, "proxy"),
        (Senders::REDIRECT_SERVER, "redirect server"),
        (Senders::NOTIFIER, "notifier"),
        (Senders::EVENT_STATE_COMPOSITOR, "event state compositor"),
        (Senders::INTERMEDIARY, "intermediary"),
        (Senders::VERIFICATION_SERVICE, "verification service"),
        (Senders::GATEWAY, "gateway"),
        (Senders::LOCAL_CLIENT, "the client itself"),
    ];

    /// All roles of both sets.
    pub const fn union(self, other: Senders) -> Senders {
        Senders(self.0 | other.0)
    }

    /// Whether every role of `other` is in this set.
    pub const fn contains(self, other: Senders) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any role of `other` is in this set.
    pub const fn intersects(self, other: Senders) -> bool {
        self.0 & other.0 != 0
    }

    /// Names of the roles in the set, for people.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(role, _)| self.contains(*role)).map(|(_, name)| name)
    }
}

impl BitOr for Senders {
    type Output = Senders;

    fn bitor(self, other: Senders) -> Senders {
        self.union(other)
    }
}

impl fmt::Display for Senders {
    /// The names, separated by commas.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, name) in self.names().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

    use super::*;
    use crate::header::HeaderId;
    use crate::method::Method;
    use std::string::ToString;
    use std::vec::Vec;

    /// Code and phrase of the IANA registry "Response Codes", written out apart from the table.
    const REGISTERED: [(u16, &str); 75] = [
        (100, "Trying"),
        (180, "Ringing"),
        (181, "Call Is Being Forwarded"),
        (182, "Queued"),
        (183, "Session Progress"),
        (199, "Early Dialog Terminated"),
        (200, "OK"),
        (202, "Accepted"),
        (204, "No Notification"),
        (300, "Multiple Choices"),
        (301, "Moved Permanently"),
        (302, "Moved Temporarily"),
        (305, "Use Proxy"),
        (380, "Alternative Service"),
        (400, "Bad Request"),
        (401, "Unauthorized"),
        (402, "Payment Required"),
        (403, "Forbidden"),
        (404, "Not Found"),
        (405, "Method Not Allowed"),
        (406, "Not Acceptable"),
        (407, "Proxy Authentication Required"),
        (408, "Request Timeout"),
        (410, "Gone"),
        (412, "Conditional Request Failed"),
        (413, "Request Entity Too Large"),
        (414, "Request-URI Too Long"),
        (415, "Unsupported Media Type"),
        (416, "Unsupported URI Scheme"),
        (417, "Unknown Resource-Priority"),
        (420, "Bad Extension"),
        (421, "Extension Required"),
        (422, "Session Interval Too Small"),
        (423, "Interval Too Brief"),
        (424, "Bad Location Information"),
        (425, "Bad Alert Message"),
        (428, "Use Identity Header"),
        (429, "Provide Referrer Identity"),
        (430, "Flow Failed"),
        (433, "Anonymity Disallowed"),
        (436, "Bad Identity Info"),
        (437, "Unsupported Credential"),
        (438, "Invalid Identity Header"),
        (439, "First Hop Lacks Outbound Support"),
        (440, "Max-Breadth Exceeded"),
        (469, "Bad Info Package"),
        (470, "Consent Needed"),
        (480, "Temporarily Unavailable"),
        (481, "Call/Transaction Does Not Exist"),
        (482, "Loop Detected"),
        (483, "Too Many Hops"),
        (484, "Address Incomplete"),
        (485, "Ambiguous"),
        (486, "Busy Here"),
        (487, "Request Terminated"),
        (488, "Not Acceptable Here"),
        (489, "Bad Event"),
        (491, "Request Pending"),
        (493, "Undecipherable"),
        (494, "Security Agreement Required"),
        (500, "Server Internal Error"),
        (501, "Not Implemented"),
        (502, "Bad Gateway"),
        (503, "Service Unavailable"),
        (504, "Server Time-out"),
        (505, "Version Not Supported"),
        (513, "Message Too Large"),
        (555, "Push Notification Service Not Supported"),
        (580, "Precondition Failure"),
        (600, "Busy Everywhere"),
        (603, "Decline"),
        (604, "Does Not Exist Anywhere"),
        (606, "Not Acceptable"),
        (607, "Unwanted"),
        (608, "Rejected"),
    ];

    fn row(code: u16) -> &'static StatusInfo {
        StatusCode::new(code).unwrap().info().unwrap()
    }

    #[test]
    fn each_code_has_an_origin() {
        let rows: Vec<_> = origin::ROWS.iter().map(|row| row.code).collect();
        let codes: Vec<_> = registry().iter().map(|row| row.code).collect();
        assert_eq!(rows, codes);
        for row in origin::ROWS {
            let is_received = row.state == OriginState::ReceivedOnly;
            assert_eq!(is_received, matches!(row.code.as_u16(), 402 | 409 | 411), "{}", row.code);
            assert!(!row.trigger.is_empty() && !row.trigger.ends_with('.'), "{}", row.code);
            assert_eq!(row.code.origin(), Some(row));
        }
    }

    #[test]
    fn rows_ascend_without_repeats() {
        assert!(registry().is_sorted_by(|a, b| a.code < b.code));
    }

    #[test]
    fn registered_rows_are_those_of_the_registry() {
        let rows: Vec<_> =
            registry().iter().filter(|row| row.registered).map(|row| (row.code.as_u16(), row.phrase)).collect();
        assert_eq!(rows, REGISTERED);
        let others: Vec<_> = registry().iter().filter(|row| !row.registered).map(|row| row.code.as_u16()).collect();
        assert_eq!(others, [409, 411]);
    }

    #[test]
    fn every_row_is_found_and_agrees_with_its_number() {
        for row in registry() {
            let code = row.code.as_u16();
            assert_eq!(row.code.info(), Some(row));
            assert_eq!(row.class as u16 + 1, code / 100, "{code}");
            assert_eq!(row.kind == Kind::Provisional, code < 200, "{code}");
            assert_eq!(row.code.default_phrase(), row.phrase);
            assert!(row.generated_by.names().next().is_some(), "{code} has no sender");
            assert!(row.rfc >= 2543 && !row.section.is_empty(), "{code} has no source");
        }
    }

    #[test]
    fn texts_are_one_line_sentences() {
        for row in registry() {
            for text in [row.meaning, row.client_text] {
                assert!(text.ends_with('.') && !text.contains("  ") && !text.contains('\n'), "{text}");
            }
        }
    }

    #[test]
    fn no_list_names_a_header_twice_for_one_condition() {
        for row in registry() {
            let all: Vec<_> = [row.must, row.should, row.may].concat();
            for (i, carry) in all.iter().enumerate() {
                assert_ne!(carry.header, HeaderId::Other);
                assert!(!all[..i].contains(carry), "{} {carry:?}", row.code);
            }
        }
    }

    #[test]
    fn mandatory_headers() {
        let always = [
            (199, HeaderId::Reason),
            (204, HeaderId::Expires),
            (401, HeaderId::WwwAuthenticate),
            (405, HeaderId::Allow),
            (407, HeaderId::ProxyAuthenticate),
            (420, HeaderId::Unsupported),
            (421, HeaderId::Require),
            (422, HeaderId::MinSe),
            (423, HeaderId::MinExpires),
            (424, HeaderId::GeolocationError),
            (425, HeaderId::AlertMsgError),
            (469, HeaderId::RecvInfo),
            (494, HeaderId::SecurityServer),
        ];
        let found: Vec<_> = registry()
            .iter()
            .flat_map(|row| row.must.iter().map(move |carry| (row.code.as_u16(), carry)))
            .filter(|(_, carry)| carry.is_unconditional())
            .map(|(code, carry)| (code, carry.header))
            .collect();
        assert_eq!(found, always);
    }

    #[test]
    fn conditional_headers() {
        let named = |list: &[Carry]| list.iter().map(|carry| carry.header).collect::<Vec<_>>();
        assert_eq!(named(row(415).must), [HeaderId::Accept, HeaderId::AcceptEncoding, HeaderId::AcceptLanguage]);
        assert!(row(415).must.iter().all(|carry| !carry.is_unconditional()));
        for code in [180, 181, 182, 183, 199] {
            for header in [HeaderId::RSeq, HeaderId::Require] {
                let reliable = Carry { header, when: When::Reliable };
                assert!(row(code).must.contains(&reliable), "{code} {header:?}");
            }
        }
        assert!(row(100).must.iter().all(|carry| carry.header != HeaderId::RSeq));
        assert_eq!(row(489).must, [Carry { header: HeaderId::AllowEvents, when: When::Method(&[Method::Publish]) }]);
        assert_eq!(named(row(608).must), [HeaderId::CallInfo]);
        assert_eq!(row(413).should, [Carry { header: HeaderId::RetryAfter, when: When::Text("temporary") }]);
    }

    #[test]
    fn codes_outside_the_table_keep_their_class() {
        for (code, treated, phrase) in [
            (101, 183, "Provisional"),
            (299, 200, "Success"),
            (399, 300, "Redirection"),
            (431, 400, "Request Failure"),
            (599, 500, "Server Failure"),
            (699, 600, "Global Failure"),
        ] {
            let code = StatusCode::new(code).unwrap();
            assert_eq!(code.info(), None);
            assert_eq!(code.treat_as().as_u16(), treated);
            assert_eq!(code.default_phrase(), phrase);
        }
        assert_eq!(StatusCode::Conflict.treat_as(), StatusCode::BadRequest);
        assert_eq!(StatusCode::Conflict.default_phrase(), "Conflict");
        assert_eq!(StatusCode::Trying.treat_as(), StatusCode::Trying);
        for (code, _) in REGISTERED {
            let code = StatusCode::new(code).unwrap();
            assert_eq!(code.treat_as(), code);
        }
    }

    #[test]
    fn the_range_is_100_to_699() {
        for code in 0..=u16::MAX {
            let known = StatusCode::new(code);
            assert_eq!(known.is_ok(), (100..700).contains(&code), "{code}");
            if let Ok(known) = known {
                assert_eq!(known.to_string().parse(), Ok(known));
                assert_eq!(known.is_success(), code / 100 == 2);
                assert_ne!(known.is_provisional(), known.is_final());
            }
        }
    }

    #[test]
    fn only_three_digits_are_a_code() {
        for text in ["", "20", "2000", "+20", "-20", " 200", "200 ", "2O0", "099", "700", "٢٠٠"] {
            assert_eq!(text.parse::<StatusCode>(), Err(InvalidStatusCode), "{text:?}");
        }
        assert_eq!("486".parse(), Ok(StatusCode::BusyHere));
    }

    #[test]
    fn senders() {
        assert!(!row(401).generated_by.contains(Senders::PROXY));
        assert_eq!(row(407).generated_by, Senders::PROXY);
        assert_eq!(row(305).generated_by, Senders::UAS);
        assert!(row(408).generated_by.contains(Senders::LOCAL_CLIENT));
        assert!(row(503).generated_by.contains(Senders::LOCAL_CLIENT | Senders::PROXY));
        assert!(row(423).generated_by.intersects(Senders::NOTIFIER | Senders::UAS));
        assert_eq!(row(416).generated_by.to_string(), "UAS, proxy");
        assert_eq!(row(417).generated_by.names().count(), 2);
    }
}

//! What a user agent is set up with.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use ringback_base::{Hop, Micros, Transport};
use ringback_message::Method;

use crate::session_timer::SessionTimers;

/// How many sessions, and how many INVITEs of ours, there may be where nobody says otherwise.
pub const SESSIONS_MAX: usize = 65_536;

/// How many early dialogs one INVITE of ours may make: beyond it further forks are passed over until a 2xx.
pub const FORKS_MAX: usize = 32;

/// How many reliable provisional responses may wait for the one before them.
pub const PROVISIONALS_MAX: usize = 16;

/// How many registrations there may be where nobody says otherwise.
pub const REGISTRATIONS_MAX: usize = 65_536;

/// The longest body that is read where nobody says otherwise.
pub const BODY_BYTES_MAX: usize = 65_535;

/// How many next hops are tried for one request.
pub const HOPS_MAX: usize = 8;

/// An address of ours that messages leave from and come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// The protocol.
    pub transport: Transport,
    /// The listener's address: `local` of every [`Hop`].
    pub address: SocketAddr,
    /// What Via and Contact say: a host, perhaps with a port.
    pub sent_by: Box<str>,
}

impl Local {
    /// An address that others reach as it is.
    #[must_use]
    pub fn new(transport: Transport, address: SocketAddr) -> Local {
        Local { transport, address, sent_by: alloc::format!("{address}").into() }
    }
}

/// Who answers where an INVITE of ours reaches several. `[RFC 3261, Section 13.2.2.4]`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForkPolicy {
    /// The first 2xx makes the session; each further one is acknowledged, and its dialog ended with BYE.
    #[default]
    First,
    /// Each 2xx makes a session.
    All,
}

/// What a user agent is set up with.
#[derive(Clone, Debug)]
pub struct Config {
    /// The transaction layer's part.
    pub transactions: ringback_transaction::Config,
    /// Peers whose transactions have timers of their own, whatever their port and transport.
    pub timers_of: Vec<(IpAddr, ringback_transaction::Timers)>,
    /// Where we are, the preferred address first.
    pub locals: Vec<Local>,
    /// The user part of our Contact.
    pub user: Box<str>,
    /// Where every request outside of a dialog is sent, whatever its URI says; the URI is not touched.
    pub outbound: Option<Hop>,
    /// Transports by which nobody can connect to us: our Contact asks with `ob` that requests within a dialog come by the connection of
    /// the request that began it. `[RFC 5626, Section 4.3]`
    pub by_flow: Vec<Transport>,
    /// Methods that requests may have; the rest is refused with 405. `[RFC 3261, Section 8.2.1]`
    pub allow: Vec<Method>,
    /// Option tags that we know. `[RFC 3261, Section 8.2.2.3]`
    pub supported: Vec<String>,
    /// Option tags that callers must support; a call without is refused with 421. Who lacks one can't call here at all, so this is for
    /// closed networks. `[RFC 3261, Section 21.4.16]`
    pub required: Vec<String>,
    /// Values of Resource-Priority that are known, as `namespace.priority`: a request that requires one and has none of these is refused
    /// with 417. With an empty list the extension itself is not supported. `[RFC 4412, Section 4.6.2]`
    pub resource_priorities: Vec<String>,
    /// The proxy that calls have to come through, as a URI: one that came through none is answered with 305 and this Contact.
    /// `[RFC 3261, Section 21.3.4]`
    pub use_proxy: Option<String>,
    /// Whether a call that somebody has referred to us must have a token of who that was: one that names a referrer without is refused
    /// with 429. That there is one is checked, not what it proves. `[RFC 3892, Section 5]`
    pub wants_referrer_proof: bool,
    /// The longest body that is read; a request with a longer one is refused with 413.
    pub body_bytes_max: usize,
    /// Session timers.
    pub session_timers: SessionTimers,
    /// Whether provisional responses are sent reliably wherever the caller can take them, not only where it must.
    pub reliable_provisionals: bool,
    /// What is done with several answers.
    pub forks: ForkPolicy,
    /// The most sessions. A new call above it is refused with 503.
    pub sessions_max: usize,
    /// The most registrations.
    pub registrations_max: usize,
    /// INFO packages that we take; others are refused with 469. `[RFC 6086, Section 4.2.2]`
    pub info_packages: Vec<String>,
    /// Whether OPTIONS are answered without asking the application. `[RFC 3261, Section 11.2]`
    pub answers_options: bool,
    /// Whether calls have a Session-ID, by which they are found again in the logs of all elements. `[RFC 7989]`
    pub session_ids: bool,
    /// Whether our Contact is the GRUU that a registrar has given us, in requests from a registered address of record and in
    /// responses to requests for it. `[RFC 5627, Section 4.4]`
    pub gruus: bool,
    /// Whether the application sends each PRACK itself, with an offer perhaps. `[RFC 3262, Section 5]`
    pub manual_pracks: bool,
    /// For User-Agent and Server; left out where empty.
    pub product: Box<str>,
    /// How long the application has to answer an offer in a 2xx, an UPDATE or a PRACK before it is given up: less than the 64*T1
    /// after which the other side does not hear of it any more.
    pub patience: Micros,
}

impl Config {
    /// The usual: all that this crate knows is allowed and supported.
    #[must_use]
    pub fn new(user: &str, locals: Vec<Local>) -> Config {
        Config {
            transactions: ringback_transaction::Config::default(),
            timers_of: Vec::new(),
            locals,
            user: user.into(),
            outbound: None,
            by_flow: Vec::from([Transport::Ws, Transport::Wss]),
            allow: Vec::from([
                Method::Invite,
                Method::Ack,
                Method::Cancel,
                Method::Bye,
                Method::Options,
                Method::Prack,
                Method::Update,
                Method::Info,
                Method::Message,
                Method::Refer,
                Method::Notify,
                Method::Subscribe,
            ]),
            supported: ["100rel", "timer", "replaces", "199", "norefersub", "explicitsub", "nosub", "tdialog"]
                .map(String::from)
                .into(),
            required: Vec::new(),
            resource_priorities: Vec::new(),
            use_proxy: None,
            wants_referrer_proof: false,
            body_bytes_max: BODY_BYTES_MAX,
            session_timers: SessionTimers::default(),
            reliable_provisionals: false,
            forks: ForkPolicy::First,
            sessions_max: SESSIONS_MAX,
            registrations_max: REGISTRATIONS_MAX,
            info_packages: Vec::new(),
            answers_options: true,
            session_ids: true,
            gruus: true,
            manual_pracks: false,
            product: "".into(),
            patience: Micros::from_secs(30),
        }
    }
}

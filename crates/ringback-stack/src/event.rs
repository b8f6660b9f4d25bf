//! What a stack tells its surroundings, for logs and counters.

use alloc::boxed::Box;
use alloc::string::String;

use ringback_base::{Hop, Micros};
use ringback_location::Aor;
use ringback_message::{ParseError, StatusCode};

/// Something that an operator may want to know.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A REGISTER changed the bindings of a user.
    Registered {
        /// Whose.
        aor: Aor,
        /// How many there are now.
        bindings: usize,
    },
    /// A request was answered by ourselves with a final response other than 2xx and a challenge.
    Refused {
        /// The method.
        method: Box<str>,
        /// The Call-ID.
        call_id: Box<str>,
        /// The code.
        status: StatusCode,
        /// Why.
        reason: String,
        /// Where it came from.
        from: Hop,
    },
    /// A connection was told how often it is to be kept alive: where nothing comes by it for so long, its far end is not there any more.
    /// `[RFC 5626, Section 4.4]`
    KeptAlive {
        /// The connection.
        hop: Hop,
        /// For how long nothing may come.
        silence_max: Micros,
    },
    /// Credentials were wrong.
    AuthenticationFailed {
        /// The user that they name.
        user: Box<str>,
        /// Where they came from.
        from: Hop,
    },
    /// Bytes that are no message, or one without what every message carries.
    Malformed {
        /// The first defect.
        error: ParseError,
        /// Where they came from.
        from: Hop,
        /// True where a response was sent.
        answered: bool,
    },
    /// A request was relayed, and answered.
    Relayed {
        /// The method.
        method: Box<str>,
        /// The Call-ID.
        call_id: Box<str>,
        /// The Request-URI that it came with.
        uri: Box<str>,
        /// The final response that went back.
        status: StatusCode,
        /// Its reason phrase, as whoever answered wrote it.
        reason: Box<str>,
        /// The texts of its Warnings, each with its code, and the texts of its Reasons: why it failed, in words. `[RFC 3261, Section 20.43]`
        why: Box<str>,
        /// How often it was sent onward.
        attempts: usize,
        /// Where it came from.
        from: Hop,
    },
    /// A target can't be reached: no listener of ours has its transport, or its name has no address.
    Unreachable {
        /// The Call-ID.
        call_id: Box<str>,
        /// The target.
        uri: Box<str>,
        /// Why.
        why: &'static str,
    },
    /// A look-up failed or took too long.
    LookupFailed {
        /// What was asked.
        what: &'static str,
        /// Of whom: a user, an address of record, a host.
        subject: Box<str>,
    },
}

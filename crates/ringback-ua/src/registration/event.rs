//! What a registration tells.

use ringback_base::Micros;
use ringback_message::{RequestBuilder, StatusCode};

/// How far a registration has come. `[RFC 3261, Section 10.2]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RegistrationState {
    /// Nothing is registered, and nothing shall be.
    Idle,
    /// A REGISTER that adds or refreshes is out.
    Registering,
    /// The registrar has our contacts.
    Registered,
    /// It has not, or no longer; it will be tried again.
    Waiting,
    /// A REGISTER that removes is out.
    Removing,
    /// The registrar doesn't want us: nothing happens until the application asks again.
    Refused,
}

/// What came of a call: at most one REGISTER to be sent, without Via, and at most one thing to be told.
#[derive(Debug, Default)]
#[must_use]
pub struct RegistrationStep {
    /// To be sent, by the way that [`Registration::next_uri`](crate::Registration::next_uri) names. It has its Contacts, or shall have none.
    pub send: Option<RequestBuilder>,
    /// To be told.
    pub event: Option<RegistrationEvent>,
}

/// What the application is told of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistrationEvent {
    /// Our contacts are bound, anew or again.
    Registered {
        /// For so many seconds, the shortest of them.
        expires_secs: u32,
        /// How many of our contacts the response lacks.
        missing: usize,
        /// Whether the registrar does outbound: keep-alives are to be sent. `[RFC 5626, Section 4.2.1]`
        is_outbound: bool,
    },
    /// The response was a 200 and lacks every contact of ours. It will be tried again.
    NotBound {
        /// When.
        again_at: Micros,
    },
    /// The list of bindings that was asked for: the Contacts of the response.
    Fetched,
    /// Our contacts are removed, or all are.
    Unregistered,
    /// The removal failed; what is bound still will expire.
    NotRemoved {
        /// What the registrar answered; 408 where it didn't.
        status: StatusCode,
    },
    /// The list can't be had.
    NotFetched {
        /// What the registrar answered; 408 where it didn't.
        status: StatusCode,
    },
    /// The time that was granted is over, and no refresh came through: nobody reaches us. It is still tried.
    Expired,
    /// It didn't work. It will be tried again.
    Failed {
        /// What the registrar answered; 408 where it didn't.
        status: StatusCode,
        /// When.
        again_at: Micros,
    },
    /// Another server is responsible: the Contacts of the response say which. See [`Registration::set_registrar`](crate::Registration::set_registrar).
    Redirected {
        /// Which 3xx.
        status: StatusCode,
    },
    /// It was refused, and won't be tried again.
    Refused {
        /// Why.
        status: StatusCode,
    },
}

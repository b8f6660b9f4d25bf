//! Limits that a request can reach.

/// A limit that a request reached, for whoever counts them.
///
/// A [`Reply`](crate::Reply) says which one is its reason; where nobody is refused, an [`Action`](crate::Action) does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// One that makes credentials malformed.
    Auth(ringback_auth::Limit),
    /// One of what the registrar keeps.
    Location(ringback_location::Limit),
    /// [`CONFLICTS_MAX`](crate::registrar::CONFLICTS_MAX).
    Conflicts,
    /// [`Config::contexts_max`](crate::Config::contexts_max).
    Contexts,
    /// [`Config::uri_bytes_max`](crate::Config::uri_bytes_max).
    UriBytes,
    /// [`Config::branches_max`](crate::Config::branches_max).
    Branches,
    /// [`Config::max_breadth`](crate::Config::max_breadth).
    Breadth,
    /// How many look-ups may be open.
    Lookups,
}

impl From<ringback_auth::Limit> for Limit {
    fn from(limit: ringback_auth::Limit) -> Limit {
        Limit::Auth(limit)
    }
}

impl From<ringback_location::Limit> for Limit {
    fn from(limit: ringback_location::Limit) -> Limit {
        Limit::Location(limit)
    }
}

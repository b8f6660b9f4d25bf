//! What a stack counts.

use ringback_message::{HEADER_LINES_MAX, ParseErrorKind, Rejected};
use ringback_proxy::Limit;

/// How often things happened since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Requests read.
    pub requests: u64,
    /// Responses read.
    pub responses: u64,
    /// Datagrams that are keep-alives which want no answer.
    pub keep_alives: u64,
    /// Keep-alives by STUN, which are answered.
    pub stun_requests: u64,
    /// Datagrams that look like STUN and can't be read: malformed, of another method, longer than
    /// [`STUN_BYTES_MAX`](ringback_transport::stun::STUN_BYTES_MAX).
    pub stun_dropped: u64,
    /// Datagrams that are no message, or one without what every message carries.
    pub malformed: u64,
    /// Responses to nothing that we sent.
    pub stray_responses: u64,
    /// ACKs that lead nowhere.
    pub acks_dropped: u64,
    /// Requests relayed.
    pub calls: u64,
    /// Look-ups that failed or took too long.
    pub lookups_failed: u64,
    /// Datagrams that are longer than any message: [`MESSAGE_BYTES_MAX`](ringback_message::MESSAGE_BYTES_MAX).
    pub message_bytes_max_reached: u64,
    /// Messages with more header fields than [`HEADER_LINES_MAX`].
    pub header_lines_max_reached: u64,
    /// Messages with a longer name of a header field than [`HEADER_NAME_BYTES_MAX`](ringback_message::HEADER_NAME_BYTES_MAX).
    pub header_name_bytes_max_reached: u64,
    /// Requests refused because their credentials have more parameters than
    /// [`AUTH_PARAMS_MAX`](ringback_message::header::AUTH_PARAMS_MAX).
    pub auth_params_max_reached: u64,
    /// Requests refused because a parameter of their credentials is longer than
    /// [`PARAMETER_BYTES_MAX`](ringback_auth::PARAMETER_BYTES_MAX).
    pub parameter_bytes_max_reached: u64,
    /// Requests with more credentials than [`CREDENTIALS_MAX`](ringback_auth::CREDENTIALS_MAX).
    pub credentials_max_reached: u64,
    /// Nonces forgotten before their time because of [`Config::nonces_max`](crate::Config::nonces_max).
    pub nonces_max_reached: u64,
    /// Requests for an address of record that would be longer than [`AOR_BYTES_MAX`](ringback_location::AOR_BYTES_MAX).
    pub aor_bytes_max_reached: u64,
    /// REGISTERs with more contacts than [`CONTACTS_PER_REQUEST_MAX`](ringback_location::CONTACTS_PER_REQUEST_MAX).
    pub contacts_per_request_max_reached: u64,
    /// REGISTERs with a longer Call-ID than [`CALL_ID_BYTES_MAX`](ringback_location::CALL_ID_BYTES_MAX).
    pub call_id_bytes_max_reached: u64,
    /// REGISTERs with more Path values than [`PATH_VALUES_MAX`](ringback_location::PATH_VALUES_MAX).
    pub path_values_max_reached: u64,
    /// REGISTERs with longer Path values than [`PATH_BYTES_MAX`](ringback_location::PATH_BYTES_MAX).
    pub path_bytes_max_reached: u64,
    /// REGISTERs that would leave more bindings than
    /// [`Policy::bindings_per_aor_max`](ringback_location::Policy::bindings_per_aor_max).
    pub bindings_per_aor_max_reached: u64,
    /// REGISTERs with a longer contact than [`Policy::contact_bytes_max`](ringback_location::Policy::contact_bytes_max).
    pub contact_bytes_max_reached: u64,
    /// REGISTERs that lost the race for their bindings more often than
    /// [`CONFLICTS_MAX`](ringback_proxy::registrar::CONFLICTS_MAX).
    pub conflicts_max_reached: u64,
    /// Requests refused because of [`Config::uri_bytes_max`](ringback_proxy::Config::uri_bytes_max).
    pub uri_bytes_max_reached: u64,
    /// Requests not relayed because of [`Config::contexts_max`](ringback_proxy::Config::contexts_max).
    pub contexts_max_reached: u64,
    /// Requests relayed to a part of their targets because of [`Config::branches_max`](ringback_proxy::Config::branches_max).
    pub branches_max_reached: u64,
    /// How often targets had to wait for others because of [`Config::max_breadth`](ringback_proxy::Config::max_breadth).
    pub max_breadth_reached: u64,
    /// Look-ups that were not made because of [`Config::lookups_max`](crate::Config::lookups_max).
    pub lookups_max_reached: u64,
    /// Look-ups of targets that left out records, hosts or addresses because there were too many.
    pub walk_limits_reached: u64,
}

impl Counters {
    /// Counts a limit that a request reached.
    pub(crate) fn reached(&mut self, limit: Limit) {
        use ringback_auth::Limit as Auth;
        use ringback_location::Limit as Location;
        let count = match limit {
            Limit::Auth(Auth::AuthParams) => &mut self.auth_params_max_reached,
            Limit::Auth(Auth::ParameterBytes) => &mut self.parameter_bytes_max_reached,
            Limit::Location(Location::AorBytes) => &mut self.aor_bytes_max_reached,
            Limit::Location(Location::ContactsPerRequest) => &mut self.contacts_per_request_max_reached,
            Limit::Location(Location::CallIdBytes) => &mut self.call_id_bytes_max_reached,
            Limit::Location(Location::PathValues) => &mut self.path_values_max_reached,
            Limit::Location(Location::PathBytes) => &mut self.path_bytes_max_reached,
            Limit::Location(Location::BindingsPerAor) => &mut self.bindings_per_aor_max_reached,
            Limit::Location(Location::ContactBytes) => &mut self.contact_bytes_max_reached,
            Limit::Conflicts => &mut self.conflicts_max_reached,
            Limit::Contexts => &mut self.contexts_max_reached,
            Limit::UriBytes => &mut self.uri_bytes_max_reached,
            Limit::Branches => &mut self.branches_max_reached,
            Limit::Breadth => &mut self.max_breadth_reached,
            Limit::Lookups => &mut self.lookups_max_reached,
        };
        *count = count.saturating_add(1);
    }

    /// Counts a message that can't be read, and the limit of the parser that it reached, if it reached one.
    ///
    /// What is wrong with a message as a whole is told of its first byte. By a connection such a one does not come here whole: the
    /// connection has a limit, and a counter, of its own.
    pub(crate) fn malformed(&mut self, rejected: &Rejected, by_connection: bool) {
        self.malformed += 1;
        let error = &rejected.error;
        if error.kind != ParseErrorKind::TooLarge {
            return;
        }
        let lines_before = |message: &ringback_message::Message| {
            message.headers().filter(|header| header.offset() < error.offset).count()
        };
        match &rejected.salvage {
            _ if error.offset == 0 => self.message_bytes_max_reached += u64::from(!by_connection),
            Some(message) if lines_before(message) >= HEADER_LINES_MAX => self.header_lines_max_reached += 1,
            _ => self.header_name_bytes_max_reached += 1,
        }
    }

    /// With what the authenticator counts.
    pub(crate) fn with(self, auth: ringback_auth::Counters) -> Counters {
        Counters {
            credentials_max_reached: auth.credentials_max_reached,
            nonces_max_reached: auth.nonces_max_reached,
            ..self
        }
    }
}

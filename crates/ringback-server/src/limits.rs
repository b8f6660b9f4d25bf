//! Every limit by name: what it is set to, what happens beyond it, and which counter tells how often it was reached.

use std::fmt::Write as _;

use crate::config::numbers::NUMBERS;
use crate::settings::Settings;

/// A length, table or queue that somebody can make grow only so far.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Limit {
    /// The crate that holds it.
    pub krate: &'static str,
    /// The constant or field.
    pub name: &'static str,
    /// What it is set to.
    pub value: LimitValue,
    /// What happens beyond it.
    pub beyond: &'static str,
    /// How often that happened.
    pub counted: Counted,
}

/// What a limit is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitValue {
    /// By the setting of that path, as a configuration file has it.
    Setting(&'static str),
    /// Always the same.
    Fixed(u64),
}

/// Where it is counted that a limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Counted {
    /// By this counter, and nothing else is.
    By(&'static str),
    /// Nowhere, and why.
    Not(&'static str),
}

use Counted::{By, Not};
use LimitValue::{Fixed, Setting};

/// Nobody but the operator meets it, and is told.
const TOLD: Counted = Not("whoever types it is told");
/// A program that uses the library is told, by an error; the server reads none of it.
const LIBRARY: Counted = Not("the server doesn't read it: a program that does gets an error");
/// Nothing is lost.
const LATER: Counted = Not("nothing is lost: the rest is done in the next turn");

macro_rules! limits {
    ($($krate:literal { $($name:literal = $value:expr, $counted:expr, $beyond:literal;)* })*) => {
        &[$($(Limit { krate: concat!("ringback-", $krate), name: $name, value: $value, beyond: $beyond, counted: $counted },)*)*]
    };
}

/// All of them.
pub static LIMITS: &[Limit] = limits! {
    "message" {
        "MESSAGE_BYTES_MAX" = Fixed(65_535), By("stack.message_bytes_max_reached"), "it is no message";
        "HEADER_LINES_MAX" = Fixed(512), By("stack.header_lines_max_reached"), "the message is too large: 513";
        "HEADER_NAME_BYTES_MAX" = Fixed(256), By("stack.header_name_bytes_max_reached"), "the message is too large: 513";
        "AUTH_PARAMS_MAX" = Fixed(32), By("stack.auth_params_max_reached"), "the credentials are malformed: 400";
        "PARTS_MAX" = Fixed(64), LIBRARY, "the multipart body can't be read";
        "NESTING_MAX" = Fixed(8), LIBRARY, "the multipart body can't be read";
    }
    "ua" {
        "ROUTES_MAX" = Fixed(32), LIBRARY, "no dialog is made: the request is refused with 400";
        "DIALOG_BYTES_MAX" = Fixed(8_192), LIBRARY, "no dialog is made: the request is refused with 400";
        "SESSIONS_MAX" = Fixed(65_536), LIBRARY, "a new call is refused with 503";
        "FORKS_MAX" = Fixed(32), LIBRARY, "a fork more is passed over until it answers with a 2xx";
        "PROVISIONALS_MAX" = Fixed(16), LIBRARY, "a reliable provisional response more is an error";
        "BODY_BYTES_MAX" = Fixed(65_535), LIBRARY, "a request with a longer body is refused with 413";
        "PRIORITIES_MAX" = Fixed(32), LIBRARY, "values of Resource-Priority beyond it are not looked at";
        "SILENT_MAX" = Fixed(16), LIBRARY, "the oldest of those that nobody answered is not told of";
        "SECURE_SOCKETS_MAX" = Fixed(64), LIBRARY, "of the oldest it is forgotten that transport=ws means TLS there";
        "DATAGRAM_BYTES_MAX" = Fixed(1_300), LIBRARY, "a larger request goes by TCP first";
        "HOPS_MAX" = Fixed(8), LIBRARY, "hops beyond it are not tried";
        "CALL_REQUESTS_MAX" = Fixed(32), LIBRARY, "a call sends no INVITE more, and is told to have failed; an application may say another number";
        "OUTCOME_ITEMS_MAX" = Fixed(32), LIBRARY, "contacts, challenges and other elements beyond it are passed over";
        "CHANGE_ATTEMPTS_MAX" = Fixed(5), LIBRARY, "a change that meets glare again is told to have failed";
        "REGISTRATIONS_MAX" = Fixed(65_536), LIBRARY, "a registration more is an error";
        "CONTACTS_MAX" = Fixed(16), LIBRARY, "a contact more is an error";
        "BINDINGS_READ_MAX" = Fixed(256), LIBRARY, "ours count as missing where they stand behind so many others";
        "TOO_BRIEF_MAX" = Fixed(3), LIBRARY, "a 423 more is waited out as other failures are";
        "LEARNT_BYTES_MAX" = Fixed(2_048), LIBRARY, "Service-Route, Path or GRUU are not kept";
        "SUBSCRIPTION_FORKS_MAX" = Fixed(16), LIBRARY, "the NOTIFY of a place more is answered with 481";
        "SUBSCRIPTIONS_MAX" = Fixed(4_096), LIBRARY, "a new SUBSCRIBE is refused with 503";
        "LENGTHENED_MAX" = Fixed(3), LIBRARY, "a 423 is told as the refusal that it is";
        "REFERRAL_FIELDS_MAX" = Fixed(16), LIBRARY, "the REFER is refused with 400";
        "USAGES_MAX" = Fixed(4_096), LIBRARY, "one more of ours is an error; a REFER is refused with 503";
    }
    "sdp" {
        "SDP_BYTES_MAX" = Fixed(65_535), LIBRARY, "the description can't be read";
        "LINES_MAX" = Fixed(8_192), LIBRARY, "the description can't be read";
        "MEDIA_MAX" = Fixed(128), LIBRARY, "the description can't be read";
        "DEPARTURES_MAX" = Fixed(64), LIBRARY, "the description can't be read";
        "EVENT_RANGES_MAX" = Fixed(256), LIBRARY, "the attribute can't be read";
        "FORMATS_MAX" = Fixed(128), LIBRARY, "the description can't be read";
        "TIMES_MAX" = Fixed(256), LIBRARY, "the description can't be read";
        "ROWS_MAX" = Fixed(32), LIBRARY, "the preconditions can't be read";
    }
    "lint" {
        "FINDINGS_MAX" = Fixed(256), Not("the server doesn't lint: a program that does has enough to mend"), "further findings are left out";
    }
    "capture" {
        "BLOCK_BYTES_MAX" = Fixed(1_048_576), LIBRARY, "the file can't be read any further";
        "COLUMNS_MAX" = Fixed(64), LIBRARY, "the rest of the line of digits is passed over";
        "CONNECTIONS_MAX" = Fixed(16_384), LIBRARY, "the connection silent for longest is ended, with a note";
        "DATAGRAM_BYTES_MAX" = Fixed(65_535), LIBRARY, "the fragment is passed over";
        "EXTENSIONS_MAX" = Fixed(16), LIBRARY, "the packet is malformed, with a note";
        "FIRST_WORD_BYTES_MAX" = Fixed(64), LIBRARY, "it is no message";
        "FRAGMENTED_MAX" = Fixed(256), LIBRARY, "the oldest datagram is given out as it is, with a note";
        "FRAGMENTS_MAX" = Fixed(2_048), LIBRARY, "the datagram stays incomplete, with a note";
        "HELD_BYTES_MAX" = Fixed(67_108_864), LIBRARY, "the connection silent for longest is ended, with a note";
        "INTERFACES_MAX" = Fixed(1_024), LIBRARY, "the file can't be read any further";
        "NOTES_MAX" = Fixed(10_000), LIBRARY, "further notes are counted only";
        "RECORD_BYTES_MAX" = Fixed(262_144), LIBRARY, "the file can't be read any further";
        "REPEATED_BYTES_MAX" = Fixed(1_048_576), LIBRARY, "further repeated lines of a dump are passed over";
        "SEGMENTS_MAX" = Fixed(1_024), LIBRARY, "what is waited for is taken for missing, with a note";
        "TAGS_MAX" = Fixed(8), LIBRARY, "the frame is malformed, with a note";
        "TEXT_BYTES_MAX" = Fixed(67_108_864), LIBRARY, "the text can't be read";
        "UPGRADE_BYTES_MAX" = Fixed(16_384), LIBRARY, "the connection is no WebSocket";
        "WAITING_BYTES_MAX" = Fixed(1_048_576), LIBRARY, "what is waited for is taken for missing, with a note";
    }
    "transport" {
        "StreamLimits::message_bytes_max" = Setting("tcp.message_bytes_max"), By("io.message_bytes_max_reached"),
            "the message gets 513, or a WebSocket its 1009, and the connection is closed";
        "HANDSHAKE_BYTES_MAX" = Fixed(16_384), By("io.handshake_bytes_max_reached"), "the client of WebSocket gets 431";
        "PROXY_HEADER_BYTES_MAX" = Fixed(4_096), Not("io.announcements_refused counts it with what else is no header"), "the connection is closed";
        "STUN_BYTES_MAX" = Fixed(1_232), Not("stack.stun_dropped counts it with what else is no STUN"), "the packet is dropped";
        "ANSWER_RECORDS_MAX" = Fixed(64), By("stack.walk_limits_reached"), "further records of an answer are not read";
        "CNAMES_MAX" = Fixed(8), By("stack.walk_limits_reached"), "the name counts as one that isn't there";
        "SERVICES_MAX" = Fixed(8), By("stack.walk_limits_reached"), "further services of a domain are not asked for";
        "HOSTS_MAX" = Fixed(16), By("stack.walk_limits_reached"), "further hosts of a domain are not asked for";
        "QUESTIONS_MAX" = Fixed(64), By("stack.walk_limits_reached"), "the look-up goes on without further questions";
        "ADDRESSES_MAX" = Fixed(8), By("stack.walk_limits_reached"), "further addresses of a host are not tried";
        "TARGETS_MAX" = Fixed(32), By("stack.walk_limits_reached"), "further targets are not tried";
        "FAILED_TARGETS_MAX" = Fixed(1_024), Not("nothing is lost but a try"), "the one that is to be tried again first is forgotten";
    }
    "transaction" {
        "Config::server_transactions_max" = Setting("limits.server_transactions_max"),
            By("transactions.server_limit_reached"), "a new request gets 503 and leaves no state";
        "Config::client_transactions_max" = Setting("limits.client_transactions_max"),
            By("transactions.client_limit_reached"), "the branch counts as failed";
    }
    "auth" {
        "PARAMETER_BYTES_MAX" = Fixed(2_048), By("stack.parameter_bytes_max_reached"), "the credentials are malformed: 400";
        "CREDENTIALS_MAX" = Fixed(16), By("stack.credentials_max_reached"), "further Authorization header fields are passed over";
        "CHALLENGES_MAX" = Fixed(16), Not("only a client is challenged"), "further challenges are passed over";
        "SESSIONS_MAX" = Fixed(16), Not("only a client is challenged"), "the realm that has not challenged for longest is forgotten";
        "ROUNDS_MAX" = Fixed(8), Not("whoever sends the request is told"), "the request is not sent again";
        "CALL_IDS_MAX" = Fixed(64), Not("nothing is lost but a round trip"), "the oldest is forgotten: its next request is challenged";
        "NONCES_MAX" = Fixed(65_536), By("stack.nonces_max_reached"), "the oldest nonces go stale: their clients are challenged anew";
    }
    "location" {
        "AOR_BYTES_MAX" = Fixed(512), By("stack.aor_bytes_max_reached"), "404";
        "CONTACTS_PER_REQUEST_MAX" = Fixed(64), By("stack.contacts_per_request_max_reached"), "403";
        "CALL_ID_BYTES_MAX" = Fixed(512), By("stack.call_id_bytes_max_reached"), "403";
        "PATH_VALUES_MAX" = Fixed(16), By("stack.path_values_max_reached"), "403";
        "PATH_BYTES_MAX" = Fixed(2_048), By("stack.path_bytes_max_reached"), "403";
        "USER_AGENT_BYTES_MAX" = Fixed(128), Not("nothing is lost but the rest of a name"), "the stored name of the phone is cut";
        "Policy::bindings_per_aor_max" = Setting("registrar.bindings_per_aor_max"), By("stack.bindings_per_aor_max_reached"), "403";
        "Policy::contact_bytes_max" = Setting("registrar.contact_bytes_max"), By("stack.contact_bytes_max_reached"), "403";
    }
    "location-db" {
        "Options::queue_max" = Setting("location.queue_max"), By("location.refused_full"), "the REGISTER gets 503";
        "Options::aors_max" = Setting("location.aors_max"), By("location.aors_max_reached"),
            "the REGISTER of one more gets 500 with Retry-After";
        "Options::batch_max" = Setting("location.batch_max"), Not("nothing is lost: the rest goes with the next commit"),
            "the commit begins";
        "PURGE_MAX" = Fixed(1_024), LATER, "the rest is removed a moment later";
    }
    "proxy" {
        "Config::contexts_max" = Setting("limits.contexts_max"), By("stack.contexts_max_reached"), "a request to be relayed gets 503";
        "Config::uri_bytes_max" = Setting("limits.uri_bytes_max"), By("stack.uri_bytes_max_reached"), "a request with a longer Request-URI gets 414";
        "EARLY_MAX" = Fixed(16), Not("nothing is lost but a 199"), "the end of further early dialogs of a branch is not told by a 199";
        "Config::branches_max" = Setting("limits.branches_max"), By("stack.branches_max_reached"), "further contacts are not tried";
        "Config::max_breadth" = Setting("limits.max_breadth"), By("stack.max_breadth_reached"), "contacts wait for one another";
        "CONFLICTS_MAX" = Fixed(8), By("stack.conflicts_max_reached"), "the REGISTER gets 500";
    }
    "stack" {
        "Config::lookups_max" = Setting("limits.lookups_max"), By("stack.lookups_max_reached"), "503; an ACK is dropped";
        "DATAGRAM_BYTES_MAX" = Fixed(1_300), Not("nothing is lost"), "the request goes by TCP";
        "WHY_MAX" = Fixed(8), Not("nothing is lost but the rest of a line of the log"), "further Warnings and Reasons are not told";
    }
    "tokio" {
        "HANDED_MAX" = Fixed(4_096), By("io.handed_over_dropped"),
            "the datagram is lost; by TCP nothing is: see `io.messages_held`";
        "CARRIED_MAX" = Fixed(4_096), By("io.messages_carried_dropped"), "the message is lost";
        "ANNOUNCED_MAX" = Fixed(256), By("io.announced_max_reached"), "the connection of the load balancer is closed";
        "DnsOptions::answers_max" = Setting("dns.answers_max"), Not("nothing is lost but time"), "what was asked for least is forgotten";
        "ANSWERS_MAX" = Fixed(65_536), By("io.answers_dropped"), "the answer counts as one that never came";
        "RESOLVES_MAX" = Fixed(128), By("io.resolves_refused"), "the question counts as one that found nothing";
        "BACKLOG_MAX" = Fixed(1_024), By("io.backlog_max_reached"), "the datagram is lost";
        "UNREACHABLES_MAX" = Fixed(1_024), Not("the kernel loses those beyond its own buffer: their requests end by their timers"),
            "no more errors are read for a while";
        "LOG_LINES_PER_SEC" = Fixed(50), By("io.log_lines_suppressed"), "the line is not written";
        "ERRORS_MAX" = Fixed(16), By("io.errors_max_reached"), "the socket is left alone for 100 ms";
        "DATAGRAM_BYTES_MAX" = Fixed(65_536), Not("no datagram is longer"), "it would be cut";
        "ACCEPT_BACKLOG" = Fixed(1_024), Not("the kernel counts it: TcpExtListenOverflows"), "the peer tries again";
        "TcpLimits::connections_max" = Setting("tcp.connections_max"), By("io.connections_max_reached"),
            "the connection is closed, or not opened";
        "TcpLimits::connections_per_source_max" = Setting("tcp.connections_per_source_max"),
            By("io.connections_per_source_max_reached"), "the connection is closed, or not opened";
        "TcpLimits::handshakes_max" = Setting("tls.handshakes_max"), By("io.handshakes_max_reached"),
            "the connection is closed, or not opened";
        "TcpLimits::write_queue_bytes_max" = Setting("tcp.write_queue_bytes_max"), By("io.connections_overrun"),
            "the connection is closed";
        "DEAF_PEERS_MAX" = Fixed(256), Not("the oldest is forgotten"), "a message for a connection that is gone may open another one";
        "READS_PER_SOCKET" = Fixed(64), LATER, "another source has its turn";
        "HANDED_PER_TURN" = Fixed(64), LATER, "another source has its turn";
        "CARRIED_PER_TURN" = Fixed(256), LATER, "another source has its turn";
        "ANSWERS_PER_TURN" = Fixed(256), LATER, "another source has its turn";
        "UNREACHABLES_PER_TURN" = Fixed(64), LATER, "another source has its turn";
        "COMMANDS_PER_TURN" = Fixed(64), LATER, "another source has its turn";
        "COMMANDS_MAX" = Fixed(1_024), Not("nothing is lost: the server has no agent"), "who has another command waits";
        "INCOMING_MAX" = Fixed(1_024), LIBRARY, "a call or request of an agent's is refused with 503";
        "EVENTS_MAX" = Fixed(64), LIBRARY, "an event of a call is lost, and what wants an answer is refused";
        "PROGRESS_MAX" = Fixed(32), LIBRARY, "a provisional response or notification is not told";
        "HANDLERS_MAX" = Fixed(1_024), Not("nothing is lost: it waits with what comes in"), "the next handler waits";
        "LOOKUPS_PER_TURN" = Fixed(512), LATER, "another source has its turn";
        "CONNECTIONS_PER_TURN" = Fixed(64), LATER, "another source has its turn";
        "ACCEPTS_PER_TURN" = Fixed(32), LATER, "another source has its turn";
    }
    "server" {
        "SHARDS_MAX" = Fixed(256), TOLD, "refused";
        "NAME_BYTES_MAX" = Fixed(64), TOLD, "refused";
        "PASSWORD_BYTES_MAX" = Fixed(256), TOLD, "refused";
        "REALM_BYTES_MAX" = Fixed(1_024), TOLD, "refused";
        "INTERVAL_MS_MAX" = Fixed(3_600_000), TOLD, "refused";
        "COUNT_MAX" = Fixed(100_000_000), TOLD, "refused: no limit can be set higher";
    }
};

impl Limit {
    /// What it is set to.
    #[must_use]
    pub fn value(&self, settings: &Settings) -> u64 {
        match self.value {
            Fixed(value) => value,
            Setting(path) => {
                NUMBERS.iter().find(|number| number.path() == path).map_or(0, |number| (number.of)(settings))
            }
        }
    }

    /// What an operator knows it by: its setting, or its name where it has none.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self.value {
            Setting(path) => path,
            Fixed(_) => self.name,
        }
    }

    /// The counter, if it has one.
    #[must_use]
    pub fn counter(&self) -> Option<&'static str> {
        match self.counted {
            By(counter) => Some(counter),
            Not(_) => None,
        }
    }
}

/// The limits as a table in Markdown, with the values of these settings.
#[must_use]
pub fn limits_table(settings: &Settings) -> String {
    let mut out = String::from("| limit | value | set by | beyond it | counter |\n|---|--:|---|---|---|\n");
    for limit in LIMITS {
        let Limit { krate, name, beyond, .. } = limit;
        let set_by = match limit.value {
            Setting(path) => format!("`{path}`"),
            Fixed(_) => String::new(),
        };
        let counted = match limit.counted {
            By(counter) => format!("`{counter}`"),
            Not(why) => why.to_owned(),
        };
        _ = writeln!(out, "| `{krate}` `{name}` | {} | {set_by} | {beyond} | {counted} |", limit.value(settings));
    }
    out
}

#[cfg(test)]
mod tests;

//! Every setting that is a number: one row each, from which files are read, shown and checked.

use std::ops::RangeInclusive;
use std::time::Duration;

use ringback_base::Micros;
use ringback_transaction::Timers;

use crate::settings::Settings;

/// A setting that is a whole number.
#[derive(Debug)]
pub(crate) struct Number {
    /// The table that it stands in; at the top of the file where that is empty.
    pub(crate) section: &'static str,
    /// Its key; the unit is in its name.
    pub(crate) key: &'static str,
    /// What it may be.
    pub(crate) range: RangeInclusive<u64>,
    pub(crate) of: fn(&Settings) -> u64,
    pub(crate) set: fn(&mut Settings, u64),
}

/// The sections that hold numbers, in the order in which they are shown.
pub(crate) const SECTIONS: [&str; 9] =
    ["timers", "registrar", "directory", "location", "dns", "tcp", "tls", "websocket", "limits"];

/// The most of anything that is counted in a table: more would not fit into memory.
const COUNT_MAX: u64 = 100_000_000;

/// What a message may have at all.
const MESSAGE_BYTES_MAX: u64 = ringback_message::MESSAGE_BYTES_MAX as u64;

const HOUR_MS: u64 = 3_600_000;
const DAY_SECS: u64 = 86_400;
const YEAR_SECS: u64 = 366 * DAY_SECS;

/// A row whose value is a field that counts something.
macro_rules! count {
    ($section:literal, $key:literal, $range:expr, $($field:ident).+) => {
        Number {
            section: $section,
            key: $key,
            range: $range,
            of: |settings| u64::try_from(settings.$($field).+).unwrap_or(u64::MAX),
            set: |settings, number| {
                // The range is within what the field holds; where it were not, the field's own end is the nearest.
                settings.$($field).+ = number.try_into().unwrap_or_else(|_| COUNT_MAX as _);
            },
        }
    };
}

/// A row whose value is a span of time.
macro_rules! span {
    ($section:literal, $key:literal, $range:expr, $of:expr, $set:expr) => {
        Number { section: $section, key: $key, range: $range, of: $of, set: $set }
    };
}

/// All of them.
pub(crate) static NUMBERS: &[Number] = &[
    span!("", "drain_secs", 0..=DAY_SECS, |s| s.drain.as_secs(), |s, n| s.drain = Duration::from_secs(n)),
    span!("timers", "t1_ms", 1..=60_000, |s| ms(s.transactions.timers.t1()), |s, n| set_timers(s, |t| {
        Timers::new(Micros::from_ms(n), t.t2(), t.t4())
    })),
    span!("timers", "t2_ms", 1..=60_000, |s| ms(s.transactions.timers.t2()), |s, n| set_timers(s, |t| {
        Timers::new(t.t1(), Micros::from_ms(n), t.t4())
    })),
    span!("timers", "t4_ms", 0..=60_000, |s| ms(s.transactions.timers.t4()), |s, n| set_timers(s, |t| {
        Timers::new(t.t1(), t.t2(), Micros::from_ms(n))
    })),
    span!("timers", "timer_c_secs", 1..=DAY_SECS, |s| secs(s.proxy.timer_c), |s, n| s.proxy.timer_c =
        Micros::from_secs(n)),
    span!("timers", "lookup_timeout_ms", 1..=HOUR_MS, |s| ms(s.lookup_timeout), |s, n| s.lookup_timeout =
        Micros::from_ms(n)),
    count!("registrar", "min_expires_secs", 1..=YEAR_SECS, registrar.min_expires_secs),
    count!("registrar", "max_expires_secs", 1..=YEAR_SECS, registrar.max_expires_secs),
    count!("registrar", "default_expires_secs", 1..=YEAR_SECS, registrar.default_expires_secs),
    count!("registrar", "bindings_per_aor_max", 1..=1_000, registrar.bindings_per_aor_max),
    count!("registrar", "contact_bytes_max", 64..=16_384, registrar.contact_bytes_max),
    count!("registrar", "flow_timer_secs", 0..=DAY_SECS, flow_timer_secs),
    count!("directory", "number_digits_min", 0..=32, directory.number_digits_min),
    span!("location", "commit_window_ms", 0..=1_000, |s| duration_ms(s.location.commit_window), |s, n| s
        .location
        .commit_window =
        Duration::from_millis(n)),
    count!("location", "batch_max", 1..=1_000_000, location.batch_max),
    count!("location", "queue_max", 1..=COUNT_MAX, location.queue_max),
    count!("location", "aors_max", 1..=COUNT_MAX, location.aors_max),
    count!("location", "cache_bytes", 65_536..=1 << 40, location.cache_bytes),
    span!("dns", "try_timeout_ms", 1..=60_000, |s| duration_ms(s.dns.try_timeout), |s, n| s.dns.try_timeout =
        Duration::from_millis(n)),
    count!("dns", "answers_max", 0..=COUNT_MAX, dns.answers_max),
    span!("dns", "ttl_bound_secs", 0..=YEAR_SECS, |s| s.dns.ttl_bound.as_secs(), |s, n| s.dns.ttl_bound =
        Duration::from_secs(n)),
    span!("dns", "negative_ttl_bound_secs", 0..=YEAR_SECS, |s| s.dns.negative_ttl_bound.as_secs(), |s, n| s
        .dns
        .negative_ttl_bound =
        Duration::from_secs(n)),
    span!("dns", "failed_target_secs", 0..=DAY_SECS, |s| secs(s.failed_target_wait), |s, n| s.failed_target_wait =
        Micros::from_secs(n)),
    count!("tcp", "connections_max", 1..=COUNT_MAX, tcp.connections_max),
    count!("tcp", "connections_per_source_max", 1..=COUNT_MAX, tcp.connections_per_source_max),
    count!("tcp", "write_queue_bytes_max", 65_536..=1 << 30, tcp.write_queue_bytes_max),
    count!("tcp", "message_bytes_max", 1_024..=MESSAGE_BYTES_MAX, tcp.stream.message_bytes_max),
    span!("tcp", "connect_timeout_ms", 1..=60_000, |s| ms(s.tcp.connect_timeout), |s, n| s.tcp.connect_timeout =
        Micros::from_ms(n)),
    span!("tcp", "newcomer_timeout_secs", 1..=DAY_SECS, |s| secs(s.tcp.newcomer_timeout), |s, n| s
        .tcp
        .newcomer_timeout =
        Micros::from_secs(n)),
    span!("tcp", "message_timeout_secs", 1..=DAY_SECS, |s| secs(s.tcp.stream.message_timeout), |s, n| s
        .tcp
        .stream
        .message_timeout =
        Micros::from_secs(n)),
    span!("tcp", "idle_timeout_secs", 1..=YEAR_SECS, |s| secs(s.tcp.stream.idle_timeout), |s, n| s
        .tcp
        .stream
        .idle_timeout =
        Micros::from_secs(n)),
    span!("tcp", "stall_timeout_secs", 1..=DAY_SECS, |s| secs(s.tcp.stall_timeout), |s, n| s.tcp.stall_timeout =
        Micros::from_secs(n)),
    span!("tcp", "half_closed_timeout_secs", 1..=DAY_SECS, |s| secs(s.tcp.half_closed_timeout), |s, n| s
        .tcp
        .half_closed_timeout =
        Micros::from_secs(n)),
    span!("tcp", "linger_timeout_ms", 1..=60_000, |s| ms(s.tcp.linger_timeout), |s, n| s.tcp.linger_timeout =
        Micros::from_ms(n)),
    span!("tcp", "probe_after_secs", 1..=DAY_SECS, |s| secs(s.tcp.probe_after), |s, n| s.tcp.probe_after =
        Micros::from_secs(n)),
    span!("tls", "renewal_check_secs", 0..=DAY_SECS, |s| s.tls.renewal_check.as_secs(), |s, n| s.tls.renewal_check =
        Duration::from_secs(n)),
    count!("tls", "handshakes_max", 1..=COUNT_MAX, tcp.handshakes_max),
    span!("tls", "handshake_timeout_secs", 1..=DAY_SECS, |s| secs(s.tcp.handshake_timeout), |s, n| s
        .tcp
        .handshake_timeout =
        Micros::from_secs(n)),
    span!("websocket", "ping_after_secs", 1..=DAY_SECS, |s| secs(s.tcp.ping_after), |s, n| s.tcp.ping_after =
        Micros::from_secs(n)),
    span!("websocket", "pong_timeout_secs", 1..=DAY_SECS, |s| secs(s.tcp.pong_timeout), |s, n| s.tcp.pong_timeout =
        Micros::from_secs(n)),
    count!("limits", "server_transactions_max", 1..=COUNT_MAX, transactions.server_transactions_max),
    count!("limits", "client_transactions_max", 1..=COUNT_MAX, transactions.client_transactions_max),
    count!("limits", "contexts_max", 1..=COUNT_MAX, proxy.contexts_max),
    count!("limits", "uri_bytes_max", 256..=MESSAGE_BYTES_MAX, proxy.uri_bytes_max),
    count!("limits", "branches_max", 1..=1_000, proxy.branches_max),
    count!("limits", "max_breadth", 1..=1_000, proxy.max_breadth),
    count!("limits", "lookups_max", 1..=COUNT_MAX, lookups_max),
];

impl Number {
    /// As it is written in a path: `limits.lookups_max`.
    pub(crate) fn path(&self) -> String {
        if self.section.is_empty() { self.key.to_owned() } else { format!("{}.{}", self.section, self.key) }
    }
}

/// All numbers of a section.
pub(crate) fn of_section(section: &str) -> impl Iterator<Item = &'static Number> {
    NUMBERS.iter().filter(move |number| number.section == section)
}

/// A cancelled branch has 64 × T1, whatever T1 is. `[RFC 3261, Section 9.1]`
fn set_timers(settings: &mut Settings, change: impl FnOnce(Timers) -> Timers) {
    let timers = change(settings.transactions.timers);
    settings.transactions.timers = timers;
    settings.proxy.cancel_wait = timers.t1_64();
}

fn ms(span: Micros) -> u64 {
    duration_ms(span.to_duration())
}

fn secs(span: Micros) -> u64 {
    span.to_duration().as_secs()
}

fn duration_ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn each_row_sets_what_it_tells_and_nothing_else() {
        for number in NUMBERS {
            for value in [*number.range.start(), *number.range.end()] {
                let mut settings = Settings::new("d".into());
                let before: Vec<_> = NUMBERS.iter().map(|other| (other.of)(&settings)).collect();
                (number.set)(&mut settings, value);
                for (other, before) in NUMBERS.iter().zip(before) {
                    let expected = if std::ptr::eq(other, number) { value } else { before };
                    assert_eq!((other.of)(&settings), expected, "{} after {}", other.path(), number.path());
                }
            }
        }
    }

    #[test]
    fn defaults_are_within_their_ranges_and_sections_known() {
        let settings = Settings::new("d".into());
        for number in NUMBERS {
            assert!(number.range.contains(&(number.of)(&settings)), "{}", number.path());
            assert!(number.section.is_empty() || SECTIONS.contains(&number.section));
        }
        let mut paths: Vec<_> = NUMBERS.iter().map(Number::path).collect();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), NUMBERS.len());
    }

    #[test]
    fn a_cancelled_branch_waits_for_64_t1() {
        let mut settings = Settings::new("d".into());
        let t1 = NUMBERS.iter().find(|number| number.key == "t1_ms").unwrap();
        (t1.set)(&mut settings, 100);
        assert_eq!(settings.proxy.cancel_wait, Micros::from_ms(6_400));
    }
}

//! What a server counts, under names that its log and its documentation share.

use std::fmt;

use ringback_location_db::Stats;
use ringback_tokio::{IoCounters, Tally};

use crate::limits::{LIMITS, Limit};

/// How often things happened since the start, all shards together.
///
/// A name is a group and a counter: `io.received`. The groups are `stack`, `transactions`, `io` and `location`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters(Group);

type Group = Vec<(&'static str, u64)>;

macro_rules! group {
    ($group:literal, $of:expr, [$($field:ident),* $(,)?]) => {
        Vec::from([$((concat!($group, ".", stringify!($field)), as_u64($of.$field)),)*])
    };
}

impl Counters {
    /// The sum over the shards.
    pub(crate) fn of(shards: &[Tally], io: &IoCounters, location: &Stats) -> Counters {
        let mut counters = Counters::default();
        for shard in shards {
            counters.add(of_stack(&shard.stack));
            counters.add(of_transactions(&shard.transactions));
        }
        counters.add(of_io(io));
        counters.add(of_location(location));
        counters
    }

    /// The counter of that name, 0 where nothing was counted; `None` where there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<u64> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, count)| *count)
    }

    /// Every counter.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.0.iter().copied()
    }

    /// `limit=count` of each limit of [`LIMITS`] that was reached and has a counter.
    #[must_use]
    pub fn limits_reached(&self) -> String {
        let count = |limit: &Limit| limit.counter().and_then(|counter| self.get(counter)).unwrap_or(0);
        let reached = LIMITS.iter().map(|limit| (limit.label(), count(limit))).filter(|(_, count)| *count > 0);
        reached.map(|(name, count)| format!("{name}={count}")).collect::<Vec<_>>().join(" ")
    }

    fn add(&mut self, group: Group) {
        for (name, count) in group {
            match self.0.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sum)) => *sum = sum.saturating_add(count),
                None => self.0.push((name, count)),
            }
        }
    }
}

impl fmt::Display for Counters {
    /// `name=count` of each that is not 0.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for (name, count) in self.iter().filter(|(_, count)| *count > 0) {
            write!(f, "{between}{name}={count}")?;
            between = " ";
        }
        Ok(())
    }
}

fn of_stack(of: &ringback_stack::Counters) -> Group {
    group!(
        "stack",
        of,
        [
            requests,
            responses,
            keep_alives,
            stun_requests,
            stun_dropped,
            malformed,
            stray_responses,
            acks_dropped,
            calls,
            lookups_failed,
            message_bytes_max_reached,
            header_lines_max_reached,
            header_name_bytes_max_reached,
            auth_params_max_reached,
            parameter_bytes_max_reached,
            credentials_max_reached,
            nonces_max_reached,
            aor_bytes_max_reached,
            contacts_per_request_max_reached,
            call_id_bytes_max_reached,
            path_values_max_reached,
            path_bytes_max_reached,
            bindings_per_aor_max_reached,
            contact_bytes_max_reached,
            conflicts_max_reached,
            uri_bytes_max_reached,
            contexts_max_reached,
            branches_max_reached,
            max_breadth_reached,
            lookups_max_reached,
            walk_limits_reached,
        ]
    )
}

fn of_transactions(of: &ringback_transaction::Counters) -> Group {
    group!(
        "transactions",
        of,
        [
            server_transactions,
            client_transactions,
            server_limit_reached,
            client_limit_reached,
            requests_repeated,
            responses_repeated,
            acks_absorbed,
            acks_out_of_place,
            responses_out_of_place,
            responses_stray,
            retransmissions,
            client_timeouts,
            ack_timeouts,
            expiries,
            transport_errors,
        ]
    )
}

fn of_io(of: &IoCounters) -> Group {
    group!(
        "io",
        of,
        [
            received,
            sent,
            handed_over,
            handed_over_dropped,
            receive_errors,
            errors_max_reached,
            send_errors,
            send_dropped,
            backlog_max_reached,
            requests_unreachable,
            announcements_refused,
            announced_max_reached,
            messages_received,
            messages_sent,
            messages_held,
            messages_carried,
            messages_carried_dropped,
            flows_gone,
            connections_accepted,
            connections_opened,
            connections_max_reached,
            connections_per_source_max_reached,
            connects_failed,
            connect_timeouts,
            handshakes,
            handshakes_failed,
            handshake_timeouts,
            handshakes_max_reached,
            websockets_opened,
            websockets_refused,
            handshake_bytes_max_reached,
            websockets_broken,
            connections_lost,
            connections_idle,
            connections_slow,
            connections_stalled,
            connections_overrun,
            connections_rejected,
            message_bytes_max_reached,
            connections_unanswered,
            accept_errors,
            resolves_refused,
            answers_dropped,
            log_lines_suppressed,
        ]
    )
}

fn of_location(of: &Stats) -> Group {
    group!(
        "location",
        of,
        [aors, queued, stores, conflicts, refused_full, aors_max_reached, commits, commits_failed, syncs]
    )
}

fn as_u64<T: TryInto<u64>>(count: T) -> u64 {
    count.try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    /// All of them, at 0.
    pub(crate) fn none() -> Counters {
        Counters::of(&[Default::default()], &IoCounters::default(), &Stats::default())
    }

    /// The fields that a struct tells of itself.
    fn fields(debug: &str) -> Vec<String> {
        let inner = debug.split_once('{').unwrap().1.trim_end_matches('}');
        inner.split(',').map(|field| field.split_once(':').unwrap().0.trim().to_owned()).collect()
    }

    #[test]
    fn nothing_that_is_counted_is_left_out() {
        let all = none();
        for (group, debug) in [
            ("stack", format!("{:?}", ringback_stack::Counters::default())),
            ("transactions", format!("{:?}", ringback_transaction::Counters::default())),
            ("io", format!("{:?}", IoCounters::default())),
            ("location", format!("{:?}", Stats::default())),
        ] {
            let there: Vec<_> = fields(&debug).into_iter().map(|field| format!("{group}.{field}")).collect();
            let listed: Vec<_> = all.iter().map(|(name, _)| name).filter(|name| name.starts_with(group)).collect();
            assert_eq!(listed, there, "the list in this file");
        }
    }

    #[test]
    fn shards_are_added_up_and_zeros_left_out() {
        let mut shard = Tally::default();
        shard.stack.requests = 3;
        shard.transactions.server_limit_reached = 1;
        let mut io = IoCounters::default();
        io.received = 7;
        let counters = Counters::of(&[shard.clone(), shard], &io, &Stats::default());
        assert_eq!(counters.to_string(), "stack.requests=6 transactions.server_limit_reached=2 io.received=7");
        assert_eq!(counters.limits_reached(), "limits.server_transactions_max=2");
        assert_eq!((counters.get("stack.requests"), counters.get("stack.calls")), (Some(6), Some(0)));
        assert_eq!(counters.get("stack.banana"), None);
    }
}

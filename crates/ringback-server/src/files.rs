//! How many files the system lets the process open: every connection takes one.

use ringback_tokio::RESOLVES_MAX;

/// What is open besides sockets and shards: standard streams, databases, the main thread's watch on signals, and what a backup of a
/// database or a library opens for a moment.
const BESIDE: usize = 64;

/// What a shard, or the resolver, has open besides its sockets: the kernel's queue of events and what wakes it.
const OF_SHARD: usize = 8;

/// What a question to name servers may have open: a socket for each of the two that are asked at a time.
const OF_RESOLVE: usize = 2;

/// How many connections there may be: as many as are wished, or what the system leaves room for. The process's own limit is raised
/// first, and where that is not enough the log says so.
pub(crate) fn connections_max(wished: usize, shards: u16, addresses: usize) -> usize {
    let beside = beside(shards, addresses);
    let needed = wished.saturating_add(beside);
    let Some(files_max) = raise(needed).filter(|files_max| *files_max < needed) else { return wished };
    let connections_max = fitting(files_max, beside);
    tracing::warn!(
        files_max,
        needed,
        wished,
        connections_max,
        "the system lets this process open fewer files than tcp.connections_max wants: fewer connections are taken; \
         raise its hard limit of open files (LimitNOFILE, ulimit -Hn), or lower tcp.connections_max"
    );
    connections_max
}

/// What the process has open that is no connection, at most.
fn beside(shards: u16, addresses: usize) -> usize {
    // For each address a socket, an acceptor, and a connection that is accepted only to be closed.
    let of_shard = OF_SHARD.saturating_add(addresses.saturating_mul(3));
    let of_resolver = OF_SHARD.saturating_add(RESOLVES_MAX * OF_RESOLVE);
    BESIDE.saturating_add(of_resolver).saturating_add(usize::from(shards).saturating_mul(of_shard))
}

/// The connections that so many files leave room for; not fewer than half of them, so that there is some service in any case.
fn fitting(files_max: usize, beside: usize) -> usize {
    files_max.saturating_sub(beside).max(files_max / 2)
}

/// Raises the limit of open files as far as it goes, and tells how many may be open then; `None` where nobody knows.
///
/// The low limit that processes start with is for programs that can't deal with more (`select`); this one can.
#[cfg(unix)]
fn raise(needed: usize) -> Option<usize> {
    use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};

    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    let needed = rlim_t::try_from(needed).unwrap_or(rlim_t::MAX);
    // Where a process may have fewer than the hard limit says (macOS), what is needed may still be had.
    for limit in [hard, needed.min(hard)] {
        if limit > soft && setrlimit(Resource::RLIMIT_NOFILE, limit, hard).is_ok() {
            return Some(usize::try_from(limit).unwrap_or(usize::MAX));
        }
    }
    Some(usize::try_from(soft).unwrap_or(usize::MAX))
}

/// Elsewhere there is no such limit.
#[cfg(not(unix))]
fn raise(_: usize) -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_for_connections() {
        let beside = beside(2, 2);
        // 64, 264 for the resolver, and for each of two shards 8 and 3 for each of two addresses.
        assert_eq!(beside, 356);
        assert_eq!(fitting(1_024, beside), 668);
        assert_eq!(fitting(100, beside), 50);
    }

    #[cfg(unix)]
    #[test]
    fn the_limit_is_raised_to_the_hard_one() {
        use nix::sys::resource::{Resource, getrlimit, setrlimit};

        let limits = || getrlimit(Resource::RLIMIT_NOFILE);
        let (soft, hard) = limits().unwrap_or_default();
        // What other tests of this process have open fits in it.
        let low = 256.min(soft);
        assert_eq!(setrlimit(Resource::RLIMIT_NOFILE, low, hard), Ok(()));
        assert_eq!(connections_max(1, 1, 1), 1);
        assert_eq!(limits(), Ok((hard, hard)));
    }
}

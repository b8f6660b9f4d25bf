//! What a stack is told when it starts.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use ringback_auth::{Algorithm, AuthConfig, AuthConfigError, Authenticator, NONCES_MAX, NonceSecret};
use ringback_base::{Micros, Random};
use ringback_location::Policy;
use ringback_proxy::{Directory, Listener};
use ringback_transport::resolve::{Hosts, Preferences};

/// The settings of one shard.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which shard this is.
    pub shard: u16,
    /// Every listener of the process, whichever shard reads it.
    pub listeners: Vec<Listener>,
    /// The name that addresses of record are kept under.
    pub domain: Box<str>,
    /// Other names of the same domain; those of the listeners and `localhost` on a loopback one need not be listed.
    pub aliases: Vec<Box<str>>,
    /// Nobody is asked for credentials, and every user exists: for closed test networks.
    pub open: bool,
    /// Whoever has an account may register every address of record: for closed networks.
    pub any_aor: bool,
    /// Requests for users are answered with 302 and the user's contacts, not relayed. `[RFC 3261, Section 8.3]`
    pub redirect: bool,
    /// Domains of other servers that phones reach through this one: it is their edge proxy. `[RFC 5626, Section 5]`
    pub edge_of: Vec<Box<str>>,
    /// What is said of names that are no users, and for users who want it so.
    pub directory: Directory,
    /// The realm of digest challenges.
    pub realm: String,
    /// The digest algorithms that are offered, the preferred one first. `[RFC 8760, Section 2.3]`
    pub algorithms: Vec<Algorithm>,
    /// The secret of nonces, the same for all shards; without one a stack draws its own.
    pub nonce_secret: Option<[u8; 32]>,
    /// How many used nonces are remembered; more live ones make the oldest stale.
    pub nonces_max: usize,
    /// Proves that a Record-Route is ours; kept across restarts, so that calls survive them.
    pub route_secret: [u8; 32],
    /// The registrar's limits.
    pub registrar: Policy,
    /// How often phones that offer it are to show that they are there, in seconds: Flow-Timer, and the value of `keep`. By datagrams it is
    /// 30 at most; at 0 nothing is said. Default 120, the example of `[RFC 5626, Section 4.4]`.
    pub flow_timer_secs: u32,
    /// Timers and table sizes of transactions.
    pub transactions: ringback_transaction::Config,
    /// Peers whose transactions have timers of their own, whatever their port and transport.
    pub timers_of: Vec<(IpAddr, ringback_transaction::Timers)>,
    /// Timers and limits of the proxy.
    pub proxy: ringback_proxy::Config,
    /// The value of Server, or nothing.
    pub server: Option<String>,
    /// How long a look-up may take before the request is answered without it. The search for a target takes several, one after
    /// another, and three times as long at most.
    pub lookup_timeout: Micros,
    /// Host names whose addresses are known without asking.
    pub hosts: Hosts,
    /// Where a host has addresses of both families, those of IPv6 are tried first.
    pub ipv6_first: bool,
    /// Whether `maddr` in a URI says where a request goes: it lets whoever writes the URI aim our requests at others.
    pub maddr: bool,
    /// For how long a target that failed is tried after the others of its name.
    pub failed_target_wait: Micros,
    /// How many look-ups may be open; requests beyond it get 503.
    pub lookups_max: usize,
}

impl Config {
    /// The defaults for a domain, which is also the realm, and these listeners.
    ///
    /// The secret of Record-Route is all zeros: a server sets one of its own.
    #[must_use]
    pub fn new(domain: &str, listeners: Vec<Listener>) -> Config {
        Config {
            shard: 0,
            listeners,
            domain: domain.into(),
            aliases: Vec::new(),
            open: false,
            any_aor: false,
            redirect: false,
            edge_of: Vec::new(),
            directory: Directory::default(),
            realm: domain.into(),
            algorithms: Vec::from([Algorithm::Sha256, Algorithm::Md5]),
            nonce_secret: None,
            nonces_max: NONCES_MAX,
            route_secret: [0; 32],
            registrar: Policy::default(),
            flow_timer_secs: 120,
            transactions: ringback_transaction::Config::default(),
            timers_of: Vec::new(),
            proxy: ringback_proxy::Config::default(),
            server: None,
            lookup_timeout: Micros::from_secs(3),
            hosts: Hosts::default(),
            ipv6_first: true,
            maddr: false,
            failed_target_wait: Micros::from_secs(60),
            lookups_max: 100_000,
        }
    }

    /// What the listeners can reach.
    pub(crate) fn preferences(&self) -> Preferences {
        let sockets: Vec<_> = self.listeners.iter().map(|on| (on.transport, on.address.ip())).collect();
        Preferences { hosts: self.hosts.clone(), ..Preferences::of_sockets(&sockets, self.ipv6_first) }
    }

    pub(crate) fn authenticator(&self, random: &mut Random) -> Result<Authenticator, AuthConfigError> {
        let mut config = AuthConfig::new(self.realm.clone());
        config.algorithms.clone_from(&self.algorithms);
        config.nonces_max = self.nonces_max;
        let secret = match self.nonce_secret {
            Some(bytes) => NonceSecret::new(bytes),
            None => NonceSecret::random(random),
        };
        Authenticator::new(config, &secret, self.shard, random)
    }
}

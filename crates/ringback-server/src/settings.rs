//! What a server is told, whether by flags or by a file.

mod text;

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use ringback_auth::Algorithm;
use ringback_base::{Micros, Transport};
use ringback_location::Policy;
use ringback_location_db::Options;
use ringback_stack::{Config, Directory};
use ringback_tokio::{DnsOptions, Network, TcpLimits};
use ringback_transport::resolve::Hosts;
use ringback_transport::websocket::Admission;

use crate::listen::Listen;
pub use text::{Domain, DomainError, PublicName, When, WhenError};

/// The realm of accounts, and the name that addresses of record are kept under, where no domain is named.
pub const DEFAULT_REALM: &str = "localhost";

/// How many shards a server may have.
pub const SHARDS_MAX: u16 = 256;

/// The settings of a server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen. Default: port 5060 of the loopback addresses.
    pub listeners: Vec<ListenerSettings>,
    /// The domain, if it has a name. The names and addresses of the listeners mean the same domain.
    pub domain: Option<Domain>,
    /// Other names of the domain.
    pub aliases: Vec<Domain>,
    /// The realm that passwords are hashed with. Default: the one that is stored with the accounts, for new ones the domain.
    pub realm: Option<Box<str>>,
    /// The digest algorithms that are offered, the preferred one first.
    ///
    /// Default: MD5 alone, because phones and tools that are in use give up where another one comes first. For trusted networks only.
    pub algorithms: Vec<Algorithm>,
    /// Nobody is asked for credentials, and every user exists: for closed test networks. Default: false.
    pub open: bool,
    /// Whoever has an account may register every address of record: for closed networks. Default: false.
    pub any_aor: bool,
    /// Requests for users are answered with 302 and the user's contacts, not relayed. Default: false.
    pub redirect: bool,
    /// Domains of other servers that phones reach through this one: it is their edge proxy. Default: none.
    pub edge_of: Vec<Domain>,
    /// What is said of names that are no users, and for users who want it so. Default: nothing.
    pub directory: Directory,
    /// Where accounts are kept.
    pub accounts: AccountsSource,
    /// The folder of the databases; made if it is missing.
    pub data: PathBuf,
    /// How many shards there are, at most [`SHARDS_MAX`]. Default: one for each core.
    pub shards: Option<NonZeroU16>,
    /// How long a server that was asked to end waits for what is open. Default: 5 s.
    ///
    /// A call that is being set up is answered by then, or its caller tries again; the 32 s of Timer H would outlast what
    /// service managers grant.
    pub drain: Duration,
    /// The location table: when a registration counts as durable, and how stores are gathered.
    pub location: Options,
    /// The registrar's limits.
    pub registrar: Policy,
    /// How often phones that offer it are to show that they are there, in seconds; 0: nothing is said of it. Default: 120.
    pub flow_timer_secs: u32,
    /// T1, T2, T4 and the tables of transactions.
    pub transactions: ringback_transaction::Config,
    /// Timer C and the limits of relayed requests.
    pub proxy: ringback_proxy::Config,
    /// The limits of TCP connections.
    pub tcp: TcpLimits,
    /// What TLS is spoken with.
    pub tls: TlsSettings,
    /// Load balancers, whose connections begin with a header of the PROXY protocol, version 2. Default: none.
    pub proxies: Vec<Network>,
    /// Which pages of browsers may connect, and at which path.
    pub admission: Admission,
    /// Which name servers are asked, and what is kept of their answers.
    pub dns: DnsOptions,
    /// Host names whose addresses are known without asking.
    pub hosts: Hosts,
    /// Where a host has addresses of both families, those of IPv6 are tried first. Default: true.
    pub ipv6_first: bool,
    /// Whether `maddr` in a URI says where a request goes. Default: false.
    pub maddr: bool,
    /// For how long a target that failed is tried after the others of its name.
    pub failed_target_wait: Micros,
    /// How long a look-up may take before the request is answered without it.
    pub lookup_timeout: Micros,
    /// How many look-ups one shard may have open.
    pub lookups_max: usize,
}

/// One place to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerSettings {
    /// Where.
    pub listen: Listen,
    /// By which transports, each once.
    pub transports: Vec<Transport>,
    /// What others reach it by, where that is another name or address than ours.
    pub advertised: Option<PublicName>,
}

/// The transports that can be listened on.
pub const TRANSPORTS: [Transport; 5] = [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss];

/// Those that are listened on where nothing else is said.
pub const DEFAULT_TRANSPORTS: [Transport; 2] = [Transport::Udp, Transport::Tcp];

/// The files that TLS is spoken with. They are read when the server starts, again when it is told to (SIGHUP), and when others are in their place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    /// Certificates and their keys. A client gets the first that is for the name that it asks for; who asks for none, or for another,
    /// gets the first of all.
    pub certificates: Vec<CertificateFiles>,
    /// Whether clients are to show a certificate. Default: no.
    pub verify_client: VerifyClient,
    /// The roots that certificates of clients have to lead to.
    pub client_ca: Option<PathBuf>,
    /// The roots that certificates of servers have to lead to. Default: those of the system.
    pub ca: Option<PathBuf>,
    /// Where the secrets of all connections are written to. Default: nowhere.
    pub key_log: Option<PathBuf>,
    /// Without a certificate the server makes one for itself, for trying out. Default: false.
    pub self_signed: bool,
    /// How often the files are looked at for others in their place, which are then read; zero: never. Default: a minute.
    ///
    /// A certificate that was renewed and not read ends the service some weeks later; a look costs next to nothing.
    pub renewal_check: Duration,
}

impl Default for TlsSettings {
    fn default() -> TlsSettings {
        TlsSettings {
            certificates: Vec::new(),
            verify_client: VerifyClient::default(),
            client_ca: None,
            ca: None,
            key_log: None,
            self_signed: false,
            renewal_check: Duration::from_secs(60),
        }
    }
}

/// A certificate with what leads to its root, and its key: two PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, and what leads to its root.
    pub chain: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Whether clients are to show a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VerifyClient {
    /// None is asked for.
    #[default]
    Off,
    /// One is asked for, and has to be good where it is shown.
    Request,
    /// Who shows no good one is not served.
    Require,
}

/// Where accounts are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AccountsSource {
    /// In a database in the data folder, which `ringback user` changes.
    #[default]
    Database,
    /// In a file that an operator writes, and that is read at each start.
    File(PathBuf),
}

impl Settings {
    /// The defaults, with this data folder.
    #[must_use]
    pub fn new(data: PathBuf) -> Settings {
        // Every core has defaults of its own, and they are said once: there.
        let stack = Config::new(DEFAULT_REALM, Vec::new());
        Settings {
            listeners: Vec::from([Listen::default().into()]),
            domain: None,
            aliases: Vec::new(),
            realm: None,
            algorithms: Vec::from([Algorithm::Md5]),
            open: stack.open,
            any_aor: stack.any_aor,
            redirect: stack.redirect,
            edge_of: Vec::new(),
            directory: stack.directory,
            accounts: AccountsSource::Database,
            data,
            shards: None,
            drain: Duration::from_secs(5),
            location: Options::default(),
            registrar: stack.registrar,
            flow_timer_secs: stack.flow_timer_secs,
            transactions: stack.transactions,
            proxy: stack.proxy,
            tcp: TcpLimits::default(),
            tls: TlsSettings::default(),
            proxies: Vec::new(),
            admission: Admission::default(),
            dns: DnsOptions::default(),
            hosts: stack.hosts,
            ipv6_first: stack.ipv6_first,
            maddr: stack.maddr,
            failed_target_wait: stack.failed_target_wait,
            lookup_timeout: stack.lookup_timeout,
            lookups_max: stack.lookups_max,
        }
    }

    /// The name that addresses of record are kept under.
    #[must_use]
    pub fn domain_name(&self) -> &str {
        self.domain.as_ref().map_or(DEFAULT_REALM, Domain::as_str)
    }

    /// The realm that accounts are made for where there are none yet.
    #[must_use]
    pub fn realm_if_new(&self) -> &str {
        self.realm.as_deref().unwrap_or_else(|| self.domain_name())
    }

    /// How many shards there will be.
    pub(crate) fn shard_count(&self) -> u16 {
        let cores =
            || std::thread::available_parallelism().map_or(1, |cores| u16::try_from(cores.get()).unwrap_or(SHARDS_MAX));
        self.shards.map_or_else(cores, NonZeroU16::get).min(SHARDS_MAX)
    }
}

impl ListenerSettings {
    /// Whether it listens by this transport.
    #[must_use]
    pub fn has(&self, transport: Transport) -> bool {
        self.transports.contains(&transport)
    }

    /// By TLS too, where it isn't one for pages of browsers.
    pub fn add_tls(&mut self) {
        if !self.transports.iter().any(|transport| matches!(transport, Transport::Tls | Transport::Ws | Transport::Wss))
        {
            self.transports.push(Transport::Tls);
        }
    }
}

impl From<Listen> for ListenerSettings {
    /// By UDP and TCP, under its own address.
    fn from(listen: Listen) -> ListenerSettings {
        ListenerSettings { listen, transports: DEFAULT_TRANSPORTS.to_vec(), advertised: None }
    }
}

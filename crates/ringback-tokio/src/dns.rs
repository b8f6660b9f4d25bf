//! A resolver that asks name servers, on a thread of its own.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use ringback_transport::resolve::{DnsAnswer, Naptr, Question, Record, RecordData, RecordKind, Srv};
use tokio::runtime::{Builder, Handle};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout_at;

/// How many questions are under way at once; those beyond it fail.
pub const RESOLVES_MAX: usize = 128;

/// Which name servers are asked, and what is kept of their answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsOptions {
    /// The name servers; none means those of the system, with its search domains.
    pub servers: Vec<SocketAddr>,
    /// How long one try waits; a question is tried twice.
    pub try_timeout: Duration,
    /// How many answers are kept.
    pub answers_max: usize,
    /// How long an answer is kept at most, whatever it says itself.
    pub ttl_bound: Duration,
    /// The same for an answer that says that there is nothing.
    pub negative_ttl_bound: Duration,
}

impl Default for DnsOptions {
    fn default() -> DnsOptions {
        DnsOptions {
            servers: Vec::new(),
            try_timeout: Duration::from_secs(1),
            answers_max: 10_000,
            ttl_bound: Duration::from_secs(3_600),
            negative_ttl_bound: Duration::from_secs(60),
        }
    }
}

/// Asks name servers, and keeps their answers. Its clones share both; the last one that goes ends its thread.
#[derive(Clone)]
pub struct DnsClient(Arc<Inner>);

struct Inner {
    resolver: TokioResolver,
    runtime: Handle,
    asked: Arc<Semaphore>,
    /// Its end ends the thread.
    _alive: oneshot::Sender<()>,
}

impl fmt::Debug for DnsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DnsClient").field("options", self.0.resolver.options()).finish_non_exhaustive()
    }
}

impl DnsClient {
    /// Starts the thread. Where the system's settings can't be read no name server is asked, and the log says so; names of its hosts
    /// file are known all the same.
    ///
    /// # Errors
    /// Where the system refuses a thread.
    pub fn start(options: &DnsOptions) -> io::Result<DnsClient> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        let (config, mut settings) = match options.servers.as_slice() {
            [] => read_system_conf().unwrap_or_else(|error| {
                tracing::warn!(%error, "the system's name servers are not to be had: names are not looked up");
                (ResolverConfig::from_parts(None, Vec::new(), Vec::new()), ResolverOpts::default())
            }),
            servers => {
                let servers = servers.iter().map(name_server).collect();
                (ResolverConfig::from_parts(None, Vec::new(), servers), ResolverOpts::default())
            }
        };
        settings.timeout = options.try_timeout;
        settings.attempts = 1;
        settings.cache_size = u64::try_from(options.answers_max).unwrap_or(u64::MAX);
        settings.positive_max_ttl = Some(options.ttl_bound);
        settings.negative_max_ttl = Some(options.negative_ttl_bound);
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        *builder.options_mut() = settings;
        let resolver = builder.build().map_err(io::Error::other)?;
        let (alive, end) = oneshot::channel();
        let handle = runtime.handle().clone();
        let run = move || {
            // An error says that nobody holds the other end any more, which is what is waited for.
            _ = runtime.block_on(end);
            runtime.shutdown_background();
        };
        thread::Builder::new().name("dns".to_owned()).spawn(run)?;
        let asked = Arc::new(Semaphore::new(RESOLVES_MAX));
        Ok(DnsClient(Arc::new(Inner { resolver, runtime: handle, asked, _alive: alive })))
    }

    /// Asks, and hands the answer to `then`, on the thread of the resolver, by the deadline at the latest. False, and `then` is not
    /// called, where [`RESOLVES_MAX`] others are under way.
    pub fn ask(&self, question: Question, deadline: Instant, then: impl FnOnce(DnsAnswer) + Send + 'static) -> bool {
        let Ok(permit) = Arc::clone(&self.0.asked).try_acquire_owned() else { return false };
        let resolver = self.0.resolver.clone();
        self.0.runtime.spawn(async move {
            let answer = timeout_at(deadline.into(), answer(&resolver, &question)).await;
            drop(permit);
            then(answer.unwrap_or(DnsAnswer::TimedOut));
        });
        true
    }
}

fn name_server(server: &SocketAddr) -> NameServerConfig {
    let (mut udp, mut tcp) = (ConnectionConfig::udp(), ConnectionConfig::tcp());
    (udp.port, tcp.port) = (server.port(), server.port());
    NameServerConfig::new(server.ip(), true, vec![udp, tcp])
}

async fn answer(resolver: &TokioResolver, question: &Question) -> DnsAnswer {
    let (kind, is_host) = match question.kind {
        RecordKind::Naptr => (RecordType::NAPTR, false),
        RecordKind::Srv => (RecordType::SRV, false),
        RecordKind::A => (RecordType::A, true),
        RecordKind::Aaaa => (RecordType::AAAA, true),
    };
    let Ok(mut name) = Name::from_ascii(&question.name) else { return DnsAnswer::Nothing };
    // The system's search domains are for hosts of one label, not for what a domain says of its services.
    name.set_fqdn(!is_host || question.name.contains('.'));
    match resolver.lookup(name, kind).await {
        Ok(lookup) => records(question, &lookup),
        Err(NetError::Dns(DnsError::NoRecordsFound(_))) => DnsAnswer::Nothing,
        Err(NetError::Timeout) => DnsAnswer::TimedOut,
        Err(error) => {
            tracing::debug!(%error, name = &*question.name, kind = question.kind.as_str(), "name server");
            DnsAnswer::Failed
        }
    }
}

fn records(question: &Question, lookup: &Lookup) -> DnsAnswer {
    let asked = lookup.query().name();
    let record = |record: &hickory_resolver::proto::rr::Record| {
        // A search domain makes another name of it.
        let name = if record.name == *asked { question.name.clone() } else { text(&record.name) };
        Some(Record { name, ttl_secs: record.ttl, data: data(&record.data)? })
    };
    let records: Vec<Record> = lookup.answers().iter().filter_map(record).collect();
    if records.is_empty() { DnsAnswer::Nothing } else { DnsAnswer::Records(records) }
}

fn data(data: &RData) -> Option<RecordData> {
    let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned().into_boxed_str();
    Some(match data {
        RData::A(ip) => RecordData::A(ip.0),
        RData::AAAA(ip) => RecordData::Aaaa(ip.0),
        RData::CNAME(target) => RecordData::Cname(text(&target.0)),
        RData::SRV(srv) => RecordData::Srv(Srv {
            priority: srv.priority,
            weight: srv.weight,
            port: srv.port,
            target: text(&srv.target),
        }),
        RData::NAPTR(naptr) => RecordData::Naptr(Naptr {
            order: naptr.order,
            preference: naptr.preference,
            flags: words(&naptr.flags),
            services: words(&naptr.services),
            regexp: words(&naptr.regexp),
            replacement: text(&naptr.replacement),
        }),
        _ => return None,
    })
}

/// In lower case, without the dot at the end; the root is a dot.
fn text(name: &Name) -> Box<str> {
    let text = name.to_ascii().to_ascii_lowercase();
    match text.strip_suffix('.') {
        Some("") | None => text.into(),
        Some(name) => name.into(),
    }
}

#[cfg(test)]
mod tests;

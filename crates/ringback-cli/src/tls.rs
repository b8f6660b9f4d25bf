//! `ringback tls`: what servers show by TLS, and what that is worth.

mod certificate;
mod show;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ringback_base::Transport;
use ringback_server::ExitStatus;
use ringback_tokio::tls::{InspectOptions, Inspection, Roots, inspect};
use ringback_transport::resolve::{Located, Unresolved};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::time::timeout;

use self::certificate::Certificate;
use crate::args::TlsCommandArgs;
use crate::failure::Failure;
use crate::output::print;
use crate::walks;

/// How long the walk may take.
const WALK_MAX: Duration = Duration::from_secs(15);

/// Looks at every server that the URI leads to.
///
/// # Errors
/// Where the URI or a file can't be used, or the system refuses the least.
pub(crate) fn run(args: &TlsCommandArgs) -> Result<ExitStatus, Failure> {
    let aim = walks::aim(&args.target_uri(), false)?;
    let options = options(args)?;
    let preferences = Arc::new(args.lookup.preferences(vec![Transport::Tls], vec![Transport::Wss]));
    let walk = walks::walked(aim, preferences, || walks::resolver(args.lookup.name_server.clone()), WALK_MAX)?;
    let (targets, failure) = match walk.result() {
        Some(Ok(targets)) => (walks::within_reach(targets), None),
        Some(Err(Unresolved::Transport)) => return Err(Failure::new(ExitStatus::Usage, WITHOUT_TLS)),
        Some(Err(why)) => (Vec::new(), Some(walks::nowhere(why))),
        None => return Err(Failure::new(ExitStatus::Internal, "the walk has no end")),
    };
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(ExitStatus::Internal, error))?;
    let host = |target: &Located| walk.trace().and_then(|trace| walks::host_of(trace, target));
    let servers: Vec<Server> = runtime.block_on(async {
        let begun: Vec<_> =
            targets.iter().map(|target| tokio::spawn(look(target.clone(), asked(args, &options)))).collect();
        let mut servers = Vec::new();
        for (target, looking) in targets.iter().zip(begun) {
            let seen = looking.await.unwrap_or_else(|error| Err(error.to_string()));
            servers.push(Server::new(target.clone(), host(target), seen, args.warn_days));
        }
        servers
    });
    let is_fine = failure.is_none() && servers.iter().all(|server| server.problems.is_empty());
    print(&if args.json { show::as_json(args, &servers, failure) } else { show::as_text(args, &servers, failure) })?;
    Ok(if is_fine { ExitStatus::Ok } else { ExitStatus::Refused })
}

/// One that was looked at.
struct Server {
    target: Located,
    /// Its host's name, where one was looked up.
    host: Option<String>,
    /// What was seen, or why there is nothing to be seen.
    seen: Result<Inspection, String>,
    chain: Vec<Result<Certificate, String>>,
    /// All that is wrong.
    problems: Vec<String>,
}

impl Server {
    fn new(target: Located, host: Option<String>, seen: Result<Inspection, String>, warn_days: u32) -> Server {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        let ders = seen.as_ref().map(|seen| seen.chain.as_slice()).unwrap_or_default();
        let chain: Vec<_> = ders.iter().map(|der| Certificate::read(der, now)).collect();
        let problems = match &seen {
            Ok(seen) => problems(seen, &chain, warn_days),
            Err(why) => vec![why.clone()],
        };
        Server { target, host, seen, chain, problems }
    }
}

fn problems(seen: &Inspection, chain: &[Result<Certificate, String>], warn_days: u32) -> Vec<String> {
    let mut problems: Vec<String> = [&seen.trust, &seen.identity, &seen.possession]
        .into_iter()
        .filter_map(|verdict| verdict.as_ref()?.as_ref().err().cloned())
        .chain(seen.failure.clone())
        .collect();
    if seen.trust.is_none() && !chain.is_empty() {
        problems.push(NOBODY_TRUSTED.to_owned());
    }
    for (number, certificate) in (1_u32..).zip(chain) {
        match certificate {
            Ok(certificate) if certificate.days_left < 0 => {
                if !problems.iter().any(|problem| problem.ends_with("has expired")) {
                    problems.push(format!("certificate {number} has expired"));
                }
            }
            Ok(certificate) if certificate.days_left < i64::from(warn_days) => {
                problems.push(format!("certificate {number} expires in {} days", certificate.days_left));
            }
            Ok(_) => {}
            Err(why) => problems.push(format!("certificate {number} can't be read: {why}")),
        }
    }
    problems
}

const WITHOUT_TLS: &str = "the transport that the URI names has no TLS: try sips, or transport=tls";

const NOBODY_TRUSTED: &str = "the system trusts no root: name one by --ca";

fn options(args: &TlsCommandArgs) -> Result<InspectOptions, Failure> {
    let roots: Option<Roots> = args.tls.roots()?;
    let mut options = InspectOptions::default();
    options.roots = roots;
    options.certificate = args.tls.certificate()?;
    Ok(options)
}

/// What a server is looked at with: the name that it must prove, if not that of the target; for how long; and the rest.
type Asked = (Option<String>, Duration, InspectOptions);

fn asked(args: &TlsCommandArgs, options: &InspectOptions) -> Asked {
    (args.server_name.clone(), args.timeout, options.clone())
}

async fn look(target: Located, (name, patience, options): Asked) -> Result<Inspection, String> {
    let name = name.unwrap_or_else(|| target.identity.to_string());
    let looked = async {
        let socket = connect(target.address).await?;
        inspect(socket, &name, &options).await.map_err(|error| format!("{name}: {error}"))
    };
    timeout(patience, looked).await.unwrap_or_else(|_| Err(format!("no TLS within {} s", patience.as_secs_f64())))
}

async fn connect(address: SocketAddr) -> Result<TcpStream, String> {
    TcpStream::connect(address).await.map_err(|error| format!("could not be opened: {error}"))
}

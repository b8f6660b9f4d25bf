//! `ringback ping`: OPTIONS to whoever a URI leads to, and what comes of them.

mod agents;
mod figures;
mod ledger;
mod show;
mod textfile;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use ringback_auth::Password;
use ringback_base::Transport;
use ringback_message::{HeaderId, SipUri, Uri};
use ringback_server::ExitStatus;
use ringback_tokio::DnsClient;
use ringback_tokio::tls::{Roots, TlsClient, TlsClientOptions};
use ringback_transport::resolve::{Located, Preferences};
use tokio::runtime::Builder;
use tokio::signal::ctrl_c;
#[cfg(unix)]
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use self::agents::{Agents, Answer, Loss, Question};
use self::figures::Figures;
use self::ledger::Ledger;
use self::textfile::Row;
use crate::args::PingArgs;
use crate::failure::Failure;
use crate::output::{print, print_on};
use crate::walks;

/// How many requests to one URI may be under way: the next one waits.
const PENDING_MAX: usize = 256;

/// How many events may wait to be printed.
const TOLD_MAX: usize = 1_024;

/// The least that a walk may take: two tries of a question.
const WALK_MIN: Duration = Duration::from_secs(3);

/// How far apart the first requests to several URIs are, at most.
const STAGGER_MAX: Duration = Duration::from_millis(10);

/// How often the textfile is written, at most.
const TEXTFILE_PERIOD: Duration = Duration::from_secs(1);

/// Which requests count together: those to a URI, or to one of its targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Series {
    /// Its place among those of the command line.
    uri: usize,
    target: Option<(&'static str, SocketAddr)>,
}

/// Where a request may go.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Target {
    located: Located,
    /// The name of the host, where one was looked up.
    host: Option<String>,
}

impl Target {
    fn place(&self) -> (Transport, SocketAddr) {
        (self.located.transport, self.located.address)
    }
}

/// What there is to print.
#[derive(Debug)]
enum Told {
    /// A URI leads there, for the first time or otherwise than before.
    Targets {
        uri: usize,
        targets: Vec<Target>,
    },
    /// A request is under way.
    Asked {
        series: Series,
        target: Option<Target>,
    },
    /// The next target is tried.
    PassedOver {
        series: Series,
        seq: u64,
        target: Target,
        loss: Loss,
    },
    Result {
        series: Series,
        seq: u64,
        target: Option<Target>,
        outcome: Result<Answer, Loss>,
    },
}

/// Asks until it has asked enough, or is interrupted.
///
/// # Errors
/// Where the command line can't be understood, a file of it can't be used, or the system refuses the least.
pub(crate) fn run(args: &PingArgs) -> Result<ExitStatus, Failure> {
    let (told, events) = mpsc::channel(TOLD_MAX);
    let ledger = Arc::new(Ledger::default());
    let pingers = pingers(args, &ledger, &told)?;
    drop(told);
    let runtime = || {
        let built = Builder::new_current_thread().enable_all().build();
        built.map_err(|error| Failure::new(ExitStatus::Internal, error))
    };
    let (asking, printing) = (runtime()?, runtime()?);
    // By itself, so that a terminal that is slow makes no answer look slow.
    let thread = thread::Builder::new().name("ping".to_owned()).spawn(move || asking.block_on(ask(pingers)));
    thread.map_err(|error| Failure::new(ExitStatus::Internal, error))?;
    // What is under way when this ends is nobody's business any more.
    printing.block_on(Record::new(args, ledger).keep(events))
}

/// All of them side by side.
async fn ask(pingers: Vec<Pinger>) {
    let mut asking = JoinSet::new();
    for (index, pinger) in (0_u32..).zip(pingers) {
        let after = pinger.plan.interval.min(STAGGER_MAX.saturating_mul(index));
        asking.spawn(async move {
            sleep(after).await;
            pinger.run().await;
        });
    }
    while asking.join_next().await.is_some() {}
}

/// Asks for one URI.
#[derive(Clone)]
struct Pinger {
    uri: usize,
    /// What is walked.
    at: String,
    question: Question,
    plan: Arc<Plan>,
    told: mpsc::Sender<Told>,
    /// Where it led last.
    known: Arc<Mutex<Vec<(Transport, SocketAddr)>>>,
}

/// What is the same for all of them.
struct Plan {
    count: Option<u64>,
    interval: Duration,
    patience: Duration,
    each: bool,
    preferences: Arc<Preferences>,
    resolver: DnsClient,
    agents: Agents,
}

fn pingers(args: &PingArgs, ledger: &Arc<Ledger>, told: &mpsc::Sender<Told>) -> Result<Vec<Pinger>, Failure> {
    let mut options = TlsClientOptions::new(args.tls.roots()?.unwrap_or_else(Roots::none));
    options.certificate = args.tls.certificate()?;
    options.takes_any_certificate = args.insecure;
    let tls = TlsClient::new(options).map_err(|error| Failure::new(ExitStatus::Internal, error))?;
    for uri in args.uris.iter().chain(&args.at) {
        walks::aim(uri, false)?;
    }
    let plan = Arc::new(Plan {
        count: args.count,
        interval: args.interval,
        patience: args.timeout,
        each: args.each,
        preferences: Arc::new(args.preferences()),
        resolver: walks::resolver(args.lookup.name_server.clone())?,
        agents: Agents::new(Arc::clone(ledger), tls, args.websocket_path.clone(), account(args)?, args.timeout),
    });
    let pinger = |(uri, text): (usize, &String)| Pinger {
        uri,
        at: args.at.as_ref().unwrap_or(text).clone(),
        question: Question {
            request_uri: text.clone(),
            from: args.from.clone().or_else(|| Some(own(args.user.as_ref()?, text))),
            to: args.to.clone().unwrap_or_else(|| for_to(text)),
            max_forwards: args.max_forwards,
        },
        plan: Arc::clone(&plan),
        told: told.clone(),
        known: Arc::default(),
    };
    Ok(args.uris.iter().enumerate().map(pinger).collect())
}

fn account(args: &PingArgs) -> Result<Option<(String, Password)>, Failure> {
    let Some(user) = &args.user else { return Ok(None) };
    let password = match &args.password_file {
        Some(file) => first_line(file)?,
        None => env::var("RINGBACK_PASSWORD").map_err(|_| {
            Failure::new(ExitStatus::Usage, "--user needs --password-file, or the password in $RINGBACK_PASSWORD")
        })?,
    };
    Ok(Some((user.clone(), Password::new(password))))
}

fn first_line(file: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(file);
    let text = text.map_err(|error| Failure::new(ExitStatus::Usage, format!("{}: {error}", file.display())))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// The URI without what To can't have: port, transport, maddr, ttl, lr, method and headers. `[RFC 3261, Section 19.1.1]`
fn for_to(text: &str) -> String {
    let Ok(Uri::Sip(uri)) = Uri::parse(text.as_bytes(), HeaderId::Other, 0) else { return text.to_owned() };
    let can_have = |name: &[u8]| {
        ![&b"transport"[..], b"maddr", b"ttl", b"lr", b"method"].iter().any(|not| name.eq_ignore_ascii_case(not))
    };
    let mut params = Vec::new();
    for (name, value) in uri.params.iter().filter(|(name, _)| can_have(name)) {
        params.extend_from_slice(b";");
        params.extend_from_slice(name);
        if let Some(value) = value {
            params.extend_from_slice(b"=");
            params.extend_from_slice(value);
        }
    }
    let scheme = if uri.secure { "sips" } else { "sip" };
    let user = uri.user.map(|user| format!("{}@", String::from_utf8_lossy(user))).unwrap_or_default();
    format!("{scheme}:{user}{}{}", String::from_utf8_lossy(uri.host), String::from_utf8_lossy(&params))
}

/// Who has credentials there: the user by itself where it names its domain, and else of the host of the URI.
fn own(user: &str, text: &str) -> String {
    let by_itself = format!("sip:{user}");
    if user.contains('@') && matches!(Uri::parse(by_itself.as_bytes(), HeaderId::Other, 0), Ok(Uri::Sip(_))) {
        return by_itself;
    }
    let host = match Uri::parse(text.as_bytes(), HeaderId::Other, 0) {
        Ok(Uri::Sip(uri)) => String::from_utf8_lossy(uri.host).into_owned(),
        _ => return by_itself,
    };
    SipUri::new(&host).map_or(by_itself, |uri| uri.with_user(user).to_string())
}

impl Pinger {
    async fn run(self) {
        let mut ticks = interval(self.plan.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut pending = JoinSet::new();
        for seq in 1..=self.plan.count.unwrap_or(u64::MAX) {
            ticks.tick().await;
            while pending.try_join_next().is_some() {}
            if pending.len() >= PENDING_MAX {
                pending.join_next().await;
            }
            pending.spawn(self.clone().ping(seq));
        }
        while pending.join_next().await.is_some() {}
    }

    async fn ping(self, seq: u64) {
        match self.targets().await {
            Ok(targets) if self.plan.each => {
                let mut each = JoinSet::new();
                for target in targets {
                    let (transport, address) = target.place();
                    let series = Series { uri: self.uri, target: Some((transport.as_str(), address)) };
                    each.spawn(self.clone().ask_one(series, seq, target));
                }
                while each.join_next().await.is_some() {}
            }
            Ok(targets) => self.ask_in_turn(seq, targets).await,
            Err(loss) => {
                self.tell(Told::Asked { series: self.whole(), target: None }).await;
                self.tell_result(self.whole(), seq, None, Err(loss)).await;
            }
        }
    }

    async fn ask_one(self, series: Series, seq: u64, target: Target) {
        self.tell(Told::Asked { series, target: Some(target.clone()) }).await;
        let outcome = self.plan.agents.ask(&self.question, target.place(), series).await;
        self.tell_result(series, seq, Some(target), outcome).await;
    }

    /// The next one where one can't be reached.
    async fn ask_in_turn(&self, seq: u64, targets: Vec<Target>) {
        self.tell(Told::Asked { series: self.whole(), target: None }).await;
        let mut targets = targets.into_iter().peekable();
        while let Some(target) = targets.next() {
            let outcome = self.plan.agents.ask(&self.question, target.place(), self.whole()).await;
            match outcome {
                Err(loss) if loss.is_of_way() && targets.peek().is_some() => {
                    self.tell(Told::PassedOver { series: self.whole(), seq, target, loss }).await;
                }
                outcome => return self.tell_result(self.whole(), seq, Some(target), outcome).await,
            }
        }
    }

    /// Where the URI leads now: what was found stays known for as long as its records say.
    async fn targets(&self) -> Result<Vec<Target>, Loss> {
        let (at, plan) = (self.at.clone(), Arc::clone(&self.plan));
        let walk = spawn_blocking(move || {
            let resolver = || Ok(plan.resolver.clone());
            walks::walked(walks::aim(&at, false)?, Arc::clone(&plan.preferences), resolver, plan.patience.max(WALK_MIN))
        });
        let walk = match walk.await {
            Ok(Ok(walk)) => walk,
            Ok(Err(failure)) => return Err(Loss::new("name", failure.text())),
            Err(error) => return Err(Loss::new("name", error.to_string())),
        };
        let targets = match walk.result() {
            Some(Ok(targets)) => targets,
            Some(Err(why)) => return Err(Loss::new("name", format!("leads nowhere: {}", walks::nowhere(why)))),
            None => return Err(Loss::new("name", "the walk has no end")),
        };
        let host = |located: &Located| walk.trace().and_then(|trace| walks::host_of(trace, located));
        let targets: Vec<Target> =
            walks::within_reach(targets).into_iter().map(|located| Target { host: host(&located), located }).collect();
        if self.is_news(&targets) {
            self.tell(Told::Targets { uri: self.uri, targets: targets.clone() }).await;
        }
        Ok(targets)
    }

    /// Chance may change the order of targets, which is no news.
    fn is_news(&self, targets: &[Target]) -> bool {
        let mut places: Vec<_> = targets.iter().map(Target::place).collect();
        places.sort_by_key(|(transport, address)| (transport.as_str(), *address));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = *known != places;
        *known = places;
        is_news
    }

    fn whole(&self) -> Series {
        Series { uri: self.uri, target: None }
    }

    async fn tell_result(&self, series: Series, seq: u64, target: Option<Target>, outcome: Result<Answer, Loss>) {
        self.tell(Told::Result { series, seq, target, outcome }).await;
    }

    async fn tell(&self, told: Told) {
        // Who has stopped listening is about to end.
        _ = self.told.send(told).await;
    }
}

/// Waits for Ctrl-C, or for a manager of services that wants an end.
async fn interrupted() {
    #[cfg(unix)]
    if let Ok(mut terminated) = signal(SignalKind::terminate()) {
        tokio::select! {
            _ = ctrl_c() => {}
            _ = terminated.recv() => {}
        }
        return;
    }
    _ = ctrl_c().await;
}

/// What was told so far.
struct Record<'a> {
    args: &'a PingArgs,
    ledger: Arc<Ledger>,
    figures: BTreeMap<Series, (Option<Target>, Figures)>,
    is_unwritten: bool,
}

impl Record<'_> {
    fn new(args: &PingArgs, ledger: Arc<Ledger>) -> Record<'_> {
        Record { args, ledger, figures: BTreeMap::new(), is_unwritten: false }
    }

    /// Prints and counts, to the end.
    async fn keep(mut self, mut events: mpsc::Receiver<Told>) -> Result<ExitStatus, Failure> {
        let mut writes = tokio::time::interval_at(Instant::now(), TEXTFILE_PERIOD);
        writes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut interrupt = std::pin::pin!(interrupted());
        loop {
            tokio::select! {
                told = events.recv() => match told {
                    Some(told) if self.take(&told)? => {}
                    _ => break,
                },
                _ = writes.tick(), if self.is_unwritten => self.write()?,
                _ = &mut interrupt => {
                    // What came before it counts.
                    while let Ok(told) = events.try_recv()
                        && self.take(&told)?
                    {}
                    break;
                }
            }
        }
        self.write()?;
        self.print_statistics()?;
        let are_good = !self.figures.is_empty() && self.figures.values().all(|(_, figures)| figures.are_good());
        let are_good = are_good && self.unheard_of().next().is_none();
        Ok(if are_good { ExitStatus::Ok } else { ExitStatus::Refused })
    }

    /// False where nobody reads what is printed.
    fn take(&mut self, told: &Told) -> Result<bool, Failure> {
        if let Told::Asked { series, target } = told {
            let (known, figures) = self.figures.entry(*series).or_default();
            known.clone_from(target);
            figures.asked();
            return Ok(true);
        }
        if let Told::Result { series, target, outcome, .. } = told {
            let (known, figures) = self.figures.entry(*series).or_default();
            *known = target.clone().filter(|_| series.target.is_some());
            match outcome {
                Ok(answer) => figures.answered(answer, self.args.accepts(answer.status)),
                Err(loss) => figures.lost(loss),
            }
            self.is_unwritten = self.args.textfile.is_some();
        }
        if self.args.quiet { Ok(true) } else { print_on(&show::event(self.args, told)) }
    }

    /// The URIs to which nothing was sent yet.
    fn unheard_of(&self) -> impl Iterator<Item = Series> {
        let all = (0..self.args.uris.len()).map(|uri| Series { uri, target: None });
        all.filter(|whole| self.figures.keys().all(|series| series.uri != whole.uri))
    }

    fn print_statistics(&self) -> Result<(), Failure> {
        for (series, (target, figures)) in &self.figures {
            let late = self.ledger.late(*series);
            print(&show::statistics(self.args, self.name(series), target.as_ref(), figures, late))?;
        }
        for series in self.unheard_of() {
            print(&show::statistics(self.args, self.name(&series), None, &Figures::default(), 0))?;
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), Failure> {
        let Some(file) = &self.args.textfile else { return Ok(()) };
        self.is_unwritten = false;
        let rows: Vec<Row<'_>> = self
            .figures
            .iter()
            .map(|(series, (_, figures))| {
                let mut labels = textfile::label("uri", self.name(series));
                if let Some((transport, address)) = series.target {
                    let more = [("transport", transport), ("address", &address.to_string())];
                    more.iter()
                        .for_each(|(name, value)| labels.push_str(&format!(",{}", textfile::label(name, value))));
                }
                Row { labels, figures, late: self.ledger.late(*series) }
            })
            .collect();
        let unwritable = |error| Failure::new(ExitStatus::Usage, format!("{}: {error}", file.display()));
        textfile::write(file, &rows).map_err(unwritable)
    }

    fn name(&self, series: &Series) -> &str {
        self.args.uris.get(series.uri).map(String::as_str).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn to_keeps_what_it_can_have() {
        for (uri, to) in [
            (
                "sips:bob:pw@b.example:5071;transport=tcp;user=phone;x=%20;LR?Subject=a",
                "sips:bob@b.example;user=phone;x=%20",
            ),
            ("sip:[2001:db8::1]:5070;maddr=192.0.2.1;ttl=1;method=INVITE", "sip:[2001:db8::1]"),
        ] {
            assert_eq!(for_to(uri), to);
        }
    }

    #[test]
    fn who_has_credentials_is_of_the_domain_that_is_asked_or_its_own() {
        for (user, uri, from) in [
            ("alice", "sips:b.example:5061;transport=ws", "sip:alice@b.example"),
            ("j. doe", "sip:bob@[2001:db8::1]:5070", "sip:j.%20doe@[2001:db8::1]"),
            ("alice@a.example", "sip:b.example", "sip:alice@a.example"),
            ("a@b@c", "sip:b.example", "sip:a%40b%40c@b.example"),
        ] {
            assert_eq!(own(user, uri), from);
        }
    }
}

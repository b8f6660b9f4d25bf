//! Who sends: a user agent at each address of ours that a target is reached from.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ringback_auth::{Account, Password};
use ringback_base::{Hop, Micros, Transport};
use ringback_message::{HeaderId, Method, RequestBuilder, Response, StatusCode};
use ringback_tokio::agent::{Agent, AgentBound, AgentOptions};
use ringback_tokio::tls::{Tls, TlsClient};
use ringback_tokio::{ListenOn, Trouble};
use ringback_transaction::{Reason, Timers};
use ringback_transport::websocket::Resource;
use ringback_ua::{CommandError, Config, Failure, Local, Outbound};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::Series;
use super::ledger::{Exchange, Ledger};
use crate::output::harmless;
use crate::walks;

/// What the task of an agent may take longer than its timers say, before it counts as stuck.
const GRACE: Duration = Duration::from_secs(1);

/// What a target said.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) reason: String,
    /// The software, as it calls itself.
    pub(crate) server: Option<String>,
    pub(crate) rtt: Duration,
    /// How long the connection took, where one was opened.
    pub(crate) connect: Option<Duration>,
    pub(crate) sent_again: u32,
    /// Whether the request had credentials.
    pub(crate) had_credentials: bool,
    /// Who answered, which over UDP need not be who was asked.
    pub(crate) from: SocketAddr,
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub(crate) struct Loss {
    /// One word, which stays.
    pub(crate) kind: &'static str,
    pub(crate) why: String,
    pub(crate) sent_again: u32,
}

impl Loss {
    pub(crate) fn new(kind: &'static str, why: impl Into<String>) -> Loss {
        Loss { kind, why: why.into(), sent_again: 0 }
    }

    /// Whether it says that a request has to go elsewhere. `[RFC 3263, Section 4.3]`
    pub(crate) fn is_of_way(&self) -> bool {
        !matches!(self.kind, "timeout" | "request")
    }
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) request_uri: String,
    pub(crate) from: Option<String>,
    pub(crate) to: String,
    pub(crate) max_forwards: Option<u8>,
}

/// The agents, each started when it is first needed.
pub(crate) struct Agents {
    started: Mutex<BTreeMap<IpAddr, (Agent, SocketAddr)>>,
    ledger: Arc<Ledger>,
    tls: TlsClient,
    websocket: Resource,
    account: Option<(String, Password)>,
    patience: Duration,
}

impl Agents {
    pub(crate) fn new(
        ledger: Arc<Ledger>,
        tls: TlsClient,
        websocket: Option<Resource>,
        account: Option<(String, Password)>,
        patience: Duration,
    ) -> Agents {
        let websocket = websocket.unwrap_or_default();
        Agents { started: Mutex::default(), ledger, tls, websocket, account, patience }
    }

    /// Sends OPTIONS to one target, and waits for what comes of it.
    ///
    /// # Errors
    /// Why there is no final response.
    pub(crate) async fn ask(
        &self,
        question: &Question,
        (transport, remote): (Transport, SocketAddr),
        series: Series,
    ) -> Result<Answer, Loss> {
        let (agent, local) = self.agent_towards(remote).await?;
        let hop = Hop { transport, local, remote, flow: None };
        let from = question.from.clone().unwrap_or_else(|| format!("sip:ping@{}", host_of(local.ip())));
        let outbound = Outbound {
            hop: Some(hop),
            request_uri: Some(question.request_uri.clone()),
            ..Outbound::new(&from, &question.to)
        };
        let call_id = Arc::new(OnceLock::new());
        let (told, ledger, max_forwards) = (Arc::clone(&call_id), Arc::clone(&self.ledger), question.max_forwards);
        let fill = move |builder: RequestBuilder| {
            if let Some(id) = call_id_of(&builder) {
                ledger.open(&id);
                _ = told.set(id);
            }
            // What the answer may hold. `[RFC 3261, Section 11.1]`
            let builder = builder.raw(HeaderId::Accept, "application/sdp");
            match max_forwards {
                Some(hops) => builder.max_forwards(hops),
                None => builder,
            }
        };
        let asked = agent.request(outbound, Method::Options, fill).await;
        let outcome = match asked {
            Ok(asked) => timeout(self.patience.saturating_add(GRACE), asked.outcome()).await,
            Err(error) => return Err(self.unsent(call_id.get(), &error)),
        };
        let id = call_id.get().map(|id| &**id).unwrap_or_default();
        match outcome {
            Ok(Ok(response)) => Ok(answer(&response, &self.ledger.close(id), remote)),
            Ok(Err(Failure::Timeout(_))) | Err(_) => Err(self.timed_out(&self.ledger.give_up(id, series))),
            Ok(Err(failure)) => Err(lost(&failure, (transport, remote), self.ledger.close(id))),
        }
    }

    /// The agent from whose address the system would send there, and that address.
    async fn agent_towards(&self, remote: SocketAddr) -> Result<(Agent, SocketAddr), Loss> {
        let unreachable = |error: std::io::Error| {
            Loss::new(Trouble::Unreachable.as_str(), format!("nothing leads to {}: {error}", remote.ip()))
        };
        let ip = walks::our_address_towards(remote).map_err(unreachable)?;
        let mut started = self.started.lock().await;
        if let Some((agent, local)) = started.get(&ip) {
            return Ok((agent.clone(), *local));
        }
        let (agent, local) = self.start(ip).await.map_err(|why| Loss::new("request", why))?;
        started.insert(ip, (agent.clone(), local));
        Ok((agent, local))
    }

    async fn start(&self, ip: IpAddr) -> Result<(Agent, SocketAddr), String> {
        let on = ListenOn::by(Transport::Udp, SocketAddr::new(ip, 0));
        let bound = AgentBound::open(&[on]).map_err(|error| error.to_string())?;
        let Some(local) = bound.locals().first().map(|local| local.address) else {
            return Err(format!("no port at {ip}"));
        };
        let ledger = Arc::clone(&self.ledger);
        let bound =
            bound.tls(Tls { server: None, client: Some(self.tls.clone()) }).watched(move |seen| ledger.see(seen));
        let bound = bound.websocket_resource(self.websocket.clone());
        // Nobody can connect to it: over connections what is answered comes back by them.
        let mut locals = bound.locals();
        locals.push(Local::new(Transport::Tcp, local));
        let mut config = Config::new("", locals);
        config.product = concat!("ringback/", env!("CARGO_PKG_VERSION")).into();
        let patience = micros(self.patience);
        config.transactions.timers = Timers::default().with(Reason::TimerF, patience);
        let mut options = AgentOptions::default();
        // A connection that does not come about is told as that, and not as silence.
        let before = Micros(patience.0.saturating_sub(patience.0 / 20));
        options.tcp_limits.connect_timeout = before;
        options.tcp_limits.handshake_timeout = before;
        let (agent, _) = bound.start(config, options).map_err(|error| error.to_string())?;
        if let Some((user, password)) = &self.account {
            let account = Account::for_any_realm(user.as_str(), Password::new(password.reveal()));
            agent.add_account(account).await.map_err(|error| error.to_string())?;
        }
        Ok((agent, local))
    }

    fn unsent(&self, call_id: Option<&Vec<u8>>, error: &CommandError) -> Loss {
        if let Some(id) = call_id {
            self.ledger.close(id);
        }
        Loss::new("request", error.to_string())
    }

    fn timed_out(&self, exchange: &Exchange) -> Loss {
        let why = format!("no answer within {} s", self.patience.as_secs_f64());
        Loss { sent_again: exchange.sends.saturating_sub(1), ..Loss::new("timeout", why) }
    }
}

fn answer(response: &Response, exchange: &Exchange, asked: SocketAddr) -> Answer {
    let (rtt, from) = exchange.answered().unwrap_or((Duration::ZERO, asked));
    let server = [HeaderId::Server, HeaderId::UserAgent].into_iter().find_map(|id| response.first(id));
    Answer {
        status: response.status(),
        reason: harmless(response.reason()),
        server: server.map(|header| harmless(header.value())),
        rtt,
        connect: exchange.connect,
        sent_again: exchange.sends.saturating_sub(1),
        had_credentials: exchange.has_credentials,
        from,
    }
}

/// In words of who asks, without the way, which is told with them.
fn lost(failure: &Failure, (transport, remote): (Transport, SocketAddr), exchange: Exchange) -> Loss {
    let way = format!("{transport} to {remote}: ");
    let plain = |why: &str| why.strip_prefix(&way).unwrap_or(why).to_owned();
    let sent_again = exchange.sends.saturating_sub(1);
    let (kind, why) = match (failure, exchange.trouble) {
        (Failure::Transport(_) | Failure::Connection(_), Some((trouble, why))) => of_trouble(trouble, &plain(&why)),
        (Failure::Connection(why), None) => (Trouble::Handshake.as_str(), plain(why)),
        // A connection that its other side closes in order is no trouble to who looks after connections.
        (Failure::Transport(_), None) if transport != Transport::Udp => {
            (Trouble::Lost.as_str(), "the connection was closed without an answer".to_owned())
        }
        (Failure::Transport(_), None) => (Trouble::Unreachable.as_str(), "it can't be sent there".to_owned()),
        (failure, _) => ("request", failure.to_string()),
    };
    Loss { kind, why, sent_again }
}

/// By TLS 1.3 a client is through before the server has seen its certificate, so that a refusal comes as the end of a connection.
fn of_trouble(trouble: Trouble, why: &str) -> (&'static str, String) {
    let ended = why.strip_prefix("lost: ");
    match ended.map(|ended| (ended, ended.strip_prefix("received fatal alert: "))) {
        Some((_, Some("CertificateRequired"))) => {
            (Trouble::Handshake.as_str(), "it asks for a certificate, and was shown none".to_owned())
        }
        Some((_, Some(alert))) => {
            (Trouble::Handshake.as_str(), format!("the other side ended TLS with the alert {alert}"))
        }
        Some((ended, None)) => (trouble.as_str(), format!("the connection is gone: {ended}")),
        None => (trouble.as_str(), why.to_owned()),
    }
}

fn call_id_of(builder: &RequestBuilder) -> Option<Vec<u8>> {
    let message = builder.clone().build_unchecked().ok()?;
    Some(message.first(HeaderId::CallId)?.value().to_vec())
}

fn host_of(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

fn micros(span: Duration) -> Micros {
    Micros(u64::try_from(span.as_micros()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_told_once_and_in_words() {
        let told = |why| of_trouble(Trouble::Lost, why);
        let none = "it asks for a certificate, and was shown none".to_owned();
        assert_eq!(told("lost: received fatal alert: CertificateRequired"), ("handshake", none));
        let alert = "the other side ended TLS with the alert UnknownCA".to_owned();
        assert_eq!(told("lost: received fatal alert: UnknownCA"), ("handshake", alert));
        let reset = "the connection is gone: Connection reset by peer".to_owned();
        assert_eq!(told("lost: Connection reset by peer"), ("lost", reset));
        assert_eq!(of_trouble(Trouble::Refused, "nobody"), ("refused", "nobody".to_owned()));
    }
}

//! The flags of `ringback ping`.

use std::path::PathBuf;
use std::time::Duration;

use ringback_base::Transport;
use ringback_message::{HeaderId, StatusCode, Uri};
use ringback_transport::resolve::Preferences;
use ringback_transport::websocket::Resource;

use super::lookup::{LookupArgs, NO_SIP, TlsArgs, TransportArg, defect, number, sip_uri, transports};

/// How many URIs there may be.
pub(crate) const URIS_MAX: usize = 256;

pub(super) const MORE: &str = "\
Each URI is walked as RFC 3263 says, as `ringback dns` shows it, and OPTIONS goes to the first target; where that can't be reached, to the \
next, which is told. Any final response is a sign of life, unless --accept says which are; the code is told with each, and how often each \
came at the end. What has no final response in time is lost. The time runs from the first sending to the final response, or from when its \
connection stood, whose own time is told beside it. Over UDP a request is sent again after 0.5 s, 1.5 s, 3.5 s and so on, which is counted.";

pub(super) const EXAMPLES: &str = "\
Examples:
  ringback ping sip:example.com             until Ctrl-C, which prints the statistics
  ringback ping sip:example.com 'sip:192.0.2.1;transport=tcp' -c 3
  ringback ping sips:example.com --each     every target that the name leads to, by itself
  ringback ping sip:bob@example.com --accept 200,4xx --user bob --password-file pw
  ringback ping sips:example.com --at 'sip:192.0.2.7:5061;transport=tls'
                                            one node of a domain, whose certificate must be for the domain
  ringback ping example.com -c 1 --json     one object a line, with names that stay
  ringback ping sip:example.com -i 15 -q --textfile /var/lib/node_exporter/ringback.prom

Exit status:
  0    all that was sent was answered with what is accepted
  1    something was not: lost, or another code
  2    the command line can't be understood, or a file of it can't be used";

#[derive(Debug, clap::Args)]
pub(crate) struct PingArgs {
    /// sip and sips URIs; a domain alone is a sip URI
    #[arg(value_name = "URI", required = true, num_args = 1..=URIS_MAX, value_parser = target)]
    pub(crate) uris: Vec<String>,

    /// How often each is asked [default: until Ctrl-C]
    #[arg(short, long, value_name = "N", allow_negative_numbers = true, value_parser = count)]
    pub(crate) count: Option<u64>,

    /// How many seconds lie between two requests to one URI, at least 0.01
    #[arg(short, long, value_name = "SECS", default_value = "1", allow_negative_numbers = true, value_parser = interval)]
    pub(crate) interval: Duration,

    /// How many seconds an answer is waited for, 600 at most
    #[arg(short = 'W', long, value_name = "SECS", default_value = "5", allow_negative_numbers = true, value_parser = patience)]
    pub(crate) timeout: Duration,

    /// Which final responses are good: codes and classes such as 200,404,4xx [default: all, with --user all but 401 and 407]
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    pub(crate) accept: Vec<Accepted>,

    /// Ask each target that a URI leads to by itself, and not the first that can be reached
    #[arg(long)]
    pub(crate) each: bool,

    /// Send to where this URI leads instead; the requests, and what certificates must prove, stay those of URI
    #[arg(long, value_name = "URI", value_parser = target)]
    pub(crate) at: Option<String>,

    /// How many hops a request may take; with 0 the first server answers: 483 where it would have to forward, and what it says for itself where URI is its own
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = hops)]
    pub(crate) max_forwards: Option<u8>,

    /// Who asks [default: with --user that user at the host of URI, or else sip:ping@ and our address]
    #[arg(long, value_name = "URI", value_parser = own_uri)]
    pub(crate) from: Option<String>,

    /// What To says [default: URI without what To can't have, such as its port and transport]
    #[arg(long, value_name = "URI", value_parser = own_uri)]
    pub(crate) to: Option<String>,

    /// Answer challenges as this user; the password is $RINGBACK_PASSWORD, or that of --password-file
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,

    /// The file whose first line is the password
    #[arg(long, value_name = "FILE", requires = "user")]
    pub(crate) password_file: Option<PathBuf>,

    /// The transports that count as ours, the preferred one first [default: udp,tcp,tls, and ws and wss where they are asked for]
    #[arg(long, value_name = "LIST", value_enum, value_delimiter = ',')]
    transports: Vec<TransportArg>,

    /// What a server of WebSocket is asked for [default: /]
    #[arg(long, value_name = "PATH")]
    pub(crate) websocket_path: Option<Resource>,

    #[command(flatten)]
    pub(crate) lookup: LookupArgs,

    #[command(flatten)]
    pub(crate) tls: TlsArgs,

    /// Take any certificate, whoever made it and whomever it is for; this proves nothing about who answers
    #[arg(long, conflicts_with = "ca")]
    pub(crate) insecure: bool,

    /// Print the statistics alone
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// Print JSON, one object a line
    #[arg(long)]
    pub(crate) json: bool,

    /// Keep the figures in this file, for the textfile collector of Prometheus' node exporter
    #[arg(long, value_name = "FILE")]
    pub(crate) textfile: Option<PathBuf>,
}

impl PingArgs {
    pub(crate) fn preferences(&self) -> Preferences {
        if self.transports.is_empty() {
            let all = vec![Transport::Udp, Transport::Tcp, Transport::Tls];
            return self.lookup.preferences(all, vec![Transport::Wss, Transport::Ws]);
        }
        self.lookup.preferences(transports(&self.transports), Vec::new())
    }

    pub(crate) fn accepts(&self, status: StatusCode) -> bool {
        if self.accept.is_empty() {
            return !self.is_refused(status);
        }
        self.accept.iter().any(|accepted| accepted.has(status.as_u16()))
    }

    /// Whether who answers has not taken the user for who it says it is.
    pub(crate) fn is_refused(&self, status: StatusCode) -> bool {
        self.user.is_some() && matches!(status, StatusCode::Unauthorized | StatusCode::ProxyAuthenticationRequired)
    }
}

/// A code, or a class of codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accepted {
    Code(u16),
    Class(u16),
}

impl Accepted {
    fn has(self, code: u16) -> bool {
        match self {
            Accepted::Code(accepted) => code == accepted,
            Accepted::Class(class) => code / 100 == class,
        }
    }
}

impl std::str::FromStr for Accepted {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Accepted, &'static str> {
        let class = text.strip_suffix("xx").or_else(|| text.strip_suffix("XX"));
        let (number, accepted): (&str, fn(u16) -> Accepted) = match class {
            Some(class) => (class, Accepted::Class),
            None => (text, Accepted::Code),
        };
        let is_plain = number.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.parse().ok().filter(|_| is_plain).ok_or(EXPECTED)?;
        let bounds = if class.is_some() { 2..=6 } else { 200..=699 };
        bounds.contains(&number).then(|| accepted(number)).ok_or(EXPECTED)
    }
}

const EXPECTED: &str = "expected a final code, 200 to 699, or a class, 2xx to 6xx";

fn interval(text: &str) -> Result<Duration, String> {
    seconds(text, 0.01, 86_400.0)
}

pub(super) fn patience(text: &str) -> Result<Duration, String> {
    seconds(text, 0.01, 600.0)
}

fn seconds(text: &str, least: f64, most: f64) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| (least..=most).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| format!("expected seconds, {least} to {most}"))
}

fn count(text: &str) -> Result<u64, String> {
    number(text, 1, 1_000_000_000)
}

fn hops(text: &str) -> Result<u8, String> {
    number(text, 0, u8::MAX.into())
}

fn target(text: &str) -> Result<String, String> {
    sip_uri(text, "sip:")
}

/// What says who asks, or who is asked: as it is.
fn own_uri(text: &str) -> Result<String, String> {
    match Uri::parse(text.as_bytes(), HeaderId::Other, 0) {
        Ok(Uri::Sip(_)) => Ok(text.to_owned()),
        Ok(_) => Err(NO_SIP.to_owned()),
        Err(error) => Err(defect(&error, "")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_classes() {
        let parsed = |text: &str| text.parse::<Accepted>().ok();
        assert_eq!(
            ["200", "4xx", "6XX", "699"].map(parsed),
            [Accepted::Code(200), Accepted::Class(4), Accepted::Class(6), Accepted::Code(699)].map(Some)
        );
        assert_eq!(["100", "1xx", "7xx", "xx", "", "+200", "2x", "700"].map(parsed), [None; 8]);
        assert!(Accepted::Class(4).has(499) && !Accepted::Class(4).has(500) && Accepted::Code(404).has(404));
    }

    #[test]
    fn seconds_have_bounds() {
        assert_eq!(interval("0.2"), Ok(Duration::from_millis(200)));
        for wrong in ["0", "-1", "NaN", "inf", "1e9", "1s"] {
            assert!(interval(wrong).is_err() && patience(wrong).is_err(), "{wrong}");
        }
    }
}

//! The flags of `ringback tls`.

use std::time::Duration;

use super::lookup::{LookupArgs, TlsArgs, number, sip_uri};
use super::ping::patience;

pub(super) const MORE: &str = "\
Walks as RFC 3263 says, to servers by TLS (and secure WebSocket), connects to each, and prints what is agreed on, the certificates that are \
shown, and what they are worth: whether the first is for the domain by the rules of SIP (RFC 5922: SIP URIs, or else DNS names, no \
wildcards, no common names), whether they lead to a root, and how many days are left. What is wrong with them doesn't end it.";

pub(super) const EXAMPLES: &str = "\
Examples:
  ringback tls sips:example.com             the servers of a domain
  ringback tls example.com                  the same
  ringback tls sips:192.0.2.7:5061 --server-name example.com
                                            one of them, by its address
  ringback tls sips:example.com --ca roots.pem --json
  ringback tls sips:example.com --warn-days 30 > /dev/null || echo 'look at the certificates'

Exit status:
  0    every server is there, and its certificates are good for some time
  1    one is not, is refused, has expired or soon will; or the URI leads nowhere
  2    the URI or the command line can't be understood, or a file of it can't be used";

#[derive(Debug, clap::Args)]
pub(crate) struct TlsCommandArgs {
    /// A sips or sip URI, or a domain
    #[arg(value_parser = checked)]
    pub(crate) uri: String,

    /// The name to ask for, which the certificate must be for [default: the host of URI]
    #[arg(long, value_name = "NAME")]
    pub(crate) server_name: Option<String>,

    /// Fewer days left are a fault
    #[arg(long, value_name = "N", default_value_t = 14, allow_negative_numbers = true, value_parser = days)]
    pub(crate) warn_days: u32,

    /// How many seconds a server is waited for, 600 at most
    #[arg(short = 'W', long, value_name = "SECS", default_value = "5", allow_negative_numbers = true, value_parser = patience)]
    pub(crate) timeout: Duration,

    #[command(flatten)]
    pub(crate) lookup: LookupArgs,

    #[command(flatten)]
    pub(crate) tls: TlsArgs,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl TlsCommandArgs {
    /// What is walked.
    pub(crate) fn target_uri(&self) -> String {
        // It was checked when it was read.
        sip_uri(&self.uri, DEFAULT_SCHEME).unwrap_or_else(|_| self.uri.clone())
    }
}

/// What a domain is taken for.
const DEFAULT_SCHEME: &str = "sips:";

fn checked(text: &str) -> Result<String, String> {
    sip_uri(text, DEFAULT_SCHEME).map(|_| text.to_owned())
}

fn days(text: &str) -> Result<u32, String> {
    number(text, 0, u32::MAX.into())
}
